"""Which functions of the loaded modules anything could call, told by their names alone."""

from __future__ import annotations

import ast
from collections import defaultdict

from hfcheck.space.code.python import FunctionNode
from hfcheck.space.code.scan import Scan, Site
from hfcheck.space.code.trace import Tracer


class LiveFunctions:
    """A function is live where its name is read at module level or in a live function, where it
    is decorated or special, or where it is a method that a library's class may call.
    """

    def __init__(self, tracer: Tracer, called: frozenset[str] = frozenset()) -> None:
        self._tracer = tracer
        self.names: set[str] = set()
        self._live: set[int] = set()
        asleep: dict[str, list[tuple[FunctionNode, Scan]]] = defaultdict(list)
        woken: list[tuple[FunctionNode, Scan]] = []
        fresh: set[str] = set(called)
        for each in tracer.scans.values():
            fresh |= each.reads.get(0, set())
            for site in each.functions:
                assert isinstance(site.node, (ast.FunctionDef, ast.AsyncFunctionDef))
                if self._called_by_others(site):
                    woken.append((site.node, each))
                else:
                    asleep[site.node.name].append((site.node, each))
        while woken or fresh:
            for function, each in woken:
                self._live.add(id(function))
                fresh |= each.reads.get(id(function), set())
            fresh -= self.names
            self.names |= fresh
            woken = [found for name in fresh for found in asleep.pop(name, [])]
            fresh = set()

    def _called_by_others(self, site: Site) -> bool:
        node = site.node
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if node.decorator_list or node.name.startswith("__"):
            plain = {"staticmethod", "classmethod", "property"}
            names = {d.id if isinstance(d, ast.Name) else "" for d in node.decorator_list}
            return not names or not names <= plain
        if site.cls is None:
            return False
        bases = self._tracer.outside_bases(Site(site.cls, site.module))
        return any(base.rpartition(".")[2] not in _NEVER_CALL for base in bases)

    def runs(self, site: Site) -> bool:
        """Whether what stands at a site could run: it is at module level, or in a live function."""
        return site.function is None or id(site.function) in self._live


_NEVER_CALL = frozenset({"object", "ABC", "Enum", "str", "Exception", "BaseModel", "BaseSettings"})
"""Bases that call no method of a class by themselves."""
