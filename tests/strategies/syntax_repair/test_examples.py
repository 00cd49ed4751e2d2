"""Every example of every syntax tactic, driven through ``propose`` alone: the top candidate is the promised text, byte by byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.edit.source import apply_edits
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Failure, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.syntax_repair import STRATEGY

CASES = [(t, e) for t in STRATEGY.tactics for e in t.heals if e.min_python <= sys.version_info[:2] <= e.max_python]
DECLINED = [(t, e) for t in STRATEGY.tactics for e in t.declines]


def data_of(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data_of(content))


def git(root: Path, *args: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *args], cwd=root, check=True, capture_output=True)


def failure_for(root: Path, test: str) -> Failure:
    """The failure that importing the test module gives, as capture would have it."""
    code = "import sys; sys.path.insert(0, '.'); exec(compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec'), {'__name__': 'm'})"
    done = subprocess.run([sys.executable, "-c", code, test], cwd=root, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
    kind, _, message = last.partition(": ")
    attrs: dict[str, object] = {"filename": test, "msg": message, "lineno": 1}
    if kind in ("SyntaxError", "IndentationError", "TabError"):
        places = [x for x in done.stderr.splitlines() if x.strip().startswith('File "')]
        name = places[-1].split('"')[1]
        attrs["filename"] = Path(name).relative_to(root).as_posix() if name.startswith("/") else name
        attrs["lineno"] = int(places[-1].rsplit("line ", 1)[1]) if "line " in places[-1] else 1
    return Failure(test, "collect", test, kind or "AssertionError", message, exc_attrs=attrs)


def propose(root: Path, example: Example) -> list[Proposal]:
    """All proposals of the strategy, best score first."""
    if example.head:
        write(root, dict(example.head))
        git(root, "init", "-q")
        git(root, "add", "-A")
        git(root, "commit", "-qm", "green")
    write(root, dict(example.files))
    test = next(n for n in example.files if n.startswith("test_"))
    failure = failure_for(root, test)
    ctx = Context(root, HealerConfig())
    out = [p for t in STRATEGY.tactics for p in t.propose(failure, ctx)]
    return sorted(out, key=lambda p: -p.score)


@pytest.mark.parametrize(("tactic", "example"), CASES, ids=[f"{t.name}-{e.title}" for t, e in CASES])
def test_heals(tactic: Tactic, example: Example, tmp_path: Path) -> None:
    found = propose(tmp_path, example)
    assert found, "nothing was proposed"
    best = found[0]
    assert best.tactic == tactic.name
    assert best.evidence
    if example.advice:
        assert best.applicability is Applicability.ADVICE
        assert example.advice in best.advice
        assert not best.edits
        return
    for path, content in example.healed.items():
        before = data_of(example.files[path])
        assert apply_edits(before, [e for e in best.edits if e.path == path]) == data_of(content)
    assert best.applicability <= tactic.applicability or tactic.applicability is best.applicability


@pytest.mark.parametrize(("tactic", "example"), DECLINED, ids=[f"{t.name}-{e.title}" for t, e in DECLINED])
def test_declines(tactic: Tactic, example: Example, tmp_path: Path) -> None:
    write(tmp_path, dict(example.files))
    test = next(n for n in example.files if n.startswith("test_"))
    for kind in ("AssertionError", "SyntaxError", "NameError"):
        failure = Failure(f"{test}::test_x", "call", test, kind, "name 'true' is not defined", exc_attrs={"filename": test, "name": "true"})
        assert list(tactic.propose(failure, Context(tmp_path, HealerConfig()))) == []


@pytest.mark.parametrize("tactic", STRATEGY.tactics, ids=lambda t: t.name)
def test_says_what_it_is(tactic: Tactic) -> None:
    assert tactic.name.isidentifier()
    assert tactic.summary
    assert tactic.heals
    assert tactic.declines
    assert all(e.why for e in tactic.declines)
