"""Compares the versions that hfcheck tells with those that the real resolvers choose.

    python -m tests.differential.versions --seed 1 --count 200

It makes an environment with the resolvers under `--cache` and asks the package index. Projects
that can't be installed are left out; the exit code is 1 where a version differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.differential.environments import CACHE
from tests.differential.versions.compare import run
from tests.differential.versions.generate import Case


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args(arguments)
    tally = run(options.count, options.seed, options.cache)
    print(
        f"{tally.agree} agree, {tally.unknown} unknown, {len(tally.differences)} differ, "
        f"{tally.broken} can't be installed; {dict(tally.kinds)}"
    )
    for case, reason in (tally.differences + tally.unclear)[: options.show]:
        print(f"--- {case.kind}: {reason}\n{_shown(case)}")
    if tally.agree + tally.unknown == 0:
        print("no project could be resolved: is the package index within reach of uv?")
        return 1
    return 1 if tally.differences else 0


def _shown(case: Case) -> str:
    return "\n".join(
        f"[{name}]\n{data.decode('utf-8', 'replace')}" for name, data in case.files.items()
    )


if __name__ == "__main__":
    sys.exit(main())
