"""Real fixes, undone: regressions that the projects' own developers called bugs, and what the healer does about the tests that notice them.

    python tests/bench/bench_undone.py --mirrors DIR --work DIR [--only NAME] [--per-project N] [--seed N] [--apply safe|all] [--out FILE]

``--mirrors`` holds one git repository with its history per project (``owner+name/repo``); nothing of them is kept in this project. A case is a commit
whose subject says that it fixes something and that changes both product and test code. The commit's tree is checked out and its product files, not
its tests, documents or changelog, are put back to what they were before: every test that fails then fails because of a bug. The undoing is by turns
committed under a neutral message, committed with two commits of other files after it, and left uncommitted. A case counts as

* *reproduced* when the tests that the commit touched pass before the undoing and some fail after it, on this interpreter,
* *written* when ``--heal-apply=safe`` wrote into any file: each of these is a hidden bug,
* *offered* when an edit waits for review although nothing in the report suspects a regression; *offered with suspicion* otherwise,
* *regression* when no edit is offered and the report suspects a regression, *silent* when it says nothing of the kind.

Exits with 1 when a file was written.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bench_assertions
from bench_assertions import Project
from warm import warm

#: The projects, each with what has to be installed besides pytest. Pure Python, tests without network, histories with many small fixes.
PROJECTS: dict[str, tuple[str, ...]] = {
    "more-itertools/more-itertools": (),
    "pallets/click": ("click",),
    "pallets/werkzeug": ("werkzeug", "ephemeral-port-reserve", "cryptography", "watchdog"),
    "python-attrs/attrs": ("attrs", "hypothesis", "cloudpickle"),
    "marshmallow-code/marshmallow": ("marshmallow", "pytz", "simplejson", "tzdata"),
    "mahmoud/boltons": (),
    "sdispater/tomlkit": ("tomlkit", "pyyaml"),
    "jaraco/path": ("path", "more-itertools"),
    "arrow-py/arrow": ("arrow", "dateparser", "pytest-mock", "pytz", "simplejson"),
    "andialbrecht/sqlparse": (),
    "pypa/packaging": ("pretend", "hypothesis"),
    "networkx/networkx": ("networkx",),
    "cookiecutter/cookiecutter": ("cookiecutter", "freezegun", "pytest-mock"),
    "Textualize/rich": ("rich", "attrs"),
}
SAYS_FIX = re.compile(r"\b(?:fix(?:e[sd])?|bugs?|regress\w*|crash\w*|incorrect\w*|wrong\w*|broken|mishandl\w*)\b", re.IGNORECASE)
#: Subjects that name no bug of the product.
NOT_A_BUG = re.compile(
    r"\b(?:tests?|typos?|docs?|docstrings?|lint|flake8|mypy|typing|types|format\w*|style|ci|merge|deprecat\w*|rename\w*|pre-commit|ruff|spelling)\b",
    re.IGNORECASE,
)
HOW = ("committed", "older", "uncommitted")
#: So many of a case's failing tests are given to the healer: a module of hundreds that cannot be imported is one failure.
_MOST = 12


@dataclass(frozen=True)
class Fix:
    """A commit that fixed something, and the Python files that it changed."""

    commit: str
    subject: str
    product: tuple[str, ...]
    tests: tuple[str, ...]


def is_test(path: str) -> bool:
    """Whether a path of a repository is test code by its name."""
    parts = PurePosixPath(path).parts
    return bool({"test", "tests", "testing"} & set(parts[:-1])) or parts[-1].startswith("test_") or parts[-1] in ("conftest.py", "tests.py")


def fixes(project: Project, since: str, seed: int) -> Iterator[Fix]:
    """The commits of a project that fixed something, in an order that depends on the seed alone."""
    marks = "%x00%H%x01%s%x01"
    log = project.git("log", "--no-merges", f"--since={since}", f"--format={marks}", "--name-only", "HEAD")
    found = []
    for entry in log.split("\x00")[1:]:
        commit, subject, names = entry.split("\x01")
        python = [n for n in names.split("\n") if n.endswith(".py") and "/docs/" not in f"/{n}"]
        tests = tuple(n for n in python if is_test(n))
        product = tuple(n for n in python if not is_test(n))
        if tests and 0 < len(product) <= 4 and SAYS_FIX.search(subject) and not NOT_A_BUG.search(subject):
            found.append(Fix(commit, subject, product, tests))
    random.Random(seed).shuffle(found)
    return iter(found)


def outcomes(project: Project, tests: Sequence[str]) -> dict[str, bool]:
    """Whether each test of some files passes, without the healer; a file that cannot be collected stands for itself."""
    found: dict[str, bool] = {}
    for line in project.pytest("-rA", "--tb=no", *tests).splitlines():
        word, _, rest = line.partition(" ")
        if word in ("PASSED", "FAILED", "ERROR"):
            name = rest.partition(" - ")[0].strip()
            found[name] = found.get(name, True) and word == "PASSED"
    return found


def undo(project: Project, fix: Fix, how: str) -> None:
    """Puts the product files of a fix back to what they were before it."""
    for name in fix.product:
        try:
            project.git("checkout", f"{fix.commit}~1", "--", name)
        except subprocess.CalledProcessError:  # the fix added it
            project.git("rm", "-q", "-f", "--", name)
    if how == "uncommitted":
        project.git("reset", "-q")
        return
    project.git("commit", "-q", "--no-verify", "-m", "Simplify")
    if how == "older":
        for number in (1, 2):
            notes = project.root / f"notes{number}.txt"
            notes.write_text(f"note {number}\n", encoding="utf-8")
            project.git("add", "-f", notes.name)
            project.git("commit", "-q", "--no-verify", "-m", f"Note {number}")


def judge(project: Project, fix: Fix, how: str, mode: str) -> dict[str, object]:
    """One row of the table."""
    row: dict[str, object] = {"project": project.root.name, "commit": fix.commit[:10], "subject": fix.subject, "how": how}
    try:
        project.git("checkout", "-q", "-f", "--detach", fix.commit)
        project.git("clean", "-qfdx")
        tests = [t for t in fix.tests if (project.root / t).is_file() and PurePosixPath(t).name != "conftest.py"]
        good = {n for n, passed in outcomes(project, tests).items() if passed} if tests else set()
        undo(project, fix, how)
    except (subprocess.CalledProcessError, OSError) as exc:
        return {**row, "outcome": "not reproduced", "why": str(exc)[:200]}
    files = {t for t in tests if any(n.startswith(f"{t}::") for n in good)}
    failing = {n for n, passed in outcomes(project, sorted(files)).items() if not passed and (n in good or n in files)} if files else set()
    if not failing:
        return {**row, "outcome": "not reproduced", "why": "the tests do not pass at the commit" if not files else "they pass without the fix"}
    before = _state(project)
    asked = sorted({n.partition("[")[0] for n in failing})
    results, seconds = _heal(project, asked[:_MOST], mode)
    written = sorted(p for p, text in _state(project).items() if before.get(p) != text)
    return {**row, **_outcome(results, written), "tests": sorted(failing)[:20], "seconds": round(seconds, 1), "written": written}


def _state(project: Project) -> dict[str, bytes]:
    names = project.git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    return {n: (project.root / n).read_bytes() for n in names if n and (project.root / n).is_file()}


def _heal(project: Project, tests: Sequence[str], mode: str) -> tuple[list[dict[str, object]], float]:
    report = project.root.parent / f"{project.root.name}.json"
    report.unlink(missing_ok=True)
    began = time.perf_counter()
    settings = ["--heal", f"--heal-apply={mode}", f"--heal-json={report}", "-o", f"heal_cache_dir={project.cache}"]
    project.pytest(*settings, *tests, healer=True)
    seconds = time.perf_counter() - began
    return (json.loads(report.read_text(encoding="utf-8"))["results"] if report.exists() else []), seconds


def _outcome(results: Sequence[dict[str, object]], written: Sequence[str]) -> dict[str, object]:
    decisions = [(r.get("decision") or {}, r) for r in results]
    offered = [r for d, r in decisions if isinstance(d, dict) and d.get("kind") == "pending"]
    told = [r for r in results if "regression" in json.dumps([r.get("diagnosis"), r.get("decision"), r.get("advice")])]
    if written:
        outcome = "written"
    elif not results:
        outcome = "no result"
    elif offered:
        outcome = "offered" if any(r not in told for r in offered) else "offered with suspicion"
    else:
        outcome = "regression" if told else "silent"
    heals = sorted({f"{r['strategy_used']}/{r['tactic']}: {d.get('rule')}: {r.get('explanation')}"[:220] for d, r in decisions if r.get("tactic")})  # type: ignore[union-attr]
    return {"outcome": outcome, "heals": heals}


def table(rows: Sequence[dict[str, object]]) -> str:
    """Counts by project and by the way of undoing."""
    heads = ("written", "offered", "offered with suspicion", "regression", "silent", "no result")
    lines = ["| | reproduced | " + " | ".join(heads) + " |", "| --- " * (len(heads) + 2) + "|"]
    for key in ("project", "how", ""):
        for name in sorted({str(r[key]) for r in rows}) if key else ["all"]:
            counts = Counter(str(r["outcome"]) for r in rows if not key or r[key] == name)
            lines.append(f"| {name} | {sum(counts[h] for h in heads)} | " + " | ".join(str(counts[h]) for h in heads) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="", help="projects, comma-separated")
    parser.add_argument("--commits", default="", help="beginnings of commits, comma-separated")
    parser.add_argument("--per-project", type=int, default=8, help="so many reproduced cases of each project")
    parser.add_argument("--since", default="2019-01-01", help="no older commits: their tests do not run on today's Pythons")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--apply", default="safe", choices=("safe", "all"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    warm()
    bench_assertions.NEEDS.update(PROJECTS)
    rows: list[dict[str, object]] = []
    for slug in PROJECTS:
        if given.only and not any(word in slug for word in given.only.split(",")):
            continue
        if not (given.mirrors / slug.replace("/", "+")).is_dir():
            print(f"{slug}: no repository in {given.mirrors}", flush=True)
            continue
        project = Project(slug, given.mirrors.resolve(), given.work.resolve())
        done = tried = 0
        for fix in fixes(project, given.since, given.seed):
            if given.commits and not fix.commit.startswith(tuple(given.commits.split(","))):
                continue
            if done >= given.per_project or tried >= 3 * given.per_project:
                break
            tried += 1
            row = judge(project, fix, HOW[done % len(HOW)], given.apply)
            rows.append(row)
            if row["outcome"] != "not reproduced":
                done += 1
                print(f"{project.root.name:16} {row['commit']} {row['how']:11} {row['outcome']:22} {row['seconds']:6} {fix.subject[:70]}", flush=True)
                for heal in row["heals"]:  # type: ignore[attr-defined]
                    print(f"{'':20}{heal}", flush=True)
            if given.out:
                given.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print("\n" + table(rows))
    return 1 if any(r["outcome"] == "written" for r in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
