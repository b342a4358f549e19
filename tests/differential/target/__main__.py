"""`python -m tests.differential.target --seed 1 --count 500`: compare, and show what differs."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter

from tests.differential.target.compare import Result, run


def main() -> int:
    """The command; exit status 1 where a case differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential.target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--unknown", action="store_true", help="show those that are unknown too")
    options = parser.parse_args()
    results = run(options.count, options.seed)
    for result in results:
        if result.differs or (options.unknown and result.predicted == "unknown"):
            show(result)
    unknown = sum(result.predicted == "unknown" for result in results)
    differing = sum(result.differs for result in results)
    print(f"seed {options.seed}: {len(results)} cases, {unknown} unknown, {differing} differ")
    print(dict(Counter(result.real for result in results)))
    return 1 if differing else 0


def show(result: Result) -> None:
    """One case with both sides."""
    case = result.case
    print(f"--- {case.name}: {shlex.join(case.words)}  (in {case.workdir or '.'}, {case.env})")
    for name, text in case.files.items():
        print(f"{name}: {text!r}")
    print(f"really: {result.real} {result.said}")
    print(f"hfcheck: {result.predicted} {result.reason} {'(fires)' if result.fires else ''}\n")


if __name__ == "__main__":
    sys.exit(main())
