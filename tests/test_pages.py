"""`hfcheck rules` and `hfcheck explain`, and how they share the line with paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hfcheck.catalogue import rule, rule_files
from hfcheck.cli import USAGE, main


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_every_rule_is_listed_with_its_severity() -> None:
    result = run("rules")
    assert result.exit_code == 0
    rows = {
        line.split()[0]: line.split()[1] for line in result.output.splitlines() if line[:2] == "  "
    }
    assert rows == {name: rule(name).severity.name for name in rule_files()}


@pytest.mark.parametrize("name", sorted(rule_files()))
def test_a_page_holds_the_whole_rule(name: str) -> None:
    output = " ".join(run("explain", name).output.split())
    texts = rule(name)
    parts = [texts.summary, texts.cause, texts.fix, texts.exceptions, *texts.references]
    for part in (*parts, *(symptom.sample for symptom in texts.symptoms)):
        assert " ".join(part.split()) in output


def test_a_wrong_name_is_told_with_the_nearest() -> None:
    result = run("explain", "wrng-port")
    assert result.exit_code == USAGE
    assert "wrong-port" in result.output


def test_a_path_needs_no_command(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert run(str(tmp_path)).output == run("check", str(tmp_path)).output
    assert "missing-front-matter" in run(str(tmp_path)).output


def test_the_help_of_the_whole_names_the_commands() -> None:
    output = run("--help").output
    assert all(name in output for name in ("check", "rules", "explain"))
