"""Whether a server could load the application that it is told to: uvicorn and gunicorn as their
importers do it, other servers as far as the module and the name go.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.importing import Importer
from hfcheck.space.code.names import Bound, Thing
from hfcheck.space.code.python import (
    Broken,
    External,
    FunctionNode,
    Missing,
    Module,
    Namespace,
    Python,
    Unreadable,
)
from hfcheck.space.code.raising import Raises
from hfcheck.space.image.entries import ImageFolder
from hfcheck.space.image.image import Image
from hfcheck.space.launch.process import Listener, Target
from hfcheck.space.value import Known, Origin, Unknown

LOADED = {
    "any": "abc array ast atexit base64 binascii bisect builtins bz2 calendar codecs collections"
    " contextlib copy copyreg datetime dis email encodings enum errno fcntl fnmatch functools"
    " genericpath gettext heapq importlib inspect io ipaddress itertools keyword linecache locale"
    " logging lzma marshal math ntpath opcode operator os pathlib platform posix posixpath queue"
    " quopri random re reprlib select selectors shutil signal site socket ssl stat string struct"
    " sys tempfile textwrap threading time token tokenize traceback types typing urllib warnings"
    " weakref zipimport zlib",
    "uvicorn": "asyncio concurrent configparser contextvars http json multiprocessing pickle"
    " socketserver subprocess uuid click uvicorn",
    "gunicorn": "argparse csv glob grp html pwd shlex zipfile gunicorn",
}
"""What a server has imported itself before it comes to the application: a file of that name is
never found (uvicorn 0.54.0 and gunicorn 27.0.1 with Python 3.11, `sys.modules`)."""

_APPLICATIONS = frozenset(
    [
        "fastapi.FastAPI",
        "fastapi.applications.FastAPI",
        "starlette.applications.Starlette",
        "flask.Flask",
        "flask.app.Flask",
        "quart.Quart",
        "litestar.Litestar",
        "socketio.ASGIApp",
        "socketio.WSGIApp",
        "falcon.App",
        "falcon.asgi.App",
        "django.core.asgi.get_asgi_application",
        "django.core.wsgi.get_wsgi_application",
    ]
)
"""What makes an application that can't be called without arguments."""

_APPLICATION_NAMES = frozenset(["app", "application", "api", "asgi", "wsgi", "create_app"])
"""Names that no module of the standard library has."""

