"""Predict what becomes of a settings class from its source text alone."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

from hfcheck.source import SourceFile
from hfcheck.space.code.python import Module, Python, load_module
from hfcheck.space.dotenv import env_entries
from hfcheck.space.image.image import Absent, Entry, Image, ImageFile
from hfcheck.space.settings.annotations import ClassAt
from hfcheck.space.settings.complexity import Version
from hfcheck.space.settings.fields import Models
from hfcheck.space.settings.verdict import NEWEST, Given, judge
from hfcheck.space.value import Known


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
    dotenv: str | Mapping[str, str | None] | Sequence[str | Mapping[str, str | None]] | None = None,
    *,
    init: Mapping[str, object] | None = None,
    secrets: Mapping[str, str] | Literal["file"] | None = None,
) -> dict[str, str]:
    """The verdict of each field when the settings class of a module is built.

    `source` is the module's text, `class_name` a class of it, `env` the environment. `version` is
    that of pydantic-settings ("2.6", "2.6.1", "newest"), or of pydantic for its own BaseSettings
    ("v1", "1.10.13"); later ones than the newest known are taken to be like it. `dotenv` is the
    .env file that the class reads, its text or its variables, or several of them, of which the
    last counts most (None: there is none). `init` are the keyword arguments of the call, `secrets`
    the files of its `secrets_dir` by name ("file": it is no folder).

    The verdicts are the words of `verdict.VERDICTS`, each field judged as if no other had failed:

    - "ok": the field gets a value.
    - "settings error": its text is no JSON where JSON is wanted (`SettingsError`).
    - "validation error": pydantic refuses its value, or its default.
    - "missing": it has no default, and nothing gives it a value.
    - "unknown": not settled by the module's text.
    - "class error", "import error": of every field where the class can't be built at all, or an
      import of the module fails with that version.
    - "extra forbidden": of an entry `extra:<key>`, for a key that the class forbids.

    A field of other settings that a default builds has an entry too where it stops the start.
    Raises ValueError where the text does not parse or has no such class, or the version is no
    number.
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
    given = Given(env, _files(dotenv, env), init, secrets)
    return judge(models, ClassAt(module, node), parse_version(version), given)


def _files(
    dotenv: str | Mapping[str, str | None] | Sequence[str | Mapping[str, str | None]] | None,
    env: Mapping[str, str],
) -> list[Mapping[str, str | None]] | None:
    """The variables of each .env file; None for a name that stands alone."""
    if dotenv is None:
        return None
    files = [dotenv] if isinstance(dotenv, (str, Mapping)) else dotenv
    return [_entries(file, env) if isinstance(file, str) else file for file in files]


def _entries(text: str, env: Mapping[str, str]) -> dict[str, str | None]:
    source = SourceFile(Path(".env"), text.removeprefix("\ufeff"))
    found = env_entries(source, lambda name: Known(env[name]) if name in env else None)
    return {
        name: value.value if isinstance(value, Known) else None for name, value in found.items()
    }


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
