"""The configuration that a Flask or Quart application holds: `app.config`."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from hfcheck.space.code.evaluate import ClassRef, ObjectOf
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import Module
from hfcheck.space.code.values import item
from hfcheck.space.launch.memory import Memory
from hfcheck.space.value import Known, Unknown, Value

CONFIG = "config"
FILLING = frozenset({"from_mapping", "from_object"})
"""Last names of calls that fill a configuration, beside those of every dictionary."""

_METHODS = FILLING | {"update", "setdefault"}

_APPLICATIONS = frozenset({"flask.Flask", "flask.app.Flask", "quart.Quart", "quart.app.Quart",
                           "apiflask.APIFlask", "flask_openapi3.OpenAPI"})  # fmt: skip


def application(memory: Memory, node: ast.expr, frame: Frame) -> Known[object] | None:
    """The application whose `config` an expression is; None for any other expression."""
    if not isinstance(node, ast.Attribute) or node.attr != "config":
        return None
    owner = memory.value_of(node.value, frame)
    thing = owner.value if isinstance(owner, Known) else None
    made = isinstance(thing, ObjectOf) and thing.call is not None
    known = made and isinstance(thing, ObjectOf) and thing.qualified in _APPLICATIONS
    return owner if known and isinstance(owner, Known) else None


def entries(memory: Memory, app: Known[object]) -> Mapping[object, object]:
    """What the program has put into the configuration so far."""
    kept = memory.kept(app.value, CONFIG)
    return kept.value if isinstance(kept, Known) and isinstance(kept.value, dict) else {}


def put(memory: Memory, app: Known[object], more: Mapping[object, object]) -> None:
    """Entries that the program sets."""
    memory.set_attribute(app, CONFIG, Known({**entries(memory, app), **more}))


def fill(memory: Memory, node: ast.Call, frame: Frame) -> bool:
    """`app.config.update(...)` and its kin; False for any other call."""
    func = node.func
    if not isinstance(func, ast.Attribute) or func.attr not in _METHODS:
        return False
    app = application(memory, func.value, frame)
    if app is None:
        return False
    more: dict[object, object] = {}
    given = [memory.value_of(argument, frame) for argument in node.args]
    if func.attr == "from_object":
        more = _capitals(memory, given[0], frame) if given else {}
    elif func.attr == "setdefault":
        if len(given) == 2 and isinstance(given[0], Known):
            more = {given[0].value: given[1], **entries(memory, app)}
    else:
        for value in given:
            if isinstance(value, Known) and isinstance(value.value, dict):
                more.update(value.value)
        more.update({k.arg: memory.value_of(k.value, frame) for k in node.keywords if k.arg})
    put(memory, app, more)
    return True


def _capitals(memory: Memory, holder: Value[object], frame: Frame) -> dict[object, object]:
    """The names in capitals of a class: those that `from_object` takes."""
    ref = holder.value if isinstance(holder, Known) else None
    if isinstance(ref, str):
        ref = _named_class(memory, ref)
    if not isinstance(ref, ClassRef):
        return {}
    names = {
        target.id
        for _, node in memory.ancestry(ref)
        for statement in node.body
        if isinstance(statement, (ast.Assign, ast.AnnAssign))
        for target in (
            statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        )
        if isinstance(target, ast.Name) and target.id.isupper()
    }
    return {name: memory.attribute_of(ref, name, frame) for name in sorted(names)}


def _named_class(memory: Memory, text: str) -> ClassRef | None:
    """The class that a dotted name leads to: `config.Config`."""
    name, _, attribute = text.rpartition(".")
    module = memory.python.find(name) if name else None
    found = memory.python.attribute_of(module, attribute) if isinstance(module, Module) else None
    if found is None or found.module is None or not isinstance(found.node, ast.ClassDef):
        return None
    return ClassRef(found.module, found.node)


def server_name(memory: Memory, app: Value[object]) -> tuple[Value[object], Value[object]] | None:
    """The host and port that SERVER_NAME gives an application that runs itself (None: neither);
    a missing half is a Known None.
    """
    if not isinstance(app, Known):
        return None
    found = item(Known({"SERVER_NAME": None, **entries(memory, app)}), Known("SERVER_NAME"))
    if isinstance(found, Unknown):
        return found, found
    if not isinstance(found.value, str) or not found.value:
        return None
    host, _, port = found.value.partition(":")
    return Known(host or None, found.origins), Known(port or None, found.origins)
