"""What an annotation of a settings field means: `ast` expression -> `Type`.

A `Type` is the annotation after names, aliases, strings and `Annotated` layers have been resolved.
It does not depend on a version of pydantic: versions differ in what they make of it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from hfcheck.space.code.python import Module, Python
from hfcheck.space.settings.interpret import World, evaluate
from hfcheck.space.settings.operations import Function, Raised, Undecided
from hfcheck.space.settings.typenames import (
    BUILTINS,
    METADATA,
    PYDANTIC,
    STANDARD,
    VALIDATORS,
    last,
    package,
)

_DEPTH = 30
"""Deeper annotations than this are left unknown."""


@dataclass(frozen=True, slots=True)
class Meta:
    """One piece of metadata of `Annotated`.

    `kind`: "NoDecode", "ForceDecode" (the classes), "json" (`Json()`), "json-type" (`Json[...]`
    itself), "json-class" (the class `Json`),
    "before", "after", "plain", "wrap" (validators, with `function` where it is known), "field"
    (`Field(...)`, with the call), "constrained" (`conint(...)` or `StringConstraints(...)`, with
    the call), "limit" (`Ge(1)`, with the call; `name` is the limit's), "constraint" (what it
    accepts is not worked out), "other" (of no effect).
    """

    kind: str
    function: Function | None = None
    call: ast.Call | None = None
    module: Module | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class ClassAt:
    """A class of the image."""

    module: Module
    node: ast.ClassDef

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from other classes."""
        return (self.module.path, self.node.name, self.node.lineno)


@dataclass(frozen=True, slots=True)
class Type:
    """A resolved annotation.

    `kind` is a lower-case word ("list", "union", "url", "model", "alias", "unknown", ...), `name`
    the library's name for it where one kind has several, `args` its parameters, `meta` the
    metadata of an "annotated", `values` the members of a "literal" or "enum", `cls` the class for
    kinds that the project defines. `why` says for "unknown" what is not known.
    """

    kind: str
    args: tuple[Type, ...] = ()
    name: str = ""
    meta: tuple[Meta, ...] = ()
    values: tuple[object, ...] | None = None
    cls: ClassAt | None = None
    why: str = ""


_LIMITS = {
    "Ge": "ge",
    "Gt": "gt",
    "Le": "le",
    "Lt": "lt",
    "MinLen": "min_length",
    "MaxLen": "max_length",
    "MultipleOf": "multiple_of",
}
"""The limits of `annotated_types` by their class."""

NONE = Type("none")
ANY = Type("any")

_FAMILIES = {
    "list": "list-subclass",
    "set": "set-subclass",
    "frozenset": "frozenset-subclass",
    "dict": "dict-subclass",
    "tuple": "tuple-subclass",
    "str": "str-subclass",
    "bytes": "bytes-subclass",
    "int": "int-subclass",
    "float": "float-subclass",
    "model": "model",
    "rootmodel": "rootmodel",
    "typeddict": "typeddict",
    "namedtuple": "namedtuple",
}
"""What a class is that inherits from a type of this kind."""


def unknown(why: str) -> Type:
    """A type that can't be told."""
    return Type("unknown", why=why)


