"""Project files: what pyproject.toml, setup.cfg, setup.py, a Pipfile and a conda environment file
ask for.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml
from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from hfcheck.source import Place, SourceFile
from hfcheck.space.packages.tables import as_list, as_table, key_place, quoted_place, toml
from hfcheck.space.requirements import (
    FROM_ADDRESS,
    PYTHON_DECIDES,
    Include,
    Kind,
    Requirement,
    limits,
    marker_applies,
    requirement,
)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_ADDRESSES = ("git", "url", "path", "file")
_NUMBERS = re.compile(r"\d+")
_CONDA = re.compile(
    r"(?:[\w.-]+::)?([\w.-]+)[ \t]*(?:\[version=['\"]?([^'\"\]]*)['\"]?[^\]]*\]|(.*))"
)

MAX_GROUPS = 50
"""Most groups and extras that are followed into each other."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which parts of a project are installed: extras, groups, or `all` of both. `resolved` tells
    that the tool resolves all parts together, so that those left out limit the versions too.
    """

    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    resolved: bool = False


def pyproject(
    source: SourceFile, wanted: Wanted | None = None, python: Version | None = None
) -> list[Requirement]:
    """The dependencies of a pyproject.toml: PEP 621, PEP 735 and the tables of Poetry, uv, PDM."""
    wanted = wanted or Wanted()
    data = toml(source)
    reader = _Pyproject(source, data, python)
    found = list(reader.standard(wanted))
    found += reader.poetry(wanted)
    found += reader.uv(wanted)
    sources = as_table(as_table(as_table(data, "tool"), "uv"), "sources")
    aside = {canonicalize_name(name) for name, given in sources.items() if _is_address(given)}
    if not wanted.resolved:
        return found  # pip does not look at uv's tables
    return [replace(item, unclear=FROM_ADDRESS) if item.name in aside else item for item in found]


def included_files(source: SourceFile) -> list[str]:
    """The requirement files that setuptools takes the dependencies of a pyproject.toml from."""
    table: Any = toml(source)
    for name in ("tool", "setuptools", "dynamic", "dependencies"):
        table = as_table(table, name)
    given = table.get("file")
    return [given] if isinstance(given, str) else [str(path) for path in as_list(given)]


def default_groups(source: SourceFile) -> frozenset[str]:
    """The groups that uv installs when none is named."""
    given = as_table(as_table(toml(source), "tool"), "uv").get("default-groups", ["dev"])
    return frozenset(map(str, given)) if isinstance(given, list) else frozenset()


def oldest_python(source: SourceFile) -> Version | None:
    """The oldest Python that a pyproject.toml says it supports."""
    data = toml(source)
    text = as_table(data, "project").get("requires-python")
    if not isinstance(text, str):
        poetry = as_table(as_table(data, "tool"), "poetry")
        given = as_table(poetry, "dependencies").get("python")
        text = str(poetry_versions(given)[-1]) if isinstance(given, str) else ""
    lowest = [item.version for item in limits(text) if item.operator in (">=", "~=", "==", ">")]
    try:
        return Version(lowest[0].removesuffix(".*")) if lowest else None
    except InvalidVersion:
        return None


def _is_address(given: object) -> bool:
    each = given if isinstance(given, list) else [given]
    return any(isinstance(one, dict) and any(key in one for key in _ADDRESSES) for one in each)


class _Pyproject:
    def __init__(self, source: SourceFile, data: dict[str, Any], python: Version | None) -> None:
        self.source = source
        self.data = data
        self.python = python

    def standard(self, wanted: Wanted) -> Iterator[Requirement]:
        """`[project]` with its extras, `[dependency-groups]`."""
        project = as_table(self.data, "project")
        name = canonicalize_name(str(project.get("name", "")))
        yield from self._lines(project.get("dependencies"))
        extras: dict[str, Any] = {
            canonicalize_name(key): lines
            for key, lines in as_table(project, "optional-dependencies").items()
        }
        waiting: list[str] = sorted(extras) if wanted.resolved else sorted(wanted.extras)
        seen: set[str] = set()
        while waiting and len(seen) < MAX_GROUPS:
            extra = canonicalize_name(waiting.pop())
            if extra in seen:
                continue
            seen.add(extra)
            for made in self._lines(extras.get(extra)):
                if made.name == name:
                    waiting += made.extras
                else:
                    yield self._part(made, extra in wanted.extras)
        groups = as_table(self.data, "dependency-groups")
        for group in groups if wanted.resolved else wanted.groups:
            for made in self._group(groups, group, 0):
                yield self._part(made, group in wanted.groups)

    def _group(self, groups: dict[str, Any], name: str, depth: int) -> Iterator[Requirement]:
        same = (key for key in groups if canonicalize_name(key) == canonicalize_name(name))
        for line in as_list(groups.get(next(same, ""))):
            if isinstance(line, dict) and depth < MAX_GROUPS:
                yield from self._group(groups, str(line.get("include-group", "")), depth + 1)
            else:
                yield from self._lines([line])

    def poetry(self, wanted: Wanted) -> Iterator[Requirement]:
        """`[tool.poetry.dependencies]` and Poetry's groups."""
        poetry = as_table(as_table(self.data, "tool"), "poetry")
        yield from self._poetry(as_table(poetry, "dependencies"), installed=True)
        groups = {"dev": as_table(poetry, "dev-dependencies")}
        for name, group in as_table(poetry, "group").items():
            groups[name] = {**groups.get(name, {}), **as_table(group, "dependencies")}
        for name, table in groups.items():
            if wanted.resolved or name in wanted.groups:
                yield from self._poetry(table, installed=name in wanted.groups)

    def _poetry(self, table: dict[str, Any], *, installed: bool) -> Iterator[Requirement]:
        for name, given in table.items():
            if name == "python":
                continue
            for one in given if isinstance(given, list) else [given]:
                made = self._poetry_one(name, one)
                if made is not None:
                    yield self._part(made, installed)

    def _poetry_one(self, name: str, given: object) -> Requirement | None:
        table = given if isinstance(given, dict) else {"version": given}
        versions = poetry_versions(str(table.get("version", "*")))
        made = Requirement(
            canonicalize_name(name),
            versions[-1],
            key_place(self.source, name),
            frozenset(str(extra) for extra in as_list(table.get("extras"))),
            instead=tuple(versions[:-1]),
        )
        if any(key in table for key in _ADDRESSES):
            return replace(made, unclear=FROM_ADDRESS)
        applies = self._poetry_applies(table)
        if applies is None:
            return replace(made, unclear=PYTHON_DECIDES)
        return made if applies else None

    def _poetry_applies(self, table: dict[str, Any]) -> bool | None:
        """Whether `python = "<3.9"` and `markers` let a dependency count."""
        if "python" in table:
            if self.python is None:
                return None
            allowed = poetry_versions(str(table["python"]))
            if not any(each.contains(self.python) for each in allowed):
                return False
        if table.get("platform") not in (None, "linux"):
            return False
        if "markers" in table:
            try:
                return marker_applies(Marker(str(table["markers"])), self.python)
            except InvalidMarker:
                return True
        return True

    def uv(self, wanted: Wanted) -> Iterator[Requirement]:
        """`[tool.uv]` and `[tool.pdm]`: further dependencies, constraints, overrides."""
        if not wanted.resolved:
            return
        uv = as_table(as_table(self.data, "tool"), "uv")
        installed = "dev" in wanted.groups
        for made in self._lines(uv.get("dev-dependencies")):
            yield self._part(made, installed)
        for made in self._lines(uv.get("constraint-dependencies")):
            yield replace(made, kind="constraint")
        for made in self._lines(uv.get("override-dependencies")):
            yield replace(made, kind="override")
        pdm = as_table(as_table(self.data, "tool"), "pdm")
        for lines in as_table(pdm, "dev-dependencies").values():
            for made in self._lines(lines):
                yield self._part(made, installed)

    def _part(self, made: Requirement, installed: bool) -> Requirement:
        """A requirement of a part: a constraint where the part is only resolved."""
        kind: Kind = made.kind if installed else "constraint"
        return replace(made, kind=kind)

    def _lines(self, given: object) -> Iterator[Requirement]:
        for text in as_list(given):
            if isinstance(text, str):
                made = requirement(text, quoted_place(self.source, text), self.python)
                if made is not None:
                    yield made


