"""The address that tokens are verified against: a Better Auth server, or another JWKS endpoint."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from hfcheck.source import Place
from hfcheck.space.code.scan import MOST_GUARDS, Site
from hfcheck.space.code.trace import Source, Trace, Tracer, keyword, last_name
from hfcheck.space.code.values import truth
from hfcheck.space.declared import Declared
from hfcheck.space.value import SECRET, Known, Origin, Unknown, Value
from hfcheck.space.web.allowed import literal_place
from hfcheck.space.web.cors import CorsReader, is_main_test
from hfcheck.space.web.origins import is_local_host

_FETCHERS = frozenset({"get", "request", "urlopen", "Request", "fetch", "send"})
_KEYWORDS = ("jwks_url", "jwks_uri")
_MARK = re.compile(r"jwks|/api/auth/(?:get-session|jwks)|well-known/openid", re.IGNORECASE)
_BETTER = re.compile(r"better[-_]?auth|/api/auth\b", re.IGNORECASE)
_WORTH_A_LOOK = re.compile(r"jwks|jwk|get-session", re.IGNORECASE)
"""A module that verifies tokens against an endpoint names it in one of these ways."""

_ADDRESS = re.compile(r"https?://[^\s\"'`{}]+")


@dataclass(frozen=True, slots=True)
class AuthAddress:
    """An address that tokens are verified against, as it would be at start.

    `problem` is `missing` (nothing gives it), `localhost`, or empty. `at` is the setting or the
    text to blame, `use` where the address is fetched. `variables` could change it, `switches` only
    choose among the addresses that the code gives. `required` is true where the start itself fails
    without the variable. `better` is true for Better Auth.
    """

    problem: str
    at: Place
    use: Origin
    text: str
    variables: tuple[str, ...]
    required: bool
    better: bool
    origins: tuple[Origin, ...] = ()
    switches: tuple[str, ...] = ()

    @property
    def declared_name(self) -> str:
        """The variable to set."""
        return self.variables[0] if self.variables else ""


@dataclass(frozen=True, slots=True)
class BetterAuth:
    """The addresses with a problem first met, and the variables without which the start fails and
    which are reported as a missing address (so not a second time as a missing variable).
    """

    addresses: tuple[AuthAddress, ...] = ()

    @property
    def required(self) -> frozenset[str]:
        """The variables that a missing address stands for."""
        return frozenset(
            name
            for address in self.addresses
            if address.problem == "missing" and address.required
            for name in address.variables
        )


class AuthReader:
    """Finds the addresses that the loaded modules verify tokens against."""

    def __init__(self, reader: CorsReader, tracer: Tracer, declared: Declared) -> None:
        self.reader = reader
        self.tracer = tracer
        self.declared = declared

    def read(self) -> BetterAuth:
        """All addresses that have a problem, each setting once."""
        found: dict[Place, AuthAddress] = {}
        for url in self._uses():
            address = self._address(url)
            if address is not None and address.at not in found:
                found[address.at] = address
        return BetterAuth(tuple(found.values()))

    def _uses(self) -> Iterator[Site]:
        for each in list(self.tracer.scans.values()):
            if not _WORTH_A_LOOK.search(each.module.source.text):
                continue
            for site in each.calls:
                url = self._url(site) or self._base_url(site)
                if url is not None and self._runs(site):
                    yield url

    def _runs(self, site: Site) -> bool:
        for guard in site.guards[:MOST_GUARDS]:
            if is_main_test(guard.test):
                return False
            if guard.holds is None:
                continue
            holds = truth(self.reader.value(site.at(guard.test)))
            if holds is not None and holds is not guard.holds:
                return False
        return self.reader.live.runs(site)

    def _url(self, site: Site) -> Site | None:
        """The address that a call verifies tokens against; None for every other call."""
        given = self._given_url(site)
        return site.at(given) if given is not None else None

    def _base_url(self, site: Site) -> Site | None:
        """The same for a client that was made with the address (`base_url=`) and is asked for a
        path.
        """
        call = site.node
        assert isinstance(call, ast.Call)
        path = call.args[0] if call.args else None
        text = path.value if isinstance(path, ast.Constant) else None
        if not isinstance(text, str) or not text.startswith("/") or not _MARK.search(text):
            return None
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _FETCHERS:
            return None
        for made in self.tracer.trace(site.at(call.func.value)).sites:
            base = keyword(made.node, "base_url") if isinstance(made.node, ast.Call) else None
            if base is not None:
                return made.at(base)
        return None

    def _given_url(self, site: Site) -> ast.expr | None:
        call = site.node
        assert isinstance(call, ast.Call)
        name = last_name(call.func)
        first = call.args[0] if call.args else keyword(call, "url")
        if name == "PyJWKClient":
            return first or keyword(call, "uri")
        for known in _KEYWORDS:
            given = keyword(call, known)
            if given is not None and self._is_outside(site, call.func):
                return given
        if name not in _FETCHERS or site.decorates is not None:
            return None
        if name == "request" and len(call.args) > 1:
            first = call.args[1]
        if first is None or (isinstance(first, ast.Constant) and not _marked(first.value)):
            return None
        trace = self.tracer.trace(site.at(first))
        words = [text for text, _ in trace.texts]
        words += [*trace.names, *trace.identifiers]
        return first if any(_MARK.search(word) for word in words) else None

    def _is_outside(self, site: Site, function: ast.expr) -> bool:
        found = self.tracer.python.definition(site.module, function, site.function)
        return found is not None and found.module is None

    def _address(self, url: Site) -> AuthAddress | None:
        trace = self.tracer.trace(url)
        value = self.reader.value(url)
        use = Origin(url.module.place(url.node), "tokens are verified against this address")
        better = any(_BETTER.search(w) for w in (*trace.names, *(t for t, _ in trace.texts)))
        if isinstance(value, Known):
            found = self._known(value, trace, use, better)
        else:
            found = self._from_sources(trace, use, better)
        return replace(found, switches=trace.switch_names) if found is not None else None

    def _known(
        self, value: Known[object], trace: Trace, use: Origin, better: bool
    ) -> AuthAddress | None:
        text = value.value if isinstance(value.value, str) else ""
        if not isinstance(value.value, (str, type(None))):
            return None
        if is_local_url(text):
            read = trace.sources[0].place if trace.sources else use.place
            place = _local_literal(value.origins) or read
            return AuthAddress(
                "localhost", place, use, text, trace.names, False, better, value.origins
            )
        if "://" in text:
            return None
        return self._missing(trace, use, better, value.origins)

    def _missing(
        self, trace: Trace, use: Origin, better: bool, origins: tuple[Origin, ...]
    ) -> AuthAddress | None:
        unset = [s for s in trace.sources if not self._is_set(s)]
        if any(not self._is_set(switch) for switch in trace.switches):
            return None
        if len(unset) != len(trace.sources) or self._is_optional(trace):
            return None
        place = unset[0].place if unset else use.place
        return AuthAddress("missing", place, use, "", trace.names, False, better, origins)

    def _from_sources(self, trace: Trace, use: Origin, better: bool) -> AuthAddress | None:
        """Judge an address that is not known as a whole by the one variable that it rests on."""
        if len({source.names for source in trace.sources}) != 1 or not trace.complete:
            return None
        source = trace.sources[0]
        if self._is_set(source):
            return None
        value = self._read(source)
        if isinstance(value, Unknown):
            if value.reason == SECRET or not self._is_required(source, value) or not better:
                return None
            return AuthAddress(
                "missing", source.place, use, "", source.names, True, better, value.origins
            )
        if value.value in (None, ""):
            return self._missing(trace, use, better, value.origins)
        text = value.value if isinstance(value.value, str) else ""
        if not is_local_url(text):
            return None
        place = _local_literal(value.origins) or source.place
        return AuthAddress("localhost", place, use, text, source.names, False, better)

    def _is_set(self, source: Source) -> bool:
        return any(self.declared.is_set(name, case_sensitive=False) for name in source.names)

    def _read(self, source: Source) -> Value[object]:
        """The value that one read of the environment gives."""
        node = source.site.node
        if source.cls is not None:
            return self.reader.field_value(source)
        return self.reader.value(source.site) if isinstance(node, ast.expr) else Unknown("")

    def _is_required(self, source: Source, value: Unknown) -> bool:
        node = source.site.node
        if source.cls is not None:
            given = getattr(node, "value", None)
            if given is None:
                return True
            return isinstance(given, ast.Call) and _is_required_field(given)
        return value.reason.startswith("it raises")

    def _is_optional(self, trace: Trace) -> bool:
        """Whether the code itself asks if the address is there, and goes on without it."""
        words = {w for w in trace.identifiers if w not in _TOO_COMMON}
        for each in self.tracer.scans.values():
            for node in ast.walk(each.module.tree):
                if isinstance(node, ast.If) and _asks_for(node.test, words):
                    body = node.body if _is_negative(node.test) else node.orelse
                    if not (body and isinstance(body[-1], ast.Raise)):
                        return True
                if isinstance(node, ast.IfExp) and _asks_for(node.test, words):
                    return True
        return False


_TOO_COMMON = frozenset({"settings", "config", "os", "self", "environ", "getenv", "get", "env"})


def is_local_url(text: str) -> bool:
    """Whether an address leads back to the machine that asks for it."""
    try:
        return is_local_host((urlsplit(text.strip()).hostname or "").rstrip("."))
    except ValueError:
        return False


def _local_literal(origins: tuple[Origin, ...]) -> Place | None:
    """The smallest of the places that shows a local address, narrowed to it."""
    for origin in sorted(origins, key=lambda o: o.place.span.end - o.place.span.start):
        for match in _ADDRESS.finditer(origin.place.text):
            if is_local_url(match.group()):
                return literal_place(match.group(), (origin,))
    return None


def _marked(value: object) -> bool:
    return isinstance(value, str) and "://" in value and _MARK.search(value) is not None


def _asks_for(test: ast.expr, words: set[str]) -> bool:
    """Whether a condition is about one of the names being set: `x`, `not x`, `x is None`."""
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test = test.operand
    if isinstance(test, ast.BoolOp):
        return any(_asks_for(part, words) for part in test.values)
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Is, ast.IsNot)):
        test = test.left
    return last_name(test) in words


def _is_negative(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp):
        return any(_is_negative(part) for part in test.values)
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], ast.Is)
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)


def _is_required_field(call: ast.Call) -> bool:
    given = keyword(call, "default") or (call.args[0] if call.args else None)
    if given is None:
        return keyword(call, "default_factory") is None
    return isinstance(given, ast.Constant) and given.value is Ellipsis
