"""Repeats run side by side where that shows the same, and copies of a process do not look up what it could know."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.session import apart, compat, forked
from tests.integration.toys import BROKEN, Suite

posix = pytest.mark.skipif(not forked.known_safe(), reason="processes are not copied here")


# -- what keeps to itself ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("time.sleep(0.1)", True),
        ("asyncio.run(asyncio.sleep(0.1))", True),
        ("time.sleep(0.1); open(__file__).read(); os.listdir('.'); os.chdir('/'); open(os.devnull, 'w').close()", True),
        ("time.sleep(0.1); os.environ['A'] = 'b'; threading.Thread(target=time.time).start()", True),
        ("time.sleep(0.1); open('left', 'w').close()", False),
        ("time.sleep(0.1); open('left', 'a').close()", False),
        ("time.sleep(0.1); os.close(os.open('left', os.O_CREAT | os.O_RDWR))", False),
        ("time.sleep(0.1); os.mkdir('folder')", False),
        ("time.sleep(0.1); socket.socket().bind(('127.0.0.1', 0))", False),
        ("time.sleep(0.1); subprocess.run([sys.executable, '-c', ''])", False),
        ("time.sleep(0.1); sqlite3.connect('data')", False),
        ("pass", False),
        ("time.perf_counter = time.process_time; watch = Watch()\nwhile time.process_time() < began + 0.2: pass", False),
    ],
)
def test_what_touches_the_world_or_keeps_a_processor_busy_is_not_apart(tmp_path: Path, code: str, kept: bool) -> None:
    """A run of which nothing is to be won is none either."""
    head = "import asyncio, os, socket, sqlite3, subprocess, sys, threading, time\nfrom pytest_maestro_healer.session.apart import Watch\n"
    script = tmp_path / "run.py"
    script.write_text(f"{head}began = time.process_time()\nwatch = Watch()\n{code}\nprint('apart:', watch.apart())\n")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == f"apart: {kept}"


# -- copies at the same time ---------------------------------------------------------------------------------------
@posix
def test_copies_run_at_the_same_time() -> None:
    def work() -> RunReport:
        began = time.monotonic()
        time.sleep(0.5)
        return RunReport(problem=f"{began} {time.monotonic()}")

    reports = forked.run_all(work, 20, 2)
    (a, b), (c, d) = (map(float, r.problem.split()) for r in reports)
    assert max(a, c) < min(b, d)


@posix
def test_each_copy_answers_for_itself() -> None:
    left = ["crash", "hang"]

    def work() -> RunReport:
        if left[0] == "hang":
            time.sleep(60)
        raise ValueError("no")

    first = forked.run_all(work, 20, 2)
    assert [r.problem for r in first] == ["crash: ValueError: no"] * 2
    left.pop(0)
    began = time.monotonic()
    assert [r.problem for r in forked.run_all(work, 0.3, 2)] == ["hang: still running after 0.3 s"] * 2
    assert time.monotonic() - began < 20


SLOW = "import time\n\nimport lib\n\n\ndef test_call():\n    time.sleep(0.1)\n{more}    assert lib.old_name(1) == 2\n"
SAID = """
from dataclasses import replace
from pytest_maestro_healer.session import forked

real = forked.run_all


def said(work, timeout, times):
    reports = real(work, timeout, times)
    if times > 1:
        print("asked beside")
        if {fails}:
            reports[-1] = replace(reports[-1], results={{n: replace(r, outcome="failed") for n, r in reports[-1].results.items()}})
    return reports


