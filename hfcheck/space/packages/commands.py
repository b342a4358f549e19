"""The commands that a build runs to install packages, with the files they see."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from hfcheck.source import Place, ReadProblem, SourceFile, Span
from hfcheck.space.context import MAX_TEXT, Context
from hfcheck.space.docker.dockerfile import Dockerfile, Instruction, Stage
from hfcheck.space.image.building import Build, StageFiles, build_stages
from hfcheck.space.image.dockerignore import read_ignored
from hfcheck.space.image.layers import ContextTree, File, Folder
from hfcheck.space.image.paths import absolute
from hfcheck.space.shell import tree
from hfcheck.space.shell.parse import parse_text
from hfcheck.space.value import Known

MAX_COMMANDS = 1000
"""Most commands of one RUN that are looked at."""

MAX_DEPTH = 4
"""Deepest nesting of scripts and functions that is followed."""

MAX_RUNS = 40
"""Most RUN instructions that are looked at."""

_INSTALLS = re.compile(r"pip|uv\b|poetry|pdm|conda|mamba|install|setup|\.sh\b|make\b|requirements")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


class Files:
    """The files at one RUN instruction: those before it and after it (an earlier command may have
    changed one, a later one may have removed it), those it mounts, and the build contexts.
    `written` are those that `echo` and `printf` write in the RUN itself.
    """

    def __init__(
        self,
        contexts: Sequence[Context],
        before: Callable[[], StageFiles | None] = lambda: None,
        after: Callable[[], StageFiles | None] = lambda: None,
        mounts: Mapping[str, str] | None = None,
    ) -> None:
        self.contexts = contexts
        self.mounts = mounts or {}
        self.written: dict[str, SourceFile] = {}
        self._before = before
        self._after = after

    @cached_property
    def before(self) -> StageFiles | None:
        """The stage before the RUN; None without a build."""
        return self._before()

    @cached_property
    def after(self) -> StageFiles | None:
        """The stage after the RUN; None without a build."""
        return self._after()

    def read(self, path: str) -> SourceFile | None:
        """The file at an absolute path; for one that the image is not known to have, the file of
        the context that it seems to be.
        """
        mounted = self._mounted(path)
        if mounted is not None:
            return mounted
        for state in (self.after, self.before):
            node = state.layers.now.find(state.layers.now.resolve(path)) if state else None
            if isinstance(node, File):
                return self._text(node.read())
        if path in self.written:
            return self.written[path]
        workdir = self.before.scope.workdir if self.before else "/"
        inside = path.removeprefix(workdir.rstrip("/") + "/").lstrip("/")
        for name in (inside, path.lstrip("/"), posixpath.basename(path)):
            for context in self.contexts:
                found = self._text(context.read(name)) if context.kind(name) == "file" else None
                if found is not None:
                    return found
        return None

    def kind(self, path: str) -> bool | None:
        """Whether there is a file or folder at an absolute path; None where that is not known."""
        if self._mounted(path) is not None:
            return True
        state = self.before
        node = state.layers.now.find(state.layers.now.resolve(path)) if state else None
        if isinstance(node, File | Folder):
            return True
        return None if node is None or type(node).__name__ == "Doubtful" else False

    def _mounted(self, path: str) -> SourceFile | None:
        for target, source in self.mounts.items():
            if path == target or path.startswith(target.rstrip("/") + "/"):
                inside = posixpath.normpath(source + path[len(target.rstrip("/")) :])
                return self._text(self.contexts[0].read(inside)) if self.contexts else None
        return None

    def _text(self, found: SourceFile | ReadProblem | None) -> SourceFile | None:
        if not isinstance(found, ReadProblem):
            return found
        for context in self.contexts:
            if found.path.is_relative_to(context.root):
                inside = found.path.relative_to(context.root).as_posix()
                return _marked(found.path) if context.kind(inside) == "file" else None
        return None


def _marked(path: Path) -> SourceFile | None:
    """The text of a file whose byte-order mark tells UTF-16 or UTF-32, which pip reads as well."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEXT)
        for bom, encoding in _BOMS:
            if data.startswith(bom):
                return SourceFile(path, data[len(bom) :].decode(encoding), bom=True)
    except (OSError, UnicodeDecodeError):
        return None
    return None


