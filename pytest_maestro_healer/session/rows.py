"""The diff in pytest-html's rows, by the ``extras`` that plugin documents for reports.

pytest-html builds a row when its test is over, long before anything is healed. So a failed test gets an extra of its own then, empty, and
what it says is put in once the healing is done; the page is only written at the end of the run. A file that could not be collected has
no extras: its heal stands in the summary of the page.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from pytest_maestro_healer.evidence.redact import for_display
from pytest_maestro_healer.model import HealingReport


class Rows:
    """Registered only where pytest-html is there and makes a page."""

    def __init__(self) -> None:
        self._extras: dict[str, list[dict[str, Any]]] = {}
        self._summary: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Reserve the place; pytest-html reads ``extras`` when the teardown's report arrives."""
        if report.outcome == "failed":
            extra: dict[str, Any] = import_module("pytest_html.extras").html("")
            self._extras.setdefault(str(report.nodeid), []).append(extra)
            report.extras = [*getattr(report, "extras", ()), extra]  # type: ignore[attr-defined]

    def fill(self, report: HealingReport) -> None:
        """Say in each row what became of its failure."""
        from pytest_maestro_healer.report.fragment import fragment

        for result, shown in zip(report.results, for_display(report).results, strict=True):
            text = fragment(shown)
            found = [e for n in dict.fromkeys((*result.nodeids, result.test_id)) for e in self._extras.get(n, ())]
            for extra in found:
                extra["content"] = text
            if not found:
                self._summary.append(text)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, summary: list[str]) -> None:
        """What has no row of its own."""
        summary += self._summary


def html_rows(config: pytest.Config) -> Rows | None:
    """The rows of this run, registered; ``None`` where pytest-html is absent or makes no page."""
    if not config.pluginmanager.hasplugin("html") or not config.getoption("htmlpath", None):
        return None
    rows = Rows()
    config.pluginmanager.register(rows, "maestro-healer-html-rows")
    return rows
