"""Pages of the application's own: what shows that it answers browsers with more than data."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hfcheck.space.code.scan import Scan, Site
from hfcheck.space.code.trace import Tracer, keyword, last_name, returns
from hfcheck.space.value import Origin

_MAKERS = frozenset(
    {
        "HTMLResponse",
        "Jinja2Templates",
        "StaticFiles",
        "StaticFilesConfig",
        "TemplateResponse",
        "add_static",
        "create_static_files_router",
        "mount_chainlit",
        "mount_gradio_app",
        "render_template",
        "render_template_string",
        "send_from_directory",
        "send_static_file",
        "static_file",
    }
)
"""Calls that mean pages."""
_INTERFACES = frozenset({"nicegui.ui.run_with", "nicegui.ui.page"})
"""Calls that mean pages, by their full names, as the last ones alone say too little."""
_FILES = frozenset({"FileResponse", "send_file"})
"""Calls that answer with a file, which may be a page."""
_TYPED = ("mimetype", "media_type", "content_type")
_HTML_ENDS = (".html", ".htm")
_HTML_STARTS = ("<!doctype html", "<html")
_KEEPS_TEXT = frozenset(
    {"read", "read_text", "render", "format", "replace", "substitute", "safe_substitute", "strip"}
)
"""Methods whose answer is the text of a page where what they are called on is one."""
_MOST_LOOKED_AT = 200
"""So many answers are followed to the text or file that they give."""


class PagesReader:
    """Looks for pages in the modules of a tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self._left = _MOST_LOOKED_AT

    def first(self) -> Origin | None:
        """The first place that shows pages; None where nothing does."""
        for each in self.tracer.scans.values():
            for place in self._in_calls(each):
                return Origin(each.module.place(place), "pages of its own")
        for each in self.tracer.scans.values():
            for place in self._in_answers(each):
                return Origin(each.module.place(place), "pages of its own")
        return None

    def _in_calls(self, each: Scan) -> Iterator[ast.expr]:
        for site in each.calls:
            call = site.node
            assert isinstance(call, ast.Call)
            answer = keyword(call, "response_class") or keyword(call, "default_response_class")
            if answer is not None and last_name(answer) == "HTMLResponse":
                yield answer
            elif self._makes_page(site, call):
                yield call.func

    def _makes_page(self, site: Site, call: ast.Call) -> bool:
        name = last_name(call.func)
        if name in _MAKERS or any(_is_html_type(keyword(call, key)) for key in _TYPED):
            return True
        if name in _FILES:
            return self._gives_page([site.at(given) for given in _given(call)])
        if name[:1].isupper():
            return self._is_kind_of_maker(site, call.func)
        ends = {interface.rpartition(".")[2] for interface in _INTERFACES}
        return name in ends and self.tracer.qualified(site, call.func) in _INTERFACES

    def _is_kind_of_maker(self, site: Site, function: ast.expr) -> bool:
        """Whether a class of the image is called that derives from one that makes pages."""
        found = self.tracer.python.definition(site.module, function, site.function)
        if found is None or found.module is None or not isinstance(found.node, ast.ClassDef):
            return False
        bases = self.tracer.outside_bases(Site(found.node, found.module))
        return any(base.rpartition(".")[2] in _MAKERS for base in bases)

    def _in_answers(self, each: Scan) -> Iterator[ast.expr]:
        """Functions with a route whose answer is a text that is a page, or the text of one."""
        text = each.module.source.text.lower()
        if ".htm" not in text and not any(start in text for start in _HTML_STARTS):
            return
        for site in each.functions:
            function = site.node
            assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
            if not any(isinstance(made, ast.Call) for made in function.decorator_list):
                continue
            answers = returns(function, each.module, site.cls)
            texts = [answer for answer in answers if _may_be_text(answer.node)]
            if texts and self._gives_page(texts):
                yield function.decorator_list[0]

    def _gives_page(self, sites: list[Site]) -> bool:
        """Whether a page, or the name of a file with one, takes part in the values."""
        for site in sites:
            self._left -= 1
            if self._left < 0:
                return False
            trace = self.tracer.trace(site)
            if any(_is_page(text) for text, _ in trace.texts):
                return True
        return False


def _given(call: ast.Call) -> list[ast.expr]:
    path = keyword(call, "path") or keyword(call, "path_or_file")
    return [*call.args[:1], *([path] if path is not None else [])]


def _may_be_text(node: ast.AST) -> bool:
    """Whether an answer can be the text of a page: no dict, list, or call that makes one."""
    if isinstance(node, ast.Call):
        return last_name(node.func) in _KEEPS_TEXT
    return isinstance(node, (ast.Constant, ast.JoinedStr, ast.Name, ast.Attribute, ast.BinOp))


def _is_page(text: str) -> bool:
    start = text[:200].lstrip().lower()
    return start.startswith(_HTML_STARTS) or text.lower().endswith(_HTML_ENDS)


def _is_html_type(node: ast.expr | None) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.lower().startswith("text/html")
    )
