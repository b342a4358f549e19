"""The calls with which a program listens, server by server."""

from __future__ import annotations

import random

from tests.differential.launch.families.apps import ASGI, WSGI
from tests.differential.launch.families.programs.parts import Bound, Serving

_ASGI = tuple(ASGI.splitlines())
_WSGI = tuple(WSGI.splitlines())
_SERVE_OPTIONS = "await serve(app, options)"
_FASTAPI = (
    "app = FastAPI()", "", '@app.get("/")', "def index():", '    return {"ok": True}',
)  # fmt: skip


def _asgi(rng: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Imports and statements of an ASGI application."""
    if rng.random() < 0.4:
        return ("from fastapi import FastAPI",), _FASTAPI
    return (), _ASGI


def _extra(rng: random.Random, *choices: str) -> str:
    """Options that have nothing to do with the address, in front of it or behind."""
    return rng.choice(("", "", *choices))


def uvicorn_run(rng: random.Random, bound: Bound) -> Serving:
    imports, lines = _asgi(rng)
    extra = _extra(rng, ', log_level="info"', ", timeout_keep_alive=5", ", access_log=False",
                   ", workers=1", ", proxy_headers=True", ", reload=False")  # fmt: skip
    address = f"host={bound.host}, port={bound.port}"
    way = rng.choice(("plain", "plain", "turned", "spread", "config", "server", "config first"))
    name, load = rng.choice(
        (("uvicorn.run", "import uvicorn"), ("run", "from uvicorn import run"),
         ("uv.run", "import uvicorn as uv"))
    )  # fmt: skip
    if way == "plain":
        body: tuple[str, ...] = (f"{name}(app, {address}{extra})",)
    elif way == "turned":
        body = (f"{name}(app=app, port={bound.port}{extra}, host={bound.host})",)
    elif way == "spread":
        body = (
            f'options = {{"host": {bound.host}, "port": {bound.port}}}',
            rng.choice(('options["log_level"] = "info"', 'options.update(log_level="info")')),
            f"{name}(app, **options{extra})",
        )
    else:
        load = "import uvicorn"
        config = f"uvicorn.Config(app, {address}{extra})"
        if way == "config":
            body = (f"uvicorn.Server({config}).run()",)
        elif way == "server":
            body = (f"server = uvicorn.Server(config={config})", "server.run()")
        else:
            body = (f"options = {config}", "server = uvicorn.Server(options)", "server.run()")
    return Serving((load, *imports), lines, body)


def uvicorn_serve(rng: random.Random, bound: Bound) -> Serving:
    imports, lines = _asgi(rng)
    config = f"uvicorn.Config(app, host={bound.host}, port={bound.port}, log_level='info')"
    body = rng.choice(
        (
            (f"server = uvicorn.Server({config})", "await server.serve()"),
            (f"options = {config}", "await uvicorn.Server(options).serve()"),
            (f"server = uvicorn.Server({config})", "await asyncio.gather(server.serve())"),
            (
                f"server = uvicorn.Server({config})",
                "task = asyncio.create_task(server.serve())",
                "await task",
            ),
        )
    )
    return Serving(("import uvicorn", *imports), lines, body, coroutine=True)


def flask_run(rng: random.Random, bound: Bound) -> Serving:
    extra = _extra(rng, ", debug=False", ", threaded=True", ", use_reloader=False")
    lines = ["app = Flask(__name__)", "", '@app.route("/")', "def index():", '    return "ok"']
    if rng.random() < 0.3:
        lines = ["def create_app():", "    app = Flask(__name__)", "    return app", "",
                 "app = create_app()"]  # fmt: skip
    body = rng.choice(
        (
            f"app.run(host={bound.host}, port={bound.port}{extra})",
            f"app.run({bound.host}, {bound.port}{extra})",
            f"app.run(port={bound.port}, host={bound.host}{extra})",
            f"app.run({bound.host}, port={bound.port}{extra})",
        )
    )
    return Serving(("from flask import Flask",), tuple(lines), (body,))


def quart_run(rng: random.Random, bound: Bound) -> Serving:
    lines = ("app = Quart(__name__)", "", '@app.get("/")', "async def index():", '    return "ok"')
    address = f"host={bound.host}, port={bound.port}"
    if rng.random() < 0.3:
        return Serving(
            ("from quart import Quart",), lines, (f"await app.run_task({address})",), True
        )
    return Serving(("from quart import Quart",), lines, (f"app.run({address})",))


def sanic_run(rng: random.Random, bound: Bound) -> Serving:
    lines = ('app = Sanic("demo")', "", '@app.get("/")', "async def index(request):",
             '    return text("ok")')  # fmt: skip
    body = f"app.run(host={bound.host}, port={bound.port}, single_process=True)"
    return Serving(("from sanic import Sanic", "from sanic.response import text"), lines, (body,))


def bottle_run(rng: random.Random, bound: Bound) -> Serving:
    if rng.random() < 0.5:
        lines: tuple[str, ...] = ("app = Bottle()",)
        body = rng.choice(
            (f"app.run(host={bound.host}, port={bound.port})",
             f"run(app, host={bound.host}, port={bound.port}, quiet=True)")
        )  # fmt: skip
        return Serving(("from bottle import Bottle, run",), lines, (body,))
    lines = ('@route("/")', "def index():", '    return "ok"')
    return Serving(
        ("from bottle import route, run",), lines, (f"run(host={bound.host}, port={bound.port})",)
    )


def waitress_serve(rng: random.Random, bound: Bound) -> Serving:
    extra = _extra(rng, ", threads=4", ", url_scheme='https'", ", ident=None")
    address = rng.choice(
        (f"host={bound.host}, port={bound.port}", f'listen=f"{{{bound.host}}}:{{{bound.port}}}"')
        if '"' not in bound.host + bound.port
        else (f"host={bound.host}, port={bound.port}",)
    )
    name, load = rng.choice(
        (("serve", "from waitress import serve"), ("waitress.serve", "import waitress"))
    )
    return Serving((load,), _WSGI, (f"{name}(app, {address}{extra})",))


def hypercorn_serve(rng: random.Random, bound: Bound) -> Serving:
    bind = f'"{{}}:{{}}".format({bound.host}, {bound.port})'
    if '"' not in bound.host + bound.port and rng.random() < 0.7:
        bind = f'f"{{{bound.host}}}:{{{bound.port}}}"'
    body = rng.choice(
        (
            ("options = HyperConfig()", f"options.bind = [{bind}]", "await serve(app, options)"),
            ("options = HyperConfig()", f"options.bind = {bind}", "await serve(app, options)"),
            (f'options = HyperConfig.from_mapping({{"bind": [{bind}]}})', _SERVE_OPTIONS),
            (f"options = HyperConfig.from_mapping(bind={bind})", _SERVE_OPTIONS),
            (
                "options = HyperConfig()",
                'options.accesslog = "-"',
                f"options.bind = [{bind}]",
                "await serve(app, options)",
            ),
            (f"await serve(app, HyperConfig.from_mapping(bind=[{bind}]))",),
        )
    )
    imports = (
        "from hypercorn.asyncio import serve",
        "from hypercorn.config import Config as HyperConfig",
    )
    return Serving(imports, _ASGI, body, coroutine=True)


def aiohttp_run(rng: random.Random, bound: Bound) -> Serving:
    lines = ("async def index(request):", '    return web.Response(text="ok")', "",
             "app = web.Application()", 'app.router.add_get("/", index)')  # fmt: skip
    if rng.random() < 0.5:
        extra = _extra(rng, ", access_log=None", ", print=None")
        address = f"host={bound.host}, port={bound.port}"
        return Serving(
            ("from aiohttp import web",), lines, (f"web.run_app(app, {address}{extra})",)
        )
    site = rng.choice(
        (f"web.TCPSite(runner, {bound.host}, {bound.port})",
         f"web.TCPSite(runner, host={bound.host}, port={bound.port})")
    )  # fmt: skip
    wait = rng.choice(
        (("await asyncio.Event().wait()",), ("while True:", "    await asyncio.sleep(3600)"))
    )
    body = ("runner = web.AppRunner(app)", "await runner.setup()", f"site = {site}",
            "await site.start()", *wait)  # fmt: skip
    return Serving(("import asyncio", "from aiohttp import web"), lines, body, coroutine=True)


def tornado_listen(rng: random.Random, bound: Bound) -> Serving:
    lines = ("class Index(tornado.web.RequestHandler):", "    def get(self):",
             '        self.write("ok")', "", 'app = tornado.web.Application([(r"/", Index)])')  # fmt: skip
    imports = ("import tornado.ioloop", "import tornado.web")
    listen = rng.choice(
        (f"app.listen({bound.port}, address={bound.host})", f"app.listen({bound.port}, {bound.host})",
         f"app.listen({bound.port})")
    )  # fmt: skip
    if rng.random() < 0.4:
        return Serving(imports, lines, (listen, "await asyncio.Event().wait()"), coroutine=True)
    return Serving(imports, lines, (listen, "tornado.ioloop.IOLoop.current().start()"))


def http_server(rng: random.Random, bound: Bound) -> Serving:
    lines = ("class Handler(BaseHTTPRequestHandler):", "    def do_GET(self):",
             "        self.send_response(200)", "        self.end_headers()",
             '        self.wfile.write(b"ok")')  # fmt: skip
    kind = rng.choice(("HTTPServer", "ThreadingHTTPServer", "TCPServer", "wsgiref"))
    if kind == "wsgiref":
        body = rng.choice(
            (
                (
                    f"server = make_server({bound.host}, {bound.port}, app)",
                    "server.serve_forever()",
                ),
                (
                    f"with make_server({bound.host}, {bound.port}, app) as server:",
                    "    server.serve_forever()",
                ),
            )
        )
        return Serving(("from wsgiref.simple_server import make_server",), _WSGI, body)
    name = "socketserver.TCPServer" if kind == "TCPServer" else kind
    made = f"{name}(({bound.host}, {bound.port}), Handler)"
    body = rng.choice(
        (
            (f"server = {made}", "server.serve_forever()"),
            (f"{made}.serve_forever()",),
            (f"with {made} as httpd:", "    httpd.serve_forever()"),
            (f"address = ({bound.host}, {bound.port})", f"server = {name}(address, Handler)",
             "server.serve_forever()"),
        )
    )  # fmt: skip
    imports = (
        "import socketserver",
        "from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer",
    )
    return Serving(imports, lines, body)


def socketio_run(rng: random.Random, bound: Bound) -> Serving:
    lines = ("app = Flask(__name__)", 'socketio = SocketIO(app, async_mode="threading")')
    body = f"socketio.run(app, host={bound.host}, port={bound.port}, allow_unsafe_werkzeug=True)"
    return Serving(
        ("from flask import Flask", "from flask_socketio import SocketIO"), lines, (body,)
    )


def gradio_launch(rng: random.Random, bound: Bound) -> Serving:
    address = f"server_name={bound.host}, server_port={bound.port}"
    extra = _extra(rng, ", show_error=True", ", quiet=True", ", share=False")
    way = rng.choice(("blocks", "interface", "queue", "mount", "chat"))
    imports = ["import gradio as gr"]
    echo = ["def echo(text):", "    return text", ""]
    if way == "mount":
        imports += ["import uvicorn", "from fastapi import FastAPI"]
        lines = [*_FASTAPI, "", *echo, 'demo = gr.Interface(echo, "text", "text")',
                 'app = gr.mount_gradio_app(app, demo, path="/ui")']  # fmt: skip
        body = f"uvicorn.run(app, host={bound.host}, port={bound.port})"
    elif way == "blocks":
        lines = ["with gr.Blocks() as demo:", '    gr.Markdown("hello")']
        body = f"demo.launch({address}{extra})"
    elif way == "chat":
        lines = ["def answer(message, history):", "    return message", "",
                 "demo = gr.ChatInterface(answer)"]  # fmt: skip
        body = f"demo.launch({address}{extra})"
    else:
        lines = [*echo, 'demo = gr.Interface(fn=echo, inputs="text", outputs="text")']
        queue = ".queue()" if way == "queue" else ""
        body = f"demo{queue}.launch({address}{extra})"
    return Serving(tuple(imports), tuple(lines), (body,))


def granian_serve(rng: random.Random, bound: Bound) -> Serving:
    made = rng.choice(
        (
            f"Granian(target, address={bound.host}, port={bound.port}, interface='asgi')",
            f"Granian(target, {bound.host}, {bound.port}, interface=Interfaces.ASGI)",
        )
    )
    body = rng.choice(((f"{made}.serve()",), (f"server = {made}", "server.serve()")))
    imports = ("from granian import Granian", "from granian.constants import Interfaces")
    return Serving(imports, ('target = "web:app"',), body)
