"""What the terminal says, at each verbosity."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.model import (
    Cause,
    Decision,
    DecisionKind,
    Diagnosis,
    Evidence,
    FailurePattern,
    HealingReport,
    HealingResult,
    ProofStep,
    Verdict,
)
from pytest_maestro_healer.report import terminal
from pytest_maestro_healer.report.text import columns, plain

PENDING = HealingResult(
    "h-3f9a1c",
    "tests/test_cart.py::test_total[0]",
    "dependency_fix",
    True,
    confidence_score=0.97,
    tactic="moved_module",
    explanation="shop.prices was renamed to shop.pricing",
    decision=Decision(DecisionKind.PENDING, "applying was not asked for"),
    nodeids=tuple(f"tests/test_cart.py::test_total[{i}]" for i in range(13)),
    diff=unified("tests/test_cart.py", b"from shop.prices import x\n", b"from shop.pricing import x\n"),
    evidence=(Evidence("git", "renamed in the last commit", "shop/pricing.py"),),
    verdict=Verdict((ProofStep("guard", True, "", 0.01), ProofStep("rerun", True, "13 passed", 0.2), ProofStep("fresh", None, "not needed"))),
    refused=("typo: shop.price is as near",),
)
APPLIED = HealingResult(
    "h-aaaaaa",
    "tests/test_a.py::test_b",
    "syntax_repair",
    True,
    confidence_score=0.9,
    tactic="bracket",
    explanation="the list is closed",
    decision=Decision(DecisionKind.APPLIED, "all"),
    collected=True,
)
ADVICE = HealingResult(
    "h-bbbbbb",
    "tests/test_y.py",
    "dependency_fix",
    False,
    advice="yaml is part of PyYAML, which is not installed: pip install PyYAML",
    decision=Decision(DecisionKind.ADVISED, ""),
)
REGRESSION = HealingResult(
    "",
    "tests/test_money.py::test_split",
    "",
    False,
    diagnosis=Diagnosis(FailurePattern.ASSERTION_FAILURE, 0.9, Cause.REGRESSION_SUSPECTED, ("changed uncommitted",), "shop/money.py:12"),
)
REFUSED = HealingResult("", "tests/test_x.py::test_x", "", False, decision=Decision(DecisionKind.REJECTED, "the value differs between two runs"))
ALL = HealingReport((REFUSED, REGRESSION, PENDING, ADVICE, APPLIED), 20, 1.234, notes=("budget of 600 s reached, 3 failures not tried",))


def text(report: HealingReport, verbosity: int = 0, width: int = 200, unicode_ok: bool = True) -> str:
    return "\n".join(plain(row) for row in terminal.summary(report, verbosity=verbosity, width=width, unicode_ok=unicode_ok))


def test_normal_is_one_line_a_heal_and_names_everything() -> None:
    rows = text(ALL).split("\n")
    heal = next(r for r in rows if r.startswith("h-3f9a1c"))
    assert heal == (
        "h-3f9a1c pending 0.97 dependency_fix/moved_module tests/test_cart.py::test_total[0] and 12 more: shop.prices was renamed to shop.pricing"
    )
    assert "tests/test_money.py::test_split not healed: looks like a regression in shop/money.py:12 (changed uncommitted)" in rows
    assert "tests/test_x.py::test_x not healed: the value differs between two runs" in rows
    assert "note: budget of 600 s reached, 3 failures not tried" in rows
    assert any("healed at collection" in r for r in rows)
    assert any(r.startswith("h-bbbbbb advice ") and r.endswith("pip install PyYAML") for r in rows)
    assert "+from shop.pricing import x" not in text(ALL)


def test_order_is_applied_pending_advised_refused() -> None:
    found = re.findall(r"applied|pending 0|advice|not healed", text(ALL))
    assert found[:5] == ["applied", "pending 0", "advice", "not healed", "not healed"]


def test_many_of_a_file_that_were_not_healed_for_one_reason_are_one_line() -> None:
    many = [replace(REFUSED, test_id=f"tests/test_a.py::test_{i}", nodeids=()) for i in range(4)]
    other = [replace(REFUSED, test_id=f"tests/test_b.py::test_{i}", nodeids=()) for i in range(3)]
    reason = f"not healed: {terminal.refusal(REFUSED)}"
    report = HealingReport((*many, *other))
    rows = [f"tests/test_a.py::test_0 and 3 more {reason}", *(f"tests/test_b.py::test_{i} {reason}" for i in range(3))]
    assert text(report).split("\n")[:5] == [*rows, "7 not healed in 0.00s"]
    assert text(report, 1).count(reason) == 7


def test_quiet_counts_and_says_what_to_type() -> None:
    rows = text(ALL, -1).split("\n")
    assert "1 heal applied, 1 heal pending, 1 advised, 2 not healed (1 looks like a regression) in 1.23s" in rows
    assert not any("test_cart" in r for r in rows)
    assert "accept it:  maestro-heal accept h-3f9a1c" in rows
    assert text(ALL, -2).count("\n") == 0


def test_verbose_adds_the_diff_and_very_verbose_the_reasons() -> None:
    verbose, very = text(ALL, 1), text(ALL, 2)
    for shown in (verbose, very):
        assert "    -from shop.prices import x" in shown
        assert "    +from shop.pricing import x" in shown
        assert "pending: applying was not asked for" in shown
    for detail in (
        "evidence: git: renamed in the last commit (shop/pricing.py)",
        "proof: rerun passed in 0.20s: 13 passed",
        "proof: fresh not run: not needed",
        "declined: typo: shop.price is as near",
        "diagnosis: assertion_failure 0.90, regression_suspected",
        "heals: tests/test_cart.py::test_total[12]",
    ):
        assert detail in very
        assert detail not in verbose


@pytest.mark.parametrize("verbosity", [-1, 0, 1, 2])
@pytest.mark.parametrize(
    ("results", "last"),
    [
        ((PENDING,), "pytest --heal-review"),
        ((APPLIED,), "maestro-heal rollback --last"),
        ((APPLIED, PENDING), "maestro-heal rollback --last"),
        ((REGRESSION,), r"pytest --heal( -vv)? tests/test_money.py::test_split"),
        ((ADVICE,), r"pytest --heal( -vv)? tests/test_y.py"),
    ],
)
def test_it_ends_in_the_exact_next_command(verbosity: int, results: tuple[HealingResult, ...], last: str) -> None:
    closing = text(HealingReport(results), verbosity, width=40).split("\n")[-1]
    assert re.search(rf": +{last}$", closing)


def test_several_pending_heals_can_be_taken_at_once() -> None:
    out = text(HealingReport((PENDING, PENDING)))
    assert "maestro-heal accept --all" in out
    assert "maestro-heal accept h-3f9a1c" in out


def test_after_a_review_the_review_is_not_offered_again() -> None:
    assert "--heal-review" not in text(HealingReport((PENDING,), review=True))


def test_parametrised_ids_are_quoted_in_commands() -> None:
    odd = HealingResult("", "tests/test_a.py::test_b[it's $HOME]", "", False)
    assert """pytest --heal -vv 'tests/test_a.py::test_b[it'"'"'s $HOME]'""" in text(HealingReport((odd,)))


def test_nothing_failed_nothing_said() -> None:
    assert text(HealingReport()) == ""
    assert text(HealingReport(notes=("stale bundle skipped",))) == "note: stale bundle skipped"


def test_a_narrow_terminal_gets_tests_and_reason_on_lines_of_their_own() -> None:
    rows = text(HealingReport((PENDING, APPLIED)), 0, 60).split("\n")
    at = rows.index("h-3f9a1c pending 0.97 dependency_fix/moved_module")
    assert rows[at + 1 : at + 3] == ["    tests/test_cart.py::test_total[0] and 12 more", "    shop.prices was renamed to shop.pricing"]
    assert rows[-1].endswith("rollback --last")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_overflows_and_no_reason_is_lost(width: int) -> None:
    long = replace(PENDING, explanation="every word of this " * 12 + "must be read")
    rows = text(HealingReport((long, APPLIED)), 0, width).split("\n")
    assert all(columns(r) <= width for r in rows[: -len(terminal.next_commands(HealingReport((long, APPLIED)))) - 1])
    assert re.sub(r"\s+", " ", " ".join(rows)).count("every word of this") == 12


def test_a_file_healed_at_collection_is_named_as_a_file() -> None:
    whole = replace(APPLIED, test_id="tests/test_a.py", nodeids=("tests/test_a.py::test_a", "tests/test_a.py::test_b"))
    assert "syntax_repair/bracket tests/test_a.py (healed at collection, 2 tests ran): the list is closed" in text(HealingReport((whole,)))
    group = replace(whole, nodeids=(*whole.nodeids, "tests/test_c.py::test_a"))
    assert "tests/test_a.py and 1 more file (healed at collection, 3 tests ran)" in text(HealingReport((group,)))


def test_a_refusal_is_never_cut() -> None:
    assert "(changed uncommitted)" in text(HealingReport((REGRESSION,)), 0, 30)


def test_an_ascii_terminal_gets_ascii_and_no_escape_ever_passes() -> None:
    nasty = "\x1b[2J\u202e日本\x07\r\n::error::x"
    diff = unified("t.py", b"x = 1\n", 'x = "\x1b]0;own\x07ed 日"\n'.encode())
    result = HealingResult(
        "h-cccccc", f"t.py::test[{nasty}]", "assertion_update", True, explanation=nasty, decision=Decision(DecisionKind.PENDING, nasty),
        diff=diff, evidence=(Evidence("value", nasty, nasty),), alternatives=(nasty,), refused=(nasty,),
        verdict=Verdict((ProofStep("guard", False, nasty),)), diagnosis=Diagnosis(FailurePattern.UNKNOWN, 0.5, Cause.UNKNOWN, (nasty,)),
    )  # fmt: skip
    report = HealingReport((result, ADVICE, REFUSED), notes=(nasty,))
    for unicode_ok in (True, False):
        for verbosity in (-1, 0, 1, 2):
            out = text(report, verbosity, 80, unicode_ok)
            assert all(c == "\n" or c.isprintable() for c in out)
            assert out.isascii() or unicode_ok
        parts = (*terminal.failure_section(result), *(plain(r) for r in terminal.short_summary(report, unicode_ok=unicode_ok)))
        assert all(c == "\n" or c.isprintable() for part in parts for c in part)


def test_crlf_is_hidden_unless_it_is_the_change() -> None:
    same = HealingResult("h-1", "t", "s", True, diff=unified("t.py", b"a\r\nb\r\n", b"c\r\nb\r\n"), decision=Decision(DecisionKind.PENDING, ""))
    mixed = HealingResult("h-2", "t", "s", True, diff=unified("t.py", b"a\r\n", b"a\n"), decision=Decision(DecisionKind.PENDING, ""))
    assert "\\r" not in text(HealingReport((same,)), 1)
    assert "-a\\r" in text(HealingReport((mixed,)), 1)


def test_a_long_diff_is_cut_at_v_and_whole_at_vv() -> None:
    before = "".join(f"old {i}\n" for i in range(100)).encode()
    result = HealingResult(
        "h-9",
        "t",
        "s",
        True,
        diff=unified("t.py", before, before.replace(b"old", b"new")),
        decision=Decision(DecisionKind.PENDING, ""),
    )
    report = HealingReport((result,))
    assert "more lines: maestro-heal diff h-9" in text(report, 1)
    assert "+new 99" not in text(report, 1)
    assert "+new 99" in text(report, 2)
    assert terminal.failure_section(result)[1].endswith("more lines: maestro-heal diff h-9")


def test_why_a_heal_waits_is_said_when_writing_was_asked_for() -> None:
    assert "pending: " not in text(HealingReport((PENDING,)))
    assert "pending: applying was not asked for" in text(HealingReport((PENDING,), apply="safe"))


def test_rival_meanings_and_doubts_stand_under_the_heal() -> None:
    doubtful = HealingResult(
        "h-1",
        "t",
        "assertion_update",
        True,
        decision=Decision(DecisionKind.PENDING, ""),
        alternatives=("np is numpy.fft",),
        diagnosis=REGRESSION.diagnosis,
    )
    out = text(HealingReport((doubtful,)))
    assert "    or: np is numpy.fft" in out
    assert "    careful: looks like a regression in shop/money.py:12 (changed uncommitted)" in out


@pytest.mark.parametrize(
    ("result", "phrase"),
    [
        (REGRESSION, "looks like a regression in shop/money.py:12 (changed uncommitted)"),
        (HealingResult("", "t", "", False), "no strategy knows this failure"),
        (HealingResult("", "t", "", False, verdict=Verdict((ProofStep("rerun", False, "still fails"),))), "rerun: still fails"),
        (HealingResult("", "t", "", False, diagnosis=Diagnosis(FailurePattern.UNKNOWN, 1, Cause.REGRESSION_SUSPECTED)), "looks like a regression"),
        (
            HealingResult(
                "", "t", "", False, diagnosis=Diagnosis(FailurePattern.UNKNOWN, 1, Cause.REGRESSION_SUSPECTED, ("x",), "a.py:1 (in 1a2b3c)")
            ),
            "looks like a regression in a.py:1 (in 1a2b3c)",
        ),
        (replace(REGRESSION, decision=Decision(DecisionKind.REJECTED, "looks like a regression")), terminal.refusal(REGRESSION)),
        (replace(REGRESSION, decision=Decision(DecisionKind.REJECTED, "rejected before")), f"rejected before; {terminal.refusal(REGRESSION)}"),
    ],
)
def test_refusals(result: HealingResult, phrase: str) -> None:
    assert terminal.refusal(result) == phrase


@pytest.mark.parametrize(
    ("config", "number", "expected"),
    [
        (HealerConfig(), 7, "maestro-healer: review, threshold 0.75, 7 strategies"),
        (HealerConfig(apply="safe", confidence_threshold=0.9), 1, "maestro-healer: apply safe, threshold 0.9, 1 strategy"),
        (
            HealerConfig(apply="all", validate_before_apply=False),
            3,
            "maestro-healer: review (apply is off, because validation is), threshold 0.75, 3 strategies",
        ),
    ],
)
def test_header(config: HealerConfig, number: int, expected: str) -> None:
    assert terminal.header(config, number) == expected


def test_progress_never_reaches_the_last_column() -> None:
    for width in (1, 5, 20, 60, 200):
        row = terminal.progress(3, 12, "tests/test_日本.py::test_" + "x" * 80, width)
        assert columns(row) < max(width, 2)
    assert terminal.progress(3, 12, "t.py::test_a", 80) == "healing 3/12 t.py::test_a"


def test_short_summary_has_a_line_for_each_healed_test() -> None:
    rows = [plain(r) for r in terminal.short_summary(ALL, width=100)]
    assert len(rows) == 14
    assert rows[0] == "HEALABLE tests/test_cart.py::test_total[0] - h-3f9a1c dependency_fix 0.97"
    assert rows[-1] == "HEALED tests/test_a.py::test_b - h-aaaaaa syntax_repair 0.90"


def test_failure_sections() -> None:
    title, body = terminal.failure_section(PENDING)
    assert title == "proposed heal h-3f9a1c"
    assert body.startswith("shop.prices was renamed to shop.pricing (dependency_fix, confidence 0.97)\n--- a/tests/test_cart.py\n")
    assert terminal.failure_section(APPLIED)[0] == "applied heal h-aaaaaa"
    suspected = replace(PENDING, diagnosis=replace(REGRESSION.diagnosis, reasons=("as it was before, the test passes",)))
    assert terminal.failure_section(suspected)[1].splitlines()[1].startswith("careful: looks like a regression in shop/money.py:12")
    assert terminal.failure_section(suspected)[1].splitlines()[1].endswith(": as it was before, the test passes")
    assert terminal.failure_section(REGRESSION) == ("not healed", "looks like a regression in shop/money.py:12 (changed uncommitted)")
    assert terminal.failure_section(ADVICE) == ("healing advice h-bbbbbb", ADVICE.advice)
