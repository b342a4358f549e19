"""Builds a settings module around one declaration of tests/data/settings_declarations.txt.

A line of that file holds the verdicts by version and the declaration of a field `cors_origins`:

    v1=SSSOO 2.0=VVVOM    Optional[list[str]]

From each version on, five letters stand for the variable CORS_ORIGINS holding a comma list, the
empty text, one address, a JSON list, and being unset: S SettingsError, V ValidationError, M missing,
O ok, X the class can't be built, - no field. A declaration is an annotation, perhaps with a default
(` = x`), a validator (` + x`) or a configuration (` / x`); a few are written out in `_SPECIAL`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

TEXTS = ("http://a,http://b", "", "http://a", '["http://a","http://b"]', None)

_IMPORTS = {
    "typing": "AbstractSet Annotated Any Callable ClassVar Collection DefaultDict Deque Dict Final "
    "Generic Iterable List Literal Mapping MutableSequence NamedTuple NewType Optional Sequence "
    "TypeVar Union",
    "collections": "deque",
    "datetime": "date datetime timedelta",
    "decimal": "Decimal",
    "enum": "Enum IntEnum auto",
    "pathlib": "Path",
    "typing_extensions": "TypeAliasType TypedDict",
    "urllib.parse": "urlparse",
    "uuid": "UUID",
    "pydantic": "AfterValidator AliasChoices AliasPath AnyHttpUrl AnyUrl BaseModel BeforeValidator Field "
    "HttpUrl ImportString Json PlainValidator PositiveInt PostgresDsn PrivateAttr RedisDsn RootModel "
    "Secret SecretStr SkipValidation StrictBool StrictInt StrictStr StringConstraints computed_field "
    "conint conlist constr field_validator model_validator validator",
    "pydantic.alias_generators": "to_camel",
    "pydantic_settings": "ForceDecode NoDecode SettingsConfigDict",
}

_HELPERS = {
    "split": "def split(v):\n    if isinstance(v, str):\n        return v.split(',')\n    return v\n",
    "Color": "class Color(Enum):\n    RED = 'red'\n",
    "StrColor": "class StrColor(str, Enum):\n    RED = 'red'\n",
    "StrSub": "class StrSub(str):\n    pass\n",
    "NewStr": "NewStr = NewType('NewStr', str)\n",
    "MyList": "class MyList(list):\n    pass\n",
    "Sub": "class Sub(BaseModel):\n    key: str = 'k'\n",
    "DC": "@dataclasses.dataclass\nclass DC:\n    key: str\n",
    "PDC": "@pydantic.dataclasses.dataclass\nclass PDC:\n    key: str\n",
    "TD": "class TD(TypedDict):\n    key: str\n",
    "NT": "class NT(NamedTuple):\n    x: int\n    y: int\n",
    "Root": "class Root(RootModel[List[str]]):\n    pass\n",
    "RootStr": "class RootStr(RootModel[str]):\n    pass\n",
    "T": "T = TypeVar('T')\n",
    "AliasList": "AliasList = List[str]\n",
    "NewList": "NewList = NewType('NewList', List[str])\n",
    "NewList0": "NewList0 = NewType('NewList0', list)\n",
    "TList": "type TList = list[str]\n",
    "TUnion": "type TUnion = list[str] | str\n",
    "TOpt": "type TOpt = list[str] | None\n",
    "TATList": "TATList = TypeAliasType('TATList', List[str])\n",
    "CsvNoDecode": "CsvNoDecode = Annotated[list[str], NoDecode]\n",
    "CsvFull": "CsvFull = Annotated[list[str], NoDecode, BeforeValidator(split)]\n",
    "CsvBefore": "CsvBefore = Annotated[list[str], BeforeValidator(split)]\n",
    "TNoDecode": "type TNoDecode = Annotated[list[str], NoDecode, BeforeValidator(split)]\n",
}
_GENERIC = {
    "v1": "class GBox(pydantic.generics.GenericModel, Generic[T]):\n    value: T\n",
    "v2": "class GBox(BaseModel, Generic[T]):\n    value: T\n",
}

_FIELD = (
    "    @field_validator({}, mode='{}')\n    @classmethod\n    def _v(cls, v{}):\n        {}\n"
)
_BEFORE = _FIELD.format("'cors_origins'", "before", "", "return split(v)")
_VALIDATORS = {
    "field_validator(before)": _BEFORE,
    "before": _BEFORE,
    "field_validator(plain)": _FIELD.format("'cors_origins'", "plain", "", "return split(v)"),
    "field_validator(wrap)": _FIELD.format(
        "'cors_origins'", "wrap", ", handler", "return handler(split(v))"
    ),
    "field_validator(after)": _FIELD.format("'cors_origins'", "after", "", "return split(v)"),
    'field_validator("*", before)': _FIELD.format("'*'", "before", "", "return split(v)"),
    "model_validator(before)": (
        "    @model_validator(mode='before')\n    @classmethod\n    def _m(cls, data):\n"
        "        if 'cors_origins' in data:\n"
        "            data['cors_origins'] = split(data['cors_origins'])\n        return data\n"
    ),
}
_V1_VALIDATORS = {
    "field_validator(after)": "    @validator('cors_origins')\n    def _v(cls, v):\n"
    "        return split(v)\n",
    'field_validator("*", before)': "    @validator('*', pre=True)\n    def _v(cls, v):\n"
    "        return split(v)\n",
    "model_validator(before)": "    @root_validator(pre=True)\n    def _m(cls, values):\n"
    "        if 'cors_origins' in values:\n"
    "            values['cors_origins'] = split(values['cors_origins'])\n        return values\n",
    "before": "    @validator('cors_origins', pre=True)\n    def _v(cls, v):\n        return split(v)\n",
}
_SHORT = {
    "NoDecode": "Annotated[list[str], NoDecode]",
    "ForceDecode": "Annotated[list[str], ForceDecode]",
}
_NEW = ("field_validator(plain)", "field_validator(wrap)")


def rows(path: Path) -> list[tuple[str, dict[str, str]]]:
    """The declarations with their verdicts by the version from which they hold."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        match = re.match(r"((?:[\w.]+=[SVMOX-]{5} ?)+) +(\S.*)\Z", line)
        if match and not line.startswith("#"):
            spans = dict(part.split("=") for part in match.group(1).split())
            found.append((match.group(2), spans))
    return found


