"""Each rule's examples as whole Spaces: a bad one gives its flags and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hfcheck.catalogue import rule, rule_files
from hfcheck.engine import check_path
from hfcheck.finding import Finding


def _cases() -> list[Any]:
    return [
        pytest.param(name, example, id=f"{name}: {example.get('bad') or example.get('good')}")
        for name in rule_files()
        for example in rule(name).examples
    ]


def write_tree(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


def _flag(found: Finding, root: Path) -> dict[str, Any]:
    place = found.primary.place
    return {"file": str(place.source.path.relative_to(root)), "text": place.text}


@pytest.mark.parametrize(("name", "example"), _cases())
def test_example(name: str, example: dict[str, Any], tmp_path: Path) -> None:
    root = tmp_path.resolve()
    write_tree(root, example["files"])
    findings = [f for report in check_path(root).spaces for f in report.findings]
    mine = [f for f in findings if f.rule == name]
    others = {f.rule for f in findings} - {name}
    flags = example.get("flags", [])
    assert [_flag(f, root) for f in mine] == [{"file": x["file"], "text": x["text"]} for x in flags]
    assert others == set(example.get("also", []))
    for found, flag in zip(mine, flags, strict=True):
        severity = found.severity or rule(name).severity
        assert severity.name == flag.get("severity", rule(name).severity.name)
        related = {
            (str(x.place.source.path.relative_to(root)), x.place.text) for x in found.locations[1:]
        }
        for place in flag.get("related", []):
            assert (place["file"], place["text"]) in related
