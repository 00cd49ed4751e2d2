"""How well calls of changed library APIs are repaired: the public benchmark PCBench, scored by what each argument binds to.

    python tests/bench/bench_pcbench.py CHECKOUT --work FOLDER [--libraries httpx,flask] [--per-api 5] [--out FILE]

``CHECKOUT`` is a clone of github.com/PCART-tools/PCBench (AGPL: it is read where it lies, nothing of it is copied into this
project) or its bare git folder. Each case that is labelled incompatible becomes a test; it must pass with the old release and fail
with the new one on this interpreter, else it is left out. Then the healer runs with the new release installed. A repair counts as
precise only if every argument binds to the parameter that it bound to before, or to one that took its place: the old parameter
is gone and the new one is new; where as many are new as are gone, they correspond in their order. An argument left out counts only
if its parameter is gone.
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pcbench_releases import AGED, needs

#: Pure Python, and installable with pip on today's interpreters.
LIBRARIES = "click,django,fastapi,flask,httpx,loguru,networkx"
_CASE = re.compile(r"^Benchmark/(\w+)/([^/]+)@([\w.]+)-([\w.]+)/([^/]+#\d+NN)/[^/]+\.py$")
_INSTALL_SECONDS, _TEST_SECONDS = 300, 120
_ROOT = Path(__file__).resolve().parents[2]
#: Run in the environment of a release: the callees of a script and their parameters.
_PROBE = """
import inspect, json, sys
space = {'__name__': 'probe'}
out = []
for statement, callees in json.load(sys.stdin):
    for callee in callees:
        try:
            found = inspect.signature(eval(callee, space)).parameters.values()
        except Exception:
            continue
        out.append([callee, [[p.name, p.kind.name] for p in found]])
    try:
        exec(statement, space)
    except BaseException:
        break
