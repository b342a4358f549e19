"""Instructions: a logical line of a Dockerfile split into name, flags and words.

dockerfile-parse finds the name and the start of the arguments; the forms of the arguments follow
`line_parsers.go` and `split_command.go` in `frontend/dockerfile/parser` of moby/buildkit.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dockerfile_parse import DockerfileParser

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.docker.expand import SPACE, split_words
from hfcheck.space.docker.logical import DockerfileProblem, Heredoc, LogicalLine

KNOWN = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    }
)
"""The instructions of a Dockerfile (`frontend/dockerfile/command/command.go`)."""

_COMMANDS = frozenset({"CMD", "ENTRYPOINT", "RUN", "SHELL"})
_JSON_LISTS = frozenset({"ADD", "COPY", "VOLUME"})
_LISTS = frozenset({"EXPOSE", "FROM"})
_KEY_VALUES = frozenset({"ENV", "LABEL"})

_ASCII_SPACE = "\t\n\v\f\r "
_BLANKS = re.compile(r"[\t\v\f\r ]+")
_NOT_BLANKS = re.compile(r"[^\t\v\f\r ]+")
_UNCLEAR = re.compile(r"[^\t\v\f\r !\"$-\[\]-~]")
_JSON_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')


@dataclass(frozen=True, slots=True)
class Word:
    """One word of an instruction: its text with line continuations taken out but quotes, escapes
    and variables as written (for a JSON word: the decoded string; for a flag: without quotes),
    and its span in the file (quotes included).
    """

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Pair:
    """A name and its value in ENV, LABEL or ARG; without a value in `ARG NAME`."""

    name: Word
    value: Word | None


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    `name` is upper case. `value` is the text after the name, continuations joined, comments and
    heredoc bodies taken out. `words` are the words of `value` after the flags, split as that
    instruction splits them (shell-form RUN, CMD, ENTRYPOINT: one word holding the command line;
    `ENV A b`: two words; HEALTHCHECK: its type, then the command; ONBUILD: one word). `json` are
    the words of a valid JSON array form, else None. `flags` are the `--x=y` words. `pairs` are
    the names and values of ENV, LABEL and ARG. `span` runs from the name to the end of the last
    line (heredoc ends included). `onbuild` is the wrapped instruction of ONBUILD.
    """

    source: SourceFile
    name: str
    value: str
    words: tuple[Word, ...]
    span: Span
    line: int
    json: tuple[Word, ...] | None = None
    flags: tuple[Word, ...] = ()
    heredocs: tuple[Heredoc, ...] = ()
    onbuild: Instruction | None = None
    pairs: tuple[Pair, ...] = ()

    @property
    def place(self) -> Place:
        """The whole instruction."""
        return Place(self.source, self.span)

    @property
    def name_place(self) -> Place:
        """The name of the instruction (up to the line's end, should a continuation split it)."""
        text = self.source.text
        end = self.span.start
        while end < self.span.end and text[end] not in SPACE:
            end += 1
        return self.source.place(self.span.start, end)

    def flag(self, name: str) -> str | None:
        """The value of `--name=value`, "" for a bare `--name`, None where it is not given; the
        first one where it is given several times.
        """
        return next(iter(self.flag_values(name)), None)

    def flag_values(self, name: str) -> list[str]:
        """All values of a flag that may be repeated, such as `--mount`."""
        found = (word.text.partition("=") for word in self.flags)
        return [value for flag, _, value in found if flag == f"--{name}"]

    def problem(self, message: str, span: Span | None = None) -> DockerfileProblem:
        """A fault of it, at a span of its file or at its name."""
        place = self.name_place if span is None else Place(self.source, span)
        return DockerfileProblem(message, place)

    def word_place(self, word: Word) -> Place:
        """The place of one of its words."""
        return Place(self.source, word.span)


@dataclass(slots=True)
class _Head:
    """Where name and arguments stand in a logical line."""

    start: int
    name_end: int
    value_start: int
    end: int


