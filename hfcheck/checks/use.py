"""Mistakes that show while the Space runs: calls that fail, data that vanishes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hfcheck.checks import check
from hfcheck.finding import Finding, Severity, finding
from hfcheck.source import SourceFile
from hfcheck.space.model import Space
from hfcheck.space.value import Known, Origin
from hfcheck.space.web.allowed import Entry
from hfcheck.space.web.betterauth import AuthAddress
from hfcheck.space.web.cors import CorsSetup
from hfcheck.space.web.model import Web
from hfcheck.space.web.origins import is_local, origin_fault, origin_of, port_of
from hfcheck.space.web.urlfields import url_items

_SHOWN = 3
"""How many origins a message names before it only counts the rest."""
_BACKGROUND = re.compile(r"(?<![&<>|])&(?![&>\d])")
"""The `&` of the shell that starts a job in the background; neither `&&` nor `2>&1`."""


@check("missing-cors")
def missing_cors(space: Space) -> Iterator[Finding]:
    """No CORS set-up reaches the application, or the declared frontend is left out."""
    web = space.web
    app = web.app
    if web.setups or web.behind_proxy or app is None or app.kind == "pages":
        yield from _frontend_not_allowed(space)
        return
    if not web.routes.data or web.unclear:
        return
    pages = web.routes.pages is not None
    named = web.unread is not None or web.frontend is not None
    if (pages or app.kind == "django") and not named:
        return
    sure = web.frontend is not None or (bool(web.clients) and not pages)
    related = [Origin(app.place, "the application that is served"), *web.clients[:_SHOWN]]
    related += [Origin(setup.place, "added to another application") for setup in web.elsewhere]
    severity = None if sure else Severity.warning
    if web.unread is not None:
        yield finding(
            "missing-cors",
            f"{web.unread.note} reaches no CORS set-up of the application that is served",
            web.unread.place,
            related=related,
            severity=severity,
            fix=_add_cors(app.kind),
        )
        return
    caller = web.frontend or "a page on another origin"
    yield finding(
        "missing-cors",
        f"no CORS set-up reaches this application, so {caller} can't call it",
        app.place,
        related=related[1:],
        severity=severity,
        fix=_add_cors(app.kind),
    )


def _frontend_not_allowed(space: Space) -> Iterator[Finding]:
    """The declared frontend is not among the origins that are let in."""
    web = space.web
    allowed = web.allowed
    known = allowed.complete and not allowed.everything and not allowed.patterns
    origin = origin_of(web.frontend) if web.frontend else None
    if not known or origin is None or not web.setups or _only_local(space, web):
        return
    if any(entry.text.strip().rstrip("/").lower() == origin for entry in allowed.entries):
        return
    setup = web.setups[0]
    yield finding(
        "missing-cors",
        f"the declared frontend {origin} is not among the allowed origins",
        setup.place,
        related=[Origin(entry.place, "an allowed origin") for entry in allowed.entries[:_SHOWN]],
        severity=_less_if(_undeclared(space, (*web.variables, *web.switches))),
        fix=_let_in(web, origin),
    )


def _add_cors(kind: str) -> str:
    if kind == "flask":
        return "Call flask_cors.CORS(app, origins=[...]) with the frontend's origin."
    if kind == "django":
        return (
            "Put corsheaders.middleware.CorsMiddleware first in MIDDLEWARE and the frontend's "
            "origin in CORS_ALLOWED_ORIGINS."
        )
    if kind not in ("fastapi", "starlette"):
        return "Turn the framework's CORS support on, with the frontend's origin."
    return (
        "Add app.add_middleware(CORSMiddleware, allow_origins=[...], allow_methods=['*'], "
        "allow_headers=['*']) with the frontend's origin."
    )


@check("localhost-cors")
def localhost_cors(space: Space) -> Iterator[Finding]:
    """Nothing but localhost, or nothing at all, is an allowed origin."""
    web = space.web
    if not _only_local(space, web) or web.behind_proxy:
        return
    if web.routes.pages is not None and web.frontend is None:
        return
    entries = [e for setup in web.setups for e in setup.allowed.entries if _is_usable(setup, e)]
    setup = web.setups[0]
    names = _undeclared(space, web.variables)
    switches = _undeclared(space, web.switches)
    until = _unless(names, switches)
    related = [Origin(setup.place, f"{setup.name} is set up here"), *_reads(web)]
    if entries:
        listed = _listed(entries)
        message = f"only {listed} may call this application{until}"
        place = entries[0].place
        related = [*(Origin(e.place, "") for e in entries[1 : _SHOWN + 1]), *related]
    else:
        message = f"no origin may call this application{until}"
        place = setup.place
    yield finding(
        "localhost-cors",
        message,
        place,
        related=related,
        severity=_less_if([*names, *switches]),
        fix=_let_in(web, web.frontend or "https://your-frontend.example"),
    )


def _undeclared(space: Space, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not space.declared.is_set(name, case_sensitive=False)]


def _unless(names: list[str], switches: list[str]) -> str:
    """The end of a message: which variables would change what it says."""
    if names:
        return f" until {' or '.join(names[:_SHOWN])} is set"
    return f", unless {' or '.join(switches[:_SHOWN])} changes it" if switches else ""


def _less_if(names: list[str]) -> Severity | None:
    """A warning where variables that are not declared could still change what is found."""
    return Severity.warning if names else None


def _only_local(space: Space, web: Web) -> bool:
    """Whether nothing but localhost is let in at start, for certain. What no browser sends lets
    nobody in, but that is told as such.
    """
    allowed = web.allowed
    if not web.setups or not allowed.complete or allowed.everything or allowed.patterns:
        return False
    given = [(s, e) for s in web.setups for e in s.allowed.entries if e.text.strip()]
    if any(_url_type(space, setup) for setup, _ in given):
        return False
    if not all(is_local(entry.text) for _, entry in given):
        return False
    return not given or any(_is_usable(setup, entry) for setup, entry in given)


def _is_usable(setup: CorsSetup, entry: Entry) -> bool:
    return bool(entry.text) and origin_fault(entry.text, setup.library) is None


def _listed(entries: list[Entry]) -> str:
    texts = list(dict.fromkeys(entry.text for entry in entries))
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _reads(web: Web) -> list[Origin]:
    return [origin for setup in web.setups for origin in setup.reads][:_SHOWN]


def _let_in(web: Web, origin: str) -> str:
    if not web.variables and web.switches:
        name = web.switches[0]
        return (
            f"Set the variable {name} of the Space to the value that chooses an origin such as "
            f"{origin}, and declare it under [tool.hfcheck.space]."
        )
    if web.variables:
        name = web.variables[0]
        return (
            f"Set the variable {name} of the Space to {origin}, and declare it under "
            "[tool.hfcheck.space]."
        )
    return f"Add {origin} to the allowed origins, or read them from a variable."


@check("invalid-cors-origin")
def invalid_cors_origin(space: Space) -> Iterator[Finding]:
    """An allowed origin that no browser sends."""
    seen = set()
    for setup in space.web.setups:
        if not setup.library or setup.allowed.everything:
            continue
        slashed = _slashed(space, setup)
        if slashed is not None:
            yield slashed
            continue
        for entry in setup.allowed.entries:
            found = _invalid(space, setup, entry)
            if found is not None and entry.place not in seen:
                seen.add(entry.place)
                yield found


def _invalid(space: Space, setup: CorsSetup, entry: Entry) -> Finding | None:
    fault = origin_fault(entry.text, setup.library)
    if fault is None:
        return None
    django = setup.library == "django-cors-headers" and fault.kind in ("slash", "path")
    replaceable = _undeclared(space, (*entry.variables, *entry.switches))
    outcome = "matches no browser"
    if django:
        outcome = "fails the system check corsheaders.E014"
    fix = f"Write {fault.mended}" if fault.mended else _without_glob(setup, fault.kind)
    return finding(
        "invalid-cors-origin",
        f"the allowed origin {entry.text!r} {outcome}: {fault.why}",
        entry.place,
        related=[Origin(setup.place, f"{setup.name} compares it"), *setup.reads[:_SHOWN]],
        severity=Severity.warning if django or replaceable else None,
        fix=fix,
    )


def _slashed(space: Space, setup: CorsSetup) -> Finding | None:
    """The origins are the texts of pydantic's URLs, all of which end with a slash."""
    url = _url_type(space, setup)
    entries = [e for e in setup.allowed.entries if origin_of(e.text)]
    if url is None or setup.texts is None or not entries:
        return None
    text = setup.texts.place.text
    return finding(
        "invalid-cors-origin",
        f"str() of pydantic's {url} ends with a slash, so the allowed origin "
        f"'{origin_of(entries[0].text)}/' matches no browser",
        setup.texts.place,
        related=[
            Origin(entries[0].place, "an allowed origin"),
            Origin(setup.texts.field.place, f"becomes {url}"),
            Origin(setup.place, f"{setup.name} compares it"),
        ],
        fix=f'Write {text}.rstrip("/").' if text.startswith("str(") else "Take the slash off.",
    )


