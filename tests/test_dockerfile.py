"""The Dockerfile reader: instructions, spans, stages, and the faults that stop a build."""

from __future__ import annotations

from pathlib import Path

import pytest
from work import calls

from hfcheck.source import SourceFile
from hfcheck.space.docker.dockerfile import Dockerfile, Instruction, parse
from hfcheck.space.value import Known, Unknown


def read(text: str) -> Dockerfile:
    bom = text.startswith("\ufeff")
    return parse(SourceFile(Path("/Dockerfile"), text.removeprefix("\ufeff"), bom=bom))


def body(text: str) -> list[Instruction]:
    """The instructions after a first FROM."""
    dockerfile = read("FROM python:3.12\n" + text)
    assert dockerfile.problems == []
    return dockerfile.stages[0].instructions


def one(text: str) -> Instruction:
    (instruction,) = body(text)
    return instruction


def texts(instruction: Instruction) -> list[str]:
    return [word.text for word in instruction.words]


def places(instruction: Instruction) -> list[str]:
    return [instruction.word_place(word).text for word in instruction.words]


def pairs(instruction: Instruction) -> list[tuple[str, str | None]]:
    return [(p.name.text, p.value.text if p.value else None) for p in instruction.pairs]


# Lines


def test_comments_and_blank_lines_inside_a_continuation_drop_out() -> None:
    run = one("RUN a \\\n# note\n\n  # note\n  b \\\n\n c\n")
    assert (run.line, run.value) == (2, "a   b  c")
    assert run.word_place(run.words[0]).text == "a \\\n# note\n\n  # note\n  b \\\n\n c"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("RUN a \\  \n b", "a  b"),
        ("RUN a \\\r\n b\r\n", "a  b"),
        ("RUN a \\", "a"),
        ("RUN a \\\n# last", "a"),
        ("RUN a \\\\\n", "a \\\\"),
        ("RUN a # b", "a # b"),
        ("\\\nRUN a", "a"),
        ("RU\\\nN a", "a"),
        ("  run\ta", "a"),
    ],
)
def test_continuations(text: str, value: str) -> None:
    run = one(text)
    assert (run.name, run.value, run.line) == ("RUN", value, 2)


@pytest.mark.parametrize(
    "head", ["# escape=`", "# syntax=x\n#ESCAPE = `", " # escape=`", "# check=skip=all\n# escape=`"]
)
def test_the_escape_directive(head: str) -> None:
    dockerfile = read(f"{head}\nFROM a\nRUN b `\n c\\\nCMD d\n")
    assert dockerfile.escape == "`"
    assert [i.value for i in dockerfile.stages[0].instructions] == ["b  c\\", "d"]


@pytest.mark.parametrize("head", ["\n# escape=`", "# note\n# escape=`", "# note=x\n# escape=`"])
def test_a_late_escape_directive_is_a_comment(head: str) -> None:
    assert read(f"{head}\nFROM a\n").escape == "\\"


def test_byte_order_mark_and_carriage_returns() -> None:
    dockerfile = read("\ufeffFROM a\r\nCMD b\r\n")
    (cmd,) = dockerfile.stages[0].instructions
    assert (cmd.value, cmd.place.text, dockerfile.problems) == ("b", "CMD b", [])


# Words and their places


