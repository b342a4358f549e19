"""What the configuration files of servers say: gunicorn.conf.py, GUNICORN_CMD_ARGS, hypercorn's
TOML, .streamlit/config.toml, .env and .flaskenv.
"""

from __future__ import annotations

import posixpath
import re
import shlex
import tomllib
from collections.abc import Callable
from dataclasses import replace

from hfcheck.source import Place, ReadProblem, SourceFile
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.python import Module, Python, load_module
from hfcheck.space.code.values import WouldRaise, items_of
from hfcheck.space.dotenv import env_file
from hfcheck.space.image.entries import Absent, ImageFile
from hfcheck.space.image.image import Image
from hfcheck.space.launch.launchers import Configured, Found
from hfcheck.space.launch.options import read_options
from hfcheck.space.launch.process import (
    Stopped,
    env_value,
    folder_of,
    in_folder,
    name_of,
    python_path,
    word_text,
)
from hfcheck.space.packages import Packages
from hfcheck.space.shell.host import ArgWord, Call, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value

Prepare = Callable[[Evaluator], None]
Result = Configured | Stopped | Unclear

_NOTHING = Configured()


def configured(found: Found, call: Call, image: Image, prepare: Prepare) -> Result:
    """What the configuration of a server says beside its command line."""
    for option, word in found.options.given:
        path = in_folder(folder_of(call), word_text(word) or ".") if word_text(word) else None
        if option in found.server.files and path and isinstance(image.lookup(path), Absent):
            return Stopped(f"there is no `{path}` in the image for `{option}`", word.place, 2)
    reader = _READERS.get(found.server.config)
    return reader(found, call, image, prepare) if reader else _NOTHING


def surroundings(found: Found, call: Call, image: Image, packages: Callable[[], Packages]) -> Call:
    """The call with the variables that a server takes from files of the folder it starts in, where
    python-dotenv is installed: those that are not set yet, the first file first.
    """
    names = found.server.dotenv
    words = [word for option, word in found.options.given if option in ("--env-file", "-e")]
    files = [*(word_text(word) for word in reversed(words)), *names] if names else []
    env = dict(call.env)
    for name in files:
        path = in_folder(folder_of(call), name) if name else None
        entry = image.lookup(path) if path else None
        if not isinstance(entry, ImageFile) or isinstance(entry.source, ReadProblem):
            continue
        for variable, value in env_file(entry.source).items():
            if not any(packages().has(each) for each in _DOTENV):
                note = f"{name} counts where python-dotenv is installed"
                value = Unknown(note, value.origins)
            env.setdefault(variable, value)
    return replace(call, env=env)


_DOTENV = ("python-dotenv", "pydantic-settings", "environs", "fastapi-cli")
"""Packages that are python-dotenv, or bring it along."""


def _gunicorn(found: Found, call: Call, image: Image, prepare: Prepare) -> Result:
    extra = _command_arguments(found, call)
    if isinstance(extra, (Unclear, Stopped)):
        return extra
    binds = tuple(w.value for o, w in extra if o in found.server.bind)
    file = found.options.last("-c", "--config") or _last(extra, "-c", "--config")
    config = _gunicorn_file(file, call, image, prepare)
    if not isinstance(config, Configured):
        return config
    env = {**config.env, **_given_variables([*extra, *found.options.given])}
    return replace(config, binds=binds or config.binds, env=env)


def _given_variables(given: list[tuple[str, ArgWord]]) -> dict[str, Value[str]]:
    """`--env NAME=value` of gunicorn."""
    found: dict[str, Value[str]] = {}
    for option, word in given:
        name, equals, text = (word_text(word) or word.prefix).partition("=")
        if option in ("-e", "--env") and equals:
            known = isinstance(word.value, Known)
            found[name] = Known(text, word.value.origins) if known else Unknown("it is not known")
    return found


def _command_arguments(found: Found, call: Call) -> list[tuple[str, ArgWord]] | Unclear | Stopped:
    """The options in GUNICORN_CMD_ARGS."""
    value = env_value(call, "GUNICORN_CMD_ARGS")
    if value is None:
        return []
    if isinstance(value, Unknown):
        if call.open_env is value:
            return []
        return Unclear(f"GUNICORN_CMD_ARGS is not known: {value.reason}", value.origins)
    try:
        words = shlex.split(value.value)
    except ValueError:
        return Unclear("GUNICORN_CMD_ARGS can't be read", value.origins)
    place = value.origins[0].place if value.origins else call.place
    argv = tuple(ArgWord(Known(word, value.origins), place, word) for word in words)
    options = read_options(argv, found.server.spec)
    if options.strange is not None:
        reason = f"gunicorn has no option `{options.strange[0]}` (in GUNICORN_CMD_ARGS)"
        return Stopped(reason, place, 2)
    return list(options.given)


