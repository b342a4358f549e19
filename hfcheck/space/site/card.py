"""README.md front matter, read as the Hub reads it, with positions.

The Hub finds the block with one regular expression (huggingface_hub keeps a copy of it in
`repocard.py` as `REGEX_YAML_BLOCK`) and loads it with a YAML 1.2 reader in JavaScript, whose
messages are those of js-yaml. Where PyYAML differs (YAML 1.1 scalars, tabs, line separators) the
text is met as js-yaml meets it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import yaml
from yaml.error import MarkedYAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from hfcheck.source import Place, ReadProblem, SourceFile, Span

DEFAULT_PORT = 7860
"""The port of a Docker Space without `app_port` (Hub docs, Spaces configuration reference)."""

BLOCK = re.compile(r"^(\s*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(\r\n|\n|$))")
"""The Hub's own expression for front matter (huggingface_hub 2.4.0, `repocard.py`)."""

MAX_BLOCK = 64 << 10
"""Longest block that is read, in characters; a real one has a few hundred."""

MAX_NODES = 10_000
"""Most YAML nodes of one block, aliases counted each time they are used."""

KNOWN_KEYS = frozenset({"title", "emoji", "colorFrom", "colorTo", "sdk", "app_port", "pinned"})
"""Keys by which a Space's front matter is recognised where the Hub would not see it."""


@dataclass(frozen=True, slots=True)
class CardValue:
    """One top-level key: the key's place, the value's place, the scalar text as written (None for
    a list or mapping), its YAML 1.2-core tag as a short name (`str int float bool null list map`),
    its plain Python form (nested for lists and maps; scalars of lists as text), and whether a
    scalar stands in quotes. `items` are the values directly in a list or mapping, each with the
    place of its key (in a list: its own).
    """

    key: Place
    place: Place
    text: str | None
    kind: str
    plain: object
    quoted: bool = False
    items: tuple[CardValue, ...] = ()


@dataclass(frozen=True, slots=True)
class CardProblem:
    """Why the front matter is no valid mapping, where, and the edit that mends it (may be "")."""

    message: str
    place: Place
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """The front matter of a README.

    `status`: "absent" (no README), "unread" (a README that can't be read as text, or a block past
    the limits: nothing is known; `problem` says why), "missing" (README without a block that the
    Hub's expression finds), "kept" (the same, where a script leaves the README on the Hub as it
    is, or writes it in a way that is not followed), "invalid" (a block that is no YAML mapping;
    `problem` says why), or "ok".
    `near_miss` says for "missing" what keeps an existing block from counting (a fence, text
    before it, spaces after the opening dashes, no closing dashes, ...), with its place.
    `doubts` are things that the Hub may or may not accept: a byte-order mark, a repeated key.
    `opening` is the place of the opening dashes, `block` that of the YAML text.
    """

    source: SourceFile | None
    status: str
    values: Mapping[str, CardValue]
    block: Place | None = None
    problem: CardProblem | None = None
    near_miss: CardProblem | None = None
    doubts: tuple[CardProblem, ...] = ()
    opening: Place | None = None

    @property
    def app_port(self) -> int | None:
        """The port that the Space publishes: 7860 when the key is absent, None when it is invalid
        or can't be known.
        """
        if self.status in ("invalid", "unread", "kept"):
            return None
        value = self.values.get("app_port")
        return DEFAULT_PORT if value is None else port_number(value)

    @property
    def sdk(self) -> str | None:
        """The `sdk` as text, None where there is none."""
        value = self.values.get("sdk")
        return value.text if value else None

    @property
    def says_sdk(self) -> bool:
        """Whether this is a Space's front matter: a block with an `sdk` key, valid or not."""
        if self.status == "invalid" and self.block is not None:
            return re.search(r"^sdk[ \t]*:", self.block.text, re.MULTILINE) is not None
        return "sdk" in self.values


_FLOAT_NAMES = re.compile(r"\.(?:inf|nan)", re.IGNORECASE)


def port_number(value: CardValue) -> int | None:
    """The port that an `app_port` value means; None where it is no port.

    A quoted number and `7860.0` count as the number: the Hub's validation messages are those of
    Joi, whose number type accepts both.
    """
    text = value.text
    if text is None or len(text) > 20:
        return None
    if value.kind == "int":
        number = float(int(text) if text.lstrip("+-").isdecimal() else int(text, 0))
    elif value.kind == "float" or re.fullmatch(r"[0-9]+", text):
        number = float(_FLOAT_NAMES.sub(lambda m: m[0][1:], text))
    else:
        return None
    return int(number) if number.is_integer() and 1 <= number <= 65535 else None


