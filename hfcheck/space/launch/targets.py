"""The application that a server loads: which module and name, and whether the image has them."""

from __future__ import annotations

import posixpath
import re
import shlex
import sys
from collections.abc import Callable, Iterator

from hfcheck.source import Place
from hfcheck.space.image.entries import ImageFile
from hfcheck.space.image.image import Image
from hfcheck.space.launch.discovery import FINDERS, Application, Discovered, NoFile
from hfcheck.space.launch.launchers import Configured, Found
from hfcheck.space.launch.loadable import Verdict, verdict
from hfcheck.space.launch.options import read_options
from hfcheck.space.launch.process import (
    LaunchProblem,
    Listener,
    Stopped,
    Target,
    env_value,
    folder_of,
    in_folder,
    known_text,
    name_of,
    python_path,
    word_text,
)
from hfcheck.space.packages import Packages
from hfcheck.space.shell.host import ArgWord, Call
from hfcheck.space.value import Known, Origin, Value

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
    finder = FINDERS.get(spec.read)
    if finder is not None:
        discovered = finder(found, word, call, image)
        if spec.read == "flask" and isinstance(discovered, Application) and discovered.folder:
            # The folder of the file takes the place of the one that it starts in.
            search = (*(search[:1] if _by_module(call) else ()), *python_path(call))
        return _discovered(discovered, spec.kind, image, search)
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
    if found.server.name == "uvicorn":
        search = _uvicorn_path(found, call)
    elif found.server.name == "gunicorn":
        search = _gunicorn_path(found, call, configured)
    if spec.read == "shiny":
        text = re.sub(r"\.py(?=:|$)", "", text).replace("/", ".")
    return _import_name(found, word, text, search)


def _uvicorn_path(found: Found, call: Call) -> tuple[str, ...]:
    """Where uvicorn imports from: `--app-dir` takes the place of the folder it starts in, which
    only `python -m` has on the path as well.
    """
    start = folder_of(call)
    given = found.options.last("--app-dir")
    told = given.value if given is not None else env_value(call, "UVICORN_APP_DIR")
    app_dir = in_folder(start, known_text(told) or "") if told is not None else start
    folders = [app_dir, *([start] if _by_module(call) else []), *python_path(call)]
    return tuple(dict.fromkeys(folder for folder in folders if folder))


def _gunicorn_path(found: Found, call: Call, configured: Configured) -> tuple[str, ...]:
    """Where gunicorn imports from: it puts the folder it starts in, `--chdir` and each part of
    `--pythonpath` before the others, unless they are there already.
    """
    start = folder_of(call)
    given = [*_command_arguments(found, call), *found.options.given]
    told = {option: word_text(word) or "" for option, word in given}
    home = in_folder(start, told["--chdir"]) if "--chdir" in told else start
    parts = [part for part in told.get("--pythonpath", "").split(",") if part]
    path = [start] if start is not None and _by_module(call) else []
    path.extend(python_path(call))
    own = [in_folder(home, part) for part in parts]
    for folder in (start, *reversed(configured.folders), home, *own):
        if folder is not None and folder not in path:
            path.insert(0, folder)
    return tuple(path)


def _by_module(call: Call) -> bool:
    """Whether a server is started as `python -m`."""
    return name_of(call).startswith(("python", "pypy"))


def _command_arguments(found: Found, call: Call) -> list[tuple[str, ArgWord]]:
    """The options in GUNICORN_CMD_ARGS."""
    text = known_text(env_value(call, "GUNICORN_CMD_ARGS"))
    try:
        words = shlex.split(text or "")
    except ValueError:
        return []
    argv = tuple(ArgWord(Known(word), call.place, word) for word in words)
    return list(read_options(argv, found.server.spec).given)


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
    if value is not None and value is not call.open_env and value != Known(""):
        place = value.origins[0].place if value.origins else call.place
        return ArgWord(value, place, known_text(value) or "")
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


def _discovered(
    found: Discovered, kind: str, image: Image, search: tuple[str, ...]
) -> Target | Stopped | None:
    """The target that a server has found by itself."""
    if isinstance(found, NoFile):
        problem = missing_file(image, found.path, found.word)
        reason = f"there is no file `{found.path}` in the image"
        return Stopped(reason, found.word.place, 2, (problem,))
    if not isinstance(found, Application):
        return found
    search = tuple(dict.fromkeys((*filter(None, [found.folder]), *search)))
    return Target(
        found.text, found.place, search, kind, found.factory, found.module, found.attribute
    )


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


