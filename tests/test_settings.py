"""The predictor of settings classes against observed verdicts and the real library."""

from __future__ import annotations

import importlib.util
import io
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hfcheck.engine import check_path
from hfcheck.finding import Finding, Severity
from hfcheck.source import SourceFile
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.python import Module, Python
from hfcheck.space.code.values import ClassRef, EnvRead, Instance
from hfcheck.space.dotenv import env_entries, env_file
from hfcheck.space.packages import Packages
from hfcheck.space.requirements import requirement
from hfcheck.space.settings.annotations import ClassAt
from hfcheck.space.settings.model import SettingsReader, comma_list
from hfcheck.space.settings.prediction import parse_version, predict
from hfcheck.space.value import Known, Unknown, Value
from tests.declarations import TEXTS, module, rows, scenario
from tests.differential.settings.cases import Case
from tests.differential.settings.compare import compare, disagreement, outcomes, prediction
from tests.differential.settings.generate import generate
from tests.worlds import Files

DATA = Path(__file__).parent / "data"
DECLARATIONS = rows(DATA / "settings_declarations.txt")
SCENARIOS: list[dict[str, Any]] = yaml.safe_load(
    (DATA / "settings_scenarios.yaml").read_text("utf-8")
)
MODULES: list[dict[str, Any]] = yaml.safe_load((DATA / "settings_modules.yaml").read_text("utf-8"))
VERSIONS = ["v1", *(f"2.{minor}" for minor in range(17))]
LETTERS = {
    "ok": "O",
    "settings error": "S",
    "validation error": "V",
    "missing": "M",
    "class error": "X",
    "import error": "X",
}
NEW_SYNTAX = pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 695 needs Python 3.12")


def _declarations() -> list[Any]:
    return [
        pytest.param(
            declaration, spans, id=declaration, marks=[NEW_SYNTAX] if _is_new(declaration) else []
        )
        for declaration, spans in DECLARATIONS
    ]


def _is_new(declaration: str) -> bool:
    return "\ntype " in "\n" + module(declaration, "2.16")


@pytest.mark.parametrize(("declaration", "spans"), _declarations())
def test_declaration(declaration: str, spans: dict[str, str]) -> None:
    expected = ""
    init = {"cors_origins": ["k"]} if declaration.startswith("init kwarg") else None
    for version in VERSIONS:
        expected = spans.get(version, expected)
        source = module(declaration, version)
        letters = ""
        for text in TEXTS:
            env = {} if text is None else {"CORS_ORIGINS": text}
            verdict = predict(source, "S", env, version, init=init).get("cors_origins")
            letters += LETTERS.get(verdict, "?") if verdict else "-"
        assert (version, letters) == (version, expected)


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in SCENARIOS])
def test_scenario(row: dict[str, Any]) -> None:
    expected: dict[str, str] = {}
    for version in VERSIONS:
        expected = row["expect"].get(version, expected)
        found = predict(
            scenario(row, version),
            "S",
            row.get("env", {}),
            version,
            row.get("dotenv"),
            init=row.get("init"),
            secrets=row.get("secrets"),
        )
        if "*" in expected:
            assert found
            assert set(found.values()) <= {expected["*"], "import error"}, version
        else:
            assert _failing(found) == _failing(expected), version


def _expected(row: dict[str, Any], version: str) -> dict[str, str]:
    """The verdicts that are recorded for the newest version up to this one."""
    later = [name for name in row["expect"] if parse_version(name) <= parse_version(version)]
    found: dict[str, str] = row["expect"][max(later, key=parse_version)]
    return found


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in MODULES])
def test_module(row: dict[str, Any]) -> None:
    for version in row["expect"]:
        found = predict(row["source"], "S", row.get("env", {}), version, row.get("dotenv"))
        wanted = _expected(row, version)
        if "*" in wanted:
            assert set(found.values()) == {wanted["*"]}, version
        else:
            assert _failing(found) == wanted, version


def _failing(verdicts: dict[str, str]) -> dict[str, str]:
    return {name: verdict for name, verdict in verdicts.items() if verdict != "ok"}


