"""Pieces of generated settings modules: the head that all share, annotations, texts."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field

NEWEST = (99, 0)

NEW_SYNTAX = sys.version_info >= (3, 12)
"""Whether this Python reads `type X = ...`, without which neither side of a comparison can."""

_COMMON = """import collections.abc
import json
import os
from collections import deque
from dataclasses import dataclass, field as dataclass_field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from functools import lru_cache
from pathlib import Path
from typing import (
    Annotated, Any, ClassVar, Deque, Dict, Final, FrozenSet, Generic, Iterable, List, Literal,
    Mapping, NamedTuple, NewType, Optional, Sequence, Set, Tuple, TypeVar, Union,
)
from uuid import UUID
from typing_extensions import NotRequired, Required, TypeAliasType, TypedDict
"""

_FUNCTIONS = '''

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


def lowered(v: Any) -> Any:
    return v.lower() if isinstance(v, str) else v


def trimmed(v):
    return v.strip().rstrip("/") if isinstance(v, str) else v


class Color(str, Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Mode(Enum):
    DEV = "dev"
    PROD = "prod"


@dataclass
class Pair:
    a: int
    b: str = "x"


class Movie(TypedDict):
    title: str


class Point(NamedTuple):
    x: int
    y: int


class Partial(TypedDict, total=False):
    title: Required[str]
    year: int


class Extended(Movie):
    tags: NotRequired[List[str]]


@dataclass
class Pairs(Pair):
    more: List[int] = dataclass_field(default_factory=list)


@dataclass
class Keyed:
    key: str = dataclass_field(default="k")
    pair: Optional[Pair] = None


class Size(NamedTuple):
    width: int
    height: int = 2


T = TypeVar("T")
Origins = List[str]
Maybe = Optional[List[str]]
Ident = NewType("Ident", str)
Numbers = NewType("Numbers", List[int])
Plain = Annotated[List[T], "items"]
'''

_MODELS = """

class Sub(BaseModel):
    tags: List[str] = []
    opt: Optional[List[str]] = None
    name: str = "n"
    level: int = 0


class Strict(BaseModel):
    key: str


class Deep(BaseModel):
    sub: Sub = Sub()
    maybe: Optional[Sub] = None
    table: Dict[str, int] = {}
    on: bool = False


class Deeper(BaseModel):
    deep: Deep = Deep()
    title: str = "t"
"""

_V1 = """from pydantic import AnyHttpUrl, AnyUrl, BaseModel, BaseSettings, Field, HttpUrl, Json
from pydantic import PositiveInt, PostgresDsn, RedisDsn, SecretStr, StrictBool, StrictStr, conint
from pydantic import PrivateAttr, conlist, constr, root_validator, validator
"""

_V2 = """from pydantic import AliasChoices, AliasPath, AnyHttpUrl, AnyUrl, BaseModel, Field, HttpUrl
from pydantic import AfterValidator, BeforeValidator, Json, PlainValidator, WrapValidator
from pydantic import PositiveInt, PostgresDsn, PrivateAttr, RedisDsn, RootModel, SecretStr
from pydantic import StrictBool, StrictStr, StringConstraints, computed_field, conint, conlist
from pydantic import ConfigDict, constr, field_validator, model_validator, validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic.alias_generators import to_camel
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource
"""

_V2_TYPES = """

class Box(BaseModel, Generic[T]):
    value: T


class Tags(RootModel[List[str]]):
    pass


Listed = TypeAliasType("Listed", List[str])
"""

_NO_DECODE = """
CsvRaw = Annotated[List[str], NoDecode]
Csv = Annotated[List[str], NoDecode, BeforeValidator(split)]
"""

_STATEMENTS = """
type Names = list[str]
type Loose = list[str] | str
type Perhaps = list[str] | None
"""


def version_of(version: str) -> tuple[int, int]:
    """A version's first two numbers: (1, 10) for "v1", those of nothing else for "newest"."""
    if version == "newest":
        return NEWEST
    if version == "v1":
        return (1, 10)
    major, minor = version.split(".")[:2]
    return (int(major), int(minor))


@dataclass(slots=True)
class Maker:
    """What the generators share: the source of chance, and the version that cases are made for."""

    rng: random.Random
    version: tuple[int, int]
    new_syntax: bool = False
    names: set[str] = field(default_factory=set)

    @property
    def v1(self) -> bool:
        """Whether the class is one of pydantic 1."""
        return self.version < (2, 0)

    def since(self, minor: int) -> bool:
        """Whether the version is pydantic-settings 2.`minor` or newer."""
        return self.version >= (2, minor)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def head(self, *, future: bool = False) -> str:
        """Imports, functions and types that the classes of a module use."""
        text = "from __future__ import annotations\n\n" if future else ""
        text += _COMMON + (_V1 if self.v1 else _V2)
        if self.since(7):
            text += "from pydantic_settings import ForceDecode, NoDecode\n"
        text += _FUNCTIONS + _MODELS
        if not self.v1:
            text += _V2_TYPES
        if self.since(7):
            text += _NO_DECODE
        return text + (_STATEMENTS if self.new_syntax else "")


