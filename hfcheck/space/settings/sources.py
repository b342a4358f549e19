"""The sources of a settings class: what init, the environment, a .env file and a folder of secrets
give to its fields, before validation.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hfcheck.space.settings.annotations import ClassAt, Meta, Type
from hfcheck.space.settings.classes import method
from hfcheck.space.settings.complexity import Version, decoding, has, named_decoding, outer
from hfcheck.space.settings.fields import UNKNOWN, Alias, Field, Model, Models
from hfcheck.space.settings.interpret import World, call, evaluate
from hfcheck.space.settings.nested import exploded, renamed
from hfcheck.space.settings.operations import Function, Opaque, Raised, Undecided
from hfcheck.space.settings.scalars import Invalid
from hfcheck.space.settings.validation import Checker
from hfcheck.space.value import Known

NOTHING = object()
"""The text that `env_parse_none_str` names: None, but given."""


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _camel(name: str) -> str:
    pascal = _pascal(name)
    return pascal[:1].lower() + pascal[1:]


_GENERATORS: dict[str, Callable[[str], str]] = {
    "str.upper": str.upper,
    "str.lower": str.lower,
    "str.title": str.title,
    "str.capitalize": str.capitalize,
    "pydantic.alias_generators.to_camel": _camel,
    "pydantic.alias_generators.to_pascal": _pascal,
}
"""Makers of aliases that need not be looked into."""


class DecodeError(Exception):
    """What a source finds for a field is no JSON: the library raises SettingsError."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a source looks for: the key under which it passes the value on, the variable,
    and whether the value is decoded whatever the field's type.
    """

    key: str
    variable: str
    decoded: bool


@dataclass(slots=True)
class Reader:
    """Reads the fields of one class, as one version of pydantic-settings does."""

    models: Models
    model: Model
    version: Version
    world: World
    options: dict[str, object] = field(default_factory=dict)

    def option(self, name: str, since: Version = (1, 0)) -> object:
        """A configuration value; None where unset or not known to the version."""
        value = self.options.get(name, self.model.config.get(name))
        if self.version < since:
            return None
        if value is not UNKNOWN:
            return value
        if name in self.model.written:
            written = self.model.written[name]
            self.world.steps = 0
            return evaluate(self.world, written.module, written.node)
        raise Undecided(f"the value of `{name}` is not known")

    def text(self, name: str) -> str:
        """A configuration value that is a text, "" where unset."""
        value = self.option(name)
        return value if isinstance(value, str) else ""

    def cased(self, name: str) -> str:
        """A variable's name as it is compared."""
        return name if self.option("case_sensitive") else name.lower()

    @property
    def by_name(self) -> bool:
        """Whether a field with an alias is read by its own name too."""
        return bool(
            self.option("populate_by_name", (2, 6)) or self.option("validate_by_name", (2, 13))
        )

    def variables(self, env: Mapping[str, object]) -> dict[str, object]:
        """The variables as a source compares them; their values may be texts or `Known` ones."""
        none_text = self.option("env_parse_none_str", (2, 2))
        drop = self.option("env_ignore_empty", (2, 2))
        found: dict[str, object] = {}
        for name, value in env.items():
            text = value.value if isinstance(value, Known) else value
            if not (drop and text == ""):
                nothing = none_text is not None and text == none_text
                found[self.cased(name)] = NOTHING if nothing else value
        return found

    def from_files(self, files: Sequence[Mapping[str, object]]) -> dict[str, object]:
        """The variables of several .env files together, of which the last counts most."""
        found: dict[str, object] = {}
        for variables in files:
            found |= self.variables(variables)
        return found

    def names(self, made: Field) -> list[Name]:
        """The names under which a field is looked for, first found counts."""
        aliases = self.aliases(made)
        prefix = self.text("env_prefix")
        target = self.option("env_prefix_target", (2, 13)) or "variable"
        found: list[Name] = []
        before = prefix if target in ("alias", "all") else ""
        for alias in aliases:
            flat = alias.path and len(aliases) == 1
            if flat and self.version < (2, 16):
                for part in (alias.name, *alias.steps):
                    if isinstance(part, str):
                        found.append(Name(part, self.cased(before + part), len(part) > 1))
            else:
                found.append(Name(alias.name, self.cased(before + alias.name), alias.path > 1))
        if not aliases or self.by_name:
            before = prefix if target in ("variable", "all") else ""
            decoded = self._is_resolved(made) and named_decoding(made.type, made.meta, self.version)
            found.append(Name(made.name, self.cased(before + made.name), decoded))
        return found

    def aliases(self, made: Field) -> list[Alias]:
        """The aliases under which a field takes values."""
        aliases = self.models.aliases(made)
        if aliases == [] and "alias_generator" in self.model.written:
            aliases = self._generated(made)
        if aliases is None:
            raise Undecided("its alias is not understood")
        return [] if self.option("validate_by_alias", (2, 13)) is False else aliases

    def _generated(self, made: Field) -> list[Alias] | None:
        written = self.model.written["alias_generator"]
        generator = self.model.config.get("alias_generator")
        if generator is None:
            return []
        name = self.models.python.qualified(written.module, written.node) or ""
        if name in _GENERATORS and made.name.isascii() and made.name.replace("_", "").isalpha():
            return [Alias(_GENERATORS[name](made.name))]
        if isinstance(generator, Function):
            result = call(self.world, generator, [made.name])
            if isinstance(result, str):
                return [Alias(result)]
        return None

    # -- the environment and .env --------------------

    def read(
        self, made: Field, variables: Mapping[str, object], custom: ClassAt | None = None
    ) -> tuple[str, object]:
        """The key and value that the environment gives to a field (None: nothing; NOTHING: None).

        Raises `DecodeError` where the library raises SettingsError.
        """
        value: object = None
        names = self.names(made)
        name = names[-1]
        for name in names:
            value = variables.get(name.variable)
            if value is not None:
                break
        prepared = self._prepared(made, value, name.decoded, variables, custom)
        if isinstance(prepared, dict) and not self.option("case_sensitive"):
            prepared = renamed(self, made.type, prepared)
        return self._key(made, names, name, value), prepared

    def _key(self, made: Field, names: list[Name], name: Name, value: object) -> str:
        """The key of the value: from 2.7 that of the field's first name, whatever name was read."""
        if self.version < (2, 7) or name.decoded or (self.by_name and name.key == made.name):
            return name.key
        if self.version == (2, 13) and value is not None:
            return name.key
        if self.version >= (2, 14) and names[0].decoded:
            return name.key
        return names[0].key

    def _prepared(
        self,
        made: Field,
        value: object,
        decoded: bool,
        variables: Mapping[str, object],
        custom: ClassAt | None,
    ) -> object:
        def own(given: object) -> object:
            return self.prepare(made, given, decoded, variables, custom)

        override = _override(custom, "prepare_field_value")
        if override is None:
            return own(value)
        values = [Opaque("self"), made.name, Opaque("field"), value, decoded]
        return self._overridden(override, values, {"prepare_field_value": (2, own)})

    def prepare(
        self,
        made: Field,
        value: object,
        decoded: bool,
        variables: Mapping[str, object],
        custom: ClassAt | None = None,
    ) -> object:
        """What `prepare_field_value` makes of a value; NOTHING stands for a None that is given."""
        complex_, lenient = self._decoding(made, custom)
        value = self._enumerated(made, value)
        if not complex_ and not decoded:
            return self._coerced(made, value)
        if value is NOTHING and self.version >= (2, 3):
            return value
        if value is None:
            return self._exploded(made, variables) or None
        try:
            result = self.decode(made, value, custom)
        except DecodeError:
            if not lenient:
                raise
            return value
        if isinstance(result, dict):
            return merged(result, self._exploded(made, variables))
        return result

    def _coerced(self, made: Field, value: object) -> object:
        """A text as a union with a strict type takes it (`Optional[StrictBool]`): from 2.14 on it
        is converted before validation, if it can be, or its JSON.
        """
        kind, _ = outer(made.type, made.meta, self.version)
        strict = any(item.name.startswith("Strict") for item in kind.args)
        if self.version < (2, 14) or kind.kind != "union" or not strict:
            return value
        if not isinstance(value, str):
            return value
        checker = Checker(self.models, self.model.family, self.world, self.version)
        try:
            return checker.check(kind, value)
        except Invalid:
            pass
        try:
            decoded = json.loads(value)
            return value if isinstance(decoded, str) else checker.check(kind, decoded)
        except Invalid:
            return value
        except ValueError as error:
            if self.version == (2, 14):
                raise DecodeError from error
            return value

    def _exploded(self, made: Field, variables: Mapping[str, object]) -> dict[str, object]:
        delimiter = self.text("env_nested_delimiter")
        if not delimiter:
            return {}
        prefixes = [name.variable + delimiter for name in self.names(made)]
        return exploded(self, made, delimiter, prefixes, variables)

    def _decoding(self, made: Field, custom: ClassAt | None) -> tuple[bool, bool]:
        override = _override(custom, "field_is_complex")
        if override is None:
            if not self._is_resolved(made):
                return False, False
            return decoding(made.type, made.meta, self.version)
        complex_, lenient = decoding(made.type, made.meta, self.version)
        own: dict[str, tuple[int, Callable[[object], object]]] = {
            "field_is_complex": (0, lambda _: complex_ and not lenient)
        }
        if self._overridden(override, [Opaque("self"), Opaque("field")], own):
            return True, False
        return lenient, lenient

    def decode(self, made: Field | None, value: object, custom: ClassAt | None = None) -> object:
        """What `decode_complex_value` makes of a text; `DecodeError` where it is no JSON."""
        override = _override(custom, "decode_complex_value")
        if override is None:
            return self._decode(made, value)
        name = made.name if made is not None else ""
        own: dict[str, tuple[int, Callable[[object], object]]] = {
            "decode_complex_value": (2, lambda given: self._decode(made, given))
        }
        return self._overridden(override, [Opaque("self"), name, Opaque("field"), value], own)

    def _decode(self, made: Field | None, value: object) -> object:
        if made is not None and not self.is_decoded(made.type, made.meta):
            return value
        if value is NOTHING:
            value = self.option("env_parse_none_str")
        if not isinstance(value, str):
            raise Undecided("a value that is no text")
        try:
            return json.loads(value)
        except RecursionError as error:
            raise Undecided("JSON that nests too deeply") from error
        except ValueError as error:
            raise DecodeError from error

    def _is_resolved(self, made: Field) -> bool:
        """Whether a field's type is known when the environment is read. The pydantic 2.11 of the
        time of 2.9 to 2.11 does not work out again what a base left open, those around it do.
        """
        if made.late_in_base and (2, 9) <= self.version < (2, 12):
            raise Undecided("a type that is defined after the base class")
        return not made.late

    def is_decoded(self, kind: Type, meta: tuple[Meta, ...]) -> bool:
        """Whether nothing (NoDecode, enable_decoding) keeps a field from being decoded."""
        if self.version < (2, 7):
            return True
        pieces = outer(kind, meta, self.version)[1] if self.version >= (2, 13) else meta
        if has(pieces, "NoDecode"):
            return False
        forced = has(pieces if self.version >= (2, 16) else meta, "ForceDecode")
        return self.option("enable_decoding") is not False or forced

    def _overridden(
        self,
        override: Function,
        values: list[object],
        own: dict[str, tuple[int, Callable[[object], object]]],
    ) -> object:
        """Run a method that overrides one of the library's; its ValueError is a SettingsError."""

        def parent(name: str, given: list[object]) -> object:
            if name not in own:
                raise Undecided(f"it calls `{name}` of its parent")
            index, function = own[name]
            try:
                return function(given[index] if index < len(given) else None)
            except DecodeError as error:
                raise Raised("JSONDecodeError", "ValueError", "Exception") from error

        world = World(self.world.python, self.world.env, parent, self.world.hidden)
        try:
            return call(world, override, values)
        except Raised as raised:
            if "ValueError" in raised.names:
                raise DecodeError from raised
            raise Undecided("a source that stops the start in another way") from raised

    def _enumerated(self, made: Field, value: object) -> object:
        """With `env_parse_enums`, the name of a member stands for its value."""
        if not isinstance(value, str) or not self.option("env_parse_enums", (2, 4)):
            return value
        if value in member_names(made.type):
            raise Undecided("a member of an enumeration by its name")
        return value

    # -- secrets --------------------

    def secret(self, made: Field, secrets: Mapping[str, str]) -> tuple[str, object]:
        """The key and value that a folder of secrets gives to a field."""
        names = self.names(made)
        files = {self.cased(name): text for name, text in secrets.items()}
        for name in names:
            if name.variable in files:
                value = files[name.variable].strip()
                complex_, lenient = decoding(made.type, made.meta, self.version)
                forced = name.decoded and self.version >= (2, 2)
                if (complex_ and not lenient) or forced:
                    return name.key, self.decode(made, value)
                return name.key, value
        return names[-1].key, None


