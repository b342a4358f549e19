"""Running the statements of a function, a class or a module, as far as the files settle it.

The half of the evaluator that knows control flow: assignments, conditions, loops over known items,
`try` with its handlers. With a set of names to watch only the statements about them are run.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from hfcheck.space.code import values as pyvalues
from hfcheck.space.code.frames import Flow, Frame
from hfcheck.space.code.python import FunctionNode, Module, Python
from hfcheck.space.code.values import (
    ClassRef,
    FunctionRef,
    Instance,
    WouldRaise,
    joined,
    truth,
)
from hfcheck.space.value import Known, Origin, Unknown, Value

MAX_STEPS = 400_000
"""Expressions and statements worked out for one Space before the rest counts as unknown."""

MAX_ITEMS = 500
"""How many items of a known sequence a loop or comprehension goes through."""

_CATCHES = {
    "KeyError": {"KeyError", "LookupError"},
    "ValueError": {"ValueError"},
    "TypeError": {"TypeError"},
    "AttributeError": {"AttributeError"},
    "AssertionError": {"AssertionError"},
    "SystemExit": {"SystemExit"},
    "ValidationError": {"ValueError"},
    "SettingsError": {"ValueError"},
    "ZeroDivisionError": {"ZeroDivisionError", "ArithmeticError"},
    "ImportError": {"ImportError"},
}


class BodyRunner(ABC):
    """Runs statements in a frame; how expressions are evaluated is the subclass's part."""

    python: Python
    _steps: int

    @abstractmethod
    def evaluate(self, node: ast.expr, frame: Frame) -> Value[object]:
        """The value of an expression in a frame; raises WouldRaise where it certainly raises."""

    @abstractmethod
    def items(self, nodes: Iterable[ast.expr], frame: Frame) -> list[Value[object]]:
        """The values of expressions, unpacked where starred."""

    def run(
        self, body: Sequence[ast.stmt], frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        """Run statements in a frame and say how they end early, None when they don't.

        With `watch` only these names are bound and all other effects are left out.
        """
        for statement in body:
            self._steps += 1
            if self._steps > MAX_STEPS:
                return Flow("unknown")
            method = getattr(self, f"_run_{type(statement).__name__.lower()}", None)
            if method is None:
                continue
            flow = cast("Flow | None", method(statement, frame, watch))
            if flow is not None:
                return flow
        return None

    def bind(self, target: ast.expr, value: Value[object], frame: Frame) -> None:
        """Bind an assignment target; parts of what can't be taken apart become Unknown."""
        if isinstance(target, ast.Name):
            frame.names[target.id] = value
            return
        if isinstance(target, (ast.Tuple, ast.List)):
            items = pyvalues.items_of(value)
            plain_targets = not any(isinstance(part, ast.Starred) for part in target.elts)
            if items is None or not plain_targets or len(items) != len(target.elts):
                items = [Unknown("it is unpacked from what is not known")] * len(target.elts)
            for part, item in zip(target.elts, items, strict=True):
                self.bind(part, item, frame)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value, frame)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            self._set_item(target, value, frame)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            frame.names[f"{target.value.id}.{target.attr}"] = value

    def _set_item(self, target: ast.Subscript, value: Value[object], frame: Frame) -> None:
        assert isinstance(target.value, ast.Name)
        name = target.value.id
        holder = frame.names.get(name)
        if not isinstance(holder, Known) or not isinstance(holder.value, dict):
            return
        key = self.evaluate(target.slice, frame)
        if isinstance(key, Known) and isinstance(key.value, (str, int)):
            frame.names[name] = Known({**holder.value, key.value: value}, holder.origins)
        else:
            frame.names[name] = Unknown("a key of it is not known", holder.origins)

    def _wants(self, statement: ast.stmt, watch: frozenset[str] | None) -> bool:
        return watch is None or not watch.isdisjoint(pyvalues.touched_names(statement))

    def _run_assign(
        self, node: ast.Assign, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        if self._wants(node, watch):
            value = self.evaluate(node.value, frame)
            for target in node.targets:
                self.bind(target, value, frame)
        return None

    def _run_annassign(
        self, node: ast.AnnAssign, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        if node.value is not None and self._wants(node, watch):
            self.bind(node.target, self.evaluate(node.value, frame), frame)
        return None

    def _run_augassign(
        self, node: ast.AugAssign, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        if isinstance(node.target, ast.Name) and self._wants(node, watch):
            left = self.evaluate(ast.Name(node.target.id, ast.Load()), frame)
            value = pyvalues.binary(node.op, left, self.evaluate(node.value, frame))
            frame.names[node.target.id] = value
        return None

    def _run_expr(self, node: ast.Expr, frame: Frame, watch: frozenset[str] | None) -> Flow | None:
        changed = pyvalues.mutation(node)
        if changed is not None and (watch is None or changed.name in watch):
            arguments = self.items(changed.call.args, frame)
            holder = frame.names.get(changed.name)
            if holder is not None:
                frame.names[changed.name] = pyvalues.mutated(holder, changed.method, arguments)
            return None
        if watch is None:
            self.evaluate(node.value, frame)
        return None

    def _run_functiondef(
        self, node: FunctionNode, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        if self._wants(node, watch):
            frame.names[node.name] = Known(FunctionRef(frame.module, node))
        return None

    _run_asyncfunctiondef = _run_functiondef

    def _run_classdef(
        self, node: ast.ClassDef, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        if self._wants(node, watch):
            frame.names[node.name] = Known(ClassRef(frame.module, node))
        return None

    def _run_return(
        self, node: ast.Return, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        if watch is not None:
            return None
        value = self.evaluate(node.value, frame) if node.value else Known(None)
        return Flow("return", value)

    def _run_raise(
        self, node: ast.Raise, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        if watch is not None:
            return None
        target = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        name = self.python.qualified(frame.module, target) if target else None
        bases = self.exception_bases(frame.module, target) if target else ()
        return Flow("raise", raised=WouldRaise(name or "Exception", (), bases))

    def exception_bases(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """The qualified names of the classes above an exception class of the image."""
        found = self.python.definition(module, node)
        if found is None or found.module is None or not isinstance(found.node, ast.ClassDef):
            return ()
        names: list[str] = []
        line = [(found.module, found.node)]
        for home, cls in line:
            for base in cls.bases:
                above = self.python.definition(home, base)
                if above is None or above.qualified in names:
                    continue
                names.append(above.qualified)
                if above.module is not None and isinstance(above.node, ast.ClassDef):
                    line.append((above.module, above.node))
        return tuple(names)

    def _run_break(
        self, node: ast.Break, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        return Flow("break")

    def _run_continue(
        self, node: ast.Continue, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        return Flow("continue")

    def _run_if(self, node: ast.If, frame: Frame, watch: frozenset[str] | None) -> Flow | None:
        test = self.evaluate(node.test, frame)
        holds = truth(test)
        if holds is not None:
            before = dict(frame.names)
            flow = self.run(node.body if holds else node.orelse, frame, watch)
            _note_condition(before, frame, test.origins)
            if flow is not None and flow.raised is not None:
                error = flow.raised
                origins = joined(error.origins, test.origins)
                return Flow("raise", raised=WouldRaise(error.exception, origins, error.bases))
            if flow is not None and flow.kind == "return":
                return Flow("return", pyvalues.adding(flow.value, test.origins))
            return flow
        reason = test.reason if isinstance(test, Unknown) else "it depends on a condition"
        return self._both(node, frame, watch, reason)

    def _both(
        self, node: ast.If, frame: Frame, watch: frozenset[str] | None, reason: str
    ) -> Flow | None:
        other = Frame(
            frame.module,
            dict(frame.names),
            frame.function,
            frame.cls,
            frame.calls,
            frame.tracking,
        )
        first = self._perhaps(node.body, frame, watch)
        second = self._perhaps(node.orelse, other, watch)
        if first is not None and first.kind == "raise" and second is None:
            frame.names = other.names
            return None
        if second is not None and second.kind == "raise" and first is None:
            return None
        frame.names = pyvalues.merged(frame.names, other.names, reason)
        if first is None and second is None:
            return None
        if first and second and first.kind == second.kind == "return":
            return Flow("return", pyvalues.either(first.value, second.value, reason))
        return Flow("return", Unknown(reason))

    def _perhaps(
        self, body: Sequence[ast.stmt], frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        try:
            return self.run(body, frame, watch)
        except WouldRaise as error:
            return Flow("raise", raised=error)

    def _run_try(self, node: ast.Try, frame: Frame, watch: frozenset[str] | None) -> Flow | None:
        flow = self._perhaps(node.body, frame, watch)
        if flow is None:
            flow = self.run(node.orelse, frame, watch)
        elif flow.kind == "raise":
            handler = self._handler(node, flow.raised)
            if handler is None:
                self.run(node.finalbody, frame, watch)
                if flow.raised is not None:
                    raise flow.raised
                return flow
            flow = self.run(handler.body, frame, watch)
        final = self.run(node.finalbody, frame, watch)
        return final or flow

    def _handler(self, node: ast.Try, raised: WouldRaise | None) -> ast.ExceptHandler | None:
        for handler in node.handlers:
            names = (raised.exception, *raised.bases) if raised else ("Exception",)
            if any(catches(handler, name) for name in names):
                return handler
        return None

    def _run_with(self, node: ast.With, frame: Frame, watch: frozenset[str] | None) -> Flow | None:
        for item in node.items:
            if item.optional_vars is not None:
                self.bind(item.optional_vars, self._entered(item.context_expr, frame), frame)
        return self.run(node.body, frame, watch)

    _run_asyncwith = _run_with

    def _entered(self, node: ast.expr, frame: Frame) -> Value[object]:
        """What `with` gives: mostly the object itself, if it is one of a library."""
        value = self.evaluate(node, frame)
        if isinstance(value, Known) and isinstance(value.value, (Instance, FunctionRef)):
            return Unknown("it comes from a `with`", value.origins)
        return value

    def _run_for(self, node: ast.For, frame: Frame, watch: frozenset[str] | None) -> Flow | None:
        source = self.evaluate(node.iter, frame)
        items = pyvalues.items_of(source)
        if items is None or len(items) > MAX_ITEMS:
            return self._forget(node, frame)
        for item in items:
            self.bind(node.target, item, frame)
            flow = self.run(node.body, frame, watch)
            if flow is not None and flow.kind == "break":
                return None
            if flow is not None and flow.kind != "continue":
                return flow
        return self.run(node.orelse, frame, watch)

    def _run_while(
        self, node: ast.While, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        return self._forget(node, frame)

    def _forget(self, node: ast.stmt, frame: Frame) -> Flow | None:
        for name in pyvalues.touched_names(node):
            frame.names[name] = Unknown(f"`{name}` is changed in a loop")
        if any(isinstance(inner, (ast.Return, ast.Raise)) for inner in ast.walk(node)):
            return Flow("return", Unknown("it depends on a loop"))
        return None


def catches(handler: ast.ExceptHandler, exception: str) -> bool:
    """Whether an `except` clause catches an exception of this (qualified) name."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {getattr(kind, "attr", None) or getattr(kind, "id", "") for kind in kinds}
    if "BaseException" in names or (names & {"Exception"} and exception != "SystemExit"):
        return True
    last = exception.rpartition(".")[2]
    return bool(names & (_CATCHES.get(last, set()) | {last}))


def _note_condition(
    before: Mapping[str, Value[object]], frame: Frame, origins: tuple[Origin, ...]
) -> None:
    for name, value in frame.names.items():
        if before.get(name) is not value:
            frame.names[name] = pyvalues.adding(value, origins)
