"""Path patterns as Go's `filepath.Match` and moby's patternmatcher read them.

The matcher keeps all places of the pattern that the path may have reached in one integer, so it
never goes back over the path, whatever the pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

_Kind = Literal["one", "star", "deep", "rest"]

WILDCARDS = frozenset("*?[")
"""What makes a COPY source a pattern (`containsWildcards` in moby/buildkit's
`dockerfile2llb/convert_copy.go`), where no backslash stands before it."""


@dataclass(frozen=True, slots=True)
class _Token:
    """One piece of a pattern: a character that `accepts` tells, `*` (any but a slash), `**/` (any
    folders, or none) or a last `**` (anything).
    """

    kind: _Kind
    accepts: Callable[[str], bool] = bool
    text: str | None = None


class PathPattern:
    """A compiled pattern; `matches` tells whether a whole path fits."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._accept = 1 << len(tokens)
        self._stars = self._bits("star")
        self._deep = self._bits("deep")
        self._rest = self._bits("rest")
        self._empty = self._stars | self._deep | self._rest
        self._moves: dict[str, int] = {}

    def matches(self, path: str) -> bool:
        """Whether the whole path fits."""
        states = self._enter(1)
        for char in path:
            if not states:
                return False
            states = self._step(states, char)
        return bool(states & self._accept)

    def _bits(self, kind: _Kind) -> int:
        return sum(1 << i for i, token in enumerate(self._tokens) if token.kind == kind)

    def _enter(self, states: int) -> int:
        """The states, and those reached through pieces that match nothing."""
        fresh = states
        while fresh := ((fresh & self._empty) << 1) & ~states:
            states |= fresh
        return states

    def _step(self, states: int, char: str) -> int:
        moved = (states & self._moving(char)) << 1
        staying = states & (self._deep | self._rest)
        if char == "/":
            moved |= (states & self._deep) << 1
        else:
            staying |= states & self._stars
        moved |= (staying & (self._stars | self._rest)) << 1
        return self._enter(moved) | staying

    def _moving(self, char: str) -> int:
        if char not in self._moves:
            self._moves[char] = sum(
                1 << i
                for i, token in enumerate(self._tokens)
                if token.kind == "one" and token.accepts(char)
            )
        return self._moves[char]


def go_match(pattern: str) -> PathPattern:
    """A pattern of `filepath.Match`; ValueError where Go says "syntax error in pattern"."""
    return PathPattern(_tokens(pattern, deep=False))


def ignore_match(pattern: str) -> Callable[[str], bool]:
    """A cleaned pattern of a .dockerignore; ValueError as for `go_match`.

    The shapes that patternmatcher's `compile` tells apart: an exact path, `x**` (a prefix),
    `**x` (a suffix, or the whole path after a slash), and all others.
    """
    tokens = _tokens(pattern, deep=True)
    special = [token for token in tokens if token.text is None]
    if not special:
        return pattern.__eq__ if "\\" not in pattern else PathPattern(tokens).matches
    if pattern.startswith("**"):
        suffix = pattern[2:]
        if all(token.kind == "deep" for token in special) and len(special) == 1 and suffix:
            return lambda path: path.endswith(suffix) or "/" + path == suffix
        if not suffix:
            return lambda path: True
    elif special == [tokens[-1]] and special[0].kind == "rest":
        prefix = pattern[:-2]
        return lambda path: path.startswith(prefix)
    return PathPattern(tokens).matches


def has_wildcard(text: str) -> bool:
    """Whether a COPY source is a pattern."""
    index = 0
    while index < len(text):
        if text[index] in WILDCARDS:
            return True
        index += 2 if text[index] == "\\" else 1
    return False


def _tokens(pattern: str, *, deep: bool) -> list[_Token]:
    tokens: list[_Token] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == "*":
            if deep and pattern.startswith("*", index):
                index += 2 if pattern.startswith("*/", index) else 1
                tokens.append(_Token("deep" if index < len(pattern) else "rest"))
            elif not tokens or tokens[-1].kind != "star":
                tokens.append(_Token("star"))
        elif char == "?":
            tokens.append(_Token("one", lambda c: c != "/"))
        elif char == "[":
            token, index = _class(pattern, index)
            tokens.append(token)
        else:
            if char == "\\":
                if index == len(pattern):
                    raise ValueError("syntax error in pattern")
                char = pattern[index]
                index += 1
            tokens.append(_Token("one", char.__eq__, char))
    return tokens


def _class(pattern: str, index: int) -> tuple[_Token, int]:
    """A `[...]` whose inside begins at `index`, and where it ends."""
    negated = pattern.startswith("^", index)
    index += negated
    ranges: list[tuple[str, str]] = []
    while not (pattern.startswith("]", index) and ranges):
        low, index = _class_character(pattern, index)
        high = low
        if pattern.startswith("-", index):
            high, index = _class_character(pattern, index + 1)
        ranges.append((low, high))

    def accepts(char: str) -> bool:
        return char != "/" and negated != any(low <= char <= high for low, high in ranges)

    return _Token("one", accepts), index + 1


def _class_character(pattern: str, index: int) -> tuple[str, int]:
    char = pattern[index : index + 1]
    if char in ("", "-", "]"):
        raise ValueError("syntax error in pattern")
    if char == "\\":
        index += 1
        char = pattern[index : index + 1]
    if not char or index + 1 >= len(pattern):
        raise ValueError("syntax error in pattern")
    return char, index + 1
