"""What the project declares about the Space's environment (`[tool.hfcheck.space]`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Declared:
    """The environment contract: the frontend's origin, the names of secrets, and variables with
    their values. A declared name counts as set; a declared value is checked as the value.
    """

    id: str | None = None
    frontend: str | None = None
    secrets: frozenset[str] = frozenset()
    variables: Mapping[str, str] = field(default_factory=dict)

    def is_set(self, name: str, *, case_sensitive: bool = True) -> bool:
        """Whether a variable of this name is declared."""
        names = [*self.secrets, *self.variables]
        if case_sensitive:
            return name in names
        return name.lower() in {known.lower() for known in names}