def test_words_keep_their_place_across_lines() -> None:
    env = one("ENV A=1 \\\n  B=\"x \\\ny\" C='z'\n")
    assert texts(env) == ["A=1", 'B="x y"', "C='z'"]
    assert places(env) == ["A=1", 'B="x \\\ny"', "C='z'"]
    assert [pair.value and env.word_place(pair.value).text for pair in env.pairs] == [
        "1",
        '"x \\\ny"',
        "'z'",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ENV A=b C="d e" F=g\\ h', [("A", "b"), ("C", '"d e"'), ("F", "g\\ h")]),
        ("ENV A b  c", [("A", "b  c")]),
        ("ENV A = b", [("A", "= b")]),
        ("ENV A  b=c", [("A", "b=c")]),
        ("LABEL a=b=c", [("a", "b=c")]),
        ("ARG A B= C=d", [("A", None), ("B", ""), ("C", "d")]),
    ],
)
def test_names_and_values(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert pairs(one(text)) == expected


def test_json_words_are_decoded_and_stand_with_their_quotes() -> None:
    cmd = one('CMD ["uvicorn", \\\n  "a\\u003ab", "--port"]')
    assert cmd.json == cmd.words
    assert texts(cmd) == ["uvicorn", "a:b", "--port"]
    assert places(cmd) == ['"uvicorn"', '"a\\u003ab"', '"--port"']


@pytest.mark.parametrize(
    "array", ["['a']", '["a",]', '["a"', '["a"] # b', "[NaN]", '["a"\u00a0,"b"]', '["\\x"]', "[a]"]
)
def test_what_is_no_json_is_shell_form(array: str) -> None:
    cmd = one(f"CMD {array}")
    assert (cmd.json, texts(cmd)) == (None, [array])


def test_an_empty_array_is_json() -> None:
    assert one("CMD []").json == ()


def test_flags() -> None:
    copy = one("COPY --from=base --link --chown='a b' x y /z/")
    assert [copy.flag(name) for name in ("from", "link", "chown", "chmod")] == [
        "base",
        "",
        "a b",
        None,
    ]
    assert texts(copy) == ["x", "y", "/z/"]
    assert [copy.word_place(flag).text for flag in copy.flags][2] == "--chown='a b'"
    run = one("RUN --mount=type=cache,target=/a \\\n --mount=type=tmpfs,target=/b c --d")
    assert run.flag_values("mount") == ["type=cache,target=/a", "type=tmpfs,target=/b"]
    assert texts(run) == ["c --d"]


def test_healthcheck_and_onbuild() -> None:
    check, onbuild = body('HEALTHCHECK --interval=5s CMD ["curl", "x"]\nONBUILD COPY --link a b\n')
    assert (texts(check), check.flag("interval")) == (["CMD", "curl", "x"], "5s")
    assert check.json == check.words[1:]
    inner = onbuild.onbuild
    assert inner is not None
    assert (inner.name, texts(inner), inner.place.text) == ("COPY", ["a", "b"], "COPY --link a b")


# Heredocs


def test_a_heredoc_is_no_instruction() -> None:
    run, cmd = body("RUN <<EOF cat\nCMD no\n\\\n# kept\nEOF\nCMD yes\n")
    (heredoc,) = run.heredocs
    assert (heredoc.name, heredoc.body, heredoc.expand) == ("EOF", "CMD no\n\\\n# kept\n", True)
    assert run.source.slice(heredoc.span) == heredoc.body
    assert run.place.text == "RUN <<EOF cat\nCMD no\n\\\n# kept\nEOF"
    assert (cmd.value, cmd.line) == ("yes", 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN <<-A\n\t\ta\n\tA\n", [("A", "a\n", True)]),
        ("RUN <<'A'\na\nA\n", [("A", "a\n", False)]),
        ("RUN << A\na\nA\n", [("A", "a\n", True)]),
        ("RUN 3<<A cat\na\nA\n", [("A", "a\n", True)]),
        ('COPY <<a <<"b" /x/\n1\na\n2\nb\n', [("a", "1\n", True), ("b", "2\n", False)]),
        ("ADD <<a /x\r\n1\r\na\r\n", [("a", "1\r\n", True)]),
        ("ONBUILD RUN <<A\na\nA\n", [("A", "a\n", True)]),
        ("RUN a '<<A'\n", []),
        ("RUN cat <<<A\n", []),
        ("RUN echo $((1<<2))\n", []),
        ('RUN ["cat", "<<A"]\n', []),
        ("CMD cat <<A\n", []),
    ],
)
def test_heredocs(text: str, expected: list[tuple[str, str, bool]]) -> None:
    found = [(h.name, h.body, h.expand) for h in one(text).heredocs]
    assert found == expected


# Stages


