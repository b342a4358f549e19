r"""Small Dockerfiles about one point: an expansion, a flag, a heredoc, a JSON array.

They are made of the characters that matter there, in any order, so most hit a corner and many
stop the build.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.differential.dockerfile.case import Case

_HEAD = "FROM ubuntu:24.04 AS base\nENV A=abcabc B=a/b/c E= S='x y' G=a*b.c P=80 M=755\n"

_SIGNS = (
    *("$", "{", "}", "${", "${A", "${B", "${N", "${S", "$A", "$S", "}", "}", ":-", ":+", "-", "+"),
    *("?", "#", "##", "%", "%%", "/", "//", "\\", "'", '"', "a", "b", "*", "?", "x", "=", "1", "é"),
    *("\\\\", "\\}", "\\/", "$$", "$(", ")", "`", "[", "]", "^", "|", ".", "<", "<<", " "),
)
_LETTERS = (
    *("a", "b", "/", "*", "?", "x", "é", "1", ".", "-", ":", "=", "#", "%", "\\\\", "\\*", "\\?"),
    *("\\$", "\\}", "^", "(", "[", "]", "|", "+", "$", "$0", "<", "ab", "abc"),
)
_OPERATORS = (":-", ":+", "-", "+", "#", "##", "%", "%%", ":?", "?", "/", "//")
_MOUNT = (
    *("type=bind", "type=cache", "type=tmpfs", "type=secret", "type=ssh", "type=x", "type=$A"),
    *("Type=CACHE", "target=/a", "target=/", "target=.", "dst=b", "destination=", "target=$A"),
    *("source=a", "src=/", "from=base", "from=x", "from=$A", "from=Base", "from=scratch", "from="),
    *("id=a", "id=", "required", "required=true", "required=x", "ro", "rw=1", "readonly=x", "x"),
    *("readwrite", "size=1g", "size=1", "size=x", "sharing=locked", "sharing=$A", "sharing=", "="),
    *("mode=0755", "mode=9", "uid=1", "uid=$P", "uid=-1", "gid=1", "env=A", "env", "a=b", ""),
    *('"target=/q,r"', "'target=/s'", 'target="/t"'),
)
_CHECKSUMS = (
    *("sha256:" + "0" * 64, "sha256:0", "sha512:" + "a" * 128, "x", "$E", "$A", "", "0" * 40),
    *("md5:" + "0" * 32, "sha256:" + "A" * 64),
)
_HEREDOCS = (
    *("<<A", "<<-A", "<<'A'", '<<"A"', "3<<A", "<<B", "<< A", "<<-  B", "<<A.B", "<<A\\B", "cat"),
    *("a", "'<<A'", '"<<A"', "\\<<A", "<<<A", "$((1<<2))", "<<$X", "<<A<<B", "<<''", "<<A|b", ">x"),
    "<<E'O'F",
)
_HEREDOC_LINES = (
    *("A", "B", "\tA", " A", "A ", "x", "# c", "\\", "CMD a", "A.B", "AB", "$X", "EOF", "", "A\\"),
    *("\t\tB", "'A'"),
)
_JSON = (
    *('"a"', "'a'", "a", ",", "[", "]", " ", "\\", '"\\n"', '"\\x"', '"é"', "1", "null", "{}", "#"),
    *("\t", "\xa0", '"\\u0041"', '"a" ', "\u201ca\u201d", '""', "true", '"\\ud800"'),
)
_FLAGS = (
    *("--link", "--link=true", "--link=false", "--link=x", "--link=", "--parents", "--from=base"),
    *("--exclude=a", " ", "--chown=1", "--keep-git-dir", "--keep-git-dir=0", "--unpack", "--x"),
    *("--unpack=TRUE", "--network=host", "--network=", "--network=$A", "--security=sandbox", "--"),
    *("--security=x", "-", "---", "--=", '--"link"', "--'from=base'", "--from=\\base", "--é=é"),
    *("--platform=linux/amd64", "--chown=\xa0a"),
)
_INSTRUCTIONS = (
    *("COPY", "ADD", "RUN", "CMD", "ENV", "FROM", "HEALTHCHECK", "USER", "WORKDIR", "EXPOSE"),
    *("LABEL", "VOLUME", "SHELL", "STOPSIGNAL", "ARG", "MAINTAINER", "ENTRYPOINT", "ONBUILD"),
)


def point(chance: random.Random) -> Case:
    """A Dockerfile about one point."""
    return Case(
        chance.choice((_expansion, _expansion, _substitution, _substitution, *_FORMS))(chance)
    )


def _joined(chance: random.Random, parts: tuple[str, ...], longest: int) -> str:
    return "".join(chance.choices(parts, k=chance.randint(1, longest)))


def _expansion(chance: random.Random) -> str:
    """Signs in any order, where variables are replaced."""
    text = _joined(chance, _SIGNS, 10)
    if chance.random() < 0.05:
        return f"ARG A=ubuntu B=24.04 S='x y'\nFROM {text}\n"
    if chance.random() < 0.05:
        return f"# escape=`\n{_HEAD}ENV Z={text}\n".replace("\\", "`")
    line = chance.choice(
        (
            "ENV Z={}",
            "ENV Z={}",
            "ENV Z={}",
            "ENV Z {}",
            "ARG Z={}\nENV Y=$Z",
            "WORKDIR /{}",
            "USER {}",
            "EXPOSE 80{}",
            "LABEL a={}",
            "VOLUME /{}",
            "COPY {} /d",
            "STOPSIGNAL {}",
        )
    )
    return _HEAD + line.replace("{}", text) + "\n"


def _substitution(chance: random.Random) -> str:
    """Well formed substitutions, one in the other."""
    parts = (_part(chance, 0) for _ in range(chance.randint(1, 4)))
    return f"{_HEAD}ENV Z={''.join(parts)}\n"


def _part(chance: random.Random, depth: int) -> str:
    kind = chance.random()
    if kind < 0.35 or depth > 4:
        return chance.choice(_LETTERS)
    name = chance.choice("ABENSG")
    if kind < 0.5:
        return f"${name}"
    operator = chance.choice(_OPERATORS)
    word = "".join(_part(chance, depth + 1) for _ in range(chance.randint(0, 3)))
    if "/" in operator:
        word += "/" + "".join(_part(chance, depth + 1) for _ in range(chance.randint(0, 2)))
    return f"${{{name}{operator}{word}}}"


def _mount(chance: random.Random) -> str:
    fields = ",".join(chance.choices(_MOUNT, k=chance.randint(1, 4)))
    return f"{_HEAD}RUN --mount={fields} a\n"


def _healthcheck(chance: random.Random) -> str:
    flag = chance.choice(("interval", "timeout", "start-period", "start-interval", "retries"))
    parts = ("1", "0", "5", ".", "s", "m", "h", "ms", "us", "ns", "µs", "-", "+", "e", "d", "30s")
    return f"{_HEAD}HEALTHCHECK --{flag}={_joined(chance, (*parts, '$P', '_'), 4)} CMD a\n"


def _mode(chance: random.Random) -> str:
    parts = (*tuple("07595ugoa+-=rwxXst,"), "$M", "$E", "755")
    return f"{_HEAD}COPY --chmod={_joined(chance, parts, 5)} a b\n"


def _platform(chance: random.Random) -> str:
    parts = ("linux", "/", "/", "amd64", "arm64", "windows", "(", ")", "1.0", "+", "x", "v7", "_")
    more = ("$P", "$Q", "$BUILDPLATFORM", "*", "", "macos", "-")
    text = _joined(chance, (*parts, *more), 5)
    return f"ARG P=linux/amd64 Q=\nFROM --platform={text} a\n"


def _expose(chance: random.Random) -> str:
    parts = ("80", "1", "0", "-", "/", "tcp", "udp", "sctp", "UDP", ":", "[::1]", "127.0.0.1", "$P")
    more = ("$E", "65535", "65536", "+", "a", "'", '"', "\\ ", ",", "${P}", "..", "1-3")
    words = (_joined(chance, (*parts, *more), 4) for _ in range(chance.randint(1, 2)))
    return f"{_HEAD}EXPOSE {' '.join(words)}\n"


def _signal(chance: random.Random) -> str:
    parts = ("SIG", "TERM", "9", "0", "-", "RT", "MIN", "MAX", "+", "1", "15", "16", "14", "sig")
    return f"{_HEAD}STOPSIGNAL {_joined(chance, (*parts, 'kill', '$P', '$A', ' '), 4)}\n"


def _image(chance: random.Random) -> str:
    parts = (
        "a",
        "B",
        "/",
        ":",
        "@",
        "sha256:" + "0" * 64,
        "0" * 64,
        ".",
        "-",
        "_",
        "__",
        "--",
        "1",
    )
    more = (
        "localhost",
        "5000",
        "gcr.io",
        "~",
        "é",
        "%",
        "sha512:",
        "a" * 130,
        "docker.io",
        "[::1]",
    )
    return f"FROM {_joined(chance, (*parts, *more), 5)}\n"


def _stage(chance: random.Random) -> str:
    base = chance.choice(("base", "Base", "0", "x", "BASE"))
    name = _joined(chance, ("a", "B", "1", "-", ".", "_", "é", "base", "/"), 3)
    sources = (
        "0",
        "1",
        "2",
        "-1",
        "+1",
        "base",
        "BASE",
        "a",
        "3",
        "00",
        "x:1",
        "scratch",
        "$A",
        "Base",
    )
    copy = f"COPY --from={chance.choice(sources)} a b\n" if chance.random() < 0.7 else ""
    return f"{_HEAD}FROM {base} AS {name}\nFROM base\n{copy}"


def _source(chance: random.Random) -> str:
    parts = ("a", "http://", "https://", "github.com/", "x.git", "git@", "h:", "ssh://", "/", "#b")
    text = _joined(chance, (*parts, "$A", ".git", "./", "ftp://", "..", "'", " "), 4)
    return f"{_HEAD}{chance.choice(('ADD', 'COPY'))} {text} /d\n"


def _checksum(chance: random.Random) -> str:
    source = chance.choice(("http://a/b", "https://a/b.git", "a", "$A", "a b", "http://a/b c"))
    return f"{_HEAD}ADD --checksum={chance.choice(_CHECKSUMS)} {source} /d\n"


def _flags(chance: random.Random) -> str:
    return f"{_HEAD}{chance.choice(_INSTRUCTIONS)} {_joined(chance, _FLAGS, 4)} x y\n"


def _heredoc(chance: random.Random) -> str:
    names = ("RUN", "COPY", "ADD", "ONBUILD RUN", "CMD", "run", "ONBUILD COPY")
    words = " ".join(chance.choices(_HEREDOCS, k=chance.randint(1, 3)))
    lines = "\n".join(chance.choices(_HEREDOC_LINES, k=chance.randint(0, 6)))
    return f"{_HEAD}{chance.choice(names)} {words} /d\n{lines}\n{chance.choice(('', 'USER q'))}\n"


def _json(chance: random.Random) -> str:
    names = ("CMD", "ENTRYPOINT", "RUN", "SHELL", "COPY", "VOLUME", "HEALTHCHECK CMD", "ADD")
    tail = chance.choice(("", "", " ", "x", " # c", ",", "\t"))
    return f"{_HEAD}{chance.choice((*names, 'ONBUILD CMD'))} [{_joined(chance, _JSON, 5)}]{tail}\n"


_FORMS: tuple[Callable[[random.Random], str], ...] = (
    *(_mount, _healthcheck, _mode, _platform, _expose, _signal, _image, _stage, _source),
    *(_checksum, _flags, _heredoc, _json),
)
