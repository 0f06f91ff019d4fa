"""Parts text whose columns stand below each other, as line printers write it, into cells.

Runs in the limited child only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardwatch.tabular.headings import DAY_SHAPE, SEARCHED_ROWS, Headings, normalise_heading

if TYPE_CHECKING:
    from collections.abc import Sequence

SEPARATED = re.compile(r"[,;|\t^~\"]")
CELL = re.compile(r"\S+(?: \S+)*")
"""Words with single spaces between them."""
RULE = re.compile(r"[-=_]{2,}(?: +[-=_]{2,})+ *")
"""A line of dashes below the headings, a run of them for each column."""
ONLY_MARKS = re.compile(r"[-=_* ]*")
DAY_INSIDE = re.compile(rf"(?<!\d){DAY_SHAPE}(?!\d)")
MONEY_INSIDE = re.compile(r"\d\.\d\d(?!\d)")
NUMBER_AT_END = re.compile(r"\d\)?-?(?: ?[CD]R)?\s*$", re.IGNORECASE)
TIME_OF_REPORT = re.compile(r"\s*(?:at )?\d{1,2}[:.]\d\d(?:[:.]\d\d)?\s*")
"""When a report was made, after its day."""
AFTER_AMOUNTS = frozenset({"", "CR", "DR", "-", "+"})
"""What stands after an amount, and under no heading of its own."""
PAGE = re.compile(r"\bpage\W{0,9}(?:no\W{0,9})?\d", re.IGNORECASE)
NO_PAYMENT = re.compile(r"total|forward|balance", re.IGNORECASE)
HEAD_CHARACTERS = 1 << 16
"""Headings are looked for in so much of a text."""
Span = tuple[int, int]


def fixed_width_rows(text: str, headings: Headings) -> tuple[int, list[list[str]]] | None:
    """Return the lines of a text as rows of cells, and which has the headings.

    Nothing where its columns are not certain. They are those of a rule of dashes below the line of
    headings, or the spans that two blanks or more part in the headings and all payments at once,
    one for each heading. No payment may have a letter where columns part. Another line is parted
    too if it has none there, and is one cell otherwise.

    Args:
        text: the whole file.
        headings: what headings are looked for.
    """
    start = _heading_line(text[:HEAD_CHARACTERS].splitlines()[:SEARCHED_ROWS], headings)
    if start is None:
        return None
    lines = [line.expandtabs() for line in text.splitlines()]
    below = lines[start + 1 :]
    payments = _payments(below)
    spans = _spans(lines[start], below[0], payments) if payments else None
    if spans is None or not all(_fits(line, spans) for line in payments):
        return None
    # A payment whose day stands in the line above it does not fit either.
    if any(_has_further_amount(line) and not _fits(line, spans) for line in below):
        return None
    return start, [_cells(line, spans) for line in lines]


def _heading_line(lines: Sequence[str], headings: Headings) -> int | None:
    """Return the number of the line that has every needed heading, and no separator."""
    for number, line in enumerate(lines[:-1]):
        if SEPARATED.search(line):
            continue
        names = [normalise_heading(match[0]) for match in CELL.finditer(line)]
        if headings.is_whole(names):
            return number
    return None


def _payments(lines: Sequence[str]) -> list[str]:
    """Return the lines with a day where days stand, and those with an amount after their day."""
    with_day = [(line, day) for line in lines if (day := DAY_INSIDE.search(line))]
    sure = {day.start() for line, day in with_day if _is_payment(line, day.end())}
    return [line for line, day in with_day if day.start() in sure or _is_payment(line, day.end())]


def _is_payment(line: str, day_end: int) -> bool:
    """Return whether a line has a number at its end after its day, or one with pence."""
    rest = line[day_end:]
    is_title = PAGE.search(line) or TIME_OF_REPORT.fullmatch(rest)
    return bool(MONEY_INSIDE.search(rest) or NUMBER_AT_END.search(rest)) and not is_title


def _has_further_amount(line: str) -> bool:
    """Return whether a line has an amount with pence and does not call it a total or a balance."""
    return bool(MONEY_INSIDE.search(line)) and not NO_PAYMENT.search(line)


def _spans(heading: str, below: str, payments: Sequence[str]) -> list[Span] | None:
    """Return from where to where each column goes; nothing if headings and columns do not match.

    A rule of dashes shows it, unless payments do not keep to it.
    """
    if RULE.fullmatch(below):
        spans = [match.span() for match in re.finditer(r"[-=_]+", below)]
        if all(_fits(line, spans) for line in payments):
            return spans
    width = max(map(len, [heading, *payments]))
    is_blank = [True] * width
    for line in (heading, *payments):
        for place, letter in enumerate(line):
            is_blank[place] &= letter == " "
    filled = "".join(" " if blank else "x" for blank in is_blank)
    spans = [match.span() for match in re.finditer(r"x(?:x| (?! ))*", filled)]
    spans = _without_marks(spans, payments)
    names = [match.span() for match in CELL.finditer(heading)]
    is_matched = len(spans) == len(names) and all(
        start <= first and last <= end
        for (start, end), (first, last) in zip(spans, names, strict=True)
    )
    return spans if is_matched else None


def _without_marks(spans: list[Span], payments: Sequence[str]) -> list[Span]:
    """Return the columns, that of amounts with the marks of credit and debit after it."""
    marks = {line[spans[-1][0] :].strip().upper() for line in payments}
    if len(spans) == 1 or not marks <= AFTER_AMOUNTS:
        return spans
    return [*spans[:-2], (spans[-2][0], spans[-1][1])]


def _fits(line: str, spans: Sequence[Span]) -> bool:
    """Return whether a line is blank wherever columns part, and after the last one."""
    places = [0, *(place for span in spans for place in span), len(line)]
    return not any(line[a:b].strip() for a, b in zip(places[::2], places[1::2], strict=True))


def _cells(line: str, spans: Sequence[Span]) -> list[str]:
    """Return the cells of a line; a rule has none, and what does not fit is one."""
    if ONLY_MARKS.fullmatch(line):
        return [""]
    if not _fits(line, spans):
        return [line.strip()]
    return [line[start:end].strip() for start, end in spans]