def _last(given: list[tuple[str, ArgWord]], *names: str) -> ArgWord | None:
    found = [word for option, word in given if option in names]
    return found[-1] if found else None


def _gunicorn_file(word: ArgWord | None, call: Call, image: Image, prepare: Prepare) -> Result:
    text = word_text(word) if word is not None else "./gunicorn.conf.py"
    if text is None:
        return Unclear(
            "the configuration file of gunicorn is not known", (Origin(call.place, "gunicorn"),)
        )
    search = tuple(filter(None, (folder_of(call), *python_path(call))))
    python = Python(image, search)
    if text.startswith("python:"):
        found = python.find(text.removeprefix("python:"))
        module = found if isinstance(found, Module) else None
        if module is None:
            return Unclear(f"`{text}` is not known", (Origin(call.place, text),))
        return _from_module(module, python, call, prepare)
    path = in_folder(folder_of(call), text.removeprefix("file:"))
    if path is None:
        return _NOTHING if word is None else Unclear("where the configuration is, is not known")
    entry = image.lookup(path)
    if not isinstance(entry, ImageFile):
        if word is None:
            return _NOTHING
        place = word.place
        if isinstance(entry, Absent):
            return Stopped(f"there is no configuration file `{path}` in the image", place)
        return Unclear(f"`{path}` is not known", (Origin(place, text),))
    module_found = load_module("__config__", entry, package=False)
    if not isinstance(module_found, Module):
        return Unclear(f"`{path}` can't be read")
    return _from_module(module_found, python, call, prepare)


def _from_module(module: Module, python: Python, call: Call, prepare: Prepare) -> Configured:
    evaluator = Evaluator(python, call.env, call.open_env)
    prepare(evaluator)
    binds = _setting(evaluator, module, "bind")
    target = _setting(evaluator, module, "wsgi_app")
    folders: list[str] = []
    for name in ("chdir", "pythonpath"):
        value = _setting(evaluator, module, name)
        if isinstance(value, Known) and isinstance(value.value, str):
            folders.extend(
                filter(None, (in_folder(folder_of(call), p) for p in value.value.split(",") if p))
            )
    word = None
    if isinstance(target, Known) and isinstance(target.value, str) and target.origins:
        text: Value[str] = Known(target.value, target.origins)
        word = ArgWord(text, target.origins[0].place, target.value)
    env = _raw_env(_setting(evaluator, module, "raw_env"))
    return Configured(_binds(binds), target=word, folders=tuple(folders), env=env)


def _raw_env(value: Value[object] | None) -> dict[str, Value[str]]:
    """`raw_env = ["NAME=value"]`."""
    found: dict[str, Value[str]] = {}
    for item in (items_of(value) or ()) if value is not None else ():
        if isinstance(item, Known) and isinstance(item.value, str) and "=" in item.value:
            name, _, text = item.value.partition("=")
            found[name] = Known(text, item.origins)
    return found


def _setting(evaluator: Evaluator, module: Module, name: str) -> Value[object] | None:
    if name not in module.bindings:
        return None
    try:
        return evaluator.module_value(module, name)
    except WouldRaise as error:
        return Unknown(f"it raises {error.exception}", error.origins)


def _binds(value: Value[object] | None) -> tuple[Value[str], ...]:
    if value is None or (isinstance(value, Known) and value.value is None):
        return ()
    if isinstance(value, Unknown):
        return (value,)
    if isinstance(value.value, str):
        return (Known(value.value, value.origins),)
    if isinstance(value.value, (list, tuple)):
        texts: list[Value[str]] = []
        for item in value.value:
            if isinstance(item, Known) and isinstance(item.value, str):
                texts.append(Known(item.value, item.origins or value.origins))
            else:
                texts.append(Unknown("an address in its list is not known", value.origins))
        return tuple(texts)
    return (Unknown("its address is no text", value.origins),)


