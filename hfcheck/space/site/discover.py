"""Which folders are Spaces, and which files play the Dockerfile, the README and the context."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hfcheck.source import Place, ReadProblem, SourceFile, Span
from hfcheck.space.context import Context, read_text
from hfcheck.space.site import names
from hfcheck.space.site.card import Card, read_card
from hfcheck.space.site.deploy import Deployment, read_deployments
from hfcheck.space.site.fit import fitting_context
from hfcheck.space.site.walk import MAX_FILES, walk


@dataclass(frozen=True, slots=True)
class Site:
    """One folder to check.

    `root` is the folder that would be uploaded (absolute, resolved); `context` the build context
    (the root, or a parent when the COPY paths fit only that). `dockerfile` and `readme` are
    absolute, None where there is none. `dockerfile_name_needed` / `readme_name_needed` are true
    where the file has another name than the Space needs (Dockerfile.hf, README_HF.md) or stands
    in another folder, and was not given by the user. `readme_rows` are the lines of the README
    where a script writes it: then `readme` is that script. `readme_kept` is the script that leaves
    the README alone that the Space has on the Hub, `readme_changed` the place in one that writes
    it in a way that is not followed. `readme_above` is a README.md further up with the front
    matter of a Docker Space, where the Space itself has none. `notes` say in words how each
    choice came to be.
    """

    root: Path
    context: Path
    dockerfile: Path | None
    readme: Path | None
    dockerfile_name_needed: bool = False
    readme_name_needed: bool = False
    notes: tuple[str, ...] = ()
    readme_rows: tuple[Span, ...] = ()
    readme_kept: Path | None = None
    readme_changed: Place | None = None
    readme_above: Path | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A folder that was looked at and left out, and why (`--show-files`). `limit` is true where
    the search itself ended early.
    """

    path: Path
    reason: str
    limit: bool = False


@dataclass(frozen=True, slots=True)
class Overrides:
    """The files that the user names; relative paths are meant from the folder that is checked."""

    dockerfile: Path | None = None
    readme: Path | None = None
    context: Path | None = None


NONE = Overrides()


def discover(
    path: Path,
    overrides: Overrides = NONE,
    configured: Callable[[Path], Overrides] = lambda folder: NONE,
) -> tuple[list[Site], list[Skipped]]:
    """The Spaces at or below a path, and what was left out.

    The path itself counts when it has a Dockerfile or the front matter of a Space, else every
    folder below it that has; folders below a path that counts are told where they look more like
    the Space. `overrides` hold for the path itself; `configured` gives what the configuration of
    a folder names, and its errors come through. No sites: the second list tells why.
    """
    path = path.resolve()
    if path.is_file():
        if not names.is_dockerfile(path.name):
            return [], [Skipped(path, "it is neither a folder nor a Dockerfile")]
        overrides = Overrides(overrides.dockerfile or path, overrides.readme, overrides.context)
        path = path.parent
    if not path.is_dir():
        return [], [Skipped(path, "there is no such folder")]
    overrides = _merged(overrides, configured(path))
    search = _Search(path)
    top = search.look(path)
    taken = overrides != NONE or (top.is_space and not search.only_a_card(top))
    if not taken:
        return search.below(configured)
    told = search.elsewhere()
    if overrides == NONE:
        known = {skipped.path for skipped in told}
        told += [skipped for skipped in search.better_below(top) if skipped.path not in known]
    return [search.site(top, overrides)], told


def _merged(first: Overrides, second: Overrides) -> Overrides:
    """What the first names, and for the rest what the second does."""
    return Overrides(
        first.dockerfile or second.dockerfile,
        first.readme or second.readme,
        first.context or second.context,
    )


def card_of(site: Site) -> Card:
    """The front matter of a Space: of its README, or of the one that its scripts write."""
    if site.readme is None:
        card = read_card(None)
    else:
        card = read_card(read_text(site.readme.parent, site.readme.name), site.readme_rows)
    unsettled = site.readme_kept is not None or site.readme_changed is not None
    if unsettled and card.status in ("absent", "missing"):
        return Card(card.source, "kept", {}, near_miss=card.near_miss)
    return card


