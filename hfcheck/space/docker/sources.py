"""Which stages take files from which: `--from` of COPY and `from=` of RUN's mounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hfcheck.space.docker.expand import ExpansionError, expand
from hfcheck.space.docker.instruction import Instruction, Word
from hfcheck.space.docker.logical import DockerfileProblem
from hfcheck.space.docker.mounts import mount_source
from hfcheck.space.docker.references import reference_fault
from hfcheck.space.docker.valuefaults import not_expanded
from hfcheck.space.value import Unknown

if TYPE_CHECKING:
    from hfcheck.space.docker.dockerfile import Dockerfile, Stage

INDEX = re.compile(r"[-+]?[0-9]+")
"""What COPY takes for the number of a stage, from 0."""


def sources(instruction: Instruction) -> Iterator[tuple[str, Word]]:
    """The names that COPY or RUN takes files from, each with the flag that says so."""
    if instruction.name == "COPY":
        for flag in instruction.flags:
            if flag.text.startswith("--from=") and flag.text != "--from=":
                yield flag.text.removeprefix("--from="), flag
                return
    elif instruction.name == "RUN":
        for flag in instruction.flags:
            if flag.text.startswith("--mount="):
                name = mount_source(flag.text.removeprefix("--mount="))
                if name:
                    yield name, flag


def source_faults(dockerfile: Dockerfile, needed: Sequence[Stage]) -> Iterator[DockerfileProblem]:
    """Sources that are no stage and no image, and stages that come too late."""
    reached = {stage.index for stage in needed}
    for stage in dockerfile.stages:
        for instruction in stage.instructions:
            for name, flag in sources(instruction):
                fault = _fault(dockerfile, stage, instruction, name, stage.index in reached)
                if isinstance(fault, ExpansionError):
                    yield not_expanded(instruction, Word(name, flag.span), fault)
                elif fault is not None:
                    yield instruction.problem(fault, flag.span)
        if stage.index not in reached:
            continue
        for trigger in stage.triggers():
            for name, _ in sources(trigger):
                fault = _fault(dockerfile, stage, trigger, name, True)
                own = dockerfile.source_stage(trigger, name) is stage  # BuildKit lets that pass
                if fault is not None and not own:
                    yield stage.origin.problem(f"ONBUILD of the stage it starts from: {fault}")
    yield from _circles(dockerfile)


def _fault(
    dockerfile: Dockerfile, stage: Stage, instruction: Instruction, name: str, needed: bool
) -> str | ExpansionError | None:
    if instruction.name == "COPY":
        try:
            plain = expand(name, {}, dockerfile.escape)
        except ExpansionError as error:
            return error
        if isinstance(plain, Unknown) or plain.value != name:
            return "a variable in --from of COPY is not replaced"
    source = dockerfile.source_stage(instruction, name)
    if source is None and instruction.name == "COPY" and INDEX.fullmatch(name):
        return f"there is no stage {name[:40]}"
    if source is not None:
        late = source is stage or (needed and source.index > stage.index)
        return f"the stage {name} does not come before this one" if late else None
    fault = None if name == "scratch" else reference_fault(name)
    return f"`{name[:80]}` is no stage and no image name: {fault}" if fault else None


def _circles(dockerfile: Dockerfile) -> Iterator[DockerfileProblem]:
    """The copies that close a circle of stages, also of those that nothing needs."""
    steps: dict[int, list[tuple[int, Instruction]]] = {}
    for stage in dockerfile.stages:
        steps[stage.index] = [
            (source.index, instruction)
            for instruction in stage.instructions
            for name, _ in sources(instruction)
            if (source := dockerfile.source_stage(instruction, name)) is not None
        ]
    done: set[int] = set()
    for start in steps:
        path = {start}
        waiting = [(start, iter(steps[start] if start not in done else ()))]
        while waiting:
            index, rest = waiting[-1]
            step = next(rest, None)
            if step is None:
                waiting.pop()
                path.discard(index)
                done.add(index)
            elif step[0] in path:
                yield step[1].problem("stages take files from each other in a circle")
            elif step[0] not in done:
                path.add(step[0])
                waiting.append((step[0], iter(steps[step[0]])))
