"""What the plugin costs a run that passes: bare, installed, and with --heal, alternating in one sitting.

    python tests/bench/bench_overhead.py [--tests 5000] [--rounds 7]

Prints the median CPU and wall ratios against bare (``-p no:maestro_healer``), the start-up cost in an empty folder, and the peak
memory of a run with failures with and without healing. Ratios of one sitting, so that the machine's speed does not matter.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODES = {"bare": ["-p", "no:maestro_healer"], "installed": [], "--heal": ["--heal"]}


def project(folder: Path, tests: int, per_file: int = 100) -> None:
    """``tests`` trivial tests."""
    for i in range(max(1, tests // per_file)):
        body = "".join(f"def test_{k}():\n    assert {k} + 1 == {k + 1}\n\n\n" for k in range(min(per_file, tests)))
        (folder / f"test_m{i}.py").write_text(body)


def failing(folder: Path, tests: int) -> None:
    """One failing test in ten, each for a missing import."""
    body = "".join(f"def test_{k}():\n    assert {'math.floor(1.5)' if k % 10 == 0 else 1} == 1\n\n\n" for k in range(tests))
    (folder / "test_failing.py").write_text(body)


def run(folder: Path, arguments: list[str]) -> tuple[float, float, float]:
    """(wall seconds, CPU seconds, peak MiB) of one pytest run."""
    code = (
        "import resource,subprocess,sys,time\n"
        "t=time.perf_counter()\n"
        "subprocess.run([sys.executable,'-m','pytest','-q','-p','no:cacheprovider',*sys.argv[1:]],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)\n"
        "u=resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(time.perf_counter()-t,u.ru_utime+u.ru_stime,u.ru_maxrss/1024)\n"
    )
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    out = subprocess.run([sys.executable, "-c", code, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True)
    wall, cpu, peak = map(float, out.stdout.split())
    return wall, cpu, peak


def compare(folder: Path, rounds: int) -> dict[str, list[tuple[float, float, float]]]:
    """``rounds`` alternating runs of every mode."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in MODES}
    run(folder, MODES["bare"])
    for i in range(rounds):
        names = list(MODES)
        for name in names[i % 3 :] + names[: i % 3]:
            found[name].append(run(folder, MODES[name]))
    return found


def show(title: str, found: dict[str, list[tuple[float, float, float]]]) -> None:
    """One table."""
    print(f"\n{title}")
    base = [statistics.median(r[k] for r in found["bare"]) for k in range(3)]
    for name, rows in found.items():
        mid = [statistics.median(r[k] for r in rows) for k in range(3)]
        cells = [f"{what} {value:8.3f} ({value / b:.3f})" for what, value, b in zip(("wall s", "cpu s", "peak MiB"), mid, base, strict=True)]
        print(f"  {name:10} " + "  ".join(cells))


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty").mkdir()
        (folder / "green").mkdir()
        (folder / "red").mkdir()
        project(folder / "green", options.tests)
        failing(folder / "red", max(10, options.tests // 10))
        show(f"{options.tests} passing tests", compare(folder / "green", options.rounds))
        show("start-up (an empty folder)", compare(folder / "empty", options.rounds))
        show("a run with failures (one test in ten lacks an import)", compare(folder / "red", max(1, options.rounds // 2)))
    print(f"\npeak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, {time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
