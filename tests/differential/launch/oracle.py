"""Starts the process of a case and reads the sockets it listens on.

Every process runs in network and process namespaces of its own (`unshare`), so that ports never
clash, nothing is reachable from another machine, and all of it ends with its first process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.differential.launch.case import ROOT, Case

_WATCH = Path(__file__).with_name("watch.py")
_PLATFORM = {
    "ACCELERATOR": "none",
    "CPU_CORES": "2",
    "MEMORY": "16Gi",
    "SPACE_AUTHOR_NAME": "someone",
    "SPACE_REPO_NAME": "shop",
    "SPACE_TITLE": "Shop",
    "SPACE_ID": "someone/shop",
    "SPACE_HOST": "someone-shop.hf.space",
    "SPACE_CREATOR_USER_ID": "0123456789abcdef01234567",
    "HOSTNAME": "r-someone-shop-0",
}
"""What the Hub and the container runtime set in every Space."""

_LONGEST = 90
"""Seconds after which a case is given up: the watcher itself stops long before."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What really happened: `sockets` are (host, port, whether IPv4 clients reach it) of what
    listens at the end; `exit_code` is the first process's, None while it runs.
    """

    sockets: frozenset[tuple[str, int, bool]]
    exit_code: int | None
    output: str


@cache
def namespaces() -> tuple[str, ...] | None:
    """The command that puts a process into namespaces of its own; None where there is none."""
    if shutil.which("unshare") is None:
        return None
    apart = ("--net", "--pid", "--fork", "--kill-child", "--mount-proc")
    for command in (("unshare", *apart), ("unshare", "--map-root-user", *apart)):
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return None


def start(case: Case, python: Path, folder: Path, ports: frozenset[int] = frozenset()) -> Outcome:
    """Write the files of a case below `folder`, start it with the programs beside `python`, and
    tell what listens. `ports` are waited for a little where others listen already.

    Raises RuntimeError where the watcher fails, or there are no namespaces.
    """
    apart = namespaces()
    if apart is None:
        raise RuntimeError("no network namespace can be made here")
    workdir = Path(case.workdir.replace(ROOT, str(folder)))
    write(case, folder, workdir)
    request = {
        "argv": [word.replace(ROOT, str(folder)) for word in case.argv()],
        "cwd": str(workdir),
        "env": _environment(case, python, folder),
        "ports": sorted(ports),
    }
    run = subprocess.run(
        [*apart, str(python), "-I", str(_WATCH)],
        input=json.dumps(request),
        text=True,
        capture_output=True,
        timeout=_LONGEST,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(f"the watcher failed: {run.stderr[-2000:]}")
    told = json.loads(run.stdout)
    sockets = frozenset((host, port, reached) for host, port, reached in told["sockets"])
    return Outcome(sockets, told["exit_code"], told["output"])


def write(case: Case, folder: Path, target: Path) -> None:
    """Write the files of a case into `target`, with `folder` for its root."""
    target.mkdir(parents=True, exist_ok=True)
    for name, content in case.files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(ROOT, str(folder)).encode())
    for name in case.executable:
        (target / name).chmod(0o755)


def _environment(case: Case, python: Path, folder: Path) -> dict[str, str]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    # A login shell sets PATH anew (/etc/profile), without the folder of the programs.
    (home / ".profile").write_text(f'PATH="{python.parent}:$PATH"\n')
    given = _PLATFORM | {
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": tempfile.gettempdir(),
        "LANG": "C.UTF-8",
        "VIRTUAL_ENV": str(python.parent.parent),
        "UV_PROJECT_ENVIRONMENT": str(python.parent.parent),
        "UV_OFFLINE": "1",
    }
    return given | {name: value.replace(ROOT, str(folder)) for name, value in case.env.items()}


def processors() -> int:
    """How many cases are started at once."""
    return max(1, os.cpu_count() or 1)
