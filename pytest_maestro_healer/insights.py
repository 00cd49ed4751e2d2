"""What a series of healing attempts shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_maestro_healer.learn.summary import Summary
from pytest_maestro_healer.model import HealingResult

RECENT = 10
TOP = 5


@dataclass(frozen=True)
class Attempt:
    """What is kept of one result."""

    strategy: str
    pattern: str
    success: bool
    confidence: float
    seconds: float
    at: float
    proved: bool

    @staticmethod
    def of(result: HealingResult) -> Attempt:
        """From a result."""
        pattern = str(result.diagnosis.pattern) if result.diagnosis is not None else "unknown"
        return Attempt(
            str(result.strategy_used),
            pattern,
            result.success,
            result.confidence_score,
            result.execution_time,
            result.created_at,
            result.verdict.proved,
        )


class Insights(dict[str, Any]):
    """A dict that may be awaited: callers of both styles get the same."""

    def __await__(self) -> Generator[None, None, Insights]:
        return self
        yield  # what makes this a generator; never reached


def insights(attempts: Sequence[Attempt], learned: Sequence[tuple[str, Summary]] = ()) -> Insights:
    """See :meth:`pytest_maestro_healer.api.AutonomousTestHealer.get_healing_insights`; ``learned`` has each project's root and history."""
    recent, earlier = attempts[-RECENT:], attempts[:-RECENT]
    trend = {
        "attempts": len(recent),
        "success_rate": _rate(recent),
        "earlier_success_rate": _rate(earlier) if earlier else None,
        "direction": "unknown" if not earlier else _direction(_rate(recent) - _rate(earlier)),
    }
    by_strategy = {name: [a for a in attempts if a.strategy == name] for name in sorted({a.strategy for a in attempts if a.strategy})}
    patterns = Counter(a.pattern for a in attempts)
    return Insights(
        total_healing_attempts=len(attempts),
        overall_success_rate=_rate(attempts),
        strategy_effectiveness={
            name: {
                "attempts": len(mine),
                "successes": sum(a.success for a in mine),
                "success_rate": _rate(mine),
                "average_confidence": round(sum(a.confidence for a in mine) / len(mine), 3),
                "average_seconds": round(sum(a.seconds for a in mine) / len(mine), 3),
            }
            for name, mine in by_strategy.items()
        },
        recent_trends=trend,
        top_failure_patterns=[
            {"pattern": p, "count": n, "success_rate": _rate([a for a in attempts if a.pattern == p])} for p, n in patterns.most_common(TOP)
        ],
        learning_insights=[*_sentences(attempts), *(s for root, known in learned for s in _history(root, known))],
    )


def _rate(attempts: Sequence[Attempt]) -> float:
    return round(sum(a.success for a in attempts) / len(attempts), 4) if attempts else 0.0


def _direction(change: float) -> str:
    return "steady" if abs(change) < 0.05 else "improving" if change > 0 else "declining"


def _sentences(attempts: Sequence[Attempt]) -> list[str]:
    """For each pattern the strategy that healed it, and what needs attention."""
    out = []
    for pattern in sorted({a.pattern for a in attempts}):
        mine = [a for a in attempts if a.pattern == pattern]
        wins = Counter(a.strategy for a in mine if a.success)
        if wins:
            name, n = wins.most_common(1)[0]
            out.append(f"{pattern}: healed by {name} in {n} of {len(mine)} attempts")
        else:
            out.append(f"{pattern}: not healed in {len(mine)} attempts")
    unproved = sum(a.success and not a.proved for a in attempts)
    if unproved:
        out.append(f"{unproved} of {len(attempts)} heals are from the error's text alone: give test_file, so that they can be proved")
    return out


def _history(root: str, known: Summary) -> list[str]:
    """What a project's history says: how much there is, and which tactics do well or badly there."""
    if not known.heals:
        return []
    became = ", ".join(f"{n} {what.replace('_', ' ')}" for what, n in known.outcomes.items())
    out = [f"{root}: {known.heals} heals on record" + (f" ({became})" if became else "")]
    for row in known.rows[:TOP]:
        pattern, strategy, tactic = row.key
        out.append(f"{root}: {strategy}/{tactic} for {pattern} was right in {row.rate:.0%} of what was tried")
    return out
