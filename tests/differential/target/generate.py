"""Makes cases: a shape of module, in a tree of some layout, started from somewhere.

Everything is drawn from the random source that is given, so that a seed makes the same cases.
"""

from __future__ import annotations

import posixpath
import random
from collections.abc import Iterator
from dataclasses import replace

from tests.differential.target.case import HOME, Case
from tests.differential.target.shapes import APPLICATIONS, FACTORIES, SHAPES, Shape

_MODULES = (
    "main", "main", "app", "server", "api", "wsgi", "app.main", "app.main", "app.main",
    "backend.main", "src.main", "core.web.app", "backend.app.main", "my_service.api.server",
    "app.app", "project.asgi", "Main", "email", "code", "wave",
)  # fmt: skip
_STDLIB = frozenset(["email", "code", "wave"])
_PLACES = ("", "", "", "backend", "src", "services/api")
_NAMES = ("app", "app", "app", "application", "api", "server", "create_app")


class Maker:
    """Makes cases out of one random source."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def cases(self, count: int) -> Iterator[Case]:
        """So many cases. Every shape is used before one is used again."""
        shapes: list[tuple[Shape, bool]] = []
        for number in range(count):
            if not shapes:
                shapes = [(s, False) for s in SHAPES] + [(s, True) for s in FACTORIES]
                self.random.shuffle(shapes)
            shape, factory = shapes.pop()
            yield self.case(f"{number}", shape, factory=factory)

    def chance(self, of: float) -> bool:
        """True so often."""
        return self.random.random() < of

    def case(self, name: str, shape: Shape, *, factory: bool) -> Case:
        """A case of one shape."""
        rnd = self.random
        module = rnd.choice(_MODULES)
        while (shape.package or shape.text.startswith("from .")) and "." not in module:
            if not shape.package and self.chance(0.3):
                break
            module = rnd.choice(_MODULES)
        attribute = shape.name or rnd.choice(_NAMES)
        place = rnd.choice(_PLACES)
        files = self._tree(shape, module, attribute, place)
        asked_module, asked = self._mutated(module, attribute)
        server = rnd.choice(("uvicorn", "uvicorn", "gunicorn"))
        how = self._reached(server, place, files)
        case = self._started(name, files, server, f"{asked_module}:{asked}", how, factory, module)
        straight = (asked_module, asked) == (module, attribute) and module not in _STDLIB
        return replace(case, plain=shape.plain and straight)

    # The tree

    def _tree(self, shape: Shape, module: str, attribute: str, place: str) -> dict[str, str]:
        rnd = self.random
        fastapi = "fastapi" in shape.flags
        uses, new = APPLICATIONS[0] if fastapi else rnd.choice(APPLICATIONS)
        package = module.rpartition(".")[0]
        as_package = self.chance(0.15) and not shape.package
        folder = posixpath.join(place, *package.split("."))
        inside = posixpath.join(folder, module.rpartition(".")[2]) if as_package else folder
        if as_package:
            package = module
        files: dict[str, str] = {}
        last = module.rpartition(".")[2]

        def filled(text: str) -> str:
            head = f"{package}." if package else ""
            text = text.replace("PKG.MODULE", module).replace("PKG.", head)
            text = text.replace("NAME", attribute).replace("USES", uses).replace("NEW", new)
            return text.replace("import PKG", f"import {package or last}")

        main = posixpath.join(*((inside, "__init__.py") if as_package else (folder, f"{last}.py")))
        for path, text in shape.beside.items():
            name = posixpath.join(inside, path.replace("NAME", attribute))
            files[posixpath.normpath(name)] = filled(text)
        files[posixpath.normpath(main)] = filled(shape.text)
        parts = module.split(".")[: -1 if not as_package else None]
        with_init = shape.package or self.chance(0.7)
        for end in range(1, len(parts) + 1):
            init = posixpath.join(place, *parts[:end], "__init__.py")
            if with_init or self.chance(0.2):
                files.setdefault(posixpath.normpath(init), "")
        self._decoys(files, module, attribute, place)
        return files

    def _decoys(self, files: dict[str, str], module: str, attribute: str, place: str) -> None:
        """Other files that may take the place of those that are wanted."""
        first = module.partition(".")[0]
        decoy = f"def {attribute.partition('.')[0]}(scope, receive, send):\n    pass\n"
        if self.chance(0.1):
            files.setdefault(posixpath.join(place, f"{first}.py"), decoy)
        if self.chance(0.08):
            files.setdefault(posixpath.join(place, first, "data.txt"), "")
        if self.chance(0.08):
            files.setdefault(posixpath.join(place, first, "__init__.py"), "")
        if self.chance(0.08) and place:
            files.setdefault(f"{first}.py", decoy)
        files.setdefault("requirements.txt", "fastapi\nuvicorn\n")

    # What is asked for

    def _mutated(self, module: str, attribute: str) -> tuple[str, str]:
        roll = self.random.random()
        if roll < 0.76:
            return module, attribute
        if roll < 0.80:
            return f"{module}x", attribute
        if roll < 0.83:
            return module.rpartition(".")[2], attribute
        if roll < 0.86:
            return f"app.{module}", attribute
        if roll < 0.91:
            return module, self.random.choice(("app", "application", "missing", "App"))
        if roll < 0.93:
            return module.replace(".", "/") + ".py", attribute
        if roll < 0.95:
            return module.swapcase(), attribute
        if roll < 0.97:
            return module, f"{attribute}.{self.random.choice(('router', 'inner'))}"
        return f"{module}.{attribute}", attribute

    # How it is started

    def _reached(self, server: str, place: str, files: dict[str, str]) -> dict[str, str]:
        """Where the process starts, and what puts the tree's folder on the import path."""
        ways = ["workdir", "workdir", "PYTHONPATH", "relative", "editable", "not"]
        ways += ["--app-dir"] * 3 if server == "uvicorn" else ["--chdir", "--pythonpath", "conf"]
        way = self.random.choice(ways)
        if not place:
            return {"workdir": ""} if self.chance(0.85) else {"workdir": "elsewhere"}
        if way == "workdir":
            return {"workdir": place}
        if way == "conf":
            files["gunicorn.conf.py"] = f"chdir = '{place}'\n"
        return {way: place}

    def _started(
        self,
        name: str,
        files: dict[str, str],
        server: str,
        target: str,
        how: dict[str, str],
        factory: bool,
        module: str,
    ) -> Case:
        rnd = self.random
        words = ["python", "-m", server] if self.chance(0.25) else [server]
        env: dict[str, str] = {}
        run: list[str] = []
        editable: list[str] = []
        for way, place in how.items():
            if way.startswith("--"):
                folder = place if self.chance(0.6) else f"{HOME}/{place}"
                words += rnd.choice(([way, folder], [f"{way}={folder}"]))
            elif way == "PYTHONPATH":
                env["PYTHONPATH"] = f"{HOME}/{place}"
            elif way == "relative":
                env["PYTHONPATH"] = place
            elif way == "editable":
                text = '[project]\nname = "it"\nversion = "1"\n[tool.setuptools.package-dir]\n'
                files["pyproject.toml"] = f'{text}"" = "{place}"\n'
                run.append("RUN pip install -e .")
                editable.append(place)
        if server == "gunicorn" and factory:
            target += rnd.choice(("()", "()", "", "(1)", "(debug=True)", "(settings={'a': 1})"))
        elif factory and self.chance(0.7):
            words.append("--factory")
        if server == "gunicorn" and self.chance(0.04):
            target = target.partition(":")[0]
        words.insert(len(words) if self.chance(0.5) else words.index(server) + 1, target)
        if self.chance(0.3):
            env["MODE"] = rnd.choice(("prod", "dev"))
        if self.chance(0.3):
            words += rnd.choice((["--workers", "1"], ["--log-level", "info"]))
        return Case(
            name,
            files,
            tuple(words),
            target,
            how.get("workdir", ""),
            env,
            tuple(run),
            tuple(editable),
            shell=self.chance(0.5),
            bare=module in _STDLIB,
        )
