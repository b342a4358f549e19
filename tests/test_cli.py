"""The command as a user runs it: exit codes, formats, bad input, what goes where."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_examples import write_tree

from hfcheck.checks import CHECKS
from hfcheck.cli import main

FIXTURES = Path(__file__).parent.parent / "fixtures" / "mistakes"
BROKEN = FIXTURES / "wrong-port" / "broken"
MENDED = FIXTURES / "wrong-port" / "mended-port"

CARD = "---\ntitle: x\nsdk: docker\n---\n"
DOCKERFILE = (
    "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n"
    'CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "7860"]\n'
)
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_clean_is_one_line_and_exit_0() -> None:
    result = run(MENDED)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""


def test_findings_exit_1_in_every_format() -> None:
    assert run(BROKEN).exit_code == 1
    assert run(BROKEN, "--format", "json").exit_code == 1


def test_text_says_place_reason_symptom_and_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN)
    out = run(".").stdout
    assert "error[wrong-port]" in out
    assert "--> Dockerfile:11:64" in out
    assert '"--port", "8000"]' in out
    marks = out.splitlines()[out.splitlines().index(next(x for x in out.splitlines() if "^" in x))]
    assert marks.count("^") == len('"8000"')
    for part in ("::: README.md:6", "= why:", "= on the Hub:", "= fix:"):
        assert part in out


def test_json_has_the_documented_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN)
    data = json.loads(run(".", "--format", "json").stdout)
    assert data["version"] == 1
    (space,) = data["spaces"]
    assert (space["root"], space["dockerfile"], space["readme"]) == (".", "Dockerfile", "README.md")
    assert space["facts"] == {}
    (found,) = data["findings"]
    assert (found["rule"], found["severity"], found["space"]) == ("wrong-port", "error", ".")
    first, second = found["locations"]
    assert first["path"] == "Dockerfile"
    assert (first["line"], first["column"], first["end_line"], first["end_column"]) == (
        11,
        64,
        11,
        70,
    )
    assert (first["role"], second["role"]) == ("primary", "related")
    assert second["path"] == "README.md"
    assert found["fix"]
    assert data["summary"]["error"] == 1


def test_json_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FIXTURES / "list-env-field" / "broken")
    data = json.loads(run(".", "--format", "json", "--show-facts").stdout)
    facts = data["spaces"][0]["facts"]
    listen = facts["listen"]
    assert (listen["known"], listen["host"], listen["port"]) == (True, "0.0.0.0", 7860)
    assert listen["via"]
    assert facts["app_port"] == 7860
    assert facts["target"] == "app.main:app"
    field = next(f for f in facts["settings"] if f["name"] == "cors_origins")
    assert field["class"] == "Settings"
    assert field["environment"] == ["CORS_ORIGINS"]
    assert field["verdicts"]["unset"] == "ok"
    assert field["verdicts"]["comma list"] == "settings error"


@pytest.mark.parametrize(("threshold", "code"), [("error", 1), ("never", 0), ("info", 1)])
def test_fail_on(threshold: str, code: int) -> None:
    assert run(BROKEN, "--fail-on", threshold).exit_code == code


def test_a_warning_fails_only_when_asked(tmp_path: Path) -> None:
    files = {"README.md": "# x\n", "README_HF.md": CARD, "Dockerfile": DOCKERFILE}
    write_tree(tmp_path, {**files, "main.py": APP})
    assert run(tmp_path).exit_code == 0
    assert "warning[missing-front-matter]" in run(tmp_path).stdout
    assert run(tmp_path, "--fail-on", "warning").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [("/no/such/folder",), ("--format", "xml"), ("--nope",), (str(MENDED), "--dockerfile", "/no")],
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_wrong_configuration_exits_2_and_says_what_is_meant(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Dockerfile": DOCKERFILE, "hfcheck.toml": "[space]\nsecret = []\n"})
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "secrets" in result.stderr
    assert result.stdout == ""


def test_nothing_to_check_exits_3(tmp_path: Path) -> None:
    write_tree(tmp_path, {"main.py": APP})
    for form in ("text", "json"):
        result = run(tmp_path, "--format", form)
        assert result.exit_code == 3
        assert len(result.stderr.splitlines()) == 1
    assert json.loads(run(tmp_path, "--format", "json").stdout)["spaces"] == []


def test_a_fault_of_hfcheck_exits_4_and_the_rest_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(space: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setitem(CHECKS, "wrong-sdk", broken)
    result = run(BROKEN)
    assert result.exit_code == 4
    assert "error[internal-error]" in result.stdout
    assert "error[wrong-port]" in result.stdout
    assert "Traceback" not in result.output
    assert "boom" in run(BROKEN, "--debug").stderr


def test_a_missing_path_does_not_keep_the_others_from_being_checked(tmp_path: Path) -> None:
    result = run(BROKEN, tmp_path / "nope")
    assert result.exit_code == 2
    assert "error[wrong-port]" in result.stdout
    assert len(result.stderr.splitlines()) == 1


def test_a_path_with_nothing_to_check_is_told(tmp_path: Path) -> None:
    result = run(MENDED, tmp_path)
    assert result.exit_code == 0
    assert "nothing to check" in result.stderr


def test_what_the_terminal_lacks_is_escaped(tmp_path: Path) -> None:
    files = {"Dockerfile": DOCKERFILE.replace("7860", "8000") + "# 🚀\n", "README.md": CARD}
    write_tree(tmp_path, {**files, "main.py": APP})
    (tmp_path / "Dockerfile").write_text(
        DOCKERFILE.replace('"7860"', '"8000", "--root-path", "/🚀"'), "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "hfcheck", str(tmp_path)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"\\U0001f680" in done.stdout


def test_a_fault_outside_of_the_checks_is_one_line_and_exits_4(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("hfcheck.engine.discover", broken)
    result = run(BROKEN)
    assert (result.exit_code, result.stdout) == (4, "")
    assert len(result.stderr.splitlines()) == 1


def test_a_named_file_is_looked_for_here_and_then_in_the_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(FIXTURES)
    for name in ("Dockerfile", "wrong-port/broken/Dockerfile"):
        assert run("wrong-port/broken", "--dockerfile", name).exit_code == 1
    result = run("wrong-port/broken", "--dockerfile", "wrong-port")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_a_report_that_cannot_be_written_is_a_fault() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hfcheck", str(BROKEN)], stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr


def test_several_paths_are_checked_once_each() -> None:
    data = json.loads(run(BROKEN, MENDED, BROKEN, "--format", "json").stdout)
    assert len(data["spaces"]) == 2
    assert len(data["findings"]) == 1


def test_declared_variables_count(tmp_path: Path) -> None:
    settings = "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    key: str\ns = S()\n"
    write_tree(tmp_path, {"Dockerfile": DOCKERFILE, "README.md": CARD, "main.py": APP + settings})
    assert "error[required-env]" in run(tmp_path).stdout
    (tmp_path / "pyproject.toml").write_text('[tool.hfcheck.space]\nsecrets = ["KEY"]\n')
    assert run(tmp_path).exit_code == 0


BAD: dict[str, dict[str, bytes]] = {
    "a Dockerfile that is none": {"Dockerfile": b"\x00\x01\x02binary", "README.md": CARD.encode()},
    "invalid UTF-8": {"Dockerfile": b"FROM x\nRUN echo \xff\xfe\n", "README.md": CARD.encode()},
    "an empty Dockerfile": {"Dockerfile": b"", "README.md": CARD.encode()},
    "a README without an end": {
        "Dockerfile": DOCKERFILE.encode(),
        "README.md": b"---\nsdk: docker",
    },
    "a README in UTF-16": {
        "Dockerfile": DOCKERFILE.encode(),
        "README.md": CARD.encode("utf-16"),
    },
    "a Dockerfile that is a dangling link": {"README.md": CARD.encode()},
    "Python in another encoding": {
        "Dockerfile": DOCKERFILE.encode(),
        "README.md": CARD.encode(),
        "main.py": APP.encode() + b"x = '\\xe4'\n".replace(b"\\xe4", b"\xe4"),
    },
    "Python that does not parse": {
        "Dockerfile": DOCKERFILE.encode(),
        "README.md": CARD.encode(),
        "main.py": b"def broken(:\n",
    },
    "Python nested too deep": {
        "Dockerfile": DOCKERFILE.encode(),
        "README.md": CARD.encode(),
        "main.py": b"x = " + b"(" * 5000 + b")" * 5000 + b"\n",
    },
    "a README that is an alias bomb": {
        "Dockerfile": DOCKERFILE.encode(),
        "README.md": b"---\na: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(
            b"%c: &%c [%s]\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 9)) for n in range(97, 105)
        )
        + b"---\n",
    },
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_a_finding_and_never_a_traceback(case: str, tmp_path: Path) -> None:
    for name, data in BAD[case].items():
        (tmp_path / name).write_bytes(data)
    if "dangling" in case:
        (tmp_path / "Dockerfile").symlink_to("nowhere")
    result = run(tmp_path)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)


def test_files_that_are_no_files(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Dockerfile": DOCKERFILE, "README.md": CARD})
    os.mkfifo(tmp_path / "main.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out").symlink_to("/etc")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "sock"))
    result = run(tmp_path)
    listening.close()
    assert result.exit_code == 0


def test_secrets_and_control_characters_are_not_shown(tmp_path: Path) -> None:
    text = (
        "from pydantic_settings import BaseSettings\n"
        "class S(BaseSettings):\n"
        '    api_token: str; note: str = "\\u202e\x1b[31m" "hf_abcdefghijklmnopqrstuv"\ns = S()\n'
    )
    write_tree(tmp_path, {"Dockerfile": DOCKERFILE, "README.md": CARD, "main.py": APP + text})
    for form in ("text", "json"):
        out = run(tmp_path, "--format", form, "--show-facts").stdout
        assert "hf_abcdefghijkl" not in out
        assert "\x1b" not in out


def test_show_files_tells_on_stderr(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        {
            "api/Dockerfile": DOCKERFILE,
            "api/README.md": CARD,
            "api/main.py": APP,
            "tools/Dockerfile": "FROM golang\n",
        },
    )
    result = run(tmp_path, "--show-files")
    assert "checked" in result.stderr and "api" in result.stderr
    assert "skipped" in result.stderr and "tools" in result.stderr
