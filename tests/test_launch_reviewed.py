"""Starts as real projects have them, each with the address that was really opened ("none": it
ended), or "unknown" where that can't be told.
"""

from __future__ import annotations

import pytest

from hfcheck.space.prediction import predict

APP = "import os\nimport uvicorn\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
SERVE = "import threading\nimport time\n" + APP
DJANGO = {
    "web/__init__.py": "",
    "web/settings.py": "import os\nSECRET_KEY = 'x'\nALLOWED_HOSTS = ['*']\n"
    "ROOT_URLCONF = 'web.urls'\n"
    "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n",
    "web/urls.py": "urlpatterns = []\n",
    "web/wsgi.py": "import os\nfrom django.core.wsgi import get_wsgi_application\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'web.settings')\n"
    "application = get_wsgi_application()\n",
    "run.py": "import os\nimport django\nfrom django.core import management\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'web.settings')\n"
    "django.setup()\n",
}
GUNICORN = "gunicorn web.wsgi --bind 0.0.0.0:7860"


def told(command: str, files: dict[str, str], env: str = "") -> str:
    """The prediction in a word."""
    head = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n" + (f"ENV {env}\n" if env else "")
    found = predict(f"{head}CMD {command}\n", files)
    return f"{found.host}:{found.port}" if found.verdict == "listens" else found.verdict


def django(name: str, more: str) -> dict[str, str]:
    """A Django project with more lines in one of its files."""
    return {**DJANGO, name: DJANGO[name] + more}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "class Mode(str, Enum):\n    DEV = 'dev'\n    PROD = 'prod'\n"
            "mode = Mode(os.getenv('MODE', 'prod'))\n"
            "uvicorn.run(app, host='0.0.0.0' if mode == Mode.PROD else '127.0.0.1', port=7860)\n",
            "0.0.0.0:7860",
        ),
        (
            "class Mode(Enum):\n    DEV = 'dev'\n    PROD = 'prod'\n"
            "mode = Mode(os.getenv('MODE', 'production'))\n"
            "uvicorn.run(app, host='0.0.0.0', port=7860)\n",
            "none",
        ),
        (
            "class Mode(Enum):\n    PROD = 'prod'\n"
            "    @classmethod\n    def _missing_(cls, value):\n        return cls.PROD\n"
            "mode = Mode(os.getenv('MODE', 'production'))\n"
            "uvicorn.run(app, host='0.0.0.0', port=7860)\n",
            "0.0.0.0:7860",
        ),
    ],
)
def test_a_value_chooses_a_member_of_an_enum(body: str, expected: str) -> None:
    text = "from enum import Enum\n" + APP + body
    assert told("python main.py", {"main.py": text}) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "class Server:\n    def __init__(self):\n"
            "        uvicorn.run(app, host='0.0.0.0', port=7860)\nServer()\n",
            "0.0.0.0:7860",
        ),
        (
            "class Server:\n    def __init__(self, port):\n        self.port = port\n"
            "        self.run()\n    def run(self):\n"
            "        uvicorn.run(app, host='0.0.0.0', port=self.port)\nServer(7860)\n",
            "0.0.0.0:7860",
        ),
        (
            "class Base:\n    def __init__(self, port=8000):\n        self.port = port\n"
            "class Server(Base):\n    def __init__(self):\n"
            "        super().__init__(port=7860)\n        self.host = '0.0.0.0'\n"
            "server = Server()\nuvicorn.run(app, host=server.host, port=server.port)\n",
            "0.0.0.0:7860",
        ),
        (
            "class Base:\n    def __init__(self, port=8000):\n        self.port = port\n"
            "class Server(Base):\n    def __init__(self, port):\n"
            "        Base.__init__(self, port + 1)\n"
            "uvicorn.run(app, host='0.0.0.0', port=Server(7859).port)\n",
            "0.0.0.0:7860",
        ),
        (
            "from pydantic import BaseModel, Field\n"
            "class Server(BaseModel):\n    host: str = Field('0.0.0.0')\n"
            "    port: int = Field(default_factory=lambda: int(os.getenv('PORT', '7860')))\n"
            "server = Server()\nuvicorn.run(app, host=server.host, port=server.port)\n",
            "0.0.0.0:7860",
        ),
    ],
)
def test_what_a_class_does_when_an_object_is_made(body: str, expected: str) -> None:
    assert told("python main.py", {"main.py": APP + body}) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "class Server(uvicorn.Server):\n    def run_in_thread(self):\n"
            "        threading.Thread(target=self.run).start()\n"
            "def main():\n    config = uvicorn.Config(app, host='0.0.0.0', port=7860)\n"
            "    server = Server(config=config)\n    server.run_in_thread()\n"
            "    while True:\n        time.sleep(1)\n"
            "main()\n",
            "0.0.0.0:7860",
        ),
        (
            "def serve():\n    uvicorn.run(app, **options())\n"
            "def options():\n    return dict(zip(['host'], open('host').read().split()))\n"
            "threading.Thread(target=serve).start()\n"
            "while True:\n    time.sleep(1)\n",
            "unknown",
        ),
    ],
)
def test_a_server_in_a_thread(body: str, expected: str) -> None:
    assert told("python main.py", {"main.py": SERVE + body}) == expected


