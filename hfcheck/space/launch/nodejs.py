"""The port that a small node server listens on, read from its text.

Understands `x.listen(PORT, HOST)` with constants, `process.env.PORT || 3000`, and the like; all
else is unknown. The server of a Next.js or SvelteKit build is known by its place.
"""

from __future__ import annotations

import posixpath
import re

from hfcheck.source import Place, ReadProblem, SourceFile
from hfcheck.space.image.entries import Absent, Entry, ImageFile, ImageFolder
from hfcheck.space.image.image import Image
from hfcheck.space.launch.address import port_number
from hfcheck.space.launch.process import (
    LaunchProblem,
    Listener,
    Stopped,
    env_value,
    folder_of,
    in_folder,
    served,
    word_text,
)
from hfcheck.space.shell.host import ArgWord, Call, CommandResult, Returns, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value

_VALUES = frozenset({"-r", "--require", "--import", "--loader", "-C", "--env-file"})
_LISTEN = re.compile(r"\.listen\s*\(")
_CALLBACK = re.compile(r"^(async\b|function\b|\(|[A-Za-z_$][\w$]*\s*=>)")
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_STANDALONE = re.compile(r"^[ \t]*COPY[ \t][^\n]*\.next/standalone", re.MULTILINE | re.IGNORECASE)
_DEPTH = 8


def node(image: Image, call: Call) -> CommandResult | Stopped:
    """What `node FILE` does."""
    words = list(call.argv[1:])
    while words and (word_text(words[0]) or "").startswith("-"):
        text = word_text(words[0]) or ""
        if text in ("-v", "--version", "-e", "--eval", "-p"):
            return Returns(0)
        words = words[2:] if text in _VALUES else words[1:]
    if words and word_text(words[0]) in ("watch",):
        words = words[1:]
    if not words:
        return Returns(0)
    path = in_folder(folder_of(call), word_text(words[0]) or "")
    if path is None:
        return Unclear("which script node runs is not known", words[0].value.origins)
    found = _script(image, path)
    if isinstance(found, ImageFile) and not isinstance(found.source, ReadProblem):
        return _read(found.source, call, words)
    if isinstance(found, Absent):
        problem = LaunchProblem(
            "app-target-missing",
            f"the container starts `{path}`, which is not in the image",
            words[0].place,
        )
        return Stopped(f"there is no file `{path}` in the image", words[0].place, 1, (problem,))
    built = _built(path, call)
    if built is not None:
        return served(built)
    reason = getattr(found, "reason", None) or "it can't be read"
    return Unclear(f"what `{path}` does is not known: {reason}", (Origin(words[0].place, path),))


def _script(image: Image, path: str) -> Entry:
    """The file that node loads for a path: itself, with `.js`, or the index of a folder."""
    found = image.lookup(path)
    if isinstance(found, ImageFolder):
        return image.lookup(f"{path}/index.js")
    if isinstance(found, Absent):
        for ending in (".js", ".cjs", ".mjs"):
            other = image.lookup(path + ending)
            if not isinstance(other, Absent):
                return other
    return found


def _built(path: str, call: Call) -> Listener | None:
    """The server.js of a Next.js standalone build: PORT or 3000, HOSTNAME or all interfaces."""
    dockerfile = call.steps[0].place.source.text if call.steps else ""
    if posixpath.basename(path) != "server.js" or not _STANDALONE.search(dockerfile):
        return None
    note = "the server of a Next.js build"
    here = Origin(call.place, note)
    port = env_value(call, "PORT") or Known("3000", (here,))
    host = env_value(call, "HOSTNAME")
    if not isinstance(host, Known):
        # Docker sets HOSTNAME to the container's own name, which is reachable from outside.
        host = Known("0.0.0.0", (here,))
    return _listener("next", Known(host.value, host.origins), _number(port), call, call.place)


def _listener(
    server: str, host: Value[str | None], port: Value[int], call: Call, place: Place
) -> Listener:
    return Listener(server, host, port, None, place, call.steps, not call.background, env=call.env)


def _read(source: SourceFile, call: Call, words: list[ArgWord]) -> CommandResult:
    text = _without_comments(source.text)
    reader = _Reader(source, text, call, words)
    found = [reader.listener(match) for match in _LISTEN.finditer(text)]
    listeners = [each for each in found if each is not None]
    origin = Origin(words[0].place, "node")
    if not listeners:
        return Unclear("where its node program listens is not known", (origin,))
    addresses = {(getattr(x.port, "value", None), getattr(x.host, "value", "?")) for x in listeners}
    if len(addresses) > 1:
        return Unclear("its node program listens in several places", (origin,))
    return served(listeners[0])


