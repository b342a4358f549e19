"""Variable expansion and word splitting as BuildKit does them in a Dockerfile.

The lexer follows `frontend/dockerfile/shell/lex.go` of moby/buildkit: quotes and the escape
character are processed, `$name` and `${name...}` are replaced, everything else (`$(...)`,
backticks, globs) stays as it is. A variable may be Unknown; what depends on it is then Unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hfcheck.space.docker import patterns as glob
from hfcheck.space.value import Known, Origin, Unknown, Value

SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's `unicode.IsSpace` counts as white space (Python's differs in U+001C to U+001F)."""

MAX_LENGTH = 131_072
"""Longest value that is worked out: Linux takes no longer string in a process's environment
(MAX_ARG_STRLEN, `execve(2)`). It keeps `ENV A=$A$A`, repeated, from filling the memory."""

MAX_DEPTH = 50
"""Deepest nesting of `${A:-${B:-...}}` that is worked out."""

_SPACES = frozenset(SPACE)
_SPECIAL_PARAMETERS = frozenset("@*#?-$!0")
_PLAIN = re.compile(r"[\w.,:;=@%+\-]+", re.ASCII)
_ACTIVE = re.compile(r"[$'\"\\`\ufeff]")
_WORD_START = re.compile(f"[^{SPACE}]")

_QUOTE_NAMES = {"'": "single-quote", '"': "double-quote"}


class ExpansionError(ValueError):
    """A text for which BuildKit stops the build; the message says why."""


class _OutOfBounds(Exception):
    """The result is nested too deeply or too long to be worked out."""


def expand(
    text: str,
    env: Mapping[str, Value[str]],
    escape: str = "\\",
    *,
    quotes: bool = True,
) -> Value[str]:
    """Expand one word as ENV, ARG, FROM, COPY, WORKDIR, USER and LABEL do.

    In: the word as written, the variables (`env.get(name)` is None where one is unset), the
    escape character of the Dockerfile; `quotes=False` leaves quotes alone, as in the body of a
    COPY heredoc. Out: the text with the origins of the variables it used, or Unknown where an
    unknown variable decides. Raises ExpansionError where BuildKit refuses the word.
    """
    if not _ACTIVE.search(text):
        return Known(text)
    lexer = _Lexer(text, env, escape, quotes=quotes)
    try:
        result, _ = lexer.process()
    except _OutOfBounds as reason:
        return Unknown(str(reason))
    return _joined(result, lexer.origins)


def expand_words(
    text: str, env: Mapping[str, Value[str]], escape: str = "\\"
) -> Value[tuple[str, ...]]:
    """Expand a text and split the result into words, as EXPOSE does (raises like `expand`)."""
    lexer = _Lexer(text, env, escape)
    try:
        result, words = lexer.process()
    except _OutOfBounds as reason:
        return Unknown(str(reason))
    joined = _joined(result, lexer.origins)
    return joined if isinstance(joined, Unknown) else Known(tuple(words), joined.origins)


def raw_words(text: str) -> list[str]:
    """The words of a command line, quotes and escapes kept, as the search for heredocs sees them.

    Empty where the text can't be split (an open quote, a bad substitution).
    """
    try:
        return _Lexer(text, {}, raw_quotes=True, raw_escapes=True, keep_unset=True).process()[1]
    except (ExpansionError, _OutOfBounds):
        return []


def heredoc_name(text: str) -> tuple[str, bool] | None:
    """The name that follows `<<`, without its quotes, and whether the body is expanded (it is
    not when any part of the name is quoted); None where the text is no single word.
    """
    try:
        words = _Lexer(text, {}, keep_unset=True).process()[1]
        if len(words) != 1:
            return None
        raw = _Lexer(text, {}, raw_quotes=True, keep_unset=True).process()[1]
    except (ExpansionError, _OutOfBounds):
        return None
    name = words[0]
    return name, len(raw) == 1 and _quote_count(name) == _quote_count(raw[0])


