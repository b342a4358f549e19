"""The symbolic image: which files land where, and how the container is configured."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from work import calls

from hfcheck.source import SourceFile
from hfcheck.space.context import Context
from hfcheck.space.declared import Declared
from hfcheck.space.docker.dockerfile import parse
from hfcheck.space.image.image import Image, ImageFile, ImageFolder, build_image
from hfcheck.space.value import Known, Unknown

Make = Callable[..., Image]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Build an image of a Dockerfile (without `FROM`, on python:3.12-slim) and a tree of files."""

    def build(
        text: str, files: dict[str, str] | None = None, variables: dict[str, str] | None = None
    ) -> Image:
        root = tmp_path.resolve()
        for name, content in (files or {}).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8"))
        text = text if "FROM" in text else f"FROM python:3.12-slim\n{text}"
        (root / "Dockerfile").write_text(text, "utf-8")
        dockerfile = parse(SourceFile(root / "Dockerfile", text))
        return build_image(dockerfile, Context(root), Declared(variables=variables or {}))

    return build


def text_at(image: Image, path: str) -> str:
    entry = image.lookup(path)
    assert isinstance(entry, ImageFile), entry
    assert isinstance(entry.source, SourceFile)
    return entry.source.text


def value_of(image: Image, name: str) -> str | None:
    value = image.env[name]
    return value.value if isinstance(value, Known) else None


APP = {"app/main.py": "app", "app/x/y.txt": "y", "main.py": "main", "requirements.txt": "r"}


@pytest.mark.parametrize(
    ("steps", "there", "gone"),
    [
        ("WORKDIR /app\nCOPY . .", ["/app/main.py", "/app/app/x/y.txt"], ["/main.py"]),
        ("COPY app/ /srv", ["/srv/main.py", "/srv/x/y.txt"], ["/srv/app"]),
        ("COPY app /srv/", ["/srv/main.py"], ["/srv/app/main.py"]),
        ("WORKDIR /w\nCOPY app ./app", ["/w/app/main.py"], ["/w/app/app"]),
        ("COPY main.py /srv/run.py", ["/srv/run.py"], ["/srv/main.py"]),
        ("COPY main.py /srv/", ["/srv/main.py"], []),
        ("COPY main.py /new", ["/new"], ["/new/main.py"]),
        ("WORKDIR /new\nCOPY main.py /new", ["/new/main.py"], []),
        ("WORKDIR /a\nWORKDIR b\nCOPY main.py .", ["/a/b/main.py"], ["/a/main.py"]),
        ("WORKDIR /a\nCOPY main.py requirements.txt ./", ["/a/requirements.txt"], []),
        ("WORKDIR /a\nCOPY *.py app/*.py ./", ["/a/main.py"], ["/a/requirements.txt"]),
        ("WORKDIR /a\nCOPY ap* ./", ["/a/main.py", "/a/x/y.txt"], ["/a/app"]),
        ('COPY ["main.py", "/my dir/"]', ["/my dir/main.py"], []),
        ("COPY --parents app/x/y.txt /d/", ["/d/app/x/y.txt"], ["/d/y.txt"]),
        ("COPY --parents ./app/./x/y.txt /d/", ["/d/x/y.txt"], ["/d/app"]),
        ("COPY --parents app/*.py /d/", ["/d/app/main.py"], ["/d/app/x"]),
        ("COPY --exclude=**/*.txt app /d", ["/d/main.py", "/d/x"], ["/d/x/y.txt"]),
        ("COPY ../main.py /d/", ["/d/main.py"], []),
        ("ARG D=/v\nENV E=$D/e\nCOPY main.py ${E}/", ["/v/e/main.py"], []),
        ("COPY . /a\nRUN rm -rf /a/app && mv /a/main.py /a/b.py", ["/a/b.py"], ["/a/app/x"]),
        ("COPY . /a\nRUN cd /a; rm *.py", ["/a/app/main.py"], ["/a/main.py"]),
        ("COPY . /a\nRUN cp -r /a/app /b", ["/b/main.py"], ["/b/app"]),
        ("COPY . /a\nRUN mkdir /b && cp -r /a/app /b", ["/b/app/main.py"], ["/b/main.py"]),
        ("COPY . /a\nRUN mkdir -p /b && cp -r /a/app/. /b", ["/b/main.py"], ["/b/app"]),
        ("COPY . /a\nRUN mv /a/app /b", ["/b/x/y.txt"], ["/a/app/main.py"]),
        ("COPY . /a\nRUN ln -s /a/app /b", ["/b/main.py"], ["/b/other.py"]),
        ("COPY . /a\nRUN ln -s app /a/current", ["/a/current/x/y.txt"], ["/a/current/z"]),
        ("COPY . /a\nRUN install -m 755 /a/main.py /b/", ["/b/main.py"], ["/b/x"]),
        ("RUN useradd -m -u 1000 user\nCOPY main.py /home/user", ["/home/user/main.py"], []),
        ("RUN touch /a /b", ["/a", "/b"], ["/c"]),
        ("RUN sh -c 'cd /srv && touch a'", ["/srv/a"], ["/a"]),
        ("RUN (cd /srv && touch a); touch b", ["/srv/a", "/b"], ["/srv/b"]),
        ("RUN if [ -f /x ]; then touch /y; else touch /z; fi", ["/z"], ["/y"]),
        ("COPY . /a\nRUN [ -d /a/app ] && touch /y", ["/y"], []),
        ("RUN for f in a b; do touch /d/$f.txt; done", ["/d/a.txt", "/d/b.txt"], ["/d/c.txt"]),
        ("RUN true || touch /no", [], ["/no"]),
        ('RUN ["touch", "/a$b"]', ["/a$b"], []),
        ("RUN <<EOF\ntouch /a\ncd /srv\ntouch b\nEOF", ["/a", "/srv/b"], ["/b"]),
        ("RUN pip install -r r.txt && apt-get update | cat", [], ["/app/x.py", "/x.py"]),
        ("WORKDIR /a\nRUN npm ci && python -c 'import torch'", [], ["/a/main.py"]),
    ],
)
def test_where_files_land(make: Make, steps: str, there: list[str], gone: list[str]) -> None:
    image = make(steps, APP)
    assert image.missing_sources == ()
    assert [path for path in there if image.kind(path) not in ("file", "dir")] == []
    assert [path for path in gone if image.kind(path) != "absent"] == []