needs_library = pytest.mark.skipif(
    importlib.util.find_spec("pydantic_settings") is None, reason="pydantic-settings is missing"
)


@needs_library
def test_generated_classes_as_the_installed_library_does() -> None:
    rng = random.Random(20)
    cases = [generate(rng, "newest") for _ in range(200)]
    row = compare(_installed(), Path(sys.executable), cases)
    assert [(found.reason, found.case.source) for found in row.differences] == []
    assert row.unknown + row.other <= 0.03 * row.cases


@needs_library
def test_observed_declarations_as_the_installed_library_does() -> None:
    cases = [
        Case(module(declaration, "newest"), "S", {} if text is None else {"CORS_ORIGINS": text})
        for declaration, spans in DECLARATIONS
        for text in TEXTS
        if not _is_new(declaration) and not declaration.startswith("init kwarg")
    ]
    version = _installed()
    for case, real in zip(cases, outcomes(Path(sys.executable), cases), strict=True):
        assert disagreement(prediction(case, version), real, version) is None, case.source


@needs_library
def test_observed_scenarios_as_the_installed_library_does() -> None:
    version = _installed()
    cases = [
        Case(
            scenario(row, version),
            "S",
            row.get("env", {}),
            tuple(_text(row["dotenv"]) for _ in "1" if row.get("dotenv") is not None),
            row.get("init"),
            row.get("secrets"),
        )
        for row in SCENARIOS
        if row.get("secrets") != "file"
    ]
    for case, real in zip(cases, outcomes(Path(sys.executable), cases), strict=True):
        assert disagreement(prediction(case, version), real, version) is None, case.source


@needs_library
def test_modules_as_the_installed_library_does() -> None:
    version = _installed()
    cases = [
        Case(
            row["source"],
            "S",
            row.get("env", {}),
            tuple(row["dotenv"] for _ in "1" if "dotenv" in row),
        )
        for row in MODULES
        if "v1" not in row["expect"]
    ]
    for case, real in zip(cases, outcomes(Path(sys.executable), cases), strict=True):
        assert disagreement(prediction(case, version), real, version) is None, case.source


def _text(variables: dict[str, str | None]) -> str:
    """The .env file of these variables."""
    lines = [name if value is None else f"{name}='{value}'" for name, value in variables.items()]
    return "\n".join(lines) + "\n"


def _installed() -> str:
    code = "import pydantic_settings; print(pydantic_settings.__version__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


@needs_library
def test_the_oracle_tells_a_wrong_prediction() -> None:
    case = Case(module("list[str]", "newest"), "S", {"CORS_ORIGINS": "a,b"})
    (real,) = outcomes(Path(sys.executable), [case])
    assert disagreement({"cors_origins": "settings error"}, real, "newest") is None
    assert disagreement({"cors_origins": "ok"}, real, "newest") is not None


@needs_library
def test_the_oracle_tells_of_fields_behind_one_that_is_no_json() -> None:
    body = (
        "\n\nclass S(BaseSettings):\n    a: list[str]\n    b: list[str]\n    c: int\n    d: int\n"
    )
    source = f"from pydantic_settings import BaseSettings{body}\nS()\n"
    (real,) = outcomes(Path(sys.executable), [Case(source, "S", {"A": "x", "B": "x", "C": "x"})])
    errors = {"a": "settings error", "b": "settings error", "c": "validation error", "d": "missing"}
    assert real["errors"] == errors
    assert disagreement(errors, real, "newest") is None
    assert disagreement({**errors, "d": "ok"}, real, "newest") is not None


def test_the_same_seed_gives_the_same_cases() -> None:
    for version in ("v1", "2.0", "newest"):
        first, again, other = (
            [generate(random.Random(seed), version) for _ in range(20)] for seed in (1, 1, 2)
        )
        assert first == again != other


