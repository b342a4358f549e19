"""What runs when the entry point is loaded: modules, calls, and where the start would fail.

Walks the module-level code of the entry, of what it imports, and of the functions that are called
on the way (an application factory, a lifespan, `settings.validate()`), with the environment as far
as it is known. Code inside a request handler is not reached.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from hfcheck.source import Place
from hfcheck.space.code import envfiles, nameerrors
from hfcheck.space.code import values as pyvalues
from hfcheck.space.code.bodies import catches
from hfcheck.space.code.calls import calls
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import (
    Broken,
    External,
    FunctionNode,
    Missing,
    Module,
    Namespace,
    Python,
    Unreadable,
    is_type_checking,
)
from hfcheck.space.code.values import (
    ClassRef,
    EnvRead,
    FunctionRef,
    Instance,
    WouldRaise,
    joined,
    truth,
)
from hfcheck.space.value import Known, Origin, Unknown, Value

_MAX_CALLS = 15
"""How deep calls of the project's own functions are followed."""

_MAX_ITEMS = 60
"""How many items of a known sequence a loop is walked for."""

_LOADERS = ("dotenv.load_dotenv", "dotenv.main.load_dotenv")

_DJANGO = frozenset(
    {
        "django.setup",
        "django.core.asgi.get_asgi_application",
        "django.core.management.execute_from_command_line",
        "django.core.wsgi.get_wsgi_application",
    }
)
"""Functions that import the module of Django's settings."""

_ENV_HINTS = ("environ", "getenv", "config", "Env", "raise", "exit", "validate", "assert")
"""Words without one of which no statement of a module can stop the start for want of a variable."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A place where loading the entry point would certainly raise. With `any_of` it takes all of
    the unset variables among its origins: setting one of them is enough.
    """

    exception: str
    module: Module
    node: ast.AST
    origins: tuple[Origin, ...]
    any_of: bool = False

    @property
    def place(self) -> Place:
        """Where it is raised."""
        return self.module.place(self.node)


@dataclass(frozen=True, slots=True)
class MissingImport:
    """An import of a module that the project's own package lacks."""

    name: str
    module: Module
    node: ast.stmt


@dataclass(frozen=True, slots=True)
class Made:
    """A class of the image that is instantiated while the entry point is loaded.

    `certain` is false where that depends on a condition that is not known; `caught` is true where
    an exception of the constructor (a ValueError, as pydantic's are) is caught around it.
    """

    place: Place
    call: ast.Call
    module: Module
    certain: bool
    caught: bool


