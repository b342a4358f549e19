"""Text files with positions: one `SourceFile` a file, and spans into its text.

Only `Span` (offsets into one file's text, in code points) crosses a module border; lines and
columns are worked out from it at the edge, where a person or a machine reads them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_NEWLINE = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points `[start, end)` in one file's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place as editors count it: line and column, both from 1, columns in code points."""

    line: int
    column: int


class SourceFile:
    """The decoded text of one file (or of one that is not there: then the text is empty).

    `path` is absolute. `text` has no byte-order mark (`bom` tells whether there was one) and keeps
    the line endings of the file. Two files are the same when they are the same object.
    """

    def __init__(self, path: Path, text: str, *, bom: bool = False) -> None:
        self.path = path
        self.text = text
        self.bom = bom

    def __repr__(self) -> str:
        return f"SourceFile({str(self.path)!r})"

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(m.end() for m in _NEWLINE.finditer(self.text))]

    def position(self, offset: int) -> Position:
        """Line and column (from 1) of an offset; an offset past the end counts as the end."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def offset(self, line: int, column: int = 1) -> int:
        """The offset of a line and column (both from 1, columns in code points)."""
        starts = self._line_starts
        if line > len(starts):
            return len(self.text)
        return min(starts[line - 1] + column - 1, len(self.text))

    def offset_of_utf8(self, line: int, byte_column: int) -> int:
        """The offset of a place as `ast` counts it: line from 1, column in UTF-8 bytes from 0."""
        start = self.offset(line)
        end = self.offset(line + 1) if line < len(self._line_starts) else len(self.text)
        line_text = self.text[start:end]
        if line_text.isascii():
            return min(start + byte_column, end)
        prefix = line_text.encode("utf-8", "surrogatepass")[:byte_column]
        return start + len(prefix.decode("utf-8", "ignore"))

    def line_span(self, line: int) -> Span:
        """The span of a line (from 1) without its line ending."""
        start = self.offset(line)
        match = _NEWLINE.search(self.text, start)
        return Span(start, match.start() if match else len(self.text))

    def slice(self, span: Span) -> str:
        """The text of a span."""
        return self.text[span.start : span.end]

    def place(self, start: int = 0, end: int | None = None) -> Place:
        """A place in this file; without `end` an empty one."""
        return Place(self, Span(start, start if end is None else end))

    def whole(self) -> Place:
        """The place of the whole text."""
        return Place(self, Span(0, len(self.text)))


@dataclass(frozen=True, slots=True)
class Place:
    """A span of one file."""

    source: SourceFile
    span: Span

    @property
    def text(self) -> str:
        """The text at this place."""
        return self.source.slice(self.span)


@dataclass(frozen=True, slots=True)
class ReadProblem:
    """Why a file that is there could not be read as text, in words a person can use.

    `offset` is where the trouble is in bytes, when that is known; `where` shows it, in a text in
    which the character U+FFFD stands for what can't be decoded.
    """

    path: Path
    reason: str
    offset: int | None = None
    where: Place | None = None
