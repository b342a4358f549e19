"""Projects that ask for pydantic-settings and pydantic in varied ways, by a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")

SETTINGS = (
    *("2.0.3", "2.1.0", "2.2.0", "2.2.1", "2.3.4", "2.4.0", "2.5.0", "2.5.2", "2.6.0", "2.6.1"),
    *("2.7.1", "2.8.1", "2.9.1", "2.10.1", "2.11.0"),
)
PYDANTIC = ("2.3.0", "2.5.3", "2.6.4", "2.7.4", "2.8.2", "2.9.2", "2.10.6", "2.11.7", "2.12.5")
FASTAPI = ("0.95.2", "0.99.1", "0.100.1", "0.104.1", "0.110.3", "0.115.6", "0.124.0", "0.128.0")
NAMES = ("pydantic-settings", "pydantic_settings", "Pydantic-Settings", "pydantic.settings")


@dataclass(slots=True)
class Step:
    """What the resolver is asked for one install: `tool` with its arguments, in the folder of the
    files. `requirements` are given besides, as lines.
    """

    arguments: list[str] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)
    tool: str = "pip"
    upgrade: bool = False


@dataclass(slots=True)
class Case:
    """A project, the Python of its image, and the steps that install it."""

    python: str
    files: dict[str, bytes]
    steps: list[Step]
    kind: str = ""

    def add(self, name: str, text: str) -> None:
        """Put a text file into the project."""
        self.files[name] = text.encode()


def generate(rng: random.Random) -> Case:
    """One project with its Dockerfile."""
    python = rng.choice(PYTHONS)
    case = Case(python, {}, [])
    kind = rng.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])[0]
    case.kind = kind
    _KINDS[kind][1](rng, case)
    return case


# -- requirements --------------------


def limits(rng: random.Random, versions: tuple[str, ...]) -> str:
    """Limits on a version, in all their forms."""
    version = rng.choice(versions)
    major, minor, _ = version.split(".")
    low, high = sorted(rng.sample(range(len(versions)), 2))
    return rng.choice(
        [
            f"=={version}",
            f"=={version}",
            f" == {version}",
            f"==={version}",
            f"=={major}.{minor}.*",
            f"~={version}",
            f"~={major}.{minor}",
            f">={version}",
            f"<{version}",
            f"<={version}",
            f">={versions[low]},<{versions[high]}",
            f">={versions[low]}, <={versions[high]}",
            f">{versions[low]},!={versions[high]},<{int(major) + 1}",
            f"!={version}",
            f"=={version}.0",
            f">={version}, <{int(major) + 1}.0a0",
        ]
    )


def marker(rng: random.Random) -> str:
    """A marker that holds or does not."""
    version = rng.choice(("3.8", "3.9", "3.10", "3.11", "3.12"))
    return rng.choice(
        [
            f'python_version {rng.choice(("<", ">=", ">", "<=", "=="))} "{version}"',
            f"python_full_version >= '{version}.0'",
            'sys_platform == "win32"',
            'sys_platform != "win32"',
            "platform_system == 'Linux'",
            'os_name == "posix" and platform_machine == "x86_64"',
            f'python_version < "{version}" or sys_platform == "linux"',
            'extra == "never"',
        ]
    )


def settings_line(rng: random.Random, *, bare: float = 0.15) -> str:
    """A requirement of pydantic-settings."""
    name = rng.choices(NAMES, (6, 2, 1, 1))[0]
    extras = rng.choice(("", "", "", "[yaml]", "[toml,yaml]"))
    return name + extras + ("" if rng.random() < bare else limits(rng, SETTINGS))


def other_lines(rng: random.Random) -> list[str]:
    """Requirements that may limit pydantic-settings from aside."""
    lines: list[str] = []
    if rng.random() < 0.4:
        lines.append("pydantic" + limits(rng, PYDANTIC))
    elif rng.random() < 0.1:
        lines.append(rng.choice(("pydantic<2", "pydantic==1.10.*", "pydantic[email]>=1.10,<2")))
    if rng.random() < 0.3:
        extras = rng.choice(("", "", "[all]", "[standard]"))
        lines.append(f"fastapi{extras}" + rng.choice(("", limits(rng, FASTAPI))))
    if rng.random() < 0.15:
        lines.append(rng.choice(("python-dotenv", "typing-extensions>=4", "idna==3.7")))
    return lines


def written(rng: random.Random, line: str) -> str:
    """A requirement as it may be written in a file."""
    choice = rng.random()
    if choice < 0.12:
        return line + " ; " + marker(rng)
    if choice < 0.2:
        return line + "  # why"
    if choice < 0.24:
        return line + " \\\n    "
    return line


def requirement_file(rng: random.Random, lines: list[str]) -> str:
    """The text of a requirement file."""
    parts = [written(rng, line) for line in lines]
    if rng.random() < 0.3:
        parts.insert(0, rng.choice(("# pinned", "", "   ", "--prefer-binary")))
    rng.shuffle(parts)
    ending = rng.choice(("\n", "\n", "\n", "\r\n"))
    return ending.join(parts) + rng.choice(("\n", ""))


def encoded(rng: random.Random, text: str) -> bytes:
    """The bytes of a file: some editors write a byte-order mark."""
    return text.encode(rng.choices(("utf-8", "utf-8-sig"), (9, 1))[0])


# -- Dockerfiles --------------------


def dockerfile(case: Case, *lines: str, start: str = "") -> None:
    """A Dockerfile that copies the project and runs `lines`."""
    base = f"FROM python:{case.python}-slim\n"
    body = "\n".join(lines)
    case.add("Dockerfile", f"{start}{base}WORKDIR /app\n{body}\nCOPY . .\nCMD python main.py\n")


def pip(rng: random.Random) -> str:
    """A way to call pip."""
    return rng.choice(
        (
            "pip install",
            "pip install --no-cache-dir",
            "pip3 install -q",
            "python -m pip install",
            "pip --no-cache-dir install",
            "uv pip install --system",
            "/usr/local/bin/pip install --root-user-action=ignore",
        )
    )


def _requirements(rng: random.Random, case: Case) -> None:
    """A requirement file that the Dockerfile names."""
    lines = [*other_lines(rng), settings_line(rng)]
    path = rng.choice(("requirements.txt", "requirements/prod.txt", "docker/base.txt"))
    case.files[path] = encoded(rng, requirement_file(rng, lines))
    copied = rng.choice((path, "/tmp/req.txt", "reqs.txt"))
    option = rng.choice(("-r ", "-r", "--requirement ", "--requirement="))
    copy = "COPY . ." if copied == path else f"COPY {path} {copied}"
    dockerfile(case, copy, f"RUN {pip(rng)} {option}{copied}")
    case.steps = [Step([path])]


def _includes(rng: random.Random, case: Case) -> None:
    """Files that include each other, with constraints."""
    base = requirement_file(rng, [settings_line(rng, bare=0.5), *other_lines(rng)])
    case.add("requirements/base.txt", base)
    inner = rng.choice(("-r base.txt", "--requirement base.txt", "--requirement=base.txt"))
    lines = [inner]
    if rng.random() < 0.6:
        limited = ["pydantic-settings" + limits(rng, SETTINGS), *other_lines(rng)]
        case.add("requirements/limits.txt", requirement_file(rng, limited))
        lines.append(rng.choice(("-c limits.txt", "--constraint limits.txt")))
    if rng.random() < 0.4:
        lines.append(written(rng, settings_line(rng, bare=0.5)))
    case.add("requirements/prod.txt", "\n".join(lines) + "\n")
    arguments = ["requirements/prod.txt"]
    extra = ""
    if rng.random() < 0.4:
        case.add("constraints.txt", "pydantic-settings" + limits(rng, SETTINGS) + "\n")
        extra = rng.choice((" -c constraints.txt", " --constraint constraints.txt"))
        arguments += ["-c", "constraints.txt"]
    dockerfile(case, "COPY . .", f"RUN {pip(rng)} -r requirements/prod.txt{extra}")
    case.steps = [Step(arguments)]


def _commands(rng: random.Random, case: Case) -> None:
    """Several `pip install` commands, of which a later one may change what an earlier one did."""
    runs: list[str] = []
    start = ""
    for _ in range(rng.randint(1, 3)):
        lines = [settings_line(rng), *(other_lines(rng) if rng.random() < 0.5 else [])]
        step = Step(requirements=lines)
        shown = list(lines)
        if rng.random() < 0.25:
            version = rng.choice(SETTINGS)
            step.requirements[0] = f"pydantic-settings=={version}"
            name = f"SETTINGS_{len(runs)}"
            shown[0] = f"pydantic-settings==${{{name}}}"
            runs.append(rng.choice((f"ARG {name}={version}", f"ENV {name} {version}")))
        upgrade = rng.random() < 0.2
        step.upgrade = upgrade
        quoted = " ".join(f'"{line}"' for line in shown)
        call = pip(rng) + (rng.choice((" -U ", " --upgrade ")) if upgrade else " ")
        runs.append(
            rng.choice(
                (
                    f"RUN {call}{quoted}",
                    f"RUN apt-get update && {call}{quoted} && rm -rf /root/.cache",
                    f"RUN set -e; \\\n    {call}\\\n      {quoted}",
                    f"RUN <<EOF\n{call}{quoted}\nEOF",
                )
            )
        )
        case.steps.append(step)
    dockerfile(case, *runs, start=start)


def _stages(rng: random.Random, case: Case) -> None:
    """Several stages: one that is not needed, one whose environment is copied."""
    lines = [settings_line(rng), *other_lines(rng)]
    case.add("requirements.txt", requirement_file(rng, lines))
    case.add("requirements-dev.txt", "pydantic-settings" + limits(rng, SETTINGS) + "\n")
    folder = rng.choice(("/opt/venv", "/usr/local/lib", "/wheels"))
    call = "pip wheel -w /wheels" if folder == "/wheels" else "pip install"
    text = (
        f"FROM python:{case.python} AS test\nCOPY . .\nRUN pip install -r requirements-dev.txt\n"
        f"FROM python:{case.python} AS builder\nWORKDIR /src\nCOPY requirements.txt ./\n"
        f"RUN {call} -r requirements.txt\n"
        f"FROM python:{case.python}-slim\nWORKDIR /app\nCOPY --from=builder {folder} {folder}\n"
        + ("RUN pip install --no-index /wheels/*\n" if folder == "/wheels" else "")
        + "COPY . .\nCMD python main.py\n"
    )
    case.add("Dockerfile", text)
    case.steps = [Step(["requirements.txt"])]


def _project(rng: random.Random, case: Case) -> None:
    """A pyproject.toml that pip installs, with extras."""
    extras = {"prod": [settings_line(rng)], "dev": [settings_line(rng, bare=0)]}
    plain = [settings_line(rng, bare=0.6)] if rng.random() < 0.6 else []
    case.add("pyproject.toml", project(rng, [*plain, *other_lines(rng)], extras))
    chosen = rng.choice(("", "prod", "prod,dev", "dev"))
    brackets = f"[{chosen}]" if chosen else ""
    form = rng.choice((f".{brackets}", f"-e .{brackets}", f'"/app{brackets}"'))
    dockerfile(case, "COPY . .", f"RUN pip install {form}")
    options = [part for extra in chosen.split(",") if extra for part in ("--extra", extra)]
    case.steps = [Step(["pyproject.toml", *options])]


def project(rng: random.Random, lines: list[str], extras: dict[str, list[str]]) -> str:
    """The text of a pyproject.toml (PEP 621)."""
    text = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.9"\n'
    text += f"dependencies = {_toml(rng, lines)}\n"
    if extras:
        text += "[project.optional-dependencies]\n"
        text += "".join(f"{name} = {_toml(rng, given)}\n" for name, given in extras.items())
    return text


def _toml(rng: random.Random, lines: list[str]) -> str:
    texts = [line if rng.random() < 0.85 else f"{line} ; {marker(rng)}" for line in lines]
    return "[\n" + "".join(f"    '''{text}''',\n" for text in texts) + "]"


def _uv(rng: random.Random, case: Case) -> None:
    """A project of uv, with or without a lock file, with groups, constraints and overrides."""
    case.python = rng.choice(("3.11", "3.12", "3.13"))
    lines = ["pydantic-settings" + rng.choice(("", limits(rng, SETTINGS))), *other_lines(rng)]
    text = project(rng, [line for line in lines if "===" not in line], {})
    text = text.replace(">=3.9", f">={case.python}")
    if rng.random() < 0.3:
        text += f'[dependency-groups]\ndev = ["pydantic-settings{limits(rng, SETTINGS)}"]\n'
    if rng.random() < 0.3:
        option = rng.choice(("constraint-dependencies", "override-dependencies"))
        text += f'[tool.uv]\n{option} = ["pydantic-settings{limits(rng, SETTINGS)}"]\n'
    case.add("pyproject.toml", text)
    locked = rng.random() < 0.5
    command = rng.choice(("uv sync --frozen", "uv sync --locked")) if locked else "uv sync"
    flags = rng.choice(("", " --no-dev", " --no-install-project --no-cache"))
    mount = rng.random() < 0.4
    binds = (
        "--mount=type=bind,source=uv.lock,target=uv.lock "
        "--mount=type=bind,source=pyproject.toml,target=pyproject.toml "
    )
    dockerfile(
        case,
        *(() if mount else ("COPY . .",)),
        "RUN pip install uv",
        f"RUN {binds if mount else ''}{command}{flags}",
    )
    case.steps = [Step(tool="uv lock" if locked else "uv")]


def _poetry(rng: random.Random, case: Case) -> None:
    """A project of Poetry without a lock file."""
    constraint = poetry_limits(rng)
    given = rng.choice((f'"{constraint}"', f'{{version = "{constraint}", extras = ["yaml"]}}'))
    text = (
        '[tool.poetry]\nname = "app"\nversion = "1"\ndescription = ""\nauthors = []\n'
        f'[tool.poetry.dependencies]\npython = "^{case.python}"\npydantic-settings = {given}\n'
    )
    case.add("pyproject.toml", text)
    call = rng.choice(("poetry install --no-root", "poetry install --only main --no-interaction"))
    dockerfile(case, "COPY . .", "RUN pip install poetry", f"RUN {call}")
    case.steps = [Step([constraint], tool="poetry")]


def poetry_limits(rng: random.Random) -> str:
    """A constraint as Poetry writes it."""
    version = rng.choice(SETTINGS)
    major, minor, _ = version.split(".")
    return rng.choice(
        [
            f"^{version}",
            f"^{major}.{minor}",
            f"~{version}",
            f"~{major}.{minor}",
            version,
            f"={version}",
            f"=={version}",
            f"{major}.{minor}.*",
            "*",
            f">={version},<{major}.{int(minor) + 3}",
            f">={major}.0 <{version}",
            f"~{version} || ~2.1",
            f">={version}, !={version}",
            f"<={version}",
            f"~={version}",
        ]
    )


def _written_in_build(rng: random.Random, case: Case) -> None:
    """A requirement file that the build writes or changes."""
    version = rng.choice(SETTINGS)
    case.add("requirements.txt", "pydantic-settings==2.0.3\nidna\n")
    wanted = f"pydantic-settings=={version}"
    run = rng.choice(
        (
            f"RUN echo '{wanted}' > requirements.txt && pip install -r requirements.txt",
            f"RUN echo '{wanted}' > r.txt && pip install -r r.txt && rm r.txt",
            f"RUN sed -i 's/==2.0.3/=={version}/' requirements.txt\n"
            "RUN pip install -r requirements.txt",
            f"COPY <<EOF requirements.txt\n{wanted}\nEOF\nRUN pip install -r requirements.txt",
            f"RUN if [ -f requirements.txt ]; then pip install {wanted}; "
            "else pip install pydantic-settings; fi",
            f"RUN [ -f gone.txt ] && pip install -r gone.txt || pip install {wanted}",
        )
    )
    dockerfile(case, "COPY . .", run)
    case.steps = [Step(requirements=[wanted])]


_KINDS = {
    "requirements": (5, _requirements),
    "includes": (3, _includes),
    "commands": (4, _commands),
    "stages": (2, _stages),
    "project": (3, _project),
    "uv": (3, _uv),
    "poetry": (2, _poetry),
    "written in the build": (1, _written_in_build),
}
