"""Experiments: a strategy may ask what happens when tests are run again under stated conditions.

The disk is never touched and the machine is not changed: everything happens in forked or fresh processes. What is asked is counted against the
healing budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.model import Failure, World


@dataclass(frozen=True)
class Conditions:
    """What to change for one run.

    ``env`` sets (or with ``None`` removes) environment variables; ``ordered`` runs the nodeids in the given order in one process, also
    across files; ``load`` keeps that many CPU-bound processes busy meanwhile; ``seed`` seeds :mod:`random` before every test;
    ``fresh`` asks for a fresh process (needed for ``PYTHONHASHSEED``, ``TZ`` read at start-up and the like). ``clean`` starts from a state in
    which everything is collected and no test has run (cheaper than ``fresh`` where forking is possible: one process is started, and each
    run is a fork of it). ``probe`` records what each test left changed (:attr:`Observation.changed`). ``world`` is another time, or another
    order of directories. ``rev`` runs the tests as they are now with everything else of the project as it was at that commit, in a copy of it.
    ``partial`` asks what is known of a run that crashes or hangs too: the tests before that.
    """

    env: Mapping[str, str | None] = field(default_factory=dict)
    ordered: bool = False
    load: int = 0
    seed: int | None = None
    fresh: bool = False
    clean: bool = False
    probe: bool = False
    world: World | None = None
    rev: str = ""
    partial: bool = False


@dataclass(frozen=True)
class Observation:
    """What one test did in one run: ``outcome`` as in pytest (or ``missing``), wall ``seconds`` of the test itself.

    ``changed`` is the state it left different, where that was asked for.
    """

    nodeid: str
    outcome: str
    seconds: float
    failure: Failure | None = None
    changed: tuple[Change, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the test passed (skips and expected failures do not count)."""
        return self.outcome == "passed"


#: Root-relative product files, with the lines that ran.
Lines = Mapping[str, frozenset[int]]
Run = Callable[[Sequence[str], Mapping[str, bytes], Conditions], "tuple[Mapping[str, Observation], str]"]


class Experiments:
    """Runs experiments through ``run`` (given by the session); ``available`` is false where nothing can be run (text-only healing).

    ``trace`` gives the product lines that a failing test executes.
    """

    def __init__(
        self, run: Run | None = None, expired: Callable[[], bool] = lambda: False, trace: Callable[[Failure, Sequence[str]], Lines] | None = None
    ) -> None:
        self._run = run
        self._trace = trace
        self._expired = expired
        self.count = 0

    @property
    def available(self) -> bool:
        """Whether an experiment can be made now: there is a way to run tests and the healing budget is not used up."""
        return self._run is not None and not self._expired()

    def observe(
        self, nodeids: Sequence[str], overlay: Mapping[str, bytes] | None = None, conditions: Conditions | None = None
    ) -> Mapping[str, Observation]:
        """One run of ``nodeids`` with ``overlay`` (path -> healed bytes) served; empty when it was not possible (hang, crash, no runner)."""
        if self._run is None or self._expired():
            return {}
        self.count += 1
        observed, problem = self._run(nodeids, overlay or {}, conditions or Conditions())
        return {} if problem else observed

    def executed(self, failure: Failure, also: Sequence[str] = ()) -> Lines:
        """The product lines that a failing test executes, unhealed, and the tests ``also``; empty where that is not known."""
        return self._trace(failure, also) if self._trace is not None and self.available else {}

    def repeat(self, nodeid: str, times: int, overlay: Mapping[str, bytes] | None = None, conditions: Conditions | None = None) -> list[Observation]:
        """``times`` runs of one test; runs that could not be made are left out."""
        out = []
        for _ in range(times):
            found = self.observe([nodeid], overlay, conditions).get(nodeid)
            if found is not None:
                out.append(found)
        return out
