"""The arguments of an installer: its options and its other words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_VALUED = frozenset(
    [
        *("-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints"),
        *("-e", "--editable", "--override", "--overrides", "-i", "--index-url", "--index"),
        *("--default-index", "--extra-index-url", "-f", "--find-links", "-t", "--target"),
        *("--prefix", "--root", "--python", "-p", "--python-version", "--platform", "--timeout"),
        *("--trusted-host", "--cache-dir", "--retries", "--upgrade-strategy", "--group", "--extra"),
        *("--only-group", "--no-group", "--with", "--without", "--only", "--extras", "-E", "-G"),
        *("-o", "--output", "--output-file", "--out-file", "--directory", "--project", "-C"),
        *("-w", "--wheel-dir", "-d", "--dest", "--no-binary", "--only-binary", "--format"),
        *("--package", "--no-install-package", "--reinstall-package", "--upgrade-package", "-P"),
        *("--index-strategy", "--link-mode", "--resolution", "--prerelease", "--exclude-newer"),
        *("-n", "--name", "--channel", "--file", "--config-settings", "--progress-bar", "--proxy"),
        *("--cert", "--src", "--abi", "--implementation", "--root-user-action", "--torch-backend"),
        *("--extra-index", "--use-feature", "--report", "--log", "-L", "--lockfile"),
    ]
)
"""Options of pip, uv, Poetry, PDM, Pipenv and conda that take a value."""


@dataclass(slots=True)
class Arguments:
    """Options with their values in order, and the other words (None: one that can't be known)."""

    options: list[tuple[str, str | None]] = field(default_factory=list)
    words: list[str | None] = field(default_factory=list)

    def has(self, *names: str) -> bool:
        """Whether one of these options is given."""
        return any(name in names for name, _ in self.options)

    def all(self, *names: str) -> list[str]:
        """The known values of these options."""
        return [value for name, value in self.options if name in names and value is not None]

    def one(self, *names: str) -> str | None:
        """The last known value of these options."""
        return next(reversed(self.all(*names)), None)


def arguments(words: Sequence[str | None]) -> Arguments:
    """Split the words after an installer's verb."""
    found = Arguments()
    rest = iter(words)
    for word in rest:
        if word is None or not word.startswith("-") or word == "-":
            found.words.append(word)
        elif word == "--":
            found.words += rest
        elif word in _VALUED:
            found.options.append((word, next(rest, None)))
        elif word.startswith("--"):
            name, _, value = word.partition("=")
            found.options.append((name, value))
        elif word[:2] in _VALUED:
            found.options.append((word[:2], word[2:].removeprefix("=")))
        else:
            found.options += [(f"-{letter}", None) for letter in word[1:]]
    return found
