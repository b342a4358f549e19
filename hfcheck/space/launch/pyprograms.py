"""`python FILE`, `python -m MODULE` and the console scripts of a project."""

from __future__ import annotations

import ast
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from hfcheck.source import SourceFile
from hfcheck.space.code.python import (
    Broken,
    External,
    FunctionNode,
    Missing,
    Module,
    Namespace,
    Python,
    as_main,
)
from hfcheck.space.image.entries import Absent, ImageFile, ImageFolder
from hfcheck.space.launch import projects, targets
from hfcheck.space.launch.changed import changed, with_image
from hfcheck.space.launch.following import Program
from hfcheck.space.launch.launchers import Own, find_server
from hfcheck.space.launch.process import (
    Listener,
    Result,
    Stopped,
    folder_of,
    in_folder,
    python_path,
    word_text,
)
from hfcheck.space.launch.serving import follow
from hfcheck.space.launch.wrappers import wrappers
from hfcheck.space.shell.host import ArgWord, Blocks, Call, Returns, Unclear, Written
from hfcheck.space.value import Known, Origin, Unknown, mapped

if TYPE_CHECKING:
    from hfcheck.space.launch.container import Container

_PYTHON_VALUES = frozenset({"-W", "-X", "--check-hash-based-pycs"})
_RUNNERS = frozenset({"cProfile", "profile", "trace", "coverage", "debugpy", "memray", "viztracer"})
"""Modules that run another one: `python -m cProfile -m uvicorn ...`."""

