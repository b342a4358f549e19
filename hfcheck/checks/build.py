"""Checks of the moment `build`: whether the image can be built."""

from __future__ import annotations

from collections.abc import Iterator

from hfcheck.checks import check
from hfcheck.finding import Finding, Severity, finding
from hfcheck.space.image.image import MissingSource
from hfcheck.space.model import Space
from hfcheck.space.value import Origin


@check("copy-source-missing")
def copy_source_missing(space: Space) -> Iterator[Finding]:
    """A COPY or ADD takes a path that the build does not see.

    A warning where the folder is put together before the upload: it may have more in it then.
    Likewise where .gitignore keeps the source back: it may be committed all the same.
    """
    if space.image is None:
        return
    site = space.site
    rebuilt = site.dockerfile_name_needed or site.context != site.root
    for missing in dict.fromkeys(space.image.missing_sources):
        by = missing.ignored_by or missing.kept_back_by
        label = "this line leaves it out" if missing.ignored_by else "this line keeps it back"
        yield finding(
            "copy-source-missing",
            _message(missing),
            missing.instruction.word_place(missing.word),
            related=[Origin(by, label)] if by else [],
            severity=Severity.warning if rebuilt or missing.kept_back_by else None,
            fix=_fix(missing),
        )


def _message(missing: MissingSource) -> str:
    taken = f"{missing.instruction.name} takes `{missing.path}`"
    if missing.ignored_by is not None:
        name = missing.ignored_by.source.path.name
        return f"{taken}, which {name} leaves out of the build (`{missing.ignored_by.text}`)"
    if missing.kept_back_by is not None:
        line = missing.kept_back_by.text
        return (
            f"{taken}, which .gitignore keeps back (`{line}`): the Space lacks it unless committed"
        )
    return f"{taken}, which is not in the folder that is built"


def _fix(missing: MissingSource) -> str:
    if missing.ignored_by is not None:
        name = missing.ignored_by.source.path.name
        return f"Add the line `!{missing.path}` at the end of {name}, or take this source out."
    if missing.kept_back_by is not None:
        return (
            "Make it in the build (a RUN, or a stage of its own), or take the line out of "
            ".gitignore and commit it; if it holds secrets, set them in the Space's settings "
            "instead."
        )
    if missing.similar is not None:
        return f"Write `{missing.similar}`, which is there."
    return f"Upload `{missing.path}` with the Space, or take this source out."
