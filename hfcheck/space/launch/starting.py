"""Calls with which a Python program starts another program, a thread or a process."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from hfcheck.source import Place
from hfcheck.space.code.evaluate import FunctionRef, ObjectOf
from hfcheck.space.code.frames import Frame
from hfcheck.space.launch.following import Blocked, Returned
from hfcheck.space.launch.listening import Listening
from hfcheck.space.launch.process import companion
from hfcheck.space.launch.servecalls import Given, table
from hfcheck.space.shell.host import ArgWord, Blocks, Call, CommandResult, Returns, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value


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
            if thing.qualified != "sys.executable":
                return ArgWord(Unknown("a word is not known", value.origins), here)
            thing = "python"
        text = str(thing)
        origins = value.origins or (Origin(here, text),)
        return ArgWord(Known(text, origins), here, text)

    def run_beside(self, node: ast.Call, frame: Frame) -> None:
        """`Thread(target=f, args=(...))`: what `f` starts runs beside the rest."""
        args = self._given(("group", "target", "name", "args", "kwargs"), node, frame)
        target = args.by_name.get("target")
        if not isinstance(target, Known) or not isinstance(target.value, FunctionRef):
            for keyword in node.keywords:
                if keyword.arg == "target" and isinstance(keyword.value, ast.Lambda):
                    self._aside(lambda: self.expression(keyword.value.body, frame))  # type: ignore[attr-defined]  # noqa: B023
                elif keyword.arg == "target" and isinstance(keyword.value, ast.Attribute):
                    self._aside(lambda: self._bare_method(keyword, node, frame))  # noqa: B023
            return
        values = args.by_name.get("args")
        positional = (
            list(values.value)
            if isinstance(values, Known) and isinstance(values.value, (list, tuple))
            else []
        )
        named = args.by_name.get("kwargs")
        keywords = (
            dict(named.value) if isinstance(named, Known) and isinstance(named.value, dict) else {}
        )
        reference = target.value
        self._aside(lambda: self.enter(reference, positional, keywords, frame))

    def _bare_method(self, keyword: ast.keyword, node: ast.Call, frame: Frame) -> None:
        """`Thread(target=app.run, kwargs={...})`: the call that the thread makes."""
        extra = next((k.value for k in node.keywords if k.arg == "kwargs"), None)
        keywords = [ast.keyword(None, extra)] if extra is not None else []
        made = ast.Call(keyword.value, [], keywords)
        self.call(ast.copy_location(made, keyword.value), frame)

    def _aside(self, run: Callable[[], None]) -> None:
        try:
            run()
        except Blocked as blocked:
            if isinstance(blocked.result, Blocks):
                self.beside.extend(replace(r, foreground=False) for r in blocked.result.running)
        except Returned:
            return
