"""The evidence that strategies may ask for, in one place, so that they stay pure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.experiments import Experiments
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of, name_of
from pytest_maestro_healer.model import Failure

if TYPE_CHECKING:
    from pytest_maestro_healer.evidence.distributions import Distributions
    from pytest_maestro_healer.evidence.git import Git
    from pytest_maestro_healer.evidence.live import Live
    from pytest_maestro_healer.evidence.machine import Machine
    from pytest_maestro_healer.evidence.settings import Settings
    from pytest_maestro_healer.evidence.symbols import SymbolIndex
    from pytest_maestro_healer.evidence.variables import Variables

#: Commits looked at for a test's last green one: those of other branches are no answer.
_GREEN_COMMITS = 20
#: Sources kept with their trees.
_PARSED = 64


class Context:
    """Evidence for one healing step.

    ``overlay`` holds the healed bytes of earlier steps (path -> bytes): :meth:`source` serves them, so that a follow-up heal builds on
    what was already done. ``failures`` are all failures of the run, ``passed`` the nodeids that passed, ``collected`` all
    nodeids known. ``sequences`` holds, for a failed test, what ran in its process in the order in which it ran; ``partial`` says that
    the run left tests out or changed their order; ``green_commits`` gives the commits at which a test was seen passing. Evidence
    sources are built on first use and shared between contexts by :meth:`step`.
    """

    def __init__(
        self,
        root: Path,
        config: HealerConfig,
        *,
        failures: Sequence[Failure] = (),
        passed: frozenset[str] = frozenset(),
        collected: Sequence[str] = (),
        overlay: Mapping[str, bytes] | None = None,
        files: ProjectFiles | None = None,
        sequences: Mapping[str, Sequence[str]] | None = None,
        partial: bool = False,
        green_commits: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        self._green_commits = green_commits
        self.sequences = sequences or {}
        self.partial = partial
        self.root = root
        self.config = config
        self.failures = tuple(failures)
        self.passed = passed
        self.collected = tuple(collected)
        self.overlay = dict(overlay or {})
        self.files = files or ProjectFiles(root)
        self._sources: dict[str, SourceFile] = {}
        self._parsed: dict[tuple[str, bytes], SourceFile] = {}
        self._parent: Context | None = None
        self._experiments = Experiments()

    def step(self, overlay: Mapping[str, bytes]) -> Context:
        """A context for a follow-up step: same evidence, other working bytes."""
        child = Context(
            self.root,
            self.config,
            failures=self.failures,
            passed=self.passed,
            collected=self.collected,
            overlay=overlay,
            files=self.files,
            sequences=self.sequences,
            partial=self.partial,
        )
        child._parent = self._parent or self
        return child

    @property
    def experiments(self) -> Experiments:
        """Runs of tests under stated conditions; ``available`` is false where nothing can be run."""
        return self._owner._experiments

    def set_experiments(self, experiments: Experiments) -> None:
        """Called by the pipeline, which knows how to run tests; it holds for all contexts of the phase."""
        self._owner._experiments = experiments

    def before(self, nodeid: str) -> tuple[str, ...]:
        """The tests that ran before ``nodeid`` in the same process, in their order; empty where it was the first or nothing is known."""
        sequence = list(dict.fromkeys(self.sequences.get(nodeid, self.collected)))
        return tuple(sequence[: sequence.index(nodeid)]) if nodeid in sequence else ()

    @cached_property
    def tested(self) -> frozenset[str]:
        """The files in which a test was found, or that failed when tests were looked for."""
        return frozenset([*(file_of(n) for n in self.collected), *(f.path for f in self.failures)])

    def last_green(self, nodeid: str) -> str:
        """The newest commit at which ``nodeid`` (or a test of the file ``nodeid``) was seen passing and from which HEAD was made; or ``""``.

        Known only where an earlier run with healing recorded it. A commit that does not have the test yet is not an answer.
        """
        known = self._owner._green_commits
        if known is None or not self.git.available:
            return ""
        path, word = file_of(nodeid), name_of(nodeid).encode()
        for commit in islice(dict.fromkeys(known(nodeid)), _GREEN_COMMITS):
            if self.git.is_ancestor(commit) and word in (self.git.bytes_at(path, commit) or b""):
                return commit
        return ""

    # -- sources -------------------------------------------------------------------------------------------
    def source(self, path: str) -> SourceFile | None:
        """The file as it stands in this step (overlay first, then disk); ``None`` when it cannot be read."""
        if path not in self._sources:
            data = self.overlay.get(path)
            if data is None:
                data = self.files.read(path)
            if data is None:
                return None
            # the steps of a healing phase look at the same few files again and again
            known = self._owner._parsed
            if (path, data) not in known:
                while len(known) >= _PARSED:
                    del known[next(iter(known))]
                known[path, data] = SourceFile(path, data)
            self._sources[path] = known[path, data]
        return self._sources[path]

    def is_test_code(self, path: str) -> bool:
        """Whether ``path`` (root-relative) is test code of this project: the only thing that may be edited."""
        return self.files.is_test_code(path)

    def is_helper(self, path: str) -> bool:
        """Test code shared by several test modules (conftest or helper): editing it is for review."""
        return self.is_test_code(path) and not self.files.is_test_module(path)

    def test_files(self) -> Sequence[str]:
        """All test code files of the project, root-relative, sorted."""
        return self.files.test_files

    def test_files_with(self, word: str) -> Iterable[SourceFile]:
        """Test code files whose bytes contain ``word``."""
        needle = word.encode()
        for path in self.test_files():
            src = self.source(path)
            if src is not None and needle in src.data:
                yield src

    # -- shared evidence -----------------------------------------------------------------------------------
    @property
    def _owner(self) -> Context:
        return self._parent or self

    @property
    def git(self) -> Git:
        """The repository's facts (``git.available`` is false where there is none)."""
        return self._owner._git

    @cached_property
    def _git(self) -> Git:
        from pytest_maestro_healer.evidence.git import Git

        return Git(self.root)

    @property
    def symbols(self) -> SymbolIndex:
        """Definitions, imports and re-exports of the project's product and test code."""
        return self._owner._symbols

    @cached_property
    def _symbols(self) -> SymbolIndex:
        from pytest_maestro_healer.evidence.symbols import SymbolIndex

        return SymbolIndex(self.files)

    @property
    def live(self) -> Live:
        """Modules, signatures and namespaces of the running interpreter."""
        return self._owner._live

    @cached_property
    def _live(self) -> Live:
        from pytest_maestro_healer.evidence.live import Live

        return Live(self.root)

    @property
    def distributions(self) -> Distributions:
        """Installed distributions, import names, requirements."""
        return self._owner._distributions

    @cached_property
    def _distributions(self) -> Distributions:
        from pytest_maestro_healer.evidence.distributions import Distributions

        return Distributions(self.root)

    @property
    def environ(self) -> Mapping[str, str]:
        """The run's environment variables."""
        return os.environ

    @property
    def machine(self) -> Machine:
        """Files, user, zone and interpreter of the machine, read only."""
        return self._owner._machine

    @cached_property
    def _machine(self) -> Machine:
        from pytest_maestro_healer.evidence.machine import Machine

        return Machine(self.root)

    @property
    def settings(self) -> Settings:
        """Documented values of environment variables."""
        return self._owner._settings

    @cached_property
    def _settings(self) -> Settings:
        from pytest_maestro_healer.evidence.settings import Settings

        return Settings(self.files)

    @property
    def variables(self) -> Variables:
        """Which environment variables the project's code reads."""
        return self._owner._variables

    @cached_property
    def _variables(self) -> Variables:
        from pytest_maestro_healer.evidence.variables import Variables

        return Variables(self.symbols)
