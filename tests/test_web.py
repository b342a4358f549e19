"""The HTTP side worked out of modules: the served application, CORS, token verification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hfcheck.source import SourceFile
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.python import Module, Python
from hfcheck.space.code.startup import work_out_startup
from hfcheck.space.declared import Declared
from hfcheck.space.image.entries import Absent, ImageFile, ImageFolder
from hfcheck.space.launch.process import Listener, Target
from hfcheck.space.value import Known
from hfcheck.space.web.model import Web, work_out_web

HEAD = """\
import os
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
app = FastAPI()
"""
ROUTE = """
@app.get("/items")
def items(): return []
"""


class Files:
    """An image that holds these files and nothing else."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = {
            f"/app/{name}": SourceFile(Path(f"/src/{name}"), text) for name, text in files.items()
        }

    def import_folders(self) -> tuple[str, ...]:
        return ()

    def lookup(self, path: str) -> ImageFile | ImageFolder | Absent:
        if path in self.files:
            return ImageFile(path, self.files[path], None)
        if any(name.startswith(f"{path.rstrip('/')}/") for name in self.files):
            return ImageFolder(path)
        return Absent(path)


def web(
    files: dict[str, str] | str,
    *,
    target: str = "main:app",
    declared: Declared | None = None,
    env: dict[str, str] | None = None,
    server: str = "uvicorn",
    call: str = "",
) -> Web:
    if isinstance(files, str):
        files = {"main.py": files}
    image: Any = Files(files)
    python = Python(image, ["/app"])
    evaluator = Evaluator(python, {k: Known(v) for k, v in (env or {}).items()})
    command = SourceFile(Path("/src/Dockerfile"), f"{server} {target}")
    entry = python.find(target.partition(":")[0])
    assert isinstance(entry, Module)
    served: Target | None = Target(target, command.whole(), ("/app",), "asgi")
    place = command.whole()
    if call:
        start = entry.source.text.index(call)
        served, place = None, entry.source.place(start, start + len(call))
    listener = Listener(server, Known(None), Known(7860), served, place)
    return work_out_web(
        python=python,
        modules=work_out_startup(python, evaluator, [entry]).modules,
        evaluator=evaluator,
        declared=declared or Declared(),
        listener=listener,
    )


def allowed(found: Web) -> list[str]:
    return [entry.text for entry in found.allowed.entries]


REACHES = {
    "added": 'app.add_middleware(CORSMiddleware, allow_origins=["https://a.com"])',
    "by keyword": (
        'app.add_middleware(middleware_class=CORSMiddleware, allow_origins=["https://a.com"])'
    ),
    "helper": (
        "def setup(a):\n    a.add_middleware(CORSMiddleware, allow_origins=['https://a.com'])\n"
        "setup(app)"
    ),
    "in the constructor": (
        "from starlette.middleware import Middleware\n"
        "app = FastAPI(middleware=[Middleware(CORSMiddleware, allow_origins=['https://a.com'])])"
    ),
    "around it": 'inner = app\napp = CORSMiddleware(inner, allow_origins=["https://a.com"])',
    "on a mounted application": (
        "sub = FastAPI()\nsub.add_middleware(CORSMiddleware, allow_origins=['https://a.com'])\n"
        "app.mount('/api', sub)"
    ),
}


@pytest.mark.parametrize("target", ["main:create_app", "main:create_app()"])
def test_a_factory_that_only_the_server_calls(target: str) -> None:
    code = (
        "def create_app():\n    made = FastAPI()\n"
        "    made.add_middleware(CORSMiddleware, allow_origins=['https://a.com'])\n"
        "    return made\n"
    )
    found = web(HEAD + code, target=target)
    assert found.app is not None
    assert found.app.place.source.position(found.app.place.span.start).line == 6
    assert allowed(found) == ["https://a.com"]


@pytest.mark.parametrize("code", REACHES.values(), ids=list(REACHES))
def test_a_set_up_reaches_the_served_application(code: str) -> None:
    found = web(HEAD + code + ROUTE)
    assert allowed(found) == ["https://a.com"]
    assert found.allowed.complete
    assert found.routes.data == 1


