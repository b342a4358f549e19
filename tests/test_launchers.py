"""The table of servers against the programs' own option parsers, and its precedences."""

from __future__ import annotations

import argparse
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
from launching import address, launch

from hfcheck.source import SourceFile
from hfcheck.space.launch import address as addresses
from hfcheck.space.launch.options import Spec, read_options
from hfcheck.space.launch.process import literal
from hfcheck.space.launch.servecalls import table
from hfcheck.space.launch.servertable import Server, servers
from hfcheck.space.launch.wrappers import wrappers

PLACE = SourceFile(Path("/x"), "").place()


def row(name: str) -> Server:
    return next(server for server in servers() if server.name == name)


def test_every_name_in_the_tables_is_a_text() -> None:
    for server in servers():
        words = [*server.spec.values, *server.spec.switches, *server.refused, *server.elsewhere]
        words += [*server.host.options, *server.port.options, *server.commands, *server.stops]
        assert all(isinstance(word, str) for word in words), server.name
        assert server.programs or server.modules
        assert not server.spec.values & server.spec.switches, server.name
        assert not server.syntax or server.syntax in addresses.READERS
    found = wrappers()
    assert all(isinstance(name, str) for name in [*found.returns, *found.waits, *found.by_program])
    assert not found.returns & set(found.by_program)
    assert all("." in name for name in table().calls)


def test_no_program_has_two_rows_without_commands() -> None:
    for server in servers():
        same = [other for other in servers() if other.programs & server.programs]
        assert len(same) == 1 or all(other.commands for other in same)


def _click_options(command: Any) -> tuple[set[str], set[str]]:
    values: set[str] = set()
    switches: set[str] = set()
    for parameter in command.params:
        if parameter.param_type_name == "option":
            names = {*parameter.opts, *parameter.secondary_opts}
            (switches if parameter.is_flag or parameter.count else values).update(names)
    return values, switches


def _argparse_options(parser: argparse.ArgumentParser) -> tuple[set[str], set[str]]:
    values: set[str] = set()
    switches: set[str] = set()
    for action in parser._actions:
        (switches if action.nargs in (0, "?") else values).update(action.option_strings)
    return values, switches


def _real_options(name: str) -> tuple[set[str], set[str]]:
    if name == "uvicorn":
        return _click_options(importlib.import_module("uvicorn.main").main)
    if name == "granian":
        return _click_options(importlib.import_module("granian.cli").cli)
    if name == "gunicorn":
        return _argparse_options(importlib.import_module("gunicorn.config").Config().parser())
    if name == "daphne":
        return _argparse_options(
            importlib.import_module("daphne.cli").CommandLineInterface().parser
        )
    if name == "flask run":
        cli = importlib.import_module("flask.cli")
        group, run = _click_options(cli.FlaskGroup()), _click_options(cli.run_command)
        return group[0] | run[0], group[1] | run[1]
    commands = importlib.import_module("django.core.management.commands.runserver")
    return _argparse_options(commands.Command().create_parser("manage.py", "runserver"))


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("uvicorn", "uvicorn"),
        ("gunicorn", "gunicorn"),
        ("granian", "granian"),
        ("daphne", "daphne"),
        ("flask run", "flask"),
        ("django runserver", "django"),
    ],
)
def test_options_are_those_of_the_installed_program(name: str, module: str) -> None:
    pytest.importorskip(module)
    values, switches = _real_options(name)
    server = row(name)
    # A plugin may add its own; what the table has must be of the right kind.
    known = server.spec.values | server.spec.switches
    assert values - {"--help"} <= known, values - known
    assert switches <= known, switches - known
    assert not (server.spec.values & switches), server.spec.values & switches
    assert not (server.spec.switches & values), server.spec.switches & values
    assert not (set(server.refused) & (values | switches))


def test_defaults_are_those_of_the_installed_libraries() -> None:
    uvicorn = pytest.importorskip("uvicorn")
    parameters = inspect.signature(uvicorn.run).parameters
    call = table().calls["uvicorn.run"]
    assert (call.host.default, call.port.default) == (
        parameters["host"].default,
        parameters["port"].default,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0:7860", ("0.0.0.0", 7860)),
        (":7860", ("0.0.0.0", 7860)),
        ("0.0.0.0", ("0.0.0.0", None)),
        ("[::]:7860", ("::", 7860)),
        ("tcp://0.0.0.0:7860", ("0.0.0.0", 7860)),
        ("localhost", ("localhost", None)),
        ("", ("0.0.0.0", None)),
    ],
)
def test_gunicorn_addresses(text: str, expected: tuple[str, int | None]) -> None:
    assert addresses.gunicorn(text) == expected
    util = pytest.importorskip("gunicorn.util")
    host, port = util.parse_address(text)
    assert ((host or "0.0.0.0"), port) == (expected[0], expected[1] or 8000)