@pytest.mark.parametrize(
    ("steps", "unclear", "absent"),
    [
        ("WORKDIR /a\nRUN npm run build", ["/a/x", "/a/b/c"], ["/b"]),
        ("WORKDIR /a\nRUN make -C /b", ["/a/x", "/b/x"], ["/c"]),
        ("WORKDIR /a\nRUN python gen.py", ["/a/x"], ["/c"]),
        ("WORKDIR /a\nRUN python -c \"open('x.py', 'w')\"", ["/a/x"], ["/c"]),
        ("WORKDIR /a\nRUN git clone https://example.com/u/tool.git", ["/a/tool/x"], ["/a/x"]),
        ("RUN curl -fsSL https://example.com/x.sh -o /s.sh", ["/s.sh"], ["/x.sh"]),
        ("WORKDIR /a\nRUN curl -O https://example.com/f.py", ["/a/f.py"], ["/a/g.py"]),
        ("RUN wget https://example.com/t.tgz && tar xzf t.tgz -C /a", ["/a/x", "/t.tgz"], ["/b"]),
        ("WORKDIR /a\nRUN unzip x.zip", ["/a/x"], ["/x"]),
        ("ADD x.tar.gz /a", ["/a/x"], ["/b"]),
        ("ADD https://example.com/f.py /a/", ["/a/f.py"], ["/a/g.py"]),
        ("ADD https://example.com/u/r.git /a", ["/a/f.py"], ["/b"]),
        ("COPY --from=example.com/tool /a /b/", ["/b/x"], ["/c"]),
        ("WORKDIR /a\nRUN python -m venv .venv && uv sync", ["/a/.venv/bin/x"], ["/a/x"]),
        ("RUN pip install --target /a/lib flask", ["/a/lib/flask"], ["/a/x"]),
        ('RUN test -n "$(which node)" && touch /a', [], ["/b"]),
        ("RUN $TOOL && touch /a || touch /b", ["/b"], ["/c"]),
        ('RUN [ -x "$X$(id)" ] && rm -f /a || touch /b', ["/b"], ["/c"]),
        ("ARG D\nWORKDIR $D/a", ["/z"], []),
        ("ARG D\nCOPY main.py $D/", ["/a"], []),
        ("RUN cd /a && ./configure", ["/a/x"], ["/b"]),
    ],
)
def test_what_may_be_there(make: Make, steps: str, unclear: list[str], absent: list[str]) -> None:
    image = make(steps, {"main.py": "", "x.tar.gz": ""})
    assert [path for path in unclear if image.kind(path) != "unclear"] == []
    assert [path for path in absent if image.kind(path) != "absent"] == []


def test_what_is_there_stays_known_after_an_unknown_program(make: Make) -> None:
    image = make("WORKDIR /a\nCOPY . .\nRUN ./build.py", APP)
    assert text_at(image, "/a/main.py") == "main"
    assert image.lookup("/a") == ImageFolder("/a", complete=False)
    assert image.lookup("/a/app") == ImageFolder("/a/app", complete=False)


def test_folders_made_after_an_unknown_program_at_the_root_are_complete(make: Make) -> None:
    image = make("RUN ./setup\nWORKDIR /a\nCOPY . .", APP)
    assert image.lookup("/a") == ImageFolder("/a", complete=True)
    assert image.kind("/other") == "unclear"


