"""The project's configuration: `[tool.hfcheck]` in pyproject.toml, or hfcheck.toml.

The nearest file counts, going up from the folder that is checked to the root of its repository
(the folder with `.git`) or of the file system; in one folder hfcheck.toml goes before
pyproject.toml. In hfcheck.toml the same tables stand without the `tool.hfcheck` prefix.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfcheck.source import ReadProblem
from hfcheck.space.context import read_text
from hfcheck.space.declared import Declared
from hfcheck.space.site.discover import Overrides

if TYPE_CHECKING:
    from pydantic import ValidationError

FILES = ("hfcheck.toml", "pyproject.toml")
"""Names of configuration files, in the order in which they count."""


class ConfigError(Exception):
    """A configuration that can't be used: the message names the file, the place and the reason."""


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of one Space, resolved. `fail_on` is a severity's name or `never`;
    `dockerfile`, `readme` and `context` are absolute (they are written relative to the
    configuration file); `source` is that file.
    """

    fail_on: str = "error"
    declared: Declared = field(default_factory=Declared)
    dockerfile: Path | None = None
    readme: Path | None = None
    context: Path | None = None
    source: Path | None = None


def load_config(path: Path) -> Config:
    """The configuration that holds for a folder.

    Raises ConfigError for malformed TOML, an unknown key or a value that can't be meant.
    """
    found = find_config(path)
    if found is None:
        return Config()
    file, table = found
    return _resolve(file, table)


def configured_files(folder: Path) -> Overrides:
    """The files that the configuration names for a folder that is checked.

    A configuration from further up names files for the folders that hold them; what it names
    elsewhere is meant for another Space. Raises ConfigError as `load_config` does.
    """
    config = load_config(folder)
    if config.source is None:
        return Overrides()
    if config.source.parent == folder:
        return Overrides(config.dockerfile, config.readme, config.context)
    dockerfile, readme = (
        path if path is not None and path.is_relative_to(folder) else None
        for path in (config.dockerfile, config.readme)
    )
    return Overrides(dockerfile, readme, config.context if dockerfile or readme else None)


def find_config(path: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """The configuration file that holds for a folder, and its table; None where there is none.

    Raises ConfigError when a file on the way is no TOML.
    """
    for folder in (path, *path.parents):
        for name in FILES:
            table = _table(folder, name)
            if table is not None:
                return folder / name, table
        if os.path.exists(folder / ".git"):
            return None
    return None


def _table(folder: Path, name: str) -> Mapping[str, Any] | None:
    """The hfcheck table of one file; None where the file or the table is not there."""
    source = read_text(folder, name)
    if source is None:
        return None
    file = folder / name
    if isinstance(source, ReadProblem):
        if name == "pyproject.toml":
            return None  # it may hold nothing for hfcheck; whoever builds the project will tell
        raise ConfigError(f"{file}: {source.reason}")
    if name == "pyproject.toml" and "hfcheck" not in source.text:
        return None
    try:
        data: Any = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(_toml_message(file, source.text, error)) from None
    if name == "hfcheck.toml":
        return _as_table(file, "hfcheck.toml", data)
    for key in ("tool", "hfcheck"):
        if not isinstance(data, dict) or key not in data:
            return None
        data = data[key]
    return _as_table(file, "tool.hfcheck", data)


def _as_table(file: Path, name: str, data: object) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: {name} must be a table")
    return data


def _toml_message(file: Path, text: str, error: Exception) -> str:
    """`file:line:column: reason`, from the place that tomllib tells at the end of its message."""
    if isinstance(error, RecursionError):
        return f"{file}: it is nested too deeply"
    reason, _, place = str(error).partition(" (at ")
    if place.startswith("line "):
        line, _, column = place.removeprefix("line ").rstrip(")").partition(", column ")
        return f"{file}:{line}:{column}: {reason}"
    return f"{file}:{text.count(chr(10)) + 1}: {reason}"


def _resolve(file: Path, table: Mapping[str, Any]) -> Config:
    from pydantic import ValidationError

    from hfcheck.schema import Table

    try:
        settings = Table.model_validate(table)
    except ValidationError as error:
        raise ConfigError(_schema_message(file, error)) from None
    space = settings.space
    declared = Declared(
        id=space.id,
        frontend=space.frontend,
        secrets=frozenset(space.secrets),
        variables=dict(space.variables),
    )

    return Config(
        fail_on=settings.fail_on,
        declared=declared,
        dockerfile=_path(file, "dockerfile", space.dockerfile),
        readme=_path(file, "readme", space.readme),
        context=_path(file, "context", space.context),
        source=file,
    )


def _path(file: Path, key: str, name: str | None) -> Path | None:
    """A path that the configuration names; it must be there."""
    if name is None:
        return None
    path = Path(os.path.realpath(file.parent / name))
    there = os.path.isdir(path) if key == "context" else os.path.isfile(path)
    if not there:
        prefix = "" if file.name == "hfcheck.toml" else "tool.hfcheck."
        kind = "folder" if key == "context" else "file"
        raise ConfigError(f"{file}: `{prefix}space.{key}`: there is no {kind} {name!r}")
    return path


def _schema_message(file: Path, error: ValidationError) -> str:
    """Every fault of the table, one a line: where it stands, and what is wrong."""
    prefix = "" if file.name == "hfcheck.toml" else "tool.hfcheck."
    lines = []
    for fault in error.errors(include_url=False):
        key = prefix + ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            lines.append(f"{file}: unknown key `{key}`{_did_you_mean(fault['loc'])}")
        else:
            lines.append(f"{file}: `{key}`: {fault['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _did_you_mean(location: tuple[int | str, ...]) -> str:
    from hfcheck.schema import SpaceTable, Table

    model = SpaceTable if location[:-1] == ("space",) else Table
    names = [info.alias or name for name, info in model.model_fields.items()]
    near = difflib.get_close_matches(str(location[-1]), names, 1)
    return f"; did you mean `{near[0]}`?" if near else f"; known keys: {', '.join(names)}"
