"""The values that Python expressions can have, and what operators and library functions do to them.

Pure functions on `Value`s; `evaluate` knows names and control flow, this module only values.
"""

from __future__ import annotations

import ast
import operator
import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

from hfcheck.space.code.python import FunctionNode, Module
from hfcheck.space.value import PLATFORM, SECRET, Known, Origin, Unknown, Value

_SET = frozenset({SECRET, PLATFORM})

_MAX_ORIGINS = 12
_MAX_TEXT = 100_000


@dataclass(frozen=True, slots=True)
class EnvRead(Origin):
    """An origin that is a read of the environment variable `name`, which is not set.

    `defaulted` is true where a default that is not empty takes its place. `others` are variables
    of which one would do as well.
    """

    name: str = ""
    defaulted: bool = False
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassRef:
    """The value of a class defined in the image."""

    module: Module
    node: ast.ClassDef


@dataclass(frozen=True, slots=True)
class Instance:
    """The value of calling a class of the image (`Settings()`), with the call and its module."""

    cls: ClassRef
    call: ast.Call | None = None
    caller: Module | None = None


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """The value of a function of the image; `owner` is the instance it is bound to."""

    module: Module
    node: FunctionNode
    owner: Instance | None = None


@dataclass(frozen=True, slots=True)
class LambdaRef:
    """The value of a lambda."""

    module: Module
    node: ast.Lambda


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an Enum of the image, with its value."""

    value: Value[object]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """Something of a library: with `call` the object that calling `qualified` makes, without it
    the thing of that name itself (for a module of the image, `module` is it).
    """

    qualified: str
    module: Module | None
    call: ast.Call | None


class WouldRaise(Exception):
    """The code certainly raises here; `origins` tell why, `bases` are the classes above the
    exception's own.
    """

    def __init__(
        self, exception: str, origins: tuple[Origin, ...], bases: tuple[str, ...] = ()
    ) -> None:
        super().__init__(exception)
        self.exception = exception
        self.origins = origins
        self.bases = bases


@dataclass(frozen=True, slots=True)
class Mutation:
    """A statement that changes a container in place: `name.append(…)`."""

    name: str
    method: str
    call: ast.Call


def joined(first: tuple[Origin, ...], second: tuple[Origin, ...]) -> tuple[Origin, ...]:
    """Both, without repeats, bounded."""
    return tuple(dict.fromkeys((*first, *second)))[:_MAX_ORIGINS]


def adding(value: Value[object], origins: tuple[Origin, ...]) -> Value[object]:
    """The value with these origins behind its own."""
    merged = joined(value.origins, origins)
    if isinstance(value, Unknown):
        return Unknown(value.reason, merged)
    return Known(value.value, merged)


def is_simple(thing: object) -> bool:
    """Whether a value has a text that `str()` gives without knowing more."""
    return isinstance(thing, (str, int, float, bool, PurePosixPath, type(None)))


def truth(value: Value[object]) -> bool | None:
    """Whether a value is true; None where that is unknown. A secret is set, so it is true."""
    if isinstance(value, Unknown):
        return True if value.reason in _SET else None
    if isinstance(value.value, ObjectOf):
        return None if value.value.call is not None else True
    if isinstance(value.value, (list, tuple)) and value.value:
        return True if any(not _conditional(item) for item in value.value) else None
    return bool(value.value)


def _conditional(item: object) -> bool:
    return isinstance(item, Unknown) and item.reason == "it is there only under a condition"


def items_of(value: Value[object]) -> list[Value[object]] | None:
    """The items of a known list, tuple, set or dict (its keys); None where they aren't known."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value.value, (list, tuple)):
        return [_as_value(item, value.origins) for item in value.value]
    if isinstance(value.value, dict):
        return [Known(key, value.origins) for key in value.value]
    if isinstance(value.value, range):
        return [Known(number, value.origins) for number in value.value[:1000]]
    return None


def _as_value(item: object, origins: tuple[Origin, ...]) -> Value[object]:
    return item if isinstance(item, (Known, Unknown)) else Known(item, origins)


