"""The table of server programs (launchers.yaml), read into rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hfcheck.space.launch.options import Spec

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
    returning: frozenset[str] = frozenset()
    bare_command: bool = False
    bind: tuple[str, ...] = ()
    bind_position: int | None = None
    syntax: str = ""
    everywhere: tuple[str, ...] = ()
    unix: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    stops: frozenset[str] = frozenset()
    daemon: frozenset[str] = frozenset()
    numeric: bool = False
    refused: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    single: bool = False
    removed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    prefix: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
    target: TargetSpec | None = None
    env_files: frozenset[str] = frozenset()
    dotenv: tuple[str, ...] = ()


@cache
def servers() -> tuple[Server, ...]:
    """The table, read once."""
    text = Path(__file__).with_name("launchers.yaml").read_text("utf-8")
    return tuple(_server(entry) for entry in yaml.load(text, _Loader)["servers"])


def _server(entry: Mapping[str, Any]) -> Server:
    bind = entry.get("bind", {})
    host, port, target = entry["host"], entry["port"], entry.get("target")
    valued = [*entry.get("values", ()), *bind.get("options", ()), *entry.get("elsewhere", ())]
    valued.extend(entry.get("unix", ()))
    valued.extend(entry.get("env_files", ()))
    valued.extend((*entry.get("numbers", ()), *entry.get("choices", ()), *entry.get("files", ())))
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
                    *(name for name in entry.get("removed", ()) if name not in valued),
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
        returning=frozenset(entry.get("returning", ())),
        bare_command=entry.get("bare_command", False),
        bind=tuple(bind.get("options", ())),
        bind_position=bind.get("position"),
        syntax=bind.get("syntax", ""),
        everywhere=tuple(entry.get("everywhere", ())),
        unix=tuple(entry.get("unix", ())),
        elsewhere=tuple(entry.get("elsewhere", ())),
        stops=frozenset(entry.get("stops", ())),
        daemon=frozenset(entry.get("daemon", ())),
        refused=refused,
        numeric=entry["host"].get("numeric", False),
        complete=entry.get("complete", False),
        single=entry.get("single", False),
        removed={name: tuple(since) for name, since in entry.get("removed", {}).items()},
        numbers=frozenset(entry.get("numbers", ())),
        choices={name: tuple(texts) for name, texts in entry.get("choices", {}).items()},
        files=frozenset(entry.get("files", ())),
        prefix=entry.get("prefix"),
        variables=entry.get("variables", {}),
        config=entry.get("config", ""),
        env_files=frozenset(entry.get("env_files", ())),
        dotenv=tuple(entry.get("dotenv", ())),
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
