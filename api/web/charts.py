"""Layout of charts and drawings: lines differ by dashes, width and letters, not by colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from cardwatch.evaluation.benchmark import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_DRAWN = 10
"""Branches that a drawing of relations shows; its table has all."""
BRANCH_TOP, BRANCH_NAME, BRANCH_LINE, BRANCH_GAP = 50, 19, 19, 20
"""Pixels above the first branch, of its name, of each line of words, and between two."""
TOP, HEIGHT = 12, 170
"""Pixels above the chart's highest line, and from it to the lowest."""
LEFT, WIDTH = 9.0, 78.0
"""Per cent of the width before the first point, and from it to the last."""
LETTER_PIXELS = 15
LINE_DASHES = ("", "8 4", "2 4", "10 3 2 3", "1 6", "14 6")


class EvaluationRecall(TypedDict):
    """The share found within a list of one length, with its interval, as JSON has it."""

    per_1000: float
    share: float
    low: float
    high: float


class EvaluationRow(TypedDict):
    """One way of looking at one style and limit, as an evaluation's JSON has it."""

    limit_pence: int
    style: str
    ranker: str
    planted: int
    recalls: list[EvaluationRecall]


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


@dataclass(frozen=True)
class Branch:
    """One line of a drawing of relations: to whom or what it leads, and words about it.

    Attributes:
        match: stated, strong or possible; empty where no register names the two.
        y: pixels down.
    """

    name: str
    match: str
    lines: tuple[str, ...]
    y: int


def branches_of(relations: Iterable[tuple[str, str, str]]) -> tuple[tuple[Branch, ...], int]:
    """Return relations as branches, one a name, and the height of the drawing.

    Args:
        relations: name, match and words of each, the most telling first.
    """
    by_name: dict[str, list[tuple[str, str]]] = {}
    for name, match, words in relations:
        by_name.setdefault(name, []).append((match, words))
    branches, y = [], BRANCH_TOP
    for name, parts in list(by_name.items())[:MOST_DRAWN]:
        lines = tuple(words for _, words in parts)
        branches.append(Branch(name, parts[0][0], lines, y))
        y += BRANCH_NAME + BRANCH_LINE * len(lines) + BRANCH_GAP
    return tuple(branches), y


def styles_of(rows: list[EvaluationRow]) -> list[Style]:
    """Return the rows of an evaluation as a chart for each limit and style, in their order."""
    keys = dict.fromkeys((row["limit_pence"], row["style"]) for row in rows if row["recalls"])
    styles = []
    for pence, style in keys:
        style_rows = [row for row in rows if (row["limit_pence"], row["style"]) == (pence, style)]
        across = _across(len(style_rows[0]["recalls"]))
        ticks = tuple(
            (x, f"{recall['per_1000']:g}")
            for x, recall in zip(across, style_rows[0]["recalls"], strict=True)
        )
        styles.append(Style(style, pence, style_rows[0]["planted"], _lines(style_rows), ticks))
    return styles


def _lines(rows: list[EvaluationRow]) -> tuple[Line, ...]:
    """Return one line a way of looking, their letters moved apart where they end alike."""
    ends = _apart([_down(row["recalls"][-1]["share"]) for row in rows])
    lines = []
    for number, (row, end) in enumerate(zip(rows, ends, strict=True)):
        ours = row["ranker"] == OURS
        points = tuple(
            Point(
                x,
                _down(recall["share"]),
                _down(recall["low"]),
                _down(recall["high"]),
                _text(recall),
            )
            for x, recall in zip(_across(len(row["recalls"])), row["recalls"], strict=True)
        )
        dash = LINE_DASHES[number % len(LINE_DASHES)]
        lines.append(
            Line("ABCDEF"[number], row["ranker"], dash, 3 if ours else 2, ours, end, points)
        )
    return tuple(lines)


def _text(recall: EvaluationRecall) -> str:
    return f"{recall['share']:.0%} ({recall['low']:.0%} to {recall['high']:.0%})"


def _across(count: int) -> list[float]:
    return [round(LEFT + WIDTH * number / max(count - 1, 1), 2) for number in range(count)]


def _down(share: float) -> float:
    return round(TOP + HEIGHT * (1 - share), 1)


def _apart(places: list[float]) -> list[float]:
    """Return places so far apart that a letter fits at each, near where they were."""
    moved = list(places)
    free = float(TOP + HEIGHT)
    for number in sorted(range(len(places)), key=lambda n: (-places[n], -n)):  # from below
        moved[number] = min(places[number], free)
        free = moved[number] - LETTER_PIXELS
    return moved
