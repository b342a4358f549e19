"""What a Python program changes from afar before it listens: names, attributes, variables."""

from __future__ import annotations

from pathlib import Path

import pytest
from launching import address, launch

from hfcheck.space.value import Known

RUN = "uvicorn.run(1, host=conf.host, port=conf.port)\n"
CLASS = "import os, uvicorn\nclass conf:\n    host = '127.0.0.1'\n    port = 8000\n"
OBJECT = (
    "import json, os, uvicorn\nclass Conf:\n    host = '127.0.0.1'\n    port = 8000\n"
    "conf = Conf()\n"
)
DATA = (
    "import os, uvicorn\nfrom dataclasses import dataclass, field\n@dataclass\nclass Net:\n"
    "    port: int = field(default_factory=lambda: int(os.getenv('PORT', '7860')))\n"
    "@dataclass\nclass Conf:\n    host: str = '127.0.0.1'\n"
    "    net: Net = field(default_factory=Net)\n    @classmethod\n    def load(cls):\n"
    "        return cls()\n"
)
EXIT = (
    "import sys, uvicorn\ndef main():\n    uvicorn.run(1, port=7860)\nif __name__ == '__main__':\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EXIT + "    sys.exit(main())\n", "127.0.0.1:7860"),
        (EXIT + "    raise SystemExit(main())\n", "127.0.0.1:7860"),
        (
            EXIT.replace("__name__ ==", "sys.platform !=") + "    sys.exit(main())\n",
            "127.0.0.1:7860",
        ),
        (CLASS + "def space():\n    conf.port = 7860\nspace()\n" + RUN, "127.0.0.1:7860"),
        (OBJECT + "if os.getenv('SPACE_ID'):\n    conf.host = '0.0.0.0'\n" + RUN, "0.0.0.0:8000"),
        (OBJECT + "if os.path.isdir(X):\n    conf.port = 7860\n" + RUN, "unknown"),
        (
            OBJECT + "for k, v in json.load(open('c')).items():\n    setattr(conf, k, v)\n" + RUN,
            "unknown",
        ),
        (OBJECT + "for k in ('port',):\n    setattr(conf, k, 7860)\n" + RUN, "127.0.0.1:7860"),
        (OBJECT + "vars(conf).update(read())\n" + RUN, "unknown"),
        (
            "import uvicorn\nport = 8000\ndef setup():\n    global port\n    port = 7860\n"
            "setup()\nuvicorn.run(1, port=port)\n",
            "127.0.0.1:7860",
        ),
        (
            "import uvicorn\ndef options():\n    found = {'port': 8000}\n"
            "    found.update(port=7860)\n    return found\nuvicorn.run(1, **options())\n",
            "127.0.0.1:7860",
        ),
        (
            "import uvicorn\ndef fill(into):\n    into['port'] = 7860\n"
            "OPTIONS = {'port': 8000}\nfill(OPTIONS)\nuvicorn.run(1, **OPTIONS)\n",
            "127.0.0.1:7860",
        ),
        (
            "import os, uvicorn\nfor k, v in {'PORT': '7860'}.items():\n"
            "    os.environ.setdefault(k, v)\nuvicorn.run(1, port=int(os.environ['PORT']))\n",
            "127.0.0.1:7860",
        ),
        (
            "import os, uvicorn\nfor k, v in read().items():\n    os.environ[k] = v\n"
            "uvicorn.run(1, port=int(os.getenv('PORT', '8000')))\n",
            "unknown",
        ),
        (
            "import os, subprocess\nenv = {**os.environ, 'UVICORN_PORT': '7860'}\n"
            "subprocess.run(['uvicorn', 'm:a'], env=env)\n",
            "127.0.0.1:7860",
        ),
        (
            "import subprocess\nsubprocess.run(['uvicorn', 'm:a'], env=made())\n",
            "unknown",
        ),
        (
            "import os, uvicorn\nmatch os.getenv('STAGE', 'live'):\n    case 'dev' | 'test':\n"
            "        PORT = 8000\n    case _:\n        PORT = 7860\nuvicorn.run(1, port=PORT)\n",
            "127.0.0.1:7860",
        ),
        (DATA + "conf = Conf.load()\nuvicorn.run(1, port=conf.net.port)\n", "127.0.0.1:7860"),
        (
            DATA + "conf = Conf('0.0.0.0', net=Net(port=81))\n"
            "uvicorn.run(1, host=conf.host, port=conf.net.port)\n",
            "0.0.0.0:81",
        ),
        (
            "import asyncio, uvicorn\nclass Runner:\n"
            "    def __init__(self, port):\n        self.port = port\n"
            "    async def serve(self):\n"
            "        self.server = uvicorn.Server(uvicorn.Config(1, port=self.port))\n"
            "        await self.server.serve()\n"
            "async def main():\n    await Runner(7860).serve()\nasyncio.run(main())\n",
            "127.0.0.1:7860",
        ),
    ],
)
def test_changes(tmp_path: Path, text: str, expected: str) -> None:
    assert address(launch(tmp_path, "CMD python run.py", {"run.py": text})) == expected