_SHELLS = ("/bin/sh", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash")

_RETURNING = frozenset(
    {
        "pip",
        "venv",
        "compileall",
        "alembic",
        "pytest",
        "ensurepip",
        "nltk",
        "spacy",
        "playwright",
        "piptools",
        "build",
        "unittest",
        "json",
    }
)


def python_program(container: Container, call: Call) -> Result:
    """What `python` does with these words."""
    words = list(call.argv[1:])
    while words:
        text = word_text(words[0])
        if text is None:
            return Unclear(
                "which program Python runs is not known", (Origin(words[0].place, "the program"),)
            )
        if text == "-m" and len(words) > 1:
            return _python_module(container, words[1], tuple(words[2:]), call)
        if text.startswith("-m") and len(text) > 2:
            module = replace(words[0], value=Known(text[2:], words[0].value.origins))
            return _python_module(container, module, tuple(words[1:]), call)
        if text == "-c" or (text.startswith("-c") and not text.startswith("--")):
            return _command_text(container, words, call)
        if text in ("-V", "--version", "-h", "--help", "-VV"):
            return Returns(0)
        if text == "-":
            return _python_input(container, call)
        if text in _PYTHON_VALUES:
            words = words[2:]
        elif text.startswith("-"):
            words = words[1:]
        else:
            return _python_script(container, words[0], tuple(words[1:]), call)
    return _python_input(container, call)


def _command_text(container: Container, words: list[ArgWord], call: Call) -> Result:
    first = word_text(words[0]) or ""
    if first != "-c":
        value = mapped(words[0].value, lambda text: text[2:])
        return _python_text(container, replace(words[0], value=value), tuple(words[1:]), call)
    if len(words) < 2:
        return Stopped("`python -c` is given no text", call.place, 2)
    return _python_text(container, words[1], tuple(words[2:]), call)


def _python_input(container: Container, call: Call) -> Result:
    if call.stdin is None:
        return Returns(0)
    return _python_text(container, ArgWord(call.stdin, call.place), (), call)


def _python_text(
    container: Container, word: ArgWord, arguments: tuple[ArgWord, ...], call: Call
) -> Result:
    """`python -c TEXT`, or a text that Python reads: a script that stands in no file."""
    text, folder = word_text(word), folder_of(call)
    if text is None or folder is None:
        reason = "what the Python text does is not known"
        return Unclear(reason, (Origin(word.place, "python -c"),))
    path = posixpath.join(folder, "-c")
    image = changed(container.image, {path: Written(Known(text), word.place)})
    search = (folder, *python_path(call))
    python = Python(image, search)
    found = python.script(path)
    result = _follow(container, found, path, search, python, arguments, call, word)
    container.followed[:] = [each for each in container.followed if each[1] != path]
    return with_image(result, image)


_COMMAND = "import sys\nfrom {} import Command\nCommand().handle(**vars(sys))\n"
"""What runs a command of Django's; its options are not followed: they are unknown values."""


def django_command(container: Container, own: Own, folder: str, call: Call) -> Result | None:
    """A command of a project of Django's that lies below `folder`; None where it has none of that
    name.
    """
    tail = f"management/commands/{word_text(own.name)}.py"
    for path in targets.find_elsewhere(container.image, tail, folder):
        entry = container.entry(path)
        if isinstance(entry, ImageFile) and isinstance(entry.source, SourceFile):
            module = posixpath.relpath(path, folder).removesuffix(".py").replace("/", ".")
            text = _COMMAND.format(module)
            word = replace(own.name, value=Known(text, own.name.value.origins))
            inside = replace(call, cwd=Known(folder), place=own.name.place)
            return _python_text(container, word, own.words, inside)
    return None


def _python_script(
    container: Container, word: ArgWord, arguments: tuple[ArgWord, ...], call: Call
) -> Result:
    path = in_folder(folder_of(call), word_text(word) or "")
    if path is None:
        return Unclear("the folder it starts in is not known", (Origin(word.place, "script"),))
    entry = container.entry(path)
    if isinstance(entry, ImageFolder):
        main = container.entry(f"{path}/__main__.py")
        if isinstance(main, Absent) and entry.complete:
            reason = f"`{path}` is a folder without `__main__.py`"
            return Stopped(
                reason,
                word.place,
                1,
                (replace(targets.missing_file(container.image, path, word), message=reason),),
            )
        path, entry = f"{path}/__main__.py", main
    if path in _SHELLS:
        return Stopped(f"`{path}` is a shell, and no Python program", word.place)
    if isinstance(entry, Absent):
        return Stopped(
            f"there is no file `{path}` in the image",
            word.place,
            2,
            (targets.missing_file(container.image, path, word),),
        )
    if not isinstance(entry, ImageFile):
        return Unclear(
            f"what `{path}` does is not known: {getattr(entry, 'reason', '')}",
            (Origin(word.place, path),),
        )
    search = (posixpath.dirname(path), *python_path(call))
    python = Python(container.image, search)
    found = python.script(path)
    return _follow(container, found, path, search, python, arguments, call, word)


def _python_module(
    container: Container, word: ArgWord, arguments: tuple[ArgWord, ...], call: Call
) -> Result:
    name = word_text(word)
    if name is None:
        return Unclear("which module it runs is not known", word.value.origins)
    server = find_server(call, arguments, module=name)
    if server is not None:
        return container.run_server(server, call)
    if name.partition(".")[0] in _RUNNERS:
        return python_program(
            container, replace(call, argv=(call.argv[0], *_after_runner(arguments)))
        )
    start = folder_of(call)
    if start is None:
        return Unclear("the folder it starts in is not known", (Origin(word.place, name),))
    search = (start, *python_path(call))
    python = Python(container.image, search)
    found = python.find(name)
    entry = name
    if isinstance(found, Namespace) or (isinstance(found, Module) and found.package):
        found, entry = python.find(f"{name}.__main__"), f"{name}.__main__"
    if isinstance(found, Module):
        found = as_main(found, entry)
    if isinstance(found, External) and targets.is_local(container.image, name, search):
        found = Missing(name, name)
    return _follow(container, found, f"-m {entry}", search, python, arguments, call, word)


def _follow(
    container: Container,
    found: object,
    entry: str,
    search: tuple[str, ...],
    python: Python,
    arguments: tuple[ArgWord, ...],
    call: Call,
    word: ArgWord,
    function: FunctionNode | None = None,
) -> Result:
    if isinstance(found, (Broken, Module)):
        container.followed.append((search, entry, call))
    if isinstance(found, Broken):
        if found.newer:
            return Unclear(
                "its syntax is newer than the one that is understood",
                (Origin(found.place, found.message),),
            )
        return Stopped(f"`{found.path}` does not parse: {found.message}", found.place, 1)
    if isinstance(found, Missing):
        text = word_text(word) or entry
        return Stopped(
            f"there is no module `{text}` in the image",
            word.place,
            1,
            (targets.missing_module(container.image, text, word.place, search),),
        )
    if not isinstance(found, Module):
        name = word_text(word) or entry
        if name.partition(".")[0] in wrappers().returns | wrappers().waits | _RETURNING:
            return Returns(None)
        reason = getattr(found, "reason", None) or f"what `{name}` does is not in the table"
        return Unclear(reason, (Origin(word.place, name),))
    env = dict(call.env)
    program = Program(found, call, arguments, search, entry, function)
    step = Origin(word.place, f"runs {found.path}")
    program = replace(program, call=replace(call, steps=(*call.steps, step)))
    result = follow(program, python, env, container, container.knows_settings())
    container.note_variables(word for word in arguments if _reaches(word, result))
    if isinstance(result, Returns) and not result.running and not call.background:
        return _ended(container, program, python, word, result)
    return result


def _ended(
    container: Container, program: Program, python: Python, word: ArgWord, result: Returns
) -> Result:
    """A program that ends, with the reason where that is an error."""
    if result.status:
        reason = f"`{program.module.path}` ends with status {result.status}"
        return Stopped(reason, word.place, result.status)
    if result.status is None and container.judge is not None:
        end = container.judge(program, python, container.packages)
        if end is not None:
            return Stopped(end.note, end.place)
    return result


def _reaches(word: ArgWord, result: Result) -> bool:
    """Whether a word of the command line becomes the address of a server."""
    text = word_text(word)
    if not text:
        return False
    if isinstance(result, Stopped):
        return result.place == word.place and text in result.reason
    if not isinstance(result, Blocks):
        return False
    addresses = [
        value
        for each in result.running
        if isinstance(each.what, Listener)
        for value in (each.what.host, each.what.port)
    ]
    return any(
        any(origin.place == word.place for origin in value.origins)
        and text in (value.reason if isinstance(value, Unknown) else str(value.value))
        for value in addresses
    )


def project_script(container: Container, name: str, call: Call) -> Result | None:
    """A console script of the project (`[project.scripts]`)."""
    script = projects.script(container.image, name, call)
    if script is None:
        return None
    if script.command is not None:
        return container.shell(script.command, script.place, call, json=True)
    search = (*script.search, *python_path(call))
    python = Python(container.image, search)
    found = python.find(script.module)
    word = ArgWord(Known(script.module), script.place, script.module)
    function: FunctionNode | None = None
    if isinstance(found, Module):
        definition = python.attribute_of(found, script.attribute.partition(".")[0])
        node = definition.node if definition else None
        if definition is None or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return Unclear(f"what `{name}` calls is not followed", (Origin(script.place, name),))
        function = node
        found = definition.module or found
    call = replace(call, steps=(*call.steps, Origin(script.place, f"{name} is a script")))
    return _follow(
        container, found, script.module, search, python, call.argv[1:], call, word, function
    )


def _after_runner(arguments: tuple[ArgWord, ...]) -> tuple[ArgWord, ...]:
    """The words behind `-m cProfile`'s own options."""
    words = list(arguments)
    while words and (word_text(words[0]) or "").startswith("-") and word_text(words[0]) != "-m":
        words = words[2:] if word_text(words[0]) in ("-o", "-s", "--listen") else words[1:]
    if words and word_text(words[0]) == "run":
        words = words[1:]
    return tuple(words)
