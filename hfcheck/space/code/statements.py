"""What statements do while modules are imported: assignments, conditions, loops, `try`, `match`,
with the names bound so far.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import NoReturn

from hfcheck.space.code import values as pyvalues
from hfcheck.space.code.expressions import Expressions
from hfcheck.space.code.names import (
    SOMETHING,
    UNKNOWN,
    Attempt,
    Bound,
    Names,
    Scope,
    Thing,
    joined,
    perhaps_also,
)
from hfcheck.space.code.python import FunctionNode
from hfcheck.space.code.raising import Ended, Raises, handler_of, names_of_builtin
from hfcheck.space.code.values import WouldRaise
from hfcheck.space.value import Known

_MAX_ROUNDS = 60


class Statements(Expressions):
    """Follows statements."""

    def run(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        """Go through statements. Raises `Raises` where they certainly raise, `Ended` where they
        end at `return`, `break` or `continue`.
        """
        for statement in body:
            method = getattr(self, f"_run_{type(statement).__name__.lower()}", None)
            if method is not None:
                method(statement, scope)
                continue
            for child in ast.iter_child_nodes(statement):
                if isinstance(child, ast.expr):
                    self.value(child, scope)

    def _run_functiondef(self, node: FunctionNode, scope: Scope) -> None:
        defaults = [part for part in node.args.kw_defaults if part is not None]
        for part in (*node.decorator_list, *node.args.defaults, *defaults):
            self.value(part, scope)
        scope.bind(node.name, Bound((Thing("value", scope.module, node),)))

    _run_asyncfunctiondef = _run_functiondef

    def _run_classdef(self, node: ast.ClassDef, scope: Scope) -> None:
        for part in (*node.decorator_list, *(k.value for k in node.keywords)):
            self.value(part, scope)
        names = Names()
        for base in reversed([self.value(base, scope) for base in node.bases]):
            for thing in base.things:
                node_above = thing.node if thing.kind == "value" else None
                above = (
                    self._members.get(node_above) if isinstance(node_above, ast.ClassDef) else None
                )
                if above is not None:
                    names.bound.update(above.bound)
                    names.others = names.others or above.others
                elif thing.name not in ("object", "abc.ABC"):
                    names.others = "a class above it is not known"
        self.run(node.body, Scope(scope.module, names, scope.top, sure=scope.sure))
        self._members[node] = names
        scope.bind(node.name, Bound((Thing("value", scope.module, node),)))

    def _run_assign(self, node: ast.Assign, scope: Scope) -> None:
        bound = self.checked(node.value, scope)
        for target in node.targets:
            self.assign(target, bound, node.value, scope)

    def _run_annassign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.assign(node.target, self.checked(node.value, scope), node.value, scope)

    def _run_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        self.checked(node.value, scope)
        if isinstance(node.target, ast.Name):
            made = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
            if node.target.id != "__all__":
                scope.bind(node.target.id, Bound((Thing("value", scope.module, made),)))
            else:
                scope.bind("__all__", SOMETHING)
        elif self._named(node.target, scope) == "sys.path":
            self.open_path = "the code changes the search path"

    def _run_typealias(self, node: ast.stmt, scope: Scope) -> None:
        name = getattr(node, "name", None)
        if isinstance(name, ast.Name):
            scope.bind(name.id, SOMETHING)

    def _run_expr(self, node: ast.Expr, scope: Scope) -> None:
        self.checked(node.value, scope)

    def _run_global(self, node: ast.Global, scope: Scope) -> None:
        if not scope.in_module:
            scope.declared.update(node.names)

    def _run_delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.unbind(target.id)
            elif isinstance(target, ast.Attribute):
                for names in self._owners(target.value, scope):
                    names.bound.pop(target.attr, None)
            elif isinstance(target, ast.Subscript):
                space = self._namespace(target.value, scope)
                key = _text(target.slice)
                if space is not None and key is not None:
                    space.bound.pop(key, None)

    def _run_return(self, node: ast.Return, scope: Scope) -> None:
        nothing = Bound((Thing("value", scope.module, ast.Constant(None)),))
        scope.returns.append(self.checked(node.value, scope) if node.value else nothing)
        raise Ended("return")

    def _run_break(self, node: ast.Break, scope: Scope) -> None:
        raise Ended("break")

    def _run_continue(self, node: ast.Continue, scope: Scope) -> None:
        raise Ended("continue")

    def _run_raise(self, node: ast.Raise, scope: Scope) -> None:
        if node.exc is None and scope.handling is not None:
            raise scope.handling
        target = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        names: tuple[str, ...] = ("Exception",)
        if target is not None:
            own = self.python.qualified(scope.module, target) or "Exception"
            bases = self.evaluator.exception_bases(scope.module, target)
            names = (own, *(each for name in (own, *bases) for each in names_of_builtin(name)))
        self.throw(names, node, scope, "it is raised")

    def _run_assert(self, node: ast.Assert, scope: Scope) -> None:
        self.value(node.test, scope)
        if self.truth(node.test, scope) is False:
            self.throw(("AssertionError",), node, scope, "the assertion fails")

    def throw(self, names: tuple[str, ...], node: ast.stmt, scope: Scope, note: str) -> NoReturn:
        """Raise what a statement raises."""
        raise Raises(names, scope.module.place(node), note)

    def _run_if(self, node: ast.If, scope: Scope) -> None:
        self.value(node.test, scope)
        holds = self.truth(node.test, scope)
        if holds is not None:
            self.run(node.body if holds else node.orelse, scope)
            return
        self._ways(
            [lambda: self.run(node.body, scope), lambda: self.run(node.orelse, scope)], scope
        )

    def _ways(self, bodies: Sequence[Callable[[], None]], scope: Scope) -> None:
        """Go several ways of which one is taken, nobody knows which."""
        before, sure = scope.mark(), scope.sure
        open_ways: list[tuple[Names, Names]] = []
        ended: list[tuple[Ended, tuple[Names, Names]]] = []
        raised: list[Raises] = []
        scope.sure = False
        for body in bodies:
            scope.restore(before)
            try:
                body()
                open_ways.append(scope.mark())
            except Ended as end:
                ended.append((end, scope.mark()))
            except Raises as error:
                raised.append(error)
        scope.sure = sure
        if not open_ways and not ended:
            raise raised[0]
        marks = [*open_ways, *(mark for _, mark in ended)]
        scope.restore((joined([m[0] for m in marks]), joined([m[1] for m in marks])))
        if not open_ways:
            raise ended[0][0]

    def _run_for(self, node: ast.For, scope: Scope) -> None:
        bound = self.checked(node.iter, scope)
        items = self._items(node.iter, bound, scope)
        if items is None:
            self._ways([lambda: self._round(node, SOMETHING, scope), lambda: None], scope)
            self.run(node.orelse, scope)
            return
        for item in items:
            try:
                self.assign(node.target, item, None, scope)
                self.run(node.body, scope)
            except Ended as end:
                if end.kind == "break":
                    return
                if end.kind == "return":
                    raise
        self.run(node.orelse, scope)

    _run_asyncfor = _run_for

    def _round(self, node: ast.For | ast.While, item: Bound, scope: Scope) -> None:
        """One round of a loop of which nothing is known."""
        if isinstance(node, ast.For):
            self.assign(node.target, item, None, scope)
        try:
            self.run(node.body, scope)
        except Ended as end:
            if end.kind == "return":
                raise

    def _items(self, node: ast.expr, bound: Bound, scope: Scope) -> list[Bound] | None:
        """The items of a loop, as far as they are written there; None where they are not known."""
        thing = bound.things[0] if len(bound.things) == 1 and bound.sure else None
        written = thing.node if thing is not None and thing.kind == "value" else node
        if isinstance(written, (ast.List, ast.Tuple, ast.Set)):
            if any(isinstance(item, ast.Starred) for item in written.elts):
                return None
            if len(written.elts) <= _MAX_ROUNDS:
                return [self.value(item, scope) for item in written.elts]
        try:
            value = self.evaluator.evaluate(node, self._frame(node, scope))
        except WouldRaise:
            return None
        items = pyvalues.items_of(value)
        if items is None or len(items) > _MAX_ROUNDS:
            return None
        return [
            Bound((Thing("value", scope.module, ast.Constant(item.value)),))
            if isinstance(item, Known) and isinstance(item.value, (str, int, float))
            else SOMETHING
            for item in items
        ]

    def _run_while(self, node: ast.While, scope: Scope) -> None:
        self.value(node.test, scope)
        holds = self.truth(node.test, scope)
        if holds:
            self._round(node, SOMETHING, scope)
        elif holds is None:
            self._ways([lambda: self._round(node, SOMETHING, scope), lambda: None], scope)
        else:
            self.run(node.orelse, scope)

    def _run_with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        caught: list[ast.ExceptHandler] = []
        for item in node.items:
            given = self.checked(item.context_expr, scope)
            call = item.context_expr
            if (
                isinstance(call, ast.Call)
                and self._named(call.func, scope) == "contextlib.suppress"
            ):
                kinds = ast.Tuple(list(call.args), ast.Load())
                caught.append(ast.ExceptHandler(kinds, None, [ast.Pass()]))
            if item.optional_vars is not None:
                made = [thing for thing in given.things if thing.kind == "made"]
                self.assign(item.optional_vars, Bound((*made, UNKNOWN)), None, scope)
        if caught:
            self._run_try(ast.Try(node.body, caught, [], []), scope)
        else:
            self.run(node.body, scope)

    _run_asyncwith = _run_with

    def _run_match(self, node: ast.Match, scope: Scope) -> None:
        self.value(node.subject, scope)
        rest: list[Callable[[], None]] = []
        open_end = True
        for case in node.cases:
            fits = self._fits(node.subject, case, scope)
            if fits is False:
                continue
            rest.append(lambda case=case: self._case(case, scope))  # type: ignore[misc]
            if fits:
                open_end = False
                break
        if open_end:
            rest.append(lambda: None)
        if len(rest) == 1:
            rest[0]()
        else:
            self._ways(rest, scope)

    def _fits(self, subject: ast.expr, case: ast.match_case, scope: Scope) -> bool | None:
        pattern = case.pattern
        fits: bool | None = None
        if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
            fits = True
        elif isinstance(pattern, (ast.MatchValue, ast.MatchSingleton)):
            value = pattern.value
            other = value if isinstance(value, ast.expr) else ast.Constant(value)
            test = ast.Compare(subject, [ast.Eq()], [other])
            fits = self.truth(ast.copy_location(test, subject), scope)
        if case.guard is not None and fits is not False:
            guard = self.truth(case.guard, scope)
            return guard if fits else (False if guard is False else None)
        return fits

    def _case(self, case: ast.match_case, scope: Scope) -> None:
        for node in ast.walk(case.pattern):
            name = getattr(node, "name", None) or getattr(node, "rest", None)
            if isinstance(name, str):
                scope.bind(name, SOMETHING)
        self.run(case.body, scope)

    def _run_try(self, node: ast.Try | ast.TryStar, scope: Scope) -> None:
        before = scope.mark()
        attempt = Attempt(node, scope)
        self._attempts.append(attempt)
        try:
            self._try_body(node, attempt, scope)
            if scope.expected:
                self._handlers(node, before, attempt.doubts, scope)
        finally:
            self.run(node.finalbody, scope)

    _run_trystar = _run_try

    def _try_body(self, node: ast.Try | ast.TryStar, attempt: Attempt, scope: Scope) -> None:
        try:
            self.run(node.body, scope)
        except Raises as error:
            handler = handler_of(node, error.names)
            if handler is None:
                raise
            self._attempts.remove(attempt)
            self._handle(handler, error, scope)
            return
        finally:
            if attempt in self._attempts:
                self._attempts.remove(attempt)
        self.run(node.orelse, scope)

    def _handlers(
        self,
        node: ast.Try | ast.TryStar,
        before: tuple[Names, Names],
        doubts: list[tuple[Names, Names]],
        scope: Scope,
    ) -> None:
        """What the handlers of a `try` add, whose body may still raise."""
        after, sure = scope.mark(), scope.sure
        scope.sure = False
        ways = [after]
        error = Raises(names_of_builtin("ModuleNotFoundError"), scope.module.source.place(), "")
        expecting = handler_of(node, error.names) if doubts else None
        for doubt in doubts[:3]:
            if expecting is not None and self._tried(expecting, error, doubt, scope):
                ways.append(scope.mark())
        scope.expected = False
        others: list[tuple[Names, Names]] = []
        for handler in node.handlers:
            if handler is not expecting and self._tried(handler, error, before, scope):
                others.append(scope.mark())
        scope.expected, scope.sure = True, sure
        names, top = joined([way[0] for way in ways]), joined([way[1] for way in ways])
        for other in others:
            names, top = perhaps_also(names, other[0]), perhaps_also(top, other[1])
        scope.restore((names, top))

    def _tried(
        self, handler: ast.ExceptHandler, error: Raises, mark: tuple[Names, Names], scope: Scope
    ) -> bool:
        """Whether a handler goes through; the scope then holds what it leaves."""
        scope.restore(mark)
        try:
            self._handle(handler, error, scope)
        except (Raises, Ended):
            return False
        return True

    def _handle(self, handler: ast.ExceptHandler, error: Raises, scope: Scope) -> None:
        outer, scope.handling = scope.handling, error
        if handler.name:
            scope.bind(handler.name, SOMETHING)
        try:
            self.run(handler.body, scope)
        finally:
            scope.handling = outer
            if handler.name:
                scope.unbind(handler.name)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