@pytest.mark.parametrize(
    ("base", "kind"),
    [
        ("python:3.12-slim", "absent"),
        ("docker.io/library/python@sha256:00", "absent"),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "absent"),
        ("scratch", "absent"),
        ("ghcr.io/someone/python", "unclear"),
        ("someone/app:python", "unclear"),
        ("tiangolo/uvicorn-gunicorn-fastapi:python3.11", "unclear"),
    ],
)
def test_folders_of_the_base_image(make: Make, base: str, kind: str) -> None:
    image = make(f"FROM {base}\nWORKDIR /app\nCOPY main.py .", {"main.py": "x"})
    assert image.kind("/app/other.py") == kind
    assert text_at(image, "/app/main.py") == "x"
    assert image.base == base
    assert image.kind("/usr/bin/python3") == ("absent" if base == "scratch" else "unclear")


def test_names_of_a_folder(make: Make) -> None:
    image = make("WORKDIR /a\nCOPY . .\nRUN rm -r app && mkdir -p b/c && touch d", APP)
    assert image.names("/a") == ("Dockerfile", "b", "d", "main.py", "requirements.txt")
    assert image.names("/a/b") == ("c",)
    assert image.names("/a/app") == ()


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("RUN echo '#!/bin/sh\\nexec uvicorn' > /f", "#!/bin/sh\nexec uvicorn\n"),
        ("RUN echo -n a > /f && echo b >> /f", "ab\n"),
        ('RUN echo "port $PORT" | tee /f', "port 8000\n"),
        ("RUN echo 'port $PORT' > /f", "port $PORT\n"),
        ("RUN printf '%s\\n' a b > /f", "a\nb\n"),
        ("RUN printf 'a\\tb%%' > /f", "a\tb%"),
        ("RUN cat <<EOF > /f\nport $PORT\nEOF", "port 8000\n"),
        ("RUN cat <<'EOF' > /f\nport $PORT\nEOF", "port $PORT\n"),
        ("RUN <<EOF cat > /f\na\nb\nEOF", "a\nb\n"),
        ("RUN { echo a; echo b; } > /f", "a\nb\n"),
        ('COPY <<EOF /f\nport $PORT "x"\nEOF', 'port 8000 "x"\n'),
        ("COPY <<'EOF' /f\nport $PORT\nEOF", "port $PORT\n"),
        ("COPY <<f <<g /\na\nf\nb\ng", "a\n"),
        ("COPY conf /f\nRUN sed -i 's/8080/9000/' /f", "listen 9000;\nalso 9000 8080\n"),
        ("COPY conf /f\nRUN sed -i 's/8080/9000/g' /f", "listen 9000;\nalso 9000 9000\n"),
        ('COPY conf /f\nRUN sed -i "s|8080|$PORT|g" /f', "listen 8000;\nalso 8000 8000\n"),
        ("COPY conf /f\nRUN sed -i -E 's/listen +[0-9]+/p/' /f", "p;\nalso 8080 8080\n"),
        ("COPY conf /f\nRUN sed -i -e s/also/x/ -e 's/^x//' /f", "listen 8080;\n 8080 8080\n"),
        ('SHELL ["/bin/bash", "-c"]\nRUN echo \'a\\nb\' > /f', "a\\nb\n"),
        ('SHELL ["/bin/bash", "-c"]\nRUN echo -e \'a\\nb\' > /f', "a\nb\n"),
        ("RUN echo -e 'a' > /f", "-e a\n"),
    ],
)
def test_written_text(make: Make, step: str, expected: str) -> None:
    image = make(f"ENV PORT=8000\n{step}", {"conf": "listen 8080;\nalso 8080 8080\n"})
    assert text_at(image, "/f") == expected
    entry = image.lookup("/f")
    assert isinstance(entry, ImageFile)
    assert entry.generated
    assert entry.made_by is not None
    assert entry.made_by.name == step.split()[0] or "SHELL" in step or "sed" in step
    assert isinstance(entry.source, SourceFile)
    assert entry.source.path.name == "Dockerfile"


@pytest.mark.parametrize(
    "step",
    [
        "RUN date > /f",
        "RUN echo $(date) > /f",
        "RUN sed -i '/8080/d' /f",
        "RUN sed -i 's/\\(8080\\)/\\1/' /f",
        'RUN [ -n "$(id)" ] && sed -i s/8080/1/ /f || true',
        "RUN ./x || rm /f",
        "RUN if $X; then echo a > /f; fi",
        "RUN while read x; do echo $x > /f; done",
        "RUN printf '%05d' 1 > /f",
        "RUN curl https://example.com/x -o /f",
    ],
)
def test_text_that_is_not_known(make: Make, step: str) -> None:
    assert make(f"COPY conf /f\n{step}", {"conf": "listen 8080;\n"}).kind("/f") == "unclear"


def test_carriage_returns_that_go_leave_the_file_its_place(make: Make) -> None:
    files = {"start.sh": "#!/bin/sh\r\nexec a\r\n"}
    for step in ("sed -i 's/\\r$//'", "dos2unix", "sed -i 's/\\r//g'"):
        image = make(f"COPY start.sh /\nRUN {step} /start.sh && chmod +x /start.sh", files)
        entry = image.lookup("/start.sh")
        assert isinstance(entry, ImageFile)
        assert isinstance(entry.source, SourceFile)
        assert entry.source.text == "#!/bin/sh\nexec a\n"
        assert entry.source.path.name == "start.sh"
        assert not entry.generated
        assert entry.executable is True
    assert text_at(make("COPY start.sh /", files), "/start.sh") == files["start.sh"]


