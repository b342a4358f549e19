"""Whole good Spaces: not one finding of warning or above, and the way they start is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcheck.catalogue import rule
from hfcheck.engine import check_path
from hfcheck.finding import Severity
from hfcheck.space.declared import Declared
from hfcheck.space.model import Space
from hfcheck.space.site.discover import Site

CLEAN = Path(__file__).parent.parent / "fixtures" / "clean"
SPACES = sorted(path.name for path in CLEAN.iterdir())


def test_there_are_enough() -> None:
    assert len(SPACES) >= 20


@pytest.mark.parametrize("name", SPACES)
def test_a_good_space_stays_clean(name: str) -> None:
    findings = [f for report in check_path(CLEAN / name).spaces for f in report.findings]
    loud = [f for f in findings if (f.severity or rule(f.rule).severity) != Severity.info]
    assert not loud


@pytest.mark.parametrize("name", SPACES)
def test_where_a_good_space_listens_is_known(name: str) -> None:
    root = (CLEAN / name).resolve()
    site = Site(root, root, root / "Dockerfile", root / "README.md")
    launch = Space(site, Declared()).launch
    assert launch is not None
    assert launch.listen["known"] and launch.listen["host"] == "0.0.0.0"
