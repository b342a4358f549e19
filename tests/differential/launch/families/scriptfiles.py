"""Scripts that read files of variables, write files, change them, and call each other."""

from __future__ import annotations

import random
import re

from tests.differential.launch.case import Case
from tests.differential.launch.families import started
from tests.differential.launch.families.apps import ASGI, PORTS, WSGI
from tests.differential.launch.families.scripts import chatter, head_of, options, script_case

_ENV_FILES = (
    "HOST={host}\nPORT={port}\n",
    "# address\nHOST={host}\n\nPORT={port}\n",
    'HOST="{host}"\nPORT="{port}"\n',
    "HOST='{host}'\nPORT='{port}'",
    "export HOST={host}\nexport PORT={port}\n",
    "PORT={port} # the port\nHOST={host}\n",
    "NAME=app\nHOST={host}\nPORT={port}\nDEBUG=\n",
    "BASE={port}\nPORT=$BASE\nHOST={host}\n",
    "BASE={port}\nPORT=${{BASE}}\nHOST={host}\n",
    "PORT={port}\r\nHOST={host}\r\n",
    "  PORT={port}\nHOST={host}\n",
    "HOST={host}\nPORT={port}\nGREETING=hello world\n",
    "HOST={host}\nPORT={port}\nGREETING='hello world'\nURL=http://a/?b=c\n",
)

_READING = (
    "set -a\n. ./{file}\nset +a",
    "set -a; . ./{file}; set +a",
    "set -o allexport\n. ./{file}\nset +o allexport",
    ". ./{file}",
    ". ./{file}\nexport HOST PORT",
    "export $(cat {file} | xargs)",
    "export $(grep -v '^#' {file} | xargs)",
    "export $(grep -v '^#' {file})",
    "export $(grep -v '^#' {file} | xargs -0)",
    "export $(sed 's/#.*//g' {file} | xargs)",
    "export $(egrep -v '^#' {file} | xargs)",
    "if [ -f {file} ]; then\n  export $(cat {file} | grep -v '#' | xargs)\nfi",
    "[ -f {file} ] && . ./{file}\nexport HOST PORT",
    "[ ! -f {file} ] || export $(xargs < {file})",
    "while IFS='=' read -r key value; do\n  export \"$key=$value\"\ndone < {file}",
    'while read -r line; do\n  export "$line"\ndone < {file}',
    "PORT=$(grep '^PORT=' {file} | cut -d= -f2)\nHOST=$(grep ^HOST {file} | cut -d '=' -f 2)\n"
    "export PORT HOST",
    "PORT=$(awk -F= '/^PORT/ {{print $2}}' {file})\nexport PORT",
    "PORT=$(sed -n 's/^PORT=//p' {file})\nexport PORT",
    "eval $(grep '^PORT=' {file})\nexport PORT",
    'set -a\nif [ -r {file} ]; then . ./{file}; fi\nset +a\n: "${{PORT:=9000}}"',
    "env $(cat {file} | xargs) python server.py\nexit",
    "env $(grep -v '^#' {file} | xargs) sh -c 'exec python server.py'\nexit",
)
_READING_BASH = (
    "set -a\nsource {file}\nset +a",
    "source ./{file}\nexport HOST PORT",
    "if [[ -f {file} ]]; then\n  set -o allexport\n  source {file}\n  set +o allexport\nfi",
    "set -a && source <(grep -v '^#' {file}) && set +a",
    'mapfile -t lines < {file}\nfor line in "${{lines[@]}}"; do export "$line"; done',
    "while IFS= read -r line || [[ -n $line ]]; do\n  [[ $line =~ ^#.*$ || -z $line ]] && continue"
    '\n  export "${{line?}}"\ndone < {file}',
)


def variable_files(rng: random.Random) -> Case:
    """A file of variables, read in one of many ways."""
    head, bash = head_of(rng)
    host, port = rng.choice(started.IPV4), rng.choice(PORTS)
    file = rng.choice((".env", ".env", "app.env", "config.env", "conf/app.env"))
    text = rng.choice(_ENV_FILES).format(host=host, port=port)
    reading = rng.choice(_READING + (_READING_BASH * 2 if bash else ())).format(file=file)
    files = {"server.py": started.PROGRAM, "main.py": ASGI}
    if rng.random() < 0.85:
        files[file] = text
    server = rng.choice((
        "python server.py", "exec python -u server.py", "exec python server.py",
        'exec uvicorn main:app --host "$HOST" --port "$PORT"',
        "uvicorn main:app --host ${HOST:-127.0.0.1} --port ${PORT:-9000}",
        "HOST=${HOST:-0.0.0.0} python server.py",
    ))  # fmt: skip
    body = (*options(rng, bash=bash), *reading.split("\n"), *chatter(rng), server)
    env = rng.choice(({}, {}, {"PORT": "8999"}, {"HOST": "0.0.0.0"}))
    return script_case(rng, "variable-files", head, body, files=files, env=env)


