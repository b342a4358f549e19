"""Python programs whose outcome was observed by running them: where they listen, or that they end.

Each is a smallest form of what `tests.differential.launch` found hfcheck to be wrong about.
"""

from __future__ import annotations

import pytest

from hfcheck.space.prediction import predict

ASGI = "async def app(scope, receive, send): ...\n"
SERVE = "import os, sys, uvicorn\n"
FLASK = "from flask import Flask\napp = Flask(__name__)\n"

# Where the address comes from

VALUES = [
    ("'{}'.format(7860)", "0.0.0.0:7860"),
    ("'{port}'.format(port=7860)", "0.0.0.0:7860"),
    ("'%d' % 7860", "0.0.0.0:7860"),
    ("'%s%s' % (78, '60')", "0.0.0.0:7860"),
    ("int(f'{7860!r}')", "unknown"),
    ("max(int(os.getenv('NONE', '7860')), 1024)", "0.0.0.0:7860"),
    ("next((int(os.environ[n]) for n in ('A', 'B') if n in os.environ), 7860)", "0.0.0.0:7860"),
    ("int(sys.argv[1]) if len(sys.argv) > 1 else 7860", "0.0.0.0:7860"),
    ("'80a'", "none"),
    ("'http'", "unknown"),  # 80, where /etc/services says so
    ("int('80a')", "none"),
    ("int(os.environ['PORT'])", "none"),
]


@pytest.mark.parametrize(("port", "expected"), VALUES)
def test_values(port: str, expected: str) -> None:
    text = f"{SERVE}uvicorn.run(1, host='0.0.0.0', port={port})\n"
    assert outcome({"main.py": text}) == expected


FILES = [
    ("json.load(open('config.json'))", '{"s": {"port": 7860}}'),
    ("json.loads(Path('config.json').read_text())", '{"s": {"port": 7860}}'),
    ("json.loads((Path(__file__).parent / 'config.json').read_text())", '{"s": {"port": 7860}}'),
    ("yaml.safe_load(open('config.json'))", "s:\n  port: 7860\n"),
    ("tomllib.loads(open('config.json').read())", "[s]\nport = 7860\n"),
]


@pytest.mark.parametrize(("read", "content"), FILES)
def test_files(read: str, content: str) -> None:
    text = (
        "import json, tomllib, uvicorn, yaml\nfrom pathlib import Path\n"
        f"config = {read}\nuvicorn.run(1, port=config['s']['port'])\n"
    )
    assert outcome({"main.py": text, "config.json": content}) == "127.0.0.1:7860"


@pytest.mark.parametrize(
    "read",
    [
        "from dotenv import load_dotenv\nload_dotenv()\nport = os.environ['PORT']\n",
        "from dotenv import dotenv_values\nport = dotenv_values('.env')['PORT']\n",
    ],
)
def test_references_in_a_variable_file(read: str) -> None:
    text = f"{SERVE}os.environ['BASE'] = '78'\n{read}uvicorn.run(1, port=int(port))\n"
    files = {"main.py": text, ".env": "A=${BASE}6\nLONE\nPORT=${A}0\n"}
    assert outcome(files) == "127.0.0.1:7860"


def test_argument_given_twice() -> None:
    text = f"{SERVE}options = {{'port': 7860}}\nuvicorn.run(1, **options, port=7860)\n"
    assert outcome({"main.py": text}) == "none"


