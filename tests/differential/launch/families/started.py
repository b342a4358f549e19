"""The servers that shell lines, scripts and wrappers start, with their files and addresses."""

from __future__ import annotations

import random
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.differential.launch.families.apps import ASGI, PORTS, WSGI

PROGRAM = """import os
from wsgiref.simple_server import make_server


def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]


if __name__ == "__main__":
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.getenv("PORT", "8000"))
    make_server(host, port, app).serve_forever()
"""
"""A program that takes its address from HOST and PORT."""

ARGUMENTS = """import argparse
from wsgiref.simple_server import make_server


def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    make_server(options.host, options.port, app).serve_forever()


if __name__ == "__main__":
    main()
"""
"""A program that takes its address from its arguments."""

IPV4 = ("0.0.0.0", "0.0.0.0", "0.0.0.0", "127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Server:
    """A server as a line of a shell starts it, and the files that it needs."""

    line: str
    files: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        """The line as the words of an exec form."""
        return tuple(shlex.split(self.line))


def server(rng: random.Random, host: str, port: str, *kinds: str) -> Server:
    """A server of one of `kinds` (else of any) at an address, both parts as a shell writes them."""
    kind = rng.choice(kinds or tuple(_KINDS))
    line, files = rng.choice(_KINDS[kind])
    return Server(line.format(host=host, port=port), files)


_UVICORN_TAILS = ("", "", " --log-level warning", " --proxy-headers --forwarded-allow-ips '*'",
                  " --workers 1", " --timeout-keep-alive 75", " --no-access-log")  # fmt: skip
_ASGI = {"main.py": ASGI}
_PACKAGE = {"app/__init__.py": "", "app/main.py": ASGI}
_WSGI = {"wsgi.py": WSGI}

_KINDS: dict[str, list[tuple[str, dict[str, str]]]] = {
    "uvicorn": [
        *(
            (f"uvicorn main:app --host {{host}} --port {{port}}{tail}", _ASGI)
            for tail in _UVICORN_TAILS
        ),
        ("uvicorn --port={port} --host={host} app.main:app", _PACKAGE),
        ("uvicorn app.main:app --app-dir . --host {host} --port {port}", _PACKAGE),
        ("python -m uvicorn main:app --host {host} --port {port}", _ASGI),
        ("python3 -m uvicorn app.main:app --port {port} --host {host}", _PACKAGE),
    ],
    "gunicorn": [
        ("gunicorn wsgi:app --bind {host}:{port}", _WSGI),
        ("gunicorn -w 1 -b {host}:{port} wsgi:app", _WSGI),
        ("gunicorn --workers=1 --threads 4 --timeout 0 --bind={host}:{port} wsgi:app", _WSGI),
        ("gunicorn -k uvicorn_worker.UvicornWorker -w 1 -b {host}:{port} main:app", _ASGI),
        ("python -m gunicorn --bind {host}:{port} --log-level debug wsgi:app", _WSGI),
    ],
    "hypercorn": [("hypercorn main:app --bind {host}:{port}", _ASGI)],
    "waitress": [("waitress-serve --host={host} --port={port} wsgi:app", _WSGI)],
    "files": [
        ("python -m http.server {port} --bind {host}", {"index.html": "ok"}),
        ("python3 -m http.server --bind {host} {port}", {"index.html": "ok"}),
    ],
    "arguments": [
        ("python serve.py --host {host} --port {port}", {"serve.py": ARGUMENTS}),
        ("python -u serve.py --port={port} --host={host}", {"serve.py": ARGUMENTS}),
    ],
    "program": [
        ("HOST={host} PORT={port} python server.py", {"server.py": PROGRAM}),
        ("env HOST={host} PORT={port} python -u server.py", {"server.py": PROGRAM}),
    ],
}

PLAIN = ("uvicorn", "uvicorn", "gunicorn", "hypercorn", "waitress", "files", "arguments")
"""Kinds whose line is one program with its words, without assignments before it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value as a script writes it: the text of the word, the lines that come before, and the
    variables of the image.
    """

    word: str
    lines: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


PORT_NAMES = ("PORT", "PORT", "APP_PORT", "SERVER_PORT", "API_PORT", "HTTP_PORT")
HOST_NAMES = ("HOST", "HOST", "APP_HOST", "BIND_ADDRESS", "LISTEN_HOST")


def any_port(rng: random.Random, *, bash: bool = False) -> Parameter:
    """A port, written in one of the ways of start scripts."""
    return parameter(rng, rng.choice(PORT_NAMES), str(rng.choice(PORTS)), "9000", bash=bash)


def any_host(rng: random.Random, *, bash: bool = False) -> Parameter:
    """An IPv4 host, written in one of the ways of start scripts."""
    value = rng.choice(IPV4)
    if rng.random() < 0.5:
        return Parameter(value)
    return parameter(rng, rng.choice(HOST_NAMES), value, "127.0.0.1", bash=bash)


def parameter(
    rng: random.Random, name: str, value: str, other: str, *, bash: bool = False
) -> Parameter:
    """A variable that comes to `value`; `other` stands where it is overruled."""
    choices = [
        Parameter(value),
        Parameter(f"${name}", env={name: value}),
        Parameter(f"${{{name}}}", env={name: value}),
        Parameter(f'"${{{name}}}"', env={name: value}),
        Parameter(f"${{{name}:-{value}}}"),
        Parameter(f'"${{{name}:-{value}}}"'),
        Parameter(f"${{{name}:-{other}}}", env={name: value}),
        Parameter(f"${{{name}-{value}}}"),
        Parameter(f"${{{name}:-{value}}}", env={name: ""}),
        Parameter(f"${{{name}:={value}}}"),
        Parameter(f"${{{name}:-${{FALLBACK:-{value}}}}}"),
        Parameter(f"${{{name}:+{value}}}", env={name: other}),
        Parameter(f"${{{name}:?is not set}}", env={name: value}),
        Parameter(f"${name}", (f"{name}={value}",)),
        Parameter(f"${name}", (f"export {name}={value}",), {name: other}),
        Parameter(f"${name}", (f'export {name}="${{{name}:-{value}}}"',)),
        Parameter(f'"${name}"', (f"{name}=${{{name}:-{other}}}",), {name: value}),
        Parameter(f"${name}", (f': "${{{name}:={value}}}"',)),
        Parameter(f"${name}", (f": ${{{name}:={other}}}",), {name: value}),
        Parameter(f"${name}", (f': "${{{name}:={value}}}"', f"export {name}")),
        Parameter(f"${name}", (f'[ -z "${name}" ] && {name}={value}',)),
        Parameter(f"${name}", (f'test -n "${name}" || export {name}={value}',)),
        Parameter(f"${name}", (f'if [ -z "${{{name}:-}}" ]; then', f"  {name}={value}", "fi")),
        Parameter(f"${name}", (f"DEFAULT_{name}={value}", f"{name}=${{{name}:-$DEFAULT_{name}}}")),
        Parameter(f"${name}", (f"{name}=$(echo {value})",)),
        Parameter(f"${name}", (f"{name}=`printf '%s' {value}`",)),
        Parameter(f"${name}", (f"{name}='{value}'", f"readonly {name}")),
    ]
    if bash:
        choices += [
            Parameter(f"${name}", (f"declare {name}={value}",)),
            Parameter(f"${name}", (f"declare -x {name}={value}",)),
            Parameter(f"${name}", (f'if [[ -z "${{{name}}}" ]]; then {name}={value}; fi',)),
            Parameter(f"${name}", (f"[[ ${name} ]] || {name}={value}",)),
            Parameter(f"${{{name}[0]}}", (f"{name}=({value} {other})",)),
            Parameter(f"${name}", (f"printf -v {name} %s {value}",)),
        ]
    return rng.choice(choices)


def joined(*parts: Parameter) -> tuple[tuple[str, ...], dict[str, str]]:
    """The lines and the variables of several parameters."""
    lines = tuple(line for part in parts for line in part.lines)
    env = {name: value for part in parts for name, value in part.env.items()}
    return lines, env
