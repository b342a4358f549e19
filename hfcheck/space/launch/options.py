"""Tells the options of a command line from its other words, as the option parser in use does."""

from __future__ import annotations

from dataclasses import dataclass

from hfcheck.source import Place
from hfcheck.space.launch.process import word_text
from hfcheck.space.shell.host import ArgWord
from hfcheck.space.value import Known, Origin, Unknown, mapped

_ABBREVIATES = ("argparse", "getopt")


@dataclass(frozen=True, slots=True)
class Spec:
    """The options of one program. `style` is its parser; `bare` are options whose value may be
    left out; `dotted`: any `--a.b` takes a value; `refused` are names it is known not to have.
    """

    style: str
    values: frozenset[str]
    switches: frozenset[str]
    bare: frozenset[str] = frozenset()
    dotted: bool = False
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Options:
    """The words of a command line by their part.

    `given` are the options in order, each with the word that holds its value (for a switch: the
    option's own word). `words` are the others. `missing` is an option at the end without the
    value that it needs. `fault` says why the words could not be told apart, and where; `strange` is
    the option that the program is not known to have, where that is why.
    """

    given: tuple[tuple[str, ArgWord], ...] = ()
    words: tuple[ArgWord, ...] = ()
    missing: tuple[str, Place] | None = None
    fault: Origin | None = None
    bare_options: tuple[str, ...] = ()
    strange: tuple[str, Place] | None = None

    def last(self, *names: str) -> ArgWord | None:
        """The value of the last of these options that is given."""
        found = [word for name, word in self.given if name in names]
        return found[-1] if found else None

    def bare_given(self, names: tuple[str, ...]) -> bool:
        """Whether one of these options is given with a value."""
        return any(name in names and name not in self.bare_options for name, _ in self.given)


class _Reader:
    def __init__(self, words: tuple[ArgWord, ...], spec: Spec) -> None:
        self.todo = list(reversed(words))
        self.spec = spec
        self.given: list[tuple[str, ArgWord]] = []
        self.words: list[ArgWord] = []
        self.bare: list[str] = []
        self.missing: tuple[str, Place] | None = None
        self.fault: Origin | None = None
        self.strange: tuple[str, Place] | None = None

    def read(self) -> Options:
        while self.todo and self.fault is None and self.missing is None:
            word = self.todo.pop()
            text = word_text(word)
            if text is None:
                self._unknown(word)
            elif text == "--" and self.spec.style != "plain":
                self.words.extend(reversed(self.todo))
                self.todo.clear()
            elif text.startswith("--"):
                self._long(text, word)
            elif text.startswith("-") and len(text) > 1:
                self._short(text, word)
            elif self.spec.style == "getopt" and self.words:
                self.words.append(word)
            else:
                self.words.append(word)
                if self.spec.style == "getopt":
                    self.words.extend(reversed(self.todo))
                    self.todo.clear()
        return Options(
            tuple(self.given),
            tuple(self.words),
            self.missing,
            self.fault,
            tuple(self.bare),
            self.strange,
        )

    def _unknown(self, word: ArgWord) -> None:
        assert isinstance(word.value, Unknown)
        name, equals, _ = word.prefix.partition("=")
        if equals and name.startswith("--") and (known := self._known(name)):
            self.given.append((known, _part(word, len(name) + 1)))
        elif word.prefix.startswith("-") and not word.prefix.startswith("--"):
            self._short(word.prefix, word)
        elif word.splits and not word.prefix:
            self.fault = Origin(word.place, f"a word is not known: {word.value.reason}")
        else:
            self.words.append(word)

    def _known(self, name: str) -> str | None:
        """The option that a name stands for, with abbreviations where the parser takes them."""
        spec = self.spec
        if name in spec.values or name in spec.switches or name in spec.refused:
            return name
        if spec.dotted and "." in name:
            return name
        if spec.style in _ABBREVIATES and name.startswith("--"):
            fits = [o for o in (*spec.values, *spec.switches) if o.startswith(name)]
            if len(fits) == 1:
                return fits[0]
        return None

    def _long(self, text: str, word: ArgWord) -> None:
        name, equals, _ = text.partition("=")
        known = self._known(name)
        if known is None:
            self._not_there(name, name, word)
        elif known in self.spec.refused or (
            known in self.spec.switches and known not in self.spec.values
        ):
            self.given.append((known, word))
        elif equals:
            self.given.append((known, _part(word, len(name) + 1)))
        else:
            self._take(known, word)

    def _not_there(self, name: str, shown: str, word: ArgWord) -> None:
        self.strange = (name, word.place)
        self.fault = Origin(word.place, f"the option `{shown}` is not in the table")

    def _take(self, name: str, word: ArgWord) -> None:
        following = word_text(self.todo[-1]) if self.todo else None
        leaves = not self.todo or (following is not None and following.startswith("-"))
        if leaves and name in self.spec.bare:
            self.bare.append(name)
            self.given.append((name, _part(word, len(name))))
        elif not self.todo or (leaves and self._refuses(following or "")):
            self.missing = (name, word.place)
        else:
            self.given.append((name, self.todo.pop()))

    def _refuses(self, following: str) -> bool:
        """Argparse takes no value that looks like an option (a negative number does not)."""
        return self.spec.style == "argparse" and len(following) > 1 and not following[1].isdigit()

    def _short(self, text: str, word: ArgWord) -> None:
        position = 1
        if text in self.spec.refused:
            self.given.append((text, word))
            return
        while position < len(text):
            name = f"-{text[position]}"
            position += 1
            if name in self.spec.values:
                if position == len(text) and isinstance(word.value, Known):
                    self._take(name, word)
                else:
                    skip = position
                    if self.spec.style == "argparse" and text[skip : skip + 1] == "=" and skip == 2:
                        skip += 1
                    self.given.append((name, _part(word, skip)))
                return
            if name not in self.spec.switches:
                shown = text if len(text) == 2 else f"{name}` of `{text}"
                self._not_there(name, shown, word)
                return
            self.given.append((name, word))
        if isinstance(word.value, Unknown):
            self.fault = Origin(word.place, f"a word is not known: {word.value.reason}")


def read_options(words: tuple[ArgWord, ...], spec: Spec) -> Options:
    """Sort words into options and others. Never raises."""
    return _Reader(words, spec).read()


def _part(word: ArgWord, start: int) -> ArgWord:
    """The rest of a word from `start` on, with the word's place."""
    value = mapped(word.value, lambda text: text[start:])
    return ArgWord(value, word.place, word.prefix[start:])