def problem(
    image: Image, listener: Listener, packages: Callable[[], Packages] | None = None
) -> LaunchProblem | None:
    """Why the target of a server can't be loaded for certain; None where it can or may.

    `packages` gives what the build installs: without it a module that no file of the image gives
    may be a library's.
    """
    found = listener.target
    if found is None:
        return None
    made = judged(image, listener, packages)
    if made.kind == "missing module":
        if found.kind == "script":
            word = ArgWord(Known(found.text), found.place, found.text)
            return missing_file(image, found.module, word)
        if "/" in found.module or found.module.endswith(".py"):
            return _path_as_module(found)
        return _missing_target(image, found)
    if made.kind == "missing attribute":
        return _missing_attribute(image, made, found)
    stops = made.kind in ("bad name", "factory misuse")
    if stops or (made.kind == "not callable" and listener.server == "gunicorn"):
        return LaunchProblem(PROBLEM, made.reason, found.place, made.origins)
    return None


def judged(
    image: Image, listener: Listener, packages: Callable[[], Packages] | None = None
) -> Verdict:
    """What becomes of loading the target of a server; `packages` as for `problem`."""
    search = listener.target.search if listener.target is not None else ()
    return verdict(image, listener, lambda name: is_local(image, name, search, packages))


def is_local(
    image: Image,
    module: str,
    search: tuple[str, ...],
    packages: Callable[[], Packages] | None = None,
) -> bool:
    """Whether a missing top-level module can only be the project's own."""
    if image.installs or image.unknown_installs:
        return False
    first = module.partition(".")[0]
    if first in _LOCAL and image.base_known:
        return True
    if find_elsewhere(image, module.replace(".", "/") + ".py", search[0]):
        return True
    return image.base_known and packages is not None and _is_unheard(first, packages())


def is_elsewhere(image: Image, module: str, packages: Packages) -> bool:
    """Whether a module that is imported is the project's own and lies where Python does not look:
    the image has its file in another folder, and installs no package with such a name.
    """
    first = module.partition(".")[0]
    if first in sys.stdlib_module_names or not image.base_known:
        return False
    if image.installs or image.unknown_installs or not _is_unheard(first, packages):
        return False
    tail = module.replace(".", "/")
    files = (f"{tail}.py", f"{tail}/__init__.py")
    return any(find_elsewhere(image, file, image.workdir) for file in files)


def _is_unheard(name: str, packages: Packages) -> bool:
    """Whether no package that the build installs has a name like that of a module: one that holds
    the other, or a word in common.
    """
    wanted = name.replace("_", "-").lower()
    words = set(wanted.split("-"))
    return packages.complete and not any(
        wanted in each.name or each.name in wanted or words & set(each.name.split("-"))
        for each in packages.requirements
    )


def _path_as_module(found: Target) -> LaunchProblem:
    message = f"`{found.text}` names a file, but the server imports a module"
    fix = f"Write it as `{_dotted(found.module)}:{found.attribute or 'app'}`."
    return LaunchProblem(PROBLEM, message, found.place, (), fix)


def _missing_target(image: Image, found: Target) -> LaunchProblem:
    file = found.module.replace(".", "/") + ".py"
    message = f"`{found.text}` can't be loaded: {_in(found.search)} has no `{file}`"
    fix, related = _suggestion(image, found.module, found.search, found.attribute)
    return LaunchProblem(PROBLEM, message, found.place, related, fix)


def _missing_attribute(image: Image, made: Verdict, found: Target) -> LaunchProblem:
    message = f"`{found.text}` can't be loaded: {made.reason}"
    if made.module is None:
        fix, related = _suggestion(image, found.module, found.search, made.lacks)
        return LaunchProblem(PROBLEM, message, found.place, related, fix)
    names = made.module.bindings
    there = [key for key in names if key in ("app", "application", "api", "create_app")]
    fix = (
        f"That file has `{there[0]}`: write `{found.module}:{there[0]}`."
        if there and there[0] != made.lacks
        else f"Name what the file has, or bind `{made.lacks}` in it."
    )
    place = Origin(made.module.source.place(), f"{made.module.path} in the image")
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
