"""Checks of the moment `start`: the container starts, and its process stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hfcheck.checks import check
from hfcheck.finding import Finding, Severity, finding
from hfcheck.source import Place
from hfcheck.space.environ import RequiredRead
from hfcheck.space.launch.launch import LaunchProblem
from hfcheck.space.model import Space
from hfcheck.space.settings.model import SettingsClass, SettingsField
from hfcheck.space.settings.uses import Use
from hfcheck.space.value import Known, Origin


@check("exec-form-variable")
def exec_form_variable(space: Space) -> Iterator[Finding]:
    """A word of an exec form that the started program gets as `$NAME`."""
    for problem in _problems(space, "exec-form-variable"):
        yield finding(
            "exec-form-variable",
            problem.message,
            problem.place,
            label="nothing expands it",
            related=problem.related,
            fix="Write the command in the shell form, or as "
            '`["sh", "-c", "exec ..."]`, with a default such as `${PORT:-7860}`.',
        )


@check("app-target-missing")
def app_target_missing(space: Space) -> Iterator[Finding]:
    """The application or the script that starts is not in the image."""
    for problem in _problems(space, "app-target-missing"):
        yield finding(
            "app-target-missing",
            problem.message,
            problem.place,
            related=problem.related,
            fix=problem.fix,
        )


def _problems(space: Space, kind: str) -> Iterator[LaunchProblem]:
    """The faults of one kind in the way the Space is started, each place once."""
    seen = set()
    for problem in space.launch.problems if space.launch else ():
        if problem.kind == kind and problem.place not in seen:
            seen.add(problem.place)
            yield problem


@check("list-env-field")
def list_env_field(space: Space) -> Iterator[Finding]:
    """A list field of settings that a comma list in its variable stops."""
    seen: set[Place] = set()
    for cls in space.settings.built:
        for found in cls.fields:
            mapping = found.mapping and found.comma == "settings error"
            if not (found.sequence or mapping) or found.annotation in seen:
                continue
            if found.comma not in _STOPS or (found.now == "ok" and found.given is not None):
                continue
            use = _comma_use(found)
            if use is not None:
                seen.add(found.annotation)
                yield _list_env_field(space, found, use)


def _comma_use(found: SettingsField) -> Use | None:
    """The place where a comma list stops: an argument does not keep it from being decoded."""
    return found.use(arguments=found.comma != "settings error")


def _list_env_field(space: Space, found: SettingsField, use: Use) -> Finding:
    cls, variable = found.cls, found.variables[0]
    error = "SettingsError" if found.comma == "settings error" else "a ValidationError"
    stops = _stopped(use, cls)
    field = f"`{found.name}: {_short(found.annotation)}`"
    if found.mapping:
        message = (
            f"{field} takes only JSON in {cls.library}: any other text in `{variable}` {stops} "
            f"with {error}"
        )
    else:
        how = "is decoded as JSON" if found.comma == "settings error" else "takes no comma list"
        message = (
            f"{field} {how} by {cls.library}: a comma list in `{variable}` {stops} with {error}"
        )
    related = list(_about(found, use))
    wrong = isinstance(found.given, Known) and found.now in _STOPS
    if isinstance(found.given, Known) and wrong:
        kind = "object" if found.mapping else "list"
        message = (
            f"The value of `{variable}` is no JSON {kind}, which {field} needs: "
            f"it {stops} with {error}"
        )
        related = [Origin(origin.place, "its value") for origin in found.given.origins] + related
    sure = _sure(space, found, use, lambda f: f.comma in _STOPS)
    return finding(
        "list-env-field",
        message,
        found.annotation,
        label="must be JSON in the environment",
        related=related,
        severity=None if sure and (wrong or not found.mapping) else Severity.warning,
        fix=_mapping_fix(found) if found.mapping else _list_fix(found),
    )


def _mapping_fix(found: SettingsField) -> str:
    return (
        f'Write `{found.variables[0]}` as a JSON object (`{{"key": "value"}}`) wherever it is set; '
        f"or declare `{found.name}: str` and take it apart in a property."
    )


def _list_fix(found: SettingsField) -> str:
    text = (
        f"Declare `{found.name}: str` and split it in a property "
        f'(`[item.strip() for item in self.{found.name}.split(",") if item.strip()]`)'
    )
    if found.cls.version >= (2, 7):
        text += (
            f"; or keep the list: `Annotated[{_short(found.annotation)}, NoDecode]` with a "
            f'`field_validator("{found.name}", mode="before")` that splits text'
        )
    return f"{text}."


@check("required-env")
def required_env(space: Space) -> Iterator[Finding]:
    """A variable that must be set, or the start fails."""
    fields: dict[str, list[tuple[SettingsField, Use]]] = {}
    for cls in space.settings.built:
        for found in cls.fields:
            use = found.use(arguments=True)
            if use is not None and _needs_variable(found):
                name = found.reads[0].name if found.reads else found.variables[0]
                fields.setdefault(name, []).append((found, use))
    # Where the variable is the address that tokens are verified against, missing-better-auth-url
    # says it better.
    told = set(space.web.better_auth.required)
    fields = {name: wanting for name, wanting in fields.items() if name not in told}
    reads = {read.name: read for read in space.required if read.name not in told}
    for name, wanting in fields.items():
        wanting.sort(key=lambda item: not _sure(space, item[0], item[1], _needs_variable))
        read = reads.get(name)
        if read is not None and not _sure(space, wanting[0][0], wanting[0][1], _needs_variable):
            continue
        reads.pop(name, None)
        others = [Origin(read.place, "read here too"), *read.related] if read else []
        yield _required_field(space, name, wanting, others)
    for read in reads.values():
        yield _required_read(read)


def _needs_variable(found: SettingsField) -> bool:
    if not found.variables or found.given is not None:
        return False
    return found.now == "missing" or (found.now == "validation error" and found.unset == found.now)


def _sure(
    space: Space, found: SettingsField, use: Use, fails: Callable[[SettingsField], bool]
) -> bool:
    """Whether the class is built for certain at start, or every class that may be chosen in its
    place has a field of this name that fails too.
    """
    if use.when != "choice":
        return use.when == "start"
    rivals = [c for c in space.settings.built if use.choice in {u.choice for u in c.uses}]
    return all(any(f.name == found.name and fails(f) for f in rival.fields) for rival in rivals)


def _required_field(
    space: Space, name: str, wanting: list[tuple[SettingsField, Use]], others: list[Origin]
) -> Finding:
    found, use = wanting[0]
    why = (
        "has no default"
        if found.now == "missing"
        else f"does not take its own default, and {found.cls.library} checks it"
    )
    sure = _sure(space, found, use, _needs_variable)
    fails = "the start fails" if sure else _fails(use, found.cls)
    if found.cls.doubt:
        fails += f" unless the build makes `{found.cls.doubt}`"
    related = [*_about(found, use)]
    for other, _ in wanting[1:]:
        related.append(Origin(other.place, f"`{other.cls.name}` wants it too"))
    return finding(
        "required-env",
        f"`{name}` must be set, or {fails}: `{found.cls.name}.{found.name}` {why}",
        found.place,
        label=f"read from `{name}`",
        related=[*related, *others],
        severity=None if sure and not found.cls.doubt else Severity.warning,
        fix=f"Set `{name}` in the Space's settings and name it under `secrets` or `variables` in "
        f"`[tool.hfcheck.space]`, or give `{found.name}` a default that works.",
    )


def _fails(use: Use, cls: SettingsClass) -> str:
    """What fails where a class can't be built."""
    match use.when:
        case "later":
            return f"the first call that builds `{cls.name}` fails"
        case "branch":
            return f"the start fails if it comes to build `{cls.name}`"
        case "choice":
            return f"the start fails if `{cls.name}` is chosen"
    return "the start fails"


