"""Generates small settings classes: a few fields, each feature of the library often enough."""

from __future__ import annotations

from typing import Any

from tests.differential.settings.cases import Case
from tests.differential.settings.pieces import TEXTS, Maker, annotation

NAMES = ["cors_origins", "debug", "PORT", "sub", "tags", "db_url", "timeout"]

Options = dict[str, Any]


def small(maker: Maker) -> Case:
    """A class of up to four fields with any mixture of features."""
    options = _options(maker)
    names = maker.rng.sample(NAMES, maker.rng.choice([1, 1, 2, 3, 4]))
    declared, after = [], ""
    for name in names:
        kind = annotation(maker)
        declared.append(f"    {name}: {kind}{_default(maker, kind)}\n")
        if maker.chance(0.2):
            after += _validator(maker, name, names)
    after += _others(maker)
    if maker.chance(0.04):
        after += _whole(maker, names[0])
    config = _config(maker, options)
    source = maker.head(future=maker.chance(0.08))
    source += _laid_out(maker, declared, config, after, names)
    init = _init(maker, names) if maker.chance(0.06) else None
    secrets = None
    if "secrets_dir" in options:
        prefix = options.get("env_prefix", "")
        secrets = {prefix + name: _text(maker) for name in names if maker.chance(0.5)}
    dotenv = tuple(
        _env_file(maker, names, options)
        for _ in range(2 if isinstance(options.get("env_file"), tuple) else 1)
        if "env_file" in options
    )
    return Case(source, "S", variables(maker, names, options, 0.75), dotenv, init, secrets)


# -- fields --------------------


def _default(maker: Maker, kind: str) -> str:
    roll = maker.rng.random()
    if roll < 0.33:
        return ""
    value = maker.rng.choice(
        [
            "[]", '["x"]', '"x"', '""', "None", "None", "3", "{}", "True", '("a", "b")',
            '["http://x"]', '"a,b"', "0", "Color.RED", "1.5", "-1", '"http://localhost"',
            "Sub()", "Pair(1)", "Pairs(a=1, more=[2])", "Size(1)", "{'title': 'x'}", '[*Origins_, "z"]', 'f"{BASE}/x"', "BASE",
        ]
    )  # fmt: skip
    if maker.chance(0.06):
        value = maker.rng.choice(
            ['os.getenv("OTHER")', 'os.getenv("OTHER", "x")', 'os.environ.get("OTHER", "3")',
             'int(os.getenv("NUMBER", "5"))', 'os.getenv("OTHER", "").split(",")',
             'os.environ["OTHER"]', 'os.getenv("FLAG", "false").lower() == "true"']
        )  # fmt: skip
    if roll < 0.62:
        return f" = {value}"
    options = [value] if maker.chance(0.6) else maker.rng.choice([["..."], []])
    if not options and maker.chance(0.5):
        factory = maker.rng.choice(["list", "dict", "lambda: []", "made", "lambda: ['a', 'b']"])
        options = [f"default_factory={factory}"]
    options += _naming(maker)
    options += _limits(maker, kind)
    if maker.chance(0.15):
        options.append('description="d"')
    return f" = Field({', '.join(options)})"


def _limits(maker: Maker, kind: str) -> list[str]:
    """Limits that fit the annotation: pydantic refuses others when it builds the class."""
    if not maker.chance(0.3):
        return []
    if kind in ("int", "float"):
        return [maker.rng.choice(["ge=1", "gt=0, le=10", "lt=5"])]
    if kind == "str":
        pattern = "regex" if maker.v1 else "pattern"
        return [maker.rng.choice(["min_length=2", "max_length=3", f'{pattern}="^[a-z]+$"'])]
    if kind.startswith(("list[str", "List[str")) and "|" not in kind:
        return ["min_items=1" if maker.v1 else "min_length=1"]
    return []


def _naming(maker: Maker) -> list[str]:
    """Another name for a field; one a class, or two fields would share an alias."""
    if maker.names:
        return []
    roll = maker.rng.random()
    found: list[str] = []
    if maker.v1:
        found = ['env="OTHER"'] if roll < 0.2 else ['env=["FIRST", "OTHER"]'] if roll < 0.3 else []
        found = ['alias="OTHER"'] if 0.3 < roll < 0.34 else found
    else:
        for bound, option in (
            (0.12, 'alias="OTHER"'),
            (0.24, 'validation_alias="OTHER"'),
            (0.32, 'validation_alias=AliasChoices("FIRST", "OTHER")'),
            (0.36, 'validation_alias=AliasPath("OTHER", 0)'),
            (0.38, 'validation_alias=AliasChoices(AliasPath("OTHER", "k"), "FIRST")'),
            (0.41, 'env="OTHER"'),
            (0.44, 'alias="OTHER", validation_alias="FIRST"'),
            (0.46, 'serialization_alias="OTHER"'),
        ):
            if roll < bound:
                found = [option]
                break
    maker.names.update(found)
    return found


