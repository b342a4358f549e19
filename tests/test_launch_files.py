"""Files that a server reads or looks for before it listens; outcomes as they really were."""

from __future__ import annotations

import pytest

from hfcheck.space.prediction import predict

ASGI = "async def app(scope, receive, send): ...\n"
FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
LITESTAR = "from litestar import Litestar\n\napp = Litestar([])\n"
DJANGO = {
    "web/manage.py": "import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'core.settings')\n"
    "from django.core.management import execute_from_command_line\n"
    "execute_from_command_line(sys.argv)\n",
    "web/core/__init__.py": "",
    "web/core/settings.py": "SECRET_KEY = 'x'\n",
}
DOTENV = "RUN pip install flask python-dotenv\n"


def told(dockerfile: str, files: dict[str, str]) -> str:
    """The prediction in a word."""
    found = predict(f"FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n{dockerfile}\n", files)
    if found.verdict != "listens":
        return found.verdict
    return f"{found.host}:{found.port}"


@pytest.mark.parametrize(
    ("command", "files", "expected"),
    [
        ("flask run", {"app.py": FLASK}, "127.0.0.1:5000"),
        ("flask run", {"wsgi.py": FLASK}, "127.0.0.1:5000"),
        ("flask run", {"main.py": FLASK}, "none"),
        ("flask --app api/web.py run", {"api/web.py": FLASK + "import api.web\n"}, "none"),
        ("python -m flask --app api/web.py run", {"api/web.py": FLASK}, "127.0.0.1:5000"),
        ("quart run", {"app.py": FLASK}, "127.0.0.1:5000"),
        ("quart run", {"wsgi.py": FLASK}, "none"),
        ("quart --app missing.main:app run", {"app.py": FLASK}, "none"),
        ("litestar run", {"app.py": LITESTAR}, "127.0.0.1:8000"),
        ("litestar run", {"app/main.py": LITESTAR}, "127.0.0.1:8000"),
        ("litestar run", {"app/main.py": "1 / 0\n" + LITESTAR, "app/__init__.py": ""}, "none"),
        ("litestar run", {"main.py": LITESTAR}, "none"),
        ("litestar --app main run", {"main.py": LITESTAR}, "none"),
        ("sanic server.app", {"server.py": "app = 1\n"}, "127.0.0.1:8000"),
        ("sanic server", {"server.py": "app = 1\n"}, "127.0.0.1:8000"),
        ("sanic server:other", {"server.py": "app = 1\n"}, "none"),
        ("fastapi run", {"api.py": FASTAPI}, "0.0.0.0:8000"),
        ("fastapi run", {"server.py": FASTAPI}, "none"),
        ("fastapi run main.py", {"server.py": FASTAPI}, "none"),
        ("fastapi run server.py --app other", {"server.py": FASTAPI}, "none"),
        ("fastapi run app", {"app/__init__.py": "", "app/main.py": FASTAPI}, "none"),
        (
            "fastapi run app",
            {"app/__init__.py": "from .main import app\n", "app/main.py": FASTAPI},
            "0.0.0.0:8000",
        ),
        ("fastapi run -e server:app", {"server.py": FASTAPI}, "0.0.0.0:8000"),
        ("fastapi run -e server", {"server.py": FASTAPI}, "none"),
        (
            "fastapi run",
            {"server.py": FASTAPI, "pyproject.toml": '[tool.fastapi]\nentrypoint = "server:app"\n'},
            "0.0.0.0:8000",
        ),
        (
            "fastapi run",
            {"server.py": FASTAPI, "pyproject.toml": '[tool.fastapi]\nentrypoint = "sever:app"\n'},
            "none",
        ),
    ],
)
def test_applications_that_a_server_finds(
    command: str, files: dict[str, str], expected: str
) -> None:
    assert told(f"CMD {command}", files) == expected


@pytest.mark.parametrize(
    ("dockerfile", "files", "expected"),
    [
        (
            f"{DOTENV}CMD flask run",
            {"app.py": FLASK, ".env": "FLASK_RUN_PORT=1\n", ".flaskenv": "FLASK_RUN_PORT=2\n"},
            "127.0.0.1:1",
        ),
        (
            f"{DOTENV}ENV FLASK_RUN_PORT=3\nCMD flask run",
            {"app.py": FLASK, ".flaskenv": "FLASK_RUN_PORT=2\nFLASK_RUN_HOST='0.0.0.0'\n"},
            "0.0.0.0:3",
        ),
        (
            f"{DOTENV}CMD flask run",
            {"main.py": FLASK, ".flaskenv": "FLASK_APP=main\n"},
            "127.0.0.1:5000",
        ),
        ("CMD flask run", {"app.py": FLASK, ".env": "FLASK_RUN_PORT=1\n"}, "unknown"),
        ("CMD hypercorn main:app -c h.toml", {"h.toml": 'bind = ":7860"\n'}, "0.0.0.0:7860"),
        ("CMD hypercorn main:app -c h.toml", {"h.toml": "bind = :7860\n"}, "none"),
        ("CMD hypercorn main:app -c missing.toml", {}, "none"),
        ("CMD hypercorn main:app -c file:h.py", {"h.py": "bind = [':7860']\n"}, "0.0.0.0:7860"),
        ("CMD hypercorn main:app -c python:h", {"h.py": "bind = ':7860'\n"}, "none"),
        ("CMD python -m hypercorn main:app -c python:h", {"h.py": "bind = ':1'\n"}, "0.0.0.0:1"),
        ("CMD uvicorn main:app --log-config log.yaml", {}, "none"),
        ("CMD uvicorn main:app --log-config log.yaml", {"log.yaml": ""}, "127.0.0.1:8000"),
        (
            "CMD echo '{}' > log.yaml && uvicorn main:app --log-config log.yaml",
            {},
            "127.0.0.1:8000",
        ),
        ("CMD uvicorn main:app --ssl-certfile cert.pem", {}, "none"),
        ("CMD python web/manage.py runserver 0.0.0.0:7860", DJANGO, "0.0.0.0:7860"),
        ("CMD hypercorn main:app", {"main.py": "def broken(:\n"}, "none"),
    ],
)
def test_files_that_a_server_reads(dockerfile: str, files: dict[str, str], expected: str) -> None:
    assert told(dockerfile, {"main.py": ASGI, **files}) == expected
