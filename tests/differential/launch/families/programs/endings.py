"""Programs that end before anything listens."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case
from tests.differential.launch.families.apps import ASGI, PORTS
from tests.differential.launch.families.programs.parts import Bound, started

_SERVE = 'uvicorn.run(app, host="0.0.0.0", port={port})'


def _program(rng: random.Random, head: str, tail: str) -> str:
    port = rng.choice(PORTS)
    tail = tail.replace("SERVE", _SERVE.format(port=port))
    return f"import os\nimport sys\n\nimport uvicorn\n{head}\n\n{ASGI}\n\n{tail}\n"


_MAIN = 'if __name__ == "__main__":\n    SERVE'
_ENDS = (
    ("", ""),
    ("", 'print("ready")'),
    ("", "def main():\n    SERVE"),
    ("", 'def main():\n    SERVE\n\n\nif __name__ == "main":\n    main()'),
    ("", 'if __name__ != "__main__":\n    SERVE'),
    ("", 'if __name__ == "__main__":\n    main'),
    ('SECRET = os.environ["SECRET_KEY"]', _MAIN),
    ('if not os.getenv("API_KEY"):\n    raise ValueError("API_KEY is not set")', _MAIN),
    ('if not os.getenv("API_KEY"):\n    sys.exit("API_KEY is not set")', _MAIN),
    ('assert os.getenv("TOKEN"), "TOKEN"', _MAIN),
    ('TIMEOUT = int(os.environ.get("TIMEOUT", "ten"))', _MAIN),
    ("COUNT = 1 / 0", _MAIN),
    ("VALUE = undefined_name", _MAIN),
    ('raise RuntimeError("no")', _MAIN),
    ("", "sys.exit(0)\n" + _MAIN),
    ("def broken(:\n    pass", _MAIN),
    ("", 'if __name__ == "__main__":\n    uvicorn.run(app, host="0.0.0.0", port="80a")'),
    ("", 'if __name__ == "__main__":\n    uvicorn.run(app, host="0.0.0.0", port=int("80a"))'),
    ("", 'if __name__ == "__main__":\n    main()'),
    ("def read():\n    return os.environ['API_TOKEN']\n\nTOKEN = read()", _MAIN),
    ("from utils import settings", _MAIN),
    ("import utils.names", _MAIN),
    ("from helper.inner import thing", _MAIN),
    ("from helper import absent", _MAIN),
    ("from helper import broken", _MAIN),
    ("from core.missing import thing", _MAIN),
)
_HELPERS = {
    "helper.py": 'import os\n\nbroken = os.environ["DATABASE_URL"] if True else None\n',
    "core/__init__.py": "",
    "src/utils.py": "settings = 1\n",
    "src/utils/names.py": "",
}


def endings(rng: random.Random) -> Case:
    head, tail = rng.choice(_ENDS)
    files = dict(_HELPERS) if "import" in head else {}
    if rng.random() < 0.1:
        head += "\n"
    bound = Bound("", "", files=files)
    place = rng.choice(("main.py", "app.py", "run.py"))
    return started(rng, "endings", _program(rng, head, tail), bound, place, installed=True)


def lost(rng: random.Random) -> Case:
    """A program that is not where the command looks for it."""
    text = _program(rng, "", _MAIN)
    words = rng.choice(
        (
            ("python", "src/main.py"), ("python", "Main.py"), ("python", "-m", "src.main"),
            ("python", "-m", "main.py"), ("python", "/main.py"), ("python3", "-m", "app"),
            ("python", "app"), ("python", "main"), ("./main.py",), ("main.py",),
            ("python", "-m", "main", "--port", "1"),
        )
    )  # fmt: skip
    files = {"main.py": text, "app/server.py": text}
    return Case("lost", rng.choice((words, " ".join(words))), files=files)


FAMILIES = [endings, lost]
