"""Real order-dependent tests of public projects: found, polluter named, healed, and verified without the healer.

    python tests/bench/bench_flaky.py --mirrors DIR --work DIR [--runs 12] [--only NAME]

``--mirrors`` holds one bare git repository per project (``owner+name/repo``), ``--work`` takes copies and virtual environments; nothing of them
is kept in this project. Each project runs at the commit of the list, on the Python and with the requirements named below. A victim counts as

* *found* when a run in changed order shows it failing (``pytest --heal-flaky N``),
* *named* when the report says after which test it fails,
* *healed* when a proved heal claims it,
* *verified* when, with the heals applied and the healer switched off, it passes alone and in 12 shuffled orders (others than the hunt's), no
  test fails in these that did not fail in one of them before, none in the order of the files that did not fail there, and none alone that was edited.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
#: Removed from :mod:`collections` in 3.10; two of the projects were written before that. The projects' sources are not touched.
SHIM = "import collections, collections.abc\nfor _n in collections.abc.__all__:\n    setattr(collections, _n, getattr(collections.abc, _n))\n"
ORDER = """
import os, random
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    seed = os.environ.get("BENCH_ORDER")
    if seed:
        random.Random(int(seed)).shuffle(items)
"""


@dataclass(frozen=True)
class Project:
    """One project: what has to be installed with it, what its tests need that newer Pythons lack, and the version of another ``python``."""

    slug: str
    needs: tuple[str, ...] = ()
    shim: bool = False
    args: tuple[str, ...] = ()
    python: str = ""


PROJECTS = (
    Project("didix21/mdutils"),
    Project("hefnawi/json-storage-manager"),
    Project("kade-robertson/config-better"),
    Project("mtik00/yamicache", shim=True, python="3.10"),  # inspect.getargspec
    Project("dvc94ch/pykicad", ("pyparsing<3",)),
    Project("python-odin/odinweb", ("odin<2", "pytest-mock", "mock", "PyJWT<2", "setuptools<70"), shim=True),
    Project(
        "marshmallow-code/flask-smorest",
        (
            "flask<2", "werkzeug<2", "marshmallow>=3,<3.6", "webargs>=6,<6.2", "apispec>=3,<4", "jinja2<3", "markupsafe<2.1", "itsdangerous<2.1",
            "setuptools<70", "pyyaml",
        ),
        shim=True,
        args=("-k", "pagination"),
    ),
    Project("spulec/freezegun", ("python-dateutil", "mock", "six")),
)  # fmt: skip


class Bench:
    """One project at one commit in a work folder."""

    def __init__(self, project: Project, sha: str, mirrors: Path, work: Path) -> None:
        self.project = project
        name = project.slug.rpartition("/")[2]
        self.root = work / "projects" / f"{name}-{sha[:7]}"
        self.tools = work / "tools"
        self.python = work / "venvs" / name / "bin" / "python"
        mirror = mirrors / project.slug.replace("/", "+") / "repo"
        self._checkout(mirror / ".git" if (mirror / ".git").is_dir() else mirror, sha)
        self._install()

    def _checkout(self, mirror: Path, sha: str) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        archive = subprocess.run(["git", "-c", "safe.directory=*", f"--git-dir={mirror}", "archive", sha], check=True, capture_output=True)
        subprocess.run(["tar", "x", "-C", str(self.root)], input=archive.stdout, check=True)

    def _install(self) -> None:
        self.tools.mkdir(parents=True, exist_ok=True)
        (self.tools / "bench_order.py").write_text(ORDER)
        (self.tools / "bench_shim.py").write_text(SHIM)
        if not self.python.exists():
            base = shutil.which(f"python{self.project.python}") if self.project.python else sys.executable
            if base is None:
                raise OSError(f"no python{self.project.python} here")
            subprocess.run([base, "-m", "venv", str(self.python.parents[1])], check=True)
            needs = ["pytest", "pytest-rerunfailures", "-e", str(HERE), *self.project.needs]
            subprocess.run([str(self.python), "-m", "pip", "install", "-q", *needs], check=True)

    def pytest(self, *args: str, order: int = 0, healer: bool = False, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """One run of the project's tests."""
        plugins = ["-p", "bench_order", "-p", "no:cacheprovider", *(["-p", "bench_shim"] if self.project.shim else [])]
        plugins += [] if healer else ["-p", "no:maestro_healer"]
        env = {**os.environ, "PYTHONPATH": f"{self.tools}:{self.root}", "BENCH_ORDER": str(order) if order else "", "PYTHONDONTWRITEBYTECODE": "1"}
        env.pop("CI", None)
        command = [str(self.python), "-m", "pytest", "-q", *plugins, *args]
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, timeout=timeout, check=False)

    def failing(self, *args: str, order: int = 0) -> set[str]:
        """The nodeids that fail in one run without the healer; a run that does not come to its end fails as such."""
        done = self.pytest(*args, "-rfE", "--tb=no", order=order)
        found = {line.split(" ", 1)[1].partition(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))}
        return found if done.returncode in (0, 1) else {*found, f"the run in order {order} ended with status {done.returncode}"}

    def functions(self) -> dict[tuple[str, str], str]:
        """What stands in each test function of the project, by file and name."""
        out = {}
        for path in self.root.rglob("*.py"):
            with contextlib.suppress(SyntaxError, ValueError):
                tree = ast.parse(path.read_bytes())
                tests = (n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name.startswith("test"))
                out.update({(path.relative_to(self.root).as_posix(), n.name): ast.dump(n) for n in tests})
        return out

    def nodeids(self, *args: str) -> list[str]:
        """All tests."""
        return [line for line in self.pytest(*args, "--collect-only").stdout.splitlines() if "::" in line]


