"""The commands that a shell has built in."""

from __future__ import annotations

import posixpath
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from hfcheck.source import Place
from hfcheck.space.shell.conditions import test
from hfcheck.space.shell.host import ArgWord, Exited, FileFact, Unsettled
from hfcheck.space.shell.jobs import Jobs
from hfcheck.space.shell.printing import echo, printf
from hfcheck.space.shell.reading import Reading
from hfcheck.space.shell.state import Shell, ShellEnd, joined, traced
from hfcheck.space.shell.status import FAILED, OK, Jump, Status, known_text, only_then, status_of
from hfcheck.space.shell.variables import Variables
from hfcheck.space.shell.words import Expander, note
from hfcheck.space.value import Known, Origin, Unknown, Value

PROGRAMS = frozenset({"cat", "sleep", "tail"})
"""Those of the commands here that are programs of every image."""


class Builtins(Variables, Reading, Jobs, ABC):
    """The built-in commands over the state that `Runner` holds."""

    shell: Shell
    out: list[Value[str]]
    stdin: Value[str] | None
    steps: tuple[Origin, ...]
    expander: Expander

    @abstractmethod
    def file(self, path: Value[str]) -> FileFact:
        """What is at a path, relative to the current folder."""

    @abstractmethod
    def has_program(self, name: str) -> bool:
        """Whether a program of that name is known to be installed, and found."""

    @abstractmethod
    def absolute(self, path: str) -> str | None:
        """The absolute form of a path; None where the current folder is not known."""

    @abstractmethod
    def dispatch(self, argv: Sequence[ArgWord], place: Place, *, functions: bool) -> Status:
        """Run a command by its words."""

    @abstractmethod
    def replaced(self, argv: Sequence[ArgWord], place: Place) -> Status:
        """`exec` a program."""

    @abstractmethod
    def run_text(self, text: str, place: Place) -> Status:
        """Run a text as part of the script (`eval`)."""

    @abstractmethod
    def run_file(self, path: str, fact: FileFact, place: Place) -> Status:
        """Run a file as part of the script (`.`)."""

    @abstractmethod
    def remember(self, place: Place, text: str) -> None:
        """Note something that was assumed."""

    def builtin(self, name: str) -> Callable[[Sequence[ArgWord], Place], Status] | None:
        """The built-in command of that name."""
        method = _TABLE.get(name)
        if method is None or (self.shell.dialect == "dash" and name in _NOT_IN_DASH):
            return None
        found: Callable[[Sequence[ArgWord], Place], Status] = getattr(self, method)
        return found

    # -- nothing to follow

    def _true(self, args: Sequence[ArgWord], place: Place) -> Status:
        return OK

    def _false(self, args: Sequence[ArgWord], place: Place) -> Status:
        return FAILED

    def _open(self, args: Sequence[ArgWord], place: Place) -> Status:
        return only_then(place)

    # -- output

    def _echo(self, args: Sequence[ArgWord], place: Place) -> Status:
        value = joined([arg.value for arg in args], " ")
        if isinstance(value, Known):
            text = echo([known_text(arg) or "" for arg in args], self.shell.dialect)
            value = (
                Unknown("`echo` differs between shells here", value.origins)
                if (text is None)
                else Known(text, value.origins)
            )
        self.out.append(value)
        return OK

    def _printf(self, args: Sequence[ArgWord], place: Place) -> Status:
        variable = None
        if len(args) >= 3 and known_text(args[0]) == "-v":
            variable, args = known_text(args[1]), args[2:]
        if args and known_text(args[0]) == "--":
            args = args[1:]
        if not args:
            return Status(2)
        value = joined([arg.value for arg in args])
        if isinstance(value, Known):
            text = printf(known_text(args[0]) or "", [known_text(a) or "" for a in args[1:]])
            value = (
                Unknown("such a `printf` is not followed", value.origins)
                if (text is None)
                else Known(text, value.origins)
            )
        if variable is not None:
            self.shell.set(variable, value)
        else:
            self.out.append(value)
        return OK

    def _pwd(self, args: Sequence[ArgWord], place: Place) -> Status:
        self.out.append(joined([self.shell.cwd, Known("\n")]))
        return OK

    # -- conditions

    def _test(self, args: Sequence[ArgWord], place: Place) -> Status:
        return status_of(test(args, self))

    def _bracket(self, args: Sequence[ArgWord], place: Place) -> Status:
        if not args or known_text(args[-1]) != "]":
            return Status(2)
        return status_of(test(args[:-1], self))

    def _shift(self, args: Sequence[ArgWord], place: Place) -> Status:
        text = known_text(args[0]) if args else "1"
        if text is None or not re.fullmatch(r"[0-9]{1,6}", text):
            self.shell.args = (Unknown("how far `shift` goes is not known"),)
            return OK
        if int(text) > len(self.shell.args):
            if self.shell.dialect == "dash":
                raise ShellEnd(Exited(2, place), "there is nothing left to shift")
            return FAILED
        self.shell.args = self.shell.args[int(text) :]
        return OK

    def _let(self, args: Sequence[ArgWord], place: Place) -> Status:
        status = FAILED
        for arg in args:
            value = self.expander.calculated(arg.value, place)
            if isinstance(value, Unknown):
                return Status(None, None, value.reason)
            status = OK if value.value else FAILED
        return status

    # -- folders

    def _cd(self, args: Sequence[ArgWord], place: Place) -> Status:
        words = [arg for arg in args if known_text(arg) not in ("-P", "-L", "--", "-e")]
        target: Value[str] | None = words[0].value if words else self.shell.get("HOME")
        if target is None or (isinstance(target, Known) and not target.value):
            return OK if words else FAILED
        before = self.shell.cwd
        if isinstance(target, Known) and target.value == "-":
            target = self.shell.get("OLDPWD") or before
        if isinstance(target, Unknown):
            self.shell.cwd = target
            return Status(None, 0, target.reason)
        path = self.absolute(target.value)
        fact = self.file(target)
        if fact.kind in ("absent", "file"):
            return Status(2 if self.shell.dialect == "dash" else 1)
        origins = (Origin(place, note(place)),)
        self.shell.set("OLDPWD", before)
        if path is None:
            self.shell.cwd = Unknown("the folder is not known", origins)
            return Status(None, 0)
        self.shell.cwd = Known(path, origins)
        if "PWD" in self.shell.variables:
            self.shell.set("PWD", self.shell.cwd)
        return OK if fact.kind == "dir" else Status(None, 0, fact.reason)

    def _pushd(self, args: Sequence[ArgWord], place: Place) -> Status:
        before = self.shell.cwd
        status = self._cd(args, place) if args else FAILED
        if status.likely == 0:
            self.shell.folders = (*self.shell.folders, before)
        return status

    def _popd(self, args: Sequence[ArgWord], place: Place) -> Status:
        if not self.shell.folders or args:
            return FAILED
        *rest, last = self.shell.folders
        self.shell.folders = tuple(rest)
        return self._cd([ArgWord(last, place)], place)

    # -- control

    def _exit(self, args: Sequence[ArgWord], place: Place) -> Status:
        code = self._code(args)
        raise ShellEnd(Exited(code.code if code.code is not None else code.assumed, place))

    def _code(self, args: Sequence[ArgWord]) -> Status:
        if not args:
            status = self.shell.status
            return Status(int(status.value)) if isinstance(status, Known) else Status(None)
        text = known_text(args[0])
        if text is None:
            return Status(None)
        return Status(int(text) & 255) if re.fullmatch(r"[0-9]{1,9}", text) else Status(2)

    def _return(self, args: Sequence[ArgWord], place: Place) -> Status:
        raise Jump("return", 1, self._code(args))

    def _break(self, args: Sequence[ArgWord], place: Place) -> Status:
        raise Jump("break", self._count(args), OK)

    def _continue(self, args: Sequence[ArgWord], place: Place) -> Status:
        raise Jump("continue", self._count(args), OK)

    def _count(self, args: Sequence[ArgWord]) -> int:
        text = known_text(args[0]) if args else "1"
        return int(text) if text and re.fullmatch(r"[1-9][0-9]{0,3}", text) else 1

    def _exec(self, args: Sequence[ArgWord], place: Place) -> Status:
        rest = list(args)
        while rest and known_text(rest[0]) in ("-a", "-c", "-l", "-cl", "--"):
            flag = known_text(rest.pop(0))
            if flag == "-a" and rest:
                del rest[0]
        return self.replaced(rest, place) if rest else OK

    def _eval(self, args: Sequence[ArgWord], place: Place) -> Status:
        text = joined([arg.value for arg in args], " ")
        if isinstance(text, Known):
            return self.run_text(text.value, args[0].place if args else place)
        if args[0].place.text.lstrip('"').startswith(("$(", "`")):
            self.taint(text)
            return Status(None, 0, text.reason)
        raise ShellEnd(Unsettled(f"what `eval` runs is not known: {text.reason}", place))

    def _source(self, args: Sequence[ArgWord], place: Place) -> Status:
        if not args:
            return Status(2)
        path = args[0].value
        if isinstance(path, Unknown):
            self.taint(path)
            return Status(None, 0, path.reason)
        if self.shell.dialect == "dash" and "/" not in path.value:
            raise ShellEnd(
                Exited(2, place),
                f"`.` looks for {path.value} on PATH only, not in the current folder",
            )
        fact = self.file(path)
        if fact.kind in ("absent", "dir"):
            if self.shell.dialect in ("dash", "ash"):
                raise ShellEnd(Exited(2, place), f"there is no file {path.value}")
            return FAILED
        before, name = self.shell.args, path.value
        if len(args) > 1:
            self.shell.args = tuple(arg.value for arg in args[1:])
        status = self._sourced(name, fact, place)
        if len(args) > 1:
            self.shell.args = before
        return status

    def _sourced(self, name: str, fact: FileFact, place: Place) -> Status:
        if fact.source is not None:
            return self.run_file(name, fact, place)
        if posixpath.basename(name) not in ("activate", "nvm.sh"):
            self.taint(
                Unknown(f"{name} is read, and its text is not known", (Origin(place, note(place)),))
            )
        return Status(None, 0, fact.reason)

    def _command(self, args: Sequence[ArgWord], place: Place) -> Status:
        rest = list(args)
        if rest and known_text(rest[0]) in ("-v", "-V"):
            name = known_text(rest[1]) if len(rest) > 1 else None
            if name and (name in self.shell.functions or name in _TABLE):
                self.out.append(Known(name + "\n"))
                return OK
            self.out.append(Unknown("which programs there are is not known"))
            if name and self.has_program(name):
                return OK
            return Status(None, None, f"whether {name or 'a program'} is installed is not known")
        if rest and known_text(rest[0]) in ("-p", "--"):
            del rest[0]
        return self.dispatch(rest, place, functions=False) if rest else OK

    def _cat(self, args: Sequence[ArgWord], place: Place) -> Status:
        if not args:
            self.out.append(self.stdin if self.stdin is not None else Known(""))
            return OK
        status = OK
        for arg in args:
            if known_text(arg) == "-":
                self.out.append(self.stdin if self.stdin is not None else Known(""))
                continue
            fact = self.file(arg.value)
            if fact.kind == "absent":
                status = FAILED
            elif fact.source is not None:
                self.out.append(traced(Known(fact.source.text), Origin(arg.place, note(arg.place))))
            else:
                self.out.append(Unknown(fact.reason or "the text of the file is not known"))
                status = Status(None, 0, fact.reason)
        return status