def test_further_files() -> None:
    opened = (
        "import tomllib, uvicorn\nwith open('c.toml', 'rb') as file:\n    c = tomllib.load(file)\n"
        "uvicorn.run(1, port=c['port'])\n"
    )
    assert outcome({"main.py": opened, "c.toml": "port = 7860\n"}) == "127.0.0.1:7860"
    ini = (
        "import configparser, uvicorn\nc = configparser.ConfigParser()\nc.read('c.ini')\n"
        "uvicorn.run(1, host=c['s']['host'], port=c.getint('s', 'port', fallback=1))\n"
    )
    assert outcome({"main.py": ini, "c.ini": "[s]\nhost=0.0.0.0\nPort = 7860\n"}) == "0.0.0.0:7860"
    assert outcome({"main.py": ini, "c.ini": "[s]\nhost=0.0.0.0\n"}) == "0.0.0.0:1"
    values = (
        "import uvicorn\nfrom dotenv import dotenv_values\nc = dotenv_values('.env')\n"
        "uvicorn.run(1, port=int(c['PORT']))\n"
    )
    assert outcome({"main.py": values, ".env": "PORT=7860\n"}) == "127.0.0.1:7860"
    aliases = "import uvicorn, yaml\nuvicorn.run(1, port=yaml.safe_load(open('c'))['p'])\n"
    assert outcome({"main.py": aliases, "c": "a: &a 1\nb: *a\np: 1\n"}) == "unknown"


