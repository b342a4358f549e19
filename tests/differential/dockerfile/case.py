"""A generated Dockerfile, and the base images that such files name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

BASES: Mapping[str, Mapping[str, object]] = {
    "python:3.12-slim": {
        "Env": [
            f"PATH=/usr/local/bin:{_PATH}",
            "LANG=C.UTF-8",
            "GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305",
            "PYTHON_VERSION=3.12.12",
            "PYTHON_SHA256=fb85a13414b028c49ba18bbd523c2d055a30b56b18b92ce454ea2c51edc656c4",
        ],
        "Cmd": ["python3"],
    },
    "ubuntu:24.04": {"Env": [f"PATH={_PATH}"], "Cmd": ["/bin/bash"]},
    "golang:1.25": {
        "Env": [
            f"PATH=/go/bin:/usr/local/go/bin:{_PATH}",
            "GOLANG_VERSION=1.25.4",
            "GOTOOLCHAIN=local",
            "GOPATH=/go",
        ],
        "Cmd": ["bash"],
        "WorkingDir": "/go",
    },
    "gcr.io/distroless/python3": {
        "Env": [
            f"PATH={_PATH}",
            "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
            "LANG=C.UTF-8",
        ],
        "Entrypoint": ["/usr/bin/python3"],
        "WorkingDir": "/",
    },
    "someone/app": {
        "Env": [f"PATH=/opt/app/bin:{_PATH}", "PORT=5000", "A=base", "HOME_DIR=/srv"],
        "Cmd": ["serve", "--all"],
        "Entrypoint": ["/entrypoint.sh"],
        "WorkingDir": "/srv",
        "User": "app",
        "ExposedPorts": {"5000/tcp": {}},
    },
    "scratch": {},
}
"""The base images of generated files, by their names, with the configurations they have (or,
`someone/app`, might have)."""


@dataclass(frozen=True, slots=True)
class Case:
    """A Dockerfile and the build arguments given from outside."""

    text: str
    args: Mapping[str, str] = field(default_factory=dict)
