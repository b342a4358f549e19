"""Compares the Dockerfile reader and the image configuration with BuildKit.

    python -m tests.differential.dockerfile --count 2000 --seed 1 [--oracle PROGRAM]

Lists of instructions of generated files are compared with the package `dockerfile`. Configurations
and faults are compared with BuildKit's frontend, where `--oracle` names a program that asks it (see
answers.py), on as many generated files; else with the recorded answers. `--record` keeps the
program's answers. The exit code is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.differential.dockerfile import instructions
from tests.differential.dockerfile.answers import ask, record, recorded
from tests.differential.dockerfile.case import Case
from tests.differential.dockerfile.generate import generate
from tests.differential.dockerfile.prediction import compare


@dataclass(slots=True)
class Tally:
    """The result: how many files were read, `newer` ones that the package reads differently from
    a later BuildKit, how many configurations were compared, refused, or left open in a part, and
    what differs in words.
    """

    read: int = 0
    newer: int = 0
    configurations: int = 0
    refused: int = 0
    unknown: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, case: Case, answer: Mapping[str, Any]) -> None:
        """Compare one case with BuildKit's answer."""
        comparison = compare(case, answer)
        self.configurations += 1
        self.refused += "error" in answer
        self.unknown += bool(comparison.unknown)
        if comparison.different:
            head = f"{case.text}{dict(case.args) or ''}"
            self.differences.append("\n".join([head, *comparison.different]))


def run(count: int, seed: int, oracle: str | None = None) -> Tally:
    """Compare `count` generated files, from the seed `seed` on."""
    tally = Tally(read=count)
    tally.differences, tally.newer = instructions.compare(count, seed)
    for case, answer in _answered(count, seed, oracle):
        tally.add(case, answer)
    return tally


def _answered(
    count: int, seed: int, oracle: str | None
) -> Iterable[tuple[Case, Mapping[str, Any]]]:
    if oracle is None:
        return recorded()
    cases = [generate(number) for number in range(seed, seed + count)]
    return zip(cases, ask(oracle, cases), strict=True)


def main() -> int:
    """Run the comparison and print what differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential.dockerfile")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--oracle", help="a program that asks BuildKit, see answers.py")
    parser.add_argument("--record", action="store_true", help="keep its answers")
    options = parser.parse_args()
    if options.record:
        cases = [generate(number) for number in range(options.seed, options.seed + options.count)]
        record(cases, ask(options.oracle, cases))
        return 0
    tally = run(options.count, options.seed, options.oracle)
    print(*tally.differences, sep="\n\n")
    print(
        f"{tally.read} files read, {tally.newer} of them in a newer way; "
        f"{tally.configurations} configurations, {tally.refused} refused, "
        f"{tally.unknown} with unknown parts; {len(tally.differences)} differ"
    )
    return bool(tally.differences)


if __name__ == "__main__":
    sys.exit(main())
