"""`export`, `local`, `unset`, `set` and their kin: the variables and options of a shell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hfcheck.source import Place
from hfcheck.space.shell.host import ArgWord, Exited
from hfcheck.space.shell.state import Shell, ShellEnd, Variable, joined
from hfcheck.space.shell.status import FAILED, OK, Status, known_text
from hfcheck.space.value import Known, Unknown, Value

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
_OF_DASH = frozenset(
    {"emacs", "vi", "ignoreeof", "interactive", "stdin", "notify", "nolog", "debug"}
)
_OF_SHOPT = frozenset({"nullglob", "dotglob"})
"""The names of `shopt` that count for what is followed here."""
_OF_BASH = _OF_DASH | {"pipefail", "braceexpand", "errtrace", "functrace", "hashall", "histexpand",
                       "history", "interactive-comments", "keyword", "onecmd", "physical", "posix",
                       "privileged"}  # fmt: skip
"""The names that `set -o` takes beside those of `_LONG` (dash 0.5.12, bash 5.2)."""


class Variables:
    """The built-in commands over the variables of a shell."""

    shell: Shell

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
                if name.endswith("\r") or (name and name not in self._option_names()):
                    return False
                change(_LONG.get(name, name))
            elif letter.isalpha():
                change(letter)
            else:
                return False
        return True

    def _shopt(self, args: Sequence[ArgWord], place: Place) -> Status:
        words = [known_text(arg) or "" for arg in args]
        if "-s" in words:
            self.shell.options.update(_OF_SHOPT.intersection(words))
        elif "-u" in words:
            self.shell.options.difference_update(_OF_SHOPT.intersection(words))
        return OK

    def _option_names(self) -> frozenset[str]:
        return _OF_DASH.union(_LONG, () if self.shell.dialect == "dash" else _OF_BASH)
