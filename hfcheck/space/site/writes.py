"""Writes of README.md that are not followed step by step, and the front matter that they may hold.

A script can put the front matter together in more ways than `deploy` follows: `sed -i`, a pipe
into `cat -`, a block of `echo`, Python. What is known then is that the README becomes another one,
and, where the script spells out just one front matter of a Docker Space, which one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from hfcheck.source import SourceFile, Span
from hfcheck.space.site.card import read_card

_MAX_LINE = 20_000
_MAX_ROWS = 60
_MAX_BLOCKS = 100
_README = re.compile(r"(?:^|.*[/\\=])README\.md")
_IN_PLACE = re.compile(r"-\w*i\S*|--in-?place\S*")
_EDITORS = frozenset({"sed", "gsed", "perl", "awk", "gawk", "yq"})
_WRITERS = frozenset(
    {"sponge", "dd", "install", "patch", "ex", "ed", "ren", "rename", "rename-item", "move-item"}
    | {"set-content", "add-content", "out-file"}
)
_LOADERS = frozenset({"curl", "wget"})

PYTHON_WRITES = re.compile(
    r"README\.md[\"'\s)]{1,4},\s{0,4}(?:mode\s{0,4}=\s{0,4})?[\"'](?:[wax]|r\+)"
    r"|\.write_(?:text|bytes)\(|\bwriteFile(?:Sync)?\(|\bpath_in_repo\s{0,4}=\s{0,4}[\"']README\.md"
    r"|\b(?:RepoCard|SpaceCard|metadata_update|metadata_save)\b"
    r"|\.(?:copy2?|copyfile|move|rename|replace)\([^\n]{0,200}README\.md[\"']"
)
"""Ways in which Python (and Node) write a file; in a text that names README.md."""


def edits_readme(words: list[str]) -> bool:
    """Whether a command changes README.md in a way other than a copy or a redirection."""
    if not any(_README.fullmatch(word) for word in words):
        return False
    programs = {word.lower() for word in words}
    if programs & _EDITORS:
        return any(_IN_PLACE.fullmatch(word) for word in words)
    if programs & _LOADERS:
        return not programs.isdisjoint({"-o", "--output", "--output-document"})
    if programs & _WRITERS:
        return True
    return words[0] == "git" and not programs.isdisjoint({"checkout", "restore"})


@dataclass(frozen=True, slots=True)
class _Piece:
    """One line that a script may write, and where it stands."""

    text: str
    start: int


_QUOTED = re.compile(
    r"\s*(?:(?:echo|printf)\s+(?:-\w*\s+|--\s+)?)?"
    r"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')[\s,;)\\+]*(?:>{1,2}[^>]*)?"
)
_BARE_ECHO = re.compile(r"\s*echo\s+(?P<bare>[^\s\"'>|;&-][^\"'>|;&]*|---)(?:>{1,2}[^>]*)?")
_OPENING = re.compile(r"(?:.*[\"'\s({])?(---)")
_CLOSING = re.compile(r"\s*---(?:[\"'\s\\].*)?")
_INNER = re.compile(r"\s*(?:[A-Za-z_][\w-]*\s*:|-\s|#).*|\s+\S.*")


def front_matter_in(source: SourceFile) -> tuple[Span, ...]:
    """The lines of the one front matter of a Docker Space that a script spells out, whether as
    lines, in quotes or with `\\n`; empty where there is none, or two that differ.
    """
    found: dict[tuple[str | None, int | None], tuple[Span, ...]] = {}
    blocks = (rows for rows in _blocks(source) if any("sdk" in source.slice(r) for r in rows))
    for rows in islice(blocks, _MAX_BLOCKS):
        card = read_card(source, rows)
        if card.status == "ok" and card.sdk == "docker":
            found.setdefault((card.sdk, card.app_port), rows)
    return next(iter(found.values())) if len(found) == 1 else ()


def _blocks(source: SourceFile) -> Iterator[tuple[Span, ...]]:
    rows: list[Span] = []
    indent = 0
    for piece in _pieces(source.text):
        opening = _OPENING.fullmatch(piece.text)
        if rows and _CLOSING.fullmatch(piece.text):
            start = piece.start + piece.text.index("---")
            dashes = Span(start, start + 3)
            yield (*rows, dashes)
            rows, indent = [dashes], _indent(piece.text)  # they may open a block as well
        elif opening:
            rows = [Span(*(piece.start + end for end in opening.span(1)))]
            indent = _indent(piece.text)
        elif rows and len(rows) < _MAX_ROWS and _INNER.fullmatch(piece.text):
            skipped = min(indent, _indent(piece.text))
            rows.append(Span(piece.start + skipped, piece.start + len(piece.text)))
        else:
            rows = []


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _pieces(text: str) -> Iterator[_Piece]:
    """The lines of a script, quotes taken off and cut at each `\\n` that is spelled out."""
    for line in re.finditer(r"[^\r\n]+", text):
        shown, start = line[0], line.start()
        if len(shown) > _MAX_LINE:
            yield _Piece("", start)
            continue
        quoted = _QUOTED.fullmatch(shown) or _BARE_ECHO.fullmatch(shown)
        if quoted is not None and quoted.lastgroup is not None:
            start += quoted.start(quoted.lastgroup)
            shown = quoted[quoted.lastgroup]
        for part in re.finditer(r"((?:[^\\]|\\(?!n))+)(?:\\n)?|\\n", shown):
            piece = (part[1] or "").rstrip().removesuffix("\\").rstrip()
            if piece:
                yield _Piece(piece, start + part.start())