class Annotations:
    """Resolves the annotations of one Python world."""

    def __init__(self, python: Python) -> None:
        self.python = python
        self._classes: dict[tuple[str, str, int], Type] = {}

    def resolve(
        self,
        module: Module,
        node: ast.expr,
        scope: ast.ClassDef | None = None,
        depth: int = 0,
    ) -> Type:
        """The type that an annotation of `module` means; `scope` is the class it stands in."""
        if depth > _DEPTH:
            return unknown("it nests too deeply")
        match node:
            case ast.Constant(value=None):
                return NONE
            case ast.Constant(value=str(text)):
                return self._string(module, text, scope, depth)
            case ast.BinOp(op=ast.BitOr()):
                return union(
                    self.resolve(module, node.left, scope, depth + 1),
                    self.resolve(module, node.right, scope, depth + 1),
                )
            case ast.Name() | ast.Attribute():
                return self._name(module, node, scope, depth)
            case ast.Subscript():
                return self._subscript(module, node, scope, depth)
            case ast.Call():
                return self._call(module, node)
        return unknown("it is no plain annotation")

    def _string(self, module: Module, text: str, scope: ast.ClassDef | None, depth: int) -> Type:
        try:
            parsed = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return unknown("the text of the annotation does not parse")
        return self.resolve(module, parsed, scope, depth + 1)

    # -- names --------------------

    def _name(self, module: Module, node: ast.expr, scope: ast.ClassDef | None, depth: int) -> Type:
        local = _in_class(scope, node)
        if local is not None:
            return self._defined(module, local, scope, depth)
        found = self.python.definition(module, node)
        if found is None:
            return self._from_star(module, node)
        if found.node is None or found.module is None:
            return external(found.qualified)
        return self._defined(found.module, found.node, None, depth)

    def _from_star(self, module: Module, node: ast.expr) -> Type:
        """A name that only `from typing import *` (or pydantic) can have brought."""
        for star in module.stars:
            known = external(f"{self.python.imported(module, star)}.{getattr(node, 'id', '')}")
            if known.kind != "unknown":
                return known
        return unknown("a name that nothing defines")

    def _defined(
        self, module: Module, node: ast.AST, scope: ast.ClassDef | None, depth: int
    ) -> Type:
        if isinstance(node, ast.ClassDef):
            return self.class_type(ClassAt(module, node), depth)
        if sys.version_info >= (3, 12) and isinstance(node, ast.TypeAlias):
            inner = self.resolve(module, node.value, scope, depth + 1)
            target = unknown("a generic alias") if node.type_params else inner
            return Type("alias", (target,), "statement")
        value = getattr(node, "value", None)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(value, ast.expr):
            return self._made(module, value, scope, depth)
        return unknown("a name that is bound to no type")

    def _made(
        self, module: Module, value: ast.expr, scope: ast.ClassDef | None, depth: int
    ) -> Type:
        """A type by assignment: `X = list[str]`, `X = NewType("X", str)`, `T = TypeVar("T")`."""
        if not isinstance(value, ast.Call):
            return self.resolve(module, value, scope, depth + 1)
        called = self.python.qualified(module, value.func) or ""
        if package(called) not in STANDARD:
            return self._call(module, value)
        match last(called):
            case "NewType" if len(value.args) == 2:
                return Type("newtype", (self.resolve(module, value.args[1], scope, depth + 1),))
            case "TypeAliasType" if len(value.args) >= 2:
                inner = self.resolve(module, value.args[1], scope, depth + 1)
                return Type("alias", (unknown("a generic alias") if value.keywords else inner,))
            case "TypeVar" if len(value.args) == 1 and not value.keywords:
                return Type("typevar", name=_typevar_name(value))
            case "TypedDict":
                return Type("typeddict")
            case "NamedTuple" | "namedtuple":
                return Type("namedtuple")
        return unknown("a type made by a call")

    def _call(self, module: Module, node: ast.Call) -> Type:
        """`conlist(str, min_length=1)` and its like: constrained types of pydantic."""
        called = self.python.qualified(module, node.func) or ""
        kinds = {"conlist": "list", "conset": "set", "confrozenset": "frozenset"}
        scalars = {"constr": "str", "conint": "int", "confloat": "float", "condecimal": "scalar"}
        name = last(called)
        if package(called) == "pydantic" and name in kinds and node.args:
            inner = self.resolve(module, node.args[0])
            limits = (Meta("constrained", None, node, module),)
            return _annotated(Type(kinds[name], (inner,)), limits)
        if package(called) == "pydantic" and name in scalars:
            decimal = "Decimal" if name == "condecimal" else ""
            limits = (Meta("constrained", None, node, module),)
            return _annotated(Type(scalars[name], name=decimal), limits)
        return unknown("a type made by a call")

    # -- subscripts --------------------

    def _subscript(
        self, module: Module, node: ast.Subscript, scope: ast.ClassDef | None, depth: int
    ) -> Type:
        items = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        base = self._name(module, node.value, scope, depth) if _dotted(node.value) else None
        if base is None:
            return unknown("it is no plain annotation")
        if base.kind == "special":
            return self._special(base.name, module, items, scope, depth)
        if base.kind == "alias":
            return Type("alias", (unknown("a generic alias"),))
        args = tuple(
            Type("ellipsis")
            if isinstance(item, ast.Constant) and item.value is Ellipsis
            else self.resolve(module, item, scope, depth + 1)
            for item in items
        )
        if base.kind in ("rootmodel", "model", "dataclass"):
            return replace(base, args=args)
        if base.kind in ("type", "callable", "unknown", "class"):
            return base
        if base.args:
            return _filled(base, args)
        return replace(base, args=args)

    def _special(
        self,
        name: str,
        module: Module,
        items: list[ast.expr],
        scope: ast.ClassDef | None,
        depth: int,
    ) -> Type:
        if name == "Literal":
            return self._literal(module, items, scope, depth)
        inner = self.resolve(module, items[0], scope, depth + 1)
        match name:
            case "Optional":
                return union(inner, NONE)
            case "Union":
                rest = (self.resolve(module, item, scope, depth + 1) for item in items[1:])
                return union(inner, *rest)
            case "Annotated":
                meta = tuple(self.metadata(module, item) for item in items[1:])
                return _annotated(inner, meta)
            case "Json":
                return _annotated(inner, (Meta("json-type"),))
            case "SkipValidation":
                return _annotated(inner, (Meta("skip"),))
            case "Final" | "Required" | "NotRequired" | "ReadOnly":
                return inner
            case "ClassVar" | "InitVar":
                return Type("classvar")
        return unknown(f"`{name}[...]`")

    def _literal(
        self, module: Module, items: list[ast.expr], scope: ast.ClassDef | None, depth: int
    ) -> Type:
        values: list[object] = []
        for item in items:
            if isinstance(item, ast.Constant):
                values.append(item.value)
                continue
            inner = self.resolve(module, item, scope, depth + 1)
            if inner.kind != "literal" or inner.values is None:
                return Type("literal", values=None)
            values.extend(inner.values)
        return Type("literal", values=tuple(values))

    def metadata(self, module: Module, node: ast.expr) -> Meta:
        """What one piece of metadata of `Annotated` is."""
        if isinstance(node, ast.Constant):
            return Meta("other")
        if isinstance(node, (ast.Name, ast.Attribute)):
            found = self.python.definition(module, node)
            value = getattr(found.node, "value", None) if found else None
            if found and found.module and isinstance(value, ast.Call):
                return self.metadata(found.module, value)
            name = last(found.qualified) if found else ""
            library = found is not None and found.node is None
            return Meta(METADATA.get(name, "constraint")) if library else Meta("constraint")
        if isinstance(node, ast.Call):
            return self._metadata_call(module, node)
        return Meta("constraint")

    def _metadata_call(self, module: Module, node: ast.Call) -> Meta:
        called = self.python.qualified(module, node.func) or ""
        name = last(called)
        if package(called) == "annotated_types" and name in _LIMITS and len(node.args) == 1:
            return Meta("limit", None, node, module, _LIMITS[name])
        if not called.startswith("pydantic"):
            return Meta("constraint")
        if name == "StringConstraints":
            return Meta("constrained", None, node, module)
        if name in VALIDATORS:
            given = node.args[:1] or [k.value for k in node.keywords if k.arg == "func"]
            function = self.function(module, given[0]) if given else None
            return Meta(VALIDATORS[name], function, node, module)
        if name == "Field":
            return Meta("field", None, node, module)
        if name == "Json":
            return Meta("json")
        return Meta("other" if name in METADATA else "constraint")

    def function(self, module: Module, node: ast.expr) -> Function | None:
        """The function that an expression names or is (a lambda); None where it can't be told."""
        try:
            value = evaluate(World(self.python), module, node)
        except (Undecided, Raised):
            return None
        return value if isinstance(value, Function) else None

    # -- classes --------------------

    def class_type(self, cls: ClassAt, depth: int = 0) -> Type:
        """The type that a class of the image is."""
        known = self._classes.get(cls.key)
        if known is None:
            self._classes[cls.key] = unknown("a class that inherits from itself")
            known = self._classes[cls.key] = self._class_type(cls, depth)
        return known

    def _class_type(self, cls: ClassAt, depth: int) -> Type:
        if any(self.is_dataclass(cls.module, item) for item in cls.node.decorator_list):
            return Type("dataclass", cls=cls)
        bases = [self.resolve(cls.module, base, None, depth + 1) for base in cls.node.bases]
        kinds = [base.kind for base in bases]
        if "enum" in kinds:
            mixed = next((kind for kind in kinds if kind in ("str", "int", "float")), "")
            above = next(base.name for base in bases if base.kind == "enum")
            name = mixed or {"StrEnum": "str"}.get(above, above)
            return Type("enum", name=name, values=self._members(cls, bases, name), cls=cls)
        for base in bases:
            family = _FAMILIES.get(base.kind, base.kind if base.kind.endswith("-subclass") else "")
            if family == "rootmodel":
                return Type("rootmodel", self._root(cls, base), "subclass", cls=cls)
            if family:
                return Type(family, base.args, base.name, cls=cls)
        if "dataclass" in kinds:
            return Type("dataclass", cls=cls)
        if any(kind == "unknown" for kind in kinds):
            return unknown(f"`{cls.node.name}` inherits from something that is not in the image")
        return Type("class", cls=cls)

    def is_dataclass(self, module: Module, node: ast.expr) -> bool:
        """Whether a decorator is `dataclass` of the standard library or pydantic."""
        called = node.func if isinstance(node, ast.Call) else node
        name = self.python.qualified(module, called) or ""
        return last(name) == "dataclass" and package(name) in ("dataclasses", "pydantic")

    def _root(self, cls: ClassAt, base: Type) -> tuple[Type, ...]:
        for statement in cls.node.body:
            if (
                isinstance(statement, ast.AnnAssign)
                and getattr(statement.target, "id", "") == "root"
            ):
                # the marker tells versions before 2.9, which see only an annotated root
                root = self.resolve(cls.module, statement.annotation, cls.node)
                return (root, Type("explicit"))
        return base.args

    def _members(self, cls: ClassAt, bases: list[Type], kind: str) -> tuple[object, ...] | None:
        """The values of an enumeration; None where they can't be told."""
        found: list[object] = []
        for base in bases:
            if base.kind == "enum" and base.cls is not None:
                if base.values is None:
                    return None
                found.extend(base.values)
        for statement in cls.node.body:
            if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
                if isinstance(statement.value, ast.Constant):
                    found.append(statement.value.value)
                    continue
                made = self._automatic(cls, statement, kind, found)
                if made is None:
                    return None
                found.append(made)
            elif isinstance(statement, ast.FunctionDef) and statement.name in (
                "_missing_",
                "__new__",
            ):
                return None
        return tuple(found)

    def _automatic(
        self, cls: ClassAt, node: ast.Assign | ast.AnnAssign, kind: str, before: list[object]
    ) -> object:
        """The value that `auto()` gives to a member; None for other values."""
        called = node.value.func if isinstance(node.value, ast.Call) else None
        if called is None or self.python.qualified(cls.module, called) != "enum.auto":
            return None
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        bases = [self.python.qualified(cls.module, base) for base in cls.node.bases]
        if "enum.StrEnum" in bases and isinstance(target, ast.Name):
            return target.id.lower()
        numbers = [item for item in before if isinstance(item, int)]
        plain = kind in ("Enum", "IntEnum", "int") and len(numbers) == len(before)
        return (max(numbers) + 1 if numbers else 1) if plain else None


