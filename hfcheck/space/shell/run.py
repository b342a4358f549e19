"""Follows a shell script without running it: what would it start, and how would it end?

`run(script, state, host)` goes through the commands as a shell would, with values that may be
unknown. Programs and files are asked of the `Host`. The words of this contract (`State`, `Call`,
`Returns`, `Blocks`, `Unclear`, `Outcome`...) are in `shellhost`.
"""

from __future__ import annotations

from dataclasses import replace

from hfcheck.space.shell.flow import Runner
from hfcheck.space.shell.host import (
    ArgWord,
    Blocked,
    Blocks,
    Call,
    CommandResult,
    Dialect,
    Ending,
    Exited,
    FileFact,
    Host,
    Outcome,
    Returns,
    Running,
    State,
    Unclear,
    Unsettled,
    Written,
)
from hfcheck.space.shell.tree import Script

__all__ = [
    "ArgWord",
    "Blocked",
    "Blocks",
    "Call",
    "CommandResult",
    "Dialect",
    "Ending",
    "Exited",
    "FileFact",
    "Host",
    "Outcome",
    "Returns",
    "Running",
    "State",
    "Unclear",
    "Unsettled",
    "Written",
    "run",
]


def run(script: Script, state: State, host: Host) -> Outcome:
    """Follow `script` from `state`; never raises, whatever the script holds.

    What a condition leaves open is followed both ways; the outcome is `Unsettled` only where
    the ways end differently. Commands whose status is not known are taken to succeed
    (`Outcome.trail` says so); a way that ends in `exit 1` is taken not to be gone.
    """
    try:
        return Runner(state, host).script(script)
    except RecursionError:
        place = replace(script.body.place)
        return Outcome(Unsettled("the script nests too deeply to be followed", place))
