"""A settings class (or a model nested in one) as pydantic would build it: fields, configuration,
validators. Nothing here depends on values of the environment.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from hfcheck.space.code.python import Module, Python
from hfcheck.space.settings.annotations import Annotations, ClassAt, Meta, Type, stripped
from hfcheck.space.settings.classes import Lineage, class_body, inner_class, lineage, method
from hfcheck.space.settings.interpret import World, evaluate
from hfcheck.space.settings.operations import Opaque, Raised, Undecided
from hfcheck.space.settings.typenames import last, package
from hfcheck.space.settings.validators import Validator, validators_of

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
    is the statement that declares it, in `cls`.
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

    @property
    def required(self) -> bool:
        """Whether nothing stands where the default would be (v1 forgives some types that)."""
        return self.default is None and self.factory is None and not self.unclear


@dataclass(slots=True)
class Model:
    """A pydantic class.

    `family` is "v1" or "v2". `config` holds configuration by key (`UNKNOWN` for values that can't
    be told), `written` the expressions of its values. `unannotated` are names that pydantic 2 wants
    an annotation for, `problems` say why Python would refuse the class, `unclear` why it is not
    understood in full.
    """

    at: ClassAt
    family: str
    lineage: Lineage
    fields: dict[str, Field]
    config: dict[str, object]
    validators: list[Validator]
    written: dict[str, Argument] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
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
        own: dict[tuple[str, str, int], _Config] = {}
        for ancestor in reversed(line.order):
            own[ancestor.key] = self._configuration(model, ancestor)
            if family == "v2" or self._is_model(ancestor):
                self._collect(model, ancestor)
        if family == "v2":
            inherited = self._inherited(cls, own, {})
        else:
            inherited = {k: v for part in reversed(line.order) for k, v in own[part.key].items()}
        model.written = inherited
        model.config = {k: self.constant(v.module, v.node) for k, v in inherited.items()}
        model.validators = [
            found
            for ancestor in reversed(line.order)
            for found in validators_of(self.python, self.annotations, ancestor)
        ]
        return model

    def _is_model(self, cls: ClassAt) -> bool:
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
        if model.family == "v1":
            self._problems_v1(model, cls, node, name)
        kind, meta = stripped(self.annotations.resolve(cls.module, node.annotation, cls.node))
        if kind.kind == "classvar":
            model.fields.pop(name, None)
            return
        made = Field(name, cls, node, kind, meta)
        if node.value is not None:
            self._default(model, made, node.value)
        for piece in meta:
            if piece.kind == "field" and piece.call is not None and piece.module is not None:
                self._arguments(made, piece.call, piece.module, outer=False)
        model.fields[name] = made

    def _problems_v1(self, model: Model, cls: ClassAt, node: ast.AnnAssign, name: str) -> None:
        """What pydantic 1 refuses: names of its own, types that are defined after the class."""
        if name in _V1_OWN_NAMES:
            model.problems.append(f"`{name}` is a name of pydantic's own")
        late = cls.node.end_lineno or 0
        parsed = _postponed(cls.module, node.annotation)
        for part in ast.walk(parsed) if parsed is not None else ():
            bound = cls.module.bindings.get(part.id, []) if isinstance(part, ast.Name) else []
            if bound and all(getattr(binding.node, "lineno", 0) > late for binding in bound):
                model.problems.append(f"`{name}` has a type that is defined after the class")

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
            if self._is_model(cls):
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
            if package(called) in ("pydantic", "pydantic_settings", "sqlmodel"):
                if last(called) == "Field":
                    self._arguments(made, node, made.cls.module, outer=True)
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
        if config is not None and (model.family == "v2" or self._is_model(cls)):
            both += 1
            for ancestor in reversed(self.lineage(config).order):
                for statement in class_body(ancestor):
                    name, value = _assigned(statement)
                    if name and value is not None:
                        found[name] = Argument(value, ancestor.module)
        if both > 1 and self._is_model(cls):
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

    def _built(self, default: Argument) -> Opaque | None:
        """`Sub()`: a model of the project that needs no arguments."""
        node = default.node
        if not isinstance(node, ast.Call) or node.args or node.keywords:
            return None
        found = self.python.definition(default.module, node.func)
        if found is None or not isinstance(found.node, ast.ClassDef) or found.module is None:
            return None
        cls = ClassAt(found.module, found.node)
        model = self.model(cls, "v2")
        plain = not model.validators and not model.unclear and not model.problems
        needs = any(made.required or made.unclear for made in model.fields.values())
        if not self._is_model(cls) or self.settings_base(cls) or needs or not plain:
            return None
        return Opaque(cls.node.name)

    def default(self, made: Field, world: World) -> object:
        """The value of a field's default or of what its factory returns.

        Raises `Undecided` where that can't be told, `Raised` where working it out raises.
        """
        world.steps = 0
        if made.default is not None:
            built = self._built(made.default)
            if built is not None:
                return built
            return evaluate(world, made.default.module, made.default.node)
        if made.factory is None or made.unclear:
            raise Undecided("the default is not understood")
        call = ast.Call(func=made.factory.node, args=[], keywords=[])
        return evaluate(world, made.factory.module, ast.copy_location(call, made.factory.node))


def _assigned(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.value
    return "", None


def _postponed(module: Module, node: ast.expr) -> ast.AST | None:
    """An annotation that is not worked out where it stands: a text, or any under the `annotations`
    future import.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return ast.parse(node.value.strip(), mode="eval")
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
