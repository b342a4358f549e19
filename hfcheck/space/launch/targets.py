"""The application that a server loads: which module and name, and whether the image has them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from hfcheck.source import Place
from hfcheck.space.code.python import External, Missing, Module, Namespace, Python
from hfcheck.space.image.entries import ImageFile, ImageFolder
from hfcheck.space.image.image import Image
from hfcheck.space.launch.launchers import Configured, Found
from hfcheck.space.launch.process import (
    LaunchProblem,
    Listener,
    Stopped,
    Target,
    env_value,
    folder_of,
    in_folder,
    known_text,
    word_text,
)
from hfcheck.space.shell.host import ArgWord, Call
from hfcheck.space.value import Known, Origin, Unknown, Value

PROBLEM = "app-target-missing"

_MOST_FOLDERS = 400
_LOCAL = frozenset(
    [
        "main",
        "app",
        "server",
        "api",
        "src",
        "backend",
        "wsgi",
        "asgi",
        "run",
        "application",
        "core",
        "config",
        "web",
        "service",
    ]
)
"""Module names that are a project's own, never a distribution's."""

_FASTAPI_FILES = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")
"""Where `fastapi run` looks (fastapi-cli 0.0.34, `discover.get_default_path`)."""

_FLASK_FILES = ("wsgi.py", "app.py")
"""Where `flask run` looks (Flask 3.1, `ScriptInfo.load_app`)."""

_MAGIC = re.compile(r"\b(?:globals|vars|exec|setattr)\s*\(|__getattr__|sys\.modules")


def target(
    found: Found, call: Call, image: Image, search: tuple[str, ...], configured: Configured
) -> Target | Stopped | None:
    """What a server would load; None where that is not known, `Stopped` where it stops at the
    name.
    """
    spec = found.server.target
    if spec is None:
        return None
    word = _word(found, call, configured)
    if spec.read == "fastapi":
        return _fastapi(found, word, call, image, search)
    if spec.read == "flask":
        return _flask(found, word, call, image, search)
    if spec.read == "script":
        return _script(word, call, search)
    if spec.read == "django":
        settings = env_value(call, "DJANGO_SETTINGS_MODULE")
        text = known_text(settings)
        if text is None or settings is None or not settings.origins:
            return None
        return Target(text, settings.origins[0].place, search, "wsgi", module=text)
    text = word_text(word) if word is not None else None
    if word is None or text is None:
        return None
    if spec.read == "shiny":
        text = re.sub(r"\.py(?=:|$)", "", text).replace("/", ".")
    return _import_name(found, word, text, search)


def _word(found: Found, call: Call, configured: Configured) -> ArgWord | None:
    spec = found.server.target
    assert spec is not None
    given = [word for option, word in found.options.given if option in spec.options]
    if given:
        return given[-1]
    if spec.position is not None and len(found.options.words) > spec.position:
        return found.options.words[spec.position]
    if configured.target is not None:
        return configured.target
    value: Value[str] | None = env_value(call, spec.env) if spec.env else None
    if isinstance(value, Known) and value.value:
        place = value.origins[0].place if value.origins else call.place
        return ArgWord(value, place, value.value)
    return None


def _import_name(
    found: Found, word: ArgWord, text: str, search: tuple[str, ...]
) -> Target | Stopped:
    server, spec = found.server, found.server.target
    assert spec is not None
    shown = text
    if server.name == "hypercorn":
        text = text.removeprefix("asgi:").removeprefix("wsgi:")
    module, colon, attribute = text.partition(":")
    if server.name == "uvicorn" and (not colon or not module or not attribute):
        return Stopped(f"`{shown}` is no `module:attribute`", word.place)
    if server.name == "uvicorn" and ("/" in module or module.endswith(".py")):
        problem = LaunchProblem(
            PROBLEM,
            f"`{shown}` names a file, but uvicorn imports a module",
            word.place,
            fix=f"Write it as `{_dotted(module)}:{attribute}`.",
        )
        return Stopped(f"`{module}` is a path, not a module", word.place, 1, (problem,))
    factory = (
        spec.always_factory
        or "(" in attribute
        or any(option in spec.factory for option, _ in found.options.given)
    )
    name = re.match(r"[A-Za-z_]\w*", attribute)
    defaults = {"gunicorn": "application", "hypercorn": "app", "granian": "app"}
    return Target(
        text=shown,
        place=word.place,
        search=search,
        kind=spec.kind,
        factory=factory,
        module=module,
        attribute=name.group() if name else defaults.get(server.name),
    )


def _dotted(path: str) -> str:
    return path.removeprefix("./").removesuffix(".py").replace("/", ".")


def _script(word: ArgWord | None, call: Call, search: tuple[str, ...]) -> Target | None:
    text = word_text(word) if word is not None else None
    path = in_folder(folder_of(call), text) if text else None
    if word is None or text is None or path is None:
        return None
    folders = tuple(dict.fromkeys((posixpath.dirname(path), *search)))
    return Target(text, word.place, folders, "script", module=path)


def _flask(
    found: Found, word: ArgWord | None, call: Call, image: Image, search: tuple[str, ...]
) -> Target | Stopped | None:
    start = folder_of(call)
    if word is None:
        for name in _FLASK_FILES:
            path = in_folder(start, name)
            if path and isinstance(image.lookup(path), ImageFile):
                place = call.argv[0].place
                return Target(name, place, search, "wsgi", module=name.removesuffix(".py"))
        return None
    text = word_text(word)
    if text is None:
        return None
    module, _, attribute = text.partition(":")
    folder = posixpath.dirname(module)
    path = in_folder(start, module)
    if path is not None and module.endswith(".py") and image.kind(path) == "absent":
        problem = missing_file(image, path, word)
        return Stopped(f"there is no file `{path}` in the image", word.place, 2, (problem,))
    if path is not None and (module.endswith(".py") or "/" in module):
        folder, name = _package_root(image, path.removesuffix(".py"))
        module, search = name, tuple(dict.fromkeys((folder, *search)))
    matched = re.match(r"[A-Za-z_]\w*", attribute)
    return Target(
        text,
        word.place,
        search,
        "wsgi",
        "(" in attribute,
        module,
        matched.group() if matched else None,
    )


def _fastapi(
    found: Found, word: ArgWord | None, call: Call, image: Image, search: tuple[str, ...]
) -> Target | Stopped | None:
    start = folder_of(call)
    text = word_text(word) if word is not None else None
    if word is not None and text is None:
        return None
    if text is not None and ":" in text and word is not None:
        return _import_name(found, word, text, search)
    candidates = (text,) if text is not None else _FASTAPI_FILES
    for name in candidates:
        path = in_folder(start, name)
        entry = image.lookup(path) if path else None
        if path and isinstance(entry, (ImageFile, ImageFolder)):
            stem = path.removesuffix(".py")
            root, module = _package_root(image, stem)
            place = word.place if word is not None else call.argv[0].place
            folders = tuple(dict.fromkeys((root, *search)))
            return Target(name, place, folders, "asgi", module=module)
    return None


def _package_root(image: Image, stem: str) -> tuple[str, str]:
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


def entry(found: Target | None) -> tuple[str, ...]:
    """The modules that the server's process loads first."""
    return (found.module,) if found is not None and found.module else ()


