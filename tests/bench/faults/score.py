"""Judging a healed project in fresh processes, without asking the healer."""

from __future__ import annotations

import ast
import difflib
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .healers import Healer, Healing, suite
from .model import Case
from .mutate import mutants
from .project import Project, Run, changed
from .pysource import first_line, functions, normal, strength

#: Mutants that a healed test is held against, and functions they are taken from.
MUTANTS, FUNCTIONS = 12, 4
#: Strategies whose heals are run twice: a value may differ from run to run.
UNSTABLE = ("assertion_update", "environment_healing", "timing_adjustment", "flaky_test_stabilization")


@dataclass
class Verdict:
    """What became of one case.

    ``all`` and ``safe`` say what was written in the two modes: ``exact``, ``plausible``, ``weakened``, ``wrong``, ``advised`` (the right
    advice, nothing written) or ``missed``; for negatives ``untouched``, ``written`` (still red) or ``hidden`` (green).
    """

    name: str
    strategy: str
    tactic: str
    host: str
    what: str
    committed: bool
    all: str = ""
    safe: str = ""
    reason: str = ""
    seconds: float = 0.0
    cpu: float = 0.0
    found: bool = False
    pending: int = 0
    named: bool = False
    placed: bool = False
    by: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    diffs: dict[str, str] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def judge(case: Case, project: Project, healer: Healer, modes: Sequence[str] = ("all", "safe")) -> Verdict:
    """Heal a copy of the project with ``all`` and another with ``safe``; look at both.

    A fault for which ``all`` proved nothing is not run again with ``safe``, which writes no more than ``all`` does.
    """
    verdict = Verdict(case.name, case.strategy, case.tactic, case.host.name, case.fault.what, bool(case.fault.message))
    before = project.snapshot()
    snapshots: list[Mapping[str, bytes]] = []
    for mode in modes:
        if mode == "safe" and verdict.all == "missed" and not verdict.found:
            verdict.safe = verdict.all
            continue
        copy = project.copy(project.folder.with_name(f"{project.folder.name}-{mode}"))
        healing = healer(case, copy, mode)
        if healing.error:
            verdict.errors.append(f"{mode}: {healing.error}\n{healing.output[-1500:]}")
        after = copy.snapshot()
        snapshots.append(after)
        verdict.seconds, verdict.cpu = verdict.seconds or healing.seconds, verdict.cpu or healing.cpu
        if snapshots[1:] and after == snapshots[0] and not case.fault.advice:
            result, reason = getattr(verdict, modes[0]), ""
        else:
            result, reason = _negative(case, copy, before, after) if case.negative else _fault(case, copy, before, after, healing)
        setattr(verdict, mode, result)
        verdict.reason = verdict.reason or reason
        if changed(before, after):
            verdict.diffs[mode] = diff(before, after)
        _note(verdict, case, healing, mode)
    return verdict


def _note(verdict: Verdict, case: Case, healing: Healing, mode: str) -> None:
    """What the healer says itself: shown, never counted as success."""
    if healing.failures and not verdict.failures:
        verdict.failures = healing.failures[:5]
        verdict.records = [lean(r) for r in healing.results]
    for record in healing.results:
        diagnosis = record.get("diagnosis") or {}
        advice = record.get("advice") or ""
        decision = record.get("decision") or {}
        label = f"{record.get('strategy_used')}/{record.get('tactic')} {decision.get('kind')} {record.get('confidence_score')}"
        verdict.by.append(f"{mode} {label}: {decision.get('rule')}")
        if mode == "safe":
            verdict.pending += bool(record.get("success")) and decision.get("kind") == "pending"
        if case.negative:
            said = f"{diagnosis.get('suspect', '')} {advice} {' '.join(diagnosis.get('reasons', ()))}"
            verdict.named |= diagnosis.get("cause") == "regression_suspected" or record.get("tactic") in ("product_syntax_error", "product_import")
            verdict.placed |= any(p in said for p in case.fault.changes)
        verdict.found |= bool(record.get("success"))


#: What a record of a report says beside its texts of code.
LEAN = (
    *("strategy_used", "tactic", "success", "confidence_score", "decision", "applicability", "evidence", "diagnosis", "alternatives"),
    *("validation_results", "collected", "advice", "test_id"),
)


def lean(record: Mapping[str, Any]) -> dict[str, Any]:
    """A healing record without code."""
    kept = {k: record[k] for k in LEAN if k in record}
    return {**kept, "files": sorted({c["path"] for c in record.get("changes", ())}), "nodeids": len(record.get("nodeids", ()))}


def _advice(case: Case, healing: Healing) -> bool:
    if not case.fault.advice:
        return False
    texts = [str(r.get("advice") or "") for r in healing.results]
    return any(case.fault.advice in t for t in texts)


