"""What would be installed: requirement files, project files, lock files, and commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcheck.source import SourceFile
from hfcheck.space.declared import Declared
from hfcheck.space.model import Space
from hfcheck.space.packages import Packages
from hfcheck.space.packages.lockfiles import pipfile_lock, toml_lock
from hfcheck.space.packages.projectfiles import conda, poetry_versions, pyproject
from hfcheck.space.requirements import Include, Requirement, requirements_txt
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
    assert poetry_versions(text)[-1].contains(inside)
    assert not poetry_versions(text)[-1].contains(outside)


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
    assert [item.name for item in names if isinstance(item, Requirement)] == ["pydantic", "uvicorn"]


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


def _version(packages: Packages, name: str = "pydantic-settings") -> str:
    found = packages.newest_of(name, VERSIONS)
    return found.value if isinstance(found, Known) else "-"


NEWEST = "2.16.3"


# What `uv pip compile --python-version 3.12` (uv 0.13.9) or pip chose for the same requirements.
@pytest.mark.parametrize(
    ("requirements", "settings", "pydantic"),
    [
        ("pydantic-settings", NEWEST, "2.14.3"),
        ("pydantic-settings==2.6.1", "2.6.1", "2.14.3"),
        ("pydantic-settings===2.6.1", "2.6.1", "2.14.3"),
        ("Pydantic.Settings == 2.6.1.0", "2.6.1", "2.14.3"),
        ("pydantic_settings[yaml]==2.5.*", "2.5.2", "2.14.3"),
        ("pydantic-settings~=2.1", NEWEST, "2.14.3"),
        ("pydantic-settings~=2.3.0", "2.3.4", "2.14.3"),
        ("pydantic-settings!=2.16.3,!=2.16.2", "2.16.1", "2.14.3"),
        ("pydantic-settings>=2.2,<2.6,!=2.5.*", "2.4.0", "2.14.3"),
        ("pydantic-settings<2.7\npydantic-settings!=2.6.1", "2.6.0", "2.14.3"),
        ("pydantic-settings\npydantic<2.7", "2.2.1", "2.6.4"),
        ("pydantic-settings\npydantic==2.2.1", "2.0.3", "2.2.1"),
        ("fastapi==0.95.2", "-", "1.10.27"),
        ("fastapi[all]==0.104.1\npydantic==2.5.3", "2.2.1", "2.5.3"),
        ("fastapi[standard]", NEWEST, "2.14.3"),
        ("fastapi\npydantic<2", "-", "1.10.27"),
        ("sqlmodel==0.0.8\nfastapi", "-", "1.10.27"),
        ("pydantic-settings==2.6.1 ; python_version < '3.10'\npydantic-settings", NEWEST, "2.14.3"),
        ("pydantic-settings<2.3 ; sys_platform == 'linux'", "2.2.1", "2.14.3"),
        ("pydantic-settings==2.4.0 \\\n    --hash=sha256:aa \\\n  # why\n", "2.4.0", "2.14.3"),
        ("pydantic-settings @ git+https://github.com/pydantic/pydantic-settings", "-", "-"),
        ("https://x.example/pydantic_settings-2.5.0-py3-none-any.whl", "2.5.0", "2.14.3"),
        ("pydantic-settings==2.6.1\npydantic-settings==2.5.0", "-", "-"),
    ],
)
def test_what_a_resolver_chooses(
    tmp_path: Path, requirements: str, settings: str, pydantic: str
) -> None:
    packages = _packages(
        tmp_path, {"requirements.txt": requirements + "\n"}, "pip install -r requirements.txt"
    )
    assert _version(packages) == settings
    if pydantic != "-":
        assert _version(packages, "pydantic") == pydantic


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("python:3.8-slim", "2.8.1"),
        ("python:3.9", "2.11.0"),
        ("docker.io/library/python:3.10-alpine", "2.15.0"),
        ("ghcr.io/astral-sh/uv:python3.9-bookworm-slim", "2.11.0"),
        ("ubuntu:22.04", "2.15.0"),
        ("python:3-slim", NEWEST),
        ("example.org/own", NEWEST),
    ],
)
def test_the_python_of_the_image_decides(tmp_path: Path, image: str, version: str) -> None:
    packages = _image_packages(tmp_path, f"FROM {image}\nRUN pip install pydantic-settings\n")
    assert _version(packages) == version


def _image_packages(tmp_path: Path, dockerfile: str, **files: str) -> Packages:
    _packages(tmp_path, files)
    (tmp_path / "Dockerfile").write_text(dockerfile + "CMD python main.py\n")
    sites, _ = discover(tmp_path.resolve())
    return Space(sites[0], Declared()).packages


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        (
            ["RUN pip install pydantic-settings==2.5.0", "RUN pip install pydantic-settings"],
            "2.5.0",
        ),
        (
            ["RUN pip install pydantic-settings==2.5.0", "RUN pip install -U pydantic-settings"],
            NEWEST,
        ),
        (
            ["RUN pip install pydantic-settings", "RUN pip install 'pydantic-settings<2.6'"],
            "2.5.2",
        ),
        (["ARG V=2.6.1", 'RUN pip install "pydantic-settings==$V"'], "2.6.1"),
        (["ENV V=2.6.1", "RUN uv pip install --system pydantic-settings==${V}"], "2.6.1"),
        (["RUN V=2.4.0 && pip install pydantic-settings==$V"], "2.4.0"),
        (["ARG V", "RUN pip install pydantic-settings==$V"], "-"),
        (['RUN ["pip", "install", "pydantic-settings==2.6.1"]'], "2.6.1"),
        (["RUN <<EOF", "pip install \\", "  pydantic-settings==2.6.1", "EOF"], "2.6.1"),
        (["RUN python3 -m pip install -c limits.txt pydantic-settings"], "2.3.4"),
        (["ENV PIP_CONSTRAINT=limits.txt", "RUN pip install pydantic-settings"], "2.3.4"),
        (["RUN echo 'pydantic-settings==2.2.0' > r && pip install -r r && rm r"], "2.2.0"),
        (["RUN cat base.txt | xargs -n 1 pip install"], "2.5.0"),
        (["RUN pip install -r gone.txt || pip install -r base.txt"], "-"),
        (["RUN [ -f gone.txt ] && pip install -r gone.txt || pip install -r base.txt"], "2.5.0"),
        (["RUN if [ -f base.txt ]; then pip install -r base.txt; else pip install x; fi"], "2.5.0"),
        (["RUN pip wheel -w /w -r base.txt", "RUN pip install --no-index /w/*.whl"], "2.5.0"),
        (["RUN pip install uv"], "2.1.0"),
        (["RUN pip install -e ."], "2.2.1"),
        (["RUN pip install '.[new]'"], "2.1.0"),
        (["RUN pip install ."], "2.2.1"),
        (["RUN uv sync --frozen --no-dev"], "2.1.0"),
        (["RUN uv run pip list"], "2.1.0"),
        (["RUN uv export --frozen > r.txt && pip install -r r.txt"], "2.1.0"),
    ],
)
def test_commands(tmp_path: Path, lines: list[str], version: str) -> None:
    files = {
        "limits.txt": "pydantic-settings<2.4\n",
        "base.txt": "pydantic-settings==2.5.0\n",
        "pyproject.toml": '[project]\nname = "app"\nversion = "1"\n'
        'dependencies = ["pydantic-settings<2.3"]\n'
        '[project.optional-dependencies]\nnew = ["pydantic-settings<2.2"]\n',
        "uv.lock": '[[package]]\nname = "pydantic-settings"\nversion = "2.1.0"\n',
    }
    head = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n"
    packages = _image_packages(tmp_path, head + "\n".join(lines) + "\n", **files)
    assert _version(packages) == version


def test_only_the_stages_of_the_image_count(tmp_path: Path) -> None:
    text = (
        "FROM python:3.12 AS test\nRUN pip install pydantic-settings==2.1.0\n"
        "FROM python:3.12 AS builder\nCOPY api/requirements.txt .\n"
        "RUN pip install -r requirements.txt\n"
        "FROM python:3.12-slim\nCOPY --from=builder /usr/local /usr/local\n"
    )
    (tmp_path / "api").mkdir()
    (tmp_path / "api/requirements.txt").write_text("pydantic-settings==2.6.1\n")
    root = {"requirements.txt": "pydantic-settings==2.0.0\n"}
    assert _version(_image_packages(tmp_path, text, **root)) == "2.6.1"


def test_mounted_files_are_read(tmp_path: Path) -> None:
    text = (
        "FROM python:3.12\nWORKDIR /src\n"
        "RUN --mount=type=bind,source=requirements.txt,target=/tmp/r.txt pip install -r /tmp/r.txt\n"
    )
    files = {"requirements.txt": "pydantic-settings==2.6.1\n"}
    assert _version(_image_packages(tmp_path, text, **files)) == "2.6.1"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings_of_requirement_files(tmp_path: Path, encoding: str) -> None:
    _packages(tmp_path, {}, "pip install -r requirements.txt")
    (tmp_path / "requirements.txt").write_bytes("pydantic-settings==2.6.1\r\n".encode(encoding))
    sites, _ = discover(tmp_path.resolve())
    found = _version(Space(sites[0], Declared()).packages)
    assert found == ("-" if encoding == "utf-16-le" else "2.6.1")  # without a mark pip fails


# Poetry 2's own constraints (poetry-core 2), the newest release that each allows.
@pytest.mark.parametrize(
    ("constraint", "version"),
    [
        ("^2.1", NEWEST),
        ("~2.1", "2.1.0"),
        ("~2.3.1", "2.3.4"),
        ("2.6.1", "2.6.1"),
        ("=2.6.1", "2.6.1"),
        ("2.5.*", "2.5.2"),
        ("*", NEWEST),
        (">=2.0 <2.6.1", "2.6.0"),
        ("~2.5.0 || ~2.1", "2.5.2"),
        ("<2.2 | >=2.3,<2.4", "2.3.4"),
    ],
)
def test_poetry(tmp_path: Path, constraint: str, version: str) -> None:
    text = f'[tool.poetry.dependencies]\npython = "^3.12"\npydantic-settings = "{constraint}"\n'
    assert _version(_packages(tmp_path, {"pyproject.toml": text}, "poetry install")) == version


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("pydantic-settings=2.5", "2.5.2"),
        ("pydantic-settings=2.5.0=pyhd8ed1ab_0", "2.5.0"),
        ("pydantic-settings==2.5.0", "2.5.0"),
        ("conda-forge::pydantic-settings>=2.3,<2.6", "2.5.2"),
        ("pydantic-settings 2.4.*", "2.4.0"),
        ("python=3.9", "2.11.0"),
    ],
)
def test_conda(tmp_path: Path, line: str, version: str) -> None:
    text = f"dependencies:\n  - {line}\n  - pip\n  - pip:\n      - -r more.txt\n"
    files = {"environment.yml": text, "more.txt": "pydantic-settings\n"}
    assert _version(_packages(tmp_path, files, "conda env create -f environment.yml")) == version


def test_groups_overrides_and_sources(tmp_path: Path) -> None:
    head = '[project]\nname = "a"\nversion = "1"\ndependencies = ["pydantic-settings>=2.3"]\n'
    cases = {
        '[dependency-groups]\ndev = ["pydantic-settings<2.5"]\n': "2.4.0",
        '[tool.uv]\nconstraint-dependencies = ["pydantic-settings<2.6"]\n': "2.5.2",
        '[tool.uv]\noverride-dependencies = ["pydantic-settings==2.1.0"]\n': "2.1.0",
        '[tool.uv.sources]\npydantic-settings = {git = "https://x.example/y"}\n': "-",
    }
    for tail, version in cases.items():
        packages = _packages(tmp_path, {"pyproject.toml": head + tail}, "uv sync")
        assert _version(packages) == version, tail


def test_several_versions_in_a_lock(tmp_path: Path) -> None:
    lock = (
        '[[package]]\nname = "pydantic-settings"\nversion = "2.11.0"\n'
        "resolution-markers = [\"python_full_version < '3.10'\"]\n"
        '[[package]]\nname = "pydantic-settings"\nversion = "2.12.0"\n'
        "resolution-markers = [\"python_full_version >= '3.10'\"]\n"
    )
    run = "RUN uv sync --frozen\n"
    copy = "WORKDIR /app\nCOPY . .\n"
    for image, version in (("python:3.9", "2.11.0"), ("python:3.12", "2.12.0"), ("own", "-")):
        text = f"FROM {image}\n{copy}{run}"
        assert _version(_image_packages(tmp_path, text, **{"uv.lock": lock})) == version


def test_setup_files(tmp_path: Path) -> None:
    cfg = "[options]\ninstall_requires =\n    pydantic-settings<2.3\n"
    assert _version(_packages(tmp_path, {"setup.cfg": cfg}, "pip install .")) == "2.2.1"
    (tmp_path / "setup.cfg").unlink()
    setup = (
        "from setuptools import setup\nNEEDS = ['pydantic-settings==2.4.0']\n"
        "setup(name='a', install_requires=NEEDS)\n"
    )
    assert _version(_packages(tmp_path, {"setup.py": setup}, "pip install -e .")) == "2.4.0"


def test_a_pipfile_and_its_lock(tmp_path: Path) -> None:
    lock = '{"default": {"pydantic-settings": {"version": "==2.1.0"}}}'
    files = {"Pipfile": '[packages]\npydantic-settings = "*"\n', "Pipfile.lock": lock}
    assert _version(_packages(tmp_path, files, "pipenv install --system --deploy")) == "2.1.0"