def read_card(source: SourceFile | ReadProblem | None, rows: Sequence[Span] = ()) -> Card:
    """Read the front matter of a README (None: there is no README).

    `rows` are the lines of a README that stands inside another file (a here-document of a
    workflow), as spans of `source`. Never raises: what is wrong becomes the card's status.
    """
    if source is None:
        return Card(None, "absent", {})
    if isinstance(source, ReadProblem):
        place = source.where or SourceFile(source.path, "").place()
        return Card(place.source, "unread", {}, problem=CardProblem(source.reason, place))
    text = _Text(source, rows)
    match = BLOCK.search(text.text)
    if match is None:
        return Card(source, "missing", {}, near_miss=_near_miss(text))
    start, end = match.span(2)
    dashes = match.end(1) - len(match[1].lstrip())
    opening = text.place(dashes, dashes + 3)
    card = _read_block(text, start, end, opening)
    if not source.bom or rows:
        return card
    doubt = CardProblem(
        "a byte-order mark stands before the front matter",
        opening,
        "Save README.md as UTF-8 without a byte-order mark.",
    )
    return replace(card, doubts=(doubt, *card.doubts))


class _Text:
    """The text of a README and where each character of it stands in its file."""

    def __init__(self, source: SourceFile, rows: Sequence[Span]) -> None:
        self.source = source
        self._rows = rows
        self.text = "\n".join(source.slice(row) for row in rows) if rows else source.text
        self._starts: list[int] = []
        start = 0
        for row in rows:
            self._starts.append(start)
            start += row.end - row.start + 1

    def offset(self, index: int) -> int:
        """The offset in the file of a character of the text."""
        if not self._rows:
            return index
        row = max(bisect_right(self._starts, index) - 1, 0)
        return min(self._rows[row].start + index - self._starts[row], self._rows[row].end)

    def place(self, start: int, end: int) -> Place:
        """The place in the file of a range of the text."""
        first = self.offset(start)
        return self.source.place(first, max(first, self.offset(end)))


class _Overflow(Exception):
    """The block has more nodes than `MAX_NODES`."""


class _Loader(yaml.SafeLoader):
    """Composes nodes only: plain scalars keep the tag `?`, nodes are counted."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.count = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        self.count += 1
        if self.count > MAX_NODES:
            raise _Overflow
        return super().compose_node(parent, index)

    def resolve(self, kind: type[Node], value: str | None, implicit: object) -> str:
        if kind is ScalarNode:
            return "?" if isinstance(implicit, tuple) and implicit[0] else "str"
        return "list" if kind is SequenceNode else "map"


def _read_block(text: _Text, start: int, end: int, opening: Place) -> Card:
    block = text.place(start, end)
    source = text.source
    if end - start > MAX_BLOCK:
        problem = CardProblem(f"its front matter is longer than {MAX_BLOCK >> 10} KiB", opening)
        return Card(source, "unread", {}, block, problem, opening=opening)
    yaml_text = text.text[start:end]
    try:
        root = yaml.compose(_as_js_yaml(yaml_text), _Loader)
    except (_Overflow, RecursionError):
        problem = CardProblem("its front matter has too many parts, or too deep ones", opening)
        return Card(source, "unread", {}, block, problem, opening=opening)
    except (yaml.YAMLError, ValueError) as error:
        problem = _yaml_problem(error, text, start, end)
        if problem.message.endswith(_NOT_YAML_1_2):
            return Card(source, "unread", {}, block, problem, opening=opening)
        return Card(source, "invalid", {}, block, problem, opening=opening)
    if not isinstance(root, MappingNode):
        problem = CardProblem(_not_a_mapping(root), block if yaml_text.strip() else opening)
        return Card(source, "invalid", {}, block, problem, opening=opening)
    values: dict[str, CardValue] = {}
    doubts: list[CardProblem] = []
    budget = [MAX_NODES]
    for key, node in root.value:
        if not isinstance(key, ScalarNode):
            continue
        key_place = _node_place(text, start, key)
        if key.value in values:
            twice = f"the key `{key.value}` is given twice"
            doubts.append(CardProblem(twice, key_place, "Keep one of the two lines."))
        values[key.value] = _card_value(text, start, key_place, node, budget)
    return Card(source, "ok", values, block, doubts=tuple(doubts), opening=opening)


def _as_js_yaml(text: str) -> str:
    """The text with what PyYAML refuses and js-yaml takes put right, character by character: tabs
    that do not indent, and the line separators that only YAML 1.1 knows.
    """
    if "\t" in text:
        text = re.sub(r"(?<=[^\s])[ \t]+", lambda match: " " * len(match[0]), text)
    return text.translate({0x85: " ", 0x2028: " ", 0x2029: " "})


def _not_a_mapping(root: Node | None) -> str:
    if root is None:
        return "the front matter is empty"
    kind = "a list" if isinstance(root, SequenceNode) else "a single value"
    return f"the front matter is {kind}, not keys with values"


_PLAIN_WORDS = {
    "mapping values are not allowed here": "a second colon in a value, or a wrong indentation",
    "found unexpected end of stream": "a quote that is never closed",
}
"""PyYAML's words for the commonest faults, said so that they tell what to mend."""


