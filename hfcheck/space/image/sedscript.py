"""`sed -i`: the simple `s` commands that builds change a port or a line ending with.

Only what can be worked out in linear time is: literal characters, `.`, `[...]`, anchors, and at
most two repetitions. Anything else makes the result unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_REPEATS = 2
MAX_LINE = 500
"""Longest line that a pattern with repetitions is tried on."""

MAX_EDITED = 1 << 16
"""Longest text that a pattern with repetitions is tried on."""

_PLAIN_CLASS = re.compile(r"\^?(?:[\w ./:,=\"'@%+]-?)+")
_ATOM_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_CARRIAGE_RETURNS = frozenset({r"s/\r$//", r"s/\r//", r"s/\r//g", r"s/\r$//g", "s/\r$//"})


@dataclass(frozen=True, slots=True)
class _Substitution:
    pattern: re.Pattern[str]
    replacement: str
    every: bool
    repeats: int

    def apply(self, line: str) -> str:
        """One line with the first match, or with every one, replaced."""
        return self.pattern.sub(lambda _: self.replacement, line, count=0 if self.every else 1)


def strips_carriage_returns(script: str) -> bool:
    """Whether a script does nothing but take the carriage returns off the ends of lines."""
    return script.strip() in _CARRIAGE_RETURNS


def sed(text: str, scripts: list[str], *, extended: bool = False) -> str | None:
    """The text after these scripts; None where they can't be followed."""
    steps: list[_Substitution] = []
    for script in scripts:
        found = _parse(script, extended)
        if found is None:
            return None
        steps += found
    lines = text.split("\n")
    if any(step.repeats for step in steps) and (
        len(text) > MAX_EDITED or max(map(len, lines)) > MAX_LINE
    ):
        return None
    for step in steps:
        lines = [step.apply(line) for line in lines]
    return "\n".join(lines)


def _parse(script: str, extended: bool) -> list[_Substitution] | None:
    """The substitutions of a script, separated by `;` or new lines."""
    steps: list[_Substitution] = []
    index = 0
    while index < len(script):
        if script[index] in "; \t\n":
            index += 1
            continue
        fields = _fields(script, index)
        if fields is None:
            return None
        pattern, replacement, flags, index = fields
        step = _substitution(pattern, replacement, flags, extended)
        if step is None:
            return None
        steps.append(step)
    return steps


def _fields(script: str, index: int) -> tuple[str, str, str, int] | None:
    """Pattern, replacement and flags of the `s` command at `index`, and where it ends."""
    if script[index] != "s" or index + 1 >= len(script) or script[index + 1] in "\\\n":
        return None
    mark = script[index + 1]
    fields: list[str] = []
    index += 2
    start = index
    while len(fields) < 2:
        if index >= len(script):
            return None
        if script[index] == "\\":
            index += 2
            continue
        if script[index] == mark:
            fields.append(_unmarked(script[start:index], mark))
            start = index + 1
        index += 1
    while index < len(script) and script[index] not in "; \t\n}":
        index += 1
    return fields[0], fields[1], script[start:index], index


def _unmarked(field: str, mark: str) -> str:
    """A field with the escaped separator as a plain character, where that changes nothing."""
    return field.replace("\\" + mark, mark) if mark in "/|#,@:!~%" else field


def _substitution(
    pattern: str, replacement: str, flags: str, extended: bool
) -> _Substitution | None:
    if set(flags) - {"g"} or "&" in replacement.replace("\\&", ""):
        return None
    new = _replacement(replacement)
    compiled = _pattern(pattern, extended)
    if new is None or compiled is None:
        return None
    expression, repeats = compiled
    try:
        return _Substitution(re.compile(expression), new, "g" in flags, repeats)
    except re.error:
        return None


def _replacement(text: str) -> str | None:
    """The text that a replacement stands for; None where it takes parts of the match."""
    result: list[str] = []
    index = 0
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
            char = text[index : index + 1]
            if char.isdigit() or char in "LUElu" or not char:
                return None
            char = _ATOM_ESCAPES.get(char, char)
        result.append(char)
        index += 1
    return "".join(result)


def _pattern(text: str, extended: bool) -> tuple[str, int] | None:
    """The pattern as Python writes it, and how many repetitions it has; None for groups,
    alternatives, counts and classes by name.
    """
    result: list[str] = []
    repeats = 0
    index = 0
    while index < len(text):
        char = text[index]
        index += 1
        if char == "\\":
            char = text[index : index + 1]
            index += 1
            if char and char in "+?" and not extended and result:
                repeats += 1
                result.append(char)
            elif char in ("", *"0123456789bBwWsS<>") or (not extended and char in "(){}|"):
                return None
            else:
                result.append(re.escape(_ATOM_ESCAPES.get(char, char)))
        elif char == "[":
            end = text.find("]", index + (2 if text.startswith("^", index) else 1))
            inner = text[index:end]
            if end < 0 or not _PLAIN_CLASS.fullmatch(inner):
                return None
            result.append(f"[{inner}]")
            index = end + 1
        elif char == "*" or (extended and char in "+?"):
            if not result or result[-1] in ("*", "+", "?", "^"):
                return None
            repeats += 1
            result.append(char)
        elif extended and char in "(){}|":
            return None
        elif char == "$" and index == len(text):
            result.append(r"\Z")
        elif char == "^" and not result:
            result.append("^")
        else:
            result.append("." if char == "." else re.escape(char))
    return ("".join(result), repeats) if repeats <= MAX_REPEATS else None
