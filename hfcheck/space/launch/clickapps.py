"""Commands of click and typer: which function a call of the application starts, with what values.

What an option is worth is its value on the command line, else its variable, else its default
(click 8, "Values from Environment Variables").
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hfcheck.space.code.evaluate import ClassRef, FunctionRef, ObjectOf
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.python import FunctionNode, Module
from hfcheck.space.code.values import Member
from hfcheck.space.launch.argparsers import choices_of
from hfcheck.space.launch.commandline import Declared, Option, Refused, Unreadable, read
from hfcheck.space.launch.memory import Memory
from hfcheck.space.launch.process import word_text
from hfcheck.space.shell.host import ArgWord
from hfcheck.space.value import Known, Unknown, Value, via

_COMMANDS = frozenset({"click.command", "click.decorators.command", "rich_click.command"})
_GROUPS = frozenset({"click.group", "click.decorators.group", "rich_click.group"})
_TYPERS = frozenset({"typer.Typer", "typer.main.Typer"})
_OBJECTS = frozenset({"click.Group", "click.core.Group"})

Names = dict[str, Value[object]]


@dataclass(frozen=True, slots=True)
class Started:
    """A function that a command line starts, and the values of its parameters."""

    function: FunctionRef
    names: Names


@dataclass(slots=True)
class _Parameter:
    """One parameter of a command, and the variables behind it."""

    option: Option
    env: tuple[str, ...] = ()


@dataclass(slots=True)
class _Command:
    """A command (or a group of them) with its function."""

    function: FunctionRef | None
    parameters: list[_Parameter] = field(default_factory=list)
    prefix: str | None = None
    inner: dict[str, FunctionRef] = field(default_factory=dict)
    group: bool = False
    typer: bool = False
    strange: str | None = None


def started(
    node: ast.Call, name: str | None, frame: Frame, memory: Memory, words: Sequence[ArgWord]
) -> list[Started] | Unknown | None:
    """The functions that a call of a click or typer application starts, outermost first.

    None where the call is none of an application's; Unknown where it can't be told what it starts.
    Raises Refused where the program stops at its command line.
    """
    app = _application(node, name, frame, memory)
    if app is None:
        return None
    prefix = app.prefix
    for keyword in node.keywords:
        value = memory.value_of(keyword.value, frame)
        if keyword.arg == "auto_envvar_prefix":
            prefix = _text(value) or "?"
        elif keyword.arg == "args" and not _is(value, None):
            return Unknown("the words that the command reads are not followed", value.origins)
        elif keyword.arg is None:
            return Unknown("the arguments of the command are not known")
    if node.args and name != "typer.run":
        return Unknown("the words that the command reads are not followed")
    try:
        return _chosen(app, prefix, memory, tuple(words))
    except Unreadable as problem:
        return Unknown(f"what the command line starts is not known: {problem}")


def _application(node: ast.Call, name: str | None, frame: Frame, memory: Memory) -> _Command | None:
    if name == "typer.run" and node.args:
        value = memory.value_of(node.args[0], frame)
        thing = value.value if isinstance(value, Known) else None
        return _typer_command(thing, memory) if isinstance(thing, FunctionRef) else None
    value = memory.value_of(node.func, frame)
    thing = value.value if isinstance(value, Known) else None
    if isinstance(thing, FunctionRef):
        return _click_command(thing, memory)
    if isinstance(thing, ObjectOf) and thing.call is not None and thing.module is not None:
        if thing.qualified in _TYPERS:
            return _typer_app(thing, memory)
        if thing.qualified in _OBJECTS:
            return _Command(None, strange="its commands are not followed")
    return None


def _chosen(
    app: _Command, prefix: str | None, memory: Memory, words: tuple[ArgWord, ...]
) -> list[Started]:
    """The command that the words choose. Raises Unreadable."""
    if app.strange is not None:
        raise Unreadable(app.strange)
    if not app.group:
        assert app.function is not None
        return [Started(app.function, _values(app, prefix, memory, words))]
    own, rest = _split(app, words)
    found: list[Started] = []
    if app.function is not None:
        found.append(Started(app.function, _values(app, prefix, memory, own)))
    if not rest:
        raise Unreadable("no command is named")
    name = word_text(rest[0])
    inner = app.inner.get(name or "")
    if inner is None or name is None:
        raise Unreadable(f"the command `{name or '?'}` is not followed")
    made = _typer_command(inner, memory) if app.typer else _click_command(inner, memory)
    if made is None:
        raise Unreadable(f"the command `{name}` is not followed")
    under = f"{prefix}_{name}".upper().replace("-", "_") if prefix is not None else None
    return [*found, *_chosen(made, under, memory, rest[1:])]


def _split(
    app: _Command, words: tuple[ArgWord, ...]
) -> tuple[tuple[ArgWord, ...], tuple[ArgWord, ...]]:
    """The words of a group itself, and those from the command's name on."""
    valued = {n for p in app.parameters if p.option.action == "store" for n in p.option.names}
    index = 0
    while index < len(words):
        text = word_text(words[index])
        if text is None or not text.startswith("-"):
            break
        index += 2 if text in valued else 1
    return words[:index], words[index:]