def test_changed_file_keeps_its_original(make: Make) -> None:
    entry = make("COPY a /a\nRUN sed -i s/x/y/ /a", {"a": "x"}).lookup("/a")
    assert isinstance(entry, ImageFile)
    assert entry.original is not None
    assert (entry.original.path.name, entry.original.text) == ("a", "x")


@pytest.mark.parametrize(
    ("steps", "executable"),
    [
        ("COPY s.sh /", False),
        ("COPY --chmod=755 s.sh /", True),
        ("COPY --chmod=0644 s.sh /", False),
        ("COPY --chmod=u+x s.sh /", True),
        ("COPY s.sh /\nRUN chmod +x /s.sh", True),
        ("COPY s.sh /\nRUN chmod 755 s.sh", True),
        ("COPY s.sh /\nRUN chmod 644 *.sh", False),
        ("COPY s.sh /d/\nRUN chmod -R a+x /d", True),
        ("COPY s.sh /\nRUN chmod +x *.sh", True),
        ("COPY s.sh /\nRUN chmod u=rwx,go=rx s.sh", True),
        ('COPY s.sh /\nRUN [ -n "$(id)" ] && chmod +x s.sh || true', None),
        ("COPY s.sh /\nRUN chmod +x s.sh\nCOPY s.sh /", False),
        ("RUN echo x > /s.sh", False),
        ("COPY <<EOF /s.sh\nx\nEOF", False),
    ],
)
def test_executable_bit(make: Make, steps: str, executable: bool | None) -> None:
    image = make(steps, {"s.sh": "x"})
    entry = image.lookup("/d/s.sh" if "/d/" in steps else "/s.sh")
    assert isinstance(entry, ImageFile)
    assert entry.executable is executable


