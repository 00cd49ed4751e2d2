"""What the examples do not show: statistics, bisection, snapshots, the hunt, and that a flaky test's expectation is never pinned."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions, Observation
from pytest_maestro_healer.evidence.past.former import Before
from pytest_maestro_healer.evidence.past.former import Then as Asked
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.evidence.statistics import lower, reruns_for, runs_needed, upper
from pytest_maestro_healer.model import Failure, Value, World
from pytest_maestro_healer.session.hunt import arranged
from pytest_maestro_healer.strategies.flaky_test_stabilization.clock import PassedDate
from pytest_maestro_healer.strategies.flaky_test_stabilization.study import Study, smallest

pytest_plugins = ["pytester"]


# -- statistics ----------------------------------------------------------------------------------------------------
def tail(k: int, n: int, p: float) -> float:
    """The probability of at most ``k`` failures in ``n`` runs."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


@pytest.mark.parametrize(("failures", "runs"), [(0, 10), (1, 10), (3, 20), (9, 10), (10, 10), (50, 300)])
def test_bounds_are_those_of_clopper_and_pearson(failures: int, runs: int) -> None:
    """By their definition: under the bound, what was seen or anything further from it has the stated probability."""
    if failures < runs:
        assert tail(failures, runs, upper(failures, runs)) == pytest.approx(0.05)
    if failures:
        assert 1 - tail(failures - 1, runs, lower(failures, runs)) == pytest.approx(0.05)
    assert lower(failures, runs) <= failures / runs <= upper(failures, runs)


def test_bounds_that_need_no_search() -> None:
    assert (lower(0, 10), upper(10, 10), upper(0, 0)) == (0.0, 1.0, 1.0)
    assert upper(0, 10) == pytest.approx(1 - 0.05**0.1)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.25, 0.5, 0.9])
def test_so_many_runs_without_a_failure_would_be_a_surprise(rate: float) -> None:
    n = runs_needed(rate)
    assert (1 - rate) ** n <= 0.05 < (1 - rate) ** (n - 1)
    assert upper(0, n) <= rate + 1e-9


def test_the_number_of_reruns_follows_the_failure_rate() -> None:
    assert [reruns_for(r) for r in (0.0, 0.001, 0.1, 0.25, 0.5, 1.0)] == [1, 1, 2, 4, 5, 5]


# -- bisection -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("culprits", [{"t7"}, {"t0"}, {"t99"}, {"t3", "t80"}, {"t10", "t11", "t60"}])
def test_the_smallest_set_of_culprits_is_found(culprits: set[str]) -> None:
    asked = []

    def bad(order: Sequence[str]) -> bool:
        asked.append(len(order))
        return culprits <= set(order)

    found = smallest([f"t{i}" for i in range(100)], bad)
    assert set(found) == culprits
    assert len(asked) < 80 * len(culprits)


def test_one_culprit_is_found_by_halving() -> None:
    asked = []
    smallest([f"t{i}" for i in range(1024)], lambda order: bool(asked.append(1)) or "t500" in order)
    assert len(asked) <= 20


@pytest.mark.parametrize("culprit", ["test_a.py::test_2", "test_b.py::test_7"], ids=["same file", "another file"])
def test_polluters_are_looked_for_in_the_file_of_the_test_first(tmp_path: Path, culprit: str) -> None:
    """Where one of them is enough, no test of another file runs."""
    victim = "test_a.py::test_9"
    names = [f"{path}::test_{i}" for path in ("test_b.py", "test_a.py") for i in range(10)]
    asked: list[list[str]] = []

    class Known(Study):
        def passes(self, order: Sequence[str], overlay: Mapping[str, bytes] | None = None) -> bool | None:
            asked.append([*order])
            return culprit not in order

        def alone_runs(self, times: int = 30) -> list[Observation]:
            self.alone = [Observation(victim, "passed", 0.1)]
            return self.alone

    failure = Failure(nodeid=victim, phase="call", path="test_a.py", exc_type="AssertionError", exc_mro=("AssertionError",), message="")
    study = Known(failure, Context(tmp_path, HealerConfig(), failures=[failure], collected=names))
    assert study.polluters() == (culprit,)
    assert any("test_b.py" in n for order in asked for n in order) is culprit.startswith("test_b")


