"""Small helpers to read TOML and JSON data, and to find it again in the text."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from hfcheck.source import Place, SourceFile


def toml(source: SourceFile) -> dict[str, Any]:
    """The data of a TOML file; empty where it does not parse."""
    try:
        return tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def as_table(data: object, name: str) -> dict[str, Any]:
    """The table below a name; empty where there is none."""
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def as_list(data: object) -> list[Any]:
    """A list; empty where it is something else."""
    return data if isinstance(data, list) else []


def quoted_place(source: SourceFile, text: str) -> Place:
    """Where a text stands in a file; an empty place at its start where it is written otherwise."""
    start = source.text.find(text)
    return source.place(start, start + len(text)) if start >= 0 else source.place()


def key_place(source: SourceFile, name: str) -> Place:
    """The line that gives a key its value."""
    match = re.search(rf'^[ \t]*"?{re.escape(name)}"?[ \t]*=[^\n]*', source.text, re.MULTILINE)
    return source.place(*match.span()) if match else source.place()
