"""Follows a Python program from its first line to the call that makes it listen.

The statements are gone through as Python would run them, with values from `evaluate`: functions
of the image are followed across modules, conditions are decided where their value is known.
Nothing is run. What a called program would do is asked of `Starter`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hfcheck.source import Place
from hfcheck.space.code import nameerrors
from hfcheck.space.code.calls import calls
from hfcheck.space.code.evaluate import ClassRef, Evaluator, FunctionRef, Instance, ObjectOf
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import Python
from hfcheck.space.code.values import WouldRaise, items_of, touched_names
from hfcheck.space.launch import appconfig, clickapps, datafiles
from hfcheck.space.launch.commandline import Refused
from hfcheck.space.launch.following import Blocked, Program, Returned, Starter, last_name
from hfcheck.space.launch.loading import DEEPEST, STARTING, Loading, is_main
from hfcheck.space.launch.memory import CONDITION, Changes, fits
from hfcheck.space.launch.process import Listener, Stopped, running
from hfcheck.space.launch.servecalls import RUNPY, address_of, table
from hfcheck.space.launch.starting import DJANGO_ARGV, DJANGO_CALL
from hfcheck.space.shell.host import Blocks, CommandResult, Returns, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value

_MOST_CALLS = 4000

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

_MAKERS = frozenset({"Config", "Server", "from_mapping", "Granian", "listen", "make_server"})
"""Last names of calls whose arguments count when what they make is used."""

_MOST_ROUNDS = 60
_WAITS = frozenset({"run_forever", "join", "result"})
_GUNICORN = frozenset(
    {
        "gunicorn.app.base.BaseApplication",
        "gunicorn.app.base.Application",
        "gunicorn.app.wsgiapp.WSGIApplication",
    }
)

_CALLING = frozenset({"anyio.run", "trio.run"})
"""Functions that call what they are given."""


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
            result = blocked.result if blocked.whole else self._with_beside(blocked.result)
        except Returned:
            result = self._ended()
        except RecursionError:
            result = Unclear("the program is nested too deeply to be followed")
        return self._settled(result)

    def _ended(self) -> CommandResult:
        lasting = self.lasting()
        if lasting:
            return Blocks((*self.daemons, *lasting))
        if self.strange is not None and not self.maybe:
            return Unclear(self.strange.note, (self.strange,))
        return Returns(None)

    def _with_beside(self, result: CommandResult | Stopped) -> CommandResult | Stopped:
        if isinstance(result, Blocks):
            return Blocks((*self.daemons, *self.beside, *result.running))
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
            other = self.maybe[0]
            if isinstance(result, Returns):
                return Returns(None) if isinstance(other, Returns) else other
            return result
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
            self.leave(node, frame)
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
        guard = any(getattr(part, "id", "") == "__name__" for part in ast.walk(node.test))
        self.guarded += guard
        try:
            self.body(chosen, frame)
        finally:
            self.guarded -= guard

    def _only_stops(self, body: Sequence[ast.stmt], frame: Frame) -> bool:
        """Whether a body that ends in an exit starts nothing that goes on before."""
        before, strange, beside = self.evaluator.changes(), self.strange, self.beside
        self.strange, self.beside = None, []
        try:
            self.body(body, _copy(frame))
        except Blocked as blocked:
            return not isinstance(blocked.result, (Blocks, Unclear))
        except Returned:
            return False
        finally:
            self.evaluator.restore(before)
            self.strange, self.beside = strange, beside
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
        self.trying += bool(node.handlers)
        try:
            self.body(node.body, frame)
        finally:
            self.trying -= bool(node.handlers)
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
            tested = {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}
            endless = endless and not tested & _names_bound([node.body])
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
        if any(isinstance(inner, ast.Break) for inner in ast.walk(node)):
            self.ways([node.orelse, []], frame)
        else:
            self.body(node.orelse, frame)

    # Expressions

    def expression(self, node: ast.expr, frame: Frame) -> None:
        """Follow the calls of an expression, inner ones first."""
        for call in calls(node, lambda call: self.is_task(call, frame)):
            self.calls += 1
            if self.calls > _MOST_CALLS:
                raise Blocked(Unclear("the program is too long to be followed"))
            self.call(call, frame)
        if self.endless:
            self.wait(node, frame)

    def call(self, node: ast.Call, frame: Frame) -> None:
        last = last_name(node.func)
        if last in _MAKERS:
            self.made[id(node)] = self._given((), node, frame)
        name = self._name(node.func, frame)
        inner = self._handed_on(node, name, frame)
        if inner is not None:
            self.call(inner, frame)
            return
        if self.is_task(node, frame):
            self.start_tasks(node, name, frame)
            return
        if self.in_thread(node, name, frame):
            return
        if name in _SETATTR:
            self.set_attribute(node, frame)
            return
        if self.parse(node, name, frame) or appconfig.fill(self.evaluator, node, frame):
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

    def _handed_on(self, node: ast.Call, name: str | None, frame: Frame) -> ast.Call | None:
        """The call that a call stands for: `anyio.run(main)`, or one of a `functools.partial`."""
        if name in _CALLING and node.args:
            return self._made_call(node.args[0], node.args[1:], [])
        if name is not None and name in table().calls:
            return None
        value = self.value(node.func, frame)
        thing = value.value if isinstance(value, Known) else None
        made = thing.call if isinstance(thing, ObjectOf) else None
        if made is None or not made.args or not isinstance(thing, ObjectOf):
            return None
        if thing.qualified != "functools.partial" or thing.module is not frame.module:
            return None
        given = {keyword.arg for keyword in node.keywords}
        keywords = [keyword for keyword in made.keywords if keyword.arg not in given]
        positional, named = [*made.args[1:], *node.args], [*keywords, *node.keywords]
        return self._made_call(made.args[0], positional, named)

    def parse(self, node: ast.Call, name: str | None, frame: Frame) -> bool:
        """A call of a parser of the command line; False where it is none."""
        try:
            if self.parsers.call(node, name, frame, self.evaluator):
                if last_name(node.func) in ("error", "exit"):
                    raise Blocked(Returns(2))
                return True
        except Refused as refused:
            self._refused(refused, node, frame)
            return True
        return False

    def _refused(self, refused: Refused, node: ast.Call, frame: Frame) -> None:
        """A command line that the program stops at, unless it catches that."""
        place = refused.place or frame.module.place(node.func)
        if not self.trying:
            raise Blocked(Stopped(f"the program stops: {refused}", place, 2))
        self._strange(place, str(refused))

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
        if name in rows.binds:
            self.bind(node, frame)
            return True
        if name in rows.commands:
            self.run_command(rows.commands[name], node, frame)
        if name in RUNPY:
            self.run_python(RUNPY[name], node, frame)
            return True
        base, _, method = name.rpartition(".")
        if base in datafiles.INI and method in datafiles.INI_READS:
            assert isinstance(node.func, ast.Attribute)
            owner = self.value(node.func.value, frame)
            datafiles.read_ini(self.evaluator, node, owner, frame)
            return True
        if base in _GUNICORN and method == "run":
            self.embedded(node, frame)
            return True
        if name in rows.keeps or (method in _WAITS and (self.beside or self.daemons)):
            raise Blocked(Blocks())
        if name in (DJANGO_ARGV, DJANGO_CALL):
            self.run_django(name, node, frame)
            return True
        if name == "os._exit":
            raise Blocked(Returns(None))
        if name in ("sys.exit", "exit", "quit"):
            result = self._ended()
            if isinstance(result, Returns):
                result = Returns(self._exit_code(node, frame))
            raise Blocked(result, whole=True)
        return False

    def _exit_code(self, node: ast.Call, frame: Frame) -> int | None:
        """The status that `sys.exit(...)` gives; None where it is not known."""
        value = self.value(node.args[0], frame) if node.args else Known(None)
        if isinstance(value, Unknown):
            return None
        if value.value is None or isinstance(value.value, int):
            return int(value.value or 0) & 255
        return 1 if isinstance(value.value, str) else None

    def _image_function(self, name: str | None, node: ast.Call, frame: Frame) -> None:
        if self.command(name, node, frame):
            return
        value = self.value(node.func, frame)
        if isinstance(value, Known) and isinstance(value.value, FunctionRef):
            reference = value.value
            positional, keywords = self._safe_arguments(node, frame)
            self.enter(reference, positional, keywords, frame, node)
            return
        if isinstance(value, Known) and isinstance(value.value, ClassRef):
            self.made[id(node)] = self._given((), node, frame)
            self._construct(value.value, node, frame)
        self._note_strange(name, node, frame)

    def _construct(self, cls: ClassRef, node: ast.Call, frame: Frame) -> None:
        """An object of a class of the image is made: its `__init__` may start something."""
        wanted = table().last_names | STARTING | _MAKERS
        for module, each in self.evaluator.ancestry(cls):
            for statement in each.body:
                if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
                    names = {
                        last_name(c.func) for c in ast.walk(statement) if isinstance(c, ast.Call)
                    }
                    if names & wanted:
                        owner = Instance(cls, node, frame.module)
                        positional, keywords = self._safe_arguments(node, frame)
                        ref = FunctionRef(module, statement, owner)
                        self.enter(ref, positional, keywords, frame, node)
                    return

    def command(self, name: str | None, node: ast.Call, frame: Frame) -> bool:
        """A call of a click or typer application: the command that the words choose."""
        try:
            found = clickapps.started(node, name, frame, self.evaluator, self.arguments())
        except Refused as refused:
            self._refused(refused, node, frame)
            return True
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
        if not self.trying and nameerrors.first(node.func, frame, self.python) is not None:
            place = frame.module.place(node.func)
            raise Blocked(Stopped(f"NameError: nothing binds `{place.text}`", place))
        self.noise += 1
        args = self._given((), node, frame)
        host, port = args.by_name.get("host"), args.by_name.get("port")
        place = frame.module.place(node.func)
        if host is not None and port is not None and isinstance(node.func, ast.Attribute):
            row = replace(table().calls["litserve.LitServer.run"], server=f"{place.text}()")
            address = address_of(row, args, {}, place)
            if not isinstance(address, Stopped):
                raise Blocked(Blocks((running(self._listener(row.server, *address, place, None)),)))
        if name is None or not _is_stdlib(name) or last == "serve_forever":
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


def _names_bound(bodies: Sequence[Sequence[ast.stmt]]) -> set[str]:
    return {name for body in bodies for node in body for name in touched_names(node)}


def _is_stdlib(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names
