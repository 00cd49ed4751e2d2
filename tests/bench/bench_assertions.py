"""What developers did to tests when they changed the product: how often the healer comes to the same edit, or to one that passes.

    python tests/bench/bench_assertions.py EDITS.json --mirrors DIR --work DIR [--only NAME] [--per-project N] [--out FILE]

``EDITS.json`` lists test functions that a developer changed together with the product: ``repo``, ``commit``, ``parent``, ``file``, ``test``, ``kind``
(``literal``: only literals differ; ``assert-only``: only assert statements differ). ``--mirrors`` holds one git repository with its history per
project (``owner+name/repo``); nothing of them is kept in this project. A case is the commit's tree with the parent's version of the test file,
committed on top of the parent under the developer's own message; the developer's version is in no commit that the healer sees. It counts as

* *reproduced* when the parent's test fails there and the developer's version passes, on this interpreter and with the requirements named below,
* *exact* when, after ``--heal-apply=all``, the test function has the same syntax tree as the developer's version,
* *plausible* when it passes without the healer, and is another edit,
* *not healed* otherwise; *pending* tells how many of those have an edit on offer.

Exits with 1 when a file other than a test was changed.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_flaky import SHIM

HERE = Path(__file__).resolve().parents[2]
#: What has to be installed with each project. A project that is not named needs nothing but pytest.
NEEDS: dict[str, tuple[str, ...]] = {
    "asottile/pyupgrade": ("tokenize-rt",),
    "deshaw/pyflyby": ("ipython", "pexpect", "pyflakes", "six", "requests", "black", "isort", "setuptools<70", "toml", "flaky"),
    "lyz-code/autoimport": ("autoflake", "pyprojroot", "pyflakes", "click", "sh<2", "toml", "tomli", "xdg", "maison<2", "pydantic<2"),
    "bndr/pipreqs": ("docopt", "yarg", "requests", "setuptools<70"),
    "friendly-traceback/friendly-traceback": ("asttokens", "pure_eval", "executing", "stack_data"),
    "santoshphilip/eppy": ("munch", "beautifulsoup4", "tinynumpy", "decorator", "six", "transforms3d", "numpy", "setuptools<70", "mock"),
    "python-odin/odinweb": ("odin<2", "pytest-mock", "mock", "PyJWT<2", "setuptools<70", "msgpack"),
    "marshmallow-code/flask-smorest": (
        "flask<2", "werkzeug<2", "marshmallow>=3,<3.6", "webargs>=6,<6.2", "apispec>=3,<4", "jinja2<3", "markupsafe<2.1", "itsdangerous<2.1",
        "setuptools<70", "pyyaml",
    ),
    "spulec/freezegun": ("python-dateutil", "mock", "six", "setuptools<70"),
}  # fmt: skip
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "core.hooksPath=", "-c", "safe.directory=*")


@dataclass(frozen=True)
class Edit:
    """The tests that one commit changed in one file."""

    repo: str
    commit: str
    parent: str
    file: str
    tests: tuple[tuple[str, str], ...]  # (name, kind)


class Project:
    """A clone, its environment, and pytest in it."""

    def __init__(self, slug: str, mirrors: Path, work: Path) -> None:
        name = slug.rpartition("/")[2]
        self.root = work / "projects" / name
        self.cache = work / "cache" / name
        self.python = work / "venvs" / name / "bin" / "python"
        self.tools = work / "tools"
        self.tools.mkdir(parents=True, exist_ok=True)
        (self.tools / "bench_shim.py").write_text(SHIM, encoding="utf-8")
        (self.tools / "empty.ini").write_text("[pytest]\n", encoding="utf-8")
        mirror = mirrors / slug.replace("/", "+") / "repo"
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["git", *IDENTITY, "clone", "-q", "--shared", "--no-checkout", str(mirror), str(self.root)], check=True)
        self.git("remote", "remove", "origin")
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(self.python.parents[1])], check=True)
            needs = ["pytest", "pytest-rerunfailures", "-e", str(HERE), *NEEDS.get(slug, ())]
            subprocess.run([str(self.python), "-m", "pip", "install", "-q", *needs], check=True)

    def git(self, *args: str) -> str:
        """The output of a git command."""
        return subprocess.run(["git", *IDENTITY, *args], cwd=self.root, check=True, capture_output=True, text=True, errors="replace").stdout

    def lay(self, edit: Edit) -> str:
        """The commit's tree with the parent's version of the test file; returns the developer's version of it."""
        self.git("checkout", "-q", "-f", "--detach", edit.parent)
        self.git("clean", "-qfdx")
        self.git("read-tree", "-u", "--reset", edit.commit)
        theirs = (self.root / edit.file).read_text(encoding="utf-8")
        self.git("checkout", edit.parent, "--", edit.file)
        self.git("commit", "-q", "--allow-empty", "--no-verify", "-m", self.git("log", "-1", "--format=%B", edit.commit))
        return theirs

    def pytest(self, *args: str, healer: bool = False) -> str:
        """The output of one run of pytest."""
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        env["PYTHONPATH"] = os.pathsep.join(
            [str(self.tools), *(str(self.root / sub) for sub in (".", "src", "lib/python")), os.environ.get("PYTHONPATH", "")]
        )
        for name in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS"):
            env.pop(name, None)
        plugins = ["-p", "bench_shim", "-p", "no:cacheprovider", *(() if healer else ("-p", "no:maestro_healer"))]
        setup = self.root / "setup.cfg"
        if setup.exists() and "[pytest]" in setup.read_text(encoding="utf-8", errors="replace"):
            plugins += ["-c", str(self.tools / "empty.ini"), "--rootdir", str(self.root)]
        try:
            run = subprocess.run(
                [str(self.python), "-m", "pytest", "-q", "-o", "addopts=", *plugins, *args],
                cwd=self.root, env=env, capture_output=True, text=True, errors="replace", timeout=100, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return ""
        return run.stdout

    def passing(self, edit: Edit) -> set[str]:
        """The tests of an edit that pass, every parameter set of them."""
        good: dict[str, bool] = {}
        for line in self.pytest("-rA", "--tb=no", *(f"{edit.file}::{t}" for t, _ in edit.tests)).splitlines():
            word, _, rest = line.partition(" ")
            if word in ("PASSED", "FAILED", "ERROR") and "::" in rest:
                name = rest.partition("::")[2].partition(" - ")[0].partition("[")[0].strip()
                good[name] = good.get(name, True) and word == "PASSED"
        return {name for name, passed in good.items() if passed}


def function(source: str, name: str) -> str:
    """The syntax tree of one test function (``Class::method``) as text; ``""`` where there is none or the file does not parse."""
    try:
        body: Sequence[ast.stmt] = ast.parse(source).body
    except SyntaxError:
        return ""
    for part in name.split("::"):
        found = next((s for s in body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and s.name == part), None)
        if found is None:
            return ""
        body = found.body
    return ast.dump(found) if found is not None else ""


def judge(project: Project, edit: Edit) -> list[dict[str, object]]:
    """One row for each test of an edit."""
    try:
        theirs = project.lay(edit)
    except (subprocess.CalledProcessError, OSError, UnicodeError) as exc:
        return [_row(edit, test, kind, "no such tree", str(exc)[:100]) for test, kind in edit.tests]
    path = project.root / edit.file
    ours = path.read_bytes()
    path.write_text(theirs, encoding="utf-8")
    wanted = project.passing(edit)
    path.write_bytes(ours)
    before = project.passing(edit)
    left = [(t, k) for t, k in edit.tests if t in wanted and t not in before]
    rows = [
        _row(edit, t, k, "not reproduced", "the developer's version fails here" if t not in wanted else "the old version passes")
        for t, k in edit.tests
        if (t, k) not in left
    ]
    if left:
        rows += _healed(project, edit, left, theirs)
    return rows


def _healed(project: Project, edit: Edit, left: Sequence[tuple[str, str]], theirs: str) -> list[dict[str, object]]:
    report = project.root.parent / f"{project.root.name}.json"
    report.unlink(missing_ok=True)
    began = time.perf_counter()
    nodeids = [f"{edit.file}::{t}" for t, _ in left]
    settings = ["--heal", "--heal-apply=all", f"--heal-json={report}", "-o", f"heal_cache_dir={project.cache}"]
    project.pytest(*settings, *nodeids, healer=True)
    seconds = (time.perf_counter() - began) / len(left)
    results = json.loads(report.read_text(encoding="utf-8"))["results"] if report.exists() else []
    now = (project.root / edit.file).read_text(encoding="utf-8", errors="replace")
    passes = project.passing(edit)
    changed = [line[3:] for line in project.git("status", "--porcelain", "--untracked-files=no").splitlines()]
    foreign = [p for p in changed if "test" not in p]
    rows = []
    for test, kind in left:
        mine = [r for r in results if any(n.partition("::")[2].partition("[")[0] == test for n in (r["nodeids"] or [r["test_id"]]))]
        why = "; ".join(
            sorted({str((r.get("decision") or {}).get("reason", "")) for r in mine if (r.get("decision") or {}).get("kind") != "applied"})
        )
        offered = any((r.get("decision") or {}).get("kind") == "pending" for r in mine)
        same = function(now, test) == function(theirs, test) != ""
        outcome = "exact" if same and test in passes else "plausible" if test in passes else "pending" if offered else "not healed"
        rows.append({**_row(edit, test, kind, outcome, why[:300]), "seconds": round(seconds, 2), "foreign": foreign})
    return rows


def _row(edit: Edit, test: str, kind: str, outcome: str, why: str) -> dict[str, object]:
    return {"repo": edit.repo, "commit": edit.commit, "file": edit.file, "test": test, "kind": kind, "outcome": outcome, "why": why}


def edits(manifest: Path) -> dict[str, list[Edit]]:
    """The edits of a list by project."""
    grouped: dict[tuple[str, str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for entry in json.loads(manifest.read_text(encoding="utf-8")):
        grouped[(entry["repo"], entry["commit"], entry["parent"], entry["file"])].append((entry["test"], entry["kind"]))
    out: dict[str, list[Edit]] = defaultdict(list)
    for (repo, commit, parent, file), tests in grouped.items():
        out[repo].append(Edit(repo, commit, parent, file, tuple(tests)))
    return out


def table(rows: Sequence[dict[str, object]]) -> str:
    """Counts by project and by kind."""
    heads = ("exact", "plausible", "pending", "not healed")
    lines = ["| project | tests | reproduced | " + " | ".join(heads) + " |", "| --- " * 7 + "|"]
    for key in ("repo", "kind", ""):
        for name in sorted({str(r[key]) for r in rows}) if key else ["all"]:
            share = [r for r in rows if not key or r[key] == name]
            counts = Counter(str(r["outcome"]) for r in share)
            lines.append(f"| {name} | {len(share)} | {sum(counts[h] for h in heads)} | " + " | ".join(str(counts[h]) for h in heads) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="", help="projects, comma-separated")
    parser.add_argument("--commits", default="", help="beginnings of commits, comma-separated")
    parser.add_argument("--per-project", type=int, default=0, help="so many edits of each project, chosen by a fixed seed")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for slug, wanted in sorted(edits(options.manifest).items()):
        if options.only and not any(word in slug for word in options.only.split(",")):
            continue
        if options.commits:
            wanted = [e for e in wanted if e.commit.startswith(tuple(options.commits.split(",")))]
        if options.per_project and len(wanted) > options.per_project:
            wanted = random.Random(1).sample(wanted, options.per_project)
        if not wanted:
            continue
        project = Project(slug, options.mirrors.resolve(), options.work.resolve())
        for edit in wanted:
            for row in judge(project, edit):
                rows.append(row)
                if row["outcome"] not in ("not reproduced", "no such tree"):
                    print(
                        f"{slug:34} {edit.commit[:8]} {row['kind']:11} {row['test']:50} {row['outcome']:10} {row.get('seconds', '')} {row['why']}",
                        flush=True,
                    )
            if options.out:
                options.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print("\n" + table(rows))
    foreign = [r for r in rows if r.get("foreign")]
    print(f"\nfiles other than tests changed: {len(foreign)}")
    return 1 if foreign or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
