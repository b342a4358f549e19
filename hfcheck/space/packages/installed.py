"""The packages of the image, and their versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from hfcheck.space.packages.releases import Demand, Release, Resolver, known_releases, pinned
from hfcheck.space.requirements import Requirement
from hfcheck.space.value import Known, Origin, Unknown, Value

_LIMITS = frozenset(["<", "<=", "~=", "==", "===", "!="])


@dataclass(slots=True)
class _State:
    """What is installed after some steps: versions, and why others are not known."""

    versions: dict[str, Version] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)

    def settle(self, name: str, version: Version) -> None:
        self.versions[name] = version
        self.doubts.pop(name, None)

    def doubt(self, name: str, reason: str) -> None:
        self.versions.pop(name, None)
        self.doubts[name] = reason


@dataclass(slots=True)
class Packages:
    """The packages that the build installs by name, in the order of the steps that do so, and the
    Python of the image (None: not known). Those that packages bring along are known where a lock
    file lists them, and for the packages of releases.yaml.

    `complete` is false where an install names something that could not be read.
    """

    requirements: list[Requirement] = field(default_factory=list)
    complete: bool = True
    python: Version | None = None

    def has(self, name: str) -> bool:
        """Whether an install names the package (or a lock file lists it)."""
        return any(item.kind == "install" for item in self._named(name))

    def version_line(self, name: str) -> Value[str]:
        """The version that would be installed: exact ("2.6.1"), the versions allowed (">=2,<2.7"),
        or "newest"; Unknown where nothing names the package, or what names it tells no version.
        """
        if not self.has(name):
            return self._nothing(name)
        line: SpecifierSet | None = None
        unclear = ""
        for step in self._steps():
            mine = [item for item in step if item.name == canonicalize_name(name)]
            if not any(item.kind == "install" for item in mine):
                continue
            given = _specifier(mine)
            version = pinned(line) if line is not None else None
            stays = version is not None and given.contains(version, prereleases=True)
            if not stays or any(item.upgrade for item in mine):
                line = given
                unclear = next((item.unclear for item in mine if item.unclear), "")
        origins = self._origins(name)
        if unclear or line is None:
            return Unknown(unclear, origins)
        exact = pinned(line)
        if exact is not None:
            return Known(str(exact), origins)
        limited = any(item.operator in _LIMITS for item in line)
        return Known(str(line) if limited else "newest", origins)

    def newest_of(self, name: str, versions: Sequence[str]) -> Value[str]:
        """The version that would be installed, together with all the others.

        `versions` are those that exist, oldest first; for a package of releases.yaml the real
        releases count instead. Unknown where no version fits, nothing installs the package, or
        the files don't tell its version.
        """
        wanted = canonicalize_name(name)
        releases: dict[str, Sequence[Release]] = dict(known_releases())
        releases.setdefault(wanted, [Release(Version(item)) for item in versions])
        state = _State()
        for step in self._steps():
            self._install(step, releases, state)
        if wanted in state.versions:
            return Known(str(state.versions[wanted]), self._origins(name))
        if wanted in state.doubts:
            return Unknown(state.doubts[wanted], self._origins(name))
        return self._nothing(name)

    def _install(
        self, step: list[Requirement], releases: dict[str, Sequence[Release]], state: _State
    ) -> None:
        """Do what one step does to what is installed."""
        locked = {item.name for item in step if item.locked}
        demands: dict[str, Demand] = {}
        open_ones: set[str] = set()
        named: dict[str, list[Requirement]] = {}
        for item in step:
            named.setdefault(item.name, []).append(item)
        for name, mine in named.items():
            unclear = next((item.unclear for item in mine if item.unclear), "")
            exact = pinned(_specifier(mine))
            if unclear:
                state.doubt(name, unclear)
                open_ones.add(name)
            elif name in locked and exact is not None:
                state.settle(name, exact)
            else:
                demands[name] = _demand(mine)
        upgraded = {item.name for item in step if item.upgrade}
        kept = {name: version for name, version in state.versions.items() if name not in upgraded}
        found = Resolver(self.python, kept, releases).resolve(demands)
        if found is None:
            self._contradiction(demands, state)
        for name, version in (found or {}).items():
            if name not in locked | open_ones:
                state.settle(name, version)

    def _contradiction(self, demands: dict[str, Demand], state: _State) -> None:
        """No release fits all limits: only what is pinned on its own is told."""
        for name, demand in demands.items():
            exact = demand.exact
            if exact is not None and demand.allows(exact):
                state.settle(name, exact)
            elif demand.wanted:
                state.doubt(name, f"no known version of `{name}` fits all the requirements")

    def _steps(self) -> Iterator[list[Requirement]]:
        for step in sorted({item.step for item in self.requirements}):
            yield [item for item in self.requirements if item.step == step]

    def _named(self, name: str) -> list[Requirement]:
        wanted = canonicalize_name(name)
        return [item for item in self.requirements if item.name == wanted]

    def _origins(self, name: str) -> tuple[Origin, ...]:
        """Where the version is decided: what names the package, the strictest first; without any,
        what brings it.
        """
        found = self._named(name) or [r for r in self.requirements if r.name in known_releases()]
        found = sorted(
            found,
            key=lambda item: (not item.locked, pinned(item.specifier) is None, not item.specifier),
        )
        return tuple(Origin(item.place, item.place.text.strip()) for item in found[:3])

    def _nothing(self, name: str) -> Unknown:
        if self.complete:
            return Unknown(f"no requirement names `{name}`")
        return Unknown(f"no requirement that can be read names `{name}`")


def _deciding(items: list[Requirement]) -> list[Requirement]:
    """The requirements of one package in one step that count: a lock goes over all others, then
    an override.
    """
    locked = [item for item in items if item.locked]
    return locked or [item for item in items if item.kind == "override"] or items


def _specifier(items: list[Requirement]) -> SpecifierSet:
    """The limits of one package in one step, together."""
    together = SpecifierSet()
    for item in _deciding(items):
        together &= item.specifier
    return together


def _demand(items: list[Requirement]) -> Demand:
    choices = tuple((item.specifier, *item.instead) for item in _deciding(items))
    extras = frozenset[str]().union(*(item.extras for item in items))
    return Demand(choices, extras, any(item.kind == "install" for item in items))
