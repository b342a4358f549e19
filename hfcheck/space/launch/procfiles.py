"""Honcho, foreman and their kin: the processes of a Procfile.

Sources: honcho 2.0 (`honcho.command`, `honcho.environ`); foreman 0.88 and overmind 2 number ports
alike, and all of them end the other processes when one ends.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hfcheck.source import Place, ReadProblem, SourceFile
from hfcheck.space.dotenv import env_file
from hfcheck.space.image.entries import Absent, ImageFile
from hfcheck.space.image.image import Image
from hfcheck.space.launch.process import (
    Stopped,
    env_value,
    folder_of,
    in_folder,
    known_text,
    literal,
    word_text,
)
from hfcheck.space.shell.host import Call, Returns, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value

_PROCESS = re.compile(r"^([A-Za-z0-9_-]+):\s*([^\n]+)$", re.MULTILINE)
_FIRST_PORT, _STEP = 5000, 100


@dataclass(slots=True)
class _Words:
    """The words of the command line, sorted."""

    file: str | None = None
    env: str = ".env"
    root: str = "."
    port: str | None = None
    command: str = ""
    rest: list[str] = field(default_factory=list)
    index: int = 0


_VALUED = {"-f": "file", "--procfile": "file", "-e": "env", "--env": "env", "-d": "root",
           "--app-root": "root", "-p": "port", "--port": "port"}  # fmt: skip
_OTHERS = ("-c", "--concurrency", "-q", "--quiet", "-m", "--formation", "-t", "--timeout")


def _read_words(call: Call) -> _Words:
    found = _Words()
    words = [word_text(word) or "" for word in call.argv[1:]]
    index = 0
    while index < len(words):
        name, equals, value = words[index].partition("=")
        index += 1
        if name in _VALUED:
            if not equals and index < len(words):
                value, index = words[index], index + 1
            setattr(found, _VALUED[name], value)
        elif name in _OTHERS and not equals:
            index += 1
        elif name.startswith("-"):
            continue
        elif not found.command:
            found.command = words[index - 1]
            found.index = index + 1
            if found.command == "run":
                break
        else:
            found.rest.append(words[index - 1])
    return found


def process_run(image: Image, call: Call) -> Call | None:
    """The program of `honcho run COMMAND`; None for other commands."""
    words = _read_words(call)
    if words.command != "run":
        return None
    argv = call.argv[words.index :]
    if argv and word_text(argv[0]) == "--":
        argv = argv[1:]
    env = {**call.env, **_env(image, words, call)}
    return replace(call, argv=argv, env=env)


def processes(image: Image, call: Call) -> list[Call] | Unclear | Stopped | Returns:
    """The processes that `honcho start` runs, each as a command line in its first word."""
    words = _read_words(call)
    if words.command in ("check", "help", "version", "export"):
        return Returns(0)
    if words.command not in ("start", "s"):
        reason = f"what `{words.command}` of a Procfile runner does is not in the table"
        return Unclear(reason) if words.command else Stopped("it is given no command", call.place)
    env = _env(image, words, call)
    name = words.file or known_text(env.get("PROCFILE") or env_value(call, "PROCFILE"))
    file = posixpath.join(words.root, name or "Procfile")
    path = in_folder(folder_of(call), file)
    entry = image.lookup(path) if path else None
    if isinstance(entry, Absent):
        return Stopped(f"there is no file `{path}` in the image", call.place)
    if not isinstance(entry, ImageFile) or isinstance(entry.source, ReadProblem):
        return Unclear(f"`{file}` is not known", (Origin(call.place, file),))
    return _started(entry.source, words, env, call)


def _env(image: Image, words: _Words, call: Call) -> Mapping[str, Value[str]]:
    """The variables of the env files: they win over those that are set."""
    found: dict[str, Value[str]] = {}
    for name in words.env.split(","):
        path = in_folder(folder_of(call), posixpath.join(words.root, name.strip()))
        entry = image.lookup(path) if path else None
        if not isinstance(entry, ImageFile) or image.gitignored(entry.path):
            continue
        if isinstance(entry.source, SourceFile):
            found.update(env_file(entry.source))
    return found


def _started(
    source: SourceFile, words: _Words, env: Mapping[str, Value[str]], call: Call
) -> list[Call] | Unclear | Stopped:
    lines = {match.group(1): match for match in _PROCESS.finditer(source.text)}
    for name in words.rest:
        if name not in lines:
            return Stopped(f"`{source.path.name}` has no process `{name}`", call.place)
    port = _first_port(words, env, call)
    if isinstance(port, Stopped):
        return port
    found: list[Call] = []
    for number, name in enumerate(words.rest or lines):
        match = lines[name]
        text = match.group(2).rstrip("\r")
        place = source.place(match.start(2), match.start(2) + len(text))
        step = Origin(place, f"{source.path.name}: {name}")
        own = {"PORT": _numbered(port, number, place)}
        found.append(
            replace(
                call,
                argv=(literal(text, place),),
                env={**call.env, **env, **own},
                place=place,
                steps=(*call.steps, step),
            )
        )
    return found or Unclear(f"`{source.path.name}` has no process", (Origin(call.place, "start"),))


def _first_port(words: _Words, env: Mapping[str, Value[str]], call: Call) -> Value[str] | Stopped:
    """The port of the first process: of the env file, the command line, the environment."""
    given = Known(words.port) if words.port is not None else None
    port = env.get("PORT") or given or env_value(call, "PORT")
    if port is None or port == Known(""):
        return Known(str(_FIRST_PORT))
    if isinstance(port, Known) and not port.value.strip().isdigit():
        return Stopped(f"`{port.value}` is no number for a port", call.place)
    return port


def _numbered(port: Value[str], number: int, place: Place) -> Value[str]:
    if isinstance(port, Unknown):
        return port
    note = f"each further process gets a PORT that is {_STEP} higher, from {port.value}"
    return Known(str(int(port.value) + _STEP * number), (*port.origins, Origin(place, note)))
