"""What a set-up lets in: the allowed origins, each with the place of its text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hfcheck.source import Place
from hfcheck.space.value import Known, Origin, Unknown, Value


@dataclass(frozen=True, slots=True)
class Entry:
    """One allowed origin, the place of its text, and the places that it came through.

    `variables` are the environment variables that take its place when they are set, `switches`
    those in the conditions under which it is there.
    """

    text: str
    place: Place
    origins: tuple[Origin, ...] = ()
    variables: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a set-up lets in at start: the entries known (all of them where `complete`), whether
    every origin is let in, and whether patterns take part. `reason` says what is not known.
    """

    entries: tuple[Entry, ...] = ()
    complete: bool = True
    everything: bool = False
    patterns: bool = False
    reason: str = ""


def allowed_by(value: Value[object], library: str, place: Place) -> Allowed:
    """What a value given as the list of origins lets in; `place` is where it is given."""
    if isinstance(value, Unknown):
        return Allowed(complete=False, reason=value.reason)
    given = value.value
    if isinstance(given, str):
        if given == "*":
            return Allowed(everything=True)
        if library == "starlette":
            return Allowed(complete=False, reason="it is one text, which is searched as a whole")
        return _of_items([value], library, place)
    if isinstance(given, (list, tuple, set, frozenset)):
        items = [i if isinstance(i, (Known, Unknown)) else Known(i, value.origins) for i in given]
        return _of_items(items, library, place)
    return Allowed(complete=False, reason="it is no list of texts")


def _of_items(items: list[Value[object]], library: str, place: Place) -> Allowed:
    entries: list[Entry] = []
    reason = ""
    for item in items:
        if isinstance(item, Unknown):
            reason = item.reason
        elif isinstance(item.value, str):
            where = literal_place(item.value, item.origins) or place
            entries.append(Entry(item.value, where, item.origins))
        else:
            reason = "an item is no text"
    everything = any(entry.text == "*" for entry in entries)
    if library == "flask-cors":
        everything = everything or any(entry.text == ".*" for entry in entries)
    patterns = library == "flask-cors" and any(set(e.text) & set("*\\]?$^[]()") for e in entries)
    return Allowed(tuple(entries), not reason, everything, patterns, reason)


def merged(parts: list[Allowed]) -> Allowed:
    """What several set-ups let in together."""
    return Allowed(
        tuple(entry for part in parts for entry in part.entries),
        all(part.complete for part in parts),
        any(part.everything for part in parts),
        any(part.patterns for part in parts),
        next((part.reason for part in parts if part.reason), ""),
    )


def literal_place(text: str, origins: tuple[Origin, ...]) -> Place | None:
    """The smallest of the places that shows `text`, narrowed to it where it is one of several in
    a longer text.
    """
    holding = [origin.place for origin in origins if text and text in origin.place.text]
    if not holding:
        return origins[-1].place if origins else None
    place = min(holding, key=lambda p: p.span.end - p.span.start)
    shown = place.text
    if len(shown) <= len(text) + 3 or shown.count(text) < 1:
        return place
    found = re.search(rf"(?<![^\s,'\"=]){re.escape(text)}(?![^\s,'\"])", shown)
    if found is None:
        return place
    start, end = found.span()
    quote = shown[start - 1 : start]
    if quote in ("'", '"') and shown[end : end + 1] == quote:  # the whole of a literal
        start, end = start - 1, end + 1
    return place.source.place(place.span.start + start, place.span.start + end)
