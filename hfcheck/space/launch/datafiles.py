"""Files that a Python program reads its settings from: JSON, YAML, TOML, INI.

`open()` gives an `OpenFile`; what a parser makes of it becomes known values.
"""

from __future__ import annotations

import ast
import configparser
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import yaml

from hfcheck.source import ReadProblem, SourceFile
from hfcheck.space.code.functions import FUNCTIONS
from hfcheck.space.code.values import WouldRaise
from hfcheck.space.image.entries import Absent, ImageFile
from hfcheck.space.launch.process import in_folder
from hfcheck.space.value import Known, Origin, Unknown, Value

if TYPE_CHECKING:
    from hfcheck.space.code.frames import Frame
    from hfcheck.space.launch.memory import Memory

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MOST_TEXT = 100_000

INI = frozenset({"configparser.ConfigParser", "configparser.RawConfigParser",
                 "configparser.SafeConfigParser"})  # fmt: skip
INI_READS = frozenset({"read", "read_string", "read_file", "read_dict"})
SECTIONS = "#sections"
"""The attribute of a parser of INI files that its sections are kept in."""

_CASTS = {"get": "str", "getint": "int", "getfloat": "float"}


class _NotFollowed(Exception):
    """A text that is not read, and why."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A text file of the image that the program has opened."""

    source: SourceFile


def call(memory: Memory, name: str, node: ast.Call, frame: Frame) -> Value[object] | None:
    """What a function gives that opens a file or reads one; None for any other."""
    if name in ("open", "io.open", "codecs.open"):
        return _opened(memory, _first(memory, node, frame, "file"))
    parser = _PARSERS.get(name)
    if parser is None:
        return None
    given = _first(memory, node, frame, "stream")
    if isinstance(given, Unknown):
        return given
    if isinstance(given.value, OpenFile):
        return _parsed(parser, given.value.source)
    if isinstance(given.value, str) and name in _FROM_TEXT:
        return _parsed_text(parser, given.value, given.origins)
    return _parsed_file(memory, parser, given) if name in _FROM_PATH else None


def method(
    memory: Memory, node: ast.Call, func: ast.Attribute, frame: Frame
) -> Value[object] | None:
    """What a method gives of a path, an open file, a parser of INI files or a section of it."""
    if func.attr not in _METHODS:
        return None
    owner = memory.evaluate(func.value, frame)
    thing = owner.value if isinstance(owner, Known) else None
    if isinstance(thing, OpenFile) and func.attr == "read":
        return _text(thing.source)
    if isinstance(thing, PurePath) and func.attr in ("open", "read_text", "read_bytes"):
        opened = _opened(memory, owner)
        found = opened.value if isinstance(opened, Known) else None
        if func.attr == "open" or not isinstance(found, OpenFile):
            return opened
        return _text(found.source)
    if func.attr in _CASTS and (isinstance(thing, dict) and func.attr != "get"):
        return _entry(memory, thing, func.attr, node, frame, node.args)
    sections = memory.kept(thing, SECTIONS)
    return _entry_of(memory, sections, node, func, frame) if sections is not None else None


def _entry_of(
    memory: Memory, sections: Value[object], node: ast.Call, func: ast.Attribute, frame: Frame
) -> Value[object]:
    """`parser.getint("server", "port")`."""
    if isinstance(sections, Unknown) or not isinstance(sections.value, dict):
        return sections
    section = memory.evaluate(node.args[0], frame) if node.args else Unknown("no section")
    if isinstance(section, Unknown):
        return section
    entries = sections.value.get(section.value)
    inner = entries.value if isinstance(entries, Known) else None
    if func.attr in _CASTS:
        return _entry(memory, inner, func.attr, node, frame, node.args[1:])
    return Unknown(f".{func.attr}() is not followed")


def read_ini(memory: Memory, node: ast.Call, owner: Value[object], frame: Frame) -> None:
    """`parser.read(path)` and its kin: the parser has the sections of the file."""
    method_name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    given = memory.value_of(node.args[0], frame) if node.args else Unknown("no file")
    if method_name == "read":
        given = _opened(memory, given)
    thing = given.value if isinstance(given, Known) else None
    text = thing.source.text if isinstance(thing, OpenFile) else None
    if method_name == "read_string" and isinstance(thing, str):
        text = thing
    found: Value[object] = Unknown("what the parser reads is not known", given.origins)
    if text is not None:
        found = _parsed_text(_ini, text, given.origins)
    memory.set_attribute(owner, SECTIONS, found)


