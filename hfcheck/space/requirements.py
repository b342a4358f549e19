"""Requirements of Python packages, and requirement files, read as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from hfcheck.source import Place, SourceFile

FROM_ADDRESS = "it is installed from an address, so its version is not in the files"
"""Why the version of `package @ https://...` is not known."""

PYTHON_DECIDES = "the version depends on the Python of the image, which is not known"
"""Why a requirement whose marker can't be decided is not clear."""

MAX_LINE = 2000
"""Longest requirement that is read, its hashes and options left off."""

_PYTHONS = tuple(Version(f"3.{minor}") for minor in range(8, 16))
_LINUX = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "platform_release": "",
    "platform_version": "",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "extra": "",
}
_NEWEST_PATCH = 20
"""Stands for the patch release of the image's Python, which its tag leaves to the build."""

_OPTION = re.compile(r"(-r|--requirement|-c|--constraint|-e|--editable)(?:[ \t]*=[ \t]*|[ \t]*)")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_REPOSITORY = re.compile(
    r"(?:git|hg|svn|bzr)\+\w+://[^#]*?([\w.-]+?)(?:\.git)?(?:@[^/#]*)?/?(?:#|\Z)"
)
_HEAD = re.compile(r"([A-Za-z0-9][\w.-]*)[ \t]*(?:\[[^\]]*\])?[ \t]*@[ \t]*(\S+)")
_FOLDER = re.compile(r"(?:file:(?://)?)?((?:\.|\.\.|\.{0,2}/[^\[\s;]*))(?:\[([^\]]*)\])?(?:\s|\Z)")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_TRAILING = re.compile(r"\s--?[A-Za-z]")

Kind = Literal["install", "constraint", "override"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package that is to be installed: its canonical name, the versions allowed (empty: any),
    its extras, and where that is written.

    `instead` are other limits of which each is enough as well. `locked` marks the exact version
    of a lock file. `kind` tells a constraint (it limits, and installs nothing) and an override
    (it takes the place of all other limits). `step` counts the installs of the build; `upgrade`
    marks one that takes the newest version whatever is installed. `unclear` says why the version
    can't be told.
    """

    name: str
    specifier: SpecifierSet
    place: Place
    extras: frozenset[str] = frozenset()
    locked: bool = False
    kind: Kind = "install"
    step: int = 0
    upgrade: bool = False
    unclear: str = ""
    instead: tuple[SpecifierSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Include:
    """Another requirement file that a requirement file names; `constraint` for `-c`."""

    path: str
    constraint: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """A local project that is installed, with extras of it."""

    path: str
    extras: frozenset[str] = frozenset()


def requirement(text: str, place: Place, python: Version | None = None) -> Requirement | None:
    """One requirement as pip takes it (`uvicorn[standard]>=0.30 ; python_version > "3"`), for an
    image with this Python (None: not known). None where it does not apply, or is none.
    """
    if len(text) > MAX_LINE:
        return None
    try:
        parsed = Parsed(text)
    except InvalidRequirement:
        return _address(text, place)
    applies = marker_applies(parsed.marker, python) if parsed.marker is not None else True
    if applies is False:
        return None
    made = Requirement(
        canonicalize_name(parsed.name), parsed.specifier, place, frozenset(parsed.extras)
    )
    if applies is None:
        return replace(made, unclear=PYTHON_DECIDES)
    if parsed.url is not None:
        found = _archive(parsed.url)
        limits = found[1] if found else SpecifierSet()
        return replace(made, specifier=limits, unclear="" if found else FROM_ADDRESS)
    return made


def _address(text: str, place: Place) -> Requirement | None:
    """What an address without a name installs: a wheel, an archive, a repository."""
    found = _archive(text) if re.match(r"\S+\Z", text) else None
    if found is not None:
        return Requirement(found[0], found[1], place)
    named = _HEAD.match(text)
    egg = _EGG.search(text) or _REPOSITORY.match(text) or named
    if egg is None:
        return None
    return Requirement(canonicalize_name(egg[1]), SpecifierSet(), place, unclear=FROM_ADDRESS)


def _archive(address: str) -> tuple[str, SpecifierSet] | None:
    """Name and version that a file name of a wheel or source archive tells."""
    file = unquote(urlsplit(address).path if "://" in address else address).rpartition("/")[2]
    try:
        if file.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(file)
        else:
            name, version = parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return name, SpecifierSet(f"=={version}")


def marker_applies(marker: Marker, python: Version | None) -> bool | None:
    """Whether a marker holds on Linux with this Python; None where only the Python, which is not
    known, decides.
    """
    answers = {_holds(marker, each) for each in ([python] if python is not None else _PYTHONS)}
    return answers.pop() if len(answers) == 1 else None


def _holds(marker: Marker, python: Version) -> bool:
    full = f"{python.major}.{python.minor}.{python.micro or _NEWEST_PATCH}"
    environment = {
        **_LINUX,
        "python_version": f"{python.major}.{python.minor}",
        "python_full_version": full,
        "implementation_version": full,
    }
    try:
        return marker.evaluate(environment)
    except (UndefinedComparison, UndefinedEnvironmentName, KeyError):
        return True


def local_folder(text: str) -> Folder | None:
    """The local project that an argument or a line installs (`.`, `./api[prod]`, `x @ file:...`);
    None for anything else.
    """
    named = _HEAD.match(text)
    match = _FOLDER.match(named[2] if named and named[2].startswith("file:") else text)
    if match is None or match[1].endswith((".whl", ".tar.gz", ".zip")):
        return None
    extras = (match[2] or "").split(",")
    return Folder(match[1], frozenset(extra.strip() for extra in extras if extra.strip()))


def requirements_txt(
    source: SourceFile,
    python: Version | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Requirement | Include | Folder]:
    """The lines of a requirements.txt; `variables` are those that `${NAME}` stands for."""
    for start, joined in _logical_lines(source.text):
        line = _COMMENT.sub("", joined).strip()
        offset = start + len(joined) - len(joined.lstrip())
        line = _VARIABLE.sub(lambda found: (variables or {}).get(found[1], found[0]), line)
        option = _OPTION.match(line)
        if option is not None:
            line = line[option.end() :].strip().strip("'\"")
            if option[1] in ("-r", "--requirement", "-c", "--constraint"):
                if line:
                    yield Include(line.split()[0], option[1] in ("-c", "--constraint"))
                continue
        if not line or line.startswith("-"):
            continue
        line = _TRAILING.split(line, maxsplit=1)[0].strip()
        if len(line) > MAX_LINE:
            continue
        folder = local_folder(line)
        if folder is None and option is not None and not re.search(r"://|@", line):
            folder = Folder(line.partition("[")[0])
        if folder is not None:
            yield folder
            continue
        found = requirement(line, source.place(offset, offset + len(line)), python)
        if found is not None:
            yield found


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with those joined that a backslash continues, each with its offset; a comment line
    ends a continuation.
    """
    joined, began, offset = "", 0, 0
    for line in text.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        comment = bare.lstrip().startswith("#")
        if not joined:
            began = offset
        offset += len(line)
        if bare.endswith("\\") and not comment:
            joined += bare[:-1] + " " * (len(line) - len(bare) + 1)
            continue
        yield began, joined + (" " + bare if comment and joined else bare)
        joined = ""
    if joined:
        yield began, joined


def limits(text: str) -> SpecifierSet:
    """Versions as a specifier; any version where they are not written as one."""
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return SpecifierSet()
