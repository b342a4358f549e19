"""CMD and ENTRYPOINT in their forms, shells given on the command line, and wrappers."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case
from tests.differential.launch.families import started
from tests.differential.launch.families.apps import ASGI, PORTS

_BASH = ("/bin/bash", "-c")
_SHELLS = (("/bin/sh", "-c"), ("/bin/sh", "-c"), _BASH, ("/bin/bash", "-o", "pipefail", "-c"),
           ("/bin/bash", "-euo", "pipefail", "-c"))  # fmt: skip


def shell_form(rng: random.Random) -> Case:
    """CMD in shell form, with settings before the server on the same line."""
    shell = rng.choice(_SHELLS)
    bash = shell[0].endswith("bash")
    host, port = started.any_host(rng, bash=bash), started.any_port(rng, bash=bash)
    lines, env = started.joined(host, port)
    server = started.server(rng, host.word, port.word)
    lead = rng.choice(("", "", "exec ", "true && ", "echo starting && ", "mkdir -p data && exec ",
                       "cd . && ", "ls -la; ", ": ; ", "( echo one; echo two ) && ",
                       "{ echo ready; } && ", "umask 022 && ", "ulimit -n 1024; "))  # fmt: skip
    if lead.endswith("exec ") and "=" in server.line.split()[0]:
        lead = "mkdir -p data && "
    line = _one_line((*lines, lead + server.line))
    command = rng.choice((line, line, f"({line})", f"{{ {line}; }}"))
    env |= rng.choice(({}, {}, {"PYTHONUNBUFFERED": "1"}, {"DEBUG": "", "LOG_LEVEL": "info"}))
    if rng.random() < 0.3:
        return Case("shell-form", None, entrypoint=command, files=server.files, env=env,
                    shell=shell)  # fmt: skip
    return Case("shell-form", command, files=server.files, env=env, shell=shell)


def _one_line(lines: tuple[str, ...]) -> str:
    text = ""
    for line in lines:
        end = "" if not text else (" " if text.endswith((" then", " do")) else "; ")
        text += end + line.strip()
    return text


def shell_string(rng: random.Random) -> Case:
    """`sh -c TEXT`, `bash -lc TEXT` in exec form, with and without arguments."""
    options = rng.choice((("sh", "-c"), ("/bin/sh", "-c"), ("bash", "-c"), ("bash", "-lc"),
                          ("/bin/bash", "-l", "-c"), ("sh", "-ec"), ("bash", "-euxo", "pipefail", "-c"),
                          ("bash", "-o", "errexit", "-c"), ("dash", "-c"),
                          ("/usr/bin/env", "bash", "-c"), ("sh", "-xc")))  # fmt: skip
    bash = any("bash" in word for word in options)
    host, port = started.any_host(rng, bash=bash), started.any_port(rng, bash=bash)
    lines, env = started.joined(host, port)
    form = rng.randrange(5)
    arguments: tuple[str, ...] = ()
    if form == 0:
        value = str(rng.choice(PORTS))
        server = started.server(rng, host.word, rng.choice(("$1", "${1}", '"$1"', "${1:-9000}")))
        lines, arguments = host.lines, (rng.choice(("start", "--", "sh")), value)
    elif form == 1:
        value = str(rng.choice(PORTS))
        server = started.server(rng, host.word, rng.choice(("$0", "${0}")))
        lines, arguments = host.lines, (value,)
    else:
        server = started.server(rng, host.word, port.word)
    lead = rng.choice(("", "", "exec ", "set -e; ", "echo hello && "))
    if lead == "exec " and "=" in server.line.split()[0]:
        lead = ""
    command = (*options, _one_line((*lines, lead + server.line)), *arguments)
    if rng.random() < 0.3:
        return Case(
            "shell-string", command[2:], entrypoint=command[:2], files=server.files, env=env
        )
    return Case("shell-string", command, files=server.files, env=env)


def entrypoint_and_cmd(rng: random.Random) -> Case:
    """ENTRYPOINT and CMD together, in both forms."""
    port = str(rng.choice(PORTS))
    host = rng.choice(started.IPV4)
    server = started.server(rng, host, port, *started.PLAIN)
    words = server.words
    cut = rng.randrange(1, len(words))
    form = rng.randrange(7)
    if form == 0:
        return Case("entrypoint", words[cut:], entrypoint=words[:cut], files=server.files)
    if form == 1:  # the shell form takes no words of CMD
        return Case("entrypoint", words[cut:], entrypoint=server.line, files=server.files)
    if form == 2:
        return Case("entrypoint", None, entrypoint=words, files=server.files)
    if form == 3:
        entrypoint = rng.choice((("exec",), ("python",), ("nice", "-n", "2"), ("timeout", "90")))
        return Case("entrypoint", server.line, entrypoint=entrypoint, files=server.files)
    if form == 4:
        return Case("entrypoint", server.line, entrypoint=("env", "A=1"), files=server.files)
    if form == 5:
        return Case("entrypoint", words, entrypoint=("dumb-init", "--"), files=server.files)
    return Case("entrypoint", (server.line,), entrypoint=("/bin/sh", "-c"), files=server.files)


_ENTRYPOINTS = (
    '#!/bin/sh\nset -e\nexec "$@"\n',
    '#!/bin/bash\nset -euo pipefail\n\necho "Starting as $(id -un)"\nexec "$@"\n',
    '#!/bin/sh\n"$@"\n',
    "#!/bin/sh\nexec $@\n",
    "#!/usr/bin/env bash\nexec ${@}\n",
    '#!/bin/sh\nif [ "$#" -eq 0 ]; then\n  set -- python -m http.server 9000\nfi\nexec "$@"\n',
    '#!/bin/sh\nif [ "${1#-}" != "$1" ]; then\n  set -- uvicorn main:app "$@"\nfi\nexec "$@"\n',
    '#!/bin/sh\ncase "$1" in\n  web) shift; exec uvicorn main:app "$@" ;;\n'
    '  *) exec "$@" ;;\nesac\n',
    '#!/bin/bash\nargs=("$@")\nexec "${args[@]}"\n',
    '#!/bin/bash\nif [[ $# -gt 0 ]]; then exec "$@"; else exec uvicorn main:app; fi\n',
    '#!/bin/sh\ncommand=$1\nshift\nexec "$command" "$@"\n',
    '#!/bin/sh\nexec uvicorn main:app --host 0.0.0.0 "$@"\n',
    '#!/bin/sh\nexec uvicorn main:app --port "${1:-7860}"\n',
    '#!/bin/sh\nexec uvicorn main:app ${EXTRA_ARGS} "$@"\n',
    '#!/bin/sh\neval "exec $*"\n',
    '#!/bin/sh\nfor word in "$@"; do echo "$word"; done\nexec "$@"\n',
)


def entrypoint_script(rng: random.Random) -> Case:
    """A script as ENTRYPOINT that hands the words of CMD on."""
    port, host = str(rng.choice(PORTS)), rng.choice(started.IPV4)
    cmd = rng.choice((
        ("uvicorn", "main:app", "--host", host, "--port", port),
        ("--host", host, "--port", port),
        ("--port", port),
        ("web", "--host", host, "--port", port),
        (port,),
        None,
        f"uvicorn main:app --host {host} --port {port}",
        f"uvicorn main:app --host {host} --port ${{PORT:-{port}}}",
        ("sh", "-c", f"uvicorn main:app --port $PORT --host {host}"),
    ))  # fmt: skip
    script = rng.choice(_ENTRYPOINTS)
    if cmd is not None and cmd[0] == "web" and "web)" not in script:
        cmd = cmd[1:]
    name = rng.choice(("entrypoint.sh", "docker-entrypoint.sh", "scripts/entrypoint.sh"))
    entrypoint = rng.choice(((f"./{name}",), ("@ROOT@/app/" + name,), ("sh", name), ("bash", name)))
    env = rng.choice(({}, {}, {"PORT": "8123"}, {"EXTRA_ARGS": "--host 0.0.0.0 --port 8200"}))
    return Case("entrypoint-script", cmd, entrypoint=entrypoint, env=env,
                files={"main.py": ASGI, name: script}, executable=(name,))  # fmt: skip


_WRAPPERS = (
    ("env",), ("env", "MODE=production"), ("env", "-u", "MODE"), ("env", "-", "PATH={path}"),
    ("env", "-i", "PATH={path}"), ("/usr/bin/env",), ("env", "--unset=MODE", "A=b"),
    ("env", "-S", "A=b"), ("env", "-C", "."), ("dumb-init",), ("dumb-init", "--"),
    ("dumb-init", "-v", "--"), ("dumb-init", "--single-child", "--"), ("dumb-init", "-c"),
    ("dumb-init", "--rewrite", "15:2", "--"), ("nice",), ("nice", "-n", "5"), ("nice", "-n5"),
    ("nice", "-10"), ("nice", "--adjustment=3"), ("timeout", "300"), ("timeout", "-k", "5", "1h"),
    ("timeout", "--signal=INT", "60"), ("timeout", "--foreground", "1d"), ("timeout", "0"),
    ("nohup",), ("setsid", "-w"), ("setsid", "--wait"), ("stdbuf", "-oL"),
    ("stdbuf", "-o0", "-e0"), ("stdbuf", "--output=L"), ("stdbuf", "-i", "0", "-o", "L"),
    ("ionice", "-c", "3"), ("setpriv", "--no-new-privs"), ("taskset", "1"),
    ("taskset", "-c", "0"), ("chrt", "-o", "0"), ("uv", "run"), ("uv", "run", "--no-sync"),
    ("uv", "run", "--no-project"), ("uv", "run", "--"), ("dotenv", "run", "--"),
    ("prlimit", "--nofile=1024"),
    ("flock", "-n", "lock"), ("ionice", "-c3"), ("prlimit", "-n1024"),
)  # fmt: skip


def wrapped(rng: random.Random) -> Case:
    """A server behind one wrapper or several, in exec form or on a line."""
    host, port = rng.choice(started.IPV4), str(rng.choice(PORTS))
    server = started.server(rng, host, port, *started.PLAIN)
    count = rng.choice((1, 1, 1, 2, 3))
    chosen = [rng.choice(_WRAPPERS) for _ in range(count)]
    wrapper = tuple(word for each in chosen for word in each)
    words = (*wrapper, *server.words)
    env = {"MODE": "test", "WANTED_PORT": port}
    files = dict(server.files) | ({".env": "MODE=file\n"} if rng.random() < 0.8 else {})
    if rng.random() < 0.5 and "PATH={path}" not in words:
        return Case("wrapped", words, files=files, env=env)
    line = " ".join(wrapper) + " " + server.line.replace(port, "$WANTED_PORT")
    lead = rng.choice(("", "", "exec "))
    return Case("wrapped", lead + line.replace("{path}", "$PATH"), files=files, env=env)


def env_words(rng: random.Random) -> Case:
    """`env` that sets the address which the server reads, against the one of the image."""
    port, other = str(rng.choice(PORTS)), "8999"
    host = rng.choice(started.IPV4)
    files = {"server.py": started.PROGRAM, "main.py": ASGI}
    settings = (f"HOST={host}", f"PORT={port}")
    uvicorn = (f"UVICORN_HOST={host}", f"UVICORN_PORT={port}")
    env = rng.choice(({}, {"PORT": other}, {"PORT": other, "HOST": "0.0.0.0"}))
    command = rng.choice((
        ("env", *settings, "python", "server.py"),
        ("env", "-u", "PORT", "python", "server.py"),
        ("env", "--unset=PORT", settings[0], "python", "server.py"),
        ("env", *uvicorn, "uvicorn", "main:app"),
        ("env", "-S", f"HOST={host} PORT={port} python server.py"),
        ("env", "-S", "python server.py"),
        ("env", "-S", "HOST=${HOST} python server.py"),
        " ".join((*settings, "python server.py")),
        " ".join((*uvicorn, "uvicorn main:app")),
        f"PORT={port}; python server.py",
        f"PORT={port} && export PORT && python server.py",
        f"export {settings[0]} {settings[1]} && exec python server.py",
        f"export PORT={port}; export HOST; python server.py",
        f"unset PORT; HOST={host} python server.py",
        f"env {settings[1]} HOST=$HOST python server.py",
        f"HOST={host} env -u PORT python server.py",
        f"HOST={host} sh -c 'PORT={port} python server.py'",
        f"(export PORT={port}); python server.py",
        f"PORT={port} true; python server.py",
        f"PORT={port} : ; python server.py",
        f"set -a; PORT={port}; HOST={host}; set +a; python server.py",
    ))  # fmt: skip
    return Case("env", command, files=files, env=env)


FAMILIES = [shell_form, shell_string, entrypoint_and_cmd, entrypoint_script, wrapped, env_words]
