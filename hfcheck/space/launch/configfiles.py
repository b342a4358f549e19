"""The configuration files of programs, found in the image by path or pattern."""

from __future__ import annotations

import posixpath
import re

from hfcheck.source import ReadProblem, SourceFile
from hfcheck.space.image.entries import ImageFile
from hfcheck.space.image.image import Image

_MOST_FILES = 60


def matching(image: Image, pattern: str) -> list[SourceFile]:
    """The files of the image that a path with `*` and `?` in its last part names."""
    if not any(character in pattern for character in "*?["):
        found = read(image, pattern)
        return [found] if found is not None else []
    folder, name = posixpath.split(pattern)
    wanted = re.compile(
        "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in name)
    )
    files = (
        read(image, posixpath.join(folder, name))
        for name in image.names(folder)
        if wanted.fullmatch(name)
    )
    return [file for file in files if file is not None][:_MOST_FILES]


def read(image: Image, path: str) -> SourceFile | None:
    """The text of a file of the image; None where there is none that can be read."""
    entry = image.lookup(path)
    if isinstance(entry, ImageFile) and not isinstance(entry.source, ReadProblem):
        return entry.source
    return None
