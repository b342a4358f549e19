"""Statements of a Python program that set names, attributes, items and variables."""

from __future__ import annotations

import ast

from hfcheck.space.code import values as pyvalues
from hfcheck.space.code.evaluate import FunctionRef
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import FunctionNode, function_bindings, statements
from hfcheck.space.code.values import WouldRaise
from hfcheck.space.launch import appconfig
from hfcheck.space.launch.concurrent import Concurrent
from hfcheck.space.launch.memory import ANY, is_classmethod
from hfcheck.space.value import Known, Unknown, Value

_IN_PLACE = frozenset({"update", "setdefault", "append", "extend", "insert", "add", "remove",
                       "clear", "pop", "popitem"})  # fmt: skip


class Setting(Concurrent):
    """Follows assignments and changes in place, wherever the thing that changes comes from."""

    def assign(self, target: ast.expr, value: ast.expr, frame: Frame) -> None:
        """`target = value`."""
        if isinstance(target, ast.Name) and frame.function is None:
            self.evaluator.forget_name(frame.module, target.id)
            return  # at module level names are looked up when they are needed
        self.store(target, self.value(value, frame), frame)

    def store(self, target: ast.expr, value: Value[object], frame: Frame) -> None:
        """Bind a target, whatever it is."""
        if isinstance(target, ast.Name):
            self._store_name(target, value, frame)
        elif isinstance(target, ast.Attribute) and self._is_argv(target, frame):
            self.set_arguments(value, frame.module.place(target))
        elif isinstance(target, ast.Attribute):
            self.evaluator.set_attribute(self.value(target.value, frame), target.attr, value)
            if isinstance(target.value, ast.Name) and frame.function is not None:
                frame.names[f"{target.value.id}.{target.attr}"] = value
        elif isinstance(target, ast.Subscript) and self._is_environ(target.value, frame):
            self.set_variable(self.value(target.slice, frame), value)
        elif isinstance(target, ast.Subscript):
            self._store_item(target, value, frame)
        elif isinstance(target, ast.Starred):
            self.store(target.value, Unknown("it is unpacked"), frame)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value, frame)

    def _is_argv(self, target: ast.Attribute, frame: Frame) -> bool:
        return self.python.qualified(frame.module, target, frame.function) == "sys.argv"

    def _unpack(self, target: ast.Tuple | ast.List, value: Value[object], frame: Frame) -> None:
        items = pyvalues.items_of(value)
        starred = any(isinstance(part, ast.Starred) for part in target.elts)
        if items is None or starred or len(items) != len(target.elts):
            items = [Unknown("it is unpacked from what is not known")] * len(target.elts)
        for part, item in zip(target.elts, items, strict=True):
            if not (isinstance(part, ast.Name) and frame.function is None):
                self.store(part, item, frame)

    def _store_name(self, target: ast.Name, value: Value[object], frame: Frame) -> None:
        if frame.function is not None and target.id in _shared(frame.function):
            self.evaluator.set_name(frame.module, target.id, value)
        frame.names[target.id] = value

    def _store_item(self, target: ast.Subscript, value: Value[object], frame: Frame) -> None:
        """`holder[key] = value`."""
        holder = self.value(target.value, frame)
        key = self.value(target.slice, frame)
        if not isinstance(holder, Known) or not isinstance(holder.value, (dict, list)):
            app = appconfig.application(self.evaluator, target.value, frame)
            if app is not None and isinstance(key, Known):
                appconfig.put(self.evaluator, app, {key.value: value})
            return
        changed: Value[object] = Unknown("a key of it is not known", holder.origins)
        plain = isinstance(key, Known) and isinstance(key.value, (str, int))
        if isinstance(key, Known) and plain and isinstance(holder.value, dict):
            changed = Known({**holder.value, key.value: value}, holder.origins)
        self._replace(target.value, changed, frame)

    def _replace(self, node: ast.expr, value: Value[object], frame: Frame) -> None:
        """What an expression stands for has been changed in place."""
        if not isinstance(node, ast.Name) or node.id in frame.names:
            self.store(node, value, frame)
            return
        found = self.python.definition(frame.module, node, frame.function)
        if found is None or found.module is None:
            return
        if frame.function is not None and node.id in function_bindings(frame.function):
            frame.names[node.id] = value
        else:
            name = found.qualified.rpartition(".")[2]
            self.evaluator.set_name(found.module, name, value)

    def change(self, node: ast.AugAssign, frame: Frame) -> None:
        """`target += value`; one of a name at module level is looked up with the name."""
        if isinstance(node.target, ast.Name) and frame.function is None:
            return
        if self._is_environ(node.target, frame):
            call = ast.Call(ast.Name("update", ast.Load()), [node.value], [])
            self._environ_call("os.environ.update", ast.copy_location(call, node), frame)
            return
        load = ast.copy_location(_loaded(node.target), node.target)
        try:
            left, right = self.value(load, frame), self.value(node.value, frame)
            value = pyvalues.binary(node.op, left, right)
        except WouldRaise as error:
            value = Unknown(f"it raises {error.exception}", error.origins)
        self.store(node.target, value, frame)

    def delete(self, node: ast.Delete, frame: Frame) -> None:
        """`del os.environ["NAME"]`."""
        for target in node.targets:
            if isinstance(target, ast.Subscript) and self._is_environ(target.value, frame):
                self.forget_variable(self.value(target.slice, frame))

    def mutate(self, node: ast.expr, frame: Frame) -> bool:
        """`holder.update(...)` and its kin; False where it is none of a list or dictionary."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        method, owner = node.func.attr, node.func.value
        if method not in _IN_PLACE:
            return False
        if self._whole_object(owner, frame):
            return True
        holder = self.value(owner, frame)
        if not isinstance(holder, Known) or not isinstance(holder.value, (dict, list)):
            return False
        plain = isinstance(owner, ast.Name) and frame.function is None
        if plain and method in ("update", "append", "extend", "insert", "add", "remove"):
            found = self.python.definition(frame.module, owner)
            if found is not None and found.module is frame.module:
                return True  # looked up with the name
        self._replace(owner, self._mutated(holder, method, node, frame), frame)
        return True

    def _mutated(
        self, holder: Known[object], method: str, node: ast.Call, frame: Frame
    ) -> Value[object]:
        args = [self.value(argument, frame) for argument in node.args]
        if not isinstance(holder.value, dict):
            return pyvalues.mutated(holder, method, args)
        entries = dict(holder.value)
        if method == "update":
            for argument in args:
                if not isinstance(argument, Known) or not isinstance(argument.value, dict):
                    return Unknown("it is changed in place", holder.origins)
                entries.update(argument.value)
            for keyword in node.keywords:
                if keyword.arg is None:
                    return Unknown("it is changed in place", holder.origins)
                entries[keyword.arg] = self.value(keyword.value, frame)
            return Known(entries, holder.origins)
        key = args[0] if args else None
        if isinstance(key, Known) and isinstance(key.value, (str, int)):
            if method == "setdefault":
                entries.setdefault(key.value, args[1] if len(args) > 1 else Known(None))
                return Known(entries, holder.origins)
            if method == "pop":
                entries.pop(key.value, None)
                return Known(entries, holder.origins)
        return Unknown("it is changed in place", holder.origins)

    def _whole_object(self, owner: ast.expr, frame: Frame) -> bool:
        """`vars(thing).update(...)`, `thing.__dict__.update(...)`: any attribute may be set."""
        thing: ast.expr | None = None
        if isinstance(owner, ast.Attribute) and owner.attr == "__dict__":
            thing = owner.value
        elif isinstance(owner, ast.Call) and getattr(owner.func, "id", "") in ("vars", "globals"):
            thing = owner.args[0] if owner.args else None
        if thing is None:
            return False
        reason = Unknown("its attributes are set from what is not known")
        self.evaluator.set_attribute(self.value(thing, frame), ANY, reason)
        return True

    def set_attribute(self, node: ast.Call, frame: Frame) -> None:
        """`setattr(thing, name, value)`."""
        if len(node.args) != 3:
            return
        owner, name, value = (self.value(argument, frame) for argument in node.args)
        known = isinstance(name, Known) and isinstance(name.value, str)
        unknown = Unknown("which of its attributes is set is not known", owner.origins)
        attribute = str(name.value) if known and isinstance(name, Known) else ANY
        self.evaluator.set_attribute(owner, attribute, value if known else unknown)

    def give_back(
        self,
        ref: FunctionRef,
        node: ast.Call,
        before: dict[str, Value[object]],
        inner: Frame,
        frame: Frame,
    ) -> None:
        """What a function has changed in place in its arguments is changed for the caller too."""
        spec = ref.node.args
        names = [argument.arg for argument in (*spec.posonlyargs, *spec.args)]
        own = ref.owner is not None or is_classmethod(ref)
        pairs = list(zip(names[1 if own else 0 :], node.args, strict=False))
        pairs.extend((k.arg, k.value) for k in node.keywords if k.arg is not None)
        bound = function_bindings(ref.node)
        for name, expression in pairs:
            old, new = before.get(name), inner.names.get(name)
            if new is None or old is new or name in bound or not isinstance(old, Known):
                continue
            if isinstance(old.value, (dict, list)) and isinstance(
                expression, (ast.Name, ast.Attribute, ast.Subscript)
            ):
                self._replace(expression, new, frame)


def _shared(function: FunctionNode) -> set[str]:
    """The names that a function declares `global`."""
    cached = function.__dict__.get("_hfcheck_shared")
    if cached is None:
        cached = {
            name
            for node in statements(function.body)
            if isinstance(node, ast.Global)
            for name in node.names
        }
        function.__dict__["_hfcheck_shared"] = cached
    result: set[str] = cached
    return result


def _loaded(target: ast.expr) -> ast.expr:
    """The same expression, read."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    assert isinstance(target, ast.Subscript)
    return ast.Subscript(target.value, target.slice, ast.Load())
