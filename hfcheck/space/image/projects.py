"""Local Python projects that a build installs as packages, and the folders their modules are in.

Where from: what pip, uv and Poetry take as a project (packaging.python.org, "pyproject.toml
specification"; docs.astral.sh/uv, "Projects"; python-poetry.org, "The pyproject.toml file"), and
the keys with which build backends say where the packages stand.
"""

from __future__ import annotations

import configparser
import posixpath
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hfcheck.source import Place
from hfcheck.space.image.paths import absolute, join
from hfcheck.space.value import Origin

MAX_INCLUDES = 8
"""Deepest nesting of requirement files that is followed."""

MAX_INSTALLS = 100
"""Most installs of one kind that a stage is said to have; the next project is an unknown one."""

_FILES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2")
_SETUP_FOLDER = re.compile(
    r"package_dir\s*=\s*\{\s*['\"]{2}\s*:\s*['\"]([\w./-]+)['\"]"
    r"|find_(?:namespace_)?packages\(\s*(?:where\s*=\s*)?['\"]([\w./-]+)['\"]"
)
_LOCAL_LINE = re.compile(r"(?:[\w.-]+(?:\[[^\]\n]*\])?[ \t]*@[ \t]*)?file:(?://)?(\S+)")


@dataclass(frozen=True, slots=True)
class InstalledProject:
    """A local project that the build installs as a package: its folder in the image, whether it
    stays where it is (`-e`), and the program that installs it, with its place.
    """

    folder: str
    editable: bool
    program: str
    place: Place


@dataclass(slots=True)
class Installs:
    """What the steps of a stage install as packages: local `projects`, and what is `unknown`
    (wheels and archives that may hold the project's own modules). `wheels` tells of each step
    that makes wheels whether it makes one of a local project.
    """

    projects: dict[InstalledProject, None] = field(default_factory=dict)
    unknown: dict[Origin, None] = field(default_factory=dict)
    wheels: set[bool] = field(default_factory=set)

    def copy(self) -> Installs:
        """The same, to be changed apart."""
        return Installs(dict(self.projects), dict(self.unknown), set(self.wheels))

    def take(self, other: Installs) -> None:
        """Add all that another stage installs."""
        for project in other.projects:
            self._add(project)
        for origin in other.unknown:
            self._add_unknown(origin)
        self.wheels |= other.wheels

    def add(self, folder: str, *, editable: bool, program: str, place: Place) -> None:
        """One more project."""
        self._add(InstalledProject(folder, editable, program, place))

    def add_unknown(self, note: str, place: Place) -> None:
        """One more install of something that is not followed."""
        self._add_unknown(Origin(place, note))

    def add_file(self, note: str, place: Place, *, uploaded: bool) -> None:
        """A wheel or archive is installed. Where all wheels of the build are those of
        requirements, and none is uploaded, it can't be the project's own.
        """
        if uploaded or self.wheels != {False}:
            self.add_unknown(note, place)

    def _add(self, project: InstalledProject) -> None:
        if project in self.projects or len(self.projects) < MAX_INSTALLS:
            self.projects[project] = None
        else:
            self._add_unknown(Origin(project.place, f"{project.program} installs one more project"))

    def _add_unknown(self, origin: Origin) -> None:
        if len(self.unknown) < MAX_INSTALLS:
            self.unknown[origin] = None


@dataclass(frozen=True, slots=True)
class Local:
    """A local argument of `pip install`: a path as written, its extras left off."""

    path: str
    editable: bool

    @property
    def is_file(self) -> bool:
        """Whether it names a wheel or an archive, not a folder."""
        return self.path.endswith(_FILES)


def local_argument(text: str, *, editable: bool = False) -> Local | None:
    """The local path that an argument of `pip install` means; None for a package by its name."""
    address = _LOCAL_LINE.match(text)
    path = address[1] if address else text
    path = re.sub(r"\[[^\]]*\]$", "", path)
    local = bool(address) or editable or path in (".", "..") or path.endswith(("/", *_FILES))
    if not (local or path.startswith(("./", "../", "/"))) or "://" in path or not path:
        return None
    return Local(path, editable)


def local_requirements(
    path: str, text: Callable[[str], str | None], depth: int = 0
) -> Iterator[Local]:
    """The local paths that a requirement file installs; `text` gives a file's text."""
    content = text(path)
    if content is None or depth > MAX_INCLUDES:
        return
    for line in content.split("\n"):
        line = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        option = re.match(r"(-e|--editable|-r|--requirement)(?:=|\s+|(?<=-[er]))(\S+)", line)
        if option is not None and option[1] in ("-r", "--requirement"):
            inner = absolute(posixpath.dirname(path), option[2])
            yield from local_requirements(inner, text, depth + 1)
        elif not line.startswith("-") or option is not None:
            word = option[2] if option else line.split(" ;")[0].strip()
            found = local_argument(word, editable=option is not None)
            if found is not None:
                yield found