@pytest.mark.parametrize(
    ("orelse", "expected"),
    [("raise SystemExit(1)", "0.0.0.0:7860"), ("print('gave up')", "0.0.0.0:7860")],
)
def test_a_loop_that_tries_until_it_breaks(orelse: str, expected: str) -> None:
    text = (
        f"{SERVE}for attempt in range(3):\n    try:\n        print('connect')\n        break\n"
        f"    except OSError:\n        time.sleep(1)\nelse:\n    {orelse}\n"
        "uvicorn.run(app, host='0.0.0.0', port=7860)\n"
    )
    assert told("python main.py", {"main.py": text}) == expected


@pytest.mark.parametrize(
    ("command", "line", "expected"),
    [
        ("python app/main.py", "from .config import PORT\n", "none"),
        ("python -m app.main", "from .config import PORT\n", "0.0.0.0:7860"),
        ("python -m app.main", "from ..config import PORT\n", "none"),
        (
            "python app/main.py",
            "try:\n    from .config import PORT\nexcept ImportError:\n    from config import PORT\n",
            "0.0.0.0:7860",
        ),
    ],
)
def test_relative_imports_want_a_package(command: str, line: str, expected: str) -> None:
    text = f"{line}{APP}uvicorn.run(app, host='0.0.0.0', port=PORT)\n"
    files = {"app/__init__.py": "", "app/config.py": "PORT = 7860\n", "app/main.py": text}
    assert told(command, files) == expected


@pytest.mark.parametrize(
    ("command", "files", "expected"),
    [
        (GUNICORN, DJANGO, "0.0.0.0:7860"),
        (GUNICORN, django("web/settings.py", "KEY = os.environ['SECRET_KEY']\n"), "none"),
        (
            GUNICORN,
            django("web/settings.py", "from decouple import config\nKEY = config('SECRET_KEY')\n"),
            "none",
        ),
        (GUNICORN, django("web/settings.py", "KEY = os.getenv('SECRET_KEY')\n"), "0.0.0.0:7860"),
        (
            "python run.py",
            django(
                "run.py",
                "management.call_command('migrate')\n"
                "management.call_command('runserver', '0.0.0.0:7860')\n",
            ),
            "0.0.0.0:7860",
        ),
        (
            "python run.py",
            django("run.py", "management.call_command('runserver', addrport='0.0.0.0:7860')\n"),
            "0.0.0.0:7860",
        ),
        (
            "python run.py",
            django(
                "run.py",
                "management."
                "execute_from_command_line(['manage.py', 'migrate'])\n"
                "management.execute_from_command_line(['manage.py', 'runserver', '7860'])\n",
            ),
            "127.0.0.1:7860",
        ),
        ("python run.py", django("run.py", "management.call_command('migrate')\n"), "none"),
    ],
)
def test_django_started_by_hand(command: str, files: dict[str, str], expected: str) -> None:
    assert told(command, files) == expected


def test_a_host_that_is_no_text_is_not_guessed() -> None:
    text = APP + "import ipaddress\nuvicorn.run(app, host=ipaddress.ip_address('::'), port=7860)\n"
    assert told("python main.py", {"main.py": text}) == "unknown"


FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
SERVER = "uvicorn main:app --host 0.0.0.0 --port 7860"
OPEN = "0.0.0.0:7860"


