"""Proofs run beside the disk: nothing of the project changes, nothing of the session changes, and no heal can take the session with it."""

from __future__ import annotations

import json
import os
import threading
import types
from collections.abc import Iterator

import pytest

from pytest_maestro_healer.session.overlay import Overlay
from tests.integration.toys import BROKEN, HEALED, LIB, NEW, OLD, Suite

#: A thread that is alive makes forking unsafe: proofs then run in forks of another process. It ends with its file.
THREAD = """
import os
import threading
import time


def wait():
    while os.path.exists(__file__):
        time.sleep(0.02)


def test_thread():
    threading.Thread(target=wait, daemon=True, name="toy").start()
"""


@pytest.fixture(autouse=True)
def no_thread_stays(suite: Suite) -> Iterator[None]:
    yield
    (suite.path / "test_0.py").unlink(missing_ok=True)
    for thread in threading.enumerate():
        if thread.name == "toy":
            thread.join(10)


def prepare(suite: Suite, route: str) -> tuple[str, ...]:
    """Make proofs go by ``route``; the arguments for it."""
    if route == "thread":
        suite.write({"test_0.py": THREAD})
    return {"forked": (), "thread": (), "fresh": ("--heal-isolate",)}[route]


# -- the disk ----------------------------------------------------------------------------------------------------
BIG = {
    "conftest.py": "import pytest\nimport lib\n\n\n@pytest.fixture\ndef two():\n    return lib.old_name(1)\n",
    "testsuite/__init__.py": "",
    "testsuite/helper.py": "import lib\n\n\ndef helped():\n    return lib.old_name(1)\n",
    "testsuite/test_helped.py": "from .helper import helped\n\n\ndef test_helped():\n    assert helped() == 2\n",
    "testsuite/test_fixture.py": "def test_fixture(two):\n    assert two == 2\n",
    "testsuite/test_call.py": BROKEN,
    "testsuite/test_syntax.py": "def test_syntax(:\n    pass\n",
    "testsuite/sub/conftest.py": "def oops(:\n    pass\n",
    "testsuite/sub/test_sub.py": "def test_sub():\n    assert True\n",
    "testsuite/test_real.py": "import lib\n\n\ndef test_real():\n    assert lib.VALUE == 3\n",
    "pytest.ini": "[pytest]\n",
}
BIG_SWAPS = ((OLD, NEW), ("test_syntax(:", "test_syntax():"), ("oops(:", "oops():"))


@pytest.mark.parametrize("bytecode", [False, True], ids=["no-bytecode", "bytecode"])
def test_a_review_run_changes_no_byte_and_no_time(suite: Suite, bytecode: bool) -> None:
    suite.toy(*BIG_SWAPS)
    suite.write(BIG)
    env = {"PYTHONDONTWRITEBYTECODE": "" if bytecode else "1"}
    if bytecode:  # what a run without healing leaves behind
        suite.spawn("--continue-on-collection-errors", heal=(), env=env)
        assert any(name.endswith(".pyc") for name in suite.tree())
    before = suite.tree()
    run = suite.spawn(heal=("--heal-review",), env=env)
    after = suite.tree()
    decided = {r["decision"]["kind"] for r in run.results}
    assert decided == {"pending", "rejected"}, run.text
    assert sum(r["decision"]["kind"] == "pending" for r in run.results) >= 3, run.text
    new = {name for name in after if name not in before}
    # a first run of a healed file's tests may cache what else it imports, never the healed file
    assert bytecode or not new
    assert not [name for name in new if "test_syntax" in name or "sub/__pycache__/conftest" in name]
    assert all(name.endswith((".pyc", "__pycache__")) for name in new)
    folders = {os.path.dirname(name) or "." for name in new} | {os.path.dirname(os.path.dirname(name)) or "." for name in new}
    assert {n: v for n, v in after.items() if n in before and n not in folders} == {n: v for n, v in before.items() if n not in folders}