def project_data(text: str | None) -> dict[str, Any] | None:
    """The data of a pyproject.toml; None where it can't be read."""
    try:
        return None if text is None else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def uv_packages(data: dict[str, Any] | None) -> bool:
    """Whether uv installs the project itself: with a build system, or where it is told to
    (`tool.uv.package`). True where the file is not known.
    """
    if data is None:
        return True
    told = _at(data, "tool", "uv", "package")
    return told if isinstance(told, bool) else "build-system" in data


def poetry_packages(data: dict[str, Any] | None) -> bool:
    """Whether Poetry installs the project itself: not with `package-mode = false`."""
    return data is None or _at(data, "tool", "poetry", "package-mode") is not False


def path_dependencies(data: dict[str, Any] | None) -> Iterator[tuple[str, bool]]:
    """The dependencies that are folders (as written), and whether they are editable."""
    tables = [_at(data, "tool", "uv", "sources"), _at(data, "tool", "poetry", "dependencies")]
    groups = _at(data, "tool", "poetry", "group")
    if isinstance(groups, dict):
        tables += [_at(group, "dependencies") for group in groups.values()]
    for table in tables:
        for given in table.values() if isinstance(table, dict) else ():
            for one in given if isinstance(given, list) else (given,):
                path = _at(one, "path")
                if isinstance(path, str):
                    yield path, _at(one, "editable") is True or _at(one, "develop") is True


def has_workspace(data: dict[str, Any] | None) -> bool:
    """Whether a project depends on members of its uv workspace, or is the root of one."""
    if _at(data, "tool", "uv", "workspace") is not None:
        return True
    sources = _at(data, "tool", "uv", "sources")
    given = sources.values() if isinstance(sources, dict) else ()
    return any(_at(one, "workspace") is True for one in given)


@dataclass(frozen=True, slots=True)
class PackageFolders:
    """Finds the folders that a project's modules are imported from. `text` gives the text of a
    file of the image, `kind` what is at a path (`"file"`, `"dir"`...), `names` the names in a
    folder.
    """

    text: Callable[[str], str | None]
    kind: Callable[[str], str]
    names: Callable[[str], Iterable[str]]

    def of(self, project: str) -> Iterator[str]:
        """The folders of one project, given by its own: what its files say, else `src` where
        that holds packages, else the folder of the project.
        """
        data = project_data(self.text(join(project, "pyproject.toml")))
        told = [absolute(project, path) for path in self._told(project, data)]
        found = [folder for folder in told if self.kind(folder) == "dir"]
        if found:
            yield from dict.fromkeys(found)
        elif self._holds_packages(join(project, "src"), data):
            yield join(project, "src")
        elif self.kind(project) == "dir":
            yield project

    def _told(self, project: str, data: dict[str, Any] | None) -> Iterator[str]:
        yield from _pyproject_folders(data)
        setup = self.text(join(project, "setup.cfg"))
        if setup is not None:
            yield from _setup_cfg_folders(setup)
        for match in _SETUP_FOLDER.finditer(self.text(join(project, "setup.py")) or ""):
            yield match[1] or match[2]

    def _holds_packages(self, folder: str, data: dict[str, Any] | None) -> bool:
        if self.kind(folder) != "dir" or self.kind(join(folder, "__init__.py")) == "file":
            return False
        name = _at(data, "project", "name") or _at(data, "tool", "poetry", "name")
        own = re.sub(r"[-_.]+", "_", name).lower() if isinstance(name, str) else ""
        return any(
            self.kind(join(folder, f"{inner}/__init__.py")) == "file"
            or (inner.lower() == own and self.kind(join(folder, inner)) == "dir")
            for inner in self.names(folder)
        )


_FOLDER_KEYS = (
    ("setuptools", "package-dir", ""),
    ("setuptools", "packages", "find", "where"),
    ("uv", "build-backend", "module-root"),
    ("pdm", "build", "package-dir"),
    ("maturin", "python-source"),
    ("hatch", "build", "sources"),
    ("hatch", "build", "targets", "wheel", "sources"),
)


def _pyproject_folders(data: dict[str, Any] | None) -> Iterator[str]:
    """The folders that the table of a build backend names."""
    for keys in _FOLDER_KEYS:
        yield from _texts(_at(data, "tool", *keys))
    for path in _texts(_at(data, "tool", "hatch", "build", "targets", "wheel", "packages")):
        yield posixpath.dirname(path.rstrip("/")) or "."
    packages = _at(data, "tool", "poetry", "packages")
    for package in packages if isinstance(packages, list) else ():
        yield from _texts(_at(package, "from") or ".")


def _setup_cfg_folders(text: str) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for line in parser.get("options", "package_dir", fallback="").split("\n"):
        name, equals, folder = line.partition("=")
        if equals and not name.strip():
            yield folder.strip()
    yield from parser.get("options.packages.find", "where", fallback="").split()


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str) and one]


def _at(data: object, *keys: str) -> Any:
    """What stands in nested tables; None where nothing does."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data