@pytest.mark.parametrize(
    ("step", "joint", "expected"),
    [
        ("url = os.environ['KEY']\n", "&&", "none"),
        ("url = os.environ['KEY']\n", ";", OPEN),
        ("url = os.environ['KEY']\n", "|| true;", OPEN),
        ("url = os.environ.get('KEY')\n", "&&", OPEN),
        ("try:\n    url = os.environ['KEY']\nexcept KeyError:\n    pass\n", "&&", OPEN),
        ("sys.exit(1)\n", "&&", "none"),
        ("sys.exit(0)\nraise ValueError\n", "&&", OPEN),
        ("raise SystemExit('no')\n", "&&", "none"),
        ("import steps.gone\n", "&&", "none"),
        ("import steps.broken\n", "&&", "none"),
        ("def main(:\n", "&&", "none"),
        ("if not os.getenv('KEY'):\n    sys.exit(1)\n", "&&", "none"),
        ("if not os.getenv('KEY'):\n    print('skipped')\n    sys.exit(0)\n", "&&", OPEN),
        (
            "def main():\n    return 0 if os.getenv('KEY') else 1\n"
            "if __name__ == '__main__':\n    sys.exit(main())\n",
            "&&",
            "none",
        ),
        (
            "import socket\nfor _ in range(1):\n    try:\n"
            "        socket.create_connection(('localhost', 5432), timeout=1)\n"
            "    except OSError:\n        print('waits')\n",
            "&&",
            OPEN,
        ),
    ],
)
def test_a_program_before_the_server(step: str, joint: str, expected: str) -> None:
    files = {
        "main.py": FASTAPI,
        "migrate.py": f"import os\nimport sys\n{step}",
        "steps/__init__.py": "",
        "steps/broken.py": "def main(:\n",
    }
    assert told(f"python migrate.py {joint} {SERVER}", files) == expected
    if joint == "&&":
        script = f"#!/bin/sh\nset -e\npython migrate.py\nexec {SERVER}\n"
        assert told("sh start.sh", {**files, "start.sh": script}) == expected


def test_the_reason_is_that_of_the_program_that_stopped() -> None:
    files = {"main.py": FASTAPI, "migrate.py": "import os\nurl = os.environ['KEY']\n"}
    head = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n"
    found = predict(f"{head}CMD python migrate.py && {SERVER}\n", files)
    assert found.reason == "raises KeyError: KEY is not set"


MANAGE = (
    "import os\nimport sys\nfrom django.core.management import execute_from_command_line\n"
    "if __name__ == '__main__':\n"
    "    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'web.settings')\n"
    "    execute_from_command_line(sys.argv)\n"
)
COMMAND = "from django.core.management.base import BaseCommand\nclass Command(BaseCommand):\n"
HANDLE = (
    "    def handle(self, *args, **options):\n        from waitress import serve\n"
    "        from web.wsgi import application\n"
)


@pytest.mark.parametrize(
    ("command", "body", "expected"),
    [
        (
            "python manage.py serve",
            f"{HANDLE}        serve(application, host='0.0.0.0', port=7860)\n",
            OPEN,
        ),
        (
            "python manage.py serve --port 7860",
            "    def add_arguments(self, parser):\n"
            "        parser.add_argument('--port', type=int, default=8000)\n"
            f"{HANDLE}        serve(application, host='0.0.0.0', port=options['port'])\n",
            "unknown",
        ),
        ("python manage.py serve", "    def handle(self, *a, **options):\n        pass\n", "none"),
        (
            "python manage.py serve",
            f"{HANDLE}        port = options.get('port', 7860)\n"
            "        serve(application, host='0.0.0.0', port=port)\n",
            "unknown",
        ),
        (
            f"python manage.py serve && {GUNICORN}",
            "    def handle(self, *args, **options):\n        print('seeded')\n",
            OPEN,
        ),
        ("python manage.py other", "    pass\n", "unknown"),
        (f"python manage.py other; {GUNICORN}", "    pass\n", OPEN),
        ("python manage.py migrate", "    pass\n", "none"),
    ],
)
def test_a_command_of_the_project(command: str, body: str, expected: str) -> None:
    files = {
        **DJANGO,
        "manage.py": MANAGE,
        "web/management/__init__.py": "",
        "web/management/commands/__init__.py": "",
        "web/management/commands/serve.py": COMMAND + body,
    }
    assert told(command, files) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [("flask serve", "unknown"), ("flask routes", "none"), ("flask db upgrade", "none")],
)
def test_a_command_that_is_added_to_flask(command: str, expected: str) -> None:
    text = (
        "from flask import Flask\napp = Flask(__name__)\n"
        "@app.cli.command('serve')\ndef serve():\n    app.run(host='0.0.0.0', port=7860)\n"
    )
    assert told(command, {"app.py": text}) == expected


