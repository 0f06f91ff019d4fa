"""Writes a sheet of questions to be read blind by people, and scores it when it is filled.

The sheet shuffles the first questions of cardwatch, the first of the seven-day rule by money, and
random purchases, all described in one way. Which is which is not written down: the same statements
make the same sheet again when it is scored.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardwatch.alerts import alert_order
from cardwatch.errors import CardwatchError
from cardwatch.evaluation.baselines import by_score, window_rule
from cardwatch.quantities import money
from cardwatch.rarity import exact_interval
from cardwatch.reports.as_csv import csv_text, safe_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.scoring import ScoringResult

OURS, PLAIN, RANDOM = "cardwatch", "7-day rule by money", "random payments"
SOURCES = (OURS, PLAIN, RANDOM)
HEADINGS = ("Item", "Cardholder", "First day", "Last day", "Total in pounds", "Limit in pounds",
            "Payments", "Paid here before", "Other cardholders here", "Worth asking")  # fmt: skip
SHEET_SEED = 50
YES, NO = frozenset({"yes", "y"}), frozenset({"no", "n"})


@dataclass(frozen=True)
class Item:
    """One thing to be read.

    Attributes:
        item_id: made of its payments.
        sources: those that ask it, of `SOURCES`.
        cells: what the sheet says of it, without the answer.
    """

    item_id: str
    sources: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Share:
    """How many of a source's items one reader, or all of them, found worth asking.

    Attributes:
        low, high: the exact 95 % interval of the share.
    """

    source: str
    reader: str
    read: int
    worth: int
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """How far two readers agree.

    Attributes:
        kappa: Cohen's kappa, 0 where they agree no more than by chance (Cohen 1960); none where one
            of them gave one answer throughout.
    """

    readers: tuple[str, str]
    both: int
    same: int
    kappa: float | None


def make_items(scoring: ScoringResult, count: int, lane: str = "all") -> list[Item]:
    """Return the items of a sheet, shuffled.

    Args:
        scoring: of real payments, with nothing planted.
        count: how many of each source; fewer where it has fewer.
        lane: whose list is read; all for the lists of all lanes in one order.
    """
    scored = scoring.scored
    lists_read = [one for name, one in scoring.lists.items() if lane in {name, "all"}]
    alerts = [alert for one in lists_read for alert in one.alerts if alert.payments]
    ours = sorted((a for a in alerts if a.shown and not a.is_fact), key=alert_order)
    random = np.random.default_rng(SHEET_SEED)
    chance = np.where(scored.ledger.is_purchase, random.random(len(scored.ledger)), -1.0)
    lists = (
        [[payment.row for payment in alert.payments] for alert in ours],
        window_rule(scored),
        by_score(scored, chance),
    )
    sources: dict[tuple[int, ...], list[str]] = {}
    for source, groups in zip(SOURCES, lists, strict=True):
        for rows in groups[:count]:
            sources.setdefault(tuple(sorted(rows)), []).append(source)
    place = dict(zip(scored.ledger.frame["row"].tolist(), range(len(scored.ledger)), strict=True))
    items = [
        _item(scoring, [place[row] for row in rows], tuple(names))
        for rows, names in sources.items()
    ]
    items.sort(key=lambda item: item.item_id)  # a hash of the payments: in no order of the sources
    return items


def _item(scoring: ScoringResult, rows: Sequence[int], sources: tuple[str, ...]) -> Item:
    """Return some payments as an item of a sheet."""
    ledger = scoring.scored.ledger
    rows = sorted(rows)
    table = ledger.frame.iloc[rows]
    days = table["date"].dt.strftime("%Y-%m-%d").tolist()
    paid = [
        f"{day} {money(pence)} {merchant}{_booked(category, description)}"
        for day, pence, merchant, category, description in zip(
            days, table["amount_pence"], table["merchant"], table["category"],
            table["description"], strict=True,
        )
    ]  # fmt: skip
    before = ledger.window_rows(rows[0], ("merchant_id",))
    before = before[ledger.is_purchase[before] & (ledger.day[before] < ledger.day[rows[0]])]
    holders = ledger.group("holder_id")
    holder_count = int((holders[before] == holders[rows[0]]).sum())
    other_holders = len(set(holders[before].tolist()) - {holders[rows[0]]})
    cells = (
        ", ".join(dict.fromkeys(table["holder_id"])),
        min(days),
        max(days),
        f"{table['amount_pence'].sum() / 100:.2f}",
        f"{table['single_purchase_limit_pence'].iloc[-1] / 100:.2f}",
        "; ".join(paid),
        f"{holder_count} times" if holder_count != 1 else "once",
        str(other_holders),
    )
    digest = hashlib.sha256("\n".join(map(str, (*rows, *cells))).encode()).hexdigest()
    # A letter before it: a spreadsheet would take 12e34 for a number.
    return Item(f"q{digest[:11]}", sources, cells)


def _booked(category: str, description: str) -> str:
    """Return in brackets what a payment was booked as, if that is known."""
    words = ", ".join(dict.fromkeys(filter(None, (category, description))))
    return f" ({words})" if words else ""


def sheet_text(items: Sequence[Item]) -> str:
    """Return the sheet as CSV, safe to open in a spreadsheet; the last column is to be filled."""
    rows = [(item.item_id, *map(safe_text, item.cells), "") for item in items]
    return csv_text([HEADINGS, *rows])


def read_answers(items: Sequence[Item], text: str, name: str) -> dict[str, bool]:
    """Return what a filled sheet answers, by item: whether it is worth asking.

    Args:
        items: of the sheet.
        text: the filled sheet.
        name: of its file, for what is wrong with it.

    Raises:
        CardwatchError: it is another sheet, or an answer is neither yes nor no.
    """
    item_ids = {item.item_id for item in items}
    answers: dict[str, bool] = {}
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    for number, row in enumerate(rows, start=2):
        item, answer = row.get(HEADINGS[0]), (row.get(HEADINGS[-1]) or "").strip().casefold()
        if item not in item_ids:
            raise CardwatchError(
                f"{name}, line {number}: the sheet was written from other statements, figures or "
                "versions. Use those that it was written from."
            )
        if answer and answer not in YES | NO:
            raise CardwatchError(f"{name}, line {number}: enter yes or no under 'Worth asking'.")
        if answer:
            answers[item] = answer in YES
    return answers


def shares_of(items: Sequence[Item], readers: Mapping[str, Mapping[str, bool]]) -> list[Share]:
    """Return the share worth asking by source and reader."""
    shares = []
    for source in SOURCES:
        item_ids = [item.item_id for item in items if source in item.sources]
        for reader, answers in readers.items():
            verdicts = [answers[item] for item in item_ids if item in answers]
            interval = exact_interval(sum(verdicts), len(verdicts))
            shares.append(Share(source, reader, len(verdicts), sum(verdicts), *interval))
    return shares


def agreements(readers: Mapping[str, Mapping[str, bool]]) -> list[Agreement]:
    """Return how far every two readers agree."""
    names = list(readers)
    return [
        _agreement(name, other, readers)
        for index, name in enumerate(names)
        for other in names[index + 1 :]
    ]


def _agreement(reader: str, other: str, readers: Mapping[str, Mapping[str, bool]]) -> Agreement:
    first, second = readers[reader], readers[other]
    both = sorted(first.keys() & second.keys())
    same = sum(first[item] == second[item] for item in both)
    kappa = None
    if both:
        yes = [sum(answers[item] for item in both) / len(both) for answers in (first, second)]
        by_chance = yes[0] * yes[1] + (1 - yes[0]) * (1 - yes[1])
        if by_chance < 1:
            kappa = (same / len(both) - by_chance) / (1 - by_chance)
    return Agreement((reader, other), len(both), same, kappa)
