"""The facts of a Space as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hfcheck.report.mask import shown, shown_values
from hfcheck.report.paths import shown_path
from hfcheck.space.facts import facts
from hfcheck.space.model import Space


def lines(space: Space) -> Iterator[str]:
    """What was worked out about a Space, one fact a line, and how it came to be."""
    site = space.site
    yield f"Space {shown_path(site.root)}"
    yield f"  context: {shown_path(site.context)}"
    yield f"  Dockerfile: {shown_path(site.dockerfile) if site.dockerfile else 'none'}"
    yield f"  README: {shown_path(site.readme) if site.readme else 'none'}"
    for note in site.notes:
        yield f"  note: {shown(note)}"
    for name, value in shown_values(facts(space)).items():  # type: ignore[attr-defined]
        if name == "settings":
            yield from _settings(value)
        else:
            yield from _fact(name, value, 1)


def _fact(name: str, value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, dict):
        yield f"{indent}{name}:"
        for key, inner in value.items():
            yield from _fact(key, inner, depth + 1)
    elif isinstance(value, list):
        yield f"{indent}{name}:{'' if value else ' none'}"
        for inner in value:
            yield f"{indent}  - {shown(str(inner))}"
    else:
        yield f"{indent}{name}: {shown(_word(value))}"


def _word(value: object) -> str:
    words = {None: "none", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _settings(fields: list[dict[str, Any]]) -> Iterator[str]:
    yield f"  settings:{'' if fields else ' none'}"
    for field in fields:
        names = " or ".join(field["environment"]) or "not known"
        verdicts = ", ".join(f"{name}: {word}" for name, word in field["verdicts"].items())
        yield f"    - {field['class']}.{field['name']} ({field['at']}) from {names}; {verdicts}"
