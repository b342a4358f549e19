"""What the keys of the front matter must hold, and which of them do nothing in a Docker Space."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from hfcheck.source import Place
from hfcheck.space.site.card import Card, CardValue

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Grade = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class CardFault:
    """A key or value of the front matter that is not as it must be. `grade` is as sure as the
    evidence is: "error" where the Hub is known to refuse it.
    """

    key: str
    message: str
    place: Place
    fix: str
    grade: Grade = "warning"


@cache
def _table(name: str) -> dict[str, Any]:
    file = Path(__file__).with_name(f"{name}.yaml")
    table: dict[str, Any] = yaml.load(file.read_text("utf-8"), _Loader)
    return table


def value_faults(card: Card) -> Iterator[CardFault]:
    """The values that the Hub refuses, or documents in another way."""
    for key, wanted in _table("cardkeys")["known"].items():
        value = card.values.get(key)
        kind = wanted.get("type")
        if value is None or kind is None or (value.kind == "null" and value.place.text):
            continue
        if value.kind == "null":
            yield from _empty(key, value, wanted)
            continue
        yield from _TESTS[kind](key, value, wanted)


def _empty(key: str, value: CardValue, wanted: Mapping[str, Any]) -> Iterator[CardFault]:
    """`colorFrom: #ff0000` has no value: what follows ` #` is a comment."""
    line = value.key.source.text[value.key.span.end :].split("\n", 1)[0]
    if "one_of" in wanted and re.match(r"\s*:\s+#", line):
        message = f"`{key}` has no value: YAML takes what follows the `#` for a comment"
        yield CardFault(key, message, value.key, f"Write one of {_listed(wanted['one_of'])}.")


def _where(value: CardValue) -> Place:
    return value.place if value.place.text else value.key


def _shown(value: CardValue) -> str:
    return f"`{value.text}`" if value.text is not None else f"a {_KINDS[value.kind]}"


_KINDS = {"list": "list", "map": "mapping"}


def _listed(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


_Test = Callable[[str, CardValue, Mapping[str, Any]], Iterator[CardFault]]


def _string(key: str, value: CardValue, wanted: Mapping[str, Any]) -> Iterator[CardFault]:
    grade: Grade = "error" if wanted.get("refused") else "warning"
    choice, longest = wanted.get("one_of"), wanted.get("longest")
    if choice is not None and value.text not in choice:
        message = f"`{key}` must be one of {_listed(choice)}, not {_shown(value)}"
        near = next((word for word in choice if word == str(value.text).strip().lower()), None)
        fix = f"Write `{key}: {near}`." if near else "Choose one of these."
        yield CardFault(key, message, _where(value), fix, grade)
    elif longest is not None and value.text is not None:
        length = utf16_length(value.text)
        if length > longest:
            message = f"`{key}` has {length} characters; the Hub takes at most {longest}"
            yield CardFault(key, message, _where(value), "Shorten it.", grade)


def utf16_length(text: str) -> int:
    """The length of a text as JavaScript counts it: an emoji often has two units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _boolean(key: str, value: CardValue, wanted: Mapping[str, Any]) -> Iterator[CardFault]:
    if value.kind == "bool":
        return
    text = (value.text or "").strip().lower()
    meant = {"true": "true", "yes": "true", "on": "true", "1": "true"}
    meant |= {"false": "false", "no": "false", "off": "false", "0": "false"}
    fix = f"Write `{key}: {meant[text]}`." if text in meant else "Write `true` or `false`."
    if value.quoted and text in ("true", "false"):
        message = f"`{key}` is text in quotes; the Hub documents a boolean"
        yield CardFault(key, message, _where(value), fix, "info")
    else:
        message = f"`{key}` must be `true` or `false`, not {_shown(value)}"
        yield CardFault(key, message, _where(value), fix)


