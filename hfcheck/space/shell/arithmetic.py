"""Shell arithmetic: `$((...))`, `((...))`, `let`, and the numbers of `[ ]`."""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F]+|[0-9]+#[0-9a-zA-Z]+|[0-9]+)|([A-Za-z_][A-Za-z0-9_]*)"
    r"|(<<=|>>=|\*\*|\+\+|--|&&|\|\||<<|>>|<=|>=|==|!=|[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),]))"
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<=", ">=", "<", ">"),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_ASSIGN = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="})
_MAX_TOKENS = 2000
_MAX_DEPTH = 15


class MathError(Exception):
    """The expression is no valid one (a shell reports an error), or too long."""


class MathUnknown(Exception):
    """The expression depends on something that is not known: the message says on what."""


Read = Callable[[str], int]
Write = Callable[[str, int], None]


def number(text: str) -> int:
    """A number as the shell reads it (decimal, 0 octal, 0x hex, base#digits).

    Raises MathError.
    """
    try:
        if "#" in text:
            base, digits = text.split("#", 1)
            return int(digits, int(base))
        if text[:2].lower() == "0x":
            return int(text, 16)
        return int(text, 8) if len(text) > 1 and text[0] == "0" else int(text)
    except ValueError as error:
        raise MathError(f"{text[:30]} is no number") from error


def _wrapped(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def calculate(text: str, read: Read, write: Write) -> int:
    """The value of an expression. `read` gives a variable's number (and may raise
    MathUnknown), `write` sets one. Raises MathError, MathUnknown.
    """
    return _Calculation(text, read, write).value()


class _Calculation:
    def __init__(self, text: str, read: Read, write: Write) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0
        self.read = read
        self.write = write

    def value(self) -> int:
        if not self.tokens:
            return 0
        result = self._comma()
        if self.at < len(self.tokens):
            raise MathError(f"unexpected {self.tokens[self.at]}")
        return result

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        if token in wanted:
            self.at += 1
            return token
        return ""

    def _comma(self) -> int:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise MathError("it is nested too deeply")
        result = self._assignment()
        while self._take(","):
            result = self._assignment()
        self.depth -= 1
        return result

    def _assignment(self) -> int:
        name = self._peek()
        following = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else ""
        if following in _ASSIGN and (name[:1].isalpha() or name[:1] == "_"):
            self.at += 2
            self.depth += 1
            if self.depth > _MAX_DEPTH:
                raise MathError("it is nested too deeply")
            right = self._assignment()
            self.depth -= 1
            if following != "=":
                right = _operate(following[:-1], self.read(name), right)
            self.write(name, right)
            return right
        return self._ternary()

    def _ternary(self) -> int:
        condition = self._binary(0)
        if not self._take("?"):
            return condition
        yes = self._comma()
        if not self._take(":"):
            raise MathError("`:` is missing")
        no = self._comma()
        return yes if condition else no

    def _binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._power()
        result = self._binary(level + 1)
        while operator := self._take(*_LEVELS[level]):
            result = _operate(operator, result, self._binary(level + 1))
        return result

    def _power(self) -> int:
        bases = [self._unary()]
        while self._take("**"):
            bases.append(self._unary())
        result = bases.pop()
        while bases:
            if result < 0:
                raise MathError("the exponent is below 0")
            result = _wrapped(pow(bases.pop(), result, 1 << 64))
        return result

    def _unary(self) -> int:
        signs: list[str] = []
        while sign := self._take("+", "-", "!", "~", "++", "--"):
            signs.append(sign)
        result = self._atom(step=signs.pop() if signs and signs[-1] in ("++", "--") else "")
        for sign in reversed(signs):
            if sign == "!":
                result = int(not result)
            elif sign in ("-", "~"):
                result = _wrapped(-result if sign == "-" else ~result)
        return result

    def _atom(self, step: str) -> int:
        if self._take("("):
            result = self._comma()
            if not self._take(")"):
                raise MathError("`)` is missing")
            return result
        token = self._peek()
        self.at += 1
        if token[:1].isdigit():
            return _wrapped(number(token))
        if not (token[:1].isalpha() or token[:1] == "_"):
            raise MathError("a value is missing")
        before = self.read(token)
        after = self._take("++", "--") if not step else ""
        if not (step or after):
            return before
        changed = _wrapped(before + (1 if (step or after) == "++" else -1))
        self.write(token, changed)
        return changed if step else before


def _operate(operator: str, left: int, right: int) -> int:
    if operator in ("/", "%"):
        if right == 0:
            raise MathError("division by 0")
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return _wrapped(quotient if operator == "/" else left - quotient * right)
    if operator in ("<<", ">>"):
        return _wrapped(left << (right & 63) if operator == "<<" else left >> (right & 63))
    results: dict[str, Callable[[], int]] = {
        "||": lambda: int(bool(left or right)),
        "&&": lambda: int(bool(left and right)),
        "|": lambda: left | right,
        "^": lambda: left ^ right,
        "&": lambda: left & right,
        "==": lambda: int(left == right),
        "!=": lambda: int(left != right),
        "<": lambda: int(left < right),
        ">": lambda: int(left > right),
        "<=": lambda: int(left <= right),
        ">=": lambda: int(left >= right),
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
    }
    return _wrapped(results[operator]())


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise MathError(f"unexpected {text[at : at + 10]}")
        tokens.append(match[1] or match[2] or match[3])
        at = match.end()
        if len(tokens) > _MAX_TOKENS:
            raise MathError("it is too long")
    return tokens
