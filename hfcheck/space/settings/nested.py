"""Variables of nested fields: `SUB__TAGS` for the field `tags` of the model in the field `sub`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hfcheck.space.settings.annotations import Type
from hfcheck.space.settings.complexity import decoding, is_complex, union_is_complex
from hfcheck.space.settings.operations import Undecided

if TYPE_CHECKING:
    from hfcheck.space.settings.fields import Field
    from hfcheck.space.settings.sources import Reader


def exploded(
    reader: Reader,
    made: Field,
    delimiter: str,
    prefixes: list[str],
    variables: Mapping[str, object],
) -> dict[str, object]:
    """The mapping that variables `<field><delimiter><key>...` build for a field.

    Raises `DecodeError` where the library raises SettingsError.
    """
    result: dict[str, object] = {}
    limit = reader.option("env_nested_max_split", (2, 8))
    most = (limit if isinstance(limit, int) else 0) - 1
    for name, value in variables.items():
        prefix = next((item for item in prefixes if name.startswith(item)), None)
        if prefix is None:
            continue
        *keys, last = _keys(reader, name, prefix, delimiter, most)
        holder: object = result
        target: Type | Field | None = made
        for key in keys:
            target = _next(reader, target, key)
            if isinstance(holder, dict):
                holder = holder.setdefault(key, {})
        target = _next(reader, target, last)
        if isinstance(holder, dict):
            holder[last] = _decoded(reader, made, target, value)
    return result


def _keys(reader: Reader, name: str, prefix: str, delimiter: str, most: int) -> list[str]:
    """The keys that a variable's name leads through, the last one last."""
    if reader.version < (2, 8):
        return name[len(reader.text("env_prefix")) :].split(delimiter)[1:]
    return name[len(prefix) :].split(delimiter, most)


def renamed(reader: Reader, kind: Type, value: object, depth: int = 0) -> object:
    """A mapping for a model with its keys written as the model's fields are.

    Variables are read in lower case, so that a field `TAGS` would not be found otherwise.
    """
    inner = kind
    if inner.kind == "union" and len(inner.args) == 2:
        inner = next((item for item in inner.args if item.kind != "none"), inner)
    if inner.kind == "annotated":
        inner = inner.args[0]
    if inner.kind != "model" or inner.cls is None or not isinstance(value, dict) or depth > 20:
        return value
    model = reader.models.model(inner.cls, "v2")
    result: dict[object, object] = {}
    for key, item in value.items():
        found = None
        for made in model.fields.values():
            aliases = reader.models.aliases(made) or []
            names = [alias.name for alias in aliases] or [made.name]
            found = next((n for n in names if n.lower() == str(key).lower()), None)
            if found is not None:
                result[found] = renamed(reader, made.type, item, depth + 1)
                break
        if found is None:
            result[key] = item
    return result


def _decoded(reader: Reader, made: Field, target: Type | Field | None, value: object) -> object:
    from hfcheck.space.settings.sources import DecodeError

    version = reader.version
    is_dict = made.type.kind == "dict" and bool(made.type.args or version >= (2, 16))
    if not value or (target is None and (not is_dict or version < (2, 3))):
        return value
    if not isinstance(value, str):
        raise Undecided("a nested value that stands for None")
    if isinstance(target, Type):
        if not is_complex(target, (), version):
            is_union = target.kind == "union" and version >= (2, 16)
            if is_union and union_is_complex(target, (), version):
                raise Undecided("a union inside a mapping")
            return value
        lenient, field = True, None
    elif target is None:
        lenient, field = True, None
    else:
        complex_, lenient = decoding(target.type, target.meta, version)
        field = target
        if not complex_:
            return value
    try:
        return reader.decode(field, value)
    except DecodeError:
        if not lenient:
            raise
        return value


def _next(reader: Reader, target: Type | Field | None, key: str) -> Type | Field | None:
    """The field or type that a key leads to; None where it leads nowhere."""
    if target is None:
        return None
    kind = target if isinstance(target, Type) else target.type
    return _next_of(reader, kind, key, 0)


def _next_of(reader: Reader, kind: Type, key: str, depth: int) -> Type | Field | None:
    if depth > 20 or kind.kind == "unknown":
        raise Undecided("a nested type that is not known")
    if kind.kind == "dict" and reader.version >= (2, 13):
        return kind.args[-1] if kind.args else None
    if kind.kind not in ("model", "dataclass") and kind.args:
        if reader.version < (2, 2):
            return None
        for member in kind.args:
            found = _next_of(reader, member, key, depth + 1)
            if found is not None:
                return found
        return None
    if kind.cls is None or not reader.models.validates(kind.cls):
        return None
    model = reader.models.model(kind.cls, "v2")
    exact = bool(reader.option("case_sensitive")) or reader.version < (2, 3)
    for made in model.fields.values():
        aliases = reader.models.aliases(made)
        if aliases is None:
            raise Undecided("its alias is not understood")
        prefix = reader.text("env_prefix")
        names = [made.name, *(alias.name for alias in aliases)]
        names += [] if aliases else [prefix + made.name]
        for name in names:
            if name == key or (not exact and name.lower() == key.lower()):
                return made
    return None
