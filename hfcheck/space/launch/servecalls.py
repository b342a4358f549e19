"""The table of Python calls that listen (servecalls.yaml), and the address that one would use.

The caller has evaluated the arguments; here they are brought together with the environment and
the defaults of that call.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from hfcheck.source import Place
from hfcheck.space.launch.address import READERS, Address, host_fault, port_number
from hfcheck.space.launch.process import Stopped, cant_know
from hfcheck.space.value import Known, Origin, Unknown, Value, via

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_SERVICES = ("http", "https", "http-alt")
"""Port names that some servers look up in /etc/services."""

BOUND = "#bound"
"""The attribute of an object that its address is kept in."""

RUNPY = {"runpy.run_module": ("-m",), "runpy.run_path": ()}
"""Functions that run another Python program in this one, and the option of `python` for it."""

Environment = Mapping[str, Value[str]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A host or port: its argument, the variables behind it, its default (`required`: none)."""

    argument: str | None = None
    env: tuple[str, ...] = ()
    default: str | int | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class ServeCall:
    """One row of the table; see the head of servecalls.yaml for the fields."""

    names: tuple[str, ...]
    server: str
    arguments: tuple[str, ...]
    host: Parameter
    port: Parameter
    own_arguments: bool = False
    made: tuple[str, tuple[str, ...]] | None = None
    made_arguments: tuple[str, ...] | None = None
    configured: tuple[str, str, tuple[str, ...]] | None = None
    address: str | None = None
    listen: str | None = None
    syntax: str = ""
    everywhere: tuple[object, ...] = ()
    loopback: tuple[object, ...] = ()
    elsewhere: tuple[str, ...] = ()
    env_first: bool = False
    conflict: bool = False
    numeric: bool = False
    server_name: str | None = None
    spawns: tuple[str, ...] = ()
    blocks: bool = True
    returns_with: str | None = None
    target: str | None = None
    kind: str = "script"


@dataclass(frozen=True, slots=True)
class ProgramCall:
    """A call that runs another program: where its words are, and whether it waits for it."""

    form: Literal["text", "either", "rest", "second"]
    skip: int = 0
    background: bool = False
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """servecalls.yaml, by full name."""

    calls: Mapping[str, ServeCall]
    programs: Mapping[str, ProgramCall]
    beside: frozenset[str]
    keeps: frozenset[str]
    commands: Mapping[str, str]
    binds: frozenset[str]

    @property
    def last_names(self) -> frozenset[str]:
        """The last parts of all names: no other call can be one of the table."""
        names = [*self.calls, *self.programs, *self.beside, *self.keeps, *self.commands]
        names += [*self.binds, *RUNPY]
        return frozenset(name.rpartition(".")[2] for name in names)


@cache
def table() -> Table:
    """The table, read once."""
    text = Path(__file__).with_name("servecalls.yaml").read_text("utf-8")
    data = yaml.load(text, _Loader)
    calls = {}
    for entry in data["calls"]:
        row = _row(entry)
        calls.update(dict.fromkeys(row.names, row))
    programs = {name: ProgramCall(**entry) for name, entry in data["programs"].items()}
    return Table(
        calls,
        programs,
        frozenset(data["beside"]),
        frozenset(data["keeps"]),
        data["commands"],
        frozenset(data["binds"]),
    )


def _row(entry: Mapping[str, Any]) -> ServeCall:
    made, configured, target = entry.get("made"), entry.get("configured"), entry.get("target", {})
    return ServeCall(
        names=tuple(entry["names"]),
        server=entry["server"],
        arguments=tuple(entry["arguments"]),
        host=_parameter(entry.get("host", {})),
        port=_parameter(entry.get("port", {})),
        own_arguments=entry.get("own_arguments", False),
        made=(made[0], tuple(made[1])) if made else None,
        made_arguments=tuple(entry["made_arguments"]) if "made_arguments" in entry else None,
        configured=(
            (configured["argument"], configured["attribute"], tuple(configured["classes"]))
            if configured
            else None
        ),
        address=entry.get("address"),
        listen=entry.get("listen"),
        syntax=entry.get("syntax", ""),
        everywhere=tuple(entry.get("everywhere", ())),
        loopback=tuple(entry.get("loopback", ())),
        elsewhere=tuple(entry.get("elsewhere", ())),
        env_first=entry.get("env_first", False),
        conflict=entry.get("conflict", False),
        numeric=entry.get("numeric", False),
        server_name=entry.get("server_name"),
        spawns=tuple(entry.get("spawns", ())),
        blocks=entry.get("blocks", True),
        returns_with=entry.get("returns_with"),
        target=target.get("argument"),
        kind=target.get("kind", "script"),
    )


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    return Parameter(
        argument=entry.get("argument"),
        env=tuple(entry.get("env", ())),
        default=entry.get("default"),
        required="default" not in entry,
    )