def split_words(
    text: str, start: int, end: int, escape: str = "\\"
) -> Iterator[tuple[str, int, int]]:
    """Split `text[start:end]` at white space outside quotes, as ENV, ARG and LABEL do.

    Yields each word, quotes and escapes as written, with its place in `text`.
    """
    position = start
    while (first := _WORD_START.search(text, position, end)) is not None:
        position, dropped = _word_end(text, first.start(), end, escape)
        word = text[first.start() : position - dropped]
        if word:
            yield word, first.start(), position


def _word_end(text: str, position: int, end: int, escape: str) -> tuple[int, int]:
    """Where the word ends that starts at `position`, and how many of its last characters don't
    count: an escape character at the very end of the text is dropped.
    """
    quote = ""
    while position < end:
        plain = _PLAIN.match(text, position, end)
        if plain:
            position = plain.end()
            continue
        char = text[position]
        if char == escape and quote != "'":
            if position + 1 == end:
                return end, 1
            position += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in _SPACES:
            return position, 0
        position += 1
    return min(position, end), 0


def _quote_count(text: str) -> int:
    return text.count("'") + text.count('"')


_Pieces = list[str | Unknown]


def _joined(pieces: _Pieces, origins: list[Origin]) -> Value[str]:
    """The pieces as one value, with the origins of the variables in them."""
    text = _text(pieces)
    return text if isinstance(text, Unknown) else Known(text, tuple(dict.fromkeys(origins)))


def _text(pieces: _Pieces) -> str | Unknown:
    """The pieces as one text, or the first Unknown one."""
    for piece in pieces:
        if isinstance(piece, Unknown):
            return piece
    return "".join(str(piece) for piece in pieces)


@dataclass(slots=True)
class _Words:
    """Collects the words of the result. Each piece is split at white space unless it is raw."""

    buffer: list[str]
    words: list[str]

    def add(self, text: str) -> None:
        for char in text:
            if char not in _SPACES:
                self.buffer.append(char)
            elif self.buffer:
                self.flush()

    def flush(self) -> None:
        word = "".join(self.buffer)
        self.buffer.clear()
        if word:
            self.words.append(word)


