"""The ports of EXPOSE, as `convert_expose.go` in `dockerfile2llb` of moby/buildkit reads them."""

from __future__ import annotations

import ipaddress
import re

_NUMBER = re.compile(r"[+-]?[0-9]+")


def exposed_ports(text: str) -> tuple[range, str]:
    """The ports of one expanded word and their protocol: `8000-8002` gives 8000 to 8002 and tcp.

    A host part (`80:8000`) is read and left out. Raises ValueError, with the reason, for a word
    that stops the build.
    """
    parts = text.split(":")
    container = parts[-1]
    host = parts[-2] if len(parts) > 1 else ""
    address = ":".join(parts[:-2])
    ports, _, protocol = container.partition("/")
    if not ports:
        raise ValueError("no port is given")
    protocol = protocol.lower() or "tcp"
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueError(f"{protocol} is no protocol")
    if address:
        _check_address(address)
    first, last = _range(ports)
    if host:
        host_first, host_last = _range(host)
        if last - first != host_last - host_first and first != last:
            raise ValueError("the ranges before and after the colon differ in length")
    return range(first, last + 1), protocol


def port_fault(text: str) -> str | None:
    """Why an expanded word of EXPOSE stops the build; None where it does not."""
    try:
        exposed_ports(text)
    except ValueError as error:
        return str(error)
    return None


def _check_address(address: str) -> None:
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise ValueError(f"{address} is no IP address") from error


def _range(text: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    first = _number(start, text)
    if not dash or start == end:
        return first, first
    last = _number(end, text)
    if last < first:
        raise ValueError(f"the range {text} runs backwards")
    return first, last


def _number(digits: str, text: str) -> int:
    if not _NUMBER.fullmatch(digits):
        raise ValueError(f"`{text}` is neither a number nor a range of numbers")
    if len(digits) > 18 or not 0 <= int(digits) <= 65_535:
        raise ValueError("a port is between 0 and 65535")
    return int(digits)
