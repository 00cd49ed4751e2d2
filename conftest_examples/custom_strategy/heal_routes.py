"""Heals tests that ask for a route by the path it had before it moved."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Example, Strategy, Tactic

APP = 'MOVED = {"/basket": "/cart"}\n\n\ndef get(path):\n    return 200 if path in ("/", "/cart") else 404\n'
TEST = 'import app\n\n\ndef test_page():\n    assert app.get("%s") == 200\n'


class MovedRoute(Tactic):
    name = "moved_route"
    summary = "A route that the product's own table MOVED lists is asked for by its new path."
    patterns = frozenset({FailurePattern.ASSERTION_FAILURE})
    applicability = Applicability.SAFE
    evidence = ("table",)
    heals = (Example("a moved route", {"app.py": APP, "test_app.py": TEST % "/basket"}, {"test_app.py": TEST % "/cart"}),)
    declines = (Example("a route that is gone", {"app.py": APP, "test_app.py": TEST % "/imprint"}, why="no table says where it went"),)

    def propose(self, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        source = ctx.source(failure.path)
        if source is None or source.tree is None or failure.location is None:
            return
        moved = dict(moved_routes(ctx))
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Constant) and node.lineno == failure.location.line and node.value in moved:
                new, where = moved[node.value]
                yield Proposal(
                    "routes",
                    self.name,
                    (source.replace_node(node, f'"{new}"'),),
                    (Evidence("table", f"{node.value} moved to {new}", where, 0.95),),
                    self.applicability,
                    f"{node.value} is {new} now",
                    nodeids=(failure.nodeid,),
                    meaning=f"{node.value} is {new}",
                )


def moved_routes(ctx: Context) -> Iterator[tuple[str, tuple[str, str]]]:
    """Old path -> (new path, where that is said), from every table MOVED of the product."""
    for path in ctx.files.product_files:
        source = ctx.source(path)
        for node in source.tree.body if source is not None and source.tree is not None else ():
            if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["MOVED"]:
                for old, new in ast.literal_eval(node.value).items():
                    yield old, (new, f"{path}:{node.lineno}")


class Routes(Strategy):
    name = "routes"
    title = "Routes"
    summary = "Knows the shop's table of moved routes."
    tactics = (MovedRoute(),)


def pytest_heal_strategies(config):
    return [Routes()]