def _first(memory: Memory, node: ast.Call, frame: Frame, name: str) -> Value[object]:
    if node.args and not isinstance(node.args[0], ast.Starred):
        return memory.evaluate(node.args[0], frame)
    for keyword in node.keywords:
        if keyword.arg == name:
            return memory.evaluate(keyword.value, frame)
    return Unknown("which file it reads is not known")


def _opened(memory: Memory, path: Value[object]) -> Value[object]:
    """A file as the program sees it from the folder that it starts in."""
    if isinstance(path, Unknown):
        return path
    full = None
    if isinstance(path.value, (str, PurePath)):
        full = in_folder(memory.folder, str(path.value))
    if full is None:
        return Unknown("which file it reads is not known", path.origins)
    image = memory.python.image
    entry = image.lookup(full)
    if isinstance(entry, Absent):
        return Unknown(f"there is no file `{full}` in the image", path.origins)
    if not isinstance(entry, ImageFile) or isinstance(entry.source, ReadProblem):
        return Unknown(f"what `{full}` holds is not known", path.origins)
    if image.gitignored(full):
        return Unknown(f"`{full}` is not in the Space", path.origins)
    return Known(OpenFile(entry.source), (Origin(entry.source.place(), f"reads {full}"),))


def _text(source: SourceFile) -> Value[object]:
    return Known(source.text, (Origin(source.place(), "is read here"),))


def _entry(
    memory: Memory,
    entries: object,
    how: str,
    node: ast.Call,
    frame: Frame,
    rest: list[ast.expr],
) -> Value[object]:
    """`.getint("port", fallback=8000)` of a section."""
    key = memory.evaluate(rest[0], frame) if rest else Unknown("no name")
    if isinstance(key, Unknown) or not isinstance(key.value, str):
        return Unknown("which entry is read is not known")
    found = entries.get(key.value.lower()) if isinstance(entries, dict) else None
    if not isinstance(found, Known):
        fallback = next((k.value for k in node.keywords if k.arg == "fallback"), None)
        if fallback is None and len(rest) > 1:
            fallback = rest[1]
        if fallback is None:
            return Unknown(f"there is no entry `{key.value}`")
        return memory.evaluate(fallback, frame)
    return FUNCTIONS[_CASTS[how]]([found], {})


def _parsed(parser: Callable[[str], object], source: SourceFile) -> Value[object]:
    return _parsed_text(parser, source.text, (Origin(source.place(), "is read here"),))


def _parsed_text(
    parser: Callable[[str], object], text: str, origins: tuple[Origin, ...]
) -> Value[object]:
    if len(text) > _MOST_TEXT:
        return Unknown("the file is too long to be read", origins)
    try:
        return Known(_values(parser(text), origins), origins)
    except (ValueError, yaml.YAMLError, configparser.Error):
        raise WouldRaise("ValueError", origins) from None
    except RecursionError:
        return Unknown("the file is nested too deeply", origins)
    except _NotFollowed as problem:
        return Unknown(str(problem), origins)


def _parsed_file(
    memory: Memory, parser: Callable[[str], object], path: Value[object]
) -> Value[object]:
    opened = _opened(memory, path)
    if isinstance(opened, Known) and isinstance(opened.value, OpenFile):
        return _parsed(parser, opened.value.source)
    return opened


def _values(thing: object, origins: tuple[Origin, ...]) -> object:
    """Containers with `Value`s for items."""
    if isinstance(thing, list):
        return [Known(_values(part, origins), origins) for part in thing]
    if isinstance(thing, dict):
        return {key: Known(_values(part, origins), origins) for key, part in thing.items()}
    return thing


def _ini(text: str) -> object:
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser}


def _yaml(text: str) -> object:
    if "&" in text and "*" in text:
        raise _NotFollowed("aliases are not followed")  # of each other they fill the memory
    loaded: object = yaml.load(text, _Loader)
    return loaded


_PARSERS: dict[str, Callable[[str], object]] = {
    "json.load": json.loads,
    "json.loads": json.loads,
    "yaml.safe_load": _yaml,
    "yaml.load": _yaml,
    "yaml.full_load": _yaml,
    "tomllib.load": tomllib.loads,
    "tomllib.loads": tomllib.loads,
    "tomli.load": tomllib.loads,
    "tomli.loads": tomllib.loads,
    "toml.load": tomllib.loads,
    "toml.loads": tomllib.loads,
}
_FROM_TEXT = frozenset({"json.loads", "yaml.safe_load", "yaml.load", "yaml.full_load",
                        "tomllib.loads", "tomli.loads", "toml.loads"})  # fmt: skip
_FROM_PATH = frozenset({"toml.load"})
_METHODS = frozenset({"read", "read_text", "read_bytes", "open", *_CASTS})
