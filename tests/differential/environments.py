"""Environments with the real libraries, made once from the package index."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(".cache/differential")
"""Where environments are kept, below the folder that a comparison is started in."""


def environment(
    name: str, requirements: Sequence[str], cache: Path = CACHE, python: str = sys.executable
) -> Path:
    """The interpreter of an environment that holds `requirements`.

    It is made where it is not there yet, or holds something else; `python` makes it.
    Raises subprocess.CalledProcessError where the installation fails.
    """
    folder = cache.resolve() / name
    inside = folder / "bin" / "python"
    done = folder / "requirements.txt"
    wanted = "\n".join([python, *requirements])
    if not done.exists() or done.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        install = [str(inside), "-m", "pip", "install", "--quiet", *requirements]
        subprocess.run(install, check=True)
        done.write_text(wanted, "utf-8")
    return inside
