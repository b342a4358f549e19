"""The README's table is a view of the rules, and its commands are the ones that CI runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hfcheck.catalogue import rule, rule_files

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def table() -> str:
    lines = ["| moment | rule | severity | what it finds |", "|---|---|---|---|"]
    for name in rule_files():
        texts = rule(name)
        link = f"[`{name}`](rules/{texts.moment}/{name}.yaml)"
        lines.append(f"| {texts.moment} | {link} | {texts.severity.name} | {texts.summary} |")
    return "\n".join(lines)


def test_rules_table_is_current() -> None:
    (block,) = re.findall(r"<!-- rules -->\n(.*)<!-- /rules -->", README, re.DOTALL)
    assert block.strip() == table()


def test_ci_runs_what_the_readme_says() -> None:
    (line,) = [x for x in README.splitlines() if "pytest" in x and x.startswith("python3")]
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for step in ("ruff check", "ruff format --check", "mypy", "python -m pytest", ".[test]"):
        assert step in line
        assert step in script.replace('"$bin/', "").replace('" ', " ").replace('"\n', "\n")


def test_python_examples_give_what_they_say() -> None:
    launch, settings = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {}
    exec(launch, names)
    found = names["found"]
    assert (found.verdict, found.host, found.port) == ("listens", "127.0.0.1", 7860)
    *before, call = settings.strip().splitlines()
    exec("\n".join(before), names)
    assert eval(call, names) == {"cors": "settings error"}
