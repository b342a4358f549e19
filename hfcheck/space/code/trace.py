"""What an expression is made of: the environment variables and texts that could take part in it.

Follows names, attributes of settings objects, functions of the image, arguments to their calls,
and changes such as `origins.append(...)`. It takes in too much rather than too little, so it can
say that nothing could change a value, never what the value is.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hfcheck.source import Place
from hfcheck.space.code.python import FunctionNode, Module, Python, function_bindings, statements
from hfcheck.space.code.scan import Scan, Site, scan
from hfcheck.space.value import Origin

_MOST_STEPS = 4000
"""An expression that leads to more places than this is not followed further."""
_CHANGES = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})
_READERS = frozenset(
    {
        "os.getenv",
        "os.environ.get",
        "os.environ.setdefault",
        "os.environ.pop",
        "decouple.config",
        "starlette.config.Config",
    }
)


@dataclass(frozen=True, slots=True)
class Source:
    """A read of the environment: the variables' names (any of them sets it), the reading node,
    and, for a field of a settings class, the class and the field's name.
    """

    names: tuple[str, ...]
    site: Site
    cls: ast.ClassDef | None = None
    field: str = ""

    @property
    def place(self) -> Place:
        """Where the variable is read."""
        node = self.site.node
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and self.cls is not None:
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            return self.site.module.place(target)
        return self.site.module.place(node)


@dataclass(slots=True)
class Trace:
    """Everything that could take part in a value: environment reads, texts, the identifiers on the
    way, the sites of all expressions, and whether following it was given up. `tests` are the
    conditions that choose among values, `switches` the environment reads in them, `chosen` the
    values that they choose.
    """

    sources: list[Source] = field(default_factory=list)
    texts: list[tuple[str, Place]] = field(default_factory=list)
    identifiers: set[str] = field(default_factory=set)
    sites: list[Site] = field(default_factory=list)
    tests: list[Site] = field(default_factory=list)
    switches: list[Source] = field(default_factory=list)
    chosen: list[Site] = field(default_factory=list)
    complete: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the environment variables, each once, in the order they were met."""
        return tuple(dict.fromkeys(name for source in self.sources for name in source.names))

    @property
    def switch_names(self) -> tuple[str, ...]:
        """The names of the variables that only choose among values."""
        names = (name for source in self.switches for name in source.names)
        return tuple(dict.fromkeys(name for name in names if name not in self.names))

    def origins(self) -> tuple[Origin, ...]:
        """The places where the variables are read."""
        reads = (*self.sources, *self.switches)
        return tuple(Origin(s.place, f"reads {' or '.join(s.names)}") for s in reads)


