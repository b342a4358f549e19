"""What following a Python program is made of: its state, values and names, its environment.

`Following` is the base of `Listening` (calls that listen), `Starting` (calls that start something
else) and `serving`'s follower (statements and functions).
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Protocol, TypeAlias, cast

from hfcheck.source import Place
from hfcheck.space.code import envfiles
from hfcheck.space.code.evaluate import ClassRef, Evaluator, FunctionRef, Instance, ObjectOf
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import FunctionNode, Module, Python
from hfcheck.space.code.values import WouldRaise, items_of
from hfcheck.space.launch.argparsers import Parsers
from hfcheck.space.launch.memory import Memory
from hfcheck.space.launch.process import Stopped, folder_of, in_folder
from hfcheck.space.launch.servecalls import Given, given, table
from hfcheck.space.packages import Packages
from hfcheck.space.shell.host import ArgWord, Call, CommandResult, Running
from hfcheck.space.value import Known, Origin, Unknown, Value


class Starter(Protocol):
    """What the launch does for a Python program that starts another one."""

    def shell_text(self, text: Value[str], call: Call, place: Place) -> CommandResult:
        """Run a command line in `/bin/sh`."""

    def program(self, argv: tuple[ArgWord, ...], call: Call, place: Place) -> CommandResult:
        """Run a program."""

    def django(self, argv: tuple[ArgWord, ...], call: Call, place: Place) -> CommandResult:
        """Run a command of Django's."""


@dataclass(frozen=True, slots=True)
class Program:
    """A Python program about to run: its first module, the function that it starts with (for a
    console script; else the module's own statements), its arguments, and how it came to be.
    """

    module: Module
    call: Call
    arguments: tuple[ArgWord, ...]
    search: tuple[str, ...]
    entry: str
    function: FunctionNode | None = None


Judge: TypeAlias = Callable[[Program, Python, Callable[[], Packages]], Origin | None]
"""Says of a program that would run to its end what certainly stops it before."""


class Blocked(Exception):
    """The program gets no further: it serves, waits, ends, or can't be followed. A `whole` result
    has what runs beside it already.
    """

    def __init__(self, result: CommandResult | Stopped, *, whole: bool = False) -> None:
        super().__init__()
        self.result = result
        self.whole = whole


class Returned(Exception):
    """A `return` of the function that is being followed."""


