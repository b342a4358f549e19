"""Predict what becomes of a settings class from its source text alone."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast

from hfcheck.source import SourceFile
from hfcheck.space.code.python import Module, Python, load_module
from hfcheck.space.image.image import Absent, Entry, Image, ImageFile
from hfcheck.space.settings.annotations import ClassAt
from hfcheck.space.settings.complexity import Version
from hfcheck.space.settings.fields import Models
from hfcheck.space.settings.verdict import NEWEST, Given, judge


class _OneFile:
    """An image that holds nothing to import: every import leaves it."""

    def import_folders(self) -> tuple[str, ...]:
        return ()

    def lookup(self, path: str) -> Entry:
        return Absent(path)

    def names(self, path: str) -> tuple[str, ...]:
        return ()


def predict(
    source: str,
    class_name: str,
    env: Mapping[str, str],
    version: str,
    dotenv: Mapping[str, str | None] | None = None,
    *,
    init: Mapping[str, object] | None = None,
    secrets: Mapping[str, str] | Literal["file"] | None = None,
) -> dict[str, str]:
    """The verdict of each field when the settings class of a module is built.

    `source` is the module's text, `class_name` a class of it, `env` the environment, `version` that
    of pydantic-settings ("2.16.3", "newest"), or of pydantic for its own BaseSettings ("1.10.27",
    "v1"). `dotenv` are the variables of the .env file that the class reads (None: the file is not
    there), `init` the keyword arguments of the call, `secrets` the files of its `secrets_dir`
    ("file": it is no folder).

    A verdict is "ok", "settings error", "validation error", "missing" or "unknown"; each field is
    judged as if no other had failed. A key of `dotenv` that the class forbids has an entry
    `extra:<key>` of its own, "extra forbidden". Where the class can't be built at all, every field
    is "class error", or "import error" where an import of the module fails with that version.
    Raises ValueError where
    the text does not parse or has no such class, or the version is no number.
    """
    entry = ImageFile("/settings.py", SourceFile(Path("/settings.py"), source), None)
    module = load_module("settings", entry, package=False)
    if not isinstance(module, Module):
        raise ValueError("the text is no Python module")
    node = next(
        (
            binding.node
            for binding in reversed(module.bindings.get(class_name, []))
            if isinstance(binding.node, ast.ClassDef)
        ),
        None,
    )
    if node is None:
        raise ValueError(f"the module has no class `{class_name}`")
    models = Models(Python(cast(Image, _OneFile()), []))
    given = Given(env, dotenv, init, secrets)
    return judge(models, ClassAt(module, node), parse_version(version), given)


def parse_version(version: str) -> Version:
    """A version by its first two numbers; "v1" is pydantic 1.10, "newest" the newest known one.

    Raises ValueError where it is none.
    """
    if version in ("newest", "latest"):
        return NEWEST
    if version in ("v1", "1"):
        return (1, 10)
    parts = version.split(".")
    if not all(part.isdigit() for part in parts[:2]) or not parts[0]:
        raise ValueError(f"`{version}` is no version")
    return (int(parts[0]), int(parts[1]) if len(parts) > 1 else 0)
