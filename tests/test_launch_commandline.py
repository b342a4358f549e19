"""Command lines of Python programs: argparse, click and typer, `sys.argv`."""

from __future__ import annotations

from pathlib import Path

import pytest
from launching import address, launch

ARGPARSE = (
    "import argparse, uvicorn\n"
    "def build():\n"
    "    p = argparse.ArgumentParser()\n"
    "    net = p.add_argument_group('net')\n"
    "    net.add_argument('-H', '--host', default='127.0.0.1')\n"
    "    net.add_argument('-p', '--port', type=int, default='8000')\n"
    "    p.add_argument('--open', action='store_true')\n"
    "    return p\n"
    "def main(argv=None):\n"
    "    args = build().parse_args(argv)\n"
    "    uvicorn.run(1, host='0.0.0.0' if args.open else args.host, port=args.port)\n"
    "main()\n"
)
POSITIONAL = (
    "import argparse, uvicorn\n"
    "p = argparse.ArgumentParser()\n"
    "p.add_argument('port', type=int, nargs='?', default=8000)\n"
    "args = p.parse_args()\n"
    "def main():\n"
    "    uvicorn.run(1, port=args.port)\n"
    "main()\n"
)
COMMANDS = (
    "import argparse, uvicorn\n"
    "def serve(args):\n"
    "    uvicorn.run(1, port=args.port)\n"
    "def stats(args):\n"
    "    print(args.port)\n"
    "p = argparse.ArgumentParser()\n"
    "sub = p.add_subparsers(dest='what', required=True)\n"
    "one = sub.add_parser('serve')\n"
    "one.add_argument('--port', type=int, default=7860)\n"
    "one.set_defaults(run=serve)\n"
    "two = sub.add_parser('stats')\n"
    "two.add_argument('--port', type=int, default=9000)\n"
    "two.set_defaults(run=stats)\n"
    "args = p.parse_args()\n"
    "args.run(args)\n"
)
DEFAULTS = (
    "import argparse, uvicorn\n"
    "p = argparse.ArgumentParser()\n"
    "p.add_argument('--port', type=int, default=8000)\n"
    "p.set_defaults(port=7860)\n"
    "uvicorn.run(1, port=p.parse_args().port)\n"
)
CLICK = (
    "import click, uvicorn\n"
    "@click.group()\n"
    "@click.option('--debug/--no-debug', default=False)\n"
    "def cli(debug):\n"
    "    pass\n"
    "@cli.command()\n"
    "@click.option('-h', '--host', 'bind', default='127.0.0.1')\n"
    "@click.option('-p', '--port', default=8000, envvar=['API_PORT', 'WEB_PORT'])\n"
    "def serve(bind, port):\n"
    "    uvicorn.run(1, host=bind, port=port)\n"
    "@cli.command('fill')\n"
    "def other():\n"
    "    print('filled')\n"
    "if __name__ == '__main__':\n"
    "    cli({})\n"
)
TYPER = (
    "import typer, uvicorn\n"
    "from typing import Annotated\n"
    "app = typer.Typer()\n"
    "@app.command()\n"
    "def serve(port: Annotated[int, typer.Option('--port', '-p', envvar='API_PORT')] = 8000,\n"
    "          host: str = '127.0.0.1', reload: bool = False):\n"
    "    uvicorn.run(1, host=host, port=port)\n"
    "app()\n"
)
TWO = TYPER.replace("app()\n", "@app.command()\ndef fill_up(n: int):\n    print(n)\napp()\n")
KNOWN = ARGPARSE.replace("args = build().parse_args", "args, rest = build().parse_known_args")
CHOICES = (
    "import argparse, uvicorn\n"
    "HOSTS = {'own': '127.0.0.1', 'all': '0.0.0.0'}\n"
    "p = argparse.ArgumentParser()\n"
    "p.add_argument('--host', choices=HOSTS, default='own')\n"
    "p.add_argument('--port', type=int, choices=range(1024, 9000), default=8000)\n"
    "args = p.parse_args()\n"
    "uvicorn.run(1, host=HOSTS[args.host], port=args.port)\n"
)
CHOICE = (
    "import click, uvicorn\n"
    "@click.command()\n"
    "@click.option('--host', type=click.Choice(['127.0.0.1', '0.0.0.0']), default='127.0.0.1')\n"
    "def serve(host):\n"
    "    uvicorn.run(1, host=host, port=7860)\n"
    "serve()\n"
)
ENUM = (
    "import typer, uvicorn\n"
    "from enum import Enum\n"
    "class Host(str, Enum):\n"
    "    own = '127.0.0.1'\n"
    "    every = '0.0.0.0'\n"
    "def serve(host: Host = Host.own):\n"
    "    uvicorn.run(1, host=host.value, port=7860)\n"
    "typer.run(serve)\n"
)


