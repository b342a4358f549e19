"""The faults of a Dockerfile for which BuildKit stops the build, beyond those of its lines.

Follows `instructions/parse.go`, `instructions/bflag.go` and `dockerfile2llb` of moby/buildkit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from hfcheck.source import Place, Span
from hfcheck.space.docker.expand import ExpansionError, expand, expand_words
from hfcheck.space.docker.instruction import KNOWN, Instruction, Word
from hfcheck.space.docker.logical import DockerfileProblem, heredoc_word
from hfcheck.space.docker.ports import port_fault
from hfcheck.space.docker.references import reference_fault
from hfcheck.space.value import Unknown, Value

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
_DURATION = re.compile(r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|[-+]?0")
_ONE_ARGUMENT = frozenset({"MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"})
_SOME_ARGUMENTS = frozenset({"ARG", "ENV", "EXPOSE", "LABEL", "ONBUILD", "SHELL", "VOLUME"})
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_NOT_IN_ONBUILD = frozenset({"FROM", "MAINTAINER", "ONBUILD"})
_RUN_VALUES = {
    "network": frozenset({"default", "none", "host"}),
    "security": frozenset({"insecure", "sandbox"}),
}


class _AnyValues(Mapping[str, Value[str]]):
    """Variables of which none is known: only what fails whatever they hold is a fault."""

    def __getitem__(self, name: str) -> Value[str]:
        return Unknown(f"the value of {name} is not looked at")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_ANY_VALUES = _AnyValues()


def find(
    dockerfile: Dockerfile, instructions: Sequence[Instruction]
) -> Iterator[DockerfileProblem]:
    """All faults, in no order. Variables are not looked at, but for those in FROM."""
    yield from _whole(dockerfile, instructions)
    for instruction in instructions:
        if instruction.name not in KNOWN:
            yield _unknown(instruction)
            continue
        yield from _flag_faults(instruction)
        yield from _argument_faults(instruction)
        yield from _own_faults(instruction)
    needed = dockerfile.needed()
    reached = {stage.index for stage in needed}
    for stage in dockerfile.stages:
        yield from _from_faults(dockerfile, stage)
        yield from _copy_faults(dockerfile, stage, stage.index in reached)
    arguments = (one for one in dockerfile.preamble if one.name == "ARG")
    for instruction in chain(arguments, *(stage.instructions for stage in needed)):
        yield from _expansion_faults(instruction, dockerfile.escape)


def _at(instruction: Instruction, message: str, span: Span | None = None) -> DockerfileProblem:
    place = instruction.name_place if span is None else Place(instruction.source, span)
    return DockerfileProblem(message, place)


def _whole(
    dockerfile: Dockerfile, instructions: Sequence[Instruction]
) -> Iterator[DockerfileProblem]:
    """No instruction, no FROM, or something else before it."""
    if not instructions:
        yield DockerfileProblem("the file has no instructions", dockerfile.source.place())
        return
    early = next((one for one in dockerfile.preamble if one.name != "ARG"), None)
    if early is not None and early.name in KNOWN:
        yield _at(early, f"{early.name} stands before the first FROM, where only ARG may")
    elif not dockerfile.stages and early is None:
        yield _at(dockerfile.preamble[-1], "the file has no FROM")


def _unknown(instruction: Instruction) -> DockerfileProblem:
    name = instruction.name_place.text[:40] if instruction.name else ""
    return _at(instruction, f"unknown instruction: {name}" if name else "an empty instruction")


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
            yield _at(instruction, fault, word.span)
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
        yield _at(instruction, f"{name} needs an argument")
    elif name in _SOME_ARGUMENTS and not count:
        yield _at(instruction, f"{name} needs at least one argument")
    elif name in ("ADD", "COPY") and count < 2:
        yield _at(instruction, f"{name} needs at least two arguments, a source and a destination")
    for pair in instruction.pairs:
        if not pair.name.text:
            yield _at(instruction, f"a name in {name} is blank", pair.name.span)


def _own_faults(instruction: Instruction) -> Iterator[DockerfileProblem]:
    """What single instructions ask for beyond that."""
    name, words = instruction.name, instruction.words
    if name == "HEALTHCHECK":
        yield from _healthcheck_faults(instruction)
    elif name == "SHELL" and words and instruction.json is None:
        yield _at(instruction, "SHELL needs its arguments in JSON form", words[0].span)
    elif name == "ONBUILD" and instruction.onbuild is not None:
        inner = instruction.onbuild
        if inner.name in _NOT_IN_ONBUILD:
            yield _at(inner, f"ONBUILD can't hold {inner.name}")
    elif name == "VOLUME":
        for word in words:
            if not word.text.strip():
                yield _at(instruction, "a VOLUME can't be empty", word.span)
    elif name in ("ADD", "COPY") and len(words) > 1 and heredoc_word(words[-1].text):
        yield _at(instruction, f"{name} can't take a heredoc as its destination", words[-1].span)
    elif name == "FROM":
        yield from _from_words(instruction)
    elif name == "RUN":
        yield from _mount_faults(instruction)


def _mount_faults(run: Instruction) -> Iterator[DockerfileProblem]:
    for word in run.flags:
        if not word.text.startswith("--mount="):
            continue
        for part in word.text.removeprefix("--mount=").split(","):
            key, _, value = part.partition("=")
            if key.lower() == "from" and 0 <= value.find("$") < len(value) - 1:
                yield _at(run, "a variable in from= of --mount is not replaced", word.span)


def _healthcheck_faults(instruction: Instruction) -> Iterator[DockerfileProblem]:
    words = instruction.words
    kind = words[0].text.upper() if words else ""
    if not words:
        yield _at(instruction, "HEALTHCHECK needs at least one argument")
    elif kind == "NONE" and len(words) > 1:
        yield _at(instruction, "HEALTHCHECK NONE takes no arguments", words[1].span)
    elif kind == "CMD" and len(words) == 1:
        yield _at(instruction, "HEALTHCHECK CMD has no command", words[0].span)
    elif kind not in ("CMD", "NONE"):
        message = f"HEALTHCHECK starts with CMD or NONE, not `{words[0].text[:40]}`"
        yield _at(instruction, message, words[0].span)
    if kind != "CMD":
        return
    for word in instruction.flags:
        flag, _, value = word.text.removeprefix("--").partition("=")
        if flag in _DURATIONS and value and not _DURATION.fullmatch(value):
            message = f"`{value}` is no duration with a unit, such as 30s"
            yield _at(instruction, message, word.span)
        elif flag == "retries" and value and not re.fullmatch(r"\+?[0-9]{1,9}|-0+", value):
            yield _at(instruction, f"--retries can't be `{value}`", word.span)


def _from_words(instruction: Instruction) -> Iterator[DockerfileProblem]:
    words = instruction.words
    if len(words) == 3 and words[1].text.lower() == "as":
        if not _STAGE_NAME.fullmatch(words[2].text.lower()):
            message = f"`{words[2].text}` is no stage name: a letter, then letters, digits, _ . -"
            yield _at(instruction, message, words[2].span)
    elif len(words) != 1:
        span = Span(words[0].span.start, words[-1].span.end) if words else None
        yield _at(instruction, "FROM takes an image, or an image, AS and a name", span)


def _from_faults(dockerfile: Dockerfile, stage: Stage) -> Iterator[DockerfileProblem]:
    """The image name and the platform, with the values of the ARGs before the first FROM."""
    origin = stage.origin
    if not origin.words:
        return
    word = origin.words[0]
    try:
        image = expand(word.text, dockerfile.global_args, dockerfile.escape)
    except ExpansionError as error:
        yield _not_expanded(origin, word, error)
        return
    if isinstance(image, Unknown) or stage.parent is not None or image.value == "scratch":
        return
    if not image.value:
        yield _at(origin, f"the image name `{word.text}` is blank", word.span)
    elif (fault := reference_fault(image.value)) is not None:
        yield _at(origin, f"`{image.value[:80]}` is no image name: {fault}", word.span)


def _copy_faults(dockerfile: Dockerfile, stage: Stage, needed: bool) -> Iterator[DockerfileProblem]:
    """`--from` of COPY: never a variable, no stage that comes later."""
    for copy in stage.instructions:
        name = copy.flag("from") if copy.name == "COPY" else None
        if not name:
            continue
        word = next(word for word in copy.flags if word.text.startswith("--from="))
        try:
            plain = expand(name, {}, dockerfile.escape)
        except ExpansionError as error:
            yield _not_expanded(copy, word, error)
            continue
        source = dockerfile.stage(name)
        if isinstance(plain, Unknown) or plain.value != name:
            yield _at(copy, "a variable in --from of COPY is not replaced", word.span)
        elif source is None and name.isdecimal():
            yield _at(copy, f"there is no stage {name[:40]}", word.span)
        elif source is stage or (source is not None and needed and source.index > stage.index):
            yield _at(copy, f"the stage {name} does not come before this one", word.span)
        elif source is None and (fault := reference_fault(name)) is not None:
            yield _at(copy, f"`{name[:80]}` is no stage and no image name: {fault}", word.span)


def _expansion_faults(instruction: Instruction, escape: str) -> Iterator[DockerfileProblem]:
    """Words whose quotes or substitutions BuildKit can't read, and ports that are none."""
    for word in _expanded_words(instruction):
        try:
            expand(word.text, _ANY_VALUES, escape)
        except ExpansionError as error:
            yield _not_expanded(instruction, word, error)
    if instruction.name == "EXPOSE":
        yield from _port_faults(instruction, escape)
    if instruction.name in ("ADD", "COPY"):
        for heredoc in instruction.heredocs:
            if not heredoc.expand:
                continue
            try:
                expand(heredoc.body, _ANY_VALUES, quotes=False)
            except ExpansionError as error:
                yield _not_expanded(instruction, Word(f"<<{heredoc.name}", heredoc.span), error)


