"""Values that know whether they are known, and where they came from.

A rule fires only on `Known`. `Unknown` carries the reason, which `--show-facts` tells. Both carry
their origins: the places that made the value what it is, the nearest to its use first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

from hfcheck.source import Place

T = TypeVar("T")
S = TypeVar("S")
T_co = TypeVar("T_co", covariant=True)

SECRET = "it is a secret of the Space"
"""The reason of a secret's value: set and not empty, but not in the files."""

PLATFORM = "the Hub or the container sets it"
"""The reason of a variable that is always set in a running Space."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that takes part in a value, and what it says there (`ENV PORT=8000`)."""

    place: Place
    note: str


@dataclass(frozen=True, slots=True)
class Known(Generic[T_co]):
    """A value that the files settle."""

    value: T_co
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that the files don't settle, and why."""

    reason: str
    origins: tuple[Origin, ...] = ()


Value: TypeAlias = Known[T] | Unknown


def via(value: Value[T], *origins: Origin) -> Value[T]:
    """The same value with these origins put before its own."""
    return replace(value, origins=(*origins, *value.origins))


def mapped(value: Value[S], change: Callable[[S], T]) -> Value[T]:
    """The value with `change` applied when it is known, origins kept."""
    if isinstance(value, Unknown):
        return value
    return Known(change(value.value), value.origins)