@pytest.mark.parametrize(
    ("lines", "command", "expected"),
    [
        ("runserver.default_port = '7860'", "runserver", "127.0.0.1:7860"),
        (
            "runserver.default_port = '7860'\nrunserver.default_addr = '0.0.0.0'",
            "runserver",
            OPEN,
        ),
        ("runserver.default_port = '8000'", "runserver 0.0.0.0:7860", OPEN),
    ],
)
def test_the_default_address_of_runserver(lines: str, command: str, expected: str) -> None:
    head = "from django.core.management.commands.runserver import Command as runserver\n"
    files = {**DJANGO, "manage.py": f"{head}{lines}\n{MANAGE}"}
    assert told(f"python manage.py {command}", files) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from fastapi import FastAPI\napp = FastAPI()\n", "0.0.0.0:8000"),
        ("from fastapi import APIRouter\nrouter = APIRouter()\n", "none"),
        ("from made import app\n", "0.0.0.0:8000"),
    ],
)
def test_fastapi_looks_for_an_application(text: str, expected: str) -> None:
    files = {"main.py": text, "made.py": "from fastapi import FastAPI\napp = FastAPI()\n"}
    assert told("fastapi run main.py", files) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"timeout 0.5 {SERVER}", "none"),
        (f"timeout 1h {SERVER}", OPEN),
        (f"timeout 0 {SERVER}", OPEN),
        (f"timeout 1 sleep infinity || true; {SERVER}", OPEN),
        (f"timeout 1 sleep infinity && {SERVER}", "none"),
    ],
)
def test_a_program_that_is_stopped_after_a_time(command: str, expected: str) -> None:
    assert told(command, {"main.py": FASTAPI}) == expected


def test_a_configuration_by_its_name() -> None:
    text = (
        "from flask import Flask\napp = Flask(__name__)\n"
        "app.config.from_object('config.Config')\n"
        "app.run(host=app.config['HOST'], port=app.config.get('PORT', 5000))\n"
    )
    config = "class Config:\n    HOST = '0.0.0.0'\n    PORT = 7860\n"
    assert told("python app.py", {"app.py": text, "config.py": config}) == OPEN


@pytest.mark.parametrize(
    "body",
    [
        "run = functools.partial(uvicorn.run, app, host='0.0.0.0')\nrun(port=7860)\n",
        "run = functools.partial(uvicorn.run, app, host='0.0.0.0', port=8000)\n"
        "if __name__ == '__main__':\n    run(port=7860)\n",
        "async def main():\n    config = uvicorn.Config(app, host='0.0.0.0', port=7860)\n"
        "    await uvicorn.Server(config).serve()\nanyio.run(main)\n",
        "async def main(port):\n"
        "    server = uvicorn.Server(uvicorn.Config(app, host='0.0.0.0', port=port))\n"
        "    async with anyio.create_task_group() as group:\n"
        "        group.start_soon(server.serve)\nanyio.run(main, 7860)\n",
    ],
)
def test_a_call_that_another_makes(body: str) -> None:
    assert (
        told("python main.py", {"main.py": f"import anyio\nimport functools\n{APP}{body}"}) == OPEN
    )


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("while not found:\n    found = find()\n", OPEN),
        ("while not found:\n    time.sleep(1)\n", "none"),
        ("while True:\n    time.sleep(1)\n", "none"),
    ],
)
def test_a_program_that_waits_for_something(loop: str, expected: str) -> None:
    text = f"import time\nfrom database import find\n\nfound = None\n{loop}print('there')\n"
    files = {
        "main.py": FASTAPI,
        "wait.py": text,
        "database.py": "def find():\n    return open('x')\n",
    }
    assert told(f"python wait.py && {SERVER}", files) == expected


@pytest.mark.parametrize(
    "body",
    [
        "class Api:\n    def __init__(self, port=7860):\n"
        "        self.config = uvicorn.Config(app, host='0.0.0.0', port=port)\n"
        "        self.server = uvicorn.Server(self.config)\n"
        "    def start(self):\n        self.server.run()\nApi().start()\n",
        "class Api:\n    def __init__(self, port):\n"
        "        self.server = uvicorn.Server(uvicorn.Config(app, host='0.0.0.0', port=port))\n"
        "    def start(self):\n        threading.Thread(target=self.server.run).start()\n"
        "api = Api(7860)\napi.start()\nwhile True:\n    time.sleep(1)\n",
    ],
)
def test_an_object_makes_its_server(body: str) -> None:
    assert told("python main.py", {"main.py": SERVE + body}) == OPEN


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"#!/bin/sh\nfunction serve {{\n  {SERVER}\n}}\nserve\n", OPEN),
        (f"#!/bin/sh\nfunction serve() {{\n  {SERVER}\n}}\nserve\n", "none"),
        (f"#!/bin/sh\nset -e\nfunction serve {{\n  {SERVER}\n}}\nserve\n", "none"),
        (f"#!/bin/bash\nfunction serve {{\n  {SERVER}\n}}\nserve\n", OPEN),
    ],
)
def test_the_word_function_in_dash(script: str, expected: str) -> None:
    shell = script.partition("\n")[0].removeprefix("#!/bin/")
    assert told(f"{shell} start.sh", {"main.py": FASTAPI, "start.sh": script}) == expected
