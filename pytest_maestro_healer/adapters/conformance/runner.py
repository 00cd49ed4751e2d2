"""What every test runner is held to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_maestro_healer.adapters.conformance.stage import NODEID, PATH, RIGHT, WRONG, make_project
from pytest_maestro_healer.adapters.protocols import FailureLike, ResultsLike, RunnerLike


class RunnerConformance:
    """Subclass it as ``Test...`` and give :meth:`make_runner`; all tests are inherited."""

    def make_runner(self, project: Path) -> RunnerLike:
        """A runner of the tests of ``project``."""
        raise NotImplementedError("make_runner")

    def test_no_conformance_test_is_overridden(self) -> None:
        """A gap would not be seen."""
        mine = [n for n in vars(RunnerConformance) if n.startswith("test_")]
        changed = [n for n in mine if getattr(type(self), n) is not vars(RunnerConformance)[n]]
        assert changed == [], f"overridden: {changed}"

    def test_a_failure_has_its_code_and_its_details(self, tmp_path: Path) -> None:
        """All that the healer needs to find and reproduce it, and no passing test."""
        root = make_project(tmp_path)
        runner = self.make_runner(root)
        assert isinstance(runner, RunnerLike)
        results = runner.run_tests()
        assert isinstance(results, ResultsLike)
        (failure,) = results.failures
        assert isinstance(failure, FailureLike)
        assert failure.test_code == WRONG
        details = failure.error_details
        assert isinstance(details, Mapping)
        assert str(details["test_id"]).endswith(NODEID)
        assert (root / str(details["test_file"])).samefile(root / PATH)
        assert "1 + 1" in str(details.get("error_message") or details.get("message"))

    def test_a_fix_is_written_and_the_next_run_is_green(self, tmp_path: Path) -> None:
        """By its text alone."""
        root = make_project(tmp_path)
        runner = self.make_runner(root)
        (failure,) = runner.run_tests().failures
        assert runner.apply_fix(failure.test_code.replace("== 3", "== 2"))
        assert (root / PATH).read_text(encoding="utf-8") == RIGHT
        assert list(runner.run_tests().failures) == []

    def test_a_text_that_helps_nothing_changes_nothing(self, tmp_path: Path) -> None:
        """Still failing, failing elsewhere, not parsing, belonging nowhere: none is written, and none raises."""
        root = make_project(tmp_path)
        runner = self.make_runner(root)
        runner.run_tests()
        useless = WRONG.replace("== 3", "== 4")
        harmful = RIGHT.replace("assert True", "assert not True")
        broken = RIGHT.replace("def test_it()", "def test_it(")
        for text in (useless, harmful, broken, "print('something else')\n", WRONG):
            assert not runner.apply_fix(text), text
            assert (root / PATH).read_text(encoding="utf-8") == WRONG, text

    def test_a_file_that_somebody_changed_is_left_alone(self, tmp_path: Path) -> None:
        """The healed text was made from another one."""
        root = make_project(tmp_path)
        runner = self.make_runner(root)
        (failure,) = runner.run_tests().failures
        text = failure.test_code.replace("== 3", "== 2")
        (root / PATH).write_text(WRONG + "# mine\n", encoding="utf-8")
        assert not runner.apply_fix(text)
        assert (root / PATH).read_text(encoding="utf-8") == WRONG + "# mine\n"
