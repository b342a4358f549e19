"""How the servers of the frameworks find the application that they start.

Each finder takes the word that names the application (None: there is none), and gives the
`Application`, `NoFile` or `Stopped` where the server stops at it, or None where that is not known.
"""

from __future__ import annotations

import ast
import posixpath
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hfcheck.source import Place, SourceFile
from hfcheck.space.image.entries import Entry, ImageFile, ImageFolder
from hfcheck.space.image.image import Image
from hfcheck.space.launch.launchers import Found
from hfcheck.space.launch.process import Stopped, folder_of, in_folder, word_text
from hfcheck.space.shell.host import ArgWord, Call
from hfcheck.space.value import Known, Origin


@dataclass(frozen=True, slots=True)
class Application:
    """What a server loads: its name as it is written, the module, what is taken from it (None: the
    server looks for it), whether that is a function that makes it, and a folder that the server
    puts before the others to import from.
    """

    text: str
    place: Place
    module: str
    attribute: str | None = None
    factory: bool = False
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class NoFile:
    """The server wants a file that the image does not have."""

    path: str
    word: ArgWord


Discovered: TypeAlias = Application | NoFile | Stopped | None

_FASTAPI_FILES = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")
"""Where `fastapi run` looks (fastapi-cli 0.0.34, `discover.get_default_path`)."""
_FLASK_FILES = ("wsgi.py", "app.py")
"""Where `flask run` looks (Flask 3.1, `ScriptInfo.load_app`)."""
_QUART_FILES = ("app.py",)
"""Where `quart run` looks (Quart 0.22, `ScriptInfo.load_app`)."""
_LITESTAR_NAMES = ("app", "application")
"""Files and folders where `litestar run` looks (Litestar 2.25, `_utils._autodiscovery_paths`)."""


def fastapi(found: Found, word: ArgWord | None, call: Call, image: Image) -> Discovered:
    """`--entrypoint`, a path with `--app`, pyproject.toml, or the first of the usual files."""
    start = folder_of(call)
    path = found.options.words[0] if found.options.words else None
    name = found.options.last("--app")
    entrypoint = found.options.last("--entrypoint", "-e")
    if entrypoint is not None:
        if path is not None or name is not None:
            reason = "`--entrypoint` can't be given together with a path or `--app`"
            return Stopped(reason, entrypoint.place)
        return _import_string(word_text(entrypoint), entrypoint)
    attribute = word_text(name) if name is not None else None
    if name is not None and attribute is None:
        return None
    if path is None and name is None and (told := _from_pyproject(image, start)) is not None:
        return _import_string(word_text(told), told)
    if path is not None:
        text = word_text(path)
        file = in_folder(start, text) if text is not None else None
        if text is None or file is None:
            return None
        if image.kind(file) == "absent":
            return NoFile(file, path)
        made: Discovered = _of_file(image, file, text, path.place, attribute)
    else:
        made = _first_file(image, _FASTAPI_FILES, call, attribute)
    if isinstance(made, Application) and attribute is None and _has_no_app(image, made):
        return Stopped(f"there is no FastAPI app in `{made.module}`", made.place)
    return made


def _has_no_app(image: Image, made: Application) -> bool:
    """Whether nothing in the module's file can be a FastAPI app: it does not name the class, and
    imports nothing but what makes none.
    """
    stem = posixpath.join(made.folder or "/", made.module.replace(".", "/"))
    for path in (f"{stem}/__init__.py", f"{stem}.py"):
        entry = image.lookup(path)
        if isinstance(entry, ImageFile) and isinstance(entry.source, SourceFile):
            return "FastAPI" not in entry.source.text and _makes_no_app(entry.source.text)
    return False


def _makes_no_app(text: str) -> bool:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            star = any(alias.name == "*" for alias in node.names)
            names.append("*" if star or node.level or node.module is None else node.module)
    plain = sys.stdlib_module_names - {"importlib"} | {"fastapi", "pydantic"}
    return all(name.partition(".")[0] in plain for name in names)


def _import_string(text: str | None, word: ArgWord) -> Discovered:
    """`module:name`, both of which are wanted."""
    if text is None:
        return None
    module, _, name = text.partition(":")
    if not module or not name:
        return Stopped(f"`{text}` is no `module:name`", word.place)
    return Application(text, word.place, module, name)


def _from_pyproject(image: Image, start: str | None) -> ArgWord | None:
    """`entrypoint` of `[tool.fastapi]` in the pyproject.toml of the folder it starts in."""
    path = in_folder(start, "pyproject.toml")
    entry = image.lookup(path) if path else None
    if not isinstance(entry, ImageFile) or not isinstance(entry.source, SourceFile):
        return None
    try:
        found: object = tomllib.loads(entry.source.text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    for key in ("tool", "fastapi", "entrypoint"):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, str):
        return None
    start_of = max(entry.source.text.find(found), 0)
    place = entry.source.place(start_of, start_of + len(found))
    return ArgWord(Known(found, (Origin(place, found),)), place, found)


def flask(found: Found, word: ArgWord | None, call: Call, image: Image) -> Discovered:
    """`--app`, FLASK_APP, or one of the usual files."""
    return _flask_like(word, call, image, _FLASK_FILES)


