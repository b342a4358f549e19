"""A Dockerfile as BuildKit reads it: stages and instructions with exact spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hfcheck.source import SourceFile
from hfcheck.space.docker import faults as dockerfile_faults
from hfcheck.space.docker.baseimages import base_image
from hfcheck.space.docker.expand import ExpansionError, expand
from hfcheck.space.docker.instruction import Instruction, Pair, Word, read_instructions
from hfcheck.space.docker.logical import DockerfileProblem, Heredoc, Reader
from hfcheck.space.docker.scope import Scope
from hfcheck.space.docker.sources import INDEX, sources
from hfcheck.space.docker.valuefaults import not_expanded
from hfcheck.space.value import Known, Origin, Unknown, Value

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


@dataclass(slots=True)
class Stage:
    """One build stage. `parent` is the earlier stage that its FROM names, if it names one;
    `base` is the expanded image name otherwise (None where it can't be known). `name` is lower
    case, however it is written.
    """

    index: int
    name: str | None
    origin: Instruction
    base: str | None
    parent: Stage | None
    instructions: list[Instruction] = field(default_factory=list)

    def triggers(self) -> Iterator[Instruction]:
        """The ONBUILD instructions of the stage it starts from, which run before its own."""
        for instruction in self.parent.instructions if self.parent else ():
            if instruction.onbuild is not None:
                yield instruction.onbuild


@dataclass(slots=True)
class Dockerfile:
    """A parsed Dockerfile: instructions before the first FROM, stages in order, the escape
    character, and the faults for which BuildKit would refuse it. `global_args` are the values of
    the ARGs before the first FROM (and those BuildKit defines), which FROM lines see and `ARG
    NAME` in a stage takes over; `build_args` come from outside. `names` are the stages by name,
    the last one of each.
    """

    source: SourceFile
    escape: str
    preamble: list[Instruction]
    stages: list[Stage]
    problems: list[DockerfileProblem]
    build_args: Mapping[str, Value[str]] = field(default_factory=dict)
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
        if INDEX.fullmatch(name):
            index = int(name) if len(name) < 10 else len(self.stages)
            return self.stages[index] if 0 <= index < len(self.stages) else None
        return self.names.get(name.lower())

    def source_stage(self, instruction: Instruction, name: str) -> Stage | None:
        """The stage that COPY or RUN takes files from by a name; None where it is an image. RUN
        knows no numbers.
        """
        return self.stage(name) if instruction.name == "COPY" else self.names.get(name.lower())

    def scope(self, stage: Stage) -> Scope:
        """What the first instruction of a stage on an external image sees."""
        note = f"FROM {stage.base}" if stage.base else "FROM"
        origin = Origin(stage.origin.place, note)
        empty = Scope(self.escape, self.build_args, self.global_args)
        return empty.on(base_image(stage.base), origin)

    def needed(self) -> list[Stage]:
        """The stages that the final one is built from, itself included, in order."""
        reached: set[int] = set()
        waiting = self.stages[-1:]
        while waiting:
            stage = waiting.pop()
            if stage.index in reached:
                continue
            reached.add(stage.index)
            waiting += [stage.parent] if stage.parent else []
            for instruction in (*stage.triggers(), *stage.instructions):
                found = (self.source_stage(instruction, name) for name, _ in sources(instruction))
                waiting += [source for source in found if source is not None]
        return [stage for stage in self.stages if stage.index in reached]


def parse(source: SourceFile, build_args: Mapping[str, Value[str]] | None = None) -> Dockerfile:
    """Parse a Dockerfile; faults become `problems`, never exceptions.

    `build_args` are the values that the build gets with `--build-arg` (a Space's variables).
    """
    reader = Reader(source)
    lines = list(reader.read())
    instructions = read_instructions(source, lines, reader.escape, reader.problems)
    dockerfile = Dockerfile(source, reader.escape, [], [], reader.problems, build_args or {})
    dockerfile.global_args = _first_args(instructions, dockerfile.build_args)
    for instruction in instructions:
        if instruction.name == "FROM":
            _add_stage(dockerfile, instruction)
        elif dockerfile.stages:
            dockerfile.stages[-1].instructions.append(instruction)
        else:
            dockerfile.preamble.append(instruction)
            if instruction.name == "ARG":
                _define(dockerfile, instruction)
    dockerfile.problems += dockerfile_faults.find(dockerfile, instructions)
    dockerfile.problems.sort(key=lambda problem: problem.place.span)
    return dockerfile


def _first_args(
    instructions: Sequence[Instruction], build_args: Mapping[str, Value[str]]
) -> dict[str, Value[str]]:
    """What BuildKit defines before the first instruction; build arguments may say else."""
    args: dict[str, Value[str]] = {name: Known(value) for name, value in PLATFORM_ARGS.items()}
    last = next((one for one in reversed(instructions) if one.name == "FROM"), None)
    args["TARGETSTAGE"] = Known((last and _stage_name(last)) or "default")
    return {name: build_args.get(name, value) for name, value in args.items()}


def _define(dockerfile: Dockerfile, arg: Instruction) -> None:
    """Take the names of an ARG before the first FROM into the global ones."""
    for pair in arg.pairs:
        name = pair.name.text
        if name in dockerfile.build_args:
            dockerfile.global_args[name] = dockerfile.build_args[name]
        elif pair.value is not None:
            value = _expanded(dockerfile, pair.value.text)
            if isinstance(value, ExpansionError):
                dockerfile.problems.append(not_expanded(arg, pair.value, value))
                value = Unknown(str(value))
            dockerfile.global_args[name] = value
        elif name not in dockerfile.global_args:
            reason = f"ARG {name} has no default; a variable of the Space may set it"
            dockerfile.global_args[name] = Unknown(reason)


def _add_stage(dockerfile: Dockerfile, origin: Instruction) -> None:
    name = _stage_name(origin)
    image = _expanded(dockerfile, origin.words[0].text) if origin.words else None
    base = image.value if isinstance(image, Known) and image.value else None
    # Names of stages are lower case, and FROM finds them only by that spelling.
    parent = dockerfile.names.get(base) if base is not None else None
    stage = Stage(len(dockerfile.stages), name, origin, None if parent else base, parent)
    dockerfile.stages.append(stage)
    if name is not None:
        dockerfile.names[name] = stage


def _stage_name(origin: Instruction) -> str | None:
    words = [word.text for word in origin.words]
    return words[2].lower() if len(words) == 3 and words[1].lower() == "as" else None


def _expanded(dockerfile: Dockerfile, text: str) -> Value[str] | ExpansionError:
    try:
        return expand(text, dockerfile.global_args, dockerfile.escape)
    except ExpansionError as error:
        return error