def plain(value: Value[object]) -> Value[object]:
    """Containers of Values as ordinary ones; Unknown where any item is unknown."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value.value, (list, tuple)):
        parts = [plain(_as_value(item, value.origins)) for item in value.value]
        for part in parts:
            if isinstance(part, Unknown):
                return part
        made = [part.value for part in parts if isinstance(part, Known)]
        return Known(made if isinstance(value.value, list) else tuple(made), value.origins)
    if isinstance(value.value, dict):
        result = {}
        for key, item in value.value.items():
            part = plain(_as_value(item, value.origins))
            if isinstance(part, Unknown):
                return part
            result[key] = part.value
        return Known(result, value.origins)
    if isinstance(value.value, Member):
        return plain(value.value.value)
    return value


def merged(
    first: Mapping[str, Value[object]], second: Mapping[str, Value[object]], reason: str
) -> dict[str, Value[object]]:
    """The names after an `if` whose condition is unknown."""
    names: dict[str, Value[object]] = {}
    for name in (*first, *second):
        if name in names:
            continue
        missing = Unknown(f"`{name}` is bound only under a condition")
        names[name] = either(first.get(name, missing), second.get(name, missing), reason)
    return names


def either(first: Value[object], second: Value[object], reason: str) -> Value[object]:
    """The value where it is one of two. A list that only grows keeps its sure items."""
    if first is second or (isinstance(first, Known) and first == second):
        return first
    if isinstance(first, Known) and isinstance(second, Known):
        if isinstance(first.value, list) and isinstance(second.value, list):
            short, long = sorted((first.value, second.value), key=len)
            if all(a is b or a == b for a, b in zip(short, long, strict=False)):
                rest = [
                    Unknown("it is there only under a condition", i.origins)
                    for i in items_of(Known(long[len(short) :], first.origins)) or []
                ]
                return Known([*short, *rest], joined(first.origins, second.origins))
        if is_simple(first.value) and first.value == second.value:
            return Known(first.value, joined(first.origins, second.origins))
    return Unknown(reason, joined(first.origins, second.origins))


def touched_names(statement: ast.stmt) -> list[str]:
    """The names that running a statement binds or changes in place, nested ones included."""
    cached = statement.__dict__.get("_hfcheck_touched")
    if cached is None:
        cached = list(_touched(statement))
        statement.__dict__["_hfcheck_touched"] = cached
    return cast("list[str]", cached)


def _touched(statement: ast.stmt) -> Iterable[str]:
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name):
                yield node.value.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name):
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Expr) and (change := mutation(node)):
            yield change.name
        if isinstance(node, (ast.Expr, ast.Lambda)):
            continue
        stack.extend(ast.iter_child_nodes(node))


_MUTATING = ("append", "extend", "insert", "add", "update", "remove")


def mutation(node: ast.Expr) -> Mutation | None:
    """The in-place change that an expression statement makes to a plain name, if it is one."""
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr not in _MUTATING or not isinstance(call.func.value, ast.Name):
        return None
    return Mutation(call.func.value.id, call.func.attr, call)


def mutated(holder: Value[object], how: str, arguments: list[Value[object]]) -> Value[object]:
    """A container after an in-place change."""
    if isinstance(holder, Unknown) or len(arguments) < 1:
        return holder
    value = holder.value
    if isinstance(value, list):
        if how in ("append", "add"):
            return Known([*value, arguments[0]], holder.origins)
        if how == "insert" and len(arguments) == 2:
            return Known([arguments[1], *value], holder.origins)
        if how in ("extend", "update"):
            more = items_of(arguments[0])
            return Known([*value, *(more or [Unknown("items are added")])], holder.origins)
    if isinstance(value, dict) and how == "update":
        first = arguments[0]
        if isinstance(first, Known) and isinstance(first.value, dict):
            return Known({**value, **first.value}, holder.origins)
    return Unknown("it is changed in place", holder.origins)


def yields(function: FunctionNode) -> bool:
    """Whether a function is a generator."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))
    return False


