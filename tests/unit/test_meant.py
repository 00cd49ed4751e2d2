from __future__ import annotations

import ast

import pytest

from pytest_maestro_healer.evidence.finished.names.mentions import PAST, as_before
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.similarity import definitions, identical


@pytest.mark.parametrize(
    ("path", "past"),
    [
        ("CHANGES", True), ("CHANGELOG.md", True),
        ("docs/changelog.rst", True), ("NEWS.txt", True), ("HISTORY.rst", True), ("changelog.d/12.md", True),
        ("newsfragments/12.feature.rst", True), ("docs/release-notes/1.0.md", True), ("poetry.lock", True),
        ("shop/exchange.py", False), ("docs/exchange.md", False), ("scripts/release.sh", False), ("shop/newsletter.py", False),
        ("db/changelog/001-init.sql", False), ("shop/history.py", False), ("README.md", False), ("news.py", False),
    ],
)  # fmt: skip
def test_only_what_tells_of_the_past_is_passed_over(path: str, past: bool) -> None:
    assert (PAST.search(path) is not None) is past


@pytest.mark.parametrize(
    ("removed", "added", "by_itself", "same"),
    [
        ("x = load(p, 'latin-1')", 'x = load(p, "latin-1")', True, True),
        ("x = load(p, 'latin-1')", "x = load(p, encoding='latin-1')", True, False),
        ("if cart.load: pass", "y = 1 if cart.load else 2", True, True),
        ("if cart.load: pass", "if cart.load(): pass", True, False),
        ("if cart.load(): pass", "if cart.load: pass", True, False),
        ("return load(n)", "return await load(n)", True, False),
        ("return await load(n)", "return load(n)", True, False),
        ("low, high = load(x)", "low, _, high = load(x)", False, False),
        ("low, high = load('x')", 'low, high = load("x")', False, True),
    ],
)
def test_a_line_that_was_touched_may_use_something_as_before(removed: str, added: str, by_itself: bool, same: bool) -> None:
    tree = ast.parse(f"async def f():\n    {added}\n")
    node = next(n for n in ast.walk(tree) if (isinstance(n, ast.Attribute) and n.attr == "load") or (isinstance(n, ast.Name) and n.id == "load"))
    hunk = Hunk("m.py", "m.py", 2, 2, (f"    {removed}",), (f"    {added}",))
    assert as_before(tree, node, hunk, by_itself=by_itself) is same


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("def g(b, strict=True):\n    return b.split(strict)\n", True),
        ("def g(b, strict=False):\n    return b.split(strict)\n", False),
        ("@cache\ndef g(b, strict=True):\n    return b.split(strict)\n", False),
        ("def g(b, strict=True):\n    return b.strip(strict)\n", False),
    ],
)
def test_what_is_identical_but_for_names(other: str, same: bool) -> None:
    one = definitions(ast.parse("def f(a, strict=True):\n    return a.split(strict)\n"))["f"]
    assert identical(one, definitions(ast.parse(other))["g"]) is same


def test_a_class_keyword_is_no_detail() -> None:
    one, other = (definitions(ast.parse(text))["A"] for text in ("class A(B, metaclass=M):\n    x = 1\n", "class A(B):\n    x = 1\n"))
    assert identical(one, one)
    assert not identical(one, other)
