"""Changes of the product that look like what a test should follow, and are half done or a slip: nothing is written."""

# ruff: noqa: E501 (texts of whole files, one a line)

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.test_product_at_fault import git, heal, project

__all__ = ["project"]

LOCAL = "import time\n\n\ndef stamp(seconds):\n    return time.strftime('%H:%M', time.localtime(seconds))\n"
UTC = LOCAL.replace("localtime", "gmtime")
ASKS = "\n\ndef test_stamp():\n    assert stamp(3600) == '01:00'\n"
CONF = (
    "import json\nimport time\nfrom pathlib import Path\n\nUTC = json.loads(Path(__file__).with_name('conf.json').read_text())['utc']\n\n\n"
    "def stamp(seconds):\n    return time.strftime('%H:%M', time.gmtime(seconds) if UTC else time.localtime(seconds))\n"
)
TOKYO = {"TZ": "Asia/Tokyo"}
FIXTURE = "import pytest\nimport shop\n\n\n@pytest.fixture\ndef stamp():\n    return shop.stamp\n"
CHILD = (
    "import subprocess\nimport sys\n\n\ndef stamp(n):\n    return subprocess.check_output([sys.executable, 'shop.py', str(n)], text=True).strip()\n"
)
SCRIPT = "import sys\nimport time\n\nprint(time.strftime('%H:%M', time.gmtime(int(sys.argv[1]))))\n"
CART = "class Cart:\n    def __init__(self, prices):\n        self.prices = prices\n\n    def total(self):\n        return sum(self.prices)\n"
CART_TEST = "from shop.cart import Cart\n\n\ndef test_total():\n    assert Cart([1, 2]).total() == 3\n"
REPORT = "def report(cart):\n    return f'{cart.total()} euro'\n"
ORDER = "class Order:\n    total = 3\n"
USER = "class User:\n    def __init__(self, name):\n        self.name = name\n\n    @property\n    def is_admin(self):\n        return self.name == 'root'\n"
USER_TEST = "from shop.user import User\n\n\ndef test_admin():\n    assert User('root').is_admin is True\n"
GUARD = "def delete(user):\n    if not user.is_admin:\n        raise PermissionError\n"
PRICES = (
    "import shop\n\n\ndef test_paid():\n    assert shop.label('paid') == 'Paid'\n\n\ndef test_void():\n    assert shop.label('void') == 'Cancelled'\n"
)
LABELS = "LABELS = {\n    'paid': 'Paid',\n    'void': 'Cancelled',\n}\n\n\ndef label(key):\n    return LABELS[key]\n"
TOTAL = "def total(prices):\n    return sum(prices)\n"


