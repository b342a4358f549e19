"""What `echo` and `printf` print, as the shells of the base images do it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ESCAPE = re.compile(r"\\(?:([abefnrtv\\])|0([0-7]{0,3})|x([0-9A-Fa-f]{1,2}))")
_OCTAL = re.compile(r"\\(?:([abefnrtv\\\"'])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2}))")
_LETTERS = dict(zip("abefnrtv", "\a\b\x1b\f\n\r\t\v", strict=True))
_FORMAT = re.compile(r"%(%|s|b|d|i)")


def echo(words: list[str | None], dialect: str | None) -> str | None:
    """What `echo` prints; None where a word, or the shell's way with escapes, is not known.

    dash takes `-n` only and always decodes escapes; bash and ash decode them after `-e`.
    """
    if any(word is None for word in words):
        return None
    texts = [word or "" for word in words]
    if dialect is None and any("\\" in text or text[:2] in ("-e", "-E") for text in texts):
        return None
    newline, decode = "\n", dialect == "dash"
    known = r"-n" if dialect == "dash" else r"-[neE]+"
    while texts and re.fullmatch(known, texts[0]):
        option = texts.pop(0)
        newline = "" if "n" in option else newline
        decode = decode or "e" in option
    line = " ".join(texts)
    if decode:
        line, stop, _ = line.partition("\\c")
        line = _ESCAPE.sub(_decoded, line)
        newline = "" if stop else newline
    return line + newline


def printf(words: list[str | None]) -> str | None:
    """What `printf` prints; None where it has anything but `%s`, `%b`, `%d` and `%%`."""
    if not words or any(word is None for word in words):
        return None
    form, *values = [word or "" for word in words]
    form = form if form != "--" or not values else values.pop(0)
    if "%" in _FORMAT.sub("", form) or form.startswith("-"):
        return None
    holes = len([kind for kind in _FORMAT.findall(form) if kind != "%"])
    printed: list[str] = []
    while True:
        rest = iter(values[:holes])
        printed.append(_filled(form, rest))
        values = values[holes:]
        if not values or not holes:
            return "".join(printed)


def _filled(form: str, rest: Iterator[str]) -> str:
    pieces: list[str] = []
    position = 0
    for match in _FORMAT.finditer(form):
        pieces.append(_OCTAL.sub(_decoded, form[position : match.start()]))
        position = match.end()
        if match[1] == "%":
            pieces.append("%")
        else:
            value = next(rest, "0" if match[1] in "di" else "")
            pieces.append(_ESCAPE.sub(_decoded, value) if match[1] == "b" else value)
    pieces.append(_OCTAL.sub(_decoded, form[position:]))
    return "".join(pieces)


def _decoded(match: re.Match[str]) -> str:
    if match[1]:
        return _LETTERS.get(match[1], match[1])
    digits = match[2] if match[2] is not None else match[3]
    return chr(int(digits or "0", 8 if match[2] is not None else 16) & 0xFF)
