"""Proposers that cheat, answer junk or misbehave: guards and proof stop them, and the user's own result is the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Edit, Evidence, Failure, Proof, Proposal
from pytest_maestro_healer.session import forked
from pytest_maestro_healer.session.proposing import Proposed, answer, differences, stamps
from tests.integration.toys import BROKEN, NEW, OLD, Suite

ONLY = "--heal-strategies=proposer,!toy"
SHOP = "def price(n):\n    total = n * 9\n    if n > 2:\n        total += 1\n    return total\n"
PRELUDE = """
import os, sys, time
from pathlib import Path
from pytest_maestro_healer.edit.source import edits_between
from pytest_maestro_healer.model import Applicability, Edit, Evidence, Proof, Proposal

def proposal(edits, **more):
    return Proposal("llm", more.pop("tactic", "guess"), tuple(edits), (), Applicability.SAFE, "guessed", **more)
"""
HONEST = f"""
def pytest_heal_propose(failure, context):
    src = context.source(failure.path)
    at = src.text.find({OLD!r})
    return [proposal([src.replace(at, at + {len(OLD)}, {NEW!r})], nodeids=(failure.nodeid,))] if at >= 0 else None
"""


def plugin(suite: Suite, name: str, code: str) -> tuple[str, str]:
    """Write a plugin module with a proposer; the arguments that load it."""
    suite.write({f"{name}.py": PRELUDE + textwrap.dedent(code)})
    return "-p", name


def bytes_of(suite: Suite) -> Mapping[str, bytes]:
    return {p: data for p, (_, data) in suite.tree().items() if p.endswith((".py", ".ini", ".txt", ".toml"))}


# -- edits that cheat --------------------------------------------------------------------------------------------
#: Name -> (the lines that stand in the place of the test's assert, a word of the reason). The product is wrong by one: every test is right to fail.
BODIES = {
    "drops": ("shop.price(3)", "dropped"),
    "loosens": ("assert shop.price(3) > 0", "loosened"),
    "skips": ("pytest.skip('later')\n    assert shop.price(3) == 27", "skip"),
    "xfails": ("pytest.xfail('later')\n    assert shop.price(3) == 27", "xfail"),
    "swallows": ("try:\n        assert shop.price(3) == 27\n    except AssertionError:\n        pass", "swallows"),
    "true": ("assert True", "loosened"),
    "itself": ("assert shop.price(3) == shop.price(3)", "itself"),
    "computed": ("want = max(shop.price(3), 0)\n    assert shop.price(3) == want", "written out"),
    "patches": ("pytest.MonkeyPatch().setattr(shop, 'price', lambda n: 27)\n    assert shop.price(3) == 27", "replaces product code"),
    "exits": ("import os\n    os._exit(0)\n    assert shop.price(3) == 27", "exit"),
    "other_call": ("assert shop.price(0) == 0", "at once"),
    "unparsable": ("assert shop.price(3) ==", "does not parse"),
    "fakes": ("import fakes_test\n    assert fakes_test.price(3) == 27", "none of the product code"),
    "still_wrong": ("n = 3\n    assert shop.price(n) == 27", "still fails"),
}
#: Name -> (an expression of edits, a word of the reason).
EDITS = {
    "product": ("[edit('shop.py', '+= 1', '+= 0')]", "not test code"),
    "conftest": ("[edit('conftest.py', 'import shop', 'import shop; shop.price = lambda n: 27')]", "replaces product code"),
    "conftest_hook": ("[edit('conftest.py', 'import shop', 'def pytest_pyfunc_call(): return True')]", "hook"),
    "outside": ("[Edit(OUTSIDE, 'x', 0, 0, 'x')]", "outside"),
    "parent": ("[Edit('../x.py', 'x', 0, 0, 'x')]", "outside"),
    "nul": ("[Edit('test_\\0.py', 'x', 0, 0, 'x')]", "cannot be judged"),
    "link": ("[edit('test_link.py', '+= 1', '+= 0')]", "link"),
    "config": ("[edit('pytest.ini', 'python_files', 'addopts = -k x\\npython_files')]", "not test code"),
    "new_file": ("[Edit('test_new.py', 'x', 0, 0, 'x')]", "cannot be read"),
    "stale": ("[Edit('test_all.py', '0' * 64, 0, 0, 'x')]", "other bytes"),
    "overlapping": ("[edit('test_all.py', 'import shop', 'import os'), edit('test_all.py', 'shop', 'os')]", "do not fit"),
    "row": ("[edit('test_all.py', ', (3, 28)])', '])')]", "removed"),
    "computed_row": ("[edit('test_all.py', '(3, 28)])', '(3, shop.price(3))])')]", "computed"),
    "nothing": ("[edit('test_all.py', 'import shop', 'import shop')]", "changes nothing"),
    "lone_surrogate": ("[Edit('test_all.py', context.source('test_all.py').sha256, 0, 0, '\\ud800')]", "cannot be written"),
}
#: A proposer is heard six times for each failure; ``fakes`` passes the guard and is proved, so it is alone.
GROUPS = [["fakes"], *([n for n in (*BODIES, *EDITS) if n != "fakes"][i : i + 6] for i in range(0, len(BODIES) + len(EDITS) - 1, 6))]
CHEAT = f"""
GROUPS = {GROUPS!r}
BODIES = { ({k: v[0] for k, v in BODIES.items()})!r}
EDITS = { ({k: v[0] for k, v in EDITS.items()})!r}
OUTSIDE = os.environ["OUTSIDE"]