@pytest.mark.parametrize("text", ["7860", "*:7860", "0.0.0.0:", "0.0.0.0:$PORT", "0.0.0.0:80a"])
def test_gunicorn_refuses(text: str) -> None:
    found = addresses.gunicorn(text)
    assert isinstance(found, str)
    assert not isinstance(found, addresses.Elsewhere)


def test_other_addresses() -> None:
    assert addresses.hypercorn("0.0.0.0") == ("0.0.0.0", None)
    assert addresses.hypercorn("[::]:7860") == ("::", 7860)
    assert isinstance(addresses.hypercorn("unix:/tmp/x"), addresses.Elsewhere)
    assert addresses.waitress("*:7860") == (None, 7860)
    assert isinstance(addresses.waitress(":7860"), str)
    assert addresses.twisted("tcp:7860:interface=0.0.0.0") == ("0.0.0.0", 7860)
    assert addresses.twisted("tcp:port=7860:interface=\\:\\:") == ("::", 7860)
    assert isinstance(addresses.twisted("unix:/tmp/x"), addresses.Elsewhere)
    assert addresses.django("7860") == ("127.0.0.1", 7860)
    assert addresses.django("0:7860") == ("0.0.0.0", 7860)
    assert isinstance(addresses.django("0.0.0.0"), str)
    assert addresses.serve("7860") == (None, 7860)


def _read(text: str, spec: Spec) -> tuple[list[tuple[str, str]], list[str]]:
    options = read_options(tuple(literal(word, PLACE) for word in text.split()), spec)
    given = [(name, word.prefix) for name, word in options.given]
    return given, [word.prefix for word in options.words]


def test_options_of_argparse() -> None:
    spec = Spec("argparse", frozenset({"-b", "--bind", "-w"}), frozenset({"--reload", "-R"}))
    assert _read("-b0.0.0.0:80 app", spec) == ([("-b", "0.0.0.0:80")], ["app"])
    assert _read("-b=x app", spec) == ([("-b", "x")], ["app"])
    assert _read("--bi x --rel app", spec)[0][0] == ("--bind", "x")
    assert _read("-Rw 2 app", spec) == ([("-R", "-Rw"), ("-w", "2")], ["app"])
    assert _read("app -- --bind", spec) == ([], ["app", "--bind"])
    assert read_options((literal("-b", PLACE), literal("--reload", PLACE)), spec).missing


def test_options_of_click() -> None:
    spec = Spec("click", frozenset({"--port", "-p"}), frozenset({"--reload"}))
    assert _read("--port=1 app", spec) == ([("--port", "1")], ["app"])
    assert read_options((literal("--por", PLACE), literal("1", PLACE)), spec).fault
    assert _read("-p1", spec) == ([("-p", "1")], [])
    assert read_options((literal("--port", PLACE),), spec).missing


APP = {"main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n"}


