"""Expands words as a shell does: parameters, substitutions, field splitting, globbing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from hfcheck.source import Place
from hfcheck.space.shell.arithmetic import MathError, MathUnknown, calculate, number
from hfcheck.space.shell.host import ArgWord, Exited
from hfcheck.space.shell.patterns import MAX_WORK, Pattern, TooLong
from hfcheck.space.shell.state import Shell, ShellEnd, is_filled, joined, traced
from hfcheck.space.shell.tree import (
    Arithmetic,
    Literal,
    Parameter,
    Part,
    ProcessSubstitution,
    Script,
    Substitution,
    Word,
)
from hfcheck.space.value import Known, Origin, Unknown, Value, mapped

MAX_FIELDS = 1000
"""Most words that one word may become."""

_LIST = re.compile(r"\{([^{}\s]*,[^{}\s]*|-?\d{1,9}\.\.-?\d{1,9}|[A-Za-z]\.\.[A-Za-z])\}")


class Runs(Protocol):
    """What expansion needs of the runner."""

    shell: Shell

    def capture(self, script: Script, place: Place) -> Value[str]:
        """The output of `$(...)`, without newlines at its end."""

    def stream(self, part: ProcessSubstitution) -> Value[str]:
        """The name of the file that `<(...)` stands for."""

    def glob(self, pattern: Pattern, text: str) -> tuple[str, ...] | None:
        """The paths that match, sorted; None where that can't be known."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of an expanded word. `splits`: it is subject to field splitting. `breaks`: the
    field ends after it. `list_empty` is `"$@"` without arguments.
    """

    value: Value[str]
    quoted: bool
    splits: bool = False
    breaks: bool = False
    list_empty: bool = False


def note(place: Place) -> str:
    """What is written at a place, shortened to one line."""
    text = " ".join(place.text.split())
    return text if len(text) <= 60 else text[:57] + "..."


class Expander:
    """Expansion over the state of a runner."""

    def __init__(self, runner: Runs) -> None:
        self.runner = runner

    @property
    def shell(self) -> Shell:
        """The state as it is now."""
        return self.runner.shell

    # -- what words become

    def fields(self, words: Iterable[Word]) -> list[ArgWord]:
        """The words of a command."""
        found: list[ArgWord] = []
        for word in words:
            for variant in self._braces(word):
                found += self._fields(variant)
            if len(found) > MAX_FIELDS:
                break
        return found[:MAX_FIELDS]

    def text(self, word: Word | None) -> Value[str]:
        """A word without splitting and globbing (the value of an assignment, a here-document)."""
        if word is None:
            return Known("")
        return joined(piece.value for piece in self._joined_lists(self._pieces(word, splits=False)))

    def pattern(self, word: Word | None) -> Pattern | Unknown:
        """A word as a pattern."""
        if word is None:
            return Pattern(())
        pieces: list[tuple[str, bool]] = []
        for piece in self._joined_lists(self._pieces(word, splits=False)):
            if isinstance(piece.value, Unknown):
                return piece.value
            pieces.append((piece.value.value, piece.quoted))
        return Pattern(pieces)

    def number(self, word: Word) -> Value[int]:
        """The value of an arithmetic expression; ends the shell where it is no valid one."""
        return self.calculated(self.text(word), word.place)

    def calculated(self, text: Value[str], place: Place) -> Value[int]:
        """The value of an arithmetic text that stands at `place`."""
        if isinstance(text, Unknown):
            return text
        origins: list[Origin] = list(text.origins)

        def read(name: str, depth: int = 0) -> int:
            value = self.shell.get(name)
            if value is None:
                return 0
            origins.extend(value.origins)
            if isinstance(value, Unknown):
                raise MathUnknown(value.reason)
            try:
                return number(value.value.strip() or "0")
            except MathError:
                if depth > 5:
                    raise
                return calculate(value.value, lambda inner: read(inner, depth + 1), write)

        def write(name: str, value: int) -> None:
            self.shell.set(name, Known(str(value), tuple(dict.fromkeys(origins))[:8]))

        try:
            return Known(calculate(text.value, read, write), tuple(dict.fromkeys(origins))[:8])
        except MathUnknown as unknown:
            return Unknown(str(unknown), tuple(dict.fromkeys(origins))[:8])
        except MathError as error:
            raise ShellEnd(
                Exited(2 if self.shell.dialect != "bash" else 1, place),
                f"arithmetic error: {error}",
            ) from error

    # -- fields

    def _fields(self, word: Word) -> list[ArgWord]:
        builder = _Fields(word.place, self._separators())
        for piece in self._pieces(word, splits=True):
            builder.add(piece)
        fields = builder.finished()
        return [found for field in fields for found in self._globbed(field, word)]

    def _separators(self) -> str:
        value = self.shell.get("IFS")
        return value.value if isinstance(value, Known) else " \t\n"

    def _globbed(self, field: list[_Piece], word: Word) -> Iterator[ArgWord]:
        value = joined(piece.value for piece in field)
        if isinstance(value, Unknown):
            splits = any(p.splits for p in field if isinstance(p.value, Unknown))
            yield ArgWord(value, word.place, _prefix(field), splits)
            return
        text = value.value
        globs = any(
            not piece.quoted
            and isinstance(piece.value, Known)
            and any(c in piece.value.value for c in "*?[")
            for piece in field
        )
        if globs and "f" not in self.shell.options and "noglob" not in self.shell.options:
            pieces = [(p.value.value, p.quoted) for p in field if isinstance(p.value, Known)]
            pattern = Pattern(pieces)
            if pattern.literal is None:
                names = self.runner.glob(pattern, text)
                if names is None:
                    unknown = Unknown("the files that match are not known", value.origins)
                    yield ArgWord(unknown, word.place, "", True)
                    return
                for name in names:
                    yield ArgWord(Known(name, value.origins), word.place, name)
                if names or "nullglob" in self.shell.options:
                    return
        yield ArgWord(value, word.place, text)

    def _braces(self, word: Word) -> list[Word]:
        """Brace expansion, which dash and ash don't have."""
        if self.shell.dialect in ("dash", "ash") or "{" not in word.raw:
            return [word]
        for index, part in enumerate(word.parts):
            if isinstance(part, Literal) and not part.quoted and (match := _LIST.search(part.text)):
                return self._variants(word, index, part, match)
        return [word]

    def _variants(self, word: Word, index: int, part: Literal, match: re.Match[str]) -> list[Word]:
        found: list[Word] = []
        for choice in _choices(match[1]):
            text = part.text[: match.start()] + choice + part.text[match.end() :]
            parts = (*word.parts[:index], replace(part, text=text), *word.parts[index + 1 :])
            found += self._braces(replace(word, parts=parts))
            if len(found) > MAX_FIELDS:
                break
        return found

    # -- pieces

    def _joined_lists(self, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
        """`$@` where no fields are made: its items with spaces between."""
        gap = False
        for piece in pieces:
            if gap:
                yield _Piece(Known(" "), True)
            gap = piece.breaks
            yield piece

    def _pieces(self, word: Word, *, splits: bool) -> Iterator[_Piece]:
        for index, part in enumerate(word.parts):
            if (
                index == 0
                and isinstance(part, Literal)
                and not part.quoted
                and (part.text.startswith("~/") or (part.text == "~" and len(word.parts) == 1))
            ):
                part = self._tilde(part)
            yield from self._part(part, splits)

    def _tilde(self, part: Literal) -> Literal:
        home = self.shell.get("HOME")
        text = home.value if isinstance(home, Known) else "~"
        return replace(part, text=text + part.text[1:])

    def _part(self, part: Part, splits: bool) -> Iterator[_Piece]:
        if isinstance(part, Literal):
            origins = (Origin(part.place, note(part.place)),) if part.text else ()
            yield _Piece(Known(part.text, origins), part.quoted)
        elif isinstance(part, Parameter):
            yield from self._parameter(part, splits and not part.quoted)
        elif isinstance(part, Substitution):
            value = traced(
                self.runner.capture(part.script, part.place), Origin(part.place, note(part.place))
            )
            yield _Piece(value, part.quoted, splits and not part.quoted)
        elif isinstance(part, Arithmetic):
            result = mapped(self.number(part.expression), str)
            value = traced(result, Origin(part.place, note(part.place)))
            yield _Piece(value, part.quoted, splits and not part.quoted)
        elif isinstance(part, ProcessSubstitution):
            yield _Piece(self.runner.stream(part), True)

    def _parameter(self, part: Parameter, splits: bool) -> Iterator[_Piece]:
        if part.bad:
            raise ShellEnd(
                Exited(2 if self.shell.dialect != "bash" else 1, part.place), "bad substitution"
            )
        items = self._items(part)
        if items is not None and part.operator in ("", ":"):
            yield from self._list(part, items, splits)
            return
        origin = Origin(part.place, note(part.place))
        value = self.lookup(part)
        if part.operator in ("-", ":-", "=", ":=", "+", ":+", "?", ":?"):
            yield from self._conditional(part, value, items, splits)
            return
        if value is None and {"u", "nounset"} & self.shell.options:
            raise ShellEnd(
                Exited(2 if self.shell.dialect != "bash" else 1, part.place),
                f"{part.name} is not set, and `set -u` makes that an error",
            )
        result = traced(self._changed(part, value, items), origin)
        yield _Piece(result, part.quoted, splits)

    def _items(self, part: Parameter) -> list[Value[str]] | None:
        """The items of `$@`, `$*`, `${x[@]}`, `${x[*]}`; None for what is no list."""
        if part.name in ("@", "*"):
            return list(self.shell.args)
        if part.index is None or part.index.raw not in ("@", "*"):
            return None
        variable = self.shell.variables.get(part.name)
        if variable is None:
            return [] if self.shell.open_env is None else [self.shell.open_env]
        return list(variable.array) if variable.array is not None else [variable.value]

    def _list(self, part: Parameter, items: list[Value[str]], splits: bool) -> Iterator[_Piece]:
        if part.operator == ":":
            items = self._slice(part, items)
        origin = Origin(part.place, note(part.place))
        star = part.name == "*" or (part.index is not None and part.index.raw == "*")
        if star and part.quoted:
            separators = self._separators()
            value = joined(items, separators[:1])
            yield _Piece(traced(value, origin), True)
            return
        if not items:
            yield _Piece(Known(""), part.quoted, splits, list_empty=True)
        for index, item in enumerate(items):
            breaks = index + 1 < len(items)
            yield _Piece(traced(item, origin), part.quoted, splits, breaks)

    def _slice(self, part: Parameter, items: list[Value[str]]) -> list[Value[str]]:
        start = self.number(part.word) if part.word else Known(0)
        length = self.number(part.replacement) if part.replacement else None
        if isinstance(start, Unknown) or isinstance(length, Unknown):
            return [Unknown("which of the items are taken is not known")]
        whole = [self.shell.name, *items] if part.name in ("@", "*") else items
        first = start.value + (len(whole) if start.value < 0 else 0)
        if part.name in ("@", "*") and start.value == 0 and length is None:
            return whole
        return whole[first:] if length is None else whole[first : first + max(0, length.value)]

    def lookup(self, part: Parameter) -> Value[str] | None:
        """The value of the named parameter, operator aside; None where it is unset."""
        shell, name = self.shell, part.name
        if name.isdigit():
            index = int(name)
            if index == 0:
                return shell.name
            return shell.args[index - 1] if index <= len(shell.args) else None
        special: dict[str, Value[str]] = {
            "#": Known(str(len(shell.args))),
            "?": shell.status,
            "$": Unknown("a process id is only known when it runs"),
            "-": Unknown("`$-` is not followed"),
        }
        if name in special:
            return special[name]
        if name == "!":
            if not shell.jobs:
                return None
            place = shell.jobs[-1].place
            return Unknown(
                "a process id is only known when it runs", (Origin(place, "started here"),)
            )
        if name in ("@", "*"):
            return joined(shell.args, " ") if shell.args else None
        if part.index is not None:
            return self._element(part)
        if name == "BASH_SOURCE":
            return shell.name
        return shell.get(name)

    def _element(self, part: Parameter) -> Value[str] | None:
        assert part.index is not None
        variable = self.shell.variables.get(part.name)
        if part.name == "BASH_SOURCE":
            return self.shell.name
        if variable is None:
            return self.shell.open_env
        items = variable.array if variable.array is not None else (variable.value,)
        if part.index.raw in ("@", "*"):
            return joined(items, " ") if items else None
        index = self.number(part.index)
        if isinstance(index, Unknown):
            return index
        return items[index.value] if -len(items) <= index.value < len(items) else None

    def _conditional(
        self,
        part: Parameter,
        value: Value[str] | None,
        items: list[Value[str]] | None,
        splits: bool,
    ) -> Iterator[_Piece]:
        """`:-`, `:=`, `:+`, `:?` and those without the colon."""
        origin = Origin(part.place, note(part.place))
        kind = part.operator[-1]
        if isinstance(value, Unknown) and kind != "?" and not (is_filled(value) and kind == "+"):
            reason = value.reason
            yield _Piece(Unknown(reason, (origin, *value.origins)), part.quoted, splits)
            return
        missing = value is None or (
            part.operator.startswith(":") and isinstance(value, Known) and value.value == ""
        )
        if kind == "+":
            if not missing:
                yield from self._default(part, splits, origin)
            else:
                yield _Piece(Known("", (origin,)), part.quoted, splits)
        elif not missing and value is not None:
            if items is not None:
                yield from self._list(part, items, splits)
            else:
                yield _Piece(traced(value, origin), part.quoted, splits)
        elif kind == "-":
            yield from self._default(part, splits, origin)
        elif kind == "=":
            default = traced(self.text(part.word), origin)
            self.shell.set(part.name, default)
            yield _Piece(default, part.quoted, splits)
        else:
            message = self.text(part.word)
            said = message.value if isinstance(message, Known) and message.value else "not set"
            raise ShellEnd(
                Exited(2 if self.shell.dialect != "bash" else 1, part.place), f"{part.name}: {said}"
            )

    def _default(self, part: Parameter, splits: bool, origin: Origin) -> Iterator[_Piece]:
        if part.word is None or not part.word.parts:
            yield _Piece(Known("", (origin,)), part.quoted, splits)
            return
        for piece in self._pieces(part.word, splits=splits):
            yield replace(
                piece,
                value=traced(piece.value, origin),
                splits=splits and not piece.quoted,
                quoted=piece.quoted or part.quoted,
            )

    # -- changed values

    def _changed(
        self, part: Parameter, value: Value[str] | None, items: list[Value[str]] | None
    ) -> Value[str]:
        kind = part.operator
        if kind == "length" and items is not None:
            return Known(str(len(items)))
        if kind == "!":
            if value is None or isinstance(value, Unknown):
                return value or Known("")
            return self.shell.get(value.value) or Known("")
        if value is None:
            value = Known("")
        if kind == "" or isinstance(value, Unknown):
            return value
        text = value.value
        if kind == "length":
            return Known(str(len(text)), value.origins)
        if kind == ":":
            return self._substring(part, value)
        if kind[0] in "^,":
            change = str.upper if kind[0] == "^" else str.lower
            done = change(text) if len(kind) == 2 else change(text[:1]) + text[1:]
            return Known(done, value.origins)
        pattern = self.pattern(part.word)
        if isinstance(pattern, Unknown):
            return pattern
        try:
            if kind[0] == "/":
                return self._replaced(part, value, pattern)
            return Known(_trimmed(text, kind, pattern), value.origins)
        except TooLong:
            return Unknown("the text is too long to be followed", value.origins)

    def _substring(self, part: Parameter, value: Known[str]) -> Value[str]:
        start = self.number(part.word) if part.word else Known(0)
        length = self.number(part.replacement) if part.replacement else None
        if isinstance(start, Unknown):
            return start
        if isinstance(length, Unknown):
            return length
        text = value.value
        first = start.value + (len(text) if start.value < 0 else 0)
        if first < 0 or first > len(text):
            return Known("", value.origins)
        if length is None:
            return Known(text[first:], value.origins)
        last = first + length.value if length.value >= 0 else len(text) + length.value
        return Known(text[first : max(first, last)], value.origins)

    def _replaced(self, part: Parameter, value: Known[str], pattern: Pattern) -> Value[str]:
        new = self.text(part.replacement)
        if isinstance(new, Unknown):
            return new
        text = value.value
        if (literal := pattern.literal) is not None and not literal.startswith(("#", "%")):
            count = -1 if part.operator == "//" else 1
            done = text.replace(literal, new.value, count) if literal else text
            return Known(done, value.origins)
        if len(text) * len(text) * (len(pattern.tokens) + 1) > MAX_WORK or (
            part.word is not None and part.word.raw.startswith(("#", "%"))
        ):
            return Unknown("such a replacement is not followed", value.origins)
        return Known(_substituted(text, pattern, new.value, part.operator == "//"), value.origins)


def _trimmed(text: str, kind: str, pattern: Pattern) -> str:
    lengths = pattern.lengths(text, backwards=kind[0] == "%")
    length = next(lengths, None)
    if length is None:
        return text
    if len(kind) == 2:
        length = max(lengths, default=length)
    return text[length:] if kind[0] == "#" else text[: len(text) - length]


def _substituted(text: str, pattern: Pattern, new: str, every: bool) -> str:
    done: list[str] = []
    at = 0
    while at < len(text):
        longest = max(pattern.lengths(text[at:]), default=0)
        if longest == 0:
            done.append(text[at])
            at += 1
            continue
        done.append(new)
        at += longest
        if not every:
            break
    return "".join(done) + text[at:]


def _choices(inside: str) -> list[str]:
    if "," in inside:
        return inside.split(",")
    low, high = inside.split("..")
    if low.lstrip("-").isdigit():
        first, last = int(low), int(high)
        width = max(len(low), len(high)) if low.startswith("0") or high.startswith("0") else 0
        step = 1 if first <= last else -1
        stop = first + step * min(abs(last - first) + 1, MAX_FIELDS)
        return [str(n).zfill(width) for n in range(first, stop, step)]
    first, last = ord(low), ord(high)
    step = 1 if first <= last else -1
    return [chr(n) for n in range(first, last + step, step)]


def _prefix(field: list[_Piece]) -> str:
    known = ""
    for piece in field:
        if isinstance(piece.value, Unknown):
            break
        known += piece.value.value
    return known


class _Fields:
    """Collects pieces into fields as POSIX splits them."""

    def __init__(self, place: Place, separators: str) -> None:
        self.place = place
        self.white = "".join(c for c in separators if c in " \t\n")
        self.hard = "".join(c for c in separators if c not in " \t\n")
        self.fields: list[list[_Piece]] = []
        self.field: list[_Piece] = []
        self.list_empty = False

    def add(self, piece: _Piece) -> None:
        """One more piece."""
        if piece.list_empty:
            self.list_empty = True
        elif piece.splits and isinstance(piece.value, Known):
            self._split(piece, piece.value)
        elif piece.quoted or isinstance(piece.value, Unknown) or piece.value.value:
            self.field.append(piece)
        if piece.breaks:
            self._end()

    def _split(self, piece: _Piece, value: Known[str]) -> None:
        text, at = value.value, 0
        if len(self.fields) > MAX_FIELDS:
            return
        while at < len(text):
            start = at
            while at < len(text) and text[at] not in self.white and text[at] not in self.hard:
                at += 1
            if at > start:
                self.field.append(replace(piece, value=Known(text[start:at], value.origins)))
            if at == len(text):
                return
            while at < len(text) and text[at] in self.white:
                at += 1
            if at < len(text) and text[at] in self.hard:
                at += 1
                while at < len(text) and text[at] in self.white:
                    at += 1
                self._end(force=True)
            else:
                self._end()

    def _end(self, *, force: bool = False) -> None:
        if self.field or force:
            self.fields.append(self.field)
        self.field = []

    def finished(self) -> list[list[_Piece]]:
        """The fields."""
        if self.field:
            empty = all(isinstance(p.value, Known) and not p.value.value for p in self.field)
            if not (self.list_empty and empty):
                self._end()
        return self.fields
