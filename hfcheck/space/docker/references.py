"""Image names, by the grammar of `github.com/distribution/reference`."""

from __future__ import annotations

import re

_COMPONENT = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = re.compile(
    rf"(?:{_COMPONENT}(?:\.{_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?", re.ASCII
)
_PATH_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")

MAX_NAME = 255
"""Longest name without tag and digest (`RepositoryNameTotalLengthMax`)."""


def reference_fault(text: str) -> str | None:
    """Why a text is no image name (`python:3.12`, `ghcr.io/a/b@sha256:...`); None where it is."""
    if _IDENTIFIER.fullmatch(text):
        return "64 hexadecimal digits are an image's identity, not a name"
    name, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return "what follows the @ is no digest"
    domain, path = _split_domain(name)
    path, colon, tag = path.partition(":")
    if colon and not _TAG.fullmatch(tag):
        return f"`{tag[:40]}` is no tag"
    if path != path.lower():
        return "it must be lower case"
    if not all(_PATH_COMPONENT.fullmatch(part) for part in path.split("/")):
        return "it has a character or an empty part that a name can't have"
    if domain and not _DOMAIN.fullmatch(domain):
        return f"`{domain[:40]}` is no registry"
    return "it is too long" if len(domain) + 1 + len(path) > MAX_NAME else None


def _split_domain(name: str) -> tuple[str, str]:
    """The registry before the first slash, if it looks like one, and the rest."""
    first, slash, rest = name.partition("/")
    if not slash or not (
        "." in first or ":" in first or first == "localhost" or first != first.lower()
    ):
        return "", name
    return first, rest
