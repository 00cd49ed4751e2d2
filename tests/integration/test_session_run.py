"""A healing run is the user's run: outcomes, exit codes and pytest's own options mean what they mean without healing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.integration.toys import BROKEN, HEALED, LIB, NEW, OLD, Suite

REAL = "import lib\n\n\ndef test_real():\n    assert lib.VALUE == 3\n"
GREEN = "def test_green():\n    pass\n"


# -- exit codes --------------------------------------------------------------------------------------------------
def test_pending_is_1(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "test_b.py": GREEN})
    run = suite.heal("-o", "heal_exit_zero=true")
    assert (run.ret, run.kinds()) == (1, {"test_a.py::test_call": "pending"})
    assert "maestro-heal accept h-" in run.text


@pytest.mark.parametrize(("zero", "code"), [("false", 1), ("true", 0)])
def test_applied_is_1_unless_heal_exit_zero(suite: Suite, zero: str, code: int) -> None:
    suite.write({"test_a.py": BROKEN})
    run = suite.heal("-o", f"heal_exit_zero={zero}", heal=("--heal-apply=safe",), fresh=True)
    assert (run.ret, run.kinds()) == (code, {"test_a.py::test_call": "applied"})
    assert suite.read("test_a.py") == HEALED.encode()
    assert "1 failed" in run.counts()
    assert suite.plain().ret == 0


def test_what_is_not_healed_stays_1(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "test_b.py": REAL})
    run = suite.heal("-o", "heal_exit_zero=true", heal=("--heal-apply=all",), fresh=True)
    assert run.ret == 1
    assert run.kinds() == {"test_a.py::test_call": "applied", "test_b.py::test_real": "rejected"}


def test_collection_healed_is_1(suite: Suite) -> None:
    suite.toy(("test_a(:", "test_a():"))
    suite.write({"test_a.py": "def test_a(:\n    pass\n"})
    run = suite.heal("-o", "heal_exit_zero=true")
    assert run.ret == 1
    assert run.counts() == "1 passed, 1 error"


def test_green_and_empty_runs(suite: Suite) -> None:
    suite.write({"test_a.py": GREEN})
    run = suite.heal()
    assert run.ret == 0
    assert "healing" not in run.text.partition("test session starts")[2].partition("collected")[2]
    (suite.path / "test_a.py").unlink()
    assert suite.heal().ret == 5


# -- parity ------------------------------------------------------------------------------------------------------
MIXED = """
import unittest, warnings
import pytest

@pytest.fixture
def bad():
    raise RuntimeError("setup")

@pytest.fixture
def late():
    yield
    raise RuntimeError("teardown")

def test_pass(): warnings.warn("look")
def test_fail(): raise RuntimeError("no")
def test_skip(): pytest.skip("later")
@pytest.mark.xfail
def test_xfail(): assert 0
@pytest.mark.xfail
def test_xpass(): pass
@pytest.mark.xfail(strict=True)
def test_strict(): pass
def test_error(bad): pass
def test_late(late): pass
@pytest.mark.parametrize("x", [1, 2, 3])
def test_params(x): assert x != 2
class TestClass:
    def test_method(self): assert [] == [1]
class Case(unittest.TestCase):
    def test_unit(self): self.assertEqual(1, 2)
    @unittest.expectedFailure
    def test_expected(self): self.assertEqual(1, 2)
    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)
def test_exit(): raise SystemExit(3)
def test_stop_iteration(): raise StopIteration
class Odd(Exception):
    def __str__(self): raise ValueError("unprintable")
def test_odd(): raise Odd
def test_group(): raise_group()
def raise_group():
    try:
        raise ValueError("first")
    except ValueError as e:
        raise KeyError("second") from e
