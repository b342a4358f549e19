"""Servers that come with a framework: flask, fastapi, django, quart, sanic, litestar, streamlit,
aiohttp, and the small WSGI servers.
"""

from __future__ import annotations

import random

from tests.differential.launch.case import Case
from tests.differential.launch.families.apps import HOSTS, PORTS
from tests.differential.launch.families.sources import (
    AIOHTTP_FACTORY,
    BOTTLE,
    FASTAPI,
    FLASK,
    FLASK_FACTORY,
    LITESTAR,
    QUART,
    SANIC,
    STREAMLIT,
    WSGI,
    WSGI_FACTORY,
    django,
)
from tests.differential.launch.families.starts import COMMAND, LOADING, Start

_ALL = (*LOADING, *COMMAND)
_FLASK = ("--no-reload", "--with-threads", "--without-threads", "--no-debugger", "--debug")
_WAITRESS = (
    *("--threads=4", "--threads 8", "--url-scheme=https", "--connection-limit=200", "--ident=demo"),
    *("--channel-timeout=60", "--expose-tracebacks", "--no-ipv6", "--log-socket-errors"),
    *("--max-request-body-size=1000000", "--trusted-proxy=127.0.0.1", "--backlog 128"),
)
_FASTAPI = ("--workers 1", "--proxy-headers", "--no-proxy-headers", "--root-path /api",
            "--forwarded-allow-ips=*", "--no-reload")  # fmt: skip
_SANIC = ("--workers=1", "--single-process", "--no-access-logs", "--debug", "--no-motd", "--fast",
          "-w 1", "--access-logs")  # fmt: skip
_LITESTAR = ("--debug", "-d", "--wc 1", "--web-concurrency=1", "-W 1", "--reload")
_STREAMLIT = (
    *("--server.headless true", "--server.headless=true", "--server.enableCORS=false"),
    *("--server.enableXsrfProtection=false", "--browser.gatherUsageStats=false"),
    *("--server.fileWatcherType none", "--theme.base dark", "--logger.level=info"),
    *("--server.maxUploadSize=200", "--server.baseUrlPath=demo", "--global.developmentMode=false"),
)

_FLASK_WRONG = ("--workers 2", "--bind 0.0.0.0:7860", "--key missing.pem", "--timeout 5")
_FASTAPI_WRONG = ("--workers two", "--bind 0.0.0.0", "--log-level info", "--app missing_name")
_SANIC_WRONG = ("--workers two", "--bind 0.0.0.0", "--timeout 5", "--log-level info")
_LITESTAR_WRONG = ("--wc two", "--workers 2", "--bind 0.0.0.0", "--log-level info")
_STREAMLIT_WRONG = ("--port 7860", "--host 0.0.0.0", "--server.host 0.0.0.0", "-p 7860")
_WAITRESS_WRONG = ("--threads=many", "--workers=2", "--bind=0.0.0.0:7860", "--port")


def flask_commands(rng: random.Random) -> Case:
    """Flask run: the application by option, variable, or found."""
    start = Start(rng, "flask run", _ALL, _FLASK_WRONG)
    return _flask_like(start, "flask", FLASK, FLASK_FACTORY, _FLASK)


def quart_commands(rng: random.Random) -> Case:
    """Quart run."""
    start = Start(rng, "quart run", _ALL, _FLASK_WRONG[:2])
    return _flask_like(start, "quart", QUART, None, ("--no-reload",))


