"""Does the history help? A stream of failures, replayed with and without it: attempts per heal.

    python tests/bench/bench_learning.py                      # replay the recorded candidates (seconds)
    python tests/bench/bench_learning.py --record [--limit N] # run the strategies' examples anew and record every candidate (minutes)

Recording runs the HEALS examples of all strategies, up to ``--limit`` of a tactic, each as a project of its own with ``pytest --heal`` and
with nothing held back: every candidate that a strategy proposes for the failure is guarded and proved, also those that would not be tried
once one is proved. What is kept of a candidate is what the order depends on, whether it was proved, and whether its edit is the promised one.

Replaying draws failures from the recorded ones and lets the product's own ``order`` and ``Ranking`` decide in which order the candidates of
each are tried. A person takes a right heal and rejects a wrong one. A heal takes as many attempts as candidates were tried until the right
one was proved (guard refusals cost no run and do not count). Two kinds of streams: a *project* fails again and again in a few ways (5 of the
recorded failures, drawn with replacement), a *mixture* in all of them. Figures are means over many streams; the prior's weight was chosen
on the even ones and the figures are of the odd ones.

Two scenes. *As recorded*: the strategies' own examples, in which the tactics already stand in the right order; a history can only do harm
there. *Crowded*, which is made up: each failure has three more candidates, by other tactics that answer to the same kind of failure, with
the scores and evidence these have elsewhere; they fail. So it is where several tactics are equally sure of themselves: many strategies, or
a proposer of the user's own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "strategies"))

from pytest_maestro_healer.learn import ranking as module
from pytest_maestro_healer.learn.entries import outcome
from pytest_maestro_healer.learn.ranking import Ranking
from pytest_maestro_healer.model import Applicability, Edit, Evidence, Proposal
from pytest_maestro_healer.prove.candidates import order

MATRIX = Path(__file__).resolve().with_name("learning_candidates.json")
SYMPTOMS = frozenset({"assertion_update"})
LENGTH, STREAMS, HABITS, PARTS = 60, 60, 5, 6
#: Loaded into the recorded runs: nothing is held back, and every candidate is written down.
WATCH = """
import json, os
import pytest_maestro_healer.searching as searching
from pytest_maestro_healer.evidence.weight import strength

searching.rivals = lambda *args: True
FOUND = []
real_proposals, real_tried = searching.Search._proposals, searching.Search._tried

def row(proposal):
    size = sum(len(e.replacement) + e.end - e.start for e in proposal.edits)
    return dict(strategy=proposal.strategy, tactic=proposal.tactic, score=proposal.score, strength=strength(proposal.evidence), size=size,
                result="guard", edits=[[e.path, e.start, e.end, e.replacement] for e in proposal.edits])

def proposals(self, failure, diagnosis, ctx, found, **which):
    out = real_proposals(self, failure, diagnosis, ctx, found, **which)
    FOUND.append(dict(test=failure.nodeid, pattern=str(diagnosis.pattern), rows=[row(p) for p in out]))
    tell()
    return out

def tried(self, failure, proposal, *args):
    mine = [list(x) for x in row(proposal)["edits"]]
    here = next((f for f in reversed(FOUND) if f["test"] == failure.nodeid and any(r["edits"] == mine for r in f["rows"])), None)
    candidate = real_tried(self, failure, proposal, *args)
    if here is not None:
        entry = next(r for r in here["rows"] if r["edits"] == mine)
        entry["result"] = "failed" if candidate is None else "proved"
        entry["after"] = {} if candidate is None else {p: d.decode("latin-1") for p, d in candidate.after.items()}
    tell()
    return candidate

def tell():
    with open(os.environ["BENCH_OUT"], "w") as f:
        json.dump(FOUND, f)

