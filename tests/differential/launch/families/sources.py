"""Applications of the frameworks; NAME stands for the name that they bind."""

from __future__ import annotations

ASGI = """async def NAME(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
"""
STARLETTE = """from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def home(request):
    return PlainTextResponse("ok")


NAME = Starlette(routes=[Route("/", home)])
"""
FASTAPI = """from fastapi import FastAPI

NAME = FastAPI(title="Demo")


@NAME.get("/")
def home():
    return {"status": "ok"}
"""
ASGI_FACTORY = """def NAME():
    async def made(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"ok"})

    return made
"""
WSGI = """def NAME(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
WSGI_FACTORY = """def NAME():
    def made(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    return made
"""
FLASK = """from flask import Flask

NAME = Flask(__name__)


@NAME.route("/")
def home():
    return "ok"
"""
FLASK_FACTORY = """from flask import Flask


def NAME():
    made = Flask(__name__)

    @made.get("/")
    def home():
        return "ok"

    return made
"""
QUART = """from quart import Quart

NAME = Quart(__name__)


@NAME.route("/")
async def home():
    return "ok"
"""
SANIC = """from sanic import Sanic
from sanic.response import text

NAME = Sanic("Demo")


@NAME.get("/")
async def home(request):
    return text("ok")
"""
LITESTAR = """from litestar import Litestar, get


@get("/")
async def home() -> str:
    return "ok"


NAME = Litestar([home])
"""
AIOHTTP_FACTORY = """from aiohttp import web


async def home(request):
    return web.Response(text="ok")


def NAME(argv):
    made = web.Application()
    made.router.add_get("/", home)
    return made
"""
BOTTLE = """import bottle

NAME = bottle.Bottle()


@NAME.get("/")
def home():
    return "ok"
"""
STREAMLIT = """import streamlit as st

st.title("Demo")
"""
DJANGO_MANAGE = """#!/usr/bin/env python
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "PROJECT.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
"""
DJANGO_SETTINGS = """SECRET_KEY = "secret"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "PROJECT.urls"
INSTALLED_APPS = []
MIDDLEWARE = []
WSGI_APPLICATION = "PROJECT.wsgi.application"
"""
DJANGO_URLS = """from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("ok"))]
"""
DJANGO_WSGI = """import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "PROJECT.settings")

application = get_wsgi_application()
"""
DJANGO_ASGI = DJANGO_WSGI.replace("wsgi", "asgi")


def django(project: str) -> dict[str, str]:
    """The files of a Django project of that name."""
    return {
        path: text.replace("PROJECT", project)
        for path, text in {
            "manage.py": DJANGO_MANAGE,
            f"{project}/__init__.py": "",
            f"{project}/settings.py": DJANGO_SETTINGS,
            f"{project}/urls.py": DJANGO_URLS,
            f"{project}/wsgi.py": DJANGO_WSGI,
            f"{project}/asgi.py": DJANGO_ASGI,
        }.items()
    }