# -- orders --------------------------------------------------------------------------------------------------------
def test_every_arrangement_has_all_tests_and_is_the_same_each_time() -> None:
    nodeids = [f"tests/test_{f}.py::test_{i}" for f in "abc" for i in range(5)]
    for i in range(8):
        assert sorted(arranged(nodeids, i)) == sorted(nodeids)
        assert arranged(nodeids, i) == arranged(nodeids, i)
    assert arranged(nodeids, 0) == nodeids
    assert arranged(nodeids, 1) == nodeids[::-1]
    assert len({tuple(arranged(nodeids, i)) for i in range(8)}) == 8
    together = [n.partition("::")[0] for n in arranged(nodeids, 2)]
    assert together == [p for p in dict.fromkeys(together) for _ in range(5)]


def test_a_change_says_what_was_changed() -> None:
    change = Change("attribute", "pkg.conf", "DEBUG", before=Value("bool", "False"), after=Value("bool", "True"))
    assert change.told() == "pkg.conf.DEBUG: False -> True"
    assert Change.from_dict(json.loads(json.dumps(change.to_dict()))) == change
    assert Change("environ", "os", "HOME").told() == "os.environ['HOME']: nothing -> nothing"


# -- the whole way ---------------------------------------------------------------------------------------------------
def heal(pytester: pytest.Pytester, *args: str) -> list[dict[str, object]]:
    pytester.runpytest_subprocess("--heal-json=report.json", "-p", "no:cacheprovider", "-o", f"heal_cache_dir={pytester.path / 'cache'}", *args)
    found = json.loads((pytester.path / "report.json").read_text())
    results: list[dict[str, object]] = found["results"]
    return results


CONF = "NAMES = []\n\n\ndef add(name):\n    NAMES.append(name)\n    return len(NAMES)\n"


def test_what_a_victim_expects_is_not_changed(pytester: pytest.Pytester) -> None:
    """The value differs only because of another test: with all strategies on, the state is restored and no number edited."""
    pytester.makepyfile(conf=CONF, test_a="import conf\n\n\ndef test_one():\n    conf.add('x')\n\n\ndef test_two():\n    assert conf.add('y') == 1\n")
    (result,) = heal(pytester, "--heal")
    assert (result["strategy_used"], result["tactic"]) == ("flaky_test_stabilization", "polluted_state")
    assert result["success"]
    assert "== 1" in str(result["healed_code"])


