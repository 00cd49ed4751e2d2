"""What ``doctor`` asks of a project: its settings, the evidence at hand, and what became of the last run's failures."""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_maestro_healer.commands.root import is_true, pytest_section
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.git import Git
from pytest_maestro_healer.evidence.redact import redact
from pytest_maestro_healer.learn.summary import Summary, summary
from pytest_maestro_healer.learning import open_history
from pytest_maestro_healer.report import last
from pytest_maestro_healer.report.text import count

#: Failures of the last run that are named.
_MOST = 10


@dataclass(frozen=True)
class Check:
    """One line of the diagnosis; ``state`` is ok, note (works, with less) or problem (something will not work)."""

    name: str
    state: str
    text: str


# -- settings --------------------------------------------------------------------------------------------------
class _Declared:
    """Stands in for pytest's parser and notes which ini keys the plugin declares."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def getgroup(self, *_: object) -> _Declared:
        return self

    def addoption(self, *_: object, **__: object) -> None:
        """Options do not matter here."""

    def addini(self, name: str, *_: object, **__: object) -> None:
        self.keys.append(name)


def settings(root: Path) -> Iterator[Check]:
    """What the configuration says that decides whether a heal is found or written."""
    section = pytest_section(root)
    mine = {k: v for k, v in section.items() if k.startswith("heal")}
    yield Check(
        "settings",
        "ok",
        ", ".join(f"{k} = {redact(_written(v))}" for k, v in mine.items()) or "all as they come: pytest --heal heals, nothing is written",
    )
    yield from _unknown(mine)
    arguments = _words(section.get("addopts", "")) + _words(os.environ.get("PYTEST_ADDOPTS", ""))
    if _plugin_off(arguments):
        yield Check("settings", "problem", "-p no:maestro_healer is in addopts or PYTEST_ADDOPTS: the plugin is off")
    if "--assert=plain" in arguments or os.environ.get("PYTHONOPTIMIZE"):
        yield Check("settings", "note", "asserts are not rewritten (--assert=plain or PYTHONOPTIMIZE): compared values are missing as evidence")
    for key in ("heal_validate_before_apply", "heal_fresh_confirm"):
        if key in mine and not is_true(mine[key]):
            yield Check("settings", "note", f"{key} is off: nothing is written")
    if chosen := _words(mine.get("heal_strategies", "")):
        yield Check("settings", "note", f"only some strategies are asked: {', '.join(chosen)}")
    paths, exclude = (tuple(_words(mine.get(key, ""))) for key in ("heal_paths", "heal_exclude"))
    config = HealerConfig(paths=paths, exclude=exclude)
    tests = ProjectFiles(root).test_files
    out = [p for p in tests if config.out_of_scope(p)]
    if out:
        state = "note" if len(out) < len(tests) else "problem"
        yield Check("settings", state, f"{len(out)} of {count(len(tests), 'file')} of test code may not be healed (heal_paths, heal_exclude)")


def _unknown(mine: Mapping[str, Any]) -> Iterator[Check]:
    if importlib.util.find_spec("pytest") is None:
        return
    from pytest_maestro_healer import plugin

    declared = _Declared()
    plugin.pytest_addoption(declared)  # type: ignore[arg-type]
    for key in sorted(set(mine) - set(declared.keys)):
        near = difflib.get_close_matches(key, declared.keys, n=1)
        yield Check("settings", "problem", f"{key} is no key" + (f"; did you mean {near[0]}?" if near else ""))


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else " ".join(map(str, value)) if isinstance(value, list) else str(value).strip()


def _words(value: object) -> list[str]:
    """A value of kind "args", as pytest splits it."""
    if isinstance(value, list):
        return [str(v) for v in value]
    try:
        return shlex.split(str(value))
    except ValueError:
        return str(value).split()


def _plugin_off(arguments: list[str]) -> bool:
    return any(a == "-pno:maestro_healer" or (a == "-p" and b == "no:maestro_healer") for a, b in zip(arguments, [*arguments[1:], ""]))


# -- evidence --------------------------------------------------------------------------------------------------
def evidence(root: Path, config: HealerConfig) -> Iterator[Check]:
    """The facts that heals of this project can rest on."""
    yield _git(Git(root))
    yield from _elsewhere(root)
    found = known_packages()
    yield Check("evidence", "ok", f"documented changes of installed packages: {', '.join(found)}" if found else "no table knows an installed package")
    history = open_history(root, config)
    if not history.enabled:
        yield Check("history", "note", "learning is off: no last green commit, and confidence does not follow your decisions")
        return
    yield _history(summary(history.entries()))


def _git(git: Git) -> Check:
    if not git.available:
        why = "this is no repository with a commit" if shutil.which("git") else "git is not installed"
        return Check("git", "note", f"{why}: no evidence of what changed, so fewer heals and less confidence")
    commits = git.commits(limit=2)
    changed = git.changed_files()
    dirty = f", {count(len(changed), 'file')} changed since" if changed else ""
    if len(commits) < 2:
        return Check("git", "note", f"only one commit is here{dirty}: a longer history (fetch-depth) says more about what changed")
    return Check("git", "ok", f"available: what changed is evidence; last commit {commits[0][0][:10]}{dirty}")


def _elsewhere(root: Path) -> Iterator[Check]:
    """Packages of the project that Python takes from another place, whose changes here are then no evidence."""
    for base in (root / "src", root):
        for init in sorted(base.glob("*/__init__.py")) if base.is_dir() else ():
            name = init.parent.name
            if not name.isidentifier() or name in sys.stdlib_module_names or name in ("tests", "test"):
                continue
            try:
                spec = importlib.util.find_spec(name)
            except (ImportError, ValueError):
                continue
            origin = spec.origin if spec is not None else None
            if origin and Path(origin).exists() and not Path(origin).samefile(init):
                yield Check("product", "note", f"{name} is imported from {Path(origin).parent}, if the tests do not put {base} first on the path")


def known_packages() -> list[str]:
    """Installed packages (and Python's own modules) whose changed names and arguments the migration tables document."""
    from pytest_maestro_healer.evidence.migrations import tables

    described = (words for t in tables() for each in (t.names, t.similar, t.parameters, t.signatures, t.former) for words in each)
    owners = {word.partition(".")[0] for words in described for word in words.split()}
    installed = importlib.metadata.packages_distributions()
    names = sorted(o for o in owners if o in installed)
    return (["Python's own"] if owners & sys.stdlib_module_names else []) + names


def _history(found: Summary) -> Check:
    if not found.records:
        return Check("history", "ok", "empty: the first runs with --heal record what is tried, what you decide and which tests were green")
    green = f"last green commit known for {count(found.green_files, 'test file')}" if found.green_files else "no last green commit yet"
    return Check("history", "ok", f"{count(found.records, 'record')}; {green}")


# -- the last run ----------------------------------------------------------------------------------------------
def last_run(folder: Path) -> Iterator[Check]:
    """What became of the failures of the last healing run here: why nothing, or not all, was healed."""
    told = last.recall(folder)
    if told is None:
        yield Check("last run", "ok", "none with a failure is known here")
        return
    results = told["results"]
    not_healed = [r for r in results if r["kind"] not in ("applied", "pending")]
    healed = len(results) - len(not_healed)
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(max(0.0, min(float(told["at"]), 4e9))))
    text = f"{when}: {count(told['failures'], 'failure')}, {count(healed, 'heal')}, {len(not_healed)} not healed"
    yield Check("last run", "note" if not_healed or not results else "ok", text)
    for r in not_healed[:_MOST]:
        yield Check("not healed", "note", redact(f"{r['test_id']}: {r['reason']}"))
    if len(not_healed) > _MOST:
        yield Check("not healed", "note", f"{len(not_healed) - _MOST} more")
    for text in told["notes"][:_MOST]:
        yield Check("last run", "note", redact(text))