def test_files_of_variables_as_text() -> None:
    source = (
        "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n"
        "    model_config = {'env_file': ('.env', '.env.local')}\n    a: int = 1\n    b: int = 1\n"
    )
    files = ["A=x\nexport B='x' # note\n", "A=2\nC=1\n"]
    found = predict(source, "S", {}, "newest", files)
    assert found == {"a": "ok", "b": "validation error", "extra:c": "extra forbidden"}
    assert predict(source, "S", {"B": "3"}, "newest", files[0])["a"] == "validation error"
    assert predict(source, "S", {}, "newest", {"B": "3"}) == {"a": "ok", "b": "ok"}
    assert predict(source, "S", {"N": "5"}, "newest", "A=${N}")["a"] == "ok"
    assert predict(source, "S", {}, "newest", "A=${N}")["a"] == "validation error"
    assert predict(source, "S", {}, "newest", ["A=x", "A"])["a"] == "ok"


@pytest.mark.parametrize(
    ("version", "parsed"),
    [
        ("newest", (2, 16)),
        ("latest", (2, 16)),
        ("2.6", (2, 6)),
        ("2.6.1", (2, 6)),
        ("2", (2, 0)),
        ("v1", (1, 10)),
        ("1", (1, 10)),
        ("1.10.13", (1, 10)),
    ],
)
def test_versions(version: str, parsed: tuple[int, int]) -> None:
    assert parse_version(version) == parsed


def test_a_case_without_class_or_version_is_refused() -> None:
    with pytest.raises(ValueError, match="no class"):
        predict("x = 1", "S", {}, "newest")
    with pytest.raises(ValueError, match="no Python module"):
        predict("class S(:", "S", {}, "newest")
    for version in ("two", "", "v3", ">=2.6"):
        with pytest.raises(ValueError, match="no version"):
            parse_version(version)


@pytest.mark.parametrize(
    "body",
    [
        "class S(S): a: int",
        "class A(B): a: int\nclass B(A): pass\nclass S(A): b: int",
        "X = X\nclass S(BaseSettings): a: X = X",
        "def f(v): return f(v)\nclass S(BaseSettings):\n    a: str\n"
        "    @field_validator('a', mode='before')\n    @classmethod\n"
        "    def v(cls, v): return f(v)",
        "def f(v):\n    out = ''\n    for a in range(10**9): out += a\n    return out\n"
        "class S(BaseSettings):\n    a: Annotated[str, BeforeValidator(f)]",
        "class S(BaseSettings):\n    a: " + "Optional[" * 60 + "str" + "]" * 60,
        "class S(BaseSettings):\n    a: list[str] = Field(*args, **kwargs)",
        "class S(BaseSettings):\n    model_config = make()\n    a: str",
        "class S(BaseSettings):\n    a: 'list[' = None",
        "class Sub(BaseModel):\n    sub: 'Optional[Sub]' = None\n"
        "class S(BaseSettings, env_nested_delimiter='_'):\n    sub: Sub = Sub()",
    ],
)
def test_odd_classes_end_in_verdicts(body: str) -> None:
    head = (
        "from typing import *\nfrom pydantic import *\nfrom pydantic_settings import BaseSettings\n"
    )
    env = {"A": "[" * 5000, "SUB": '{"a": 1}', "SUB_SUB_SUB_SUB_SUB": "1"}
    for version in ("newest", "2.0"):
        for verdict in predict(head + body, "S", env, version).values():
            assert isinstance(verdict, str)


def _reader(
    text: str, env: dict[str, str], *requirements: str, files: Files | None = None
) -> tuple[SettingsReader, Instance]:
    image = files
    files = files or Files({"/app/config.py": text})
    python = Python(files, ["/app"])  # type: ignore[arg-type]
    found = python.find("config")
    assert isinstance(found, Module)
    place = found.source.place()
    made = [item for item in (requirement(line, place) for line in requirements) if item]
    known = {name: Known(value) for name, value in env.items()}
    reader = SettingsReader(python, known, Packages(made), image, workdir="/app")  # type: ignore[arg-type]
    node = found.bindings["Settings"][-1].node
    return reader, Instance(ClassRef(found, node))  # type: ignore[arg-type]


VALUES = """
from typing import Annotated
from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

def split(v):
    return v.split(",") if isinstance(v, str) else v

class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="APP_")
    port: int = 8000
    debug: bool = False
    host: str
    origins: list[str] = ["http://localhost:3000"]
    hosts: Annotated[list[str], NoDecode, BeforeValidator(split)] = "a,b"

settings = Settings()
"""