@dataclass(eq=False)
class _Look:
    """What one folder holds."""

    root: Path
    inner: str
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.context = Context(self.root)

    @cached_property
    def files(self) -> tuple[str, ...]:
        context = self.context
        return tuple(name for name in context.names() if context.kind(name) in ("file", "other"))

    @cached_property
    def dockerfiles(self) -> list[str]:
        """Every file named like a Dockerfile."""
        return [name for name in self.files if names.is_dockerfile(name)]

    @cached_property
    def named(self) -> list[str]:
        """Those that a Space is built from, or is meant to be."""
        plain = [name for name in self.dockerfiles if name.lower() == "dockerfile"]
        return [*plain, *names.hub_dockerfiles(self.files)]

    @cached_property
    def card(self) -> Card:
        return read_card(self.context.read("README.md"))

    @property
    def is_space(self) -> bool:
        """Whether it has a Dockerfile, or front matter that asks for one."""
        return bool(self.named) or self.says_docker

    @cached_property
    def says_docker(self) -> bool:
        """Whether its README is a Docker Space's."""
        return self.card.says_sdk and self.card.sdk in (None, "docker")

    def text(self, name: str) -> str:
        """The text of a file; empty where it can't be read."""
        source = self.context.read(name)
        return source.text if isinstance(source, SourceFile) else ""


_PYTHON = re.compile(
    r"^FROM\s+(?:\S+/)?(?:python|tiangolo|\S*conda\S*)\S*|\b(?:uvicorn|gunicorn|hypercorn|poetry)\b"
    r"|\bpip3? install|\buv (?:sync|pip|run)\b",
    re.IGNORECASE | re.MULTILINE,
)
_PYTHON_FILE = re.compile(r".+\.py|requirements.*\.txt|pyproject\.toml|Pipfile|environment\.ya?ml")
_START_FILE = re.compile(r".+\.(?:sh|py|conf|toml|cfg|ini)|Procfile|Makefile")
_PORT = re.compile(r"(?<!\d)7860(?!\d)")
_MAX_START_FILES = 40


