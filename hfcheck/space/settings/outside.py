"""What a settings class is given besides the environment: .env files, folders of secrets, and the
arguments of the call that builds it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from hfcheck.source import SourceFile
from hfcheck.space.code.values import plain
from hfcheck.space.dotenv import LookUp, env_entries
from hfcheck.space.image.entries import Absent, ImageFile, ImageFolder, Unclear
from hfcheck.space.image.image import Image
from hfcheck.space.settings.fields import Argument
from hfcheck.space.value import Known, Unknown, Value

_FOLLOWED = frozenset({"_env_file", "_env_file_encoding", "_secrets_dir", "_cli_parse_args"})

Evaluate = Callable[[Argument], "Value[object]"]


@dataclass(frozen=True, slots=True)
class Outside:
    """The variables of each .env file, of which the last counts most; None for a name that stands
    alone. `unknown` says why there may be others, `doubt` is the path of a file of which the build
    of the image may have made one.
    """

    files: tuple[Mapping[str, Value[str] | None], ...] = ()
    unknown: Unknown | None = None
    doubt: str = ""


def outside(
    written: Mapping[str, Argument],
    options: Mapping[str, Argument],
    evaluate: Evaluate,
    image: Image | None,
    workdir: str,
    environment: LookUp,
) -> Outside:
    """What a class with this configuration (`Model.written`) takes from other places when it is
    built with these arguments of the library's own (`_env_file`). Relative paths start from
    `workdir`, the process's folder; `environment` is what .env files may refer to.
    """

    def option(name: str) -> Value[object]:
        argument = options.get(f"_{name}") or written.get(name)
        return plain(evaluate(argument)) if argument is not None else Known(None)

    strange = next((name for name in options if name not in _FOLLOWED), None)
    if strange is not None:
        return Outside(unknown=Unknown(f"it is built with `{strange}`"))
    for name, why in (
        ("cli_parse_args", "it takes arguments of the command line"),
        ("env_file_depth", "its .env file is looked for in several folders"),
    ):
        value = option(name)
        if isinstance(value, Unknown) or value.value:
            return Outside(unknown=Unknown(why, value.origins))
    if image is None:
        return Outside()
    secrets = _folders(option("secrets_dir"), image, workdir)
    files = _files(option("env_file"), image, workdir, environment)
    return replace(files, unknown=files.unknown or secrets)


def _paths(value: Value[object], workdir: str) -> list[str] | Unknown:
    if isinstance(value, Unknown):
        return value
    items = value.value if isinstance(value.value, (list, tuple)) else [value.value]
    if not all(isinstance(item, (str, PurePosixPath)) for item in items if item is not None):
        return Unknown("its path is not understood", value.origins)
    texts = [str(item) for item in items if item is not None and str(item)]
    if any(text.startswith("~") for text in texts):
        return Unknown("its path is below a home folder", value.origins)
    return [posixpath.normpath(posixpath.join(workdir, text)) for text in texts]


def _folders(value: Value[object], image: Image, workdir: str) -> Unknown | None:
    """Why folders of secrets may hold something; one that is not there holds nothing."""
    paths = _paths(value, workdir)
    if isinstance(paths, Unknown):
        return paths
    for path in paths:
        if not isinstance(image.lookup(path), (Absent, ImageFile)):
            return Unknown(f"what is in `{path}` is not followed")
    return None


def _files(value: Value[object], image: Image, workdir: str, environment: LookUp) -> Outside:
    """The variables of .env files. A copied file that .gitignore keeps back from the upload is not
    in the Space.
    """
    paths = _paths(value, workdir)
    if isinstance(paths, Unknown):
        return Outside(unknown=paths)
    found: list[Mapping[str, Value[str] | None]] = []
    unknown: Unknown | None = None
    doubt = ""
    for path in paths:
        entry = image.lookup(path)
        if isinstance(entry, (Absent, ImageFolder)) or image.gitignored(path):
            continue
        if isinstance(entry, ImageFile) and isinstance(entry.source, SourceFile):
            found.append(env_entries(entry.source, environment))
        elif isinstance(entry, Unclear):
            doubt = path
        else:
            unknown = Unknown(f"what is in `{path}` is not known")
    return Outside(tuple(found), unknown, doubt)


def own_options(keywords: Mapping[str, Argument]) -> dict[str, Argument]:
    """Those arguments of a call that are the library's own (`_env_file`)."""
    return {name: value for name, value in keywords.items() if name.startswith("_")}
