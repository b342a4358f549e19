"""What certainly stops a Python program while its entry point is loaded."""

from __future__ import annotations

import ast
from collections.abc import Callable

from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.python import Module, Python, as_main
from hfcheck.space.code.startup import Failure, Startup, work_out_startup
from hfcheck.space.code.values import EnvRead
from hfcheck.space.image.image import Image
from hfcheck.space.launch.following import Program
from hfcheck.space.launch.targets import is_elsewhere
from hfcheck.space.packages import Packages
from hfcheck.space.settings.model import SettingsModel, SettingsReader, following_settings
from hfcheck.space.value import Origin

_STOPS = ("missing", "settings error", "validation error")
_EXITS = ("sys.exit", "exit", "quit", "os._exit", "SystemExit")


def failing_program(
    program: Program, python: Python, packages: Callable[[], Packages]
) -> Origin | None:
    """What certainly stops a program with an error; None where nothing is known to."""
    image, call = python.image, program.call
    fresh = Python(image, program.search)
    name = program.entry.removeprefix("-m ")
    found = fresh.script(program.entry) if program.entry.startswith("/") else fresh.find(name)
    if not isinstance(found, Module):
        return None
    if name != program.entry:
        found = as_main(found, name)
    evaluator = Evaluator(fresh, call.env, call.open_env)
    following_settings(packages, image)(evaluator)
    function = program.function.name if program.function is not None else None
    factories = [(found, function)] if function is not None else []
    startup = work_out_startup(fresh, evaluator, [found], factories)
    if any(_ends_well(failure) for failure in startup.failures):
        return None
    for broken in startup.broken:
        if not broken.newer:
            return Origin(broken.place, f"`{broken.path}` does not parse: {broken.message}")
    reader = SettingsReader(fresh, evaluator.env, packages(), image, open_env=evaluator.open_env)
    settings = SettingsModel(list(reader.classes(startup.modules, startup.made)))
    return failing_load(startup, settings, fresh, image, packages)


def failing_load(
    startup: Startup,
    settings: SettingsModel,
    python: Python | None,
    image: Image | None,
    packages: Callable[[], Packages],
) -> Origin | None:
    """What certainly raises while the modules of `startup` are loaded."""
    for missing in startup.missing:
        first = python.find(missing.name.partition(".")[0]) if python else None
        if isinstance(first, Module):  # of a plain folder's name there may be a library
            place = missing.module.place(missing.node)
            return Origin(place, f"there is no module `{missing.name}` in the image")
    for outside in startup.external:
        moved = any("sys.path" in module.source.text for module in startup.modules)
        if image and not moved and is_elsewhere(image, outside.name, packages()):
            place = outside.module.place(outside.node)
            return Origin(place, f"`{outside.name}` is not where Python looks for it")
    for failure in startup.failures:
        if _is_sure(failure):
            reads = [read.name for read in failure.origins if isinstance(read, EnvRead)]
            unset = f": {' or '.join(dict.fromkeys(reads))} is not set" if reads else ""
            return Origin(failure.place, f"raises {failure.exception}{unset}")
    return _failing_field(settings)


def _failing_field(settings: SettingsModel) -> Origin | None:
    for cls in settings.built:
        for found in cls.fields:
            use = found.use(arguments=True)
            if found.now in _STOPS and use is not None and use.when == "start":
                return Origin(found.place, f"`{cls.name}.{found.name}`: {found.now}")
    return None


def _is_sure(failure: Failure) -> bool:
    """Whether it fails for certain. That something is None, which other code may set, is certain
    only where it comes of a variable that is not set.
    """
    if failure.exception not in ("AttributeError", "TypeError"):
        return True
    return any(isinstance(origin, EnvRead) for origin in failure.origins)


def _ends_well(failure: Failure) -> bool:
    """Whether it is an exit that is not known to be one with an error."""
    if failure.exception != "SystemExit":
        return False
    for node in ast.walk(failure.node):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _EXITS:
            status = node.args[0] if node.args else None
            return not (isinstance(status, ast.Constant) and status.value not in (None, 0, False))
    return True
