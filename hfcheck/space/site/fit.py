"""Which folder a Dockerfile was written for: the one that its COPY sources are in."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from hfcheck.source import SourceFile
from hfcheck.space.context import Context
from hfcheck.space.docker.dockerfile import Instruction, parse

_CODE = re.compile(
    r".+\.(?:py|js|ts|mjs|go|rs|java|rb|php|ipynb)|requirements.*\.txt|pyproject\.toml|package\.json"
)
_PATH = re.compile(r"(?<![\w./$}:@-])((?:\./)?[\w.-]+(?:/[\w.-]+)+)(?![\w/:])")
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class _Paths:
    """What a Dockerfile takes from its context: the sources of COPY and ADD, and whether one of
    them is the whole folder; and the relative paths that its RUN lines name.
    """

    sources: tuple[str, ...]
    whole: bool
    run: tuple[str, ...]


_LEVELS = 2
"""How far above the top the parents are tried where no repository bounds them."""


def fitting_context(
    dockerfile: SourceFile, root: Path, top: Path, bounded: bool
) -> tuple[Path, str]:
    """The folder that a Dockerfile takes as its build context, and why if it is not `root`.

    It is `root` unless another folder holds more of what COPY and ADD name: the Dockerfile's own
    folder where that holds all of it, or a parent (up to `top`) whose paths lead back through
    `root`, or whose code is all there is because `root` has none. Where `top` is no repository's
    root (`bounded` is false), the first kind of parent may be a little above it.
    """
    paths = _read_paths(dockerfile)
    here = _found(paths.sources, root)
    own = dockerfile.path.parent
    missing = here < len(paths.sources)
    inside = own != root and own.is_relative_to(root)
    if inside and missing and _found(paths.sources, own) == len(paths.sources):
        return own, f"all that COPY names is in {own.name}/"
    for parent in _parents(root, top, bounded):
        inner = root.relative_to(parent).as_posix()
        through = _leads_through(paths, root, parent, inner)
        if through and _found(paths.sources, parent) >= here:
            return parent, f"`{through}` is there only seen from {parent.name}/"
        everything = here == 0 < _found(paths.sources, parent) == len(paths.sources)
        if everything and parent.is_relative_to(top) and not _has_code(root):
            return parent, f"all that COPY names is in {parent.name}/"
    return root, ""


def _parents(root: Path, top: Path, bounded: bool) -> list[Path]:
    parents = list(root.parents)
    levels = len(root.relative_to(top).parts) + (0 if bounded else _LEVELS)
    return parents[:levels]


def _leads_through(paths: _Paths, root: Path, parent: Path, inner: str) -> str | None:
    """A path that starts with the folder's own name and is there only seen from the parent."""
    named = (*paths.sources, *(paths.run if paths.whole else ()))
    for path in named:
        inside = path == inner or path.startswith(inner + "/")
        if inside and _exists(parent, path) and not _exists(root, path):
            return path
    return None


def _has_code(folder: Path) -> bool:
    return any(_CODE.fullmatch(name) for name in Context(folder).names())


def _found(sources: tuple[str, ...], folder: Path) -> int:
    return sum(_exists(folder, source) for source in sources)


def _exists(folder: Path, path: str) -> bool:
    context = Context(folder)
    if not _GLOB.search(path):
        return context.kind(path) in ("file", "dir")
    home, pattern = posixpath.split(path)
    if _GLOB.search(home):
        return False
    return bool(fnmatch.filter(context.names(home or "."), pattern))


def _read_paths(source: SourceFile) -> _Paths:
    sources: list[str] = []
    run: list[str] = []
    whole = False
    for stage in parse(source).stages:
        for instruction in stage.instructions:
            if instruction.name in ("COPY", "ADD") and instruction.flag("from") is None:
                for path in _sources(instruction):
                    if path in (".", "*"):
                        whole = True
                    elif path not in sources:
                        sources.append(path)
            elif instruction.name == "RUN":
                run += [posixpath.normpath(m[1]) for m in _PATH.finditer(instruction.value)]
    return _Paths(tuple(sources), whole, tuple(dict.fromkeys(run)))


def _sources(instruction: Instruction) -> list[str]:
    """The sources that can be looked for: no URLs, here-documents, variables, nested globs."""
    words = [word.text.strip("\"'") for word in instruction.json or instruction.words]
    paths = []
    for word in words[:-1]:
        if word.startswith("<<") or "$" in word or re.match(r"[a-z+]+://|git@", word):
            continue
        path = posixpath.normpath(word.lstrip("/") or ".")
        if not path.startswith(".."):
            paths.append(path)
    return paths