def pytest_heal_propose(failure, context):
    def edit(path, old, new):
        src = context.source(path)
        at = src.text.index(old)
        return src.replace(at, at + len(old), new)

    for name in GROUPS[int(failure.function[5:])]:
        src = context.source(failure.path)
        at = src.text.index("assert", src.text.index(f"def {{failure.function}}("))
        edits = eval(EDITS[name]) if name in EDITS else [src.replace(at, src.text.index("\\n", at), BODIES[name])]
        yield proposal(edits, tactic=name)
"""


def test_every_cheating_edit_is_refused_with_its_reason(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = "".join(f"\n\ndef test_{i}():\n    assert shop.price(3) == 27\n" for i in range(len(GROUPS)))
    rows = "@pytest.mark.parametrize(('n', 'total'), [(1, 9), (2, 18), (3, 28)])\ndef test_rows(n, total):\n    assert shop.price(n) == total\n"
    suite.write({"shop.py": SHOP, "conftest.py": "import shop\n", "test_all.py": f"import pytest\nimport shop\n{tests}\n\n{rows}"})
    suite.write({"fakes_test.py": "def price(n):\n    return 27\n", "pytest.ini": "[pytest]\npython_files = test_all.py\n"})
    (suite.path / "test_link.py").symlink_to("shop.py")
    monkeypatch.setenv("OUTSIDE", str(suite.outside / "test_x.py"))
    plain, before = suite.plain().counts(), bytes_of(suite)
    run = suite.heal(ONLY, *plugin(suite, "cheat", CHEAT), heal=("--heal-apply=all",))
    assert run.counts() == plain == f"{len(GROUPS)} failed, 3 passed"
    assert {p: d for p, d in bytes_of(suite).items() if p != "cheat.py"} == before
    assert not (suite.outside / "test_x.py").exists()
    assert not suite.store.pending()
    assert set(run.kinds().values()) == {"rejected"}
    said = " | ".join(f"{r['tactic']}: {r['decision']['rule']} | {' | '.join(r['refused'])}" for r in run.results)
    for name, (_, word) in {**BODIES, **EDITS}.items():
        reason = next((part for part in said.split(" | ") if part.startswith(f"{name}: ")), "")
        assert word in reason, (name, said)


NAMES = """
def pytest_heal_propose(failure, context):
    src = context.source(failure.path)
    def after(text):
        return edits_between(failure.path, src.data, src.text.replace("def test_a", text + "def test_a").encode())
    skip = "import pytest\\n\\n@pytest.mark.skipif(shop.price(3) != 27, reason='x')\\n"
    yield Proposal("environment_healing", "platform_condition", after(skip), (), Applicability.REVIEW, "")
    again = "import pytest\\n\\n@pytest.mark.flaky(reruns=5)\\n"
    yield Proposal("flaky_test_stabilization", "quarantine", after(again), (), Applicability.REVIEW, "")
    here = Proof(environments=({"CHEAT": "1"},), fails_before=False, repeats=0)
    yield proposal(edits_between(failure.path, src.data, src.text.replace("import shop", "import shop, json").encode()), proof=here)
