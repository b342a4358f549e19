"""Gunicorn: its options, GUNICORN_CMD_ARGS, gunicorn.conf.py, PORT, and other servers' workers."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case
from tests.differential.launch.families.apps import PORTS
from tests.differential.launch.families.sources import (
    ASGI,
    FASTAPI,
    FLASK,
    FLASK_FACTORY,
    STARLETTE,
    WSGI,
    django,
)
from tests.differential.launch.families.starts import COMMAND, LOADING, Start

_ALL = (*LOADING, *COMMAND)
_OPTIONS = (
    *("-w 1", "--workers 2", "--workers=1", "--threads 2", "--timeout 120", "-t 60"),
    *("--access-logfile -", "--error-logfile=-", "--log-level info", "--log-level=debug"),
    *("--keep-alive 5", "--max-requests 1000", "--max-requests-jitter 50", "--graceful-timeout 20"),
    *("--worker-tmp-dir /dev/shm", "--preload", "--capture-output", "-n demo", "--name=demo"),
    *("--forwarded-allow-ips '*'", "--limit-request-line 8000", "--backlog 512", "-p /tmp/g.pid"),
    *("--reuse-port", "--no-sendfile", "--env MODE=production", "-e MODE=test", "--umask 7"),
)
_SYNC = ("-k sync", "--worker-class gthread --threads 2", "-k gthread", "--worker-class=sync")
_ASYNC = ("uvicorn.workers.UvicornWorker", "uvicorn_worker.UvicornWorker",
          "uvicorn.workers.UvicornH11Worker")  # fmt: skip

_WRONG = (
    *("--workers two", "-w '$WEB_CONCURRENCY'", "--timeout 2m", "--host 0.0.0.0", "--port 7860"),
    *("--threads=many", "--log-level", "-c missing.py", "--preload-app", "--keep-alive 5s"),
    *("--reload-dir src", "--log-config missing.conf", "--max-requests=1k"),
)


def _bind(start: Start) -> list[str]:
    """An address option in its spellings."""
    address = start.address()
    if start.failure is None and start.chance(0.15):
        address = start.rng.choice(
            ("0.0.0.0", ":7860", "[::]:7860", "localhost", "tcp://0.0.0.0:7860", "*:7860", "7860")
        )
    return start.option("-b --bind -b --bind --bin", address)


def gunicorn_commands(rng: random.Random) -> Case:
    """WSGI applications with options."""
    start = Start(rng, "gunicorn command", _ALL, _WRONG)
    target = _wsgi(start)
    options = start.some(_OPTIONS)
    if start.chance(0.3):
        options += start.some(_SYNC, 1)
    if start.chance(0.8) or start.failure in ("exec variable", "number"):
        options.append(_bind(start))
        if start.chance(0.05):
            options.append(["-b", "127.0.0.1:9000"])
    return start.case([*start.program("gunicorn", "gunicorn"), *start.mixed(target, options)])


def _wsgi(start: Start) -> str:
    """A Flask application, a plain one, a factory, or a Django project."""
    kind = start.rng.choice(("wsgi", "wsgi", "flask", "factory", "django"))
    if kind == "django" and start.failure not in LOADING:
        start.files |= django("mysite")
        return start.rng.choice(("mysite.wsgi", "mysite.wsgi:application"))
    if kind == "factory":
        target = start.app(FLASK_FACTORY, ("create_app",))
        return f"{target}()"
    return start.app(FLASK if kind == "flask" else WSGI)


def gunicorn_workers(rng: random.Random) -> Case:
    """ASGI applications in workers of uvicorn."""
    start = Start(rng, "gunicorn worker", _ALL, _WRONG)
    target = start.app(rng.choice((ASGI, STARLETTE, FASTAPI)))
    options = start.some(_OPTIONS, 2)
    options.append(start.option("-k --worker-class", rng.choice(_ASYNC)))
    if start.chance(0.3):
        start.env[rng.choice(("UVICORN_PORT", "UVICORN_HOST", "WEB_CONCURRENCY"))] = "1"
    if start.chance(0.9) or start.failure in ("exec variable", "number"):
        options.append(_bind(start))
    return start.case([*start.program("gunicorn", "gunicorn"), *start.mixed(target, options)])


def gunicorn_variables(rng: random.Random) -> Case:
    """PORT and GUNICORN_CMD_ARGS beside options and the default."""
    start = Start(rng, "gunicorn variables", LOADING)
    target = start.app(rng.choice((WSGI, FLASK)))
    if start.chance(0.6):
        start.env["PORT"] = rng.choice((*map(str, PORTS), "", "no"))
    if start.chance(0.6):
        host, port = rng.choice(("0.0.0.0", "127.0.0.1", "[::]")), rng.choice(PORTS)
        start.env["GUNICORN_CMD_ARGS"] = rng.choice(
            (
                f"--bind={host}:{port}",
                f"-b {host}:{port} --workers 1",
                f"--bind '{host}:{port}' --access-logfile -",
                "--timeout 90 --log-level info",
                f"--bind={host}",
                "--no-such-option",
            )
        )
    options = start.some(_OPTIONS, 2)
    if start.chance(0.3):
        options.append(_bind(start))
    return start.case([*start.program("gunicorn", "gunicorn"), *start.mixed(target, options)])


def gunicorn_files(rng: random.Random) -> Case:
    """gunicorn.conf.py, found or named."""
    start = Start(rng, "gunicorn file", ("module", "raises", "option"))
    target = start.app(rng.choice((WSGI, FLASK, ASGI)))
    lines = ["import os", "", *_bind_lines(start)]
    settings = ["workers = int(os.getenv('WEB_CONCURRENCY', '1'))", "timeout = 120",
                'accesslog = "-"', 'loglevel = "info"', "threads = 2", "preload_app = True",
                "import multiprocessing\n\nmaximum = multiprocessing.cpu_count() * 2 + 1",
                "def on_starting(server):\n    pass", 'raw_env = ["MODE=production"]']  # fmt: skip
    lines += rng.sample(settings, rng.randint(0, 3))
    if start.files and "async def" in "".join(start.files.values()):
        lines.append('worker_class = "uvicorn.workers.UvicornWorker"')
    words: str | None = target
    if start.chance(0.15) and start.failure is None:
        lines.append(f'wsgi_app = "{target}"')
        words = None
    name = rng.choice(("gunicorn.conf.py", "gunicorn.conf.py", "gunicorn_conf.py",
                       "config/gunicorn.py", "gunicorn_config.py"))  # fmt: skip
    start.files[name] = "\n".join(lines) + "\n"
    options = start.some(_OPTIONS, 1)
    if (name != "gunicorn.conf.py" and start.chance(0.9)) or start.chance(0.3):
        spelled = rng.choice((name, f"./{name}", f"file:{name}"))
        if name.count(".") == 1 and "/" not in name and start.chance(0.2):
            spelled = f"python:{name.removesuffix('.py')}"
        options.append(start.option("-c --config", spelled))
    elif start.chance(0.05):
        options.append(["-c", "missing.py"])
    if start.chance(0.2):
        options.append(_bind(start))
    if start.chance(0.2):
        start.env["GUNICORN_CMD_ARGS"] = "--bind=0.0.0.0:8888"
    return start.case([*start.program("gunicorn", "gunicorn"), *start.mixed(words, options)])


def _bind_lines(start: Start) -> list[str]:
    """The settings of an address, in the ways of such files."""
    host, port = start.rng.choice(("0.0.0.0", "127.0.0.1")), start.rng.choice(PORTS)
    if start.chance(0.3):
        start.env["PORT"] = str(start.rng.choice(PORTS))
    return start.rng.choice(
        (
            [f'bind = "{host}:{port}"'],
            [f'bind = ["{host}:{port}"]'],
            [f"bind = '{host}:' + os.environ.get('PORT', '{port}')"],
            [f"bind = f\"{host}:{{os.getenv('PORT', {port})}}\""],
            [f"port = int(os.environ.get('PORT', {port}))", f'bind = f"{host}:{{port}}"'],
            [f'host = os.getenv("HOST", "{host}")', f'port = os.getenv("APP_PORT", "{port}")',
             'bind = "%s:%s" % (host, port)'],
            [f'bind = "{{}}:{{}}".format("{host}", os.getenv("PORT") or {port})'],
            [f'bind = os.getenv("BIND", "{host}:{port}")'],
            [f'bind = os.environ.get("GUNICORN_BIND") or "{host}:{port}"'],
            ["# the address is the default"],
        )
    )  # fmt: skip


def gunicorn_folders(rng: random.Random) -> Case:
    """--chdir and --pythonpath: the configuration is still that of the start."""
    start = Start(rng, "gunicorn folder", ("module", "attribute", "raises"))
    target = start.app(rng.choice((WSGI, FLASK)), inside=True)
    if not start.folder:
        start.folder = "."
    options = start.some(_OPTIONS, 1)
    if start.chance(0.3):
        start.files["gunicorn.conf.py"] = 'bind = "0.0.0.0:6001"\n'
    if start.chance(0.2) and start.folder != ".":
        start.files[f"{start.folder}/gunicorn.conf.py"] = 'bind = "0.0.0.0:6002"\n'
    options.append(start.option(rng.choice(("--chdir", "--pythonpath")), start.folder))
    if start.chance(0.6):
        options.append(_bind(start))
    return start.case([*start.program("gunicorn", "gunicorn"), *start.mixed(target, options)])


FAMILIES = [
    gunicorn_commands,
    gunicorn_workers,
    gunicorn_variables,
    gunicorn_files,
    gunicorn_folders,
]
