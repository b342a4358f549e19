"""How the application answers other origins: every CORS set-up, and what it lets in at start."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hfcheck.source import Place
from hfcheck.space.code.evaluate import Evaluator, Locals
from hfcheck.space.code.live import LiveFunctions
from hfcheck.space.code.scan import MOST_GUARDS, Guard, Site
from hfcheck.space.code.trace import Source, Trace, Tracer, keyword, last_name
from hfcheck.space.code.values import ClassRef, EnvRead, Instance, truth
from hfcheck.space.value import Known, Origin, Unknown, Value
from hfcheck.space.web.allowed import Allowed, Entry, allowed_by, merged
from hfcheck.space.web.apps import App, Apps
from hfcheck.space.web.urlfields import FieldTexts, field_texts

_STARLETTE = frozenset(
    {
        "fastapi.middleware.cors.CORSMiddleware",
        "starlette.middleware.cors.CORSMiddleware",
    }
)
_MIDDLEWARE = frozenset({"fastapi.middleware.Middleware", "starlette.middleware.Middleware"})
_FLASK = frozenset({"flask_cors.CORS", "flask_cors.extension.CORS"})
_FLASK_ROUTE = frozenset({"flask_cors.cross_origin", "flask_cors.decorator.cross_origin"})
_LEAVE_CORS_ALONE = frozenset(
    {
        "a2wsgi",
        "aiogram",
        "apscheduler",
        "asgiref",
        "authlib",
        "celery",
        "dash",
        "fastapi",
        "fastapi_cache",
        "fastapi_limiter",
        "fastapi_mcp",
        "fastapi_pagination",
        "fastapi_users",
        "flask",
        "flask_bcrypt",
        "flask_caching",
        "flask_compress",
        "flask_jwt_extended",
        "flask_limiter",
        "flask_login",
        "flask_mail",
        "flask_marshmallow",
        "flask_migrate",
        "flask_restful",
        "flask_restx",
        "flask_session",
        "flask_socketio",
        "flask_sqlalchemy",
        "flask_wtf",
        "gevent",
        "gradio",
        "granian",
        "gunicorn",
        "httpx",
        "hypercorn",
        "jinja2",
        "langserve",
        "logfire",
        "mangum",
        "mcp",
        "nest_asyncio",
        "opentelemetry",
        "prometheus_client",
        "prometheus_fastapi_instrumentator",
        "prometheus_flask_exporter",
        "pydantic",
        "pyngrok",
        "pytest",
        "ray",
        "scout_apm",
        "sentry_sdk",
        "slowapi",
        "socketio",
        "sqladmin",
        "sqlalchemy",
        "sqlmodel",
        "starlette",
        "starlette_admin",
        "starlette_exporter",
        "starlette_prometheus",
        "structlog",
        "telegram",
        "tortoise",
        "uvicorn",
        "waitress",
        "werkzeug",
        "whitenoise",
    }
)
"""Packages that are given an application and add no CORS to it."""
_HEADER = "access-control-allow-origin"
_ATTRIBUTE = "access_control_allow_origin"
"""The attribute of a werkzeug response that sets the header."""
_SANIC_ORIGINS = ("CORS_ORIGINS", "cors_origins")
"""The setting of Sanic Extensions for the allowed origins, off without it."""
_MENTIONS = re.compile("cors|cross_?origin|middleware|init_app", re.IGNORECASE)
"""A module without any of these words sets nothing up."""
_CORS_WORD = re.compile(r"cors(?![a-z])|(?<![a-z])cors|cross_?origin", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CorsSetup:
    """One place that sets CORS up.

    `library` is `starlette`, `flask-cors`, `django-cors-headers`, or empty where its way to
    compare is not known. `apps` are the identities of the applications that it is added to, empty
    where that is not known. `active` tells whether it happens at start. `variables` are the
    environment variables that could take part in it, `switches` those that only choose among
    what the code gives. `texts` tells that the origins are a settings field's items as texts.
    """

    library: str
    name: str
    place: Place
    allowed: Allowed
    apps: frozenset[int] = frozenset()
    active: Value[bool] = field(default_factory=lambda: Known(True))
    variables: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    reads: tuple[Origin, ...] = ()
    texts: FieldTexts | None = None


class CorsReader:
    """Finds the CORS set-ups in the modules of a tracer; `called` are the functions that the server
    itself calls.
    """

    def __init__(
        self, tracer: Tracer, apps: Apps, evaluator: Evaluator, called: frozenset[str] = frozenset()
    ) -> None:
        self.tracer = tracer
        self.apps = apps
        self.evaluator = evaluator
        self.live = LiveFunctions(tracer, called)

    def setups(self) -> list[CorsSetup]:
        """Every set-up that can run, in the order of the modules."""
        found: list[CorsSetup] = []
        for each in list(self.tracer.scans.values()):
            if not _MENTIONS.search(each.module.source.text):
                continue
            setups = [self._setup(site) for site in each.calls if not self._is_dead(site)]
            found.extend(setup for setup in setups if setup is not None)
        return [*found, *self._by_hand()]

    def _setup(self, site: Site) -> CorsSetup | None:
        call = site.node
        assert isinstance(call, ast.Call)
        qualified = self.tracer.qualified(site, call.func)
        name = last_name(call.func)
        if name == "add_middleware" and isinstance(call.func, ast.Attribute):
            kind = call.args[0] if call.args else keyword(call, "middleware_class")
            library = self._middleware(site, kind)
            if library is None and self._is_any_class(site, kind):
                library = ""
            if library is None or kind is None:
                return None
            apps = self.apps.behind(site.at(call.func.value))
            return self._starlette(site, library, last_name(kind), apps)
        if qualified in _MIDDLEWARE:
            library = self._middleware(site, call.args[0] if call.args else None)
            if library is None:
                return None
            return self._starlette(site, library, last_name(call.args[0]), [])
        if self._middleware(site, call.func) is not None:
            wrapped = call.args[0] if call.args else keyword(call, "app")
            apps = self.apps.behind(site.at(wrapped)) if wrapped is not None else []
            library = self._middleware(site, call.func) or ""
            return self._starlette(site, library, name, apps, positional=1)
        if qualified in _FLASK or self._is_flask_init(site):
            return self._flask(site, call)
        if qualified in _FLASK_ROUTE:
            return self._flask(site, call)
        return self._other(site, qualified)

    def _middleware(self, site: Site, kind: ast.expr | None) -> str | None:
        """The library behind a middleware class; empty for one that is not known, None where the
        expression is no CORS middleware.
        """
        if kind is None:
            return None
        qualified = self.tracer.qualified(site, kind)
        if qualified in _STARLETTE:
            return "starlette"
        definition = self.tracer.python.definition(site.module, kind, site.function)
        if definition and definition.module and isinstance(definition.node, ast.ClassDef):
            bases = self.tracer.outside_bases(Site(definition.node, definition.module))
            if any(base in _STARLETTE for base in bases):
                return ""
            return "" if _CORS_WORD.search(definition.node.name) else None
        if definition is None or definition.node is not None:
            return None
        name = qualified.rpartition(".")[2] or last_name(kind)
        is_class = name[:1].isupper()
        return "" if is_class and "cors" in name.lower() and "middleware" in name.lower() else None

    def _is_any_class(self, site: Site, kind: ast.expr | None) -> bool:
        """Whether a middleware class is only known when the code runs (a loop's variable)."""
        if kind is None:
            return True
        found = self.tracer.python.definition(site.module, kind, site.function)
        return found is None or not (found.node is None or isinstance(found.node, ast.ClassDef))

    def _starlette(
        self, site: Site, library: str, name: str, apps: list[App], positional: int = 9
    ) -> CorsSetup:
        call = site.node
        assert isinstance(call, ast.Call)
        given = keyword(call, "allow_origins")
        if given is None and len(call.args) > positional:
            given = call.args[positional]
        spread = any(k.arg is None for k in call.keywords)
        allowed = self._allowed(site.at(given), library) if given is not None else Allowed()
        pattern = keyword(call, "allow_origin_regex")
        if pattern is not None:
            value = self.value(site.at(pattern))
            empty = isinstance(value, Known) and value.value is None
            allowed = replace(allowed, patterns=not empty)
        if spread or not library:
            reason = "its arguments are not plain" if spread else "it is the project's own class"
            allowed = Allowed(allowed.entries if library else (), False, reason=reason)
        sources = [node for node in (given, pattern) if node is not None]
        return self._finished(site, library, name, allowed, apps, sources)

    def _flask(self, site: Site, call: ast.Call) -> CorsSetup:
        apps: list[App] = []
        function = call.func
        if last_name(function) in ("CORS", "init_app"):
            given = call.args[0] if call.args else keyword(call, "app")
            apps = self.apps.behind(site.at(given)) if given is not None else []
        nodes = list(self._flask_origins(site, call))
        parts = [self._allowed(node, "flask-cors") for node in nodes]
        spread = any(k.arg is None for k in call.keywords)
        unclear = spread or (keyword(call, "resources") is not None and not nodes)
        if unclear:
            allowed = Allowed(complete=False, reason="its arguments are not plain")
        elif parts:
            allowed = merged(parts)
        elif self._is_configured("CORS_ORIGINS") or last_name(function) == "init_app":
            allowed = Allowed(complete=False, reason="its configuration is not followed")
        else:
            allowed = Allowed(everything=True)
        sources = [node.node for node in nodes if isinstance(node.node, ast.expr)]
        return self._finished(site, "flask-cors", "CORS", allowed, apps, sources)

    def _flask_origins(self, site: Site, call: ast.Call) -> Iterator[Site]:
        given = keyword(call, "origins")
        if given is not None:
            yield site.at(given)
        resources = keyword(call, "resources")
        if isinstance(resources, ast.Dict):
            for options in resources.values:
                if not isinstance(options, ast.Dict):
                    continue
                for key, value in zip(options.keys, options.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "origins":
                        yield site.at(value)

    def _is_flask_init(self, site: Site) -> bool:
        call = site.node
        assert isinstance(call, ast.Call)
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "init_app":
            return False
        trace = self.tracer.trace(site.at(call.func.value))
        return any(
            isinstance(s.node, ast.Call) and self.tracer.qualified(s, s.node.func) in _FLASK
            for s in trace.sites
        )

    def _is_configured(self, name: str) -> bool:
        return name in self.live.names or any(
            site.node.value == name
            for each in self.tracer.scans.values()
            for site in each.texts
            if isinstance(site.node, ast.Constant)
        )

    def _other(self, site: Site, qualified: str) -> CorsSetup | None:
        """A call that has to do with CORS in a way that is not followed."""
        call = site.node
        assert isinstance(call, ast.Call)
        outside = self._from_outside(site, call.func)
        named = outside and _CORS_WORD.search(qualified)
        option = outside and any(k.arg and _CORS_WORD.search(k.arg) for k in call.keywords)
        reads = qualified.startswith(("os.", "pydantic", "logging", "decouple"))
        if reads or not (named or option or (outside and self._gets_app(site, qualified))):
            return None
        allowed = Allowed(complete=False, reason=f"{qualified} is not followed")
        return self._finished(site, "", last_name(call.func), allowed, [], [])

    def _gets_app(self, site: Site, qualified: str) -> bool:
        """Whether a function that is no file of the image and not known to leave CORS alone is
        given an application.
        """
        call = site.node
        assert isinstance(call, ast.Call)
        package = qualified.partition(".")[0]
        if is_library(qualified) or hasattr(builtins, package):
            return False
        given = (*call.args, *(keyword.value for keyword in call.keywords))
        names = [a for a in given if isinstance(a, (ast.Name, ast.Attribute))]
        return any(self._is_app(site.at(name)) for name in names)

    def _is_app(self, site: Site) -> bool:
        assert isinstance(site.node, ast.expr)
        found = self.tracer.python.definition(site.module, site.node, site.function)
        if found is None or found.module is None or isinstance(found.node, ast.ClassDef):
            return False
        return bool(self.apps.behind(site))

    def _from_outside(self, site: Site, function: ast.expr) -> bool:
        """Whether a call goes to something imported that is no file of the image."""
        while isinstance(function, ast.Attribute):
            function = function.value
        found = self.tracer.python.definition(site.module, function, site.function)
        return found is not None and found.module is None and found.qualified != ""

    def _by_hand(self) -> Iterator[CorsSetup]:
        """Set-ups in code that can run without a library: the response header's name as a text or
        bytes, werkzeug's attribute for it, Sanic's settings.
        """
        sanic = any(app.kind == "sanic" for app in self.apps.all.values())
        for each in self.tracer.scans.values():
            for site in each.texts:
                text = _text_of(site.node)
                named = text.lower() == _HEADER or (sanic and text in _SANIC_ORIGINS)
                if named and not self._is_dead(site):
                    yield _own_way(site, site.node, "Access-Control-Allow-Origin")
            for site in each.assigns:
                for target in assigned(site.node):
                    if self._sets_header(target, sanic) and not self._is_dead(site):
                        yield _own_way(site, target, last_name(target))

    def _sets_header(self, target: ast.expr, sanic: bool) -> bool:
        name = target.attr if isinstance(target, ast.Attribute) else ""
        return name == _ATTRIBUTE or (sanic and name in _SANIC_ORIGINS)

    def _finished(
        self,
        site: Site,
        library: str,
        name: str,
        allowed: Allowed,
        apps: list[App],
        given: list[ast.expr],
    ) -> CorsSetup:
        call = site.node
        assert isinstance(call, ast.Call)
        traces = [self.tracer.trace(site.at(node)) for node in given]
        tests = [self.tracer.trace(site.at(g.test)) for g in site.guards[:MOST_GUARDS]]
        read_first = [
            read.name
            for entry in allowed.entries
            for read in entry.origins
            if isinstance(read, EnvRead)
        ]
        names = tuple(
            dict.fromkeys([*read_first, *(name for trace in traces for name in trace.names)])
        )
        switches = [n for trace in traces for n in trace.switch_names]
        switches += [n for trace in tests for n in (*trace.names, *trace.switch_names)]
        reads = tuple(origin for trace in (*traces, *tests) for origin in trace.origins())
        shown = tuple(with_reads(entry, traces) for entry in allowed.entries)
        allowed = replace(allowed, entries=shown)
        return CorsSetup(
            library,
            name,
            site.module.place(call.func if name != "CORSMiddleware" else _class_node(call)),
            allowed,
            frozenset(app.identity for app in apps),
            self._active(site),
            names,
            tuple(dict.fromkeys(name for name in switches if name not in names)),
            reads,
            field_texts(self.tracer, site.at(given[0])) if given else None,
        )

    def _active(self, site: Site) -> Value[bool]:
        origins: tuple[Origin, ...] = ()
        unknown: Unknown | None = None
        if len(site.guards) > MOST_GUARDS:
            return Unknown("it depends on too many conditions")
        for guard in site.guards:
            holds = self._holds(site, guard)
            if isinstance(holds, Unknown):
                unknown = holds
            elif not holds.value:
                return holds
            else:
                origins = (*origins, *holds.origins)
        return unknown or Known(True, origins)

    def _holds(self, site: Site, guard: Guard) -> Value[bool]:
        if is_main_test(guard.test):
            return Known((site.module.name == "__main__") is guard.holds)
        if guard.holds is None:
            return Unknown("it depends on the case that matches")
        value = self.value(site.at(guard.test))
        known = truth(value)
        place = Origin(site.module.place(guard.test), "the condition")
        if known is None:
            reason = value.reason if isinstance(value, Unknown) else "a condition is not known"
            return Unknown(reason, (place, *value.origins))
        return Known(known is guard.holds, (place, *value.origins))

    def value(self, site: Site) -> Value[object]:
        """The value of the expression at a site."""
        assert isinstance(site.node, ast.expr)
        empty: Mapping[str, Value[object]] = {}
        scope = Locals(site.function, empty) if site.function is not None else None
        return self.evaluator.value(site.node, site.module, scope)

    def field_value(self, source: Source) -> Value[object]:
        """The value that a field of a settings class has at start."""
        assert source.cls is not None
        instance = Instance(ClassRef(source.site.module, source.cls))
        return self.evaluator.attribute(instance, source.field)

    def _allowed(self, site: Site, library: str) -> Allowed:
        return allowed_by(self.value(site), library, site.module.place(site.node))

    def _is_dead(self, site: Site) -> bool:
        """Whether a node stands in a function that nothing calls, or only where the module is run
        as a script and it is not.
        """
        for guard in site.guards:
            if is_main_test(guard.test) and (site.module.name == "__main__") is not guard.holds:
                return True
        return not self.live.runs(site)


def assigned(node: ast.AST) -> list[ast.expr]:
    """The targets of an assignment."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (ast.AnnAssign, ast.AugAssign)) else []


def _text_of(node: ast.AST) -> str:
    value = node.value if isinstance(node, ast.Constant) else ""
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip()


def _own_way(site: Site, node: ast.AST, name: str) -> CorsSetup:
    """A set-up by the project's own code, whatever it lets in."""
    allowed = Allowed(complete=False, reason="the header is set by hand")
    return CorsSetup("", name, site.module.place(node), allowed)


def with_reads(entry: Entry, traces: Sequence[Trace]) -> Entry:
    """An entry with the variables that replace it: those whose default its text is. A declared
    value stands in no file, so it is shown where it is read.
    """
    sources = [source for trace in traces for source in trace.sources]
    if not entry.origins and sources:
        return replace(entry, place=sources[0].place)
    names = [read.name for read in entry.origins if isinstance(read, EnvRead)]
    for source in sources:
        if _is_inside(entry.place, source.site):
            names.extend(source.names)
    switches = [
        name
        for trace in traces
        for name in trace.switch_names
        if any(_is_inside(entry.place, site) for site in trace.chosen)
    ]
    return replace(
        entry, variables=tuple(dict.fromkeys(names)), switches=tuple(dict.fromkeys(switches))
    )


def _is_inside(place: Place, site: Site) -> bool:
    span = site.module.span(site.node)
    same = site.module.source is place.source
    return same and span.start <= place.span.start and place.span.end <= span.end


def is_library(name: str) -> bool:
    """Whether a dotted name belongs to the standard library or to a package that is known to add
    no CORS by itself.
    """
    package = name.partition(".")[0]
    return package in _LEAVE_CORS_ALONE or package in sys.stdlib_module_names


def is_main_test(test: ast.expr) -> bool:
    """Whether a condition is `__name__ == "__main__"`."""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and isinstance(test.ops[0], ast.Eq)
    )


def _class_node(call: ast.Call) -> ast.expr:
    named = call.args[0] if call.args else keyword(call, "middleware_class")
    is_class = named is not None and last_name(named).endswith("Middleware")
    return named if named is not None and is_class else call.func
