"""Writing for adapters: the project's store, and the run that validates what is about to be written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_maestro_healer.apply.journal import Journal, Link
from pytest_maestro_healer.apply.store import Store
from pytest_maestro_healer.commands.root import configuration, rootdir
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.nodeids import file_of, is_test, tail_of
from pytest_maestro_healer.learning import attend, open_history
from pytest_maestro_healer.model import HealingResult
from pytest_maestro_healer.remote.engine import run_job
from pytest_maestro_healer.remote.job import Answer, Job

#: Seconds in which the tests of one file have to be done.
TIMEOUT = 300.0
_NO_TIME = 0.001


def store_of(root: Path) -> Store:
    """The healing state of the project at ``root``, as the command line has it: what is decided here is learned from, too."""
    config = configuration(root, rootdir(root)[1])
    store = Store(root, config)
    attend(store, open_history(root, config))
    return store


def steps(store: Store) -> list[Link]:
    """The steps that heals made in the project's files, from one version to the next."""
    return Journal(store.root, store.folder, store.notes.append).links()


@dataclass(frozen=True)
class Outcomes:
    """How the tests of ``paths`` end with other contents of files; ``problem`` where they could not be run so."""

    results: Mapping[str, str]
    problem: str = ""

    @property
    def failed(self) -> set[str]:
        """Nodeids that do not pass; a file that cannot be collected is one."""
        return {n for n, o in self.results.items() if o == "failed"}

    @property
    def passed(self) -> set[str]:
        """Nodeids that pass."""
        return {n for n, o in self.results.items() if o == "passed"}


async def outcomes(root: Path, files: Mapping[str, bytes], targets: Sequence[str], nodeids: Sequence[str] = (), timeout: float = TIMEOUT) -> Outcomes:
    """Run the test files ``targets`` (or only ``nodeids`` of them) with ``files`` (root-relative path -> bytes) in place of the disk's.

    Nothing is written, nothing is healed. Never raises for what goes wrong with the run.
    """
    real = Path(os.path.realpath(root))
    served = {str(real / path): data for path, data in files.items()}
    selects = tuple((file_of(n), tail_of(n)) for n in nodeids if is_test(n))
    with tempfile.TemporaryDirectory(prefix="maestro-heal-") as folder:
        work = Path(folder)
        # the engine shows the other contents, but has no time to heal anything, and keeps nothing
        config = HealerConfig(budget=_NO_TIME, learning=False, fresh_confirm=False, cache_dir=str(work / "state"))
        settings = frozenset({"budget", "learning", "cache_dir"})
        job = Job(real, tuple(targets), config, settings, served, selects, alone=True)
        try:
            answer, problem = await run_job(job, work, timeout=timeout)
        except (HealerError, OSError) as exc:
            answer, problem = None, str(exc)
    return _outcomes(answer, problem, len(selects) < len(nodeids))


def _outcomes(answer: Answer | None, problem: str, whole: bool) -> Outcomes:
    if answer is None:
        return Outcomes({}, problem or "the tests could not be run")
    if answer.unserved:
        return Outcomes({}, f"nothing imports {Path(answer.unserved[0]).name}, so its healed state cannot be tried")
    if answer.missing and not whole:
        return Outcomes({}, f"{answer.missing[0]} does not exist any more")
    broken = {f.nodeid: "failed" for f in answer.failures}
    return Outcomes({**answer.outcomes, **broken})


async def validate(root: Path, result: HealingResult) -> str:
    """Why the tests of ``result`` do not pass with its changes on the files of now; ``""`` where they do."""
    wanted = list(result.nodeids or (result.test_id,))
    targets = list(dict.fromkeys(file_of(n) for n in wanted))
    found = await outcomes(root, {c.path: c.after_bytes for c in result.changes}, targets, wanted)
    if found.problem:
        return found.problem
    if found.failed:
        return f"with the heal {sorted(found.failed)[0]} fails"
    return "" if found.passed else "with the heal no test runs"