class _Search:
    """One search: its folders, and the deployments of the repository around it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        repository = repository_of(path)
        self.marked = repository is not None
        self.top = repository or path
        self.repository = Context(self.top)
        self._looks: dict[Path, _Look] = {}
        self._deployments: dict[str, list[Deployment]] = {}

    def look(self, folder: Path) -> _Look:
        """What a folder holds; looked up once."""
        if folder not in self._looks:
            inner = folder.relative_to(self.top).as_posix()
            self._looks[folder] = _Look(folder, inner)
        return self._looks[folder]

    def deployments(self, look: _Look) -> list[Deployment]:
        """The workflows and scripts that upload this folder."""
        if look.inner not in self._deployments:
            every = read_deployments(self.repository, look.inner)
            self._deployments[look.inner] = [d for d in every if look.inner in d.folders]
        return self._deployments[look.inner]

    def only_a_card(self, look: _Look) -> bool:
        """Whether a folder holds no more of a Space than the README that a workflow copies beside
        the files of a folder below, or that is the card of the repository's other half.
        """
        if look.dockerfiles or self.deployments(look):
            return False
        return bool(self.elsewhere())

    def elsewhere(self) -> list[Skipped]:
        """The folders below that a workflow uploads: the path was taken as one Space."""
        found = {
            folder: deployment
            for deployment in read_deployments(self.repository)
            for folder in deployment.folders
        }
        skipped = []
        for folder, deployment in sorted(found.items()):
            look = self.look(self.top / folder)
            below = look.root != self.path and look.root.is_relative_to(self.path)
            if below and look.named:
                script = deployment.source.path.relative_to(self.top).as_posix()
                reason = f"{script} uploads it, but the folder above was taken as the Space"
                skipped.append(Skipped(look.root, reason))
        return skipped

    def better_below(self, top: _Look) -> list[Skipped]:
        """The folders below that are Spaces for certain, where the top has a Dockerfile that
        nothing shows to be one's.
        """
        if top.card.says_sdk or self._sign_inside(top):
            return []
        reason = "it is a Space of its own, below a folder with a Dockerfile: check it by its path"
        looks = [self.look(folder) for folder in walk(self.path, self.top).folders]
        return [
            Skipped(look.root, reason)
            for look in looks
            if look is not top
            and look.named
            and ((look.says_docker and look.card.sdk == "docker") or self.deployments(look))
        ]

    def below(self, configured: Callable[[Path], Overrides]) -> tuple[list[Site], list[Skipped]]:
        """The Spaces below the path."""
        found = walk(self.path, self.top)
        looks = [self.look(folder) for folder in found.folders]
        skipped = [] if found.complete else [self._limit()]
        candidates = [look for look in looks if look.root != self.path and look.is_space]
        signs = {look.root: self.sign(look) for look in candidates}
        signed = any(signs.values())
        sites: list[Site] = []
        for look in candidates:
            reason = self._reason_to_skip(look, signs, signed, [site.root for site in sites])
            if reason:
                skipped.append(Skipped(look.root, reason))
            else:
                sites.append(self.site(look, configured(look.root), signs[look.root] or ""))
        if sites:
            return sites, skipped
        rest = [look for look in looks if look.dockerfiles and look not in candidates]
        return self.last_resort(rest, skipped)

    def _reason_to_skip(
        self, look: _Look, signs: dict[Path, str | None], signed: bool, taken: list[Path]
    ) -> str | None:
        if signs[look.root]:
            return None
        if signed:
            return "it has a Dockerfile but no sign of a Space, and another folder has one"
        if not self.is_python(look):
            return "its Dockerfile is not for Python, and it has no sign of a Space"
        around = next((folder for folder in taken if look.root.is_relative_to(folder)), None)
        return f"it is part of {around.name}/, which is checked" if around else None

    def _limit(self) -> Skipped:
        return Skipped(
            self.path, f"it has more than {MAX_FILES} files: the search ended there", limit=True
        )

    def last_resort(
        self, looks: list[_Look], skipped: list[Skipped]
    ) -> tuple[list[Site], list[Skipped]]:
        """Folders whose only Dockerfiles have names like Dockerfile.prod."""
        sites: list[Site] = []
        for look in looks:
            if any(look.root.is_relative_to(site.root) for site in sites):
                continue
            if self._only_python(look):
                sites.append(self.site(look, NONE))
            else:
                listed = ", ".join(look.dockerfiles)
                reason = f"it has no file named Dockerfile; name one with --dockerfile ({listed})"
                skipped.append(Skipped(look.root, reason))
        if not sites and not skipped:
            skipped = [Skipped(self.path, self._nothing())]
        return sites, skipped

    def _nothing(self) -> str:
        card = self.look(self.path).card
        if card.says_sdk:
            return f"its README says `sdk: {card.sdk}`, and hfcheck checks Docker Spaces"
        return "no folder here has a Dockerfile or the front matter of a Docker Space"

    def sign(self, look: _Look) -> str | None:
        """What shows that a folder is meant for the Hub; None where nothing does."""
        if look.says_docker:
            return "its README has the front matter of a Docker Space"
        if names.meant_for_hub(look.root.name):
            return "its name says so"
        return self._sign_inside(look)

    def _sign_inside(self, look: _Look) -> str | None:
        """What shows it apart from the front matter and the folder's name."""
        marked = [*names.hub_dockerfiles(look.files), *names.hub_readmes(look.files)]
        if marked:
            return f"it has {marked[0]}"
        for deployment in self.deployments(look):
            return f"{deployment.source.path.relative_to(self.top).as_posix()} uploads it"
        if "hfcheck.toml" in look.files or "[tool.hfcheck" in look.text("pyproject.toml"):
            return "it is configured for hfcheck"
        started = [name for name in look.files if _START_FILE.fullmatch(name)]
        for name in [*look.named, *started[:_MAX_START_FILES]]:
            if _PORT.search(look.text(name)):
                return f"{name} names port 7860"
        return None

    def is_python(self, look: _Look) -> bool:
        """Whether what a folder's Dockerfile builds looks like Python."""
        return any(_PYTHON_FILE.fullmatch(name) for name in look.files) or any(
            _PYTHON.search(look.text(name)) for name in look.named
        )

    def _only_python(self, look: _Look) -> str | None:
        """The one Dockerfile of a folder, or the one of several that is for Python."""
        if len(look.dockerfiles) == 1:
            name = look.dockerfiles[0]
            python = any(_PYTHON_FILE.fullmatch(file) for file in look.files)
            return name if python or _PYTHON.search(look.text(name)) else None
        python_ones = [name for name in look.dockerfiles if _PYTHON.search(look.text(name))]
        return python_ones[0] if len(python_ones) == 1 else None

    def site(self, look: _Look, overrides: Overrides, why: str = "") -> Site:
        """The Space that a folder is, with its files chosen."""
        notes = [f"{look.inner} is taken as a Space: {why}"] if why else []
        dockerfile, wanted = self._dockerfile(look, overrides, notes)
        context = self._context(look, overrides, dockerfile, notes)
        choice = self._readme(look, overrides, dockerfile, context, notes)
        moved = dockerfile is not None and wanted and dockerfile.parent != context
        return Site(
            root=look.root,
            context=context,
            dockerfile=dockerfile,
            readme=choice.path,
            dockerfile_name_needed=wanted
            and dockerfile is not None
            and (dockerfile.name != "Dockerfile" or moved),
            readme_name_needed=choice.needed,
            notes=tuple(notes),
            readme_rows=choice.rows,
            readme_kept=choice.kept,
            readme_changed=choice.changed,
            readme_above=self._readme_above(look) if choice.path is None or choice.plain else None,
        )

    def _readme_above(self, look: _Look) -> Path | None:
        """A README.md further up with a Docker Space's front matter and no Dockerfile beside it."""
        folder = look.root
        while folder != self.top and look.card.status in ("absent", "missing"):
            folder = folder.parent
            above = self.look(folder)
            if above.card.sdk == "docker" and not above.dockerfiles:
                return folder / "README.md"
        return None

    def _dockerfile(
        self, look: _Look, overrides: Overrides, notes: list[str]
    ) -> tuple[Path | None, bool]:
        """The Dockerfile, and whether the Space needs it under its right name (it does not where
        the user chose it).
        """
        if overrides.dockerfile is not None:
            notes.append(f"the Dockerfile is the one given: {overrides.dockerfile.name}")
            return (look.root / overrides.dockerfile).resolve(), False
        copied = self._copied(look, "Dockerfile")
        hub = names.hub_dockerfiles(look.files)
        if copied and copied[0].name != "Dockerfile":
            notes.append(f"the Dockerfile is {copied[0].name}: {copied[1]} copies it")
            return copied[0], True
        plain = "Dockerfile" in look.dockerfiles
        told = next((name for name in hub if self._told_of(look, name)), None)
        if told:
            notes.append(f"the Dockerfile is {told}: the README for the Hub names it")
            return look.root / told, True
        if plain and (not hub or look.says_docker):
            if hub:
                notes.append(f"{hub[0]} is not used: README.md and Dockerfile make a whole Space")
            return look.root / "Dockerfile", True
        if hub:
            notes.append(f"the Dockerfile is {hub[0]}: its name says that it is for the Hub")
            return look.root / hub[0], True
        other = look.named[0] if look.named else self._only_python(look)
        if other is None:
            return None, True
        notes.append(f"the Dockerfile is {other}: there is no other")
        return look.root / other, True

    def _told_of(self, look: _Look, dockerfile: str) -> bool:
        """Whether a README for the Hub names a Dockerfile for the Hub beside it."""
        return any(dockerfile in look.text(readme) for readme in names.hub_readmes(look.files))

    def _copied(self, look: _Look, target: str) -> tuple[Path, str] | None:
        """The file that a deployment of this folder puts under a name, and the script."""
        for deployment in self.deployments(look):
            for path in deployment.copies.get(target, ()):
                inside = "" if look.inner == "." else f"{look.inner}/"
                for candidate in (path, inside + posixpath.basename(path)):
                    if self.repository.kind(candidate) == "file":
                        script = deployment.source.path.relative_to(self.top).as_posix()
                        return self.top / candidate, script
        return None

    def _context(
        self, look: _Look, overrides: Overrides, dockerfile: Path | None, notes: list[str]
    ) -> Path:
        if overrides.context is not None:
            notes.append(f"the build context is the one given: {overrides.context.name}")
            return (look.root / overrides.context).resolve()
        source = read_text(dockerfile.parent, dockerfile.name) if dockerfile else None
        if not isinstance(source, SourceFile):
            return look.root
        context, why = fitting_context(source, look.root, self.top, self.marked)
        if why:
            notes.append(f"the build context is {context.name}/: {why}")
        return context

    def _readme(
        self,
        look: _Look,
        overrides: Overrides,
        dockerfile: Path | None,
        context: Path,
        notes: list[str],
    ) -> _Readme:
        if overrides.readme is not None:
            notes.append(f"the README is the one given: {overrides.readme.name}")
            return _Readme((look.root / overrides.readme).resolve(), needed=False)
        plain = look.root / "README.md" if "README.md" in look.files else None
        if look.card.status not in ("absent", "missing"):
            return _Readme(plain, needed=False)
        for path, why in self._other_readmes(look, dockerfile, context):
            card = read_card(read_text(path.parent, path.name))
            if card.says_sdk:
                notes.append(f"the front matter is that of {path.relative_to(self.top)}: {why}")
                return _Readme(path)
        changed: Place | None = None
        for deployment in self.deployments(look):
            script = deployment.source.path.relative_to(self.top).as_posix()
            written = (deployment.written.get("README.md"), deployment.shown)
            for text in written:
                if text is not None and read_card(text.source, text.rows).says_sdk:
                    notes.append(f"the front matter is the one that {script} writes")
                    return _Readme(text.source.path, rows=text.rows)
            if deployment.changed is not None and changed is None:
                notes.append(f"{script} writes README.md in a way that is not followed")
                changed = deployment.changed
        kept = next((d.source.path for d in self.deployments(look) if d.keeps_readme), None)
        if kept:
            notes.append(f"{kept.relative_to(self.top)} leaves the README that the Space has")
        hub = [name for name in names.hub_readmes(look.files) if _tried(look, name)]
        if look.card.near_miss is None and hub:
            return _Readme(look.root / hub[0], kept=kept, changed=changed)
        if plain is None and (others := names.hub_readmes(look.files)):
            return _Readme(look.root / others[0], kept=kept, changed=changed)
        return _Readme(plain, needed=False, kept=kept, changed=changed, plain=True)

    def _other_readmes(
        self, look: _Look, dockerfile: Path | None, context: Path
    ) -> list[tuple[Path, str]]:
        """Files that may hold the front matter where README.md does not, the likeliest first."""
        found: list[tuple[Path, str]] = []
        copied = self._copied(look, "README.md")
        if copied:
            found.append((copied[0], f"{copied[1]} copies it"))
        same = [name for name in look.files if name.lower() == "readme.md" and name != "README.md"]
        for name in [*names.hub_readmes(look.files), *same]:
            found.append((look.root / name, "its name says so"))
        if context != look.root:
            found.append((context / "README.md", "it is in the build context"))
        if dockerfile is not None and dockerfile.parent != look.root:
            found.append((dockerfile.parent / "README.md", "it is beside the Dockerfile"))
        for name in look.context.names():
            if look.context.kind(name) == "dir" and name != ".git":
                inner = self.look(look.root / name)
                if inner.dockerfiles:
                    continue  # a Space of its own
                for readme in names.hub_readmes(inner.files):
                    found.append((inner.root / readme, "its name says so"))
                if names.meant_for_hub(name) and "README.md" in inner.files:
                    found.append((inner.root / "README.md", "its folder's name says so"))
        return found


@dataclass(frozen=True, slots=True)
class _Readme:
    """The README chosen, and what `Site` tells about it."""

    path: Path | None
    needed: bool = True
    rows: tuple[Span, ...] = ()
    kept: Path | None = None
    changed: Place | None = None
    plain: bool = False


def _tried(look: _Look, name: str) -> bool:
    """Whether a README holds front matter that the Hub would not see."""
    source = look.context.read(name)
    return not isinstance(source, ReadProblem) and read_card(source).near_miss is not None


def repository_of(path: Path) -> Path | None:
    """The root of the repository that a folder is in: the nearest folder with `.git`, else the
    nearest with `.github`; None where there is neither.
    """
    for mark in (".git", ".github"):
        for folder in (path, *path.parents):
            if os.path.exists(folder / mark):
                return folder
    return None
