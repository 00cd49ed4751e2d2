"""GitHub Actions: annotations in the run's log and a step summary with the diffs.

Everything but :func:`publish` is pure. Values are escaped as the workflow command syntax asks, so that a message cannot end its
command and start another one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.model import DecisionKind, HealingReport, HealingResult
from pytest_maestro_healer.report.terminal import counts, is_regression, next_commands, refusal
from pytest_maestro_healer.report.text import and_more, clean, one_line

#: GitHub refuses a step summary over 1 MiB as a whole; we stop well before.
MAX_SUMMARY = 900_000

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)")


def enabled(environ: Mapping[str, str]) -> bool:
    """Whether this run is a GitHub Actions step."""
    return environ.get("GITHUB_ACTIONS") == "true"


def escape_data(text: str) -> str:
    """``text`` for the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """``text`` for a property value of a workflow command."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


def commands(report: HealingReport, prefix: str = "") -> list[str]:
    """Workflow commands, one a result, suspected regressions first (GitHub shows ten of each level for a step).

    ``prefix`` is where the project lies in the repository (``backend/``), as annotations want paths from there.
    """
    ranked = sorted(report.results, key=lambda r: not is_regression(r))
    return [_annotation(r, prefix) for r in ranked]


def _annotation(result: HealingResult, prefix: str) -> str:
    first, more = and_more(result.nodeids or (result.test_id,))
    kind = result.decision.kind
    path, row = _place(result)
    if kind is DecisionKind.REJECTED:
        level = "error" if is_regression(result) else "warning"
        title, text = "Not healed", f"{first}{more}: {one_line(refusal(result))}"
    elif kind is DecisionKind.ADVISED:
        level, title, text = "warning", "Healing advice", f"{first}{more}: {one_line(result.advice or result.explanation)}"
    else:
        level = "notice" if kind is DecisionKind.APPLIED else "warning"
        title = f"Heal {kind}: {result.healing_id}"
        command = "maestro-heal rollback" if kind is DecisionKind.APPLIED else "maestro-heal accept"
        rows = "\n".join(line for line in result.diff.rstrip("\n").split("\n") if not line.startswith("diff --git "))
        text = f"{first}{more}: {one_line(result.explanation)} (confidence {result.confidence_score:.2f})\n{rows}\n{command} {result.healing_id}"
    where = f"file={escape_property(clean(prefix + path))}," + (f"line={row}," if row else "") if path else ""
    return f"::{level} {where}title={escape_property(clean(title))}::{escape_data(_lines(text))}"


def _lines(text: str) -> str:
    return "\n".join(clean(line) for line in text.split("\n"))


def _place(result: HealingResult) -> tuple[str, int]:
    """Where the annotation stands: the suspected product line, the first changed line, or the test's file."""
    if is_regression(result) and result.diagnosis and (m := _PLACE.match(result.diagnosis.suspect)):
        return m["path"], int(m["line"])
    line = _first_changed(result.diff)
    path = result.files[0] if result.files else file_of(result.test_id)
    return path, line


def _first_changed(diff: str) -> int:
    at = 0
    for row in diff.split("\n"):
        if m := _HUNK.match(row):
            at = int(m[1])
        elif at and row[:1] in ("-", "+"):
            return at
        elif at:
            at += 1
    return 0


def step_summary(report: HealingReport) -> str:
    """Markdown for the step's summary page; ``""`` where there is nothing to say."""
    if not report.results and not report.notes:
        return ""
    out = ["### Healing summary\n", ", ".join(text for text, _, _ in counts(report)) + "\n"]
    out += [f"> {_inline(note)}\n" for note in report.notes]
    size = sum(map(len, out))
    for i, result in enumerate(sorted(report.results, key=lambda r: not is_regression(r))):
        block = _block(result)
        size += len(block.encode("utf-8", "replace"))
        if size > MAX_SUMMARY:
            out.append(f"... and {len(report.results) - i} more: see the log\n")
            break
        out.append(block)
    todo = [clean(command) for _, command in next_commands(report)]
    if todo:
        out.append("```sh\n" + "\n".join(todo) + "\n```\n")
    return "\n".join(out)


def _block(result: HealingResult) -> str:
    first, more = and_more(result.nodeids or (result.test_id,))
    # Markdown is still read inside inline tags, but not inside a block such as <details>
    name = f"<code>{_inline(first)}</code>{more}"
    kind = result.decision.kind
    if kind is DecisionKind.REJECTED:
        return f"- {name} **not healed**: {_inline(refusal(result))}\n"
    if kind is DecisionKind.ADVISED:
        return f"- {name} **advice**: {_inline(result.advice or result.explanation)}\n"
    what = f"{result.confidence_score:.2f} {result.strategy_used} {first}{more}: {result.explanation}"
    head = f"<b>{_html(result.healing_id)} {kind}</b> {_html(what)}"
    diff = _lines(result.diff.rstrip("\n"))
    fence = "`" * max(3, max((len(run) for run in re.findall(r"`+", diff)), default=0) + 1)
    return f"<details><summary>{head}</summary>\n\n{fence}diff\n{diff}\n{fence}\n\n</details>\n"


def _html(text: str) -> str:
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _inline(text: str) -> str:
    """A sentence as Markdown that shows it and nothing else (no HTML, links, mentions or emphasis)."""
    return re.sub(r"([\\`*_{}\[\]#@|~!])", r"\\\1", one_line(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def publish(report: HealingReport, environ: Mapping[str, str], write_line: Callable[[str], object], root: str = "") -> None:
    """Write annotations by ``write_line`` and append the step summary to the file GitHub names; nothing outside GitHub Actions.

    ``root`` is the project's root directory. A summary file that cannot be written is no reason to fail a test run: the log has
    everything.
    """
    if not enabled(environ):
        return
    for row in commands(report, _prefix(environ.get("GITHUB_WORKSPACE", ""), root)):
        write_line(row)
    target, text = environ.get("GITHUB_STEP_SUMMARY", ""), step_summary(report)
    if target and text:
        try:
            with Path(target).open("a", encoding="utf-8", errors="replace", newline="\n") as out:
                out.write(text)
        except OSError as exc:
            write_line(f"::warning title=Healing summary::{escape_data(f'step summary not written: {exc.strerror or exc}')}")


def _prefix(workspace: str, root: str) -> str:
    if not workspace or not root:
        return ""
    try:
        inside = Path(os.path.realpath(root)).relative_to(os.path.realpath(workspace)).as_posix()
    except ValueError:
        return ""
    return "" if inside == "." else inside + "/"