def _integer(key: str, value: CardValue, wanted: Mapping[str, Any]) -> Iterator[CardFault]:
    text = value.text or ""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
    most = wanted["most"]
    if number is None or not 1 <= number <= most:
        message = f"`{key}` must be a whole number from 1 to {most}, not {_shown(value)}"
        yield CardFault(key, message, _where(value), "Write plain digits in this range.")


def _list(key: str, value: CardValue, wanted: Mapping[str, Any]) -> Iterator[CardFault]:
    if value.kind == "list":
        return
    message = f"`{key}` must be a list, not {_shown(value)}"
    parts = [part.strip() for part in (value.text or "").split(",") if part.strip()]
    fix = f"Write `{key}: [{', '.join(parts)}]`." if parts else "Write one `- ` line an entry."
    yield CardFault(key, message, _where(value), fix)


def _emoji(key: str, value: CardValue, wanted: Mapping[str, Any]) -> Iterator[CardFault]:
    if value.text is None or not is_emoji(value.text):
        message = f"`{key}` must be an emoji itself, not {_shown(value)}"
        yield CardFault(
            key, message, _where(value), "Write the emoji character, as in `emoji: 🚀`."
        )


def is_emoji(text: str) -> bool:
    """Whether a text may be one emoji or more. What Unicode counts as a letter or punctuation of
    ASCII is none, unless the enclosing keycap follows; newer characters are let pass.
    """
    plain = re.sub("[0-9#*]\ufe0f?\u20e3", "", text)
    return bool(text.strip()) and not any(
        char.isalnum() or (char.isascii() and not char.isspace()) for char in plain
    )


def _path(key: str, value: CardValue, wanted: Mapping[str, Any]) -> Iterator[CardFault]:
    if value.text is None or not value.text.startswith("/"):
        message = f"`{key}` must start with `/`, not {_shown(value)}"
        near = "/" + (value.text or "").removeprefix(".").lstrip("/")
        whole = value.text is None or "://" in value.text
        fix = "Write the path alone, as in `/docs`." if whole else f"Write `{key}: {near}`."
        yield CardFault(key, message, _where(value), fix)


_DURATION = re.compile(
    r"(?:\d{1,9}(?:\.\d{1,9})?\s{0,4}(?:ms|milli|s|m|h|d|w)[a-z]{0,12}[\s,]{0,4}){1,6}",
    re.IGNORECASE,
)


def _duration(key: str, value: CardValue, wanted: Mapping[str, Any]) -> Iterator[CardFault]:
    text = (value.text or "").strip()
    if _DURATION.fullmatch(text):
        return
    message = f"`{key}` must be a number with its unit, as in `30m` or `1h`, not {_shown(value)}"
    fix = f"Write `{key}: {text}m` for minutes." if text.isdecimal() else "Write it like `1h`."
    yield CardFault(key, message, _where(value), fix)


def _headers(key: str, value: CardValue, wanted: Mapping[str, Any]) -> Iterator[CardFault]:
    allowed: dict[str, list[str]] = _table("cardkeys")["headers"]
    if value.kind != "map":
        message = f"`{key}` must map names of headers to values, not {_shown(value)}"
        fix = "Write one indented `name: value` line a header."
        yield CardFault(key, message, _where(value), fix)
        return
    for item in value.items:
        name = item.key.text.strip("\"'")
        if name in allowed:
            if item.text not in allowed[name]:
                message = f"`{name}` must be one of {_listed(allowed[name])}, not {_shown(item)}"
                yield CardFault(key, message, _where(item), "Choose one of these.")
        elif name.lower() in allowed:
            message = f"the name of a custom header must be in lower case, not `{name}`"
            yield CardFault(key, message, item.key, f"Write `{name.lower()}`.")
        else:
            message = f"`{key}` can't set `{name}`: the Hub takes only {_listed(list(allowed))}"
            fix = "Send this header from the application itself."
            yield CardFault(key, message, item.key, fix)


_TESTS: dict[str, _Test] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "list": _list,
    "map": _headers,
    "emoji": _emoji,
    "path": _path,
    "duration": _duration,
}


