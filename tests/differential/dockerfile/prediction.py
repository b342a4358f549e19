"""What hfcheck makes of a Dockerfile, and where BuildKit's answer is another one.

Where the two may differ, and why:

- A variable that an unknown base image, or a variable of the Space for an ARG without a default,
  may set is unknown, and so is what stands on it; BuildKit knows the image and the arguments.
- WORKDIR has no needless slashes (`/app/` is `/app`): it is the same folder.
- A fault in a parser directive is told at its line; BuildKit counts there from 0. That a file has
  no instructions is told at its start.
- The SHELL of an unknown base image is taken for `/bin/sh -c`.
- `RUN --device` is taken: BuildKit takes it with the syntax `docker/dockerfile:1-labs` only.
- The query of a Git address in ADD is not looked at.
- Flags are read byte by byte by BuildKit: a character that holds the byte 85 or A0 (hexadecimal)
  other than at its end is not cut in two.
"""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hfcheck.source import SourceFile
from hfcheck.space.context import Context
from hfcheck.space.declared import Declared
from hfcheck.space.docker.baseimages import base_image
from hfcheck.space.docker.dockerfile import Dockerfile, DockerfileProblem, parse
from hfcheck.space.image.building import Command
from hfcheck.space.image.image import Image, build_image
from hfcheck.space.value import Known, Unknown
from tests.differential.dockerfile import instructions
from tests.differential.dockerfile.case import BASES, Case


@dataclass(slots=True)
class Comparison:
    """Where hfcheck and BuildKit differ, in words, and what hfcheck leaves open."""

    different: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def image_of(case: Case) -> tuple[Dockerfile, Image]:
    """The Dockerfile and the image that hfcheck works out, over an empty build context."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        text = case.text
        source = SourceFile(
            root / "Dockerfile", text.removeprefix("\ufeff"), bom=text[:1] == "\ufeff"
        )
        values = {name: Known(value) for name, value in case.args.items()}
        dockerfile = parse(source, values)
        return dockerfile, build_image(dockerfile, Context(root), Declared(variables=case.args))


def compare(case: Case, answer: Mapping[str, Any]) -> Comparison:
    """hfcheck's reading of a case against BuildKit's `answer`: `error` and `lines` where it
    refuses the file, else the image's `config`.
    """
    dockerfile, image = image_of(case)
    problems = dockerfile.problems
    comparison = Comparison(different=_instructions(case, answer))
    if "error" in answer:
        if "device feature is only supported" in answer["error"]:
            comparison.unknown.append("the version of the frontend")
        elif not problems and _is_open(dockerfile):
            comparison.unknown.append(f"refused: {answer['error']}")
        else:
            comparison.different += _refusal(problems, answer)
    elif problems:
        comparison.different += [f"BuildKit takes it, but: {problems[0].message}"]
    else:
        for name, mine, theirs in _fields(image, answer["config"]):
            if isinstance(mine, Unknown):
                comparison.unknown.append(f"{name}: {mine.reason}")
            elif mine != theirs:
                comparison.different.append(f"{name}: {mine!r}, BuildKit {theirs!r}")
    return comparison


def _instructions(case: Case, answer: Mapping[str, Any]) -> list[str]:
    """Where the lists of instructions differ, of a file that BuildKit can parse."""
    if "parse_error" in answer:
        return []
    mine, problems = instructions.read(case.text)
    theirs = [instructions.answered(node) for node in answer["instructions"]]
    return [problem.message for problem in problems] or instructions.differences(mine, theirs)


def _is_open(dockerfile: Dockerfile) -> bool:
    """Whether a variable may have any value: the base image, or the Space, may set it."""
    needed = dockerfile.needed()
    unknown = any(not stage.parent and not base_image(stage.base).known for stage in needed)
    lines = [*dockerfile.preamble, *(one for stage in needed for one in stage.instructions)]
    args = (pair for one in lines if one.name == "ARG" for pair in one.pairs)
    return unknown or any(pair.value is None for pair in args)


def _refusal(problems: list[DockerfileProblem], answer: Mapping[str, Any]) -> Iterator[str]:
    """Whether hfcheck refuses the file too, at one of the lines that BuildKit names."""
    error, lines = answer["error"], answer.get("lines", ())
    if not problems:
        yield f"BuildKit refuses it: {error} at {lines}"
    elif lines and error != "file with no instructions":
        # BuildKit counts the lines of parser directives from 0.
        shift = 1 if "parser directive" in error or "escape token" in error else 0
        mine = {_line(problem) - shift for problem in problems}
        if not any(first <= line <= last for first, last in lines for line in mine):
            yield f"the fault is at {sorted(mine)}, BuildKit: {error} at {lines}"


def _line(problem: DockerfileProblem) -> int:
    """The line of a fault, where only a newline ends a line."""
    place = problem.place
    return place.source.text.count("\n", 0, place.span.start) + 1


def _fields(image: Image, config: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The fields of the configuration: name, hfcheck's value (or Unknown), BuildKit's."""
    base: Mapping[str, Any] = BASES.get(image.base or "scratch", {})
    yield from _environment(image, _variables(config), _variables(base))
    workdir = image.workdir if image.workdir_known else Unknown("on the base image's")
    yield "workdir", workdir, _folder(config.get("WorkingDir"))
    user: object = base.get("User", "")
    if isinstance(image.user, Known):
        user = image.user.value
    yield "user", image.user if isinstance(image.user, Unknown) else user, config.get("User", "")
    for name, command, inherits in (
        ("Cmd", image.cmd, image.inherits_cmd),
        ("Entrypoint", image.entrypoint, image.inherits_entrypoint),
    ):
        yield name, base.get(name) if inherits else _argv(command), config.get(name)
    ports = {f"{port}/{exposed.protocol}" for exposed in image.exposed for port in exposed.ports}
    inherited = set(base.get("ExposedPorts", ()))
    open_ports = None if image.exposed_known else Unknown("a port is not known")
    yield "ports", open_ports or ports | inherited, set(config.get("ExposedPorts", ()))
    yield "shell", list(image.shell), config.get("Shell") or ["/bin/sh", "-c"]


def _folder(path: str | None) -> str:
    """A WORKDIR as hfcheck writes it: without needless slashes, which BuildKit keeps."""
    return "/" + posixpath.normpath(path or "/").lstrip("/")


def _environment(
    image: Image, theirs: Mapping[str, str], base: Mapping[str, str]
) -> Iterator[tuple[str, Any, Any]]:
    """The variables, without those that the base image sets and nothing else touches."""
    for name in theirs.keys() | image.env.keys():
        mine: object = None if image.env_known else Unknown("the base image may set it")
        if name in image.env:
            value = image.env[name]
            mine = value.value if isinstance(value, Known) else value
        inherited = isinstance(mine, Unknown) and theirs.get(name) == base.get(name)
        if not inherited:
            yield f"env {name}", mine, theirs.get(name)


def _variables(config: Mapping[str, Any]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in config.get("Env", ()))


def _argv(command: Command | None) -> list[str] | None:
    if command is None:
        return None
    words = [word.text for word in command.words]
    return words if command.form == "exec" else [*command.shell, " ".join(words)]
