"""Values and keys of the front matter: what the Hub takes, and what does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcheck.source import SourceFile
from hfcheck.space.site.card import Card, read_card
from hfcheck.space.site.cardkeys import (
    hardware_fault,
    idle_keys,
    is_emoji,
    shortened_versions,
    utf16_length,
    value_faults,
)


def card(*lines: str) -> Card:
    text = "\n".join(("---", "sdk: docker", *lines, "---", ""))
    return read_card(SourceFile(Path("/space/README.md"), text))


@pytest.mark.parametrize(
    ("line", "grade", "fix"),
    [
        ("colorFrom: Pink", "error", "`colorFrom: pink`"),
        ("colorTo: cyan", "error", "Choose"),
        ("colorTo: [red]", "error", "Choose"),
        ("colorTo: #fff", "warning", "Write one of"),
        ("header: Mini", "warning", "`header: mini`"),
        ("fullWidth: on", "warning", "`fullWidth: true`"),
        ("pinned: 'false'", "info", "`pinned: false`"),
        ("pinned: 0", "warning", "`pinned: false`"),
        ("models: a/b, c/d", "warning", "`models: [a/b, c/d]`"),
        ("base_path: https://x.hf.space/docs", "warning", "the path alone"),
        ("base_path: ./docs", "warning", "`base_path: /docs`"),
        ("startup_duration_timeout: 00:30:00", "warning", "like `1h`"),
        ("startup_duration_timeout: 30", "warning", "`startup_duration_timeout: 30m`"),
        ("hf_oauth_expiration_minutes: 0", "warning", "digits"),
        ("hf_oauth_expiration_minutes: 8h", "warning", "digits"),
        ("custom_headers: none", "warning", "line a header"),
        ("emoji: R", "warning", "emoji"),
        ("emoji: [🚀]", "warning", "emoji"),
    ],
)
def test_values_that_are_not_taken(line: str, grade: str, fix: str) -> None:
    (fault,) = value_faults(card(line))
    assert fault.grade == grade
    assert fix in fault.fix
    assert fault.key == line.partition(":")[0]
    assert fault.place.text


@pytest.mark.parametrize(
    "line",
    [
        "colorFrom: 'red'", "colorFrom:", "colorFrom: ~", "pinned: TRUE", "header: default",
        "tags: []", "base_path: /", "startup_duration_timeout: 1h", "title: 42",
        "startup_duration_timeout: 1 hour, 30 minutes", "startup_duration_timeout: 2d",
        "hf_oauth_expiration_minutes: 1", "custom_headers: {}", "license: [mit]",
        "short_description: " + "é" * 60, "models:\n- a/b",
    ],
)  # fmt: skip
def test_values_that_are_taken(line: str) -> None:
    assert list(value_faults(card(line))) == []


def test_lengths_count_as_in_javascript() -> None:
    assert (utf16_length("abc"), utf16_length("🚀"), utf16_length("é")) == (3, 2, 1)
    (fault,) = value_faults(card("short_description: " + "🚀" * 31))
    assert "62 characters" in fault.message


@pytest.mark.parametrize("text", ["🚀", "👩‍💻", "🇩🇪", "1️⃣", "#️⃣", "©️", "❤️", "⚡", "🚀🤖", "🫠"])
def test_emoji(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize("text", ["", " ", "A", ":rocket:", "1", "🚀 x", "é", "字", "->"])
def test_no_emoji(text: str) -> None:
    assert not is_emoji(text)


def test_headers_have_their_own_places() -> None:
    found = card("custom_headers:", "  X-A: b", '  "cross-origin-opener-policy": "deny"')
    assert [fault.place.text for fault in value_faults(found)] == ["X-A", '"deny"']


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("h100", "no longer has"), ("V5E-1x1", "no longer has"), ("t4_small", ": t4-small`"),
        ("CPU basic", ": cpu-basic`"), ("a10g", "a10g-"), ("none", "Choose one of"),
    ],
)  # fmt: skip
def test_unknown_hardware(name: str, words: str) -> None:
    fault = hardware_fault(card(f"suggested_hardware: {name}"))
    assert fault is not None
    assert words in fault.message + fault.fix


@pytest.mark.parametrize("name", ["cpu-basic", "l40sx8", "cpu-xl", "zero-a10g", "", "~", "[x]"])
def test_known_hardware(name: str) -> None:
    assert hardware_fault(card(f"suggested_hardware: {name}")) is None


@pytest.mark.parametrize(
    ("line", "grade", "words"),
    [
        ("port: 8000", "warning", "`app_port`"),
        ("port: 7860", "info", "`app_port`"),
        ("appPort: 8000", "warning", "`app_port`"),
        ("colour_from: red", "warning", "`colorFrom`"),
        ("Short-Description: x", "warning", "`short_description`"),
        ("dockerfile: ./Dockerfile", "info", "no effect"),
        ("docker-file: docker/Dockerfile", "warning", "no effect"),
        ("env:\n  A: b", "warning", "no effect"),
        ("private: true", "info", "no effect"),
        ("app_file: app.py", "info", "no effect here"),
    ],
)
def test_keys_without_effect(line: str, grade: str, words: str) -> None:
    (fault,) = idle_keys(card(line))
    assert (fault.grade, fault.place.text) == (grade, line.partition(":")[0])
    assert words in fault.message


def test_a_key_that_is_there_under_its_right_name_too_is_an_info() -> None:
    (fault,) = idle_keys(card("app_port: 8000", "port: 3000"))
    assert (fault.grade, fault.fix) == ("info", "Take `port` out: `app_port` is there.")


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("python_version: 3.10", ["3.1"]), ("sdk_version: 6.00", ["6"]),
        ("sdk_version: 6.0", ["6"]), ("python_version: 3.11", []),
        ("python_version: '3.10'", []), ("python_version: 3.10.0", []), ("version: 3.10", []),
    ],
)  # fmt: skip
def test_versions_that_lose_a_zero(line: str, numbers: list[str]) -> None:
    assert [number for _, number in shortened_versions(card(line))] == numbers


def test_many_aliases_cost_little() -> None:
    lines = ["a: &a [" + ", ".join("x" * 3000) + "]", *(f"k{i}: *a" for i in range(1500))]
    found = card(*lines)
    assert found.status == "ok"
    assert sum(len(value.items) for value in found.values.values()) <= 10_000