@dataclass(slots=True)
class Startup:
    """What loading the entry point runs.

    `modules` in the order of their import, entry first; `broken` and `unreadable` files met on the
    way; `missing` imports from the project's own packages; `external` ones that no file of the
    image gives; `failures`; `made` the classes of the
    image that are instantiated on the way, with the places.
    """

    modules: list[Module] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    missing: list[MissingImport] = field(default_factory=list)
    external: list[MissingImport] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    made: dict[ast.ClassDef, list[Made]] = field(default_factory=dict)
    imported_from: dict[Module, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Here:
    """Where the walk is: the frame, whether exceptions are caught (by which handlers), whether it
    is certain that this code runs, the conditions that led here, and the depth of calls.
    """

    frame: Frame
    handlers: tuple[ast.ExceptHandler, ...] = ()
    certain: bool = True
    because: tuple[Origin, ...] = ()
    any_of: bool = False
    calls: int = 0
    handling: tuple[str, ...] = ()

    def caught(self, *names: str) -> bool:
        """Whether an exception with these names (its own and those of its bases) is caught."""
        return any(
            catches(h, name) and not _raises(h.body) for h in self.handlers for name in names
        )


class _Caught(Exception):
    """Unwinds the walk to the `try` that catches what the code certainly raises."""

    def __init__(self, names: tuple[str, ...], origins: tuple[Origin, ...]) -> None:
        super().__init__(names)
        self.names = names
        self.origins = origins


class _Paused(Exception):
    """A generator yields: the rest of it does not run while loading."""


def work_out_startup(
    python: Python,
    evaluator: Evaluator,
    entry: Sequence[Module],
    factories: Iterable[tuple[Module, str]] = (),
    serving: Iterable[Place] = (),
) -> Startup:
    """Walk what runs when `entry` is loaded and then each of `factories` (module, function name)
    is called. What comes after a call at one of the places `serving` runs when the server ends.
    """
    walk = _Walk(python, evaluator, entry, serving)
    for module in entry:
        with suppress(_Serving):
            walk.load(module, None, _Here(Frame(module)))
    for module, name in factories:
        found = python.attribute_of(module, name)
        if found and found.module and isinstance(found.node, FunctionNode):
            walk.call(FunctionRef(found.module, found.node), None, _Here(Frame(module)))
    return walk.startup


class _Serving(Exception):
    """The program serves from here on."""


class _Walk:
    def __init__(
        self,
        python: Python,
        evaluator: Evaluator,
        entry: Sequence[Module],
        serving: Iterable[Place],
    ) -> None:
        self.python = python
        self.evaluator = evaluator
        self.entry = frozenset(entry)
        self.serving = frozenset(serving)
        self.startup = Startup()
        self._loaded: set[Module] = set()
        self._called: set[ast.AST] = set()
        self._failed: set[tuple[str, int, tuple[Origin, ...]]] = set()

    # Imports

    def load(self, module: Module, importer: Place | None, here: _Here) -> None:
        """Load a module and its parent packages, once."""
        parent = module.name.rpartition(".")[0]
        if parent and isinstance(package := self.python.find(parent), Module):
            self.load(package, importer, here)
        if module in self._loaded:
            return
        self._loaded.add(module)
        self.startup.modules.append(module)
        if importer is not None:
            self.startup.imported_from[module] = importer
        if len(self._loaded) > 5000:
            return
        self._body(module.tree.body, replace(here, frame=Frame(module), calls=0))

    def _import(self, node: ast.Import | ast.ImportFrom, here: _Here) -> None:
        module = here.frame.module
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._import_name(alias.name, node, here)
            return
        package_names = module.package_name.split(".") if module.package_name else []
        if node.level > len(package_names):
            self._fail(("ImportError",), node, (), here)
            return
        base = self.python.imported(module, node)
        if not self._import_name(base, node, here):
            return
        package = self.python.find(base)
        for alias in node.names:
            if alias.name == "*":
                continue
            if isinstance(package, Module) and self._has(package, alias.name):
                continue
            if isinstance(package, Namespace) or (isinstance(package, Module) and package.package):
                self._import_name(f"{base}.{alias.name}", node, here, submodule=True)
            elif isinstance(package, Module) and not nameerrors.is_dynamic(package):
                self._fail(("ImportError",), node, (), here)

    def _has(self, package: Module, name: str) -> bool:
        return name in package.bindings or "__getattr__" in package.bindings

    def _import_name(
        self,
        name: str,
        node: ast.Import | ast.ImportFrom,
        here: _Here,
        *,
        submodule: bool = False,
    ) -> bool:
        found = self.python.find(name)
        place = here.frame.module.place(node)
        if isinstance(found, Module):
            self.load(found, place, here)
        elif isinstance(found, Broken):
            if found not in self.startup.broken and not here.caught("SyntaxError"):
                self.startup.broken.append(found)
        elif isinstance(found, Unreadable):
            if found not in self.startup.unreadable:
                self.startup.unreadable.append(found)
        elif isinstance(found, Missing):
            stars = bool(getattr(self.python.find(found.package), "stars", ()))
            if here.certain and not here.caught("ImportError") and not (submodule and stars):
                self.startup.missing.append(MissingImport(name, here.frame.module, node))
            return False
        elif isinstance(found, External) and here.certain and not here.caught("ImportError"):
            self.startup.external.append(MissingImport(name, here.frame.module, node))
        return True

    # Statements; each returns whether the body ends there

    def _body(self, body: Sequence[ast.stmt], here: _Here) -> bool:
        return any(self._statement(statement, here) for statement in body)

    def _statement(self, node: ast.stmt, here: _Here) -> bool:
        try:
            return self._dispatch(node, here)
        except RecursionError:
            return False

    def _dispatch(self, node: ast.stmt, here: _Here) -> bool:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node, here)
            case ast.If():
                return self._if(node, here)
            case ast.Try() | ast.TryStar():
                return self._try(node, here)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node, here)
            case ast.ClassDef():
                self._class(node, here)
            case ast.For() | ast.AsyncFor():
                return self._for(node, here)
            case ast.While():
                self._expression(node.test, here)
                self._body(node.body, replace(here, certain=False))
            case ast.With() | ast.AsyncWith():
                return self._with(node, here)
            case ast.Match():
                for case_ in node.cases:
                    self._body(case_.body, replace(here, certain=False))
            case ast.Assert():
                return self._assert(node, here)
            case ast.Raise():
                if node.exc is not None:
                    self._calls_in(node.exc, here)
                self._fail(self._exception(node, here), node, here.because, here)
                return here.certain
            case ast.Return():
                if node.value is not None:
                    self._expression(node.value, here)
                return True
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                if node.value is not None:
                    self._expression(node.value, here)
                    self._set_variable(node, node.value, here)
            case ast.Expr():
                self._expression(node.value, here)
        return False

    def _set_variable(
        self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, value: ast.expr, here: _Here
    ) -> None:
        """`os.environ["X"] = …` sets a variable for what comes after."""
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if not isinstance(target, ast.Subscript):
                continue
            owner = self.python.qualified(here.frame.module, target.value, here.frame.function)
            if owner == "os.environ":
                self._set(target.slice, value, here)
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitOr):
            owner = self.python.qualified(here.frame.module, node.target, here.frame.function)
            if owner == "os.environ":
                self._update(ast.Call(node.target, [value], []), here)

    def _set(
        self, key: ast.expr, value: ast.expr, here: _Here, *, only_unset: bool = False
    ) -> None:
        try:
            name = self.evaluator.evaluate(key, here.frame)
            text = self.evaluator.evaluate(value, here.frame)
        except WouldRaise:
            return
        if isinstance(name, Unknown) or not isinstance(name.value, str):
            self.evaluator.open_env = Unknown("the code sets variables", name.origins)
        elif not only_unset or name.value not in self.evaluator.env:
            self.evaluator.set_variable(name.value, text)

    def _exception(self, node: ast.Raise, here: _Here) -> tuple[str, ...]:
        """The names of what is raised: its class, and the classes above it."""
        target = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if target is None:
            return here.handling or ("Exception",)
        name = self.python.qualified(here.frame.module, target)
        return (name or "Exception", *self.evaluator.exception_bases(here.frame.module, target))

    def _if(self, node: ast.If, here: _Here) -> bool:
        if is_type_checking(node.test):
            return self._body(node.orelse, here)
        if _is_main_guard(node.test):
            script = here.frame.module.name == "__main__"
            return self._body(node.body if script else node.orelse, here)
        self._expression(node.test, here)
        try:
            test = self.evaluator.evaluate(node.test, here.frame)
        except WouldRaise:
            test = Unknown("the condition raises")
        holds = truth(test)
        if holds is None:
            perhaps = replace(here, certain=False)
            first = self._body(node.body, perhaps)
            return self._body(node.orelse, perhaps) and first
        if not holds:
            return self._body(node.orelse, self._given(here, test.origins))
        ended = False
        for part in self._true_parts(node.test, here):
            any_of = isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And)
            inner = replace(self._given(here, part.origins), any_of=any_of)
            ended = self._body(node.body, inner) or ended
        return ended

    def _given(self, here: _Here, origins: tuple[Origin, ...]) -> _Here:
        return replace(here, because=joined(here.because, origins))

    def _true_parts(self, test: ast.expr, here: _Here) -> list[Value[object]]:
        """The operands of an `or` that hold, each a reason of its own; else the test itself."""
        is_or = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or)
        parts = test.values if is_or and isinstance(test, ast.BoolOp) else [test]
        values = [self.evaluator.evaluate(part, here.frame) for part in parts]
        return [value for value in values if truth(value)]

    def _try(self, node: ast.Try | ast.TryStar, here: _Here) -> bool:
        inner = replace(here, handlers=(*here.handlers, *node.handlers))
        before = len(self.startup.failures)
        try:
            ended = self._body(node.body, inner)
        except _Caught as caught:
            handler = _handler(node, caught.names)
            if handler is None:
                self._body(node.finalbody, here)
                raise
            because = joined(here.because, caught.origins)
            inside = replace(here, because=because, handling=caught.names)
            ended = self._body(handler.body, inside)
        else:
            self._fallback_imports(node, here)
            if not ended and len(self.startup.failures) == before:
                ended = self._body(node.orelse, here)
        return self._body(node.finalbody, here) or ended

    def _fallback_imports(self, node: ast.Try | ast.TryStar, here: _Here) -> None:
        """`except ImportError:` imports count when the module that is tried is not there."""
        tried = [n for n in node.body if isinstance(n, (ast.Import, ast.ImportFrom))]
        if not any(self._fails(statement, here) for statement in tried):
            return
        for handler in node.handlers:
            for statement in handler.body:
                if isinstance(statement, (ast.Import, ast.ImportFrom)):
                    self._import(statement, here)

    def _fails(self, node: ast.Import | ast.ImportFrom, here: _Here) -> bool:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [self.python.imported(here.frame.module, node)]
        return any(isinstance(self.python.find(name), Missing) for name in names)

    def _for(self, node: ast.For | ast.AsyncFor, here: _Here) -> bool:
        self._expression(node.iter, here)
        try:
            source = self.evaluator.evaluate(node.iter, here.frame)
        except WouldRaise:
            return False
        items = pyvalues.items_of(source)
        if items is None or len(items) > _MAX_ITEMS:
            self._body(node.body, replace(here, certain=False))
            return False
        for item in items:
            frame = _copied(here.frame)
            self.evaluator.bind(node.target, item, frame)
            self._body(node.body, replace(here, frame=frame))
        return False

    def _with(self, node: ast.With | ast.AsyncWith, here: _Here) -> bool:
        suppressed: list[ast.ExceptHandler] = []
        for item in node.items:
            self._expression(item.context_expr, here)
            call = item.context_expr
            if isinstance(call, ast.Call):
                name = self.python.qualified(here.frame.module, call.func)
                if name == "contextlib.suppress":
                    kinds = ast.Tuple(list(call.args), ast.Load())
                    handler = ast.ExceptHandler(type=kinds, name=None, body=[])
                    suppressed.append(handler)
        try:
            return self._body(node.body, replace(here, handlers=(*here.handlers, *suppressed)))
        except _Caught as caught:
            if any(catches(handler, name) for handler in suppressed for name in caught.names):
                return False
            raise

    def _assert(self, node: ast.Assert, here: _Here) -> bool:
        self._expression(node.test, here)
        try:
            test = self.evaluator.evaluate(node.test, here.frame)
        except WouldRaise:
            return False
        if truth(test) is False:
            self._fail(("AssertionError",), node, test.origins, here)
        return False

    def _function(self, node: FunctionNode, here: _Here) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator, here)
            if _is_startup_hook(decorator):
                self.call(FunctionRef(here.frame.module, node), None, here)
        for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d)):
            self._expression(default, here)

    def _class(self, node: ast.ClassDef, here: _Here) -> None:
        for part in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self._expression(part, here)
        module = here.frame.module
        frame = Frame(module, dict(here.frame.names), here.frame.function, ClassRef(module, node))
        self._body(node.body, replace(here, frame=frame))

    # Expressions and calls

    def _expression(self, node: ast.expr, here: _Here) -> None:
        module = here.frame.module
        later: WouldRaise | None = None
        if module in self.entry or any(hint in module.source.text for hint in _ENV_HINTS):
            try:
                self.evaluator.evaluate(node, here.frame)
            except WouldRaise as error:
                if any(isinstance(origin, EnvRead) for origin in error.origins):
                    self._fail((error.exception, *error.bases), node, error.origins, here)
                else:
                    later = error  # a call on the way to it may serve
        self._calls_in(node, here)
        if later is not None:
            origins = joined(later.origins, here.because)
            self._fail((later.exception, *later.bases), node, origins, here)
        elif not here.caught("ImportError"):  # else an import before it may have failed
            unbound = nameerrors.first(node, here.frame, self.python)
            if unbound is not None:
                self._fail(("NameError",), unbound, here.because, here)
        if isinstance(node, (ast.Yield, ast.YieldFrom)) and here.frame.function is not None:
            raise _Paused

    def _calls_in(self, node: ast.expr, here: _Here) -> None:
        for call in calls(node):
            self._call_expression(call, here)

    def _call_expression(self, call: ast.Call, here: _Here) -> None:
        for keyword in call.keywords:
            if keyword.arg in ("lifespan", "on_startup"):
                self._startup_functions(keyword.value, here)
        self._search_change(call, here)
        self._environment_call(call, here)
        self._import_call(call, here)
        self._django_call(call, here)
        module, function = here.frame.module, here.frame.function
        if self.serving and here.certain and module.place(call.func) in self.serving:
            self._serves(call, here)
        found = self.python.definition(module, call.func, function)
        if found is not None and found.module is not None:
            if isinstance(found.node, FunctionNode):
                self.call(FunctionRef(found.module, found.node), call, here)
                return
            if isinstance(found.node, ast.ClassDef):
                self._instantiate(ClassRef(found.module, found.node), call, here)
                return
        if isinstance(call.func, ast.Attribute):
            self._method(call, call.func, here)

    def _serves(self, call: ast.Call, here: _Here) -> None:
        """A call that serves: only its arguments can still fail."""
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            try:
                self.evaluator.evaluate(inner, here.frame)
            except WouldRaise as error:
                self._fail((error.exception, *error.bases), call, error.origins, here)
        raise _Serving

    def _startup_functions(self, node: ast.expr, here: _Here) -> None:
        nodes = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
        for part in nodes:
            found = self.python.definition(here.frame.module, part, here.frame.function)
            if found and found.module and isinstance(found.node, FunctionNode):
                self.call(FunctionRef(found.module, found.node), None, here)

    def _search_change(self, call: ast.Call, here: _Here) -> None:
        """`sys.path.insert(0, …)` and `.append(…)` put a folder where modules are found."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("insert", "append"):
            return
        if self.python.qualified(here.frame.module, call.func.value) != "sys.path":
            return
        try:
            folder = self.evaluator.evaluate(call.args[-1], here.frame) if call.args else None
        except WouldRaise:
            return
        if isinstance(folder, Known) and isinstance(folder.value, str):
            path = folder.value
            if not path.startswith("/"):
                path = f"{here.frame.module.path.rpartition('/')[0]}/{path}"
            self.python.add_search(
                str(pyvalues.normal(PurePosixPath(path))),
                first=call.func.attr == "insert",
            )

    def _environment_call(self, call: ast.Call, here: _Here) -> None:
        """Calls that set environment variables, one by one or from a `.env` file."""
        if not isinstance(call.func, (ast.Attribute, ast.Name)):
            return
        name = self.python.qualified(here.frame.module, call.func, here.frame.function)
        if name == "os.environ.setdefault" and len(call.args) == 2:
            self._set(call.args[0], call.args[1], here, only_unset=True)
        elif name in ("os.environ.update", "os.putenv"):
            self._update(call, here)
        elif name in _LOADERS or getattr(call.func, "attr", "") == "read_env":
            self._load_dotenv(call, here)

    def _update(self, call: ast.Call, here: _Here) -> None:
        try:
            arguments, keywords = self.evaluator.arguments(call, here.frame)
        except WouldRaise:
            return
        given = dict(keywords)
        for argument in arguments:
            if isinstance(argument, Known) and isinstance(argument.value, dict):
                items = argument.value.items()
                given.update({k: v for k, v in items if isinstance(k, str)})
            else:
                self.evaluator.open_env = Unknown("the code sets variables", argument.origins)
        for name, value in given.items():
            self.evaluator.set_variable(name, value)

    def _load_dotenv(self, call: ast.Call, here: _Here) -> None:
        try:
            arguments, keywords = self.evaluator.arguments(call, here.frame)
        except WouldRaise:
            return
        path = keywords.get("dotenv_path", arguments[0] if arguments else None)
        if isinstance(path, Known) and path.value is None:
            path = None
        override = envfiles.is_true(keywords.get("override"))
        module = here.frame.module.path
        envfiles.load_env_file(self.evaluator, module, path, override=override)

    def _import_call(self, call: ast.Call, here: _Here) -> None:
        """`importlib.import_module("routers.orders")`."""
        function = here.frame.function
        if self.python.qualified(here.frame.module, call.func, function) not in (
            "importlib.import_module",
            "__import__",
        ):
            return
        try:
            name = self.evaluator.evaluate(call.args[0], here.frame) if call.args else None
        except WouldRaise:
            return
        if isinstance(name, Known) and isinstance(name.value, str):
            found = self.python.find(name.value)
            if isinstance(found, Module):
                self.load(found, here.frame.module.place(call), here)

    def _django_call(self, call: ast.Call, here: _Here) -> None:
        """`get_wsgi_application()` and its kin import the module of settings."""
        if self.python.qualified(here.frame.module, call.func, here.frame.function) not in _DJANGO:
            return
        name = self.evaluator.env.get("DJANGO_SETTINGS_MODULE")
        if isinstance(name, Known):
            found = self.python.find(name.value)
            if isinstance(found, Module):
                self.load(found, here.frame.module.place(call), here)

    def _method(self, call: ast.Call, func: ast.Attribute, here: _Here) -> None:
        if not self._may_be_instance(func.value, here):
            return
        try:
            owner = self.evaluator.evaluate(func.value, here.frame)
        except WouldRaise:
            return
        if not isinstance(owner, Known):
            return
        if isinstance(owner.value, Instance):
            cls, instance = owner.value.cls, owner.value
        elif isinstance(owner.value, ClassRef):
            cls, instance = owner.value, Instance(owner.value)
        else:
            return
        for module, node in self.evaluator.ancestry(cls):
            for statement in node.body:
                if isinstance(statement, FunctionNode) and statement.name == func.attr:
                    static = any(
                        getattr(d, "id", "") == "staticmethod" for d in statement.decorator_list
                    )
                    ref = FunctionRef(module, statement, None if static else instance)
                    self.call(ref, call, here)
                    return

    def _may_be_instance(self, node: ast.expr, here: _Here) -> bool:
        """Leaves out what certainly belongs to a library, which is most method calls."""
        found = self.python.definition(here.frame.module, node, here.frame.function)
        return found is None or found.module is not None or isinstance(node, ast.Call)

    def _instantiate(self, cls: ClassRef, call: ast.Call, here: _Here) -> None:
        module = here.frame.module
        caught = here.caught("pydantic.ValidationError")
        made = Made(module.place(call), call, module, here.certain, caught)
        known = self.startup.made.setdefault(cls.node, [])
        if made not in known:
            known.append(made)
        instance = Instance(cls, call, here.frame.module)
        for module, node in self.evaluator.ancestry(cls):
            for statement in node.body:
                name = getattr(statement, "name", None)
                if isinstance(statement, FunctionNode) and name in ("__init__", "__post_init__"):
                    self.call(FunctionRef(module, statement, instance), call, here)
                    return

    def call(self, ref: FunctionRef, call: ast.Call | None, here: _Here) -> None:
        """Walk the body of a function of the image that is called while loading, once."""
        if ref.node in self._called or here.calls >= _MAX_CALLS:
            return
        self._called.add(ref.node)
        arguments: list[object] = []
        keywords: dict[str, object] = {}
        if call is not None:
            try:
                given, named = self.evaluator.arguments(call, here.frame)
                arguments, keywords = list(given), dict(named)
            except WouldRaise:
                arguments, keywords = [], {}
        names = self.evaluator.bound_arguments(ref, arguments, keywords)  # type: ignore[arg-type]
        frame = Frame(ref.module, names, ref.node)
        with suppress(_Paused):
            self._body(ref.node.body, replace(here, frame=frame, calls=here.calls + 1))

    def _fail(
        self, names: tuple[str, ...], node: ast.AST, origins: tuple[Origin, ...], here: _Here
    ) -> None:
        """Note that the code raises here, or unwind to the `try` that catches it."""
        if not here.certain:
            return
        if any(catches(handler, name) for handler in here.handlers for name in names):
            raise _Caught(names, origins)
        exception = names[0]
        module = here.frame.module
        key = (module.path, module.span(node).start, origins)
        if key not in self._failed:
            self._failed.add(key)
            self.startup.failures.append(Failure(exception, module, node, origins, here.any_of))


def _handler(node: ast.Try | ast.TryStar, names: tuple[str, ...]) -> ast.ExceptHandler | None:
    """The handler of a `try` that catches an exception with these names."""
    for handler in node.handlers:
        if any(catches(handler, name) for name in names):
            return handler
    return None


def _copied(frame: Frame) -> Frame:
    return Frame(
        frame.module,
        dict(frame.names),
        frame.function,
        frame.cls,
        frame.calls,
        frame.tracking,
    )


def _raises(body: Sequence[ast.stmt]) -> bool:
    """Whether a handler's body raises again or ends the process."""
    for statement in body:
        if isinstance(statement, ast.Raise):
            return True
        if isinstance(statement, ast.Expr) and isinstance(call := statement.value, ast.Call):
            name = (
                call.func.attr
                if isinstance(call.func, ast.Attribute)
                else getattr(call.func, "id", "")
            )
            if name in ("exit", "_exit", "quit", "abort"):
                return True
    return False


def _is_main_guard(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or len(test.comparators) != 1:
        return False
    sides = (test.left, test.comparators[0])
    names = {side.id for side in sides if isinstance(side, ast.Name)}
    texts = {side.value for side in sides if isinstance(side, ast.Constant)}
    return names == {"__name__"} and texts == {"__main__"}


def _is_startup_hook(decorator: ast.expr) -> bool:
    """`@app.on_event("startup")` and Quart's `@app.before_serving`."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not isinstance(target, ast.Attribute):
        return False
    if target.attr == "before_serving":
        return True
    if target.attr != "on_event" or not isinstance(decorator, ast.Call) or not decorator.args:
        return False
    event = decorator.args[0]
    return isinstance(event, ast.Constant) and event.value == "startup"
