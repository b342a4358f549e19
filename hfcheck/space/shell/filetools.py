"""The programs of a start script that change files: `cp`, `mv`, `rm`, `ln`, `sed -i`, `tee`..."""

from __future__ import annotations

import posixpath
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from hfcheck.source import Place
from hfcheck.space.image.sedscript import sed
from hfcheck.space.shell.host import ArgWord, FileFact, Written
from hfcheck.space.shell.state import Shell
from hfcheck.space.shell.status import FAILED, OK, Status
from hfcheck.space.value import Known, Unknown, Value

_MOST_COPIED = 500
_DONE = Status(None, 0)
"""Taken to succeed: whether the process may write there is not asked."""

_OCTAL = re.compile(r"0?[0-7]{3,4}")
_SYMBOLIC = re.compile(r"[ugoa]*([-+=])([rwxXst]*)")


class FileTools(ABC):
    """Programs over the files that a script has written so far."""

    shell: Shell
    out: list[Value[str]]
    stdin: Value[str] | None

    @abstractmethod
    def file(self, path: Value[str]) -> FileFact:
        """What is at a path, relative to the current folder."""

    @abstractmethod
    def absolute(self, path: str) -> str | None:
        """The absolute form of a path; None where the current folder is not known."""

    @abstractmethod
    def names_in(self, folder: str) -> tuple[str, ...] | None:
        """The names in a folder; None where there may be others."""

    def file_tool(self, argv: Sequence[ArgWord], place: Place) -> Status | None:
        """Run a program that changes files; None where it is none, or can't be followed."""
        words = [word.value.value for word in argv if isinstance(word.value, Known)]
        if len(words) != len(argv) or not isinstance(self.shell.cwd, Known):
            return None
        method = _TABLE.get(posixpath.basename(words[0]))
        if method is None:
            return None
        found: Callable[[list[str], Place], Status | None] = getattr(self, method)
        return found(words[1:], place)

    # -- what paths become

    def mark(self, path: str, written: Written) -> None:
        """Note what was made of a path, after all that was made before."""
        self.shell.files.pop(path, None)
        self.shell.files[path] = written

    def _kind(self, path: str) -> str:
        return self.file(Known(path)).kind

    def _full(self, path: str) -> str:
        full = self.absolute(path)
        assert full is not None
        return full

    def _make_folder(self, path: str, place: Place) -> None:
        if self._kind(path) == "absent":
            self.mark(path, Written(Known(""), place, "dir"))

    def _take(self, path: str, place: Place) -> None:
        for other in [key for key in self.shell.files if key.startswith(path + "/")]:
            del self.shell.files[other]
        self.mark(path, Written(Known(""), place, "gone"))

    def _put(self, path: str, fact: FileFact, place: Place, executable: bool | None) -> None:
        if fact.source is not None:
            text: Value[str] = Known(fact.source.text)
            self.mark(path, Written(text, place, "file", executable, fact.source))
            return
        kind: Literal["file", "doubt"] = "doubt" if fact.kind == "unclear" else "file"
        reason = fact.reason or f"the text of {path} is not known"
        self.mark(path, Written(Unknown(reason), place, kind, executable))

    # -- programs

    def _mkdir(self, args: list[str], place: Place) -> Status | None:
        flags, paths = _split(args, "mZ")
        status = _DONE
        for path in map(self._full, paths):
            there = self._kind(path) in ("dir", "file")
            alone = self._kind(posixpath.dirname(path)) == "absent"
            if "p" not in flags and (there or alone):
                status = FAILED
            else:
                self._make_folders(path, place)
        return status

    def _make_folders(self, path: str, place: Place) -> None:
        missing = [path]
        while missing[-1] != "/" and self._kind(posixpath.dirname(missing[-1])) == "absent":
            missing.append(posixpath.dirname(missing[-1]))
        for folder in reversed(missing):
            self._make_folder(folder, place)

    def _ls(self, args: list[str], place: Place) -> Status | None:
        """Only whether what it lists is there."""
        _, paths = _split(args, "IwT")
        missing = any(self._kind(path) == "absent" for path in map(self._full, paths))
        return Status(2) if missing else None

    def _touch(self, args: list[str], place: Place) -> Status | None:
        flags, paths = _split(args, "drt")
        status = _DONE
        for path in map(self._full, paths):
            if self._kind(path) != "absent" or "c" in flags:
                continue
            if self._kind(posixpath.dirname(path)) == "absent":
                status = FAILED
            else:
                self.mark(path, Written(Known(""), place))
        return status

    def _rm(self, args: list[str], place: Place) -> Status | None:
        flags, paths = _split(args, "")
        status = _DONE
        for path in map(self._full, paths):
            kind = self._kind(path)
            if kind == "absent":
                status = status if "f" in flags else FAILED
            elif kind == "dir" and not flags & {"r", "R"}:
                status = FAILED
            else:
                self._take(path, place)
        return status

    def _rmdir(self, args: list[str], place: Place) -> Status | None:
        _, paths = _split(args, "")
        for path in map(self._full, paths):
            if self._kind(path) != "dir":
                return FAILED
            self._take(path, place)
        return _DONE

    def _cp(self, args: list[str], place: Place) -> Status | None:
        flags, paths = _split(args, "tS")
        if "t" in flags:
            return None
        return self._transfer(paths, place, folders=bool(flags & {"r", "R", "a"}))

    def _mv(self, args: list[str], place: Place) -> Status | None:
        flags, paths = _split(args, "tS")
        if "t" in flags:
            return None
        status = self._transfer(paths, place, folders=True)
        for path in map(self._full, paths[:-1]):
            if self._kind(path) != "absent":
                self._take(path, place)
        return status

    def _transfer(
        self, paths: list[str], place: Place, *, folders: bool, executable: bool | None = None
    ) -> Status:
        if len(paths) < 2:
            return FAILED
        status = _DONE
        target = self._full(paths[-1])
        into = self._kind(target) == "dir"
        if not into and (len(paths) > 2 or self._kind(posixpath.dirname(target)) == "absent"):
            return FAILED
        for path in paths[:-1]:
            source = self._full(path)
            fact = self.file(Known(source))
            inside = "" if path.endswith("/.") or path == "." else posixpath.basename(source)
            where = posixpath.normpath(posixpath.join(target, inside)) if into else target
            if fact.kind == "absent" or (fact.kind == "dir" and not folders) or source == where:
                status = FAILED
            elif where.startswith(source.rstrip("/") + "/"):
                # What gets there before it finds itself depends on the file system.
                reason = f"{source} is copied into itself"
                self.mark(where, Written(Unknown(reason), place, "doubt"))
                status = FAILED
            elif fact.kind == "dir":
                self._copy_folder(source, where, place)
            else:
                self._put(where, fact, place, executable or fact.executable)
        return status

    def _copy_folder(self, source: str, target: str, place: Place) -> None:
        found = list(self._below(source))
        self._make_folders(target, place)
        for path, fact in found[:_MOST_COPIED]:
            where = target + path.removeprefix(source)
            if fact.kind == "dir":
                self._make_folder(where, place)
            else:
                self._put(where, fact, place, fact.executable)
        if len(found) > _MOST_COPIED:
            self.mark(target, Written(Unknown("too many files are copied"), place, "doubt"))

    def _below(self, folder: str) -> Iterator[tuple[str, FileFact]]:
        names = self.names_in(folder)
        if names is None:
            yield folder, FileFact("unclear", reason=f"what {folder} holds is not known")
            return
        for name in names:
            path = posixpath.join(folder, name)
            fact = self.file(Known(path))
            if fact.kind == "absent":
                continue
            yield path, fact
            if fact.kind == "dir":
                yield from self._below(path)

    def _install(self, args: list[str], place: Place) -> Status | None:
        flags, paths = _split(args, "mogt")
        if "t" in flags:
            return None
        if "d" in flags:
            for path in map(self._full, paths):
                self._make_folders(path, place)
            return _DONE
        if "D" in flags and paths:
            self._make_folders(posixpath.dirname(self._full(paths[-1])), place)
        return self._transfer(paths, place, folders=False, executable=True)

    def _ln(self, args: list[str], place: Place) -> Status | None:
        flags, paths = _split(args, "tS")
        if not paths or "t" in flags or len(paths) > 2:
            return None
        link = self._full(paths[1] if len(paths) > 1 else posixpath.basename(paths[0]))
        if self._kind(link) == "dir" and "n" not in flags:
            link = posixpath.join(link, posixpath.basename(paths[0]))
        if self._kind(link) != "absent" and "f" not in flags:
            return FAILED
        if "s" not in flags:
            fact = self.file(Known(paths[0]))
            if fact.kind == "absent":
                return FAILED
            self._put(link, fact, place, fact.executable)
            return _DONE
        target = posixpath.normpath(posixpath.join(posixpath.dirname(link), paths[0]))
        self.mark(link, Written(Known(target), place, "link"))
        return _DONE

    def _chmod(self, args: list[str], place: Place) -> Status | None:
        _, words = _split(args, "", numbers=True)
        executable = _executable(words[0]) if words else None
        status = _DONE
        for path in map(self._full, words[1:]):
            fact = self.file(Known(path))
            if fact.kind == "absent":
                status = FAILED
            elif fact.kind == "file" and executable is not None:
                self._put(path, fact, place, executable)
        return status

    def _tee(self, args: list[str], place: Place) -> Status | None:
        flags, paths = _split(args, "")
        text = self.stdin if self.stdin is not None else Known("")
        for path in paths:
            if not path.startswith("/dev/"):
                self.write(self._full(path), text, append="a" in flags, place=place)
        self.out.append(text)
        return OK

    @abstractmethod
    def write(self, path: str, text: Value[str], *, append: bool, place: Place) -> None:
        """Write a text to a file."""

    def _sed(self, args: list[str], place: Place) -> Status | None:
        found = _sed_words(args)
        if found is None:
            return None
        flags, scripts, paths = found
        if "i" in flags:
            return self._edit(flags, scripts, paths, place)
        texts: list[Value[str]] = []
        for path in paths:
            fact = self.file(Known(path))
            if fact.kind == "absent":
                return Status(2)
            known = fact.source is not None
            texts.append(Known(fact.source.text) if fact.source else Unknown(fact.reason))
            if not known:
                break
        if not paths:
            texts = [self.stdin if self.stdin is not None else Known("")]
        whole = "".join(text.value for text in texts if isinstance(text, Known))
        origins = tuple(origin for text in texts for origin in text.origins)[:8]
        unclear = any(isinstance(text, Unknown) for text in texts)
        printed = None if unclear else _edited(whole, scripts, flags)
        self.out.append(
            Unknown("what `sed` prints is not known", origins)
            if printed is None
            else Known(printed, origins)
        )
        return OK if printed is not None else _DONE

    def _edit(
        self, flags: set[str], scripts: list[str], paths: list[str], place: Place
    ) -> Status | None:
        status = _DONE
        for path in map(self._full, paths):
            fact = self.file(Known(path))
            if fact.kind == "absent":
                status = Status(2)
                continue
            text = _edited(fact.source.text, scripts, flags) if fact.source else None
            new: Value[str] = Unknown(f"what sed makes of {path} is not known")
            if text is not None:
                new = Known(text)
            same = fact.source is not None and text == fact.source.text
            source = fact.source if same else None
            self.mark(path, Written(new, place, "file", fact.executable, source))
        return status


