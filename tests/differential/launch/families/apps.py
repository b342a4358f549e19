"""Small applications and choices that the families share."""

from __future__ import annotations

ASGI = """async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
"""
WSGI = """def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]
"""
HOSTS = ("0.0.0.0", "0.0.0.0", "127.0.0.1", "localhost", "::")
PORTS = (7860, 7860, 8000, 5000, 8080, 80, 3000)
