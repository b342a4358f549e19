"""Generates settings classes and environments for the comparison with the real libraries."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """A module, its settings class, and what it is built with."""

    source: str
    name: str
    env: Mapping[str, str]
    dotenv: Mapping[str, str | None] | None = None
    init: Mapping[str, Any] | None = None
    secrets: Mapping[str, str] | None = None

    def request(self) -> dict[str, Any]:
        """The case as the oracle reads it."""
        return {
            "source": self.source,
            "name": self.name,
            "env": dict(self.env),
            "dotenv": self.dotenv,
            "init": self.init,
            "secrets": self.secrets,
        }


_COMMON = '''import collections.abc
import json
import os
from collections import deque
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing_extensions import TypedDict
from typing import (
    Annotated, Any, ClassVar, Deque, Dict, FrozenSet, Iterable, List, Literal, Mapping, NamedTuple,
    Optional, Sequence, Set, Tuple, Union,
)


def split(v):
    """Take `a,b` apart."""
    if isinstance(v, str):
        return [part.strip() for part in v.split(",") if part.strip()]
    return v


def careful(v):
    if isinstance(v, str) and not v.startswith("["):
        return [i.strip() for i in v.split(",")]
    elif isinstance(v, (list, str)):
        return v
    raise ValueError(v)


def lenient(v):
    if v is None or v == "":
        return []
    if isinstance(v, str):
        try:
            return json.loads(v)
        except json.JSONDecodeError:
            return list(map(str.strip, v.split(",")))
    return v


def checked(v):
    if not v:
        raise ValueError("empty")
    return v


class Color(str, Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Pair:
    a: int
    b: str = "x"


class Movie(TypedDict):
    title: str


class Point(NamedTuple):
    x: int
    y: int


Origins = List[str]
Maybe = Optional[List[str]]
'''

_V1 = """from pydantic import AnyHttpUrl, BaseModel, BaseSettings, Field, Json, SecretStr
from pydantic import root_validator, validator
"""

_V2 = """from pydantic import AliasChoices, AliasPath, AnyHttpUrl, BaseModel, Field, Json, SecretStr
from pydantic import AfterValidator, BeforeValidator, PlainValidator, field_validator
from pydantic import RootModel, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
"""

_MODELS = """

class Sub(BaseModel):
    tags: List[str] = []
    opt: Optional[List[str]] = None
    name: str = "n"
    level: int = 0


class Strict(BaseModel):
    key: str
