"""Simple commands of the shell runner: words, assignments, redirections, programs, files."""

from __future__ import annotations

import posixpath
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal, TypeGuard

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.shell.builtins import PROGRAMS, Builtins
from hfcheck.space.shell.filetools import FileTools
from hfcheck.space.shell.host import (
    ArgWord,
    Blocked,
    Call,
    CommandResult,
    Exited,
    FileFact,
    Host,
    Returns,
    State,
    Unclear,
    Unsettled,
    Written,
)
from hfcheck.space.shell.parse import parse, parse_text
from hfcheck.space.shell.patterns import Pattern, TooLong
from hfcheck.space.shell.state import Job, Shell, ShellEnd, Variable, joined, traced
from hfcheck.space.shell.status import FAILED, NOT_FOUND, OK, Jump, Status, known_text
from hfcheck.space.shell.tools import tool
from hfcheck.space.shell.tree import (
    Assignment,
    Function,
    ProcessSubstitution,
    Redirect,
    Script,
    Simple,
    Word,
)
from hfcheck.space.shell.words import MAX_FIELDS, Expander, note
from hfcheck.space.value import Known, Origin, Unknown, Value

_DECLARING = frozenset({"export", "readonly", "local", "declare", "typeset"})
_ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_MAX_GLOB = 2000
_MOST_LINKS = 40
_SPECIAL = frozenset({":", ".", "source", "eval", "exec", "export", "readonly", "set", "unset"})


@dataclass(slots=True)
class _Streams:
    """Where the redirections of a command lead: the text it reads, the file it writes to (None:
    where the output went before), or nowhere.
    """

    stdin: Value[str] | None = None
    file: str | None = None
    append: bool = False
    discard: bool = False
    place: Place | None = None
    failed: bool = False
    unknown: bool = False


