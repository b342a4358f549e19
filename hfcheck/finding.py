"""What a check reports: a finding with its places, its severity and its fix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from hfcheck.source import Place
from hfcheck.space.value import Origin


class Severity(IntEnum):
    """How sure and how bad: error breaks the Space for certain, warning under a condition that
    files can't show, info is advice.
    """

    info = 1
    warning = 2
    error = 3


class Role(StrEnum):
    """What a location is to its finding: where the mistake is, or a place that makes it true."""

    primary = "primary"
    related = "related"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a finding, with a short label for the reader (may be empty)."""

    place: Place
    role: Role
    label: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: `rule` names it, the first location is the primary one.

    `severity` is None where the rule's own holds; a check may only lower it. `fix` is the edit in
    words, for this very place; None where the rule's general text says it all.
    """

    rule: str
    message: str
    locations: tuple[Location, ...]
    severity: Severity | None = None
    fix: str | None = None

    @property
    def primary(self) -> Location:
        """The location where the mistake is."""
        return self.locations[0]


def finding(
    rule: str,
    message: str,
    at: Place,
    *,
    label: str = "",
    related: tuple[Origin, ...] | list[Origin] = (),
    severity: Severity | None = None,
    fix: str | None = None,
) -> Finding:
    """Build a finding: the primary place `at`, and related places (without repeats of it)."""
    locations = [Location(at, Role.primary, label)]
    seen = {at}
    for origin in related:
        if origin.place not in seen:
            seen.add(origin.place)
            locations.append(Location(origin.place, Role.related, origin.note))
    return Finding(rule, message, tuple(locations), severity, fix)
