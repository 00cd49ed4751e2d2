"""What a person reads in the terminal, as pure functions from a report to lines; whoever owns a terminal writes them.

``-q`` counts, normal one line a heal, ``-v`` diffs, ``-vv`` evidence, proof steps and what was declined. A summary always
ends in the exact next command.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.nodeids import file_of, is_test
from pytest_maestro_healer.model import Cause, DecisionKind, HealingReport, HealingResult, ProofStep
from pytest_maestro_healer.report.text import PLAIN, Line, and_more, clean, columns, count, cut, cut_line, cut_middle, line, one_line, plain

TITLE = "healing summary"

#: Diff lines of one heal shown at -v and in a failure's section; all of them at -vv.
MAX_DIFF_LINES = 60

#: A code line longer than this many terminal rows is cut; `maestro-heal diff` has it whole.
_MAX_ROWS = 3

#: So many tests of a file that were not healed for the same reason have a line each.
_MANY = 3

_INDENT = "    "
_RED, _GREEN, _YELLOW, _CYAN, _BOLD = {"red": True}, {"green": True}, {"yellow": True}, {"cyan": True}, {"bold": True}
_MARKUP = {
    DecisionKind.APPLIED: {"green": True, "bold": True},
    DecisionKind.PENDING: {"yellow": True, "bold": True},
    DecisionKind.ADVISED: {"cyan": True, "bold": True},
    DecisionKind.REJECTED: _RED,
}


def header(config: HealerConfig, strategies: int) -> str:
    """The line in pytest's header: what may be written, from which confidence, by how many strategies."""
    mode = "review" if config.review or config.apply == "none" else f"apply {config.apply}"
    if config.effective_apply != config.apply:
        mode = "review (apply is off, because validation is)"
    return f"maestro-healer: {mode}, threshold {config.confidence_threshold:g}, {count(strategies, 'strategy', 'strategies')}"


def progress(done: int, total: int, nodeid: str, width: int, *, unicode_ok: bool = True) -> str:
    """The line that is rewritten while healing, always shorter than ``width`` so that the cursor stays on it."""
    head = f"healing {done}/{total} "
    return cut(head + cut_middle(clean(nodeid, unicode_ok), max(width - 1 - len(head), 0), unicode_ok), max(width - 1, 0), unicode_ok)


def is_regression(result: HealingResult) -> bool:
    """Whether ``result`` was left red because the product looks broken."""
    return _suspected(result) and result.decision.kind is DecisionKind.REJECTED


def _suspected(result: HealingResult) -> bool:
    return result.diagnosis is not None and result.diagnosis.cause is Cause.REGRESSION_SUSPECTED


def refusal(result: HealingResult) -> str:
    """Why a failure was not healed, in one phrase: ``looks like a regression in shop/money.py:12 (changed uncommitted)``."""
    rule = result.decision.rule
    diagnosis = result.diagnosis
    if diagnosis is not None and _suspected(result):
        text = "looks like a regression" + (f" in {diagnosis.suspect}" if diagnosis.suspect else "")
        if diagnosis.reasons and "(" not in diagnosis.suspect:
            text += f" ({diagnosis.reasons[0]})"
        other = result.decision.kind is DecisionKind.REJECTED and rule and not rule.startswith("looks like a regression")
        return f"{rule}; {text}" if other else text
    failed = result.verdict.failed_step
    text = rule or result.explanation or (f"{failed.rung}: {failed.reason}" if failed else "")
    return text or "no strategy knows this failure"


def counts(report: HealingReport) -> list[tuple[str, DecisionKind, int]]:
    """The parts of the closing line: (text, kind, number), empty parts left out."""
    by_kind = {kind: [r for r in report.results if r.decision.kind is kind] for kind in DecisionKind}
    rejected = by_kind[DecisionKind.REJECTED]
    regressions = sum(map(is_regression, rejected))
    looks = f" ({regressions} {'looks' if regressions == 1 else 'look'} like a regression)" if regressions else ""
    texts = [
        (f"{count(len(by_kind[DecisionKind.APPLIED]), 'heal')} applied", DecisionKind.APPLIED),
        (f"{count(len(by_kind[DecisionKind.PENDING]), 'heal')} pending", DecisionKind.PENDING),
        (f"{len(by_kind[DecisionKind.ADVISED])} advised", DecisionKind.ADVISED),
        (f"{len(rejected)} not healed{looks}", DecisionKind.REJECTED),
    ]
    return [(text, kind, len(by_kind[kind])) for text, kind in texts if by_kind[kind]]


