"""Secrets in a text that can be told by their own shape."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.leak.randomness import looks_random

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MAX_HITS = 20
"""Most secrets of one kind that are told of one file."""

_SHOWN = 4
"""How many characters of a secret stay, so that its kind can be seen."""

_BEGINNING = re.compile(r"[A-Za-z0-9]{2,4}[_-]|AKIA|ASIA|AIza|eyJ|SG\.")
"""How a secret begins whose first characters tell nothing but its kind."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret; see tokens.yaml."""

    what: str
    needles: tuple[str, ...]
    source: str
    check: str
    sure: bool
    not_in: tuple[str, ...]
    public: tuple[str, ...]

    @property
    def pattern(self) -> re.Pattern[str]:
        """The expression for a whole secret, compiled when a needle is met."""
        return _compiled(self.source, whole=self.check != "pem")


@cache
def _compiled(source: str, *, whole: bool) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_]){source}(?![A-Za-z0-9_-])" if whole else source)


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret in a text: where it stands as a whole, which parts of it are secret, and its value
    (never to be shown).
    """

    kind: Kind
    span: Span
    hidden: tuple[Span, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that was found. Its place is in a copy of the file in which secrets are starred
    out, so nothing that quotes it can give it away. `name` is the variable that holds it, where
    that is known.
    """

    what: str
    place: Place
    sure: bool = True
    name: str = ""


@cache
def kinds() -> tuple[Kind, ...]:
    """The kinds of secrets that are looked for."""
    rows = yaml.load(Path(__file__).with_name("tokens.yaml").read_text("utf-8"), _Loader)
    return tuple(
        Kind(
            row["what"],
            tuple(row["needle"]),
            row["pattern"],
            row.get("check", "random"),
            row.get("sure", True),
            tuple(row.get("not_in", ())),
            tuple(row.get("public", ())),
        )
        for row in rows
    )


@cache
def needles() -> tuple[bytes, ...]:
    """The texts of which a file with a secret has at least one."""
    return tuple(dict.fromkeys(n.encode("ascii") for kind in kinds() for n in kind.needles))


def hits(text: str, name: str = "") -> list[Hit]:
    """The secrets in a text of a file of this name, in the order of their places."""
    found: list[Hit] = []
    for kind in kinds():
        if not any(needle in text for needle in kind.needles):
            continue
        if name.lower().endswith(kind.not_in) and kind.not_in:
            continue
        if any(word in text for word in kind.public):
            continue
        for hit in _of_kind(kind, text):
            if not any(_overlap(known.span, hit.span) for known in found):
                found.append(hit)
    return sorted(found, key=lambda hit: hit.span)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _of_kind(kind: Kind, text: str) -> Iterator[Hit]:
    count = 0
    for match in kind.pattern.finditer(text):
        hidden = _CHECKS[kind.check](match)
        if hidden is None:
            continue
        count += 1
        if count > _MAX_HITS:
            return
        span = Span(*match.span())
        if kind.check == "pem":
            span = Span(span.start, match.start("secret"))
        value = "".join(match.string[part.start : part.end] for part in hidden)
        yield Hit(kind, span, hidden, value)


_Check = Callable[[re.Match[str]], "tuple[Span, ...] | None"]


def _secret(match: re.Match[str]) -> Span:
    return Span(*match.span("secret" if "secret" in match.re.groupindex else 0))


_PREFIX = re.compile(r"(?:[A-Za-z0-9]{1,10}[_-]){0,3}")


def _random(match: re.Match[str]) -> tuple[Span, ...] | None:
    span = _secret(match)
    text = match.string[span.start : span.end]
    body = text[-20:] if len(text) < 30 else text[_head(text) :]
    return (span,) if looks_random(body) else None


