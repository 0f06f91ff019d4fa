"""Draws a funnel as SVG: the forces, the share of all, and the limits at every size.

Presentation attributes alone, so that a page with a strict policy shows it; the table beside it has
the same figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from cardwatch.reports.benchmark import ALARM_Z, INDICATORS, WARNING_Z, funnel_limits

if TYPE_CHECKING:
    from cardwatch.reports.benchmark import Funnel

WIDTH, HEIGHT, MARGIN = 760, 420, 64
LINE_POINTS = 80


def funnel_svg(funnel: Funnel) -> str:
    """Return one funnel as SVG."""
    most = max(point.total for point in funnel.points) * 1.05
    sizes = np.unique(np.geomspace(max(most / 200, 5), most, LINE_POINTS).astype(int))
    limits = {
        deviate: [funnel_limits(funnel.centre, int(n), funnel.spread, deviate) for n in sizes]
        for deviate in (WARNING_Z, ALARM_Z)
    }
    highest = max(
        *(point.share for point in funnel.points),
        funnel_limits(funnel.centre, min(p.total for p in funnel.points), funnel.spread, ALARM_Z)[
            1
        ],
    )
    top = min(highest * 1.1, 1.0)

    def x(total: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * total / most

    def y(share: float) -> float:
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * min(share, top) / top

    title = escape(INDICATORS[funnel.indicator])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(MARGIN, 28, title, 18),
        _line([(x(0), y(funnel.centre)), (x(most), y(funnel.centre))], "#0b0c0c", ""),
    ]
    for deviate, dashes in ((WARNING_Z, "6 4"), (ALARM_Z, "2 3")):
        for side in (0, 1):
            pairs = zip(sizes, limits[deviate], strict=True)
            parts.append(_line([(x(n), y(pair[side])) for n, pair in pairs], "#505a5f", dashes))
    for point in funnel.points:
        is_within = point.verdict == "within limits"
        place = f'cx="{x(point.total):.1f}" cy="{y(point.share):.1f}"'
        facts = f"{escape(point.organisation)}: {point.count:,} of {point.total:,}"
        colour = "#1d70b8" if is_within else "#d4351c"
        parts.append(f'<circle {place} r="5" fill="{colour}"><title>{facts}</title></circle>')
        if not is_within:
            name = escape(point.organisation)
            parts.append(_text(x(point.total) + 8, y(point.share) + 4, name, 11))
    parts += [
        _line([(MARGIN, HEIGHT - MARGIN), (WIDTH - MARGIN, HEIGHT - MARGIN)], "#0b0c0c", ""),
        _line([(MARGIN, MARGIN), (MARGIN, HEIGHT - MARGIN)], "#0b0c0c", ""),
        _text(MARGIN - 56, MARGIN + 4, f"{top:.1%}", 12),
        _text(MARGIN - 56, HEIGHT - MARGIN + 4, "0%", 12),
        _text(WIDTH - MARGIN - 60, HEIGHT - MARGIN + 20, f"{most:,.0f}", 12),
        _text(MARGIN, HEIGHT - 16, "Size of the force. Dashed: 95%. Dotted: 99.8%.", 12),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _line(points: list[tuple[float, float]], colour: str, dashes: str) -> str:
    """Return a line through some points."""
    places = " ".join(f"{left:.1f},{down:.1f}" for left, down in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{places}" fill="none" stroke="{colour}"{dashed}/>'


def _text(left: float, down: float, words: str, size: int) -> str:
    """Return words, which are escaped already, at a place."""
    place = f'x="{left:.1f}" y="{down:.1f}"'
    return f'<text {place} font-family="sans-serif" font-size="{size}">{words}</text>'
