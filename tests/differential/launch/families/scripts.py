"""Start scripts: their shells and options, settings, branches, functions and loops."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case, Command
from tests.differential.launch.families import started
from tests.differential.launch.families.apps import ASGI, PORTS

HEADS = (
    "#!/bin/sh", "#!/bin/sh -e", "#!/bin/bash", "#!/usr/bin/env bash", "#!/usr/bin/env sh",
    "#! /bin/sh", "#!/bin/bash -e", "#!/bin/dash", "#!/usr/bin/bash", "#!/usr/bin/env -S bash -e",
)  # fmt: skip
NAMES = ("start.sh", "run.sh", "entrypoint.sh", "scripts/start.sh", "bin/web", "boot.sh")


def script_case(
    rng: random.Random,
    family: str,
    head: str,
    lines: tuple[str, ...],
    *,
    files: dict[str, str] | None = None,
    env: dict[str, str] | None = None,
) -> Case:
    """A case that starts a script of these lines in one of the usual ways."""
    name = rng.choice(NAMES)
    shell = "bash" if "bash" in head else "sh"
    commands: tuple[Command, ...] = (
        (f"./{name}",), (f"@ROOT@/app/{name}",), (shell, name), (f"/bin/{shell}", f"./{name}"),
        f"./{name}", f"{shell} {name}", f"exec ./{name}", (shell, "-c", f"./{name}"),
        ("dumb-init", "--", f"./{name}"),
    )  # fmt: skip
    text = "\n".join((head, *lines)) + rng.choice(("\n", "\n", ""))
    everything = {**(files or {}), name: text}
    command = rng.choice(commands)
    if rng.random() < 0.2 and not isinstance(command, str):
        return Case(family, None, entrypoint=command, files=everything, env=env or {},
                    executable=(name,))  # fmt: skip
    return Case(family, command, files=everything, env=env or {}, executable=(name,))


def head_of(rng: random.Random) -> tuple[str, bool]:
    """A first line, and whether it names bash."""
    head = rng.choice(HEADS)
    return head, "bash" in head


def options(rng: random.Random, *, bash: bool) -> tuple[str, ...]:
    """The `set` line of a script."""
    choices = ["", "", "set -e", "set -eu", "set -x", "set -o errexit", "set -ue"]
    if bash:
        choices += ["set -euo pipefail", "set -Eeuo pipefail", "set -eo pipefail"]
    line = rng.choice(choices)
    return (line,) if line else ()


_CHATTER = (
    'echo "Starting the server..."', "# start the app", "", "date", "pwd", "whoami",
    "mkdir -p /tmp/hf-cache data logs", 'cd "$(dirname "$0")" && pwd && cd - > /dev/null',
    "export PYTHONUNBUFFERED=1", "export PYTHONPATH=.", "ls -la", "python --version",
    "echo PORT is $PORT_NOT_SET", "printf '%s\\n' 'one two'", "touch data.db", "umask 002",
    "trap 'echo bye' EXIT", "sleep 0.1", "id -u", "env | sort | head -3", "chmod 755 .",
    "python -c 'import sys; print(sys.version)'", "[ -d data ] || mkdir data", "true", ": ready",
)  # fmt: skip


def chatter(rng: random.Random) -> tuple[str, ...]:
    """Lines that change nothing for the server."""
    return tuple(rng.choice(_CHATTER) for _ in range(rng.choice((0, 0, 1, 2, 3))))


def start_script(rng: random.Random) -> Case:
    """Settings with defaults, some talk, and the server at the end."""
    head, bash = head_of(rng)
    host, port = started.any_host(rng, bash=bash), started.any_port(rng, bash=bash)
    lines, env = started.joined(host, port)
    server = started.server(rng, host.word, port.word)
    lead = rng.choice(("exec ", "exec ", "", ""))
    if "=" in server.line.split()[0]:
        lead = ""
    line = lead + server.line
    if rng.random() < 0.3:
        line = line.replace(" --", " \\\n    --")
    body = (*options(rng, bash=bash), *chatter(rng), *lines, *chatter(rng), line)
    return script_case(rng, "start-script", head, body, files=dict(server.files), env=env)


_MODES = ("production", "development", "staging", "", "hf")


def branching_script(rng: random.Random) -> Case:
    """`if`, `case`, `[ ]`, `[[ ]]`, `test`, `&&`, `||` around two servers."""
    head, bash = head_of(rng)
    host = rng.choice(started.IPV4)
    one, other = (str(port) for port in rng.sample(PORTS[1:], 2))
    kind = rng.choice(("uvicorn", "gunicorn", "arguments", "files"))
    first = started.server(rng, host, one, kind)
    second = started.server(rng, "0.0.0.0", other, kind)
    mode = rng.choice(_MODES)
    yes, no = first.line, second.line
    form = rng.choice(_BRANCHES + (_BASH_BRANCHES if bash else ()))
    lines = tuple(form.replace("YES", yes).replace("NO", no).split("\n"))
    files = {**first.files, **second.files}
    files |= rng.choice(({}, {"config.ini": "x\n"}, {"models/a.bin": "x"}, {".env": "MODE=hf\n"}))
    env = {"MODE": mode} if rng.random() < 0.8 else {}
    body = (*options(rng, bash=bash), *lines)
    return script_case(rng, "branching-script", head, body, files=files, env=env)


_BRANCHES = (
    'if [ "$MODE" = "production" ]; then\n  exec YES\nelse\n  exec NO\nfi',
    'if [ "${MODE:-production}" = production ]; then YES; else NO; fi',
    'if [ "${MODE:-}" != "development" ] && [ -n "${MODE:-}" ]; then\n  YES\nfi\nNO',
    'case "${MODE:-hf}" in\n  production|staging)\n    YES\n    ;;\n  dev*) NO ;;\n'
    '  *)\n    NO\n    ;;\nesac',
    'case $MODE in\n  "") YES ;;\n  h?) NO ;;\nesac\nexec YES',
    "if [ -f config.ini ]; then\n  YES\nelif [ -d models ]; then\n  NO\nelse\n  echo nothing >&2\n"
    "  exit 1\nfi",
    "if test -e .env; then . ./.env; fi\nif [ \"${MODE:-}\" = hf ]; then YES; fi\nexec NO",
    '[ "${MODE:-}" = "production" ] && exec YES\nexec NO',
    '[ "${MODE:-}" = "production" ] || exec YES\nexec NO',
    'test -z "${MODE:-}" && { YES; } || { NO; }',
    'if ! [ -s config.ini ]; then NO; fi\nYES',
    'if [ -z "${MODE:-}" -o "${MODE:-}" = hf ]; then YES; else NO; fi',
    'if grep -q hf .env 2>/dev/null; then YES; else NO; fi',
    'if echo "${MODE:-}" | grep -q prod; then YES; else NO; fi',
    'false || YES',
    'true && YES || NO',
    'if [ $# -gt 0 ]; then NO; else YES; fi',
    'if [ "$((1 + 1))" -eq 2 ]; then YES; else NO; fi',
    '[ "${MODE:-x}" != "x" ] && export EXTRA=1\nYES',
    'until [ -f config.ini ] || [ ! -f missing ]; do sleep 1; done\nYES',
    'for file in config.ini missing.ini; do\n  if [ -f "$file" ]; then\n    exec YES\n  fi\ndone\n'
    'exec NO',
)  # fmt: skip
_BASH_BRANCHES = (
    'if [[ "$MODE" == prod* ]]; then\n  YES\nelse\n  NO\nfi',
    "if [[ -z ${MODE:-} || $MODE == hf ]]; then YES; fi\nNO",
    'if [[ "${MODE:-}" =~ ^(production|staging)$ ]]; then YES; else NO; fi',
    "[[ -f config.ini && -r config.ini ]] && exec YES\nexec NO",
    "if (( ${#MODE} > 4 )); then YES; else NO; fi",
    "if [[ ! -d models ]]; then YES; else NO; fi",
    'if [[ ${MODE,,} == "production" ]]; then YES; else NO; fi',
    "if [[ -v MODE ]]; then YES; else NO; fi",
    "shopt -s nullglob\nfiles=(*.ini)\nif (( ${#files[@]} )); then YES; else NO; fi",
)


def composed_script(rng: random.Random) -> Case:
    """Functions, loops, arrays, arithmetic and `eval` that put the command together."""
    head, bash = head_of(rng)
    host, port = rng.choice(started.IPV4), rng.choice(PORTS)
    form = rng.choice(_COMPOSED + (_BASH_COMPOSED * 2 if bash else ()))
    text = form.replace("HOST", host).replace("PORT", str(port)).replace("LESS", str(port - 1))
    body = (*options(rng, bash=bash), *text.split("\n"))
    files = {"main.py": ASGI, "serve.py": started.ARGUMENTS}
    return script_case(rng, "composed-script", head, body, files=files)


_COMPOSED = (
    "main() {\n  exec uvicorn main:app --host HOST --port PORT\n}\nmain \"$@\"",
    "start_server() {\n  local port=$1\n  uvicorn main:app --host HOST --port \"$port\"\n}\n"
    "start_server PORT",
    "log() { echo \"[start] $*\"; }\nlog hello\nset -- --host HOST\nset -- \"$@\" --port PORT\n"
    "exec uvicorn main:app \"$@\"",
    "args=\"--host HOST\"\nargs=\"$args --port PORT\"\nuvicorn main:app $args",
    "port=LESS\nport=$((port + 1))\nuvicorn main:app --host HOST --port $port",
    "for i in 1 2 3; do\n  echo try $i\ndone\nuvicorn main:app --host HOST --port PORT",
    "i=0\nwhile [ $i -lt 3 ]; do i=$((i+1)); done\nuvicorn main:app --host HOST --port PORT",
    "cmd='uvicorn main:app --host HOST --port PORT'\neval \"$cmd\"",
    "cmd='uvicorn main:app --host HOST --port PORT'\neval exec $cmd",
    "CMD=\"python serve.py --host HOST --port PORT\"\nexec $CMD",
    "get_port() { echo PORT; }\nuvicorn main:app --host HOST --port \"$(get_port)\"",
    "port=$(python -c 'print(PORT)')\nuvicorn main:app --host HOST --port PORT",
    "port=$(expr LESS + 1)\nuvicorn main:app --host HOST --port $port",
    "wait_for() {\n  for _ in 1 2; do\n    true && return 0\n  done\n  return 1\n}\nwait_for && "
    "exec uvicorn main:app --host HOST --port PORT",
    "(\n  cd /\n  echo in a subshell\n)\nuvicorn main:app --host HOST --port PORT",
    "{\n  echo grouped\n  uvicorn main:app --host HOST --port PORT\n}",
    "address=HOST:PORT\nuvicorn main:app --host \"${address%%:*}\" --port \"${address##*:}\"",
    "url=http://HOST:PORT/\nport=${url##*:}\nuvicorn main:app --host HOST --port ${port%/}",
    "while true; do\n  uvicorn main:app --host HOST --port PORT\n  sleep 1\ndone",
    "echo PORT > port.txt\nuvicorn main:app --host HOST --port \"$(cat port.txt)\"",
    "read -r port < port.txt || true\nuvicorn main:app --host HOST --port PORT",
    "name=main\nattribute=app\nuvicorn \"$name:${attribute}\" --host HOST --port PORT",
    "uvicorn main:app \\\n  --host HOST \\\n  --port PORT \\\n  --log-level info",
    "IFS=:\nset -- HOST:PORT\nset -- $1\nunset IFS\nuvicorn main:app --host $1 --port $2",
    "run() { \"$@\"; }\nrun uvicorn main:app --host HOST --port PORT",
    "unset SOCKET\nuvicorn main:app --host HOST ${SOCKET:+--uds $SOCKET} --port PORT",
    "workers=$(nproc)\necho $workers\nuvicorn main:app --host HOST --port PORT",
    "gunicorn main:app -k uvicorn_worker.UvicornWorker -w $((1 * 1)) -b HOST:PORT",
    "cleanup() { echo stopping; }\ntrap cleanup INT TERM EXIT\nuvicorn main:app --host HOST "
    "--port PORT",
    "gunicorn_options=\"--bind HOST:PORT --workers ${WEB_CONCURRENCY:-1}\"\n"
    "exec gunicorn -k uvicorn_worker.UvicornWorker $gunicorn_options main:app",
    "uvicorn main:app --host HOST --port PORT >/dev/null 2>&1",
    "uvicorn main:app --host HOST --port PORT 2>&1 | tee server.log",
    "exec > start.log 2>&1\nuvicorn main:app --host HOST --port PORT",
)  # fmt: skip
_BASH_COMPOSED = (
    "args=(--host HOST)\nargs+=(--port PORT)\nexec uvicorn main:app \"${args[@]}\"",
    "declare -a args=(\"--host\" \"HOST\" \"--port\" \"PORT\")\nuvicorn main:app ${args[*]}",
    "function serve {\n  local host=\"$1\" port=\"$2\"\n  exec uvicorn main:app --host $host "
    "--port $port\n}\nserve HOST PORT",
    "for ((i = 0; i < 2; i++)); do echo $i; done\nuvicorn main:app --host HOST --port PORT",
    "port=LESS; ((port++)) || true\nuvicorn main:app --host HOST --port $port",
    "let port=LESS+1\nuvicorn main:app --host HOST --port $port",
    "read -r host port <<< \"HOST PORT\"\nuvicorn main:app --host HOST --port PORT",
    "pushd / > /dev/null\npopd > /dev/null\nuvicorn main:app --host HOST --port PORT",
    "declare -A ports=([web]=PORT [api]=9000)\nuvicorn main:app --host HOST --port "
    "\"${ports[web]}\"",
    "name=port\nport=PORT\nuvicorn main:app --host HOST --port \"${!name}\"",
    "exec > >(tee -a start.log) 2>&1\nuvicorn main:app --host HOST --port PORT",
    "command=(uvicorn main:app)\ncommand+=(--host HOST --port PORT)\n\"${command[@]}\"",
    "mode=PRODUCTION\nif [[ ${mode,,} == production ]]; then workers=1; fi\n"
    "uvicorn main:app --workers $workers --host HOST --port PORT",
    "DIR=\"$( cd \"$( dirname \"${BASH_SOURCE[0]}\" )\" && pwd )\"\necho \"$DIR\"\n"
    "uvicorn main:app --host HOST --port PORT",
    "printf -v address '%s:%d' HOST PORT\ngunicorn -k uvicorn_worker.UvicornWorker -b \"$address\" "
    "main:app",
    "uvicorn main:app --host HOST --port PORT |& tee server.log",
    "uvicorn main:app --host HOST --port PORT &> server.log",
    "while read -r line; do echo \"$line\"; done < <(echo one; echo two)\n"
    "uvicorn main:app --host HOST --port PORT",
    "set -- {a..c}\necho $#\nuvicorn main:app --host HOST --port PORT",
)  # fmt: skip

FAMILIES = [start_script, branching_script, composed_script]
