"""The validators that a pydantic class declares for its fields."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hfcheck.space.code.python import Python
from hfcheck.space.settings.annotations import Annotations, ClassAt
from hfcheck.space.settings.classes import class_body
from hfcheck.space.settings.interpret import World, evaluate
from hfcheck.space.settings.operations import Function, Raised, Undecided
from hfcheck.space.settings.typenames import last

UNTOLD = "?"
"""Stands among the fields of a validator for names that can't be told."""

_DECORATORS = ("field_validator", "validator", "model_validator", "root_validator")


@dataclass(frozen=True, slots=True)
class Validator:
    """A validator.

    `mode`: "before", "after", "plain", "wrap". `fields` are names or "*"; a validator of the whole
    model has none. `function` is None where it is not known. `bound` tells that its first
    parameter is the class, `items` that it is for each item of a list, `checked` that the library
    refuses the class where a field is not there, `old` that it is one of pydantic 1's decorators.
    """

    mode: str
    fields: tuple[str, ...]
    function: Function | None
    bound: bool = True
    items: bool = False
    checked: bool = True
    old: bool = False

    def covers(self, name: str) -> bool:
        """Whether it validates, or may validate, the field of this name."""
        return name in self.fields or "*" in self.fields or UNTOLD in self.fields

    def surely(self, name: str) -> bool:
        """Whether it certainly validates a field that it `covers`."""
        return name in self.fields or "*" in self.fields


def fitting(
    function: Function | None, values: list[object], others: Mapping[str, object]
) -> list[object]:
    """The values with those for the further parameters, by their name or, for any name, by ""."""
    if function is None:
        return values
    arguments = function.node.args
    parameters = [*arguments.posonlyargs, *arguments.args]
    wanted = parameters[len(values) : len(parameters) - len(arguments.defaults)]
    return [*values, *(others.get(parameter.arg, others[""]) for parameter in wanted)]


def validators_of(python: Python, annotations: Annotations, cls: ClassAt) -> list[Validator]:
    """The validators that one class body declares, in order."""
    found: list[Validator] = []
    for statement in class_body(cls):
        if isinstance(statement, ast.FunctionDef):
            static = any(
                isinstance(item, ast.Name) and item.id == "staticmethod"
                for item in statement.decorator_list
            )
            for decorator in statement.decorator_list:
                made = _validator(python, cls, decorator)
                if made is not None:
                    function = Function(cls.module, statement)
                    found.append(replace(made, function=function, bound=not static))
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            made = _validator(python, cls, statement.value.func)
            given = statement.value.args
            if made is not None and len(given) == 1:
                named = annotations.function(cls.module, given[0])
                found.append(replace(made, function=named, bound=False))
    return found


def _validator(python: Python, cls: ClassAt, node: ast.expr) -> Validator | None:
    call = node if isinstance(node, ast.Call) else None
    name = last(python.qualified(cls.module, call.func if call else node) or "")
    if name not in _DECORATORS:
        return None
    options = {k.arg: k.value for k in call.keywords} if call else {}
    fields = _names(python, cls, call.args if call else [])
    old = name in ("validator", "root_validator")
    if old:
        mode = "before" if _is_true(options.get("pre")) else "after"
    else:
        given = options.get("mode")
        mode = str(given.value) if isinstance(given, ast.Constant) else "after"
    if name in ("model_validator", "root_validator"):
        fields = ()
    checked = options.get("check_fields")
    return Validator(
        mode,
        fields,
        None,
        items=_is_true(options.get("each_item")),
        old=old,
        checked=not (isinstance(checked, ast.Constant) and checked.value is False),
    )


def _names(python: Python, cls: ClassAt, nodes: list[ast.expr]) -> tuple[str, ...]:
    """The field names that a decorator is given; `UNTOLD` among them where some can't be told."""
    names: list[str] = []
    for node in nodes:
        inner = node.value if isinstance(node, ast.Starred) else node
        try:
            value = evaluate(World(python), cls.module, inner)
        except (Undecided, Raised):
            value = UNTOLD
        items = value if isinstance(value, (list, tuple, set)) else [value]
        names += [item if isinstance(item, str) else UNTOLD for item in items]
    return tuple(names)


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
