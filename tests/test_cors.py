"""Allowed origins, against the libraries that compare them."""

from __future__ import annotations

from typing import Literal

import pytest

from hfcheck.space.settings.annotations import Meta, Type
from hfcheck.space.web.origins import is_local, origin_fault, origin_of, port_of
from hfcheck.space.web.urlfields import url_items

ENTRIES = [
    "https://a.com",
    "https://a.com/",
    "https://a.com/x",
    "https://a.com?x",
    "a.com",
    "localhost:3000",
    "https://A.com",
    "HTTPS://a.com",
    "https://a.com:443",
    "http://a.com:80",
    "http://a.com:8080",
    " https://a.com",
    "https://a.com ",
    "https://b.com,https://a.com",
    "'https://a.com'",
    '["https://a.com"]',
    "http://localhost:*",
    "https://*.a.com",
    "http://[::1]:3000",
    "capacitor://localhost",
    "https://.*\\.a\\.com",
    "https://m\u00fcnchen.de",
    "https://xn--mnchen-3ya.de",
    "https://",
    "null",
]
BROWSERS = [
    "https://a.com",
    "http://a.com",
    "http://a.com:8080",
    "https://x.a.com",
    "https://xn--mnchen-3ya.de",
    "https://b.com",
    "http://localhost:3000",
    "http://[::1]:3000",
    "capacitor://localhost",
    "null",
]
"""Origins as browsers send them."""


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_is_faulty_when_starlette_lets_no_browser_in(entry: str) -> None:
    cors = pytest.importorskip("starlette.middleware.cors")
    middleware = cors.CORSMiddleware(None, allow_origins=[entry])
    matches = any(middleware.is_allowed_origin(origin) for origin in BROWSERS)
    assert (origin_fault(entry, "starlette") is None) == matches


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_is_faulty_when_flask_cors_lets_no_browser_in(entry: str) -> None:
    flask = pytest.importorskip("flask")
    flask_cors = pytest.importorskip("flask_cors")
    if set(entry) & set("\\]?$^[]()"):
        assert origin_fault(entry, "flask-cors") is None  # a regular expression: not judged
        return
    app = flask.Flask("oracle")
    app.route("/")(lambda: "ok")
    flask_cors.CORS(app, origins=[entry])
    client = app.test_client()
    allowed = [
        origin
        for origin in BROWSERS
        if "Access-Control-Allow-Origin" in client.get("/", headers={"Origin": origin}).headers
    ]
    fault = origin_fault(entry, "flask-cors")
    if entry == "https://*.a.com":  # lets in https://a.com by accident, and no subdomain
        assert allowed == ["https://a.com"]
        assert fault is not None
        return
    assert (fault is None) == bool(allowed)


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_is_faulty_when_django_refuses_it_or_lets_no_browser_in(entry: str) -> None:
    django = pytest.importorskip("django")
    pytest.importorskip("corsheaders")
    from django.conf import settings
    from django.test import RequestFactory, override_settings

    if not settings.configured:
        settings.configure(CORS_ALLOWED_ORIGINS=[])
        django.setup()
    from corsheaders.checks import check_settings
    from corsheaders.middleware import CorsMiddleware
    from django.http import HttpResponse

    middleware = CorsMiddleware(lambda request: HttpResponse("ok"))
    with override_settings(CORS_ALLOWED_ORIGINS=[entry]):
        answers = [middleware(RequestFactory().get("/", HTTP_ORIGIN=origin)) for origin in BROWSERS]
        refused = bool(check_settings())
    matches = any("access-control-allow-origin" in answer for answer in answers)
    assert (origin_fault(entry, "django-cors-headers") is None) == (matches and not refused)


