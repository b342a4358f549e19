"""`.env` files, read as python-dotenv reads the plain ones."""

from __future__ import annotations

import re

from hfcheck.source import SourceFile
from hfcheck.space.value import Known, Origin, Unknown, Value

_ENTRY = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*([^\n]*)", re.MULTILINE)
_QUOTED = re.compile(r"""(['"])((?:(?!\1)[^\\]|\\.)*)\1[ \t]*(?:#.*)?$""")
_COMMENT = re.compile(r"(?:^|\s+)#")


def env_file(source: SourceFile) -> dict[str, Value[str]]:
    """The variables of a file of `NAME=value` lines. A value that refers to other variables, has
    escapes or goes over several lines is Unknown.
    """
    found: dict[str, Value[str]] = {}
    for match in _ENTRY.finditer(source.text):
        text = match.group(2).strip()
        quoted = _QUOTED.match(text)
        origin = Origin(source.place(*match.span()), match.group().strip())
        if quoted is not None:
            text = quoted.group(2)
        elif text[:1] in ("'", '"'):
            found[match.group(1)] = Unknown("its value goes over several lines", (origin,))
            continue
        else:
            text = _COMMENT.split(text, maxsplit=1)[0].rstrip()
        literal = quoted is not None and quoted.group(1) == "'"
        if "${" in text or ("\\" in text and quoted is not None and not literal):
            found[match.group(1)] = Unknown("its value is made of others", (origin,))
        else:
            found[match.group(1)] = Known(text, (origin,))
    return found
