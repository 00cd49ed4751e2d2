"""Builds the corpus: real failures as the plugin captures them, labelled by how they were made, and heals with what they turned out to be.

    python tests/bench/train/collect.py examples  --out FOLDER [--only STRATEGIES]
    python tests/bench/train/collect.py faults    --out FOLDER RESULTS...        # of bench_faults.py --records --modes all --out RESULTS
    python tests/bench/train/collect.py conflicts --out FOLDER                   # installs a few pairs of packages that do not fit
    python tests/bench/train/collect.py drift     --out FOLDER --manifest M --result R FILES...
    python tests/bench/train/collect.py logs      --out FOLDER --manifest M --result R LOGS

Each part writes ``FOLDER/<part>.jsonl``: ``{"source", "group", "label", "failure"}`` for a failure, ``{"source", "group", "right", "record"}`` for
a heal. ``group`` is what may not be on both sides of a split: a package, a tactic's examples. Nothing of it is part of the project.

For *drift*, FILES are what ``watch.py`` and ``--heal-json`` wrote while the old suites were healed: ``SUITE.failures`` and ``SUITE.N.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "strategies"))
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labels import by_drift, by_tactic

Line = dict[str, Any]
HERE = Path(__file__).resolve().parent


# -- the strategies' own examples ----------------------------------------------------------------------------
def examples(only: str) -> Iterator[Line]:
    """HEALS and DECLINES of every tactic, each healed by all strategies with ``--heal-apply=all``."""
    from example_project import cannot_run

    from pytest_maestro_healer.strategies import load

    for strategy in load():
        if only and strategy.name not in only.split(","):
            continue
        for tactic in strategy.tactics:
            for kind in ("heals", "declines"):
                for example in getattr(tactic, kind):
                    if not cannot_run(example):
                        print(f"{strategy.name}/{tactic.name} {kind}: {example.title}", file=sys.stderr, flush=True)
                        yield from of_example(strategy.name, tactic.name, kind, example)


def of_example(strategy: str, tactic: str, kind: str, example: Any) -> Iterator[Line]:
    """What one example shows."""
    from example_project import as_bytes, build, snapshot
    from faults.score import lean

    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        root = work / "project"
        build(root, example)
        before = snapshot(root)
        failures, report = healing(root / example.cwd, work, "all", {**example.env}, example.args, root)
        after = snapshot(root)
    head = {"source": "examples", "group": f"{strategy}/{tactic}", "kind": kind, "title": example.title}
    label = by_tactic(strategy, tactic) if kind == "heals" else ""
    yield from ({**head, "label": label, "failure": f} for f in failures)
    written = {p: d for p, d in after.items() if before.get(p) != d}
    wanted = {p: d for p, d in {**before, **as_bytes(example.healed)}.items() if before.get(p) != d}
    right = "exact" if masked(written, example.varies) == masked(wanted, example.varies) and kind == "heals" and wanted else "other"
    yield from ({**head, "right": right, "record": lean(r)} for r in report.get("results", ()))


def masked(files: dict[str, bytes], varies: tuple[str, ...]) -> dict[str, bytes]:
    """Without what differs from run to run."""
    for pattern in varies:
        files = {p: re.sub(pattern.encode(), b"...", d) for p, d in files.items()}
    return files


def healing(cwd: Path, work: Path, apply: str, env: dict[str, str], args: tuple[str, ...], root: Path) -> tuple[list[Line], Line]:
    """The failures that a run diagnosed, and its report."""
    out, seen = work / "report.json", work / "failures"
    drop = {"CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "PYTEST_ADDOPTS"}
    more = {"BENCH_FAILURES": str(seen), "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "watch", "-p", "no:cacheprovider", "--heal", f"--heal-apply={apply}"]
    # not by a variable: what is set for the measurement must not be among the surroundings that are healed
    command += [f"--heal-json={out}", "-o", f"heal_cache_dir={work / 'cache'}", f"--rootdir={root}", *args]
    try:
        subprocess.run(
            command, cwd=cwd, env={**{k: v for k, v in os.environ.items() if k not in drop}, **more, **env}, capture_output=True, timeout=120
        )
    except subprocess.TimeoutExpired:
        print("  no end after 120 s", file=sys.stderr)
    failures = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()] if seen.exists() else []
    return failures[:5], json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}


# -- faults in real packages, and drift ------------------------------------------------------------------------
def faults(paths: list[Path]) -> Iterator[Line]:
    """The failures and heals that ``bench_faults.py --records`` kept."""
    for path in paths:
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            head = {"source": "faults", "group": case["host"], "kind": case["strategy"], "title": case["name"]}
            label = by_tactic(case["strategy"], case["tactic"])
            yield from ({**head, "label": label, "failure": f} for f in case["failures"])
            right = "advised" if case["all"] in ("missed", "advised", "untouched") else case["all"]
            yield from ({**head, "right": right, "record": r} for r in case["records"])


#: What the drift benchmark's verdicts say about a heal; the others say nothing about one.
DRIFT_RIGHT = {
    "correct_exact": "exact",
    "correct_equiv": "exact",
    "plausible": "plausible",
    "none_ambiguous_heal": "plausible",
    **dict.fromkeys(
        ("rebaselined_wrongly", "weakened", "overhealed", "overhealed_weakened", "collateral", "edited_library", "broke_syntax"), "wrong"
    ),
    "not_validated": "wrong",
}
_WORST = ("wrong", "plausible", "exact")


def drift(manifest: Path, result: Path | None, paths: list[Path]) -> Iterator[Line]:
    """Failures of old suites on new releases, labelled by what the maintainers changed; heals by how the benchmark scored their cases."""
    cases = {c["id"]: c for c in json.loads(manifest.read_text(encoding="utf-8"))["cases"]}
    scored = json.loads(result.read_text(encoding="utf-8")) if result else []
    verdicts = {c["id"]: c["verdict"] for c in (scored if isinstance(scored, list) else scored.get("results") or scored["cases"])}

    def of(suite: str, nodeid: str) -> str:
        return f"{suite}/{nodeid.partition('[')[0]}"

    for path in (p for p in paths if p.suffix == ".failures"):
        for line in path.read_text(encoding="utf-8").splitlines():
            failure = json.loads(line)
            case = cases.get(of(path.stem, failure["nodeid"]))
            if case is not None:
                head = {"source": "drift", "group": case["package"], "kind": case["category"], "title": case["id"]}
                yield {**head, "label": by_drift(case["category"]), "sure": case["confidence"], "failure": failure}
    from faults.score import lean

    for path in (p for p in paths if p.suffix == ".json"):
        suite = path.stem.rpartition(".")[0]
        for record in json.loads(path.read_text(encoding="utf-8"))["results"]:
            mine = list(dict.fromkeys(of(suite, n) for n in record["nodeids"]))
            found = [c for c in mine if c in verdicts]
            if not found:
                continue
            rights = {DRIFT_RIGHT.get(verdicts[c], "none") for c in found}
            right = next((w for w in _WORST if w in rights), "none")
            case = cases[found[0]]
            head = {"source": "drift", "group": case["package"], "kind": case["category"], "title": found[0]}
            yield {**head, "right": right, "verdict": verdicts[found[0]], "record": lean(record)}


_TOLD = re.compile(r"\((\w+), confidence (0\.\d+)\)")


def logs(manifest: Path, result: Path, folder: Path) -> Iterator[Line]:
    """Heals of a run in mode ``case`` of the drift benchmark, as far as its logs tell of them: strategy and confidence, but not the applicability."""
    cases = [c for c in json.loads(manifest.read_text(encoding="utf-8"))["cases"] if c["primary"]]
    verdicts = {c["id"]: c["verdict"] for c in json.loads(result.read_text(encoding="utf-8"))["results"]}
    for number, case in enumerate(cases):
        path = folder / f"{case['suite']}-{number}.log"
        text = path.read_text(encoding="utf-8", errors="replace") if case["id"] in verdicts and path.exists() else ""
        if case["id"].partition("/")[2] not in text.partition("\n")[0]:
            continue
        head = {"source": "drift", "group": case["package"], "kind": case["category"], "title": case["id"], "verdict": verdicts[case["id"]]}
        for strategy, confidence in sorted(set(_TOLD.findall(text))):
            record = {
                "strategy_used": strategy,
                "tactic": "",
                "success": True,
                "confidence_score": float(confidence),
                "decision": {"kind": "applied"},
            }
            record |= {"applicability": "", "validation_results": {}, "test_id": case["id"]}
            yield {**head, "right": DRIFT_RIGHT.get(verdicts[case["id"]], "none"), "record": record}


def main() -> int:
    """Collect one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("examples", "faults", "conflicts", "drift", "logs"))
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="strategies, comma-separated")
    parser.add_argument("--manifest", type=Path, help="cases of the drift benchmark")
    parser.add_argument("--result", type=Path, help="its scores of these very runs")
    options = parser.parse_intermixed_args()
    if options.part == "examples":
        lines = examples(options.only)
    elif options.part == "faults":
        lines = faults(options.files)
    elif options.part == "drift":
        lines = drift(options.manifest, options.result, options.files)
    elif options.part == "logs":
        lines = logs(options.manifest, options.result, options.files[0])
    else:
        from conflicts import conflicts

        lines = conflicts(healing)
    options.out.mkdir(parents=True, exist_ok=True)
    count = 0
    with (options.out / f"{options.part}.jsonl").open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line) + "\n")
            out.flush()
            count += 1
    print(f"{options.part}: {count} lines")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
