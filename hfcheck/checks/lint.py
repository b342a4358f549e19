"""Checks of the moment `lint`: what hfcheck itself could not read."""

from __future__ import annotations

from collections.abc import Iterator

from hfcheck.checks import check
from hfcheck.finding import Finding, Severity, finding
from hfcheck.source import Place, SourceFile
from hfcheck.space.model import FileProblem, Space


@check("unparsable-file")
def unparsable_file(space: Space) -> Iterator[Finding]:
    """A file that makes the Space and can't be read or parsed."""
    seen: set[Place] = set()
    problems = list(space.problems)
    card = space.card
    if card.status == "unread" and card.problem is not None:
        problems.append(FileProblem(card.problem.place, card.problem.message, False, False))
    for problem in problems:
        if problem.place in seen:
            continue
        seen.add(problem.place)
        verb = "parsed" if problem.is_text else "read"
        yield finding(
            "unparsable-file",
            f"{problem.place.source.path.name} can't be {verb}: {problem.reason}",
            problem.place,
            severity=None if problem.sure else Severity.warning,
        )


@check("internal-error")
def internal_error(space: Space) -> Iterator[Finding]:
    """A check of hfcheck raised; registered last, so that it sees the faults of all others."""
    for fault in space.faults:
        at = space.site.dockerfile or space.site.root / "Dockerfile"
        message = f"the rule {fault.rule} was not judged: {fault.exception} at {fault.where}"
        yield finding("internal-error", message, SourceFile(at, "").place())
