"""The report as SARIF 2.1.0 (OASIS), for code scanning: a result for each heal with its edits as a fix, and one at each suspected product line.

Everything a rule, a result or a fix must have is the standard's (sections 3.11 messages, 3.27 result, 3.30 region, 3.55 to 3.57 fix). Places are
relative to ``SRCROOT``, the top of the repository; columns count Unicode code points; a heal of a file that is no UTF-8 text is given in bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from pytest_maestro_healer import __version__
from pytest_maestro_healer.edit.alike import opcodes
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.evidence.redact import for_display
from pytest_maestro_healer.model import Cause, DecisionKind, FileChange, HealingReport, HealingResult
from pytest_maestro_healer.report.files import write_whole
from pytest_maestro_healer.report.terminal import is_regression, refusal
from pytest_maestro_healer.report.text import and_more, one_line

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "SRCROOT"
#: Rules that are no tactic's.
REGRESSION, NOT_HEALED = "suspected_regression", "not_healed"
_OWN_RULES = {
    REGRESSION: ("A change of the product looks like the reason of a failed test.", "error"),
    NOT_HEALED: ("A failed test for which no edit of the test was proved.", "note"),
}
_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)")
_LEVELS = {DecisionKind.APPLIED: "note", DecisionKind.PENDING: "warning", DecisionKind.ADVISED: "warning", DecisionKind.REJECTED: "note"}

Json = dict[str, Any]


def dumps(report: HealingReport, *, prefix: str = "", summaries: Mapping[str, str] | None = None) -> str:
    """The log as JSON text.

    ``prefix`` is where the project lies in its repository (``backend/``), ``summaries`` a sentence for each ``strategy/tactic``.
    """
    return json.dumps(log(report, prefix=prefix, summaries=summaries), indent=1, ensure_ascii=True) + "\n"


def write(report: HealingReport, path: str | os.PathLike[str], *, prefix: str = "", summaries: Mapping[str, str] | None = None) -> None:
    """Write the log to ``path``, wholly or not at all; raises :class:`~pytest_maestro_healer.errors.HealerError`."""
    write_whole(path, dumps(report, prefix=prefix, summaries=summaries).encode("ascii"))


def log(report: HealingReport, *, prefix: str = "", summaries: Mapping[str, str] | None = None) -> Json:
    """The log as a dict; parameters as of :func:`dumps`."""
    shown = for_display(report)
    results = [entry for r in shown.results for entry in _entries(r, prefix)]
    rules = list(dict.fromkeys(e["ruleId"] for e in results))
    for e in results:
        e["ruleIndex"] = rules.index(e["ruleId"])
    invocation: Json = {"executionSuccessful": True}
    if shown.notes:
        invocation["toolExecutionNotifications"] = [{"level": "note", "message": _message(n)} for n in shown.notes]
    run: Json = {
        "tool": {
            "driver": {
                "name": "pytest-maestro-healer",
                "version": shown.version or __version__,
                "rules": [_rule(r, summaries or {}) for r in rules],
            }
        },
        "automationDetails": {"id": "pytest-maestro-healer/"},
        "invocations": [invocation],
        "originalUriBaseIds": {BASE: {"description": {"text": "The top of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "defaultEncoding": "utf-8",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: str, summaries: Mapping[str, str]) -> Json:
    text, level = _OWN_RULES.get(rule, ("", "warning"))
    strategy, _, tactic = rule.partition("/")
    text = text or summaries.get(rule, "") or f"{tactic or strategy} ({strategy})".replace("_", " ")
    return {
        "id": rule,
        "name": "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", rule)),
        "shortDescription": {"text": _plain(text)},
        "fullDescription": {"text": _plain(text)},
        "defaultConfiguration": {"level": level},
        "help": {"text": "maestro-heal show ID prints the evidence and the proof, maestro-heal accept ID writes the edit."},
        "properties": {"tags": ["tests", strategy]},
    }


def _entries(result: HealingResult, prefix: str) -> Iterator[Json]:
    """One result for the heal, advice or refusal, and one at the product line that is suspected."""
    if result.diagnosis is not None and result.diagnosis.cause is Cause.REGRESSION_SUSPECTED:
        yield _suspicion(result, prefix)
        if is_regression(result):
            return
    kind = result.decision.kind
    tests, more = and_more(result.nodeids or (result.test_id,))
    if kind is DecisionKind.REJECTED:
        rule, text = NOT_HEALED, f"{tests}{more} failed and was not healed: {refusal(result)}"
    else:
        rule = f"{result.strategy_used}/{result.tactic}" if result.tactic else result.strategy_used or "advice"
        text = result.advice or result.explanation
        if kind is not DecisionKind.ADVISED:
            text = f"{result.explanation} (heal {result.healing_id} {kind}, confidence {result.confidence_score:.2f}; for {tests}{more})"
    changes = result.changes if kind in (DecisionKind.APPLIED, DecisionKind.PENDING) else ()
    places = [_location(c.path, prefix, _changed(c, applied=kind is DecisionKind.APPLIED)) for c in changes]
    places = places or [_location(file_of(result.test_id), prefix, None)]
    entry: Json = {
        "ruleId": rule,
        "level": _LEVELS[kind],
        "message": _message(text),
        "locations": places[:1],
        "partialFingerprints": {"maestroHeal/v1": _fingerprint(result, rule)},
        "properties": _properties(result),
    }
    if places[1:]:
        entry["relatedLocations"] = places[1:]
    if kind is DecisionKind.PENDING and changes:
        entry["fixes"] = [{"description": _message(result.explanation or rule), "artifactChanges": [_change(c, prefix) for c in changes]}]
    yield entry


def _suspicion(result: HealingResult, prefix: str) -> Json:
    d = result.diagnosis
    assert d is not None
    m = _PLACE.match(d.suspect)
    tests, more = and_more(result.nodeids or (result.test_id,))
    reasons = "; ".join(d.reasons)
    entry: Json = {
        "ruleId": REGRESSION,
        "level": "error" if is_regression(result) else "warning",
        "message": _message(f"{tests}{more} fails, and this looks like the reason" + (f": {reasons}" if reasons else "")),
        "locations": [_location(m["path"], prefix, {"startLine": max(int(m["line"]), 1)}) if m else _location(file_of(result.test_id), prefix, None)],
        "partialFingerprints": {"maestroHeal/v1": _digest(REGRESSION, m["path"] if m else "", result.test_id)},
        "properties": _properties(result),
    }
    if m:
        entry["relatedLocations"] = [_location(file_of(result.test_id), prefix, None)]
    return entry


def _properties(result: HealingResult) -> Json:
    """What a viewer shows beside the result; names are ours."""
    out: Json = {
        "decision": str(result.decision.kind),
        "rule": one_line(result.decision.rule),
        "tests": [one_line(n) for n in (result.nodeids or (result.test_id,))[:100]],
        "evidence": [one_line(f"{e.kind}: {e.sentence}" + (f" ({e.where})" if e.where else "")) for e in result.evidence],
        "proof": [
            one_line(f"{s.rung}: {'passed' if s.passed else 'not run' if s.passed is None else 'failed'} {s.reason}") for s in result.verdict.steps
        ],
        "declined": [one_line(r) for r in result.refused],
    }
    if result.healing_id:
        out["healingId"] = one_line(result.healing_id)
    if result.changes:
        out["confidence"] = round(result.confidence_score, 4)
    return out


# -- texts and places --------------------------------------------------------------------------------------------
def _plain(text: str) -> str:
    return one_line(text) or "no description"


def _message(text: str) -> Json:
    """A message that shows ``text``: braces doubled (3.11.5), and nothing in it a link (3.11.6)."""
    return {"text": _plain(text).replace("{", "{{").replace("}", "}}").replace("](", "] (")}


def _artifact(path: str, prefix: str) -> Json:
    pure = PurePosixPath(path)
    if pure.is_absolute() or re.match(r"[A-Za-z]:", path):
        return {"uri": "file://" + quote(path if path.startswith("/") else f"/{path}", safe="/:", errors="surrogatepass")}
    return {"uri": quote(prefix + path, safe="/", errors="surrogatepass"), "uriBaseId": BASE}


def _location(path: str, prefix: str, region: Json | None) -> Json:
    place: Json = {"artifactLocation": _artifact(path, prefix), "region": region or {"startLine": 1}}
    return {"physicalLocation": place}


def _fingerprint(result: HealingResult, rule: str) -> str:
    """The same while the same edit is proposed for the same file, wherever in it."""
    parts = [rule]
    for c in result.changes:
        old, new = (_split(SourceFile(c.path, data)) for data in (c.before_bytes, c.after_bytes))
        parts.append(c.path)
        parts += ["".join((*old[a:b], "\0", *new[i:j])) for tag, a, b, i, j in opcodes(old, new) if tag != "equal"]
    return _digest(*parts, *([] if result.changes else [result.test_id, result.advice]))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


# -- edits -------------------------------------------------------------------------------------------------------
def _split(source: SourceFile) -> list[str]:
    """Lines with their ends, as SARIF counts them: ``\\r\\n`` and ``\\n`` end one."""
    return [line for line in re.split(r"(?<=\n)", source.text) if line]


def _changed(change: FileChange, *, applied: bool) -> Json:
    """The first changed lines: of the file as it was, or as it is once ``applied``."""
    old, new = (_split(SourceFile(change.path, data)) for data in (change.before_bytes, change.after_bytes))
    for tag, a, b, c, d in opcodes(old, new):
        if tag != "equal":
            start, end, lines = (c, d, new) if applied else (a, b, old)
            first = min(start + 1, max(len(lines), 1))
            return {"startLine": first, "endLine": max(min(end, len(lines)), first)}
    return {"startLine": 1}


def _change(change: FileChange, prefix: str) -> Json:
    before, after = SourceFile(change.path, change.before_bytes), SourceFile(change.path, change.after_bytes)
    # the spans of a text are those without the BOM; where that changes too, or the text is no UTF-8, only bytes are exact
    text = all(s.decodable and s.encoding == "utf-8" for s in (before, after)) and before.bom == after.bom
    found = list(_text_replacements(_split(before), _split(after)) if text else _byte_replacements(change.before_bytes, change.after_bytes))
    return {"artifactLocation": _artifact(change.path, prefix), "replacements": found}


def _text_replacements(old: Sequence[str], new: Sequence[str]) -> Iterator[Json]:
    for tag, a, b, c, d in opcodes(old, new):
        if tag != "equal":
            (line, column), (end_line, end_column) = _point(old, a), _point(old, b)
            region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
            yield _replacement(region, {"text": "".join(new[c:d])})


def _point(lines: Sequence[str], at: int) -> tuple[int, int]:
    """(line, column) of the beginning of line ``at``; the end of the file is a place in its last line (3.30.2)."""
    if at < len(lines) or not lines:
        return at + 1, 1
    return len(lines), len(lines[-1]) + 1


def _byte_replacements(old: bytes, new: bytes) -> Iterator[Json]:
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    region = {"byteOffset": head, "byteLength": len(old) - head - tail}
    yield _replacement(region, {"binary": base64.b64encode(new[head : len(new) - tail]).decode()})


def _common(a: bytes, b: bytes) -> int:
    """How many bytes at the beginning are the same."""
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def _replacement(region: Json, content: Json) -> Json:
    out: Json = {"deletedRegion": region}
    if any(content.values()):
        out["insertedContent"] = content
    return out
