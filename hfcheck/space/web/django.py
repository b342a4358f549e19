"""Django's settings module and what django-cors-headers would do with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from hfcheck.source import Place
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.python import Module, Python
from hfcheck.space.code.scan import Site
from hfcheck.space.code.trace import Trace, Tracer
from hfcheck.space.code.values import WouldRaise, truth
from hfcheck.space.value import Known, Origin, Unknown, Value
from hfcheck.space.web.allowed import Allowed, allowed_by, merged
from hfcheck.space.web.cors import CorsSetup, with_reads

_MIDDLEWARE = "corsheaders.middleware.CorsMiddleware"
_ORIGINS = ("CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST")
_REGEXES = ("CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST")
_EVERYTHING = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL")
"""The names that django-cors-headers reads (its `conf.py`), the newer first."""

_APIS = ("rest_framework", "ninja", "ninja_extra", "graphene_django", "tastypie")


def settings_module(python: Python, tracer: Tracer, evaluator: Evaluator) -> Module | None:
    """The module that DJANGO_SETTINGS_MODULE names: from the image's environment, else from the
    `os.environ.setdefault` of the entry point.
    """
    name = evaluator.env.get("DJANGO_SETTINGS_MODULE")
    text = name.value if isinstance(name, Known) else None
    if name is None:
        for site in tracer.calls_named("setdefault"):
            assert isinstance(site.node, ast.Call)
            given = [a.value for a in site.node.args if isinstance(a, ast.Constant)]
            if len(given) == 2 and given[0] == "DJANGO_SETTINGS_MODULE":
                text = str(given[1])
    found = python.find(text) if text else None
    return found if isinstance(found, Module) else None


class DjangoSettings:
    """The names of a settings module."""

    def __init__(
        self, module: Module, python: Python, evaluator: Evaluator, tracer: Tracer
    ) -> None:
        self.module = module
        self.python = python
        self.evaluator = evaluator
        self.tracer = tracer

    def value(self, name: str) -> Value[object] | None:
        """The value of a setting; None where nothing sets it."""
        definition = self.python.attribute_of(self.module, name)
        if definition is None or definition.module is None:
            return None
        try:
            return self.evaluator.module_value(definition.module, name)
        except WouldRaise as error:
            return Unknown(f"it raises {error.exception}", error.origins)

    def place(self, name: str) -> Place | None:
        """Where a setting is given its value."""
        definition = self.python.attribute_of(self.module, name)
        if definition is None or definition.module is None or definition.node is None:
            return None
        node = definition.node
        target = node.targets[0] if isinstance(node, ast.Assign) else node
        return definition.module.place(target)

    def texts(self, name: str) -> tuple[list[str], bool]:
        """The texts in a list setting, and whether these are all."""
        value = self.value(name)
        if value is None:
            return [], True
        if isinstance(value, Unknown) or not isinstance(value.value, (list, tuple)):
            return [], False
        items = [item for item in value.value if isinstance(item, Known)]
        return [str(item.value) for item in items], len(items) == len(value.value)

    def trace(self, name: str) -> Trace:
        """What a setting is made of."""
        definition = self.python.attribute_of(self.module, name)
        if definition is None or definition.module is None:
            return Trace()
        return self.tracer.trace(Site(ast.Name(name, ast.Load()), definition.module))

    def serves_api(self) -> bool:
        """Whether a package for data interfaces is installed as an app."""
        apps, _ = self.texts("INSTALLED_APPS")
        return any(app.partition(".")[0] in _APIS for app in apps)

    def setups(self) -> Iterator[CorsSetup]:
        """The set-up by django-cors-headers, where its middleware is (or may be) in use."""
        middleware, complete = self.texts("MIDDLEWARE")
        used = any(_MIDDLEWARE in item for item in middleware)
        other = any("cors" in item.lower() for item in middleware)
        if not used and complete and middleware and not other:
            return
        place = self.place("MIDDLEWARE") or self.module.source.place()
        for name in (*_ORIGINS, *_EVERYTHING, *_REGEXES):
            place = self.place(name) or place
            if self.place(name) is not None:
                break
        if not used:
            allowed = Allowed(complete=False, reason="MIDDLEWARE is not known")
            yield CorsSetup("", "MIDDLEWARE", place, allowed)
            return
        traces = [self.trace(name) for name in (*_ORIGINS[:1], *_EVERYTHING[:1], *_REGEXES[:1])]
        allowed = self._allowed()
        entries = tuple(with_reads(entry, traces) for entry in allowed.entries)
        yield CorsSetup(
            "django-cors-headers",
            "CorsMiddleware",
            place,
            replace(allowed, entries=entries),
            variables=tuple(dict.fromkeys(n for trace in traces for n in trace.names)),
            switches=tuple(dict.fromkeys(n for trace in traces for n in trace.switch_names)),
            reads=tuple(origin for trace in traces for origin in trace.origins()),
        )

    def _allowed(self) -> Allowed:
        parts: list[Allowed] = []
        for name in _ORIGINS:
            value = self.value(name)
            if value is not None:
                place = self.place(name) or self.module.source.place()
                parts.append(allowed_by(value, "django-cors-headers", place))
                break
        for name in _EVERYTHING:
            value = self.value(name)
            if value is not None:
                known = truth(value)
                parts.append(
                    Allowed(complete=known is not None, everything=bool(known), reason="unknown")
                )
                break
        if any(self.value(name) is not None for name in _REGEXES):
            parts.append(Allowed(patterns=True))
        return merged(parts)


def origins_setting(settings: DjangoSettings) -> Origin | None:
    """Where the project sets allowed origins for django-cors-headers."""
    for name in (*_ORIGINS, *_EVERYTHING, *_REGEXES):
        place = settings.place(name)
        if place is not None:
            return Origin(place, f"the setting {name}")
    return None