"""


def test_the_name_of_another_tactic_and_own_terms_of_proof_are_of_no_use(suite: Suite) -> None:
    shop = f"import os\n\n\n{SHOP.replace('total += 1', 'total += 0 if os.environ.get(chr(67) + chr(72) + chr(69) + chr(65) + chr(84)) else 1')}"
    suite.write({"shop.py": shop, "test_a.py": "import shop\n\n\ndef test_a():\n    assert shop.price(3) == 27\n"})
    one = suite.heal(ONLY, *plugin(suite, "names", NAMES), heal=("--heal-apply=all",)).one()
    assert one["decision"]["kind"] == "rejected"
    text = " | ".join(one["refused"])
    assert "a skip" in text
    assert "flaky marker" in text
    assert "still fails" in text


# -- answers and accidents ---------------------------------------------------------------------------------------
def proposal(edits: Any = (), **more: Any) -> Proposal:
    return Proposal("llm", "guess", tuple(edits), (), Applicability.SAFE, "guessed", **more)


def late() -> Iterator[Any]:
    yield None


def broken() -> Any:
    raise ConnectionError("no answer")


#: What a proposer gives -> what is said of it; ``""``: nothing.
JUNK: dict[str, tuple[Callable[[], Any], str]] = {
    "none": (lambda: None, ""),
    "empty": (list, ""),
    "number": (lambda: 5, "TypeError: it gave int"),
    "text": (lambda: "assert True", "TypeError: it gave str"),
    "mapping": (lambda: {"edits": []}, "TypeError: it gave dict"),
    "wrong": (lambda: [1], "TypeError: it gave int 1, not a Proposal"),
    "bytes": (lambda: [proposal([Edit("test_a.py", "x", 0, 0, b"")])], "not JSON serializable"),  # type: ignore[arg-type]
    "fields": (lambda: [proposal([Edit("test_a.py", "x", "a", 1, "x")])], "a Proposal that is none"),  # type: ignore[arg-type]
    "huge": (lambda: [proposal([Edit("test_a.py", "x", 0, 0, "x" * 10**7)])], "10,000,000 characters"),
    "nothing": (lambda: [proposal()], ""),
    "late": (late, "TypeError: it gave NoneType"),
    "raises": (broken, "ConnectionError: no answer; it was left out"),
}


def asks(answers: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Proposal], str]:
    """What a proposer's answer comes to, asked here and now; and the notes."""
    impl = SimpleNamespace(plugin_name="llm", argnames=(), function=answers)
    config: Any = SimpleNamespace(hook=SimpleNamespace(pytest_heal_propose=SimpleNamespace(get_hookimpls=lambda: [impl])))
    failure = Failure("test_a.py::test_a", "call", "test_a.py", "AssertionError", "")
    monkeypatch.setattr(forked, "possible", lambda: False)
    notes: list[str] = []

    def here(name: str, failure: Failure, ctx: Context) -> tuple[Any, str]:
        try:
            return json.loads(json.dumps(answer(config, name, failure, ctx))), ""
        except Exception as exc:
            return None, f"crash: {type(exc).__name__}: {exc}"

    settings = HealerConfig()
    found = Proposed(config, settings, tmp_path, notes, here).propose(failure, Context(tmp_path, settings))
    return list(found), "\n".join(notes)


