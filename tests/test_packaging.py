"""The wheel and the source archive carry the rules, and the installed command runs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RULES = {path.relative_to(ROOT).as_posix() for path in (ROOT / "rules").rglob("*.yaml")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def test_wheel_holds_every_rule_and_runs_in_a_fresh_environment(
    built: Path, tmp_path: Path
) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {f"hfcheck/{name}" for name in RULES} <= set(archive.namelist())
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    space = ROOT / "fixtures" / "mistakes" / "wrong-port" / "broken"
    run = subprocess.run(
        [str(tmp_path / "env" / "bin" / "hfcheck"), str(space)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert run.returncode == 1, run.stderr
    assert "error[wrong-port]" in run.stdout


def test_source_archive_holds_rules_tests_and_fixtures(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert names >= RULES
    assert "tests/test_packaging.py" in names
    assert "fixtures/mistakes/wrong-port/broken/Dockerfile" in names
