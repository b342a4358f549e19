"""The calls in an expression, in the order in which they are made."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator


def calls(
    node: ast.expr, beside: Callable[[ast.Call], bool] = lambda call: False
) -> Iterator[ast.Call]:
    """The calls that evaluating an expression makes, inner ones first. A lambda's are made later;
    what is inside a call that is `beside` (a task) runs next to it. Both are left out.
    """
    found: list[ast.Call] = []
    stack: list[ast.AST] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Lambda):
            continue
        if isinstance(current, ast.Call):
            found.append(current)
            if beside(current):
                continue
        stack.extend(ast.iter_child_nodes(current))
    return reversed(found)
