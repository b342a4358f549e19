"""Paths inside an image or a build context: absolute, with `/`, without `.` and `..`."""

from __future__ import annotations

import posixpath


def absolute(workdir: str, path: str) -> str:
    """A path seen from a working folder, normalised; it never leads above the root."""
    joined = posixpath.normpath(posixpath.join(workdir, path))
    return "/" + joined.lstrip("/")


def join(folder: str, name: str) -> str:
    """A name (or a relative path) in a folder."""
    return f"{folder.rstrip('/')}/{name}".rstrip("/") or "/"


def within(path: str, folder: str) -> bool:
    """Whether a path is a folder or stands below it."""
    return path == folder or folder == "/" or path.startswith(folder + "/")


def relative(path: str, folder: str) -> str:
    """A path that stands in a folder, as seen from there; empty for the folder itself."""
    return path[len(folder) :].lstrip("/")
