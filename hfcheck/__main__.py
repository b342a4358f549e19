"""`python -m hfcheck`, safe in a hostile folder: the current one is not searched for modules."""

from __future__ import annotations

import sys

if sys.path and sys.path[0] in ("", __import__("os").getcwd()):
    del sys.path[0]

from hfcheck.cli import main

main(prog_name="hfcheck")
