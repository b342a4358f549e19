"""Compares the predicted address of a case with the sockets of its really started server."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from hfcheck.space.prediction import Prediction, predict
from tests.differential.launch import oracle
from tests.differential.launch.case import ROOT, Case

Judgement: TypeAlias = Literal["agree", "unknown", "differ"]

_EVERY = ("0.0.0.0", "::", "", "*")
_LOCAL = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Result:
    """A case, what was predicted, what happened, and how they fit."""

    case: Case
    predicted: Prediction
    real: oracle.Outcome
    judgement: Judgement

    def __str__(self) -> str:
        real = sorted(self.real.sockets) or f"exit {self.real.exit_code}"
        files = "".join(f"--- {name}\n{text}" for name, text in self.case.files.items())
        return (
            f"{self.judgement} [{self.case.family}]\n{self.case.dockerfile()}{files}\n"
            f"predicted {self.predicted}\nreal {real}\n{self.real.output[-1500:]}\n"
        )


@dataclass(slots=True)
class Tally:
    """The results over all cases, by family."""

    results: list[Result] = field(default_factory=list)

    def count(self, judgement: Judgement, family: str | None = None) -> int:
        """How many cases (of a family) came out so."""
        return sum(
            each.judgement == judgement and family in (None, each.case.family)
            for each in self.results
        )

    def rows(self) -> Iterator[tuple[str, int, int, int]]:
        """Family, agree, unknown, differ."""
        for family in sorted(Counter(each.case.family for each in self.results)):
            yield (
                family,
                self.count("agree", family),
                self.count("unknown", family),
                self.count("differ", family),
            )


def judge(predicted: Prediction, real: oracle.Outcome) -> Judgement:
    """Whether a prediction fits: no socket for "none", else the address and all the others that
    are known are among the sockets.
    """
    if predicted.verdict == "unknown":
        return "unknown"
    if predicted.verdict == "none":
        return "differ" if real.sockets else "agree"
    wanted = {(predicted.host or "", predicted.port or 0), *predicted.sockets}
    return "agree" if all(_is_there(*each, real) for each in wanted) else "differ"


def _is_there(host: str, port: int, real: oracle.Outcome) -> bool:
    return any(_same(host, there, reached) for there, at, reached in real.sockets if at == port)


def _same(host: str, real: str, reached: bool) -> bool:
    if host in ("0.0.0.0", "", "*"):
        return real == "0.0.0.0" or (real == "::" and reached)
    if host in _LOCAL:
        return real in _LOCAL
    return host.strip("[]") == real


def run_case(case: Case, python: Path) -> Result:
    """Predict a case, then start it with the programs beside `python`."""
    with tempfile.TemporaryDirectory(prefix="launch-") as name:
        folder = Path(name).resolve()
        context = folder / "context"
        oracle.write(case, folder, context)
        predicted = predict(case.dockerfile().replace(ROOT, str(folder)), context)
        ports = frozenset(port for _, port in predicted.sockets)
        real = oracle.start(case, python, folder, ports)
        return Result(case, predicted, real, judge(predicted, real))


def compare(cases: Iterable[Case], python: Path) -> Tally:
    """Predict and start every case, some at once."""
    with ThreadPoolExecutor(oracle.processors()) as pool:
        return Tally(list(pool.map(lambda case: run_case(case, python), cases)))


Generator: TypeAlias = Callable[[random.Random], Case]


def generate(families: list[Generator], seed: int, count: int) -> Iterator[Case]:
    """`count` cases, taking the families in turn."""
    for number in range(count):
        family = families[number % len(families)]
        yield family(random.Random(f"{seed} {number} {family.__name__}"))
