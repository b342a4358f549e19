"""Conditions: `test`, `[ ... ]` and `[[ ... ]]`. The result is an exit status (0, 1, 2)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from hfcheck.space.shell.arithmetic import MathError
from hfcheck.space.shell.host import ArgWord, FileFact
from hfcheck.space.shell.patterns import Pattern, TooLong
from hfcheck.space.shell.state import Shell, is_filled
from hfcheck.space.shell.tree import Word
from hfcheck.space.shell.words import Expander
from hfcheck.space.value import Known, Unknown, Value

YES: Value[int] = Known(0)
NO: Value[int] = Known(1)
FAULT: Value[int] = Known(2)

_FILE = frozenset("abcdefghkprstuwxLNOGS")
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
_BINARY = frozenset({"=", "==", "!=", "<", ">", "-nt", "-ot", "-ef", *_NUMBERS})
_MAX_DEPTH = 15
_SIMPLE_REGEX = re.compile(
    r"\^?(?:(?:\[\^?[A-Za-z0-9_.\-]+\]|\([A-Za-z0-9_:/@=,|-]+\)|"
    r"\\[.+*?()|\[\]]|[A-Za-z0-9_:/@=, -])[+*?]?){0,60}\$?"
)


class Files(Protocol):
    """What a condition needs of the runner."""

    shell: Shell

    def file(self, path: Value[str]) -> FileFact:
        """What is at a path, relative to the current folder."""


def truth(value: bool) -> Value[int]:
    """A status from a truth."""
    return YES if value else NO


def negated(status: Value[int]) -> Value[int]:
    """`!` before a condition."""
    if isinstance(status, Unknown) or status.value == 2:
        return status
    return truth(status.value != 0)


def test(words: Sequence[ArgWord], files: Files) -> Value[int]:
    """`test words` or `[ words ]` (the last bracket taken off)."""
    for word in words:
        if word.splits and isinstance(word.value, Unknown):
            return word.value
    return _Brackets(words, files).status()


class _Logic(ABC):
    """The logic that `[ ... ]` and `[[ ... ]]` share: or, and, not, each over the next."""

    or_sign: str
    and_sign: str
    at = 0
    depth = 0

    @abstractmethod
    def _peek(self) -> str | None:
        """The text of the word that comes next."""

    @abstractmethod
    def _primary(self) -> Value[int]:
        """The status of a test without logic."""

    def _or(self) -> Value[int]:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            return Unknown("the condition is nested too deeply to be followed")
        status = self._and()
        while self._peek() == self.or_sign:
            self.at += 1
            status = either(status, self._and())
        self.depth -= 1
        return status

    def _and(self) -> Value[int]:
        status = self._not()
        while self._peek() == self.and_sign:
            self.at += 1
            status = both(status, self._not())
        return status

    def _not(self) -> Value[int]:
        flips = 0
        while self._peek() == "!":
            self.at += 1
            flips += 1
        status = self._primary()
        return negated(status) if flips % 2 else status


class _Brackets(_Logic):
    """`[ ... ]`: the number of words decides how they are read."""

    or_sign, and_sign = "-o", "-a"

    def __init__(self, words: Sequence[ArgWord], files: Files) -> None:
        self.words = words
        self.files = files

    def status(self) -> Value[int]:
        words = list(self.words)
        flips = 0
        while (
            len(words) > 1
            and _text(words[0]) == "!"
            and not (len(words) == 3 and _text(words[1]) in _BINARY)
        ):
            words = words[1:]
            flips += 1
        if len(words) == 4 and _text(words[0]) == "(" and _text(words[3]) == ")":
            words = words[1:3]
        status = self._counted(words)
        return negated(status) if flips % 2 else status

    def _counted(self, words: Sequence[ArgWord]) -> Value[int]:
        if not words:
            return NO
        if len(words) == 1:
            return _nonempty(words[0].value)
        if len(words) == 2:
            return unary(_text(words[0]), words[1].value, self.files)
        if len(words) == 3 and (operator := _text(words[1])) in _BINARY:
            return binary(operator or "", words[0].value, words[2].value, self.files)
        self.words, self.at = words, 0
        status = self._or()
        return status if self.at == len(words) else FAULT

    def _peek(self) -> str | None:
        return _text(self.words[self.at]) if self.at < len(self.words) else None

    def _primary(self) -> Value[int]:
        left = len(self.words) - self.at
        if left <= 0:
            return FAULT
        if left >= 3 and (operator := _text(self.words[self.at + 1])) in _BINARY:
            one, other = self.words[self.at].value, self.words[self.at + 2].value
            self.at += 3
            return binary(operator or "", one, other, self.files)
        text = self._peek()
        if text == "(" and left > 1:
            self.at += 1
            status = self._or()
            if self._peek() != ")":
                return FAULT
            self.at += 1
            return status
        if (
            text is not None
            and len(text) == 2
            and text[0] == "-"
            and left >= 2
            and (text[1] in _FILE or text[1] in "nzv")
        ):
            self.at += 2
            return unary(text, self.words[self.at - 1].value, self.files)
        self.at += 1
        return _nonempty(self.words[self.at - 1].value)


def _text(word: ArgWord) -> str | None:
    return word.value.value if isinstance(word.value, Known) else None


def _nonempty(value: Value[str]) -> Value[int]:
    if is_filled(value):
        return YES
    return truth(value.value != "") if isinstance(value, Known) else value


def both(one: Value[int], other: Value[int]) -> Value[int]:
    """The status of `one && other`."""
    if isinstance(one, Known) and one.value != 0:
        return one
    if isinstance(other, Known) and other.value != 0:
        return other
    return one if isinstance(one, Unknown) else other


def either(one: Value[int], other: Value[int]) -> Value[int]:
    """The status of `one || other`."""
    if isinstance(one, Known) and one.value == 0:
        return one
    if isinstance(other, Known) and other.value == 0:
        return other
    return one if isinstance(one, Unknown) else other


def unary(operator: str | None, value: Value[str], files: Files) -> Value[int]:
    """`-n x`, `-z x`, `-f path`..."""
    if operator is None:
        return Unknown("the operator of a condition is not known")
    if operator == "!":
        return negated(_nonempty(value))
    if operator == "-n":
        return _nonempty(value)
    if operator == "-z":
        return negated(_nonempty(value))
    if operator == "-v" and isinstance(value, Known):
        found = files.shell.get(value.value)
        return found if isinstance(found, Unknown) else truth(found is not None)
    if operator in ("-t", "-o", "-v"):
        return NO if operator == "-t" else Unknown(f"`{operator}` is not followed")
    if len(operator) == 2 and operator[0] == "-" and operator[1] in _FILE:
        return _file(operator[1], value, files)
    return FAULT


def _file(kind: str, value: Value[str], files: Files) -> Value[int]:
    if isinstance(value, Known) and not value.value:
        return NO
    fact = files.file(value)
    if fact.kind == "unclear":
        return Unknown(fact.reason or "whether the file is there is not known", value.origins)
    if fact.kind == "absent":
        return NO
    if kind in "fd":
        return truth(fact.kind == ("file" if kind == "f" else "dir"))
    if kind in "aer":
        return YES
    if kind == "x":
        if fact.kind == "dir" or fact.executable is not None:
            return truth(fact.kind == "dir" or fact.executable is True)
    elif kind == "s" and (fact.kind == "dir" or fact.source is not None):
        return truth(fact.source is None or bool(fact.source.text))
    elif kind in "bcpS":
        return NO
    return Unknown(f"`-{kind}` can't be known from the files", value.origins)


def binary(operator: str, one: Value[str], other: Value[str], files: Files) -> Value[int]:
    """`a = b`, `a -lt b`..."""
    if operator in ("-nt", "-ot", "-ef"):
        return Unknown("the times of files are not known")
    for side, against in ((one, other), (other, one)):
        empty = isinstance(against, Known) and not against.value
        if is_filled(side) and empty and operator in ("=", "==", "!="):
            return truth(operator == "!=")
    if isinstance(one, Unknown):
        return one
    if isinstance(other, Unknown):
        return other
    if operator in _NUMBERS:
        try:
            return truth(_NUMBERS[operator](_whole(one.value), _whole(other.value)))
        except MathError:
            return FAULT
    if operator == "==" and files.shell.dialect == "dash":
        return FAULT
    if operator in ("=", "=="):
        return truth(one.value == other.value)
    if operator == "!=":
        return truth(one.value != other.value)
    return truth(one.value < other.value if operator == "<" else one.value > other.value)


def _whole(text: str) -> int:
    text = text.strip(" \t\n")
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise MathError(f"{text[:30]} is no number")
    return int(text)


# -- [[ ... ]]


def double_test(words: Sequence[Word], expander: Expander, files: Files) -> Value[int]:
    """`[[ words ]]`."""
    return _Double(words, expander, files).status()


class _Double(_Logic):
    or_sign, and_sign = "||", "&&"

    def __init__(self, words: Sequence[Word], expander: Expander, files: Files) -> None:
        self.words = words
        self.expander = expander
        self.files = files

    def status(self) -> Value[int]:
        if not self.words:
            return FAULT
        status = self._or()
        return status if self.at == len(self.words) else FAULT

    def _peek(self) -> str | None:
        return self._raw()

    def _raw(self, ahead: int = 0) -> str | None:
        at = self.at + ahead
        return self.words[at].raw if at < len(self.words) else None

    def _primary(self) -> Value[int]:
        raw = self._raw()
        if raw is None or raw in ("&&", "||", ")"):
            return FAULT
        if raw == "(":
            self.at += 1
            status = self._or()
            if self._raw() != ")":
                return FAULT
            self.at += 1
            return status
        operator = self._raw(1)
        if operator is not None and (operator in _BINARY or operator == "=~"):
            if self._raw(2) is None:
                return FAULT
            left, right = self.words[self.at], self.words[self.at + 2]
            self.at += 3
            return self._compare(left, operator, right)
        if len(raw) == 2 and raw[0] == "-" and operator not in (None, "&&", "||", ")"):
            self.at += 2
            return unary(raw, self.expander.text(self.words[self.at - 1]), self.files)
        self.at += 1
        return _nonempty(self.expander.text(self.words[self.at - 1]))

    def _compare(self, left: Word, operator: str, right: Word) -> Value[int]:
        one = self.expander.text(left)
        if operator in _NUMBERS:
            return self._compare_numbers(left, operator, right)
        if operator == "=~":
            return _regex(one, self.expander.text(right))
        if operator not in ("=", "==", "!="):
            return binary(operator, one, self.expander.text(right), self.files)
        pattern = self.expander.pattern(right)
        if isinstance(one, Unknown):
            return one
        if isinstance(pattern, Unknown):
            return pattern
        return matches(pattern, one.value, want=operator != "!=")

    def _compare_numbers(self, left: Word, operator: str, right: Word) -> Value[int]:
        one, other = self.expander.number(left), self.expander.number(right)
        if isinstance(one, Unknown):
            return one
        if isinstance(other, Unknown):
            return other
        return truth(_NUMBERS[operator](one.value, other.value))


def matches(pattern: Pattern, text: str, *, want: bool = True) -> Value[int]:
    """Whether a text matches a pattern, as a status."""
    try:
        return truth(pattern.matches(text) == want)
    except TooLong:
        return Unknown("the text is too long to be followed")


def _regex(text: Value[str], regex: Value[str]) -> Value[int]:
    """`=~` for regular expressions that can't run away; others are not followed."""
    if isinstance(text, Unknown):
        return text
    if isinstance(regex, Unknown):
        return regex
    pattern = regex.value
    repeats = sum(pattern.count(c) for c in "*+?")
    if repeats > 2 or len(text.value) > 1000 or not _SIMPLE_REGEX.fullmatch(pattern):
        return Unknown("a regular expression in a condition is not followed", regex.origins)
    try:
        return truth(re.search(pattern, text.value) is not None)
    except re.error:
        return FAULT