_NO_CALLABLE = (
    ast.Constant,
    ast.JoinedStr,
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.Set,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Compare,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of loading a target. `kind` is one of

    - `ok`: it is there, if the libraries of `needs` are installed;
    - `missing module`, `missing attribute`: it is not;
    - `bad name`: the server does not understand the name;
    - `factory misuse`: what is called to make the application can't be called that way;
    - `not callable`: what is there, or what the factory gives, is no application;
    - `fails`: importing the module raises something else;
    - `unknown`.

    `reason` says why in words, `origins` where; `lacks` names the module or attribute that is
    missing.
    """

    kind: str
    reason: str = ""
    origins: tuple[Origin, ...] = ()
    needs: tuple[str, ...] = ()
    lacks: str = ""
    module: Module | None = None


@dataclass(frozen=True, slots=True)
class _Name:
    """What is taken from the module: dotted attributes, and the arguments of a call."""

    attributes: tuple[str, ...]
    call: ast.Call | None = None


def verdict(
    image: Image, listener: Listener, absent: Callable[[str], bool] = lambda name: False
) -> Verdict:
    """What becomes of the target of a server. `absent` says of a module that no file of the image
    gives whether no library gives it either.
    """
    found = listener.target
    if found is None or not found.search or not found.module:
        return Verdict("unknown", "which application it loads is not known")
    if isinstance(listener.env.get("PYTHONPATH"), Unknown):
        return Verdict("unknown", "PYTHONPATH is not known")
    if found.kind == "script":
        kinds = {"absent": "missing module", "unclear": "unknown"}
        return Verdict(kinds.get(image.kind(found.module), "ok"))
    name = _name(found, _family(listener))
    python = Python(image, found.search)
    evaluator = Evaluator(python, listener.env, listener.open_env)
    loaded = {*LOADED["any"].split(), *LOADED.get(_family(listener), "").split()}
    judge = _Judge(image, listener, found, name, Importer(python, evaluator, loaded))
    try:
        return judge.verdict(absent)
    except RecursionError:
        return Verdict("unknown", "it is nested too deeply to be followed")


def _family(listener: Listener) -> str:
    """The server whose importer it is: `uvicorn.run` is uvicorn's as well."""
    return "uvicorn" if listener.server.startswith("uvicorn") else listener.server


def _name(found: Target, server: str) -> _Name | str:
    """What a target names in its module; in words what is wrong with it, where something is."""
    text = found.text.partition(":")[2]
    if server == "uvicorn":
        return _Name(tuple(text.split(".")))
    if server != "gunicorn" or not text:
        return _Name((found.attribute,) if found.attribute else ())
    try:
        node: ast.expr | None = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        node = None
    if isinstance(node, ast.Name):
        return _Name((node.id,))
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return f"gunicorn takes a name or a call of one, not `{text}`"
    if not all(_is_literal(part) for part in (*node.args, *(k.value for k in node.keywords))):
        return f"gunicorn takes only literal arguments, not `{text}`"
    return _Name((node.func.id,), node)


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    return True


class _Judge:
    """Judges one target."""

    def __init__(
        self, image: Image, listener: Listener, found: Target, name: _Name | str, importer: Importer
    ) -> None:
        self.image = image
        self.server = _family(listener)
        self.found = found
        self.fault = name if isinstance(name, str) else ""
        self.name = name if isinstance(name, _Name) else _Name(())
        self.importer = importer

    def verdict(self, absent: Callable[[str], bool]) -> Verdict:
        """What becomes of the target."""
        importer = self.importer
        if "/" in self.found.module:  # no name of a module, whatever file is there
            return self._made("missing module", f"`{self.found.module}` is a path")
        try:
            module = importer.load(self.found.module)
            if not isinstance(module, Module):
                return self._no_module(module, absent)
            if self.fault:
                return self._made("bad name", self.fault)
            found = self._attribute(module)
            if isinstance(found, Verdict):
                return found
            return self._judged([self._thing(thing) for thing in found.things])
        except Raises as error:
            origin = Origin(error.place, error.note)
            needs = tuple(importer.needs)
            reason = f"importing it raises {error.names[0]}: {error.note}"
            return Verdict("fails", reason, (origin,), needs)

    def _no_module(self, found: object, absent: Callable[[str], bool]) -> Verdict:
        importer, name = self.importer, self.found.module
        if isinstance(found, Missing):
            if importer.open_path:
                return Verdict("unknown", importer.open_path)
            return self._made("missing module", f"there is no module `{name}`", lacks=name)
        if isinstance(found, External):
            return self._outside(name, absent)
        if isinstance(found, Namespace):
            folders = [self.image.lookup(path) for path in found.paths]
            if not all(isinstance(each, ImageFolder) and each.complete for each in folders):
                return Verdict("unknown", f"what `{name}` holds is not known")
            if not self.name.attributes:
                return Verdict("unknown", f"what `{name}` loads is not known")
            lacks = self.name.attributes[0]
            reason = f"`{name}` is a folder without `__init__.py`, so it has no `{lacks}`"
            return self._made("missing attribute", reason, lacks=lacks)
        if isinstance(found, (Broken, Unreadable)):
            return Verdict("unknown", f"`{found.path}` can't be read")
        return Verdict("unknown", getattr(found, "reason", f"`{name}` is not known"))

    def _outside(self, name: str, absent: Callable[[str], bool]) -> Verdict:
        first = name.partition(".")[0]
        if first == "test":
            return Verdict("unknown", "official images leave the tests of Python out")
        if first in sys.stdlib_module_names and first == name:
            if not _APPLICATION_NAMES.isdisjoint(self.name.attributes[:1]):
                reason = f"`{name}` is a module of Python itself"
                return self._made("missing attribute", reason, lacks=self.name.attributes[0])
        elif absent(name):
            return self._made("missing module", f"there is no module `{name}`", lacks=name)
        return Verdict("unknown", f"no file of the image gives `{name}`")

    def _made(
        self, kind: str, reason: str = "", *, lacks: str = "", module: Module | None = None
    ) -> Verdict:
        return Verdict(kind, reason, (), tuple(self.importer.needs), lacks, module)

    def _attribute(self, module: Module) -> Bound | Verdict:
        if not self.name.attributes:
            return self._made("ok", module=module)
        first = self.name.attributes[0]
        found = self.importer.attribute(module, first)
        for name in self.name.attributes[1:]:
            if found is None or not found.sure:
                break
            members = [self.importer.member(thing, name) for thing in found.things]
            there = [each for each in members if each is not None]
            sure = len(there) == len(members) and all(each.sure for each in there)
            things = tuple(thing for each in there for thing in each.things)
            found = Bound(things, sure) if there else None
        if found is None:
            reason = f"`{module.path}` binds no `{first}`"
            return self._made("missing attribute", reason, lacks=first, module=module)
        if not found.sure:
            return Verdict("unknown", f"whether `{module.path}` binds `{first}` is not known")
        return found

    def _judged(self, kinds: Iterable[str]) -> Verdict:
        every = set(kinds)
        if len(every) == 1 and "" not in every:
            kind = every.pop()
            return self._made(kind, _REASONS.get(kind, "").format(self.found.text))
        return Verdict("unknown", "it is one of several things")

    # What is there

    def _thing(self, thing: Thing) -> str:
        """The kind of one thing that is there; empty where it may be several."""
        if thing.kind == "made" and self._callable(thing) is None and _of_python(thing.name):
            return ""
        if self.server == "uvicorn":
            return self._for_uvicorn(thing)
        if self.server == "gunicorn":
            return self._for_gunicorn(thing)
        return "ok"

    def _for_uvicorn(self, thing: Thing) -> str:
        """What uvicorn finds it calls, and takes the result if that works."""
        result = self._called(thing, ast.Call(ast.Name("app", ast.Load()), [], []))
        if result == "refused":
            return "factory misuse" if self.found.factory else self._plain(thing)
        if isinstance(result, Bound):
            return self._result(result)
        return "ok"

    def _for_gunicorn(self, thing: Thing) -> str:
        if self.name.call is None:
            return self._plain(thing)
        result = self._called(thing, self.name.call)
        if result == "refused":
            return "factory misuse"
        return self._result(result) if isinstance(result, Bound) else "ok"

    def _result(self, bound: Bound) -> str:
        """The kind of what a call gives; empty where it may be several."""
        kinds = {self._plain(thing) for thing in bound.things}
        return kinds.pop() if len(kinds) == 1 else ""

    def _plain(self, thing: Thing) -> str:
        return "not callable" if self._callable(thing) is False else "ok"

    def _callable(self, thing: Thing) -> bool | None:
        node = thing.node
        if thing.kind in ("module", "namespace"):
            return False
        if thing.kind == "outside":
            return False if thing.name in sys.stdlib_module_names else None
        if thing.kind == "instance":
            found = self.importer.member(Thing("value", thing.module, node), "__call__")
            return False if found is None else None
        if thing.kind == "value":
            if isinstance(node, (FunctionNode, ast.ClassDef, ast.Lambda)):
                return True
            return False if isinstance(node, _NO_CALLABLE) else None
        if thing.kind == "made" and isinstance(node, ast.expr) and thing.module is not None:
            value = self.importer.evaluator.value(node, thing.module)
            if isinstance(value, Known) and isinstance(value.value, _PLAIN):
                return False
        return None

    def _called(self, thing: Thing, call: ast.Call) -> Bound | str | None:
        """What calling a thing gives; "refused" where it does not take the arguments, None where
        it is not known.
        """
        node = thing.node
        if self._callable(thing) is False:
            return "refused"
        if thing.kind == "made":
            return "refused" if thing.name in _APPLICATIONS and not call.args else None
        if thing.module is None or thing.kind not in ("value", "instance"):
            return None
        if isinstance(node, FunctionNode):
            if not self.importer.is_plain(thing.module, node):
                return None
            return self._function(thing.module, node, call, skip=0)
        if isinstance(node, ast.Lambda):
            return None if _takes(node.args, call, skip=0) else "refused"
        if isinstance(node, ast.ClassDef):
            return self._class(thing, node, call)
        return None

    def _class(self, thing: Thing, node: ast.ClassDef, call: ast.Call) -> Bound | str | None:
        wanted = "__init__" if thing.kind == "value" else "__call__"
        method = self.importer.member(Thing("value", thing.module, node), wanted)
        given = method.things[0] if method is not None and method.sure else None
        if given is not None and isinstance(given.node, FunctionNode):
            if not _takes(given.node.args, call, skip=1):
                return "refused"
        elif node.bases or node.keywords or node.decorator_list:
            return None
        elif wanted == "__init__" and (call.args or call.keywords):
            return "refused"
        if thing.kind == "value":
            return Bound((Thing("instance", thing.module, node),))
        return None

    def _function(
        self, module: Module, node: FunctionNode, call: ast.Call, *, skip: int
    ) -> Bound | str:
        if not _takes(node.args, call, skip=skip):
            return "refused"
        given = [Bound((Thing("value", module, arg),)) for arg in call.args]
        named = {k.arg: Bound((Thing("value", module, k.value),)) for k in call.keywords}
        try:
            return self.importer.call_function(module, node, given, named)
        except Raises as error:
            if "TypeError" in error.names and self.server == "uvicorn":
                return "refused"
            raise


_PLAIN = (str, int, float, bytes, list, tuple, dict, set, type(None))

_REASONS = {
    "factory misuse": "`{}` can't be loaded: what it names can't be called that way",
    "not callable": "`{}` is no application: it can't be called",
}


def _of_python(name: str) -> bool:
    """Whether a function of this name is Python's own: such make no application."""
    first = name.partition(".")[0]
    return first in sys.stdlib_module_names or hasattr(builtins, name)


def _takes(args: ast.arguments, call: ast.Call, *, skip: int) -> bool:
    """Whether a function takes the arguments of a call; `skip` are those that are bound."""
    places = [arg.arg for arg in (*args.posonlyargs, *args.args)][skip:]
    named = {keyword.arg for keyword in call.keywords}
    required = places[: max(len(places) - len(args.defaults), 0)]
    if len(call.args) > len(places) and args.vararg is None:
        return False
    left = [name for name in required[len(call.args) :] if name not in named]
    only = [
        arg.arg
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
        if default is None and arg.arg not in named
    ]
    known = {*places[len(call.args) :], *(arg.arg for arg in args.kwonlyargs)}
    strange = named - known if args.kwarg is None else set()
    return not left and not only and not strange
