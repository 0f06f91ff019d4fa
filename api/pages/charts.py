"""Layout of line charts: lines differ by dashes and letters, not by colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cardwatch.evaluation.trial import OURS

TOP, HEIGHT = 12, 170
"""Pixels above the chart's highest line, and from it to the lowest."""
LEFT, WIDTH = 9.0, 78.0
"""Per cent of the width before the first point, and from it to the last."""
LETTER_PIXELS = 15
DASHES = ("", "8 4", "2 4", "10 3 2 3", "1 6", "14 6")


@dataclass(frozen=True)
class Point:
    """One point: where it stands (per cent across, pixels down) with its interval, and its text."""

    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Line:
    """One line of a chart, with the letter at its end and in its table."""

    letter: str
    name: str
    dash: str
    width: int
    has_interval: bool
    letter_y: float
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Style:
    """Results of one style at one limit, by method."""

    name: str
    limit_pence: int
    planted: int
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]


def styles_of(rows: list[dict[str, Any]]) -> list[Style]:
    """Return the rows of an evaluation as a chart for each limit and style, in their order."""
    keys = dict.fromkeys((row["limit_pence"], row["style"]) for row in rows if row["recalls"])
    told = []
    for pence, style in keys:
        own = [row for row in rows if (row["limit_pence"], row["style"]) == (pence, style)]
        across = _across(len(own[0]["recalls"]))
        ticks = tuple(
            (x, f"{one['per_1000']:g}") for x, one in zip(across, own[0]["recalls"], strict=True)
        )
        told.append(Style(style, pence, own[0]["planted"], _lines(own), ticks))
    return told


def _lines(rows: list[dict[str, Any]]) -> tuple[Line, ...]:
    """Return one line a way of looking, their letters moved apart where they end alike."""
    ends = _apart([_down(row["recalls"][-1]["share"]) for row in rows])
    made = []
    for number, (row, end) in enumerate(zip(rows, ends, strict=True)):
        ours = row["ranker"] == OURS
        points = tuple(
            Point(x, _down(one["share"]), _down(one["low"]), _down(one["high"]), _text(one))
            for x, one in zip(_across(len(row["recalls"])), row["recalls"], strict=True)
        )
        dash = DASHES[number % len(DASHES)]
        made.append(
            Line("ABCDEF"[number], row["ranker"], dash, 3 if ours else 2, ours, end, points)
        )
    return tuple(made)


def _text(one: dict[str, float]) -> str:
    return f"{one['share']:.0%} ({one['low']:.0%} to {one['high']:.0%})"


def _across(count: int) -> list[float]:
    return [round(LEFT + WIDTH * at / max(count - 1, 1), 2) for at in range(count)]


def _down(share: float) -> float:
    return round(TOP + HEIGHT * (1 - share), 1)


def _apart(places: list[float]) -> list[float]:
    """Return places so far apart that a letter fits at each, near where they were."""
    moved = list(places)
    free = float(TOP + HEIGHT)
    for at in sorted(range(len(places)), key=lambda n: (-places[n], -n)):  # from below
        moved[at] = min(places[at], free)
        free = moved[at] - LETTER_PIXELS
    return moved