def next_commands(report: HealingReport, verbosity: int = 0) -> list[tuple[str, str]]:
    """What to type next: (what it does, the exact command), most useful first; never empty where there is a result."""
    pending = [r for r in report.results if r.decision.kind is DecisionKind.PENDING]
    out = []
    if len(pending) == 1:
        out.append(("accept it", f"maestro-heal accept {pending[0].healing_id}"))
    elif pending:
        out += [("accept one", f"maestro-heal accept {pending[0].healing_id}"), ("accept all", "maestro-heal accept --all")]
    if pending and not report.review:
        out.append(("one by one", "pytest --heal-review"))
    if any(r.decision.kind is DecisionKind.APPLIED for r in report.results):
        out.append(("undo", "maestro-heal rollback --last"))
    if not out and report.results:
        nodeid = shlex.quote(clean(report.results[0].test_id, True))
        out.append(("what was tried", f"pytest --heal -vv {nodeid}") if verbosity < 2 else ("run it again", f"pytest --heal {nodeid}"))
    return out


def summary(report: HealingReport, *, verbosity: int = 0, width: int = 80, unicode_ok: bool = True) -> Iterable[Line]:
    """The lines of the healing summary, without its title bar; none where nothing failed and nothing has to be said.

    ``verbosity`` is pytest's (-1 for ``-q``), ``width`` the terminal's columns; without ``unicode_ok`` all lines are ASCII.
    """
    return [cut_line(row, width, unicode_ok) if fits else row for row, fits in _summary(report, verbosity, width, unicode_ok)]


def _summary(report: HealingReport, verbosity: int, width: int, unicode_ok: bool) -> Iterator[tuple[Line, bool]]:
    """Lines, and whether each may be cut at ``width`` (a command or a refusal must stay whole)."""
    if not report.results and not report.notes:
        return
    if verbosity >= 0:
        order = [DecisionKind.APPLIED, DecisionKind.PENDING, DecisionKind.ADVISED, DecisionKind.REJECTED]
        results = report.results if verbosity else _in_short(report.results)
        for result in sorted(results, key=lambda r: (order.index(r.decision.kind), is_regression(r))):
            yield from _result(result, verbosity, width, unicode_ok)
            if result.decision.kind is DecisionKind.PENDING and result.decision.rule and (verbosity >= 1 or report.apply != "none"):
                yield line(_INDENT, f"{result.decision.kind}: {one_line(result.decision.rule, unicode_ok)}"), True
    for note in report.notes if verbosity >= -1 else ():
        yield line(("note: ", _YELLOW), one_line(note, unicode_ok)), False
    if report.results:
        yield _closing(report), False
    if verbosity >= -1:
        commands = next_commands(report, verbosity)
        pad = max((len(what) for what, _ in commands), default=0) + 2
        for what, command in commands:
            yield line(f"{what}:".ljust(pad), (clean(command, unicode_ok), _BOLD)), False


def _in_short(results: Sequence[HealingResult]) -> list[HealingResult]:
    """The results with those of one file that were not healed for the same reason as one, where they are many; pytest lists them besides."""
    alike: dict[tuple[str, str], list[HealingResult]] = {}
    for r in results:
        if r.decision.kind is DecisionKind.REJECTED:
            alike.setdefault((file_of(r.test_id), refusal(r)), []).append(r)
    many = [group for group in alike.values() if len(group) > _MANY]
    heads = {id(group[0]): tuple(n for r in group for n in r.nodeids or (r.test_id,)) for group in many}
    rest = {id(r) for group in many for r in group[1:]}
    return [replace(r, nodeids=heads.get(id(r), r.nodeids)) for r in results if id(r) not in rest]


def _closing(report: HealingReport) -> Line:
    segments: list[str | tuple[str, dict[str, bool]]] = []
    for text, kind, _ in counts(report):
        segments += [", " if segments else "", (text, _MARKUP[kind])]
    return line(*segments, f" in {report.seconds:.2f}s")


