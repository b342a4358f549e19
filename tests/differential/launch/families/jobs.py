"""Background jobs, `wait`, traps and pipes, and programs that start several processes."""

from __future__ import annotations

import random

from tests.differential.launch.case import Case
from tests.differential.launch.families import started
from tests.differential.launch.families.apps import ASGI, PORTS, WSGI
from tests.differential.launch.families.scripts import head_of, options, script_case

_FILES = {"main.py": ASGI, "wsgi.py": WSGI, "serve.py": started.ARGUMENTS,
          "worker.py": "import time\n\nwhile True:\n    time.sleep(1)\n",
          "migrate.py": "print('migrated')\n", "other.py": ASGI}  # fmt: skip

_JOBS = (
    "PUBLIC &\nwait",
    "PUBLIC & wait",
    "PUBLIC &\nwait $!",
    "PUBLIC &\npid=$!\nwait $pid",
    "PUBLIC &\npid=$!\ntrap \"kill $pid\" TERM INT\nwait \"$pid\"",
    "python worker.py &\nPUBLIC",
    "python worker.py &\nexec PUBLIC",
    "nohup python worker.py > worker.log 2>&1 &\nexec PUBLIC",
    "(python worker.py) &\nPUBLIC",
    "INNER &\nPUBLIC",
    "INNER &\nexec PUBLIC",
    "INNER > /dev/null 2>&1 &\nsleep 0.2\nPUBLIC",
    "INNER &\nPUBLIC &\nwait",
    "INNER &\nPUBLIC &\nwait -n",
    "INNER & PUBLIC & wait",
    "INNER &\none=$!\nPUBLIC &\ntwo=$!\nwait $one $two",
    "PUBLIC &\nINNER &\nwait",
    "PUBLIC &\nINNER",
    "python migrate.py\nPUBLIC",
    "python migrate.py && PUBLIC",
    "python migrate.py && exec PUBLIC",
    "python migrate.py || echo failed\nPUBLIC",
    "python migrate.py &\nPUBLIC",
    "python migrate.py &\nwait\nPUBLIC",
    "python migrate.py; PUBLIC &\nwait",
    "PUBLIC &\nwhile kill -0 $! 2>/dev/null; do sleep 1; done",
    "PUBLIC &\nsleep infinity",
    "PUBLIC &\ntail -f /dev/null",
    "PUBLIC &\nexec sleep infinity",
    "PUBLIC &\nwhile true; do sleep 60; done",
    "PUBLIC &",
    "PUBLIC &\nexit 0",
    "PUBLIC &\necho started",
    "nohup PUBLIC &",
    "setsid PUBLIC &\nwait",
    "PUBLIC | cat",
    "PUBLIC 2>&1 | tee -a app.log",
    "{ PUBLIC; } 2>&1 | sed 's/^/app: /'",
    "echo start | cat\nPUBLIC",
    "yes | head -1 | PUBLIC",
    "start() { PUBLIC & }\nstart\nwait",
    "for script in worker.py; do\n  python $script &\ndone\nPUBLIC",
    "python worker.py &\nworker=$!\nPUBLIC &\nserver=$!\n"
    "stop() { kill $worker $server; }\ntrap stop TERM\nwait $server",
    "(sleep 1; echo late) &\nexec PUBLIC",
    "timeout 100 PUBLIC &\nwait",
    "PUBLIC &\nserver=$!\nsleep 0.3\nkill $server\nwait $server\nexit 1",
    "INNER &\ninner=$!\nsleep 0.1\nkill $inner\nexec PUBLIC",
)  # fmt: skip
_BASH_JOBS = (
    "INNER &\nPUBLIC &\nwait -n\nexit $?",
    "pids=()\nINNER & pids+=($!)\nPUBLIC & pids+=($!)\nwait \"${pids[@]}\"",
    "PUBLIC &\ndisown\nsleep infinity",
    "PUBLIC > >(tee out.log) 2>&1",
    "trap 'kill $(jobs -p)' EXIT\nINNER &\nPUBLIC &\nwait",
    "for job in 1; do PUBLIC & done\nfor job in $(jobs -p); do wait $job; done",
)  # fmt: skip


def background_jobs(rng: random.Random) -> Case:
    """One or two servers and a worker, some of them in the background."""
    head, bash = head_of(rng)
    inner_port, port = rng.sample((7860, 8000, 5000, 8080, 3000), 2)
    public = started.server(rng, "0.0.0.0", str(port), "uvicorn", "gunicorn", "arguments", "files")
    inner = started.server(rng, "127.0.0.1", str(inner_port), "uvicorn", "gunicorn", "arguments")
    form = rng.choice(_JOBS + (_BASH_JOBS * 2 if bash else ()))
    text = form.replace("PUBLIC", public.line).replace("INNER", inner.line)
    body = (*options(rng, bash=bash), *text.split("\n"))
    files = {**_FILES, **public.files, **inner.files}
    if "\n" not in text and rng.random() < 0.4:
        return Case("background-jobs", text, files=files)
    return script_case(rng, "background-jobs", head, body, files=files)


