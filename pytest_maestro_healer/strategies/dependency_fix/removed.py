"""Names that left the standard library, and Python 2 compatibility helpers that left everybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence, Failure, Follows, Proposal
from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.dependency_fix import table_six, table_stdlib
from pytest_maestro_healer.strategies.dependency_fix.cause import missing
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.migrate import Lookup, apply_rules, resolve_uses, table_lookup
from pytest_maestro_healer.strategies.dependency_fix.plans import STRATEGY, Plan, Planner
from pytest_maestro_healer.strategies.dependency_fix.rules import Rule
from pytest_maestro_healer.strategies.dependency_fix.sites import Site
from pytest_maestro_healer.strategies.dependency_fix.tactic import ImportTactic

_STDLIB = table_lookup(table_stdlib.RULES)
_SIX = table_lookup(table_six.six_rules())


def table_plan(site: Site, look: Lookup, ctx: Context, tactic: str) -> Sequence[Plan]:
    """The plan that rewrites one import and all its uses by table rows; none where a use has no row or does not fit it."""
    resolved = resolve_uses(site, look)
    own = look(site.dotted)
    if resolved is None or not (resolved or own):
        return ()
    rules = [r for _, r, _ in resolved] or ([own[0]] if own else [])
    try:
        trial = FileEditor(site.src)
        apply_rules(site, look, ctx, trial)
        trial.edits()
    except EditError:
        return ()
    if any(r.kind == "move" and not _available(r.to, ctx) for r in rules):
        return ()
    successors = sorted({r.to or r.kind for r in rules})
    facts = tuple(dict.fromkeys(Evidence("docs", _sentence(site, r), r.source, 0.85 if r.same else 0.6) for r in rules))
    return [
        Plan(
            tactic,
            Applicability.SAFE if all(r.same for r in rules) else Applicability.REVIEW,
            facts,
            f"{site.dotted} is {', '.join(successors)}",
            f"{site.dotted} is replaced by its documented successor: {', '.join(successors)}",
            0.9 if all(r.same for r in rules) else 0.6,
            lambda editor: apply_rules(site, look, ctx, editor),
        )
    ]


def _available(target: str, ctx: Context) -> bool:
    parts = target.split(".")
    return any(ctx.live.importable(".".join(parts[:n])) for n in range(len(parts), 0, -1))


def _sentence(site: Site, rule: Rule) -> str:
    what = rule.to or {"decorator": "nothing: the decorator has no effect any more", "base": "the metaclass keyword"}.get(
        rule.kind, "its written-out form"
    )
    return f"the documentation names {what} for {site.dotted}" + (f" ({rule.note})" if rule.note else "")


def plan(site: Site, ctx: Context) -> Sequence[Plan]:
    """A module or name that left the standard library (or Python 2's, or setuptools')."""
    if site.module.partition(".")[0] in ctx.symbols.project_modules():
        return ()
    return table_plan(site, _STDLIB, ctx, "removed_stdlib")


def plan_compat(site: Site, ctx: Context) -> Sequence[Plan]:
    """A Python 2/3 helper, of six or of anybody's compatibility module."""
    if site.module.partition(".")[0] == "six":
        return table_plan(site, _SIX, ctx, "py2_compat")
    if not site.name:
        return ()
    rule = table_six.compat_rule(site.module, site.name)
    if rule is None:
        return ()

    def look(dotted: str) -> tuple[Rule, str] | None:
        if dotted == site.dotted:
            return rule, ""
        if rule.kind == "move" and dotted.startswith(site.dotted + "."):
            return rule, dotted[len(site.dotted) + 1 :]
        return None

    return table_plan(site, look, ctx, "py2_compat")


_PRODUCT = {"shop/__init__.py": "", "shop/_compat.py": "WIN = False\n", "shop/core.py": "def name(x):\n    return str(x)\n"}


