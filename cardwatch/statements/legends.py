"""Lines that explain the marks of a column: what one says is no payment is told of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.quantities import quantity
from cardwatch.statements.words import plain_word, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

EXPLAINED = re.compile(
    r"(?:^|[\s,;(.:|/])([A-Za-z]{1,3}|[*#~?^]{1,2})\s?(?:=|:|-|\bmeans\b)\s?([^,;.|=]+)"
)
"""A mark and what it means: `F = forecast`."""
MOST_MARKS = 25
"""A column of marks has no more distinct texts than this."""


def tell_unpaid_marks(sheet: ParsedSheet, lines: Iterable[str], good: Flags) -> None:
    """Say how many payments have a mark that by a line of text is of no payment.

    Args:
        sheet: the file.
        lines: above or below the payments.
        good: which rows are payments.
    """
    meanings = {
        match[1].casefold(): word
        for line in lines
        for match in EXPLAINED.finditer(line)
        if (word := _unpaid_word(match[2]))
    }
    for position in sheet.unused if meanings else ():
        column = sheet.column_at(position).kept(good)
        if len(column.used) > MOST_MARKS:
            continue
        marks = np.array([text.strip().casefold() for text in column.values], object)[column.codes]
        for mark, word in meanings.items():
            if count := int((marks == mark).sum()):
                payments = quantity(count, "payment is", "payments are")
                sheet.notes.append(
                    f"{payments} counted though '{sheet.headings[position]}' has a mark that a "
                    f"line of text explains as {word}: take out what was not paid"
                )


def _unpaid_word(text: str) -> str:
    """Return the word of a meaning that is of no payment; empty if there is none."""
    words = plain_word(text).split()
    return next((word for word in words if word in word_set("status", "unpaid")), "")
