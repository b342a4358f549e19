"""One pass over a module: its calls and texts with what they stand in.

What a call stands in decides whether it happens at start: the function, and the conditions of the
`if` statements around it, those before it that leave the function among them.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, replace

from hfcheck.space.code.python import FunctionNode, Module

MOST_GUARDS = 20
"""What stands under more conditions than this is not followed: of more, only one more is noted."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition that must hold (`holds` true) or fail for what stands under it to run. `holds`
    is None where the expression decides in another way (the subject of a `match`).
    """

    test: ast.expr
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Site:
    """A node of a module, the function and class that it stands in, and the conditions on the
    way to it, the outermost first. `decorates` is the function that it is a decorator of.
    """

    node: ast.AST
    module: Module
    function: FunctionNode | None = None
    cls: ast.ClassDef | None = None
    guards: tuple[Guard, ...] = ()
    decorates: FunctionNode | None = None

    def at(self, node: ast.AST) -> Site:
        """Another node at the same site."""
        return Site(node, self.module, self.function, self.cls, self.guards)


@dataclass(frozen=True, slots=True)
class Scan:
    """What one module holds: its calls, its constants of text or bytes (those that are statements
    left out), its functions, its assignments, the functions' classes by identity, and the names
    that are read, by the identity of the function that they are read in (0 for the module and its
    classes). `guarded` are the conditions under which an import runs, or a value is bound or
    returned, by the identity of the import or the value.
    """

    module: Module
    calls: tuple[Site, ...]
    texts: tuple[Site, ...]
    functions: tuple[Site, ...]
    assigns: tuple[Site, ...]
    classes: dict[int, ast.ClassDef]
    reads: dict[int, set[str]]
    guarded: dict[int, tuple[Guard, ...]]


@dataclass(frozen=True, slots=True)
class _Around:
    """What a node stands in; shared by all nodes of one body."""

    function: FunctionNode | None = None
    cls: ast.ClassDef | None = None
    guards: tuple[Guard, ...] = ()
    decorates: FunctionNode | None = None


def scan(module: Module) -> Scan:
    """Walk a module once, without recursion."""
    calls: list[Site] = []
    texts: list[Site] = []
    functions: list[Site] = []
    assigns: list[Site] = []
    classes: dict[int, ast.ClassDef] = {}
    reads: dict[int, set[str]] = defaultdict(set)
    guarded: dict[int, tuple[Guard, ...]] = {}
    stack: list[tuple[ast.AST, _Around]] = [(module.tree, _Around())]
    while stack:
        node, around = stack.pop()
        kind = type(node)
        if kind is ast.Name:
            reads[id(around.function) if around.function else 0].add(node.id)  # type: ignore[attr-defined]
            continue
        if kind is ast.Constant:
            if isinstance(node.value, (str, bytes)):  # type: ignore[attr-defined]
                texts.append(_site(node, module, around))
            continue
        if kind is ast.Expr and isinstance(node.value, ast.Constant):  # type: ignore[attr-defined]
            continue
        if kind is ast.Attribute:
            reads[id(around.function) if around.function else 0].add(node.attr)  # type: ignore[attr-defined]
        elif kind is ast.Call:
            calls.append(_site(node, module, around))
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            assigns.append(_site(node, module, around))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions.append(_site(node, module, around))
            if around.cls is not None:
                classes[id(node)] = around.cls
        if around.guards and isinstance(node, ast.stmt):
            guarded.update((id(value), around.guards) for value in _given(node))
        stack.extend(reversed(_inside(node, around)))
    return Scan(
        module,
        tuple(calls),
        tuple(texts),
        tuple(functions),
        tuple(assigns),
        classes,
        reads,
        guarded,
    )


def _site(node: ast.AST, module: Module, around: _Around) -> Site:
    return Site(node, module, around.function, around.cls, around.guards, around.decorates)


def _given(node: ast.stmt) -> list[ast.AST]:
    """The values that a statement binds or returns; an import itself."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [node]
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)):
        return [node.value] if node.value is not None else []
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return [node.iter]
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return [item.context_expr for item in node.items]
    return []


_Inside = list[tuple[ast.AST, _Around]]


def _inside(node: ast.AST, around: _Around) -> _Inside:
    """The nodes inside a node, in the order of the text, with what they stand in."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        decorating = replace(around, decorates=node)
        outside = [node.args, *([node.returns] if node.returns else [])]
        return [
            *((decorator, decorating) for decorator in node.decorator_list),
            *((part, around) for part in outside),
            *_block(node.body, _Around(node, around.cls, around.guards)),
        ]
    if isinstance(node, ast.ClassDef):
        body = _Around(around.function, node, around.guards)
        outside = [*node.decorator_list, *node.bases, *node.keywords]
        return [*((part, around) for part in outside), *_block(node.body, body)]
    if isinstance(node, ast.If):
        return [
            (node.test, around),
            *_block(node.body, _under(around, Guard(node.test, True))),
            *_block(node.orelse, _under(around, Guard(node.test, False))),
        ]
    if isinstance(node, ast.IfExp):
        return [
            (node.test, around),
            (node.body, _under(around, Guard(node.test, True))),
            (node.orelse, _under(around, Guard(node.test, False))),
        ]
    if isinstance(node, ast.Match):
        inner = _under(around, Guard(node.subject, None))
        return [(node.subject, around), *((case, inner) for case in node.cases)]
    if isinstance(node, ast.Module):
        return _block(node.body, around)
    return [(child, around) for child in ast.iter_child_nodes(node)]


def _block(body: list[ast.stmt], around: _Around) -> _Inside:
    """The statements of a body. What follows an `if` that returns stands under its condition."""
    found: _Inside = []
    for statement in body:
        found.append((statement, around))
        if isinstance(statement, ast.If):
            for branch, holds in ((statement.body, False), (statement.orelse, True)):
                if branch and isinstance(branch[-1], ast.Return):
                    around = _under(around, Guard(statement.test, holds))
    return found


def _under(around: _Around, guard: Guard) -> _Around:
    if len(around.guards) > MOST_GUARDS:
        return around
    return replace(around, guards=(*around.guards, guard))