def test_values_of_fields() -> None:
    env = {"APP_PORT": "7860", "app_debug": "yes", "APP_ORIGINS": '["https://a.example"]'}
    reader, instance = _reader(VALUES, env)
    port = reader.attribute(instance, "port")
    assert isinstance(port, Known)
    assert port.value == 7860
    debug = reader.attribute(instance, "debug")
    assert isinstance(debug, Known)
    assert debug.value is True
    origins = reader.attribute(instance, "origins")
    assert isinstance(origins, Known)
    assert isinstance(origins.value, list)
    assert [item.value for item in origins.value] == ["https://a.example"]
    hosts = reader.attribute(instance, "hosts")
    assert isinstance(hosts, Known)
    assert isinstance(hosts.value, list)
    assert [item.value for item in hosts.value] == ["a", "b"]
    host = reader.attribute(instance, "host")
    assert isinstance(host, Unknown)
    assert "APP_HOST" in host.reason
    assert reader.attribute(instance, "model_dump") is None


def test_a_wrong_value_is_not_known() -> None:
    reader, instance = _reader(VALUES, {"APP_PORT": "none", "APP_ORIGINS": "a,b"})
    assert isinstance(reader.attribute(instance, "port"), Unknown)
    assert isinstance(reader.attribute(instance, "origins"), Unknown)


@pytest.mark.parametrize(
    ("requirements", "version"),
    [
        ((), (2, 16)),
        (("pydantic-settings",), (2, 16)),
        (("pydantic-settings>=2.1",), (2, 16)),
        (("pydantic-settings==2.6.1",), (2, 6)),
        (("pydantic_settings<2.7",), (2, 6)),
        (("pydantic-settings~=2.3.0",), (2, 3)),
        (("pydantic-settings==9.1",), (2, 16)),
    ],
)
def test_the_version_that_is_judged(
    requirements: tuple[str, ...], version: tuple[int, int]
) -> None:
    reader, instance = _reader(VALUES, {}, *requirements)
    cls = next(reader.classes([instance.cls.module], {}))
    assert cls.version == version


def test_variables_and_verdicts_of_fields() -> None:
    reader, instance = _reader(VALUES, {"APP_HOST": "x"})
    fields = {f.name: f for f in next(reader.classes([instance.cls.module], {})).fields}
    assert fields["host"].variables == ("APP_HOST",)
    assert (fields["host"].unset, fields["host"].now) == ("missing", "ok")
    assert fields["origins"].comma == "settings error"
    assert fields["hosts"].comma == "ok"
    assert fields["origins"].sequence
    assert not fields["port"].sequence
    assert fields["origins"].annotation.text == "list[str]"


def test_a_comma_list_fits_its_type() -> None:
    reader, instance = _reader(
        "from pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings):\n    a: list[int] = []\n    b: set[str] = set()\n",
        {},
    )
    fields = {f.name: f for f in next(reader.classes([instance.cls.module], {})).fields}
    assert comma_list(fields["a"].type) == "1,2"
    assert "," in comma_list(fields["b"].type)
    assert next(reader.classes([instance.cls.module], {})).uses == []


# -- when a class is built --------------------

HEAD = """
import os
from functools import cached_property, lru_cache
from typing import Annotated, Generic, TypeVar
from pydantic import BaseModel, BeforeValidator, Field, Json, PostgresDsn, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

class Needs(BaseSettings):
    needed: str

class Free(BaseSettings):
    needed: str = "x"

"""

