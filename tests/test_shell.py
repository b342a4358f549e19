"""Reading shell scripts: the tree, the places, the faults."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from work import calls

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.shell.parse import locator, parse, parse_text
from hfcheck.space.shell.tree import (
    AndOr,
    Background,
    Case,
    For,
    Function,
    Group,
    If,
    Literal,
    Parameter,
    Pipeline,
    Script,
    Simple,
    Substitution,
    While,
    Word,
)
from hfcheck.space.shell.tree import Test as DoubleBracket


def read(text: str) -> Script:
    return parse(SourceFile(Path("/start.sh"), text))


def only(text: str) -> object:
    script = read(text)
    assert script.problem is None
    assert len(script.body.commands) == 1
    return script.body.commands[0]


def words(command: object) -> list[str]:
    assert isinstance(command, Simple)
    return [word.place.text for word in command.words]


def places(node: object) -> list[Place]:
    found: list[Place] = []
    if isinstance(node, tuple):
        for item in node:
            found += places(item)
    elif isinstance(node, Place):
        found.append(node)
    elif is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            found += places(getattr(node, field.name))
    return found


def test_words_have_their_places() -> None:
    command = only('PORT=1 uvicorn \'a b\'"c" \\\n  --port "${PORT:-7860}" >log 2>&1  # hi\n')
    assert isinstance(command, Simple)
    assert words(command) == ["uvicorn", "'a b'\"c\"", "--port", '"${PORT:-7860}"']
    assert [one.place.text for one in command.assignments] == ["PORT=1"]
    assert [one.place.text for one in command.redirects] == [">log", "2>&1"]
    assert command.place.text.endswith("2>&1")


def test_default_of_a_parameter_has_its_own_place() -> None:
    command = only("uvicorn --port ${PORT:-7860}")
    assert isinstance(command, Simple)
    part = command.words[2].parts[0]
    assert isinstance(part, Parameter)
    assert (part.name, part.operator) == ("PORT", ":-")
    assert part.word is not None
    assert part.word.place.text == "7860"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a && b || c", AndOr),
        ("a | b", Pipeline),
        ("! a", Pipeline),
        ("a &", Background),
        ("( a )", Group),
        ("{ a; }", Group),
        ("if a; then b; elif c; then d; else e; fi", If),
        ("while a; do b; done", While),
        ("until a\ndo b\ndone", While),
        ("for i in 1 2; do a; done", For),
        ("for i; do a; done", For),
        ("case $1 in (a|b) c;; *) d; esac", Case),
        ("f() { a; }", Function),
        ("function f { a; }", Function),
        ("[[ -f x && $a == b* ]]", DoubleBracket),
    ],
)
def test_kinds_of_commands(text: str, kind: type) -> None:
    command = only(text)
    assert isinstance(command, kind)
    assert command.place.text == text.removesuffix(" &")  # type: ignore[attr-defined]


def test_quotes_and_escapes_are_decoded() -> None:
    command = only("""a 'x y' "q\\"$" \\$b $'t\\tn' c\\\nd""")
    assert isinstance(command, Simple)
    assert [word.literal for word in command.words] == ["a", "x y", 'q"$', "$b", "t\tn", "cd"]


def test_substitutions_hold_scripts_with_places() -> None:
    command = only('a $(b "$(c)" `d \\`e\\``)')
    assert isinstance(command, Simple)
    outer = command.words[1].parts[0]
    assert isinstance(outer, Substitution)
    inner = outer.script.body.commands[0]
    assert words(inner) == ["b", '"$(c)"', "`d \\`e\\``"]


@pytest.mark.parametrize(
    ("text", "body", "parts"),
    [
        ("cat <<E\nhi $X\nE\n", "hi $X\n", 3),
        ("cat <<'E'\nhi $X\nE\n", "hi $X\n", 1),
        ("cat <<-E\n\t\thi\n\tE\n", "hi\n", 1),
        ("cat <<E\nE\n", "", 0),
        ("cat <<E\nhi\n", "hi\n", 1),
    ],
)
def test_here_documents(text: str, body: str, parts: int) -> None:
    command = only(text)
    assert isinstance(command, Simple)
    target = command.redirects[0].target
    assert len(target.parts) == parts
    assert target.place.text.replace("\t", "") == body or target.raw == body


def test_here_document_in_a_substitution() -> None:
    script = read("a=$(cat <<E\n1 )\nE\n)\nb\n")
    assert script.problem is None
    assert len(script.body.commands) == 2


@pytest.mark.parametrize(
    "text",
    [
        "fi",
        "if a; then b",
        "a && ",
        "| a",
        "'a",
        '"a',
        "$(a",
        "`a",
        "${a",
        "case a in b",
        "{ a",
        "( a",
        "for 1 in a; do b; done",
        "while a; do done",
        "a ;; b",
        "if a; then fi",
        "()",
    ],
)
def test_faults_are_problems(text: str) -> None:
    script = read("first\n" + text)
    assert script.problem is not None
    assert not script.problem.limit
    assert [words(one) for one in script.body.commands] == [["first"]]


