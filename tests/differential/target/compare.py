"""Compares hfcheck's verdict of a target with what the servers do."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hfcheck.source import SourceFile
from hfcheck.space.context import Context
from hfcheck.space.declared import Declared
from hfcheck.space.docker.dockerfile import parse
from hfcheck.space.image.image import build_image
from hfcheck.space.launch.launch import work_out_launch
from hfcheck.space.launch.loadable import Verdict
from hfcheck.space.launch.targets import judged
from hfcheck.space.packages import read_packages
from tests.differential.target.case import Case
from tests.differential.target.generate import Maker
from tests.differential.target.oracle import Oracle


@dataclass(frozen=True, slots=True)
class Result:
    """A case, what the server did, what hfcheck says, and whether `app-target-missing` fires."""

    case: Case
    real: str
    said: str
    predicted: str
    reason: str
    fires: bool

    @property
    def differs(self) -> bool:
        """Whether the prediction is wrong: another kind, a finding where the server loads, or no
        answer in a plain case.
        """
        if self.predicted == "unknown":
            return self.case.plain or (self.fires and self.real == "ok")
        return self.predicted != self.real or (self.fires and self.real == "ok")


def predict(case: Case, root: Path) -> tuple[Verdict, bool]:
    """hfcheck's verdict of a case that is written below `root`, and whether the rule fires."""
    text = case.dockerfile(root)
    (root / "Dockerfile").write_text(text, "utf-8")
    dockerfile = parse(SourceFile(root / "Dockerfile", text))
    context, declared = Context(root), Declared()
    image = build_image(dockerfile, context, declared)
    packages = read_packages(dockerfile, image, (context,))
    launch = work_out_launch(image, declared, lambda: packages)
    fires = any(each.kind == "app-target-missing" for each in launch.problems)
    if launch.public is None:
        if launch.nothing is None:
            return Verdict("unknown", launch.unknown.reason if launch.unknown else ""), fires
        return Verdict("missing module" if fires else "bad name", launch.nothing.note), fires
    return judged(image, launch.public, lambda: packages), fires


def compare(case: Case, oracle: Oracle) -> Result:
    """One case, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="target") as folder:
        root = Path(folder).resolve() / "tree"
        root.mkdir()
        case.write(root)
        real, said = oracle.judge(case, root)
        verdict, fires = predict(case, root)
    predicted = verdict.kind
    if predicted != "unknown" and any(find_spec(name) is None for name in verdict.needs):
        predicted = "fails"  # hfcheck takes libraries for installed, and tells which
    return Result(case, real, said, predicted, verdict.reason, fires)


def compare_all(cases: Iterable[Case]) -> list[Result]:
    """All of them."""
    with Oracle() as oracle:
        return [compare(case, oracle) for case in cases]


def run(count: int, seed: int) -> list[Result]:
    """So many generated cases."""
    return compare_all(Maker(seed).cases(count))