def _url_type(space: Space, setup: CorsSetup) -> str | None:
    """The name of pydantic's URL type whose texts the origins are, where they end with a slash:
    pydantic 2 normalizes them so, pydantic 1 leaves them as they are written.
    """
    if setup.texts is None:
        return None
    for cls in space.settings.classes:
        for field in cls.fields:
            if field.place == setup.texts.field.place and cls.version >= (2, 0):
                return url_items(field.type)
    return None


def _without_glob(setup: CorsSetup, kind: str) -> str:
    if kind != "glob":
        return "Write it as scheme, host and port: https://app.example.com"
    if setup.library == "starlette":
        return "List each origin, or match them with allow_origin_regex."
    if setup.library == "django-cors-headers":
        return "List each origin, or match them with CORS_ALLOWED_ORIGIN_REGEXES."
    return "List each origin, or write a regular expression."


@check("missing-better-auth-url")
def missing_better_auth_url(space: Space) -> Iterator[Finding]:
    """Nothing gives the address that tokens are verified against."""
    for address in space.web.better_auth.addresses:
        if address.problem != "missing":
            continue
        names = " or ".join(address.variables)
        what = "Better Auth" if address.better else "a JWKS endpoint"
        if names:
            end = "without which the start fails" if address.required else "which nothing sets"
            message = f"tokens are verified against {what} at the address in {names}, {end}"
            fix = _set_address(address)
        else:
            message = f"tokens are verified against {what}, whose address nothing gives"
            fix = "Read the address from a variable such as BETTER_AUTH_URL."
        yield finding(
            "missing-better-auth-url", message, address.at, related=[address.use], fix=fix
        )