@pytest.mark.parametrize(
    ("before", "after", "env", "committed"),
    [
        pytest.param({"shop.py": UTC, "conftest.py": FIXTURE, "test_a.py": ASKS.replace("():", "(stamp):")}, {"shop.py": LOCAL}, TOKYO, False, id="through a fixture"),
        pytest.param({"shop.py": CONF, "conf.json": '{"utc": true}', "test_a.py": "from shop import stamp\n" + ASKS}, {"conf.json": '{"utc": false}'}, TOKYO, True, id="a data file"),
        pytest.param({"shop.py": SCRIPT, "test_a.py": CHILD + ASKS}, {"shop.py": SCRIPT.replace("gmtime", "localtime")}, TOKYO, False, id="another process"),
        pytest.param({"src/__init__.py": "", "src/shop.py": UTC, "test_a.py": "from src.shop import stamp\n" + ASKS}, {"src/shop.py": LOCAL}, TOKYO, True, id="below src"),
        pytest.param(
            {"shop/__init__.py": "", "shop/cart.py": CART, "shop/order.py": ORDER, "shop/report.py": REPORT, "test_a.py": CART_TEST},
            {"shop/cart.py": CART.replace("def total", "def grand_total")}, {}, False, id="a caller left behind",
        ),
        pytest.param(
            {"shop/__init__.py": "", "shop/cart.py": CART, "README.md": "Call `Cart.total()`.\n", "test_a.py": CART_TEST},
            {"shop/cart.py": CART.replace("def total", "def grand_total")}, {}, True, id="a document left behind",
        ),
        pytest.param(
            {"shop/__init__.py": "", "shop/util.py": TOTAL, "pyproject.toml": "[project.scripts]\nx = 'shop.util:total'\n", "test_a.py": "from shop.util import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"},
            {"shop/util.py": None, "shop/utils.py": TOTAL}, {}, False, id="an entry point left behind",
        ),
        pytest.param({"shop/__init__.py": "", "shop/cart.py": CART, "test_a.py": CART_TEST}, {"shop/cart.py": CART.replace("def total", "def toatl")}, {}, True, id="mistyped"),
        pytest.param(
            {"shop/__init__.py": "", "shop/user.py": USER, "shop/guard.py": GUARD, "test_a.py": USER_TEST},
            {"shop/user.py": USER.replace("    @property\n", "")}, {}, False, id="a property that is asked for its truth",
        ),
        pytest.param({"shop.py": LABELS, "test_a.py": PRICES}, {"shop.py": LABELS.replace("Cancelled", "Paid")}, {}, True, id="copied from its neighbour"),
    ],
)  # fmt: skip
def test_nothing_is_written(
    project: Path, before: Mapping[str, str], after: Mapping[str, str | None], env: Mapping[str, str], committed: bool
) -> None:
    lay(project, before)
    git(project, "add", "-A")
    git(project, "commit", "-qm", "A shop")
    lay(project, after)
    if committed:
        git(project, "add", "-A")
        git(project, "commit", "-qm", "Clean up")
    found = heal(project, env)
    assert (project / "test_a.py").read_text() == before["test_a.py"], found


def test_a_new_test_of_a_new_function_is_not_taken_for_the_polluter(project: Path) -> None:
    """The victim passed before it; what the new function leaves behind is the product's own."""
    shop = "OPTIONS = {'sep': ','}\n\n\ndef plain(rows):\n    return OPTIONS['sep'].join(rows)\n"
    export = "\n\ndef export(rows, **options):\n    found = OPTIONS\n    found.update(options)\n    return found['sep'].join(rows)\n"
    test = "import shop\n\n\ndef test_plain():\n    assert shop.plain(['a', 'b']) == 'a,b'\n"
    new = "import shop\n\n\ndef test_export():\n    assert shop.export(['a', 'b'], sep=';') == 'a;b'\n"
    lay(project, {"shop.py": shop, "test_b.py": test})
    git(project, "add", "-A")
    git(project, "commit", "-qm", "A shop")
    lay(project, {"shop.py": shop + export, "test_a.py": new})
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Add export")
    found = heal(project, {})
    assert (project / "test_a.py").read_text() == new, found
    assert (project / "test_b.py").read_text() == test, found


def test_a_finished_rename_is_still_written(project: Path) -> None:
    lay(
        project,
        {"shop/__init__.py": "", "shop/cart.py": CART, "shop/report.py": REPORT, "README.md": "Call `Cart.total()`.\n", "test_a.py": CART_TEST},
    )
    git(project, "add", "-A")
    git(project, "commit", "-qm", "A shop")
    new = {"shop/cart.py": CART, "shop/report.py": REPORT, "README.md": "Call `Cart.total()`.\n"}
    lay(project, {p: text.replace("total", "grand_total") for p, text in new.items()})
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Say what it is")
    heal(project, {})
    assert (project / "test_a.py").read_text() == CART_TEST.replace(".total(", ".grand_total(")


