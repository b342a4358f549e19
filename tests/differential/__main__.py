"""Runs every comparison with the real libraries, at full size.

    python -m tests.differential [--seed 1] [--share 1.0]

The environments of older versions and of the servers are made once under `.cache/differential`,
from the package index. From Python 3.12 on the settings have PEP 695 aliases among them. The exit
code is 1 where a prediction differs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

PARTS = (
    ("settings", ("--versions", "newest"), 5000),
    ("settings", ("--versions", "v1,2.0,2.2,2.6,2.7,2.11,2.13"), 1000),
    ("launch", (), 400),
    ("target", (), 500),
    ("dockerfile", (), 2000),
    ("versions", (), 200),
)
"""Each comparison with its options and its number of cases (for each version of the settings)."""


def main() -> int:
    """Run the comparisons one after the other; 1 where any differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="of the cases, for a quick look")
    options = parser.parse_args()
    failed = []
    for name, words, full in PARTS:
        count = max(1, round(full * options.share))
        print(f"\n## {name} {' '.join(words)}".rstrip(), flush=True)
        command = [sys.executable, "-m", f"tests.differential.{name}", *words]
        command += ["--seed", str(options.seed), "--count", str(count)]
        begin = time.monotonic()
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(name)
        print(f"({time.monotonic() - begin:.0f} s)", flush=True)
    print(f"\ndiffering: {', '.join(failed)}" if failed else "\nnothing differs")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
