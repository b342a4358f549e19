"""Programs that run another program (`tini -- CMD`, `poetry run CMD`), taken off."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hfcheck.space.launch.process import (
    Stopped,
    cant_know,
    env_value,
    folder_of,
    in_folder,
    literal,
    name_of,
    word_text,
)
from hfcheck.space.shell.host import ArgWord, Call, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value, mapped

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Wrapper:
    """One row of wrappers.yaml; see its head for the fields."""

    name: str
    values: frozenset[str]
    switches: frozenset[str]
    commands: tuple[str, ...]
    folder: tuple[str, ...]
    env_files: tuple[str, ...] = ()
    env_default: str = ""
    env_needed: bool = False
    env_overrides: bool = False
    skip: int = 0
    assigns: bool = False
    optional: bool = False
    any_switch: bool = False
    any_value: bool = False
    project: bool = False
    python: bool = False


@dataclass(frozen=True, slots=True)
class Wrappers:
    """wrappers.yaml: the wrappers by program, and the programs that only return or wait."""

    by_program: Mapping[str, Wrapper]
    returns: frozenset[str]
    waits: frozenset[str]


@cache
def wrappers() -> Wrappers:
    """The table, read once."""
    text = Path(__file__).with_name("wrappers.yaml").read_text("utf-8")
    data = yaml.load(text, _Loader)
    by_program: dict[str, Wrapper] = {}
    for name, entry in data["wrappers"].items():
        fields = {key: entry[key] for key in entry if key in _PLAIN}
        row = Wrapper(
            name=name,
            values=frozenset(entry.get("values", ())),
            switches=frozenset(entry.get("switches", ())),
            commands=tuple(entry.get("commands", ())),
            folder=tuple(entry.get("folder", ())),
            env_files=tuple(entry.get("env_files", ())),
            **fields,
        )
        by_program.update(dict.fromkeys(entry["programs"], row))
    return Wrappers(by_program, frozenset(data["returns"]), frozenset(data["waits"]))


_PLAIN = ("skip", "optional", "assigns", "any_switch", "any_value", "project", "python",
          "env_default", "env_needed", "env_overrides")  # fmt: skip


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of variables that a wrapper reads: its name, whether it must be there, and whether
    it overrides what is set.
    """

    name: ArgWord
    needed: bool
    overrides: bool


@dataclass(frozen=True, slots=True)
class Inner:
    """What a wrapper runs. `project`: the first word may be a script of the project; `python`: a
    word that names a Python file is run with Python; `env_files`: files whose variables it sets
    before; `seconds`: after that time it is stopped.
    """

    call: Call
    project: bool = False
    python: bool = False
    env_files: tuple[EnvFile, ...] = ()
    seconds: float | None = None


def unwrap(call: Call) -> Inner | Stopped | Unclear | None:
    """The program inside a wrapper; None where the program is no wrapper, or runs nothing."""
    row = wrappers().by_program.get(name_of(call))
    if row is None:
        return None
    words = list(call.argv[1:])
    split: list[ArgWord] | Stopped | None
    if row.name == "env" and (split := _split_string(words, call)) is not None:
        if isinstance(split, Stopped):
            return split
        words = split
    taken = _Taken()
    rest = _own_words(row, words, taken)
    if isinstance(rest, Unclear):
        return rest
    named = False
    if row.commands:
        named = bool(rest) and word_text(rest[0]) in row.commands
        if not named and not row.optional:
            return None
        rest = _own_words(row, rest[1:], taken) if named else rest
        if isinstance(rest, Unclear):
            return rest
    seconds = _seconds(word_text(rest[0])) if row.name == "timeout" and rest else None
    rest = rest[row.skip :]
    inner = replace(
        call, argv=tuple(rest), cwd=_folder(call, taken, row), env=_env(call, taken, row)
    )
    files = _env_files(call, taken, row, named=named)
    if taken.module is not None:
        python = ArgWord(Known("python"), call.argv[0].place, "python")
        inner = replace(inner, argv=(python, taken.module, *rest))
        return Inner(inner, env_files=files)
    if not rest:
        return Stopped(f"`{name_of(call)}` is given no command", call.place, 1)
    return Inner(inner, row.project, row.python, files, seconds)


def _seconds(text: str | None) -> float | None:
    """The time of `timeout`; None where there is no end to it, or it is not known."""
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", text or "")
    if match is None:
        return None
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]] or None


def _env_files(call: Call, taken: _Taken, row: Wrapper, *, named: bool) -> tuple[EnvFile, ...]:
    options = [option for option, _ in taken.given]
    overrides = named and row.env_overrides and "--no-override" not in options
    names = [word for option, word in taken.given if option in row.env_files]
    if row.env_default and not names:
        names = [literal(row.env_default, call.argv[0].place)]
    return tuple(EnvFile(name, named and row.env_needed, overrides) for name in names)


