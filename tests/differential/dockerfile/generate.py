"""`generate(seed)`: a Dockerfile whose reading and configuration are compared."""

from __future__ import annotations

import random

from tests.differential.dockerfile.case import Case
from tests.differential.dockerfile.configurations import whole
from tests.differential.dockerfile.points import point


def generate(seed: int) -> Case:
    """Two in three are whole files, the others about one point."""
    chance = random.Random(seed)
    return whole(chance) if chance.random() < 0.65 else point(chance)