def module(declaration: str, version: str) -> str:
    """The text of a module with the class `S`, for the family of a version ("v1", "2.6")."""
    family = "v1" if version == "v1" else "v2"
    body = _body(declaration, family)
    helpers = _helpers(body, family)
    text = helpers + body
    lines = ["import collections.abc as cabc", "import dataclasses", "import pydantic"]
    if "GBox" in body and family == "v1":
        lines.append("import pydantic.generics")
    if "PDC" in body:
        lines.append("import pydantic.dataclasses")
    lines += _import_lines(text)
    if "root_validator" in text:
        lines.append("from pydantic import root_validator")
    base = "pydantic" if family == "v1" else "pydantic_settings"
    lines.append(f"from {base} import BaseSettings")
    return "\n".join(lines) + "\n\n" + helpers + "\n\nclass S(BaseSettings):\n" + body


def _body(declaration: str, family: str) -> str:
    if declaration.startswith("no annotation"):
        return f"    cors_origins{declaration.removeprefix('no annotation')}\n"
    if declaration.startswith("private "):
        return f"    {declaration.removeprefix('private ')}\n"
    if declaration.startswith("init kwarg wins? "):
        return f"    cors_origins: {declaration.removeprefix('init kwarg wins? ')} = []\n"
    rest, _, config = declaration.partition(" / ")
    rest, _, validator = rest.partition(" + ")
    annotation, equals, default = rest.partition(" = ")
    annotation = _SHORT.get(annotation, annotation)
    body = f"    cors_origins: {annotation}{equals}{default}\n"
    if config:
        option = config if "=" in config else f"{config}=True"
        body += _config(option, family)
    if validator:
        if family == "v2" or validator in _NEW:
            body += _VALIDATORS[validator]
        else:
            body += _V1_VALIDATORS.get(validator, _V1_VALIDATORS["before"])
    return body


def _config(option: str, family: str) -> str:
    if family == "v1":
        return f"    class Config:\n        {option}\n"
    return f"    model_config = SettingsConfigDict({option})\n"


def _helpers(body: str, family: str) -> str:
    wanted: list[str] = []
    pending = [body]
    table = {**_HELPERS, "GBox": _GENERIC[family]}
    while pending:
        text = pending.pop()
        for name, helper in table.items():
            if name not in wanted and re.search(rf"\b{name}\b", text):
                wanted.append(name)
                pending.append(helper)
    order = sorted(wanted, key=lambda name: (name == "GBox", list(table).index(name)))
    return "".join(table[name] for name in order)


def scenario(row: dict[str, Any], version: str) -> str:
    """The text of a module with the class `S`, of one entry of settings_scenarios.yaml.

    In `body`, `@name=value` lines are configuration, `@env_file` reads `.env`, `@base=X` names the
    base classes, `@import=...` (the rest of the text) the import of BaseSettings; `before` stands
    above the class ("#future", "#later": the two ways to postpone an annotation).
    """
    family = "v1" if version == "v1" else "v2"
    text, _, imported = row.get(f"body_{family}", row["body"]).partition("@import=")
    before = row.get("before", "")
    lines, options, base = [], [], "BaseSettings"
    for line in text.splitlines():
        match = re.match(r"@(\w+)=(.*)", line)
        if match and match.group(1) == "base":
            base = match.group(2)
        elif match:
            options.append(f"{match.group(1)}={match.group(2)}")
        elif line == "@env_file":
            options.append("env_file='.env'")
        else:
            lines.append(f"    {line}" if line else "")
    body = "\n".join(lines) + "\n"
    if options and family == "v1":
        body += "    class Config:\n" + "".join(f"        {option}\n" for option in options)
    elif options:
        body += f"    model_config = SettingsConfigDict({', '.join(options)})\n"
    body = body.replace("BaseSettings", base)
    head = [] if before != "#future" else ["from __future__ import annotations"]
    wanted = f"{body} {before}"
    helpers = _HELPERS["split"] if re.search(r"\bsplit\(v\)|\(split\)", wanted) else ""
    head += [f"import {name}" for name in ("os", "re", "secrets") if f"{name}." in wanted]
    head += _import_lines(wanted)
    settings = "pydantic" if family == "v1" else "pydantic_settings"
    head.append(imported or f"from {settings} import BaseSettings")
    parts = ["\n".join(head), helpers, "" if before[:1] == "#" else before]
    parts.append(f"class S({base}):\n{body}")
    parts.append("Later = list[str]\n" if before == "#later" else "")
    return "\n\n".join(part for part in parts if part)


def _import_lines(text: str) -> list[str]:
    lines = []
    for package, names in _IMPORTS.items():
        used = [name for name in names.split() if re.search(rf"\b{name}\b", text)]
        if used:
            lines.append(f"from {package} import {', '.join(used)}")
    return lines
