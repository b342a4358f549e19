"""One case of the comparison: a tree, where its process starts, and the words that start it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOME = "{root}"
"""Stands for the folder of the tree, in files and words alike."""


@dataclass(frozen=True, slots=True)
class Case:
    """A tree of `files`, the `words` that start the server with the `target` among them (or in a
    configuration file), the folder below it that is WORKDIR, variables of ENV, and RUN lines. `editable` are the folders that those put on the import path.
    `bare` asks for a process that has nothing but the server imported. A `plain` one must not be
    unknown.
    """

    name: str
    files: Mapping[str, str]
    words: tuple[str, ...]
    target: str
    workdir: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    run: tuple[str, ...] = ()
    editable: tuple[str, ...] = ()
    shell: bool = False
    bare: bool = False
    plain: bool = False

    @property
    def server(self) -> str:
        """uvicorn or gunicorn."""
        return self.words[2] if self.words[0] == "python" else self.words[0]

    def write(self, root: Path) -> None:
        """Put the tree on the disk."""
        for name, text in self.files.items():
            path = root / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(HOME, str(root)), "utf-8")
        (root / self.workdir).mkdir(parents=True, exist_ok=True)

    def at(self, root: Path, text: str) -> str:
        """A text of the case with the tree's folder put in."""
        return text.replace(HOME, str(root))

    def dockerfile(self, root: Path) -> str:
        """The Dockerfile of an image that has the tree at the same place."""
        lines = ["FROM python:3.12-slim", f"WORKDIR {root}", "COPY . ."]
        lines.extend(self.run)
        lines.extend(f'ENV {name}="{self.at(root, value)}"' for name, value in self.env.items())
        if self.workdir:
            lines.append(f"WORKDIR {root / self.workdir}")
        words = [self.at(root, word) for word in self.words]
        lines.append(f"CMD {shlex.join(words) if self.shell else json.dumps(words)}")
        return "\n".join(lines) + "\n"
