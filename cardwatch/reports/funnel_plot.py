"""Draws a funnel as SVG: the forces, the share of all, and the limits at every size.

Presentation attributes alone, so that a page with a strict policy shows it; the table beside it has
the same figures.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from cardwatch.reports.benchmark import ALARM_Z, INDICATORS, WARNING_Z, WITHIN, funnel_limits

if TYPE_CHECKING:
    from cardwatch.reports.benchmark import Funnel

WIDTH, HEIGHT, MARGIN = 760, 420, 64
LINE_POINTS = 80
MARGIN_FACTOR = 1.2
"""Room beside the smallest and the largest force."""
AXIS_WORDS = (
    "Across: what the share is out of (logarithmic scale). Dashed: 95% limits. Dotted: 99.8%."
)


def funnel_svg(funnel: Funnel) -> str:
    """Return one funnel as SVG."""
    totals = [point.total for point in funnel.points]
    least, most = min(totals) / MARGIN_FACTOR, max(totals) * MARGIN_FACTOR
    sizes = np.unique(np.geomspace(least, most, LINE_POINTS).round().astype(int))
    limits = {
        deviate: [funnel_limits(funnel.centre, int(n), funnel.spread, deviate) for n in sizes]
        for deviate in (WARNING_Z, ALARM_Z)
    }
    shares = [point.share for point in funnel.points]
    low, high = funnel_limits(funnel.centre, min(totals), funnel.spread, ALARM_Z)
    top, least_share = min(max(*shares, high) * 1.1, 1.0), min(*shares, low)
    # Not from 0% where shares are near 100%: all of them would lie at the top.
    bottom = 1.2 * least_share - 0.2 * top if least_share > top / 2 else 0.0

    def x(total: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * math.log(total / least) / math.log(most / least)

    def y(share: float) -> float:
        height = (min(max(share, bottom), top) - bottom) / ((top - bottom) or 1.0)
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * height

    title = escape(INDICATORS[funnel.indicator])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(MARGIN, 28, title, 18),
        _line([(x(least), y(funnel.centre)), (x(most), y(funnel.centre))], "#0b0c0c", ""),
    ]
    for deviate, dashes in ((WARNING_Z, "6 4"), (ALARM_Z, "2 3")):
        for side in (0, 1):
            pairs = zip(sizes, limits[deviate], strict=True)
            parts.append(_line([(x(n), y(pair[side])) for n, pair in pairs], "#505a5f", dashes))
    for point in funnel.points:
        is_within = point.verdict == WITHIN
        place = f'cx="{x(point.total):.1f}" cy="{y(point.share):.1f}"'
        facts = f"{escape(point.organisation)}: {point.count:,} of {point.total:,}"
        colour = "#1d70b8" if is_within else "#d4351c"
        parts.append(f'<circle {place} r="5" fill="{colour}"><title>{facts}</title></circle>')
        if not is_within:
            name = escape(point.organisation)
            parts.append(_text(x(point.total) + 8, y(point.share) + 4, name, 11))
    ends = [(x(total), f"{total:,}") for total in (min(totals), max(totals))]
    return "\n".join([*parts, *_axes(ends, (bottom, top)), "</svg>"]) + "\n"


def _axes(ends: list[tuple[float, str]], shares: tuple[float, float]) -> list[str]:
    """Return the axes, with the totals of the smallest and largest force and the outer shares."""
    low, left = HEIGHT - MARGIN, MARGIN - 56
    return [
        _line([(MARGIN, low), (WIDTH - MARGIN, low)], "#0b0c0c", ""),
        _line([(MARGIN, MARGIN), (MARGIN, low)], "#0b0c0c", ""),
        *(_text(place - 14, low + 20, words, 12) for place, words in ends),
        _text(left, low + 4, f"{shares[0]:.1%}", 12),
        _text(left, MARGIN + 4, f"{shares[1]:.1%}", 12),
        _text(MARGIN, HEIGHT - 16, AXIS_WORDS, 12),
    ]


def _line(points: list[tuple[float, float]], colour: str, dashes: str) -> str:
    """Return a line through some points."""
    places = " ".join(f"{left:.1f},{down:.1f}" for left, down in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{places}" fill="none" stroke="{colour}"{dashed}/>'


def _text(left: float, down: float, words: str, size: int) -> str:
    """Return words, which are escaped already, at a place."""
    place = f'x="{left:.1f}" y="{down:.1f}"'
    return f'<text {place} font-family="sans-serif" font-size="{size}">{words}</text>'
