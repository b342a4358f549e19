"""The faults that the values of variables make, in the instructions that BuildKit expands.

Follows `Expand` of the commands in `instructions/commands.go` and `dispatch` in `dockerfile2llb`
of moby/buildkit. A word that stands on an unknown variable has only the faults of its form.
"""

from __future__ import annotations

from collections.abc import Iterator

from hfcheck.space.docker.expand import ExpansionError
from hfcheck.space.docker.grammars import digest_fault, is_git, is_url, mode_fault, signal_fault
from hfcheck.space.docker.instruction import Instruction, Word
from hfcheck.space.docker.logical import DockerfileProblem, heredoc_word
from hfcheck.space.docker.mounts import mount_fault
from hfcheck.space.docker.ports import port_fault
from hfcheck.space.docker.scope import Scope
from hfcheck.space.value import Unknown

_COPY_FLAGS = ("--chown=", "--chmod=", "--checksum=")


def value_faults(instruction: Instruction, scope: Scope) -> Iterator[DockerfileProblem]:
    """The faults of one instruction with the variables that it sees."""
    if instruction.name == "EXPOSE":
        yield from _port_faults(instruction, scope)
    elif instruction.name == "RUN":
        if instruction.json == ():
            yield instruction.problem("RUN has no command")
        yield from _mount_faults(instruction, scope)
    else:
        for word in _expanded_words(instruction, scope):
            yield from _word_faults(instruction, word, scope)
    if instruction.name in ("ADD", "COPY"):
        yield from _heredoc_faults(instruction, scope)
        yield from _checksum_faults(instruction, scope)


def not_expanded(instruction: Instruction, word: Word, error: ExpansionError) -> DockerfileProblem:
    """The problem of a word whose quotes or substitutions BuildKit can't read."""
    return instruction.problem(f"`{word.text[:80]}` can't be expanded: {error}", word.span)


def _expanded_words(instruction: Instruction, scope: Scope) -> Iterator[Word]:
    """The words of an instruction in which BuildKit replaces variables."""
    name = instruction.name
    if name in ("ENV", "LABEL"):
        yield from (pair.name for pair in instruction.pairs)
        yield from (pair.value for pair in instruction.pairs if pair.value is not None)
    elif name == "ARG":
        # The default is not looked at where the value comes from outside.
        given = scope.build_args
        yield from (p.value for p in instruction.pairs if p.value and p.name.text not in given)
    elif name in ("STOPSIGNAL", "USER", "VOLUME", "WORKDIR"):
        yield from instruction.words
    elif name in ("ADD", "COPY"):
        yield from (word for word in instruction.words if heredoc_word(word.text) is None)
        for flag in instruction.flags:
            if flag.text.startswith(_COPY_FLAGS):
                yield Word(flag.text.partition("=")[2], flag.span)


def _word_faults(instruction: Instruction, word: Word, scope: Scope) -> Iterator[DockerfileProblem]:
    try:
        value = scope.expand(word.text)
    except ExpansionError as error:
        yield not_expanded(instruction, word, error)
        return
    if isinstance(value, Unknown):
        return
    fault = _fault(instruction, word, value.value)
    if fault is not None:
        yield instruction.problem(f"`{value.value[:80]}` can't be: {fault}", word.span)


def _fault(instruction: Instruction, word: Word, value: str) -> str | None:
    """Why a word can't become this value."""
    if instruction.name == "STOPSIGNAL":
        return signal_fault(value)
    if instruction.name == "VOLUME":
        return None if value else "a VOLUME can't be empty"
    if instruction.name not in ("ADD", "COPY") or not value:
        return None
    if word in instruction.words[:-1]:
        if instruction.name == "COPY" and (is_git(value) or is_url(value)):
            return "COPY takes only files of the build; ADD takes those of the web too"
        return None
    if word.text == instruction.flag("chmod"):
        return mode_fault(value)
    return None


def _port_faults(expose: Instruction, scope: Scope) -> Iterator[DockerfileProblem]:
    for word in expose.words:
        try:
            ports = scope.expand_words(word.text)
        except ExpansionError as error:
            yield not_expanded(expose, word, error)
            continue
        for port in () if isinstance(ports, Unknown) else ports.value:
            if (fault := port_fault(port)) is not None:
                yield expose.problem(f"`{port[:40]}` is no port: {fault}", word.span)


def _mount_faults(run: Instruction, scope: Scope) -> Iterator[DockerfileProblem]:
    workdir = scope.workdir if scope.workdir_known else None
    for word in run.flags:
        if not word.text.startswith("--mount="):
            continue
        text = word.text.removeprefix("--mount=")
        try:
            fault = mount_fault(text, scope.expand, workdir)
        except ExpansionError as error:
            yield not_expanded(run, word, error)
            continue
        if fault is not None:
            yield run.problem(f"--mount=`{text[:80]}` can't be: {fault}", word.span)


def _heredoc_faults(copy: Instruction, scope: Scope) -> Iterator[DockerfileProblem]:
    for heredoc in copy.heredocs:
        if not heredoc.expand:
            continue
        try:
            scope.expand(heredoc.body, quotes=False)
        except ExpansionError as error:
            yield not_expanded(copy, Word(f"<<{heredoc.name}", heredoc.span), error)


def _checksum_faults(add: Instruction, scope: Scope) -> Iterator[DockerfileProblem]:
    """`--checksum` of ADD: for one source that is on the web."""
    text = add.flag("checksum")
    checksum = scope.value(text) if text else None
    if checksum is None or isinstance(checksum, Unknown) or not checksum.value:
        return
    words = [word for word in add.words[:-1] if heredoc_word(word.text) is None]
    if len(words) != 1:
        yield add.problem("--checksum is for one source")
        return
    source = scope.value(words[0].text)
    if isinstance(source, Unknown):
        return
    if is_url(source.value):
        if (fault := digest_fault(checksum.value)) is not None:
            yield add.problem(f"the checksum `{checksum.value[:80]}` can't be: {fault}")
    elif not is_git(source.value):
        yield add.problem("--checksum is for a source on the web", words[0].span)
