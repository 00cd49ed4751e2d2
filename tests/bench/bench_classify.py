"""Milliseconds to say what kind a failure is: the rules, the features, the trained weights; and reading the weights once.

    python tests/bench/bench_classify.py [CORPUS.jsonl]

Without a corpus a handful of made-up failures is used.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pytest_maestro_healer.diagnose import classify, features, weights
from pytest_maestro_healer.model import Failure, Frame, Location


def made_up() -> list[Failure]:
    """A few failures of usual size."""
    out = []
    for kind, message, code in (
        ("AssertionError", "assert 'a long text of a result' == 'another'\n  - another\n  + a long text of a result", "assert shop.total() == 12"),
        ("ImportError", "cannot import name 'total' from 'shop' (/home/me/shop/__init__.py)", "from shop import total"),
        ("TimeoutError", "", "await asyncio.wait_for(job(), 0.01)"),
        ("TypeError", "open_session() got an unexpected keyword argument 'retries'", "open_session(url, retries=3)"),
    ):
        frames = tuple(Frame(Location(f"f{i}.py", i + 1), "f", "product" if i else "test", code, "shop") for i in range(6))
        out.append(Failure("t.py::t", "call", "t.py", kind, message, (kind, "Exception", "BaseException"), frames, statement=code))
    return out


def median_ms(what: Callable[[Failure], object], failures: list[Failure], rounds: int = 7) -> tuple[float, float]:
    """Median and 99th percentile over the failures, each the best of some rounds."""
    times = []
    for f in failures:
        best = 1e9
        for _ in range(rounds):
            began = time.perf_counter()
            what(f)
            best = min(best, time.perf_counter() - began)
        times.append(1000 * best)
    return statistics.median(times), sorted(times)[min(len(times) - 1, len(times) * 99 // 100)]


def main() -> int:
    """Measure and print."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines() if sys.argv[1:] else []
    failures = [Failure.from_dict(d["failure"]) for d in map(json.loads, lines) if "failure" in d] or made_up()
    began = time.perf_counter()
    problem = weights.load()[1]
    spent = 1000 * (time.perf_counter() - began)
    size = weights.PATH.stat().st_size if not problem else 0
    print(f"reading the weights once: {spent:.2f} ms, {size} bytes {problem}")
    for name, what in (
        ("rules", classify.by_rules),
        ("features", lambda f: features.places(features.names(f))),
        ("all of it", classify.classify),
    ):
        middle, most = median_ms(what, failures)
        print(f"{name:12} {len(failures)} failures: median {middle:.3f} ms, 99th percentile {most:.3f} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
