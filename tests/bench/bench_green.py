"""What recording the green commit costs at the end of a run that passes.

    python tests/bench/bench_green.py [--tests 5000] [--rounds 5]

A git repository with ``--tests`` trivial tests is run with ``--heal``. In turn: the first run at a new commit with other results than before (a whole
record is written), at a new commit with the same results (a short one), and at the same commit again (nothing is written). The time of the
recording itself is taken inside the run (wall clock, and CPU with the git process it starts) and set against the whole run's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_overhead import project

WATCH = """
import atexit, json, os, time
STARTED = time.perf_counter()
from pytest_maestro_healer.session.learning import Learning
real = Learning.green
spent = [0.0, 0.0]

def cpu():
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system

def green(self, *args):
    wall, used = time.perf_counter(), cpu()
    real(self, *args)
    spent[:] = time.perf_counter() - wall, cpu() - used

Learning.green = green

@atexit.register
def tell():
    with open(os.environ["BENCH_OUT"], "w") as f:
        json.dump([*spent, time.perf_counter() - STARTED, cpu()], f)
"""


def git(folder: Path, *args: str) -> None:
    names = {f"GIT_{who}_{what}": "bench@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, env={**os.environ, **names})


def run(folder: Path, work: Path) -> list[float]:
    """[wall and CPU seconds of recording, wall and CPU seconds of the run]."""
    out = work / "out.json"
    env = {**os.environ, "XDG_CACHE_HOME": str(work / "cache"), "PYTHONPATH": str(work), "BENCH_OUT": str(out), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "watch", "--heal"],
        cwd=folder,
        env=env,
        check=True,
        capture_output=True,
    )
    return json.loads(out.read_text())  # type: ignore[no-any-return]


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found: dict[str, list[list[float]]] = {"other results, new commit": [], "same results, new commit": [], "same commit": []}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "watch.py").write_text(WATCH)
        folder = work / "project"
        folder.mkdir()
        project(folder, options.tests)
        git(folder, "init", "-q")
        for i in range(options.rounds):
            (folder / f"test_new{i}.py").write_text("def test_it():\n    pass\n")
            git(folder, "add", ".")
            git(folder, "commit", "-qm", "a test more")
            found["other results, new commit"].append(run(folder, work))
            git(folder, "commit", "-qm", "nothing", "--allow-empty")
            found["same results, new commit"].append(run(folder, work))
            found["same commit"].append(run(folder, work))
        size = next(work.glob("cache/*/*/history.jsonl")).stat().st_size
    print(f"{options.tests} tests, {options.rounds} rounds; recording: median wall ms, CPU ms; share of the run: wall %, CPU %")
    for name, rows in found.items():
        wall, used = (statistics.median(r[k] for r in rows) for k in (0, 1))
        share = [100 * statistics.median(r[k] / r[k + 2] for r in rows) for k in (0, 1)]
        print(f"  {name:26} {1000 * wall:6.1f} {1000 * used:6.1f}   {share[0]:5.2f} {share[1]:5.2f}")
    print(f"the file: {size} bytes after {2 * options.rounds} commits")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
