"""Measures every kind of misuse in one list, compared with a one-line rule for each.

All kinds are planted in one world, and the questions of all lanes are read in one order. Facts
against policy stand apart and are counted. A one-line rule has the whole length of list for its own
kind, where cardwatch shares it among all: where it still finds more, the table says so. All kinds
together are compared with all one-line rules in one list, an item of each in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.alerts import alert_order
from cardwatch.evaluation.inject import plot_of
from cardwatch.evaluation.inject_misuse import GENERATORS, plant_kinds
from cardwatch.evaluation.measure import NOT_FOUND, Finding, recalls
from cardwatch.evaluation.one_line_rules import ONE_LINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cardwatch.evaluation.dataset import AlertGroup, World
    from cardwatch.evaluation.measure import Recall
    from cardwatch.policy import Policy
    from cardwatch.scoring import ScoringResult

ALL_KINDS = "all kinds"
PSD_KINDS = frozenset({"across holders"})
"""Kinds that only the professional-standards list asks about."""
LENGTHS = (1.0, 2.0, 5.0, 10.0)
"""Alerts per 1,000 payments, of everything asked in all lists."""
EACH_PER_1000, FEWEST_EACH = 0.18, 4
"""Cases of a kind injected per 1,000 payments: few, as in life, but enough to count."""
LOST_AMONG = 20
"""Nobody finds a payment among more than so many others: an item shows a case only where at least
one in so many of its payments are of it."""
AS_GIVEN, NAMES_ALONE = "as given", "names alone"
CODES_LATE, ONE_YEAR = "codes come later", "one year"
VIEWS = (AS_GIVEN, NAMES_ALONE, CODES_LATE, ONE_YEAR)
"""Columns of the statements that a data set keeps."""
BLANK = ["unit", "cost_centre", "category", "mcc", "description", "vat", "line_items"]


@dataclass(frozen=True)
class KindRow:
    """How much of one kind, or of all, is found within some lengths of the whole list.

    Attributes:
        one_line: that of the one-line rule of the kind; for all kinds, of all these rules in turn.
        by_generator: recall of each generator of the kind at the same lengths, without intervals.
        verdict: in words, where the one-line rule finds more; else empty.
    """

    limit_pence: int
    view: str
    kind: str
    planted: int
    recalls: tuple[Recall, ...]
    one_line: tuple[Recall, ...]
    by_generator: dict[str, tuple[float, ...]]
    facts_per_1000: float
    verdict: str


@dataclass(frozen=True)
class Read:
    """Where the lists of one world come to what was planted in it.

    Attributes:
        ours: for each matter how many alerts per 1,000 payments are read until then.
        one_line: the same in a list of the one-line rule of its kind.
        in_turn: the same in one list of all one-line rules.
        facts_per_1000: facts against policy, listed apart.
    """

    matters: tuple[AlertGroup, ...]
    ours: tuple[float, ...]
    one_line: tuple[float, ...]
    in_turn: tuple[float, ...]
    facts_per_1000: float


def seen_as(transactions: pd.DataFrame, view: str, start: pd.Timestamp) -> pd.DataFrame:
    """Return payments as a poorer statement would show them.

    Args:
        transactions: as they were given.
        view: one of `VIEWS`.
        start: day from which payments are scored.
    """
    if view == NAMES_ALONE:
        return transactions.assign(**dict.fromkeys(BLANK, ""))
    if view == CODES_LATE:
        words = transactions["category"].where(
            transactions["category"] != "", transactions["description"]
        )
        codes = pd.Series(pd.factorize(words)[0] % 9_000 + 1_000, transactions.index).astype("str")
        codes_start = start + pd.Timedelta(days=60)
        coded = (transactions["date"] >= codes_start) & (words != "")
        return transactions.assign(
            mcc=codes.where(coded, ""), category=words.where(~coded, ""), description=""
        )
    if view == ONE_YEAR:
        return transactions[transactions["date"] >= start - pd.Timedelta(days=365)]
    return transactions


def plant_all(transactions: pd.DataFrame, policy: Policy, start: pd.Timestamp, seed: int) -> World:
    """Return a world with matters of every kind, each by all its generators."""
    plot = plot_of(transactions, policy, start, seed)
    plant_kinds(plot, max(round(EACH_PER_1000 * len(plot.asked) / 1000), FEWEST_EACH))
    return plot.world()


def read_lists(world: World, scoring: ScoringResult) -> Read:
    """Return where the questions of all lanes, and the one-line rules, come to what was planted."""
    scored = scoring.scored
    payments = int(scored.asked.sum())
    alerts = [
        alert
        for alert_list in scoring.lists.values()
        for alert in alert_list.alerts
        if alert.payments
    ]
    questions = sorted((a for a in alerts if not a.is_fact), key=alert_order)
    rows = [[payment.row for payment in alert.payments] for alert in questions]
    ours = _places(rows, world.matters, payments)
    found = {kind: rule(scored) for kind, rule in ONE_LINE.items()}
    by_kind = {kind: _places(items, world.matters, payments) for kind, items in found.items()}
    theirs = [by_kind[kind_of(m)][n] for n, m in enumerate(world.matters)]
    in_turn = _places(_in_turn(list(found.values())), world.matters, payments)
    facts = sum(alert.is_fact for alert in alerts) * 1000 / payments
    return Read(world.matters, tuple(ours), tuple(theirs), tuple(in_turn), facts)


def _in_turn(lists: Sequence[Sequence[Sequence[int]]]) -> Iterator[Sequence[int]]:
    """Return the first item of each list, then the second of each; an item of equal rows once."""
    seen = set()
    for items in zip_longest(*lists):
        for item in items:
            if item is not None and (rows := frozenset(item)) not in seen:
                seen.add(rows)
                yield item


def _places(
    items: Iterable[Sequence[int]], matters: Sequence[AlertGroup], payments: int
) -> list[float]:
    """Return for each matter how much of a list is read until an item shows it.

    An item does if it has enough of its rows, and not too many others (`LOST_AMONG`).
    """
    owner = {row: number for number, matter in enumerate(matters) for row in matter.rows}
    places = [NOT_FOUND] * len(matters)
    for read, item in enumerate(items, start=1):
        touched = [owner[row] for row in item if row in owner]
        for number in set(touched):
            count = touched.count(number)
            if count >= matters[number].needed and len(item) <= LOST_AMONG * count:
                places[number] = min(places[number], read * 1000 / payments)
    return places


def kind_of(matter: AlertGroup) -> str:
    """Return the kind of a planted matter."""
    return next(kind for kind in GENERATORS if matter.style.startswith(kind))


def rows_of(
    reads: Sequence[Read], limit_pence: int, view: str, *, left_out: frozenset[str] = frozenset()
) -> list[KindRow]:
    """Return the table of one limit and view: all kinds together, then kind by kind.

    Args:
        reads: the worlds.
        limit_pence: for one purchase.
        view: what of the statements the worlds have.
        left_out: kinds of which nothing is said.
    """
    kinds = [kind for kind in GENERATORS if kind not in left_out]
    tables = [(ALL_KINDS, kinds), *((kind, [kind]) for kind in kinds)]
    return [_row(reads, limit_pence, view, named_kinds) for named_kinds in tables]


def _row(
    reads: Sequence[Read], limit_pence: int, view: str, labelled_kinds: tuple[str, Sequence[str]]
) -> KindRow:
    """Return one line of the table."""
    name, kinds = labelled_kinds
    chosen = [
        (matter, ours, theirs)
        for read in reads
        for matter, ours, theirs in zip(
            read.matters,
            read.ours,
            read.in_turn if name == ALL_KINDS else read.one_line,
            strict=True,
        )
        if kind_of(matter) in kinds and matter.rows
    ]
    holders = tuple(matter.holder_id for matter, _, _ in chosen)
    ours = recalls([Finding(tuple(o for _, o, _ in chosen), holders, 0.0, 0.0)], LENGTHS)
    theirs = recalls([Finding(tuple(t for _, _, t in chosen), holders, 0.0, 0.0)], LENGTHS)
    styles = dict.fromkeys(sorted(matter.style for matter, _, _ in chosen))
    by_generator = {}
    for style in styles:
        places = np.array([place for matter, place, _ in chosen if matter.style == style])
        by_generator[style] = tuple(float((places <= length).mean()) for length in LENGTHS)
    worse = [f"{a.per_1000:g}" for a, b in zip(ours, theirs, strict=True) if b.share > a.share]
    rival = "all one-line rules find" if name == ALL_KINDS else "the one-line rule finds"
    verdict = f"{rival} more at {', '.join(worse)} per 1,000" if worse else ""
    return KindRow(
        limit_pence=limit_pence,
        view=view,
        kind=name,
        planted=len(chosen),
        recalls=ours,
        one_line=theirs,
        by_generator=by_generator,
        facts_per_1000=float(np.mean([read.facts_per_1000 for read in reads])),
        verdict=verdict,
    )
