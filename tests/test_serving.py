"""Python programs that start a server: which call is reached, with which host and port."""

from __future__ import annotations

from pathlib import Path

import pytest
from launching import address, launch

CASES = [
    ("import uvicorn\nuvicorn.run('m:app', host='0.0.0.0', port=7860)", "0.0.0.0:7860"),
    ("import uvicorn\nuvicorn.run('m:app')", "127.0.0.1:8000"),
    ("import uvicorn\nuvicorn.run('m:app', host=None, port='7860')", "0.0.0.0:7860"),
    (
        "from uvicorn import run as go\nif __name__ == '__main__':\n    go(1, port=7860)",
        "127.0.0.1:7860",
    ),
    ("import uvicorn\nif __name__ != '__main__':\n    uvicorn.run(1, port=7860)", "none"),
    ("import uvicorn\ndef main():\n    uvicorn.run(1, port=7860)", "none"),
    (
        "import uvicorn\nc = uvicorn.Config(1, host='0.0.0.0', port=7860)\nuvicorn.Server(c).run()",
        "0.0.0.0:7860",
    ),
    (
        "import asyncio, uvicorn\n"
        "async def main():\n"
        "    s = uvicorn.Server(uvicorn.Config('m:a', port=7860))\n"
        "    await s.serve()\nasyncio.run(main())",
        "127.0.0.1:7860",
    ),
    (
        "from flask import Flask\napp = Flask(__name__)\napp.run(host='0.0.0.0', port=7860)",
        "0.0.0.0:7860",
    ),
    ("from flask import Flask\napp = Flask(__name__)\napp.run('0.0.0.0', 7860)", "0.0.0.0:7860"),
    ("from flask import Flask\napp = Flask(__name__)\napp.run(host='')", "127.0.0.1:5000"),
    (
        "from flask import Flask\n"
        "def create():\n"
        "    return Flask('x')\n"
        "if True:\n"
        "    create().run(port=7860)",
        "127.0.0.1:7860",
    ),
    (
        "import gradio as gr\n"
        "with gr.Blocks() as demo:\n"
        "    pass\n"
        "demo.queue().launch(server_name='0.0.0.0')",
        "0.0.0.0:7860",
    ),
    ("import gradio as gr\ngr.Interface(f).launch()", "127.0.0.1:7860"),
    (
        "import os, gradio as gr\n"
        "os.environ['GRADIO_SERVER_PORT'] = '7861'\n"
        "gr.Interface(f).launch()",
        "127.0.0.1:7861",
    ),
    ("from aiohttp import web\nweb.run_app(web.Application(), port=7860)", "0.0.0.0:7860"),
    ("import waitress\nwaitress.serve(app, listen='*:7860')", "0.0.0.0:7860"),
    (
        "from http.server import HTTPServer\ns = HTTPServer(('', 7860), H)\ns.serve_forever()",
        "0.0.0.0:7860",
    ),
    (
        "import tornado.web, tornado.ioloop\na = tornado.web.Application()\na.listen(7860)\n"
        "tornado.ioloop.IOLoop.current().start()",
        "0.0.0.0:7860",
    ),
    (
        "import asyncio\n"
        "from hypercorn.asyncio import serve\n"
        "from hypercorn.config import Config\n"
        "c = Config()\nc.bind = ['0.0.0.0:7860']\nasyncio.run(serve(app, c))",
        "0.0.0.0:7860",
    ),
    ("import os\nos.system('uvicorn m:a --port 7860')", "127.0.0.1:7860"),
    (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'uvicorn', 'm:a', '--port', '7860'])",
        "127.0.0.1:7860",
    ),
    (
        "import subprocess\nsubprocess.Popen(['uvicorn', 'm:a', '--port', '7860']).wait()",
        "127.0.0.1:7860",
    ),
    ("import subprocess\nsubprocess.run('uvicorn m:a --port 7860', shell=True)", "127.0.0.1:7860"),
    ("import subprocess\nsubprocess.run('uvicorn m:a --port 7860')", "none"),
    ("import os\nos.execvp('uvicorn', ['uvicorn', 'm:a', '--port', '7860'])", "127.0.0.1:7860"),
    (
        "import subprocess, uvicorn\n"
        "subprocess.run(['alembic', 'upgrade', 'head'])\n"
        "uvicorn.run(1, port=7860)",
        "127.0.0.1:7860",
    ),
    (
        "import os, uvicorn\n"
        "port = int(os.environ.get('PORT', 8000))\n"
        "if os.getenv('SPACE_ID'):\n"
        "    port = 7860\n"
        "uvicorn.run(1, port=port)",
        "127.0.0.1:7860",
    ),
    (
        "import os, uvicorn\n"
        "if os.getenv('X'):\n"
        "    uvicorn.run(1, port=1)\n"
        "else:\n"
        "    uvicorn.run(1, port=7860)",
        "127.0.0.1:7860",
    ),
    (
        "import uvicorn, elsewhere\n"
        "X = elsewhere.read()\n"
        "if X:\n"
        "    uvicorn.run(1, port=1)\n"
        "else:\n"
        "    uvicorn.run(1, port=7860)",
        "unknown",
    ),
    (
        "import uvicorn, elsewhere\n"
        "X = elsewhere.read()\n"
        "if X:\n"
        "    uvicorn.run(1, port=7860)\n"
        "else:\n"
        "    uvicorn.run(2, port=7860, reload=True)",
        "127.0.0.1:7860",
    ),
    (
        "import os, sys, uvicorn\n"
        "if not os.getenv('KEY'):\n"
        "    sys.exit(1)\n"
        "uvicorn.run(1, port=7860)",
        "127.0.0.1:7860",
    ),
    (
        "import argparse, uvicorn\n"
        "p = argparse.ArgumentParser()\n"
        "p.add_argument('--port', type=int, default=7860)\n"
        "def main():\n"
        "    q = argparse.ArgumentParser()\n"
        "    q.add_argument('-p', '--port', default='7860', type=int)\n"
        "    args = q.parse_args()\n    uvicorn.run(1, port=args.port)\nmain()",
        "127.0.0.1:7860",
    ),
    (
        "import click, uvicorn\n"
        "@click.command()\n"
        "@click.option('--port', default=7860)\n"
        "def main(port):\n"
        "    uvicorn.run(1, port=port)\nmain()",
        "127.0.0.1:7860",
    ),
    (
        "import typer, uvicorn\n"
        "def main(port: int = typer.Option(7860)):\n"
        "    uvicorn.run(1, port=port)\n"
        "typer.run(main)",
        "127.0.0.1:7860",
    ),
    (
        "import threading, uvicorn\nfrom flask import Flask\na = Flask('x')\n"
        "def side():\n    uvicorn.run(1, port=8000)\nthreading.Thread(target=side).start()\n"
        "a.run(host='0.0.0.0', port=7860)",
        "0.0.0.0:7860",
    ),
    (
        "import gunicorn.app.base\nclass App(gunicorn.app.base.BaseApplication):\n    pass\n"
        "options = {'bind': f'0.0.0.0:{7860}'}\nApp(app, options).run()",
        "0.0.0.0:7860",
    ),
    ("from thing import app\napp.run(host='0.0.0.0', port=7860)", "0.0.0.0:7860"),
    ("from thing import app\napp.run()", "unknown"),
    ("from thing import bot\nbot.run_polling()", "unknown"),
    ("print('done')", "none"),
    ("import time\nwhile True:\n    time.sleep(1)", "none"),
    ("import uvicorn\nuvicorn.run(1, port='x')", "none"),
    ("import uvicorn\nuvicorn.run(1, **options)", "unknown"),
    ("import uvicorn\noptions = {'port': 7860}\nuvicorn.run(1, **options)", "127.0.0.1:7860"),
    ("def f(:\n", "none"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_script(tmp_path: Path, text: str, expected: str) -> None:
    assert address(launch(tmp_path, "CMD python run.py", {"run.py": text + "\n"})) == expected


def test_arguments_of_the_script(tmp_path: Path) -> None:
    text = (
        "import argparse, uvicorn\n"
        "def main():\n"
        "    parser = argparse.ArgumentParser()\n"
        "    parser.add_argument('--port', type=int, default=8000)\n"
        "    args = parser.parse_args()\n"
        "    uvicorn.run('m:app', host='0.0.0.0', port=args.port)\n"
        "main()\n"
    )
    found = launch(tmp_path, "CMD python run.py --port 7860", {"run.py": text})
    assert address(found) == "0.0.0.0:7860"


def test_modules_and_settings(tmp_path: Path) -> None:
    files = {
        "run.py": "from core.server import start\nstart()\n",
        "core/__init__.py": "",
        "core/server.py": "import uvicorn\nfrom .config import settings\n"
        "def start():\n    uvicorn.run('m:app', host=settings.host, port=settings.port)\n",
        "core/config.py": "from pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings):\n    host: str = '0.0.0.0'\n    port: int = 8000\n"
        "    model_config = {'env_prefix': 'API_', 'env_file': '.env'}\nsettings = Settings()\n",
    }
    assert address(launch(tmp_path, "CMD python run.py", files)) == "0.0.0.0:8000"
    found = launch(tmp_path, "CMD python run.py", files, env="API_PORT=7860 PORT=1")
    assert address(found) == "0.0.0.0:7860"
    assert found.public is not None
    places = {(o.place.source.path.name, o.place.text) for o in found.public.port.origins}
    assert ("Dockerfile", "7860") in places
    with_file = {**files, ".env": "API_HOST=127.0.0.1\nAPI_PORT=7001\n"}
    assert address(launch(tmp_path, "CMD python run.py", with_file)) == "127.0.0.1:7001"


def test_package_and_django(tmp_path: Path) -> None:
    files = {
        "tool/__init__.py": "",
        "tool/__main__.py": "from .cli import main\nmain()\n",
        "tool/cli.py": "import uvicorn\ndef main():\n    uvicorn.run('m:app', port=7860)\n",
        "manage.py": "import os, sys\n"
        "def main():\n"
        "    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'a.b')\n"
        "    from django.core.management import execute_from_command_line\n"
        "    execute_from_command_line(sys.argv)\nif __name__ == '__main__':\n    main()\n",
    }
    assert address(launch(tmp_path, "CMD python -m tool", files)) == "127.0.0.1:7860"
    serve = launch(
        tmp_path, "CMD python manage.py migrate && python manage.py runserver 0.0.0.0:7860", files
    )
    assert address(serve) == "0.0.0.0:7860"
    assert serve.entry == ("a.b",)


def test_the_target_and_its_search_path(tmp_path: Path) -> None:
    text = (
        "import os, sys, uvicorn\n"
        "sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))\n"
        "uvicorn.run('api.main:app', host='0.0.0.0', port=7860)\n"
    )
    files = {"api/main.py": "app = 1\n", "api/run.py": text}
    found = launch(tmp_path, "CMD python api/run.py", files)
    assert found.search == ("/app", "/app/api")
    assert not found.problems
    plain = launch(
        tmp_path, "CMD python api/run.py", {**files, "api/run.py": text.replace("sys.path", "#")}
    )
    assert [problem.kind for problem in plain.problems] == ["app-target-missing"]
