"""Checks of the moment `config`: whether the Hub takes the folder for a Docker Space at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from hfcheck.checks import check
from hfcheck.finding import Finding, Severity, finding
from hfcheck.source import Place, SourceFile
from hfcheck.space.context import read_text
from hfcheck.space.model import Space
from hfcheck.space.site.card import Card, CardProblem, port_number, read_card
from hfcheck.space.site.cardkeys import (
    CardFault,
    hardware_fault,
    idle_keys,
    is_zero_gpu,
    shortened_versions,
    value_faults,
)
from hfcheck.space.value import Origin

_FIRST_LINE = re.compile(r"[^\s][^\r\n]*")
_BLOCK = "a line `---`, the line `sdk: docker`, and a line `---`"


@check("missing-front-matter")
def missing_front_matter(space: Space) -> Iterator[Finding]:
    """The README has no front matter, or it waits under another name."""
    card, site = space.card, space.site
    if card.status in ("absent", "missing", "kept"):
        yield _no_front_matter(space, card)
    elif site.readme_name_needed and site.readme is not None and card.opening is not None:
        name = _shown(space, site.readme)
        verb = "is written by" if site.readme_rows else "stands in"
        yield finding(
            "missing-front-matter",
            f"the front matter {verb} {name}; the Space needs it in README.md at its root",
            card.opening,
            related=_plain_readme(space),
            severity=Severity.warning,
            fix=f"Upload {name} as README.md, or move its front matter to the top of README.md."
            if not site.readme_rows
            else "Put the same front matter at the top of README.md, so that the folder is a "
            "Space as it stands.",
        )


def _no_front_matter(space: Space, card: Card) -> Finding:
    kept = space.site.readme_kept
    source = card.source or SourceFile(space.site.root / "README.md", "")
    name = _shown(space, source.path)
    related: list[Origin] = []
    if card.status == "absent" or card.source is None:
        message = f"{_what_is_there(space, 'README.md')}, so the Space has no configuration"
        fix = f"Add a README.md that starts with {_BLOCK}."
    elif card.near_miss is not None:
        message = f"the Hub finds no front matter in {name}: {card.near_miss.message}"
        fix = card.near_miss.fix
    else:
        message = f"{name} has no front matter, so the Space has no configuration"
        fix = f"Put {_BLOCK} before everything else in README.md."
    above = _card_above(space)
    if above is not None and card.near_miss is None:
        related.append(Origin(above, "this front matter is not in the folder that is uploaded"))
        up = os.path.relpath(above.source.path, space.site.root).replace(os.sep, "/")
        fix = f"Put the front matter of {up} at the top of README.md in {space.site.root.name}/."
    changed = space.site.readme_changed
    if changed is not None:
        script = changed.source.path.name
        message = f"{message}, unless {script} adds it, which writes README.md in an unknown way"
        related.append(Origin(changed, "writes README.md"))
    elif kept is not None:
        message = f"{message}, unless the README on the Hub has one, which {kept.name} keeps"
    return finding(
        "missing-front-matter",
        message,
        card.near_miss.place if card.near_miss else _first_line(source),
        related=related,
        severity=Severity.warning if kept is not None or changed is not None else None,
        fix=fix,
    )


def _what_is_there(space: Space, name: str) -> str:
    """Why a file of this name at the root does not count, as the start of a sentence."""
    if name not in space.home.names():
        return f"there is no {name}"
    kind = space.home.kind(name)
    return f"{name} is " + ("a folder" if kind == "dir" else "a link that leads to no file")


def _card_above(space: Space) -> Place | None:
    """The front matter further up that the folder itself lacks."""
    path = space.site.readme_above
    return read_card(read_text(path.parent, path.name)).opening if path is not None else None


def _plain_readme(space: Space) -> list[Origin]:
    """The README.md that the Space would have as the folder stands."""
    source = space.home.read("README.md")
    if not isinstance(source, SourceFile):
        return []
    return [Origin(_first_line(source), "README.md has no front matter")]


def _first_line(source: SourceFile) -> Place:
    match = _FIRST_LINE.search(source.text)
    return source.place(*match.span()) if match else source.place()


@check("invalid-front-matter")
def invalid_front_matter(space: Space) -> Iterator[Finding]:
    """The front matter is no YAML mapping, or has something that readers take differently."""
    card = space.card
    if card.status == "invalid" and card.problem is not None:
        yield finding(
            "invalid-front-matter",
            f"the front matter is no valid YAML mapping: {card.problem.message}",
            card.problem.place,
        )
    for doubt in card.doubts:
        yield _doubtful(doubt)


def _doubtful(doubt: CardProblem) -> Finding:
    return finding(
        "invalid-front-matter",
        f"the Hub may refuse the front matter: {doubt.message}",
        doubt.place,
        severity=Severity.warning,
        fix=doubt.fix or None,
    )


@check("wrong-sdk")
def wrong_sdk(space: Space) -> Iterator[Finding]:
    """The front matter asks for another SDK, or for none, beside a Dockerfile."""
    card = space.card
    if card.status != "ok" or space.site.dockerfile is None or card.opening is None:
        return
    value = card.values.get("sdk")
    text = space.dockerfile.source if space.dockerfile else SourceFile(space.site.dockerfile, "")
    dockerfile = Origin(text.place(), "the Dockerfile")
    if value is None:
        yield finding(
            "wrong-sdk",
            "the front matter has no `sdk`, so the Hub does not build the Dockerfile",
            card.opening,
            related=[dockerfile],
            fix="Add the line `sdk: docker` to the front matter.",
        )
    elif value.text != "docker":
        said = f"`sdk: {value.text}`" if value.text else "no SDK by name"
        yield finding(
            "wrong-sdk",
            f"the front matter says {said}, so the Hub does not build the Dockerfile",
            value.place if value.place.text else value.key,
            related=[dockerfile],
            fix="Write `sdk: docker`.",
        )


@check("missing-dockerfile")
def missing_dockerfile(space: Space) -> Iterator[Finding]:
    """The front matter asks for a Dockerfile that is not there, or not under this name."""
    card, site = space.card, space.site
    if site.dockerfile is None:
        value = card.values.get("sdk")
        yield finding(
            "missing-dockerfile",
            f"the front matter says `sdk: docker`, and {_what_is_there(space, 'Dockerfile')} "
            "beside README.md",
            value.place if value else SourceFile(site.root / "Dockerfile", "").place(),
            related=[Origin(SourceFile(site.root / "Dockerfile", "").place(), "not there")],
            fix="Add a file named Dockerfile at the root of the Space.",
        )
    elif site.dockerfile_name_needed:
        name = _shown(space, site.dockerfile, from_context=True)
        source = space.dockerfile.source if space.dockerfile else SourceFile(site.dockerfile, "")
        where = "" if site.context == site.root else f" ({site.context.name}/, by its COPY lines)"
        yield finding(
            "missing-dockerfile",
            f"the Hub builds the file Dockerfile at the root of the Space{where}; "
            f"what is meant for it is {name}",
            _first_line(source),
            severity=Severity.warning,
            fix=f"Upload {name} as Dockerfile at the root of the Space.",
        )


def _shown(space: Space, path: Path, *, from_context: bool = False) -> str:
    """A path as the reader knows it: from the folder that is checked where it is inside, or from
    the build context where that holds the folder.
    """
    bases = [space.site.root, space.site.context]
    for base in reversed(bases) if from_context else bases:
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return path.name


@check("invalid-app-port")
def invalid_app_port(space: Space) -> Iterator[Finding]:
    """`app_port` is no port number."""
    card = space.card
    value = card.values.get("app_port")
    if value is None:
        return
    if space.site.readme_rows and re.search(r"[${%]", value.place.text):
        return  # the script that writes the README fills it in
    place = value.place if value.place.text else value.key
    if value.kind == "null":
        message = "`app_port` has no value"
        severity: Severity | None = Severity.warning
    elif port_number(value) is None:
        shown = f"`{value.text}`" if value.text is not None else f"a {value.kind}"
        message = f"`app_port` must be a whole number from 1 to 65535, not {shown}"
        severity = None
    elif value.kind != "int":
        what = "text in quotes" if value.quoted else "not written as a whole number"
        message = f"`app_port` is {what}; the Hub documents an integer"
        severity = Severity.warning
    else:
        return
    number = port_number(value)
    fix = f"Write `app_port: {number}`." if number else "Write the port as plain digits."
    yield finding("invalid-app-port", message, place, severity=severity, fix=fix)


@check("invalid-card-value")
def invalid_card_value(space: Space) -> Iterator[Finding]:
    """A value that the Hub refuses, or documents in another way."""
    for fault in value_faults(space.card):
        yield from _card_fault(space, "invalid-card-value", fault)


@check("unknown-hardware")
def unknown_hardware(space: Space) -> Iterator[Finding]:
    """`suggested_hardware` names hardware that the Hub does not have."""
    fault = hardware_fault(space.card)
    if fault is not None:
        yield from _card_fault(space, "unknown-hardware", fault)


@check("zerogpu-with-docker")
def zerogpu_with_docker(space: Space) -> Iterator[Finding]:
    """A Docker Space that asks for ZeroGPU, which only Gradio Spaces can have."""
    card = space.card
    value, sdk = card.values.get("suggested_hardware"), card.values.get("sdk")
    if value is None or sdk is None or sdk.text != "docker" or not is_zero_gpu(value.text or ""):
        return
    yield finding(
        "zerogpu-with-docker",
        f"`{value.text}` is ZeroGPU, which only Gradio Spaces can have; this is a Docker Space",
        value.place,
        related=[Origin(sdk.place, "the SDK")],
    )


@check("ignored-card-key")
def ignored_card_key(space: Space) -> Iterator[Finding]:
    """A key that does nothing in a Docker Space."""
    if space.card.sdk != "docker":
        return
    shortened = {value.key for value, _ in shortened_versions(space.card)}
    for fault in idle_keys(space.card):
        if fault.place not in shortened:
            yield from _card_fault(space, "ignored-card-key", fault)


@check("unquoted-version")
def unquoted_version(space: Space) -> Iterator[Finding]:
    """A version that YAML reads as a number, so that its last zero is lost."""
    docker = space.card.sdk == "docker"
    for value, number in shortened_versions(space.card):
        idle = "; a Docker Space does not use it" if docker else ""
        yield finding(
            "unquoted-version",
            f"`{value.key.text}: {value.text}` is the number {number}{idle}",
            value.place,
            severity=Severity.info if docker else None,
            fix=f"Take `{value.key.text}` out: FROM says which version a Docker Space has."
            if docker
            else f'Write `{value.key.text}: "{value.text}"`.',
        )


def _card_fault(space: Space, rule: str, fault: CardFault) -> Iterator[Finding]:
    """The finding for a fault, unless a script fills the value in when it writes the README."""
    if space.site.readme_rows and re.search(r"[${%]", fault.place.text):
        return
    severity = None if fault.grade == "error" else Severity[fault.grade]
    yield finding(rule, fault.message, fault.place, severity=severity, fix=fault.fix)
