"""The process that starts with the container: what listens, where, and how that came to be.

`work_out_launch` goes from ENTRYPOINT and CMD over wrappers and scripts to the servers, and says
which of them is the public one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from hfcheck.source import Place, SourceFile, Span
from hfcheck.space.declared import Declared
from hfcheck.space.environ import runtime_environment
from hfcheck.space.image.image import Command, Image
from hfcheck.space.launch import targets
from hfcheck.space.launch.container import Container
from hfcheck.space.launch.following import Judge
from hfcheck.space.launch.process import Companion, LaunchProblem, Listener, Stopped, Target
from hfcheck.space.packages import Packages
from hfcheck.space.shell.host import ArgWord, Blocks, Call, CommandResult, Returns, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value

__all__ = ["Launch", "LaunchProblem", "Listener", "Target", "work_out_launch"]

_PLAIN_STARTS = re.compile(
    r"(docker\.io/)?(library/)?(python|debian|ubuntu|alpine|node|busybox|fedora)(:|@|$)"
)
"""Official images whose own command is a shell or an interpreter: it reads the end of its input
and exits, since a Space gives it none."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What the container starts.

    `public` is the listener that answers the Space's port. `nothing` says why nothing would
    listen, `unknown` why that can't be told; of the three exactly one is set. `search` and
    `entry` are the import folders and the first modules of the public process, or of the last
    Python program that starts where none is public: dotted names, `-m NAME` for one that runs as
    a program, absolute paths for scripts. `image` is the image that it sees, where start scripts
    changed files before.
    """

    listeners: tuple[Listener, ...]
    public: Listener | None
    nothing: Origin | None
    unknown: Unknown | None
    problems: tuple[LaunchProblem, ...]
    search: tuple[str, ...]
    entry: tuple[str, ...]
    env: Mapping[str, Value[str]] = field(default_factory=dict, compare=False, repr=False)
    open_env: Unknown | None = None
    image: Image | None = field(default=None, compare=False, repr=False)

    @property
    def listen(self) -> dict[str, object]:
        """The address in plain values, for JSON: `known`, `host`, `port`, `reason`, `via`."""
        if self.public is None:
            if self.nothing is not None:
                return _plain(True, None, None, self.nothing.note, (self.nothing,))
            unknown = self.unknown or Unknown("nothing is known")
            return _plain(False, None, None, unknown.reason, unknown.origins)
        host, port = self.public.host, self.public.port
        way = (*self.public.steps, Origin(self.public.place, self.public.server))
        if isinstance(port, Unknown):
            return _plain(False, _shown(host), None, port.reason, (*way, *port.origins))
        if isinstance(host, Unknown):
            return _plain(False, None, port.value, host.reason, (*way, *host.origins))
        return _plain(True, _shown(host), port.value, None, (*way, *port.origins))


def _plain(
    known: bool, host: str | None, port: int | None, reason: str | None, via: tuple[Origin, ...]
) -> dict[str, object]:
    return {
        "known": known,
        "host": host,
        "port": port,
        "reason": reason,
        "via": list(dict.fromkeys(_told(origin) for origin in via)),
    }


def _shown(host: Value[str | None]) -> str | None:
    if isinstance(host, Unknown):
        return None
    return "0.0.0.0" if host.value is None else host.value


def _told(origin: Origin) -> str:
    line = origin.place.source.position(origin.place.span.start).line
    text = origin.note or " ".join(origin.place.text.split())[:80]
    return f"{PurePosixPath(origin.place.source.path).name}:{line} {text}".strip()


def work_out_launch(
    image: Image,
    declared: Declared,
    packages: Callable[[], Packages] = Packages,
    judge: Judge | None = None,
) -> Launch:
    """What the container of an image would start in a Space. Never raises.

    `packages` gives what the build installs; it is asked when a settings object is met. `judge`
    says of a Python program that comes before the others what stops it; without it such a program
    is taken to run to its end, as it does once all variables are set.
    """
    container = Container(image, runtime_environment(image, declared), packages, judge)
    launch = _worked_out(image, container)
    if launch.entry:
        return launch
    return replace(launch, env=container.env, open_env=_open(image))


def _worked_out(image: Image, container: Container) -> Launch:
    call = _first_call(image, container.env)
    if isinstance(call, Stopped):
        return _nothing(call, ())
    if isinstance(call, Unclear):
        return _not_known(call, ())
    if isinstance(call, Origin):
        return Launch((), None, call, None, (), (), ())
    result = _run(container, call)
    launch = _judge(container, call, result)
    if launch.entry or launch.public is not None or not container.followed:
        return launch
    search, entry, last = container.followed[-1]
    return replace(launch, search=search, entry=(entry,), env=last.env, open_env=last.open_env)


def _run(container: Container, call: Call | _ShellForm) -> CommandResult | Stopped:
    if isinstance(call, _ShellForm):
        return call.run(container)
    container.exec_words.update(word.place for word in call.argv)
    container.first = call
    return container.start(call)


@dataclass(frozen=True, slots=True)
class _ShellForm:
    """A command line that the image's shell runs, with further words as `$0`, `$1`..."""

    call: Call
    line: ArgWord
    shell: tuple[str, ...]

    @property
    def place(self) -> Place:
        return self.line.place

    def run(self, container: Container) -> CommandResult | Stopped:
        text = self.line.value
        assert isinstance(text, Known)
        name = PurePosixPath(self.shell[0]).name if self.shell else "sh"
        flags = frozenset(
            letter
            for word in self.shell[1:]
            if word.startswith("-")
            for letter in word[1:]
            if letter != "c"
        )
        if name not in ("sh", "bash", "dash", "ash", "zsh", "ksh"):
            return Unclear(f"the shell `{name}` is not followed", (Origin(self.place, name),))
        return container.shell(
            text.value, self.place, self.call, name=name, flags=flags, json=False
        )