"""

_SCALARS = [
    "str", "str", "str", "int", "float", "bool", "Any", "bytes", "Path", "SecretStr", "AnyHttpUrl",
    "Color", 'Literal["a", "b"]',
]  # fmt: skip
_ITEMS = ["str", "str", "str", "int", "float", "bool", "Any", "AnyHttpUrl", "Color", "SecretStr"]
_WRAPS = [
    "list[{}]", "List[{}]", "List[{}]", "set[{}]", "Set[{}]", "frozenset[{}]", "FrozenSet[{}]",
    "tuple[{}, ...]", "Tuple[{}, {}]", "Sequence[{}]", "collections.abc.Sequence[{}]", "Deque[{}]",
    "dict[str, {}]", "Dict[str, {}]", "Mapping[str, {}]", "Iterable[{}]",
]  # fmt: skip
_BARE = [
    "list",
    "List",
    "dict",
    "set",
    "Origins",
    "Maybe",
    "Sub",
    "Strict",
    "Pair",
    "Movie",
    "Point",
]

_TEXTS = [
    "", " ", "*", "a", "a,b", "http://a,http://b", "http://localhost:3000", "https://a.example.com",
    "http://a, http://b", '["http://a","http://b"]', '["a"]', "[]", "{}", '{"a": "b"}', "1", "0",
    "1.5", "-3", "true", "True", "false", "null", "None", '"*"', "['x']", '["x",]', "[1, 2]",
    '{"tags": ["a"]}', '{"key": "v"}', '{"tags": "a"}', "red", "RED", "a b", "[1]", '["a", 1]',
    '[["a"]]', "1,2", '{"title": "x"}', '{"a": 1}', "yes", "off", " 5 ", "1_000", "1e3", "nan",
    "/data/x", "5.0", '["red"]', "http://", "ftp://a", "[null]", "[true]",
]  # fmt: skip


class _Maker:
    def __init__(self, rng: random.Random, version: str) -> None:
        self.rng = rng
        self.version = version
        self.v1 = version == "v1"
        numbers = (99, 0) if version == "newest" else None
        if numbers is None and not self.v1:
            major, minor = version.split(".")[:2]
            numbers = (int(major), int(minor))
        self.named = False
        self.at_least_2_7 = numbers is not None and numbers >= (2, 7)
        self.at_least_2_3 = numbers is not None and numbers >= (2, 3)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def plain(self) -> str:
        roll = self.rng.random()
        if roll < 0.3:
            return self.rng.choice(_SCALARS)
        if roll < 0.82:
            made = self.rng.choice(_WRAPS).replace("{}", self.rng.choice(_ITEMS))
            # before pydantic 2.7 a Mapping's error hides those of other fields, or they hide it
            return made if self.v1 or self.at_least_2_3 else made.replace("Mapping", "Dict")
        return self.rng.choice(_BARE)

    def annotation(self) -> str:
        made = self.plain()
        roll = self.rng.random()
        if roll < 0.14:
            made = f"Optional[{made}]"
        elif roll < 0.2:
            made = f"Union[{made}, None]"
        elif roll < 0.32:
            other = self.rng.choice(["str", "str", "int", "list[str]", "None"])
            made = f"Union[{made}, {other}]"
        if self.chance(0.16):
            made = self.annotated(made)
        if self.chance(0.06):
            made = f"Optional[{made}]"
        return f'"{made}"' if self.chance(0.05) and '"' not in made else made

    def annotated(self, inner: str) -> str:
        pieces = ['"note"', "Field(description='d')"]
        if self.v1:
            return f"Annotated[{inner}, {self.rng.choice(pieces[:1])}]"
        function = self.rng.choice(["split", "split", "careful", "lenient", "checked"])
        pieces += [f"BeforeValidator({function})"] * 4 + [f"AfterValidator({function})"]
        pieces += [f"PlainValidator({function})", "Json()", "Field(min_length=1)"]
        if self.at_least_2_7:
            pieces += ["NoDecode"] * 5 + ["NoDecode()", "ForceDecode"]
        if not any(word in inner for word in ("list", "List", "str", "tuple", "Tuple", "set")):
            pieces = [piece for piece in pieces if "min_length" not in piece]
        chosen = self.rng.sample(pieces, self.rng.choice([1, 1, 2]))
        return f"Annotated[{inner}, {', '.join(chosen)}]"

    def default(self, annotation: str) -> str:
        roll = self.rng.random()
        if roll < 0.35:
            return ""
        value = self.rng.choice(
            [
                "[]",
                '["x"]',
                '"x"',
                '""',
                "None",
                "None",
                "3",
                "{}",
                "True",
                '("a", "b")',
                '["http://x"]',
            ]
        )
        if roll < 0.65:
            return f" = {value}"
        options = [value] if self.chance(0.6) else self.rng.choice([["..."], []])
        if not options and self.chance(0.5):
            options = [f"default_factory={self.rng.choice(['list', 'dict', 'lambda: []'])}"]
        options += self.naming()
        if self.chance(0.15):
            options.append('description="d"')
        return f" = Field({', '.join(options)})"

    def naming(self) -> list[str]:
        """Another name for a field; one a class, or two fields would share an alias."""
        if self.named:
            return []
        options = self._naming()
        self.named = bool(options)
        return options

    def _naming(self) -> list[str]:
        roll = self.rng.random()
        if self.v1:
            if roll < 0.2:
                return ['env="OTHER"']
            return ['env=["FIRST", "OTHER"]'] if roll < 0.3 else []
        if roll < 0.12:
            return ['alias="OTHER"']
        if roll < 0.24:
            return ['validation_alias="OTHER"']
        if roll < 0.32:
            return ['validation_alias=AliasChoices("FIRST", "OTHER")']
        if roll < 0.36:
            return ['validation_alias=AliasPath("OTHER", 0)']
        if roll < 0.39:
            return ['env="OTHER"']
        return []

    def validator(self, name: str) -> str:
        function = self.rng.choice(["split", "split", "careful", "lenient", "checked"])
        if self.v1:
            mode = self.rng.choice(["pre=True", "pre=True", "pre=False", "pre=True, always=True"])
            head = f'\n    @validator("{name}", {mode})\n'
            return f"{head}    def _v_{name}(cls, v):\n        return {function}(v)\n"
        mode = self.rng.choice(["before", "before", "before", "after", "plain"])
        return (
            f'\n    @field_validator("{name}", mode="{mode}")\n    @classmethod\n'
            f"    def _v_{name}(cls, v):\n        return {function}(v)\n"
        )

    def config(self, dotenv: bool) -> tuple[str, dict[str, Any]]:
        options: dict[str, Any] = {}
        if dotenv:
            options["env_file"] = ".env"
        if self.chance(0.15):
            options["env_prefix"] = self.rng.choice(["APP_", "app_"])
        if self.chance(0.08):
            options["case_sensitive"] = True
        if self.chance(0.15):
            options["env_nested_delimiter"] = self.rng.choice(["__", "__", "_"])
        if self.chance(0.3):
            options["extra"] = self.rng.choice(["ignore", "ignore", "forbid", "allow"])
        if not self.v1:
            for key, values in (
                ("env_ignore_empty", [True, False]),
                ("populate_by_name", [True]),
                ("env_parse_none_str", ["None", "null", ""]),
                ("enable_decoding", [False, True]),
                ("validate_default", [False]),
            ):
                if self.chance(0.06):
                    options[key] = self.rng.choice(values)
        if not options:
            return "", options
        if self.v1 or self.chance(0.1):
            lines = "".join(f"        {key} = {value!r}\n" for key, value in options.items())
            return f"\n    class Config:\n{lines}", options
        pairs = ", ".join(f"{key}={value!r}" for key, value in options.items())
        return f"    model_config = SettingsConfigDict({pairs})\n", options


def generate(rng: random.Random, version: str) -> Case:
    """A case for a version ("v1", "2.6", "newest")."""
    maker = _Maker(rng, version)
    dotenv = maker.chance(0.25)
    config, options = maker.config(dotenv)
    names = rng.sample(["cors_origins", "debug", "PORT", "sub", "tags"], rng.choice([1, 1, 2, 3]))
    body, after = "", ""
    for name in names:
        annotation = maker.annotation()
        body += f"    {name}: {annotation}{maker.default(annotation)}\n"
        if maker.chance(0.2):
            after += maker.validator(name)
    source = _COMMON + (_V1 if maker.v1 else _V2)
    if maker.at_least_2_7:
        source += "from pydantic_settings import ForceDecode, NoDecode\n"
    source += _MODELS
    if maker.chance(0.1) and len(names) > 1:
        first, _, rest = body.partition("\n")
        source += (
            f"\n\nclass Base(BaseSettings):\n{first}\n\n\nclass S(Base):\n{config}{rest}{after}"
        )
    else:
        source += f"\n\nclass S(BaseSettings):\n{config}{body}{after}"
    return Case(
        source,
        "S",
        _variables(maker, names, options, 0.75),
        _dotenv(maker, names, options) if dotenv else None,
    )


def _variables(
    maker: _Maker, names: list[str], options: dict[str, Any], probability: float
) -> dict[str, str]:
    found: dict[str, str] = {}
    prefix = options.get("env_prefix", "")
    for name in names:
        if not maker.chance(probability):
            continue
        written = prefix + name
        if maker.chance(0.8):
            written = written.upper()
        found[written] = maker.rng.choice(_TEXTS)
    for other in ("OTHER", "FIRST"):
        if maker.chance(0.25):
            found[other] = maker.rng.choice(_TEXTS)
    delimiter = options.get("env_nested_delimiter")
    if delimiter and maker.chance(0.6):
        name = maker.rng.choice(names)
        key = maker.rng.choice(["TAGS", "OPT", "NAME", "LEVEL", "K", "KEY"])
        found[f"{prefix}{name}{delimiter}{key}".upper()] = maker.rng.choice(_TEXTS)
    return found


def _dotenv(maker: _Maker, names: list[str], options: dict[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = {
        name: value
        for name, value in _variables(maker, names, options, 0.4).items()
        if "'" not in value
    }
    if maker.chance(0.25):
        found["SOMETHING_ELSE"] = maker.rng.choice(["x", "", None])
    return found
