"""What the launch modules say to each other about a program that is started.

A program is a `Call` of `shellhost`; what becomes of it is a `CommandResult` whose `Running`s
hold a `Listener`. A program that stops at an error is `Stopped`: the launch keeps the reason and
tells the shell runner its exit status.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from hfcheck.source import Place
from hfcheck.space.image.image import Image
from hfcheck.space.shell.host import (
    ArgWord,
    Blocks,
    Call,
    CommandResult,
    Returns,
    Running,
    Unclear,
)
from hfcheck.space.value import Known, Origin, Unknown, Value

LOOPBACK = ("localhost", "::1", "[::1]")
"""Names of the container itself, besides 127.0.0.0/8."""


@dataclass(frozen=True, slots=True)
class Target:
    """The application that a server loads: `app.main:app`, where that is written, the folders
    that it is imported from, what kind it is (`asgi`, `wsgi`, `script`), and whether the name is
    a function that makes the application.

    `module` is the dotted module (or the image path of a script), `attribute` what is taken from
    it (None where the server looks for it itself).
    """

    text: str
    place: Place
    search: tuple[str, ...]
    kind: str
    factory: bool = False
    module: str = ""
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Something that would listen on a TCP port.

    `server` names it (`uvicorn`), `host` None is all interfaces, `place` is the command or the
    call that starts it, `steps` the way from CMD to it. `search` and `entry` are the import
    folders and the modules or scripts that its process loads first. `proxy` is true for a server
    that hands requests on to others. `env` is the environment that its process starts in,
    `open_env` why further variables may be set, `image` the image that it sees where scripts
    changed files before.
    """

    server: str
    host: Value[str | None]
    port: Value[int]
    target: Target | None
    place: Place
    steps: tuple[Origin, ...] = ()
    foreground: bool = True
    search: tuple[str, ...] = ()
    entry: tuple[str, ...] = ()
    proxy: bool = False
    env: Mapping[str, Value[str]] = field(default_factory=dict, compare=False, repr=False)
    open_env: Unknown | None = None
    image: Image | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> object:
        """What makes two listeners the same, wherever they are written."""
        return (self.server, _plain(self.host), _plain(self.port), self.target and self.target.text)

    @property
    def internal(self) -> bool:
        """Whether it is known to listen inside the container only."""
        return isinstance(self.host, Known) and is_loopback(self.host.value)


@dataclass(frozen=True, slots=True)
class Companion:
    """A program beside the others of which nothing is known: it may be what is reached."""

    reason: str
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class LaunchProblem:
    """A fault in the way a process is started, for the rule that is named like `kind`."""

    kind: str
    message: str
    place: Place
    related: tuple[Origin, ...] = ()
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """A program that exits with an error as soon as it starts: why, and where that is written."""

    reason: str
    place: Place
    status: int = 1
    problems: tuple[LaunchProblem, ...] = ()


Result: TypeAlias = CommandResult | Stopped
"""What becomes of a program."""


def is_loopback(host: str | None) -> bool:
    """Whether a host is the container itself."""
    return host is not None and (host.lower() in LOOPBACK or host.startswith("127."))


def served(listener: Listener) -> Blocks:
    """The result of a program that keeps running and listens."""
    return Blocks((running(listener),))


def running(listener: Listener) -> Running:
    """A listener as the shell runner keeps it."""
    return Running(listener, listener.key, listener.place, listener.steps, listener.foreground)


def companion(unclear: Unclear, call: Call) -> Running:
    """A program that runs beside the others, and is not known."""
    what = Companion(unclear.reason, unclear.origins)
    return Running(what, ("companion", unclear.reason), call.place, call.steps, False)


def behind(listener: Listener) -> Returns:
    """The result of a program that goes to the background and returns."""
    return Returns(0, running=(running(replace(listener, foreground=False)),))


def literal(text: str, place: Place, note: str = "") -> ArgWord:
    """A word that is written at `place` as it stands."""
    return ArgWord(Known(text, (Origin(place, note or text),)), place, text)


def known_text(value: Value[str] | None) -> str | None:
    """The text of a value; None where it is unset or not known."""
    return value.value if isinstance(value, Known) else None


def word_text(word: ArgWord) -> str | None:
    """The text of a word; None where it is not known."""
    return known_text(word.value)


def name_of(call: Call) -> str:
    """The name of the program without its folder; empty where it is not known."""
    return posixpath.basename(word_text(call.argv[0]) or "") if call.argv else ""


def env_value(call: Call, name: str) -> Value[str] | None:
    """An environment variable as the program sees it; None where it is unset."""
    found = call.env.get(name)
    if found is None and call.open_env is not None:
        return call.open_env
    return found


def folder_of(call: Call) -> str | None:
    """The folder that the program starts in, None where that can't be known."""
    return known_text(call.cwd)


def in_folder(folder: str | None, path: str) -> str | None:
    """`path` as seen from `folder`, absolute and normalised; None where it can't be known."""
    if path.startswith("/"):
        return posixpath.normpath(path)
    return posixpath.normpath(posixpath.join(folder, path)) if folder is not None else None


def python_path(call: Call) -> tuple[str, ...]:
    """The folders of PYTHONPATH, absolute."""
    text = known_text(env_value(call, "PYTHONPATH"))
    if not text:
        return ()
    folders = (in_folder(folder_of(call), part) for part in text.split(":") if part)
    return tuple(folder for folder in folders if folder)


def cant_know(reason: str, place: Place) -> Unknown:
    """An unknown value with its reason and place."""
    return Unknown(reason, (Origin(place, reason),))


def _plain(value: Value[str | None] | Value[int]) -> object:
    return ("known", value.value) if isinstance(value, Known) else ("unknown", value.reason)
