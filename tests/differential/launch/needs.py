"""Which libraries a case needs, so that a run can leave out those that are not installed."""

from __future__ import annotations

import re
from pathlib import Path

from tests.differential.launch.case import Case

_MODULES = (
    *(
        "aiohttp",
        "bottle",
        "click",
        "daphne",
        "decouple",
        "django",
        "dotenv",
        "environs",
        "fastapi",
    ),
    *("fastapi_cli", "flask", "flask_socketio", "gradio", "granian", "gunicorn", "honcho"),
    *("hypercorn", "litestar", "pydantic_settings", "quart", "sanic", "starlette", "streamlit"),
    *("supervisor", "tornado", "typer", "uv", "uvicorn", "uvicorn_worker", "waitress", "werkzeug"),
)
_PROGRAMS = {"dumb-init": "dumb-init", "fastapi": "fastapi", "supervisord": "supervisord"}
"""Programs that a library of the same name does not always bring."""


def runnable(case: Case, python: Path) -> bool:
    """Whether the environment of `python` has everything that a case speaks of."""
    packages = next((python.parent.parent / "lib").glob("python*/site-packages"))
    words = set(re.findall(r"[\w-]+", _text(case)))
    return all(_has(packages, name) for name in _MODULES if name in words) and all(
        (python.parent / program).exists() for word, program in _PROGRAMS.items() if word in words
    )


def _text(case: Case) -> str:
    return "\n".join([*case.argv(), *case.files.values(), *case.env.values()])


def _has(packages: Path, name: str) -> bool:
    return (packages / name).exists() or (packages / f"{name}.py").exists()
