"""What stands at a path of the image: a file, a folder, nothing, or nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hfcheck.source import ReadProblem, SourceFile
from hfcheck.space.docker.dockerfile import Instruction


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file in the image.

    `source` is its text with positions, or why it can't be read. For a copied file that is the
    file of the context itself; for one that the build writes (heredoc, echo, sed -i) `generated`
    is true and `source` holds the written text (`made_by` is the instruction that made it, and
    `source.path` is the Dockerfile's path). `original` is the context's file that the build
    changed, where it is one. A file of which the build only takes the carriage returns off is
    not `generated`: lines and columns of its text are those of the context's file.
    `executable` is None where modes can't be known.
    """

    path: str
    source: SourceFile | ReadProblem
    made_by: Instruction | None
    generated: bool = False
    executable: bool | None = None
    original: SourceFile | None = None


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """A folder in the image. `complete` is false where the build may have put more into it."""

    path: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing at this path, for certain."""

    path: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Whether there is something at this path can't be known, and why."""

    path: str
    reason: str


Entry: TypeAlias = ImageFile | ImageFolder | Absent | Unclear