@pytest.mark.skipif(os.name == "nt", reason="no executable bit")
def test_executable_bit_that_an_upload_may_drop(make: Make, tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("x", "utf-8")
    (tmp_path / "s.sh").chmod(0o755)
    entry = make("COPY s.sh /").lookup("/s.sh")
    assert isinstance(entry, ImageFile)
    assert entry.executable is None


def test_stages(make: Make) -> None:
    image = make(
        """ARG TAG=3.12
FROM python:${TAG} AS base
ENV A=1 PORT=8000
WORKDIR /srv
CMD ["base"]
ENTRYPOINT ["run"]
EXPOSE 8000
USER app
FROM node AS web
WORKDIR /web
RUN echo built > /web/index.html
FROM base AS Middle
FROM middle
COPY --from=web /web ./static
COPY --from=1 /web/index.html /copy.html
""",
    )
    assert image.base == "python:3.12"
    assert image.workdir == "/srv"
    assert value_of(image, "PORT") == "8000"
    assert image.cmd is not None
    assert [word.text for word in image.cmd.words] == ["base"]
    assert image.entrypoint is not None
    assert isinstance(image.user, Known)
    assert [exposed.text for exposed in image.exposed] == ["8000/tcp"]
    assert text_at(image, "/srv/static/index.html") == "built\n"
    assert text_at(image, "/copy.html") == "built\n"
    assert image.kind("/web/index.html") == "absent"


@pytest.mark.parametrize(
    ("steps", "cmd", "inherits"),
    [
        ("", None, True),
        ('CMD ["a"]', "a", False),
        ("CMD a\nCMD b", "b", False),
        ("CMD a\nCMD []", None, False),
        ('CMD a\nENTRYPOINT ["e"]', "a", False),
        ('ENTRYPOINT ["e"]', None, False),
        ('CMD a\nFROM x\nENTRYPOINT ["e"]', None, False),
        ('CMD a\nFROM x\nENTRYPOINT ["e"]\nCMD b', "b", False),
        ("CMD a\nFROM x", "a", False),
    ],
)
def test_cmd(make: Make, steps: str, cmd: str | None, inherits: bool) -> None:
    image = make(f"FROM python AS x\n{steps}")
    assert (image.cmd.words[0].text if image.cmd else None) == cmd
    assert image.inherits_cmd is inherits


def test_a_command_may_be_an_empty_line(make: Make) -> None:
    image = make("CMD\nENTRYPOINT")
    for command in (image.cmd, image.entrypoint):
        assert command is not None
        assert (command.form, command.words) == ("shell", ())


@pytest.mark.parametrize(
    ("steps", "expected", "known"),
    [
        ("EXPOSE 7860 53/UDP", ["7860/tcp", "53/udp"], True),
        ("ENV PORT=8000\nEXPOSE $PORT 90:${PORT}/tcp", ["8000/tcp", "8000/tcp"], True),
        ("EXPOSE 8000-8002/sctp $NONE", ["8000-8002/sctp"], True),
        ("ENV PORTS='80 81'\nEXPOSE $PORTS", ["80/tcp", "81/tcp"], True),
        ("ARG PORT\nEXPOSE $PORT 80", ["80/tcp"], False),
        ("EXPOSE abc", [], False),
    ],
)
def test_exposed_ports(make: Make, steps: str, expected: list[str], known: bool) -> None:
    image = make(steps)
    assert [exposed.text for exposed in image.exposed] == expected
    assert image.exposed_known is known


def test_the_stage_built_is_an_argument(make: Make) -> None:
    image = make("ARG TARGETSTAGE\nFROM python AS Last\nARG TARGETSTAGE\nENV A=$TARGETSTAGE")
    assert value_of(image, "A") == "last"


def test_a_folder_that_grows_without_end_is_unknown(make: Make) -> None:
    steps = "WORKDIR " + "a/" * 3000
    assert not make(steps).workdir_known
    assert make(f"{steps}\nWORKDIR /b").workdir == "/b"


def test_an_argument_hides_a_variable_only_in_its_stage(make: Make) -> None:
    text = "FROM python AS a\nENV V=env\nARG V=arg\nARG W=w\nENV A=$V\nFROM a\nENV B=$V C=$W"
    image = make(text)
    assert [value_of(image, name) for name in "ABC"] == ["arg", "env", "w"]


def test_onbuild_runs_in_the_next_stage_only(make: Make) -> None:
    text = (
        "FROM python AS a\nONBUILD ENV V=1\nENV A=$V\nFROM a AS b\nENV B=$V V=2\nFROM b\nENV C=$V"
    )
    image = make(text)
    assert [value_of(image, name) for name in "ABC"] == ["", "1", "2"]


def test_shell_of_a_command(make: Make) -> None:
    image = make('SHELL ["/bin/bash", "-c"]\nCMD a b\nSHELL ["/bin/ash", "-c"]')
    assert image.cmd is not None
    assert image.cmd.form == "shell"
    assert image.cmd.shell == ("/bin/bash", "-c")
    assert image.shell == ("/bin/ash", "-c")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("ENV A=1\nENV A=2 B=$A", "1"),
        ("ARG V=x\nENV B=$V", "x"),
        ("ARG V\nENV B=$V", None),
        ("ENV B=$V", ""),
        ("ENV V=e\nARG V=a\nENV B=$V", "a"),
        ("ARG V=a\nENV V=e\nENV B=$V", "e"),
        ("ENV V=e\nARG V\nENV B=$V", "e"),
        ("ENV B=${V:-d}", "d"),
        ("ARG TARGETARCH\nENV B=$TARGETARCH", "amd64"),
        ("ENV B = 8000", "= 8000"),
        ("ENV B 8000", "8000"),
        ('ENV B=["a"]', "[a]"),
        ("ENV B=${V^^}", None),
        ("ENV B=$PYTHON_VERSION", None),
    ],
)
def test_env(make: Make, steps: str, expected: str | None) -> None:
    assert value_of(make(steps), "B") == expected


def test_env_global_argument(make: Make) -> None:
    image = make("ARG V=g\nFROM python\nENV A=$V\nARG V\nENV B=$V\nARG V=own\nENV C=$V")
    assert [value_of(image, name) for name in "ABC"] == ["", "g", "own"]
    assert "V" not in image.env


def test_env_space_variables_are_build_arguments(make: Make) -> None:
    image = make("ARG V=x\nENV A=$V B=$W", variables={"V": "space", "W": "w"})
    assert [value_of(image, name) for name in "AB"] == ["space", ""]


def test_env_of_an_unknown_base(make: Make) -> None:
    image = make("FROM someone/image\nENV A=$X B=${X:-d} C=c")
    assert [value_of(image, name) for name in "ABC"] == [None, None, "c"]
    assert not image.env_known
    assert not image.workdir_known


def test_env_origin(make: Make) -> None:
    value = make('ENV A=1 PORT="8000"').env["PORT"]
    assert isinstance(value, Known)
    assert (value.value, value.origins[0].place.text, value.origins[0].note) == (
        "8000",
        '"8000"',
        'ENV PORT="8000"',
    )


def test_env_path(make: Make) -> None:
    image = make("ENV PATH=/home/user/.local/bin:$PATH")
    assert (value_of(image, "PATH") or "").startswith("/home/user/.local/bin:/usr/local/bin:")
    assert isinstance(make("FROM rust\nENV PATH=/x:$PATH").env["PATH"], Unknown)


def test_onbuild_runs_in_the_child(make: Make) -> None:
    image = make(
        "FROM python AS a\nONBUILD COPY main.py /b/\nONBUILD ENV X=1\nFROM a\nENV Y=$X",
        {"main.py": "m"},
    )
    assert text_at(image, "/b/main.py") == "m"
    assert value_of(image, "Y") == "1"


