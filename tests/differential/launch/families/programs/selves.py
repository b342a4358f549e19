"""Modules that name themselves: `uvicorn.run("main:app")` in `main.py`."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case
from tests.differential.launch.families.apps import PORTS
from tests.differential.launch.families.programs.parts import INSTALL, forms

_APP = (
    "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get(\"/\")\ndef index():\n"
    '    return {"ok": True}\n'
)  # fmt: skip


def self_references(rng: random.Random) -> Case:
    host, port = rng.choice(("0.0.0.0", "127.0.0.1")), rng.choice(PORTS)
    folder = rng.choice(("", "", "app/", "src/"))
    module = rng.choice(("main", "main", "app", "server"))
    target = rng.choice((f"{module}:app", f"{folder.replace('/', '.')}{module}:app"))
    extra = rng.choice(
        ("", "", ", reload=True", ", workers=2", ', reload=bool(os.getenv("DEBUG"))',
         ", reload=False, log_level='info'", ", reload=settings.debug")
    )  # fmt: skip
    number = rng.choice((str(port), f'int(os.environ.get("PORT", {port}))', "settings.port"))
    settings = ""
    if "settings" in extra + number:
        settings = f"\n\nclass Settings:\n    debug = False\n    port = {port}\n\n\nsettings = Settings()\n"
    call = rng.choice(
        (
            f'uvicorn.run("{target}", host="{host}", port={number}{extra})',
            f'uvicorn.run(\n        "{target}",\n        host="{host}",\n        port={number}{extra},\n    )',
        )
    )
    text = (
        f'import os\n\nimport uvicorn\n{_APP}{settings}\n\nif __name__ == "__main__":\n    {call}\n'
    )
    path = f"{folder}{module}.py"
    files = {path: text}
    if folder and rng.random() < 0.5:
        files[f"{folder}__init__.py"] = ""
    env = {"PYTHONPATH": "."} if rng.random() < 0.2 else {}
    if rng.random() < 0.3:
        env["PORT"] = str(rng.choice(PORTS))
    words = rng.choice(((path,), ("-m", path[:-3].replace("/", "."))))
    entrypoint, cmd = forms(rng, ("python", *words))
    run = (INSTALL,) if rng.random() < 0.7 else ()
    return Case("self references", cmd, entrypoint, files=files, env=env, run=run)


def packages(rng: random.Random) -> Case:
    """An application factory in a package, and a file beside it that runs it."""
    port = rng.choice(PORTS)
    framework = rng.choice(("flask", "fastapi"))
    if framework == "flask":
        inner = "from flask import Flask\n\n\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n"
        serve = f'app.run(host="0.0.0.0", port={{port}}, debug={rng.choice(("False", "True", "app.debug"))})'
    else:
        inner = (
            "from fastapi import FastAPI\n\n\ndef create_app(config=None):\n    return FastAPI()\n"
        )
        serve = 'uvicorn.run(app, host="0.0.0.0", port={port})'
    number = rng.choice((str(port), "config.PORT", 'int(os.getenv("PORT", config.PORT))'))
    name = rng.choice(("website", "backend", "api"))
    made = rng.choice(
        ("app = create_app()", "app = create_app(config)", 'app = create_app("production")')
    )
    text = (
        f"import os\n\nimport config\nimport uvicorn\nfrom {name} import create_app\n\n{made}\n\n"
        f'if __name__ == "__main__":\n    {serve.format(port=number)}\n'
    )
    files = {f"{name}/__init__.py": inner, "config.py": f"PORT = {port}\n", "run.py": text}
    entrypoint, cmd = forms(rng, ("python", "run.py"))
    return Case("packages", cmd, entrypoint, files=files, run=(INSTALL,))


def texts(rng: random.Random) -> Case:
    """`python -c`."""
    port = rng.choice(PORTS)
    number = rng.choice(
        (str(port), f"int(os.environ.get('PORT', {port}))", "int(os.getenv('PORT') or 80)")
    )
    line = rng.choice(
        (
            f"import os, uvicorn; uvicorn.run('main:app', host='0.0.0.0', port={number})",
            f"import os; from main import app; import uvicorn; uvicorn.run(app, port={number})",
            f"import os; from main import serve; serve({number})",
            "print('ready')",
        )
    )
    files = {
        "main.py": f'{_APP}\n\ndef serve(port):\n    import uvicorn\n\n    uvicorn.run(app, host="0.0.0.0", port=port)\n'
    }
    command = rng.choice(
        (("python", "-c", line), f'python -c "{line}"', ("sh", "-c", f'exec python -c "{line}"'))
    )
    env = {"PORT": str(rng.choice(PORTS))} if rng.random() < 0.4 else {}
    return Case("texts", command, files=files, env=env)


FAMILIES = [self_references, packages, texts]
