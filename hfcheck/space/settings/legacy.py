"""The environment as pydantic 1's BaseSettings reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hfcheck.space.settings.annotations import ClassAt
from hfcheck.space.settings.classes import inner_class, method
from hfcheck.space.settings.complexity import decoding_v1
from hfcheck.space.settings.fields import UNKNOWN, Field
from hfcheck.space.settings.interpret import World, call
from hfcheck.space.settings.operations import Function, Opaque, Raised, Undecided
from hfcheck.space.settings.sources import NOTHING, DecodeError, Name, Reader, merged


class LegacyReader(Reader):
    """Reads the fields of a pydantic 1 settings class."""

    def variables(self, env: Mapping[str, str | None]) -> dict[str, object]:
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

    def _env_of(self, made: Field) -> object:
        fields = self.model.config.get("fields")
        if fields is UNKNOWN:
            raise Undecided("`Config.fields` is not understood")
        if isinstance(fields, dict) and made.name in fields:
            entry = fields[made.name]
            if isinstance(entry, dict) and entry.get("env") is not None:
                return entry["env"]
        given = self.models.argument(made, "env")
        if given is UNKNOWN:
            raise Undecided("its `env` is not understood")
        return given

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
            return made.name, value
        if value is None:
            return made.name, self._nested(made, variables) or None
        try:
            result = self._parsed(made, str(value))
        except DecodeError:
            if not lenient:
                raise
            return made.name, value
        if isinstance(result, dict):
            return made.name, merged(result, self._nested(made, variables))
        return made.name, NOTHING if result is None else result

    def secret(self, made: Field, secrets: Mapping[str, str]) -> tuple[str, object]:
        """The key and value that a folder of secrets gives to a field."""
        files = {self.cased(name): text for name, text in secrets.items()}
        value: object = None
        for name in self.names(made):
            if name.variable in files:
                value = files[name.variable].strip()
                if decoding_v1(made.type) == (True, False):
                    value = self._parsed(made, str(value))
        return made.name, value

    def _parsed(self, made: Field, text: str) -> object:
        override = None
        for cls in self.model.lineage.order:
            config = inner_class(cls, "Config")
            if config is not None:
                override = method(self.models.lineage(config).order, "parse_env_var")
                break
        if override is None:
            return _loads(text)

        def parent(name: str, given: list[object]) -> object:
            if name not in ("json_loads", "parse_env_var") or not given:
                raise Undecided(f"it calls `{name}`")
            try:
                return _loads(str(given[-1]))
            except DecodeError as error:
                raise Raised("JSONDecodeError", "ValueError", "Exception") from error

        world = World(self.world.python, self.world.env, parent, self.world.hidden)
        try:
            return call(
                world, Function(override[0].module, override[1]), [Opaque("self"), made.name, text]
            )
        except Raised as raised:
            if "ValueError" in raised.names:
                raise DecodeError from raised
            raise Undecided("`parse_env_var` stops the start in another way") from raised

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


def _loads(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise Undecided("JSON that nests too deeply") from error
    except ValueError as error:
        raise DecodeError from error