def external(qualified: str) -> Type:
    """The type of a name that leaves the image."""
    name, top = last(qualified), package(qualified)
    if "." not in qualified:
        table = BUILTINS
    elif top in STANDARD:
        table = STANDARD[top]
    elif top in ("pydantic", "pydantic_settings", "sqlmodel", "annotated_types"):
        table = PYDANTIC
    else:
        return unknown(f"`{qualified}` is not in the image")
    kind = table.get(name)
    if kind is None:
        return unknown(f"`{qualified}` is not known")
    return Type(kind, name=name)


def union(*members: Type) -> Type:
    """The union of types, flat and without repeats."""
    flat: list[Type] = []
    for member in members:
        for part in member.args if member.kind == "union" else (member,):
            if part not in flat:
                flat.append(part)
    return flat[0] if len(flat) == 1 else Type("union", tuple(flat))


def _annotated(inner: Type, meta: tuple[Meta, ...]) -> Type:
    if not meta:
        return inner
    if inner.kind == "annotated":
        return replace(inner, meta=inner.meta + meta)
    return Type("annotated", (inner,), meta=meta)


def _typevar_name(call: ast.Call) -> str:
    first = call.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _filled(generic: Type, args: tuple[Type, ...]) -> Type:
    """A generic alias (`Many = Annotated[list[T], ...]`) with its type variables filled in."""
    names = list(dict.fromkeys(_typevars(generic)))
    if not names or len(names) != len(args):
        return unknown("a generic alias")
    return replaced(generic, dict(zip(names, args, strict=True)))


