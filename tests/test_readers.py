"""Libraries that read the environment: what stops the start, judged by really running them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from worlds import world

from hfcheck.space.code.startup import work_out_startup
from hfcheck.space.environ import required_reads

# main.py, the variables it needs, and the files beside it.
CASES: list[tuple[str, list[str], dict[str, str]]] = [
    ("from decouple import config\nX = config('A')", ["A"], {}),
    ("from decouple import config\nX = config('A', 'd')\nY = config('B', default='e')", [], {}),
    ("from decouple import config\nX = config('A', cast=int, default=1)", [], {}),
    ("from decouple import config\nX = config('A')", [], {".env": "A=1\n"}),
    ("from decouple import config\nX = config('A')", [], {"settings.ini": "[settings]\nA=1\n"}),
    ("from environs import Env\nenv = Env()\nX = env('A')", ["A"], {}),
    ("from environs import Env\nenv = Env()\nX = env.str('A')\nY = env.int('B', 3)", ["A"], {}),
    (
        "from environs import Env\nenv = Env()\nenv.read_env()\nX = env.str('A')",
        [],
        {".env": "A=1\n"},
    ),
    (
        "from environs import Env, EnvError\nenv = Env()\ntry:\n    X = env('A')\n"
        "except EnvError:\n    X = 'd'",
        [],
        {},
    ),
    ("import environ\nenv = environ.Env()\nX = env('A')", ["A"], {}),
    ("import environ\nenv = environ.Env(A=(bool, False))\nX = env('A')", [], {}),
    ("import environ\nenv = environ.Env()\nX = env.str('A', default='d')", [], {}),
    ("from starlette.config import Config\nconfig = Config()\nX = config('A')", ["A"], {}),
    (
        "from starlette.config import Config\nconfig = Config()\nX = config('A', default='d')",
        [],
        {},
    ),
    ("from starlette.config import Config\nX = Config('.env')('A')", [], {".env": "A=1\n"}),
    (
        "import os\nfrom dotenv import load_dotenv\nload_dotenv()\nX = os.environ['A']",
        [],
        {".env": "A=1\n"},
    ),
    ("import os\nfrom dotenv import load_dotenv\nload_dotenv()\nX = os.environ['A']", ["A"], {}),
    (
        "import os\nfrom dotenv import find_dotenv, load_dotenv\nload_dotenv(find_dotenv())\n"
        "X = os.environ['A']",
        [],
        {".env": "A=1\n"},
    ),
    (
        "import os\nfrom pathlib import Path\nfrom dotenv import load_dotenv\n"
        "load_dotenv(Path(__file__).parent / 'conf' / 'prod.env')\nX = os.environ['A']",
        [],
        {"conf/prod.env": "export A='1' # one\n"},
    ),
]


def stops(text: str, files: dict[str, str], env: dict[str, str], folder: Path) -> bool:
    for name, content in {**files, "main.py": text}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    clean = {k: v for k, v in os.environ.items() if k not in ("A", "B")}
    run = subprocess.run(
        [sys.executable, "-c", "import main"],
        cwd=folder,
        env={**clean, **env},
        capture_output=True,
    )
    return run.returncode != 0


@pytest.mark.parametrize(("text", "names", "files"), CASES)
def test_agrees_with_the_library(
    text: str, names: list[str], files: dict[str, str], tmp_path: Path
) -> None:
    texts = {f"/app/{name}": content for name, content in files.items()}
    module, evaluator = world({**texts, "/app/main.py": text})
    found = work_out_startup(evaluator.python, evaluator, [module])
    assert [read.name for read in required_reads(found)] == names
    assert stops(text, files, {}, tmp_path) is bool(names)
    assert not stops(text, files, dict.fromkeys(names, "1"), tmp_path)