# -- validators and other members --------------------


def _validator(maker: Maker, name: str, names: list[str]) -> str:
    function = maker.rng.choice(["split", "split", "careful", "lenient", "checked", "trimmed"])
    target = maker.rng.choice([f'"{name}"'] * 6 + ['"*"'])
    if target != '"*"' and len(names) > 1 and maker.chance(0.15):
        target = ", ".join(f'"{item}"' for item in names)
    if maker.v1:
        mode = maker.rng.choice(
            ["pre=True", "pre=True", "pre=False", "pre=True, always=True", "always=True"]
        )
        if maker.chance(0.08):
            mode = "each_item=True"
        head = f"\n    @validator({target}, {mode})\n"
        body = f"        return {function}(v)\n"
        if maker.chance(0.1):
            return f"{head}    def _v_{name}(cls, v, values):\n{_earlier('values', function)}"
        return f"{head}    def _v_{name}(cls, v):\n{body}"
    mode = maker.rng.choice(["before", "before", "before", "after", "plain", "wrap"])
    head = f'\n    @field_validator({target}, mode="{mode}")\n    @classmethod\n'
    if maker.chance(0.06) and maker.since(3):
        old = "pre=True" if mode == "before" else "pre=False"
        head = f"\n    @validator({target}, {old})\n    @classmethod\n"
        mode = "old"
    if mode == "wrap":
        body = f"        return handler({function}(v))\n"
        if maker.chance(0.3):
            body = (
                "        try:\n            return handler(v)\n        except ValueError:\n"
                f"            return {function}(v)\n"
            )
        return f"{head}    def _v_{name}(cls, v, handler):\n{body}"
    if mode != "old" and maker.chance(0.12):
        return f"{head}    def _v_{name}(cls, v, info):\n{_earlier('info.data', function)}"
    return f"{head}    def _v_{name}(cls, v):\n        return {function}(v)\n"


def _earlier(data: str, function: str) -> str:
    """A body that asks for the values of fields before its own."""
    return (
        f"        if {data}.get('debug') == 3:\n            raise ValueError('no')\n"
        f"        return {function}(v)\n"
    )


def _whole(maker: Maker, name: str) -> str:
    """A validator of the whole class."""
    body = (
        f"        if isinstance(data.get('{name}'), str):\n"
        f"            data['{name}'] = data['{name}'].strip()\n        return data\n"
    )
    if maker.v1:
        return f"\n    @root_validator(pre=True)\n    def _whole(cls, data):\n{body}"
    if maker.chance(0.4):
        return '\n    @model_validator(mode="after")\n    def _after(self):\n        return self\n'
    head = '\n    @model_validator(mode="before")\n    @classmethod\n'
    return f"{head}    def _whole(cls, data):\n{body}"


def _others(maker: Maker) -> str:
    """Members of a class that are no fields."""
    found = ""
    if maker.chance(0.08):
        found += "\n    limit: ClassVar[int] = 3\n"
    if maker.chance(0.06):
        found += "\n    _secret: str = PrivateAttr(default='x')\n"
    if maker.chance(0.1):
        found += "\n    @property\n    def upper(self) -> str:\n        return 'x'.upper()\n"
    if maker.chance(0.05) and not maker.v1:
        found += "\n    @computed_field\n    @property\n    def made_up(self) -> list[str]:\n"
        found += "        return ['x']\n"
    return found


# -- the class --------------------


