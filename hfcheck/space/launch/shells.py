"""Shells in the container: `sh -c TEXT`, `bash SCRIPT`, and what their scripts come to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hfcheck.source import Place, ReadProblem
from hfcheck.space.image.entries import Absent, ImageFile
from hfcheck.space.image.image import Image
from hfcheck.space.launch import targets
from hfcheck.space.launch.options import Spec, read_options
from hfcheck.space.launch.process import Result, Stopped, folder_of, in_folder, word_text
from hfcheck.space.shell.host import (
    ArgWord,
    Call,
    CommandResult,
    Dialect,
    Exited,
    Outcome,
    Returns,
    State,
    Unclear,
)
from hfcheck.space.shell.parse import locator, parse, parse_text
from hfcheck.space.shell.run import run
from hfcheck.space.value import Known, Origin, Unknown, Value

if TYPE_CHECKING:
    from hfcheck.space.launch.container import Container

_SHELL_SPEC = Spec(
    "plain",
    frozenset({"-o", "-O", "--rcfile", "--init-file"}),
    frozenset(
        [
            "--login",
            "--norc",
            "--noprofile",
            "--posix",
            "--verbose",
            *(f"-{letter}" for letter in "aefhiklmnprstuvxBCDEHPc"),
        ]
    ),
)
"""The options of a shell (`man bash`, "Invocation")."""


_OF_DEBIAN = frozenset({"sh", "bash", "dash"})
_OF_ALPINE = frozenset({"sh", "ash"})


def _is_missing(image: Image, name: str) -> bool:
    """Whether the base image has no such shell, and the Dockerfile names none to install."""
    if not image.base_known or image.base is None:
        return False
    if "alpine" in image.base:
        there = _OF_ALPINE
    elif _DEBIAN.match(image.base):
        there = _OF_DEBIAN
    else:
        return False
    command = image.entrypoint or image.cmd
    text = command.instruction.place.source.text if command is not None else name
    installed = re.search(rf"^[^#\n]*\b(add|install)\b[^#]*?\b{name}\b", text, re.M)
    return name not in there and installed is None


_DEBIAN = re.compile(r"(docker\.io/)?(library/)?(python|node|debian|ubuntu)(:|@|$)")


def shell(container: Container, name: str, call: Call) -> Result:
    """What `sh`, `bash` and their kin do with these words."""
    if _is_missing(container.image, name):
        reason = f"the base image `{container.image.base}` has no `{name}`"
        return Stopped(reason, call.argv[0].place, 127)
    words = _after_options(call.argv[1:])
    own = call.argv[1 : len(call.argv) - len(words)]
    options = read_options(own, _SHELL_SPEC)
    letters = frozenset(
        option.lstrip("-") for option, _ in options.given if option not in ("-o", "-O")
    )
    named = [word_text(word) or "" for option, word in options.given if option == "-o"]
    flags = frozenset(letter for letter in letters if len(letter) == 1) | frozenset(named)
    if options.fault is not None:
        return Unclear(options.fault.note, (options.fault,))
    if "c" in flags:
        if not words:
            return Stopped(f"`{name} -c` is given no command", call.place, 2)
        return _command_string(container, name, words, flags - {"c"}, call)
    if not words or "s" in flags:
        return _shell_input(container, name, call, flags)
    return _script(container, name, words, flags, call)


def _after_options(words: tuple[ArgWord, ...]) -> tuple[ArgWord, ...]:
    """The words behind a shell's own options: those of its script are not its own."""
    index = 0
    while index < len(words):
        text = word_text(words[index])
        if text == "--":
            return words[index + 1 :]
        if text is None or not text.startswith(("-", "+")) or text == "-":
            break
        index += (
            2
            if text in ("-o", "+o", "-O", "--rcfile", "--init-file")
            or (len(text) > 2 and text[1] != "-" and text.endswith("o"))
            else 1
        )
    return words[index:]


