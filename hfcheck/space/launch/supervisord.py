"""supervisord: the programs of its configuration."""

from __future__ import annotations

import configparser
import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hfcheck.source import Place, SourceFile
from hfcheck.space.image.entries import Absent, ImageFolder
from hfcheck.space.image.image import Image
from hfcheck.space.launch.configfiles import matching, read
from hfcheck.space.launch.process import (
    Stopped,
    env_value,
    folder_of,
    in_folder,
    literal,
    word_text,
)
from hfcheck.space.shell.host import ArgWord, Call, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value

_DEFAULTS = (
    "supervisord.conf",
    "etc/supervisord.conf",
    "/etc/supervisord.conf",
    "/etc/supervisor/supervisord.conf",
    "../etc/supervisord.conf",
)
"""Where supervisord looks without `-c` (supervisor 4.3, `Options.searchpaths`)."""

_NO = ("false", "0", "no", "off", "n", "f")
_YES = ("true", "1", "yes", "on", "y", "t")


@dataclass(frozen=True, slots=True)
class Supervised:
    """The programs that supervisord starts, and whether it goes to the background itself."""

    programs: tuple[Call, ...]
    background: bool


def supervised(image: Image, call: Call) -> Supervised | Unclear | Stopped:
    """What supervisord does with these words and its configuration."""
    sources = _sources(image, call)
    if not isinstance(sources, list):
        return sources
    parsers = [(source, _parsed(source)) for source in sources]
    main = parsers[0][1]
    background = not _stays(call, main)
    common = main.get("supervisord", "environment", fallback="") if main else ""
    programs: list[Call] = []
    for source, parser in parsers:
        if parser is None:
            reason = f"`{source.path.name}` can't be read by supervisord"
            return Stopped(reason, source.place(0, 0), 2)
        for found in _programs(source, parser, common, call):
            if isinstance(found, Stopped):
                return found
            programs.append(found)
    return Supervised(tuple(programs), background)


def _sources(image: Image, call: Call) -> list[SourceFile] | Unclear | Stopped:
    """The configuration file and those that it includes."""
    words = [word_text(word) or "" for word in call.argv[1:]]
    paths = [in_folder(folder_of(call), path) for path in _DEFAULTS]
    named = False
    for index, word in enumerate(words):
        if word in ("-c", "-nc", "--configuration") and index + 1 < len(words):
            paths, named = [in_folder(folder_of(call), words[index + 1])], True
        elif word.startswith("--configuration="):
            paths, named = [in_folder(folder_of(call), word.partition("=")[2])], True
    for path in paths:
        source = read(image, path) if path else None
        if source is not None and path is not None:
            return [source, *_included(image, call, source, path)]
    if named and paths[0] and isinstance(image.lookup(paths[0]), Absent):
        return Stopped(f"there is no file `{paths[0]}` in the image", call.place, 2)
    if any(path and path.startswith("/etc/supervisor") for path in paths):
        folder = "/etc/supervisor/conf.d"
        found = matching(image, f"{folder}/*.conf")
        if isinstance(image.lookup(folder), ImageFolder) and found:
            return found
    reason = "the configuration of supervisord is not known"
    return Unclear(reason, (Origin(call.place, "supervisord"),))


def _included(image: Image, call: Call, source: SourceFile, path: str) -> list[SourceFile]:
    match = re.search(r"^\[include\][^\[]*?^files[ \t]*=[ \t]*([^\n]*)", source.text, re.MULTILINE)
    folder = posixpath.dirname(path)
    found: list[SourceFile] = []
    for pattern in match.group(1).split() if match else ():
        found.extend(matching(image, in_folder(folder, pattern) or pattern))
    return found


def _parsed(source: SourceFile) -> configparser.RawConfigParser | None:
    parser = configparser.RawConfigParser(
        strict=False, interpolation=None, inline_comment_prefixes=(";",), delimiters=("=",)
    )
    try:
        parser.read_string(source.text)
    except (configparser.Error, ValueError):
        return None
    return parser


