"""What the interpreter of validators works on: values, operators, built-in functions."""

from __future__ import annotations

import ast
import json
import posixpath
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, quote, quote_plus, urlsplit

from hfcheck.space.code.python import FunctionNode, Module

_LONGEST = 100_000
"""Longest string or container that is worked on."""


class Undecided(Exception):
    """The code or the value is beyond what is understood here."""


class Raised(Exception):
    """The interpreted code raises: `names` are its class and known base classes, nearest first."""

    def __init__(self, *names: str) -> None:
        super().__init__(names[0] if names else "")
        self.names = names


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value of which only the type's name is known.

    `kind` is "model" or "dataclass" for an instance of a class of the project, with the names of
    the classes that it is an instance of as `bases`; "member" for a member of an enumeration,
    "mixed" for one that is a text or number too (as the URLs of pydantic 1 are), "url" for those of
    pydantic 2; `value` is what a member or secret holds, where that is known.
    """

    name: str = ""
    kind: str = ""
    value: object = field(default=None, compare=False)
    bases: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Function:
    """A function or lambda of the project as a value."""

    module: Module
    node: FunctionNode | ast.Lambda


@dataclass(frozen=True, slots=True)
class Native:
    """A callable of the library that is worked out here (a wrap validator's handler)."""

    call: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Earlier:
    """The values of the fields before a validator's own (`values`, `info.data`). `look_up` gives
    whether there is one of a name, and the value.
    """

    look_up: Callable[[str], tuple[bool, object]]


@dataclass(frozen=True, slots=True)
class Info:
    """What a validator is told besides the value (`info`)."""

    data: Earlier
    field_name: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A name that leaves the image (`json.loads`, `str`)."""

    qualified: str


ERRORS: dict[str, tuple[str, ...]] = {
    "ValueError": ("ValueError", "Exception"),
    "AssertionError": ("AssertionError", "Exception"),
    "TypeError": ("TypeError", "Exception"),
    "KeyError": ("KeyError", "LookupError", "Exception"),
    "IndexError": ("IndexError", "LookupError", "Exception"),
    "AttributeError": ("AttributeError", "Exception"),
    "RuntimeError": ("RuntimeError", "Exception"),
    "Exception": ("Exception",),
    "JSONDecodeError": ("JSONDecodeError", "ValueError", "Exception"),
    "PydanticCustomError": ("PydanticCustomError", "ValueError", "Exception"),
}

TYPES: dict[str, type] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "bytes": bytes,
}

ABSTRACT: dict[str, tuple[type, ...]] = {
    "Sequence": (str, list, tuple, bytes, deque),
    "Iterable": (str, list, tuple, set, frozenset, dict, bytes, deque, Iterator),
    "Collection": (str, list, tuple, set, frozenset, dict, bytes, deque),
    "Mapping": (dict,),
    "List": (list,),
    "Set": (set, frozenset),
    "Dict": (dict,),
    "Tuple": (tuple,),
}

METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "split",
            "rsplit",
            "strip",
            "lstrip",
            "rstrip",
            "lower",
            "upper",
            "title",
            "startswith",
            "endswith",
            "replace",
            "join",
            "removeprefix",
            "removesuffix",
            "splitlines",
            "isdigit",
            "isnumeric",
            "isalpha",
            "find",
            "count",
            "partition",
            "rpartition",
            "format",
            "casefold",
            "index",
            "isspace",
            "capitalize",
        ]
    ),
    list: frozenset(
        ["append", "extend", "index", "count", "copy", "insert", "pop", "remove", "sort", "reverse"]
    ),
    dict: frozenset(["get", "items", "keys", "values", "setdefault", "pop", "update", "copy"]),
    set: frozenset(["add", "update", "union", "copy", "discard"]),
    frozenset: frozenset(["union"]),
    tuple: frozenset(["index", "count"]),
    bytes: frozenset(["decode"]),
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "sorted": sorted,
    "any": any,
    "all": all,
    "sum": sum,
    "min": min,
    "max": max,
    "abs": abs,
    "reversed": lambda value: list(reversed(value)),
    "enumerate": lambda value: list(enumerate(value)),
    "zip": lambda *values: list(zip(*values, strict=False)),
    "json.loads": json.loads,
    "json.dumps": json.dumps,
    "os.path.join": posixpath.join,
    "urllib.parse.urlparse": urlsplit,
    "urllib.parse.urlsplit": urlsplit,
    "urllib.parse.quote": quote,
    "urllib.parse.quote_plus": quote_plus,
}

MADE: dict[str, str] = {
    "secrets.token_urlsafe": "str",
    "secrets.token_hex": "str",
    "os.urandom": "bytes",
    "os.getcwd": "str",
    "os.path.dirname": "str",
    "os.path.abspath": "str",
    "os.path.realpath": "str",
    "uuid.uuid4": "UUID",
    "pathlib.Path": "Path",
    "pathlib.PurePath": "Path",
    "datetime.datetime.now": "datetime",
    "datetime.datetime.utcnow": "datetime",
    "datetime.timedelta": "timedelta",
    "decimal.Decimal": "Decimal",
    "time.time": "float",
}
"""What calls give whose value is not worked out: the type."""

_PATHS = frozenset(
    ["resolve", "absolute", "parent", "joinpath", "with_suffix", "with_name", "expanduser"]
)
_TEXTS_OF_PATHS = frozenset(["as_posix", "name", "stem", "suffix"])


_SLOW = re.compile(r"\)[*+?{]|\(\?|\\[1-9pP]")
"""Repeated groups, look-around and references: patterns with them are left open."""

_REPEATS = 3
_MATCHED = 200
"""Longest text that is matched: patterns of a scanned project must not take long."""


def matched(how: str, pattern: object, value: object) -> bool:
    """Whether a text fits a regular expression, as a function of `re` ("match", "search",
    "fullmatch") says; only where that is quick to decide.
    """
    if not isinstance(pattern, str) or not isinstance(value, str) or not value.isascii():
        raise Undecided("a pattern that is not understood")
    simple = not _SLOW.search(pattern) and len(re.findall(r"[*+{]", pattern)) <= _REPEATS
    if not simple or len(value) > _MATCHED or "\n" in value:
        raise Undecided("a pattern that is not understood")
    try:
        return getattr(re.compile(pattern), how)(value) is not None
    except re.error as error:
        raise Undecided("a pattern that is not understood") from error


def attribute_of(holder: Opaque | SplitResult, name: str) -> object:
    """An attribute of a value of which the type is known."""
    if isinstance(holder, SplitResult):
        if name in ("scheme", "netloc", "path", "query", "fragment", "hostname", "port"):
            return native(getattr, holder, name)
        raise Undecided(f"the attribute `{name}`")
    if holder.name == "Path" and name in _PATHS:
        return Opaque("Path")
    if holder.name == "Path" and name in _TEXTS_OF_PATHS:
        return Opaque("str")
    if holder.name == "UUID" and name == "hex":
        return Opaque("str")
    if holder.kind in ("member", "mixed") and name == "value" and holder.value is not None:
        return holder.value
    raise Undecided(f"the attribute `{name}`")


def method_of(holder: Opaque, name: str) -> object:
    """What a method of a value gives of which the type is known."""
    if holder.name == "Path":
        return attribute_of(holder, name)
    if holder.name == "str" and name in _STILL_TEXT:
        return holder
    if holder.name.startswith("Secret") and name == "get_secret_value" and holder.value is not None:
        return holder.value
    raise Undecided(f"the method `{name}`")


def joined(operator: ast.operator, left: object, right: object) -> object:
    """A path made of others, or a text of which a part is not known."""
    types = {getattr(value, "name", type(value).__name__) for value in (left, right)}
    if isinstance(operator, ast.Div) and "Path" in types and types <= {"Path", "str"}:
        return Opaque("Path")
    if isinstance(operator, ast.Add) and types == {"str"}:
        return Opaque("str")
    raise Undecided("a value that is not known")


_STILL_TEXT = frozenset(
    ["strip", "lstrip", "rstrip", "lower", "upper", "title", "replace", "removeprefix", "format"]
)

_NATIVE_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, ZeroDivisionError)


def compared(operator: ast.cmpop, left: object, right: object) -> bool:
    """Whether a comparison holds."""
    if isinstance(operator, (ast.Is, ast.IsNot)):
        if right is not None and not isinstance(right, bool):
            raise Undecided("a comparison of identity")
        if isinstance(left, Opaque):
            return isinstance(operator, ast.IsNot)
        return (left is right) == isinstance(operator, ast.Is)
    if isinstance(operator, (ast.Eq, ast.NotEq)) and (_unlike(left, right) or _unlike(right, left)):
        return isinstance(operator, ast.NotEq)
    one, other = plain(left), plain(right)
    match operator:
        case ast.Eq():
            return bool(one == other)
        case ast.NotEq():
            return bool(one != other)
        case ast.In():
            return bool(native(lambda: one in other))  # type: ignore[operator]
        case ast.NotIn():
            return not native(lambda: one in other)  # type: ignore[operator]
        case ast.Lt():
            return bool(native(lambda: one < other))  # type: ignore[operator]
        case ast.LtE():
            return bool(native(lambda: one <= other))  # type: ignore[operator]
        case ast.Gt():
            return bool(native(lambda: one > other))  # type: ignore[operator]
        case ast.GtE():
            return bool(native(lambda: one >= other))  # type: ignore[operator]
    raise Undecided("a comparison that is not understood")


def _unlike(value: object, other: object) -> bool:
    """Whether a value of which the type is known is another one than a text or None."""
    if not isinstance(value, Opaque) or not (other is None or isinstance(other, str)):
        return False
    own = value.kind in ("model", "dataclass", "member")
    return own or value.name in _NO_BUILT_IN or value.name in _LAZY


def native(function: Callable[..., Any], *arguments: object) -> Any:
    """Call a built-in operation; its exception becomes the interpreted code's own."""
    try:
        result = function(*arguments)
    except json.JSONDecodeError as error:
        raise Raised(*ERRORS["JSONDecodeError"]) from error
    except _NATIVE_ERRORS as error:
        name = type(error).__name__
        raise Raised(*ERRORS.get(name, ("Exception",))) from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise Undecided("a value that is too large") from error
    if isinstance(result, (str, list, tuple, set, dict)) and len(result) > _LONGEST:
        raise Undecided("a value that is too large")
    return result


def plain(value: object) -> object:
    """A value that operators work on; raises `Undecided` for others."""
    if isinstance(value, Opaque) and value.kind == "mixed" and value.value is not None:
        return value.value
    if isinstance(value, (Opaque, Function, Native, Named, Earlier, Info)):
        raise Undecided("a value that is not known")
    return value


def is_one_of(value: Opaque, kinds: tuple[type, ...]) -> bool:
    """Whether a value of which the type is known is an instance of a built-in type."""
    if value.kind == "mixed" and value.value is not None:
        return isinstance(value.value, kinds)
    if value.name in TYPES:
        return issubclass(TYPES[value.name], kinds)
    if value.name in _LAZY:
        return issubclass(_LAZY[value.name], kinds)
    if value.kind or value.name in _NO_BUILT_IN:
        return False
    raise Undecided("the type of a value is not known")


def scalar_of(value: object) -> object:
    """A value that stands in a text as it is; raises `Undecided` for others."""
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    raise Undecided("a value that is not known")


_NO_BUILT_IN = frozenset(
    ["Path", "SecretStr", "UUID", "Decimal", "date", "datetime", "time", "timedelta"]
)

_LAZY: dict[str, type] = {"deque": deque, "iterable": Iterator}
"""Types whose values are not worked on."""

_TRUE = frozenset({"Path", "date", "datetime", "UUID", "Match", "iterable"})
"""Types of which every value is true."""


def hashable(value: object) -> object:
    """The value, if it can be a key; raises TypeError else."""
    hash(value)
    return value


def truth(value: object) -> bool:
    """Whether a condition holds for a value."""
    if isinstance(value, (Function, Native)) or getattr(value, "name", "") in _TRUE:
        return True
    return bool(plain(value))


def items_of(value: object) -> list[object]:
    """What iterating over a value gives."""
    value = plain(value)
    if isinstance(value, (str, list, tuple, set, frozenset, dict, bytes)):
        return list(value)
    raise Raised(*ERRORS["TypeError"])