def test_healed_code_is_never_cached(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    env = {"PYTHONDONTWRITEBYTECODE": ""}
    suite.spawn(env=env)
    done = suite.spawn(heal=(), env=env)
    assert done.ret == 1
    assert "has no attribute 'old_name'" in done.text


# -- heals that misbehave ----------------------------------------------------------------------------------------
BAD = """
import os, signal, sys, time

def spin(x):
    while True:
        pass

def stubborn(x):
    while True:
        try:
            time.sleep(100)
        except BaseException:
            pass

def die(x):
    os._exit(0)

def fault(x):
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(5)

def leave(x):
    sys.exit(0)

def stop(x):
    import pytest
    pytest.exit("over")

def deep(x):
    return deep(x)
"""
OTHER = BROKEN.replace("test_call", "test_other")


@pytest.mark.parametrize("route", ["forked", "thread"])
@pytest.mark.parametrize(("name", "why"), [("spin", "hang"), ("stubborn", "hang")])
def test_a_heal_that_hangs_is_stopped(suite: Suite, route: str, name: str, why: str) -> None:
    args = prepare(suite, route)
    suite.write({"lib.py": suite.read("lib.py").decode() + BAD, "test_a.py": BROKEN, "test_b.py": OTHER.replace("old_name", "old_one")})
    suite.toy((OLD, f"lib.{name}("), ("lib.old_one(", NEW))
    run = suite.heal(*args, "-o", "heal_timeout=1")
    assert run.ret == 1
    assert run.kinds() == {"test_a.py::test_call": "rejected", "test_b.py::test_other": "pending"}
    refused = next(r for r in run.results if r["test_id"] == "test_a.py::test_call")["refused"]
    assert why in refused[0]


@pytest.mark.parametrize("route", ["forked", "thread"])
@pytest.mark.parametrize("name", ["die", "fault", "leave", "stop", "deep"])
def test_a_heal_that_kills_its_process_takes_nobody_with_it(suite: Suite, name: str, route: str) -> None:
    args = prepare(suite, route)
    suite.write({"lib.py": LIB + BAD, "test_a.py": BROKEN, "test_b.py": OTHER.replace("old_name", "old_one")})
    suite.toy((OLD, f"lib.{name}("), ("lib.old_one(", NEW))
    run = suite.heal(*args)
    assert run.ret == 1
    assert run.kinds() == {"test_a.py::test_call": "rejected", "test_b.py::test_other": "pending"}


@pytest.mark.parametrize("route", ["forked", "thread"])
def test_a_module_that_cannot_be_executed_twice(suite: Suite, route: str) -> None:
    args = prepare(suite, route)
    registry = (
        "\n\nSEEN = set()\n\n\ndef register(name):\n    if name in SEEN:\n        raise ValueError(f'{name} is there already')\n    SEEN.add(name)\n"
    )
    suite.write(
        {"lib.py": suite.read("lib.py").decode() + registry, "test_a.py": BROKEN.replace("import lib\n", "import lib\n\nlib.register('a')\n")}
    )
    run = suite.heal(*args)
    assert run.one()["decision"]["kind"] == "pending", run.text


# -- values that do not last -------------------------------------------------------------------------------------
COUNTER = "\n\nN = 0\n\n\ndef tick():\n    global N\n    N += 1\n    return N\n"
PIN = '''

class Pin(Tactic):
    """Puts the value of the failed run in."""

    name = "pin"
    summary = ""
    applicability = Applicability.SAFE

    def propose(self, failure, ctx):
        c = failure.comparison
        src = ctx.source(failure.path)
        at = src.text.find("0.5")
        if c is not None and at >= 0:
            new = c.operand("left").value.repr
            yield Proposal("toy", "pin", (src.replace(at, at + 3, new),), (Evidence("toy", "", "", 0.95),), self.applicability, "", meaning=new)


Toy.tactics = (Pin(),)
'''


@pytest.mark.parametrize("route", ["forked", "thread"])
def test_a_value_that_product_state_drifted_to_is_refused(suite: Suite, route: str) -> None:
    args = prepare(suite, route)
    suite.write({"lib.py": suite.read("lib.py").decode() + COUNTER, "test_a.py": "import lib\n\n\ndef test_tick():\n    assert lib.tick() == 7\n"})
    suite.toy(("== 7", "== 2"))  # what the second call in one process gives
    run = suite.heal(*args, fresh=True)
    assert run.one()["decision"]["kind"] == "rejected", run.text
    assert suite.store.pending() == []


@pytest.mark.parametrize(
    "expression", ["random.random()", "time.time()", "os.getpid()", "list(map(str, {str(i) for i in range(50)}))", "id(object())"]
)
def test_a_value_that_differs_between_runs_is_refused(suite: Suite, expression: str) -> None:
    suite.toy(extra=PIN)
    suite.write({"test_a.py": f"import os\nimport random\nimport time\n\n\ndef test_value():\n    assert {expression} == 0.5\n"})
    run = suite.heal(fresh=True)
    assert run.one()["decision"]["kind"] == "rejected", run.text


# -- the session's own state -------------------------------------------------------------------------------------
STATE = """
import gc, json, linecache, os, signal, sys, threading, time, warnings
import pytest

def state(session):
    config = session.config
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    here = str(config.rootpath)
    manager = session._fixturemanager
    hooks = {name: [i.plugin_name for i in getattr(config.hook, name).get_hookimpls()]
             for name in ("pytest_runtest_logreport", "pytest_runtest_protocol", "pytest_collectreport", "pytest_exception_interact")}
    return {
        "modules": {n: id(m) for n, m in sys.modules.items() if str(getattr(m, "__file__", "")).startswith(here)},
        "known": sorted(n for n in sys.modules if n in BEFORE),
        "path": list(sys.path),
        "meta": [type(f).__name__ if not isinstance(f, type) else f.__name__ for f in sys.meta_path],
        "lines": {n: [e[1], len(e[2])] for n, e in linecache.cache.items() if n.startswith(here) and len(e) > 1},
        "plugins": sorted(str(n) for n, p in config.pluginmanager.list_name_plugin() if p is not None),
        "hooks": hooks,
        "stats": {k: len(v) for k, v in reporter.stats.items()},
        "session": [session.testsfailed, session.testscollected, str(session.shouldfail), str(session.shouldstop), len(session.items)],
        "fixtures": {k: len(v) for k, v in getattr(manager, "_arg2fixturedefs", {}).items()},
        "cwd": os.getcwd(),
        "environ": {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"},
        "signals": [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGALRM, signal.SIGTERM, signal.SIGCHLD)],
        "timer": [x > 0 for x in signal.getitimer(signal.ITIMER_REAL)],
        "threads": sorted(t.name for t in threading.enumerate() if t not in THREADS),
        "descriptors": len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0,
        "filters": len(warnings.filters),
        "trace": str(sys.gettrace()),
        "zombies": children(),
        "streams": [id(sys.stdout), id(sys.stderr), id(sys.stdin)],
        "logged": list(LOGGED),
    }

LOGGED = []

def pytest_runtest_logreport(report):
    LOGGED.append([report.nodeid, report.when, report.outcome])

def children():
    try:
        return os.waitpid(-1, os.WNOHANG)[0]
    except ChildProcessError:
        return 0

BEFORE = set(sys.modules)
THREADS = set(threading.enumerate())
FIRST = {}

@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    try:
        return (yield)
    finally:
        FIRST.update(state(session))

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    last = state(session)
    diff = {k: [FIRST[k], last[k]] for k in last if FIRST.get(k) != last[k]}
    open(os.environ["STATE_FILE"], "w").write(json.dumps(diff, default=str))
"""
STATEFUL = """
import warnings
import pytest
import lib

@pytest.fixture(autouse=True, scope="module")
def mod():
    yield

@pytest.fixture
def value():
    warnings.warn("in a fixture")
    return 1

class TestIt:
    def test_call(self, value):
        warnings.warn("careful")
        print("printed")
        assert lib.old_name(value) == 2

    def test_fine(self, value):
        pass

@pytest.mark.parametrize("x", [1, 2])
def test_params(x, value):
    assert lib.old_name(x) == x + 1
"""


@pytest.mark.parametrize("more", [(), ("-x",), ("-s",)], ids=["", "x", "s"])
@pytest.mark.parametrize("route", ["forked", "thread"])
def test_the_session_is_as_before(suite: Suite, route: str, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    args = prepare(suite, route)
    monkeypatch.setenv("STATE_FILE", str(suite.outside / "state.json"))
    suite.write(
        {"conftest.py": STATE, "sub/test_a.py": STATEFUL, "sub/test_b.py": STATEFUL.replace("TestIt", "TestOther"), "pytest.ini": "[pytest]\n"}
    )
    suite.toy(everywhere=True)
    suite.plain(*more)
    without = json.loads((suite.outside / "state.json").read_text())
    run = suite.heal(*args, *more)
    assert run.ret == 1
    assert {r["decision"]["kind"] for r in run.results} == {"pending"}, run.text
    assert json.loads((suite.outside / "state.json").read_text()) == without


@pytest.mark.parametrize("route", ["forked", "thread", "fresh"])
@pytest.mark.parametrize("more", [(), ("-s",)], ids=["captured", "s"])
def test_what_tests_print_while_healing_stays_away(suite: Suite, route: str, more: tuple[str, ...]) -> None:
    args = prepare(suite, route)
    noisy = BROKEN.replace("import lib\n", "import os\nimport lib\nprint('LOUD-MODULE')\n").replace(
        "    assert", "    print('LOUD-TEST')\n    os.write(2, b'LOUD-FD\\n')\n    assert"
    )
    suite.write({"test_a.py": noisy})
    run = suite.heal(*args, *more)
    assert run.one()["decision"]["kind"] == "pending"
    text = run.text.replace("print('LOUD", "").replace("b'LOUD-FD", "")
    assert text.count("LOUD-TEST") == 1
    assert text.count("LOUD-MODULE") <= 1
    assert text.count("LOUD-FD") <= 1


# -- every kind of test module -----------------------------------------------------------------------------------
LAYOUT = {
    "conftest.py": "import pytest\n\nLOG = []\n\n\n@pytest.fixture\ndef number():\n    return 10\n\n\n"
    "@pytest.fixture(scope='session')\ndef shared():\n"
    "    return []\n\n\n@pytest.fixture(autouse=True)\ndef marked(request):\n    LOG.append(request.node.get_closest_marker('level'))\n",
    "pytest.ini": "[pytest]\nmarkers = level(n): a level\npythonpath = .\n",
    "testsuite/__init__.py": "",
    "testsuite/tools.py": "def one():\n    return 1\n",
    "testsuite/test_same.py": "import lib\nfrom .tools import one\nfrom . import tools\n\n\n"
    "def test_relative():\n    assert lib.old_name(one()) == 2\n"
    "    assert tools.one is one\n",
    "testsuite/deep/__init__.py": "",
    "testsuite/deep/test_same.py": "import lib\nfrom ..tools import one\n\n\nclass TestDeep:\n    def test_relative(self):\n        assert lib.old_name(one()) == 2\n",  # noqa: E501
    "plain/test_fixtures.py": '''
import unittest
import pytest
import lib
import conftest

pytestmark = pytest.mark.level(3)


@pytest.fixture
def number(number):
    """Overrides the conftest's, and asks for it."""
    return number - 9


@pytest.fixture(scope="module")
def module_list():
    return []


@pytest.fixture(scope="class")
def class_list():
    return []


@pytest.fixture(autouse=True)
def filled(module_list):
    module_list.append(1)
    yield
    module_list.pop()


def test_override(number, module_list, shared):
    assert module_list == [1]
    shared.append(number)
    assert lib.old_name(number) == 2


class TestClass:
    @pytest.fixture(autouse=True)
    def own(self, class_list):
        class_list.append(self)
        self.mine = len(class_list)

    def test_first(self, class_list):
        assert lib.old_name(len(class_list)) == len(class_list) + 1

    @pytest.mark.parametrize(("a", "b"), [(1, 2), pytest.param(2, 3, id="two-three")])
    def test_params(self, a, b, number):
        assert lib.old_name(a) == b


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ready = 1

    def setUp(self):
        self.value = self.ready

    def test_case(self):
        self.assertEqual(lib.old_name(self.value), 2)


def test_marks(request):
    assert request.node.get_closest_marker("level").args == (3,)
    assert lib.old_name(1) == 2
''',
}
LAYOUT_IDS = {
    "testsuite/test_same.py::test_relative",
    "testsuite/deep/test_same.py::TestDeep::test_relative",
    *(
        f"plain/test_fixtures.py::{n}"
        for n in (
            "test_override",
            "TestClass::test_first",
            "TestClass::test_params[1-2]",
            "TestClass::test_params[two-three]",
            "Case::test_case",
            "test_marks",
        )
    ),
}


@pytest.mark.parametrize("route", ["forked", "thread", "fresh"])
@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_every_layout(suite: Suite, mode: str, route: str) -> None:
    if (mode, route) == ("append", "fresh"):
        pytest.skip("no other than prepend there")
    args = prepare(suite, route)
    suite.write(LAYOUT)
    run = suite.heal(*args, f"--import-mode={mode}", "testsuite", "plain")
    healed = {n for r in run.results if r["decision"]["kind"] == "pending" for n in r["nodeids"]}
    assert healed == LAYOUT_IDS, run.text
    assert run.ret == 1


def test_a_helper_and_a_conftest_are_healed_for_review(suite: Suite) -> None:
    suite.write({k: v for k, v in BIG.items() if "sub" not in k and "syntax" not in k and "real" not in k})
    run = suite.heal("testsuite/test_helped.py", "testsuite/test_fixture.py", heal=("--heal-apply=safe",), fresh=True)
    one = run.one()
    assert set(one["nodeids"]) == {"testsuite/test_helped.py::test_helped", "testsuite/test_fixture.py::test_fixture"}
    assert one["decision"] == {"kind": "pending", "rule": "for review: shared test code"}
    assert sorted(c["path"] for c in one["changes"]) == ["conftest.py", "testsuite/helper.py"]


def test_the_healed_source_is_what_runs(suite: Suite) -> None:
    """A heal that pytest would not see proves nothing: a wrong edit next to the failing line must not pass."""
    suite.write({"test_a.py": BROKEN + "    # lib.old_name( in a comment\n"})
    suite.toy(("    # lib.old_name(", "    # lib.new_name("))
    run = suite.heal()
    assert run.one()["decision"]["kind"] == "rejected"
    assert HEALED not in str(run.report)


def test_of_a_long_module_only_what_runs_is_rewritten_and_collected(suite: Suite) -> None:
    """Tests that do not run stay callable, fixtures and parameter sets stay as they are, and values of the failing assert are still seen."""
    others = "".join(f"\n\ndef test_other_{i}():\n    assert lib.VALUE == 2\n" for i in range(30))
    text = (
        "import lib\nimport pytest\n\n\n@pytest.fixture(autouse=True)\ndef two():\n    return 2\n\n\n"
        "class TestBase:\n    def helped(self):\n        test_other_3()\n        return lib.old_name(1)\n\n"
        "    def test_base(self):\n        assert lib.VALUE == 2\n\n\n"
        "class TestMine(TestBase):\n    @pytest.mark.parametrize('x', ['a::b', '[c]'])\n    def test_mine(self, x, two):\n"
        "        assert self.helped() == two\n"
    )
    suite.write({"test_a.py": text + others})
    run = suite.heal()
    one = run.one()
    assert set(one["nodeids"]) == {"test_a.py::TestMine::test_mine[a::b]", "test_a.py::TestMine::test_mine[[c]]"}, run.text
    assert one["decision"]["kind"] == "pending"
    assert one["diff"].count("+        return lib.new_name(1)") == 1


def test_only_the_asserts_of_what_runs_are_rewritten(suite: Suite) -> None:
    path = str(suite.path / "test_x.py")
    one = b"def test_a():\n    assert x == 1\n\n\n"
    two = b"class TestB:\n    y = 1\n\n    def test_b(self):\n        assert x == 2\n\n\n"
    source = one + two + b"def test_c():\n    assert x == 3\n"
    server = Overlay(suite.pytester.parseconfig(), {path: source}, {path: frozenset({"test_a", "TestB"})})
    code = server.compile("test_x", path)
    made = {c.co_name: c for c in code.co_consts if isinstance(c, types.CodeType)}
    assert made.keys() == {"test_a", "TestB", "test_c"}
    assert [n for n, c in made.items() if "@pytest_ar" in c.co_names] == ["test_c"]
    assert "y" in made["TestB"].co_names
