"""`.dockerignore` as moby reads it. The expected values are those of moby/patternmatcher."""

from __future__ import annotations

from pathlib import Path

import pytest
from work import calls

from hfcheck.source import SourceFile
from hfcheck.space.context import Context
from hfcheck.space.image.dockerignore import Ignored, excluding, parse, read_ignored
from hfcheck.space.image.pathmatch import go_match, has_wildcard


def ignored(text: str) -> Ignored:
    return parse(SourceFile(Path("/space/.dockerignore"), text))


@pytest.mark.parametrize(
    ("lines", "out", "kept"),
    [
        ("*.md", ["a.md"], ["docs/a.md", "a.mdx"]),
        ("**/*.md", ["a.md", "docs/deep/a.md"], ["a.mdx"]),
        ("**/cache", ["cache", "a/cache", "a/cache/x"], ["caches", "a/mycache"]),
        ("**cache", ["cache", "a/cache", "mycache"], ["caches"]),
        ("/data", ["data", "data/x"], ["a/data"]),
        ("data/", ["data", "data/x"], ["database"]),
        ("./data//x/", ["data/x"], ["data"]),
        ("data/**", ["data/x", "data/x/y"], ["data"]),
        ("data/*", ["data/x", "data/x/y"], ["data"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("a[b-d]e", ["ace"], ["aze", "ae"]),
        ("a[^b-d]e", ["aze"], ["ace"]),
        ("a[!b]e", ["a!e", "abe"], ["ace"]),
        (r"a\*b", ["a*b"], ["axb"]),
        ("**", ["a", "a/b"], []),
        ("a**/x", ["a/x", "ab/x", "a/b/x"], ["ba/x"]),
        ("*.txt\n!keep.txt", ["a.txt"], ["keep.txt"]),
        ("!keep.txt\n*.txt", ["keep.txt"], []),
        ("*\n!app", ["x", "y/app"], ["app", "app/x"]),
        ("*\n!app\napp/secret", ["app/secret"], ["app/x"]),
        ("docs\n!docs/README.md", ["docs", "docs/a"], ["docs/README.md"]),
        ("**/x/**/y", ["x/y", "a/x/b/c/y"], ["xy", "x/z"]),
        ("# a\n a # b\n#b\n", ["a # b"], ["a", "b", "# a"]),
        (" #x", ["#x"], []),
        ("  !  a.txt \n", [], ["a.txt"]),
        ("a.txt\n  !  a.txt \n", [], ["a.txt"]),
        ("a.txt\r\nb.txt\r\n", ["a.txt", "b.txt"], []),
        ("../a", [], ["a"]),
        (".", [], ["a"]),
        ("[\n!\n\na", ["a"], ["b"]),
    ],
)
def test_lines(lines: str, out: list[str], kept: list[str]) -> None:
    assert [path for path in out + kept if ignored(lines).excludes(path)] == out


def test_line_that_decides() -> None:
    found = ignored("*.txt\n# all of it\n  **/*.txt  \n!b.txt\n")
    place = found.line("a/c.txt")
    assert place is not None
    assert place.text == "**/*.txt"
    assert place.source.position(place.span.start).line == 3
    assert found.line("b.txt") is None


def test_exception_below_a_folder_that_is_out() -> None:
    found = ignored("*\n!app/main.py\n!*/x.py")
    assert found.excludes("app")
    assert found.reopens("app")
    assert not ignored("*\n!app/main.py").reopens("docs")


def test_which_file(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / ".dockerignore").write_text("a", "utf-8")
    assert read_ignored(Context(root), "Dockerfile").excludes("a")
    (root / "Dockerfile.dockerignore").write_text("b", "utf-8")
    assert not read_ignored(Context(root), "Dockerfile").excludes("a")
    assert read_ignored(Context(root), "Dockerfile").excludes("b")
    assert read_ignored(Context(root), "docker/Dockerfile").excludes("a")
    assert read_ignored(Context(root), None).excludes("a")


def test_no_utf_8_leaves_nothing_out(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_bytes("a\nb\n".encode("utf-16"))
    assert not read_ignored(Context(tmp_path.resolve()), "Dockerfile").excludes("a")


def test_exclude_flags_are_relative_to_the_folder() -> None:
    found = excluding(["*.txt", "!keep.txt"])
    assert found.excludes("a.txt")
    assert not found.excludes("keep.txt")
    assert found.line("a.txt") is None


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("a*b*c/d", "axbxc/d", True),
        ("*", "a/b", False),
        ("*", ".env", True),
        ("[a-c]x", "bx", True),
        ("a[^/]b", "a/b", False),
        ("[\\]]", "]", True),
        ("é?", "éa", True),
    ],
)
def test_go_match(pattern: str, path: str, fits: bool) -> None:
    assert go_match(pattern).matches(path) is fits


@pytest.mark.parametrize("pattern", ["[", "[]", "[a-", "[-x]", "[x-]", "a\\", "[a-b-c]"])
def test_go_refuses(pattern: str) -> None:
    with pytest.raises(ValueError, match="syntax error"):
        go_match(pattern)


def test_wildcards() -> None:
    assert has_wildcard("a[b")
    assert not has_wildcard(r"a\*b")


def test_hostile_pattern_takes_linear_time() -> None:
    pattern = "**/" + "*a" * 60 + "/**/" + "*b" * 60
    path = "/".join(["a" * 60] * 60) + "/c"
    assert not ignored(pattern).excludes(path)
    assert calls(lambda: ignored(pattern).excludes(path)) < 500 * len(path)
