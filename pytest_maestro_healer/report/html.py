"""The report as one HTML page for a browser: self-contained, no requests, nothing in it that a test could have made to run.

Everything goes through the template's automatic escaping, and before that through :mod:`pytest_maestro_healer.report.text`, which makes control
and bidirectional characters visible. The page's content security policy allows its own style and script, by their hashes, and nothing else.

Needs jinja2 (the extra ``html``).
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from pytest_maestro_healer import __version__
from pytest_maestro_healer.errors import ConfigError
from pytest_maestro_healer.evidence.redact import for_display, redact_values
from pytest_maestro_healer.model import DecisionKind, HealingReport, HealingResult
from pytest_maestro_healer.report.charts import HEIGHT, WIDTH, charts
from pytest_maestro_healer.report.files import write_whole
from pytest_maestro_healer.report.sides import Sides, sides
from pytest_maestro_healer.report.terminal import counts, is_regression, next_commands, refusal
from pytest_maestro_healer.report.text import clean, one_line

#: Tests of one heal that are named.
MAX_TESTS = 200
_ORDER = ("regression", "pending", "applied", "advised", "rejected")
_TITLES = {"regression": "suspected regression", "pending": "pending", "applied": "applied", "advised": "advice", "rejected": "not healed"}
#: What stands, or can be taken.
_OFFERED = (DecisionKind.APPLIED, DecisionKind.PENDING)
_OUTCOMES = {True: "passed", False: "failed", None: "not run"}


def check_available(option: str) -> None:
    """Raise :class:`~pytest_maestro_healer.errors.ConfigError` where the page cannot be made, naming ``option`` and what to install."""
    if find_spec("jinja2") is None:
        raise ConfigError(f'{option} needs jinja2: pip install "pytest-maestro-healer[html]"')


@dataclass(frozen=True)
class Fact:
    """A row of a list: what kind of thing, the sentence, where it stands; ``state`` is a class of the style sheet, ``details`` stand below it."""

    label: str
    text: str
    where: str = ""
    state: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """One result, ready to be put down."""

    kind: str
    title: str
    id: str
    anchor: str
    test: str
    more: int
    tactic: str
    confidence: float | None
    text: str
    suspect: str
    refused_edit: bool
    warnings: tuple[Fact, ...]
    files: tuple[Sides, ...]
    raw: str
    facts: tuple[Fact, ...]
    proof: tuple[Fact, ...]
    decision: str
    refused: tuple[str, ...]
    tests: tuple[str, ...]
    tests_more: int
    commands: tuple[str, ...]
    seconds: float


def render(report: HealingReport, *, history: Mapping[str, Any] | None = None, project: str = "", now: float | None = None) -> str:
    """The page's text.

    ``history`` are the figures of ``maestro-heal stats --json`` (``None``: no charts), ``project`` is the name in the title, ``now`` the
    time it bears (default: the newest result's, else this moment). Raises :class:`~pytest_maestro_healer.errors.ConfigError` without jinja2.
    """
    check_available("--heal-html")
    jinja2: Any = import_module("jinja2")
    shown = for_display(report)
    cards = sorted((_card(r, i) for i, r in enumerate(shown.results)), key=lambda c: _ORDER.index(c.kind))
    # without the ends, so that what is hashed is what stands between the tags
    style, script = (files(__package__).joinpath("templates", name).read_text(encoding="utf-8").strip() for name in ("heal.css", "heal.js"))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, finalize=_visible, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files(__package__).joinpath("templates", "heal.html").read_text(encoding="utf-8"))
    at = now if now is not None else max((r.created_at for r in shown.results), default=0.0) or time.time()
    return str(
        template.render(
            policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'",
            # our own files: the only text that is not escaped
            style=_own(style),
            script=_own(script),
            project=clean(project),
            version=shown.version or __version__,
            date=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(min(max(at, 0.0), 4e9))),
            mode=shown.apply,
            threshold=shown.threshold,
            failures=shown.failures,
            seconds=shown.seconds,
            summary=", ".join(text for text, _, _ in counts(shown)),
            tiles=[(kind, _TITLES[kind], sum(c.kind == kind for c in cards)) for kind in _ORDER],
            notes=[one_line(n) for n in shown.notes],
            cards=cards,
            commands=[(what, clean(command)) for what, command in next_commands(shown)] if shown.results else [],
            charts=charts(history),
            chart=(WIDTH, HEIGHT),
        )
    )


def write(
    report: HealingReport, path: str | os.PathLike[str], *, history: Mapping[str, Any] | None = None, project: str = "", now: float | None = None
) -> None:
    """Write the page to ``path``, wholly or not at all; raises :class:`~pytest_maestro_healer.errors.HealerError`."""
    write_whole(path, render(report, history=history, project=project, now=now).encode("utf-8", "backslashreplace"))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _visible(value: Any) -> Any:
    """Whatever text the template puts out has no control characters but line ends; what is markup already is our own."""
    return "\n".join(map(clean, value.split("\n"))) if type(value) is str else value


def _own(text: str) -> Any:
    return import_module("markupsafe").Markup(text)


def _kind(result: HealingResult) -> str:
    return "regression" if is_regression(result) else str(result.decision.kind)


def _card(result: HealingResult, number: int) -> Card:
    kind = _kind(result)
    d = result.diagnosis
    nodeids = result.nodeids or (result.test_id,)
    suspect = one_line(d.suspect) if d is not None and kind == "regression" else ""
    return Card(
        kind=kind,
        title=_TITLES[kind],
        id=clean(result.healing_id),
        anchor=f"r{number + 1}",
        test=clean(nodeids[0]),
        more=len(nodeids) - 1,
        tactic=clean(f"{result.strategy_used}/{result.tactic}" if result.tactic else result.strategy_used),
        confidence=result.confidence_score if result.decision.kind in _OFFERED else None,
        text=_text(result, suspect),
        suspect=suspect,
        refused_edit=bool(result.changes) and result.decision.kind not in _OFFERED,
        warnings=tuple(_warnings(result)),
        files=tuple(sides(c, lambda line: clean(redact_values(line))) for c in result.changes),
        raw="" if result.changes else "\n".join(clean(row) for row in result.diff.rstrip("\n").split("\n")) if result.diff else "",
        facts=tuple(_facts(result)),
        proof=tuple(
            Fact(
                clean(s.rung),
                one_line(s.reason),
                f"{s.seconds:.2f} s" if s.passed is not None else "",
                _OUTCOMES[s.passed].replace(" ", "-"),
                tuple(map(one_line, s.details)),
            )
            for s in result.verdict.steps
        ),
        decision=one_line(f"{result.decision.kind}: {result.decision.rule}" if result.decision.rule else str(result.decision.kind)),
        refused=tuple(one_line(r) for r in result.refused),
        tests=tuple(clean(n) for n in nodeids[:MAX_TESTS]),
        tests_more=max(len(nodeids) - MAX_TESTS, 0),
        commands=_commands(result),
        seconds=result.execution_time,
    )


def _text(result: HealingResult, suspect: str) -> str:
    if result.decision.kind is DecisionKind.REJECTED:
        text = refusal(result)
        # the box above it says the same
        return "" if suspect and text.startswith("looks like a regression") else one_line(text)
    if result.decision.kind is DecisionKind.ADVISED:
        return one_line(result.advice or result.explanation)
    return one_line(result.explanation)


def _warnings(result: HealingResult) -> Sequence[Fact]:
    out = []
    d = result.diagnosis
    if d is not None and str(d.cause) == "regression_suspected" and not is_regression(result):
        out.append(Fact("careful", one_line(refusal(result))))
    out += [Fact("or", one_line(other)) for other in result.alternatives]
    if result.changes and result.decision.kind in _OFFERED and not any(s.rung == "fresh" and s.passed for s in result.verdict.steps):
        out.append(Fact("note", "not confirmed in a fresh process"))
    return out


def _facts(result: HealingResult) -> Sequence[Fact]:
    out = []
    d = result.diagnosis
    if d is not None:
        out.append(Fact("diagnosis", one_line(f"{d.pattern} ({d.probability:.2f}), {str(d.cause).replace('_', ' ')}"), one_line(d.suspect)))
        out += [Fact("reason", one_line(r)) for r in d.reasons]
    out += [Fact(clean(e.kind), one_line(e.sentence), one_line(e.where)) for e in result.evidence]
    return out


def _commands(result: HealingResult) -> tuple[str, ...]:
    if result.decision.kind is DecisionKind.PENDING:
        return (f"maestro-heal accept {clean(result.healing_id)}", f"maestro-heal reject {clean(result.healing_id)}")
    return (f"maestro-heal rollback {clean(result.healing_id)}",) if result.decision.kind is DecisionKind.APPLIED else ()
