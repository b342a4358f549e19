"""The rules' texts and their checks, one to one, and each text as the format wants it."""

from __future__ import annotations

import re

import pytest

from hfcheck.catalogue import MOMENTS, rule, rule_files, rules_folder
from hfcheck.checks import CHECKS

FIELDS = {
    "summary", "severity", "since", "symptoms", "cause", "fix", "exceptions", "references",
    "options", "examples",
}  # fmt: skip


def test_every_rule_has_one_check_and_every_check_one_rule() -> None:
    assert set(rule_files()) == set(CHECKS)


def test_folders_are_moments() -> None:
    assert {path.name for path in rules_folder().iterdir() if path.is_dir()} <= set(MOMENTS)


@pytest.mark.parametrize("name", sorted(rule_files()))
def test_check_stands_in_the_module_of_its_moment(name: str) -> None:
    assert CHECKS[name].__module__ == f"hfcheck.checks.{rule(name).moment}"


@pytest.mark.parametrize("name", sorted(rule_files()))
def test_text(name: str) -> None:
    texts = rule(name)
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", name)
    assert texts.summary and "\n" not in texts.summary and len(texts.summary) <= 110
    assert texts.cause and texts.fix
    assert re.fullmatch(r"\d+\.\d+\.\d+", texts.since)
    assert texts.references, "a rule rests on something"
    for symptom in texts.symptoms:
        assert re.search(symptom.pattern, symptom.sample), symptom


@pytest.mark.parametrize("name", sorted(rule_files()))
def test_examples_show_both_sides(name: str) -> None:
    examples = rule(name).examples
    for example in examples:
        assert ("bad" in example) != ("good" in example)
        assert example["files"]
        allowed = {"bad", "good", "files", "flags", "also", "fixed"}
        assert set(example) <= allowed
        assert bool(example.get("flags")) == ("bad" in example)
    assert any("bad" in e for e in examples) or name == "internal-error"
    assert any("good" in e for e in examples)