def _flask_like(
    start: Start, name: str, source: str, factory: str | None, few: tuple[str, ...]
) -> Case:
    rng, prefix = start.rng, name.upper()
    before: list[str] = []
    if start.chance(0.4) and start.failure not in ("module", "attribute"):
        made = factory if factory and start.chance(0.3) else source
        bound = "create_app" if made is factory else rng.choice(("app", "app", "application"))
        start.write(rng.choice(("app.py", "wsgi.py")), made.replace("NAME", bound))
    else:
        made = source if factory is None or start.chance(0.7) else factory
        target = start.app(made, only=("create_app", "make_app") if made is factory else ())
        if start.chance(0.2) and start.failure is None:
            target = target.partition(":")[0].replace(".", "/") + ".py"
        elif start.chance(0.2) and start.failure is None and target.endswith(("app", "ation")):
            target = target.partition(":")[0]
        if start.chance(0.5):
            start.env[f"{prefix}_APP"] = target
        else:
            before = start.option("--app -A", target)
    if start.chance(0.3):
        start.env[f"{prefix}_RUN_HOST"] = rng.choice(HOSTS[:4])
    if start.chance(0.3):
        start.env[f"{prefix}_RUN_PORT"] = rng.choice((*map(str, PORTS), "", "no"))
    if start.chance(0.2):
        start.env[rng.choice((f"{prefix}_ENV", f"{prefix}_PORT", "PORT"))] = "6000"
    if start.chance(0.1):
        start.env[f"{prefix}_DEBUG"] = rng.choice(("1", "0"))
    if start.chance(0.25):
        _flask_file(start, prefix)
    options = start.some(few, 2)
    if start.chance(0.6):
        options.append(start.option("--host -h", start.host()))
    if start.chance(0.6) or start.failure in ("exec variable", "number"):
        options.append(start.option("--port -p", start.port()))
    program = start.program(name, name)
    return start.case([*program, *before, "run", *start.mixed(None, options)])


def _flask_file(start: Start, prefix: str) -> None:
    """Variables in a file, which count since the build installs python-dotenv."""
    lines = [f"{prefix}_RUN_PORT=6100", f"{prefix}_RUN_HOST='0.0.0.0'", "# comment", "DEBUG=1"]
    if f"{prefix}_APP" in start.env and start.chance(0.5):
        lines.append(f"{prefix}_APP={start.env.pop(f'{prefix}_APP')}")
    file = start.rng.choice((f".{prefix.lower()}env", ".env"))
    start.files[file] = "\n".join(start.rng.sample(lines, len(lines) - 1)) + "\n"
    start.files["requirements.txt"] = f"{prefix.lower()}\npython-dotenv==1.0.1\n"
    start.run.append("pip install --no-cache-dir -r requirements.txt")


def fastapi_commands(rng: random.Random) -> Case:
    """Fastapi run and dev: found files, paths, entry points."""
    start = Start(rng, "fastapi", _ALL, _FASTAPI_WRONG)
    command = rng.choice(("run", "run", "run", "dev"))
    how = rng.choice(("found", "path", "path", "entrypoint", "pyproject", "folder"))
    words: str | None = None
    options = start.some(_FASTAPI, 2) if command == "run" else start.some(("--no-reload",), 1)
    if how == "found" and start.failure not in ("module", "attribute"):
        path = rng.choice(("main.py", "app.py", "api.py", "app/main.py", "app/api.py"))
        start.write(path, FASTAPI.replace("NAME", rng.choice(("app", "api", "server"))))
        if start.chance(0.6):
            start.packages(path.removesuffix(".py").replace("/", "."))
    else:
        target = start.app(FASTAPI, ("backend",))
        module, _, name = target.partition(":")
        path = module.replace(".", "/") + ".py"
        if how == "path":
            words = rng.choice((path, f"./{path}"))
            if start.failure == "attribute":
                options.append(["--app", name])
            elif start.chance(0.3):
                options.append(start.option("--app", name))
        elif how == "folder" and start.failure is None:
            start.files["pkg/__init__.py"] = "from .main import app\n"
            start.files["pkg/main.py"] = FASTAPI.replace("NAME", "app")
            words = "pkg"
        elif how == "pyproject":
            start.files["pyproject.toml"] = (
                f'[project]\nname = "demo"\n\n[tool.fastapi]\nentrypoint = "{target}"\n'
            )
        else:
            options.append(start.option("--entrypoint -e", target))
    if start.chance(0.5):
        options.append(start.option("--host", start.host()))
    if start.chance(0.6) or start.failure in ("exec variable", "number"):
        options.append(start.option("--port", start.port()))
    elif start.chance(0.4):
        start.env["PORT"] = rng.choice((*map(str, PORTS), ""))
    if start.chance(0.15):
        start.env[rng.choice(("UVICORN_PORT", "HOST", "FASTAPI_PORT"))] = "6000"
    program = start.program("fastapi", rng.choice(("fastapi", "fastapi_cli")))
    return start.case([*program, command, *start.mixed(words, options)])