def _values(
    command: _Command, prefix: str | None, memory: Memory, words: tuple[ArgWord, ...]
) -> Names:
    """The values of a command's parameters. Raises Unreadable."""
    options: list[Option] = []
    for parameter in command.parameters:
        names = parameter.env
        if not names and prefix is not None and parameter.option.names:
            names = (f"{prefix}_{parameter.option.dest}".upper().replace("-", "_"),)
        option = parameter.option
        found = _from_env(names, memory)
        if found is not None:
            option = replace(option, default=_converted(found, option), required=False)
        options.append(option)
    try:
        return read(Declared(options, abbreviates=False), words)
    except Refused as refused:
        if "expected" in str(refused):  # click takes a word with a dash for a value
            raise Unreadable(str(refused)) from None
        raise


def _from_env(names: Sequence[str], memory: Memory) -> Value[object] | None:
    for name in names:
        value = memory.env.get(name, memory.open_env)
        if value is not None and not (isinstance(value, Known) and value.value == ""):
            found = via(value)
            return Unknown(found.reason, found.origins) if isinstance(found, Unknown) else found
    return None


def _converted(value: Value[object], option: Option) -> Value[object]:
    if isinstance(value, Unknown) or option.kind == "str":
        return value
    if option.kind == "int" and str(value.value).strip().isdigit():
        return Known(int(str(value.value)), value.origins)
    return Unknown("what its type makes of the variable is not followed", value.origins)


# click


def _click_command(ref: FunctionRef, memory: Memory) -> _Command | None:
    """The command that a function with click's decorators is; None for a plain function."""
    group = _decorated(ref, _GROUPS, memory) or _hangs(ref, "group", memory)
    if not (group or _decorated(ref, _COMMANDS, memory) or _hangs(ref, "command", memory)):
        return None
    made = _Command(ref, group=group)
    home = Frame(ref.module)
    for decorator in ref.node.decorator_list:
        called = decorator if isinstance(decorator, ast.Call) else None
        last = _last(called.func if called else decorator)
        if called is not None and last in ("option", "argument"):
            made.parameters.append(_click_parameter(called, home, memory))
        elif called is not None and last in ("command", "group"):
            _context(called, made, home, memory)
        elif last not in ("pass_context", "pass_obj", "version_option", "help_option", "command",
                          "group"):  # fmt: skip
            made.strange = "a decorator of the command is not followed"
    if group:
        made.inner = dict(_commands_of(ref))
    return made


def _context(call: ast.Call, made: _Command, home: Frame, memory: Memory) -> None:
    """`context_settings={"auto_envvar_prefix": "APP"}` and what else changes the reading."""
    for keyword in call.keywords:
        if keyword.arg == "context_settings":
            value = memory.value_of(keyword.value, home)
            entries = value.value if isinstance(value, Known) else None
            if not isinstance(entries, dict):
                made.strange = "the settings of the command are not known"
                continue
            given = entries.get("auto_envvar_prefix")
            if isinstance(given, Known) and isinstance(given.value, str):
                made.prefix = given.value
            if set(entries) - {"auto_envvar_prefix", "help_option_names", "show_default",
                               "max_content_width", "terminal_width"}:  # fmt: skip
                made.strange = "the settings of the command are not followed"
        elif keyword.arg == "cls":
            made.strange = "the class of the command is not followed"


