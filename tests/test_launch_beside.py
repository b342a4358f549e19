"""Programs beside a server: proxies, services, and programs of which nothing is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from launching import address, launch

from hfcheck.source import SourceFile
from hfcheck.space.launch.launchers import older
from hfcheck.space.packages import Packages
from hfcheck.space.requirements import requirement

SITE = "server { listen 7860; location / { proxy_pass http://127.0.0.1:8000; } }\n"
INNER = "uvicorn main:app --host 127.0.0.1 --port 8000"
DEBIAN = "FROM debian:12\nWORKDIR /app\nCOPY . .\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"gateway --front &\nexec {INNER}\n", "unknown"),
        (f"gateway --front &\nexec {INNER.replace('127.0.0.1', '0.0.0.0')}\n", "0.0.0.0:8000"),
        (f"celery worker &\nexec {INNER}\n", "127.0.0.1:8000"),
        (f"service haproxy start\n{INNER}\n", "unknown"),
        (f"service postgresql start\n{INNER}\n", "127.0.0.1:8000"),
        ("gateway --front &\nwait\n", "unknown"),
    ],
)
def test_beside_a_server(tmp_path: Path, script: str, expected: str) -> None:
    files = {"go.sh": script, "main.py": "app = 1\n"}
    assert address(launch(tmp_path, "CMD bash go.sh", files)) == expected


@pytest.mark.parametrize("program", ["/usr/local/bin/front --port 7860", "/app/bin/front"])
def test_beside_a_supervised_server(tmp_path: Path, program: str) -> None:
    config = f"[program:api]\ncommand={INNER}\n[program:front]\ncommand={program}\n"
    found = launch(tmp_path, "CMD supervisord -c s.conf", {"s.conf": config, "main.py": "app = 1"})
    assert address(found) == "unknown"


@pytest.mark.parametrize("start", ["service nginx start", "/etc/init.d/nginx start", "nginx"])
def test_sites_of_debian(tmp_path: Path, start: str) -> None:
    copied = DEBIAN + "COPY site /etc/nginx/sites-available/default\n"
    command = f"CMD {start} && {INNER}"
    files = {"site": SITE, "main.py": "app = 1\n"}
    assert address(launch(tmp_path, command, files, base=copied)) == "0.0.0.0:7860"
    removed = copied + "RUN rm /etc/nginx/sites-enabled/default\n"
    assert address(launch(tmp_path, command, files, base=removed)) == "unknown"
    official = copied.replace("debian:12", "nginx:1.27")
    assert address(launch(tmp_path, command, files, base=official)) == "unknown"


def test_a_template_that_the_script_fills_in(tmp_path: Path) -> None:
    script = (
        "export PORT=${PORT:-7860}\n"
        "envsubst '$PORT' < site > /etc/nginx/conf.d/default.conf\n"
        f"{INNER} &\nexec nginx -g 'daemon off;'\n"
    )
    files = {"go.sh": script, "site": SITE.replace("7860", "${PORT}"), "main.py": "app = 1\n"}
    assert address(launch(tmp_path, "CMD bash go.sh", files, base=DEBIAN)) == "0.0.0.0:7860"


@pytest.mark.parametrize(
    "test", ['[ -n "$SPACE_ID" ]', '[ "$SPACE_ID" != "" ]', '[ "${SPACE_ID:+yes}" = yes ]']
)
def test_a_variable_of_the_platform_is_set(tmp_path: Path, test: str) -> None:
    script = f"if {test}; then P=7860; else P=80; fi\nuvicorn main:app --port $P\n"
    files = {"go.sh": script, "main.py": "app = 1\n"}
    assert address(launch(tmp_path, "CMD sh go.sh", files)) == "127.0.0.1:7860"


@pytest.mark.parametrize(
    ("line", "expected"),
    [("0.0.8", True), ("0.0.12", False), ("newest", False), ("<0.0.10", True), ("~=0.0.5", False)],
)
def test_older_versions(line: str, expected: bool) -> None:
    assert older(line, "0.0.12") is expected


def test_fastapi_reads_port_from_a_version_on(tmp_path: Path) -> None:
    files = {"main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}

    def port(version: str) -> str:
        made = requirement(f"fastapi-cli=={version}", SourceFile(tmp_path / "r", "").place())
        assert made is not None
        packages = Packages([made])
        found = launch(
            tmp_path, "CMD fastapi run main.py", files, env="PORT=7860", packages=packages
        )
        return address(found)

    assert port("0.0.8") == "0.0.0.0:8000"
    assert port("0.0.12") == "0.0.0.0:7860"
