"""The tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .model import NEGATIVE

Row = Mapping[str, Any]
KINDS = ("exact", "plausible", "advised", "weakened", "wrong", "missed")


def _group(rows: Iterable[Row], *keys: str) -> dict[tuple[str, ...], list[Row]]:
    out: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        out.setdefault(tuple(row[k] for k in keys), []).append(row)
    return out


def _line(label: str, rows: Sequence[Row]) -> str:
    counts = {k: sum(r["all"] == k for r in rows) for k in KINDS}
    good = counts["exact"] + counts["plausible"] + counts["advised"]
    safe = {k: sum(r["safe"] == k for r in rows) for k in KINDS}
    seconds, cpu = (statistics.median(r[k] for r in rows) for k in ("seconds", "cpu"))
    cells = "".join(f"{counts[k]:>10}" for k in KINDS)
    unasked = f"{safe['exact'] + safe['plausible']}+{safe['weakened'] + safe['wrong']}"
    return f"{label:48}{len(rows):>6}{100 * good / len(rows):>7.0f} %{cells}{unasked:>10}{seconds:>9.1f}{cpu:>7.1f}"


def faults(rows: Sequence[Row]) -> str:
    """By strategy and tactic. ``healed`` counts exact, plausible and advised; ``safe`` what was written unasked, right+wrong."""
    rows = [r for r in rows if r["strategy"] != NEGATIVE]
    if not rows:
        return ""
    out = [f"{'faults':48}{'cases':>6}{'healed':>9}{''.join(f'{k:>10}' for k in KINDS)}{'safe':>10}{'median s':>9}{'cpu s':>7}"]
    for (strategy,), mine in _group(rows, "strategy").items():
        out.append(_line(strategy, mine))
        for (tactic,), cases in sorted(_group(mine, "tactic").items()):
            out.append(_line(f"  {tactic}", cases))
    out.append(_line("all", rows))
    return "\n".join(out)


def negatives(rows: Sequence[Row]) -> str:
    """By kind: what ``safe`` wrote (must be 0), how many were named, named with the right file, got a pending heal, and are green after ``all``."""
    rows = [r for r in rows if r["strategy"] == NEGATIVE]
    if not rows:
        return ""
    out = [f"{'negatives':48}{'cases':>6}{'written':>9}{'named':>8}{'placed':>8}{'pending':>9}{'all: hidden':>13}{'all: written':>14}"]
    groups = sorted(_group(rows, "tactic").items())
    committed = [((f"({'committed' if c else 'uncommitted'})",), m) for (c,), m in sorted(_group(rows, "committed").items())]
    for (kind,), mine in [*groups, *committed, (("all",), rows)]:
        cells = [
            sum(r["safe"] != "untouched" for r in mine),
            sum(r["named"] for r in mine),
            sum(r["placed"] for r in mine),
            sum(r["pending"] > 0 for r in mine),
            sum(r["all"] == "hidden" for r in mine),
            sum(r["all"] == "written" for r in mine),
        ]
        out.append(f"{kind:48}{len(mine):>6}{cells[0]:>9}{cells[1]:>8}{cells[2]:>8}{cells[3]:>9}{cells[4]:>13}{cells[5]:>14}")
    return "\n".join(out)


def failures(rows: Sequence[Row]) -> int:
    """How many cases break a hard rule: something written unasked on a negative, a weakened or wrong write, a crash."""
    bad = [r for r in rows if (r["safe"] if r["strategy"] != NEGATIVE else "") in ("weakened", "wrong") or r["errors"]]
    bad += [r for r in rows if r["strategy"] == NEGATIVE and r["safe"] != "untouched"]
    return len({r["name"] for r in bad})
