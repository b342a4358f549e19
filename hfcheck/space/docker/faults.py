"""The faults of a Dockerfile for which BuildKit stops the build, beyond those of its lines.

Follows `instructions/parse.go`, `instructions/bflag.go` and `dockerfile2llb` of moby/buildkit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hfcheck.source import Span
from hfcheck.space.docker.expand import ExpansionError, expand
from hfcheck.space.docker.grammars import duration_fault, platform_fault
from hfcheck.space.docker.instruction import KNOWN, Instruction, Word
from hfcheck.space.docker.logical import DockerfileProblem, heredoc_word
from hfcheck.space.docker.mounts import fields
from hfcheck.space.docker.references import reference_fault
from hfcheck.space.docker.scope import Scope
from hfcheck.space.docker.sources import source_faults
from hfcheck.space.docker.valuefaults import not_expanded, value_faults
from hfcheck.space.value import Known, Unknown

if TYPE_CHECKING:
    from hfcheck.space.docker.dockerfile import Dockerfile, Stage

_FLAGS: Mapping[str, tuple[str, ...]] = {
    "ADD": ("chown", "chmod", "checksum", "exclude", "link", "keep-git-dir", "unpack"),
    "COPY": ("chown", "chmod", "from", "exclude", "link", "parents"),
    "FROM": ("platform",),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
    "RUN": ("mount", "network", "security", "device"),
}
_SWITCHES = frozenset({"link", "keep-git-dir", "unpack", "parents"})
_REPEATED = frozenset({"exclude", "mount", "device"})
_FLAGS_UNREAD = frozenset({"ARG", "STOPSIGNAL"})
_DURATIONS = ("interval", "timeout", "start-period", "start-interval")
_ONE_ARGUMENT = frozenset({"MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"})
_SOME_ARGUMENTS = frozenset({"ARG", "ENV", "EXPOSE", "LABEL", "ONBUILD", "SHELL", "VOLUME"})
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_NOT_IN_ONBUILD = frozenset({"FROM", "MAINTAINER", "ONBUILD"})
_RUN_VALUES = {
    "network": frozenset({"default", "none", "host"}),
    "security": frozenset({"insecure", "sandbox"}),
}


def find(
    dockerfile: Dockerfile, instructions: Sequence[Instruction]
) -> Iterator[DockerfileProblem]:
    """All faults, in no order. What stands on a value that is not known is none."""
    yield from _whole(dockerfile, instructions)
    for instruction in instructions:
        yield from _form_faults(instruction)
    for stage in dockerfile.stages:
        yield from _from_faults(dockerfile, stage)
    needed = dockerfile.needed()
    yield from source_faults(dockerfile, needed)
    yield from _stage_faults(dockerfile, needed)


def _form_faults(instruction: Instruction) -> Iterator[DockerfileProblem]:
    """The faults of one instruction that no variable decides."""
    if instruction.name not in KNOWN:
        yield _unknown(instruction)
        return
    yield from _flag_faults(instruction)
    yield from _argument_faults(instruction)
    yield from _own_faults(instruction)


def _stage_faults(dockerfile: Dockerfile, needed: Sequence[Stage]) -> Iterator[DockerfileProblem]:
    """The faults that the values of variables make, in the stages that are built."""
    ends: dict[int, Scope] = {}
    for stage in needed:
        scope = ends[stage.parent.index].copy() if stage.parent else dockerfile.scope(stage)
        for trigger in stage.triggers():
            for problem in (*_form_faults(trigger), *value_faults(trigger, scope)):
                message = f"ONBUILD {trigger.name} of the stage it starts from: {problem.message}"
                yield stage.origin.problem(message)
            scope.follow(trigger)
        for instruction in stage.instructions:
            yield from value_faults(instruction, scope)
            scope.follow(instruction)
        ends[stage.index] = scope


def _whole(
    dockerfile: Dockerfile, instructions: Sequence[Instruction]
) -> Iterator[DockerfileProblem]:
    """No instruction, no FROM, or something else before it."""
    if not instructions:
        yield DockerfileProblem("the file has no instructions", dockerfile.source.place())
        return
    early = next((one for one in dockerfile.preamble if one.name != "ARG"), None)
    if early is not None and early.name in KNOWN:
        yield early.problem(f"{early.name} stands before the first FROM, where only ARG may")
    elif not dockerfile.stages and early is None:
        yield dockerfile.preamble[-1].problem("the file has no FROM")


def _unknown(instruction: Instruction) -> DockerfileProblem:
    name = instruction.name_place.text[:40] if instruction.name else ""
    return instruction.problem(f"unknown instruction: {name}" if name else "an empty instruction")


def _flag_faults(instruction: Instruction) -> Iterator[DockerfileProblem]:
    """The first flag that the instruction doesn't know, has twice or with a wrong value."""
    if instruction.name in _FLAGS_UNREAD or _is_no_healthcheck(instruction):
        return
    seen: set[str] = set()
    for word in instruction.flags:
        name = word.text.partition("=")[0].removeprefix("--")
        fault = _flag_fault(instruction.name, word.text)
        if fault is None and name in seen and name not in _REPEATED:
            fault = f"the flag --{name} is given twice"
        if fault is not None:
            yield instruction.problem(fault, word.span)
            return
        seen.add(name)


