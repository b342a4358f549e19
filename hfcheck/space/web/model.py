"""What the Space answers over HTTP: the application, its CORS set-ups, who calls it, and where it
verifies tokens.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.python import (
    Broken,
    Module,
    Python,
    Undecided,
    Unreadable,
    statements,
)
from hfcheck.space.code.trace import Tracer
from hfcheck.space.declared import Declared
from hfcheck.space.launch.process import Listener, Target
from hfcheck.space.value import Known, Origin
from hfcheck.space.web.allowed import Allowed, merged
from hfcheck.space.web.apps import (
    App,
    Apps,
    Routes,
    modules_with,
    read_routes,
    target_module,
    target_names,
)
from hfcheck.space.web.betterauth import AuthReader, BetterAuth
from hfcheck.space.web.cors import CorsReader, CorsSetup, is_library
from hfcheck.space.web.django import DjangoSettings, origins_setting, settings_module

_ORIGIN_NAMES = re.compile(
    r"^(?:[a-z0-9]+_)*?(?:cors(?:_(?:allow(?:ed)?_)?(?:origins?|hosts?|urls?)(?:_(?:str|list|raw))?)?"
    r"|allow(?:ed)?_(?:cors_)?origins?(?:_(?:str|list|raw))?)$",
    re.IGNORECASE,
)
"""Names of settings for the origins that may call the application."""

_CLIENT_NAMES = re.compile(
    r"^(?:(?:(?:[a-z0-9]+_)*?(?:front_?end|web_?app)|(?:web_|react_)?client|(?:web_|app_)?ui)"
    r"_(?:base_)?(?:url|uri|origins?|host|domain)s?"
    r"|(?:[a-z0-9]+_)*?(?:front_?end|better_auth_[a-z_]+))$",
    re.IGNORECASE,
)
"""Names of settings that tell of a browser client on another origin. QDRANT_CLIENT_URL tells of
a service that is called: `client` and `ui` count only at the start."""

_PROXIES = frozenset({"nginx", "caddy", "traefik", "haproxy", "apache2", "httpd"})


@dataclass(frozen=True, slots=True)
class Web:
    """The HTTP side of the Space.

    `app` is the application that is served, None where there is none or where it can't be told;
    `reason` says why. `setups` are the CORS set-ups that reach it, `elsewhere` those that belong
    to other applications. `unread` is a setting for origins that reaches no set-up. `clients` are
    the signs of a browser client on another origin. `behind_proxy` is true where another server
    in the container answers and hands requests on. `unclear` says why CORS may be set up where it
    can't be seen.
    """

    app: App | None = None
    reason: str = ""
    routes: Routes = field(default_factory=lambda: Routes(0, None, None))
    setups: tuple[CorsSetup, ...] = ()
    elsewhere: tuple[CorsSetup, ...] = ()
    unread: Origin | None = None
    clients: tuple[Origin, ...] = ()
    frontend: str | None = None
    behind_proxy: bool = False
    unclear: str = ""
    better_auth: BetterAuth = field(default_factory=BetterAuth)

    @property
    def allowed(self) -> Allowed:
        """What all set-ups that may run at start let in together."""
        active = [s for s in self.setups if not _is_off(s)]
        unclear = any(not isinstance(s.active, Known) for s in active)
        together = merged([s.allowed for s in active])
        if unclear:
            reason = "whether it is set up depends on a condition"
            return Allowed(together.entries, False, together.everything, together.patterns, reason)
        return together

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that could change what is let in: those named for it, else
        all.
        """
        names = list(dict.fromkeys(name for setup in self.setups for name in setup.variables))
        likely = [n for n in names if _ORIGIN_NAMES.match(n) or _CLIENT_NAMES.match(n)]
        return tuple(likely or names)

    @property
    def switches(self) -> tuple[str, ...]:
        """The environment variables that only choose among the lists that the code gives."""
        return tuple(dict.fromkeys(name for setup in self.setups for name in setup.switches))