forked.run_all = said
"""


@posix
@pytest.mark.skipif(apart.processors() < 2, reason="there is one processor")
@pytest.mark.parametrize(("more", "beside"), [("", True), ("    open('left', 'w').close()\n", False)])
def test_the_repeats_of_a_test_that_waits_run_at_the_same_time(suite: Suite, more: str, beside: bool) -> None:
    suite.toy(extra=SAID.format(fails=False))
    suite.write({"test_a.py": SLOW.format(more=more)})
    run = suite.spawn()
    stable = run.one()["validation_results"]["stable"]
    assert (stable["passed"], stable["reason"]) == (True, "2 repeats agree")
    assert ("asked beside" in run.text) is beside


@posix
@pytest.mark.skipif(apart.processors() < 2, reason="there is one processor")
def test_a_repeat_that_fails_beside_another_is_not_asked_again(suite: Suite) -> None:
    suite.toy(extra=SAID.format(fails=True))
    suite.write({"test_a.py": SLOW.format(more="")})
    run = suite.spawn()
    assert (run.one()["success"], run.text.count("asked beside")) == (False, 1)


# -- what is known already -----------------------------------------------------------------------------------------
@posix
def test_tracebacks_of_copies_are_not_laid_out(suite: Suite) -> None:
    told = suite.outside / "styles"
    more = f"    with open({str(told)!r}, 'a') as f:\n        print(request.config.option.tbstyle, file=f)\n"
    suite.write({"test_a.py": BROKEN.replace("test_call():\n", f"test_call(request):\n{more}")})
    assert suite.spawn("-o", "heal_fresh_confirm=false").one()["success"]
    styles = told.read_text().split()
    assert styles[0] == "auto"  # the user's own run
    assert set(styles[1:]) == {"native"}


def test_the_process_that_somebody_waits_for_does_not_load_the_pipeline() -> None:
    imports = "import sys, pytest_maestro_healer.session.child, pytest_maestro_healer.session.serving"
    code = f"{imports}\nprint([m for m in sys.modules if 'maestro' in m])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "session.serving" in loaded
    assert not any(f"pytest_maestro_healer.{m}'" in loaded for m in ("pipeline", "prove.mutants", "session.fresh", "session.state"))


LAZY = """
import json, sys, types
from pytest_maestro_healer.session import serving

class Lazy(types.ModuleType):
    def __getattribute__(self, name):
        looked.append(name)
        return super().__getattribute__(name)

class Kinds:
    def kind(self, name):
        asked.append(name)

looked, asked = [], []
serving.warm(Kinds())
before = len(asked)
sys.modules["lazy_one"] = Lazy("lazy_one")
looked.clear()
serving.warm(Kinds())
print(json.dumps([before, len(asked) - before, looked]))
"""


def test_what_is_loaded_when_it_is_looked_at_is_not_looked_at() -> None:
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, check=True, timeout=60)
    known, more, looked = json.loads(done.stdout)
    assert known > 50
    assert (more, looked) == (0, [])


def test_the_names_of_a_module_are_those_of_now(pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "test_x.py"

    def loaded(*names: str) -> list[str]:
        for name in ("one", "two", "three"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        for name in names:
            monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
            sys.modules[name].__file__ = str(path)
        return [n for n in compat.module_names(pytestconfig, path) if n in ("one", "two", "three")]

    assert loaded() == []
    assert loaded("one") == ["one"]
    assert loaded("two") == ["two"]
    assert loaded("two", "three") == ["two", "three"]
    assert loaded() == []


@posix
def test_a_file_is_the_project_s_by_whichever_link(tmp_path: Path) -> None:
    root, other = tmp_path / "project", tmp_path / "other"
    for folder in (root / "pkg", other):
        folder.mkdir(parents=True)
        (folder / "a.py").write_text("")
    (tmp_path / "link").symlink_to(root)
    (other / "b.py").symlink_to(root / "pkg" / "a.py")
    files = ProjectFiles(root)
    assert files.relative(tmp_path / "link" / "pkg" / "a.py") == "pkg/a.py"
    assert files.relative(other / "b.py") == "pkg/a.py"
    assert files.relative(other / "a.py") == (other / "a.py").as_posix()
    assert files.relative(other / ".." / "link" / "pkg" / "a.py") == "pkg/a.py"
