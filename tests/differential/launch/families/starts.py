"""Puts the start of a server together: its application, its words, and the form they stand in.

About one start in six is made to fail, in a way that projects really fail; `wrong` are options
with a text that the server refuses.
"""

from __future__ import annotations

import random
import shlex
from collections.abc import Iterable, Sequence

from tests.differential.launch.case import ROOT, Case, Command
from tests.differential.launch.families.apps import HOSTS, PORTS

LOADING = ("module", "attribute", "raises", "environ", "import", "syntax")
"""Failures while the application is loaded."""
COMMAND = ("option", "exec variable", "number", "host", "wrong")
"""Failures while the command line is read."""

_PLACES = (
    *(("main", ""), ("main", ""), ("app", ""), ("server", ""), ("app.main", ""), ("app.main", "")),
    *(("src.main", ""), ("src.api.main", ""), ("backend.app.main", ""), ("api.index", "")),
    *(("main", "src"), ("service.web", "src"), ("app.main", "backend")),
)
"""Modules, and the folders that they are imported from where it is not the one of the start."""
_VARIABLES = {"host": ("HOST", "API_HOST", "BIND_HOST"), "port": ("PORT", "APP_PORT", "API_PORT")}
_UNUSUAL = ("--bind-address 0.0.0.0", "--prot 7860", "--no-such-option", "--listen-on=7860", "-Z")


_NO_HOSTS = ("0.0.0.0.0", "my-space.hf.space", "192.0.2.7", "http://0.0.0.0", "$HOST", "backend")


class Shell(str):
    """A word in shell syntax, which no exec form can hold."""


