"""How well calls of changed library APIs are repaired: the public benchmark PCBench, scored by what each argument binds to.

    python tests/bench/bench_pcbench.py CHECKOUT --work FOLDER [--libraries httpx,flask] [--per-api 5] [--out FILE]

``CHECKOUT`` is a clone of github.com/PCART-tools/PCBench (AGPL: it is read where it lies, nothing of it is copied into this
project) or its bare git folder. Each case that is labelled incompatible becomes a test; it must pass with the old release and fail
with the new one on this interpreter, else it is left out. Then the healer runs with the new release installed. A repair counts as
precise only if every argument binds to the parameter that it bound to before, or to one that took its place: the old parameter
is gone and the new one is new. An argument left out counts only if its parameter is gone.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Pure Python, and installable with pip on today's interpreters.
LIBRARIES = "click,django,fastapi,flask,httpx,loguru,networkx"
_CASE = re.compile(r"^Benchmark/(\w+)/([^/]+)@([\w.]+)-([\w.]+)/([^/]+#\d+NN)/[^/]+\.py$")
_ROOT = Path(__file__).resolve().parents[2]
#: Run in the environment of a release: the callees of a script and their parameters.
_PROBE = """
import ast, inspect, json, sys
source = sys.stdin.read()
tree = ast.parse(source)
space = {'__name__': 'probe'}
out = []
for stmt in tree.body:
    for call in [n for n in ast.walk(stmt) if isinstance(n, ast.Call)]:
        try:
            f = eval(compile(ast.Expression(call.func), 'x', 'eval'), space)
            params = [[p.name, p.kind.name] for p in inspect.signature(f).parameters.values()]
        except Exception:
            params = None
        out.append([ast.unparse(call.func), params])
    try:
        exec(compile(ast.Module([stmt], []), 'x', 'exec'), space)
    except BaseException:
        break
