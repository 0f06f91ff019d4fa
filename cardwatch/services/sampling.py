"""Samples for a spot check: payments in no alert, and closed alerts.

A draw can be made again by whoever has its seed: each payment stands in an order made of the seed
and of where the payment stands, by SHA-256, and the first so many are drawn. It hangs on no
library's generator, and a payment more or less changes no other's place.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from cardwatch.casebook import AuditEvent
from cardwatch.casebook import statements as kept
from cardwatch.casebook.alerts import add_subjects, not_about
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import HOLDER_KEYS, alert_transactions, alerts
from cardwatch.errors import CardwatchError
from cardwatch.vocabulary import UNANSWERED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.unit_of_work import Row
    from cardwatch.services.answers import Sample
    from cardwatch.services.context import ServiceContext

PAYMENTS, CLOSED = "payments", "closed-alerts"
OF = {PAYMENTS: "Payments that are in no alert you can see", CLOSED: "Closed alerts"}
MOST_DRAWN, LARGEST_SEED = 500, 999_999_999
SAMPLE_CONFIDENCE = 0.95


@dataclass(frozen=True)
class SampleRequest:
    """A request for a sample.

    Attributes:
        of: payments or closed-alerts.
        count: how many.
        seed: by which the same are drawn again.
        statement_id: of which statement; empty for a span of days.
        since, until: first and last day.
        by_money: whether a payment's chance goes with its sum (monetary unit sampling); refunds
            and nothing are never drawn then, and a large payment may stand for several.
    """

    of: str = PAYMENTS
    count: int = 59
    seed: int = 0
    statement_id: str = ""
    since: str = ""
    until: str = ""
    by_money: bool = False

    @property
    def period_field(self) -> str:
        """The field that says what is drawn from: the statement, or the first day."""
        return "statement_id" if self.statement_id else "since"


def draw_sample(context: ServiceContext, draw: SampleRequest) -> Sample:
    """Draw a sample, and leave its seed and size in the audit chain.

    What is drawn hangs on the lanes the actor sees alone.

    Returns:
        `population` and its `pence` and hash, and what was `drawn`: payments in the order of their
        days, or alerts.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: there is no such statement.
        CardwatchError: there is nothing to be drawn from; it is too many, no such seed or days.
    """
    _check(draw)
    event = AuditEvent("consultation", "sample")
    with context.work(event) as uow:
        context.require_alert_access()
        if draw.of == CLOSED:
            population = _closed_alerts(uow, draw)
            names: Callable[[Row], str] = lambda row: str(row["alert_id"])  # noqa: E731
        else:
            population = _payments(uow, draw)
            names = place_of
        if not population:
            raise CardwatchError(
                "There are no alerts or payments to draw from.", field=draw.period_field
            )
        chosen = sorted(
            _by_money(population, draw) if draw.by_money else _by_chance(population, draw, names)
        )
        event.counts = {"seed": draw.seed, "drawn": len(chosen), "population": len(population)}
    digest = hashlib.sha256("\n".join(map(names, population)).encode()).hexdigest()
    money = "at_stake_pence" if draw.of == CLOSED else "amount_pence"
    pence = sum(int(row[money]) for row in population)
    return {"population": len(population), "pence": pence, "population_sha256": digest,
            "drawn": [population[index] for index in chosen]}  # fmt: skip


def sample_size(share: float) -> int:
    """The sample size that, with no error, shows that fewer than a share are wrong.

    Were the share wrong, none of n would be with chance (1 - share)^n; n is the least for which
    that is at most 1 - `SAMPLE_CONFIDENCE`. It is attribute sampling with no error expected (AICPA,
    Audit Sampling, table A-1: 59 for 5 % at 95 %), and a little more than a small population needs.
    """
    return math.ceil(math.log(1 - SAMPLE_CONFIDENCE) / math.log(1 - share))


def highest_rate(count: int) -> float:
    """Return the share of which fewer are wrong, surely enough, if none of so many is.

    The other way round from `sample_size`; about three divided by the count (Hanley and
    Lippman-Hand, JAMA 1983; 249: 1743).
    """
    return float(1 - (1 - SAMPLE_CONFIDENCE) ** (1 / count))


def place_of(row: Mapping[str, object]) -> str:
    """Return by what a payment is told apart: its statement and row."""
    return f"{row['statement_id']}:{row['row']}"


def _check(draw: SampleRequest) -> None:
    """Refuse what cannot be drawn.

    Raises:
        CardwatchError: it cannot.
    """
    if draw.of not in OF:
        raise CardwatchError(f"Choose a sample of {' or '.join(OF)}, not '{draw.of}'.", field="of")
    if not 1 <= draw.count <= MOST_DRAWN:
        raise CardwatchError(f"Enter a number from 1 to {MOST_DRAWN}.", field="count")
    if not 0 <= draw.seed <= LARGEST_SEED:
        raise CardwatchError(f"Enter a number from 0 to {LARGEST_SEED:,}.", field="seed")
    if draw.by_money and draw.of == CLOSED:
        raise CardwatchError("Alerts can only be drawn with equal chances.", field="by_money")
    if not draw.statement_id and not (draw.since and draw.until):
        missing = "until" if draw.since else "since"
        raise CardwatchError("Choose a statement, or enter the first and last day.", field=missing)
    for field in ("since", "until"):
        if day := getattr(draw, field):
            day_of(day, field)


def _payments(uow: UnitOfWork, draw: SampleRequest) -> list[Row]:
    """Return the payments in no alert the actor sees, each once, by day, statement and row."""
    since, until, name = draw.since, draw.until, ""
    if draw.statement_id:
        row = kept.get_statement(uow, draw.statement_id)
        since, until, name = row["first_on"], row["last_on"], row["statement_id"]
    table = kept.read_window(uow, kept.last_seq(uow), since, until)
    if name:
        table = table[table["statement_id"] == name]
    question = sa.select(alert_transactions.c.statement_id, alert_transactions.c.row)
    is_visible = sa.and_(uow.scope(alert_transactions), not_about(uow, alert_transactions))
    alerted_places = {place_of(row) for row in uow.fetch_all(question.where(is_visible))}
    return sorted(
        (row for row in _rows(table) if place_of(row) not in alerted_places),
        key=lambda row: (row["date"], row["statement_id"], row["row"]),
    )


def _rows(table: pd.DataFrame) -> list[Row]:
    """Return payments as they are shown, each with the best name of its holder."""
    field_names = (
        "date",
        "merchant",
        "amount_pence",
        "transaction_id",
        "label",
        "row",
        "statement_id",
    )
    payments = []
    for line in table[[*field_names, *HOLDER_KEYS, "card_last4"]].to_dict("records"):
        row = {name: line[name] for name in field_names}
        holder_names = (
            line[key] for key in HOLDER_KEYS if isinstance(line[key], str) and line[key]
        )
        payments.append(row | {"holder_id": next(holder_names, line["card_last4"])})
    return payments


def _closed_alerts(uow: UnitOfWork, draw: SampleRequest) -> list[Row]:
    """Return the closed alerts that the actor sees, by their ids."""
    columns = alerts.c
    column_names = ("alert_id", "lane", "rule", "tier", "state", "last_on", "at_stake_pence")
    question = sa.select(*(columns[name] for name in column_names)).where(
        uow.scope(alerts), not_about(uow, alerts), columns.state.not_in(UNANSWERED)
    )
    if draw.statement_id:
        name = kept.get_statement(uow, draw.statement_id)["statement_id"]
        question = question.where(columns.statement_id == name)
    if draw.since and draw.until:
        question = question.where(columns.last_on.between(draw.since, draw.until))
    closed = uow.fetch_all(question.order_by(columns.alert_id))
    add_subjects(uow, closed)
    return closed


def _by_chance(
    population: Sequence[Row], draw: SampleRequest, name: Callable[[Row], str]
) -> list[int]:
    """Return the places of those drawn, each with the same chance."""
    order = [hashlib.sha256(f"{draw.seed}\n{name(row)}".encode()).digest() for row in population]
    return sorted(range(len(population)), key=order.__getitem__)[: draw.count]


def _by_money(population: Sequence[Row], draw: SampleRequest) -> list[int]:
    """Return the places of those drawn by monetary unit sampling, at one step from a chance start.

    Every pound has the same chance: the payments that hold pence number s, s + total / count, ...
    """
    pence = np.array([max(row["amount_pence"], 0) for row in population], dtype=object)
    upto, total = np.cumsum(pence), int(pence.sum())
    if total == 0:
        raise CardwatchError(
            "There are no alerts or payments to draw from.", field=draw.period_field
        )
    start = int.from_bytes(hashlib.sha256(f"{draw.seed}".encode()).digest()) % total
    points = [(start + number * total) // draw.count for number in range(draw.count)]
    return sorted({int(np.searchsorted(upto, point, "right")) for point in points})