print()
print(json.dumps(out))
"""


@dataclass(frozen=True)
class Case:
    """One incompatible call: its library, API, releases, script and the data files beside it."""

    library: str
    api: str
    old: str
    new: str
    name: str
    script: str
    data: dict[str, bytes] = field(default_factory=dict)


def cases(checkout: Path, libraries: Sequence[str], per_api: int) -> Iterator[Case]:
    """The incompatible cases of a checkout or of a bare git folder, at most ``per_api`` for each changed API."""
    bare = not (checkout / "Benchmark").is_dir()
    git = ["git", f"--git-dir={checkout}"] if bare else ["git", "-C", str(checkout)]
    taken: Counter[str] = Counter()
    listed = subprocess.run([*git, "ls-tree", "-r", "--name-only", "HEAD", "Benchmark"], capture_output=True, text=True, check=True).stdout
    paths = listed.splitlines()
    for path in paths:
        m = _CASE.match(path)
        if m is None or m[1] not in libraries or taken[m[2] + m[4]] >= per_api:
            continue
        taken[m[2] + m[4]] += 1
        folder = path.rpartition("/")[0] + "/"
        found = {
            p.removeprefix(folder): subprocess.run([*git, "show", f"HEAD:{p}"], capture_output=True, check=True).stdout
            for p in paths
            if p.startswith(folder)
        }
        script = found.pop(path.removeprefix(folder)).decode()
        yield Case(m[1], m[2], m[3], m[4], m[5], script, found)


def as_test(script: str) -> str:
    """The script as one test: imports stay at the top, the rest is the body."""
    tree = ast.parse(script)
    top = [s for s in tree.body if isinstance(s, (ast.Import, ast.ImportFrom))]
    rest = [s for s in tree.body if s not in top]
    body = ast.unparse(ast.Module(rest, [])).splitlines()
    return "\n".join([*(ast.unparse(s) for s in top), "", "", "def test_case():", *(f"    {line}" for line in body), ""])


def as_script(test: str) -> str:
    """The statements of a test file in the order in which they run."""
    out: list[ast.stmt] = []
    for stmt in ast.parse(test).body:
        out += stmt.body if isinstance(stmt, ast.FunctionDef) else [stmt]
    return ast.unparse(ast.Module(out, []))


class Environments:
    """One venv per release, made when it is asked for."""

    def __init__(self, work: Path, product: Path, python: str, older: Sequence[str]) -> None:
        self.work = work
        self.product = product
        self.interpreter = python
        self.older = tuple(older)

    def healing(self, library: str, release: str) -> str:
        """The interpreter of a venv with that release and the healer; ``""`` where there can be none."""
        return self._made(library, release, self.interpreter, healer=True)

    def plain(self, library: str, release: str) -> Iterator[str]:
        """Interpreters of venvs with that release: of the same Python as the healer's, then of the older ones."""
        for interpreter in (self.interpreter, *self.older):
            python = self._made(library, release, interpreter, healer=False)
            if python:
                yield python

    def why_not(self, library: str, release: str) -> str:
        """Why the last attempt to install a release with the healer failed."""
        log = self._folder(library, release, self.interpreter, healer=True) / "why"
        return log.read_text() if log.exists() else ""

    def _folder(self, library: str, release: str, interpreter: str, *, healer: bool) -> Path:
        return self.work / "envs" / f"{library}-{release}-{Path(interpreter).parent.parent.name}{'-healer' if healer else ''}"

    def _made(self, library: str, release: str, interpreter: str, *, healer: bool) -> str:
        folder = self._folder(library, release, interpreter, healer=healer)
        python = folder / "bin" / "python"
        if not (folder / "ready").exists():
            if folder.exists():
                return ""
            subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
            problem = self._install(python, library, release, healer=healer)
            (folder / ("why" if problem else "ready")).write_text(problem)
            if problem:
                return ""
        return str(python)

    def _install(self, python: Path, library: str, release: str, *, healer: bool) -> str:
        """Install a release and what it needs; ``""``, or why that is not possible."""
        rules = list(needs(library, release))
        build = [b for rule in rules for b in rule.build]
        wanted = [f"{library}=={release}", *(r for rule in rules for r in rule.requirements)]
        steps = [["pip", "install", "-q", "pip<22"]] if "3.6" in str(python) else []  # what comes with it overlooks requires-python
        steps += [
            [
                "pip",
                "install",
                "-q",
                "--prefer-binary",
                "pytest<7.1" if "-3.6" in str(python) else "pytest",
                "wheel",
                *(["-e", str(self.product)] if healer else []),
            ]
        ]
        steps += [["pip", "install", "-q", "--prefer-binary", *build]] if build else []
        steps += [["pip", "install", "-q", "--prefer-binary", *(["--no-build-isolation"] if build else []), *wanted]]
        for rule in rules:
            if rule.aged:
                site = next(python.parent.parent.glob("lib/python*/site-packages"))
                (site / "aged_names.py").write_text(AGED)
                (site / "zz_aged_start.pth").write_text(f"import os; exec({rule.start!r}) if os.environ.get('PCBENCH_RUN') else None\n")
                (site / "aged_names.pth").write_text("import aged_names\n")
        env = environ(library, release)
        for step in [*steps, ["-c", f"import {library}"]]:
            command = [str(python), *(["-m"] if step[0] == "pip" else []), *step]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, env=env)
            except subprocess.TimeoutExpired:
                return f"more than {_INSTALL_SECONDS} s"
            if done.returncode:
                said = [line for line in done.stderr.splitlines() if "rror" in line] or done.stderr.splitlines() or ["?"]
                return said[-1].strip()[:200]
        return ""


def environ(library: str, release: str) -> dict[str, str]:
    """The variables under which a release is installed and runs."""
    more = {name: value for rule in needs(library, release) for name, value in rule.environ.items()}
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg", "PCBENCH_RUN": "1", **more}


def failure(python: str, folder: Path, env: dict[str, str]) -> str:
    """How the test fails in an environment, ``""`` if it passes."""
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:maestro_healer", "test_case.py"]
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=_TEST_SECONDS)
    except subprocess.TimeoutExpired:
        return f"more than {_TEST_SECONDS} s"
    if done.returncode == 0:
        return ""
    said = [line[1:].strip() for line in done.stdout.splitlines() if line.startswith("E  ")]
    errors = [line for line in said if re.match(r"[\w.]*(Error|Exception|Warning|Timeout|Exit|Refused)\b", line)]
    return (errors or said or done.stdout.splitlines() or ["?"])[-1][:200]