def test_stages() -> None:
    dockerfile = read(
        "ARG V=3.12\nARG IMAGE=python:$V-slim\n"
        "FROM --platform=$BUILDPLATFORM ${IMAGE} AS Base\nRUN a\n"
        "FROM base\nFROM scratch as last\nCOPY --from=BASE a b\nCOPY --from=1 c d\n"
    )
    assert dockerfile.problems == []
    base, child, last = dockerfile.stages
    assert [(s.name, s.base, s.parent) for s in dockerfile.stages] == [
        ("base", "python:3.12-slim", None),
        (None, None, base),
        ("last", "scratch", None),
    ]
    assert dockerfile.final is last
    assert dockerfile.stage("BASE") is base
    assert dockerfile.stage("1") is child
    assert dockerfile.stage("python") is None
    assert [arg.name for arg in dockerfile.preamble] == ["ARG", "ARG"]
    assert dockerfile.needed() == [base, child, last]


def test_a_number_in_from_is_an_image_and_a_name_may_come_again() -> None:
    first, second, third = read("FROM a AS x\nFROM x AS x\nFROM 0\n").stages
    assert (second.parent, third.parent, third.base) == (first, None, "0")


def test_a_stage_that_nothing_needs_is_not_built() -> None:
    dockerfile = read("FROM a AS x\nENV A='\nFROM b\nRUN c\n")
    assert dockerfile.needed() == dockerfile.stages[1:]
    assert dockerfile.problems == []


def test_work_for_many_stages_grows_with_their_number() -> None:
    def work(count: int) -> int:
        stages = (f"FROM s{n - 1} AS s{n}\nCOPY --from=s{n - 1} /a /b\n" for n in range(1, count))
        text = "FROM python AS s0\n" + "".join(stages)
        return calls(lambda: read(text).needed())

    assert work(400) < 2.5 * work(200)


def test_build_arguments_of_the_space() -> None:
    source = SourceFile(Path("/Dockerfile"), "ARG V=1\nARG W\nFROM a:$V\nFROM b:$W\n")
    dockerfile = parse(source, {"V": Known("2")})
    assert [stage.base for stage in dockerfile.stages] == ["a:2", None]
    assert isinstance(dockerfile.global_args["W"], Unknown)
    assert dockerfile.problems == []


# Faults