class Following(ABC):
    """A Python program on the way: what it has set and started so far."""

    def __init__(
        self,
        program: Program,
        python: Python,
        env: Mapping[str, Value[str]],
        starter: Starter,
        prepare: Callable[[Evaluator], None],
    ) -> None:
        self.program = program
        self.python = python
        self.starter = starter
        call = program.call
        self.evaluator = Memory(python, env, call.open_env, _argv(program), folder_of(call))
        prepare(self.evaluator)
        self.parsers = Parsers(program.arguments)
        self.words: tuple[ArgWord, ...] | None = None
        self.beside: list[Running] = []
        self.daemons: list[Running] = []
        self.threads: dict[int, list[Running]] = {}
        self.daemon_threads: set[int] = set()
        self.endless: set[int] = set()
        self.made_calls: list[ast.Call] = []
        self.maybe: list[CommandResult | Stopped] = []
        self.strange: Origin | None = None
        self.made: dict[int, Given] = {}
        self.loaded: set[int] = {id(program.module)}
        self.quiet: set[int] = set()
        self.stack: list[int] = []
        self.steps: list[Origin] = []
        self.calls = 0
        self.trying = 0
        self.guarded = 0
        self.noise = 0
        self.open_search = False

    @property
    def env(self) -> Mapping[str, Value[str]]:
        """The environment as the program has it by now."""
        return self.evaluator.env

    @abstractmethod
    def expression(self, node: ast.expr, frame: Frame) -> None:
        """Follow the calls of an expression, inner ones first."""

    @abstractmethod
    def call(self, node: ast.Call, frame: Frame) -> None:
        """Follow one call."""

    @abstractmethod
    def enter(
        self,
        ref: FunctionRef,
        positional: list[Value[object]],
        keywords: dict[str, Value[object]],
        frame: Frame,
        node: ast.Call | None = None,
    ) -> None:
        """Follow a function of the image."""

    # Values and names

    def _truth(self, node: ast.expr, frame: Frame) -> bool | None:
        try:
            return self.evaluator.truth(node, frame)
        except WouldRaise:
            return None

    def value(self, node: ast.expr, frame: Frame) -> Value[object]:
        """The value of an expression; one that raises is unknown."""
        return self.evaluator.value_of(node, frame)

    def _given(self, names: tuple[str, ...], node: ast.Call, frame: Frame) -> Given:
        positional: list[Value[object]] = []
        more: Unknown | None = None
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                more = Unknown("its arguments are not known")
                break
            positional.append(self.value(argument, frame))
        keywords: dict[str, Value[object]] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value, frame)
            named: dict[str, Value[object]] = {}
            if keyword.arg is not None:
                named = {keyword.arg: value}
            elif isinstance(value, Known) and isinstance(value.value, dict):
                named = {str(key): item for key, item in value.value.items()}
            else:
                more = Unknown("its keyword arguments are not known", value.origins)
            for twice in named.keys() & keywords.keys():
                reason = f"TypeError: `{twice}` is given twice"
                raise Blocked(Stopped(reason, frame.module.place(keyword.value)))
            keywords.update(named)
        if not names:
            names = tuple(f"#{index}" for index in range(len(positional)))
        return given(names, positional, keywords, more)

    def _name(self, func: ast.expr, frame: Frame) -> str | None:
        """The full name of what is called: a plain dotted name, or `Class.method` of an object
        of a library.
        """
        if isinstance(func, ast.Attribute):
            owner = self._owner(func.value, func.attr, frame)
            if owner is not None:
                return f"{owner}.{func.attr}"
        head = func
        while isinstance(head, ast.Attribute):
            head = head.value
        if not isinstance(head, ast.Name) or head.id in frame.names:
            return None
        return self.python.qualified(frame.module, func, frame.function)

    def _owner(self, node: ast.expr, method: str, frame: Frame) -> str | None:
        """The class (or maker) of the object that a method is called on."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "queue":  # of gradio: gives the object itself
                return self._owner(node.func.value, method, frame)
            if node.func.attr in ("current", "instance"):  # of tornado: gives the one there is
                return self.python.qualified(frame.module, node.func.value, frame.function)
        value = self.value(node, frame)
        if isinstance(value, Known) and isinstance(value.value, ObjectOf):
            return value.value.qualified if value.value.call is not None else None
        if isinstance(value, Known) and isinstance(value.value, Instance):
            return self._library_base(value.value.cls, method, frame)
        if isinstance(value, Unknown):
            return self._with_target(node, frame)
        return None

    def _with_target(self, node: ast.expr, frame: Frame) -> str | None:
        """`with gr.Blocks() as demo:` at module level binds what is called."""
        if not isinstance(node, ast.Name):
            return None
        found = self.python.definition(frame.module, node, frame.function)
        if found is None or found.module is None or not isinstance(found.node, ast.With):
            return None
        for item in found.node.items:
            bound = item.optional_vars
            named = isinstance(bound, ast.Name) and bound.id == node.id
            if named and isinstance(item.context_expr, ast.Call):
                return self.python.qualified(found.module, item.context_expr.func)
        return None

    def _library_base(self, cls: ClassRef, method: str, frame: Frame) -> str | None:
        """The base outside the image of a class of the image: the one with such a method in the
        table, else the first.
        """
        bases: list[str] = []
        for module, node in self.evaluator.ancestry(cls):
            function = frame.function if frame.module is module else None
            for base in node.bases:
                found = self.python.definition(module, base, function)
                if found is not None and found.node is None and "." in found.qualified:
                    bases.append(found.qualified)
        known = (base for base in bases if f"{base}.{method}" in table().calls)
        return next(known, bases[0] if bases else None)

    def arguments(self) -> tuple[ArgWord, ...]:
        """The words that the program reads: those it was started with, or has set itself."""
        if self.words is not None:
            return self.words
        return self.program.arguments

    def set_arguments(self, value: Value[object], place: Place) -> None:
        """`sys.argv = [...]`."""
        items = items_of(value)
        self.evaluator.argv = items
        if items is None:
            unknown = ArgWord(Unknown("the words that it reads are not known"), place, splits=True)
            self.words = (unknown,)
        else:
            self.words = tuple(_as_word(item, place) for item in items[1:])
        self.parsers.arguments = self.words
        self.evaluator.noted()

    def _started(self, place: Place) -> Call:
        call = self.program.call
        return replace(
            call,
            env=dict(self.env),
            open_env=self.evaluator.open_env,
            place=place,
            steps=(*call.steps, *self.steps),
        )

    # The import folders and the environment

    def _path_call(self, name: str, node: ast.Call, frame: Frame) -> None:
        """`sys.path.insert(0, ...)` and `.append(...)`: another import folder."""
        first = name == "sys.path.insert"
        value = self.value(node.args[-1], frame) if node.args else None
        folder = None
        if isinstance(value, Known) and isinstance(value.value, (str, PurePath)):
            folder = in_folder(folder_of(self.program.call), str(value.value))
        if folder is None or name not in ("sys.path.insert", "sys.path.append"):
            self.open_search = True
            return
        self.python.add_search(folder, first=first)

    def _is_environ(self, node: ast.expr, frame: Frame) -> bool:
        return self.python.qualified(frame.module, node, frame.function) == "os.environ"

    def _environ_call(self, name: str, node: ast.Call, frame: Frame) -> None:
        args = self._given(("key", "value"), node, frame)
        method = name.rpartition(".")[2]
        if method == "setdefault":
            key = args.by_name.get("key")
            if not isinstance(key, Known):
                reason = Unknown("the program sets variables whose names are not known")
                self.evaluator.set_any(reason, over=False)
            elif str(key.value) not in self.env:
                self.set_variable(key, args.by_name.get("value", Unknown("no value")))
        elif method in ("putenv", "__setitem__"):
            self.set_variable(args.by_name.get("key"), args.by_name.get("value", Unknown("?")))
        elif method == "update":
            self._update_environ(node, args)
        elif method in ("pop", "unsetenv", "__delitem__", "clear", "popitem"):
            key = args.by_name.get("key")
            self.forget_variable(key if method not in ("clear", "popitem") else None)

    def _update_environ(self, node: ast.Call, args: Given) -> None:
        entries: dict[object, object] = {}
        if node.args:
            found = args.by_name.get("key")
            if not isinstance(found, Known) or not isinstance(found.value, dict):
                self.set_variable(found, Unknown("what it is updated with is not known"))
                return
            entries.update(found.value)
        names = {keyword.arg for keyword in node.keywords}
        entries.update({name: v for name, v in args.by_name.items() if name in names})
        for name, value in entries.items():
            self.set_variable(Known(name), value)
        if args.open is not None:
            self.set_variable(None, args.open)

    def set_variable(self, key: Value[object] | None, value: object) -> None:
        """The program sets an environment variable for itself and its children."""
        given = value if isinstance(value, (Known, Unknown)) else Known(value)
        if isinstance(key, Known) and isinstance(key.value, str):
            self.evaluator.set_variable(key.value, given)
            return
        reason = "the program sets variables whose names are not known"
        self.evaluator.set_any(Unknown(reason, key.origins if key is not None else ()))

    def forget_variable(self, key: Value[object] | None) -> None:
        """The program takes a variable out of its environment."""
        if isinstance(key, Known) and isinstance(key.value, str):
            self.evaluator.unset(key.value)
        else:
            self.evaluator.set_any(Unknown("the program takes variables out of its environment"))

    def load_env_file(self, node: ast.Call, frame: Frame, *, override: bool = False) -> None:
        """`load_dotenv(...)` and `env.read_env(...)`."""
        names = ("dotenv_path", "stream", "verbose", "override")
        args = self._given(names, node, frame)
        path = next((v for n in ("dotenv_path", "path", "env_file") if (v := args.get(n))), None)
        if path is None and args.by_name.get("stream") is not None:
            path = Unknown("what it reads is not known")
        if isinstance(path, Known) and isinstance(path.value, ObjectOf):
            path = Unknown("the path is not known", path.origins)
        override = override or envfiles.is_true(args.by_name.get("override"))
        envfiles.load_env_file(self.evaluator, frame.module.path, path, override=override)
        self.evaluator.noted()


def _argv(program: Program) -> list[Value[object]] | None:
    """`sys.argv`; None where the number of its words is not known."""
    if any(word.splits and isinstance(word.value, Unknown) for word in program.arguments):
        return None
    rest = [cast("Value[object]", word.value) for word in program.arguments]
    return [Known(program.module.path), *rest]


def _as_word(item: Value[object], place: Place) -> ArgWord:
    if isinstance(item, Known) and isinstance(item.value, str):
        return ArgWord(Known(item.value, item.origins), place, item.value)
    return ArgWord(Unknown("a word is not known", item.origins), place)


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name; empty for any other expression."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