_SERVE = 'import uvicorn\n\nuvicorn.run("main:app", host="HOST", port=PORT)\n'
_CONF = 'bind = "HOST:PORT"\nworkers = 1\n'

_WRITING = (
    f"cat > serve.py <<'EOF'\n{_SERVE}EOF\npython serve.py",
    f"cat <<EOF > serve.py\n{_SERVE}EOF\nexec python serve.py",
    "cat > serve.py << END\nimport uvicorn\n\nuvicorn.run(\"main:app\", host=\"HOST\", port=${NUMBER:-PORT})\n"
    "END\npython serve.py",
    f"cat > gunicorn.conf.py <<EOF\n{_CONF}EOF\ngunicorn wsgi:app",
    f"tee conf.py > /dev/null <<EOF\n{_CONF}EOF\ngunicorn -c conf.py wsgi:app",
    "echo 'bind = \"HOST:PORT\"' > gunicorn.conf.py\nexec gunicorn wsgi:app",
    "printf 'bind = \"%s:%s\"\\n' HOST PORT > gunicorn.conf.py\ngunicorn wsgi:app",
    "echo \"PORT=PORT\" > .env\necho HOST=HOST >> .env\nset -a; . ./.env; set +a\npython server.py",
    "mkdir -p app && cp main.py app/main.py && touch app/__init__.py\nuvicorn app.main:app --host HOST "
    "--port PORT",
    "mkdir -p /tmp/copied_$$\nuvicorn main:app --host HOST --port PORT",
    "mv main.py served.py\nuvicorn served:app --host HOST --port PORT",
    "cp template.py serve.py\nsed -i 's/__PORT__/PORT/' serve.py\nsed -i \"s/__HOST__/HOST/g\" serve.py\n"
    "python serve.py",
    "sed -e 's/__PORT__/PORT/' -e 's/__HOST__/HOST/' template.py > serve.py\npython serve.py",
    "sed \"s|__PORT__|PORT|; s|__HOST__|HOST|\" template.py > serve.py && python serve.py",
    "export __PORT__=PORT\ncat template.py | sed \"s/__PORT__/$__PORT__/;s/__HOST__/HOST/\" | "
    "tee serve.py\npython serve.py",
    "ln -sf main.py served.py\nuvicorn served:app --host HOST --port PORT",
    "ln -s \"$(pwd)\" linked\ncd linked\nuvicorn main:app --host HOST --port PORT",
    "rm -f gunicorn.conf.py\ngunicorn -b HOST:PORT wsgi:app",
    "echo PORT > port\nuvicorn main:app --host HOST --port $(cat port)",
    "echo PORT > port\nread port < port\nuvicorn main:app --host HOST --port $port",
    "cat > inner.sh <<'EOF'\n#!/bin/sh\nexec uvicorn main:app --host HOST --port PORT\nEOF\n"
    "chmod +x inner.sh\nexec ./inner.sh",
    "cat > inner.sh <<'EOF'\nuvicorn main:app --host HOST --port PORT\nEOF\nsh inner.sh",
    "cat > inner.sh <<'EOF'\n#!/bin/sh\nuvicorn main:app --host HOST --port PORT\nEOF\n./inner.sh",
    "cat <<'EOF' | sh\nuvicorn main:app --host HOST --port PORT\nEOF",
    "sh <<'EOF'\nuvicorn main:app --host HOST --port PORT\nEOF",
    f"python - <<'EOF'\n{_SERVE}EOF",
    f"python <<EOF\n{_SERVE}EOF",
    "python -c 'import uvicorn; uvicorn.run(\"main:app\", host=\"HOST\", port=PORT)'",
    "python -c \"\nimport uvicorn\nuvicorn.run('main:app', host='HOST', port=PORT)\n\"",
    "mkdir -p ~/.streamlit data && echo ready > data/state\nuvicorn main:app --host HOST --port PORT",
    "install -m 755 main.py served.py\nuvicorn served:app --host HOST --port PORT",
    "cp -r ../app ../copied\ncd ../copied\nuvicorn main:app --host HOST --port PORT",
    "mkdir -p pkg/sub\ncp main.py pkg/sub/\ncd pkg/sub && uvicorn main:app --host HOST --port PORT",
    "export PORT_FROM_FILE=$(cat VERSION 2>/dev/null || echo PORT)\nuvicorn main:app --host HOST --port "
    "$PORT_FROM_FILE",
)  # fmt: skip