def _click_parameter(call: ast.Call, home: Frame, memory: Memory) -> _Parameter:
    texts = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    keywords = {k.arg: memory.value_of(k.value, home) for k in call.keywords if k.arg}
    positional = _last(call.func) == "argument"
    names = [text for text in texts if text.startswith("-")]
    plain = [text for text in texts if not text.startswith("-")]
    longest = max((n.partition("/")[0] for n in names), key=len, default="")
    dest = (plain or [longest.lstrip("-")])[0].lower().replace("-", "_")
    switch = any("/" in n for n in names) or any(
        _is_true(keywords.get(word)) for word in ("is_flag", "count", "multiple", "flag_value")
    )
    default = keywords.get("default")
    return _made(
        dest,
        () if positional else tuple(names),
        _kind_of(keywords.get("type"), default),
        default,
        _texts(keywords.get("envvar")),
        switch=switch or ("type" not in keywords and (_is(default, True) or _is(default, False))),
        several=_is_true(keywords.get("multiple")) or "nargs" in keywords,
        required=_is_true(keywords.get("required")),
        choices=_click_choices(keywords.get("type"), home, memory),
    )


def _click_choices(
    value: Value[object] | None, home: Frame, memory: Memory
) -> dict[object, object] | None:
    """The texts that `click.Choice([...])` takes."""
    thing = value.value if isinstance(value, Known) else None
    if not isinstance(thing, ObjectOf) or thing.call is None or _last(thing.call.func) != "Choice":
        return None
    given = [*thing.call.args, *(k.value for k in thing.call.keywords if k.arg == "choices")]
    return choices_of(memory.value_of(given[0], home)) if given else None


def _commands_of(ref: FunctionRef) -> Iterator[tuple[str, FunctionRef]]:
    """The commands that hang on a group: `@group.command(...)` in its module."""
    yield from _hanging(ref.module, ref.node.name)


def _hanging(module: Module, app: str) -> Iterator[tuple[str, FunctionRef]]:
    for statement in module.tree.body:
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for decorator in statement.decorator_list:
            called = decorator if isinstance(decorator, ast.Call) else None
            func = called.func if called else decorator
            if not isinstance(func, ast.Attribute) or func.attr not in ("command", "group"):
                continue
            if isinstance(func.value, ast.Name) and func.value.id == app:
                for name in _command_names(statement, called):
                    yield name, FunctionRef(module, statement)


def _command_names(function: FunctionNode, call: ast.Call | None) -> tuple[str, ...]:
    """The name of a command: given, or made of the function's (click 8.2 drops `_command`)."""
    given: ast.expr | None = None
    if call is not None:
        given = call.args[0] if call.args else None
        given = next((k.value for k in call.keywords if k.arg == "name"), given)
    if given is not None:
        known = isinstance(given, ast.Constant) and isinstance(given.value, str)
        return (str(given.value),) if known else ()  # type: ignore[attr-defined]
    name = function.name.lower().replace("_", "-")
    return (name, re.sub(r"-(command|cmd|group|grp)$", "", name))


# typer


def _typer_app(thing: ObjectOf, memory: Memory) -> _Command:
    assert thing.call is not None and thing.module is not None
    module = thing.module
    app = _name_of(thing.call, module.tree.body)
    made = _Command(None, group=True, typer=True)
    if app is None:
        made.strange = "the application is not followed"
        return made
    made.inner = dict(_hanging(module, app))
    callback = _callback(module.tree.body, app)
    single = len({id(found.node) for found in made.inner.values()}) == 1
    if callback is None and single and not _hangs_others(module.tree.body, app):
        return _typer_command(next(iter(made.inner.values())), memory)
    if callback is not None:
        called = _typer_command(FunctionRef(module, callback), memory)
        made.function, made.parameters = called.function, called.parameters
    return made


