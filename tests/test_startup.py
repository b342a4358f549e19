"""What stops the start for want of a variable: each case is judged by really running it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from worlds import world

from hfcheck.space.code.startup import Startup, work_out_startup
from hfcheck.space.environ import required_reads

# The text of main.py, and the variables that it needs one after the other.
STOPS: list[tuple[str, list[str]]] = [
    ("import os\nX = os.environ['A']", ["A"]),
    ("from os import environ\nX = environ['A']\nY = environ['B']", ["A", "B"]),
    ("import os\nX = os.getenv('A')\nif not X:\n    raise ValueError('A')", ["A"]),
    ("import os\nX = os.getenv('A')\nif X is None:\n    raise ValueError('A')", ["A"]),
    ("import os, sys\nif 'A' not in os.environ:\n    sys.exit(1)", ["A"]),
    ("import os\nX = os.getenv('A')\nassert X, 'A is needed'", ["A"]),
    ("import os\nX = int(os.getenv('A'))", ["A"]),
    ("import os\nX = os.getenv('A').split(',')", ["A"]),
    ("import os\nif not os.getenv('A') or not os.getenv('B'):\n    raise ValueError", ["A", "B"]),
    (
        "import os\nfor name in ('A', 'B'):\n    if not os.getenv(name):\n"
        "        raise RuntimeError(name)",
        ["A", "B"],
    ),
    (
        "import os\nmissing = [n for n in ['A', 'B'] if not os.getenv(n)]\n"
        "if missing:\n    raise RuntimeError(', '.join(missing))",
        ["A", "B"],
    ),
    (
        "import os\nclass Config:\n    KEY = os.getenv('A', '')\n"
        "    def check(self):\n        if not self.KEY:\n            raise ValueError('A')\n"
        "config = Config()\nconfig.check()",
        ["A"],
    ),
    (
        "import os\nclass Config:\n    def __init__(self):\n        self.key = os.environ['A']\n"
        "config = Config()",
        ["A"],
    ),
    (
        "import os\ndef need(name):\n    value = os.getenv(name)\n    if value is None:\n"
        "        raise KeyError(name)\n    return value\nX = need('A')",
        ["A"],
    ),
    ("import os\ndef make():\n    return {'url': os.environ['A']}\napp = make()", ["A"]),
    ("import os\ntry:\n    X = os.environ['A']\nexcept KeyError:\n    raise SystemExit(1)", ["A"]),
    ("import os\nclass C:\n    X = os.environ['A']", ["A"]),
    (
        "import os\nclass S:\n    def __init__(self):\n        self.kind = os.getenv('B', 'x')\n"
        "        self.key = os.getenv('A', '').strip()\n        if self.kind == 'x' and not self.key:\n"
        "            raise ValueError('A')\ns = S()",
        ["A"],
    ),
    (
        "import os\nclass S:\n    def __init__(self, key=None):\n        self.key = key\n"
        "        if not self.key:\n            value = os.getenv('A')\n"
        "            if not value:\n                raise ValueError('A')\n"
        "            self.key = value\ns = S()",
        ["A"],
    ),
    ("import os\ntry:\n    X = os.environ['B']\nexcept KeyError:\n    X = os.environ['A']", ["A"]),
    (
        "import os\nclass Missing(Exception):\n    pass\ntry:\n    X = os.environ['A']\n"
        "except KeyError as error:\n    raise Missing('A') from error",
        ["A"],
    ),
    ("import os, sys\ndef main():\n    return os.environ['A']\nsys.stdout.write(main())", ["A"]),
    ("import os\ndef f(x=os.environ['A']):\n    return x", ["A"]),
]

STARTS = [
    "import os\nfor k in ('A', 'B'):\n    os.environ.setdefault(k, 'x')\nX = os.environ['A']",
    "import os\nos.environ.update({'A': 'x'}, B='y')\nX = os.environ['A'] + os.environ['B']",
    "import os\nos.environ |= {'A': 'x'}\nX = os.environ['A']",
    'import os, json\nfor k, v in json.loads(\'{"A": "x"}\').items():\n    os.environ[k] = v\n'
    "X = os.environ['A']",
    "import os\nclass Base(Exception):\n    pass\nclass Mine(Base):\n    pass\n"
    "def need():\n    if not os.getenv('A'):\n        raise Mine('A')\n"
    "try:\n    need()\nexcept Base:\n    X = 'd'",
    "import os\ntry:\n    X = os.environ['A']\n    Y = os.environ['B']\nexcept KeyError:\n    X = 'd'",
    "import os\ndef g():\n    yield 1\n    os.environ['A']\nX = next(g())",
    "import os\nos.environ['A'] = 'x'\nX = os.environ['A']",
    "import os\nos.environ.setdefault('A', 'x')\nX = os.environ['A']",
    "import os\nclass S:\n    def __init__(self, key=None):\n        self.key = key\n"
    "        if not self.key:\n            raise ValueError(os.getenv('A'))\ns = S('k')",
    "import os\nX = os.environ.get('A')",
    "import os\nX = os.getenv('A') or os.getenv('B') or 'c'",
    "import os\ntry:\n    X = os.environ['A']\nexcept KeyError:\n    X = 'd'",
    "import os\ndef handler():\n    return os.environ['A']",
    "import os\nif os.getenv('B'):\n    X = os.environ['A']",
    "import os\nX = os.environ['A'] if 'A' in os.environ else 'd'",
    "import os\nX = lambda: os.environ['A']",
    "import os\nfrom contextlib import suppress\nwith suppress(KeyError):\n    X = os.environ['A']",
    "import os\nX = os.getenv('A')\nif not X:\n    print('no A')",
    "import os\nif __name__ == '__main__x':\n    X = os.environ['A']",
    "import os\nX = os.getenv('A', 'd')\nif not X:\n    raise ValueError",
    "import os\nif os.getenv('ENV') == 'production':\n    X = os.environ['A']",
    "import os\nos.environ.setdefault('B', 'x')\nclass C:\n    def f(self):\n"
    "        return os.environ['A']\nc = C()",
]


def startup(text: str, env: dict[str, str]) -> Startup:
    module, evaluator = world({"/app/main.py": text}, env)
    return work_out_startup(evaluator.python, evaluator, [module])


def fails(text: str, env: dict[str, str], folder: Path) -> bool:
    path = folder / "main.py"
    path.write_text(text)
    clean = {k: v for k, v in os.environ.items() if k not in ("A", "B", "ENV")}
    run = subprocess.run(
        [sys.executable, "-c", "import main"],
        cwd=folder,
        env={**clean, **env},
        capture_output=True,
    )
    return run.returncode != 0


@pytest.mark.parametrize(("text", "names"), STOPS)
def test_stops_until_the_variables_are_set(text: str, names: list[str], tmp_path: Path) -> None:
    assert [read.name for read in required_reads(startup(text, {}))] == names
    assert fails(text, {}, tmp_path)
    every = dict.fromkeys(names, "1")
    assert required_reads(startup(text, every)) == []
    assert not fails(text, every, tmp_path)


@pytest.mark.parametrize("text", STARTS)
def test_starts_without(text: str, tmp_path: Path) -> None:
    assert required_reads(startup(text, {})) == []
    assert not fails(text, {}, tmp_path)


def test_the_place_shows_the_name_of_the_variable() -> None:
    text = (
        "import os\ndef need(name):\n    value = os.getenv(name)\n    if not value:\n"
        "        raise ValueError(name)\n    return value\nclass C:\n    def __init__(self):\n"
        "        self.key = need('A')\nc = C()"
    )
    (read,) = required_reads(startup(text, {}))
    assert read.place.text == "'A'"


def test_one_of_two_is_enough() -> None:
    text = "import os\nif not os.getenv('A') and not os.getenv('B'):\n    raise ValueError"
    (read,) = required_reads(startup(text, {}))
    assert (read.name, read.alternatives) == ("A", ("B",))


def test_only_modules_that_are_imported_count() -> None:
    files = {
        "/app/main.py": "from pkg import used\n",
        "/app/pkg/__init__.py": "",
        "/app/pkg/used.py": "import os\nX = os.environ['A']",
        "/app/pkg/unused.py": "import os\nX = os.environ['B']",
    }
    module, evaluator = world(files)
    found = work_out_startup(evaluator.python, evaluator, [module])
    assert [read.name for read in required_reads(found)] == ["A"]
    assert [m.name for m in found.modules] == ["main", "pkg", "pkg.used"]


def test_import_inside_a_called_factory_and_a_lifespan() -> None:
    files = {
        "/app/main.py": (
            "from fastapi import FastAPI\n"
            "async def lifespan(app):\n    import started\n    yield\n"
            "def create_app():\n    import made\n    return FastAPI(lifespan=lifespan)\n"
            "app = create_app()\n"
            "@app.get('/')\ndef root():\n    import later\n"
        ),
        "/app/started.py": "",
        "/app/made.py": "",
        "/app/later.py": "",
    }
    module, evaluator = world(files)
    found = work_out_startup(evaluator.python, evaluator, [module])
    assert [m.name for m in found.modules] == ["main", "made", "started"]


def test_search_path_changed_by_the_code() -> None:
    files = {
        "/app/main.py": (
            "import sys\nfrom pathlib import Path\n"
            "sys.path.insert(0, str(Path(__file__).parent / 'src'))\nimport inner\n"
        ),
        "/app/src/inner.py": "import os\nX = os.environ['A']",
    }
    module, evaluator = world(files)
    found = work_out_startup(evaluator.python, evaluator, [module])
    assert [read.name for read in required_reads(found)] == ["A"]


def test_one_of_two_read_with_or_is_enough() -> None:
    text = "import os\nX = os.getenv('A') or os.getenv('B')\nif not X:\n    raise ValueError"
    (read,) = required_reads(startup(text, {}))
    assert (read.name, read.alternatives) == ("A", ("B",))


def test_a_module_that_is_imported_by_name() -> None:
    files = {
        "/app/main.py": (
            "import importlib\nfor name in ('one', 'two'):\n    importlib.import_module(name)\n"
        ),
        "/app/one.py": "",
        "/app/two.py": "",
    }
    module, evaluator = world(files)
    found = work_out_startup(evaluator.python, evaluator, [module])
    assert [m.name for m in found.modules] == ["main", "one", "two"]


def test_missing_submodule_of_the_own_package() -> None:
    files = {"/app/main.py": "from pkg.gone import x\n", "/app/pkg/__init__.py": ""}
    module, evaluator = world(files)
    found = work_out_startup(evaluator.python, evaluator, [module])
    assert [m.name for m in found.missing] == ["pkg.gone"]
