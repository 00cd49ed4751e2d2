"""The history file: nothing lost, nothing believed blindly, no crash; off means off."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_maestro_healer.apply.paths import ensure_cache_dir
from pytest_maestro_healer.errors import ApplyError
from pytest_maestro_healer.learn import history as module
from pytest_maestro_healer.learn.entries import folded, merged, outcome, valid
from pytest_maestro_healer.learn.history import SCHEMA, History, NewerVersion, decoded, encoded, header
from pytest_maestro_healer.learn.ranking import Ranking

Entry = dict[str, Any]


def attempt(i: int, result: str = "proved", **more: Any) -> Entry:
    """A record of an attempt."""
    base = {
        "t": "attempt", "at": float(i), "id": f"h-{i:08x}", "tests": [f"test_a.py::test_{i}"], "strategy": "toy", "tactic": "swap",
        "pattern": "api_change", "cause": "drift", "result": result, "decision": "pending", "confidence": 0.8, "strength": 0.9, "size": 10,
    }  # fmt: skip
    return {**base, **more}


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "cache", prepare=ensure_cache_dir)


def reopened(history: History) -> History:
    return History(history.folder, prepare=ensure_cache_dir)


def test_what_is_appended_is_read_again_in_order(history: History) -> None:
    assert history.entries() == []
    assert history.append([attempt(1)])
    assert history.append([attempt(2), attempt(3)])
    assert [e["id"] for e in reopened(history).entries()] == [attempt(i)["id"] for i in (1, 2, 3)]
    first = json.loads(history.path.read_text().splitlines()[0])
    assert first == header()
    assert history.notes == []


def test_files_are_private(history: History) -> None:
    history.append([attempt(1)])
    history.compact()
    for path in history.folder.iterdir():
        if path.name.startswith("history"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name
    assert stat.S_IMODE(history.folder.stat().st_mode) & 0o077 == 0


def test_a_symbolic_link_is_not_followed(history: History, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine\n")
    ensure_cache_dir(history.folder)
    history.path.symlink_to(outside)
    assert not history.append([attempt(1)])
    assert outside.read_text() == "mine\n"
    assert len(history.notes) == 1


def test_damaged_lines_are_set_aside_and_said_once(history: History) -> None:
    history.append([attempt(1)])
    with history.path.open("ab") as f:
        f.write(b'{"t":"attempt","id":7}\nnot json\n\xff\xfe\n')
    history.append([attempt(2)])
    again = reopened(history)
    assert [e["at"] for e in again.entries()] == [1.0, 2.0]
    assert len(again.notes) == 1
    assert "3 damaged lines" in again.notes[0]
    assert (history.folder / "history.damaged").read_bytes().splitlines()[1:] == [b"not json", b"\xff\xfe"]
    third = reopened(history)
    assert len(third.entries()) == 2
    assert third.notes == []


@pytest.mark.parametrize("data", [b"", b"\0" * 5000, b"{", b"[]\n[]\n", b'"\\ud800"\n', b"[" * 100_000, b'{"t":"attempt","at":1e999}\n', b"NaN\n"])
def test_a_file_that_is_no_history_is_no_crash(history: History, data: bytes) -> None:
    ensure_cache_dir(history.folder)
    history.path.write_bytes(data)
    assert history.entries() == []
    assert len(history.notes) <= 1
    assert history.append([attempt(1)])
    assert len(reopened(history).entries()) == 1


def test_a_torn_line_costs_only_itself(history: History) -> None:
    history.append([attempt(1)])
    with history.path.open("ab") as f:
        f.write(b'{"t":"attempt","at":2.0,"id":"h-0')
    history.append([attempt(3)])
    assert [e["at"] for e in reopened(history).entries()] == [1.0, 3.0]


def test_a_line_that_is_being_written_is_no_damage(history: History) -> None:
    history.append([attempt(1)])
    whole = history.path.read_bytes()
    with history.path.open("ab") as f:
        f.write(b'{"t":"atte')
    other = reopened(history)
    with other._locked():  # the writer
        assert [e["at"] for e in history.entries()] == [1.0]
    assert history.notes == []
    assert history.path.read_bytes() == whole + b'{"t":"atte'


@pytest.mark.parametrize("dump", [encoded, lambda entries: json.dumps(entries[0]).encode() + b"\nsomething else\n"], ids=["traces", "another form"])
def test_a_newer_version_is_said_and_left_alone(history: History, dump: Callable[[list[Entry]], bytes]) -> None:
    ensure_cache_dir(history.folder)
    data = dump([{**header(), "v": SCHEMA + 1}, attempt(1)])
    history.path.write_bytes(data)
    assert history.entries() == []
    assert not history.append([attempt(2)])
    assert not history.compact()
    assert not history.rewrite(lambda found: [])
    assert list(history.tail(b"attempt")) == []
    assert history.path.read_bytes() == data
    assert len(history.notes) == 1
    assert f"newer version {SCHEMA + 1}" in history.notes[0]


def test_records_of_kinds_not_known_are_kept(history: History) -> None:
    history.append([{"t": "later", "at": 1.0, "x": [1]}])
    history.compact()
    assert reopened(history).entries() == [{"t": "later", "at": 1.0, "x": [1]}]


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_disk_that_cannot_be_written_is_said_in_a_line(history: History, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    history.append([attempt(1)])
    before = history.path.read_bytes()

    def half(fd: int, data: bytes) -> None:
        os.write(fd, data[: len(data) // 2])
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(module, "_write", half)
    assert not history.append([attempt(2)])
    assert len(history.notes) == 1
    assert os.strerror(code) in history.notes[0]
    assert history.path.read_bytes() == before


def test_a_folder_that_cannot_be_used_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "cache", prepare=ensure_cache_dir)
    assert not history.append([attempt(1)])
    assert history.entries() == []
    assert all("\n" not in n for n in history.notes)
    assert history.notes


def test_a_read_only_cache_is_said(tmp_path: Path) -> None:
    def refuse(folder: Path) -> None:
        raise ApplyError(f"the cache folder {folder} is read-only")

    history = History(tmp_path, prepare=refuse)
    assert not history.append([attempt(1)])
    assert history.notes == [f"the history is not recorded: the cache folder {tmp_path} is read-only"]


def test_switched_off_nothing_is_touched(tmp_path: Path) -> None:
    def refuse(folder: Path) -> None:
        raise AssertionError("the folder was asked for")

    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "history.jsonl").mkdir()  # would be an error to read or write
    history = History(folder, enabled=False, prepare=refuse)
    assert history.entries() == []
    assert list(history.tail(b"green")) == []
    assert not history.append([attempt(1)])
    assert not history.compact()
    assert not history.rewrite(lambda found: found)
    assert history.notes == []
    assert [p.name for p in folder.iterdir()] == ["history.jsonl"]


def test_forgetting_leaves_nothing(history: History) -> None:
    history.append([attempt(1)])
    with history.path.open("ab") as f:
        f.write(b"junk\n")
    history.entries()
    (history.folder / "history.tmp-1").write_text("")
    assert history.forget()
    assert [p.name for p in history.folder.iterdir() if p.name.startswith("history")] == ["history.lock"]
    assert not history.forget()


# -- folding and merging -------------------------------------------------------------------------------------
def stream(n: int, seed: int = 0) -> list[Entry]:
    """Attempts with outcomes."""
    rng = random.Random(seed)
    out: list[Entry] = []
    for i in range(seed * 1000, seed * 1000 + n):
        out.append(
            attempt(i, rng.choice(["proved", "failed", "guard"]), tactic=rng.choice(["swap", "turn"]), pattern=rng.choice(["api_change", "timeout"]))
        )
        if out[-1]["result"] == "proved" and rng.random() < 0.5:
            what = rng.choice(["accepted", "rejected", "rolled_back"])
            out.append(outcome(out[-1]["id"], what, "toy", out[-1]["tactic"], out[-1]["pattern"], i + 0.5))
    return out


def test_a_large_file_is_folded_by_itself(tmp_path: Path) -> None:
    history = History(tmp_path, large=300_000)
    for part in range(10):
        history.append(stream(300, part))
    assert history.path.stat().st_size < 600_000
    entries = reopened(history).entries()
    assert sum(e["t"] == "attempt" for e in entries) < 3000
    assert any(e["t"] == "tally" for e in entries)


@pytest.mark.parametrize("keep", [0, 10, 60])
def test_folding_keeps_the_answers(keep: int) -> None:
    entries = stream(200)
    before, after = Ranking(entries), Ranking(folded(entries, keep))
    assert before.keys().keys() == after.keys().keys()
    for key, tally in before.keys().items():
        assert sum(tally.numbers()) > 0
        for a, b in zip(tally.numbers(), after.keys()[key].numbers(), strict=True):
            assert a == pytest.approx(b, abs=2.0)  # what fades, fades a little differently when summed up
    again = folded(folded(entries, keep), keep)
    assert sum(e["t"] == "attempt" for e in again) == sum(e["t"] == "attempt" for e in folded(entries, keep))


def test_merging_shards_takes_each_record_once_in_the_order_of_time() -> None:
    a, b = stream(50, 1), stream(50, 2)
    both = merged(a, b, a)
    assert len(both) == len({json.dumps(e, sort_keys=True) for e in (*a, *b)})
    assert [e["at"] for e in both] == sorted(e["at"] for e in both)
    assert merged(both, both) == both


# -- several processes, and killed ones ----------------------------------------------------------------------
WRITER = """
import sys
from pathlib import Path
from pytest_maestro_healer.learn.history import History
history = History(Path(sys.argv[1]), large=int(sys.argv[4]))
print("ready", flush=True)
sys.stdin.readline()
for i in range(int(sys.argv[3])):
    assert history.append([{"t": "mark", "at": 0.0, "who": int(sys.argv[2]), "n": i, "pad": "x" * (i * 37 % 3000)}]), history.notes