def _result(result: HealingResult, verbosity: int, width: int, unicode_ok: bool) -> Iterator[tuple[Line, bool]]:
    kind = result.decision.kind
    if kind is DecisionKind.REJECTED:
        first, more = and_more(result.nodeids or (result.test_id,))
        name = cut_middle(clean(first, unicode_ok), width, unicode_ok)
        yield line(name, f"{more} ", ("not healed: ", _RED), one_line(refusal(result), unicode_ok)), False
    elif kind is DecisionKind.ADVISED:
        yield from _head(result, width, unicode_ok, one_line(result.advice or result.explanation, unicode_ok))
    else:
        yield from _head(result, width, unicode_ok, one_line(result.explanation, unicode_ok))
        yield from _warnings(result, unicode_ok)
    if verbosity >= 1:
        yield from _diff(result, width, unicode_ok, None if verbosity >= 2 else MAX_DIFF_LINES)
    if verbosity >= 2:
        yield from _details(result, unicode_ok)


def _head(result: HealingResult, width: int, unicode_ok: bool, why: str) -> Iterator[tuple[Line, bool]]:
    """One line; where the terminal is too narrow, tests and reason follow on lines of their own, and nothing is lost."""
    tactic = clean(f"{result.strategy_used}/{result.tactic}" if result.tactic else str(result.strategy_used), unicode_ok)
    kind = result.decision.kind
    decided = "advice" if kind is DecisionKind.ADVISED else f"{kind}"
    # an advice changes nothing, so there is nothing to be sure of
    score = "" if kind is DecisionKind.ADVISED else f" {result.confidence_score:.2f}"
    row = line((clean(result.healing_id, unicode_ok), _BOLD), " ", (decided, _MARKUP[kind]), f"{score} ", (tactic, _CYAN))
    first, more = _tests(result)
    tests = clean(first, unicode_ok) + more
    used = columns(plain(row))
    if used + 3 + columns(tests) + columns(why) <= width:
        yield (*row, (f" {tests}" + (f": {why}" if why else ""), PLAIN)), True
        return
    if used + 1 + columns(tests) <= width:
        yield (*row, (f" {tests}", PLAIN)), True
    else:
        yield row, True
        yield line(_INDENT, cut_middle(clean(first, unicode_ok), width - len(_INDENT) - len(more), unicode_ok) + more), True
    for part in textwrap.wrap(why, max(width - len(_INDENT), 20), break_long_words=False, break_on_hyphens=False):
        yield line(_INDENT, part), False


def _tests(result: HealingResult) -> tuple[str, str]:
    """The first test and how many more; for a file that could not be collected, the file and that its tests ran all the same."""
    nodeids = result.nodeids or (result.test_id,)
    if not result.collected:
        return and_more(nodeids)
    path = file_of(result.test_id)
    others = {file_of(n) for n in nodeids} - {path}
    tests = sum(map(is_test, nodeids))
    more = f" and {count(len(others), 'more file')}" if others else ""
    return path, f"{more} (healed at collection" + (f", {count(tests, 'test')} ran" if tests else "") + ")"


def _warnings(result: HealingResult, unicode_ok: bool) -> Iterator[tuple[Line, bool]]:
    if _suspected(result):
        yield line(_INDENT, ("careful", _RED), f": {one_line(refusal(result), unicode_ok)}"), False
    for other in result.alternatives:
        yield line(_INDENT, ("or", _YELLOW), f": {one_line(other, unicode_ok)}"), False


def _diff(result: HealingResult, width: int, unicode_ok: bool, limit: int | None) -> Iterator[tuple[Line, bool]]:
    rows = _diff_lines(result.diff, unicode_ok)
    for row in rows[:limit]:
        text = cut(row, max(width, 20) * _MAX_ROWS - len(_INDENT), unicode_ok)
        yield line(_INDENT, (text, _diff_markup(row))), False
    if limit is not None and len(rows) > limit:
        yield line(_INDENT, f"{count(len(rows) - limit, 'more line')}: maestro-heal diff {clean(result.healing_id, unicode_ok)}"), False