class RemovedStdlib(ImportTactic):
    name = "removed_stdlib"
    summary = "A module or name that left the standard library is replaced by its documented successor, use by use."
    applicability = Applicability.SAFE
    follows = Follows.LIBRARY
    evidence = ("docs",)
    sources = (
        *sorted({table_stdlib.PEP594, table_stdlib.PEP632, table_stdlib.PEP3108, table_stdlib.PKG_RESOURCES}),
        "https://docs.python.org/3/whatsnew/",
    )
    heals = (
        Example(
            "an abstract base class imported from collections",
            {"test_m.py": "from collections import Mapping, OrderedDict\n\n\ndef test_m():\n    assert isinstance(OrderedDict(), Mapping)\n"},
            {
                "test_m.py": "from collections import OrderedDict\nfrom collections.abc import Mapping\n\n\ndef test_m():\n    assert isinstance(OrderedDict(), Mapping)\n"  # noqa: E501
            },
        ),
        Example(
            "imp.reload",
            {"test_r.py": "import imp\nimport json\n\n\ndef test_r():\n    assert imp.reload(json) is json\n"},
            {"test_r.py": "import importlib\nimport json\n\n\ndef test_r():\n    assert importlib.reload(json) is json\n"},
            min_python=(3, 12),
        ),
    )
    declines = (
        Example(
            "one use has no successor",
            {"test_i.py": "import imp\n\n\ndef test_i():\n    assert imp.load_source('x', 'x.py')\n    assert imp.reload\n"},
            why="load_source has no drop-in successor; half a migration would only move the failure",
            min_python=(3, 12),
        ),
        Example(
            "the product imports what was removed",
            {
                "shop.py": "from collections import Mapping\n\n\ndef is_map(x):\n    return isinstance(x, Mapping)\n",
                "test_s.py": "from shop import is_map\n\n\ndef test_s():\n    assert is_map({})\n",
            },
            why="the product is broken on this Python: naming it is right, editing the test is not",
        ),
    )

    def planner(self) -> Planner:
        return plan

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Edits where every use has a successor; else advice for a module that is gone for good."""
        done = False
        for p in super().propose(failure, ctx):
            done = True
            yield p
        found = missing(failure)
        if not done and found is not None and found.kind == "module" and (gone := table_stdlib.GONE.get(found.top)):
            version, successor, dist = gone
            text = f"{found.top} left the standard library in Python {version}; its successor: {successor}." + (
                f" Install: python -m pip install {dist}" if dist else ""
            )
            fact = Evidence("docs", f"{found.top} was removed in Python {version}", f"https://docs.python.org/3/whatsnew/{version}.html", 0.9)
            yield Proposal(
                STRATEGY, self.name, (), (fact,), Applicability.ADVICE, text, (failure.nodeid,), f"{found.top} is gone", found.key, text, 0.4
            )


class Py2Compat(ImportTactic):
    name = "py2_compat"
    summary = "Python 2 compatibility helpers (six, _compat modules) that are gone are replaced by what they mean on Python 3."
    applicability = Applicability.SAFE
    follows = Follows.LIBRARY
    evidence = ("docs",)
    sources = (table_six.SOURCE,)
    heals = (
        Example(
            "text_type and PY2 from a compat module",
            {
                **_PRODUCT,
                "test_n.py": "from shop._compat import PY2\nfrom shop._compat import text_type\nfrom shop.core import name\n\n\n"
                "def test_n():\n    if PY2:\n        kind = None\n    else:\n        kind = text_type\n    assert isinstance(name(1), kind)\n",
            },
            {"test_n.py": "from shop.core import name\n\n\ndef test_n():\n    kind = str\n    assert isinstance(name(1), kind)\n"},
        ),
        Example(
            "helpers that say so in their names",
            {
                **_PRODUCT,
                "test_n.py": "from shop._compat import py23_range, py23_unichr\nfrom shop.core import name\n\n\n"
                "def test_n():\n    assert [name(i) for i in py23_range(2)] == ['0', '1']\n    assert name(py23_unichr(97)) == 'a'\n",
            },
            {
                "test_n.py": "from shop.core import name\n\n\n"
                "def test_n():\n    assert [name(i) for i in range(2)] == ['0', '1']\n    assert name(chr(97)) == 'a'\n"
            },
        ),
        Example(
            "six itself is not installed any more",
            {
                "test_s.py": "import six\n\n\ndef test_s():\n    assert [k for k, v in six.iteritems({1: 2})] == [1]\n    assert isinstance('a', six.string_types)\n"  # noqa: E501
            },
            {"test_s.py": "def test_s():\n    assert [k for k, v in {1: 2}.items()] == [1]\n    assert isinstance('a', str)\n"},
            lacks=("six",),
        ),
    )
    declines = (
        Example(
            "a helper of the same module that is no compatibility name",
            {**_PRODUCT, "test_n.py": "from shop._compat import get_terminal\n\n\ndef test_n():\n    assert get_terminal()\n"},
            why="nobody says what get_terminal was: its removal may be a regression",
        ),
    )

    def planner(self) -> Planner:
        return plan_compat
