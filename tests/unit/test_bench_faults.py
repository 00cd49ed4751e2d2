"""The fault benchmark's scoring: who does nothing scores 0, who knows the answer scores 100 %, who cheats is caught."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("bench_path")
PRODUCT = b"""\
def clamp(value, low=0, high=10):
    if low > high:
        raise ValueError("empty range")
    return max(low, min(high, value))
"""
TEST = b"""\
import pytest

from toy.core import clamp


def test_inside():
    assert clamp(5) == 5


def test_outside():
    assert clamp(50) == 10
    assert clamp(-5) == 0


def test_empty():
    with pytest.raises(ValueError):
        clamp(1, 3, 2)
"""


@pytest.fixture
def bench_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The benchmark is no package of the project: it is imported from its folder."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "bench"))
    yield
    for name in [n for n in sys.modules if n == "faults" or n.startswith("faults.")]:
        del sys.modules[name]


def toy_case(kind: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    """A case in a small host: ``fault`` (a lost import), ``negative`` (a lost check), ``advice``."""
    from faults.cases import prepare
    from faults.model import NEGATIVE, Case, Fault, Host

    files = {"toy/__init__.py": b"", "toy/core.py": PRODUCT, "tests/test_core.py": TEST, "pytest.ini": b"[pytest]\npythonpath = .\n"}
    called = frozenset({("toy/core.py", 1)})
    host = Host("toy", "1", "toy", "toy", ("tests/test_core.py",), tmp_path / "host", files, called)
    broken = TEST.replace(b"from toy.core import clamp\n", b"")
    if kind == "fault":
        fault = Fault({"tests/test_core.py": broken}, ("tests/test_core.py",), {"tests/test_core.py": (TEST,)})
        case = Case("toy-fault", "dependency_fix", "missing_import", host, fault)
    elif kind == "negative":
        bad = PRODUCT.replace(b"min(high, value)", b"min(high + 1, value)")
        case = Case("toy-negative", NEGATIVE, "off_by_one", host, Fault({"toy/core.py": bad}, (), message="Refactor"))
    else:
        gone = TEST.replace(b"import pytest\n", b"import pytest\nimport cv2_of_nobody\n")
        case = Case(
            "toy-advice",
            "dependency_fix",
            "missing_distribution",
            host,
            Fault({"tests/test_core.py": gone}, ("tests/test_core.py",), advice="opencv"),
        )
    return case, prepare(case, tmp_path / "work")


@pytest.mark.parametrize(
    ("kind", "none", "oracle"), [("fault", "missed", "exact"), ("negative", "untouched", "untouched"), ("advice", "missed", "advised")]
)
def test_do_nothing_scores_nothing_and_the_oracle_everything(kind: str, none: str, oracle: str, tmp_path: Path) -> None:
    from faults.healers import HEALERS
    from faults.score import judge

    case, project = toy_case(kind, tmp_path)
    idle = judge(case, project, HEALERS["none"])
    assert (idle.all, idle.safe, idle.named, idle.found) == (none, none, False, False)
    best = judge(case, project, HEALERS["oracle"])
    assert (best.all, best.safe, best.named) == (oracle, oracle, kind == "negative")


def cheat(text: bytes, path: str = "tests/test_core.py"):  # type: ignore[no-untyped-def]
    """A healer that writes ``text``."""
    from faults.healers import Healing

    def heal(case, project, mode):  # type: ignore[no-untyped-def]
        project.lay({path: text})
        return Healing()

    return heal


def test_cheats_are_caught(tmp_path: Path) -> None:
    from faults.score import judge

    case, project = toy_case("fault", tmp_path)

    def judged(healer):  # type: ignore[no-untyped-def]
        return judge(case, project, healer, ("all",)).all

    assert judged(cheat(TEST.replace(b"    assert clamp(-5) == 0\n", b""))) == "weakened"
    assert judged(cheat(TEST.replace(b"== 10", b"!= 1000").replace(b"== 0", b"!= 1000").replace(b"== 5", b"!= 1000"))) == "weakened"
    assert judged(cheat(b"import toy\n" + TEST)) == "plausible"
    assert judged(cheat(TEST.replace(b"== 5", b"== 6"))) == "wrong"
    assert judged(cheat(b"clamp = 1\n", "toy/core.py")) == "wrong"


def test_a_hidden_regression_is_seen(tmp_path: Path) -> None:
    from faults.score import judge

    case, project = toy_case("negative", tmp_path)
    assert judge(case, project, cheat(TEST.replace(b"== 10", b"== 11"))).safe == "hidden"
    assert judge(case, project, cheat(TEST + b"\n")).safe == "written"


def test_every_injector_is_seeded_and_named_once() -> None:
    from faults.registry import rows

    found = list(rows())
    assert len({r.name for r in found}) == len(found)
    assert sum(2 * r.weight for r in found if r.strategy == "negative") >= 60


def test_normalisation_ignores_layout_and_import_order_only() -> None:
    from faults.pysource import normal

    assert normal("import a\nfrom b import d, c\nx = f(p=1, q=2)  # why\n") == normal(
        "from b import c\nfrom b import d\nimport a\n\nx = f(q=2, p=1)\n"
    )
    assert normal("assert f() == 1\n") != normal("assert f() == 2\n")


def test_mutants_parse_and_differ() -> None:
    import ast

    from faults.mutate import MAKERS, mutants, parses
    from faults.pysource import functions

    text = PRODUCT.decode()
    (function,) = functions(ast.parse(text))
    found = mutants(text, function, random.Random(1), 50)
    assert len(found) == len(set(found)) > 5
    assert text not in found
    assert all(map(parses, found))
    assert "raise" not in next(MAKERS["check_removed"](text, function))
