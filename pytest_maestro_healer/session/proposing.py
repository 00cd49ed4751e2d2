"""Proposers (``pytest_heal_propose``): strangers that are asked in a process of their own, and whose answers are data.

Whatever one does while it is asked (hang, exit, change modules, variables or the objects it was given) happens to a copy of this process, or
where that cannot be made, in a fresh one. It can write files, as any code of the user's can; that is looked for, and its answer is not used then.
"""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.errors import TamperedError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Experiments
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, Proposal
from pytest_maestro_healer.pipeline import PER_TACTIC
from pytest_maestro_healer.session import forked, wire
from pytest_maestro_healer.strategies.base import Tactic

#: The name by which ``--heal-strategies`` knows the ``pytest_heal_propose`` hooks.
PROPOSER = "proposer"
#: Characters that one proposal may write, and that one of its texts may have.
MOST = 1 << 20
TEXT = 2000
#: The most that a proposer's own word counts as evidence.
WEIGHT = 0.5
_CODE = (".py", ".pyi", ".pth", ".ini", ".cfg", ".toml")
_NOT_WATCHED = {"__pycache__", "node_modules", "venv", "build", "dist"}

#: Asks one hook implementation elsewhere: (its name, the failure, the evidence) -> (proposals as dicts, problem).
Ask = Callable[[str, Failure, Context], "tuple[Any, str]"]


class Proposed(Tactic):
    """Asks ``pytest_heal_propose``. What comes back is never ``safe``: nobody here knows how it was found."""

    name = PROPOSER
    summary = "Candidates from the project's own pytest_heal_propose."
    applicability = Applicability.REVIEW
    evidence: ClassVar[tuple[str, ...]] = ("proposer",)

    def __init__(self, config: pytest.Config, settings: HealerConfig, root: Path, notes: list[str], fresh: Ask) -> None:
        """``fresh`` asks in a fresh process, for where this one cannot be forked; ``notes`` takes what the user must be told."""
        self._config, self._settings, self._root, self._notes, self._fresh = config, settings, root, notes, fresh
        self._out: set[str] = set()

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        return True

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        out: list[Proposal] = []
        for name in implementations(self._config):
            if name not in self._out:
                out += self._asked(name, failure, ctx)
        return out

    def _asked(self, name: str, failure: Failure, ctx: Context) -> list[Proposal]:
        who = f"pytest_heal_propose of {os.path.relpath(name, self._root) if os.path.isabs(name) else name}"
        before = stamps(self._root)
        if forked.possible() and not self._settings.isolate:
            found, problem = forked.call(lambda: answer(self._config, name, failure, ctx), self._settings.timeout)
        else:
            found, problem = self._fresh(name, failure, ctx)
        changed = differences(before, stamps(self._root))
        if changed:
            self._out.add(name)
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            raise TamperedError(
                f"{changed[0]}{more} changed on the disk while {who} was asked, which may only answer: its answer is not used, "
                "it is not asked again, and nothing is written in this run; look at the file, the healer has not put it back"
            )
        if problem:
            gone = problem.startswith(("hang", "crash: the"))
            self._out |= {name} if gone else set()
            self._note(f"{who}: {problem.removeprefix('crash: ')}; " + ("it is not asked again" if gone else "it was left out"))
            return []
        return list(self._adopted(found, who))

    def _adopted(self, found: Any, who: str) -> Iterator[Proposal]:
        """The proposals in ``found`` as what they are: somebody's word, for review, proved like any other."""
        for data in found if isinstance(found, list) else []:
            try:
                p = Proposal.from_dict(data)
            except ValueError as exc:
                self._note(f"{who} gave a Proposal that is none: {str(exc)[:200]}; it was left out")
                continue
            size = sum(len(e.replacement) for e in p.edits)
            if size > MOST:
                self._note(f"{who} gave a Proposal that writes {size:,} characters, more than {MOST:,}; it was left out")
            elif p.edits or p.advice:
                yield _marked(p)

    def _note(self, line: str) -> None:
        if line not in self._notes:
            self._notes.append(line)


