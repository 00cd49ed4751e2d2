"""The packages in which faults are seeded: downloaded as source distributions by name and version, cut down to a fast part of their suites."""

from __future__ import annotations

import dataclasses
import fnmatch
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from .model import Host
from .project import Project


@dataclass(frozen=True)
class Entry:
    """One row: what to download and which part to keep. ``keep`` are patterns of further files of the test folder."""

    name: str
    version: str
    package: str
    source: str
    tests: tuple[str, ...]
    keep: tuple[str, ...] = ()


HOSTS = (
    Entry(
        "itsdangerous",
        "2.2.0",
        "itsdangerous",
        "src/itsdangerous",
        tuple(f"tests/test_itsdangerous/test_{n}.py" for n in ("encoding", "signer", "serializer")),
        ("tests/test_itsdangerous/__init__.py",),
    ),
    Entry("inflection", "0.5.1", "inflection", "inflection", ("test_inflection.py",)),
    Entry(
        "tinydb",
        "4.8.2",
        "tinydb",
        "tinydb",
        tuple(f"tests/test_{n}.py" for n in ("queries", "operations", "utils", "tables")),
        ("tests/__init__.py", "tests/conftest.py"),
    ),
    Entry(
        "boltons",
        "24.1.0",
        "boltons",
        "boltons",
        tuple(f"tests/test_{n}.py" for n in ("strutils", "mathutils", "dictutils", "statsutils", "listutils", "timeutils", "setutils")),
        ("tests/__init__.py",),
    ),
    Entry("toolz", "1.0.0", "toolz", "toolz", tuple(f"toolz/tests/test_{n}.py" for n in ("itertoolz", "dicttoolz", "recipes"))),
    Entry("more-itertools", "10.5.0", "more_itertools", "more_itertools", ("tests/test_recipes.py",), ("tests/__init__.py",)),
    Entry(
        "semver",
        "3.0.2",
        "semver",
        "src/semver",
        tuple(f"tests/test_{n}.py" for n in ("bump", "compare", "format", "index", "match", "parsing", "replace")),
    ),
)


def load(work: Path, names: frozenset[str] = frozenset()) -> list[Host]:
    """The hosts, downloaded into ``work`` at first use; each is checked to be green. Raises :class:`RuntimeError` when one is not."""
    out = []
    for entry in HOSTS:
        if not names or entry.name in names:
            out.append(_traced(_unpacked(entry, work), work))
    return out


def _archive(entry: Entry, work: Path) -> Path:
    folder = work / "sdists"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{entry.name}-{entry.version}".lower().replace("_", "-")

    def find() -> Path | None:
        return next((p for p in folder.glob("*.tar.gz") if p.name.lower().replace("_", "-") == stem + ".tar.gz"), None)

    if find() is None:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-binary",
            ":all:",
            "-d",
            str(folder),
        ]
        subprocess.run([*command, f"{entry.name}=={entry.version}"], check=True, timeout=300)
    found = find()
    if found is None:
        raise RuntimeError(f"no source distribution of {stem} in {folder}")
    return found


def _unpacked(entry: Entry, work: Path) -> Host:
    files: dict[str, bytes] = {}
    wanted = (f"{entry.source}/*.py", f"{entry.source}/py.typed", "CHANGE*", "LICENSE*", "README*", *entry.tests, *entry.keep)
    with tarfile.open(_archive(entry, work)) as tar:
        for member in tar:
            path = member.name.partition("/")[2]
            data = tar.extractfile(member)
            if data is None or not any(fnmatch.fnmatchcase(path, w) for w in wanted):
                continue
            if "/tests/" in f"/{path}" and path not in (*entry.tests, *entry.keep):
                continue
            files[path] = data.read()
    top = entry.source.rpartition("/")[0] or "."
    folders = {test.rpartition("/")[0] or "." for test in entry.tests}
    lines = ["[pytest]", f"pythonpath = {top}", f"testpaths = {' '.join(sorted(folders))}"]
    files["pytest.ini"] = ("\n".join(lines) + "\n").encode()
    files[".gitignore"] = b"__pycache__/\n.pytest_cache/\n"
    return Host(entry.name, entry.version, entry.package, entry.source, entry.tests, work / "hosts" / f"{entry.name}-{entry.version}", files)


def _traced(host: Host, work: Path) -> Host:
    shutil.rmtree(host.folder, ignore_errors=True)
    project = Project(host.folder)
    project.lay(host.files)
    run = project.test(trace=host.source)
    if not run.green:
        raise RuntimeError(f"{host.name} {host.version} is not green here:\n{run.output[-2000:]}")
    return dataclasses.replace(host, called=run.called)