def _first_call(
    image: Image, env: Mapping[str, Value[str]]
) -> Call | _ShellForm | Stopped | Unclear | Origin:
    """The first process of the container, from ENTRYPOINT and CMD."""
    entrypoint, cmd = image.entrypoint, image.cmd
    if entrypoint is None and cmd is None:
        return _base_start(image)
    if image.inherits_entrypoint and not image.base_known and not _is_program(cmd):
        return Unclear(f"what the base image `{image.base or '?'}` starts is not known")
    first = entrypoint or cmd
    assert first is not None
    step = Origin(first.instruction.place, _headline(first))
    base = Call(
        argv=(),
        env=env,
        cwd=_cwd(image),
        place=first.instruction.place,
        steps=(step,),
        open_env=_open(image),
    )
    if first.form == "shell":
        # A CMD behind a shell-form ENTRYPOINT only fills $0 and so on.
        line = _line_word(first)
        if line is None:
            return Stopped("its command is empty", first.instruction.place)
        return _ShellForm(replace(base, place=line.place), line, first.shell)
    words = list(_words(first))
    if entrypoint is not None and cmd is not None:
        if cmd.form == "exec":
            words.extend(_words(cmd))
        else:
            line = _line_word(cmd)
            words.extend(_literal(word, cmd) for word in cmd.shell)
            if line is not None:
                words.append(line)
        base = replace(base, steps=(step, Origin(cmd.instruction.place, _headline(cmd))))
    if not words:
        return _base_start(image)
    place = words[0].place
    if words[0].place.source is words[-1].place.source:
        place = Place(place.source, Span(place.span.start, max(w.place.span.end for w in words)))
    fault = _one_string(words, first)
    return fault or replace(base, argv=tuple(words), place=place)


def _open(image: Image) -> Unknown | None:
    """Why variables that no file names may be set."""
    return None if image.env_known else Unknown("the base image may set it")


def _is_program(command: Command | None) -> bool:
    """Whether a CMD is a whole command. The entry point of a base image then hands it on, as
    those of the public images do; else it may be the arguments of a program.
    """
    if command is None or not command.words:
        return False
    return command.form == "shell" or not command.words[0].text.startswith("-")


def _one_string(words: list[ArgWord], command: Command) -> Stopped | None:
    """`CMD ["uvicorn main:app"]`: one word with a space is no program."""
    text = words[0].prefix
    if " " in text.strip():
        reason = f"there is no program named `{text}`: in the exec form each word stands alone"
        return Stopped(reason, words[0].place, 127)
    return None


def _base_start(image: Image) -> Unclear | Origin:
    base = image.base or ""
    if _PLAIN_STARTS.match(base):
        place = _from_place(image)
        return Origin(place, f"there is no CMD, and `{base}` starts nothing that listens")
    return Unclear(f"what the base image `{base or '?'}` starts is not known")


def _from_place(image: Image) -> Place:
    """A place in the Dockerfile, as near as the image knows one."""
    for value in image.env.values():
        for origin in value.origins:
            return origin.place.source.place()
    return SourceFile(Path("Dockerfile"), "").place()


def _cwd(image: Image) -> Value[str]:
    if image.workdir_known:
        return Known(image.workdir)
    return Unknown("WORKDIR is the base image's")


def _headline(command: Command) -> str:
    return command.instruction.name


def _words(command: Command) -> tuple[ArgWord, ...]:
    return tuple(
        ArgWord(
            Known(word.text, (Origin(command.instruction.word_place(word), _headline(command)),)),
            command.instruction.word_place(word),
            word.text,
        )
        for word in command.words
    )