def _split(args: list[str], valued: str, *, numbers: bool = False) -> tuple[set[str], list[str]]:
    """The letters of the options, and the words that are none; those in `valued` take a word.
    `numbers`: `-x` may be a mode.
    """
    flags: set[str] = set()
    words: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return flags, words + rest
        if word.startswith("--"):
            flags.add(_LONG.get(word.partition("=")[0], word))
        elif len(word) > 1 and word[0] == "-" and not (numbers and _SYMBOLIC.fullmatch(word)):
            flags |= set(word[1:])
            if word[-1] in valued and rest:
                del rest[0]
        else:
            words.append(word)
    return flags, words


_LONG = {"--recursive": "r", "--force": "f", "--parents": "p", "--symbolic": "s", "--append": "a",
         "--archive": "a", "--no-create": "c"}  # fmt: skip


def _executable(mode: str) -> bool | None:
    if _OCTAL.fullmatch(mode):
        return bool(int(mode, 8) & 0o111)
    match = _SYMBOLIC.fullmatch(mode.split(",")[0])
    if match is None or ("x" not in match[2] and match[1] != "="):
        return None
    return "x" in match[2] and match[1] != "-"


def _sed_words(args: list[str]) -> tuple[set[str], list[str], list[str]] | None:
    """The options, scripts and files of sed; None where an option is not followed."""
    flags: set[str] = set()
    scripts: list[str] = []
    words: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word in ("-e", "--expression") and rest:
            scripts.append(rest.pop(0))
        elif word.startswith(("-i", "--in-place")):
            flags.add("i")
        elif word in ("-n", "-E", "-r", "-s", "-u", "-nE", "-nr", "-En", "-ne") or word in _QUIET:
            flags |= {"n"} if "n" in word else set()
            flags |= {"E"} if "E" in word or "r" in word else set()
            if word == "-ne" and rest:
                scripts.append(rest.pop(0))
        elif word.startswith("-") and word != "-":
            return None
        else:
            words.append(word)
    if not scripts and words:
        scripts.append(words.pop(0))
    return flags, scripts, words


