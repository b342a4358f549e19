"""The settings classes that are loaded at start: what their fields need from the environment."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING

from hfcheck.source import Place
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.frames import Locals
from hfcheck.space.code.python import Module, Python
from hfcheck.space.code.values import EnvRead, Instance, truth
from hfcheck.space.packages import Packages
from hfcheck.space.settings.annotations import ClassAt, Type
from hfcheck.space.settings.complexity import Version, has_json, is_mapping, is_sequence
from hfcheck.space.settings.fields import Argument, Field, Model, Models
from hfcheck.space.settings.imports import family_of
from hfcheck.space.settings.interpret import World
from hfcheck.space.settings.legacy import LegacyReader
from hfcheck.space.settings.operations import Opaque, Raised, Undecided
from hfcheck.space.settings.outside import Outside, outside, own_options
from hfcheck.space.settings.prediction import parse_version
from hfcheck.space.settings.scalars import Invalid
from hfcheck.space.settings.sources import Reader
from hfcheck.space.settings.uses import Use, UseFinder
from hfcheck.space.settings.validation import Checker
from hfcheck.space.settings.verdict import NEWEST, UNSURE, Given, judge_field, sources_known
from hfcheck.space.value import Known, Origin, Unknown, Value, via

if TYPE_CHECKING:
    from hfcheck.space.code.startup import Made
    from hfcheck.space.image.image import Image

KNOWN_VERSIONS = tuple(f"2.{minor}.{patch}" for minor in range(17) for patch in range(6))
"""Versions of pydantic-settings among which a limit (`<2.7`) chooses; the last is the newest."""

_PYDANTIC = ("1.10.27", "2.0", "2.14.3")

_AS_NONE = "`env_parse_none_str` makes it None"


@dataclass(slots=True)
class SettingsField:
    """A field of a settings class that is loaded at start.

    `variables` are the names that set it, written as people write them; empty where they can't be
    told. `place` is its name, `annotation` its annotation (its statement where it has none). The
    verdicts (`verdict.VERDICTS`): `unset` without any variable, `comma` for a comma list, `now`
    for the environment as it is known. `parsed` marks `Json[...]`, which is JSON on purpose.
    """

    cls: SettingsClass
    name: str
    variables: tuple[str, ...]
    place: Place
    annotation: Place
    type: Type
    unset: str
    comma: str
    now: str
    reads: tuple[EnvRead, ...] = ()
    given: Value[str] | None = None
    parsed: bool = False

    @property
    def sequence(self) -> bool:
        """Whether it is a list, tuple or set of plain values (or a union with one)."""
        return not self.parsed and is_sequence(self.type)

    @property
    def mapping(self) -> bool:
        """Whether it is a mapping to plain values (or a union with one)."""
        return not self.parsed and is_mapping(self.type)

    def use(self, *, arguments: bool) -> Use | None:
        """The surest place that builds the class. With `arguments` only places count that don't
        pass this field in the call.
        """
        own = {self.name.lower(), *(name.lower() for name in self.variables)}
        for use in self.cls.uses:
            if not arguments:
                return use
            names = use.keywords
            if names is not None and not own & {name.lower() for name in names}:
                return use
        return None


@dataclass(slots=True)
class SettingsClass:
    """A settings class.

    `version` is what it is judged by, `library` its name for people ("pydantic-settings 2.16").
    `uses` are the places that build it, the surest first; `prefix` where `env_prefix` is set.
    `doubt` is the path of a .env file that is not in the context, and that the build may make.
    """

    at: ClassAt
    name: str
    place: Place
    version: Version
    library: str
    fields: list[SettingsField] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    prefix: Place | None = None
    doubt: str = ""


@dataclass(slots=True)
class SettingsModel:
    """The settings classes among the loaded modules, in the order of their modules."""

    classes: list[SettingsClass] = field(default_factory=list)

    @property
    def built(self) -> list[SettingsClass]:
        """Those that something that is loaded builds, at start or later."""
        return [cls for cls in self.classes if cls.uses]


def following_settings(
    packages: Callable[[], Packages], image: Image | None, workdir: str | None = None
) -> Callable[[Evaluator], None]:
    """Makes evaluators know the fields of settings objects in their environment.

    What the build installs is asked only when a settings object is met. `workdir` is the folder of
    the process, where that is not the image's.
    """

    def prepare(evaluator: Evaluator) -> None:
        @cache
        def reader() -> SettingsReader:
            return SettingsReader(
                evaluator.python, evaluator.env, packages(), image, workdir=workdir
            )

        def attribute(instance: Instance, name: str) -> Value[object] | None:
            reader().open_env = evaluator.open_env
            return reader().attribute(instance, name, evaluator)

        evaluator.instance_attribute = attribute

    return prepare


class SettingsReader:
    """Reads the settings classes of a Python world, and the values their fields would have.

    `attribute` can be an evaluator's `instance_attribute`. `environment` is read when it is needed,
    so that it may change meanwhile; `open_env` says why further variables may be set, where they
    may. `workdir` is the folder of the process (None: the image's).
    """

    def __init__(
        self,
        python: Python,
        environment: Mapping[str, Value[str]],
        packages: Packages,
        image: Image | None,
        open_env: Unknown | None = None,
        workdir: str | None = None,
    ) -> None:
        self.python = python
        self.environment = environment
        self.packages = packages
        self.image = image
        self.open_env = open_env
        self.workdir = workdir or (image.workdir if image is not None else "/")
        self.models = Models(python)

    @property
    def known(self) -> dict[str, str]:
        """The variables whose values are known."""
        return {k: v.value for k, v in self.environment.items() if isinstance(v, Known)}

    def hidden(self, name: str) -> bool:
        """Whether a variable whose value is not known is set, or may be."""
        return self.open_env is not None or isinstance(self.environment.get(name), Unknown)

    @cached_property
    def _evaluator(self) -> Evaluator:
        """Evaluates in the same environment, with the fields of settings objects."""
        evaluator = Evaluator(self.python, self.environment, self.open_env)
        evaluator.instance_attribute = lambda instance, name: self.attribute(
            instance, name, evaluator
        )
        return evaluator

    def _value(self, node: ast.expr, module: Module, scope: Locals | None) -> Value[object]:
        return self._evaluator.value(node, module, scope)

    # -- classes --------------------

    def classes(
        self, modules: list[Module], made: Mapping[ast.ClassDef, list[Made]]
    ) -> Iterator[SettingsClass]:
        """The settings classes of some modules; `made` are the classes that the start builds."""
        found = [
            at for module in modules for at in _classes(module) if self.models.settings_base(at)
        ]
        lineage = self.models.lineage
        uses = UseFinder(
            self.python, modules, found, made, self._value, lambda at: lineage(at).order
        ).find()
        for at in found:
            yield self.read(at, uses.get(at.key, []))

    def read(self, at: ClassAt, uses: Sequence[Use] = ()) -> SettingsClass:
        """One settings class with its fields, built at these places."""
        version, library = self.version(at)
        place = at.module.place(at.node)
        cls = SettingsClass(at, at.node.name, place, version, library, uses=list(uses))
        model = self._model(at, version)
        reader = self._reader(model, version)
        cls.prefix = _prefix_place(model)
        beyond = self._outside(model, _options_of(uses), self._evaluator)
        cls.doubt = beyond.doubt
        for made in model.fields.values():
            cls.fields.append(self._field(cls, reader, made, beyond))
        return cls

    def version(self, at: ClassAt) -> tuple[Version, str]:
        """The version that a class is judged by, and how it is named."""
        if self.models.settings_base(at) != "pydantic_settings":
            pydantic = self.packages.newest_of("pydantic", _PYDANTIC)
            modern = isinstance(pydantic, Known) and not pydantic.value.startswith(("0.", "1."))
            if not modern or self.models.settings_base(at) == "pydantic.v1":
                return (1, 10), "pydantic 1"
            if family_of(self.models, at, NEWEST) == "none":
                return NEWEST, "pydantic 2"
        line = self.packages.newest_of("pydantic-settings", KNOWN_VERSIONS)
        if isinstance(line, Known):
            try:
                version = min(parse_version(line.value), NEWEST)
            except ValueError:
                version = NEWEST
        else:
            version = NEWEST
        return version, f"pydantic-settings {version[0]}.{version[1]}"

    def _model(self, at: ClassAt, version: Version) -> Model:
        return self.models.model(at, "v1" if version < (2, 0) else "v2")

    def _reader(self, model: Model, version: Version) -> Reader:
        make = LegacyReader if model.family == "v1" else Reader
        return make(self.models, model, version, self._world())

    def _world(self) -> World:
        return World(self.python, self.known, hidden=self.hidden)

    # -- fields --------------------

    def _field(
        self, cls: SettingsClass, reader: Reader, made: Field, beyond: Outside
    ) -> SettingsField:
        names = self.variables(reader, made)
        module = made.cls.module
        target = made.node.target if isinstance(made.node, ast.AnnAssign) else made.node.targets[0]
        annotation = made.node.annotation if isinstance(made.node, ast.AnnAssign) else made.node
        given = self.setting(reader, made, names, beyond)
        return SettingsField(
            cls,
            made.name,
            names,
            module.place(target),
            module.place(annotation),
            made.type,
            unset=self._verdict(cls, made, None, names) if names else UNSURE,
            comma=self._verdict(cls, made, comma_list(made.type), names) if names else UNSURE,
            now=self._now(cls, made, given, beyond) if names else UNSURE,
            reads=tuple(self._reads(made)),
            given=given,
            parsed=has_json(made.meta),
        )

    def variables(self, reader: Reader, made: Field) -> tuple[str, ...]:
        """The variables that set a field, first looked for first; empty where not understood."""
        try:
            exact = bool(reader.option("case_sensitive"))
            names = [name.variable for name in reader.names(made)]
        except Undecided:
            return ()
        return tuple(dict.fromkeys(name if exact else name.upper() for name in names))

    def _verdict(
        self, cls: SettingsClass, made: Field, value: str | None, names: tuple[str, ...]
    ) -> str:
        lowered = {name.lower() for name in names}
        env = {k: v for k, v in self.known.items() if k.lower() not in lowered}
        if value is not None:
            env[names[0]] = value
        return judge_field(self.models, cls.at, made.name, cls.version, self._given(env))

    def _now(
        self, cls: SettingsClass, made: Field, given: Value[str] | None, beyond: Outside
    ) -> str:
        if isinstance(given, Unknown):
            return UNSURE
        files = [{name: _text(value) for name, value in file.items()} for file in beyond.files]
        given_now = self._given(self.known, files or None)
        return judge_field(self.models, cls.at, made.name, cls.version, given_now)

    def _given(
        self, env: Mapping[str, str], dotenv: Sequence[Mapping[str, object]] | None = None
    ) -> Given:
        return Given(env, dotenv, hidden=self.hidden)

    def setting(
        self, reader: Reader, made: Field, names: tuple[str, ...], beyond: Outside
    ) -> Value[str] | None:
        """The text that the environment or the .env file gives to a field; None without any."""
        try:
            exact = bool(reader.option("case_sensitive"))
            delimiter = reader.text("env_nested_delimiter")
            sources = self._sources(reader, beyond)
        except Undecided as reason:
            return Unknown(str(reason))
        for source in sources:
            for name in names:
                found = _look_up(source, name, exact=exact)
                if found is not None:
                    return found
            inner = _below(source, names, delimiter, exact=exact) if delimiter else None
            if inner is not None:
                return inner
        return self.open_env or beyond.unknown

    def _is_nested(self, reader: Reader, names: tuple[str, ...], beyond: Outside) -> bool:
        """Whether variables give parts of a field (`DB__URL` for `db`)."""
        delimiter = reader.text("env_nested_delimiter")
        starts = tuple((name + delimiter).lower() for name in names)
        known = (key for source in self._sources(reader, beyond) for key in source)
        return bool(delimiter) and any(key.lower().startswith(starts) for key in known)

    def _sources(self, reader: Reader, beyond: Outside) -> list[dict[str, Value[str]]]:
        """What the environment and the .env files set, as the class compares them."""
        both = (reader.variables(self.environment), reader.from_files(beyond.files))
        return [
            {
                name: value
                if isinstance(value, (Known, Unknown))
                else Unknown("it stands for None")
                for name, value in source.items()
                if value is not None
            }
            for source in both
        ]

    def _outside(
        self, model: Model, options: Mapping[str, Argument] | Unknown, evaluator: Evaluator
    ) -> Outside:
        if isinstance(options, Unknown):
            return Outside(unknown=options)

        def evaluate(argument: Argument) -> Value[object]:
            return evaluator.value(argument.node, argument.module)

        def environment(name: str) -> Value[str] | None:
            return self.environment.get(name, self.open_env)

        return outside(model.written, options, evaluate, self.image, self.workdir, environment)

    def _reads(self, made: Field) -> Iterator[EnvRead]:
        """Reads of variables that are not set, in the default (`= os.getenv("X")`)."""
        default = made.default
        if default is None:
            return
        for node in ast.walk(default.node):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = self.python.qualified(default.module, node.func)
            first = node.args[0]
            if name not in ("os.getenv", "os.environ.get") or not isinstance(first, ast.Constant):
                continue
            if isinstance(first.value, str) and first.value not in self.environment:
                note = f"`{first.value}` is not set"
                yield EnvRead(default.module.place(node), note, first.value)

    # -- values --------------------

    def attribute(
        self, instance: Instance, name: str, evaluator: Evaluator | None = None
    ) -> Value[object] | None:
        """The value of a field of a settings object at start; None for anything else.

        A variable's text as the field's type takes it, else the default; Unknown where it is not
        set, not valid, or changed in a way that is not followed.
        """
        at = ClassAt(instance.cls.module, instance.cls.node)
        if not self.models.settings_base(at):
            return None
        version, _ = self.version(at)
        model = self._model(at, version)
        made = model.fields.get(name)
        if made is None:
            return None
        reader = self._reader(model, version)
        origin = Origin(made.cls.module.place(made.node), name)
        options: dict[str, Argument] = {}
        if instance.call is not None and instance.caller is not None:
            arguments = _arguments(instance.call, instance.caller)
            if arguments is None:
                return Unknown("it is built with arguments that are not followed", (origin,))
            if name in arguments and evaluator is not None:
                return evaluator.value(arguments[name].node, instance.caller)
            options = own_options(arguments)
        names = self.variables(reader, made)
        if not names:
            return Unknown(f"the variable of `{name}` is not known", (origin,))
        if _changes(model, name) or not sources_known(self.models, at, version):
            return Unknown(f"what sets `{name}` is not followed", (origin,))
        beyond = self._outside(model, options, evaluator or self._evaluator)
        given = self.setting(reader, made, names, beyond)
        if given is None and self._is_nested(reader, names, beyond):
            return Unknown(f"variables of the fields in `{name}` are not followed", (origin,))
        if isinstance(given, Unknown):
            return via(given, origin)
        if given is not None:
            return self._converted(model, reader, made, given, names[0], origin)
        read = EnvRead(made.cls.module.place(made.node), f"`{names[0]}` is not set", names[0])
        return self._default(model, made, evaluator, read)

    def _converted(
        self,
        model: Model,
        reader: Reader,
        made: Field,
        given: Known[str],
        variable: str,
        origin: Origin,
    ) -> Value[object]:
        origins = (origin, *given.origins)
        verdict = judge_field(
            self.models, model.at, made.name, reader.version, self._given({variable: given.value})
        )
        if verdict != "ok":
            return Unknown(f"`{variable}` is no value for `{made.name}`: {verdict}", origins)
        try:
            _, value = reader.read(made, reader.variables({variable: given.value}))
            checker = Checker(self.models, model.family, reader.world, reader.version)
            value = checker.field(model, made, value)
        except (Undecided, Invalid):
            return Unknown(f"what `{made.name}` becomes is not followed", origins)
        if isinstance(value, Opaque):
            value = given.value if value.name else value
        return _as_value(value, origins)

    def _default(
        self, model: Model, made: Field, evaluator: Evaluator | None, read: EnvRead
    ) -> Value[object]:
        if made.required:
            return Unknown(f"the variable {read.name} is not set", (read,))
        validated = any(item.covers(made.name) for item in model.validators) or any(
            piece.kind in ("before", "after", "plain", "wrap") for piece in made.meta
        )
        if made.default is not None and not validated and evaluator is not None:
            value = evaluator.value(made.default.node, made.default.module)
            return via(value, replace(read, defaulted=truth(value) is not False))
        try:
            world = self._world()
            default = self.models.default(made, world)
            checker = Checker(self.models, model.family, world, NEWEST)
            if validated:
                default = checker.field(model, made, default)
        except (Undecided, Invalid):
            return Unknown(f"the default of `{made.name}` is not followed", (read,))
        except Raised:
            return Unknown(f"the default of `{made.name}` raises", (read,))
        found = _as_value(default, ())
        return via(found, replace(read, defaulted=truth(found) is not False))


def comma_list(kind: Type) -> str:
    """A comma list as people would write it for a type."""
    words = {"int": "1,2", "float": "1,2", "bool": "true,false"}
    seen = [kind]
    for item in seen:
        if len(seen) > 50:
            break
        if item.kind in words:
            return words[item.kind]
        if item.kind in ("literal", "enum") and item.values:
            return ",".join(str(value) for value in (item.values * 2)[:2])
        seen += item.args
    return "https://a.example,https://b.example"


def _as_value(value: object, origins: tuple[Origin, ...]) -> Value[object]:
    if isinstance(value, Opaque):
        return Unknown("the value is not followed", origins)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_as_value(item, origins) for item in value]
        made = items if isinstance(value, list) else tuple(items)
        return Known(made, origins)
    if isinstance(value, dict):
        return Known({key: _as_value(item, origins) for key, item in value.items()}, origins)
    return Known(value, origins)


def _classes(module: Module) -> Iterator[ClassAt]:
    """The classes at module level."""
    for bindings in module.bindings.values():
        for binding in bindings:
            if isinstance(binding.node, ast.ClassDef):
                yield ClassAt(module, binding.node)


def _text(value: Value[str] | None) -> object:
    """A value of a .env file as it is judged."""
    return Opaque("text") if isinstance(value, Unknown) else value and value.value


def _look_up(source: Mapping[str, Value[str]], name: str, *, exact: bool) -> Value[str] | None:
    if name in source or exact:
        return source.get(name)
    lowered = name.lower()
    return next((value for key, value in source.items() if key.lower() == lowered), None)


def _below(
    source: Mapping[str, Value[str]], names: tuple[str, ...], delimiter: str, *, exact: bool
) -> Unknown | None:
    """A variable of a nested field (`DB__URL` for `db`) whose value is not known."""
    starts = tuple(name + delimiter if exact else (name + delimiter).lower() for name in names)
    for key, value in source.items():
        if isinstance(value, Unknown) and (key if exact else key.lower()).startswith(starts):
            return value
    return None


def _changes(model: Model, name: str) -> bool:
    """Whether code of the class may set a field after its sources: a validator of the whole model,
    `__init__`, `model_post_init`.
    """
    bodies: list[ast.AST] = []
    for item in model.validators:
        if item.fields == () and item.function is None:
            return True
        if item.fields == () and item.function is not None:
            bodies.append(item.function.node)
    made = model.method("__init__")
    if made is not None:
        bodies.append(made[1])
    after = model.method("model_post_init")
    if after is not None and any(_assigns(node, name) for node in ast.walk(after[1])):
        return True
    return any(_sets(node, name) for body in bodies for node in ast.walk(body))


def _assigns(node: ast.AST, name: str) -> bool:
    """Whether a node sets a field of an object that is there already."""
    if isinstance(node, ast.Attribute):
        return node.attr == name and isinstance(node.ctx, ast.Store)
    if not isinstance(node, ast.Call):
        return False
    called = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
    constants = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
    return called in ("setattr", "__setattr__") and (name in constants or not constants)


def _sets(node: ast.AST, name: str) -> bool:
    """Whether a node sets a field, or an entry of the values from which fields are made."""
    if _assigns(node, name):
        return True
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return not isinstance(node.slice, ast.Constant) or node.slice.value == name
    if isinstance(node, (ast.Dict, ast.DictComp)):
        return True
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        called = called or getattr(node.func, "id", "")
        if called == "setdefault":
            constants = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            return name in constants or not constants
        return called in ("update", "pop")
    return False


def _arguments(call: ast.Call, module: Module) -> dict[str, Argument] | None:
    """The arguments of a call by name, those of a written `**{...}` too; None where a position or
    another `**` gives others.
    """
    found: dict[str, Argument] = {}
    for keyword in call.keywords:
        given = {keyword.arg: keyword.value} if keyword.arg else _display(keyword.value)
        if given is None:
            return None
        found |= {name: Argument(value, module) for name, value in given.items()}
    return None if call.args else found


def _display(node: ast.expr) -> dict[str, ast.expr] | None:
    """The items of a dict display whose keys are texts."""
    keys = [getattr(key, "value", None) for key in node.keys] if isinstance(node, ast.Dict) else []
    if not isinstance(node, ast.Dict) or not all(isinstance(key, str) for key in keys):
        return None
    return dict(zip(map(str, keys), node.values, strict=True))


def _options_of(uses: Sequence[Use]) -> dict[str, Argument] | Unknown:
    """The arguments of the library's own that every use passes alike."""
    found: dict[str, dict[str, Argument]] = {}
    for use in uses:
        given = _arguments(use.call, use.module) if use.call and use.module else {}
        options = own_options(given or {})
        key = ",".join(f"{name}={ast.dump(value.node)}" for name, value in options.items())
        found[key] = options
    if len(found) > 1:
        return Unknown("it is built in several ways")
    return next(iter(found.values()), {})


def _prefix_place(model: Model) -> Place | None:
    """Where `env_prefix` is set to something."""
    written = model.written.get("env_prefix")
    if written is None or not model.config.get("env_prefix"):
        return None
    return written.module.place(written.node)


__all__ = ["SettingsClass", "SettingsField", "SettingsModel", "SettingsReader"]
