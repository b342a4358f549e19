"""Goes through the stages of a Dockerfile and works out files, variables and settings of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from hfcheck.space.docker.baseimages import BaseImage, base_image
from hfcheck.space.docker.dockerfile import Dockerfile, Instruction, Stage, Word
from hfcheck.space.docker.expand import ExpansionError
from hfcheck.space.docker.ports import exposed_ports
from hfcheck.space.docker.scope import Scope
from hfcheck.space.image.bases import Base
from hfcheck.space.image.copying import Copier, MissingSource
from hfcheck.space.image.layers import ContextTree, File, Folder, Layers, Made, MaybeMore, Snapshot
from hfcheck.space.image.paths import within
from hfcheck.space.image.projects import Installs
from hfcheck.space.image.runsteps import RunSteps
from hfcheck.space.value import Known, Origin, Unknown, Value, via

DEFAULT_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Command:
    """A CMD or ENTRYPOINT. Exec form: `words` are its arguments, never expanded. Shell form:
    `words` is the one command line, if any, run by `shell` (`/bin/sh -c` unless SHELL says else).
    """

    form: Literal["exec", "shell"]
    words: tuple[Word, ...]
    instruction: Instruction
    shell: tuple[str, ...] = DEFAULT_SHELL


@dataclass(frozen=True, slots=True)
class Exposed:
    """What one word of EXPOSE opens: the ports, their protocol (`tcp`), and the word."""

    ports: range
    protocol: str
    word: Word

    @property
    def text(self) -> str:
        """The ports as Docker writes them: `8000/tcp`, `8000-8002/tcp`."""
        first, last = self.ports[0], self.ports[-1]
        return f"{first if first == last else f'{first}-{last}'}/{self.protocol}"


@dataclass(slots=True)
class StageFiles:
    """One stage as far as it has been worked out. `exposed_known` is false where an EXPOSE stands
    on an unknown value.
    """

    base: Base
    layers: Layers
    scope: Scope
    user: Value[str] | None = None
    shell: tuple[str, ...] = DEFAULT_SHELL
    cmd: Command | None = None
    cmd_decided: bool = False
    entrypoint: Command | None = None
    entrypoint_decided: bool = False
    exposed: list[Exposed] = field(default_factory=list)
    exposed_known: bool = True
    installs: Installs = field(default_factory=Installs)
    own_cmd: bool = False

    @classmethod
    def on(cls, base: BaseImage, scope: Scope) -> StageFiles:
        """A stage that starts from an external image."""
        files = Base(base)
        return cls(files, Layers(files), scope)

    @classmethod
    def after(cls, parent: StageFiles) -> StageFiles:
        """A stage that starts from another one."""
        return replace(
            parent,
            layers=Layers(parent.layers.now),
            scope=parent.scope.copy(),
            exposed=list(parent.exposed),
            installs=parent.installs.copy(),
            own_cmd=False,
        )


class Build:
    """One build: the Dockerfile, the files it can copy, and the values given from outside."""

    def __init__(
        self, dockerfile: Dockerfile, files: ContextTree, build_args: Mapping[str, str]
    ) -> None:
        self.dockerfile = dockerfile
        self.files = files
        self.build_args = {name: Known(value) for name, value in build_args.items()}
        self.stages: dict[int, StageFiles] = {}
        self.missing: list[MissingSource] = []


def build_stages(build: Build) -> StageFiles | None:
    """Work out all stages that the last one needs; the last one, None where there is none."""
    last: StageFiles | None = None
    for stage in build.dockerfile.needed():
        last = _start(build, stage)
        walk = _StageWalk(build, last, stage)
        for instruction in (*stage.triggers(), *stage.instructions):
            walk.follow(instruction)
        build.stages[stage.index] = last
    return last


def _start(build: Build, stage: Stage) -> StageFiles:
    if stage.parent is not None:
        return StageFiles.after(build.stages[stage.parent.index])
    base = base_image(stage.base)
    scope = replace(build.dockerfile.scope(stage), build_args=build.build_args)
    state = StageFiles.on(base, scope)
    if base.entrypoint:
        span = stage.origin.words[0].span
        words = tuple(Word(text, span) for text in base.entrypoint)
        state.entrypoint = Command("exec", words, stage.origin)
        state.entrypoint_decided = True
    return state


class _StageWalk:
    """Follows the instructions of one stage."""

    def __init__(self, build: Build, state: StageFiles, stage: Stage) -> None:
        self.build = build
        self.state = state
        self.stage = stage
        self._does: dict[str, Callable[[Instruction], None]] = {
            "ENV": state.scope.follow,
            "ARG": state.scope.follow,
            "WORKDIR": self._workdir,
            "USER": self._user,
            "SHELL": self._shell,
            "CMD": self._cmd,
            "ENTRYPOINT": self._entrypoint,
            "EXPOSE": self._expose,
            "COPY": self._copy,
            "ADD": self._copy,
            "RUN": self._run,
        }

    def follow(self, instruction: Instruction) -> None:
        """Do what one instruction does; those that change neither files nor settings pass by."""
        does = self._does.get(instruction.name)
        if does is not None:
            does(instruction)

    def expand(self, text: str, *, quotes: bool = True) -> Value[str]:
        """A word with its variables; Unknown also where the build would stop."""
        try:
            return self.state.scope.expand(text, quotes=quotes)
        except ExpansionError as error:
            return Unknown(str(error))

    def _workdir(self, instruction: Instruction) -> None:
        self.state.scope.follow(instruction)
        value = self.expand(instruction.words[0].text if instruction.words else "")
        if isinstance(value, Unknown):
            self.state.layers.add(MaybeMore("/", f"WORKDIR is not known: {value.reason}"))
        else:
            made = self.state.layers.now.resolve(self.state.scope.workdir)
            self.state.layers.add(Made(made))

    def _user(self, instruction: Instruction) -> None:
        if instruction.words:
            word = instruction.words[0]
            place = instruction.word_place(word)
            self.state.user = via(self.expand(word.text), Origin(place, f"USER {word.text}"))

    def _shell(self, instruction: Instruction) -> None:
        if instruction.json:
            self.state.shell = tuple(word.text for word in instruction.json)

    def _cmd(self, instruction: Instruction) -> None:
        self.state.cmd = self._command(instruction)
        self.state.cmd_decided = self.state.own_cmd = True

    def _entrypoint(self, instruction: Instruction) -> None:
        self.state.entrypoint = self._command(instruction)
        self.state.entrypoint_decided = True
        if not self.state.own_cmd:
            self.state.cmd = None
            self.state.cmd_decided = True

    def _command(self, instruction: Instruction) -> Command | None:
        """None for an empty list, which takes the command away."""
        if instruction.json is not None:
            words = instruction.json
            return Command("exec", words, instruction, self.state.shell) if words else None
        return Command("shell", instruction.words, instruction, self.state.shell)

    def _expose(self, instruction: Instruction) -> None:
        for word in instruction.words:
            try:
                texts = self.state.scope.expand_words(word.text)
                ports = [] if isinstance(texts, Unknown) else map(exposed_ports, texts.value)
                self.state.exposed += [Exposed(*each, word) for each in ports]
            except ValueError as error:
                texts = Unknown(str(error))
            self.state.exposed_known &= not isinstance(texts, Unknown)

    def _copy(self, instruction: Instruction) -> None:
        copier = Copier(
            files=self.build.files,
            layers=self.state.layers,
            workdir=self.state.scope.workdir,
            expand=self.expand,
            stage=self._stage_files,
        )
        copier.copy(instruction)
        self.build.missing += copier.missing
        source = self._stage(instruction.flag("from") or "")
        if source is not None and any(_has_installs(source, path) for path in copier.taken):
            self.state.installs.take(source.installs)

    def _stage(self, name: str) -> StageFiles | None:
        """The stage that `--from=name` means; None for an external image."""
        source = self.build.dockerfile.stage(name) if name else None
        return self.build.stages.get(source.index) if source else None

    def _stage_files(self, name: str) -> Snapshot | None:
        state = self._stage(name)
        return state.layers.now if state else None

    def _run(self, instruction: Instruction) -> None:
        user = self.state.user
        root = user is None or (isinstance(user, Known) and _is_root(user.value))
        steps = RunSteps(
            layers=self.state.layers,
            workdir=self.state.scope.workdir,
            variables=self.state.scope.variables,
            base=self.state.base,
            shell=self.state.shell,
            root=root,
            installs=self.state.installs,
        )
        steps.run(instruction)


def _has_installs(stage: StageFiles, path: str) -> bool:
    """Whether a path of a stage may hold what it installs: it holds an installed project, or not
    all of it is known (the system's packages, a virtual environment).
    """
    node = stage.layers.now.find(path)
    if isinstance(node, File):
        return False
    if any(within(project.folder, path) for project in stage.installs.projects):
        return True
    return not isinstance(node, Folder) or node.doubt is not None


def _is_root(user: str) -> bool:
    return user.split(":")[0] in ("root", "0")
