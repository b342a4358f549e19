"""Which Python an image has."""

from __future__ import annotations

import re

from packaging.version import Version

from hfcheck.space.docker.dockerfile import Dockerfile, Stage

NEWEST = Version("3.14")
"""What `python:3`, `python:latest` or `python:slim` are at least."""

_TOLD = re.compile(r"py(?:thon)?-?:?v?(3)\.?(\d{1,2})(?!\d)")
_NEWEST = re.compile(r"(?:\A|/)python(?:\Z|@|:(?:3|latest|slim|alpine|bookworm|trixie)(?![.\d]))")
_SYSTEMS = (
    (re.compile(r"ubuntu-?:?20\.04|focal"), "3.8"),
    (re.compile(r"ubuntu-?:?22\.04|jammy"), "3.10"),
    (re.compile(r"ubuntu-?:?24\.04|noble"), "3.12"),
    (re.compile(r"debian:11|bullseye"), "3.9"),
    (re.compile(r"debian:12|bookworm"), "3.11"),
    (re.compile(r"debian:13|trixie"), "3.13"),
)
"""The python3 package of distributions: packages.ubuntu.com, packages.debian.org."""


def python_of(image: str) -> Version | None:
    """The Python that an image brings (or that its distribution installs), by its name; None
    where the name does not tell.
    """
    name = image.lower()
    told = _TOLD.search(name)
    if told is not None:
        return Version(f"{told[1]}.{told[2]}")
    if _NEWEST.search(name.removeprefix("docker.io/").removeprefix("library/")):
        return NEWEST
    for pattern, version in _SYSTEMS:
        if pattern.search(name):
            return Version(version)
    return None


def image_python(dockerfile: Dockerfile) -> Version | None:
    """The Python of the final image, else that of a stage it is built from."""
    for stage in reversed(dockerfile.needed()):
        root: Stage = stage
        while root.parent is not None:
            root = root.parent
        found = python_of(root.base) if root.base else None
        if found is not None:
            return found
    return None
