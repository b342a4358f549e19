"""What a Python expression would be worth when the Space starts, as far as the files settle it.

A small interpreter over `ast`: constants, names (module level, class level and locals), displays,
comprehensions, f-strings, conditions, the usual string and path functions, reads of the
environment, attributes of settings objects, and calls of plain functions of the image. All else
is Unknown, with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import cast

from hfcheck.source import Place
from hfcheck.space.code import envfiles, readers
from hfcheck.space.code import values as pyvalues
from hfcheck.space.code.bodies import MAX_ITEMS, MAX_STEPS, BodyRunner
from hfcheck.space.code.frames import Frame, Locals
from hfcheck.space.code.functions import FUNCTIONS
from hfcheck.space.code.python import Definition, FunctionNode, Module, Python, function_bindings
from hfcheck.space.code.values import (
    ClassRef,
    EnvRead,
    FunctionRef,
    Instance,
    ObjectOf,
    WouldRaise,
    joined,
    plain,
    truth,
)
from hfcheck.space.value import PLATFORM, Known, Origin, Unknown, Value

_MAX_CALLS = 12
"""How deep calls of the image's own functions are followed."""

_TRANSPARENT = {"functools.lru_cache", "functools.cache", "functools.wraps", "staticmethod"}
_CACHED_PROPERTY = {"property", "functools.cached_property", "pydantic.computed_field"}

AttributeHook = Callable[[Instance, str], "Value[object] | None"]
"""Gives the value of an attribute of an instance (a settings field); None where it has no say."""


