"""ASGI servers started by their own commands: uvicorn, hypercorn, granian, daphne."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case
from tests.differential.launch.families.apps import HOSTS, PORTS
from tests.differential.launch.families.sources import (
    ASGI,
    ASGI_FACTORY,
    FASTAPI,
    STARLETTE,
    WSGI,
    django,
)
from tests.differential.launch.families.starts import COMMAND, LOADING, Start

_ALL = (*LOADING, *COMMAND)
_UVICORN = (
    *(
        "--log-level info",
        "--log-level=warning",
        "--no-access-log",
        "--access-log",
        "--proxy-headers",
    ),
    *("--forwarded-allow-ips '*'", "--timeout-keep-alive 120", "--workers 1", "--loop asyncio"),
    *("--http h11", "--lifespan off", "--lifespan on", "--ws-max-size 2147483648", "--use-colors"),
    *("--root-path /api", "--limit-concurrency 100", "--backlog 512", "--no-server-header"),
    *(
        "--timeout-graceful-shutdown 5",
        "--header X-Served:yes",
        "--interface auto",
        "--date-header",
    ),
    "--limit-max-requests 100000",
)
_HYPERCORN = (
    *("-w 1", "--workers 2", "-k asyncio", "--worker-class=asyncio", "--access-logfile -"),
    *("--log-level info", "--keep-alive 10", "--graceful-timeout 5", "--backlog 100", "--debug"),
    *("--error-logfile -", "--root-path /api", "-p /tmp/hypercorn.pid", "--read-timeout 30"),
)
_GRANIAN = (
    *("--workers 1", "--log-level info", "--no-log", "--access-log", "--http 1", "--no-ws"),
    *("--loop asyncio", "--runtime-threads 1", "--backlog 256", "--respawn-failed-workers"),
    *("--workers-kill-timeout 5", "--url-path-prefix /api", "--runtime-mode st"),
)
_DAPHNE = (
    *("-v 1", "--verbosity 2", "-t 60", "--http-timeout 30", "--access-log -", "--proxy-headers"),
    *("--ping-interval 20", "--root-path /api", "-s demo", "--no-server-name", "--ping-timeout=30"),
    "--application-close-timeout 5",
)

_UVICORN_WRONG = (
    *("--workers two", "--log-level INFO", "--log-level=verbose", "--timeout-keep-alive 5s"),
    *("--lifespan yes", "--log-config missing.yaml", "--env-file missing.env", "--backlog many"),
    *("--workers '$WEB_CONCURRENCY'", "--limit-concurrency=''", "-p 7860", "-h 0.0.0.0"),
    *("--bind 0.0.0.0:7860", "--timeout 120", "--threads 4", "--access-log=true"),
)
_HYPERCORN_WRONG = ("--workers two", "-w '$WORKERS'", "--host 0.0.0.0", "--keep-alive 5s",
                    "-c missing.toml", "--port 7860", "--timeout 10")  # fmt: skip
_GRANIAN_WRONG = ("--workers two", "--backlog many", "-p 7860", "--bind 0.0.0.0:7860",
                  "--log-config missing.json", "--env-file .env", "--timeout 10")  # fmt: skip
_DAPHNE_WRONG = ("--host 0.0.0.0", "-v high", "--http-timeout 5s", "--workers 2",
                 "--ping-interval none")  # fmt: skip


def uvicorn_commands(rng: random.Random) -> Case:
    """Host and port by options, in every order."""
    start = Start(rng, "uvicorn command", _ALL, _UVICORN_WRONG)
    factory = start.chance(0.1)
    source = ASGI_FACTORY if factory else rng.choice((ASGI, ASGI, STARLETTE, FASTAPI))
    target = start.app(source, ("create_app",) if factory else ("app",), inside=True)
    options = start.some(_UVICORN)
    if factory:
        options.append(["--factory"])
    if start.chance(0.85):
        options.append(start.option("--host", start.host()))
    if start.chance(0.85) or start.failure in ("exec variable", "number"):
        options.append(start.option("--port", start.port()))
    options += _import_folder(start, "--app-dir")
    return start.case([*start.program("uvicorn", "uvicorn"), *start.mixed(target, options)])


def _import_folder(start: Start, option: str) -> list[list[str]]:
    """Where the modules lie: an option, or PYTHONPATH."""
    if not start.folder:
        return []
    if start.chance(0.6):
        return [start.option(option, start.rng.choice((start.folder, f"./{start.folder}")))]
    start.env["PYTHONPATH"] = start.rng.choice((start.folder, f"./{start.folder}:/opt"))
    return []


def uvicorn_variables(rng: random.Random) -> Case:
    """UVICORN_HOST and UVICORN_PORT, and names that do not count."""
    start = Start(rng, "uvicorn variables", LOADING)
    target = start.app(rng.choice((ASGI, STARLETTE)))
    if start.chance(0.6):
        start.env["UVICORN_HOST"] = rng.choice((*HOSTS, ""))
    if start.chance(0.7):
        start.env["UVICORN_PORT"] = rng.choice((*map(str, PORTS), "", "no"))
    if start.chance(0.5):
        start.env[rng.choice(("PORT", "HOST", "UVICORN_BIND", "uvicorn_port"))] = "6000"
    if start.chance(0.3):
        start.env["UVICORN_LOG_LEVEL"] = "warning"
    positional: str | None = target
    if start.chance(0.2):
        start.env["UVICORN_APP"] = target
        positional = None
    options = start.some(_UVICORN, 2)
    if start.chance(0.3):
        options.append(start.option("--host", start.host()))
    if start.chance(0.3):
        options.append(start.option("--port", start.port()))
    words = start.mixed(positional, options)
    return start.case([*start.program("uvicorn", "uvicorn"), *words])


def uvicorn_processes(rng: random.Random) -> Case:
    """Several workers, or the reloader: these bind before they load."""
    start = Start(rng, "uvicorn processes", COMMAND, _UVICORN_WRONG)
    target = start.app(rng.choice((ASGI, STARLETTE)))
    options = [rng.choice((["--workers", "2"], ["--reload"], ["--workers=2"], ["--reload"]))]
    if options == [["--reload"]] and start.chance(0.4):
        options.append(["--reload-dir", "."])
    if start.chance(0.15):
        start.env["WEB_CONCURRENCY"] = "2"
        options = []
    options.append(start.option("--host", start.host()))
    options.append(start.option("--port", start.port()))
    return start.case([*start.program("uvicorn", "uvicorn"), *start.mixed(target, options)])


def hypercorn_commands(rng: random.Random) -> Case:
    """-b in its forms, and configuration files."""
    start = Start(rng, "hypercorn command", _ALL, _HYPERCORN_WRONG)
    target = start.app(rng.choice((ASGI, STARLETTE)))
    if start.chance(0.1) and start.failure is None:
        target = f"asgi:{target}"
    options = start.some(_HYPERCORN)
    if start.chance(0.3) and start.failure not in COMMAND:
        options += _hypercorn_file(start)
    if start.chance(0.7) or start.failure in ("exec variable", "number"):
        bind = start.address()
        if start.failure is None and start.chance(0.2):
            bind = rng.choice(("0.0.0.0", ":7860", "[::]:7860", "localhost", "127.0.0.1"))
        options.append(start.option("-b --bind", bind))
    return start.case([*start.program("hypercorn", "hypercorn"), *start.mixed(target, options)])


def _hypercorn_file(start: Start) -> list[list[str]]:
    address = start.rng.choice(("0.0.0.0:7860", "127.0.0.1:5000", "[::]:8080", "localhost:7860"))
    kind = start.rng.choice(("toml", "toml list", "py", "python"))
    if kind == "py":
        start.files["hypercorn_conf.py"] = f'bind = ["{address}"]\nworkers = 1\n'
        return [start.option("-c --config", "file:hypercorn_conf.py")]
    if kind == "python":
        start.files["hypercorn_conf.py"] = f'bind = "{address}"\naccesslog = "-"\n'
        return [start.option("-c --config", "python:hypercorn_conf")]
    value = f'"{address}"' if kind == "toml" else f'["{address}"]'
    name = start.rng.choice(("hypercorn.toml", "config/hypercorn.toml"))
    start.files[name] = f"bind = {value}\nworkers = 1\n"
    return [start.option("-c --config", name)]


def granian_commands(rng: random.Random) -> Case:
    """Host, port and interface, by options and variables."""
    start = Start(rng, "granian command", _ALL, _GRANIAN_WRONG)
    wsgi = start.chance(0.3)
    target = start.app(WSGI if wsgi else rng.choice((ASGI, FASTAPI)), inside=True)
    options = start.some(_GRANIAN)
    options.append(start.option("--interface", "wsgi" if wsgi else rng.choice(("asgi", "asginl"))))
    if wsgi:
        options = [each for each in options if not each[0].startswith(("--no-ws", "--loop"))]
    host = rng.choice([host for host in HOSTS if host != "localhost"])
    if start.chance(0.4):
        start.env["GRANIAN_HOST"] = rng.choice(("0.0.0.0", "127.0.0.1", "localhost"))
    if start.chance(0.3):
        start.env["GRANIAN_PORT"] = rng.choice(("7860", "5000", ""))
    if start.chance(0.7):
        host = "localhost" if start.chance(0.1) else host
        host = start.host() if start.failure == "host" else host
        options.append(start.option("--host", start.value("host", host)))
    if start.chance(0.75) or start.failure in ("exec variable", "number"):
        options.append(start.option("--port", start.port()))
    options += _import_folder(start, "--working-dir")
    return start.case([*start.program("granian", "granian"), *start.mixed(target, options)])


def daphne_commands(rng: random.Random) -> Case:
    """-b and -p, endpoints, Django projects."""
    start = Start(rng, "daphne command", _ALL, _DAPHNE_WRONG)
    if start.chance(0.3) and start.failure not in LOADING:
        start.files |= django("mysite")
        target = "mysite.asgi:application"
    else:
        target = start.app(rng.choice((ASGI, STARLETTE)))
    options = start.some(_DAPHNE)
    if start.chance(0.15) and start.failure not in COMMAND:
        port = rng.choice(PORTS)
        endpoint = rng.choice((f"tcp:{port}", f"tcp:{port}:interface=0.0.0.0",
                               f"tcp:port={port}:interface=127.0.0.1"))  # fmt: skip
        options.append(start.option("-e --endpoint", endpoint))
    else:
        if start.chance(0.8):
            options.append(start.option("-b --bind", start.host()))
        if start.chance(0.8) or start.failure in ("exec variable", "number"):
            options.append(start.option("-p --port", start.port()))
    return start.case([*start.program("daphne", "daphne"), *start.mixed(target, options)])


FAMILIES = [
    uvicorn_commands,
    uvicorn_variables,
    uvicorn_processes,
    hypercorn_commands,
    granian_commands,
    daphne_commands,
]