@dataclass(frozen=True, slots=True)
class Ran:
    """A command of the build: its words (None: one that can't be known), the folder it runs in
    (None: not known), its variables, the file that its output goes to, what the command before it
    in a pipe is, and where it is written.
    """

    words: tuple[str | None, ...]
    cwd: str | None
    variables: Mapping[str, str]
    output: str | None
    fed_by: tuple[str | None, ...]
    place: Place
    files: Files

    def path(self, text: str | None) -> str | None:
        """The absolute path of a word; None where it can't be known."""
        if text is None or (self.cwd is None and not text.startswith("/")):
            return None
        return absolute(self.cwd or "/", text)


def commands(dockerfile: Dockerfile, contexts: Sequence[Context]) -> Iterator[Ran]:
    """The commands of all RUN instructions that the final image is built with, in order."""
    runs = 0
    for stage in dockerfile.needed():
        for index, instruction in enumerate(stage.instructions):
            if instruction.name != "RUN" or not _INSTALLS.search(instruction.place.text):
                continue
            runs += 1
            if runs <= MAX_RUNS:
                yield from _run(dockerfile, contexts, stage, index)


def _run(
    dockerfile: Dockerfile, contexts: Sequence[Context], stage: Stage, index: int
) -> Iterator[Ran]:
    instruction = stage.instructions[index]

    def state(count: int) -> Callable[[], StageFiles | None]:
        return lambda: _built(dockerfile, contexts[0], stage, count) if contexts else None

    before = state(index)()
    files = Files(contexts, lambda: before, state(index + 1), _mounts(instruction, before))
    known = before.scope.variables if before else {}
    variables = {name: value.value for name, value in known.items() if isinstance(value, Known)}
    workdir = before.scope.workdir if before and before.scope.workdir_known else None
    walk = _Walk(files, instruction, variables, workdir)
    if instruction.json is not None:
        walk.words(tuple(word.text for word in instruction.json))
    else:
        for text in (instruction.value, *(heredoc.body for heredoc in instruction.heredocs)):
            walk.script(text)
    yield from walk.found


def _built(dockerfile: Dockerfile, context: Context, stage: Stage, count: int) -> StageFiles | None:
    """A stage as it is after so many of its instructions."""
    part = replace(stage, instructions=stage.instructions[:count])
    cut = replace(dockerfile, stages=[*dockerfile.stages[: stage.index], part])
    path = dockerfile.source.path
    inside = path.relative_to(context.root).as_posix() if _below(path, context.root) else None
    return build_stages(Build(cut, ContextTree(context, read_ignored(context, inside)), {}))


def _below(path: Path, root: Path) -> bool:
    return path.is_relative_to(root)


def _mounts(instruction: Instruction, state: StageFiles | None) -> dict[str, str]:
    """The files of the context that a RUN mounts (`--mount=type=bind`): target and source."""
    found: dict[str, str] = {}
    for text in instruction.flag_values("mount"):
        fields = dict(part.partition("=")[::2] for part in text.split(","))
        target = fields.get("target") or fields.get("dst") or fields.get("destination")
        if fields.get("type", "bind") == "bind" and target and "from" not in fields:
            source = fields.get("source") or fields.get("src") or "."
            workdir = state.scope.workdir if state else "/"
            found[absolute(workdir, target)] = source.lstrip("/") or "."
    return found