def missing_file(image: Image, path: str, word: ArgWord) -> LaunchProblem:
    """The problem of a script that the image does not have."""
    elsewhere = find_elsewhere(image, posixpath.basename(path), posixpath.dirname(path))
    fix = None
    related: tuple[Origin, ...] = ()
    if elsewhere:
        fix = f"The image has it at `{elsewhere[0]}`: write that path, or change WORKDIR or COPY."
        related = _at(image, elsewhere[0])
    message = f"the container starts `{path}`, which is not in the image"
    return LaunchProblem(PROBLEM, message, word.place, related, fix)


def missing_module(
    image: Image, module: str, place: Place, search: tuple[str, ...]
) -> LaunchProblem:
    """The problem of a module that the image does not have."""
    file = module.replace(".", "/") + ".py"
    message = f"the container starts `{module}`, but {_in(search)} has no `{file}`"
    fix, related = _suggestion(image, module, search)
    return LaunchProblem(PROBLEM, message, place, related, fix)


def _in(search: tuple[str, ...]) -> str:
    return f"`{search[0]}` of the image" if search else "the image"


def problem(image: Image, listener: Listener) -> LaunchProblem | None:
    """Why the target of a server can't be loaded for certain; None where it can or may."""
    found = listener.target
    if found is None or not found.search or not found.module:
        return None
    if isinstance(listener.env.get("PYTHONPATH"), Unknown):
        return None
    if found.kind == "script":
        kind = image.kind(found.module)
        if kind != "absent":
            return None
        word = ArgWord(Known(found.text), found.place, found.text)
        return missing_file(image, found.module, word)
    if not re.fullmatch(r"[A-Za-z_][\w.]*", found.module):
        return None
    python = Python(image, found.search)
    module = python.find(found.module)
    if isinstance(module, Module):
        return _missing_attribute(python, module, found)
    if isinstance(module, Missing) or (isinstance(module, External) and _is_local(image, found)):
        return _missing_target(image, found)
    if (
        isinstance(module, Namespace)
        and found.attribute
        and all(_complete(image, path) for path in module.paths)
    ):
        message = (
            f"`{found.text}` can't be loaded: `{found.module}` is a folder without "
            f"`__init__.py`, so it has no `{found.attribute}`"
        )
        fix, related = _suggestion(image, found.module, found.search, found.attribute)
        return LaunchProblem(PROBLEM, message, found.place, related, fix)
    return None