NOT_REACHING = {
    "another application": (
        'admin = FastAPI()\nadmin.add_middleware(CORSMiddleware, allow_origins=["*"])'
    ),
    "a function nobody calls": (
        'def setup(a):\n    a.add_middleware(CORSMiddleware, allow_origins=["*"])'
    ),
    "a dead chain": (
        'def one(a):\n    a.add_middleware(CORSMiddleware, allow_origins=["*"])\n'
        "def two(a):\n    one(a)"
    ),
    "only as a script": (
        'if __name__ == "__main__":\n    app.add_middleware(CORSMiddleware, allow_origins=["*"])'
    ),
    "a condition that never holds": (
        'if False:\n    app.add_middleware(CORSMiddleware, allow_origins=["*"])'
    ),
    "a comment and a docstring": '"""Access-Control-Allow-Origin"""  # CORSMiddleware',
}


@pytest.mark.parametrize("code", NOT_REACHING.values(), ids=list(NOT_REACHING))
def test_a_set_up_that_does_not_reach_it(code: str) -> None:
    assert web(HEAD + code + ROUTE).setups == ()


UNCLEAR = {
    "a package's helper": "from company.cors import enable\nenable(app)",
    "a package that gets the application": "import company\ncompany.configure(app)",
    "a header by hand": (
        '@app.middleware("http")\nasync def f(r, n):\n    x = await n(r)\n'
        '    x.headers["Access-Control-Allow-Origin"] = "*"\n    return x'
    ),
    "a header by hand, in bytes": (
        '@app.middleware("http")\nasync def f(r, n):\n    x = await n(r)\n'
        '    x.raw_headers.append((b"access-control-allow-origin", b"*"))\n    return x'
    ),
    "the attribute of an answer": (
        '@app.middleware("http")\nasync def f(r, n):\n    x = await n(r)\n'
        '    x.access_control_allow_origin = "*"\n    return x'
    ),
    "a case of a match": (
        "match load():\n    case 1:\n"
        "        app.add_middleware(CORSMiddleware, allow_origins=['http://localhost:1'])"
    ),
    "an early return": (
        "def setup(a):\n    if load():\n        return\n"
        "    a.add_middleware(CORSMiddleware, allow_origins=['http://localhost:1'])\n"
        "setup(app)"
    ),
    "an own class": (
        "class MyCORS(CORSMiddleware):\n    pass\n"
        "app.add_middleware(MyCORS, allow_origins=['http://localhost:1'])"
    ),
    "a class from a loop": "for kind in load():\n    app.add_middleware(kind)",
    "spread arguments": "app.add_middleware(CORSMiddleware, **load())",
    "an unknown list": "app.add_middleware(CORSMiddleware, allow_origins=load())",
    "an unknown condition": (
        "if load():\n    app.add_middleware(CORSMiddleware, allow_origins=['http://localhost:1'])"
    ),
    "one text": "app.add_middleware(CORSMiddleware, allow_origins='http://localhost:1')",
}


@pytest.mark.parametrize("code", UNCLEAR.values(), ids=list(UNCLEAR))
def test_what_is_not_followed_is_unknown(code: str) -> None:
    found = web(HEAD + code + ROUTE)
    assert found.setups
    assert not found.allowed.complete
    assert found.allowed.reason


def test_middleware_that_can_not_be_seen() -> None:
    assert web(HEAD + "app = FastAPI(middleware=load())" + ROUTE).unclear
    assert web(HEAD + "app = FastAPI(**load())" + ROUTE).unclear
    assert not web(HEAD + "app = FastAPI(**{'title': 'x'})" + ROUTE).unclear


def test_variables_that_could_change_the_origins() -> None:
    code = """
front = os.getenv("FRONTEND_URL", "http://localhost:3000")
extra = os.getenv("EXTRA", "")
origins = [front]
if extra:
    origins.append(extra)
app.add_middleware(CORSMiddleware, allow_origins=origins)
"""
    found = web(HEAD + code)
    assert allowed(found) == ["http://localhost:3000"]
    assert set(found.setups[0].variables) == {"FRONTEND_URL", "EXTRA"}
    assert found.variables == ("FRONTEND_URL",)  # the one that is named for it
    assert allowed(web(HEAD + code, env={"FRONTEND_URL": "https://a.com"})) == ["https://a.com"]