def _flag_fault(instruction: str, flag: str) -> str | None:
    name, equals, value = flag.removeprefix("--").partition("=")
    if name not in _FLAGS.get(instruction, ()):
        return f"unknown flag of {instruction}: --{name[:40]}"
    if name in _SWITCHES:
        if equals and value.lower() not in ("true", "false"):
            return f"the flag --{name} takes true or false, not `{value[:40]}`"
    elif not equals:
        return f"the flag --{name} has no value"
    if value not in _RUN_VALUES.get(name, (value,)):
        return f"--{name} can't be `{value[:40]}`"
    return None


def _is_no_healthcheck(instruction: Instruction) -> bool:
    """HEALTHCHECK NONE: its flags are not read."""
    kind = instruction.words[:1]
    return instruction.name == "HEALTHCHECK" and bool(kind) and kind[0].text.upper() == "NONE"


def _argument_faults(instruction: Instruction) -> Iterator[DockerfileProblem]:
    """Too few arguments, or blank ones."""
    name, count = instruction.name, len(instruction.words)
    if name in _ONE_ARGUMENT and count != 1:
        yield instruction.problem(f"{name} needs an argument")
    elif name in _SOME_ARGUMENTS and not count:
        yield instruction.problem(f"{name} needs at least one argument")
    elif name in ("ADD", "COPY") and count < 2:
        yield instruction.problem(f"{name} needs two arguments or more, the last a destination")
    for pair in instruction.pairs:
        if not pair.name.text:
            yield instruction.problem(f"a name in {name} is blank", pair.name.span)


def _own_faults(instruction: Instruction) -> Iterator[DockerfileProblem]:
    """What single instructions ask for beyond that."""
    name, words = instruction.name, instruction.words
    if name == "HEALTHCHECK":
        yield from _healthcheck_faults(instruction)
    elif name == "SHELL" and words and instruction.json is None:
        yield instruction.problem("SHELL needs its arguments in JSON form", words[0].span)
    elif name == "ONBUILD" and instruction.onbuild is not None:
        inner = instruction.onbuild
        if inner.name in _NOT_IN_ONBUILD:
            yield inner.problem(f"ONBUILD can't hold {inner.name}")
    elif name == "VOLUME":
        for word in words:
            if not word.text.strip():
                yield instruction.problem("a VOLUME can't be empty", word.span)
    elif name in ("ADD", "COPY") and len(words) > 1 and heredoc_word(words[-1].text):
        yield instruction.problem(f"{name} can't take a heredoc as its destination", words[-1].span)
    elif name == "FROM":
        yield from _from_words(instruction)
    elif name == "RUN":
        yield from _mount_faults(instruction)