def _typevars(kind: Type, depth: int = 0) -> Iterator[str]:
    """The type variables of a type, in the order of their first appearance."""
    if kind.kind == "typevar":
        yield kind.name
    for item in kind.args if depth < _DEPTH else ():
        yield from _typevars(item, depth + 1)


def replaced(kind: Type, given: Mapping[str, Type], depth: int = 0) -> Type:
    """A type with type variables replaced by other types."""
    if kind.kind == "typevar":
        return given.get(kind.name, kind)
    if depth > _DEPTH or not kind.args:
        return kind
    args = tuple(replaced(item, given, depth + 1) for item in kind.args)
    if kind.kind == "union":
        return union(*args)
    if kind.kind == "annotated":
        return _annotated(args[0], kind.meta)
    return replace(kind, args=args)


def stripped(kind: Type) -> tuple[Type, tuple[Meta, ...]]:
    """A type without its outer `Annotated`, and the metadata of that."""
    return (kind.args[0], kind.meta) if kind.kind == "annotated" else (kind, ())


def _dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _in_class(scope: ast.ClassDef | None, node: ast.expr) -> ast.stmt | None:
    """The class or alias in a class body that a plain name means there."""
    if scope is None or not isinstance(node, ast.Name):
        return None
    for statement in scope.body:
        if isinstance(statement, ast.ClassDef) and statement.name == node.id:
            return statement
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == node.id for target in statement.targets
        ):
            return statement
    return None
