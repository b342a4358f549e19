"""What uvicorn and gunicorn themselves make of a case."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from tests.differential.target.case import Case

_OWN = ("PYTHON", "UVICORN_", "GUNICORN_", "MODE", "HFCHECK_", "PORT")
"""Starts of names of variables that a case must not get from the test's own environment."""


class Oracle:
    """Keeps a process for each server, which loads the application of every case in a fork of its
    own. To be used as a context manager.
    """

    def __init__(self) -> None:
        self._processes: dict[tuple[str, str], subprocess.Popen[str]] = {}

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            assert process.stdin is not None and process.stdout is not None
            process.stdin.close()
            process.wait(30)
            process.stdout.close()

    def judge(self, case: Case, root: Path) -> tuple[str, str]:
        """The kind of outcome and what was said, for a case that is written below `root`."""
        process = self._process(case.server, "bare" if case.bare else "warm")
        module = case.words[0] == "python"
        words = [case.at(root, word) for word in case.words[3 if module else 1 :]]
        request = {
            "cwd": str(root / case.workdir),
            "env": {name: case.at(root, value) for name, value in case.env.items()},
            "words": words,
            "module": module,
            "target": case.target.partition(":")[0],
            "root": str(root),
            "editable": [str(root / folder) for folder in case.editable],
        }
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(repr(request) + "\n")
        process.stdin.flush()
        kind, said = ast.literal_eval(process.stdout.readline())
        return kind, said

    def _process(self, server: str, warmth: str) -> subprocess.Popen[str]:
        key = (server, warmth)
        if key not in self._processes:
            script = Path(__file__).with_name("zygote.py")
            self._processes[key] = subprocess.Popen(
                [sys.executable, "-B", str(script), server, warmth],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={k: v for k, v in os.environ.items() if not k.startswith(_OWN)},
                cwd=tempfile.gettempdir(),
                text=True,
            )
        return self._processes[key]