def is_zero_gpu(text: str) -> bool:
    """Whether a name of hardware means ZeroGPU."""
    return text.strip().lower() in _table("hardware")["zero"]


def hardware_fault(card: Card) -> CardFault | None:
    """What is wrong with `suggested_hardware`, where the Hub has no such hardware."""
    value = card.values.get("suggested_hardware")
    table = _table("hardware")
    if value is None or value.text is None or value.kind == "null" or is_zero_gpu(value.text):
        return None
    if value.text in (*table["current"], *table["elsewhere"]):
        return None
    gone = value.text.lower() in table["gone"]
    message = f"the Hub {'no longer has the' if gone else 'has no'} hardware `{value.text}`"
    near = None if gone else _similar(value.text, table["current"])
    fix = f"Write `suggested_hardware: {near}`." if near else None
    fix = fix or f"Choose one of {_listed(table['current'])}, or leave the key out."
    return CardFault("suggested_hardware", message, value.place, fix)


def _similar(text: str, words: list[str]) -> str | None:
    from difflib import get_close_matches  # needed by few runs

    tidy = re.sub(r"[\s_]+", "-", text.strip().lower())[:60]
    return next(iter(get_close_matches(tidy, words, 1, 0.75)), None)


def idle_keys(card: Card) -> Iterator[CardFault]:
    """The keys that do nothing in a Docker Space: those of other SDKs, and those that the Hub does
    not know though they look as if they did something.
    """
    table = _table("cardkeys")
    tidied = {_tidy(name): name for name in table["known"]}
    for key, value in card.values.items():
        if key in table["other_sdks"]:
            message = f"`{key}` has no effect here: it is {table['other_sdks'][key]}"
            yield CardFault(key, message, value.key, f"Take `{key}` out.", "info")
        elif key not in table["known"]:
            entry = table["unknown"].get(key.lower().replace("-", "_"))
            meant = tidied.get(_tidy(key))
            if entry is None and meant is not None:
                entry = {"means": meant, "changes": True}
            if entry is not None:
                yield _unknown_key(card, key, value, entry)


def _tidy(key: str) -> str:
    return re.sub(r"[\s_-]", "", key).lower().replace("colour", "color")


def _unknown_key(card: Card, key: str, value: CardValue, entry: Mapping[str, Any]) -> CardFault:
    meant = entry.get("means")
    message = f"the Hub does not know the key `{key}`, so it has no effect"
    if meant is not None:
        message += f"; the key is `{meant}`"
        fix = f"Write `{meant}`" + (f" instead of `{key}`." if meant not in card.values else ".")
        if meant in card.values:
            fix = f"Take `{key}` out: `{meant}` is there."
    else:
        fix = f"Take it out, and use {entry['instead']}."
    return CardFault(key, message, value.key, fix, _grade(card, value, entry))


def _grade(card: Card, value: CardValue, entry: Mapping[str, Any]) -> Grade:
    """A warning where the Space would run differently if the key had the effect it seems to."""
    meant = entry.get("means")
    if not entry.get("changes") or meant in card.values:
        return "info"
    if meant == "app_port" and value.text == str(card.app_port):
        return "info"
    return "info" if value.text in ("Dockerfile", "./Dockerfile", "") else "warning"


_VERSION_KEYS = ("python_version", "sdk_version")


def shortened_versions(card: Card) -> Iterator[tuple[CardValue, str]]:
    """The versions that YAML reads as another number: `3.10` is 3.1."""
    for key in _VERSION_KEYS:
        value = card.values.get(key)
        if value is None or value.text is None or value.kind != "float":
            continue
        if re.fullmatch(r"[0-9]+\.[0-9]*0", value.text):
            whole, _, rest = value.text.partition(".")
            rest = rest.rstrip("0")
            yield value, f"{int(whole)}.{rest}" if rest else str(int(whole))
