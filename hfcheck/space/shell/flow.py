"""The control flow of the shell runner: lists, pipelines, branches, loops, functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from hfcheck.source import Place
from hfcheck.space.shell.blocks import Branches
from hfcheck.space.shell.conditions import double_test
from hfcheck.space.shell.host import (
    Blocked,
    Ending,
    Exited,
    Host,
    Outcome,
    State,
    Unsettled,
    Written,
)
from hfcheck.space.shell.state import (
    Job,
    Shell,
    ShellEnd,
    Way,
    joined,
    keys,
    merged,
    same_ending,
)
from hfcheck.space.shell.status import FAILED, NOT_FOUND, OK, Jump, Status, status_of
from hfcheck.space.shell.tree import (
    AndOr,
    Background,
    Calculation,
    Case,
    Command,
    CountedFor,
    For,
    Function,
    Group,
    If,
    Literal,
    Pipeline,
    ProcessSubstitution,
    Redirect,
    Script,
    Simple,
    Test,
    While,
    Word,
)
from hfcheck.space.shell.tree import Sequence as Commandlist
from hfcheck.space.shell.words import note
from hfcheck.space.value import Known, Origin, Unknown, Value

MAX_COMMANDS = 10_000
"""Commands that are followed in one run, over all branches."""

MAX_DEPTH = 45
"""How deep compounds, functions and substitutions may nest (Python's stack is the limit)."""

_LAST_STREAM = 63
"""The number of the first file that bash makes for `<(...)`."""

MAX_TRAIL = 100
"""Notes that are kept about what was assumed."""


@dataclass(slots=True)
class _Went:
    """Where one of several ways led."""

    shell: Shell
    out: list[Value[str]]
    status: Status = OK
    jump: Jump | None = None
    end: ShellEnd | None = None

    @property
    def failed(self) -> bool:
        ending = self.end.ending if self.end else None
        return isinstance(ending, Exited) and ending.status not in (0, None)


class Runner(Branches):
    """One shell process and the subshells in it."""

    def __init__(self, state: State, host: Host) -> None:
        super().__init__(state, host)
        self.spent = 0
        self.depth = 0
        self.guarded = 0
        self.supposing = False

    # -- a whole script

    def script(self, script: Script) -> Outcome:
        """Follow a script to its end."""
        ending: Ending
        try:
            status = self.lines(script)
            ending = Exited(status.likely)
        except ShellEnd as end:
            ending = end.ending
            if end.note and not isinstance(ending, Blocked):
                place = ending.place or script.body.place
                self.remember(place, end.note)
        except Jump as jump:
            ending = Exited(jump.status.likely)
        return self._outcome(ending)

    def lines(self, script: Script) -> Status:
        """The commands of a script, then its syntax error, if it has one."""
        status = OK
        refused = self._refused(script)
        for command in script.body.commands:
            if refused is not None and command.place.span.end > refused.span.start:
                if isinstance(command, Function):
                    self._as_commands(command, script)
                raise ShellEnd(Exited(2, refused), "this shell has no such syntax")
            status = self.run(command)
        if script.problem is not None:
            if script.problem.limit:
                raise ShellEnd(Unsettled(script.problem.message, script.problem.place))
            raise ShellEnd(
                Exited(2, script.problem.place),
                f"the script can't be read on: {script.problem.message}",
            )
        return status

    def _as_commands(self, command: Function, script: Script) -> None:
        """`function f {` in dash: a command that is not found, and then what the body holds."""
        named = any(
            name == "function" and place.span.start == command.place.span.start
            for name, place in script.bashisms
        )
        if named and "e" in self.shell.options:
            raise ShellEnd(Exited(127, command.place), "there is no command `function`")
        if named and isinstance(command.body, Group):
            self.sequence(command.body.body)

    def _refused(self, script: Script) -> Place | None:
        if self.shell.dialect != "dash":
            return None
        return next((place for name, place in script.bashisms if name != "(("), None)

    def _outcome(self, ending: Ending) -> Outcome:
        shell = self.shell
        settled, alternatives = self._settled(shell, ending)
        running = shell.running
        if alternatives and not isinstance(settled, Unsettled):
            running = alternatives[0].running
            alternatives = []
        unclear = tuple(job.unclear for job in shell.jobs if job.unclear is not None)
        return Outcome(
            settled,
            running,
            unclear,
            tuple(self.trail),
            joined(self.out),
            dict(shell.files),
            shell.env,
            tuple(
                Outcome(way.ending, way.running, stdout=Unknown(way.reason)) for way in alternatives
            )
            if isinstance(settled, Unsettled)
            else (),
        )

    def _settled(self, shell: Shell, ending: Ending) -> tuple[Ending, list[Way]]:
        """The ending with the ways that were left at conditions taken into account: the same
        for all (then no ways, or the one way that is gone), or unsettled, with all the ways.
        """
        if not shell.ways:
            return ending, []
        place = shell.ways[0].place
        own = Way(ending, shell.running, "", place)
        ways = [own, *shell.ways]
        good = [
            way
            for way in ways
            if not (isinstance(way.ending, Exited) and way.ending.status not in (0, None))
        ]
        ways = good or ways
        first = ways[0]
        if all(
            same_ending(first.ending, way.ending) and keys(first.running) == keys(way.running)
            for way in ways
        ):
            if first is own:
                return ending, []
            self.remember(place, f"taken to go on from here: {first.reason}")
            return first.ending, [first]
        reason = next(way.reason for way in ways if way.reason)
        return Unsettled(reason, place), ways

    def spend(self, work: int, place: Place) -> None:
        """Count work; ends the shell where a script takes too much of it."""
        self.spent += work
        if self.spent > MAX_COMMANDS:
            raise ShellEnd(Unsettled("the script is too long to be followed", place))

    def remember(self, place: Place, text: str) -> None:
        """Note an assumption or a step in the trail."""
        origin = Origin(place, text)
        if len(self.trail) < MAX_TRAIL and origin not in self.trail:
            self.trail.append(origin)

    # -- any command

    def run(self, command: Command) -> Status:
        """Follow one command; ends the shell after a failure under `set -e`."""
        self.spend(1, command.place)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ShellEnd(Unsettled("the script nests too deeply to be followed", command.place))
        try:
            status = self._run(command)
        finally:
            self.depth -= 1
        self.shell.status = self._seen(status)
        if status.code and not self.guarded and "e" in self.shell.options and (_can_fail(command)):
            raise ShellEnd(
                Exited(status.code, command.place), "it fails, and `set -e` ends the script"
            )
        return status

    def _seen(self, status: Status) -> Value[str]:
        if status.likely is None:
            return Unknown(status.reason or "the status is not known")
        return Known(str(status.likely))

    def _run(self, command: Command) -> Status:
        if isinstance(command, Simple):
            return self.simple(command)
        if isinstance(command, AndOr):
            return self._and_or(command)
        if isinstance(command, Pipeline):
            return self._pipeline(command)
        if isinstance(command, Background):
            return self._background(command)
        if isinstance(command, Commandlist):
            return self.sequence(command)
        if isinstance(command, Function):
            self.shell.functions[command.name] = command
            return OK
        return self.redirected(command.redirects, partial(self._compound, command))

    def _compound(
        self, command: Group | If | While | For | CountedFor | Case | Test | Calculation
    ) -> Status:
        if isinstance(command, Group):
            if not command.subshell:
                return self.sequence(command.body)
            return self.subshell(partial(self.sequence, command.body))
        if isinstance(command, If):
            return self.if_block(command, 0)
        if isinstance(command, While):
            return self.while_block(command)
        if isinstance(command, For):
            return self.for_block(command)
        if isinstance(command, CountedFor):
            return self.counted_for_block(command)
        if isinstance(command, Case):
            return self.case_block(command)
        if isinstance(command, Test):
            return self._test_command(command)
        return self._calculation(command.expression)

    def sequence(self, body: Commandlist) -> Status:
        """Commands one after the other."""
        status = OK
        for command in body.commands:
            status = self.run(command)
        return status

    def guard(self, command: Command) -> Status:
        """A command whose failure does not end the shell."""
        self.guarded += 1
        try:
            return self.run(command)
        finally:
            self.guarded -= 1

    def _test_command(self, command: Test) -> Status:
        if self.shell.dialect == "dash":
            return NOT_FOUND
        status = status_of(double_test(command.words, self.expander, self))
        if self.shell.dialect == "sh" and status.code == 0:
            return Status(None, None, "whether this shell knows `[[` is not known")
        return status

    def _calculation(self, expression: Word) -> Status:
        if self.shell.dialect == "dash":
            return NOT_FOUND
        value = self.expander.number(expression)
        if isinstance(value, Unknown):
            return Status(None, None, value.reason)
        return OK if value.value else FAILED

    # -- ways that part and join

    def fork(self, reason: str, place: Place, ways: Sequence[Callable[[], Status]]) -> Status:
        """Follow several ways from here and go on with what they have in common."""
        base, out = self.shell, self.out
        went = [self._went(base, out, way) for way in ways]
        self.shell, self.out = base, out
        if len(went) > 1 and any(not one.failed for one in went):
            if any(one.failed for one in went):
                self.remember(place, f"taken not to end in an error here: {reason}")
            went = [one for one in went if not one.failed]
        live = [one for one in went if one.end is None]
        ended = [one for one in went if one.end is not None]
        live = _preferred(live)
        if not live:
            first = ended.pop(0)
            self.shell, self.out = first.shell, first.out
            self._leave(ended, reason, place)
            assert first.end is not None
            raise first.end
        self.shell, self.out = live[0].shell, live[0].out
        for other in live[1:]:
            self.shell = merged(self.shell, other.shell, reason)
            self.out = _merged_output(out, self.out, other.out, reason)
        self._leave(ended, reason, place)
        if live[0].jump is not None:
            raise live[0].jump
        statuses = {one.status for one in live}
        return statuses.pop() if len(statuses) == 1 else Status(None, None, reason)

    def _went(self, base: Shell, out: list[Value[str]], way: Callable[[], Status]) -> _Went:
        self.shell, self.out = base.copy(), list(out)
        try:
            status = way()
            return _Went(self.shell, self.out, status)
        except Jump as jump:
            return _Went(self.shell, self.out, jump=jump)
        except ShellEnd as end:
            return _Went(self.shell, self.out, end=end)

    def _leave(self, ended: list[_Went], reason: str, place: Place) -> None:
        for one in ended:
            assert one.end is not None
            way = Way(one.end.ending, one.shell.running, reason, place)
            self.shell.ways = [
                *self.shell.ways,
                way,
                *(other for other in one.shell.ways if other not in self.shell.ways),
            ]

    # -- lists and pipelines

    def _and_or(self, command: AndOr) -> Status:
        status = self.guard(command.first)
        return self._rest(command, 0, status)

    def _rest(self, command: AndOr, start: int, status: Status) -> Status:
        fresh = True
        for index in range(start, len(command.rest)):
            operator, following = command.rest[index]
            if status.likely is None:
                return self.fork(
                    status.reason or "the status of a command is not known",
                    command.place,
                    [
                        partial(self._rest, command, index, OK),
                        partial(self._rest, command, index, FAILED),
                    ],
                )
            if status.code is None and fresh:
                self._suppose(command, index, status)
            fresh = (operator == "&&") == (status.likely == 0)
            if not fresh:
                continue
            last = index + 1 == len(command.rest)
            status = self.run(following) if last else self.guard(following)
        return status

    def _suppose(self, command: AndOr, index: int, status: Status) -> None:
        """An ordinary command is taken to succeed; should its failure start something else,
        that is kept as another way.
        """
        self.remember(command.place, "its commands are taken to succeed")
        if self.supposing or command.last_or < index:
            return
        self.spend((len(command.rest) - index) // 50, command.place)
        self.supposing = True
        base, out = self.shell, self.out
        other = FAILED if status.likely == 0 else OK
        try:
            went = self._went(base, out, partial(self._rest, command, index, other))
        finally:
            self.supposing = False
            self.shell, self.out = base, out
        if went.end is not None and not went.failed:
            self._leave([went], "whether a command before it succeeds is not known", command.place)

    def _pipeline(self, command: Pipeline) -> Status:
        if len(command.commands) == 1:
            status = self.guard(command.commands[0])
        else:
            status = self._piped(command)
        if not command.negated:
            return status
        if status.code is None:
            assumed = None if status.assumed is None else int(status.assumed == 0)
            return Status(None, assumed, status.reason)
        return Status(int(status.code == 0))

    def _piped(self, command: Pipeline) -> Status:
        stdin, out = self.stdin, self.out
        statuses: list[Status] = []
        blocked: Blocked | None = None
        unsettled: ShellEnd | None = None
        try:
            for index, part in enumerate(command.commands):
                last = index + 1 == len(command.commands)
                self.out = out if last else []
                self.piped += not last
                try:
                    statuses.append(self.subshell(partial(self.run, part)))
                except ShellEnd as end:
                    if isinstance(end.ending, Blocked):
                        blocked = blocked or Blocked("command", part.place)
                    else:
                        unsettled = unsettled or end
                finally:
                    self.piped -= not last
                done = blocked is None and unsettled is None
                self.stdin = joined(self.out) if done else Unknown("what is piped is not known")
        finally:
            self.stdin, self.out = stdin, out
        if blocked is not None:
            raise ShellEnd(blocked)
        if unsettled is not None:
            raise unsettled
        if "pipefail" in self.shell.options:
            return next((s for s in reversed(statuses) if s.code != 0), statuses[-1])
        return statuses[-1]

    def _background(self, command: Background) -> Status:
        outer = self.background
        self.background = True
        try:
            ending, _, sub, _ = self._in_subshell(partial(self.run, command.command))
        finally:
            self.background = outer
        running = tuple(replace(one, foreground=False) for one in sub.running)
        unclear = next((job.unclear for job in sub.jobs if job.unclear), None)
        if isinstance(ending, Unsettled):
            unclear = Unknown(ending.reason, (Origin(ending.place, "started here"),))
        blocks = None if unclear else isinstance(ending, Blocked)
        self.shell.jobs.append(Job(command.place, running, blocks, unclear))
        return OK

    # -- subshells

    def subshell(self, body: Callable[[], Status]) -> Status:
        """Run in a subshell; what it leaves running goes on."""
        ending, status, sub, note_ = self._in_subshell(body)
        if isinstance(ending, Blocked):
            self.shell.jobs += sub.jobs
            self.shell.disowned += sub.disowned
            raise ShellEnd(ending)
        if isinstance(ending, Unsettled):
            raise ShellEnd(ending, note_)
        self.shell.disowned += sub.running
        self.shell.jobs += [job for job in sub.jobs if job.unclear is not None]
        return status

    def _in_subshell(self, body: Callable[[], Status]) -> tuple[Ending, Status, Shell, str]:
        outer = self.shell
        self.shell = outer.copy()
        self.shell.inherited = (*outer.inherited, *outer.jobs)
        self.shell.jobs, self.shell.ways, self.shell.disowned = [], [], ()
        status, said = OK, ""
        ending: Ending
        try:
            status = body()
            ending = Exited(status.likely)
        except Jump as jump:
            status = jump.status
            ending = Exited(status.likely)
        except ShellEnd as end:
            ending, said = end.ending, end.note
            if isinstance(ending, Exited):
                status = Status(ending.status, None if ending.status is not None else 0)
        sub, self.shell = self.shell, outer
        settled, ways = self._settled(sub, ending)
        if ways and not isinstance(settled, Unsettled):
            sub.jobs = [Job(ways[0].place, ways[0].running, isinstance(settled, Blocked))]
            sub.disowned = ()
        outer.files, outer.touched = sub.files, sub.touched
        return settled, status, sub, said

    def capture(self, script: Script, place: Place) -> Value[str]:
        """What a command substitution prints."""
        outer, self.out = self.out, []
        self.piped += 1
        self.depth += 1
        body = Commandlist(script.body.commands, place)
        if (read := _reads_only(body)) is not None:
            body = Commandlist((read,), place)
        try:
            ending, self.substituted, sub, _ = self._in_subshell(partial(self.run, body))
            value = joined(self.out)
        finally:
            self.out = outer
            self.piped -= 1
            self.depth -= 1
        if isinstance(ending, Blocked):
            self.shell.jobs += sub.jobs
            raise ShellEnd(ending)
        self.shell.disowned += sub.running
        if self.shell.dialect == "bash":
            self.shell.status = self._seen(self.substituted)
        if isinstance(ending, Unsettled):
            self.substituted = Status(None, 0, ending.reason)
            return Unknown(ending.reason, (Origin(place, note(place)),))
        if isinstance(value, Unknown):
            return value
        return Known(value.value.rstrip("\n"), value.origins)

    def stream(self, part: ProcessSubstitution) -> Value[str]:
        """The name of the file that `<(...)` or `>(...)` stands for."""
        name = f"/dev/fd/{_LAST_STREAM - len(self.shell.files) % _LAST_STREAM}"
        if part.reads:
            try:
                text = joined([self.capture(part.script, part.place), Known("\n")])
            except ShellEnd:
                text = Unknown("what is read from a command that goes on is not known")
            self.mark(name, Written(text, part.place))
        return Known(name, (Origin(part.place, note(part.place)),))

    # -- functions

    def call(self, function: Function, args: tuple[Value[str], ...], place: Place) -> Status:
        """Call a function."""
        outer, steps = self.shell.args, self.steps
        self.shell.args = args
        self.shell.frames.append({})
        self.steps = (*steps, Origin(place, f"calls {function.name}"))
        depth = len(self.shell.frames)
        try:
            status = self.run(function.body)
        except Jump as jump:
            if jump.kind != "return":
                raise
            status = jump.status
        finally:
            self.steps = steps
            self._leave_frame(depth)
            self.shell.args = outer
        return status

    def _leave_frame(self, depth: int) -> None:
        del self.shell.frames[depth:]
        if len(self.shell.frames) < depth:
            return
        for name, old in self.shell.frames.pop().items():
            if old is None:
                self.shell.variables.pop(name, None)
            else:
                self.shell.variables[name] = old


def _can_fail(command: Command) -> bool:
    """Whether `set -e` looks at the status of a command itself."""
    if isinstance(command, Group):
        return command.subshell
    if isinstance(command, Pipeline):
        return not command.negated
    return isinstance(command, Simple | Test | Calculation)


def _preferred(live: list[_Went]) -> list[_Went]:
    """Of ways that go on: where some leave a loop or function and some don't, a loop is taken
    to end and a function to return well.
    """
    jumps = {one.jump.kind if one.jump else "" for one in live}
    if len(jumps) < 2:
        return live
    for kind in ("break", "return"):
        chosen = [
            one
            for one in live
            if one.jump and one.jump.kind == kind and one.jump.status.likely in (0, None)
        ]
        if chosen:
            return chosen
    return [one for one in live if one.jump is None] or live[:1]


def _merged_output(
    base: list[Value[str]], one: list[Value[str]], other: list[Value[str]], reason: str
) -> list[Value[str]]:
    first, second = joined(one), joined(other)
    if isinstance(first, Known) and isinstance(second, Known) and first.value == second.value:
        return one
    return [*base, Unknown(reason)]


def _reads_only(body: Commandlist) -> Simple | None:
    """`$(< file)` as `cat file`."""
    if len(body.commands) != 1 or not isinstance(command := body.commands[0], Simple):
        return None
    if command.words or command.assignments or len(command.redirects) != 1:
        return None
    redirect: Redirect = command.redirects[0]
    if redirect.operator != "<":
        return None
    place = redirect.target.place
    cat = Word((Literal("cat", False, place),), "cat", place)
    return replace(command, words=(cat, redirect.target), redirects=())
