"""What the Python programs of the cases are put together from."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.differential.launch.case import Case, Command


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a program has its address from: the expressions of host and port, and what they need:
    imports and statements of the module, files, variables, words of the command line.
    """

    host: str
    port: str
    imports: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Serving:
    """How a program serves: imports and statements that make the application, the statements that
    listen, and whether these stand in a coroutine.
    """

    imports: tuple[str, ...]
    lines: tuple[str, ...]
    body: tuple[str, ...]
    coroutine: bool = False


def shaped(rng: random.Random, serving: Serving, bound: Bound) -> str:
    """The text of a module that serves so, in one of the usual shapes."""
    imports = [*serving.imports, *bound.imports]
    lines = [*bound.lines, *serving.lines]
    body = list(serving.body)
    if serving.coroutine:
        imports.append("import asyncio")
        head = f"async def {rng.choice(('main', 'serve_app', 'start'))}():"
        lines += ["", head, *indented(body), ""]
        name = head.split()[2].partition("(")[0]
        body = [
            rng.choice(
                (
                    f"asyncio.run({name}())",
                    f"asyncio.run({name}())",
                    f"asyncio.new_event_loop().run_until_complete({name}())",
                )
            )
        ]
    shape = rng.choice(("plain", "guard", "guard", "main", "main", "method", "try", "called"))
    if shape == "guard":
        body = [_guard(rng), *indented(body)]
    elif shape == "main":
        name = rng.choice(("main", "run_server", "start"))
        note = rng.choice(("", " -> None"))
        lines += ["", f"def {name}(){note}:", *_noise(rng), *indented(body), ""]
        body = [_guard(rng), f"    {name}()"]
    elif shape == "method":
        lines += ["", "class Service:", "    def run(self):", *indented(indented(body)), ""]
        body = [_guard(rng), "    Service().run()"]
    elif shape == "try":
        handler = rng.choice(
            (
                ["except KeyboardInterrupt:", "    pass"],
                ["except Exception as error:", "    print(error)", "    raise"],
                ["finally:", '    print("stopped")'],
            )
        )
        body = [_guard(rng), *indented(["try:", *indented(body), *handler])]
    elif shape == "called":
        lines += ["", "def serve():", *indented(body), "", "def main():", "    serve()", ""]
        body = ["main()"]
    unique = list(dict.fromkeys(imports))
    return "\n".join([*unique, "", *lines, "", *body, ""])


def _guard(rng: random.Random) -> str:
    return rng.choice(
        ('if __name__ == "__main__":', 'if __name__ == "__main__":', "if __name__ == '__main__':",
         'if "__main__" == __name__:')
    )  # fmt: skip


def _noise(rng: random.Random) -> list[str]:
    return rng.choice(
        (
            [],
            [],
            ['    """Start it."""'],
            ['    print("starting")'],
            ["    import logging", "    logging.basicConfig(level=logging.INFO)"],
        )
    )


def indented(lines: Sequence[str]) -> list[str]:
    """The lines one step further in."""
    return [f"    {line}" if line else line for line in lines]


INSTALL = (
    "pip install --no-cache-dir fastapi uvicorn flask gunicorn aiohttp waitress hypercorn granian"
    " tornado gradio quart sanic bottle flask-socketio python-dotenv pydantic-settings environs"
    " python-decouple typer click streamlit pyyaml uvicorn-worker"
)
"""What a Dockerfile installs for all programs here."""

PLACES = ("main.py", "app.py", "server.py", "run.py", "src/main.py", "app/main.py", "api/server.py")


def started(
    rng: random.Random,
    family: str,
    text: str,
    bound: Bound,
    place: str | None = None,
    *,
    installed: bool = False,
) -> Case:
    """The case that starts a program with this text, in one of the usual ways; `installed`: the
    Dockerfile surely tells what it installs.
    """
    path = place or rng.choice(PLACES)
    files = dict(bound.files)
    folder = path.rpartition("/")[0]
    env = dict(bound.env)
    module = path.removesuffix(".py").replace("/", ".")
    ways = ["script", "script", "module"]
    if folder and bound.files:
        ways = ["module", "path"]  # the files lie beside the folder
    elif not folder:
        ways.append("package")
    way = rng.choice(ways)
    if way == "package":
        files |= {"service/__init__.py": "", "service/__main__.py": text}
        words: tuple[str, ...] = ("-m", "service")
    else:
        files[path] = text
        if folder and rng.random() < 0.5:
            files[f"{folder}/__init__.py"] = ""
        words = ("-m", module) if way == "module" else (path,)
        if way == "path":
            env["PYTHONPATH"] = rng.choice((".", "@ROOT@/app"))
    python = rng.choice(("python", "python", "python3", "python -u"))
    argv = (*python.split(), *words, *bound.words)
    entrypoint, cmd = forms(rng, argv)
    if rng.random() < 0.2:
        env.setdefault("PYTHONUNBUFFERED", "1")
    run = (INSTALL,) if installed or rng.random() < 0.5 else ()
    return Case(family, cmd, entrypoint, files=files, env=env, run=run)


def forms(rng: random.Random, argv: tuple[str, ...]) -> tuple[Command | None, Command | None]:
    """ENTRYPOINT and CMD that start these words."""
    way = rng.choice(("exec", "exec", "exec", "shell", "shell", "entrypoint", "split"))
    if way == "exec":
        return None, argv
    if way == "entrypoint":
        return argv, None
    if way == "split":
        return argv[:1], argv[1:]
    line = " ".join(argv)
    return None, rng.choice((line, line, f"exec {line}", f"cd . && {line}"))
