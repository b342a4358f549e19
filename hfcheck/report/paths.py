"""How a path is written for the reader: from the current folder where it is below it."""

from __future__ import annotations

from pathlib import Path

from hfcheck.report.mask import harmless


def shown_path(path: Path) -> str:
    """The path relative to the current folder when it is inside, else absolute, with `/`.

    Control characters and bytes that are no text are replaced.
    """
    try:
        text = path.relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        text = path.as_posix()
    return harmless(text)
