"""What importing the modules of a Python program does: those that act are followed."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterator, Sequence

from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import Module
from hfcheck.space.launch.appconfig import FILLING
from hfcheck.space.launch.following import Returned, last_name
from hfcheck.space.launch.servecalls import table
from hfcheck.space.launch.setting import Setting

DEEPEST = 25
"""Functions and modules that are followed inside each other."""

STARTING = frozenset(
    [
        "run",
        "serve",
        "start",
        "launch",
        "listen",
        "serve_forever",
        "main",
        "run_app",
        "run_server",
        "start_server",
        "run_forever",
        "run_until_complete",
        "start_polling",
        "infinity_polling",
        "run_polling",
        "polling",
        "cli",
        "app",
    ]
)
"""Last names of functions that may well keep a process running."""

_CHANGING = frozenset(
    ["load_dotenv", "read_env", "setattr", "putenv", "unsetenv", "update", "setdefault", "pop",
     "add_argument", "parse_args", "read", "read_string", "read_file", "read_dict"]
)  # fmt: skip
"""Last names of calls that change what other modules see."""


class Loading(Setting):
    """Follows imports."""

    @abstractmethod
    def body(self, statements: Sequence[ast.stmt], frame: Frame) -> None:
        """Follow statements, one after the other."""

    def load(self, node: ast.Import | ast.ImportFrom, frame: Frame) -> None:
        """Follow what a module of the image does while it is imported."""
        for name in self._imported(node, frame):
            found = self.python.find(name)
            if isinstance(found, Module) and id(found) not in self.loaded:
                self.loaded.add(id(found))
                if len(self.stack) < DEEPEST:
                    self._load(found)

    def _imported(self, node: ast.Import | ast.ImportFrom, frame: Frame) -> Iterator[str]:
        """The modules that an import loads, packages first."""
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            source = self.python.imported(frame.module, node)
            names = [source, *(f"{source}.{alias.name}" for alias in node.names)] if source else []
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: index + 1]) for index in range(len(parts)))

    def _load(self, module: Module) -> None:
        body: Sequence[ast.stmt] = module.tree.body
        if not self._may_act(module):
            body = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
        self.stack.append(id(module))
        try:
            self.body(body, Frame(module))
        except Returned:
            return
        finally:
            self.stack.pop()

    def _may_act(self, module: Module) -> bool:
        """Whether importing a module could start something, or change what others see."""
        return _may_serve(module) or any(
            self._calls_own(node, module) for node in module.tree.body if isinstance(node, ast.Expr)
        )

    def _calls_own(self, node: ast.Expr, module: Module) -> bool:
        """A statement at module level that calls a function of the image."""
        if not isinstance(node.value, ast.Call):
            return False
        found = self.python.definition(module, node.value.func)
        return found is not None and isinstance(found.node, (ast.FunctionDef, ast.ClassDef))


def is_main(test: ast.expr) -> bool | None:
    """True for `__name__ == "__main__"`, None for any other condition."""
    if isinstance(test, ast.Compare) and len(test.comparators) == 1:
        sides = (test.left, test.comparators[0])
        names = {side.id for side in sides if isinstance(side, ast.Name)}
        texts = {side.value for side in sides if isinstance(side, ast.Constant)}
        if names == {"__name__"} and "__main__" in texts and isinstance(test.ops[0], ast.Eq):
            return True
    return None


def _may_serve(module: Module) -> bool:
    """Whether importing a module could start something or change what others see: a call with
    such a name at its top, an attribute or item that is set.
    """
    wanted = table().last_names | STARTING | _CHANGING | FILLING
    for statement in module.tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if isinstance(statement, ast.If) and is_main(statement.test):
            continue
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and last_name(node.func) in wanted:
                return True
            if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(
                node.ctx, ast.Load
            ):
                return True
    return False