@check("localhost-better-auth-url")
def localhost_better_auth_url(space: Space) -> Iterator[Finding]:
    """The address that tokens are verified against is localhost."""
    for address in space.web.better_auth.addresses:
        if address.problem != "localhost" or _may_answer(space, address.text):
            continue
        names = _undeclared(space, address.variables)
        switches = _undeclared(space, address.switches)
        yield finding(
            "localhost-better-auth-url",
            f"tokens are verified against {address.text}, which is the Space itself"
            f"{_unless(names, switches)}",
            address.at,
            related=[address.use],
            severity=_less_if([*names, *switches]),
            fix=_set_address(address),
        )


def _may_answer(space: Space, url: str) -> bool:
    """Whether something in the container listens, or may listen, where a local address leads."""
    launch = space.launch
    if launch is None or launch.public is None:
        return True
    wanted = port_of(url)
    ports = [listener.port for listener in launch.listeners]
    if wanted is None or any(not isinstance(p, Known) or p.value == wanted for p in ports):
        return True
    public = launch.public
    sources = {origin.place.source for origin in public.steps} | {public.place.source}
    return any(_starts_more(source) for source in sources)


def _starts_more(source: SourceFile) -> bool:
    """Whether a file that starts the server may start other programs beside it, not all of which
    are known: a script with a job in the background, or the file of a process manager.
    """
    name = source.path.name.lower()
    manages = name.endswith((".conf", ".ini", ".toml", ".json", ".js")) or "procfile" in name
    return manages or _BACKGROUND.search(source.text) is not None


def _set_address(address: AuthAddress) -> str:
    if not address.variables:
        return "Read the address from a variable such as BETTER_AUTH_URL."
    return (
        f"Set {address.declared_name} in the Space's settings to the public address of the server "
        "that issues the tokens, and declare it under [tool.hfcheck.space]."
    )