def _head(text: str) -> int:
    """Where the fixed beginning of a token ends (`sk-proj-`, `github_pat_`)."""
    match = _PREFIX.match(text)
    return min(match.end(), len(text) // 3) if match else 0


_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def checksum(body: str) -> str:
    """The six characters that GitHub puts behind a token: the CRC-32 of the rest in base 62."""
    number, text = zlib.crc32(body.encode("ascii")), ""
    while number:
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return text.rjust(6, "0")


def _crc32(match: re.Match[str]) -> tuple[Span, ...] | None:
    body = match[0].partition("_")[2]
    return (Span(*match.span()),) if checksum(body[:-6]) == body[-6:] else None


_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_NEAR = 300


def _aws(match: re.Match[str]) -> tuple[Span, ...] | None:
    """The identifier alone is no secret: what belongs to it must stand near."""
    start = max(match.start() - _NEAR, 0)
    for other in _AWS_SECRET.finditer(match.string, start, match.end() + _NEAR):
        if looks_random(other[0]) and looks_random(match[0][4:], 12):
            return (Span(*match.span()), Span(*other.span()))
    return None


def _supabase(match: re.Match[str]) -> tuple[Span, ...] | None:
    payload = match[0].split(".")[1]
    try:
        data = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("role") != "service_role":
        return None
    return (Span(*match.span()),) if data.get("iss") == "supabase" and data.get("ref") else None


def _pem(match: re.Match[str]) -> tuple[Span, ...] | None:
    body = re.sub(r"\s|\\[nr]", "", match["secret"])[:2000]
    real = len(body) >= 100 and "\\" not in body and len(set(body)) >= 25
    return (Span(*match.span("secret")),) if real else None


def _password(match: re.Match[str]) -> tuple[Span, ...] | None:
    if is_real_host(match["host"]) and is_real_password(match["secret"]):
        return (Span(*match.span("secret")),)
    return None


_NO_HOST = re.compile(
    r"(?:.*\.)?(?:example|examples|test|invalid|local|localhost|internal|svc|lan|home|domain"
    r"|docker)(?:\.[a-z]{2,6})?"
)
_MADE_UP_HOST = re.compile(
    r"x{3,}|your|host\b|hostname|endpoint|placeholder|project[_-]?ref|changeme|some|region"
    r"|abc(?:123|def)|123456|my-|dummy|fake|sample",
    re.IGNORECASE,
)


def is_real_host(host: str) -> bool:
    """Whether a host is one of the internet, and not one that stands for any other."""
    host = host.rstrip(".").lower()
    if re.fullmatch(r"[0-9.]+", host):
        try:
            return ipaddress.ip_address(host).is_global
        except ValueError:
            return False
    if "." not in host or _NO_HOST.fullmatch(host) or _MADE_UP_HOST.search(host):
        return False
    return re.fullmatch(r"[a-z]{2,24}", host.rpartition(".")[2]) is not None


_PASSWORD_WORDS = re.compile(
    r"pass|pwd|secret|your|chang|example|dummy|fake|placeholder|xxx|\*\*|\.\.\.|user|admin|root"
    r"|postgres|test|demo|sample|insert|replace|token|credential|1234|qwert|abcd",
    re.IGNORECASE,
)


def is_real_password(text: str) -> bool:
    """Whether a password in a URL is one that was drawn, not one that stands for it."""
    letters = any(char.isalpha() for char in text)
    digits = any(char.isdigit() for char in text)
    if len(text) < 8 or not (letters and digits) or _PASSWORD_WORDS.search(text):
        return False
    return len(set(text)) >= 6


_CHECKS: dict[str, _Check] = {
    "random": _random,
    "crc32": _crc32,
    "aws": _aws,
    "supabase": _supabase,
    "pem": _pem,
    "password": _password,
}


def starred(source: SourceFile, spans: Iterable[Span], *, shown: int = _SHOWN) -> SourceFile:
    """The same file with these spans starred out but for their first characters; length, lines
    and columns are kept.
    """
    text = source.text
    pieces: list[str] = []
    position = 0
    for span in sorted(spans):
        kept = shown if _BEGINNING.match(text, span.start, span.end) else 0
        start = max(span.start + kept, position)
        if start >= span.end:
            continue
        pieces += [text[position:start], re.sub(r"[^\s]", "*", text[start : span.end])]
        position = span.end
    return SourceFile(source.path, "".join(pieces) + text[position:], bom=source.bom)


def secrets_of(source: SourceFile, found: Sequence[Hit]) -> list[tuple[Secret, str]]:
    """What was found in a file as secrets, each with the value by which it is known elsewhere."""
    safe = starred(source, [span for hit in found for span in hit.hidden])
    return [
        (Secret(hit.kind.what, Place(safe, hit.span), hit.kind.sure), hit.value) for hit in found
    ]
