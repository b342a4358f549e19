"""Branches and loops of the shell runner."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from hfcheck.source import Place
from hfcheck.space.shell.command import Commands
from hfcheck.space.shell.conditions import matches
from hfcheck.space.shell.host import Blocked, Unsettled
from hfcheck.space.shell.patterns import Pattern
from hfcheck.space.shell.state import ShellEnd
from hfcheck.space.shell.status import OK, Jump, Status
from hfcheck.space.shell.tree import (
    AndOr,
    Arm,
    Case,
    Command,
    CountedFor,
    For,
    If,
    Pipeline,
    Simple,
    Test,
    While,
    Word,
)
from hfcheck.space.shell.tree import Sequence as Commandlist
from hfcheck.space.shell.words import note
from hfcheck.space.value import Known, Unknown, Value

MAX_ROUNDS = 2000
"""Rounds of a loop that are followed."""


class Branches(Commands):
    """`if`, `case`, `while`, `until`, `for`."""

    @abstractmethod
    def sequence(self, body: Commandlist) -> Status:
        """Commands one after the other."""

    @abstractmethod
    def guard(self, command: Command) -> Status:
        """A command whose failure does not end the shell."""

    @abstractmethod
    def fork(self, reason: str, place: Place, ways: Sequence[Callable[[], Status]]) -> Status:
        """Follow several ways from here and go on with what they have in common."""

    # -- branches

    def if_block(self, command: If, index: int) -> Status:
        """Follow `if`, from the branch of this index on."""
        if index == len(command.branches):
            return self.sequence(command.otherwise) if command.otherwise else OK
        condition, body = command.branches[index]
        status = self.guard(condition)
        if status.code == 0:
            return self.sequence(body)
        if status.code is not None:
            return self.if_block(command, index + 1)
        reason = status.reason or f"whether `{note(condition.place)}` succeeds is not known"
        return self.fork(
            reason,
            condition.place,
            [partial(self.sequence, body), partial(self.if_block, command, index + 1)],
        )

    def case_block(self, command: Case) -> Status:
        """Follow `case`."""
        word = self.expander.text(command.word)
        if isinstance(word, Unknown):
            return self._any_arm(command, 0, word.reason)
        for index, arm in enumerate(command.arms):
            found = self._arm_matches(arm, word.value)
            if isinstance(found, Unknown):
                return self._any_arm(command, index, found.reason)
            if found.value == 0:
                return self._arms_from(command.arms, index, word.value)
        return OK

    def _any_arm(self, command: Case, start: int, reason: str) -> Status:
        arms = command.arms[start:]
        ways: list[Callable[[], Status]] = [partial(self.sequence, arm.body) for arm in arms]
        if not any(p.raw == "*" for arm in arms for p in arm.patterns):
            ways.append(lambda: OK)
        return self.fork(reason, command.place, ways)

    def _arm_matches(self, arm: Arm, text: str) -> Value[int]:
        for word in arm.patterns:
            pattern = self.expander.pattern(word)
            found = matches(pattern, text) if isinstance(pattern, Pattern) else pattern
            if isinstance(found, Unknown) or found.value == 0:
                return found
        return Known(1)

    def _arms_from(self, arms: tuple[Arm, ...], index: int, text: str) -> Status:
        status = self.sequence(arms[index].body)
        while arms[index].end != ";;" and index + 1 < len(arms):
            through = arms[index].end == ";&"
            index += 1
            if through or self._arm_matches(arms[index], text) == Known(0):
                status = self.sequence(arms[index].body)
            elif index + 1 < len(arms):
                arms = (*arms[:index], replace(arms[index], end=";;&"), *arms[index + 1 :])
        return status

    # -- loops

    def _round(self, body: Commandlist) -> bool:
        """One round of a loop; false where `break` ends it."""
        try:
            self.sequence(body)
        except Jump as jump:
            if jump.kind == "return":
                raise
            if jump.count > 1:
                raise Jump(jump.kind, jump.count - 1, jump.status) from None
            return jump.kind == "continue"
        return True

    def while_block(self, command: While) -> Status:
        """Follow `while` and `until`."""
        for _ in range(MAX_ROUNDS):
            before = self._picture()
            status = self.guard(command.condition)
            if status.code is None:
                return self._waiting(command, status)
            if (status.code == 0) == command.until:
                return OK
            if not self._round(command.body):
                return OK
            if self._picture() == before:
                return self._endless(command)
        raise ShellEnd(Unsettled("the loop is too long to be followed", command.place))

    def _waiting(self, command: While, status: Status) -> Status:
        """A loop that waits for something: it ends some time."""
        reason = status.reason or f"how long the loop runs is not known: {note(command.place)}"
        if status.assumed is not None and (status.assumed == 0) == command.until:
            self.remember(command.place, "the loop is taken to end")
            return OK

        def once() -> Status:
            self._round(command.body)
            return OK

        return self.fork(reason, command.place, [once, lambda: OK])

    def _endless(self, command: While) -> Status:
        """Nothing changes from round to round: for ever, unless a file is waited for."""
        if any(
            "-" in word.raw and len(word.raw) == 2
            for test in _tests(command.condition)
            for word in test
        ):
            self.remember(command.place, "the loop is taken to end")
            return OK
        raise ShellEnd(Blocked("loop", command.place))

    def _picture(self) -> object:
        shell = self.shell
        values = {
            name: variable.value.value if isinstance(variable.value, Known) else None
            for name, variable in shell.variables.items()
        }
        stdin = self.stdin.value if isinstance(self.stdin, Known) else None
        return values, shell.cwd, len(shell.jobs), shell.args, sorted(shell.files), stdin

    def for_block(self, command: For) -> Status:
        """Follow `for NAME in WORDS` and `select`."""
        if command.select:
            raise ShellEnd(Unsettled("`select` waits for an answer", command.place))
        if command.words is None:
            items = list(self.shell.args)
        else:
            found = self.expander.fields(command.words)
            open_word = next((w for w in found if w.splits), None)
            if open_word is not None:
                return self._for_unknown(command, open_word.value)
            items = [word.value for word in found]
        for item in items:
            self.shell.set(command.name, item)
            if not self._round(command.body):
                break
        return OK

    def _for_unknown(self, command: For, value: Value[str]) -> Status:
        reason = value.reason if isinstance(value, Unknown) else "the words are not known"

        def once() -> Status:
            self.shell.set(command.name, Unknown(reason, value.origins))
            self._round(command.body)
            return OK

        return self.fork(reason, command.place, [once, lambda: OK])

    def counted_for_block(self, command: CountedFor) -> Status:
        """Follow `for ((start; test; step))`."""
        if command.start.parts:
            self.expander.number(command.start)
        for _ in range(MAX_ROUNDS):
            value = (
                self.expander.number(command.condition)
                if command.condition.raw.strip()
                else Known(1)
            )
            if isinstance(value, Unknown):
                raise ShellEnd(Unsettled(value.reason, command.place))
            if not value.value or not self._round(command.body):
                return OK
            before = self._picture()
            self.expander.number(command.step)
            if before == self._picture() and not command.condition.raw.strip():
                raise ShellEnd(Blocked("loop", command.place))
        raise ShellEnd(Unsettled("the loop is too long to be followed", command.place))


def _tests(body: Commandlist) -> list[tuple[Word, ...]]:
    """The words of the `[ ]`, `test` and `[[ ]]` commands of a condition."""
    found: list[tuple[Word, ...]] = []
    waiting: list[Command] = list(body.commands)
    while waiting:
        command = waiting.pop()
        if isinstance(command, Pipeline):
            waiting += command.commands
        elif isinstance(command, AndOr):
            waiting += [command.first, *(following for _, following in command.rest)]
        elif isinstance(command, Simple | Test) and _is_test(command):
            found.append(command.words)
    return found


def _is_test(command: Simple | Test) -> bool:
    if isinstance(command, Test):
        return True
    return bool(command.words) and command.words[0].raw in ("[", "test")
