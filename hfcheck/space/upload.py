"""Which files `hf upload` would send to the Space.

huggingface_hub 2.4.0 was observed: every file below the folder goes, hidden ones too, but for
`.git` and `.cache/huggingface` at any depth, and what the .gitignore at the root of the folder
names. One further down or further up does not count, and neither does a .dockerignore. A push with
git follows them all, so what only they name is in doubt.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from hfcheck.source import SourceFile
from hfcheck.space.context import MAX_TEXT, Context, decode
from hfcheck.space.image.gitignore import GitIgnored
from hfcheck.space.site.discover import repository_of
from hfcheck.space.value import Origin

if TYPE_CHECKING:
    from hfcheck.space.model import Space

MAX_FILES = 20_000
"""Most files that are listed."""

_FOREIGN = frozenset({"node_modules", "__pycache__", "site-packages", "dist-packages"})
"""Folders that hold what others wrote; they are sent as well, and nothing of the project's own is
in them.
"""

_MANY = 100
"""From so many entries on it is asked whether a folder is ignored as a whole."""


class Upload:
    """What would be sent of the folder `home`. Paths are relative to it, with `/`."""

    def __init__(self, home: Context) -> None:
        self.home = home
        self.complete = True
        self._git = GitIgnored(home)

    def sends(self, path: str) -> bool:
        """Whether a file would be sent, by the rules of `hf upload`."""
        parts = path.split("/")
        if ".git" in parts[:-1] or "/.cache/huggingface/" in f"/{path}":
            return False
        return self._git.line(path) is None and not self._left_out(path)

    def doubt(self, path: str) -> Origin | None:
        """The line of a .gitignore other than the one at the root that names a file: `hf upload`
        does not read it, and a push with git leaves the file out.
        """
        file = self.home.root / path
        top = repository_of(self.home.root) or self.home.root
        folders = [folder for folder in file.parents if folder.is_relative_to(top)]
        for folder in folders:
            if folder == self.home.root:
                continue
            line = GitIgnored(Context(folder)).line(file.relative_to(folder).as_posix())
            if line is not None:
                return Origin(line, "`hf upload` does not read this .gitignore")
        return None

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files of the project itself that may be sent, shallow ones first: without those in
        virtual environments and packages. Ask `sends` about each.
        """
        return tuple(self._walk())

    def read(self, path: str, limit: int = MAX_TEXT) -> bytes | None:
        """The bytes of a file; None where it is longer than `limit`, or no regular file in the
        folder.
        """
        if self.home.kind(path) != "file":
            return None
        try:
            with open(self.home.root / path, "rb") as file:
                data = file.read(limit + 1)
        except OSError:
            return None
        return data if len(data) <= limit else None

    def head(self, path: str, size: int) -> bytes:
        """The first bytes of a file; none where it can't be read."""
        if self.home.kind(path) != "file":
            return b""
        try:
            with open(self.home.root / path, "rb") as file:
                return file.read(size)
        except OSError:
            return b""

    def text(self, path: str, data: bytes) -> SourceFile | None:
        """The bytes of a file as text; None where they are none."""
        source = decode(self.home.root / path, data)
        return source if isinstance(source, SourceFile) else None

    def _walk(self) -> Iterator[str]:
        count = 0
        queue = deque([""])
        while queue:
            folder = queue.popleft()
            files, folders = _entries(self.home.root / folder)
            if folder and "pyvenv.cfg" in files:
                continue
            count += len(files) + len(folders)
            if count > MAX_FILES:
                self.complete = False
                return
            if folder and len(files) > _MANY and self._git.line(folder[:-1]) is not None:
                continue
            yield from (folder + name for name in files)
            queue.extend(f"{folder}{name}/" for name in folders if name not in _FOREIGN)

    # What the scripts that upload say themselves

    def _scripts(self) -> Iterator[str]:
        """The texts of the workflows and scripts that upload to a Space or push to one."""
        top = Context(repository_of(self.home.root) or self.home.root)
        home = self.home.root.relative_to(top.root).as_posix()
        places = [f"{base}/{folder}" for base in dict.fromkeys((home, ".")) for folder in _FOLDERS]
        for folder in (*places, ".github/workflows"):
            for name in top.names(folder)[:_MANY]:
                if _SCRIPT.fullmatch(name):
                    source = top.read(f"{folder}/{name}")
                    if isinstance(source, SourceFile) and _UPLOADS_TO.search(source.text):
                        yield source.text

    @cached_property
    def _patterns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The patterns that scripts leave out, and those that they send alone. A folder that is not
        there is taken for a clone of the Space (`rm clone/.env`).
        """
        left: list[str] = []
        taken: list[str] = []
        for text in self._scripts():
            left += _words(text, _LEAVES_OUT)
            taken += _words(text, _TAKES)
        heads = {word: word.partition("/") for word in left if "/" in word}
        clones = [rest for head, _, rest in heads.values() if self.home.kind(head) == "absent"]
        return (*left, *clones), tuple(taken)

    def _left_out(self, path: str) -> bool:
        """Whether a script that uploads names the file among what it leaves out, or does not name
        it among what it takes.
        """
        left, taken = self._patterns
        if any(_fits(path, pattern) for pattern in left):
            return True
        return bool(taken) and not any(_fits(path, pattern) for pattern in taken)


_FOLDERS = (".", "scripts", "script", "deploy", "deployment", "ci", "bin", "tools")
_SCRIPT = re.compile(r".+\.(?:sh|bash|bat|cmd|ps1|py|yml|yaml)|Makefile|justfile", re.IGNORECASE)
_UPLOADS_TO = re.compile(
    r"\bupload_(?:large_)?folder\s{0,4}\(|\bhf\s{1,4}upload\b|huggingface-cli\s{1,4}upload\b"
    r"|huggingface\.co[:/]spaces/|hf\.co/spaces/"
)
_LEAVES_OUT = re.compile(r"exclu|ignore|skip|\brm\b|delete|remove|unlink", re.IGNORECASE)
_TAKES = re.compile(r"--include\b|allow_patterns")
_LIST = re.compile(r"[:=(]\s{0,40}[\[({][^\])}]{0,3000}")
_WORD = re.compile(r"\"([^\"\n]{1,200})\"|'([^'\n]{1,200})'|([^\s\"',;()\[\]{}=]{1,200})")
_MAX_LINES = 5000


def _words(text: str, keyword: re.Pattern[str]) -> list[str]:
    """The words of the lines with a keyword, and of the list that begins there."""
    found: list[str] = []
    start = 0
    for count, line in enumerate(text.split("\n")):
        if count > _MAX_LINES:
            break
        match = keyword.search(line)
        if match is not None:
            opened = _LIST.search(text, start + match.end(), start + match.end() + 3200)
            near = opened is not None and opened.start() <= start + len(line)
            piece = text[start : opened.end()] if near and opened else line
            found += [next(filter(None, word)) for word in _WORD.findall(piece[:8000])]
        start += len(line) + 1
    return found


def _fits(path: str, pattern: str) -> bool:
    """Whether a pattern of a script means a file: as huggingface_hub, rsync or `rm` read it."""
    pattern = pattern.removeprefix("./").lstrip("/!")
    if len(pattern.replace("*", "").strip("./")) < 2 or pattern.count("*") > 6:
        return False
    if pattern.endswith("/"):
        pattern += "*"
    name = path.rpartition("/")[2]
    return fnmatchcase(path, pattern) or fnmatchcase(name, pattern.removeprefix("**/"))


def _entries(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the files and of the folders in a folder, links to folders left out."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git":
                        folders.append(entry.name)
                elif not (entry.is_symlink() and entry.is_dir()):
                    files.append(entry.name)
    except OSError:
        return [], []
    return sorted(files), sorted(folders)


_UPLOADS: WeakKeyDictionary[Space, Upload] = WeakKeyDictionary()


def upload_of(space: Space) -> Upload:
    """What would be uploaded of a Space, worked out once."""
    if space not in _UPLOADS:
        _UPLOADS[space] = Upload(space.home)
    return _UPLOADS[space]