class _Lexer:
    """One run over one text; a port of BuildKit's `shellWord`."""

    def __init__(
        self,
        text: str,
        env: Mapping[str, Value[str]],
        escape: str = "\\",
        *,
        quotes: bool = True,
        raw_quotes: bool = False,
        raw_escapes: bool = False,
        keep_unset: bool = False,
    ) -> None:
        self.text = text.removeprefix("\ufeff")  # Go's scanner skips a leading byte-order mark
        self.env = env
        self.escape = escape
        self.quotes = quotes
        self.raw_quotes = raw_quotes
        self.raw_escapes = raw_escapes
        self.keep_unset = keep_unset
        self.position = 0
        self.depth = 0
        self.length = 0
        self.origins: list[Origin] = []
        self.buffer: list[str] = []

    def process(self) -> tuple[_Pieces, list[str]]:
        """The whole text: its pieces, and its words."""
        return self._until("", self.raw_escapes)

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _next(self) -> str:
        char = self._peek()
        self.position += 1
        return char

    @property
    def _at_end(self) -> bool:
        return self.position >= len(self.text)

    def _until(self, stop: str, raw_escapes: bool) -> tuple[_Pieces, list[str]]:
        """Process up to the character `stop` (taken too), or to the end where it is empty."""
        if self.depth > MAX_DEPTH:
            raise _OutOfBounds(f"its substitutions are nested more than {MAX_DEPTH} deep")
        outer, self.raw_escapes = self.raw_escapes, raw_escapes
        self.depth += 1
        # BuildKit shares one buffer: a nested text drops what the outer word has so far.
        self.buffer.clear()
        words = _Words(self.buffer, [])
        result: _Pieces = []
        try:
            while not self._at_end:
                if stop and self._peek() == stop:
                    self.position += 1
                    words.flush()
                    return result, words.words
                self._step(result, words)
        finally:
            self.depth -= 1
            self.raw_escapes = outer
        if stop:
            message = f"unexpected end of statement while looking for matching {stop}"
            raise ExpansionError(message)
        words.flush()
        return result, words.words

    def _step(self, result: _Pieces, words: _Words) -> None:
        """Process one piece of the text."""
        plain = _PLAIN.match(self.text, self.position)
        if plain:
            self.position = plain.end()
            result.append(plain[0])
            words.buffer.append(plain[0])
            return
        char = self._peek()
        if char == "$":
            piece = self._dollar()
            result.append(piece)
            if isinstance(piece, str):
                words.add(piece)
        elif char == "<":
            piece = self._angle()
            result.append(piece)
            words.buffer.append(piece)
        elif self.quotes and char in "'\"":
            pieces = self._single_quoted() if char == "'" else self._double_quoted()
            result.extend(pieces)
            words.buffer.extend(piece for piece in pieces if isinstance(piece, str))
        else:
            self._character(result, words)

    def _character(self, result: _Pieces, words: _Words) -> None:
        char = self._next()
        if char != self.escape:
            result.append(char)
            words.add(char)
            return
        if self.raw_escapes:
            result.append(char)
            words.buffer.append(char)
        if not self._at_end:  # an escape character at the end is dropped
            char = self._next()
            result.append(char)
            words.buffer.append(char)

    def _angle(self) -> str:
        """`<`, or `<<` with the blanks after it, which so stay in one word with a heredoc name."""
        start = self.position
        self.position += 1
        if self._peek() == "<":
            self.position += 1
            while not self._at_end and self._peek() in "\t\r ":
                self.position += 1
        return self.text[start : self.position]

    def _single_quoted(self) -> _Pieces:
        end = self.text.find("'", self.position + 1)
        if end < 0:
            raise _open_quote("'")
        inner = self.text[self.position + 1 : end]
        self.position = end + 1
        return [f"'{inner}'" if self.raw_quotes else inner]

    def _double_quoted(self) -> _Pieces:
        self.position += 1
        mark = '"' if self.raw_quotes else ""
        result: _Pieces = [mark]
        while not self._at_end:
            plain = _PLAIN.match(self.text, self.position)
            if plain:
                self.position = plain.end()
                result.append(plain[0])
                continue
            if self._peek() == "$":
                result.append(self._dollar())
                continue
            char = self._next()
            if char == '"':
                result.append(mark)
                return result
            if char == self.escape:
                if self.raw_escapes:
                    result.append(char)
                if self._at_end:
                    continue
                if self._peek() in ('"', "$", self.escape):
                    char = self._next()
            result.append(char)
        raise _open_quote('"')

    def _dollar(self) -> str | Unknown:
        """`$name` or `${...}`; a `$` without a name stays."""
        self.position += 1
        if self._peek() == "{":
            self.position += 1
            return self._braces()
        name = self._name()
        if not name:
            return "$"
        value = self._value(name)
        if value is None:
            return f"${name}" if self.keep_unset else ""
        return value

    def _braces(self) -> str | Unknown:
        """What follows `${`."""
        if self._at_end:
            raise ExpansionError("syntax error: missing '}'")
        if self._peek() in "{}:":
            raise ExpansionError("syntax error: bad substitution")
        name = self._name()
        operator = self._next()
        if operator == "}":
            value = self._value(name)
            if value is None:
                return f"${{{name}}}" if self.keep_unset else ""
            return value
        if operator == "/":
            return self._replace(name)
        colon = operator == ":"
        if colon:
            operator = self._next()
        if not operator or operator not in "+-?#%" or (colon and operator in "#%"):
            if colon and operator not in ("#", "%"):
                self._rest("}", raw_escapes=False)
            modifier = f"{':' if colon else ''}{operator}"
            raise ExpansionError(f"unsupported modifier ({modifier}) in substitution")
        word = self._rest("}", raw_escapes=operator in "#%")
        return self._modified(name, operator, word, colon)

    def _rest(self, stop: str, raw_escapes: bool, missing: str = "'}'") -> str | Unknown:
        """The text up to `stop` inside `${...}`."""
        try:
            return _text(self._until(stop, raw_escapes)[0])
        except ExpansionError as error:
            if self._at_end:
                raise ExpansionError(f"syntax error: missing {missing}") from error
            raise

    def _modified(
        self, name: str, operator: str, word: str | Unknown, colon: bool
    ) -> str | Unknown:
        """`${name-word}` and its kin; `colon` makes an empty value count as unset."""
        value = self._value(name)
        if value is None and self.keep_unset:
            return f"${{{name}{':' if colon else ''}{operator}{word}}}"
        if isinstance(value, Unknown):
            return value
        if operator in "#%":
            return self._trimmed(value or "", operator, word)
        missing = value is None or (colon and value == "")
        if operator == "-":
            return word if missing else value or ""
        if operator == "+":
            return "" if missing else word
        if not missing:
            return value or ""
        if isinstance(word, Unknown):
            return word
        state = "empty" if value == "" else "unset"
        raise ExpansionError(f"{name}: {word or f'is not allowed to be {state}'}")

    def _trimmed(self, value: str, operator: str, word: str | Unknown) -> str | Unknown:
        """`${name#word}`, `${name##word}`, `${name%word}`, `${name%%word}`."""
        if isinstance(word, Unknown):
            return word
        longest = word.startswith(operator)
        word = word[1:] if longest else word
        pattern = self._pattern(word if operator == "#" else glob.backwards(word))
        if len(value) > glob.MAX_LENGTH:
            return Unknown("a pattern is matched against a very long value")
        if operator == "#":
            end = glob.Matcher(pattern).end(value, longest=longest)
            return value if end is None else value[end:]
        end = glob.Matcher(pattern).end(value[::-1], longest=longest)
        return value if end is None else value[: len(value) - end]

    def _replace(self, name: str) -> str | Unknown:
        """`${name/pattern/replacement}` and `${name//pattern/replacement}`."""
        every = self._peek() == "/"
        if every:
            self.position += 1
        shell_pattern = self._rest("/", raw_escapes=True, missing="'/' in ${}")
        replacement = self._rest("}", raw_escapes=True)
        value = self._value(name)
        if value is None and self.keep_unset:
            return f"${{{name}/{shell_pattern}/{replacement}}}"
        if isinstance(shell_pattern, Unknown):
            return shell_pattern
        pattern = self._pattern(shell_pattern)
        if isinstance(value, Unknown):
            return value
        if isinstance(replacement, Unknown):
            return replacement
        value = value or ""
        if len(value) > glob.MAX_LENGTH:
            return Unknown("a pattern is matched against a very long value")
        self._spend((len(value) + 1) * (len(replacement) + replacement.count("$")))
        return glob.replaced(pattern, value, replacement, every=every)

    def _pattern(self, word: str) -> glob.Pattern:
        try:
            return glob.compile_pattern(word)
        except ValueError as error:
            raise ExpansionError(f"invalid pattern ({word}) in substitution: {error}") from error

    def _name(self) -> str:
        """A variable name: digits, one special parameter, or letters, digits and underscores."""
        start = self.position
        first = self._peek()
        if first.isdecimal():
            while self._peek().isdecimal():
                self.position += 1
        elif first and first in _SPECIAL_PARAMETERS:
            self.position += 1
        else:
            while (char := self._peek()) and (char.isalpha() or char.isdecimal() or char == "_"):
                self.position += 1
        return self.text[start : self.position]

    def _value(self, name: str) -> str | Unknown | None:
        """The value of a variable, None where it is unset."""
        value = self.env.get(name)
        if value is None or isinstance(value, Unknown):
            return value
        self.origins.extend(value.origins)
        self._spend(len(value.value))
        return value.value

    def _spend(self, length: int) -> None:
        self.length += length
        if self.length > MAX_LENGTH:
            raise _OutOfBounds(f"it is longer than {MAX_LENGTH} characters")


def _open_quote(quote: str) -> ExpansionError:
    name = _QUOTE_NAMES[quote]
    return ExpansionError(f"unexpected end of statement while looking for matching {name}")
