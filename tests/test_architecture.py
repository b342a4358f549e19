"""Imports run downwards only, and a clean run stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hfcheck

ROOT = Path(hfcheck.__file__).parent
FIXTURES = Path(__file__).parent.parent / "fixtures"

# A module may import from its own layer and from those after it.
LAYERS = ("cli", "engine", "checks", "finding", "space", "source")
LAYER_OF = {
    "__main__": "cli",
    "cli": "cli",
    "report": "cli",
    "config": "engine",
    "schema": "engine",
    "engine": "engine",
    "checks": "checks",
    "catalogue": "finding",
    "finding": "finding",
    "space": "space",
    "source": "source",
}


def layer(module: str) -> int | None:
    parts = module.split(".")
    if parts[0] != "hfcheck" or parts[1:] in ([], ["__init__"], ["__version__"]):
        return None
    return LAYERS.index(LAYER_OF[parts[1]])


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            base = node.module
            names.update(f"{base}.{a.name}" if base == "hfcheck" else base for a in node.names)
    return names


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downwards(path: Path) -> None:
    own = layer("hfcheck." + ".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own is None:
        return
    for name in imports(path):
        other = layer(name)
        assert other is None or other >= own, f"{path.name} imports {name}"


HEAVY = ("libcst", "pydantic", "huggingface_hub", "jsonschema")


def test_a_clean_run_imports_nothing_heavy() -> None:
    clean = FIXTURES / "mistakes" / "wrong-port" / "mended-port"
    code = (
        "import sys\nfrom hfcheck.cli import main\n"
        f"try:\n    main([{str(clean)!r}])\nexcept SystemExit as end:\n"
        f"    print(end.code, [m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "0 []"
