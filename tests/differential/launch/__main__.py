"""Compares predicted listen addresses with the sockets of really started servers.

    python -m tests.differential.launch --seed 1 --count 400

Makes an environment with the servers once under `--cache`; needs `unshare` (network namespaces).
The exit code is 1 where a prediction differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.differential.environments import CACHE, environment
from tests.differential.launch import oracle
from tests.differential.launch.compare import Tally, compare, generate
from tests.differential.launch.families import FAMILIES

SERVERS = (
    *("uvicorn[standard]", "uvicorn-worker", "gunicorn", "hypercorn", "granian", "daphne"),
    *("waitress", "flask", "fastapi[standard]", "django", "aiohttp", "sanic", "litestar[standard]"),
    *("streamlit", "gradio", "quart", "bottle", "tornado", "flask-socketio", "starlette"),
    *("python-dotenv", "pydantic-settings", "python-decouple", "environs", "typer", "click"),
    *("uv", "dumb-init", "honcho", "supervisor"),
)
"""What the cases start and import, in the newest version of each."""


def run(seed: int, count: int, cache: Path = CACHE) -> Tally:
    """Compare `count` generated cases."""
    python = environment("servers", SERVERS, cache)
    return compare(generate(FAMILIES, seed, count), python)


def main() -> int:
    """Run the comparison and print a row for each family."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--family", help="only the families whose name holds this")
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    if oracle.namespaces() is None:
        print("no network namespace can be made here (unshare)", file=sys.stderr)
        return 2
    python = environment("servers", SERVERS, options.cache)
    families = [each for each in FAMILIES if (options.family or "") in each.__name__]
    tally = compare(generate(families, options.seed, options.count), python)
    for result in tally.results:
        if result.judgement != "agree":
            print(result)
    for family, agree, unknown, differ in tally.rows():
        print(f"{family}: {agree} agree, {unknown} unknown, {differ} differ")
    differ = tally.count("differ")
    print(f"{len(tally.results)} cases: {tally.count('unknown')} unknown, {differ} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
