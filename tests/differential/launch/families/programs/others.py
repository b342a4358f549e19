"""Less usual calls that listen, and servers with hardly any argument."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case
from tests.differential.launch.families.apps import ASGI, PORTS, WSGI
from tests.differential.launch.families.programs.parts import Bound, Serving, shaped, started

_ASGI = tuple(ASGI.splitlines())
_WSGI = tuple(WSGI.splitlines())
_FLASK = ("from flask import Flask",), ("app = Flask(__name__)",)
_GRADIO = ("import gradio as gr",), ("with gr.Blocks() as demo:", '    gr.Markdown("hello")')
_AIOHTTP = ("from aiohttp import web",), ("app = web.Application()",)


def defaults(rng: random.Random) -> Case:
    """Calls that leave host or port, or both, to the server and its variables."""
    port = rng.choice(PORTS)
    (imports, lines), body = rng.choice(
        (
            ((("import uvicorn",), _ASGI), ("uvicorn.run(app)",)),
            ((("import uvicorn",), _ASGI), (f"uvicorn.run(app, port={port})",)),
            ((("import uvicorn",), _ASGI), ('uvicorn.run(app, host="0.0.0.0")',)),
            (_FLASK, ("app.run()",)),
            (_FLASK, ("app.run(debug=True)",)),
            (_FLASK, ('app.run(host="0.0.0.0")',)),
            (_FLASK, (f'app.run(debug=True, host="0.0.0.0", port={port})',)),
            (_FLASK, (f'app.config["SERVER_NAME"] = "localhost:{port}"', "app.run()")),
            (_FLASK, ("app.run('0.0.0.0')",)),
            (_GRADIO, ("demo.launch()",)),
            (_GRADIO, ('demo.launch(server_name="0.0.0.0")',)),
            (_GRADIO, (f"demo.launch(server_port={port})",)),
            (_GRADIO, ("demo.queue(max_size=5).launch(show_error=True)",)),
            (_AIOHTTP, ("web.run_app(app)",)),
            (_AIOHTTP, (f"web.run_app(app, port={port})",)),
            (_AIOHTTP, ('web.run_app(app, host="127.0.0.1")',)),
            ((("from waitress import serve",), _WSGI), ("serve(app)",)),
            ((("from waitress import serve",), _WSGI), (f'serve(app, listen="*:{port}")',)),
            ((("from waitress import serve",), _WSGI), (f'serve(app, port="{port}")',)),
            ((("from bottle import run, route",), ()), ("run()",)),
            ((("from quart import Quart",), ("app = Quart(__name__)",)), ("app.run()",)),
        )
    )
    choices = {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": str(port), "PORT": "9009",
               "HOST": "0.0.0.0", "FLASK_RUN_PORT": "9010", "UVICORN_PORT": "9011",
               "FLASK_RUN_HOST": "0.0.0.0", "FLASK_DEBUG": "1"}  # fmt: skip
    env = {name: value for name, value in choices.items() if rng.random() < 0.3}
    bound = Bound("", "", env=env)
    text = shaped(rng, Serving(imports, lines, body), bound)
    return started(rng, "defaults", text, bound)


def sockets(rng: random.Random) -> Case:
    """Servers of the standard library and of tornado, and plain sockets."""
    host, port = rng.choice(("0.0.0.0", "127.0.0.1", "")), rng.choice(PORTS)
    handler = ("class Handler(http.server.BaseHTTPRequestHandler):", "    def do_GET(self):",
               "        self.send_response(204)", "        self.end_headers()")  # fmt: skip
    tornado = ("import tornado.httpserver", "import tornado.ioloop", "import tornado.web")
    made = ("app = tornado.web.Application([])",)
    loop = rng.choice(("tornado.ioloop.IOLoop.current().start()",
                       "tornado.ioloop.IOLoop.instance().start()"))  # fmt: skip
    serving = rng.choice(
        (
            Serving(("import http.server",), handler,
                    (f"http.server.HTTPServer(({host!r}, {port}), Handler).serve_forever()",)),
            Serving(("import http.server",), (),
                    ("handler = http.server.SimpleHTTPRequestHandler",
                     f"with http.server.ThreadingHTTPServer(({host!r}, {port}), handler) as server:",
                     "    server.serve_forever()")),
            Serving(("import http.server", "import socketserver"), (),
                    ("Handler = http.server.SimpleHTTPRequestHandler",
                     f'with socketserver.TCPServer(("", {port}), Handler) as httpd:',
                     f'    print("serving at port", {port})', "    httpd.serve_forever()")),
            Serving(("import http.server",), handler,
                    (f"http.server.test(HandlerClass=Handler, port={port})",)),
            Serving(tornado, made, ("server = tornado.httpserver.HTTPServer(app)",
                                    f"server.listen({port})", loop)),
            Serving(tornado, made, ("server = tornado.httpserver.HTTPServer(app)",
                                    f"server.bind({port}, {host!r})", "server.start()", loop)),
            Serving(("import asyncio", *tornado), made,
                    (f"app.listen({port}, address={host!r})", "shutdown = asyncio.Event()",
                     "await shutdown.wait()"), coroutine=True),
            Serving(("import asyncio",), ("async def handle(reader, writer):", "    writer.close()"),
                    (f"server = await asyncio.start_server(handle, {host!r}, {port})",
                     "async with server:", "    await server.serve_forever()"), coroutine=True),
            Serving(("import socket",), (),
                    ("server = socket.socket()", f"server.bind(({host!r}, {port}))",
                     "server.listen(5)", "while True:", "    connection, _ = server.accept()",
                     "    connection.close()")),
            Serving(("from werkzeug.serving import run_simple",), _WSGI,
                    (f"run_simple({host or 'localhost'!r}, {port}, app)",)),
            Serving(("from waitress import create_server",), _WSGI,
                    (f"server = create_server(app, host={host or '0.0.0.0'!r}, port={port})",
                     "server.run()")),
            Serving(("import asyncio", "import websockets"),
                    ("async def echo(socket):", "    pass"),
                    (f"async with websockets.serve(echo, {host or None!r}, {port}):",
                     "    await asyncio.Future()"), coroutine=True),
            Serving(("from socketserver import ThreadingMixIn",
                     "from http.server import HTTPServer", "import http.server"),
                    (*handler, "", "class Server(ThreadingMixIn, HTTPServer):",
                     "    daemon_threads = True"),
                    (f"Server(({host!r}, {port}), Handler).serve_forever()",)),
        )
    )  # fmt: skip
    bound = Bound("", "")
    return started(rng, "sockets", shaped(rng, serving, bound), bound)


def embedded(rng: random.Random) -> Case:
    """Commands of servers that a program calls as functions."""
    port = rng.choice(PORTS)
    host = rng.choice(("0.0.0.0", "127.0.0.1"))
    files = {"web.py": f"{ASGI}\n\n", "wsgi.py": WSGI}
    bound = Bound("", "", files=files)
    gunicorn = (
        "class Application(BaseApplication):", "    def __init__(self, app, options=None):",
        "        self.options = options or {}", "        self.application = app",
        "        super().__init__()", "", "    def load_config(self):",
        "        for key, value in self.options.items():",
        "            self.cfg.set(key.lower(), value)", "", "    def load(self):",
        "        return self.application",
    )  # fmt: skip
    serving = rng.choice(
        (
            Serving(("import uvicorn",), (),
                    (f'uvicorn.main(["web:app", "--host", "{host}", "--port", "{port}"])',)),
            Serving(("import sys", "import uvicorn"), (),
                    (f'sys.argv = ["uvicorn", "web:app", "--port", "{port}"]', "uvicorn.main()")),
            Serving(("from gunicorn.app.base import BaseApplication",), (*_WSGI, "", *gunicorn),
                    (f'options = {{"bind": "{host}:{port}", "workers": 1}}',
                     "Application(app, options).run()")),
            Serving(("from gunicorn.app.base import BaseApplication",), (*_WSGI, "", *gunicorn),
                    (f'options = {{"bind": "%s:%s" % ("{host}", "{port}"), "workers": 1}}',
                     "Application(app, options).run()")),
            Serving(("import sys", "from gunicorn.app.wsgiapp import run"), (),
                    (f'sys.argv = ["gunicorn", "wsgi:app", "-b", "{host}:{port}"]', "run()")),
            Serving(("import sys", "from streamlit.web import cli"), (),
                    (f'sys.argv = ["streamlit", "run", "wsgi.py", "--server.port", "{port}"]',
                     "sys.exit(cli.main())")),
            Serving(("import runpy", "import sys"), (),
                    (f'sys.argv = ["uvicorn", "web:app", "--port", "{port}"]',
                     'runpy.run_module("uvicorn", run_name="__main__")')),
        )
    )  # fmt: skip
    return started(rng, "embedded", shaped(rng, serving, bound), bound, "start.py")


FAMILIES = [defaults, sockets, embedded]
