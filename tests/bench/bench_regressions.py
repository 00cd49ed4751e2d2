"""Regressions that people who knew the healer wrote to deceive it: small projects, each with a history, in which a test fails because of a bug.

    python tests/bench/bench_regressions.py --work DIR [--only WORDS] [--jobs N] [--source DIR] [--out FILE]

The rows of ``regressions/*.jsonl`` were written by readers of the tactics' code, in rounds (``api-1`` is the first of the rounds on names, imports
and signatures, ``env-1`` of those on surroundings, time, order and values, ``real-1`` one of what happens in teams); after each round what they had
found was mended, so a round says something of the code before it only. Each row has ``commits`` (files, ``null`` for a deleted one, and message),
``uncommitted`` files, ``env``, whether there is a repository, whether it is a shallow clone, and the commits (``green``) at which all tests have to
pass for the row to count.
Nothing may be written by ``--heal-apply=safe``; the rows in :data:`RIGHT` are those where what is written is right, or (a single commit with product
and test) where nothing tells a bug from a machine that does not fit. Exits with 1 when anything else
was written on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: Rows where a heal is right: the test was cut off or misspelt and no more, or the rename is documented and the bug is named beside it.
RIGHT = frozenset({
    "api-1/w01_documented_rename_and_a_typo", "api-1/y03_bracket_head_known", "api-1/y07_missing_body_of_with", "api-2/n08_sed_substring_too_far",
    "api-2/t25_two_classes_one_lost_check",
    "api-3/e07_raises_colon", "api-3/e10_unclosed_text", "api-3/g01_truncated_last_test", "api-3/g02_truncated_at_def", "api-3/g03_junk_line",
    "api-3/g13_two_heals_sed_file_format", "env-2/u12_one_commit_only",
    "env-3/f08_two_tests_two_renames", "env-3/g10_two_leaks_one_old", "env-3/l00_control_documented",
    "real-1/s04_assert_tuple_open", "real-1/s14_parameter_row_added",
})  # fmt: skip
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Author", "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "Author", "GIT_COMMITTER_EMAIL": "author@example.org",
}  # fmt: skip


def lay(root: Path, files: Mapping[str, str | None]) -> None:
    """Write files; ``None`` deletes one."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text, encoding="utf-8")


