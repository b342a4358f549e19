"""Servers that are started by their own command: which address they would listen on.

`find_server` tells whether a command starts one, `listen` works out its host and port from
options, environment, configuration files and defaults, in the precedence of that server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from hfcheck.source import Place
from hfcheck.space.launch.address import (
    READERS,
    Address,
    Elsewhere,
    host_fault,
    not_numeric,
    port_number,
)
from hfcheck.space.launch.options import Options, read_options
from hfcheck.space.launch.process import (
    Listener,
    Stopped,
    behind,
    cant_know,
    env_value,
    folder_of,
    in_folder,
    is_loopback,
    name_of,
    python_path,
    word_text,
)
from hfcheck.space.launch.servertable import Server, Setting, servers
from hfcheck.space.packages import Packages
from hfcheck.space.shell.host import ArgWord, Blocks, Call, CommandResult, Returns, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value, via


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


@dataclass(frozen=True, slots=True)
class Found:
    """A server of the table and the words that follow its name; `options` are read already.

    `folder` is the folder of the script that starts it, which is the first to import from then.
    """

    server: Server
    options: Options
    folder: str | None = None

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


@dataclass(frozen=True, slots=True)
class Own:
    """A command that a project or a library adds to those of a server (`manage.py serve`), and
    the words behind it.
    """

    server: Server
    name: ArgWord
    words: tuple[ArgWord, ...]


def find_server(
    call: Call, arguments: tuple[ArgWord, ...], module: str | None = None
) -> Found | Own | Returns | Unclear | None:
    """The server that a program (or `python -m module`) with these words starts.

    None where the table does not have it; Returns where it is one of its commands that only do
    work (`flask db upgrade`), Own where it is none of its commands; Unclear where the words can't
    be told apart.
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
    if options.strange is not None and rows[0].complete and not options.words:
        return Found(rows[0], options)
    if options.fault is not None and not options.words:
        return Unclear(options.fault.note, (options.fault,))
    if command is not None and rows[0].returning and command not in rows[0].returning:
        word = options.words[0]
        return Own(rows[0], word, arguments[arguments.index(word) + 1 :])
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
    wrong = _wrong_value(found, call)
    if wrong is not None:
        return wrong
    if options.missing is not None:
        return Stopped(f"`{options.missing[0]}` needs a value", options.missing[1], 2)
    if options.strange is not None and server.complete:
        name, place = options.strange
        return Stopped(f"{server.name} has no option `{name}`", place, 2)
    if options.fault is not None:
        return Unclear(options.fault.note, (options.fault,))
    miscounted = _miscounted(found, call)
    if miscounted is not None:
        return miscounted
    for option, word in options.given:
        if option in server.elsewhere:
            return Unclear(
                f"`{option}` makes {server.name} listen on something else than a port",
                (Origin(word.place, option),),
            )
    if any(option in server.unix for option, _ in options.given):
        return Blocks()
    address = _address(found, call, configured)
    if isinstance(address, (Stopped, Unclear)):
        return address
    host, port = address
    if isinstance(host, Known) and host.value is not None:
        fault = host_fault(host.value) or (server.numeric and not_numeric(host.value))
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


def _miscounted(found: Found, call: Call) -> Stopped | None:
    """A server that takes one application, and is given none or further words."""
    server, words = found.server, found.options.words
    if not server.single or any(word.splits for word in words):
        return None
    if len(words) > 1:
        return Stopped(f"{server.name} takes one application only", words[1].place, 2)
    variable = server.target.env if server.target is not None else None
    if words or (variable and env_value(call, variable) is not None):
        return None
    return Stopped(f"{server.name} is given no application", call.place, 2)


def _wrong_value(found: Found, call: Call) -> Stopped | None:
    """The first option whose text the server refuses, or variable that stands for it."""
    server = found.server
    for option, word in found.options.given:
        reason = _refusal(server, option, word_text(word))
        if reason is not None:
            return Stopped(f"{server.name} stops: {reason}", word.place, 2)
    for name, option in _variables(server).items():
        value = call.env.get(name)
        if not isinstance(value, Known) or found.options.last(option) is not None:
            continue
        reason = _refusal(server, option, value.value) if value.value else None
        if reason is not None:
            reason = f"{server.name} stops at {name}: {reason}"
            return Stopped(reason, _nearest(value, call.place), 2)
    return None


def _variables(server: Server) -> dict[str, str]:
    """The variables that stand for options with a number or a choice."""
    found = dict(server.variables)
    if server.prefix is not None:
        for option in (*server.numbers, *server.choices):
            found[server.prefix + option.lstrip("-").replace("-", "_").upper()] = option
    return found


def _refusal(server: Server, option: str, text: str | None) -> str | None:
    """Why a server refuses a text for an option; None where it takes it, or that is not known."""
    if text is None:
        return None
    if option in server.numbers and not _is_number(text):
        return f"`{text}` is no number for `{option}`"
    if option in server.choices and text not in server.choices[option]:
        return f"`{text}` is none of the values of `{option}`"
    return None


def _is_number(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def withdrawn(found: Found, packages: Callable[[], Packages]) -> Stopped | None:
    """The option that the installed version of a server no longer has."""
    for option, word in found.options.given:
        package, version = found.server.removed.get(option, (None, ""))
        if package is None:
            continue
        line = packages().version_line(package)
        if isinstance(line, Unknown) or not older(line.value, version):
            reason = f"{found.server.name} has no option `{option}` since {package} {version}"
            return Stopped(reason, word.place, 2)
    return None


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
    first = found.folder or start
    if first is not None:
        folders.append(first)
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
    """The one of several addresses that is open to the outside; the first where none is."""
    known = [pair for pair in pairs if isinstance(pair[0], Known) and isinstance(pair[1], Known)]
    outside = [pair for pair in pairs if pair not in known or not is_loopback(_text(pair[0]))]
    ports = {port.value for _, port in outside or pairs[:1] if isinstance(port, Known)}
    if len(known) == len(pairs) and len(ports) == 1:
        return (outside or pairs)[0]
    reason = f"{server.name} listens on several ports"
    origins = pairs[0][1].origins
    return Unknown(reason, origins), Unknown(reason, origins)


def _text(host: Value[str | None]) -> str | None:
    return host.value if isinstance(host, Known) else None


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
