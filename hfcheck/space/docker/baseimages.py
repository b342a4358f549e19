"""How base images are configured: the variables, the folder and the program that they set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hfcheck.space.value import Known, Origin, Unknown, Value

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where an image sets none (`util/system/path.go` of moby/buildkit)."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_REGISTRIES = (
    "docker.io/",
    "index.docker.io/",
    "registry-1.docker.io/",
    "public.ecr.aws/docker/",
    "mirror.gcr.io/",
)


@dataclass(frozen=True, slots=True)
class BaseImage:
    """A base image. `known` tells whether anything is known of it; if so, `variables` are those
    it sets beside PATH, and it sets no other.
    """

    name: str | None
    known: bool
    workdir: str | None
    path: str | None
    variables: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()

    def env(self, *origins: Origin) -> dict[str, Value[str]]:
        """The variables that it is known to set, with their values where they are known too."""
        unknown = Unknown("the base image sets it", origins)
        env: dict[str, Value[str]] = dict.fromkeys(self.variables, unknown)
        if self.known:
            env["PATH"] = Known(self.path, origins) if self.path else unknown
        return env


def base_image(name: str | None) -> BaseImage:
    """The base of a stage by its expanded name (None: it can't be known)."""
    if name == "scratch":
        return BaseImage(name, True, "/", DEFAULT_PATH)
    short = repository(name) if name else ""
    table = _table()
    if short not in table["plain"]:
        return BaseImage(name, False, None, None)
    workdir = table["workdir"].get(short, "/")
    if "distroless" in short and "nonroot" in (name or ""):
        workdir = "/home/nonroot"
    variables = tuple(table["variables"].get(short, ()))
    entrypoint = tuple(table["entrypoint"].get(short, ()))
    return BaseImage(name, True, workdir, table["path"].get(short), variables, entrypoint)


def repository(name: str) -> str:
    """The image's name without registry, tag and digest where it is Docker's own (`python`)."""
    name = name.split("@")[0]
    head, slash, tail = name.rpartition("/")
    name = (head + slash + tail.split(":")[0]).lower()
    for registry in _REGISTRIES:
        name = name.removeprefix(registry)
    return name.removeprefix("library/")


@cache
def _table() -> dict[str, Any]:
    """baseimages.yaml."""
    text = Path(__file__).with_name("baseimages.yaml").read_text("utf-8")
    table: dict[str, Any] = yaml.load(text, _Loader)
    return table
