"""What the shell runner and its host say to each other.

The runner (`shellrun`) follows a script; whatever is no shell business (a program, a file) it
asks of its `Host`, which the launch part implements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from hfcheck.source import Place, SourceFile
from hfcheck.space.value import Known, Origin, Unknown, Value

Dialect = Literal["bash", "dash", "ash", "sh"]
"""Which shell: dash is `/bin/sh` of Debian and Ubuntu, ash that of Alpine, "sh" is not known
which (where dash and bash differ, the result is then unknown)."""


NOT_KNOWN = Unknown("the output is only known when it runs")
EMPTY: Known[str] = Known("")
ROOT: Known[str] = Known("/")
SH: Known[str] = Known("sh")


@dataclass(frozen=True, slots=True)
class ArgWord:
    """One word of a command after expansion.

    `value`'s origins are the places that made it: the literal, the `${PORT:-7860}` default, the
    ENV that gave the value; nearest first. `place` is the word as written in the script. `prefix`
    is the text known before the first unknown piece (the whole text of a known word).
    `splits`: an unknown word that stands unquoted and may be no word or several.
    """

    value: Value[str]
    place: Place
    prefix: str = ""
    splits: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """A process that goes on running.

    `what` is the host's own description, handed back untouched. `key` is what makes two of them
    the same when two branches of a script are compared (host, port, target; not the place).
    `foreground` is false for one that was started with `&` or that put itself in the background.
    """

    what: object
    key: object
    place: Place
    steps: tuple[Origin, ...] = ()
    foreground: bool = True


@dataclass(frozen=True, slots=True)
class Written:
    """What a script made of a path, and where it did.

    A `file` holds `text`, a `link` leads to it; a `dir` was made, `gone` was taken away, and of a
    `doubt` nobody can tell (`text` says why). `source` is the file that it is a copy of.
    `executable` is None where modes can't be known.
    """

    text: Value[str]
    place: Place
    kind: Literal["file", "dir", "gone", "link", "doubt"] = "file"
    executable: bool | None = False
    source: SourceFile | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A program that the script starts.

    `argv[0]` is its name. `env` holds the exported variables, those of the assignment prefix
    included; `open_env` is why other variables may be set too, where that is so. `stdin` is the
    text piped or redirected into it (None: the shell's own). `files` is what the script has
    written so far, by absolute path. `steps` are the calls that led here (function, `.`, eval),
    outermost first. `background` is true for `program &`, `replaces` for `exec program`.
    `piped` is true where its output goes into another command or a `$(...)`.
    """

    argv: tuple[ArgWord, ...]
    env: Mapping[str, Value[str]]
    cwd: Value[str]
    place: Place
    background: bool = False
    replaces: bool = False
    piped: bool = False
    stdin: Value[str] | None = None
    steps: tuple[Origin, ...] = ()
    files: Mapping[str, Written] = field(default_factory=dict)
    open_env: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Returns:
    """The program ends. `status` None: not known; the runner then assumes that an ordinary
    command succeeds. `running` is what it leaves in the background (a daemon, the jobs of a
    script that ended).
    """

    status: int | None = None
    stdout: Value[str] = NOT_KNOWN
    running: tuple[Running, ...] = ()


@dataclass(frozen=True, slots=True)
class Blocks:
    """The program does not end by itself. `running` is what it serves: empty for one that only
    keeps the container alive (`sleep infinity`).
    """

    running: tuple[Running, ...] = ()


@dataclass(frozen=True, slots=True)
class Unclear:
    """What the program does can't be known: it may serve or end."""

    reason: str
    origins: tuple[Origin, ...] = ()


CommandResult: TypeAlias = Returns | Blocks | Unclear


@dataclass(frozen=True, slots=True)
class FileFact:
    """What is at a path. `source` is the text of a file that can be read. `reason` says why
    something is unclear.
    """

    kind: Literal["file", "dir", "absent", "unclear"]
    source: SourceFile | None = None
    executable: bool | None = None
    reason: str = ""


class Host(Protocol):
    """The container around the shell."""

    def command(self, call: Call) -> CommandResult:
        """What a program does. A nested script: `run` it and give `Outcome.result`."""

    def read(self, path: str) -> FileFact:
        """What is at an absolute path of the image."""

    def names(self, path: str) -> tuple[str, ...] | None:
        """The names in a folder, sorted; None where there may be others."""

    def has_program(self, name: str) -> bool:
        """Whether a program of that name is known to be installed."""


@dataclass(frozen=True, slots=True)
class State:
    """What a shell starts with.

    `env` are the exported variables, `variables` those that are not. `args` are `$1`..., `name`
    is `$0`. `options` are letters and long names (`e`, `a`, `u`, `pipefail`). `open_env` is why
    variables that are not in `env` may be set all the same (None: they are unset). `steps` are
    the calls that led to this shell, outermost first.
    """

    env: Mapping[str, Value[str]] = field(default_factory=dict)
    variables: Mapping[str, Value[str]] = field(default_factory=dict)
    args: tuple[Value[str], ...] = ()
    name: Value[str] = SH
    cwd: Value[str] = ROOT
    options: frozenset[str] = frozenset()
    dialect: Dialect = "sh"
    files: Mapping[str, Written] = field(default_factory=dict)
    open_env: Unknown | None = None
    steps: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Blocked:
    """The script never gets past `place`: a command in the foreground (or one that took the
    shell's place), `wait`, or a loop without end.
    """

    by: Literal["command", "wait", "loop"]
    place: Place


@dataclass(frozen=True, slots=True)
class Exited:
    """The script is over. `status` None: not known. `place` is the `exit` or the command that
    ended it (None at the end of the script).
    """

    status: int | None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """How the script goes on can't be known from `place` on."""

    reason: str
    place: Place


Ending: TypeAlias = Blocked | Exited | Unsettled


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a script went.

    `running` is what runs at its end, in the order of start; the one in the foreground is what
    it waits for. `unclear` are background jobs of which nothing could be known. `trail` tells
    what was assumed on the way. `stdout` is what the script printed. `files` is what it wrote.
    `env` are the exported variables at the end. `alternatives` are the differing outcomes that
    made it `Unsettled`, where it is a condition that can't be known.
    """

    ending: Ending
    running: tuple[Running, ...] = ()
    unclear: tuple[Unknown, ...] = ()
    trail: tuple[Origin, ...] = ()
    stdout: Value[str] = EMPTY
    files: Mapping[str, Written] = field(default_factory=dict)
    env: Mapping[str, Value[str]] = field(default_factory=dict)
    alternatives: tuple[Outcome, ...] = ()

    @property
    def result(self) -> CommandResult:
        """The same as the result of a program, for a script that another script runs."""
        if isinstance(self.ending, Unsettled):
            return Unclear(self.ending.reason, (Origin(self.ending.place, "not known from here"),))
        if isinstance(self.ending, Blocked):
            return Blocks(self.running)
        return Returns(self.ending.status, self.stdout, self.running)
