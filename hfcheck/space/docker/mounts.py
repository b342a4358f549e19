"""The `--mount` flags of RUN, as `commands_runmount.go` and `convert_runmount.go` read them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from hfcheck.space.value import Known, Value

_TYPES = frozenset({"bind", "cache", "tmpfs", "secret", "ssh"})
_WITH_OWNER = frozenset({"secret", "ssh", "cache"})
_SHARING = frozenset({"shared", "private", "locked"})
_ACCESS = frozenset({"readonly", "ro", "readwrite", "rw"})
_NAMES = {"src": "source", "dst": "target", "destination": "target"}
_PLAIN = frozenset({"source", "target", "id", "env", "from"})
_DECIMAL = (re.compile(r"[0-9]{1,40}"), 10)
_NUMBERS = {"mode": (re.compile(r"[0-7]{1,40}"), 8), "uid": _DECIMAL, "gid": _DECIMAL}
_BOOLEAN = re.compile(r"1|t|T|TRUE|true|True|0|f|F|FALSE|false|False")
_SIZE = re.compile(r"\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+) ?(?:|b|[kmgtp](?:b|ib)?)", re.I)
_FIELD = re.compile(r'"((?:[^"]|"")*)"(?:,|\Z)|([^",]*)(?:,|\Z)')


@dataclass(slots=True)
class _Mount:
    """What the fields of a mount have said so far; a value may be Unknown."""

    type: str | None = "bind"
    given: dict[str, Value[str]] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """The value of a field, "" where it is not given, None where it is not known."""
        value = self.given.get(name, Known(""))
        return value.value if isinstance(value, Known) else None


def fields(text: str) -> list[str] | None:
    """The fields of a comma separated line; None where its quotes are wrong."""
    found: list[str] = []
    position = 0
    while position < len(text) or (position and text[position - 1] == ","):
        match = _FIELD.match(text, position)
        if match is None:
            return None
        quoted, plain = match.groups()
        found.append(plain if quoted is None else quoted.replace('""', '"'))
        position = match.end()
        if not match[0].endswith(","):
            break
    return found if found and position == len(text) else None


def mount_source(text: str) -> str | None:
    """The stage or image of `from=`, the last one; None where there is none."""
    values = [part.partition("=") for part in fields(text) or ()]
    return next((value for key, _, value in reversed(values) if key.lower() == "from"), None)


def mount_fault(text: str, expand: Callable[[str], Value[str]], workdir: str | None) -> str | None:
    """Why a mount stops the build: the value of the flag, what replaces variables in it (its
    ExpansionError passes through), the WORKDIR if that is known. None where nothing is wrong.
    """
    parts = fields(text)
    if parts is None:
        return "it is no comma separated list"
    mount = _Mount()
    for part in parts:
        key, equals, raw = part.partition("=")
        key = _NAMES.get(key.lower(), key.lower())
        fault = _take(mount, key, expand(raw) if equals else None)
        if fault is not None:
            return fault
    return _whole(mount, workdir)


def _take(mount: _Mount, key: str, value: Value[str] | None) -> str | None:
    """Note one field; the fault of it."""
    if value is None:
        if key in _ACCESS:
            return None
        return _required(mount, "true") if key == "required" else f"`{key}` has no value"
    mount.given[key] = value
    text = value.value if isinstance(value, Known) else None
    if key == "type":
        mount.type = None if text is None else text.lower()
        known = mount.type is None or mount.type in _TYPES
        return None if known else f"there is no mount type `{text}`"
    if key == "required":
        return _required(mount, text)
    if key == "size" and mount.type not in (None, "tmpfs"):
        return f"a {mount.type} mount has no size"
    if key not in _PLAIN | _ACCESS | {"sharing", "size", *_NUMBERS}:
        return f"there is no option `{key}`"
    return None if text is None else _value_fault(key, text)


def _required(mount: _Mount, text: str | None) -> str | None:
    if mount.type not in (None, "secret", "ssh"):
        return f"a {mount.type} mount can't be required"
    return None if text is None else _value_fault("readonly", text)


def _value_fault(key: str, text: str) -> str | None:
    if key in _NUMBERS:
        number = int(text, _NUMBERS[key][1]) if _NUMBERS[key][0].fullmatch(text) else 2**32
        valid = number < 2**32
    elif key == "sharing":
        valid = text.lower() in _SHARING
    else:
        pattern = _BOOLEAN if key in _ACCESS else _SIZE
        valid = key in _PLAIN or pattern.fullmatch(text) is not None
    return None if valid else f"`{text[:40]}` is no value of {key}"


def _whole(mount: _Mount, workdir: str | None) -> str | None:
    """What is wrong with the fields together."""
    kind, given = mount.type, mount.given
    if kind is None:
        return None
    if kind not in _WITH_OWNER:
        for name in _NUMBERS:
            if name in given:
                return f"a {kind} mount has no {name}"
    if mount.text("sharing") and kind != "cache":
        return f"a {kind} mount is not shared"
    if kind == "secret":
        return _secret(mount)
    if kind == "ssh":
        return "an ssh mount has no source" if mount.text("source") else None
    target = mount.text("target")
    if target is None or (workdir is None and not target.startswith("/")):
        return None
    full = posixpath.normpath(posixpath.join(workdir or "/", target))
    return "its target is the root of the image" if full in ("/", "//") else None


def _secret(mount: _Mount) -> str | None:
    source, target, name = map(mount.text, ("source", "target", "id"))
    if mount.text("from"):
        return "a secret mount has no from"
    if source == "" and target == "" and name == "":
        return "a secret mount needs an id, a source or a target"
    return "a secret mount has a source or an id, not both" if source and name else None
