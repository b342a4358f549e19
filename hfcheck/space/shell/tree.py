"""The syntax tree of a shell script. Every node knows its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as Choice
from typing import TypeAlias

from hfcheck.source import Place


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself. Unquoted text takes part in globbing; escapes are decoded."""

    text: str
    quoted: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$name` or `${name...}`.

    `operator` is one of `"" - :- = := + :+ ? :? # ## % %% / // ^ ^^ , ,, : # ! length keys`
    (`length` is `${#x}`, `!` is `${!x}`, `:` is a substring). `word` is the right side,
    `replacement` the text after the second `/` (or the length of a substring). `index` is what
    stands in `[...]`. `bad` marks a substitution that no shell accepts.
    """

    name: str
    quoted: bool
    place: Place
    operator: str = ""
    word: Word | None = None
    replacement: Word | None = None
    index: Word | None = None
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Substitution:
    """`$(...)` or backticks."""

    script: Script
    quoted: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((...))`; the expression is a word that is expanded before it is worked out."""

    expression: Word
    quoted: bool
    place: Place


@dataclass(frozen=True, slots=True)
class ProcessSubstitution:
    """`<(...)`, or `>(...)` where it does not `read` from the commands."""

    script: Script
    reads: bool
    place: Place


Part: TypeAlias = Literal | Parameter | Substitution | Arithmetic | ProcessSubstitution


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its parts in order and the text as written. No parts: an empty word."""

    parts: tuple[Part, ...]
    raw: str
    place: Place

    @property
    def literal(self) -> str | None:
        """The text of a word without expansions, quotes taken off; None for any other."""
        if all(isinstance(part, Literal) for part in self.parts):
            return "".join(part.text for part in self.parts if isinstance(part, Literal))
        return None


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value`, `name+=value`, `name[index]=value` or `name=(a b c)` (then `array`)."""

    name: str
    value: Word | None
    place: Place
    append: bool = False
    index: Word | None = None
    array: tuple[Word, ...] | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """`[fd]operator target`. For `<<` and `<<-` `target` is the body of the here-document."""

    operator: str
    target: Word
    place: Place
    fd: int | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`a | b | c`, perhaps negated with `!`."""

    commands: tuple[Command, ...]
    negated: bool
    place: Place


@dataclass(frozen=True, slots=True)
class AndOr:
    """`a && b || c`: the first command, then each with the operator before it. `last_or` is the
    index in `rest` of the last `||` (-1: there is none).
    """

    first: Command
    rest: tuple[tuple[Choice["&&", "||"], Command], ...]
    place: Place
    last_or: int


@dataclass(frozen=True, slots=True)
class Background:
    """`command &`."""

    command: Command
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """Commands one after the other."""

    commands: tuple[Command, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Group:
    """`{ ...; }`, or `( ... )` when `subshell`."""

    body: Sequence
    subshell: bool
    redirects: tuple[Redirect, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class If:
    """`if`: conditions with their bodies in order, and the `else` body."""

    branches: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None
    redirects: tuple[Redirect, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class While:
    """`while`, or `until`."""

    condition: Sequence
    body: Sequence
    until: bool
    redirects: tuple[Redirect, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class For:
    """`for name in words` (`words` None: over `"$@"`); `select` likewise."""

    name: str
    words: tuple[Word, ...] | None
    body: Sequence
    redirects: tuple[Redirect, ...]
    place: Place
    select: bool = False


@dataclass(frozen=True, slots=True)
class CountedFor:
    """`for ((start; condition; step))`."""

    start: Word
    condition: Word
    step: Word
    body: Sequence
    redirects: tuple[Redirect, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of a `case`; `end` is `;;`, `;&` or `;;&`."""

    patterns: tuple[Word, ...]
    body: Sequence
    end: str


@dataclass(frozen=True, slots=True)
class Case:
    """`case word in ... esac`."""

    word: Word
    arms: tuple[Arm, ...]
    redirects: tuple[Redirect, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Function:
    """A function definition."""

    name: str
    body: Command
    place: Place


@dataclass(frozen=True, slots=True)
class Test:
    """`[[ ... ]]`: the words and operators between the brackets."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Calculation:
    """`(( ... ))`."""

    expression: Word
    redirects: tuple[Redirect, ...]
    place: Place


Command: TypeAlias = (
    Simple
    | Pipeline
    | AndOr
    | Background
    | Sequence
    | Group
    | If
    | While
    | For
    | CountedFor
    | Case
    | Function
    | Test
    | Calculation
)


@dataclass(frozen=True, slots=True)
class ParseProblem:
    """Why the shell would stop reading the script (it exits with 2), and where.

    `limit` is true where only hfcheck stops: the script nests too deeply to be followed.
    """

    message: str
    place: Place
    limit: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """A script as a shell reads it.

    `body` holds the commands up to `problem`, where there is one: a shell runs each line before
    it reads the next, so what stands before a syntax error has run. `bashisms` are the places
    of syntax that dash and ash refuse (arrays, `<(...)`, `function f`, `((`), each with a name.
    `carriage_return` is the place of the first `\\r`, which the shell keeps as part of a word.
    """

    body: Sequence
    problem: ParseProblem | None = None
    bashisms: tuple[tuple[str, Place], ...] = ()
    carriage_return: Place | None = None
