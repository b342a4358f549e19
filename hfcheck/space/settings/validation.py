"""Whether pydantic would accept a value for a type: pydantic 2's lax mode, and pydantic 1.

`Checker.check` returns the validated value (as far as it is known), or raises `Invalid` where the
library reports an error and `Undecided` where that can't be told. Observed with pydantic 2.14 and
1.10; tests/differential/settings compares it with the libraries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hfcheck.space.settings.annotations import ClassAt, Meta, Type
from hfcheck.space.settings.fields import UNKNOWN, Field, Model, Models
from hfcheck.space.settings.formats import BOUNDS
from hfcheck.space.settings.interpret import World, call
from hfcheck.space.settings.operations import (
    Earlier,
    Function,
    Info,
    Native,
    Opaque,
    Raised,
    Undecided,
    matched,
)
from hfcheck.space.settings.scalars import Invalid, scalar
from hfcheck.space.settings.typenames import URLS
from hfcheck.space.settings.validators import Validator, fitting

_DEPTH = 40

_ACCEPTED_ERRORS = {
    "v1": ("ValueError", "TypeError", "AssertionError"),
    "v2": ("ValueError", "AssertionError"),
}
"""Exceptions of a validator that the library turns into a validation error."""

_HARMLESS = frozenset(
    [
        "default",
        "default_factory",
        "item_type",
        "alias",
        "validation_alias",
        "serialization_alias",
        "alias_priority",
        "title",
        "description",
        "examples",
        "example",
        "env",
        "exclude",
        "include",
        "init",
        "init_var",
        "kw_only",
        "repr",
        "frozen",
        "deprecated",
        "json_schema_extra",
        "validate_default",
        "const",
        "field_title_generator",
        "coerce_numbers_to_str",
        "allow_mutation",
        "compare",
        "hash",
        "metadata",
    ]
)
"""Arguments of `Field` that restrict no value."""

_TEXT_CHANGES = ("strip_whitespace", "to_lower", "to_upper")

_PLAIN = (str, bytes, bool, int, float, list, tuple, set, frozenset, dict)

_SEQUENCES = (list, tuple, set, frozenset)

_LAYERS = frozenset(["annotated", "union", "alias", "newtype", "unknown"])
"""Types that hand a value on to others."""

_UNLIKE_ANY = frozenset(
    ["none", "list", "set", "frozenset", "tuple", "deque", "sequence", "dict", "mapping", "model"]
)
"""Types that take no scalar, path or instance."""

_ITERATED = frozenset(["list", "set", "frozenset", "tuple", "deque", "sequence"])
_SCALARS = frozenset(["str", "int", "float", "bool", "url", "path", "secret-str", "enum"])

_UNLIKE_OBJECTS = frozenset(
    [
        "str", "int", "float", "bool", "bytes", "bytearray", "url", "literal", "enum", "scalar",
        "secret-str", "path", "email", "typeddict", "namedtuple", "dataclass", "abstract-set",
    ]
)  # fmt: skip
"""Types that take no instance of a class of the project, no plain member, and no path."""


class Checker:
    """Checks values for the classes of one world, as one family of pydantic does."""

    def __init__(self, models: Models, family: str, world: World, version: tuple[int, int]) -> None:
        self.models = models
        self.family = family
        self.world = world
        world.build = self._built
        self.version = version
        self.around: list[tuple[Model, object]] = []
        self.in_json = False
        self.earlier: Callable[[str], tuple[bool, object]] | None = None
        self.settings: Callable[[ClassAt, dict[Any, object]], object] | None = None

    # -- fields and models --------------------

    def field(self, model: Model, made: Field, value: object) -> object:
        """The value of a field of `model` after its validators, its type and its limits."""
        if made.unclear:
            raise Undecided("the field is not understood")
        mine = [item for item in model.validators if item.covers(made.name)]
        if not all(item.surely(made.name) for item in mine):
            raise Undecided("which fields a validator is for is not known")
        if self.family == "v2" and any(item.items for item in mine):
            raise Undecided("a validator of items")
        # pydantic 1's decorators are the outermost since pydantic 2.9, the innermost before
        around = sorted(mine, key=lambda item: item.old is (self.version >= (2, 5)))
        layers: list[Meta | Validator | None] = [*made.meta, None, *around]
        self.around.append((model, self._extra(model)))
        try:
            if self.family == "v1":
                return self._field_v1(made, mine, value)
            return self._layers(layers, made, model, value)
        finally:
            self.around.pop()

    def _layers(
        self, layers: Sequence[Meta | Validator | None], made: Field, model: Model, value: object
    ) -> object:
        if not layers:
            if model.config.get("strict") not in (None, False) and not _same_in_strict(made.type):
                raise Undecided("strict mode")
            return self.check(made.type, value)
        inner: Callable[[object], object] = lambda v: self._layers(layers[:-1], made, model, v)  # noqa: E731
        layer = layers[-1]
        return (
            self.limited(made, inner(value)) if layer is None else self._layer(layer, value, inner)
        )

    def _field_v1(self, made: Field, mine: list[Validator], value: object) -> object:
        # those that name the field go before those for all ("*")
        mine = sorted(mine, key=lambda item: made.name not in item.fields)
        for validator in mine:
            if validator.mode == "before":
                value = self.run(validator, value)
        nullable = self._defaults_to_none(made)
        empty = value is None and (nullable or _takes_none(made.type, bare_json=True))
        if not empty:
            value = self.limited(made, self._typed_v1(made, value))
        for validator in mine:
            if empty and validator.items:
                continue
            if validator.mode == "after":
                if validator.items and isinstance(value, _SEQUENCES):
                    value = [self.run(validator, item) for item in value]
                else:
                    value = self.run(validator, value)
        return value

    def _defaults_to_none(self, made: Field) -> bool:
        if made.default is None:
            return False
        try:
            return self.models.default(made, self.world) is None
        except (Undecided, Raised):
            return False

    def _typed_v1(self, made: Field, value: object) -> object:
        for piece in made.meta:
            if piece.kind == "json-type":
                return self._layer(piece, value, lambda item: self.check(made.type, item))
        value = self.check(made.type, value)
        for piece in made.meta:
            if piece.kind in ("constrained", "field"):
                value = self._layer(piece, value, lambda item: item)
        return value

    def _built(self, name: str, values: list[object]) -> object:
        """An instance of a type of pydantic's own that the code makes (`AnyHttpUrl(text)`)."""
        if name not in URLS:
            text = values[0] if values and isinstance(values[0], str) else None
            return Opaque(name, value=text)
        if self.family == "v1" or len(values) != 1:
            raise Undecided(f"it makes a `{name}`")
        try:
            return scalar(Type("url", name=name), values[0], self.family, self.version)
        except Invalid as error:
            raise Raised("ValidationError", "ValueError", "Exception") from error

    def limited(self, made: Field, value: object) -> object:
        """The value, if the limits of `Field(...)` let it through."""
        for name, argument in made.arguments.items():
            if argument.assigned and name not in _HARMLESS:
                self._limit(name, self.models.argument(made, name), value)
        return value

    def _limit(self, name: str, bound: object, value: object) -> None:
        if isinstance(value, Opaque) and isinstance(value.value, str):
            value = value.value
        if bound is None or value is None:
            return
        if bound is UNKNOWN or isinstance(value, Opaque):
            raise Undecided(f"`{name}` is not understood")
        within: Any
        if name in ("min_length", "max_length", "min_items", "max_items"):
            if not isinstance(value, (str, bytes, dict, *_SEQUENCES)) or not isinstance(bound, int):
                raise Undecided(f"`{name}` is not understood")
            within = len(value) >= bound if name.startswith("min") else len(value) <= bound
        elif name in ("gt", "ge", "lt", "le") and isinstance(bound, (int, float)):
            if not isinstance(value, (int, float)):
                raise Undecided(f"`{name}` is not understood")
            within = {
                "gt": value > bound,
                "ge": value >= bound,
                "lt": value < bound,
                "le": value <= bound,
            }[name]
        elif name in ("pattern", "regex"):
            within = self._matches(bound, value)
        elif name == "multiple_of" and isinstance(value, int) and isinstance(bound, int) and bound:
            within = value % bound == 0
        elif name in _TEXT_CHANGES or (name == "strict" and bound is False):
            return
        else:
            raise Undecided(f"`{name}` is not understood")
        if not within:
            raise Invalid(name)

    def _matches(self, pattern: object, value: object) -> bool:
        """Whether a text fits a regular expression, which pydantic 2 looks for anywhere in it."""
        return matched("search" if self.family == "v2" else "match", pattern, value)

    def run(self, validator: Validator, value: object) -> object:
        """What a declared validator makes of a value."""
        first: list[object] = [Opaque("class")] if validator.bound else []
        return self.called(validator.function, self._fitting(validator.function, [*first, value]))

    def _fitting(self, function: Function | None, values: list[object]) -> list[object]:
        """The values with those for the further parameters (`info`, `values`)."""
        earlier = Earlier(self.earlier or _nothing_known)
        others = Opaque("field") if self.family == "v1" else Info(earlier)
        return fitting(function, values, {"values": earlier, "": others})

    def called(self, function: Function | None, values: list[object]) -> object:
        """What a function makes of values; its errors become `Invalid` as the library does."""
        if function is None:
            raise Undecided("a validator that is not known")
        self.world.steps = 0
        try:
            return call(self.world, function, values)
        except Raised as raised:
            if any(name in _ACCEPTED_ERRORS[self.family] for name in raised.names):
                raise Invalid("a validator raises") from raised
            raise Undecided("a validator stops the start in another way") from raised

    def model(self, model: Model, data: dict[Any, object]) -> object:
        """Check a mapping for a nested model."""
        if model.unclear or any(item.fields == () for item in model.validators):
            raise Undecided("the model is not understood")
        if model.method("__init__") or model.method("__get_pydantic_core_schema__"):
            raise Undecided("the model is built in its own way")
        by_name = populates_by_name(model, self.version)
        used: set[object] = set()
        undecided: Undecided | None = None
        plain = self.models.is_dataclass(model.at) and not model.config
        for made in model.fields.values():
            names = self._input_names(made, by_name)
            if plain and self.models.argument(made, "init") is False:
                continue
            key = next((name for name in names if name in data), None)
            try:
                if key is not None:
                    used.add(key)
                    self.field(model, made, data[key])
                elif made.required and not self.optional_without_default(made):
                    raise Invalid("missing")
                elif plain and not made.absent:
                    self.field(model, made, self.models.default(made, self.world))
            except Undecided as reason:
                undecided = reason
        extra = self._extra(model)
        if any(key not in used for key in data) and (extra == "forbid" or extra is UNKNOWN):
            if extra is UNKNOWN:
                raise Undecided("what extra keys do is not known")
            raise Invalid("extra")
        if undecided is not None:
            raise undecided
        return Opaque(model.at.node.name)

    def _extra(self, model: Model) -> object:
        """What extra keys do inside a class: a plain one (TypedDict, dataclass) takes it over from
        the class that holds it.
        """
        if model.config.get("extra") is not None:
            return model.config["extra"]
        if self.models.settings_base(model.at):
            return "forbid"
        if any(name.startswith(("pydantic", "sqlmodel")) for name in model.lineage.external):
            return "ignore"
        return self.around[-1][1] if self.around else UNKNOWN

    def _input_names(self, made: Field, by_name: bool) -> list[str]:
        key = "validation_alias" if self.family == "v2" else "alias"
        aliases = self.models.aliases(made, key)
        if aliases is None or any(alias.path for alias in aliases):
            raise Undecided("an alias that is not understood")
        names = [alias.name for alias in aliases]
        return [*names, made.name] if by_name or not names else names

    def optional_without_default(self, made: Field) -> bool:
        """Whether pydantic 1 takes None for the default that is not given."""
        return self.family == "v1" and not made.ellipsis and _takes_none(made.type, bare_json=True)

    # -- layers of Annotated --------------------

    def _layer(
        self, layer: Meta | Validator, value: object, inner: Callable[[object], object]
    ) -> object:
        mode = layer.mode if isinstance(layer, Validator) else layer.kind
        if mode in ("before", "after", "plain", "wrap"):
            return self._validator(layer, mode, value, inner)
        if mode in ("json", "json-type", "json-class"):
            if not isinstance(value, str):
                raise Invalid("JSON text is wanted")
            try:
                decoded = json.loads(value)
            except (ValueError, RecursionError) as error:
                raise Invalid("no JSON") from error
            before, self.in_json = self.in_json, True
            try:
                return inner(decoded)
            finally:
                self.in_json = before
        if mode == "skip":
            return value
        result = inner(value)
        if mode == "constraint":
            raise Undecided("a restriction that is not understood")
        if not isinstance(layer, Meta) or not layer.call or not layer.module:
            return result
        limits = {
            keyword.arg or "**": self.models.constant(layer.module, keyword.value)
            for keyword in layer.call.keywords
            if keyword.arg not in _HARMLESS
        }
        if mode == "limit":
            limits = {layer.name: self.models.constant(layer.module, layer.call.args[0])}
        if mode == "constrained":
            result = _changed(result, limits, "strip_whitespace", "to_lower", "to_upper")
        for name, bound in limits.items():
            self._limit(name, bound, result)
        return result

    def _validator(
        self,
        layer: Meta | Validator,
        mode: str,
        value: object,
        inner: Callable[[object], object],
    ) -> object:
        def apply(*values: object) -> object:
            if isinstance(layer, Validator):
                first: list[object] = [Opaque("class")] if layer.bound else []
                return self.called(layer.function, self._fitting(layer.function, [*first, *values]))
            if layer.function is None and layer.call is None:
                raise Undecided("a validator that is not known")
            return self.called(layer.function, self._fitting(layer.function, list(values)))

        if mode == "before":
            return inner(apply(value))
        if mode == "after":
            return apply(inner(value))
        if mode == "plain":
            return apply(value)
        return apply(value, Native(_handler(inner)))

    # -- types --------------------

    def check(self, kind: Type, value: object, depth: int = 0) -> object:
        """The value as the type takes it; raises `Invalid` or `Undecided`."""
        if depth > _DEPTH:
            raise Undecided("it nests too deeply")
        if isinstance(value, Opaque) and kind.kind not in _LAYERS:
            return self._opaque(kind, value)
        if value is not None and not isinstance(value, (Opaque, *_PLAIN)):
            raise Undecided("the value is not known")
        match kind.kind:
            case "annotated":
                return self._annotated(kind, value, depth)
            case "union":
                return self._union(kind, value, depth)
            case "alias":
                return self._alias(kind, value, depth)
            case "newtype" | "secret" if kind.args:
                return self.check(kind.args[0], value, depth + 1)
            case "rootmodel":
                if not kind.args or (kind.cls and self._has_validators(kind)):
                    raise Undecided("the root model is not understood")
                self.check(kind.args[0], value, depth + 1)
                return Opaque("root")
            case "list" | "set" | "frozenset" | "deque" | "sequence" | "abstract-set":
                return self._items(kind, value, depth)
            case "tuple":
                return self._tuple(kind, value, depth)
            case "dict" | "mapping" | "counter":
                return self._mapping(kind, value, depth)
            case "iterable" | "collection":
                return self._iterable(kind, value, depth)
            case "model" | "dataclass" | "typeddict" | "namedtuple":
                return self._structure(kind, value)
            case "class":
                return self._instance(kind, value)
            case "unknown":
                raise Undecided(kind.why)
        if kind.kind.endswith("-subclass"):
            return self._subclass(kind, value)
        if kind.kind == "scalar" and kind.name in BOUNDS:
            base, name, bound = BOUNDS[kind.name]
            number = scalar(Type(base), value, self.family, self.version)
            self._limit(name, bound, number)
            return number
        # the one plain type that pydantic takes another way from JSON text than from a value
        if self.in_json and kind.name == "timedelta" and isinstance(value, bool):
            raise Invalid("no length of time in JSON")
        return self._configured(kind, scalar(kind, value, self.family, self.version))

    def _opaque(self, kind: Type, value: Opaque) -> object:
        """A value of which little more than its type is known."""
        wanted = kind.cls.node.name if kind.cls else kind.name
        if value.name and (value.name == wanted or wanted in value.bases):
            return value
        if kind.kind in ("any", "typevar") or (kind.kind == "str" and value.name == "str"):
            return value
        if value.kind == "mixed":
            if self.family == "v1" and kind.name == "StrictStr" and value.name not in URLS:
                raise Invalid("a member of an enumeration")
            return self.check(kind, value.value)
        if value.kind == "member" and self.family == "v2" and kind.kind in ("str", "int"):
            if kind.kind == "str" and self.version < (2, 1):
                raise Invalid("another type")
            if type(value.value) is {"str": str, "int": int}[kind.kind]:
                return value.value
            raise Undecided("the value of a member")
        if kind.kind in ("path", "secret-str") and value.name == "str":
            return Opaque(kind.name)
        instance = value.kind in ("model", "dataclass", "member") or value.name == "Path"
        unlike = _UNLIKE_ANY | (_UNLIKE_OBJECTS if instance else frozenset())
        if value.kind == "model":
            # pydantic 2 iterates over a model, pydantic 1 makes a mapping of it
            pairs = not kind.args or kind.args[0].kind not in _SCALARS
            old = self.family == "v1"
            unlike -= {"dict", "mapping", "model"} if old else _ITERATED if pairs else frozenset()
        if value.name and kind.kind in unlike:
            raise Invalid("another type")
        raise Undecided("the value is not known")

    def _has_validators(self, kind: Type) -> bool:
        return kind.cls is not None and bool(self.models.model(kind.cls, "v2").validators)

    def _annotated(self, kind: Type, value: object, depth: int) -> object:
        inner = kind.args[0]

        def run(layers: tuple[Meta, ...], v: object) -> object:
            if not layers:
                return self.check(inner, v, depth + 1)
            rest = layers[:-1]
            return self._layer(layers[-1], v, lambda item: run(rest, item))

        return run(kind.meta, value)

    def _configured(self, kind: Type, value: object) -> object:
        """A text as the configuration of its class changes and limits it."""
        if not isinstance(value, str) or kind.kind != "str" or not self.around:
            return value
        old, new = ("anystr_", "") if self.family == "v1" else ("str_", "str_")
        config = self.around[-1][0].config
        names = [f"{old}strip_whitespace", f"{old}lower" if new == "" else "str_to_lower"]
        names.append(f"{old}upper" if new == "" else "str_to_upper")
        value = _changed(value, config, *names)
        least, most = "min_anystr_length", "max_anystr_length"
        if new:
            least, most = "str_min_length", "str_max_length"
        self._limit("min_length", config.get(least), value)
        self._limit("max_length", config.get(most), value)
        return value

    def _alias(self, kind: Type, value: object, depth: int) -> object:
        if kind.name == "statement" and self.version < (2, 7):
            return Opaque("alias")  # the pydantic of that time lets anything through
        return self.check(kind.args[0], value, depth + 1)

    def _union(self, kind: Type, value: object, depth: int) -> object:
        if value is None and any(item.kind == "none" for item in kind.args):
            return None
        results: list[object] = []
        undecided: Undecided | None = None
        for member in kind.args:
            try:
                result = self.check(member, value, depth + 1)
            except Invalid:
                continue
            except Undecided as reason:
                undecided = reason
                continue
            if self.family == "v1" and undecided is None:
                return result
            results.append(result)
        if not results:
            raise undecided or Invalid("no member of the union takes it")
        if any(item == Opaque("iterable") for item in results):
            return Opaque("union")
        exact = [item for item in results if type(item) is type(value) and item == value]
        if exact:
            return exact[0]
        return results[0] if len(results) == 1 and undecided is None else Opaque("union")

    def _items(self, kind: Type, value: object, depth: int) -> object:
        name = kind.kind
        if name == "sequence" and self.family == "v2":
            if isinstance(value, str) and (not kind.args or kind.args[0].kind == "any"):
                return value
            if not isinstance(value, (list, tuple)):
                raise Invalid("no sequence")
        only_sets = name == "abstract-set" and (self.family == "v1" or self.version < (2, 16))
        if only_sets and not isinstance(value, (set, frozenset)):
            raise Invalid("no set")
        if not isinstance(value, _SEQUENCES):
            raise Invalid("no list")
        result = self._each(kind.args[:1], list(value), depth, set if "set" in name else list)
        return Opaque("deque") if name == "deque" else result

    def _each(
        self, args: tuple[Type, ...], items: list[object], depth: int, make: Callable[..., Any]
    ) -> object:
        if not args:
            result = items
        else:
            result = self._all(lambda: (self.check(args[0], item, depth + 1) for item in items))
        if make is set and len(result) == len(items):
            try:
                return set(result)
            except TypeError as error:
                raise Invalid("an item can't be in a set") from error
        return result

    def _all(self, make: Callable[[], Any]) -> list[object]:
        """All items; an invalid one wins over an undecided one is not tried: the first ends it."""
        return list(make())

    def _tuple(self, kind: Type, value: object, depth: int) -> object:
        if not isinstance(value, _SEQUENCES):
            raise Invalid("no tuple")
        items = list(value)
        args = kind.args
        if not args:
            return tuple(items)
        if len(args) == 2 and args[1].kind == "ellipsis":
            return tuple(self._each(args[:1], items, depth, list))  # type: ignore[arg-type]
        if len(args) != len(items):
            raise Invalid("another length")
        pairs = zip(args, items, strict=True)
        return tuple(self.check(member, item, depth + 1) for member, item in pairs)

    def _mapping(self, kind: Type, value: object, depth: int) -> object:
        converted = not isinstance(value, dict)
        if not isinstance(value, dict):
            value = self._as_dict(value)
        keys, values = (*kind.args, None, None)[:2] if len(kind.args) == 2 else (None, None)
        if kind.kind == "counter" and value:
            raise Undecided("a counter")
        undecided: Undecided | None = None
        for key, item in value.items():
            for member, part in ((keys, key), (values, item)):
                if member is None:
                    continue
                try:
                    self.check(member, part, depth + 1)
                except Undecided as reason:
                    undecided = reason
        if undecided is not None:
            raise undecided
        return Opaque("mapping") if converted and kind.kind == "mapping" else value

    def _as_dict(self, value: object) -> dict[Any, object]:
        """Pydantic 1 gives what is no dict to `dict()`."""
        if self.family == "v1":
            try:
                return dict(value)  # type: ignore[call-overload, no-any-return]
            except (TypeError, ValueError) as error:
                raise Invalid("no mapping") from error
        raise Invalid("no mapping")

    def _iterable(self, kind: Type, value: object, depth: int) -> object:
        if not isinstance(value, (str, dict, *_SEQUENCES)):
            raise Invalid("not iterable")
        if self.family == "v1" and kind.kind == "collection" and isinstance(value, (str, dict)):
            raise Undecided("a collection")
        return value if kind.kind == "collection" else Opaque("iterable")

    def _structure(self, kind: Type, value: object) -> object:
        if kind.kind == "namedtuple":
            return self._namedtuple(kind, value)
        if kind.kind == "dataclass" and self.family == "v1" and isinstance(value, (list, tuple)):
            value = self._arguments(kind.cls, value)
        if not isinstance(value, dict):
            value = self._as_dict(value) if kind.kind == "model" else _no_mapping()
        if kind.cls is None:
            raise Undecided("a model whose fields are not known")
        if self.models.settings_base(kind.cls):
            if self.settings is None or not all(isinstance(key, str) for key in value):
                raise Undecided("nested settings read the environment again")
            return self.settings(kind.cls, value)
        if kind.kind == "model":
            return self.model(self.models.filled(kind.cls, self.family, kind.args), value)
        model = self.models.filled(kind.cls, "v2", kind.args)
        if kind.kind == "dataclass" and self.family == "v1":
            self._dataclass_v1(model, value)
        else:
            self.model(model, value)
        own = model.method("__post_init__") or (
            self.family == "v1" and not value.keys() <= model.fields.keys()
        )
        if kind.kind == "dataclass" and own:
            raise Undecided("a dataclass from a mapping")
        return Opaque(kind.cls.node.name, "dataclass") if kind.kind == "dataclass" else value

    def _dataclass_v1(self, model: Model, value: dict[Any, object]) -> None:
        """Check a mapping for a dataclass. Pydantic 1 may check the fields of its base alone: where
        the base was the type of a field before.
        """
        bases = [base for base in model.lineage.order if base.key != model.at.key]
        base = next((base for base in bases if self.models.is_dataclass(base)), None)
        if base is None or any(m.required and m.name not in value for m in model.fields.values()):
            self.model(model, value)
            return
        inner = self.models.model(base, "v2")
        self.model(inner, {key: item for key, item in value.items() if key in inner.fields})
        try:
            self.model(model, value)
        except Invalid as error:
            raise Undecided("whether the fields of a derived dataclass are checked") from error

    def _arguments(self, cls: ClassAt | None, items: Sequence[object]) -> dict[Any, object]:
        """The items of a list by the fields of the dataclass that pydantic 1 calls with them."""
        if cls is None:
            raise Undecided("a dataclass from a list")
        names = self.models.positions(self.models.model(cls, "v2"))
        if len(items) > len(names):
            raise Invalid("too many items")
        return dict(zip(names, items, strict=False))

    def _namedtuple(self, kind: Type, value: object) -> object:
        if isinstance(value, dict) and kind.cls is not None:
            if self.family == "v1":
                raise Invalid("no tuple")
            return self._named(kind.cls, value)
        if isinstance(value, (set, frozenset, dict)) or kind.cls is None:
            if isinstance(value, (dict, list, tuple)) or self.family == "v1":
                raise Undecided("a named tuple")
            raise Invalid("no tuple")
        if not isinstance(value, (list, tuple)):
            raise Invalid("no tuple")
        fields = list(self.models.model(kind.cls, "v2").fields.values())
        old = self.family == "v1"
        if len(value) > len(fields) or any(old or made.required for made in fields[len(value) :]):
            raise Invalid("another length")
        for made, item in zip(fields, value, strict=False):
            self.check(made.type, item)
        return Opaque("namedtuple")

    def _named(self, cls: ClassAt, value: dict[Any, object]) -> object:
        """A named tuple from its items by name."""
        fields = self.models.model(cls, "v2").fields
        if not value.keys() <= fields.keys():
            raise Invalid("another item")
        for name, made in fields.items():
            if name in value:
                self.check(made.type, value[name])
            elif made.required:
                raise Invalid("missing")
        return Opaque("namedtuple")

    def _instance(self, kind: Type, value: object) -> object:
        if kind.cls is not None:
            model = self.models.model(kind.cls, "v2")
            hooks = ("__get_pydantic_core_schema__", "__get_validators__")
            if model.lineage.unknown or any(model.method(hook) for hook in hooks):
                raise Undecided("a class that validates in its own way")
        raise Invalid("no instance")

    def _subclass(self, kind: Type, value: object) -> object:
        self_made = "v1" if self.family == "v1" else "v2"
        if self_made == "v2":
            return self._instance(kind, value)
        base = kind.kind.removesuffix("-subclass")
        if base in ("list", "tuple", "set", "frozenset", "dict", "str", "int", "float"):
            return self.check(Type(base, kind.args), value)
        raise Undecided("a subclass of a built-in type")