class Tracer:
    """Follows expressions through `modules`."""

    def __init__(self, python: Python, modules: Sequence[Module]) -> None:
        self.python = python
        self.scans: dict[int, Scan] = {id(module): scan(module) for module in modules}
        self._others: dict[int, Scan] = {}
        self._calls: dict[str, list[Site]] = defaultdict(list)
        self._changes: dict[tuple[int, str], list[Site]] = defaultdict(list)
        for each in self.scans.values():
            for site in each.calls:
                assert isinstance(site.node, ast.Call)
                self._calls[last_name(site.node.func)].append(site)
                self._note_change(site)

    def _note_change(self, site: Site) -> None:
        call = site.node
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            return
        base = call.func.value
        if call.func.attr in _CHANGES and isinstance(base, (ast.Name, ast.Attribute)):
            self._changes[id(site.module), last_name(base)].append(site)

    def scan_of(self, module: Module) -> Scan:
        """The scan of a module, made when it is first asked for."""
        known = self.scans.get(id(module)) or self._others.get(id(module))
        if known is None:
            known = self._others[id(module)] = scan(module)
        return known

    def calls_named(self, name: str) -> list[Site]:
        """The calls in the modules whose function's last name is `name`."""
        return self._calls.get(name, [])

    def all_calls(self) -> Iterator[Site]:
        """Every call in the modules."""
        for each in list(self.scans.values()):
            yield from each.calls

    def qualified(self, site: Site, node: ast.expr) -> str:
        """The full dotted name of an expression at a site; empty where it has none."""
        return self.python.qualified(site.module, node, site.function) or ""

    def trace(self, start: Site, stops: frozenset[int] = frozenset()) -> Trace:
        """What the expression at `start` is made of; nodes whose identity is in `stops` are noted
        and not looked into.
        """
        found = Trace()
        seen: set[tuple[int, int]] = set()
        self._follow([start], found, seen, stops)
        choosing = Trace(tests=found.tests)
        while choosing.tests and choosing.complete:
            waiting, choosing.tests = choosing.tests, []
            self._follow(waiting, choosing, seen, stops)
        found.switches = choosing.sources
        found.complete = found.complete and choosing.complete
        return found

    def _follow(
        self,
        stack: list[Site],
        found: Trace,
        seen: set[tuple[int, int]],
        stops: frozenset[int],
    ) -> None:
        while stack:
            site = stack.pop()
            key = (id(site.node), id(site.function))
            if key in seen:
                continue
            seen.add(key)
            if len(seen) > _MOST_STEPS:
                found.complete = False
                break
            if id(site.node) in stops:
                found.sites.append(site)
                continue
            stack.extend(self.step(site, found))

    def step(self, site: Site, found: Trace) -> list[Site]:
        """What an expression is made of, one step away; what it shows is added to `found`."""
        node = site.node
        found.sites.append(site)
        self._note_guards(site, node, found)
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                found.texts.append((node.value, site.module.place(node)))
            return []
        if isinstance(node, ast.Name):
            found.identifiers.add(node.id)
            for statement in _imports(site, node.id):
                self._note_guards(site, statement, found)
            return [*self._binders(site, node.id, found), *self._changed(site, node.id, found)]
        if isinstance(node, ast.Attribute):
            found.identifiers.add(node.attr)
            members = list(self._members(site, node, found))
            if not members:
                return [site.at(node.value)]
            found.tests.append(site.at(node.value))
            return members
        if isinstance(node, ast.Call):
            return self._call(site, node, found)
        if isinstance(node, ast.Subscript) and self._is_environ(site, node.value):
            name = _text(node.slice)
            if name is not None:
                found.sources.append(Source((name,), site))
                return []
        if isinstance(node, ast.Subscript):
            found.tests.append(site.at(node.slice))
            return [site.at(node.value)]
        if isinstance(node, ast.IfExp):
            found.tests.append(site.at(node.test))
            found.chosen += [site.at(node.body), site.at(node.orelse)]
            return [site.at(node.body), site.at(node.orelse)]
        return [site.at(child) for child in ast.iter_child_nodes(node)]

    def _note_guards(self, site: Site, node: ast.AST, found: Trace) -> None:
        """Note the conditions under which a value is bound or returned, or an import runs."""
        guards = self.scan_of(site.module).guarded.get(id(node), ())
        found.tests.extend(site.at(guard.test) for guard in guards)
        if guards:
            found.chosen.append(site.at(node))

    def _call(self, site: Site, node: ast.Call, found: Trace) -> list[Site]:
        name = self._read_name(site, node)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name is not None:
            found.sources.append(Source((name,), site))
            arguments = [a for a in arguments if a is not node.args[0]]
        following = [site.at(argument) for argument in arguments]
        if isinstance(node.func, ast.Attribute):
            following.append(site.at(node.func))
        elif isinstance(node.func, ast.Name):
            found.identifiers.add(node.func.id)
            definition = self.python.definition(site.module, node.func, site.function)
            if definition and definition.module:
                if isinstance(definition.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    following.extend(returns(definition.node, definition.module))
                elif isinstance(definition.node, ast.ClassDef):
                    found.identifiers.add(definition.node.name)
        return following

    def _read_name(self, site: Site, node: ast.Call) -> str | None:
        """The variable that a call reads, where it is one of the known ways to read one."""
        name = _text(node.args[0]) if node.args else None
        if name is None:
            return None
        qualified = self.qualified(site, node.func)
        if qualified in _READERS:
            return name
        base = node.func
        while isinstance(base, ast.Attribute):
            base = base.value
        if not isinstance(base, ast.Name):
            return None
        made = self.python.definition(site.module, base, site.function)
        value = getattr(made.node, "value", None) if made and made.node else None
        if not isinstance(value, ast.Call) or made is None or made.module is None:
            return None
        maker = self.python.qualified(made.module, value.func) or ""
        reader = maker.partition(".")[0] in {"environs", "environ", "decouple"}
        return name if reader or maker.startswith("starlette.config") else None

    def _is_environ(self, site: Site, node: ast.expr) -> bool:
        return self.qualified(site, node) == "os.environ"

    def _changed(self, site: Site, name: str, found: Trace) -> Iterator[Site]:
        for change in self._changes.get((id(site.module), name), ()):
            call = change.node
            assert isinstance(call, ast.Call)
            arguments = [change.at(argument) for argument in call.args]
            yield from arguments
            if change.guards:
                found.tests.extend(change.at(guard.test) for guard in change.guards)
                found.chosen.extend(arguments)

    def _binders(self, site: Site, name: str, found: Trace) -> Iterator[Site]:
        """The expressions that a name is bound to, in its function, its module, or elsewhere."""
        if site.function is not None:
            local = function_bindings(site.function).get(name)
            if local:
                for binding in local:
                    yield from bound_values(binding.node, site)
                return
            if any(argument.arg == name for argument in all_arguments(site.function)):
                yield from self._passed(site, site.function, name)
                return
        definition = self.python.definition(site.module, ast.Name(name), None)
        if definition is None or definition.module is None or definition.node is None:
            return
        home = definition.module
        top = Site(definition.node, home)
        others = home.bindings.get(definition.qualified.rpartition(".")[2], [])
        nodes = [b.node for b in others if b.alias is None] or [definition.node]
        for node in nodes:
            yield from bound_values(node, top)
        if home is not site.module:
            yield from self._changed(top, definition.qualified.rpartition(".")[2], found)

    def _passed(self, site: Site, function: FunctionNode, name: str) -> Iterator[Site]:
        """What the calls of a function give to one of its parameters, and its default."""
        cls = self.scan_of(site.module).classes.get(id(function))
        called = function.name
        if cls is not None and function.name in ("__init__", "__new__"):
            called = cls.name
        default = default_of(function, name)
        if default is not None:
            yield Site(default, site.module)
        for call in self.calls_named(called):
            assert isinstance(call.node, ast.Call)
            argument = argument_for(call.node, function, name, bound=cls is not None)
            if argument is not None:
                yield call.at(argument)

    def _members(self, site: Site, node: ast.Attribute, found: Trace) -> Iterator[Site]:
        """The expressions behind `something.attr`: a module's name, or a member of a class of the
        image, when the class of `something` can be told.
        """
        definition = self.python.definition(site.module, node, site.function)
        if definition and definition.module and definition.node is not None:
            is_module = isinstance(definition.node, ast.Module)
            if not is_module and not isinstance(definition.node, ast.ClassDef):
                owner = self._owner_class(site, node)
                home = Site(definition.node, definition.module, cls=owner)
                yield from self._member(home, node.attr, found)
                return
        lineage = self.lineage(self.class_of(site, node.value))
        prefix = env_prefix([cls for cls, _ in lineage])
        for cls, module in lineage:
            for statement in statements(cls.body):
                if node.attr in _defined(statement):
                    home = Site(statement, module, cls=cls)
                    yield from self._member(home, node.attr, found, prefix)
            yield from self._self_values(cls, module, node.attr)

    def _owner_class(self, site: Site, node: ast.Attribute) -> ast.ClassDef | None:
        base = self.python.definition(site.module, node.value, site.function)
        return base.node if base and isinstance(base.node, ast.ClassDef) else None

    def _member(self, site: Site, name: str, found: Trace, prefix: str = "") -> Iterator[Site]:
        node = site.node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from returns(node, site.module, site.cls)
            return
        if site.cls is not None and self._is_settings(site.cls, site.module):
            names = tuple(field_names(site, name, prefix))
            found.sources.append(Source(names, site, site.cls, name))
        yield from bound_values(node, site)

    def _self_values(self, cls: ast.ClassDef, module: Module, name: str) -> Iterator[Site]:
        for statement in cls.body:
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for inner in ast.walk(statement):
                if not isinstance(inner, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                    continue
                targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
                if any(isinstance(t, ast.Attribute) and t.attr == name for t in targets):
                    yield from bound_values(inner, Site(inner, module, statement, cls))

    def class_of(self, site: Site, node: ast.expr) -> Site | None:
        """The class of the image that `node` is, or is an instance of."""
        for _ in range(8):
            if isinstance(node, ast.Name) and node.id in ("self", "cls"):
                return Site(site.cls, site.module) if site.cls else None
            if isinstance(node, ast.Call):
                node = node.func
                continue
            definition = self.python.definition(site.module, node, site.function)
            if definition is None or definition.module is None or definition.node is None:
                return None
            target, module = definition.node, definition.module
            if isinstance(target, ast.ClassDef):
                return Site(target, module)
            function: FunctionNode | None = None
            if isinstance(target, (ast.FunctionDef, ast.AsyncFunctionDef)):
                given = [r.node for r in returns(target, module) if isinstance(r.node, ast.expr)]
                annotated = isinstance(node, ast.Name) and target is site.function
                if annotated and isinstance(node, ast.Name):
                    hint = annotation_of(target, node.id)
                    if hint is None:
                        return None
                    node, site = hint, Site(hint, module)
                    continue
                if not given:
                    return None
                node, function = given[-1], target
            else:
                inner = getattr(target, "value", None)
                if not isinstance(inner, ast.expr):
                    return None
                node = inner
                local = site.function is not None and module is site.module
                function = site.function if local and _stands_in(target, site.function) else None
            site = Site(node, module, function)
        return None

    def lineage(self, start: Site | None) -> list[tuple[ast.ClassDef, Module]]:
        """A class and its bases in the image, nearest first."""
        found: list[tuple[ast.ClassDef, Module]] = []
        waiting = [start] if start is not None else []
        while waiting and len(found) < 50:
            site = waiting.pop(0)
            if not isinstance(site.node, ast.ClassDef) or any(c is site.node for c, _ in found):
                continue
            found.append((site.node, site.module))
            for base in site.node.bases:
                definition = self.python.definition(site.module, base)
                if definition and definition.module and isinstance(definition.node, ast.ClassDef):
                    waiting.append(Site(definition.node, definition.module))
        return found

    def outside_bases(self, start: Site) -> list[str]:
        """The qualified names of the bases, of a class or its bases, that no file gives."""
        names: list[str] = []
        for cls, module in self.lineage(start):
            for base in cls.bases:
                definition = self.python.definition(module, base)
                if definition is not None and definition.node is None:
                    names.append(definition.qualified)
        return names

    def _is_settings(self, cls: ast.ClassDef, module: Module) -> bool:
        return any(
            base.rpartition(".")[2] == "BaseSettings"
            for base in self.outside_bases(Site(cls, module))
        )


def _imports(site: Site, name: str) -> list[ast.AST]:
    """The imports that a name may come from."""
    found = list(site.module.bindings.get(name, ()))
    if site.function is not None:
        found += function_bindings(site.function).get(name, ())
    return [b.node for b in found if b.alias is not None] if found else [*site.module.stars]


def field_names(site: Site, field_name: str, prefix: str = "") -> Iterator[str]:
    """The variables that set a settings field: its aliases as they stand, else its name with the
    class's prefix, in upper case as it is written in a Space's settings.
    """
    value = getattr(site.node, "value", None)
    aliases: list[str] = []
    if isinstance(value, ast.Call):
        for keyword in value.keywords:
            if keyword.arg in ("alias", "validation_alias", "env"):
                texts = map(_text, ast.walk(keyword.value))
                aliases.extend(text for text in texts if text is not None)
    yield from aliases or [f"{prefix}{field_name}".upper()]


def env_prefix(classes: Sequence[ast.ClassDef]) -> str:
    """The `env_prefix` of a settings class, given with its bases, nearest first."""
    for cls in classes:
        for statement in cls.body:
            if isinstance(statement, ast.ClassDef) and statement.name == "Config":
                for inner in statement.body:
                    if "env_prefix" in _defined(inner):
                        return _text(getattr(inner, "value", None) or inner) or ""
            if "model_config" not in _defined(statement):
                continue
            value = getattr(statement, "value", None)
            if isinstance(value, ast.Call):
                for keyword in value.keywords:
                    if keyword.arg == "env_prefix":
                        return _text(keyword.value) or ""
            if isinstance(value, ast.Dict):
                for key, given in zip(value.keys, value.values, strict=True):
                    if key is not None and _text(key) == "env_prefix":
                        return _text(given) or ""
    return ""


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name; empty where the expression is none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def returns(function: FunctionNode, module: Module, cls: ast.ClassDef | None = None) -> list[Site]:
    """The values that a function returns, as sites inside it."""
    found: list[Site] = []
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, (ast.Return, ast.Yield)) and node.value is not None:
            found.append(Site(node.value, module, function, cls))
        stack.extend(reversed(list(ast.iter_child_nodes(node))))
    return found


def all_arguments(function: FunctionNode) -> list[ast.arg]:
    """The parameters of a function, in order."""
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def annotation_of(function: FunctionNode, name: str) -> ast.expr | None:
    """The annotation of a parameter."""
    return next((a.annotation for a in all_arguments(function) if a.arg == name), None)


def default_of(function: FunctionNode, name: str) -> ast.expr | None:
    """The default of a parameter."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    offset = len(positional) - len(arguments.defaults)
    for index, argument in enumerate(positional):
        if argument.arg == name and index >= offset:
            return arguments.defaults[index - offset]
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if argument.arg == name:
            return default
    return None


def argument_for(
    call: ast.Call, function: FunctionNode, name: str, *, bound: bool
) -> ast.expr | None:
    """What a call gives to the parameter `name`; `bound` where `self` comes by itself."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    positional = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if bound and positional:
        positional = positional[1:]
    if name in positional:
        index = positional.index(name)
        if index < len(call.args) and not any(isinstance(a, ast.Starred) for a in call.args):
            return call.args[index]
    return None


def bound_values(node: ast.AST, site: Site) -> Iterator[Site]:
    """The expressions that a binding statement takes its value from."""
    values: list[ast.AST | None] = []
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        values = [node.value]
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        values = [node.iter]
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        values = [item.context_expr for item in node.items]
    for value in values:
        if value is not None:
            yield site.at(value)


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [statement.name]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    if isinstance(statement, ast.Assign):
        return [t.id for t in statement.targets if isinstance(t, ast.Name)]
    return []


def _stands_in(node: ast.AST, function: FunctionNode | None) -> bool:
    return function is not None and any(
        binding.node is node for found in function_bindings(function).values() for binding in found
    )


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