def read_instructions(
    source: SourceFile,
    lines: Sequence[LogicalLine],
    escape: str,
    problems: list[DockerfileProblem],
) -> list[Instruction]:
    """The instructions of logical lines; faults of their form are added to `problems`."""
    reader = _InstructionReader(source, escape, problems)
    heads = _heads([(line.text, 0) for line in lines])
    inner: dict[int, int] = {}
    for index, (line, head) in enumerate(zip(lines, heads, strict=True)):
        if line.text[head.start : head.name_end].upper() == "ONBUILD":
            inner[index] = reader.flags(line, head.value_start, head.end)[1]
    inner_heads = _heads([(lines[index].text, start) for index, start in inner.items()])
    wrapped = {
        index: reader.instruction(lines[index], head)
        for index, head in zip(inner, inner_heads, strict=True)
        if head.start < head.end
    }
    return [
        reader.instruction(line, head, wrapped.get(index))
        for index, (line, head) in enumerate(zip(lines, heads, strict=True))
    ]


def _heads(texts: Sequence[tuple[str, int]]) -> list[_Head]:
    """Split each text, from its offset on, with dockerfile-parse.

    It gets one physical line for each, with every character that it reads in its own way (the
    escape character, `#`, white space outside ASCII) masked; so the lengths hold for the original.
    """
    bounds = [(*_stripped(text, start, len(text)), text) for text, start in texts]
    masked = "".join(_UNCLEAR.sub("_", text[start:end]) + "\n" for start, end, text in bounds)
    heads = [_Head(start, end, end, end) for start, end, _ in bounds]
    parser = DockerfileParser(fileobj=io.BytesIO(masked.encode("ascii")), env_replace=False)
    for found in parser.structure:
        head = heads[found["startline"]]
        head.name_end = head.start + len(found["instruction"])
        head.value_start = head.end - len(found["value"])
    return heads


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """The bounds without the white space at both ends."""
    while start < end and text[start] in SPACE:
        start += 1
    while end > start and text[end - 1] in SPACE:
        end -= 1
    return start, end


