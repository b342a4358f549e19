"""The rules' own texts for the terminal: the list of all, and one as a page."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from hfcheck.catalogue import Rule
from hfcheck.report.mask import harmless

_WIDTH = 96
_MOMENTS = {
    "config": "the Hub does not take the folder for a Docker Space (CONFIG_ERROR, NO_APP_FILE)",
    "build": "the image is not built (BUILD_ERROR)",
    "start": "the process ends as it starts (RUNTIME_ERROR)",
    "reach": "the process runs and is not reached (APP_STARTING, then a time-out)",
    "use": "the Space runs, and calls fail or data vanish (RUNNING)",
    "leak": "the Space runs, and a secret is public (RUNNING)",
    "lint": "hfcheck itself could not look",
}


def listing(rules: Iterable[Rule]) -> str:
    """Every rule in a line, under the moment at which the Space would break."""
    blocks = []
    for moment, group in groupby(rules, key=lambda each: each.moment):
        members = list(group)
        wide = max(len(each.name) for each in members)
        lines = [f"{moment}: {_MOMENTS[moment]}"]
        lines += [
            f"  {each.name:<{wide}}  {each.severity.name:<7}  {each.summary}" for each in members
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def page(rule: Rule) -> str:
    """One rule: what it says, what the owner sees, the cause, the fix, examples, references."""
    blocks = [f"{rule.name}: {rule.summary}"]
    blocks.append(f"{rule.severity.name} ({rule.moment}): {_MOMENTS[rule.moment]}")
    if rule.symptoms:
        blocks.append(_section("What the owner sees", *(each.sample for each in rule.symptoms)))
    blocks.append(_section("Why", rule.cause))
    blocks.append(_section("What to do", rule.fix))
    if rule.exceptions:
        blocks.append(_section("When it stays silent, or says less", rule.exceptions))
    blocks += [_example(each) for each in _shown(rule.examples)]
    blocks.append(_section("References", *rule.references))
    return "\n\n".join(blocks) + "\n"


def unknown(name: str, names: Sequence[str]) -> str:
    """Why `name` can't be shown, with the nearest names."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"; is it {' or '.join(near)}?" if near else "; `hfcheck rules` lists them"
    return f"there is no rule {harmless(name)}{hint}"


def _shown(examples: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The first example of each kind: the others are variations, for the tests."""
    for kind in ("bad", "good"):
        yield from [each for each in examples if kind in each][:1]


def _example(example: dict[str, Any]) -> str:
    kind = "bad" if "bad" in example else "good"
    lines = [f"Example, {kind}: {example[kind]}"]
    flagged = {(flag["file"], flag["text"]) for flag in example.get("flags", ())}
    for name, text in example["files"].items():
        lines += ["", f"  {name}", *(f"  | {line}".rstrip() for line in text.splitlines())]
        lines += [f"  ^ {mark.splitlines()[0]}" for file, mark in flagged if file == name and mark]
    return "\n".join(lines)


def _section(title: str, *texts: str) -> str:
    lines = [title]
    for text in texts:
        lines += textwrap.wrap(
            text,
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)
