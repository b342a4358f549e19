"""Compares the verdicts on settings with the real libraries, over generated classes.

    python -m tests.differential.settings --versions newest,2.6,v1 --seed 1 --count 1000

Prints one row of a table a version, then the first cases that differ. The exit code is 1 where a
verdict differs from what the library does. PEP 695 aliases are among the cases from Python 3.12 on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.differential.environments import CACHE
from tests.differential.settings.compare import PINS, VERSIONS, Difference, Row, run

HEADER = (
    "| version | cases | agree | unknown | other exception | differ | verdicts |\n"
    "|---|---|---|---|---|---|---|"
)


def line(row: Row) -> str:
    """A row of the table."""
    verdicts = ", ".join(f"{word} {number}" for word, number in row.verdicts.most_common())
    numbers = (row.cases, row.agree, row.unknown, row.other, len(row.differences))
    return f"| {row.version} | {' | '.join(map(str, numbers))} | {verdicts} |"


def details(found: Difference) -> str:
    """A case that differs, to look at."""
    case = found.case
    return (
        f"--- {found.reason}\n{case.source}\nenv={dict(case.env)}\ndotenv={case.dotenv}\n"
        f"init={case.init} secrets={case.secrets}\npredicted {found.predicted}\nreal {found.real}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; 1 where anything differs."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential.settings", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--versions", default=",".join(VERSIONS), help=f"by commas, of {', '.join(PINS)}"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000, help="cases for each version")
    parser.add_argument("--show", type=int, default=5, help="how many differing cases to print")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where environments are kept")
    options = parser.parse_args(arguments)
    versions = options.versions.split(",")
    if not set(versions) <= set(PINS):
        parser.error(f"the versions are {', '.join(PINS)}")
    print(HEADER)
    differing: list[Difference] = []
    for row in run(versions, options.count, options.seed, options.cache):
        print(line(row), flush=True)
        differing += row.differences
    for found in differing[: options.show]:
        print(details(found))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
