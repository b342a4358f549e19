"""Which settings fields pydantic-settings decodes as JSON, in which version.

Source: `_annotation_is_complex`, `_union_is_complex` and `_extract_field_info` of pydantic-settings
2.0 to 2.16, and `ModelField.is_complex` of pydantic 1.10.
"""

from __future__ import annotations

from hfcheck.space.settings.annotations import Meta, Type
from hfcheck.space.settings.operations import Undecided

Version = tuple[int, int]

_ALWAYS = frozenset(
    [
        "list",
        "set",
        "frozenset",
        "tuple",
        "deque",
        "sequence",
        "dict",
        "mapping",
        "counter",
        "model",
        "dataclass",
        "typeddict",
        "namedtuple",
        "bytearray",
        "list-subclass",
        "set-subclass",
        "frozenset-subclass",
        "dict-subclass",
        "tuple-subclass",
    ]
)
_UNTOLD = frozenset(["unknown"])

_V1_BARE = frozenset(["list", "set", "frozenset", "dict", "counter"])
_V1_ALWAYS = frozenset(
    [
        "model",
        "dataclass",
        "typeddict",
        "namedtuple",
        "list-subclass",
        "set-subclass",
        "frozenset-subclass",
        "dict-subclass",
    ]
)
_V1_SHAPED = frozenset(
    [
        "list",
        "set",
        "frozenset",
        "tuple",
        "deque",
        "sequence",
        "abstract-set",
        "dict",
        "mapping",
        "counter",
        "iterable",
        "collection",
    ]
)


def has(meta: tuple[Meta, ...], kind: str) -> bool:
    """Whether metadata holds a piece of this kind."""
    return any(piece.kind == kind for piece in meta)


def has_json(meta: tuple[Meta, ...]) -> bool:
    """Whether metadata holds an instance of pydantic's Json: validation parses the text."""
    return has(meta, "json") or has(meta, "json-type")


def dealiased(kind: Type, version: Version) -> Type:
    """A PEP 695 alias as the version resolves it: not before 2.11, one step until 2.12."""
    steps = 0
    while kind.kind == "alias" and version >= (2, 11) and steps < 20:
        kind = kind.args[0]
        steps += 1
        if version < (2, 13):
            break
    return kind


def is_complex(kind: Type, meta: tuple[Meta, ...], version: Version, depth: int = 0) -> bool:
    """Whether a type must be given as JSON; raises `Undecided` for types that are not known."""
    if depth > 30:
        raise Undecided("the annotation nests too deeply")
    kind = dealiased(kind, version)
    if has_json(meta):
        return False
    if kind.kind == "rootmodel":
        explicit = len(kind.args) > 1
        if version < (2, 5) or (version < (2, 9) and not explicit):
            return True
        if kind.args:
            kind = kind.args[0]
    if kind.kind == "annotated":
        if version < (2, 3):
            return False
        return is_complex(kind.args[0], kind.meta, version, depth + 1)
    if kind.kind == "secret":
        return bool(kind.args) and version < (2, 7)
    if kind.kind in _UNTOLD:
        raise Undecided(kind.why)
    if kind.kind == "abstract-set":
        return version >= (2, 16)
    if kind.kind == "rootmodel":
        return True
    return kind.kind in _ALWAYS


def union_is_complex(kind: Type, meta: tuple[Meta, ...], version: Version, depth: int = 0) -> bool:
    """Whether a union has a member that may be given as JSON."""
    if depth > 30:
        raise Undecided("the annotation nests too deeply")
    untold: Undecided | None = None
    for member in kind.args:
        try:
            if is_complex(member, meta, version):
                return True
            inner = _unwrapped(member, version) if version >= (2, 14) else None
            if inner is None or inner.kind != "union":
                continue
            if union_is_complex(inner, meta, version, depth + 1):
                return True
        except Undecided as reason:
            untold = reason
    if untold is not None:
        raise untold
    return False


def _unwrapped(kind: Type, version: Version) -> Type | None:
    looks_through = version >= (2, 16)
    kind = dealiased(kind, version) if looks_through else kind
    while kind.kind == "annotated":
        if has_json(kind.meta):
            return None
        kind = dealiased(kind.args[0], version) if looks_through else kind.args[0]
    return kind


def outer(kind: Type, meta: tuple[Meta, ...], version: Version) -> tuple[Type, tuple[Meta, ...]]:
    """The annotation and metadata of a field after its alias is resolved (2.13 and newer)."""
    plain = dealiased(kind, version)
    if plain.kind == "annotated":
        return plain.args[0], meta + plain.meta
    return plain, meta


