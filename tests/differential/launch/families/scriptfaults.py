"""Starts that fail: commands, scripts and settings with a mistake, beside some that only look so."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case, Command
from tests.differential.launch.families import started
from tests.differential.launch.families.apps import ASGI, PORTS


def broken_commands(rng: random.Random) -> Case:
    """A CMD or ENTRYPOINT that can't start its server."""
    port = str(rng.choice(PORTS))
    server = started.server(rng, "0.0.0.0", port, *started.PLAIN)
    words = server.words
    commands: tuple[Command, ...] = (
        (server.line,),
        ("uvicorn", "main:app", "--port", "$PORT"),
        ("uvicorn", "main:app", "--port", "${PORT:-7860}"),
        ("gunicorn", "-b", "0.0.0.0:$PORT", "wsgi:app"),
        "['uvicorn', 'main:app', '--port', '7860']",
        '["uvicorn", "main:app", "--port", 7860]',
        '["uvicorn", "main:app",]',
        "uvicorn main:app --port $UNSET_PORT",
        "uvicorn main:app --port ${UNSET_PORT:?must be set}",
        "uvicorn main:app --port ''",
        "unicorn-server main:app",
        ("./missing.sh",),
        ("sh", "missing.sh"),
        ("bash", "-c"),
        ("sh", "-c", "missing.sh"),
        ("python", "missing.py"),
        "cd missing && " + server.line,
        "test -f missing && " + server.line,
        "false && " + server.line,
        "exit 1; " + server.line,
        "exit 0; " + server.line,
        server.line + " &",
        "nohup " + server.line + " > /dev/null 2>&1 &",
        "echo 'uvicorn main:app'",
        f"echo {server.line}",
        "(" + server.line,
        f'"{server.line}"',
        f"'{server.line}'",
        "source env.sh && " + server.line,
        f"if true; then {server.line}",
        "export PORT=7860",
        "true",
        ("cd", "/", "&&", *words),
        ("PORT=7860", *words),
        ("exec", *words),
        (*words, "&"),
        ("sh", "-c", *words),
        ("bash", "-c", "exec", *words),
        ("/bin/sh", "-c", 'exec "$@"', *words),
        ("/bin/sh", "-c", 'exec "$0" "$@"', *words),
        ("dumb-init", server.line),
        ("dumb-init", "--", "./missing"),
        ("env", server.line),
        ("timeout", *words),
        ("timeout", "3600", *words),
        ("sleep", "0"),
        ("python",),
        ("python", "-c", "print('ready')"),
        ("bash",),
        f"{server.line}; echo never",
        f"{server.line} || echo failed",
        f"set -u; uvicorn main:app --port $UNSET_PORT --host {port}",
        f"set -e; false; {server.line}",
        f"false; {server.line}",
        f"set -e; false || true; {server.line}",
        f"cat missing.txt; {server.line}",
        f"cat missing.txt && {server.line}",
        f"ls missing > /dev/null 2>&1 || {server.line}",
        f"PATH=/nowhere {server.line}",
        f"PATH=$PATH:/opt/bin {server.line}",
        f"export PATH=/opt/tools; {server.line}",
        f"export PATH=/opt/tools; exec sleep infinity & {server.line}",
        ("env", "PATH=/opt/tools", *words),
        f"command -v python > /dev/null && {server.line}",
        f"if command -v python3; then {server.line}; else exit 1; fi",
        f"command -v gunicorn || echo no gunicorn; {server.line}",
        f'if [ -z "$RANDOM" ]; then {server.line}; fi',
        f'if [ "$(id -u)" = 0 ]; then {server.line}; else exec {server.line}; fi',
        f'if [ "$(id -u)" -ne 0 ]; then echo as $(whoami); fi; {server.line}',
        f"echo starting ${{SPACE_ID:-at home}} on ${{HOSTNAME}}; {server.line}",
        f'[ -n "$SPACE_ID" ] && {server.line}',
        f'[ -z "$SPACE_HOST" ] && {server.line}',
    )
    command = rng.choice(commands)
    env = rng.choice(({}, {"PORT": port}))
    files = {"main.py": ASGI, **server.files}
    return Case("broken-command", command, files=files, env=env)


