"""Reads what the commands of a build install.

The RUN instructions name the files (`pip install -r`, `uv sync`, `poetry install`, ...); without
any, the usual files of the context count. A lock file's version goes over what the project file
allows, for the tools that use it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from hfcheck.source import Place
from hfcheck.space.context import Context
from hfcheck.space.image.paths import absolute, join
from hfcheck.space.packages.commands import Files, Ran, commands
from hfcheck.space.packages.installed import Packages
from hfcheck.space.packages.lockfiles import pipfile_lock, toml_lock
from hfcheck.space.packages.options import Arguments, arguments
from hfcheck.space.packages.projectfiles import (
    Wanted,
    conda,
    conda_requirement,
    default_groups,
    included_files,
    oldest_python,
    pipfile,
    pyproject,
    setup_cfg,
    setup_py,
)
from hfcheck.space.packages.pythons import image_python, python_of
from hfcheck.space.requirements import (
    Folder,
    Include,
    Kind,
    Requirement,
    local_folder,
    requirement,
    requirements_txt,
)

if TYPE_CHECKING:
    from hfcheck.space.docker.dockerfile import Dockerfile
    from hfcheck.space.image.image import Image

MAX_FILES = 200
"""Most files that are read for one Space."""

MAX_REQUIREMENTS = 5000
"""Most requirements that are taken from one file."""

MAX_DEPTH = 8
"""Deepest nesting of requirement files that is followed."""

_TOOLS = frozenset(
    ["uv", "pip", "poetry", "pdm", "pipenv", "setuptools", "wheel", "hatch", "virtualenv", "pipx"]
)
"""Packages that bring an installer; a build that names only these installs the rest otherwise."""

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
_PYTHON = re.compile(r"(?:python|pip|pypy)(3)\.(\d+)\Z")


def read_packages(
    dockerfile: Dockerfile | None, image: Image | None, contexts: Sequence[Context]
) -> Packages:
    """The packages that a Dockerfile installs, of the stages that its last one needs; files are
    looked for in the image as it is at that command, then in the contexts.
    """
    python = image_python(dockerfile) if dockerfile is not None else None
    reader = _Reader(python)
    if dockerfile is not None:
        for ran in commands(dockerfile, contexts):
            reader.command(ran)
    only_tools = all(item.name in _TOOLS for item in reader.packages.requirements)
    if only_tools and reader.packages.complete and not reader.found:
        workdir = image.workdir if image is not None else "/"
        reader.usual_files(Files(contexts), workdir)
    reader.packages.python = reader.python
    return reader.packages


@dataclass(slots=True)
class _At:
    """One install: its files and folder, what its requirements have in common, and how deep the
    file that is read is included.
    """

    files: Files
    cwd: str
    python: Version | None
    variables: dict[str, str]
    kind: Kind = "install"
    upgrade: bool = False
    depth: int = 0


class _Reader:
    def __init__(self, python: Version | None) -> None:
        self.packages = Packages()
        self.python = python
        self.step = 0
        self.found = False
        self.count = 0
        self.made: dict[str, list[Requirement]] = {}

    # -- commands --------------------

    def command(self, ran: Ran) -> None:
        """Take over what one command installs."""
        words = list(ran.words)
        python: Version | None = None
        while words:
            name = posixpath.basename(words[0] or "")
            told = _PYTHON.match(name)
            python = Version(f"{told[1]}.{told[2]}") if told else python
            if re.match(r"(?:python|pypy)[0-9.]*\Z", name) and words[1:2] == ["-m"]:
                words = words[2:]
            elif name in ("poetry", "pipenv", "pdm", "uv") and words[1:2] == ["run"]:
                self._run(name, ran)
                words = words[2:]
            elif name == "xargs" and (index := _install_word(words)):
                words = [*words[index:], *_piped(ran.fed_by)]
            elif name in ("conda", "mamba", "micromamba") and words[1:2] == ["run"]:
                words = words[next((i for i, w in enumerate(words) if w == "pip"), len(words)) :]
            else:
                break
        if len(words) < 2:
            return
        at = _At(ran.files, ran.cwd or "/", python or self.python, dict(ran.variables))
        self._program(posixpath.basename(words[0] or ""), words[1:], ran, at)

    def _run(self, program: str, ran: Ran) -> None:
        """`uv run` installs the project first."""
        if program == "uv":
            at = _At(ran.files, ran.cwd or "/", self.python, dict(ran.variables))
            self._uv_sync(arguments([]), at)

    def _program(self, program: str, words: list[str | None], ran: Ran, at: _At) -> None:
        if program in ("uv", "poetry", "pdm", "pipenv"):
            while words and (words[0] or "").startswith("-"):
                takes = words[0] in ("--directory", "--project", "-C")
                if takes and len(words) > 1 and words[1] is not None:
                    at.cwd = absolute(at.cwd, words[1])
                words = words[2:] if takes else words[1:]
        if not words:
            return
        verb, given = words[0] or "", arguments(words[1:])
        if re.fullmatch(r"pip[0-9.]*|micropip", program):
            self._pip(words, ran, at)
        elif program == "uv":
            self._uv(verb, given, words, ran, at)
        elif program == "poetry" and verb in ("install", "sync", "export", "add"):
            self._poetry(verb, given, ran, at)
        elif program == "pdm" and verb in ("install", "sync", "export", "add"):
            self._pdm(verb, given, ran, at)
        elif program == "pipenv" and verb in ("install", "sync", "requirements", "lock"):
            self._pipenv(given, ran, at)
        elif program == "pip-sync":
            files = [word for word in words if word and not word.startswith("-")]
            self._files(files or ["requirements.txt"], at)
        elif program in ("conda", "mamba", "micromamba"):
            self._conda(words, ran, at)
        elif program in ("apt-get", "apt", "apk", "dnf", "yum") and "install" in words[:3]:
            self._system(words)
        elif program == "pip-compile":
            self._compile(arguments(words), ran, at)
        elif verb == "setup.py" and {"install", "develop"} & set(words):
            self._folder(Folder("."), at)
            self._next()

    def _pip(self, words: list[str | None], ran: Ran, at: _At) -> None:
        index = next((i for i, w in enumerate(words[:6]) if w in _PIP_VERBS), None)
        if index is None:
            return
        given = arguments(words[index + 1 :])
        if words[index] == "sync":
            self._files([word for word in given.words if word], at)
        else:
            self._install(given, ran, at)
        self._next()

    def _install(self, given: Arguments, ran: Ran, at: _At) -> None:
        """The arguments of `pip install`."""
        told = given.one("--python", "-p", "--python-version")
        at.python = (python_of(f"python{told}") if told else None) or at.python
        at.upgrade = given.has("-U", "--upgrade", "--force-reinstall", "--ignore-installed")
        extras = frozenset(given.all("--extra"))
        groups = frozenset(given.all("--group"))
        for path in given.all("-r", "--requirement", "--requirements"):
            self._requirement_file(path, at, Wanted(extras, groups))
        for path in given.all("-c", "--constraint", "--constraints"):
            self._file(path, replace(at, kind="constraint"))
        for path in given.all("--override", "--overrides"):
            self._file(path, replace(at, kind="override"))
        for name in ("PIP_CONSTRAINT", "UV_CONSTRAINT"):
            for path in at.variables.get(name, "").split():
                self._file(path, replace(at, kind="constraint"))
        if groups and not given.all("-r", "--requirement", "--requirements"):
            self._project_file("pyproject.toml", at, Wanted(groups=groups), groups_only=True)
        for word in given.all("-e", "--editable"):
            self._argument(word, ran.place, at, editable=True)
        for each in given.words:
            if each is None:
                self.packages.complete = False
            else:
                self._argument(each, ran.place, at)

    def _argument(self, word: str, place: Place, at: _At, *, editable: bool = False) -> None:
        """A package, an address or a local project, as an argument."""
        folder = local_folder(word)
        if folder is None and (editable or word.endswith("/")) and "://" not in word:
            folder = Folder(word.partition("[")[0])
        if folder is not None and not re.search(r"\.whl|\*", folder.path):
            self._folder(folder, at)
            return
        made = requirement(word, _inside(place, word), at.python)
        if made is not None:
            self._take([made], at)
        elif ".whl" not in word:
            self.packages.complete = False

    def _uv(self, verb: str, given: Arguments, words: list[str | None], ran: Ran, at: _At) -> None:
        if verb == "pip":
            if words[1:2] == ["compile"]:
                self._compile(arguments(words[2:]), ran, at)
            else:
                self._pip(words[1:], ran, at)
        elif verb == "sync":
            self._uv_sync(given, at)
        elif verb == "venv":
            told = python_of(f"python{given.one('--python', '-p') or ''}")
            self.python = told or self.python
        elif verb == "export":
            self._exported(given, ran, lambda: self._uv_sync(given, at))
        elif verb == "add":
            self._uv_sync(given, at)
            self._install(given, ran, replace(at, upgrade=True))
            self._next()

    def _uv_sync(self, given: Arguments, at: _At) -> None:
        folder = given.one("--directory", "--project")
        at = replace(at, cwd=absolute(at.cwd, folder)) if folder else at
        self._uv_python(given, at)
        at = replace(at, python=self.python)
        groups = frozenset(given.all("--group", "--only-group"))
        project = at.files.read(join(at.cwd, "pyproject.toml"))
        if not given.has("--no-dev", "--no-default-groups", "--only-group") and project is not None:
            groups |= default_groups(project)
        wanted = Wanted(frozenset(given.all("--extra")), groups, resolved=True)
        if given.has("--upgrade", "-U"):
            self._project(at, (), wanted, frozen=False)
            return
        self._project(at, ("uv.lock",), wanted, frozen=given.has("--frozen", "--locked"))

    def _uv_python(self, given: Arguments, at: _At) -> None:
        """The Python that uv takes: an option, UV_PYTHON, `.python-version`."""
        file = at.files.read(join(at.cwd, ".python-version"))
        pinned = file.text.split("\n")[0].strip() if file is not None else ""
        for told in (given.one("--python", "-p"), at.variables.get("UV_PYTHON"), pinned):
            found = python_of(f"python{told}") if told else None
            if found is not None:
                self.python = found
                return

    def _poetry(self, verb: str, given: Arguments, ran: Ran, at: _At) -> None:
        groups = frozenset(
            name for text in given.all("--with", "--only", "-E") for name in text.split(",")
        )
        if not given.has("--no-dev", "--only", "--without") and verb != "export":
            groups |= {"dev"}
        extras = frozenset(given.all("--extras", "-E"))
        wanted = Wanted(extras, groups, resolved=True)
        project = at.files.read(join(at.cwd, "pyproject.toml"))
        if at.files.read(join(at.cwd, "poetry.lock")) is None and project is not None:
            at = replace(at, python=oldest_python(project) or at.python)

        def read() -> None:
            self._project(at, ("poetry.lock",), wanted, frozen=True)

        if verb == "export":
            self._exported(given, ran, read)
        else:
            read()
        if verb == "add":
            self._install(given, ran, replace(at, upgrade=True))
            self._next()

    def _pdm(self, verb: str, given: Arguments, ran: Ran, at: _At) -> None:
        groups = frozenset(given.all("-G", "--group"))
        wanted = Wanted(groups, groups, resolved=True)

        def read() -> None:
            self._project(at, ("pdm.lock",), wanted, frozen=True)

        if verb == "export":
            self._exported(given, ran, read)
        else:
            read()

    def _pipenv(self, given: Arguments, ran: Ran, at: _At) -> None:
        def read() -> None:
            lock = at.files.read(join(at.cwd, "Pipfile.lock"))
            source = at.files.read(join(at.cwd, "Pipfile"))
            if given.has("--skip-lock"):
                lock = None
            if source is not None:
                self._take(pipfile(source, at.python), at)
            if lock is not None:
                self._take(pipfile_lock(lock, at.python), at)
            if source is None and lock is None:
                self.packages.complete = False
            self._next()

        self._exported(given, ran, read)

    def _exported(self, given: Arguments, ran: Ran, read: Callable[[], None]) -> None:
        """What `read` finds; it stands in a file where the command writes one."""
        start = len(self.packages.requirements)
        read()
        output = ran.path(given.one("-o", "--output", "--output-file", "--out-file")) or ran.output
        if output is not None:
            self.made[output] = self.packages.requirements[start:]

    def _compile(self, given: Arguments, ran: Ran, at: _At) -> None:
        """`pip-compile`: what it resolves stands in a file."""
        wanted = Wanted(frozenset(given.all("--extra")))

        def read() -> None:
            for word in given.words:
                if word is not None:
                    self._requirement_file(word, at, wanted)
            self._next()

        self._exported(given, ran, read)
        first = next((word for word in given.words if word), "requirements.in")
        beside = ran.path(posixpath.splitext(first)[0] + ".txt")
        if beside is not None and ran.output is None and first.endswith(".in"):
            self.made.setdefault(beside, self.packages.requirements)

    def _conda(self, words: list[str | None], ran: Ran, at: _At) -> None:
        given = arguments(words)
        if not {"env", "create", "install", "update"} & set(given.words):
            return
        for path in given.all("-f", "--file"):
            self._file(path, at)
        if "env" in given.words and not given.all("-f", "--file"):
            self._file("environment.yml", at)
        for word in given.words:
            if word is None or word in ("env", "create", "install", "update"):
                continue
            made = conda_requirement(word, _inside(ran.place, word))
            if made is not None and made.name not in ("conda", "pip"):
                self._take([made], at)
        self._next()

    def _system(self, words: Iterable[str | None]) -> None:
        """A package of the distribution that brings a Python of its own."""
        for word in words:
            told = re.fullmatch(r"python(3)\.(\d+)(?:-venv|-dev|-full)?", word or "")
            if told is not None:
                self.python = Version(f"{told[1]}.{told[2]}")

    # -- files --------------------

    def usual_files(self, files: Files, workdir: str) -> None:
        """Without any install that is understood: the files that projects have."""
        at = _At(files, workdir, self.python, {})
        for name in ("requirements.txt", "environment.yml"):
            if files.read(join(workdir, name)) is not None:
                self._file(name, at)
        for name, read in (("Pipfile", pipfile), ("Pipfile.lock", pipfile_lock)):
            source = files.read(join(workdir, name))
            if source is not None:
                self._take(read(source, at.python), at)
        if files.read(join(workdir, "pyproject.toml")) is not None:
            self._project(at, _LOCKS, Wanted(resolved=True), frozen=False)

    def _next(self) -> None:
        self.step += 1

    def _take(self, found: Iterable[Requirement], at: _At) -> None:
        """Add requirements as one step installs them."""
        for item in found:
            kind: Kind = at.kind if item.kind == "install" else item.kind
            made = replace(item, kind=kind, step=self.step, upgrade=at.upgrade)
            self.packages.requirements.append(made)
            if made.name == "python" and at.kind == "install":
                self._conda_python(made)

    def _conda_python(self, made: Requirement) -> None:
        text = next((item.version for item in made.specifier if item.operator == "=="), "")
        try:
            self.python = Version(text.removesuffix(".*")) if text else self.python
        except InvalidVersion:
            return

    def _project(self, at: _At, locks: Iterable[str], wanted: Wanted, *, frozen: bool) -> None:
        """A project that a tool installs from its lock file, where there is one. A lock that no
        longer fits the project file is made anew, except where it is `frozen`.
        """
        folder = at.cwd
        project = at.files.read(join(folder, "pyproject.toml"))
        found = pyproject(project, wanted, at.python) if project is not None else []
        locked: list[Requirement] = []
        for name in locks:
            source = at.files.read(join(folder, name))
            locked += toml_lock(source, at.python) if source is not None else []
        if not frozen:
            locked = [item for item in locked if _fits(item, found)]
        self.found = self.found or bool(found or locked)
        if project is None and not locked:
            self.packages.complete = False
        self._take([*found, *locked], at)
        self._next()

    def _files(self, paths: Iterable[str], at: _At) -> None:
        for path in paths:
            self._file(path, at)
        self._next()

    def _requirement_file(self, path: str, at: _At, wanted: Wanted) -> None:
        """The file of `-r`, which uv also takes in other formats."""
        name = posixpath.basename(path)
        if name in ("pyproject.toml", "setup.cfg", "setup.py"):
            self._project_file(path, at, wanted)
        else:
            self._file(path, at)

    def _file(self, path: str, at: _At) -> None:
        """A requirement file, a lock file, or a file of conda."""
        whole = absolute(at.cwd, path)
        source = None if whole in self.made else at.files.read(whole)
        made = self.made.get(whole) if source is None else None
        if source is None and made is None:  # perhaps copied from the stage that made it
            named = [
                key for key in self.made if posixpath.basename(key) == posixpath.basename(path)
            ]
            made = self.made[named[-1]] if named else None
        if made is not None:
            self._take(list(made), at)
            self.found = True
            return
        self.count += 1
        if source is None or at.depth > MAX_DEPTH or self.count > MAX_FILES:
            self.packages.complete = False
            return
        self.found = True
        name = posixpath.basename(path)
        found: Iterable[Requirement | Include | Folder]
        if name.endswith((".yml", ".yaml")):
            found = conda(source, at.python)
        elif name.endswith((".toml", ".lock")):
            found = toml_lock(source, at.python)
        else:
            found = requirements_txt(source, at.python, at.variables)
        self._items(islice(found, MAX_REQUIREMENTS), posixpath.dirname(whole), at)

    def _items(self, found: Iterable[Requirement | Include | Folder], folder: str, at: _At) -> None:
        for item in found:
            if isinstance(item, Include):
                kind: Kind = "constraint" if item.constraint else at.kind
                inner = replace(at, kind=kind, depth=at.depth + 1)
                self._file(absolute(folder, item.path), inner)
            elif isinstance(item, Folder):
                if at.kind == "install":
                    self._folder(item, at)
            else:
                self._take([item], at)

    def _folder(self, folder: Folder, at: _At) -> None:
        """A local project as pip installs it: no lock file counts."""
        path = absolute(at.cwd, folder.path)
        wanted = Wanted(folder.extras)
        self.count += 1
        if self.count > MAX_FILES or at.depth > MAX_DEPTH:
            return
        inner = replace(at, depth=at.depth + 1)
        names = ("pyproject.toml", "setup.cfg", "setup.py")
        found = [self._project_file(join(path, name), inner, wanted) for name in names]
        if not any(found):
            self.packages.complete = False

    def _project_file(
        self, path: str, at: _At, wanted: Wanted, *, groups_only: bool = False
    ) -> bool:
        """One file of a project; False where there is none."""
        whole = absolute(at.cwd, path)
        source = at.files.read(whole)
        if source is None or posixpath.basename(str(source.path)) != posixpath.basename(path):
            return False
        folder = posixpath.dirname(whole)
        self.found = True
        if path.endswith("setup.cfg"):
            self._take(setup_cfg(source, wanted.extras, at.python), at)
        elif path.endswith("setup.py"):
            lines = setup_py(source, wanted.extras, at.python)
            self._items(lines or (), folder, at)
            self.packages.complete = self.packages.complete and lines is not None
        else:
            found = pyproject(source, wanted, at.python)
            if groups_only:
                alone = {str(item) for item in pyproject(source, Wanted(), at.python)}
                found = [item for item in found if str(item) not in alone]
            self._take(found, at)
            includes = (Include(name, constraint=False) for name in included_files(source))
            self._items(includes, folder, at)
        return True


_PIP_VERBS = ("install", "wheel", "download", "sync")


def _install_word(words: Sequence[str | None]) -> int | None:
    """Where the installer stands in the words of xargs."""
    names = ("pip", "pip3", "uv", "python", "python3")
    return next((i for i, word in enumerate(words) if word in names), None)


def _piped(fed_by: Sequence[str | None]) -> list[str | None]:
    """The requirement files that the command before a pipe prints, as options."""
    files = [word for word in fed_by[1:] if word and word.endswith((".txt", ".in"))]
    return [part for file in files for part in ("-r", file)]


def _fits(locked: Requirement, found: Iterable[Requirement]) -> bool:
    """Whether a lock's version is one that the project file allows."""
    asked = [item for item in found if item.name == locked.name and not item.unclear]
    version = str(next(iter(locked.specifier)).version) if len(locked.specifier) else None
    if version is None:
        return True
    overrides = [item for item in asked if item.kind == "override"]
    return all(
        any(each.contains(version, prereleases=True) for each in (item.specifier, *item.instead))
        for item in overrides or asked
    )


def _inside(place: Place, word: str) -> Place:
    """Where a word stands in an instruction."""
    start = place.source.text.find(word, place.span.start, place.span.end)
    return place.source.place(start, start + len(word)) if start >= 0 else place