_NOT_YAML_1_2 = ("but got '?'", "but found ':'", "but found '?'")
"""Ends of messages for what only YAML 1.1 refuses: `[what?, :x]` is a list of two words in 1.2."""


def _yaml_problem(error: Exception, text: _Text, start: int, end: int) -> CardProblem:
    """The fault in words, at the character where YAML stops."""
    message, index = "it is no valid YAML", 0
    if isinstance(error, MarkedYAMLError):
        message = error.problem or error.context or message
        mark = error.problem_mark or error.context_mark
        if error.context_mark and mark and start + mark.index >= end:
            mark = error.context_mark
        index = mark.index if mark else 0
    elif isinstance(error, ReaderError):
        character = error.character
        code = character if isinstance(character, int) else ord(str(character)[:1] or "\0")
        message, index = f"the character U+{code:04X} is not allowed", int(error.position)
    at = min(start + index, end)
    line_end = _LINE_END.search(text.text, at)
    stop = min(line_end.start() if line_end else end, end)
    return CardProblem(_PLAIN_WORDS.get(message, message), text.place(at, max(stop, at)))


_LINE_END = re.compile(r"[\r\n]|$")


def _node_place(text: _Text, start: int, node: Node) -> Place:
    first, last = start + node.start_mark.index, start + node.end_mark.index
    while last > first and text.text[last - 1].isspace():
        last -= 1  # PyYAML ends a block collection where the next token starts
    return text.place(first, last)


def _card_value(
    text: _Text, start: int, key: Place, node: Node, items: list[int] | None = None
) -> CardValue:
    """A value; `items` is how many values inside of lists and mappings are still told."""
    place = _node_place(text, start, node)
    if isinstance(node, ScalarNode):
        kind = _kind(node)
        return CardValue(key, place, node.value, kind, node.value, node.style in ("'", '"'))
    kind = "list" if isinstance(node, SequenceNode) else "map"
    budget = [MAX_NODES]
    try:
        plain = _plain(node, budget)
    except (_Overflow, RecursionError):
        plain = None
    return CardValue(key, place, None, kind, plain, items=_items(text, start, node, items))


def _items(text: _Text, start: int, node: Node, left: list[int] | None) -> tuple[CardValue, ...]:
    """The values directly in a list or mapping, as long as there are not too many."""
    pairs = node.value if isinstance(node, MappingNode) else [(item, item) for item in node.value]
    if left is None or len(pairs) > left[0]:
        return ()
    left[0] -= len(pairs)
    return tuple(
        _card_value(text, start, _node_place(text, start, key), value) for key, value in pairs
    )


def _plain(node: Node, budget: list[int]) -> object:
    budget[0] -= 1
    if budget[0] < 0:
        raise _Overflow
    if isinstance(node, SequenceNode):
        return [_plain(item, budget) for item in node.value]
    if isinstance(node, MappingNode):
        return {
            key.value: _plain(item, budget)
            for key, item in node.value
            if isinstance(key, ScalarNode)
        }
    return node.value


