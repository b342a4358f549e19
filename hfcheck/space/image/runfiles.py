"""What the commands of a RUN do to the files of a stage: write, copy, move, remove, change."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace

from hfcheck.source import ReadProblem, SourceFile
from hfcheck.space.context import MAX_TEXT
from hfcheck.space.docker.dockerfile import Instruction
from hfcheck.space.image.layers import (
    Blurred,
    Doubtful,
    File,
    Folder,
    Layer,
    Layers,
    Link,
    Made,
    MaybeMore,
    Mode,
    Mount,
    Node,
    Nothing,
    Put,
    Removed,
)
from hfcheck.space.image.pathmatch import go_match, has_wildcard
from hfcheck.space.image.paths import absolute, join

MAX_GLOB = 500
"""Most files that one unquoted pattern of a command is followed to."""

Edit = Callable[[str], str | None]
"""A change of a text: the new one, or None where it can't be told."""


class RunFiles:
    """The files as one RUN instruction changes them.

    While `maybe` is set, the command may not run at all: what it would change is then unclear.
    Paths are absolute; links in them are followed.
    """

    def __init__(self, layers: Layers, instruction: Instruction) -> None:
        self.layers = layers
        self.instruction = instruction
        self.maybe = False

    def find(self, path: str) -> Node:
        """What is at a path."""
        now = self.layers.now
        return now.find(now.resolve(path))

    def text(self, path: str) -> str | None:
        """The text of a file; None where it can't be known."""
        node = self.find(path)
        source = node.read() if isinstance(node, File) else None
        return source.text if isinstance(source, SourceFile) else None

    def from_context(self, path: str) -> bool:
        """Whether a path is a file of the build context, as it was uploaded."""
        node = self.find(path)
        return isinstance(node, File) and node.context is not None

    def matching(self, cwd: str, pattern: str) -> list[str]:
        """The known paths that fit a pattern of the shell; none where it is not understood."""
        now = self.layers.now
        found = ["/"]
        for part in absolute(cwd, pattern).split("/")[1:]:
            if not has_wildcard(part):
                found = [join(folder, part) for folder in found]
                continue
            try:
                matcher = go_match(part.replace("[!", "[^"))
            except ValueError:
                return []
            hidden = part.startswith(".")
            found = [
                join(folder, name)
                for folder in found
                for name in sorted(now.names(now.resolve(folder)))
                if matcher.matches(name) and (hidden or not name.startswith("."))
            ][:MAX_GLOB]
        return [path for path in found if not isinstance(self.find(path), Nothing)]

    def write(self, path: str, text: str | None, *, append: bool = False) -> None:
        """Write a file; `text` None: what is written can't be known."""
        path = self.layers.now.resolve(path)
        node = self.layers.now.find(path)
        if isinstance(node, Folder):
            return
        old = node if isinstance(node, File) else None
        if append and not isinstance(node, Nothing):
            before = self.text(path)
            text = None if text is None or before is None else before + text
        if text is None or len(text) > MAX_TEXT:
            self._blur(path, "the build writes it, and what it writes is not known")
            return
        written = SourceFile(self.instruction.source.path, text)
        original = _context_file(old) if append and old else None
        mode = old.executable if old else False
        file = File(self.instruction, text=written, original=original, executable=mode)
        self._add(Put(path, file), path)

    def edit(self, path: str, change: Edit, *, keeps_lines: bool = False) -> None:
        """Change the text of a file. `keeps_lines`: only carriage returns go, so that lines and
        columns stay those of the file as it was.
        """
        path = self.layers.now.resolve(path)
        node = self.layers.now.find(path)
        if not isinstance(node, File):
            return
        source = node.read()
        text = None if isinstance(source, ReadProblem) else change(source.text)
        if isinstance(source, ReadProblem) or text is None:
            self._blur(path, "the build changes it in a way that is not followed")
            return
        if text == source.text:
            return
        if keeps_lines:
            new, made_by = SourceFile(source.path, text, bom=source.bom), node.made_by
        else:
            new, made_by = SourceFile(self.instruction.source.path, text), self.instruction
        original = node.original or _context_file(node)
        file = File(made_by, text=new, original=original, executable=node.executable)
        self._add(Put(path, file), path)

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it."""
        path = self.layers.now.resolve(path)
        if self.maybe:
            self.layers.add(MaybeMore(path, "whether the build makes it is not known"))
        else:
            self.layers.add(Made(path))

    def touch(self, path: str) -> None:
        """Make an empty file where there is none."""
        if isinstance(self.find(path), Nothing):
            self.write(path, "")

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        path = self.layers.now.resolve_parent(path)
        if path != "/" and not isinstance(self.layers.now.find(path), Nothing):
            self._add(Removed(path), path)

    def link(self, target: str, path: str) -> None:
        """Make a symbolic link at `path`, or inside it where it is a folder."""
        if isinstance(self.find(path), Folder):
            path = join(path, posixpath.basename(target.rstrip("/")))
        path = self.layers.now.resolve_parent(path)
        self._add(Put(path, Link(target)), path)

    def copy(self, source: str, dest: str, *, into: bool = False, contents: bool = False) -> None:
        """Copy a file or a folder. `into`: `dest` is a folder for certain; `contents`: what is in
        the folder goes into `dest` (`cp -r source/. dest`).
        """
        before = self.layers.now
        source = before.resolve(source)
        node = before.find(source)
        dest = before.resolve(dest)
        if not contents and (into or isinstance(before.find(dest), Folder)):
            dest = join(dest, posixpath.basename(source))
        if isinstance(node, File):
            copied = replace(node, made_by=node.made_by or self.instruction)
            self._add(Put(dest, copied), dest)
        elif isinstance(node, Folder):
            if self.maybe:
                self.layers.add(MaybeMore(dest, "whether it is copied there is not known"))
                return
            self.layers.add(Made(dest))
            self.layers.add(Mount(dest, before, source))
        else:
            reason = node.reason if isinstance(node, Doubtful) else "what is copied is not there"
            self.layers.add(MaybeMore(dest, reason))

    def move(self, source: str, dest: str, *, into: bool = False) -> None:
        """Move a file or a folder."""
        self.copy(source, dest, into=into)
        self.remove(source)

    def set_mode(self, path: str, executable: bool, *, recursive: bool = False) -> None:
        """Set or take the executable bit."""
        path = self.layers.now.resolve(path)
        self.layers.add(Mode(path, None if self.maybe else executable, recursive))

    def doubt(self, path: str, reason: str) -> None:
        """Something may be added below a folder (or made at the path)."""
        path = self.layers.now.resolve(path)
        self.layers.add(MaybeMore(path, reason, shallow=path == "/"))

    def unsettle(self, path: str, reason: str) -> None:
        """A file is made or changed, and what is in it can't be known."""
        self._blur(self.layers.now.resolve(path), reason)

    def _add(self, layer: Layer, path: str) -> None:
        if self.maybe:
            self._blur(path, "whether the build changes it is not known")
        else:
            self.layers.add(layer)

    def _blur(self, path: str, reason: str) -> None:
        self.layers.add(Blurred(path, reason))


def _context_file(node: File) -> SourceFile | None:
    """The context's file behind a node, where it is one that can be read."""
    if node.original is not None or node.context is None:
        return node.original
    source = node.read()
    return source if isinstance(source, SourceFile) else None
