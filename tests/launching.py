"""Helpers of the launch tests: a folder of files, built into an image, and what it starts."""

from __future__ import annotations

from pathlib import Path

from hfcheck.source import SourceFile
from hfcheck.space.context import Context
from hfcheck.space.declared import Declared
from hfcheck.space.docker.dockerfile import parse
from hfcheck.space.image.image import build_image
from hfcheck.space.launch.launch import Launch, work_out_launch
from hfcheck.space.packages import Packages

BASE = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n"


def launch(
    root: Path,
    command: str,
    files: dict[str, str] | None = None,
    *,
    env: str = "",
    base: str = BASE,
    declared: Declared | None = None,
    packages: Packages | None = None,
) -> Launch:
    """What a Space starts whose Dockerfile ends in `command`, with these files beside it."""
    root = root.resolve()
    text = base + (f"ENV {env}\n" if env else "") + command + "\n"
    for name, content in {**(files or {}), "Dockerfile": text}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    declared = declared or Declared()
    dockerfile = parse(SourceFile(root / "Dockerfile", text))
    image = build_image(dockerfile, Context(root), declared)
    return work_out_launch(image, declared, lambda: packages or Packages())


def address(found: Launch) -> str:
    """`host:port`, `none` where nothing listens, `unknown` where that can't be told."""
    listen = found.listen
    if not listen["known"]:
        return "unknown"
    return "none" if listen["port"] is None else f"{listen['host']}:{listen['port']}"
