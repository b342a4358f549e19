"""The command line: reads the options, runs the engine, writes one report, sets the exit code."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hfcheck import __version__

if TYPE_CHECKING:
    from hfcheck.engine import Report

CLEAN, FINDINGS, USAGE, NOTHING, FAULT = range(5)
"""Exit codes, the same for every format: nothing found, findings at or above `--fail-on`, wrong
usage or configuration, nothing to check, a fault of hfcheck itself."""


class _Commands(click.Group):
    """The commands; without the name of one, the words are those of `check`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = (*self.commands, "-h", "--help", "--version")
        if not args or args[0] not in own:
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="hfcheck %(version)s")
def main() -> None:
    """Check backends before they become Docker Spaces on Hugging Face.

    `hfcheck PATH...` is short for `hfcheck check PATH...`; a folder that is named like a command
    is written `./rules`.
    """
    _make_printable()


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    help="Lowest severity that makes the exit code 1 (default: error).",
)
@click.option("--show-facts", is_flag=True, help="Print what was worked out about each Space.")
@click.option("--show-files", is_flag=True, help="Print which folders are checked or skipped.")
@click.option("--dockerfile", type=click.Path(path_type=Path), help="The Dockerfile to check.")
@click.option("--readme", type=click.Path(path_type=Path), help="The README that holds the card.")
@click.option("--context", type=click.Path(path_type=Path), help="The build context.")
@click.option("--debug", is_flag=True, help="Print the traceback of a fault of hfcheck itself.")
def check(
    paths: tuple[Path, ...],
    form: str,
    fail_on: str | None,
    show_facts: bool,
    show_files: bool,
    dockerfile: Path | None,
    readme: Path | None,
    context: Path | None,
    debug: bool,
) -> None:
    """Check the Spaces at each PATH.

    A PATH is a folder (default: the current one): the Space itself, or one that holds Spaces.
    """
    if len(paths) > 1 and (dockerfile or readme or context):
        raise _Misused("--dockerfile, --readme and --context go with one PATH")
    there = _existing(paths)
    named = (
        _file(dockerfile, there[0]),
        _file(readme, there[0]),
        _folder(context, there[0]),
    )
    try:
        report, empty = _check(there, named)
        text = _rendered(report, form, show_facts=show_facts)
    except Exception as error:
        sys.exit(_failed(error, debug=debug))
    if show_files:
        _tell_files(report)
    for path in empty:
        _tell_nothing(path, report)
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except OSError as error:
        click.echo(f"hfcheck: the report can't be written: {error.strerror}", err=True)
        # What is still buffered would fail once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAULT)
    sys.exit(_exit_code(report, fail_on, debug=debug) if len(there) >= len(paths) else USAGE)


@main.command()
def rules() -> None:
    """List the rules, by the moment at which the Space would break."""
    from hfcheck.catalogue import rule, rule_files
    from hfcheck.report import pages

    click.echo(pages.listing([rule(name) for name in rule_files()]), nl=False)


@main.command()
@click.argument("name")
def explain(name: str) -> None:
    """Show the rule NAME: what it finds, what the owner sees, what to do, with examples."""
    from hfcheck.catalogue import rule, rule_files
    from hfcheck.report import pages

    if name not in rule_files():
        raise _Misused(pages.unknown(name, list(rule_files())))
    click.echo_via_pager(pages.page(rule(name)))


def _existing(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The paths that are there; the others are told, and keep no path from being checked."""
    missing = [path for path in paths if not path.exists()]
    for path in missing:
        click.echo(f"hfcheck: there is no {_named(path)}", err=True)
    if paths and len(missing) == len(paths):
        sys.exit(USAGE)
    return tuple(path for path in paths if path not in missing) or (Path(),)


def _file(path: Path | None, base: Path) -> Path | None:
    """A file that an option names: from the current folder, else from the one that is checked."""
    found = _found(path, base)
    if found is not None and not found.is_file():
        raise _Misused(f"{_named(found)} is no file")
    return found


def _folder(path: Path | None, base: Path) -> Path | None:
    found = _found(path, base)
    if found is not None and not found.is_dir():
        raise _Misused(f"{_named(found)} is no folder")
    return found


def _found(path: Path | None, base: Path) -> Path | None:
    if path is None:
        return None
    return (path if path.exists() else base / path).resolve()


def _failed(error: Exception, *, debug: bool) -> int:
    """Tell what kept the run from a report, in one line, and give the exit code."""
    from hfcheck.config import ConfigError

    if isinstance(error, ConfigError):
        click.echo(f"hfcheck: {error}", err=True)
        return USAGE
    if debug:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
    kind = type(error).__name__
    click.echo(f"hfcheck: a fault of hfcheck itself: {kind} (--debug shows where)", err=True)
    return FAULT


class _Misused(click.ClickException):
    """Wrong usage, told in one line."""

    exit_code = USAGE


def _make_printable() -> None:
    """What the terminal's encoding lacks is written as an escape, never as a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _named(path: Path) -> str:
    from hfcheck.report.mask import harmless

    return harmless(str(path))


def _check(
    paths: tuple[Path, ...], named: tuple[Path | None, Path | None, Path | None]
) -> tuple[Report, list[Path]]:
    """The report over all paths, and the paths at which there is nothing to check."""
    from hfcheck.engine import Report, check_path
    from hfcheck.space.site.discover import Overrides

    report, overrides = Report(), Overrides(*named)
    empty: list[Path] = []
    for path in paths:
        part = check_path(path.resolve(), None, overrides)
        known = {item.space.site.root for item in report.spaces}
        report.spaces += [i for i in part.spaces if i.space.site.root not in known]
        report.skipped += part.skipped
        if not part.spaces:
            empty.append(path)
    return report, empty


def _rendered(report: Report, form: str, *, show_facts: bool) -> str:
    if form == "json":
        from hfcheck.report import json

        return json.render(report, show_facts=show_facts)
    from hfcheck.report import text

    if not show_facts:
        return text.render(report)
    from hfcheck.report.facts import lines

    return text.render(report, facts=[line for item in report.spaces for line in lines(item.space)])


def _tell_files(report: Report) -> None:
    from hfcheck.report.mask import shown
    from hfcheck.report.paths import shown_path

    for item in report.spaces:
        site = item.space.site
        click.echo(f"checked {shown_path(site.root)}", err=True)
        for note in site.notes:
            click.echo(f"  {shown(note)}", err=True)
    for skipped in report.skipped:
        click.echo(f"skipped {shown_path(skipped.path)}: {shown(skipped.reason)}", err=True)


def _tell_nothing(path: Path, report: Report) -> None:
    here = path.resolve()
    reasons = [s.reason for s in report.skipped if s.path == here]
    why = reasons[0] if reasons else "there is no Dockerfile and no front matter of a Space"
    click.echo(f"hfcheck: nothing to check in {_named(path)}: {why}", err=True)


def _exit_code(report: Report, fail_on: str | None, *, debug: bool) -> int:
    from hfcheck.engine import severity_of
    from hfcheck.finding import Severity

    faults = [fault for item in report.spaces for fault in item.space.faults]
    if faults:
        for fault in faults if debug else ():
            click.echo(fault.traceback, err=True)
        return FAULT
    if not report.spaces:
        return NOTHING
    for item in report.spaces:
        threshold = fail_on or item.config.fail_on
        if threshold == "never":
            continue
        if any(severity_of(found) >= Severity[threshold] for found in item.findings):
            return FINDINGS
    return CLEAN