def setup_cfg(
    source: SourceFile, extras: Iterable[str] = (), python: Version | None = None
) -> list[Requirement]:
    """The dependencies of a setup.cfg, with those of some extras."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(source.text)
    except configparser.Error:
        return []
    lines = parser.get("options", "install_requires", fallback="").splitlines()
    for extra in extras:
        lines += parser.get("options.extras_require", extra, fallback="").splitlines()
    return list(_requirements(source, map(str.strip, lines), python))


def setup_py(
    source: SourceFile, extras: Iterable[str] = (), python: Version | None = None
) -> list[Requirement | Include] | None:
    """The dependencies that a setup.py writes as a list, or the requirement file that it seems to
    read; None where it does neither.
    """
    try:
        module = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    bound = {
        node.targets[0].id: node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    options = {
        keyword.arg: bound.get(keyword.value.id, keyword.value)
        if isinstance(keyword.value, ast.Name)
        else keyword.value
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in ("install_requires", "extras_require")
    }
    texts = _literal(options.get("install_requires"))
    file = re.search(r"['\"]([\w./-]{0,99}requirements[\w./-]{0,99}\.txt)['\"]", source.text)
    if texts is None:
        if file is not None:
            return [Include(file[1], constraint=False)]
        return None if "install_requires" in options else []
    parts = _literal(options.get("extras_require"))
    lines = list(texts) if isinstance(texts, list | tuple) else []
    for extra in extras:
        lines += as_list(parts.get(extra)) if isinstance(parts, dict) else []
    return list(_requirements(source, map(str, lines), python))


def _literal(node: ast.expr | None) -> Any:
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _requirements(
    source: SourceFile, texts: Iterable[str], python: Version | None
) -> Iterator[Requirement]:
    for text in texts:
        made = requirement(text, quoted_place(source, text), python) if text else None
        if made is not None:
            yield made


def pipfile(source: SourceFile, python: Version | None = None) -> list[Requirement]:
    """The packages of a Pipfile."""
    found: list[Requirement] = []
    for name, given in as_table(toml(source), "packages").items():
        table = given if isinstance(given, dict) else {"version": given}
        version = str(table.get("version", "*"))
        text = "" if version == "*" else version
        made = Requirement(
            canonicalize_name(name),
            limits(text),
            key_place(source, name),
            frozenset(str(extra) for extra in as_list(table.get("extras"))),
            unclear=FROM_ADDRESS if any(key in table for key in _ADDRESSES) else "",
        )
        marker = table.get("markers")
        try:
            applies = marker_applies(Marker(marker), python) if isinstance(marker, str) else True
        except InvalidMarker:
            applies = True
        if applies is not False:
            found.append(made if applies else replace(made, unclear=PYTHON_DECIDES))
    return found


def conda(source: SourceFile, python: Version | None = None) -> list[Requirement | Include]:
    """The packages of a conda environment file, with those of its `pip:` list."""
    try:
        data = yaml.load(source.text, _Loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return []
    found: list[Requirement | Include] = []
    items = as_list(data.get("dependencies") if isinstance(data, dict) else None)
    for item in items:
        if isinstance(item, dict):
            for line in as_list(item.get("pip")):
                text = str(line)
                file = re.match(r"(-r|--requirement|-c|--constraint)[ =]*(\S+)", text)
                if file is not None:
                    found.append(Include(file[2], file[1] in ("-c", "--constraint")))
                    continue
                made = requirement(text, quoted_place(source, text), python)
                found += [made] if made else []
        elif isinstance(item, str):
            spec = conda_requirement(item, quoted_place(source, item))
            found += [spec] if spec else []
    return found


def conda_requirement(text: str, place: Place) -> Requirement | None:
    """A match specification of conda: `pydantic=2.5` takes 2.5 and all 2.5.x, `==2.5.0` only
    that.
    """
    match = _CONDA.match(text.strip())
    if match is None:
        return None
    versions = (match[2] if match[2] is not None else match[3] or "").strip()
    if re.match(r"=?=?[\w.*]+=\S*\Z", versions) and not versions.startswith("=="):
        versions = re.sub(r"=[^=]*\Z", "", versions)  # the build string
        versions = versions if versions.startswith("=") else f"=={versions}"
    alternatives = [_conda_limits(part) for part in versions.split("|")]
    return Requirement(
        canonicalize_name(match[1]), alternatives[-1], place, instead=tuple(alternatives[:-1])
    )


def _conda_limits(text: str) -> SpecifierSet:
    parts: list[str] = []
    for part in text.split(","):
        part = part.strip().split(" ")[0]
        if re.match(r"=(?!=)", part):
            parts.append(f"=={part[1:].removesuffix('*').removesuffix('.')}.*")
        elif part[:1].isdigit():
            parts.append(f"=={part}" if part.endswith(".*") or "*" not in part else "")
        elif part != "*":
            parts.append(part)
    return limits(",".join(part for part in parts if part))


def poetry_versions(text: str) -> list[SpecifierSet]:
    """Poetry's constraint (`^2.1`, `~1.2`, `*`, `2.1.*`, `>=1,<2`, `^1 || ^2`) as sets of limits
    of which each is enough.
    """
    return [_poetry_limits(part) for part in re.split(r"\|\|?", text)]


def _poetry_limits(text: str) -> SpecifierSet:
    parts: list[str] = []
    spaced = re.sub(r"([<>=!~^])\s+", r"\1", text.strip())
    for part in re.split(r"[,\s]+", spaced):
        if part in ("", "*"):
            continue
        if part[0] in "^~" and not part.startswith("~="):
            parts += _range(part)
        elif part[0].isdigit():
            parts.append(f"=={part}")
        elif re.match(r"=(?!=)", part):
            parts.append(f"={part}")
        else:
            parts.append(part)
    return limits(",".join(parts))


def _range(text: str) -> list[str]:
    """The bounds that `^` (the leftmost number that is not 0 stays) and `~` mean."""
    low = text[1:].strip()
    release = re.match(r"[\d.]*", low)
    numbers = [int(number) for number in _NUMBERS.findall(release[0] if release else "")[:3]]
    if not numbers:
        return []
    if text[0] == "^":
        index = next((i for i, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        index = min(1, len(numbers) - 1)
    high = [*numbers[:index], numbers[index] + 1]
    return [f">={low}", f"<{'.'.join(map(str, high))}"]