_SERVER = "exec uvicorn main:app --host 0.0.0.0 --port ${PORT:-7860}"
_SCRIPTS = (
    f"#!/bin/sh\r\nset -e\r\n{_SERVER}\r\n",
    f"#!/bin/bash\r\n{_SERVER}\r\n",
    f"#!/usr/bin/env bash\r\n\r\n{_SERVER}\r\n",
    f"#!/bin/sh\nset -e\r\n{_SERVER}\r\n",
    f"#!/bin/sh\nexport PORT=7860\r\n{_SERVER}\n",
    f"#!/bin/sh\n{_SERVER}\r\n",
    f"\ufeff#!/bin/sh\n{_SERVER}\n",
    f"{_SERVER}\n",
    f"# a script\n{_SERVER}\n",
    f"\n#!/bin/sh\n{_SERVER}\n",
    f" #!/bin/sh\n{_SERVER}\n",
    f"#!/bin/zsh\n{_SERVER}\n",
    f"#!/usr/bin/env zsh\n{_SERVER}\n",
    f"#!/usr/bin/env bash -e\n{_SERVER}\n",
    f"#!/bin/sh -e -u\n{_SERVER}\n",
    f"#!bash\n{_SERVER}\n",
    "",
    "#!/bin/sh\n",
    f"#!/bin/sh\nset -e\ncd missing\n{_SERVER}\n",
    f"#!/bin/sh\ncd missing\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nsource env.sh\n{_SERVER}\n",
    f"#!/bin/sh\nsource env.sh\n{_SERVER}\n",
    f"#!/bin/sh\n. missing.env\n{_SERVER}\n",
    f"#!/bin/sh\n. ./missing.env\n{_SERVER}\n",
    f"#!/bin/bash\nsource missing.env\n{_SERVER}\n",
    f"#!/bin/bash\nset -e\nsource missing.env\n{_SERVER}\n",
    f"#!/bin/sh\nset -u\necho $MISSING\n{_SERVER}\n",
    f"#!/bin/bash\nset -u\necho ${{MISSING}}\n{_SERVER}\n",
    f"#!/bin/sh\nset -u\necho ${{MISSING:-}}\n{_SERVER}\n",
    f"#!/bin/sh\n: ${{MISSING:?is needed}}\n{_SERVER}\n",
    f"#!/bin/sh\nif [ -z \"$MISSING\" ]; then\n  echo no MISSING >&2\n  exit 1\nfi\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\npython missing.py\n{_SERVER}\n",
    f"#!/bin/sh\npython missing.py\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\npython failing.py\n{_SERVER}\n",
    f"#!/bin/sh\npython failing.py\n{_SERVER}\n",
    f"#!/bin/sh\npython failing.py || exit 1\n{_SERVER}\n",
    f"#!/bin/sh\npython failing.py && {_SERVER}\n",
    f"#!/bin/bash\nset -euo pipefail\nfalse | true\n{_SERVER}\n",
    f"#!/bin/bash\nset -eo pipefail\ntrue | false | true\n{_SERVER}\n",
    f"#!/bin/bash\nset -e\nfalse | true\n{_SERVER}\n",
    f"#!/bin/sh\nset -o pipefail\n{_SERVER}\n",
    f"#!/bin/sh\nif [[ -n \"$PORT\" ]]; then\n  {_SERVER}\nfi\n",
    f"#!/bin/sh\nif [[ -z \"$PORT\" ]]; then PORT=7860; fi\n{_SERVER}\n",
    "#!/bin/sh\nargs=(--port 7860)\nuvicorn main:app \"${args[@]}\"\n",
    f"#!/bin/sh\nfunction serve {{\n  {_SERVER}\n}}\nserve\n",
    f"#!/bin/sh\nif true; then\n  {_SERVER}\n",
    f"#!/bin/sh\n{_SERVER}\nif true; then\n",
    "#!/bin/sh\nuvicorn main:app --port '7860\n",
    "#!/bin/sh\nuvicorn main:app --host 0.0.0.0 \\ \n  --port 7860\n",
    "#!/bin/sh\nuvicorn main:app --host 0.0.0.0\n  --port 7860\n",
    "#!/bin/sh\nPORT = 7860\nuvicorn main:app --port $PORT\n",
    "#!/bin/sh\nPORT= 7860\nuvicorn main:app --port $PORT\n",
    "#!/bin/sh\nPORT=7860 HOST=0.0.0.0\nexec uvicorn main:app --port $PORT --host $HOST\n",
    "#!/bin/sh\nuvicorn main:app --port \"$PORT\"\n",
    "#!/bin/sh\nuvicorn main:app --port '$PORT'\n",
    "#!/bin/sh\nuvicorn main:app --port \\$PORT\n",
    "#!/bin/sh\nuvicorn main:app &\n",
    "#!/bin/sh\nuvicorn main:app &\necho started\nexit 0\n",
    f"#!/bin/sh\nexec echo replaced\n{_SERVER}\n",
    f"#!/bin/sh\nuvicorn_server() {{ {_SERVER}; }}\n",
    f"#!/bin/sh\nexit\n{_SERVER}\n",
    f"#!/bin/sh\nnonexistent-program --init\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\n[ -f missing ] && echo there\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\n[ -f missing ]\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nx=$(false)\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nexport x=$(false)\n{_SERVER}\n",
    f"#!/bin/bash\nset -e\n((count = 0))\n{_SERVER}\n",
    f"#!/bin/sh\nexport PATH=/opt/tools\n{_SERVER}\n",
    f"#!/bin/sh\nexport PATH=/opt/tools:$PATH\n{_SERVER}\n",
    f"#!/bin/sh\npython -m http.server 7861 &\nwait -n\n{_SERVER}\n",
    f"#!/bin/bash\nshopt -s nullglob\nfor file in conf.d/*.env; do . $file; done\n{_SERVER}\n",
    f"#!/bin/bash\nset -e\ncount=0\n((count++))\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nif false; then echo; fi\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\n! true\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nmkdir data\nmkdir data\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nmkdir -p data\nmkdir -p data\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\ncp missing.txt data.txt\n{_SERVER}\n",
    f"#!/bin/sh\ncp missing.txt data.txt\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\ncat missing.txt\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nrm missing.txt\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nrm -f missing.txt\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\ngrep -q needle main.py\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nls missing\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nchmod +x missing.sh\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\nmv missing here\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\npython -c 'import json, sys; sys.exit(0)'\n{_SERVER}\n",
    f"#!/bin/sh\nset -e\npython -m nonexistent_module\n{_SERVER}\n",
)  # fmt: skip


def broken_scripts(rng: random.Random) -> Case:
    """A start script with a mistake, started in one of the usual ways."""
    script = rng.choice(_SCRIPTS)
    name = rng.choice(("start.sh", "entrypoint.sh", "scripts/run.sh"))
    command: Command = rng.choice((
        (f"./{name}",), (f"@ROOT@/app/{name}",), ("sh", name), ("bash", name), f"./{name}",
        f"sh {name}", ("/bin/sh", f"./{name}"), ("sh", "-c", f"./{name}"), (name,), name,
        ("dumb-init", "--", f"./{name}"), f"exec ./{name}", f". ./{name}",
    ))  # fmt: skip
    files = {"main.py": ASGI, "env.sh": "export PORT=7000\n", name: script,
             "failing.py": "import sys\n\nsys.exit(3)\n"}  # fmt: skip
    executable = (name,) if rng.random() < 0.8 else ()
    env = rng.choice(({}, {}, {"PORT": "8080"}))
    if rng.random() < 0.25:
        return Case("broken-script", rng.choice((None, ("serve",))), entrypoint=command, files=files,
                    executable=executable, env=env)  # fmt: skip
    return Case("broken-script", command, files=files, executable=executable, env=env)


FAMILIES = [broken_commands, broken_scripts]
