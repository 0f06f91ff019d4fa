"""A file's statements about its own length: payments, their total, pages, rows left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.quantities import money, plural
from cardwatch.records import Check
from cardwatch.statements import cells
from cardwatch.statements.cells import TextColumn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

PAYMENTS_COUNTED = re.compile(
    r"\W*(?:(?:total |grand )?(?:number|no\.?|count) of |total )?"
    r"(?:transactions?|payments?|records?|rows|items|lines)(?: count(?:ed)?)?[^\w£]+(\d[\d,]*)\W*"
    r"|\W*(\d[\d,]*) (?:rows?|records?|transactions|payments|items|lines)"
    r"(?: (?:selected|in set|returned|found|listed|exported|in total)\b.*)?\W*",
    re.IGNORECASE,
)
"""A line that says how many payments a file has."""
STATED_TOTAL = re.compile(
    r"\W*(?:(?:[a-z]+ ){0,2}total(?: (?:amount|spend|value|sum|cost|payments?|transactions?"
    r"|purchases?|charges?|new|gbp|paid|due|is|of|for|the|all|this|card|statement|month|period))*"
    r"|new (?:transactions|purchases|charges|spending))"
    r"\W*(\d[\d,]*\.\d\d)\W*",
    re.IGNORECASE,
)
"""A line that says to what the payments come, and not a limit or the VAT among them."""
TOTAL_ALONE = re.compile(r"\W*(?:(?:sub|grand|overall|report)\W*)?totals?\W*", re.IGNORECASE)
"""A line below payments that ends without what they come to."""
NUMBERED_PAGE = re.compile(r"\bpage\W{0,2}(\d{1,4})\s?(?:of|/)\s?(\d{1,4})\b", re.IGNORECASE)
MOST_DIGITS = 9
"""No list has more rows than a number of so many digits."""
ROWS_SHOWN = re.compile(
    r"\b(?:first|showing|shown|displaying|exported|limited to|rows?)\W+"
    "(?:(\\d[\\d,]*)\\s?(?:to|-|\u2013)\\s?)?"
    r"(\d[\d,]*) (?:out )?of (\d[\d,]*)\b",
    re.IGNORECASE,
)
"""A line that says which rows are shown, and of how many."""
LEFT_OUT = re.compile(
    r"\b(?:list|export|report|results?|file|output|rows?|records?|data|statement|transactions)\b"
    r".{0,40}\b(?:truncated|cut off|incomplete|not complete|limited to the first \d)\b"
    r"|\b(?:further|more|remaining|other) (?:rows|records|transactions|payments|items)"
    r" (?:are |were )?(?:not shown|not listed|omitted|left out|available)\b",
    re.IGNORECASE,
)
"""A line that says that rows are left out."""
OF_CELLS = re.compile(r"\b(?:numbers|digits|names|descriptions|details|pans?)\b", re.IGNORECASE)
"""A word of what is shortened in each row, such as card numbers, where no row is left out."""


def check_length(sheet: ParsedSheet, text: Flags, rows: Flags, good: Flags, pence: Pence) -> None:
    """Compare the payments with what the file says of how many there are.

    Args:
        sheet: the file.
        text: which rows are lines of text.
        rows: which rows are payments.
        good: those of them that are read.
        pence: the amount of each row.
    """
    lines = [*(line for line, _ in sheet.titles()), *sheet.lines(text)]
    _check_stated_total(sheet, lines, pence[good])
    if any(map(TOTAL_ALONE.fullmatch, sheet.lines(text))):
        sheet.notes.append("a total has no amount, so the payments are not compared with it")
    _check_count(sheet, lines, rows, good)
    _tell_left_out(sheet, text, lines)
    _tell_pages(sheet, text)


def _numbers(sheet: ParsedSheet, text: Flags, pattern: re.Pattern[str]) -> list[tuple[int, ...]]:
    """Return the numbers of each line of a kind, of however many pages; 1 where one is not said."""
    lines = [line for line, _ in sheet.titles()]
    columns = sheet.table.cells.columns if text.any() else ()  # most files have payments alone
    for column in map(TextColumn.of, columns):
        lines += column.picked(np.flatnonzero(text & column.matches(f"(?i){pattern.pattern}")))
    return [
        tuple(int((number or "1").replace(",", "")[:MOST_DIGITS]) for number in match.groups())
        for match in map(pattern.search, lines)
        if match
    ]


def _tell_left_out(sheet: ParsedSheet, text: Flags, lines: Sequence[str]) -> None:
    """Say that a line says that not all rows are there."""
    shown = sorted(_numbers(sheet, text, ROWS_SHOWN))
    missing, until = False, 0  # joined pages say each which rows they have
    for first, last, _ in shown:
        missing |= first > until + 1
        until = max(until, last)
    missing |= until < max((count for *_, count in shown), default=0)
    if missing or any(LEFT_OUT.search(line) and not OF_CELLS.search(line) for line in lines):
        sheet.notes.append(
            "a line above or below the payments says that rows are left out: export all of them"
        )


def _tell_pages(sheet: ParsedSheet, text: Flags) -> None:
    """Say which pages are missing, or there twice, by lines such as `Page 1 of 3`."""
    pages = _numbers(sheet, text, NUMBERED_PAGE)
    counts = {count for _, count in pages}
    if len(pages) < 2 or len(counts) != 1:
        return
    numbers = [number for number, _ in pages]
    missing = sorted({*range(1, counts.pop() + 1)} - {*numbers})
    if missing:
        sheet.notes.append(f"{_named(missing, 'is', 'are')} missing, by the lines that number them")
    often = max(map(numbers.count, numbers))
    twice = sorted({number for number in numbers if numbers.count(number) == often})
    if often > 1 and len(twice) < len({*numbers}):  # not where each sheet numbers its own
        sheet.notes.append(
            f"{_named(twice, 'stands', 'stand')} there more than once, by the lines that number "
            "them. If payments are there twice, take them out"
        )


def _named(pages: list[int], one: str, several: str) -> str:
    """Return `page 2 is` or `pages 2, 3 are`."""
    listed = ", ".join(map(str, pages))
    return f"{plural(len(pages), 'page', 'pages')} {listed} {plural(len(pages), one, several)}"


def _check_stated_total(sheet: ParsedSheet, lines: Sequence[str], pence: Pence) -> None:
    """Compare the only line that states a total with what the payments, or the charges, come to."""
    stated = [match[1] for line in lines if (match := STATED_TOTAL.fullmatch(line))]
    declared = cells.read_pence(stated[0], ".") if len(stated) == 1 else None
    if declared is None:
        return
    whole = int(pence.sum())
    agrees = declared in {abs(whole), int(pence[pence > 0].sum())}
    sentence = (
        f"a line of text states a total of {money(declared)}, and the payments come to "
        f"{money(whole)}"
    )
    if not agrees:
        sheet.notes.append(f"{sentence}: are rows missing?")
    sheet.checks.append(Check("stated total", agrees, sentence))


def _check_count(sheet: ParsedSheet, lines: Sequence[str], rows: Flags, good: Flags) -> None:
    """Compare how many payments the file says it has with how many stand in it.

    Several such lines are of several sections, and are not compared.
    """
    found = [
        int((match[1] or match[2]).replace(",", ""))
        for line in lines
        if (match := PAYMENTS_COUNTED.fullmatch(line))
    ]
    if len(found) != 1:
        return
    counts = {int(rows.sum()), int(good.sum())}
    sentence = f"the file says that it has {found[0]:,} payments, and has {max(counts):,}"
    if found[0] not in counts:
        sheet.notes.append(sentence)
    sheet.checks.append(Check("count", found[0] in counts, sentence))
