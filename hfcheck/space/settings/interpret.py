"""Runs small pieces of the scanned project's Python by hand: validators and defaults of settings.

Nothing is executed by Python itself: the syntax tree is walked over plain values (str, int, float,
bool, None, list, tuple, set, dict), with a budget of steps. Whatever is not plainly understood ends
in `Undecided`, so that a caller never takes a guess for a fact.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult

from hfcheck.space.code.python import FunctionNode, Module, Python
from hfcheck.space.settings.operations import (
    ABSTRACT,
    ERRORS,
    FUNCTIONS,
    MADE,
    METHODS,
    TYPES,
    Earlier,
    Function,
    Info,
    Named,
    Native,
    Opaque,
    Raised,
    Undecided,
    attribute_of,
    compared,
    hashable,
    is_one_of,
    items_of,
    joined,
    matched,
    method_of,
    native,
    plain,
    scalar_of,
    truth,
)
from hfcheck.space.settings.typenames import last

_STEPS = 4_000
"""Nodes visited in one call before it counts as undecided."""


class _Return(Exception):
    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


class _Loop(Exception):
    def __init__(self, *, stop: bool) -> None:
        super().__init__()
        self.stop = stop


@dataclass(slots=True)
class World:
    """Where names are looked up, and what the environment holds.

    `env` is None where reading the environment is undecided; `hidden` says so of one variable.
    `parent` answers `super().method()`, `build` makes a value of a type of pydantic's own.
    """

    python: Python
    env: Mapping[str, str] | None = None
    parent: Callable[[str, list[object]], object] | None = None
    hidden: Callable[[str], bool] | None = None
    build: Callable[[str, list[object]], object] | None = None
    steps: int = field(default=0)


def call(world: World, function: Function, arguments: Sequence[object]) -> object:
    """What a function of the project returns for these arguments.

    Raises `Undecided` where that can't be told, `Raised` where the function raises.
    """
    return _Run(world, function.module).function(function, list(arguments), {})


def evaluate(world: World, module: Module, node: ast.expr) -> object:
    """The value of an expression at module or class level; raises as `call` does."""
    value = _Run(world, module).value(node)
    if isinstance(value, Named):
        raise Undecided(f"`{value.qualified}` is not in the image")
    return value


@dataclass(slots=True)
class _Run:
    world: World
    module: Module
    names: dict[str, object] = field(default_factory=dict)
    depth: int = 0
    inside: FunctionNode | None = None

    def step(self) -> None:
        self.world.steps += 1
        if self.world.steps > _STEPS:
            raise Undecided("it takes too many steps")

    # -- functions and statements --------------------

    def function(
        self, function: Function, values: list[object], named: dict[str, object]
    ) -> object:
        if self.depth > 12:
            raise Undecided("calls nest too deeply")
        node = function.node
        inner = _Run(self.world, function.module, {}, self.depth + 1)
        inner.names.update(_bind(node.args, values, named, inner))
        if isinstance(node, ast.Lambda):
            inner.names |= {k: v for k, v in self.names.items() if k not in inner.names}
            return inner.value(node.body)
        if isinstance(node, ast.AsyncFunctionDef):
            raise Undecided("it is a coroutine")
        inner.inside = node
        try:
            inner.body(node.body)
        except _Return as result:
            return result.value
        return None

    def body(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        self.step()
        match node:
            case ast.Return():
                raise _Return(self.value(node.value) if node.value else None)
            case ast.If():
                self.body(node.body if truth(self.value(node.test)) else node.orelse)
            case ast.Assign():
                value = self.value(node.value)
                for target in node.targets:
                    self.assign(target, value)
            case ast.AnnAssign():
                if node.value is not None:
                    self.assign(node.target, self.value(node.value))
            case ast.AugAssign():
                load = ast.copy_location(ast.BinOp(_loaded(node.target), node.op, node.value), node)
                self.assign(node.target, self.value(load))
            case ast.Raise():
                raise Raised(*self.error(node.exc))
            case ast.Assert():
                if not truth(self.value(node.test)):
                    raise Raised(*ERRORS["AssertionError"])
            case ast.For():
                self.loop(node)
            case ast.Try():
                self.attempt(node)
            case ast.Expr():
                if not isinstance(node.value, ast.Constant):
                    self.effect(node.value)
            case ast.Continue() | ast.Break():
                raise _Loop(stop=isinstance(node, ast.Break))
            case ast.Pass() | ast.Import() | ast.ImportFrom():
                pass
            case _:
                raise Undecided("a statement that is not understood")

    def effect(self, node: ast.expr) -> None:
        """A statement that is an expression: calls of loggers and print change no value."""
        name = ""
        if isinstance(node, ast.Call):
            head = node.func
            while isinstance(head, ast.Attribute):
                head = head.value
            name = getattr(head, "id", "")
        if name in ("print", "logger", "log", "logging", "warnings") and name not in self.names:
            return
        self.value(node)

    def loop(self, node: ast.For) -> None:
        if node.orelse:
            raise Undecided("a loop with else")
        for item in items_of(self.value(node.iter)):
            self.assign(node.target, item)
            try:
                self.body(node.body)
            except _Loop as jump:
                if jump.stop:
                    break

    def attempt(self, node: ast.Try) -> None:
        try:
            self.body(node.body)
        except Raised as raised:
            for handler in node.handlers:
                if handler.type is None or self.caught(handler.type, raised):
                    self.body(handler.body)
                    break
            else:
                raise
        else:
            self.body(node.orelse)
        self.body(node.finalbody)

    def caught(self, node: ast.expr, raised: Raised) -> bool:
        if isinstance(node, ast.Tuple):
            return any(self.caught(item, raised) for item in node.elts)
        name = last(self.qualified(node) or "")
        if name not in ERRORS and name != "BaseException" and name != "LookupError":
            raise Undecided("an exception class that is not known")
        return name in raised.names or name == "BaseException"

    def error(self, node: ast.expr | None) -> tuple[str, ...]:
        called = node.func if isinstance(node, ast.Call) else node
        name = last(self.qualified(called) or "") if called is not None else ""
        if name not in ERRORS:
            raise Undecided("it raises an exception that is not known")
        return ERRORS[name]

    def assign(self, target: ast.expr, value: object) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            items = items_of(value)
            if len(items) != len(target.elts):
                raise Raised(*ERRORS["ValueError"])
            for part, item in zip(target.elts, items, strict=True):
                self.assign(part, item)
        elif isinstance(target, ast.Subscript):
            holder = plain(self.value(target.value))
            if not isinstance(holder, (dict, list)):
                raise Undecided("it sets an item of something unknown")
            native(holder.__setitem__, self.value(target.slice), value)
        else:
            raise Undecided("it sets an attribute")

    # -- expressions --------------------

    def value(self, node: ast.expr) -> object:
        self.step()
        match node:
            case ast.Constant():
                if node.value is Ellipsis or isinstance(node.value, complex):
                    raise Undecided("a constant that is no value")
                return node.value
            case ast.Name():
                return self.name(node)
            case ast.List() | ast.Tuple() | ast.Set():
                return self.display(node)
            case ast.Dict():
                return self.dictionary(node)
            case ast.BoolOp():
                return self.boolean(node)
            case ast.UnaryOp():
                return self.unary(node)
            case ast.BinOp():
                return self.binary(node)
            case ast.Compare():
                return self.compare(node)
            case ast.IfExp():
                return self.value(node.body if truth(self.value(node.test)) else node.orelse)
            case ast.JoinedStr():
                return self.joined_text(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                found: list[object] = []
                self.comprehend(node.generators, lambda: found.append(self.value(node.elt)))
                return set(found) if isinstance(node, ast.SetComp) else found
            case ast.DictComp():
                pairs: dict[Any, object] = {}
                self.comprehend(
                    node.generators,
                    lambda: pairs.update({self.value(node.key): self.value(node.value)}),
                )
                return pairs
            case ast.Lambda():
                return Function(self.module, node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.called(node)
            case ast.NamedExpr():
                self.names[node.target.id] = self.value(node.value)
                return self.names[node.target.id]
        raise Undecided("an expression that is not understood")

    def qualified(self, node: ast.expr) -> str | None:
        return self.world.python.qualified(self.module, node, self.inside)

    def name(self, node: ast.Name) -> object:
        if node.id in self.names:
            return self.names[node.id]
        if node.id == "__file__":
            return Opaque("str")
        return self.defined(node)

    def defined(self, node: ast.expr) -> object:
        found = self.world.python.definition(self.module, node, self.inside)
        if found is None:
            raise Undecided("a name that is not known")
        if found.node is None or found.module is None:
            return Named(found.qualified)
        if isinstance(found.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return Function(found.module, found.node)
        value = getattr(found.node, "value", None)
        if isinstance(found.node, (ast.Assign, ast.AnnAssign)) and isinstance(value, ast.expr):
            if self.depth > 12:
                raise Undecided("names nest too deeply")
            if isinstance(found.node, ast.Assign) and not isinstance(
                found.node.targets[0], ast.Name
            ):
                raise Undecided("a name that is bound with others")
            if isinstance(node, ast.Attribute):
                member = self.member(node.value, node.attr)
                if member is not None:
                    return member
            return _Run(self.world, found.module, {}, self.depth + 1).value(value)
        raise Undecided("a name that is not known")

    def member(self, node: ast.expr, name: str) -> Opaque | None:
        """An attribute of an enumeration is one of its members, not the value that is written."""
        owner = self.world.python.definition(self.module, node, self.inside)
        if owner is None or not isinstance(owner.node, ast.ClassDef) or owner.module is None:
            return None
        bases = [self.world.python.qualified(owner.module, base) for base in owner.node.bases]
        if any(last(base or "").endswith(("Enum", "Flag")) for base in bases):
            value = next(
                (
                    item.value.value
                    for item in owner.node.body
                    if isinstance(item, (ast.Assign, ast.AnnAssign))
                    and isinstance(item.value, ast.Constant)
                    and any(getattr(target, "id", "") == name for target in _targets(item))
                ),
                None,
            )
            mixed = {"str", "int", "float", "enum.StrEnum", "enum.IntEnum"} & {*map(str, bases)}
            return Opaque(owner.node.name, "mixed" if mixed else "member", value)
        return None

    def attribute(self, node: ast.Attribute) -> object:
        if isinstance(node.value, (ast.Name, ast.Attribute)) and not self.is_local(node.value):
            return self.defined(node)
        holder = self.value(node.value)
        if isinstance(holder, Info) and node.attr in ("data", "field_name"):
            return holder.data if node.attr == "data" else Opaque("str")
        if isinstance(holder, (Opaque, SplitResult)):
            return attribute_of(holder, node.attr)
        raise Undecided(f"the attribute `{node.attr}`")

    def is_local(self, node: ast.expr) -> bool:
        """Whether a dotted name starts at a parameter or local variable."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return not isinstance(node, ast.Name) or node.id in self.names

    def display(self, node: ast.List | ast.Tuple | ast.Set) -> object:
        items: list[object] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                items.extend(items_of(self.value(item.value)))
            else:
                items.append(self.value(item))
        if isinstance(node, ast.Tuple):
            return tuple(items)
        return items if isinstance(node, ast.List) else native(set, items)

    def dictionary(self, node: ast.Dict) -> object:
        found: dict[Any, object] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                inner = self.value(value)
                if not isinstance(inner, dict):
                    raise Undecided("it spreads something that is no mapping")
                found.update(inner)
            else:
                found[native(hashable, self.value(key))] = self.value(value)
        return found

    def boolean(self, node: ast.BoolOp) -> object:
        result: object = None
        for part in node.values:
            result = self.value(part)
            if truth(result) is isinstance(node.op, ast.Or):
                return result
        return result

    def unary(self, node: ast.UnaryOp) -> object:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not truth(value)
        if isinstance(value, (int, float)):
            return -value if isinstance(node.op, ast.USub) else +value
        raise Undecided("an operator that is not understood")

    def binary(self, node: ast.BinOp) -> object:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, Opaque) or isinstance(right, Opaque):
            return joined(node.op, left, right)
        left, right = plain(left), plain(right)
        match node.op:
            case ast.Add():
                return native(lambda: left + right)  # type: ignore[operator]
            case ast.Sub():
                return native(lambda: left - right)  # type: ignore[operator]
            case ast.BitOr() if isinstance(left, (set, dict)):
                return native(lambda: left | right)  # type: ignore[operator]
            case ast.Mult() if isinstance(left, (int, float)) and isinstance(right, (int, float)):
                return left * right
            case ast.Div() | ast.FloorDiv() if isinstance(left, (int, float)):
                whole = isinstance(node.op, ast.FloorDiv)
                return native(lambda: left // right if whole else left / right)  # type: ignore[operator]
        raise Undecided("an operator that is not understood")

    def compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.value(comparator)
            if isinstance(right, Earlier) and isinstance(operator, (ast.In, ast.NotIn)):
                if right.look_up(str(left))[0] is isinstance(operator, ast.NotIn):
                    return False
                continue
            if not compared(operator, left, right):
                return False
            left = right
        return True

    def joined_text(self, node: ast.JoinedStr) -> object:
        parts = [self.formatted(part) for part in node.values]
        known = [part for part in parts if isinstance(part, str)]
        return "".join(known) if len(known) == len(parts) else Opaque("str")

    def formatted(self, node: ast.expr) -> str | Opaque:
        """A part of a formatted text; `Opaque` where only that it is a text is known."""
        if isinstance(node, ast.FormattedValue):
            value = self.value(node.value)
            if isinstance(value, Opaque) and value.name:
                return Opaque("str")
            if node.format_spec is not None or node.conversion not in (-1, 115):
                scalar_of(value)
                return Opaque("str")
            return str(scalar_of(value))
        return str(self.value(node))

    def subscript(self, node: ast.Subscript) -> object:
        holder = self.value(node.value)
        if isinstance(holder, Named) and holder.qualified == "os.environ":
            return self.environment(self.value(node.slice), None, required=True)
        if isinstance(holder, Earlier):
            found, value = holder.look_up(str(self.value(node.slice)))
            if not found:
                raise Raised(*ERRORS["KeyError"])
            return value
        holder = plain(holder)
        if isinstance(node.slice, ast.Slice):
            bounds = [
                self.value(part) if part else None
                for part in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            return native(lambda: holder[slice(*bounds)])  # type: ignore[index]
        key = self.value(node.slice)
        return native(lambda: holder[key])  # type: ignore[index]

    def comprehend(self, generators: list[ast.comprehension], emit: Callable[[], Any]) -> None:
        if not generators:
            emit()
            return
        first, rest = generators[0], generators[1:]
        for item in items_of(self.value(first.iter)):
            self.assign(first.target, item)
            if all(truth(self.value(test)) for test in first.ifs):
                self.comprehend(rest, emit)

    # -- calls --------------------

    def called(self, node: ast.Call) -> object:
        function = node.func
        if isinstance(function, ast.Name) and function.id == "isinstance":
            return self.is_instance(node)
        if isinstance(function, ast.Attribute):
            if _is_super(function.value):
                return self.to_parent(function.attr, node)
            head = function.value
            if not isinstance(head, (ast.Name, ast.Attribute)) or self.is_value(head):
                return self.method(self.value(head), function.attr, node)
            if self.qualified(head) == "pathlib.Path" or self.qualified(head) == "pathlib.PurePath":
                return Opaque("Path")
        target = self.value(function)
        values, named = self.arguments(node)
        return self.apply(target, values, named)

    def is_value(self, node: ast.Name | ast.Attribute) -> bool:
        """Whether a dotted head is a value rather than a module or class to look into."""
        if isinstance(node, ast.Name):
            if node.id in self.names:
                return True
        elif isinstance(node.value, (ast.Name, ast.Attribute)) and self.is_value(node.value):
            return True
        found = self.world.python.definition(self.module, node, self.inside)
        return found is not None and isinstance(found.node, (ast.Assign, ast.AnnAssign))

    def arguments(self, node: ast.Call) -> tuple[list[object], dict[str, object]]:
        if any(isinstance(item, ast.Starred) for item in node.args):
            raise Undecided("arguments that are spread")
        named = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise Undecided("arguments that are spread")
            named[keyword.arg] = self.value(keyword.value)
        return [self.value(item) for item in node.args], named

    def apply(self, target: object, values: list[object], named: dict[str, object]) -> object:
        if isinstance(target, Function):
            return self.function(target, values, named)
        if isinstance(target, Native):
            return target.call(*values)
        if not isinstance(target, Named):
            raise Undecided("it calls something unknown")
        name = target.qualified
        if name in ("os.getenv", "os.environ.get", "os.environ.__getitem__"):
            default = values[1] if len(values) > 1 else named.get("default")
            return self.environment(values[0] if values else None, default, required=False)
        if name in ("map", "filter"):
            return self.mapped(name, values)
        if name in TYPES:
            return self.converted(TYPES[name], values)
        kind, _, method = name.rpartition(".")
        if kind in TYPES and values and not isinstance(values[0], (Opaque, Earlier, Info)):
            if not isinstance(values[0], TYPES[kind]):
                raise Raised(*ERRORS["TypeError"])
            return self.bare_method(values[0], method, values[1:], named)
        if name in MADE:
            return Opaque(MADE[name])
        if name in ("re.match", "re.search", "re.fullmatch") and len(values) == 2 and not named:
            found = matched(last(name), values[0], plain(values[1]))
            return Opaque("Match") if found else None
        if name in _TEXT_JOINS and any(isinstance(value, Opaque) for value in values):
            return Opaque("str")
        if name in FUNCTIONS:
            bare = [plain(value) for value in values]
            return native(lambda: FUNCTIONS[name](*bare, **named))
        if name.startswith("pydantic"):
            if self.world.build is None:
                raise Undecided(f"it calls `{name}`")
            return self.world.build(last(name), values)
        raise Undecided(f"it calls `{name}`")

    def converted(self, kind: type, values: list[object]) -> object:
        if not values:
            return kind()
        if kind is str and isinstance(values[0], Opaque) and values[0].name:
            return Opaque("str")
        value = plain(values[0])
        if kind in (list, tuple, set, frozenset):
            return native(lambda: kind(items_of(value)))
        if kind is str and not isinstance(value, (str, int, float, bool, type(None))):
            raise Undecided("a string made of a container")
        return native(lambda: kind(value))

    def mapped(self, name: str, values: list[object]) -> list[object]:
        if len(values) != 2:
            raise Undecided("a call that is not understood")
        items = items_of(values[1])
        if name == "filter" and values[0] is None:
            return [item for item in items if truth(item)]
        results = [(item, self.apply(values[0], [item], {})) for item in items]
        if name == "map":
            return [result for _, result in results]
        return [item for item, result in results if truth(result)]

    def method(self, holder: object, name: str, node: ast.Call) -> object:
        values, named = self.arguments(node)
        if isinstance(holder, Named):
            return self.apply(Named(f"{holder.qualified}.{name}"), values, named)
        if isinstance(holder, Opaque) and holder.name == "self" and self.world.parent:
            return self.world.parent(name, [*values, *named.values()])
        if isinstance(holder, Earlier) and name == "get" and values and not named:
            found, value = holder.look_up(str(values[0]))
            return value if found else (values[1] if len(values) > 1 else None)
        if isinstance(holder, Opaque) and holder.kind != "mixed":
            return method_of(holder, name)
        return self.bare_method(holder, name, values, named)

    def bare_method(
        self, holder: object, name: str, values: list[object], named: dict[str, object]
    ) -> object:
        holder = plain(holder)
        allowed = METHODS.get(type(holder), frozenset())
        if name not in allowed:
            if hasattr(holder, name):
                raise Undecided(f"it calls the method `{name}`")
            raise Raised(*ERRORS["AttributeError"])
        bare = [plain(value) for value in values]
        result = native(lambda: getattr(holder, name)(*bare, **named))
        return list(result) if isinstance(holder, dict) and name in _VIEWS else result

    def to_parent(self, name: str, node: ast.Call) -> object:
        if self.world.parent is None:
            raise Undecided("it calls its parent class")
        values, named = self.arguments(node)
        return self.world.parent(name, [*values, *named.values()])

    def environment(self, name: object, default: object, *, required: bool) -> object:
        if self.world.env is None or not isinstance(name, str):
            raise Undecided("the environment is not known")
        if name in self.world.env:
            return self.world.env[name]
        if self.world.hidden is not None and self.world.hidden(name):
            raise Undecided(f"the value of `{name}` is not known")
        if required:
            raise Raised(*ERRORS["KeyError"])
        return default

    def is_instance(self, node: ast.Call) -> bool:
        if len(node.args) != 2:
            raise Undecided("a call that is not understood")
        value = self.value(node.args[0])
        if isinstance(value, Opaque):
            return is_one_of(value, tuple(self.types(node.args[1])))
        if isinstance(value, (Opaque, Function, Native, Named)):
            raise Undecided("the type of a value is not known")
        return isinstance(value, tuple(self.types(node.args[1])))

    def types(self, node: ast.expr) -> list[type]:
        if isinstance(node, ast.Tuple):
            return [kind for item in node.elts for kind in self.types(item)]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self.types(node.left) + self.types(node.right)
        if isinstance(node, ast.Constant) and node.value is None:
            return [type(None)]
        name = self.qualified(node) or ""
        if name in TYPES:
            return [TYPES[name]]
        if name.startswith(("typing.", "collections.abc.")) and last(name) in ABSTRACT:
            return list(ABSTRACT[last(name)])
        raise Undecided("a type that is not known")


_TEXT_JOINS = ("os.path.join", "urllib.parse.quote", "urllib.parse.quote_plus")

_VIEWS = ("keys", "values", "items")


def _bind(
    arguments: ast.arguments, values: list[object], named: dict[str, object], run: _Run
) -> dict[str, object]:
    """The parameters of a function with their values; undecided where they don't fit."""
    parameters = [*arguments.posonlyargs, *arguments.args]
    if len(values) > len(parameters) and arguments.vararg is None:
        raise Undecided("a call that does not fit")
    bound: dict[str, object] = {
        parameter.arg: value for parameter, value in zip(parameters, values, strict=False)
    }
    bound |= named
    defaults = arguments.defaults
    for parameter, default in zip(
        parameters[len(parameters) - len(defaults) :], defaults, strict=True
    ):
        if parameter.arg not in bound:
            bound[parameter.arg] = run.value(default)
    for parameter, only in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if parameter.arg not in bound and only is not None:
            bound[parameter.arg] = run.value(only)
    for parameter in parameters:
        if parameter.arg not in bound:
            raise Undecided("a call that does not fit")
    return bound


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _loaded(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    raise Undecided("it changes something in place")


def _is_super(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )
