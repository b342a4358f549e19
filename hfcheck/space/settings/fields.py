"""A settings class (or a model nested in one) as pydantic would build it: fields, configuration,
validators. Nothing here depends on values of the environment.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hfcheck.space.code.python import Module, Python
from hfcheck.space.settings.annotations import (
    ANY,
    Annotations,
    ClassAt,
    Meta,
    Type,
    replaced,
    stripped,
    unknown,
)
from hfcheck.space.settings.classes import Lineage, class_body, inner_class, lineage, method
from hfcheck.space.settings.interpret import World, evaluate
from hfcheck.space.settings.operations import Opaque, Raised, Undecided
from hfcheck.space.settings.typenames import last, package
from hfcheck.space.settings.validators import UNTOLD, Validator, validators_of

SETTINGS_KEYS = frozenset(
    {
        "extra",
        "arbitrary_types_allowed",
        "validate_default",
        "case_sensitive",
        "nested_model_default_partial_update",
        "secrets_dir",
        "json_file",
        "yaml_file",
        "toml_file",
        "protected_namespaces",
        "enable_decoding",
        "env_prefix",
        "env_prefix_target",
        "env_file",
        "env_file_encoding",
        "env_file_depth",
        "env_ignore_empty",
        "env_nested_delimiter",
        "env_nested_max_split",
        "env_parse_none_str",
        "env_parse_enums",
        "cli_parse_args",
    }
)
"""What `BaseSettings.model_config` itself sets (pydantic-settings 2.16), as far as it matters."""

UNKNOWN = Opaque("unknown")
"""A configuration value or argument that the files don't settle."""

_NAMING = frozenset({"env", "alias", "title", "description", "example", "exclude", "include"})
"""What an entry of `Config.fields` may have that lets every value through."""

_V1_OWN_NAMES = frozenset(
    {
        "construct",
        "copy",
        "dict",
        "from_orm",
        "json",
        "parse_file",
        "parse_obj",
        "parse_raw",
        "schema",
        "schema_json",
        "update_forward_refs",
        "validate",
    }
)
"""Attributes of pydantic 1's BaseModel that no field may be named like."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of `Field(...)`: its expression and the module that it stands in; `assigned`
    where that call is the field's value, not metadata of its annotation.
    """

    node: ast.expr
    module: Module
    assigned: bool = False


_Config = dict[str, Argument]


@dataclass(frozen=True, slots=True)
class Alias:
    """One name under which a field is read: `path` counts the parts of an AliasPath, 0 for a plain
    name; `steps` are the parts after the first.
    """

    name: str
    path: int = 0
    steps: tuple[object, ...] = ()


@dataclass(slots=True)
class Field:
    """A field.

    `type` is the annotation without its outer `Annotated`, whose metadata is `meta`. `arguments`
    are those of `Field(...)`. `default` is its expression (None: none is given); `factory` the
    expression of `default_factory`; `ellipsis` is true where `...` stands for the default. `node`
    is the statement that declares it, in `cls`. `absent` is true where it may be left out without
    a default (`NotRequired`); `hidden` where its value hides the type that its annotation names;
    `late` where its type is not known yet when the first instance reads the environment,
    `late_in_base` where it is not known yet when the base class is made that declares the field.
    """

    name: str
    cls: ClassAt
    node: ast.AnnAssign | ast.Assign
    type: Type
    meta: tuple[Meta, ...] = ()
    default: Argument | None = None
    factory: Argument | None = None
    arguments: dict[str, Argument] = field(default_factory=dict)
    unclear: bool = False
    ellipsis: bool = False
    absent: bool = False
    hidden: bool = False
    late: bool = False
    late_in_base: bool = False

    @property
    def required(self) -> bool:
        """Whether nothing stands where the default would be (v1 forgives some types that)."""
        given = self.default is not None or self.factory is not None
        return not (given or self.unclear or self.absent)


@dataclass(slots=True)
class Model:
    """A pydantic class.

    `family` is "v1" or "v2". `config` holds configuration by key (`UNKNOWN` for values that can't
    be told), `written` the expressions of its values. `evaluated` are all defaults that the bodies
    of the class and its bases work out, those of fields that are declared again too. `unannotated`
    are names that pydantic 2 wants an annotation for, `problems` say why Python would refuse the
    class, `unclear` why it is not understood in full.
    """

    at: ClassAt
    family: str
    lineage: Lineage
    fields: dict[str, Field]
    config: dict[str, object]
    validators: list[Validator]
    written: dict[str, Argument] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    evaluated: list[Argument] = field(default_factory=list)
    unannotated: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    def method(self, name: str) -> tuple[ClassAt, ast.FunctionDef] | None:
        """The method of this name that its instances would have, if the image defines it."""
        return method(self.lineage.order, name)


class Models:
    """Reads the pydantic classes of one Python world, each once a family."""

    def __init__(self, python: Python) -> None:
        self.python = python
        self.annotations = Annotations(python)
        self._models: dict[tuple[tuple[str, str, int], str], Model] = {}
        self._lineages: dict[tuple[str, str, int], Lineage] = {}

    def lineage(self, cls: ClassAt) -> Lineage:
        """The ancestors of a class."""
        if cls.key not in self._lineages:
            self._lineages[cls.key] = lineage(self.python, cls)
        return self._lineages[cls.key]

    def settings_base(self, cls: ClassAt) -> str | None:
        """Which library's BaseSettings a class descends from ("pydantic_settings", "pydantic",
        "pydantic.v1"); None for other classes.
        """
        for name in self.lineage(cls).external:
            if last(name) == "BaseSettings":
                if name.startswith("pydantic.v1."):
                    return "pydantic.v1"
                if package(name) in ("pydantic_settings", "pydantic"):
                    return package(name)
        return None

    def model(self, cls: ClassAt, family: str) -> Model:
        """The class as pydantic of this family ("v1", "v2") would build it."""
        key = (cls.key, family)
        if key not in self._models:
            self._models[key] = self._read(cls, family)
        return self._models[key]

    def _read(self, cls: ClassAt, family: str) -> Model:
        line = self.lineage(cls)
        model = Model(cls, family, line, {}, {}, [])
        model.unclear += [f"its base `{name}` is not understood" for name in line.unknown]
        filled = self._filled(cls, {})
        own: dict[tuple[str, str, int], _Config] = {}
        for ancestor in reversed(line.order):
            own[ancestor.key] = self._configuration(model, ancestor)
            if family == "v2" or self.is_model(ancestor):
                self._collect(model, ancestor)
                given = filled.get(ancestor.key)
                for made in model.fields.values() if given else ():
                    if made.cls.key == ancestor.key:
                        made.type = replaced(made.type, given or {})
        if family == "v2":
            inherited = self._inherited(cls, own, {})
        else:
            inherited = {k: v for part in reversed(line.order) for k, v in own[part.key].items()}
        model.written = inherited
        model.config = {k: self.constant(v.module, v.node) for k, v in inherited.items()}
        if family == "v1":
            self._limit_by_config(model)
        for ancestor in reversed(line.order):
            if family == "v1" and not self.is_model(ancestor):
                continue
            found = validators_of(self.python, self.annotations, ancestor)
            model.problems += [
                f"a validator is for `{name}`, which is no field"
                for item in found
                for name in item.fields
                if item.checked and name not in (*model.fields, "*", UNTOLD)
            ]
            model.validators += found
        return model

    def _limit_by_config(self, model: Model) -> None:
        """Leave fields open that `Config.fields` of pydantic 1 gives more than names."""
        fields = model.config.get("fields")
        for name, entry in fields.items() if isinstance(fields, dict) else ():
            limited = isinstance(entry, dict) and not entry.keys() <= _NAMING
            if limited and name in model.fields:
                model.fields[name].unclear = True

    def parameters(self, cls: ClassAt) -> list[str]:
        """The type variables of a generic class, in the order in which they are filled in."""
        if sys.version_info >= (3, 12) and cls.node.type_params:
            return [item.name for item in cls.node.type_params]
        names: list[str] = []
        for base in cls.node.bases:
            if isinstance(base, ast.Subscript):
                items = base.slice.elts if isinstance(base.slice, ast.Tuple) else [base.slice]
                kinds = [self.annotations.resolve(cls.module, item) for item in items]
                found = [kind.name for kind in kinds if kind.kind == "typevar"]
                generic = self.python.qualified(cls.module, base.value) or ""
                if last(generic) in ("Generic", "Protocol"):
                    return found
                names += found
        return list(dict.fromkeys(names))

    def _filled(
        self, cls: ClassAt, given: Mapping[str, Type], below: tuple[ClassAt, ...] = ()
    ) -> dict[tuple[str, str, int], dict[str, Type]]:
        """What the type variables of each ancestor stand for in a class (`class S(Base[int])`)."""
        result: dict[tuple[str, str, int], dict[str, Type]] = {}
        for base in cls.node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            found = self.python.definition(cls.module, plain)
            if found is None or not isinstance(found.node, ast.ClassDef) or found.module is None:
                continue
            above = ClassAt(found.module, found.node)
            own: dict[str, Type] = {}
            if isinstance(base, ast.Subscript):
                items = base.slice.elts if isinstance(base.slice, ast.Tuple) else [base.slice]
                kinds = [self.annotations.resolve(cls.module, item) for item in items]
                kinds = [replaced(kind, given) for kind in kinds]
                own = dict(zip(self.parameters(above), kinds, strict=False))
            if above.key not in result and above not in (cls, *below):
                result[above.key] = own
                result |= self._filled(above, own, (cls, *below))
        return result

    def filled(self, cls: ClassAt, family: str, args: tuple[Type, ...]) -> Model:
        """A generic model with its type variables filled in (`Box[str]`)."""
        model = self.model(cls, family)
        given = dict(zip(self.parameters(cls), args, strict=False))
        fields = {
            name: replace(made, type=replaced(made.type, given))
            for name, made in model.fields.items()
        }
        return replace(model, fields=fields)

    def is_model(self, cls: ClassAt) -> bool:
        """Whether a class is one of pydantic's, not a plain one."""
        return any(
            package(name) in ("pydantic", "pydantic_settings", "sqlmodel")
            for name in self.lineage(cls).external
        )

    # -- fields --------------------

    def _collect(self, model: Model, cls: ClassAt) -> None:
        plain: list[tuple[str, ast.Assign]] = []
        for statement in class_body(cls):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                self._annotated(model, cls, statement, statement.target.id)
            elif isinstance(statement, ast.Assign):
                plain += [(t.id, statement) for t in statement.targets if isinstance(t, ast.Name)]
        for name, assignment in plain:
            self._unannotated(model, cls, assignment, name)

    def _annotated(self, model: Model, cls: ClassAt, node: ast.AnnAssign, name: str) -> None:
        if name.startswith("_") or name == "model_config":
            return
        late = self._late(model, cls, node)
        if model.family == "v1":
            self._problems_v1(model, name, late)
        written, hidden = _as_seen(cls, node)
        kind, meta = stripped(self.annotations.resolve(cls.module, written, cls.node))
        if kind.kind == "classvar" or self._is_final(cls, node):
            model.fields.pop(name, None)
            if node.value is not None:
                self._default(model, Field(name, cls, node, kind, meta), node.value)
            return
        if hidden:
            kind = unknown("its type has the name of a field")
            if isinstance(node.value, ast.Call) and self._is_field(cls, node.value):
                model.problems.append(f"the type of `{name}` is hidden by its own value")
        made = Field(name, cls, node, kind, meta)
        made.hidden = hidden and _bare_name(cls.module, node) == name
        made.late = late
        made.late_in_base = not late and self._late_in_base(model, cls, node)
        made.absent = self._may_lack(cls, node)
        if node.value is not None:
            self._default(model, made, node.value)
        for piece in meta:
            if piece.kind == "field" and piece.call is not None and piece.module is not None:
                self._arguments(made, piece.call, piece.module, outer=False)
        model.fields[name] = made

    def _is_field(self, cls: ClassAt, node: ast.Call) -> bool:
        called = self.python.qualified(cls.module, node.func) or ""
        return last(called) == "Field" and package(called) in ("pydantic", "sqlmodel")

    def _may_lack(self, cls: ClassAt, node: ast.AnnAssign) -> bool:
        """Whether a TypedDict need not have a key."""
        if not any(last(name) == "TypedDict" for name in self.lineage(cls).external):
            return False
        outer = _postponed(cls.module, node.annotation) or node.annotation
        while isinstance(outer, ast.Subscript):
            name = last(self.python.qualified(cls.module, outer.value) or "")
            if name in ("Required", "NotRequired"):
                return name == "NotRequired"
            outer = outer.slice.elts[0] if isinstance(outer.slice, ast.Tuple) else outer.slice
        total = next((item.value for item in cls.node.keywords if item.arg == "total"), None)
        return isinstance(total, ast.Constant) and total.value is False

    def _is_final(self, cls: ClassAt, node: ast.AnnAssign) -> bool:
        """Whether it is `Final` with a default: pydantic takes that for a class variable."""
        outer = _postponed(cls.module, node.annotation) or node.annotation
        outer = outer.value if isinstance(outer, ast.Subscript) else outer
        if node.value is None:
            return False
        if last(self.python.qualified(cls.module, outer) or "") != "Final":
            return False
        probe = Field("", cls, node, ANY)
        self._default(Model(cls, "v2", self.lineage(cls), {}, {}, []), probe, node.value)
        return not probe.required

    def _problems_v1(self, model: Model, name: str, late: bool) -> None:
        """What pydantic 1 refuses: names of its own, types that are defined after the class."""
        if name in _V1_OWN_NAMES:
            model.problems.append(f"`{name}` is a name of pydantic's own")
        if late:
            model.problems.append(f"`{name}` has a type that is defined after the class")

    def _late(self, model: Model, cls: ClassAt, node: ast.AnnAssign) -> bool:
        """Whether a postponed annotation names what is defined after the class, which no
        `model_rebuild()` makes known in time. Pydantic 2 works the fields of bases out again.
        """
        made = model.at if model.family == "v2" else cls
        return made.module is cls.module and _names_later(made, node)

    def _late_in_base(self, model: Model, cls: ClassAt, node: ast.AnnAssign) -> bool:
        """Whether a postponed annotation names what is defined after a base class of pydantic's."""
        return cls.key != model.at.key and self.is_model(cls) and _names_later(cls, node)

    def _unannotated(self, model: Model, cls: ClassAt, node: ast.Assign, name: str) -> None:
        if name.startswith("_") or name in ("model_config", "Config"):
            return
        plain = isinstance(
            node.value, (ast.Constant, ast.List, ast.Dict, ast.Tuple, ast.Set, ast.JoinedStr)
        )
        if isinstance(node.value, ast.Call):
            called = self.python.qualified(cls.module, node.value.func) or ""
            plain = last(called) in ("Field", "getenv") and package(called) in ("pydantic", "os")
        if not plain:
            return
        if model.family == "v2":
            if self.is_model(cls):
                model.problems.append(f"`{name}` has no annotation")
                model.unannotated.append(name)
            elif name in model.fields:
                self._default(model, model.fields[name], node.value)
            return
        known = model.fields.get(name)
        kind = known.type if known is not None else _inferred(node.value)
        made = Field(name, cls, node, kind, known.meta if known is not None else ())
        self._default(model, made, node.value)
        model.fields[name] = made

    def _default(self, model: Model, made: Field, node: ast.expr) -> None:
        made.default = made.factory = None
        if isinstance(node, ast.Call):
            called = self.python.qualified(made.cls.module, node.func) or ""
            if called == "dataclasses.field" and not self.is_model(made.cls):
                self._arguments(made, node, made.cls.module, outer=True)
                return
            if package(called) in ("pydantic", "pydantic_settings", "sqlmodel"):
                if last(called) == "Field":
                    self._arguments(made, node, made.cls.module, outer=True)
                    if made.default is not None:
                        model.evaluated.append(made.default)
                    return
                if last(called) == "PrivateAttr":
                    model.problems.append(
                        f"`{made.name}` is a private attribute without underscore"
                    )
                    return
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            made.ellipsis = True
            return
        made.default = Argument(node, made.cls.module)
        model.evaluated.append(made.default)

    def _arguments(self, made: Field, call: ast.Call, module: Module, *, outer: bool) -> None:
        if any(isinstance(item, ast.Starred) for item in call.args) or len(call.args) > 1:
            made.unclear = True
        given = dict.fromkeys(["default"], call.args[0]) if call.args else {}
        for keyword in call.keywords:
            if keyword.arg is None:
                made.unclear = True
            else:
                given[keyword.arg] = keyword.value
        for name, node in given.items():
            if name in ("default", "default_factory"):
                nothing = isinstance(node, ast.Constant) and (
                    node.value is Ellipsis or (name == "default_factory" and node.value is None)
                )
                if nothing or self._is_undefined(module, node):
                    made.ellipsis = made.ellipsis or isinstance(node, ast.Constant)
                    continue
                if outer or made.default is None:
                    where = Argument(node, module)
                    made.default, made.factory = (
                        (where, None) if name == "default" else (None, where)
                    )
            elif outer or name not in made.arguments:
                made.arguments[name] = Argument(node, module, outer)

    def _is_undefined(self, module: Module, node: ast.expr) -> bool:
        name = self.python.qualified(module, node) or ""
        return package(name) in ("pydantic", "pydantic_core") and last(name) in (
            "PydanticUndefined",
            "Undefined",
            "Required",
        )

    # -- configuration --------------------

    def _inherited(
        self,
        cls: ClassAt,
        own: Mapping[tuple[str, str, int], _Config],
        known: dict[tuple[str, str, int], _Config],
    ) -> _Config:
        """The configuration as pydantic 2 merges it: that of each base in turn, whole with what it
        inherits, then the class's own. Every settings class inherits BaseSettings' defaults, so
        that a later base takes back what an earlier one sets.
        """
        if cls.key in known:
            return known[cls.key]
        known[cls.key] = {}
        merged: _Config = {}
        for base in cls.node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            found = self.python.definition(cls.module, plain)
            if found is None or not isinstance(found.node, ast.ClassDef) or found.module is None:
                continue
            above = ClassAt(found.module, found.node)
            if self.settings_base(above):
                merged = {k: v for k, v in merged.items() if k not in SETTINGS_KEYS}
            merged |= self._inherited(above, own, known)
        known[cls.key] = {**merged, **own.get(cls.key, {})}
        return known[cls.key]

    def _configuration(self, model: Model, cls: ClassAt) -> _Config:
        """What the body and the keywords of one class configure."""
        both = 0
        found: _Config = {}
        for statement in class_body(cls):
            name, value = _assigned(statement)
            if name == "model_config" and value is not None and model.family == "v2":
                both += 1
                self._mapping(model, found, cls.module, value)
        config = inner_class(cls, "Config")
        if config is not None and (model.family == "v2" or self.is_model(cls)):
            both += 1
            for ancestor in reversed(self.lineage(config).order):
                for statement in class_body(ancestor):
                    name, value = _assigned(statement)
                    if name and value is not None:
                        found[name] = Argument(value, ancestor.module)
        if both > 1 and self.is_model(cls):
            model.problems.append("it has both `model_config` and `class Config`")
        for keyword in cls.node.keywords:
            if keyword.arg not in (None, "metaclass"):
                found[str(keyword.arg)] = Argument(keyword.value, cls.module)
        return found

    def _mapping(self, model: Model, found: _Config, module: Module, node: ast.expr) -> None:
        """Take over `SettingsConfigDict(...)`, `ConfigDict(...)` or a dict display."""
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg is None:
                    self._mapping(model, found, module, keyword.value)
                else:
                    found[keyword.arg] = Argument(keyword.value, module)
            for item in node.args:
                self._mapping(model, found, module, item)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is None:
                    self._mapping(model, found, module, value)
                elif isinstance(key, ast.Constant):
                    found[str(key.value)] = Argument(value, module)
        else:
            self._named_mapping(model, found, module, node)

    def _named_mapping(self, model: Model, found: _Config, module: Module, node: ast.expr) -> None:
        defined = self.python.definition(module, node)
        value = getattr(defined.node, "value", None) if defined else None
        if defined and defined.module and isinstance(value, (ast.Call, ast.Dict)):
            self._mapping(model, found, defined.module, value)
            return
        inherited = self._config_of_base(model, module, node)
        if inherited is None:
            model.unclear.append("its configuration is not understood")
        else:
            found.update(inherited)

    def _config_of_base(self, model: Model, module: Module, node: ast.expr) -> _Config | None:
        """`**Base.model_config`."""
        if not isinstance(node, ast.Attribute) or node.attr != "model_config":
            return None
        base = self.python.definition(module, node.value)
        if base is None or base.module is None or not isinstance(base.node, ast.ClassDef):
            return None
        at = ClassAt(base.module, base.node)
        if at.key == model.at.key or at not in model.lineage.order:
            return None
        return self.model(at, model.family).written

    def constant(self, module: Module, node: ast.expr) -> object:
        """The value of an expression that depends on nothing; `UNKNOWN` where it can't be told."""
        try:
            return evaluate(World(self.python), module, node)
        except (Undecided, Raised):
            return UNKNOWN

    # -- names --------------------

    def aliases(self, made: Field, name: str = "validation_alias") -> list[Alias] | None:
        """The aliases of a field by its `validation_alias` or else `alias`; [] without any, None
        where they can't be told.
        """
        for key in (name, "alias") if name == "validation_alias" else (name,):
            argument = made.arguments.get(key)
            if argument is not None:
                return self._alias(argument.module, argument.node)
        return []

    def _alias(self, module: Module, node: ast.expr) -> list[Alias] | None:
        if isinstance(node, ast.Call):
            called = last(self.python.qualified(module, node.func) or "")
            if called == "AliasChoices":
                inner = [self._alias(module, item) for item in node.args]
                known = [item for item in inner if item]
                return (
                    [part for item in known for part in item] if len(known) == len(inner) else None
                )
            if called == "AliasPath":
                parts = [self.constant(module, item) for item in node.args]
                if parts and isinstance(parts[0], str) and UNKNOWN not in parts:
                    return [Alias(parts[0], len(parts), tuple(parts[1:]))]
                return None
        value = self.constant(module, node)
        if value is None:
            return []
        return [Alias(value)] if isinstance(value, str) else None

    def argument(self, made: Field, name: str) -> object:
        """The value of an argument of `Field(...)`: None where not given, `UNKNOWN` if not told."""
        argument = made.arguments.get(name)
        if argument is None:
            return None
        return self.constant(argument.module, argument.node)

    def built(self, default: Argument, world: World) -> tuple[Model, dict[str, object]] | None:
        """`Sub(key="x")`: the model or dataclass of the project that an expression makes an
        instance of, and its arguments. Raises `Undecided` or `Raised` where an argument does.
        """
        node = default.node
        if not isinstance(node, ast.Call) or None in [k.arg for k in node.keywords]:
            return None
        found = self.python.definition(default.module, node.func)
        if found is None or not isinstance(found.node, ast.ClassDef) or found.module is None:
            return None
        cls = ClassAt(found.module, found.node)
        model = self.model(cls, "v2")
        if node.args and not self.is_dataclass(cls):
            return None
        written = dict(zip(self.positions(model), node.args, strict=False))
        written |= {str(item.arg): item.value for item in node.keywords}
        given = {name: evaluate(world, default.module, value) for name, value in written.items()}
        whole = any(item.fields == () for item in model.validators) or model.method("__init__")
        needs = any(
            (made.required or made.unclear) and made.name not in given
            for made in model.fields.values()
        )
        known = self.is_model(cls) or self.is_dataclass(cls)
        known = known and not model.unclear and not model.problems
        known = known and len(node.args) <= len(self.positions(model))
        if not known or self.settings_base(cls) or needs or whole:
            return None
        return model, given

    def is_dataclass(self, cls: ClassAt) -> bool:
        """Whether a class is a dataclass of the standard library or of pydantic."""
        return self.annotations.class_type(cls).kind == "dataclass"

    def validates(self, cls: ClassAt) -> bool:
        """Whether a class is one of pydantic's: a model, or a dataclass of its own."""
        decorators = (
            item.func if isinstance(item, ast.Call) else item for item in cls.node.decorator_list
        )
        names = (self.python.qualified(cls.module, item) or "" for item in decorators)
        own = any(last(name) == "dataclass" and package(name) == "pydantic" for name in names)
        return own or self.is_model(cls)

    def _tuple(self, expression: Argument, world: World) -> tuple[object, ...] | None:
        """What a call of a NamedTuple of the project makes."""
        node = expression.node
        if not isinstance(node, ast.Call):
            return None
        found = self.python.definition(expression.module, node.func)
        if found is None or not isinstance(found.node, ast.ClassDef) or found.module is None:
            return None
        cls = ClassAt(found.module, found.node)
        if self.annotations.class_type(cls).kind != "namedtuple":
            return None
        fields = self.model(cls, "v2").fields
        given = dict(zip(fields, node.args, strict=False))
        given |= {str(item.arg): item.value for item in node.keywords}
        if not given.keys() <= fields.keys() or len(node.args) > len(fields):
            raise Undecided("arguments that a named tuple does not have")
        return tuple(
            evaluate(world, expression.module, given[name])
            if name in given
            else self.default(made, world)
            for name, made in fields.items()
        )

    def positions(self, model: Model) -> list[str]:
        """The fields of a dataclass that arguments without a name fill; raises `Undecided` where
        a marker among its fields ends them.
        """
        for cls in model.lineage.order:
            for item in cls.node.body:
                marked = isinstance(item, ast.AnnAssign) and self.python.qualified(
                    cls.module, item.annotation
                )
                if marked == "dataclasses.KW_ONLY":
                    raise Undecided("a dataclass with fields that need their name")
        decorators = [item for item in model.at.node.decorator_list if isinstance(item, ast.Call)]
        if any(word.arg == "kw_only" for item in decorators for word in item.keywords):
            return []
        return [
            made.name
            for made in model.fields.values()
            if not {"kw_only", "init"} & made.arguments.keys()
        ]

    def dumped(self, model: Model, given: Mapping[str, object], world: World) -> dict[str, object]:
        """The values of an instance of a model as a mapping; raises `Undecided`, `Raised`."""
        values: dict[str, object] = {}
        for made in model.fields.values():
            if made.name in given:
                values[made.name] = given[made.name]
                continue
            inner = self.built(made.default, world) if made.default is not None else None
            values[made.name] = (
                self.dumped(*inner, world) if inner is not None else self.default(made, world)
            )
        return values

    def default(self, made: Field, world: World) -> object:
        """The value of a field's default or of what its factory returns.

        Raises `Undecided` where that can't be told, `Raised` where working it out raises.
        """
        world.steps = 0
        expression = made.default
        if made.factory is not None:
            expression = called(made.factory)
        if expression is None or made.unclear:
            raise Undecided("the default is not understood")
        built = self.built(expression, world)
        if built is not None:
            at = built[0].at
            bases = tuple(base.node.name for base in built[0].lineage.order)
            kind = "dataclass" if self.is_dataclass(at) else "model"
            return Opaque(at.node.name, kind, built[1], bases)
        items = self._tuple(expression, world)
        if items is not None:
            return items
        return evaluate(world, expression.module, expression.node)


