"""``maestro-heal watch`` as it is typed: real files, real rounds, real signals."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.cli import main
from tests.watching import QUIET, environment, watching, write

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(os.name != "posix", reason="signals")]

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop.py": "def total(items):\n    return sum(items)\n",
    "other.py": "VALUE = 1\n",
    "tests/test_shop.py": "import shop\n\n\ndef test_total():\n    assert shop.total([1, 2]) == 3\n",
    "tests/test_other.py": "import other\n\n\ndef test_value():\n    assert other.VALUE == 1\n",
}
BROKEN = FILES["tests/test_other.py"] + "\n\ndef test_dumps():\n    assert json.dumps([1]) == '[1]'\n"
HEALED = "import json\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "project", FILES)
    return tmp_path / "project"


def test_only_what_a_change_reaches_runs_and_nothing_half_written_is_healed(root: Path, tmp_path: Path) -> None:
    with watching(root, tmp_path / "cache", "-o", "heal_fresh_confirm=false", options=["--rounds", "3", "--patience", "60"]) as watch:
        first = watch.next()
        assert (first["round"], first["reason"], first["files"], first["tests"]["passed"]) == (1, "start", None, 2)
        write(root, {"other.py": "VALUE = 2\n"})
        second = watch.next()
        assert second["changed"] == ["other.py"]
        assert second["files"] == ["other.py", "tests/test_other.py"]
        assert (second["tests"]["passed"], list(second["failing"])) == (1, ["tests/test_other.py::test_value"])
        text = FILES["tests/test_shop.py"]
        write(root, {"tests/test_shop.py": text[:60], "notes~": "x"})
        assert watch.idle(1.0)
        write(root, {"tests/test_shop.py": text + "\n\ndef test_more():\n    assert shop.total([]) == 0\n"})
        third = watch.next()
        assert (third["changed"], third["broken"], third["results"]) == (["tests/test_shop.py"], {}, [])
        assert third["tests"] == {"passed": 2, "failed": 1, "healed": 0, "skipped": 0}
        assert watch.wait() == 1
    assert (root / "tests/test_shop.py").read_text().startswith(text)


def test_an_applied_heal_is_checked_once_and_starts_no_loop(root: Path, tmp_path: Path) -> None:
    write(root, {"tests/test_other.py": BROKEN})
    with watching(root, tmp_path / "cache", "--heal-apply=safe", "-o", "heal_cache_dir=state") as watch:
        first = watch.next()
        assert (first["tests"]["healed"], first["failing"]) == (1, {})
        assert (root / "tests/test_other.py").read_text() == HEALED + "\n" + BROKEN
        again = watch.next()
        assert (again["reason"], again["changed"], again["tests"]["passed"]) == ("heal", ["tests/test_other.py"], 3)
        write(root, {"shop.py": FILES["shop.py"] + "\n"})
        last = watch.next()
        assert (last["round"], last["reason"], last["changed"]) == (3, "change", ["shop.py"])
        assert watch.stop() == 0
        assert watch.family() == []
    assert (root / "state").is_dir()


def test_really_broken_files_are_healed(root: Path, tmp_path: Path) -> None:
    with watching(root, tmp_path / "cache", "-o", "heal_fresh_confirm=false", options=["--rounds", "2", "--patience", "0.4"]) as watch:
        watch.next()
        write(root, {"tests/test_shop.py": FILES["tests/test_shop.py"].replace("test_total():", "test_total()")})
        found = watch.next()
        assert found["broken"] == {"tests/test_shop.py": "does not parse"}
        assert [(r["strategy_used"], r["decision"]["kind"]) for r in found["results"]] == [("syntax_repair", "pending")]
        assert found["failing"]["tests/test_shop.py"]["decision"] == "pending"
        assert watch.wait() == 1


def test_a_change_stops_a_running_round_and_a_signal_leaves_nothing_behind(root: Path, tmp_path: Path) -> None:
    slow = "import time\n\n\ndef test_slow():\n    open('began', 'w').close()\n    time.sleep({})\n"
    write(root, {"tests/test_slow.py": slow.format(100), "pytest.ini": "[pytest]\npythonpath = .\n"})
    temp = tmp_path / "temp"
    temp.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temp))
        with watching(root, tmp_path / "cache") as watch:
            began(root)
            write(root, {"tests/test_shop.py": FILES["tests/test_shop.py"] + "\n"})
            assert watch.next("cancelled")["round"] == 1
            began(root)
            assert len(watch.family()) >= 2
            code = watch.stop(signal.SIGTERM)
            assert code == 130
            assert watch.family() == []
            assert watch.next("stopped")["tests"]["passed"] == 0
    assert list(temp.iterdir()) == []


def began(root: Path) -> None:
    """Wait until the slow test runs."""
    end = time.monotonic() + 60
    while not (root / "began").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    (root / "began").unlink()


def test_on_a_terminal_the_status_is_rewritten_and_taken_away(root: Path, tmp_path: Path) -> None:
    import pty
    import subprocess
    import termios

    (root / "tests/test_other.py").unlink()
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    command = [sys.executable, "-m", "pytest_maestro_healer.cli", "watch", "--", *QUIET]
    env = {**environment(tmp_path / "cache"), "TERM": "xterm", "COLUMNS": "60"}
    process = subprocess.Popen(command, cwd=root, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    seen = b""
    while b"Ctrl-C ends" not in seen:
        seen += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert termios.tcgetattr(theirs) == before
    os.close(theirs)
    text = (seen + drained(ours)).decode()
    assert "maestro-heal: round 1, " in text
    assert "\r\x1b[2Kwatching 4 files, all well; Ctrl-C ends" in text
    assert text.endswith("\r\x1b[2K")
    assert "Traceback" not in text


def drained(handle: int) -> bytes:
    out = b""
    try:
        while chunk := os.read(handle, 4096):
            out += chunk
    except OSError:  # Linux tells the end of a terminal so
        pass
    os.close(handle)
    return out


# -- the plugin of a round -------------------------------------------------------------------------------------
@pytest.fixture
def job(pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs pytest on some files, in this process; returns what the plugin answers."""
    from pytest_maestro_healer.session import lifeline, watched

    monkeypatch.setattr(lifeline, "tie", lambda parent: None)
    work = tmp_path_factory.mktemp("work")
    write(
        pytester.path, {**FILES, "tests/sub/conftest.py": "raise RuntimeError('not for this round')\n", "tests/sub/test_sub.py": "def test(): ...\n"}
    )

    def run(files: list[str] | None, *args: str, first: tuple[str, ...] = ()) -> dict[str, Any]:
        out = work / "seen.json"
        out.unlink(missing_ok=True)
        data = {"root": str(pytester.path), "parent": 0, "files": files, "first": list(first), "begun": str(work / "begun"), "out": str(out)}
        (work / "job.json").write_text(json.dumps(data))
        monkeypatch.setenv(watched.ENV, str(work / "job.json"))
        pytester.runpytest_inprocess("-p", watched.__name__, "-p", "no:cacheprovider", "-p", "no:asyncio", *args)
        found: dict[str, Any] = json.loads(out.read_text())
        return found

    return run


