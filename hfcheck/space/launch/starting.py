"""Calls with which a Python program starts another program."""

from __future__ import annotations

import ast
from dataclasses import replace

from hfcheck.source import Place
from hfcheck.space.code.evaluate import ObjectOf
from hfcheck.space.code.frames import Frame
from hfcheck.space.code.values import items_of
from hfcheck.space.launch.following import Blocked
from hfcheck.space.launch.listening import Listening
from hfcheck.space.launch.process import companion, literal, word_text
from hfcheck.space.launch.servecalls import Given, table
from hfcheck.space.shell.host import ArgWord, Blocks, Call, CommandResult, Returns, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value

DJANGO_ARGV = "django.core.management.execute_from_command_line"
DJANGO_CALL = "django.core.management.call_command"
_RUNSERVER = "django.core.management.commands.runserver.Command"


class Starting(Listening):
    """Follows `os.system`, `subprocess`, `threading.Thread` and their kin."""

    def start(self, name: str, node: ast.Call, frame: Frame) -> None:
        """A call that runs another program."""
        row = table().programs[name]
        place = frame.module.place(node)
        args = self._given((), node, frame)
        call = replace(self._started(place), background=row.background, cwd=self._cwd(args))
        call = self._with_env(call, args.by_name.get("env"))
        result = self._program(row.form, row.skip, node, args, call, frame)
        if isinstance(result, Blocks) and not row.background:
            raise Blocked(result)
        if isinstance(result, Blocks):
            for each in result.running:
                self.beside.append(replace(each, foreground=False))
        elif row.replaces:
            raise Blocked(result)
        elif isinstance(result, Unclear) and row.background:
            self.beside.append(companion(result, call))
        elif isinstance(result, Unclear):
            self.strange = Origin(place, result.reason)
        elif isinstance(result, Returns):
            self.beside.extend(result.running)

    def run_command(self, program: str, node: ast.Call, frame: Frame) -> None:
        """`uvicorn.main(["app:app"])`: the command of a program, called as a function."""
        place = frame.module.place(node)
        words = self.arguments()
        given = node.args[0] if node.args else None
        given = next((k.value for k in node.keywords if k.arg == "args"), given)
        if given is not None:
            items = items_of(self.value(given, frame))
            if items is None:
                raise Blocked(Unclear("the words of a command are not known"))
            words = tuple(self._item(item, place) for item in items)
        argv = (literal(program, place), *words)
        raise Blocked(self.starter.program(argv, self._started(place), place))

    def run_python(self, options: tuple[str, ...], node: ast.Call, frame: Frame) -> None:
        """`runpy.run_module("uvicorn", run_name="__main__")`."""
        place = frame.module.place(node)
        name = next((k.value for k in node.keywords if k.arg == "run_name"), None)
        main = self.value(name, frame) if name is not None else Unknown("none")
        if not node.args or not isinstance(main, Known) or main.value != "__main__":
            self.strange = Origin(place, "what it runs is not followed")
            return
        words = [literal(word, place) for word in ("python", *options)]
        argv = (*words, self._word(node.args[0], frame), *self.arguments())
        raise Blocked(self.starter.program(argv, self._started(place), place))

    def run_django(self, name: str, node: ast.Call, frame: Frame) -> None:
        """`execute_from_command_line(sys.argv)`, `call_command("runserver", "0.0.0.0:7860")`."""
        place = frame.module.place(node.func)
        words = self._django_words(name, node, frame)
        if words is None:
            raise Blocked(Unclear("the words of a command are not known"))
        if [word_text(word) for word in words] == ["runserver"]:
            words = (*words, *self._runserver_address(frame))
        result = self.starter.django(words, self._started(place), place)
        if not isinstance(result, Returns) or result.status:
            raise Blocked(result)
        self.beside.extend(result.running)

    def _runserver_address(self, frame: Frame) -> tuple[ArgWord, ...]:
        """The address that the program sets as default: `Command.default_port = "7860"`."""
        given: dict[str, ast.expr] = {}
        for node in ast.walk(self.program.module.tree):
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.Assign) and isinstance(target, ast.Attribute):
                owner = self.python.qualified(frame.module, target.value, frame.function)
                if owner == _RUNSERVER:
                    given[target.attr] = node.value
        if not given:
            return ()
        place = frame.module.place(next(iter(given.values())))
        host, port = given.get("default_addr"), given.get("default_port")
        parts = [
            self.value(host, frame) if host is not None else Known("127.0.0.1"),
            self.value(port, frame) if port is not None else Known("8000"),
        ]
        known = [str(part.value) for part in parts if isinstance(part, Known)]
        if len(known) < len(parts):
            return (ArgWord(Unknown("the default address is not known"), place),)
        return (ArgWord(Known(":".join(known), (Origin(place, "the default"),)), place),)

    def _django_words(self, name: str, node: ast.Call, frame: Frame) -> tuple[ArgWord, ...] | None:
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            return None
        if name == DJANGO_CALL:
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            address = [given["addrport"]] if "addrport" in given else []
            return tuple(self._word(argument, frame) for argument in (*node.args, *address))
        argv = next((k.value for k in node.keywords if k.arg == "argv"), None)
        argv = node.args[0] if node.args else argv
        if argv is None or self.python.qualified(frame.module, argv, frame.function) == "sys.argv":
            return self.arguments()
        items, place = items_of(self.value(argv, frame)), frame.module.place(argv)
        return tuple(self._item(item, place) for item in items[1:]) if items is not None else None

    def _with_env(self, call: Call, env: Value[object] | None) -> Call:
        """A call with the environment that it is given (`env=`)."""
        if env is None or (isinstance(env, Known) and env.value is None):
            return call
        if not isinstance(env, Known) or not isinstance(env.value, dict):
            reason = Unknown("the environment that it is given is not known", env.origins)
            return replace(call, env={}, open_env=reason)
        found: dict[str, Value[str]] = {}
        for name, value in env.value.items():
            if isinstance(value, Unknown):
                found[str(name)] = value
            elif isinstance(value, Known) and isinstance(value.value, str):
                found[str(name)] = Known(value.value, value.origins)
            else:
                found[str(name)] = Unknown(f"the program sets {name} itself")
        return replace(call, env=found, open_env=None)

    def _cwd(self, args: Given) -> Value[str]:
        cwd = args.by_name.get("cwd")
        if cwd is None or cwd == Known(None):
            return self.program.call.cwd
        if isinstance(cwd, Known):
            return Known(str(cwd.value), cwd.origins)
        return cwd

    def _program(
        self, form: str, skip: int, node: ast.Call, args: Given, call: Call, frame: Frame
    ) -> CommandResult:
        first = args.by_name.get("#0") or args.by_name.get("args") or args.by_name.get("command")
        if form == "second":
            first = args.by_name.get("#1")
        if form == "rest":
            words = [self._word(a, frame) for a in node.args[skip:]]
            return self.starter.program(tuple(words), call, call.place)
        if first is None:
            return Unclear("what it runs is not known", (Origin(call.place, "a command"),))
        if isinstance(first, Known) and isinstance(first.value, (list, tuple)):
            nodes = node.args[1 if form == "second" else 0 :]
            place = frame.module.place(nodes[0]) if nodes else call.place
            words = [self._item(item, place) for item in first.value]
            return self.starter.program(tuple(words), call, place)
        if isinstance(first, Known) and not isinstance(first.value, str):
            return Unclear("what it runs is not known", first.origins)
        text = (
            Unknown(first.reason, first.origins)
            if isinstance(first, Unknown)
            else Known(str(first.value), first.origins)
        )
        place = text.origins[0].place if text.origins else call.place
        if form == "either" and args.by_name.get("shell", Known(False)) == Known(False):
            return self.starter.program((ArgWord(text, place),), call, place)
        return self.starter.shell_text(text, call, place)

    def _word(self, node: ast.expr, frame: Frame) -> ArgWord:
        return self._item(self.value(node, frame), frame.module.place(node))

    def _item(self, item: object, place: Place) -> ArgWord:
        value = item if isinstance(item, (Known, Unknown)) else Known(item)
        here = value.origins[0].place if value.origins else place
        if isinstance(value, Unknown):
            return ArgWord(value, here)
        thing = value.value
        if isinstance(thing, ObjectOf):
            return ArgWord(Unknown("a word is not known", value.origins), here)
        text = str(thing)
        origins = value.origins or (Origin(here, text),)
        return ArgWord(Known(text, origins), here, text)
