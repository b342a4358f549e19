"""A container's start as the generators have it: run as it is, and written as a Dockerfile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

ROOT = "@ROOT@"
"""Stands for the folder that the case's container files lie in, in every text of a case."""

Command = str | tuple[str, ...]
"""A line (shell form) or words (exec form)."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a Dockerfile starts: `files` by path below the build context, all copied to `workdir`.

    `executable` are the files that a RUN makes executable, `run` further RUN lines that hfcheck
    reads and that change nothing for the oracle (installations).
    """

    family: str
    cmd: Command | None
    entrypoint: Command | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = f"{ROOT}/app"
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    executable: tuple[str, ...] = ()
    run: tuple[str, ...] = ()

    def dockerfile(self) -> str:
        """The Dockerfile of the case."""
        lines = ["FROM python:3.11-slim", f"WORKDIR {self.workdir}", "COPY . ."]
        lines += [f"RUN {line}" for line in self.run]
        lines += [f"RUN chmod +x {path}" for path in self.executable]
        lines += [f"ENV {name}={_quoted(value)}" for name, value in self.env.items()]
        if self.shell != ("/bin/sh", "-c"):
            lines.append(f"SHELL {json.dumps(self.shell)}")
        if self.entrypoint is not None:
            lines.append(f"ENTRYPOINT {_form(self.entrypoint)}")
        if self.cmd is not None:
            lines.append(f"CMD {_form(self.cmd)}")
        return "\n".join(lines) + "\n"

    def argv(self) -> list[str]:
        """The first process, as Docker puts it together: a CMD follows an ENTRYPOINT, each of
        shell form as an argument of the shell.
        """
        return [*self._words(self.entrypoint), *self._words(self.cmd)]

    def _words(self, command: Command | None) -> tuple[str, ...]:
        if command is None:
            return ()
        return (*self.shell, command) if isinstance(command, str) else command


def _form(command: Command) -> str:
    return command if isinstance(command, str) else json.dumps(command)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