class _InstructionReader:
    def __init__(self, source: SourceFile, escape: str, problems: list[DockerfileProblem]) -> None:
        self.source = source
        self.escape = escape
        self.problems = problems

    def instruction(
        self, line: LogicalLine, head: _Head, onbuild: Instruction | None = None
    ) -> Instruction:
        """One instruction of a line that stands at `head`."""
        name = line.text[head.start : head.name_end].lower().upper()
        flags, start = self.flags(line, head.value_start, head.end)
        start, end = _stripped(line.text, start, head.end)
        words: list[Word] = []
        pairs: list[Pair] = []
        array: list[Word] | None = None
        if start == end:
            pass
        elif name in _KEY_VALUES:
            words, pairs = self._key_values(line, start, end, name)
        elif name == "ARG":
            words, pairs = self._arguments(line, start, end)
        elif name in _LISTS:
            words = _list(line, start, end)
        elif name in _JSON_LISTS:
            array = self._json(line, start, end)
            words = _list(line, start, end) if array is None else array
        elif name in _COMMANDS:
            array = self._json(line, start, end)
            words = [_word(line, start, end)] if array is None else array
        elif name == "HEALTHCHECK":
            words, array = self._healthcheck(line, start, end)
        else:
            words = [_word(line, start, end)]
        return Instruction(
            source=self.source,
            name=name,
            value=line.text[head.value_start : head.end],
            words=tuple(words),
            span=self._span(line, head),
            line=line.line,
            json=None if array is None else tuple(array),
            flags=tuple(flags),
            heredocs=tuple(line.heredocs),
            onbuild=onbuild,
            pairs=tuple(pairs),
        )

    def _span(self, line: LogicalLine, head: _Head) -> Span:
        start, end = line.offset(head.start), line.end
        while end > start and self.source.text[end - 1] in SPACE:
            end -= 1
        return Span(start, end)

    def flags(self, line: LogicalLine, start: int, end: int) -> tuple[list[Word], int]:
        """The `--name=value` words at the start of the arguments, and where the rest begins."""
        flags: list[Word] = []
        while True:
            while start < end and line.text[start] in _ASCII_SPACE:
                start += 1
            if not line.text.startswith("--", start, end):
                return flags, start
            text, stop = self._flag(line.text, start, end)
            if text == "--":
                return flags, stop
            flags.append(Word(text, line.span(start, stop)))
            start = stop

    def _flag(self, text: str, start: int, end: int) -> tuple[str, int]:
        """One flag without its quotes and escapes, and where it ends."""
        letters: list[str] = []
        quote = ""
        while start < end:
            char = text[start]
            start += 1
            if not char.isascii():
                # BuildKit takes each byte for a character, and some for white space.
                char = char.encode("utf-8", "replace").decode("latin-1")
                if char[-1] in "\x85\xa0" and not quote:
                    letters.append(char[:-1])
                    return "".join(letters), start
            if quote and char == quote:
                quote = ""
            elif char == self.escape:
                letters.append(text[start : min(start + 1, end)])
                start += 1
            elif quote:
                letters.append(char)
            elif char in "'\"":
                quote = char
            elif char in _ASCII_SPACE:
                return "".join(letters), start - 1
            else:
                letters.append(char)
        return "".join(letters), end

    def _problem(self, message: str, span: Span) -> None:
        self.problems.append(DockerfileProblem(message, Place(self.source, span)))

    def _key_values(
        self, line: LogicalLine, start: int, end: int, name: str
    ) -> tuple[list[Word], list[Pair]]:
        """`NAME=value NAME=value`, or the old form `NAME value`."""
        found = list(split_words(line.text, start, end, self.escape))
        if not found:
            return [], []
        if "=" not in found[0][0]:
            return self._old_key_value(line, start, end, name)
        for text, first, last in found:
            if "=" not in text:
                message = f"`{text}` has no `=`: after a first NAME=value, {name} takes only such"
                self._problem(message, line.span(first, last))
        words = [Word(text, line.span(first, last)) for text, first, last in found]
        return words, [_pair(line, *word) for word in found]

    def _old_key_value(
        self, line: LogicalLine, start: int, end: int, name: str
    ) -> tuple[list[Word], list[Pair]]:
        blanks = _BLANKS.search(line.text, start, end)
        if blanks is None:
            word = _word(line, start, end)
            self._problem(f"{name} must have two arguments, a name and a value", word.span)
            return [word], []
        pair = Pair(_word(line, start, blanks.start()), value := _word(line, blanks.end(), end))
        return [pair.name, value], [pair]

    def _arguments(self, line: LogicalLine, start: int, end: int) -> tuple[list[Word], list[Pair]]:
        """`ARG NAME NAME=default`."""
        found = list(split_words(line.text, start, end, self.escape))
        words = [Word(text, line.span(first, last)) for text, first, last in found]
        return words, [_pair(line, *word) for word in found]

    def _json(self, line: LogicalLine, start: int, end: int) -> list[Word] | None:
        """The members of a JSON array; None where the text is no valid one."""
        text = line.text[start:end]
        if not text.startswith("["):
            return None
        try:
            members = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return None
        if not all(isinstance(member, str) for member in members):
            message = "a JSON array here may hold only strings"
            self._problem(message, line.span(start, end))
            return None
        spans = (match.span() for match in _JSON_STRING.finditer(text))
        return [
            Word(_well_formed(member), line.span(start + first, start + last))
            for member, (first, last) in zip(members, spans, strict=True)
        ]

    def _healthcheck(
        self, line: LogicalLine, start: int, end: int
    ) -> tuple[list[Word], list[Word] | None]:
        """The type (`CMD` or `NONE`), then a command in shell or JSON form."""
        blanks = _BLANKS.search(line.text, start, end)
        kind = _word(line, start, blanks.start() if blanks else end)
        start = blanks.end() if blanks else end
        if start == end:
            return [kind], None
        array = self._json(line, start, end)
        return [kind, *([_word(line, start, end)] if array is None else array)], array


def _word(line: LogicalLine, start: int, end: int) -> Word:
    return Word(line.text[start:end], line.span(start, end))


def _list(line: LogicalLine, start: int, end: int) -> list[Word]:
    """Words between blanks."""
    return [_word(line, *match.span()) for match in _NOT_BLANKS.finditer(line.text, start, end)]


def _pair(line: LogicalLine, text: str, start: int, end: int) -> Pair:
    """Split a word at its first `=`."""
    name, equals, value = text.partition("=")
    middle = start + len(name)
    if not equals:
        return Pair(Word(name, line.span(start, end)), None)
    return Pair(Word(name, line.span(start, middle)), Word(value, line.span(middle + 1, end)))


def _refuse(constant: str) -> object:
    """Python reads NaN and Infinity in JSON; Go does not."""
    raise ValueError(constant)


def _well_formed(text: str) -> str:
    """The text with U+FFFD for half of a surrogate pair, as Go decodes it."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
