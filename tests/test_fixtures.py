"""The five documented mistakes as whole Spaces, each with its mended twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcheck.engine import check_path, severity_of

MISTAKES = Path(__file__).parent.parent / "fixtures" / "mistakes"

BROKEN = [
    ("wrong-port", "Dockerfile", '"8000"'),
    ("list-env-field", "app/config.py", "List[str]"),
    ("required-env", "app/config.py", "database_url"),
    ("missing-cors", "app/config.py", "cors_origins"),
    ("missing-better-auth-url", "app/config.py", "better_auth_url"),
]
MENDED = sorted(path for path in MISTAKES.glob("*/mended*"))


@pytest.mark.parametrize(("rule", "file", "text"), BROKEN)
def test_the_mistake_gives_exactly_its_rule(rule: str, file: str, text: str) -> None:
    root = MISTAKES / rule / "broken"
    (found,) = check_path(root).findings
    assert found.rule == rule
    assert severity_of(found).name == "error"
    assert found.primary.place.source.path == root / file
    assert found.primary.place.text == text


@pytest.mark.parametrize("root", MENDED, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_its_mended_twin_is_silent(root: Path) -> None:
    report = check_path(root)
    assert len(report.spaces) == 1
    assert report.findings == []


def test_each_mistake_has_a_twin_and_the_port_has_two() -> None:
    twins = {path.parent.name for path in MENDED}
    assert twins == {rule for rule, _, _ in BROKEN}
    ports = [path.name for path in MENDED if path.parent.name == "wrong-port"]
    assert ports == ["mended-card", "mended-port"]
