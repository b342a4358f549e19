"""Reads shell scripts: POSIX sh and the common parts of bash, as text, into a tree with places.

`parse(source)` reads a whole file, `parse(source, span)` a part of it, and `parse_text` a text
that stands elsewhere in another shape (the string of a JSON word, a command line over several
lines): `locate(start, end)` then gives the span in `source` for offsets of the text;
`locator` makes such a function. The nodes are in `shelltree`.
"""

from __future__ import annotations

import json as json_decoder
import re
from typing import Literal as Choice

from hfcheck.source import SourceFile, Span
from hfcheck.space.shell.lex import Lexer, Locate, Stop
from hfcheck.space.shell.tree import (
    AndOr,
    Arm,
    Assignment,
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
    ParseProblem,
    Pipeline,
    Redirect,
    Script,
    Sequence,
    Simple,
    Test,
    While,
    Word,
)

__all__ = ["Locate", "locator", "parse", "parse_text"]

_RESERVED = re.compile(
    r"(?:if|then|elif|else|fi|while|until|for|select|do|done|case|esac|function|time|\[\[|[{}!])"
    r"(?=[ \t\n;&|<>()]|\Z)"
)
_REDIRECT = re.compile(
    r"(?:([0-9]{1,9})|\{[A-Za-z_]\w*\})?(<<<|<<-|<<|>>|>\||<>|>&|<&|[<>](?!\())"
    r"|(&>>|&>)"
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[([^\]\n]{0,200})\])?(\+?)=")
_FUNCTION = re.compile(r"([^\s;&|<>()'\"\\$`=#{}][^\s;&|<>()'\"\\$`=]*)[ \t]*\([ \t]*\)")
_NAME = re.compile(r"[A-Za-z_]\w*")
_DECLARING = frozenset({"declare", "typeset", "local", "readonly", "export"})
_CLOSERS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})


def parse(source: SourceFile, span: Span | None = None) -> Script:
    """Read a script file, or the part of it in `span`. Never raises: see `Script.problem`."""
    if span is None:
        return parse_text(source.text, source, Span)
    base = span.start
    return parse_text(source.slice(span), source, lambda start, end: Span(base + start, base + end))


def parse_text(text: str, source: SourceFile, locate: Locate) -> Script:
    """Read a script from `text`, whose offsets `locate` turns into spans of `source`."""
    parser = _Parser(text, source, locate)
    return parser.script()


def locator(text: str, source: SourceFile, span: Span, *, json: bool = False) -> Locate:
    """Where the characters of `text` stand in `span` of `source`.

    `text` is what stands there less line continuations and comment lines between them, or, with
    `json`, the decoded string of a JSON word (its quotes are part of `span`). Where text and
    source can't be brought together, the whole span stands for the rest.
    """
    found = _json_ranges(text, source, span) if json else _joined_ranges(text, source, span)
    if found is None:
        return lambda _start, _end: span
    ranges = [*found, (found[-1][1], found[-1][1]) if found else (span.start, span.start)]

    def locate(start: int, end: int) -> Span:
        first = ranges[min(start, len(ranges) - 1)][0]
        return Span(first, ranges[min(end, len(ranges)) - 1][1] if end > start else first)

    return locate


_JSON_PIECE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[0-9a-fA-F]{4}|\\.|[^\"\\]",
    re.S,
)


def _json_ranges(text: str, source: SourceFile, span: Span) -> list[tuple[int, int]] | None:
    """Where each character of a decoded JSON string is written."""
    ranges: list[tuple[int, int]] = []
    at = span.start + 1
    for char in text:
        piece = _JSON_PIECE.match(source.text, at, span.end)
        if piece is None or (piece[0] != char and _json_char(piece[0]) != char):
            return None
        ranges.append(piece.span())
        at = piece.end()
    return ranges


def _json_char(piece: str) -> str | None:
    try:
        decoded: object = json_decoder.loads(f'"{piece}"')
    except ValueError:
        return None
    return decoded if isinstance(decoded, str) else None


_GAP = re.compile(r"(?:[\\`][ \t]*\r?\n(?:[ \t]*#[^\n]*\n|[ \t]*\r?\n)*)+")


def _joined_ranges(text: str, source: SourceFile, span: Span) -> list[tuple[int, int]] | None:
    """Where each character of a line is written that was joined from several."""
    ranges: list[tuple[int, int]] = []
    at = span.start
    for char in text:
        if gap := _GAP.match(source.text, at, span.end):
            at = gap.end()
        while at < span.end and source.text[at] != char and source.text[at] in " \t\r":
            at += 1
        if at >= span.end or source.text[at] != char:
            return None
        ranges.append((at, at + 1))
        at += 1
    return ranges


