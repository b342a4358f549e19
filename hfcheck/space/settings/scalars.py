"""Whether pydantic takes a text (or a decoded JSON value) for a scalar type."""

from __future__ import annotations

import json
import re

from hfcheck.space.settings.annotations import Type
from hfcheck.space.settings.formats import takes
from hfcheck.space.settings.operations import Opaque, Undecided
from hfcheck.space.settings.typenames import URLS


class Invalid(Exception):
    """The library reports a validation error for the value."""


_TRUE = frozenset(["1", "on", "t", "true", "y", "yes"])
_FALSE = frozenset(["0", "off", "f", "false", "n", "no"])

_INT = re.compile(r"\s*[+-]?[0-9]+(_[0-9]+)*(\.0*)?\s*\Z")
_FLOAT = re.compile(
    r"\s*[+-]?([0-9]+(_[0-9]+)*(\.([0-9]+(_[0-9]+)*)?)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*\Z"
)
_SPECIAL_FLOAT = re.compile(r"\s*[+-]?(nan|inf|infinity)\s*\Z", re.IGNORECASE)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*\Z")
_HOST = re.compile(r"[A-Za-z0-9._,\-]+\Z")
_REST = re.compile(r"[/?#][A-Za-z0-9/?#&=%+._~:@,;!$'()*\-\[\]\"]*\Z")
_V1_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+\Z")
_USER = re.compile(r"\A[A-Za-z0-9_.~-]+(:[A-Za-z0-9_.~-]*)?@")
_SOURCE = re.compile(
    r"//([A-Za-z0-9_.~-]*(?::[A-Za-z0-9_.~!*+-]*)?@)?[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9.-]*(?::[0-9]{1,5})?"
    r"(?:[/?#][A-Za-z0-9/?#&=%+._~:@,;!$'()*-]*)?\Z"
)

_EMAIL = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@([A-Za-z0-9]+[.-])+[A-Za-z]{2,}\Z")
_RESERVED = frozenset(["arpa", "example", "invalid", "local", "localhost", "onion", "test"])
"""Top-level domains that an address may be refused for."""

_IPV4 = re.compile(r"[0-9]+(\.[0-9]+)*\Z")

_NEVER_EMPTY = re.compile(
    r"(datetime|date|time|timedelta|Decimal|UUID[1345]?|IPv.*|IPvAny.*|\w+Int|\w+Float|\w+Bool|"
    r"\w+Date|\w+Datetime|ByteSize|Color|FilePath|NameEmail)\Z"
)


def scalar(kind: Type, value: object, family: str, version: tuple[int, int]) -> object:
    """The value as a scalar type takes it; raises `Invalid` or `Undecided`.

    Spaces around a number are let through by the pydantic of 2.3 and newer.
    """
    strict = version < (2, 3) and family == "v2" and kind.kind in ("int", "float")
    if strict and isinstance(value, str) and value != value.strip():
        raise Invalid("spaces around a number")
    match kind.kind:
        case "any" | "typevar":
            return value
        case "none":
            if value is None:
                return None
            raise Invalid("not None")
        case "str":
            return _text(value, family)
        case "int":
            return _whole(value, family)
        case "float":
            return _number(value, family)
        case "bool":
            return _truth(value)
        case "bytes":
            return _bytes(value, family)
        case "path":
            return _known(kind, value, isinstance(value, str))
        case "secret-str":
            return _known(kind, _text(value, family), True)
        case "url":
            return _url(kind, value, family)
        case "literal" | "enum":
            return _member(kind, value, family)
        case "special":
            return _bare(kind, value)
        case "email":
            if not isinstance(value, str) or "@" not in value:
                raise Invalid("no address")
            if _EMAIL.match(value) and value.rpartition(".")[2].lower() not in _RESERVED:
                return value
        case "import-string":
            if isinstance(value, str) and not re.fullmatch(r"[\w.:]+", value):
                raise Invalid("no dotted path")
        case "bytearray" | "type" | "callable" | "ellipsis":
            raise Invalid("no instance")
        case "scalar":
            if isinstance(value, (list, dict)) or (
                value == "" and _NEVER_EMPTY.match(kind.name or "")
            ):
                raise Invalid("not such a value")
            if takes(kind.name, value, family, version):
                return value if kind.name.startswith("Strict") else Opaque(kind.name)
            raise Invalid(f"not for {kind.name}")
    raise Undecided(f"whether `{kind.name or kind.kind}` takes the value")


def _known(kind: Type, value: object, taken: bool) -> object:
    if taken:
        return Opaque(kind.name, value=value)
    raise Invalid(f"not for {kind.name}")


def _text(value: object, family: str) -> str:
    if isinstance(value, str):
        return value
    if family == "v1" and isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, bytes):
        raise Undecided("text from bytes")
    raise Invalid("no text")


def _bytes(value: object, family: str) -> object:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if family == "v1" and isinstance(value, (int, float)):
        return str(value).encode()
    raise Invalid("no bytes")


def _whole(value: object, family: str) -> int:
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise Invalid("not finite") if family == "v2" else Undecided("an infinite number")
        if family == "v2" and value != int(value):
            raise Invalid("a fraction")
        return int(value)
    if not isinstance(value, str) or len(value) > 4000:
        raise Invalid("no whole number")
    if family == "v1":
        try:
            return int(value)
        except ValueError as error:
            raise Invalid("no whole number") from error
    if not value.isascii():
        raise Undecided("digits beyond ASCII")
    if not _INT.match(value):
        raise Invalid("no whole number")
    return int(value.strip().partition(".")[0])


