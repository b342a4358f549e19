"""Reads the command line of a Python program by the options that its code declares.

The declarations come from the syntax tree (`argparsers`, `clickapps`); Python's own argparse then
reads the words, with converters and actions of its own kind only, so that nothing of the project
is run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from hfcheck.source import Place
from hfcheck.space.shell.host import ArgWord
from hfcheck.space.value import Known, Origin, Unknown, Value

_MOST_WORDS = 500


class Unreadable(Exception):
    """The words or the declarations are not known, or not followed."""


class Refused(Exception):
    """The program stops at its command line: why, and the word that it is about where it is one."""

    def __init__(self, reason: str, place: Place | None = None) -> None:
        super().__init__(reason)
        self.place = place


@dataclass(slots=True)
class Option:
    """One declared option (names with dashes) or positional (no names).

    `action` and `nargs` are argparse's. `kind` converts the text: `int`, `str`, or None where the
    converter is not known. `default` None: there is none. `choices` are the only texts (or
    numbers) that it takes, and what each becomes.
    """

    dest: str
    names: tuple[str, ...] = ()
    action: str = "store"
    nargs: str | int | None = None
    kind: str | None = "str"
    default: Value[object] | None = None
    const: Value[object] | None = None
    required: bool = False
    choices: Mapping[object, object] | None = None


@dataclass(slots=True)
class Commands:
    """Subcommands of a parser by name; `dest` is where the chosen name goes."""

    dest: str | None = None
    required: bool = False
    parsers: dict[str, Declared] = field(default_factory=dict)


@dataclass(slots=True)
class Declared:
    """What a parser declares. `strange` says why it can't be read, where that is so."""

    options: list[Option] = field(default_factory=list)
    defaults: dict[str, Value[object]] = field(default_factory=dict)
    commands: Commands | None = None
    abbreviates: bool = True
    strange: str | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    """A value on its way through argparse, which converts texts only."""

    value: Value[object]


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        raise Refused(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Unreadable("it prints its help and ends")

    def _print_message(self, message: str, file: object = None) -> None:
        """Nothing is printed."""


def read(
    declared: Declared, words: Sequence[ArgWord], *, rest: bool = False
) -> dict[str, Value[object]]:
    """The values by destination, as `parse_args(words)` gives them; with `rest` there may be words
    that no option declares.

    Raises Unreadable where the words or the declarations don't settle them, Refused where the
    program stops at them.
    """
    if len(words) > _MOST_WORDS:
        raise Unreadable("there are too many words")
    texts, unknown = _texts(words)
    parser = _Parser(add_help=False, allow_abbrev=declared.abbreviates, exit_on_error=True)
    _fill(parser, declared, words, unknown)
    try:
        found = vars(parser.parse_known_args(texts)[0] if rest else parser.parse_args(texts))
    except Refused as refused:
        if unknown:
            raise Unreadable(str(refused)) from None
        raise
    except Unreadable:
        raise
    except (argparse.ArgumentError, ValueError, TypeError, AttributeError, SystemExit) as error:
        raise Unreadable(f"its options can't be read: {error}") from None
    return {name: _value(item, words) for name, item in found.items()}


def _texts(words: Sequence[ArgWord]) -> tuple[list[str], dict[str, Value[object]]]:
    """The words as texts, with a stand-in for each unknown end of one."""
    texts: list[str] = []
    unknown: dict[str, Value[object]] = {}
    for word in words:
        if isinstance(word.value, Known):
            texts.append(word.value.value)
            continue
        if word.splits:
            raise Unreadable(word.value.reason)
        stand_in = f"\0{len(unknown)}"
        unknown[stand_in] = Unknown(word.value.reason, word.value.origins)
        texts.append(word.prefix + stand_in)
    return texts, unknown


def _fill(
    parser: argparse.ArgumentParser,
    declared: Declared,
    words: Sequence[ArgWord],
    unknown: dict[str, Value[object]],
) -> None:
    if declared.strange is not None:
        raise Unreadable(declared.strange)
    try:
        for option in declared.options:
            _add(parser, option, _converter(option, words, unknown))
        parser.set_defaults(**{name: _Held(value) for name, value in declared.defaults.items()})
        if declared.commands is None:
            return
        chosen = parser.add_subparsers(
            dest=declared.commands.dest or argparse.SUPPRESS, required=declared.commands.required
        )
        for name, inner in declared.commands.parsers.items():
            made = chosen.add_parser(name, add_help=False, allow_abbrev=inner.abbreviates)
            _fill(made, inner, words, unknown)
    except (argparse.ArgumentError, ValueError, TypeError) as error:
        raise Unreadable(f"its options can't be read: {error}") from None


def _add(parser: argparse.ArgumentParser, option: Option, convert: Callable[[str], Any]) -> None:
    fields: dict[str, Any] = {}
    if option.default is not None:
        fields["default"] = _Held(option.default)
    if option.action in ("store", "append", "extend"):
        fields["type"] = convert
        if option.nargs is not None:
            fields["nargs"] = option.nargs
    if option.const is not None:
        fields["const"] = _Held(option.const)
    action: Any = option.action
    if action == "boolean":
        action = argparse.BooleanOptionalAction
    if option.names:
        fields["required"] = option.required
        parser.add_argument(*option.names, dest=option.dest, action=action, **fields)
    else:
        parser.add_argument(option.dest, action=action, **fields)


def _converter(
    option: Option, words: Sequence[ArgWord], unknown: dict[str, Value[object]]
) -> Callable[[str], _Held]:
    def convert(text: str) -> _Held:
        for stand_in, value in unknown.items():
            if stand_in in text:
                return _Held(value)
        origins = _origins(text, words)
        if option.kind is None:
            return _Held(Unknown("what its type makes of the text is not followed", origins))
        place = origins[0].place if origins else None
        found: object = text
        if option.kind == "int":
            found = _integer(text)
            if found is None:
                raise Refused(f"`{text}` is no whole number for `{_shown(option)}`", place)
        if option.choices is not None:
            if found not in option.choices:
                raise Refused(f"`{text}` is none of the choices of `{_shown(option)}`", place)
            found = option.choices[found]
        return _Held(Known(found, origins))

    return convert


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _shown(option: Option) -> str:
    return max(option.names, key=len, default=option.dest)


def _origins(text: str, words: Sequence[ArgWord]) -> tuple[Origin, ...]:
    """The origins of the word that ends in a text."""
    for word in words:
        if isinstance(word.value, Known) and word.value.value.endswith(text):
            return word.value.origins
    return ()


def _value(item: object, words: Sequence[ArgWord]) -> Value[object]:
    if isinstance(item, _Held):
        return item.value
    if isinstance(item, list):
        return Known([_value(part, words) for part in item])
    if isinstance(item, str):
        return Known(item, _origins(item, words))
    return Known(item)