LIVE, LOCAL = "['https://a.com']", "['http://localhost:1']"
SWITCHED = {
    "if": f"if os.getenv('STAGE') == 'live':\n    o = {LIVE}\nelse:\n    o = {LOCAL}\n",
    "a name for the test": (
        "stage = os.getenv('STAGE', 'dev')\nlive = stage == 'live'\n"
        f"if live:\n    o = {LIVE}\nelse:\n    o = {LOCAL}\n"
    ),
    "an expression": f"o = {LIVE} if os.getenv('STAGE') == 'live' else {LOCAL}\n",
    "two returns": (
        "def listed():\n    if os.getenv('STAGE') == 'live':\n"
        f"        return {LIVE}\n    return {LOCAL}\no = listed()\n"
    ),
    "an entry of a dict": (f"o = {{'live': {LIVE}, 'dev': {LOCAL}}}[os.getenv('STAGE', 'dev')]\n"),
    "a match": (
        f"o = {LOCAL}\nmatch os.getenv('STAGE'):\n    case 'live':\n        o.append('x')\n"
    ),
    "a property": (
        "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n"
        "    stage: str = 'dev'\n    @property\n    def live(self): return self.stage == 'live'\n"
        "    @property\n    def listed(self):\n"
        f"        if self.live:\n            return {LIVE}\n        return {LOCAL}\n"
        "settings = Settings()\no = settings.listed\n"
    ),
}


@pytest.mark.parametrize("code", SWITCHED.values(), ids=list(SWITCHED))
def test_a_variable_that_only_chooses_the_origins(code: str) -> None:
    found = web(HEAD + code + "app.add_middleware(CORSMiddleware, allow_origins=o)\n")
    assert found.switches == ("STAGE",)
    assert found.variables == ()


def test_a_variable_that_chooses_the_module() -> None:
    files = {
        "main.py": (
            f"{HEAD}if os.getenv('STAGE') == 'live':\n    from live import o\n"
            "else:\n    from dev import o\n"
            "app.add_middleware(CORSMiddleware, allow_origins=o)\n"
        ),
        "live.py": f"o = {LIVE}\n",
        "dev.py": f"o = {LOCAL}\n",
    }
    assert web(files).switches == ("STAGE",)


def test_a_list_that_nothing_chooses() -> None:
    code = f"DEBUG = os.getenv('DEBUG')\nif DEBUG:\n    print(1)\no = {LOCAL}\n"
    found = web(HEAD + code + "app.add_middleware(CORSMiddleware, allow_origins=o)\n")
    assert found.switches == ()
    assert found.variables == ()


def test_the_place_of_one_origin_in_a_comma_list() -> None:
    code = (
        'o = os.getenv("CORS_ORIGINS", "http://a.com,http://a.com.br, http://b.com").split(",")\n'
        "app.add_middleware(CORSMiddleware, allow_origins=[x.strip() for x in o])"
    )
    places = [entry.place for entry in web(HEAD + code).allowed.entries]
    assert [place.text for place in places] == ["http://a.com", "http://a.com.br", "http://b.com"]


def test_which_origins_a_variable_replaces() -> None:
    code = (
        'o = os.getenv("CORS_ORIGINS", "http://a.com/").split(",")\n'
        "app.add_middleware(CORSMiddleware, allow_origins=[*o, 'http://b.com/'])"
    )
    entries = web(HEAD + code).allowed.entries
    assert [entry.variables for entry in entries] == [("CORS_ORIGINS",), ()]
    declared = web(HEAD + code, env={"CORS_ORIGINS": "http://c.com/"}).allowed.entries[0]
    assert declared.text == "http://c.com/"
    assert declared.place.text == 'os.getenv("CORS_ORIGINS", "http://a.com/")'


def test_a_set_up_that_waits_for_a_variable() -> None:
    code = """
if os.getenv("CORS_ORIGINS"):
    app.add_middleware(CORSMiddleware, allow_origins=os.environ["CORS_ORIGINS"].split(","))
"""
    found = web(HEAD + code)
    assert found.allowed.complete
    assert allowed(found) == []
    assert found.variables == ("CORS_ORIGINS",)
    assert allowed(web(HEAD + code, env={"CORS_ORIGINS": "https://a.com"})) == ["https://a.com"]


