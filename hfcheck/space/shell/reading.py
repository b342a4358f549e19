"""`read` and `mapfile`: lines of the input that become variables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hfcheck.source import Place
from hfcheck.space.shell.host import ArgWord
from hfcheck.space.shell.state import Shell, traced
from hfcheck.space.shell.status import FAILED, OK, Status, known_text, only_then
from hfcheck.space.shell.words import note
from hfcheck.space.value import Known, Origin, Unknown, Value

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _read_words(args: Sequence[ArgWord]) -> tuple[list[str], set[str]]:
    """The names that `read` is given, and the letters of its options."""
    names: list[str] = []
    flags: set[str] = set()
    rest = [known_text(arg) or "" for arg in args]
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            flags |= set(word[1:])
            if word[-1:] in set("pdnNtui") and len(word) > 1 and rest:
                del rest[0]
        elif _NAME.fullmatch(word):
            names.append(word)
    return names or ["REPLY"], flags


def _fields(text: str, most: int, ifs: str) -> list[str]:
    """A line split at the characters of IFS as `read` does (POSIX, "Field Splitting"): into
    `most` words at most, the last of which holds the rest; 0 is without limit.
    """
    white = "".join(char for char in ifs if char in " \t\n")
    marks = "".join(char for char in ifs if char not in " \t\n")
    words: list[str] = []
    rest = text.strip(white)
    blank = f"[{re.escape(white)}]" if white else "(?!)"
    mark = f"[{re.escape(marks)}]" if marks else "(?!)"
    gap = re.compile(f"(?:{blank})*{mark}(?:{blank})*|(?:{blank})+")
    while rest and len(words) + 1 != most:
        match = gap.search(rest)
        if match is None:
            break
        words.append(rest[: match.start()])
        rest = rest[match.end() :]
        if not rest:
            return words
    if rest and most and marks and rest[-1] in marks and not any(c in marks for c in rest[:-1]):
        rest = rest[:-1].rstrip(white)
    return [*words, rest] if rest else words


class Reading:
    """The built-in commands that read the input of the shell."""

    shell: Shell
    stdin: Value[str] | None

    def _read(self, args: Sequence[ArgWord], place: Place) -> Status:
        names, flags = _read_words(args)
        line: Value[str] | None = Unknown("what `read` reads is not known")
        if self.stdin is None:
            line = None
        elif isinstance(self.stdin, Known) and not flags & set("dnNtu"):
            line = self._next_line(self.stdin, raw="r" in flags)
        if isinstance(line, Unknown):
            for name in names:
                self.shell.set(name, traced(line, Origin(place, note(place))))
            return only_then(place)
        separators = self.shell.get("IFS")
        if isinstance(separators, Unknown):
            return only_then(place)
        ifs = " \t\n" if separators is None else separators.value
        origins = (Origin(place, note(place)), *(line.origins if line is not None else ()))
        text = line.value if line is not None else ""
        if "a" in flags and names:
            words = _fields(text.removesuffix("\n"), 0, ifs)
            self.shell.set_array(names[0], tuple(Known(word, origins) for word in words))
        else:
            words = _fields(text.removesuffix("\n"), len(names), ifs)
            for index, name in enumerate(names):
                value = words[index] if index < len(words) else ""
                self.shell.set(name, Known(value, origins))
        return OK if text.endswith("\n") else FAILED

    def _next_line(self, stdin: Known[str], *, raw: bool) -> Value[str]:
        """The next line of the input with its end, which is taken from it."""
        line, end, rest = stdin.value.partition("\n")
        if not raw and "\\" in line:
            return Unknown("what `read` makes of a backslash is not followed")
        self.stdin = Known(rest, stdin.origins)
        return Known(line + end, stdin.origins)

    def _mapfile(self, args: Sequence[ArgWord], place: Place) -> Status:
        words = [known_text(arg) or "" for arg in args]
        names = [word for word in words if not word.startswith("-")] or ["MAPFILE"]
        stdin = self.stdin
        if not isinstance(stdin, Known) or set(words) - {"-t", names[0]}:
            self.shell.set(names[0], Unknown("what `mapfile` reads is not known"))
            return Status(None, 0)
        lines = stdin.value.splitlines(keepends="-t" not in words)
        self.shell.set_array(names[0], tuple(Known(line, stdin.origins) for line in lines))
        self.stdin = Known("", stdin.origins)
        return OK
