"""An evaluator that remembers what a running program has done to its names and objects.

`Evaluator` reads a module as it is written; a followed program also changes things from afar: a
setting after it is made, a module's name through `global`, a dictionary of another module. The
follower notes such changes here, and values are worked out with them.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TypeVar

from hfcheck.space.code import envfiles, nameerrors
from hfcheck.space.code import values as pyvalues
from hfcheck.space.code.evaluate import ClassRef, Evaluator, FunctionRef, Instance, ObjectOf
from hfcheck.space.code.frames import Flow, Frame
from hfcheck.space.code.python import Definition, Module, Python
from hfcheck.space.code.values import WouldRaise
from hfcheck.space.dotenv import env_entries
from hfcheck.space.launch import datafiles
from hfcheck.space.launch.process import in_folder
from hfcheck.space.value import Known, Unknown, Value

ANY = "*"
"""Stands for every attribute of an object."""

EXECUTABLE = "python"
"""Stands for the path of the interpreter: started again, it is the same one."""

CONDITION = "it depends on a condition that is not known"

MAX_DEPTH = 12
"""How deep objects that are made of each other are followed."""

_FIELDS = frozenset({"dataclasses.field", "pydantic.Field", "pydantic.fields.Field"})
_NAMESPACES = frozenset({"types.SimpleNamespace", "argparse.Namespace"})
_FIND_DOTENV = frozenset({"dotenv.find_dotenv", "dotenv.main.find_dotenv"})
_DOTENV_VALUES = frozenset({"dotenv.dotenv_values", "dotenv.main.dotenv_values"})
_REPLACE = frozenset({"dataclasses.replace", "copy.replace"})
_EXISTS = frozenset({"os.path.exists", "os.path.isfile"})

_Key = TypeVar("_Key")
_Kind = TypeVar("_Kind")


@dataclass(slots=True)
class Changes:
    """What the program has changed so far: module-level names, attributes of objects (by the call
    or the class that made them), environment variables.
    """

    names: dict[tuple[str, str], Value[object]] = field(default_factory=dict)
    attributes: dict[tuple[int, str], Value[object]] = field(default_factory=dict)
    env: dict[str, Value[str]] = field(default_factory=dict)
    open_env: Unknown | None = None
    writes: int = 0


class Memory(Evaluator):
    """Evaluates with the changes of the program, and with its command line.

    `results` are values of calls that the follower has worked out, by the call.
    """

    def __init__(
        self,
        python: Python,
        env: Mapping[str, Value[str]],
        open_env: Unknown | None,
        argv: Sequence[Value[object]] | None,
        folder: str | None,
    ) -> None:
        super().__init__(python, env, open_env)
        self.folder = folder
        self.argv = argv
        self.results: dict[int, Value[object]] = {}
        self.factories: dict[int, ast.Call] = {}
        self.names: dict[tuple[str, str], Value[object]] = {}
        self.attributes: dict[tuple[int, str], Value[object]] = {}
        self.writes = 0

    # Changes

    def changes(self) -> Changes:
        """A copy of what has changed so far."""
        return Changes(
            dict(self.names), dict(self.attributes), dict(self.env), self.open_env, self.writes
        )

    def restore(self, changes: Changes) -> None:
        """Go back to an earlier state."""
        if self.writes == changes.writes:
            return
        self.writes += 1
        self.names, self.attributes = dict(changes.names), dict(changes.attributes)
        self.env, self.open_env = dict(changes.env), changes.open_env
        self._globals.clear()

    def join(self, ways: Sequence[Changes]) -> None:
        """The state after one of several ways, nobody knows which: what differs is unknown."""
        if len({way.writes for way in ways}) == 1:
            self.restore(ways[0])
            return
        self.restore(
            Changes(
                _joined([way.names for way in ways]),
                _joined([way.attributes for way in ways]),
                _joined([way.env for way in ways]),
                next((way.open_env for way in ways if way.open_env is not None), None),
                -1,
            )
        )

    def set_name(self, module: Module, name: str, value: Value[object]) -> None:
        """A name of a module gets a value from outside its own statements."""
        self.names[(module.path, name)] = value
        self.noted()

    def forget_name(self, module: Module, name: str) -> None:
        """The module itself gives a name its value again."""
        if self.names.pop((module.path, name), None) is not None:
            self.noted()

    def set_attribute(self, owner: Value[object], name: str, value: Value[object]) -> None:
        """An attribute of an object, a class or a module gets a value."""
        thing = owner.value if isinstance(owner, Known) else None
        if isinstance(thing, ObjectOf) and thing.module is not None and thing.call is None:
            self.set_name(thing.module, name, value)
            return
        key = _key(thing)
        if key is not None:
            self.attributes[(key, name)] = value
            self.noted()

    def set_variable(self, name: str, value: Value[object]) -> None:
        """The program sets an environment variable for itself and its children."""
        if isinstance(value, Known) and isinstance(value.value, str):
            self.env[name] = Known(value.value, value.origins)
        else:
            self.env[name] = Unknown(f"the program sets {name} itself", value.origins)
        self.noted()

    def set_any(self, reason: Unknown, *, over: bool = True) -> None:
        """The program sets or drops variables, nobody knows which; without `over` only such as
        are not set yet.
        """
        self.open_env = reason
        if over:
            self.env.update(dict.fromkeys(self.env, reason))
        self.noted()

    def unset(self, name: str) -> None:
        """The program takes a variable out of its environment."""
        self.env.pop(name, None)
        self.noted()

    def noted(self) -> None:
        """Something has changed: what was worked out before may be different now."""
        self.writes += 1
        self._globals.clear()

    def forget_attributes(self, call: ast.Call) -> None:
        """The object that a call makes is a new one."""
        self.attributes = {key: v for key, v in self.attributes.items() if key[0] != id(call)}

    # Values

    def value_of(self, node: ast.expr, frame: Frame) -> Value[object]:
        """The value of an expression; one that raises is unknown."""
        try:
            return self.evaluate(node, frame)
        except WouldRaise as error:
            made = self._made_anyway(node, frame)
            return made or Unknown(f"it raises {error.exception}", error.origins)
        except RecursionError:
            return Unknown("its nesting is too deep to be worked out")

    def _made_anyway(self, node: ast.expr, frame: Frame) -> Value[object] | None:
        """The object that a call makes whose arguments raise for want of a variable: the Space is
        judged as it runs with it.
        """
        if isinstance(node, ast.Name):
            found = self.python.definition(frame.module, node, frame.function)
            if found is None or found.module is None or not isinstance(found.node, ast.Assign):
                return None
            home = Frame(found.module) if frame.function is None else frame
            return self._made_anyway(found.node.value, home)
        if not isinstance(node, ast.Call):
            return None
        try:
            callee = self.evaluate(node.func, frame)
        except WouldRaise:
            return None
        thing = callee.value if isinstance(callee, Known) else None
        if isinstance(thing, ClassRef):
            return Known(Instance(thing, node, frame.module))
        library = isinstance(thing, ObjectOf) and thing.call is None and "." in thing.qualified
        if library and isinstance(thing, ObjectOf):
            return Known(ObjectOf(thing.qualified, frame.module, node))
        return None

    def module_value(self, module: Module, name: str) -> Value[object]:
        """The value of a module-level name, with what the program has made of it."""
        found = self.names.get((module.path, name))
        return found if found is not None else super().module_value(module, name)

    def _eval_attribute(self, node: ast.Attribute, frame: Frame) -> Value[object]:
        if node.attr in ("argv", "executable"):
            found = self._of_process(self.python.qualified(frame.module, node))
            if found is not None:
                return found
        if self.attributes:
            found = self.kept(self._held(node.value, frame), node.attr)
            if found is not None:
                return found
        return super()._eval_attribute(node, frame)

    def _defined(self, found: Definition) -> Value[object]:
        """`from sys import argv` too."""
        return self._of_process(found.qualified) or super()._defined(found)

    def _of_process(self, name: str | None) -> Value[object] | None:
        """What `sys` knows of the process."""
        if name == "sys.executable":
            return Known(EXECUTABLE)
        if name != "sys.argv":
            return None
        reason = "the words that it is started with are not known"
        return Known(list(self.argv)) if self.argv is not None else Unknown(reason)

    def _held(self, node: ast.expr, frame: Frame) -> object:
        owner = self.evaluate(node, frame)
        return owner.value if isinstance(owner, Known) else None

    def kept(self, thing: object, name: str) -> Value[object] | None:
        """What the program has made of an attribute of an object; None for nothing."""
        keys = [_key(thing)]
        if isinstance(thing, (Instance, ClassRef)):
            cls = thing.cls if isinstance(thing, Instance) else thing
            keys += [id(node) for _, node in self.ancestry(cls)]
        for key in filter(None, keys):
            found = self.attributes.get((key, name))
            if found is None and not self._is_method(thing, name):
                found = self.attributes.get((key, ANY))
            if found is not None:
                return found
        return None

    def _is_method(self, thing: object, name: str) -> bool:
        return isinstance(thing, Instance) and any(
            isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
            and statement.name == name
            for _, node in self.ancestry(thing.cls)
            for statement in node.body
        )

    def _instance_attribute(self, instance: Instance, name: str, frame: Frame) -> Value[object]:
        found = self.kept(instance, name) if self.attributes else None
        if found is None:
            found = self._async_method(instance, name) or self._after_init(instance, name, frame)
        if found is not None:
            return found
        value = super()._instance_attribute(instance, name, frame)
        thing = value.value if isinstance(value, Known) else None
        if isinstance(thing, ObjectOf) and thing.qualified in _FIELDS and thing.call:
            return self._field(thing.call, instance.cls.module, frame)
        return value

    def _async_method(self, instance: Instance, name: str) -> Value[object] | None:
        for module, cls in self.ancestry(instance.cls):
            for statement in cls.body:
                if isinstance(statement, ast.AsyncFunctionDef) and statement.name == name:
                    return Known(FunctionRef(module, statement, instance))
        return None

    def _after_init(self, instance: Instance, name: str, frame: Frame) -> Value[object] | None:
        """A field of a dataclass, with what its `__post_init__` makes of it."""
        passed = self._passed(instance, name, frame)
        for module, cls in self.ancestry(instance.cls):
            for function in cls.body:
                if not isinstance(function, ast.FunctionDef) or function.name != "__post_init__":
                    continue
                attribute = f"{function.args.args[0].arg if function.args.args else ''}.{name}"
                statements = self._statements_about(function.body).get(attribute)
                if not statements or frame.calls >= MAX_DEPTH:
                    return passed
                before = passed or self._class_attribute(instance.cls, name, frame)
                names = self.bound_arguments(FunctionRef(module, function, instance), [], {})
                inner = Frame(module, {**names, attribute: before}, function, None, frame.calls + 1)
                self.run(statements, inner, frozenset({attribute}))
                return inner.names.get(attribute)
        return passed

    def _passed(self, instance: Instance, name: str, frame: Frame) -> Value[object] | None:
        """A field of a dataclass (or model) that its call gives; None where the call does not."""
        call, caller = instance.call, instance.caller
        if call is None or caller is None or not (call.args or call.keywords):
            return None
        line = self.ancestry(instance.cls)
        if any(_makes(node) for _, node in line) or frame.calls >= MAX_DEPTH:
            return None
        home = Frame(caller, calls=frame.calls + 1)
        fields = [field for _, node in reversed(line) for field in _fields(node)]
        if name not in fields:
            return None
        given = dict(zip(dict.fromkeys(fields), call.args, strict=False))
        given.update({k.arg: k.value for k in call.keywords if k.arg is not None})
        if name in given:
            return self.evaluate(given[name], home)
        spread = any(k.arg is None for k in call.keywords)
        spread = spread or any(isinstance(argument, ast.Starred) for argument in call.args)
        return Unknown(f"what `{name}` is built with is not known") if spread else None

    def _field(self, call: ast.Call, module: Module, frame: Frame) -> Value[object]:
        """The value of `field(default=...)`, `field(default_factory=...)` and `Field(...)`."""
        home = Frame(module, calls=frame.calls + 1)
        if call.args:  # of pydantic: the default comes first
            return self.evaluate(call.args[0], home)
        for keyword in call.keywords:
            if keyword.arg == "default":
                return self.evaluate(keyword.value, home)
            if keyword.arg == "default_factory" and home.calls < MAX_DEPTH:
                made = ast.copy_location(ast.Call(keyword.value, [], []), keyword.value)
                made = self.factories.setdefault(id(keyword), made)
                return self._eval_call(made, home)
        return Unknown("a field without a default")

    def _replaced(self, node: ast.Call, frame: Frame) -> Value[object]:
        """`dataclasses.replace(thing, port=7860)`: another one, with the fields that it names."""
        owner = self.evaluate(node.args[0], frame)
        thing = owner.value if isinstance(owner, Known) else None
        if not isinstance(thing, Instance) or any(k.arg is None for k in node.keywords):
            return Unknown("what it replaces is not followed", owner.origins)
        given = {k.arg: k.value for k in node.keywords}
        for name in [each for _, line in self.ancestry(thing.cls) for each in _fields(line)]:
            value = (
                self.evaluate(given[name], frame)
                if name in given
                else self._instance_attribute(thing, name, frame)
            )
            self.attributes[(id(node), name)] = value
        return Known(Instance(thing.cls, node, frame.module))

    def _attribute_of(
        self, owner: Value[object], name: str, node: ast.AST, frame: Frame
    ) -> Value[object]:
        thing = owner.value if isinstance(owner, Known) else None
        space = isinstance(thing, ObjectOf) and thing.qualified in _NAMESPACES
        if space and isinstance(thing, ObjectOf) and thing.call is not None and thing.module:
            found = next((k.value for k in thing.call.keywords if k.arg == name), None)
            if found is not None:
                return self.evaluate(found, Frame(thing.module, calls=frame.calls))
        return super()._attribute_of(owner, name, node, frame)

    def bound_arguments(
        self,
        ref: FunctionRef,
        arguments: list[Value[object]],
        keywords: dict[str, Value[object]],
    ) -> dict[str, Value[object]]:
        """As the evaluator does, with the class for a class method."""
        first = next((a.arg for a in (*ref.node.args.posonlyargs, *ref.node.args.args)), None)
        if first is None or not is_classmethod(ref):
            return super().bound_arguments(ref, arguments, keywords)
        cls = ref.owner.cls if ref.owner is not None else _home(ref)
        plain = FunctionRef(ref.module, ref.node)
        here: list[Value[object]] = [Known(cls)] if cls is not None else [Unknown("its class")]
        return super().bound_arguments(plain, [*here, *arguments], keywords)

    def _eval_call(self, node: ast.Call, frame: Frame) -> Value[object]:
        found = self.results.get(id(node))
        return found if found is not None else super()._eval_call(node, frame)

    def _library_call(self, node: ast.Call, frame: Frame) -> Value[object] | None:
        name = self._callee_name(node, frame)
        if name is None:
            return None
        if name == "os.environ.copy":
            return self._environment()
        if name in _REPLACE and node.args:
            return self._replaced(node, frame)
        if name in _FIND_DOTENV and not (node.args or node.keywords):
            return self._env_file(frame.module)
        if name in _DOTENV_VALUES:
            return self._env_file_values(node, frame)
        if name in _EXISTS and len(node.args) == 1:
            return self._exists(self.evaluate(node.args[0], frame))
        if name == "dict" and node.keywords and not node.args:
            _, keywords = self.arguments(node, frame)
            return Known(keywords) if all(k.arg for k in node.keywords) else Unknown("some keys")
        one = len(node.args) == 1 and not node.keywords
        if one and name == "vars":
            return self._attributes_of(self._held(node.args[0], frame))
        if name == "getattr" and len(node.args) in (2, 3):
            return self._getattr(node, frame)
        if one and name == "dict" and self._environs(node.args[0], frame):
            return self._environment()
        found = datafiles.call(self, name, node, frame)
        return found if found is not None else super()._library_call(node, frame)

    def _method_call(
        self, node: ast.Call, func: ast.Attribute, frame: Frame
    ) -> Value[object] | None:
        found = datafiles.method(self, node, func, frame)
        return found if found is not None else super()._method_call(node, func, frame)

    def _eval_subscript(self, node: ast.Subscript, frame: Frame) -> Value[object]:
        """`parser["section"]` of a parser of INI files that has read one."""
        if any(name == datafiles.SECTIONS for _, name in self.attributes):
            sections = self.kept(self._held(node.value, frame), datafiles.SECTIONS)
            if isinstance(sections, Known):
                return pyvalues.item(sections, self.evaluate(node.slice, frame))
        return super()._eval_subscript(node, frame)

    def attribute_of(self, ref: ClassRef, name: str, frame: Frame) -> Value[object]:
        """An attribute of a class, with what the program has made of it."""
        found = self.kept(ref, name)
        return found if found is not None else self._class_attribute(ref, name, frame)

    def _attributes_of(self, thing: object) -> Value[object]:
        """`vars(args)`: what the program has set of an object."""
        key = _key(thing)
        found = {name: value for (owner, name), value in self.attributes.items() if owner == key}
        if not found or ANY in found:
            return found.get(ANY, Unknown("the attributes of this are not followed"))
        return Known(found)

    def _getattr(self, node: ast.Call, frame: Frame) -> Value[object]:
        """`getattr(thing, "name", default)`."""
        owner, name = self.evaluate(node.args[0], frame), self.evaluate(node.args[1], frame)
        if isinstance(name, Unknown) or not isinstance(name.value, str):
            return Unknown("which attribute it reads is not known", name.origins)
        thing = owner.value if isinstance(owner, Known) else None
        kept = self.kept(thing, name.value)
        if kept is not None:
            return kept
        if isinstance(thing, ObjectOf) and thing.module is not None and len(node.args) == 3:
            bound = self.python.attribute_of(thing.module, name.value)
            if bound is None and not nameerrors.is_dynamic(thing.module):
                return self.evaluate(node.args[2], frame)
        return self._attribute_of(owner, name.value, node, frame)

    def _env_file_values(self, node: ast.Call, frame: Frame) -> Value[object]:
        """`dotenv_values(path)`: the variables of a file, those that are set left alone."""
        path = self.evaluate(node.args[0], frame) if node.args else Known(None)
        if isinstance(path, Unknown) or node.keywords:
            return Unknown("which file it reads is not known", path.origins)
        for name in envfiles.candidates(frame.module.path, path.value, self):
            found = envfiles.text_of(self, name)
            if isinstance(found, Unknown):
                return found
            if found is not None:
                entries = env_entries(found, lambda key: self.env.get(key, self.open_env))
                none: Value[object] = Known(None)
                return Known({key: none if v is None else v for key, v in entries.items()})
        return Known({})

    def _env_file(self, module: Module) -> Value[object]:
        """`find_dotenv()`: the nearest `.env` from the module's folder upwards, or nothing."""
        for path in envfiles.candidates(module.path, None, self):
            found = envfiles.text_of(self, path)
            if isinstance(found, Unknown):
                return found
            if found is not None:
                return Known(path)
        return Known("")

    def _exists(self, path: Value[object]) -> Value[object]:
        """Whether the Space has a file, seen from the folder that the program starts in."""
        if isinstance(path, Unknown) or not isinstance(path.value, (str, PurePath)):
            return Unknown("which file it looks for is not known", path.origins)
        full = in_folder(self.folder, str(path.value))
        kind = self.python.image.kind(full) if full is not None else "unclear"
        if full is None or kind not in ("file", "dir", "absent"):
            return Unknown("whether the file is there is not known", path.origins)
        kept = kind != "absent" and not self.python.image.gitignored(full)
        return Known(kept, path.origins)

    def _eval_dict(self, node: ast.Dict, frame: Frame) -> Value[object]:
        """`{**os.environ, "PORT": "7860"}`: the environment with a change."""
        spread = [v for k, v in zip(node.keys, node.values, strict=True) if k is None]
        if not any(self._environs(value, frame) for value in spread):
            return super()._eval_dict(node, frame)
        result: dict[object, object] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            if key_node is None and self._environs(value_node, frame):
                result.update(self.env)
                continue
            key = self.evaluate(key_node, frame) if key_node is not None else None
            value = self.evaluate(value_node, frame)
            if isinstance(key, Known) and isinstance(key.value, str):
                result[key.value] = value
            elif key is None and isinstance(value, Known) and isinstance(value.value, dict):
                result.update(value.value)
            else:
                return Unknown("some keys are not known")
        return Known(result) if self.open_env is None else self.open_env

    def _environs(self, node: ast.expr, frame: Frame) -> bool:
        return self.python.qualified(frame.module, node, frame.function) == "os.environ"

    def _environment(self) -> Value[object]:
        return Known(dict(self.env)) if self.open_env is None else self.open_env

    def _run_expr(self, node: ast.Expr, frame: Frame, watch: frozenset[str] | None) -> Flow | None:
        change = pyvalues.mutation(node)
        watched = change is not None and (watch is None or change.name in watch)
        if watched and change is not None and change.call.keywords and change.name in frame.names:
            self._update(change, frame)
        return super()._run_expr(node, frame, watch)

    def _run_match(
        self, node: ast.Match, frame: Frame, watch: frozenset[str] | None
    ) -> Flow | None:
        subject = self.evaluate(node.subject, frame)
        for case in node.cases:
            holds = fits(case, subject)
            if holds is None:
                return self._forget(node, frame)
            if holds:
                return self.run(case.body, frame, watch)
        return None

    def _update(self, change: pyvalues.Mutation, frame: Frame) -> None:
        """`options.update(port=7860)`: the keywords are items."""
        holder = frame.names[change.name]
        _, keywords = self.arguments(change.call, frame)
        whole = all(keyword.arg for keyword in change.call.keywords)
        if whole and isinstance(holder, Known) and isinstance(holder.value, dict):
            frame.names[change.name] = Known({**holder.value, **keywords}, holder.origins)
        else:
            frame.names[change.name] = Unknown("it is changed in place", holder.origins)