def populates_by_name(model: Model, version: tuple[int, int]) -> bool:
    """Whether pydantic takes a value for a field with an alias by the field's name too."""
    if model.family == "v1":
        return bool(model.config.get("allow_population_by_field_name"))
    # validate_by_name came with pydantic 2.11, at the time of pydantic-settings 2.9
    later = version >= (2, 9) and bool(model.config.get("validate_by_name"))
    return later or bool(model.config.get("populate_by_name"))


def _nothing_known(name: str) -> tuple[bool, object]:
    raise Undecided("the values of other fields")


def _changed(
    value: object, options: Mapping[str, object], strip: str, lower: str, upper: str
) -> object:
    """A text without spaces around it, in lower or upper case, where the options say so."""
    if isinstance(value, str):
        if any(options.get(name) is UNKNOWN for name in (strip, lower, upper)):
            raise Undecided("what becomes of a text")
        value = value.strip() if options.get(strip) else value
        value = value.lower() if options.get(lower) else value
        value = value.upper() if options.get(upper) else value
    return value


def _handler(inner: Callable[[object], object]) -> Callable[..., object]:
    def handle(value: object, *_: object) -> object:
        try:
            return inner(value)
        except Invalid as error:
            raise Raised("ValidationError", "ValueError", "Exception") from error

    return handle


def _no_mapping() -> dict[Any, object]:
    raise Invalid("no mapping")


def _same_in_strict(kind: Type) -> bool:
    """Whether strict mode makes no difference for texts and decoded JSON."""
    same = ("str", "list", "dict", "any", "none", "union", "annotated")
    return kind.kind in same and all(map(_same_in_strict, kind.args))


def _takes_none(kind: Type, *, bare_json: bool = False) -> bool:
    """Whether pydantic 1 lets None through for a type; with `bare_json` also for plain `Json`."""
    if kind.kind in ("any", "none", "typevar"):
        return True
    if kind.kind == "special" and kind.name == "Json":
        return bare_json
    if kind.kind == "annotated":
        return _takes_none(kind.args[0], bare_json=bare_json)
    return kind.kind == "union" and any(_takes_none(member) for member in kind.args)
