"""The files of one build stage as a list of layers, looked up from the newest to the oldest.

A layer is one thing that an instruction does to the files: put one, mount a tree (COPY), take
some away, or cast doubt on what a folder holds. Nothing is listed or read until a path is asked
for. Paths are absolute, normalised and without links unless said otherwise.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from hfcheck.source import ReadProblem, SourceFile
from hfcheck.space.context import Context
from hfcheck.space.docker.dockerfile import Instruction
from hfcheck.space.image.dockerignore import Ignored
from hfcheck.space.image.gitignore import GitIgnored
from hfcheck.space.image.paths import join, relative, within

MAX_LAYERS = 4000
"""Most layers of one stage; what a build does after them is not followed."""

MAX_NESTING = 40
"""Deepest chain of copies from stage to stage that is followed, and most links in one path (the
kernel's own limit, `path_resolution(7)`)."""


@dataclass(frozen=True, slots=True)
class File:
    """A file: `text` where the build wrote it, else a file of the context."""

    made_by: Instruction | None
    context: Context | None = None
    path: str = ""
    text: SourceFile | None = None
    original: SourceFile | None = None
    executable: bool | None = None

    @property
    def generated(self) -> bool:
        """Whether the build wrote the text."""
        return self.text is not None and (
            self.original is None or self.text.path != self.original.path
        )

    def read(self) -> SourceFile | ReadProblem:
        """The text, or why it can't be read."""
        if self.text is not None:
            return self.text
        found = self.context.read(self.path) if self.context else None
        if found is None:
            raise ValueError("a file of the context that is not there")
        return found


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder; `doubt` says why it may hold more than is known."""

    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, with its target as written."""

    target: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing there, for certain."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Nobody can tell, and why."""

    reason: str


Node: TypeAlias = File | Folder | Link | Nothing | Doubtful

NOTHING = Nothing()


class Tree(Protocol):
    """Files that can be looked up by path."""

    def find(self, path: str, depth: int = 0) -> Node:
        """What is at a path; links are given as they are."""

    def names(self, path: str, depth: int = 0) -> Iterable[str]:
        """The names known to be in a folder."""


class ContextTree:
    """The build context as COPY sees it: without what .dockerignore leaves out."""

    def __init__(self, context: Context, ignored: Ignored) -> None:
        self.context = context
        self.ignored = ignored
        self.gitignored = GitIgnored(context)
        self._holds: dict[str, bool] = {}

    def find(self, path: str, depth: int = 0) -> Node:
        """What is at a path, `/` being the root of the context."""
        relative = path.lstrip("/")
        if not relative:
            return Folder()
        kind = self.context.kind(relative)
        if kind == "absent":
            return NOTHING
        if self.ignored.excludes(relative) and not (kind == "dir" and self._reopened(relative)):
            return NOTHING
        if kind == "file":
            executable = self.context.executable(relative)
            return File(None, self.context, relative, executable=executable)
        if kind == "dir":
            return Folder()
        return Doubtful("it is no regular file or folder inside the build context")

    def names(self, path: str, depth: int = 0) -> Iterable[str]:
        """The names in a folder that are not left out."""
        folder = path.strip("/")
        names = self.context.names(folder or ".")
        if not self.ignored:
            return names
        return [name for name in names if self.find(f"{folder}/{name}") != NOTHING]

    def _reopened(self, folder: str) -> bool:
        """Whether a folder that is left out is sent for a file in it that is let in again."""
        if folder not in self._holds:
            self._holds[folder] = self.ignored.reopens(folder) and self._search(folder)
        return self._holds[folder]

    def _search(self, folder: str) -> bool:
        pending = [folder]
        for _ in range(MAX_LAYERS):
            if not pending:
                return False
            here = pending.pop()
            for name in self.context.names(here):
                path = f"{here}/{name}"
                if not self.ignored.excludes(path):
                    return True
                if self.ignored.reopens(path) and self.context.kind(path) == "dir":
                    pending.append(path)
        return True


@dataclass(slots=True)
class Search:
    """A path that is looked for, and what newer layers have told about it: that it is a folder
    (`folder`), why more may be there (`doubt`), that a folder at or above it was made (`made`),
    and its executable bit (`mode`, in a list so that None can be told).
    """

    path: str
    depth: int = 0
    folder: bool = False
    doubt: str | None = None
    made: bool = False
    mode: list[bool | None] = field(default_factory=list)


class Layer(Protocol):
    """One thing done to the files."""

    def seek(self, search: Search) -> Node | None:
        """The last word on the path, or None where older layers are to be asked."""

    def list(self, path: str, names: set[str], depth: int) -> None:
        """Change the names of a folder as this layer does."""


@dataclass(frozen=True, slots=True)
class Put:
    """A file or link at a path."""

    path: str
    node: Node

    def seek(self, search: Search) -> Node | None:
        """The node at its own path; the folders above it are there, below it is nothing."""
        if search.path == self.path:
            return self.node
        if within(self.path, search.path):
            search.folder = True
        elif within(search.path, self.path):
            return NOTHING
        return None

    def list(self, path: str, names: set[str], depth: int) -> None:
        """Its name is in the folder above."""
        if within(path, self.path):
            names.clear()
        else:
            _add(path, self.path, names)


@dataclass(frozen=True, slots=True)
class Made:
    """A folder made where there may have been one before."""

    path: str

    def seek(self, search: Search) -> Node | None:
        """The folder and those above it are there."""
        if within(self.path, search.path):
            search.folder = True
        if within(search.path, self.path) and self.path != "/":
            search.made = True
        return None

    def list(self, path: str, names: set[str], depth: int) -> None:
        """Its name is in the folder above."""
        _add(path, self.path, names)


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of another tree, merged into the folder `path`. A path inside it that `leaves_out`
    names is not copied.
    """

    path: str
    tree: Tree
    root: str
    made_by: Instruction | None = None
    executable: bool | None = None
    leaves_out: Ignored | None = None

    def seek(self, search: Search) -> Node | None:
        """What the tree has there; where it has nothing, older layers hold."""
        if within(self.path, search.path):
            search.folder = True
        if not within(search.path, self.path):
            return None
        search.made = search.made or self.path != "/"
        inside = relative(search.path, self.path)
        if inside and self.leaves_out and self.leaves_out.excludes(inside):
            return None
        node = self.tree.find(join(self.root, inside), search.depth + 1)
        if isinstance(node, Folder):
            search.folder = True
            search.doubt = search.doubt or node.doubt
            return None
        if isinstance(node, Nothing):
            return None
        if isinstance(node, File):
            mode = node.executable if self.executable is None else self.executable
            made_by = node.made_by if node.made_by and node.text else self.made_by
            return replace(node, made_by=made_by, executable=mode)
        return node

    def list(self, path: str, names: set[str], depth: int) -> None:
        """The names of the tree's folder join those that are there."""
        if not within(path, self.path):
            _add(path, self.path, names)
            return
        inside = relative(path, self.path)
        for name in self.tree.names(join(self.root, inside), depth + 1):
            if not (self.leaves_out and self.leaves_out.excludes(f"{inside}/{name}".lstrip("/"))):
                names.add(name)


@dataclass(frozen=True, slots=True)
class Removed:
    """A path taken away with all that is below it."""

    path: str

    def seek(self, search: Search) -> Node | None:
        """Nothing is left there."""
        return NOTHING if within(search.path, self.path) else None

    def list(self, path: str, names: set[str], depth: int) -> None:
        """Its name is gone from the folder above."""
        if within(path, self.path):
            names.clear()
        elif posixpath.dirname(self.path) == path:
            names.discard(posixpath.basename(self.path))


@dataclass(frozen=True, slots=True)
class MaybeMore:
    """Something may have been added below a folder. What is known to be there stays. `shallow`:
    not inside the folders that the Dockerfile makes later.
    """

    path: str
    reason: str
    shallow: bool = False

    def seek(self, search: Search) -> Node | None:
        """Absence is no longer certain."""
        if within(search.path, self.path) and not (self.shallow and search.made):
            search.doubt = search.doubt or self.reason
        return None

    def list(self, path: str, names: set[str], depth: int) -> None:
        """No name is known."""


@dataclass(frozen=True, slots=True)
class Blurred:
    """A path, and all below it, of which nothing is known any more."""

    path: str
    reason: str

    def seek(self, search: Search) -> Node | None:
        """Nobody can tell."""
        return Doubtful(self.reason) if within(search.path, self.path) else None

    def list(self, path: str, names: set[str], depth: int) -> None:
        """No name is known."""
        if within(path, self.path):
            names.clear()


@dataclass(frozen=True, slots=True)
class Mode:
    """The executable bit of a file, or of all below a folder."""

    path: str
    executable: bool | None
    recursive: bool = False

    def seek(self, search: Search) -> Node | None:
        """The newest mode counts."""
        hit = search.path == self.path or (self.recursive and within(search.path, self.path))
        if hit and not search.mode:
            search.mode.append(self.executable)
        return None

    def list(self, path: str, names: set[str], depth: int) -> None:
        """The names stay."""


class Snapshot:
    """The files of a stage at one moment: the first `count` of its layers over `below`."""

    def __init__(self, layers: list[Layer], count: int, below: Tree) -> None:
        self._layers = layers
        self._count = count
        self._below = below
        self._found: dict[str, Node] = {}
        self._names: dict[str, frozenset[str]] = {}

    def find(self, path: str, depth: int = 0) -> Node:
        """What is at a path; links are given as they are."""
        if depth > MAX_NESTING:
            return Doubtful("files are copied from stage to stage too often to be followed")
        if path not in self._found:
            self._found[path] = self._seek(path, depth)
        return self._found[path]

    def names(self, path: str, depth: int = 0) -> Iterable[str]:
        """The names known to be in a folder."""
        if depth > MAX_NESTING:
            return ()
        if path not in self._names:
            names = set(self._below.names(path, depth + 1))
            for index in range(self._count):
                self._layers[index].list(path, names, depth)
            self._names[path] = frozenset(names)
        return self._names[path]

    def resolve(self, path: str) -> str:
        """The path with the known links in it followed (the last part too)."""
        return self._resolve(path, last=True)

    def resolve_parent(self, path: str) -> str:
        """The path with the known links in it followed, its last part left alone."""
        return self._resolve(path, last=False)

    def _resolve(self, path: str, *, last: bool) -> str:
        pending = [part for part in path.split("/") if part][::-1]
        here = "/"
        links = 0
        while pending:
            part = pending.pop()
            if part == "..":
                here = posixpath.dirname(here)
                continue
            if part == ".":
                continue
            step = join(here, part)
            node = self.find(step) if pending or last else NOTHING
            if isinstance(node, Link) and links < MAX_NESTING:
                links += 1
                if node.target.startswith("/"):
                    here = "/"
                pending.extend([part for part in node.target.split("/") if part][::-1])
            else:
                here = step
        return here

    def _seek(self, path: str, depth: int) -> Node:
        search = Search(path, depth)
        for index in range(self._count - 1, -1, -1):
            node = self._layers[index].seek(search)
            if node is not None:
                return _settled(search, node)
        return _settled(search, self._below.find(path, depth + 1))


def _settled(search: Search, node: Node) -> Node:
    """What the last word on a path and the doubts of newer layers come to."""
    if search.folder:
        doubt = search.doubt
        if isinstance(node, Folder):
            doubt = doubt or node.doubt
        elif isinstance(node, Doubtful):
            doubt = doubt or node.reason
        return Folder(doubt)
    if isinstance(node, Folder) and search.doubt:
        return Folder(search.doubt)
    if isinstance(node, Nothing) and search.doubt:
        return Doubtful(search.doubt)
    if isinstance(node, File) and search.mode:
        return replace(node, executable=search.mode[0])
    return node


class Layers:
    """The files of a stage that is being built: layers are added at the end."""

    def __init__(self, below: Tree) -> None:
        self._below = below
        self._list: list[Layer] = []
        self._now: Snapshot | None = None

    def add(self, layer: Layer) -> None:
        """Do one more thing to the files."""
        if len(self._list) == MAX_LAYERS:
            layer = Blurred("/", "the build has too many steps to be followed")
        if len(self._list) <= MAX_LAYERS:
            self._list.append(layer)
            self._now = None

    @property
    def now(self) -> Snapshot:
        """The files as they are now."""
        if self._now is None:
            self._now = Snapshot(self._list, len(self._list), self._below)
        return self._now


def _add(folder: str, path: str, names: set[str]) -> None:
    """Add the name that `path` has in `folder`, where it stands below it."""
    if path != folder and within(path, folder):
        names.add(relative(path, folder).split("/")[0])