def _override(custom: ClassAt | None, name: str) -> Function | None:
    found = method((custom,), name) if custom is not None else None
    return Function(found[0].module, found[1]) if found else None


def member_names(kind: Type, depth: int = 0) -> set[str]:
    """The names of the members of every enumeration that a type mentions."""
    names: set[str] = set()
    if kind.kind == "enum" and kind.cls is not None:
        for statement in kind.cls.node.body:
            if isinstance(statement, ast.Assign):
                names |= {t.id for t in statement.targets if isinstance(t, ast.Name)}
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                names.add(statement.target.id)
    if depth < 20:
        for item in kind.args:
            names |= member_names(item, depth + 1)
    return names


def extra_keys(
    reader: Reader, variables: Mapping[str, object], data: Mapping[str, object]
) -> dict[str, object]:
    """The keys of a .env file that belong to no field and are passed on all the same."""
    prefix = reader.text("env_prefix")
    if reader.version < (2, 2):
        return _extra_before_2_2(reader, prefix, variables, data)
    filtering = reader.option("dotenv_filtering", (2, 14))
    if filtering == "only_existing":
        return {}
    if filtering is not None:
        raise Undecided("`dotenv_filtering` is not understood")
    names = {made.name: reader.names(made) for made in reader.model.fields.values()}
    if reader.version >= (2, 16):
        prefix = reader.cased(prefix)
    extra: dict[str, object] = {}
    for name, value in variables.items():
        if value in (None, "") or (value is NOTHING and not reader.option("env_parse_none_str")):
            continue
        if name in data and reader.version >= (2, 6):
            continue
        if prefix and name in names and reader.version >= (2, 11):
            continue
        if any(_belongs(reader, made, names, name) for made in reader.model.fields.values()):
            continue
        allowed = reader.option("extra") not in (None, "forbid") and name.startswith(prefix)
        extra[name[len(prefix) :] if allowed else name] = value
    return extra


