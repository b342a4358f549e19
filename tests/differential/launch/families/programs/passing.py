"""How an address goes through a program: parameters, partials, globals, objects made of objects."""

from __future__ import annotations

import random

from tests.differential.launch.families.programs.bindings import OTHER
from tests.differential.launch.families.programs.parts import Bound


def environment_changes(rng: random.Random, host: str, port: int) -> Bound:
    """The program sets variables itself before it reads them."""
    env = {"PORT": str(rng.choice(OTHER))} if rng.random() < 0.4 else {}
    change = rng.choice(
        (
            f'os.environ.setdefault("PORT", "{port}")',
            f'os.environ["PORT"] = "{port}"',
            f'os.environ.update({{"PORT": "{port}", "MODE": "prod"}})',
            f'os.environ.update(PORT="{port}")',
            f'os.putenv("UNUSED", "1"); os.environ["PORT"] = str({port})',
            f'if "PORT" not in os.environ:\n    os.environ["PORT"] = "{port}"',
            f'os.environ |= {{"PORT": "{port}"}}',
        )
    )
    lines = (*change.replace("; ", "\n").split("\n"),)
    return Bound(repr(host), 'int(os.environ["PORT"])', ("import os",), lines, env=env)


def chains(rng: random.Random, host: str, port: int) -> Bound:
    """Several variables, one for want of the other."""
    names = rng.sample(("PORT", "WEB_PORT", "SERVER_PORT", "HTTP_PORT"), 2)
    env = {name: str(rng.choice((port, *OTHER))) for name in names if rng.random() < 0.4}
    first, second = names
    text = rng.choice(
        (
            f'int(os.getenv("{first}") or os.getenv("{second}") or {port})',
            f'int(os.getenv("{first}", os.getenv("{second}", "{port}")))',
            f'int(os.environ.get("{first}") or os.environ.get("{second}", "{port}"))',
            f'int(next((os.environ[n] for n in ("{first}", "{second}") if n in os.environ), {port}))',
            f'int(os.getenv("{first}", "").strip() or "{port}")',
            f'max(int(os.getenv("{first}", "{port}")), 1024)',
            f'(lambda: int(os.getenv("{first}", {port})))()',
            f'int(float(os.getenv("{first}", "{port}")))',
        )
    )
    hosts = rng.choice((repr(host), f'os.getenv("HOST") or {host!r}', f'"{host}".lower()'))
    return Bound(hosts, text, ("import os",), env=env)