# Operators

_BINARY: dict[type[ast.operator], Callable[[object, object], object]] = {
    ast.Add: cast("Callable[[object, object], object]", operator.add),
    ast.Sub: cast("Callable[[object, object], object]", operator.sub),
    ast.Mult: cast("Callable[[object, object], object]", operator.mul),
    ast.FloorDiv: cast("Callable[[object, object], object]", operator.floordiv),
    ast.Mod: cast("Callable[[object, object], object]", operator.mod),
    ast.Div: cast("Callable[[object, object], object]", operator.truediv),
    ast.BitOr: cast("Callable[[object, object], object]", operator.or_),
}

_COMPARE: dict[type[ast.cmpop], Callable[[object, object], object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.Lt: cast("Callable[[object, object], object]", operator.lt),
    ast.LtE: cast("Callable[[object, object], object]", operator.le),
    ast.Gt: cast("Callable[[object, object], object]", operator.gt),
    ast.GtE: cast("Callable[[object, object], object]", operator.ge),
}


def unary(kind: ast.unaryop, value: Value[object]) -> Value[object]:
    """`not x`, `-x`, `+x`."""
    if isinstance(kind, ast.Not):
        holds = truth(value)
        if holds is None:
            reason = value.reason if isinstance(value, Unknown) else "its truth is not known"
            return Unknown(reason, value.origins)
        return Known(not holds, value.origins)
    if isinstance(value, Known) and isinstance(value.value, (int, float)):
        number = value.value
        return Known(-number if isinstance(kind, ast.USub) else number, value.origins)
    return Unknown("this operator is not followed", value.origins)


def binary(kind: ast.operator, left: Value[object], right: Value[object]) -> Value[object]:
    """An arithmetic operator on known values."""
    origins = joined(left.origins, right.origins)
    if isinstance(left, Known) and isinstance(left.value, (list, tuple)):
        more = items_of(right)
        if isinstance(kind, ast.Add):
            extra = more if more is not None else [Unknown("items are added", right.origins)]
            return Known([*left.value, *extra], origins)
    for side in (left, right):
        if isinstance(side, Unknown):
            return Unknown(side.reason, origins)
    assert isinstance(left, Known) and isinstance(right, Known)
    if isinstance(left.value, str) and isinstance(kind, ast.Mod):
        return _percent(left.value, right, origins)
    joins = isinstance(left.value, PurePosixPath) and isinstance(kind, ast.Div)
    if joins and isinstance(right.value, (str, PurePosixPath)):
        return Known(cast(PurePosixPath, left.value) / right.value, origins)
    function = _BINARY.get(type(kind))
    simple = (str, int, float)
    if function is None or not isinstance(left.value, simple):
        return Unknown("this operator is not followed", origins)
    if not isinstance(right.value, simple) or _too_big(kind, left.value, right.value):
        if right.value is None and isinstance(left.value, str) and isinstance(kind, ast.Add):
            raise WouldRaise("TypeError", origins)
        return Unknown("this operator is not followed", origins)
    try:
        return Known(function(left.value, right.value), origins)
    except ZeroDivisionError:
        raise WouldRaise("ZeroDivisionError", origins) from None
    except (TypeError, ValueError, ArithmeticError, KeyError):
        return Unknown("this operator fails", origins)


def _percent(text: str, right: Known[object], origins: tuple[Origin, ...]) -> Value[object]:
    """`"%s:%d" % (host, port)`."""
    given = plain(right)
    parts = given.value if isinstance(given, Known) else Unknown
    items = parts if isinstance(parts, tuple) else (parts,)
    if _WIDE.search(text) or not all(is_simple(part) for part in items):
        return Unknown("what is formatted is not known", origins)
    try:
        return Known(text % items, origins)
    except (TypeError, ValueError):
        raise WouldRaise("TypeError", origins) from None


_WIDE = re.compile(r"\d{4}|\*|\(")
"""In a format: names, and widths that would make a long text."""


def _too_big(kind: ast.operator, left: object, right: object) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        sizes = [len(side) for side in (left, right) if isinstance(side, str)]
        return isinstance(kind, ast.Mult) or sum(sizes) > _MAX_TEXT
    return any(isinstance(n, (int, float)) and abs(n) > 1e15 for n in (left, right))


def compare(kind: ast.cmpop, left: Value[object], right: Value[object]) -> Value[object]:
    """A comparison of two known values; a secret is not None and not empty."""
    origins = joined(left.origins, right.origins)
    for side, other in ((left, right), (right, left)):
        if isinstance(side, Unknown):
            empty = isinstance(other, Known) and other.value in (None, "")
            if side.reason in _SET and empty and isinstance(kind, (ast.Eq, ast.Is)):
                return Known(False, origins)
            if side.reason in _SET and empty and isinstance(kind, (ast.NotEq, ast.IsNot)):
                return Known(True, origins)
            return Unknown(side.reason, origins)
    if isinstance(kind, (ast.In, ast.NotIn)):
        return _contains(left, right, origins, negated=isinstance(kind, ast.NotIn))
    a, b = plain(left), plain(right)
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return Unknown("what is compared is not known", origins)
    if isinstance(a.value, (ObjectOf, Instance)) or isinstance(b.value, (ObjectOf, Instance)):
        return Unknown("objects are compared", origins)
    try:
        return Known(bool(_COMPARE[type(kind)](a.value, b.value)), origins)
    except TypeError:
        return Unknown("this comparison fails", origins)


def _contains(
    left: Value[object], right: Value[object], origins: tuple[Origin, ...], *, negated: bool
) -> Value[object]:
    needle, hay = plain(left), plain(right)
    if isinstance(needle, Unknown) or isinstance(hay, Unknown):
        return Unknown("what is compared is not known", origins)
    if isinstance(hay.value, (str, list, tuple, dict)):
        try:
            return Known((needle.value in hay.value) is not negated, origins)
        except TypeError:
            return Unknown("this comparison fails", origins)
    return Unknown("what it looks in is not known", origins)


def item(owner: Known[object], key: Value[object]) -> Value[object]:
    """`owner[key]`."""
    if isinstance(key, Unknown):
        return Unknown(key.reason, owner.origins)
    holder = owner.value
    if isinstance(holder, dict):
        if isinstance(key.value, (str, int, float, bool)) and key.value in holder:
            return _as_value(holder[key.value], owner.origins)
        return Unknown("it has no such key", owner.origins)
    if isinstance(holder, (list, tuple, str)) and isinstance(key.value, int):
        if -len(holder) <= key.value < len(holder):
            return _as_value(holder[key.value], owner.origins)
        return Unknown("it has no such item", owner.origins)
    return Unknown("an item of this is not followed", owner.origins)


# Methods

_TEXT_METHODS = {
    "strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "replace",
    "startswith", "endswith", "removeprefix", "removesuffix", "isdigit", "casefold", "find",
    "count", "isnumeric",
}  # fmt: skip


def method(
    owner: Known[object],
    name: str,
    arguments: list[Value[object]],
    keywords: dict[str, Value[object]],
) -> Value[object]:
    """A method call on a known value."""
    thing = owner.value
    if thing is None:
        raise WouldRaise("AttributeError", owner.origins)
    if isinstance(thing, str):
        if name == "format":
            return _format_method(thing, arguments, keywords, owner.origins)
        return _text_method(thing, name, arguments, owner.origins)
    if isinstance(thing, dict):
        return _dict_method(thing, name, arguments, owner.origins)
    if isinstance(thing, PurePosixPath):
        return _path_method(thing, name, arguments, owner.origins)
    if isinstance(thing, list) and name == "copy":
        return Known(list(thing), owner.origins)
    return Unknown(f".{name}() is not followed", owner.origins)


def _text_method(
    text: str, name: str, arguments: list[Value[object]], origins: tuple[Origin, ...]
) -> Value[object]:
    if name == "join" and len(arguments) == 1:
        parts = plain(arguments[0])
        texts = parts.value if isinstance(parts, Known) else None
        if isinstance(texts, (list, tuple)) and all(isinstance(part, str) for part in texts):
            return Known(text.join(texts), joined(origins, parts.origins))
        return Unknown("what is joined is not known", origins)
    given = [plain(argument) for argument in arguments]
    if any(isinstance(argument, Unknown) for argument in given):
        return Unknown("an argument is not known", origins)
    values = [argument.value for argument in given if isinstance(argument, Known)]
    if name in ("split", "rsplit", "splitlines", "partition") or name in _TEXT_METHODS:
        try:
            result = getattr(text, name)(*values)
        except (TypeError, ValueError):
            return Unknown(f".{name}() fails", origins)
        if isinstance(result, list):
            return Known([Known(part, origins) for part in result], origins)
        return Known(result, origins)
    if name == "encode":
        return Unknown("bytes are not followed", origins)
    return Unknown(f".{name}() is not followed", origins)


def _format_method(
    text: str,
    arguments: list[Value[object]],
    keywords: dict[str, Value[object]],
    origins: tuple[Origin, ...],
) -> Value[object]:
    """`"{}:{port}".format(host, port=port)`, with plain fields only."""
    parts: list[str] = []
    given: dict[str, Value[object]] = {str(i): value for i, value in enumerate(arguments)}
    given.update(keywords)
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        raise WouldRaise("ValueError", origins) from None
    count = 0
    for literal, name, spec, conversion in fields:
        parts.append(literal)
        if name is None:
            continue
        value = given.get(name or str(count))
        count += 1
        if spec or conversion or value is None or isinstance(value, Unknown):
            return Unknown("what is formatted is not known", origins)
        if not is_simple(value.value):
            return Unknown("what is formatted is not known", origins)
        parts.append(str(value.value))
        origins = joined(origins, value.origins)
    return Known("".join(parts), origins)


def _dict_method(
    holder: dict[object, object],
    name: str,
    arguments: list[Value[object]],
    origins: tuple[Origin, ...],
) -> Value[object]:
    if name == "get" and arguments and isinstance(key := arguments[0], Known):
        if isinstance(key.value, (str, int, float, bool)) and key.value in holder:
            return _as_value(holder[key.value], origins)
        return arguments[1] if len(arguments) > 1 else Known(None, origins)
    if name == "items":
        return Known([Known((Known(k, origins), _as_value(v, origins))) for k, v in holder.items()])
    if name == "values":
        return Known([_as_value(v, origins) for v in holder.values()], origins)
    if name == "keys":
        return Known([Known(key, origins) for key in holder], origins)
    return Unknown(f".{name}() is not followed", origins)


def _path_method(
    path: PurePosixPath, name: str, arguments: list[Value[object]], origins: tuple[Origin, ...]
) -> Value[object]:
    if name in ("resolve", "absolute", "expanduser"):
        return Known(normal(path), origins)
    if name == "as_posix":
        return Known(str(path), origins)
    if name == "joinpath":
        result = path
        for part in arguments:
            if isinstance(part, Unknown) or not isinstance(part.value, (str, PurePosixPath)):
                return Unknown("a part of the path is not known", origins)
            result = result / part.value
        return Known(result, origins)
    return Unknown(f".{name}() is not followed", origins)


def path_attribute(path: PurePosixPath, name: str, origins: tuple[Origin, ...]) -> Value[object]:
    """`.parent`, `.name`, `.stem` and `.parents` of a path."""
    if name == "parents":
        return Known([Known(parent, origins) for parent in path.parents], origins)
    if name in ("parent", "name", "stem", "suffix"):
        return Known(getattr(path, name), origins)
    return Unknown(f"`{name}` of a path is not followed", origins)


def normal(path: PurePosixPath) -> PurePosixPath:
    """The path without `.` and `..`, by its text alone."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] != "/":
            parts.pop()
        elif part != "..":
            parts.append(part)
    return PurePosixPath(*parts)
