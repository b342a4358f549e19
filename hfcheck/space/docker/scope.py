"""What an instruction of a stage sees: the variables of ENV and ARG, and the WORKDIR."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hfcheck.space.docker.baseimages import BaseImage
from hfcheck.space.docker.expand import ExpansionError, expand, expand_words
from hfcheck.space.docker.instruction import Instruction, Word
from hfcheck.space.value import Known, Origin, Unknown, Value, via

MAX_PATH = 4096
"""Longest path that is worked out: Linux takes no longer one (PATH_MAX)."""


class _Lookup(Mapping[str, Value[str]]):
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


@dataclass(slots=True)
class Scope:
    """What one instruction of a stage sees; `follow` goes on to the next one.

    `env` are the variables of ENV, which stay in the image; `variables` those of ENV and ARG
    together, the later one having set the value; `closed` tells whether every other one is unset.
    `workdir` is relative to the unknown one of the base image, for which `/` stands, where
    `workdir_known` is false. `build_args` come from outside, `global_args` from before the first
    FROM.
    """

    escape: str
    build_args: Mapping[str, Value[str]]
    global_args: Mapping[str, Value[str]]
    closed: bool = False
    env: dict[str, Value[str]] = field(default_factory=dict)
    variables: dict[str, Value[str]] = field(default_factory=dict)
    workdir: str = "/"
    workdir_known: bool = True

    def on(self, base: BaseImage, *origins: Origin) -> Scope:
        """Those at the start of a stage on an external image."""
        env = base.env(*origins)
        return replace(
            self,
            closed=base.known,
            env=env,
            variables=dict(env),
            workdir=base.workdir or "/",
            workdir_known=base.workdir is not None,
        )

    def copy(self) -> Scope:
        """Those at the start of a stage on this one: an ENV counts again that an ARG had hidden."""
        return replace(self, env=dict(self.env), variables={**self.variables, **self.env})

    def expand(self, text: str, *, quotes: bool = True) -> Value[str]:
        """A word with its variables; raises ExpansionError where the build stops."""
        return expand(text, self._lookup, self.escape, quotes=quotes)

    def expand_words(self, text: str) -> Value[tuple[str, ...]]:
        """The words that a word becomes, as in EXPOSE; raises ExpansionError likewise."""
        return expand_words(text, self._lookup, self.escape)

    @property
    def _lookup(self) -> _Lookup:
        return _Lookup(self.variables, closed=self.closed)

    def follow(self, instruction: Instruction) -> None:
        """Set what an ENV, ARG or WORKDIR sets; other instructions set nothing."""
        if instruction.name == "ENV":
            self._env(instruction)
        elif instruction.name == "ARG":
            self._arg(instruction)
        elif instruction.name == "WORKDIR":
            self._workdir(instruction)

    def _env(self, instruction: Instruction) -> None:
        # All pairs of one ENV see the values from before it.
        found: dict[str, Value[str]] = {}
        for pair in instruction.pairs:
            if pair.value is not None:
                place = instruction.word_place(pair.value)
                note = f"ENV {pair.name.text}={pair.value.text}"
                name = self.value(pair.name.text)
                if isinstance(name, Known):
                    found[name.value] = via(self.value(pair.value.text), Origin(place, note))
        self.env.update(found)
        self.variables.update(found)

    def _arg(self, instruction: Instruction) -> None:
        for pair in instruction.pairs:
            value = self._arg_value(instruction, pair.name.text, pair.value)
            if value is not None:
                self.variables[pair.name.text] = value

    def _arg_value(
        self, instruction: Instruction, name: str, default: Word | None
    ) -> Value[str] | None:
        """What an ARG sets; None where it leaves things as they are."""
        if name in self.build_args:
            origin = Origin(instruction.place, f"ARG {name}, set by the Space's variable")
            return via(self.build_args[name], origin)
        if default is not None:
            place = instruction.word_place(default)
            return via(self.value(default.text), Origin(place, f"ARG {name}={default.text}"))
        if name in self.global_args:
            return self.global_args[name]
        if name in self.variables:
            return None
        origin = Origin(instruction.place, f"ARG {name}")
        return Unknown("the build argument has no default; a Space variable may set it", (origin,))

    def _workdir(self, instruction: Instruction) -> None:
        value = self.value(instruction.words[0].text if instruction.words else "")
        if isinstance(value, Unknown):
            self.workdir_known = False
            return
        if value.value.startswith("/"):
            self.workdir_known = True
        full = posixpath.normpath(posixpath.join("/", self.workdir, value.value))
        if len(full) > MAX_PATH:
            full, self.workdir_known = "/", False
        self.workdir = "/" + full.lstrip("/")

    def value(self, text: str) -> Value[str]:
        """A word with its variables; Unknown where the build stops."""
        try:
            return self.expand(text)
        except ExpansionError as error:
            return Unknown(str(error))
