"""The names under which the files of a Space wait until they are uploaded.

The Hub reads `Dockerfile` and `README.md` at the root of the Space (Hub docs, Docker Spaces and
Spaces configuration reference). A repository that also builds for other hosts keeps the files for
the Hub under names like `Dockerfile.hf` and `README_HF.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_HUB_WORDS = frozenset({"hf", "hfspace", "hfspaces", "huggingface", "hugging", "space", "spaces"})
_DOCKERFILE = re.compile(r"(?:dockerfile|containerfile)(?:[._-].+)?|.+[._-]dockerfile", re.I)
_README = re.compile(r"(?:.+[._-])?readme(?:[._-].+)?\.(?:md|markdown)", re.I)
_NOT_MEANT = re.compile(
    r"dockerignore|bak|backup|old|orig|example|sample|template|tmpl|j2|md|txt|disabled|save"
)
"""Last parts of names whose file is a copy, a template or something about a Dockerfile."""


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", name.lower())


def meant_for_hub(name: str) -> bool:
    """Whether a file or folder name says that it is for Hugging Face."""
    return not _HUB_WORDS.isdisjoint(_words(name))


def is_dockerfile(name: str) -> bool:
    """Whether a name is that of a Dockerfile: `Dockerfile`, `Dockerfile.x`, `x.dockerfile`."""
    last = _words(name)[-1]
    return bool(_DOCKERFILE.fullmatch(name)) and not _NOT_MEANT.fullmatch(last)


def is_readme(name: str) -> bool:
    """Whether a name is that of a README in Markdown."""
    return bool(_README.fullmatch(name))


def hub_dockerfiles(names: Iterable[str]) -> list[str]:
    """The names of Dockerfiles that say they are for Hugging Face: first those that say it with a
    word of a README beside them (README_HF.md and Dockerfile.hf), then the shortest.
    """
    every = list(names)
    said = {word for name in hub_readmes(every) for word in _words(name)} & _HUB_WORDS
    found = [name for name in every if is_dockerfile(name) and meant_for_hub(name)]
    return sorted(found, key=lambda name: (said.isdisjoint(_words(name)), len(name), name))


def hub_readmes(names: Iterable[str]) -> list[str]:
    """The names of READMEs that say they are for Hugging Face, the shortest first."""
    found = [name for name in names if is_readme(name) and meant_for_hub(name)]
    return sorted(found, key=lambda name: (len(name), name))