def _stays(call: Call, parser: configparser.RawConfigParser | None) -> bool:
    words = [word_text(word) or "" for word in call.argv[1:]]
    if any(word in ("-n", "-nc", "--nodaemon") for word in words):
        return True
    # Without a section of its own the file is one of those that another one includes.
    if parser is None or not parser.has_section("supervisord"):
        return True
    return parser.get("supervisord", "nodaemon", fallback="false").strip().lower() in _YES


def _programs(
    source: SourceFile, parser: configparser.RawConfigParser, common: str, call: Call
) -> Iterator[Call | Stopped]:
    for section in parser.sections():
        if not section.startswith("program:") or not parser.has_option(section, "command"):
            continue
        if parser.get(section, "autostart", fallback="true").strip().lower() in _NO:
            continue
        text = parser.get(section, "command")
        place = _command_place(source, section, text)
        env = dict(call.env)
        for settings in (common, parser.get(section, "environment", fallback="")):
            env.update(_environment(settings, source, place, call))
        argv = _words(text, call, place)
        if isinstance(argv, Stopped):
            yield argv
            continue
        yield replace(
            call,
            argv=argv,
            env=env,
            cwd=_folder(parser.get(section, "directory", fallback=None), call, place),
            place=place,
            background=True,
            steps=(*call.steps, Origin(place, f"supervisord starts {section[8:]}")),
        )


def _words(text: str, call: Call, place: Place) -> tuple[ArgWord, ...] | Stopped:
    """The words of a command: split as a shell does, and handed over without one."""
    missing = _unset(text, call)
    if missing is not None:
        return Stopped(f"supervisord can't fill in `{missing}`: it is not set", place, 2)
    filled = _expanded(text, call)
    if filled is None:
        word = literal(" ".join(text.split()), place)
        return (replace(word, value=Unknown("a variable in it is not known")),)
    try:
        words = shlex.split(filled)
    except ValueError:
        words = []
    if not words:
        return Stopped("the command can't be split into words", place, 2)
    return tuple(literal(word, place) for word in words)


def _folder(folder: str | None, call: Call, place: Place) -> Value[str]:
    if folder is None:
        return call.cwd
    path = in_folder(folder_of(call), _expanded(folder, call) or "")
    return Known(path, (Origin(place, folder),)) if path else Unknown("its folder is not known")


def _command_place(source: SourceFile, section: str, text: str) -> Place:
    start = max(source.text.find(f"[{section}]"), 0)
    first = text.strip().splitlines()[0] if text.strip() else ""
    found = source.text.find(first, start)
    return source.place(found, found + len(first)) if found >= 0 else source.place(start)


_PAIR = re.compile(r"(\w+)[ \t]*=[ \t]*(?:\"([^\"]*)\"|'([^']*)'|([^,\s]*))")


def _environment(
    text: str, source: SourceFile, place: Place, call: Call
) -> Iterator[tuple[str, Value[str]]]:
    for match in _PAIR.finditer(text):
        value = next((group for group in match.groups()[1:] if group is not None), "")
        start = source.text.find(match.group(), 0)
        where = source.place(start, start + len(match.group())) if start >= 0 else place
        filled = _expanded(value, call)
        origin = Origin(where, match.group())
        if filled is None:
            yield match.group(1), Unknown("a variable in it is not known", (origin,))
        else:
            yield match.group(1), Known(filled, (origin,))


_FORMAT = re.compile(r"%\((\w+)\)[sd]")


def _unset(text: str, call: Call) -> str | None:
    """The first variable that a text wants filled in and that is certainly not set."""
    for match in _FORMAT.finditer(text):
        name = match.group(1)
        if name.startswith("ENV_") and env_value(call, name.removeprefix("ENV_")) is None:
            return match.group()
    return None


def _expanded(text: str, call: Call) -> str | None:
    """A value of supervisord with `%(ENV_X)s` filled in; None where that can't be known."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if not name.startswith("ENV_"):
            return "0" if name == "process_num" else name
        found = env_value(call, name.removeprefix("ENV_"))
        return found.value if isinstance(found, Known) else "\0"

    filled = _FORMAT.sub(value, text).replace("%%", "%")
    return None if "\0" in filled else filled
