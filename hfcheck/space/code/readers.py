"""Libraries that read environment variables: decouple, environs, django-environ, starlette.

What a call of theirs gives: the variable's text as the reader casts it, the default, or the
exception that the library raises where there is neither.
"""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hfcheck.source import SourceFile
from hfcheck.space.code import envfiles, values
from hfcheck.space.code.functions import FUNCTIONS
from hfcheck.space.code.values import EnvRead, ObjectOf, WouldRaise, truth
from hfcheck.space.value import Known, Origin, Unknown, Value

if TYPE_CHECKING:
    from hfcheck.space.code.evaluate import Evaluator
    from hfcheck.space.code.frames import Frame

_TYPED = frozenset(
    ["str", "int", "bool", "float", "list", "dict", "json", "url", "path", "decimal", "uuid",
     "log_level", "enum", "db", "db_url", "cache", "cache_url", "email_url", "tuple", "get_value",
     "datetime", "date", "timedelta", "unicode", "bytes"]
)  # fmt: skip
"""The typed readers of environs' and django-environ's `Env`."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How a library reads: what it raises, where its second positional argument stands for
    (`default` or `cast`), and whether it looks into a file of its own accord.
    """

    exception: str
    bases: tuple[str, ...]
    second: str
    own_file: bool = False


_READERS = {
    "decouple.config": Reader("decouple.UndefinedValueError", (), "default", own_file=True),
    "decouple.AutoConfig": Reader("decouple.UndefinedValueError", (), "default", own_file=True),
    "environs.Env": Reader("environs.EnvError", ("ValueError",), "default"),
    "environs.env": Reader("environs.EnvError", ("ValueError",), "default"),
    "environ.Env": Reader("django.core.exceptions.ImproperlyConfigured", (), "cast"),
    "environ.FileAwareEnv": Reader("django.core.exceptions.ImproperlyConfigured", (), "cast"),
    "starlette.config.Config": Reader("KeyError", ("LookupError",), "cast"),
}
"""By the name of the function or class. Observed: python-decouple 3.8, environs 14, django-environ
0.12, starlette 1.10."""


def reader_of(thing: object, method: str | None) -> Reader | None:
    """The reader that a called object is (`config(...)`, `env(...)`, `env.int(...)`)."""
    if not isinstance(thing, ObjectOf):
        return None
    name = thing.qualified
    if method is not None and method not in _TYPED:
        return None
    if thing.call is None and name not in ("decouple.config", "environs.env"):
        return None
    if method is not None and name.startswith(("decouple", "starlette")):
        return None
    return _READERS.get(name)


def read(
    evaluator: Evaluator,
    reader: Reader,
    thing: ObjectOf,
    method: str | None,
    node: ast.Call,
    frame: Frame,
) -> Value[object]:
    """What the call of a reader gives; raises WouldRaise where it raises for want of a variable."""
    arguments, keywords = evaluator.arguments(node, frame)
    key = arguments[0] if arguments else keywords.get("name", Unknown("no name"))
    if isinstance(key, Unknown) or not isinstance(key.value, str):
        return Unknown("the name of the variable is not known")
    if _prefixed(frame):
        return Unknown("the prefix of the variable is not followed")
    if len(arguments) > 1:
        keywords = {reader.second: arguments[1], **keywords}
    default = keywords.get("default", _scheme_default(evaluator, thing, key.value))
    found = evaluator.variable(key.value, frame.module.place(node), key.origins, required=False)
    if isinstance(found, Known) and found.value is None:
        own = _in_file(evaluator, reader, thing, key.value, frame)
        if own is not None:
            found = own
    if isinstance(found, Known) and found.value is None:
        if default is None:
            raise WouldRaise(reader.exception, found.origins, reader.bases)
        return defaulted(default, found.origins)
    return _cast(found, method, keywords.get("cast"))


def defaulted(default: Value[object], reads: tuple[Origin, ...]) -> Value[object]:
    """A default in the place of variables that are not set."""
    if truth(default):
        reads = tuple(replace(r, defaulted=True) if isinstance(r, EnvRead) else r for r in reads)
    return values.adding(default, reads)


def _prefixed(frame: Frame) -> bool:
    return ".prefixed(" in frame.module.source.text


def _scheme_default(evaluator: Evaluator, thing: ObjectOf, name: str) -> Value[object] | None:
    """`Env(DEBUG=(bool, False))` gives the default of a variable beforehand."""
    if thing.call is None or thing.module is None:
        return None
    for keyword in thing.call.keywords:
        pair = keyword.value
        if keyword.arg == name and isinstance(pair, ast.Tuple) and len(pair.elts) == 2:
            return evaluator.value(pair.elts[1], thing.module)
    return None


def _in_file(
    evaluator: Evaluator, reader: Reader, thing: ObjectOf, name: str, frame: Frame
) -> Value[object] | None:
    """The variable in a file that the reader itself looks into."""
    if reader.own_file:
        folder = posixpath.dirname(frame.module.path)
        while folder not in ("", "/"):
            for file in ("settings.ini", envfiles.NAME):
                source = envfiles.text_of(evaluator, posixpath.join(folder, file))
                if isinstance(source, Unknown):
                    return source
                if source is not None:
                    return _entry(source, file, name)
            folder = posixpath.dirname(folder)
        return None
    if thing.qualified != "starlette.config.Config" or thing.call is None or thing.module is None:
        return None
    if not thing.call.args:
        return None
    path = evaluator.value(thing.call.args[0], thing.module)
    if isinstance(path, Unknown):
        return path
    for candidate in envfiles.candidates(thing.module.path, path.value, evaluator):
        source = envfiles.text_of(evaluator, candidate)
        if isinstance(source, Unknown):
            return source
        if source is not None:
            return _entry(source, candidate, name)
    return None


def _entry(source: SourceFile, file: str, name: str) -> Value[object] | None:
    if not file.endswith(".ini"):
        return _plain_entry(source, name)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(source.text)
        text = parser.get("settings", name, fallback=None)
    except configparser.Error:
        return Unknown(f"{file} is not followed")
    return None if text is None else Known(text, (Origin(source.place(), f"{name} is set here"),))


def _plain_entry(source: SourceFile, name: str) -> Value[object] | None:
    """A variable of a file of which each line is cut at its first `=`: `export` and comments
    behind the value are nothing special.
    """
    found: Value[object] | None = None
    for match in re.finditer(r"[^\n]+", source.text):
        key, equals, value = match.group().strip().partition("=")
        if equals and not key.startswith("#") and key.strip() == name:
            text = value.strip()
            if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
                text = text[1:-1]
            found = Known(text, (Origin(source.place(*match.span()), match.group().strip()),))
    return found


def _cast(found: Value[object], method: str | None, cast_to: Value[object] | None) -> Value[object]:
    if isinstance(found, Unknown):
        return found
    if cast_to is not None:
        thing = cast_to.value if isinstance(cast_to, Known) else None
        name = thing.qualified if isinstance(thing, ObjectOf) else None
    else:
        name = method
    if name in (None, "str", "unicode", "get_value"):
        return found
    if name in ("int", "float"):
        return FUNCTIONS[name]([found], {})
    if name == "list" and isinstance(found.value, str):
        parts = [Known(part.strip(), found.origins) for part in found.value.split(",")]
        return Known(parts, found.origins)
    return Unknown(f"its cast to {name} is not followed", found.origins)
