"""What the interpreter of validators works on: values, operators, built-in functions."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hfcheck.space.code.python import FunctionNode, Module

_LONGEST = 100_000
"""Longest string or container that is worked on."""


class Undecided(Exception):
    """The code or the value is beyond what is understood here."""


class Raised(Exception):
    """The interpreted code raises: `names` are its class and known base classes, nearest first."""

    def __init__(self, *names: str) -> None:
        super().__init__(names[0] if names else "")
        self.names = names


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value of which only the type's name is known."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """A function or lambda of the project as a value."""

    module: Module
    node: FunctionNode | ast.Lambda


@dataclass(frozen=True, slots=True)
class Native:
    """A callable of the library that is worked out here (a wrap validator's handler)."""

    call: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Named:
    """A name that leaves the image (`json.loads`, `str`)."""

    qualified: str


ERRORS: dict[str, tuple[str, ...]] = {
    "ValueError": ("ValueError", "Exception"),
    "AssertionError": ("AssertionError", "Exception"),
    "TypeError": ("TypeError", "Exception"),
    "KeyError": ("KeyError", "LookupError", "Exception"),
    "IndexError": ("IndexError", "LookupError", "Exception"),
    "AttributeError": ("AttributeError", "Exception"),
    "RuntimeError": ("RuntimeError", "Exception"),
    "Exception": ("Exception",),
    "JSONDecodeError": ("JSONDecodeError", "ValueError", "Exception"),
    "PydanticCustomError": ("PydanticCustomError", "ValueError", "Exception"),
}

TYPES: dict[str, type] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "bytes": bytes,
}

ABSTRACT: dict[str, tuple[type, ...]] = {
    "Sequence": (str, list, tuple, bytes),
    "Iterable": (str, list, tuple, set, frozenset, dict, bytes),
    "Collection": (str, list, tuple, set, frozenset, dict, bytes),
    "Mapping": (dict,),
    "List": (list,),
    "Set": (set, frozenset),
    "Dict": (dict,),
    "Tuple": (tuple,),
}

METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "split",
            "rsplit",
            "strip",
            "lstrip",
            "rstrip",
            "lower",
            "upper",
            "title",
            "startswith",
            "endswith",
            "replace",
            "join",
            "removeprefix",
            "removesuffix",
            "splitlines",
            "isdigit",
            "isnumeric",
            "isalpha",
            "find",
            "count",
            "partition",
            "rpartition",
            "format",
            "casefold",
            "index",
            "isspace",
            "capitalize",
        ]
    ),
    list: frozenset(
        ["append", "extend", "index", "count", "copy", "insert", "pop", "remove", "sort", "reverse"]
    ),
    dict: frozenset(["get", "items", "keys", "values", "setdefault", "pop", "update", "copy"]),
    set: frozenset(["add", "update", "union", "copy", "discard"]),
    frozenset: frozenset(["union"]),
    tuple: frozenset(["index", "count"]),
    bytes: frozenset(["decode"]),
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "sorted": sorted,
    "any": any,
    "all": all,
    "sum": sum,
    "min": min,
    "max": max,
    "abs": abs,
    "reversed": lambda value: list(reversed(value)),
    "enumerate": lambda value: list(enumerate(value)),
    "zip": lambda *values: list(zip(*values, strict=False)),
    "json.loads": json.loads,
    "json.dumps": json.dumps,
    "os.path.join": lambda *parts: "/".join(parts),
}

_NATIVE_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, ZeroDivisionError)


def compared(operator: ast.cmpop, left: object, right: object) -> bool:
    """Whether a comparison holds."""
    if isinstance(operator, (ast.Is, ast.IsNot)):
        if right is not None and not isinstance(right, bool):
            raise Undecided("a comparison of identity")
        if isinstance(left, Opaque):
            return isinstance(operator, ast.IsNot)
        return (left is right) == isinstance(operator, ast.Is)
    one, other = plain(left), plain(right)
    match operator:
        case ast.Eq():
            return bool(one == other)
        case ast.NotEq():
            return bool(one != other)
        case ast.In():
            return bool(native(lambda: one in other))  # type: ignore[operator]
        case ast.NotIn():
            return not native(lambda: one in other)  # type: ignore[operator]
        case ast.Lt():
            return bool(native(lambda: one < other))  # type: ignore[operator]
        case ast.LtE():
            return bool(native(lambda: one <= other))  # type: ignore[operator]
        case ast.Gt():
            return bool(native(lambda: one > other))  # type: ignore[operator]
        case ast.GtE():
            return bool(native(lambda: one >= other))  # type: ignore[operator]
    raise Undecided("a comparison that is not understood")


def native(function: Callable[..., Any], *arguments: object) -> Any:
    """Call a built-in operation; its exception becomes the interpreted code's own."""
    try:
        result = function(*arguments)
    except json.JSONDecodeError as error:
        raise Raised(*ERRORS["JSONDecodeError"]) from error
    except _NATIVE_ERRORS as error:
        name = type(error).__name__
        raise Raised(*ERRORS.get(name, ("Exception",))) from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise Undecided("a value that is too large") from error
    if isinstance(result, (str, list, tuple, set, dict)) and len(result) > _LONGEST:
        raise Undecided("a value that is too large")
    return result


def plain(value: object) -> object:
    """A value that operators work on; raises `Undecided` for others."""
    if isinstance(value, (Opaque, Function, Native, Named)):
        raise Undecided("a value that is not known")
    return value


def scalar_of(value: object) -> object:
    """A value that stands in a text as it is; raises `Undecided` for others."""
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    raise Undecided("a value that is not known")


def hashable(value: object) -> object:
    """The value, if it can be a key; raises TypeError else."""
    hash(value)
    return value


def truth(value: object) -> bool:
    """Whether a condition holds for a value."""
    if isinstance(value, (Function, Native)):
        return True
    return bool(plain(value))


def items_of(value: object) -> list[object]:
    """What iterating over a value gives."""
    value = plain(value)
    if isinstance(value, (str, list, tuple, set, frozenset, dict, bytes)):
        return list(value)
    raise Raised(*ERRORS["TypeError"])