FAULTS = [
    ("", "", "no instructions"),
    ("# only a note\n", "", "no instructions"),
    ("ARG A\n", "ARG", "no FROM"),
    ("RUN a\nFROM b\n", "RUN", "before the first FROM"),
    ("# escape=x\nFROM a\n", "# escape=x", "escape character"),
    ("# syntax=a\n# syntax=b\nFROM a\n", "# syntax=b", "only one syntax"),
    ("FROM\n", "FROM", "takes an image"),
    ("FROM a AS\n", "a AS", "takes an image"),
    ("FROM a # note\n", "a # note", "takes an image"),
    ("FROM a AS 1x\n", "1x", "stage name"),
    ("FROM --plat=x a\n", "--plat=x", "unknown flag"),
    ("FROM Python:3.12\n", "Python:3.12", "lower case"),
    ("FROM a:\n", "a:", "tag"),
    ("FROM $NONE\n", "$NONE", "blank"),
    ("FROM ${A^^}\n", "${A^^}", "unsupported modifier"),
    ("FROM a AS Base\nFROM Base\n", "Base", "lower case"),
    ("ARG A=${B?}\nFROM a\n", "${B?}", "unset"),
    ("FROM --platform=a/b/c/d e\n", "--platform=a/b/c/d", "three parts"),
    ("FROM --platform=$NONE e\n", "--platform=$NONE", "blank"),
    ("FROM --platform=toaster e\n", "--platform=toaster", "called so"),
    ("FROM a AS b\nONBUILD NOPE x\nFROM b\n", "FROM", "unknown instruction: NOPE"),
    ("FROM a AS b\nONBUILD EXPOSE x\nFROM b\n", "FROM", "no port"),
    ("FROM a AS b\nONBUILD COPY --from=7 x y\nFROM b\n", "FROM", "no stage 7"),
    ("FROM a AS b\nONBUILD COPY --from=c x y\nFROM b\nFROM a AS c\nCOPY --from=1 x y", "FROM", "c"),
    ("FROM a AS x\nCOPY --from=y b c\nFROM a AS y\nCOPY --from=x b c\nFROM d", "COPY", "circle"),
    (
        "FROM a AS c\nRUN --mount=from=b,target=/b d\nFROM a AS b\nFROM c",
        "--mount=from=b,target=/b",
        "before",
    ),
]
BODY_FAULTS = [
    ("NOPE a", "NOPE", "unknown instruction: NOPE"),
    ("ENV", "ENV", "at least one"),
    ("ENV A", "A", "two arguments"),
    ("ENV A=1 # note", "#", "no `=`"),
    ("ENV =1", "", "blank"),
    ("ENV A='x", "'x", "single-quote"),
    ('ENV A="x', '"x', "double-quote"),
    ("ENV A=${B:0:1}", "${B:0:1}", "unsupported modifier"),
    ("WORKDIR ${A", "${A", "unsupported modifier"),
    ("LABEL a", "a", "two arguments"),
    ("ARG", "ARG", "at least one"),
    ("USER", "USER", "needs an argument"),
    ("WORKDIR", "WORKDIR", "needs an argument"),
    ("COPY a", "COPY", "two arguments"),
    ("COPY --form=a b c", "--form=a", "unknown flag"),
    ("COPY --from=$A b c", "--from=$A", "not replaced"),
    ("COPY --from=7 b c", "--from=7", "no stage 7"),
    ("COPY --link=maybe b c", "--link=maybe", "true or false"),
    ("COPY --chown a b", "--chown", "no value"),
    ("COPY --from=a --from=b c d", "--from=b", "twice"),
    ("COPY a <<EOF\nb\nEOF", "<<EOF", "destination"),
    ("EXPOSE", "EXPOSE", "at least one"),
    ("EXPOSE 7860,8000", "7860,8000", "neither a number"),
    ("EXPOSE 70000", "70000", "65535"),
    ("EXPOSE -1", "-1", "neither a number"),
    ("EXPOSE 7860 # note", "#", "neither a number"),
    ("EXPOSE 80/http", "80/http", "protocol"),
    ("EXPOSE 9-8", "9-8", "backwards"),
    ("CMD --port 7860", "--port", "unknown flag"),
    ("RUN --network=some a", "--network=some", "can't be"),
    ("RUN --mount=from=$A b", "--mount=from=$A", "not replaced"),
    ("CMD [1]", "[1]", "only strings"),
    ('COPY ["a", ["b"]]', '["a", ["b"]]', "only strings"),
    ("SHELL bash -c", "bash -c", "JSON form"),
    ("HEALTHCHECK curl x", "curl", "CMD or NONE"),
    ("HEALTHCHECK CMD", "CMD", "no command"),
    ("HEALTHCHECK NONE x", "x", "no arguments"),
    ("HEALTHCHECK --interval=30 CMD x", "--interval=30", "unit"),
    ("HEALTHCHECK --retries=many CMD x", "--retries=many", "retries"),
    ("ONBUILD FROM a", "FROM", "can't hold"),
    ("ONBUILD ONBUILD RUN a", "ONBUILD", "can't hold"),
    ("VOLUME", "VOLUME", "at least one"),
    ("RUN <<EOF\na\n", "RUN <<EOF", "no line `EOF`"),
    ("\\", "\\", "empty instruction"),
    ("RUN []", "RUN", "no command"),
    ("ENV A=${B:?unset}", "${B:?unset}", "B: unset"),
    ("ENV A=\nENV B=${A:?}", "${A:?}", "allowed to be empty"),
    ("ENV A=x\nEXPOSE $A", "$A", "neither a number"),
    ("ENV A=9\nCOPY --chmod=$A a b", "--chmod=$A", "no mode"),
    ("COPY --chmod=77777 a b", "--chmod=77777", "greater than 7777"),
    ("COPY --chmod=u+z a b", "--chmod=u+z", "no mode"),
    ("COPY https://a.b/c d", "https://a.b/c", "only files of the build"),
    ("COPY git@a.b:c d", "git@a.b:c", "only files of the build"),
    ("COPY --from=-1 b c", "--from=-1", "no stage -1"),
    ("ADD --checksum=x http://a.b/c d", "ADD", "no digest"),
    ("ADD --checksum=x a b", "a", "on the web"),
    ("ADD --checksum=x http://a.b/c d e", "ADD", "one source"),
    ("STOPSIGNAL SIGNONE", "SIGNONE", "no such signal"),
    ("STOPSIGNAL 0", "0", "no signal 0"),
    ("VOLUME $A", "$A", "empty"),
    ("HEALTHCHECK --interval=1us CMD x", "--interval=1us", "shorter than a millisecond"),
    ("HEALTHCHECK --interval=-5s CMD x", "--interval=-5s", "shorter"),
    ("HEALTHCHECK --timeout=9999999h CMD x", "--timeout=9999999h", "too long"),
    ("HEALTHCHECK --retries=-1 CMD x", "--retries=-1", "out of range"),
    ("RUN --mount=type=x,target=/a b", "--mount=type=x,target=/a", "no mount type"),
    ("RUN --mount=targt=/a b", "--mount=targt=/a", "no option `targt`"),
    ("RUN --mount=a b", "--mount=a", "no value"),
    ("RUN --mount=type=cache b", "--mount=type=cache", "root of the image"),
    ("RUN --mount=size=1,type=tmpfs,target=/a b", "--mount=size=1,type=tmpfs,target=/a", "size"),
    ("RUN --mount=target=/a,mode=7 b", "--mount=target=/a,mode=7", "no mode"),
    ("RUN --mount=target=/a,sharing=locked b", "--mount=target=/a,sharing=locked", "not shared"),
    ("RUN --mount=type=cache,sharing=x,target=/a b", "--mount=type=cache,sharing=x,target=/a", "x"),
    ("RUN --mount=type=secret b", "--mount=type=secret", "needs an id"),
    ("RUN --mount=type=secret,id=a,src=b c", "--mount=type=secret,id=a,src=b", "not both"),
    ("RUN --mount=type=secret,id=a,from=b c", "--mount=type=secret,id=a,from=b", "no from"),
    ("RUN --mount=type=ssh,src=a b", "--mount=type=ssh,src=a", "no source"),
    ("RUN --mount=target=/a,required b", "--mount=target=/a,required", "required"),
    ("RUN --mount=target=/a,ro=maybe b", "--mount=target=/a,ro=maybe", "no value of ro"),
    ("RUN --mount=type=cache,target=/a,uid=-1 b", "--mount=type=cache,target=/a,uid=-1", "uid"),
    ("RUN --mount='\"a' b", "--mount='\"a'", "comma separated"),
    ("RUN --mount=target=$A b", "--mount=target=$A", "root of the image"),
    ("RUN --mount=target=${A b", "--mount=target=${A", "can't be expanded"),
    ("COPY --chown\xa0=a b c", "--chown\xa0", "unknown flag"),
    ("RUN " + "a" * 65_532, "RUN " + "a" * 76, "65535 bytes"),
]


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [*FAULTS, *(("FROM python\n" + t, at, m) for t, at, m in BODY_FAULTS)],
)
def test_faults(text: str, at: str, message: str) -> None:
    problems = [p for p in read(text).problems if message in p.message]
    assert problems, read(text).problems
    assert problems[0].place.text == at


