"""Front matter: what counts for the Hub, what keeps a block from counting, every place exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from work import calls

from hfcheck.source import ReadProblem, SourceFile, Span
from hfcheck.space.site.card import BLOCK, MAX_BLOCK, Card, read_card

README = Path("/space/README.md")


def card(text: str, *, bom: bool = False) -> Card:
    return read_card(SourceFile(README, text, bom=bom))


def test_the_expression_is_the_hubs() -> None:
    repocard = pytest.importorskip("huggingface_hub.repocard")
    assert repocard.REGEX_YAML_BLOCK.pattern == BLOCK.pattern


@pytest.mark.parametrize(
    "text",
    [
        "---\nsdk: docker\n---\n",
        "---\nsdk: docker\n---",
        "\n \n---\nsdk: docker\n---\n# Title\n",
        "---\r\nsdk: docker\r\n---\r\n",
        "---\nsdk: docker\n--- \t\n",
        "---\nsdk:\tdocker\t\n---\n",
        "---\nsdk: docker # why\nemoji: 👩‍💻\ntext: a\u2028b\n---\n",
    ],
)
def test_blocks_that_count(text: str) -> None:
    found = card(text)
    assert (found.status, found.sdk, found.app_port, found.doubts) == ("ok", "docker", 7860, ())
    assert found.values["sdk"].place.text == "docker"
    assert found.values["sdk"].key.text == "sdk"
    assert found.opening is not None
    assert found.opening.text == "---"


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("---  \nsdk: docker\n---\n", "spaces follow", "  "),
        ("# T\n---\nsdk: docker\ntitle: x\n---\n", "a heading stands before", "# T"),
        ("<!-- c -->\n---\ntitle: x\nsdk: docker\n---\n", "a comment stands", "<!-- c -->"),
        ("Hello\n\n---\ntitle: x\nsdk: docker\n---\n", "text stands before", "Hello"),
        ("```yaml\n---\ntitle: x\nsdk: docker\n---\n```\n", "code fence", "```yaml"),
        ("# T\n~~~\ntitle: x\nsdk: docker\n~~~\n", "code fence", "~~~"),
        ("---\nsdk: docker\n\n# T\n", "no line of three dashes closes", "---"),
        ("---\nsdk: docker\n  ---\n", "closing dashes are indented", "  ---"),
        ("---\n---\n", "empty", "---"),
        ("---\rsdk: docker\r---\r# T\r", "carriage return alone", "---"),
        ("---\nsdk: docker\n---\u00a0\n", "something invisible follows", "---\u00a0"),
        ("----\nsdk: docker\n----\n", "exactly three dashes", "----"),
        ("\u2013\u2013\u2013\nsdk: docker\n---\n", "exactly three dashes", "\u2013\u2013\u2013"),
        ("title: x\nsdk: docker\napp_port: 1\n\nText\n", "without lines of three", "title: x"),
        ("# T\n\n---\n\nA rule above this text.\n\n---\n", None, None),
        ("# T\n\nSet `sdk: docker` in the settings.\n", None, None),
        ("", None, None),
    ],
)
def test_near_misses(text: str, words: str | None, place: str | None) -> None:
    found = card(text)
    assert (found.status, found.app_port) == ("missing", 7860)
    if words is None:
        assert found.near_miss is None
        return
    assert found.near_miss is not None
    assert words in found.near_miss.message
    assert found.near_miss.place.text == place
    assert found.near_miss.fix


@pytest.mark.parametrize(
    ("block", "words", "place"),
    [
        ("title: a: b", "second colon", ": b"),
        ("a:\n\tb: c", "cannot start", "\tb: c"),
        ('a: "b', "never closed", '"b'),
        ("", "empty", "---"),
        ("# only a comment", "empty", "# only a comment"),
        ("words", "single value", "words"),
        ("- a\n- b", "a list", "- a\n- b"),
        ("a: *x", "undefined alias", "*x"),
        ("a: @x", "cannot start", "@x"),
        ("a: \x07b", "U+0007", "\x07b"),
        ("a: [1, 2", "expected", ""),
    ],
)
def test_invalid_blocks(block: str, words: str, place: str) -> None:
    found = card(f"---\n{block}\n---\n")
    assert (found.status, found.app_port) == ("invalid", None)
    assert found.problem is not None
    assert words in found.problem.message
    assert found.problem.place.text.startswith(place)


@pytest.mark.parametrize(
    ("value", "kind", "port"),
    [
        ("8000", "int", 8000),
        ("+8000", "int", 8000),
        ("07860", "int", 7860),
        ("0x1eb4", "int", 7860),
        ("0o17264", "int", 7860),
        ("7860.0", "float", 7860),
        ("7.86e3", "float", 7860),
        ('"7860"', "str", 7860),
        ("1", "int", 1),
        ("65535", "int", 65535),
        ("0", "int", None),
        ("65536", "int", None),
        ("-1", "int", None),
        ("78.5", "float", None),
        (".inf", "float", None),
        ("1e400", "float", None),
        ("8000:00", "str", None),
        ("8000:7860", "str", None),
        ("7_860", "str", None),
        ("${PORT}", "str", None),
        ("yes", "str", None),
        ("on", "str", None),
        ("true", "bool", None),
        ("", "null", None),
        ("~", "null", None),
        ("2024-13-45", "str", None),
        ("[7860]", "list", None),
        ("{port: 7860}", "map", None),
        ("9" * 6000, "int", None),
    ],
)
def test_app_port_and_scalars_of_yaml_1_2(value: str, kind: str, port: int | None) -> None:
    found = card(f"---\napp_port: {value}\n---\n")
    assert (found.status, found.values["app_port"].kind) == ("ok", kind)
    assert found.app_port == port
    assert found.values["app_port"].place.text == value


@pytest.mark.parametrize("value", ["[what?]", "[a, :b]"])
def test_what_only_the_reader_here_refuses_is_not_invalid(value: str) -> None:
    found = card(f"---\ntags: {value}\n---\n")
    assert (found.status, found.app_port) == ("unread", None)


def test_nested_values_keep_their_shape_and_their_place() -> None:
    found = card("---\ntags:\n- a\n- 1\nheaders: {x: [y, z]}\n---\n")
    assert found.values["tags"].plain == ["a", "1"]
    assert found.values["tags"].place.text == "- a\n- 1"
    assert found.values["headers"].plain == {"x": ["y", "z"]}


def test_a_repeated_key_and_a_byte_order_mark_are_doubts() -> None:
    found = card("---\nsdk: docker\nsdk: gradio\n---\n")
    assert [(d.place.text, d.place.span.start) for d in found.doubts] == [("sdk", 16)]
    assert "byte-order" in card("---\nsdk: docker\n---\n", bom=True).doubts[0].message


def test_no_readme_and_one_that_cannot_be_read() -> None:
    assert (read_card(None).status, read_card(None).app_port) == ("absent", 7860)
    found = read_card(ReadProblem(README, "it is not UTF-8 (byte 0)", 0))
    assert (found.status, found.app_port) == ("unread", None)
    assert found.problem is not None
    assert found.problem.message == "it is not UTF-8 (byte 0)"
    where = SourceFile(README, "a\n\ufffd").place(2, 3)
    found = read_card(ReadProblem(README, "it is not UTF-8 (byte 2)", 2, where))
    assert found.problem is not None and found.problem.place == where


def test_a_card_inside_a_workflow_keeps_its_places() -> None:
    text = "run: |\n  cat > R <<E\n    ---\n    sdk: docker\n    app_port: 8000\n    ---\n  E\n"
    rows = []
    for line in ("---", "sdk: docker", "app_port: 8000"):
        start = text.index(line)
        rows.append(Span(start, start + len(line)))
    rows.append(Span(text.rindex("---"), text.rindex("---") + 3))
    found = read_card(SourceFile(Path("/w.yml"), text), rows)
    assert (found.status, found.app_port) == ("ok", 8000)
    place = found.values["app_port"].place
    assert place.span.start == text.index("8000")
    assert place.source.position(place.span.start).line == 5


def _bomb() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "block",
    [
        _bomb(),
        "a: &a [*a]",
        "a: " + "[" * 3000,
        "a: " + "{a: " * 3000,
        "- " * 5000,
        "a: " + "x " * MAX_BLOCK,
        "\n".join(f"k{i}: v" for i in range(6000)),
        "? " * 2000,
        "a: " + "&x " * 500,
        "%YAML 9.9\n---",
        "a: !!python/object/apply:os.system [x]",
    ],
)
def test_hostile_blocks_end_soon_and_without_an_error(block: str) -> None:
    found: list[str] = []
    assert calls(lambda: found.append(card(f"---\n{block}\n---\n").status)) < 2_000_000
    assert found[0] in ("ok", "invalid", "unread", "missing")


@pytest.mark.parametrize(
    "text",
    [
        " " * 500_000,
        "---\n" + "---x\n" * 100_000,
        "---\n" + "\n---" + " " * 300_000 + "x",
        "-" * 500_000,
        "```\n" * 100_000,
        "sdk: docker\n" * 50_000,
        "a" * 500_000 + ":",
    ],
)
def test_large_readmes_take_linear_time(text: str) -> None:
    assert calls(lambda: card(text)) < 10_000 + 20 * text.count("\n")
