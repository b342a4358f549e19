"""Telling a real secret from a made-up one: placeholders, sequences, words."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

_WORDS = re.compile(
    r"example|sample|dummy|fake|placeholder|chang|replace|insert|your|xxx|secret|token|passw"
    r"|redact|todo|demo|test|mock|qwerty|foobar|deadbeef|c0ffee|not[_-]?real|invalid|here|\.\.\."
    r"|default|local|dev[_-]|insecure|unsafe|build|super|hackathon|prod|jwt|key|my[_-]|random",
    re.IGNORECASE,
)
"""Words by which people fill in what is none."""

_RUN = re.compile(r"(.)\1{4}")
_HEX = re.compile(r"[0-9a-fA-F-]+")


def looks_random(text: str, least: int = 16) -> bool:
    """Whether a text is long and mixed enough to have been drawn at random."""
    if len(text) < least or _RUN.search(text) or _WORDS.search(text):
        return False
    if _share_of_steps(text.lower()) > 0.3:
        return False
    if _HEX.fullmatch(text):
        digits = sum(char.isdigit() for char in text)
        return 0 < digits < len(text) and len(set(text)) >= 8 and entropy(text) >= 2.7
    kinds = (str.islower, str.isupper, str.isdigit)
    if sum(any(kind(char) for char in text) for kind in kinds) < 2:
        return False
    return len(set(text)) >= min(12, len(text) * 0.5) and entropy(text) >= 3.0


def entropy(text: str) -> float:
    """Shannon's entropy of the characters, in bits each."""
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values())


def _share_of_steps(text: str) -> float:
    """How much of a text goes up or down by one from character to character: `abcd`, `4321`."""
    pairs = list(pairwise(text))
    steps = sum(1 for a, b in pairs if abs(ord(a) - ord(b)) == 1)
    return steps / len(pairs) if pairs else 0.0
