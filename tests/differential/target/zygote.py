"""A process that has imported a server and forks for each case, so that each is loaded by an
interpreter that knows nothing of the others. It reads cases from its input, one a line, and
answers each with the kind and what was said.

Started as `python zygote.py uvicorn|gunicorn bare|warm`. Only what the server itself imports is
imported here (a bare one), so that files named like a module of Python are met as they would be.
"""

import os
import sys

sys.path.pop(0)
SERVER, WARMTH = sys.argv[1:3]
BIN = os.path.dirname(sys.executable)


class Outcome(Exception):
    """What became of the application."""


def quiet(*_arguments: object, **_keywords: object) -> None:
    """Does nothing."""


def load_uvicorn(words: list) -> None:
    """Run uvicorn's command up to where it would listen."""
    import logging

    main = sys.modules["uvicorn.main"]
    said: list = []

    class Server:
        started = True

        def __init__(self, config: object) -> None:
            self.config = config

        def run(self, *_arguments: object) -> None:
            self.config.load()
            app = self.config.loaded_app
            while type(app).__name__ in ("ProxyHeadersMiddleware", "ASGI2Middleware"):
                app = app.app
            raise Outcome("ok" if callable(app) else "not callable")

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    main.Server = Server
    sys.modules["uvicorn.config"].Config.configure_logging = quiet
    logging.getLogger("uvicorn.error").addHandler(Keep())
    try:
        main.main.main(args=words, prog_name="uvicorn", standalone_mode=False)
    except SystemExit as end:
        text = " ".join(said)
        for part, kind in (
            ("Could not import module", "missing module"),
            ("not found in module", "missing attribute"),
            ("must be in format", "bad name"),
            ("Error loading ASGI app factory", "factory misuse"),
        ):
            if part in text:
                raise Outcome(kind, text) from None
        raise Outcome("fails", f"SystemExit {end.code} {text}") from None


def load_gunicorn(words: list) -> None:
    """Run gunicorn's command up to where a worker would load the application."""
    base, errors = sys.modules["gunicorn.app.base"], sys.modules["gunicorn.errors"]

    class Arbiter:
        def __init__(self, app: object) -> None:
            self.app = app

        def run(self) -> None:
            self.app.wsgi()
            raise Outcome("ok")

    base.Arbiter = Arbiter
    # Taken when the module is imported, which in the real process is where that starts.
    sys.modules["gunicorn.config"].Chdir.default = os.getcwd()
    sys.argv = ["gunicorn", *words]
    try:
        sys.modules["gunicorn.app.wsgiapp"].run(prog="gunicorn")
    except errors.AppImportError as error:
        text = str(error)
        for part, kind in (
            ("Failed to find attribute", "missing attribute"),
            ("Failed to parse", "bad name"),
            ("Function reference", "bad name"),
            ("Failed to find application object", "not callable"),
            ("must be callable", "not callable"),
        ):
            if part in text:
                raise Outcome(kind, text) from None
        raise Outcome("factory misuse", text) from None
    except AttributeError as error:
        if "'__code__'" not in str(error):
            raise
        # It looks at the code of what does not take the arguments, which has none.
        raise Outcome("factory misuse", str(error)) from None
    except SystemExit as end:
        raise Outcome("fails", f"SystemExit {end.code}") from None


def missing(error: ModuleNotFoundError, target: str, root: str) -> str:
    """Whether it is the target's own module that is not found, or one that it imports."""
    trace, inside = error.__traceback__, False
    while trace is not None:
        inside = inside or trace.tb_frame.f_code.co_filename.startswith(root)
        trace = trace.tb_next
    name = error.name or ""
    if not inside and (target == name or target.startswith((f"{name}.", f"{name}/"))):
        return "missing module"
    return "fails"


def serve(case: dict) -> tuple:
    """Load the application of a case in this process."""
    os.environ.update(case["env"])
    os.environ.pop("PWD", None)
    os.chdir(case["cwd"])
    parts = [p for p in os.environ.get("PYTHONPATH", "").split(":") if p]
    folders = [os.path.abspath(part) for part in parts]
    first = case["cwd"] if case["module"] else BIN
    sys.path[:] = [first, *folders, *sys.path, *case["editable"]]
    load = load_uvicorn if SERVER == "uvicorn" else load_gunicorn
    try:
        load(case["words"])
    except Outcome as outcome:
        return outcome.args
    except ModuleNotFoundError as error:
        return missing(error, case["target"], case["root"]), f"ModuleNotFoundError: {error}"
    except ImportError as error:
        if "did you mean" in str(error):
            return "missing module", str(error)
        return "fails", f"ImportError: {error}"
    except BaseException as error:
        return "fails", f"{type(error).__name__}: {error}"
    return "fails", "it ends"


def answer(case: dict) -> None:
    """Fork, load, and print what became of it."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        try:
            kind, *said = serve(case)
            os.write(writer, repr([kind, " ".join(map(str, said))[:2000]]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        text = stream.read()
    os.waitpid(child, 0)
    print(text.decode() or "['died', '']", flush=True)


if SERVER == "uvicorn":
    import uvicorn.main  # noqa: F401
else:
    import gunicorn.app.wsgiapp
    import gunicorn.workers.sync  # noqa: F401
if WARMTH == "warm":
    import fastapi  # noqa: F401
    import flask  # noqa: F401

from ast import literal_eval  # noqa: E402

for line in sys.stdin:
    answer(literal_eval(line))