def writing_script(rng: random.Random) -> Case:
    """A script that makes or changes the files which the server reads."""
    head, bash = head_of(rng)
    host, port = rng.choice(started.IPV4), rng.choice(PORTS)
    values = {"HOST": host, "PORT": str(port)}
    text = rng.choice(_WRITING)
    form = re.sub(r"(?<![\w$])(HOST|PORT)(?![\w=])", lambda match: values[match[1]], text)
    files = {
        "main.py": ASGI,
        "wsgi.py": WSGI,
        "server.py": started.PROGRAM,
        "template.py": _SERVE.replace("PORT", "__PORT__").replace("HOST", "__HOST__"),
    }
    if form.startswith("rm"):
        files["gunicorn.conf.py"] = 'bind = "127.0.0.1:9999"\n'
    body = (*options(rng, bash=bash), *form.split("\n"))
    return script_case(rng, "writing-script", head, body, files=files)


def nested_scripts(rng: random.Random) -> Case:
    """Scripts that call, read or hand over to another script."""
    head, bash = head_of(rng)
    host, port = rng.choice(started.IPV4), rng.choice(PORTS)
    calls = [
        "./inner.sh", "sh inner.sh", "exec ./inner.sh", "sh ./inner.sh && echo done", "bash inner.sh",
        ". ./inner.sh", "(./inner.sh)", 'exec "$(pwd)/inner.sh"', "env PORT=$PORT ./inner.sh",
        "sh -c ./inner.sh", "sh -c '. ./inner.sh'", "PORT=8100 ./inner.sh", "exec sh -e inner.sh",
        "[ -x inner.sh ] && ./inner.sh", "if [ -f inner.sh ]; then sh inner.sh; fi",
        "for step in inner.sh; do ./$step; done", "set -- inner.sh\n. ./$1", "cd .. && app/inner.sh",
    ]  # fmt: skip
    if bash:
        calls += ["source inner.sh", "source ./inner.sh", 'source "$(dirname "$0")/inner.sh"',
                  'source "${BASH_SOURCE%/*}/inner.sh"', "bash -c 'source inner.sh'"]  # fmt: skip
    inner = rng.choice((
        "#!/bin/sh\nexec uvicorn main:app --host HOST --port ${PORT:-9000}\n",
        "#!/bin/sh\nuvicorn main:app --host HOST --port \"${PORT}\"\n",
        "#!/bin/bash\nset -e\nuvicorn main:app --host HOST --port ${PORT:-9000}\n",
        "uvicorn main:app --host HOST --port ${PORT:-9000}\n",
        "#!/bin/sh\nserve() { uvicorn main:app --host HOST --port ${PORT:-9000}; }\nserve\n",
        "#!/bin/sh\nreturn 0 2>/dev/null || exec uvicorn main:app --host HOST --port $PORT\n",
        "#!/bin/sh\nexit 0\n",
    )).replace("HOST", host)  # fmt: skip
    call = rng.choice(calls)
    if rng.random() < 0.1:
        inner = (
            f"#!/usr/bin/env python3\nimport uvicorn\n\nuvicorn.run('main:app', host='{host}')\n"
        )
        call = rng.choice(("./inner.sh", "exec ./inner.sh", "python inner.sh"))
    setting = rng.choice((f"PORT={port}", f"export PORT={port}", "", f"export PORT={port} MODE=x"))
    after = rng.choice(("", "", f"exec uvicorn main:app --host {host} --port 8200"))
    body = tuple(
        line for part in (setting, call, after) if part for line in part.split("\n")
    )  # fmt: skip
    env = rng.choice(({}, {"PORT": "8300"}))
    case = script_case(rng, "nested-scripts", head, (*options(rng, bash=bash), *body),
                       files={"main.py": ASGI, "inner.sh": inner}, env=env)  # fmt: skip
    inner_too = (*case.executable, "inner.sh") if rng.random() < 0.8 else case.executable
    return Case(case.family, case.cmd, entrypoint=case.entrypoint, files=case.files, env=env,
                executable=inner_too)  # fmt: skip


FAMILIES = [variable_files, writing_script, nested_scripts]
