"""The headings of a table: distinct, of one table alone, and no payment in their place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.statements import cells
from cardwatch.statements.bookings import kind_by_words
from cardwatch.statements.cells import TextColumn
from cardwatch.statements.dates import is_day
from cardwatch.statements.profiles import (
    Profile,
    choose_profile,
    known_headings,
    missing_fields,
    needed_headings,
)
from cardwatch.tabular import Headings, Part, Table, normalise_heading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CELL_MARKS = r"[;|\t,]"
"""Marks that divide the cells of a line."""
FEW_CELLS = 2
"""A heading row has more cells than this, and so has a payment."""
SHOWN_ROWS = 20
"""Number of rows read to tell headings from a first payment."""
OF_ALERTS = "alert id"
"""A heading of every list of alerts that cardwatch writes."""


def first_table(table: Table, profiles: Sequence[Profile]) -> Table:
    """Return a table without another beside it, and with a note that one is not read.

    An empty column parts them, and fields of the first would be taken from the second, or a heading
    stands in both and the second has no payments of its own.
    """
    for gap, heading in enumerate(table.headings):
        if (
            heading.strip()
            or gap == 0
            or TextColumn.of(table.cells[str(gap)]).matches(cells.FILLED).any()
        ):
            continue
        profile, _ = choose_profile(table.headings, profiles)
        whole, first = profile.map(table.headings), profile.map(table.headings[:gap])
        is_mixed = any(whole.get(name) != first[name] for name in first)
        if not missing_fields(first) and (is_mixed or _is_summary(table, gap, first, profile)):
            note = (
                f"the columns after the empty one, number {gap + 1}, stand apart and are not read"
            )
            columns = table.cells.select(list(map(str, range(gap))))
            notes = (*table.notes, note)
            return replace(table, headings=table.headings[:gap], cells=columns, notes=notes)
    return table


def _is_summary(table: Table, gap: int, first: Mapping[str, int], profile: Profile) -> bool:
    """Return whether the columns after an empty one repeat a heading and hold no payments."""
    headings_used = {normalise_heading(table.headings[position]) for position in first.values()}
    beside = table.headings[gap:]
    missing = missing_fields(profile.map(beside))
    return bool({"date", "amount"} & set(missing)) and not headings_used.isdisjoint(
        map(normalise_heading, beside)
    )


def distinct_headings(table: Table, card_key: bytes) -> tuple[str, ...]:
    """Return a table's headings without card numbers; a second `Amount` is `Amount (2)`."""
    name_counts: dict[str, int] = {}
    headings = []
    for heading in (cells.redact_cards(printed, card_key) for printed in table.headings):
        name = normalise_heading(heading)
        name_counts[name] = name_counts.get(name, 0) + 1
        headings.append(
            f"{heading} ({name_counts[name]})" if name and name_counts[name] > 1 else heading
        )
    return tuple(headings)


def check_headings(table: Table, profiles: Sequence[Profile]) -> None:
    """Refuse a table whose first row is no heading row, so that nothing of it is shown.

    A heading row has a known heading, or a heading above a column of days or amounts. One with a
    day or an amount in it is a payment, unless it has every needed heading.

    Raises:
        FileRefused: there is no heading row, or it is that of a list of alerts.
    """
    headings = Headings(known_headings(profiles), needed_headings(profiles))
    names = list(map(normalise_heading, table.headings))
    if OF_ALERTS in names:
        reason = "it is a list of alerts that cardwatch made, not a statement. Give the statement"
        raise FileRefused(table.file, "list_of_alerts", reason)
    first = table.cells.slice(0, SHOWN_ROWS)
    is_known = any(map(headings.knows, filter(None, names))) or any(
        _is_value(text)
        for column, name in zip(first.columns, names, strict=False)
        if name
        for text in column.to_pylist()
    )
    is_payment = any(map(_is_value, table.headings)) and not headings.is_whole(names)
    if is_payment or not is_known:
        reason = (
            "its first row looks like a payment, not headings. Export it again with a heading row"
            if is_payment
            else "no row of it has known headings, such as Date, Merchant and Amount, so it does "
            "not look like a list of payments. Export it as one, with a heading row"
        )
        if len(table.headings) == 1 and len(re.split(CELL_MARKS, table.headings[0])) > FEW_CELLS:
            reason = (
                "each of its lines is one cell, as quotation marks around whole lines make it. "
                "Export it again without them"
            )
        raise FileRefused(table.file, "no_headings", reason)
    _check_above(table, profiles)


def _check_above(table: Table, profiles: Sequence[Profile]) -> None:
    """Refuse a table with another one above its headings, which would be left out.

    Raises:
        FileRefused: a row above has a heading for date, merchant and amount, and payments follow.
    """
    needed = needed_headings(profiles)
    for part in table.parts:
        rows = [set(map(normalise_heading, row)) for row in part.above]
        starts = [i for i, names in enumerate(rows) if all(names & field for field in needed)]
        below = part.above[starts[0] + 1 :] if starts else ()
        if any(sum(map(_is_value, row)) > 1 for row in below):
            reason = (
                f"payments with other headings stand above row {part.row - 1}. Save each table as "
                "a file of its own"
            )
            raise FileRefused(table.file, "headings_change", reason)
        _check_sorted(table, part, profiles)


def _check_sorted(table: Table, part: Part, profiles: Sequence[Profile]) -> None:
    """Refuse payments above the headings, as sorting a sheet with its heading row leaves them.

    Such a row has a day and an amount where the headings have them. Of rows with fewer cells than
    headings, as cells may be empty, one alone is a line of a title; balances are no payments.

    Raises:
        FileRefused: there is one.
    """
    headings = [heading for heading in table.headings if heading.strip()]
    profile, missing = choose_profile(headings, profiles)
    places = profile.map(headings)
    paid = [places[name] for name in ("amount", "debit", "credit") if name in places]
    if "date" in missing or "amount" in missing:
        return
    like = [
        row
        for row in part.above
        if FEW_CELLS < len(row) <= len(headings)
        and _is_under(row, places["date"], len(headings), is_day)
        and any(_is_under(row, place, len(headings), _is_amount) for place in paid)
        and not any(map(kind_by_words, row))
    ]
    if len(like) > 1 or any(len(row) == len(headings) for row in like):
        reason = (
            f"{quantity(len(like), 'payment stands', 'payments stand')} above its headings in row "
            f"{part.row - 1}. Move the headings to the top"
        )
        raise FileRefused(table.file, "no_headings", reason)


def _is_under(row: Sequence[str], place: int, width: int, test: Callable[[str], bool]) -> bool:
    """Return whether a cell passes a test that may stand under a heading.

    Args:
        row: the filled cells of a row, of which empty ones may have been left out anywhere.
        place: of the heading.
        width: how many headings there are.
        test: what the cell has to pass.
    """
    return any(map(test, row[max(place - width + len(row), 0) : place + 1]))


def _is_amount(text: str) -> bool:
    """Return whether a cell is an amount."""
    return cells.read_pence(text, ".") is not None


def _is_value(text: str) -> bool:
    """Return whether a cell is a day or an amount."""
    return is_day(text) or bool(cells.read_pence(text, "."))