_TABLE: dict[str, str] = {
    ".": "_source",
    ":": "_true",
    "[": "_bracket",
    "alias": "_true",
    "bg": "_true",
    "break": "_break",
    "cat": "_cat",
    "cd": "_cd",
    "command": "_command",
    "continue": "_continue",
    "declare": "_declare",
    "disown": "_true",
    "echo": "_echo",
    "enable": "_true",
    "eval": "_eval",
    "exec": "_exec",
    "exit": "_exit",
    "export": "_export",
    "false": "_false",
    "getopts": "_open",
    "hash": "_true",
    "jobs": "_job_list",
    "kill": "_kill",
    "let": "_let",
    "local": "_local",
    "mapfile": "_mapfile",
    "popd": "_popd",
    "printf": "_printf",
    "pushd": "_pushd",
    "pwd": "_pwd",
    "read": "_read",
    "readarray": "_mapfile",
    "readonly": "_readonly",
    "return": "_return",
    "set": "_set",
    "shift": "_shift",
    "shopt": "_shopt",
    "sleep": "_sleep",
    "source": "_source",
    "tail": "_tail",
    "test": "_test",
    "times": "_true",
    "trap": "_true",
    "true": "_true",
    "type": "_open",
    "typeset": "_declare",
    "ulimit": "_true",
    "umask": "_true",
    "unalias": "_true",
    "unset": "_unset",
    "wait": "_wait",
    "builtin": "_command",
}

_NOT_IN_DASH = frozenset(
    {
        "declare",
        "disown",
        "enable",
        "let",
        "mapfile",
        "popd",
        "pushd",
        "readarray",
        "shopt",
        "source",
        "typeset",
        "builtin",
    }
)