def called(factory: Argument) -> Argument:
    """The expression that calling a `default_factory` works out."""
    node = factory.node
    if isinstance(node, ast.Lambda) and not node.args.args and not node.args.posonlyargs:
        return Argument(node.body, factory.module)
    call = ast.Call(func=node, args=[], keywords=[])
    return Argument(ast.copy_location(call, node), factory.module)


def _assigned(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.value
    return "", None


def _as_seen(cls: ClassAt, node: ast.AnnAssign) -> tuple[ast.expr, bool]:
    """An annotation as it is worked out: names that fields have hidden stand for their values.

    A field's own value hides its type (`date: date = None`), and that of later fields; that of all
    fields where annotations are postponed. Only None is put in; for other values the second part is
    true.
    """
    values: dict[str, ast.expr] = {}
    postponed = _postponed(cls.module, node.annotation)
    for statement in cls.node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if statement.value is not None:
                values[statement.target.id] = statement.value
            if statement is node and postponed is None:
                break
    outer = postponed or node.annotation
    used = {part.id for part in ast.walk(outer) if isinstance(part, ast.Name)} & values.keys()
    if not used:
        return node.annotation, False
    empty = {name for name in used if _is_none(values[name])}
    return _WithoutNames(empty).visit(copy.deepcopy(outer)), used != empty


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


class _WithoutNames(ast.NodeTransformer):
    """Puts None where names stand."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """None for one of the names."""
        return ast.copy_location(ast.Constant(None), node) if node.id in self.names else node


def _line(node: object) -> int:
    return int(getattr(node, "lineno", 0))


def _names_later(cls: ClassAt, node: ast.AnnAssign) -> bool:
    """Whether a postponed annotation names what is defined after a class that nothing rebuilds."""
    parsed = _postponed(cls.module, node.annotation)
    end = cls.node.end_lineno or 0
    for part in ast.walk(parsed) if parsed is not None else ():
        bound = cls.module.bindings.get(part.id, []) if isinstance(part, ast.Name) else []
        if bound and all(_line(item.node) > end for item in bound):
            return not _is_rebuilt(cls)
    return False


def _is_rebuilt(cls: ClassAt) -> bool:
    """Whether the module works the annotations of a class out again."""
    methods = ("model_rebuild", "update_forward_refs")
    calls = (
        item.value.func
        for item in cls.module.tree.body
        if isinstance(item, ast.Expr) and isinstance(item.value, ast.Call)
    )
    return any(
        isinstance(function, ast.Attribute)
        and function.attr in methods
        and ast.unparse(function.value) == cls.node.name
        for function in calls
    )


def _bare_name(module: Module, node: ast.AnnAssign) -> str:
    """The name that an annotation consists of."""
    outer = _postponed(module, node.annotation) or node.annotation
    return outer.id if isinstance(outer, ast.Name) else ""


def _postponed(module: Module, node: ast.expr) -> ast.expr | None:
    """An annotation that is not worked out where it stands: a text, or any under the `annotations`
    future import.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    for statement in module.tree.body[:5]:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            return node
    return None


def _inferred(value: ast.expr) -> Type:
    """The type that pydantic 1 gives a field without annotation."""
    kinds = {ast.List: "list", ast.Dict: "dict", ast.Tuple: "tuple", ast.Set: "set"}
    for node, kind in kinds.items():
        if isinstance(value, node):
            return Type(kind)
    if isinstance(value, ast.Constant) and isinstance(value.value, (str, bool, int, float)):
        return Type(type(value.value).__name__)
    return Type("str") if isinstance(value, ast.JoinedStr) else Type("any")
