"""Unbroken test suites of real packages, plain and with --heal: same outcomes, no file changed, and the wall-clock ratio.

    python tests/bench/bench_parity.py --work DIR [--only NAME] [--rounds 3]

For every package the sdist is downloaded from the index by name and version, installed with its test requirements into a virtual
environment of its own under --work, and its suite run alternately with ``-p no:maestro_healer`` and with ``--heal``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tarfile
import time
import venv
from pathlib import Path

#: name, version, test folder, what the suite needs besides pytest, extra pytest arguments
SUITES = [
    ("click", "8.3.0", "tests", [], []),
    ("attrs", "25.3.0", "tests", ["hypothesis", "cloudpickle", "pympler"], ["--ignore=tests/test_mypy.yml", "-p", "no:mypy_testing"]),
    ("more-itertools", "10.7.0", "tests", [], []),
    ("packaging", "25.0", "tests", ["pretend"], []),
    ("jinja2", "3.1.6", "tests", ["trio"], []),
    ("itsdangerous", "2.2.0", "tests", ["freezegun"], []),
    ("blinker", "1.9.0", "tests", ["pytest-asyncio"], []),
]


def prepare(work: Path, name: str, version: str, extra: list[str]) -> tuple[Path, Path]:
    """(python of the suite's environment, unpacked sdist)."""
    folder = work / f"{name}-{version}"
    python = folder / "venv" / "bin" / "python"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        venv.create(folder / "venv", with_pip=True)
        pip = [str(python), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, f"{name}=={version}", "pytest", *extra], check=True)
        subprocess.run([*pip, str(Path(__file__).resolve().parents[2])], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(folder), f"{name}=={version}"], check=True
        )
        (folder / "ready").write_text("")
    archive = next(folder.glob("*.tar.gz"))
    source = folder / "src"
    if not source.exists():
        with tarfile.open(archive) as tar:
            tar.extractall(source, filter="data") if sys.version_info >= (3, 12) else tar.extractall(source)
    return python, next(p for p in source.iterdir() if p.is_dir())


def tree(folder: Path) -> str:
    """One hash over every file but caches."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and ".hypothesis" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def run(python: Path, source: Path, target: str, arguments: list[str]) -> tuple[dict[str, str], float, int]:
    """(outcome by nodeid, wall seconds, exit code)."""
    out = source.parent / "report.json"
    plugin = source.parent / "parity_report.py"
    plugin.write_text(
        "import json, os\nseen = {}\n"
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call' or report.outcome != 'passed':\n        seen[str(report.nodeid)] = report.outcome\n"
        "def pytest_collectreport(report):\n    if report.outcome == 'failed':\n        seen[str(report.nodeid)] = 'collect-failed'\n"
        "def pytest_unconfigure(config):\n    json.dump(seen, open(os.environ['PARITY_OUT'], 'w'))\n"
    )
    env = {**os.environ, "PARITY_OUT": str(out), "PYTHONPATH": str(plugin.parent), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    command = [str(python), "-m", "pytest", "-q", "-p", "parity_report", "-p", "no:cacheprovider", "-p", "no:rerunfailures", *arguments, target]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=source, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    wall = time.perf_counter() - began
    return json.loads(out.read_text()), wall, done.returncode


def main() -> int:
    """Run and print a table; 1 when a suite differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", action="append")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    worst = 0
    print(f"{'suite':24} {'tests':>6} {'failed':>6} {'same':>5} {'files':>9} {'ratio':>6}")
    for name, version, target, extra, arguments in SUITES:
        if options.only and name not in options.only:
            continue
        python, source = prepare(options.work.resolve(), name, version, extra)
        before = tree(source)
        plain, healed = [], []
        for _ in range(options.rounds):
            plain.append(run(python, source, target, ["-p", "no:maestro_healer", *arguments]))
            healed.append(run(python, source, target, ["--heal", *arguments]))
        same = all(p[0] == h[0] and p[2] == h[2] for p, h in zip(plain, healed, strict=True))
        untouched = tree(source) == before
        ratio = statistics.median(h[1] for h in healed) / statistics.median(p[1] for p in plain)
        failed = sum(o == "failed" for o in plain[0][0].values())
        files = "untouched" if untouched else "CHANGED"
        row = f"{name + ' ' + version:24} {len(plain[0][0]):6} {failed:6} {'yes' if same else 'NO':>5} {files:>9} {ratio:6.3f}"
        print(row, flush=True)
        worst |= not (same and untouched)
    return int(worst)


if __name__ == "__main__":
    raise SystemExit(main())
