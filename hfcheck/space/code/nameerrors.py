"""Names that nothing in a module binds: reading one raises NameError."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import Module, Python

_MAGIC = re.compile(
    r"\b(?:globals|vars|exec|setattr|locals)\s*\(|__getattr__|sys\.modules|__dict__"
)
_ALWAYS = frozenset(dir(builtins)) | {
    "__file__", "__name__", "__doc__", "__spec__", "__package__", "__loader__", "__path__",
    "__builtins__", "__class__", "__module__", "__qualname__", "__annotations__", "WindowsError",
}  # fmt: skip


_WHOLE = (ast.Call, ast.Attribute, ast.BinOp, ast.Subscript, ast.Await, ast.keyword, ast.Tuple,
          ast.List, ast.Dict, ast.Starred)  # fmt: skip
"""Expressions all parts of which are evaluated."""


def first(node: ast.expr, frame: Frame, python: Python) -> ast.Name | None:
    """The first name that an expression certainly reads and nothing in its module binds."""
    module = frame.module
    for name in _read(node):
        if name.id in _ALWAYS or name.id in frame.names or name.id in _bound(module):
            continue
        return None if is_dynamic(module) else name
    return None


def is_dynamic(module: Module) -> bool:
    """Whether a module may have names that are not written in it."""
    cached = module.tree.__dict__.get("_hfcheck_dynamic")
    if cached is None:
        cached = bool(module.stars) or _MAGIC.search(module.source.text) is not None
        module.tree.__dict__["_hfcheck_dynamic"] = cached
    return bool(cached)


def _read(node: ast.expr) -> Iterator[ast.Name]:
    """The names that evaluating an expression reads, whatever its parts are worth."""
    stack: list[ast.AST] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Name) and isinstance(current.ctx, ast.Load):
            yield current
        elif isinstance(current, (ast.BoolOp, ast.IfExp)):
            stack.append(current.values[0] if isinstance(current, ast.BoolOp) else current.test)
        elif isinstance(current, _WHOLE):
            stack.extend(reversed(list(ast.iter_child_nodes(current))))


def _bound(module: Module) -> frozenset[str]:
    """Every name that a module binds anywhere, in whatever scope."""
    cached = module.tree.__dict__.get("_hfcheck_bound")
    if cached is None:
        cached = frozenset(_binds(module.tree))
        module.tree.__dict__["_hfcheck_bound"] = cached
    found: frozenset[str] = cached
    return found


def _binds(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                yield name
            case ast.alias(name=name):
                yield name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
            case _:
                # The parameters of PEP 695, which older versions of `ast` lack.
                if type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):
                    yield str(getattr(node, "name", ""))