@pytest.mark.parametrize(
    ("command", "env", "expected"),
    [
        ("uvicorn main:app", "", "127.0.0.1:8000"),
        ("uvicorn main:app", "UVICORN_HOST=0.0.0.0 UVICORN_PORT=7860", "0.0.0.0:7860"),
        ("uvicorn main:app --port 1", "UVICORN_PORT=7860", "127.0.0.1:1"),
        ("uvicorn main:app", "UVICORN_PORT=", "127.0.0.1:8000"),
        ("uvicorn main:app", "PORT=7860 HOST=0.0.0.0", "127.0.0.1:8000"),
        ("uvicorn main:app --port 1 --port 2", "", "127.0.0.1:2"),
        ("uvicorn main:app --host '' --port 7860", "", "0.0.0.0:7860"),
        ("uvicorn main:app --host :: --port 7860", "", ":::7860"),
        ("uvicorn main:app --port abc", "", "none"),
        ("uvicorn main:app --port", "", "none"),
        ("uvicorn main:app --host 0.0.0.0:7860", "", "none"),
        ("uvicorn main:app -p 7860", "", "none"),
        ("uvicorn main:app --port 0", "", "unknown"),
        ("uvicorn main:app --uds /tmp/x", "", "none"),
        ("uvicorn main:app --no-such-option 1", "", "none"),
        ("uvicorn main", "", "none"),
        ("uvicorn main:app --debug", "", "none"),
        ("uvicorn main:app --workers two", "", "none"),
        ("uvicorn main:app --log-level INFO", "", "none"),
        ("uvicorn main:app", "UVICORN_LOG_LEVEL=INFO", "none"),
        ("uvicorn main:app", "WEB_CONCURRENCY=two", "none"),
        ("uvicorn main:app --host 192.0.2.7", "", "none"),
        ("uvicorn main:app --host 6000", "", "none"),
        ("uvicorn main:app --host backend", "", "none"),
        ("uvicorn main:app --host localhost", "", "localhost:8000"),
        ("uvicorn --version", "", "none"),
        ("gunicorn main:app", "", "127.0.0.1:8000"),
        ("gunicorn main:app", "PORT=7860", "0.0.0.0:7860"),
        ("gunicorn main:app", "PORT=", "none"),
        ("gunicorn -b :1 main:app", "PORT=7860", "0.0.0.0:1"),
        ("gunicorn main:app", "GUNICORN_CMD_ARGS='--bind=0.0.0.0:2' PORT=3", "0.0.0.0:2"),
        ("gunicorn -p 7860 main:app", "", "127.0.0.1:8000"),
        ("gunicorn -b 7860 main:app", "", "none"),
        ("gunicorn --port 7860 main:app", "", "none"),
        ("gunicorn -b 127.0.0.1:7860 -b 0.0.0.0:7860 main:app", "", "0.0.0.0:7860"),
        ("gunicorn -b 0.0.0.0:1 -b 0.0.0.0:2 main:app", "", "unknown"),
        ("gunicorn -b 127.0.0.1:1 -b 0.0.0.0:2 main:app", "", "0.0.0.0:2"),
        ("gunicorn -b 127.0.0.1:1 -b localhost:2 main:app", "", "127.0.0.1:1"),
        ("gunicorn main:app", "GUNICORN_CMD_ARGS=--no-such-option", "none"),
        ("gunicorn main:app --timeout 2m", "", "none"),
        ("gunicorn main:app --preload-app", "", "none"),
        ("granian --interface asgi main:app --host localhost", "", "none"),
        ("python -m aiohttp.web main:app --no-such-option", "", "unknown"),
        ("streamlit run main.py --server.host 0.0.0.0", "", "none"),
        ("fastapi dev main.py --workers 2", "", "none"),
        ("flask --no-such-option run", "", "none"),
        ("gunicorn -k uvicorn.workers.UvicornWorker main:app -b 0.0.0.0", "", "0.0.0.0:8000"),
        ("gunicorn --daemon -b 0.0.0.0:7860 main:app", "", "none"),
        ("hypercorn main:app -b 0.0.0.0:7860", "PORT=1", "0.0.0.0:7860"),
        ("hypercorn main:app --port 7860", "", "none"),
        ("granian --interface asgi main:app --host 0.0.0.0", "GRANIAN_PORT=7860", "0.0.0.0:7860"),
        ("daphne -b 0.0.0.0 -p 7860 main:app", "", "0.0.0.0:7860"),
        ("daphne -e tcp:7860:interface=0.0.0.0 main:app", "", "0.0.0.0:7860"),
        ("waitress-serve main:app", "", "0.0.0.0:8080"),
        ("waitress-serve --listen=*:7860 main:app", "", "0.0.0.0:7860"),
        ("flask --app main run -h 0.0.0.0 -p 7860", "", "0.0.0.0:7860"),
        ("flask run", "FLASK_APP=main FLASK_RUN_PORT=7860 FLASK_PORT=1", "127.0.0.1:7860"),
        ("flask run", "FLASK_RUN_PORT=7860", "none"),
        ("flask db upgrade", "", "none"),
        ("fastapi run main.py", "", "0.0.0.0:8000"),
        ("fastapi run", "PORT=7860", "0.0.0.0:7860"),
        ("fastapi dev main.py --port 7860", "", "127.0.0.1:7860"),
        ("streamlit run main.py", "PORT=1", "0.0.0.0:8501"),
        ("streamlit run main.py --server.port=7860 --server.address 0.0.0.0", "", "0.0.0.0:7860"),
        ("streamlit run main.py --port 7860", "", "none"),
        ("chainlit run main.py -h --port 7860", "", "127.0.0.1:7860"),
        ("python -m uvicorn main:app --port 7860", "", "127.0.0.1:7860"),
        ("python -m http.server 7860", "", "0.0.0.0:7860"),
        ("python -m http.server -b 127.0.0.1 7860", "", "127.0.0.1:7860"),
        ("django-admin runserver 0.0.0.0:7860 --settings x", "", "0.0.0.0:7860"),
        ("panel serve main.py --address 0.0.0.0 --port 7860", "", "0.0.0.0:7860"),
        ("jupyter lab --ip=0.0.0.0", "", "unknown"),
        ("jupyter-lab --ip=0.0.0.0 --port 7860 --allow-root", "", "0.0.0.0:7860"),
        ("./server --port 7860", "", "none"),
        ("server --port 7860", "", "unknown"),
        ("sleep infinity", "", "none"),
    ],
)
def test_address(tmp_path: Path, command: str, env: str, expected: str) -> None:
    assert address(launch(tmp_path, f"CMD {command}", APP, env=env)) == expected
