"""The environment that the process sees, and the variables without which it would not start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcheck.source import Place
from hfcheck.space.code.startup import Failure, Startup
from hfcheck.space.code.values import EnvRead
from hfcheck.space.declared import Declared
from hfcheck.space.value import PLATFORM, SECRET, Known, Origin, Unknown, Value

if TYPE_CHECKING:
    from hfcheck.space.image.image import Image

PLATFORM_VARIABLES = (
    "ACCELERATOR",
    "CPU_CORES",
    "MEMORY",
    "SPACE_AUTHOR_NAME",
    "SPACE_REPO_NAME",
    "SPACE_TITLE",
    "SPACE_ID",
    "SPACE_HOST",
    "SPACE_CREATOR_USER_ID",
    "PATH",
    "HOME",
    "HOSTNAME",
    "PWD",
)
"""Set in every Space: by the Hub (https://huggingface.co/docs/hub/spaces-overview), by the
container runtime, or by the shell. `PORT` is not among them."""

OAUTH_VARIABLES = (
    "OAUTH_CLIENT_ID",
    "OAUTH_CLIENT_SECRET",
    "OAUTH_SCOPES",
    "OPENID_PROVIDER_URL",
)
"""Set when the card has `hf_oauth: true` (https://huggingface.co/docs/hub/spaces-oauth)."""


def runtime_environment(
    image: Image, declared: Declared, *, oauth: bool = False
) -> dict[str, Value[str]]:
    """Every variable known to be set when the container starts, with its value.

    The Dockerfile's ENV, over it the declared variables and secrets of the Space, and what the
    platform always sets. A name that is not in it is unset.
    """
    known: dict[str, Value[str]] = {name: Unknown(PLATFORM) for name in PLATFORM_VARIABLES}
    if oauth:
        known.update({name: Unknown(PLATFORM) for name in OAUTH_VARIABLES})
    known.update(image.env)
    known.update({name: Known(value) for name, value in declared.variables.items()})
    known.update({name: Unknown(SECRET) for name in declared.secrets})
    return known


@dataclass(frozen=True, slots=True)
class RequiredRead:
    """A read outside of any settings class that stops the start while `name` is unset.

    `how` says what happens; `alternatives` are further variables of which one would do.
    """

    name: str
    place: Place
    how: str
    related: tuple[Origin, ...] = ()
    alternatives: tuple[str, ...] = ()


def required_reads(startup: Startup) -> list[RequiredRead]:
    """The variables whose absence makes the loading of the entry point raise, one read each."""
    reads: dict[str, RequiredRead] = {}
    for failure in startup.failures:
        for read in _reads_of(failure):
            reads.setdefault(read.name, read)
    return list(reads.values())


def _reads_of(failure: Failure) -> Iterable[RequiredRead]:
    unset = [origin for origin in failure.origins if isinstance(origin, EnvRead)]
    unset = [origin for origin in unset if not origin.defaulted] or unset
    unset.sort(key=lambda origin: (str(origin.place.source.path), origin.place.span))
    names = list(dict.fromkeys(origin.name for origin in unset))
    if not names:
        return
    raised = Origin(failure.place, f"{failure.exception.rpartition('.')[2]} is raised here")
    told: set[str] = set()
    for origin in unset[:1] if failure.any_of else unset:
        others = tuple(n for n in names if n != origin.name) if failure.any_of else origin.others
        if origin.name in told:
            continue
        told.update((origin.name, *others))
        related = () if raised.place == origin.place else (raised,)
        how = _how(failure)
        yield RequiredRead(origin.name, origin.place, how, related, others)


def _how(failure: Failure) -> str:
    exception = failure.exception.rpartition(".")[2]
    if exception == "SystemExit":
        return "the process exits"
    return f"{exception} is raised"
