"""`.env` files that the code itself loads: which one, and what it does to the environment."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hfcheck.source import ReadProblem, SourceFile
from hfcheck.space.code.values import normal
from hfcheck.space.dotenv import env_entries
from hfcheck.space.image.entries import ImageFile
from hfcheck.space.value import Known, Unknown, Value

if TYPE_CHECKING:
    from hfcheck.space.code.evaluate import Evaluator

NAME = ".env"


def load_env_file(
    evaluator: Evaluator,
    module_path: str,
    path: Value[object] | None,
    *,
    override: bool = False,
) -> None:
    """What `load_dotenv(path)` in the module at `module_path` does to the environment.

    Without a path the file is looked for from the module's folder upwards, as python-dotenv does.
    A file that .gitignore keeps back is not in the Space. Where the file, or whether there is one,
    can't be known, further variables may be set.
    """
    if isinstance(path, Unknown):
        evaluator.open_env = Unknown("a .env file whose path is not known is loaded", path.origins)
        return
    names = candidates(module_path, path.value if path is not None else None, evaluator)
    for name in names:
        found = text_of(evaluator, name)
        if isinstance(found, Unknown):
            evaluator.open_env = found
            return
        if found is not None:
            entries = env_entries(found, lambda key: _set(evaluator, key), override=override)
            for variable, value in entries.items():
                if value is not None and (override or variable not in evaluator.env):
                    evaluator.set_variable(variable, value)
            return


def _set(evaluator: Evaluator, name: str) -> Value[str] | None:
    return evaluator.env.get(name, evaluator.open_env)


def find_dotenv(evaluator: Evaluator, module_path: str) -> Value[object]:
    """What `find_dotenv()` in a module gives: the path of the nearest file, empty without one."""
    for name in candidates(module_path, None, evaluator):
        found = text_of(evaluator, name)
        if isinstance(found, Unknown):
            return found
        if found is not None:
            return Known(name)
    return Known("")


def candidates(module_path: str, path: object, evaluator: Evaluator) -> list[str]:
    """The paths that are tried, first to last."""
    if isinstance(path, (str, PurePosixPath)) and str(path):
        full = posixpath.join(evaluator.python.image.workdir, str(path))
        return [str(normal(PurePosixPath(full)))]
    folder, names = posixpath.dirname(module_path), []
    while folder not in ("", "/"):
        names.append(posixpath.join(folder, NAME))
        folder = posixpath.dirname(folder)
    return names


def text_of(evaluator: Evaluator, path: str) -> SourceFile | Unknown | None:
    """A file of the image that the Space has too; None where it has none.

    Where a build command may have made one, it has none: builds write many files, but no `.env`
    that is not seen.
    """
    image = evaluator.python.image
    entry = image.lookup(path)
    if not isinstance(entry, ImageFile) or image.gitignored(path):
        return None
    if isinstance(entry.source, ReadProblem):
        return Unknown(entry.source.reason)
    return entry.source


def is_true(value: Value[object] | None) -> bool:
    """Whether an argument is known to be true."""
    return isinstance(value, Known) and bool(value.value)