class Evaluator(BodyRunner):
    """Evaluates expressions in the modules of `python` under the environment `env`.

    `env` maps every name known to be set (ENV, declared variables) to its value. `open_env` says
    why further variables may be set, where they may; else a name that is not in `env` is unset.
    Lists, tuples, sets and dict values hold `Value`s as items, each with its own origins; `plain`
    turns a value into an ordinary Python object or Unknown. `instance_attribute` is asked first
    for attributes of instances.
    """

    def __init__(
        self,
        python: Python,
        env: Mapping[str, Value[str]],
        open_env: Unknown | None = None,
    ) -> None:
        self.python = python
        self.env = dict(env)
        self.open_env = open_env
        self.instance_attribute: AttributeHook | None = None
        self._steps = 0
        self._globals: dict[tuple[Module, str], Value[object] | WouldRaise] = {}
        self._relevant: dict[int, dict[str, list[ast.stmt]]] = {}

    def value(self, node: ast.expr, module: Module, scope: Locals | None = None) -> Value[object]:
        """The value of an expression of `module`; origins lead from the node to its sources.

        An expression that would raise gives Unknown with the exception's name.
        """
        try:
            return self.strict(node, module, scope)
        except WouldRaise as error:
            return Unknown(f"it raises {error.exception}", error.origins)

    def strict(self, node: ast.expr, module: Module, scope: Locals | None = None) -> Value[object]:
        """Like `value`, but raises WouldRaise where the expression certainly would raise."""
        frame = Frame(module)
        if scope is not None:
            frame.names.update(scope.arguments)
            frame.function = scope.function
        try:
            return self.evaluate(node, frame)
        except RecursionError:
            return Unknown("its nesting is too deep to be worked out")

    def plain(self, value: Value[object]) -> Value[object]:
        """The value with containers of Values turned into ordinary ones; Unknown where any item
        is unknown.
        """
        return plain(value)

    def attribute(self, instance: Instance, name: str) -> Value[object]:
        """The value of an attribute of an instance of a class of the image."""
        try:
            return self._instance_attribute(instance, name, Frame(instance.cls.module))
        except WouldRaise as error:
            return Unknown(f"it raises {error.exception}", error.origins)
        except RecursionError:
            return Unknown("its nesting is too deep to be worked out")

    def set_variable(self, name: str, value: Value[object]) -> None:
        """Note that the code sets an environment variable (`os.environ["X"] = value`)."""
        known = isinstance(value, Known) and isinstance(value.value, str)
        self.env[name] = cast("Value[str]", value) if known else Unknown(PLATFORM)

    def truth(self, node: ast.expr, frame: Frame) -> bool | None:
        """Whether a condition holds; None where that is unknown."""
        return truth(self.evaluate(node, frame))

    # Expressions

    def evaluate(self, node: ast.expr, frame: Frame) -> Value[object]:
        """The value of an expression in a frame; raises WouldRaise where it certainly raises."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            return Unknown("there is too much to work out")
        method = getattr(self, f"_eval_{type(node).__name__.lower()}", None)
        if method is None:
            return Unknown(f"a {type(node).__name__} expression is not followed")
        return cast("Value[object]", method(node, frame))

    def _eval_constant(self, node: ast.Constant, frame: Frame) -> Value[object]:
        place = frame.module.place(node)
        return Known(node.value, (Origin(place, ""),))

    def _eval_name(self, node: ast.Name, frame: Frame) -> Value[object]:
        if node.id in frame.names:
            return frame.names[node.id]
        if node.id in ("__file__", "__name__"):
            return Known(frame.module.path if node.id == "__file__" else frame.module.name)
        if frame.cls is not None and node.id not in frame.tracking:
            found = self._tracked(node.id, frame.cls.node.body, frame)
            if found is not None:
                return found
        if frame.function is not None and node.id in function_bindings(frame.function):
            local = self._local(node, frame)
            if local is not None:
                return local
        if frame.function is not None and _is_argument(frame.function, node.id):
            return Unknown(f"`{node.id}` is an argument of {frame.function.name}()")
        found_at = self.python.definition(frame.module, node, frame.function)
        if found_at is None:
            return Unknown(f"nothing binds `{node.id}`")
        if found_at.qualified == node.id and found_at.node is None:
            return Known(ObjectOf(node.id, None, None))
        return self._defined(found_at)

    def _local(self, node: ast.Name, frame: Frame) -> Value[object] | None:
        assert frame.function is not None
        name = node.id
        bound = function_bindings(frame.function)[name]
        if any(binding.alias is not None for binding in bound):
            return None
        if name in frame.tracking:
            return Unknown(f"`{name}` depends on itself")
        return self._tracked(name, frame.function.body, frame, before=node)

    def _tracked(
        self,
        name: str,
        body: Sequence[ast.stmt],
        frame: Frame,
        *,
        before: ast.expr | None = None,
    ) -> Value[object] | None:
        """The value of `name` after the statements of `body` (those before `before`) that bind or
        change it.
        """
        relevant = self._statements_about(body).get(name)
        if relevant and before is not None and _stands_in(before, body):
            relevant = [item for item in relevant if item.lineno < before.lineno]
        if not relevant:
            return None
        inner = Frame(
            frame.module,
            {k: v for k, v in frame.names.items() if k != name},
            frame.function,
            frame.cls,
            frame.calls,
            frame.tracking | {name},
        )
        self.run(relevant, inner, frozenset({name}))
        return inner.names.get(name)

    def _statements_about(self, body: Sequence[ast.stmt]) -> dict[str, list[ast.stmt]]:
        index = self._relevant.get(id(body))
        if index is None:
            index = {}
            for statement in body:
                for name in dict.fromkeys(pyvalues.touched_names(statement)):
                    index.setdefault(name, []).append(statement)
            self._relevant[id(body)] = index
        return index

    def _defined(self, found: Definition) -> Value[object]:
        if found.module is None or found.node is None:
            return Known(ObjectOf(found.qualified, None, None))
        if isinstance(found.node, ast.ClassDef):
            return Known(ClassRef(found.module, found.node))
        if isinstance(found.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return Known(FunctionRef(found.module, found.node))
        if isinstance(found.node, ast.Module):
            return Known(ObjectOf(found.qualified, found.module, None))
        return self.module_value(found.module, found.qualified.rpartition(".")[2])

    def module_value(self, module: Module, name: str) -> Value[object]:
        """The value of a module-level name once the module is loaded."""
        key = (module, name)
        known = self._globals.get(key)
        if known is None:
            self._globals[key] = Unknown(f"`{name}` depends on itself")
            try:
                tracked = self._tracked(name, module.tree.body, Frame(module))
                known = tracked or Unknown(f"`{name}` is not followed")
            except WouldRaise as error:
                known = error
            self._globals[key] = known
        if isinstance(known, WouldRaise):
            raise known
        return known

    def _eval_attribute(self, node: ast.Attribute, frame: Frame) -> Value[object]:
        own = self._own_attribute(node, frame)
        if own is not None:
            return own
        qualified = self.python.qualified(frame.module, node, frame.function)
        if qualified is not None and not self._shadowed(node, frame):
            if qualified in ("os.environ", "os.sep", "os.pathsep"):
                return Known(ObjectOf(qualified, None, None))
            found = self.python.definition(frame.module, node, frame.function)
            if found is not None and found.module is not None:
                if isinstance(found.node, (ast.ClassDef, ast.Module)):
                    return self._defined(found)
                if not self._is_class_member(node, frame):
                    return self._defined(found)
        owner = self.evaluate(node.value, frame)
        return self._attribute_of(owner, node.attr, node, frame)

    def _own_attribute(self, node: ast.Attribute, frame: Frame) -> Value[object] | None:
        """`self.x` where the function itself has set it before."""
        if not isinstance(node.value, ast.Name) or frame.function is None:
            return None
        name = f"{node.value.id}.{node.attr}"
        if name in frame.names:
            return frame.names[name]
        if name in frame.tracking or node.value.id not in frame.names:
            return None
        return self._tracked(name, frame.function.body, frame, before=node)

    def _shadowed(self, node: ast.Attribute, frame: Frame) -> bool:
        head: ast.expr = node
        while isinstance(head, ast.Attribute):
            head = head.value
        return isinstance(head, ast.Name) and head.id in frame.names

    def _is_class_member(self, node: ast.Attribute, frame: Frame) -> bool:
        base = self.python.definition(frame.module, node.value, frame.function)
        return base is not None and isinstance(base.node, ast.ClassDef)

    def _attribute_of(
        self, owner: Value[object], name: str, node: ast.AST, frame: Frame
    ) -> Value[object]:
        if isinstance(owner, Unknown):
            return owner
        thing = owner.value
        if isinstance(thing, Instance):
            return self._instance_attribute(thing, name, frame)
        if isinstance(thing, ClassRef):
            return self._class_attribute(thing, name, frame)
        if isinstance(thing, ObjectOf):
            if thing.module is not None and thing.call is None:
                inner = self.python.attribute_of(thing.module, name)
                return self._defined(inner) if inner else Unknown(f"nothing binds `{name}`")
            if thing.call is not None:
                return Unknown(f"`{name}` of an object of {thing.qualified} is not followed")
            return Known(ObjectOf(f"{thing.qualified}.{name}", None, None))
        if isinstance(thing, pyvalues.Member):
            return thing.value if name == "value" else Unknown(f"`{name}` of an enum's member")
        if isinstance(thing, PurePosixPath):
            return pyvalues.path_attribute(thing, name, owner.origins)
        if thing is None:
            raise WouldRaise("AttributeError", owner.origins)
        return Unknown(f"the attribute `{name}` is not followed", owner.origins)

    def _instance_attribute(self, instance: Instance, name: str, frame: Frame) -> Value[object]:
        if self.instance_attribute is not None:
            value = self.instance_attribute(instance, name)
            if value is not None:
                return value
        for module, cls in self.ancestry(instance.cls):
            for statement in cls.body:
                if isinstance(statement, ast.FunctionDef) and statement.name == name:
                    ref = FunctionRef(module, statement, instance)
                    if self._decorated_by(module, statement, _CACHED_PROPERTY):
                        return self.call_function(ref, [], {}, frame)
                    return Known(ref)
        from_init = self._set_in_init(instance, name, frame)
        if from_init is not None:
            return from_init
        return self._class_attribute(instance.cls, name, frame)

    def _set_in_init(self, instance: Instance, name: str, frame: Frame) -> Value[object] | None:
        outer: Frame | None = None
        for module, cls in self.ancestry(instance.cls):
            function = _constructor(cls)
            if function is None:
                continue
            if frame.calls >= _MAX_CALLS:
                return Unknown("the calls are too deep to be followed")
            ref = FunctionRef(module, function, instance)
            names = self._init_arguments(ref, instance, outer, frame)
            inner = Frame(module, names, function, None, frame.calls + 1)
            attribute = f"{function.args.args[0].arg}.{name}"
            if attribute in self._statements_about(function.body):
                return self._tracked(attribute, function.body, inner)
            outer = inner
        return None

    def _init_arguments(
        self, ref: FunctionRef, instance: Instance, outer: Frame | None, frame: Frame
    ) -> dict[str, Value[object]]:
        """What an `__init__` is called with: by who makes the instance, or by the `__init__` of
        the class below (`outer`).
        """
        call, caller = instance.call, Frame(instance.caller or ref.module, calls=frame.calls + 1)
        if outer is not None:
            call, caller = _call_above(outer.function), outer
        if call is None or (outer is None and instance.caller is None):
            return self.bound_arguments(ref, [], {})
        arguments, keywords = self.arguments(call, caller)
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            arguments = arguments[1:]  # `Base.__init__(self, …)`
        return self.bound_arguments(ref, arguments, keywords)

    def _class_attribute(self, ref: ClassRef, name: str, frame: Frame) -> Value[object]:
        for module, cls in self.ancestry(ref):
            inner = Frame(module, cls=ClassRef(module, cls), calls=frame.calls)
            found = self._tracked(name, cls.body, inner)
            if found is not None:
                if self._is_enum(ref):
                    return Known(pyvalues.Member(found))
                return found
        return Unknown(f"`{ref.node.name}.{name}` is not followed")

    def _is_enum(self, ref: ClassRef) -> bool:
        return any(
            (self.python.qualified(module, base) or "").startswith("enum.")
            for module, cls in self.ancestry(ref)
            for base in cls.bases
        )

    def _enum_member(self, ref: ClassRef, value: Value[object], frame: Frame) -> Value[object]:
        """`Mode("prod")`: the member with this value."""
        unknown = Unknown(f"which member of {ref.node.name} it is is not followed", value.origins)
        wanted = plain(value)
        line = self.ancestry(ref)
        if not _is_literal(wanted) or any(_makes_members(cls) for _, cls in line):
            return unknown
        for name in _member_names(ref.node):
            member = self._class_attribute(ref, name, frame)
            held = plain(member)
            if not _is_literal(held):
                return unknown
            if cast("Known[object]", held).value == cast("Known[object]", wanted).value:
                return Known(cast("Known[object]", member).value, value.origins)
        raise WouldRaise("ValueError", value.origins)

    def ancestry(self, ref: ClassRef) -> list[tuple[Module, ast.ClassDef]]:
        """The class and its bases that the image defines, nearest first."""
        line = [(ref.module, ref.node)]
        for module, cls in line:
            for base in cls.bases:
                found = self.python.definition(module, _without_subscript(base))
                if found is None or found.module is None:
                    continue
                known = any(found.node is node for _, node in line)
                if isinstance(found.node, ast.ClassDef) and not known:
                    line.append((found.module, found.node))
            if len(line) > 50:
                break
        return line

    def _eval_subscript(self, node: ast.Subscript, frame: Frame) -> Value[object]:
        owner = self.evaluate(node.value, frame)
        if isinstance(owner, Unknown):
            self._visit(node.slice, frame)
            return owner
        if isinstance(owner.value, ObjectOf):
            if owner.value.qualified == "os.environ":
                key = self.evaluate(node.slice, frame)
                return self._environ(key, node, frame, required=True)
            return Unknown("an item of an object is not followed", owner.origins)
        if isinstance(node.slice, ast.Slice):
            return self._slice(owner, node.slice, frame)
        return pyvalues.item(owner, self.evaluate(node.slice, frame))

    def _slice(self, owner: Known[object], node: ast.Slice, frame: Frame) -> Value[object]:
        bounds: list[int | None] = []
        for part in (node.lower, node.upper, node.step):
            bound = self.evaluate(part, frame) if part else Known(None)
            if isinstance(bound, Unknown) or not isinstance(bound.value, (int, type(None))):
                return Unknown("the slice is not known", owner.origins)
            bounds.append(bound.value)
        if isinstance(owner.value, (str, list, tuple)):
            try:
                return Known(owner.value[slice(*bounds)], owner.origins)
            except ValueError:
                raise WouldRaise("ValueError", owner.origins) from None
        return Unknown("a slice of this is not followed", owner.origins)

    def _environ(
        self, key: Value[object], node: ast.expr, frame: Frame, *, required: bool
    ) -> Value[object]:
        if isinstance(key, Unknown) or not isinstance(key.value, str):
            return Unknown("the name of the variable is not known")
        return self.variable(key.value, frame.module.place(node), key.origins, required=required)

    def variable(
        self, name: str, place: Place, named: tuple[Origin, ...] = (), *, required: bool
    ) -> Value[object]:
        """The value of an environment variable that is read at `place`, None when it is unset.

        `named` are the origins of its name: where the read itself does not show it (a helper that
        takes the name as an argument), the place that does is the one to tell.
        Raises WouldRaise("KeyError") for an unset one that is `required`.
        """
        found = self.env.get(name)
        if found is not None:
            return cast("Value[object]", found)
        if self.open_env is not None:
            return self.open_env
        if name not in place.text:
            place = next((o.place for o in named if name in o.place.text), place)
        read = EnvRead(place, f"`{name}` is not set", name)
        if required:
            raise WouldRaise("KeyError", (read,))
        return Known(None, (read,))

    def _eval_boolop(self, node: ast.BoolOp, frame: Frame) -> Value[object]:
        is_or = isinstance(node.op, ast.Or)
        origins: tuple[Origin, ...] = ()
        unknown: Unknown | None = None
        result: Value[object] = Known(None)
        for part in node.values:
            if unknown is not None:
                self._visit(part, frame)
                continue
            result = self.evaluate(part, frame)
            holds = truth(result)
            if holds is None:
                dark = Unknown("its truth is not known", result.origins)
                unknown = result if isinstance(result, Unknown) else dark
                continue
            if holds is is_or:
                return pyvalues.adding(result, origins)
            origins = joined(origins, result.origins)
        if unknown is not None:
            return unknown
        merged = pyvalues.adding(result, origins)
        return _alternatives(merged) if is_or else merged

    def _visit(self, node: ast.expr, frame: Frame) -> None:
        """Evaluate for nothing but the steps: what it raises is not certain."""
        try:
            self.evaluate(node, frame)
        except WouldRaise:
            return

    def _eval_ifexp(self, node: ast.IfExp, frame: Frame) -> Value[object]:
        test = self.evaluate(node.test, frame)
        holds = truth(test)
        if holds is None:
            reason = test.reason if isinstance(test, Unknown) else "it depends on a condition"
            return Unknown(reason, test.origins)
        chosen = self.evaluate(node.body if holds else node.orelse, frame)
        return pyvalues.adding(chosen, test.origins)

    def _eval_unaryop(self, node: ast.UnaryOp, frame: Frame) -> Value[object]:
        return pyvalues.unary(node.op, self.evaluate(node.operand, frame))

    def _eval_binop(self, node: ast.BinOp, frame: Frame) -> Value[object]:
        left = self.evaluate(node.left, frame)
        return pyvalues.binary(node.op, left, self.evaluate(node.right, frame))

    def _eval_compare(self, node: ast.Compare, frame: Frame) -> Value[object]:
        left = self.evaluate(node.left, frame)
        if len(node.ops) != 1:
            for part in node.comparators:
                self._visit(part, frame)
            return Unknown("a chained comparison is not followed")
        if isinstance(node.ops[0], (ast.In, ast.NotIn)):
            environment = self._in_environment(left, node.comparators[0], node, frame)
            if environment is not None:
                negated = isinstance(node.ops[0], ast.NotIn)
                return Known(environment.value is not negated, environment.origins)
        return pyvalues.compare(node.ops[0], left, self.evaluate(node.comparators[0], frame))

    def _in_environment(
        self, key: Value[object], container: ast.expr, node: ast.expr, frame: Frame
    ) -> Known[bool] | None:
        value = self.evaluate(container, frame)
        if isinstance(value, Unknown) or not isinstance(value.value, ObjectOf):
            return None
        if value.value.qualified != "os.environ" or isinstance(key, Unknown):
            return None
        found = self._environ(key, node, frame, required=False)
        is_set = isinstance(found, Unknown) or found.value is not None
        return Known(is_set, found.origins)

    def _eval_list(self, node: ast.List, frame: Frame) -> Value[object]:
        return Known(self.items(node.elts, frame), (Origin(frame.module.place(node), ""),))

    def _eval_tuple(self, node: ast.Tuple, frame: Frame) -> Value[object]:
        items = tuple(self.items(node.elts, frame))
        return Known(items, (Origin(frame.module.place(node), ""),))

    def _eval_set(self, node: ast.Set, frame: Frame) -> Value[object]:
        return Known(self.items(node.elts, frame), (Origin(frame.module.place(node), ""),))

    def items(self, nodes: Iterable[ast.expr], frame: Frame) -> list[Value[object]]:
        """The values of expressions, unpacked where starred."""
        items: list[Value[object]] = []
        for node in nodes:
            if not isinstance(node, ast.Starred):
                items.append(self.evaluate(node, frame))
                continue
            inner = self.evaluate(node.value, frame)
            items.extend(pyvalues.items_of(inner) or [Unknown("unpacked items are not known")])
        return items

    def _eval_dict(self, node: ast.Dict, frame: Frame) -> Value[object]:
        result: dict[object, Value[object]] = {}
        complete = True
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.evaluate(value_node, frame)
            if key_node is None:
                if isinstance(value, Known) and isinstance(value.value, dict):
                    result.update(value.value)
                else:
                    complete = False
                continue
            key = self.evaluate(key_node, frame)
            if isinstance(key, Known) and isinstance(key.value, (str, int, float, bool)):
                result[key.value] = value
            else:
                complete = False
        if not complete:
            return Unknown("some keys are not known")
        return Known(result, (Origin(frame.module.place(node), ""),))

    def _eval_joinedstr(self, node: ast.JoinedStr, frame: Frame) -> Value[object]:
        text: list[str] = []
        origins: tuple[Origin, ...] = (Origin(frame.module.place(node), ""),)
        unknown: Unknown | None = None
        for part in node.values:
            if isinstance(part, ast.Constant):
                text.append(str(part.value))
                continue
            field = cast(ast.FormattedValue, part)
            inner = self.evaluate(field.value, frame)
            shaped = field.conversion not in (-1, ord("s")) or field.format_spec is not None
            if isinstance(inner, Unknown) or shaped or not pyvalues.is_simple(inner.value):
                reason = inner.reason if isinstance(inner, Unknown) else "a part is not known"
                unknown = unknown or Unknown(reason, inner.origins)
                continue
            text.append(str(inner.value))
            origins = joined(origins, inner.origins)
        return unknown or Known("".join(text), origins)

    def _eval_namedexpr(self, node: ast.NamedExpr, frame: Frame) -> Value[object]:
        value = self.evaluate(node.value, frame)
        frame.names[node.target.id] = value
        return value

    def _eval_await(self, node: ast.Await, frame: Frame) -> Value[object]:
        return self.evaluate(node.value, frame)

    def _eval_listcomp(self, node: ast.ListComp, frame: Frame) -> Value[object]:
        return self._comprehension(node.elt, node.generators, frame)

    def _eval_setcomp(self, node: ast.SetComp, frame: Frame) -> Value[object]:
        return self._comprehension(node.elt, node.generators, frame)

    def _eval_generatorexp(self, node: ast.GeneratorExp, frame: Frame) -> Value[object]:
        return self._comprehension(node.elt, node.generators, frame)

    def _comprehension(
        self, element: ast.expr, generators: list[ast.comprehension], frame: Frame
    ) -> Value[object]:
        inner = Frame(
            frame.module,
            dict(frame.names),
            frame.function,
            frame.cls,
            frame.calls,
            frame.tracking,
        )
        results: list[Value[object]] = []
        origins: list[tuple[Origin, ...]] = []
        problem = self._generate(element, generators, inner, results, origins)
        if problem is not None:
            return problem
        merged: tuple[Origin, ...] = ()
        for some in origins:
            merged = joined(merged, some)
        return Known(results, merged)

    def _generate(
        self,
        element: ast.expr,
        generators: list[ast.comprehension],
        frame: Frame,
        results: list[Value[object]],
        origins: list[tuple[Origin, ...]],
    ) -> Unknown | None:
        if not generators:
            results.append(self.evaluate(element, frame))
            return None
        head, *rest = generators
        source = self.evaluate(head.iter, frame)
        items = pyvalues.items_of(source)
        if items is None or len(items) > MAX_ITEMS:
            reason = source.reason if isinstance(source, Unknown) else "what it goes through"
            return Unknown(reason, source.origins)
        origins.append(source.origins)
        for item in items:
            self.bind(head.target, item, frame)
            tests = [self.evaluate(test, frame) for test in head.ifs]
            holds = [truth(test) for test in tests]
            for test in tests:
                origins.append(test.origins)
            if False in holds:
                continue
            if None in holds:
                results.append(Unknown("it is there only under a condition", item.origins))
                continue
            problem = self._generate(element, rest, frame, results, origins)
            if problem is not None:
                return problem
        return None

    def _eval_lambda(self, node: ast.Lambda, frame: Frame) -> Value[object]:
        return Known(pyvalues.LambdaRef(frame.module, node))

    # Calls

    def _eval_call(self, node: ast.Call, frame: Frame) -> Value[object]:
        builtin = self._library_call(node, frame)
        if builtin is not None:
            return builtin
        if isinstance(node.func, ast.Attribute):
            method = self._method_call(node, node.func, frame)
            if method is not None:
                return method
        callee = self.evaluate(node.func, frame)
        if isinstance(callee, Known) and isinstance(callee.value, ObjectOf):
            reader = readers.reader_of(callee.value, None)
            if reader is not None:
                return readers.read(self, reader, callee.value, None, node, frame)
        arguments, keywords = self.arguments(node, frame)
        if isinstance(callee, Unknown):
            return callee
        thing = callee.value
        if isinstance(thing, ClassRef):
            if self._is_enum(thing) and len(arguments) == 1 and not keywords:
                return self._enum_member(thing, arguments[0], frame)
            return Known(Instance(thing, node, frame.module))
        if isinstance(thing, FunctionRef):
            return self.call_function(thing, arguments, keywords, frame)
        if isinstance(thing, pyvalues.LambdaRef):
            return self._call_lambda(thing, arguments, frame)
        if isinstance(thing, ObjectOf) and thing.call is None:
            return Known(ObjectOf(thing.qualified, frame.module, node))
        return Unknown("what it calls is not followed", callee.origins)

    def _call_lambda(
        self, ref: pyvalues.LambdaRef, arguments: list[Value[object]], frame: Frame
    ) -> Value[object]:
        if frame.calls >= _MAX_CALLS:
            return Unknown("the calls are too deep to be followed")
        names = {a.arg: v for a, v in zip(ref.node.args.args, arguments, strict=False)}
        return self.evaluate(ref.node.body, Frame(ref.module, names, calls=frame.calls + 1))

    def arguments(
        self, node: ast.Call, frame: Frame
    ) -> tuple[list[Value[object]], dict[str, Value[object]]]:
        """The values of a call's arguments: positional ones, and those given by name.

        Raises WouldRaise where a name is given twice.
        """
        arguments = self.items(node.args, frame)
        keywords: dict[str, Value[object]] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, frame)
            given: dict[str, Value[object]] = {}
            if keyword.arg is not None:
                given = {keyword.arg: value}
            elif isinstance(value, Known) and isinstance(value.value, dict):
                given = {str(name): each for name, each in value.value.items()}
            if given.keys() & keywords.keys():
                raise WouldRaise("TypeError", ())
            keywords.update(given)
        return arguments, keywords

    def _library_call(self, node: ast.Call, frame: Frame) -> Value[object] | None:
        qualified = self._callee_name(node, frame)
        if qualified is None:
            return None
        if qualified in ("os.getenv", "os.environ.get", "os.environ.pop"):
            return self._getenv(node, frame)
        if qualified in ("dotenv.find_dotenv", "dotenv.main.find_dotenv") and not node.args:
            return envfiles.find_dotenv(self, frame.module.path)
        plain_reader = ObjectOf(qualified, None, None)
        reader = readers.reader_of(plain_reader, None)
        if reader is not None:
            return readers.read(self, reader, plain_reader, None, node, frame)
        function = FUNCTIONS.get(qualified)
        if function is not None:
            arguments, keywords = self.arguments(node, frame)
            return function(arguments, keywords)
        if qualified in ("sys.exit", "exit", "quit", "os._exit"):
            self.arguments(node, frame)
            raise WouldRaise("SystemExit", ())
        return None

    def _callee_name(self, node: ast.Call, frame: Frame) -> str | None:
        head: ast.expr = node.func
        while isinstance(head, ast.Attribute):
            head = head.value
        if not isinstance(head, ast.Name) or head.id in frame.names:
            return None
        return self.python.qualified(frame.module, node.func, frame.function)

    def _getenv(self, node: ast.Call, frame: Frame) -> Value[object]:
        arguments, keywords = self.arguments(node, frame)
        key = arguments[0] if arguments else keywords.get("key", Unknown("no name"))
        default: Value[object] = Known(None)
        if len(arguments) > 1:
            default = arguments[1]
        elif "default" in keywords:
            default = keywords["default"]
        found = self._environ(key, node, frame, required=False)
        if isinstance(found, Known) and found.value is None:
            return readers.defaulted(default, found.origins)
        return found

    def _method_call(
        self, node: ast.Call, func: ast.Attribute, frame: Frame
    ) -> Value[object] | None:
        owner = self.evaluate(func.value, frame)
        if isinstance(owner, Unknown):
            self._visit_arguments(node, frame)
            return owner
        thing = owner.value
        if isinstance(thing, ObjectOf):
            return self._object_method(thing, node, func, frame)
        if isinstance(thing, (Instance, ClassRef, FunctionRef)):
            return None
        arguments, keywords = self.arguments(node, frame)
        return pyvalues.method(owner, func.attr, arguments, keywords)

    def _visit_arguments(self, node: ast.Call, frame: Frame) -> None:
        for argument in node.args:
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            self.evaluate(inner, frame)
        for keyword in node.keywords:
            self.evaluate(keyword.value, frame)

    def _object_method(
        self, thing: ObjectOf, node: ast.Call, func: ast.Attribute, frame: Frame
    ) -> Value[object] | None:
        reader = readers.reader_of(thing, func.attr)
        if reader is not None:
            return readers.read(self, reader, thing, func.attr, node, frame)
        if thing.call is None:
            return None
        self._visit_arguments(node, frame)
        return Unknown(f"what {thing.qualified}(…).{func.attr}() gives is not followed")

    def call_function(
        self,
        ref: FunctionRef,
        arguments: list[Value[object]],
        keywords: dict[str, Value[object]],
        frame: Frame,
    ) -> Value[object]:
        """What a function of the image returns for these arguments."""
        if frame.calls >= _MAX_CALLS:
            return Unknown("the calls are too deep to be followed")
        if isinstance(ref.node, ast.AsyncFunctionDef) or pyvalues.yields(ref.node):
            return Unknown(f"{ref.node.name}() is no plain function")
        allowed = _TRANSPARENT | _CACHED_PROPERTY | {"classmethod"}
        if ref.node.decorator_list and not self._decorated_by(ref.module, ref.node, allowed):
            return Unknown(f"{ref.node.name}() is decorated")
        names = self.bound_arguments(ref, arguments, keywords)
        inner = Frame(ref.module, names, ref.node, None, frame.calls + 1)
        flow = self.run(ref.node.body, inner, None)
        if flow is None:
            return Known(None)
        if flow.kind == "return":
            return flow.value
        if flow.kind == "raise" and flow.raised is not None:
            raise flow.raised
        return Unknown(f"what {ref.node.name}() returns is not known")

    def _decorated_by(self, module: Module, node: FunctionNode, names: Iterable[str]) -> bool:
        for decorator in node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            if (self.python.qualified(module, target) or "") not in names:
                return False
        return bool(node.decorator_list)

    def bound_arguments(
        self,
        ref: FunctionRef,
        arguments: list[Value[object]],
        keywords: dict[str, Value[object]],
    ) -> dict[str, Value[object]]:
        """The names of a function's parameters with what a call gives them, defaults filled in."""
        spec = ref.node.args
        names = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
        bound: dict[str, Value[object]] = {}
        home = Frame(ref.module)
        for name, default in zip(reversed(names), reversed(spec.defaults), strict=False):
            bound[name] = self._default(default, home)
        for arg, kw_default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            if kw_default is not None:
                bound[arg.arg] = self._default(kw_default, home)
        given = list(arguments)
        if ref.owner is not None and names:
            given.insert(0, Known(ref.owner))
        bound.update(zip(names, given, strict=False))
        bound.update(keywords)
        for name in (*names, *(arg.arg for arg in spec.kwonlyargs)):
            bound.setdefault(name, Unknown(f"`{name}` is an argument of {ref.node.name}()"))
        return bound

    def _default(self, node: ast.expr, frame: Frame) -> Value[object]:
        try:
            return self.evaluate(node, frame)
        except WouldRaise as error:
            return Unknown(f"it raises {error.exception}", error.origins)