"""


def story(text: str) -> list[str]:
    """Pytest's short summary, its last line and its warnings' number, without times."""
    lines = text.split("short test summary info")[-1].splitlines()[1:]
    return [re.sub(r" in \d.*", "", line.strip("= ")) for line in lines]


@pytest.mark.parametrize(
    "args", [(), ("-x",), ("--maxfail=3",), ("-k", "params or late"), ("-p", "no:terminal"), ("-q",), ("--assert=plain",)], ids=" ".join
)
def test_same_outcomes_as_without(suite: Suite, args: tuple[str, ...]) -> None:
    suite.write({"test_mixed.py": MIXED, "test_other.py": GREEN})
    more = () if "no:terminal" in args else ("-rA",)
    plain = suite.plain(*more, *args)
    run = suite.heal(*more, *args)
    assert run.ret == plain.ret == 1
    if "no:terminal" not in args:
        assert story(run.text) == story(plain.text)
        assert run.counts() == plain.counts()


def test_unhealed_collection_errors_end_the_run_as_without(suite: Suite) -> None:
    suite.write({"test_a.py": "def test_a(:\n", "test_b.py": GREEN, "test_c.py": "import nothing_of_this_name\n"})
    plain, run = suite.plain(), suite.heal()
    assert run.ret == plain.ret == 2
    assert story(run.text) == story(plain.text)
    assert {r["decision"]["kind"] for r in run.results} == {"rejected"}
    plain, run = suite.plain("--continue-on-collection-errors"), suite.heal("--continue-on-collection-errors")
    assert run.ret == plain.ret == 1
    assert story(run.text) == story(plain.text)


def test_exit_by_the_user_is_left_alone(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "test_b.py": "import pytest\n\ndef test_b():\n    pytest.exit('over', returncode=7)\n"})
    plain, run = suite.plain(), suite.heal()
    assert run.ret == plain.ret == 7


# -- pytest's own options ----------------------------------------------------------------------------------------
TWO = {"test_a.py": BROKEN, "test_b.py": BROKEN.replace("test_call", "test_other"), "test_c.py": GREEN}


@pytest.mark.parametrize("flag", ["-x", "--maxfail=1"])
def test_stop_at_the_first_failure(suite: Suite, flag: str) -> None:
    suite.write(TWO)
    run = suite.heal(flag)
    assert run.ret == 1
    assert "stopping after 1 failures" in run.text
    assert list(run.kinds()) == ["test_a.py::test_call"]
    assert run.one()["decision"]["kind"] == "pending"
    assert run.text.index("healing summary") < run.text.index("stopping after 1 failures")


def test_collect_only_heals_nothing(suite: Suite) -> None:
    suite.toy(("test_d(:", "test_d():"))
    suite.write({"test_a.py": BROKEN})
    run = suite.heal("--co", "-q")
    assert run.ret == 0
    assert re.sub(r"[\d.]+s", "", run.text) == re.sub(r"[\d.]+s", "", suite.plain("--co", "-q").text)
    suite.write({"test_d.py": "def test_d(:\n    pass\n"})
    plain, run = suite.plain("--co"), suite.heal("--co")
    assert run.ret == plain.ret == 2
    assert not run.results


def test_last_failed_and_stepwise(suite: Suite) -> None:
    suite.write(TWO)
    cache = ("-p", "cacheprovider", "-o", f"cache_dir={suite.outside / 'pytest_cache'}")
    args = [a for a in suite.arguments if a != "no:cacheprovider"]
    args = [a for i, a in enumerate(args) if not (a == "-p" and args[i + 1 : i + 2] == ["-p"])]

    def heal(*more: str) -> set[str]:
        suite._inprocess(*args, *cache, "--heal", "-o", "heal_fresh_confirm=false", *more)
        run = suite._report()
        return {r["test_id"] for r in run.get("results", ()) for r in [r]} | {n for r in run.get("results", ()) for n in r["nodeids"]}

    both = {"test_a.py::test_call", "test_b.py::test_other"}
    assert heal() == both
    assert heal("--lf") == both  # what is healed only on offer goes on failing
    assert heal("--lf", "test_b.py") == {"test_b.py::test_other"}
    assert heal("--sw") == {"test_a.py::test_call"}
    assert heal("--sw", "--sw-skip") == both


def test_debugger_without_anybody_at_it(suite: Suite) -> None:
    suite.write(TWO)
    plain = suite.spawn("--pdb", heal=())
    run = suite.spawn("--pdb")
    assert run.ret == plain.ret
    assert run.text.count("entering PDB") == plain.text.count("entering PDB")
    assert suite.read("test_a.py") == BROKEN.encode()


def test_the_debugger_sees_no_proof(suite: Suite) -> None:
    suite.write({**TWO, "conftest.py": "def pytest_configure(config):\n    config.option.usepdb_cls = None\n"})
    own = "class Quiet:\n    def __init__(self, *a, **k): pass\n    def reset(self): pass\n    def interaction(self, *a): print('ASKED')\n    quitting = False\n"  # noqa: E501
    suite.toy(("== 2", "== 9"), (OLD, NEW))
    suite.write({"quiet.py": own, "conftest.py": ""})
    run = suite.heal("--pdb", "--pdbcls=quiet:Quiet", "-s")
    assert run.text.count("ASKED") == 2
    assert set(run.kinds().values()) == {"pending"}


@pytest.mark.parametrize(("args", "seen", "unseen"), [
    (("-q",), ["1 heal pending"], ["+    assert lib.new_name", "evidence:"]),
    ((), ["h-", "pending", "toy/swap", "test_a.py::test_call", "maestro-heal accept"], ["evidence:"]),
    (("-v",), ["+    assert lib.new_name(1) == 2"], ["proof:"]),
    (("-vv",), ["evidence: toy: the table says so", "proof: guard passed", "proof: rerun passed", "proof: stable passed"], []),
    (("-rH",), ["HEALABLE test_a.py::test_call"], []),
])  # fmt: skip
def test_verbosity(suite: Suite, args: tuple[str, ...], seen: list[str], unseen: list[str]) -> None:
    suite.write({"test_a.py": BROKEN})
    text = suite.heal(*args).text
    summary = text.partition("healing summary")[2].partition("short test summary")[0]
    assert summary
    for word in seen:
        assert word in summary, word
    for word in unseen:
        assert word not in summary, word


def test_every_failure_keeps_its_traceback(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    text = suite.heal().text
    assert text.count("AttributeError: module 'lib' has no attribute 'old_name'") >= 1
    assert text.index("FAILURES") < text.index("proposed heal h-") < text.index("healing summary")


# -- writing -----------------------------------------------------------------------------------------------------
def rollback(suite: Suite) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_maestro_healer", "rollback", "--last"], cwd=suite.path, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("mode", "applicability", "kind"), [("safe", "SAFE", "applied"), ("safe", "REVIEW", "pending"), ("all", "REVIEW", "applied")]
)
def test_apply_and_undo(suite: Suite, mode: str, applicability: str, kind: str) -> None:
    suite.toy(applicability=applicability)
    data = b"\xef\xbb\xbf" + BROKEN.replace("\n", "\r\n").encode()[:-2]  # a BOM, CRLF, no newline at the end
    suite.write({"sub/test_a.py": data, "pytest.ini": "[pytest]\npythonpath = .\n"})
    (suite.path / "sub/test_a.py").chmod(0o640)
    run = suite.heal(heal=(f"--heal-apply={mode}",), fresh=True)
    assert run.kinds() == {"sub/test_a.py::test_call": kind}, run.text[-2000:]
    after = suite.read("sub/test_a.py")
    assert after == (data.replace(OLD.encode(), NEW.encode()) if kind == "applied" else data)
    if kind == "applied":
        assert "maestro-heal rollback --last" in run.text
        assert suite.plain().ret == 0
        done = rollback(suite)
        assert done.returncode == 0, done.stdout + done.stderr
        assert suite.read("sub/test_a.py") == data
        assert (suite.path / "sub/test_a.py").stat().st_mode & 0o777 == 0o640


def test_two_runs_at_once(suite: Suite) -> None:
    suite.toy((OLD, NEW), ("lib.old_value", "lib.VALUE"))
    text = BROKEN + "\n\ndef test_value():\n    assert lib.old_value == 2\n"
    suite.write({f"test_{c}.py": text.replace("test_", f"test_{c}_") for c in "ab"})
    before = {c: suite.read(f"test_{c}.py") for c in "ab"}
    command = [sys.executable, "-m", "pytest", "-p", "toyheal", "--heal-strategies=toy", "-p", "no:cacheprovider", "--heal-apply=all"]
    both = [
        subprocess.Popen(command, cwd=suite.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in "12"
    ]
    texts = [p.communicate(timeout=100)[0] for p in both]
    assert all("Traceback" not in t and "INTERNALERROR" not in t for t in texts), texts
    for c in "ab":
        assert suite.read(f"test_{c}.py") == before[c].replace(OLD.encode(), NEW.encode()).replace(b"lib.old_value", b"lib.VALUE"), texts
    assert suite.plain().ret == 0
    while suite.store.history():
        assert all(o.ok for o in suite.store.rollback())
    assert {c: suite.read(f"test_{c}.py") for c in "ab"} == before


# -- the hook after it -------------------------------------------------------------------------------------------
def test_outcomes_are_told(suite: Suite) -> None:
    hook = "\n\ndef pytest_heal_outcome(result):\n    print('TOLD', result.test_id, result.decision.kind)\n    raise RuntimeError('of the hook')\n"
    suite.write({"test_a.py": BROKEN, "test_b.py": REAL, "conftest.py": hook})
    run = suite.heal("-s")
    assert run.ret == 1
    assert "TOLD test_a.py::test_call pending" in run.text
    assert "TOLD test_b.py::test_real rejected" in run.text
    assert "pytest_heal_outcome raised RuntimeError: of the hook" in run.text


# -- strategies that misbehave -----------------------------------------------------------------------------------
MISBEHAVIOUR = {
    "raises": ("def propose(self, failure, ctx):\n        raise ZeroDivisionError('oh')", "bad/odd raised ZeroDivisionError: oh; it was left out"),
    "raises late": ("def propose(self, failure, ctx):\n        yield None", "bad/odd raised TypeError: it gave NoneType None, not a Proposal"),
    "no list": ("def propose(self, failure, ctx):\n        return 7", "bad/odd raised TypeError"),
    "answers": ("def answers(self, failure, diagnosis):\n        raise KeyError('x')", "bad/odd raised KeyError"),
    "nonsense": (
        "def propose(self, failure, ctx):\n        from pytest_maestro_healer.model import Edit\n"
        "        yield Proposal('bad', 'odd', (Edit('nowhere.py', 'x', 9, 3, 'y'),), (), self.applicability, '')",
        "",
    ),
    "not ours": (
        "def propose(self, failure, ctx):\n        src = ctx.source('lib.py')\n"
        "        yield Proposal('bad', 'odd', (src.replace(0, 0, 'old_name = new_name\\n'),), (), self.applicability, '')",
        "",
    ),
    "loops": ("def propose(self, failure, ctx):\n        while True: pass", "bad/odd raised TimeoutError: it ran longer than 1 s"),
    "endless": ("def propose(self, failure, ctx):\n        while True: yield Proposal('bad', 'odd', (), (), self.applicability, '', advice='a')", ""),
    "exits": ("def propose(self, failure, ctx):\n        raise SystemExit(0)", "bad/odd raised RuntimeError: it ended with SystemExit: 0; it was left out"),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("kind", MISBEHAVIOUR)
def test_a_strategy_that_misbehaves(suite: Suite, kind: str) -> None:
    code, note = MISBEHAVIOUR[kind]
    suite.toy(
        extra=f"\n\nclass Odd(Tactic):\n    name = 'odd'\n    summary = ''\n    applicability = Applicability.SAFE\n\n    {code}\n\n\n"
        "class Bad(Strategy):\n    name = 'bad'\n    tactics = (Odd(),)\n\n\ndef pytest_heal_strategies(config):\n    return [Bad(), Toy()]\n"
    )
    suite.write({"test_a.py": BROKEN, "test_b.py": REAL})
    run = suite.heal("--heal-strategies=toy,bad", "-o", "heal_timeout=1")
    assert run.ret == 1
    assert run.kinds()["test_a.py::test_call"] == "pending", run.text[-3000:]
    assert run.notes.count("bad/odd") == (1 if note else 0), run.notes
    assert note in run.notes
    assert "Traceback" not in run.text.partition("healing summary")[2]


def test_hooks_that_answer_junk(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "conftest.py": "def pytest_heal_strategies(config):\n    return [1, 'toy', None]\n"})
    suite.write(
        {"boom.py": "def pytest_heal_strategies(config):\n    raise ValueError('boom')\n\ndef pytest_heal_propose(failure, context):\n    return 5\n"}
    )
    run = suite.heal("-p", "boom", "--heal-strategies=toy")
    assert run.ret == 1
    assert run.kinds() == {"test_a.py::test_call": "pending"}
    assert "pytest_heal_strategies of boom raised ValueError: boom; it was left out" in run.notes
    assert "not a Strategy with a name" in run.notes


def test_proposals_of_a_conftest_are_for_review(suite: Suite) -> None:
    hook = f"""
