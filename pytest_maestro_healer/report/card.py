"""One heal as a reader decides on it: head, explanation, diff, and on request everything that speaks for it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_maestro_healer.model import HealingResult
from pytest_maestro_healer.report.text import Line, and_more, clean, line, one_line

_BOLD, _CYAN, _GREEN, _RED, _YELLOW = {"bold": True}, {"cyan": True}, {"green": True}, {"red": True}, {"yellow": True}


def head(result: HealingResult) -> Line:
    """``h-3f9a1c07  0.92  assertion_update/literal  tests/test_a.py::test_b and 2 more``."""
    first, more = and_more(result.nodeids or (result.test_id,))
    tactic = f"{result.strategy_used}/{result.tactic}" if result.tactic else result.strategy_used
    return line(
        (clean(result.healing_id), _BOLD),
        f"  {result.confidence_score:.2f}  ",
        (clean(tactic), _CYAN),
        f"  {clean(first)}{more}",
    )


def why(result: HealingResult) -> Iterator[Line]:
    """The explanation and what a person must know before a decision."""
    text = result.explanation or result.advice
    if text:
        yield line("  ", one_line(text))
    for other in result.alternatives:
        yield line("  ", ("or", _YELLOW), f": {one_line(other)}")
    if result.changes and not fresh(result):
        yield line("  ", ("note", _YELLOW), ": not confirmed in a fresh process")


def diff(text: str) -> Iterator[Line]:
    """A diff's lines, safe and coloured; carriage returns are hidden where all of its code lines end in one."""
    rows = text.removesuffix("\n").split("\n") if text else []
    code = [r for r in rows if r[:1] in ("+", "-", " ") and not r.startswith(("+++ ", "--- "))]
    crlf = bool(code) and all(r.endswith("\r") for r in code)
    for row in rows:
        markup = _BOLD if row.startswith(("+++ ", "--- ", "diff --git ")) else {"+": _GREEN, "-": _RED, "@": _CYAN}.get(row[:1], {})
        yield line((clean(row.removesuffix("\r") if crlf else row), markup))


def evidence(result: HealingResult) -> Iterator[Line]:
    """Diagnosis, evidence, proof steps and what was declined; one line that says so where there is nothing."""
    none = True
    for label, text in _facts(result):
        none = False
        yield line("  ", (label, _CYAN), f": {one_line(text)}")
    if none:
        yield line("  no evidence was recorded")


def _facts(result: HealingResult) -> Iterator[tuple[str, str]]:
    if result.diagnosis is not None:
        d = result.diagnosis
        yield "diagnosis", f"{d.pattern} {d.probability:.2f}, {d.cause}" + "".join(f"; {r}" for r in d.reasons)
    for fact in result.evidence:
        yield "evidence", f"{fact.kind}: {fact.sentence}" + (f" ({fact.where})" if fact.where else "")
    for step in result.verdict.steps:
        outcome = {True: "passed", False: "failed", None: "not run"}[step.passed]
        yield "proof", f"{step.rung} {outcome}" + (f": {step.reason}" if step.reason else "")
    for reason in result.refused:
        yield "declined", reason
    if result.decision.rule:
        yield "decision", f"{result.decision.kind}: {result.decision.rule}"
    if len(result.nodeids) > 1:
        for nodeid in result.nodeids:
            yield "heals", nodeid


def fresh(result: HealingResult) -> bool:
    """Whether a fresh process confirmed the heal."""
    return any(s.rung == "fresh" and s.passed for s in result.verdict.steps)
