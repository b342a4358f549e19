"""The logical lines of a Dockerfile: continuations joined, comments and heredocs taken out.

Follows `Parse` in `frontend/dockerfile/parser/parser.go` of moby/buildkit. Each logical line
keeps where its characters came from, so that a word in it has an exact span in the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.docker.expand import SPACE, heredoc_name, raw_words

MAX_LINE = 65_535
"""Longest line in bytes that BuildKit reads (Go's `bufio.MaxScanTokenSize` less one)."""

DIRECTIVES = frozenset({"syntax", "escape", "check"})
"""Parser directives (`frontend/dockerfile/parser/directives.go`)."""

_BLANK = r"[\t\v\f\r ]"
_DIRECTIVE = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=(.*)", re.DOTALL)
_TAKES_HEREDOC = re.compile(rf"(?:onbuild{_BLANK}+)?(?:run|copy|add){_BLANK}", re.I)
_HEREDOC = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)\Z", re.ASCII)
_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)
_first = itemgetter(0)


@dataclass(frozen=True, slots=True)
class DockerfileProblem:
    """A fault that stops the build, in words, with its place."""

    message: str
    place: Place


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A here-document of an instruction: its name, its body (tabs stripped for `<<-`), whether
    variables in it are expanded (name not quoted), and the span of the body in the file.
    """

    name: str
    body: str
    expand: bool
    span: Span


@dataclass(slots=True)
class LogicalLine:
    """One instruction's text on one line, and where it stands in the file.

    `pieces` are the runs of its text: (offset in `text`, offset in the file). `end` is the end of
    its last physical line in the file, heredocs included.
    """

    line: int
    start: int
    text: str
    pieces: list[tuple[int, int]]
    end: int
    heredocs: list[Heredoc] = field(default_factory=list)

    def offset(self, index: int) -> int:
        """The offset in the file of a character of `text`."""
        piece = bisect_right(self.pieces, index, key=_first) - 1 if len(self.pieces) > 1 else 0
        at, offset = self.pieces[max(piece, 0)]
        return offset + index - at

    def span(self, start: int, end: int) -> Span:
        """The span in the file of `text[start:end]`."""
        first = self.offset(start)
        return Span(first, self.offset(end - 1) + 1 if end > start else first)


def heredoc_word(word: str) -> tuple[str, bool, bool] | None:
    """Read a word as `<<name`: the name, whether the body is expanded, whether tabs are
    stripped (`<<-`); None where it is none.
    """
    match = _HEREDOC.match(word)
    name = heredoc_name(match[3]) if match and match[3] else None
    return (*name, match[2] == "-") if match and name else None


class Reader:
    """Reads the logical lines of one file; `escape` and `problems` are filled on the way."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.escape = "\\"
        self.problems: list[DockerfileProblem] = []
        self._directives: set[str] | None = set()
        self._position = 0
        self._line = 0

    def read(self) -> Iterator[LogicalLine]:
        """All logical lines in order."""
        while (bounds := self._next_line()) is not None:
            start, end = bounds
            line = self._line
            start = self._skip_space(start, end)
            if self._is_directive(start, end) or self.source.text.startswith("#", start, end):
                continue
            logical = LogicalLine(line, start, "", [], end)
            stop = self._content_end(start, end)
            if stop is None and start == end:
                continue
            self._join(logical, start, end, stop)
            if "<<" in logical.text and _TAKES_HEREDOC.match(logical.text.lstrip(SPACE)):
                self._read_heredocs(logical)
            yield logical

    def _next_line(self) -> tuple[int, int] | None:
        """The bounds of the next physical line, without its line ending."""
        text = self.source.text
        start = self._position
        if start >= len(text):
            return None
        newline = text.find("\n", start)
        end = newline if newline >= 0 else len(text)
        self._position = end + 1
        self._line += 1
        if end - start > MAX_LINE // 4:
            self._check_length(start, end)
        while end > start and text[end - 1] == "\r":
            end -= 1
        return start, end

    def _check_length(self, start: int, end: int) -> None:
        if len(self.source.text[start:end].encode("utf-8", "surrogatepass")) > MAX_LINE:
            message = f"the line is longer than {MAX_LINE} bytes, which BuildKit does not read"
            self._problem(message, start, min(end, start + 80))

    def _problem(self, message: str, start: int, end: int) -> None:
        self.problems.append(DockerfileProblem(message, self.source.place(start, end)))

    def _skip_space(self, start: int, end: int) -> int:
        text = self.source.text
        while start < end and text[start] in SPACE:
            start += 1
        return start

    def _is_directive(self, start: int, end: int) -> bool:
        """Whether the line is a parser directive; the first one that is none ends them."""
        if self._directives is None:
            return False
        name, value = self._directive(start, end)
        if name not in DIRECTIVES:
            self._directives = None
            return False
        if name in self._directives:
            self._problem(f"only one {name} parser directive can be used", start, end)
            self._directives = None
            return True
        self._directives.add(name)
        if name == "escape":
            if value in ("\\", "`"):
                self.escape = value
            else:
                message = f"the escape character {value} is neither a backslash nor a backtick"
                self._problem(message, start, end)
        return True

    def _directive(self, start: int, end: int) -> tuple[str, str]:
        if not self.source.text.startswith("#", start, end):
            return "", ""
        match = _DIRECTIVE.match(self.source.text, self._skip_space(start + 1, end), end)
        if match is None or not match[2]:
            return "", ""
        # BuildKit's expression wants one character, and takes a blank where there is no other.
        return match[1].lower(), match[2].strip("\t\n\f\r ") or match[2][-1]

    def _content_end(self, start: int, end: int) -> int | None:
        """Where the text before a line continuation ends; None where the line does not go on.

        An escape character right after another one continues nothing.
        """
        text = self.source.text
        while end > start and text[end - 1] in " \t":
            end -= 1
        if end == start or text[end - 1] != self.escape:
            return None
        end -= 1
        return None if end > start and text[end - 1] == self.escape else end

    def _join(self, logical: LogicalLine, start: int, end: int, stop: int | None) -> None:
        """Put the lines that a continuation joins into one; comments and blank lines drop out."""
        text = self.source.text
        parts: list[str] = []
        length = 0
        while True:
            part = text[start : end if stop is None else stop]
            if part:
                logical.pieces.append((length, start))
                parts.append(part)
                length += len(part)
            logical.end = end
            if stop is None:
                break
            bounds = self._next_content()
            if bounds is None:
                break
            start, end = bounds
            stop = self._content_end(start, end)
        logical.text = "".join(parts)
        if not logical.pieces:
            logical.pieces.append((0, logical.start))

    def _next_content(self) -> tuple[int, int] | None:
        """The next line of a continuation that is neither blank nor a comment."""
        while (bounds := self._next_line()) is not None:
            first = self._skip_space(*bounds)
            if first < bounds[1] and self.source.text[first] != "#":
                return bounds
        return None

    def _read_heredocs(self, logical: LogicalLine) -> None:
        """Take the bodies that belong to a line of RUN, COPY or ADD."""
        for word in raw_words(logical.text):
            found = heredoc_word(word)
            if found is not None:
                self._read_heredoc(logical, *found)

    def _read_heredoc(self, logical: LogicalLine, name: str, expand: bool, chomp: bool) -> None:
        text = self.source.text
        start = min(self._position, len(text))
        while (bounds := self._next_line()) is not None:
            line = text[slice(*bounds)]
            if (line.lstrip("\t") if chomp else line) == name:
                break
        stop = bounds[0] if bounds else len(text)
        logical.end = bounds[1] if bounds else len(text)
        if bounds is None:
            message = f"the heredoc {name} has no line `{name}` that ends it"
            self._problem(message, logical.start, logical.offset(max(len(logical.text) - 1, 0)) + 1)
        body = text[start:stop]
        if chomp:
            body = _LEADING_TABS.sub("", body)
        logical.heredocs.append(Heredoc(name, body, expand, Span(start, stop)))