def opening(server: str) -> str | None:
    """The argument that makes a call listen on all interfaces; None where there is none."""
    for row in table().calls.values():
        if row.server == server and row.host.argument is not None:
            return f'{row.host.argument}="0.0.0.0"'
    return None


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of one call by parameter, and whether there may be more than these
    (`**options` that are not known).
    """

    by_name: Mapping[str, Value[object]]
    open: Unknown | None = None

    def get(self, name: str | None) -> Value[object] | None:
        """The value of a parameter, None where it is not given."""
        if name is None:
            return None
        return self.by_name.get(name, self.open)


def given(
    row_arguments: tuple[str, ...],
    positional: list[Value[object]],
    keywords: Mapping[str, Value[object]],
    more: Unknown | None,
) -> Given:
    """Bring positional and keyword arguments together by the names of a row."""
    by_name = dict(zip(row_arguments, positional, strict=False))
    by_name.update(keywords)
    return Given(by_name, more)


Pair = tuple[Value[str | None], Value[int]]


def address_of(row: ServeCall, args: Given, env: Environment, place: Place) -> Pair | Stopped:
    """The host and port that a call with these arguments would listen on.

    `place` is the name of the function called. `Stopped` where the call raises an exception.
    """
    for name in row.elsewhere:
        found = args.by_name.get(name)
        if found is not None and found != Known(None) and not _is_none(found):
            unknown = cant_know(f"`{name}` makes it listen on something else than a port", place)
            return unknown, unknown
    if row.address is not None:
        first, second = _pair_of(row, args.get(row.address), place)
        return first if isinstance(first, Stopped) else (first, second)
    listen = args.get(row.listen)
    if listen is not None:
        return _read_text(row, listen, place)
    port = _port(row, args, env, place)
    if isinstance(port, Stopped):
        return port
    host = _host(row, args, env, place)
    if isinstance(host, Stopped):
        return host
    if row.numeric and isinstance(host, Known) and host.value and not _is_address(host.value):
        return Stopped(f"{row.server}: `{host.value}` is no IP address", _nearest(host, place))
    return host, port


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def bound_to(row: ServeCall, value: Value[object], place: Place) -> Pair | Stopped:
    """The address of a `bind` text or of a list of them."""
    if isinstance(value, Known) and isinstance(value.value, (list, tuple)):
        items = [
            item if isinstance(item, (Known, Unknown)) else Known(item) for item in value.value
        ]
        if len(items) != 1:
            unknown = Unknown("it is bound to several addresses", value.origins)
            return unknown, unknown
        value = items[0]
    return _read_text(row, value, place)


def _read_text(row: ServeCall, value: Value[object], place: Place) -> Pair | Stopped:
    if isinstance(value, Unknown):
        return value, value
    if not isinstance(value.value, str):
        unknown = Unknown("its address is no text", value.origins)
        return unknown, unknown
    read = READERS[row.syntax](value.value)
    if isinstance(read, str):
        return Stopped(f"{row.server}: {read}", _nearest(value, place))
    host, port = read
    number: Value[int] = Known(port, value.origins) if port is not None else _default(row, place)
    return Known(host, value.origins), number


def _pair_of(
    row: ServeCall, value: Value[object] | None, place: Place
) -> tuple[Value[str | None] | Stopped, Value[int]]:
    if value is None or isinstance(value, Unknown):
        unknown = value or cant_know("its address is not known", place)
        return unknown, unknown
    pair = value.value
    if isinstance(pair, str) and pair.startswith(":"):
        pair = (Known("", value.origins), Known(port_number(pair[1:]), value.origins))
    if isinstance(pair, int):
        return Known(None, value.origins), Known(pair, value.origins)
    if not isinstance(pair, (tuple, list)) or len(pair) < 2:
        unknown = Unknown("its address is not known", value.origins)
        return unknown, unknown
    host, port = (item if isinstance(item, (Known, Unknown)) else Known(item) for item in pair[:2])
    number = _number(row, port, place)
    if isinstance(number, Stopped):
        number = Unknown(number.reason, value.origins)
    return _host_text(row, host, place), number


def _host(
    row: ServeCall, args: Given, env: Environment, place: Place
) -> Value[str | None] | Stopped:
    value = _chosen(row, row.host, args, env)
    if value is None or (not row.loopback and _is_none(value) and None not in row.everywhere):
        if row.host.required:
            return cant_know("its host is not known", place)
        shown = "all interfaces" if row.host.default is None else row.host.default
        note = f"{row.server} listens on {shown} by default"
        host = None if row.host.default is None else str(row.host.default)
        return Known(host, (Origin(place, note),))
    return _host_text(row, value, place)


def _host_text(row: ServeCall, value: Value[object], place: Place) -> Value[str | None] | Stopped:
    if isinstance(value, Unknown):
        return value
    if value.value in row.everywhere:
        return Known(None, value.origins)
    if value.value in row.loopback:
        return Known("127.0.0.1", value.origins)
    text = value.value
    if not isinstance(text, str):
        return Unknown("its host is no text", value.origins)
    fault = host_fault(text)
    if fault is not None:
        return Stopped(f"{row.server}: {fault}", _nearest(value, place))
    return Known(text, value.origins)


def _port(row: ServeCall, args: Given, env: Environment, place: Place) -> Value[int] | Stopped:
    value = _chosen(row, row.port, args, env)
    if value is None or _is_none(value):
        return _default(row, place)
    return _number(row, value, place)


def _number(row: ServeCall, value: Value[object], place: Place) -> Value[int] | Stopped:
    if isinstance(value, Unknown):
        return value
    port = value.value
    if isinstance(port, bool) or not isinstance(port, (int, str)):
        return Unknown("its port is no number", value.origins)
    if port in _SERVICES:
        return Unknown(f"`{port}` is the name of a service", value.origins)
    number = port if isinstance(port, int) else port_number(port)
    if number is None:
        return Stopped(f"{row.server}: `{port}` is no port number", _nearest(value, place))
    if not 0 < number <= 65535:
        return Unknown(f"{number} is no fixed port", value.origins)
    return Known(number, value.origins)


def _default(row: ServeCall, place: Place) -> Value[int]:
    if not isinstance(row.port.default, int):
        return cant_know("its port is not known", place)
    note = f"{row.server} listens on {row.port.default} by default"
    return Known(row.port.default, (Origin(place, note),))


def _chosen(
    row: ServeCall, parameter: Parameter, args: Given, env: Environment
) -> Value[object] | None:
    """The argument or the variable, whichever counts; None for the default."""
    argument = args.get(parameter.argument)
    if argument is not None and _is_none(argument) and not row.loopback:
        argument = None if None not in row.everywhere else argument
    variable: Value[object] | None = None
    for name in parameter.env:
        value = env.get(name)
        if value is not None and not (isinstance(value, Known) and value.value == ""):
            variable = via(value)
            break
    if argument is not None and variable is not None and row.conflict:
        texts = [str(v.value) for v in (argument, variable) if isinstance(v, Known)]
        if len(texts) == 2 and texts[0] == texts[1]:
            return argument
        return Unknown("which of its argument and the variable counts depends on its version")
    if row.env_first and variable is not None:
        return variable
    return argument if argument is not None else variable


def _is_none(value: Value[object]) -> bool:
    return isinstance(value, Known) and value.value is None


def _nearest(value: Value[object] | Value[str | None], otherwise: Place) -> Place:
    return value.origins[0].place if value.origins else otherwise


__all__ = ["Address", "Given", "Pair", "ServeCall", "address_of", "bound_to", "given", "table"]
