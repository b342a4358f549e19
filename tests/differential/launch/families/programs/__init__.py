"""Python programs that start their server themselves."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.differential.launch.case import Case
from tests.differential.launch.compare import Generator
from tests.differential.launch.families.apps import ASGI, PORTS
from tests.differential.launch.families.programs import (
    bindings,
    endings,
    launchers,
    others,
    passing,
    readers,
    selves,
    servers,
)
from tests.differential.launch.families.programs.bindings import Binding
from tests.differential.launch.families.programs.parts import Bound, Serving, shaped, started

Serve = Callable[[random.Random, Bound], Serving]

_HOSTS = ("0.0.0.0", "0.0.0.0", "127.0.0.1", "localhost")
_PLAIN: tuple[Binding, ...] = (
    bindings.literals, bindings.literals, bindings.constants, bindings.getenv, bindings.getenv,
    bindings.required, bindings.branches, bindings.helpers, bindings.dictionaries,
    bindings.classes, bindings.modules,
)  # fmt: skip


def _family(
    name: str,
    serves: Sequence[Serve],
    sources: Sequence[Binding] = _PLAIN,
    hosts: Sequence[str] = _HOSTS,
) -> Generator:
    """The family of programs that serve in one of these ways, with an address from one of these
    sources.
    """

    def family(rng: random.Random) -> Case:
        bound = rng.choice(sources)(rng, rng.choice(hosts), rng.choice(PORTS))
        text = shaped(rng, rng.choice(serves)(rng, bound), bound)
        if "web:app" in text:
            bound = _with_file(bound, "web.py", ASGI)
        return started(rng, name, text, bound)

    family.__name__ = name.replace(" ", "_")
    return family


def _with_file(bound: Bound, path: str, text: str) -> Bound:
    return Bound(
        bound.host, bound.port, bound.imports, bound.lines, {**bound.files, path: text},
        bound.env, bound.words,
    )  # fmt: skip


_ANY: tuple[Serve, ...] = (servers.uvicorn_run, servers.flask_run, servers.aiohttp_run,
                           servers.waitress_serve, servers.uvicorn_serve)  # fmt: skip
_EVERYWHERE = (*_HOSTS, "::", "")

FAMILIES: list[Generator] = [
    _family("uvicorn programs", [servers.uvicorn_run], hosts=_EVERYWHERE),
    _family("uvicorn coroutines", [servers.uvicorn_serve]),
    _family("flask programs", [servers.flask_run, servers.socketio_run]),
    _family("waitress programs", [servers.waitress_serve]),
    _family("hypercorn programs", [servers.hypercorn_serve]),
    _family("aiohttp programs", [servers.aiohttp_run], hosts=_EVERYWHERE),
    _family("tornado programs", [servers.tornado_listen]),
    _family("plain http programs", [servers.http_server], hosts=("0.0.0.0", "127.0.0.1", "")),
    _family("small frameworks", [servers.bottle_run, servers.quart_run, servers.sanic_run]),
    _family("gradio programs", [servers.gradio_launch]),
    _family("granian programs", [servers.granian_serve]),
    _family("settings classes", _ANY, [readers.settings]),
    _family("dotenv programs", _ANY, [readers.dotenvs]),
    _family("argparse programs", _ANY, [readers.arguments]),
    _family("config files", _ANY, [readers.config_files]),
    _family("helpers and classes", _ANY, [bindings.helpers, bindings.classes, bindings.modules]),
    _family("changed environments", _ANY, [passing.environment_changes]),
    _family("chains of variables", _ANY, [passing.chains]),
    _family("objects", _ANY, [passing.objects]),
    _family("words", _ANY, [passing.words]),
    *launchers.FAMILIES,
    *selves.FAMILIES,
    *others.FAMILIES,
    *endings.FAMILIES,
]
