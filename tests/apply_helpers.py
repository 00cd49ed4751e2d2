"""Small projects and heals for the tests of everything after a decision."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.apply.ids import healing_id
from pytest_maestro_healer.apply.store import Store
from pytest_maestro_healer.cli import main
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.model import Decision, DecisionKind, FileChange, HealingResult, ProofStep, Verdict

PROVED = Verdict((ProofStep("guard", True), ProofStep("rerun", True), ProofStep("fresh", True)))


def numbered(n: int = 10) -> bytes:
    """A test file with ``n`` tests of which each can be healed on its own."""
    return b"".join(b"def test_%d():\n    assert f(%d) == %d\n\n" % (i, i, i) for i in range(n))


def heal(changes: Mapping[str, tuple[bytes, bytes]], *nodeids: str, verdict: Verdict = PROVED, strategy: str = "assertion_update") -> HealingResult:
    """A proved pending heal with whole-file ``changes`` (path -> before, after)."""
    files = tuple(FileChange.of(path, before, after) for path, (before, after) in changes.items())
    ids = nodeids or tuple(f"{path}::test_it" for path in changes)
    return HealingResult(
        healing_id(strategy, "literal", files),
        ids[0],
        strategy,
        True,
        confidence_score=0.9,
        tactic="literal",
        explanation="f returns another number now",
        nodeids=ids,
        changes=files,
        verdict=verdict,
        diff="".join(unified(c.path, c.before_bytes, c.after_bytes) for c in files),
        decision=Decision(DecisionKind.PENDING, "review"),
    )


def heal_number(before: bytes, i: int, path: str = "test_a.py") -> HealingResult:
    """The heal of test ``i`` of :func:`numbered`."""
    after = before.replace(b"assert f(%d) == %d\n" % (i, i), b"assert f(%d) == %d\n" % (i, i + 100))
    assert after != before
    return heal({path: (before, after)}, f"{path}::test_{i}")


class Project:
    """A folder with files, and a store whose cache is next to it."""

    def __init__(self, folder: Path, files: Mapping[str, bytes] | None = None) -> None:
        self.root = folder / "project"
        self.root.mkdir()
        self.cache = folder / "cache"
        self.write({"test_a.py": numbered()} if files is None else files)

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(data)

    def read(self, name: str = "test_a.py") -> bytes:
        return (self.root / name).read_bytes()

    @property
    def store(self) -> Store:
        """A new store each time, as a new process would have."""
        return Store(self.root, HealerConfig(cache_dir=str(self.cache)))

    def names(self) -> list[str]:
        """All files of the project."""
        return sorted(p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file())


class Done:
    """A finished command."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Done]


def commands(capfd: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process: ``cli("list", "--json")``."""

    def run(*args: str) -> Done:
        capfd.readouterr()
        code = main(list(args))
        return Done(code, *capfd.readouterr())

    return run