def work_out_web(
    *,
    python: Python,
    modules: Sequence[Module],
    evaluator: Evaluator,
    declared: Declared,
    listener: Listener | None,
) -> Web:
    """The HTTP side of the process that `listener` is, which loads `modules` at start."""
    target = listener.target if listener else None
    modules = _with_target(python, modules, target)
    tracer = Tracer(python, modules)
    module = settings_module(python, tracer, evaluator)
    if module is not None:
        tracer = Tracer(python, modules_with(modules, [module]))
    apps = Apps(tracer)
    reader = CorsReader(tracer, apps, evaluator, target_names(target))
    app = apps.served(listener, python)
    django = DjangoSettings(module, python, evaluator, tracer) if module is not None else None
    found = reader.setups()
    if django is not None:
        found = [s for s in found if not s.name.startswith("CORS_")] + list(django.setups())
    setups, elsewhere = _sorted_by_reach(found, app, apps)
    routes = read_routes(tracer, apps)
    if django is not None and (app is None or app.kind == "django"):
        first = Origin(django.module.source.place(), "an API of Django")
        routes = Routes(int(django.serves_api()), first, None)
    auth = AuthReader(reader, tracer, declared).read()
    origins = list(_settings_named(tracer, _ORIGIN_NAMES))
    clients = [*origins, *_settings_named(tracer, _CLIENT_NAMES)]
    clients += [address.use for address in auth.addresses if address.better]
    unread = origins[0] if origins and not setups else None
    if django is not None and not setups:
        setting = origins_setting(django)
        unread = setting or unread
        clients += [setting] if setting is not None else []
    return Web(
        app=app,
        reason="" if app else "which application is served can't be told",
        routes=routes,
        setups=setups,
        elsewhere=elsewhere,
        unread=unread,
        clients=tuple(clients),
        frontend=declared.frontend,
        behind_proxy=listener is not None and (listener.proxy or listener.server in _PROXIES),
        unclear=_out_of_sight(python, modules, app, reader),
        better_auth=auth,
    )


def _with_target(python: Python, modules: Sequence[Module], target: Target | None) -> list[Module]:
    """The modules with the server's target among them. A script that hands its own name to the
    server is loaded a second time under that name, and that is the one that serves.
    """
    found = target_module(target, python)
    if found is None or any(module is found for module in modules):
        return list(modules)
    return [found, *(module for module in modules if module.path != found.path)]


def _out_of_sight(
    python: Python, modules: Sequence[Module], app: App | None, reader: CorsReader
) -> str:
    """Why a CORS set-up may be there that no module shows; empty where nothing speaks for it."""
    for module in modules:
        for node in statements(module.tree.body):
            if not isinstance(node, ast.ImportFrom):
                continue
            found = python.find(python.imported(module, node))
            if isinstance(found, Undecided) and is_library(found.name):
                continue
            if isinstance(found, (Broken, Unreadable, Undecided)):
                return f"{found.name} can't be read"
    call = app.site.node if app is not None else None
    if app is None or not isinstance(call, ast.Call):
        return ""
    for given in call.keywords:
        if given.arg == "middleware" and not isinstance(given.value, ast.List):
            return "its list of middleware is not followed"
        if given.arg is None:
            value = reader.value(app.site.at(given.value))
            keys = value.value if isinstance(value, Known) else None
            if not isinstance(keys, dict) or "middleware" in keys:
                return "its arguments are not known"
    return ""


def _sorted_by_reach(
    found: list[CorsSetup], app: App | None, apps: Apps
) -> tuple[tuple[CorsSetup, ...], tuple[CorsSetup, ...]]:
    """The set-ups that reach the served application (or may), and the others."""
    family = apps.family(app) if app is not None else None
    reach: list[CorsSetup] = []
    others: list[CorsSetup] = []
    for setup in found:
        away = family is not None and setup.apps and not (setup.apps & family)
        never = _is_off(setup) and not setup.variables and not setup.switches
        (others if away or never else reach).append(setup)
    return tuple(reach), tuple(others)


def _is_off(setup: CorsSetup) -> bool:
    return isinstance(setup.active, Known) and not setup.active.value


def _settings_named(tracer: Tracer, names: re.Pattern[str]) -> Iterator[Origin]:
    """Fields of settings classes and variables read whose name matches, fields first."""
    reads: list[Origin] = []
    for each in tracer.scans.values():
        for site in each.assigns:
            node = site.node
            if site.cls is None or site.function is not None:
                continue
            target: ast.expr | None = getattr(node, "target", None)
            if isinstance(node, ast.Assign):
                target = node.targets[0]
            named = isinstance(target, ast.Name) and names.match(target.id)
            if named and isinstance(target, ast.Name) and _is_settings_like(site.cls.name):
                yield Origin(site.module.place(target), f"the setting {target.id}")
        for site in each.texts:
            node = site.node
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and text.isupper() and names.match(text):
                reads.append(Origin(site.module.place(node), f"the variable {text}"))
    yield from reads


def _is_settings_like(name: str) -> bool:
    return any(word in name.lower() for word in ("setting", "config", "env"))
