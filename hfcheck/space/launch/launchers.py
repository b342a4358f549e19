"""The table of servers (launchers.yaml): which address a server program would listen on.

`find_server` tells whether a command starts one, `listen` works out its host and port from
options, environment, configuration files and defaults, in the precedence of that server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from hfcheck.source import Place
from hfcheck.space.launch.address import READERS, Address, Elsewhere, host_fault, port_number
from hfcheck.space.launch.options import Options, Spec, read_options
from hfcheck.space.launch.process import (
    Listener,
    Stopped,
    behind,
    cant_know,
    env_value,
    folder_of,
    in_folder,
    name_of,
    python_path,
    word_text,
)
from hfcheck.space.shell.host import ArgWord, Call, CommandResult, Returns, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value, via

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a host or port comes from: options, environment variables, a position among the
    words, a default. `blank_stops`: an empty variable stops the server; `opens`: the variable
    also makes it listen on all interfaces; `bare`: what the option without a value means;
    `since`: the package and its version from which on the variables count.
    """

    options: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    default: str | int | None = None
    position: int | None = None
    blank_stops: bool = False
    opens: bool = False
    bare: str | None = None
    since: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """Where the name of the application comes from, and how it is read."""

    kind: str = "script"
    position: int | None = None
    options: tuple[str, ...] = ()
    env: str | None = None
    folders: tuple[str, ...] = ()
    factory: tuple[str, ...] = ()
    read: str = "import"
    always_factory: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """One server program of the table; see the head of launchers.yaml for the fields."""

    name: str
    programs: frozenset[str]
    modules: frozenset[str]
    spec: Spec
    host: Setting
    port: Setting
    commands: tuple[str, ...] = ()
    bare_command: bool = False
    bind: tuple[str, ...] = ()
    bind_position: int | None = None
    syntax: str = ""
    everywhere: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    stops: frozenset[str] = frozenset()
    daemon: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
    target: TargetSpec | None = None
    env_files: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Configured:
    """What a configuration file (or GUNICORN_CMD_ARGS) says: an address text, a host, a port, the
    application, variables that it sets for it. Unset ones are None.
    """

    binds: tuple[Value[str], ...] = ()
    host: Value[str] | None = None
    port: Value[str] | None = None
    target: ArgWord | None = None
    folders: tuple[str, ...] = ()
    env: Mapping[str, Value[str]] = field(default_factory=dict)


@cache
def servers() -> tuple[Server, ...]:
    """The table, read once."""
    text = Path(__file__).with_name("launchers.yaml").read_text("utf-8")
    return tuple(_server(entry) for entry in yaml.load(text, _Loader)["servers"])


def _server(entry: Mapping[str, Any]) -> Server:
    bind = entry.get("bind", {})
    host, port, target = entry["host"], entry["port"], entry.get("target")
    valued = [*entry.get("values", ()), *bind.get("options", ()), *entry.get("elsewhere", ())]
    valued.extend(entry.get("env_files", ()))
    for part in (host, port):
        valued.extend(part.get("options", ()))
    if target:
        for key in ("option", "folders"):
            valued.extend(target.get(key, ()))
    refused = entry.get("refused", {})
    return Server(
        name=entry["name"],
        programs=frozenset(entry.get("programs", ())),
        modules=frozenset(entry.get("modules", ())),
        spec=Spec(
            style=entry["style"],
            values=frozenset(valued),
            switches=frozenset(
                [
                    *entry.get("switches", ()),
                    *entry.get("stops", ()),
                    *entry.get("daemon", ()),
                    *((target or {}).get("factory", ())),
                ]
            ),
            bare=frozenset(host.get("options", ())) if host.get("bare") else frozenset(),
            dotted=entry.get("dotted", False),
            refused=frozenset(refused),
        ),
        host=_setting(host),
        port=_setting(port),
        commands=tuple(entry.get("commands", ())),
        bare_command=entry.get("bare_command", False),
        bind=tuple(bind.get("options", ())),
        bind_position=bind.get("position"),
        syntax=bind.get("syntax", ""),
        everywhere=tuple(entry.get("everywhere", ())),
        elsewhere=tuple(entry.get("elsewhere", ())),
        stops=frozenset(entry.get("stops", ())),
        daemon=frozenset(entry.get("daemon", ())),
        refused=refused,
        config=entry.get("config", ""),
        env_files=frozenset(entry.get("env_files", ())),
        target=_target(target) if target else None,
    )


def _setting(entry: Mapping[str, Any]) -> Setting:
    return Setting(
        options=tuple(entry.get("options", ())),
        env=tuple(entry.get("env", ())),
        default=entry["default"],
        position=entry.get("position"),
        blank_stops=entry.get("blank") == "error",
        opens=entry.get("opens", False),
        bare=entry.get("bare"),
        since=tuple(entry["since"]) if "since" in entry else None,
    )


