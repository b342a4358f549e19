"""What would be installed: requirement files, project files, lock files, and commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcheck.source import SourceFile
from hfcheck.space.declared import Declared
from hfcheck.space.model import Space
from hfcheck.space.packages import Packages
from hfcheck.space.requirements import (
    Include,
    Requirement,
    conda,
    pipfile_lock,
    poetry_versions,
    pyproject,
    requirements_txt,
    toml_lock,
)
from hfcheck.space.site.discover import discover
from hfcheck.space.value import Known, Unknown

VERSIONS = ("2.5.0", "2.6.1", "2.16.3")


def _source(text: str) -> SourceFile:
    return SourceFile(Path("/app/file"), text)


def _packages(tmp_path: Path, files: dict[str, str], *runs: str) -> Packages:
    (tmp_path / "README.md").write_text("---\nsdk: docker\n---\n")
    commands = "".join(f"RUN {run}\n" for run in runs)
    (tmp_path / "Dockerfile").write_text(
        f"FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n{commands}CMD python main.py\n"
    )
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sites, _ = discover(tmp_path.resolve())
    return Space(sites[0], Declared()).packages


def _line(packages: Packages, name: str) -> str:
    line = packages.version_line(name)
    return line.value if isinstance(line, Known) else "-"


def test_a_requirements_file() -> None:
    text = (
        "# comment\nfastapi[all]>=0.100 # why\n-r more.txt\n--constraint limits.txt\n"
        "pydantic_settings==2.6.1 \\\n    --hash=sha256:aa\n"
        'pywin32 ; sys_platform == "win32"\n-e git+https://x.example/y#egg=own-thing\n'
        "--index-url https://x.example\nnot a requirement\n"
    )
    found = list(requirements_txt(_source(text)))
    assert [item.path for item in found if isinstance(item, Include)] == ["more.txt", "limits.txt"]
    named = {item.name: item for item in found if isinstance(item, Requirement)}
    assert set(named) == {"fastapi", "pydantic-settings", "own-thing"}
    assert str(named["pydantic-settings"].specifier) == "==2.6.1"
    assert named["fastapi"].extras == {"all"}
    assert named["fastapi"].place.text == "fastapi[all]>=0.100"


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("^2.1", "2.9", "3.0"),
        ("^0.5.2", "0.5.9", "0.6.0"),
        ("~2.3", "2.3.9", "2.4.0"),
        ("~2.3.1", "2.3.9", "2.4.0"),
        ("2.6.1", "2.6.1", "2.6.2"),
        ("2.6.*", "2.6.9", "2.7.0"),
        (">=2,<2.7", "2.6", "2.7"),
    ],
)
def test_constraints_of_poetry(text: str, inside: str, outside: str) -> None:
    assert poetry_versions(text).contains(inside)
    assert not poetry_versions(text).contains(outside)


def test_project_files_and_locks() -> None:
    project = pyproject(_source('[project]\ndependencies = ["pydantic-settings>=2"]\n'))
    assert [(item.name, str(item.specifier)) for item in project] == [("pydantic-settings", ">=2")]
    poetry = pyproject(
        _source(
            '[tool.poetry.dependencies]\npython = "^3.11"\npydantic = {version = "^1.10"}\n'
            'uvicorn = "*"\n'
        )
    )
    assert [item.name for item in poetry] == ["pydantic", "uvicorn"]
    assert poetry[0].specifier.contains("1.10.27")
    assert not poetry[0].specifier.contains("2.0")
    lock = toml_lock(_source('[[package]]\nname = "pydantic"\nversion = "2.9.2"\n'))
    assert lock[0].locked
    assert str(lock[0].specifier) == "==2.9.2"
    pip = pipfile_lock(_source('{"default": {"pydantic": {"version": "==2.1"}}}'))
    assert str(pip[0].specifier) == "==2.1"
    names = conda(_source("dependencies:\n  - pydantic=1.10\n  - pip:\n      - uvicorn==0.30\n"))
    assert [item.name for item in names] == ["pydantic", "uvicorn"]


@pytest.mark.parametrize("text", ["[", "{", "a: [", "\x00", "[[package]]\nname = 1\n", "[1]"])
def test_broken_files_give_nothing(text: str) -> None:
    source = _source(text)
    assert pyproject(source) == []
    assert toml_lock(source) == []
    assert pipfile_lock(source) == []
    assert conda(source) == []


def test_commands_name_the_files(tmp_path: Path) -> None:
    packages = _packages(
        tmp_path,
        {
            "docker/prod.txt": "-r base.txt\nuvicorn\n",
            "docker/base.txt": "pydantic-settings<2.7\n",
            "requirements.txt": "pydantic-settings==2.16.3\n",
        },
        'apt-get update && pip install --no-cache-dir "gunicorn==23.0.0" -r docker/prod.txt',
    )
    assert _line(packages, "pydantic-settings") == "<2.7"
    assert _line(packages, "gunicorn") == "23.0.0"
    assert _line(packages, "uvicorn") == "newest"
    assert packages.has("Pydantic.Settings")
    assert not packages.has("flask")
    assert isinstance(packages.version_line("flask"), Unknown)
    newest = packages.newest_of("pydantic-settings", VERSIONS)
    assert isinstance(newest, Known)
    assert newest.value == "2.6.1"
    assert newest.origins[0].place.text == "pydantic-settings<2.7"


def test_a_lock_goes_over_the_project_file(tmp_path: Path) -> None:
    packages = _packages(
        tmp_path,
        {
            "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n'
            'dependencies = ["pydantic-settings>=2"]\n',
            "uv.lock": '[[package]]\nname = "pydantic-settings"\nversion = "2.5.0"\n',
        },
        "uv sync --frozen",
    )
    assert _line(packages, "pydantic-settings") == "2.5.0"


def test_without_a_known_install_the_usual_files_count(tmp_path: Path) -> None:
    packages = _packages(tmp_path, {"requirements.txt": "pydantic==1.10.13\n"}, "make deps")
    assert _line(packages, "pydantic") == "1.10.13"


def test_what_can_not_be_read_leaves_the_list_open(tmp_path: Path) -> None:
    packages = _packages(tmp_path, {}, "pip install -r gone.txt")
    assert not packages.complete
    assert packages.requirements == []


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    packages = _packages(
        tmp_path,
        {"requirements.txt": "-r requirements.txt\nflask\n"},
        "pip install -r requirements.txt",
    )
    assert packages.has("flask")


def test_no_specifier_fits(tmp_path: Path) -> None:
    packages = _packages(tmp_path, {}, "pip install 'pydantic-settings<1'")
    assert isinstance(packages.newest_of("pydantic-settings", VERSIONS), Unknown)