def test_changes_in_imported_modules(tmp_path: Path) -> None:
    files = {
        "run.py": "import uvicorn\nfrom core import conf\n"
        "uvicorn.run(1, host=conf.settings.HOST, port=conf.settings.PORT)\n",
        "core/__init__.py": "",
        "core/conf.py": "import os\nfrom pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings):\n    HOST: str = '127.0.0.1'\n    PORT: int = 8000\n"
        "settings = Settings()\nif os.getenv('SPACE_ID'):\n    settings.PORT = 7860\n",
    }
    assert address(launch(tmp_path, "CMD python run.py", files)) == "127.0.0.1:7860"


@pytest.mark.parametrize(
    ("loading", "expected"),
    [
        ("load_dotenv()", "127.0.0.1:7860"),
        ("load_dotenv(override=True)", "127.0.0.1:81"),
        ("import dotenv\nload_dotenv(dotenv.find_dotenv(), override=True)", "127.0.0.1:81"),
        ("load_dotenv('other.env')", "127.0.0.1:7860"),
        ("load_dotenv(somewhere())", "127.0.0.1:7860"),
    ],
)
def test_env_files(tmp_path: Path, loading: str, expected: str) -> None:
    text = (
        f"import os, uvicorn\nfrom dotenv import load_dotenv\n{loading}\n"
        "uvicorn.run(1, host=os.getenv('HOST', '127.0.0.1'), port=int(os.environ['PORT']))\n"
    )
    files = {"run.py": text, ".env": "PORT=81\n", "other.env": "PORT=82\n"}
    found = launch(tmp_path, "CMD python run.py", files, env="PORT=7860")
    wanted = "unknown" if "somewhere" in loading else expected
    assert address(found) == wanted


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("CMD DB=x uvicorn main:app", {}),
        ('ENTRYPOINT ["env", "DB=x"]\nCMD ["uvicorn", "main:app"]', {}),
        ('CMD ["env", "-S", "DB=${SHORT} uvicorn main:app"]', {}),
        ("CMD sh ./go.sh", {"go.sh": '#!/bin/sh\nexport DB="${DB:-x}"\nexec uvicorn main:app\n'}),
        (
            "CMD sh go.sh",
            {"go.sh": "set -a\n. ./space.env\nset +a\nuvicorn main:app\n", "space.env": "DB=x\n"},
        ),
        ("CMD uvicorn main:app --env-file space.env", {"space.env": "DB=x\n"}),
        ("CMD gunicorn main:app", {"gunicorn.conf.py": "raw_env = ['DB=x']\n"}),
        ("CMD gunicorn main:app -e DB=x", {}),
        (
            "CMD supervisord -c s.conf",
            {"s.conf": '[program:a]\ncommand=uvicorn main:app\nenvironment=DB="x"\n'},
        ),
        ("CMD DB=x python tool.py", {"tool.py": "print()\n"}),
    ],
)
def test_the_environment_of_the_process(
    tmp_path: Path, command: str, files: dict[str, str]
) -> None:
    found = launch(tmp_path, command, {"main.py": "app = 1\n", **files}, env="SHORT=x")
    value = found.env["DB"]
    assert isinstance(value, Known)
    assert value.value == "x"
    assert found.open_env is None


def test_an_unknown_base_image_may_set_variables(tmp_path: Path) -> None:
    text = "import os, uvicorn\nuvicorn.run(1, port=int(os.getenv('PORT', '80')))\n"
    base = "FROM example.org/base:1\nWORKDIR /app\nCOPY . .\n"
    found = launch(tmp_path, "CMD python run.py", {"run.py": text}, base=base)
    assert address(found) == "unknown"
    assert found.open_env is not None
    assert address(launch(tmp_path, "CMD python run.py", {"run.py": text})) == "127.0.0.1:80"
