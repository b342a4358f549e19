"""The build context: the files of one folder, read within limits.

Regular files only, never through a link that leaves the root, at most `MAX_TEXT` bytes a file.
Paths are relative to the root, with `/`; `"."` is the root itself.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from pathlib import Path
from typing import Literal

from hfcheck.source import ReadProblem, SourceFile

MAX_TEXT = 1 << 20
"""Largest file that is read as text, in bytes (1 MiB)."""

MAX_DEPTH = 200
"""Deepest path that is looked at, in folders."""

_CODING = re.compile(rb"(?:[^\n]*\n)?[ \t\f]*#[^\n]{0,200}?coding[:=][ \t]*([-\w.]+)")
"""The declaration of PEP 263, in the first or second line."""

Kind = Literal["file", "dir", "absent", "other"]


class Context:
    """The files below `root` (absolute, resolved)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._texts: dict[str, SourceFile | ReadProblem | None] = {}
        self._kinds: dict[str, Kind] = {".": "dir"}
        self._modes: dict[str, int] = {}
        self._listings: dict[str, dict[str, bool]] = {}

    def __repr__(self) -> str:
        return f"Context({str(self.root)!r})"

    def kind(self, path: str) -> Kind:
        """`"file"`, `"dir"`, `"absent"` or `"other"` (device, FIFO, link out of the root)."""
        path = _tidy(path)
        if path not in self._kinds:
            self._kinds[path] = self._look(path)
        return self._kinds[path]

    def names(self, path: str = ".") -> tuple[str, ...]:
        """The sorted names in a folder; empty where it can't be listed."""
        return tuple(self._listing(_tidy(path)))

    def executable(self, path: str) -> bool | None:
        """Whether a file has the executable bit: False where it has not, None where it has (an
        upload over the Hub's API drops the bit, a git push keeps it) or where none is kept.
        """
        path = _tidy(path)
        if os.name == "nt" or self.kind(path) != "file" or path not in self._modes:
            return None
        return None if self._modes[path] & 0o111 else False

    def read(self, path: str) -> SourceFile | ReadProblem | None:
        """The text of a file, why it can't be read, or None where there is no such file; read
        once.
        """
        path = _tidy(path)
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _listing(self, path: str) -> dict[str, bool]:
        """The names in a folder, sorted, and whether each is a link."""
        if path not in self._listings:
            found: dict[str, bool] = {}
            if self.kind(path) == "dir":
                try:
                    with os.scandir(self.root / path) as entries:
                        found = {entry.name: entry.is_symlink() for entry in entries}
                except OSError:
                    found = {}
            self._listings[path] = dict(sorted(found.items()))
        return self._listings[path]

    def _look(self, path: str) -> Kind:
        """The kind of a path that is not known yet: by its parent's listing, one `stat` a path."""
        if path == ".." or path.startswith(("../", "/")) or "\0" in path:
            return "other"
        if path.count("/") > MAX_DEPTH:
            return "other"
        parent, name = posixpath.split(path)
        siblings = self._listing(parent or ".")
        if name not in siblings:
            return "other" if self.kind(parent or ".") == "other" else "absent"
        full = self.root / path
        try:
            if siblings[name] and not full.resolve(strict=True).is_relative_to(self.root.resolve()):
                return "other"
            mode = full.stat().st_mode
        except (OSError, RuntimeError, ValueError):
            return "absent"
        self._modes[path] = mode
        if stat.S_ISREG(mode):
            return "file"
        return "dir" if stat.S_ISDIR(mode) else "other"

    def _read(self, path: str) -> SourceFile | ReadProblem | None:
        full = self.root / path
        kind = self.kind(path)
        if kind in ("absent", "dir"):
            return None
        if kind != "file":
            return ReadProblem(full, "it is no regular file inside the folder")
        try:
            with open(full, "rb") as file:
                data = file.read(MAX_TEXT + 1)
        except OSError as error:
            return ReadProblem(full, f"it can't be read: {error.strerror}")
        return decode(full, data)


def decode(path: Path, data: bytes) -> SourceFile | ReadProblem:
    """The bytes of a file as text within the limits, or why they are none.

    UTF-8, or for Python what its first lines declare (PEP 263). Bytes of another encoding in a
    comment line do no harm in a Dockerfile or a script: U+FFFD stands for them.
    """
    if len(data) > MAX_TEXT:
        return ReadProblem(path, f"it is larger than {MAX_TEXT >> 20} MiB")
    bom = data.startswith(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8-sig" if bom else "utf-8")
    except UnicodeDecodeError as error:
        other = _in_another_encoding(path, data)
        return _undecodable(path, data, error.start) if other is None else SourceFile(path, other)
    if "\0" in text:
        at = text.index("\0")
        place = SourceFile(path, text.replace("\0", "\ufffd")).place(at, at + 1)
        return ReadProblem(path, "it has a NUL character", at, place)
    return SourceFile(path, text, bom=bom)


def _undecodable(path: Path, data: bytes, start: int) -> ReadProblem:
    at = len(data[:start].decode("utf-8", "replace"))
    place = SourceFile(path, data.decode("utf-8", "replace")).place(at, at + 1)
    return ReadProblem(path, f"it is not UTF-8 (byte {start})", start, place)


def _in_another_encoding(path: Path, data: bytes) -> str | None:
    if path.suffix == ".py":
        declared = _CODING.match(data)
        try:
            return data.decode(declared.group(1).decode("ascii")) if declared else None
        except (LookupError, ValueError):
            return None
    if path.suffix in (".md", ".toml", ".yaml", ".yml"):
        return None
    for line in data.splitlines():
        if not line.isascii() and not line.lstrip().startswith(b"#"):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return None
    return data.decode("utf-8", "replace") if b"\0" not in data else None


def read_text(root: Path, path: str) -> SourceFile | ReadProblem | None:
    """Read one file below `root` as UTF-8 within the limits; None where there is none."""
    return Context(root)._read(_tidy(path))


def _tidy(path: str) -> str:
    return posixpath.normpath(path) if path else "."
