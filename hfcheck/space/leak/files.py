"""The secrets in the files that would be uploaded."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.dotenv import env_file
from hfcheck.space.leak.copied import copied_keys, in_instructions
from hfcheck.space.leak.names import is_env_file, is_for_tries, is_secret_name
from hfcheck.space.leak.randomness import looks_random
from hfcheck.space.leak.tokens import Hit, Secret, hits, needles, secrets_of, starred
from hfcheck.space.upload import Upload, upload_of
from hfcheck.space.value import Known, Origin

if TYPE_CHECKING:
    from hfcheck.space.model import Space

MAX_FILES = 2000
"""Most files of one Space that are searched."""

MAX_BYTES = 8 << 20
"""Most bytes of one Space that are searched."""

MAX_FILE = 512 << 10
"""Longest file that is searched."""

_TEXT = re.compile(
    r"pyi?|ipynb|[mc]?js|jsx|tsx?|vue|svelte|jsonc?|ya?ml|toml|ini|cfg|conf|config|env|properties"
    r"|(?:ba|z)?sh|ps1|bat|cmd|mdx?|rst|txt|html?|http|rest|sql|xml|tf|tfvars|go|rs|java|kt|rb|php"
    r"|pem|key|p8|netrc|npmrc|pypirc|service"
)
"""Endings of files in which people write secrets."""

_NAMES = re.compile(
    r"Dockerfile.*|.*\.Dockerfile|Makefile|Procfile|justfile|docker-compose.*|id_(?:rsa|dsa|ecdsa"
    r"|ed25519)|\.netrc|\.npmrc|\.pypirc|\.git-credentials|\.env.*|credentials|start|run|entrypoint"
)
_SKIPPED = re.compile(
    r"(?:package-lock|npm-shrinkwrap)\.json|.*\.min\.js|google-services\.json|.*\.lock|pnpm-lock\.yaml"
)
_TRIES = frozenset({"test", "tests", "testing", "testdata", "fixtures", "__tests__", "examples"})
"""Folders in which a private key is most often made for a test."""


@dataclass(frozen=True, slots=True)
class Leaked:
    """A secret in a file that would be sent. `path` is relative to the root of the Space, `more`
    are further places that hold the same one, `doubt` says why the file may stay behind all the
    same.
    """

    secret: Secret
    path: str
    more: tuple[Origin, ...] = ()
    doubt: Origin | None = None


def leaked_secrets(space: Space) -> list[Leaked]:
    """The secrets in code and texts. Those in `.env` files, in instructions of the Dockerfile and
    in key files that it copies are told by themselves.
    """
    upload = upload_of(space)
    found: dict[str, Leaked] = {}
    for path, source, hit in _candidates(upload, space):
        for secret, value in _of_file(space, path, source, hit):
            if value in found:
                origin = Origin(secret.place, "the same one")
                found[value] = replace(found[value], more=(*found[value].more, origin)[:8])
            else:
                found[value] = Leaked(secret, path, doubt=upload.doubt(path))
    return list(found.values())


def _of_file(
    space: Space, path: str, source: SourceFile, hit: list[Hit]
) -> Iterator[tuple[Secret, str]]:
    tries = not _TRIES.isdisjoint(path.split("/")[:-1])
    for secret, value in secrets_of(source, hit):
        if tries and secret.what == "a private key":
            continue
        if not in_instructions(space, source.path, secret.place.span):
            yield secret, value


def _candidates(upload: Upload, space: Space) -> Iterator[tuple[str, SourceFile, list[Hit]]]:
    """The files that have a text with which a secret begins, and that would be sent."""
    searched = read = 0
    for path in upload.files:
        name = posixpath.basename(path)
        if not _is_text(name) or is_env_file(name):
            continue
        data = upload.read(path, MAX_FILE)
        searched += 1
        if data is None:
            continue
        read += len(data)
        if searched > MAX_FILES or read > MAX_BYTES:
            return
        if not any(needle in data for needle in needles()):
            continue
        source = upload.text(path, data)
        found = hits(source.text, name) if source is not None else []
        if source is None or not found or not upload.sends(path):
            continue
        if path not in copied_keys(space):
            yield path, source, found


def _is_text(name: str) -> bool:
    if _SKIPPED.fullmatch(name):
        return False
    ending = name.rpartition(".")[2].lower()
    return ("." in name and _TEXT.fullmatch(ending) is not None) or _NAMES.fullmatch(
        name
    ) is not None


# .env files


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A `.env` file that would be sent, and what is secret in it. `doubt` as for `Leaked`."""

    path: str
    secrets: tuple[Secret, ...]
    doubt: Origin | None = None


def shipped_env_files(space: Space) -> Iterator[EnvFile]:
    """The `.env` files with secrets that would be uploaded."""
    upload = upload_of(space)
    for path in upload.files:
        name = posixpath.basename(path)
        if not is_env_file(name):
            continue
        data = upload.read(path, MAX_FILE)
        source = upload.text(path, data) if data is not None else None
        secrets = _in_env_file(source, name) if source is not None else ()
        if secrets and upload.sends(path):
            yield EnvFile(path, secrets, upload.doubt(path))


def _in_env_file(source: SourceFile, name: str) -> tuple[Secret, ...]:
    """The entries of a file whose value is secret for certain: by its shape, or by its name and a
    value that was drawn at random.
    """
    playing = is_for_tries(name)
    known = hits(source.text, name)
    found: list[tuple[str, str, Span, bool]] = []
    for variable, value in env_file(source).items():
        line = value.origins[0].place.span
        shape = next((hit for hit in known if line.start <= hit.span.start < line.end), None)
        if shape is not None:
            found.append((variable, shape.kind.what, line, shape.kind.sure))
        elif is_secret_name(variable) and isinstance(value, Known) and looks_random(value.value):
            found.append((variable, "a value that looks drawn at random", line, not playing))
    if not found:
        return ()
    safe = starred(source, _values(source), shown=0)
    return tuple(
        Secret(what, _name_place(safe, line, variable), sure, variable)
        for variable, what, line, sure in found
    )


def _values(source: SourceFile) -> Iterator[Span]:
    """All that stands behind an equals sign, so that nothing of the file is shown but names; where
    a value goes over several lines, those too.
    """
    position = 0
    for line in source.text.splitlines(keepends=True):
        entry = re.match(r"[ \t]*(?:export[ \t]+)?[A-Za-z_]\w*[ \t]*=", line)
        comment = line.lstrip().startswith("#")
        start = position + (entry.end() if entry else 0)
        if entry or not comment or "=" in line:
            yield Span(start, position + len(line.rstrip("\r\n")))
        position += len(line)


def _name_place(source: SourceFile, line: Span, name: str) -> Place:
    start = source.text.find(name, line.start, line.end)
    start = max(start, line.start)
    return source.place(start, start + len(name))
