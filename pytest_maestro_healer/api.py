"""The Python API: heal failed tests given as code and error, single or many, or a whole suite.

The engine is the plugin's: tests run, heals are proved and written by ``pytest --heal`` in a process of its own, so the caller's event loop
is never blocked and its interpreter never imports the tests.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_maestro_healer.config import HealerConfig, check_strategies
from pytest_maestro_healer.errors import ConfigError, HealerError
from pytest_maestro_healer.insights import Attempt, Insights, insights
from pytest_maestro_healer.model import FailurePattern, HealingResult, HealingStrategy
from pytest_maestro_healer.remote.wait import wait

#: Healing processes at one time: each runs tests, which may themselves use every core.
CONCURRENCY = max(1, min(4, os.cpu_count() or 1))
_STRATEGIES = {str(s): s for s in HealingStrategy}


@dataclass
class TestFailure:
    """One failed test for :meth:`AutonomousTestHealer.heal_multiple_tests`; all but the code may be left out.

    ``failure_type`` is the kind of failure where it is known, ``error_type`` the exception's name; ``test_id`` is the nodeid or the test's name.
    """

    __test__ = False

    test_code: str = ""
    error_message: str = ""
    error_type: str = ""
    stack_trace: str = ""
    test_file: str = ""
    test_id: str = ""
    failure_type: FailurePattern | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    created_at: float = field(default_factory=time.time)

    @property
    def error_details(self) -> dict[str, Any]:
        """What :meth:`AutonomousTestHealer.heal_failed_test` takes."""
        own = {name: getattr(self, name) for name in ("error_message", "error_type", "stack_trace", "test_file", "test_id")}
        if not own["error_type"] and self.failure_type is not None:
            own["error_type"] = str(self.failure_type)
        return {**self.details, **{k: v for k, v in own.items() if v}}


class AutonomousTestHealer:
    """Heals failed tests.

    ``config`` takes the keys ``confidence_threshold`` (0.75), ``auto_apply`` (true), ``learning_enabled`` (true), ``max_attempts`` (3),
    ``healing_timeout`` (30 seconds for one healing operation), ``validate_before_apply`` (true), ``enable_cache`` (true), ``strategies`` (all)
    and ``cache_dir``. A key that is not given has the project's own ini value where a project is run.

    ``auto_apply`` writes only into a ``test_file`` that exists and has the given code as its content, and only what is ``safe``, proved
    and over the threshold; never in CI. What was written, ``maestro-heal rollback`` undoes.

    Raises :class:`~pytest_maestro_healer.errors.ConfigError` for an unknown key or a wrong value.
    """

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        from pytest_maestro_healer.remote.job import given_fields

        found = HealerConfig.from_mapping(config)
        if found.apply == "all":
            raise ConfigError("auto_apply: 'all' is not for the Python API, which writes only what is safe; use true or false")
        if "auto_apply" not in (config or {}):
            found = found.replace(apply="safe")
        self.config = found
        self._given = given_fields(config)
        self._attempts: list[Attempt] = []
        self._roots: dict[Path, None] = {}
        self._ready = False

    # -- asking --------------------------------------------------------------------------------------------
    async def initialize_healer(self) -> None:
        """Check that tests can be run here; done by itself before the first heal.

        Raises :class:`~pytest_maestro_healer.errors.HealerError` when pytest is not installed.
        """
        if not self._ready and importlib.util.find_spec("pytest") is None:
            raise HealerError("pytest is not installed in this interpreter")
        self._ready = True

    async def heal_failed_test(self, test_code: str, error_details: Mapping[str, Any] | None = None) -> HealingResult:
        """Heal one failed test.

        ``test_code`` is the text of the test file, or of the test function alone. ``error_details`` may have ``error_message`` (or
        ``message``), ``error_type``, ``stack_trace``, ``test_file``, ``test_id`` (nodeid or name), ``project_path`` (where ``test_file`` starts
        from and pytest is run; default: the current folder); all optional. With a ``test_file`` that exists
        the code runs in its project, whatever the file has on the disk; else in a scratch project. Where the failure shows there, the heal
        comes from live values and is proved; else from the text alone, unproved and with little confidence, and ``validation_results`` says so.

        Raises :class:`TypeError` for arguments of other types, :class:`~pytest_maestro_healer.errors.HealerError` for a file that cannot be read.
        """
        return await self._single(test_code, error_details, self.config)

    async def heal_with_strategy(
        self, test_code: str, error_details: Mapping[str, Any] | None = None, strategy: HealingStrategy | str | None = None
    ) -> HealingResult:
        """Heal one failed test by one strategy only; arguments and exceptions as in :meth:`heal_failed_test`.

        Raises :class:`~pytest_maestro_healer.errors.ConfigError` for an unknown strategy.
        """
        chosen = check_strategies("strategy", strategy) if strategy is not None else self.config.strategies
        return await self._single(test_code, error_details, self.config.replace(strategies=chosen))

    async def heal_multiple_tests(self, test_failures: Iterable[Any], max_concurrency: int = CONCURRENCY) -> list[HealingResult]:
        """Heal many failed tests, a few at a time; one result for each, in their order.

        An entry is a mapping with ``code`` and ``error`` (or ``test_code`` and ``error_details``), a :class:`TestFailure`, or any object with
        ``test_code`` and ``error_details``. Entries of one file in one state share a run. What is wrong with an entry is said in its own
        result and spoils no other.
        """
        from pytest_maestro_healer.remote.batch import heal_batch

        await self.initialize_healer()
        results = await heal_batch(list(test_failures), self.config, self._given, max(1, max_concurrency), self._seen)
        return [self._noted(r) for r in results]

    async def auto_heal_test_suite(self, path: str | os.PathLike[str]) -> dict[str, list[Any]]:
        """Run the tests of a file or folder with healing on.

        Returns ``successful_heals`` and ``failed_heals`` (lists of :class:`~pytest_maestro_healer.model.HealingResult`) and ``skipped_tests``
        (failures that were not looked at: dicts with ``test_id`` and ``reason``). Raises :class:`~pytest_maestro_healer.errors.HealerError` when
        there is no such path or pytest cannot run it.
        """
        from pytest_maestro_healer.remote.suite import heal_suite

        await self.initialize_healer()
        with tempfile.TemporaryDirectory(prefix="maestro-heal-") as work:
            found = await heal_suite(Path(path), self.config, self._given, Path(work), self._seen)
        for key in ("successful_heals", "failed_heals"):
            found[key] = [self._noted(r) for r in found[key]]
        return found

    def get_healing_insights(self) -> Insights:
        """What this healer's attempts show; the dict may be awaited too.

        ``total_healing_attempts``, ``overall_success_rate`` (0..1), ``strategy_effectiveness`` (by strategy: attempts, successes, success_rate,
        average_confidence, average_seconds), ``recent_trends``, ``top_failure_patterns`` and ``learning_insights`` (sentences; with
        ``learning_enabled`` also about what the history of each project says in which this healer has healed).
        """
        learned = []
        if self.config.learning and self.config.enable_cache:
            from pytest_maestro_healer.commands.root import rootdir
            from pytest_maestro_healer.learn.summary import summary
            from pytest_maestro_healer.learning import open_history

            for root in self._roots:
                where = self.config.replace(cache_dir=self.config.cache_dir or rootdir(root)[1])
                learned.append((str(root), summary(open_history(root, where).entries())))
        return insights(self._attempts, learned)

    # -- the same for code that has no event loop ----------------------------------------------------------
    def initialize_healer_sync(self) -> None:
        """:meth:`initialize_healer`, waited for."""
        wait(self.initialize_healer())

    def heal_failed_test_sync(self, test_code: str, error_details: Mapping[str, Any] | None = None) -> HealingResult:
        """:meth:`heal_failed_test`, waited for."""
        return wait(self.heal_failed_test(test_code, error_details))

    def heal_with_strategy_sync(
        self, test_code: str, error_details: Mapping[str, Any] | None = None, strategy: HealingStrategy | str | None = None
    ) -> HealingResult:
        """:meth:`heal_with_strategy`, waited for."""
        return wait(self.heal_with_strategy(test_code, error_details, strategy))

    def heal_multiple_tests_sync(self, test_failures: Iterable[Any], max_concurrency: int = CONCURRENCY) -> list[HealingResult]:
        """:meth:`heal_multiple_tests`, waited for."""
        return wait(self.heal_multiple_tests(test_failures, max_concurrency))

    def auto_heal_test_suite_sync(self, path: str | os.PathLike[str]) -> dict[str, list[Any]]:
        """:meth:`auto_heal_test_suite`, waited for."""
        return wait(self.auto_heal_test_suite(path))

    def get_healing_insights_sync(self) -> dict[str, Any]:
        """:meth:`get_healing_insights`."""
        return dict(self.get_healing_insights())

    # -- parts ---------------------------------------------------------------------------------------------
    async def _single(self, code: str, details: Mapping[str, Any] | None, config: HealerConfig) -> HealingResult:
        from pytest_maestro_healer.remote.batch import heal_one

        if not isinstance(code, str):
            raise TypeError(f"test_code must be a str, not {type(code).__name__}")
        if details is not None and not isinstance(details, Mapping):
            raise TypeError(f"error_details must be a mapping, not {type(details).__name__}")
        await self.initialize_healer()
        return self._noted(await heal_one(code, details or {}, config, self._given, self._seen))

    def _seen(self, root: Path) -> None:
        """A project in which tests were run."""
        self._roots[root] = None

    def _noted(self, result: HealingResult) -> HealingResult:
        """Remember the attempt; the strategy's name becomes the enum's member."""
        result = dataclasses.replace(result, strategy_used=_STRATEGIES.get(result.strategy_used, result.strategy_used))
        self._attempts.append(Attempt.of(result))
        return result


__all__: Sequence[str] = ["AutonomousTestHealer", "FailurePattern", "HealingResult", "HealingStrategy", "TestFailure"]
