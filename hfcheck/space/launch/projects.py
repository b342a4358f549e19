"""Commands that a project file gives a name: pyproject.toml scripts, Procfile, Makefile,
package.json.
"""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from hfcheck.source import Place, ReadProblem, SourceFile
from hfcheck.space.image.entries import Absent, ImageFile, ImageFolder
from hfcheck.space.image.image import Image
from hfcheck.space.launch.process import (
    Stopped,
    folder_of,
    in_folder,
    word_text,
)
from hfcheck.space.shell.host import Call, Returns, Unclear
from hfcheck.space.value import Origin


@dataclass(frozen=True, slots=True)
class Script:
    """A console script: a function of a module (`search` are the folders to import it from), or a
    command line.
    """

    place: Place
    module: str = ""
    attribute: str = ""
    search: tuple[str, ...] = ()
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A command line at a place, and the folder that it runs in."""

    text: str
    place: Place
    folder: str


def script(image: Image, name: str, call: Call) -> Script | None:
    """The console script of this name in a pyproject.toml or Pipfile near the process."""
    folders = [
        folder for folder in (folder_of(call), *(i.folder for i in image.installs)) if folder
    ]
    for folder in dict.fromkeys(folders):
        for file in ("pyproject.toml", "Pipfile"):
            source = _source(image, posixpath.join(folder, file))
            found = _in_toml(source, name, folder) if source is not None else None
            if found is not None:
                return found
    return None


def _source(image: Image, path: str) -> SourceFile | None:
    entry = image.lookup(path)
    if isinstance(entry, ImageFile) and not isinstance(entry.source, ReadProblem):
        return entry.source
    return None


_TABLES = (
    ("project", "scripts"),
    ("project", "gui-scripts"),
    ("tool", "poetry", "scripts"),
    ("tool", "pdm", "scripts"),
    ("tool", "hatch", "envs", "default", "scripts"),
    ("tool", "rye", "scripts"),
    ("tool", "taskipy", "tasks"),
    ("scripts",),
)


def _in_toml(source: SourceFile, name: str, folder: str) -> Script | None:
    try:
        data: object = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    for table in _TABLES:
        found: object = data
        for key in table:
            found = found.get(key) if isinstance(found, dict) else None
        value = found.get(name) if isinstance(found, dict) else None
        if value is not None:
            return _made(
                source,
                name,
                value,
                folder,
                entry_point=(table[-1] == "scripts" and table[0] == "project")
                or table[:2] == ("tool", "poetry"),
            )
    return None


def _made(
    source: SourceFile, name: str, value: object, folder: str, *, entry_point: bool
) -> Script | None:
    if isinstance(value, dict):
        for key in ("cmd", "shell", "composite", "call", "reference", "callable"):
            if key in value:
                entry_point = key in ("call", "reference", "callable")
                value = value[key]
                break
    if isinstance(value, list):
        value = " ".join(str(part) for part in value)
    if not isinstance(value, str):
        return None
    place = _place(source, name, value)
    if not entry_point:
        return Script(place, command=value)
    module, colon, attribute = value.partition(":")
    if not colon:
        return None
    attribute = attribute.partition("(")[0].partition("[")[0].strip()
    search = (folder, posixpath.join(folder, "src"))
    return Script(place, module.strip(), attribute, search)


def _place(source: SourceFile, name: str, value: str) -> Place:
    """Where a value stands: after its key, with its quotes."""
    key = re.search(rf"^[ \t\"']*{re.escape(name)}[\"']?[ \t]*[=:]", source.text, re.MULTILINE)
    start = source.text.find(value, key.end() if key else 0)
    if start < 0:
        return source.place(*key.span()) if key else source.place()
    end = start + len(value)
    if source.text[start - 1 : start] == '"' and source.text[end : end + 1] == '"':
        return source.place(start - 1, end + 1)
    return source.place(start, end)


def recipe(image: Image, call: Call) -> Text | Unclear | Stopped:
    """The command lines of a make target (`-C DIR`, `-f FILE`, variables on the command line)."""
    folder, file = folder_of(call), None
    target: str | None = None
    variables: dict[str, str] = {}
    words = [word_text(word) or "" for word in call.argv[1:]]
    index = 0
    while index < len(words):
        word = words[index]
        if word in ("-C", "--directory") and index + 1 < len(words):
            folder, index = in_folder(folder, words[index + 1]), index + 1
        elif word in ("-f", "--file") and index + 1 < len(words):
            file, index = words[index + 1], index + 1
        elif "=" in word and not word.startswith("-"):
            name, _, value = word.partition("=")
            variables[name] = value
        elif not word.startswith("-"):
            target = target or word
        index += 1
    if folder is None:
        return Unclear("the folder of the Makefile is not known", (Origin(call.place, "make"),))
    names = (file,) if file else ("GNUmakefile", "makefile", "Makefile")
    for name in names:
        source = _source(image, posixpath.join(folder, name))
        if source is not None:
            return _recipe(source, target, variables, folder, call)
    return Unclear("its Makefile is not known", (Origin(call.place, "make"),))


_RULE = re.compile(
    r"^([A-Za-z0-9_.-][^:=#\n\t]*):(?!=)([^\n]*)\n((?:\t[^\n]*\n?|[ \t]*\n|#[^\n]*\n)*)",
    re.MULTILINE,
)
_VARIABLE = re.compile(r"^([A-Za-z_]\w*)[ \t]*[?:]{0,2}=[ \t]*([^\n]*)$", re.MULTILINE)


def _recipe(
    source: SourceFile, target: str | None, variables: Mapping[str, str], folder: str, call: Call
) -> Text | Unclear:
    known = {m.group(1): m.group(2).strip() for m in _VARIABLE.finditer(source.text)}
    known.update(variables)
    for match in _RULE.finditer(source.text + "\n"):
        names = match.group(1).split()
        if target is None and names and not names[0].startswith("."):
            target = names[0]
        if target not in names:
            continue
        lines = [
            line[1:].lstrip("@-+ \t")
            for line in match.group(3).splitlines()
            if line.startswith("\t")
        ]
        text = "\n".join(lines)
        text = re.sub(r"\$[({](\w+)[)}]", lambda m: known.get(m.group(1), ""), text)
        text = text.replace("$$", "$")
        end = min(match.end(3), len(source.text))
        first = match.group(3).splitlines()[0] if match.group(3).strip() else ""
        start = match.start(3) + (len(first) - len(first.lstrip("\t@-+ ")))
        return Text(text, source.place(start, end), folder)
    return Unclear(f"the Makefile has no target `{target}`", (Origin(call.place, "make"),))


def package_script(image: Image, call: Call) -> Text | Unclear | Stopped | Returns:
    """The script of package.json that `npm start` or `npm run NAME` runs."""
    folder = folder_of(call)
    words = [word_text(word) or "" for word in call.argv[1:]]
    names: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        if word in ("--prefix", "-C", "--cwd", "--dir") and index + 1 < len(words):
            folder, index = in_folder(folder, words[index + 1]), index + 1
        elif word.startswith("--prefix="):
            folder = in_folder(folder, word.partition("=")[2])
        elif word == "--":
            break
        elif not word.startswith("-"):
            names.append(word)
        index += 1
    if names[:1] in (["install"], ["ci"], ["i"], ["add"], ["build"], ["cache"], ["config"]):
        return Returns(0)
    name = (
        names[1]
        if names[:1] in (["run"], ["run-script"]) and len(names) > 1
        else (names[0] if names else "")
    )
    if folder is None or not name:
        return Unclear(
            "which script of package.json it runs is not known",
            (Origin(call.place, "package.json"),),
        )
    source = _source(image, posixpath.join(folder, "package.json"))
    if source is None:
        entry = image.lookup(posixpath.join(folder, "package.json"))
        if isinstance(entry, Absent) and isinstance(image.lookup(folder), ImageFolder):
            return Stopped(f"there is no `{folder}/package.json` in the image", call.place)
        return Unclear("package.json is not known", (Origin(call.place, "package.json"),))
    try:
        data = json.loads(source.text)
    except (ValueError, RecursionError):
        return Unclear("package.json can't be read")
    scripts = data.get("scripts") if isinstance(data, dict) else None
    text = scripts.get(name) if isinstance(scripts, dict) else None
    if text is None and name == "start":
        text = "node server.js"
    if not isinstance(text, str):
        return Unclear(f"package.json has no script `{name}`", (Origin(call.place, name),))
    after = call.argv[1 + words.index("--") + 1 :] if "--" in words else ()
    extra = " ".join(word_text(word) or "" for word in after)
    place = _place(source, name, text)
    return Text(f"{text} {extra}".strip(), place, folder)
