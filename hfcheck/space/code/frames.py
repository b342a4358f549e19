"""Where Python code is worked out: the names bound so far, and how a body of statements ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hfcheck.space.code.python import FunctionNode, Module
from hfcheck.space.code.values import ClassRef, WouldRaise
from hfcheck.space.value import Known, Value


@dataclass(frozen=True, slots=True)
class Locals:
    """The function an expression stands in, and the values of its names as far as known."""

    function: FunctionNode | None
    arguments: Mapping[str, Value[object]]


@dataclass(slots=True)
class Frame:
    """Where an expression is evaluated: the module, the names bound so far, the function or the
    class body it stands in.
    """

    module: Module
    names: dict[str, Value[object]] = field(default_factory=dict)
    function: FunctionNode | None = None
    cls: ClassRef | None = None
    calls: int = 0
    tracking: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Flow:
    """How a body ends before its last statement: `return`, `raise`, `break` or `continue`."""

    kind: str
    value: Value[object] = field(default_factory=lambda: Known(None))
    raised: WouldRaise | None = None