def _number(value: object, family: str) -> float:
    if isinstance(value, (bool, int, float)):
        return float(value)
    if not isinstance(value, str):
        raise Invalid("no number")
    if family == "v1":
        try:
            return float(value)
        except ValueError as error:
            raise Invalid("no number") from error
    if not value.isascii():
        raise Undecided("digits beyond ASCII")
    if _FLOAT.match(value) or _SPECIAL_FLOAT.match(value):
        return float(value)
    raise Invalid("no number")


def _truth(value: object) -> bool:
    if isinstance(value, (bool, int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        text = value.lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
    raise Invalid("no truth value")


def _member(kind: Type, value: object, family: str) -> object:
    if kind.values is None:
        raise Undecided("the members are not known")
    exact = [item for item in kind.values if type(item) is type(value) and item == value]
    if exact:
        return exact[0] if kind.kind == "literal" else _one_of(kind, exact[0])
    if isinstance(value, (dict, list)):
        raise Invalid("no member")
    if kind.kind == "enum":
        return _by_number(kind, value, family)
    if isinstance(value, (bool, int, float)) and value in kind.values:
        raise Undecided("a number of another type")
    raise Invalid("no member")


def _one_of(kind: Type, value: object) -> Opaque:
    mixed = "mixed" if kind.name in ("str", "int", "float", "IntEnum") else "member"
    return Opaque(kind.cls.node.name if kind.cls else kind.name, mixed, value)


def _by_number(kind: Type, value: object, family: str) -> object:
    """A member of an enumeration by a text or number that is not its value itself."""
    values = kind.values or ()
    if kind.name == "IntEnum" or (kind.name == "int" and family == "v2"):
        number = _whole(value, family)
        if number in values:
            return _one_of(kind, number)
        raise Invalid("no member")
    if not isinstance(value, str) and any(value == item for item in values):
        raise Undecided("a number of another type")
    if kind.name == "float" and isinstance(value, (str, int)):
        raise Undecided("members that are numbers")
    raise Invalid("no member")


def _bare(kind: Type, value: object) -> object:
    """A form without its brackets: `Json` alone takes any JSON text, `Optional` nothing known."""
    if kind.name == "Json":
        if not isinstance(value, str):
            raise Invalid("no text")
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise Invalid("no JSON") from error
    raise Undecided(f"`{kind.name}` without brackets")


def _url(kind: Type, value: object, family: str) -> object:
    """A URL: certain only for plainly well-formed and plainly broken ones."""
    if not isinstance(value, str):
        raise Invalid("no URL")
    text = value.strip()
    scheme, colon, rest = text.partition(":")
    if not colon or not _SCHEME.match(scheme) or (family == "v1" and not rest.startswith("//")):
        raise Invalid("no URL")
    allowed = URLS.get(kind.name)
    if allowed is not None and scheme.lower() not in allowed:
        mine = {name.partition("+")[0] for name in allowed}
        other = scheme.lower().partition("+")[0]
        if kind.name in ("AnyHttpUrl", "HttpUrl") or other not in mine:
            raise Invalid("another scheme")
        raise Undecided("a scheme that is not known")
    if not rest.startswith("//"):
        raise Undecided("an unusual URL")
    special = scheme.lower() in ("http", "https", "ws", "wss", "ftp", "file")
    if kind.name == "AnyUrl" and rest.startswith("///") and not special:
        if family == "v1":
            raise Invalid("no host")
        if _REST.match(rest[2:]):
            return Opaque(kind.name, "url", text)
    if kind.name not in ("AnyUrl", "AnyHttpUrl", "HttpUrl"):
        return _source(kind, rest, text, family)
    place = _USER.sub("", rest[2:])
    end = next((i for i, character in enumerate(place) if character in "/?#"), len(place))
    host, _, port = place[:end].partition(":")
    if not host and scheme.lower() in ("http", "https") and not place.strip("/"):
        raise Invalid("no host")
    if place[end:] and not _REST.match(place[end:]):
        raise Undecided("an unusual URL")
    if port and (not port.isdigit() or not port.isascii() or len(port) > 5 or int(port) > 65535):
        raise Undecided("an unusual port")
    if not _HOST.match(host) or _IPV4.match(host.rpartition(".")[2]) or len(value) > 1000:
        raise Undecided("an unusual host")
    if family == "v1":
        _host_v1(kind, host, place)
    return Opaque(kind.name, "mixed" if family == "v1" else "url", text)


def _source(kind: Type, rest: str, text: str, family: str) -> object:
    """The address of a database or its like, of which only the plain forms are told."""
    match = _SOURCE.match(rest)
    named = match is not None and bool(match.group(1))
    ports = [int(port) for port in re.findall(r":([0-9]+)(?=[,/?#]|\Z)", rest.partition("@")[2])]
    if match is None or any(port > 65535 for port in ports):
        raise Undecided("an unusual URL")
    if family == "v1" and not named and kind.name in ("PostgresDsn", "CockroachDsn"):
        raise Undecided("an address without a user")
    return Opaque(kind.name, "mixed" if family == "v1" else "url", text)


def _host_v1(kind: Type, host: str, place: str) -> None:
    if "," in host:
        raise Invalid("no host")
    if not _V1_HOST.match(host) or ":" in place.partition("/")[0].replace(f"{host}:", "", 1):
        raise Undecided("an unusual host")
    if kind.name == "HttpUrl" and "." not in host.strip("."):
        raise Invalid("no top-level domain")