@pytest.mark.parametrize(
    ("text", "words", "env", "expected"),
    [
        (ARGPARSE, "", "", "127.0.0.1:8000"),
        (ARGPARSE, "--open -p7860", "", "0.0.0.0:7860"),
        (ARGPARSE, "--por=7860 -H 0.0.0.0", "", "0.0.0.0:7860"),
        (ARGPARSE, "--unheard-of", "", "none"),
        (ARGPARSE, "--unheard-of $ANY", "ANY=1", "none"),
        (ARGPARSE, "--port 78x", "", "none"),
        (ARGPARSE, "--port", "", "none"),
        (KNOWN, "--unheard-of --port 7860", "", "127.0.0.1:7860"),
        (CHOICES, "", "", "127.0.0.1:8000"),
        (CHOICES, "--host all --port 7860", "", "0.0.0.0:7860"),
        (CHOICES, "--host every", "", "none"),
        (CHOICES, "--port 80", "", "none"),
        (ARGPARSE, "--port $PORT", "PORT=7860", "127.0.0.1:7860"),
        (POSITIONAL, "7860", "", "127.0.0.1:7860"),
        (POSITIONAL, "", "", "127.0.0.1:8000"),
        (COMMANDS, "serve --port 7861", "", "127.0.0.1:7861"),
        (COMMANDS, "stats", "", "none"),
        (COMMANDS, "", "", "none"),
        (DEFAULTS, "", "", "127.0.0.1:7860"),
        (DEFAULTS.replace("p.set_defaults", "p.register"), "", "", "unknown"),
        (CLICK.replace("{}", ""), "--no-debug serve -p7860", "", "127.0.0.1:7860"),
        (CLICK.replace("{}", ""), "serve -h 0.0.0.0", "WEB_PORT=7860", "0.0.0.0:7860"),
        (CLICK.replace("{}", ""), "fill", "", "none"),
        (CLICK.replace("{}", ""), "absent", "", "unknown"),
        (
            CLICK.replace("{}", "auto_envvar_prefix='SHOP'"),
            "serve",
            "SHOP_SERVE_BIND=0.0.0.0",
            "0.0.0.0:8000",
        ),
        (TYPER, "--host 0.0.0.0 -p 7860", "", "0.0.0.0:7860"),
        (TYPER, "", "API_PORT=7860", "127.0.0.1:7860"),
        (TYPER, "--port 78x", "", "none"),
        (TYPER, "--prot 7860", "", "none"),
        (ENUM, "", "", "127.0.0.1:7860"),
        (ENUM, "--host 0.0.0.0", "", "0.0.0.0:7860"),
        (ENUM, "--host ::", "", "none"),
        (CHOICE, "", "", "127.0.0.1:7860"),
        (CHOICE, "--host 0.0.0.0", "", "0.0.0.0:7860"),
        (CHOICE, "--host ::", "", "none"),
        (TWO, "serve --port 7860", "", "127.0.0.1:7860"),
        (TWO, "fill-up 3", "", "none"),
    ],
)
def test_options(tmp_path: Path, text: str, words: str, env: str, expected: str) -> None:
    found = launch(tmp_path, f"CMD python run.py {words}", {"run.py": text}, env=env)
    assert address(found) == expected


def test_a_variable_that_nothing_expands_reaches_the_port(tmp_path: Path) -> None:
    command = 'CMD ["python", "run.py", "--port", "$PORT"]'
    found = launch(tmp_path, command, {"run.py": ARGPARSE}, env="PORT=7860")
    assert address(found) == "none"
    assert [problem.kind for problem in found.problems] == ["exec-form-variable"]
    unused = ARGPARSE.replace("port=args.port", "port=7860").replace("type=int, ", "")
    found = launch(tmp_path, command, {"run.py": unused}, env="PORT=7860")
    assert address(found) == "127.0.0.1:7860"
    assert not found.problems


def test_argv_and_dispatchers(tmp_path: Path) -> None:
    text = (
        "import sys, uvicorn\nport = int(sys.argv[1]) if len(sys.argv) > 1 else 80\n"
        "uvicorn.run(1, port=port)\n"
    )
    assert address(launch(tmp_path, "CMD python r.py 7860", {"r.py": text})) == "127.0.0.1:7860"
    assert address(launch(tmp_path, "CMD python r.py", {"r.py": text})) == "127.0.0.1:80"
    fire = "import fire, uvicorn\ndef go(port=1):\n    uvicorn.run(1, port=port)\nfire.Fire(go)\n"
    assert address(launch(tmp_path, "CMD python r.py --port 1", {"r.py": fire})) == "unknown"
