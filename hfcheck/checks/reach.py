"""Checks of the moment `reach`: the Space starts, and its port does not answer."""

from __future__ import annotations

from collections.abc import Iterator

from hfcheck.checks import check
from hfcheck.finding import Finding, finding
from hfcheck.source import Place, Span
from hfcheck.space.launch import launchers, servecalls
from hfcheck.space.launch.launch import Listener
from hfcheck.space.model import Space
from hfcheck.space.value import Known, Origin


@check("wrong-port")
def wrong_port(space: Space) -> Iterator[Finding]:
    """The public process listens on another port than the Space publishes."""
    public = space.launch.public if space.launch else None
    wanted = space.card.app_port
    if public is None or wanted is None or not isinstance(public.port, Known):
        return
    port = public.port.value
    if port == wanted:
        return
    at, others = _nearest(public.port, public, str(port))
    why = "`app_port`" if "app_port" in space.card.values else "`app_port` is not set"
    literal = str(port) in at.text
    here = (
        f"Write `{wanted}` instead of `{port}` here"
        if literal
        else (f"Make {public.server} listen on {wanted}")
    )
    yield finding(
        "wrong-port",
        f"{public.server} listens on port {port}, but the Space publishes {wanted} ({why})",
        at,
        label=f"port {port}",
        related=[*_app_port(space), *others],
        fix=f"{here}, or write `app_port: {port}` in the front matter of README.md.",
    )


@check("loopback-host")
def loopback_host(space: Space) -> Iterator[Finding]:
    """The public process listens inside the container only."""
    public = space.launch.public if space.launch else None
    if public is None or not public.internal or not isinstance(public.host, Known):
        return
    host = str(public.host.value)
    at, others = _nearest(public.host, public, host)
    port = public.port.value if isinstance(public.port, Known) else space.card.app_port or 7860
    if host in at.text:
        fix = f"Write `0.0.0.0` instead of `{host}`."
    else:
        text = launchers.opening(public.server, port) or servecalls.opening(public.server)
        fix = f"Add `{text or '0.0.0.0 as its host'}`."
    yield finding(
        "loopback-host",
        f"{public.server} listens on {host}, which only the container itself can reach",
        at,
        label=f"host {host}",
        related=others,
        fix=fix,
    )


def _nearest(
    value: Known[int] | Known[str | None], listener: Listener, text: str
) -> tuple[Place, list[Origin]]:
    """The place nearest to the server that holds the text of its port or host, and the others
    that take part, with the way from CMD to the server.
    """
    literal = [origin.place for origin in value.origins if text in origin.place.text]
    places = literal or [origin.place for origin in value.origins]
    at = places[0] if places else listener.place
    told = [origin for origin in value.origins if origin.place != at and origin.note]
    way = [
        step
        for step in listener.steps
        if not _overlaps(step.place, at)
        and not any(_inside(other.place, step.place) for other in listener.steps)
    ]
    return at, [*told, *way]


def _inside(inner: Place, outer: Place) -> bool:
    """Whether a place is a true part of another, which then need not be shown too."""
    return (
        inner != outer
        and inner.source is outer.source
        and (outer.span.start <= inner.span.start and inner.span.end <= outer.span.end)
    )


def _overlaps(outer: Place, inner: Place) -> bool:
    return (
        outer.source is inner.source
        and outer.span.start < inner.span.end
        and inner.span.start < outer.span.end
    )


def _app_port(space: Space) -> list[Origin]:
    """The front matter's `app_port`, or the key beside which it is missing."""
    values = space.card.values
    found = values.get("app_port")
    if found is not None:
        span = Span(found.key.span.start, found.place.span.end)
        return [Origin(Place(found.key.source, span), "the port that the Space publishes")]
    sdk = values.get("sdk")
    return [Origin(sdk.key, "no `app_port` here: 7860 counts")] if sdk is not None else []