_COMMENT = re.compile(
    r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|//[^\n]*|/\*.*?\*/", re.DOTALL
)


def _without_comments(text: str) -> str:
    def blank(match: re.Match[str]) -> str:
        found = match.group()
        return re.sub(r"[^\n]", " ", found) if found.startswith("/") else found

    return _COMMENT.sub(blank, text)


class _Reader:
    def __init__(self, source: SourceFile, text: str, call: Call, words: list[ArgWord]) -> None:
        self.source, self.text, self.call, self.words = source, text, call, words

    def listener(self, match: re.Match[str]) -> Listener | None:
        arguments = _arguments(self.text, match.end())
        if not arguments:
            return None
        place = self.source.place(match.start() + 1, match.start() + 7)
        start, first = arguments[0]
        if _CALLBACK.match(first):
            return None
        host_text: tuple[int, str] | None = None
        if first.startswith("{"):
            port_text = _field(first, start, "port")
            host_text = _field(first, start, "host")
            if port_text is None:
                return None
        elif (options := self.options(start, first)) is not None:
            port_text, host_text = options
        else:
            port_text = arguments[0]
            if len(arguments) > 1 and not _CALLBACK.match(arguments[1][1]):
                host_text = arguments[1]
        port = self.value(*port_text, 0)
        host: Value[str | None] = Known(None, (Origin(place, "node listens on all interfaces"),))
        if host_text is not None:
            found = self.value(*host_text, 0)
            host = Known(found.value, found.origins) if isinstance(found, Known) else found
            if isinstance(host, Known) and host.value in ("", "undefined", "null"):
                host = Known(None, host.origins)
        return _listener("node", host, _number(port), self.call, place)

    def options(
        self, start: int, name: str
    ) -> tuple[tuple[int, str], tuple[int, str] | None] | None:
        """Port and host of `listen(options)` with `const options = {...}`, perhaps behind a
        condition; None where the name is no such object.
        """
        declared = self.declaration(name) if _NAME.fullmatch(name) else None
        if declared is None:
            return None
        at, text = declared
        question, colon = _outside(text, "?"), _outside(text, ":")
        if question is not None and colon is not None and question < colon:
            test = self.value(at, text[:question], 0)
            if isinstance(test, Unknown):
                return None
            holds = test.value not in ("", "undefined", "0")
            part = (question + 1, colon) if holds else (colon + 1, len(text))
            at, text = at + part[0], text[part[0] : part[1]]
        at, text = at + len(text) - len(text.lstrip()), text.strip()
        port = _field(text, at, "port") if text.startswith("{") else None
        return (port, _field(text, at, "host")) if port is not None else None

    def declaration(self, name: str) -> tuple[int, str] | None:
        """The text that a name is declared with, and where it stands; None where there is not
        exactly one.
        """
        pattern = rf"\b(?:const|let|var)\s+{re.escape(name)}\s*(?::\s*[\w| ]+)?=\s*"
        found = list(re.finditer(pattern, self.text))
        if len(found) != 1:
            return None
        start = found[0].end()
        return start, self.text[start : _statement_end(self.text, start)]

    def parameter(self, name: str, depth: int) -> Value[str] | None:
        """The default of a parameter of the function that listens, where every call in the file
        leaves it out.
        """
        found = list(re.finditer(rf"\bfunction\s+(\w+)\s*\((?=[^)]*\b{name}\s*=)", self.text))
        if len(found) != 1:
            return None
        calls = re.findall(rf"(?<!function )\b{found[0].group(1)}\s*\(\s*([^)\s])?", self.text)
        if any(calls):
            return None
        for at, text in _arguments(self.text, found[0].end()):
            key, equals, default = text.partition("=")
            if equals and key.strip() == name:
                return self.value(at + len(key) + 1, default, depth + 1)
        return None

    def value(self, start: int, text: str, depth: int) -> Value[str]:
        """The value of a small expression that stands at `start`, as a text."""
        stripped = text.strip()
        start += len(text) - len(text.lstrip())
        place = self.source.place(start, start + len(stripped))
        origin = Origin(place, stripped)
        if depth > _DEPTH:
            return Unknown("it is not followed", (origin,))
        literal = re.fullmatch(r"(\d+)|\"([^\"\\]*)\"|'([^'\\]*)'|`([^`$\\]*)`", stripped)
        if literal:
            return Known(next(g for g in literal.groups() if g is not None), (origin,))
        cut = _cut(stripped)
        if cut is not None:
            left = self.value(start, stripped[: cut[0]], depth + 1)
            if isinstance(left, Known) and left.value not in ("", "undefined", "0"):
                return left
            if isinstance(left, Unknown):
                return left
            return self.value(start + cut[1], stripped[cut[1] :], depth + 1)
        wrapped = re.fullmatch(
            r"(?:parseInt|Number|Number\.parseInt|String|\+)?\s*\((.*)\)", stripped, re.DOTALL
        )
        if wrapped:
            inner = _arguments(stripped, wrapped.start(1))
            if inner:
                return self.value(start + inner[0][0], inner[0][1], depth + 1)
        unary = re.fullmatch(r"\+\s*(.*)", stripped, re.DOTALL)
        if unary:
            return self.value(start + unary.start(1), unary.group(1), depth + 1)
        variable = re.fullmatch(
            r"(?:process|Bun|import\.meta)\.env(?:\.(\w+)|\[[\"'](\w+)[\"']\])", stripped
        )
        if variable:
            return self.variable(variable.group(1) or variable.group(2), origin)
        argument = re.fullmatch(r"process\.argv\[(\d+)\]", stripped)
        if argument:
            return self.argument(int(argument.group(1)), origin)
        if _NAME.fullmatch(stripped):
            return self.name(stripped, origin, depth)
        return Unknown(f"`{stripped[:40]}` is not followed", (origin,))

    def variable(self, name: str, origin: Origin) -> Value[str]:
        found = env_value(self.call, name)
        return found if found is not None else Known("undefined", (origin,))

    def argument(self, index: int, origin: Origin) -> Value[str]:
        position = index - 1
        if 0 < position < len(self.words):
            return self.words[position].value
        return Known("undefined", (origin,))

    def name(self, name: str, origin: Origin, depth: int) -> Value[str]:
        declared = self.declaration(name)
        if declared is not None:
            return self.value(*declared, depth + 1)
        found = self.parameter(name, depth)
        return found or Unknown(f"`{name}` is not followed", (origin,))


