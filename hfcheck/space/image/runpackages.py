"""What pip, uv and Poetry do in a build: the folders they fill, the local projects they install."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from hfcheck.space.image.paths import absolute, join
from hfcheck.space.image.projects import (
    Local,
    has_workspace,
    local_argument,
    local_requirements,
    path_dependencies,
    poetry_packages,
    project_data,
    uv_packages,
)
from hfcheck.space.image.runargs import Arg, has, split

if TYPE_CHECKING:
    from hfcheck.space.image.runcommands import Commands


def pip(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    """Pip and `uv pip`: the target folder, and projects that are installed from a folder."""
    valued = (
        "-r --requirement -c --constraint -t --target --prefix --root -i --index-url -f"
        " --find-links --extra-index-url --python -p --trusted-host --timeout --retries"
        " --cache-dir --config-settings -w --wheel-dir -d --dest --only-binary --no-binary"
        " --platform --python-version"
    )
    editable = [
        args[index + 1].text
        for index, arg in enumerate(args[:-1])
        if arg.text in ("-e", "--editable")
    ]
    options, words = split(args, valued + " -e --editable")
    for option in ("-t", "--target", "--prefix", "--root", "-w", "--wheel-dir", "-d", "--dest"):
        if options.get(option):
            path = run.path(options[option])
            run.files.make_folder(path or "/")
            run.files.doubt(path or "/", "pip installs into it")
    verb = words[0].text if words else ""
    found: list[Local] = []
    for index, arg in enumerate(args[:-1]):
        if arg.text in ("-r", "--requirement") and (path := run.path(args[index + 1].text)):
            found += local_requirements(path, run.files.text)
    given = [(text, True) for text in editable] + [(word.text, False) for word in words[1:]]
    for text, stays in given:
        local = local_argument(text or "", editable=stays)
        found += [local] if local else []
    if verb == "wheel":
        run.installs.wheels.add(bool(found))
    elif verb == "install":
        for local in found:
            _local_install(run, local)
        if has(options, "-f", "--find-links") and True in run.installs.wheels:
            run.installs.add_unknown("pip install --find-links", run.place)
    return None


def _local_install(run: Commands, local: Local) -> None:
    """Record an argument of `pip install` that is a folder, a wheel or an archive."""
    path = run.path(local.path)
    name = posixpath.basename(local.path.rstrip("/"))
    if path is None:
        run.installs.add_unknown(f"pip install {local.path}", run.place)
    elif local.is_file or "*" in name:
        matching = run.files.matching("/", path)
        uploaded = any(run.files.from_context(one) for one in matching)
        run.installs.add_file(f"pip install {name}", run.place, uploaded=uploaded)
    else:
        run.installs.add(path, editable=local.editable, program="pip", place=run.place)


def uv(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    """uv: the virtual environments it makes, and the projects that `sync` installs."""
    folder: str | None = "."
    while args and args[0].text in ("--directory", "--project", "--no-cache", "-q", "--quiet"):
        if args[0].text in ("--directory", "--project"):
            folder = args[1].text if len(args) > 1 else None
            args = args[1:]
        args = args[1:]
    verb = args[0].text if args else ""
    if verb == "pip":
        return pip(run, args[1:], stdin)
    if verb == "run":
        words = split(args[1:], "--with --python -p --extra --group --directory --env-file")[1]
        _venv_at(run, ".venv")
        name = words[0].text if words else None
        return run.run(name, words[1:], stdin) if name else None
    if verb == "venv":
        words = split(args[1:], "--python -p --prompt")[1]
        _venv_at(run, words[0].text if words else ".venv")
    elif verb == "sync":
        options = split(args[1:], "--package --group --extra --python -p --directory --project")[0]
        folder = options.get("--directory", options.get("--project", folder))
        _uv_sync(run, options, run.path(folder))
    elif verb == "build":
        return builds_wheel(run, [Arg("uv"), *args])
    elif verb in ("init", "add", "export", "lock"):
        return run.unknown([Arg("uv"), *args])
    return None


def _uv_sync(run: Commands, options: dict[str, str | None], folder: str | None) -> None:
    """The project in a folder itself, and the local ones it depends on."""
    if folder is None:
        _venv_at(run, None)
        run.installs.add_unknown("uv sync", run.place)
        return
    _venv_at(run, join(folder, ".venv"))
    data = project_data(run.files.text(join(folder, "pyproject.toml")))
    workspace = has_workspace(data) and not has(options, "--no-install-workspace")
    if workspace or has(options, "--package", "--all-packages"):
        run.installs.add_unknown("uv sync in a workspace", run.place)
    editable = not has(options, "--no-editable")
    alone = has(options, "--no-install-project", "--no-install-workspace", "--only-group")
    if not alone and uv_packages(data):
        run.installs.add(folder, editable=editable, program="uv", place=run.place)
    for path, stays in path_dependencies(data):
        other = absolute(folder, path)
        run.installs.add(other, editable=stays and editable, program="uv", place=run.place)


def builds_wheel(run: Commands, args: list[Arg]) -> str | None:
    """`uv build` and its like make a wheel of a local project."""
    run.installs.wheels.add(True)
    return run.unknown(args)


def _venv_at(run: Commands, text: str | None) -> None:
    path = run.path(text)
    run.files.doubt(path or "/", "packages are installed into it")


def poetry(run: Commands, args: list[Arg], stdin: str | None) -> str | None:
    """Poetry: the virtual environment, and the projects that `install` and `sync` install."""
    verb = args[0].text if args else ""
    if verb in ("install", "sync"):
        _venv_at(run, ".venv")
        if run.cwd is None:
            run.installs.add_unknown(f"poetry {verb}", run.place)
            return None
        data = project_data(run.files.text(join(run.cwd, "pyproject.toml")))
        if poetry_packages(data) and not has(split(args[1:])[0], "--no-root"):
            run.installs.add(run.cwd, editable=True, program="poetry", place=run.place)
        for path, stays in path_dependencies(data):
            folder = absolute(run.cwd, path)
            run.installs.add(folder, editable=stays, program="poetry", place=run.place)
    elif verb == "build":
        return builds_wheel(run, [Arg("poetry"), *args])
    elif verb == "export":
        output = split(args[1:], "-o --output -f --format")[0]
        name = output.get("-o") or output.get("--output")
        if name:
            run.downloaded(name)
    elif verb == "run":
        words = split(args[1:])[1]
        return run.run(words[0].text or "", words[1:], stdin) if words else None
    return None
