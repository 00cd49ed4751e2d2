"""A picture of the history as SVG text, made without a plotting library: attempts per heal over time, and what became of heals."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from pytest_maestro_healer.learn.summary import Row, Summary, averaged

_WIDTH, _LEFT, _ROW = 720, 280, 22
_FONT = 'font-family="sans-serif" font-size="12"'
_GOOD, _BAD, _LINE = "#2a7f3f", "#b3402a", "#2b5b84"
_MOST_ROWS = 15


def picture(found: Summary) -> str:
    """The whole picture."""
    rows = [r for r in found.rows if r.tally.good + r.tally.bad > 0][:_MOST_ROWS]
    height = 230 + 40 + _ROW * len(rows) + 20
    body = [*_curve(averaged(found.curve), len(found.curve)), *_bars(rows, 240)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" {_FONT}>'
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{height}" fill="white"/>', *body, "</svg>", ""])


def _text(x: float, y: float, text: str, more: str = "") -> str:
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{escape(clean)}</text>'


def _curve(means: Sequence[float], heals: int) -> list[str]:
    out = [_text(20, 24, f"attempts per heal, {heals} heals from the first to the newest", 'font-weight="bold"')]
    if not means:
        return [*out, _text(20, 60, "no heal is recorded yet")]
    top = max(2.0, *means)
    x0, y0, wide, high = 60, 200, _WIDTH - 100, 150

    def at(i: int, value: float) -> tuple[float, float]:
        return x0 + wide * (i + 0.5) / len(means), y0 - high * (value - 1.0) / (top - 1.0)

    out.append(f'<path d="M{x0} {y0 - high}V{y0}H{x0 + wide}" fill="none" stroke="#666"/>')
    out += [_text(x0 - 8, y0 + 4, "1", 'text-anchor="end"'), _text(x0 - 8, y0 - high + 4, f"{top:.1f}", 'text-anchor="end"')]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(i, v) for i, v in enumerate(means)))
    out.append(f'<polyline points="{points}" fill="none" stroke="{_LINE}" stroke-width="2"/>')
    for i, value in enumerate(means):
        x, y = at(i, value)
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_LINE}"/>', _text(x, y - 8, f"{value:.2f}", 'text-anchor="middle" font-size="10"')]
    return out


def _bars(rows: Sequence[Row], y: int) -> list[str]:
    out = [_text(20, y + 14, "candidates: proved and not turned down, and others", 'font-weight="bold"')]
    most = max((r.tally.good + r.tally.bad for r in rows), default=1.0)
    for i, row in enumerate(rows):
        top = y + 30 + i * _ROW
        scale = (_WIDTH - _LEFT - 60) / most
        good, bad = row.tally.good * scale, row.tally.bad * scale
        out.append(_text(_LEFT - 8, top + 13, " ".join((f"{row.key[1]}/{row.key[2]}", row.key[0]))[:46], 'text-anchor="end" font-size="11"'))
        out.append(f'<rect x="{_LEFT}" y="{top}" width="{good:.1f}" height="{_ROW - 6}" fill="{_GOOD}"/>')
        out.append(f'<rect x="{_LEFT + good:.1f}" y="{top}" width="{bad:.1f}" height="{_ROW - 6}" fill="{_BAD}"/>')
        out.append(_text(_LEFT + good + bad + 6, top + 13, f"{100 * row.rate:.0f} %", 'font-size="11"'))
    return out