def _hypercorn(found: Found, call: Call, image: Image, prepare: Prepare) -> Result:
    """`-c FILE.toml`, `-c file:FILE.py`, `-c python:MODULE` (hypercorn 0.18, `_load_config`)."""
    word = found.options.last("-c", "--config")
    if word is None:
        return _NOTHING
    text = word_text(word)
    if text is None:
        return Unclear("the configuration of hypercorn is not known", (Origin(word.place, "-c"),))
    if text.startswith("python:"):
        return _hypercorn_module(text.removeprefix("python:"), word, call, image, prepare)
    path = in_folder(folder_of(call), text.removeprefix("file:"))
    entry = image.lookup(path) if path is not None else None
    if isinstance(entry, Absent):
        return Stopped(f"there is no configuration file `{path}` in the image", word.place)
    if not isinstance(entry, ImageFile) or isinstance(entry.source, ReadProblem):
        return Unclear(f"`{text}` is not known", (Origin(word.place, text),))
    if text.startswith("file:"):
        module = load_module("__config__", entry, package=False)
        if not isinstance(module, Module):
            return Unclear(f"`{path}` can't be read", (Origin(word.place, text),))
        return _from_module(module, Python(image, [posixpath.dirname(entry.path)]), call, prepare)
    try:
        bind = tomllib.loads(entry.source.text).get("bind")
    except (tomllib.TOMLDecodeError, RecursionError):
        return Stopped(f"`{path}` is no TOML", word.place)
    texts = bind if isinstance(bind, list) else [bind] if bind else []
    return Configured(
        tuple(
            Known(str(item), (Origin(place_of_text(entry.source, str(item)), "bind"),))
            for item in texts
        )
    )


def _hypercorn_module(
    name: str, word: ArgWord, call: Call, image: Image, prepare: Prepare
) -> Result:
    """A module of settings: the program's own folder is the first to import from, not the one it
    starts in, which only `python -m` has.
    """
    start = folder_of(call)
    by_module = name_of(call).startswith(("python", "pypy"))
    search = [*([start] if by_module and start else []), *python_path(call)]
    python = Python(image, search)
    module = python.find(name)
    if isinstance(module, Module):
        return _from_module(module, python, call, prepare)
    if (
        "." not in name
        and start is not None
        and isinstance(image.lookup(f"{start}/{name}.py"), ImageFile)
    ):
        return Stopped(f"`{name}` is not in a folder that hypercorn imports from", word.place)
    return Unclear("the configuration of hypercorn is not followed", (Origin(word.place, "-c"),))


def _toml(source: SourceFile) -> dict[str, object]:
    try:
        return tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def place_of_text(source: SourceFile, text: str) -> Place:
    """The first place of a text in a file (the file's start where it is not found)."""
    start = max(source.text.find(text), 0)
    return source.place(start, start + len(text))


def _streamlit(found: Found, call: Call, image: Image, prepare: Prepare) -> Result:
    folders = [folder_of(call)]
    script = word_text(found.options.words[0]) if found.options.words else None
    if script is not None and (path := in_folder(folder_of(call), script)):
        folders.append(posixpath.dirname(path))
    host: Value[str] | None = None
    port: Value[str] | None = None
    for folder in dict.fromkeys(filter(None, folders)):
        entry = image.lookup(f"{folder.rstrip('/')}/.streamlit/config.toml")
        if not isinstance(entry, ImageFile) or isinstance(entry.source, ReadProblem):
            continue
        server = _toml(entry.source).get("server")
        if isinstance(server, dict):
            host = _toml_value(entry.source, server, "address") or host
            port = _toml_value(entry.source, server, "port") or port
    return Configured(host=host, port=port)


def _toml_value(source: SourceFile, table: dict[str, object], name: str) -> Value[str] | None:
    if name not in table:
        return None
    text = str(table[name])
    match = re.search(rf"^[ \t]*{name}[ \t]*=[ \t]*(\S[^\n]*)", source.text, re.MULTILINE)
    place = source.place(*match.span(1)) if match else source.place()
    return Known(text, (Origin(place, f"{name} = {text}"),))


_READERS: dict[str, Callable[[Found, Call, Image, Prepare], Result]] = {
    "gunicorn": _gunicorn,
    "hypercorn": _hypercorn,
    "streamlit": _streamlit,
}
