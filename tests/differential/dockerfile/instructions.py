"""The Dockerfile reader against BuildKit's parser: lists of instructions.

`generate(seed)` makes a Dockerfile, `disagreements(text)` compares hfcheck's reading with that of
the package `dockerfile`, which binds BuildKit 0.12.5; where a later BuildKit reads a file
differently, hfcheck follows the later one, and `is_newer(text)` tells such files. `differences`
compares it with a list from elsewhere.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from hfcheck.source import SourceFile
from hfcheck.space.docker.dockerfile import DockerfileProblem, Instruction
from hfcheck.space.docker.instruction import read_instructions
from hfcheck.space.docker.logical import Reader

NAMES = (
    *("FROM", "RUN", "CMD", "ENTRYPOINT", "COPY", "ADD", "ENV", "ARG", "LABEL", "EXPOSE"),
    *("WORKDIR", "USER", "VOLUME", "SHELL", "HEALTHCHECK", "ONBUILD", "STOPSIGNAL", "MAINTAINER"),
)
ATOMS = (
    *("a", "b=c", "A=1", "B='x y'", 'C="p q"', "D=e\\ f", "$X", "${Y:-z}", "'", '"', "\\", "`"),
    *("\\\\", "#", "# c", "=", "--x=y", "--from=b", "--", "[", "]", "{}", "é", "&&", ";", "|"),
    *('["a", "b"]', "['a']", '["a",]', '["a" "b"]', "[]", '["\\u0041\\n"]', "[1]", '["a", ["b"]]'),
    *("<<EOF", "<<-EOF", "<<'EOF'", '<<"E"', "3<<EOF", "<<<", "$((1<<2))", "<<E\\F", "a<<EOF"),
    *("CMD", "NONE", "AS", "as", "python:3.12", "80/tcp", "\t", "  ", "\v", "\f", "\r", "\xa0"),
    *("K=", '"x\\"y"', "'x\\'", "\u2003", "\x1c", "$$", "${", "}", "x\\", "\ufeff", "\x85", "café"),
)
LINES = (
    *("", "  ", "# note", "  # note", "\t", "EOF", "\tEOF", " EOF", "E", "EF", "'EOF'", "\\"),
    *("# escape=`", "# escape=\\", "#escape = `", "# syntax=docker/dockerfile:1", "#", "#\\"),
    *("# escape=x", "# ESCAPE=`", "# escape", "\xa0", "\f", "\\ ", "`", "# foo=bar", "\\\\"),
)


def generate(seed: int) -> str:
    """A Dockerfile of a few lines, mostly odd ones."""
    chance = random.Random(seed)
    lines = [_head(chance)] if chance.random() < 0.5 else ["FROM python:3.12"]
    lines += [_line(chance) for _ in range(chance.randint(0, 9))]
    newline = chance.choice(("\n", "\n", "\n", "\r\n"))
    text = newline.join(lines)
    return text + newline if chance.random() < 0.7 else text


def _head(chance: random.Random) -> str:
    heads = ("# escape=`", "# syntax=x", "# syntax=x\n# escape=`", "", "#", " # escape=`")
    return chance.choice((*heads, "# Escape = ` \t", "# escape=`\n# escape=`", "FROM a AS b"))


def _line(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return chance.choice(LINES)
    name = chance.choice(NAMES)
    if chance.random() < 0.25:
        name = chance.choice((name.lower(), name.title(), f" {name}", "\t" + name, "NOPE", "RU\\"))
    if name == "ONBUILD" and chance.random() < 0.8:
        name += " " + chance.choice(NAMES)
    words = [chance.choice(ATOMS) for _ in range(chance.randint(0, 5))]
    if chance.random() < 0.5:
        words = [word for word in words if word.isascii() and word.isprintable()]
    text = chance.choice((" ", " ", "  ", "\t", "")).join([name, *words])
    if chance.random() < 0.35:
        text += chance.choice((" \\", "\\", "\\ ", "\\\t", " `", "`", "\\\\", " \\ x", "\\\v"))
    return text


def is_newer(text: str) -> bool:
    """Whether BuildKit after 0.12.5 may read a file differently: `<< EOF`, text after a JSON
    array, `# check=`, an escape character other than a backslash in a flag, white space and
    letters outside ASCII in a flag (it reads those byte by byte, and hfcheck does not)."""
    flags = any(not flag.isascii() or "`" in flag or "\\" in flag for flag in _flag_lines(text))
    return flags or bool(re.search(r"<<-?[\s\\`]|#\s*check|\][^\n]*[^\t\v\f\r \n]", text))


def _flag_lines(text: str) -> list[str]:
    return re.findall(r".*--.*(?:\n.*)?", text)


def read(text: str) -> tuple[list[Instruction], list[DockerfileProblem]]:
    """What hfcheck's reader makes of a text, with the faults of its form only."""
    bom = text.startswith("\ufeff")
    source = SourceFile(Path("/Dockerfile"), text.removeprefix("\ufeff"), bom=bom)
    reader = Reader(source)
    lines = list(reader.read())
    return read_instructions(source, lines, reader.escape, reader.problems), reader.problems


