"""Small worlds of Python files, for tests that need no image."""

from __future__ import annotations

from pathlib import Path

from hfcheck.source import SourceFile
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.python import Module, Python
from hfcheck.space.image.entries import Absent, Entry, ImageFile
from hfcheck.space.value import Known


class Files:
    """An image that holds just these texts."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._files = {
            path: ImageFile(path, SourceFile(Path(path), text), None)
            for path, text in texts.items()
        }

    def lookup(self, path: str) -> Entry:
        return self._files.get(path, Absent(path))

    workdir = "/app"

    def import_folders(self) -> tuple[str, ...]:
        return ()

    def gitignored(self, path: str) -> bool:
        return False

    def names(self, path: str) -> tuple[str, ...]:
        return ()


def world(texts: dict[str, str], env: dict[str, str] | None = None) -> tuple[Module, Evaluator]:
    python = Python(Files(texts), ["/app"])  # type: ignore[arg-type]
    module = python.find("main")
    assert isinstance(module, Module)
    return module, Evaluator(python, {k: Known(v) for k, v in (env or {}).items()})
