"""`.gitignore`: which files of the folder never reach the Space.

`hf upload` honours the .gitignore at the root of what it uploads and no nested one (observed:
huggingface_hub 2.4.0); git leaves out what any of them names, unless it is committed already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hfcheck.source import Place, SourceFile
from hfcheck.space.context import Context

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_STARS = 3
"""Most `*` in one part of a pattern that is tried: more would cost too much."""

MAX_FILES = 300
"""Most files and folders of a folder that are looked at."""


class GitIgnored:
    """The patterns of the .gitignore at the root of a context; read when it is first asked."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._specs: list[GitIgnoreSpec] = []
        self._places: list[Place] = []
        self._read = False

    def line(self, path: str) -> Place | None:
        """The line that keeps back a file, or every file of a folder; None where something of it
        is uploaded, or where there is nothing in the folder.
        """
        if not self._read:
            self._read = True
            self._take()
        if not self._specs:
            return None
        first: Place | None = None
        pending = [path]
        for _ in range(MAX_FILES):
            if not pending:
                break
            here = pending.pop()
            kind = self.context.kind(here)
            if kind == "dir":
                pending += [f"{here}/{name}" for name in self.context.names(here)]
            elif kind != "absent":
                place = self._line_of(here)
                if place is None:
                    return None
                first = first or place
        return first

    def _line_of(self, file: str) -> Place | None:
        result = self._specs[0].check_file(file)
        kept_back = result.include and result.index is not None
        return self._places[result.index] if kept_back and result.index is not None else None

    def _take(self) -> None:
        source = self.context.read(".gitignore")
        if not isinstance(source, SourceFile):
            return
        from pathspec import GitIgnoreSpec  # needed by few runs

        lines: list[str] = []
        start = 0
        for raw in source.text.split("\n"):
            text = raw.rstrip("\r")
            if _is_pattern(text):
                lines.append(text)
                self._places.append(source.place(start, start + len(text)))
            start += len(raw) + 1
        if lines:
            self._specs.append(GitIgnoreSpec.from_lines(lines))


def _is_pattern(line: str) -> bool:
    """Whether a line is a pattern that git takes and that is cheap to try."""
    from pathspec import GitIgnoreSpec

    if not line.strip() or line.startswith("#"):
        return False
    if any(part.count("*") > MAX_STARS for part in line.split("/")):
        return False
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