def _line_word(command: Command) -> ArgWord | None:
    words = _words(command)
    return words[0] if words else None


def _literal(text: str, command: Command) -> ArgWord:
    place = command.instruction.place
    return ArgWord(Known(text, (Origin(place, _headline(command)),)), place, text)


# The result


def _judge(
    container: Container, call: Call | _ShellForm, result: CommandResult | Stopped
) -> Launch:
    problems = tuple(container.problems.values())
    if isinstance(result, Stopped):
        return _nothing(result, problems)
    if isinstance(result, Unclear):
        return _not_known(result, problems)
    if isinstance(result, Returns):
        stopped = container.stopped.get(call.place) or _last_failure(container, result)
        if stopped is not None:
            return _nothing(stopped, problems)
        if container.assumed_ends:
            return _not_known(container.assumed_ends[-1], problems)
        return Launch((), None, _why_it_ends(container, call), None, problems, (), ())
    listeners = _listeners(result)
    beside = [each.what for each in result.running if isinstance(each.what, Companion)]
    if not listeners and beside:
        return _not_known(Unclear(beside[0].reason, beside[0].origins), problems)
    if not listeners:
        return Launch(
            (), None, Origin(call.place, "what it starts listens nowhere"), None, problems, (), ()
        )
    public = choose_public(listeners, container.image)
    if not isinstance(public, Unknown) and public.internal and beside:
        # What is reached from outside may well be the other program.
        public = Unknown(beside[0].reason, beside[0].origins)
    if isinstance(public, Unknown):
        return Launch(listeners, None, None, public, problems, (), ())
    missing = targets.problem(public.image or container.image, public, container.packages)
    if missing is not None:
        problems = (*problems, missing)
    loading = public if public.search or not public.proxy else _behind(public, listeners)
    return Launch(
        listeners,
        public,
        None,
        None,
        problems,
        loading.search,
        loading.entry,
        loading.env,
        loading.open_env,
        loading.image,
    )


def _behind(public: Listener, listeners: tuple[Listener, ...]) -> Listener:
    """The Python server behind a proxy: what the Space loads is what that loads."""
    inner = [each for each in listeners if each.search]
    return inner[-1] if inner else public


def _nothing(stopped: Stopped, problems: tuple[LaunchProblem, ...]) -> Launch:
    reason = Origin(stopped.place, stopped.reason)
    return Launch((), None, reason, None, (*problems, *stopped.problems), (), ())


def _not_known(unclear: Unclear, problems: tuple[LaunchProblem, ...]) -> Launch:
    return Launch((), None, None, Unknown(unclear.reason, unclear.origins), problems, (), ())


def _last_failure(container: Container, result: Returns) -> Stopped | None:
    """Why the last program stopped, where the command as a whole fails like it."""
    last = next(reversed(container.stopped.values()), None)
    return last if last is not None and result.status == last.status else None


def _why_it_ends(container: Container, call: Call | _ShellForm) -> Origin:
    exited = container.exited.get(call.place)
    if exited is not None and exited.place is not None:
        return Origin(exited.place, "the script ends here, and nothing listens")
    return Origin(call.place, "the command ends, and nothing listens")


def _listeners(result: Blocks) -> tuple[Listener, ...]:
    found: list[Listener] = []
    for each in result.running:
        if isinstance(each.what, Listener):
            steps = each.steps if len(each.steps) > len(each.what.steps) else each.what.steps
            found.append(replace(each.what, steps=steps, foreground=each.foreground))
    return tuple(found)


def choose_public(listeners: tuple[Listener, ...], image: Image) -> Listener | Unknown:
    """The listener that answers the Space's port.

    A proxy, else the last one in the foreground, else the only one that is open to the outside or
    that EXPOSE names.
    """
    proxies = [each for each in listeners if each.proxy]
    if proxies:
        return _of_several(proxies, image)
    outside = [each for each in listeners if not each.internal]
    foreground = [each for each in listeners if each.foreground]
    if foreground and (not foreground[-1].internal or not outside):
        return foreground[-1]
    return _of_several(outside or list(listeners), image)


def _of_several(candidates: list[Listener], image: Image) -> Listener | Unknown:
    if len({each.key for each in candidates}) == 1:
        return candidates[-1]
    exposed = {port for each in image.exposed for port in each.ports}
    named = [
        each for each in candidates if isinstance(each.port, Known) and each.port.value in exposed
    ]
    if len(named) == 1:
        return named[0]
    origins = tuple(Origin(each.place, each.server) for each in candidates)
    return Unknown("several servers listen, and which one is public can't be told", origins)