def quart(found: Found, word: ArgWord | None, call: Call, image: Image) -> Discovered:
    """`--app`, QUART_APP, or app.py."""
    return _flask_like(word, call, image, _QUART_FILES)


def _flask_like(
    word: ArgWord | None, call: Call, image: Image, usual: tuple[str, ...]
) -> Discovered:
    if word is None:
        return _first_file(image, usual, call, None)
    text = word_text(word)
    if text is None:
        return None
    module, _, expression = text.partition(":")
    name = re.match(r"[A-Za-z_]\w*", expression)
    attribute, factory = (name.group() if name else None), "(" in expression
    path = in_folder(folder_of(call), module)
    if path is None or not (module.endswith(".py") or "/" in module):
        return Application(text, word.place, module, attribute, factory)
    if module.endswith(".py") and image.kind(path) == "absent":
        return NoFile(path, word)
    folder, module = package_root(image, path.removesuffix(".py"))
    return Application(text, word.place, module, attribute, factory, folder)


def litestar(found: Found, word: ArgWord | None, call: Call, image: Image) -> Discovered:
    """`--app`, LITESTAR_APP, or app.py, application.py and what lies in folders of these names."""
    if word is not None:
        return _import_string(word_text(word), word)
    directory = found.options.last("--app-dir")
    start = folder_of(call)
    if directory is not None:
        start = in_folder(start, word_text(directory) or "") if word_text(directory) else None
    if start is None:
        return None
    places = [(name, posixpath.join(start, name)) for name in _LITESTAR_NAMES]
    if all(image.kind(p) == image.kind(f"{p}.py") == "absent" for _, p in places):
        reason = f"there is no app.py and no application.py in `{start}`, where it looks"
        return Stopped(reason, call.argv[0].place)
    for name, path in places:
        for module, entry in _litestar_files(image, name, path):
            source = entry.source if isinstance(entry, ImageFile) else None
            if isinstance(source, SourceFile) and "Litestar(" in source.text:
                return Application(module, call.argv[0].place, module)
    return None


def _litestar_files(image: Image, name: str, path: str) -> list[tuple[str, Entry]]:
    """The modules that Litestar looks through for one of its names, in its order."""
    inside = [f"{path}/{part}" for part in (*_LITESTAR_NAMES, *sorted(image.names(path)))]
    files = [f"{path}.py", f"{path}/__init__.py", *(f"{p.removesuffix('.py')}.py" for p in inside)]
    found: dict[str, Entry] = {}
    for file in files:
        module = file.removesuffix(".py").removesuffix("/__init__")
        dotted = name + module.removeprefix(path).replace("/", ".")
        found.setdefault(dotted, image.lookup(file))
    return list(found.items())


def sanic(found: Found, word: ArgWord | None, call: Call, image: Image) -> Discovered:
    """`module:name`, `module.name`, or a module with an `app` (sanic 25.12, `AppLoader`)."""
    text = word_text(word) if word is not None else None
    simple = any(option in ("--simple", "-s") for option, _ in found.options.given)
    if word is None or text is None or simple or "/" in text:
        return None
    module, _, name = text.rpartition(":" if ":" in text else ".")
    if not module:
        module, name = text, "app"
    factory = name.endswith("()") or any(option == "--factory" for option, _ in found.options.given)
    return Application(text, word.place, module, name.removesuffix("()"), factory)


def _first_file(
    image: Image, names: tuple[str, ...], call: Call, attribute: str | None
) -> Discovered:
    """The first of some files that is there; it stops where none is."""
    start, place = folder_of(call), call.argv[0].place
    kinds = []
    for name in names:
        path = in_folder(start, name)
        if path is None:
            return None
        kinds.append(image.kind(path))
        if kinds[-1] == "file":
            return _of_file(image, path, name, place, attribute)
    if all(kind == "absent" for kind in kinds):
        return Stopped(f"there is none of {', '.join(names)} in `{start}`, where it looks", place)
    return None


def _of_file(
    image: Image, path: str, text: str, place: Place, attribute: str | None
) -> Application | None:
    if not isinstance(image.lookup(path), (ImageFile, ImageFolder)):
        return None
    folder, module = package_root(image, path.removesuffix(".py").removesuffix("/__init__"))
    return Application(text, place, module, attribute, folder=folder)


def package_root(image: Image, stem: str) -> tuple[str, str]:
    """The folder that a file is imported from, and its dotted name there (parents with
    `__init__.py` are packages).
    """
    folder, name = posixpath.split(stem)
    while folder not in ("", "/") and isinstance(
        image.lookup(posixpath.join(folder, "__init__.py")), ImageFile
    ):
        folder, parent = posixpath.split(folder)
        name = f"{parent}.{name}"
    return folder, name


FINDERS: Mapping[str, Callable[[Found, ArgWord | None, Call, Image], Discovered]] = {
    "fastapi": fastapi,
    "flask": flask,
    "quart": quart,
    "litestar": litestar,
    "sanic": sanic,
}
"""The finders by the name that launchers.yaml uses."""
