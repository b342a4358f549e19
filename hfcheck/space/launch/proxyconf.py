"""nginx and Caddy: which ports their configurations open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hfcheck.source import Place, SourceFile
from hfcheck.space.docker.baseimages import repository
from hfcheck.space.image.entries import Absent, ImageFile
from hfcheck.space.image.image import Image
from hfcheck.space.launch.address import port_number
from hfcheck.space.launch.configfiles import matching, read
from hfcheck.space.launch.process import (
    Listener,
    Stopped,
    env_value,
    folder_of,
    in_folder,
    name_of,
    word_text,
)
from hfcheck.space.shell.host import Call, Unclear
from hfcheck.space.value import Known, Origin, Unknown, Value

_MOST_INCLUDED = 60


# nginx


@dataclass(frozen=True, slots=True)
class _Directive:
    words: tuple[tuple[str, Place], ...]
    depth: tuple[str, ...]


_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[{};]|#[^\n]*|[^\s{};]+")


def _directives(source: SourceFile) -> Iterator[_Directive]:
    """The simple directives of an nginx file, with the names of the blocks around them."""
    words: list[tuple[str, Place]] = []
    blocks: list[str] = []
    for match in _TOKEN.finditer(source.text):
        token = match.group()
        if token.startswith("#"):
            continue
        if token == "{":
            blocks.append(words[0][0] if words else "")
            words = []
        elif token == "}":
            if blocks:
                blocks.pop()
            words = []
        elif token == ";":
            if words:
                yield _Directive(tuple(words), tuple(blocks))
            words = []
        else:
            words.append((token.strip("\"'"), source.place(*match.span())))


def _nginx(image: Image, call: Call) -> list[Listener] | Unclear | Stopped:
    main = "/etc/nginx/nginx.conf"
    words = [word_text(word) or "" for word in call.argv[1:]]
    if any(word in ("-t", "-v", "-V", "-s") for word in words):
        return []
    if "-c" in words[:-1]:
        main = in_folder("/etc/nginx", words[words.index("-c") + 1]) or main
    listeners: list[Listener] = []
    source = read(image, main)
    if source is not None:
        pending = [source]
    elif isinstance(image.lookup(main), Absent) and main != "/etc/nginx/nginx.conf":
        return Stopped(f"there is no `{main}` in the image", call.place)
    else:
        # The file of the distribution: it includes these (Debian and the official image).
        pending = [
            *matching(image, "/etc/nginx/conf.d/*.conf"),
            *_sites(image, call),
            *matching(image, "/etc/nginx/http.d/*.conf"),
        ]
    seen = 0
    while pending and seen < _MOST_INCLUDED:
        source = pending.pop(0)
        seen += 1
        for directive in _directives(source):
            name = directive.words[0][0]
            if name == "include" and len(directive.words) > 1:
                path = in_folder("/etc/nginx", directive.words[1][0])
                if path and not path.endswith("mime.types"):
                    pending.extend(matching(image, path))
            elif name == "listen" and len(directive.words) > 1 and "stream" not in directive.depth:
                listeners.append(_nginx_listener(directive, call))
    if not listeners:
        return Unclear("no `listen` of nginx is known", (Origin(call.place, "nginx"),))
    return _merged(listeners)


def _sites(image: Image, call: Call) -> list[SourceFile]:
    """What Debian's nginx includes: the enabled sites. Its package enables the default one with a
    link to `sites-available/default`; the official image has no sites.
    """
    if "nginx" in repository(image.base or ""):
        return []
    found = matching(image, "/etc/nginx/sites-enabled/*")
    default = image.lookup("/etc/nginx/sites-enabled/default")
    if isinstance(default, (ImageFile, Absent)):
        return found
    linked = read(image, "/etc/nginx/sites-available/default")
    return [*found, *([linked] if linked is not None else [])]


def _nginx_listener(directive: _Directive, call: Call) -> Listener:
    text, place = directive.words[1]
    note = f"listen {text}"
    host: Value[str | None] = Known(None, (Origin(place, note),))
    port: Value[int]
    if text.startswith("unix:"):
        port = Unknown("it is a socket", (Origin(place, note),))
        return _proxy("nginx", host, port, call, place)
    head, colon, tail = text.rpartition(":")
    if "]" in tail:
        head, colon, tail = text, "", ""
    number = port_number(tail if colon else text)
    if number is not None and (colon or not text.startswith("[")):
        port = Known(number, (Origin(place, note),))
        if colon and head not in ("*", ""):
            host = Known(head.strip("[]"), (Origin(place, note),))
    elif not colon and "$" not in text and "{" not in text:
        port = Known(80, (Origin(place, f"{note}, port 80 by default"),))
        host = Known(text.strip("[]"), (Origin(place, note),))
    else:
        port = Unknown(
            f"`listen {text}` is filled in when the container starts", (Origin(place, note),)
        )
    return _proxy("nginx", host, port, call, place)


def _proxy(
    server: str, host: Value[str | None], port: Value[int], call: Call, place: Place
) -> Listener:
    return Listener(
        server,
        host,
        port,
        None,
        place,
        (*call.steps, Origin(call.place, server)),
        not call.background,
        proxy=True,
        env=call.env,
        open_env=call.open_env,
    )


def _merged(listeners: list[Listener]) -> list[Listener]:
    """`listen 7860` and `listen [::]:7860` are one."""
    by_port: dict[object, Listener] = {}
    for each in listeners:
        key = each.port.value if isinstance(each.port, Known) else each.place
        known = by_port.get(key)
        if (
            known is None
            or (known.internal and not each.internal)
            or (isinstance(known.host, Known) and known.host.value == "::")
        ):
            by_port[key] = each
    return list(by_port.values())


# Caddy

_SITE = re.compile(r"^([^\s{#(][^{\n#]*?)[ \t]*\{?[ \t]*$", re.MULTILINE)


def _caddy(image: Image, call: Call) -> list[Listener] | Unclear | Stopped:
    words = [word_text(word) or "" for word in call.argv[1:]]
    if words[:1] not in (["run"], ["start"]):
        return [] if words and words[0] != "file-server" else Unclear("caddy is not followed")
    path: str | None = "/etc/caddy/Caddyfile"
    for name in ("--config", "-c"):
        if name in words[:-1]:
            path = in_folder(folder_of(call), words[words.index(name) + 1])
    here = in_folder(folder_of(call), "Caddyfile")
    source = read(image, path) if path else None
    if source is None and here is not None:
        source = read(image, here)
    if source is None:
        return Unclear("the Caddyfile is not known", (Origin(call.place, "caddy"),))
    listeners: list[Listener] = []
    depth = 0
    offset = 0
    for line in source.text.splitlines(keepends=True):
        stripped = line.strip()
        if depth == 0 and stripped and not stripped.startswith(("#", "{", "(", "import")):
            start = offset + line.index(stripped[0])
            for word in stripped.rstrip("{").replace(",", " ").split():
                listeners.extend(_caddy_site(word, source.place(start, start + len(word)), call))
        depth += len(re.findall(r"(?:^|\s)\{(?=\s|$)", line)) - len(
            re.findall(r"(?:^|\s)\}(?=\s|$)", line)
        )
        depth = max(depth, 0)
        offset += len(line)
    if not listeners:
        return Unclear("no address of Caddy is known", (Origin(call.place, "caddy"),))
    return _merged(listeners)


def _caddy_site(word: str, place: Place, call: Call) -> list[Listener]:
    """The listener of one site address (Caddyfile "Addresses")."""
    text = _with_variables(word, call)
    if text is None:
        unknown = Unknown(
            f"`{word}` is filled in when the container starts", (Origin(place, word),)
        )
        return [_proxy("caddy", Known(None), unknown, call, place)]
    scheme, _, rest = text.rpartition("://")
    rest = rest.partition("/")[0]
    _, colon, port = rest.rpartition(":")
    number = port_number(port) if colon else {"http": 80}.get(scheme, 443)
    if number is None:
        return []
    origin = Origin(place, f"site {word}")
    return [_proxy("caddy", Known(None, (origin,)), Known(number, (origin,)), call, place)]


def _with_variables(word: str, call: Call) -> str | None:
    """A Caddyfile word with `{$NAME:default}` filled in."""

    def value(match: re.Match[str]) -> str:
        found = env_value(call, match.group(1))
        if isinstance(found, Known) and found.value:
            return found.value
        return "\0" if isinstance(found, Unknown) else match.group(2) or ""

    text = re.sub(r"\{\$(\w+)(?::([^}]*))?\}", value, word)
    text = re.sub(r"\{env\.(\w+)(\b)\}", value, text)
    return None if "\0" in text or "{" in text else text


def listeners(image: Image, call: Call) -> list[Listener] | Unclear | Stopped:
    """What nginx or Caddy would listen on."""
    return _caddy(image, call) if name_of(call) == "caddy" else _nginx(image, call)


def goes_to_background(image: Image, call: Call) -> bool:
    """Whether the command returns at once (`nginx` without `daemon off`, `caddy start`)."""
    words = [word_text(word) or "" for word in call.argv[1:]]
    if name_of(call) == "caddy":
        return words[:1] != ["run"]
    if any("daemon off" in word for word in words):
        return False
    if any(word in ("-t", "-v", "-V", "-s") for word in words):
        return True
    path = "/etc/nginx/nginx.conf"
    if "-c" in words[:-1]:
        path = in_folder("/etc/nginx", words[words.index("-c") + 1]) or path
    source = read(image, path)
    if source is None:
        return True
    return not any(
        [word for word, _ in directive.words] == ["daemon", "off"]
        for directive in _directives(source)
    )