# What follows HEAD in main.py, and what required-env says of NEEDED (or the variable named): an
# "error" where the start really fails without it, a "warning" or None where it does not.
STARTS: list[tuple[str, str | None]] = [
    ("settings = Needs()", "error"),
    ("settings = Needs(needed='given')", None),
    ("settings = Free()", None),
    ("try:\n    settings = Needs()\nexcept ValidationError:\n    settings = None", None),
    ("try:\n    settings = Needs()\nexcept ValidationError:\n    raise", "error"),
    ("try:\n    settings = Needs()\nexcept ImportError:\n    settings = None", "error"),
    ("@lru_cache\ndef get():\n    return Needs()\nsettings = get()", "error"),
    ("@lru_cache\ndef get():\n    return Needs()", None),
    ("@lru_cache\ndef get():\n    return Needs()\ndef route(): return get()\nroutes = [route]", "warning"),
    ("class App:\n    @cached_property\n    def settings(self):\n        return Needs()\n"
     "def route(): return App().settings\nroutes = [route]", "warning"),
    ("if __name__ == '__main__':\n    settings = Needs()", None),
    ("settings = Needs() if os.getenv('PROD') else Free()", None),
    ("settings = Needs() if not os.getenv('PROD') else Free()", "error"),
    ("settings = os.getenv('PROD') and Needs()", None),
    ("cls = Needs if os.getenv('PROD') else Free\nsettings = cls()", None),
    ("cls = Free if os.getenv('PROD') else Needs\nsettings = cls()", "error"),
    ("TABLE = {'a': Needs, 'b': Free}\nsettings = TABLE[os.getenv('MODE', 'b')]()", None),
    ("TABLE = {'a': Needs, 'b': Free}\nsettings = TABLE[os.getenv('MODE', 'a')]()", "error"),
    ("TABLE = {'a': lambda: Needs(), 'b': lambda: Free()}\n"
     "settings = TABLE[os.getenv('MODE', 'b')]()", None),
    ("TABLE = {'a': Needs, 'b': Free}\ndef get():\n"
     "    return TABLE.get(os.getenv('MODE', 'b'))()\nsettings = get()", None),
    ("TABLE = {'a': Needs, 'b': Free}\nsettings = TABLE['ba'[hash('x') * 0]]()", "warning"),
    ("def get():\n    if os.getenv('MODE') == 'prod':\n        return Needs()\n    return Free()\n"
     "settings = get()", None),
    ("class Outer(BaseSettings):\n    inner: Needs = Field(default_factory=Needs)\n"
     "settings = Outer()", "error"),
    ("class Outer(BaseModel):\n    inner: Needs = Field(default_factory=lambda: Needs())\n"
     "class More(Outer):\n    pass\nsettings = More()", "error"),
    ("class Outer(BaseSettings):\n    inner: Needs = Field(default_factory=Needs)", None),
    ("class Plain(BaseSettings):\n    needed: PostgresDsn = 'sqlite:///x.db'\nsettings = Plain()",
     "error"),
    ("class Prefixed(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='X_')\n"
     "class Other(BaseSettings):\n    pass\nclass Both(Prefixed, Other):\n    needed: str\n"
     "settings = Both()", "error"),
    ("settings = Needs(**{'needed': 'x'})", None),
    ("class S(BaseSettings):\n    needed: str = ''\nsettings = S()\n"
     "if not settings.needed:\n    raise RuntimeError('NEEDED')", "error"),
    ("class S(BaseSettings):\n    needed: str | None = None\n    @property\n"
     "    def ready(self):\n        return self.needed is not None\nsettings = S()\n"
     "assert settings.ready", "error"),
]  # fmt: skip


def _space(root: Path, main: str, extra: dict[str, str] | None = None) -> list[Finding]:
    texts = {
        "README.md": "---\nsdk: docker\n---\n",
        "Dockerfile": "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n"
        "RUN pip install uvicorn pydantic-settings\n"
        'CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "7860"]\n',
        "main.py": main + "\nasync def app(scope, receive, send): ...\n",
        **(extra or {}),
    }
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return [found for report in check_path(root).spaces for found in report.findings]


def _severities(findings: list[Finding], rule: str) -> list[str]:
    return [
        "warning" if found.severity is Severity.warning else "error"
        for found in findings
        if found.rule == rule
    ]


def _starts(root: Path, env: dict[str, str] | None = None) -> bool:
    run = subprocess.run(
        [sys.executable, "-c", "import sys; sys.path.insert(0, '.'); import main"],
        cwd=root,
        env={"PATH": os.defpath, **(env or {})},
        capture_output=True,
        check=False,
    )
    return run.returncode == 0


