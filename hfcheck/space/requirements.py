"""Requirement files, project files and lock files of Python packages, read as text.

Each reader gives `Requirement`s with their places; a line that can't be read is left out.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from hfcheck.source import Place, SourceFile

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)[ =]?[ \t]*(\S+)")
_EGG = re.compile(r"#egg=([A-Za-z0-9._-]+)")
_OPTIONS = re.compile(r"\s--\w")
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package that is to be installed: its canonical name, the versions allowed (empty: any),
    its extras, and where that is written. `locked` marks the exact version of a lock file.
    """

    name: str
    specifier: SpecifierSet
    place: Place
    extras: frozenset[str] = frozenset()
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """Another requirement file that a requirement file names; `constraint` for `-c`."""

    path: str
    constraint: bool


def requirement(text: str, place: Place) -> Requirement | None:
    """One requirement as pip takes it (`uvicorn[standard]>=0.30 ; python_version > "3"`)."""
    try:
        parsed = Parsed(text)
    except InvalidRequirement:
        egg = _EGG.search(text)
        name = egg.group(1) if egg else ""
        return Requirement(canonicalize_name(name), SpecifierSet(), place) if name else None
    if parsed.marker is not None and not _applies(parsed):
        return None
    return Requirement(
        canonicalize_name(parsed.name), parsed.specifier, place, frozenset(parsed.extras)
    )


def _applies(parsed: Parsed) -> bool:
    """Whether a marker lets a requirement count on Linux; what is not plain counts."""
    text = str(parsed.marker)
    windows = ("win32", "Windows", "nt", "darwin", "Darwin")
    return not any(f'== "{name}"' in text for name in windows)


def requirements_txt(source: SourceFile) -> Iterator[Requirement | Include]:
    """The lines of a requirements.txt."""
    start = 0
    for line in re.findall(r"[^\n]*\n|[^\n]+\Z", source.text.replace("\\\n", "  ")):
        stripped = re.sub(r"(?:^|\s)#.*", "", line).strip()
        offset = start + (len(line) - len(line.lstrip()))
        start += len(line)
        if not stripped:
            continue
        if stripped.startswith("-"):
            include = _INCLUDE.match(stripped)
            if include is not None:
                yield Include(include.group(1), stripped.startswith(("-c", "--c")))
                continue
            stripped = re.sub(r"\A(?:-e|--editable)[ =]\s*", "", stripped)
            if stripped.startswith("-"):
                continue
        text = _OPTIONS.split(stripped, maxsplit=1)[0].strip()
        found = requirement(text, source.place(offset, offset + len(text)))
        if found is not None:
            yield found


def pyproject(source: SourceFile) -> list[Requirement]:
    """The dependencies of a pyproject.toml: PEP 621, or Poetry's own table."""
    data = toml(source)
    found: list[Requirement] = []
    for text in _list(_table(data, "project").get("dependencies")):
        if isinstance(text, str):
            made = requirement(text, _quoted(source, text))
            found += [made] if made else []
    poetry = _table(_table(_table(data, "tool"), "poetry"), "dependencies")
    for name, given in poetry.items():
        if name == "python":
            continue
        version = given.get("version", "*") if isinstance(given, dict) else given
        extras = given.get("extras", ()) if isinstance(given, dict) else ()
        if isinstance(version, str):
            found.append(
                Requirement(
                    canonicalize_name(name),
                    poetry_versions(version),
                    _key(source, name),
                    frozenset(str(extra) for extra in extras),
                )
            )
    return found


def pipfile(source: SourceFile) -> list[Requirement]:
    """The packages of a Pipfile."""
    found: list[Requirement] = []
    for name, given in _table(toml(source), "packages").items():
        version = given.get("version", "*") if isinstance(given, dict) else given
        if isinstance(version, str):
            text = "" if version == "*" else version
            found.append(Requirement(canonicalize_name(name), _set(text), _key(source, name)))
    return found


