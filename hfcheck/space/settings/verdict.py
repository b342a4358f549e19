"""What becomes of each field of a settings class when it is built: the verdicts.

`judge` follows pydantic-settings 2.0 to 2.16 and pydantic 1.10: the sources in their order, then
validation. A verdict is one of `VERDICTS`; each field is judged as if no other had failed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hfcheck.space.settings.annotations import ClassAt, Type
from hfcheck.space.settings.classes import inner_class
from hfcheck.space.settings.complexity import Version, refused
from hfcheck.space.settings.fields import Alias, Argument, Field, Model, Models
from hfcheck.space.settings.imports import family_of, import_problem
from hfcheck.space.settings.interpret import World, evaluate
from hfcheck.space.settings.legacy import LegacyReader
from hfcheck.space.settings.operations import Raised, Undecided
from hfcheck.space.settings.scalars import Invalid
from hfcheck.space.settings.sources import NOTHING, DecodeError, Reader, extra_keys, merged
from hfcheck.space.settings.validation import Checker

OK = "ok"
SETTINGS_ERROR = "settings error"
VALIDATION_ERROR = "validation error"
MISSING = "missing"
EXTRA = "extra forbidden"
UNSURE = "unknown"
CLASS_ERROR = "class error"
IMPORT_ERROR = "import error"

VERDICTS = (
    OK,
    SETTINGS_ERROR,
    VALIDATION_ERROR,
    MISSING,
    EXTRA,
    UNSURE,
    CLASS_ERROR,
    IMPORT_ERROR,
)
"""`class error` and `import error` hold for every field of a class that can't be built at all."""

NEWEST: Version = (2, 16)
"""The newest pydantic-settings whose behaviour is known; later ones are taken to be like it."""

_STANDARD_SOURCES = ("init_settings", "env_settings", "dotenv_settings", "file_secret_settings")


@dataclass(slots=True)
class Given:
    """What a settings class is built with.

    `env` and `dotenv` are variables as written (`dotenv` is None without a file), `init` keyword
    arguments of the call, `secrets` the files of `secrets_dir` ("file": it is no folder; None:
    there is none). `hidden` tells of a variable that is not in `env` whether it may be set.
    """

    env: Mapping[str, str]
    dotenv: Mapping[str, str | None] | None = None
    init: Mapping[str, object] | None = None
    secrets: Mapping[str, str] | Literal["file"] | None = None
    hidden: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    kind: str
    custom: ClassAt | None = None


@dataclass(slots=True)
class _State:
    """What the sources gave: values by the key that pydantic sees, and the fields that failed."""

    values: dict[str, object] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    extra_known: bool = True


def judge(models: Models, cls: ClassAt, version: Version, given: Given) -> dict[str, str]:
    """The verdict of each field of a settings class, by its name.

    A key of the .env file that the class forbids has an entry of its own (`extra:key`: "extra
    forbidden"), and so has a field of nested settings that a default builds and that stops the
    start.
    """
    family = family_of(models, cls, version)
    model = models.model(cls, "v1" if family == "v1" else "v2")
    if family == "none" or import_problem(models.python, model.lineage, version):
        return dict.fromkeys(model.fields, IMPORT_ERROR)
    version = version if family == "v2" else (1, 10)
    if given.secrets == "file":
        return dict.fromkeys(model.fields, SETTINGS_ERROR)
    return _Judge(models, model, version, given).judge()


def judge_field(models: Models, cls: ClassAt, name: str, version: Version, given: Given) -> str:
    """The verdict of one field alone; "unknown" too where the class is not understood."""
    family = family_of(models, cls, version)
    model = models.model(cls, "v1" if family == "v1" else "v2")
    if family == "none" or name not in model.fields:
        return UNSURE
    judge = _Judge(models, model, version if family == "v2" else (1, 10), given)
    judge.fields = [model.fields[name]]
    return judge.verdicts().get(name, UNSURE)