def _target(entry: Mapping[str, Any]) -> TargetSpec:
    return TargetSpec(
        kind=entry["kind"],
        position=entry.get("position"),
        options=tuple(entry.get("option", ())),
        env=entry.get("env"),
        folders=tuple(entry.get("folders", ())),
        factory=tuple(entry.get("factory", ())),
        read=entry.get("read", "import"),
        always_factory=entry.get("always_factory", False),
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A server of the table and the words that follow its name; `options` are read already."""

    server: Server
    options: Options

    @property
    def telling(self) -> Iterator[ArgWord]:
        """The words that give the address and the name of the application."""
        server, target = self.server, self.server.target
        names = {*server.host.options, *server.port.options, *server.bind}
        names.update(target.options if target is not None else ())
        yield from (word for option, word in self.options.given if option in names)
        wanted = {server.host.position, server.port.position, server.bind_position}
        wanted.add(target.position if target is not None else None)
        yield from (word for at, word in enumerate(self.options.words) if at in wanted)


def older(line: str, version: str) -> bool:
    """Whether a version, or the newest that some limits (`<0.0.9`) allow, is before `version`."""
    if line == "newest":
        return False
    try:
        return Version(line) < Version(version)
    except InvalidVersion:
        pass
    try:
        limits = SpecifierSet(line)
    except InvalidSpecifier:
        return False
    return any(
        (item.operator == "<" and Version(item.version) <= Version(version))
        or (item.operator == "<=" and Version(item.version) < Version(version))
        for item in limits
    )


def find_server(
    call: Call, arguments: tuple[ArgWord, ...], module: str | None = None
) -> Found | Returns | Unclear | None:
    """The server that a program (or `python -m module`) with these words starts.

    None where the table does not have it; Returns where it is one of its commands that only do
    work (`flask db upgrade`); Unclear where the words can't be told apart.
    """
    name = name_of(call)
    rows = [
        server
        for server in servers()
        if (module in server.modules if module is not None else name in server.programs)
    ]
    if not rows:
        return None
    options = read_options(arguments, rows[0].spec)
    if not rows[0].commands:
        return Found(rows[0], options)
    command = word_text(options.words[0]) if options.words else None
    for server in rows:
        if command in server.commands:
            again = read_options(arguments, server.spec)
            return Found(server, replace(again, words=again.words[1:]))
        if server.bare_command and (not options.words or (command or "").startswith((".", "/"))):
            return Found(server, options)
    if options.fault is not None and not options.words:
        return Unclear(options.fault.note, (options.fault,))
    if not options.words or command is not None:
        return Returns(None)
    return Unclear("which command it runs is not known", options.words[0].value.origins)


def listen(found: Found, call: Call, configured: Configured) -> CommandResult | Stopped | Listener:
    """Where a server would listen.

    Gives a `Listener` without a target, `Stopped` where it exits with an error, or what else
    becomes of it. `configured` is what its configuration files say.
    """
    server, options = found.server, found.options
    for option, word in options.given:
        if option in server.refused:
            hint = server.refused[option]
            return Stopped(
                f"{server.name} has no option `{option}` (it has `{hint}`)", word.place, 2
            )
        if option in server.stops:
            return Returns(0)
    if options.missing is not None:
        return Stopped(f"`{options.missing[0]}` needs a value", options.missing[1], 2)
    if options.fault is not None:
        return Unclear(options.fault.note, (options.fault,))
    for option, word in options.given:
        if option in server.elsewhere:
            return Unclear(
                f"`{option}` makes {server.name} listen on something else than a port",
                (Origin(word.place, option),),
            )
    address = _address(found, call, configured)
    if isinstance(address, (Stopped, Unclear)):
        return address
    host, port = address
    if isinstance(host, Known) and host.value is not None:
        fault = host_fault(host.value)
        if fault:
            return Stopped(fault, _nearest(host, call.place), 1)
    listener = Listener(
        server=server.name,
        host=host,
        port=port,
        target=None,
        place=call.place,
        steps=call.steps,
        foreground=not call.background,
        env=call.env,
        open_env=call.open_env,
    )
    if any(option in server.daemon for option, _ in options.given):
        return behind(listener)
    return listener


def search_folders(found: Found, call: Call) -> tuple[str, ...]:
    """The import folders of a server: its own options, the folder it starts in, PYTHONPATH."""
    folders: list[str] = []
    spec = found.server.target
    start = folder_of(call)
    for option, word in found.options.given:
        if spec and option in spec.folders:
            for part in (word_text(word) or "").split(","):
                folder = in_folder(start, part)
                if part and folder:
                    folders.append(folder)
    if start is not None:
        folders.append(start)
    return tuple(dict.fromkeys([*folders, *python_path(call)]))


def opening(server: str, port: int) -> str | None:
    """What to write on the command line so that a server listens on all interfaces; None for a
    server that is not in the table, or has no such option.
    """
    for row in servers():
        if row.name == server:
            if row.host.options:
                option = max(row.host.options, key=len)
                return f"{option} 0.0.0.0"
            if row.bind:
                return f"{max(row.bind[:2], key=len)} 0.0.0.0:{port}"
            if row.bind_position is not None:
                return f"0.0.0.0:{port}"
    return None


_Pair = tuple[Value[str | None], Value[int]]


def _address(found: Found, call: Call, configured: Configured) -> _Pair | Stopped | Unclear:
    server = found.server
    binds = [word.value for option, word in found.options.given if option in server.bind]
    if server.bind_position is not None and len(found.options.words) > server.bind_position:
        binds = [found.options.words[server.bind_position].value]
    binds = binds or list(configured.binds)
    if binds:
        return _bound(server, binds, call)
    port = _port(found, call, configured)
    if isinstance(port, Stopped):
        return port
    opened = server.port.opens and any(env_value(call, name) for name in server.port.env)
    if opened:
        return Known("0.0.0.0", port.origins), port
    return _host(found, call, configured), port


def _bound(server: Server, binds: list[Value[str]], call: Call) -> _Pair | Stopped | Unclear:
    """The address of bind texts; with several the one that is open to the outside, when it is the
    only one.
    """
    pairs: list[_Pair] = []
    for bind in binds:
        if isinstance(bind, Unknown):
            return bind, bind
        read = READERS[server.syntax](bind.value)
        if isinstance(read, Elsewhere):
            continue
        if isinstance(read, str):
            return Stopped(f"{server.name}: {read}", _nearest(bind, call.place), 1)
        pairs.append(_pair(server, read, bind, call))
    if not pairs:
        return Unclear(f"{server.name} listens on a socket that is no port", binds[0].origins)
    if len(pairs) > 1:
        return _one_of(server, pairs)
    return pairs[0]


def _pair(server: Server, read: Address, bind: Known[str], call: Call) -> _Pair:
    host, port = read
    number: Value[int] = (
        Known(port, bind.origins) if port is not None else _default_port(server, call)
    )
    return Known(host, bind.origins), number


def _one_of(server: Server, pairs: list[_Pair]) -> _Pair:
    ports = {port.value for _, port in pairs if isinstance(port, Known)}
    if len(ports) == 1:
        return min(pairs, key=lambda pair: _openness(pair[0]))
    reason = f"{server.name} listens on several ports"
    origins = pairs[0][1].origins
    return Unknown(reason, origins), Unknown(reason, origins)


def _openness(host: Value[str | None]) -> int:
    return 0 if isinstance(host, Known) and host.value in (None, "0.0.0.0", "::") else 1


def _host(found: Found, call: Call, configured: Configured) -> Value[str | None]:
    setting = found.server.host
    value = _given(found, setting)
    if value is None:
        value = _from_env(setting, call) or configured.host
    if value is None:
        note = f"{found.server.name} listens on {_name(setting.default)} by default"
        return Known(
            None if setting.default is None else str(setting.default),
            (Origin(call.argv[0].place, note),),
        )
    if isinstance(value, Known):
        text = value.value
        if text == "" and setting.bare and not found.options.bare_given(setting.options):
            text = setting.bare
        if text == "" or text in found.server.everywhere:
            return Known(None, value.origins)
        return Known(text, value.origins)
    return value


def _name(host: str | int | None) -> str:
    return "all interfaces" if host is None else str(host)


def _port(found: Found, call: Call, configured: Configured) -> Value[int] | Stopped:
    setting = found.server.port
    value = _given(found, setting)
    if value is None:
        value = _from_env(setting, call) or configured.port
    if value is None:
        return _default_port(found.server, call)
    return to_port(value, found.server.name, call.place)


def to_port(value: Value[str], server: str, place: Place) -> Value[int] | Stopped:
    """The port that a text means to a server; `Stopped` where it is no number."""
    if isinstance(value, Unknown):
        return value
    number = port_number(value.value)
    if number is None:
        if value.value.strip().lstrip("-+").isdigit():
            return Unknown(f"{value.value} is no port", value.origins)
        shown = value.value or "an empty text"
        return Stopped(f"{server} stops: `{shown}` is no port number", _nearest(value, place), 2)
    if number == 0:
        return Unknown("port 0 is any free port", value.origins)
    return Known(number, value.origins)


def _given(found: Found, setting: Setting) -> Value[str] | None:
    """The value that the words of the command give: the last of its options, or its position."""
    values = [word.value for option, word in found.options.given if option in setting.options]
    if values:
        return values[-1]
    if setting.position is not None and len(found.options.words) > setting.position:
        return found.options.words[setting.position].value
    return None


def _from_env(setting: Setting, call: Call) -> Value[str] | None:
    for name in setting.env:
        value = env_value(call, name)
        if value is None or (value == Known("") and not setting.blank_stops):
            continue
        if isinstance(value, Known) and not value.value and not setting.blank_stops:
            continue
        return via(value)
    return None


def _default_port(server: Server, call: Call) -> Value[int]:
    default = server.port.default
    if not isinstance(default, int):
        return cant_know(f"{server.name} has no default port", call.argv[0].place)
    note = f"{server.name} listens on {default} by default"
    return Known(default, (Origin(call.argv[0].place, note),))


def _nearest(value: Value[str] | Value[str | None], otherwise: Place) -> Place:
    return value.origins[0].place if value.origins else otherwise
