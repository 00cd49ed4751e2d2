"""Does a use fit a definition, and can it mean it?"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.names.reached import line_of_data, line_reaching
from pytest_maestro_healer.evidence.finished.users.taken import meddles, parents, taken, uses_in
from pytest_maestro_healer.evidence.finished.users.uses import binds, calls_shown, strange

SHOP = """
def total(x):
    return x


def sum(x):
    return x


def join(x):
    return x


class Cart:
    def count(self, x):
        return x
"""


@pytest.mark.parametrize(
    ("user", "text", "elsewhere"),
    [
        ("a.py", "from shop.m import total\n\n\ndef f(x):\n    return total(x)\n", False),
        ("b.py", "import shop.m\n\n\ndef f(x):\n    return shop.m.total(x)\n", False),
        ("c.py", "from shop.m import *\n\n\ndef f(x):\n    return sum(x)\n", False),
        ("d.py", "def f(x):\n    return x.total()\n", False),
        ("i.py", "def f(x):\n    return ', '.join(x)\n", False),
        ("j.py", "def f(sep, x):\n    return sep.join(x)\n", True),
        ("k.py", "import shop.m as n\n\n\ndef f(x):\n    return n.join(x)\n", False),
        ("l.py", "def f(cart):\n    return cart.count(3)\n", False),
        ("e.py", "def f(x):\n    return sum(x)\n", True),
        ("f.py", "import numpy as np\n\n\ndef f(x):\n    return np.sum(x)\n", True),
        ("g.py", "def total(x):\n    return x\n\n\ndef f(x):\n    return total(x)\n", True),
        ("h.py", "from math import prod as total\n\n\ndef f(x):\n    return total(x)\n", True),
    ],
)
def test_what_a_use_can_mean(tmp_path: Path, user: str, text: str, elsewhere: bool) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "m.py").write_text(SHOP)
    (tmp_path / user).write_text(text)
    ctx = Context(tmp_path, HealerConfig())
    tree = ctx.symbols.tree(user)
    assert tree is not None
    called = next(n for n in ast.walk(tree) if isinstance(n, ast.Call))
    assert strange(ctx, user, called.func, {"shop/m.py"}) is elsewhere


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("f = 'total'", True),
        ("f = 'shop.m:total'", True),
        ("f = 'number total'.split()", True),
        ("f = 'number, total'", True),
        ("f = {'all': 'number|total'}", True),
        ("f = '{number}: {total}'", True),
        ("f = '{number}: {total:>8}'.format_map(view)", True),
        ("f = '$number: ${total}'", True),
        ("f = '%(total)s'", True),
        ("f = '<td>{{ total }}</td>'", True),
        ("f = '{number}: {total}'.format(number=1, total=order.total())", False),
        ("f = '%(message)s %(total)s'", False),
        ("f = 'The total of all'", False),
        ("f = 'no total yet'", False),
        ("f = 'Grand Total: total, of all.'", False),
        ("raise ValueError('empty total')", False),
        ("log.info('new total')", False),
        ("add(help='print total')", False),
        ("f = 'subtotal number'", False),
    ],
)
def test_which_texts_reach_a_name(text: str, reached: bool) -> None:
    assert (line_reaching(ast.parse(text), "total") == 1) is reached


@pytest.mark.parametrize(
    ("path", "line", "ours", "reached"),
    [
        ("jobs.yaml", "  - call: total", False, True),
        ("jobs.yaml", "  - total  # daily", False, True),
        ("jobs.yaml", "columns: [number, total]", False, True),
        ("dash.ini", "function = total", False, True),
        ("dash.ini", "columns = number total", False, True),
        ("shop/jobs.yaml", "total: daily", True, True),
        ("compose.yaml", "total: daily", False, False),
        ("shop/jobs.txt", "total", True, True),
        ("notes.txt", "total", False, False),
        ("shop/rows.csv", "number,total", True, True),
        ("page.html", "<td>{{ total }}</td>", False, True),
        ("page.html", "<label>total</label>", False, False),
        ("shop/mail.txt", "You pay {total}.", True, True),
        ("shop.toml", "description = total of all", False, False),
        ("shop.toml", "title: grand total", False, False),
        ("app.js", "total: order.total", True, False),
        ("jobs.yaml", "call: subtotal", False, False),
    ],
)
def test_which_lines_of_data_reach_a_name(path: str, line: str, ours: bool, reached: bool) -> None:
    assert (line_of_data(path, f"x: 1\n{line}\n", "total", ours=ours, filled=False) == 2) is reached


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("low, high = load(x)", {"unpacked into 2"}),
        ("low, *others = load(x)", {"unpacked into 2+"}),
        ("return load(x)", {"handed on"}),
        ("return await load(x)", {"handed on"}),
        ("found = load(x)\n    return found", {"handed on"}),
        ("found = load(x)\n    print(found)\n    return found[0]", {"given to print", "subscript 0"}),
        ("self.found = load(x)\n    low, high = self.found", {"kept as found", "unpacked into 2"}),
        ("return load(x) if x else None", {"handed on"}),
        ("return load(x).low", {"its low"}),
        ("return [y for y in load(x)]", {"iterated"}),
        ("return [a for a, b in load(x)]", {"iterated by 2"}),
        ("return map(load, x)", {"itself given to map"}),
        ("with load(x) as (a, b): pass", {"unpacked into 2"}),
    ],
)
def test_how_a_result_is_taken(body: str, how: set[str]) -> None:
    tree = ast.parse(f"async def f(self, x):\n    {body}\n")
    node = next(uses_in(tree, "load"))
    assert taken(node, tree, parents(tree)) == how


@pytest.mark.parametrize(
    ("body", "called", "found"),
    [
        ("    return f", False, False),
        ("    @wraps(f)\n    def run(*a):\n        return f(*a)\n    return run", False, False),
        ("    def run(*a):\n        print(f.__name__)\n        x = f(*a)\n        return x\n    return run", False, False),
        ("    def run(*a):\n        return json.dumps(f(*a))\n    return run", False, True),
        ("    def run(*a):\n        try:\n            return f(*a)\n        except OSError:\n            return None\n    return run", False, True),
        ("    ALL.append(f)\n    return f", False, True),
        ("    def make(g):\n        return g\n    return make", True, False),
        ("    def make(g):\n        ALL[f] = g\n        return g\n    return make", True, True),
    ],
)
def test_what_a_decorator_does_with_a_function(body: str, called: bool, found: bool) -> None:
    decorator = ast.parse(f"def decorator(f):\n{body}\n").body[0]
    assert isinstance(decorator, ast.FunctionDef)
    assert meddles(decorator, called=called) is found


@pytest.mark.parametrize(
    ("line", "fit"),
    [
        ("`shop.discount(100, percentage=10)` gives 90", True),
        ("cart.discount(100, f(2))", True),
        ("`shop.discount(100, percent=10)` gives 90", False),
        ("`shop.discount()` and `shop.discount(3)`", False),
        ("`shop.discount` gives 90", False),
        ("`shop.discount(3)` is what discount gives", False),
        ("`shop.discount(...)`", False),
        ("shop.discount(100,", False),
    ],
)
def test_calls_that_a_document_shows(line: str, fit: bool) -> None:
    definition = ast.parse("def discount(self, amount, percentage=0): pass").body[0]
    assert isinstance(definition, ast.FunctionDef)
    calls = calls_shown(line, "discount")
    assert (bool(calls) and all(binds(c, definition.args, member=isinstance(c.func, ast.Attribute)) for c in calls)) is fit
