"""Addresses that a library reads: settings classes, `.env` files, command lines, config files."""

from __future__ import annotations

import json
import random

from tests.differential.launch.families.programs.bindings import OTHER
from tests.differential.launch.families.programs.parts import Bound


def settings(rng: random.Random, host: str, port: int) -> Bound:
    """A pydantic settings class, here or in another module."""
    prefix = rng.choice(("", "", "APP_"))
    default = rng.choice(OTHER)
    options = [f'env_prefix="{prefix}"'] if prefix else []
    files = {}
    env = {}
    if rng.random() < 0.4:
        options.append('env_file=".env"')
        options.append('extra="ignore"')
        files[".env"] = f"{prefix}PORT={port}\nOTHER=1\n"
    if rng.random() < 0.5:
        env[f"{prefix}{rng.choice(('port', 'PORT'))}"] = str(port)
    if rng.random() < 0.4:
        env[f"{prefix}HOST"] = host
    kind = rng.choice(("plain", "field", "required", "alias"))
    fields = [f"    host: str = {host!r}", f"    port: int = {default}"]
    if kind == "field":
        fields[1] = f'    port: int = Field(default={default}, description="Port")'
    elif kind == "required":
        fields[1] = "    port: int"
        env[f"{prefix}PORT"] = str(port)
    elif kind == "alias":
        fields[1] = f'    port: int = Field({default}, validation_alias="WEB_PORT")'
        env["WEB_PORT"] = str(port)
    config = f"    model_config = SettingsConfigDict({', '.join(options)})"
    lines = ["class Settings(BaseSettings):", *([config] if options else []), *fields, ""]
    reach = rng.choice(("object", "cached", "inline"))
    if reach == "object":
        lines.append("settings = Settings()")
        head = "settings"
    elif reach == "cached":
        lines += ["@lru_cache", "def get_settings():", "    return Settings()", ""]
        head = "get_settings()"
    else:
        head = "Settings()"
    imports = (
        "from functools import lru_cache",
        "from pydantic import Field",
        "from pydantic_settings import BaseSettings, SettingsConfigDict",
    )
    if rng.random() < 0.5:
        name = head.partition("(")[0]
        files["core/settings.py"] = "\n".join([*imports, "", *lines, ""])
        imports = (f"from core.settings import {name}",)
        lines = []
    return Bound(f"{head}.host", f"{head}.port", imports, tuple(lines), files, env)


def dotenvs(rng: random.Random, host: str, port: int) -> Bound:
    """A `.env` file beside the program: python-dotenv, decouple, environs."""
    quote = rng.choice(("", "", '"', "'"))
    head = rng.choice(("", "# settings\n", "export "))
    files = {".env": f"{head}PORT={quote}{port}{quote}\nHOST={host}\n"}
    env = {"PORT": str(rng.choice(OTHER))} if rng.random() < 0.3 else {}
    kind = rng.choice(("load", "load", "found", "override", "values", "decouple", "environs"))
    read = 'int(os.getenv("PORT", "8123"))'
    if kind == "decouple":
        return Bound(
            rng.choice(('config("HOST")', f'config("HOST", default={host!r})')),
            rng.choice(('config("PORT", cast=int)', 'config("PORT", default=8123, cast=int)')),
            ("from decouple import config",), files=files, env=env,
        )  # fmt: skip
    if kind == "environs":
        return Bound(
            'env("HOST")', rng.choice(('env.int("PORT")', 'env.int("PORT", 8123)')),
            ("from environs import Env",), ("env = Env()", "env.read_env()"), files, env,
        )  # fmt: skip
    if kind == "values":
        return Bound(
            'CONFIG["HOST"]', 'int(CONFIG["PORT"])', ("from dotenv import dotenv_values",),
            (rng.choice(('CONFIG = dotenv_values(".env")', "CONFIG = dotenv_values()")),),
            files, env,
        )  # fmt: skip
    call = {"load": "load_dotenv()", "found": "load_dotenv(find_dotenv())",
            "override": "load_dotenv(override=True)"}[kind]  # fmt: skip
    if kind == "load" and rng.random() < 0.3:
        call = 'load_dotenv(Path(__file__).resolve().parent / ".env")'
    imports = (
        "import os",
        "from pathlib import Path",
        "from dotenv import find_dotenv, load_dotenv",
    )
    return Bound('os.getenv("HOST")', read, imports, (call,), files, env)