def sources_known(models: Models, cls: ClassAt, version: Version) -> bool:
    """Whether it is understood which sources a class reads."""
    model = models.model(cls, "v1" if version < (2, 0) else "v2")
    return _Judge(models, model, version, Given({}))._sources() is not None


class _Judge:
    def __init__(self, models: Models, model: Model, version: Version, given: Given) -> None:
        self.models = models
        self.model = model
        self.fields = list(model.fields.values())
        self.version = version
        self.given = given
        self.world = World(models.python, given.env, hidden=given.hidden)
        self.checker = Checker(models, model.family, self.world, version)
        self.reader: Reader = (
            Reader(models, model, version, self.world)
            if model.family == "v2"
            else LegacyReader(models, model, version, self.world)
        )
        self.nested: dict[str, str] = {}

    def judge(self) -> dict[str, str]:
        if self.model.problems or self._defaults_raise():
            names = [*self.model.fields, *self.model.unannotated]
            return dict.fromkeys(names, CLASS_ERROR)
        return self.verdicts()

    def verdicts(self) -> dict[str, str]:
        """The verdicts of `fields`, of a class that can be built."""
        if self.model.unclear or self._built_otherwise():
            return dict.fromkeys(self.model.fields, UNSURE)
        sources = self._sources()
        if sources is None:
            return dict.fromkeys(self.model.fields, UNSURE)
        state = _State()
        for source in sources:
            self._read(source, state)
        data = self._before(state.values)
        verdicts = {
            made.name: state.verdicts.get(made.name) or self._verdict(made, data)
            for made in self.fields
        }
        whole = len(self.fields) == len(self.model.fields)
        forbidden = self._forbidden(data or {}) if whole and state.extra_known else []
        return {**verdicts, **{f"extra:{key}": EXTRA for key in forbidden}, **self.nested}

    def _forbidden(self, data: Mapping[str, object]) -> list[str]:
        """The keys that no field takes, where the class forbids them."""
        if self.model.family == "v1" or self.model.config.get("extra", "forbid") != "forbid":
            return []
        try:
            used = {self._lookup(made, data)[0] for made in self.model.fields.values()}
        except (Undecided, Raised):
            return []
        return [key for key in data if key not in used]

    def _built_otherwise(self) -> bool:
        return any(
            self.model.method(name) for name in ("__init__", "__new__", "_settings_build_values")
        )

    # -- sources --------------------

    def _sources(self) -> list[_Source] | None:
        """The sources in the order of their priority; None where they are not understood."""
        legacy = self.model.family == "v1"
        found = None
        if not legacy:
            found = self.model.method("settings_customise_sources")
        else:
            for cls in self.model.lineage.order:
                config = inner_class(cls, "Config")
                if config is not None:
                    line = self.models.lineage(config)
                    for part in line.order:
                        for statement in part.node.body:
                            if getattr(statement, "name", "") == "customise_sources":
                                assert isinstance(statement, ast.FunctionDef)
                                found = (part, statement)
                    break
        if found is None:
            names = [n for n in _STANDARD_SOURCES if not legacy or n != "dotenv_settings"]
            return [_Source(name) for name in names]
        return self._customised(*found)

    def _customised(self, cls: ClassAt, function: ast.FunctionDef) -> list[_Source] | None:
        body = [
            s for s in function.body if not isinstance(s, (ast.Expr, ast.Import, ast.ImportFrom))
        ]
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            return None
        value = body[0].value
        items = value.elts if isinstance(value, (ast.Tuple, ast.List)) else [value]
        sources: list[_Source] = []
        for item in items:
            if isinstance(item, ast.Name) and item.id in _STANDARD_SOURCES:
                sources.append(_Source(item.id))
                continue
            made = self._custom(cls, item) if isinstance(item, ast.Call) else None
            if made is None:
                return None
            sources.append(made)
        return sources

    def _custom(self, cls: ClassAt, node: ast.Call) -> _Source | None:
        """A subclass of the library's own source with the settings class as its only argument."""
        found = self.models.python.definition(cls.module, node.func)
        if found is None or len(node.args) != 1 or node.keywords:
            return None
        kinds = {"EnvSettingsSource": "env_settings", "DotEnvSettingsSource": "dotenv_settings"}
        if found.node is None:
            kind = kinds.get(found.qualified.rpartition(".")[2])
            return _Source(kind) if kind else None
        if not isinstance(found.node, ast.ClassDef) or found.module is None:
            return None
        custom = ClassAt(found.module, found.node)
        known = {"prepare_field_value", "decode_complex_value", "field_is_complex"}
        methods = {s.name for s in custom.node.body if isinstance(s, ast.FunctionDef)}
        bases = self.models.lineage(custom)
        names = [kinds.get(name.rpartition(".")[2], "") for name in bases.external]
        if not methods <= known or len(bases.order) > 1 or len(names) != 1 or not names[0]:
            return None
        return _Source(names[0], custom)

    def _read(self, source: _Source, state: _State) -> None:
        """Put what one source gives below what the sources before it gave."""
        data: dict[str, object] = {}
        if source.kind == "init_settings":
            data = dict(self.given.init or {})
        else:
            try:
                variables = self._variables(source.kind)
            except Undecided:
                state.verdicts |= dict.fromkeys(self.model.fields, UNSURE)
                return
            if variables is None:
                return
            for made in self.fields:
                self._read_field(made, source, variables, data, state)
            if source.kind == "dotenv_settings":
                self._add_extra(variables, data, state)
        state.values = merged(data, state.values)

    def _read_field(
        self,
        made: Field,
        source: _Source,
        variables: Mapping[str, object],
        data: dict[str, object],
        state: _State,
    ) -> None:
        try:
            if source.kind == "file_secret_settings":
                assert isinstance(self.given.secrets, Mapping)
                key, value = self.reader.secret(made, self.given.secrets)
            else:
                key, value = self.reader.read(made, variables, source.custom)
            if value is not None:
                data[key] = None if value is NOTHING else value
        except DecodeError:
            state.verdicts[made.name] = SETTINGS_ERROR
        except (Undecided, Raised):
            state.verdicts.setdefault(made.name, UNSURE)

    def _add_extra(
        self, variables: Mapping[str, object], data: dict[str, object], state: _State
    ) -> None:
        try:
            data.update(extra_keys(self.reader, variables, data))
        except Undecided:
            state.extra_known = False

    def _variables(self, kind: str) -> dict[str, object] | None:
        if kind == "file_secret_settings":
            return {} if isinstance(self.given.secrets, Mapping) else None
        if kind == "dotenv_settings":
            return None if self.given.dotenv is None else self.reader.variables(self.given.dotenv)
        if self.model.family == "v1" and self.given.dotenv is not None:
            low = self.reader.variables(self.given.dotenv)
            return {**low, **self.reader.variables(self.given.env)}
        return self.reader.variables(self.given.env)

    # -- validation --------------------

    def _before(self, values: dict[str, object]) -> dict[str, object] | None:
        """What validators of the whole model make of the values; None where that can't be told."""
        data: dict[str, object] = dict(values)
        whole = [item for item in self.model.validators if item.fields == ()]
        if any(item.mode in ("wrap", "plain") for item in whole):
            return None
        before = [item for item in whole if item.mode == "before"]
        for validator in before if self.model.family == "v1" else reversed(before):
            try:
                result = self.checker.run(validator, data)
            except (Undecided, Invalid):
                return None
            if not isinstance(result, dict):
                return None
            data = result
        return data

    def _verdict(self, made: Field, data: dict[str, object] | None) -> str:
        if data is None:
            return UNSURE
        try:
            key, value = self._lookup(made, data)
            if key is None:
                return self._unset(made)
            self.checker.field(self.model, made, value)
        except Invalid:
            return VALIDATION_ERROR
        except (Undecided, Raised, RecursionError):
            return UNSURE
        return OK

    def _lookup(self, made: Field, data: Mapping[str, object]) -> tuple[str | None, object]:
        """The key that pydantic takes a field's value from (None: there is none), and the value."""
        if self.model.family == "v1":
            return (made.name if made.name in data else None), data.get(made.name)
        aliases = self.reader.aliases(made)
        for alias in aliases:
            found, value = _followed(alias, data)
            if found:
                return alias.name, value
        if (not aliases or self._populates_by_name()) and made.name in data:
            return made.name, data[made.name]
        return None, None

    def _populates_by_name(self) -> bool:
        config = self.model.config
        return bool(config.get("populate_by_name") or config.get("validate_by_name"))

    def _unset(self, made: Field) -> str:
        if made.unclear:
            raise Undecided("the field is not understood")
        legacy = self.model.family == "v1"
        if made.required:
            if not self.checker.optional_without_default(made):
                return MISSING
            self.checker.field(self.model, made, None)
            return OK
        if self._builds_settings(made):
            return OK
        value = self.models.default(made, self.world)
        checks = self.model.config.get("validate_default", True)
        own = self.models.argument(made, "validate_default")
        if not legacy and (own is False or (own is None and checks is False)):
            return OK
        self.checker.field(self.model, made, value)
        return OK

    # -- defaults --------------------

    def _defaults_raise(self) -> bool:
        """Whether building the class raises: `os.environ["A"]` or failing settings as a default."""
        for made in self.model.fields.values():
            if refused(made.type, self.version) or refused(Type("", meta=made.meta), self.version):
                return True
            if made.default is None:
                continue
            nested = self._built_by(made.default.node, made.default.module)
            if nested is not None and _stops(self._nested(nested)):
                return True
            try:
                evaluate(
                    World(self.models.python, self.given.env, hidden=self.given.hidden),
                    made.default.module,
                    made.default.node,
                )
            except Raised:
                return True
            except (Undecided, RecursionError):
                continue
        return False

    def _builds_settings(self, made: Field) -> bool:
        """Whether the default builds other settings, whose failing fields then stop the start."""
        argument: Argument | None = made.default or made.factory
        if argument is None:
            return False
        nested = self._built_by(argument.node, argument.module, factory=made.factory is not None)
        if nested is None:
            return False
        self.nested |= {n: v for n, v in self._nested(nested).items() if _stops({n: v})}
        return True

    def _built_by(self, node: ast.expr, module: Any, *, factory: bool = False) -> ClassAt | None:
        if not factory:
            if not isinstance(node, ast.Call) or node.args or node.keywords:
                return None
            node = node.func
        found = self.models.python.definition(module, node)
        if found is None or not isinstance(found.node, ast.ClassDef) or found.module is None:
            return None
        cls = ClassAt(found.module, found.node)
        same = cls.key == self.model.at.key
        return cls if not same and self.models.settings_base(cls) else None

    def _nested(self, cls: ClassAt) -> dict[str, str]:
        version = self.version if self.model.family == "v2" else (1, 10)
        try:
            return judge(self.models, cls, version, Given(self.given.env, hidden=self.given.hidden))
        except RecursionError:
            return {}


def _followed(alias: Alias, data: Mapping[str, object]) -> tuple[bool, object]:
    """The value at an alias: the key, then the steps of an AliasPath into it."""
    if alias.name not in data:
        return False, None
    value = data[alias.name]
    for step in alias.steps:
        if isinstance(value, (list, tuple)):
            value = dict(
                zip([*range(len(value)), *range(-len(value), 0)], [*value, *value], strict=True)
            )
        if not isinstance(value, dict) or step not in value:
            return False, None
        value = value[step]
    return True, value


def _stops(verdicts: Mapping[str, str]) -> bool:
    return any(verdict not in (OK, UNSURE) for verdict in verdicts.values())
