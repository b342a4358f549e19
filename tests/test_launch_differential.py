"""Predicted listen addresses against really started servers: a slice of the comparison.

`python -m tests.differential.launch` runs all of it, with servers that are not needed otherwise.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import pytest

from tests.differential.launch import oracle
from tests.differential.launch.compare import compare, generate
from tests.differential.launch.families import FAMILIES
from tests.differential.launch.needs import runnable

CASES = 56
MOST_UNKNOWN = 3


def test_predictions_are_what_happens() -> None:
    if sys.platform != "linux" or oracle.namespaces() is None:
        pytest.skip("no network namespace can be made here: unshare(1) does not work")
    python = Path(sys.executable)
    every = generate(FAMILIES, seed=3, count=20 * CASES)
    tally = compare(islice((case for case in every if runnable(case, python)), CASES), python)
    assert len(tally.results) == CASES
    different = [str(each) for each in tally.results if each.judgement == "differ"]
    assert not different, "\n".join(different)
    unknown = [str(each) for each in tally.results if each.judgement == "unknown"]
    assert len(unknown) <= MOST_UNKNOWN, "\n".join(unknown)
