"""Positions in texts, and what is shown of them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hfcheck.source import Position, SourceFile


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_and_columns_count_from_one_in_code_points(end: str) -> None:
    source = SourceFile(Path("/x"), f"ä𝄞b{end}second{end}")
    assert source.position(0) == Position(1, 1)
    assert source.position(2) == Position(1, 3)
    assert source.position(source.text.index("second")) == Position(2, 1)
    assert source.offset(2, 3) == source.text.index("cond")
    assert source.slice(source.line_span(1)) == "ä𝄞b"
    assert source.position(10_000) == source.position(len(source.text))


def test_columns_of_ast_are_bytes() -> None:
    text = "x = 'ä𝄞'; y = 1\n"
    source = SourceFile(Path("/x"), text)
    (target,) = ast.parse(text).body[1].targets  # type: ignore[attr-defined]
    assert text[source.offset_of_utf8(target.lineno, target.col_offset) :][:1] == "y"


def test_an_absent_file_has_one_empty_place() -> None:
    place = SourceFile(Path("/none"), "").place()
    assert place.text == ""
    assert place.source.position(place.span.start) == Position(1, 1)