def _extra_before_2_2(
    reader: Reader, prefix: str, variables: Mapping[str, object], data: Mapping[str, object]
) -> dict[str, object]:
    known = set(data) if reader.option("case_sensitive") else {key.lower() for key in data}
    extra: dict[str, object] = {}
    for name, value in variables.items():
        if not name.startswith(prefix) or value is None:
            continue
        parts = name[len(prefix) :].split(reader.text("env_nested_delimiter") or None)
        if parts and parts[0] not in known:
            extra[parts[0]] = value
    return extra


def _belongs(reader: Reader, made: Field, names: Mapping[str, list[Name]], name: str) -> bool:
    """Whether a variable of the .env file is taken for one of a field's own."""
    version = reader.version
    mine = [item.variable for item in names[made.name]]
    if name in mine:
        return True
    if version < (2, 5):
        return any(name.startswith(item) for item in mine)
    if version == (2, 5):
        return made.type.kind == "model" and any(name.startswith(item) for item in mine)
    if not decoding(made.type, made.meta, version)[0]:
        return False
    after = reader.text("env_nested_delimiter") if version >= (2, 15) else ""
    if version >= (2, 15) and not after:
        return False
    return any(name.startswith(item + after) for item in mine)


def merged(low: dict[Any, object], high: Mapping[Any, object]) -> dict[Any, object]:
    """Two mappings as pydantic merges sources: the second wins, mappings in them are merged."""
    result = dict(low)
    for key, value in high.items():
        mine = result.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            result[key] = merged(mine, value)
        else:
            result[key] = value
    return result
