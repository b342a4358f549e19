"""The report for programs: JSON, version 1."""

from __future__ import annotations

import json
from typing import Any

from hfcheck import __version__
from hfcheck.catalogue import rule
from hfcheck.engine import Report, SpaceReport, severity_of
from hfcheck.finding import Finding, Location, Severity
from hfcheck.report.mask import shown, shown_values
from hfcheck.report.paths import shown_path
from hfcheck.space.facts import facts


def render(report: Report, *, show_facts: bool = False) -> str:
    """The whole report as a JSON document.

    Lines and columns count from 1, columns in code points; an end column is the one behind the
    last character. A place in a file that is not there is line 1, column 1.
    """
    data = {
        "version": 1,
        "tool": {"name": "hfcheck", "version": __version__},
        "spaces": [_space(item, show_facts=show_facts) for item in report.spaces],
        "findings": [_finding(f, item) for item in report.spaces for f in item.findings],
        "skipped": [
            {"path": shown_path(s.path), "reason": shown(s.reason)} for s in report.skipped
        ],
        "summary": {
            "spaces": len(report.spaces),
            "findings": len(report.findings),
            **{severity.name: report.count(severity) for severity in reversed(Severity)},
        },
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _space(item: SpaceReport, *, show_facts: bool) -> dict[str, Any]:
    site = item.space.site
    return {
        "root": shown_path(site.root),
        "context": shown_path(site.context),
        "dockerfile": shown_path(site.dockerfile) if site.dockerfile else None,
        "readme": shown_path(site.readme) if site.readme else None,
        "notes": [shown(note) for note in site.notes],
        "facts": shown_values(facts(item.space)) if show_facts else {},
    }


def _finding(found: Finding, item: SpaceReport) -> dict[str, Any]:
    texts = rule(found.rule)
    return {
        "rule": found.rule,
        "severity": severity_of(found).name,
        "moment": texts.moment,
        "message": shown(found.message),
        "space": shown_path(item.space.site.root),
        "locations": [_location(location) for location in found.locations],
        "cause": texts.cause,
        "symptoms": [symptom.sample for symptom in texts.symptoms],
        "fix": shown(found.fix or texts.fix),
    }


def _location(location: Location) -> dict[str, Any]:
    source, span = location.place.source, location.place.span
    start, end = source.position(span.start), source.position(span.end)
    return {
        "path": shown_path(source.path),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "role": location.role.value,
        "label": shown(location.label),
    }
