"""How a command of a shell ended, and the jumps that leave a body early."""

from __future__ import annotations

from dataclasses import dataclass

from hfcheck.source import Place
from hfcheck.space.shell.host import ArgWord
from hfcheck.space.shell.words import note
from hfcheck.space.value import Known, Value


@dataclass(frozen=True, slots=True)
class Status:
    """How a command ended. `code` None: not known; `assumed` is then what is taken for it (0 for
    an ordinary command), None for a condition, where both are followed.
    """

    code: int | None
    assumed: int | None = None
    reason: str = ""

    @property
    def likely(self) -> int | None:
        """The code, known or assumed."""
        return self.assumed if self.code is None else self.code


OK = Status(0)
FAILED = Status(1)
NOT_FOUND = Status(127)


class Jump(Exception):
    """`break`, `continue` or `return` on its way."""

    def __init__(self, kind: str, count: int, status: Status) -> None:
        super().__init__(kind)
        self.kind = kind
        self.count = count
        self.status = status


def status_of(value: Value[int]) -> Status:
    """A condition's value as a status."""
    return Status(value.value) if isinstance(value, Known) else Status(None, None, value.reason)


def known_text(word: ArgWord) -> str | None:
    """The text of a word; None where it is not known."""
    return word.value.value if isinstance(word.value, Known) else None


def only_then(place: Place) -> Status:
    """The status of a command that gives one thing or another when it runs."""
    return Status(None, None, f"what `{note(place)}` gives is only known when it runs")
