"""Library functions on known values: `int()`, `sorted()`, `json.loads()`, `os.path.join()`..."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import cast
from urllib.parse import urljoin

from hfcheck.space.code.values import (
    WouldRaise,
    is_simple,
    items_of,
    joined,
    normal,
    plain,
    truth,
)
from hfcheck.space.value import Known, Origin, Unknown, Value

_MAX_TEXT = 100_000
"""Longest JSON text that is read, in characters."""

Function = Callable[[list[Value[object]], dict[str, Value[object]]], Value[object]]


def _single(change: Callable[[object], object], allowed: tuple[type, ...]) -> Function:
    def function(
        arguments: list[Value[object]], keywords: dict[str, Value[object]]
    ) -> Value[object]:
        if len(arguments) != 1 or keywords:
            return Unknown("its arguments are not followed")
        value = plain(arguments[0])
        if isinstance(value, Unknown):
            return value
        if not isinstance(value.value, allowed):
            if value.value is None and str not in (change,):
                raise WouldRaise("TypeError", value.origins)
            return Unknown("its argument is not followed", value.origins)
        try:
            return Known(change(value.value), value.origins)
        except ValueError:
            raise WouldRaise("ValueError", value.origins) from None
        except (TypeError, OverflowError, ArithmeticError, RecursionError):
            return Unknown("the call fails", value.origins)

    return function


def _number(thing: object) -> object:
    if isinstance(thing, str) and len(thing) > 100:
        raise ValueError
    return int(cast(str, thing))


def _floating(thing: object) -> object:
    return float(cast(str, thing))


def _as_text(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    if not arguments:
        return Known("")
    value = plain(arguments[0])
    if isinstance(value, Unknown) or not is_simple(value.value):
        return Unknown("its text is not known", value.origins)
    return Known(str(value.value), value.origins)


def _as_bool(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    holds = truth(arguments[0]) if arguments else False
    if holds is None:
        return Unknown("its truth is not known")
    return Known(holds, arguments[0].origins if arguments else ())


def _as_list(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    if not arguments:
        return Known([])
    items = items_of(arguments[0])
    if items is None:
        return Unknown("its items are not known", arguments[0].origins)
    return Known(items, arguments[0].origins)


def _unique(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    listed = _as_list(arguments, keywords)
    if isinstance(listed, Unknown):
        return listed
    kept: list[Value[object]] = []
    seen: list[object] = []
    for part in cast("list[Value[object]]", listed.value):
        if isinstance(part, Known):
            if any(part.value == known for known in seen):
                continue
            seen.append(part.value)
        kept.append(part)
    return Known(kept, listed.origins)


def _length(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    if len(arguments) == 1 and isinstance(value := arguments[0], Known):
        if value.value is None:
            raise WouldRaise("TypeError", value.origins)
        if isinstance(value.value, (str, list, tuple, dict)):
            return Known(len(value.value), value.origins)
    return Unknown("its length is not known")


def _quantified(needed: bool) -> Function:
    def function(
        arguments: list[Value[object]], keywords: dict[str, Value[object]]
    ) -> Value[object]:
        items = items_of(arguments[0]) if arguments else None
        if items is None:
            return Unknown("its items are not known")
        truths = [truth(part) for part in items]
        origins: tuple[Origin, ...] = ()
        for part in items:
            origins = joined(origins, part.origins)
        if needed in truths:
            return Known(needed, origins)
        if None in truths:
            return Unknown("an item is not known", origins)
        return Known(not needed, origins)

    return function


def _join_paths(
    arguments: list[Value[object]], keywords: dict[str, Value[object]]
) -> Value[object]:
    path = PurePosixPath()
    origins: tuple[Origin, ...] = ()
    for part in arguments:
        if isinstance(part, Unknown):
            return part
        if not isinstance(part.value, (str, PurePosixPath)):
            return Unknown("a part of the path is not known", part.origins)
        path = path / part.value
        origins = joined(origins, part.origins)
    return Known(str(path), origins)


def _path(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    made = _join_paths(arguments, keywords)
    return Known(PurePosixPath(str(made.value)), made.origins) if isinstance(made, Known) else made


def _dirname(thing: object) -> object:
    return str(PurePosixPath(str(thing)).parent)


def _absolute(thing: object) -> object:
    return str(normal(PurePosixPath(str(thing))))


def _loads(thing: object) -> object:
    text = cast(str, thing)
    return _wrapped(json.loads(text)) if len(text) < _MAX_TEXT else None


def _words(thing: object) -> object:
    return [Known(word) for word in shlex.split(cast(str, thing))]


def _wrapped(thing: object) -> object:
    if isinstance(thing, list):
        return [Known(_wrapped(part)) for part in thing]
    if isinstance(thing, dict):
        return {key: Known(_wrapped(part)) for key, part in thing.items()}
    return thing


def _urljoin(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    parts = [plain(argument) for argument in arguments[:2]]
    texts = [part.value for part in parts if isinstance(part, Known)]
    if len(texts) != 2 or not all(isinstance(text, str) for text in texts):
        return Unknown("a part of the address is not known")
    try:
        address = urljoin(str(texts[0]), str(texts[1]))
    except ValueError:
        return Unknown("the address can't be joined")
    return Known(address, joined(parts[0].origins, parts[1].origins))


def _range(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    numbers = [a.value for a in arguments if isinstance(a, Known) and isinstance(a.value, int)]
    if len(numbers) != len(arguments) or not 1 <= len(numbers) <= 3 or 0 in numbers[2:]:
        return Unknown("its range is not known")
    return Known(range(*numbers))


def _extreme(choose: Callable[[list[float]], float]) -> Function:
    def function(
        arguments: list[Value[object]], keywords: dict[str, Value[object]]
    ) -> Value[object]:
        items = items_of(arguments[0]) if len(arguments) == 1 else arguments
        numbers = [
            item.value
            for item in items or ()
            if isinstance(item, Known) and isinstance(item.value, (int, float))
        ]
        if not items or keywords or len(numbers) != len(items):
            return Unknown("what it chooses from is not known")
        chosen = choose(numbers)
        return next(item for item in items if isinstance(item, Known) and item.value == chosen)

    return function


def _next(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    items = items_of(arguments[0]) if arguments else None
    if items is None or (not items and len(arguments) < 2):
        return Unknown("its items are not known")
    return items[0] if items else arguments[1]


_PLAIN_TYPES: dict[str, type] = {
    "dict": dict, "str": str, "int": int, "float": float, "bool": bool, "list": list,
    "tuple": tuple, "set": set,
}  # fmt: skip


def _is_instance(
    arguments: list[Value[object]], keywords: dict[str, Value[object]]
) -> Value[object]:
    """`isinstance(value, dict)`; lists, tuples and sets are not told apart."""
    if len(arguments) != 2 or isinstance(arguments[0], Unknown):
        return Unknown("its class is not known", arguments[0].origins if arguments else ())
    value, kinds = arguments[0], items_of(arguments[1]) or [arguments[1]]
    names = [getattr(getattr(kind, "value", None), "qualified", "") for kind in kinds]
    types = tuple(_PLAIN_TYPES[name] for name in names if name in _PLAIN_TYPES)
    plain_value = value.value is None or isinstance(value.value, (str, int, float, dict))
    if len(types) != len(names) or not plain_value:
        return Unknown("its class is not known", value.origins)
    return Known(isinstance(value.value, types), value.origins)


def _numbered(arguments: list[Value[object]], keywords: dict[str, Value[object]]) -> Value[object]:
    items = items_of(arguments[0]) if len(arguments) == 1 and not keywords else None
    if items is None:
        return Unknown("its items are not known")
    return Known([Known((Known(index), item)) for index, item in enumerate(items)])


def _side_by_side(
    arguments: list[Value[object]], keywords: dict[str, Value[object]]
) -> Value[object]:
    columns = [items_of(argument) for argument in arguments]
    known = [column for column in columns if column is not None]
    if keywords or len(known) != len(columns):
        return Unknown("its items are not known")
    return Known([Known(row) for row in zip(*known, strict=False)])


_PATH_TYPES = (str, PurePosixPath)

FUNCTIONS: dict[str, Function] = {
    "str": _as_text,
    "int": _single(_number, (str, int, float)),
    "float": _single(_floating, (str, int, float)),
    "bool": _as_bool,
    "list": _as_list,
    "tuple": _as_list,
    "set": _unique,
    "frozenset": _unique,
    "sorted": _as_list,
    "dict.fromkeys": _unique,
    "len": _length,
    "any": _quantified(True),
    "all": _quantified(False),
    "range": _range,
    "enumerate": _numbered,
    "isinstance": _is_instance,
    "zip": _side_by_side,
    "max": _extreme(max),
    "min": _extreme(min),
    "next": _next,
    "urllib.parse.urljoin": _urljoin,
    "json.loads": _single(_loads, (str,)),
    "shlex.split": _single(_words, (str,)),
    "os.path.join": _join_paths,
    "os.path.dirname": _single(_dirname, _PATH_TYPES),
    "os.path.abspath": _single(_absolute, _PATH_TYPES),
    "os.path.realpath": _single(_absolute, _PATH_TYPES),
    "os.path.normpath": _single(_absolute, _PATH_TYPES),
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "typing.cast": lambda arguments, keywords: arguments[-1] if arguments else Unknown("no value"),
}
"""Library functions on known values, by qualified name."""
