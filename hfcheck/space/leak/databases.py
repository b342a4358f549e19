"""Database files that would be uploaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hfcheck.space.upload import Upload, upload_of
from hfcheck.space.value import Origin

if TYPE_CHECKING:
    from hfcheck.space.model import Space

_ENDINGS = (".db", ".sqlite", ".sqlite3", ".db3")
_MAGIC = b"SQLite format 3\0"
"""How a SQLite database begins (https://www.sqlite.org/fileformat.html)."""

_HEAD = 256 << 10
"""How much of a file is read for the names of its tables: the schema stands on the first pages."""

_TABLE = re.compile(
    rb"CREATE TABLE[ \t\r\n]{1,8}(?:IF NOT EXISTS[ \t\r\n]{1,8})?[\"'`\[]?([A-Za-z_][\w-]{0,60})",
    re.IGNORECASE,
)
_VECTORS = frozenset({"embeddings", "embedding_metadata", "embeddings_queue"})
"""Tables of Chroma, which people fill beforehand and ship on purpose."""

_PERSONAL = re.compile(
    r"(?:.*_)?(?:user|account|session|customer|client|employee|patient|member|profile|message"
    r"|conversation|order|payment|email|contact|token|task|todo|note|auth_\w+)s?",
    re.IGNORECASE,
)
"""Tables that hold what people have entered."""


@dataclass(frozen=True, slots=True)
class Database:
    """A SQLite database that would be uploaded. `tables` are those of the application, `personal`
    those among them that by their names hold people's data. `doubt` says why the file may stay
    behind all the same.
    """

    path: str
    file: Path
    tables: tuple[str, ...]
    personal: tuple[str, ...]
    doubt: Origin | None = None


def shipped_databases(space: Space) -> Iterator[Database]:
    """The SQLite databases with tables that would be uploaded."""
    upload = upload_of(space)
    for path in upload.files:
        if path.lower().endswith(_ENDINGS):
            found = _read(upload, path)
            if found is not None and upload.sends(path):
                yield found


def _read(upload: Upload, path: str) -> Database | None:
    head = upload.head(path, _HEAD)
    if not head.startswith(_MAGIC):
        return None
    names = dict.fromkeys(match[1].decode("ascii") for match in _TABLE.finditer(head))
    tables = [name for name in names if not name.startswith(("sqlite_", "alembic_"))]
    if not tables:
        return None
    personal = tuple(sorted(name for name in tables if _PERSONAL.fullmatch(name)))
    if not _VECTORS.isdisjoint(tables):
        personal = ()
    return Database(
        path, upload.home.root / path, tuple(sorted(tables)), personal, upload.doubt(path)
    )