def _port_faults(expose: Instruction, escape: str) -> Iterator[DockerfileProblem]:
    for word in expose.words:
        try:
            ports = expand_words(word.text, _ANY_VALUES, escape)
        except ExpansionError as error:
            yield _not_expanded(expose, word, error)
            continue
        for port in () if isinstance(ports, Unknown) else ports.value:
            if (fault := port_fault(port)) is not None:
                yield _at(expose, f"`{port[:40]}` is no port: {fault}", word.span)


def _expanded_words(instruction: Instruction) -> Iterator[Word]:
    """The words of an instruction in which BuildKit replaces variables."""
    name = instruction.name
    if name in ("ENV", "LABEL"):
        for pair in instruction.pairs:
            yield pair.name
    if name in ("ARG", "ENV", "LABEL"):
        yield from (pair.value for pair in instruction.pairs if pair.value is not None)
    elif name in ("STOPSIGNAL", "USER", "VOLUME", "WORKDIR"):
        yield from instruction.words
    elif name in ("ADD", "COPY"):
        yield from (word for word in instruction.words if heredoc_word(word.text) is None)
        for flag in instruction.flags:
            if flag.text.startswith(("--chown=", "--chmod=", "--checksum=")):
                yield Word(flag.text.partition("=")[2], flag.span)


def _not_expanded(instruction: Instruction, word: Word, error: ExpansionError) -> DockerfileProblem:
    return _at(instruction, f"`{word.text[:80]}` can't be expanded: {error}", word.span)