def django_commands(rng: random.Random) -> Case:
    """Manage.py runserver, and django-admin."""
    start = Start(rng, "django runserver", ("option", "exec variable", "number", "raises"))
    project = rng.choice(("mysite", "config", "core", "backend"))
    start.files |= django(project)
    folder = rng.choice(("", "", "", "web"))
    if folder:
        start.files = {f"{folder}/{path}": text for path, text in start.files.items()}
    if start.failure == "raises":
        path = f"{folder}/{project}/settings.py".lstrip("/")
        start.files[path] = 'import os\n\nDEBUG = os.environ["DEBUG_MODE"]\n' + start.files[path]
    manage = f"{folder}/manage.py".lstrip("/")
    program = [rng.choice(("python", "python3")), manage, "runserver"]
    if not folder and start.chance(0.15):
        program = ["django-admin", "runserver", "--pythonpath", "."]
        start.env["DJANGO_SETTINGS_MODULE"] = f"{project}.settings"
    options = start.some(("--noreload", "--noreload", "--nothreading", "--no-color", "-v 1",
                          "--skip-checks", "--insecure", "--traceback"), 2)  # fmt: skip
    options = [each for each in options if each != ["--insecure"]]
    address = None
    if start.failure in ("exec variable", "number"):
        address = f"0.0.0.0:{start.port()}"
    elif start.chance(0.85):
        kind = rng.choice(("pair", "pair", "port", "zero"))
        address = start.address()
        if kind == "port":
            address = start.port()
        elif kind == "zero":
            address = rng.choice(("0:7860", "0.0.0.0", "[::]:7860", "localhost:8000"))
    return start.case([*program, *start.mixed(address, options)])


def sanic_commands(rng: random.Random) -> Case:
    """The sanic command."""
    start = Start(rng, "sanic", _ALL, _SANIC_WRONG)
    target = start.app(SANIC)
    if start.chance(0.2) and target.endswith(":app") and start.failure is None:
        target = target.replace(":", ".")
    options = start.some(_SANIC, 2)
    if start.chance(0.7):
        options.append(start.option("-H --host", start.host()))
    if start.chance(0.7) or start.failure in ("exec variable", "number"):
        options.append(start.option("-p --port", start.port()))
    return start.case([*start.program("sanic", "sanic"), *start.mixed(target, options)])


def litestar_commands(rng: random.Random) -> Case:
    """Litestar run: the application by option, variable, or found."""
    start = Start(rng, "litestar run", _ALL, _LITESTAR_WRONG)
    before: list[str] = []
    if start.chance(0.4) and start.failure not in ("module", "attribute"):
        path = rng.choice(("app.py", "application.py", "app/main.py", "app/__init__.py"))
        start.write(path, LITESTAR.replace("NAME", rng.choice(("app", "application"))))
        if path.startswith("app/"):
            start.files.setdefault("app/__init__.py", "")
    else:
        target = start.app(LITESTAR)
        if start.chance(0.4):
            start.env["LITESTAR_APP"] = target
        else:
            before = start.option("--app", target)
    if start.chance(0.2):
        start.env["LITESTAR_HOST"] = rng.choice(HOSTS[:4])
    if start.chance(0.2):
        start.env["LITESTAR_PORT"] = rng.choice(("7860", "5000"))
    options = start.some(_LITESTAR, 2)
    if start.chance(0.6):
        options.append(start.option("-H --host", start.host()))
    if start.chance(0.6) or start.failure in ("exec variable", "number"):
        options.append(start.option("-p --port", start.port()))
    program = start.program("litestar", "litestar")
    return start.case([*program, *before, "run", *start.mixed(None, options)])


