"""The calls and names of modules as a first look gives them: where each call stands, and which
functions the loaded application may call at all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from hfcheck.space.code.bodies import catches
from hfcheck.space.code.python import FunctionNode, Module, is_type_checking

FIELDS = frozenset({"Field", "field"})
"""Functions that take a `default_factory`, which building the class around them calls."""

_PLAIN_DECORATORS = frozenset(
    {
        "property",
        "cached_property",
        "setter",
        "staticmethod",
        "classmethod",
        "lru_cache",
        "cache",
        "computed_field",
        "abstractmethod",
        "contextmanager",
        "asynccontextmanager",
        "override",
        "final",
        "command",
        "group",
        "callback",
        "fixture",
    }
)
"""Decorators after which nothing calls a function but code that names it (or a shell command)."""


_MOST_TESTS = 10
"""Operands around a call that are kept; of more the outer ones are left out."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a call stands: the innermost function, the class body; whether it is in a lambda, in
    the arguments of `Field(...)`, under a condition, in a `try` that catches what pydantic raises.
    `tests` are the operands of `if`-`else`, `and` and `or` around it, and what each must be.
    """

    function: FunctionNode | None = None
    owner: ast.ClassDef | None = None
    is_lambda: bool = False
    in_field: bool = False
    branch: bool = False
    caught: bool = False
    tests: tuple[tuple[ast.expr, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A call, its module and where it stands."""

    call: ast.Call
    module: Module
    where: Where


@dataclass(slots=True)
class Scan:
    """The calls of some modules, and the functions that may run."""

    sites: list[Site] = field(default_factory=list)
    _outer: dict[FunctionNode, FunctionNode | None] = field(default_factory=dict)
    _roots: list[FunctionNode] = field(default_factory=list)
    _named: dict[FunctionNode | None, set[str]] = field(default_factory=dict)
    _live: set[FunctionNode] | None = None

    def live(self, function: FunctionNode | None) -> bool:
        """Whether something that is loaded may call a function. By names alone: it says too often
        that it may.
        """
        if self._live is None:
            self._live = self._find_live()
        return function is None or function in self._live

    def names(self) -> set[str]:
        """Every name that module-level code or a live function reads."""
        live = (names for unit, names in self._named.items() if self.live(unit))
        return set().union(*live)

    def _find_live(self) -> set[FunctionNode]:
        by_name: dict[str, list[FunctionNode]] = {}
        inside: dict[FunctionNode | None, list[FunctionNode]] = {}
        for function, outer in self._outer.items():
            by_name.setdefault(function.name, []).append(function)
            inside.setdefault(outer, []).append(function)
        roots = set(self._roots)
        live: set[FunctionNode] = set()
        entered: set[FunctionNode | None] = {None}
        named: set[str] = set()
        work: list[FunctionNode | None] = [None]
        while work:
            unit = work.pop()
            fresh = self._named.get(unit, set()) - named
            named |= fresh
            for function in [f for name in fresh for f in by_name.get(name, ())] + inside.get(
                unit, []
            ):
                may_run = function in roots or function.name in named
                if may_run and self._outer[function] in entered and function not in live:
                    live.add(function)
                    entered.add(function)
                    work.append(function)
        return live


def scan(modules: Iterable[Module]) -> Scan:
    """The calls of some modules. What `if __name__ == "__main__":` holds is left out of modules
    that are imported.
    """
    found = Scan()
    for module in modules:
        stack: list[tuple[ast.AST, Where]] = [(module.tree, Where())]
        while stack:
            node, where = stack.pop()
            _note(found, module, node, where)
            stack.extend(reversed(list(_inner(module, node, where))))
    return found


def _note(found: Scan, module: Module, node: ast.AST, where: Where) -> None:
    named = found._named.setdefault(where.function, set())
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        named.add(node.id)
    elif isinstance(node, ast.Attribute):
        named.add(node.attr)
    elif isinstance(node, ast.alias) and node.asname:
        named.add(node.name.rpartition(".")[2])
    elif isinstance(node, ast.Call):
        found.sites.append(Site(node, module, where))
    elif isinstance(node, FunctionNode):
        found._outer[node] = where.function
        special = node.name.startswith("__") and node.name.endswith("__")
        if special or any(_called_by(item) for item in node.decorator_list):
            found._roots.append(node)


def _called_by(decorator: ast.expr) -> bool:
    """Whether what a decorator makes of a function is called by a library (a route, a hook)."""
    return called_name(decorator) not in _PLAIN_DECORATORS


def called_name(node: ast.expr) -> str:
    """The last part of the name of what is called (of a decorator, of `Depends`)."""
    while isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _inner(module: Module, node: ast.AST, where: Where) -> Iterator[tuple[ast.AST, Where]]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _each(node.decorator_list, where)
            inside = Where(node, where.owner)
            yield from _each([node.args, *node.body], inside)
            if node.returns is not None:
                yield node.returns, inside
        case ast.ClassDef():
            yield from _each(node.decorator_list + node.bases, where)
            yield from _each(node.body, replace(where, owner=node))
        case ast.Lambda():
            yield node.body, replace(where, is_lambda=True)
        case ast.Try() | ast.TryStar():
            caught = where.caught or any(map(_swallows, node.handlers))
            yield from _each(node.body, replace(where, caught=caught))
            yield from _each([*node.handlers, *node.orelse, *node.finalbody], where)
        case ast.If():
            yield from _branches(module, node, where)
        case ast.For() | ast.AsyncFor() | ast.While() | ast.Match():
            yield from _each(ast.iter_child_nodes(node), replace(where, branch=True))
        case ast.IfExp():
            yield node.test, where
            yield node.body, _under(where, node.test, True)
            yield node.orelse, _under(where, node.test, False)
        case ast.BoolOp():
            for value in node.values:
                yield value, where
                where = _under(where, value, isinstance(node.op, ast.And))
        case ast.Call():
            given = where
            if called_name(node.func) in FIELDS:
                given = replace(where, in_field=True)
            yield node.func, where
            yield from _each([*node.args, *node.keywords], given)
        case _:
            yield from _each(ast.iter_child_nodes(node), where)


def _under(where: Where, test: ast.expr, holds: bool) -> Where:
    return replace(where, branch=True, tests=(*where.tests[-_MOST_TESTS:], (test, holds)))


def _each(nodes: Iterable[ast.AST], where: Where) -> Iterator[tuple[ast.AST, Where]]:
    return ((node, where) for node in nodes)


def _branches(module: Module, node: ast.If, where: Where) -> Iterator[tuple[ast.AST, Where]]:
    if is_type_checking(node.test):
        yield from _each(node.orelse, where)
    elif _is_script_test(node.test):
        yield from _each(node.body if module.name == "__main__" else node.orelse, where)
    else:
        yield node.test, where
        yield from _each([*node.body, *node.orelse], replace(where, branch=True))


def _is_script_test(test: ast.expr) -> bool:
    """Whether a condition is `__name__ == "__main__"`."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    return any(getattr(side, "id", "") == "__name__" for side in (test.left, *test.comparators))


def _swallows(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches pydantic's ValidationError and goes on."""
    if not catches(handler, "pydantic.ValidationError"):
        return False
    for statement in handler.body:
        if isinstance(statement, ast.Raise):
            return False
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(value, ast.Call) and called_name(value.func) in ("exit", "_exit", "quit"):
            return False
    return True
