"""What becomes of each field of a settings class when it is built: the verdicts.

`judge` follows pydantic-settings 2.0 to 2.16 and pydantic 1.10: the sources in their order, then
validation. A verdict is one of `VERDICTS`; each field is judged as if no other had failed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hfcheck.space.code.python import Module
from hfcheck.space.settings.annotations import ClassAt, Type
from hfcheck.space.settings.classes import inner_class
from hfcheck.space.settings.complexity import Version, has_statement, refused
from hfcheck.space.settings.fields import Alias, Argument, Field, Model, Models, called
from hfcheck.space.settings.imports import family_of, import_problem
from hfcheck.space.settings.interpret import World, evaluate
from hfcheck.space.settings.legacy import LegacyReader
from hfcheck.space.settings.operations import Opaque, Raised, Undecided
from hfcheck.space.settings.scalars import Invalid
from hfcheck.space.settings.sources import NOTHING, DecodeError, Reader, extra_keys, merged
from hfcheck.space.settings.validation import Checker, populates_by_name

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

    `env` are variables as written, `dotenv` those of each .env file, of which the last counts most
    (None: there is no file), `init` keyword arguments of the call, `secrets` the files of
    `secrets_dir` ("file": it is no folder; None: there is none). `hidden` tells of a variable that
    is not in `env` whether it may be set.
    """

    env: Mapping[str, str]
    dotenv: Sequence[Mapping[str, object]] | None = None
    init: Mapping[str, object] | None = None
    secrets: Mapping[str, str] | Literal["file"] | None = None
    hidden: Callable[[str], bool] | None = None


