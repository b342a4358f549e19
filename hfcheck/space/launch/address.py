"""Reads the address texts of servers: `0.0.0.0:7860`, `:7860`, `tcp:7860:interface=0.0.0.0`.

Each reader takes one text and gives `(host, port)`, where host None is all interfaces and port
None is the server's default, or a str that says why the server stops at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address

Address = tuple[str | None, int | None]

_PORT = re.compile(r"\d{1,5}", re.ASCII)
_LOCAL_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})


class Elsewhere(str):
    """The text names something that is no TCP port (a Unix socket, a file descriptor)."""

    __slots__ = ()


def port_number(text: str) -> int | None:
    """A port as `int()` reads it, None where it is none (or out of range)."""
    stripped = text.strip()
    if not _PORT.fullmatch(stripped.lstrip("+") or "x"):
        return None
    number = int(stripped)
    return number if number <= 65535 else None


def gunicorn(text: str) -> Address | str:
    """`HOST:PORT`, `HOST`, `:PORT`, `[::]:PORT`, `tcp://...`, `unix:...` (gunicorn 27,
    `gunicorn.util.parse_address`).
    """
    if re.match(r"unix:(//)?", text) or text.startswith("fd://"):
        return Elsewhere("a socket")
    text = text.removeprefix("tcp://")
    if "[" in text and "]" in text:
        host, rest = text.split("]")[0][1:], text.split("]:")[1:]
    else:
        host, *rest = text.split(":")
    port = port_number(rest[0]) if rest else None
    if rest and port is None:
        return f"`{rest[0]}` is no port number"
    return _resolved(host or "0.0.0.0", port)


def hypercorn(text: str) -> Address | str:
    """`HOST:PORT`, `HOST`, `:PORT` (hypercorn 0.18, `Config._create_sockets`)."""
    if text.startswith(("unix:", "fd://")):
        return Elsewhere("a socket")
    plain = text.replace("[", "").replace("]", "")
    host, colon, port = plain.rpartition(":")
    number = port_number(port) if colon else None
    if number is None:
        host = plain
    return _resolved(host or "0.0.0.0", number)


def waitress(text: str) -> Address | str:
    """`HOST:PORT`, `*:PORT`, `HOST` (waitress 3.0, `Adjustments.__init__`)."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return (None if text == "*" else text.strip("[]"), None)
    number = port_number(port)
    if number is None:
        return f"`{port}` is no port number"
    if not host:
        return f"`{text}` has no host"
    return (None if host == "*" else host.strip("[]"), number)


def twisted(text: str) -> Address | str:
    """`tcp:PORT:interface=HOST` (twisted endpoint strings, as daphne takes them)."""
    kind, *fields = text.replace("\\:", "\0").split(":")
    if kind not in ("tcp", "tcp6", "ssl"):
        return Elsewhere("a socket")
    host, port = "", None
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals:
            port = port_number(field)
        elif name == "port":
            port = port_number(value)
        elif name == "interface":
            host = value.replace("\0", ":")
    if port is None:
        return f"`{text}` has no port number"
    return (host or None, port)


def django(text: str) -> Address | str:
    """`[HOST:]PORT` (Django 5.2, `runserver.naiveip_re`)."""
    host, colon, port = text.rpartition(":")
    number = port_number(port)
    if number is None:
        return f"`{text}` is no port number or address:port pair"
    if not colon:
        return ("127.0.0.1", number)
    if host == "0":
        return ("0.0.0.0", number)
    return (host.strip("[]"), number)


def bottle(text: str) -> Address | str:
    """`HOST:PORT` or `HOST` (bottle 0.13, `_main`)."""
    host, port = text.rsplit(":", 1) if ":" in text and not text.endswith("]") else (text, "")
    if not port:
        return (host or "127.0.0.1", None)
    number = port_number(port)
    return (host.strip("[]"), number) if number is not None else f"`{port}` is no port number"


def serve(text: str) -> Address | str:
    """`PORT`, `tcp://HOST:PORT` (the npm package serve)."""
    if (number := port_number(text)) is not None:
        return (None, number)
    if text.startswith(("unix:", "pipe:")):
        return Elsewhere("a socket")
    host, _, port = text.removeprefix("tcp://").rpartition(":")
    number = port_number(port)
    return (host or None, number) if number is not None else f"`{text}` is no address"


READERS: dict[str, Callable[[str], Address | str]] = {
    "gunicorn": gunicorn,
    "hypercorn": hypercorn,
    "waitress": waitress,
    "twisted": twisted,
    "django": django,
    "bottle": bottle,
    "serve": serve,
}
"""The readers by the name that launchers.yaml uses."""


def host_fault(host: str) -> str | None:
    """Why a server can't listen on such a host, None where it can.

    The container gets its own address and name when it starts: a text in its files can only mean
    the loopback or all interfaces.
    """
    if any(character in host for character in "/$ {}"):
        return f"`{host}` is no host name"
    if re.fullmatch(r"[\d.]+:\d+", host):
        return f"`{host}` is a host with a port, not a host"
    if host in ("", "*", "0") or host.lower() in _LOCAL_NAMES:
        return None
    try:
        literal = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return f"`{host}` is no name of the container"
    if literal.is_loopback or literal.is_unspecified:
        return None
    return f"`{host}` is no address of the container"


def not_numeric(host: str) -> str | None:
    """Why a server stops that takes addresses in numbers only, None where it does not."""
    try:
        ip_address(host)
    except ValueError:
        return f"`{host}` is no address in numbers"
    return None


def _resolved(host: str, port: int | None) -> Address | str:
    if host == "*" or host.isdigit():
        return f"`{host}` is no host"
    fault = host_fault(host)
    return fault or (host, port)
