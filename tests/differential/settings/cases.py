"""What is compared: a module, its settings class, and what it is built with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FILES = (".env", ".env.local")
"""The .env files of a case, in the order in which a class reads them."""


@dataclass(frozen=True, slots=True)
class Case:
    """A module, its settings class, and what it is built with.

    `dotenv` are the texts of the files `FILES`, as many as the class reads and as there are.
    """

    source: str
    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    dotenv: tuple[str, ...] = ()
    init: Mapping[str, Any] | None = None
    secrets: Mapping[str, str] | None = None

    def request(self) -> dict[str, Any]:
        """The case as the oracle reads it."""
        return {
            "source": self.source,
            "name": self.name,
            "env": dict(self.env),
            "files": dict(zip(FILES, self.dotenv, strict=False)),
            "init": self.init,
            "secrets": self.secrets,
        }
