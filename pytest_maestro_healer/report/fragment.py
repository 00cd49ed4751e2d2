"""One heal as a piece of HTML for somebody else's page: no styles or scripts needed, everything escaped."""

from __future__ import annotations

from html import escape

from pytest_maestro_healer.model import DecisionKind, HealingResult
from pytest_maestro_healer.report.terminal import failure_section

_COLORS = {"+": "#1a7f37", "-": "#b42318", "@": "#59636e"}


def fragment(result: HealingResult) -> str:
    """The diff with why and how sure, or the advice, or why there is none."""
    title, body = failure_section(result)
    rows = body.split("\n")
    offered = result.decision.kind in (DecisionKind.APPLIED, DecisionKind.PENDING)
    code = "\n".join(_colored(row) for row in rows[1:]) if offered else ""
    out = f'<div class="maestro-heal"><p><b>{escape(title)}</b>: {escape(rows[0] if offered else body)}</p>'
    if code:
        out += f'<pre style="white-space:pre-wrap;overflow-wrap:anywhere">{code}</pre>'
    if result.decision.kind is DecisionKind.PENDING:
        out += f"<p><code>maestro-heal accept {escape(result.healing_id)}</code></p>"
    return out + "</div>"


def _colored(row: str) -> str:
    color = _COLORS.get(row[:1], "")
    return f'<span style="color:{color}">{escape(row)}</span>' if color else escape(row)
