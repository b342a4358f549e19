"""The rules' texts: `rules/<moment>/<name>.yaml` -> `Rule`, read when a rule is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hfcheck.finding import Severity

MOMENTS = ("config", "build", "start", "reach", "use", "leak", "lint")
"""When a Space breaks, in order; each is a folder of `rules/`."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Symptom:
    """What the owner sees: a regular expression for it, and a sample that it matches."""

    pattern: str
    sample: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule's texts. `examples` and `references` are as the YAML has them."""

    name: str
    moment: str
    summary: str
    severity: Severity
    since: str
    cause: str
    fix: str
    symptoms: tuple[Symptom, ...] = ()
    exceptions: str = ""
    references: tuple[str, ...] = ()
    examples: tuple[dict[str, Any], ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


def rules_folder() -> Path:
    """Where the YAML files are: inside the installed package, or beside it in a checkout."""
    packed = Path(__file__).parent / "rules"
    return packed if packed.is_dir() else Path(__file__).parent.parent / "rules"


@cache
def rule_files() -> dict[str, Path]:
    """The YAML file of every rule by its name, in the order of the moments."""
    files: dict[str, Path] = {}
    for moment in MOMENTS:
        for file in sorted((rules_folder() / moment).glob("*.yaml")):
            files[file.stem] = file
    return files


@cache
def rule(name: str) -> Rule:
    """The rule of this name; KeyError where there is none."""
    file = rule_files()[name]
    data = yaml.load(file.read_text("utf-8"), _Loader)
    return Rule(
        name=name,
        moment=file.parent.name,
        summary=data["summary"],
        severity=Severity[data["severity"]],
        since=str(data["since"]),
        cause=data["cause"].strip(),
        fix=data["fix"].strip(),
        symptoms=tuple(Symptom(**item) for item in data.get("symptoms", ())),
        exceptions=data.get("exceptions", "").strip(),
        references=tuple(data.get("references", ())),
        examples=tuple(data["examples"]),
        options=data.get("options", {}),
    )
