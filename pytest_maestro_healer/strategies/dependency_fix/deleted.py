"""Modules of the project that were deleted, and that nothing took the place of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.dependency_fix.build import advice
from pytest_maestro_healer.strategies.dependency_fix.cause import Missing, missing, raised_in_tests
from pytest_maestro_healer.strategies.dependency_fix.tactic import IMPORTS

_MONEY = "def net(price):\n    return price - price // 5\n"
_TEST = "from shop.money import net\n\n\ndef test_net():\n    assert net(10) == 8\n"
_TILL = "from shop.money import net\n\n\ndef pay(price):\n    return net(price)\n"
_SHOP = {"shop/__init__.py": "", "shop/cart.py": "def total(prices):\n    return sum(prices)\n"}


class DeletedModule(Tactic):
    """``from shop.money import net`` where ``shop/money.py`` was deleted."""

    name = "deleted_module"
    summary = (
        "A module of the project that was deleted is named with its commit, and with the product code that still imports it; no test is changed."
    )
    patterns = IMPORTS
    applicability = Applicability.ADVICE
    evidence = ("git",)
    sources = ("git history of the product",)
    heals = (
        Example(
            "a deleted module that the product itself still imports",
            {**_SHOP, "shop/till.py": _TILL, "test_money.py": _TEST},
            head={**_SHOP, "shop/till.py": _TILL, "shop/money.py": _MONEY, "test_money.py": _TEST},
            advice="shop/till.py:1 still imports it",
        ),
        Example(
            "a deleted submodule",
            {**_SHOP, "test_money.py": "from shop import cart, money\n\n\ndef test_net():\n    assert money.net(cart.total([10])) == 8\n"},
            head={**_SHOP, "shop/money.py": _MONEY, "test_money.py": "from shop import cart, money\n\n\ndef test_net():\n    assert money.net(cart.total([10])) == 8\n"},  # noqa: E501
            advice="shop/money.py was deleted",
        ),
    )  # fmt: skip
    declines = (
        Example("a module that was never there", {**_SHOP, "test_money.py": _TEST}, head={**_SHOP, "test_money.py": _TEST}, why="git knows of none"),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Import errors."""
        return failure.is_a("ImportError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """What was deleted, and when."""
        found = missing(failure)
        if found is None or not ctx.git.available or not raised_in_tests(failure, found, ctx):
            return
        for dotted, path in _files(found):
            known = changes_of(ctx.git, ctx.files, ctx.symbols)
            gone = next(((rev, label) for rev, label in known.versions(path) if known.tree_at(path, rev) is not None), None)
            if gone is None or ctx.files.read(path) is not None or path in ctx.git.renames() or ctx.files.is_test_code(path):
                continue
            text = f"{path} was deleted by {gone[1]}"
            used = _importer(dotted, ctx)
            if used:
                text += f", and {used} still imports it: this looks like a regression of the product"
            else:
                text += " and nothing that took its place could be shown; if that was meant, the test goes with it"
            yield advice(self.name, failure, text, [Evidence("git", text, path, 0.7)], found.key, f"{path} is gone", 0.4)
            return


def _files(found: Missing) -> Iterator[tuple[str, str]]:
    """(dotted name, path) that the missing module may have had."""
    dotted = f"{found.module}.{found.name}" if found.kind == "name" else found.module
    stem = dotted.replace(".", "/")
    for folder in ("", "src/", "lib/"):
        for end in (".py", "/__init__.py"):
            yield dotted, f"{folder}{stem}{end}"


def _importer(dotted: str, ctx: Context) -> str:
    """``path:line`` of a module of the product that imports ``dotted`` or something of it, ``""`` without one."""
    for module, path in ctx.symbols.package(dotted.partition(".")[0]).items():
        info = ctx.symbols.module(module)
        for d in info.definitions.values() if info is not None and not ctx.files.is_test_code(path) else ():
            if d.kind == "import" and (d.origin + ".").startswith(dotted + "."):
                return f"{d.path}:{d.line}"
    return ""
