"""Programs that start their server as another program, or beside something else."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case
from tests.differential.launch.families.apps import ASGI, HOSTS, PORTS
from tests.differential.launch.families.programs.parts import Bound, Serving, shaped, started

_ADDRESSES = ("0.0.0.0", "127.0.0.1", "localhost")


def subprocesses(rng: random.Random) -> Case:
    """`subprocess.run([...])`, `os.execvp`, `os.system` around uvicorn."""
    host, port = rng.choice(_ADDRESSES), rng.choice(PORTS)
    name = rng.choice(("PORT", "APP_PORT"))
    env = {name: str(port)} if rng.random() < 0.5 else {}
    text = rng.choice((f'"{port}"', f'os.environ.get("{name}", "7861")', "str(PORT)"))
    words = rng.choice(
        (
            f'"uvicorn", "web:app", "--host", "{host}", "--port", {text}',
            f'sys.executable, "-m", "uvicorn", "web:app", "--host", "{host}", "--port", {text}',
            f'"gunicorn", "-b", f"{host}:{{PORT}}", "-k", "uvicorn_worker.UvicornWorker", "web:app"',
        )
    )
    line = rng.choice((f'f"uvicorn web:app --host {host} --port {{PORT}}"',
                       f'"uvicorn web:app --host {host} --port " + str(PORT)',
                       f'"uvicorn web:app --host {host} --port %s" % PORT',
                       f'"exec uvicorn web:app --host {host} --port ${{{name}:-7862}}"'))  # fmt: skip
    body = rng.choice(
        (
            (f"subprocess.run([{words}])",),
            (f"subprocess.run([{words}], check=True)",),
            (f"command = [{words}]", "subprocess.run(command, check=True)"),
            (f"sys.exit(subprocess.call([{words}]))",),
            (f"subprocess.check_call([{words}])",),
            (f"process = subprocess.Popen([{words}])", "process.wait()"),
            (f"process = subprocess.Popen([{words}])", "try:", "    process.wait()",
             "except KeyboardInterrupt:", "    process.terminate()"),
            (f"subprocess.run({line}, shell=True)",),
            (f"os.system({line})",),
            (f"command = [{words}]", "os.execvp(command[0], command)"),
            (f"os.execvp(\"uvicorn\", [\"uvicorn\", \"web:app\", \"--port\", {text}])",),
            (f'os.execlp("uvicorn", "uvicorn", "web:app", "--port", {text})',),
            (f"command = [{words}]", 'if os.getenv("RELOAD"):', '    command.append("--reload")',
             "subprocess.run(command)"),
            (f"subprocess.run([{words}], env={{**os.environ, \"{name}\": \"7863\"}})",),
            (f"import shlex\nsubprocess.run(shlex.split({line}))"
             if "$" not in line else f"subprocess.run([{words}])",),
        )
    )  # fmt: skip
    body = tuple(part for line_ in body for part in line_.split("\n"))
    lines = (f"PORT = {port}",)
    bound = Bound("", "", files={"web.py": ASGI}, env=env)
    serving = Serving(("import os", "import subprocess", "import sys"), lines, body)
    return started(rng, "subprocesses", shaped(rng, serving, bound), bound, rng.choice(_FLAT))


_FLAT = ("main.py", "run.py", "start.py", "launch.py")
_STREAMLIT = 'import streamlit as st\n\nst.title("hello")\n'


def streamlit_programs(rng: random.Random) -> Case:
    """A program that starts `streamlit run`."""
    host, port = rng.choice(("0.0.0.0", "127.0.0.1")), rng.choice(PORTS)
    python = rng.choice(("sys.executable", '"python"'))
    head = rng.choice(('"streamlit"', f'{python}, "-m", "streamlit"'))
    options = [f'"--server.port={port}"', f'"--server.address={host}"', '"--server.headless=true"']
    if rng.random() < 0.5:
        options[0] = f'"--server.port", "{port}"'
    rng.shuffle(options)
    if rng.random() < 0.3:
        options = [each for each in options if "address" not in each]
    words = ", ".join((head, '"run"', '"ui.py"', *options))
    body = rng.choice(
        ((f"subprocess.run([{words}])",), (f"os.system(' '.join([{words}]))",),
         (f"process = subprocess.Popen([{words}])", "process.wait()"))
    )  # fmt: skip
    serving = Serving(("import os", "import subprocess", "import sys"), (), body)
    bound = Bound("", "", files={"ui.py": _STREAMLIT})
    return started(rng, "streamlit programs", shaped(rng, serving, bound), bound, "start.py")


def companions(rng: random.Random) -> Case:
    """Threads and processes beside what serves."""
    host, port = rng.choice(HOSTS[:3]), rng.choice(PORTS)
    serve = f'uvicorn.run(app, host="{host}", port={port})'
    work = ("def work():", "    while True:", "        time.sleep(60)")
    serving_function = ("def serve():", f"    {serve}")
    starts = rng.choice(
        (
            (*work, "", "def main():",
             "    threading.Thread(target=work, daemon=True).start()", f"    {serve}"),
            (*work, "", "def main():",
             "    thread = threading.Thread(target=work)", "    thread.daemon = True",
             "    thread.start()", f"    {serve}"),
            (*serving_function, "", "def main():",
             "    thread = threading.Thread(target=serve)", "    thread.start()",
             "    thread.join()"),
            (*serving_function, "", "def main():",
             "    threading.Thread(target=serve).start()"),
            (*serving_function, "", "def main():",
             "    threading.Thread(target=serve, daemon=True).start()",
             "    while True:", "        time.sleep(1)"),
            (*serving_function, "", "def main():",
             "    process = multiprocessing.Process(target=serve)", "    process.start()",
             "    process.join()"),
            (*serving_function, "", "def main():",
             "    threading.Thread(target=serve, daemon=True).start()", '    print("done")'),
            ("def serve(host, port):", "    uvicorn.run(app, host=host, port=port)", "",
             "def main():",
             f'    thread = threading.Thread(target=serve, args=("{host}", {port}))',
             "    thread.start()"),
            ("def main():",
             "    thread = threading.Thread(target=uvicorn.run, args=(app,),"
             f' kwargs={{"host": "{host}", "port": {port}}})',
             "    thread.start()", "    thread.join()"),
            (*serving_function, "", "def main():",
             "    with ThreadPoolExecutor() as pool:", "        pool.submit(serve)"),
            ("async def background():", "    while True:", "        await asyncio.sleep(60)", "",
             "async def run():",
             f'    server = uvicorn.Server(uvicorn.Config(app, host="{host}", port={port}))',
             "    await asyncio.gather(background(), server.serve())", "",
             "def main():", "    asyncio.run(run())"),
            ("def internal():", '    uvicorn.run(app, host="127.0.0.1", port=9999)', "",
             "def main():", "    threading.Thread(target=internal, daemon=True).start()",
             f"    {serve}"),
        )
    )  # fmt: skip
    imports = ("import asyncio", "import multiprocessing", "import threading", "import time",
               "from concurrent.futures import ThreadPoolExecutor", "", "import uvicorn")  # fmt: skip
    text = "\n".join([*imports, "", ASGI, "", *starts, "", 'if __name__ == "__main__":',
                      "    main()", ""])  # fmt: skip
    return started(rng, "companions", text, Bound("", ""))


def commands(rng: random.Random) -> Case:
    """click and typer applications."""
    host, port = rng.choice(HOSTS[:3]), rng.choice(PORTS)
    default = rng.choice((8123, 9000))
    env = {"PORT": str(port), "CLI_PORT": "9444"} if rng.random() < 0.4 else {}
    words: tuple[str, ...] = rng.choice(
        ((), ("--port", str(port)), (f"--port={port}", "--host", host), ("--host", host),
         ("--port", "abc"))
    )  # fmt: skip
    kind = rng.choice(("click", "click group", "typer", "typer app", "typer commands"))
    variable = rng.choice(("", ', envvar="PORT"'))
    serve = "    uvicorn.run(app, host=host, port=port)"
    if kind.startswith("click"):
        options = [
            f'@click.option("--host", default="{host}", show_default=True)',
            f'@click.option("--port", "-p", default={default}, type=int{variable})',
        ]
        function = ["def serve(host, port):", serve]
        if kind == "click":
            lines = ["@click.command()", *options, *function]
            run = "serve()"
        else:
            lines = ["@click.group()", "def cli():", "    pass", "", "@cli.command()", *options,
                     *function]  # fmt: skip
            run = "cli()"
            words = ("serve", *words)
        imports = ["import click", "import uvicorn"]
    else:
        option = rng.choice((f"port: int = {default}",
                             f"port: int = typer.Option({default}{variable})",
                             f'port: Annotated[int, typer.Option("--port", "-p")] = {default}'))  # fmt: skip
        function = [f'def serve(host: str = "{host}", {option}):', serve]
        imports = ["from typing import Annotated", "", "import typer", "import uvicorn"]
        if kind == "typer":
            lines, run = function, "typer.run(serve)"
        else:
            lines = ["cli = typer.Typer()", "", "@cli.command()", *function]
            run = "cli()"
            if kind == "typer commands":
                lines += ["", "@cli.command()", "def migrate():", '    print("done")']
                words = ("serve", *words)
    text = "\n".join([*imports, "", ASGI, "", *lines, "", 'if __name__ == "__main__":',
                      f"    {run}", ""])  # fmt: skip
    return started(rng, "commands", text, Bound("", "", env=env, words=words))


def strings(rng: random.Random) -> Case:
    """`uvicorn.run("module:app")` and granian with its application as a text."""
    host, port = rng.choice(HOSTS[:3]), rng.choice(PORTS)
    target = rng.choice(("web:app", "web:app", "web:create", "server:app", "web:other",
                         "core.web:app", "core.absent:app"))  # fmt: skip
    extra = ", factory=True" if target == "web:create" else ""
    text = ASGI + "\n\ndef create():\n    return app\n"
    files = {"web.py": text, "core/__init__.py": "", "core/web.py": text}
    if rng.random() < 0.3 and target != "web:create":
        made = f'Granian("{target}", address="{host}", port={port}, interface="asgi")'
        serving = Serving(("from granian import Granian",), (), (f"{made}.serve()",))
    else:
        extra += rng.choice(("", ", workers=2", ", reload=False", ", log_level='debug'"))
        serving = Serving(
            ("import uvicorn",),
            (),
            (f'uvicorn.run("{target}", host="{host}", port={port}{extra})',),
        )
    bound = Bound("", "", files=files)
    return started(rng, "strings", shaped(rng, serving, bound), bound, rng.choice(_FLAT))


FAMILIES = [subprocesses, streamlit_programs, companions, commands, strings]
