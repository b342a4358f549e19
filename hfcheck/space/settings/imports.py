"""Whether the imports of a settings module work with the installed versions, and which pydantic a
settings class then belongs to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from hfcheck.space.code.python import Module, Python, is_type_checking
from hfcheck.space.settings.annotations import ClassAt
from hfcheck.space.settings.classes import Lineage
from hfcheck.space.settings.complexity import Version
from hfcheck.space.settings.fields import Models

_SINCE: dict[str, dict[str, Version]] = {
    "pydantic_settings": {"NoDecode": (2, 7), "ForceDecode": (2, 7)},
    "pydantic": {
        **dict.fromkeys(
            [
                "AfterValidator",
                "AliasChoices",
                "AliasGenerator",
                "AliasPath",
                "BeforeValidator",
                "Discriminator",
                "ImportString",
                "PlainValidator",
                "RootModel",
                "StringConstraints",
                "SkipValidation",
                "TypeAdapter",
                "WrapValidator",
                "computed_field",
                "field_serializer",
                "field_validator",
                "model_serializer",
                "model_validator",
            ],
            (2, 0),
        ),
        "Secret": (2, 3),
    },
}
"""Names by the first pydantic-settings (with the pydantic of its time) that can import them."""

_NEW_MODULES = frozenset(
    [
        "pydantic.alias_generators",
        "pydantic.aliases",
        "pydantic.functional_serializers",
        "pydantic.functional_validators",
    ]
)
"""Modules that pydantic 1 has not."""


def family_of(models: Models, cls: ClassAt, version: Version) -> str:
    """Whose rules a settings class follows: "v1", "v2", or "none" where its import fails."""
    base = models.settings_base(cls)
    if base == "pydantic.v1":
        return "v1"
    packages = {base} | _also_imported(models, cls)
    if version < (2, 0):
        return "v1" if "pydantic" in packages else "none"
    return "v2" if "pydantic_settings" in packages else "none"


def _also_imported(models: Models, cls: ClassAt) -> set[str]:
    """Every package that the modules of a class import BaseSettings from (try and except)."""
    found: set[str] = set()
    for module in {part.module.path: part.module for part in models.lineage(cls).order}.values():
        for bindings in module.bindings.values():
            for binding in bindings:
                node = binding.node
                if (
                    isinstance(node, ast.ImportFrom)
                    and binding.alias is not None
                    and binding.alias.name == "BaseSettings"
                    and node.module
                ):
                    found.add(node.module.partition(".")[0])
    return found


def import_problem(python: Python, lineage: Lineage, version: Version) -> str | None:
    """The first unguarded import of the modules of a class that the version does not have."""
    for module in {part.module.path: part.module for part in lineage.order}.values():
        for node in _unguarded(module.tree.body):
            problem = _problem(module, node, version)
            if problem is not None:
                return problem
    return None


def _problem(module: Module, node: ast.ImportFrom, version: Version) -> str | None:
    source = node.module or ""
    package = source.partition(".")[0]
    if node.level or package not in _SINCE or source.startswith("pydantic.v1"):
        return None
    if package == "pydantic_settings" and version < (2, 0):
        return "pydantic_settings"
    if source in _NEW_MODULES and version < (2, 0):
        return source
    for alias in node.names:
        if version < _SINCE[package].get(alias.name, (0, 0)):
            return alias.name
        if package == "pydantic" and alias.name == "BaseSettings" and version >= (2, 0):
            return alias.name
    return None


def _unguarded(body: Sequence[ast.stmt]) -> Iterator[ast.ImportFrom]:
    """The imports of a module that no `try` with handlers guards."""
    for node in body:
        if isinstance(node, ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and not is_type_checking(node.test):
            if not isinstance(node.test, ast.Compare):
                yield from _unguarded(node.body)
        elif isinstance(node, ast.With) or (isinstance(node, ast.Try) and not node.handlers):
            yield from _unguarded(node.body)