class _Missing(Invalid):
    """A field that is required and not set."""


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
    if not _asks_others(model, model.fields[name]):
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
        self.checker.settings = self._from_mapping

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
        try:
            self._settle_initial(state)
            self._add_defaults(state)
        except (Undecided, Raised):
            return dict.fromkeys(self.model.fields, UNSURE)
        data = self._before(state.values)
        verdicts = {
            made.name: state.verdicts.get(made.name) or self._verdict(made, state, data)
            for made in self.fields
        }
        whole = len(self.fields) == len(self.model.fields)
        forbidden = self._forbidden(data or {}) if whole and state.extra_known else []
        return {**verdicts, **{f"extra:{key}": EXTRA for key in forbidden}, **self.nested}

    def _forbidden(self, data: Mapping[str, object]) -> list[str]:
        """The keys that no field takes, where the class forbids them."""
        if self.model.config.get("extra", "forbid") != "forbid":
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
            data = self._initial()
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
            files = self.given.dotenv
            return None if files is None else self.reader.from_files(files)
        if self.model.family == "v1" and self.given.dotenv is not None:
            files = self.given.dotenv
            return {**self.reader.from_files(files), **self.reader.variables(self.given.env)}
        return self.reader.variables(self.given.env)

    def _initial(self) -> dict[str, object]:
        """The keyword arguments, with the names that the library gives them from 2.8 on."""
        given = dict(self.given.init or {})
        if not given or self.version < (2, 8):
            return given
        exact = self.version < (2, 15) or bool(self.reader.option("case_sensitive"))
        result: dict[str, object] = {}
        for made in self.model.fields.values():
            names = self._own_names(made)
            first = names[0]
            if self.version >= (2, 12) and populates_by_name(self.model, self.version):
                names.append(made.name)
            mine = [
                key
                for name in names
                for key in given
                if key == name or (not exact and key.lower() == name.lower())
            ]
            if mine:
                result[first] = given[mine[0]]
                given = {key: value for key, value in given.items() if key not in mine}
        return {**given, **result}

    def _own_names(self, made: Field) -> list[str]:
        """The aliases that keyword arguments and defaults go by, the first of the paths only where
        there is no plain one; without aliases the field's name.
        """
        aliases = self.reader.aliases(made)
        flat = [alias.name for alias in aliases if not alias.path]
        return flat or [alias.name for alias in aliases[:1]] or [made.name]

    def _settle_initial(self, state: _State) -> None:
        """From 2.12 on, a field that a keyword argument gives has one value, by its first alias if
        there is one.
        """
        if self.model.family == "v1" or self.version < (2, 12):
            return
        for made in self.model.fields.values() if self.given.init else ():
            names = self._own_names(made)
            if populates_by_name(self.model, self.version):
                names.append(made.name)
            present = [name for name in dict.fromkeys(names) if name in state.values]
            if any(name in (self.given.init or {}) for name in names):
                for name in present[1:]:
                    del state.values[name]

    def _add_defaults(self, state: _State) -> None:
        """With `nested_model_default_partial_update`, models that are defaults are taken apart, so
        that variables replace parts of them.
        """
        if not self.reader.option("nested_model_default_partial_update", (2, 5)):
            return
        for made in self.model.fields.values():
            if made.default is None:
                continue
            built = self.models.built(made.default, self.world)
            if built is None:
                continue
            dump = self.models.dumped(*built, self.world)
            names = self._own_names(made)
            whole = merged({names[0]: dump}, state.values)
            # an instance that nothing changes stays what it is
            if self.version < (2, 12) or whole[names[0]] != dump:
                state.values = whole

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

    def _verdict(self, made: Field, state: _State, data: dict[str, object] | None) -> str:
        if data is None:
            return UNSURE
        self.checker.earlier = lambda name: self._earlier(made, name, state, data)
        try:
            self._value(made, data)
        except _Missing:
            return MISSING
        except Invalid:
            return VALIDATION_ERROR
        except (Undecided, Raised, RecursionError):
            return UNSURE
        return OK

    def _value(self, made: Field, data: dict[str, object]) -> object:
        """The value of a field, from the sources or its default; raises `Invalid` for an error."""
        key, value = self._lookup(made, data)
        return self._unset(made) if key is None else self.checker.field(self.model, made, value)

    def _earlier(
        self, made: Field, name: str, state: _State, data: dict[str, object]
    ) -> tuple[bool, object]:
        """Whether a field before another has a value when that is validated, and the value."""
        names = list(self.model.fields)
        if name not in names or names.index(name) >= names.index(made.name):
            return False, None
        if name in state.verdicts:
            raise Undecided("the value of a field that fails")
        outer, around = self.checker.earlier, self.checker.around
        other = self.model.fields[name]
        self.checker.earlier = lambda further: self._earlier(other, further, state, data)
        self.checker.around = []
        try:
            return True, self._value(other, data)
        except Invalid:
            return False, None
        finally:
            self.checker.earlier, self.checker.around = outer, around

    def _lookup(self, made: Field, data: Mapping[str, object]) -> tuple[str | None, object]:
        """The key that pydantic takes a field's value from (None: there is none), and the value."""
        aliases = self.reader.aliases(made)
        for alias in aliases:
            found, value = _followed(alias, data)
            if found:
                return alias.name, value
        if (not aliases or populates_by_name(self.model, self.version)) and made.name in data:
            return made.name, data[made.name]
        return None, None

    def _unset(self, made: Field) -> object:
        """The value of a field that no source gives anything to."""
        if made.unclear:
            raise Undecided("the field is not understood")
        legacy = self.model.family == "v1"
        if made.required:
            if not self.checker.optional_without_default(made):
                raise _Missing("it has no default")
            return self.checker.field(self.model, made, None)
        value: object = self._settings(made)
        if value is None:
            value = self.models.default(made, self.world)
        checks = self.model.config.get("validate_default", True)
        own = self.models.argument(made, "validate_default")
        if not legacy and (own is False or (own is None and checks is False)):
            return value
        return self.checker.field(self.model, made, value)

    # -- defaults --------------------

    def _defaults_raise(self) -> bool:
        """Whether building the class raises: `os.environ["A"]` or failing settings as a default."""
        for made in self.model.fields.values():
            if refused(made.type, self.version) or refused(Type("", meta=made.meta), self.version):
                return True
            if self._strange(made) or self._hidden(made):
                return True
        for default in self.model.evaluated:
            try:
                nested = self._built_by(default)
                if nested is not None:
                    if _stops(self._nested(nested)):
                        return True
                    continue
                world = World(self.models.python, self.given.env, hidden=self.given.hidden)
                built = self.models.built(default, world)
                if built is None:
                    evaluate(world, default.module, default.node)
                elif built[1] and self.models.validates(built[0].at):
                    self.checker.model(*built)
            except (Raised, Invalid):
                return True
            except (Undecided, RecursionError):
                continue
        return False

    def _strange(self, made: Field) -> bool:
        """Whether a field of a base that is a plain model has a PEP 695 alias, which the pydantic
        of before 2.7 takes for a class that it does not know; settings let that pass.
        """
        if self.version >= (2, 7) or self.models.settings_base(made.cls):
            return False
        if not self.models.is_model(made.cls):
            return False
        allowed = self.models.model(made.cls, self.model.family).config
        return has_statement(made.type) and not allowed.get("arbitrary_types_allowed")

    def _hidden(self, made: Field) -> bool:
        """Whether a field's own value stands where its type should (`Path: Path = Path("x")`)."""
        return made.hidden and self.model.family == "v2" and self.version >= (2, 2)

    def _settings(self, made: Field) -> Opaque | None:
        """The other settings that a default builds, whose failing fields then stop the start.

        Raises `Undecided` where it is not known whether they do.
        """
        argument: Argument | None = made.default or made.factory
        if argument is None:
            return None
        built = self._built_by(argument, factory=made.factory is not None)
        if built is None:
            return None
        found = self._nested(built)
        self.nested |= {n: v for n, v in found.items() if _stops({n: v})}
        if UNSURE in found.values() and not _stops(found):
            raise Undecided("other settings that are not understood")
        return self._instance(built.cls)

    def _instance(self, cls: ClassAt) -> Opaque:
        bases = tuple(base.node.name for base in self.models.lineage(cls).order)
        return Opaque(cls.node.name, "model", bases=bases)

    def _built_by(
        self, argument: Argument, *, factory: bool = False, depth: int = 0
    ) -> _Built | None:
        """The other settings that an expression builds, itself or by a name or function."""
        if factory:
            argument = called(argument)
        node, module = argument.node, argument.module
        function = node.func if isinstance(node, ast.Call) else node
        found = self.models.python.definition(module, function)
        if found is None or found.module is None or depth > 5:
            return None
        inner: ast.expr | None = None
        if isinstance(node, ast.Name):
            inner = getattr(found.node, "value", None)
        elif isinstance(node, ast.Call) and isinstance(found.node, ast.FunctionDef):
            inner = _returned(found.node)
        if isinstance(inner, ast.expr):
            return self._built_by(Argument(inner, found.module), depth=depth + 1)
        if not isinstance(node, ast.Call) or not isinstance(found.node, ast.ClassDef):
            return None
        cls = ClassAt(found.module, found.node)
        if cls.key == self.model.at.key or not self.models.settings_base(cls):
            return None
        return _Built(cls, node, module)

    def _nested(self, built: _Built) -> dict[str, str]:
        """The verdicts of the fields of other settings; raises `Undecided` or `Raised` where the
        arguments of the call do.
        """
        words = built.call.keywords
        if built.call.args or any(word.arg is None or word.arg[:1] == "_" for word in words):
            raise Undecided("arguments that are not followed")
        return self._others(
            built.cls,
            {str(word.arg): evaluate(self.world, built.module, word.value) for word in words},
        )

    def _others(self, cls: ClassAt, init: Mapping[str, object]) -> dict[str, str]:
        """The verdicts of the fields of other settings that are built in the same place."""
        version = self.version if self.model.family == "v2" else (1, 10)
        given = Given(self.given.env, self._files_of(cls), init, hidden=self.given.hidden)
        try:
            return judge(self.models, cls, version, given)
        except RecursionError as error:
            raise Undecided("settings that hold themselves") from error

    def _files_of(self, cls: ClassAt) -> list[Mapping[str, object]] | None:
        """The .env files that other settings read, among those of this class."""
        wanted = _names_of_files(self.models.model(cls, self.model.family))
        if not wanted:
            return None
        if self.given.dotenv is None:
            if self.given.hidden is not None:
                raise Undecided("the .env files of other settings")
            return None
        mine = _names_of_files(self.model) or [".env"]
        if not set(wanted) <= set(mine):
            raise Undecided("the .env files of other settings")
        files = dict(zip(mine, self.given.dotenv, strict=False))
        return [files[name] for name in wanted if name in files]

    def _from_mapping(self, cls: ClassAt, value: Mapping[str, object]) -> object:
        """Other settings that validation makes of a mapping: they read the environment too. The
        pydantic of 2.0 lets their error out as it is.
        """
        found = self._others(cls, value)
        failing = {name: verdict for name, verdict in found.items() if _stops({name: verdict})}
        if failing and self.version == (2, 0):
            self.nested |= failing
        elif failing:
            raise Invalid("nested settings")
        if UNSURE in found.values():
            raise Undecided("nested settings")
        return self._instance(cls)


@dataclass(frozen=True, slots=True)
class _Built:
    """A call that builds other settings."""

    cls: ClassAt
    call: ast.Call
    module: Module


def _returned(function: ast.FunctionDef) -> ast.expr | None:
    """What a function without arguments returns, where that is all it does."""
    body = [item for item in function.body if not isinstance(item, ast.Expr)]
    if function.args.args or len(body) != 1 or not isinstance(body[0], ast.Return):
        return None
    return body[0].value


def _names_of_files(model: Model) -> list[str]:
    """The .env files that a class reads; raises `Undecided` where they can't be told."""
    value = model.config.get("env_file")
    names = list(value) if isinstance(value, (list, tuple)) else [value] if value else []
    if not all(isinstance(name, str) for name in names):
        raise Undecided("the .env files are not known")
    return [str(name) for name in names]


def _asks_others(model: Model, made: Field) -> bool:
    """Whether a validator of a field takes more than its value, so that it may ask for others."""
    functions = [(item.function, item.bound) for item in model.validators if item.covers(made.name)]
    functions += [(piece.function, False) for piece in made.meta]
    return any(
        function is not None and len(function.node.args.args) - bound > 1
        for function, bound in functions
    )


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