def test_carriage_return_stays_in_the_word() -> None:
    script = read("uvicorn a:b\r\n")
    assert words(script.body.commands[0]) == ["uvicorn", "a:b\r"]
    assert script.carriage_return is not None
    assert script.carriage_return.span == Span(11, 12)
    assert read("if a; then\r\nb\r\nfi\r\n").problem is not None


def test_bashisms_are_told() -> None:
    script = read("a=(1 2)\nb < <(c)\nfunction f { d; }\n")
    assert [name for name, _ in script.bashisms] == ["array", "process substitution", "function"]


@pytest.mark.parametrize("text", ["$(", "(", "$((", "if ", "${X:-", '"$(', "{ ", "f() { ", "${X/"])
def test_deep_nesting_is_a_limit(text: str) -> None:
    script = read(text * 5000)
    assert script.problem is not None
    assert script.problem.limit


@pytest.mark.parametrize(
    "text",
    [
        "a[ ",
        "'' ",
        "a && b || ",
        "a | ",
        "cat <<E\n",
        "A=1\n",
        "$X",
        "a \\\n",
        "# c\n",
        "[",
        "x=`a` ",
        "((a)) ; ",
        "a() { b; }\n",
        "{a,b}",
        "$[",
        "\\",
        "$'",
        "a&",
    ],
)
def test_reading_is_linear(text: str) -> None:
    small = calls(lambda: read(text * 1000 + "x"))
    assert calls(lambda: read(text * 4000 + "x")) < 5 * small


def test_locates_words_of_a_json_string() -> None:
    text = 'CMD ["sh", "-c", "echo \\"a\\u0020b\\" && uvicorn x \\\\$P"]'
    source = SourceFile(Path("/Dockerfile"), text)
    start = text.index('"echo')
    span = Span(start, len(text) - 1)
    decoded = json.loads(text[start:-1])
    script = parse_text(decoded, source, locator(decoded, source, span, json=True))
    command = script.body.commands[0]
    assert isinstance(command, AndOr)
    assert words(command.first) == ["echo", '\\"a\\u0020b\\"']
    assert words(command.rest[0][1]) == ["uvicorn", "x", "\\\\$P"]


def test_locates_words_of_a_continued_line() -> None:
    text = "CMD uvicorn \\\n  # why\n\n    main:app \\\r\n  --port 80\n"
    source = SourceFile(Path("/Dockerfile"), text)
    span = Span(4, len(text) - 1)
    joined = "uvicorn     main:app   --port 80"
    script = parse_text(joined, source, locator(joined, source, span))
    assert words(script.body.commands[0]) == ["uvicorn", "main:app", "--port", "80"]


def test_locate_falls_back_to_the_whole() -> None:
    source = SourceFile(Path("/Dockerfile"), "CMD something else")
    script = parse_text("a b", source, locator("a b", source, Span(4, 13)))
    assert words(script.body.commands[0]) == ["something", "something"]


def test_a_part_of_a_file() -> None:
    source = SourceFile(Path("/x"), "RUN a b\n")
    assert words(parse(source, Span(4, 7)).body.commands[0]) == ["a", "b"]


def test_accepts_what_bash_accepts() -> None:
    """Random token soup: the same verdict as `bash -n`."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    pieces = [
        "if ",
        "then ",
        "fi\n",
        "while ",
        "do ",
        "done\n",
        "(",
        ")",
        "{ ",
        "} ",
        "a ",
        "b\n",
        ";",
        "&",
        "|",
        "&&",
        "||",
        "'x' ",
        '"$a" ',
        "$(a) ",
        "! a ",
        "x=1 ",
        ">f ",
        "else ",
    ]
    rng = random.Random(7)
    texts = ["".join(rng.choice(pieces) for _ in range(rng.randrange(1, 7))) for _ in range(300)]
    checked = 0
    for text in texts:
        if any(odd in text for odd in ("((", "!(", "!}", "!!", "a (", "x=1 (", "(a ) {")):
            continue  # arithmetic, extended globs and history look alike to the two of them
        done = subprocess.run([bash, "-n", "-c", text], capture_output=True, check=False)
        assert (done.returncode == 0) == (read(text).problem is None), repr(text)
        checked += 1
    assert checked > 150


def test_every_place_lies_in_its_file() -> None:
    text = 'if [ -n "$(a `b`)" ]; then f() { c <<-E\n\t$d ${e:-`g`}\n\tE\n\t}; fi & (h) 2>&1\n'
    for place in places(read(text).body.commands):
        assert 0 <= place.span.start <= place.span.end <= len(text)


def test_literal_of_a_word() -> None:
    place = SourceFile(Path("/x"), "ab").whole()
    assert Word((Literal("a", False, place), Literal("b", True, place)), "ab", place).literal == (
        "ab"
    )
    assert Word((Parameter("a", False, place),), "$a", place).literal is None
