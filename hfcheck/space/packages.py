"""What the build would install: which Python packages, and which versions of them.

The Dockerfile's RUN instructions name the files (`pip install -r`, `uv sync`, `poetry install`,
...); without any, the usual files of the context count. A lock file's version goes over what the
project file allows.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from hfcheck.source import Place, SourceFile
from hfcheck.space.context import Context
from hfcheck.space.image.entries import ImageFile
from hfcheck.space.requirements import (
    Include,
    Requirement,
    conda,
    pipfile,
    pipfile_lock,
    pyproject,
    requirement,
    requirements_txt,
    toml_lock,
)
from hfcheck.space.value import Known, Origin, Unknown, Value

if TYPE_CHECKING:
    from hfcheck.space.docker.dockerfile import Dockerfile
    from hfcheck.space.image.image import Image

_MOST_FILES = 40
"""Requirement files read for one Space."""

_PREFIX = re.compile(r"\w+=|--mount=|--network=|-m\Z")
_RUNNERS = frozenset(["sudo", "exec", "env", "time", "python", "python3"])

_SEPARATORS = re.compile(r"&&|\|\||;|\n|\|")
_TAKES_VALUE = frozenset(
    [
        "-i",
        "--index-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "-t",
        "--target",
        "--prefix",
        "--root",
        "--python",
        "-p",
        "--platform",
        "--timeout",
        "--trusted-host",
        "--cache-dir",
        "--retries",
        "--upgrade-strategy",
        "--group",
        "--extra",
        "--index",
    ]
)


@dataclass(slots=True)
class Packages:
    """The packages that the build installs by name; those that they bring along are not known,
    except where a lock file lists them.

    `complete` is false where an install names something that could not be read.
    """

    requirements: list[Requirement] = field(default_factory=list)
    complete: bool = True

    def requirement(self, name: str) -> Requirement | None:
        """The requirement that decides a package's version: a lock file's, else the strictest."""
        wanted = canonicalize_name(name)
        mine = [item for item in self.requirements if item.name == wanted]
        mine.sort(
            key=lambda item: (not item.locked, _exact(item.specifier) is None, not item.specifier)
        )
        return mine[0] if mine else None

    def has(self, name: str) -> bool:
        """Whether an install names the package (or a lock file lists it)."""
        return self.requirement(name) is not None

    def version_line(self, name: str) -> Value[str]:
        """The version that would be installed: exact ("2.6.1"), the versions allowed (">=2,<2.7"),
        or "newest"; Unknown where nothing names the package.
        """
        found = self.requirement(name)
        if found is None:
            return Unknown(f"no requirement names `{name}`")
        origins = (Origin(found.place, found.place.text.strip()),)
        exact = _exact(found.specifier)
        if exact is not None:
            return Known(exact, origins)
        if any(item.operator in ("<", "<=", "~=", "==", "!=") for item in found.specifier):
            return Known(str(found.specifier), origins)
        return Known("newest", origins)

    def newest_of(self, name: str, versions: Sequence[str]) -> Value[str]:
        """The newest of the given versions that would be installed ("newest" for the last one when
        nothing limits it); Unknown where none fits or nothing names the package.
        """
        line = self.version_line(name)
        if isinstance(line, Unknown):
            return line
        if line.value == "newest":
            return Known(versions[-1], line.origins)
        found = self.requirement(name)
        assert found is not None
        exact = _exact(found.specifier)
        if exact is not None:
            return Known(exact, line.origins)
        fitting = [item for item in versions if found.specifier.contains(item, prereleases=True)]
        if not fitting:
            return Unknown(f"no known version of `{name}` fits `{found.specifier}`", line.origins)
        return Known(fitting[-1], line.origins)


def read_packages(
    dockerfile: Dockerfile | None, image: Image | None, contexts: Sequence[Context]
) -> Packages:
    """The packages that a Dockerfile installs; files are looked for in the image, then in the
    contexts.
    """
    reader = _Reader(image, contexts)
    if dockerfile is not None:
        for place, words in _commands(dockerfile):
            reader.command(words, place)
    if not reader.read:
        reader.usual_files()
    return reader.packages


def _commands(dockerfile: Dockerfile) -> Iterator[tuple[Place, list[str]]]:
    """The commands of every RUN instruction, as words."""
    for stage in dockerfile.stages:
        for instruction in stage.instructions:
            if instruction.name != "RUN":
                continue
            if instruction.json is not None:
                yield instruction.place, [word.text for word in instruction.json]
                continue
            texts = [instruction.value, *(heredoc.body for heredoc in instruction.heredocs)]
            for text in texts:
                for part in _SEPARATORS.split(text):
                    words = _words(part)
                    if words:
                        yield instruction.place, words


def _words(text: str) -> list[str]:
    try:
        return [word for word in shlex.split(text, comments=True) if word]
    except ValueError:
        return text.split()


class _Reader:
    def __init__(self, image: Image | None, contexts: Sequence[Context]) -> None:
        self.image = image
        self.contexts = contexts
        self.packages = Packages()
        self.read: set[str] = set()

    # -- commands --------------------

    def command(self, words: list[str], place: Place) -> None:
        """Take over what one command installs."""
        while words and (_PREFIX.match(words[0]) or posixpath.basename(words[0]) in _RUNNERS):
            words = words[1:]
        if len(words) < 2:
            return
        program, verb = posixpath.basename(words[0]), words[1]
        if program == "uv" and verb == "pip":
            program, words = "pip", words[1:]
            verb = words[1] if len(words) > 1 else ""
        if re.fullmatch(r"pip[0-9.]*|micropip", program) and "install" in words[1:3]:
            self._pip(words[words.index("install") + 1 :], place)
        elif program == "uv" and verb in ("sync", "run", "export"):
            self._project(("uv.lock",))
        elif program == "uv" and verb == "add":
            self._pip(words[2:], place)
        elif program == "poetry" and verb in ("install", "export", "sync"):
            self._project(("poetry.lock",))
        elif program == "pdm" and verb in ("install", "sync", "export"):
            self._project(("pdm.lock",))
        elif program == "pipenv" and verb in ("install", "sync", "requirements"):
            self._pipenv()
        elif program in ("conda", "mamba", "micromamba") and verb in ("env", "create", "install"):
            self._conda(words)

    def _pip(self, words: list[str], place: Place) -> None:
        index = 0
        while index < len(words):
            word = words[index]
            following = words[index + 1] if index + 1 < len(words) else ""
            index += 1
            if word in ("-r", "--requirement", "-c", "--constraint"):
                self._file(following, constraint=word in ("-c", "--constraint"))
                index += 1
            elif re.match(r"(-r|--requirement=).", word):
                self._file(re.sub(r"\A(-r|--requirement=)", "", word))
            elif word in _TAKES_VALUE:
                index += 1
            elif word in ("-e", "--editable"):
                continue
            elif not word.startswith("-"):
                self._direct(word, place)

    def _direct(self, word: str, place: Place) -> None:
        if re.match(r"[./]|[\w.-]+/", word) or word.endswith((".whl", ".tar.gz")):
            folder = word.partition("[")[0].rstrip("/") or "."
            if not self._add_file(posixpath.join(folder, "pyproject.toml")):
                self.packages.complete = False
            return
        made = requirement(word, _inside(place, word))
        if made is not None:
            self.read.add("RUN")
            self.packages.requirements.append(made)
        elif "$" in word:
            self.packages.complete = False

    def _project(self, locks: Iterable[str]) -> None:
        found = [self._add_file(name) for name in ("pyproject.toml", *locks)]
        if not any(found):
            self.packages.complete = False

    def _pipenv(self) -> None:
        found = [self._add_file(name) for name in ("Pipfile", "Pipfile.lock")]
        if not any(found):
            self.packages.complete = False

    def _conda(self, words: list[str]) -> None:
        for flag, name in pairwise(words):
            if flag in ("-f", "--file", "-n") and name.endswith((".yml", ".yaml")):
                self._file(name)

    # -- files --------------------

    def usual_files(self) -> None:
        """Without any install that is understood: the files that projects have."""
        names = ("requirements.txt", "pyproject.toml", "uv.lock", "poetry.lock", "pdm.lock")
        for name in (*names, "Pipfile", "Pipfile.lock", "environment.yml"):
            self._add_file(name)

    def _file(self, path: str, *, constraint: bool = False) -> None:
        if not self._add_file(path, constraint=constraint):
            self.packages.complete = False

    def _add_file(self, path: str, *, constraint: bool = False) -> bool:
        """Read a file that an install names; False where there is none."""
        source = self._source(path)
        if source is None:
            return False
        key = str(source.path)
        if key in self.read or len(self.read) > _MOST_FILES:
            return True
        self.read.add(key)
        self._take(source, path, constraint=constraint)
        return True

    def _take(self, source: SourceFile, path: str, *, constraint: bool) -> None:
        name = posixpath.basename(path)
        found: list[Requirement]
        if name == "pyproject.toml":
            found = pyproject(source)
            self._beside(path, ("uv.lock", "poetry.lock", "pdm.lock"))
        elif name == "Pipfile":
            found = pipfile(source)
        elif name == "Pipfile.lock":
            found = pipfile_lock(source)
        elif name.endswith(".lock"):
            found = toml_lock(source)
        elif name.endswith((".yml", ".yaml")):
            found = conda(source)
        else:
            found = []
            for item in requirements_txt(source):
                if isinstance(item, Include):
                    inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), item.path))
                    self._file(inner, constraint=constraint or item.constraint)
                else:
                    found.append(item)
        if constraint:
            names = {item.name for item in self.packages.requirements}
            found = [item for item in found if item.name in names]
        self.packages.requirements += found

    def _beside(self, path: str, names: Iterable[str]) -> None:
        for name in names:
            self._add_file(posixpath.join(posixpath.dirname(path), name))

    def _source(self, path: str) -> SourceFile | None:
        """A file by the path that a command names: in the image, else in the build context."""
        image = self.image
        folders = [image.workdir] if image is not None else []
        for folder in [*folders, "/app", "/code", "/tmp", "/"] if image is not None else []:
            entry = (
                image.lookup(posixpath.normpath(posixpath.join(folder, path))) if image else None
            )
            if isinstance(entry, ImageFile) and isinstance(entry.source, SourceFile):
                return entry.source
        relative = posixpath.normpath(path.lstrip("/"))
        for name in (relative, posixpath.basename(relative)):
            for context in self.contexts:
                if name.startswith(".."):
                    continue
                text = context.read(name)
                if isinstance(text, SourceFile):
                    return text
        return None


def _exact(specifier: SpecifierSet) -> str | None:
    """The version that a specifier pins (`==2.6.1`); None where it leaves a choice."""
    for item in specifier:
        if item.operator in ("==", "===") and not item.version.endswith("*"):
            try:
                return str(Version(item.version))
            except InvalidVersion:
                return item.version
    return None


def _inside(place: Place, word: str) -> Place:
    start = place.source.text.find(word, place.span.start, place.span.end)
    return place.source.place(start, start + len(word)) if start >= 0 else place
