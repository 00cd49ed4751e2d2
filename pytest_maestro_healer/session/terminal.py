"""Puts the pure report lines on pytest's terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.model import HealingReport
from pytest_maestro_healer.report import terminal as lines
from pytest_maestro_healer.session.own import registered
from pytest_maestro_healer.session.reviewing import interactive
from pytest_maestro_healer.strategies import BUILTIN


class Terminal:
    """The terminal reporter's side of one healing session."""

    def __init__(self, config: pytest.Config, settings: HealerConfig) -> None:
        self.config = config
        self.settings = settings
        self._progress = False

    @property
    def reporter(self) -> Any:
        """Pytest's terminal reporter, or ``None``."""
        return self.config.pluginmanager.get_plugin("terminalreporter")

    def header(self) -> str:
        """One line, only when active."""
        chosen, dropped = self.settings.strategies, self.settings.exclude_strategies
        names = [*BUILTIN, *(s.name for s in registered(self.config)[0])]
        number = len([s for s in names if (not chosen or s in chosen) and s not in dropped])
        return lines.header(self.settings, number)

    def progress(self, done: int, total: int, nodeid: str) -> None:
        """A rewritten line on a tty, nothing when piped."""
        reporter = self.reporter
        if reporter is None or not reporter.isatty or self.config.getoption("verbose", 0) < 0:
            return
        reporter.rewrite(lines.progress(done, total, nodeid, self.config.get_terminal_writer().fullwidth), erase=True)
        self._progress = True

    def clear_progress(self) -> None:
        """End the rewritten line."""
        if self._progress and self.reporter is not None:
            self.reporter.rewrite("", erase=True)
            self._progress = False

    def show_originals(self, originals: Sequence[pytest.CollectReport]) -> None:
        """A collection error that was healed stays visible as an error with its traceback."""
        reporter = self.reporter
        if reporter is not None and originals:
            reporter.stats.setdefault("error", []).extend(originals)

    def summary(self, report: HealingReport) -> None:
        """The ``healing summary`` section."""
        reporter = self.reporter
        if reporter is None:
            return
        writer = self.config.get_terminal_writer()
        ok = _unicode_ok()
        verbosity = self.config.getoption("verbose", 0)
        if self.settings.review and not interactive(self.config):
            verbosity = max(verbosity, 1)  # nobody to ask: print every diff
        rows = list(lines.summary(report, verbosity=verbosity, width=writer.fullwidth, unicode_ok=ok))
        if "H" in (self.config.getoption("reportchars", "") or ""):  # first: the summary ends in the next command
            rows = [*lines.short_summary(report, width=writer.fullwidth, unicode_ok=ok), *rows]
        if not rows:
            return
        writer.sep("=", "healing summary")
        for row in rows:
            for text, markup in row:
                writer.write(text, **markup)
            writer.line()


def _unicode_ok() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "✓…é".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
