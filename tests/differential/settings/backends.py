"""Generates settings modules as the backends of real projects have them: many fields, typical
names and defaults, the usual validators, and what a deployment would set.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.differential.settings.cases import Case
from tests.differential.settings.pieces import Maker

_SHARED = [
    ("PROJECT_NAME", "str", ['"Backend"', None, '""']),
    ("API_V1_STR", "str", ['"/api/v1"']),
    ("ENVIRONMENT", 'Literal["local", "staging", "production"]', ['"local"', None, '"dev"']),
    ("DEBUG", "bool", ["False", "True", '"false"']),
    ("SECRET_KEY", "str", [None, '"change-me"', "secrets.token_urlsafe(32)"]),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", "int", ["30", "60 * 24 * 8", '"30"', "7.5"]),
    ("ALGORITHM", "str", ['"HS256"']),
    ("DATABASE_URL", "str", [None, '"sqlite:///./app.db"', 'os.getenv("DATABASE_URL")']),
    ("POSTGRES_SERVER", "str", ['"localhost"', None]),
    ("POSTGRES_PORT", "int", ["5432", None]),
    ("POSTGRES_USER", "str", [None, '"postgres"']),
    ("POSTGRES_PASSWORD", "str", ['""', None]),
    ("REDIS_URL", "Optional[str]", ["None", None, '"redis://localhost:6379"']),
    ("SENTRY_DSN", "Optional[HttpUrl]", ["None", None]),
    ("OPENAI_API_KEY", "str", [None, '""', 'os.getenv("OPENAI_API_KEY", "")']),
    ("GEMINI_API_KEY", "Optional[str]", ["None", 'Field(default=None, description="key")']),
    ("QDRANT_URL", "str", ['Field(..., description="where")', '"http://localhost:6333"']),
    ("HOST", "str", ['"0.0.0.0"']),
    ("PORT", "int", ["8000", 'int(os.getenv("PORT", 8000))', 'Field(default=8000, ge=1, le=65535)']),
    ("LOG_LEVEL", "str", ['"INFO"']),
    ("MAX_UPLOAD_MB", "float", ["10", "0.5"]),
    ("UPLOAD_DIR", "Path", ['Path("uploads")', "BASE_DIR / 'uploads'", '"uploads"']),
    ("FRONTEND_URL", "AnyHttpUrl", ['"http://localhost:3000"', None]),
    ("ALLOWED_EXTENSIONS", "set", ['{"pdf", "txt"}']),
    ("FEATURES", "dict", ["{}", '{"chat": True}']),
    ("SMTP_PORT", "Optional[int]", ["None", "587", None]),
    ("TEMPERATURE", "float", ["0.7", "Field(default=0.7, ge=0.0, le=2.0)"]),
    ("CHUNK_SIZE", "int", ["1000", "Field(1000, gt=0)"]),
    ("ADMIN_EMAILS", "List[str]", ["[]", '["a@b.example"]']),
    ("JWT_SECRET", "SecretStr", ['SecretStr("x")', None]),
    ("MODEL_NAME", "str", ['"gpt-4o-mini"']),
    ("RATE_LIMITS", "List[int]", ["[10, 60]", "[]"]),
]  # fmt: skip

_ORIGIN_NAMES = ["CORS_ORIGINS", "BACKEND_CORS_ORIGINS", "ALLOWED_ORIGINS", "allowed_hosts"]
_ORIGIN_TYPES = [
    "List[str]", "list[str]", "List[AnyHttpUrl]", "Union[str, List[str]]", "str",
    "Optional[List[str]]", "List[str] | str", "list[AnyHttpUrl] | str", "Tuple[str, ...]",
]  # fmt: skip
_ORIGIN_DEFAULTS = ["[]", '["*"]', '["http://localhost:3000", "http://localhost:5173"]', None,
                    '"*"', '"http://localhost:3000,http://localhost:5173"']  # fmt: skip

_BODIES = [
    # the full-stack template's
    "        if isinstance(v, str) and not v.startswith('['):\n"
    "            return [i.strip() for i in v.split(',')]\n"
    "        elif isinstance(v, (list, str)):\n            return v\n"
    "        raise ValueError(v)\n",
    "        if isinstance(v, str):\n            return [o.strip() for o in v.split(',') if o.strip()]\n"
    "        return v\n",
    "        if isinstance(v, str):\n            v = v.strip()\n            if v.startswith('['):\n"
    "                return json.loads(v)\n            return [o.strip() for o in v.split(',')]\n"
    "        return v or []\n",
    "        return v.split(',') if isinstance(v, str) else v\n",
    "        return parse_origins(v)\n",
    "        if v is None:\n            return ['*']\n        try:\n            parsed = json.loads(v)\n"
    "            if isinstance(parsed, list):\n                return parsed\n"
    "        except (json.JSONDecodeError, TypeError):\n            pass\n"
    "        if isinstance(v, list):\n            return v\n"
    "        return [item for item in (part.strip() for part in str(v).split(',')) if item]\n",
]

_HELPERS = '''

def parse_origins(value: Any) -> Any:
    """A list from what the variable holds."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    text = str(value).strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            return json.loads(text)
        except ValueError:
            return []
    return [part.strip().rstrip("/") for part in text.split(",") if part.strip()]
