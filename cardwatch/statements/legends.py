"""Lines that explain the marks of a column: what one says is no payment is told of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.quantities import quantity
from cardwatch.statements.words import plain_word, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

EXPLAINED = re.compile(r"(?:^|(?<=[\s,;(.:|/]))([A-Za-z]{1,3}|[*#~?^]{1,2})\s?(?:[=:-]|\bmeans\b)")
"""A mark that is explained, up to what it means: `F = forecast`."""
MEANING_ENDS = re.compile(r"[,;.|/)]")
NEGATIONS = frozenset({"not", "no", "never"})
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
        mark: word
        for line in lines
        for mark, meaning in _explained(line)
        if (word := _unpaid_word(meaning))
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


def _explained(line: str) -> Iterator[tuple[str, str]]:
    """Return each mark that a line explains, with its meaning: as far as the next mark, at most."""
    found = list(EXPLAINED.finditer(line))
    ends = [match.start() for match in found] + [len(line)]
    for match, end in zip(found, ends[1:], strict=True):
        yield match[1].casefold(), MEANING_ENDS.split(line[match.end() : end], maxsplit=1)[0]


def _unpaid_word(text: str) -> str:
    """Return the word of a meaning that is of no payment; empty if there is none."""
    words = plain_word(text).split()
    unpaid = (
        word
        for i, word in enumerate(words)
        if word in word_set("status", "unpaid") and not NEGATIONS & {*words[max(i - 2, 0) : i]}
    )
    return next(unpaid, "")