PROGRAMS = [
    # A dataclass sets its fields itself.
    "from dataclasses import dataclass\n@dataclass\nclass C:\n    port: int = 0\n"
    "    def __post_init__(self):\n        if not self.port:\n            self.port = 7860\n"
    "c = C()\nuvicorn.run(1, port=c.port)",
    "class C:\n    port = 7860\nuvicorn.run(1, port=getattr(C, 'port', 1))",
    "import argparse\np = argparse.ArgumentParser()\np.add_argument('--port', default=7860, type=int)"
    "\na = vars(p.parse_args())\nuvicorn.run(1, port=a['port'])",
    "def main():\n    uvicorn.run('m:app', port=7860, workers=2)\nif __name__ == '__main__':\n"
    "    main()",
    "from fastapi import FastAPI\napp = FastAPI()\nuvicorn.run(app, port=7860, workers=1)",
    "if __name__ in ('__main__',):\n    uvicorn.run('m:app', port=7860, workers=2)",
    # What comes after the server runs when it ends.
    "uvicorn.run(1, port=7860)\nsys.exit(0)",
    "def main():\n    uvicorn.run(1, port=7860)\nsys.exit(main())",
    "def main():\n    uvicorn.run(1, port=7860)\nraise SystemExit(main())",
    "uvicorn.run(1, port=7860)\nraise RuntimeError('ended')",
    # At the same time
    "import asyncio\nasync def work():\n    while True:\n        await asyncio.sleep(1)\n"
    "async def main():\n    server = uvicorn.Server(uvicorn.Config(1, port=7860))\n"
    "    await asyncio.gather(work(), server.serve())\nasyncio.run(main())",
    "import asyncio\nasync def main():\n"
    "    task = asyncio.create_task(uvicorn.Server(uvicorn.Config(1, port=7860)).serve())\n"
    "    await task\n    print('ended')\n    sys.exit(1)\nasyncio.run(main())",
    "import asyncio\nasync def main():\n    async with asyncio.TaskGroup() as group:\n"
    "        group.create_task(uvicorn.Server(uvicorn.Config(1, port=7860)).serve())\n"
    "asyncio.run(main())",
    "import asyncio\nasync def main():\n"
    "    await asyncio.to_thread(uvicorn.run, 1, port=7860)\nasyncio.run(main())",
    "from concurrent.futures import ThreadPoolExecutor\ndef serve():\n    uvicorn.run(1, port=7860)\n"
    "with ThreadPoolExecutor() as pool:\n    pool.submit(serve)",
    "import threading\ndef serve():\n    uvicorn.run(1, port=7860)\n"
    "threading.Thread(target=serve).start()",
    "import threading\nt = threading.Thread(target=uvicorn.run, args=(1,), kwargs={'port': 7860},"
    " daemon=True)\nt.start()\nt.join()",
    "import asyncio\nasync def main():\n    server = await asyncio.start_server(print, '127.0.0.1', 7860)"
    "\n    async with server:\n        await server.serve_forever()\nasyncio.run(main())",
    # What is not made for HTTP
    "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 7860))\ns.listen()\n"
    "while True:\n    s.accept()",
    "import socketserver, http.server\n"
    "class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): ...\n"
    "Server(('127.0.0.1', 7860), 1).serve_forever()",
    "import tornado.httpserver, tornado.ioloop\ns = tornado.httpserver.HTTPServer(1)\n"
    "s.bind(7860, '127.0.0.1')\ns.start()\ntornado.ioloop.IOLoop.current().start()",
    "import waitress\nwaitress.create_server(1, host='127.0.0.1', port=7860).run()",
    # The commands of servers, called
    "uvicorn.main(['m:app', '--port', '7860'])",
    "sys.argv = ['uvicorn', 'm:app', '--port', '7860']\nsys.exit(uvicorn.main())",
    "import runpy\nsys.argv = ['uvicorn', 'm:app', '--port=7860']\n"
    "runpy.run_module('uvicorn', run_name='__main__')",
    "from gunicorn.app.wsgiapp import run\nsys.argv = ['gunicorn', 'm:app', '-b', '127.0.0.1:7860']"
    "\nrun()",
    # Words and classes
    "from sys import argv\nif len(argv) == 2:\n    uvicorn.run(1, port=1)\n"
    "else:\n    uvicorn.run(1, port=7860)",
    "port = 7860\ndef main():\n    number = port\n    for i, word in enumerate(sys.argv[1:]):\n"
    "        if word == '-p':\n            number = int(sys.argv[i + 2])\n"
    "    uvicorn.run(1, port=number)\nmain()",
    "c = {'port': 7860}\nuvicorn.run(1, port=c['port'] if isinstance(c, dict) else 1)",
    # Other programs
    "import subprocess\nsubprocess.run(f'{sys.executable} -m uvicorn m:app --port 7860',"
    " shell=True)",
    "import shlex, subprocess\nsubprocess.run(shlex.split('uvicorn m:app --port 7860'))",
    "import wsgiref.simple_server as w\n"
    "w.WSGIServer(('127.0.0.1', 7860), w.WSGIRequestHandler).serve_forever()",
    "import http.server\ns = http.server.HTTPServer(('127.0.0.1', 7860), 1)\n"
    "while True:\n    s.handle_request()",
    # The configuration of a Flask application
    f"{FLASK}app.config['SERVER_NAME'] = '127.0.0.1:7860'\napp.run()",
    f"{FLASK}app.config.update(SERVER_NAME='h:7860')\napp.run(host='127.0.0.1')",
    f"{FLASK}app.config.from_mapping({{'SERVER_NAME': ':7860'}})\napp.run()",
    f"{FLASK}class C:\n    PORT = 7860\napp.config.from_object(C)\n"
    "def main():\n    app.run(port=app.config['PORT'])\nmain()",
    # Objects that make the address known later
    "from dataclasses import dataclass, replace\n@dataclass\nclass C:\n    host: str = '127.0.0.1'\n"
    "    port: int = 1\nc = replace(C(), port=7860)\nuvicorn.run(1, host=c.host, port=c.port)",
    "import asyncio\nfrom hypercorn.asyncio import serve\nfrom hypercorn.config import Config\n"
    "asyncio.run(serve(1, Config.from_mapping({'bind': ['127.0.0.1:7860']})))",
    "from wsgiref.simple_server import make_server\n"
    "with make_server('127.0.0.1', 7860, 1) as server:\n    server.serve_forever()",
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_programs(text: str) -> None:
    assert outcome({"main.py": f"{SERVE}{text}\n", "m.py": ASGI}) == "127.0.0.1:7860"


ENDS = [
    "async def app(scope, receive, send): ...\nuvicorn.run(app, reload=True)",
    "from fastapi import FastAPI\napp = FastAPI()\nif __name__ == '__main__':\n"
    "    uvicorn.run(app, workers=4)",
    "uvicorn.run('m:app', workers=2)",
    "def main():\n    uvicorn.run('m:app', reload=True)\nmain()",
    "uvicorn.run(1, host='\"0.0.0.0\"')",
    "uvicorn.run(1, host='0.0.0.0\\r')",
    "import http.server\nhttp.server.HTTPServer(('web', 7860), 1).serve_forever()",
    "COUNT = 1 / 0",
    "VALUE = undefined",
    "main()",
    "from helper import absent",
    "from helper.inner import thing",
    "from core.missing import thing",
    "from granian import Granian\nGranian('m:app', address='localhost').serve()",
    "import threading\nthreading.Thread(target=lambda: uvicorn.run(1), daemon=True).start()\n"
    "sys.exit()",
    "import threading\nt = threading.Thread(target=lambda: uvicorn.run(1))\nt.daemon = True\n"
    "t.start()\nos._exit(0)",
    "from aiohttp import web\nimport asyncio\nasync def main():\n"
    "    site = web.TCPSite(1, 'localhost', int(os.environ['PORT']))\n    await site.start()\n"
    "    await asyncio.Event().wait()\nasyncio.run(main())",
]


@pytest.mark.parametrize("text", ENDS)
def test_ends(text: str) -> None:
    files = {
        "main.py": f"{SERVE}{text}\nuvicorn.run(1, port=7860)\n",
        "m.py": ASGI,
        "helper.py": "there = 1\n",
        "core/__init__.py": "",
    }
    assert outcome(files) == "none"


READERS = [
    ("PORT=7860 # the port", "none"),
    ('PORT = "7860"', "127.0.0.1:7860"),
    ("export PORT=7860", "none"),
    ("#PORT=1\nPORT=7860", "127.0.0.1:7860"),
]


@pytest.mark.parametrize(("entry", "expected"), READERS)
def test_decouple(entry: str, expected: str) -> None:
    text = (
        "import uvicorn\nfrom decouple import config\nuvicorn.run(1, port=config('PORT', cast=int))"
    )
    assert outcome({"main.py": f"{text}\n", ".env": f"{entry}\n"}) == expected


SURE = [
    # A library is found before a plain folder of its name.
    ("from alembic.config import Config", {"alembic/env.py": ""}),
    ("try:\n    import gone\n    gone_too.run()\nexcept ImportError:\n    pass", {}),
    (
        "class C:\n    def __init__(self):\n        self.x = None\n"
        "    def fill(self):\n        self.x = 'a'\nc = C()\nc.fill()\nc.x.strip()",
        {},
    ),
]


@pytest.mark.parametrize(("text", "files"), SURE)
def test_what_is_no_failure(text: str, files: dict[str, str]) -> None:
    program = f"import uvicorn\n{text}\nuvicorn.run(1, port=7860)\n"
    assert outcome({"main.py": program, **files}) == "127.0.0.1:7860"


def test_an_exit_after_what_is_not_known() -> None:
    text = "import sys, thing\nsys.exit(thing.main())\n"
    assert outcome({"main.py": text}) == "unknown"


MODULES = [
    ("python -m app", {"app/server.py": SERVE}, "none"),
    ("python -m src.main", {"main.py": SERVE}, "none"),
    ("python -m app", {"app/__main__.py": f"{SERVE}uvicorn.run(1, port=7860)\n"}, "127.0.0.1:7860"),
    ("python main.py", {"main.py": "import utils.names\n", "src/utils/names.py": ""}, "none"),
]


@pytest.mark.parametrize(("command", "files", "expected"), MODULES)
def test_modules(command: str, files: dict[str, str], expected: str) -> None:
    assert outcome(files, command) == expected


def outcome(files: dict[str, str], command: str = "python main.py") -> str:
    """`host:port`, `none` or `unknown`."""
    text = (
        f"FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install uvicorn\nCMD {command}\n"
    )
    found = predict(text, files)
    return f"{found.host}:{found.port}" if found.verdict == "listens" else found.verdict
