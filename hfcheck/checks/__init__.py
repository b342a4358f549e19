"""The rules' logic: one function a rule, in the module of its moment.

A check is a generator over the `Space`: it opens no file and parses nothing. Its name is the name
of its YAML in `rules/`; a test holds the two one to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hfcheck.finding import Finding

if TYPE_CHECKING:
    from hfcheck.space.model import Space

Check = Callable[["Space"], Iterator[Finding]]

CHECKS: dict[str, Check] = {}
"""Every check by the name of its rule, in the order of the moments."""


def check(name: str) -> Callable[[Check], Check]:
    """Register a function as the check of the rule `name`."""

    def register(function: Check) -> Check:
        if name in CHECKS:
            raise ValueError(f"two checks are named {name}")
        CHECKS[name] = function
        return function

    return register


from hfcheck.checks import build, config, leak, lint, reach, start, use  # noqa: E402, F401