def _laid_out(maker: Maker, declared: list[str], config: str, after: str, names: list[str]) -> str:
    """The class, perhaps with bases that hold parts of it, and sources of its own."""
    text = '\n\nBASE = "http://base"\nOrigins_ = ["http://o"]\n\n\ndef made():\n    return ["m"]\n'
    bases, body = "BaseSettings", "".join(declared)
    roll = maker.rng.random()
    if roll < 0.1 and len(declared) > 1:
        text += f"\n\nclass Base(BaseSettings):\n{declared[0]}"
        bases, body = "Base", "".join(declared[1:])
    elif roll < 0.14 and len(declared) > 1:
        text += f"\n\nclass Mixin(BaseModel):\n{declared[0]}"
        bases, body = "Mixin, BaseSettings", "".join(declared[1:])
        bases = "BaseSettings, Mixin" if maker.chance(0.2) else bases
    elif roll < 0.18 and len(declared) > 1 and not maker.v1:
        text += f"\n\nclass Mixin:\n{declared[0]}"
        bases, body = "Mixin, BaseSettings", "".join(declared[1:])
    elif roll < 0.22 and len(declared) > 2:
        text += f"\n\nclass First(BaseSettings):\n{declared[0]}"
        text += f"\n\nclass Second(BaseSettings):\n{declared[1]}"
        bases, body = "First, Second", "".join(declared[2:])
    elif roll < 0.26:
        text += f"\n\nclass Base(BaseSettings):\n{declared[0]}\n{config}"
        config, bases = "", "Base"
        body = f"    {names[0]}: str = 'own'\n" + "".join(declared[1:])
    elif roll < 0.28 and not maker.v1:
        text += "\n\nclass Base(BaseSettings, Generic[T]):\n    item: T\n    items: List[T] = []\n"
        bases = f"Base[{maker.rng.choice(['int', 'str', 'List[str]'])}]"
    if not maker.v1 and maker.chance(0.05):
        after += _sources(maker)
        text += _SOURCE_CLASSES
    return f"{text}\n\nclass S({bases}):\n{config}{body}{after}"


_SOURCE_CLASSES = """

class CsvEnv(EnvSettingsSource):
    def prepare_field_value(self, field_name, field, value, value_is_complex):
        if field_name in ("cors_origins", "tags") and isinstance(value, str):
            return value.split(",")
        return super().prepare_field_value(field_name, field, value, value_is_complex)


class LooseEnv(EnvSettingsSource):
    def decode_complex_value(self, field_name, field, value):
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class CsvDotEnv(DotEnvSettingsSource):
    def decode_complex_value(self, field_name, field, value):
        if "," in value and not value.startswith(("[", "{")):
            return [part.strip() for part in value.split(",")]
        return json.loads(value)
"""


def _sources(maker: Maker) -> str:
    chosen = maker.rng.choice(
        [
            "return init_settings, env_settings, dotenv_settings, file_secret_settings",
            "return (env_settings, init_settings, dotenv_settings)",
            "return (dotenv_settings, env_settings, init_settings, file_secret_settings)",
            "return (init_settings,)",
            "return (init_settings, CsvEnv(settings_cls), dotenv_settings, file_secret_settings)",
            "return init_settings, LooseEnv(settings_cls), dotenv_settings",
            "return init_settings, env_settings, CsvDotEnv(settings_cls), file_secret_settings",
        ]
    )
    return (
        "\n    @classmethod\n    def settings_customise_sources(\n"
        "        cls, settings_cls, init_settings, env_settings, dotenv_settings,"
        f" file_secret_settings\n    ):\n        {chosen}\n"
    )


def _options(maker: Maker) -> Options:
    options: Options = {}
    if maker.chance(0.25):
        options["env_file"] = (".env", ".env.local") if maker.chance(0.2) else ".env"
    if maker.chance(0.16):
        options["env_prefix"] = maker.rng.choice(["APP_", "app_"])
    if maker.chance(0.08):
        options["case_sensitive"] = True
    if maker.chance(0.16):
        options["env_nested_delimiter"] = maker.rng.choice(["__", "__", "__", "_", "."])
    if maker.chance(0.3):
        options["extra"] = maker.rng.choice(["ignore", "ignore", "forbid", "allow"])
    if maker.chance(0.04):
        options["secrets_dir"] = "secrets"
    if maker.v1:
        return options
    for key, values in (
        ("env_ignore_empty", [True, False]),
        ("populate_by_name", [True]),
        ("validate_by_name", [True]),
        ("env_parse_none_str", ["None", "null", ""]),
        ("env_parse_enums", [True]),
        ("enable_decoding", [False, True]),
        ("validate_default", [False]),
        ("env_prefix_target", ["variable", "alias", "all"]),
        ("nested_model_default_partial_update", [True]),
        ("arbitrary_types_allowed", [True]),
        ("str_strip_whitespace", [True]),
        ("case_sensitive", [False]),
        ("title", ["t"]),
        ("frozen", [True]),
    ):
        if maker.chance(0.04):
            options.setdefault(key, maker.rng.choice(values))
    if "env_nested_delimiter" in options and maker.chance(0.2):
        options["env_nested_max_split"] = maker.rng.choice([1, 2])
    if maker.chance(0.03):
        options["alias_generator"] = "!" + maker.rng.choice(
            ["str.upper", "lambda n: 'A_' + n", "to_camel"]
        )
    return options