@needs_library
@pytest.mark.parametrize(("main", "severity"), STARTS)
def test_what_needs_a_variable_at_start(main: str, severity: str | None, tmp_path: Path) -> None:
    found = _severities(_space(tmp_path.resolve(), HEAD + main), "required-env")
    assert found == ([severity] if severity else [])
    assert _starts(tmp_path, {"NEEDED": "postgresql://a/b"})
    if "hash(" not in main:
        assert _starts(tmp_path) is (severity != "error")


FILES: list[tuple[str, dict[str, str], bool]] = [
    ("model_config = SettingsConfigDict(env_file='.env')", {".env": "NEEDED=1"}, True),
    ("model_config = SettingsConfigDict(env_file='.env')", {".env": "export NEEDED='1' # x"}, True),
    ("model_config = SettingsConfigDict(env_file='.env')", {".env": "#NEEDED=1"}, False),
    ("model_config = SettingsConfigDict(env_file=('.env', 'b.env'))", {"b.env": "NEEDED=1"}, True),
    ("model_config = SettingsConfigDict(env_file='other.env')", {".env": "NEEDED=1"}, False),
    ("model_config = SettingsConfigDict(env_file=f\".env.{os.getenv('MODE', 'space')}\")",
     {".env.space": "NEEDED=1"}, True),
    ("model_config = {'env_file': HERE / 'envs' / 'a.env'}", {"envs/a.env": "NEEDED=1"}, True),
    ("model_config = SettingsConfigDict(secrets_dir='none')", {}, False),
    ("model_config = SettingsConfigDict(secrets_dir='keys')", {"keys/needed": "1"}, True),
]  # fmt: skip


@needs_library
@pytest.mark.parametrize(("config", "files", "starts"), FILES)
def test_files_that_give_a_variable(
    config: str, files: dict[str, str], starts: bool, tmp_path: Path
) -> None:
    main = (
        f"{HEAD}from pathlib import Path\nHERE = Path(__file__).resolve().parent\n"
        f"class S(BaseSettings):\n    {config}\n    needed: str\nsettings = S()\n"
    )
    found = _severities(_space(tmp_path.resolve(), main, files), "required-env")
    assert _starts(tmp_path) is starts
    assert found == ([] if starts else ["error"])


def test_a_file_that_git_ignores_gives_none(tmp_path: Path) -> None:
    main = (
        f"{HEAD}class S(BaseSettings):\n    model_config = SettingsConfigDict(env_file='.env')\n"
        "    needed: str\nsettings = S()\n"
    )
    files = {".env": "NEEDED=1", ".gitignore": ".env\n"}
    assert _severities(_space(tmp_path.resolve(), main, files), "required-env") == ["error"]


# A field of a class that is built at start: what list-env-field says of it. "error" and "warning"
# where the text "a,b" really stops the start.
LISTS: list[tuple[str, str | None]] = [
    ("x: list[str] = []", "error"),
    ("x: dict[str, str] = {}", "warning"),
    ("x: dict[str, str] | str = ''", None),
    ("x: Many[str] = 'k'", None),
    ("x: Plain[str] = []", "error"),
    ("x: Annotated[Many[int], Field()] = '1'", None),
]


@needs_library
@pytest.mark.parametrize(("field", "severity"), LISTS)
def test_what_a_comma_list_stops(field: str, severity: str | None, tmp_path: Path) -> None:
    main = (
        f"{HEAD}T = TypeVar('T')\nPlain = Annotated[list[T], Field()]\n"
        "Many = Annotated[list[T], NoDecode, BeforeValidator(lambda v: v.split(','))]\n"
        f"class S(BaseSettings):\n    {field}\nsettings = S()\n"
    )
    found = _severities(_space(tmp_path.resolve(), main), "list-env-field")
    assert found == ([severity] if severity else [])
    comma = "1,2" if "int" in field else "a,b"
    assert _starts(tmp_path, {"X": comma}) is (severity is None)
    assert _starts(tmp_path)


