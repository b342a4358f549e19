"""Allowed origins that come out of a settings field: how the code turns its items into texts."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from hfcheck.source import Place
from hfcheck.space.code.scan import Site
from hfcheck.space.code.trace import Source, Trace, Tracer, keyword, last_name
from hfcheck.space.settings.annotations import Type

_URLS = frozenset({"AnyUrl", "AnyHttpUrl", "HttpUrl"})
"""pydantic's types for the address of a page; a text of theirs with no path ends with a slash."""
_MOST_NAMES = 8
"""So many names and properties are followed to the list."""
_VALIDATORS = frozenset({"field_validator", "model_validator", "validator", "root_validator"})
_OPTIONS = ("url_preserve_empty_path", "validate_default")
"""Options of a settings class that change what a URL field holds."""


@dataclass(frozen=True, slots=True)
class FieldTexts:
    """The items of a settings field, each given as `str(item)`; `place` is where that is done."""

    field: Source
    place: Place


def field_texts(tracer: Tracer, given: Site) -> FieldTexts | None:
    """What `given` makes of a settings field; None where it is anything else, or where the
    project's own code may change the field's items.
    """
    site = given
    for _ in range(_MOST_NAMES):
        if not isinstance(site.node, (ast.Name, ast.Attribute)):
            break
        behind = tracer.step(site, Trace())
        if len(behind) != 1:
            return None
        site = behind[0]
    node = site.node
    while isinstance(node, ast.Call) and last_name(node.func) in ("list", "tuple", "set"):
        if len(node.args) != 1:
            return None
        node = node.args[0]
    found = _items(node)
    if found is None:
        return None
    text, items = found
    trace = Trace()
    tracer.step(site.at(items), trace)
    if len(trace.sources) != 1:
        return None
    field = trace.sources[0]
    if field.cls is None or not _is_plain(tracer, Site(field.cls, field.site.module)):
        return None
    return FieldTexts(field, site.module.place(text))


def _items(node: ast.AST) -> tuple[ast.expr, ast.Attribute] | None:
    """The `str(item)` of `[str(item) for item in settings.field]` and the field; the same for
    `map(str, settings.field)`.
    """
    text: ast.expr | None = None
    items: ast.expr | None = None
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        call, first = node.elt, node.generators[0]
        plain = isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords
        if plain and isinstance(call, ast.Call) and last_name(call.func) == "str":
            same = last_name(call.args[0]) == last_name(first.target) != ""
            if same and isinstance(call.args[0], ast.Name) and len(node.generators) == 1:
                text, items = call, first.iter
    elif isinstance(node, ast.Call) and last_name(node.func) == "map" and len(node.args) == 2:
        of_str = last_name(node.args[0]) == "str"
        text, items = (node, node.args[1]) if of_str else (None, None)
    return (text, items) if text is not None and isinstance(items, ast.Attribute) else None


def url_items(kind: Type) -> str | None:
    """The name of the URL type that the items of a list field become; None where an item may stay
    a text, or where validators of the type make it.
    """
    if kind.kind in ("alias", "annotated", "newtype"):
        changed = any(meta.kind in ("after", "plain", "wrap") for meta in kind.meta)
        return None if changed or not kind.args else url_items(kind.args[0])
    if kind.kind == "union":
        lists = [member for member in kind.args if member.kind not in ("str", "none")]
        return url_items(lists[0]) if len(lists) == 1 else None
    if kind.kind not in ("list", "set", "tuple", "sequence") or not kind.args:
        return None
    item = kind.args[0]
    members = item.args if item.kind == "union" else (item,)
    urls = [member for member in members if member.kind not in ("literal", "none")]
    return urls[0].name if len(urls) == 1 and urls[0].name in _URLS else None


def _is_plain(tracer: Tracer, cls: Site) -> bool:
    """Whether nothing in a settings class but the types of its fields makes their values."""
    for node, _ in tracer.lineage(cls):
        for inner in ast.walk(node):
            if isinstance(inner, ast.keyword) and inner.arg in _OPTIONS:
                return False
            if isinstance(inner, ast.Constant) and inner.value in _OPTIONS:
                return False
            validates = isinstance(inner, ast.Call) and last_name(inner.func) in _VALIDATORS
            if isinstance(inner, ast.Call) and validates and not _runs_before(inner):
                return False
    return True


def _runs_before(validator: ast.Call) -> bool:
    mode, before = keyword(validator, "mode"), keyword(validator, "pre")
    return (isinstance(mode, ast.Constant) and mode.value == "before") or (
        isinstance(before, ast.Constant) and before.value is True
    )
