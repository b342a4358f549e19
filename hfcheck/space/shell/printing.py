"""What `echo` and `printf` print."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hfcheck.space.shell.arithmetic import MathError, number
from hfcheck.space.shell.host import Dialect
from hfcheck.space.shell.lex import decode_ansi

_ESCAPE = re.compile(r"\\(?:([abefnrtv\\])|0([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(c))")
_FORMAT = re.compile(r"%(?:(%)|([-+ 0#]*)(\*|[0-9]{1,4})?(?:\.([0-9]{1,4}))?([a-zA-Z]))")
_LETTERS = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
}
_MAX_ROUNDS = 1000


def echo(words: Sequence[str], dialect: Dialect) -> str | None:
    """The output of `echo words`; None where the shells differ and it is not known which it is.

    dash decodes escapes always and knows only `-n`; bash and ash decode them after `-e`.
    """
    if dialect == "sh":
        dash, bash = echo(words, "dash"), echo(words, "bash")
        return dash if dash == bash else None
    rest = list(words)
    newline, escapes = True, dialect == "dash"
    if dialect == "dash":
        if rest and rest[0] == "-n":
            newline = False
            del rest[0]
    else:
        while rest and re.fullmatch(r"-[neE]+", rest[0]):
            newline = newline and "n" not in rest[0]
            for letter in rest[0][1:]:
                escapes = letter == "e" if letter in "eE" else escapes
            del rest[0]
    text, stopped = " ".join(rest), False
    if escapes:
        text, stopped = unescaped(text)
    return text + ("\n" if newline and not stopped else "")


def unescaped(text: str) -> tuple[str, bool]:
    """The text with `echo -e` escapes decoded, and whether a `\\c` ended it."""
    done: list[str] = []
    at = 0
    for match in _ESCAPE.finditer(text):
        done.append(text[at : match.start()])
        at = match.end()
        letter, octal, hexa, stop = match.groups()
        if stop:
            return "".join(done), True
        done.append(_LETTERS[letter] if letter else chr(int(octal or hexa, 8 if octal else 16)))
    return "".join(done) + text[at:], False


def printf(form: str, words: Sequence[str]) -> str | None:
    """The output of `printf form words`; None where the format is not one that is followed."""
    form = decode_ansi(form)
    waiting = list(words)
    done: list[str] = []
    for _ in range(_MAX_ROUNDS):
        before = len(waiting)
        piece = _round(form, waiting)
        if piece is None:
            return None
        done.append(piece)
        if not waiting or len(waiting) == before:
            return "".join(done)
    return None


def _round(form: str, waiting: list[str]) -> str | None:
    done: list[str] = []
    at = 0
    for match in _FORMAT.finditer(form):
        done.append(form[at : match.start()])
        at = match.end()
        percent, flags, width, precision, kind = match.groups()
        if percent:
            done.append("%")
            continue
        if width == "*":
            return None
        piece = _converted(kind, waiting.pop(0) if waiting else "", flags, precision)
        if piece is None:
            return None
        size = int(width or 0)
        done.append(
            piece.ljust(size)
            if "-" in flags
            else piece.zfill(size)
            if "0" in flags and kind != "s"
            else piece.rjust(size)
        )
    rest = form[at:]
    return None if "%" in rest else "".join(done) + rest


def _converted(kind: str, word: str, flags: str, precision: str | None) -> str | None:
    if kind in "sb":
        text = unescaped(word)[0] if kind == "b" else word
        return text[: int(precision)] if precision is not None else text
    if kind == "c":
        return word[:1]
    if kind not in "diuxXo" or precision is not None or "#" in flags:
        return None
    try:
        value = number(word or "0") if word[:1] not in "+-" else -number(word[1:])
    except MathError:
        return None
    if word[:1] == "+":
        value = -value
    text = {"x": f"{value:x}", "X": f"{value:X}", "o": f"{value:o}"}.get(kind, str(value))
    return "+" + text if "+" in flags and value >= 0 and kind in "di" else text
