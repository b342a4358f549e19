"""COPY and ADD: which files land where, as moby/buildkit copies them.

`dispatchCopy` in `dockerfile2llb/convert_copy.go` and tonistiigi/fsutil's `copy.go` are followed:
of a folder its contents are copied, also of one that a pattern matches; a pattern that matches
nothing is no error; `..` does not lead out of the context.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from hfcheck.source import Place, SourceFile
from hfcheck.space.docker.dockerfile import Instruction, Word
from hfcheck.space.docker.logical import heredoc_word
from hfcheck.space.image.dockerignore import Ignored, excluding
from hfcheck.space.image.layers import (
    Blurred,
    ContextTree,
    Doubtful,
    File,
    Folder,
    Layers,
    Made,
    MaybeMore,
    Mount,
    Nothing,
    Put,
    Snapshot,
)
from hfcheck.space.image.pathmatch import go_match, has_wildcard
from hfcheck.space.image.paths import absolute, join
from hfcheck.space.value import Unknown, Value

MAX_MATCHES = 2000
"""Most files that one pattern is followed to."""

_REMOTE = re.compile(r"(?:https?|git|ssh)://|git@")
_GIT = re.compile(r"git@|(?:git|ssh)://|https?://[^#?]*\.git(?:[#?]|\Z)")
_ARCHIVE = re.compile(r"\.(?:tar(?:\.\w+)?|tgz|tbz2?|txz|tzst)\Z")
_MODE = re.compile(r"[0-7]{3,4}")
_MODE_LETTERS = re.compile(r"([ugoa]*)([-+=])([rwx]+)")


@dataclass(frozen=True, slots=True)
class MissingSource:
    """A COPY or ADD source that the context does not have (or that .dockerignore leaves out:
    `ignored_by` is then the line that does). `path` is relative to the context's root. `similar`
    is a path that is there: the same in other letters, or less the name of the folder itself.
    `kept_back_by`: the source is there, but this line of .gitignore keeps it from the upload; it
    is only missing if it is not committed all the same.
    """

    word: Word
    instruction: Instruction
    path: str
    ignored_by: Place | None = None
    similar: str | None = None
    kept_back_by: Place | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    """What one COPY does with each of its sources."""

    instruction: Instruction
    tree: ContextTree | Snapshot
    dest: str
    into: bool
    executable: bool | None
    leaves_out: Ignored | None
    parents: bool

    @property
    def unpacks(self) -> bool:
        """Whether archives are unpacked: ADD does, unless it is told not to."""
        unpack = self.instruction.flag("unpack")
        wanted = self.instruction.name == "ADD" if unpack is None else unpack != "false"
        return wanted and isinstance(self.tree, ContextTree)


@dataclass(slots=True)
class Copier:
    """Adds what a COPY or ADD puts into a stage to its layers, and collects missing sources.

    `files` is the context, `expand` expands a word (with `quotes=False` the body of a heredoc),
    `stage` gives the files of a stage by the name that `--from` has (None: an external image).
    `taken` are the paths copied from one.
    """

    files: ContextTree
    layers: Layers
    workdir: str
    expand: Callable[..., Value[str]]
    stage: Callable[[str], Snapshot | None]
    missing: list[MissingSource] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def copy(self, instruction: Instruction) -> None:
        """Follow one instruction."""
        words = instruction.words
        if len(words) < 2:
            return
        text = self.expand(words[-1].text)
        if isinstance(text, Unknown):
            self.layers.add(MaybeMore("/", f"where it is copied to is not known: {text.reason}"))
            return
        dest = self.layers.now.resolve(absolute(self.workdir, text.value))
        into = len(words) > 2 or text.value.endswith(("/", "/.")) or text.value in ("", ".", "..")
        origin = instruction.flag("from")
        tree = self.stage(origin) if origin else self.files
        if tree is None:
            reason = f"it is copied from the image {origin}, whose files are not known"
            self.layers.add(MaybeMore(dest, reason))
            return
        job = _Job(
            instruction,
            tree,
            dest,
            into,
            executable_bit(instruction.flag("chmod")),
            self._exclusions(instruction),
            instruction.flag("parents") not in (None, "false"),
        )
        for word in words[:-1]:
            self._source(job, word)

    def _exclusions(self, instruction: Instruction) -> Ignored | None:
        values = [self.expand(value) for value in instruction.flag_values("exclude")]
        patterns = [value.value for value in values if not isinstance(value, Unknown)]
        return excluding(patterns) if patterns else None

    def _source(self, job: _Job, word: Word) -> None:
        heredoc = heredoc_word(word.text) if word.text.startswith("<<") else None
        if heredoc is not None and job.instruction.heredocs:
            self._heredoc(job, heredoc[0])
            return
        value = self.expand(word.text)
        if isinstance(value, Unknown):
            self._unsure(job, f"what is copied there is not known: {value.reason}")
        elif _REMOTE.match(value.value):
            self._remote(job, value.value)
        elif job.parents:
            self._with_parents(job, word, value.value)
        elif has_wildcard(value.value):
            for path in self._matching(job, absolute("/", value.value)):
                self._one(job, path, job.dest, None)
        else:
            self._one(job, absolute("/", value.value), job.dest, word)

    def _unsure(self, job: _Job, reason: str) -> None:
        self.layers.add(MaybeMore(job.dest, reason))

    def _heredoc(self, job: _Job, name: str) -> None:
        found = [heredoc for heredoc in job.instruction.heredocs if heredoc.name == name]
        if not found:
            return
        text: Value[str] | None = None
        if found[0].expand:
            text = self.expand(found[0].body, quotes=False)
        target = self._target(job, name, job.dest)
        if isinstance(text, Unknown):
            self.layers.add(Blurred(target, f"its text is not known: {text.reason}"))
            return
        written = SourceFile(job.instruction.source.path, text.value if text else found[0].body)
        executable = False if job.executable is None else job.executable
        node = File(job.instruction, text=written, executable=executable)
        self.layers.add(Put(target, node))

    def _remote(self, job: _Job, address: str) -> None:
        reason = f"it is downloaded from {address}"
        name = posixpath.basename(re.split(r"[?#]", address)[0])
        if _GIT.match(address) or not name:
            self.layers.add(Made(job.dest))
            self.layers.add(MaybeMore(job.dest, reason))
        else:
            self.layers.add(Blurred(self._target(job, name, job.dest), reason))

    def _with_parents(self, job: _Job, word: Word, text: str) -> None:
        """`--parents`: the path of the source, from `/./` on, is kept below the destination."""
        pivot, dot, rest = text.partition("/./")
        start = absolute("/", pivot) if dot else "/"
        inner = absolute("/", rest if dot else text)
        if "**" in inner:
            self._unsure(job, "it is copied by a pattern over many folders")
            return
        path = join(start, inner[1:])
        wild = has_wildcard(path)
        for found in self._matching(job, path) if wild else [path]:
            dest = join(job.dest, found[len(start) :].lstrip("/"))
            whole = replace(job, into=False)
            self._one(whole, found, dest, None if wild else word)

    def _one(self, job: _Job, path: str, dest: str, word: Word | None) -> None:
        """Copy one path; `word` is the source's word where its absence is an error."""
        if isinstance(job.tree, Snapshot):
            path = job.tree.resolve(path)
            self.taken.append(path)
        node = job.tree.find(path)
        if word is not None and path != "/" and isinstance(node, File | Folder):
            self._kept_back(job, path[1:], word)
        if isinstance(node, File):
            self._file(job, path, node, dest)
        elif isinstance(node, Folder):
            self.layers.add(Made(dest))
            mount = Mount(dest, job.tree, path, job.instruction, job.executable, job.leaves_out)
            self.layers.add(mount)
        elif isinstance(node, Doubtful):
            self.layers.add(MaybeMore(dest, node.reason))
        else:
            if word is not None and isinstance(job.tree, ContextTree):
                self._absent(job, path[1:], word)
            self.layers.add(MaybeMore(dest, "what should be copied there is missing"))

    def _absent(self, job: _Job, path: str, word: Word) -> None:
        kind = self.files.context.kind(path)
        line = self.files.ignored.line(path) if kind != "absent" else None
        if kind == "absent" or line is not None:
            similar = None if line else _similar(self.files, path)
            self.missing.append(MissingSource(word, job.instruction, path, line, similar))

    def _kept_back(self, job: _Job, path: str, word: Word) -> None:
        """A source that is there, but may not be on the Space."""
        line = job.tree.gitignored.line(path) if isinstance(job.tree, ContextTree) else None
        if line is not None:
            self.missing.append(MissingSource(word, job.instruction, path, kept_back_by=line))

    def _file(self, job: _Job, path: str, node: File, dest: str) -> None:
        name = posixpath.basename(path)
        if job.unpacks and _ARCHIVE.search(name):
            self.layers.add(Made(dest))
            self.layers.add(MaybeMore(dest, f"{name} is unpacked there"))
            return
        executable = node.executable if job.executable is None else job.executable
        made_by = node.made_by if node.made_by and node.text else job.instruction
        target = self._target(job, name, dest)
        self.layers.add(Put(target, replace(node, made_by=made_by, executable=executable)))

    def _target(self, job: _Job, name: str, dest: str) -> str:
        """Where a file called `name` lands: inside `dest` where that is a folder."""
        node = self.layers.now.find(dest)
        if job.into or isinstance(node, Folder):
            return join(dest, name)
        if isinstance(node, Doubtful):
            self.layers.add(MaybeMore(dest, "whether it is a folder is not known"))
        return dest

    def _matching(self, job: _Job, pattern: str) -> Iterator[str]:
        """The paths of the tree that fit a pattern, sorted."""
        found = ["/"]
        for part in pattern.split("/")[1:]:
            found = list(self._step(job, found, part))[:MAX_MATCHES]
        return iter(found)

    def _step(self, job: _Job, folders: list[str], part: str) -> Iterator[str]:
        """One part of a pattern, in each of the folders."""
        if not has_wildcard(part):
            for folder in folders:
                path = join(folder, part)
                if not isinstance(job.tree.find(path), Nothing):
                    yield path
            return
        try:
            pattern = go_match(part)
        except ValueError:
            return
        for folder in folders:
            node = job.tree.find(folder)
            if isinstance(node, Folder) and node.doubt is None:
                pass
            elif not isinstance(node, File):
                self._unsure(job, "what the pattern of the COPY matches is not known")
            for name in sorted(job.tree.names(folder)):
                if pattern.matches(name):
                    yield join(folder, name)


def _similar(files: ContextTree, path: str) -> str | None:
    """A path of the context that was probably meant instead of one that is not there."""
    folder, _, rest = path.partition("/")
    if rest and folder == files.context.root.name and not isinstance(files.find(rest), Nothing):
        return rest
    found = ""
    for part in path.split("/"):
        same = [name for name in files.names(found) if name.lower() == part.lower()]
        if not same:
            return None
        found = f"{found}/{part if part in same else same[0]}".lstrip("/")
    return found


def executable_bit(mode: str | None) -> bool | None:
    """What a mode as chmod takes it makes of the executable bit; None where it leaves it."""
    if not mode:
        return None
    if _MODE.fullmatch(mode):
        return bool(int(mode, 8) & 0o111)
    result: bool | None = None
    for part in mode.split(","):
        match = _MODE_LETTERS.fullmatch(part)
        if match is None:
            return None
        if "x" in match[3]:
            result = match[2] != "-"
        elif match[2] == "=" and match[1] in ("", "a", "ugo"):
            result = False
    return result
