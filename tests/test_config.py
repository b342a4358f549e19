"""The configuration: where it is looked for, what it holds, and every way it can be wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hfcheck.config import Config, ConfigError, configured_files, load_config
from hfcheck.space.site.discover import Overrides


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path.resolve()


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


FULL = """
fail-on = "warning"
[space]
id = "user/name"
frontend = "https://app.example.com"
secrets = ["DATABASE_URL", "JWT_SECRET_KEY"]
variables = { CORS_ORIGINS = "https://app.example.com", WORKERS = 2, DEBUG = false }
dockerfile = "Dockerfile.hf"
context = ".."
"""


def test_every_key(root: Path) -> None:
    write(root / "api/Dockerfile.hf", "FROM x")
    file = write(root / "api/hfcheck.toml", FULL)
    config = load_config(root / "api")
    assert (config.fail_on, config.source) == ("warning", file)
    assert (config.dockerfile, config.context) == (root / "api/Dockerfile.hf", root)
    declared = config.declared
    assert (declared.id, declared.frontend) == ("user/name", "https://app.example.com")
    assert declared.secrets == {"DATABASE_URL", "JWT_SECRET_KEY"}
    assert declared.variables == {
        "CORS_ORIGINS": "https://app.example.com",
        "WORKERS": "2",
        "DEBUG": "false",
    }
    assert declared.is_set("WORKERS") and not declared.is_set("workers")


def test_pyproject_holds_the_same_under_its_prefix(root: Path) -> None:
    write(root / "pyproject.toml", '[tool.hfcheck.space]\nsecrets = ["A"]\n')
    assert load_config(root).declared.secrets == {"A"}


def test_hfcheck_toml_goes_before_pyproject_in_one_folder(root: Path) -> None:
    write(root / "pyproject.toml", '[tool.hfcheck.space]\nsecrets = ["A"]\n')
    write(root / "hfcheck.toml", '[space]\nsecrets = ["B"]\n')
    assert load_config(root).declared.secrets == {"B"}


def test_the_nearest_file_counts_and_one_without_a_table_does_not(root: Path) -> None:
    write(root / "hfcheck.toml", '[space]\nsecrets = ["A"]\n')
    write(root / "api/pyproject.toml", '[project]\nname = "hfcheck-user"\n[tool.other]\nx = 1\n')
    (root / "api/app").mkdir()
    assert load_config(root / "api/app").declared.secrets == {"A"}
    write(root / "api/hfcheck.toml", "")
    assert load_config(root / "api/app").declared.secrets == frozenset()


def test_nothing_outside_the_repository_counts(root: Path) -> None:
    write(root / "hfcheck.toml", '[space]\nsecrets = ["A"]\n')
    (root / "inner/.git").mkdir(parents=True)
    assert load_config(root / "inner") == Config()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fail_on = 'error'", ["unknown key `fail_on`", "did you mean `fail-on`?"]),
        ("[space]\nsecret = []", ["unknown key `space.secret`", "did you mean `secrets`?"]),
        ("[space]\nzzz = 1", ["unknown key `space.zzz`", "known keys: id, frontend"]),
        ("[spaces]\nid = 'a/b'", ["unknown key `spaces`", "did you mean `space`?"]),
        ("fail-on = 'fatal'", ["`fail-on`", "'error', 'warning', 'info' or 'never'"]),
        ("[space]\nsecrets = 'A,B'", ["`space.secrets`", "list"]),
        ("[space]\nsecrets = ['A=1']", ["`space.secrets.0`", "no name"]),
        ("[space]\nvariables = { A = [1] }", ["`space.variables.A`", "string"]),
        ("[space]\nid = 'name'", ["`space.id`", "owner/name"]),
        ("[space]\nfrontend = 'https://a.com/'", ["`space.frontend`", "https://a.com"]),
        ("[space]\nfrontend = 'https://a.com/app'", ["nothing after it: https://a.com"]),
        ("[space]\nfrontend = 'a.com'", ["scheme", "https://a.com"]),
        ("[space]\nfrontend = 'https://*.a.com'", ["`space.frontend`"]),
        ("[space]\nfrontend = 'ftp://a.com'", ["http:// or https://"]),
        ("[space]\ndockerfile = 'nope'", ["`space.dockerfile`", "no file 'nope'"]),
        ("[space]\ncontext = 'nope'", ["`space.context`", "no folder 'nope'"]),
        ("space = 1", ["`space`"]),
        ("a = 1\nb = = 2\n", ["hfcheck.toml:2:5:"]),
        ("a = [1,", ["hfcheck.toml:"]),
        ("a = " + "[" * 5000, ["hfcheck.toml"]),
    ],
)
def test_what_is_wrong_is_said(root: Path, text: str, words: list[str]) -> None:
    write(root / "hfcheck.toml", text)
    with pytest.raises(ConfigError) as caught:
        load_config(root)
    for word in [str(root / "hfcheck.toml"), *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://a.b.com", "http://[::1]:80"])
def test_origins(root: Path, origin: str) -> None:
    write(root / "hfcheck.toml", f"[space]\nfrontend = '{origin}'\n")
    assert load_config(root).declared.frontend == origin


def test_the_prefix_is_told_for_pyproject(root: Path) -> None:
    write(root / "pyproject.toml", "[tool.hfcheck]\nfail = 'error'\n")
    with pytest.raises(ConfigError, match=r"unknown key `tool\.hfcheck\.fail`"):
        load_config(root)


def test_a_pyproject_of_others_that_is_no_toml_stops_nothing(root: Path) -> None:
    write(root / "pyproject.toml", "[project\n")
    assert load_config(root) == Config()
    (root / "pyproject.toml").write_bytes(b"\xff\xfehfcheck")
    assert load_config(root) == Config()


def test_hfcheck_toml_that_is_no_text(root: Path) -> None:
    (root / "hfcheck.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(root)


def test_files_named_further_up_are_for_the_folders_that_hold_them(root: Path) -> None:
    write(root / "api/Dockerfile.hf", "FROM x")
    (root / "web").mkdir()
    write(root / "hfcheck.toml", "[space]\ndockerfile = 'api/Dockerfile.hf'\n")
    named = Overrides(dockerfile=root / "api/Dockerfile.hf")
    assert configured_files(root) == named
    assert configured_files(root / "api") == named
    assert configured_files(root / "web") == Overrides()


def test_pydantic_is_imported_only_for_a_configuration(root: Path) -> None:
    write(root / "pyproject.toml", "[project]\nname = 'x'\n")
    code = (
        "import sys; from pathlib import Path; from hfcheck.config import load_config;"
        f"load_config(Path({str(root)!r})); sys.exit('pydantic' in sys.modules)"
    )
    house = str(Path(__file__).parent.parent)
    env = {**os.environ, "PYTHONPATH": house}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0
