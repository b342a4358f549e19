"""Compares the versions that hfcheck tells with those that the real resolvers choose."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from hfcheck.space.declared import Declared
from hfcheck.space.model import Space
from hfcheck.space.packages.releases import known_releases
from hfcheck.space.site.discover import discover
from hfcheck.space.value import Known
from tests.differential.environments import CACHE, environment
from tests.differential.versions.generate import Case, Step, generate

COMPARED = ("pydantic-settings", "pydantic")

TOOLS = ["uv", "poetry-core"]

_ALLOWED = """
import json, sys
from poetry.core.constraints.version import Version, parse_constraint
constraint, versions = json.load(sys.stdin)
allowed = parse_constraint(constraint)
print(json.dumps([v for v in versions if allowed.allows(Version.parse(v))]))
"""


@dataclass(slots=True)
class Tally:
    """The result over all cases; `broken` are those that no resolver can install."""

    agree: int = 0
    unknown: int = 0
    broken: int = 0
    differences: list[tuple[Case, str]] = field(default_factory=list)
    unclear: list[tuple[Case, str]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


class Resolvers:
    """The real tools, and what they choose for a case."""

    def __init__(self, python: Path) -> None:
        self.python = python
        self.uv = python.with_name("uv")
        self.answers: dict[str, dict[str, str] | None] = {}

    def versions(self, case: Case, folder: Path) -> dict[str, str] | None:
        """What is installed after all steps; None where one of them fails."""
        installed: dict[str, str] = {}
        for step in case.steps:
            found = self._step(step, case, folder, installed)
            if found is None:
                return None
            installed |= found
        return installed

    def _step(
        self, step: Step, case: Case, folder: Path, installed: dict[str, str]
    ) -> dict[str, str] | None:
        if step.tool == "uv lock":
            return self._lock(case, folder)
        if step.tool == "uv":
            found = self._lock(case, folder)
            (folder / "uv.lock").unlink(missing_ok=True)
            return found
        if step.tool == "poetry":
            return self._poetry(step.arguments[0], case, folder)
        return self._pip(step, case, folder, installed)

    def _pip(
        self, step: Step, case: Case, folder: Path, installed: dict[str, str]
    ) -> dict[str, str] | None:
        """`uv pip compile` resolves as `uv pip install` does, for a Python that is not here; what
        is installed already is preferred.
        """
        inputs = list(step.arguments)
        if step.requirements:
            (folder / "step.in").write_text("\n".join(step.requirements) + "\n", "utf-8")
            inputs.append("step.in")
        kept = dict(installed)
        if step.upgrade:
            named = {_name(line) for line in step.requirements}
            kept = {name: version for name, version in kept.items() if name not in named}
        output = folder / "step.out"
        pins = "".join(f"{name}=={version}\n" for name, version in kept.items())
        output.write_text(pins, "utf-8")
        result = self._run(
            folder,
            *("pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-build"),
            *("--python-version", case.python, "--python-platform", "linux"),
            *("-o", "step.out", *inputs),
        )
        for name in ("step.in", "step.out"):
            if name == "step.out" and result is not None:
                result = output.read_text("utf-8")
            (folder / name).unlink(missing_ok=True)
        return None if result is None else _pins(result, case.python)

    def _lock(self, case: Case, folder: Path) -> dict[str, str] | None:
        if self._run(folder, "lock", "--quiet") is None:
            return None
        exported = self._run(
            folder,
            *("export", "--frozen", "--quiet", "--no-hashes", "--no-header", "--no-annotate"),
            *("--no-emit-project", "--all-groups"),
        )
        return None if exported is None else _pins(exported, case.python)

    def _poetry(self, constraint: str, case: Case, folder: Path) -> dict[str, str] | None:
        """The versions that Poetry's own constraint allows; of them uv chooses."""
        listed = [str(release.version) for release in known_releases()["pydantic-settings"]]
        result = subprocess.run(
            [str(self.python), "-I", "-c", _ALLOWED],
            input=json.dumps([constraint, listed]),
            capture_output=True,
            text=True,
            check=True,
        )
        allowed = json.loads(result.stdout)
        if not allowed:
            return None
        refused = [version for version in listed if version not in allowed]
        line = f"pydantic-settings<={allowed[-1]}" + "".join(f",!={one}" for one in refused)
        return self._pip(Step(requirements=[line]), case, folder, {})

    def _run(self, folder: Path, *arguments: str) -> str | None:
        environ = {
            **os.environ,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_PYTHON": str(self.python),
            "VIRTUAL_ENV": "",
        }
        result = subprocess.run(
            [str(self.uv), *arguments],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        return result.stdout if result.returncode == 0 else None


def _name(line: str) -> str:
    found = re.match(r"[\w.-]+", line)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else line


def _pins(text: str, python: str) -> dict[str, str]:
    """The exact versions of a resolved requirement file."""
    found: dict[str, str] = {}
    environ = {"python_version": python, "python_full_version": f"{python}.20"}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith(("#", "-")):
            continue
        parsed = Requirement(line.split(" \\")[0])
        if parsed.marker is None or parsed.marker.evaluate(environ):
            found[_name(parsed.name)] = str(parsed.specifier).removeprefix("==")
    return found


def predicted(folder: Path) -> dict[str, str]:
    """What hfcheck tells of a project; `?` and the reason where it is not known."""
    sites, _ = discover(folder.resolve())
    packages = Space(sites[0], Declared()).packages
    found: dict[str, str] = {}
    for name in COMPARED:
        value = packages.newest_of(name, ())
        found[name] = value.value if isinstance(value, Known) else f"? {value.reason}"
    return found


def disagreement(name: str, told: str, real: str | None) -> str | None:
    """Why a version does not fit what is installed; releases after those known here are fine."""
    if told.startswith("?"):
        return None
    if real is None:
        return f"{name}: not installed, not {told}"
    newest = known_releases()[name][-1].version
    if Version(real) > newest == Version(told) or Version(real) == Version(told):
        return None
    return f"{name}: {real}, not {told}"


def run(count: int, seed: int, cache: Path = CACHE) -> Tally:
    """Compare `count` generated projects; it asks the package index."""
    resolvers = Resolvers(environment("resolvers", TOOLS, cache))
    rng = random.Random(seed)
    tally = Tally()
    for _ in range(count):
        case = generate(rng)
        with tempfile.TemporaryDirectory() as name:
            _compare(case, Path(name), resolvers, tally)
    return tally


def write(case: Case, folder: Path) -> None:
    """Write a project's files."""
    (folder / "README.md").write_text("---\nsdk: docker\n---\n", "utf-8")
    for path, data in case.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _compare(case: Case, folder: Path, resolvers: Resolvers, tally: Tally) -> None:
    write(case, folder)
    real = resolvers.versions(case, folder)
    if real is None:
        tally.broken += 1
        return
    tally.kinds[case.kind] += 1
    told = predicted(folder)
    reasons = [disagreement(name, told[name], real.get(name)) for name in COMPARED]
    found = [reason for reason in reasons if reason]
    missing = [f"{n}: {told[n]}" for n in COMPARED if told[n].startswith("?") and n in real]
    if found:
        tally.differences.append((case, "; ".join(found)))
    elif missing:
        tally.unknown += 1
        tally.unclear.append((case, "; ".join(missing)))
    else:
        tally.agree += 1
