"""Regression or drift: what the diagnosis said of failures whose origin is known.

    python tests/bench/bench_verdict.py CORPUS.jsonl...

CORPUS is what ``tests/bench/train/collect.py`` wrote. Rows are cases by how they were made: regressions seeded into real packages, examples that a
tactic must leave alone because the product is wrong (their own words say so), other things that it must leave alone, seeded faults, examples that
are healed, and drift of real packages. Of a case with several records the gravest verdict counts. *Unasked* are cases on which
``--heal-apply=safe`` would have written.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pytest_maestro_healer.strategies import load

CAUSES = ("regression_suspected", "test_changed", "drift", "flaky", "environment", "unknown")
#: What was made, by row, for the table in short; what has rows of both kinds is in neither.
MADE = {
    "regression in a real package": "regression",
    "example left alone: the product is wrong": "regression (examples)",
    "drift of a real package": "drift",
    "seeded fault (drift, environment, timing)": "seeded fault",
    "example that is healed": "drift (examples)",
}
BROKEN = re.compile(r"product (?:is|lost|no longer|forgot|broke|does not|runs|now)|regression|a bug\b|is wrong|product's (?:bug|fault)", re.I)


def whys() -> dict[tuple[str, str], str]:
    """Why an example must be left alone, by tactic and title."""
    return {(f"{s.name}/{t.name}", e.title): f"{e.title}. {e.why}" for s in load() for t in s.tactics for e in t.declines}


def origin(line: dict[str, Any], why: dict[tuple[str, str], str]) -> str:
    """Which row of the table a case is in."""
    if line["source"] == "faults":
        return "regression in a real package" if line["kind"] == "negative" else "seeded fault (drift, environment, timing)"
    if line["source"] == "drift":
        return "drift, test dropped by its maintainers" if line["kind"] == "none" else "drift of a real package"
    if line["kind"] == "heals":
        return "example that is healed"
    broken = BROKEN.search(why.get((line["group"], line["title"]), ""))
    return "example left alone: the product is wrong" if broken else "example left alone for another reason"


def main() -> int:
    """Count and print."""
    cases: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    why = whys()
    for path in map(Path, sys.argv[1:]):
        for text in path.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if "record" in line and line["record"].get("diagnosis"):
                group = "" if line["source"] == "examples" else line["group"]
                cases[origin(line, why), group, line["title"]].append(line["record"])
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for (row, _, _), records in cases.items():
        said = {r["diagnosis"]["cause"] for r in records}
        if any(r["tactic"] in ("product_syntax_error", "product_import") for r in records):
            said.add("regression_suspected")  # advice that names the product's own file
        table[row][next(c for c in CAUSES if c in said)] += 1
        table[row]["offered"] += any(r["success"] for r in records)
        table[row]["unasked"] += any(unasked(r) for r in records)
    print(
        "| made as | cases | regression suspected | test changed | drift | flaky | environment | unknown | an edit was on offer | written unasked |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for row, counts in sorted(table.items()):
        cells = [sum(counts[c] for c in CAUSES), *(counts[c] for c in CAUSES), counts["offered"], counts["unasked"]]
        print(f"| {row} | " + " | ".join(map(str, cells)) + " |")
    in_short(table)
    return 0


def in_short(table: dict[str, Counter[str]]) -> None:
    """The confusion table of the verdict: a flaky test and an environment that does not fit are no regression either, and stand with drift."""
    print("\n| made \\ said | regression | drift | unknown | cases | said rightly | said wrongly |\n| --- | --- | --- | --- | --- | --- | --- |")
    for row, made in MADE.items():
        counts = table.get(row)
        if not counts:
            continue
        wrong, drift, unknown = (
            counts["regression_suspected"],
            sum(counts[c] for c in ("drift", "test_changed", "flaky", "environment")),
            counts["unknown"],
        )
        cells, whole = [wrong, drift, unknown], wrong + drift + unknown
        good, bad = (wrong, drift) if made.startswith("regression") else (drift, wrong)
        print(f"| {made} | " + " | ".join(map(str, [*cells, whole])) + f" | {good / whole:.0%} | {bad / whole:.0%} |")


def unasked(record: dict[str, Any]) -> bool:
    """Whether ``--heal-apply=safe`` would have written it, by the hard rules and the confidence."""
    rungs = {k for k, v in record["validation_results"].items() if v.get("passed")}
    hard = record["applicability"] == "safe" and "fresh" in rungs and not record["alternatives"] and record["evidence"]
    return bool(hard) and record["success"] and record["diagnosis"]["cause"] != "regression_suspected" and record["confidence_score"] >= 0.75


if __name__ == "__main__":
    raise SystemExit(main())
