"""What the names of files and variables say about secrets."""

from __future__ import annotations

import re

_TEMPLATE = frozenset(
    {"example", "examples", "sample", "template", "tmpl", "tpl", "dist", "default", "defaults"}
    | {"schema", "ci", "sops", "enc", "encrypted", "vault"}
)
"""Parts of names of files that show what a `.env` needs, or hold it encrypted."""
_PLAYING = frozenset({"test", "testing", "dev", "development", "demo", "local", "docker", "e2e"})


def _parts(name: str) -> set[str]:
    return set(re.split(r"[._-]+", name.lower())) - {""}


def is_env_file(name: str) -> bool:
    """Whether a file of this name holds variables with their real values: `.env`, `.env.local`,
    `prod.env`; not `.env.example`.
    """
    if name == ".envrc":
        return True
    parts = _parts(name)
    if not (name.startswith(".env") or name.endswith(".env")) or "env" not in parts:
        return False
    return parts.isdisjoint(_TEMPLATE) and parts.isdisjoint({"py", "js", "ts", "d", "md", "sh"})


def is_for_tries(name: str) -> bool:
    """Whether a `.env` file is one of a developer's own machine or of tests."""
    return not _PLAYING.isdisjoint(_parts(name)) and name != ".env.local"


_SECRET_NAME = re.compile(
    r"(?:.*_)?(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|PRIVATE_KEY|SECRET_KEY|ACCESS_KEY|AUTH_KEY"
    r"|ENCRYPTION_KEY|JWT_KEY|SIGNING_KEY|SERVICE_ROLE_KEY|CLIENT_SECRET|SECRETKEY)(?:_BASE)?"
    r"|.*_SECRET_.{1,20}_KEY|(?:.*_)?(?:SECRET|TOKEN)_(?:KEY|VALUE)"
)
_PUBLIC_NAME = re.compile(
    r"(?:NEXT_PUBLIC|VITE|REACT_APP|EXPO_PUBLIC|NUXT_PUBLIC|PUBLIC|GATSBY)_.*"
)
"""Variables that a frontend's build puts into its pages, by design."""


def is_secret_name(name: str) -> bool:
    """Whether a variable's name says that its value is secret."""
    name = name.upper()
    return _SECRET_NAME.fullmatch(name) is not None and not _PUBLIC_NAME.fullmatch(name)
