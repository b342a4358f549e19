"""The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`.

`*` stands for any characters, `?` for one (neither for a newline), as in
`convertShellPatternToRegex` of moby/buildkit. The matcher keeps the set of places a match may
have reached in one integer, so it never goes back over the text.
"""

from __future__ import annotations

import re
from typing import TypeAlias

MAX_LENGTH = 1024
"""Longest value that a pattern is matched against; real ones are image tags and paths."""

_PART = re.compile(r"\\.|.", re.DOTALL)
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")

_STAR = ""
_ANY = "??"

Pattern: TypeAlias = tuple[str, ...]
"""Literal characters, and the marks for `*` and `?`."""


def compile_pattern(text: str) -> Pattern:
    """Read a pattern; raises ValueError for an escape that BuildKit doesn't know."""
    tokens: list[str] = []
    characters = iter(range(len(text)))
    for index in characters:
        char = text[index]
        if char == "\\":
            following = text[index + 1 : index + 2]
            if following and following in "}/":
                continue
            if not following or following not in "*?\\":
                raise ValueError(f"invalid escape '\\{following}'")
            next(characters)
            tokens.append(following)
        elif char == "*":
            if tokens[-1:] != [_STAR]:
                tokens.append(_STAR)
        else:
            tokens.append(_ANY if char == "?" else char)
    return tuple(tokens)


def backwards(text: str) -> str:
    """A pattern that matches the reverse of what `text` matches: its characters in the opposite
    order, each escape before the character that it stood before. (One at the very end comes to
    stand before another character, as in BuildKit.)
    """
    return "".join(reversed(_PART.findall(text)))


class Matcher:
    """A pattern as bit masks: bit `i` stands for "the first `i` tokens have matched"."""

    def __init__(self, pattern: Pattern) -> None:
        self.accept = 1 << len(pattern)
        self.stars = self.any = 0
        self.literals: dict[str, int] = {}
        for index, token in enumerate(pattern):
            bit = 1 << index
            if token == _STAR:
                self.stars |= bit
            elif token == _ANY:
                self.any |= bit
            else:
                self.literals[token] = self.literals.get(token, 0) | bit
        self.start = self._closed(1)

    def _closed(self, states: int) -> int:
        """The states with those added that a `*` reaches by matching nothing."""
        return states | ((states & self.stars) << 1)

    def step(self, states: int, char: str) -> int:
        """The states after one more character."""
        moving = self.literals.get(char, 0)
        staying = 0
        if char != "\n":
            moving |= self.any
            staying = states & self.stars
        return self._closed(((states & moving) << 1) | staying)

    def end(self, value: str, start: int = 0, *, longest: bool) -> int | None:
        """Where the shortest or longest match that begins at `start` ends; None without one."""
        states = self.start
        found = start if states & self.accept else None
        for index in range(start, len(value)):
            if not states or (found is not None and not longest):
                break
            states = self.step(states, value[index])
            if states & self.accept:
                found = index + 1
        return found


def replaced(pattern: Pattern, value: str, replacement: str, *, every: bool) -> str:
    """The value with the leftmost longest match, or with every one, replaced.

    Where every match is, a `$0` in the replacement stands for the match, and any other name or
    number for nothing, as in `Regexp.Expand` of Go.
    """
    matcher = Matcher(pattern)
    starts = _starts(pattern, value)
    result: list[str] = []
    position = copied = 0
    last_end = -1
    while position <= len(value):
        end = matcher.end(value, position, longest=True) if starts[position] else None
        # An empty match right after another one does not count.
        if end is None or end == position == last_end:
            position += 1
            continue
        new = _filled(replacement, value[position:end]) if every else replacement
        result += [value[copied:position], new]
        copied = last_end = end
        position = max(end, position + 1)
        if not every:
            break
    return "".join(result) + value[copied:]


def _filled(replacement: str, match: str) -> str:
    def put(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        return match if name == "0" else ""

    return _REFERENCE.sub(put, replacement)


def _starts(pattern: Pattern, value: str) -> list[bool]:
    """For each place of the value, whether a match begins there (found from the end)."""
    matcher = Matcher(pattern[::-1])
    states = matcher.start
    found = [bool(states & matcher.accept)]
    for char in reversed(value):
        states = matcher.step(states, char) | matcher.start
        found.append(bool(states & matcher.accept))
    return found[::-1]
