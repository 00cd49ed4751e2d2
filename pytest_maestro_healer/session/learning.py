"""The history's side of one pytest run: what the healing phase asks and tells it, and which tests were green at which commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import is_test
from pytest_maestro_healer.model import Failure, HealingResult

if TYPE_CHECKING:
    from pytest_maestro_healer.learn.learner import Learner


class Learning:
    """Nothing is imported, read or written before it is needed; a passing run needs one look at git and at most one write, at its end."""

    def __init__(self, settings: HealerConfig, files: ProjectFiles, note: Callable[[str], None]) -> None:
        self._settings = settings
        self._files = files
        self._note = note
        self._began = time.time()

    @cached_property
    def learner(self) -> Learner:
        """What the pipeline asks."""
        from pytest_maestro_healer.learn.learner import Learner
        from pytest_maestro_healer.learning import open_history

        return Learner(open_history(self._files.root, self._settings))

    def figures(self) -> Mapping[str, Any] | None:
        """What ``maestro-heal stats`` would show now, for the charts of a report; ``None`` where learning is off."""
        if not (self._settings.learning and self._settings.enable_cache):
            return None
        from pytest_maestro_healer.learn.summary import summary

        return summary(self.learner.history.entries()).to_dict()

    def finished(self, results: Sequence[HealingResult], failures: Sequence[Failure]) -> None:
        """The healing phase is over: record it, and how earlier heals were committed."""
        from pytest_maestro_healer.evidence.git import Git
        from pytest_maestro_healer.learning import settle

        learner = self.learner
        settle(learner.history, Git(self._files.root), learner.entries)
        learner.finish(results, failures)
        self._tell()

    def green(self, session: pytest.Session, ran: Mapping[str, Sequence[str]], passed: Collection[str], served: Collection[str]) -> None:
        """The run is over: record the commit at which ``passed`` were seen passing.

        ``ran`` has the nodeids by worker, ``served`` the files whose code was not the disk's.
        """
        if not passed or not (self._settings.learning and self._settings.enable_cache):
            return
        from pytest_maestro_healer.evidence.git import Git
        from pytest_maestro_healer.learning import record_green

        nodeids = {n for names in ran.values() for n in names}
        history = self.learner.history
        try:
            git = Git(self._files.root)
            record_green(history, git, self._files, nodeids, passed, complete=_complete(session), healed=served, began=self._began)
        except Exception as exc:  # a bug of ours must not change the user's run
            self._note(f"recording the green commit raised {type(exc).__name__}: {exc}")
        self._tell()

    def _tell(self) -> None:
        for line in self.learner.history.notes:
            self._note(line)


def _complete(session: pytest.Session) -> bool:
    """Whether no test of a collected file was left out."""
    option = session.config.option
    chosen = any(is_test(str(a)) for a in session.config.args) or any(getattr(option, n, None) for n in ("keyword", "markexpr", "lf", "deselect"))
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    return not (chosen or session.shouldstop or session.shouldfail or getattr(reporter, "stats", {}).get("deselected"))
