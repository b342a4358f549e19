"""The Space as it would run: every fact, worked out once, when it is first asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from hfcheck.source import Place, ReadProblem, SourceFile
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.code.python import Broken, Found, Module, Python, Unreadable, as_main
from hfcheck.space.code.startup import Startup, work_out_startup
from hfcheck.space.context import Context
from hfcheck.space.declared import Declared
from hfcheck.space.docker.dockerfile import Dockerfile, parse
from hfcheck.space.environ import RequiredRead, required_reads, runtime_environment
from hfcheck.space.image.image import Image, build_image
from hfcheck.space.launch.launch import Launch, work_out_launch
from hfcheck.space.packages import Packages, read_packages
from hfcheck.space.settings.model import SettingsModel, SettingsReader, following_settings
from hfcheck.space.site.card import Card
from hfcheck.space.site.discover import Site, card_of
from hfcheck.space.value import Known, Origin, Unknown, Value
from hfcheck.space.web.model import Web, work_out_web


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file that makes the Space and can't be read or parsed. `sure` is false where the Space
    may cope with it all the same (syntax that may only be newer than the running Python),
    `is_text` where it could not even be decoded.
    """

    place: Place
    reason: str
    sure: bool = True
    is_text: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of hfcheck itself: the rule in which it happened, and the exception."""

    rule: str
    exception: str
    where: str
    traceback: str


class Space:
    """One folder that is (or would be) a Docker Space, and what was worked out of it."""

    def __init__(self, site: Site, declared: Declared) -> None:
        self.site = site
        self.declared = declared
        self.context = Context(site.context)
        self.home = self.context if site.context == site.root else Context(site.root)
        self.faults: list[Fault] = []

    @cached_property
    def card(self) -> Card:
        """The front matter that the Space would have."""
        return card_of(self.site)

    @cached_property
    def _dockerfile_text(self) -> SourceFile | ReadProblem | None:
        path = self.site.dockerfile
        return Context(path.parent).read(path.name) if path else None

    @cached_property
    def dockerfile(self) -> Dockerfile | None:
        """The parsed Dockerfile; None where there is none that can be read."""
        text = self._dockerfile_text
        known = {name: Known(value) for name, value in self.declared.variables.items()}
        return parse(text, known) if isinstance(text, SourceFile) else None

    @cached_property
    def image(self) -> Image | None:
        """The image that the Dockerfile makes; None without a stage."""
        if self.dockerfile is None or self.dockerfile.final is None:
            return None
        return build_image(self.dockerfile, self.context, self.declared)

    @cached_property
    def environment(self) -> dict[str, Value[str]]:
        """The variables that are set when the container starts."""
        if self.image is None:
            return {}
        oauth = self.card.values.get("hf_oauth")
        return runtime_environment(
            self.image, self.declared, oauth=oauth is not None and oauth.text == "true"
        )

    @cached_property
    def launch(self) -> Launch | None:
        """What starts and where it listens; None without an image.

        Of a Dockerfile that can't be built nothing ever starts: what would listen is unknown.
        """
        if self.image is None or self.dockerfile is None:
            return None
        launch = work_out_launch(self.image, self.declared, lambda: self.packages)
        if not self.dockerfile.problems:
            return launch
        first = self.dockerfile.problems[0]
        reason = Unknown("the Dockerfile can't be built", (Origin(first.place, first.message),))
        return replace(launch, listeners=(), public=None, nothing=None, unknown=reason, problems=())

    @cached_property
    def python(self) -> Python | None:
        """Where the public process finds Python modules; None without an image."""
        if self.image is None or self.launch is None:
            return None
        image = self.launch.image or self.image
        return Python(image, self.launch.search or (image.workdir,))

    @cached_property
    def evaluator(self) -> Evaluator:
        """Works out Python expressions in the public process's environment."""
        assert self.python is not None
        launch = self.launch
        assert launch is not None
        # What wrappers and start scripts add is known to the launch.
        evaluator = Evaluator(self.python, launch.env or self.environment, launch.open_env)
        following_settings(lambda: self.packages, launch.image or self.image)(evaluator)
        return evaluator

    @cached_property
    def _entry(self) -> list[Found]:
        if self.python is None or self.launch is None:
            return []
        return [_loaded(self.python, name) for name in self.launch.entry]

    @cached_property
    def startup(self) -> Startup:
        """What loading the entry point runs; empty where the entry is not known."""
        entry = [found for found in self._entry if isinstance(found, Module)]
        if self.python is None or not entry:
            return Startup()
        serving = [each.place for each in self.launch.listeners] if self.launch else []
        return work_out_startup(self.python, self.evaluator, entry, self._factories(entry), serving)

    def _factories(self, entry: list[Module]) -> Iterator[tuple[Module, str]]:
        target = self.launch.public.target if self.launch and self.launch.public else None
        if target is None or not target.factory or not target.attribute:
            return
        yield from ((module, target.attribute) for module in entry if module.name == target.module)

    @property
    def modules(self) -> list[Module]:
        """The modules that the entry point loads, entry first."""
        return self.startup.modules

    @cached_property
    def required(self) -> list[RequiredRead]:
        """The variables that code outside of settings classes can't start without."""
        return required_reads(self.startup)

    @cached_property
    def packages(self) -> Packages:
        """What the build would install."""
        return read_packages(self.dockerfile, self.image, (self.context, self.home))

    @cached_property
    def settings(self) -> SettingsModel:
        """The settings classes that are loaded at start."""
        if self.python is None:
            return SettingsModel()
        started = self.startup  # what the code sets itself is in the evaluator's environment then
        reader = SettingsReader(
            self.python,
            self.evaluator.env,
            self.packages,
            self.image,
            open_env=self.evaluator.open_env,
        )
        return SettingsModel(list(reader.classes(started.modules, started.made)))

    @cached_property
    def web(self) -> Web:
        """The HTTP side: application, CORS, where tokens are verified."""
        if self.python is None or self.launch is None or not self.modules:
            return Web(reason="no Python application is served")
        return work_out_web(
            python=self.python,
            modules=self.modules,
            evaluator=self.evaluator,
            declared=self.declared,
            listener=self.launch.public,
        )

    @cached_property
    def problems(self) -> list[FileProblem]:
        """The files that make the Space and can't be read or parsed. Of a Dockerfile the first
        fault, where the build stops; the others are often no more than its echo.
        """
        found: list[FileProblem] = []
        if isinstance(self._dockerfile_text, ReadProblem):
            found.append(_unread(self._dockerfile_text))
        elif self._dockerfile_text is None and self.site.dockerfile is not None:
            reason = "it is no file, or a link that leads nowhere"
            found.append(_unread(ReadProblem(self.site.dockerfile, reason)))
        if self.dockerfile is not None:
            found += [FileProblem(p.place, p.message) for p in self.dockerfile.problems[:1]]
        for entry in (*self._entry, *self.startup.broken, *self.startup.unreadable):
            if isinstance(entry, Broken):
                found.append(_unparsed(entry))
            elif isinstance(entry, Unreadable):
                found.append(_unread(entry.problem, sure=entry.problem.offset is not None))
        return found


def _loaded(python: Python, entry: str) -> Found:
    """What an entry of the launch is: a script, a module, or one that `python -m` runs."""
    if entry.startswith("/"):
        return python.script(entry)
    name = entry.removeprefix("-m ")
    found = python.find(name)
    return as_main(found, name) if isinstance(found, Module) and name != entry else found


def _unread(problem: ReadProblem, *, sure: bool = True) -> FileProblem:
    place = problem.where or SourceFile(problem.path, "").place()
    return FileProblem(place, problem.reason, sure, is_text=False)


def _unparsed(broken: Broken) -> FileProblem:
    if not broken.newer:
        return FileProblem(broken.place, broken.message)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    reason = f"its syntax is newer than Python {version}, with which hfcheck runs"
    return FileProblem(broken.place, reason, sure=False)