def fits(case: ast.match_case, subject: Value[object]) -> bool | None:
    """Whether a case of a `match` is the one; None where that is not known."""
    holds = _matches(case.pattern, subject)
    return None if holds and case.guard is not None else holds


def _matches(pattern: ast.pattern, subject: Value[object]) -> bool | None:
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is None and pattern.name is None:
        return True
    if isinstance(subject, Unknown):
        return None
    if isinstance(pattern, ast.MatchOr):
        found = [_matches(inner, subject) for inner in pattern.patterns]
        return True if True in found else None if None in found else False
    if isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Constant):
        known = subject.value is None or isinstance(subject.value, (str, int, float, bool))
        return bool(subject.value == pattern.value.value) if known else None
    if isinstance(pattern, ast.MatchSingleton):
        return subject.value is pattern.value
    return None


def _makes(node: ast.ClassDef) -> bool:
    """Whether a class has an `__init__` of its own."""
    return any(isinstance(s, ast.FunctionDef) and s.name == "__init__" for s in node.body)


def _fields(node: ast.ClassDef) -> list[str]:
    """The annotated names of a class, in order."""
    return [
        statement.target.id
        for statement in node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    ]


def is_classmethod(ref: FunctionRef) -> bool:
    """Whether the first parameter of a function is its class."""
    return any(getattr(d, "id", "") == "classmethod" for d in ref.node.decorator_list)


def _home(ref: FunctionRef) -> ClassRef | None:
    """The class at module level that a method stands in."""
    for statement in ref.module.tree.body:
        if isinstance(statement, ast.ClassDef) and ref.node in statement.body:
            return ClassRef(ref.module, statement)
    return None


def _key(thing: object) -> int | None:
    """What an object is told by: the call that made it, or its class."""
    if isinstance(thing, (Instance, ObjectOf)):
        return id(thing.call) if thing.call is not None else None
    return id(thing.node) if isinstance(thing, ClassRef) else None


def _joined(ways: Sequence[Mapping[_Key, Value[_Kind]]]) -> dict[_Key, Value[_Kind]]:
    result: dict[_Key, Value[_Kind]] = {}
    for key in dict.fromkeys(key for way in ways for key in way):
        found = [way.get(key) for way in ways]
        first = found[0]
        same = first is not None and all(_same(first, other) for other in found[1:])
        origins = next((value.origins for value in found if value is not None), ())
        result[key] = first if same and first is not None else Unknown(CONDITION, origins)
    return result


def _same(first: object, second: object) -> bool:
    if isinstance(first, Known) and isinstance(second, Known):
        return first is second or first.value is second.value or bool(first.value == second.value)
    return first is second
