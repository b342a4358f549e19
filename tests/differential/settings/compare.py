"""Compares `predict` with the real pydantic-settings (and pydantic 1) on generated classes."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hfcheck.space.settings.prediction import predict
from tests.differential.environments import CACHE, environment
from tests.differential.settings.cases import Case
from tests.differential.settings.generate import generate

PINS = {
    "v1": ["pydantic==1.10.*", "python-dotenv", "typing-extensions"],
    "2.0": ["pydantic-settings==2.0.3", "pydantic==2.3.0"],
    "2.1": ["pydantic-settings==2.1.0", "pydantic==2.5.3"],
    "2.2": ["pydantic-settings==2.2.1", "pydantic==2.6.4"],
    "2.3": ["pydantic-settings==2.3.4", "pydantic==2.7.4"],
    "2.4": ["pydantic-settings==2.4.0", "pydantic==2.8.2"],
    "2.5": ["pydantic-settings==2.5.2", "pydantic==2.9.2"],
    "2.6": ["pydantic-settings==2.6.1", "pydantic==2.9.2"],
    "2.7": ["pydantic-settings==2.7.1", "pydantic==2.10.6"],
    "2.8": ["pydantic-settings==2.8.1", "pydantic==2.10.6"],
    "2.9": ["pydantic-settings==2.9.1", "pydantic==2.11.4"],
    "2.10": ["pydantic-settings==2.10.1", "pydantic==2.11.7"],
    "2.11": ["pydantic-settings==2.11.0", "pydantic==2.11.9"],
    "2.12": ["pydantic-settings==2.12.0", "pydantic==2.12.4"],
    "2.13": ["pydantic-settings==2.13.1", "pydantic==2.12.5"],
    "2.14": ["pydantic-settings==2.14.2"],
    "2.15": ["pydantic-settings==2.15.0"],
    "newest": ["pydantic-settings"],
}
"""What to install for a version: the library with a pydantic of its time."""

VERSIONS = ("v1", "2.0", "2.2", "2.6", "2.7", "2.11", "2.13", "newest")
"""The versions that are compared when nothing else is asked for."""

ORACLE = Path(__file__).with_name("oracle.py")

BATCH = 500
"""Cases that one process of the real library builds."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A case whose prediction does not fit what happened."""

    case: Case
    predicted: dict[str, str]
    real: dict[str, Any]
    reason: str


@dataclass(slots=True)
class Row:
    """The result over the cases of one version.

    `unknown` counts the cases in which a field is left open, `other` those that end in an exception
    that is no verdict (a validator that raises TypeError), `verdicts` the words of all fields.
    """

    version: str
    cases: int = 0
    agree: int = 0
    unknown: int = 0
    other: int = 0
    differences: list[Difference] = field(default_factory=list)
    unknowns: list[Difference] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)


def outcomes(python: Path, cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    """What the real library does with each case."""
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        lines = "\n".join(json.dumps(case.request()) for case in batch) + "\n"
        result = subprocess.run(
            [str(python), "-I", str(ORACLE)],
            input=lines,
            text=True,
            capture_output=True,
            env={"PATH": os.defpath, "PYTHONIOENCODING": "utf-8"},
            check=False,
        )
        answers = result.stdout.splitlines()
        if len(answers) != len(batch):
            raise RuntimeError(f"{len(answers)} outcomes of {len(batch)}: {result.stderr[-2000:]}")
        yield from map(json.loads, answers)


def disagreement(predicted: dict[str, str], real: dict[str, Any], version: str) -> str | None:
    """Why a prediction does not fit an outcome; None where it does (or leaves it open).

    The pydantic of 2.0 and 2.1 reports a wrong default alone, whatever else is wrong.
    """
    kind = real["kind"]
    certain = {name: word for name, word in predicted.items() if word != "unknown"}
    if kind == "other":
        fails = len(certain) < len(predicted) or any(word != "ok" for word in certain.values())
        return None if fails else f"stops with {real['text']}, not predicted"
    if kind in ("class error", "import error"):
        wrong = {name: word for name, word in certain.items() if word != kind}
        return f"the class: {kind} ({real['text']})" if wrong else None
    if kind == "settings error" and "errors" not in real:
        # of a class that a default builds, or of a folder of secrets
        named = certain.get(real["field"], kind)
        return f"{real['field']}: settings error, not {named}" if named != kind else None
    errors = real.get("errors", {})
    untold = real.get("untold", [])
    complete = real.get("rest", True)
    for name, word in certain.items():
        gone = kind == "settings error" and name.startswith("extra:")
        if name in untold or (name not in errors and (gone or not complete)):
            continue
        actual = errors.get(name, "ok")
        hidden = version in ("2.0", "2.1") and errors and actual == "ok"
        if word != actual and not hidden:
            return f"{name}: {actual}, not {word}"
    for name, word in errors.items():
        if name and name not in predicted and "unknown" not in predicted.values():
            return f"{name}: {word}, not predicted"
    return None


def prediction(case: Case, version: str) -> dict[str, str]:
    """What `predict` says of a case."""
    return predict(
        case.source,
        case.name,
        case.env,
        version,
        case.dotenv or None,
        init=case.init,
        secrets=case.secrets,
    )


def compare(version: str, python: Path, cases: Sequence[Case]) -> Row:
    """Predict and run every case."""
    row = Row(version)
    for case, real in zip(cases, outcomes(python, cases), strict=True):
        predicted = prediction(case, version)
        row.cases += 1
        row.verdicts.update(predicted.values())
        reason = disagreement(predicted, real, version)
        if reason is not None:
            row.differences.append(Difference(case, predicted, real, reason))
        elif real["kind"] == "other":
            row.other += 1
        elif "unknown" in predicted.values():
            row.unknown += 1
            row.unknowns.append(Difference(case, predicted, real, "unknown"))
        else:
            row.agree += 1
    return row


def run(versions: Sequence[str], count: int, seed: int, cache: Path = CACHE) -> Iterator[Row]:
    """The rows of some versions over `count` generated cases each; their environments are made
    below `cache` where they are not there yet, for the Python that runs this.
    """
    for version in versions:
        python = environment(version, PINS[version], cache, sys.executable)
        rng = random.Random(f"{seed} {version}")
        cases = [generate(rng, version) for _ in range(count)]
        yield compare(version, python, cases)