@pytest.mark.parametrize(
    ("steps", "missing"),
    [
        ("COPY nope.txt .", ["nope.txt"]),
        ("COPY main.py nope/ also.txt ./", ["nope", "also.txt"]),
        ("COPY nope* .", []),
        ("COPY [n]ope .", []),
        ("COPY left/ .", ["left"]),
        ("COPY left/kept.txt .", []),
        ("COPY out.log .", ["out.log"]),
        ("COPY --from=nothing nope.txt .", []),
        ("COPY --parents nope/x.txt ./", ["nope/x.txt"]),
        ("COPY --parents nope/*.txt ./", []),
        ("ADD https://example.com/x .", []),
        ("ADD nope.tar.gz .", ["nope.tar.gz"]),
        ("COPY <<EOF nope\nEOF", []),
        ("COPY $WHAT .", []),
        ("ARG W=nope\nCOPY $W .", ["nope"]),
        ("ARG W\nCOPY $W .", []),
        ("COPY /main.py ./../app/../main.py ./", []),
        ("COPY Main.py .", ["Main.py"]),
        ("RUN touch nope.txt\nCOPY nope.txt .", ["nope.txt"]),
        ("COPY main.py/x .", ["main.py/x"]),
    ],
)
def test_missing_sources(make: Make, steps: str, missing: list[str]) -> None:
    files = {
        "main.py": "",
        "app/a": "",
        "out.log": "",
        "left/x": "",
        "left/kept.txt": "",
        ".dockerignore": "*.log\nleft\n!left/kept.txt\n",
    }
    if "left/ " in steps:
        files[".dockerignore"] = "*.log\nleft\n"
    image = make(f"WORKDIR /w\n{steps}", files)
    assert [found.path for found in image.missing_sources] == missing


def test_missing_source_in_full(make: Make) -> None:
    image = make("COPY a.txt MAIN.py ./", {"a.txt": "", "main.py": "", ".dockerignore": "*.txt"})
    first, second = image.missing_sources
    assert first.instruction.word_place(first.word).text == "a.txt"
    assert first.ignored_by is not None
    assert first.ignored_by.text == "*.txt"
    assert second.ignored_by is None
    assert second.similar == "main.py"


def test_missing_source_is_not_held_against_the_target(make: Make) -> None:
    assert make("WORKDIR /w\nCOPY nope/ .").kind("/w/main.py") == "unclear"


def test_stage_that_is_not_needed_is_not_built(make: Make) -> None:
    image = make("FROM python AS unused\nCOPY nope .\nFROM python\nCOPY main.py /", {"main.py": ""})
    assert image.missing_sources == ()


def test_only_what_is_let_in_again(make: Make) -> None:
    files = {**APP, ".dockerignore": "*\n!app/x\n"}
    image = make("COPY . /a", files)
    assert image.names("/a") == ("app",)
    assert image.names("/a/app") == ("x",)
    assert image.kind("/a/app/main.py") == "absent"
    assert image.kind("/a/app/x/y.txt") == "file"


def test_installed_projects(make: Make) -> None:
    image = make(
        "WORKDIR /a\nRUN pip install -r r.txt .[dev]\nRUN pip install -e ./lib\n"
        "RUN uv sync --frozen\nRUN pip install flask && uv sync --no-install-project\n"
        "RUN poetry install --no-root"
    )
    assert [(p.folder, p.editable, p.program) for p in image.installs] == [
        ("/a", False, "pip"),
        ("/a/lib", True, "pip"),
        ("/a", True, "uv"),
    ]


PACKAGED = "[project]\nname = 'shop'\n[build-system]\nrequires = ['hatchling']\n"


@pytest.mark.parametrize(
    ("project", "command", "installed"),
    [
        (PACKAGED, "poetry install --only main", ["/a"]),
        ("[tool.poetry]\npackage-mode = false\n", "poetry install", []),
        ("[tool.poetry.dependencies]\nx = {path = '../x'}\n", "poetry sync", ["/a", "/x"]),
        (PACKAGED, "uv sync", ["/a"]),
        ("[project]\nname = 'shop'\n", "uv sync", []),
        ("[tool.uv]\npackage = true\n", "uv sync --no-dev", ["/a"]),
        ("[tool.uv.sources]\nx = {path = 'x'}\n", "uv sync", ["/a/x"]),
        (PACKAGED, "uv --directory sub sync", ["/a/sub"]),
        (PACKAGED, "pip install -r r.txt", ["/a", "/a/lib"]),
        (PACKAGED, "pip install 'shop @ file:///a'", ["/a"]),
        (PACKAGED, "pip install -e git+https://example.com/x.git flask==3.*", []),
        ("not toml", "uv sync", ["/a"]),
    ],
)
def test_which_projects_are_installed(
    make: Make, project: str, command: str, installed: list[str]
) -> None:
    files = {"pyproject.toml": project, "r.txt": "flask # .\n-e .[dev]\n-r q/r.txt\n"}
    files["q/r.txt"] = "./lib ; python_version > '3'\n--no-index\nuvicorn\n"
    image = make(f"WORKDIR /a\nCOPY . .\nRUN {command}", files)
    assert [project.folder for project in image.installs] == installed
    assert image.unknown_installs == ()


