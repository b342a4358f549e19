"""What the programs that builds run do to the files of the image.

A program that is not known here may have added files below its working folder. Package managers
write to the system's own folders, of which nothing is known anyway.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hfcheck.source import Place
from hfcheck.space.image.copying import executable_bit
from hfcheck.space.image.layers import Folder
from hfcheck.space.image.paths import absolute, join
from hfcheck.space.image.projects import Installs
from hfcheck.space.image.runargs import Arg, has, split
from hfcheck.space.image.runfiles import RunFiles
from hfcheck.space.image.runpackages import builds_wheel, pip, poetry, uv
from hfcheck.space.image.sedscript import sed, strips_carriage_returns

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NODE_INSTALLS = frozenset({"ci", "install", "i", "add", "prune", "dedupe", "rebuild", "audit"})
_NODE_QUIET = frozenset({"config", "cache", "set", "-v", "--version", "version", "list", "ls"})
_BUILD_PARTS = re.compile(r"(?:^|[\s;&|=])(/[\w.@+-]+(?:/[\w.@+-]+)*)")


@dataclass(slots=True)
class Commands:
    """The programs of one RUN instruction, working on its files."""

    files: RunFiles
    place: Place
    cwd: str | None
    home: str | None
    installs: Installs = field(default_factory=Installs)

    def run(self, name: str, args: list[Arg], stdin: str | None) -> str | None:
        """Do what a program does; its output, None where that can't be known."""
        base = posixpath.basename(name)
        does = _DOES.get(base)
        if does is not None:
            return does(self, args, stdin)
        if base in _table()["harmless"]:
            return None
        if re.fullmatch(r"pip[0-9.]*", base):
            return pip(self, args, stdin)
        if re.fullmatch(r"(python|pypy)[0-9.]*", base):
            return _python(self, args, stdin)
        return self.unknown([Arg(name), *args])

    def unknown(self, args: list[Arg]) -> str | None:
        """A program of which nothing is known: it may write to its folder, and to paths that its
        command names.
        """
        program = posixpath.basename(args[0].text or "a program") if args else "a program"
        reason = f"`{program}` in the build may have made files there"
        self.files.doubt(self.cwd or "/", reason)
        for arg in args[1:]:
            for path in _BUILD_PARTS.findall(arg.text or ""):
                self.files.doubt(path, reason)
            if arg.text and arg.text.startswith(("../", "..")) and self.cwd:
                self.files.doubt(absolute(self.cwd, arg.text), reason)
        return None

    def path(self, text: str | None) -> str | None:
        """The absolute path of a word; None where it can't be known."""
        if text is None or (self.cwd is None and not text.startswith("/")):
            return None
        return absolute(self.cwd or "/", text)

    def downloaded(self, name: str) -> None:
        """A file is written, nobody can tell what is in it."""
        path = self.path(name) if name else None
        if path is None:
            self.files.doubt(self.cwd or "/", "a file is downloaded there")
        elif not path.startswith("/dev/"):
            self.files.unsettle(path, "it is downloaded in the build")

    def paths(self, args: list[Arg]) -> list[str]:
        """The absolute paths of words, patterns expanded; what is not known is left out."""
        found: list[str] = []
        for arg in args:
            path = self.path(arg.text)
            if path is not None:
                found += self.files.matching("/", path) if arg.pattern else [path]
        return found


@cache
def _table() -> dict[str, Any]:
    """programs.yaml, its lists as sets."""
    text = Path(__file__).with_name("programs.yaml").read_text("utf-8")
    return {name: frozenset(words) for name, words in yaml.load(text, _Loader).items()}