from pytest_maestro_healer.model import Applicability, Proposal

def pytest_heal_propose(failure, context):
    src = context.source(failure.path)
    at = src.text.find({OLD!r})
    return [Proposal("llm", "guess", (src.replace(at, at + {len(OLD)}, {NEW!r}),), (), Applicability.SAFE, "guessed")]
"""
    suite.write({"test_a.py": BROKEN, "conftest.py": hook})
    run = suite.heal("--heal-strategies=proposer,!toy", heal=("--heal-apply=safe",), fresh=True)
    assert run.one()["decision"]["kind"] == "pending"
    assert run.one()["applicability"] == "review"


# -- interruption ------------------------------------------------------------------------------------------------
SLOW = """

def sleepy(x):
    import os, time
    open(os.environ["STARTED"], "w").close()
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("args", [(), ("--heal-isolate",)], ids=["forked", "fresh"])
def test_ctrl_c_while_healing(suite: Suite, args: tuple[str, ...]) -> None:
    suite.toy(("lib.old_one(", NEW), (OLD, "lib.sleepy("))
    suite.write({"lib.py": LIB + SLOW, "test_a.py": BROKEN.replace("old_name", "old_one"), "test_b.py": BROKEN})
    started = suite.outside / "started"
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *suite.arguments, "--heal-apply=all", *args], cwd=suite.path, env={**os.environ, "STARTED": str(started)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    for _ in range(600):
        if started.exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 1, text
    assert "healing was interrupted: nothing was written" in text
    assert "2 failed" in text
    assert suite.read("test_a.py") == BROKEN.replace("old_name", "old_one").encode()
    pending = suite.store.pending()
    assert [r.test_id for r in pending] == ["test_a.py::test_call"]  # what was found before is not lost
    assert not [p for p in suite.path.rglob("*") if "maestro" in p.name]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_is_not_touched(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    for args in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"]):
        subprocess.run(
            ["git", *args], cwd=suite.path, check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        )
    before = suite.tree()
    assert suite.heal(fresh=True).one()["decision"]["kind"] == "pending"
    assert suite.tree() == before


@pytest.mark.parametrize("args", [(), ("--heal-isolate",)], ids=["forked", "fresh"])
def test_parameter_sets_that_passed_all_along_are_no_heal(suite: Suite, args: tuple[str, ...]) -> None:
    """An edit that changes nothing for the one set that fails, and nothing for the others."""
    suite.toy(("y = 0", "y = 1"))
    suite.write({"test_a.py": "import pytest\n\n\n@pytest.mark.parametrize('x', [1, 2, 3])\ndef test_it(x):\n    y = 0\n    assert x < 3\n"})
    run = suite.heal(*args)
    assert run.counts() == "1 failed, 2 passed"
    assert run.one()["success"] is False
    assert "1 not healed" in run.text
    assert suite.store.pending() == []


def test_the_very_same_advice_is_given_once(suite: Suite) -> None:
    """Three parameter sets of one cause are one thing to read, and all of them are named in it."""
    suite.write({"toyheal.py": _ADVISER})
    test = "import pytest\n\n\n@pytest.mark.parametrize('n', range(3))\ndef test_zone(n):\n    assert n is None\n"
    suite.write({"test_a.py": test, "test_b.py": "def test_other():\n    assert 1 == 2\n"})
    run = suite.heal()
    assert {r["test_id"]: len(r["nodeids"]) for r in run.results} == {"test_a.py::test_zone[0]": 3, "test_b.py::test_other": 1}, run.text
    assert "2 advised" in run.text
    assert run.counts() == "4 failed"


_ADVISER = """
from pytest_maestro_healer.model import Applicability, Evidence, Proposal
from pytest_maestro_healer.strategies.base import Strategy, Tactic


class Ask(Tactic):
    name = "ask"
    summary = "Knows nothing."
    applicability = Applicability.ADVICE

    def propose(self, failure, ctx):
        text = f"ask the author of {failure.path}"
        yield Proposal("toy", "ask", (), (Evidence("toy", "nobody knows", "", 0.5),), self.applicability, text, (failure.nodeid,),
                       cause_key=failure.nodeid, advice=text)


class Toy(Strategy):
    name = "toy"
    tactics = (Ask(),)


def pytest_heal_strategies(config):
    return [Toy()]
"""


def test_two_steps_of_a_test_with_a_parametrized_fixture(suite: Suite) -> None:
    """The test that both steps are for is run once with both, not twice in a row: its fixture would be gone."""
    suite.toy((OLD, NEW), ("lib.VALU ", "lib.VALUE "))
    test = "import lib\nimport pytest\n\n\n@pytest.fixture(params=['a'])\ndef app(request):\n    return request.param\n\n\n"
    body = "class TestIt:\n    def test_both(self, app):\n        assert lib.old_name(1) == 2\n        assert lib.VALU == 2\n"
    suite.write({"test_a.py": test + body})
    run = suite.heal()
    assert run.kinds() == {"test_a.py::TestIt::test_both[a]": "pending"}, run.text
