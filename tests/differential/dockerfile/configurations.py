"""Whole Dockerfiles whose image configuration is compared.

They hold what decides a configuration: stages and their inheritance, ARG and ENV in every order,
every form of expansion, the forms of CMD and ENTRYPOINT, SHELL, EXPOSE, USER, WORKDIR, ONBUILD;
in the layouts that real files have (continuations, comments in them, heredocs, CRLF). One file in
four has a line that stops the build, or one that only looks so.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.differential.dockerfile.case import BASES, Case
from tests.differential.dockerfile.odd import ODD

_NAMES = ("A", "B", "C", "PORT", "TAG", "EMPTY", "APP_HOME", "HOST", "VERSION", "_x1")
_UNSET = ("NONE", "MISSING", "a", "PORTS")
_PLAIN = (
    *("7860", "8000", "/app", "/home/user/app", "3.12-slim", "0.0.0.0", "main:app", "a", "x=y"),
    *("http://a.b,http://c.d", "*", "a/b/c", "1", "", "postgres://u:p@h/db", "prod", "é", "[a]"),
    *("a-b-c", "./x", "-v", "--x", "{}", "a.tar.gz", "a*b", "50%", "#1", "a;b", "~", "@", "a&&b"),
)
_PATTERNS = (
    "*",
    "?",
    "*-",
    "-*",
    "/*",
    "*/",
    "3",
    ".",
    "*.",
    ".*",
    "a",
    "[a]",
    "x*y",
    "\\*",
    "\\?",
)
_MODIFIERS = (":-", ":-", ":-", "-", ":+", "+", ":?", "?")
_INSTRUCTIONS = (
    *("ENV",) * 7,
    *("ARG",) * 4,
    *("WORKDIR", "WORKDIR", "USER", "EXPOSE", "EXPOSE", "CMD", "CMD", "CMD", "ENTRYPOINT"),
    *("ENTRYPOINT", "SHELL", "ONBUILD", "COPY", "RUN", "RUN", "LABEL", "VOLUME", "HEALTHCHECK"),
    *("ADD", "STOPSIGNAL", "MAINTAINER"),
)


def whole(chance: random.Random) -> Case:
    """A Dockerfile of one to four stages, and build arguments now and then."""
    return _Generator(chance).case()


class _Generator:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.escape = "\\"
        self.stages: list[str] = []

    def often(self, part: float) -> bool:
        return self.chance.random() < part

    def case(self) -> Case:
        chance = self.chance
        lines: list[str] = []
        if self.often(0.1):
            self.escape = "`"
            lines.append(chance.choice(("# escape=`", "# syntax=docker/dockerfile:1\n#escape = `")))
        elif self.often(0.15):
            lines.append(chance.choice(("# syntax=docker/dockerfile:1", "# note", "", "#")))
        lines += [self.arg(head=True) for _ in range(chance.choice((0, 0, 0, 1, 1, 2, 4)))]
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
            lines += self.stage()
        if self.often(0.25):
            at = chance.randint(min(1, len(lines)), len(lines))
            lines.insert(at, chance.choice(ODD))
        text = "\n".join(lines)
        if self.often(0.9):
            text += "\n"
        if self.often(0.08):
            text = text.replace("\n", "\r\n")
        if self.often(0.03):
            text = "\ufeff" + text
        names = chance.sample((*_NAMES, "TARGETARCH"), 2) if self.often(0.25) else []
        return Case(text, {name: chance.choice(_PLAIN) for name in names})

    def stage(self) -> list[str]:
        name = self.chance.choice(("base", "Build", "final", "x1", "a.b_c-d", ""))
        lines = [f"{self.cased('FROM')} {self.base()}{self.named(name)}"]
        for _ in range(self.chance.randint(0, 9)):
            lines += self.laid_out(self.instruction(self.chance.choice(_INSTRUCTIONS)))
        if name:
            self.stages.append(name)
        return lines

    def named(self, name: str) -> str:
        return f" {self.chance.choice(('AS', 'as', 'As'))} {name}" if name else ""

    def base(self) -> str:
        if self.stages and self.often(0.6):
            name = self.chance.choice(self.stages)
            return name if self.often(0.03) else name.lower()
        image = self.chance.choice(("python:3.12-slim", "python:3.12-slim", *BASES))
        if self.often(0.1):
            image = self.chance.choice(
                (f"${{NONE:-{image}}}", f"--platform=linux/amd64 {image}", f"${{BASE-{image}}}")
            )
        return image

    def cased(self, name: str) -> str:
        return self.chance.choice((name.lower(), name.title())) if self.often(0.05) else name

    def instruction(self, name: str) -> str:
        made = getattr(self, name.lower())
        assert callable(made)
        text = made()
        assert isinstance(text, str)
        return self.cased(name) + text[len(name) :]

    # Instructions

    def env(self) -> str:
        if self.often(0.12):
            return f"ENV {self.name()} {self.line()}"
        count = self.chance.choice((1, 1, 2, 2, 3))
        return "ENV " + " ".join(self.pair() for _ in range(count))

    def pair(self) -> str:
        if self.often(0.15):
            return f"PORT={self.chance.choice(('7860', '8000', '${PORT:-7860}', '80/udp', '1-2'))}"
        name = self.chance.choice([name for name in _NAMES if name != "PORT"])
        return f"{name}={self.value()}"

    def arg(self, head: bool = False) -> str:
        names = [*_NAMES, "TARGETARCH", "TARGETPLATFORM", "TARGETSTAGE", "BUILDOS"]
        count = 1 if self.often(0.8) else self.chance.randint(2, 3)
        words = []
        for _ in range(count):
            name = self.chance.choice(names)
            image = head and self.often(0.15)
            value = self.chance.choice(list(BASES)) if image else self.value()
            words.append(name if self.often(0.35) else f"{name}={value}")
        return "ARG " + " ".join(words)

    def workdir(self) -> str:
        return "WORKDIR " + self.chance.choice(
            (
                "/app",
                "/app/",
                "app",
                "./a",
                "..",
                "/a//b",
                "$APP_HOME",
                "${APP_HOME:-/srv}",
                "$A/x",
                "/home/$HOST",
                '"/my dir"',
                "/my\\ dir",
                "${B}",
                ".",
                "/",
                "/${TAG%-*}",
                "~/app",
            )
        )

    def user(self) -> str:
        return "USER " + self.chance.choice(
            ("user", "1000", "1000:1000", "${A:-app}", "$B", "app:$C", '"user"', "root", "0")
        )

    def expose(self) -> str:
        words = ("7860", "8000", "80/tcp", "53/udp", "9/SCTP", "8000-8003", "1-2/udp", "$PORT")
        more = ("${PORT:-7860}", '"7860"', "'80'", "${NONE}", "$PORT/udp", "80$NONE", "90:7860")
        count = self.chance.choice((1, 1, 1, 2, 3))
        return "EXPOSE " + " ".join(self.chance.choice((*words, *more)) for _ in range(count))

    def cmd(self) -> str:
        return "CMD " + self.command()

    def entrypoint(self) -> str:
        return "ENTRYPOINT " + self.command()

    def command(self) -> str:
        if self.often(0.55):
            words = [self.json_word() for _ in range(self.chance.randint(0, 5))]
            glue = self.chance.choice((", ", ", ", ",", " , "))
            array = f"[{glue.join(words)}]"
            if self.often(0.12):
                odd = (array + " # note", array.replace('"', "'"), array[:-1] + ",]", array + ".")
                array = self.chance.choice((*odd, array[1:], "exec " + array))
            return array
        return self.chance.choice(
            (
                *("uvicorn main:app --host 0.0.0.0 --port $PORT", "exec gunicorn app:app  -b :80"),
                *(
                    "python app.py # note",
                    "sh -c 'a \"b\"'",
                    "a && b || c",
                    "${A:-x} \\$B '",
                    '"a" b',
                ),
                *("a ${B^^} $(id) `x`", "cd /app && exec python -m app", "a \\ b", "é ✓"),
            )
        )

    def json_word(self) -> str:
        words = (
            "uvicorn",
            "main:app",
            "--port",
            "7860",
            "$PORT",
            "sh",
            "-c",
            "a b",
            "",
            "é",
            "a'b",
        )
        odd = ('a\\"b', "\\u00e9", "a\\nb", "\\/", "a\\\\b", "#", "<<A", "\\ud83d\\ude00", "`")
        return f'"{self.chance.choice(odd if self.often(0.15) else words)}"'

    def shell(self) -> str:
        return "SHELL " + self.chance.choice(
            (
                '["/bin/bash", "-c"]',
                '["/bin/bash", "-o", "pipefail", "-c"]',
                '["sh"]',
                '["a$A", "b"]',
            )
        )

    def onbuild(self) -> str:
        kinds = (
            "ENV",
            "ENV",
            "ARG",
            "WORKDIR",
            "USER",
            "EXPOSE",
            "CMD",
            "ENTRYPOINT",
            "SHELL",
            "RUN",
        )
        return "ONBUILD " + self.instruction(self.chance.choice((*kinds, "COPY")))

    def copy(self) -> str:
        sources = [*self.stages, "0", "python:3.12-slim"] if self.stages else ["ghcr.io/a/b:1"]
        flag = f"--from={self.chance.choice(sources)} " if self.often(0.5) else ""
        return f"COPY {flag}" + self.chance.choice(
            (
                ". .",
                "a b /c/",
                "--chown=user:user . $APP_HOME",
                '["a b", "/c/"]',
                "*.py ${A:-/x}/",
                "--chmod=755 a b",
                "<<EOF /etc/conf\nport $PORT\n'${A:-x}\nEOF",
                "--link a b",
            )
        )

    def add(self) -> str:
        return "ADD " + self.chance.choice(
            (
                "a.tar.gz /x",
                "https://a.b/c.py /x/",
                "--chown=1:1 a b",
                "https://github.com/a/b.git c",
            )
        )

    def run(self) -> str:
        return "RUN " + self.chance.choice(
            (
                *(
                    "pip install -r requirements.txt",
                    "--mount=type=cache,target=/root/.cache pip i",
                ),
                *(
                    "<<EOF\nENV A=no\nCMD no\nEOF",
                    "<<-'X' cat > a && cat <<Y\n\tCMD no\n\tX\nUSER n\nY",
                ),
                *('["a", "b"]', "echo '<<EOF' \"$A\"", "cat <<<x", "echo $((1<<2))", "a \\\\"),
                *(
                    "--mount=from=base,target=/m a",
                    "--network=none a",
                    "--mount=type=secret,id=a b",
                ),
            )
        )

    def label(self) -> str:
        return f"LABEL a.b={self.value()} {self.chance.choice(('c=d', '', 'e=$A'))}"

    def volume(self) -> str:
        return "VOLUME " + self.chance.choice(("/data", '["/a", "/b c"]', "/a /b$A", "${B:-/b}"))

    def healthcheck(self) -> str:
        return "HEALTHCHECK " + self.chance.choice(
            ("NONE", "CMD curl -f localhost:$PORT", '--interval=30s --retries=3 CMD ["a"]')
        )

    def stopsignal(self) -> str:
        return "STOPSIGNAL " + self.chance.choice(("SIGINT", "9", "${NONE:-SIGTERM}"))

    def maintainer(self) -> str:
        return "MAINTAINER someone <a@b.c>"

    # Values

    def name(self) -> str:
        return self.chance.choice(_NAMES)

    def value(self, depth: int = 0) -> str:
        """The value of one pair: parts without white space outside quotes."""
        return "".join(self.part(depth) for _ in range(self.chance.choice((0, 1, 1, 1, 2, 3))))

    def part(self, depth: int) -> str:
        kind = self.chance.random()
        if kind < 0.4:
            return self.chance.choice(_PLAIN)
        if kind < 0.72:
            return self.substitution(depth)
        if kind < 0.8:
            return f"'{self.chance.choice((*_PLAIN, 'a b', '$A', '[1, 2]', self.escape))}'"
        if kind < 0.92:
            inner = self.chance.choice((*_PLAIN, "a b", f"{self.escape}$A", f'{self.escape}"a'))
            return f'"{inner}{self.substitution(depth) if self.often(0.6) else ""}"'
        escaped = self.chance.choice((" ", "$", "a", "'", '"', self.escape, "n"))
        return self.chance.choice(
            (self.escape + escaped, "$", "$$", "$$A", "$1", "$(id)", "`x`", "$.")
        )

    def substitution(self, depth: int) -> str:
        name = self.chance.choice((*_NAMES, *_NAMES, *_UNSET))
        kind = self.chance.random()
        if kind < 0.3:
            return f"${name}"
        if kind < 0.5:
            return f"${{{name}}}"
        if kind < 0.8:
            operator = self.chance.choice(_MODIFIERS)
            if operator.endswith("?") and self.often(0.85):
                operator = ":-"
            return f"${{{name}{operator}{self.inner(depth)}}}"
        if kind < 0.92:
            operator = self.chance.choice(("#", "##", "%", "%%"))
            return f"${{{name}{operator}{self.pattern()}}}"
        new = self.chance.choice(
            ("", "x", "-", "\\/", "$B", "&", "${C}", "a b")[: 8 if self.often(0.1) else 7]
        )
        return (
            f"${{{name}{self.chance.choice(('/', '//'))}{self.pattern().replace('/', '')}/{new}}}"
        )

    def inner(self, depth: int) -> str:
        if depth < 2 and self.often(0.4):
            return self.value(depth + 1).replace("{}", "")
        words = ("", "x", "7860", "/app", "'a b'", '"a b"', "a:b", "a-b", "http://a/b?c=d", "\\}")
        return "a b" if self.often(0.02) else self.chance.choice(words)

    def pattern(self) -> str:
        picked = self.chance.choices(_PATTERNS, k=self.chance.choice((1, 1, 2)))
        return "".join(picked)

    def line(self) -> str:
        """The value of `ENV NAME value`: the rest of the line."""
        return " ".join(self.value() or "x" for _ in range(self.chance.randint(1, 3)))

    # Layout

    def laid_out(self, text: str) -> Sequence[str]:
        """The instruction, broken after a blank now and then, with comments between."""
        if "\n" in text:
            return [text]
        if not self.often(0.2):
            return [text + self.chance.choice(("", "", "", " ", "\t"))]
        head, *rest = text.split(" ")
        lines = [head]
        for word in rest:
            if self.often(0.4):
                lines[-1] += f" {self.escape}" + self.chance.choice(("", "", " ", "\t "))
                between = self.chance.choice(
                    ([], [], [], ["# note"], ["  # a \\", ""], [""], ["#"])
                )
                lines += [*between, self.chance.choice(("    ", "", "\t")) + word]
            else:
                lines[-1] += " " + word
        return lines
