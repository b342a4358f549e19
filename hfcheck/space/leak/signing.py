"""The keys with which the application signs tokens and sessions, where they stand in the code.

A key counts by its use: what `jwt.encode` or a session gets, worked out as the Space would start.
One that the environment gives is not in the code; one that the code refuses never gets so far.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from hfcheck.source import Place, Span
from hfcheck.space.code.frames import Locals
from hfcheck.space.code.python import Module
from hfcheck.space.code.scan import Scan, Site, scan
from hfcheck.space.code.trace import last_name
from hfcheck.space.code.values import EnvRead
from hfcheck.space.leak.tokens import starred
from hfcheck.space.value import Known, Origin, Value

if TYPE_CHECKING:
    from hfcheck.space.model import Space

_HINTS = ("jwt", "secret_key", "SECRET_KEY", "SessionMiddleware", "Serializer", "JWTStrategy")
"""Words without one of which a module signs nothing."""

_JWT = frozenset(
    {"jwt.encode", "jwt.decode", "jose.jwt.encode", "jose.jwt.decode", "jwt.api_jwt.encode"}
)
_SERIALIZERS = frozenset(
    {"URLSafeTimedSerializer", "URLSafeSerializer", "TimedSerializer", "Signer", "TimestampSigner"}
)
_FLASK_KEYS = frozenset({"SECRET_KEY", "JWT_SECRET_KEY"})

_MAX_MODULES = 300


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that stands in the files and would be in use. `place` is its text, in a copy of the
    file in which it is starred out; `use` says what is signed; `variables` are those that would
    replace it (none: it is no default). `in_image` is true where the Dockerfile sets it.
    """

    place: Place
    use: str
    variables: tuple[str, ...] = ()
    related: tuple[Origin, ...] = ()
    in_image: bool = False


@dataclass(frozen=True, slots=True)
class _Use:
    """An expression that is a key, and what it signs."""

    node: ast.expr
    site: Site
    use: str


_KEYS: WeakKeyDictionary[Space, list[SigningKey]] = WeakKeyDictionary()


def public_signing_keys(space: Space) -> list[SigningKey]:
    """The keys that everyone can read, one for each text in the files."""
    if space not in _KEYS:
        _KEYS[space] = list(_find(space).values()) if space.python is not None else []
    return _KEYS[space]


def _find(space: Space) -> dict[Place, SigningKey]:
    scans = [scan(module) for module in _modules(space)]
    found: dict[Place, SigningKey] = {}
    for item in scans:
        for use in _uses(space, item):
            literal = _literal(space, use)
            if literal is None or literal[0] in found:
                continue
            place, value = literal
            if not _refused(scans, _names(use, place, value), str(value.value)):
                found[place] = _key(use, place, value)
    return found


def _modules(space: Space) -> list[Module]:
    """The loaded modules in which something may be signed, or a key be refused."""
    modules = space.modules[:_MAX_MODULES]
    if not any(hint in module.source.text for module in modules for hint in _HINTS):
        return []
    words = ("secret", "SECRET", "jwt", "Secret", *_HINTS)
    return [module for module in modules if any(w in module.source.text for w in words)]


def _key(use: _Use, place: Place, value: Known[object]) -> SigningKey:
    reads = [origin for origin in value.origins if isinstance(origin, EnvRead)]
    in_image = place.source.path.suffix != ".py"
    inner = place.span
    if not in_image:
        prefix = len(place.text) - len(place.text.lstrip("bBrRuU"))
        inner = Span(inner.start + prefix + 1, inner.end - 1)
    safe = Place(starred(place.source, [inner], shown=0), place.span)
    where = use.site.module.place(use.node)
    related = [Origin(where, "the key is used here")] if not _same_line(where, place) else []
    names = tuple(dict.fromkeys(read.name for read in reads))
    return SigningKey(safe, use.use, names, tuple(related), in_image)


def _same_line(one: Place, other: Place) -> bool:
    line = one.source.position(one.span.start).line
    return one.source is other.source and line == other.source.position(other.span.start).line


# Where keys are used


def _uses(space: Space, item: Scan) -> Iterator[_Use]:
    if not any(hint in item.module.source.text for hint in _HINTS):
        return
    for site in item.calls:
        yield from _call(space, site)
    for site in item.assigns:
        yield from _assignment(space, site)


