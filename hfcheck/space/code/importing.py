"""Imports modules of the image as Python would, to tell which names they have afterwards.

Statements are gone through in their order, with the names bound so far: what is deleted, star
imports, `globals()`, circular imports and submodules that take the place of a name count as they
do in Python. Nothing is run. A library is taken to be installed, and its calls to succeed.
"""

from __future__ import annotations

import ast
import sys
from types import FunctionType

from hfcheck.space.code.expressions import MAX_DEPTH
from hfcheck.space.code.names import SOMETHING, UNKNOWN, Bound, Names, Scope, Thing, joined_bounds
from hfcheck.space.code.python import (
    Broken,
    External,
    Found,
    FunctionNode,
    Missing,
    Module,
    Namespace,
)
from hfcheck.space.code.raising import Ended, Raises, handler_of, names_of_builtin
from hfcheck.space.code.statements import Statements
from hfcheck.space.value import Known, Unknown

_MAX_MODULES = 3000

_OWN_NAMES = frozenset(
    ["__name__", "__doc__", "__file__", "__dict__", "__spec__", "__package__", "__loader__"]
)


class Importer(Statements):
    """Imports modules of `python`. `loaded` are the top-level modules that the process has
    imported already, before it comes to those of the image.

    `needs` are the libraries that are imported for certain, outside of any `try` that would
    catch it; `open_path` says why the search path may hold other folders, where it may.
    """

    # Modules

    def load(self, name: str) -> Found:
        """Import a module by its dotted name, its packages first, and say what it is.

        Raises `Raises` where a module on the way certainly raises, not where there is none.
        """
        parent, _, last = name.rpartition(".")
        if parent:
            package = self.load(parent)
            if not isinstance(package, (Module, Namespace)):
                return Missing(name, parent) if isinstance(package, Missing) else package
        elif name in self.loaded:
            return External(name)
        found = self.python.find(name)
        if isinstance(found, Broken) and not found.newer:
            raise Raises(("SyntaxError",), found.place, found.message)
        if isinstance(found, Module) and found not in self._names:
            self._execute(found)
            above = self.python.find(parent) if parent else None
            if isinstance(above, Module) and above in self._names:
                self._names[above].bound[last] = Bound((Thing("module", found, found.tree),))
        return found

    def _execute(self, module: Module) -> None:
        if module in self._failed:
            raise self._failed[module]
        names = self._names[module] = Names()
        if len(self._names) > _MAX_MODULES or self._depth > MAX_DEPTH:
            names.others = "there is too much to follow"
            return
        self._depth += 1
        self._loading.add(module)
        try:
            self.run(module.tree.body, Scope(module, names, names))
        except Raises as error:
            del self._names[module]
            self._failed[module] = error
            raise
        except (Ended, RecursionError):
            names.others = "it is not followed to its end"
        finally:
            self._depth -= 1
            self._loading.discard(module)

    def attribute(self, module: Module, name: str) -> Bound | None:
        """What an attribute of an imported module is; None where it has none for certain."""
        names = self._names.get(module)
        if names is None:
            return Bound((UNKNOWN,), sure=False)
        found = names.bound.get(name)
        if found is not None and found.sure:
            return found
        if name in _OWN_NAMES or (name == "__path__" and module.package):
            return Bound((Thing("value", module, ast.Constant(name)),))
        given = self._from_getattr(module, names, name)
        if given is not None:
            return joined_bounds((found, given)) if found else given
        if found is None and names.others:
            return Bound((UNKNOWN,), sure=False)
        return found

    def _from_getattr(self, module: Module, names: Names, name: str) -> Bound | None:
        """What `def __getattr__(name)` of a module gives."""
        bound = names.bound.get("__getattr__")
        if bound is None:
            return None
        for thing in bound.things:
            if thing.module is None or not isinstance(thing.node, FunctionNode):
                return Bound((UNKNOWN,), sure=False)
            wanted = Bound((Thing("value", module, ast.Constant(name)),))
            try:
                return self.call_function(thing.module, thing.node, [wanted])
            except Raises as error:
                if "AttributeError" in error.names:
                    return None
                raise
        return None

    def member(self, thing: Thing, name: str) -> Bound | None:
        """What an attribute of a thing is; None where it has none for certain."""
        if thing.kind == "module" and thing.module is not None:
            return self.attribute(thing.module, name)
        if thing.kind == "namespace":
            return self._submodule(f"{thing.name}.{name}")
        if thing.kind == "outside":
            return Bound((Thing("outside", name=f"{thing.name}.{name}"),))
        if isinstance(thing.node, ast.ClassDef) and thing.module is not None:
            return self._class_member(thing, thing.node, name)
        if isinstance(thing.node, ast.Constant):
            return SOMETHING if hasattr(thing.node.value, name) else None
        if isinstance(thing.node, FunctionNode) and thing.module is not None:
            found = self._members.get(thing.node, Names()).bound.get(name)
            if found is None and (hasattr(FunctionType, name) or thing.node.decorator_list):
                return SOMETHING
            return found
        return Bound((UNKNOWN,), sure=False)

    def _submodule(self, name: str) -> Bound | None:
        """What a folder without `__init__.py` has: the modules that are imported already."""
        found = self.python.find(name)
        if isinstance(found, Missing) or found in self._loading:
            return None
        return Bound(self.module_bound(name).things, sure=found in self._names)

    def _class_member(self, thing: Thing, node: ast.ClassDef, name: str) -> Bound | None:
        names = self._members.get(node)
        if names is None:
            return Bound((UNKNOWN,), sure=False)
        found = names.bound.get(name)
        if found is None and thing.kind == "instance" and _sets_on_self(node, name):
            return SOMETHING
        if found is None and (names.others or name in object.__dict__):
            return Bound((UNKNOWN,), sure=False)
        return found

    # Import statements

    def _run_import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            first = alias.name.partition(".")[0]
            if not scope.expected:
                scope.bind(alias.asname or first, SOMETHING)
                continue
            self._imported(alias.name, node, scope)
            scope.bind(
                alias.asname or first, self.module_bound(alias.name if alias.asname else first)
            )

    def _run_importfrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        if not scope.expected:
            for alias in node.names:
                scope.bind(alias.asname or alias.name, SOMETHING)
            return
        module = scope.module
        package = module.package_name.split(".") if module.package_name else []
        if node.level > len(package):
            self.throw(("ImportError",), node, scope, "a relative import without a package")
        base = self.python.imported(module, node)
        found = self._imported(base, node, scope)
        for alias in node.names:
            if alias.name == "*":
                self._star(base, found, node, scope)
            else:
                scope.bind(alias.asname or alias.name, self._from(base, found, alias, node, scope))

    def _imported(self, name: str, node: ast.stmt, scope: Scope) -> Found:
        """Import for a statement: it raises where there is no such module."""
        found = self.load(name)
        top = name.partition(".")[0]
        if isinstance(found, Missing) and isinstance(self.python.find(top), Namespace):
            # A library of the same name goes before a folder that is no package.
            found = External(name)
        if isinstance(found, Missing) and not self.open_path:
            self.throw(names_of_builtin("ModuleNotFoundError"), node, scope, f"no module {name}")
        if isinstance(found, External):
            self.library(found.name, scope)
        return found

    def library(self, name: str, scope: Scope) -> None:
        """A library is imported; where a `try` waits for it to fail, both ways count."""
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names:
            return
        for attempt in reversed(self._attempts):
            if handler_of(attempt.node, names_of_builtin("ModuleNotFoundError")) is not None:
                attempt.doubts.append(attempt.scope.mark())
                return
        if scope.sure:
            self.needs[top] = None

    def _from(
        self, base: str, found: Found, alias: ast.alias, node: ast.stmt, scope: Scope
    ) -> Bound:
        if isinstance(found, External):
            return Bound((Thing("outside", name=f"{base}.{alias.name}"),))
        if isinstance(found, Module):
            bound = self.attribute(found, alias.name)
            if bound is not None and bound.sure:
                return bound
            if bound is not None:
                return Bound(bound.things)
        if isinstance(found, Namespace) or (isinstance(found, Module) and found.package):
            inner = self.load(f"{base}.{alias.name}")
            if not isinstance(inner, Missing):
                return self.module_bound(f"{base}.{alias.name}")
        elif not isinstance(found, Module):
            return SOMETHING
        if self.open_path is None:
            note = f"`{base}` has no `{alias.name}`"
            self.throw(names_of_builtin("ImportError"), node, scope, note)
        return SOMETHING

    def _star(self, base: str, found: Found, node: ast.stmt, scope: Scope) -> None:
        if not isinstance(found, Module) or found not in self._names:
            scope.names.others = f"`from {base} import *` may bring any name"
            return
        names = self._names[found]
        listed = self._all_of(found, names)
        if listed is None and "__all__" in names.bound:
            scope.names.others = f"what `{base}` lists in `__all__` is not known"
        for name in listed if listed is not None else list(names.bound):
            if listed is None and name.startswith("_"):
                continue
            alias = ast.alias(name)
            bound = self._from(base, found, alias, node, scope) if listed else names.bound[name]
            own = scope.names.bound.get(name)
            if not bound.sure and own is not None:
                bound = Bound(joined_bounds((own, bound)).things, own.sure)
            scope.bind(name, bound)
        scope.names.others = scope.names.others or names.others

    def _all_of(self, module: Module, names: Names) -> list[str] | None:
        bound = names.bound.get("__all__")
        if bound is None or len(bound.things) != 1 or not bound.sure:
            return None
        value = self._value_of(bound.things[0])
        plain = self.evaluator.plain(value) if value is not None else Unknown("")
        listed = plain.value if isinstance(plain, Known) else None
        if isinstance(listed, (list, tuple)) and all(isinstance(name, str) for name in listed):
            return list(listed)
        return None

    def module_bound(self, name: str) -> Bound:
        """What an import of a whole module binds."""
        found = self.python.find(name) if name not in self.loaded else External(name)
        if isinstance(found, Module):
            return Bound((Thing("module", found, found.tree),))
        if isinstance(found, External):
            return Bound((Thing("outside", name=name),))
        if isinstance(found, Namespace):
            return Bound((Thing("namespace", name=name),))
        return SOMETHING


def _sets_on_self(node: ast.ClassDef, name: str) -> bool:
    """Whether `__init__` of a class sets an attribute of that name."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return any(
                isinstance(inner, ast.Attribute)
                and inner.attr == name
                and isinstance(inner.ctx, ast.Store)
                for inner in ast.walk(statement)
            )
    return False