def _negative(case: Case, project: Project, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[str, str]:
    paths = changed(before, after)
    if not paths:
        return "untouched", ""
    run = _rerun(case, project)
    return ("hidden" if run.green else "written"), f"changed {', '.join(paths)}"


def _rerun(case: Case, project: Project) -> Run:
    return project.test(suite(case), env=case.fault.red_env, cwd=case.fault.cwd)


def _is_test(case: Case, path: str) -> bool:
    return case.host.is_test(path) or path.startswith(f"{case.host.test_folder}data/")


def _fault(case: Case, project: Project, before: Mapping[str, bytes], after: Mapping[str, bytes], healing: Healing) -> tuple[str, str]:
    fault = case.fault
    paths = changed(before, after)
    if fault.advice and not paths:
        return ("advised", "") if _advice(case, healing) else ("missed", f"no advice names {fault.advice}")
    if not paths:
        return "missed", _why_not(healing)
    outside = [p for p in paths if not _is_test(case, p)]
    if outside:
        return "wrong", f"changed {', '.join(outside)}"
    run = _rerun(case, project)
    if fault.advice:
        return _after_advice(case, run, paths, after)
    if not run.green:
        return "wrong", f"still red: {', '.join(run.red[:4])}"
    twice = _rerun(case, project) if case.strategy in UNSTABLE else run
    if not twice.green:
        return "wrong", f"red in a second run: {', '.join(twice.red[:4])}"
    if set(paths) <= set(fault.expected) and all(normal(after[p]) in {normal(t) for t in fault.expected[p]} for p in fault.expected):
        return "exact", ""
    weak = _weaker(case, project, after)
    return ("weakened", weak) if weak else ("plausible", "")


def _after_advice(case: Case, run: Run, paths: list[str], after: Mapping[str, bytes]) -> tuple[str, str]:
    """Something was written where there is nothing to heal: right only when the tests of what is gone stay red by its name."""
    if run.green:
        return "weakened", "green, though nothing can heal this"
    for path in paths:
        red = {n.partition("[")[0].rpartition("::")[2] for n in run.red if n.startswith(path)}
        users = {f.name for f in functions(ast.parse(after[path])) if f.name.startswith("test") and case.fault.what in ast.unparse(f)}
        if red != users:
            return "wrong", f"red are {sorted(red)}, tests of {case.fault.what} are {sorted(users)}"
    return "plausible", "the rest of the file runs"


def _why_not(healing: Healing) -> str:
    reasons = [r.get("decision", {}).get("rule", "") + " | " + "; ".join(r.get("refused", ())) for r in healing.results]
    return " / ".join(reasons)[:600] or healing.error


def _weaker(case: Case, project: Project, after: Mapping[str, bytes]) -> str:
    """Why the healed tests notice less than the expected ones do, ``""`` where they do not."""
    for path, texts in case.fault.expected.items():
        if path.endswith(".py") and strength(after.get(path, b"")) < min(strength(t) for t in texts):
            return f"{path} has fewer checks than expected"
    right = project.copy(project.folder.with_name("right"))
    right.lay({path: texts[0] for path, texts in case.fault.expected.items()})
    tests = [p for p in case.fault.tests if (project.folder / p).exists()] or suite(case)
    called = right.test(tests, env=case.fault.red_env, cwd=case.fault.cwd, trace=case.host.source).called
    noticed, missed = 0, 0
    for path, mutant in _mutants(case, right, called):
        original = (right.folder / path).read_bytes()
        right.lay({path: mutant.encode()})
        kills = not right.test(tests, env=case.fault.red_env, cwd=case.fault.cwd).green
        right.lay({path: original})
        if not kills:
            continue
        noticed += 1
        project.lay({path: mutant.encode()})
        missed += project.test(tests, env=case.fault.red_env, cwd=case.fault.cwd).green
        project.lay({path: original})
    return f"{missed} of {noticed} mutants are no longer noticed" if missed else ""


def _mutants(case: Case, project: Project, called: frozenset[tuple[str, int]]) -> list[tuple[str, str]]:
    rng = random.Random(case.name)
    planted = [p for p in case.fault.base if p.endswith(".py") and not case.host.is_test(p)]
    concerned = [p for p in planted if any(p == c for c, _ in called)]
    places = []
    for path in sorted({p for p, _ in called}):
        if concerned and path not in concerned:
            continue
        source = (project.folder / path).read_text(encoding="utf-8")
        places += [(path, source, f) for f in functions(ast.parse(source)) if (path, first_line(f)) in called]
    rng.shuffle(places)
    found = [(path, m) for path, source, f in places[:FUNCTIONS] for m in mutants(source, f, rng, MUTANTS)]
    return rng.sample(found, min(MUTANTS, len(found)))


def diff(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """A unified diff of two snapshots."""
    out: list[str] = []
    for path in changed(before, after):
        a, b = (s.get(path, b"").decode("utf-8", "backslashreplace").splitlines() for s in (before, after))
        out += difflib.unified_diff(a, b, f"a/{path}", f"b/{path}", n=1, lineterm="")
    return "\n".join(out[:200])


def clean(project: Project) -> None:
    """Remove the copies of a case."""
    parent: Path = project.folder.parent
    for path in parent.glob(f"{project.folder.name}*"):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    shutil.rmtree(parent / "right", ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove a folder with all in it."""
    shutil.rmtree(folder, ignore_errors=True)
