"""Whether pydantic takes a value for a type of the standard library that has a format of its own:
dates and durations, decimals, UUIDs, addresses, sizes. Observed with pydantic 2.3 to 2.14 and 1.10.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation

from hfcheck.space.settings.operations import Undecided

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?\Z")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_LOOSE_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})\Z")
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_TIME = re.compile(_CLOCK + r"\Z")
_DATETIME = re.compile(r"([0-9-]{10})[Tt _]" + _CLOCK + r"(Z|z|[+-][0-9]{2}:?[0-9]{2})?\Z")
_ISO_DURATION = re.compile(
    r"[+-]?P(?=[0-9T])([0-9]+W|([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+S)?)?)\Z"
)
_DAYS = re.compile(r"[+-]?[0-9]+ ?d(ays?)?,?( " + _CLOCK + r")?\Z")
_UUID = re.compile(
    r"(urn:uuid:)?(\{)?[0-9a-f]{8}(-?)[0-9a-f]{4}\3[0-9a-f]{4}\3[0-9a-f]{4}\3[0-9a-f]{12}(?(2)\})\Z",
    re.IGNORECASE,
)
_SIZE = re.compile(r"\s*[0-9]*\.?[0-9]+\s*([A-Za-z]*)\s*\Z")
_UNITS = re.compile(r"([kmgtpe]i?)?(b|bit)?\Z", re.IGNORECASE)

_DAY = 86_400
_SECONDS = 20_000_000_000
"""Numbers beyond this are taken for milliseconds."""


def takes(name: str, value: object, family: str, version: tuple[int, int]) -> bool:
    """Whether a value is taken for the type of this name; raises `Undecided` where not settled."""
    check = _CHECKS.get(name)
    if check is not None:
        return check(value, family, version)
    if name in _ADDRESSES and isinstance(value, str):
        return _builds(_ADDRESSES[name], value)
    raise Undecided(f"whether `{name}` takes the value")


def _number(value: object, family: str) -> float | None:
    """The number that a value is or writes, None for others."""
    if isinstance(value, bool):
        return float(value) if family == "v1" else None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str) and family == "v1":
        try:
            return float(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, str) and _NUMBER.match(value) else None


def _calendar(text: str, pattern: re.Pattern[str] = _DATE) -> bool:
    match = pattern.match(text)
    if match is None:
        return False
    try:
        date(*map(int, match.groups()))
    except ValueError:
        return False
    return True


def _date(value: object, family: str, version: tuple[int, int]) -> bool:
    number = _number(value, family)
    if number is not None:
        if family == "v1":
            return number == number
        if abs(number) > _SECONDS:
            raise Undecided("a date by a large number")
        return number % _DAY == 0
    if not isinstance(value, str):
        return False
    if family == "v1":
        return _calendar(value, _LOOSE_DATE)
    found = _DATETIME.match(value)
    if found is not None and set(value[10:]) <= set("Tt _0:.Zz+"):
        raise Undecided("a date with a time")
    return _calendar(value)


def _datetime(value: object, family: str, version: tuple[int, int]) -> bool:
    number = _number(value, family)
    if number is not None:
        if family == "v2" and abs(number) > _SECONDS * 10:
            raise Undecided("a time by a large number")
        return number == number
    if not isinstance(value, str):
        return False
    if family == "v2" and _calendar(value):
        return version >= (2, 2)
    found = _DATETIME.match(value)
    return found is not None and _calendar(found.group(1))


def _time(value: object, family: str, version: tuple[int, int]) -> bool:
    if isinstance(value, str) and _TIME.match(value):
        return True
    if isinstance(value, str) and (":" in value or family == "v1"):
        raise Undecided("a time of day")
    number = None if isinstance(value, str) else _number(value, family)
    return number is not None and 0 <= number < _DAY


def _duration(value: object, family: str, version: tuple[int, int]) -> bool:
    if isinstance(value, (bool, int, float)):
        if abs(value) > 1e13:
            raise Undecided("a very long time")
        return value == value
    if not isinstance(value, str):
        return False
    if _ISO_DURATION.match(value) or _TIME.match(value):
        return True
    if _NUMBER.match(value):
        return family == "v1"
    if family == "v2" and _DAYS.match(value):
        return True
    begun = re.match(r"\s*[-+Pp0-9]", value) is not None
    if begun and re.search("[0-9]", value) and re.search(r"[dDPp:]", value):
        raise Undecided("a length of time")
    return False


def _decimal(value: object, family: str, version: tuple[int, int]) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    try:
        return Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def _uuid(value: object, family: str, version: tuple[int, int]) -> bool:
    if not isinstance(value, str):
        return False
    if _UUID.match(value):
        return True
    if len(value) >= 32 and set(value.lower()) <= set("0123456789abcdef-{}urnid:"):
        raise Undecided("an unusual UUID")
    return False


def _size(value: object, family: str, version: tuple[int, int]) -> bool:
    if isinstance(value, (int, float)):
        return True
    match = _SIZE.match(value) if isinstance(value, str) else None
    if match is None and isinstance(value, str) and value[:1].isdigit():
        raise Undecided("an unusual size")
    return match is not None and bool(_UNITS.match(match.group(1)))


def _strict(*kinds: type) -> Callable[[object, str, tuple[int, int]], bool]:
    """A type that takes instances of some types only, True and False for no number."""

    def check(value: object, family: str, version: tuple[int, int]) -> bool:
        truth = isinstance(value, bool)
        return isinstance(value, kinds) and (truth is (bool in kinds))

    return check


_CHECKS: dict[str, Callable[[object, str, tuple[int, int]], bool]] = {
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "timedelta": _duration,
    "Decimal": _decimal,
    "UUID": _uuid,
    "ByteSize": _size,
    "StrictStr": _strict(str),
    "StrictInt": _strict(int),
    "StrictFloat": _strict(float),
    "StrictBool": _strict(bool),
}

_ADDRESSES: dict[str, Callable[[str], object]] = {
    "IPv4Address": ipaddress.IPv4Address,
    "IPv6Address": ipaddress.IPv6Address,
    "IPv4Network": ipaddress.IPv4Network,
    "IPv6Network": ipaddress.IPv6Network,
    "IPv4Interface": ipaddress.IPv4Interface,
    "IPv6Interface": ipaddress.IPv6Interface,
    "IPvAnyAddress": ipaddress.ip_address,
    "IPvAnyNetwork": ipaddress.ip_network,
    "IPvAnyInterface": ipaddress.ip_interface,
}


def _builds(make: Callable[[str], object], value: str) -> bool:
    try:
        make(value)
    except ValueError:
        return False
    return True


BOUNDS: dict[str, tuple[str, str, int]] = {
    "PositiveInt": ("int", "gt", 0),
    "NegativeInt": ("int", "lt", 0),
    "NonNegativeInt": ("int", "ge", 0),
    "NonPositiveInt": ("int", "le", 0),
    "PositiveFloat": ("float", "gt", 0),
    "NegativeFloat": ("float", "lt", 0),
    "NonNegativeFloat": ("float", "ge", 0),
    "NonPositiveFloat": ("float", "le", 0),
}
"""pydantic's numbers that have a limit: what they are, and the limit."""
