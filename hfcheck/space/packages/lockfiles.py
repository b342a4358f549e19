"""Lock files: the exact versions that uv, Poetry, PDM, Pipenv and pip (PEP 751) wrote down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name
from packaging.version import Version

from hfcheck.source import SourceFile
from hfcheck.space.packages.tables import as_list, as_table, quoted_place, toml
from hfcheck.space.requirements import FROM_ADDRESS, Requirement, limits, marker_applies

SEVERAL = "the lock file has several versions of it, for different Pythons"
"""Why the version in a lock file is not known, where the Python of the image is not."""

_ADDRESSES = ("git", "url", "directory", "path", "vcs", "archive")


def toml_lock(source: SourceFile, python: Version | None = None) -> list[Requirement]:
    """The packages of a uv.lock, poetry.lock, pdm.lock (`[[package]]`) or pylock.toml
    (`[[packages]]`). Of several entries for one package those count whose markers apply.
    """
    data = toml(source)
    found: dict[str, list[Requirement]] = {}
    for entry in as_list(data.get("package")) + as_list(data.get("packages")):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or _applies(entry, python) is False:
            continue
        made = _locked(source, name, entry)
        if made is not None:
            found.setdefault(made.name, []).append(made)
    return [item for items in found.values() for item in _settled(items)]


def _locked(source: SourceFile, name: str, entry: dict[str, Any]) -> Requirement | None:
    version = entry.get("version")
    place = quoted_place(source, f'name = "{name}"')
    if not isinstance(version, str):
        address = any(key in entry for key in _ADDRESSES)
        unclear = FROM_ADDRESS if address else ""
        bare = Requirement(canonicalize_name(name), limits(""), place, locked=True, unclear=unclear)
        return bare if address else None
    return Requirement(canonicalize_name(name), limits(f"=={version}"), place, locked=True)


def _settled(items: list[Requirement]) -> Iterator[Requirement]:
    """One entry for a package; what is not clear where several versions are left."""
    if len({str(item.specifier) for item in items}) > 1:
        yield replace(items[0], unclear=SEVERAL)
    else:
        yield items[0]


def _applies(entry: dict[str, Any], python: Version | None) -> bool | None:
    """Whether an entry counts on Linux with this Python."""
    markers = as_list(entry.get("resolution-markers"))
    given = entry.get("markers", entry.get("marker"))
    if isinstance(given, dict):
        markers += list(given.values())
    elif isinstance(given, str):
        markers.append(given)
    answers = [_holds(str(marker), python) for marker in markers]
    if answers and not any(answer is not False for answer in answers):
        return False
    versions = entry.get("requires_python", entry.get("python-versions"))
    if python is not None and isinstance(versions, str):
        allowed = limits(versions)
        if not allowed.contains(f"{python.major}.{python.minor}.20"):
            return False
    return True


def _holds(marker: str, python: Version | None) -> bool | None:
    try:
        return marker_applies(Marker(marker), python)
    except InvalidMarker:
        return True


def pipfile_lock(source: SourceFile, python: Version | None = None) -> list[Requirement]:
    """The packages of a Pipfile.lock."""
    try:
        data = json.loads(source.text)
    except (ValueError, RecursionError):
        return []
    found: list[Requirement] = []
    for name, given in as_table(data, "default").items():
        if not isinstance(given, dict) or _applies(given, python) is False:
            continue
        version = given.get("version")
        place = quoted_place(source, f'"{name}"')
        if isinstance(version, str):
            found.append(Requirement(canonicalize_name(name), limits(version), place, locked=True))
        elif any(key in given for key in _ADDRESSES):
            found.append(
                Requirement(
                    canonicalize_name(name), limits(""), place, locked=True, unclear=FROM_ADDRESS
                )
            )
    return found
