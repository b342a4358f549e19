"""The runner against the real shells: seeded scripts whose every word is printed."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from hfcheck.source import SourceFile
from hfcheck.space.shell.parse import parse
from hfcheck.space.shell.run import (
    Call,
    CommandResult,
    Exited,
    FileFact,
    Returns,
    State,
    run,
)
from hfcheck.space.value import Known

ENV = {
    "A": "a b",
    "B": "",
    "D": "*.txt",
    "E": "x:y::z",
    "F": " lead  trail ",
    "N": "7",
    "P": "/usr/lib/app.tar.gz",
}
ARGS = ("one", "two words", "")
FILES = ("a.txt", "b.txt", "c.py")
SHOW = 'show() { for w in "$@"; do printf "<%s>" "$w"; done; printf "\\n"; }\n'


class Folder:
    """A host with three files and one program, `show`, that prints its words."""

    def command(self, call: Call) -> CommandResult:
        words = [word.value.value for word in call.argv if isinstance(word.value, Known)]
        if len(words) != len(call.argv):
            return Returns(0)
        if words[0] == "show":
            return Returns(0, Known("".join(f"<{word}>" for word in words[1:]) + "\n"))
        return Returns(127, Known(""))

    def read(self, path: str) -> FileFact:
        name = path.removeprefix("/here/")
        if name in FILES:
            return FileFact("file", SourceFile(Path(path), "text\n"))
        return FileFact("dir") if path == "/here" else FileFact("absent")

    def has_program(self, name: str) -> bool:
        return False

    def names(self, path: str) -> tuple[str, ...]:
        return FILES if path == "/here" else ()


class Scripts:
    """Makes scripts at random."""

    def __init__(self, seed: int, bash: bool) -> None:
        self.random = random.Random(seed)
        self.bash = bash

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def name(self) -> str:
        return self.pick("A", "B", "C", "D", "E", "F", "N", "P", "1", "2", "3", "4")

    def parameter(self, depth: int) -> str:
        name = self.name()
        form = self.random.randrange(12)
        if form < 3:
            return f"${name}"
        if form < 4:
            return self.pick('"$@"', "$@", "$*", '"$*"', "$#", "${#A}", "$?")
        if form < 8:
            operator = self.pick(":-", "-", ":+", "+")
            if not name.isdigit() and self.random.random() < 0.2:
                operator = self.pick(":=", "=")
            return "${" + name + operator + self.inner(depth - 1) + "}"
        if form < 11:
            operator = self.pick("#", "##", "%", "%%")
            pattern = self.pick(
                "*",
                "?",
                "a*",
                "*/",
                "/*",
                "*.",
                ".*",
                "*:",
                ":*",
                "[a-m]*",
                "[!a]*",
                '"*"',
                "a",
                " ",
                "*[.:]",
            )
            return "${" + name + operator + pattern + "}"
        if self.bash:
            return self.pick(
                "${A/a/X}",
                "${P//\\//-}",
                "${A:1}",
                "${A:0:2}",
                "${A^^}",
                "${P,,}",
                "${E//:/ }",
                "${@:2}",
                "${A: -1}",
                "${P/l*b/Z}",
            )
        return "${#P}"

    def inner(self, depth: int) -> str:
        return (
            self.pick("d", "", "d e", "'q r'", '"s t"', "d$A", "*.txt")
            if depth < 1
            else (self.piece(depth))
        )

    def arithmetic(self) -> str:
        left = self.pick("1", "N", "$N", "3", "(2+N)", "-4", "010", "0x1f")
        operator = self.pick("+", "-", "*", "/", "%", "<", "==", "&&", "|", "<<", ">=", "!=")
        return f"$(({left} {operator} {self.pick('2', 'N', '5', '(1+1)')}))"

    def piece(self, depth: int) -> str:
        form = self.random.randrange(14)
        if form < 3:
            return self.pick("lit", "a.b", "--port", "x=y", "~", "*.txt", "?.py", "[ab].txt", "@")
        if form < 4:
            return self.pick("'s q'", "'$A'", "'a\"b'", "''", "\\$A", "\\ ", "a\\\\b", "\\*")
        if form < 6:
            inside = "".join(self.quotable(depth - 1) for _ in range(self.random.randrange(4)))
            return f'"{inside}"'
        if form < 11 or depth < 1:
            return self.parameter(depth)
        if form < 12:
            return self.arithmetic()
        if form < 13:
            return f"$({self.command(depth - 1)})"
        return "`show " + self.pick("$A", "x", "\\$B", '"$F"') + "`"

    def quotable(self, depth: int) -> str:
        form = self.random.randrange(6)
        if form < 2:
            return self.pick("t", " ", "u v", "'", '\\"', "\\$", "\\\\", "*", "\\n")
        if form < 5 or depth < 1:
            return self.pick(
                "$A",
                "${B:-z y}",
                "${C-its}" if self.bash else "${C-it's}",
                "$F",
                "$#",
                "${A% *}",
                "$1",
                "${2}",
                "${N}",
                '${C:-"n m"}',
                "${E##*:}",
                "${A:+w}",
                "$*",
            )
        return f"$({self.command(depth - 1)})"

    def word(self, depth: int = 2) -> str:
        if self.bash and self.random.random() < 0.05:
            return self.pick("{a,b}c", "{1..3}", "x{,y}", "$'t\\tq'", "{A}")
        return "".join(self.piece(depth) for _ in range(self.random.choice((1, 1, 1, 2, 3))))

    def command(self, depth: int) -> str:
        words = " ".join(self.word(depth) for _ in range(self.random.randrange(1, 3)))
        return f"show {words}"

    def condition(self) -> str:
        left, right = self.word(1), self.word(1)
        choices = [
            f'[ "$A" = "{self.pick("a b", "x", "")}" ]',
            f"[ {left} = {right} ]",
            f"[ -n {left} ]",
            f'[ -z "${self.name()}" ]',
            f"[ -f {self.pick(*FILES, 'no')} ]",
            f"[ ! -d {self.pick('.', 'a.txt', 'no')} ]",
            f"[ $N {self.pick('-lt', '-eq')} 7 ]",
            '[ -n "$A" -a -z "$B" ]',
            '[ "$C" = x -o -f a.txt ]',
            'test -n "$1"',
            "true",
            "false",
            "! false",
            "[ $C ]",
            "[ -n $C ]",
            "[ ]",
        ]
        if self.bash:
            choices += [
                "[[ " + self.pick("$A", "$P", "$E") + " == " + self.pick("a*", '"a*"') + " ]]",
                "[[ -n $A && ! -f no ]]",
                "[[ $N -gt 5 || -z $A ]]",
                "[[ $C ]]",
                "[[ $N =~ ^[0-9]+$ ]]",
                "((N > 3))",
            ]
        return self.random.choice(choices)

    def statement(self, depth: int) -> str:
        form = self.random.randrange(16)
        if form < 6 or depth < 1:
            return self.command(2)
        if form < 8:
            return f'{self.pick("A", "B", "C", "G")}={self.word()}; show "$C" $G'
        if form < 9:
            return f'{self.pick("A", "C")}={self.word()} show "$A" $C'
        if form < 10:
            return (
                f"if {self.condition()}; then {self.statement(depth - 1)}; "
                f"else {self.statement(depth - 1)}; fi"
            )
        if form < 11:
            return f"{self.condition()} {self.pick('&&', '||')} {self.statement(depth - 1)}"
        if form < 12:
            return f'for i in {self.word()} {self.word()}; do show "$i" $?; done'
        if form < 13:
            pattern = self.pick("a*", "*", "'a b'|x", "?", "[a-c]*", "$A", '"$A"', "*.gz")
            return (
                f"case {self.word()} in {pattern}) {self.statement(depth - 1)};; "
                f"*b*) show B;; *) show none;; esac"
            )
        if form < 14:
            return (
                f'f() {{ show "$#" {self.word()}; return {self.pick("0", "3")}; }}; '
                f"f {self.word()}; show $?"
            )
        if form < 15:
            return self.pick(
                f'({self.statement(depth - 1)}; A=in); show "$A"',
                f"{{ {self.statement(depth - 1)}; }}",
                f'set -- {self.word()} {self.word()}; show "$@" $#',
                'shift; show "$@"',
                "i=0; while [ $i -lt 3 ]; do i=$((i+1)); show $i; done",
                "IFS=:; show $E; unset IFS",
                "unset A; show ${A-gone}",
                "eval 'show \"$A\" $E'",
                f"show {self.word()} | cat",
                "until true; do :; done; show $?",
                "echo -n x; echo",
                'echo $A "$F"',
                "printf '%s-%d\\n' \"$A\" $N 'z' 3",
            )
        delimiter = self.pick("E", "'E'")
        return f'cat <<{delimiter}\nhi $A ${{B:-x y}} \\$N "q"\nE\n:'

    def script(self) -> str:
        lines = [self.statement(2) for _ in range(self.random.randrange(1, 5))]
        return "\n".join(lines) + "\n"


def real(shell: str, script: str, folder: Path) -> tuple[str, int]:
    """What the shell prints and its status."""
    done = subprocess.run(
        [shell, "-c", SHOW + script, "name", *ARGS],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", **ENV},
        timeout=20,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.stdout, done.returncode


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_same_as_the_shell(shell: str, tmp_path: Path) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    for name in FILES:
        (tmp_path / name).write_text("text\n")
    unknown = 0
    rounds = 400
    for seed in range(rounds):
        script = Scripts(seed, shell == "bash").script()
        env = {name: Known(value) for name, value in {**ENV, "HOME": "/root"}.items()}
        state = State(
            env=env,
            args=tuple(Known(arg) for arg in ARGS),
            name=Known("name"),
            cwd=Known("/here"),
            dialect="bash" if shell == "bash" else "dash",
        )
        outcome = run(parse(SourceFile(Path("/here/s"), script)), state, Folder())
        printed, status = real(path, script, tmp_path)
        if not isinstance(outcome.stdout, Known):
            unknown += 1
            continue
        assert outcome.stdout.value == printed, f"seed {seed}:\n{script}"
        assert isinstance(outcome.ending, Exited)
        assert outcome.ending.status == status, f"seed {seed}:\n{script}"
    assert unknown < rounds // 20
