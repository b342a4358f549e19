"""The releases of some packages, and which of them an installer would choose together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_TRIES = 2000
"""Most choices that are tried until an answer is given up."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release: the oldest Python it takes, what it needs, and what its extras need."""

    version: Version
    python: Version | None = None
    needs: tuple[Parsed, ...] = ()
    extras: Mapping[str, tuple[Parsed, ...]] = field(default_factory=dict)

    def wants(self, extras: frozenset[str]) -> Iterator[Parsed]:
        """What it needs with these extras."""
        yield from self.needs
        for extra in sorted(extras):
            yield from self.extras.get(extra, ())


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of one package: `choices` that must all hold (each several sets of limits, of
    which one is enough), extras, and whether something installs it (a constraint alone does not).
    """

    choices: tuple[tuple[SpecifierSet, ...], ...] = ()
    extras: frozenset[str] = frozenset()
    wanted: bool = False

    def and_(self, other: Demand) -> Demand:
        """Both demands together."""
        return Demand(
            self.choices + other.choices, self.extras | other.extras, self.wanted or other.wanted
        )

    def allows(self, version: Version) -> bool:
        """Whether a version fits, whatever kind of release it is."""
        return all(
            any(limits.contains(version, prereleases=True) for limits in choice)
            for choice in self.choices
        )

    @property
    def exact(self) -> Version | None:
        """The version that it pins."""
        for choice in self.choices:
            if len(choice) == 1 and (found := pinned(choice[0])) is not None:
                return found
        return None


def pinned(limits: SpecifierSet) -> Version | None:
    """The version that `==2.6.1` names; None where a choice is left."""
    for item in limits:
        if item.operator in ("==", "===") and not item.version.endswith("*"):
            try:
                return Version(item.version)
            except InvalidVersion:
                return None
    return None


@cache
def known_releases() -> dict[str, tuple[Release, ...]]:
    """releases.yaml: the releases of each package, oldest first."""
    text = Path(__file__).with_name("releases.yaml").read_text("utf-8")
    table = yaml.load(text, _Loader)
    return {name: tuple(_releases(lines)) for name, lines in table.items()}


def _releases(lines: list[dict[str, Any]]) -> Iterator[Release]:
    for line in lines:
        needs = tuple(map(Parsed, line.get("needs", ())))
        extras = {name: tuple(map(Parsed, texts)) for name, texts in line.get("extras", {}).items()}
        for version in _versions(str(line["versions"])):
            yield Release(version, Version(line["python"]), needs, extras)


def _versions(text: str) -> Iterator[Version]:
    for word in text.split():
        first, dash, last = word.partition("-")
        start, _, patch = first.rpartition(".")
        for number in range(int(patch), int(last if dash else patch) + 1):
            yield Version(f"{start}.{number}")


@dataclass(slots=True)
class Resolver:
    """Chooses releases as pip and uv do: the newest of each package that fits all the others.

    `python` is the image's (None: not known, any release counts). `kept` are the versions that
    are installed already: they stay where they fit.
    """

    python: Version | None
    kept: Mapping[str, Version]
    releases: Mapping[str, Sequence[Release]]
    tries: int = 0

    def resolve(self, demands: Mapping[str, Demand]) -> dict[str, Version] | None:
        """The versions of all packages that are wanted and known here, and of those they bring;
        None where nothing fits.
        """
        known = {name: demand for name, demand in demands.items() if name in self.releases}
        return self._choose(known, {})

    def _choose(
        self, demands: dict[str, Demand], chosen: dict[str, Release]
    ) -> dict[str, Version] | None:
        open_names = [n for n, demand in demands.items() if demand.wanted and n not in chosen]
        if not open_names:
            return {name: release.version for name, release in chosen.items()}
        name = min(open_names, key=lambda n: demands[n].exact is None)
        for release in self._candidates(name, demands[name]):
            self.tries += 1
            if self.tries > MAX_TRIES:
                return None
            after = self._with(demands, chosen, name, release)
            found = None if after is None else self._choose(after, {**chosen, name: release})
            if found is not None:
                return found
        return None

    def _with(
        self,
        demands: dict[str, Demand],
        chosen: dict[str, Release],
        name: str,
        release: Release,
    ) -> dict[str, Demand] | None:
        """The demands after a choice; None where an earlier choice does not fit them."""
        after = dict(demands)
        for need in release.wants(demands[name].extras):
            other = canonicalize_name(need.name)
            if other not in self.releases:
                continue
            demand = Demand(((need.specifier,),), frozenset(need.extras), wanted=True)
            after[other] = after.get(other, Demand()).and_(demand)
            if other in chosen and not after[other].allows(chosen[other].version):
                return None
        return after

    def _candidates(self, name: str, demand: Demand) -> Iterator[Release]:
        """The releases that fit, the preferred one first."""
        listed = self.releases[name]
        exact = demand.exact
        if exact is not None:
            if demand.allows(exact):
                yield _like(listed, exact)
            return
        fitting = [
            release
            for release in reversed(listed)
            if demand.allows(release.version)
            and (self.python is None or release.python is None or self.python >= release.python)
        ]
        kept = self.kept.get(name)
        if kept is not None and demand.allows(kept):
            yield _like(listed, kept)
        final = [release for release in fitting if not release.version.is_prerelease]
        yield from final or fitting


def _like(listed: Sequence[Release], version: Version) -> Release:
    """A release of this version: the listed one, else with the needs of the one before it."""
    before = [release for release in listed if release.version <= version]
    if not before:
        return Release(version)
    near = before[-1]
    if near.version == version:
        return near
    return Release(version, None, near.needs, near.extras)