def _command_string(
    container: Container, name: str, words: tuple[ArgWord, ...], flags: frozenset[str], call: Call
) -> Result:
    text = words[0].value
    if isinstance(text, Unknown):
        return Unclear(f"the command line is not known: {text.reason}", text.origins)
    zero = words[1].value if len(words) > 1 else Known(name)
    arguments = tuple(word.value for word in words[2:])
    return command_line(
        container,
        text.value,
        words[0].place,
        call,
        name=name,
        zero=zero,
        arguments=arguments,
        flags=flags,
    )


def _shell_input(container: Container, name: str, call: Call, flags: frozenset[str]) -> Result:
    if call.stdin is None:
        return Returns(0)
    if isinstance(call.stdin, Unknown):
        return Unclear(f"what the shell reads is not known: {call.stdin.reason}")
    place = call.stdin.origins[0].place if call.stdin.origins else call.place
    return command_line(container, call.stdin.value, place, call, name=name, flags=flags)


def _script(
    container: Container, name: str, words: tuple[ArgWord, ...], flags: frozenset[str], call: Call
) -> Result:
    text = word_text(words[0])
    path = in_folder(folder_of(call), text) if text is not None else None
    if path is None:
        return Unclear("which script it runs is not known", (Origin(words[0].place, "script"),))
    entry = container.entry(path)
    if isinstance(entry, Absent):
        return Stopped(
            f"there is no file `{path}` in the image",
            words[0].place,
            127,
            (targets.missing_file(container.image, path, words[0]),),
        )
    if not isinstance(entry, ImageFile) or isinstance(entry.source, ReadProblem):
        reason = getattr(entry, "reason", None) or "it can't be read"
        return Unclear(
            f"what `{path}` does is not known: {reason}", (Origin(words[0].place, path),)
        )
    script = parse(entry.source)
    step = Origin(words[0].place, f"runs {path}")
    state = _state(
        container, name, words[0].value, tuple(w.value for w in words[1:]), flags, call, step
    )
    return _ran(container, run(script, state, container), call)


def command_line(
    container: Container,
    text: str,
    place: Place,
    call: Call,
    *,
    name: str = "sh",
    zero: Value[str] | None = None,
    arguments: tuple[Value[str], ...] = (),
    flags: frozenset[str] = frozenset(),
    json: bool | None = None,
) -> Result:
    """Run a command line that stands at `place`."""
    source = place.source
    if json is None:
        json = place.text.startswith('"') and place.text.endswith('"')
    script = parse_text(text, source, locator(text, source, place.span, json=json))
    state = _state(container, name, zero or Known(name), arguments, flags, call, None)
    return _ran(container, run(script, state, container), call)


def _state(
    container: Container,
    name: str,
    zero: Value[str],
    arguments: tuple[Value[str], ...],
    flags: frozenset[str],
    call: Call,
    step: Origin | None,
) -> State:
    return State(
        env=call.env,
        args=arguments,
        name=zero,
        cwd=call.cwd,
        options=flags,
        dialect=_dialect(container.image, name),
        files=call.files,
        open_env=call.open_env,
        steps=(*call.steps, *((step,) if step else ())),
    )


def _dialect(image: Image, name: str) -> Dialect:
    if name in ("bash", "dash", "ash"):
        return name  # type: ignore[return-value]
    base = image.base or ""
    if "alpine" in base:
        return "ash"
    return "dash" if image.base_known else "sh"


def _ran(container: Container, outcome: Outcome, call: Call) -> CommandResult:
    container.assumed.extend(outcome.trail)
    if isinstance(outcome.ending, Exited):
        container.exited[call.place] = outcome.ending
        place = outcome.ending.place
        if place is not None and place in container.stopped:
            container.stopped[call.place] = container.stopped[place]
    return outcome.result


def su(container: Container, call: Call) -> Result:
    """`su USER -c COMMAND`, in any order."""
    words = list(call.argv[1:])
    for index, word in enumerate(words):
        if word_text(word) in ("-c", "--command") and index + 1 < len(words):
            return _command_string(container, "sh", (words[index + 1],), frozenset(), call)
    return Unclear("what `su` runs is not known", (Origin(call.place, "su"),))