def disagreements(text: str) -> list[str]:
    """Where the two readings differ, in words; needs the package `dockerfile`."""
    dockerfile = import_module("dockerfile")
    instructions, problems = read(text)
    try:
        theirs = dockerfile.parse_string(text)
    except dockerfile.GoParseError as error:
        if problems or not instructions:
            return []
        return [f"BuildKit refuses it: {error}"]
    except UnicodeDecodeError:  # it reads flags byte by byte, and has cut a character in two
        return []
    if problems:
        return [f"BuildKit takes it, but: {problem.message}" for problem in problems]
    return differences(instructions, [_theirs(command) for command in theirs])


def differences(
    instructions: Sequence[Instruction], theirs: Sequence[tuple[object, ...]]
) -> list[str]:
    """Where hfcheck's instructions differ from another reading's (`told` gives the form)."""
    mine = [told(instruction) for instruction in instructions]
    if mine == list(theirs):
        return _spans(instructions)
    pairs = zip(mine, theirs, strict=False)
    different = next((pair for pair in pairs if pair[0] != pair[1]), (len(mine), len(theirs)))
    return [f"hfcheck {different[0]!r}\nBuildKit {different[1]!r}"]


def told(instruction: Instruction) -> tuple[object, ...]:
    """An instruction as both sides can tell it: name, line, the name inside ONBUILD, words, whether
    they are a JSON array, flags, heredocs.
    """
    inner = instruction.onbuild
    name = instruction.name.lower()
    return (
        name,
        instruction.line,
        None if inner is None else inner.name.lower(),
        _words(inner or instruction),
        (inner or instruction).json is not None,
        [word.text for word in instruction.flags],
        [] if inner else [(heredoc.name, heredoc.body) for heredoc in instruction.heredocs],
    )


def _words(instruction: Instruction) -> list[str]:
    """The arguments as the package gives them: names and values of ENV and LABEL apart."""
    if instruction.name == "ONBUILD" or instruction.name not in NAMES:
        return []
    if instruction.name in ("ENV", "LABEL"):
        return [word.text for pair in instruction.pairs for word in (pair.name, pair.value) if word]
    return [word.text for word in instruction.words]


def answered(node: Mapping[str, Any]) -> tuple[object, ...]:
    """An instruction of BuildKit's own list in the same form: see `answers.ask` for its fields."""
    inner = node.get("inner")
    name = (inner or node["name"]).upper()
    words = list(node["args"])[1 if inner else 0 :]
    if name in ("ENV", "LABEL"):  # name, value, and the sign between them
        words = [word for index, word in enumerate(words) if index % 3 != 2]
    if name == "ONBUILD" or name not in NAMES or (words == [""] and not node["json"]):
        words = []
    return (
        node["name"].lower(),
        node["start"],
        inner.lower() if inner else None,
        words,
        node["json"],
        list(node["flags"] or ()),
        [] if inner else [(name, body) for name, body in node["heredocs"]],
    )


def _theirs(command: Any) -> tuple[object, ...]:
    words = [] if command.value == ("",) else list(command.value)
    heredocs = [] if command.sub_cmd else command.heredocs
    return (
        (command.cmd or "").lower(),
        command.start_line,
        command.sub_cmd.lower() if command.sub_cmd else None,
        words,
        command.json,
        list(command.flags),
        [(heredoc.name, heredoc.content) for heredoc in heredocs],
    )


def _spans(instructions: Sequence[Instruction]) -> list[str]:
    """Words whose span does not hold their text (continuations apart), or that overlap."""
    wrong = []
    for instruction in instructions:
        last = instruction.span.start
        for word in (*instruction.flags, *instruction.words):
            text = instruction.word_place(word).text
            plain = instruction.json is None and word not in instruction.flags
            whole = text in (word.text, word.text + "\\", word.text + "`")
            if word.span.start < last or (plain and "\n" not in text and not whole):
                wrong.append(f"the span of {word.text!r} in {instruction.name} holds {text!r}")
            last = word.span.end
        if last > instruction.span.end:
            wrong.append(f"a word of {instruction.name} reaches over its end")
    return wrong


def compare(count: int, first: int) -> tuple[list[str], int]:
    """Compare `count` generated files: what differs, and how many files count as newer."""
    wrong: list[str] = []
    newer = 0
    for seed in range(first, first + count):
        text = generate(seed)
        different = disagreements(text)
        if different and is_newer(text):
            newer += 1
        elif different:
            wrong.append("\n".join([f"seed {seed}: {text!r}", *different]))
    return wrong, newer