class _Taken:
    """The options of a wrapper on the way to its command."""

    def __init__(self) -> None:
        self.given: list[tuple[str, ArgWord]] = []
        self.assigned: dict[str, Value[str]] = {}
        self.module: ArgWord | None = None


def _own_words(row: Wrapper, words: list[ArgWord], taken: _Taken) -> list[ArgWord] | Unclear:
    """Take the wrapper's own options and assignments off the front."""
    while words:
        text = word_text(words[0])
        if text is None:
            break
        if text == "--":
            return words[1:]
        if row.assigns and _is_assignment(text):
            name = text.partition("=")[0]
            start = len(name) + 1
            taken.assigned[name] = mapped(words[0].value, _without(start))
            words = words[1:]
            continue
        if row.name == "env" and text == "-":
            taken.given.append(("-i", words[0]))
            words = words[1:]
            continue
        if not text.startswith("-") or text == "-":
            break
        if row.python and text in ("-m", "--module") and len(words) > 1:
            taken.module = replace(words[0], value=Known("-m", words[0].value.origins), prefix="-m")
            return words[1:]
        width = _width(row, text)
        if width is None:
            reason = f"the option `{text}` of {row.name} is not in the table"
            return Unclear(reason, (Origin(words[0].place, text),))
        name, equals, value = text.partition("=")
        if equals:
            known = ArgWord(Known(value, words[0].value.origins), words[0].place, value)
            taken.given.append((name, known))
        elif len(words) > 1 and width == 2:
            taken.given.append((name, words[1]))
        else:
            taken.given.append((name, words[0]))
        words = words[width:]
    return words


def _without(start: int) -> Callable[[str], str]:
    return lambda value: value[start:]


def _is_assignment(text: str) -> bool:
    name, equals, _ = text.partition("=")
    return bool(equals) and name.replace("_", "a").isalnum() and not name[:1].isdigit()


def _width(row: Wrapper, text: str) -> int | None:
    """How many words an option takes, None where that is not known."""
    name, equals, _ = text.partition("=")
    if name in row.values:
        return 1 if equals else 2
    if text in row.switches or (equals and text.startswith("--")):
        return 1
    if not text.startswith("--") and f"-{text[1]}" in row.values:
        return 1
    if not text.startswith("--") and all(f"-{letter}" in row.switches for letter in text[1:]):
        return 1
    if row.any_value:
        return 2
    if row.any_switch:
        return 1
    # `nice -10`: an adjustment written as an option.
    return 1 if text[1:].isdigit() else None


def _split_string(words: list[ArgWord], call: Call) -> list[ArgWord] | Stopped | None:
    """`env -S 'A=b cmd ${NAME}'` takes its words out of one, and fills in `${NAME}`
    (GNU coreutils 9, "env: -S").
    """
    for index, word in enumerate(words):
        text = word_text(word) or ""
        rest = words[index + 1 :]
        if text in ("-S", "--split-string") and rest:
            word, text, rest = rest[0], word_text(rest[0]) or "", rest[1:]
        elif text.startswith("--split-string="):
            text = text.partition("=")[2]
        elif re.match(r"-[iv0]*S.", text):
            text = text.partition("S")[2]
        elif not text.startswith("-"):
            return None
        else:
            continue
        try:
            parts = shlex.split(text)
        except ValueError:
            return Stopped("env can't split its text: a quote is not closed", word.place, 125)
        if any(re.search(r"\$(?!\{\w+\})", part) for part in parts):
            return Stopped("env expands `${NAME}` only, not `$NAME`", word.place, 125)
        return [*words[:index], *(_filled(part, word, call) for part in parts), *rest]
    return None


def _filled(text: str, word: ArgWord, call: Call) -> ArgWord:
    """A word of `env -S` with its variables."""
    origins = list(word.value.origins)
    done = ""
    end = 0
    for match in re.finditer(r"\$\{(\w+)\}", text):
        done += text[end : match.start()]
        end = match.end()
        value = env_value(call, match.group(1))
        if isinstance(value, Unknown):
            return ArgWord(Unknown(value.reason, (*value.origins, *origins)), word.place, done)
        done += value.value if value is not None else ""
        origins = [*(value.origins if value is not None else ()), *origins]
    done += text[end:]
    return ArgWord(Known(done, tuple(origins)), word.place, done)


def _folder(call: Call, taken: _Taken, row: Wrapper) -> Value[str]:
    for option, word in taken.given:
        if option in row.folder:
            folder = in_folder(folder_of(call), word_text(word) or "")
            if folder is None:
                return cant_know("the folder it runs in is not known", word.place)
            return Known(folder, word.value.origins)
    return call.cwd


def _env(call: Call, taken: _Taken, row: Wrapper) -> Mapping[str, Value[str]]:
    env: dict[str, Value[str]] = dict(call.env)
    if row.name == "env":
        for option, word in taken.given:
            if option in ("-i", "--ignore-environment"):
                env.clear()
            elif option in ("-u", "--unset"):
                env.pop(word_text(word) or "", None)
    env.update(taken.assigned)
    return env
