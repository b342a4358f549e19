"""Following shell scripts: what runs at the end, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from work import calls

from hfcheck.source import SourceFile
from hfcheck.space.shell.parse import parse
from hfcheck.space.shell.run import (
    Blocked,
    Blocks,
    Call,
    CommandResult,
    Dialect,
    Exited,
    FileFact,
    Outcome,
    Returns,
    Running,
    State,
    Unclear,
    Unsettled,
    run,
)
from hfcheck.space.value import Known, Unknown, Value

SERVERS = ("uvicorn", "nginx", "worker")


def shown(call: Call) -> str:
    return " ".join(
        word.value.value if isinstance(word.value, Known) else word.prefix + "?"
        for word in call.argv
    )


class Container:
    """A host: three servers, a `fails`, a `mystery`; every other program has no known status."""

    def __init__(self, files: Mapping[str, str | None]) -> None:
        self.files = files
        self.calls: list[Call] = []

    def command(self, call: Call) -> CommandResult:
        self.calls.append(call)
        text = shown(call)
        name = text.split(" ")[0]
        if name in SERVERS:
            return Blocks((Running(text, text, call.place, call.steps),))
        if name == "daemon":
            return Returns(0, Known(""), (Running(text, text, call.place),))
        if name == "mystery":
            return Unclear("nobody knows")
        return Returns(1 if name == "fails" else None)

    def read(self, path: str) -> FileFact:
        if path == "/unclear":
            return FileFact("unclear", reason="it is not known")
        if path not in self.files:
            return FileFact("absent")
        text = self.files[path]
        if text is None:
            return FileFact("dir")
        return FileFact("file", SourceFile(Path(path), text), True)

    def has_program(self, name: str) -> bool:
        return name in SERVERS

    def names(self, path: str) -> tuple[str, ...] | None:
        if path == "/secret":
            return None
        return tuple(
            sorted(
                file.rsplit("/", 1)[1]
                for file in self.files
                if (file.rsplit("/", 1)[0] or "/") == path
            )
        )


def follow(
    text: str,
    *,
    env: Mapping[str, str | None] | None = None,
    args: tuple[str, ...] = (),
    dialect: Dialect = "bash",
    files: Mapping[str, str | None] | None = None,
) -> tuple[Outcome, Container]:
    host = Container({"/": None, "/app": None, "/secret": None, **(files or {})})
    values: dict[str, Value[str]] = {
        name: Unknown("a secret") if value is None else Known(value)
        for name, value in (env or {}).items()
    }
    state = State(
        env=values,
        args=tuple(Known(arg) for arg in args),
        cwd=Known("/app"),
        name=Known("/app/start.sh"),
        dialect=dialect,
    )
    return run(parse(SourceFile(Path("/app/start.sh"), text)), state, host), host


def running(outcome: Outcome) -> list[str]:
    """What runs at the end; an `&` marks the background."""
    return [f"{one.what}{'' if one.foreground else ' &'}" for one in outcome.running]


SERVED = [
    ("if command -v uvicorn; then uvicorn a; else nginx; fi", "uvicorn a"),
    ("uvicorn a", "uvicorn a"),
    ("exec uvicorn a; nginx", "uvicorn a"),
    ("uvicorn --port ${PORT:-7860}", "uvicorn --port 7860"),
    ("export PORT=${PORT:-8001}\nuvicorn --port $PORT", "uvicorn --port 8001"),
    ("PORT=1 uvicorn --port $PORT", "uvicorn --port"),
    ("PORT=1; uvicorn --port $PORT", "uvicorn --port 1"),
    ("uvicorn -p $PORT main:app", "uvicorn -p main:app"),
    ('uvicorn -p "$PORT" main:app', "uvicorn -p  main:app"),
    (": ${PORT:=9}\nuvicorn $PORT", "uvicorn 9"),
    ("migrate && uvicorn a", "uvicorn a"),
    ("migrate || true; uvicorn a", "uvicorn a"),
    ("migrate || exit 1\nuvicorn a", "uvicorn a"),
    ("set -e\nmigrate\nuvicorn a", "uvicorn a"),
    ("fails || uvicorn b", "uvicorn b"),
    ("fails && uvicorn b || uvicorn c", "uvicorn c"),
    ("migrate; if [ $? -eq 0 ]; then uvicorn a; fi", "uvicorn a"),
    ('if [ "$ENV" = "production" ]; then uvicorn a; else uvicorn b; fi', "uvicorn b"),
    ("if [ -f /app/x ]; then uvicorn a; else uvicorn b; fi", "uvicorn b"),
    ("if migrate; then uvicorn a; else echo bad; exit 1; fi", "uvicorn a"),
    ('if [ -z "$SECRET" ]; then echo bad; exit 1; fi; uvicorn a', "uvicorn a"),
    ('if [ -n "$SECRET" ]; then X=1; fi; uvicorn a', "uvicorn a"),
    ('if [ -n "$SECRET" ]; then uvicorn a; else uvicorn a; fi', "uvicorn a"),
    ('if [ -n "$SECRET" ]; then exec uvicorn a; fi; uvicorn a', "uvicorn a"),
    ("until ready; do sleep 1; done; uvicorn a", "uvicorn a"),
    ("while ! nc -z db 5432; do sleep 1; done; uvicorn a", "uvicorn a"),
    ("while true; do migrate; if [[ $? == 0 ]]; then break; fi; done; uvicorn a", "uvicorn a"),
    ("for i in {1..30}; do if ready; then break; fi; sleep 1; done; uvicorn a", "uvicorn a"),
    ("while true; do uvicorn a; done", "uvicorn a"),
    ("while [ ! -f /ready ]; do sleep 1; done; uvicorn a", "uvicorn a"),
    (
        "w() { for i in 1 2; do ready && return 0; done; return 1; }; w || exit 1; uvicorn a",
        "uvicorn a",
    ),
    ("serve() { local port=$1; uvicorn --port $port; }\nserve 9000", "uvicorn --port 9000"),
    ("uvicorn a | tee log", "uvicorn a"),
    ("uvicorn a 2>&1 | tee -a log | cat", "uvicorn a"),
    ("cd sub 2>/dev/null; uvicorn $PWD", "uvicorn /app"),
    ('cd "$(dirname "$0")/.."; uvicorn $PWD', "uvicorn /"),
    ("case $1 in api) shift; uvicorn $@;; *) exec $@;; esac", "uvicorn x y"),
    ('exec "${@:2}"', "x y"),
    ("set -a; . ./env; set +a; uvicorn --port $PORT", "uvicorn --port 5"),
    ("export $(grep -v '^#' env | xargs); uvicorn --port $PORT", "uvicorn --port 5"),
    ("cat > e <<E\nPORT=6\nE\nsource ./e; uvicorn $PORT", "uvicorn 6"),
    ('ARGS=(--port 1); ARGS+=(--host "a b"); uvicorn "${ARGS[@]}"', "uvicorn --port 1 --host a b"),
    ('eval "uvicorn --port \\$((7000+860))"', "uvicorn --port 7860"),
    ("source missing/activate; uvicorn a", "uvicorn a"),
    ("trap 'kill 0' EXIT\numask 2\nulimit -n 10\nuvicorn a", "uvicorn a"),
    ("command uvicorn a", "uvicorn a"),
    ("time uvicorn a", "uvicorn a"),
    ("uvicorn $(echo INFO | tr A-Z a-z)", "uvicorn info"),
]


@pytest.mark.parametrize(("text", "expected"), SERVED)
def test_what_is_served_in_the_foreground(text: str, expected: str) -> None:
    outcome, host = follow(
        text, env={"SECRET": None}, args=("api", "x", "y"), files={"/app/env": "# c\nPORT=5\n"}
    )
    if expected == "x y":
        assert shown(host.calls[-1]) == "x y"
        return
    assert running(outcome) == [expected]
    assert isinstance(outcome.ending, Blocked)
    assert outcome.ending.by == "command"


@pytest.mark.parametrize(
    ("text", "by", "expected"),
    [
        ("worker & uvicorn a", "command", ["worker &", "uvicorn a"]),
        ("uvicorn a &\nnginx &\nwait", "wait", ["uvicorn a &", "nginx &"]),
        ("uvicorn a &\nP=$!\nmigrate &\nwait $P", "wait", ["uvicorn a &"]),
        ("uvicorn a & wait -n", "wait", ["uvicorn a &"]),
        ("(cd x; uvicorn a) & wait", "wait", ["uvicorn a &"]),
        ("uvicorn a & sleep infinity", "command", ["uvicorn a &"]),
        ("uvicorn a & tail -f /dev/null", "command", ["uvicorn a &"]),
        ("uvicorn a & while true; do sleep 60; done", "loop", ["uvicorn a &"]),
        ("uvicorn a & P=$!; while kill -0 $P; do sleep 1; done", "loop", ["uvicorn a &"]),
        ("daemon; uvicorn a", "command", ["daemon &", "uvicorn a"]),
        ("sleep infinity", "command", []),
        ("while :; do sleep 9; done", "loop", []),
    ],
)
def test_what_it_waits_for(text: str, by: str, expected: list[str]) -> None:
    outcome, _ = follow(text)
    assert running(outcome) == expected
    assert isinstance(outcome.ending, Blocked)
    assert outcome.ending.by == by


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("uvicorn a &", 0, ["uvicorn a &"]),
        ("migrate & wait", 0, []),
        ("uvicorn a & P=$!; migrate; kill $P", 0, []),
        ("exit 3; uvicorn a", 3, []),
        ("set -e; fails; uvicorn a", 1, []),
        ("set -e; fails | true; (exit 4); uvicorn a", 4, []),
        ("fails; true", 0, []),
        ("set -e; if fails; then :; fi; ! fails; fails || true; false && true; exit 5", 5, []),
        ("set -u; echo $NOT_SET; uvicorn a", 1, []),
        ("echo ${NOT_SET:?is missing}; uvicorn a", 1, []),
        ("fails", 1, []),
        ("fi", 2, []),
        ("exec migrate; uvicorn a", 0, []),
        ("set -o pipefail; set -e; fails | cat; uvicorn a", 1, []),
    ],
)
def test_how_it_exits(text: str, status: int, expected: list[str]) -> None:
    outcome, _ = follow(text)
    assert isinstance(outcome.ending, Exited)
    assert outcome.ending.status == status
    assert running(outcome) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('if [ -n "$SECRET" ]; then uvicorn a; else uvicorn b; fi', "a secret"),
        ("if gpu; then exec uvicorn a; fi; uvicorn b", "`gpu` succeeds"),
        ("gpu && exec uvicorn a || exec uvicorn b", "a command before it"),
        ("mystery; uvicorn a", "nobody knows"),
        ("$SECRET a", "a secret"),
        ("eval $SECRET; uvicorn a", "a secret"),
        ("case $SECRET in a) uvicorn a;; *) uvicorn b;; esac", "a secret"),
        ("mystery & wait", "nobody knows"),
        ("f() { f; }; f", "nests too deeply"),
    ],
)
def test_what_can_not_be_known(text: str, reason: str) -> None:
    outcome, _ = follow(text, env={"SECRET": None})
    assert isinstance(outcome.ending, Unsettled)
    assert reason in outcome.ending.reason


def test_alternatives_are_told() -> None:
    outcome, _ = follow("if gpu; then uvicorn a; else uvicorn b; fi")
    assert [running(other) for other in outcome.alternatives] == [["uvicorn a"], ["uvicorn b"]]


def test_variables_of_two_ways_are_unknown() -> None:
    outcome, _ = follow(
        'if [ -n "$SECRET" ]; then P=1 Q=3; else P=2 Q=3; fi; uvicorn $P $Q', env={"SECRET": None}
    )
    assert running(outcome) == ["uvicorn ? 3"]


def test_a_background_job_of_one_way_is_unclear() -> None:
    outcome, _ = follow('if [ -n "$SECRET" ]; then worker & fi; uvicorn a', env={"SECRET": None})
    assert running(outcome) == ["uvicorn a"]
    assert "a secret" in outcome.unclear[0].reason


def test_what_is_assumed_is_told() -> None:
    outcome, _ = follow("migrate || exit 1; uvicorn a")
    assert [(one.place.text, "succeed" in one.note) for one in outcome.trail] == [
        ("migrate || exit 1", True)
    ]


def test_origins_of_a_word() -> None:
    text = "P=${PORT:-7860}\nuvicorn --port=$P b"
    outcome, host = follow(text)
    word = host.calls[0].argv[1]
    assert word.place.text == "--port=$P"
    assert [origin.place.text for origin in word.value.origins] == [
        "--port=",
        "$P",
        "P=${PORT:-7860}",
        "${PORT:-7860}",
        "7860",
    ]
    assert [origin.place.text for origin in host.calls[0].argv[2].value.origins] == ["b"]
    assert outcome.running[0].place.text == "uvicorn --port=$P b"


def test_unknown_words() -> None:
    _, host = follow('uvicorn $SECRET --a=$SECRET "x$SECRET" /secret/*', env={"SECRET": None})
    words = host.calls[0].argv[1:]
    assert [(word.prefix, word.splits) for word in words] == [
        ("", True),
        ("--a=", True),
        ("x", False),
        ("", True),
    ]


def test_calls_carry_environment_folder_and_steps() -> None:
    text = "X=1; export Y=2\nf() { Z=3 uvicorn a; }\ncd /app/sub; f"
    outcome, host = follow(text, env={"E": "0"}, files={"/app/sub": None})
    call = host.calls[0]
    assert {
        name: value.value
        for name, value in call.env.items()
        if isinstance(value, Known) and name != "OLDPWD"
    } == {"E": "0", "Y": "2", "Z": "3"}
    assert call.cwd == Known("/app/sub", call.cwd.origins)
    assert [(step.place.text, step.note) for step in call.steps] == [("f", "calls f")]
    assert outcome.running[0].steps == call.steps


def test_files_sourced_keep_their_places() -> None:
    outcome, host = follow(". ./lib.sh; go", files={"/app/lib.sh": "go() {\n  uvicorn a\n}\n"})
    assert running(outcome) == ["uvicorn a"]
    assert outcome.running[0].place.source.path == Path("/app/lib.sh")
    assert host.calls[0].steps[0].place.source.path == Path("/app/start.sh")


def test_an_unread_file_may_set_anything() -> None:
    outcome, host = follow(". /unclear; uvicorn --port ${PORT:-1}")
    assert running(outcome) == ["uvicorn --port ?"]
    assert host.calls[0].open_env is not None


def test_written_files() -> None:
    outcome, host = follow("echo one > f; printf '%s\\n' two >> f; mkdir -p d/e; nginx -c f")
    assert host.calls[0].files["/app/f"].text == Known(
        "one\ntwo\n", host.calls[0].files["/app/f"].text.origins
    )
    assert outcome.files["/app/d"].kind == "dir"


def test_a_file_that_a_command_names_may_be_there() -> None:
    text = "seed made.db; if [ -f made.db ]; then uvicorn a; else uvicorn b; fi"
    assert isinstance(follow(text)[0].ending, Unsettled)


@pytest.mark.parametrize(
    ("dialect", "text", "expected"),
    [
        ("dash", "source ./e; uvicorn $P", "uvicorn"),
        ("dash", "if [[ -n x ]]; then uvicorn a; else uvicorn b; fi", "uvicorn b"),
        ("bash", "if [[ -n x ]]; then uvicorn a; else uvicorn b; fi", "uvicorn a"),
        ("dash", "uvicorn {a,b}", "uvicorn {a,b}"),
        ("bash", "uvicorn {a,b}", "uvicorn a b"),
        ("dash", "echo '\\x' > f; echo 'P=1\\nQ=2' > e; . ./e; uvicorn $Q", "uvicorn 2"),
        ("bash", "echo -e 'P=1\\nQ=2' > e; . ./e; uvicorn $Q", "uvicorn 2"),
    ],
)
def test_dialects(dialect: Dialect, text: str, expected: str) -> None:
    outcome, _ = follow(text, dialect=dialect, files={"/app/e": "P=1\n"})
    assert running(outcome) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        ". e; uvicorn a",
        "a=(1); uvicorn a",
        "function f { a; }; uvicorn a",
        "set -o x\r\nuvicorn a",
    ],
)
def test_what_dash_refuses(text: str) -> None:
    outcome, _ = follow(text, dialect="dash", files={"/app/e": ""})
    assert isinstance(outcome.ending, Exited)
    assert outcome.ending.status == 2


def test_an_unknown_shell_is_not_guessed() -> None:
    text = "if [[ -n x ]]; then uvicorn a; else uvicorn b; fi"
    assert isinstance(follow(text, dialect="sh")[0].ending, Unsettled)


def test_carriage_returns_stay_in_words() -> None:
    _, host = follow("uvicorn a:b\r\n")
    assert shown(host.calls[0]) == "uvicorn a:b\r"


def test_lines_before_a_fault_run() -> None:
    outcome, _ = follow("uvicorn a\nif")
    assert running(outcome) == ["uvicorn a"]


def test_a_nested_script_is_a_result() -> None:
    outcome, _ = follow("worker & uvicorn a")
    assert isinstance(outcome.result, Blocks)
    left = follow("uvicorn a &")[0].result
    assert isinstance(left, Returns)
    assert (left.status, len(left.running)) == (0, 1)
    assert isinstance(follow("mystery")[0].result, Unclear)


def test_known_output() -> None:
    stdout = follow("echo a; printf '%03d|%s\\n' 7 x; pwd")[0].stdout
    assert isinstance(stdout, Known)
    assert stdout.value == "a\n007|x\n/app\n"


@pytest.mark.parametrize(
    "text",
    [
        "f() { f; f; }; f",
        "x=a; while true; do x=$x$x; y=$y$x.; done",
        "a || b && " * 5000 + "c",
        "if [ $S ]; then A=1; else A=2; fi\n" * 400,
        "f() { if [ $S ]; then f; else f; fi; }; f",
        "for i in {1..900}; do for j in {1..900}; do a; done; done",
        "eval " * 3000 + "a",
        "set -- a; " + 'set -- "$@" "$@"; ' * 30,
        "A=(x); " + 'A+=("${A[@]}"); ' * 30,
        "echo " + "[" * 9000,
        ". ./start.sh",
        "while [ $S ]; do break; done\n" * 300,
    ],
)
def test_work_is_bounded(text: str) -> None:
    def walk() -> None:
        follow(text, env={"S": None}, files={"/app/start.sh": ". ./start.sh"})

    assert calls(walk) < 30_000_000
