"""The symbolic image: what the final container holds and how it is configured.

Worked out from the Dockerfile and the build context without building anything. Files are looked
up lazily through layers, so a large context costs nothing until it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hfcheck.source import ReadProblem, SourceFile
from hfcheck.space.context import Context
from hfcheck.space.declared import Declared
from hfcheck.space.docker.baseimages import base_image
from hfcheck.space.docker.dockerfile import Dockerfile
from hfcheck.space.docker.scope import Scope
from hfcheck.space.image.building import (
    Build,
    Command,
    Exposed,
    StageFiles,
    build_stages,
)
from hfcheck.space.image.copying import MissingSource
from hfcheck.space.image.dockerignore import read_ignored
from hfcheck.space.image.entries import Absent, Entry, ImageFile, ImageFolder, Unclear
from hfcheck.space.image.gitignore import GitIgnored
from hfcheck.space.image.layers import (
    ContextTree,
    Doubtful,
    File,
    Folder,
    Link,
    Node,
    Snapshot,
)
from hfcheck.space.image.projects import InstalledProject, PackageFolders
from hfcheck.space.value import Origin, Value

__all__ = [
    "Absent",
    "Command",
    "Entry",
    "Exposed",
    "Image",
    "ImageFile",
    "ImageFolder",
    "InstalledProject",
    "MissingSource",
    "Unclear",
    "build_image",
]


@dataclass(frozen=True)
class Image:
    """The final stage as it would run. Paths are absolute POSIX paths inside the image.

    `base` is the external base image, expanded (None where unknown). `env` are the ENV variables,
    with the ENV words as origins; other variables are unset where `env_known` (what the base
    image itself sets is then in `env`, perhaps Unknown), and may be set by the base where not.
    `workdir` is the WORKDIR in force at the end; where `workdir_known` is false it is relative to
    the unknown one of the base image, for which `/` stands. `cmd` None with `inherits_cmd` is
    the base image's, likewise `entrypoint`. `user` None is the base image's. `installs` are the
    local projects that the image has as packages (`pip install .` and its like, in this stage or
    in one that it copies the packages from); `unknown_installs` are installs that may bring
    modules of the project as well, nobody can tell which. `shell` is the SHELL in force (that of
    an unknown base image is taken for `/bin/sh -c`). `exposed` are the ports that the Dockerfile
    itself opens, all of them where `exposed_known`.
    """

    base: str | None
    base_known: bool
    env: Mapping[str, Value[str]]
    env_known: bool
    workdir: str
    workdir_known: bool
    user: Value[str] | None
    cmd: Command | None
    inherits_cmd: bool
    entrypoint: Command | None
    inherits_entrypoint: bool
    shell: tuple[str, ...]
    exposed: tuple[Exposed, ...]
    exposed_known: bool
    installs: tuple[InstalledProject, ...]
    unknown_installs: tuple[Origin, ...]
    missing_sources: tuple[MissingSource, ...]
    files: Snapshot
    git: GitIgnored | None = None

    def lookup(self, path: str) -> Entry:
        """What is at an absolute path of the image; reads the file, where it is one."""
        real = self.files.resolve(path)
        node = self.files.find(real)
        if isinstance(node, File):
            return _image_file(real, node)
        return _entry(real, node)

    def kind(self, path: str) -> str:
        """`"file"`, `"dir"`, `"absent"` or `"unclear"`, without reading a file."""
        node = self.files.find(self.files.resolve(path))
        if isinstance(node, File):
            return "file"
        if isinstance(node, Folder):
            return "dir"
        return "unclear" if isinstance(node, Doubtful | Link) else "absent"

    def names(self, path: str) -> tuple[str, ...]:
        """The names known to be in a folder of the image, sorted."""
        return tuple(sorted(self.files.names(self.files.resolve(path))))

    def context_path(self, path: str) -> str | None:
        """Where in the build context a copied file of the image comes from; None for any other."""
        node = self.files.find(self.files.resolve(path))
        return node.path if isinstance(node, File) and node.context else None

    def import_folders(self) -> tuple[str, ...]:
        """The folders of the image from which modules of the installed projects are imported:
        `src` of a project with that layout, else its own. A project that is not in the image any
        more (only its packages are) has none.
        """
        find = PackageFolders(self._text, self.kind, self.names)
        folders = dict.fromkeys(project.folder for project in self.installs)
        return tuple(dict.fromkeys(path for folder in folders for path in find.of(folder)))

    def _text(self, path: str) -> str | None:
        entry = self.lookup(path)
        source = entry.source if isinstance(entry, ImageFile) else None
        return source.text if isinstance(source, SourceFile) else None

    def gitignored(self, path: str) -> bool:
        """Whether a copied file is kept back from the upload, so that the Space lacks it."""
        inside = self.context_path(path)
        return inside is not None and self.git is not None and self.git.line(inside) is not None


def build_image(dockerfile: Dockerfile, context: Context, declared: Declared) -> Image:
    """The image of the last stage. A Dockerfile without a stage gives an empty unknown image."""
    ignored = read_ignored(context, _inside(dockerfile.source.path, context.root))
    build = Build(dockerfile, ContextTree(context, ignored), declared.variables)
    stage = build_stages(build) or StageFiles.on(base_image(None), Scope("\\", {}, {}))
    return _image(stage, tuple(build.missing), context)


def _image(stage: StageFiles, missing: tuple[MissingSource, ...], context: Context) -> Image:
    base, scope = stage.base, stage.scope
    return Image(
        git=GitIgnored(context),
        base=base.name,
        base_known=base.known,
        env=dict(scope.env),
        env_known=base.known,
        workdir=scope.workdir,
        workdir_known=scope.workdir_known,
        user=stage.user,
        cmd=stage.cmd,
        inherits_cmd=not stage.cmd_decided,
        entrypoint=stage.entrypoint,
        inherits_entrypoint=not stage.entrypoint_decided,
        shell=stage.shell,
        exposed=tuple(stage.exposed),
        exposed_known=stage.exposed_known,
        installs=tuple(stage.installs.projects),
        unknown_installs=tuple(stage.installs.unknown),
        missing_sources=missing,
        files=stage.layers.now,
    )


def _inside(path: Path, root: Path) -> str | None:
    """A path relative to the context's root; None where it stands elsewhere."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return None


def _image_file(path: str, node: File) -> Entry:
    source = node.read()
    if isinstance(source, ReadProblem):
        return ImageFile(path, source, node.made_by, executable=node.executable)
    return ImageFile(path, source, node.made_by, node.generated, node.executable, node.original)


def _entry(path: str, node: Node) -> Entry:
    if isinstance(node, Folder):
        return ImageFolder(path, node.doubt is None)
    if isinstance(node, Doubtful):
        return Unclear(path, node.reason)
    if isinstance(node, Link):
        return Unclear(path, "its links lead to each other")
    return Absent(path)
