"""A hundred edits under ``maestro-heal watch``: its state must be what ``pytest --heal`` finds, run once, on the same files.

    python tests/bench/bench_watch.py --edits 100 [--seed 1] [--apply none|safe]

A project is made, and a seeded program edits it: tests, product modules, files written in two halves with a pause between them, files that stay
broken, files deleted and brought back. Most edits come while a round runs. Every 20 edits, and at the end, the watch's failing tests, the decisions
about their heals and the healed files are compared with those of one run of pytest on a copy. No heal may ever have been made against half
a file. Prints one JSON document; exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.remote.job import ENV, Job, answer
from tests.watching import QUIET, Watcher, environment, watching, write

#: How often the next edit waits until the watch has caught up.
SHARE = 0.15
SENTINEL = "tests/test_sentinel.py"
#: What a loaded machine must not decide.
PATIENT = ("-o", "heal_timeout=600", "-o", "heal_budget=3600")
_GIT = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false"]


def product(name: str, function: str = "", number: int = 2) -> str:
    """A module with one function and a constant."""
    return f'"""Module {name}."""\n\nFACTOR = {number}\n\n\ndef {function or f"{name}_value"}(x, scale=FACTOR):\n    return x * scale\n'


def test_of(name: str, after: str) -> str:
    """Its test module; ``after`` is another product module that it uses, too."""
    return (
        f"import math\n\nfrom shop import {after}, {name}\n\n\n"
        f"def test_{name}_value():\n    assert {name}.{name}_value(2) == 4\n\n\n"
        f"def test_{name}_root():\n    assert math.isqrt({name}.{name}_value(8)) == 4\n\n\n"
        f"def test_{name}_with_{after}():\n    assert {name}.{name}_value(1) + {after}.{after}_value(1) == 4\n"
    )


NAMES = ["apple", "berry", "cedar", "daisy", "elder", "fern"]


def project(root: Path, modules: int) -> list[str]:
    """Make the project; returns the names of its modules."""
    names = NAMES[:modules]
    files = {"pytest.ini": "[pytest]\npythonpath = .\n", "shop/__init__.py": "", SENTINEL: "def test_sentinel():\n    pass\n"}
    for i, name in enumerate(names):
        files[f"shop/{name}.py"] = product(name)
        files[f"tests/test_{name}.py"] = test_of(name, names[(i + 1) % len(names)])
    write(root, files)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "whole"]):
        subprocess.run([*_GIT, *command], cwd=root, check=True)
    return names


class Editor:
    """Edits the project as its users would; ``whole`` are the hashes of all complete versions of files."""

    def __init__(self, root: Path, names: list[str], seed: int) -> None:
        self.root, self.names, self.random = root, names, random.Random(seed)
        self.pristine = {p.relative_to(root).as_posix(): p.read_text() for p in root.rglob("*.py")}
        self.whole = {sha(text) for text in self.pristine.values()}
        self.kinds: dict[str, int] = {}

    def edit(self) -> str:
        """Make one edit; returns its kind."""
        kind = self.random.choice(["expect", "unimport", "comment", "rename", "factor", "restore", "restore", "halves", "halves", "break", "delete"])
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        name = self.random.choice(self.names)
        test, module = f"tests/test_{name}.py", f"shop/{name}.py"
        getattr(self, f"_{kind}")(name, test, module)
        return kind

    def put(self, path: str, text: str) -> None:
        """Write a whole file in one go."""
        self.whole.add(sha(text))
        write(self.root, {path: text})

    def now(self, path: str) -> str:
        """A file as it is, or was at first."""
        target = self.root / path
        return target.read_text() if target.exists() else self.pristine[path]

    def _expect(self, name: str, test: str, module: str) -> None:
        self.put(test, self.now(test).replace("== 4", f"== {self.random.randint(5, 9)}", 1))

    def _unimport(self, name: str, test: str, module: str) -> None:
        self.put(test, self.now(test).replace("import math\n", "", 1))

    def _comment(self, name: str, test: str, module: str) -> None:
        path = self.random.choice([test, module])
        self.put(path, self.now(path) + f"# {self.random.random()}\n")

    def _rename(self, name: str, test: str, module: str) -> None:
        self.put(module, product(name, f"{name}_total"))

    def _factor(self, name: str, test: str, module: str) -> None:
        self.put(module, product(name, number=self.random.choice([2, 3])))

    def _restore(self, name: str, test: str, module: str) -> None:
        for path in (test, module):
            self.put(path, self.pristine[path])

    def _break(self, name: str, test: str, module: str) -> None:
        self.put(test, self.now(test).replace("():\n", "()\n", 1))

    def _delete(self, name: str, test: str, module: str) -> None:
        (self.root / test).unlink(missing_ok=True)
        time.sleep(self.random.choice([0.0, 0.5]))
        if self.random.random() < 0.7:
            self.put(test, self.pristine[test])

    def _halves(self, name: str, test: str, module: str) -> None:
        path = self.random.choice([test, module])
        text = self.pristine[path] + f"# {self.random.random()}\n"
        self.whole.add(sha(text))
        cut = self.random.randint(1, len(text) - 1)
        target = self.root / path
        with open(target, "w", encoding="utf-8") as out:
            out.write(text[:cut])
            out.flush()
            time.sleep(self.random.uniform(0.0, 0.8))
            out.write(text[cut:])


def sha(text: str) -> str:
    """The hash that heals have."""
    return hashlib.sha256(text.encode()).hexdigest()


class State:
    """What the documents of the watch say, put together."""

    def __init__(self, watch: Watcher) -> None:
        self.watch = watch
        self.heals: dict[str, dict[str, Any]] = {}
        self.failing: dict[str, dict[str, str]] = {}
        self.status: dict[str, int] = {}
        self.seconds: list[float] = []
        self.files: list[int] = []
        self.made_against: set[str] = set()

    def take(self, *status: str) -> dict[str, Any]:
        """The next document."""
        found = self.watch.next(*(status or ("finished", "cancelled", "error")))
        self.status[found["status"]] = self.status.get(found["status"], 0) + 1
        if found["status"] == "finished":
            self.failing = found["failing"]
            self.seconds.append(found["seconds"])
            if found["files"] is not None:
                self.files.append(sum(p.startswith("tests/test_") for p in found["files"]))
        for result in found["results"]:
            self.heals[result["healing_id"]] = result
            if not result["success"]:
                print(f"watch: {result['test_id']}: {result['decision']['rule']}", file=sys.stderr)
            for change in result["changes"]:
                self.made_against.add(change["before_sha256"])
        return found

    def catch_up(self, editor: Editor) -> None:
        """Until all edits so far were looked at."""
        editor.put(SENTINEL, f"def test_sentinel():\n    pass  # {editor.random.random()}\n")
        while SENTINEL not in (found := self.take())["changed"]:
            pass
        while found["status"] != "finished" or any(r["decision"]["kind"] == "applied" for r in found["results"]):
            found = self.take()

    def summary(self) -> dict[str, tuple[str, str]]:
        """Failing test -> (decision, its file as the heal leaves it)."""
        return {n: (h["decision"], edit_of(self.heals[h["heal"]], n) if h["heal"] else "") for n, h in self.failing.items()}


def edit_of(result: dict[str, Any], nodeid: str) -> str:
    """What a heal makes of the test's own file (of all files where it leaves that alone)."""
    changes = {c["path"]: c["after"] for c in result["changes"]}
    return str(changes.get(nodeid.partition("::")[0], sorted(changes.items())))


