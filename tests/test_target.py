"""Import targets: hfcheck's verdict against uvicorn's and gunicorn's own importers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hfcheck.space.launch.loadable import LOADED
from tests.differential.target.case import Case
from tests.differential.target.compare import compare, run
from tests.differential.target.oracle import Oracle
from tests.launching import launch

ASGI = "async def app(scope, receive, send):\n    pass\n"
FAST = "from fastapi import FastAPI\n"
APP = FAST + "app = FastAPI()\n"


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle() as made:
        yield made


def test_generated_cases() -> None:
    results = run(100, seed=5)
    assert [result for result in results if result.differs] == []
    assert sum(result.predicted == "unknown" for result in results) <= 6


@pytest.mark.parametrize(
    ("command", "files", "kind"),
    [
        # Names and what is bound to them
        ("uvicorn main:app", {"main.py": APP}, "ok"),
        ("uvicorn main:app", {"main.py": APP + "del app\n"}, "missing attribute"),
        ("uvicorn main:app", {"main.py": "app: object\n"}, "missing attribute"),
        ("uvicorn main:app", {"main.py": FAST + "if False:\n    app = 1\n"}, "missing attribute"),
        ("uvicorn main:app", {"main.py": FAST + "if (app := FastAPI()):\n    pass\n"}, "ok"),
        (
            "uvicorn main:app",
            {"main.py": "try:\n    raise OSError\nexcept OSError as app:\n    pass\n"},
            "missing attribute",
        ),
        (
            "uvicorn main:app",
            {"main.py": ASGI + "def f():\n    global app\n    del app\nf()\n"},
            "missing attribute",
        ),
        ("uvicorn main:app", {"main.py": "def f():\n    app = 1\nf()\n"}, "missing attribute"),
        ("uvicorn main:app", {"main.py": FAST + "globals()['app'] = FastAPI()\n"}, "ok"),
        (
            "uvicorn main:app",
            {"main.py": "def __getattr__(name):\n    raise AttributeError(name)\n"},
            "missing attribute",
        ),
        ("uvicorn main:H.app", {"main.py": "class H:\n    app = len\n"}, "ok"),
        ("uvicorn main:H.app", {"main.py": "class H:\n    other = 1\n"}, "missing attribute"),
        ("uvicorn main:app.inner", {"main.py": ASGI}, "missing attribute"),
        ("gunicorn main:H.app", {"main.py": "class H:\n    app = len\n"}, "bad name"),
        ("gunicorn gone.main:H.app", {"main.py": "class H:\n    app = len\n"}, "missing module"),
        # Packages and submodules
        ("uvicorn app:app", {"app/__init__.py": "", "app/app.py": ASGI}, "missing attribute"),
        ("uvicorn app:app", {"app/__init__.py": "from . import app", "app/app.py": ASGI},
         "not callable"),
        ("uvicorn app:app", {"app/__init__.py": "from .app import app", "app/app.py": ASGI}, "ok"),
        ("uvicorn app:app", {"app/main.py": ASGI, "app.py": ASGI}, "ok"),
        ("uvicorn app.main:app", {"app/main.py": ASGI, "app.py": ASGI}, "missing module"),
        ("uvicorn app:app", {"app/main.py": ASGI}, "missing attribute"),
        ("uvicorn Main:app", {"main.py": ASGI}, "missing module"),
        ("uvicorn app/main.py:app", {"app/main.py": ASGI}, "missing module"),
        ("uvicorn main.py:app", {"main.py": ASGI}, "missing module"),
        ("uvicorn main.py:app", {"main.py": "def app(:\n"}, "fails"),
        ("uvicorn main.py:app", {"main.py": "raise ValueError\n"}, "fails"),
        ("uvicorn email:app", {"email.py": ASGI}, "missing attribute"),
        ("uvicorn code:app", {"code.py": ASGI}, "ok"),
        # Imports
        ("uvicorn main:app", {"main.py": "from o import *\n", "o.py": ASGI + "__all__ = ['x']\n"},
         "fails"),
        ("uvicorn main:app", {"main.py": "from o import *\n", "o.py": ASGI + "__all__ = []\n"},
         "missing attribute"),
        ("uvicorn main:app", {"main.py": "from .o import app\n", "o.py": ASGI}, "fails"),
        ("uvicorn a.main:app", {"a/main.py": "from o import app\n", "a/o.py": ASGI}, "fails"),
        ("uvicorn a.main:app", {"a/main.py": "from .o import app\n", "a/o.py": ASGI}, "ok"),
        ("uvicorn main:app", {"main.py": "from o import x\n" + ASGI, "o.py": "from main import app\nx = 1\n"},
         "fails"),
        ("uvicorn a.m:app", {"a/m.py": "import a.o\n", "a/o.py": "import a.m\na.m.app = len\n"},
         "fails"),
        (
            "uvicorn main:app",
            {"main.py": "try:\n    from gone.x import app\nexcept ImportError:\n    from o import app\n",
             "o.py": ASGI, "gone/__init__.py": ""},
            "ok",
        ),
        # Factories
        ("uvicorn --factory main:app", {"main.py": APP}, "factory misuse"),
        ("uvicorn --factory main:f", {"main.py": "def f(x): ...\n"}, "factory misuse"),
        ("uvicorn main:f", {"main.py": APP + "def f():\n    return app\n"}, "ok"),
        ("uvicorn main:f", {"main.py": "def f():\n    return 'text'\n"}, "not callable"),
        ("uvicorn main:f", {"main.py": "class f:\n    pass\n"}, "not callable"),
        ("gunicorn 'main:f(1)'", {"main.py": "def f(): ...\n"}, "factory misuse"),
        ("gunicorn 'main:f()'", {"main.py": "def f(): ...\n"}, "not callable"),
        ("gunicorn 'main:f(x)'", {"main.py": "def f(x): ...\n"}, "bad name"),
        ("gunicorn main:app", {"main.py": "app = None\n"}, "not callable"),
        ("gunicorn main:app", {"main.py": "import json as app\n"}, "not callable"),
        ("gunicorn main", {"main.py": "application = len\n"}, "ok"),
        ("gunicorn main", {"main.py": ASGI}, "missing attribute"),
        ("gunicorn 'main:f(1)'", {"main.py": "import functools\n@functools.cache\ndef f(): ...\n"},
         "factory misuse"),
        # Where modules are looked for
        ("uvicorn --app-dir src main:app", {"src/main.py": ASGI}, "ok"),
        ("uvicorn --app-dir src main:app", {"src/x.py": "", "main.py": ASGI}, "missing module"),
        ("python -m uvicorn --app-dir src main:app", {"src/x.py": "", "main.py": ASGI}, "ok"),
        ("uvicorn --app-dir src main:app", {"src/main.py": "import o\n" + ASGI, "o.py": ""},
         "fails"),
        ("gunicorn --chdir src main:app", {"src/main.py": "import o\n" + ASGI, "o.py": ""}, "ok"),
        ("gunicorn --chdir a --pythonpath b main:app", {"a/b/main.py": ASGI, "b/o.py": ""}, "ok"),
        ("gunicorn --pythonpath a,b main:app", {"a/main.py": ASGI, "b/main.py": ""},
         "missing attribute"),
    ],
)  # fmt: skip
def test_targets(oracle: Oracle, command: str, files: dict[str, str], kind: str) -> None:
    words = tuple(word.strip("'") for word in command.split())
    bare = "email" in command or "code" in command
    target = next(w for w in words if ":" in w or w == "main")
    files = {"requirements.txt": "fastapi\nuvicorn\ngunicorn\n", **files}
    case = Case(command, files, words, target, bare=bare)
    result = compare(case, oracle)
    assert (result.real, result.predicted) == (kind, kind), (result.said, result.reason)


@pytest.mark.parametrize("server", ["uvicorn", "gunicorn"])
def test_what_a_server_has_imported_before(server: str) -> None:
    start = {"uvicorn": "uvicorn.main", "gunicorn": "gunicorn.app.wsgiapp, gunicorn.workers.sync"}
    code = f"import sys, {start[server]}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(f"{LOADED['any']} {LOADED[server]}".split()) <= set(ran.stdout.split())


def test_a_finding_only_where_the_server_stops(tmp_path: Path) -> None:
    def kinds(command: str, text: str) -> list[str]:
        return [
            each.kind for each in launch(tmp_path, f"CMD {command}", {"main.py": text}).problems
        ]

    assert kinds("uvicorn main:app", "import gone.x\napp = None\n") == []
    assert kinds("uvicorn main:app", "app = None\n") == []
    assert kinds("gunicorn main:app", "app = None\n") == ["app-target-missing"]
    assert kinds("uvicorn main:app", "from library import *\n") == []
    assert kinds("uvicorn main:app", "if unknown():\n    app = 1\n") == []
    assert kinds("uvicorn --factory main:app", APP) == ["app-target-missing"]
    assert kinds("hypercorn main:app", "app = None\n") == []
