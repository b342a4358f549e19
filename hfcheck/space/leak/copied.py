"""The secrets in a Dockerfile's instructions, and the key files that it copies into the image."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.docker.dockerfile import Instruction, Pair
from hfcheck.space.image.pathmatch import has_wildcard
from hfcheck.space.leak.names import is_secret_name
from hfcheck.space.leak.randomness import looks_random
from hfcheck.space.leak.tokens import Secret, hits, starred
from hfcheck.space.upload import upload_of

if TYPE_CHECKING:
    from hfcheck.space.model import Space

_KEY_FILE = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:pem|key|p8|pk8)|\.netrc|\.git-credentials|\.pypirc|\.npmrc"
    r"|.*(?:credential|service[_-]?account|secret|firebase).*\.json",
    re.IGNORECASE,
)
"""Files that hold nothing but a secret."""

_MAX_KEY_FILE = 64 << 10


@dataclass(frozen=True, slots=True)
class InImage:
    """A secret that an instruction writes into the image. `how` is the instruction's name, `name`
    of the secret the variable that it sets, `file` the file that it copies.
    """

    secret: Secret
    how: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class _Written:
    """What is secret in the Dockerfile, before it is starred out."""

    instruction: Instruction
    what: str
    span: Span
    hidden: tuple[Span, ...]
    sure: bool
    name: str = ""


def secrets_in_image(space: Space) -> Iterator[InImage]:
    """The secrets in the Dockerfile's instructions, and the key files that COPY and ADD name."""
    found = _written(space)
    if found and space.dockerfile is not None:
        hidden = [span for item in found for span in item.hidden]
        safe = starred(space.dockerfile.source, hidden)
        for item in found:
            secret = Secret(item.what, Place(safe, item.span), item.sure, item.name)
            yield InImage(secret, item.instruction.name)
    for path, (what, place, how) in copied_keys(space).items():
        yield InImage(Secret(what, place), how, path)


def in_instructions(space: Space, path: Path, span: Span) -> bool:
    """Whether a place stands in an instruction of the Dockerfile of this path."""
    if space.dockerfile is None or space.dockerfile.source.path != path:
        return False
    return any(i.span.start <= span.start < i.span.end for i in _instructions(space))


def _instructions(space: Space) -> list[Instruction]:
    if space.dockerfile is None:
        return []
    stages = (stage.instructions for stage in space.dockerfile.stages)
    return [*space.dockerfile.preamble, *(item for stage in stages for item in stage)]


def _written(space: Space) -> list[_Written]:
    if space.dockerfile is None:
        return []
    source = space.dockerfile.source
    known = hits(source.text, source.path.name)
    found: dict[str, _Written] = {}
    for instruction in _instructions(space):
        span = instruction.span
        for hit in known:
            if span.start <= hit.span.start < span.end:
                name = _variable(instruction, hit.span)
                kind = hit.kind
                item = _Written(instruction, kind.what, hit.span, hit.hidden, kind.sure, name)
                found.setdefault(hit.value, item)
        for pair in _named_secrets(instruction):
            assert pair.value is not None
            at = pair.value.span
            if not any(at.start <= hit.span.start < at.end for hit in known):
                what = "a value that looks drawn at random"
                item = _Written(instruction, what, at, (at,), False, pair.name.text)
                found.setdefault(pair.value.text, item)
    return list(found.values())


def _variable(instruction: Instruction, span: Span) -> str:
    """The variable whose value a place is in."""
    for pair in instruction.pairs:
        if pair.value is not None and pair.value.span.start <= span.start < pair.value.span.end:
            return pair.name.text
    return ""


def _named_secrets(instruction: Instruction) -> Iterator[Pair]:
    """The values of ENV and ARG that are secret by name, and drawn at random by their looks."""
    if instruction.name not in ("ENV", "ARG"):
        return
    for pair in instruction.pairs:
        if pair.value is None or "$" in pair.value.text or not is_secret_name(pair.name.text):
            continue
        if looks_random(pair.value.text.strip("\"'")):
            yield pair


_Keys = Mapping[str, tuple[str, Place, str]]
_COPIED: WeakKeyDictionary[Space, _Keys] = WeakKeyDictionary()


def copied_keys(space: Space) -> _Keys:
    """The files that hold nothing but a secret and that a COPY or ADD names: the kind of secret,
    the place of the word, and the instruction.
    """
    if space not in _COPIED:
        _COPIED[space] = dict(_find_keys(space))
    return _COPIED[space]


def _find_keys(space: Space) -> Iterator[tuple[str, tuple[str, Place, str]]]:
    for instruction in _instructions(space):
        if instruction.name not in ("COPY", "ADD") or instruction.flag("from"):
            continue
        for word in instruction.words[:-1]:
            path = posixpath.normpath(word.text.lstrip("/"))
            if has_wildcard(path) or not _KEY_FILE.fullmatch(posixpath.basename(path)):
                continue
            source = space.context.read(path)
            if not isinstance(source, SourceFile) or len(source.text) > _MAX_KEY_FILE:
                continue
            found = hits(source.text, source.path.name)
            if found and (space.home is not space.context or upload_of(space).sends(path)):
                yield path, (found[0].kind.what, instruction.word_place(word), instruction.name)