@pytest.mark.parametrize(
    "text",
    [
        *("EXPOSE 7860/TCP 1000-1010 127.0.0.1:80:90 [::1]:80:90", 'EXPOSE "7860" $PORT'),
        *("CMD", "RUN", "ENTRYPOINT", "ARG --x=y A", "HEALTHCHECK --x NONE", "VOLUME a b"),
        *("RUN --network=none --security=insecure --mount=type=cache,target=/a b", "CMD -- --port"),
        *("ENV A=${PATH:?unset} C=$$ D=$", "COPY --from=GHCR.io/a.b/c:1 a b", "cmd ${A^^} '"),
        *("HEALTHCHECK --interval=1m30.5s --timeout=0 --retries=3 CMD a", 'SHELL ["a"]'),
        *("COPY <<A /x\n'${B}\nA", "COPY <<'A' /x\n${B^^}\nA", "ARG A\nADD --checksum=$A a b"),
        *("ONBUILD NOPE a", "USER $A", 'ENV A="b\\" c"', "STOPSIGNAL SIGTERM", "MAINTAINER a b"),
        *("STOPSIGNAL rtmin+3", "STOPSIGNAL 99", "COPY --chmod=u=rwx,go+r a b"),
        *("ARG A\nENV B=${A:?}", "ARG A\nEXPOSE $A", "EXPOSE $NONE", "COPY --chmod=$NONE a b"),
        *("RUN --mount=type=secret,id=a,mode=0400,required=true b", "ADD https://a.b/c.git#main d"),
        *("RUN --mount=type=cache,id=a,dst=/a,sharing=locked,uid=1000,gid=1000 b", "ENTRYPOINT []"),
        *("RUN --mount=type=tmpfs,target=/a,size=1.5g b", "WORKDIR /a\nRUN --mount=target=. b"),
        *(
            "RUN --mount=type=bind,source=a,target=b,rw c",
            "RUN --mount=type=ssh b",
            "COPY github.com/a b",
        ),
        *("RUN --mount=type=$A,target=/a b".replace("$A", "${NONE:-cache}"), "ONBUILD EXPOSE abc"),
    ],
)
def test_no_false_alarm(text: str) -> None:
    assert read(f"FROM python:3.12\n{text}\n").problems == []