_QUIET = ("--quiet", "--silent")
_PRINTED = re.compile(r"s(.)(?P<rest>.*)\1p", re.S)
_LINES = re.compile(r"/((?:[^/\\]|\\.)*)/([dp])")


def _edited(text: str, scripts: list[str], flags: set[str]) -> str | None:
    """The text after the scripts, line by line; None where they can't be followed."""
    whole = text.endswith("\n")
    lines = text.split("\n")[: -1 if whole else None]
    if not text:
        return ""
    extended = "E" in flags
    for script in scripts:
        changed = _changed(lines, script.strip(), extended, quiet="n" in flags)
        if changed is None:
            return None
        lines = changed
    return "".join(line + "\n" for line in lines[:-1]) + (
        lines[-1] + ("\n" if whole else "") if lines else ""
    )


def _changed(lines: list[str], script: str, extended: bool, *, quiet: bool) -> list[str] | None:
    if quiet and (match := _PRINTED.fullmatch(script)):
        edits = [sed(line, [script[:-1]], extended=extended) for line in lines]
        if any(new is None for new in edits):
            return None
        pairs = zip(lines, edits, strict=True)
        return [new for line, new in pairs if new is not None and new != line]
    if match := _LINES.fullmatch(script):
        kept = _matching(lines, match[1])
        if kept is None or quiet != (match[2] == "p"):
            return None
        return [line for line, hit in zip(lines, kept, strict=True) if hit == (match[2] == "p")]
    if quiet:
        return None
    edits = [sed(line, [script], extended=extended) for line in lines]
    return None if any(new is None for new in edits) else [new for new in edits if new is not None]


def _matching(lines: list[str], pattern: str) -> list[bool] | None:
    if not re.fullmatch(r"\^?[A-Za-z0-9_ #=:@,-]*\$?", pattern):
        return None
    regex = re.compile(pattern)
    return [regex.search(line) is not None for line in lines]


_TABLE = {
    "chmod": "_chmod",
    "cp": "_cp",
    "install": "_install",
    "ln": "_ln",
    "ls": "_ls",
    "mkdir": "_mkdir",
    "mv": "_mv",
    "rm": "_rm",
    "rmdir": "_rmdir",
    "sed": "_sed",
    "tee": "_tee",
    "touch": "_touch",
}