_PROCFILES = (
    ("web: {server}\n", ("start",)),
    ("web: {server}", ("start", "web")),
    ("web: {env_server}\n", ("start",)),
    ("web: {env_server}\n", ("start", "-p", "{port}")),
    ("web: {env_server}\n", ("start", "--port", "{port}", "web")),
    ("web: {env_server}\nworker: python worker.py\n", ("start",)),
    ("worker: python worker.py\nweb: {env_server}\n", ("start",)),
    ("worker: python worker.py\nweb: {env_server}\n", ("start", "web")),
    ("# processes\nrelease: python migrate.py\nweb: {server}\n", ("start", "web")),
    ("release: python migrate.py\nweb: {server}\n", ("start",)),
    ("web: exec {server}\n", ("start",)),
    ("web: python migrate.py && {server}\n", ("start",)),
    ("web: {server}\n", ("-f", "Procfile.dev", "start")),
    ("web: {server}\n", ("start", "-f", "Procfile.dev")),
    ("web: {env_server}\n", ("start", "-e", "local.env")),
    ("web: {env_server}\n", ("-e", "local.env", "start", "web")),
    ("web: {server}\n", ("start", "nothing")),
    ("web: {env_server}\n", ("run", "python", "migrate.py")),
    ("web: {env_server}\n", ("run", "sh", "-c", "{env_server}")),
    ("web:{env_server}\n", ("start",)),
    ("web: PORT=8100 {env_server}\n", ("start", "--no-colour")),
)  # fmt: skip


def procfiles(rng: random.Random) -> Case:
    """Honcho and a Procfile."""
    host, port = rng.choice(started.IPV4), str(rng.choice(PORTS))
    server = started.server(rng, host, port, "uvicorn", "gunicorn", "arguments")
    reading = started.server(
        rng, host, rng.choice(("$PORT", "${PORT:-9000}")), "uvicorn", "gunicorn"
    )
    text, words = rng.choice(_PROCFILES)
    values = {"server": server.line, "env_server": reading.line, "port": port}
    words = tuple(word.format(**values) for word in words)
    name = "Procfile.dev" if "Procfile.dev" in words and rng.random() < 0.8 else "Procfile"
    files = {**_FILES, **server.files, **reading.files, name: text.format(**values)}
    files |= rng.choice(({}, {}, {".env": f"PORT={port}\n"}, {"local.env": f"# x\nPORT={port}\n"}))
    env = rng.choice(({}, {}, {"PORT": port}, {"PORT": "8555"}))
    command = ("honcho", *words)
    lead = rng.choice(("", "exec "))
    if rng.random() < 0.3 and not any(" " in word for word in words):
        return Case("procfile", lead + " ".join(command), files=files, env=env)
    return Case("procfile", command, files=files, env=env)


_SUPERVISED = (
    "[program:web]\ncommand={server}\n",
    "[program:web]\ncommand={server}\nautostart=true\nautorestart=true\nstdout_logfile=/dev/fd/1\n"
    "stdout_logfile_maxbytes=0\n",
    "[program:web]\ncommand=/bin/sh -c \"{server}\"\n",
    "[program:web]\ncommand=bash -c 'exec {server}'\nredirect_stderr=true\n",
    "[program:web]\ncommand={server}\n\n[program:worker]\ncommand=python worker.py\n",
    "[program:worker]\ncommand=python worker.py\n[program:web]\ncommand={server} ; the server\n",
    "[program:web]\ncommand={server}\n[program:inner]\ncommand=uvicorn other:app --port 8600\n",
    "[program:web]\ncommand=uvicorn main:app --host {host} --port %(ENV_WEB_PORT)s\n",
    "[program:web]\ncommand=uvicorn main:app --host {host} --port $WEB_PORT\n",
    "[program:web]\ncommand=sh -c 'uvicorn main:app --host {host} --port $WEB_PORT'\n",
    "[program:web]\ncommand=python server.py\nenvironment=PORT=\"{port}\",HOST=\"{host}\"\n",
    "[program:web]\ncommand=python server.py\nenvironment=PORT={port},HOST={host}\n",
    "[program:web]\ncommand=uvicorn main:app --host {host} --port {port}\ndirectory=@ROOT@/app/sub\n",
    "[program:web]\ncommand=exec {server}\n",
    "[program:web]\ncommand={server}\nautostart=false\n",
    "[program:setup]\ncommand=python migrate.py\nautorestart=false\nstartsecs=0\n"
    "[program:web]\ncommand={server}\npriority=10\n",
    "[program:web]\ncommand=\n  {server}\n",
    "[group:all]\nprograms=web\n[program:web]\ncommand={server}\nuser=root\n",
)  # fmt: skip


def supervised(rng: random.Random) -> Case:
    """Supervisord and its configuration."""
    host, port = rng.choice(started.IPV4), str(rng.choice(PORTS))
    server = started.server(rng, host, port, "uvicorn", "gunicorn", "files", "arguments")
    line = server.line.replace("'*'", "127.0.0.1").replace("'", "")
    programs = rng.choice(_SUPERVISED).format(server=line, host=host, port=port)
    head = rng.choice(("[supervisord]\nnodaemon=true\n", "[supervisord]\nnodaemon = true\nuser=root\n"
                       "logfile=/dev/null\nlogfile_maxbytes=0\n", "; comment\n[supervisord]\n"
                       "nodaemon=true\nloglevel=info\n\n"))  # fmt: skip
    daemon = rng.random() < 0.1
    if daemon:
        head = "[supervisord]\n"
    name = rng.choice(
        ("supervisord.conf", "supervisord.conf", "etc/supervisord.conf", "deploy/supervisor.conf")
    )
    command = rng.choice((
        ("supervisord", "-c", name), ("supervisord", "-n", "-c", f"@ROOT@/app/{name}"),
        ("supervisord", "--configuration", name), ("supervisord", "-c", name, "-n"),
        f"supervisord -c {name}", f"exec supervisord --nodaemon --configuration={name}",
        ("supervisord",) if name == "supervisord.conf" else ("supervisord", "-nc", name),
    ))  # fmt: skip
    files = {**_FILES, **server.files, "server.py": started.PROGRAM, name: head + programs,
             "sub/main.py": ASGI}  # fmt: skip
    return Case("supervisord", command, files=files, env={"WEB_PORT": port})


FAMILIES = [background_jobs, background_jobs, procfiles, supervised]
