"""The commands that a shell has built in."""

from __future__ import annotations

import posixpath
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hfcheck.source import Place
from hfcheck.space.shell.conditions import test
from hfcheck.space.shell.host import (
    ArgWord,
    Blocked,
    Exited,
    FileFact,
    Unsettled,
    Written,
)
from hfcheck.space.shell.printing import echo, printf
from hfcheck.space.shell.state import Job, Shell, ShellEnd, Variable, joined, traced
from hfcheck.space.shell.words import Expander, note
from hfcheck.space.value import Known, Origin, Unknown, Value

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=(.*)", re.S)
_LONG = {
    "errexit": "e",
    "nounset": "u",
    "allexport": "a",
    "noglob": "f",
    "xtrace": "x",
    "verbose": "v",
    "noexec": "n",
    "noclobber": "C",
    "monitor": "m",
}
_FOREVER = re.compile(r"(?:inf(?:inity)?)|[0-9]{4,}d|[0-9]{9,}")


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


class Builtins(ABC):
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
        return Status(None, None, f"what `{note(place)}` gives is only known when it runs")

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

    # -- variables

    def _export(self, args: Sequence[ArgWord], place: Place) -> Status:
        return self._declare_all(args, place, export=True)

    def _readonly(self, args: Sequence[ArgWord], place: Place) -> Status:
        return self._declare_all(args, place)

    def _local(self, args: Sequence[ArgWord], place: Place) -> Status:
        return self._declare_all(args, place, local=True)

    def _declare(self, args: Sequence[ArgWord], place: Place) -> Status:
        export = any(
            (known_text(a) or "").startswith("-") and "x" in (known_text(a) or "") for a in args
        )
        return self._declare_all(args, place, export=export, local=bool(self.shell.frames))

    def _declare_all(
        self, args: Sequence[ArgWord], place: Place, *, export: bool = False, local: bool = False
    ) -> Status:
        hide = False
        status = OK
        for arg in args:
            text = known_text(arg)
            if text is None:
                self._declare_unknown(arg, export=export, local=local)
            elif text.startswith("-"):
                hide = hide or (export and text == "-n")
            elif match := _ASSIGNED.fullmatch(text):
                if local:
                    self._localize(match[1])
                value: Value[str] = Known(match[3], arg.value.origins)
                if match[2]:
                    value = joined([self.shell.get(match[1]) or Known(""), value])
                self.shell.set(match[1], value, export=export)
            elif _NAME.fullmatch(text):
                if local:
                    self._localize(text)
                self._flag(text, export=export and not hide, hide=hide)
            elif self.shell.dialect == "dash":
                raise ShellEnd(Exited(2, place), f"{text[:40]!r} is no name of a variable")
            else:
                status = FAILED
        return status

    def _declare_unknown(self, arg: ArgWord, *, export: bool, local: bool) -> None:
        match = _ASSIGNED.match(arg.prefix)
        if match is None:
            self.taint(arg.value)
            return
        if local:
            self._localize(match[1])
        self.shell.set(match[1], arg.value, export=export)

    def _localize(self, name: str) -> None:
        if self.shell.frames and name not in self.shell.frames[-1]:
            self.shell.frames[-1][name] = self.shell.variables.get(name)

    def _flag(self, name: str, *, export: bool, hide: bool) -> None:
        variable = self.shell.variables.get(name)
        if variable is not None and (export or hide):
            self.shell.variables[name] = replace(variable, exported=export)
        elif export and self.shell.open_env is not None:
            self.shell.set(name, self.shell.open_env, export=True)

    def taint(self, why: Value[str]) -> None:
        """From here on any variable may have any value."""
        reason = why.reason if isinstance(why, Unknown) else "variables are set that are not known"
        unknown = Unknown(reason, why.origins)
        self.shell.open_env = unknown
        for name, variable in self.shell.variables.items():
            self.shell.variables[name] = Variable(
                Unknown(reason, variable.value.origins), variable.exported
            )

    def _unset(self, args: Sequence[ArgWord], place: Place) -> Status:
        kind = "-v"
        for arg in args:
            text = known_text(arg)
            if text is None:
                self.taint(arg.value)
            elif text in ("-v", "-f"):
                kind = text
            elif kind == "-f" or (
                text not in self.shell.variables and text in self.shell.functions
            ):
                self.shell.functions.pop(text, None)
            else:
                self.shell.variables.pop(text, None)
        return OK

    def _set(self, args: Sequence[ArgWord], place: Place) -> Status:
        rest = list(args)
        while rest:
            text = known_text(rest[0])
            if text is None:
                break
            if text in ("--", "-"):
                self.shell.args = tuple(word.value for word in rest[1:])
                return OK
            if text[:1] not in ("-", "+") or len(text) < 2:
                break
            del rest[0]
            if not self._set_options(text, rest):
                if self.shell.dialect in ("bash", "sh"):
                    return Status(2)
                raise ShellEnd(Exited(2, place), f"`set {text!r}` is no valid option")
        if rest:
            self.shell.args = tuple(word.value for word in rest)
        return OK

    def _set_options(self, text: str, rest: list[ArgWord]) -> bool:
        change = self.shell.options.add if text[0] == "-" else self.shell.options.discard
        for letter in text[1:]:
            if letter == "o":
                name = (known_text(rest.pop(0)) or "") if rest else ""
                if name.endswith("\r"):
                    return False
                change(_LONG.get(name, name))
            elif letter.isalpha():
                change(letter)
            else:
                return False
        return True

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

    def _read(self, args: Sequence[ArgWord], place: Place) -> Status:
        names = [known_text(arg) or "" for arg in args]
        origin = Origin(place, note(place))
        for name in names:
            if _NAME.fullmatch(name):
                self.shell.set(name, Unknown("what `read` reads is not known", (origin,)))
        if self.stdin is None:
            return FAILED
        return self._open(args, place)

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

    def _mkdir(self, args: Sequence[ArgWord], place: Place) -> Status:
        for arg in args:
            text = known_text(arg)
            path = self.absolute(text) if text and not text.startswith("-") else None
            while path and path != "/" and path not in self.shell.files:
                self.shell.files[path] = Written(Known(""), place, folder=True)
                path = posixpath.dirname(path)
        return Status(None, 0)

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
            return Status(None, None, f"whether {name or 'a program'} is installed is not known")
        if rest and known_text(rest[0]) in ("-p", "--"):
            del rest[0]
        return self.dispatch(rest, place, functions=False) if rest else OK

    # -- jobs

    def _wait(self, args: Sequence[ArgWord], place: Place) -> Status:
        texts = [known_text(arg) for arg in args]
        jobs = self._jobs_of([arg for arg in args if not (known_text(arg) or "").startswith("-")])
        if "-n" in texts and any(job.blocks is False for job in jobs):
            return OK
        for job in jobs:
            if job.blocks:
                raise ShellEnd(Blocked("wait", place))
        for job in jobs:
            if job.unclear is not None:
                raise ShellEnd(Unsettled(job.unclear.reason, job.place))
        return OK

    def _jobs_of(self, args: Sequence[ArgWord]) -> list[Job]:
        """The jobs that words name by process id; all of them where no word does."""
        places = {origin.place for arg in args for origin in arg.value.origins}
        named = [job for job in self.shell.jobs if job.place in places]
        return named or list(self.shell.jobs)

    def _kill(self, args: Sequence[ArgWord], place: Place) -> Status:
        rest = [arg for arg in args if not (known_text(arg) or "").startswith("-")]
        places = {origin.place for arg in rest for origin in arg.value.origins}
        jobs = [job for job in self.shell.jobs if job.place in places]
        if any(known_text(arg) == "-0" for arg in args):
            if jobs and all(job.blocks is not None for job in jobs):
                return OK if all(job.blocks for job in jobs) else FAILED
            return self._open(args, place)
        for job in jobs:
            self.shell.jobs.remove(job)
        return Status(None, 0)

    def _sleep(self, args: Sequence[ArgWord], place: Place) -> Status:
        if any(_FOREVER.fullmatch(known_text(arg) or "") for arg in args):
            raise ShellEnd(Blocked("command", place))
        return OK

    def _tail(self, args: Sequence[ArgWord], place: Place) -> Status:
        flags = [known_text(arg) or "" for arg in args]
        if any(re.fullmatch(r"-[0-9a-zA-Z]*[fF][0-9]*|--follow(=.*)?|--retry", f) for f in flags):
            raise ShellEnd(Blocked("command", place))
        self.out.append(Unknown("the output of `tail` is not followed"))
        return Status(None, 0)

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
    "jobs": "_true",
    "kill": "_kill",
    "let": "_open",
    "local": "_local",
    "mapfile": "_read",
    "mkdir": "_mkdir",
    "printf": "_printf",
    "pwd": "_pwd",
    "read": "_read",
    "readarray": "_read",
    "readonly": "_readonly",
    "return": "_return",
    "set": "_set",
    "shift": "_shift",
    "shopt": "_true",
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
        "readarray",
        "shopt",
        "source",
        "typeset",
        "builtin",
    }
)
