"""How a repository's own workflows and scripts put a Space together before they upload it.

Many Spaces are not a folder as it stands: a workflow copies a folder into a clone of the Space,
renames `Dockerfile.hf` and writes the README. Such scripts are read as text, line by line; what is
not understood is left out, so nothing here proves that something does not happen.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.context import Context
from hfcheck.space.site import names
from hfcheck.space.site.card import read_card
from hfcheck.space.site.writes import PYTHON_WRITES, edits_readme, front_matter_in

TARGETS = ("README.md", "Dockerfile")
"""The files whose making is followed: the two that the Hub asks for by name."""

_MAX_SCRIPTS = 200
_SCRIPT = re.compile(r".+\.(?:sh|bash|bat|cmd|ps1|py|yml|yaml)|Makefile|justfile", re.IGNORECASE)
_SCRIPT_FOLDERS = (".", "scripts", "script", "deploy", "deployment", "ci", "bin", "tools")
_MAX_LINE = 20_000
_MAX_CONTINUED = 500
_MAX_PARTS = 32
_CONTINUES = ("\\", " ^", " `")
_SPACE = re.compile(r"huggingface\.co[:/]spaces/|hf\.co/spaces/|spaces/")
_GIT = re.compile(r"\bgit\s+(?:clone|push|remote|subtree)\b")
_UPLOAD = re.compile(
    r"\bhf\s+upload|huggingface-cli\s+upload|\bupload_(?:large_)?(?:folder|file)\s*\("
)


@dataclass(frozen=True, slots=True)
class Written:
    """A file that a script writes: the lines of its text, as spans of the script."""

    source: SourceFile
    rows: tuple[Span, ...]


@dataclass(slots=True)
class Deployment:
    """What one workflow or script does: the folders that it uploads (relative to the repository,
    `.` is its root), which files it copies to the names in `TARGETS` (by target, as repository
    paths or, where the folder can't be known, as bare names), what it writes under those names,
    and whether the Space keeps the README that it has on the Hub. `changed` is the first place
    that writes README.md in a way that is not followed, `shown` the front matter that the script
    spells out then.
    """

    source: SourceFile
    folders: set[str] = field(default_factory=set)
    copies: dict[str, list[str]] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    keeps_readme: bool = False
    changed: Place | None = None
    shown: Written | None = None

    def take(self, helper: Deployment) -> None:
        """Add what a script does that this one runs."""
        for target, paths in helper.copies.items():
            self.copies.setdefault(target, []).extend(paths)
        for target, written in helper.written.items():
            self.written.setdefault(target, written)
        if self.changed is None:
            self.changed, self.shown = helper.changed, self.shown or helper.shown


def read_deployments(repository: Context, folder: str = ".") -> list[Deployment]:
    """The deployments that the workflows of a repository, and the scripts in its usual places and
    in one folder of it, describe.
    """
    found = []
    helpers: list[SourceFile] = []
    for path in _scripts(repository, folder):
        source = repository.read(path)
        if not isinstance(source, SourceFile):
            continue
        if _deploys(source.text):
            found.append(_Reader(repository, source, _home(path)).read())
        elif "README.md" in source.text:
            helpers.append(source)
    found = [deployment for deployment in found if deployment.folders]
    for deployment in found if helpers else ():
        named = set(_FILE_NAME.findall(deployment.source.text))
        for source in helpers:
            if source.path.name in named:
                path = source.path.relative_to(repository.root).as_posix()
                deployment.take(_Reader(repository, source, _home(path)).read())
    return found


def _home(path: str) -> str:
    """The folder that a script's relative paths are likely meant from."""
    workflow = path.startswith(".github/") or path.endswith((".yml", ".yaml"))
    return "." if workflow else posixpath.dirname(path) or "."


def _scripts(repository: Context, folder: str) -> list[str]:
    folders = [".github/workflows"]
    for home in dict.fromkeys((folder, ".")):
        folders += [posixpath.normpath(posixpath.join(home, name)) for name in _SCRIPT_FOLDERS]
    paths = [
        name if home == "." else f"{home}/{name}"
        for home in dict.fromkeys(folders)
        for name in repository.names(home)
        if _SCRIPT.fullmatch(name)
    ]
    return [path for path in paths if repository.kind(path) == "file"][:_MAX_SCRIPTS]


def _deploys(text: str) -> bool:
    """Whether a script talks to a Space at all."""
    if _UPLOAD.search(text):
        return "space" in text.lower()
    return _SPACE.search(text) is not None and _GIT.search(text) is not None


@dataclass(frozen=True, slots=True)
class _Line:
    """A logical line of a script: continuations joined, and where its first line starts."""

    text: str
    start: int

    def span(self, command: str) -> Span:
        """Where a command of this line stands in the script."""
        start = self.start + max(self.text.find(command), 0)
        return Span(start, start + len(command))


class _Reader:
    """Reads one script. `cwd` is the folder of the repository that commands run in, None in a
    folder outside of it (a clone of the Space).
    """

    def __init__(self, repository: Context, source: SourceFile, home: str) -> None:
        self.repository = repository
        self.home = home
        self.cwd: str | None = "."
        self.variables: dict[str, str] = {}
        self.result = Deployment(source)
        self.contents: dict[str, str] = {}
        self.clones = False
        self.wipes_readme = False
        self.pushed: list[str] = []

    def read(self) -> Deployment:
        result = self.result
        lines = _physical(result.source.text)
        index = 0
        while index < len(lines):
            line, used = _logical(lines, index)
            heredoc = _HEREDOC.search(line.text)
            if heredoc:
                end = _heredoc_end(lines, index + used, heredoc["name"])
                self._heredoc(line.text, lines[index + used : end])
                used = end + 1 - index
            self._line(line)
            index += used
        self._python(result.source.text)
        if not result.folders:
            result.folders.update(self.pushed)
        self._unfollowed()
        replaced = "README.md" in result.copies or "README.md" in result.written
        result.keeps_readme = self.clones and not self.wipes_readme and not replaced
        return result

    def _unfollowed(self) -> None:
        """What `changed` and `shown` tell, once the whole script is read."""
        result = self.result
        written = result.written.get("README.md")
        if written is not None and not read_card(written.source, written.rows).says_sdk:
            open_row = next((row for row in written.rows if "$" in result.source.slice(row)), None)
            if open_row is not None:
                self._changes(open_row)
        if result.changed is not None:
            rows = front_matter_in(result.source)
            result.shown = Written(result.source, rows) if rows else None

    def _changes(self, span: Span) -> None:
        if self.result.changed is None:
            self.result.changed = self.result.source.place(span.start, span.end)

    def _line(self, line: _Line) -> None:
        bare = line.text.strip()
        if len(bare) > _MAX_LINE or bare.startswith(("#", "REM ", "rem ", "//")):
            return
        key = re.match(r"(?:-\s+)?(run|name|uses|working-directory|env)\s*:\s*(.*)", bare)
        if key:
            if key[1] == "working-directory":
                self._enter(key[2])
                return
            if bare.startswith("-"):
                self.cwd = "."  # each step of a workflow starts in the checkout
            if key[1] != "run":
                return
            bare = key[2]
        for command in re.split(r"&&|\|\||;|\bthen\b", bare):
            self._command(command.strip(), line)

    def _command(self, command: str, line: _Line) -> None:
        assigned = _ASSIGNMENT.fullmatch(command)
        if assigned:
            self.variables[assigned[1]] = assigned[2].strip("\"'")
            return
        words = [self._expand(word) for word in _words(command)]
        if not words:
            return
        program = words[0].lower()
        if program in ("cd", "pushd", "set-location"):
            self._enter(" ".join(words[1:2]))
        elif program in ("cp", "mv", "rsync", "copy", "xcopy", "robocopy", "copy-item"):
            self._copy(words, line.span(command))
        elif program in ("printf", "echo") and "|" not in command:
            self._print(command, line)
        elif program == "git":
            self._git(words)
            if words[1:2] == ["mv"]:
                self._copy(words[1:], line.span(command))
        elif "upload" in words[:6]:
            self._upload(words[words.index("upload") + 1 :])
        self._wipe(command)
        if program == "cat":
            self._cat(command, words)
        if "README.md" in command and self._writes_unread(command, words):
            self._changes(line.span(command))

    def _cat(self, command: str, words: list[str]) -> None:
        """`cat head.md README.md > new.md`: what the new file begins with."""
        redirect = _WRITES.search(command)
        sources = [word for word in words[1:2] if not word.startswith(("-", "<", ">"))]
        if redirect is None or not sources or "|" in command or ">>" in redirect[0]:
            return
        found = [p for p in self._candidates(sources[0]) if self.repository.kind(p) == "file"]
        target = posixpath.basename(_redirected(redirect))
        if found and target == "README.md":
            self.result.copies.setdefault(target, []).append(found[0])
        elif found:
            self.contents[target] = found[0]

    def _writes_unread(self, command: str, words: list[str]) -> bool:
        if edits_readme(words):
            return True
        if words[0].lower() in ("printf", "echo") and "|" not in command:
            return False
        for redirect in _WRITES.finditer(command):
            if posixpath.basename(_redirected(redirect)) == "README.md":
                copied = words[0] == "cat" and "README.md" in self.result.copies
                return not copied and "README.md" not in self.result.written
        return False

    def _expand(self, word: str) -> str:
        word = _VARIABLE.sub(lambda m: self.variables.get(m[1] or m[2], m[0]), word)
        return _HERE.sub("./" if self.home == "." else f"./{self.home}/", word)

    def _enter(self, folder: str) -> None:
        folder = folder.strip("\"' ").rstrip("/\\")
        if folder in ("..", "-", ""):
            self.cwd = "."
            return
        self.cwd = self._folder(folder)

    def _folder(self, path: str) -> str | None:
        """The folder of the repository that a path of the script means; None where none."""
        path = path.replace("\\", "/")
        path = re.sub(r"/(?:\*|\.\*|\.)?$", "", path)
        if path in ("", "*"):
            path = "."
        if path in (".", "./"):
            return self.cwd
        for candidate in self._candidates(path):
            if self.repository.kind(candidate) == "dir":
                return candidate
        return None

    def _candidates(self, path: str) -> Iterator[str]:
        """Repository paths that a path may mean: from the folder that the script is in, from the
        root, and, after a variable or an absolute start, by its last parts.
        """
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if len(parts) > _MAX_PARTS:
            return
        known = [part for part in parts if part != ".." and "$" not in part and "%" not in part]
        whole = len(known) == len([part for part in parts if part != ".."])
        if whole and not path.startswith(("/", "~")):
            for base in dict.fromkeys((self.cwd or ".", ".", self.home)):
                joined = posixpath.normpath(posixpath.join(base, *known))
                if not joined.startswith(".."):
                    yield joined
        for start in range(len(parts) - whole):
            if all(part in known for part in parts[start:]):
                yield "/".join(parts[start:])

    def _found(self, path: str) -> bool:
        """Whether a path is that of a file of the repository, or of one made of such a file."""
        path = path.replace("\\", "/")
        name = posixpath.basename(path)
        there = any(self.repository.kind(p) == "file" for p in self._candidates(path))
        return there or name in self.contents or names.is_readme(name)

    def _copy(self, words: list[str], span: Span) -> None:
        paths = [word for word in words[1:] if not word.startswith(("-", "/"))]
        paths += [word for word in words[1:] if re.match(r"/[\w.-]+/", word)]
        paths = [word for word in words[1:] if word in paths]
        if len(paths) < 2:
            return
        target = paths[-1].replace("\\", "/")
        for source in paths[:-1]:
            name = posixpath.basename(source.replace("\\", "/").rstrip("/"))
            to = posixpath.basename(target)
            if to in TARGETS:
                self._copied(to, source)
                if to == "README.md" and not self._found(source):
                    self._changes(span)
            elif name in TARGETS and not posixpath.splitext(to)[1]:
                self._copied(name, source)
            else:
                folder = self._folder(source)
                inside = self._folder(target.rstrip("/"))
                if folder is not None and (inside is None or inside != folder):
                    self.result.folders.add(folder)

    def _copied(self, target: str, source: str) -> None:
        path = source.replace("\\", "/")
        name = posixpath.basename(path)
        found = [p for p in self._candidates(path) if self.repository.kind(p) == "file"]
        found = found or [self.contents[name]] if name in self.contents else found
        self.result.copies.setdefault(target, []).append(found[0] if found else name)
        if found and target == "Dockerfile":
            self.result.folders.add(posixpath.dirname(found[0]) or ".")

    def _git(self, words: list[str]) -> None:
        line = " ".join(words)
        if words[1:2] == ["clone"] and ("spaces" in line or "HF" in line):
            self.clones = True
        if "subtree" in line:
            prefix = re.search(r"--prefix[= ]+(\S+)|-P\s+(\S+)", line)
            folder = self._folder((prefix[1] or prefix[2]).strip("\"'")) if prefix else None
            if folder is not None:
                self.result.folders.add(folder)
        elif words[1:2] == ["push"] and self.cwd is not None and not self.clones:
            self.pushed.append(self.cwd)

    def _upload(self, words: list[str]) -> None:
        """`hf upload REPO [LOCAL] [IN_REPO]`."""
        plain = [word for word in words if not word.startswith("-")]
        folder = self._folder(plain[1]) if len(plain) > 1 else self.cwd
        if folder is not None:
            self.result.folders.add(folder)

    def _wipe(self, command: str) -> None:
        wipes = re.search(r"\brm\s+-\w*r\w*\s+\S*\*|--delete\b|\s-delete\b|-exec\s+rm", command)
        if wipes and "README.md" not in command:
            self.wipes_readme = True

    def _heredoc(self, line: str, body: list[tuple[int, str]]) -> None:
        target = _WRITES.search(line)
        name = posixpath.basename(_redirected(target)) if target else ""
        if name in TARGETS and name not in self.result.written:
            indent = min((len(t) - len(t.lstrip()) for _, t in body if t.strip()), default=0)
            rows = tuple(
                Span(min(start + indent, start + len(text)), start + len(text))
                for start, text in body
            )
            self.result.written[name] = Written(self.result.source, rows)

    def _print(self, command: str, line: _Line) -> None:
        """`printf '%s\\n' 'a' 'b' > README.md`, `echo "a" >> README.md`."""
        redirect = _WRITES.search(command)
        if not redirect or "README.md" not in redirect[1]:
            return
        offset = line.span(command).start
        rows = [] if ">>" not in redirect[0] else list(self._rows("README.md"))
        for quoted in re.finditer(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"", command[: redirect.start()]):
            start = offset + quoted.start() + 1
            text = quoted[1] if quoted[1] is not None else quoted[2]
            if text in ("%s\\n", "%s"):
                continue
            for piece in re.finditer(r"((?:(?!\\n).)+)(?:\\n|$)|\\n", text):
                first = start + piece.start()
                rows.append(Span(first, first + len(piece[1] or "")))
        self.result.written["README.md"] = Written(self.result.source, tuple(rows))
        if not rows:
            self._changes(line.span(command))

    def _rows(self, name: str) -> tuple[Span, ...]:
        written = self.result.written.get(name)
        return written.rows if written else ()

    def _python(self, text: str) -> None:
        """Calls of huggingface_hub and shutil, in a script or in a here-document of a workflow."""
        write = PYTHON_WRITES.search(text) if "README.md" in text else None
        if write is not None:
            self._changes(Span(*write.span()))
        if "upload" not in text:
            return
        for call in _PYTHON_FOLDER.finditer(text):
            self.cwd = "."
            folder = self._folder(call[1]) if call[1] else "."
            if folder is not None:
                self.result.folders.add(folder)
        for copy in _PYTHON_COPY.finditer(text):
            source, target = (copy[1], copy[2]) if copy[1] else (copy[3], copy[4])
            if posixpath.basename(target) in TARGETS:
                self._copied(posixpath.basename(target), source)


_HEREDOC = re.compile(r"(?<!<)<<(?!<)-?\s*\\?[\"']?(?P<name>[A-Za-z_]\w*)[\"']?")
_WRITES = re.compile(r">{1,2}\s*(\"[^\"]*\"|'[^']*'|[^\s<>|&;]+)|(?<=tee )(?!<)(?=(\S+))")
_FILE_NAME = re.compile(r"[\w.-]+")
_ASSIGNMENT = re.compile(r"(?:export\s+|local\s+|set\s+|\$)?([A-Za-z_]\w*)\s?=\s?(\S.*|)")
_HERE = re.compile(r"(?:\$\(pwd\)|`pwd`|\$PWD\b|\$\{PWD\})/?")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)\}?|%([A-Za-z_]\w*)%")
_PYTHON_FOLDER = re.compile(r"folder_path\s*=\s*(?:[\"']([^\"'\n]+)[\"']|os\.getcwd\(\))")
_PYTHON_COPY = re.compile(
    r"shutil\.(?:copy2?|copyfile|move)\(\s*[\"']([^\"'\n]+)[\"']\s*,\s*[\"']([^\"'\n]+)[\"']"
    r"|path_or_fileobj\s*=\s*[\"']([^\"'\n]+)[\"']\s*,\s*path_in_repo\s*=\s*[\"']([^\"'\n]+)[\"']"
)