def toml_lock(source: SourceFile) -> list[Requirement]:
    """The packages of a uv.lock, poetry.lock or pdm.lock: `[[package]]` with name and version."""
    found: list[Requirement] = []
    for entry in _list(toml(source).get("package")):
        name = entry.get("name") if isinstance(entry, dict) else None
        version = entry.get("version") if isinstance(entry, dict) else None
        if isinstance(name, str) and isinstance(version, str):
            place = _quoted(source, name)
            made = Requirement(canonicalize_name(name), _set(f"=={version}"), place, locked=True)
            found.append(made)
    return found


def pipfile_lock(source: SourceFile) -> list[Requirement]:
    """The packages of a Pipfile.lock."""
    try:
        data = json.loads(source.text)
    except (ValueError, RecursionError):
        return []
    found: list[Requirement] = []
    for name, given in _table(data, "default").items():
        version = given.get("version") if isinstance(given, dict) else None
        if isinstance(version, str):
            place = _quoted(source, name)
            found.append(Requirement(canonicalize_name(name), _set(version), place, locked=True))
    return found


def conda(source: SourceFile) -> list[Requirement]:
    """The packages of a conda environment file, with those of its `pip:` list."""
    try:
        data = yaml.load(source.text, _Loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return []
    found: list[Requirement] = []
    for item in _list(_table(data, "dependencies", whole=True)):
        if isinstance(item, dict):
            for text in _list(item.get("pip")):
                made = requirement(str(text), _quoted(source, str(text)))
                found += [made] if made else []
        elif isinstance(item, str):
            name, _, version = item.partition("=")
            text = version.partition("=")[0].lstrip("=")
            spec = f"=={text}.*" if text and not text.endswith("*") else ""
            found.append(
                Requirement(canonicalize_name(name.strip()), _set(spec), _quoted(source, item))
            )
    return found


def poetry_versions(text: str) -> SpecifierSet:
    """Poetry's constraint (`^2.1`, `~1.2`, `*`, `2.1.*`, `>=1,<2`) as a specifier."""
    parts: list[str] = []
    for part in text.split("||")[0].split(","):
        part = part.strip()
        if part in ("", "*"):
            continue
        if part[0] in "^~" and not part.startswith("~="):
            parts += _range(part)
        elif part[0].isdigit():
            parts.append(f"=={part}")
        else:
            parts.append(part)
    return _set(",".join(parts))


def _range(text: str) -> list[str]:
    """The bounds that `^` (the leftmost number that is not 0 stays) and `~` mean."""
    low = text[1:].strip()
    numbers = [int(number) for number in _NUMBERS.findall(low.partition("+")[0])[:3]]
    if not numbers:
        return []
    if text[0] == "^":
        index = next((i for i, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        index = min(1, len(numbers) - 1)
    high = [*numbers[:index], numbers[index] + 1]
    return [f">={low}", f"<{'.'.join(map(str, high))}"]


def toml(source: SourceFile) -> dict[str, Any]:
    """The data of a TOML file; empty where it does not parse."""
    try:
        return tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _set(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return SpecifierSet()


def _table(data: object, name: str, *, whole: bool = False) -> Any:
    found = data.get(name) if isinstance(data, dict) else None
    return found if whole or isinstance(found, dict) else {}


def _list(data: object) -> list[Any]:
    return data if isinstance(data, list) else []


def _quoted(source: SourceFile, text: str) -> Place:
    """Where a text stands in a file; an empty place at its start where it is written otherwise."""
    start = source.text.find(text)
    return source.place(start, start + len(text)) if start >= 0 else source.place()


def _key(source: SourceFile, name: str) -> Place:
    match = re.search(rf'^[ \t]*"?{re.escape(name)}"?[ \t]*=[^\n]*', source.text, re.MULTILINE)
    return source.place(*match.span()) if match else source.place()