class Start:
    """A start that is being put together; `case` ends it."""

    def __init__(
        self,
        rng: random.Random,
        family: str,
        failures: Sequence[str] = (),
        wrong: Sequence[str] = (),
    ) -> None:
        self.rng = rng
        self.family = family
        self.env: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.run: list[str] = []
        self.wrong = wrong
        self.folder = ""
        failures = [each for each in failures if wrong or each != "wrong"]
        self.failure = rng.choice(failures) if failures and rng.random() < 1 / 6 else None

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # Words

    def program(self, name: str, module: str | None = None) -> list[str]:
        """The program by its name, or as `python -m module`."""
        if module is not None and self.chance(0.25):
            python = self.rng.choice(("python", "python", "python3"))
            flags = ["-u"] if self.chance(0.2) else []
            return [python, *flags, "-m", module]
        return [name]

    def option(self, names: str, value: str) -> list[str]:
        """An option with its value, as one of its names (separated by blanks) takes it."""
        name = self.rng.choice(names.split())
        if name.startswith("--"):
            joined = self.chance(0.35)
            return [_joined(f"{name}=", value)] if joined else [name, value]
        return [_joined(name, value)] if self.chance(0.15) else [name, value]

    def host(self) -> str:
        if self.failure == "host":
            return self.rng.choice(_NO_HOSTS)
        return self.value("host", self.rng.choice(HOSTS))

    def port(self) -> str:
        """A port, or what a broken project has for one."""
        if self.failure == "exec variable":
            self.env["PORT"] = "7860"
            return self.rng.choice(("$PORT", "${PORT}", "${PORT:-7860}"))
        if self.failure == "number":
            return self.rng.choice(("abc", "7860a", "seven", "7860/tcp"))
        return self.value("port", str(self.rng.choice(PORTS)))

    def address(self, hosts: Sequence[str] = HOSTS) -> str:
        """`HOST:PORT` in one word."""
        host = self.rng.choice(_NO_HOSTS if self.failure == "host" else hosts)
        port = self.port()
        host = f"[{host}]" if ":" in host else host
        return _joined(f"{host}:", port)

    def value(self, kind: str, text: str) -> str:
        """A text as it stands, or by way of a variable."""
        if self.failure == "exec variable" or self.chance(0.7):
            return text
        name = self.rng.choice(_VARIABLES[kind])
        other = "9999" if kind == "port" else "127.0.0.1"
        if name not in self.env and self.chance(0.5):
            return Shell(self.rng.choice((f"${{{name}:-{text}}}", f"${{{name}-{text}}}")))
        self.env[name] = text
        written = (f"${name}", f"${{{name}}}", f'"${name}"', f"${{{name}:-{other}}}")
        return Shell(self.rng.choice(written))

    def some(self, options: Iterable[str], most: int = 3) -> list[list[str]]:
        """A few of these options, each a line of its words."""
        choices = list(options)
        count = self.rng.randint(0, min(most, len(choices)))
        return [shlex.split(line) for line in self.rng.sample(choices, count)]

    def mixed(self, target: str | None, options: list[list[str]]) -> list[str]:
        """The application's name among the options, in any order."""
        groups = [*options]
        self.rng.shuffle(groups)
        if self.failure == "option":
            groups.insert(0, self.rng.choice(_UNUSUAL).split())
        if self.failure == "wrong":
            groups.append(shlex.split(self.rng.choice(self.wrong)))
        if target is not None:
            place = self.rng.choice((0, 0, 0, len(groups), self.rng.randint(0, len(groups))))
            groups.insert(place, [target])
        return [word for group in groups for word in group]

    # The application

    def app(
        self,
        source: str,
        names: Sequence[str] = ("app",),
        *,
        only: Sequence[str] = (),
        inside: bool = False,
    ) -> str:
        """Write an application (its name in `source` is NAME), and give its `module:name`.

        `inside`: the server has an option for the folder that modules are imported from; then
        `folder` may be set. `only`: the names it may have.
        """
        module, folder = self.rng.choice(_PLACES)
        if folder and not inside:
            folder, module = "", f"{folder}.{module}"
        name = self.rng.choice(only or ("app", "app", "app", "application", "api", *names))
        self.folder = folder
        path = f"{folder}/{module.replace('.', '/')}.py".lstrip("/")
        self.write(path, source.replace("NAME", name))
        if self.chance(0.6):
            self.packages(module, folder)
        if self.failure == "module":
            return self.rng.choice((f"{module}s:{name}", f"missing.{module}:{name}"))
        if self.failure == "attribute":
            return f"{module}:{name}lication_object"
        return f"{module}:{name}"

    def packages(self, module: str, folder: str = "") -> None:
        """Give the folders of a dotted module their `__init__.py`."""
        parts = module.split(".")[:-1]
        for count in range(1, len(parts) + 1):
            path = "/".join([*filter(None, [folder]), *parts[:count], "__init__.py"])
            self.files.setdefault(path, "")

    def write(self, path: str, source: str) -> None:
        """A file of the project, with what files have besides; it fails where that is wanted."""
        self.files[path] = self.preamble(path) + source + self.ending(path)

    def preamble(self, path: str) -> str:
        folder = path.rpartition("/")[0]
        helpers = f"{folder}/helpers.py".lstrip("/")
        dotted = ".".join([*filter(None, folder.split("/"))])
        dotted = dotted.removeprefix(self.folder).lstrip(".") if self.folder else dotted
        origin = f"{dotted}.helpers".lstrip(".")
        if self.failure == "raises":
            raising = ('raise RuntimeError("no model")', "assert False", 'int("many")', "1 / 0")
            return self.rng.choice(raising) + "\n\n"
        if self.failure == "environ":
            return 'import os\n\nAPI_KEY = os.environ["API_KEY"]\n\n'
        if self.failure == "syntax":
            return "def broken(:\n    pass\n\n"
        if self.failure == "import":
            self.files[helpers] = "def load():\n    return 1\n"
            return f"from {origin} import store\n\n"
        if self.chance(0.15):
            self.files[helpers] = "def load():\n    return 1\n"
            return f"from {origin} import load\n\nMODEL = load()\n\n"
        if self.chance(0.15):
            self.env["API_KEY"] = "secret"
            return 'import os\n\nAPI_KEY = os.environ["API_KEY"]\n\n'
        if self.chance(0.1):
            return 'import os\n\nDEBUG = os.getenv("DEBUG", "false").lower() == "true"\n\n'
        return ""

    def ending(self, path: str) -> str:
        if self.chance(0.2):
            return (
                '\n\nif __name__ == "__main__":\n    import uvicorn\n\n'
                '    uvicorn.run("main:app", host="0.0.0.0", port=4444)\n'
            )
        return ""

    # The whole

    def case(self, words: Sequence[str], *, workdir: str | None = None) -> Case:
        """The case of these words, in a form that can hold them."""
        entrypoint, cmd = self._form(list(words))
        workdir = workdir or f"{ROOT}/{self.rng.choice(('app', 'app', 'code', 'home/user/app'))}"
        env = dict(self.env)
        if self.chance(0.3):
            env["PYTHONUNBUFFERED"] = "1"
        return Case(
            self.family,
            cmd,
            entrypoint,
            files=dict(self.files),
            env=env,
            workdir=workdir,
            run=tuple(self.run),
        )

    def _form(self, words: list[str]) -> tuple[Command | None, Command | None]:
        if self.failure == "exec variable":
            return None, tuple(words)
        if any(isinstance(word, Shell) for word in words) or self.chance(0.35):
            line = " ".join(_quoted(word) for word in words)
            if self.chance(0.3):
                line = f"exec {line}"
            shell = self.rng.choice(("sh", "bash", "/bin/sh", "/bin/bash"))
            return None, line if self.chance(0.5) else (shell, "-c", line)
        if self.chance(0.15):
            at = self.rng.randint(1, len(words))
            return tuple(words[:at]), tuple(words[at:]) or None
        return (tuple(words), None) if self.chance(0.1) else (None, tuple(words))


def _joined(start: str, value: str) -> str:
    return Shell(start + value) if isinstance(value, Shell) else start + value


def _quoted(word: str) -> str:
    return word if isinstance(word, Shell) else shlex.quote(word)