def _redirected(redirect: re.Match[str]) -> str:
    """The path that a match of `_WRITES` writes."""
    return (redirect[1] or redirect[2] or "").strip("\"'")


def _words(command: str) -> list[str]:
    """The words of a command, quotes taken off; good enough for paths."""
    return [
        "".join(part for part in match.groups() if part)
        for match in re.finditer(r"\"([^\"]*)\"(\S*)|'([^']*)'(\S*)|([^\s\"']\S*)", command)
    ]


def _physical(text: str) -> list[tuple[int, str]]:
    return [(m.start(), m[1]) for m in re.finditer(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)", text)]


def _logical(lines: list[tuple[int, str]], index: int) -> tuple[_Line, int]:
    """One line with its continuations (each replaced by spaces, so that offsets hold)."""
    start, text = lines[index]
    used = 1
    last = min(len(lines), index + _MAX_CONTINUED)
    while text.endswith(_CONTINUES) and len(text) < _MAX_LINE and index + used < last:
        gap = lines[index + used][0] - start - len(text)
        text = text[:-1] + " " * (gap + 1) + lines[index + used][1]
        used += 1
    return _Line(text, start), used


def _heredoc_end(lines: list[tuple[int, str]], index: int, name: str) -> int:
    for end in range(index, len(lines)):
        if lines[end][1].strip() == name:
            return end
    return len(lines)