def test_what_is_not_due_is_not_even_imported(job: Any) -> None:
    found = job(["tests/test_shop.py", "shop.py"])
    assert found["outcomes"] == {"tests/test_shop.py::test_total": "passed"}
    assert found["collected"] == ["tests/test_shop.py"]
    assert (found["left"], found["failures"]) == ([], [])


def test_files_on_the_command_line_stay_the_limit(job: Any) -> None:
    assert job(["tests/test_shop.py"], "tests/test_other.py", "tests/test_shop.py")["outcomes"] == {"tests/test_shop.py::test_total": "passed"}
    assert job(["tests/test_shop.py"], "tests/test_other.py")["outcomes"] == {}


def test_what_failed_last_goes_first_and_what_did_not_run_is_told(job: Any, pytester: pytest.Pytester) -> None:
    write(pytester.path, {"tests/test_two.py": "def test_a(): ...\n\ndef test_b(): assert 0\n"})
    found = job(["tests/test_two.py", "tests/test_shop.py"], "-x", first=("tests/test_two.py::test_b",))
    assert found["outcomes"] == {"tests/test_two.py::test_b": "failed"}
    assert found["left"] == ["tests/test_shop.py", "tests/test_two.py"]


def test_with_xdist_the_workers_obey_too(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    found = job(["tests/test_shop.py"], "-n1", "--heal")
    assert found["outcomes"] == {"tests/test_shop.py::test_total": "passed"}
    assert found["collected"] == ["tests/test_shop.py"]


# -- errors ----------------------------------------------------------------------------------------------------
def test_without_watchfiles_one_line_says_how_to_get_it(root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    monkeypatch.chdir(root)
    assert main(["watch"]) == 2
    assert capfd.readouterr() == ("", 'maestro-heal: watch needs watchfiles: pip install "pytest-maestro-healer[watch]"\n')


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--rounds", "-1"], "--rounds"),
        (["--settle", "x"], "not a number"),
        (["--patience", "1e9"], "between 0 and 3600"),
        (["-C", "/none"], "/none"),
    ],
)
def test_errors_are_one_line(args: list[str], words: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", *args]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err


def test_a_wrong_pytest_option_is_no_green(root: Path, tmp_path: Path) -> None:
    with watching(root, tmp_path / "cache", "--no-such-option", options=["--rounds", "1"]) as watch:
        assert watch.next("error")["exit_code"] == 4
        assert watch.wait() == 2
