"""Signing keys: told by their use, left alone where the environment or the code takes care."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_examples import write_tree

from hfcheck.engine import check_path
from hfcheck.finding import Finding
from hfcheck.space.leak.databases import shipped_databases

SPACE = {
    "README.md": "---\nsdk: docker\n---\n",
    "Dockerfile": (
        "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n"
        'CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "7860"]\n'
    ),
    "requirements.txt": "uvicorn\npyjwt\nstarlette\nitsdangerous\npydantic-settings\n",
    "main.py": "from keys import sign\n\n\nasync def app(scope, receive, send):\n    print(sign)\n",
}
IMPORTS = "import os\nimport secrets\n\nimport jwt\nfrom pydantic import field_validator, model_validator\n"
IMPORTS += "from pydantic_settings import BaseSettings\n\n"
SIGN = "\n\ndef sign(data):\n    return jwt.encode(data, KEY, algorithm='HS256')\n"
SETTINGS = "class S(BaseSettings):\n    jwt_secret: str = 'weak'\n    mode: str = 'x'\n"
USED = "\n\nsettings = S()\n\n\ndef sign(data):\n    return jwt.encode(data, settings.jwt_secret)\n"


def findings(root: Path, files: dict[str, str]) -> list[Finding]:
    write_tree(root, {**SPACE, **files})
    found = [f for report in check_path(root).spaces for f in report.findings]
    assert "internal-error" not in {f.rule for f in found}
    return [f for f in found if f.rule == "insecure-default-secret"]


@pytest.mark.parametrize(
    "code",
    [
        "KEY = os.getenv('JWT_SECRET', 'weak')" + SIGN,
        "KEY = os.environ.get('JWT_SECRET') or 'weak'" + SIGN,
        "KEY = 'weak'" + SIGN,
        "KEY = b'weak'" + SIGN,
        "class Config:\n    KEY = os.getenv('K', 'weak')\n\n\nKEY = Config.KEY" + SIGN,
        "KEY = os.getenv('K', 'weak')\nif KEY == 'weak':\n    print('set K')" + SIGN,
        "KEY = os.getenv('K', 'weak')\nif not KEY:\n    raise SystemExit(1)" + SIGN,
        SETTINGS + USED,
        "from itsdangerous import URLSafeSerializer\nsign = URLSafeSerializer('weak')",
        "from starlette.middleware import Middleware\n"
        "from starlette.middleware.sessions import SessionMiddleware\n"
        "sign = Middleware(SessionMiddleware, secret_key='weak')",
        "from flask import Flask\nsign = Flask(__name__)\nsign.secret_key = 'weak'",
        "from flask import Flask\nsign = Flask(__name__)\nsign.config['SECRET_KEY'] = 'weak'",
        "from flask import Flask\nsign = Flask(__name__)\nsign.config.update(JWT_SECRET_KEY='weak')",
        "INSTALLED_APPS = []\nROOT_URLCONF = 'x'\nSECRET_KEY = 'weak'\nsign = 1",
    ],
)
def test_a_key_that_all_can_read(tmp_path: Path, code: str) -> None:
    (found,) = findings(tmp_path, {"keys.py": IMPORTS + code})
    assert "weak" not in found.primary.place.text
    assert found.primary.place.text.strip("b\"'") == "****"


@pytest.mark.parametrize(
    "code",
    [
        "KEY = os.environ['JWT_SECRET']" + SIGN,
        "KEY = os.getenv('JWT_SECRET')" + SIGN,
        "KEY = os.getenv('JWT_SECRET', '')" + SIGN,
        "KEY = os.getenv('JWT_SECRET') or secrets.token_hex()" + SIGN,
        "KEY = open('/run/key').read()" + SIGN,
        "KEY = '-----BEGIN PUBLIC KEY-----'" + SIGN,
        "KEY = os.getenv('K', 'weak')\nif os.getenv('E') and KEY == 'weak':\n    exit(1)" + SIGN,
        "KEY = os.getenv('K', 'weak')\nif KEY in ('weak', 'x'):\n    KEY = os.urandom(9).hex()"
        + SIGN,
        "KEY = os.getenv('K', 'weak')\n\n\ndef check():\n    assert len(KEY) > 31" + SIGN,
        "KEY = os.getenv('K', 'weak')\n\n\ndef check():\n    if KEY.startswith('we'):\n"
        "        raise RuntimeError" + SIGN,
        SETTINGS + "    @field_validator('jwt_secret')\n    def check(cls, v):\n"
        "        if os.getenv('E') and v == 'weak':\n            raise ValueError\n        return v\n"
        + USED,
        SETTINGS + "    @model_validator(mode='after')\n    def check(self):\n"
        "        if self.mode == 'p' and self.jwt_secret == 'weak':\n            raise ValueError\n"
        "        return self\n" + USED,
        "def sign(data):\n    return jwt.decode(data, options={'verify_signature': False})\n",
        "def sign(data):\n    return data.encode('utf-8').decode('latin-1')\n",
        "SECRET_KEY = 'weak'\nsign = 1\n",
        "from botocore.signers import Signer\nsign = Signer('weak')  # no Serializer\n",
        "import boto3\nsign = boto3.client('s3')\nsign.secret_key = 'weak'\n",
    ],
)
def test_keys_that_are_none_of_these(tmp_path: Path, code: str) -> None:
    assert findings(tmp_path, {"keys.py": IMPORTS + code}) == []


def test_an_answer_to_a_request_refuses_nothing(tmp_path: Path) -> None:
    code = "KEY = os.getenv('K', 'weak')\n\n\ndef check(given):\n    if given != KEY:\n"
    code += "        raise HTTPException(401)\n" + SIGN
    assert len(findings(tmp_path, {"keys.py": IMPORTS + code})) == 1


def test_code_that_is_not_loaded_signs_nothing(tmp_path: Path) -> None:
    files = {"keys.py": "sign = 1\n", "other.py": IMPORTS + "KEY = 'weak'" + SIGN}
    assert findings(tmp_path, files) == []


def test_a_variable_of_the_image_or_of_the_contract_takes_the_place(tmp_path: Path) -> None:
    code = {"keys.py": IMPORTS + "KEY = os.getenv('K', 'weak')" + SIGN}
    env = SPACE["Dockerfile"].replace("COPY", "ENV K=other\nCOPY")
    assert findings(tmp_path / "a", {**code, "Dockerfile": env}) == []
    declared = {"hfcheck.toml": '[space]\nsecrets = ["K"]\n'}
    assert findings(tmp_path / "b", {**code, **declared}) == []


@pytest.mark.parametrize("line", ["ENV K=weaker", "RUN echo 'K=weaker' >> .env"])
def test_a_key_that_the_dockerfile_sets_is_told_there(tmp_path: Path, line: str) -> None:
    code = "from dotenv import load_dotenv\n\nload_dotenv()\nKEY = os.getenv('K', 'weak')" + SIGN
    files = {"keys.py": IMPORTS + code, "requirements.txt": "uvicorn\npyjwt\npython-dotenv\n"}
    dockerfile = SPACE["Dockerfile"].replace("CMD", f"{line}\nCMD")
    assert findings(tmp_path, {**files, "Dockerfile": dockerfile}) == []
    (report,) = check_path(tmp_path).spaces
    (found,) = [f for f in report.findings if f.rule == "secret-in-image"]
    assert found.primary.place.text == "******"
    assert report.space.dockerfile is not None
    assert report.space.dockerfile.source.slice(found.primary.place.span) == "weaker"


def test_tables_of_a_database(tmp_path: Path) -> None:
    head = b"SQLite format 3\0" + b"\0" * 84
    write_tree(tmp_path, SPACE)
    (tmp_path / "a.db").write_bytes(
        head + b"CREATE TABLE alembic_version (v)CREATE TABLE Orders (id)"
    )
    (tmp_path / "b.sqlite3").write_bytes(head + b'CREATE TABLE\n  IF NOT EXISTS "prices" (id)')
    (tmp_path / "c.db").write_bytes(head)
    (tmp_path / "d.db").write_bytes(b"CREATE TABLE users (id)")
    (report,) = check_path(tmp_path).spaces
    found = {item.path: (item.tables, item.personal) for item in shipped_databases(report.space)}
    assert found == {"a.db": (("Orders",), ("Orders",)), "b.sqlite3": (("prices",), ())}
