"""The shape of the configuration, as pydantic models.

Imported only where a configuration is there: pydantic costs more to import than a run without one
takes.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_ORIGIN = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]*,]+)(?::[0-9]{1,5})?")
"""An origin as a browser sends it (RFC 6454, section 6.2): scheme, host, port, nothing after."""

_NAME = re.compile(r"[^=\s\0]+")
"""An environment variable's name (POSIX: any characters but `=` and NUL)."""


def _is_origin(value: str) -> str:
    if _ORIGIN.fullmatch(value):
        return value
    if "://" not in value:
        raise ValueError(f"it must be an origin with its scheme, as in https://{value or 'host'}")
    start = _ORIGIN.match(value)
    if start:
        raise ValueError(f"it must be an origin and nothing after it: {start[0]}")
    raise ValueError("it must be an origin: http:// or https://, a host, and a port if it has one")


def _is_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no name of an environment variable")
    return value


def _is_space_id(value: str) -> str:
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", value):
        raise ValueError("it must be owner/name")
    return value


def _as_text(value: object) -> object:
    """The text that the Hub would hold for a number or a truth value of TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


Name = Annotated[str, AfterValidator(_is_name)]


class SpaceTable(BaseModel):
    """`[tool.hfcheck.space]`: the Space, what its environment holds, and which files make it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: Annotated[str, AfterValidator(_is_space_id)] | None = None
    frontend: Annotated[str, AfterValidator(_is_origin)] | None = None
    secrets: list[Name] = []
    variables: dict[Name, Annotated[str, BeforeValidator(_as_text)]] = {}
    dockerfile: str | None = None
    readme: str | None = None
    context: str | None = None


class Table(BaseModel):
    """`[tool.hfcheck]`, or the whole of hfcheck.toml."""

    model_config = ConfigDict(extra="forbid", strict=True)

    fail_on: Literal["error", "warning", "info", "never"] = Field("error", alias="fail-on")
    space: SpaceTable = SpaceTable()