print(json.dumps(out))
"""


@dataclass(frozen=True)
class Case:
    """One incompatible call: its library, API, releases and script."""

    library: str
    api: str
    old: str
    new: str
    name: str
    script: str


def cases(checkout: Path, libraries: Sequence[str], per_api: int) -> Iterator[Case]:
    """The incompatible cases of a checkout or of a bare git folder, at most ``per_api`` for each changed API."""
    bare = not (checkout / "Benchmark").is_dir()
    git = ["git", f"--git-dir={checkout}"] if bare else ["git", "-C", str(checkout)]
    taken: Counter[str] = Counter()
    listed = subprocess.run([*git, "ls-tree", "-r", "--name-only", "HEAD", "Benchmark"], capture_output=True, text=True, check=True).stdout
    for path in listed.splitlines():
        m = _CASE.match(path)
        if m is None or m[1] not in libraries or taken[m[2] + m[4]] >= per_api:
            continue
        taken[m[2] + m[4]] += 1
        script = subprocess.run([*git, "show", f"HEAD:{path}"], capture_output=True, text=True, check=True).stdout
        yield Case(m[1], m[2], m[3], m[4], m[5], script)


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

    def __init__(self, work: Path, product: Path) -> None:
        self.work = work
        self.product = product

    def python(self, library: str, version: str, *, healer: bool) -> str:
        """The interpreter of a venv with that release; ``""`` where it cannot be installed or imported."""
        folder = self.work / "envs" / f"{library}-{version}{'-healer' if healer else ''}"
        python = folder / "bin" / "python"
        if not (folder / "ready").exists():
            if folder.exists():
                return ""
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            wanted = [f"{library}=={version}", "pytest", *self._fitting(library, version)] + ([str(self.product)] if healer else [])
            made = subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], capture_output=True, text=True)
            if made.returncode or subprocess.run([str(python), "-c", f"import {library}"], capture_output=True).returncode:
                return ""
            (folder / "ready").write_text("")
        return str(python)

    def _fitting(self, library: str, version: str) -> list[str]:
        """What an old release needs and does not pin itself."""
        if library == "flask" and version < "2.3":
            return ["werkzeug<3"]
        if library == "fastapi":
            return ["pydantic<2"]
        return []


def passes(python: str, folder: Path) -> bool:
    """Whether the test passes in an environment."""
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:maestro_healer", "test_case.py"]
    try:
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=120).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def signatures(python: str, script: str) -> dict[str, list[list[str]]]:
    """The parameters of every callee of a script, as one release has them."""
    run = subprocess.run([python, "-c", _PROBE], input=script, capture_output=True, text=True, timeout=120)
    try:
        return {name: params for name, params in json.loads(run.stdout.splitlines()[-1]) if params is not None}
    except (IndexError, ValueError):
        return {}


def bound(call: ast.Call, params: list[list[str]]) -> list[tuple[str, str]]:
    """(parameter, value) of a call's arguments."""
    slots = [name for name, kind in params if kind in ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD")]
    out = [(slots[i] if i < len(slots) else f"*{i}", ast.unparse(a)) for i, a in enumerate(call.args)]
    return out + [(k.arg or "**", ast.unparse(k.value)) for k in call.keywords]


def precise(before: str, after: str, old: dict[str, list[list[str]]], new: dict[str, list[list[str]]]) -> str:
    """``""`` if every argument of every changed call still means what it meant, else what is wrong."""
    was = [n for n in ast.walk(ast.parse(before)) if isinstance(n, ast.Call)]
    now = [n for n in ast.walk(ast.parse(after)) if isinstance(n, ast.Call)]
    changed = [(a, b) for a, b in zip(was, now, strict=False) if ast.dump(a) != ast.dump(b) and ast.dump(a.func) == ast.dump(b.func)]
    if len(was) != len(now) or not changed:
        return "more than the arguments changed"
    for a, b in changed:
        one, two = old.get(ast.unparse(a.func)), new.get(ast.unparse(b.func))
        if one is None or two is None:
            return "no signature to compare with"
        old_names, new_names = {p[0] for p in one}, {p[0] for p in two}
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
            heir = next(((n, v) for n, v in left if v == value and n not in old_names), None)
            if heir is not None:
                left.remove(heir)
        if any(n in old_names or v not in {x for _, x in rest} for n, v in left):
            return f"{left[0][0]}={left[0][1]} was not passed before"
    return ""


def run(case: Case, environments: Environments, work: Path) -> tuple[str, str]:
    """(outcome, detail) of one case."""
    old = environments.python(case.library, case.old, healer=False)
    new = environments.python(case.library, case.new, healer=True)
    if not old or not new:
        return "not installable", ""
    folder = work / "case"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    test = as_test(case.script)
    for version in (case.old, case.new):
        (folder / "test_case.py").write_text(test)
        (folder / "requirements.txt").write_text(f"{case.library}=={version}\n")
        if version == case.old:
            subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
        subprocess.run(["git", *identity, "commit", "-q", "-m", f"{case.library} {version}"], cwd=folder, check=True)
    if not passes(old, folder) or passes(new, folder):
        return "not reproduced", ""
    command = [new, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--heal", "--heal-apply=all", "test_case.py"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=300)
    healed = (folder / "test_case.py").read_text()
    if healed == test:
        return "no heal", ""
    if not passes(new, folder):
        return "healed, still fails", ""
    before, after = as_script(test), as_script(healed)
    problem = precise(before, after, signatures(old, before), signatures(new, after))
    return ("precise", "") if not problem else ("imprecise", problem)


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--libraries", default=LIBRARIES)
    parser.add_argument("--per-api", type=int, default=5)
    parser.add_argument("--product", type=Path, default=_ROOT)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    environments = Environments(args.work.resolve(), args.product)
    table: dict[str, Counter[str]] = defaultdict(Counter)
    records = []
    for case in cases(args.checkout, args.libraries.split(","), args.per_api):
        start = time.perf_counter()
        outcome, detail = run(case, environments, args.work.resolve())
        table[case.library][outcome] += 1
        records.append({"library": case.library, "case": case.name, "outcome": outcome, "detail": detail, "seconds": time.perf_counter() - start})
        print(f"{case.library:10} {case.name:45} {outcome} {detail}", flush=True)
        if args.out:
            args.out.write_text(json.dumps(records, indent=1))
    for library, counts in table.items():
        print(library, dict(counts))
    total = sum(table.values(), Counter())
    healed = total["precise"] + total["imprecise"] + total["healed, still fails"]
    tried = healed + total["no heal"]
    print(f"{tried} cases reproduced, {healed} healed, {total['precise']} of them precisely")


if __name__ == "__main__":
    main()
