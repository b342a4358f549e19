"""The public verdict on a container's start: Dockerfile text and tree in, address out."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcheck.space.launch import Prediction, predict

HEAD = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install uvicorn pydantic-settings\n"
APP = "async def app(scope, receive, send): ...\n"
UVICORN = "CMD uvicorn main:app --host 0.0.0.0 --port 7860\n"


def test_an_address_comes_with_its_way() -> None:
    found = predict(HEAD + UVICORN, {"main.py": APP})
    assert found == Prediction(
        "listens",
        "0.0.0.0",
        7860,
        None,
        ("Dockerfile:5 CMD", "Dockerfile:5 uvicorn", "Dockerfile:5 7860"),
        (("0.0.0.0", 7860),),
    )


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(APP)
    assert predict(HEAD + UVICORN, tmp_path).port == 7860
    assert [path.name for path in tmp_path.iterdir()] == ["main.py"]


@pytest.mark.parametrize(
    ("dockerfile", "files", "reason"),
    [
        ("FROM python\nNOPE\n", {}, "the Dockerfile can't be built"),
        ("# nothing\n", {}, "the Dockerfile can't be built"),
        (
            HEAD + 'CMD ["uvicorn", "main:app", "--port", "$PORT"]\n',
            {},
            "`$PORT` is no port number",
        ),
        (HEAD + UVICORN, {}, "`main:app` can't be loaded"),
        (HEAD + UVICORN, {"main.py": "ap = 1\n"}, "`main:app` can't be loaded"),
        (HEAD + UVICORN, {"main.py": "import os\nos.environ['KEY']\n" + APP}, "KeyError"),
        (HEAD + UVICORN, {"main.py": "def app(:\n"}, "can't be loaded"),
        (HEAD + "CMD python main.py\n", {"main.py": "print(1)\n"}, "nothing listens"),
    ],
)
def test_what_ends_the_start_is_the_reason(
    dockerfile: str, files: dict[str, str], reason: str
) -> None:
    found = predict(dockerfile, files)
    assert (found.verdict, found.host, found.port) == ("none", None, None)
    assert found.reason is not None and reason in found.reason


def test_settings_that_stop_the_start() -> None:
    code = "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    key: str\nS()\n"
    files = {"main.py": code + APP}
    assert predict(HEAD + UVICORN, files).reason == "`S.key`: missing"
    assert predict(HEAD + UVICORN, files, {"KEY": "x"}).verdict == "listens"
    assert predict(HEAD + UVICORN, files, secrets=("KEY",)).verdict == "listens"


def test_variables_of_the_space_count() -> None:
    command = HEAD + "CMD uvicorn main:app --port ${PORT:-7860}\n"
    assert predict(command, {"main.py": APP}, {"PORT": "8000"}).port == 8000


def test_an_unknown_start_says_why() -> None:
    found = predict("FROM someone/private\n", {})
    assert found.verdict == "unknown"
    assert found.reason == "what the base image `someone/private` starts is not known"


@pytest.mark.parametrize("path", ["../main.py", "/main.py", "a/../../main.py"])
def test_no_file_is_written_outside(path: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        predict(HEAD + UVICORN, {path: APP})


def test_only_the_public_names_are_found() -> None:
    import hfcheck.space.launch as package

    with pytest.raises(AttributeError):
        _ = package.nothing  # type: ignore[attr-defined]
