"""Where the host and the port of a program come from."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeAlias

from tests.differential.launch.families.programs.parts import Bound

Binding: TypeAlias = Callable[[random.Random, str, int], Bound]

OTHER = (9000, 5001, 8888)
"""Ports that stand where another one counts, or should."""

_HOST_NAMES = ("HOST", "APP_HOST", "SERVER_HOST", "BIND_HOST")
_PORT_NAMES = ("PORT", "PORT", "APP_PORT", "SERVER_PORT")


def _perhaps(rng: random.Random, names: dict[str, str]) -> dict[str, str]:
    """Some of the variables, set."""
    return {name: value for name, value in names.items() if rng.random() < 0.5}


def _names(rng: random.Random) -> tuple[str, str]:
    return rng.choice(_HOST_NAMES), rng.choice(_PORT_NAMES)


def literals(rng: random.Random, host: str, port: int) -> Bound:
    return Bound(repr(host), str(port))


def constants(rng: random.Random, host: str, port: int) -> Bound:
    kind = rng.choice(("plain", "annotated", "computed", "tuple", "formatted"))
    if kind == "annotated":
        return Bound("HOST", "PORT", lines=(f"HOST: str = {host!r}", f"PORT: int = {port}"))
    if kind == "computed":
        lines = (f"BASE_PORT = {port - 60}", "PORT = BASE_PORT + 60", f"HOST = {host!r}.strip()")
        return Bound("HOST", "PORT", lines=lines)
    if kind == "tuple":
        return Bound("HOST", "PORT", lines=(f"HOST, PORT = {host!r}, {port}",))
    if kind == "formatted":
        lines = (f'ADDRESS = "{host}|{port}"', 'HOST, PORT = ADDRESS.split("|")')
        return Bound("HOST", "int(PORT)", lines=lines)
    return Bound("HOST", "PORT", lines=(f"HOST = {host!r}", f"PORT = {port}"))


def getenv(rng: random.Random, host: str, port: int) -> Bound:
    host_name, port_name = _names(rng)
    default = rng.choice(OTHER)
    env = _perhaps(rng, {host_name: rng.choice(("0.0.0.0", host)), port_name: str(port)})
    read = rng.choice(("os.getenv", "os.environ.get"))
    text = rng.choice((str(default), f'"{default}"', str(port), f'"{port}"'))
    ports = [
        f'int({read}("{port_name}", {text}))',
        f'int({read}("{port_name}") or {text})',
        f'int({read}("{port_name}", default={text}))',
        f'int(os.environ["{port_name}"]) if "{port_name}" in os.environ else {port}',
        f'int(os.environ["{port_name}"] if os.getenv("{port_name}") else {text})',
    ]
    hosts = [f'{read}("{host_name}", {host!r})', f'{read}("{host_name}") or {host!r}', repr(host)]
    found = Bound(rng.choice(hosts), rng.choice(ports), imports=("import os",), env=env)
    if rng.random() < 0.5:
        return found
    lines = (f"host = {found.host}", f"port = {found.port}")
    return Bound("host", "port", imports=found.imports, lines=lines, env=env)


def required(rng: random.Random, host: str, port: int) -> Bound:
    host_name, port_name = _names(rng)
    imports, head = rng.choice(
        (
            (("import os",), "os.environ"),
            (("from os import environ",), "environ"),
            (("from os import environ as env",), "env"),
        )
    )
    env = {host_name: host, port_name: str(port)}
    if rng.random() < 0.1:
        del env[port_name]
    return Bound(f'{head}["{host_name}"]', f'int({head}["{port_name}"])', imports, env=env)


def branches(rng: random.Random, host: str, port: int) -> Bound:
    """`if` over a variable that is set, or not."""
    name = rng.choice(("ENV", "APP_ENV", "DEBUG", "PRODUCTION"))
    value = rng.choice(("production", "true", "1", "dev"))
    env = _perhaps(rng, {name: value})
    test = rng.choice(
        (
            f'os.getenv("{name}") == "{value}"',
            f'os.getenv("{name}", "").lower() in ("1", "true", "{value}")',
            f'os.environ.get("{name}")',
            f'"{name}" in os.environ',
            f'not os.getenv("{name}")',
            f'bool(int(os.getenv("{name}", "0")))' if value == "1" else f'os.getenv("{name}")',
        )
    )
    other = rng.choice(OTHER)
    lines: tuple[str, ...] = (
        f"if {test}:", f"    HOST, PORT = {host!r}, {port}",
        "else:", f'    HOST, PORT = "127.0.0.1", {other}',
    )  # fmt: skip
    if rng.random() < 0.3:
        lines = (f"PORT = {port} if {test} else {other}", f"HOST = {host!r}")
    elif rng.random() < 0.3:
        lines = (f"HOST, PORT = {host!r}, {other}", f"if {test}:", f"    PORT = {port}")
    return Bound("HOST", "PORT", imports=("import os",), lines=lines, env=env)


def helpers(rng: random.Random, host: str, port: int) -> Bound:
    """Functions of the module that give the address."""
    name = rng.choice(_PORT_NAMES)
    env = _perhaps(rng, {name: str(port)})
    texts: tuple[tuple[str, ...], ...] = (
        ("def get_port():", f'    return int(os.environ.get("{name}", {rng.choice(OTHER)}))'),
        (
            "def get_port(default=8123):",
            f'    value = os.getenv("{name}")',
            "    if value is None:",
            "        return default",
            "    return int(value)",
        ),
        (
            "def get_port():",
            "    try:",
            f'        return int(os.environ["{name}"])',
            "    except (KeyError, ValueError):",
            f"        return {rng.choice(OTHER)}",
        ),
        (
            "def env_int(key, default):",
            '    raw = os.getenv(key, "").strip()',
            "    return int(raw) if raw.isdigit() else default",
            "",
            "def get_port():",
            f'    return env_int("{name}", {rng.choice(OTHER)})',
        ),
    )
    return Bound(repr(host), "get_port()", imports=("import os",), lines=rng.choice(texts), env=env)


def dictionaries(rng: random.Random, host: str, port: int) -> Bound:
    kind = rng.choice(("items", "get", "nested", "dict", "updated"))
    if kind == "get":
        lines: tuple[str, ...] = (f'CONFIG = {{"host": {host!r}}}',)
        return Bound('CONFIG["host"]', f'CONFIG.get("port", {port})', lines=lines)
    if kind == "nested":
        lines = (f'CONFIG = {{"server": {{"host": {host!r}, "port": {port}}}}}',)
        return Bound('CONFIG["server"]["host"]', 'CONFIG["server"]["port"]', lines=lines)
    if kind == "dict":
        lines = (f"CONFIG = dict(host={host!r}, port={port})",)
    elif kind == "updated":
        lines = (
            f'CONFIG = {{"host": {host!r}, "port": {rng.choice(OTHER)}}}',
            f'CONFIG.update({{"port": {port}}})',
        )
    else:
        lines = (
            f'CONFIG = {{"host": {host!r}, "port": {rng.choice(OTHER)}}}',
            f'CONFIG["port"] = {port}',
        )
    return Bound('CONFIG["host"]', 'CONFIG["port"]', lines=lines)


def classes(rng: random.Random, host: str, port: int) -> Bound:
    """Plain settings classes, dataclasses, enums, namespaces."""
    name = rng.choice(_PORT_NAMES)
    env = _perhaps(rng, {name: str(port)})
    read = f'int(os.getenv("{name}", "{rng.choice(OTHER)}"))'
    kind = rng.choice(("class", "instance", "init", "dataclass", "factory", "property", "space",
                       "named", "inherited", "enum"))  # fmt: skip
    imports: tuple[str, ...] = ("import os",)
    host_of, port_of = "Config.HOST", "Config.PORT"
    if kind == "class":
        lines = ["class Config:", f"    HOST = {host!r}", f"    PORT = {read}"]
    elif kind == "instance":
        lines = ["class Config:", f"    HOST: str = {host!r}", f"    PORT: int = {read}", "",
                 "config = Config()"]  # fmt: skip
        host_of, port_of = "config.HOST", "config.PORT"
    elif kind == "init":
        lines = ["class Config:", "    def __init__(self, port=None):",
                 f"        self.host = {host!r}", f"        self.port = port or {read}", "",
                 rng.choice(("config = Config()", f"config = Config({port})",
                             f"config = Config(port={port})"))]  # fmt: skip
        host_of, port_of = "config.host", "config.port"
    elif kind == "dataclass":
        imports = ("import os", "from dataclasses import dataclass")
        lines = [rng.choice(("@dataclass", "@dataclass(frozen=True)")), "class Config:",
                 f"    host: str = {host!r}", f"    port: int = {read}", "",
                 rng.choice(("config = Config()", f"config = Config(port={port})"))]  # fmt: skip
        host_of, port_of = "config.host", "config.port"
    elif kind == "factory":
        imports = ("import os", "from dataclasses import dataclass, field")
        lines = ["@dataclass", "class Config:", f"    host: str = {host!r}",
                 f"    port: int = field(default_factory=lambda: {read})", "",
                 "config = Config()"]  # fmt: skip
        host_of, port_of = "config.host", "config.port"
    elif kind == "property":
        lines = ["class Config:", "    @property", "    def port(self):",
                 f"        return {read}", "", "config = Config()"]  # fmt: skip
        host_of, port_of = repr(host), "config.port"
    elif kind == "space":
        imports = ("import os", "from types import SimpleNamespace")
        lines = [f"config = SimpleNamespace(host={host!r}, port={read})"]
        host_of, port_of = "config.host", "config.port"
    elif kind == "named":
        imports = ("import os", "from typing import NamedTuple")
        lines = ["class Config(NamedTuple):", f"    host: str = {host!r}",
                 f"    port: int = {port}", "", "config = Config()"]  # fmt: skip
        host_of, port_of = "config.host", "config.port"
    elif kind == "inherited":
        lines = ["class Base:", f"    HOST = {host!r}", f"    PORT = {rng.choice(OTHER)}", "",
                 "class Production(Base):", f"    PORT = {read}", "",
                 'CONFIGS = {"production": Production, "default": Base}',
                 'Config = CONFIGS[os.getenv("APP_ENV", "production")]']  # fmt: skip
    else:
        imports = ("import os", "from enum import Enum")
        lines = ["class Config(Enum):", f"    HOST = {host!r}", f"    PORT = {port}"]
        host_of, port_of = "Config.HOST.value", "Config.PORT.value"
    return Bound(host_of, port_of, imports, tuple(lines), env=env)


def modules(rng: random.Random, host: str, port: int) -> Bound:
    """Constants or an object of another module."""
    inner = rng.choice((constants, getenv, classes, branches))(rng, host, port)
    text = "\n".join([*inner.imports, "", *inner.lines, ""])
    text += f"SERVER_HOST = {inner.host}\nSERVER_PORT = {inner.port}\n"
    path, imports, prefix = rng.choice(
        (
            ("config.py", "from config import SERVER_HOST, SERVER_PORT", ""),
            ("settings.py", "import settings", "settings."),
            ("core/config.py", "from core import config", "config."),
            ("core/config.py", "from core.config import SERVER_HOST, SERVER_PORT", ""),
            ("core/config.py", "import core.config as cfg", "cfg."),
            ("conf/__init__.py", "from conf import *", ""),
        )
    )
    return Bound(
        f"{prefix}SERVER_HOST", f"{prefix}SERVER_PORT", (imports,), files={path: text},
        env=inner.env,
    )  # fmt: skip
