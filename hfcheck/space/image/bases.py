"""What is known about the files of base images: which leave the folders of an app empty.

An official image of a distribution or a language fills `/usr`, `/etc` and their like, and nothing
else; so `/app` holds what the Dockerfile puts there. Of any other image nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hfcheck.space.docker.baseimages import BaseImage, repository
from hfcheck.space.image.layers import NOTHING, Doubtful, Folder, Node
from hfcheck.space.image.paths import within

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_FILLED = re.compile(
    r"/opt/(?:conda|java|nvidia|yarn|intel|microsoft|ibm|rust|ghc|cabal|julia)"
    r"|/(?:root|home/[^/]+)/\."
    r"|/(?:go|ms-playwright|uv|uvx)(?:/|\Z)"
    r"|/(?:docker-)?entrypoint"
)
"""Paths outside the system folders that these images do fill."""


@dataclass(frozen=True, slots=True)
class Base:
    """The files of a base image."""

    image: BaseImage

    @property
    def name(self) -> str | None:
        """The expanded name of the image; None where it is not known."""
        return self.image.name

    @property
    def known(self) -> bool:
        """Whether the folders of an application are known to be empty."""
        return self.image.known

    @property
    def sh(self) -> str | None:
        """What `/bin/sh` is: dash, ash or bash; None where that is not known."""
        if not self.known or not self.name:
            return None
        text = self.name.lower()
        if "distroless" in text:
            return None
        if "alpine" in text or repository(text) == "busybox":
            return "ash"
        if any(word in text for word in _table()["bash"]):
            return "bash"
        return "dash"

    def find(self, path: str, depth: int = 0) -> Node:
        """What the image has at a path."""
        if self.name == "scratch":
            return Folder() if path == "/" else NOTHING
        doubt = f"the files of the base image {self.name or 'of this stage'} are not known"
        if path == "/":
            return Folder(doubt)
        if not self.known or _FILLED.match(path):
            return Doubtful(doubt)
        return _on_plain(path, doubt)

    def names(self, path: str, depth: int = 0) -> Iterable[str]:
        """No name of a base image's file is known."""
        return ()


@cache
def _table() -> dict[str, Any]:
    """bases.yaml."""
    text = Path(__file__).with_name("bases.yaml").read_text("utf-8")
    table: dict[str, Any] = yaml.load(text, _Loader)
    return table


def _on_plain(path: str, doubt: str) -> Node:
    """What a distribution has at a path other than the root."""
    table = _table()
    top = path.split("/")[1]
    system = top in table["system"]
    if any(within(path, folder) for folder in table["empty"]):
        return Folder() if path in table["folders"] else NOTHING
    if path in table["folders"] or (path == f"/{top}" and (system or top in table["houses"])):
        return Folder(doubt if system else None)
    return Doubtful(doubt) if system else NOTHING
