"""The folders below a path that belong to the project: bounded, and safe against link cycles."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hfcheck.source import SourceFile
from hfcheck.space.context import read_text

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_FILES = 20_000
"""Most files that one run looks at while it searches for Spaces."""

_FOREIGN = frozenset({"node_modules", "__pycache__", "site-packages", "dist-packages"})
"""Folders that hold what others wrote or what a tool made."""


@dataclass(slots=True)
class Walk:
    """The folders found, the path itself first and shallow ones before deep ones; `complete` is
    false where `MAX_FILES` ended the search.
    """

    folders: list[Path] = field(default_factory=list)
    complete: bool = True


def walk(root: Path, top: Path | None = None) -> Walk:
    """Walk the folders below `root`.

    Left out are hidden folders, virtual environments, node_modules and its like, links, and what a
    .gitignore between `top` (the root of the repository) and the folder says.
    """
    result = Walk()
    count = 0
    queue: deque[tuple[Path, _Ignored]] = deque([(root, _from_top(root, top or root))])
    while queue:
        folder, ignored = queue.popleft()
        files, folders = _entries(folder)
        count += len(files)
        if count > MAX_FILES:
            result.complete = False
            return result
        if folder != root and "pyvenv.cfg" in files:
            continue
        result.folders.append(folder)
        inner = ignored.inside(folder) if ".gitignore" in files else ignored
        for name in folders:
            child = folder / name
            if not (name.startswith(".") or name in _FOREIGN or inner.has(child)):
                queue.append((child, inner))
    return result


def _entries(folder: Path) -> tuple[set[str], list[str]]:
    files: set[str] = set()
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                else:
                    files.add(entry.name)
    except OSError:
        return set(), []
    return files, sorted(folders)


@dataclass(frozen=True, slots=True)
class _Ignored:
    """The .gitignore files that hold for a folder, the outermost first."""

    specs: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    def inside(self, folder: Path) -> _Ignored:
        """The same with the .gitignore of one more folder."""
        source = read_text(folder, ".gitignore")
        if not isinstance(source, SourceFile):
            return self
        from pathspec import GitIgnoreSpec

        lines = [line for line in source.text.splitlines() if line and not line.startswith("#")]
        spec = GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line))
        return _Ignored((*self.specs, (folder, spec)))

    def has(self, folder: Path) -> bool:
        """Whether a folder is ignored: the last word counts, as in git."""
        verdict = False
        for base, spec in self.specs:
            answer = spec.check_file(folder.relative_to(base).as_posix() + "/").include
            verdict = verdict if answer is None else answer
        return verdict


def _is_pattern(line: str) -> bool:
    """Whether pathspec takes a line; git passes over those that are no pattern. One with so many
    stars in a name that matching it could take long is passed over as well.
    """
    from pathspec import GitIgnoreSpec

    if any(part.count("*") > 3 for part in line.split("/")):
        return False
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _from_top(root: Path, top: Path) -> _Ignored:
    """The .gitignore files from the root of the repository down to the folder before `root`."""
    ignored = _Ignored()
    if root == top or not root.is_relative_to(top):
        return ignored
    for folder in reversed([*root.parents][: len(root.relative_to(top).parts)]):
        ignored = ignored.inside(folder)
    return ignored
