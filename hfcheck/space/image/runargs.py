"""The words of a command in a RUN: its options and its other arguments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arg:
    """A word of a command after expansion; `text` None where it can't be known. `pattern`: it has
    an unquoted `*`, `?` or `[`.
    """

    text: str | None
    pattern: bool = False


def split(args: list[Arg], valued: str = "") -> tuple[dict[str, str | None], list[Arg]]:
    """Options and other words. `valued` are the options that take the next word."""
    takes = valued.split()
    options: dict[str, str | None] = {}
    words: list[Arg] = []
    rest = iter(args)
    for arg in rest:
        text = arg.text
        if text is None or not text.startswith("-") or text == "-":
            words.append(arg)
        elif text == "--":
            words += rest
        elif text in takes:
            following = next(rest, None)
            options[text] = following.text if following else None
        elif text.startswith("--"):
            name, equals, value = text.partition("=")
            options[name] = value if equals else ""
        else:
            short = next((o for o in takes if len(o) == 2 and text.startswith(o)), None)
            if short:
                options[short] = text[2:]
            else:
                options.update({f"-{letter}": "" for letter in text[1:]})
    return options, words


def has(options: dict[str, str | None], *names: str) -> bool:
    """Whether one of these options is given."""
    return any(name in options for name in names)
