"""The generators of launch cases, one module a kind; each function makes one case."""

from __future__ import annotations

from tests.differential.launch.compare import Generator
from tests.differential.launch.families import (
    commands,
    framework_commands,
    gunicorn_commands,
    jobs,
    programs,
    scriptfaults,
    scriptfiles,
    scripts,
    shellforms,
)

FAMILIES: list[Generator] = [
    *commands.FAMILIES,
    *gunicorn_commands.FAMILIES,
    *framework_commands.FAMILIES,
    *programs.FAMILIES,
    *shellforms.FAMILIES,
    *scripts.FAMILIES,
    *scriptfiles.FAMILIES,
    *jobs.FAMILIES,
    *scriptfaults.FAMILIES,
]
