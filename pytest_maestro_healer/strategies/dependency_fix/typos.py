"""Mistyped modules and names in imports: only where the line is new, so that a removed name is never taken for a typo."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.live import suggest
from pytest_maestro_healer.model import Applicability, Evidence, Follows
from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.migrate import import_line
from pytest_maestro_healer.strategies.dependency_fix.moved import _exists as exists
from pytest_maestro_healer.strategies.dependency_fix.plans import Plan, Planner
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, uses
from pytest_maestro_healer.strategies.dependency_fix.tactic import ImportTactic


def is_new_text(path: str, line_text: str, ctx: Context) -> bool | None:
    """Whether a line is not in the last commit; ``None`` where there is no git to ask."""
    if not ctx.git.available:
        return None
    before = ctx.git.bytes_at(path)
    return before is None or line_text.strip().encode("utf-8", "surrogateescape") not in before


def stood_before(path: str, word: str, ctx: Context) -> bool:
    """Whether the last commit's file has the word: what was used there has been removed or renamed since, however new the line is."""
    before = ctx.git.bytes_at(path) if ctx.git.available else None
    return before is not None and re.search(rb"\b" + re.escape(word.encode("utf-8", "surrogateescape")) + rb"\b", before) is not None


def looks_mistyped(wrong: str, right: str) -> bool:
    """Letters swapped, doubled or dropped: the same letters, or one letter more or less inside the word."""
    if sorted(wrong) == sorted(right):
        return True
    a, b = sorted((wrong, right), key=len)
    return (
        len(b) - len(a) == 1
        and len(a) >= 4
        and b.startswith(a[0])
        and not b.endswith(("s", "d", "_"))
        and any(b[:i] + b[i + 1 :] == a for i in range(1, len(b)))
    )


def near_names(wrong: str, names: Iterable[str]) -> Sequence[str]:
    """The names of the same letters in another order; where there is none, those that CPython would suggest."""
    known = list(dict.fromkeys(names))
    letters = sorted(wrong)
    return [n for n in known if n != wrong and len(n) == len(wrong) >= 3 and sorted(n) == letters] or suggest(wrong, known)


def plan(site: Site, ctx: Context) -> Sequence[Plan]:
    """The nearest name, if exactly one is near and nothing was ever called as the import says.

    The import line is new, or it is committed (or there is no git to ask) and can only be a slip.
    """
    path = site.src.path
    new = is_new_text(path, site.src.lines[site.node.lineno - 1], ctx)
    if new and stood_before(path, site.name or site.module, ctx):
        return ()
    if exists(site.module, ctx):
        if not site.name or ctx.symbols.provides(site.module, site.name):
            return ()
        info = ctx.symbols.module(site.module)
        names = [*(info.definitions if info is not None else ()), *(ctx.live.names(site.module) if ctx.live.module(site.module) else ())]
        wrong, near = site.name, tuple(near_names(site.name, names))
        targets = [f"{site.module}.{n}" for n in near]
        if not site.alias.asname and near and not any(uses(site.scope, n) for n in (site.bound, *near)):
            return ()  # neither spelling is in use: there is nothing to import
    else:
        wrong, near, targets = _module_targets(site, ctx)
    if len(targets) != 1 or (not new and not looks_mistyped(wrong, near[0])) or (new is False and ctx.git.ever_in(wrong) != frozenset((path,))):
        return ()
    target = targets[0]
    known = {True: ", and the line is not committed", False: ", and no other file ever had that word", None: ""}[new]
    fact = Evidence("symbol", f"{wrong} does not exist, {near[0]} is the only near name{known}", target, 0.8)
    old = site.dotted if site.name else site.module
    return [
        Plan(
            "import_typo",
            Applicability.REVIEW if new is False else Applicability.SAFE,
            (fact,),
            f"{old} is meant to be {target}",
            f"{old} was mistyped for {target}",
            0.8,
            lambda e: _apply(site, target, ctx, e),
        )
    ]


def _module_targets(site: Site, ctx: Context) -> tuple[str, tuple[str, ...], list[str]]:
    """(the word of a module's name that does not exist, words near it, what the import would be with each that has what it asks for)."""
    parts = site.module.split(".")
    at = next(n for n in range(len(parts)) if not exists(".".join(parts[: n + 1]), ctx))
    parent, wrong, rest = ".".join(parts[:at]), parts[at], parts[at + 1 :]
    if parent:
        known = {m[len(parent) + 1 :].partition(".")[0] for m in ctx.symbols.package(parts[0]) if m.startswith(parent + ".")}
    else:
        known = {m.partition(".")[0] for m in ctx.symbols.project_modules()} | set(sys.stdlib_module_names) | set(ctx.distributions.import_names())
    found: dict[str, str] = {}
    for word in near_names(wrong, sorted(known)):
        module = ".".join([*([parent] if parent else ()), word, *rest])
        if (not rest or exists(module, ctx)) and (not site.name or ctx.symbols.provides(module, site.name) or ctx.live.has(module, site.name)):
            found[word] = f"{module}.{site.name}" if site.name else module
    return wrong, tuple(found), list(found.values())