def _cat(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    options, words = split(args)
    if options:
        return None
    texts: list[str] = []
    for path in run.paths(words):
        text = run.files.text(path)
        if text is None:
            return None
        texts.append(text)
    return "".join(texts) if words else stdin


def _tee(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    options, words = split(args)
    for path in run.paths(words):
        run.files.write(path, stdin, append=has(options, "-a", "--append"))
    return stdin


def _tr(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    texts = [arg.text for arg in args]
    if stdin is not None and texts in (["-d", "\\r"], ["-d", "\r"], ["-d", "\\015"]):
        return stdin.replace("\r", "")
    return None


def _mkdir(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    for path in run.paths(split(args, "-m --mode")[1]):
        run.files.make_folder(path)
    return ""


def _touch(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    for path in run.paths(split(args, "-d -r -t")[1]):
        run.files.touch(path)
    return ""


def _rm(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    for path in run.paths(split(args)[1]):
        run.files.remove(path)
    return ""


def _transfer(run: Commands, args: list[Arg], *, move: bool) -> str | None:
    options, words = split(args, "-t --target-directory -m -o -g")
    target = options.get("-t") or options.get("--target-directory")
    if target is None and len(words) < 2:
        return ""
    dest_text = words.pop().text if target is None else target
    dest = run.path(dest_text)
    if dest is None:
        run.files.doubt("/", "where files are copied to is not known")
        return ""
    into = bool(target) or len(words) > 1 or (dest_text or "").endswith(("/", "/."))
    for word in words:
        sources = run.paths([word])
        if not sources:
            run.files.doubt(dest, "what is copied there is not known")
        several = into or len(sources) > 1
        for source in sources:
            contents = (word.text or "").endswith("/.")
            if move:
                run.files.move(source, dest, into=several)
            else:
                run.files.copy(source, dest, into=several, contents=contents)
    return ""


def _cp(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    return _transfer(run, args, move=False)


def _mv(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    return _transfer(run, args, move=True)


def _install(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    """Coreutils' install: `-d` makes folders, else it copies and sets the mode."""
    options, words = split(args, "-m -o -g --mode --owner --group -t")
    if has(options, "-d", "--directory"):
        return _mkdir(run, words, stdin)
    _transfer(run, args, move=False)
    mode = options.get("-m") or options.get("--mode") or "755"
    executable = executable_bit(mode)
    paths = run.paths(words[-1:])
    if executable is not None and paths and not isinstance(run.files.find(paths[0]), Folder):
        run.files.set_mode(paths[0], executable)
    return ""


def _rsync(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    return run.unknown([Arg("rsync"), *args])


def _ln(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    options, words = split(args)
    if not words or words[0].text is None:
        return ""
    target = words[0].text
    path = run.path(words[1].text if len(words) > 1 else posixpath.basename(target))
    if path is None:
        run.files.doubt("/", "where a link is made is not known")
    elif has(options, "-s", "--symbolic"):
        run.files.link(target, path)
    else:
        run.files.copy(run.path(target) or target, path)
    return ""


def _chmod(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    recursive = any(arg.text in ("-R", "--recursive") for arg in args)
    words = [arg for arg in args if arg.text is None or not re.match(r"-[Rfvc]|--", arg.text)]
    executable = executable_bit(words[0].text) if words else None
    if executable is not None:
        for path in run.paths(words[1:]):
            run.files.set_mode(path, executable, recursive=recursive)
    return ""


def _sed(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    scripts: list[str | None] = []
    words: list[Arg] = []
    in_place = extended = unclear = False
    rest = iter(args)
    for arg in rest:
        text = arg.text or ""
        if text in ("-e", "--expression"):
            following = next(rest, None)
            scripts.append(following.text if following else None)
        elif re.fullmatch(r"-i.*|--in-place(=.*)?", text):
            in_place = True
        elif text in ("-E", "-r", "--regexp-extended"):
            extended = True
        elif text.startswith("-") and text != "-":
            extended = extended or "E" in text or "r" in text
            in_place = in_place or (text[1:2] != "-" and "i" in text)
            unclear = unclear or bool(set(text) & set("nfsz")) or text.startswith("--")
            if text[1:2] != "-" and text.endswith("e"):
                following = next(rest, None)
                scripts.append(following.text if following else None)
        else:
            words.append(arg)
    if not scripts and words:
        scripts.append(words.pop(0).text)
    known = [script for script in scripts if script is not None]
    if len(known) < len(scripts) or not scripts:
        unclear = True

    def change(text: str) -> str | None:
        return None if unclear else sed(text, known, extended=extended)

    if not in_place:
        return change(stdin) if stdin is not None and not words else None
    plain = not unclear and all(strips_carriage_returns(script) for script in known)
    for path in run.paths(words):
        run.files.edit(path, change, keeps_lines=plain)
    return ""


def _dos2unix(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    for path in run.paths(split(args)[1]):
        run.files.edit(path, lambda text: text.replace("\r\n", "\n"), keeps_lines=True)
    return ""


def _git(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    while args and args[0].text in ("-c", "-C"):
        args = args[2:]
    verb = args[0].text if args else ""
    if verb == "clone":
        words = split(args[1:], "-b --branch --depth -c --config -o --origin -j --jobs")[1]
        address = (words[0].text if words else None) or ""
        name = re.split(r"[/:]", address.rstrip("/"))[-1].removesuffix(".git")
        path = run.path(words[1].text if len(words) > 1 else name or None)
        if path is None:
            run.files.doubt(run.cwd or "/", "a repository is cloned there")
        else:
            run.files.make_folder(path)
            run.files.doubt(path, "a repository is cloned there")
    elif verb not in ("config", "lfs", "init", "--version", "rev-parse", "log", "status"):
        return run.unknown([Arg("git"), *args])
    return None


def _curl(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    options, words = split(args, "-o --output -H --header -d --data -X -u -A --retry -m -T")
    output = options.get("-o", options.get("--output"))
    if output is not None and output != "-":
        run.downloaded(output)
    elif has(options, "-O", "--remote-name", "-J"):
        run.downloaded(posixpath.basename((words[-1].text or "") if words else ""))
    return None


def _wget(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    valued = "-O --output-document -P --directory-prefix --header -t -T -U -o"
    options, words = split(args, valued)
    output = options.get("-O", options.get("--output-document"))
    folder = options.get("-P", options.get("--directory-prefix"))
    if output == "-":
        return None
    if output is not None:
        run.downloaded(output)
    elif folder is not None:
        run.files.doubt(run.path(folder) or "/", "files are downloaded to it")
    else:
        for word in words:
            run.downloaded(posixpath.basename((word.text or "").split("?")[0]))
    return None


def _tar(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    texts = [arg.text or "" for arg in args]
    folder: str | None = "."
    for index, text in enumerate(texts):
        if text in ("-C", "--directory"):
            folder = args[index + 1].text if index + 1 < len(args) else None
        elif text.startswith("--directory="):
            folder = text.partition("=")[2]
    path = run.path(folder)
    run.files.doubt(path or "/", "an archive is unpacked there")
    return None


def _unzip(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    options = split(args, "-d -P -x")[0]
    path = run.path(options.get("-d") or ".")
    run.files.doubt(path or "/", "an archive is unpacked there")
    return None


def _user(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    """Useradd and adduser: the home folder is made."""
    valued = "-u --uid -g --gid -G --groups -s --shell -c --comment -d --home --home-dir -k --gecos"
    options, words = split(args, valued + " -h --ingroup -p --password -b --base-dir")
    name = words[0].text if words else None
    home = options.get("-d") or options.get("--home") or options.get("--home-dir")
    if home is None and name:
        home = f"/home/{name}"
    path = run.path(home)
    if path and not has(options, "-M", "--no-create-home", "-H"):
        run.files.make_folder(path)
    return ""


def _node(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    """npm, yarn, pnpm, bun."""
    options, words = split(args, "--prefix -C --cwd --dir")
    verb = words[0].text if words else "install"
    given = [options[o] for o in ("--prefix", "-C", "--cwd", "--dir") if options.get(o)]
    folder = run.path(given[0] if given else ".")
    if has(options, "-g", "--global", "--version", "-v") or verb in (*_NODE_QUIET, "global"):
        return None
    reason = "packages are installed into it"
    if folder is not None and verb in _NODE_INSTALLS:
        run.files.doubt(join(folder, "node_modules"), reason)
        return None
    run.files.doubt(folder or "/", f"`{verb}` of the frontend's build may have made files there")
    return None


def _npx(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    words = split(args)[1]
    if words and words[0].text in ("playwright", "puppeteer", "patchright"):
        return None
    return run.unknown([Arg("npx"), *args])


def _python(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    rest = list(args)
    while rest and (rest[0].text or "") in ("-u", "-B", "-I", "-s", "-E", "-q", "-O", "-S"):
        rest.pop(0)
    first = rest[0].text if rest else None
    if first == "-m" and len(rest) > 1:
        module = rest[1].text or ""
        if module == "pip":
            return pip(run, rest[2:], stdin)
        if module in ("venv", "virtualenv"):
            return _virtualenv(run, rest[2:], stdin)
        if module in _table()["harmless_modules"]:
            return None
        if module == "build":
            return builds_wheel(run, [Arg("python"), *rest])
    if first in ("-V", "--version") or (first in (None, "-") and stdin is None):
        return None  # a piped installer keeps to the system's folders
    code = rest[1].text if first == "-c" and len(rest) > 1 else None
    if first in (None, "-"):
        code = stdin
    if code is not None and not any(word in code for word in _table()["writing_code"]):
        return None
    return run.unknown([Arg("python"), *args])


def _virtualenv(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    for path in run.paths(split(args, "--prompt -p --python")[1]):
        run.files.make_folder(path)
        run.files.doubt(path, "packages are installed into it")
    return ""


_DOES: dict[str, Callable[[Commands, list[Arg], str | None], str | None]] = {
    "cat": _cat,
    "tee": _tee,
    "tr": _tr,
    "mkdir": _mkdir,
    "touch": _touch,
    "rm": _rm,
    "rmdir": _rm,
    "unlink": _rm,
    "cp": _cp,
    "mv": _mv,
    "install": _install,
    "rsync": _rsync,
    "ln": _ln,
    "chmod": _chmod,
    "sed": _sed,
    "dos2unix": _dos2unix,
    "git": _git,
    "curl": _curl,
    "wget": _wget,
    "tar": _tar,
    "unzip": _unzip,
    "useradd": _user,
    "adduser": _user,
    "uv": uv,
    "poetry": poetry,
    "npm": _node,
    "yarn": _node,
    "pnpm": _node,
    "bun": _node,
    "npx": _npx,
    "bunx": _npx,
    "virtualenv": _virtualenv,
}
