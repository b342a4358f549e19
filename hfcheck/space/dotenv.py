"""`.env` files, read as python-dotenv reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from hfcheck.source import SourceFile
from hfcheck.space.value import Known, Origin, Unknown, Value

_KEY = re.compile(
    r"\s*+(?:export[^\S\r\n]++)?+(?:'([^']+)'|([^=#\s'][^=#\s]*+))[^\S\r\n]*+(=[^\S\r\n]*+)?+"
)
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)\"""", re.DOTALL)
_PLAIN = re.compile(r"[^\r\n]*")
_NOTE = re.compile(r"\s+#.*")
_END = re.compile(r"[^\S\r\n]*+(?:#[^\r\n]*+)?(?:\r\n|\n|\r|\Z)")
_REST = re.compile(r"\s*[^\r\n]*")
_REFERENCE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

LookUp: TypeAlias = Callable[[str], "Value[str] | None"]
"""What the environment holds under a name; None where it is not set."""


def env_entries(
    source: SourceFile, environment: LookUp | None = None, *, override: bool = True
) -> dict[str, Value[str] | None]:
    """The entries of a file: None for a name that stands without `=`.

    `${NAME}` is what an earlier line or the environment gives, the file first with `override`.
    Without an `environment` a value that refers to others is Unknown.
    """
    found: dict[str, Value[str] | None] = {}
    for name, text, start, end in _lines(source.text):
        origin = Origin(source.place(start, end), source.text[start:end].strip())
        found[name] = None if text is None else _filled(text, found, environment, override, origin)
    return found


def env_file(source: SourceFile, environment: LookUp | None = None) -> dict[str, Value[str]]:
    """The variables that a file sets, as `env_entries` gives them."""
    entries = env_entries(source, environment)
    return {name: value for name, value in entries.items() if value is not None}


def _lines(text: str) -> Iterator[tuple[str, str | None, int, int]]:
    """Name, value and span of each entry; what is none is passed over to the end of its line."""
    at = 0
    while at < len(text):
        key = _KEY.match(text, at)
        value, end = _value(text, key) if key else (None, None)
        after = _END.match(text, end) if end is not None else None
        if key and after and end is not None:
            start = key.end() - len(key.group().lstrip())
            yield key.group(1) or key.group(2), value, start, end
            at = after.end()
        else:
            rest = _REST.match(text, end if end is not None else key.end() if key else at)
            at = max(rest.end() if rest else at, at + 1)


def _value(text: str, key: re.Match[str]) -> tuple[str | None, int | None]:
    """The value after a name, and where it ends (None: a quote that nothing closes)."""
    at = key.end()
    equals = key.group(3)
    if equals is None:
        return None, at
    if len(equals) > 1 and text.startswith("#", at):
        return "", at
    if not text.startswith(("'", '"'), at):
        plain = _PLAIN.match(text, at)
        written = plain.group() if plain else ""
        return _NOTE.sub("", written).rstrip(), at + len(written)
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        return None, None
    if quoted.group(1) is not None:
        return re.sub(r"\\([\\'])", r"\1", quoted.group(1)), quoted.end()
    escape = re.compile(r"""\\([\\'"abfnrtv])""")
    value = escape.sub(lambda match: _ESCAPES.get(match[1], match[1]), quoted.group(2))
    return value, quoted.end()


def _filled(
    text: str,
    earlier: dict[str, Value[str] | None],
    environment: LookUp | None,
    override: bool,
    origin: Origin,
) -> Value[str]:
    """A value with the variables that it refers to put in."""
    parts: list[str] = []
    at = 0
    for match in _REFERENCE.finditer(text):
        if environment is None:
            return Unknown("its value is made of others", (origin,))
        name = match["name"]
        outer = environment(name)
        in_file = name in earlier and (override or outer is None)
        value = earlier[name] if in_file else outer
        if isinstance(value, Unknown):
            return Unknown("its value is made of others", (origin, *value.origins))
        unset = "" if in_file else match["default"] or ""
        parts += [text[at : match.start()], unset if value is None else value.value]
        at = match.end()
    return Known("".join([*parts, text[at:]]), (origin,))
