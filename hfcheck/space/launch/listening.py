"""Calls that make a Python program listen: the arguments, and the listener that comes of them."""

from __future__ import annotations

import ast
from dataclasses import replace

from hfcheck.source import Place
from hfcheck.space.code.evaluate import FunctionRef, Instance, ObjectOf
from hfcheck.space.code.frames import Frame
from hfcheck.space.launch import appconfig, targets
from hfcheck.space.launch.following import Blocked, Following
from hfcheck.space.launch.process import Listener, Stopped, Target, running
from hfcheck.space.launch.servecalls import (
    BOUND,
    Given,
    ServeCall,
    address_of,
    bound_to,
    table,
)
from hfcheck.space.shell.host import Blocks, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value


class Listening(Following):
    """Follows the calls of servecalls.yaml."""

    def serve(self, row: ServeCall, node: ast.Call, frame: Frame) -> None:
        """A call of the table: it listens."""
        args = self._arguments_of(row, node, frame)
        place = frame.module.place(node.func)
        if args is None:
            raise Blocked(
                Unclear(
                    f"the arguments of {row.server} are not known", (Origin(place, row.server),)
                )
            )
        if row.server_name is not None:
            args = self._named(row, args, node, frame)
        spawning = self._spawning(row, args, place)
        if spawning is not None:
            raise Blocked(spawning)
        if row.configured is not None:
            address = self._configured(row, args, place)
        else:
            address = address_of(row, args, self._variables(row), place)
        if isinstance(address, Stopped):
            raise Blocked(address)
        listener = self._listener(row.server, *address, place, self._target(row, args, frame, node))
        held = args.get(row.returns_with)
        if not row.blocks or (isinstance(held, Known) and held.value is True):
            self.beside.append(running(replace(listener, foreground=False)))
            return
        raise Blocked(Blocks((running(listener),)))

    def _spawning(self, row: ServeCall, args: Given, place: Place) -> Stopped | None:
        """A call that starts further processes, where they can't load the application: they get
        no object of this one, and import the main module again.
        """
        if not row.spawns:
            return None
        app = args.get(row.target)
        asked = [name for name in row.spawns if _several(args.get(name))]
        if not asked or app is None:
            return None
        if isinstance(app, Unknown) or not isinstance(app.value, str):
            if not isinstance(app, Known) or not isinstance(app.value, (ObjectOf, FunctionRef)):
                return None
            reason = f"{row.server} with `{asked[0]}` needs the name of the application"
            return Stopped(f"{reason} (`module:app`), not the application", place)
        again = not self.program.entry.endswith((".__main__", "/-c"))
        if self.guarded or self.program.function is not None or not again:
            return None
        reason = f"the processes of `{asked[0]}` import this module again, and start it again:"
        return Stopped(f"{reason} it stands behind no `if __name__ == '__main__'`", place)

    def _named(self, row: ServeCall, args: Given, node: ast.Call, frame: Frame) -> Given:
        """The arguments, with what SERVER_NAME of the application's configuration gives where they
        leave it open.
        """
        app = args.get("app") if row.server_name == "port" else None
        if isinstance(node.func, ast.Attribute) and row.server_name == "both":
            app = self.value(node.func.value, frame)
        found = appconfig.server_name(self.evaluator, app) if app is not None else None
        by_name = dict(args.by_name)
        for name, value in zip(("host", "port"), found or (), strict=False):
            given = args.get(name)
            left_open = given is None or (isinstance(given, Known) and not given.value)
            known_none = isinstance(value, Known) and value.value is None
            if left_open and not known_none and row.server_name in ("both", name):
                by_name[name] = value
        return Given(by_name, args.open)

    def _variables(self, row: ServeCall) -> dict[str, Value[str]]:
        """The environment, with the variables of a row that may be set."""
        unknown = self.evaluator.open_env
        maybe = dict.fromkeys((*row.host.env, *row.port.env), unknown) if unknown else {}
        return {**{name: v for name, v in maybe.items() if v is not None}, **self.env}

    def _listener(
        self,
        server: str,
        host: Value[str | None],
        port: Value[int],
        place: Place,
        target: Target | None,
    ) -> Listener:
        call = self.program.call
        return Listener(
            server=server,
            host=host,
            port=port,
            target=target,
            place=place,
            steps=(*call.steps, *self.steps),
            foreground=not call.background,
            search=tuple(self.python.search),
            entry=tuple(dict.fromkeys((self.program.entry, *targets.entry(target)))),
            env=dict(call.env),
            open_env=call.open_env,
        )

    def _arguments_of(self, row: ServeCall, node: ast.Call, frame: Frame) -> Given | None:
        """The arguments of a call, or of the call that made the object it is about."""
        if row.own_arguments:
            maker = self._maker(
                node.func.value if isinstance(node.func, ast.Attribute) else None, frame
            )
            return self._stored(maker, row.arguments, frame) if maker else None
        args = self._given(row.arguments, node, frame)
        if row.address == BOUND and isinstance(node.func, ast.Attribute):
            held = self.value(node.func.value, frame)
            bound = self.evaluator.kept(getattr(held, "value", None), BOUND)
            return Given({BOUND: bound}) if bound is not None else None
        if row.made is None:
            return args
        parameter, makers = row.made
        holder: Value[object] | None = args.by_name.get(parameter)
        if isinstance(node.func, ast.Attribute) and holder is None:
            owner = self._maker(node.func.value, frame)
            inner = self._stored(owner, (parameter,), frame) if owner else None
            holder = inner.get(parameter) if inner else None
        call = self._made_by(holder, makers)
        names = row.made_arguments or row.arguments
        return self._stored(call, names, frame) if call is not None else None

    def _made_by(self, value: Value[object] | None, makers: tuple[str, ...]) -> ast.Call | None:
        """The call that made an object, where it is one of these."""
        thing = value.value if isinstance(value, Known) else None
        return thing.call if isinstance(thing, ObjectOf) and thing.qualified in makers else None

    def _maker(self, node: ast.expr | None, frame: Frame) -> ast.Call | None:
        value = self.value(node, frame) if node is not None else None
        if isinstance(value, Known) and isinstance(value.value, (ObjectOf, Instance)):
            return value.value.call
        return None

    def bind(self, node: ast.Call, frame: Frame) -> None:
        """`socket.bind((host, port))`: the address that it listens on later."""
        if isinstance(node.func, ast.Attribute) and node.args:
            owner = self.value(node.func.value, frame)
            self.evaluator.set_attribute(owner, BOUND, self.value(node.args[0], frame))

    def _stored(self, call: ast.Call, names: tuple[str, ...], frame: Frame) -> Given:
        """The arguments of an earlier call, as they were when it was passed."""
        stored = self.made.get(id(call))
        if stored is None:
            return self._given(names, call, frame)
        by_name: dict[str, Value[object]] = {}
        for name, value in stored.by_name.items():
            index = name[1:] if name.startswith("#") else ""
            if index.isdigit() and int(index) < len(names):
                by_name[names[int(index)]] = value
            else:
                by_name[name] = value
        return Given(by_name, stored.open)

    def _configured(
        self, row: ServeCall, args: Given, place: Place
    ) -> tuple[Value[str | None], Value[int]] | Stopped:
        assert row.configured is not None
        parameter, attribute, classes = row.configured
        mapped = self._mapped(args.get(parameter), classes)
        if mapped is not None:
            bind = mapped.get(attribute)
            return bound_to(row, bind, place) if bind else address_of(row, args, {}, place)
        call = self._made_by(args.get(parameter), classes)
        if call is not None:
            bind = self.evaluator.attributes.get((id(call), attribute))
            if bind is not None:
                return bound_to(row, bind, place)
            return address_of(row, args, self._variables(row), place)
        unknown = Unknown("its configuration is not known", (Origin(place, row.server),))
        return unknown, unknown

    def _mapped(
        self, value: Value[object] | None, classes: tuple[str, ...]
    ) -> dict[str, Value[object]] | None:
        """The options of `Config.from_mapping({...}, bind=...)`."""
        made = [f"{name}.from_mapping" for name in classes]
        call = self._made_by(value, tuple(made))
        given = self.made.get(id(call)) if call is not None else None
        if given is None or given.open is not None:
            return None
        found = {k: v for k, v in given.by_name.items() if not k.startswith("#")}
        first = given.by_name.get("#0")
        if isinstance(first, Known) and isinstance(first.value, dict):
            items = {str(k): v for k, v in first.value.items()}
            found = {**items, **found}
        elif first is not None:
            return None
        return found

    def _target(self, row: ServeCall, args: Given, frame: Frame, node: ast.Call) -> Target | None:
        """The application that the call names as `module:attribute`, with the place of the text."""
        value = args.by_name.get(row.target or "")
        if not isinstance(value, Known) or not isinstance(value.value, str):
            return None
        module, _, attribute = value.value.partition(":")
        place = value.origins[0].place if value.origins else frame.module.place(node)
        factory = args.by_name.get("factory")
        return Target(
            text=value.value,
            place=place,
            search=() if self.open_search else tuple(self.python.search),
            kind=row.kind,
            factory=isinstance(factory, Known) and factory.value is True,
            module=module,
            attribute=attribute or None,
        )

    def embedded(self, node: ast.Call, frame: Frame) -> None:
        """`StandaloneApplication(app, options).run()`: gunicorn with a dict of options."""
        place = frame.module.place(node.func)
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else node
        value = self.value(receiver, frame)
        call = (
            value.value.call
            if isinstance(value, Known) and isinstance(value.value, (Instance, ObjectOf))
            else None
        )
        row = replace(table().calls["waitress.serve"], server="gunicorn", syntax="gunicorn")
        for argument in [*call.args, *(k.value for k in call.keywords)] if call else []:
            options = self.value(argument, frame)
            if isinstance(options, Known) and isinstance(options.value, dict):
                bind = options.value.get("bind")
                if isinstance(bind, (Known, Unknown)):
                    address = bound_to(row, bind, place)
                    if isinstance(address, Stopped):
                        raise Blocked(address)
                    raise Blocked(
                        Blocks((running(self._listener("gunicorn", *address, place, None)),))
                    )
        raise Blocked(
            Unclear("the options of gunicorn are not known", (Origin(place, "gunicorn"),))
        )


def _several(value: Value[object] | None) -> bool:
    """Whether `reload=True` or `workers=2` is given."""
    thing = value.value if isinstance(value, Known) else None
    return thing is True or (isinstance(thing, int) and thing > 1)