def once(root: Path, work: Path) -> dict[str, tuple[str, str]]:
    """The same from one run of pytest on a copy."""
    copy = work / "copy" / "project"
    shutil.copytree(root, copy)
    job = Job(copy, (), HealerConfig(), arguments=(*QUIET, *PATIENT), quiet=False)
    out = work / "once"
    out.mkdir()
    env = {**environment(work / "once-cache"), ENV: job.environment(out)[ENV]}
    subprocess.run(job.command(out), cwd=copy, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    seen = answer(out)
    assert seen is not None, "the single run gave no answer"
    shutil.rmtree(copy.parent)
    shutil.rmtree(out)
    found = {}
    for failure in seen.failures:
        last = (seen.heals(failure) or [None])[-1]
        if last is not None and not last.success:
            print(f"{failure.nodeid}: {last.decision.rule}", file=sys.stderr)
        found[failure.nodeid] = (str(last.decision.kind), edit_of(last.to_dict(), failure.nodeid) if last.changes else "") if last else ("", "")
    return found


def compare(mine: dict[str, tuple[str, str]], theirs: dict[str, tuple[str, str]]) -> Iterator[str]:
    """One line for each test that differs."""
    for nodeid in sorted({*mine, *theirs}):
        a, b = mine.get(nodeid), theirs.get(nodeid)
        if a != b:
            what = "edits differ" if a and b and a[0] == b[0] else f"watch {a[0] if a else 'passes'}, once {b[0] if b else 'passes'}"
            yield f"{nodeid}: {what}"
            print(f"-- {nodeid}\nwatch: {a}\nonce: {b}", file=sys.stderr)


def measure(edits: int, seed: int, apply: str, modules: int, every: int, limit: float = 600.0) -> dict[str, Any]:
    """Run the whole thing in a temporary folder."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-watch-") as folder:
        work = Path(folder)
        root = work / "project"
        names = project(root, modules)
        editor = Editor(root, names, seed)
        differences: list[str] = []
        compared = 0
        with watching(root, work / "cache", f"--heal-apply={apply}", *PATIENT, limit=limit) as watch:
            state = State(watch)
            state.take("finished")
            for number in range(1, edits + 1):
                editor.edit()
                time.sleep(editor.random.choice([0.0, 0.1, 0.5, 2.0]))
                if editor.random.random() < SHARE:
                    state.catch_up(editor)
                if number % every == 0 or number == edits:
                    state.catch_up(editor)
                    theirs = once(root, work)
                    differences += [f"after {number} edits: {line}" for line in compare(state.summary(), theirs)]
                    compared += len({*theirs, *state.failing})
            left = watch.stop()
            orphans = watch.family()
        editor.whole |= {hashlib.sha256(c["after"].encode("latin-1")).hexdigest() for r in state.heals.values() for c in r["changes"]}
        return {
            "edits": edits,
            "seed": seed,
            "apply": apply,
            "kinds": editor.kinds,
            "rounds": state.status,
            "test files a round": statistics.median(state.files) if state.files else 0,
            "of": modules + 1,
            "median seconds a round": round(statistics.median(state.seconds), 2),
            "failing tests compared": compared,
            "differences": differences,
            "heals": len(state.heals),
            "heals made against half a file": len(state.made_against - editor.whole),
            "orphans": len(orphans),
            "exit code": left,
            "seconds": round(time.monotonic() - began),
        }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--apply", choices=("none", "safe"), default="none")
    parser.add_argument("--modules", type=int, default=len(NAMES))
    parser.add_argument("--every", type=int, default=20)
    options = parser.parse_args()
    found = measure(options.edits, options.seed, options.apply, options.modules, options.every)
    print(json.dumps(found, indent=1))
    return int(bool(found["differences"] or found["heals made against half a file"] or found["orphans"]))


if __name__ == "__main__":
    raise SystemExit(main())
