"""Which entries of an allowed-origins list can ever match, in the semantics of each library.

A browser sends `Origin: scheme://host[:port]` with no path, the host in lower case and the port
left out where it is the scheme's own (Fetch standard, "serializing a request origin").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_FLASK_REGEX_CHARACTERS = frozenset("\\]?$^[]()")
"""What makes flask-cors take an entry for a regular expression, `*` apart: its
`core.py:probably_regex`."""
_LOCAL_HOSTS = frozenset({"localhost", "0.0.0.0", "::1", "::"})
_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")
"""Characters that browsers (UTS 46) write otherwise than Python's `idna` codec (RFC 3490)."""
_MOST_STARS = 3
"""Entries with more `*` are not tried as a pattern, so that trying stays cheap."""


@dataclass(frozen=True, slots=True)
class OriginFault:
    """Why an entry never matches a browser's Origin. `kind` is one of quotes, list, space, glob,
    scheme, slash, path, host, case, port; `mended` is what was meant, where that is plain.
    """

    kind: str
    why: str
    mended: str | None = None


def origin_fault(entry: str, library: str) -> OriginFault | None:
    """What is wrong with an entry as `library` (`starlette`, `flask-cors`, `django-cors-headers`)
    compares it; None where it can match, or where it is empty, `*` or `null`.
    """
    if entry in ("", "*", "null"):
        return None
    if library == "flask-cors" and _is_flask_pattern(entry):
        return _flask_glob(entry)
    if entry[0] in "\"'[" or entry[-1] in "\"']":
        return OriginFault("quotes", "the quotes and brackets belong to the text that is compared")
    if "," in entry:
        return OriginFault("list", "it is one text, not a list of origins")
    fault = _space(entry, library)
    if fault is not None:
        return fault
    if "*" in entry:
        why = "`*` inside an origin is compared literally"
        return OriginFault("glob", why)
    if "://" not in entry:
        return OriginFault("scheme", "a browser's origin starts with `https://` or `http://`")
    return _address_fault(entry, library)


def is_local(entry: str) -> bool:
    """Whether a browser with this origin runs on the owner's own machine."""
    parts = _split(entry.strip())
    if parts is None or parts.scheme not in _DEFAULT_PORTS or "," in entry:
        return False
    host = (parts.hostname or "").rstrip(".")
    return is_local_host(host)


def is_local_host(host: str) -> bool:
    """Whether a host name means the machine that looks it up."""
    return host in _LOCAL_HOSTS or host.startswith("127.") or host.endswith(".localhost")


def origin_of(url: str) -> str | None:
    """The origin that a browser sends from a page at `url`; None where it is no http address."""
    parts = _split(url.strip())
    if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    return _serialized(parts)


def port_of(url: str) -> int | None:
    """The TCP port that an http address leads to; None where it is no such address."""
    parts = _split(url.strip())
    if parts is None or parts.scheme not in _DEFAULT_PORTS:
        return None
    return _port(parts) or _DEFAULT_PORTS[parts.scheme]


def _is_flask_pattern(entry: str) -> bool:
    return "*" in entry or not _FLASK_REGEX_CHARACTERS.isdisjoint(entry)


def _flask_glob(entry: str) -> OriginFault | None:
    """A shell-like `*` in flask-cors: the entry becomes a regular expression in which `/*` means
    any number of slashes. Anything that looks like a real expression is left alone.
    """
    real = not _FLASK_REGEX_CHARACTERS.isdisjoint(entry) or ".*" in entry
    if real or not 0 < entry.count("*") <= _MOST_STARS:
        return None
    try:
        if re.compile(entry).match(entry.replace("*", "abc")):
            return None
    except re.error:
        return None
    escaped = re.escape(entry).replace(r"\*", "[a-z0-9-]+")
    why = "flask-cors reads it as a regular expression, in which `*` repeats what stands before it"
    return OriginFault("glob", why, f"{escaped}$")


def _space(entry: str, library: str) -> OriginFault | None:
    text = entry.lstrip() if library == "django-cors-headers" else entry
    if not any(character.isspace() for character in text):
        return None
    mended = entry.strip()
    inner = any(character.isspace() for character in mended)
    return OriginFault("space", "white space belongs to the text", None if inner else mended)


def _address_fault(entry: str, library: str) -> OriginFault | None:
    parts = _split(entry)
    if parts is None or not parts.netloc:
        return OriginFault("scheme", "it is no address of the form `https://host`")
    tail = entry.partition("://")[2][len(parts.netloc) :]
    mended = _serialized(parts)
    if tail == "/":
        return OriginFault("slash", "a browser's origin has no slash at the end", mended)
    if tail:
        return OriginFault("path", "a browser's origin has no path", mended)
    written = entry.casefold() if library == "flask-cors" else entry
    if library == "django-cors-headers":
        written = f"{parts.scheme}://{parts.netloc}"
    if written == mended:
        return None
    if not written.isascii():
        return OriginFault("host", "a browser sends the host in ASCII (punycode)", mended)
    if written.lower() == mended.lower():
        return OriginFault("case", "a browser sends the host in lower case", mended)
    if parts.scheme in _DEFAULT_PORTS and _port(parts) == _DEFAULT_PORTS[parts.scheme]:
        why = f"a browser leaves out port {_port(parts)}, the default of {parts.scheme}"
        return OriginFault("port", why, mended)
    return None


def _serialized(parts: SplitResult) -> str:
    port = _port(parts)
    host = _in_ascii(parts.netloc.rpartition("@")[2].lower())
    if port is not None and port == _DEFAULT_PORTS.get(parts.scheme):
        host = host.rpartition(":")[0]
    return f"{parts.scheme}://{host}"


def _in_ascii(host: str) -> str:
    """A host as browsers write it; as it stands where that is not plain."""
    if host.isascii() or not _DEVIATIONS.isdisjoint(host):
        return host
    name, colon, port = host.partition(":")
    try:
        return f"{name.encode('idna').decode('ascii')}{colon}{port}"
    except UnicodeError:
        return host


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return None


def _split(text: str) -> SplitResult | None:
    try:
        return urlsplit(text)
    except ValueError:
        return None
