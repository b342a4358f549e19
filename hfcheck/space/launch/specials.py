"""Programs whose work is written in files of their own: nginx, supervisord, make, npm, node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from hfcheck.space.launch import nodejs, procfiles, projects, proxyconf
from hfcheck.space.launch.process import (
    Result,
    Stopped,
    companion,
    literal,
    running,
    word_text,
)
from hfcheck.space.launch.supervisord import Supervised, supervised
from hfcheck.space.shell.host import Blocks, Call, Returns, Running, Unclear
from hfcheck.space.value import Known

if TYPE_CHECKING:
    from hfcheck.space.launch.container import Container


def proxy(container: Container, call: Call) -> Result:
    """Nginx or caddy: the public port is in its configuration."""
    listeners = proxyconf.listeners(container.image, call)
    if isinstance(listeners, (Unclear, Stopped)):
        return listeners
    if proxyconf.goes_to_background(container.image, call):
        return Returns(
            0, running=tuple(running(replace(each, foreground=False)) for each in listeners)
        )
    return Blocks(tuple(running(each) for each in listeners))


def supervisor(container: Container, call: Call) -> Result:
    """supervisord: every program of its configuration."""
    found = supervised(container.image, call)
    if not isinstance(found, Supervised):
        return found
    if found.background:
        reason = "supervisord goes to the background (`nodaemon=true` keeps it), and the rest ends"
        return Stopped(reason, call.place, 0)
    ran = [(each, container.start(each)) for each in found.programs]
    return _together(container, ran, call)


def procfile(container: Container, call: Call) -> Result:
    """Honcho or foreman: the processes of the Procfile, all of which end with the first."""
    run = procfiles.process_run(container.image, call)
    if run is not None:
        return container.start(run)
    programs = procfiles.processes(container.image, call)
    if isinstance(programs, (Unclear, Stopped, Returns)):
        return programs
    ran: list[tuple[Call, Result]] = []
    for each in programs:
        text = word_text(each.argv[0]) or ""
        result = container.shell(text, each.argv[0].place, each, json=False)
        if isinstance(result, Stopped):
            return result
        if isinstance(result, Returns) and not result.running:
            return Stopped(f"`{text}` ends, which ends the others too", each.place, 0)
        ran.append((each, result))
    return _together(container, ran, call)


def _together(container: Container, ran: list[tuple[Call, Result]], call: Call) -> Result:
    """Programs that run side by side until they end."""
    found: list[Running] = []
    unclear: list[Unclear] = []
    missing: list[Running] = []
    for each, result in ran:
        if isinstance(result, Stopped):
            container.stopped[each.place] = result
            missing.append(companion(Unclear(result.reason), each))
        elif isinstance(result, (Blocks, Returns)):
            found.extend(result.running)
            if isinstance(result, Returns) and result.status:
                missing.append(companion(Unclear("a program ends with an error"), each))
        else:
            unclear.append(result)
    if unclear and not found:
        return unclear[0]
    if found:
        # What does not start, or is not known, was meant to be reached perhaps.
        found += [*missing, *(companion(each, call) for each in unclear)]
    return Blocks(tuple(replace(each, foreground=False) for each in found))


def service(container: Container, call: Call) -> Result:
    """`service NAME start` and `systemctl start NAME`: a daemon in the background."""
    words = [word_text(word) or "" for word in call.argv[1:]]
    plain = [word for word in words if not word.startswith("-")]
    if word_text(call.argv[0]) in ("systemctl", "/bin/systemctl"):
        plain = [*plain[1:2], *plain[:1]]
    name, verb = (*plain, "", "")[:2]
    if verb not in ("start", "restart") or name.removesuffix(".service") not in _FRONTS:
        return Returns(None)
    program = literal(name.removesuffix(".service"), call.place)
    result = container.start(replace(call, argv=(program,), background=True))
    if isinstance(result, Unclear):
        return Returns(0, running=(companion(result, call),))
    if isinstance(result, Blocks):
        return Returns(0, running=tuple(replace(r, foreground=False) for r in result.running))
    return result


_FRONTS = frozenset({"nginx", "apache2", "httpd", "caddy", "haproxy", "traefik", "envoy",
                     "lighttpd", "varnish", "openresty", "supervisor", "squid"})  # fmt: skip
"""Services that may answer for a server behind them; the others are databases and the like."""


def make(container: Container, call: Call) -> Result:
    """Make TARGET: the lines of its recipe."""
    recipe = projects.recipe(container.image, call)
    if isinstance(recipe, (Unclear, Stopped)):
        return recipe
    return container.shell(recipe.text, recipe.place, call, json=False)


def package_script(container: Container, call: Call) -> Result:
    """Npm start, yarn start, pnpm run X: the script of package.json."""
    script = projects.package_script(container.image, call)
    if isinstance(script, (Unclear, Stopped, Returns)):
        return script
    folder = replace(call, cwd=Known(script.folder))
    return container.shell(script.text, script.place, folder, json=True)


def node(container: Container, call: Call) -> Result:
    """Node FILE."""
    return nodejs.node(container.image, call)


PROGRAMS: Mapping[str, Callable[[Container, Call], Result]] = {
    "nginx": proxy,
    "caddy": proxy,
    "supervisord": supervisor,
    "service": service,
    "systemctl": service,
    "honcho": procfile,
    "foreman": procfile,
    "overmind": procfile,
    "make": make,
    "npm": package_script,
    "yarn": package_script,
    "pnpm": package_script,
    "bun": package_script,
    "node": node,
    "nodejs": node,
    "tsx": node,
    "ts-node": node,
}
