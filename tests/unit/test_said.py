"""What sentences state about a change, and what only has the same words."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.evidence.finished.intent.said import (
    BESIDE,
    arrived,
    became,
    directed,
    gives,
    kept,
    keyword_only,
    module_moved,
    moved,
    removed,
    scope,
    unfinished,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Rename total to tally", True),
        ("total is called tally now", True),
        ("total -> tally", True),
        ("tally instead of total", True),
        ("Rows say tally, not total", True),
        ("tally replaces total", True),
        ("tally was total", True),
        ("It is called tally; it was total", True),
        ("Call tally, total is gone", True),
        ("tally was total nonsense", False),
        ("total was tally", False),
        ("Use total, tally is gone", False),
        ("refactor(core)!: rename total to tally", True),
        ("feat!: `total` was renamed to `tally`", True),
        ("- Renamed :meth:`~shop.Cart.total` to :meth:`Cart.tally`.", True),
        ("The ``total`` argument of ``fields.Function`` has been renamed to ``tally`` (:issue:`12`)", True),
        ("Rename Cart#total -> Cart#tally", True),
        ("Cart.total is Cart.tally now", True),
        ("lazy total is now renamed to tally", True),
        ("total became tally", True),
        ("Replaced total() by tally()", True),
        ("Change total to tally", True),
        ("Remove total, use tally instead", True),
        ("total() is deprecated, use tally()", True),
        ("Deprecate total in favour of tally", True),
        ("shop.total is gone; call tally", True),
        ("Switch from total to tally", True),
        ("Call total tally", True),
        ("Rename total and count to tally and size", True),
        ("s/total/tally/", True),
        ("Use tally for total", True),
        ("tally (formerly total)", True),
        ("Publish tally in place of total on the bus", True),
        ("Rename basetotal, total to base_total, tally in collapse()", True),
        ("Rename tally to total", False),
        ("total instead of tally", False),
        ("total replaces tally", False),
        ("say total in place of tally", False),
        ("Add tally", False),
        ("subtotal is tally", False),
        ("In total, the tally of tax is a float", False),
        ("Count the total of lines; tally a number of blank lines, too (next commit)", False),
        ("Add total to tally", False),
        ("Fix total when tally is called twice now", False),
        ("The total is the tally of the rows", False),
        ('Fix #3: "rename total to tally" was wrong', False),
        ('Revert "Rename total to tally"', False),
    ],
)
def test_which_word_took_the_place_of_which(text: str, found: bool) -> None:
    assert directed(text, "total", "tally") is found


@pytest.mark.parametrize(
    ("text", "beside"),
    [("mails say Done; label keeps Shut", True), ("Merge branch 'fixes'", True), ("Prepare to make load async", True), ("Don't rename total", True),
     ("Rename --max-age to --keep-days", False), ("Store.keep is Store.hold now", False), ("Rename total to tally", False)],
)  # fmt: skip
def test_a_sentence_about_what_did_not_change(text: str, beside: bool) -> None:
    assert (BESIDE.search(text) is not None) is beside


@pytest.mark.parametrize("option", ["Rename --dry-run to --check", "--dry-run is --check now", "Call --dry-run --check", "`--dry-run` → `--check`"])
def test_options_are_words_too(option: str) -> None:
    assert directed(option, "--dry-run", "--check")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Drop the unused parameter strict", True),
        ("parse: remove strict", True),
        ("Removed deprecated `force` and `strict` arguments", True),
        ("parse() no longer takes strict", True),
        ("strict is gone", True),
        ("The strict parameter of parse was removed", True),
        ("Get rid of strict", True),
        ("strict: remove trailing blanks", False),
        ("Document the argument strict", False),
        ("Be strict when dropped packets are counted", False),
    ],
)
def test_what_went(text: str, found: bool) -> None:
    assert removed(text, "strict") is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("discount takes a currency now", True),
        ("Add a required parameter currency to discount", True),
        ("discount(): currency is required", True),
        ("convert needs `source` and `currency`", True),
        ("currency has no default any more", True),
        ("Check the currency now", False),
        ("discount: the currency is shown now", False),
    ],
)
def test_what_came(text: str, found: bool) -> None:
    assert arrived(text, "currency") is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Move total to shop.prices", True),
        ("Extract Cart.total into shop/prices.py", True),
        ("total lives in shop.prices now", True),
        ("Split total and count off", True),
        ("Import total from shop.prices", True),
        ("total is faster now", False),
        ("Call total when a cart is moved", False),
    ],
)
def test_what_moved(text: str, found: bool) -> None:
    assert moved(text, "total") is found


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("property", "Cart.total is now a property", True),
        ("property", "total is a property", True),
        ("property", "Make total a read-only property", True),
        ("property", "Turn `Cart.total()` into a cached property", True),
        ("property", "refactor!: convert total() to property", True),
        ("property", "Use @property for total", True),
        ("property", "- ``Cart.total`` and ``Cart.count`` are properties now.", True),
        ("property", "total: method -> property", True),
        ("property", "Replace total() by a property", True),
        ("property", "Cart.total is no longer a method", True),
        ("property", "Change total from a method to a property", True),
        ("property", "Cart.total is read without parentheses now", True),
        ("property", "Document the property total", False),
        ("property", "Cache Cart.total, it is called for each line", False),
        ("property", "total is a method now", False),
        ("method", "total is a method now", True),
        ("method", "Make total a method", True),
        ("method", "Cart.total is no longer a property", True),
        ("method", "Cart.total has to be called now", True),
        ("method", "Cart.total is a method instead of a property", True),
        ("method", "Cache Cart.total, it is called for each line", False),
        ("method", "Split the sum off Cart.total into a method of its own", False),
        ("method", "Add a method after total", False),
        ("method", "total is a property now", False),
        ("method", 'Fix #12: "Cart.total is empty when called a second time" (prices given as iterator)', False),
        ("method", "Cart.total is empty when called a second time", False),
        ("async", "Make total async", True),
        ("async", "total is a coroutine now", True),
        ("async", "feat(api)!: make total() and count() async", True),
        ("async", "Turn total into a coroutine function", True),
        ("async", "total must be awaited", True),
        ("async", "total is now asynchronous.", True),
        ("async", "total is awaited now", True),
        ("async", "Use async for total", True),
        ("async", "Convert total to asyncio", True),
        ("async", "Make total async-safe", False),
        ("async", "Prepare for the async web framework: total checked", False),
        ("async", "- total: no longer blocking sync of the catalogue", False),
        ("async", "Await the lock in total", False),
        ("sync", "Make total synchronous", True),
        ("sync", "total is sync again", True),
        ("sync", "total is no longer a coroutine", True),
        ("sync", "total is a plain function now", True),
        ("sync", "total is async now", False),
        ("lazy", "total is a generator now", True),
        ("lazy", "total() now returns an iterator", True),
        ("lazy", "Return generator instead of list in Cart.total(), Cart.span() and Cart.interval().", True),
        ("lazy", "Changed total() to a generator", True),
        ("lazy", "Remove deprecation decorators for Cart.range() and Cart.total(), all now return generators", True),
        ("lazy", "Make total lazy", True),
        ("lazy", "total yields the rows one by one", True),
        ("lazy", "total no longer returns a list", True),
        ("lazy", "Use a generator in total", True),
        ("lazy", "total accepts lists of numbers, too", False),
        ("lazy", "total accepts iterators, too", False),
        ("lazy", "Less total on the database: equal values are read once", False),
        ("lazy", "total is not lazy any more", False),
        ("text", "total returns text now", True),
        ("text", "total: return str", True),
        ("text", "total gives str, not bytes", True),
        ("text", "total: bytes -> str", True),
        ("text", "total: plain text without umlauts for the old printers", False),
        ("bytes", "total returns bytes now", True),
        ("bytes", "total returns text now", False),
    ],
)
def test_what_something_became(kind: str, text: str, found: bool) -> None:
    assert became(text, "total", kind) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Make percent keyword-only", True),
        ("The arguments of discount are keyword-only now", True),
        ("discount takes percent by keyword", True),
        ("discount: percent must be passed by name.", True),
        ("Require keyword arguments for discount", True),
        ("percent can no longer be given by position", True),
        ("Document the arguments of discount", False),
        ("Search in discount texts by keyword: lower case everywhere", False),
        ("Keyword-only floor", False),
    ],
)
def test_what_is_given_by_its_name_only(text: str, found: bool) -> None:
    assert keyword_only(text, "discount", ["percent"]) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("extremes() returns a tuple (low, high, mean) now", True),
        ("extremes gives the mean, too", True),
        ("Also return the mean from extremes", True),
        ("extremes returns three values", True),
        ("Let extremes return a triple", True),
        ("extremes: returns the mean as well", True),
        ("extremes ignores None values", False),
        ("extremes returns the same two values faster", False),
        ("Document what extremes returns", False),
        ("mean calls extremes now", False),
    ],
)
def test_what_a_function_gives(text: str, found: bool) -> None:
    assert gives(text, "extremes", count=3, new=["mean"], types=[]) is found


@pytest.mark.parametrize(
    ("text", "promised"),
    [
        ("- `Cart.total` is called `Cart.amount` now. The old name keeps working, with a warning, until 3.0.", True),
        ("Rename total to amount; total still works", True),
        ("total remains available as a deprecated alias of amount", True),
        ("Rename total to amount", False),
        ("total is gone, use amount", False),
        ("load still works", False),
        ("The old name stays for one release and warns.", True),
        ("Rename total to amount, both are accepted", True),
        ("A public name that is renamed stays as a deprecated alias for two releases.", True),
        ("The old name is gone", False),
    ],
)
def test_a_promise_that_the_old_name_is_kept(text: str, promised: bool) -> None:
    assert kept(text, "total") is promised


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("WIP: rename total to amount", True),
        ("Rename total to amount (clients to follow)", True),
        ("Rename total to amount, not finished", True),
        ("Rename total to amount", False),
        ("Wipe the cache", False),
        ("Follow the redirect", False),
    ],
)
def test_an_author_who_is_not_done(text: str, found: bool) -> None:
    assert unfinished(text) is found


def test_the_scope_of_a_conventional_commit() -> None:
    assert scope("refactor(admin)!: rename total to amount") == "admin"
    assert scope("fix(shop/cart.py): total") == "cart"
    assert scope("Rename total (the sum) to amount") == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("shop.stats moved to shop.analysis.stats", True),
        ("Move shop.stats into the new package shop.analysis", True),
        ("Move stats to analysis", True),
        ("shop.stats is called shop.analysis.stats now", True),
        ("Move shop.analysis.stats to shop.stats", False),
        ("Move shop.store to shop.analysis", False),
        ("stats and analysis", False),
        ("Test shop.stats and shop.analysis", False),
    ],
)
def test_a_module_that_moved(text: str, found: bool) -> None:
    assert module_moved(text, "shop.stats", "shop.analysis.stats") is found
