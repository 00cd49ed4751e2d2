"""Milliseconds per heal by strategy, and heals per second.

    python tests/bench/bench_heals.py [--limit 8] [--failures 100]

The per-strategy figures come from the strategies' own HEALS examples, each run as its own project with ``pytest --heal`` in review mode;
a heal's time is what its record says (diagnosis, proposals, guard, reruns, repeats), without the one fresh process that confirms all heals of a run.
The rate comes from one project with ``--failures`` failing tests of two kinds in many files, the whole healing phase included.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "strategies"))

from example_project import as_bytes, write_tree
from warm import warm

from pytest_maestro_healer.strategies import load


def heal(folder: Path, *arguments: str) -> dict[str, object]:
    """The healing report of one run."""
    out = folder.parent / (folder.name + ".json")
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(folder.parent / "cache")}
    command = [sys.executable, "-m", "pytest", "--heal", "-q", "-p", "no:cacheprovider", f"--heal-json={out}", *arguments]
    subprocess.run(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    data: dict[str, object] = json.loads(out.read_text())
    return data


def by_strategy(work: Path, limit: int) -> None:
    """Median over examples, per strategy."""
    print(f"{'strategy':26} {'examples':>8} {'healed':>7} {'median ms':>10} {'max ms':>8}")
    for strategy in load():
        examples = [e for t in strategy.tactics for e in t.heals if e.healed and not e.head and not e.needs][:limit]
        times = []
        for i, example in enumerate(examples):
            folder = work / f"{strategy.name}-{i}"
            folder.mkdir()
            write_tree(folder, as_bytes(example.files))
            results = heal(folder, f"--heal-strategies={strategy.name}")["results"]
            times += [r["execution_time"] for r in results if r["success"]]  # type: ignore[attr-defined]
        if times:
            print(f"{strategy.name:26} {len(examples):8} {len(times):7} {1000 * statistics.median(times):10.1f} {1000 * max(times):8.1f}", flush=True)


def rate(work: Path, failures: int) -> None:
    """Many independent failures in one run."""
    folder = work / "rate"
    folder.mkdir()
    (folder / "shop.py").write_text('def name(n):\n    return f"item {n}"\n')
    for i in range(max(1, failures // 10)):
        lines = ["from shop import name", "", ""]
        for k in range(5):
            lines += [f"def test_name_{k}():", f'    assert name({k}) == "Item {k}"', "", ""]
            lines += [f"def test_value_{k}():", f"    assert [{k}, {i}] == [{k}, {i} + 1]", "", ""]
        (folder / f"test_m{i}.py").write_text("\n".join(lines))
    began = time.perf_counter()
    report = heal(folder)
    results: list[dict[str, object]] = report["results"]  # type: ignore[assignment]
    healed = sum(len(r["nodeids"]) for r in results if r["success"])  # type: ignore[arg-type]
    seconds = float(report["seconds"])  # type: ignore[arg-type]
    whole = time.perf_counter() - began
    print(f"\n{report['failures']} failures, {healed} tests healed in {seconds:.2f} s of healing: {healed / seconds:.0f} tests per second")
    print(f"the whole run took {whole:.1f} s")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=8, help="examples per strategy")
    parser.add_argument("--failures", type=int, default=100)
    options = parser.parse_args()
    warm()
    with tempfile.TemporaryDirectory() as name:
        by_strategy(Path(name), options.limit)
        rate(Path(name), options.failures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
