"""BuildKit's answers: asked from a program, or recorded.

The program reads a request on each line, `{"text": ..., "args": {...}, "bases": {...}}`: a
Dockerfile, the build arguments, and the configurations of base images by their full names. It
writes an answer on each line, from the frontend of BuildKit (`parser.Parse`, then `Dockerfile2LLB`
and `Marshal` of its state, for linux/amd64, with an image resolver that knows `bases`):

- `instructions`: of each its `name`, `args`, `flags`, `heredocs` (name and body, tabs stripped for
  `<<-`), `start` line, `json`, and in ONBUILD the `inner` name; or `parse_error`
- `config`: the `Config` of the image; or `error`, with the `lines` (first, last) that it names
"""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.differential.dockerfile.case import BASES, Case

RECORDED = Path(__file__).parents[2] / "data" / "dockerfile_configurations.jsonl.gz"
"""Generated cases with the answers of BuildKit (moby/buildkit at 73ed6825, August 2026)."""

_FIELDS = ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "ExposedPorts", "Shell")


def ask(program: str, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """The program's answers, one a case."""
    bases = {_full_name(name): config for name, config in BASES.items()}
    requests = [{"text": each.text, "args": dict(each.args), "bases": bases} for each in cases]
    result = subprocess.run(
        [program],
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    answers = [json.loads(line) for line in result.stdout.split("\n") if line]
    if len(answers) != len(cases):
        raise RuntimeError(f"{len(answers)} answers to {len(cases)} cases: {result.stderr[-2000:]}")
    return answers


def recorded() -> list[tuple[Case, dict[str, Any]]]:
    """The recorded cases and answers."""
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(Case(row["text"], row["args"]), row["answer"]) for row in rows]


def record(cases: Sequence[Case], answers: Sequence[Mapping[str, Any]]) -> None:
    """Keep cases and answers, of the configuration only what is compared."""
    rows = []
    for case, answer in zip(cases, answers, strict=True):
        kept = {name: value for name, value in answer.items() if name != "variables"}
        if "config" in kept:
            kept["config"] = {k: v for k, v in kept["config"].items() if k in _FIELDS}
        rows.append({"text": case.text, "args": dict(case.args), "answer": kept})
    text = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
    RECORDED.write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))


def _full_name(name: str) -> str:
    """An image name as the resolver is asked: with its registry and tag."""
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"library/{name}"
    if not slash or "." not in first:
        name = f"docker.io/{name}"
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"