def streamlit_commands(rng: random.Random) -> Case:
    """Streamlit run: options, variables, config.toml."""
    start = Start(rng, "streamlit run", ("module", *COMMAND), _STREAMLIT_WRONG)
    script = rng.choice(("app.py", "streamlit_app.py", "src/streamlit_app.py", "ui/Home.py"))
    start.files[script] = STREAMLIT
    if start.failure == "module":
        script = f"missing/{script}"
    options = start.some(_STREAMLIT)
    if start.chance(0.3):
        start.env["STREAMLIT_SERVER_ADDRESS"] = rng.choice(HOSTS[:3])
    if start.chance(0.3):
        start.env["STREAMLIT_SERVER_PORT"] = rng.choice((*map(str, PORTS), ""))
    if start.chance(0.15):
        start.env[rng.choice(("PORT", "HOST", "STREAMLIT_PORT"))] = "6000"
    if start.chance(0.3):
        folder = rng.choice(("", script.rpartition("/")[0]))
        lines = ["[server]", "headless = true", *rng.choice((['port = 6200'], [],
                 ['address = "127.0.0.1"'], ["port = 6300", 'address = "0.0.0.0"']))]  # fmt: skip
        start.files[f"{folder}/.streamlit/config.toml".lstrip("/")] = "\n".join(lines) + "\n"
    if start.chance(0.6):
        options.append(start.option("--server.address", start.host()))
    if start.chance(0.6) or start.failure in ("exec variable", "number"):
        options.append(start.option("--server.port", start.port()))
    program = start.program("streamlit", "streamlit")
    return start.case([*program, "run", *start.mixed(script, options)])


def waitress_commands(rng: random.Random) -> Case:
    """waitress-serve, with --host and --port or --listen."""
    start = Start(rng, "waitress-serve", _ALL, _WAITRESS_WRONG)
    factory = start.chance(0.2)
    target = start.app(WSGI_FACTORY if factory else rng.choice((WSGI, FLASK)))
    options = start.some(_WAITRESS, 2)
    if factory:
        options.append(["--call"])
    if start.chance(0.35):
        address = start.address()
        if start.failure is None and start.chance(0.3):
            address = rng.choice(("*:7860", "localhost:8000", ":7860", "[::]:8080"))
        options.append(start.option("--listen", address))
    else:
        if start.chance(0.7):
            options.append(start.option("--host", start.host()))
        if start.chance(0.7) or start.failure in ("exec variable", "number"):
            options.append(start.option("--port", start.port()))
    program = start.program("waitress-serve", "waitress")
    return start.case([*program, *start.mixed(None, options), target])


def aiohttp_commands(rng: random.Random) -> Case:
    """Python -m aiohttp.web: a factory."""
    start = Start(rng, "aiohttp.web", (*LOADING, "exec variable", "number"))
    target = start.app(AIOHTTP_FACTORY, ("init", "create_app"))
    options: list[list[str]] = []
    if start.chance(0.7):
        options.append(start.option("-H --hostname", start.host()))
    if start.chance(0.7) or start.failure in ("exec variable", "number"):
        options.append(start.option("-P --port", start.port()))
    return start.case(["python", "-m", "aiohttp.web", *start.mixed(target, options)])


def small_servers(rng: random.Random) -> Case:
    """http.server and bottle."""
    start = Start(rng, "small servers", COMMAND)
    if start.chance(0.5):
        start.files["index.html"] = "<p>ok</p>\n"
        options = start.some(("-d .", "--directory=.", "--cgi", "--protocol HTTP/1.1"), 1)
        if start.chance(0.6):
            options.append(start.option("-b --bind", start.host()))
        port = None
        if start.chance(0.8) or start.failure in ("exec variable", "number"):
            port = start.port()
        return start.case(["python", "-m", "http.server", *start.mixed(port, options)])
    target = start.app(BOTTLE)
    options = start.some(("--debug", "-s wsgiref", "--server=waitress"), 1)
    if start.chance(0.8) or start.failure in ("exec variable", "number"):
        options.append(start.option("-b --bind", start.address()))
    program = rng.choice((["bottle.py"], ["bottle"], ["python", "-m", "bottle"]))
    return start.case([*program, *start.mixed(target, options)])


FAMILIES = [
    flask_commands,
    quart_commands,
    fastapi_commands,
    django_commands,
    sanic_commands,
    litestar_commands,
    streamlit_commands,
    waitress_commands,
    aiohttp_commands,
    small_servers,
]