def _stopped(use: Use, cls: SettingsClass) -> str:
    """The same, of what a value does."""
    match use.when:
        case "later":
            return f"stops the first call that builds `{cls.name}`"
        case "branch":
            return f"stops the start, if it comes to build `{cls.name}`,"
        case "choice":
            return f"stops the start, if `{cls.name}` is chosen,"
    return "stops the start"


def _required_read(read: RequiredRead) -> Finding:
    names = " or ".join(f"`{name}`" for name in (read.name, *read.alternatives))
    return finding(
        "required-env",
        f"{names} must be set, or the start fails: {read.how}",
        read.place,
        label=f"reads `{read.name}`",
        related=read.related,
        fix=f"Set {names} in the Space's settings and name it under `secrets` or `variables` in "
        "`[tool.hfcheck.space]`, or give it a default that works.",
    )


def _about(found: SettingsField, use: Use) -> Iterator[Origin]:
    """The class, its prefix and where it is built: what makes a field be read."""
    cls = found.cls
    yield Origin(cls.place, "the settings class")
    if cls.prefix is not None:
        yield Origin(cls.prefix, "the prefix of its variables")
    rest = [other for other in cls.uses if other.place != use.place and other.when == use.when]
    for shown in (use, *rest[:1]):
        yield Origin(shown.place, "chosen from here" if shown.when == "choice" else "built here")


def _short(place: Place) -> str:
    """The text at a place on one line, cut where it is long."""
    text = " ".join(place.text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


_STOPS = ("settings error", "validation error")
