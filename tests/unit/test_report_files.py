"""Reports for machines: JSON, GitHub Actions, JUnit."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.errors import BundleError, HealerError
from pytest_maestro_healer.model import Cause, Decision, DecisionKind, Diagnosis, FailurePattern, FileChange, HealingReport, HealingResult
from pytest_maestro_healer.report import github, junit
from pytest_maestro_healer.report import json as report_json

DIFF = unified("tests/test_a.py", b"a\nb\nold\n", b"a\nb\nnew ``` <b>\n")
PENDING = HealingResult(
    "h-111111",
    "tests/test_a.py::test_a",
    "assertion_update",
    True,
    confidence_score=0.875,
    explanation="the message is <b>bold</b> 100%",
    decision=Decision(DecisionKind.PENDING, "not asked for"),
    diff=DIFF,
    changes=(FileChange.of("tests/test_a.py", b"\xff\x00old\n", b"\xff\x00new\n"),),
)
REGRESSION = HealingResult(
    "",
    "tests/test_m.py::test_m",
    "",
    False,
    diagnosis=Diagnosis(FailurePattern.ASSERTION_FAILURE, 0.9, Cause.REGRESSION_SUSPECTED, ("changed uncommitted",), "shop/my money.py:12"),
)
ADVICE = HealingResult(
    "h-222222", "tests/test_y.py", "dependency_fix", False, advice="pip install PyYAML", decision=Decision(DecisionKind.ADVISED, "")
)
REPORT = HealingReport((PENDING, ADVICE, REGRESSION), 3, 0.5, notes=("budget hit",), version="0.1.0")


class TestJson:
    def test_round_trip(self, tmp_path: Path) -> None:
        target = tmp_path / "new" / "folder" / "heal.json"
        report_json.write(REPORT, target)
        assert report_json.read(target) == REPORT
        assert [p.name for p in target.parent.iterdir()] == ["heal.json"]

    def test_the_schema_is_stable(self) -> None:
        data = json.loads(report_json.dumps(REPORT))
        assert data["schema"] == 1
        assert {"results", "failures", "seconds", "apply", "review", "threshold", "notes", "bundle", "version"} <= data.keys()
        promised = "healing_id test_id strategy_used success original_code healed_code confidence_score validation_results execution_time created_at"
        assert {*promised.split(), "diff", "evidence", "decision"} <= data["results"][0].keys()

    def test_undecodable_bytes_survive(self, tmp_path: Path) -> None:
        result = HealingResult("h-1", "t", "s", True, diff=unified("t.py", b"# \xff\n", b"# \xfe\n"))
        report_json.write(HealingReport((result,)), tmp_path / "r.json")
        again = report_json.read(tmp_path / "r.json").results[0]
        assert again.diff.encode("utf-8", "surrogateescape").count(b"\xff") == 1

    def test_a_newer_writers_keys_are_ignored_and_its_schema_refused(self) -> None:
        data = REPORT.to_dict() | {"news": 1}
        assert report_json.loads(json.dumps(data)) == REPORT
        with pytest.raises(BundleError, match=r"schema 99.*upgrade"):
            report_json.loads(json.dumps(data | {"schema": 99}))

    @pytest.mark.parametrize(
        "text",
        ["", "{", "null", "[]", "3", '"x"', "{}", '{"schema": true, "results": []}', '{"schema": 1, "results": 3}', '{"schema": 1, "results": [3]}',
         '{"schema": 1, "results": [{}]}', '{"schema": 1, "results": [], "seconds": "long"}', "[" * 100_000],
    )  # fmt: skip
    def test_junk_is_a_clear_error(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "junk.json").write_text(text)
        with pytest.raises(BundleError, match=r"junk\.json"):
            report_json.read(tmp_path / "junk.json")

    def test_a_missing_file_and_a_binary_one_are_clear_errors(self, tmp_path: Path) -> None:
        with pytest.raises(BundleError, match="cannot be read"):
            report_json.read(tmp_path / "none.json")
        (tmp_path / "bin.json").write_bytes(b"\xff\xfe\x00\x01")
        with pytest.raises(BundleError, match="not valid JSON"):
            report_json.read(tmp_path / "bin.json")

    def test_what_cannot_be_written_leaves_the_old_file_and_no_litter(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        target = tmp_path / "heal.json"
        target.write_text("old")

        def full(_fd: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(HealerError, match=r"heal\.json cannot be written: No space left"):
            report_json.write(REPORT, target)
        assert target.read_text() == "old"
        assert [p.name for p in tmp_path.iterdir()] == ["heal.json"]

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(HealerError, match="cannot be written"):
            report_json.write(REPORT, tmp_path)
        assert not list(tmp_path.iterdir())

    @pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes and links")
    def test_mode_and_link_are_kept(self, tmp_path: Path) -> None:
        real = tmp_path / "real.json"
        real.write_text("old")
        real.chmod(0o640)
        link = tmp_path / "link.json"
        link.symlink_to(real)
        report_json.write(REPORT, link)
        assert link.is_symlink()
        assert stat.S_IMODE(real.stat().st_mode) == 0o640
        assert report_json.read(real) == REPORT

    @pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="needs /dev/stdout")
    def test_a_device_is_written_directly(self) -> None:
        imports = "from pytest_maestro_healer.report import json as j; from pytest_maestro_healer.model import HealingReport"
        code = imports + "; j.write(HealingReport(), '/dev/stdout')"
        out = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
        assert report_json.loads(out.stdout) == HealingReport()


class TestGithub:
    def test_only_in_github_actions(self, tmp_path: Path) -> None:
        out: list[str] = []
        github.publish(REPORT, {"GITHUB_STEP_SUMMARY": str(tmp_path / "s.md")}, out.append)
        assert not out
        assert not list(tmp_path.iterdir())

    def test_annotations_name_the_place_and_regressions_come_first(self) -> None:
        first, second, third = github.commands(REPORT, "backend/")
        assert first == (
            "::error file=backend/shop/my money.py,line=12,title=Not healed::"
            "tests/test_m.py::test_m: looks like a regression in shop/my money.py:12 (changed uncommitted)"
        )
        assert second.startswith("::warning file=backend/tests/test_a.py,line=3,title=Heal pending%3A h-111111::tests/test_a.py::test_a: ")
        assert "%0A-old%0A+new" in second
        assert second.endswith("%0Amaestro-heal accept h-111111")
        assert third == "::warning file=backend/tests/test_y.py,title=Healing advice::tests/test_y.py: pip install PyYAML"

    @pytest.mark.parametrize("evil", ["x\n::error::owned", "x\r::error::owned", "100%0A", "\x1b[31m", "a\u2028b"])
    def test_a_message_cannot_start_a_command(self, evil: str) -> None:
        result = HealingResult(
            f"h-1{evil}", f"t{evil}.py::t", "s", True, explanation=evil, diff=f"+{evil}", decision=Decision(DecisionKind.PENDING, evil)
        )
        refused = HealingResult("", f"t{evil}.py::t", "", False, decision=Decision(DecisionKind.REJECTED, evil))
        for row in github.commands(HealingReport((result, refused))):
            assert len(row.splitlines()) == 1
            assert row.count("::error::") <= row.count("owned")
            assert row.startswith(("::warning ", "::error "))
            assert row.isprintable()
            head = row.split("::")[1]
            assert "%0A" not in head.replace("%250A", "")

    def test_escapes(self) -> None:
        assert github.escape_data("50% a:b,c\r\n") == "50%25 a:b,c%0D%0A"
        assert github.escape_property("50% a:b,c\r\n") == "50%25 a%3Ab%2Cc%0D%0A"

    def test_step_summary(self) -> None:
        out = github.step_summary(REPORT)
        assert "1 heal pending, 1 advised, 1 not healed (1 looks like a regression)" in out
        assert "<b>bold</b>" not in out
        assert "&lt;b&gt;bold&lt;/b&gt;" in out
        assert "````diff\n" in out
        assert "maestro-heal accept h-111111" in out
        assert "budget hit" in out
        assert github.step_summary(HealingReport()) == ""

    def test_step_summary_shows_markdown_as_text(self) -> None:
        nasty = HealingResult(
            "", "t/__init__.py::t[![x](http://e.example/p.png)]", "", False, decision=Decision(DecisionKind.REJECTED, "<img src=x> @all **b**")
        )
        out = github.step_summary(HealingReport((nasty,)))
        assert "<img" not in out
        assert "![x](" not in out.split("```")[0]
        assert "\\_\\_init\\_\\_" in out
        assert "\\@all" in out
        assert "\\*\\*b\\*\\*" in out

    def test_step_summary_stays_under_githubs_limit(self) -> None:
        big = HealingResult("h-1", "t.py::t", "s", True, diff="+" + "日" * 50_000, decision=Decision(DecisionKind.PENDING, ""))
        out = github.step_summary(HealingReport((big,) * 30))
        assert len(out.encode()) < 1_048_576
        assert "more: see the log" in out

    def test_publish_appends_and_prefixes(self, tmp_path: Path) -> None:
        summary = tmp_path / "s.md"
        summary.write_text("before\n")
        out: list[str] = []
        env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(tmp_path)}
        github.publish(REPORT, env, out.append, str(tmp_path / "backend"))
        assert len(out) == 3
        assert "file=backend/tests/test_a.py" in out[1]
        assert summary.read_text(encoding="utf-8").startswith("before\n### Healing summary\n")

    def test_an_unwritable_summary_is_said_and_no_error(self, tmp_path: Path) -> None:
        out: list[str] = []
        github.publish(REPORT, {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path)}, out.append)
        assert len(out) == 4
        assert "step summary not written" in out[-1]


def test_junit_properties() -> None:
    assert junit.properties(PENDING) == {
        "maestro_healing_id": "h-111111",
        "maestro_decision": "pending",
        "maestro_strategy": "assertion_update",
        "maestro_confidence": "0.88",
    }
    assert junit.properties(REGRESSION)["maestro_reason"] == "looks like a regression in shop/my money.py:12 (changed uncommitted)"
    assert junit.properties(ADVICE)["maestro_advice"] == "pip install PyYAML"
    assert all(value.isprintable() for value in junit.properties(HealingResult("h\x00", "t", "s\x1b", True)).values())