def _diff_lines(diff: str, unicode_ok: bool) -> list[str]:
    """A diff's lines made safe; carriage returns are hidden where all its lines end in one, else shown."""
    rows = diff.split("\n")
    if rows and not rows[-1]:
        rows.pop()
    code = [r for r in rows if r[:1] in ("+", "-", " ") and not r.startswith(("+++ ", "--- "))]
    if code and all(r.endswith("\r") for r in code):
        rows = [r.removesuffix("\r") for r in rows]
    return [clean(r, unicode_ok) for r in rows if not r.startswith("diff --git ")]


def _diff_markup(row: str) -> dict[str, bool]:
    if row.startswith(("+++ ", "--- ")):
        return _BOLD
    return {"+": _GREEN, "-": _RED, "@": _CYAN}.get(row[:1], {})


def _details(result: HealingResult, unicode_ok: bool) -> Iterator[tuple[Line, bool]]:
    def item(label: str, text: str) -> tuple[Line, bool]:
        return line(_INDENT, (f"{label}: ", _CYAN), one_line(text, unicode_ok)), False

    if result.diagnosis is not None:
        d = result.diagnosis
        yield item("diagnosis", f"{d.pattern} {d.probability:.2f}, {d.cause}" + "".join(f"; {r}" for r in d.reasons))
    for fact in result.evidence:
        yield item("evidence", f"{fact.kind}: {fact.sentence}" + (f" ({fact.where})" if fact.where else ""))
    for step in result.verdict.steps:
        yield item("proof", _step(step))
        for detail in step.details:
            yield item(step.rung, detail)
    for reason in result.refused:
        yield item("declined", reason)
    if len(result.nodeids) > 1:
        for nodeid in result.nodeids:
            yield item("heals" if result.success else "test", nodeid)


def _step(step: ProofStep) -> str:
    outcome = {True: "passed", False: "failed", None: "not run"}[step.passed]
    return f"{step.rung} {outcome}" + (f" in {step.seconds:.2f}s" if step.passed is not None else "") + (f": {step.reason}" if step.reason else "")


def short_summary(report: HealingReport, *, width: int = 80, unicode_ok: bool = True) -> list[Line]:
    """The ``-r H`` lines of pytest's short test summary, one for each healed nodeid."""
    out = []
    for result in report.results:
        kind = result.decision.kind
        if kind not in (DecisionKind.APPLIED, DecisionKind.PENDING):
            continue
        word = "HEALED" if kind is DecisionKind.APPLIED else "HEALABLE"
        tail = f" - {result.healing_id} {result.strategy_used} {result.confidence_score:.2f}"
        for nodeid in result.nodeids or (result.test_id,):
            out.append(cut_line(line((word, _MARKUP[kind]), f" {clean(nodeid, unicode_ok)}", clean(tail, unicode_ok)), width, unicode_ok))
    return out


def failure_section(result: HealingResult) -> tuple[str, str]:
    """(title, body) of the section that a failed test's report gets: the proposed diff, or why there is none.

    It travels with the report across xdist and into other plugins' reports, so it is text without markup.
    """
    kind = result.decision.kind
    if kind is DecisionKind.REJECTED:
        return "not healed", one_line(refusal(result))
    if kind is DecisionKind.ADVISED:
        return f"healing advice {clean(result.healing_id)}", one_line(result.advice or result.explanation)
    rows: Sequence[str] = _diff_lines(result.diff, True)
    body = [f"{one_line(result.explanation)} ({result.strategy_used}, confidence {result.confidence_score:.2f})"]
    if _suspected(result):
        why = next(iter(result.diagnosis.reasons), "") if result.diagnosis is not None else ""
        body.append(f"careful: {one_line(refusal(result))}" + (f": {one_line(why)}" if why else ""))
    body += rows[:MAX_DIFF_LINES]
    if len(rows) > MAX_DIFF_LINES:
        body.append(f"{count(len(rows) - MAX_DIFF_LINES, 'more line')}: maestro-heal diff {result.healing_id}")
    return f"{'applied' if kind is DecisionKind.APPLIED else 'proposed'} heal {clean(result.healing_id)}", "\n".join(body)
