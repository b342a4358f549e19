"""Follows a Python program from its first line to the call that makes it listen.

The statements are gone through as Python would run them, with values from `evaluate`: functions
of the image are followed across modules, conditions are decided where their value is known.
Nothing is run. What a called program would do is asked of `Starter`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from hfcheck.source import Place
from hfcheck.space.code.evaluate import Evaluator, FunctionRef, Instance
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import Python
from hfcheck.space.code.values import WouldRaise, items_of, touched_names
from hfcheck.space.launch import clickapps
from hfcheck.space.launch.following import Blocked, Program, Returned, Starter, last_name
from hfcheck.space.launch.loading import DEEPEST, STARTING, Loading, is_main
from hfcheck.space.launch.memory import CONDITION, Changes, fits
from hfcheck.space.launch.process import Listener, Stopped, running
from hfcheck.space.launch.servecalls import address_of, table
from hfcheck.space.shell.host import Blocks, CommandResult, Returns, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value

_MOST_CALLS = 4000

_TASKS = frozenset(
    {"asyncio.gather", "asyncio.create_task", "asyncio.ensure_future", "asyncio.wait"}
)
_LOADERS = {
    "dotenv.load_dotenv": False,
    "dotenv.main.load_dotenv": False,
    "environs.Env.read_env": False,
    "environs.env.read_env": False,
    "environ.Env.read_env": False,
    "environ.FileAwareEnv.read_env": False,
}
"""Functions that load a file of variables, and whether they override those that are set."""

_SETATTR = frozenset({"setattr", "object.__setattr__"})
_DISPATCHERS = frozenset({"fire.Fire", "fire.core.Fire", "defopt.run", "tyro.cli", "clize.run",
                          "plac.call", "cyclopts.run", "invoke.run", "begin.start"})  # fmt: skip
"""Functions that call what the command line names."""

_MOST_ROUNDS = 60
_WAITS = frozenset({"run_forever", "join"})
_GUNICORN = frozenset(
    {
        "gunicorn.app.base.BaseApplication",
        "gunicorn.app.base.Application",
        "gunicorn.app.wsgiapp.WSGIApplication",
    }
)
_DJANGO = "django.core.management.execute_from_command_line"


def follow(
    program: Program,
    python: Python,
    env: Mapping[str, Value[str]],
    starter: Starter,
    prepare: Callable[[Evaluator], None],
) -> CommandResult | Stopped:
    """What becomes of a Python program. Never raises.

    `prepare` is given every evaluator that is made, before its first use.
    """
    return _Follower(program, python, env, starter, prepare).outcome()


class _Follower(Loading):
    """Statements, functions and conditions of one program."""

    # The whole program

    def outcome(self) -> CommandResult | Stopped:
        result: CommandResult | Stopped
        try:
            frame = Frame(self.program.module)
            self.body(self.program.module.tree.body, frame)
            if self.program.function is not None:
                self.enter(FunctionRef(self.program.module, self.program.function), [], {}, frame)
            result = self._ended()
        except Blocked as blocked:
            result = self._with_beside(blocked.result)
        except Returned:
            result = self._ended()
        except RecursionError:
            result = Unclear("the program is nested too deeply to be followed")
        return self._settled(result)

    def _ended(self) -> CommandResult:
        if self.beside:
            return Blocks(tuple(self.beside))
        if self.strange is not None and not self.maybe:
            return Unclear(self.strange.note, (self.strange,))
        return Returns(None)

    def _with_beside(self, result: CommandResult | Stopped) -> CommandResult | Stopped:
        if isinstance(result, Blocks):
            return Blocks((*self.beside, *result.running))
        return result

    def _settled(self, result: CommandResult | Stopped) -> CommandResult | Stopped:
        """One result of all the ways that unknown conditions leave open: what listens on all
        ways on which anything does.
        """
        listening = [
            way for way in (*self.maybe, result) if isinstance(way, Blocks) and _listens(way)
        ]
        if not self.maybe or (isinstance(result, Unclear) and not listening):
            return result
        if not listening:
            return self.maybe[0] if isinstance(result, Returns) else result
        first = listening[0]
        if all(_same_address(first, way) for way in listening):
            return first
        place = first.running[-1].place
        return Unclear(
            "it depends on a condition that is not known", (Origin(place, "one of several"),)
        )

    # Statements

    def body(self, statements: Sequence[ast.stmt], frame: Frame) -> None:
        for statement in statements:
            self.statement(statement, frame)

    def statement(self, node: ast.stmt, frame: Frame) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._bind(node, frame)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self.load(node, frame)
        elif isinstance(node, ast.If):
            self.condition(node, frame)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self.attempt(node, frame)
        elif isinstance(node, (ast.While, ast.For, ast.AsyncFor)):
            self.loop(node, frame)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self.expression(item.context_expr, frame)
                if item.optional_vars is not None:
                    self.assign(item.optional_vars, item.context_expr, frame)
            self.body(node.body, frame)
        elif isinstance(node, ast.Match):
            self.match(node, frame)
        elif isinstance(node, ast.Return):
            if node.value is not None:
                self.expression(node.value, frame)
            raise Returned
        elif isinstance(node, ast.Raise):
            if node.exc is not None:
                self.expression(node.exc, frame)
            raise Blocked(Returns(1))
        else:
            self.simple(node, frame)

    def simple(self, node: ast.stmt, frame: Frame) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child, frame)
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self.assign(target, node.value, frame)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(node.target, node.value, frame)
        elif isinstance(node, ast.AugAssign):
            self.change(node, frame)
        elif isinstance(node, ast.Delete):
            self.delete(node, frame)
        elif not (isinstance(node, ast.Expr) and self.mutate(node.value, frame)):
            self._bind(node, frame)

    def _bind(self, node: ast.stmt, frame: Frame) -> None:
        if frame.function is None:
            return
        try:
            self.evaluator.run([node], frame, None)
        except WouldRaise:
            return

    def condition(self, node: ast.If, frame: Frame) -> None:
        self.expression(node.test, frame)
        main = is_main(node.test)
        holds = main and frame.module.name == "__main__" if main is not None else None
        if main is None:
            holds = self._truth(node.test, frame)
        if holds is None:
            self.ways([node.body, node.orelse], frame)
            return
        chosen, other = (node.body, node.orelse) if holds else (node.orelse, node.body)
        if main is None and _gives_up(chosen) and self._only_stops(chosen, frame):
            # A guard that stops for want of a setting: the Space is judged as it runs with it.
            chosen = other
        self.body(chosen, frame)

    def _only_stops(self, body: Sequence[ast.stmt], frame: Frame) -> bool:
        """Whether a body that ends in an exit starts nothing that goes on before."""
        before = self.evaluator.changes()
        try:
            self.body(body, _copy(frame))
        except Blocked as blocked:
            return not isinstance(blocked.result, (Blocks, Unclear))
        except Returned:
            return False
        finally:
            self.evaluator.restore(before)
        return False

    def match(self, node: ast.Match, frame: Frame) -> None:
        """`match`, case by case as long as it is known which fits."""
        self.expression(node.subject, frame)
        subject = self.value(node.subject, frame)
        for index, case in enumerate(node.cases):
            holds = fits(case, subject)
            if holds:
                self.body(case.body, frame)
                return
            if holds is None:
                rest = [other.body for other in node.cases[index:]]
                self.ways(rest if _takes_all(node.cases[-1]) else [*rest, []], frame)
                return

    def ways(self, bodies: Sequence[Sequence[ast.stmt]], frame: Frame) -> None:
        """Several bodies of which one runs, nobody knows which."""
        before = self.evaluator.changes()
        states: list[Changes] = []
        ended: list[Blocked | Returned] = []
        for body in bodies:
            self.evaluator.restore(before)
            if body and _gives_up(body) and self._only_stops(body, frame):
                continue
            try:
                self.body(body, _copy(frame))
                states.append(self.evaluator.changes())
            except (Blocked, Returned) as way:
                ended.append(way)
        if states:
            self.evaluator.join(states)
        for name in _names_bound(bodies) if frame.function is not None else ():
            frame.names[name] = Unknown(CONDITION)
        blocked = [way.result for way in ended if isinstance(way, Blocked)]
        self.maybe.extend(blocked)
        if ended and not states:
            if any(isinstance(way, Returned) for way in ended):
                raise Returned
            self.maybe.remove(blocked[-1])
            raise Blocked(blocked[-1])

    def attempt(self, node: ast.Try | ast.TryStar, frame: Frame) -> None:
        self.body(node.body, frame)
        self.body(node.orelse, frame)
        self.body(node.finalbody, frame)

    def loop(self, node: ast.While | ast.For | ast.AsyncFor, frame: Frame) -> None:
        endless = False
        if isinstance(node, ast.While):
            self.expression(node.test, frame)
            holds = self._truth(node.test, frame)
            if holds is False:
                return
            endless = holds is True and not any(
                isinstance(inner, (ast.Break, ast.Return)) for inner in ast.walk(node)
            )
        else:
            self.expression(node.iter, frame)
            items = items_of(self.value(node.iter, frame))
            inner = frame if frame.function is not None else _copy(frame)
            if items is not None and len(items) <= _MOST_ROUNDS and _only_sets(node.body):
                for item in items:
                    self.evaluator.bind(node.target, item, inner)
                    self.body(node.body, inner)
                self.body(node.orelse, frame)
                return
            self.evaluator.bind(node.target, Unknown("it is one of several items"), inner)
            frame = inner
        self.body(node.body, frame)
        if endless:
            raise Blocked(Blocks())
        self.body(node.orelse, frame)

    # Expressions

    def expression(self, node: ast.expr, frame: Frame) -> None:
        """Follow the calls of an expression, inner ones first."""
        for call in _calls(node):
            self.calls += 1
            if self.calls > _MOST_CALLS:
                raise Blocked(Unclear("the program is too long to be followed"))
            self.call(call, frame)

    def call(self, node: ast.Call, frame: Frame) -> None:
        last = last_name(node.func)
        if last in ("Config", "Granian", "listen", "make_server"):
            self.made[id(node)] = self._given((), node, frame)
        name = self._name(node.func, frame)
        if name in _TASKS:
            return
        if name in _SETATTR:
            self.set_attribute(node, frame)
            return
        if self.parsers.call(node, name, frame, self.evaluator):
            if last in ("error", "exit"):
                raise Blocked(Returns(2))
            return
        if name is not None and self._library(name, node, frame):
            return
        if name is not None and name.startswith("sys.path."):
            self._path_call(name, node, frame)
            return
        if name is not None and name.startswith(("os.environ", "os.putenv", "os.unsetenv")):
            self._environ_call(name, node, frame)
            return
        if name in _LOADERS:
            self.load_env_file(node, frame, override=_LOADERS[name])
            return
        self._image_function(name, node, frame)

    def _library(self, name: str, node: ast.Call, frame: Frame) -> bool:
        rows = table()
        row = rows.calls.get(name)
        if row is not None:
            self.serve(row, node, frame)
            return True
        program = rows.programs.get(name)
        if program is not None:
            self.start(name, node, frame)
            return True
        if name in rows.beside:
            self.run_beside(node, frame)
            return True
        base, _, method = name.rpartition(".")
        if base in _GUNICORN and method == "run":
            self.embedded(node, frame)
            return True
        if name in rows.keeps or (method in _WAITS and self.beside):
            raise Blocked(Blocks())
        if name == _DJANGO:
            place = frame.module.place(node.func)
            raise Blocked(self.starter.django(self.program.arguments, self._started(place), place))
        if name in ("sys.exit", "exit", "quit", "os._exit"):
            raise Blocked(Returns(None))
        return False

    def _image_function(self, name: str | None, node: ast.Call, frame: Frame) -> None:
        if self.command(name, node, frame):
            return
        value = self.value(node.func, frame)
        if isinstance(value, Known) and isinstance(value.value, FunctionRef):
            reference = value.value
            positional, keywords = self._safe_arguments(node, frame)
            self.enter(reference, positional, keywords, frame, node)
            return
        self._note_strange(name, node, frame)

    def command(self, name: str | None, node: ast.Call, frame: Frame) -> bool:
        """A call of a click or typer application: the command that the words choose."""
        found = clickapps.started(node, name, frame, self.evaluator, self.program.arguments)
        if found is None:
            return False
        if isinstance(found, Unknown):
            self._strange(frame.module.place(node.func), found.reason)
            return True
        for each in found:
            self.enter(each.function, [], each.names, frame, node)
        return True

    def _strange(self, place: Place, reason: str) -> None:
        self.noise += 1
        self.strange = Origin(place, reason)

    def _safe_arguments(
        self, node: ast.Call, frame: Frame
    ) -> tuple[list[Value[object]], dict[str, Value[object]]]:
        try:
            return self.evaluator.arguments(node, frame)
        except (WouldRaise, RecursionError):
            return [], {}

    def enter(
        self,
        ref: FunctionRef,
        positional: list[Value[object]],
        keywords: dict[str, Value[object]],
        frame: Frame,
        node: ast.Call | None = None,
    ) -> None:
        """Follow a function of the image."""
        key = id(ref.node)
        if key in self.quiet or key in self.stack or len(self.stack) >= DEEPEST:
            return
        names = self.evaluator.bound_arguments(ref, positional, keywords)
        noise = self.noise, self.evaluator.writes
        inner = Frame(ref.module, dict(names), ref.node, None, frame.calls + 1)
        self.stack.append(key)
        if node is not None:
            place = frame.module.place(node.func)
            self.steps.append(Origin(place, f"calls {ref.node.name}()"))
        try:
            self.body(ref.node.body, inner)
        except Returned:
            pass
        finally:
            self.stack.pop()
        if node is not None:
            self.steps.pop()
            self.give_back(ref, node, names, inner, frame)
        if noise == (self.noise, self.evaluator.writes):
            self.quiet.add(key)

    def _note_strange(self, name: str | None, node: ast.Call, frame: Frame) -> None:
        last = last_name(node.func)
        if not last or self._of_arguments(node.func, frame) or name in _DISPATCHERS:
            self._strange(frame.module.place(node.func), "what is called here is not known")
            return
        if last not in STARTING:
            return
        self.noise += 1
        args = self._given((), node, frame)
        host, port = args.by_name.get("host"), args.by_name.get("port")
        place = frame.module.place(node.func)
        if host is not None and port is not None and isinstance(node.func, ast.Attribute):
            row = replace(table().calls["litserve.LitServer.run"], server=f"{place.text}()")
            address = address_of(row, args, {}, place)
            if not isinstance(address, Stopped):
                raise Blocked(Blocks((running(self._listener(row.server, *address, place, None)),)))
        if name is None or not _is_stdlib(name):
            self.strange = Origin(place, f"what `{place.text}()` does is not in the table")

    def _of_arguments(self, func: ast.expr, frame: Frame) -> bool:
        """`args.func(...)`: a function that the command line chooses."""
        if not isinstance(func, ast.Attribute):
            return False
        owner = self.value(func.value, frame)
        thing = owner.value if isinstance(owner, Known) else None
        return isinstance(thing, Instance) and id(thing.call) in self.parsers.spaces


def _same_address(first: Blocks, second: Blocks) -> bool:
    def address(way: Blocks) -> list[object]:
        found: list[object] = []
        for each in way.running:
            listener = each.what
            if isinstance(listener, Listener):
                host, port = listener.host, listener.port
                found.append(
                    (getattr(host, "value", host.origins), getattr(port, "value", port.origins))
                )
        return found

    return address(first) == address(second)


def _listens(way: Blocks) -> bool:
    return any(isinstance(each.what, Listener) for each in way.running)


def _copy(frame: Frame) -> Frame:
    return Frame(
        frame.module, dict(frame.names), frame.function, frame.cls, frame.calls, frame.tracking
    )


def _takes_all(case: ast.match_case) -> bool:
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and not case.pattern.pattern


def _only_sets(body: Sequence[ast.stmt]) -> bool:
    """Whether the body of a loop sets things and starts nothing: each round can be followed."""
    wanted = table().last_names | STARTING
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, (ast.Break, ast.Continue, ast.Return, ast.For, ast.While)):
                return False
            if isinstance(node, ast.Call) and last_name(node.func) in wanted:
                return False
    return True


def _gives_up(body: Sequence[ast.stmt]) -> bool:
    """Whether a body ends the program with an error: `raise`, `sys.exit(1)`."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.Raise):
        return True
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        name = ast.unparse(last.value.func) if not isinstance(last.value.func, ast.Call) else ""
        return name in ("sys.exit", "exit", "quit", "os._exit")
    return False


def _calls(node: ast.expr) -> Iterator[ast.Call]:
    """The calls that evaluating an expression makes, inner ones first."""
    found: list[ast.Call] = []
    stack: list[ast.AST] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Lambda):
            continue
        if isinstance(current, ast.Call):
            found.append(current)
        stack.extend(ast.iter_child_nodes(current))
    return reversed(found)


def _names_bound(bodies: Sequence[Sequence[ast.stmt]]) -> set[str]:
    return {name for body in bodies for node in body for name in touched_names(node)}


def _is_stdlib(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names
