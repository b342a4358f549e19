"""The environment as pydantic 1's BaseSettings reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hfcheck.space.code.python import FunctionNode
from hfcheck.space.settings.annotations import ClassAt
from hfcheck.space.settings.classes import inner_class, method
from hfcheck.space.settings.complexity import decoding_v1
from hfcheck.space.settings.fields import UNKNOWN, Alias, Field, Model
from hfcheck.space.settings.interpret import World, call
from hfcheck.space.settings.operations import Function, Opaque, Raised, Undecided
from hfcheck.space.settings.sources import NOTHING, DecodeError, Name, Reader, merged


class LegacyReader(Reader):
    """Reads the fields of a pydantic 1 settings class."""

    def variables(self, env: Mapping[str, object]) -> dict[str, object]:
        """The variables by the names under which they are compared."""
        return {self.cased(name): value for name, value in env.items()}

    def names(self, made: Field) -> list[Name]:
        """`env=` of the field or of `Config.fields` decides, else the prefix and the name."""
        given = self._env_of(made)
        if given is None:
            return [Name(made.name, self.cased(self.text("env_prefix") + made.name), False)]
        names = [given] if isinstance(given, str) else given
        if isinstance(names, (set, frozenset)):
            if len(names) > 1:
                raise Undecided("names without order")
            names = list(names)
        if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) for n in names):
            raise Undecided("its `env` is not understood")
        return [Name(made.name, self.cased(str(name)), False) for name in names]

    def aliases(self, made: Field) -> list[Alias]:
        """The alias under which pydantic takes a field's value; no variable is named by it."""
        aliases = self.models.aliases(made, "alias")
        if aliases is None:
            raise Undecided("its alias is not understood")
        return aliases

    def key(self, made: Field) -> str:
        """The key under which a source passes a field's value on."""
        aliases = self.aliases(made)
        return aliases[0].name if aliases else made.name

    def _env_of(self, made: Field) -> object:
        """What names a field's variables: `Config.fields` of the class, then `env=` of the field,
        then `Config.fields` of the bases that have the field, the one that declares it first.
        """
        if self._configured("prepare_field"):
            raise Undecided("`prepare_field` is not followed")
        own = _entry(self.model, made.name).get("env")
        given = self.models.argument(made, "env")
        if given is UNKNOWN:
            raise Undecided("its `env` is not understood")
        bases = reversed(self.model.lineage.order)
        holding = (base for base in bases if made.cls in self.models.lineage(base).order)
        found = [own, given]
        found += [_entry(self.models.model(base, "v1"), made.name).get("env") for base in holding]
        return next((item for item in found if item is not None), None)

    def _configured(self, name: str) -> tuple[ClassAt, FunctionNode] | None:
        """A method of the nearest `class Config`."""
        for cls in self.model.lineage.order:
            config = inner_class(cls, "Config")
            if config is not None:
                return method(self.models.lineage(config).order, name)
        return None

    def read(
        self, made: Field, variables: Mapping[str, object], custom: ClassAt | None = None
    ) -> tuple[str, object]:
        """The key and value that the environment gives; raises `DecodeError` for SettingsError."""
        value: object = None
        for name in self.names(made):
            value = variables.get(name.variable)
            if value is not None:
                break
        complex_, lenient = decoding_v1(made.type)
        if has_json(made):
            complex_ = False
        if not complex_:
            return self.key(made), value
        if value is None:
            return self.key(made), self._nested(made, variables) or None
        try:
            result = self._parsed(made, str(value))
        except DecodeError:
            if not lenient:
                raise
            return self.key(made), value
        if isinstance(result, dict):
            return self.key(made), merged(result, self._nested(made, variables))
        return self.key(made), NOTHING if result is None else result

    def secret(self, made: Field, secrets: Mapping[str, str]) -> tuple[str, object]:
        """The key and value that a folder of secrets gives to a field."""
        files = {self.cased(name): text for name, text in secrets.items()}
        value: object = None
        for name in self.names(made):
            if name.variable in files:
                value = files[name.variable].strip()
                if decoding_v1(made.type) == (True, False):
                    value = self._parsed(made, str(value))
        return self.key(made), value

    def _parsed(self, made: Field, text: str) -> object:
        override = self._configured("parse_env_var")
        if override is not None:
            function = Function(override[0].module, override[1])
            return self._called(function, [Opaque("self"), made.name, text])
        if "parse_env_var" in self.model.written:
            return self._called(self.option("parse_env_var"), [made.name, text])
        return self._loaded(text)

    def _loaded(self, text: str) -> object:
        """What `Config.json_loads` makes of a text."""
        written = self.model.written.get("json_loads")
        if written is None:
            return _loads(text)
        name = self.models.python.qualified(written.module, written.node)
        return (
            _loads(text)
            if name == "json.loads"
            else self._called(self.option("json_loads"), [text])
        )

    def _called(self, function: object, values: list[object]) -> object:
        """What a function of the configuration returns; its ValueError is a SettingsError."""
        if not isinstance(function, Function):
            raise Undecided("a function of the configuration that is not known")

        def parent(name: str, given: list[object]) -> object:
            if name not in ("json_loads", "parse_env_var") or not given:
                raise Undecided(f"it calls `{name}`")
            try:
                return self._loaded(str(given[-1]))
            except DecodeError as error:
                raise Raised("JSONDecodeError", "ValueError", "Exception") from error

        world = World(self.world.python, self.world.env, parent, self.world.hidden)
        try:
            return call(world, function, values)
        except Raised as raised:
            if "ValueError" in raised.names:
                raise DecodeError from raised
            raise Undecided("the configuration stops the start in another way") from raised

    def _nested(self, made: Field, variables: Mapping[str, object]) -> dict[str, object]:
        delimiter = self.text("env_nested_delimiter")
        if not delimiter:
            return {}
        prefixes = [name.variable + delimiter for name in self.names(made)]
        result: dict[str, object] = {}
        start = len(self.text("env_prefix"))
        for name, value in variables.items():
            if not any(name.startswith(prefix) for prefix in prefixes):
                continue
            _, *keys, last = name[start:].split(delimiter)
            holder: object = result
            for key in keys:
                holder = holder.setdefault(key, {}) if isinstance(holder, dict) else None
            if isinstance(holder, dict):
                holder[last] = value
        return result


def has_json(made: Field) -> bool:
    """Whether a field is `Json[...]` itself: its text is parsed by validation."""
    return any(piece.kind == "json-type" for piece in made.meta)


def _entry(model: Model, name: str) -> dict[str, object]:
    """What `Config.fields` says of a field."""
    fields = model.config.get("fields")
    if fields is UNKNOWN:
        raise Undecided("`Config.fields` is not understood")
    entry = fields.get(name) if isinstance(fields, dict) else None
    return entry if isinstance(entry, dict) else {}


def _loads(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise Undecided("JSON that nests too deeply") from error
    except ValueError as error:
        raise DecodeError from error