def arguments(rng: random.Random, host: str, port: int) -> Bound:
    """`argparse`, with words in CMD or without."""
    default = rng.choice((str(rng.choice(OTHER)), 'int(os.getenv("PORT", "8123"))',
                          'os.environ.get("PORT", 8123)'))  # fmt: skip
    env = {"PORT": str(port)} if rng.random() < 0.3 else {}
    short = rng.choice(("", '"-p", '))
    lines = [
        rng.choice(
            ("parser = argparse.ArgumentParser()",
             'parser = argparse.ArgumentParser(description="Serve the model")')
        ),
        f'parser.add_argument({rng.choice(("", "")) }"--host", type=str, default={host!r})',
        f'parser.add_argument({short}"--port", type=int, default={default}, help="Port")',
        'parser.add_argument("--reload", action="store_true")',
        rng.choice(("args = parser.parse_args()", "args, _ = parser.parse_known_args()")),
    ]  # fmt: skip
    words: tuple[str, ...] = rng.choice(
        (
            (),
            ("--port", str(port)),
            (f"--port={port}",),
            ("--host", host, "--port", str(port)),
            ("--port", str(port), "--host=0.0.0.0"),
            ("-p", str(port)) if short else ("--po", str(port)),
            ("--port", "web"),
        )
    )
    imports = ("import argparse", "import os")
    if rng.random() < 0.5:
        return Bound("args.host", "args.port", imports, tuple(lines), env=env, words=words)
    inner = [f"    {line}" for line in lines[:-1]]
    lines = ["def parse_args():", *inner, "    return parser.parse_args()", "",
             "args = parse_args()"]  # fmt: skip
    return Bound("args.host", "args.port", imports, tuple(lines), env=env, words=words)


def config_files(rng: random.Random, host: str, port: int) -> Bound:
    """JSON, YAML, TOML and INI files beside the program."""
    data = {"server": {"host": host, "port": port}}
    kind = rng.choice(("json", "json path", "yaml", "toml", "ini"))
    if kind == "json":
        lines = ['with open("config.json") as file:', "    config = json.load(file)"]
        files = {"config.json": json.dumps(data, indent=2)}
        imports = ["import json"]
    elif kind == "json path":
        lines = ['config = json.loads(Path("config.json").read_text())']
        files = {"config.json": json.dumps(data)}
        imports = ["import json", "from pathlib import Path"]
    elif kind == "yaml":
        lines = ['with open("config.yaml", "r") as f:', "    config = yaml.safe_load(f)"]
        files = {"config.yaml": f'server:\n  host: "{host}"\n  port: {port}\n'}
        imports = ["import yaml"]
    elif kind == "toml":
        lines = ['with open("config.toml", "rb") as f:', "    config = tomllib.load(f)"]
        files = {"config.toml": f'[server]\nhost = "{host}"\nport = {port}\n'}
        imports = ["import tomllib"]
    else:
        lines = ["config = configparser.ConfigParser()", 'config.read("config.ini")']
        files = {"config.ini": f"[server]\nhost = {host}\nport = {port}\n"}
        port_of = rng.choice(('config.getint("server", "port")', 'int(config["server"]["port"])'))
        return Bound(
            'config["server"]["host"]', port_of, ("import configparser",), tuple(lines), files
        )
    return Bound(
        'config["server"]["host"]', 'config["server"]["port"]', tuple(imports), tuple(lines), files
    )