MAKE_WHEEL = "FROM python:3.12 AS made\nWORKDIR /s\nRUN pip wheel -w /w "
TAKE_WHEEL = "\nFROM python:3.12-slim\nCOPY --from=made /w /w\nRUN pip install /w/*"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (MAKE_WHEEL + "." + TAKE_WHEEL, 1),
        (MAKE_WHEEL + "-r requirements.txt" + TAKE_WHEEL, 0),
        (MAKE_WHEEL + "flask" + TAKE_WHEEL.replace("/w/*", "--find-links=/w flask"), 0),
        (MAKE_WHEEL + "." + TAKE_WHEEL.replace("/w/*", "--find-links=/w shop"), 1),
        ("COPY dist /d\nRUN pip install /d/*.whl", 1),
        ("RUN curl -o x.whl https://example.com/x.whl && pip install ./x.whl", 1),
        ("RUN uv sync --all-packages", 1),
        ("RUN pip install flask", 0),
    ],
)
def test_installs_that_may_bring_anything(make: Make, text: str, count: int) -> None:
    image = make(text, {"dist/shop-1-py3-none-any.whl": "", "requirements.txt": "flask"})
    assert len(image.unknown_installs) == count


@pytest.mark.parametrize(
    ("copied", "installed"),
    [
        ("/a /a", True),
        ("/a/.venv /opt/venv", True),
        ("/usr/local /usr/local", True),
        ("/a/shop/main.py /b/", False),
        ("/a/shop /b", False),
    ],
)
def test_installed_in_an_earlier_stage(make: Make, copied: str, installed: bool) -> None:
    image = make(
        "FROM python:3.12 AS made\nWORKDIR /a\nCOPY . .\nRUN uv sync\n"
        f"FROM python:3.12-slim\nCOPY --from=made {copied}",
        {"pyproject.toml": PACKAGED, "shop/main.py": ""},
    )
    assert bool(image.installs) == installed


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        ({"src/shop/__init__.py": ""}, ("/a/src",)),
        ({"src/shop/main.py": ""}, ("/a/src",)),
        ({"src/__init__.py": "", "src/shop/__init__.py": ""}, ("/a",)),
        ({"src/notes/x.txt": "", "shop/__init__.py": ""}, ("/a",)),
        ({"pyproject.toml": "[tool.setuptools.packages.find]\nwhere = ['lib']\n"}, ("/a/lib",)),
        ({"pyproject.toml": "[tool.setuptools.package-dir]\n'' = 'lib'\n"}, ("/a/lib",)),
        ({"pyproject.toml": "[tool.uv.build-backend]\nmodule-root = 'lib'\n"}, ("/a/lib",)),
        (
            {"pyproject.toml": "[tool.hatch.build.targets.wheel]\npackages = ['lib/shop']\n"},
            ("/a/lib",),
        ),
        (
            {
                "pyproject.toml": "[tool.poetry]\n"
                "packages = [{include = 'x'}, {include = 'shop', from = 'lib'}]\n"
            },
            ("/a", "/a/lib"),
        ),
        ({"setup.cfg": "[options]\npackage_dir =\n    = lib\n"}, ("/a/lib",)),
        ({"setup.py": "setup(package_dir={'': 'lib'})\n"}, ("/a/lib",)),
        ({"setup.cfg": "no ini", "pyproject.toml": "[tool]\nuv = 1\nhatch = []\n"}, ("/a",)),
    ],
)
def test_folders_of_installed_packages(
    make: Make, files: dict[str, str], folders: tuple[str, ...]
) -> None:
    given = {"pyproject.toml": PACKAGED, "lib/shop/main.py": "", **files}
    image = make("WORKDIR /a\nCOPY . .\nRUN pip install -e .", given)
    assert image.import_folders() == folders


def test_work_for_many_installs_has_a_bound(make: Make) -> None:
    def work(count: int) -> int:
        stages = (
            f"FROM s{n - 1} AS s{n}\nCOPY --from=s{n - 1} /a /b\nRUN pip install /x{n}\n"
            for n in range(1, count)
        )
        text = "FROM python AS s0\n" + "".join(stages)
        return calls(lambda: images.append(make(text)))

    images: list[Image] = []
    assert work(800) < 3 * work(400)
    assert images[0].unknown_installs


def test_work_for_a_long_run_is_linear(make: Make) -> None:
    def work(count: int) -> int:
        text = "RUN " + " && \\\n ".join(["echo a"] * count)
        return calls(lambda: make(text).kind("/a"))

    assert work(2000) < 3 * work(1000)


def test_project_that_is_gone_has_no_folder(make: Make) -> None:
    image = make("COPY . /a\nRUN pip install /a && rm -rf /a", {"pyproject.toml": PACKAGED})
    assert (len(image.installs), image.import_folders()) == (1, ())


