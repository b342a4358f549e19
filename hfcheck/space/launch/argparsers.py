"""Follows `argparse`: which parsers a program makes, what they declare, what they then give."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence

from hfcheck.source import Place
from hfcheck.space.code.evaluate import ClassRef, Instance, ObjectOf
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import Module
from hfcheck.space.code.values import items_of
from hfcheck.space.launch.commandline import Commands, Declared, Option, Refused, Unreadable, read
from hfcheck.space.launch.memory import ANY, Memory
from hfcheck.space.shell.host import ArgWord
from hfcheck.space.value import Known, Origin, Unknown, Value

PARSER = "argparse.ArgumentParser"

_GROUPS = frozenset({"add_argument_group", "add_mutually_exclusive_group"})
_ACTIONS = frozenset(
    {"store", "store_true", "store_false", "store_const", "append", "append_const", "count",
     "extend"}
)  # fmt: skip
_IGNORED = frozenset(
    {"print_help", "print_usage", "format_help", "format_usage", "add_help", "exit", "error"}
)
_HARMLESS = frozenset(
    {"prog", "usage", "description", "epilog", "formatter_class", "add_help", "exit_on_error",
     "help", "allow_abbrev", "conflict_handler", "title", "metavar", "required"}
)  # fmt: skip
_KINDS = {"int": "int", "str": "str", "pathlib.Path": "str"}

_MOST_CHOICES = 1 << 16

Keywords = dict[str, Value[object]]


class Parsers:
    """The parsers that a program has made so far, by the call that made each."""

    def __init__(self, arguments: Sequence[ArgWord]) -> None:
        self.arguments = tuple(arguments)
        self.made: dict[int, Declared] = {}
        self.chosen: dict[int, Commands] = {}
        self.spaces: set[int] = set()

    def call(self, node: ast.Call, name: str | None, frame: Frame, memory: Memory) -> bool:
        """Take part in a call; False where it is no business of a parser.

        Raises Refused where the program stops at its command line.
        """
        if name == PARSER:
            self.made[id(node)] = self._parser(node, frame, memory)
            return True
        if not isinstance(node.func, ast.Attribute) or not (self.made or self.chosen):
            return False
        owner = memory.value_of(node.func.value, frame)
        thing = owner.value if isinstance(owner, Known) else None
        if not isinstance(thing, ObjectOf) or thing.call is None:
            return False
        declared, commands = self.made.get(id(thing.call)), self.chosen.get(id(thing.call))
        if commands is not None:
            self._command(node, frame, commands, memory)
        elif declared is not None:
            self._method(node, node.func.attr, frame, declared, memory)
        return declared is not None or commands is not None

    def _parser(self, node: ast.Call, frame: Frame, memory: Memory) -> Declared:
        declared = Declared()
        for keyword in node.keywords:
            value = memory.value_of(keyword.value, frame)
            if keyword.arg == "parents":
                self._inherit(declared, value)
            elif keyword.arg == "allow_abbrev":
                declared.abbreviates = value != Known(False)
            elif keyword.arg not in _HARMLESS:
                declared.strange = f"`{keyword.arg}` of a parser is not followed"
        return declared

    def _inherit(self, declared: Declared, parents: Value[object]) -> None:
        items = parents.value if isinstance(parents, Known) else None
        for item in items if isinstance(items, (list, tuple)) else ():
            thing = item.value if isinstance(item, Known) else None
            call = thing.call if isinstance(thing, ObjectOf) else None
            parent = self.made.get(id(call)) if call is not None else None
            if parent is None:
                declared.strange = "the parents of a parser are not known"
                return
            declared.options.extend(parent.options)
            declared.defaults.update(parent.defaults)
            declared.strange = declared.strange or parent.strange
        if not isinstance(items, (list, tuple)):
            declared.strange = "the parents of a parser are not known"

    def _method(
        self, node: ast.Call, method: str, frame: Frame, declared: Declared, memory: Memory
    ) -> None:
        if method == "add_argument":
            option = _option(node, frame, memory)
            if isinstance(option, Option):
                declared.options.append(option)
            elif option is not None:
                declared.strange = option
        elif method in _GROUPS:
            self.made[id(node)] = declared
            memory.results[id(node)] = Known(ObjectOf(PARSER, frame.module, node))
        elif method == "add_subparsers":
            keywords = _keywords(node, frame, memory)
            dest = _text(keywords.get("dest"))
            declared.commands = Commands(dest, _holds(keywords.get("required")))
            self.chosen[id(node)] = declared.commands
            memory.results[id(node)] = Known(ObjectOf("argparse.subparsers", frame.module, node))
        elif method == "set_defaults":
            declared.defaults.update(_keywords(node, frame, memory))
            if any(keyword.arg is None for keyword in node.keywords):
                declared.strange = "the defaults of a parser are not known"
        elif method in ("parse_args", "parse_known_args"):
            self._parse(node, method, frame, declared, memory)
        elif method not in _IGNORED:
            declared.strange = f"`{method}()` of a parser is not followed"

    def _command(self, node: ast.Call, frame: Frame, commands: Commands, memory: Memory) -> None:
        """`subparsers.add_parser("serve", ...)`."""
        name = _text(memory.value_of(node.args[0], frame)) if node.args else None
        keywords = _keywords(node, frame, memory)
        aliases = keywords.pop("aliases", None)
        inner = self._parser(node, frame, memory)
        if aliases is not None and inner.strange == "`aliases` of a parser is not followed":
            inner.strange = None
        names = [name] if name is not None else []
        if isinstance(aliases, Known) and isinstance(aliases.value, (list, tuple)):
            names.extend(text for item in aliases.value if (text := _text(item)))
        self.made[id(node)] = inner
        memory.results[id(node)] = Known(ObjectOf(PARSER, frame.module, node))
        commands.parsers.update(dict.fromkeys(names, inner))

    def _parse(
        self, node: ast.Call, method: str, frame: Frame, declared: Declared, memory: Memory
    ) -> None:
        space: Value[object] = Known(Instance(_empty(frame.module, node), node, frame.module))
        self.spaces.add(id(node))
        known_only = method == "parse_known_args"
        memory.results[id(node)] = Known((space, Unknown("the rest"))) if known_only else space
        memory.forget_attributes(node)
        place = frame.module.place(node)
        try:
            words = self._words(node, frame, memory)
            if any(keyword.arg == "namespace" for keyword in node.keywords):
                raise Unreadable("the namespace of its arguments is not followed")
            found = read(declared, words, rest=known_only)
        except Refused:
            memory.set_attribute(space, ANY, Unknown("the program stops at its command line"))
            raise
        except Unreadable as problem:
            reason = f"what the command line gives is not known: {problem}"
            memory.set_attribute(space, ANY, Unknown(reason, (Origin(place, reason),)))
            return
        for name, value in found.items():
            memory.set_attribute(space, name, value)

    def _words(self, node: ast.Call, frame: Frame, memory: Memory) -> tuple[ArgWord, ...]:
        given = node.args[0] if node.args else None
        for keyword in node.keywords:
            if keyword.arg == "args":
                given = keyword.value
        if given is None:
            return self.arguments
        value = memory.value_of(given, frame)
        if value == Known(None) or (isinstance(value, Known) and value.value is None):
            return self.arguments
        if not isinstance(value, Known) or not isinstance(value.value, (list, tuple)):
            raise Unreadable("the words that it reads are not known")
        place = frame.module.place(given)
        return tuple(_word(item, place) for item in value.value)


def _word(item: object, place: Place) -> ArgWord:
    if isinstance(item, Known) and isinstance(item.value, str):
        return ArgWord(Known(item.value, item.origins), place, item.value)
    if isinstance(item, Unknown):
        return ArgWord(Unknown(item.reason, item.origins), place)
    return ArgWord(Unknown("a word is not known"), place, splits=True)


def _option(node: ast.Call, frame: Frame, memory: Memory) -> Option | str | None:
    """One `add_argument`; a str says why it can't be read, None is one of no effect."""
    texts = [_text(memory.value_of(argument, frame)) for argument in node.args]
    keywords = _keywords(node, frame, memory)
    if None in texts or any(keyword.arg is None for keyword in node.keywords):
        return "an option of a parser is not known"
    names = [text for text in texts if text is not None]
    action = _action(keywords.pop("action", None))
    if action in ("help", "version"):
        return None
    if action is None:
        return "an action of a parser is not followed"
    nargs = keywords.pop("nargs", Known(None))
    if isinstance(nargs, Unknown) or not isinstance(nargs.value, (str, int, type(None))):
        return "an option of a parser is not known"
    dest = _text(keywords.get("dest")) or _destination(names)
    if not dest:
        return "an option of a parser is not known"
    required = keywords.get("required", Known(False))
    if isinstance(required, Unknown):
        return "an option of a parser is not known"
    kind = _kind(keywords.get("type"))
    default = keywords.get("default")
    return Option(
        dest=dest,
        names=tuple(names) if names and names[0].startswith("-") else (),
        action=action,
        nargs=nargs.value,
        kind=kind,
        default=_converted(default, kind) if default is not None else None,
        const=keywords.get("const"),
        required=_holds(required),
        choices=choices_of(keywords.get("choices")),
    )


