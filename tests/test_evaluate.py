"""What expressions are worth: each case is a small module, judged by running it for real."""

from __future__ import annotations

import ast

import pytest
from worlds import world

from hfcheck.space.code.values import EnvRead, ObjectOf
from hfcheck.space.value import Known, Unknown


def result(texts: dict[str, str] | str, env: dict[str, str] | None = None) -> object:
    files = {"/app/main.py": texts} if isinstance(texts, str) else texts
    module, evaluator = world(files, env)
    value = evaluator.value(ast.parse("result", mode="eval").body, module)
    value = evaluator.plain(value)
    return value.value if isinstance(value, Known) else value


CASES = [
    "import os\nresult = int(os.getenv('PORT', 8000))",
    "import os\nresult = os.environ.get('PORT') or '7860'",
    "from os import getenv as g\nresult = g('HOST', default='0.0.0.0')",
    "import os\nresult = 'PORT' in os.environ",
    "import os\nPORT = os.getenv('PORT')\nif PORT is None:\n    PORT = 9\nresult = PORT",
    "import os\ntry:\n    result = int(os.environ['PORT'])\nexcept KeyError:\n    result = 5",
    "import os\ntry:\n    p = int(os.getenv('PORT'))\nexcept (TypeError, ValueError):\n    p = 1\nresult = p",
    "class C:\n    port = 3\n    both = port + 1\nresult = C.both",
    "class A:\n    port = 3\nclass B(A):\n    pass\nresult = B().port",
    "class C:\n    def __init__(self, port=4):\n        self.port = port\nc = C(5)\nresult = c.port",
    "class C:\n    x = 'a,b'\n    @property\n    def parts(self):\n        return self.x.split(',')\n"
    "result = C().parts",
    "def f(a, b=2):\n    if a > b:\n        return 'more'\n    return 'less'\nresult = f(3)",
    "origins = ['a']\norigins.append('b')\norigins += ['c']\nresult = origins",
    "text = ' a, b ,,'\nresult = [p.strip() for p in text.split(',') if p.strip()]",
    "x = 'http://a/'\nresult = f'{x.rstrip(\"/\")}/jwks'",
    'import json\nresult = json.loads(\'["a", 1, {"b": null}]\')',
    "d = {'a': 1}\nd['b'] = 2\nresult = d.get('b', 3) + d.get('c', 4)",
    "x = 1\nx = x + 1\nx = x * 10\nresult = x",
    "a, b = ('x', 'y')\nresult = b + a",
    "result = 'yes' if not [] else 'no'",
    "for port in (1, 2, 3):\n    if port == 2:\n        break\nresult = port",
    "from pathlib import Path\nresult = str(Path('/a/b/c.py').resolve().parent.parent / 'src')",
    "import os.path\nresult = os.path.join(os.path.dirname('/a/b/c.py'), 'd')",
    "def outer():\n    def inner():\n        return 7\n    return inner()\nresult = outer()",
    "result = (lambda x: x + 1)(2)",
    "result = any([0, 1]) and all([])",
    "from enum import Enum\nclass E(Enum):\n    A = 'x'\nresult = E.A.value",
]


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize("env", [{}, {"PORT": "7860", "HOST": "h"}])
def test_agrees_with_python(
    text: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PORT", "HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    real: dict[str, object] = {}
    exec(text, real)
    predicted = result(text, env)
    assert not isinstance(predicted, Unknown), predicted
    assert predicted == real["result"]
    assert type(predicted) is type(real["result"])


def test_follows_imports_across_modules() -> None:
    files = {
        "/app/main.py": "from pkg import settings as s\nresult = s.port",
        "/app/pkg/__init__.py": "from .config import settings",
        "/app/pkg/config.py": "class S:\n    port = 5\nsettings = S()",
    }
    assert result(files) == 5


def test_unset_variable_is_an_origin() -> None:
    module, evaluator = world({"/app/main.py": "import os\nresult = os.getenv('X', 'd')"})
    value = evaluator.value(ast.parse("result", mode="eval").body, module)
    assert isinstance(value, Known)
    assert [o.name for o in value.origins if isinstance(o, EnvRead)] == ["X"]


@pytest.mark.parametrize(
    "text",
    [
        "import random\nresult = random.choice([1, 2])",
        "import sys\nresult = sys.argv[1]",
        "while True:\n    result = 1\n    break",
        "def f(x):\n    return x\nresult = f(unknown)",
        "result = [x for x in open('f')]",
        "result = result",
        "def f():\n    return f()\nresult = f()",
        "import os\nif os.urandom(1):\n    result = 1\nelse:\n    result = 2",
        "result = " + "(" * 150 + "1" + ")" * 150 + ".real",
    ],
)
def test_what_is_not_settled_is_unknown(text: str) -> None:
    assert isinstance(result(text), (Unknown, ObjectOf))


def test_names_that_copy_each_other_end() -> None:
    assert isinstance(result("import main\nX = main.X\nresult = X"), (Unknown, ObjectOf))


def test_list_that_may_grow_keeps_its_sure_items() -> None:
    module, evaluator = world(
        {"/app/main.py": "import x\nresult = ['a']\nif x.y():\n    result.append('b')"}
    )
    value = evaluator.value(ast.parse("result", mode="eval").body, module)
    assert isinstance(value, Known)
    assert isinstance(value.value, list)
    assert value.value[0].value == "a"
    assert isinstance(value.value[1], Unknown)
