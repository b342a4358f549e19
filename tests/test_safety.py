"""Nothing of a scanned project is run or imported, and nothing is sent or started."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from test_examples import write_tree

BOOM = "import pathlib\npathlib.Path({marker!r}).write_text('ran')\n"

FILES = {
    "Dockerfile": (
        "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n"
        'CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "7860"]\n'
    ),
    "README.md": "---\ntitle: x\nsdk: docker\n---\n",
    "app/__init__.py": "",
    "app/main.py": (
        "from fastapi import FastAPI\nimport app.config\napp = FastAPI()\n"
        "print(app.config.settings)\n"
    ),
    "app/config.py": (
        "from pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings):\n    name: str = 'x'\nsettings = Settings()\n"
    ),
    "conftest.py": "",
    "sitecustomize.py": "",
    "yaml.py": "",
    "click/__init__.py": "",
    "hfcheck/__init__.py": "",
    "pydantic/__init__.py": "",
    "libcst.py": "def broken(:\n",
    "gunicorn.conf.py": "bind = '0.0.0.0:7860'\n",
    "setup.py": "",
    "manage.py": "",
}


def test_no_code_of_the_project_is_run(tmp_path: Path) -> None:
    root = tmp_path / "space"
    marker = tmp_path / "ran"
    boom = BOOM.format(marker=str(marker))
    files = {n: boom + t if n.endswith(".py") else t for n, t in FILES.items()}
    write_tree(root, files)
    installed = Path(sys.executable).parent / "hfcheck"
    for arguments in ([], ["--show-facts"], ["--format", "json", "--show-facts"]):
        run = subprocess.run([installed, ".", *arguments], cwd=root, capture_output=True, text=True)
        assert run.returncode in (0, 1), run.stderr
    # With -m Python itself looks in the current folder, so a package of our name would come first.
    shutil.rmtree(root / "hfcheck")
    run = subprocess.run(
        [sys.executable, "-m", "hfcheck", "."], cwd=root, capture_output=True, text=True
    )
    assert run.returncode in (0, 1), run.stderr
    assert not marker.exists()
    assert not list(root.rglob("__pycache__"))


GUARD = """
import sys
def hook(event, args):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn")):
        raise RuntimeError(event)
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        raise RuntimeError(f"writes {args[0]}")
sys.dont_write_bytecode = True
sys.addaudithook(hook)
from hfcheck.cli import main
main(sys.argv[1:])
"""


def test_linting_opens_no_connection_starts_nothing_and_writes_nothing(tmp_path: Path) -> None:
    write_tree(tmp_path, FILES)
    run = subprocess.run(
        [sys.executable, "-c", GUARD, str(tmp_path), "--show-facts"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in (0, 1), run.stderr
    assert "RuntimeError" not in run.stderr