def _call(space: Space, site: Site) -> Iterator[_Use]:
    call = site.node
    assert isinstance(call, ast.Call)
    name = last_name(call.func)
    key: ast.expr | None = None
    use = "tokens are signed"
    if name in ("encode", "decode") and _full_name(space, site, call.func) in _JWT:
        key = _argument(call, 1, "key")
    elif name in _SERIALIZERS and _package(space, site, call.func) == "itsdangerous":
        key, use = _argument(call, 0, "secret_key"), "links and tokens are signed"
    elif name == "JWTStrategy" and _package(space, site, call.func) == "fastapi_users":
        key = _argument(call, 0, "secret")
    elif any(
        last_name(node) == "SessionMiddleware" and _package(space, site, node) == "starlette"
        for node in (call.func, *call.args[:1])
    ):
        key, use = _argument(call, None, "secret_key"), "sessions are signed"
    elif name in ("update", "from_mapping") and _is_flask(site):
        for keyword in call.keywords:
            if keyword.arg in _FLASK_KEYS and _owner(call) == "config":
                yield _Use(keyword.value, site, _flask_use(keyword.arg))
    if key is not None:
        yield _Use(key, site, use)


def _full_name(space: Space, site: Site, node: ast.expr) -> str:
    found = space.python.qualified(site.module, node, site.function) if space.python else None
    return found or ""


def _package(space: Space, site: Site, node: ast.expr) -> str:
    """The package that a class is taken from; FastAPI hands on Starlette's."""
    package = _full_name(space, site, node).partition(".")[0]
    return "starlette" if package == "fastapi" else package


def _is_flask(site: Site) -> bool:
    text = site.module.source.text
    return "flask" in text or "quart" in text


def _owner(call: ast.Call) -> str:
    """The name of what a method is called on: `config` in `app.config.update()`."""
    return last_name(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def _flask_use(name: str) -> str:
    return "tokens are signed" if name.startswith("JWT") else "sessions are signed"


def _argument(call: ast.Call, index: int | None, name: str) -> ast.expr | None:
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    if index is not None and len(call.args) > index:
        return call.args[index]
    return next((k.value for k in call.keywords if k.arg == name), None)


def _assignment(space: Space, site: Site) -> Iterator[_Use]:
    """`app.secret_key = …`, `app.config["SECRET_KEY"] = …`, and Django's `SECRET_KEY = …`."""
    node = site.node
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Attribute) and target.attr == "secret_key":
            if isinstance(target.value, ast.Name) and _is_flask(site):
                yield _Use(node.value, site, "sessions are signed")
        elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
            key = target.slice.value
            if key in _FLASK_KEYS and last_name(target.value) == "config" and _is_flask(site):
                yield _Use(node.value, site, _flask_use(str(key)))
        elif isinstance(target, ast.Name) and target.id == "SECRET_KEY":
            django = {"INSTALLED_APPS", "ROOT_URLCONF"} <= site.module.bindings.keys()
            if django and site.function is None and site.cls is None:
                yield _Use(node.value, site, "sessions and links are signed")


# What a key is worth


def _literal(space: Space, use: _Use) -> tuple[Place, Known[object]] | None:
    """The text in the code or the Dockerfile that a key is, and its value; None where it comes from
    elsewhere.
    """
    scope = Locals(use.site.function, {})
    value: Value[object] = space.evaluator.value(use.node, use.site.module, scope)
    if not isinstance(value, Known) or not isinstance(value.value, (str, bytes)):
        return None
    text = value.value if isinstance(value.value, str) else value.value.decode("latin-1")
    if not text or "-----BEGIN" in text:
        return None
    for origin in value.origins:
        place = origin.place
        if place.source.path.suffix == ".py" and _is_text(place.text, text):
            return place, Known(text, value.origins)
        found = _in_dockerfile(space, place, text)
        if found is not None:
            return found, Known(text, value.origins)
    return None