def _destination(names: Sequence[str]) -> str:
    long = [name for name in names if name.startswith("--")]
    return (long or list(names) or [""])[0].lstrip("-").replace("-", "_")


def _action(value: Value[object] | None) -> str | None:
    if value is None:
        return "store"
    thing = value.value if isinstance(value, Known) else None
    if isinstance(thing, ObjectOf) and thing.qualified == "argparse.BooleanOptionalAction":
        return "boolean"
    known = isinstance(thing, str) and thing in (*_ACTIONS, "help", "version")
    return str(thing) if known else None


def _kind(value: Value[object] | None) -> str | None:
    if value is None:
        return "str"
    thing = value.value if isinstance(value, Known) else None
    return _KINDS.get(thing.qualified) if isinstance(thing, ObjectOf) else None


def _holds(value: Value[object] | None) -> bool:
    return isinstance(value, Known) and bool(value.value)


def choices_of(value: Value[object] | None) -> dict[object, object] | None:
    """The choices of an option, each of which stays as it is; None where they are not known."""
    if isinstance(value, Known) and isinstance(value.value, range):
        return {number: number for number in value.value[:_MOST_CHOICES]}
    items = items_of(value) if value is not None else None
    found: dict[object, object] = {}
    for item in items or ():
        if not isinstance(item, Known) or not isinstance(item.value, (str, int)):
            return None
        found[item.value] = item.value
    return found or None


def _converted(default: Value[object], kind: str | None) -> Value[object]:
    """Argparse converts a default that is a text."""
    if isinstance(default, Unknown) or not isinstance(default.value, str) or kind == "str":
        return default
    if kind == "int" and default.value.strip().isdigit():
        return Known(int(default.value), default.origins)
    return Unknown("what its type makes of the default is not followed", default.origins)


def _keywords(node: ast.Call, frame: Frame, memory: Memory) -> Keywords:
    return {k.arg: memory.value_of(k.value, frame) for k in node.keywords if k.arg is not None}


def _text(value: object) -> str | None:
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else None


def _empty(module: Module, node: ast.AST) -> ClassRef:
    """The class of a namespace: it has nothing of its own."""
    made = ast.ClassDef(name="Namespace", bases=[], keywords=[], body=[], decorator_list=[])
    if sys.version_info >= (3, 12):
        made.type_params = []
    return ClassRef(module, ast.copy_location(made, node))