class Row:
    """One regression in a folder of its own."""

    def __init__(self, row: Mapping[str, object], work: Path, source: str) -> None:
        self.row = row
        self.name = str(row["id"])
        self.root = work / self.name.replace("/", "-")
        self.report = self.root.with_suffix(".json")
        cache = self.root.with_suffix(".cache")
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.rmtree(cache, ignore_errors=True)
        self.report.unlink(missing_ok=True)
        self.root.mkdir(parents=True)
        given: Mapping[str, str] = row["env"]  # type: ignore[assignment]
        kept = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS")}
        self.env = {**kept, **GIT, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(cache), **given}

    def git(self, *args: str) -> None:
        """A git command, unless the row is one without a repository."""
        if self.row["git"]:
            subprocess.run(["git", *args], cwd=self.root, env=self.env, check=True, capture_output=True)

    def pytest(self, *args: str) -> subprocess.CompletedProcess[str]:
        """One run of pytest."""
        folder = self.root / str(self.row.get("cwd") or ".")
        folder = folder if folder.is_dir() else self.root  # one that is not committed
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args]
        return subprocess.run(command, cwd=folder, env=self.env, capture_output=True, text=True, timeout=300, check=False)

    def build(self) -> bool:
        """Lay the history; returns whether the tests pass where they have to."""
        self.git("init", "-q", "--template=", "-b", "main")
        lay(self.root, {".gitignore": "__pycache__/\n"})
        green: Sequence[int] = self.row["green"]  # type: ignore[assignment]
        commits: Sequence[tuple[dict[str, str | None], str]] = self.row["commits"]  # type: ignore[assignment]
        for number, (files, message) in enumerate(commits):
            lay(self.root, files)
            self.env["GIT_COMMITTER_DATE"] = self.env["GIT_AUTHOR_DATE"] = f"2026-01-{1 + number:02d}T12:00:00Z"
            self.git("add", "-A")
            self.git("commit", "-qm", message)
            if number in green and self.pytest("-p", "no:maestro_healer", *self.row["args"]).returncode:  # type: ignore[misc]
                return False
        if self.row["shallow"]:
            deep = self.root.with_suffix(".deep")
            shutil.rmtree(deep, ignore_errors=True)
            self.root.rename(deep)
            clone = ["git", "clone", "-q", f"--depth={self.row['shallow']}", deep.as_uri(), str(self.root)]
            subprocess.run(clone, env=self.env, check=True, capture_output=True)
        lay(self.root, self.row["uncommitted"])  # type: ignore[arg-type]
        return True

    def judge(self) -> dict[str, object]:
        """What was done to the row."""
        try:
            if not self.build():
                return {"id": self.name, "outcome": "not green before"}
            before = self._state()
            run = self.pytest("--heal", "--heal-apply=safe", f"--heal-json={self.report}", *self.row["args"])  # type: ignore[misc]
        except (subprocess.SubprocessError, OSError, UnicodeError) as exc:
            return {"id": self.name, "outcome": "problem", "what": f"{type(exc).__name__}: {exc}"[:200]}
        written = sorted(p for p, data in self._state().items() if before.get(p) != data)
        results = json.loads(self.report.read_text(encoding="utf-8"))["results"] if self.report.exists() else []
        kinds = {r["decision"]["kind"] for r in results}
        suspected = any((r.get("diagnosis") or {}).get("cause") == "regression_suspected" for r in results)
        if written:
            outcome = "right" if self.name in RIGHT else "written"
        elif not run.returncode:
            outcome = "nothing failed"
        else:
            outcome = "regression named" if suspected else "for review" if "pending" in kinds else "left alone"
        heals = [f"{r['strategy_used']}/{r['tactic']}: {r['decision']['rule']}"[:200] for r in results if r["tactic"]]
        return {"id": self.name, "outcome": outcome, "written": written, "heals": heals}

    def _state(self) -> dict[str, bytes]:
        return {p.relative_to(self.root).as_posix(): p.read_bytes() for p in self.root.rglob("*.py")}


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Counts by round."""
    heads = ("written", "right", "for review", "regression named", "left alone", "not green before", "nothing failed", "problem")
    lines = ["| round | rows | " + " | ".join(heads) + " |", "| --- " * (len(heads) + 2) + "|"]
    for group in (*sorted({str(r["id"]).partition("/")[0] for r in rows}), ""):
        counts = Counter(str(r["outcome"]) for r in rows if str(r["id"]).startswith(group))
        lines.append(f"| {group or 'all'} | {counts.total()} | " + " | ".join(str(counts[h]) for h in heads) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="", help="parts of names, comma-separated")
    parser.add_argument("--every", type=int, default=1, help="each n-th row only")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--source", default="", help="folder to import the plugin from, instead of the installed one")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    from warm import warm

    warm(given.source)
    rows = [json.loads(line) for path in sorted((HERE / "regressions").glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    chosen = [r for r in rows if not given.only or any(word in r["id"] for word in given.only.split(","))][:: given.every]
    done: list[dict[str, object]] = []

    def one(row: Mapping[str, object], work: Path) -> dict[str, object]:
        return Row(row, work, given.source).judge()

    with ThreadPoolExecutor(given.jobs) as pool:
        for found in pool.map(partial(one, work=given.work.resolve()), chosen):
            done.append(found)
            if found["outcome"] in ("written", "problem", "not green before"):
                print(f"{found['id']}: {found['outcome']} {found.get('written', '')} {found.get('heals', found.get('what', ''))}", flush=True)
            if given.out:
                given.out.write_text(json.dumps(done, indent=1), encoding="utf-8")
    print("\n" + table(done))
    return 1 if any(r["outcome"] == "written" for r in done) else 0


if __name__ == "__main__":
    sys.exit(main())