def test_json_is_no_comma_list(tmp_path: Path) -> None:
    main = f"{HEAD}class S(BaseSettings):\n    x: Json[list[str]] = '[]'\nsettings = S()\n"
    assert _severities(_space(tmp_path.resolve(), main), "list-env-field") == []


BASES = """
class A(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="A_", env_nested_delimiter="__")
class B(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="B_")
class C(BaseSettings):
    pass
class D(A):
    model_config = SettingsConfigDict(env_prefix="D_", extra="ignore")
class E(A, populate_by_name=True):
    pass
class M:
    model_config = {"env_prefix": "M_"}
class F(A):
    model_config = SettingsConfigDict(**A.model_config, title="F")
"""


@needs_library
@pytest.mark.parametrize(
    "bases",
    ["A", "A, B", "B, A", "A, C", "C, A", "D, B", "D, E", "E, D", "M, A", "F, C", "F", "E, C, B"],
)
def test_configuration_of_several_bases(bases: str) -> None:
    from pydantic_settings import BaseSettings

    text = f"{HEAD}{BASES}class Settings({bases}):\n    x: int = 1\n"
    reader, instance = _reader(text, {})
    names: dict[str, Any] = {}
    exec(text, names)
    real = {
        key: value
        for key, value in names["Settings"].model_config.items()
        if value != BaseSettings.model_config.get(key)
    }
    at = ClassAt(instance.cls.module, instance.cls.node)
    assert reader.models.model(at, "v2").config == real


def test_what_may_be_set_is_not_missing() -> None:
    reader, instance = _reader(VALUES, {})
    reader.open_env = Unknown("the code sets variables")
    fields = {f.name: f for f in next(reader.classes([instance.cls.module], {})).fields}
    assert isinstance(fields["host"].given, Unknown)
    assert fields["host"].now == "unknown"


def test_nested_variables_that_are_secrets() -> None:
    text = (
        f"{HEAD}class Db(BaseModel):\n    url: str\n"
        "class Settings(BaseSettings):\n"
        "    model_config = SettingsConfigDict(env_prefix='APP_', env_nested_delimiter='__')\n"
        "    db: Db\n    other: Db\n"
    )
    reader, instance = _reader(text, {})
    reader.environment = {"APP_DB__URL": Unknown("it is a secret")}
    fields = {
        f.name: f for f in reader.read(ClassAt(instance.cls.module, instance.cls.node)).fields
    }
    assert fields["db"].now == "unknown"
    assert fields["other"].now == "missing"


def test_the_environment_is_read_when_it_is_needed() -> None:
    reader, instance = _reader(VALUES, {})
    environment: dict[str, Value[str]] = {}
    reader.environment = environment
    environment["APP_PORT"] = Known("7860")
    port = reader.attribute(instance, "port")
    assert isinstance(port, Known)
    assert port.value == 7860


def test_a_default_tells_its_variable() -> None:
    reader, instance = _reader(VALUES, {})
    port = reader.attribute(instance, "port")
    assert [(o.name, o.defaulted) for o in port.origins if isinstance(o, EnvRead)] == [
        ("APP_PORT", True)
    ]


@pytest.mark.parametrize("text", ["A=1", "A='x'#y", 'A="x" # y', "A=x #y", "A=x#y", "A= #y", "A=",
                                  "A=#y", "export A = 'x y'", 'A="it\'s"', "A='${B}'", 'A="\\n"',
                                  "B=1\nA=${B}", 'A="x\ny"', "A", "export A", "A=1\nA", "# A=1",
                                  "A=${OUT}", "A=${OUT:-x}", "A=${NO:-x}", "A=${NO}", "A=a${NO:x}b",
                                  "B\nA=${B:-x}", "OUT=in\nA=${OUT}", "A='x' y\nB=2", "A='x\nB=2",
                                  "A.B-C=1\r\nB=2", "'A B'=1", "A=${A}", "=1\nA=2", 'A="\\x\\\\"',
                                  ])  # fmt: skip
