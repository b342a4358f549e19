"""`.dockerignore`: which files of the context a build never sees.

The lines are read as `ignorefile.ReadAll` of moby/patternmatcher reads them, and a path is
judged as its `MatchesUsingParentResults` does: in order, the last line that fits decides, and
what holds for a folder holds for what is in it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hfcheck.source import Place, ReadProblem, SourceFile
from hfcheck.space.context import Context
from hfcheck.space.image.pathmatch import ignore_match


@dataclass(frozen=True, slots=True)
class _Line:
    matches: Callable[[str], bool]
    text: str
    negated: bool
    place: Place | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """How one path was judged: the lines that fit it or a folder above it (a bit each), and the
    line that leaves it out.
    """

    fits: int
    by: _Line | None


class Ignored:
    """The patterns of one .dockerignore, or of `--exclude` flags."""

    def __init__(self, lines: Iterable[_Line] = ()) -> None:
        self._lines = tuple(lines)
        self._judged: dict[str, _Judged] = {"": _Judged(0, None)}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def excludes(self, path: str) -> bool:
        """Whether a path, relative to the context's root, is left out."""
        return self._judge(path).by is not None

    def line(self, path: str) -> Place | None:
        """The line that leaves a path out; None where none does, or where it is no file's line."""
        judged = self._judge(path).by
        return judged.place if judged else None

    def reopens(self, path: str) -> bool:
        """Whether a `!` line may let in something below a folder that is left out."""
        below = path + "/"
        for line in self._lines:
            if line.negated:
                fixed = line.text.split("*")[0].split("?")[0].split("[")[0].split("\\")[0]
                if fixed != line.text or fixed.startswith(below):
                    return True
        return False

    def _judge(self, path: str) -> _Judged:
        parts = path.split("/")
        judged = self._judged[""]
        for count in range(1, len(parts) + 1):
            step = "/".join(parts[:count])
            known = self._judged.get(step)
            if known is None:
                known = self._judged[step] = self._extend(step, judged.fits)
            judged = known
        return judged

    def _extend(self, path: str, above: int) -> _Judged:
        fits = 0
        by: _Line | None = None
        for index, line in enumerate(self._lines):
            bit = 1 << index
            if not above & bit and (line.negated != (by is not None) or not line.matches(path)):
                continue
            fits |= bit
            by = None if line.negated else line
        return _Judged(fits, by)


def read_ignored(context: Context, dockerfile: str | None) -> Ignored:
    """The ignore file of a build: `<Dockerfile>.dockerignore` beside the Dockerfile (its path in
    the context), else `.dockerignore` at the root (`dockerui/config.go` of moby/buildkit).
    """
    for name in ((f"{dockerfile}.dockerignore",) if dockerfile else ()) + (".dockerignore",):
        if context.kind(name) == "file":
            source = context.read(name)
            return Ignored() if source is None or isinstance(source, ReadProblem) else parse(source)
    return Ignored()


def parse(source: SourceFile) -> Ignored:
    """Read the text of a .dockerignore. A line that Go refuses as a pattern is passed over."""
    lines: list[_Line] = []
    start = 0
    for raw in source.text.split("\n"):
        pattern = raw.strip()
        if pattern and not raw.startswith("#"):
            at = start + raw.index(pattern)
            line = _line(pattern, source.place(at, at + len(pattern)))
            if line is not None:
                lines.append(line)
        start += len(raw) + 1
    return Ignored(lines)


def excluding(patterns: Iterable[str]) -> Ignored:
    """The patterns of `COPY --exclude`, relative to the folder that is copied."""
    return Ignored(line for pattern in patterns if (line := _line(pattern.strip(), None)))


def _line(pattern: str, place: Place | None) -> _Line | None:
    negated = pattern.startswith("!")
    text = pattern[1:].strip() if negated else pattern
    if not text:
        return None
    text = _clean(text)
    if len(text) > 1 and text.startswith("/"):
        text = text[1:]
    try:
        return _Line(ignore_match(text), text, negated, place)
    except ValueError:
        return None


def _clean(path: str) -> str:
    """Go's `filepath.Clean`: Python keeps a second slash at the start, Go does not."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned
