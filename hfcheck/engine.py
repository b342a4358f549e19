"""From a path to a report: discover the Spaces, run every check on each, keep what they find.

A check that raises becomes a finding; the other checks go on.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hfcheck.catalogue import MOMENTS, rule, rule_files
from hfcheck.checks import CHECKS
from hfcheck.config import Config, configured_files, load_config
from hfcheck.finding import Finding, Severity
from hfcheck.space.model import Fault, Space
from hfcheck.space.site.discover import Overrides, Site, Skipped, discover


@dataclass(slots=True)
class SpaceReport:
    """One Space, the configuration that holds for it, and its findings in the order of the
    moments and then of the places.
    """

    space: Space
    config: Config
    findings: list[Finding]


@dataclass(slots=True)
class Report:
    """What a run found: the Spaces in the order they were given, and the folders left out."""

    spaces: list[SpaceReport] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """The findings of all Spaces."""
        return [found for report in self.spaces for found in report.findings]

    def count(self, severity: Severity) -> int:
        """How many findings have this severity."""
        return sum(1 for found in self.findings if severity_of(found) is severity)


def severity_of(found: Finding) -> Severity:
    """The finding's own severity, or its rule's."""
    if found.severity is not None:
        return found.severity
    return rule(found.rule).severity


def check_path(
    path: Path, config: Config | None = None, overrides: Overrides | None = None
) -> Report:
    """Check the Spaces at or below a folder.

    `config` holds for all of them; without it each Space's own configuration is looked for
    (`ConfigError` where it is invalid). `overrides` are the file names that the user gave.
    """
    named = configured_files if config is None else (lambda folder: Overrides())
    sites, skipped = discover(path, overrides or Overrides(), named)
    report = Report(skipped=list(skipped))
    for site in sites:
        report.spaces.append(check_site(site, config or load_config(site.root)))
    return report


def check_site(site: Site, config: Config) -> SpaceReport:
    """Run every check on one Space."""
    space = Space(site, config.declared)
    findings: list[Finding] = []
    for name in sorted(
        CHECKS, key=lambda name: name == "internal-error"
    ):  # last: tells of the rest
        try:
            findings.extend(CHECKS[name](space))
        except Exception as error:  # a fault of hfcheck must not hide the other findings
            space.faults.append(_fault(name, error))
    return SpaceReport(space, config, _ordered(findings))


def _fault(name: str, error: Exception) -> Fault:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = f"{Path(last.filename).name}:{last.lineno}" if last else "unknown"
    return Fault(name, type(error).__name__, where, "".join(traceback.format_exception(error)))


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    """In the order of the moments, then of the places, without repeats."""
    files = rule_files()
    unique = {(f.rule, f.primary.place, f.message): f for f in findings}

    def key(found: Finding) -> tuple[int, str, int, str]:
        place = found.primary.place
        moment = MOMENTS.index(files[found.rule].parent.name)
        return (moment, str(place.source.path), place.span.start, found.rule)

    return sorted(unique.values(), key=key)
