"""`wait`, `jobs`, `kill`, and the programs that only pass the time: what goes on beside a shell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hfcheck.source import Place
from hfcheck.space.shell.host import ArgWord, Blocked, Unsettled
from hfcheck.space.shell.state import Job, Shell, ShellEnd
from hfcheck.space.shell.status import FAILED, OK, Status, known_text, only_then
from hfcheck.space.value import Known, Origin, Unknown, Value

_FOREVER = re.compile(r"(?:inf(?:inity)?)|[0-9]{4,}d|[0-9]{9,}")


class Jobs:
    """The built-in commands over the jobs of a shell."""

    shell: Shell
    out: list[Value[str]]

    def _wait(self, args: Sequence[ArgWord], place: Place) -> Status:
        texts = [known_text(arg) for arg in args]
        if "-n" in texts and self.shell.dialect == "dash":
            return Status(2)
        jobs = self._jobs_of([arg for arg in args if not (known_text(arg) or "").startswith("-")])
        if "-n" in texts and any(job.blocks is False for job in jobs):
            return OK
        for job in jobs:
            if job.blocks and "-n" in texts and self.shell.dialect == "sh":
                raise ShellEnd(Unsettled("whether this shell knows `wait -n` is not known", place))
            if job.blocks:
                raise ShellEnd(Blocked("wait", place))
        for job in jobs:
            if job.unclear is not None:
                raise ShellEnd(Unsettled(job.unclear.reason, job.place))
        return OK

    def _job_list(self, args: Sequence[ArgWord], place: Place) -> Status:
        """`jobs -p`: numbers that stand for the process ids, which nobody knows."""
        jobs = (*self.shell.inherited, *self.shell.jobs)
        origins = tuple(Origin(job.place, "started here") for job in jobs)
        ids = "".join(f"{index + 1}\n" for index in range(len(jobs)))
        self.out.append(Known(ids, origins))
        return OK

    def _jobs_of(self, args: Sequence[ArgWord]) -> list[Job]:
        """The jobs that words name by process id; all of them where no word does."""
        places = {origin.place for arg in args for origin in arg.value.origins}
        named = [job for job in self.shell.jobs if job.place in places]
        return named or list(self.shell.jobs)

    def _kill(self, args: Sequence[ArgWord], place: Place) -> Status:
        rest = [arg for arg in args if not (known_text(arg) or "").startswith("-")]
        places = {origin.place for arg in rest for origin in arg.value.origins}
        jobs = [job for job in self.shell.jobs if job.place in places]
        if any(known_text(arg) == "-0" for arg in args):
            if jobs and all(job.blocks is not None for job in jobs):
                return OK if all(job.blocks for job in jobs) else FAILED
            return only_then(place)
        for job in jobs:
            self.shell.jobs.remove(job)
        return Status(None, 0)

    def _sleep(self, args: Sequence[ArgWord], place: Place) -> Status:
        if any(_FOREVER.fullmatch(known_text(arg) or "") for arg in args):
            raise ShellEnd(Blocked("command", place))
        return OK

    def _tail(self, args: Sequence[ArgWord], place: Place) -> Status:
        flags = [known_text(arg) or "" for arg in args]
        if any(re.fullmatch(r"-[0-9a-zA-Z]*[fF][0-9]*|--follow(=.*)?|--retry", f) for f in flags):
            raise ShellEnd(Blocked("command", place))
        self.out.append(Unknown("the output of `tail` is not followed"))
        return Status(None, 0)
