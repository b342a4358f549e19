"""The small text tools that start scripts use, where what they print is settled by their words
and their input: `dirname`, `basename`, `realpath`, `seq`, `tr`, `cut`, `grep`, `xargs`...
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

Result = tuple[str, int]
"""What a tool prints, and its status."""

_MAX_SEQUENCE = 1000
_PLAIN_PATTERN = re.compile(r"\^?[A-Za-z0-9_ #=:/@,-]*\$?")
_RANGES = {"[:upper:]": "A-Z", "[:lower:]": "a-z", "[:digit:]": "0-9"}


def tool(
    words: Sequence[str], stdin: str | None, read: Callable[[str], str | None]
) -> Result | None:
    """What `words` print when `stdin` is piped into them; None where that is not followed.

    `read` gives the text of a file, None where it is not known; it raises FileNotFoundError where
    there is none, and so does this.
    """
    function = _TOOLS.get(posixpath.basename(words[0]))
    return function(list(words[1:]), stdin, read) if function is not None else None


def _dirname(args: list[str], stdin: str | None, read: object) -> Result | None:
    if len(args) != 1:
        return None
    folder = posixpath.dirname(args[0].rstrip("/") or "/")
    return (folder.rstrip("/") or ("/" if args[0].startswith("/") else ".")) + "\n", 0


def _basename(args: list[str], stdin: str | None, read: object) -> Result | None:
    if len(args) not in (1, 2) or args[0].startswith("-"):
        return None
    name = posixpath.basename(args[0].rstrip("/")) or "/"
    if len(args) == 2 and name != args[1]:
        name = name.removesuffix(args[1])
    return name + "\n", 0


def _realpath(args: list[str], stdin: str | None, read: object) -> Result | None:
    paths = [arg for arg in args if arg not in ("-f", "-m", "-e", "--")]
    if len(paths) != 1 or not paths[0].startswith("/"):
        return None
    return posixpath.normpath(paths[0]) + "\n", 0


def _seq(args: list[str], stdin: str | None, read: object) -> Result | None:
    if not 1 <= len(args) <= 3 or not all(re.fullmatch(r"-?[0-9]{1,9}", arg) for arg in args):
        return None
    first = int(args[0]) if len(args) > 1 else 1
    step = int(args[1]) if len(args) == 3 else 1
    if step == 0:
        return None
    numbers = range(first, int(args[-1]) + (1 if step > 0 else -1), step)
    if len(numbers) > _MAX_SEQUENCE:
        return None
    return "".join(f"{number}\n" for number in numbers), 0


def _tr(args: list[str], stdin: str | None, read: object) -> Result | None:
    if stdin is None or not args:
        return None
    if args[0] == "-d" and len(args) == 2:
        gone = _characters(args[1])
        return None if gone is None else ("".join(c for c in stdin if c not in gone), 0)
    if len(args) != 2 or args[0].startswith("-"):
        return None
    old, new = _characters(args[0]), _characters(args[1])
    if not old or not new:
        return None
    new = new.ljust(len(old), new[-1])
    return stdin.translate(
        dict(zip(map(ord, reversed(old)), reversed(new[: len(old)]), strict=True))
    ), 0


def _characters(text: str) -> str | None:
    for name, characters in _RANGES.items():
        text = text.replace(name, characters)
    text = text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
    if "\\" in text or "[" in text:
        return None
    done: list[str] = []
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            done += map(chr, range(ord(text[at]), min(ord(text[at + 2]), 0x7F) + 1))
            at += 3
        else:
            done.append(text[at])
            at += 1
    return "".join(done)


def _cut(args: list[str], stdin: str | None, read: Callable[[str], str | None]) -> Result | None:
    match = re.fullmatch(r"-d(.)-f([0-9]{1,3})(-?)", "".join(args), re.S)
    if stdin is None or match is None:
        return None
    separator, first = match[1], int(match[2]) - 1
    if first < 0:
        return None
    done: list[str] = []
    for line in _lines(stdin):
        pieces = line.split(separator)
        kept = pieces[first:] if match[3] else pieces[first : first + 1]
        done.append(separator.join(kept) if len(pieces) > 1 else line)
    return "".join(line + "\n" for line in done), 0


def _grep(args: list[str], stdin: str | None, read: Callable[[str], str | None]) -> Result | None:
    flags = "".join(arg[1:] for arg in args if arg.startswith("-"))
    rest = [arg for arg in args if not arg.startswith("-")]
    if set(flags) - set("vqEFi") or not 1 <= len(rest) <= 2:
        return None
    text = read(rest[1]) if len(rest) == 2 else stdin
    pattern = rest[0]
    if text is None or (not _PLAIN_PATTERN.fullmatch(pattern) and "F" not in flags):
        return None
    regex = re.compile(re.escape(pattern) if "F" in flags else pattern, re.I if "i" in flags else 0)
    lines = [line for line in _lines(text) if (regex.search(line) is None) == ("v" in flags)]
    printed = "" if "q" in flags else "".join(line + "\n" for line in lines)
    return printed, 0 if lines else 1


def _xargs(args: list[str], stdin: str | None, read: object) -> Result | None:
    """`xargs` and `xargs echo`: the words with their quotes taken off (POSIX, "xargs")."""
    if stdin is not None and args in (["-0"], ["-0", "echo"]):
        return stdin + "\n", 0
    if stdin is None or "\\" in stdin or args not in ([], ["echo"]):
        return None
    words: list[str] = []
    for match in _XARGS.finditer(stdin):
        pieces = _QUOTED.findall(match.group())
        words.append("".join(double or single or plain for double, single, plain in pieces))
    if "'" in (left := _XARGS.sub("", stdin)) or '"' in left:
        return None
    return " ".join(words) + "\n", 0


_QUOTED = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'|([^'\" \t\n])")
_XARGS = re.compile(r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^'\" \t\n])+")


def _head(args: list[str], stdin: str | None, read: Callable[[str], str | None]) -> Result | None:
    match = re.fullmatch(r"(?:-n ?|-)?([0-9]{1,6})? ?([^- ][^ ]*)?", " ".join(args))
    text = read(match[2]) if match and match[2] else stdin
    if match is None or text is None:
        return None
    return "".join(line + "\n" for line in _lines(text)[: int(match[1] or 10)]), 0


_AWK = re.compile(r"(?:/([^/]*)/)?\s*\{\s*print\s*\$([0-9])\s*;?\s*\}")


def _awk(args: list[str], stdin: str | None, read: Callable[[str], str | None]) -> Result | None:
    """`awk -F= '/^PORT/ {print $2}'`."""
    words = list(args)
    separator = None
    if words and words[0] == "-F" and len(words) > 1:
        separator, words = words[1], words[2:]
    elif words and words[0].startswith("-F"):
        separator, words = words[0][2:], words[1:]
    match = _AWK.fullmatch(words[0].strip()) if words and len(words) <= 2 else None
    text = read(words[1]) if len(words) == 2 else stdin
    pattern = match[1] or "" if match else ""
    if match is None or text is None or not _PLAIN_PATTERN.fullmatch(pattern):
        return None
    if separator is not None and not re.fullmatch(r"[^\s\\^$.|?*+()\[{]", separator.strip("'\"")):
        return None
    number = int(match[2])
    printed: list[str] = []
    for line in _lines(text):
        if re.search(pattern, line) is None:
            continue
        fields = line.split(separator.strip("'\"") if separator else None)
        printed.append(line if number == 0 else (fields[number - 1 : number] or [""])[0])
    return "".join(line + "\n" for line in printed), 0


def _expr(args: list[str], stdin: str | None, read: object) -> Result | None:
    if len(args) != 3 or args[1] not in ("+", "-", "*"):
        return None
    if not all(re.fullmatch(r"-?[0-9]{1,9}", args[index]) for index in (0, 2)):
        return None
    one, other = int(args[0]), int(args[2])
    value = {"+": one + other, "-": one - other, "*": one * other}[args[1]]
    return f"{value}\n", 0 if value else 1


def _lines(text: str) -> list[str]:
    """The lines of a text; a carriage return is a character like any other."""
    return text.removesuffix("\n").split("\n") if text else []


_TOOLS: dict[str, Callable[[list[str], str | None, Callable[[str], str | None]], Result | None]] = {
    "awk": _awk,
    "basename": _basename,
    "cut": _cut,
    "dirname": _dirname,
    "egrep": _grep,
    "expr": _expr,
    "grep": _grep,
    "head": _head,
    "readlink": _realpath,
    "realpath": _realpath,
    "seq": _seq,
    "tr": _tr,
    "xargs": _xargs,
}
