"""Reads the words of a shell script: quoting, expansions, here-documents."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.shell.tree import (
    Arithmetic,
    Literal,
    Parameter,
    ParseProblem,
    Part,
    ProcessSubstitution,
    Redirect,
    Script,
    Substitution,
    Word,
)

Locate = Callable[[int, int], Span]

MAX_DEPTH = 40
"""How deep constructs may nest before reading stops (Python's own stack is the limit)."""

_PLAIN = re.compile(r"[^ \t\n;&|<>()'\"\\$`]+")
_PLAIN_DOUBLE = re.compile(r"[^\"\\$`]+")
_BLANK = re.compile(r"(?:[ \t]|\\\n)+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
_OPERATOR = re.compile(r":?[-=+?]|##?|%%?|//?|\^\^?|,,?|:")
_ANSI = re.compile(
    r"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})"
    r"|U([0-9A-Fa-f]{1,8})|c(.))",
    re.S,
)
_ANSI_LETTERS = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "?": "?",
}


class Stop(Exception):
    """Reading can't go on."""

    def __init__(self, message: str, place: Place, *, limit: bool = False) -> None:
        super().__init__(message)
        self.problem = ParseProblem(message, place, limit)


@dataclass(slots=True)
class _Heredoc:
    delimiter: str
    strip: bool
    expand: bool
    redirect: Redirect


def decode_ansi(text: str) -> str:
    """Decode the escapes of a `$'...'` string."""

    def decoded(match: re.Match[str]) -> str:
        letter, octal, hexa, short, long, control = match.groups()
        if letter:
            return _ANSI_LETTERS[letter]
        if control:
            return chr(ord(control.upper()) & 0x1F)
        code = int(octal, 8) & 0xFF if octal else int(hexa or short or long, 16)
        return chr(code) if code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else "\ufffd"

    return _ANSI.sub(decoded, text)


class Lexer:
    """A position in a text and the reading of what stands there."""

    def __init__(self, text: str, source: SourceFile, locate: Locate, depth: int = 0) -> None:
        self.text = text
        self.source = source
        self.locate = locate
        self.at = 0
        self.end = len(text)
        self.depth = depth
        self.solid = self.blank_end = 0
        self.heredocs: list[_Heredoc] = []
        self.bashisms: list[tuple[str, Place]] = []

    # -- places and small steps

    def place(self, start: int, end: int | None = None) -> Place:
        """The place of a range of the text (up to the last thing read, by default)."""
        if end is None:
            end = max(start, self.solid if self.at == self.blank_end else self.at)
        return Place(self.source, self.locate(start, end))

    def _skipped(self, start: int) -> None:
        """Blanks and comments from `start` on were stepped over."""
        if self.at != start:
            self.solid = self.solid if start == self.blank_end and start else start
            self.blank_end = self.at

    def fail(self, message: str, start: int | None = None) -> Stop:
        """The error to raise for what stands at `start` (here, by default)."""
        start = self.at if start is None else start
        return Stop(message, self.place(start, min(start + 1, len(self.text))))

    def peek(self, text: str) -> bool:
        """Whether `text` stands here."""
        return self.text.startswith(text, self.at, self.end)

    def done(self) -> bool:
        """Whether the end is reached."""
        return self.at >= self.end

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of nesting; raises Stop where there are too many."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Stop(
                "it is nested too deeply to be followed", self.place(self.at, self.at), limit=True
            )
        yield
        self.depth -= 1

    def skip_blank(self) -> None:
        """Skip spaces, tabs, continued lines and a comment."""
        start = self.at
        if match := _BLANK.match(self.text, self.at, self.end):
            self.at = match.end()
        if self.peek("#"):
            newline = self.text.find("\n", self.at, self.end)
            self.at = self.end if newline < 0 else newline
        self._skipped(start)

    def newline(self) -> None:
        """Step over a newline and read the here-documents that wait for it."""
        start = self.at
        self.at += 1
        waiting, self.heredocs = self.heredocs, []
        for heredoc in waiting:
            self._heredoc(heredoc)
        self._skipped(start)

    def nested(self) -> Script:
        """Read commands up to the `)` that closes a substitution."""
        raise NotImplementedError

    def whole(self, text: str, locate: Locate) -> Script:
        """Read another text (the inside of backticks) as a script; raises Stop."""
        raise NotImplementedError

    # -- words

    def word(self, *, regex: bool = False) -> Word | None:
        """The word that starts here; None where none does. In a `regex` (the right side of
        `=~`) parentheses and bars are part of it.
        """
        start = self.at
        parts: list[Part] = []
        open_parens = 0
        while not self.done():
            char = self.text[self.at]
            if regex and (char in "()|&<>" or (open_parens and char in " \t")):
                open_parens += (char == "(") - (char == ")")
                if open_parens < 0:
                    break
                self._literal(parts, char, False, self.at, self.at + 1)
            elif match := _PLAIN.match(self.text, self.at, self.end):
                self._literal(parts, match[0], False, match.start(), match.end())
            elif char in "<>" and self.text.startswith("(", self.at + 1):
                parts.append(self._process())
            elif char in " \t\n;&|<>()":
                break
            else:
                self._special(parts, char, quoted=False)
        if self.at == start:
            return None
        return self._made(parts, start)

    def _made(self, parts: list[Part], start: int, end: int | None = None) -> Word:
        end = self.at if end is None else end
        return Word(tuple(parts), self.text[start:end], self.place(start, end))

    def _literal(self, parts: list[Part], text: str, quoted: bool, start: int, end: int) -> None:
        parts.append(Literal(text, quoted, self.place(start, end)))
        self.at = end

    def _special(self, parts: list[Part], char: str, *, quoted: bool) -> None:
        """A quote, backslash, `$` or backtick at command level or unquoted in `${...}`."""
        start = self.at
        if char == "'":
            close = self.text.find("'", start + 1, self.end)
            if close < 0:
                raise self.fail("a single quote is not closed", start)
            self._literal(parts, self.text[start + 1 : close], True, start, close + 1)
        elif char == '"':
            self.at += 1
            self._double(parts, start)
        elif char == "\\":
            self._backslash(parts, quoted=quoted)
        elif char == "`":
            parts.append(self._backtick(quoted=quoted))
        else:
            self._dollar(parts, quoted=quoted)

    def _backslash(self, parts: list[Part], *, quoted: bool) -> None:
        start = self.at
        following = self.text[start + 1 : start + 2] if start + 1 < self.end else ""
        if following == "\n":
            self.at += 2
        elif quoted and following not in ("$", "`", '"', "\\", "}"):
            self._literal(parts, "\\", True, start, start + 1)
        else:
            self._literal(parts, following or "\\", True, start, start + 1 + len(following))

    def _double(self, parts: list[Part], opened: int) -> None:
        """The inside of `"..."` up to and with the closing quote."""
        with self.deeper():
            empty = Literal("", True, self.place(opened, opened))
            parts.append(empty)
            while not self.peek('"') or self.done():
                if self.done():
                    raise self.fail("a double quote is not closed", opened)
                self._quoted_piece(parts, in_heredoc=False)
            self.at += 1

    def quoted_until(self, end: int, *, in_heredoc: bool = True) -> Word:
        """Read up to `end` as inside double quotes, where `"` itself means nothing."""
        start, outer = self.at, self.end
        self.end = end
        parts: list[Part] = []
        with self.deeper():
            while not self.done():
                self._quoted_piece(parts, in_heredoc=in_heredoc)
        self.at, self.end = end, outer
        return self._made(parts, start)

    def _quoted_piece(self, parts: list[Part], *, in_heredoc: bool) -> None:
        start = self.at
        char = self.text[start]
        if match := _PLAIN_DOUBLE.match(self.text, start, self.end):
            self._literal(parts, match[0], True, start, match.end())
        elif char == '"':
            self._literal(parts, char, True, start, start + 1)
        elif char == "\\":
            following = self.text[start + 1 : start + 2] if start + 1 < self.end else ""
            if following == "\n":
                self.at += 2
            elif following and following in ("$`\\" if in_heredoc else '$`"\\'):
                self._literal(parts, following, True, start, start + 2)
            else:
                self._literal(parts, char, True, start, start + 1)
        elif char == "`":
            parts.append(self._backtick(quoted=True))
        else:
            self._dollar(parts, quoted=True)

    # -- expansions

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        start = self.at
        following = self.text[start + 1 : start + 2] if start + 1 < self.end else ""
        if following == "{":
            with self.deeper():
                parts.append(self._braces(quoted))
        elif following == "(":
            parts.append(self._dollar_paren(quoted))
        elif match := _PARAMETER.match(self.text, start + 1, self.end):
            name = match[0][0] if match[0].isdigit() else match[0]
            self.at = start + 1 + len(name)
            parts.append(Parameter(name, quoted, self.place(start)))
        elif following == "'" and not quoted:
            close = self._ansi_end(start + 2)
            text = decode_ansi(self.text[start + 2 : close])
            self._literal(parts, text, True, start, close + 1)
        elif following == '"' and not quoted:
            self.at += 2
            self._double(parts, start)
        else:
            self._literal(parts, "$", quoted, start, start + 1)

    def _ansi_end(self, at: int) -> int:
        while at < self.end and self.text[at] != "'":
            at += 2 if self.text[at] == "\\" else 1
        if at >= self.end:
            raise self.fail("a quote is not closed")
        return at

    def _dollar_paren(self, quoted: bool) -> Part:
        start = self.at
        if self.peek("$((") and (close := self.arithmetic_end(start + 3)) is not None:
            self.at = start + 3
            expression = self.quoted_until(close, in_heredoc=False)
            self.at = close + 2
            return Arithmetic(expression, quoted, self.place(start))
        self.at += 2
        with self.deeper():
            script = self.nested()
        if not self.peek(")"):
            raise self.fail("a command substitution is not closed", start)
        self.at += 1
        return Substitution(script, quoted, self.place(start))

    def arithmetic_end(self, at: int) -> int | None:
        """Where the `))` of an arithmetic expression stands whose inside starts at `at`; None
        where it is none (two nested subshells).
        """
        depth = 0
        while at < self.end:
            char = self.text[at]
            if char == "\\":
                at += 1
            elif char == "(":
                depth += 1
            elif char == ")":
                if depth == 0:
                    return at if self.text.startswith("))", at, self.end) else None
                depth -= 1
            at += 1
        return None

    def _process(self) -> ProcessSubstitution:
        start = self.at
        reads = self.peek("<")
        self.at += 2
        with self.deeper():
            script = self.nested()
        if not self.peek(")"):
            raise self.fail("a process substitution is not closed", start)
        self.at += 1
        self.bashisms.append(("process substitution", self.place(start)))
        return ProcessSubstitution(script, reads, self.place(start))

    def _backtick(self, *, quoted: bool) -> Substitution:
        start = self.at
        at = start + 1
        text: list[str] = []
        offsets: list[int] = []
        while at < self.end and self.text[at] != "`":
            if self.text[at] == "\\" and self.text[at + 1 : at + 2] in (
                ("`", "$", "\\", '"') if quoted else ("`", "$", "\\")
            ):
                at += 1
            text.append(self.text[at : at + 1])
            offsets.append(at)
            at += 1
        if at >= self.end:
            raise self.fail("a backtick is not closed", start)
        self.at = at + 1
        with self.deeper():
            script = self.whole("".join(text), self._through([*offsets, at]))
        return Substitution(script, quoted, self.place(start))

    def _through(self, offsets: list[int]) -> Locate:
        """The locate function of a text whose characters stand at `offsets` of this one."""
        last = len(offsets) - 1

        def locate(start: int, end: int) -> Span:
            first = offsets[min(start, last)]
            return self.locate(first, offsets[min(end, last) - 1] + 1 if end > start else first)

        return locate

    def _braces(self, quoted: bool) -> Parameter:
        start = self.at
        self.at += 2
        prefix = ""
        if (
            self.peek("#")
            and not self.peek("#}")
            and _PARAMETER.match(self.text, self.at + 1, self.end)
        ):
            prefix = "length"
            self.at += 1
        elif self.peek("!") and _NAME.match(self.text, self.at + 1, self.end):
            prefix = "!"
            self.at += 1
        match = _PARAMETER.match(self.text, self.at, self.end)
        if match is None:
            return self._bad(start, quoted)
        self.at = match.end()
        index = None
        if self.peek("[") and match[0][0] not in "@*#?$!-0123456789":
            self.at += 1
            index = self._until("]", quoted=True, single=True)
            self.at += 1
        if self.peek("}"):
            self.at += 1
            return Parameter(match[0], quoted, self.place(start), prefix, index=index)
        return self._operation(start, match[0], index, prefix, quoted)

    def _operation(
        self, start: int, name: str, index: Word | None, prefix: str, quoted: bool
    ) -> Parameter:
        operator = _OPERATOR.match(self.text, self.at, self.end)
        if operator is None or prefix:
            return self._bad(start, quoted, name)
        self.at = operator.end()
        kind = operator[0]
        pattern = kind[0] in "#%/^,"
        single = not quoted or pattern
        replacement = None
        stop = "/}" if kind in ("/", "//") else ":}" if kind == ":" else "}"
        word = self._until(stop, quoted=quoted and not pattern, single=single)
        if not self.peek("}"):
            self.at += 1
            replacement = self._until("}", quoted=quoted, single=single)
        self.at += 1
        return Parameter(name, quoted, self.place(start), kind, word, replacement, index)

    def _until(self, stops: str, *, quoted: bool, single: bool) -> Word:
        """The word inside `${...}` up to one of `stops`, which is left to read."""
        start = self.at
        parts: list[Part] = []
        while True:
            if self.done():
                raise self.fail("`${` is not closed", start)
            char = self.text[self.at]
            if char in stops:
                return self._made(parts, start)
            if char == "'" and not single:
                self._literal(parts, char, True, self.at, self.at + 1)
            elif char in "'\"\\$`":
                self._special(parts, char, quoted=quoted)
            else:
                end = self.at + 1
                while end < self.end and self.text[end] not in "'\"\\$`" + stops:
                    end += 1
                self._literal(parts, self.text[self.at : end], quoted, self.at, end)

    def _bad(self, start: int, quoted: bool, name: str = "") -> Parameter:
        close = self.text.find("}", self.at, self.end)
        if close < 0:
            raise self.fail("`${` is not closed", start)
        self.at = close + 1
        return Parameter(name, quoted, self.place(start), bad=True)

    # -- here-documents

    def open_heredoc(self, redirect: Redirect, delimiter: Word) -> None:
        """Remember a here-document whose body follows on the next line."""
        text = "".join(part.text if isinstance(part, Literal) else "" for part in delimiter.parts)
        if any(not isinstance(part, Literal) for part in delimiter.parts):
            text = delimiter.raw
        expand = not any(c in delimiter.raw for c in "'\"\\")
        self.heredocs.append(_Heredoc(text, redirect.operator == "<<-", expand, redirect))
        self._fill(redirect, Word((), "", delimiter.place))

    def _fill(self, redirect: Redirect, body: Word) -> None:
        # A redirect is made before its body is read: it is filled in here.
        object.__setattr__(redirect, "target", body)

    def _heredoc(self, heredoc: _Heredoc) -> None:
        start = at = self.at
        lines: list[tuple[int, int]] = []
        while at < self.end:
            newline = self.text.find("\n", at, self.end)
            stop = self.end if newline < 0 else newline
            first = at
            if heredoc.strip:
                while first < stop and self.text[first] == "\t":
                    first += 1
            at = min(stop + 1, self.end)
            if stop - first == len(heredoc.delimiter) and self.text.startswith(
                heredoc.delimiter, first
            ):
                break
            lines.append((first, at))
        body_end = lines[-1][1] if lines else start
        self.at = start
        body = self._body(lines, body_end, heredoc)
        self.at = at
        self._fill(heredoc.redirect, body)

    def _body(self, lines: list[tuple[int, int]], end: int, heredoc: _Heredoc) -> Word:
        if not heredoc.expand:
            text = "".join(self.text[a:b] for a, b in lines)
            place = self.place(self.at, end)
            return Word((Literal(text, True, place),), text, place)
        if not heredoc.strip:
            return self.quoted_until(end)
        starts = [0]
        for first, stop in lines:
            starts.append(starts[-1] + stop - first)
        firsts = [first for first, _ in lines]

        def locate(start: int, stop: int) -> Span:
            def offset(at: int) -> int:
                line = max(0, min(bisect_right(starts, at), len(firsts)) - 1)
                return firsts[line] + at - starts[line] if firsts else end

            return self.locate(offset(start), max(offset(start), offset(stop)))

        inner = type(self)(
            "".join(self.text[a:b] for a, b in lines), self.source, locate, self.depth
        )
        return inner.quoted_until(inner.end)