@pytest.mark.parametrize("kind", JUNK)
def test_an_answer_that_is_none(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, word = JUNK[kind]
    found, notes = asks(answers, tmp_path, monkeypatch)
    assert found == []
    assert (notes != "") == (word != "")
    assert word in notes


def test_what_is_left_of_a_proposal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Evidence("model", "x" * 10_000, "", 5.0)
    edit = Edit("test_a.py", "x", 0, 0, "x")
    given = Proposal("environment_healing", "", (edit,), (told,), Applicability.SAFE, "", cause_key="c", proof=Proof(fails_before=False))
    (found,), _ = asks(lambda: [given], tmp_path, monkeypatch)
    assert (found.strategy, found.tactic, found.applicability, found.cause_key, found.proof) == (
        "proposer",
        "proposer",
        Applicability.REVIEW,
        "",
        None,
    )
    assert (found.edits, found.evidence[0].weight, len(found.evidence[0].sentence)) == ((edit,), 0.5, 2000)
    (bare,), _ = asks(lambda: [proposal([edit])], tmp_path, monkeypatch)
    assert [e.kind for e in bare.evidence] == ["proposer"]
    (advice,), _ = asks(lambda: [proposal(advice="look")], tmp_path, monkeypatch)
    assert advice.applicability is Applicability.ADVICE
    assert len(asks(lambda: [proposal([edit])] * 1000, tmp_path, monkeypatch)[0]) == 6


#: Plugin -> (its code, what is said of it; ``""``: nothing).
ACCIDENTS = {
    "exits": ("def pytest_heal_propose(failure, context): sys.exit(0)", "SystemExit: 0; it was left out"),
    "dies": ("def pytest_heal_propose(failure, context): os._exit(0)", "ended with status 0; it is not asked again"),
    "mutates": (
        """
        def pytest_heal_propose(failure, context):
            import lib
            object.__setattr__(failure, "nodeid", "test_z.py::test_z")
            failure.exc_attrs.clear()
            context.failures, context.passed, context.root = (), frozenset(), Path("/")
            context.files.overlay["test_a.py"] = b"def test_call(): pass"
            context.overlay["test_a.py"] = b"def test_call(): pass"
            lib.old_name = lib.new_name
            sys.modules["lib"] = None
            os.environ["LEFT_BEHIND"] = "1"
            os.chdir("/")
            Proposal.__init__ = None
            import pytest_maestro_healer.edit.guards as guards
            guards.check = guards.check_proposal = lambda *a, **k: []
        """,
        "",
    ),
}


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
def test_accidents_and_changes_of_the_process(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    args: list[str] = [*plugin(suite, "honest", HONEST)]
    for name, (code, _) in ACCIDENTS.items():
        args += plugin(suite, f"junk_{name}", code)
    plain, before, where = suite.plain().counts(), bytes_of(suite), Path.cwd()
    run = suite.heal(ONLY, *args)
    assert run.counts() == plain == "1 failed"
    assert bytes_of(suite) == before
    assert "LEFT_BEHIND" not in os.environ
    assert Path.cwd() == where
    assert run.one()["decision"]["kind"] == "pending", run.notes
    assert "+    assert lib.new_name(1) == 2\n" in run.one()["diff"]
    for name, (_, word) in ACCIDENTS.items():
        mine = [line for line in run.report["notes"] if f"junk_{name}:" in line]
        assert len(mine) == (1 if word else 0), (name, run.notes)
        assert word in "".join(mine), (name, mine)


HANGS = """
def pytest_heal_propose(failure, context):
    import signal
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    with open(os.environ["ASKED"], "a") as log:
        log.write("asked\\n")
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
def test_one_that_hangs_is_cut_and_not_asked_again(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKED", str(suite.outside / "asked"))
    suite.write({"test_a.py": BROKEN, "test_b.py": BROKEN})
    run = suite.heal(ONLY, *plugin(suite, "honest", HONEST), *plugin(suite, "hangs", HANGS), "-o", "heal_timeout=3")
    assert set(run.kinds().values()) == {"pending"}, run.notes
    assert "pytest_heal_propose of hangs: hang: still running after 3 s; it is not asked again" in run.notes
    assert (suite.outside / "asked").read_text() == "asked\n"


# -- the disk ----------------------------------------------------------------------------------------------------
WRITES = """
def pytest_heal_propose(failure, context):
    if failure.path == "test_a.py":
        Path(context.root, "shop.py").write_text("def price(n):\\n    return 27\\n")
        src = context.source(failure.path)
        return [proposal([src.insert(0, "import json\\n")])]
"""


def test_one_that_writes_is_named_and_nothing_is_applied(suite: Suite) -> None:
    suite.write({"shop.py": SHOP, "test_a.py": "import shop\n\n\ndef test_a():\n    assert shop.price(3) == 27\n", "test_b.py": BROKEN})
    args = plugin(suite, "writes", WRITES)
    run = suite.heal("--heal-strategies=toy,proposer", *args, heal=("--heal-apply=safe",), fresh=True)
    assert run.ret == 1
    assert run.kinds() == {"test_a.py::test_a": "rejected", "test_b.py::test_call": "pending"}
    assert "shop.py changed on the disk while pytest_heal_propose of writes was asked" in run.notes
    assert "nothing is written in this run" in run.notes
    assert suite.read("test_b.py") == BROKEN.encode()


def test_what_counts_as_a_change(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("1")
    (tmp_path / "b.txt").write_text("1")
    (tmp_path / ".cache").mkdir()
    before = stamps(tmp_path)
    (tmp_path / "answers.json").write_text("kept for later")
    (tmp_path / ".cache" / "c.py").write_text("")
    assert differences(before, stamps(tmp_path)) == []
    (tmp_path / "a.json").write_text("22")
    (tmp_path / "b.txt").unlink()
    (tmp_path / "sitecustomize.py").write_text("")
    (tmp_path / "pytest.ini").write_text("")
    assert differences(before, stamps(tmp_path)) == ["a.json", "b.txt", "pytest.ini", "sitecustomize.py"]


# -- when they are asked -----------------------------------------------------------------------------------------
COUNTS = """
def pytest_heal_propose(failure, context):
    with open(os.environ["ASKED"], "a") as log:
        log.write(failure.nodeid + "\\n")
    if failure.phase == "collect":
        src = context.source(failure.path)
        return [proposal(edits_between(failure.path, src.data, src.data.replace(b"test_sum()\\n", b"test_sum():\\n")))]
"""


def test_they_are_asked_where_nothing_else_heals_and_not_while_collecting(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKED", str(suite.outside / "asked"))
    text = "def test_sum()\n    assert sum([1, 2]) == 3\n"
    suite.write({"test_a.py": BROKEN, "test_c.py": text})
    run = suite.heal("--heal-strategies=toy,proposer", *plugin(suite, "counts", COUNTS), "--continue-on-collection-errors")
    assert run.kinds() == {"test_a.py::test_call": "pending", "test_c.py": "pending"}, run.text
    assert (suite.outside / "asked").read_text() == "test_c.py\n"
    assert "1 error" in run.counts()
    assert suite.read("test_c.py") == text.encode()


def test_with_xdist_they_are_asked_in_fresh_processes(suite: Suite) -> None:
    pytest.importorskip("xdist")
    suite.write({"test_a.py": BROKEN})
    args = [*plugin(suite, "honest", HONEST), *plugin(suite, "dies", ACCIDENTS["dies"][0])]
    run = suite.spawn("-n", "2", ONLY, *args, "-o", "heal_fresh_confirm=false")
    assert run.ret == 1
    assert set(run.kinds().values()) == {"pending"}, run.text
    assert run.notes.count("dies: the proof process ended with status 0; it is not asked again") == 1, run.notes
    assert "1 failed" in run.text


ADVISES = """
def pytest_heal_propose(failure, context):
    return [proposal([], advice="All is well.")]
"""


def test_advice_is_shown_as_theirs(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN})
    one = suite.heal(ONLY, *plugin(suite, "advises", ADVISES)).one()
    assert one["decision"]["kind"] == "advised"
    assert (one["strategy_used"], one["advice"]) == ("proposer", "All is well.")


PINS = """
def pytest_heal_propose(failure, context):
    if failure.function == "test_advice":
        return [proposal([], advice="All is well.")]
    src = context.source(failure.path)
    return [proposal(edits_between(failure.path, src.data, src.data.replace(b"18  # pin", b"19")))]
"""


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("kind", ["pin", "advice"])
def test_neither_a_pinned_value_nor_advice_hides_a_regression(suite: Suite, kind: str) -> None:
    suite.write({"shop.py": SHOP, "test_a.py": f"import shop\n\n\ndef test_{kind}():\n    assert shop.price(2) == 18  # pin\n"})
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for args in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"]):
        subprocess.run(["git", *args], cwd=suite.path, env=env, check=True)
    suite.write({"shop.py": SHOP.replace("if n > 2", "if n > 1")})
    one = suite.heal(ONLY, *plugin(suite, "pins", PINS)).one()
    assert one["decision"]["kind"] == "rejected"
    assert one["decision"]["rule"].startswith("looks like a regression")
    assert one["diagnosis"]["suspect"].startswith("shop.py:3")


def test_a_strategy_cannot_take_the_name_of_one_that_is_built_in(suite: Suite) -> None:
    suite.toy(extra="\n\nToy.name = 'flaky_test_stabilization'\n")
    suite.write({"test_a.py": BROKEN})
    run = suite.bare("-p", "toyheal", "--heal", "--heal-strategies=syntax_repair", f"--heal-json={suite.outside / 'heal.json'}")
    assert "gave a Strategy with the name flaky_test_stabilization, which is taken; it was left out" in run.notes


# -- a call in a copy of this process ----------------------------------------------------------------------------
CALLS = """
import json, os, sys, time
from pytest_maestro_healer.session import forked

def fails(): raise ValueError("oh")
def long(): return "x" * 100
def hangs(): time.sleep(60)

answers = [forked.call(f, 20) for f in (lambda: {"a": [1]}, fails, lambda: os._exit(3), lambda: object())]
forked.LONGEST = 50
answers.append(forked.call(long, 20))
answers.append(forked.call(hangs, 0.2))
print(json.dumps(answers))
"""


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="needs fork")
def test_calls_in_a_copy_of_the_process(suite: Suite) -> None:
    suite.write({"calls.py": CALLS})
    done = suite.pytester.run(sys.executable, "calls.py", timeout=60)
    answers = json.loads(done.stdout.str())
    assert answers[0] == [{"a": [1]}, ""]
    assert [a for a, _ in answers[1:]] == [None] * 5
    said = [problem for _, problem in answers[1:]]
    assert said[0] == "crash: ValueError: oh"
    assert "status" in said[1]
    assert "not JSON serializable" in said[2]
    assert "longer than" in said[3]
    assert said[4].startswith("hang")