def decoding(kind: Type, meta: tuple[Meta, ...], version: Version) -> tuple[bool, bool]:
    """Whether a field is decoded as JSON, and whether what is no JSON is passed on as it is."""
    if is_complex(kind, meta, version):
        return True, False
    plain, pieces = outer(kind, meta, version) if version >= (2, 16) else (kind, meta)
    if plain.kind == "union" and union_is_complex(plain, pieces, version):
        return True, True
    return False, False


def named_decoding(kind: Type, meta: tuple[Meta, ...], version: Version) -> bool:
    """Whether a value read by the field's name is decoded for its union type alone."""
    if version >= (2, 13):
        plain, pieces = outer(kind, meta, version)
    else:
        plain, pieces = dealiased(kind, version), meta
    return plain.kind == "union" and union_is_complex(plain, pieces, version)


def is_sequence(kind: Type, depth: int = 0) -> bool:
    """Whether a type is a list, tuple or set of plain values, or a union that has one: what people
    write into a variable as `a,b`. What `Json` parses is none.
    """
    if depth > 30:
        return False
    if kind.kind in ("alias", "annotated", "newtype"):
        return not has_json(kind.meta) and is_sequence(kind.args[0], depth + 1)
    if kind.kind == "union":
        return any(is_sequence(member, depth + 1) for member in kind.args)
    if kind.kind in ("list", "set", "frozenset", "tuple", "deque", "sequence", "abstract-set"):
        return all(not _is_structure(item) for item in kind.args)
    return kind.kind in ("list-subclass", "set-subclass")


def is_mapping(kind: Type, depth: int = 0) -> bool:
    """Whether a type is a mapping to plain values, or a union that has one."""
    if depth > 30:
        return False
    if kind.kind in ("alias", "annotated", "newtype"):
        return not has_json(kind.meta) and is_mapping(kind.args[0], depth + 1)
    if kind.kind == "union":
        return any(is_mapping(member, depth + 1) for member in kind.args)
    return kind.kind in ("dict", "mapping") and not any(map(_is_structure, kind.args))


def _is_structure(kind: Type, depth: int = 0) -> bool:
    if depth > 30:
        return True
    if kind.kind in ("alias", "annotated", "newtype", "union"):
        return any(_is_structure(item, depth + 1) for item in kind.args)
    return kind.kind in _ALWAYS


def refused(kind: Type, version: Version, depth: int = 0) -> bool:
    """Whether a class with such a field can't be built: pydantic 1 knows no PEP 695 aliases, and
    the pydantic of 2.0 no SkipValidation in settings.
    """
    if depth > 30:
        return False
    if kind.kind == "alias" and version < (2, 0):
        return True
    if has(kind.meta, "skip") and version == (2, 0):
        return True
    return any(refused(item, version, depth + 1) for item in kind.args)


def has_statement(kind: Type, depth: int = 0) -> bool:
    """Whether a type mentions an alias by a `type` statement."""
    if depth > 30:
        return False
    own = kind.kind == "alias" and kind.name == "statement"
    return own or any(has_statement(item, depth + 1) for item in kind.args)


def decoding_v1(kind: Type) -> tuple[bool, bool]:
    """The same for pydantic 1."""
    if kind.kind == "annotated":
        if has(kind.meta, "json-type"):
            return False, False
        return decoding_v1(kind.args[0])
    if kind.kind == "union":
        members = [member for member in _members_v1(kind) if member.kind != "none"]
        if len(members) == 1:
            return _shaped_v1(members[0]), False
        return (True, True) if any(_shaped_v1(member) for member in members) else (False, False)
    return _shaped_v1(kind), False


def _members_v1(kind: Type) -> list[Type]:
    """The members of a union and of the annotated unions in it."""
    found: list[Type] = []
    for member in kind.args:
        inner = member.args[0] if member.kind == "annotated" else member
        found += _members_v1(inner) if inner.kind == "union" else [member]
    return found


def _shaped_v1(kind: Type) -> bool:
    if kind.kind in ("annotated", "newtype"):
        return _shaped_v1(kind.args[0])
    if kind.kind in _UNTOLD:
        raise Undecided(kind.why)
    if kind.kind in _V1_SHAPED and (kind.args or kind.kind in _V1_BARE):
        return True
    if kind.kind in _V1_SHAPED and kind.name[:1].isupper():
        return True  # typing's own bare names carry their parameters
    return kind.kind in _V1_ALWAYS
