"""What is quoted: exact marks, nothing secret, nothing that steers a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcheck.report.excerpt import excerpt
from hfcheck.report.mask import masked, shown, shown_values
from hfcheck.source import SourceFile


def marked(text: str, part: str) -> tuple[str, str]:
    source = SourceFile(Path("/x"), text)
    start = text.index(part)
    _, line, marks = excerpt(source.place(start, start + len(part)), "^", "")
    return line.partition("| ")[2], marks.partition("| ")[2]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("CMD x 8000\n", "8000"),
        ("\tCMD 8000", "8000"),
        ("# 日本 8000", "8000"),
        ("a\r\nb 8000\r\n", "8000"),
    ],
)
def test_the_mark_stands_under_the_place(text: str, part: str) -> None:
    line, marks = marked(text, part)
    wide = sum(2 if ord(c) > 0x2E80 else 1 for c in line[: line.index(part)])
    assert marks == " " * wide + "^" * len(part)


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "x" * 5000 + "8000" + "y" * 5000
    line, marks = marked(text, "8000")
    assert len(line) < 120
    assert line[marks.index("^") :].startswith("8000")


def test_an_empty_file_has_no_excerpt() -> None:
    assert excerpt(SourceFile(Path("/x"), "").place(), "^", "") == []


@pytest.mark.parametrize(
    "text",
    [
        'SECRET_KEY = "hunter2-hunter2"',
        "ENV API_TOKEN=hunter2-hunter2",
        "password: 'hunter2-hunter2'",
        "postgresql://user:hunter2-hunter2@db/app",
        'x = "hf_hunter2hunter2hunter2"',
        "sk-hunter2-hunter2-hunter2",
        "AUTH = 'eyJhunter2hunter2.eyJhunter2hunter2.hunter2'",
    ],
)
def test_secrets_are_starred_out_and_columns_stay(text: str) -> None:
    assert "hunter2" not in masked(text).replace("hf_", "")
    assert len(masked(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "jwt_secret_key: str",
        "secret_key: str = Field(...)",
        'token = os.environ["API_TOKEN"]',
        "password = get_password()",
        "`JWT_SECRET_KEY` must be set, or the start fails",
        "secrets = load(path)",
        "api_key: Optional[str] = None",
    ],
)
def test_code_that_holds_no_secret_stays(text: str) -> None:
    assert masked(text) == text


def test_a_cut_line_is_masked_before_it_is_cut() -> None:
    text = "JWT_SECRET_KEY = '" + "hunter2" * 20 + "'; port = 8000"
    line, _ = marked(text, "8000")
    assert "hunter2" not in line


def test_words_behind_a_flag_are_masked_in_lists() -> None:
    data = {"words": ["run", "--api-key", "hunter2", "--port", "8000"]}
    assert shown_values(data) == {"words": ["run", "--api-key", "*******", "--port", "8000"]}


def test_control_and_bidi_characters_are_replaced() -> None:
    assert shown("a\x1b[31m\u202eb\x00") == "a\ufffd[31m\ufffdb\ufffd"
