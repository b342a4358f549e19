"""Compares `predict` with the real pydantic-settings (and pydantic 1) on generated classes.

    python -m tests.differential.settings --versions newest,2.6,v1 --seed 1 --count 1000

Environments with the libraries are made once under `--cache`. A case that `predict` leaves
"unknown" is counted apart; the exit code is 1 where a verdict differs from what the library does.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hfcheck.space.settings.prediction import predict
from tests.differential.generate import Case, generate

PINS = {
    "v1": ["pydantic==1.10.*", "python-dotenv"],
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

ORACLE = Path(__file__).with_name("oracle.py")


@dataclass(slots=True)
class Tally:
    """The result over the cases of one version."""

    agree: int = 0
    unknown: int = 0
    differences: list[tuple[Case, dict[str, str], dict[str, Any], str]] = field(
        default_factory=list
    )
    verdicts: Counter[str] = field(default_factory=Counter)


def environment(version: str, cache: Path) -> Path:
    """The Python of an environment with this version, made where it is not there yet."""
    folder = cache / version
    python = folder / "bin" / "python"
    done = folder / "ready"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINS[version]], check=True)
        done.touch()
    return python


def outcomes(python: Path, cases: list[Case]) -> Iterator[dict[str, Any]]:
    """What the real library does with each case."""
    lines = "\n".join(json.dumps(case.request()) for case in cases) + "\n"
    result = subprocess.run(
        [str(python), "-I", str(ORACLE)],
        input=lines,
        text=True,
        capture_output=True,
        env={"PATH": os.defpath, "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    answers = result.stdout.splitlines()
    if len(answers) != len(cases):
        raise RuntimeError(f"{len(answers)} outcomes of {len(cases)}: {result.stderr[-2000:]}")
    return (json.loads(line) for line in answers)


def disagreement(predicted: dict[str, str], real: dict[str, Any], version: str) -> str | None:
    """Why a prediction does not fit an outcome; None where it does (or leaves it open).

    The pydantic of 2.0 and 2.1 reports a wrong default alone, whatever else is wrong.
    """
    kind = real["kind"]
    certain = {name: word for name, word in predicted.items() if word != "unknown"}
    if kind == "other":
        return None
    if kind in ("class error", "import error"):
        wrong = {name: word for name, word in certain.items() if word != kind}
        return f"the class: {kind}" if wrong else None
    if kind == "settings error":
        mine = predicted.get(real["field"], predicted.get(real["field"].lower(), "not a field"))
        if mine not in ("settings error", "unknown"):
            return f"{real['field']}: settings error, not {mine}"
        return None
    errors = real.get("errors", {})
    for name, word in certain.items():
        actual = errors.get(name, "ok")
        hidden = version in ("2.0", "2.1") and errors and actual == "ok"
        if word != actual and not hidden:
            return f"{name}: {actual}, not {word}"
    for name, word in errors.items():
        if name and name not in predicted:
            return f"{name}: {word}, not predicted"
    return None


def compare(version: str, python: Path, cases: list[Case]) -> Tally:
    """Predict and run every case."""
    tally = Tally()
    for case, real in zip(cases, outcomes(python, cases), strict=True):
        predicted = predict(
            case.source,
            case.name,
            case.env,
            version,
            case.dotenv,
            init=case.init,
            secrets=case.secrets,
        )
        tally.verdicts.update(predicted.values())
        reason = disagreement(predicted, real, version)
        if reason is not None:
            tally.differences.append((case, predicted, real, reason))
        elif "unknown" in predicted.values():
            tally.unknown += 1
        else:
            tally.agree += 1
    return tally


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", default="newest")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("--cache", type=Path, default=Path(".cache/differential"))
    options = parser.parse_args(arguments)
    differences = 0
    for version in options.versions.split(","):
        python = environment(version, options.cache.resolve())
        rng = random.Random(f"{options.seed} {version}")
        cases = [generate(rng, version) for _ in range(options.count)]
        tally = compare(version, python, cases)
        differences += len(tally.differences)
        print(
            f"{version}: {tally.agree} agree, {tally.unknown} with unknown parts, "
            f"{len(tally.differences)} differ; {dict(tally.verdicts)}"
        )
        for case, predicted, real, reason in tally.differences[: options.show]:
            print(f"--- {reason}\n{case.source}\nenv={case.env} dotenv={case.dotenv}")
            print(f"init={case.init} secrets={case.secrets}\npredicted {predicted}\nreal {real}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
