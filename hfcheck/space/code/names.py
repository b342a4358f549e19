"""What the names of a module are bound to while it is imported, and where its statements stand."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from hfcheck.space.code.python import Module
from hfcheck.space.code.raising import Raises

Kind = str
"""What a `Thing` is: `value` (`node` is the expression or definition), `instance` (of the class
`node`), `module`, `namespace` (a folder without `__init__.py`, by its `name`), `outside`
(something of a library, by its `name`), `made` (what calling that gives), `unknown`."""


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One thing that a name may be bound to."""

    kind: Kind
    module: Module | None = None
    node: ast.AST | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a name is bound to: one of `things`. It may be unbound where it is not `sure`."""

    things: tuple[Thing, ...]
    sure: bool = True


UNKNOWN = Thing("unknown")
SOMETHING = Bound((UNKNOWN,))


@dataclass(slots=True)
class Names:
    """The names of a module, a class or a function, as far as it has run.

    `others` says why there may be further names; None where these are all.
    """

    bound: dict[str, Bound] = field(default_factory=dict)
    others: str | None = None

    def copy(self) -> Names:
        """The same, to be changed apart."""
        return Names(dict(self.bound), self.others)

    def become(self, other: Names) -> None:
        """Take over what another one holds."""
        self.bound, self.others = dict(other.bound), other.others


def joined_bounds(found: Iterable[Bound]) -> Bound:
    """What a name is bound to where it is one of several."""
    every = list(found)
    things = tuple({id(thing): thing for each in every for thing in each.things}.values())
    return Bound(things[:20], all(each.sure for each in every))


def joined(ways: list[Names]) -> Names:
    """The names after one of several ways, nobody knows which."""
    result = Names(others=next((way.others for way in ways if way.others), None))
    for name in dict.fromkeys(name for way in ways for name in way.bound):
        each = [way.bound[name] for way in ways if name in way.bound]
        merged = joined_bounds(each)
        result.bound[name] = Bound(merged.things, merged.sure and len(each) == len(ways))
    return result


def perhaps_also(names: Names, other: Names) -> Names:
    """The names where a second way is possible, but not expected: what only that one binds may be
    there.
    """
    result = names.copy()
    for name, bound in other.bound.items():
        if name not in result.bound:
            result.bound[name] = Bound(bound.things, sure=False)
        elif not result.bound[name].sure:
            result.bound[name] = Bound(joined_bounds((result.bound[name], bound)).things, False)
    result.others = names.others or other.others
    return result


@dataclass(slots=True)
class Scope:
    """Where statements stand: a module, a class body or a function that is called.

    `top` are the names of the module, `names` those of the body itself (in a module the same).
    `returns` are the values that the function gives, `handling` the exception whose handler runs.
    `sure` is false where it is not known whether the body runs, `expected` false in a handler
    that is there for the unforeseen.
    """

    module: Module
    names: Names
    top: Names
    declared: set[str] = field(default_factory=set)
    returns: list[Bound] = field(default_factory=list)
    handling: Raises | None = None
    sure: bool = True
    expected: bool = True

    @property
    def in_module(self) -> bool:
        """Whether the statements stand at the top of the module."""
        return self.names is self.top

    def bind(self, name: str, bound: Bound) -> None:
        """Bind a name, in the module where `global` says so."""
        (self.top if name in self.declared else self.names).bound[name] = bound

    def unbind(self, name: str) -> None:
        """Delete a name."""
        (self.top if name in self.declared else self.names).bound.pop(name, None)

    def mark(self) -> tuple[Names, Names]:
        """The names as they are now."""
        return self.names.copy(), self.top.copy()

    def restore(self, mark: tuple[Names, Names]) -> None:
        """Go back to the names of a mark."""
        self.names.become(mark[0])
        self.top.become(mark[0] if self.in_module else mark[1])


@dataclass(slots=True, eq=False)
class Attempt:
    """A `try` whose body runs: the marks of imports in it that may fail."""

    node: ast.Try | ast.TryStar
    scope: Scope
    doubts: list[tuple[Names, Names]] = field(default_factory=list)