def _complete(image: Image, path: str) -> bool:
    folder = image.lookup(path)
    return isinstance(folder, ImageFolder) and folder.complete


def _is_local(image: Image, found: Target) -> bool:
    """Whether a missing top-level module can only be the project's own."""
    if image.installs or image.unknown_installs:
        return False
    first = found.module.partition(".")[0]
    if first in _LOCAL and image.base_known:
        return True
    return bool(find_elsewhere(image, found.module.replace(".", "/") + ".py", found.search[0]))


def _missing_target(image: Image, found: Target) -> LaunchProblem:
    file = found.module.replace(".", "/") + ".py"
    message = f"`{found.text}` can't be loaded: {_in(found.search)} has no `{file}`"
    fix, related = _suggestion(image, found.module, found.search, found.attribute)
    return LaunchProblem(PROBLEM, message, found.place, related, fix)


def _missing_attribute(python: Python, module: Module, found: Target) -> LaunchProblem | None:
    name = found.attribute
    if name is None or python.attribute_of(module, name) is not None:
        return None
    if module.stars or _MAGIC.search(module.source.text):
        return None
    message = f"`{found.text}` can't be loaded: `{module.path}` binds no `{name}`"
    made = [key for key in module.bindings if key in ("app", "application", "api", "create_app")]
    fix = (
        f"That file has `{made[0]}`: write `{found.module}:{made[0]}`."
        if made
        else (f"Name what the file has, or bind `{name}` in it.")
    )
    place = Origin(module.source.place(), f"{module.path} in the image")
    return LaunchProblem(PROBLEM, message, found.place, (place,), fix)


def _suggestion(
    image: Image, module: str, search: tuple[str, ...], attribute: str | None = None
) -> tuple[str | None, tuple[Origin, ...]]:
    """Where the image has a file of that name, as an edit."""
    root = search[0] if search else "/"
    parts = module.split(".")
    for start in range(len(parts)):
        tail = "/".join(parts[start:]) + ".py"
        for path in find_elsewhere(image, tail, root):
            name = attribute or "app"
            if path.startswith(root.rstrip("/") + "/"):
                inner = path[len(root.rstrip("/")) + 1 :].removesuffix(".py").replace("/", ".")
                return (
                    f"The image has `{path}`: start `{inner}:{name}`, or set WORKDIR to its folder."
                ), _at(image, path)
            return (
                f"The image has `{path}`: set WORKDIR or COPY so that `{module}` is found "
                "from the folder it starts in."
            ), _at(image, path)
    return None, ()


def _at(image: Image, path: str) -> tuple[Origin, ...]:
    entry = image.lookup(path)
    if isinstance(entry, ImageFile) and hasattr(entry.source, "place"):
        return (Origin(entry.source.place(), f"in the image at {path}"),)
    return ()


def find_elsewhere(image: Image, tail: str, root: str) -> list[str]:
    """Paths in the image that end in `tail`: below `root` first, then beside it."""
    found: list[str] = []
    top = "/" + root.strip("/").partition("/")[0]
    for start in dict.fromkeys((root, top)):
        if start == "/":
            continue
        for folder in _folders(image, start):
            path = posixpath.join(folder, tail)
            if path not in found and image.kind(path) == "file":
                found.append(path)
    return found


def _folders(image: Image, start: str) -> Iterator[str]:
    """Folders below `start`, near ones first."""
    queue = [start]
    seen = 0
    while queue and seen < _MOST_FOLDERS:
        folder = queue.pop(0)
        seen += 1
        yield folder
        if folder.count("/") - start.count("/") >= 5:
            continue
        for name in image.names(folder):
            if name.startswith((".", "node_modules", "__pycache__", "venv", "site-packages")):
                continue
            path = posixpath.join(folder, name)
            if image.kind(path) == "dir":
                queue.append(path)