def objects(rng: random.Random, host: str, port: int) -> Bound:
    """Objects that other objects and functions make."""
    name = "PORT"
    env = {name: str(rng.choice(OTHER))} if rng.random() < 0.4 else {}
    read = f'int(os.environ.get("{name}", {port}))'
    kind = rng.choice(("classmethod", "post", "nested", "getattr", "global", "static", "selected",
                       "replaced", "update", "slots", "abstract"))  # fmt: skip
    imports: tuple[str, ...] = ("import os", "from dataclasses import dataclass, field, replace")
    host_of, port_of = "config.host", "config.port"
    if kind == "classmethod":
        lines = ["@dataclass", "class Config:", "    host: str", "    port: int", "",
                 "    @classmethod", "    def from_env(cls):",
                 f"        return cls(host={host!r}, port={read})", "",
                 "config = Config.from_env()"]  # fmt: skip
    elif kind == "post":
        lines = ["@dataclass", "class Config:", f"    host: str = {host!r}", "    port: int = 0", "",
                 "    def __post_init__(self):", "        if not self.port:",
                 f"            self.port = {read}", "", "config = Config()"]  # fmt: skip
    elif kind == "nested":
        lines = ["@dataclass", "class Server:", f"    host: str = {host!r}", f"    port: int = {read}",
                 "", "@dataclass", "class Config:",
                 "    server: Server = field(default_factory=Server)", "",
                 "config = Config()"]  # fmt: skip
        host_of, port_of = "config.server.host", "config.server.port"
    elif kind == "getattr":
        lines = ["class Config:", f"    host = {host!r}", f"    port = {read}"]
        host_of, port_of = 'getattr(Config, "host", "0.0.0.0")', 'getattr(Config, "port", 8000)'
    elif kind == "global":
        lines = [f"PORT = {port}", "", "def configure():", "    global PORT",
                 f"    PORT = {rng.choice(OTHER)}", "", "configure()"]  # fmt: skip
        host_of, port_of = repr(host), "PORT"
    elif kind == "static":
        lines = ["class Config:", "    @staticmethod", "    def port():", f"        return {read}"]
        host_of, port_of = repr(host), "Config.port()"
    elif kind == "selected":
        lines = ["class Dev:", f"    host, port = '127.0.0.1', {rng.choice(OTHER)}", "",
                 "class Prod:", f"    host, port = {host!r}, {port}", "",
                 f'config = Prod if os.getenv("{rng.choice(("ENV", "HOME"))}") else Dev()']  # fmt: skip
    elif kind == "replaced":
        lines = ["@dataclass(frozen=True)", "class Config:", f"    host: str = {host!r}",
                 f"    port: int = {rng.choice(OTHER)}", "",
                 f"config = replace(Config(), port={port})"]  # fmt: skip
    elif kind == "update":
        lines = ["class Config:", f"    host = {host!r}", "    port = 1", "",
                 "config = Config()", f"config.port = {read}"]  # fmt: skip
    elif kind == "slots":
        lines = ["class Config:", '    __slots__ = ("host", "port")', "",
                 "    def __init__(self, host, port=5005):", "        self.host = host",
                 "        self.port = int(port)", "",
                 f"config = Config({host!r}, os.getenv('{name}', {port}))"]  # fmt: skip
    else:
        lines = ["class Base:", f"    host = {host!r}", "    def __init__(self):",
                 "        self.port = self.default_port()", "", "class Config(Base):",
                 "    def default_port(self):", f"        return {read}", "",
                 "config = Config()"]  # fmt: skip
    return Bound(host_of, port_of, imports, tuple(lines), env=env)


def words(rng: random.Random, host: str, port: int) -> Bound:
    """`sys.argv` and further ways of argparse."""
    imports: tuple[str, ...] = ("import argparse", "import sys")
    kind = rng.choice(("argv", "argv maybe", "typed", "vars", "choices", "group", "dest", "nargs"))
    given: tuple[str, ...] = (str(port),)
    if kind == "argv":
        return Bound(repr(host), "int(sys.argv[1])", imports, words=given)
    if kind == "argv maybe":
        given = given if rng.random() < 0.5 else ()
        text = f"int(sys.argv[1]) if len(sys.argv) > 1 else {rng.choice(OTHER)}"
        return Bound(repr(host), text, imports, words=given)
    given = rng.choice(((), ("--port", str(port)), (f"--port={port}",)))
    head = ["parser = argparse.ArgumentParser()"]
    tail = ["args = parser.parse_args()"]
    options = [f'parser.add_argument("--host", default={host!r})']
    if kind == "typed":
        options.append(f'parser.add_argument("--port", default="{port}")')
        return Bound("args.host", "int(args.port)", imports, (*head, *options, *tail), words=given)
    if kind == "vars":
        options.append(f'parser.add_argument("--port", type=int, default={port})')
        lines = (*head, *options, "args = vars(parser.parse_args())")
        return Bound('args["host"]', 'args["port"]', imports, lines, words=given)
    if kind == "choices":
        options.append(f'parser.add_argument("--port", type=int, default={port})')
        options.append('parser.add_argument("--mode", choices=["dev", "prod"], default="dev")')
        given = (*given, "--mode", rng.choice(("dev", "prod", "test")))
    elif kind == "group":
        head = ["parser = argparse.ArgumentParser(prog='serve')",
                'group = parser.add_argument_group("network")']  # fmt: skip
        options.append(f'group.add_argument("--port", "-P", type=int, default={port})')
    elif kind == "dest":
        options.append(f'parser.add_argument("--port", dest="number", type=int, default={port})')
        return Bound("args.host", "args.number", imports, (*head, *options, *tail), words=given)
    else:
        options.append('parser.add_argument("port", nargs="?", type=int, default=8765)')
        given = rng.choice(((), (str(port),)))
    return Bound("args.host", "args.port", imports, (*head, *options, *tail), words=given)
