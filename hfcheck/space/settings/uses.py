"""Where settings classes are built, and when: while the entry point loads, or later."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from hfcheck.source import Place
from hfcheck.space.code.frames import Locals
from hfcheck.space.code.python import FunctionNode, Module, Python
from hfcheck.space.code.values import ClassRef, LambdaRef, truth
from hfcheck.space.settings.annotations import ClassAt
from hfcheck.space.settings.scan import FIELDS, Scan, Site, called_name, scan
from hfcheck.space.value import Known, Value

if TYPE_CHECKING:
    from hfcheck.space.code.startup import Made

_CALLERS = frozenset({"Depends", "lru_cache", "cache", "Security"}) | FIELDS
"""Functions that call what they are given."""

When = Literal["start", "branch", "choice", "later"]
"""`start`: certainly while the entry point loads; `branch`: then, under a condition that is not
known; `choice`: then, where this class is chosen from a table; `later`: when code that is loaded is
called (a route, a dependency, a property)."""

Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Use:
    """A place that builds a class, and when. `call` and `module` are the call of the class itself;
    None where something else calls it. `choice` is the table that it is chosen from.
    """

    place: Place
    when: When
    call: ast.Call | None = None
    module: Module | None = None
    choice: Place | None = None

    @property
    def keywords(self) -> frozenset[str] | None:
        """The arguments given by name; None where `**` or a position gives others."""
        if self.call is None:
            return frozenset()
        names = [keyword.arg for keyword in self.call.keywords]
        return None if self.call.args or None in names else frozenset(map(str, names))


@dataclass(slots=True)
class _Table:
    """Classes in a display at module level (`{"prod": ProdSettings}`), to be chosen from."""

    statement: ast.stmt
    name: str
    place: Place
    items: list[tuple[ClassAt, Place]]
    decided: bool = False
    certain: bool = False


@dataclass(slots=True)
class UseFinder:
    """Finds the uses of settings classes in the loaded modules.

    `made` are the classes that loading builds; `value` evaluates an expression; `order` gives the
    ancestors of a class, itself first.
    """

    python: Python
    modules: Sequence[Module]
    classes: Sequence[ClassAt]
    made: Mapping[ast.ClassDef, list[Made]]
    value: Callable[[ast.expr, Module, Locals | None], Value[object]]
    order: Callable[[ClassAt], Iterable[ClassAt]]
    _found: dict[Key, list[Use]] = field(default_factory=dict)

    def find(self) -> dict[Key, list[Use]]:
        """The uses of each class, by its key, the surest first."""
        if self.classes:
            scanned = scan(self.modules)
            self._built_at_start(scanned)
            self._called(scanned)
            self._inherit(scanned)
        order = ("start", "branch", "choice", "later")
        return {k: sorted(u, key=lambda use: order.index(use.when)) for k, u in self._found.items()}

    def _add(self, cls: ClassAt, use: Use) -> bool:
        uses = self._found.setdefault(cls.key, [])
        if any(known.place == use.place and known.when == use.when for known in uses):
            return False
        uses.append(use)
        return True

    # -- while loading --------------------

    def _built_at_start(self, scanned: Scan) -> None:
        operands = {id(site.call): site for site in scanned.sites if site.where.tests}
        for cls in self.classes:
            for item in self.made.get(cls.node, ()):
                site = operands.get(id(item.call))
                holds = self._holds(site) if site is not None else True
                if not item.caught and holds is not False:
                    when: When = "start" if item.certain and holds else "branch"
                    self._add(cls, Use(item.place, when, item.call, item.module))

    def _holds(self, site: Site) -> bool | None:
        """Whether the operands around a call let it happen: the walk of the start does not look
        at those.
        """
        scope = Locals(site.where.function, {}) if site.where.function is not None else None
        found: bool | None = True
        for test, needed in site.where.tests:
            known = truth(self.value(test, site.module, scope))
            if known is not None and known is not needed:
                return False
            found = None if known is None else found
        return found

    def _walked(self, scanned: Scan) -> tuple[set[FunctionNode], set[FunctionNode]]:
        """The functions that loading calls, and those of them that it calls for certain."""
        built = {id(item.call) for items in self.made.values() for item in items}
        walked: set[FunctionNode] = set()
        calls: dict[FunctionNode | None, list[Site]] = {}
        for site in scanned.sites:
            if not site.where.is_lambda:
                calls.setdefault(site.where.function, []).append(site)
            if id(site.call) in built and site.where.function is not None:
                walked.add(site.where.function)
        certain: set[FunctionNode] = set()
        work: list[tuple[FunctionNode | None, bool]] = [(None, True)]
        while work:
            unit, sure = work.pop()
            for site in calls.get(unit, ()):
                called = self.python.definition(site.module, site.call.func, unit)
                node = called.node if called is not None else None
                holds = sure and not site.where.branch and not site.where.caught
                known = certain if holds else certain | walked
                if isinstance(node, FunctionNode) and node not in known:
                    walked.add(node)
                    if holds:
                        certain.add(node)
                    work.append((node, holds))
        return walked, certain

    # -- calls --------------------

    def _called(self, scanned: Scan) -> None:
        built = {id(item.call) for items in self.made.values() for item in items}
        walked, certain = self._walked(scanned)
        tables = list(self._tables(scanned))
        tabled = {id(call) for table in tables for call in _lambda_calls(table.statement)}
        wanted = {id(cls.node): cls for cls in self.classes}
        names = self._local_names()
        for site in scanned.sites:
            function = site.where.function
            if site.where.caught or id(site.call) in tabled:
                continue
            if function is None or function in walked:
                self._chosen(site, tables, function is None or function in certain)
            for used in self._handed(site) if scanned.live(function) else ():
                cls = self._class(site, used, wanted, names)
                own = used is site.call.func
                if cls is None or (own and id(site.call) in built):
                    continue
                if self._comes_later(site, used, walked):
                    place = site.module.place(site.call)
                    call, module = (site.call, site.module) if own else (None, None)
                    self._add(cls, Use(place, "later", call, module))
        for table in tables:
            for cls, place in table.items if not table.decided else ():
                when_chosen: When = "choice" if table.certain else "later"
                self._add(cls, Use(place, when_chosen, choice=table.place))

    def _comes_later(self, site: Site, used: ast.expr, walked: set[FunctionNode]) -> bool:
        """Whether a call that loading does not make builds a class when it is made later."""
        where = site.where
        own = used is site.call.func
        by_field = where.in_field or (not own and called_name(site.call.func) in FIELDS)
        if by_field and where.function is None:
            return False  # building the class around it does: `_inherit`
        if not own or where.is_lambda:
            return True
        # Loading goes through these and comes not to this call: its condition does not hold.
        return where.function is not None and where.function not in walked

    def _handed(self, site: Site) -> Iterator[ast.expr]:
        """What a call may build: the class that it calls, and those that it is given to call."""
        call = site.call
        if isinstance(call.func, (ast.Name, ast.Attribute)):
            yield call.func
        if called_name(call.func) in _CALLERS:
            for given in [*call.args, *(keyword.value for keyword in call.keywords)]:
                if isinstance(given, (ast.Name, ast.Attribute)):
                    yield given

    def _local_names(self) -> set[str]:
        """The names under which modules may know the classes."""
        names = {cls.node.name for cls in self.classes}
        for module in self.modules:
            for bindings in module.bindings.values():
                names |= {b.alias.asname for b in bindings if b.alias and b.alias.asname}
        return names

    def _class(
        self, site: Site, node: ast.expr, wanted: Mapping[int, ClassAt], names: set[str]
    ) -> ClassAt | None:
        if called_name(node) not in names:
            return None
        definition = self.python.definition(site.module, node, site.where.function)
        return wanted.get(id(definition.node)) if definition is not None else None

    # -- tables --------------------

    def _tables(self, scanned: Scan) -> Iterator[_Table]:
        wanted = {id(cls.node): cls for cls in self.classes}
        read = scanned.names()
        for module in self.modules:
            for statement in module.tree.body:
                value = getattr(statement, "value", None)
                if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or value is None:
                    continue
                target = statement.target if isinstance(statement, ast.AnnAssign) else None
                name = target or getattr(statement, "targets", [None])[0]
                items: list[tuple[ClassAt, Place]] = []
                for item in _items(value):
                    made = _made_by(item)
                    definition = self.python.definition(module, made) if made else None
                    one = wanted.get(id(definition.node)) if definition is not None else None
                    if one is not None:
                        items.append((one, module.place(item)))
                if items and isinstance(name, ast.Name) and name.id in read:
                    yield _Table(statement, name.id, module.place(value), items)

    def _chosen(self, site: Site, tables: Sequence[_Table], certain: bool) -> None:
        """A call of a class that an expression chooses, made while loading."""
        call, where = site.call, site.where
        table = self._table_of(site, tables)
        if table is None and not self._may_be_class(site):
            return
        scope = Locals(where.function, {}) if where.function is not None else None
        value = self.value(call.func, site.module, scope)
        chosen = value.value if isinstance(value, Known) else None
        if isinstance(chosen, LambdaRef) and isinstance(chosen.node.body, ast.Call):
            value = self.value(chosen.node.body.func, chosen.module, None)
            chosen = value.value if isinstance(value, Known) else None
        sure = certain and not where.branch
        if not isinstance(chosen, ClassRef):
            if table is not None:
                table.certain = table.certain or sure
            return
        at = ClassAt(chosen.module, chosen.node)
        cls = next((cls for cls in self.classes if cls.key == at.key), None)
        for other in tables:
            if other is table or any(item.key == at.key for item, _ in other.items):
                other.decided = True
        if cls is not None:
            when: When = "start" if sure else "branch"
            self._add(cls, Use(site.module.place(call), when, call, site.module))

    def _table_of(self, site: Site, tables: Sequence[_Table]) -> _Table | None:
        """The table of `TABLE[key]()` and `TABLE.get(key)()`."""
        func = site.call.func
        if isinstance(func, ast.Subscript):
            owner = func.value
        elif isinstance(func, ast.Call) and called_name(func.func) == "get":
            owner = func.func.value if isinstance(func.func, ast.Attribute) else func.func
        else:
            return None
        definition = self.python.definition(site.module, owner, site.where.function)
        for table in tables:
            if definition is not None and definition.node is table.statement:
                return table
        return None

    def _may_be_class(self, site: Site) -> bool:
        """Whether what is called is a variable, or a condition between classes."""
        func = site.call.func
        if isinstance(func, ast.IfExp):
            return True
        if not isinstance(func, ast.Name):
            return False
        definition = self.python.definition(site.module, func, site.where.function)
        if definition is None:
            return site.where.function is not None
        value = getattr(definition.node, "value", None)
        return isinstance(value, (ast.IfExp, ast.Subscript, ast.BoolOp, ast.Call, ast.Name))

    # -- classes that build others --------------------

    def _inherit(self, scanned: Scan) -> None:
        """`Field(default_factory=Database)` builds `Database` when the class around it is built."""
        known = {
            id(binding.node): ClassAt(module, binding.node)
            for module in self.modules
            for bindings in module.bindings.values()
            for binding in bindings
            if isinstance(binding.node, ast.ClassDef)
        }
        wanted = {id(cls.node): cls for cls in self.classes}
        made = {id(node): known[id(node)] for node in self.made if id(node) in known}
        below: dict[int, list[ClassAt]] = {}
        for cls in {**made, **wanted}.values():
            for ancestor in self.order(cls):
                below.setdefault(id(ancestor.node), []).append(cls)
        names = self._local_names()
        factories: list[tuple[Site, ClassAt]] = []
        for site in scanned.sites:
            owner = site.where.owner
            if owner is None or site.where.function is not None:
                continue
            inside = site.where.in_field and site.where.is_lambda
            for used in self._handed(site):
                handed = used is not site.call.func and called_name(site.call.func) in FIELDS
                built = self._class(site, used, wanted, names) if handed or inside else None
                if built is not None:
                    factories.append((site, built))
        for _ in range(len(factories)):
            changed = False
            for site, cls in factories:
                assert site.where.owner is not None
                for builder in below.get(id(site.where.owner), ()):
                    for when in self._times(builder):
                        use = Use(site.module.place(site.call), when)
                        changed = self._add(cls, use) or changed
            if not changed:
                return

    def _times(self, cls: ClassAt) -> list[When]:
        if cls.key in self._found:
            return list(dict.fromkeys(use.when for use in self._found[cls.key]))
        made = [item for item in self.made.get(cls.node, ()) if not item.caught]
        return [("start" if any(item.certain for item in made) else "branch")] if made else []


def _made_by(item: ast.expr) -> ast.expr | None:
    """The class in an item of a table: itself, or what a lambda calls."""
    if isinstance(item, ast.Lambda):
        item = item.body.func if isinstance(item.body, ast.Call) else item
    return item if isinstance(item, (ast.Name, ast.Attribute)) else None


def _items(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.Dict):
        return value.values
    return list(value.elts) if isinstance(value, (ast.List, ast.Tuple)) else []


def _lambda_calls(statement: ast.stmt) -> Iterator[ast.Call]:
    value = getattr(statement, "value", None)
    for item in _items(value) if isinstance(value, ast.expr) else ():
        if isinstance(item, ast.Lambda) and isinstance(item.body, ast.Call):
            yield item.body
