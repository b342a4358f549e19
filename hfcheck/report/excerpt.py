"""A quoted source line with the place marked under it."""

from __future__ import annotations

import unicodedata

from hfcheck.report.mask import shown
from hfcheck.source import Place

_WIDTH = 110
"""Longest piece of a source line that is quoted, in columns."""

_MARGIN = 30
"""How much of a long line is quoted before the place."""


def excerpt(place: Place, mark: str, label: str) -> list[str]:
    """The first line of a place, and the line that marks it with `mark` and a label.

    Empty where the file is empty or not there.
    """
    source, span = place.source, place.span
    if not source.text:
        return []
    start = source.position(span.start)
    line_span = source.line_span(start.line)
    line = source.slice(line_span)
    first = span.start - line_span.start
    last = max(min(span.end, line_span.end) - line_span.start, first + 1)
    text, first, last = _window(shown(line), first, last)  # masked whole: names stay beside values
    number = str(start.line)
    indent = " " * _columns(text[:first])
    marks = mark * max(_columns(text[first:last]), 1)
    more = source.position(span.end).line - start.line
    tail = f" … {more} more line{'s' if more > 1 else ''}" if more > 0 else ""
    gutter = " " * len(number)
    return [
        f" {gutter} |",
        f" {number} | {text.replace(chr(9), '    ')}{tail}",
        f" {gutter} | {indent}{marks}{' ' + shown(label) if label else ''}",
    ]


def _window(line: str, first: int, last: int) -> tuple[str, int, int]:
    """A piece of a long line that shows the place, and the place in that piece."""
    if len(line) <= _WIDTH:
        return line, first, last
    start = max(first - _MARGIN, 0)
    piece = line[start : start + _WIDTH]
    head, tail = ("…" if start else ""), ("…" if start + _WIDTH < len(line) else "")
    shift = len(head) - start
    return f"{head}{piece}{tail}", first + shift, min(last + shift, len(piece) + len(head))


def _columns(text: str) -> int:
    """How many terminal columns a text takes (a tab is shown as four spaces)."""
    return sum(_column_width(character) for character in text)


def _column_width(character: str) -> int:
    if character == "\t":
        return 4
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