def _config(maker: Maker, options: Options) -> str:
    if not options:
        return ""
    written = {k: _value(v) for k, v in options.items()}
    if maker.v1 or maker.chance(0.12):
        lines = "".join(f"        {key} = {value}\n" for key, value in written.items())
        return f"\n    class Config:\n{lines}\n"
    pairs = ", ".join(f"{key}={value}" for key, value in written.items())
    if maker.chance(0.1):
        pairs = ", ".join(f'"{key}": {value}' for key, value in written.items())
        return f"    model_config = {{{pairs}}}\n"
    return f"    model_config = SettingsConfigDict({pairs})\n"


def _value(value: object) -> str:
    return value[1:] if isinstance(value, str) and value.startswith("!") else repr(value)


# -- what it is built with --------------------


def _text(maker: Maker) -> str:
    return maker.rng.choice(TEXTS)


def _init(maker: Maker, names: list[str]) -> dict[str, Any]:
    values = ["x", "a,b", ["x"], 3, None, {}, {"tags": ["a"]}, True, ["http://a"], {"a": 1}]
    found: dict[str, Any] = {name: maker.rng.choice(values) for name in names if maker.chance(0.5)}
    if maker.chance(0.2):
        found["OTHER"] = maker.rng.choice(values)
    return found


def variables(
    maker: Maker, names: list[str], options: Options, probability: float
) -> dict[str, str]:
    """Variables that set the fields of these names, and some that a field's other names are."""
    found: dict[str, str] = {}
    prefix = options.get("env_prefix", "")
    for name in names:
        if not maker.chance(probability):
            continue
        written = prefix + name
        if maker.chance(0.8):
            written = written.upper()
        found[written] = _text(maker)
        if maker.chance(0.02):
            found[prefix + name.lower()] = _text(maker)
    for other in ("OTHER", "FIRST", "A_PORT", "NUMBER"):
        if maker.chance(0.2):
            found[other] = _text(maker)
        if maker.chance(0.02):
            found[prefix + other] = _text(maker)
    delimiter = options.get("env_nested_delimiter")
    while delimiter and maker.chance(0.5):
        keys = [maker.rng.choice(names)]
        for _ in range(maker.rng.choice([1, 1, 2, 3])):
            keys.append(maker.rng.choice(_KEYS))
        found[f"{prefix}{delimiter.join(keys)}".upper()] = _text(maker)
    return found


_KEYS = ["TAGS", "OPT", "NAME", "LEVEL", "K", "KEY", "SUB", "MAYBE", "DEEP", "TABLE", "A", "ON"]


def _env_file(maker: Maker, names: list[str], options: Options) -> str:
    """The text of a .env file, written in the ways that people do."""
    lines: list[str] = []
    for name, value in variables(maker, names, options, 0.4).items():
        if "." in name or "'" in value:
            continue
        start = "export " if maker.chance(0.06) else ""
        space = " " if maker.chance(0.06) else ""
        lines.append(f"{start}{name}{space}={space}{_written(maker, value)}")
    if maker.chance(0.2):
        lines.insert(0, maker.rng.choice(["# settings", "", "#OTHER=x"]))
    if maker.chance(0.15):
        name = maker.rng.choice(names)
        reference = maker.rng.choice(["${OTHER}", "${NUMBER:-5}", "http://${FIRST:-a}", "${UNSET}"])
        prefix = options.get("env_prefix", "")
        lines.append(maker.rng.choice([f"{prefix}{name}={reference}", f"{prefix}{name}"]))
    if maker.chance(0.2):
        other = maker.rng.choice(["=x", "=", "='y z'", "=a # note"])
        lines.append(f"SOMETHING_ELSE{other}")
    return "\n".join(lines) + ("\n" if maker.chance(0.9) else "")


def _written(maker: Maker, value: str) -> str:
    roll = maker.rng.random()
    plain = value == value.strip() and "#" not in value and value[:1] != '"'
    if plain and roll < 0.5:
        return value + (" # note" if value and maker.chance(0.06) else "")
    if '"' not in value and "\\" not in value and roll < 0.75:
        return f'"{value}"'
    return f"'{value}'"