def _number(value: Value[str]) -> Value[int]:
    if isinstance(value, Unknown):
        return value
    number = port_number(value.value)
    return (
        Known(number, value.origins) if number else Unknown("its port is not known", value.origins)
    )


def _arguments(text: str, start: int) -> list[tuple[int, str]]:
    """The arguments from behind an opening parenthesis on, with their offsets."""
    found: list[tuple[int, str]] = []
    depth, begin, index = 0, start, start
    limit = min(len(text), start + 4000)
    while index < limit:
        character = text[index]
        if character in "\"'`":
            index = _string_end(text, index, limit)
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif character == "," and depth == 0:
            found.append((begin, text[begin:index]))
            begin = index + 1
        index += 1
    if text[begin:index].strip():
        found.append((begin, text[begin:index]))
    return [(at + len(part) - len(part.lstrip()), part.strip()) for at, part in found]


def _string_end(text: str, start: int, limit: int) -> int:
    quote = text[start]
    index = start + 1
    while index < limit and text[index] != quote:
        index += 2 if text[index] == "\\" else 1
    return index


def _statement_end(text: str, start: int) -> int:
    depth, index = 0, start
    limit = min(len(text), start + 1000)
    while index < limit:
        character = text[index]
        if character in "\"'`":
            index = _string_end(text, index, limit)
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif (character in ";," and depth <= 0) or (
            character == "\n"
            and depth <= 0
            and not re.match(r"\s*(\|\||\?\?)", text[index : index + 40])
        ):
            return index
        index += 1
    return index


def _cut(text: str) -> tuple[int, int] | None:
    """Where a `||` or `??` outside brackets stands: its start and its end."""
    places = [at for at in (_outside(text, "||"), _outside(text, "??")) if at is not None]
    return (min(places), min(places) + 2) if places else None


def _outside(text: str, wanted: str) -> int | None:
    """Where `wanted` first stands outside of brackets and strings."""
    depth, index = 0, 0
    while index < len(text):
        character = text[index]
        if character in "\"'`":
            index = _string_end(text, index, len(text))
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif depth == 0 and text.startswith(wanted, index):
            doubled = wanted == "?" and text[index + 1 : index + 2] in ("?", ".")
            if not doubled:
                return index
            index += 1
        index += 1
    return None


def _field(text: str, start: int, name: str) -> tuple[int, str] | None:
    """The value of `name: value` in an object; `{ port }` is the name itself."""
    for at, part in _arguments(text, 1):
        key, colon, value = part.partition(":")
        if key.strip() == name:
            if not colon:
                return start + at, part
            return start + at + len(key) + 1, value
    return None