@pytest.mark.parametrize(
    ("entry", "kind", "mended"),
    [
        ("https://a.com/", "slash", "https://a.com"),
        ("https://a.com/x", "path", "https://a.com"),
        ("https://A.com:443/", "slash", "https://a.com"),
        ("https://a.com:443", "port", "https://a.com"),
        (" https://a.com", "space", "https://a.com"),
        ("https://*.a.com", "glob", None),
        ("https://M\u00fcnchen.de:8443", "host", "https://xn--mnchen-3ya.de:8443"),
        ("a.com", "scheme", None),
        ("https://a.com,https://b.com", "list", None),
        ("https://[", "scheme", None),
        ("https://a.com:99999999", None, None),
    ],
)
def test_the_kind_of_fault_and_what_was_meant(
    entry: str, kind: str | None, mended: str | None
) -> None:
    fault = origin_fault(entry, "starlette")
    assert (fault.kind if fault else None) == kind
    assert (fault.mended if fault else None) == mended


@pytest.mark.parametrize("entry", ["https://*.a.com", "http://*.b.example.com:3000"])
def test_the_mended_glob_of_flask_cors_lets_a_subdomain_in(entry: str) -> None:
    core = pytest.importorskip("flask_cors.core")
    fault = origin_fault(entry, "flask-cors")
    assert fault is not None
    assert core.try_match_any_pattern(
        entry.replace("*", "sub"), core.sanitize_regex_param([fault.mended]), caseSensitive=False
    ) or core.probably_regex(fault.mended)


@pytest.mark.parametrize(
    ("entry", "local"),
    [
        ("http://localhost:3000", True),
        ("https://localhost", True),
        ("http://127.0.0.1:5173", True),
        ("http://app.localhost:3000", True),
        ("http://[::1]:3000", True),
        ("http://0.0.0.0:3000", True),
        ("capacitor://localhost", False),
        ("https://localhost.example.com", False),
        ("http://192.168.0.2:3000", False),
        ("https://app.example.com", False),
        ("localhost:3000", False),
        ("http://localhost:3000,https://a.com", False),
        ("http://[", False),
    ],
)
def test_which_origins_are_on_the_owners_machine(entry: str, local: bool) -> None:
    assert is_local(entry) is local


@pytest.mark.parametrize("name", ["AnyUrl", "AnyHttpUrl", "HttpUrl"])
@pytest.mark.parametrize("form", ["list[{}]", "list[{}] | str", 'list[{} | Literal["*"]]'])
def test_the_text_of_a_url_ends_with_a_slash(name: str, form: str) -> None:
    pydantic = pytest.importorskip("pydantic", minversion="2.0")
    annotation = eval(form.format(name), {name: getattr(pydantic, name), "Literal": Literal})
    made = pydantic.TypeAdapter(annotation).validate_python(["https://a.com"])
    assert [str(item) for item in made] == ["https://a.com/"]
    url = Type("url", name=name)
    star = Type("literal", values=("*",))
    kinds = {
        "list[{}]": Type("list", (url,)),
        "list[{}] | str": Type("union", (Type("list", (url,)), Type("str"))),
        'list[{} | Literal["*"]]': Type("list", (Type("union", (url, star)),)),
    }
    assert url_items(kinds[form]) == name


def test_items_that_may_stay_texts() -> None:
    url = Type("url", name="AnyHttpUrl")
    assert url_items(Type("list", (Type("union", (url, Type("str"))),))) is None
    assert url_items(Type("list", (Type("str"),))) is None
    after = Type("annotated", (Type("list", (url,)),), meta=(Meta("after"),))
    assert url_items(after) is None


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://localhost:3000/a", 3000),
        ("http://localhost", 80),
        ("https://localhost/", 443),
        ("localhost:3000", None),
        ("http://[", None),
    ],
)
def test_the_port_of_an_address(url: str, port: int | None) -> None:
    assert port_of(url) == port


def test_the_origin_of_a_page() -> None:
    assert origin_of("https://App.example.com:443/a?b") == "https://app.example.com"
    assert origin_of("http://a.com:8080") == "http://a.com:8080"
    assert origin_of("app.example.com") is None
