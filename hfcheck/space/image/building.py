"""Goes through the stages of a Dockerfile and works out files, variables and settings of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from hfcheck.space.docker.dockerfile import Dockerfile, Instruction, Stage, Word
from hfcheck.space.docker.expand import ExpansionError, expand
from hfcheck.space.image.bases import Base, base_image
from hfcheck.space.image.copying import Copier, MissingSource
from hfcheck.space.image.layers import ContextTree, File, Folder, Layers, Made, MaybeMore, Snapshot
from hfcheck.space.image.paths import absolute, within
from hfcheck.space.image.projects import Installs
from hfcheck.space.image.runsteps import RunSteps
from hfcheck.space.value import Known, Origin, Unknown, Value, via

DEFAULT_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Command:
    """A CMD or ENTRYPOINT. Exec form: `words` are its arguments, never expanded. Shell form:
    `words` is the one command line, run by `shell` (`("/bin/sh", "-c")` unless SHELL says else).
    """

    form: Literal["exec", "shell"]
    words: tuple[Word, ...]
    instruction: Instruction
    shell: tuple[str, ...] = DEFAULT_SHELL


@dataclass(slots=True)
class StageFiles:
    """One stage as far as it has been worked out. `variables` are those of ENV and ARG together,
    the later one having set the value; `env` are those of ENV, which stay in the image.
    """

    base: Base
    layers: Layers
    env: dict[str, Value[str]] = field(default_factory=dict)
    variables: dict[str, Value[str]] = field(default_factory=dict)
    workdir: str = "/"
    workdir_known: bool = True
    user: Value[str] | None = None
    shell: tuple[str, ...] = DEFAULT_SHELL
    cmd: Command | None = None
    cmd_decided: bool = False
    entrypoint: Command | None = None
    entrypoint_decided: bool = False
    exposed: list[Word] = field(default_factory=list)
    onbuild: list[Instruction] = field(default_factory=list)
    installs: Installs = field(default_factory=Installs)
    own_cmd: bool = False

    @classmethod
    def on(cls, base: Base, origin: tuple[Origin, ...] = ()) -> StageFiles:
        """A stage that starts from an external image."""
        env: dict[str, Value[str]] = {
            name: Unknown("the base image sets it", origin) for name in base.variables
        }
        if base.known:
            reason = "the base image sets it"
            env["PATH"] = Known(base.path, origin) if base.path else Unknown(reason, origin)
        stage = cls(base, Layers(base), env, dict(env))
        stage.workdir = base.workdir or "/"
        stage.workdir_known = base.workdir is not None
        return stage

    @classmethod
    def after(cls, parent: StageFiles) -> StageFiles:
        """A stage that starts from another one. Its ONBUILD instructions are not handed on."""
        return replace(
            parent,
            layers=Layers(parent.layers.now),
            env=dict(parent.env),
            variables=dict(parent.variables),
            exposed=list(parent.exposed),
            installs=parent.installs.copy(),
            onbuild=[],
            own_cmd=False,
        )


class Build:
    """One build: the Dockerfile, the files it can copy, and the values given from outside."""

    def __init__(
        self, dockerfile: Dockerfile, files: ContextTree, build_args: Mapping[str, str]
    ) -> None:
        self.dockerfile = dockerfile
        self.files = files
        self.build_args = build_args
        self.stages: dict[int, StageFiles] = {}
        self.missing: list[MissingSource] = []


def build_stages(build: Build) -> StageFiles | None:
    """Work out all stages that the last one needs; the last one, None where there is none."""
    last: StageFiles | None = None
    for stage in build.dockerfile.needed():
        last = _start(build, stage)
        triggers = build.stages[stage.parent.index].onbuild if stage.parent else []
        walk = _StageWalk(build, last, stage)
        for instruction in [*triggers, *stage.instructions]:
            walk.follow(instruction)
        build.stages[stage.index] = last
    return last


def _start(build: Build, stage: Stage) -> StageFiles:
    if stage.parent is not None:
        return StageFiles.after(build.stages[stage.parent.index])
    place = stage.origin.place
    note = f"FROM {stage.base}" if stage.base else "FROM"
    state = StageFiles.on(base_image(stage.base), (Origin(place, note),))
    if state.base.entrypoint:
        span = stage.origin.words[0].span
        words = tuple(Word(text, span) for text in state.base.entrypoint)
        state.entrypoint = Command("exec", words, stage.origin)
        state.entrypoint_decided = True
    return state


class _Scope(Mapping[str, Value[str]]):
    """The variables that an instruction can use. On an unknown base image every other name may be
    set as well.
    """

    def __init__(self, variables: Mapping[str, Value[str]], *, closed: bool) -> None:
        self._variables = variables
        self._closed = closed

    def __getitem__(self, name: str) -> Value[str]:
        if name in self._variables or self._closed:
            return self._variables[name]
        return Unknown(f"{name} may be set by the base image")

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


class _StageWalk:
    """Follows the instructions of one stage."""

    def __init__(self, build: Build, state: StageFiles, stage: Stage) -> None:
        self.build = build
        self.state = state
        self.stage = stage
        self._does: dict[str, Callable[[Instruction], None]] = {
            "ENV": self._env,
            "ARG": self._arg,
            "WORKDIR": self._workdir,
            "USER": self._user,
            "SHELL": self._shell,
            "CMD": self._cmd,
            "ENTRYPOINT": self._entrypoint,
            "EXPOSE": self._expose,
            "ONBUILD": self._onbuild,
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
        scope = _Scope(self.state.variables, closed=self.state.base.known)
        try:
            return expand(text, scope, self.build.dockerfile.escape, quotes=quotes)
        except ExpansionError as error:
            return Unknown(str(error))

    def _env(self, instruction: Instruction) -> None:
        found: dict[str, Value[str]] = {}
        for pair in instruction.pairs:
            if pair.value is not None:
                place = instruction.word_place(pair.value)
                note = f"ENV {pair.name.text}={pair.value.text}"
                name = self.expand(pair.name.text)
                if isinstance(name, Known):
                    found[name.value] = via(self.expand(pair.value.text), Origin(place, note))
        self.state.env.update(found)
        self.state.variables.update(found)

    def _arg(self, instruction: Instruction) -> None:
        for pair in instruction.pairs:
            name = pair.name.text
            value = self._arg_value(instruction, name, pair.value)
            if value is not None:
                self.state.variables[name] = value

    def _arg_value(
        self, instruction: Instruction, name: str, default: Word | None
    ) -> Value[str] | None:
        """What an ARG sets; None where it leaves things as they are."""
        if name in self.build.build_args:
            origin = Origin(instruction.place, f"ARG {name}, set by the Space's variable")
            return Known(self.build.build_args[name], (origin,))
        if default is not None:
            place = instruction.word_place(default)
            return via(self.expand(default.text), Origin(place, f"ARG {name}={default.text}"))
        if name in self.build.dockerfile.global_args:
            return self.build.dockerfile.global_args[name]
        if name in self.state.variables:
            return None
        origin = Origin(instruction.place, f"ARG {name}")
        return Unknown("the build argument has no default; a Space variable may set it", (origin,))

    def _workdir(self, instruction: Instruction) -> None:
        value = self.expand(instruction.words[0].text if instruction.words else "")
        if isinstance(value, Unknown):
            self.state.workdir_known = False
            self.state.layers.add(MaybeMore("/", f"WORKDIR is not known: {value.reason}"))
            return
        if value.value.startswith("/"):
            self.state.workdir_known = True
        self.state.workdir = absolute(self.state.workdir, value.value)
        self.state.layers.add(Made(self.state.layers.now.resolve(self.state.workdir)))

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
        if not instruction.words:
            return None
        return Command("shell", instruction.words, instruction, self.state.shell)

    def _expose(self, instruction: Instruction) -> None:
        self.state.exposed += instruction.words

    def _onbuild(self, instruction: Instruction) -> None:
        if instruction.onbuild is not None:
            self.state.onbuild.append(instruction.onbuild)

    def _copy(self, instruction: Instruction) -> None:
        copier = Copier(
            files=self.build.files,
            layers=self.state.layers,
            workdir=self.state.workdir,
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
            workdir=self.state.workdir,
            variables=self.state.variables,
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