@pytest.mark.parametrize(
    "image",
    [
        *("a", "a/b", "a.b/c:T_1", "localhost:5000/a/b", "a@sha256:" + "0" * 64, "a--b__c.d:1"),
        *("a:1@sha256:" + "0" * 64, "[::1]:80/a", "ghcr.io/astral-sh/uv:python3.12-bookworm"),
    ],
)
def test_image_names(image: str) -> None:
    dockerfile = read(f"FROM {image}\n")
    assert (dockerfile.problems, dockerfile.stages[0].base) == ([], image)


@pytest.mark.parametrize("image", ["a b", "-a", "a//b", "a@b", "a..b", "a:b:c", "0" * 64, "a/B"])
def test_what_is_no_image_name(image: str) -> None:
    assert read(f"FROM {image}\n").problems


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN " + "b \\\n" * 30_000 + "c\n",
        "FROM a\nENV " + "A=b \\\n" * 30_000 + "C=d\n",
        "FROM a\nCMD [" + '"b", \\\n' * 30_000 + '"c"]\n',
        "FROM a AS b\nCOPY --from=b c d\n" * 5_000,
        "FROM a\nONBUILD " + "ONBUILD " * 10_000,
        "FROM a\nCMD " + "[" * 60_000,
        "ARG A=aa\n" + "ARG A=$A$A\n" * 5_000 + "FROM a$A\n",
        "FROM a\nRUN <<A <<B <<C\n" * 5_000,
        "FROM a\nRUN " + "--mount=target=/a \\\n" * 10_000 + "b\n",
        "FROM a\nEXPOSE 1-65535\n" * 5_000,
        "FROM a AS b\n" + "COPY --from=b a c\n" * 10_000,
        "\\\n" * 50_000,
    ],
)
def test_large_files_take_linear_time(text: str) -> None:
    assert calls(lambda: read(text)) < 60 * len(text)


def test_against_buildkit() -> None:
    pytest.importorskip("dockerfile", reason="the package that binds BuildKit's parser")
    from tests.differential.dockerfile import instructions as differential

    assert differential.compare(400, 0)[0] == []


def test_against_recorded_answers_of_buildkit() -> None:
    from tests.differential.dockerfile.__main__ import Tally
    from tests.differential.dockerfile.answers import recorded

    tally = Tally()
    for case, answer in recorded():
        tally.add(case, answer)
    assert tally.configurations > 400
    assert tally.differences == []
