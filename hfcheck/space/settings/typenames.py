"""Names of Python, `typing` and pydantic that annotations are made of, by what they mean here.

The kinds are those of `annotations.Type`. "scalar" is a type that is never decoded as JSON and of
which hfcheck does not judge the text; "special" is a form that only means something subscripted.
Source: the modules `typing`, `collections.abc` (3.12), `pydantic` 2.14, `pydantic_settings` 2.16.
"""

from __future__ import annotations

BUILTINS = {
    **{
        n: n
        for n in [
            "str",
            "int",
            "float",
            "bool",
            "bytes",
            "bytearray",
            "list",
            "set",
            "frozenset",
            "tuple",
            "dict",
        ]
    },
    "object": "any",
    "type": "type",
}

_COLLECTIONS = {
    "List": "list",
    "Set": "set",
    "FrozenSet": "frozenset",
    "Tuple": "tuple",
    "Dict": "dict",
    "Deque": "deque",
    "Sequence": "sequence",
    "MutableSequence": "sequence",
    "Collection": "collection",
    "Iterable": "iterable",
    "AbstractSet": "abstract-set",
    "MutableSet": "abstract-set",
    "Mapping": "mapping",
    "MutableMapping": "mapping",
    "DefaultDict": "dict",
    "OrderedDict": "dict",
    "Counter": "counter",
}

_TYPING = {
    **_COLLECTIONS,
    "Any": "any",
    "Text": "str",
    "LiteralString": "str",
    "TypedDict": "typeddict",
    "NamedTuple": "namedtuple",
    "Callable": "callable",
    "Type": "type",
    "Pattern": "scalar",
    "Generic": "class",
    "Protocol": "class",
    **dict.fromkeys(
        [
            "Optional",
            "Union",
            "Annotated",
            "Literal",
            "Final",
            "ClassVar",
            "Required",
            "NotRequired",
            "ReadOnly",
        ],
        "special",
    ),
}

_ABC = {
    **{k: v for k, v in _COLLECTIONS.items() if k[0] not in "LDFT" and k != "Counter"},
    "Set": "abstract-set",
    "Callable": "callable",
}

STANDARD: dict[str, dict[str, str]] = {
    "typing": _TYPING,
    "typing_extensions": _TYPING,
    "collections": {
        **_ABC,
        "deque": "deque",
        "defaultdict": "dict",
        "OrderedDict": "dict",
        "Counter": "counter",
    },
    "enum": dict.fromkeys(("Enum", "StrEnum", "IntEnum", "Flag", "IntFlag"), "enum"),
    "pathlib": dict.fromkeys(("Path", "PurePath", "PosixPath", "PurePosixPath"), "path"),
    "os": {"PathLike": "scalar"},
    "dataclasses": {"InitVar": "special"},
    "datetime": dict.fromkeys(("datetime", "date", "time", "timedelta", "timezone"), "scalar"),
    "decimal": {"Decimal": "scalar"},
    "fractions": {"Fraction": "scalar"},
    "uuid": {"UUID": "scalar"},
    "re": {"Pattern": "scalar"},
    "zoneinfo": {"ZoneInfo": "scalar"},
    "ipaddress": {
        f"IPv{n}{kind}": "scalar" for n in "46" for kind in ("Address", "Network", "Interface")
    },
    "types": {"NoneType": "none"},
    "abc": {"ABC": "class"},
}

URLS: dict[str, tuple[str, ...] | None] = {
    "AnyUrl": None,
    "AnyHttpUrl": ("http", "https"),
    "HttpUrl": ("http", "https"),
    "AnyWebsocketUrl": ("ws", "wss"),
    "WebsocketUrl": ("ws", "wss"),
    "FileUrl": ("file",),
    "FtpUrl": ("ftp",),
    "PostgresDsn": (
        "postgres",
        "postgresql",
        "postgresql+asyncpg",
        "postgresql+pg8000",
        "postgresql+psycopg",
        "postgresql+psycopg2",
        "postgresql+psycopg2cffi",
        "postgresql+py-postgresql",
        "postgresql+pygresql",
    ),
    "CockroachDsn": ("cockroachdb", "cockroachdb+psycopg2", "cockroachdb+asyncpg"),
    "AmqpDsn": ("amqp", "amqps"),
    "RedisDsn": ("redis", "rediss"),
    "MongoDsn": ("mongodb", "mongodb+srv"),
    "KafkaDsn": ("kafka",),
    "NatsDsn": ("nats", "tls", "ws", "wss"),
    "MySQLDsn": (
        "mysql",
        "mysql+mysqlconnector",
        "mysql+aiomysql",
        "mysql+asyncmy",
        "mysql+mysqldb",
        "mysql+pymysql",
        "mysql+cymysql",
        "mysql+pyodbc",
    ),
    "MariaDBDsn": ("mariadb", "mariadb+mariadbconnector", "mariadb+pymysql"),
    "ClickHouseDsn": ("clickhouse+native", "clickhouse+asynch", "clickhouse+http", "clickhouse"),
    "SnowflakeDsn": ("snowflake",),
}
"""pydantic's URL types with the schemes they take (None: any)."""

PYDANTIC = {
    **dict.fromkeys(URLS, "url"),
    "BaseModel": "model",
    "BaseSettings": "model",
    "SQLModel": "model",
    "RootModel": "rootmodel",
    "GenericModel": "model",
    "SecretStr": "secret-str",
    "SecretBytes": "secret-str",
    "Secret": "secret",
    "EmailStr": "email",
    "Json": "special",
    "SkipValidation": "special",
    "ImportString": "import-string",
    **dict.fromkeys(
        [
            "NameEmail",
            "ByteSize",
            "Base64Str",
            "Base64Bytes",
            "UUID1",
            "UUID3",
            "UUID4",
            "UUID5",
            "FilePath",
            "DirectoryPath",
            "NewPath",
            "PositiveInt",
            "NegativeInt",
            "NonNegativeInt",
            "NonPositiveInt",
            "StrictInt",
            "StrictFloat",
            "PositiveFloat",
            "NegativeFloat",
            "NonNegativeFloat",
            "NonPositiveFloat",
            "FiniteFloat",
            "StrictBool",
            "IPvAnyAddress",
            "IPvAnyInterface",
            "IPvAnyNetwork",
            "PaymentCardNumber",
            "PastDate",
            "FutureDate",
            "AwareDatetime",
            "NaiveDatetime",
            "PastDatetime",
            "FutureDatetime",
            "SocketPath",
            "PyObject",
            "Color",
            "StrictStr",
        ],
        "scalar",
    ),
}

METADATA = {
    "NoDecode": "NoDecode",
    "ForceDecode": "ForceDecode",
    "Json": "json-class",
    "CliPositionalArg": "other",
    "CliImplicitFlag": "other",
    "CliSuppress": "other",
    "WithJsonSchema": "other",
    "PlainSerializer": "other",
    "WrapSerializer": "other",
    "Doc": "other",
}
"""Metadata by class; what is not here may restrict the values in a way that is not worked out."""

VALIDATORS = {
    "BeforeValidator": "before",
    "AfterValidator": "after",
    "PlainValidator": "plain",
    "WrapValidator": "wrap",
}


def last(name: str) -> str:
    """The last part of a dotted name."""
    return name.rpartition(".")[2]


def package(name: str) -> str:
    """The first part of a dotted name, "" for a bare one."""
    return name.partition(".")[0] if "." in name else ""