'''

_MEMBERS = [
    "    @property\n    def is_production(self) -> bool:\n"
    "        return self.ENVIRONMENT == 'production'\n",
    "    def get_url(self) -> str:\n        return f'{self.HOST}:{self.PORT}'\n",
    "    @property\n    def origins(self) -> List[str]:\n        return []\n",
]

_TEXTS = {
    "bool": ["true", "false", "1", "0", "True", "yes", "", "maybe"],
    "int": ["8000", "7860", "30", "", "abc", "10.0", "1.5", " 5"],
    "float": ["0.7", "1", "", "high", "2.5"],
    "str": ["x", "", "production", "postgresql://u:p@h/db", "a,b", "123", "true"],
    "Literal": ["local", "production", "prod", ""],
    "list": [
        "http://a,http://b", '["http://a"]', "", "*", "http://localhost:3000", '["*"]', "[]",
        "https://app.example.com, https://b.example.com", '["a", 1]', "null", "['http://a']",
    ],
    "dict": ["{}", '{"a": 1}', "", "a=b", "[]"],
    "url": ["http://localhost:3000", "https://x.example.com/", "", "localhost", "*"],
}  # fmt: skip


@dataclass(slots=True)
class _Backend:
    """The parts of a module as they are put together."""

    maker: Maker
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""
    validators: str = ""

    def add(self, name: str, kind: str, default: str | None) -> None:
        """Declare a field."""
        if default is None and self.maker.chance(0.25):
            default = "..." if self.maker.chance(0.5) else "Field(...)"
        self.fields.append((name, kind))
        self.body += f"    {name}: {kind}" + (f" = {default}\n" if default is not None else "\n")


def backend(maker: Maker) -> Case:
    """A module of about twenty fields, and the environment of a deployment."""
    made = _Backend(maker)
    table = maker.rng.sample(_SHARED, maker.rng.randint(8, 20))
    for name, kind, defaults in table:
        made.add(name.lower() if maker.chance(0.15) else name, kind, maker.rng.choice(defaults))
        if maker.chance(0.08):
            made.body += "\n    # -- next\n"
    for name in maker.rng.sample(_ORIGIN_NAMES, maker.rng.choice([1, 1, 2])):
        _origins(made, name)
    if maker.chance(0.2):
        _assembled(made)
    if maker.chance(0.2):
        _choice(made)
    if maker.chance(0.3):
        _nested(made)
    if maker.chance(0.12):
        _other_settings(made)
    options = _options(maker)
    source = _module(made, options)
    return Case(source, "Settings", _deployment(made, options), _env_files(made, options))


def _origins(made: _Backend, name: str) -> None:
    """The list of origins, with one of the usual validators or without."""
    maker = made.maker
    kind = maker.rng.choice(_ORIGIN_TYPES)
    if maker.since(7) and maker.chance(0.2):
        kind = "Annotated[List[str], NoDecode]"
        if maker.chance(0.5):
            kind = "Annotated[List[str], NoDecode, BeforeValidator(parse_origins)]"
    elif not maker.v1 and maker.chance(0.1):
        kind = "Annotated[Union[List[AnyUrl], str], BeforeValidator(parse_origins)]"
    made.add(name, kind, maker.rng.choice(_ORIGIN_DEFAULTS))
    if maker.chance(0.65):
        body = maker.rng.choice(_BODIES)
        made.validators += f"{_decorated(maker, name)}    def assemble_{name}(cls, v):\n{body}"


def _decorated(maker: Maker, name: str) -> str:
    if maker.v1 or (maker.chance(0.1) and maker.since(3)):
        return f'\n    @validator("{name}", pre=True)\n'
    return f'\n    @field_validator("{name}", mode="before")\n    @classmethod\n'


def _assembled(made: _Backend) -> None:
    """An address that is put together from other fields, as the full-stack template does."""
    maker = made.maker
    made.add("SQLALCHEMY_DATABASE_URI", "Optional[str]", "None")
    if maker.v1:
        head = '\n    @validator("SQLALCHEMY_DATABASE_URI", pre=True)\n    def assemble_db(cls, v, values):\n'
        data = "values"
    else:
        head = (
            '\n    @field_validator("SQLALCHEMY_DATABASE_URI", mode="before")\n    @classmethod\n'
            "    def assemble_db(cls, v, info):\n"
        )
        data = "info.data"
    made.validators += (
        f"{head}        if isinstance(v, str):\n            return v\n"
        f"        return 'postgresql://' + str({data}.get('POSTGRES_USER')) + '@'"
        f" + str({data}.get('POSTGRES_SERVER'))\n"
    )


def _choice(made: _Backend) -> None:
    """A text of which a validator takes only some."""
    made.add("LOG_FORMAT", "str", '"text"')
    old = made.maker.v1
    head = (
        '\n    @validator("LOG_FORMAT")\n'
        if old
        else '\n    @field_validator("LOG_FORMAT")\n    @classmethod\n'
    )
    made.validators += (
        f"{head}    def check_format(cls, v: str) -> str:\n        allowed = {{'text', 'json'}}\n"
        "        if v.lower() not in allowed:\n"
        "            raise ValueError(f'must be one of {sorted(allowed)}')\n"
        "        return v.lower()\n"
    )


def _nested(made: _Backend) -> None:
    kind = made.maker.rng.choice(["Database", "Optional[Database]"])
    default = made.maker.rng.choice(["Database()", "None", "Field(default_factory=Database)"])
    made.add("database", kind, default)


def _other_settings(made: _Backend) -> None:
    """A field that holds other settings, which read variables of their own."""
    default = made.maker.rng.choice(
        ["Mail()", "Field(default_factory=Mail)", 'Mail(host="h")', "mail_settings", "None", None]
    )
    made.add("mail", made.maker.rng.choice(["Mail", "Mail", "Optional[Mail]"]), default)


def _options(maker: Maker) -> dict[str, object]:
    options: dict[str, object] = {}
    if maker.chance(0.7):
        options["env_file"] = ".env"
        if maker.chance(0.6):
            options["env_file_encoding"] = "utf-8"
    if maker.chance(0.5):
        options["case_sensitive"] = maker.chance(0.7)
    if maker.chance(0.5):
        options["extra"] = maker.rng.choice(["ignore", "ignore", "allow", "forbid"])
    if maker.chance(0.12):
        options["env_prefix"] = "APP_"
    if maker.chance(0.2):
        options["env_nested_delimiter"] = "__"
    if maker.chance(0.1) and not maker.v1:
        options["env_ignore_empty"] = True
    return options


def _module(made: _Backend, options: dict[str, object]) -> str:
    maker = made.maker
    base = "pydantic" if maker.v1 else "pydantic_settings"
    extra = "" if maker.v1 else ", SettingsConfigDict"
    text = "from __future__ import annotations\n\n" if maker.chance(0.1) else ""
    text += (
        "import json\nimport os\nimport secrets\nfrom functools import lru_cache\n"
        "from pathlib import Path\n"
        "from typing import Annotated, Any, Dict, List, Literal, Optional, Set, Tuple, Union\n\n"
        "from pydantic import AnyHttpUrl, AnyUrl, BaseModel, Field, HttpUrl, SecretStr, validator\n"
    )
    if not maker.v1:
        text += "from pydantic import BeforeValidator, computed_field, field_validator\n"
    text += f"from {base} import BaseSettings{extra}\n"
    text += "from pydantic_settings import NoDecode\n" if maker.since(7) else ""
    text += "\nBASE_DIR = Path(__file__).resolve().parent\n" + _HELPERS
    text += '\n\nclass Database(BaseModel):\n    host: str = "localhost"\n    port: int = 5432\n'
    text += "    replicas: List[str] = []\n"
    text += '\n\nclass Mail(BaseSettings):\n    host: str = "localhost"\n    mail_port: int = 25\n'
    text += "    mail_to: List[str] = []\n"
    text += "\n\nmail_settings = Mail(host='here')\n" if "= mail_settings" in made.body else ""
    config = _config(maker, options)
    before = maker.chance(0.5)
    members = "".join(
        "\n" + item for item in maker.rng.sample(_MEMBERS, maker.rng.choice([0, 1, 2]))
    )
    base_name = "BaseSettings"
    if maker.chance(0.1):
        text += f"\n\nclass Common(BaseSettings):\n    service: str = 'api'\n{config}"
        config, base_name = "", "Common"
    text += f'\n\nclass Settings({base_name}):\n    """What the service is told."""\n\n'
    text += (config if before else "") + made.body + made.validators + members
    text += "" if before else config
    text += maker.rng.choice(
        [
            "\n\nsettings = Settings()\n",
            "\n\n@lru_cache()\ndef get_settings() -> Settings:\n    return Settings()\n",
            "\n\n@lru_cache\ndef get_settings():\n    return Settings()\n\n\nsettings = get_settings()\n",
            "\n",
        ]
    )
    return text


def _config(maker: Maker, options: dict[str, object]) -> str:
    if not options:
        return ""
    if maker.v1 or maker.chance(0.35):
        lines = "".join(f"        {key} = {value!r}\n" for key, value in options.items())
        return f"\n    class Config:\n{lines}\n"
    pairs = "".join(f"        {key}={value!r},\n" for key, value in options.items())
    return f"    model_config = SettingsConfigDict(\n{pairs}    )\n\n"


def _deployment(made: _Backend, options: dict[str, object]) -> dict[str, str]:
    """What is set: most of the time everything well, now and then something odd."""
    maker = made.maker
    share = maker.rng.choice([0.0, 0.3, 0.8, 0.95])
    odd = maker.rng.choice([0.0, 0.1, 0.4])
    prefix = str(options.get("env_prefix", ""))
    found: dict[str, str] = {}
    for name, kind in made.fields:
        if maker.chance(share):
            found[prefix + name if maker.chance(0.5) else (prefix + name).upper()] = _text(
                maker, kind, odd
            )
    if maker.chance(0.2):
        found["MAIL_TO"] = maker.rng.choice(["a,b", '["a"]'])
    if maker.chance(0.1):
        found["MAIL_PORT"] = maker.rng.choice(["587", "x"])
        found["MAIL"] = maker.rng.choice(['{"host": "h"}', '{"mail_port": "x"}'])
    if maker.chance(0.2):
        found["DATABASE__PORT"] = maker.rng.choice(["5433", "x"])
        found["DATABASE__REPLICAS"] = maker.rng.choice(["a,b", '["a"]'])
    return found


def _text(maker: Maker, kind: str, odd: float) -> str:
    table = next((key for key in ("bool", "int", "float", "Literal", "dict") if key == kind), "str")
    if "List" in kind or "list" in kind or "set" in kind or "Tuple" in kind:
        table = "list"
    elif "Url" in kind:
        table = "url"
    elif kind.startswith("Literal"):
        table = "Literal"
    elif kind == "Optional[int]":
        table = "int"
    texts = _TEXTS[table]
    return maker.rng.choice(texts if maker.chance(odd) else texts[:2])


def _env_files(made: _Backend, options: dict[str, object]) -> tuple[str, ...]:
    maker = made.maker
    if "env_file" not in options or maker.chance(0.3):
        return ()
    prefix = str(options.get("env_prefix", ""))
    lines = ["# local settings", ""]
    for name, kind in made.fields:
        if maker.chance(0.4):
            text = _text(maker, kind, 0.1)
            lines.append(f"{prefix}{name}={text}" if "#" not in text else f"#{name}=")
    if maker.chance(0.3):
        lines.append("UNRELATED_KEY=1")
    return ("\n".join(lines) + "\n",)