@pytest.mark.parametrize(
    ("steps", "kept_back"),
    [
        ("COPY . .", []),
        ("COPY .env main.py ./", [(".env", ".env")]),
        ("COPY dist/ ./web", [("dist", "/dist/")]),
        ("COPY models models", [("models", "models/*")]),
        ("COPY half half\nCOPY *.pkl ./", []),
        ("COPY half/b.pkl ./", [("half/b.pkl", "*.pkl")]),
        ("COPY half/kept.pkl missing ./", []),
        ("COPY empty ./", []),
    ],
)
def test_sources_that_gitignore_keeps_back(
    make: Make, tmp_path: Path, steps: str, kept_back: list[tuple[str, str]]
) -> None:
    (tmp_path / "empty").mkdir()
    lines = "# local\r\n!\n.env\n/dist/\nmodels/*\n*.pkl\n!kept.pkl\n*a*b*c*d*\nempty\n"
    files = {"half/a.txt": "", "half/b.pkl": "", "half/kept.pkl": "", "main.py": "", "m.pkl": ""}
    files |= {".gitignore": lines, ".env": "", "dist/x/index.html": "", "models/m.bin": ""}
    image = make(f"WORKDIR /a\n{steps}", files)
    found = [m for m in image.missing_sources if m.kept_back_by]
    assert [(m.path, m.kept_back_by.text) for m in found if m.kept_back_by] == kept_back


def test_image_that_starts_its_own_interpreter(make: Make) -> None:
    image = make("FROM gcr.io/distroless/python3-debian12:nonroot\nCMD ['-m', 'x']")
    assert image.entrypoint is not None
    assert [word.text for word in image.entrypoint.words] == ["/usr/bin/python3"]
    assert (image.workdir, image.inherits_entrypoint) == ("/home/nonroot", False)
    image = make("FROM gcr.io/distroless/python3-debian12\nENTRYPOINT []")
    assert (image.entrypoint, image.workdir) == (None, "/")


def test_where_a_copied_file_comes_from(make: Make) -> None:
    image = make("COPY app /b\nRUN mv /b/main.py /c.py && touch /d", APP)
    assert image.context_path("/c.py") == "app/main.py"
    assert image.context_path("/d") is None
    assert image.context_path("/none") is None


def test_links_that_go_round(make: Make) -> None:
    image = make("RUN ln -s /b /a && ln -s /a /b")
    assert image.kind("/a/x") in ("unclear", "absent")
    assert image.kind("/a") == "unclear"


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_link_out_of_the_context_is_not_followed(make: Make, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    image = make("COPY . /a")
    assert image.kind("/a/link") == "unclear"
    assert image.kind("/a/link/passwd") != "file"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FROM",
        "COPY",
        "FROM python\nCOPY\nADD x\nENV\nARG\nUSER\nWORKDIR\nRUN\nCMD\nSHELL []\nONBUILD\nEXPOSE",
        "FROM python\nRUN " + "(" * 3000,
        "FROM python\nRUN " + "a && " * 4000 + "a",
        "FROM python\nCOPY " + "a/" * 9000 + " /b",
        "FROM python\nWORKDIR " + "a/" * 9000,
        "FROM python\n" + "RUN touch a\n" * 5000,
        "FROM a AS a\n" + "FROM a AS a\nCOPY --from=a / /\nCOPY --from=a / /\n" * 300,
        "FROM a AS s0\n"
        + "".join(
            f"FROM scratch AS s{n}\nCOPY --from=s{n - 1} / /\nCOPY --from=s{n - 1} / /\n"
            for n in range(1, 200)
        ),
        "FROM python\nRUN for a in 1 2 3 4; do for b in $a$a; do sh -c 'cp -r / /x'; done; done",
        "FROM python\nRUN f() { f; f; }; f",
        "FROM python\nRUN cp -r / /a && cp -r / /a && cp -r / /a && ls /a/*/*/*/*",
        "FROM python\nRUN ln -s . /a && rm -rf /a/a/a/a/*/*/*",
        "FROM python\nRUN " + "A=${A:-" * 500 + "}" * 500 + " > $A",
        "FROM python\nCOPY <<A <<B /x\n",
        "\x00FROM python\nRUN \x00 > \x00",
    ],
    ids=range(18),
)
def test_no_input_breaks_it(make: Make, text: str) -> None:
    def build() -> None:
        image = make(text if "FROM" in text else f"# FROM\n{text}", APP)
        image.lookup("/a/b/c")
        image.names("/")

    assert calls(build) < 20_000_000


def test_large_context_is_not_listed(make: Make, tmp_path: Path) -> None:
    for index in range(3000):
        (tmp_path / f"f{index}.txt").touch()
    (tmp_path / "main.py").write_text("m", "utf-8")
    image = make("WORKDIR /a\nCOPY . .")
    kinds: list[str] = []
    paths = ("/a/main.py", "/a/absent.py")
    assert calls(lambda: kinds.extend(image.kind(path) for path in paths)) < 10_000
    assert kinds == ["file", "absent"]