searching.Search._proposals, searching.Search._tried = proposals, tried
"""


# -- recording -----------------------------------------------------------------------------------------------
def record(limit: int, names: Sequence[str]) -> list[dict[str, Any]]:
    """Every candidate of every example: one dict per failure with more than nothing to try."""
    from example_project import as_bytes, build, cannot_run

    from pytest_maestro_healer.strategies import load

    out: list[dict[str, Any]] = []
    for strategy in (s for s in load() if not names or s.name in names):
        for tactic in strategy.tactics:
            examples = [e for e in tactic.heals if e.healed and not cannot_run(e)][:limit]
            for example in examples:
                with tempfile.TemporaryDirectory() as name:
                    work = Path(name)
                    (work / "watch.py").write_text(WATCH)
                    build(work / "project", example)
                    found = run(work, example)
                healed = {p: d.decode("latin-1") for p, d in as_bytes(example.healed).items()}
                out += [shortened(f, healed, f"{tactic.name}: {example.title}") for f in found[:1] if f["rows"]]
            save(out)
        print(f"{strategy.name}: {len(out)} failures so far", flush=True)
    return out


def save(found: Sequence[dict[str, Any]]) -> None:
    """One failure a line."""
    MATRIX.write_text("[\n" + ",\n".join(json.dumps(f) for f in found) + "\n]\n")


def run(work: Path, example: Any) -> list[dict[str, Any]]:
    """What the watched run of one example saw."""
    out = work / "found.json"
    env = {
        **os.environ,
        **example.env,
        "PYTHONPATH": str(work),
        "BENCH_OUT": str(out),
        "XDG_CACHE_HOME": str(work / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    settings = ["heal_fresh_confirm=false", "heal_max_attempts=50", "heal_learning=false", "heal_timeout=20"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "watch",
        "-p",
        "no:cacheprovider",
        "--heal",
        *(a for s in settings for a in ("-o", s)),
        *example.args,
    ]
    try:
        subprocess.run(command, cwd=work / "project" / example.cwd, env=env, capture_output=True, check=False, timeout=120)
        return json.loads(out.read_text())  # type: ignore[no-any-return]
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []


def shortened(found: dict[str, Any], healed: dict[str, str], title: str) -> dict[str, Any]:
    """Without code: whether a candidate was right says as much."""
    rows = []
    for r in found["rows"]:
        after = r.pop("after", {})
        r.pop("edits")
        rows.append({**r, "score": round(r["score"], 4), "strength": round(r["strength"], 4), "right": bool(after) and after == healed})
    return {"title": title, "pattern": found["pattern"], "rows": rows}


# -- replaying -----------------------------------------------------------------------------------------------
Policy = Callable[[list[dict[str, Any]], int], Ranking]
POLICIES: dict[str, Policy] = {
    "without": lambda entries, n: Ranking(),
    "expected value": lambda entries, n: Ranking(entries),
    "Thompson": lambda entries, n: Ranking(entries, seed=n),
}


def proposal(at: int, row: dict[str, Any]) -> Proposal:
    """A recorded candidate as the product sees it; where its edit begins tells which it is."""
    edit = Edit("t.py", "", at, at, "x" * min(row["size"], 200))
    return Proposal(row["strategy"], row["tactic"], (edit,), (Evidence("x", "", "", row["strength"]),), Applicability.REVIEW, "", score=row["score"])


def replay(stream: Sequence[dict[str, Any]], policy: Policy) -> list[int]:
    """Attempts per failure of a stream, in order."""
    entries: list[dict[str, Any]] = []
    out = []
    for n, failure in enumerate(stream):
        ranking = policy(entries, n)
        rows = dict(enumerate(failure["rows"]))
        proposals = [proposal(i, r) for i, r in rows.items()]
        attempts = 0
        for p in order(proposals, SYMPTOMS, lambda p, r=ranking, f=failure: r.weight(p, f["pattern"])):
            row = rows[p.edits[0].start]
            attempts += row["result"] != "guard"
            name = f"{n}-{p.edits[0].start}"
            keys = {"id": name, "strategy": p.strategy, "tactic": p.tactic, "pattern": failure["pattern"]}
            entries.append({"t": "attempt", "at": 0.0, "tests": [], "cause": "", "decision": "", "result": row["result"], **keys})
            if row["result"] == "proved":
                entries.append(outcome(name, "accepted" if row["right"] else "rejected", p.strategy, p.tactic, failure["pattern"], 0.0))
            if row["right"]:
                break
        out.append(attempts)
    return out


def streams(failures: Sequence[dict[str, Any]], kind: str, seed: int) -> list[dict[str, Any]]:
    """One stream."""
    rng = random.Random(f"{kind}{seed}")
    pool = rng.sample(list(failures), min(HABITS, len(failures))) if kind == "project" else list(failures)
    return [rng.choice(pool) for _ in range(LENGTH)]


def crowded(failures: Sequence[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """The failures with three candidates more, of other tactics for the same pattern, that will fail."""
    rng = random.Random(f"crowd{seed}")
    out = []
    for f in failures:
        mine = {r["tactic"] for r in f["rows"]}
        others = {r["tactic"]: r for g in failures if g["pattern"] == f["pattern"] for r in g["rows"] if r["right"] and r["tactic"] not in mine}
        chosen = rng.sample(sorted(others), min(3, len(others)))
        out.append({**f, "rows": [*f["rows"], *({**others[t], "result": "failed", "right": False} for t in chosen)]})
    return out


def parts(rows: Sequence[Sequence[int]]) -> list[float]:
    """Mean attempts in each sixth of the streams."""
    step = LENGTH // PARTS
    return [statistics.mean(v for r in rows for v in r[i * step : (i + 1) * step]) for i in range(PARTS)]


def bars(values: Sequence[float], least: float) -> str:
    """A curve in one line of text."""
    signs = "▁▂▃▄▅▆▇█"
    top = max(*values, least + 0.01)
    return "".join(signs[min(7, round(7 * (v - least) / (top - least)))] for v in values)


Scene = Callable[[Sequence[dict[str, Any]], int], Sequence[dict[str, Any]]]


def compare(failures: Sequence[dict[str, Any]], title: str, scene: Scene) -> None:
    """One table: mean attempts by sixths of the stream, for each policy."""
    print(f"\n{title}: {len(failures)} failures, {statistics.mean(len(f['rows']) for f in scene(failures, 1)):.2f} candidates each")
    for kind in ("project", "mixture"):
        print(f"  {kind}: attempts per heal in each sixth of {LENGTH} failures, 1 is the least")
        for name, policy in POLICIES.items():
            rows = [replay(streams(scene(failures, seed), kind, seed), policy) for seed in range(1, STREAMS, 2)]
            values = parts(rows)
            first = statistics.mean(v == 1 for r in rows for v in r[LENGTH // 2 :])
            text = " ".join(f"{v:5.2f}" for v in values)
            print(f"    {name:15} {text}  {bars(values, 1.0)}   right at once in the second half: {100 * first:.1f} %")


def priors(failures: Sequence[dict[str, Any]]) -> None:
    """Which weight of the prior is best, on the even streams."""
    was = module.ORDER_PRIOR
    print("\nweight of the prior (even streams, expected value): attempts per heal in crowded projects, in a mixture as recorded")
    for k in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        module.ORDER_PRIOR = k
        projects = [replay(streams(crowded(failures, seed), "project", seed), POLICIES["expected value"]) for seed in range(0, STREAMS, 2)]
        mixtures = [replay(streams(failures, "mixture", seed), POLICIES["expected value"]) for seed in range(0, STREAMS, 2)]
        means = [statistics.mean(v for r in rows for v in r) for rows in (projects, mixtures)]
        print(f"  {k:4g}: {means[0]:.4f} {means[1]:.4f}{'   (in use)' if k == was else ''}")
    module.ORDER_PRIOR = was


def main() -> int:
    """Record or replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--limit", type=int, default=2, help="examples of a tactic to record")
    parser.add_argument("--strategies", default="", help="only these, comma-separated")
    options = parser.parse_args()
    if options.record:
        found = record(options.limit, [n for n in options.strategies.split(",") if n])
        save(found)
    recorded = json.loads(MATRIX.read_text())
    healed = [f for f in recorded if any(r["right"] for r in f["rows"])]
    several = [f for f in healed if sum(r["result"] != "guard" for r in f["rows"]) > 1]
    print(f"{len(recorded)} failures recorded, {len(healed)} with a right candidate, {len(several)} with more than one to try")
    priors(healed)
    compare(healed, "as recorded", lambda failures, seed: failures)
    compare(healed, "crowded", crowded)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