def _apply(site: Site, target: str, ctx: Context, editor: FileEditor) -> None:
    """The import is corrected; a name that the code uses in its right spelling needs nothing more, else its uses are corrected too."""
    last = target.rpartition(".")[2]
    if site.alias.asname or not uses(site.scope, site.bound):
        bound = site.bound if site.alias.asname else last
        editor.instead(site, import_line(target, bound, ctx) if site.name or site.alias.asname else f"import {target}")
        return
    for name in uses(site.scope, site.bound):
        editor.replace_node(name, last if site.name else target.partition(".")[0])
    editor.instead(site, import_line(target, last, ctx) if site.name else f"import {target}")


class ImportTypo(ImportTactic):
    name = "import_typo"
    summary = "A mistyped module or name in a new import line is corrected to the only near one that exists."
    applicability = Applicability.SAFE
    follows = Follows.LIBRARY
    evidence = ("symbol", "git")
    sources = ("CPython's suggestions, Lib/traceback.py",)
    heals = (
        Example(
            "letters swapped in an imported name",
            {
                "shop/__init__.py": "",
                "shop/util.py": "def total(items):\n    return sum(items)\n",
                "test_total.py": "from shop.util import toatl\n\n\ndef test_total():\n    assert toatl([1, 2]) == 3\n",
            },
            {"test_total.py": "from shop.util import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"},
        ),
        Example(
            "a mistyped module",
            {"test_j.py": "import jsno\n\n\ndef test_j():\n    assert jsno.loads('1') == 1\n"},
            {"test_j.py": "import json\n\n\ndef test_j():\n    assert json.loads('1') == 1\n"},
        ),
        Example(
            "a mistyped package of a module",
            {"test_p.py": "from unitteest.mock import Mock\n\n\ndef test_p():\n    assert Mock(a=1).a == 1\n"},
            {"test_p.py": "from unittest.mock import Mock\n\n\ndef test_p():\n    assert Mock(a=1).a == 1\n"},
        ),
        Example(
            "a committed slip",
            {
                "shop/__init__.py": "",
                "shop/util.py": "def total(items):\n    return sum(items)\n\n\ndef mean(items):\n    return total(items) / len(items)\n",
                "test_total.py": "from shop.util import ttotal\n\n\ndef test_total():\n    assert ttotal([1, 2]) == 3\n",
            },
            {"test_total.py": "from shop.util import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"},
            head={
                "shop/__init__.py": "",
                "shop/util.py": "def total(items):\n    return sum(items)\n",
                "test_total.py": "from shop.util import ttotal\n\n\ndef test_total():\n    assert ttotal([1, 2]) == 3\n",
            },
        ),
        Example(
            "mistyped in the import alone",
            {
                "shop/__init__.py": "",
                "shop/util.py": "def total(items):\n    return sum(items)\n",
                "test_total.py": "from shop.util import toatl\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n",
            },
            {"test_total.py": "from shop.util import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"},
        ),
    )
    declines = (
        Example(
            "a committed import of what was once there",
            {
                "shop/__init__.py": "",
                "shop/util.py": "def total(items):\n    return len(items)\n",
                "test_total.py": "from shop.util import toatl\n\n\ndef test_total():\n    assert toatl([1, 1]) == 2\n",
            },
            head={
                "shop/__init__.py": "",
                "shop/util.py": "def toatl(items):\n    return sum(items)\n\n\ndef total(items):\n    return len(items)\n",
                "test_total.py": "from shop.util import toatl\n\n\ndef test_total():\n    assert toatl([1, 1]) == 2\n",
            },
            why="the product did have that name, however mistyped it looks: it was removed",
        ),
        Example(
            "a removed class with a near neighbour",
            {
                "shop/__init__.py": "",
                "shop/caches.py": "class LRUCache(dict):\n    pass\n",
                "test_c.py": "from shop.caches import MRUCache\n\n\ndef test_c():\n    assert MRUCache() == {}\n",
            },
            head={
                "shop/__init__.py": "",
                "shop/caches.py": "class LRUCache(dict):\n    pass\n\n\nclass MRUCache(dict):\n    pass\n",
                "test_c.py": "from shop.caches import MRUCache\n\n\ndef test_c():\n    assert MRUCache() == {}\n",
            },
            why="the line worked at the last commit: MRUCache was removed, LRUCache is something else",
        ),
        Example(
            "a removed function whose import was moved into its test",
            {
                "shop/__init__.py": "",
                "shop/stock.py": "def increment(n):\n    return n + 1\n",
                "test_s.py": "def test_s():\n    from shop.stock import decrement\n\n    assert decrement(1) is not None\n",
            },
            head={
                "shop/__init__.py": "",
                "shop/stock.py": "def increment(n):\n    return n + 1\n\n\ndef decrement(n):\n    return n - 1\n",
                "test_s.py": "from shop.stock import decrement\n\n\ndef test_s():\n    assert decrement(1) is not None\n",
            },
            why="the line is new, the name is not: decrement was removed, increment is its opposite",
        ),
    )

    def planner(self) -> Planner:
        return plan
