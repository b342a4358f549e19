"""What a Python program does at the same time: threads, processes, tasks of an event loop."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace

from hfcheck.space.code.evaluate import FunctionRef, ObjectOf
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.values import items_of, truth
from hfcheck.space.launch.following import Blocked, Returned, last_name
from hfcheck.space.launch.process import companion
from hfcheck.space.launch.servecalls import table
from hfcheck.space.launch.starting import Starting
from hfcheck.space.shell.host import Blocks, Running, Unclear
from hfcheck.space.value import Known, Value

TOGETHER = frozenset({"asyncio.gather", "asyncio.wait", "asyncio.as_completed"})
"""Functions that go on when all of what they are given has ended."""

TASKS = TOGETHER | {"asyncio.create_task", "asyncio.ensure_future", "asyncio.shield"}
"""Functions that run coroutines at the same time as the caller."""

_MAKES_TASK = frozenset({"create_task", "start_soon"})
_IN_THREAD = {"asyncio.to_thread": 0, "anyio.to_thread.run_sync": 0,
              "starlette.concurrency.run_in_threadpool": 0}  # fmt: skip
_SUBMITS = {"submit": 0, "run_in_executor": 1}
"""Methods that call a function in a thread, and which of their arguments it is."""

_GROUPS = frozenset({"asyncio.TaskGroup", "anyio.create_task_group", "trio.open_nursery"})


class Concurrent(Starting):
    """Follows what runs beside the caller."""

    def is_task(self, node: ast.Call, frame: Frame) -> bool:
        """Whether a call starts the coroutines among its arguments beside the caller."""
        if isinstance(node.func, ast.Attribute) and node.func.attr in _MAKES_TASK:
            return True
        return self._name(node.func, frame) in TASKS

    def start_tasks(self, node: ast.Call, name: str | None, frame: Frame) -> None:
        """`asyncio.gather(a(), b())`, `asyncio.create_task(a())`."""
        found: list[Running] = []
        endless = False
        arguments = node.args
        if last_name(node.func) == "start_soon" and arguments:  # takes a function
            arguments = [self._made_call(arguments[0], arguments[1:], [])]
        for argument in arguments:
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            running = self._aside(lambda inner=inner: self.expression(inner, frame))  # type: ignore[misc]
            endless = endless or running is not None or self._is_endless(inner, frame)
            found.extend(running or ())
        if name in TOGETHER and endless:
            raise Blocked(Blocks(tuple(found)))
        self._goes_on(node, found, endless)
        self.daemons.extend(found)

    def in_thread(self, node: ast.Call, name: str | None, frame: Frame) -> bool:
        """`asyncio.to_thread(f)`, `pool.submit(f)`; False for any other call."""
        index = _IN_THREAD.get(name or "")
        if index is None and isinstance(node.func, ast.Attribute):
            index = _SUBMITS.get(node.func.attr)
        if index is None or len(node.args) <= index:
            return False
        function = node.args[index]
        value = self.value(function, frame)
        own = isinstance(value, Known) and isinstance(value.value, FunctionRef)
        if not own and last_name(function) not in table().last_names:
            return False
        made = self._made_call(function, node.args[index + 1 :], node.keywords)
        found = self._aside(lambda: self.call(made, frame))
        self._goes_on(node, found or (), found is not None)
        self.beside.extend(found or ())
        return True

    def wait(self, node: ast.expr, frame: Frame) -> None:
        """`await task`: of one that never ends nothing comes after it."""
        for each in ast.walk(node):
            if isinstance(each, ast.Await) and self._is_endless(each.value, frame):
                raise Blocked(Blocks())

    def leave(self, node: ast.With | ast.AsyncWith, frame: Frame) -> None:
        """`async with asyncio.TaskGroup()` ends when its tasks have."""
        calls = [item.context_expr for item in node.items]
        names = {self._name(each.func, frame) for each in calls if isinstance(each, ast.Call)}
        if names & _GROUPS and self.daemons:
            raise Blocked(Blocks())

    def run_beside(self, node: ast.Call, frame: Frame) -> None:
        """`Thread(target=f, args=(...))`: what `f` starts runs beside the rest."""
        args = self._given(("group", "target", "name", "args", "kwargs"), node, frame)
        target = args.by_name.get("target")
        found: list[Running] | None = None
        if isinstance(target, Known) and isinstance(target.value, FunctionRef):
            positional = _positional(args.by_name.get("args"))
            keywords = _by_name(args.by_name.get("kwargs"))
            reference = target.value
            found = self._aside(lambda: self.enter(reference, positional, keywords, frame))
        else:
            expression = _target(node)
            if isinstance(expression, ast.Lambda):
                body = expression.body
                found = self._aside(lambda: self.expression(body, frame))
            elif expression is not None:
                made = self._thread_call(expression, node)
                found = self._aside(lambda: self.call(made, frame))
        if truth(args.by_name.get("daemon", Known(False))):
            self.daemon_threads.add(id(node))
        self.threads[id(node)] = found or []
        self.beside.extend(found or ())

    def lasting(self) -> list[Running]:
        """What goes on when the program has run its last statement."""
        gone = [id(each) for call, found in self.threads.items() if self._is_daemon(call)
                for each in found]  # fmt: skip
        return [each for each in self.beside if id(each) not in gone]

    def _is_daemon(self, call: int) -> bool:
        later = self.evaluator.attributes.get((call, "daemon"))
        return truth(later) is True if later is not None else call in self.daemon_threads

    def _goes_on(self, node: ast.Call, found: Sequence[Running], endless: bool) -> None:
        if endless or found:
            self.endless.add(id(node))

    def _is_endless(self, node: ast.expr, frame: Frame) -> bool:
        if isinstance(node, ast.Call) or not self.endless:
            return id(node) in self.endless
        value = self.value(node, frame)
        return any(self._made_endless(each) for each in (value, *(items_of(value) or ())))

    def _made_endless(self, value: Value[object]) -> bool:
        thing = value.value if isinstance(value, Known) else None
        return isinstance(thing, ObjectOf) and id(thing.call) in self.endless

    def _thread_call(self, function: ast.expr, node: ast.Call) -> ast.Call:
        """`Thread(target=app.run, args=(...), kwargs={...})`: the call that the thread makes."""
        given = {k.arg: k.value for k in node.keywords}
        words = given.get("args")
        positional: list[ast.expr] = []
        if isinstance(words, (ast.Tuple, ast.List)):
            positional = list(words.elts)
        elif words is not None:
            positional = [ast.Starred(words, ast.Load())]
        keywords = [ast.keyword(None, given["kwargs"])] if "kwargs" in given else []
        return self._made_call(function, positional, keywords)

    def _made_call(
        self, function: ast.expr, positional: list[ast.expr], keywords: list[ast.keyword]
    ) -> ast.Call:
        """A call that is nowhere written. It is kept: calls are told apart by their identity."""
        made = ast.copy_location(ast.Call(function, positional, keywords), function)
        self.made_calls.append(made)
        return made

    def _aside(self, run: Callable[[], None]) -> list[Running] | None:
        """What keeps running of a call beside the others; None where the call ends."""
        try:
            run()
        except Blocked as blocked:
            if isinstance(blocked.result, Blocks):
                return [replace(each, foreground=False) for each in blocked.result.running]
            if isinstance(blocked.result, Unclear):
                return [companion(blocked.result, self.program.call)]
        except Returned:
            return None
        return None


def _positional(values: Value[object] | None) -> list[Value[object]]:
    known = isinstance(values, Known) and isinstance(values.value, (list, tuple))
    return list(values.value) if known and isinstance(values, Known) else []  # type: ignore[call-overload]


def _by_name(named: Value[object] | None) -> dict[str, Value[object]]:
    return dict(named.value) if isinstance(named, Known) and isinstance(named.value, dict) else {}


def _target(node: ast.Call) -> ast.expr | None:
    return next((k.value for k in node.keywords if k.arg == "target"), None)
