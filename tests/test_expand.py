"""Variable expansion and word splitting, with results that BuildKit's own lexer gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcheck.source import SourceFile
from hfcheck.space.docker.expand import (
    MAX_LENGTH,
    ExpansionError,
    expand,
    expand_words,
    heredoc_name,
    raw_words,
    split_words,
)
from hfcheck.space.value import Known, Origin, Unknown, Value

PLACE = SourceFile(Path("/Dockerfile"), "ENV PORT=7860\n").place(4, 13)
ENV: dict[str, Value[str]] = {
    "PORT": Known("7860", (Origin(PLACE, "ENV PORT=7860"),)),
    "TAG": Known("3.12-slim-3"),
    "EMPTY": Known(""),
    "SPACED": Known("a  b"),
    "PATHS": Known("/a/b/c"),
    "SECRET": Unknown("set in the Space"),
}


def known(text: str, escape: str = "\\") -> str:
    value = expand(text, ENV, escape)
    assert isinstance(value, Known)
    return value.value


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain/text:1", "plain/text:1"),
        ("$PORT", "7860"),
        ("a${PORT}b$PORT.", "a7860b7860."),
        ("$NONE|${NONE}", "|"),
        ("${NONE:-80}${NONE-81}", "8081"),
        ("${EMPTY:-80}${EMPTY-81}", "80"),
        ("${PORT:-80}${PORT-81}", "78607860"),
        ("${PORT:+x}${EMPTY:+y}${EMPTY+z}${NONE+n}", "xz"),
        ("${PORT:?}${EMPTY?}", "7860"),
        ("${NONE:-${EMPTY:-$PORT}}", "7860"),
        ("${NONE:-'a b'}", "a b"),
        ("${TAG#*-}", "slim-3"),
        ("${TAG##*-}", "3"),
        ("${TAG%-*}", "3.12-slim"),
        ("${TAG%%-*}", "3.12"),
        ("${TAG%%.?2*}", "3"),
        ("${TAG#x}", "3.12-slim-3"),
        ("${TAG/3/4}", "4.12-slim-3"),
        ("${TAG//3/4}", "4.12-slim-4"),
        ("${TAG/-*/}", "3.12"),
        ("${TAG//?/x}", "x" * 11),
        ("${TAG//*/x}", "x"),
        ("${PATHS//\\//-}", "-a-b-c"),
        ("${EMPTY//*/x}", "x"),
        ("${NONE#a}${NONE/a/b}", ""),
        ("${TAG//-/'$'}", "3.12$slim$3"),
        ("${TAG//-/'[$0]'}", "3.12[-]slim[-]3"),
        ("${TAG//-/'$1${x}$$.$'}", "3.12$.$slim$.$3"),
        ("${TAG/-/'$0'}", "3.12$0slim-3"),
        ("${TAG%${NONE-*\\\\}}", "3.12-slim-3"),
        ("$$PORT", "PORT"),
        ("$", "$"),
        ("a$.b", "a$.b"),
        ("$1x", "x"),
        ("\\$PORT", "$PORT"),
        ("'$PORT'", "$PORT"),
        ('"$PORT"', "7860"),
        ('"\\$PORT"', "$PORT"),
        ('"a\\tb"', "a\\tb"),
        ("a\\tb", "atb"),
        ("a\\", "a"),
        ("'a\\'", "a\\"),
        ('["http://a","http://b"]', "[http://a,http://b]"),
        ("'[\"http://a\"]'", '["http://a"]'),
        ("$(date) `date` <<EOF", "$(date) `date` <<EOF"),
        ("\ufeffa", "a"),
    ],
)
def test_expand(text: str, result: str) -> None:
    assert known(text) == result


@pytest.mark.parametrize(
    "text",
    [
        *("${PORT", "${", "${}", "${:-a}", "${{A}", "${PORT^^}", "${PORT:0:1}", "${!PORT}"),
        *("${PORT=1}", "${PORT:=1}", "${PORT:#a}", "'a", '"a', '"$PORT', "${NONE:-'a}"),
        *("${NONE?}", "${NONE:?}", "${EMPTY:?}", "${TAG/3", "${TAG/3/", "${TAG#\\a}"),
    ],
)
def test_what_buildkit_refuses(text: str) -> None:
    with pytest.raises(ExpansionError):
        expand(text, ENV)


def test_the_message_of_a_required_variable_is_told() -> None:
    with pytest.raises(ExpansionError, match="NONE: set it"):
        expand("${NONE:?set it}", ENV)


def test_a_backtick_may_be_the_escape_character() -> None:
    assert known("C:\\a`$b", "`") == "C:\\a$b"


@pytest.mark.parametrize(
    "text", ["$SECRET", "a${SECRET}", "${SECRET:-a}", "${SECRET+a}", "${NONE:-$SECRET}"]
)
def test_what_hangs_on_an_unknown_variable_is_unknown(text: str) -> None:
    assert expand(text, ENV) == Unknown("set in the Space")


@pytest.mark.parametrize("text", ["${PORT:-$SECRET}", "${NONE:+$SECRET}7860"])
def test_an_unknown_variable_that_is_not_used_does_no_harm(text: str) -> None:
    assert known(text) == "7860"


def test_a_fault_shows_even_with_unknown_variables() -> None:
    with pytest.raises(ExpansionError):
        expand("$SECRET${SECRET^^}", ENV)


def test_origins_are_those_of_the_variables_used() -> None:
    value = expand("$PORT-$PORT", ENV)
    assert [origin.note for origin in value.origins] == ["ENV PORT=7860"]


def test_quotes_may_be_left_alone() -> None:
    assert expand("'$PORT' \"a", ENV, quotes=False) == Known("'7860' \"a", ENV["PORT"].origins)


def test_a_value_that_grows_without_end_is_unknown() -> None:
    env: dict[str, Value[str]] = {"A": Known("a" * (MAX_LENGTH // 2 + 1))}
    assert isinstance(expand("$A$A", env), Unknown)
    assert isinstance(expand("${A//a/bb}", env), Unknown)


def test_deep_nesting_is_unknown() -> None:
    assert isinstance(expand("${A:-" * 20_000, {}), Unknown)


def test_patterns_take_no_time() -> None:
    env: dict[str, Value[str]] = {"A": Known("a" * 1000)}
    assert expand("${A%*a*a*a*a*a*a*a*a*a*b}", env) == env["A"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("80 443/tcp", ("80", "443/tcp")),
        ("$SPACED x", ("a", "b", "x")),
        ('"$SPACED" x', ("a  b", "x")),
        ("a\\ b", ("a b",)),
        ("''", ()),
        ("$NONE", ()),
    ],
)
def test_expand_words(text: str, words: tuple[str, ...]) -> None:
    value = expand_words(text, ENV)
    assert isinstance(value, Known)
    assert value.value == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A=1  B=2", ["A=1", "B=2"]),
        ('A=\'x y\' B="p\\" q"', ["A='x y'", 'B="p\\" q"']),
        ("A=x\\ y", ["A=x\\ y"]),
        ("A='x\\' y'", ["A='x\\'", "y'"]),
        ("A=b\\", ["A=b"]),
        ("'open end", ["'open end"]),
        ("\t", []),
    ],
)
def test_split_words(text: str, words: list[str]) -> None:
    found = list(split_words(text, 0, len(text)))
    assert [word for word, _, _ in found] == words
    for word, start, end in found:
        assert text[start:end].removesuffix("\\") == word.removesuffix("\\")


def test_words_of_a_command_line_stay_as_written() -> None:
    assert raw_words("RUN cat <<'A B' $X ${Y} \\$") == [
        "RUN",
        "cat",
        "<<'A B'",
        "$X",
        "${Y}",
        "\\$",
    ]
    assert raw_words("RUN echo 'open <<EOF") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("EOF", ("EOF", True)),
        ("'EOF'", ("EOF", False)),
        ('"EOF"', ("EOF", False)),
        ("E'O'F", ("EOF", False)),
        ("two words", None),
        ("'open", None),
    ],
)
def test_heredoc_name(text: str, name: tuple[str, bool] | None) -> None:
    assert heredoc_name(text) == name
