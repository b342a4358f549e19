"""Generates settings modules and environments for the comparison with the real libraries."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.differential.settings.backends import backend
from tests.differential.settings.cases import Case
from tests.differential.settings.classes import small
from tests.differential.settings.pieces import NEW_SYNTAX, Maker, version_of

_OLD = "from pydantic.v1 import"
"""Pydantic 1 as pydantic 2 brings it along."""


def generate(rng: random.Random, version: str, *, new_syntax: bool = NEW_SYNTAX) -> Case:
    """A case for a version ("v1", "2.6", "newest"); with `new_syntax` also of PEP 695."""
    maker = Maker(rng, version_of(version))
    if not maker.v1 and maker.chance(0.03):
        old = Maker(rng, version_of("v1"))
        case = backend(old) if old.chance(0.25) else small(old)
        return replace(case, source=case.source.replace("from pydantic import", _OLD))
    maker.new_syntax = new_syntax and not maker.v1 and maker.chance(0.3)
    return backend(maker) if maker.chance(0.25) else small(maker)
