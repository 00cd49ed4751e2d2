"""Kill a process with SIGKILL while it applies or rolls back a heal of several files, and look at what is left.

    python tests/bench/bench_kill.py --trials 200
    python tests/bench/bench_kill.py --every

Half of the trials kill before or after the k-th call that changes the disk (open, fsync, replace, unlink), ``--every`` at each of
them; the other half kill after a random time. In a third of the trials the recovery is killed as well, and runs again. After each kill every
file must be wholly old or wholly new; after ``recover()`` all of them old or all new, no temporary file left, and rolling back or applying
again must give exactly the other state. Prints one JSON document; exit code 1 on a violation.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.apply_helpers import Project, heal

CALLS = ("open", "fsync", "replace", "unlink")
FILES = ("tests/test_a.py", "tests/test_b.py", "tests/helper.py")
OLD = {name: f"# {name}\n".encode() + b"old = 1\n" * 4000 for name in FILES}
NEW = {name: data.replace(b"old", b"renewed") for name, data in OLD.items()}


def arm(at: int, after: bool) -> list[int]:
    """Count the calls in CALLS; the ``at``-th ends this process."""
    count = [0]

    def wrap(real):  # type: ignore[no-untyped-def]
        def call(*args, **kwargs):  # type: ignore[no-untyped-def]
            count[0] += 1
            if count[0] == at and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*args, **kwargs)
            if count[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in CALLS:
        setattr(os, name, wrap(getattr(os, name)))
    return count


def child(project: Project, action: str, at: int, after: bool) -> int:
    """Fork a process that does ``action`` (apply, rollback, recover); returns its pid. Its exit status, if it ends by itself, is 0."""
    pid = os.fork()
    if pid:
        return pid
    arm(at, after)
    status = 9
    try:
        store = project.store
        if action == "recover":
            store.recover()
            status = 0
        else:
            outcomes = store.apply([HEAL]) if action == "apply" else store.rollback()
            status = 0 if all(o.ok for o in outcomes) else 8
    finally:
        os._exit(status)


HEAL = heal({name: (OLD[name], NEW[name]) for name in FILES})


def count_calls(action: str) -> int:
    """How many kill points ``action`` has."""
    with tempfile.TemporaryDirectory() as folder:
        project = prepare(Path(folder), action)
        read, write = os.pipe()
        if os.fork() == 0:
            count = arm(0, False)
            store = project.store
            store.apply([HEAL]) if action == "apply" else store.rollback()
            os.write(write, str(count[0]).encode())
            os._exit(0)
        os.close(write)
        os.wait()
        return int(os.read(read, 100))


def prepare(folder: Path, action: str) -> Project:
    project = Project(folder, OLD)
    project.store.save_pending([HEAL])
    if action == "rollback":
        assert project.store.apply([HEAL])[0].ok
    return project


def state(project: Project) -> str:
    """``old``, ``new``, ``mixed`` (each file whole), or ``torn``."""
    data = {name: project.read(name) for name in FILES}
    if any(data[n] not in (OLD[n], NEW[n]) for n in FILES):
        return "torn"
    return "old" if data == OLD else "new" if data == NEW else "mixed"


def trial(folder: Path, action: str, at: int, after: bool, delay: float, again: int) -> tuple[str, str]:
    """(state right after the kill, what is wrong or ``""``)."""
    project = prepare(folder, action)
    pid = child(project, action, at, after)
    if delay:
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        return "", f"the child failed with {os.WEXITSTATUS(status)}"
    left = state(project)
    if left == "torn":
        return left, "a file is neither old nor new"
    if again:
        os.waitpid(child(project, "recover", again, after), 0)
        if state(project) == "torn":
            return left, "a file is neither old nor new after a killed recovery"
    store = project.store
    store.recover()
    now = state(project)
    if now not in ("old", "new"):
        return left, f"{now} after recovery: {store.notes}"
    if project.names() != sorted(FILES):
        return left, f"left behind: {project.names()}"
    if bool(store.history()) != (now == "new"):
        return left, f"{now}, but the history says otherwise"
    outcome = store.rollback()[0] if now == "new" else store.apply([HEAL])[0]
    if not outcome.ok or state(project) != ("old" if now == "new" else "new"):
        return left, f"going on from {now} gave {outcome}"
    return left, ""


def plan(options: argparse.Namespace, points: dict[str, int]) -> list[tuple[str, int, bool, float, int]]:
    """(action, kill at call, after it, kill after seconds, kill the recovery at call) of each trial."""
    rng = random.Random(options.seed)
    if options.every:
        return [(a, at, after, 0.0, 0) for a, total in points.items() for at in range(1, total + 1) for after in (False, True)]
    out = []
    for n in range(options.trials):
        action = "apply" if n % 4 < 2 else "rollback"
        at = rng.randrange(points[action]) + 1 if n % 2 == 0 else 0
        delay = 0.0 if at else rng.uniform(0.0005, 0.03)
        out.append((action, at, rng.random() < 0.5, delay, rng.randrange(1, 25) if n % 3 == 0 else 0))
    return out


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    points = {action: count_calls(action) for action in ("apply", "rollback")}
    states: dict[str, int] = {}
    problems = []
    start = time.perf_counter()
    trials = plan(options, points)
    for action, at, after, delay, again in trials:
        folder = Path(tempfile.mkdtemp(prefix="maestro-kill-"))
        left, wrong = trial(folder, action, at, after, delay, again)
        shutil.rmtree(folder)
        states[left] = states.get(left, 0) + 1
        if wrong:
            problems.append(f"{action} killed at call {at} of {points[action]} or after {delay:.4f} s: {wrong}")
    seconds = round(time.perf_counter() - start, 2)
    print(json.dumps({"trials": len(trials), "points": points, "states after the kill": states, "problems": problems, "seconds": seconds}))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