def _name_of(call: ast.Call, body: Sequence[ast.stmt]) -> str | None:
    for statement in body:
        if isinstance(statement, ast.Assign) and statement.value is call:
            target = statement.targets[0]
            return target.id if isinstance(target, ast.Name) else None
        if isinstance(statement, ast.AnnAssign) and statement.value is call:
            return statement.target.id if isinstance(statement.target, ast.Name) else None
    return None


def _callback(body: Sequence[ast.stmt], app: str) -> FunctionNode | None:
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in statement.decorator_list:
                func = decorator.func if isinstance(decorator, ast.Call) else decorator
                if ast.unparse(func) == f"{app}.callback":
                    return statement
    return None


def _hangs_others(body: Sequence[ast.stmt], app: str) -> bool:
    """Whether other applications or commands are added with a call (`app.add_typer(...)`)."""
    return any(
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and ast.unparse(statement.value.func) in (f"{app}.add_typer", f"{app}.command()")
        for statement in body
    )


def _typer_command(ref: FunctionRef, memory: Memory) -> _Command:
    made = _Command(ref)
    home = Frame(ref.module)
    for decorator in ref.node.decorator_list:
        if isinstance(decorator, ast.Call):
            _context(decorator, made, home, memory)
    spec = ref.node.args
    arguments = [*spec.posonlyargs, *spec.args]
    defaults: dict[str, ast.expr] = {}
    for argument, default in zip(reversed(arguments), reversed(spec.defaults), strict=False):
        defaults[argument.arg] = default
    for argument, only in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        if only is not None:
            defaults[argument.arg] = only
    for argument in (*arguments, *spec.kwonlyargs):
        parameter = _typer_parameter(argument, defaults.get(argument.arg), home, memory)
        if parameter is not None:
            made.parameters.append(parameter)
    return made


def _typer_parameter(
    argument: ast.arg, default: ast.expr | None, home: Frame, memory: Memory
) -> _Parameter | None:
    annotation, info = _unannotated(argument.annotation)
    kind = ast.unparse(annotation) if annotation is not None else ""
    if kind in ("typer.Context", "Context", "click.Context"):
        return None
    value_node = default
    if isinstance(default, ast.Call) and _last(default.func) in ("Option", "Argument"):
        info = default
        value_node = default.args[0] if default.args else None
        value_node = next((k.value for k in default.keywords if k.arg == "default"), value_node)
    required = value_node is None or (
        isinstance(value_node, ast.Constant) and value_node.value is Ellipsis
    )
    value = memory.value_of(value_node, home) if value_node is not None and not required else None
    given = info.args[1 if info is default else 0 :] if info is not None else []
    texts = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    named = info.keywords if info is not None else []
    keywords = {k.arg: memory.value_of(k.value, home) for k in named if k.arg}
    positional = _last(info.func) == "Argument" if info is not None else required
    switch = kind.startswith("bool")
    dashed = argument.arg.replace("_", "-")
    names = texts or [f"--{dashed}" + (f"/--no-{dashed}" if switch else "")]
    return _made(
        argument.arg,
        () if positional else tuple(names),
        _typer_kind(kind),
        value,
        _texts(keywords.get("envvar")),
        switch=switch,
        several=kind.lower().startswith(("list[", "tuple[", "optional[list")),
        required=required,
        choices=_typer_choices(annotation, home, memory),
    )


def _typer_choices(
    annotation: ast.expr | None, home: Frame, memory: Memory
) -> dict[object, object] | None:
    """The texts that a parameter with an Enum for its type takes, and the members they become."""
    value = memory.value_of(annotation, home) if annotation is not None else None
    ref = value.value if isinstance(value, Known) else None
    if not isinstance(ref, ClassRef):
        return None
    bases = [memory.python.qualified(ref.module, base) or "" for base in ref.node.bases]
    if not any(base.startswith("enum.") for base in bases):
        return None
    found: dict[object, object] = {}
    for statement in ref.node.body:
        if isinstance(statement, ast.Assign):
            member = memory.value_of(statement.value, Frame(ref.module, cls=ref))
            if not isinstance(member, Known):
                return None
            found[str(member.value)] = Member(member)
    return found