"""


def writer(folder: Path, who: int, n: int, large: int = 10**9) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", WRITER, str(folder), str(who), str(n), str(large)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def go(*processes: subprocess.Popen[bytes]) -> None:
    for p in processes:
        assert p.stdout is not None
        assert p.stdout.readline() == b"ready\n"
    for p in processes:
        assert p.stdin is not None
        p.stdin.write(b"\n")
        p.stdin.flush()


@pytest.mark.parametrize("large", [10**9, 20_000], ids=["appending", "appending and folding"])
def test_eight_processes_at_once_lose_no_line(tmp_path: Path, large: int) -> None:
    processes = [writer(tmp_path, k, 25, large) for k in range(8)]
    go(*processes)
    for p in processes:
        _, err = p.communicate(timeout=120)
        assert p.returncode == 0, err.decode()
    history = History(tmp_path)
    found = {(e["who"], e["n"]) for e in history.entries()}
    assert found == {(k, i) for k in range(8) for i in range(25)}
    assert history.notes == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_kill_9_leaves_a_readable_file(tmp_path: Path) -> None:
    """Twenty trials, half of them with folding on every write: all that was reported written before the kill is there."""
    rng = random.Random(0)
    for trial in range(20):
        folder = tmp_path / str(trial)
        folder.mkdir()
        history = History(folder)
        assert history.append([attempt(i) for i in range(50)])
        p = writer(folder, 1, 100_000, 1 if trial % 2 else 10**9)
        go(p)
        time.sleep(rng.uniform(0.002, 0.05))
        p.kill()
        p.communicate()
        after = reopened(history)
        entries = after.entries()
        assert [e["at"] for e in entries if e["t"] == "attempt"] == [float(i) for i in range(50)], trial
        marks = [e["n"] for e in entries if e["t"] == "mark"]
        assert marks == list(range(len(marks))), trial
        assert all("damaged line" in n for n in after.notes)
        assert after.append([attempt(99)])
        assert after.compact()
        assert not list(folder.glob("history.tmp-*"))
        assert len(reopened(history).entries()) == len(entries) + 1


# -- fuzz ----------------------------------------------------------------------------------------------------
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    "t",
    "at",
    "id",
    "tests",
    "traces",
    "strategy",
    "tactic",
    "pattern",
    "cause",
    "result",
    "decision",
    "what",
    "c",
    "k",
    "m",
    "v",
    "good",
    "bad",
]
NEARLY = st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from(["attempt", "outcome", "green", "tally", "header"]), max_size=18)
CHANGED = st.builds(lambda e, c: {**e, **c}, st.sampled_from([attempt(1), outcome("h-1", "rejected", "a", "b", "c", 1.0)]), NEARLY)
LINES = st.one_of(st.binary(max_size=60), NEARLY.map(lambda e: json.dumps(e).encode()), CHANGED.map(lambda e: json.dumps(e).encode()))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINES, max_size=8))
def test_whatever_is_in_the_file_every_reader_answers(lines: list[bytes]) -> None:
    from pytest_maestro_healer.learn.green import Greens

    try:
        entries, damaged = decoded(b"\n".join(lines))
    except NewerVersion:
        return
    assert all(valid(e) for e in entries)
    assert len(entries) + len(damaged) <= sum(len(ln.split(b"\n")) for ln in lines)
    ranking = Ranking(entries)
    assert 0.0 <= ranking.shifted(0.5, "a", "b", "c") <= 1.0
    Greens([e for e in entries if e["t"] == "green"]).last("test_a.py::test_x")
    for keep in (0, 1000):
        small = folded(merged(entries, entries), keep)
        assert decoded(encoded([header(), *small]))[1] == []


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 2000))
def test_bytes_overwritten_anywhere_cost_lines_not_the_file(junk: bytes, at: int) -> None:
    good = [attempt(i) for i in range(20)]
    data = bytearray(encoded([header(), *good]))
    at %= len(data)
    data[at : at + len(junk)] = junk
    try:
        entries, _ = decoded(bytes(data))
    except NewerVersion:
        return
    hit = data.count(b"\n", 0, at), data.count(b"\n", 0, at + len(junk))
    ids = {e.get("id") for e in entries}
    untouched = [e for i, e in enumerate(good, start=1) if not at - 400 <= _offset(good, i) <= at + len(junk) + 400]
    assert {e["id"] for e in untouched} <= ids, hit


def _offset(good: list[Entry], i: int) -> int:
    return len(encoded([header(), *good[: i - 1]]))
