"""Honest changes: small projects whose history has a complete refactoring or a change of surroundings that only the tests did not follow.

    python tests/bench/bench_honest.py --work DIR [--only WORDS] [--jobs N] [--source DIR] [--out FILE]

The counterpart of ``bench_regressions.py``: there nothing may be written, here a maintainer would be glad of each edit. The rows of
``honest/*.jsonl`` are of the same format, with ``why`` (why the heal is right) in place of ``bug``. Each row is run with ``--heal-apply=safe``;
after a write the whole suite runs in a fresh process without the healer, and no file but test files may have changed ("written in part": what
is not green yet is another heal that waits for review). Prints what became of the
rows by group (the first word of their names) and, for each row that was not written, the tactics with the rules that decided. Exits with 1 when
something was written that is not green or is no test file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench_regressions import Row
from warm import warm

HERE = Path(__file__).resolve().parent
GREEN, NOT_GREEN, PART = "written and green", "written, not green", "written in part"
HEADS = (GREEN, PART, NOT_GREEN, "for review", "regression named", "left alone", "nothing failed", "not green before", "problem")


class HonestRow(Row):
    """One honest change in a folder of its own."""

    def judge(self) -> dict[str, object]:
        """What was done to the row, and whether what was written holds without the healer."""
        found = super().judge()
        results = json.loads(self.report.read_text(encoding="utf-8"))["results"] if self.report.exists() else []
        found["decisions"] = [f"{r['strategy_used']}/{r['tactic']}: {r['decision']['kind']}: {r['decision']['rule']}" for r in results]
        if found["outcome"] not in ("written", "right"):
            return found
        paths: list[str] = found["written"]  # type: ignore[assignment]
        found["not tests"] = [p for p in paths if "tests" not in Path(p).parts]
        run = self.pytest("-p", "no:maestro_healer", *self.row["args"])  # type: ignore[misc]
        waits = any(r["decision"]["kind"] == "pending" for r in results)
        found["outcome"] = NOT_GREEN if found["not tests"] else GREEN if not run.returncode else PART if waits else NOT_GREEN
        if run.returncode:
            found["tail"] = run.stdout[-1500:]
        return found


def group(row: Mapping[str, object]) -> str:
    """The first word of the row's short name."""
    return str(row["id"]).partition("/")[2].partition("_")[0]


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Counts by group."""
    lines = ["| group | rows | " + " | ".join(HEADS) + " |", "| --- " * (len(HEADS) + 2) + "|"]
    for name in (*dict.fromkeys(group(r) for r in rows), ""):
        counts = Counter(str(r["outcome"]) for r in rows if name in ("", group(r)))
        lines.append(f"| {name or 'all'} | {counts.total()} | " + " | ".join(str(counts[h]) for h in HEADS) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="", help="parts of names, comma-separated")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--source", default="", help="folder to import the plugin from, instead of the installed one")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    warm(given.source)
    rows = [json.loads(line) for path in sorted((HERE / "honest").glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    chosen = [r for r in rows if not given.only or any(word in r["id"] for word in given.only.split(","))]
    done: list[dict[str, object]] = []

    def one(row: Mapping[str, object], work: Path) -> dict[str, object]:
        return HonestRow(row, work, given.source).judge()

    with ThreadPoolExecutor(given.jobs) as pool:
        for found in pool.map(partial(one, work=given.work.resolve()), chosen):
            done.append(found)
            if found["outcome"] != GREEN:
                why: Sequence[object] = found.get("decisions") or [found.get("what", "")]  # type: ignore[assignment]
                print(f"{found['id']}: {found['outcome']}" + "".join(f"\n    {line}" for line in dict.fromkeys(why)), flush=True)
            if given.out:
                given.out.write_text(json.dumps(done, indent=1), encoding="utf-8")
    print("\n" + table(done))
    return 1 if any(r["outcome"] == NOT_GREEN for r in done) else 0


if __name__ == "__main__":
    sys.exit(main())
