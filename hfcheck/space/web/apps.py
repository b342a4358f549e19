"""Web applications: the objects, the one that is served, what it mounts, and its routes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from hfcheck.source import Place
from hfcheck.space.code.python import Module, Python
from hfcheck.space.code.scan import Site
from hfcheck.space.code.trace import Tracer, last_name, returns
from hfcheck.space.launch.process import Listener, Target
from hfcheck.space.value import Origin
from hfcheck.space.web.pages import PagesReader

APPS = {
    "fastapi.FastAPI": "fastapi",
    "fastapi.applications.FastAPI": "fastapi",
    "starlette.applications.Starlette": "starlette",
    "flask.Flask": "flask",
    "flask.app.Flask": "flask",
    "apiflask.APIFlask": "flask",
    "flask_openapi3.OpenAPI": "flask",
    "connexion.App": "connexion",
    "connexion.FlaskApp": "connexion",
    "connexion.AsyncApp": "connexion",
    "quart.Quart": "quart",
    "sanic.Sanic": "sanic",
    "litestar.Litestar": "litestar",
    "litestar.app.Litestar": "litestar",
    "aiohttp.web.Application": "aiohttp",
    "falcon.App": "falcon",
    "falcon.asgi.App": "falcon",
    "bottle.Bottle": "bottle",
    "tornado.web.Application": "tornado",
    "django.core.wsgi.get_wsgi_application": "django",
    "django.core.asgi.get_asgi_application": "django",
    "dash.Dash": "pages",
    "gradio.Blocks": "pages",
    "gradio.Interface": "pages",
    "gradio.ChatInterface": "pages",
    "gradio.TabbedInterface": "pages",
}
"""What makes an application, by its full name, and its kind; `pages` is a user interface."""
_MAKERS = frozenset(name.rpartition(".")[2] for name in APPS)

_METHODS = frozenset({"get", "post", "put", "delete", "patch", "route", "api_route"})
_ADDERS = {"add_api_route": 0, "add_url_rule": 0, "add_resource": 1, "Route": 0, "add_route": 0}
"""Calls that add a route without being decorators, and which argument is the path."""
_PROBES = frozenset(
    {"", "/", "/health", "/healthz", "/health/", "/ping", "/ready", "/readyz", "/live", "/livez"}
    | {"/status", "/version", "/metrics", "/favicon.ico", "/robots.txt", "/docs", "/api/health"}
)
"""Paths that are asked by machines or people, not by the scripts of a page."""
_PROBING = frozenset({"health", "healthz", "livez", "readyz"})
"""The same, as the first or the last part of a path."""
_HTML = ("HTMLResponse", "FileResponse", "RedirectResponse", "PlainTextResponse")


@dataclass(frozen=True, slots=True)
class App:
    """One application: its kind, and the call that makes it."""

    kind: str
    site: Site

    @property
    def place(self) -> Place:
        """The name of the class that is called."""
        call = self.site.node
        assert isinstance(call, ast.Call)
        return self.site.module.place(call.func)

    @property
    def identity(self) -> int:
        """What tells one application from another."""
        return id(self.site.node)


@dataclass(frozen=True, slots=True)
class Routes:
    """How many routes answer with data (probes of health left out), the first of them, and a
    place that shows pages of the application's own, if there is one.
    """

    data: int
    first: Origin | None
    pages: Origin | None


class Apps:
    """The applications in the modules that `tracer` knows."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.all: dict[int, App] = {}
        for site in tracer.all_calls():
            kind = self._kind(site)
            if kind:
                self.all[id(site.node)] = App(kind, site)
        self._stops = frozenset(self.all)

    def _kind(self, site: Site) -> str | None:
        assert isinstance(site.node, ast.Call)
        function = site.node.func
        if not last_name(function)[:1].isupper() and last_name(function) not in _MAKERS:
            return None
        qualified = self.tracer.qualified(site, function)
        if qualified in APPS:
            return APPS[qualified]
        definition = self.tracer.python.definition(site.module, function, site.function)
        if definition and definition.module and isinstance(definition.node, ast.ClassDef):
            for base in self.tracer.outside_bases(Site(definition.node, definition.module)):
                if base in APPS:
                    return APPS[base]
        return None

    def behind(self, site: Site) -> list[App]:
        """The applications that an expression may stand for."""
        trace = self.tracer.trace(site, self._stops)
        found = {id(s.node): self.all[id(s.node)] for s in trace.sites if id(s.node) in self.all}
        return list(found.values())

    def family(self, app: App) -> frozenset[int]:
        """An application with all that it mounts, as identities."""
        found = {app.identity}
        waiting = [app]
        while waiting:
            for child in self._children(waiting.pop()):
                if child.identity not in found:
                    found.add(child.identity)
                    waiting.append(child)
        return frozenset(found)

    def _children(self, app: App) -> list[App]:
        children: list[App] = []
        call = app.site.node
        assert isinstance(call, ast.Call)
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            children.extend(self.behind(app.site.at(argument)))
        for mount in self.tracer.calls_named("mount"):
            assert isinstance(mount.node, ast.Call)
            function = mount.node.func
            if not isinstance(function, ast.Attribute):
                continue
            parents = self.behind(mount.at(function.value))
            if any(parent.identity == app.identity for parent in parents):
                for argument in (*mount.node.args, *(k.value for k in mount.node.keywords)):
                    children.extend(self.behind(mount.at(argument)))
        return children

    def served(self, listener: Listener | None, python: Python) -> App | None:
        """The application that the server loads; None where that can't be told."""
        target = listener.target if listener is not None else None
        found = self._targeted(target, python)
        if not found and listener is not None:
            found = self._handed_over(listener.place)
        if len(found) == 1:
            return found[0]
        candidates = found or list(self.all.values())
        inner = {
            child.identity
            for app in candidates
            for child in self._children(app)
            if child.identity != app.identity
        }
        roots = [app for app in candidates if app.identity not in inner]
        return roots[0] if len(roots) == 1 else None

    def _handed_over(self, place: Place) -> list[App]:
        """The applications given to the call that starts the server (`uvicorn.run(app)`)."""
        for site in self.tracer.all_calls():
            call = site.node
            assert isinstance(call, ast.Call)
            if site.module.source is not place.source or not call.args:
                continue
            if place in (site.module.place(call), site.module.place(call.func)):
                return self.behind(site.at(call.args[0]))
        return []

    def _targeted(self, target: Target | None, python: Python) -> list[App]:
        module = target_module(target, python)
        if target is None or module is None:
            return []
        attribute = _attribute(target)
        definition = python.attribute_of(module, attribute)
        if definition is None or definition.module is None:
            return []
        node = definition.node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            sites = returns(node, definition.module)
        else:
            value = getattr(node, "value", None)
            sites = [Site(value, definition.module)] if isinstance(value, ast.expr) else []
        return [app for site in sites for app in self.behind(site)]


