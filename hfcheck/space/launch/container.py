"""The container as the processes in it see it: what each program would do when it is started.

`Container` is the shell runner's `Host` and the Python follower's `Starter`. A program that
listens is a `Running` whose `what` is a `Listener`. Why a program stops at once is kept in
`stopped`, by the place of the command.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from hfcheck.source import Place, ReadProblem, SourceFile
from hfcheck.space.code.evaluate import Evaluator
from hfcheck.space.docker.baseimages import DEFAULT_PATH
from hfcheck.space.dotenv import env_file
from hfcheck.space.image.entries import Absent, Entry, ImageFile, ImageFolder
from hfcheck.space.image.image import Image
from hfcheck.space.launch import pyprograms, serverfiles, shells, specials, targets
from hfcheck.space.launch.changed import changed, with_image
from hfcheck.space.launch.following import Judge
from hfcheck.space.launch.launchers import (
    Configured,
    Found,
    Own,
    find_server,
    listen,
    older,
    search_folders,
    withdrawn,
)
from hfcheck.space.launch.process import (
    LaunchProblem,
    Listener,
    Result,
    Stopped,
    cant_know,
    companion,
    env_value,
    folder_of,
    in_folder,
    known_text,
    literal,
    name_of,
    served,
    word_text,
)
from hfcheck.space.launch.servertable import servers
from hfcheck.space.launch.wrappers import Inner, unwrap, wrappers
from hfcheck.space.packages import Packages
from hfcheck.space.settings.model import following_settings
from hfcheck.space.shell.host import (
    ArgWord,
    Blocks,
    Call,
    CommandResult,
    Exited,
    FileFact,
    Returns,
    Unclear,
    Written,
)
from hfcheck.space.value import Known, Origin, Unknown, Value

_MOST_PROGRAMS = 3000
_DEEPEST = 40
_A_START = 3
"""Seconds within which a server may be stopped before anybody has reached it."""

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_BUILT_IN = frozenset({".", ":", "alias", "cd", "declare", "eval", "exec", "exit", "export",
                       "local", "read", "readonly", "return", "set", "shift", "shopt", "source",
                       "trap", "type", "ulimit", "umask", "unset", "wait"})  # fmt: skip
"""Commands of the shells that Debian has no programs for."""

_NO_PROGRAM = re.compile(r"-|[0-9]*$|[^/]*[\s:]")
"""What can't be a program's name: an option, a number, a whole command line."""

_PYTHON = re.compile(r"(python|pypy)(3(\.\d+)?t?)?", re.ASCII)
_OF_PYTHON = re.compile(r"(docker\.io/)?(library/)?python(:|@|$)")
_VARIABLE = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*[^}]*\})", re.ASCII)


class Container:
    """The final image with its environment, ready to start programs. Nothing is ever run."""

    def __init__(
        self,
        image: Image,
        env: Mapping[str, Value[str]],
        packages: Callable[[], Packages] = Packages,
        judge: Judge | None = None,
    ) -> None:
        self.image = image
        self.env = env
        self.packages = packages
        self.judge = judge
        self.stopped: dict[Place, Stopped] = {}
        self.exited: dict[Place, Exited] = {}
        self.assumed: list[Origin] = []
        self.assumed_ends: list[Unclear] = []
        self.exec_words: set[Place] = set()
        self.first: Call | None = None
        self.problems: dict[Place, LaunchProblem] = {}
        self.followed: list[tuple[tuple[str, ...], str, Call]] = []
        self._built = image
        self._changes: tuple[Mapping[str, Written], Image] = ({}, image)
        self._started = 0
        self._depth = 0

    # The shell runner's host

    def command(self, call: Call) -> CommandResult:
        """What a program does; the reason of one that stops at once is kept."""
        result = self.start(call)
        if isinstance(result, Stopped):
            self.stopped[call.place] = result
            return Returns(result.status)
        if isinstance(result, Unclear) and call.background:
            return Blocks((companion(result, call),))
        return result

    def read(self, path: str) -> FileFact:
        """What is at an absolute path of the image."""
        entry = self._built.lookup(path)
        if isinstance(entry, ImageFile):
            if isinstance(entry.source, ReadProblem):
                return FileFact("file", None, entry.executable, entry.source.reason)
            return FileFact("file", entry.source, entry.executable)
        if isinstance(entry, ImageFolder):
            return FileFact("dir")
        if isinstance(entry, Absent):
            return FileFact("absent")
        return FileFact("unclear", reason=entry.reason)

    def names(self, path: str) -> tuple[str, ...] | None:
        """The names in a folder, None where there may be others."""
        entry = self._built.lookup(path)
        complete = isinstance(entry, ImageFolder) and entry.complete
        return self._built.names(path) if complete else None

    def has_program(self, name: str) -> bool:
        """Whether a program of that name is known to be installed: Python in its own images, and
        what a package of the same name brings.
        """
        if name in ("python", "python3", "pip", "pip3"):
            return _OF_PYTHON.match(self.image.base or "") is not None
        return self._is_known(name) and self.packages().has(name)

    # The Python follower's starter

    def shell_text(self, text: Value[str], call: Call, place: Place) -> CommandResult:
        """Run a command line in `/bin/sh`."""
        if isinstance(text, Unknown):
            return Unclear(f"the command line is not known: {text.reason}", text.origins)
        outcome = self.shell(text.value, place, replace(call, place=place))
        return outcome if not isinstance(outcome, Stopped) else self._kept(outcome, place)

    def program(self, argv: tuple[ArgWord, ...], call: Call, place: Place) -> CommandResult:
        """Run a program."""
        return self.command(replace(call, argv=argv, place=place))

    def django(self, argv: tuple[ArgWord, ...], call: Call, place: Place) -> CommandResult:
        """Run a command of Django's."""
        name = literal("django-admin", call.argv[0].place if call.argv else place)
        found = find_server(replace(call, argv=(name, *argv)), argv)
        if not isinstance(found, (Found, Own)):
            return self.command(replace(call, argv=(name, *argv)))
        scripts = [text for word in call.argv if (text := word_text(word) or "").endswith(".py")]
        path = in_folder(folder_of(call), scripts[0]) if scripts else None
        folder = posixpath.dirname(path) if path is not None else None
        if isinstance(found, Found):
            found = replace(found, folder=folder)
        result = self.run_server(found, replace(call, argv=(name, *argv)), folder)
        return result if not isinstance(result, Stopped) else self._kept(result, place)

    def _kept(self, stopped: Stopped, place: Place) -> CommandResult:
        self.stopped[place] = stopped
        return Returns(stopped.status)

    # Programs

    def start(self, call: Call) -> Result:
        """What becomes of a program. Never raises."""
        self._started += 1
        if self._started > _MOST_PROGRAMS or self._depth > _DEEPEST:
            return Unclear("too many programs start each other")
        self._depth += 1
        before, self.image = self.image, self._image_of(call)
        try:
            result = self._start(call)
            return result if self.image is self._built else with_image(result, self.image)
        except RecursionError:
            return Unclear("it is nested too deeply to be followed")
        finally:
            self.image = before
            self._depth -= 1

    def _image_of(self, call: Call) -> Image:
        """The image with what the scripts on the way to a program have changed."""
        if not call.files:
            return self._built
        if self._changes[0] != call.files:
            self._changes = (call.files, changed(self._built, call.files))
        return self._changes[1]

    def _start(self, call: Call) -> Result:
        if not call.argv:
            return Returns(0)
        first = word_text(call.argv[0])
        if first is None:
            reason = getattr(call.argv[0].value, "reason", "")
            return Unclear(
                f"which program it starts is not known: {reason}",
                (Origin(call.argv[0].place, "the program"),),
            )
        if first.startswith("[") and first not in ("[", "[["):
            return Stopped(
                f"`{first}` is no program: the text in brackets is no valid JSON, so the shell "
                "runs it as a command line",
                call.argv[0].place,
                127,
            )
        if first in _BUILT_IN or _NO_PROGRAM.match(first):
            reason = f"there is no program `{first}`"
            if first in _BUILT_IN:
                reason = f"`{first}` is built into the shell: there is no program of that name"
            return Stopped(reason, call.argv[0].place, 127)
        named = self._file_of(first, call)
        if isinstance(named, (Returns, Blocks, Unclear, Stopped)):
            return named
        if isinstance(named, ImageFile):
            return self._run_file(named, call)
        return self._by_name(first, call)

    def _file_of(self, first: str, call: Call) -> Result | ImageFile | None:
        """The file of the image that a program's name leads to; None where that is no file that
        is known.
        """
        name = posixpath.basename(first)
        if "/" in first:
            path = in_folder(folder_of(call), first)
            if path is None:
                return (
                    None
                    if self._is_known(name)
                    else Unclear(
                        "the folder it starts in is not known", (Origin(call.argv[0].place, first),)
                    )
                )
            entry = self.entry(path)
            if isinstance(entry, ImageFile):
                return entry
            if isinstance(entry, Absent) and not self._is_known(name):
                return Stopped(
                    f"there is no file `{path}` in the image",
                    call.argv[0].place,
                    127,
                    (targets.missing_file(self.image, path, call.argv[0]),),
                )
            return None
        return self._on_path(first, call)

    def _on_path(self, name: str, call: Call) -> Result | ImageFile | None:
        """A program by its bare name: a file of the image in a folder of PATH, where no table has
        it; none at all where no folder has one.
        """
        value = env_value(call, "PATH")
        folders = (known_text(value) or DEFAULT_PATH).split(":")
        paths = [in_folder(folder_of(call), posixpath.join(each or ".", name)) for each in folders]
        entries = [self.entry(path) if path is not None else None for path in paths]
        gone = all(isinstance(entry, (Absent, ImageFolder)) for entry in entries)
        if isinstance(value, Known) and gone:
            origins = value.origins or (Origin(call.argv[0].place, "PATH"),)
            reason = f"no folder of PATH (`{':'.join(folders)[:80]}`) has a program `{name}`"
            return Stopped(reason, origins[0].place, 127)
        if self._is_known(name):
            return None
        for entry in entries:
            if isinstance(entry, ImageFile):
                return entry
        if name.endswith((".sh", ".py")):
            here = in_folder(folder_of(call), name)
            if here is not None and isinstance(self.entry(here), ImageFile):
                return Stopped(
                    f"`{name}` is not in a folder of PATH: write `./{name}`",
                    call.argv[0].place,
                    127,
                )
        return None

    def _is_known(self, name: str) -> bool:
        table = wrappers()
        return (
            name in _SHELLS
            or _PYTHON.fullmatch(name) is not None
            or name in table.by_program
            or name in table.returns
            or name in table.waits
            or name in specials.PROGRAMS
            or name in ("sleep", "tail", "su")
            or any(name in server.programs for server in servers())
        )

    def entry(self, path: str) -> Entry:
        """What is at a path, with what the scripts have written on the way to the program."""
        return self.image.lookup(path)

    def _run_file(self, entry: ImageFile, call: Call) -> Result:
        """Run a file: by its first line (`#!`)."""
        if entry.executable is False:
            reason = f"`{entry.path}` is not executable"
            return Stopped(reason, call.argv[0].place, 126)
        if isinstance(entry.source, ReadProblem):
            name = posixpath.basename(entry.path)
            if self._is_known(name):
                return self._by_name(name, call)
            return Unclear(
                f"what `{entry.path}` does is not known: {entry.source.reason}",
                (Origin(call.argv[0].place, entry.path),),
            )
        first, _, _ = entry.source.text.partition("\n")
        head = entry.source.place(0, len(first))
        if not first.startswith("#!"):
            if call is self.first:
                return Stopped(
                    f"`{entry.path}` has no `#!` line, so it can't be executed",
                    call.argv[0].place,
                    126,
                )
            # A shell, and execvp() of the C library, run such a file with a shell.
            shell = literal("sh", call.argv[0].place)
            return self._start(replace(call, argv=(shell, *call.argv)))
        if first.endswith("\r"):
            return Stopped(
                f"the `#!` line of `{entry.path}` ends in CR, so its program is not found",
                head,
                127,
            )
        words = first[2:].strip().split(None, 1)
        if not words:
            return Stopped(f"the `#!` line of `{entry.path}` names no program", head, 126)
        argv = [literal(word, head) for word in words[:1]]
        if len(words) > 1:
            rest = words[1].split() if posixpath.basename(words[0]) == "env" else [words[1]]
            argv.extend(literal(word, head) for word in rest if word not in ("-S",))
        script = replace(
            call.argv[0], value=Known(entry.path, call.argv[0].value.origins), prefix=entry.path
        )
        return self._start(replace(call, argv=(*argv, script, *call.argv[1:])))

    def _by_name(self, first: str, call: Call) -> Result:
        name = posixpath.basename(first)
        if name in _SHELLS:
            return shells.shell(self, name, call)
        if _PYTHON.fullmatch(name):
            return pyprograms.python_program(self, call)
        if name == "su":
            return shells.su(self, call)
        inner = unwrap(call)
        if inner is not None:
            if isinstance(inner, (Stopped, Unclear)):
                return inner
            return self._within(inner.seconds, self._inner(inner), call)
        script = pyprograms.project_script(self, first, call) if "/" not in first else None
        if script is not None:
            return script
        found = find_server(call, call.argv[1:])
        if found is not None:
            return self.run_server(found, call)
        special = specials.PROGRAMS.get(name)
        if special is not None:
            return special(self, call)
        table = wrappers()
        if name == "sleep" or name == "tail":
            return self._lasting(name, call)
        if name in table.returns or name.endswith((".sh",)):
            return Returns(None)
        if name in table.waits:
            return self._waits(call)
        return Unclear(
            f"what `{first}` does is not in the table", (Origin(call.argv[0].place, first),)
        )

    def _waits(self, call: Call) -> Result:
        words = [word_text(word) or "" for word in call.argv[1:]]
        if "--daemonize" in words or "--fork" in words or "-D" in words or "--detach" in words:
            return Returns(0)
        return Blocks()

    def _lasting(self, name: str, call: Call) -> Result:
        words = [word_text(word) or "" for word in call.argv[1:]]
        endless = (
            "infinity" in words
            if name == "sleep"
            else any(word.startswith(("-f", "-F", "--follow")) for word in words)
        )
        return Blocks() if endless else Returns(0)

    def _inner(self, inner: Inner) -> Result:
        call = inner.call
        for file in inner.env_files:
            if file.needed and (missing := self._missing(file.name, call)) is not None:
                return missing
            call = self._with_file(file.name, call, overrides=file.overrides)
        text = word_text(call.argv[0]) or ""
        if inner.python and text.endswith(".py"):
            python = literal("python", call.argv[0].place)
            return self._start(replace(call, argv=(python, *call.argv)))
        if inner.project and "/" not in text:
            script = pyprograms.project_script(self, text, call)
            if script is not None:
                return script
        return self._start(call)

    def _within(self, seconds: float | None, result: Result, call: Call) -> Result:
        """What becomes of a program that is stopped after some seconds: a server that has longer
        than a start takes counts as one that listens.
        """
        if seconds is None or not isinstance(result, Blocks):
            return result
        if result.running and seconds > _A_START:
            return result
        return Stopped(f"`timeout` stops it after {seconds:g} s", call.place, 124)

    def _missing(self, word: ArgWord, call: Call) -> Stopped | None:
        """A program that ends since the image has no file of this name."""
        path = in_folder(folder_of(call), word_text(word) or "") if word_text(word) else None
        if path is None or not isinstance(self.entry(path), Absent):
            return None
        return Stopped(f"there is no file `{path}` in the image", word.place, 2)

    def _with_file(self, word: ArgWord, call: Call, *, overrides: bool = False) -> Call:
        """A call with the variables of an env file: those that are not set yet, or all of them."""
        path = in_folder(folder_of(call), word_text(word) or "") if word_text(word) else None
        entry = self.entry(path) if path else None
        if isinstance(entry, ImageFile) and isinstance(entry.source, SourceFile):
            if self.image.gitignored(entry.path):
                return call
            found = env_file(entry.source)
            return replace(call, env={**call.env, **found} if overrides else {**found, **call.env})
        if isinstance(entry, Absent):
            return call
        return replace(
            call, open_env=cant_know("an env file that is not known may set it", word.place)
        )

    def shell(
        self,
        text: str,
        place: Place,
        call: Call,
        *,
        name: str = "sh",
        json: bool | None = None,
        flags: frozenset[str] = frozenset(),
    ) -> Result:
        """Run a command line that stands at `place` in a shell."""
        return shells.command_line(self, text, place, call, name=name, json=json, flags=flags)

    # Servers

    def knows_settings(self) -> Callable[[Evaluator], None]:
        """Makes evaluators know settings objects."""
        return following_settings(self.packages, self.image)

    def run_server(
        self, found: Found | Own | Returns | Unclear, call: Call, folder: str | None = None
    ) -> Result:
        """What a program of the table does, whose project lies in `folder` (None: where it is
        started).
        """
        if isinstance(found, Found):
            return self.serve(found, call)
        if not isinstance(found, Own):
            return found
        folder = folder or folder_of(call)
        result = None
        if "django" in found.server.modules and folder is not None:
            result = pyprograms.django_command(self, found, folder, call)
        if result is None:
            text = f"{name_of(call)} {word_text(found.name)}"
            reason = f"what `{text}` does is not in the table"
            self.assumed_ends.append(Unclear(reason, (Origin(found.name.place, text),)))
        return result or Returns(None)

    def serve(self, found: Found, call: Call) -> Result:
        """What a server of the table does."""
        self.note_variables(found.telling)
        gone = withdrawn(found, self.packages)
        if gone is not None:
            return gone
        call = serverfiles.surroundings(found, call, self.image, self.packages)
        call = self._readable(found, call)
        configured = serverfiles.configured(found, call, self.image, self.knows_settings())
        if isinstance(configured, (Stopped, Unclear)):
            return configured
        listener = listen(found, call, configured)
        if isinstance(listener, Stopped):
            return listener
        if not isinstance(listener, Listener):
            return listener
        search = (*configured.folders, *search_folders(found, call))
        target = targets.target(found, call, self.image, search, configured)
        if isinstance(target, Stopped):
            return target
        search = target.search if target is not None else search
        inside = self._inside(found, call, configured)
        return served(
            replace(
                listener,
                target=target,
                search=search,
                entry=targets.entry(target),
                env=inside.env,
                open_env=inside.open_env,
            )
        )

    def _inside(self, found: Found, call: Call, configured: Configured) -> Call:
        """The environment that the application sees: with what the server itself sets."""
        for option, word in found.options.given:
            if option in found.server.env_files:
                call = self._with_file(word, call)
        return replace(call, env={**call.env, **configured.env})

    def _readable(self, found: Found, call: Call) -> Call:
        """The call without the variables that an older version does not read."""
        since = found.server.port.since
        if since is None:
            return call
        package, version = since
        line = self.packages().version_line(package)
        if not isinstance(line, Known) or not older(line.value, version):
            return call
        names = found.server.port.env
        return replace(call, env={k: v for k, v in call.env.items() if k not in names})

    def note_variables(self, words: Iterable[ArgWord]) -> None:
        """Words of an exec form that still hold `$NAME`, where an address or a name is wanted:
        nothing expands them any more.
        """
        found: list[Origin] = []
        for word in words:
            text = word_text(word)
            match = _VARIABLE.search(text) if text else None
            here = [o.place for o in word.value.origins if o.place in self.exec_words]
            if match and here:
                found.append(Origin(here[0], match.group()))
        if not found or found[0].place in self.problems:
            return
        names = dict.fromkeys(origin.note for origin in found)
        shown = " and ".join(f"`{name}`" for name in names)
        related = [*found[1:]]
        for name in names:
            value = self.image.env.get(re.sub(r"\W.*", "", name.strip("${")))
            related.extend(value.origins if value is not None else ())
        self.problems[found[0].place] = LaunchProblem(
            "exec-form-variable",
            f"the program gets {shown} as it stands: the exec form starts it without a shell, so "
            "nothing expands variables",
            found[0].place,
            tuple(related),
        )
