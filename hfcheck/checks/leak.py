"""Checks of the moment `leak`: the Space runs, and a secret is public.

The places of secrets are in copies of the files in which they are starred out.
"""

from __future__ import annotations

from collections.abc import Iterator

from hfcheck.checks import check
from hfcheck.finding import Finding, Severity, finding
from hfcheck.source import SourceFile
from hfcheck.space.leak.copied import InImage, secrets_in_image
from hfcheck.space.leak.databases import Database, shipped_databases
from hfcheck.space.leak.files import leaked_secrets, shipped_env_files
from hfcheck.space.leak.signing import SigningKey, public_signing_keys
from hfcheck.space.leak.tokens import Secret
from hfcheck.space.model import Space

_MOST = 5
"""Most names that a message lists."""


@check("secret-in-image")
def secret_in_image(space: Space) -> Iterator[Finding]:
    """An instruction of the Dockerfile writes a secret into the image."""
    told: set[int] = set()
    for found in secrets_in_image(space):
        told.add(found.secret.place.span.start)
        yield finding(
            "secret-in-image",
            _of_image(found),
            found.secret.place,
            severity=None if found.secret.sure else Severity.warning,
            fix=_fix_of_image(found),
        )
    for key in public_signing_keys(space):
        if key.in_image and not any(abs(start - key.place.span.start) < 2 for start in told):
            yield finding(
                "secret-in-image",
                f"{key.use} with a key that everyone can read in the Dockerfile",
                key.place,
                related=key.related,
                severity=Severity.warning,
                fix="Take it out of the Dockerfile, and set a new one as a secret of the Space.",
            )


def _of_image(found: InImage) -> str:
    secret = found.secret
    if found.file:
        return (
            f"{found.how} puts `{found.file}` into the image, which holds {secret.what}; "
            "the file is public with the Space"
        )
    where = f"{found.how} {secret.name}" if secret.name else found.how
    return f"{where} holds {secret.what}, which everyone can read in the Dockerfile and the image"


def _fix_of_image(found: InImage) -> str:
    keep = "Replace it where it was issued"
    if found.file:
        return f"{keep}, delete `{found.file}` from the Space, and read it from a secret."
    name = found.secret.name or "it"
    if found.how == "RUN":
        return (
            f"{keep}, and take it from a secret of the Space: "
            "`RUN --mount=type=secret,id=NAME,required=true`."
        )
    return f"{keep}, take the value out, and set `{name}` as a secret in the Space's settings."


@check("secret-in-code")
def secret_in_code(space: Space) -> Iterator[Finding]:
    """A file that would be uploaded holds a secret."""
    for found in leaked_secrets(space):
        message = f"{found.path} holds {found.secret.what}, and it would be uploaded with the Space"
        sure = found.secret.sure and found.doubt is None
        yield finding(
            "secret-in-code",
            message,
            found.secret.place,
            related=[*found.more, *([found.doubt] if found.doubt else [])],
            severity=None if sure else Severity.warning,
        )


@check("env-file-shipped")
def env_file_shipped(space: Space) -> Iterator[Finding]:
    """A `.env` file with secrets would be uploaded."""
    for found in shipped_env_files(space):
        first = found.secrets[0]
        sure = found.doubt is None and any(secret.sure for secret in found.secrets)
        why = "and the .gitignore at the root of the Space does not name it"
        if ".gitignore" not in space.home.names():
            why = "and there is no .gitignore at the root of the Space"
        if found.doubt is not None:
            why = "since it reads only a .gitignore at the root of the Space"
        yield finding(
            "env-file-shipped",
            f"`hf upload` would send {found.path} with {_named(found.secrets)}, {why}",
            first.place,
            related=[found.doubt] if found.doubt else [],
            severity=None if sure else Severity.warning,
            fix=f"Add the line `{found.path}` to .gitignore in the folder that you upload, delete "
            "the file from the Space if it is there, replace these secrets, and set the new ones "
            "in the Space's settings.",
        )


def _named(secrets: tuple[Secret, ...]) -> str:
    names = list(dict.fromkeys(f"`{secret.name}`" for secret in secrets))
    more = len(names) - _MOST
    tail = [f"{more} more"] if more > 0 else []
    words = [*names[:_MOST], *tail]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


@check("insecure-default-secret")
def insecure_default_secret(space: Space) -> Iterator[Finding]:
    """Tokens or sessions are signed with a key that stands in the code."""
    for found in public_signing_keys(space):
        if found.in_image:
            continue  # told by secret-in-image
        yield finding(
            "insecure-default-secret",
            _of_key(found),
            found.place,
            related=found.related,
            fix=_fix_of_key(found),
        )


def _of_key(found: SigningKey) -> str:
    signs = f"{found.use} with a key that everyone can read in the Space"
    if not found.variables:
        return f"{signs}: it is written in the code"
    names = " or ".join(f"`{name}`" for name in found.variables[:3])
    return f"{signs}: while {names} is not set, it is the default in the code"


def _fix_of_key(found: SigningKey) -> str:
    if found.variables:
        name = found.variables[0]
        return (
            f"Set `{name}` as a secret of the Space and name it in `[tool.hfcheck.space]`; "
            "better still, take the default out, so that nothing starts without it."
        )
    return 'Read the key from a secret of the Space, as in `os.environ["JWT_SECRET"]`.'


@check("database-shipped")
def database_shipped(space: Space) -> Iterator[Finding]:
    """A database file would be uploaded with its rows."""
    for found in shipped_databases(space):
        yield finding(
            "database-shipped",
            _of_database(found),
            SourceFile(found.file, "").place(),
            related=[found.doubt] if found.doubt else [],
            severity=None if found.personal else Severity.info,
            fix=f"Add `{found.path}` to .gitignore in the folder that you upload, delete it from "
            "the Space if it is there, and let the application make its tables when it starts.",
        )


def _of_database(found: Database) -> str:
    tables = found.personal or found.tables
    shown = ", ".join(f"`{name}`" for name in tables[:_MOST])
    return (
        f"{found.path} is a SQLite database (tables: {shown}) that would be uploaded: its rows "
        "are public with the Space, and every restart begins with them again"
    )