_CORE = (
    ("null", re.compile(r"~|null|Null|NULL|")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?(?:0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+|[0-9]+)")),
    (
        "float",
        re.compile(
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
    ),
)
"""The scalars of the YAML 1.2 core schema (YAML 1.2.2, 10.3.2), with js-yaml's signed hex."""


def _kind(node: ScalarNode) -> str:
    tag = str(node.tag)
    if tag != "?":
        return tag.removeprefix("tag:yaml.org,2002:")
    for kind, pattern in _CORE:
        if pattern.fullmatch(node.value):
            return kind
    return "str"


_HEAD_LINES = 400
"""How many lines of a README are looked at for front matter that the Hub does not see."""

_KEY_LINE = re.compile(r"([A-Za-z_]\w{0,40})[ \t]*:(?:[ \t]|$)")
_SDK_LINE = re.compile(r"sdk[ \t]*:[ \t]*[\"']?(?:docker|gradio|static|streamlit)\b")


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    text: str

    @property
    def bare(self) -> str:
        return self.text.strip()

    def is_key(self) -> bool:
        return _KEY_LINE.match(self.text) is not None


def _head(text: str) -> list[_Line]:
    lines = []
    for match in re.finditer(r"([^\r\n]*)(?:\r\n|\r|\n|$)", text):
        lines.append(_Line(match.start(), match[1]))
        if len(lines) == _HEAD_LINES or match.end() == len(text):
            break
    return lines


def _near_miss(text: _Text) -> CardProblem | None:
    """What keeps front matter that a person sees from being front matter for the Hub."""
    lines = _head(text.text)
    first = next((i for i, line in enumerate(lines) if line.bare), None)
    if first is None:
        return None
    line = lines[first]
    if re.fullmatch(r"[-\u2010-\u2015\u2212]{2,}", line.bare) and _keys_follow(lines, first):
        return _broken_block(text, lines, first)
    return _hidden_block(text, lines, first)


_LONE_CR = re.compile(r"\r(?!\n)")


def _keys_follow(lines: list[_Line], index: int) -> bool:
    following = [line for line in lines[index + 1 : index + 6] if line.bare]
    return bool(following) and (following[0].is_key() or following[0].bare == "---")


def _broken_block(text: _Text, lines: list[_Line], first: int) -> CardProblem:
    """The README starts with dashes and keys, and still has no block."""
    opening = lines[first]
    start = opening.start + len(opening.text) - len(opening.text.lstrip())
    dashes = text.place(start, start + len(opening.bare))
    if opening.bare != "---":
        return CardProblem(
            "the opening line must be exactly three dashes", dashes, "Make the line exactly `---`."
        )
    tail = opening.text[len(opening.text.rstrip()) :]
    if tail:
        end = opening.start + len(opening.text)
        place = text.place(end - len(tail), end)
        return CardProblem("spaces follow the opening dashes", place, "Remove them.")
    for line in lines[first + 1 :]:
        if line.bare != "---":
            continue
        place = text.place(line.start, line.start + len(line.text))
        if not line.text.startswith("---"):
            fix = "Move the dashes to the start of the line."
            return CardProblem("the closing dashes are indented", place, fix)
        if line is lines[first + 1]:
            fix = "Put `sdk: docker` between the dashes."
            return CardProblem("the block between the dashes is empty", place, fix)
        if _LONE_CR.match(text.text, line.start + len(line.text)):
            all_old = _LONE_CR.match(text.text, opening.start + len(opening.text))
            fix = "Save README.md with LF line ends."
            what = "the lines end in a carriage return alone, which does not close the block"
            return CardProblem(what, dashes if all_old else place, fix)
        fix = "Make the line exactly `---`."
        return CardProblem("something invisible follows the closing dashes", place, fix)
    fix = "Add a line `---` after the last key."
    return CardProblem("no line of three dashes closes the block", dashes, fix)


def _hidden_block(text: _Text, lines: list[_Line], first: int) -> CardProblem | None:
    """A block, or its keys without dashes, that something else stands before."""
    sdk = next((i for i, line in enumerate(lines) if _SDK_LINE.match(line.bare)), None)
    if sdk is None:
        return None
    start = sdk
    while start > first and _KEY_LINE.match(lines[start - 1].bare):
        start -= 1
    named = {m[1] for line in lines[start : sdk + 12] if (m := _KEY_LINE.match(line.bare))}
    if len(named & KNOWN_KEYS) < 2:
        return None
    dashed = start > 0 and lines[start - 1].bare == "---"
    top = start - 1 if dashed else start
    fence = _open_fence(lines, top)
    if fence is not None:
        place = text.place(fence.start, fence.start + len(fence.text))
        fix = "Put the block at the very top of README.md, between lines `---`, without the fence."
        return CardProblem("the block stands in a code fence", place, fix)
    if not dashed:
        line = lines[start]
        place = text.place(line.start, line.start + len(line.text))
        fix = "Put a line `---` before the keys and one after them, at the very top of README.md."
        return CardProblem("the keys stand without lines of three dashes around them", place, fix)
    line = lines[first]
    what = "a comment" if line.bare.startswith("<!--") else "text"
    what = "a heading" if line.bare.startswith("#") else what
    place = text.place(line.start, line.start + len(line.text))
    fix = "Move the block to the very top of README.md."
    return CardProblem(f"{what} stands before the block, which must come first", place, fix)


def _open_fence(lines: list[_Line], index: int) -> _Line | None:
    """The line that opens the code fence around a line, if there is one."""
    fence: _Line | None = None
    for line in lines[:index]:
        if line.bare.startswith(("```", "~~~")):
            fence = None if fence else line
    return fence
