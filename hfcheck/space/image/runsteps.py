"""Follows the commands of a RUN instruction and what they do to the files, without running them.

Conditions that the files settle (`[ -f start.sh ]`) are decided. Where a command may or may not
run, what it would change is unclear afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hfcheck.source import Span
from hfcheck.space.docker.dockerfile import Instruction
from hfcheck.space.image.bases import Base
from hfcheck.space.image.layers import Blurred, Doubtful, File, Folder, Layers, Nothing
from hfcheck.space.image.paths import absolute, within
from hfcheck.space.image.projects import Installs
from hfcheck.space.image.runargs import Arg
from hfcheck.space.image.runcommands import Commands
from hfcheck.space.image.runecho import echo, printf
from hfcheck.space.image.runfiles import RunFiles
from hfcheck.space.shell import tree
from hfcheck.space.shell.parse import parse_text
from hfcheck.space.value import Known, Value

MAX_COMMANDS = 2000
"""Most commands of one RUN that are followed, loops included."""

MAX_SCRIPTS = 8
"""Deepest nesting of scripts and functions that is followed."""

_HEREDOC_ONLY = re.compile(r"<<-?[ \t]*(?:\"[^\"]*\"|'[^']*'|[^\s\"'|&;<>]+)")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_PREFIXES = frozenset({"sudo", "exec", "command", "time", "nohup", "nice", "builtin", "eatmydata"})
_INTERPRETERS = {"/bin/sh", "/bin/bash", "/usr/bin/env bash", "/usr/bin/env sh", "/usr/bin/bash"}

Status = Literal["yes", "no", "likely", "open"]
"""How a command ends: success or failure for certain; assumed to succeed; not known."""


@dataclass(slots=True)
class RunSteps:
    """The commands of RUN instructions in one stage; call `run` for each.

    `variables` are those of ENV and ARG, `root` tells whether root runs the command.
    """

    layers: Layers
    workdir: str
    variables: Mapping[str, Value[str]]
    base: Base
    shell: tuple[str, ...]
    root: bool = True
    installs: Installs = field(default_factory=Installs)

    def run(self, instruction: Instruction) -> None:
        """Follow one RUN instruction."""
        names: dict[str, str | None] = {
            name: value.value if isinstance(value, Known) else None
            for name, value in self.variables.items()
        }
        names.setdefault("HOME", "/root" if self.root else None)
        files = RunFiles(self.layers, instruction)
        commands = Commands(files, instruction.place, self.workdir, names["HOME"], self.installs)
        walk = _Walk(commands, names, self.base, self._dialect(self.shell[0]))
        if instruction.json is not None:
            argv = [Arg(word.text) for word in instruction.json]
            if argv:
                walk.program(argv, None)
        else:
            self._shell_form(instruction, walk)

    def _shell_form(self, instruction: Instruction, walk: _Walk) -> None:
        text = instruction.words[0].text if instruction.words else ""
        if not any(part.rpartition("/")[2] in _SHELLS for part in self.shell):
            walk.commands.unknown([Arg(self.shell[0])])
            return
        if instruction.heredocs and _HEREDOC_ONLY.fullmatch(text.strip()):
            text = instruction.heredocs[0].body
            first = text.split("\n", 1)[0]
            if first.startswith("#!") and first[2:].strip() not in _INTERPRETERS:
                walk.program([Arg(first[2:].split("/")[-1].split(" ")[-1])], text)
                return
        else:
            for heredoc in instruction.heredocs:
                ending = "" if heredoc.body.endswith("\n") or not heredoc.body else "\n"
                text += f"\n{heredoc.body}{ending}{heredoc.name}"
        walk.script(text)

    def _dialect(self, shell: str) -> str | None:
        """Which shell it is, as far as `echo` differs: dash, ash or bash; None: not known."""
        name = shell.rpartition("/")[2]
        return self.base.sh if name == "sh" else name


class _Walk:
    """Goes through the tree of one script."""

    def __init__(
        self,
        commands: Commands,
        names: dict[str, str | None],
        base: Base,
        dialect: str | None,
    ) -> None:
        self.commands = commands
        self.files = commands.files
        self.names = names
        self.base = base
        self.dialect = dialect
        self.functions: dict[str, tree.Command] = {}
        self.count = 0
        self.depth = 0

    def script(self, text: str) -> None:
        """Follow a script."""
        source = self.files.instruction.source
        span = self.files.instruction.span

        def locate(start: int, end: int) -> Span:
            return span

        script = parse_text(text, source, locate)
        if script.problem is not None:
            self.commands.unknown([Arg("RUN")])
        self.sequence(script.body, None)

    def sequence(self, body: tree.Sequence, stdin: str | None) -> tuple[Status, str | None]:
        """Commands one after the other; the status of the last, and all they print."""
        status: Status = "likely"
        printed: str | None = ""
        for command in body.commands:
            status, text = self.command(command, stdin)
            printed = None if printed is None or text is None else printed + text
        return status, printed

    def command(self, node: tree.Command, stdin: str | None) -> tuple[Status, str | None]:
        """One command of any kind: how it ends and what it prints."""
        self.count += 1
        if self.count > MAX_COMMANDS:
            if self.count == MAX_COMMANDS + 1:
                self.files.layers.add(Blurred("/", "the RUN has too many commands to be followed"))
            return "open", None
        if isinstance(node, tree.Simple):
            return self._simple(node, stdin)
        if isinstance(node, tree.AndOr):
            return self._and_or(node, stdin)
        if isinstance(node, tree.Pipeline):
            return self._pipeline(node, stdin)
        if isinstance(node, tree.Sequence):
            return self.sequence(node, stdin)
        if isinstance(node, tree.Group):
            return self._group(node, stdin)
        if isinstance(node, tree.If):
            return self._if(node, stdin)
        if isinstance(node, tree.For):
            return self._for(node, stdin)
        if isinstance(node, tree.Background):
            return self.command(node.command, stdin)
        if isinstance(node, tree.Function):
            self.functions[node.name] = node.body
            return "yes", ""
        if isinstance(node, tree.While | tree.CountedFor):
            self._perhaps(node.body)
        elif isinstance(node, tree.Case):
            for arm in node.arms:
                self._perhaps(arm.body)
        return "open", None

    def _perhaps(self, command: tree.Command) -> None:
        """Follow a command that may not run; what it does to variables is not known then."""
        before, cwd, names = self.files.maybe, self.commands.cwd, dict(self.names)
        self.files.maybe = True
        self.command(command, None)
        self.files.maybe = before
        if self.commands.cwd != cwd:
            self.commands.cwd = None
        self.names = {
            name: value if self.names.get(name) == value else None for name, value in names.items()
        }

    def _and_or(self, node: tree.AndOr, stdin: str | None) -> tuple[Status, str | None]:
        status, printed = self.command(node.first, stdin)
        rescued = _rescued(node)
        for operator, command in node.rest:
            if (operator == "&&" and status == "no") or (operator == "||" and status == "yes"):
                continue
            certain = status in ("yes", "likely") if operator == "&&" else status == "no"
            if certain or (operator == "&&" and not rescued):
                status, text = self.command(command, stdin)
                printed = None if printed is None or text is None else printed + text
            else:
                self._perhaps(command)
                printed = None
                status = "likely" if operator == "||" else "open"
        return status, printed

    def _pipeline(self, node: tree.Pipeline, stdin: str | None) -> tuple[Status, str | None]:
        status: Status = "likely"
        for command in node.commands:
            status, stdin = self.command(command, stdin)
        if node.negated:
            opposite: dict[Status, Status] = {"yes": "no", "no": "yes"}
            status = opposite.get(status, "open")
        return status, stdin

    def _group(self, node: tree.Group, stdin: str | None) -> tuple[Status, str | None]:
        cwd, names = self.commands.cwd, dict(self.names)
        status, printed = self.sequence(node.body, self._input(node.redirects, stdin))
        if node.subshell:
            self.commands.cwd, self.names = cwd, names
        return status, self._output(node.redirects, printed)

    def _if(self, node: tree.If, stdin: str | None) -> tuple[Status, str | None]:
        unsure = False
        for condition, body in node.branches:
            status = self.sequence(condition, None)[0]
            if status == "no":
                continue
            if status == "yes" and not unsure:
                return self.sequence(body, stdin)
            unsure = True
            self._perhaps(body)
            if status == "yes":
                return "open", None
        if node.otherwise is None:
            return "likely", None if unsure else ""
        if not unsure:
            return self.sequence(node.otherwise, stdin)
        self._perhaps(node.otherwise)
        return "open", None

    def _for(self, node: tree.For, stdin: str | None) -> tuple[Status, str | None]:
        words = [arg for word in node.words or () for arg in self.expand(word)]
        values: list[str] = []
        for arg in words:
            if arg.text is None:
                break
            path = self.commands.path(arg.text)
            values += self.files.matching("/", path or "/") if arg.pattern else [arg.text]
        else:
            for value in values if node.words is not None else []:
                self.names[node.name] = value
                self.sequence(node.body, stdin)
            return "likely", None
        self.names[node.name] = None
        self._perhaps(node.body)
        return "open", None

    def _simple(self, node: tree.Simple, stdin: str | None) -> tuple[Status, str | None]:
        own: dict[str, str | None] = {}
        for assignment in node.assignments:
            value = self.joined(assignment.value) if assignment.value else ""
            own[assignment.name] = None if assignment.append or assignment.array else value
        stdin = self._input(node.redirects, stdin)
        argv = [arg for word in node.words for arg in self.expand(word)]
        if not argv:
            self.names.update(own)
            self._output(node.redirects, "")
            return "likely", ""
        status, printed = self._builtin(argv, stdin)
        return status, self._output(node.redirects, printed)

    def _builtin(self, argv: list[Arg], stdin: str | None) -> tuple[Status, str | None]:
        """What the shell itself does; other names are programs."""
        name = argv[0].text
        if name in ("[", "test"):
            texts = [arg.text for arg in argv[1:]]
            return self._test(texts[:-1] if name == "[" else texts), ""
        if name in ("true", ":"):
            return "yes", ""
        if name == "false":
            return "no", ""
        if name in ("command", "which", "type", "hash"):
            return "open", None
        return "likely", self.program(argv, stdin)

    def program(self, argv: list[Arg], stdin: str | None) -> str | None:
        """Follow a program; what it prints, None where that can't be known."""
        while len(argv) > 1 and argv[0].text in _PREFIXES:
            argv = argv[1:]
            while len(argv) > 1 and (argv[0].text or "").startswith("-"):
                argv = argv[1:]
        name, args = argv[0].text, argv[1:]
        if name is None:
            return self.commands.unknown(argv)
        if name in self.functions and self.depth < MAX_SCRIPTS:
            self.depth += 1
            printed = self.command(self.functions[name], stdin)[1]
            self.depth -= 1
            return printed
        if name in ("cd", "pushd"):
            self._change_folder(args)
            return ""
        if name in ("export", "readonly", "declare"):
            self._export(args)
            return ""
        if name == "echo":
            return echo([arg.text for arg in args], self.dialect)
        if name == "printf":
            return printf([arg.text for arg in args])
        if name in (".", "source"):
            return None
        if name == "env":
            while args and "=" in (args[0].text or ""):
                args = args[1:]
            return self.program(args, stdin) if args else None
        if name.rpartition("/")[2] in _SHELLS:
            return self._nested(name, args, stdin)
        if name.endswith(".sh") and "/" in name:
            return self._script_file(name, argv)
        return self.commands.run(name, args, stdin)

    def _nested(self, name: str, args: list[Arg], stdin: str | None) -> str | None:
        """`sh -c text`, a script on stdin, or a script file."""
        words = [arg.text for arg in args]
        for index, word in enumerate(words):
            if word is not None and re.fullmatch(r"-[a-z]*c", word) and index + 1 < len(words):
                text = words[index + 1]
                if text is None or self.depth >= MAX_SCRIPTS:
                    return self.commands.unknown(args)
                self.depth += 1
                cwd, names = self.commands.cwd, dict(self.names)
                self.script(text)
                self.commands.cwd, self.names = cwd, names
                self.depth -= 1
                return None
        files = [word for word in words if word is None or not word.startswith("-")]
        if not files:
            return None  # an installer that is piped into the shell keeps to the system's folders
        return self._script_file(files[0], [Arg(name), *args])

    def _script_file(self, text: str | None, argv: list[Arg]) -> str | None:
        """A shell script of the image: it is followed where its text is known."""
        path = self.commands.path(text)
        script = self.files.text(path) if path else None
        if script is not None and self.depth < MAX_SCRIPTS:
            self.depth += 1
            cwd, names = self.commands.cwd, dict(self.names)
            self.script(script)
            self.commands.cwd, self.names = cwd, names
            self.depth -= 1
            return None
        downloaded = path is not None and isinstance(self.files.find(path), Doubtful)
        if downloaded and not within(path or "", self.commands.cwd or "/"):
            return None  # a downloaded installer keeps to the system's folders
        return self.commands.unknown(argv)

    def _change_folder(self, args: list[Arg]) -> None:
        words = [arg.text for arg in args if arg.text not in ("-P", "-L", "--")]
        target = words[0] if words else self.names.get("HOME")
        if target is None or target == "-":
            self.commands.cwd = None
        elif target.startswith("/") or self.commands.cwd is not None:
            path = absolute(self.commands.cwd or "/", target)
            self.commands.cwd = self.files.layers.now.resolve(path)

    def _export(self, args: list[Arg]) -> None:
        for arg in args:
            name, equals, value = (arg.text or "").partition("=")
            if equals:
                self.names[name] = value

    def _test(self, words: list[str | None]) -> Status:
        """`[ ... ]`: files and texts that are known decide."""
        if words[:1] == ["!"]:
            opposite: dict[Status, Status] = {"yes": "no", "no": "yes"}
            return opposite.get(self._test(words[1:]), "open")
        if any(word is None for word in words):
            return "open"
        known = [word or "" for word in words]
        if len(known) == 2 and known[0] in ("-f", "-e", "-d", "-s", "-r"):
            return self._file_test(known[0], known[1])
        if len(known) == 2 and known[0] in ("-z", "-n"):
            return "yes" if (known[0] == "-z") == (known[1] == "") else "no"
        if len(known) == 3 and known[1] in ("=", "==", "!="):
            return "yes" if (known[1] != "!=") == (known[0] == known[2]) else "no"
        return "open"

    def _file_test(self, operator: str, text: str) -> Status:
        path = self.commands.path(text)
        node = self.files.find(path) if path else Doubtful("its path is not known")
        if isinstance(node, Doubtful):
            return "open"
        if isinstance(node, Nothing):
            return "no"
        if operator == "-s":
            return "open"
        if operator == "-e" or operator == "-r":
            return "yes"
        return "yes" if isinstance(node, File if operator == "-f" else Folder) else "no"

    def _input(self, redirects: Sequence[tree.Redirect], stdin: str | None) -> str | None:
        for redirect in redirects:
            if redirect.operator in ("<<", "<<-"):
                stdin = self.joined(redirect.target)
            elif redirect.operator == "<<<":
                text = self.joined(redirect.target)
                stdin = None if text is None else text + "\n"
            elif redirect.operator == "<" and redirect.fd in (None, 0):
                path = self.commands.path(self.joined(redirect.target))
                stdin = self.files.text(path) if path else None
        return stdin

    def _output(self, redirects: Sequence[tree.Redirect], printed: str | None) -> str | None:
        """Write what goes into files; what is left for the terminal or the pipe."""
        for redirect in redirects:
            if redirect.operator not in (">", ">>", ">|", "&>", "&>>"):
                continue
            target = self.joined(redirect.target)
            path = self.commands.path(target)
            both = redirect.operator.startswith("&")
            errors = redirect.fd not in (None, 1)
            if path is None:
                self.files.doubt(self.commands.cwd or "/", "where the build writes is not known")
            elif not path.startswith("/dev/"):
                text = None if both or errors else printed
                self.files.write(path, text, append=redirect.operator.endswith(">>"))
            if not errors:
                printed = ""
        return printed

    def joined(self, word: tree.Word) -> str | None:
        """A word as one text; None where it can't be known."""
        pieces = [self._part(part, first=not index) for index, part in enumerate(word.parts)]
        return None if None in pieces else "".join(piece or "" for piece in pieces)

    def expand(self, word: tree.Word) -> list[Arg]:
        """The words that one word of a command becomes."""
        pattern = any(
            isinstance(part, tree.Literal) and not part.quoted and set(part.text) & set("*?[")
            for part in word.parts
        )
        text = self.joined(word)
        loose = any(isinstance(part, tree.Parameter) and not part.quoted for part in word.parts)
        if text is None or not loose:
            return [Arg(text, pattern)]
        return [Arg(piece, pattern) for piece in text.split()]

    def _part(self, part: tree.Part, *, first: bool) -> str | None:
        if isinstance(part, tree.Literal):
            if first and not part.quoted and re.match(r"~(?:/|\Z)", part.text):
                home = self.names.get("HOME")
                return None if home is None else home + part.text[1:]
            return part.text
        if isinstance(part, tree.Parameter):
            return self._parameter(part)
        if isinstance(part, tree.Substitution) and len(part.script.body.commands) == 1:
            only = part.script.body.commands[0]
            if isinstance(only, tree.Simple) and [w.literal for w in only.words] == ["pwd"]:
                return self.commands.cwd
        return None

    def _parameter(self, part: tree.Parameter) -> str | None:
        if part.index is not None or part.bad or not re.fullmatch(r"[A-Za-z_]\w*", part.name):
            return None
        if part.name == "PWD":
            value = self.commands.cwd
            return value if part.operator == "" else None
        missing = part.name not in self.names
        value = self.names.get(part.name)
        if value is None and not (missing and self.base.known):
            return None
        empty = missing or (part.operator.startswith(":") and not value)
        if part.operator == "":
            return value or ""
        if part.operator in ("-", ":-", "=", ":="):
            return (self.joined(part.word) if part.word else "") if empty else value
        if part.operator in ("+", ":+"):
            return "" if empty else (self.joined(part.word) if part.word else "")
        return None


def _rescued(node: tree.AndOr) -> bool:
    """Whether a `||` may hide the failure of an earlier command."""
    return any(operator == "||" for operator, _ in node.rest)