SCALARS = [
    "str", "str", "str", "str", "int", "int", "float", "bool", "bool", "Any", "bytes", "Path",
    "SecretStr", "AnyHttpUrl", "HttpUrl", "AnyUrl", "PostgresDsn", "RedisDsn", "Color", "Level",
    "Mode", 'Literal["a", "b"]', "Literal[1, 2]", "Ident", "PositiveInt", "timedelta", "Decimal",
    "UUID", "date", "datetime", "StrictStr", "StrictBool", "conint(ge=1)", "object",
    "constr(min_length=2)",
]  # fmt: skip
ITEMS = [
    "str", "str", "str", "str", "int", "float", "bool", "Any", "AnyHttpUrl", "Color", "SecretStr",
    'Literal["a", "b"]', "Path", "Optional[str]", "Dict[str, str]", "List[str]", "Union[int, str]",
]  # fmt: skip
WRAPS = [
    "list[{}]", "List[{}]", "List[{}]", "set[{}]", "Set[{}]", "frozenset[{}]", "FrozenSet[{}]",
    "tuple[{}, ...]", "Tuple[{}, {}]", "Sequence[{}]", "collections.abc.Sequence[{}]", "Deque[{}]",
    "dict[str, {}]", "Dict[str, {}]", "Mapping[str, {}]", "Iterable[{}]", "conlist({})",
]  # fmt: skip
BARE = [
    "list", "List", "dict", "set", "Origins", "Maybe", "Sub", "Strict", "Pair", "Movie", "Point",
    "Deep", "Numbers", "Plain[str]", "Partial", "Extended", "Pairs", "Keyed", "Size", "List[Pair]",
]  # fmt: skip
V2_BARE = ["Box[str]", "Box[List[str]]", "Tags", "Listed", "RootModel[List[int]]"]

TEXTS = [
    "", " ", "*", "a", "a,b", "http://a,http://b", "http://localhost:3000", "https://a.example.com",
    "http://a, http://b", '["http://a","http://b"]', '["a"]', "[]", "{}", '{"a": "b"}', "1", "0",
    "1.5", "-3", "true", "True", "false", "null", "None", '"*"', "['x']", '["x",]', "[1, 2]",
    '{"tags": ["a"]}', '{"key": "v"}', '{"tags": "a"}', "red", "RED", "a b", "[1]", '["a", 1]',
    '[["a"]]', "1,2", '{"title": "x"}', '{"a": 1}', "yes", "off", " 5 ", "1_000", "1e3", "nan",
    "/data/x", "5.0", '["red"]', "http://", "ftp://a", "[null]", "[true]", "dev", "2", "8000",
    "postgresql://user:pw@db:5432/app", "postgresql+asyncpg://u:p@host/db", "sqlite:///./app.db",
    "redis://localhost:6379/0", "2024-01-31", "P1D", "3600", "not a url", "https://x.example/path",
    "6f1c1c1e-4a2b-4b6e-9a57-0a8f5d3a9f10", '{"sub": {"tags": ["x"]}}', '{"deep": {"on": true}}',
    '{"title": "x", "year": "1"}', '{"a": 1, "more": [2]}', '{"width": 1}', '[{"a": 1}]',
    '{"key": "v", "pair": {"a": "1"}}', '{"value": "x"}', '{"value": ["x"]}', '{"k": 1}', '{"k": ["v"]}', "12.50", "localhost",
]  # fmt: skip


def annotation(maker: Maker) -> str:
    """An annotation for a field."""
    made = _plain(maker)
    roll = maker.rng.random()
    if roll < 0.14:
        made = f"Optional[{made}]"
    elif roll < 0.2:
        made = f"Union[{made}, None]"
    elif roll < 0.24 and '"' not in made:
        made = f"{made} | None"
    elif roll < 0.34:
        other = maker.rng.choice(["str", "str", "int", "list[str]", "None", "bool"])
        made = f"Union[{made}, {other}]"
    if maker.chance(0.18):
        made = _annotated(maker, made)
    if maker.chance(0.06):
        made = f"Optional[{made}]"
    if maker.chance(0.02):
        made = f"Final[{made}]" if maker.since(3) else made
    return f'"{made}"' if maker.chance(0.05) and '"' not in made else made


def _plain(maker: Maker) -> str:
    roll = maker.rng.random()
    if roll < 0.34:
        return maker.rng.choice(SCALARS)
    if roll < 0.8:
        made = maker.rng.choice(WRAPS).replace("{}", maker.rng.choice(ITEMS))
        # before pydantic 2.7 a Mapping's error hides those of other fields, or they hide it
        return made if maker.v1 or maker.since(3) else made.replace("Mapping", "Dict")
    names = list(BARE)
    if not maker.v1:
        names += V2_BARE
    if maker.since(7):
        names += ["CsvRaw", "Csv", "Csv"]
    if maker.new_syntax and not maker.v1:
        names += ["Names", "Loose", "Perhaps"]
    return maker.rng.choice(names)


_SIZED = ("list", "List", "str", "tuple", "Tuple", "set")


def _annotated(maker: Maker, inner: str) -> str:
    pieces = ['"note"', "Field(description='d')"]
    if maker.v1:
        return f"Annotated[{inner}, {maker.rng.choice(pieces[:1])}]"
    function = maker.rng.choice(["split", "split", "careful", "lenient", "checked", "lowered"])
    pieces += [f"BeforeValidator({function})"] * 4 + [f"AfterValidator({function})"]
    pieces += [f"PlainValidator({function})", "Json()"]
    pieces += [f"WrapValidator(lambda v, handler: handler({function}(v)))"]
    pieces += ["BeforeValidator(lambda v: v.split(',') if isinstance(v, str) else v)"]
    if maker.since(7):
        pieces += ["NoDecode"] * 5 + ["NoDecode()", "ForceDecode"]
    if inner.startswith(_SIZED):
        pieces += ["Field(min_length=1)"]
    if inner == "int":
        pieces += ["Field(ge=1, le=10)", "Field(gt=0)"]
    if inner == "str":
        pieces += ["StringConstraints(strip_whitespace=True, min_length=1)"]
        pieces += ["StringConstraints(to_lower=True)"]
    chosen = maker.rng.sample(pieces, maker.rng.choice([1, 1, 2]))
    return f"Annotated[{inner}, {', '.join(chosen)}]"