def test_a_test_whose_polluter_is_found_and_healed_is_not_run_on_and_on_alone(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Five runs alone are what finding it takes; 30 are for a test of which no cause is known."""
    count = tmp_path_factory.mktemp("count") / "runs"
    two = f"def test_two():\n    with open({str(count)!r}, 'a') as f:\n        f.write('x')\n    assert conf.add('y') == 1\n"
    pytester.makepyfile(conf=CONF, test_a=f"import conf\n\n\ndef test_one():\n    conf.add('x')\n\n\n{two}")
    (result,) = heal(pytester, "--heal", "--heal-strategies=flaky_test_stabilization")
    assert (result["tactic"], result["success"]) == ("polluted_state", True)
    assert "passes alone (5 of 5 runs)" in str(result["evidence"])
    assert len(count.read_text()) < 30


def test_a_regression_is_no_flaky_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(conf=CONF.replace("len(NAMES)", "0"), test_a="import conf\n\n\ndef test_two():\n    assert conf.add('y') == 1\n")
    results = heal(pytester, "--heal")
    assert not [r for r in results if r["strategy_used"] == "flaky_test_stabilization"]


def test_the_hunt_finds_and_heals_in_a_green_suite_which_stays_green(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        conf=CONF, test_a="import conf\n\n\ndef test_first():\n    assert conf.add('y') == 1\n\n\ndef test_other():\n    conf.add('x')\n"
    )
    before = (pytester.path / "test_a.py").read_bytes()
    done = pytester.runpytest_subprocess(
        "--heal-flaky=3", "--heal-json=report.json", "-p", "no:cacheprovider", "-o", f"heal_cache_dir={pytester.path / 'cache'}"
    )
    assert done.ret == 0
    done.stdout.fnmatch_lines(["*hunt: 1 flaky test found in 3 runs in changed order*"])
    (result,) = json.loads((pytester.path / "report.json").read_text())["results"]
    assert (result["test_id"], result["decision"]["kind"]) == ("test_a.py::test_first", "pending")
    assert any("test_other" in e["sentence"] for e in result["evidence"])
    assert "Clopper-Pearson" in result["validation_results"]["stable"]["reason"]
    assert (pytester.path / "test_a.py").read_bytes() == before


def test_the_hunt_goes_on_beside_a_failure(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        conf=CONF,
        test_a="import conf\n\n\ndef test_first():\n    assert conf.add('y') == 1\n\n\ndef test_other():\n    conf.add('x')\n",
        test_b="def test_wrong():\n    assert [1, 2] is None\n",
    )
    done = pytester.runpytest_subprocess(
        "--heal-flaky=3", "--heal-json=report.json", "-p", "no:cacheprovider", "-o", f"heal_cache_dir={pytester.path / 'cache'}"
    )
    assert done.ret == 1
    done.stdout.fnmatch_lines(["*hunt: 1 flaky test found in 3 runs in changed order*"])
    kinds = {r["test_id"]: r["decision"]["kind"] for r in json.loads((pytester.path / "report.json").read_text())["results"]}
    assert kinds["test_a.py::test_first"] == "pending"
    assert kinds["test_b.py::test_wrong"] in ("rejected", "advised")


def test_a_hunt_without_a_find_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_a="def test_a():\n    pass\n\n\ndef test_b():\n    pass\n")
    done = pytester.runpytest_subprocess("--heal-flaky=2", "-p", "no:cacheprovider")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["*no flaky test found in 2 runs*"])


@pytest.mark.parametrize("value", ["x", "-1"])
def test_a_wrong_number_of_runs_is_a_usage_error(pytester: pytest.Pytester, value: str) -> None:
    done = pytester.runpytest_subprocess(f"--heal-flaky={value}")
    assert done.ret == 4
    done.stderr.fnmatch_lines(["*--heal-flaky*"])


def test_several_victims_in_another_file_are_one_heal(pytester: pytest.Pytester) -> None:
    victims = "import conf\n\n\n" + "\n\n".join(f"def test_{i}():\n    assert conf.NAMES == []\n" for i in range(4))
    pytester.makepyfile(conf=CONF, test_a="import conf\n\n\ndef test_add():\n    conf.add('x')\n", test_b=victims)
    (result,) = heal(pytester, "--heal")
    assert result["nodeids"] == [f"test_b.py::test_{i}" for i in range(4)]


@pytest.mark.parametrize(("today", "told"), [(True, False), (False, True)])
def test_the_date_is_not_blamed_where_the_test_passes_today(tmp_path: Path, today: bool, told: bool) -> None:
    """Alone, that is: it names a day that has passed, but it is the order that fails it."""
    (tmp_path / "shop.py").write_text("import time\n\n\ndef late(moment):\n    return time.time() > moment\n")
    test = "import datetime\n\nimport shop\n\n\ndef test_late():\n    assert not shop.late(datetime.datetime(2020, 1, 1).timestamp())\n"
    (tmp_path / "test_shop.py").write_text(test)
    failure = Failure(
        nodeid="test_shop.py::test_late", phase="call", path="test_shop.py", exc_type="AssertionError", exc_mro=("AssertionError",), message=""
    )
    ctx = Context(tmp_path, HealerConfig(), failures=[failure])
    limit = time.time() - 86400

    class Known(Study):
        def within(self, worlds: Sequence[World], overlay: Mapping[str, bytes] | None = None) -> bool:
            return all(w.now is not None and w.now < limit for w in worlds) or today

        def product_change(self, conditions: Sequence[Conditions], passing: Conditions | None = None) -> str:
            return ""

    found = list(PassedDate().studied(Known(failure, ctx)))
    assert bool(found) is told


@pytest.mark.parametrize(("fails", "found"), [({1}, "fails alike"), ({1, 2}, "cannot be run, or fails in another way"), (set(), "passes")])
def test_what_always_failed_did_not_fail_by_chance(tmp_path: Path, fails: set[int], found: str) -> None:
    """Today it fails with seed 1 and passes with seed 2; ``fails`` are the seeds with which it failed then."""
    failure = Failure(nodeid="test_a.py::test", phase="call", path="test_a.py", exc_type="AssertionError", exc_mro=("AssertionError",), message="")

    class Then(Study):
        def under(self, conditions: Conditions, overlay: Mapping[str, bytes] | None = None) -> Observation | None:
            bad = conditions.seed in fails
            return Observation(self.nodeid, "failed" if bad else "passed", 0.1, failure if bad else None)

        def _change(self, ask: Callable[[Before], Asked]) -> str:
            return str(ask(Before("HEAD~1", "shop.py", 1, "")).value)

    study = Then(failure, Context(tmp_path, HealerConfig()))
    assert study.product_change([Conditions(seed=1)], Conditions(seed=2)) == found


# -- runs that do not come to their end ------------------------------------------------------------------------------
ENDS = {
    "the process is ended by a test": ("import os\nimport conf\n\n\ndef test_first():\n    if conf.NAMES:\n        os._exit(3)\n", "", "*status*"),
    "pytest itself fails": (
        "import conf\n\n\ndef test_first():\n    assert conf\n",
        "import conf\n\n\ndef pytest_runtest_makereport(item):\n    if conf.NAMES and item.name == 'test_first':\n"
        "        raise LookupError('no clock')\n",
        "crash: LookupError: no clock)*",
    ),
}
THREAD = "import threading\n\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "fresh"])
@pytest.mark.parametrize("kind", list(ENDS))
def test_a_run_that_crashes_counts_as_far_as_it_came(pytester: pytest.Pytester, kind: str, forks: bool) -> None:
    """Reversed, test_other adds, test_last fails for that, and then test_first ends all. A process with threads is not forked."""
    code, conftest, told = ENDS[kind]
    pytester.makeconftest(conftest + (THREAD if not forks else ""))
    more = "\n\ndef test_last():\n    assert conf.NAMES == []\n\n\ndef test_other():\n    conf.add('x')\n"
    pytester.makepyfile(conf=CONF, test_a=code + more)
    options = ("-p", "no:cacheprovider", "-o", f"heal_cache_dir={pytester.path / 'cache'}")
    chosen = "flaky_test_stabilization" if forks else "timing_adjustment"  # many fresh processes take long
    done = pytester.runpytest_subprocess("--heal-flaky=2", f"--heal-strategies={chosen}", "--heal-json=report.json", *options)
    assert done.ret == 0
    found = "*hunt: 1 flaky test found in 1 runs in changed order; 1 more ended before all tests had run"
    done.stdout.fnmatch_lines([f"{found} (in test_a.py::test_first, after 2 of 3 tests: {told}"])
    (result,) = json.loads((pytester.path / "report.json").read_text())["results"]
    assert (result["test_id"], result["success"]) == ("test_a.py::test_last", forks)


# -- modules that were executed anew --------------------------------------------------------------------------------
SHAPES = "class Shape:\n    pass\n\n\ndef make():\n    return Shape()\n"
MADE = "import shapes\nfrom shapes import Shape\n\n\ndef test_make():\n    assert isinstance(shapes.make(), Shape)\n"
RELOADED = "import importlib\n\nimport shapes\n\n\ndef test_reload():\n    assert importlib.reload(shapes).make()\n"
SHOP = "import importlib\n\nimport shapes\n\n\ndef refresh():\n    return importlib.reload(shapes)\n"


@pytest.mark.parametrize("own", [True, False], ids=["by the test", "by the product"])
def test_what_the_product_reloads_is_for_a_person_to_judge(pytester: pytest.Pytester, own: bool) -> None:
    """That users of the product hold outdated classes afterwards may be its fault."""
    polluter = RELOADED if own else "import shop\n\n\ndef test_refresh():\n    assert shop.refresh().make()\n"
    pytester.makepyfile(shapes=SHAPES, shop=SHOP, test_a=polluter, test_b=MADE)
    (result,) = heal(pytester, "--heal")
    assert result["success"]
    assert "mock.patch.dict(vars(shapes))" in str(result["healed_code"])
    assert result["applicability"] == ("safe" if own else "review")


@pytest.mark.parametrize("polluter", ["shapes.make = lambda: 5", "shapes.Shape = shapes.make = int"], ids=["one", "all that it defines"])
def test_what_is_bound_to_something_else_was_not_executed_anew(pytester: pytest.Pytester, polluter: str) -> None:
    """One name is given back by what sets it, several by name."""
    pytester.makepyfile(shapes=SHAPES, test_a=f"import shapes\n\n\ndef test_other():\n    {polluter}\n    assert shapes.make\n", test_b=MADE)
    (result,) = heal(pytester, "--heal")
    assert result["success"]
    assert "vars(shapes)" not in str(result["healed_code"])


def test_a_polluter_that_fails_itself_is_not_where_it_begins(pytester: pytest.Pytester) -> None:
    """test_marked leaves its mark only where it fails, which it does after test_reload."""
    marked = "def test_marked():\n    marks.ALL.append(1)\n    assert isinstance(shapes.make(), Shape)\n    marks.ALL.clear()\n"
    marked = f"import pytest\nimport marks\nimport shapes\nfrom shapes import Shape\n\n\n@pytest.mark.no_heal\n{marked}"
    victim = "import marks\n\n\ndef test_unmarked():\n    assert marks.ALL == []\n"
    pytester.makepyfile(marks="ALL = []\n", shapes=SHAPES, test_a=RELOADED, test_b=marked, test_c=victim)
    (result,) = [r for r in heal(pytester, "--heal") if r["success"]]
    assert "test_c.py::test_unmarked" in result["nodeids"]  # type: ignore[operator]
    assert "mock.patch.dict(vars(shapes))" in str(result["healed_code"])