def measure(bench: Bench, victims: Sequence[str], runs: int, orders: Sequence[int]) -> dict[str, object]:
    """All counts of one project."""
    more = bench.project.args
    before = set().union(*(bench.failing(*more, order=o) for o in orders))
    always = bench.failing(*more)
    texts, tests = bench.functions(), bench.nodeids(*more)
    report = bench.root.parent / f"{bench.root.name}.json"
    report.unlink(missing_ok=True)
    began = time.perf_counter()
    cache = ["-o", f"heal_cache_dir={bench.root.parent / (bench.root.name + '.cache')}", "-o", "heal_budget=600"]
    done = bench.pytest(*more, f"--heal-flaky={runs}", "--heal-apply=all", f"--heal-json={report}", *cache, "-vv", healer=True, timeout=1500)
    seconds = time.perf_counter() - began
    (bench.root.parent / f"{bench.root.name}.log").write_text(done.stdout + done.stderr)
    results = json.loads(report.read_text())["results"] if report.exists() else []
    flaky = {r["test_id"] for r in results if (r.get("diagnosis") or {}).get("cause") == "flaky"}
    flaky |= {n for r in results if r["success"] for n in r["nodeids"]}
    named = {n for r in results if any(e["kind"] == "experiment" and " after " in e["sentence"] for e in r["evidence"]) for n in r["nodeids"]}
    healed = {n for r in results if r["decision"]["kind"] == "applied" for n in r["nodeids"]}
    after = {o: bench.failing(*more, order=o) for o in orders}
    alone = {n for n in healed if not bench.failing(n)}
    broken = set().union(*after.values()) - before - always
    broken |= bench.failing(*more) - always
    new = bench.functions()
    edited = [n for n in tests if texts.get(key := (n.partition("::")[0], n.rpartition("::")[2].partition("[")[0])) != new.get(key)]
    # what passed alone as it was is not known any more for all: a test that was edited has to, unless it never passed
    broken |= {n for n in edited if n not in always and bench.failing(n)}
    verified = {n for n in healed if n in alone and not any(n in failed for failed in after.values())} if not broken else set()
    listed = set(victims)
    return {
        "project": bench.root.name,
        "listed": len(listed),
        "fail in these orders": len(before - always),
        "found": len(flaky),
        "found of the list": len(flaky & listed),
        "named": len(named),
        "healed": len(healed),
        "verified": len(verified),
        "verified of the list": len(verified & listed),
        "newly failing": len(broken),
        "always failing": len(always),
        "seconds": round(seconds, 1),
        "heals": sorted({f"{r['tactic']}: {r['explanation']}"[:200] for r in results if r["decision"]["kind"] == "applied"}),
        "not healed": sorted({f"{r['test_id']}: {r['advice'] or r['decision']['rule']}"[:300] for r in results if not r["success"]}),
        "not verified": sorted(healed - verified),
    }


def main() -> int:
    """Run the projects and print one table; the whole result goes to ``--work``/flaky.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--list", type=Path, required=True, help="CSV with slug, sha, test, category")
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    with given.list.open(newline="", encoding="utf-8") as f:
        rows = [r for r in csv.DictReader(f) if r["def_present"] == "True"]
    out = []
    for project in PROJECTS:
        for sha in dict.fromkeys(r["sha"] for r in rows if r["slug"] == project.slug):
            if given.only and given.only not in f"{project.slug}-{sha}":
                continue
            victims = [r["test"] for r in rows if r["slug"] == project.slug and r["sha"] == sha]
            try:
                found = measure(Bench(project, sha, given.mirrors, given.work.resolve()), victims, given.runs, range(101, 113))
            except (subprocess.SubprocessError, OSError) as exc:
                found = {"project": f"{project.slug}-{sha[:7]}", "problem": f"{type(exc).__name__}: {exc}"[:300]}
            out.append(found)
            print(json.dumps(found, indent=1), flush=True)
            (given.work / "flaky.json").write_text(json.dumps(out, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
