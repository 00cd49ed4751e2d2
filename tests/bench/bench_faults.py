"""Seeded faults in real packages: how many are healed, how many true regressions are left alone.

    python tests/bench/bench_faults.py --work FOLDER [--smoke] [--only WORDS] [--limit N] [--jobs N] [--out FILE] [--healer none|oracle]

Hosts are source distributions from PyPI, downloaded into ``--work`` at first use. Every case is a fresh git repository, checked to be
green before the fault, red after it and green with the expected heal. It is healed twice, with ``--heal-apply=safe`` (what is written
unasked) and ``--heal-apply=all`` (what is found), and judged in fresh processes: the suite green twice, only test files changed, the file
equal to the expected one after normalisation (``exact``) or not (``plausible``, and then held against mutants of the product: ``weakened``
when it notices fewer). With ``--out`` an interrupted run goes on where it was. Exits with 1 when a negative was written on
with ``safe``, or a weakened or wrong heal was written unasked.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from faults import cases, report, score
from faults.healers import HEALERS
from faults.hosts import HOSTS, load
from faults.model import Host
from faults.registry import Row, rows
from warm import warm

#: The rows of a smoke run: one case each, in one small host.
SMOKE = ("drop_import", "missing_colon", "product_syntax")


def _wanted(options: argparse.Namespace) -> list[Row]:
    """The rows that are asked for."""
    words = [w for w in options.only.split(",") if w]
    found = [r for r in rows() if not words or any(w in (r.strategy, r.tactic, r.name) for w in words)]
    return [dataclasses.replace(r, weight=1) for r in found if {r.name, r.tactic} & set(SMOKE)] if options.smoke else found


def _work(task: tuple[int, argparse.Namespace, list[Host], Any, Any]) -> None:
    """One worker: every ``jobs``-th row, results into the queue."""
    number, options, hosts, done, queue = task
    share = _wanted(options)[number :: options.jobs]
    folder = Path(tempfile.mkdtemp(prefix=f"faults-{number}-"))
    try:
        for found in cases.generate(share, hosts, options.seed, options.per_row, folder, done):
            if isinstance(found, str):
                queue.put(found)
                continue
            case, project = found
            queue.put(score.judge(case, project, HEALERS[options.healer], options.modes.split(",")).to_dict())
            if options.keep:
                project.copy(options.keep / case.name)
            score.clean(project)
    except Exception as exc:  # a worker that dies silently would look like a finished one
        queue.put(f"WORKER FAILED: {type(exc).__name__}: {exc}")
        raise
    finally:
        score.remove(folder)
        queue.put(None)


def _show(row: dict[str, Any], number: int) -> None:
    bad = row["errors"] or row["safe"] in ("wrong", "weakened", "written", "hidden") or row["all"] in ("wrong", "weakened")
    label = f"{'!' if bad else ' '}{number:4} {row['strategy'][:12]:12} {row['name']:48}"
    print(f"{label} safe {row['safe']:10} all {row['all']:10} {row['seconds']:5.1f} s  {row['reason'][:90]}", flush=True)


def _save(out: Path | None, found: dict[str, Any], short: list[str], options: argparse.Namespace) -> None:
    if out:
        head = {"healer": options.healer, "seed": options.seed, "per_row": options.per_row, "hosts": [f"{h.name} {h.version}" for h in HOSTS]}
        out.write_text(json.dumps({**head, "short": short, "cases": list(found.values())}, indent=1), encoding="utf-8")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for downloads and unpacked hosts")
    parser.add_argument("--out", type=Path, help="JSON with every case; read first when it exists, to go on")
    parser.add_argument("--only", default="", help="strategies, tactics or injectors, comma-separated")
    parser.add_argument("--hosts", default="", help="hosts, comma-separated")
    parser.add_argument("--limit", type=int, default=0, help="stop after so many new cases")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so many minutes")
    parser.add_argument("--per-row", type=int, default=2, help="cases for each injector (times its weight)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--healer", choices=sorted(HEALERS), default="maestro")
    parser.add_argument("--modes", default="all,safe", help="all, safe, or both")
    parser.add_argument("--source", type=Path, help="folder to import the plugin from, instead of the installed one")
    parser.add_argument("--keep", type=Path, help="keep the red projects there")
    parser.add_argument("--records", action="store_true", help="keep each case's failures and healing records, for training and calibration")
    parser.add_argument("--smoke", action="store_true", help="a few cases in one host")
    options = parser.parse_args()
    options.work = options.work.resolve()
    if options.records:
        os.environ["FAULTS_RECORDS"] = "1"
    if options.source:
        os.environ["FAULTS_SOURCE"] = str(options.source.resolve())
    if options.keep:
        options.keep = options.keep.resolve()
        options.keep.mkdir(parents=True, exist_ok=True)
    if options.smoke:
        options.per_row, options.hosts = 1, options.hosts or "itsdangerous"
    if options.healer == "maestro":
        warm(os.environ.get("FAULTS_SOURCE", ""))
    found: dict[str, Any] = {}
    if options.out and options.out.exists():
        found = {c["name"]: c for c in json.loads(options.out.read_text(encoding="utf-8"))["cases"]}
    short: list[str] = []
    hosts = load(options.work, frozenset(h for h in options.hosts.split(",") if h))  # once: two workers would clear each other's folders
    began, new, running = time.monotonic(), 0, options.jobs
    queue: Any = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=_work, args=((n, options, hosts, frozenset(found), queue),), daemon=True) for n in range(options.jobs)]
    for worker in workers:
        worker.start()
    while running:
        row = queue.get()
        if row is None:
            running -= 1
        elif isinstance(row, str):
            short.append(row)
            print(f"  short: {row}", flush=True)
        else:
            found[row["name"]] = row
            new += 1
            _show(row, len(found))
            _save(options.out, found, short, options)
        if (options.limit and new >= options.limit) or (options.minutes and time.monotonic() - began > 60 * options.minutes):
            print("stopped by --limit or --minutes")
            break
    for worker in workers:
        worker.terminate()
        worker.join()
    every = list(found.values())
    print("\n" + report.faults(every) + "\n\n" + report.negatives(every))
    print(f"\n{len(every)} cases in {time.monotonic() - began:.0f} s; hard rules broken: {report.failures(every)}")
    return 1 if report.failures(every) or not every or any(s.startswith("WORKER") for s in short) else 0


if __name__ == "__main__":
    sys.exit(main())