class _Parser(Lexer):
    """The grammar over the words."""

    # -- whole scripts

    def script(self) -> Script:
        """Read everything; a syntax error becomes the script's problem."""
        done: list[Command] = []
        line: list[Command] = []
        problem: ParseProblem | None = None
        try:
            self._lines(done, line)
        except Stop as stop:
            problem = stop.problem
        except RecursionError:
            problem = ParseProblem(
                "it is nested too deeply to be followed", self.place(self.at, self.at), limit=True
            )
        body = Sequence(tuple(done), self.place(0, len(self.text)))
        carriage = self.text.find("\r")
        return Script(
            body,
            problem,
            tuple(self.bashisms),
            self.place(carriage, carriage + 1) if carriage >= 0 else None,
        )

    def _lines(self, done: list[Command], line: list[Command]) -> None:
        """A shell runs a line before it reads the next: `done` gets whole lines only."""
        while True:
            self.skip_blank()
            if self.done() or self.peek("\n"):
                done.extend(line)
                line.clear()
                if self.done():
                    return
                self.newline()
                continue
            line.append(self._item())

    def nested(self) -> Script:
        start = self.at
        outer, self.heredocs = self.heredocs, []
        body = self._sequence(allow_empty=True)
        self.heredocs = outer + self.heredocs
        return Script(Sequence(body.commands, self.place(start)))

    def whole(self, text: str, locate: Locate) -> Script:
        script = _Parser(text, self.source, locate, self.depth).script()
        if script.problem is not None:
            raise Stop(script.problem.message, script.problem.place, limit=script.problem.limit)
        return script

    # -- lists

    def _reserved(self) -> str | None:
        match = _RESERVED.match(self.text, self.at, self.end)
        return match[0] if match else None

    def _newlines(self) -> None:
        self.skip_blank()
        while self.peek("\n"):
            self.newline()
            self.skip_blank()

    def _sequence(self, *, allow_empty: bool = False) -> Sequence:
        """Commands up to something that closes them, which is left to read."""
        start = self.at
        commands: list[Command] = []
        while True:
            self._newlines()
            start = start if commands else self.at
            if self.done() or self.peek(")") or self.peek(";;") or self.peek(";&"):
                break
            if self._reserved() in _CLOSERS:
                break
            commands.append(self._item())
        if not commands and not allow_empty:
            raise self.fail("a command is missing here")
        if not commands:
            return Sequence((), self.place(start, start))
        return Sequence(tuple(commands), self.place(start))

    def _item(self) -> Command:
        """One and-or list with the separator after it (a newline is left to read)."""
        start = self.at
        command = self._and_or()
        self.skip_blank()
        if self.peek("&") and not self.peek("&&"):
            background = Background(command, self.place(start))
            self.at += 1
            return background
        if self.peek(";") and not self.peek(";;") and not self.peek(";&"):
            semicolon = self.at
            self.at += 1
            self._skipped(semicolon)
        elif not (self.done() or self.text[self.at] in "\n);"):
            raise self._unexpected()
        return command

    def _unexpected(self) -> Stop:
        if self.done():
            return self.fail("the script ends in the middle of a command")
        shown = self.text[self.at : self.at + 20].split("\n")[0].split(" ")[0]
        shown = shown or "the end of the line"
        return self.fail(f"syntax error near unexpected `{shown}`")

    def _and_or(self) -> Command:
        start = self.at
        first = self._pipeline()
        rest: list[tuple[Choice["&&", "||"], Command]] = []
        last_or = -1
        while True:
            self.skip_blank()
            operator: Choice["&&", "||"] = "&&" if self.peek("&&") else "||"
            if not self.peek(operator):
                break
            self.at += 2
            self._newlines()
            last_or = len(rest) if operator == "||" else last_or
            rest.append((operator, self._pipeline()))
        return AndOr(first, tuple(rest), self.place(start), last_or) if rest else first

    def _pipeline(self) -> Command:
        self.skip_blank()
        start = self.at
        negated = False
        while (word := self._reserved()) in ("!", "time"):
            negated ^= word == "!"
            self.at += len(word or "")
            self.skip_blank()
            if word == "time" and self.peek("-p "):
                self.at += 3
                self.skip_blank()
        commands = [self._command()]
        self.skip_blank()
        while self.peek("|") and not self.peek("||"):
            self.at += 2 if self.peek("|&") else 1
            self._newlines()
            commands.append(self._command())
            self.skip_blank()
        if len(commands) == 1 and not negated:
            return commands[0]
        return Pipeline(tuple(commands), negated, self.place(start))

    # -- commands

    def _command(self) -> Command:
        with self.deeper():
            if self.peek("("):
                return self._parenthesis()
            word = self._reserved()
            if word is None:
                if match := _FUNCTION.match(self.text, self.at, self.end):
                    return self._function(match[1], match.end())
                return self._simple()
            return self._compound(word)

    def _compound(self, word: str) -> Command:
        start = self.at
        if word in ("for", "select"):
            return self._for(start, word)
        if word in _CLOSERS or word in ("!", "time"):
            raise self._unexpected()
        self.at += len(word)
        if word == "if":
            return self._if(start)
        if word in ("while", "until"):
            condition = self._sequence()
            body = self._do()
            return While(condition, body, word == "until", self._redirects(), self.place(start))
        if word == "case":
            return self._case(start)
        if word == "[[":
            return self._test(start)
        if word == "function":
            return self._function_keyword(start)
        body = self._sequence()
        self._expect("}")
        return Group(body, False, self._redirects(), self.place(start))

    def _expect(self, word: str) -> None:
        self.skip_blank()
        if self._reserved() != word:
            raise self._unexpected()
        self.at += len(word)

    def _redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while True:
            self.skip_blank()
            redirect = self._redirect()
            if redirect is None:
                return tuple(found)
            found.append(redirect)

    def _redirect(self) -> Redirect | None:
        match = _REDIRECT.match(self.text, self.at, self.end)
        if match is None:
            return None
        start = self.at
        self.at = match.end()
        self.skip_blank()
        target = self.word()
        if target is None:
            raise self._unexpected()
        operator = match[2] or match[3]
        fd = int(match[1]) if match[1] else None
        redirect = Redirect(operator, target, self.place(start), fd)
        if operator in ("<<", "<<-"):
            self.open_heredoc(redirect, target)
        return redirect

    def _simple(self) -> Command:
        start = end = self.at
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            self.skip_blank()
            if redirect := self._redirect():
                redirects.append(redirect)
            elif assignment := self._assignment(words):
                assignments.append(assignment)
            elif word := self.word():
                words.append(word)
            else:
                break
            end = self.at
        if not (assignments or words or redirects):
            raise self._unexpected()
        place = self.place(start, end)
        return Simple(tuple(assignments), tuple(words), tuple(redirects), place)

    def _assignment(self, words: list[Word]) -> Assignment | None:
        """An assignment; among the arguments of `declare` and the like only that of an array."""
        if words and words[0].raw not in _DECLARING:
            return None
        match = _ASSIGNMENT.match(self.text, self.at, self.end)
        if match is None:
            return None
        is_array = self.text.startswith("(", match.end(), self.end)
        if words and not is_array:
            return None
        start = self.at
        self.at = match.end()
        index = None
        if match[2] is not None:
            index = self._index(match.start(2), match.end(2), match.end())
        if is_array:
            array = self._array()
            return Assignment(match[1], None, self.place(start), bool(match[3]), index, array)
        value = self.word()
        return Assignment(match[1], value, self.place(start), bool(match[3]), index)

    def _index(self, start: int, end: int, after: int) -> Word:
        self.at = start
        word = self.quoted_until(end, in_heredoc=False)
        self.at = after
        return word

    def _array(self) -> tuple[Word, ...]:
        start = self.at
        self.at += 1
        words: list[Word] = []
        while True:
            self._newlines()
            if self.peek(")"):
                self.at += 1
                self.bashisms.append(("array", self.place(start)))
                return tuple(words)
            word = self.word()
            if word is None:
                raise self._unexpected()
            words.append(word)

    def _parenthesis(self) -> Command:
        start = self.at
        if self.peek("((") and (close := self.arithmetic_end(start + 2)) is not None:
            self.at = start + 2
            expression = self.quoted_until(close, in_heredoc=False)
            self.at = close + 2
            self.bashisms.append(("((", self.place(start)))
            return Calculation(expression, self._redirects(), self.place(start))
        self.at += 1
        body = self._sequence()
        if not self.peek(")"):
            raise self._unexpected()
        self.at += 1
        return Group(body, True, self._redirects(), self.place(start))

    def _if(self, start: int) -> Command:
        branches: list[tuple[Sequence, Sequence]] = []
        otherwise: Sequence | None = None
        condition = self._sequence()
        self._expect("then")
        branches.append((condition, self._sequence()))
        while self._reserved() == "elif":
            self.at += 4
            condition = self._sequence()
            self._expect("then")
            branches.append((condition, self._sequence()))
        if self._reserved() == "else":
            self.at += 4
            otherwise = self._sequence()
        self._expect("fi")
        return If(tuple(branches), otherwise, self._redirects(), self.place(start))

    def _do(self) -> Sequence:
        self._newlines()
        self._expect("do")
        body = self._sequence()
        self._expect("done")
        return body

    def _for(self, start: int, keyword: str) -> Command:
        self.at += len(keyword)
        self.skip_blank()
        if self.peek("((") and (close := self.arithmetic_end(self.at + 2)) is not None:
            return self._counted_for(start, close)
        name = _NAME.match(self.text, self.at, self.end)
        if name is None:
            raise self._unexpected()
        self.at = name.end()
        self._newlines()
        words: list[Word] | None = None
        if re.compile(r"in(?=[ \t\n;]|\Z)").match(self.text, self.at, self.end):
            self.at += 2
            words = []
            self.skip_blank()
            while word := self.word():
                words.append(word)
                self.skip_blank()
        self.skip_blank()
        if self.peek(";"):
            self.at += 1
        elif words is not None and not self.peek("\n"):
            raise self._unexpected()
        body = self._do()
        given = None if words is None else tuple(words)
        return For(name[0], given, body, self._redirects(), self.place(start), keyword == "select")

    def _counted_for(self, start: int, close: int) -> Command:
        self.bashisms.append(("for ((", self.place(start)))
        self.at += 2
        parts: list[Word] = []
        for _ in range(2):
            semicolon = self.text.find(";", self.at, close)
            if semicolon < 0:
                raise self._unexpected()
            parts.append(self.quoted_until(semicolon, in_heredoc=False))
            self.at = semicolon + 1
        parts.append(self.quoted_until(close, in_heredoc=False))
        self.at = close + 2
        self.skip_blank()
        if self.peek(";"):
            self.at += 1
        body = self._do()
        return CountedFor(parts[0], parts[1], parts[2], body, self._redirects(), self.place(start))

    def _case(self, start: int) -> Command:
        self.skip_blank()
        word = self.word()
        self._newlines()
        if word is None or not re.compile(r"in(?=[ \t\n]|\Z)").match(self.text, self.at, self.end):
            raise self._unexpected()
        self.at += 2
        arms: list[Arm] = []
        self._newlines()
        while self._reserved() != "esac":
            arms.append(self._arm())
            self._newlines()
        self._expect("esac")
        return Case(word, tuple(arms), self._redirects(), self.place(start))

    def _arm(self) -> Arm:
        if self.peek("("):
            self.at += 1
        patterns: list[Word] = []
        while True:
            self.skip_blank()
            pattern = self.word()
            if pattern is None:
                raise self._unexpected()
            patterns.append(pattern)
            self.skip_blank()
            if self.peek(")"):
                break
            if not self.peek("|"):
                raise self._unexpected()
            self.at += 1
        self.at += 1
        body = self._sequence(allow_empty=True)
        end = ";;"
        if not self.done() and self._reserved() != "esac":
            end = next((e for e in (";;&", ";;", ";&") if self.peek(e)), "")
            if not end:
                raise self._unexpected()
            self.at += len(end)
        return Arm(tuple(patterns), body, end)

    def _test(self, start: int) -> Command:
        words: list[Word] = []
        while True:
            self._newlines()
            if self.done():
                raise self.fail("`[[` is not closed", start)
            if self.text.startswith("]]", self.at) and self.text[self.at + 2 : self.at + 3] in (
                "",
                " ",
                "\t",
                "\n",
                ";",
                "&",
                "|",
                ")",
                "<",
                ">",
            ):
                self.at += 2
                return Test(tuple(words), self._redirects(), self.place(start))
            operator = next((o for o in ("&&", "||", "(", ")", "<", ">") if self.peek(o)), None)
            regex = bool(words) and words[-1].raw == "=~"
            if operator and not regex:
                place = self.place(self.at, self.at + len(operator))
                words.append(Word((Literal(operator, False, place),), operator, place))
                self.at += len(operator)
                continue
            word = self.word(regex=regex)
            if word is None:
                raise self._unexpected()
            words.append(word)

    def _function(self, name: str, after: int) -> Command:
        start = self.at
        self.at = after
        self._newlines()
        body = self._command()
        return Function(name, body, self.place(start))

    def _function_keyword(self, start: int) -> Command:
        self.skip_blank()
        word = self.word()
        if word is None or word.literal is None:
            raise self._unexpected()
        here = self.place(start)
        self.skip_blank()
        self.bashisms.append(("function ()" if self.peek("(") else "function", here))
        if self.peek("("):
            self.at += 1
            self.skip_blank()
            if not self.peek(")"):
                raise self._unexpected()
            self.at += 1
        self._newlines()
        return Function(word.literal, self._command(), self.place(start))
