"""How statements end early: an exception that certainly comes, `return`, `break`, `continue`."""

from __future__ import annotations

import ast
import builtins

from hfcheck.source import Place
from hfcheck.space.code.bodies import catches


class Raises(Exception):
    """The code certainly raises an exception: its name and those of the classes above it, where,
    and what happens there.
    """

    def __init__(self, names: tuple[str, ...], place: Place, note: str) -> None:
        super().__init__(names[0])
        self.names = names
        self.place = place
        self.note = note


class Ended(Exception):
    """A body ends at `return`, `break` or `continue`, which `kind` names."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def handler_of(node: ast.Try | ast.TryStar, names: tuple[str, ...]) -> ast.ExceptHandler | None:
    """The handler of a `try` that catches an exception with these names."""
    for handler in node.handlers:
        if any(catches(handler, name) for name in names):
            return handler
    return None


def names_of_builtin(name: str) -> tuple[str, ...]:
    """The name of a built-in exception and those above it up to `Exception`; none for others."""
    kind = getattr(builtins, name, None)
    if not isinstance(kind, type) or not issubclass(kind, Exception):
        return (name,) if name == "SystemExit" else ()
    return tuple(cls.__name__ for cls in kind.__mro__ if issubclass(cls, Exception))