class Commands(Builtins, FileTools):
    """Simple commands over the state of one shell."""

    def __init__(self, state: State, host: Host) -> None:
        self.host = host
        self.shell: Shell = Shell.started(state)
        self.out: list[Value[str]] = []
        self.stdin: Value[str] | None = None
        self.steps = state.steps
        self.expander = Expander(self)
        self.background = False
        self.piped = 0
        self.trail: list[Origin] = []
        self.substituted = OK

    @abstractmethod
    def capture(self, script: Script, place: Place) -> Value[str]:
        """The output of `$(...)`."""

    @abstractmethod
    def stream(self, part: ProcessSubstitution) -> Value[str]:
        """The name of the file that `<(...)` stands for."""

    @abstractmethod
    def call(self, function: Function, args: tuple[Value[str], ...], place: Place) -> Status:
        """Call a function."""

    @abstractmethod
    def spend(self, work: int, place: Place) -> None:
        """Ends the run where too much work was done."""

    @abstractmethod
    def lines(self, script: Script) -> Status:
        """Run a script in this shell."""

    # -- simple commands

    def simple(self, command: Simple) -> Status:
        """A simple command."""
        argv = self._argv(command.words)
        self.spend(len(argv) // 10, command.place)
        if self.shell.dialect == "dash" and any(
            redirect.operator in ("&>", "&>>") for redirect in command.redirects
        ):
            raise ShellEnd(
                Unsettled(
                    "`&>` means something else in dash: the command goes to the background",
                    command.place,
                )
            )
        return self.redirected(command.redirects, lambda: self._assigned(command, argv))

    def _argv(self, words: Sequence[Word]) -> list[ArgWord]:
        if not words or words[0].raw not in _DECLARING:
            return self.expander.fields(words)
        argv: list[ArgWord] = []
        for word in words:
            if _ASSIGNED.match(word.raw):
                value = self.expander.text(word)
                prefix = value.value if isinstance(value, Known) else word.raw.split("=")[0] + "="
                argv.append(ArgWord(value, word.place, prefix))
            else:
                argv += self.expander.fields([word])
        return argv

    def _assigned(self, command: Simple, argv: list[ArgWord]) -> Status:
        name = known_text(argv[0]) if argv else None
        if not argv or name in _DECLARING:
            self.substituted = OK
            for assignment in command.assignments:
                self._assign(assignment)
            if not argv:
                return self.substituted
        if not command.assignments:
            return self.dispatch(argv, command.place, functions=True)
        if name in ("exec", "eval", ".", "source", ":", "export"):
            for assignment in command.assignments:
                self._assign(assignment, export=name in ("exec", "export"))
            return self.dispatch(argv, command.place, functions=True)
        return self._with_prefix(command, argv)

    def _with_prefix(self, command: Simple, argv: list[ArgWord]) -> Status:
        """`A=1 command`: A is there for the command only."""
        names = {assignment.name for assignment in command.assignments}
        before = {name: self.shell.variables.get(name) for name in names}
        for assignment in command.assignments:
            self._assign(assignment, export=True)
        try:
            return self.dispatch(argv, command.place, functions=True)
        finally:
            for name, variable in before.items():
                if variable is None:
                    self.shell.variables.pop(name, None)
                else:
                    self.shell.variables[name] = variable

    def _assign(self, assignment: Assignment, *, export: bool = False) -> None:
        name = assignment.name
        old = self.shell.variables.get(name)
        if assignment.array is not None:
            items = tuple(word.value for word in self.expander.fields(assignment.array))
            if assignment.append and old is not None:
                items = (*(old.array if old.array is not None else (old.value,)), *items)
            self.shell.set_array(name, items[:MAX_FIELDS])
            return
        value = self.expander.text(assignment.value)
        value = traced(value, Origin(assignment.place, note(assignment.place)))
        if assignment.index is not None:
            self._assign_item(assignment, value, old)
            return
        if assignment.append:
            value = joined([self.shell.get(name) or Known(""), value])
        self.shell.set(name, value, export=export)

    def _assign_item(self, assignment: Assignment, value: Value[str], old: Variable | None) -> None:
        index = self.expander.number(assignment.index) if assignment.index else Known(0)
        items = list(old.array) if old is not None and old.array is not None else []
        if isinstance(index, Known) and 0 <= index.value <= len(items):
            items[index.value : index.value + 1] = [value]
            self.shell.set_array(assignment.name, tuple(items))
        else:
            self.shell.set(assignment.name, Unknown("such an array is not followed", value.origins))

    def dispatch(self, argv: Sequence[ArgWord], place: Place, *, functions: bool) -> Status:
        """Run a function, a built-in or a program by its words."""
        name = known_text(argv[0]) if argv else ""
        if name is None:
            reason = argv[0].value.reason if isinstance(argv[0].value, Unknown) else ""
            raise ShellEnd(Unsettled(f"which program is started is not known: {reason}", place))
        if not argv:
            return self.substituted
        if functions and name in self.shell.functions and name not in _SPECIAL:
            args = tuple(word.value for word in argv[1:])
            return self.call(self.shell.functions[name], args, place)
        builtin = self.builtin(name)
        if builtin is not None and name not in PROGRAMS:
            return builtin(argv[1:], place)
        if "/" not in name and self._out_of_reach(name):
            return self._program(argv, place)
        if builtin is not None:
            return builtin(argv[1:], place)
        if name in ("source", "[["):
            return NOT_FOUND
        done = self._tool(argv, place) or self.file_tool(argv, place)
        return done or self._program(argv, place)

    def has_program(self, name: str) -> bool:
        """Whether a program is known to be installed, in a folder of PATH."""
        return not self._out_of_reach(name) and self.host.has_program(name)

    def _out_of_reach(self, name: str) -> bool:
        """Whether no folder of PATH has such a program."""
        path = self.shell.get("PATH")
        if not isinstance(path, Known):
            return False
        paths = [posixpath.join(folder or ".", name) for folder in path.value.split(":")]
        return all(self.file(Known(each)).kind in ("absent", "dir") for each in paths)

    def _tool(self, argv: Sequence[ArgWord], place: Place) -> Status | None:
        """A text tool whose output is settled."""
        if known_text(argv[0]) == "envsubst" and self.stdin is not None:
            self.out.append(self._substituted(argv[1:], self.stdin))
            return OK
        words = [known_text(word) for word in argv]
        stdin = self.stdin.value if isinstance(self.stdin, Known) else None
        known = [word for word in words if word is not None]
        try:
            result = tool(known, stdin, self._text_of) if len(known) == len(words) else None
        except FileNotFoundError:
            return Status(2)
        if result is None:
            return None
        self.spend(len(result[0]) // 100, place)
        origins = joined([word.value for word in argv[1:]]).origins
        if self.stdin is not None:
            origins = (*origins, *self.stdin.origins)
        self.out.append(Known(result[0], origins[:8]))
        return Status(result[1])

    def _substituted(self, argv: Sequence[ArgWord], text: Value[str]) -> Value[str]:
        """What envsubst prints: `$NAME` and `${NAME}` filled in from the environment, those that
        its argument names where it has one (GNU gettext, "envsubst").
        """
        wanted = [word.value for word in argv]
        if isinstance(text, Unknown) or any(isinstance(word, Unknown) for word in wanted):
            return Unknown("what envsubst prints is not known")
        named = "".join(word.value for word in wanted if isinstance(word, Known))
        names = {a or b for a, b in _REFERENCE.findall(named)} if wanted else None
        env = self.shell.env
        parts: list[Value[str]] = []
        end = 0
        for match in _REFERENCE.finditer(text.value):
            name = match[1] or match[2]
            if names is not None and name not in names:
                continue
            parts.append(Known(text.value[end : match.start()], text.origins))
            parts.append(env.get(name) or self.shell.open_env or Known(""))
            end = match.end()
        return joined([*parts, Known(text.value[end:], text.origins)])

    def _text_of(self, path: str) -> str | None:
        fact = self.file(Known(path))
        if fact.kind == "absent":
            raise FileNotFoundError(path)
        return fact.source.text if fact.source is not None else None

    # -- programs

    def _program(self, argv: Sequence[ArgWord], place: Place, *, replaces: bool = False) -> Status:
        result = self._ask(argv, place, replaces=replaces)
        if isinstance(result, Unclear):
            raise ShellEnd(Unsettled(result.reason, place))
        running = tuple(
            replace(one, foreground=one.foreground and not self.background)
            for one in result.running
        )
        if isinstance(result, Returns):
            self.out.append(result.stdout)
            self.shell.disowned += tuple(replace(one, foreground=False) for one in running)
            return Status(result.status, 0 if result.status is None else None)
        self.shell.jobs.append(Job(place, running, True))
        raise ShellEnd(Blocked("command", place))

    def _ask(self, argv: Sequence[ArgWord], place: Place, *, replaces: bool) -> CommandResult:
        for word in argv[1:]:
            text = known_text(word)
            path = self.absolute(text) if text and not text.startswith("-") else None
            if path and path not in self.shell.touched and len(self.shell.touched) < 500:
                self.shell.touched.append(path)
        env = self.shell.env
        call = Call(
            tuple(argv),
            env,
            self.shell.cwd,
            place,
            self.background,
            replaces,
            self.piped > 0,
            self.stdin,
            self.steps,
            dict(self.shell.files),
            self.shell.open_env,
        )
        return self.host.command(call)

    def replaced(self, argv: Sequence[ArgWord], place: Place) -> Status:
        """Run what `exec` puts in the place of the shell."""
        name = known_text(argv[0])
        if name in ("sleep", "tail", "cat", "true", "false"):
            status = self.dispatch(argv, place, functions=False)
        elif name is None:
            return self.dispatch(argv, place, functions=False)
        else:
            status = self._program(argv, place, replaces=True)
        raise ShellEnd(Exited(status.likely, place), "`exec` gives the shell's place away")

    # -- texts and files as parts of the script

    def run_text(self, text: str, place: Place) -> Status:
        """Run a text as `eval` does."""
        self.spend(len(text) // 10, place)
        script = parse_text(text, place.source, lambda _start, _end: place.span)
        with self._step(place, "eval"):
            return self.lines(script)

    def run_file(self, path: str, fact: FileFact, place: Place) -> Status:
        """Run a file as `.` and `source` do."""
        assert fact.source is not None
        written = self.shell.files.get(self.absolute(path) or "")
        script = (
            parse(fact.source)
            if written is None
            else parse_text(fact.source.text, written.place.source, _constant(written.place.span))
        )
        with self._step(place, f"reads {path}"):
            try:
                return self.lines(script)
            except Jump as jump:
                if jump.kind != "return":
                    raise
                return jump.status

    @contextmanager
    def _step(self, place: Place, text: str) -> Iterator[None]:
        before = self.steps
        self.steps = (*before, Origin(place, text))
        try:
            yield
        finally:
            self.steps = before

    def absolute(self, path: str) -> str | None:
        """A path seen from the current folder; None where that is not known."""
        if path.startswith("/"):
            return posixpath.normpath("/" + path.lstrip("/"))
        cwd = self.shell.cwd
        if isinstance(cwd, Unknown):
            return None
        return posixpath.normpath(posixpath.join(cwd.value, path))

    def file(self, path: Value[str]) -> FileFact:
        """What is at a path, with the files that the script itself wrote."""
        if isinstance(path, Unknown):
            return FileFact("unclear", reason=path.reason)
        full = self.absolute(path.value)
        if full is None:
            return FileFact("unclear", reason="the current folder is not known")
        full, written = self._written(full)
        if written is not None:
            return _written_fact(full, written)
        fact = self.host.read(full)
        if fact.kind == "absent" and self._touched(full):
            return FileFact("unclear", reason=f"a command may have made {full}")
        return fact

    def _written(self, path: str) -> tuple[str, Written | None]:
        """What the script made of a path, links followed, or of a folder above it that is gone."""
        files = self.shell.files
        for _ in range(_MOST_LINKS):
            above = path
            while above != "/" and (above not in files or files[above].kind in ("dir", "file")):
                above = posixpath.dirname(above)
            found = files.get(above)
            if found is None or (path in files and files[path].kind != "link"):
                return path, files.get(path)
            if found.kind != "link" or not isinstance(found.text, Known):
                return path, found
            path = posixpath.normpath(found.text.value + path.removeprefix(above))
        return path, None

    def names_in(self, folder: str) -> tuple[str, ...] | None:
        """The names in a folder, with what the script made there; None where others may be."""
        names = self.host.names(folder) if self.host.read(folder).kind == "dir" else ()
        if names is None:
            return None
        files = self.shell.files.items()
        here = {posixpath.basename(p): w for p, w in files if posixpath.dirname(p) == folder}
        gone = {name for name, written in here.items() if written.kind == "gone"}
        return tuple(sorted({*names, *here} - gone))

    def _touched(self, full: str) -> bool:
        return any(
            full == path or full.startswith(path.rstrip("/") + "/")
            for path in self.shell.touched
            if path != "/"
        )

    # -- globbing

    def glob(self, pattern: Pattern, text: str) -> tuple[str, ...] | None:
        """The paths that match a pattern; None where a folder can't be listed."""
        found = ["/" if text.startswith("/") else ""]
        for part in pattern.split("/"):
            if not part.tokens:
                continue
            following: list[str] = []
            for lead in found[:_MAX_GLOB]:
                names = self._matching(lead, part)
                if names is None:
                    return None
                following += names
            found = [name + "/" for name in following]
        return tuple(sorted(name.rstrip("/") for name in found[:_MAX_GLOB]))

    def _matching(self, lead: str, part: Pattern) -> list[str] | None:
        """What `part` matches in the folder `lead` (empty, or with a slash at its end)."""
        if (literal := part.literal) is not None:
            fact = self.file(Known(lead + literal))
            if fact.kind == "unclear":
                return None
            return [] if fact.kind == "absent" else [lead + literal]
        folder = self.absolute(lead or ".")
        if folder is None or (names := self.names_in(folder)) is None:
            return None
        dotted = "dotglob" in self.shell.options
        try:
            return [
                lead + name
                for name in names
                if (not name.startswith(".") or part.tokens[0] == "." or dotted)
                and part.matches(name)
            ]
        except TooLong:
            return None

    # -- redirections

    def redirected(self, redirects: Sequence[Redirect], body: Callable[[], Status]) -> Status:
        """Run `body` with redirections in force."""
        if not redirects:
            return body()
        streams = self._streams(redirects)
        if streams.failed:
            return FAILED
        stdin, out = self.stdin, self.out
        if streams.stdin is not None:
            self.stdin = streams.stdin
        elsewhere = streams.discard or streams.file is not None
        if elsewhere:
            self.out = []
        try:
            status = body()
        finally:
            self.stdin = stdin
            if elsewhere:
                text, self.out = joined(self.out), out
                if streams.file is not None and streams.place is not None:
                    self.write(streams.file, text, append=streams.append, place=streams.place)
        if streams.unknown and status.code == 0:
            return Status(None, 0)
        return status

    def _streams(self, redirects: Sequence[Redirect]) -> _Streams:
        streams = _Streams()
        for redirect in redirects:
            operator = redirect.operator
            if operator in ("<<", "<<-"):
                streams.stdin = self.expander.text(redirect.target)
            elif operator == "<<<":
                streams.stdin = joined([self.expander.text(redirect.target), Known("\n")])
            elif operator == "<" and redirect.fd in (None, 0):
                self._input(redirect, streams)
            elif operator in ("<>", "<&", "<"):
                self._unknown_device(redirect, streams)
            elif redirect.fd in (None, 1):
                self._output(redirect, streams)
            else:
                self._unknown_device(redirect, streams)
        return streams

    def _unknown_device(self, redirect: Redirect, streams: _Streams) -> None:
        target = self.expander.text(redirect.target)
        if isinstance(target, Known) and target.value.startswith("/dev/tcp/"):
            streams.unknown = True

    def _input(self, redirect: Redirect, streams: _Streams) -> None:
        target = self.expander.text(redirect.target)
        if _is_device(target) and target.value not in self.shell.files:
            streams.stdin = (
                Known("")
                if target.value == "/dev/null"
                else (Unknown(f"what {target.value} holds is not known"))
            )
            streams.unknown = target.value.startswith("/dev/tcp/")
            return
        fact = self.file(target)
        if fact.kind in ("absent", "dir"):
            streams.failed = True
        elif fact.source is not None:
            streams.stdin = Known(fact.source.text, target.origins)
        else:
            streams.stdin = Unknown(fact.reason or "the text of the file is not known")

    def _output(self, redirect: Redirect, streams: _Streams) -> None:
        target = self.expander.text(redirect.target)
        streams.file, streams.discard = None, False
        if redirect.operator == ">&" and redirect.target.raw in ("1", "-"):
            streams.discard = redirect.target.raw == "-"
        elif redirect.operator == ">&" and redirect.target.raw.isdigit():
            streams.discard = True
        elif isinstance(target, Unknown) or target.value.startswith("/dev/"):
            streams.discard = not (
                isinstance(target, Known) and target.value in ("/dev/stdout", "/dev/fd/1")
            )
            streams.unknown = isinstance(target, Known) and target.value.startswith("/dev/tcp/")
        else:
            streams.file = self.absolute(target.value)
            streams.discard = streams.file is None
            streams.append = redirect.operator in (">>", "&>>")
            streams.place = redirect.place

    def write(self, path: str, text: Value[str], *, append: bool, place: Place) -> None:
        """Write a text to a file; its mode stays."""
        fact = self.file(Known(path))
        if append:
            text = joined([self._before(path), text])
        executable = fact.executable if fact.kind == "file" else False
        self.mark(path, Written(text, place, executable=executable))

    def _before(self, path: str) -> Value[str]:
        fact = self.file(Known(path))
        if fact.kind == "absent":
            return Known("")
        if fact.source is not None:
            return Known(fact.source.text)
        return Unknown(fact.reason or f"what {path} held before is not known")


def _written_fact(path: str, written: Written) -> FileFact:
    if written.kind == "dir":
        return FileFact("dir")
    if written.kind == "gone":
        return FileFact("absent")
    if isinstance(written.text, Unknown):
        kind: Literal["file", "unclear"] = "unclear" if written.kind == "doubt" else "file"
        return FileFact(kind, None, written.executable, written.text.reason)
    if written.source is not None:
        return FileFact("file", written.source, written.executable)
    # The file is made when the script runs: its text stands where the script writes it.
    return FileFact(
        "file",
        SourceFile(written.place.source.path.parent / PurePosixPath(path).name, written.text.value),
        written.executable,
    )


def _is_device(path: Value[str]) -> TypeGuard[Known[str]]:
    return isinstance(path, Known) and path.value.startswith("/dev/")


def _constant(span: Span) -> Callable[[int, int], Span]:
    return lambda _start, _end: span