@pytest.mark.parametrize("override", [True, False])
def test_env_files_as_python_dotenv_reads_them(
    text: str, override: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = pytest.importorskip("dotenv.main")
    monkeypatch.setenv("OUT", "outer")
    monkeypatch.delenv("NO", raising=False)
    outer: dict[str, Value[str]] = {"OUT": Known("outer")}
    found = env_entries(SourceFile(Path(".env"), text), outer.get, override=override)
    values = {k: v.value if isinstance(v, Known) else v for k, v in found.items()}
    assert values == dotenv.DotEnv(None, io.StringIO(text), override=override).dict()


def test_a_reference_to_what_is_not_known() -> None:
    source = SourceFile(Path(".env"), "A=${B}\nC=x")
    assert isinstance(env_file(source)["A"], Unknown)
    assert isinstance(env_file(source, lambda _: Unknown("a secret"))["A"], Unknown)
    assert isinstance(env_file(source)["C"], Known)


# The texts of two .env files, and the value that the Space's settings have then.
TWO_FILES: list[tuple[str, str, bool, object]] = [
    ("PORT=1\n", "PORT=\n", True, 1),
    ("PORT=1\n", "PORT=2\n", True, 2),
    ("PORT=1\n", "PORT\n", False, 8000),
    ("BASE=70\nPORT=${BASE}1\n", "", False, 701),
    ("PORT=${OUTER}\n", "", False, 7860),
]


@needs_library
@pytest.mark.parametrize(("first", "second", "ignore", "value"), TWO_FILES)
def test_several_env_files_of_a_space(
    first: str,
    second: str,
    ignore: bool,
    value: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (
        f"{HEAD}class Settings(BaseSettings):\n    model_config = SettingsConfigDict(\n"
        f"        env_file=('.env', 'b.env'), env_ignore_empty={ignore}, extra='ignore')\n"
        "    port: int = 8000\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTER", "7860")
    (tmp_path / ".env").write_text(first, "utf-8")
    (tmp_path / "b.env").write_text(second, "utf-8")
    names: dict[str, Any] = {}
    exec(text, names)
    assert names["Settings"]().port == value
    files = Files({"/app/config.py": text, "/app/.env": first, "/app/b.env": second})
    reader, instance = _reader(text, {"OUTER": "7860"}, files=files)
    found = reader.attribute(instance, "port", Evaluator(reader.python, reader.environment))
    assert isinstance(found, Known)
    assert found.value == value


@pytest.mark.parametrize(
    "body",
    [
        "    @model_validator(mode='after')\n    def f(self):\n        self.port = 1\n"
        "        return self\n",
        "    @model_validator(mode='before')\n    @classmethod\n    def f(cls, data):\n"
        "        data.setdefault('port', 1)\n        return data\n",
        "    def __init__(self, **given):\n        super().__init__(**given)\n        self.port = 1\n",
        "    def model_post_init(self, context):\n        self.port = 1\n",
        "    def model_post_init(self, context):\n        self.__dict__.update({})\n"
        "        setattr(self, 'port', 1)\n",
        "    @classmethod\n    def settings_customise_sources(cls, settings_cls, **sources):\n"
        "        return (sources['env_settings'], Own(settings_cls))\n",
    ],
)
def test_a_value_that_the_class_changes_is_not_known(body: str) -> None:
    text = f"{HEAD}from pydantic import model_validator\nclass Settings(BaseSettings):\n"
    reader, instance = _reader(f"{text}    port: int = 8000\n    name: str = 'x'\n{body}", {})
    assert isinstance(reader.attribute(instance, "port"), Unknown)
    if "customise" not in body:
        assert isinstance(reader.attribute(instance, "name"), Known)


def test_parts_of_a_field_make_it_unknown() -> None:
    text = (
        f"{HEAD}class Server(BaseModel):\n    host: str = 'a'\nclass Settings(BaseSettings):\n"
        "    model_config = SettingsConfigDict(env_nested_delimiter='__')\n"
        "    server: Server = Server()\n    port: int = 1\n"
    )
    reader, instance = _reader(text, {"SERVER__HOST": "b"})
    assert isinstance(reader.attribute(instance, "server"), Unknown)
    assert isinstance(reader.attribute(instance, "port"), Known)