@pytest.mark.parametrize(
    ("declaration", "name"),
    [
        ("    origins: str = 'http://localhost:1'", "ORIGINS"),
        ("    model_config = {'env_prefix': 'app_'}\n    origins: str = 'http://a'", "APP_ORIGINS"),
        (
            "    model_config = SettingsConfigDict(env_prefix='X_')\n    origins: str = 'http://a'",
            "X_ORIGINS",
        ),
        (
            "    class Config:\n        env_prefix = 'Y_'\n    origins: str = 'http://a'",
            "Y_ORIGINS",
        ),
        ("    origins: str = Field('http://a', validation_alias='CORS')", "CORS"),
    ],
)
def test_the_variable_of_a_settings_field(declaration: str, name: str) -> None:
    code = (
        "from pydantic import Field\n"
        "from pydantic_settings import BaseSettings, SettingsConfigDict\n"
        f"class Base(BaseSettings):\n{declaration}\n"
        "class Settings(Base):\n    @property\n"
        "    def listed(self): return self.origins.split(',')\n"
        "settings = Settings()\n"
        "app.add_middleware(CORSMiddleware, allow_origins=settings.listed)\n"
    )
    assert web(HEAD + code).variables == (name,)


def test_flask_cors() -> None:
    head = "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\n"
    route = "@app.route('/x')\ndef x(): return {}\n"
    assert web(head + "CORS(app)\n" + route).allowed.everything
    found = web(head + "CORS(app, resources={r'/api/*': {'origins': ['https://a.com/']}})\n")
    assert allowed(found) == ["https://a.com/"]
    assert found.setups[0].library == "flask-cors"
    late = web(head + "cors = CORS()\ncors.init_app(app)\n" + route)
    assert late.setups
    assert not late.allowed.complete
    configured = web(head + "app.config['CORS_ORIGINS'] = ['https://a.com']\nCORS(app)\n")
    assert not configured.allowed.everything


def test_the_origins_of_sanic() -> None:
    code = "from sanic import Sanic\napp = Sanic('x')\napp.config.CORS_ORIGINS = 'https://a.com'\n"
    found = web(code + "@app.get('/x')\nasync def x(r): return {}\n")
    assert found.setups
    assert not found.allowed.complete


TEXTS = [
    ("[str(x) for x in settings.o]", True),
    ("list(str(x) for x in settings.o)", True),
    ("list(map(str, settings.o))", True),
    ("[str(x).rstrip('/') for x in settings.o]", False),
    ("[str(x) for x in settings.o + ['y']]", False),
    ("[str(x) for x in ['y']]", False),
    ("settings.o", False),
]


@pytest.mark.parametrize(("given", "plain"), TEXTS)
def test_origins_that_are_the_texts_of_a_settings_field(given: str, plain: bool) -> None:
    code = (
        "from pydantic import AnyHttpUrl\nfrom pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings):\n    o: list[AnyHttpUrl] = ['https://a.com']\n"
        "settings = Settings()\n"
    )
    end = f"app.add_middleware(CORSMiddleware, allow_origins={given})\n"
    assert (web(HEAD + code + end).setups[0].texts is not None) is plain
    own = "    @field_validator('o')\n    def change(cls, value): return value\n"
    changed = code.replace("settings =", f"{own}settings =")
    assert web(HEAD + changed + end).setups[0].texts is None


DJANGO = {
    "core/__init__.py": "",
    "core/wsgi.py": (
        "import os\nfrom django.core.wsgi import get_wsgi_application\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'core.settings')\n"
        "application = get_wsgi_application()\n"
    ),
}


def django(settings: str) -> Web:
    return web({**DJANGO, "core/settings.py": settings}, target="core.wsgi:application")


def test_django() -> None:
    found = django(
        "INSTALLED_APPS = ['corsheaders', 'rest_framework']\n"
        "MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\n"
        "CORS_ALLOWED_ORIGINS = ['http://localhost:3000']\n"
    )
    assert found.app is not None
    assert found.app.kind == "django"
    assert allowed(found) == ["http://localhost:3000"]
    assert found.allowed.complete
    assert found.routes.data
    assert django(
        "MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\nCORS_ALLOW_ALL_ORIGINS = True\n"
    ).allowed.everything
    assert django(
        "MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\n"
        "CORS_ALLOWED_ORIGIN_REGEXES = ['^https://']\n"
    ).allowed.patterns


