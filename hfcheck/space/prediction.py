"""The verdict on a container's start for callers outside of hfcheck: where it would listen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from hfcheck.source import Place
from hfcheck.space.declared import Declared
from hfcheck.space.launch.failing import failing_load, failing_program
from hfcheck.space.launch.launch import Launch, work_out_launch
from hfcheck.space.launch.process import Listener
from hfcheck.space.model import Space
from hfcheck.space.site.discover import Site
from hfcheck.space.value import Known, Origin

Verdict: TypeAlias = Literal["listens", "none", "unknown"]
Tree: TypeAlias = Path | Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Where the container of a Dockerfile would listen.

    `verdict` is "listens" (then `host` and `port` are the address that answers the Space's port;
    "0.0.0.0" stands for every interface), "none" where nothing listens (the build fails, or the
    start ends, or what starts opens no port), "unknown" where files don't tell. `reason` says why
    for the last two; of an unknown address the known half is given. `via` is the way that led
    there, each step as `FILE:LINE text`. `sockets` are the known addresses of everything that the
    start runs, internal servers too.
    """

    verdict: Verdict
    host: str | None = None
    port: int | None = None
    reason: str | None = None
    via: tuple[str, ...] = ()
    sockets: tuple[tuple[str, int], ...] = ()


def predict(
    dockerfile: str,
    tree: Tree,
    variables: Mapping[str, str] | None = None,
    secrets: tuple[str, ...] = (),
) -> Prediction:
    """Where the container would listen that `dockerfile` (its text) builds from `tree`.

    `tree` is the build context: a folder, or its files by path with their content. `variables`
    and the names in `secrets` are set in the Space. Nothing of the tree is run. Raises OSError
    where a folder can't be read, or files can't be written to a temporary one, and ValueError for
    a path that leads out of it; nothing else, whatever the files hold.
    """
    with tempfile.TemporaryDirectory() as scratch, _folder(tree) as root:
        path = Path(scratch).resolve() / "Dockerfile"
        path.write_text(dockerfile, "utf-8", newline="")
        site = Site(root, root, path, None)
        declared = Declared(variables=dict(variables or {}), secrets=frozenset(secrets))
        return _prediction(_Started(site, declared))


class _Started(Space):
    """A Space as it starts with the variables that are known to be set: a program that can't run
    without another one stops the script that it is a step of.
    """

    @cached_property
    def launch(self) -> Launch | None:
        if self.image is None:
            return None
        return work_out_launch(self.image, self.declared, lambda: self.packages, failing_program)


@contextmanager
def _folder(tree: Tree) -> Iterator[Path]:
    if isinstance(tree, Path):
        yield tree.resolve(strict=True)
        return
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        for path, content in tree.items():
            file = (root / path).resolve()
            if not file.is_relative_to(root):
                raise ValueError(f"{path!r} leads out of the build context")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        yield root


def _prediction(space: Space) -> Prediction:
    end = _end(space)
    if end is not None:
        return Prediction("none", reason=end.note, via=tuple(_way(space, end)))
    launch = space.launch
    if launch is None:
        return Prediction("none", reason="the Dockerfile has no stage")
    listen = launch.listen
    verdict: Verdict = "listens" if listen["known"] else "unknown"
    if launch.nothing is not None:
        verdict = "none"
    host, port, reason, via = listen["host"], listen["port"], listen["reason"], listen["via"]
    return Prediction(
        verdict,
        host if isinstance(host, str) else None,
        port if isinstance(port, int) else None,
        reason if isinstance(reason, str) else None,
        tuple(via) if isinstance(via, list) else (),
        tuple(dict.fromkeys(_sockets(launch.listeners))),
    )


def _end(space: Space) -> Origin | None:
    """What ends the build or the start before anything listens for good."""
    if space.dockerfile is not None and space.dockerfile.problems:
        problem = space.dockerfile.problems[0]
        return Origin(problem.place, f"the Dockerfile can't be built: {problem.message}")
    if space.launch is None or space.launch.public is None:
        return None
    for missing in space.launch.problems:
        if missing.kind == "app-target-missing":
            return Origin(missing.place, missing.message)
    return _failing_load(space)


def _failing_load(space: Space) -> Origin | None:
    """What certainly raises while the entry point is loaded."""
    for problem in space.problems:
        if problem.sure:
            name = PurePosixPath(problem.place.source.path).name
            return Origin(problem.place, f"{name} can't be loaded: {problem.reason}")
    return failing_load(
        space.startup, space.settings, space.python, space.image, lambda: space.packages
    )


def _sockets(listeners: tuple[Listener, ...]) -> Iterator[tuple[str, int]]:
    for each in listeners:
        if isinstance(each.host, Known) and isinstance(each.port, Known):
            yield each.host.value or "0.0.0.0", each.port.value


def _way(space: Space, end: Origin) -> Iterator[str]:
    """The steps to what would have listened, and what ends it."""
    public = space.launch.public if space.launch else None
    for step in public.steps if public else ():
        yield _told(step.place, step.note)
    yield _told(end.place, end.note)


def _told(place: Place, note: str) -> str:
    line = place.source.position(place.span.start).line
    return f"{PurePosixPath(place.source.path).name}:{line} {note}"
