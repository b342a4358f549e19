"""From ENTRYPOINT and CMD to the public listener, over wrappers, scripts and project files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from launching import BASE, address, launch

from hfcheck.space.declared import Declared

APP = {"main.py": "async def app(scope, receive, send): ...\n"}
UVICORN = '"uvicorn", "main:app", "--host", "0.0.0.0", "--port", "7860"'
RUN = "uvicorn main:app --host 0.0.0.0 --port"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"CMD [{UVICORN}]", "0.0.0.0:7860"),
        (f"ENTRYPOINT [{UVICORN}]", "0.0.0.0:7860"),
        ('ENTRYPOINT ["uvicorn", "main:app"]\nCMD ["--port", "7860"]', "127.0.0.1:7860"),
        (f"ENTRYPOINT {RUN} 1\nCMD {RUN} 2", "0.0.0.0:1"),
        (f"CMD {RUN} 1\nCMD {RUN} 2", "0.0.0.0:2"),
        (f"CMD {RUN} ${{PORT:-7860}}", "0.0.0.0:7860"),
        (f"CMD {RUN} $PORT", "none"),
        (f"ENV PORT=7860\nCMD {RUN} $PORT", "0.0.0.0:7860"),
        ('CMD ["uvicorn", "main:app", "--port", "$PORT"]', "none"),
        ('CMD ["sh", "-c", "uvicorn main:app --port ${PORT:-7860}"]', "127.0.0.1:7860"),
        ('CMD ["uvicorn main:app --port 7860"]', "none"),
        ("CMD ['uvicorn', 'main:app', '--port', '7860']", "none"),
        ('CMD ["uvicorn", "main:app", "--port", 7860]', "none"),
        ('SHELL ["/bin/bash", "-c"]\nCMD uvicorn main:app --port 7860', "127.0.0.1:7860"),
        (f'CMD ["tini", "-g", "--", {UVICORN}]', "0.0.0.0:7860"),
        (f'CMD ["env", "-u", "X", "A=b", {UVICORN}]', "0.0.0.0:7860"),
        ('CMD ["env", "UVICORN_PORT=7860", "uvicorn", "main:app"]', "127.0.0.1:7860"),
        (
            f"CMD exec gosu user nice -n 5 timeout -k 5 1h nohup stdbuf -oL {RUN} 7860",
            "0.0.0.0:7860",
        ),
        (f"CMD su user -c '{RUN} 7860'", "0.0.0.0:7860"),
        (f"CMD poetry run {RUN} 7860", "0.0.0.0:7860"),
        (f"CMD uv run --frozen --with x {RUN} 7860", "0.0.0.0:7860"),
        (f"CMD conda run --no-capture-output -n env {RUN} 7860", "0.0.0.0:7860"),
        (f"CMD opentelemetry-instrument --traces_exporter none {RUN} 7860", "0.0.0.0:7860"),
        (f"CMD python seed.py && {RUN} 7860", "none"),
        (f"CMD alembic upgrade head && {RUN} 7860", "0.0.0.0:7860"),
        (f"CMD alembic upgrade head; {RUN} 7860", "0.0.0.0:7860"),
        ("CMD celery -A x worker & uvicorn main:app --port 7860", "127.0.0.1:7860"),
        (f"CMD {RUN} 7860 & wait", "0.0.0.0:7860"),
        (f"CMD {RUN} 7860 &", "none"),
        (
            "CMD uvicorn a:b --port 8000 & uvicorn main:app --host 0.0.0.0 --port 7860",
            "0.0.0.0:7860",
        ),
        (f"CMD uvicorn a:b --port 8000 & {RUN} 7860 & wait", "0.0.0.0:7860"),
        (f"CMD {RUN} 8000 & {RUN} 7860 & wait", "unknown"),
        (f"EXPOSE 7860\nCMD {RUN} 8000 & {RUN} 7860 & wait", "0.0.0.0:7860"),
        ("CMD python main.py", "none"),
        ("CMD python missing.py", "none"),
        ("CMD python app", "none"),
        ("CMD []", "none"),
        ("", "none"),
    ],
)
def test_command(tmp_path: Path, command: str, expected: str) -> None:
    assert address(launch(tmp_path, command, APP)) == expected


def test_base_images_without_a_command(tmp_path: Path) -> None:
    assert address(launch(tmp_path, "", base="FROM node:20\n")) == "none"
    assert address(launch(tmp_path, "", base="FROM ghcr.io/some/server\n")) == "unknown"
    own = launch(tmp_path, f"CMD {RUN} 7860", APP, base="FROM some/base\nWORKDIR /x\nCOPY . .\n")
    assert address(own) == "0.0.0.0:7860"
    arguments = launch(tmp_path, 'CMD ["--port", "7860"]', base="FROM some/base\n")
    assert address(arguments) == "unknown"


SCRIPT = (
    "#!/bin/sh\nset -e\nalembic upgrade head\nexec uvicorn main:app --host 0.0.0.0 --port 7860\n"
)


@pytest.mark.parametrize(
    ("command", "script", "expected"),
    [
        ('CMD ["./start.sh"]', SCRIPT, "0.0.0.0:7860"),
        ('CMD ["sh", "start.sh"]', SCRIPT, "0.0.0.0:7860"),
        ('CMD ["bash", "-x", "/app/start.sh"]', SCRIPT, "0.0.0.0:7860"),
        ("CMD ./start.sh", SCRIPT, "0.0.0.0:7860"),
        ('CMD ["start.sh"]', SCRIPT, "none"),
        ('CMD ["./start.sh"]', SCRIPT.replace("\n", "\r\n"), "none"),
        ('CMD ["./start.sh"]', SCRIPT.partition("\n")[2], "none"),
        ("CMD ./start.sh", SCRIPT.partition("\n")[2], "0.0.0.0:7860"),
        ('CMD ["./start.sh", "7000"]', f"#!/bin/sh\n{RUN} $1\n", "0.0.0.0:7000"),
        (f'ENTRYPOINT ["./start.sh"]\nCMD [{UVICORN}]', '#!/bin/sh\nexec "$@"\n', "0.0.0.0:7860"),
        ('CMD ["./start.sh"]', f'#!/bin/sh\nexport PORT=7860\n{RUN} "$PORT"\n', "0.0.0.0:7860"),
        ('CMD ["./start.sh"]', "#!/bin/sh\ncd sub\npython run.py\n", "0.0.0.0:7860"),
        ('CMD ["./start.sh"]', "#!/usr/bin/env python3\nimport sys\n", "none"),
    ],
)
def test_scripts(tmp_path: Path, command: str, script: str, expected: str) -> None:
    files = {
        **APP,
        "start.sh": script,
        "sub/run.py": "import uvicorn\nuvicorn.run('main:app', host='0.0.0.0', port=7860)\n",
    }
    base = BASE + "RUN chmod +x start.sh\n"
    assert address(launch(tmp_path, command, files, base=base)) == expected


def test_scripts_that_the_build_writes(tmp_path: Path) -> None:
    heredoc = "COPY <<EOF /start.sh\n#!/bin/sh\nuvicorn main:app --port 7860\nEOF\n"
    assert address(launch(tmp_path, 'CMD ["sh", "/start.sh"]', APP, base=BASE + heredoc)) == (
        "127.0.0.1:7860"
    )
    echo = "RUN echo 'uvicorn main:app --port 7860' > start.sh\n"
    assert address(launch(tmp_path, "CMD sh start.sh", APP, base=BASE + echo)) == "127.0.0.1:7860"


def test_project_files(tmp_path: Path) -> None:
    files = {
        **APP,
        "pyproject.toml": '[project.scripts]\nserve = "tool:main"\n'
        '[tool.pdm.scripts]\nweb = "uvicorn main:app --port 7003"\n',
        "tool.py": "import uvicorn\ndef main():\n    uvicorn.run('main:app', port=7001)\n",
        "Procfile": "web: gunicorn main:app\n",
        "Makefile": f"PORT = 7002\nserve: build\n\t@{RUN} $(PORT)\nbuild:\n\ttrue\n",
        "package.json": '{"scripts": {"start": "node server.js"}}',
        "server.js": "const port = Number(process.env.PORT || 7004);\napp.listen(port, '0.0.0.0');",
    }
    for command, expected in [
        ("serve", "127.0.0.1:7001"),
        ("uv run serve", "127.0.0.1:7001"),
        ("make serve", "0.0.0.0:7002"),
        ("pdm run web", "127.0.0.1:7003"),
        ("npm start", "0.0.0.0:7004"),
        ("npm run start", "0.0.0.0:7004"),
        ("honcho start", "0.0.0.0:5000"),
    ]:
        assert address(launch(tmp_path, f"CMD {command}", files)) == expected, command


NGINX = "http { server { listen 7860; listen [::]:7860; } }\n"
SUPERVISOR = (
    "[supervisord]\nnodaemon=true\n[program:web]\ncommand=nginx -g 'daemon off;'\n"
    "[program:api]\ncommand=uvicorn main:app --port %(ENV_API_PORT)s\ndirectory=/app\n"
)


def test_proxies(tmp_path: Path) -> None:
    files = {**APP, "nginx.conf": NGINX, "supervisord.conf": SUPERVISOR}
    base = BASE + "COPY nginx.conf /etc/nginx/nginx.conf\n"
    for command in (
        "uvicorn main:app --port 8000 & nginx -g 'daemon off;'",
        "nginx && uvicorn main:app --host 0.0.0.0 --port 8000",
        "supervisord -n -c supervisord.conf",
    ):
        found = launch(tmp_path, f"CMD {command}", files, base=base, env="API_PORT=8000")
        assert address(found) == "0.0.0.0:7860", command
        assert len(found.listeners) == 2
        assert found.entry == ("main",)
    rewritten = base + "RUN sed -i 's/7860/8080/g' /etc/nginx/nginx.conf\n"
    found = launch(tmp_path, "CMD nginx -g 'daemon off;'", files, base=rewritten)
    assert address(found) == "0.0.0.0:8080"
    caddy = {"Caddyfile": "{\n  admin off\n}\n:{$PORT:7860} {\n  reverse_proxy 127.0.0.1:8000\n}\n"}
    assert address(launch(tmp_path, "CMD caddy run --config Caddyfile", caddy)) == "0.0.0.0:7860"


def test_gunicorn_conf(tmp_path: Path) -> None:
    files = {
        **APP,
        "gunicorn.conf.py": "import os\nbind = f\"0.0.0.0:{os.getenv('PORT', '7860')}\"\n",
        "conf/other.py": "bind = ['0.0.0.0:7001']\nwsgi_app = 'main:app'\n",
    }
    assert address(launch(tmp_path, "CMD gunicorn main:app", files)) == "0.0.0.0:7860"
    assert address(launch(tmp_path, "CMD gunicorn main:app", files, env="PORT=9")) == "0.0.0.0:9"
    assert address(launch(tmp_path, "CMD cd conf && gunicorn main:app", files)) == "127.0.0.1:8000"
    other = launch(tmp_path, "CMD gunicorn -c conf/other.py", files)
    assert address(other) == "0.0.0.0:7001"
    assert other.public is not None and other.public.target is not None
    assert other.public.target.text == "main:app"


def test_environment_of_the_space(tmp_path: Path) -> None:
    command = f"CMD {RUN} ${{PORT:-8000}}"
    declared = Declared(variables={"PORT": "7860"})
    assert address(launch(tmp_path, command, APP, declared=declared)) == "0.0.0.0:7860"
    secret = Declared(secrets=frozenset({"PORT"}))
    assert address(launch(tmp_path, command, APP, declared=secret)) == "unknown"


def test_origins_lead_to_every_place(tmp_path: Path) -> None:
    files = {**APP, "start.sh": "exec uvicorn main:app --host $HOST --port ${PORT:-1}\n"}
    found = launch(tmp_path, 'CMD ["sh", "start.sh"]', files, env="PORT=7860 HOST=0.0.0.0")
    assert found.public is not None
    texts = [origin.place.text for origin in found.public.port.origins]
    assert texts[0].startswith("${PORT") and "7860" in texts[-1]
    assert [step.place.text for step in found.public.steps][-1] == '"start.sh"'
    assert found.public.place.text == "exec uvicorn main:app --host $HOST --port ${PORT:-1}"


def test_where_modules_are_looked_for(tmp_path: Path) -> None:
    found = launch(tmp_path, f"CMD {RUN} 7860 --app-dir src", APP, env="PYTHONPATH=/lib:rel")
    assert found.search == ("/app/src", "/lib", "/app/rel")
    assert found.entry == ("main",)
    script = launch(tmp_path, "CMD python src/run.py", {"src/run.py": "app.run(host='0', port=1)"})
    assert script.search == ("/app/src",)
    assert script.entry == ("/app/src/run.py",)


@pytest.mark.parametrize(
    ("command", "files", "kinds"),
    [
        ("uvicorn main:app", APP, []),
        ("uvicorn main:other", APP, ["app-target-missing"]),
        ("uvicorn main:other", {"main.py": "from x import *\n"}, []),
        ("uvicorn main:other", {"main.py": "globals()['other'] = 1\n"}, []),
        ("uvicorn main:other", {"main.py": "if X:\n    other = 1\n"}, []),
        ("uvicorn pkg.main:app", {"pkg/main.py": "app = 1\n"}, []),
        ("uvicorn pkg.other:app", {"pkg/main.py": "app = 1\n"}, ["app-target-missing"]),
        ("uvicorn some_library.web:app", APP, ["app-target-missing"]),
        ("uvicorn backend.main:app", APP, ["app-target-missing"]),
        ("uvicorn app.main:app", {"backend/app/main.py": "app = 1\n"}, ["app-target-missing"]),
        ("cd backend && uvicorn app.main:app", {"backend/app/main.py": "app = 1\n"}, []),
        ("uvicorn app/main.py:app", {"app/main.py": "app = 1\n"}, ["app-target-missing"]),
        ("python server.py", APP, ["app-target-missing"]),
        ("gunicorn 'main:create()'", {"main.py": "def create(): return len\n"}, []),
        ("gunicorn main", {"main.py": "app = 1\n"}, ["app-target-missing"]),
        ("flask --app main run", APP, []),
        ("flask --app other.py run", APP, ["app-target-missing"]),
        ("streamlit run ui.py", APP, ["app-target-missing"]),
    ],
)
def test_missing_targets(
    tmp_path: Path, command: str, files: dict[str, str], kinds: list[str]
) -> None:
    found = launch(tmp_path, f"CMD {command}", files)
    assert [problem.kind for problem in found.problems] == kinds


def test_a_target_that_the_build_may_have_made(tmp_path: Path) -> None:
    base = "FROM python:3.12-slim\nWORKDIR /app\nRUN git clone https://example.com/x .\n"
    assert not launch(tmp_path, "CMD uvicorn main:app", base=base).problems
    installed = BASE + "RUN pip install .\n"
    assert not launch(tmp_path, "CMD uvicorn app.main:app", APP, base=installed).problems


def test_variables_in_the_exec_form(tmp_path: Path) -> None:
    found = launch(tmp_path, 'CMD ["uvicorn", "main:app", "--port", "$PORT"]', APP)
    assert [p.place.text for p in found.problems] == ['"$PORT"']
    shell = launch(tmp_path, 'CMD ["sh", "-c", "uvicorn main:app --port $PORT"]', APP, env="PORT=1")
    assert not shell.problems
    expanding = launch(tmp_path, 'CMD ["./server", "$PORT"]', {"server": "#!/bin/sh\neval x=$1\n"})
    assert not expanding.problems


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="[]\"\\ abc$PORT{}:-&|;()\n<>#='`0", max_size=60),
    st.text(alphabet="abc ()[]{}:=\n\t'\"\\#%$&|;<>\r", max_size=120),
)
def test_no_input_raises(tmp_path_factory: pytest.TempPathFactory, command: str, text: str) -> None:
    root = tmp_path_factory.mktemp("any")
    files = {"a": text, "b.py": text, "Makefile": text, "package.json": text, "nginx.conf": text}
    for line in (
        f"CMD {command}",
        "CMD sh a",
        "CMD python b.py",
        "CMD make b",
        "CMD nginx -c /app/nginx.conf",
    ):
        assert address(launch(root, line.replace("\n", " "), files))


def test_cycles_and_depth_end(tmp_path: Path) -> None:
    files = {
        "start.sh": "#!/bin/sh\n./start.sh\n",
        "Makefile": "a:\n\tmake a\n",
        "a.py": "import os\nos.system('python a.py')\n",
        "deep.py": "x = " + "(" * 150 + "1" + ")" * 150 + "\n",
    }
    for command in ("sh start.sh", "make a", "python a.py", "python deep.py"):
        assert address(launch(tmp_path, f"CMD {command}", files)) in ("none", "unknown")