def _alternatives(value: Value[object]) -> Value[object]:
    """Of variables that are read one for want of the other (`or`), one is enough."""
    names = [o.name for o in value.origins if isinstance(o, EnvRead)]
    if isinstance(value, Unknown) or len(names) < 2:
        return value
    marked = tuple(
        replace(o, others=tuple(n for n in names if n != o.name)) if isinstance(o, EnvRead) else o
        for o in value.origins
    )
    return Known(value.value, marked)


def _constructor(node: ast.ClassDef) -> ast.FunctionDef | None:
    """The `__init__` that a class defines itself."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return statement if statement.args.args else None
    return None


def _call_above(function: FunctionNode | None) -> ast.Call | None:
    """`super().__init__(…)` or `Base.__init__(self, …)` in an `__init__`."""
    for node in ast.walk(function) if function is not None else ():
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "__init__":
            return node
    return None


def _is_literal(value: Value[object]) -> bool:
    return isinstance(value, Known) and (value.value is None or pyvalues.is_simple(value.value))


def _makes_members(node: ast.ClassDef) -> bool:
    """Whether an Enum has its own way from a value to a member."""
    own = {"_missing_", "__new__", "__init__", "_generate_next_value_"}
    named = (getattr(statement, "name", "") for statement in node.body)
    flags = (getattr(base, "attr", getattr(base, "id", "")) for base in node.bases)
    return any(name in own for name in named) or any("Flag" in name for name in flags)


def _member_names(node: ast.ClassDef) -> list[str]:
    """The names that the body of an Enum assigns."""
    return [
        target.id
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and not target.id.startswith("_")
    ]


def _is_argument(function: FunctionNode, name: str) -> bool:
    spec = function.args
    extra = [arg for arg in (spec.vararg, spec.kwarg) if arg]
    return any(a.arg == name for a in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *extra))


def _stands_in(node: ast.expr, body: Sequence[ast.stmt]) -> bool:
    """Whether a node is written among these statements (it may come from another function)."""
    line = getattr(node, "lineno", None)
    return line is not None and body[0].lineno <= line <= (body[-1].end_lineno or line)


def _without_subscript(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Subscript) else node


__all__ = ["ClassRef", "Evaluator", "FunctionRef", "Instance", "Locals", "ObjectOf"]
