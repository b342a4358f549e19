"""A Dockerfile as BuildKit reads it: stages and instructions with exact spans."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hfcheck.source import SourceFile
from hfcheck.space.docker import faults as dockerfile_faults
from hfcheck.space.docker.expand import ExpansionError, expand
from hfcheck.space.docker.instruction import Instruction, Pair, Word, read_instructions
from hfcheck.space.docker.logical import DockerfileProblem, Heredoc, Reader
from hfcheck.space.value import Known, Unknown, Value

__all__ = [
    "PLATFORM_ARGS",
    "Dockerfile",
    "DockerfileProblem",
    "Heredoc",
    "Instruction",
    "Pair",
    "Stage",
    "Word",
    "parse",
]

PLATFORM_ARGS: Mapping[str, str] = {
    "BUILDPLATFORM": "linux/amd64",
    "BUILDOS": "linux",
    "BUILDOSVERSION": "",
    "BUILDARCH": "amd64",
    "BUILDVARIANT": "",
    "TARGETPLATFORM": "linux/amd64",
    "TARGETOS": "linux",
    "TARGETOSVERSION": "",
    "TARGETARCH": "amd64",
    "TARGETVARIANT": "",
}
"""What BuildKit defines before the first ARG (`defaultArgs` in `dockerfile2llb/platform.go` of
moby/buildkit), for the platform that Spaces build and run on."""

_INDEX = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class Stage:
    """One build stage. `parent` is the earlier stage that its FROM names, if it names one;
    `base` is the expanded image name otherwise (None where it can't be known). `name` is lower
    case: stage names are case-insensitive.
    """

    index: int
    name: str | None
    origin: Instruction
    base: str | None
    parent: Stage | None
    instructions: list[Instruction] = field(default_factory=list)


@dataclass(slots=True)
class Dockerfile:
    """A parsed Dockerfile: instructions before the first FROM, stages in order, the escape
    character, and the faults for which BuildKit would refuse it. `global_args` are the values of
    the ARGs before the first FROM (and those BuildKit defines), which FROM lines see and `ARG
    NAME` in a stage takes over. `names` are the stages by name, the last one of each.
    """

    source: SourceFile
    escape: str
    preamble: list[Instruction]
    stages: list[Stage]
    problems: list[DockerfileProblem]
    global_args: dict[str, Value[str]] = field(default_factory=dict)
    names: dict[str, Stage] = field(default_factory=dict)

    @property
    def final(self) -> Stage | None:
        """The stage that is built: the last one."""
        return self.stages[-1] if self.stages else None

    def stage(self, name: str) -> Stage | None:
        """The stage that `--from=name` means: a number counts from 0, a name means the last
        stage called so; None where it is an image.
        """
        if _INDEX.fullmatch(name):
            return self.stages[int(name)] if int(name) < len(self.stages) else None
        return self.names.get(name.lower())

    def needed(self) -> list[Stage]:
        """The stages that the final one is built from, itself included, in order."""
        reached: set[int] = set()
        waiting = self.stages[-1:]
        while waiting:
            stage = waiting.pop()
            if stage.index in reached:
                continue
            reached.add(stage.index)
            sources = (stage.parent, *map(self.stage, _sources(stage)))
            waiting += [source for source in sources if source is not None]
        return [stage for stage in self.stages if stage.index in reached]


def parse(source: SourceFile, build_args: Mapping[str, Value[str]] | None = None) -> Dockerfile:
    """Parse a Dockerfile; faults become `problems`, never exceptions.

    `build_args` are the values that the build gets with `--build-arg` (a Space's variables).
    """
    reader = Reader(source)
    lines = list(reader.read())
    instructions = read_instructions(source, lines, reader.escape, reader.problems)
    dockerfile = Dockerfile(source, reader.escape, [], [], reader.problems)
    dockerfile.global_args = {name: Known(value) for name, value in PLATFORM_ARGS.items()}
    dockerfile.global_args["TARGETSTAGE"] = Unknown("BuildKit sets it to the stage it builds")
    for instruction in instructions:
        if instruction.name == "FROM":
            _add_stage(dockerfile, instruction)
        elif dockerfile.stages:
            dockerfile.stages[-1].instructions.append(instruction)
        else:
            dockerfile.preamble.append(instruction)
            if instruction.name == "ARG":
                _define(dockerfile, instruction, build_args or {})
    dockerfile.problems += dockerfile_faults.find(dockerfile, instructions)
    dockerfile.problems.sort(key=lambda problem: problem.place.span)
    return dockerfile


def _define(dockerfile: Dockerfile, arg: Instruction, build_args: Mapping[str, Value[str]]) -> None:
    """Take the names of an ARG before the first FROM into the global ones."""
    for pair in arg.pairs:
        name = pair.name.text
        if name in build_args:
            dockerfile.global_args[name] = build_args[name]
        elif pair.value is not None:
            dockerfile.global_args[name] = _expanded(dockerfile, pair.value.text)
        elif name not in dockerfile.global_args:
            reason = f"ARG {name} has no default; a variable of the Space may set it"
            dockerfile.global_args[name] = Unknown(reason)


def _add_stage(dockerfile: Dockerfile, origin: Instruction) -> None:
    words = [word.text for word in origin.words]
    name = words[2].lower() if len(words) == 3 and words[1].lower() == "as" else None
    image = _expanded(dockerfile, words[0]) if words else Unknown("FROM names no image")
    base = image.value if isinstance(image, Known) and image.value else None
    parent = dockerfile.names.get(base.lower()) if base is not None else None
    stage = Stage(len(dockerfile.stages), name, origin, None if parent else base, parent)
    dockerfile.stages.append(stage)
    if name is not None:
        dockerfile.names[name] = stage


def _expanded(dockerfile: Dockerfile, text: str) -> Value[str]:
    try:
        return expand(text, dockerfile.global_args, dockerfile.escape)
    except ExpansionError as error:
        return Unknown(str(error))


def _sources(stage: Stage) -> list[str]:
    """The names that COPY and RUN of a stage take files from, those under ONBUILD as well."""
    names: list[str] = []
    for instruction in stage.instructions:
        inner = instruction.onbuild or instruction
        if inner.name == "COPY" and (name := inner.flag("from")):
            names.append(name)
        elif inner.name == "RUN":
            for mount in inner.flag_values("mount"):
                fields = (part.partition("=") for part in mount.split(","))
                names += [value for key, _, value in fields if key.lower() == "from"]
    return names
