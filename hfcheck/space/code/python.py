"""The Python world of an image: which modules exist and what names mean.

Only `ast` reads; nothing is imported or run.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from hfcheck.source import Place, ReadProblem, SourceFile, Span
from hfcheck.space.image.entries import ImageFile, ImageFolder, Unclear

if TYPE_CHECKING:
    from hfcheck.space.image.image import Image

_MAX_DEPTH = 90
"""Bracket nesting up to which libcst is asked (it crashes the process at some thousands)."""

_MAX_QUESTIONS = 400
"""Re-exports that are followed for one name."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_trees: WeakKeyDictionary[SourceFile, ast.Module] = WeakKeyDictionary()
"""What files parse to, as long as they are in use: several `Python`s read the same image."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One place at module level (or in a function) that binds a name.

    `node` is the Import, ImportFrom, ClassDef, function, or assignment; `alias` the imported name
    for imports. `fallback` is true inside an `except` handler or under `TYPE_CHECKING`: such a
    binding counts only where there is no other.
    """

    node: ast.AST
    alias: ast.alias | None = None
    fallback: bool = False


@dataclass(eq=False)
class Module:
    """A Python file of the image that parses. `name` is its dotted name (`__main__` for a
    script), `path` its place in the image.
    """

    name: str
    path: str
    source: SourceFile
    tree: ast.Module
    package: bool = False

    def span(self, node: ast.AST) -> Span:
        """The span of an AST node that has a position."""
        located = node
        if not isinstance(located, (ast.stmt, ast.expr, ast.alias, ast.arg, ast.keyword)):
            return Span(0, 0)
        start = self.source.offset_of_utf8(located.lineno, located.col_offset)
        if located.end_lineno is None or located.end_col_offset is None:
            return Span(start, start)
        return Span(start, self.source.offset_of_utf8(located.end_lineno, located.end_col_offset))

    def place(self, node: ast.AST) -> Place:
        """The place of an AST node; for a class or function only its name."""
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            head = self.span(node)
            start = self.source.text.find(node.name, head.start)
            if start >= 0:
                return self.source.place(start, start + len(node.name))
        return Place(self.source, self.span(node))

    @cached_property
    def bindings(self) -> dict[str, list[Binding]]:
        """Every binding at module level by name, in order (branches of if and try included)."""
        return bindings(self.tree.body)

    @cached_property
    def stars(self) -> list[ast.ImportFrom]:
        """The `from x import *` statements at module level."""
        return [
            node
            for node in statements(self.tree.body)
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        ]

    @property
    def package_name(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.package else self.name.rpartition(".")[0]


class MainModule(Module):
    """A module that `python -m` runs: named `__main__`, with relative imports as before."""

    home = ""

    @property
    def package_name(self) -> str:
        """The package that the module is in."""
        return self.home


def as_main(module: Module, name: str) -> MainModule:
    """The module of this dotted name as `python -m` would run it."""
    made = MainModule("__main__", module.path, module.source, module.tree, module.package)
    made.home = name.rpartition(".")[0]
    return made


@dataclass(frozen=True, slots=True)
class Broken:
    """A Python file on the path that does not parse. `newer` is true where the syntax may only be
    newer than the Python that runs hfcheck.
    """

    name: str
    path: str
    source: SourceFile
    message: str
    place: Place
    newer: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A Python file that is there but can't be read as text."""

    name: str
    path: str
    problem: ReadProblem


@dataclass(frozen=True, slots=True)
class External:
    """A module that no file of the image gives: installed, standard library, or missing."""

    name: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A submodule that its package, which is in the image, does not have."""

    name: str
    package: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """A folder without `__init__.py`, importable as a namespace package."""

    name: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undecided:
    """Whether there is such a module can't be known, and why."""

    name: str
    reason: str


Found = Module | Broken | Unreadable | External | Missing | Namespace | Undecided


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a name is bound, after following imports and re-exports: the module and the node that
    binds it (ClassDef, function, Assign, AnnAssign, ...; for a module itself its tree). For a name
    that leaves the image `node` is None and `qualified` is all there is.
    """

    module: Module | None
    node: ast.AST | None
    qualified: str


class Python:
    """Modules found on `search` (absolute image folders, first wins) inside `image`, and then in
    the folders of the projects that the build installs.
    """

    def __init__(self, image: Image, search: Sequence[str]) -> None:
        self.image = image
        self.search = list(dict.fromkeys((*search, *image.import_folders())))
        self._installed = set(self.search) - set(search)
        self._found: dict[str, Found] = {}
        self._files: dict[str, Found] = {}
        self._aliasing: list[Module] = []
        self._defined: dict[tuple[Module, str], Definition | None] = {}
        self._asked: set[tuple[Module, str]] = set()

    def add_search(self, folder: str, *, first: bool) -> None:
        """Put a folder on the search path, as `sys.path.insert(0, …)` or `.append(…)` does."""
        if folder in self.search:
            return
        self.search.insert(0 if first else len(self.search), folder)
        self._found = {n: f for n, f in self._found.items() if isinstance(f, (Module, Broken))}
        self._defined.clear()

    def find(self, name: str) -> Found:
        """The module of a dotted name, as the import system would find it."""
        if name not in self._found:
            self._found[name] = External(name)  # while it is looked for: ends cycles
            self._found[name] = self._look_for(name)
        return self._found[name]

    def script(self, path: str) -> Found:
        """The module `__main__` that running this image path makes."""
        entry = self.image.lookup(path)
        if isinstance(entry, ImageFolder):
            entry = self.image.lookup(f"{path.rstrip('/')}/__main__.py")
        if isinstance(entry, ImageFile):
            return self._load("__main__", entry, package=False)
        if isinstance(entry, Unclear):
            return Undecided("__main__", entry.reason)
        return Missing("__main__", path)

    def _look_for(self, name: str) -> Found:
        parent, _, last = name.rpartition(".")
        if not parent:
            # Installed projects come after the standard library.
            late = self._installed if _is_stdlib(name) else ()
            folders = [folder for folder in self.search if folder not in late]
            return self._search_folders(name, last, folders, External(name))
        package = self.find(parent)
        if isinstance(package, Namespace):
            return self._search_folders(name, last, package.paths, Missing(name, parent))
        if isinstance(package, Module) and package.package:
            folder = package.path.rpartition("/")[0]
            return self._search_folders(name, last, [folder], Missing(name, parent))
        if isinstance(package, Module):
            return Missing(name, parent)
        if isinstance(package, External):
            return External(name)
        return Undecided(name, f"`{parent}` is not known")

    def _search_folders(
        self, name: str, last: str, folders: Sequence[str], otherwise: Found
    ) -> Found:
        unclear: Undecided | None = None
        namespaces: list[str] = []
        for folder in folders:
            base = f"{folder.rstrip('/')}/{last}"
            for path, package in ((f"{base}/__init__.py", True), (f"{base}.py", False)):
                entry = self.image.lookup(path)
                if isinstance(entry, ImageFile):
                    return self._load(name, entry, package=package)
                if isinstance(entry, Unclear) and unclear is None:
                    unclear = Undecided(name, entry.reason)
            if isinstance(self.image.lookup(base), ImageFolder):
                namespaces.append(base)
        if namespaces and unclear is None:
            return Namespace(name, tuple(namespaces))
        if unclear and not namespaces and otherwise == External(name) and _is_stdlib(name):
            return otherwise
        return unclear or otherwise

    def _load(self, name: str, entry: ImageFile, *, package: bool) -> Found:
        known = self._files.get(entry.path)
        if known is not None and getattr(known, "name", name) == name:
            return known
        found = load_module(name, entry, package=package)
        self._files[entry.path] = found
        return found

    def imported(self, module: Module, node: ast.ImportFrom) -> str:
        """The absolute dotted name of the module that a `from … import` names."""
        if not node.level:
            return node.module or ""
        parts = module.package_name.split(".") if module.package_name else []
        base = parts[: len(parts) - (node.level - 1)] if node.level > 1 else parts
        return ".".join([*base, *([node.module] if node.module else [])])

    def definition(
        self, module: Module, node: ast.expr, function: FunctionNode | None = None
    ) -> Definition | None:
        """Where the name or dotted attribute that `node` is gets defined.

        `function` is the function that the expression stands in: its own imports and assignments
        come first. None where the expression is no dotted name.
        """
        if isinstance(node, ast.Name):
            return self._named(module, node.id, function)
        if isinstance(node, ast.Attribute):
            base = self.definition(module, node.value, function)
            return self._attribute(base, node.attr) if base else None
        return None

    def qualified(
        self, module: Module, node: ast.expr, function: FunctionNode | None = None
    ) -> str | None:
        """The full dotted name that an expression stands for (`pydantic_settings.BaseSettings`),
        following imports, aliases and re-exports of the image; None where it is no plain name.
        A name that is defined in the image gives `its.module.Name`; a builtin its bare name.
        """
        found = self.definition(module, node, function)
        return found.qualified if found else None

    def _named(self, module: Module, name: str, function: FunctionNode | None) -> Definition | None:
        if function is not None:
            local = _choose(function_bindings(function).get(name, []))
            if local is not None:
                return self._bound(module, name, local)
            if any(arg.arg == name for arg in _arguments(function)):
                return Definition(module, function, f"{module.name}.{function.name}.{name}")
        return self.attribute_of(module, name) or (
            Definition(None, None, name) if hasattr(builtins, name) else None
        )

    def attribute_of(self, module: Module, name: str) -> Definition | None:
        """Where an attribute of a module gets defined; None where nothing binds it."""
        key = (module, name)
        if key in self._defined:
            return self._defined[key]
        if key in self._asked or len(self._asked) > _MAX_QUESTIONS:
            return None  # modules that import each other's names
        outermost = not self._asked
        self._asked.add(key)
        try:
            found = self._look_up(module, name)
        finally:
            if outermost:
                self._asked.clear()
        if found is not None or outermost:
            self._defined[key] = found
        return found

    def _look_up(self, module: Module, name: str) -> Definition | None:
        binding = _choose(module.bindings.get(name, []))
        if binding is not None:
            return self._bound(module, name, binding)
        for star in reversed(module.stars):
            source = self.find(self.imported(module, star))
            if isinstance(source, Module) and source is not module:
                found = self.attribute_of(source, name)
                if found is not None:
                    return found
        if module.package and isinstance(sub := self.find(f"{module.name}.{name}"), Module):
            return Definition(sub, sub.tree, sub.name)
        return None

    def _bound(self, module: Module, name: str, binding: Binding) -> Definition:
        here = Definition(module, binding.node, f"{module.name}.{name}")
        if binding.alias is None:
            return self._aliased(module, binding.node) or here
        if isinstance(binding.node, ast.Import):
            target = binding.alias.name if binding.alias.asname else name
            return self._module_definition(target)
        assert isinstance(binding.node, ast.ImportFrom)
        source = self.imported(module, binding.node)
        found = self.find(source)
        if isinstance(found, Module):
            if found is not module or binding.alias.name != name:
                inner = self.attribute_of(found, binding.alias.name)
                if inner is not None:
                    return inner
            return self._module_definition(f"{source}.{binding.alias.name}")
        if isinstance(found, Namespace):
            return self._module_definition(f"{source}.{binding.alias.name}")
        return Definition(None, None, f"{source}.{binding.alias.name}")

    def _aliased(self, module: Module, node: ast.AST) -> Definition | None:
        """A plain `X = some.Name` at module level means the same as the name it copies."""
        if not isinstance(node, ast.Assign) or len(self._aliasing) > 10:
            return None
        if not isinstance(node.value, (ast.Name, ast.Attribute)):
            return None
        targets = {t.id for t in node.targets if isinstance(t, ast.Name)}
        head = node.value
        while isinstance(head, ast.Attribute):
            head = head.value  # type: ignore[assignment]
        if not isinstance(head, ast.Name) or head.id in targets:
            return None
        binding = _choose(module.bindings.get(head.id, []))
        if binding is None:
            return None
        if binding.alias is None and not isinstance(binding.node, ast.ClassDef):
            return None
        if self._aliasing.count(module) > 3:  # two modules whose names copy each other's
            return None
        self._aliasing.append(module)
        try:
            return self._followed(module, head.id, binding, node.value)
        finally:
            self._aliasing.pop()

    def _followed(
        self, module: Module, name: str, binding: Binding, value: ast.expr
    ) -> Definition | None:
        base = self._bound(module, name, binding)
        for attribute in _trail(value):
            if not isinstance(base.node, (ast.Module, ast.ClassDef, type(None))):
                return None
            step = self._attribute(base, attribute)
            if step is None:
                return None
            base = step
        value_kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        return base if base.node is None or isinstance(base.node, value_kinds) else None

    def _module_definition(self, name: str) -> Definition:
        found = self.find(name)
        if isinstance(found, Module):
            return Definition(found, found.tree, name)
        return Definition(None, None, name)

    def _attribute(self, base: Definition, name: str) -> Definition | None:
        if isinstance(base.node, ast.Module) and base.module is not None:
            inner = self.attribute_of(base.module, name)
            return inner or Definition(None, None, f"{base.qualified}.{name}")
        if isinstance(base.node, ast.ClassDef) and base.module is not None:
            for statement in base.node.body:
                if name in _bound_names(statement):
                    return Definition(base.module, statement, f"{base.qualified}.{name}")
        if base.node is None:
            found = self.find(base.qualified)
            if isinstance(found, Namespace):
                return self._module_definition(f"{base.qualified}.{name}")
        return Definition(None, None, f"{base.qualified}.{name}")


def load_module(name: str, entry: ImageFile, *, package: bool) -> Found:
    """Parse one file of the image as a module; never raises."""
    if isinstance(entry.source, ReadProblem):
        return Unreadable(name, entry.path, entry.source)
    try:
        tree = _trees.get(entry.source) or ast.parse(entry.source.text)
    except (SyntaxError, ValueError) as error:
        return _broken(name, entry.path, entry.source, error)
    except (RecursionError, MemoryError):
        message = "its nesting is too deep to be parsed"
        return Broken(name, entry.path, entry.source, message, entry.source.place())
    _trees[entry.source] = tree
    return Module(name, entry.path, entry.source, tree, package)


def _broken(name: str, path: str, source: SourceFile, error: Exception) -> Broken:
    start, end, message = 0, 0, str(error)
    if isinstance(error, SyntaxError):
        message = error.msg
        start = source.offset(error.lineno or 1, max(error.offset or 1, 1))
        end = start
        if error.end_lineno and error.end_offset and error.end_offset > 0:
            end = max(start, source.offset(error.end_lineno, error.end_offset))
    return Broken(name, path, source, message, source.place(start, end), _parses_elsewhere(source))


def _parses_elsewhere(source: SourceFile) -> bool:
    """Whether libcst, whose grammar is not tied to the running Python, accepts the text.

    Asked only after `ast` has refused a file, so that syntax newer than the running Python is not
    taken for the owner's error. Nothing nested so deeply that it could exhaust libcst's stack is
    given to it.
    """
    if _depth(source.text) > _MAX_DEPTH:
        return False
    import libcst

    try:
        libcst.parse_module(source.text)
    except (libcst.ParserSyntaxError, ValueError, RecursionError):
        return False
    return True


def _depth(text: str) -> int:
    """How deep brackets are nested, strings and comments counted with the rest."""
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(depth - 1, 0)
    return deepest


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run with a body: into if, try, with, for, while and match, but not into
    functions and classes.
    """
    stack = list(reversed(body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        inner: list[ast.stmt] = []
        for part in ("body", "orelse", "finalbody"):
            inner.extend(getattr(node, part, []))
        for handler in getattr(node, "handlers", []):
            inner.extend(handler.body)
        for case in getattr(node, "cases", []):
            inner.extend(case.body)
        stack.extend(reversed(inner))


def bindings(body: Sequence[ast.stmt]) -> dict[str, list[Binding]]:
    """Every binding that running a body makes, by name, in order."""
    found: dict[str, list[Binding]] = {}
    _collect(body, found, fallback=False)
    return found


def function_bindings(function: FunctionNode) -> dict[str, list[Binding]]:
    """Every binding in a function's body, by name (its `global` names left out)."""
    cached = function.__dict__.get("_hfcheck_bindings")
    if cached is None:
        cached = bindings(function.body)
        for node in statements(function.body):
            if isinstance(node, ast.Global):
                for name in node.names:
                    cached.pop(name, None)
        function.__dict__["_hfcheck_bindings"] = cached
    result: dict[str, list[Binding]] = cached
    return result


def _collect(body: Sequence[ast.stmt], found: dict[str, list[Binding]], *, fallback: bool) -> None:
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = alias.asname or (
                    alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name
                )
                found.setdefault(name, []).append(Binding(node, alias, fallback))
            continue
        for name in _bound_names(node):
            found.setdefault(name, []).append(Binding(node, None, fallback))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        typing_only = isinstance(node, ast.If) and is_type_checking(node.test)
        _collect(getattr(node, "body", []), found, fallback=fallback or typing_only)
        for handler in getattr(node, "handlers", []):
            _collect(handler.body, found, fallback=True)
        for case in getattr(node, "cases", []):
            _collect(case.body, found, fallback=fallback)
        for part in ("orelse", "finalbody"):
            _collect(getattr(node, part, []), found, fallback=fallback)


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING` (or `typing.TYPE_CHECKING`)."""
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def _bound_names(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target] if node.value is not None else []
    elif isinstance(node, (ast.AugAssign, ast.For, ast.AsyncFor)):
        targets = [node.target]
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        targets = [item.optional_vars for item in node.items if item.optional_vars]
    elif sys.version_info >= (3, 12) and isinstance(node, ast.TypeAlias):
        targets = [node.name]
    names: list[str] = []
    while targets:
        target = targets.pop()
        if isinstance(target, ast.Name):
            names.append(target.id)
        elif isinstance(target, (ast.Tuple, ast.List)):
            targets.extend(target.elts)
        elif isinstance(target, ast.Starred):
            targets.append(target.value)
    return names


def _choose(found: Sequence[Binding]) -> Binding | None:
    """The binding that counts: the last that is no fallback, else the last."""
    firm = [binding for binding in found if not binding.fallback] or found
    return firm[-1] if firm else None


def _arguments(function: FunctionNode) -> list[ast.arg]:
    arguments = function.args
    extra = [arg for arg in (arguments.vararg, arguments.kwarg) if arg]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]


def _trail(node: ast.expr) -> list[str]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return names[::-1]


def _is_stdlib(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names
