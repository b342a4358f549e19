"""Measures hfcheck against labelled checkouts: `python tests/measure.py LABELS CHECKOUTS`.

LABELS is a file of JSON lines, one a backend folder: where it is (`repo`, `subdir`, `dockerfile`,
`staged`), what it listens on (`effective_listen_host_port`), and which faults it has. CHECKOUTS
holds the repositories as OWNER__NAME, OWNER/NAME or OWNER+NAME, staged rows as staged/ID. Rows
without a checkout are left out. Prints one line a disagreement, then the figures. No test: the
checkouts are not part of this project.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from hfcheck.config import Config
from hfcheck.engine import SpaceReport, check_path
from hfcheck.finding import Finding
from hfcheck.space.site.discover import Overrides

Row = dict[str, Any]

RULES = ("wrong-port", "list-env-field", "required-env", "missing-cors", "missing-front-matter")


@dataclass
class Tally:
    """Figures over all rows, and the disagreements in words."""

    listen: Counter[str] = field(default_factory=Counter)
    rules: dict[str, Counter[str]] = field(
        default_factory=lambda: {rule: Counter() for rule in RULES}
    )
    lines: list[str] = field(default_factory=list)
    rows: int = 0
    slowest: tuple[float, str] = (0.0, "")

    def note(self, rule: str, row: Row, verdict: str, text: str) -> None:
        """Count one verdict; tell it where it is a disagreement."""
        self.rules[rule][verdict] += 1
        if verdict in ("false positive", "missed"):
            self.lines.append(f"{rule}: {verdict}: {_name(row)}: {text}")


def _name(row: Row) -> str:
    return f"{row['id']} {row['repo']}/{row['subdir']}"


def checkout(row: Row, folder: Path) -> Path | None:
    """The folder that holds a row's repository, None where it is not there."""
    owner, _, name = row["repo"].partition("/")
    if row["staged"]:
        names = [f"staged/{row['id']}"]
    else:
        names = [f"{owner}__{name}", f"{owner}/{name}", f"{owner}+{name}"]
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def report_of(row: Row, base: Path) -> SpaceReport | None:
    """What hfcheck says about the row's folder with the row's Dockerfile."""
    root = base if row["staged"] else (base / row["subdir"]).resolve()
    named = Path(row["dockerfile"]) if row["dockerfile"] else None
    dockerfile = None
    if named is not None and not row["staged"]:
        dockerfile = (base / named).resolve()
        if not dockerfile.is_file():
            dockerfile = None
    found = check_path(root, Config(), Overrides(dockerfile=dockerfile)).spaces
    return next((r for r in found if r.space.site.root == root), found[0] if found else None)


def measure_listen(row: Row, report: SpaceReport | None, tally: Tally) -> None:
    """Compare the listen address with the label."""
    wanted = row["effective_listen_host_port"]
    if wanted.endswith("(unset)"):
        wanted = "none"
    launch = report.space.launch if report is not None else None
    listen = launch.listen if launch is not None else {"known": True, "port": None, "reason": ""}
    got = f"{listen['host']}:{listen['port']}" if listen["port"] is not None else "none"
    verdict = "unknown" if not listen["known"] else "right" if got == wanted else "wrong"
    tally.listen[verdict] += 1
    if verdict != "right":
        reason = listen["reason"] or ""
        tally.lines.append(
            f"listen: {verdict}: {_name(row)}: {got}, label {wanted} ({row['why']}); {reason}"
        )


def measure_flag(rule: str, row: Row, expected: bool, found: list[Finding], tally: Tally) -> None:
    """Compare a rule that a folder either breaks or not."""
    flagged = [f for f in found if f.rule == rule]
    if expected and flagged:
        verdict = "true positive"
    elif flagged:
        verdict = "false positive"
    else:
        verdict = "missed" if expected else "true negative"
    tally.note(rule, row, verdict, flagged[0].message if flagged else "not flagged")


def measure_places(
    rule: str, row: Row, labels: list[Row], allowed: list[Row], found: list[Finding], tally: Tally
) -> None:
    """Compare a rule that has one finding for each labelled place. `allowed` are labels that may
    be found and need not be."""
    flagged = [f for f in found if f.rule == rule]
    for label in labels:
        hit = any(_same(label, f) for f in flagged)
        text = f"{label['file']}:{label['line']} {label.get('name') or label.get('var')}"
        tally.note(rule, row, "true positive" if hit else "missed", text)
    for finding in flagged:
        if not any(_same(label, finding) for label in (*labels, *allowed)):
            line = finding.primary.place.source.position(finding.primary.place.span.start).line
            path = finding.primary.place.source.path
            tally.note(rule, row, "false positive", f"{path.name}:{line} {finding.message}")


def _same(label: Row, finding: Finding) -> bool:
    name = label.get("name") or label.get("var") or ""
    for location in finding.locations:
        source, span = location.place.source, location.place.span
        here = source.path.name == Path(label["file"]).name
        first = source.position(span.start).line
        if here and first <= label["line"] <= source.position(span.end).line:
            return True
        if here and name and name.lower() in source.slice(span).lower():
            return True
    return bool(name) and f"`{name}`".lower() in finding.message.lower()


def measure_row(row: Row, report: SpaceReport | None, tally: Tally) -> None:
    """Compare everything that a row has labels for."""
    findings = report.findings if report is not None else []
    codes = row["expected_codes"]
    measure_listen(row, report, tally)
    if row["port_matches"] is not None:
        measure_flag("wrong-port", row, row["port_matches"] is False, findings, tally)
    fields = [f for f in row["list_env_fields"] if f.get("reachable_from_entry")]
    crashing = [f for f in fields if f["verdict"].startswith("crash")]
    measure_places("list-env-field", row, crashing, [], findings, tally)
    required = [f for f in row["required_fields"] if f.get("reachable_from_entry")]
    measure_places("required-env", row, required, row["module_level_env_guards"], findings, tally)
    if row["hf_space"]:
        measure_flag("missing-cors", row, "CORS_MISSING" in codes, findings, tally)
        measure_flag("missing-front-matter", row, "NO_FRONT_MATTER" in codes, findings, tally)


def figures(tally: Tally) -> Iterator[str]:
    """The result in lines: disagreements first, figures last."""
    yield from tally.lines
    yield ""
    total = sum(tally.listen.values()) or 1
    shown = ", ".join(f"{k} {tally.listen[k]}" for k in ("right", "unknown", "wrong"))
    share = 100 * tally.listen["unknown"] / total
    yield f"{tally.rows} rows; listen address: {shown} ({share:.1f} % unknown)"
    for rule in RULES:
        counts = tally.rules[rule]
        yield f"{rule}: " + ", ".join(
            f"{verdict} {counts[verdict]}"
            for verdict in ("true positive", "false positive", "missed")
        )
    yield f"slowest row: {tally.slowest[0]:.1f} s, {tally.slowest[1]}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--only", type=int, nargs="*", help="row ids")
    options = parser.parse_args()
    tally = Tally()
    for line in options.labels.read_text("utf-8").splitlines():
        row = json.loads(line)
        base = checkout(row, options.checkouts)
        if base is None or (options.only and row["id"] not in options.only):
            continue
        start = time.perf_counter()
        report = report_of(row, base)
        spent = time.perf_counter() - start
        tally.slowest = max(tally.slowest, (spent, _name(row)))
        tally.rows += 1
        measure_row(row, report, tally)
        for fault in report.space.faults if report else ():
            tally.lines.append(f"fault: {_name(row)}: {fault.rule}: {fault.exception}")
    print("\n".join(figures(tally)))


if __name__ == "__main__":
    main()