def _in_dockerfile(space: Space, place: Place, text: str) -> Place | None:
    """Where the Dockerfile has a text that it sets, itself or in a file that it writes."""
    source = space.dockerfile.source if space.dockerfile is not None else None
    if source is None or place.source.path != source.path:
        return None
    if place.source is source:
        at = place.text.rfind(text)
        start = place.span.start + at
    else:  # a file that the build writes has a text of its own
        at = start = source.text.find(text) if source.text.count(text) == 1 else -1
    return source.place(start, start + len(text)) if at >= 0 else None


def _is_text(code: str, text: str) -> bool:
    """Whether a piece of code is the text in quotes."""
    if code[:1] not in "\"'bBrR" or len(code) > 2000:
        return False
    try:
        found = ast.literal_eval(code)
    except (ValueError, SyntaxError):
        return False
    return found in (text, text.encode("latin-1", "ignore"))


def _names(use: _Use, place: Place, value: Known[object]) -> set[str]:
    """The names that a key has on its way, in lower case."""
    line = place.source.text[: place.span.start].rpartition("\n")[2]
    bound = re.match(r"\s*([A-Za-z_]\w*)\s*[:=]", line)
    names = {name.lower() for name in _names_in(use.node)}
    names |= {o.name.lower() for o in value.origins if isinstance(o, EnvRead)}
    return names | {bound[1].lower()} if bound else names


def _names_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


# Whether the code refuses it


def _refused(scans: Iterable[Scan], names: set[str], text: str) -> bool:
    """Whether some code that is loaded stops, or chooses another key, where it finds this one: an
    `if` or `assert` over the key or its text, other than for being there at all; or a validator.
    """
    names = names - _OWNERS
    return any(_refuses(node, names, text) for item in scans for node in ast.walk(item.module.tree))


_OWNERS = frozenset({"settings", "config", "self", "app", "os", "environ", "getenv", "get"})
"""Names beside that of the key itself, as in `settings.jwt_secret`."""


def _refuses(node: ast.AST, names: set[str], text: str) -> bool:
    if isinstance(node, (ast.If, ast.Assert)):
        return _asks_about(node.test, names, text) and _stops(node)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return _validates(node, names) and any(isinstance(n, ast.Raise) for n in ast.walk(node))
    return False


def _stops(node: ast.If | ast.Assert) -> bool:
    """Whether the process ends there, or another value is taken; an answer to a request is none."""
    return isinstance(node, ast.Assert) or any(
        _ends(part) for statement in node.body for part in ast.walk(statement)
    )


def _ends(node: ast.AST) -> bool:
    if isinstance(node, ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return raised is None or not last_name(raised).startswith("HTTP")
    if isinstance(node, ast.Call):
        return last_name(node.func) in ("exit", "_exit", "abort")
    return isinstance(node, ast.Assign)


def _asks_about(test: ast.expr, names: set[str], text: str) -> bool:
    return any(_compares(part, names, text) for part in ast.walk(test))


def _compares(node: ast.AST, names: set[str], text: str) -> bool:
    """Whether a part of a condition holds the key against something fixed."""
    if isinstance(node, ast.Constant):
        return node.value == text
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("startswith", "endswith") and _is_about(node.func.value, names)
    if not isinstance(node, ast.Compare):
        return False
    sides = (node.left, *node.comparators)
    rest = [side for side in sides if not _is_about(side, names)]
    if len(rest) == len(sides):
        return False
    if all(isinstance(side, ast.Constant) and not side.value for side in rest):
        return not rest  # for None and the empty text it only asks whether there is a key
    return all(_is_fixed(side) for side in rest)


def _is_about(node: ast.AST, names: set[str]) -> bool:
    return any(name.lower() in names for name in _names_in(node))


def _is_fixed(node: ast.expr) -> bool:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(_is_fixed(item) for item in node.elts)
    return isinstance(node, ast.Constant) or last_name(node).isupper()


def _validates(function: ast.FunctionDef | ast.AsyncFunctionDef, names: set[str]) -> bool:
    """Whether a function is a pydantic validator for the key, or for the whole model with it."""
    for decorator in function.decorator_list:
        kind = last_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if kind in ("model_validator", "root_validator") and _is_about(function, names):
            return True
        if kind in ("field_validator", "validator") and isinstance(decorator, ast.Call):
            fields = [a.value for a in decorator.args if isinstance(a, ast.Constant)]
            if any(str(field).lower() in names for field in fields):
                return True
    return False
