"""The ways in which a module comes by its application.

A shape is the text of the module and of files beside it. `NAME` stands for the name that is asked
for, `NEW` for an expression that makes an application, `USES` for the import it needs, `PKG.` for
the package that the module is in (with its dot, or nothing).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shape:
    """A module's `text` and the files `beside` it. `plain` ones must never be unknown; a `package`
    needs its folder to be one. `name` is what is asked for, where that is not free.
    """

    text: str
    beside: dict[str, str] = field(default_factory=dict)
    plain: bool = False
    package: bool = False
    name: str = ""
    flags: tuple[str, ...] = ()


APPLICATIONS = (
    ("from fastapi import FastAPI", "FastAPI()"),
    ("from fastapi import FastAPI", 'FastAPI(title="a", docs_url=None)'),
    ("import fastapi", "fastapi.FastAPI()"),
    ("from starlette.applications import Starlette", "Starlette()"),
    ("from flask import Flask", "Flask(__name__)"),
)

_ASGI = "async def NAME(scope, receive, send):\n    pass\n"

SHAPES = (
    # Plain ones
    Shape("USES\nNAME = NEW\n", plain=True),
    Shape("USES\nNAME: object = NEW\n", plain=True),
    Shape(_ASGI, plain=True),
    Shape("def NAME(environ, start_response):\n    return []\n", plain=True),
    Shape("from PKG.other import NAME\n", {"other.py": "USES\nNAME = NEW\n"}, plain=True),
    Shape("from .other import NAME\n", {"other.py": "USES\nNAME = NEW\n"}, plain=True),
    Shape("from PKG.other import thing as NAME\n", {"other.py": "USES\nthing = NEW\n"}, plain=True),
    Shape("from PKG.other import *\n", {"other.py": "USES\nNAME = NEW\n"}, plain=True),
    Shape(
        "import os\nUSES\nif os.getenv('MODE') == 'prod':\n    NAME = NEW\nelse:\n    NAME = NEW\n",
        plain=True,
    ),
    Shape("try:\n    USES\n    NAME = NEW\nexcept ImportError:\n    NAME = len\n", plain=True),
    Shape("USES\ntry:\n    NAME = NEW\nexcept Exception:\n    raise\n", plain=True),
    Shape(
        "USES\n\ndef create_app():\n    app = NEW\n    return app\n\nNAME = create_app()\n",
        plain=True,
    ),
    Shape(
        "from PKG.other import create_app\nNAME = create_app()\n",
        {"other.py": "USES\n\ndef create_app(debug=False):\n    return NEW\n"},
        plain=True,
    ),
    Shape(
        "USES\nNAME = NEW\n\nif __name__ == '__main__':\n    import uvicorn\n"
        "    uvicorn.run(NAME)\n",
        plain=True,
    ),
    Shape(
        "USES\nimport logging\nlog = logging.getLogger(__name__)\nNAME = NEW\n"
        "NAME.state = {}\nlog.info('up')\n",
        plain=True,
    ),
    # One after the other
    Shape("USES\nNAME = NEW\ndel NAME\n"),
    Shape("USES\nNAME = NEW\ndel NAME\nNAME = NEW\n"),
    Shape("USES\nfirst = NEW\nNAME = first\ndel first\n"),
    Shape("USES\nNAME, other = NEW, 1\n"),
    Shape("USES\n(NAME, *rest) = (NEW, 2, 3)\n"),
    Shape("USES\n[first, NAME] = [1, NEW]\n"),
    Shape("USES\nother = NAME = NEW\n"),
    Shape("USES\nif (NAME := NEW):\n    pass\n"),
    Shape("USES\nprint(NAME := NEW)\n"),
    Shape("values = [last := n for n in (1, 2)]\nUSES\nNAME = NEW\n"),
    Shape("NAME: object\n"),
    Shape("NAME = None\n"),
    Shape("NAME = 'text'\n"),
    Shape("NAME = {'a': 1}\n"),
    Shape("import json as NAME\n"),
    Shape("NAME = lambda scope, receive, send: None\n"),
    Shape("USES\nother = NEW\n"),
    # Conditions
    Shape("USES\nif True:\n    NAME = NEW\n"),
    Shape("USES\nif False:\n    NAME = NEW\n"),
    Shape("USES\nDEBUG = False\nif not DEBUG:\n    NAME = NEW\n"),
    Shape("USES\nDEBUG = False\nif DEBUG:\n    NAME = NEW\nDEBUG = True\n"),
    Shape("USES\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    NAME = NEW\n"),
    Shape("USES\nif __name__ == '__main__':\n    NAME = NEW\n"),
    Shape("USES\nif __name__ != '__main__':\n    NAME = NEW\n"),
    Shape("import os\nUSES\nif os.environ.get('MODE') == 'prod':\n    NAME = NEW\n"),
    Shape("import os\nUSES\nif os.environ.get('MODE', 'dev') == 'dev':\n    NAME = NEW\n"),
    Shape("import os\nUSES\nNAME = NEW if os.getenv('MODE') else None\n"),
    Shape("USES\nNAME = None\nif NAME is None:\n    NAME = NEW\n"),
    Shape("USES\nif 'NAME' not in globals():\n    NAME = NEW\n"),
    Shape("import random\nUSES\nif random.random() > 2:\n    NAME = NEW\n", flags=("open",)),
    Shape("import random\nUSES\nif random.random() > 2:\n    NAME = NEW\nelse:\n    NAME = NEW\n"),
    Shape("USES\nassert 1 + 1 == 2\nNAME = NEW\n"),
    Shape("USES\nNAME = NEW\nassert False, 'no'\n"),
    Shape(
        "USES\nMODE = 'a'\nmatch MODE:\n    case 'a':\n        NAME = NEW\n"
        "    case _:\n        pass\n"
    ),
    Shape("USES\nmatch 'b':\n    case 'a':\n        NAME = NEW\n    case other:\n        pass\n"),
    Shape("USES\nmatch NEW:\n    case NAME:\n        pass\n"),
    # Exceptions
    Shape("try:\n    from nowhere_at_all import NAME\nexcept ImportError:\n    NAME = len\n"),
    Shape("USES\ntry:\n    NAME = NEW\nexcept Exception:\n    pass\n"),
    Shape("USES\ntry:\n    raise ValueError\nexcept ValueError:\n    NAME = NEW\n"),
    Shape("USES\ntry:\n    raise ValueError\nexcept KeyError:\n    pass\nNAME = NEW\n"),
    Shape(
        "USES\ntry:\n    raise ValueError\n    NAME = NEW\nexcept (KeyError, ValueError):\n"
        "    pass\n"
    ),
    Shape("USES\ntry:\n    pass\nfinally:\n    NAME = NEW\n"),
    Shape("USES\ntry:\n    pass\nexcept OSError:\n    pass\nelse:\n    NAME = NEW\n"),
    Shape("try:\n    raise ValueError\nexcept ValueError as NAME:\n    pass\n"),
    Shape("USES\nNAME = NEW\ntry:\n    raise ValueError\nexcept ValueError as NAME:\n    pass\n"),
    Shape("USES\nNAME = NEW\nraise RuntimeError('no')\n"),
    Shape("import sys\nUSES\nNAME = NEW\nsys.exit(3)\n"),
    Shape("import os\nUSES\nNAME = NEW\nKEY = os.environ['HFCHECK_KEY']\n"),
    Shape(
        "from contextlib import suppress\nUSES\nwith suppress(ImportError):\n"
        "    from PKG.nothere import x\nNAME = NEW\n"
    ),
    Shape(
        "class Own(ValueError):\n    pass\n\nUSES\ntry:\n    raise Own\nexcept ValueError:\n"
        "    NAME = NEW\n"
    ),
    # Loops and blocks
    Shape("USES\nfor NAME in (NEW,):\n    pass\n"),
    Shape("USES\nfor NAME in ():\n    pass\n"),
    Shape("USES\nfor n in range(3):\n    if n == 1:\n        NAME = NEW\n        break\n"),
    Shape("USES\nfor n in [1]:\n    pass\nelse:\n    NAME = NEW\n"),
    Shape("USES\nwhile True:\n    NAME = NEW\n    break\n"),
    Shape("USES\nn = 0\nwhile n < 2:\n    NAME = NEW\n    n += 1\n", flags=("open",)),
    Shape("import tempfile\nUSES\nwith tempfile.TemporaryDirectory() as folder:\n    NAME = NEW\n"),
    Shape("import tempfile\nwith tempfile.TemporaryFile() as NAME:\n    pass\n"),
    # Functions and namespaces
    Shape("USES\n\ndef init():\n    global NAME\n    NAME = NEW\n\ninit()\n"),
    Shape("USES\n\ndef init():\n    global NAME\n    NAME = NEW\n"),
    Shape("USES\n\ndef init():\n    NAME = NEW\n\ninit()\n"),
    Shape(
        "USES\n\ndef init(on):\n    global NAME\n    if on:\n        NAME = NEW\n\ninit(False)\n"
    ),
    Shape("USES\nglobals()['NAME'] = NEW\n"),
    Shape("USES\nglobals().update(NAME=NEW)\n"),
    Shape("USES\nglobals().update({'NAME': NEW})\n"),
    Shape("USES\nvars()['NAME'] = NEW\n"),
    Shape("USES\nfor name in ('NAME', 'more'):\n    globals()[name] = NEW\n"),
    Shape("import sys\nUSES\nsetattr(sys.modules[__name__], 'NAME', NEW)\n"),
    Shape("import sys\nUSES\nsys.modules[__name__].NAME = NEW\n"),
    Shape("USES\nexec('NAME = NEW')\n"),
    Shape("USES\nNAME = NEW\ndel globals()['NAME']\n"),
    Shape(
        "USES\n_app = NEW\n\ndef __getattr__(name):\n    if name == 'NAME':\n        return _app\n"
        "    raise AttributeError(name)\n"
    ),
    Shape("def __getattr__(name):\n    raise AttributeError(name)\n"),
    Shape(
        "def __getattr__(name):\n    if name == 'other':\n        return len\n"
        "    raise AttributeError(name)\n"
    ),
    Shape(
        "import importlib\nNAME = importlib.import_module('PKG.other').thing\n",
        {"other.py": "USES\nthing = NEW\n"},
    ),
    Shape("USES\n\nclass Holder:\n    app = NEW\n", name="Holder.app"),
    Shape("USES\n\nclass Holder:\n    other = NEW\n", name="Holder.app"),
    Shape(
        "USES\n\nclass Base:\n    app = NEW\n\nclass Holder(Base):\n    pass\n", name="Holder.app"
    ),
    Shape(
        "USES\n\nclass Holder:\n    def __init__(self):\n        self.app = NEW\n\n"
        "holder = Holder()\n",
        name="holder.app",
    ),
    Shape("USES\n\nclass Holder:\n    class inner:\n        app = NEW\n", name="Holder.inner.app"),
    Shape("class NAME:\n    def __init__(self, scope):\n        pass\n"),
    Shape(
        "class App:\n    async def __call__(self, scope, receive, send):\n        pass\n\n"
        "NAME = App()\n"
    ),
    Shape("class App:\n    pass\n\nNAME = App()\n"),
    # Imports
    Shape("from PKG.other import *\n", {"other.py": "USES\nNAME = NEW\n__all__ = ['NAME']\n"}),
    Shape("from PKG.other import *\n", {"other.py": "USES\nNAME = NEW\nx = 1\n__all__ = ['x']\n"}),
    Shape("from PKG.other import *\n", {"other.py": "USES\nNAME = NEW\n__all__ = ['gone']\n"}),
    Shape("from PKG.other import *\n", {"other.py": "USES\n_NAME = NEW\n"}, name="_NAME"),
    Shape("USES\nNAME = NEW\nfrom PKG.other import *\n", {"other.py": "NAME = None\n"}),
    Shape(
        "from PKG.other import *\nfrom PKG.more import *\n",
        {"other.py": "NAME = 1\n", "more.py": "USES\nNAME = NEW\n"},
    ),
    Shape("from PKG.other import gone as NAME\n", {"other.py": "x = 1\n"}),
    Shape("from PKG.gone import NAME\n"),
    Shape("import PKG.gone\nNAME = len\n"),
    Shape("from other import NAME\n", {"other.py": "USES\nNAME = NEW\n"}),
    Shape("from . import other\nNAME = other.thing\n", {"other.py": "USES\nthing = NEW\n"}),
    Shape("from . import NAME\n", {"NAME.py": "x = 1\n"}),
    Shape("import PKG.other\nNAME = PKG.other.thing\n", {"other.py": "USES\nthing = NEW\n"}),
    Shape("import PKG.other as o\nNAME = o.thing\n", {"other.py": "USES\nthing = NEW\n"}),
    Shape(
        "from PKG.other import thing\nUSES\nNAME = NEW\n",
        {"other.py": "from PKG.MODULE import NAME\nthing = 1\n"},
    ),
    Shape(
        "USES\nNAME = NEW\nfrom PKG.other import thing\n",
        {"other.py": "from PKG.MODULE import NAME\nthing = 1\n"},
    ),
    Shape("import PKG.other\nUSES\nNAME = NEW\n", {"other.py": "import PKG.MODULE\n"}),
    Shape("import PKG.other\n", {"other.py": "import PKG.MODULE\nUSES\nPKG.MODULE.NAME = NEW\n"}),
    Shape("import not_installed_here\nUSES\nNAME = NEW\n"),
    Shape("USES\nNAME = NEW\nimport not_installed_here.part\n"),
    Shape(
        "try:\n    import not_installed_here\nexcept ImportError:\n    not_installed_here = None\n"
        "USES\nNAME = NEW\n"
    ),
    Shape(
        "try:\n    from PKG.gone import NAME\nexcept ImportError:\n"
        "    from PKG.other import NAME\n",
        {"other.py": "USES\nNAME = NEW\n"},
    ),
    Shape("def NAME(:\n"),
    Shape("from PKG.other import NAME\n", {"other.py": "x = = 1\n"}),
    Shape(
        "from PKG.other import setup\nsetup()\nfrom PKG.other import NAME\n",
        {"other.py": "USES\n\ndef setup():\n    global NAME\n    NAME = NEW\n"},
    ),
    Shape(
        "import sys, os\nsys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))\n"
        "from beside_it import NAME\n",
        {"beside_it.py": "USES\nNAME = NEW\n"},
    ),
    Shape(
        "import sys\nfrom pathlib import Path\n"
        "sys.path.append(str(Path(__file__).resolve().parent / 'lib'))\n"
        "from within import NAME\n",
        {"lib/within.py": "USES\nNAME = NEW\n"},
    ),
    Shape(
        "from PKG.deep.er import NAME\n",
        {
            "deep/__init__.py": "",
            "deep/er.py": "from ..other import NAME\n",
            "other.py": "USES\nNAME = NEW\n",
        },
        package=True,
    ),
    Shape(
        "from PKG.deep import NAME\n",
        {"deep/__init__.py": "from .er import NAME\n", "deep/er.py": "USES\nNAME = NEW\n"},
    ),
)

FACTORIES = (
    Shape("USES\n\ndef NAME():\n    return NEW\n", plain=True),
    Shape("USES\n\ndef NAME(debug=False, *, mode='a', **more):\n    return NEW\n", plain=True),
    Shape("USES\n\ndef NAME(settings):\n    return NEW\n"),
    Shape("USES\n\ndef NAME(*, settings):\n    return NEW\n"),
    Shape("def NAME():\n    pass\n"),
    Shape("def NAME():\n    return 'text'\n"),
    Shape("def NAME():\n    raise RuntimeError('no')\n"),
    Shape("USES\n\nasync def NAME():\n    return NEW\n"),
    Shape("USES\nNAME = NEW\n"),
    Shape("NAME = None\n"),
    Shape("USES\nNAME = lambda: NEW\n"),
    Shape("USES\nNAME = FastAPI\n", flags=("fastapi",)),
    Shape("class NAME:\n    async def __call__(self, scope, receive, send):\n        pass\n"),
    Shape("class NAME:\n    pass\n"),
    Shape(
        "from PKG.other import NAME\n",
        {"other.py": "USES\n\ndef NAME():\n    return NEW\n"},
        plain=True,
    ),
    Shape(
        "USES\n\ndef NAME(kind='a'):\n    if kind == 'a':\n        return NEW\n    return None\n"
    ),
    Shape("USES\nimport functools\n\n@functools.lru_cache\ndef NAME():\n    return NEW\n"),
    Shape("USES\n\ndef NAME():\n    app = NEW\n    return None if app else app\n", flags=("open",)),
    Shape("USES\n\ndef other():\n    return NEW\n"),
)