def _mount_faults(run: Instruction) -> Iterator[DockerfileProblem]:
    """What is wrong with a mount whatever its variables hold: its form, a variable in `from`."""
    for word in run.flags:
        if not word.text.startswith("--mount="):
            continue
        parts = fields(word.text.removeprefix("--mount="))
        if parts is None:
            yield run.problem("--mount is no comma separated list", word.span)
        for part in parts or ():
            key, _, value = part.partition("=")
            if key.lower() == "from" and 0 <= value.find("$") < len(value) - 1:
                yield run.problem("a variable in from= of --mount is not replaced", word.span)


def _healthcheck_faults(instruction: Instruction) -> Iterator[DockerfileProblem]:
    words = instruction.words
    kind = words[0].text.upper() if words else ""
    if not words:
        yield instruction.problem("HEALTHCHECK needs at least one argument")
    elif kind == "NONE" and len(words) > 1:
        yield instruction.problem("HEALTHCHECK NONE takes no arguments", words[1].span)
    elif kind == "CMD" and len(words) == 1:
        yield instruction.problem("HEALTHCHECK CMD has no command", words[0].span)
    elif kind not in ("CMD", "NONE"):
        message = f"HEALTHCHECK starts with CMD or NONE, not `{words[0].text[:40]}`"
        yield instruction.problem(message, words[0].span)
    if kind != "CMD":
        return
    for word in instruction.flags:
        flag, _, value = word.text.removeprefix("--").partition("=")
        fault = None
        if flag in _DURATIONS and value:
            fault = duration_fault(value)
        elif flag == "retries" and value:
            fault = _retries_fault(value)
        if fault is not None:
            yield instruction.problem(f"--{flag} can't be `{value[:40]}`: {fault}", word.span)


def _retries_fault(text: str) -> str | None:
    if not re.fullmatch(r"[-+]?[0-9]{1,40}", text, re.ASCII):
        return "it is no number"
    return None if 0 <= int(text) < 2**31 else "it is out of range"


def _from_words(instruction: Instruction) -> Iterator[DockerfileProblem]:
    words = instruction.words
    if len(words) == 3 and words[1].text.lower() == "as":
        if not _STAGE_NAME.fullmatch(words[2].text.lower()):
            message = f"`{words[2].text}` is no stage name: a letter, then letters, digits, _ . -"
            yield instruction.problem(message, words[2].span)
    elif len(words) != 1:
        span = Span(words[0].span.start, words[-1].span.end) if words else None
        yield instruction.problem("FROM takes an image, or an image, AS and a name", span)


def _from_faults(dockerfile: Dockerfile, stage: Stage) -> Iterator[DockerfileProblem]:
    """The image name and the platform, with the values of the ARGs before the first FROM."""
    origin = stage.origin
    if not origin.words:
        return
    yield from _platform_faults(dockerfile, origin)
    word = origin.words[0]
    try:
        image = expand(word.text, dockerfile.global_args, dockerfile.escape)
    except ExpansionError as error:
        yield not_expanded(origin, word, error)
        return
    if isinstance(image, Unknown) or stage.parent is not None or image.value == "scratch":
        return
    if not image.value:
        yield origin.problem(f"the image name `{word.text}` is blank", word.span)
    elif (fault := reference_fault(image.value)) is not None:
        yield origin.problem(f"`{image.value[:80]}` is no image name: {fault}", word.span)


def _platform_faults(dockerfile: Dockerfile, origin: Instruction) -> Iterator[DockerfileProblem]:
    for flag in origin.flags:
        text = flag.text.partition("=")[2]
        if not text or not flag.text.startswith("--platform="):
            continue
        try:
            platform = expand(text, dockerfile.global_args, dockerfile.escape)
        except ExpansionError as error:
            yield not_expanded(origin, Word(text, flag.span), error)
            continue
        if isinstance(platform, Known):
            fault = platform_fault(platform.value) if platform.value else "it is blank"
            if fault is not None:
                yield origin.problem(f"the platform `{text[:80]}` can't be: {fault}", flag.span)
