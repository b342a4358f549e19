"""Nothing secret and nothing that could steer a terminal leaves in a quoted line."""

from __future__ import annotations

import re

_SECRET = r"(?:secret|token|passw|pwd|api[_-]?key|private[_-]?key|credential)"

_NAMED = re.compile(
    rf"(?i)[a-z0-9_]{{0,60}}{_SECRET}[a-z0-9_]{{0,60}}[\"']?\s{{0,4}}(?:=|:)\s{{0,4}}"
)
_FLAG = re.compile(rf"(?i)--[a-z0-9-]{{0,60}}{_SECRET}[a-z0-9-]{{0,60}}[\"']?[\s,=]{{1,6}}")
_VALUE = re.compile(r"\"[^\"\n]+\"|'[^'\n]+'|[^\s\"',;(){}\[\]]+")
_URL_PASSWORD = re.compile(r"(://[^\s:/@\"']{0,80}:)([^\s@/\"']{1,200})(@)")
_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|gh[oprsu]_[A-Za-z0-9]{20,}|A[KS]IA[A-Z0-9]{12,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|(?:npm|gsk|r8|pcsk|lsv2_pt|lsv2_sk|sb_secret|[rs]k_live)_[A-Za-z0-9_-]{16,}"
    r"|(?:glpat|xai|tvly|pplx)-[A-Za-z0-9_-]{16,}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{16,}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|[0-9]{8,10}:AA[A-Za-z0-9_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*)"
)
_CODE = re.compile(r"[A-Za-z_][\w.]*(?:\(|\[|\s*\||\s*=|\s*$)|\$")
_WORDS_OF_CODE = frozenset({"None", "True", "False", "str", "int", "bool", "SecretStr"})


def masked(text: str) -> str:
    """The text with what looks like a secret's value starred out, length and columns kept."""
    text = _URL_PASSWORD.sub(lambda m: m[1] + "*" * len(m[2]) + m[3], text)
    text = _TOKEN.sub(lambda m: m[0][:3] + "*" * (len(m[0]) - 3), text)
    return _mask_behind(_FLAG, _mask_behind(_NAMED, text))


def _mask_behind(names: re.Pattern[str], text: str) -> str:
    """Star out the value behind a name like `SECRET_KEY=` or a flag; code and annotations stay."""
    pieces: list[str] = []
    position = 0
    for name in names.finditer(text):
        if name.end() < position:
            continue
        value = _VALUE.match(text, name.end())
        if value is None or _is_code(value[0], text, value.end(), name[0]):
            continue
        pieces.append(text[position : value.start()])
        quoted = value[0][0] in "\"'"
        stars = "*" * (len(value[0]) - 2) if quoted else "*" * len(value[0])
        pieces.append(f"{value[0][0]}{stars}{value[0][-1]}" if quoted else stars)
        position = value.end()
    return "".join(pieces) + text[position:]


def _is_code(value: str, text: str, end: int, name: str) -> bool:
    if value[0] in "\"'":
        return False
    if value.startswith("$") or value in _WORDS_OF_CODE:
        return True
    spaced = name.rstrip() != name or ":" in name[-3:]
    return spaced and _CODE.match(value + text[end : end + 1]) is not None


_DANGEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def harmless(text: str) -> str:
    """The text with control and bidirectional characters replaced, one for one."""
    return _DANGEROUS.sub("\N{REPLACEMENT CHARACTER}", text)


def shown(text: str) -> str:
    """Text that may be shown: secrets starred out, control characters replaced."""
    return masked(harmless(text))


def shown_values(data: object) -> object:
    """JSON-ready data with every text in it as `shown` gives it; behind a flag that takes a secret
    the next word of a list is starred out too.
    """
    if isinstance(data, str):
        return shown(data)
    if isinstance(data, dict):
        return {key: shown_values(value) for key, value in data.items()}
    if isinstance(data, list):
        flags = [isinstance(item, str) and _FLAG.fullmatch(f"{item} ") for item in data]
        return [
            "*" * len(item) if flag and isinstance(item, str) else shown_values(item)
            for item, flag in zip(data, [None, *flags], strict=False)
        ]
    return data