@pytest.mark.parametrize(
    ("message", "more", "written"),
    [
        pytest.param("Clean up", {}, False, id="nothing else"),
        pytest.param("Cart.total is called grand_total now", {}, True, id="the message"),
        pytest.param("Clean up", {"test_b.py": CART_TEST.replace("total", "grand_total")}, True, id="another test"),
        pytest.param("Clean up", {"shop/__init__.py": "__all__ = ['grand_total']\n"}, True, id="the list of what is offered"),
        pytest.param(
            "Clean up", {"test_b.py": CART_TEST.replace("Cart([1, 2]).total()", "sum([1, 2])")}, False, id="another test, for another reason"
        ),
    ],
)
def test_a_definition_alone_does_not_say_that_it_was_meant(project: Path, message: str, more: Mapping[str, str], written: bool) -> None:
    history(
        project,
        ("A shop", {"shop/__init__.py": "__all__ = ['total']\n" if "shop/__init__.py" in more else "", "shop/cart.py": CART, "test_a.py": CART_TEST,
                    "test_b.py": CART_TEST if "test_b.py" in more else ""}),
        (message, {"shop/cart.py": CART.replace("total", "grand_total"), **more}),
    )  # fmt: skip
    heal(project, {})
    wanted = CART_TEST.replace(".total(", ".grand_total(") if written else CART_TEST
    assert (project / "test_a.py").read_text() == wanted


def test_an_old_version_that_came_back_is_not_followed(project: Path) -> None:
    lazy = "def evens(n):\n    return (i for i in range(n) if i % 2 == 0)\n"
    test = "from shop import evens\n\n\ndef test_evens():\n    assert evens(3) == [0, 2]\n"
    history(
        project,
        ("A shop", {"shop.py": lazy, "test_a.py": test.replace("evens(3) ==", "list(evens(3)) ==")}),
        ("evens gives a list now", {"shop.py": lazy.replace("(i for", "[i for").replace("== 0)", "== 0]"), "test_a.py": test}),
        ("Merge branch 'fixes'", {"shop.py": lazy}),
    )
    found = heal(project, {})
    assert (project / "test_a.py").read_text() == test, found


UTC_TEST = "from shop import stamp\n" + ASKS
PASTS = {
    "the test was annotated since": [
        ("A shop", {"shop.py": UTC, "test_a.py": UTC_TEST}),
        ("Simplify", {"shop.py": LOCAL}),
        ("Annotate the tests", {"test_a.py": UTC_TEST.replace("():", "() -> None:")}),
    ],
    "an old bug came back": [
        ("A shop", {"shop.py": LOCAL, "test_a.py": UTC_TEST}),
        ("Times are UTC, whatever the machine says", {"shop.py": UTC}),
        ("Merge branch 'fixes'", {"shop.py": LOCAL}),
    ],
    "the test needs what came later": [
        ("A shop", {"shop.py": UTC, "test_a.py": UTC_TEST}),
        ("Add upper", {"shop.py": UTC + "\n\nupper = str.upper\n", "test_a.py": "from shop import upper\n" + UTC_TEST}),
        ("Simplify", {"shop.py": LOCAL + "\n\nupper = str.upper\n"}),
        *[(f"Work {n}", {"other.py": f"X = {n}\n"}) for n in range(3)],
    ],
    "the test followed a rename and the zone was lost with it": [
        ("A shop", {"shop.py": UTC, "test_a.py": UTC_TEST}),
        (
            "Rename stamp to clock",
            {
                "shop.py": LOCAL.replace("stamp", "clock"),
                "test_a.py": UTC_TEST.replace("import stamp", "import clock").replace("stamp(3600)", "clock(3600)"),
            },
        ),
    ],
    "git ignores the module": [
        ("A shop", {".gitignore": "__pycache__/\ngen.py\n", "gen.py": UTC, "shop.py": "from gen import stamp\n", "test_a.py": UTC_TEST}),
        ("Say so", {"README.md": "A shop\n"}),
        ("", {"gen.py": LOCAL}),
    ],
}


@pytest.mark.parametrize("past", PASTS)
def test_the_past_is_asked_as_far_as_it_goes(project: Path, past: str) -> None:
    history(project, *PASTS[past])
    test = (project / "test_a.py").read_text()
    found = heal(project, TOKYO)
    assert (project / "test_a.py").read_text() == test, found


def history(project: Path, *commits: tuple[str, Mapping[str, str | None]]) -> None:
    """Commits by message and files; what has no message is not committed."""
    for message, files in commits:
        lay(project, files)
        if message:
            git(project, "add", "-A")
            git(project, "commit", "-qm", message)


def lay(project: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