def _unannotated(annotation: ast.expr | None) -> tuple[ast.expr | None, ast.Call | None]:
    """The type of `Annotated[T, typer.Option(...)]`, and the option."""
    if not isinstance(annotation, ast.Subscript) or _last(annotation.value) != "Annotated":
        return annotation, None
    if not isinstance(annotation.slice, ast.Tuple) or not annotation.slice.elts:
        return annotation, None
    inner, *more = annotation.slice.elts
    for item in more:
        if isinstance(item, ast.Call) and _last(item.func) in ("Option", "Argument"):
            return inner, item
    return inner, None


def _typer_kind(text: str) -> str | None:
    plain = re.sub(r"Optional\[(.*)\]$|\s*\|\s*None$", lambda m: m.group(1) or "", text)
    return {"int": "int", "str": "str", "": "str", "Path": "str", "bool": "str"}.get(plain)


# Both


def _made(
    dest: str,
    names: tuple[str, ...],
    kind: str | None,
    default: Value[object] | None,
    env: tuple[str, ...],
    *,
    switch: bool,
    several: bool,
    required: bool,
    choices: Mapping[object, object] | None = None,
) -> _Parameter:
    """One parameter as the reader of command lines takes it."""
    kind = "str" if choices is not None and kind is None else kind
    on = tuple(name.partition("/")[0].strip() for name in names)
    off = tuple(part.strip() for name in names if (part := name.partition("/")[2]))
    unknown: Value[object] = Unknown("such an option is not followed")
    if switch and not off:
        return _Parameter(Option(dest, on, "store_const", const=Known(True), default=default
                                 or Known(False)), env)  # fmt: skip
    if switch:
        # `--a/--no-a`: which of the two is given is not told apart, only whether one is.
        option = Option(dest, (*on, *off), "store_const", const=unknown, default=default)
        return _Parameter(option, env)
    if several:
        return _Parameter(Option(dest, names, "append" if names else "store",
                                 None if names else "*", None, unknown), env)  # fmt: skip
    given = default
    if not names and not required:
        given = given or Known(None)
        return _Parameter(Option(dest, (), "store", "?", kind, given, choices=choices), env)
    if given is None and not required:
        given = Known(None)
    option = Option(dest, on, "store", None, kind, given, required=required, choices=choices)
    return _Parameter(option, env)


def _kind_of(kind: Value[object] | None, default: Value[object] | None) -> str | None:
    """How click converts: by the type, else by the type of the default."""
    if kind is None:
        if isinstance(default, Unknown):
            return None
        example = default.value if default is not None else None
        if isinstance(example, int):
            return "int"
        return "str" if example is None or isinstance(example, str) else None
    thing = kind.value if isinstance(kind, Known) else None
    name = thing.qualified if isinstance(thing, ObjectOf) else ""
    if name in ("int", "click.INT", "click.IntRange", "click.types.IntRange"):
        return "int"
    return "str" if name in ("str", "click.STRING", "click.Path") else None


def _texts(value: Value[object] | None) -> tuple[str, ...]:
    if not isinstance(value, Known):
        return ()
    items = value.value if isinstance(value.value, (list, tuple)) else [value]
    return tuple(text for item in items if (text := _text(item)) is not None)


def _text(value: object) -> str | None:
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else None


def _is(value: Value[object] | None, thing: object) -> bool:
    return isinstance(value, Known) and value.value is thing


def _is_true(value: Value[object] | None) -> bool:
    return isinstance(value, Known) and bool(value.value)


def _decorated(ref: FunctionRef, names: frozenset[str], memory: Memory) -> bool:
    for decorator in ref.node.decorator_list:
        func = decorator.func if isinstance(decorator, ast.Call) else decorator
        if memory.python.qualified(ref.module, func) in names:
            return True
    return False


def _hangs(ref: FunctionRef, kind: str, memory: Memory) -> bool:
    """Whether a function is a command (or group) of a click group: `@group.command(...)`."""
    for decorator in ref.node.decorator_list:
        func = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not isinstance(func, ast.Attribute) or func.attr != kind:
            continue
        value = memory.value_of(func.value, Frame(ref.module))
        thing = value.value if isinstance(value, Known) else None
        if isinstance(thing, FunctionRef) and thing.node is not ref.node:
            return _decorated(thing, _GROUPS, memory) or _hangs(thing, "group", memory)
    return False


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