def _marked(p: Proposal) -> Proposal:
    """``p`` under the proposers' name, for review, its own proof conditions and root cause left out."""
    cited = tuple(
        dataclasses.replace(e, sentence=e.sentence[:TEXT], where=e.where[:TEXT], weight=min(max(e.weight, 0.0), WEIGHT)) for e in p.evidence
    )
    return dataclasses.replace(
        p,
        strategy=PROPOSER,
        tactic=p.tactic[:60] or PROPOSER,
        evidence=cited[:20] or (Evidence("proposer", "proposed by the project's own pytest_heal_propose", "", 0.2),),
        applicability=Applicability.REVIEW if p.edits else Applicability.ADVICE,
        explanation=p.explanation[:TEXT] or "proposed by the project's own pytest_heal_propose",
        meaning=p.meaning[:TEXT],
        advice=p.advice[:TEXT],
        cause_key="",
        proof=None,
    )


# -- the side that is asked -----------------------------------------------------------------------------------------------
def implementations(config: pytest.Config) -> Sequence[str]:
    """The names of the plugins and conftests that implement the hook, nearest first."""
    return list(dict.fromkeys(i.plugin_name for i in reversed(config.hook.pytest_heal_propose.get_hookimpls())))


def answer(config: pytest.Config, name: str, failure: Failure, ctx: Context) -> list[dict[str, Any]]:
    """What the implementation of ``name`` answers, as plain data; run where it can do no harm.

    Raises :class:`TypeError` for an answer that is no series of proposals, and whatever the implementation raises.
    """
    ctx.set_experiments(Experiments())  # the pipes to the processes that run tests are this process's parent's
    impl = next(i for i in config.hook.pytest_heal_propose.get_hookimpls() if i.plugin_name == name)
    given: dict[str, Any] = {"failure": failure, "context": ctx}
    found: Any = impl.function(*(given[n] for n in impl.argnames))
    if found is None:
        return []
    if isinstance(found, (str, bytes, Mapping)) or not isinstance(found, Iterable):
        raise TypeError(f"it gave {type(found).__name__}, no series of Proposals")
    out = []
    for p in islice(found, PER_TACTIC):
        if not isinstance(p, Proposal):
            raise TypeError(f"it gave {type(p).__name__} {p!r:.60}, not a Proposal")
        out.append(p.to_dict())
    return out


def question(name: str, failure: Failure, ctx: Context) -> dict[str, Any]:
    """What a fresh process must know to ask; the other end is :func:`asked`."""
    return {
        "name": name,
        "failure": failure.to_dict(),
        "failures": [f.to_dict() for f in ctx.failures],
        "passed": sorted(ctx.passed),
        "collected": list(ctx.collected),
        "overlay": wire.texts(ctx.overlay),
        "timeout": ctx.config.timeout,
    }


def asked(config: pytest.Config, files: ProjectFiles, question: Mapping[str, Any]) -> tuple[Any, str]:
    """In a fresh process: ask, where that is possible in a copy of it, so that its time is limited whatever it does."""
    ctx = Context(
        files.root,
        HealerConfig(),
        failures=[Failure.from_dict(f) for f in question["failures"]],
        passed=frozenset(question["passed"]),
        collected=question["collected"],
        overlay=wire.files(question["overlay"]),
        files=files,
    )
    name, failure = question["name"], Failure.from_dict(question["failure"])
    if name not in implementations(config):
        return None, "crash: the fresh process does not know it"
    if forked.possible():
        return forked.call(lambda: answer(config, name, failure, ctx), question["timeout"])
    try:
        return answer(config, name, failure, ctx), ""
    except Exception as exc:
        return None, f"crash: {type(exc).__name__}: {exc}"


# -- the disk -------------------------------------------------------------------------------------------------------------
def stamps(root: Path, limit: int = 20_000) -> dict[str, tuple[int, ...]]:
    """Path -> what changes when the file is written; hidden folders, caches and build folders are left out."""
    out: dict[str, tuple[int, ...]] = {}
    for folder, dirs, names in os.walk(root):
        dirs[:] = [d for d in dirs if not d.startswith(".") and d not in _NOT_WATCHED and not d.endswith(".egg-info")]
        for name in names:
            try:
                found = os.lstat(os.path.join(folder, name))
            except OSError:
                continue
            out[os.path.relpath(os.path.join(folder, name), root)] = (found.st_mtime_ns, found.st_size, found.st_ino, stat.S_IFMT(found.st_mode))
        if len(out) > limit:
            break
    return out


def differences(before: Mapping[str, tuple[int, ...]], after: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Files that were changed or are gone, and new ones that are code or configuration (a log or an answer kept for later is nobody's concern)."""
    changed = [p for p, was in before.items() if after.get(p) != was]
    return sorted(changed + [p for p in after.keys() - before.keys() if p.endswith(_CODE)])
