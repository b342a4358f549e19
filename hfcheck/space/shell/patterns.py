"""Shell patterns (`*`, `?`, `[...]`), matched in time text x pattern, without backtracking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

MAX_WORK = 2_000_000
"""Largest product of text and pattern length that is matched."""

_CLASSES: dict[str, Callable[[str], bool]] = {
    "alpha": str.isalpha,
    "digit": lambda c: "0" <= c <= "9",
    "alnum": str.isalnum,
    "upper": str.isupper,
    "lower": str.islower,
    "space": str.isspace,
    "blank": lambda c: c in " \t",
    "punct": lambda c: c.isascii() and c.isprintable() and not c.isalnum() and c != " ",
    "xdigit": lambda c: c in "0123456789abcdefABCDEF",
}


class TooLong(Exception):
    """Text and pattern are too long to be matched here."""


@dataclass(frozen=True, slots=True)
class _Star:
    pass


@dataclass(frozen=True, slots=True)
class _Set:
    chars: frozenset[str]
    ranges: tuple[tuple[str, str], ...]
    classes: tuple[str, ...]
    negated: bool

    def has(self, char: str) -> bool:
        found = (
            char in self.chars
            or any(low <= char <= high for low, high in self.ranges)
            or any(_CLASSES[name](char) for name in self.classes)
        )
        return found != self.negated


_ANY = _Set(frozenset(), (), (), True)
_Token = str | _Star | _Set


class Pattern:
    """A pattern from pieces of text, each with whether it is quoted (then it is literal)."""

    def __init__(self, pieces: Iterable[tuple[str, bool]]) -> None:
        self.tokens: list[_Token] = list(_tokens([(c, q) for text, q in pieces for c in text]))

    def split(self, separator: str) -> list[Pattern]:
        """The patterns between literal separators."""
        parts = [Pattern(())]
        for token in self.tokens:
            if token == separator:
                parts.append(Pattern(()))
            else:
                parts[-1].tokens.append(token)
        return parts

    @property
    def literal(self) -> str | None:
        """The text of a pattern that is nothing but text."""
        if all(isinstance(token, str) for token in self.tokens):
            return "".join(token for token in self.tokens if isinstance(token, str))
        return None

    def matches(self, text: str) -> bool:
        """Whether the whole text matches; raises TooLong."""
        if (literal := self.literal) is not None:
            return text == literal
        return any(length == len(text) for length in self.lengths(text))

    def lengths(self, text: str, *, backwards: bool = False) -> Iterator[int]:
        """The lengths of the prefixes (or suffixes) that match, shortest first; raises
        TooLong.
        """
        if len(text) * (len(self.tokens) + 1) > MAX_WORK:
            raise TooLong
        tokens = self.tokens[::-1] if backwards else self.tokens
        states = _closed({0}, tokens)
        if len(tokens) in states:
            yield 0
        for count, char in enumerate(reversed(text) if backwards else text, 1):
            states = _closed(_step(states, tokens, char), tokens)
            if not states:
                return
            if len(tokens) in states:
                yield count


def _step(states: set[int], tokens: list[_Token], char: str) -> set[int]:
    following: set[int] = set()
    for state in states:
        if state == len(tokens):
            continue
        token = tokens[state]
        if isinstance(token, _Star):
            following.add(state)
        elif token.has(char) if isinstance(token, _Set) else token == char:
            following.add(state + 1)
    return following


def _closed(states: set[int], tokens: list[_Token]) -> set[int]:
    closed = set(states)
    for state in states:
        following = state
        while following < len(tokens) and isinstance(tokens[following], _Star):
            following += 1
            closed.add(following)
    return closed


def _tokens(chars: list[tuple[str, bool]]) -> Iterator[_Token]:
    at = 0
    while at < len(chars):
        char, quoted = chars[at]
        at += 1
        if quoted or char not in "*?[\\":
            yield char
        elif char == "*":
            yield _Star()
        elif char == "?":
            yield _ANY
        elif char == "\\":
            if at < len(chars):
                yield chars[at][0]
                at += 1
            else:
                yield char
        elif found := _set(chars, at):
            yield found[0]
            at = found[1]
        else:
            yield char


_MAX_SET = 64
"""Longest `[...]` that is looked at, so that many open brackets cost no more than linear time."""


def _set(chars: list[tuple[str, bool]], at: int) -> tuple[_Set, int] | None:
    negated = at < len(chars) and chars[at][0] in "!^" and not chars[at][1]
    at += negated
    plain: set[str] = set()
    ranges: list[tuple[str, str]] = []
    classes: list[str] = []
    first = at
    while at < min(len(chars), first + _MAX_SET):
        char, quoted = chars[at]
        if char == "]" and not quoted and at > first:
            return _Set(frozenset(plain), tuple(ranges), tuple(classes), negated), at + 1
        if at + 1 >= len(chars) or chars[at + 1][0] not in "-:":
            plain.add(char)
            at += 1
            continue
        text = "".join(c for c, _ in chars[at : at + 12])
        name = text[2:].split(":]")[0] if text.startswith("[:") else ""
        if name in _CLASSES:
            classes.append(name)
            at += len(name) + 4
        elif text[1:2] == "-" and len(text) > 2 and text[2] != "]":
            ranges.append((char, text[2]))
            at += 3
        else:
            plain.add(char)
            at += 1
    return None