def test_django_without_the_middleware() -> None:
    found = django(
        "INSTALLED_APPS = ['corsheaders', 'rest_framework']\n"
        "MIDDLEWARE = ['django.middleware.common.CommonMiddleware']\n"
        "CORS_ALLOWED_ORIGINS = ['https://a.com']\n"
    )
    assert found.setups == ()
    assert found.unread is not None
    assert found.unread.place.text == "CORS_ALLOWED_ORIGINS"
    assert found.clients == (found.unread,)
    assert django("MIDDLEWARE = load()\n").setups


def test_pages_of_its_own_and_probes() -> None:
    code = 'from fastapi.staticfiles import StaticFiles\napp.mount("/", StaticFiles())\n'
    assert web(HEAD + code + ROUTE).routes.pages is not None
    for path in ("/health", "/healthz/ready", "/api/v1/health"):
        assert web(HEAD + f'@app.get("{path}")\ndef h(): return 1\n').routes.data == 0


PAGES = {
    "a file that is a page": (
        "from fastapi.responses import FileResponse\nPAGE = 'web/index.html'\n"
        "@app.get('/{rest:path}')\ndef page(rest): return FileResponse(PAGE)\n"
    ),
    "the class of an answer": (
        "from fastapi.responses import HTMLResponse\n"
        "@app.get('/', response_class=HTMLResponse)\ndef page(): return load()\n"
    ),
    "an own class of static files": (
        "from fastapi.staticfiles import StaticFiles\nclass Built(StaticFiles):\n    pass\n"
        "app.mount('/', Built(directory='web'))\n"
    ),
    "a text": (
        "PAGE = '<!DOCTYPE html><p>hello</p>'\n@app.get('/')\ndef page():\n    return PAGE\n"
    ),
    "the text of a file": (
        "@app.get('/')\ndef page():\n    return open('web/index.html').read()\n"
    ),
    "the type of an answer": (
        "from fastapi import Response\n"
        "@app.get('/')\ndef page(): return Response(load(), media_type='text/html')\n"
    ),
    "a mounted interface": "import dash\nboard = dash.Dash()\napp.mount('/board', board.server)\n",
    "chainlit": "from chainlit.utils import mount_chainlit\nmount_chainlit(app=app, path='/c')\n",
    "nicegui": "from nicegui import ui\nui.run_with(app)\n",
}


@pytest.mark.parametrize("code", PAGES.values(), ids=list(PAGES))
def test_pages_of_its_own(code: str) -> None:
    assert web(HEAD + code + ROUTE).routes.pages is not None


NO_PAGES = {
    "a file that is none": (
        "from fastapi.responses import FileResponse\n"
        "@app.get('/report')\ndef report(): return FileResponse('report.pdf')\n"
    ),
    "a mail": (
        "MAIL = '<html>hello</html>'\n"
        "@app.post('/mail')\ndef mail():\n    send(MAIL)\n    return {'sent': True}\n"
    ),
    "run_with of something else": "import jobs\njobs.run_with(3)\n",
}


@pytest.mark.parametrize("code", NO_PAGES.values(), ids=list(NO_PAGES))
def test_what_is_no_page(code: str) -> None:
    assert web(HEAD + code + ROUTE).routes.pages is None


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("CLIENT_URL", True),
        ("UI_BASE_URL", True),
        ("MY_FRONTEND_URL", True),
        ("QDRANT_CLIENT_URL", False),
        ("MODEL_CLIENT_BASE_URL", False),
        ("SWAGGER_UI_URL", False),
    ],
)
def test_which_variables_tell_of_a_client(name: str, sign: bool) -> None:
    assert bool(web(HEAD + f"x = os.getenv('{name}')\n" + ROUTE).clients) is sign


def test_signs_of_a_client() -> None:
    code = "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n"
    found = web(HEAD + code + "    cors_origins: str = 'x'\n    frontend_url: str = 'y'\n" + ROUTE)
    assert [origin.place.text for origin in found.clients] == ["cors_origins", "frontend_url"]
    assert found.unread is not None
    assert found.unread.place.text == "cors_origins"
    assert web(HEAD + "class Item:\n    origin: str = 'x'\n" + ROUTE).clients == ()