def signatures(python: str, script: str, folder: Path, env: dict[str, str]) -> dict[str, list[list[str]]]:
    """The parameters of every callee of a script, as one release has them."""
    steps = [[ast.unparse(s), [ast.unparse(n.func) for n in ast.walk(s) if isinstance(n, ast.Call)]] for s in ast.parse(script).body]
    given = json.dumps(steps)
    run = subprocess.run([python, "-c", _PROBE], input=given, capture_output=True, text=True, timeout=_TEST_SECONDS, cwd=folder, env=env)
    try:
        return dict(json.loads(run.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        return {}


class _Outline(ast.NodeTransformer):
    """Calls inside an argument stand for themselves: what changed within them is judged on its own."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """The callee with an ellipsis."""
        return ast.Call(node.func, [ast.Constant(...)], [])


def outline(node: ast.expr) -> str:
    """An argument's text, with ``f(...)`` for the calls in it."""
    return ast.unparse(_Outline().visit(copy.deepcopy(node)))


def _written(call: ast.Call) -> list[str]:
    return [*map(outline, call.args), *(f"{k.arg}={outline(k.value)}" for k in call.keywords)]


def bound(call: ast.Call, params: list[list[str]]) -> list[tuple[str, str]]:
    """(parameter, value) of a call's arguments."""
    slots = [name for name, kind in params if kind in ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD")]
    out = [(slots[i] if i < len(slots) else f"*{i}", outline(a)) for i, a in enumerate(call.args)]
    return out + [(k.arg or "**", outline(k.value)) for k in call.keywords]


def precise(before: str, after: str, old: dict[str, list[list[str]]], new: dict[str, list[list[str]]]) -> str:
    """``""`` if every argument of every changed call still means what it meant, else what is wrong."""
    was = [n for n in ast.walk(ast.parse(before)) if isinstance(n, ast.Call)]
    now = [n for n in ast.walk(ast.parse(after)) if isinstance(n, ast.Call)]
    if len(was) != len(now) or any(outline(a.func) != outline(b.func) for a, b in zip(was, now, strict=True)):
        return "more than the arguments changed"
    changed = [(a, b) for a, b in zip(was, now, strict=True) if _written(a) != _written(b)]
    if not changed:
        return "more than the arguments changed"
    for a, b in changed:
        one, two = old.get(ast.unparse(a.func)), new.get(ast.unparse(b.func))
        if one is None or two is None:
            return "no signature to compare with"
        old_names, new_names = {p[0] for p in one}, {p[0] for p in two}
        gone, came = [p[0] for p in one if p[0] not in new_names], [p[0] for p in two if p[0] not in old_names]
        heirs = dict(zip(gone, came, strict=True)) if len(gone) == len(came) else {}
        left = bound(b, two)
        rest = []
        for name, value in bound(a, one):
            if (name, value) in left:
                left.remove((name, value))
            else:
                rest.append((name, value))
        for name, value in rest:
            if name in new_names:
                return f"{name} still exists and no longer gets {value}"
            heir = next(((n, v) for n, v in left if v == value and n not in old_names and heirs.get(name, n) == n), None)
            if heir is not None:
                left.remove(heir)
        if left:
            return f"{left[0][0]}={left[0][1]} was not passed before"
    return ""


@dataclass
class Result:
    """What came of one case."""

    outcome: str
    detail: str = ""
    error: str = ""
    old_python: str = ""
    call: str = ""


def lay_out(case: Case, folder: Path) -> str:
    """A git repository with the case as a test, and the upgrade as its last commit; returns the test's text."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    test = as_test(case.script)
    (folder / "test_case.py").write_text(test)
    for name, content in case.data.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    for release in (case.old, case.new):
        (folder / "requirements.txt").write_text(f"{case.library}=={release}\n")
        subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
        subprocess.run(["git", *identity, "commit", "-q", "-m", f"{case.library} {release}"], cwd=folder, check=True)
    return test


def run(case: Case, environments: Environments, work: Path) -> Result:
    """What comes of one case."""
    new = environments.healing(case.library, case.new)
    if not new:
        return Result("not installable", f"{case.new}: {environments.why_not(case.library, case.new)}")
    folder = work / "case"
    test = lay_out(case, folder)
    before_env, after_env = environ(case.library, case.old), environ(case.library, case.new)
    error = failure(new, folder, after_env)
    if not error:
        return Result("not reproduced", "passes with the new release")
    old, why = "", "cannot be installed"
    for python in environments.plain(case.library, case.old):
        why = failure(python, folder, before_env)
        if not why:
            old = python
            break
    if not old:
        return Result("not reproduced", f"fails with the old release too: {why}", error)
    other = Path(old).parents[1].name.rpartition("-")[2]
    result = Result("no heal", "", error, other if other != Path(environments.interpreter).parents[1].name else "")
    if result.old_python and not re.search(r"argument|attribute|parameter|property|keyword", error):
        result.outcome, result.detail = "not reproduced", "the interpreter may be the cause"
        return result
    options = ["--heal", "-vv", "--heal-apply=all"]
    command = [new, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_case.py"]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env=after_env)
    log = work / "logs" / f"{case.library}-{case.new}-{case.name}.txt"
    log.parent.mkdir(exist_ok=True)
    log.write_text(f"{test}\n{said.stdout}\n{said.stderr}")
    healed = (folder / "test_case.py").read_text()
    if healed == test:
        return result
    result.call = "\n".join(d for d in difflib.unified_diff(test.splitlines(), healed.splitlines(), n=0, lineterm="") if d[:3] not in ("---", "+++"))
    if failure(new, folder, after_env):
        result.outcome = "healed, still fails"
        return result
    before, after = as_script(test), as_script(healed)
    result.detail = precise(before, after, signatures(old, before, folder, before_env), signatures(new, after, folder, after_env))
    result.outcome = "imprecise" if result.detail else "precise"
    return result


#: The columns of the table.
OUTCOMES = ("not installable", "not reproduced", "no heal", "healed, still fails", "imprecise", "precise")


def table(records: Sequence[dict[str, Any]], by: str) -> list[str]:
    """A Markdown table of the outcomes, one row for each value of ``by`` (library or api) and one for all."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for r in records:
        rows[r["library"] if by == "library" else f"{r['api']} {r['old']} > {r['new']}"][r["outcome"]] += 1
        rows["all"][r["outcome"]] += 1
    rows["all"] = rows.pop("all", Counter())
    out = [f"| {by} | tried | {' | '.join(OUTCOMES)} |", "| --- " * (len(OUTCOMES) + 2) + "|"]
    for name, counts in rows.items():
        out.append(f"| {name} | {sum(counts.values())} | {' | '.join(str(counts[o]) for o in OUTCOMES)} |")
    return out


def by_api(records: Sequence[dict[str, Any]]) -> tuple[int, float, float]:
    """(APIs with a reproduced case, mean share of healed cases, mean share of precise repairs among the cases): every API counts the same."""
    apis: dict[str, list[str]] = defaultdict(list)
    for r in records:
        if r["outcome"] not in ("not installable", "not reproduced"):
            apis[f"{r['api']}@{r['new']}"].append(r["outcome"])
    healed = [sum(o != "no heal" for o in found) / len(found) for found in apis.values()]
    right = [sum(o == "precise" for o in found) / len(found) for found in apis.values()]
    return len(apis), sum(healed) / max(len(apis), 1), sum(right) / max(len(apis), 1)


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--libraries", default=LIBRARIES)
    parser.add_argument("--per-api", type=int, default=5)
    parser.add_argument("--only", default="", help="a part of the API's name")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the new release and of the healer, >= 3.10")
    parser.add_argument(
        "--older", action="append", default=[], help="an interpreter for old releases that do not run under --python; may be repeated"
    )
    parser.add_argument("--product", type=Path, default=_ROOT)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    work = args.work.resolve()
    environments = Environments(work, args.product, args.python, args.older)
    records: list[dict[str, Any]] = []
    for case in cases(args.checkout, args.libraries.split(","), args.per_api):
        if args.only not in case.api:
            continue
        start = time.perf_counter()
        result = run(case, environments, work)
        row = {"library": case.library, "api": case.api, "old": case.old, "new": case.new, "case": case.name, **asdict(result)}
        records.append({**row, "seconds": round(time.perf_counter() - start, 1)})
        print(f"{case.library:10} {case.name:45} {result.outcome} {result.detail} [{result.error}] {result.old_python}", flush=True)
        if args.out:
            args.out.write_text(json.dumps(records, indent=1))
    print("\n".join([*table(records, "library"), "", *table(records, "api")]))
    total = Counter(r["outcome"] for r in records)
    healed = total["precise"] + total["imprecise"] + total["healed, still fails"]
    print(f"{healed + total['no heal']} cases reproduced, {healed} healed, {total['precise']} of them precisely")
    print("{} APIs; each the same weight: {:.0%} healed, {:.0%} precisely".format(*by_api(records)))


if __name__ == "__main__":
    main()
