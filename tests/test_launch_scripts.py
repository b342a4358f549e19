"""Start scripts, wrappers and process managers: what really listened, as it was observed.

The smallest cases of disagreements with really started servers (tests/differential/launch).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from launching import BASE, address, launch

RUN = "uvicorn main:app --host 0.0.0.0 --port"
MAIN = {"main.py": "async def app(scope, receive, send): ...\n", "wsgi.py": "app = print\n"}
SERVE = "import uvicorn\nuvicorn.run('main:app', host='0.0.0.0', port=PORT)\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cp main.py served.py\nuvicorn served:app --port 1", "127.0.0.1:1"),
        ("mkdir -p a && cp main.py a/main.py\nuvicorn a.main:app --port 1", "127.0.0.1:1"),
        ("mkdir -p a/b\ncp main.py a/b/\ncd a/b && uvicorn main:app --port 1", "127.0.0.1:1"),
        ("cp -r ../app ../copy\ncd ../copy\nuvicorn main:app --port 1", "127.0.0.1:1"),
        ("set -e\ncp -r . copied\nuvicorn main:app --port 1", "none"),
        ("mv main.py served.py\npython main.py; uvicorn served:app --port 1", "127.0.0.1:1"),
        ("ln -s main.py served.py\nuvicorn served:app --port 1", "127.0.0.1:1"),
        ("install -m 755 main.py served.py\nuvicorn served:app --port 1", "127.0.0.1:1"),
        ("sed 's/PORT/1/' serve.txt > serve.py\npython serve.py", "0.0.0.0:1"),
        ("cp serve.txt serve.py\nsed -i s/PORT/1/ serve.py\npython serve.py", "0.0.0.0:1"),
        ("somehow > serve.py\npython serve.py", "unknown"),
        ("echo 'bind = \"0.0.0.0:1\"' > gunicorn.conf.py\ngunicorn wsgi:app", "0.0.0.0:1"),
        ("tee c.py > /dev/null <<E\nbind = '0.0.0.0:1'\nE\ngunicorn -c c.py wsgi:app", "0.0.0.0:1"),
        ("echo 1 > port\nread port < port\n" + RUN + " $port", "0.0.0.0:1"),
        ("while IFS== read -r k v; do export $k=$v; done < b.env\n" + RUN + " $P", "0.0.0.0:1"),
        ("export $(grep -v '^#' x.env | xargs)\n" + RUN + " $P", "0.0.0.0:1"),
        ("export $(sed 's/#.*//' x.env | xargs)\n" + RUN + " $P", "0.0.0.0:1"),
        ("P=$(sed -n 's/^P=//p' x.env)\n" + RUN + " $P", "0.0.0.0:1"),
        ("P=$(awk -F= '/^P/ {print $2}' x.env)\n" + RUN + " $P", "0.0.0.0:1"),
        ("P=$(grep ^P missing | cut -d= -f2)\n" + RUN + " $P", "none"),
        ("export $(cat crlf.env | xargs)\nuvicorn main:app --host $H --port 1", "none"),
        ("python -c \"import uvicorn; uvicorn.run('main:app', port=1)\"", "127.0.0.1:1"),
        ("python - <<E\nimport uvicorn\nuvicorn.run('main:app', port=1)\nE", "127.0.0.1:1"),
        ("sh <<E\n" + RUN + " 1\nE", "0.0.0.0:1"),
        ("set -e\nrm missing\n" + RUN + " 1", "none"),
        ("set -e\nrm -f missing\n" + RUN + " 1", "0.0.0.0:1"),
        ("set -e\nchmod +x missing\n" + RUN + " 1", "none"),
        ("set -e\ncp missing here\n" + RUN + " 1", "none"),
        ("cp missing here\n" + RUN + " 1", "0.0.0.0:1"),
        ("set -e\nmkdir a\nmkdir a\n" + RUN + " 1", "none"),
        ("ls missing || " + RUN + " 1", "0.0.0.0:1"),
        ("set -euo pipefail\n" + RUN + " 1", "none"),
        ("./plain.sh", "none"),
        ("chmod +x plain.sh\n./plain.sh", "0.0.0.0:1"),
        ("echo '" + RUN + " 1' > made.sh\n./made.sh", "none"),
        ("echo '" + RUN + " 1' > made.sh\nchmod +x made.sh\n./made.sh", "0.0.0.0:1"),
        ("uvicorn main:app --host 0.0.0.0 \\ \n  --port 1", "none"),
        (f"PATH=/nowhere {RUN} 1", "none"),
        (f"export PATH=/nowhere\nsleep infinity\n{RUN} 1", "none"),
        (f"export PATH=/nowhere:$PATH\n{RUN} 1", "0.0.0.0:1"),
        (f"{RUN} 1 &\nwait -n", "none"),
        (f"{RUN} 1 &\nwait", "0.0.0.0:1"),
        (f"set -e\npython -c 'import sys; sys.exit(3)'\n{RUN} 1", "none"),
        (f"set -e\npython -c 'import sys; sys.exit(0)'\n{RUN} 1", "0.0.0.0:1"),
        (f'[ -z "$RANDOM" ] && {RUN} 1', "0.0.0.0:1"),
        (f'if [ "$(id -u)" = 0 ]; then exec {RUN} 1; else exec {RUN} 1; fi', "0.0.0.0:1"),
    ],
)
def test_scripts_that_change_files(tmp_path: Path, script: str, expected: str) -> None:
    files = {
        **MAIN,
        "start.sh": script + "\n",
        "serve.txt": SERVE,
        "x.env": "# c\nP=1\n",
        "b.env": "P=1\n",
        "crlf.env": "H=0.0.0.0\r\n",
        "plain.sh": f"#!/bin/sh\n{RUN} 1\n",
    }
    assert address(launch(tmp_path, "CMD sh start.sh", files)) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("set -a && source <(grep P x.env) && set +a\n" + RUN + " $P", "0.0.0.0:1"),
        ("mapfile -t lines < x.env\nexport ${lines[0]}\n" + RUN + " $P", "0.0.0.0:1"),
        ("let P=2-1\n" + RUN + " $P", "0.0.0.0:1"),
        ("set -e\nlet P=1-1\n" + RUN + " 1", "none"),
        ("pushd /\npopd\n" + RUN + " 1", "0.0.0.0:1"),
        (RUN + " 1 &\nfor job in $(jobs -p); do wait $job; done", "0.0.0.0:1"),
        ("set -euo pipefail\n" + RUN + " 1", "0.0.0.0:1"),
        ("M=hf\nif [[ $M =~ ^(hf|prod)$ ]]; then " + RUN + " 1; fi", "0.0.0.0:1"),
        ("exec > >(tee log) 2>&1\n" + RUN + " 1", "0.0.0.0:1"),
        (RUN + " 1 &\nwait -n", "0.0.0.0:1"),
        ("shopt -s nullglob\nf=(*.ini)\n" + RUN + " $(( ${#f[@]} + 1 ))", "0.0.0.0:1"),
    ],
)
def test_bash(tmp_path: Path, script: str, expected: str) -> None:
    files = {**MAIN, "start.sh": script + "\n", "x.env": "P=1\n"}
    assert address(launch(tmp_path, "CMD bash start.sh", files)) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f'CMD ["exec", "sh", "-c", "{RUN} 1"]', "none"),
        ('ENTRYPOINT ["python"]\nCMD uvicorn main:app', "none"),
        (f'CMD ["dumb-init", "{RUN} 1"]', "none"),
        (f"CMD env - PATH=$PATH {RUN} 1", "0.0.0.0:1"),
        (f"CMD prlimit -n1024 flock -n lock chrt -o 0 {RUN} 1", "0.0.0.0:1"),
        (f"CMD dotenv run -- {RUN} $P", "none"),
        (f"CMD dotenv -f a.env run -- sh -c '{RUN} $P'", "0.0.0.0:1"),
        (f"CMD P=2 dotenv -f a.env run --no-override -- sh -c '{RUN} $P'", "0.0.0.0:2"),
        (f"CMD P=2 uv run --env-file a.env sh -c '{RUN} $P'", "0.0.0.0:2"),
        (f"CMD uv run --env-file missing.env {RUN} 1", "none"),
        ("CMD ./zsh.sh", "none"),
        (f"CMD {RUN} 1 two", "none"),
        ("CMD uvicorn --port 1", "none"),
        (f'CMD ["env", "PATH=/nowhere", "sh", "-c", "{RUN} 1"]', "none"),
    ],
)
def test_wrappers(tmp_path: Path, command: str, expected: str) -> None:
    files = {**MAIN, "a.env": "P=1\n", "zsh.sh": f"#!/usr/bin/env zsh\n{RUN} 1\n"}
    base = BASE + "RUN chmod +x zsh.sh\n"
    assert address(launch(tmp_path, command, files, base=base)) == expected


def test_a_shell_that_the_build_installs(tmp_path: Path) -> None:
    files = {**MAIN, "start.sh": f"#!/bin/bash\n{RUN} 1\n"}
    for install, expected in (("true", "none"), ("apk add --no-cache bash", "0.0.0.0:1")):
        base = f"FROM python:3.12-alpine\nRUN {install}\nWORKDIR /app\nCOPY . .\n"
        base += "RUN chmod +x start.sh\n"
        assert address(launch(tmp_path, 'CMD ["./start.sh"]', files, base=base)) == expected


WEB = f"web: {RUN} $PORT\n"


@pytest.mark.parametrize(
    ("command", "procfile", "expected"),
    [
        ("honcho start", WEB, "0.0.0.0:5000"),
        ("honcho start -p 1", WEB, "0.0.0.0:1"),
        ("PORT=3 honcho start -p 1", WEB, "0.0.0.0:1"),
        ("PORT=3 honcho start", WEB, "0.0.0.0:3"),
        ("PORT=3 honcho start -e a.env", WEB, "0.0.0.0:2"),
        ("honcho start web", "worker: celery worker\n" + WEB, "0.0.0.0:5000"),
        ("honcho start", "worker: celery worker\n" + WEB, "0.0.0.0:5100"),
        ("honcho start", "release: true\n" + WEB, "none"),
        ("honcho start other", WEB, "none"),
        ("honcho -f Other start", WEB, "none"),
        (f"honcho -e a.env run sh -c '{RUN} $PORT'", WEB, "0.0.0.0:2"),
    ],
)
def test_procfiles(tmp_path: Path, command: str, procfile: str, expected: str) -> None:
    files = {**MAIN, "Procfile": procfile, "a.env": "PORT=2\n"}
    assert address(launch(tmp_path, f"CMD {command}", files)) == expected


@pytest.mark.parametrize(
    ("options", "config", "expected"),
    [
        ("-c s.conf", f"[supervisord]\nnodaemon=true\n[program:a]\ncommand={RUN} 1", "0.0.0.0:1"),
        ("-nc s.conf", f"[supervisord]\n[program:a]\ncommand={RUN} 1", "0.0.0.0:1"),
        ("-c s.conf", f"[supervisord]\n[program:a]\ncommand={RUN} 1", "none"),
        ("-n -c s.conf", f"[program:a]\ncommand=exec {RUN} 1", "none"),
        ("-n -c s.conf", f"[program:a]\ncommand={RUN} $P", "none"),
        ("-n -c s.conf", f"[program:a]\ncommand={RUN} %(ENV_P)s", "0.0.0.0:1"),
        ("-n -c s.conf", f"[program:a]\ncommand={RUN} %(ENV_UNSET)s", "none"),
        ("-n -c s.conf", f"[program:a]\ncommand=sh -c '{RUN} $P'", "0.0.0.0:1"),
        ("-n -c missing.conf", "", "none"),
    ],
)
def test_supervisord(tmp_path: Path, options: str, config: str, expected: str) -> None:
    files = {**MAIN, "s.conf": config + "\n"}
    assert address(launch(tmp_path, f"CMD supervisord {options}", files, env="P=1")) == expected