def problems(code: str, **options: Any) -> list[tuple[str, str, tuple[str, ...], bool]]:
    found = web(HEAD + "import jwt\nimport httpx\n" + code, **options)
    return [(a.problem, a.at.text, a.variables, a.required) for a in found.better_auth.addresses]


def test_the_address_that_tokens_are_verified_against() -> None:
    default = 'U = os.getenv("BETTER_AUTH_URL", "http://localhost:3000")\n'
    client = 'keys = jwt.PyJWKClient(f"{U}/api/auth/jwks")\n'
    assert problems(default + client) == [
        ("localhost", '"http://localhost:3000"', ("BETTER_AUTH_URL",), False)
    ]
    assert problems(default + client, env={"BETTER_AUTH_URL": "https://a.com"}) == []
    assert problems('U = os.getenv("BETTER_AUTH_URL")\n' + client) == [
        ("missing", 'os.getenv("BETTER_AUTH_URL")', ("BETTER_AUTH_URL",), False)
    ]
    assert problems('U = os.environ["BETTER_AUTH_URL"]\n' + client) == [
        ("missing", 'os.environ["BETTER_AUTH_URL"]', ("BETTER_AUTH_URL",), True)
    ]
    assert problems('U = "https://a.com"\n' + client) == []
    session = 'c = httpx.Client(base_url=os.environ["BETTER_AUTH_URL"])\n'
    assert problems(session + 's = c.get("/api/auth/get-session")\n') == [
        ("missing", 'os.environ["BETTER_AUTH_URL"]', ("BETTER_AUTH_URL",), True)
    ]
    assert problems('U = "http://localhost:3000"\n' + client) == [
        ("localhost", '"http://localhost:3000"', (), False)
    ]


def test_an_address_given_to_an_object() -> None:
    code = """
class Keys:
    def __init__(self, url):
        self.url = url
    async def load(self):
        async with httpx.AsyncClient() as client:
            return (await client.get(self.url)).json()
keys = Keys(os.getenv("JWKS_URL", "http://127.0.0.1:3000/api/auth/jwks"))
"""
    use = '@app.get("/me")\nasync def me(): return await keys.load()\n'
    assert [found[0] for found in problems(code + use)] == ["localhost"]
    assert problems(code) == []  # nothing calls load()


def test_the_application_given_to_the_server_by_hand() -> None:
    code = (
        "import uvicorn\nadmin = FastAPI()\n"
        "app.add_middleware(CORSMiddleware, allow_origins=['https://a.com'])\n"
        "uvicorn.run(app, port=7860)\n"
    )
    found = web(HEAD + code, target="main", call="uvicorn.run(app, port=7860)")
    assert found.app is not None
    assert found.app.place.source.position(found.app.place.span.start).line == 4
    assert allowed(found) == ["https://a.com"]


def test_what_is_no_missing_address() -> None:
    url = 'U = os.getenv("BETTER_AUTH_URL")\n'
    assert problems(url + 'k = jwt.PyJWKClient(f"{U}/api/auth/jwks") if U else None\n') == []
    assert problems(url + 'if U:\n    k = jwt.PyJWKClient(f"{U}/api/auth/jwks")\n') == []
    assert problems(url + 'k = httpx.get(f"{U}/users")\n') == []
    declared = Declared(secrets=frozenset({"BETTER_AUTH_URL"}))
    assert problems(url + 'k = jwt.PyJWKClient(f"{U}/api/auth/jwks")\n', declared=declared) == []
    other = 'k = jwt.PyJWKClient(os.environ["CLERK_JWKS_URL"])\n'
    assert problems(other) == []  # the start fails: required-env tells it


@pytest.mark.parametrize(
    "code",
    [
        "app.add_middleware()\n",
        "app = app\n",
        "def f(a):\n    return f(a)\napp = f(app)\n",
        "x = y\ny = x\napp.add_middleware(CORSMiddleware, allow_origins=x)\n",
        "class A:\n    o = o\napp.add_middleware(CORSMiddleware, allow_origins=A.o)\n",
        "CORSMiddleware(*x, **y)\n",
        "app.add_middleware(CORSMiddleware, allow_origins=" + "[" * 80 + "]" * 80 + ")\n",
        "x = " + "-" * 2000 + "1\n",
    ],
)
def test_odd_code_is_read_to_the_end(code: str) -> None:
    assert web(HEAD + code + ROUTE).routes.data == 1
