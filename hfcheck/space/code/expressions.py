"""What expressions are while modules are imported: names, calls and conditions are followed with
the names bound so far.
"""

from __future__ import annotations

import ast
import builtins
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import PurePosixPath

from hfcheck.space.code import values as pyvalues
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.names import (
    SOMETHING,
    UNKNOWN,
    Attempt,
    Bound,
    Names,
    Scope,
    Thing,
    joined_bounds,
    perhaps_also,
)
from hfcheck.space.code.python import (
    External,
    Found,
    FunctionNode,
    Missing,
    Module,
    Python,
    is_type_checking,
)
from hfcheck.space.code.raising import Ended, Raises, names_of_builtin
from hfcheck.space.code.values import WouldRaise, truth
from hfcheck.space.value import Known, Unknown, Value

MAX_DEPTH = 90
"""Modules that import each other, and calls in them, are followed so deep."""

_MAX_CALLS = 400
_CALL_DEPTH = 8
"""A call counts like so many modules that import each other: its body nests deeper."""

_NAMESPACES = frozenset(["globals", "vars", "locals"])
_SAME_FUNCTION = frozenset(
    ["functools.lru_cache", "functools.cache", "functools.wraps", "staticmethod"]
)
"""Decorators that leave what a function gives as it is."""


class Expressions(ABC):
    """Follows expressions; how modules and statements are, is the subclasses' part."""

    def __init__(
        self, python: Python, evaluator: Evaluator, loaded: Collection[str] = frozenset()
    ) -> None:
        self.python = python
        self.evaluator = evaluator
        self.loaded = loaded
        self.needs: dict[str, None] = {}
        self.open_path: str | None = None
        self._names: dict[Module, Names] = {}
        self._loading: set[Module] = set()
        self._failed: dict[Module, Raises] = {}
        self._members: dict[ast.AST, Names] = {}
        self._attempts: list[Attempt] = []
        self._calls = 0
        self._depth = 0

    @abstractmethod
    def load(self, name: str) -> Found:
        """Import a module by its dotted name, its packages first, and say what it is."""

    @abstractmethod
    def member(self, thing: Thing, name: str) -> Bound | None:
        """What an attribute of a thing is; None where it has none for certain."""

    @abstractmethod
    def run(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        """Go through statements."""

    @abstractmethod
    def library(self, name: str, scope: Scope) -> None:
        """Note that a library is imported."""

    @abstractmethod
    def module_bound(self, name: str) -> Bound:
        """What a name is bound to that an import gives a module."""

    # Names

    def assign(self, target: ast.expr, bound: Bound, value: ast.expr | None, scope: Scope) -> None:
        """Bind an assignment target; `value` is the expression it is assigned, where there is
        one.
        """
        if isinstance(target, ast.Name):
            scope.bind(target.id, bound)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part, inner in zip(target.elts, self._parts(target, bound, scope), strict=True):
                self.assign(part, inner, None, scope)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, SOMETHING, None, scope)
        elif isinstance(target, ast.Attribute):
            for names in self._owners(target.value, scope):
                names.bound[target.attr] = bound
            if self._named(target, scope) in ("sys.path", "sys.modules"):
                self.open_path = "the code changes where modules are found"
        elif isinstance(target, ast.Subscript):
            self._assign_item(target, bound, scope)

    def _parts(self, target: ast.Tuple | ast.List, bound: Bound, scope: Scope) -> Sequence[Bound]:
        thing = bound.things[0] if len(bound.things) == 1 else UNKNOWN
        plain = not any(isinstance(part, ast.Starred) for part in target.elts)
        written = thing.node.elts if isinstance(thing.node, (ast.Tuple, ast.List)) else []
        if plain and len(written) == len(target.elts) and thing.module is scope.module:
            return [self.value(item, scope) for item in written]
        return [SOMETHING] * len(target.elts)

    def _assign_item(self, target: ast.Subscript, bound: Bound, scope: Scope) -> None:
        names = self._namespace(target.value, scope)
        if names is not None:
            key = self._text_of(target.slice, scope)
            if key is None:
                names.others = "the code makes names of its own"
            else:
                names.bound[key] = bound
            return
        owner = self._named(target.value, scope)
        if owner in ("sys.modules", "sys.path"):
            self.open_path = "the code changes where modules are found"

    def _namespace(self, node: ast.expr, scope: Scope) -> Names | None:
        """The names that `globals()`, `vars(module)` or `module.__dict__` is."""
        if isinstance(node, ast.Attribute) and node.attr == "__dict__":
            return next(iter(self._owners(node.value, scope)), None)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return None
        if node.func.id not in _NAMESPACES or node.func.id in scope.names.bound:
            return None
        if node.args:
            return next(iter(self._owners(node.args[0], scope)), None)
        return scope.top if node.func.id == "globals" else scope.names

    def _owners(self, node: ast.expr, scope: Scope) -> Iterator[Names]:
        """The names of the modules and classes that an expression is."""
        for thing in self.value(node, scope).things:
            if thing.kind == "module" and thing.module in self._names:
                yield self._names[thing.module]
            elif thing.kind == "value" and isinstance(thing.node, (ast.ClassDef, FunctionNode)):
                yield self._members.setdefault(thing.node, Names())

    def lookup(self, name: str, scope: Scope) -> Bound:
        """What a name means where it is read."""
        for names in (scope.names, scope.top):
            found = names.bound.get(name)
            if found is not None:
                return found
        if name == "__name__":
            return Bound((Thing("value", scope.module, ast.Constant(scope.module.name)),))
        if hasattr(builtins, name):
            return Bound((Thing("outside", name=name),))
        return SOMETHING

    # Expressions

    def checked(self, node: ast.expr, scope: Scope) -> Bound:
        """The value of an expression; it raises where a variable that it reads is not set."""
        reads = scope.expected and "environ" in scope.module.source.text
        if reads and any(isinstance(inner, ast.Subscript) for inner in ast.walk(node)):
            try:
                self.evaluator.evaluate(node, self._frame(node, scope))
            except WouldRaise as error:
                names = (error.exception, *error.bases, *names_of_builtin(error.exception))
                raise Raises(names, scope.module.place(node), "it raises") from None
        return self.value(node, scope)

    def value(self, node: ast.expr, scope: Scope) -> Bound:
        """What an expression may be; its calls and `:=` are followed."""
        method = getattr(self, f"_value_{type(node).__name__.lower()}", None)
        if method is not None:
            result: Bound = method(node, scope)
            return result
        if isinstance(node, ast.Lambda):
            return Bound((Thing("value", scope.module, node),))
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child, scope)
        return Bound((Thing("value", scope.module, node),))

    def _value_name(self, node: ast.Name, scope: Scope) -> Bound:
        return self.lookup(node.id, scope)

    def _value_attribute(self, node: ast.Attribute, scope: Scope) -> Bound:
        owner = self.value(node.value, scope)
        found = [self.member(thing, node.attr) for thing in owner.things]
        if scope.expected and all(
            each is None and self._certainly_lacks(thing, node.attr)
            for thing, each in zip(owner.things, found, strict=True)
        ):
            note = f"there is no `{node.attr}` in the module"
            raise Raises(names_of_builtin("AttributeError"), scope.module.place(node), note)
        return Bound(joined_bounds(each or SOMETHING for each in found).things)

    def _certainly_lacks(self, thing: Thing, name: str) -> bool:
        """Whether a module has no attribute of a name, also no submodule that code which is not
        followed may import.
        """
        if thing.kind == "namespace":
            return self.python.find(f"{thing.name}.{name}") in self._loading
        if thing.kind != "module" or thing.module is None:
            return False
        inner = self.python.find(f"{thing.module.name}.{name}") if thing.module.package else None
        return not isinstance(inner, Module) or inner in self._names

    def _value_namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Bound:
        bound = self.value(node.value, scope)
        scope.bind(node.target.id, bound)
        return bound

    def _value_ifexp(self, node: ast.IfExp, scope: Scope) -> Bound:
        self.value(node.test, scope)
        holds = self.truth(node.test, scope)
        if holds is not None:
            return self.value(node.body if holds else node.orelse, scope)
        return joined_bounds((self.value(node.body, scope), self.value(node.orelse, scope)))

    def _value_boolop(self, node: ast.BoolOp, scope: Scope) -> Bound:
        found = [self.value(node.values[0], scope)]
        before = scope.mark()
        found.extend(self.value(part, scope) for part in node.values[1:])
        scope.restore((perhaps_also(before[0], scope.names), perhaps_also(before[1], scope.top)))
        return joined_bounds(found)

    def _value_await(self, node: ast.Await, scope: Scope) -> Bound:
        self.value(node.value, scope)
        return SOMETHING

    def _value_listcomp(self, node: ast.ListComp, scope: Scope) -> Bound:
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr) and inner.target.id not in scope.names.bound:
                scope.bind(inner.target.id, Bound((UNKNOWN,), sure=False))
        return Bound((Thing("value", scope.module, node),))

    _value_setcomp = _value_dictcomp = _value_generatorexp = _value_listcomp

    def _value_subscript(self, node: ast.Subscript, scope: Scope) -> Bound:
        names = self._namespace(node.value, scope)
        key = self._text_of(node.slice, scope)
        if names is not None:
            return names.bound.get(key, SOMETHING) if key is not None else SOMETHING
        owner = self.value(node.value, scope)
        if key is not None and any(thing.name == "sys.modules" for thing in owner.things):
            for module in (*self._names, scope.module):
                if module.name == key:
                    return Bound((Thing("module", module, module.tree),))
        if key is None:
            self.value(node.slice, scope)
        return self._item(owner, node.slice)

    def _item(self, owner: Bound, key: ast.expr) -> Bound:
        thing = owner.things[0] if len(owner.things) == 1 else UNKNOWN
        if isinstance(thing.node, ast.Dict) and isinstance(key, ast.Constant) and thing.module:
            for name, value in zip(thing.node.keys, thing.node.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key.value:
                    names = self._names.get(thing.module)
                    if names is not None:
                        return self.value(value, Scope(thing.module, names, names))
        return SOMETHING

    def _value_call(self, node: ast.Call, scope: Scope) -> Bound:
        func = self.value(node.func, scope)
        given = [self.value(arg, scope) for arg in node.args]
        named = {k.arg: self.value(k.value, scope) for k in node.keywords}
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("update", "setdefault"):
            self._update(node, given, named, scope)
        found: list[Bound] = []
        for thing in func.things:
            found.append(self._called(thing, node, given, named, scope))
        return Bound(joined_bounds(found).things)

    def _called(
        self,
        thing: Thing,
        node: ast.Call,
        given: list[Bound],
        named: dict[str | None, Bound],
        scope: Scope,
    ) -> Bound:
        if thing.kind == "outside":
            return self._library_call(thing.name, node, given, scope)
        if thing.kind == "value" and thing.module is not None:
            if isinstance(thing.node, FunctionNode):
                return self.call_function(thing.module, thing.node, given, named)
            if isinstance(thing.node, ast.ClassDef):
                return Bound((Thing("instance", thing.module, thing.node),))
        return SOMETHING

    def _library_call(self, name: str, node: ast.Call, given: list[Bound], scope: Scope) -> Bound:
        if name in ("setattr", "builtins.setattr") and len(node.args) == 3:
            key = self._text_of(node.args[1], scope)
            for names in self._owners(node.args[0], scope):
                if key is None:
                    names.others = "the code makes names of its own"
                else:
                    names.bound[key] = given[2]
        elif name in ("delattr", "builtins.delattr") and len(node.args) == 2:
            key = self._text_of(node.args[1], scope)
            for names in self._owners(node.args[0], scope):
                names.bound.pop(key or "", None)
        elif name in ("exec", "builtins.exec") and node.args:
            self._exec(node, scope)
        elif name in ("sys.exit", "exit", "quit", "os._exit"):
            raise Raises(("SystemExit",), scope.module.place(node), "it ends the process")
        elif name in ("importlib.import_module", "__import__") and node.args and scope.expected:
            return self._import_call(name, node, scope)
        elif name.startswith("sys.path.") or name == "site.addsitedir":
            self._path_call(name.rpartition(".")[2], node, scope)
        return Bound((Thing("made", scope.module, node, name),))

    def _exec(self, node: ast.Call, scope: Scope) -> None:
        text = self._text_of(node.args[0], scope)
        try:
            body = ast.parse(text).body if text is not None and len(node.args) == 1 else None
        except (SyntaxError, ValueError, RecursionError):
            body = None
        if body is None:
            scope.names.others = "`exec` may make any name"
        else:
            for statement in body:
                for inner in ast.walk(statement):
                    if hasattr(inner, "lineno"):
                        ast.copy_location(inner, node)
            self.run(body, scope)

    def _import_call(self, name: str, node: ast.Call, scope: Scope) -> Bound:
        wanted = self._text_of(node.args[0], scope)
        if wanted is None or wanted.startswith("."):
            return SOMETHING
        found = self.load(wanted)
        if isinstance(found, Missing) and self.open_path is None:
            names = names_of_builtin("ModuleNotFoundError")
            raise Raises(names, scope.module.place(node), f"no module {wanted}")
        if isinstance(found, External):
            self.library(found.name, scope)
        return self.module_bound(wanted if name != "__import__" else wanted.partition(".")[0])

    def _path_call(self, method: str, node: ast.Call, scope: Scope) -> None:
        """`sys.path.insert(0, …)` and `.append(…)`."""
        folder: Value[object] = Unknown("it is not followed")
        if method in ("insert", "append", "addsitedir") and node.args:
            with suppress(WouldRaise):
                folder = self.evaluator.evaluate(node.args[-1], self._frame(node, scope))
        path = _folder(folder, scope.module)
        if path is None:
            self.open_path = "the code adds folders to the search path"
        else:
            self.python.add_search(path, first=method == "insert")

    def _update(
        self,
        node: ast.Call,
        given: list[Bound],
        named: dict[str | None, Bound],
        scope: Scope,
    ) -> None:
        """`globals().update(app=…)`, `globals().setdefault("app", …)`."""
        assert isinstance(node.func, ast.Attribute)
        names = self._namespace(node.func.value, scope)
        if names is None:
            return
        if node.func.attr == "setdefault":
            key = self._text_of(node.args[0], scope) if node.args else None
            if key is None:
                names.others = "the code makes names of its own"
            elif key not in names.bound:
                names.bound[key] = given[1] if len(given) > 1 else SOMETHING
            return
        for argument in node.args:
            keys = argument.keys if isinstance(argument, ast.Dict) else [None]
            for key_node in keys:
                key = self._text_of(key_node, scope) if key_node is not None else None
                if key is None:
                    names.others = "the code makes names of its own"
                else:
                    names.bound[key] = SOMETHING
        for name, bound in named.items():
            if name is None:
                names.others = "the code makes names of its own"
            else:
                names.bound[name] = bound

    # Functions

    def call_function(
        self,
        module: Module,
        node: FunctionNode,
        given: Sequence[Bound] = (),
        named: dict[str | None, Bound] | None = None,
    ) -> Bound:
        """What a function of the image gives; its changes of global names take place."""
        self._calls += 1
        top = self._names.get(module)
        if top is None or self._calls > _MAX_CALLS or self._depth > MAX_DEPTH:
            return SOMETHING
        if isinstance(node, ast.AsyncFunctionDef):
            return Bound((Thing("value", module, ast.Constant("a coroutine")),))
        if any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in ast.walk(node)):
            return SOMETHING
        if not self.is_plain(module, node):
            return SOMETHING
        scope = Scope(module, Names(), top)
        self._bind_arguments(node, given, named or {}, scope)
        depth, self._depth = self._depth, self._depth + _CALL_DEPTH
        try:
            self.run(node.body, scope)
        except Ended:
            return joined_bounds(scope.returns) if scope.returns else SOMETHING
        finally:
            self._depth = depth
        nothing = Bound((Thing("value", module, ast.Constant(None)),))
        return joined_bounds([*scope.returns, nothing])

    def is_plain(self, module: Module, node: FunctionNode) -> bool:
        """Whether no decorator of a function changes what it takes and gives."""
        top = self._names.get(module, Names())
        targets = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
        names = {self._named(target, Scope(module, top, top)) for target in targets}
        return names <= _SAME_FUNCTION

    def _bind_arguments(
        self,
        node: FunctionNode,
        given: Sequence[Bound],
        named: dict[str | None, Bound],
        scope: Scope,
    ) -> None:
        args = node.args
        places = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(places) - len(args.defaults))
        for arg, default in zip(places, [*defaults, *args.defaults], strict=True):
            scope.names.bound[arg.arg] = self._default(default, scope)
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            scope.names.bound[arg.arg] = self._default(default, scope)
        for arg, bound in zip(places, given, strict=False):
            scope.names.bound[arg.arg] = bound
        for name, bound in named.items():
            if name in scope.names.bound:
                scope.names.bound[name] = bound
        for extra in (args.vararg, args.kwarg):
            if extra is not None:
                scope.names.bound[extra.arg] = SOMETHING

    def _default(self, node: ast.expr | None, scope: Scope) -> Bound:
        if node is None:
            return SOMETHING
        return self.value(node, Scope(scope.module, scope.top, scope.top))

    # Conditions

    def truth(self, node: ast.expr, scope: Scope) -> bool | None:
        """Whether a condition holds; None where that is not known."""
        if is_type_checking(node):
            return False
        own = self._own_truth(node, scope)
        if own is not None:
            return own
        try:
            return truth(self.evaluator.evaluate(node, self._frame(node, scope)))
        except WouldRaise as error:
            if scope.expected and scope.sure:
                names = (error.exception, *names_of_builtin(error.exception))
                raise Raises(names, scope.module.place(node), "it raises") from None
            return None

    def _own_truth(self, node: ast.expr, scope: Scope) -> bool | None:
        """Conditions about the names themselves."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self._own_truth(node.operand, scope)
            return None if inner is None else not inner
        if not isinstance(node, ast.Compare) or len(node.ops) != 1:
            return None
        operator, right = node.ops[0], node.comparators[0]
        if isinstance(operator, (ast.In, ast.NotIn)):
            names, key = self._namespace(right, scope), self._text_of(node.left, scope)
            if names is None or key is None or names.others:
                return None
            found = names.bound.get(key)
            if found is not None and not found.sure:
                return None
            return (found is not None) is isinstance(operator, ast.In)
        if isinstance(operator, (ast.Is, ast.IsNot)) and _is_none(right):
            nothing = {_nothing(thing) for thing in self.value(node.left, scope).things}
            if nothing == {True} or nothing == {False}:
                return (nothing == {True}) is isinstance(operator, ast.Is)
        return None

    def _frame(self, node: ast.AST, scope: Scope) -> Frame:
        """A frame of the evaluator with the names of an expression as they are now."""
        names: dict[str, Value[object]] = {}
        for inner in ast.walk(node):
            if not isinstance(inner, ast.Name) or inner.id in names:
                continue
            found = scope.names.bound.get(inner.id) or scope.top.bound.get(inner.id)
            if found is None:
                continue
            if len(found.things) != 1 or not found.sure:
                names[inner.id] = Unknown(f"`{inner.id}` is one of several things")
                continue
            value = self._value_of(found.things[0])
            if value is not None:
                names[inner.id] = value
        return Frame(scope.module, names)

    def _value_of(self, thing: Thing) -> Value[object] | None:
        """A thing as the evaluator has it; None where that finds it by its name."""
        if thing.kind == "unknown":
            return Unknown("it is not known")
        if thing.kind in ("value", "made") and isinstance(thing.node, ast.expr) and thing.module:
            if isinstance(thing.node, ast.Constant):
                return Known(thing.node.value)
            try:
                return self.evaluator.evaluate(thing.node, Frame(thing.module))
            except WouldRaise:
                return Unknown("it raises")
        return None

    def _named(self, node: ast.expr, scope: Scope) -> str:
        """The name of the thing of a library that an expression is; empty for any other."""
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return ""
        things = self.value(node, scope).things
        return things[0].name if len(things) == 1 and things[0].kind == "outside" else ""

    def _text_of(self, node: ast.expr, scope: Scope) -> str | None:
        """The text that an expression is, where it is known."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        try:
            value = self.evaluator.evaluate(node, self._frame(node, scope))
        except WouldRaise:
            return None
        if isinstance(value, Known) and isinstance(value.value, str):
            return value.value
        return None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _nothing(thing: Thing) -> bool | None:
    """Whether a thing is None; None where that is not known."""
    if thing.kind in ("module", "instance"):
        return False
    if thing.kind == "value":
        if isinstance(thing.node, ast.Constant):
            return thing.node.value is None
        return False if isinstance(thing.node, (FunctionNode, ast.ClassDef, ast.Lambda)) else None
    return None


def _folder(value: Value[object], module: Module) -> str | None:
    """The folder of the image that a value names; None where it is not known."""
    if not isinstance(value, Known) or not isinstance(value.value, (str, PurePosixPath)):
        return None
    path = PurePosixPath(module.path).parent / str(value.value)
    return str(pyvalues.normal(path))