class _Walk:
    """Goes through the commands of one RUN instruction, every branch that may be taken."""

    def __init__(
        self, files: Files, instruction: Instruction, variables: dict[str, str], cwd: str | None
    ) -> None:
        self.files = files
        self.instruction = instruction
        self.names: dict[str, str | None] = dict(variables)
        self.cwd = cwd
        self.found: list[Ran] = []
        self.functions: dict[str, tree.Command] = {}
        self.count = 0
        self.depth = 0

    def script(self, text: str) -> None:
        """Follow a script."""
        if self.depth > MAX_DEPTH:
            return
        self.depth += 1
        span = self.instruction.span

        def locate(start: int, end: int) -> Span:
            return span

        self._command(parse_text(text, self.instruction.source, locate).body)
        self.depth -= 1

    def _command(self, node: tree.Command, fed_by: tuple[str | None, ...] = ()) -> None:
        self.count += 1
        if self.count > MAX_COMMANDS:
            return
        if isinstance(node, tree.Simple):
            self._simple(node, fed_by)
        elif isinstance(node, tree.Sequence):
            for command in node.commands:
                self._command(command)
        elif isinstance(node, tree.AndOr):
            self._and_or(node)
        elif isinstance(node, tree.Pipeline):
            before: tuple[str | None, ...] = ()
            for command in node.commands:
                self._command(command, before)
                before = self._expanded(command) if isinstance(command, tree.Simple) else ()
        elif isinstance(node, tree.Group):
            names, cwd = dict(self.names), self.cwd
            self._command(node.body)
            if node.subshell:
                self.names, self.cwd = names, cwd
        elif isinstance(node, tree.If):
            self._if(node)
        elif isinstance(node, tree.For):
            for word in node.words or ():
                self.names[node.name] = self._joined(word)
                self._command(node.body)
        elif isinstance(node, tree.Background):
            self._command(node.command)
        elif isinstance(node, tree.Function):
            self.functions[node.name] = node.body

    def _and_or(self, node: tree.AndOr) -> None:
        """What follows `||` is taken where nothing is installed before it."""
        start = len(self.found)
        passes = self._test(node.first)
        if passes is None:
            self._command(node.first)
        for operator, command in node.rest:
            if operator == "&&" and passes is False:
                continue
            if operator == "||" and (passes is True or len(self.found) > start):
                continue
            passes = self._test(command)
            if passes is None:
                self._command(command)

    def _if(self, node: tree.If) -> None:
        for condition, body in node.branches:
            only = condition.commands[0] if len(condition.commands) == 1 else None
            passes = self._test(only) if only is not None else None
            if passes is not False:
                self._command(body)
            if passes is True:
                return
        if node.otherwise is not None:
            self._command(node.otherwise)

    def _test(self, node: tree.Command) -> bool | None:
        """Whether `[ ... ]` holds; None where that is not known, or it is another command."""
        if isinstance(node, tree.Test):
            words = [self._joined(word) for word in node.words]
        elif isinstance(node, tree.Simple) and node.words:
            words = [self._joined(word) for word in node.words]
            if words[0] not in ("[", "test"):
                return None
            words = words[1:-1] if words[0] == "[" else words[1:]
        else:
            return None
        negated = words[:1] == ["!"]
        holds = self._holds(words[1:] if negated else words)
        return holds if holds is None or not negated else not holds

    def _holds(self, words: list[str | None]) -> bool | None:
        known = [word for word in words if word is not None]
        if len(known) != len(words):
            return None
        if len(known) == 2 and known[0] in ("-f", "-e", "-d", "-s"):
            path = absolute(self.cwd or "/", known[1])
            return self.files.kind(path)
        if len(known) == 2 and known[0] in ("-z", "-n"):
            return (known[0] == "-z") == (known[1] == "")
        if len(known) == 3 and known[1] in ("=", "==", "!="):
            return (known[1] != "!=") == (known[0] == known[2])
        return None

    def _simple(self, node: tree.Simple, fed_by: tuple[str | None, ...]) -> None:
        given = {
            item.name: self._joined(item.value) if item.value else ""
            for item in node.assignments
            if item.array is None
        }
        words = self._expanded(node)
        if not words:
            self.names.update(given)
            return
        before = dict(self.names)
        self.names.update(given)
        self.words(words, self._output(node), fed_by)
        if words[0] != "export":
            kept = {name: before.get(name) for name in given}
            self.names.update(kept)

    def words(
        self,
        words: tuple[str | None, ...],
        output: str | None = None,
        fed_by: tuple[str | None, ...] = (),
    ) -> None:
        """Follow one command, given by its words."""
        name = words[0] or ""
        base = posixpath.basename(name)
        if base == "cd":
            self._change_folder(words[1] if len(words) > 1 else "/root")
        elif base == "export":
            for word in words[1:]:
                variable, equals, value = (word or "").partition("=")
                if equals:
                    self.names[variable] = value
        elif name in self.functions and self.depth <= MAX_DEPTH:
            self.depth += 1
            self._command(self.functions[name])
            self.depth -= 1
        elif base in _SHELLS and len(words) > 1:
            self._shell(words[1:])
        elif base in ("sudo", "exec", "env", "time", "command") and len(words) > 1:
            self._wrapped(words[1:], output, fed_by)
        elif name.endswith(".sh"):
            self._script_file(name)
        elif base in ("echo", "printf") and output is not None:
            self._write(output, [word for word in words[1:] if word is not None])
        else:
            known = {key: value for key, value in self.names.items() if value is not None}
            place = self.instruction.place
            self.found.append(Ran(words, self.cwd, known, output, fed_by, place, self.files))

    def _write(self, path: str, words: list[str]) -> None:
        """A file with one line a `\\n`; what is appended stands after what was there."""
        text = " ".join(word for word in words if word not in ("-e", "-n", "-E"))
        before = self.files.written.get(path)
        lines = (before.text if before else "") + text.replace("\\n", "\n") + "\n"
        self.files.written[path] = SourceFile(self.instruction.source.path, lines)

    def _wrapped(
        self, words: tuple[str | None, ...], output: str | None, fed_by: tuple[str | None, ...]
    ) -> None:
        index = 0
        while index < len(words) and re.match(r"-|\w+=", words[index] or ""):
            name, equals, value = (words[index] or "").partition("=")
            if equals and not name.startswith("-"):
                self.names[name] = value
            index += 2 if words[index] in ("-u", "-g", "--user") else 1
        if words[index:]:
            self.words(words[index:], output, fed_by)

    def _shell(self, words: tuple[str | None, ...]) -> None:
        for index, word in enumerate(words):
            if word is not None and re.match(r"-[a-z]*c\Z", word):
                self.script((words[index + 1] if index + 1 < len(words) else "") or "")
                return
            if word is None or not word.startswith("-"):
                self._script_file(word or "")
                return

    def _script_file(self, name: str) -> None:
        source = self.files.read(absolute(self.cwd or "/", name)) if name else None
        if source is not None:
            cwd = self.cwd
            self.script(source.text)
            self.cwd = cwd

    def _change_folder(self, target: str | None) -> None:
        if target is None or target == "-":
            self.cwd = None
        elif target.startswith("/") or self.cwd is not None:
            self.cwd = absolute(self.cwd or "/", target)

    def _output(self, node: tree.Simple) -> str | None:
        for redirect in node.redirects:
            if redirect.operator in (">", ">>", ">|") and redirect.fd in (None, 1):
                target = self._joined(redirect.target)
                return absolute(self.cwd or "/", target) if target else None
        return None

    def _expanded(self, node: tree.Simple) -> tuple[str | None, ...]:
        found: list[str | None] = []
        for word in node.words:
            text = self._joined(word)
            loose = any(isinstance(part, tree.Parameter) and not part.quoted for part in word.parts)
            found += text.split() if loose and text is not None else [text]
        return tuple(found)

    def _joined(self, word: tree.Word) -> str | None:
        pieces = [self._part(part) for part in word.parts]
        return None if None in pieces else "".join(piece or "" for piece in pieces)

    def _part(self, part: tree.Part) -> str | None:
        if isinstance(part, tree.Literal):
            return part.text
        if not isinstance(part, tree.Parameter) or part.bad or part.index is not None:
            return None
        value = self.names.get(part.name)
        if part.operator == "":
            return value
        fallback = self._joined(part.word) if part.word else ""
        if part.operator in ("-", ":-", "=", ":="):
            return value or fallback
        if part.operator in ("+", ":+"):
            return fallback if value else ""
        return None