def read_routes(tracer: Tracer, apps: Apps) -> Routes:
    """The routes that the loaded modules declare, and the pages that they show."""
    data: list[Origin] = []
    for site in tracer.all_calls():
        call = site.node
        assert isinstance(call, ast.Call)
        name = last_name(call.func)
        path = _route(site, name)
        if path is not None and not _answers_with_page(call) and not _is_probe(path):
            data.append(Origin(site.module.place(call), "a route of the API"))
    interfaces = (Origin(app.place, "pages") for app in apps.all.values() if app.kind == "pages")
    pages = next(interfaces, None) or PagesReader(tracer).first()
    return Routes(len(data), data[0] if data else None, pages)


def _route(site: Site, name: str) -> str | None:
    """The path of the route that a call declares; None where it declares none."""
    call = site.node
    assert isinstance(call, ast.Call)
    index = _ADDERS.get(name)
    if index is None:
        decorates = site.decorates is not None and call in site.decorates.decorator_list
        if name not in _METHODS or not decorates or not isinstance(call.func, ast.Attribute):
            return None
        index = 0
    given = [*call.args[index : index + 1]]
    given += [k.value for k in call.keywords if k.arg in ("path", "rule", "uri")]
    for node in given:
        text = node.value if isinstance(node, ast.Constant) else None
        return text if isinstance(text, str) else "/{}"
    return None


def _is_probe(path: str) -> bool:
    parts = path.strip("/").split("/")
    return path.rstrip("/") in _PROBES or not _PROBING.isdisjoint((parts[0], parts[-1]))


def _answers_with_page(call: ast.Call) -> bool:
    return any(k.arg == "response_class" and last_name(k.value) in _HTML for k in call.keywords)


def target_module(target: Target | None, python: Python) -> Module | None:
    """The module that the server takes the application from."""
    if target is None:
        return None
    name = target.module or target.text.partition(":")[0]
    found = python.script(name) if name.startswith("/") else python.find(name)
    return found if isinstance(found, Module) else None


def target_names(target: Target | None) -> frozenset[str]:
    """The name that the server takes from its module: where it is a function, the server calls
    it.
    """
    return frozenset({_attribute(target)}) if target is not None else frozenset()


def _attribute(target: Target) -> str:
    text = target.attribute or target.text.partition(":")[2] or "app"
    return text.partition("(")[0].strip().partition(".")[0]


def modules_with(modules: Sequence[Module], extra: Sequence[Module]) -> list[Module]:
    """The modules, followed by those of `extra` that are not among them."""
    return [*modules, *(m for m in extra if all(m is not known for known in modules))]
