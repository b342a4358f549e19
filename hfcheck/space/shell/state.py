"""The state of a shell that is followed: variables, arguments, jobs, written files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hfcheck.source import Place
from hfcheck.space.shell.host import Dialect, Ending, Exited, Running, State, Written
from hfcheck.space.shell.tree import Function
from hfcheck.space.value import PLATFORM, SECRET, Known, Origin, Unknown, Value

MAX_ORIGINS = 12
"""Origins that one value keeps."""

MAX_TEXT = 1 << 16
"""Longest text that a variable may come to hold; a longer one counts as unknown."""


SUCCESS: Known[str] = Known("0")


_OF_SHELLS = frozenset({"PPID", "LINENO"})
_OF_BASH = frozenset({"RANDOM", "SECONDS", "HOSTNAME", "UID", "EUID"})
"""Variables that shells set themselves: each of them, and those that dash does not know."""


class ShellEnd(Exception):
    """The shell is over (or stays where it is for ever)."""

    def __init__(self, ending: Ending, note: str = "") -> None:
        super().__init__(ending)
        self.ending = ending
        self.note = note


@dataclass(frozen=True, slots=True)
class Variable:
    """A shell variable; `array` holds the elements of an indexed array."""

    value: Value[str]
    exported: bool = False
    array: tuple[Value[str], ...] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Something started with `&` (or that stays in the foreground for ever). `blocks` None:
    whether it ends is not known, and `unclear` says why.
    """

    place: Place
    running: tuple[Running, ...] = ()
    blocks: bool | None = False
    unclear: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How the script would have ended on a way that was left at a condition."""

    ending: Ending
    running: tuple[Running, ...]
    reason: str
    place: Place


def is_filled(value: Value[str] | None) -> bool:
    """Whether a value that is not known is known to be set and not empty."""
    return isinstance(value, Unknown) and value.reason in (PLATFORM, SECRET)


def joined(values: Iterable[Value[str]], separator: str = "") -> Value[str]:
    """The values one after the other; unknown where one of them is."""
    texts: list[str] = []
    origins: list[Origin] = []
    unknown: Unknown | None = None
    for value in values:
        origins += [origin for origin in value.origins if origin not in origins]
        del origins[MAX_ORIGINS:]
        if isinstance(value, Known):
            texts.append(value.value)
        else:
            unknown = unknown or value
    if unknown is not None:
        return Unknown(unknown.reason, tuple(origins))
    text = separator.join(texts)
    if len(text) > MAX_TEXT:
        return Unknown("the text is too long to be followed", tuple(origins))
    return Known(text, tuple(origins))


def traced(value: Value[str], *origins: Origin) -> Value[str]:
    """The value with origins put before its own, each once, no more than are kept."""
    own = [*origins, *(origin for origin in value.origins if origin not in origins)]
    return replace(value, origins=tuple(own[:MAX_ORIGINS]))


@dataclass(slots=True)
class Shell:
    """A shell in the middle of a script. `folders` are those of `pushd`, `inherited` the jobs that
    a subshell knows from the shell around it.
    """

    variables: dict[str, Variable]
    args: tuple[Value[str], ...]
    name: Value[str]
    cwd: Value[str]
    options: set[str]
    dialect: Dialect
    files: dict[str, Written]
    open_env: Unknown | None = None
    functions: dict[str, Function] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    frames: list[dict[str, Variable | None]] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    status: Value[str] = SUCCESS
    disowned: tuple[Running, ...] = ()
    folders: tuple[Value[str], ...] = ()
    inherited: tuple[Job, ...] = ()

    @classmethod
    def started(cls, state: State) -> Shell:
        """A shell at its start."""
        variables = {name: Variable(value) for name, value in state.variables.items()}
        variables |= {name: Variable(value, exported=True) for name, value in state.env.items()}
        return cls(
            variables,
            state.args,
            state.name,
            state.cwd,
            set(state.options),
            state.dialect,
            dict(state.files),
            state.open_env,
        )

    def copy(self) -> Shell:
        """A shell of its own with the same state."""
        return replace(
            self,
            variables=dict(self.variables),
            options=set(self.options),
            files=dict(self.files),
            functions=dict(self.functions),
            jobs=list(self.jobs),
            ways=list(self.ways),
            frames=[dict(frame) for frame in self.frames],
            touched=list(self.touched),
        )

    def get(self, name: str) -> Value[str] | None:
        """A named variable; None where it is unset."""
        variable = self.variables.get(name)
        if variable is not None:
            return variable.value
        if name == "PWD":
            return self.cwd
        if name in _OF_SHELLS or (name in _OF_BASH and self.dialect != "dash"):
            return Unknown(f"{name} is only known when it runs")
        return self.open_env

    def set(self, name: str, value: Value[str], *, export: bool = False) -> None:
        """Give a variable its value."""
        old = self.variables.get(name)
        exported = export or "a" in self.options or (old is not None and old.exported)
        self.variables[name] = Variable(value, exported)

    def set_array(self, name: str, values: tuple[Value[str], ...]) -> None:
        """Make a variable an array."""
        first: Value[str] = values[0] if values else Known("")
        self.variables[name] = Variable(first, array=values)

    @property
    def env(self) -> dict[str, Value[str]]:
        """What a program would get as its environment."""
        return {name: var.value for name, var in self.variables.items() if var.exported}

    @property
    def running(self) -> tuple[Running, ...]:
        """Everything that runs now, in the order of start."""
        return (*self.disowned, *(running for job in self.jobs for running in job.running))


def merged(first: Shell, second: Shell, reason: str) -> Shell:
    """The state after two ways that join again: what differs is unknown."""
    shell = first.copy()
    for name in first.variables.keys() | second.variables.keys():
        one, other = first.variables.get(name), second.variables.get(name)
        if one == other or _same_variable(one, other):
            continue
        exported = bool((one and one.exported) or (other and other.exported))
        shell.variables[name] = Variable(_either(one, other, reason), exported)
    if not _same(first.cwd, second.cwd):
        shell.cwd = Unknown(reason, first.cwd.origins)
    for path in first.files.keys() | second.files.keys():
        one_file, other_file = first.files.get(path), second.files.get(path)
        present = one_file or other_file
        if present and (not one_file or not other_file or not _same_file(one_file, other_file)):
            shell.files[path] = replace(present, kind="doubt", text=Unknown(reason), source=None)
    shell.functions |= {
        name: body for name, body in second.functions.items() if name not in first.functions
    }
    shell.options = first.options & second.options
    shell.open_env = first.open_env or second.open_env
    shell.touched += [path for path in second.touched if path not in shell.touched]
    shell.ways += [way for way in second.ways if way not in shell.ways]
    if not _same(first.status, second.status):
        shell.status = Unknown(reason)
    if len(first.args) != len(second.args) or not all(map(_same, first.args, second.args)):
        shell.args = (Unknown(reason),)
    shell.jobs = _merged_jobs(first.jobs, second.jobs, reason)
    return shell


def keys(running: Iterable[Running]) -> list[tuple[object, bool]]:
    """What makes processes the same, whatever their order."""
    return sorted(((one.key, one.foreground) for one in running), key=repr)


def same_ending(first: Ending, second: Ending) -> bool:
    """Whether two endings are the same but for their places."""
    if isinstance(first, Exited) and isinstance(second, Exited):
        return first.status == second.status
    return type(first) is type(second)


def _merged_jobs(first: list[Job], second: list[Job], reason: str) -> list[Job]:
    common = 0
    while common < min(len(first), len(second)) and first[common] == second[common]:
        common += 1
    jobs = first[:common]
    one, other = first[common:], second[common:]
    same_blocking = [job.blocks for job in one] == [job.blocks for job in other]
    if same_blocking and [keys(j.running) for j in one] == [keys(j.running) for j in other]:
        return jobs + one
    for job in one + other:
        if job.running or job.unclear:
            jobs.append(
                Job(
                    job.place,
                    (),
                    None,
                    job.unclear
                    or Unknown(
                        f"whether it is started is not known: {reason}",
                        (Origin(job.place, "started here"),),
                    ),
                )
            )
    return jobs


def _same_file(one: Written, other: Written) -> bool:
    alike = one.kind == other.kind and one.executable == other.executable
    return alike and _same(one.text, other.text)


def _same(one: Value[str], other: Value[str]) -> bool:
    if isinstance(one, Known) and isinstance(other, Known):
        return one.value == other.value
    return one == other


def _same_variable(one: Variable | None, other: Variable | None) -> bool:
    return (
        one is not None
        and other is not None
        and one.exported == other.exported
        and one.array is None
        and other.array is None
        and _same(one.value, other.value)
    )


def _either(one: Variable | None, other: Variable | None, reason: str) -> Value[str]:
    origins = [*(one.value.origins if one else ()), *(other.value.origins if other else ())]
    return Unknown(reason, tuple(dict.fromkeys(origins))[:MAX_ORIGINS])
