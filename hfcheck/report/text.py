"""The report for people: each finding with its places quoted, why, what the owner sees, the fix."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from hfcheck.catalogue import rule
from hfcheck.engine import Report, severity_of
from hfcheck.finding import Finding, Location, Role, Severity
from hfcheck.report.excerpt import excerpt
from hfcheck.report.mask import shown
from hfcheck.report.paths import shown_path

_WRAP = 96


def render(report: Report, *, facts: Iterable[str] = ()) -> str:
    """The whole report as text; `facts` are lines put before the findings."""
    blocks = ["\n".join(facts)] if facts else []
    blocks += [_finding(found) for found in report.findings]
    blocks.append(_summary(report))
    text = "\n\n".join(block for block in blocks if block)
    return f"{text}\n" if text else ""


def _finding(found: Finding) -> str:
    severity = severity_of(found)
    lines = [f"{severity.name}[{found.rule}]: {shown(found.message)}"]
    for location in found.locations:
        lines += _location(location)
    texts = rule(found.rule)
    lines += _note("why", texts.cause)
    if texts.symptoms:
        lines += _note("on the Hub", texts.symptoms[0].sample)
    lines += _note("fix", found.fix or texts.fix)
    return "\n".join(lines)


def _location(location: Location) -> list[str]:
    place = location.place
    position = place.source.position(place.span.start)
    path = shown(shown_path(place.source.path))
    mark = "^" if location.role is Role.primary else "-"
    quoted = excerpt(place, mark, location.label)
    arrow = "-->" if location.role is Role.primary else ":::"
    if not quoted:
        return [f"  {arrow} {path}{': ' + shown(location.label) if location.label else ''}"]
    return [f"  {arrow} {path}:{position.line}:{position.column}", *quoted]


def _note(name: str, text: str) -> list[str]:
    head = f"  = {name}: "
    lines: list[str] = []
    for paragraph in shown(text).strip().splitlines():
        prefix = head if not lines else " " * len(head)
        code = paragraph.startswith((" ", "\t"))
        if code or not paragraph.strip():
            lines.append(f"{prefix}{paragraph}".rstrip())
            continue
        lines += textwrap.wrap(
            paragraph,
            _WRAP,
            initial_indent=prefix,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def _summary(report: Report) -> str:
    if not report.spaces:
        return ""
    spaces = _counted(len(report.spaces), "Space")
    counts = [
        _counted(report.count(severity), severity.name)
        for severity in (Severity.error, Severity.warning, Severity.info)
        if report.count(severity)
    ]
    if counts:
        return f"Found {', '.join(counts)} in {spaces}."
    which = "this Space" if len(report.spaces) == 1 else f"these {spaces}"
    return f"Nothing stands in the way of {which}."


def _counted(number: int, noun: str) -> str:
    plural = "" if number == 1 or noun == "info" else "s"
    return f"{number} {noun}{plural}"
