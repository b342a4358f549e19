"""Classes of the image as Python would build them: bases, method resolution order, bodies."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from hfcheck.space.code.python import Python, statements
from hfcheck.space.settings.annotations import ClassAt

_MOST_BASES = 60
"""Classes with more ancestors than this are not followed."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """A class with its ancestors.

    `order` are the classes of the image in method resolution order, `external` the qualified names
    of the ancestors outside of it, `unknown` those bases that could not be followed.
    """

    order: tuple[ClassAt, ...]
    external: tuple[str, ...]
    unknown: tuple[str, ...]


def lineage(python: Python, cls: ClassAt) -> Lineage:
    """The ancestors of a class, itself first."""
    external: list[str] = []
    unknown: list[str] = []
    merged = _linear(python, cls, external, unknown, [])
    return Lineage(tuple(merged), tuple(dict.fromkeys(external)), tuple(unknown))


def _linear(
    python: Python,
    cls: ClassAt,
    external: list[str],
    unknown: list[str],
    path: list[ClassAt],
) -> list[ClassAt]:
    if cls in path or len(path) > _MOST_BASES:
        unknown.append(cls.node.name)
        return []
    lines: list[list[ClassAt]] = []
    heads: list[ClassAt] = []
    for base in cls.node.bases:
        plain = base.value if isinstance(base, ast.Subscript) else base
        found = python.definition(cls.module, plain)
        if found is None:
            unknown.append(ast.unparse(plain)[:80])
        elif isinstance(found.node, ast.ClassDef) and found.module is not None:
            head = ClassAt(found.module, found.node)
            lines.append(_linear(python, head, external, unknown, [*path, cls]))
            heads.append(head)
        elif found.node is None:
            external.append(found.qualified)
        else:
            unknown.append(found.qualified)
    return [cls, *_merge([*lines, heads])]


def _merge(lines: list[list[ClassAt]]) -> list[ClassAt]:
    """C3 linearisation; where there is none (Python would refuse the class), depth first."""
    lines = [list(line) for line in lines if line]
    result: list[ClassAt] = []
    while lines:
        for line in lines:
            head = line[0]
            if not any(head in other[1:] for other in lines):
                break
        else:
            rest = [item for line in lines for item in line]
            return result + list(dict.fromkeys(rest))
        result.append(head)
        lines = [[item for item in line if item != head] for line in lines]
        lines = [line for line in lines if line]
    return result


def class_body(cls: ClassAt) -> Iterator[ast.stmt]:
    """The statements that run with a class body (if and try included)."""
    return statements(cls.node.body)


def method(order: tuple[ClassAt, ...], name: str) -> tuple[ClassAt, ast.FunctionDef] | None:
    """The first function of this name in a method resolution order."""
    for cls in order:
        for statement in cls.node.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == name:
                return cls, statement
    return None


def inner_class(cls: ClassAt, name: str) -> ClassAt | None:
    """A class that the body of another defines (`class Config:`)."""
    for statement in cls.node.body:
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return ClassAt(cls.module, statement)
    return None
