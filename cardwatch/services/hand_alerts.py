"""Alerts that a person raises by hand, about payments they choose."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import AuditEvent, payment_queries, people
from cardwatch.casebook.alert_store import Source, keep_by_hand
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.casebook.permissions import may_decide
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.merchants import canonical_name
from cardwatch.records import Alert, Payment, Reason
from cardwatch.registers import match_cards, person_key
from cardwatch.services.scoring_inputs import active_inputs, load_inputs
from cardwatch.vocabulary import BY_HAND_KIND, RAISED_BY_HAND

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import StoredPayment
    from cardwatch.records import CardRegister
    from cardwatch.services.context import ServiceContext

MAX_RAISED_TOGETHER = 50
MAX_QUESTION_CHARACTERS = 2_000
TIER = "C"
"""For information: the alert is held against no limit, and not compared with what is usual."""
WHY = "A person asks this after looking at the payments. No rule raised it."
INNOCENT = "The payments may be in order. Only the question was raised by hand."


def raise_by_hand(
    context: ServiceContext, places: Collection[tuple[str, int]], *, question: str
) -> str:
    """Raise an alert about some payments in the actor's own lane; return its id.

    Args:
        context: who raises it, of finance or professional standards.
        places: statement and row of each payment.
        question: what is asked, and why.

    Raises:
        NotAllowed: the role decides nothing, or a payment is the actor's own or one they approve.
        NotFound: there is no such payment that the actor may see.
        CardwatchError: no payment, too many, or no question.
        Conflict: these payments were raised by hand in this lane before.
    """
    if not 1 <= len(places) <= MAX_RAISED_TOGETHER:
        sentence = f"Select 1 to {MAX_RAISED_TOGETHER} payments."
        raise CardwatchError(sentence, field="payments")
    with context.work(AuditEvent("collection", "alert", purpose=RAISED_BY_HAND)) as uow:
        context.allow(RECEIVES, "raise alerts")
        lane = context.actor.role
        _check_question(uow, lane, question)
        payments = sorted(
            (payment_queries.get_payment(uow, *place) for place in dict.fromkeys(places)),
            key=lambda row: (row["date"], row["statement_id"], row["row"]),
        )
        settings = replace(active_inputs(uow, uow.today), model="")
        loaded = load_inputs(uow, settings)
        payments = _with_cardholders(uow, payments, loaded.cards)
        _check_actor(uow, payments)
        title = f"Raised by hand by {people.email_of(uow)}"
        alert = _alert(lane, payments, title, question)
        stored = {(row["label"], row["row"]): (row["statement_id"], row["row"]) for row in payments}
        source = Source(lane, payments[-1]["statement_id"], stored, loaded.approvers)
        keep_by_hand(uow, source, alert)
        uow.event.object_id = alert.alert_id
        uow.event.counts = {"payments": len(payments)}
    return alert.alert_id


def _check_question(uow: UnitOfWork, lane: str, question: str) -> None:
    """Refuse who decides nothing, and a question that is empty or too long.

    Raises:
        NotAllowed: a key that records no decisions.
        CardwatchError: there is no question, or it is too long.
    """
    may_decide(uow, lane, question or "-")
    if not question.strip():
        raise CardwatchError("Enter a question", field="question")
    if len(question) > MAX_QUESTION_CHARACTERS:
        sentence = f"Enter a question of {MAX_QUESTION_CHARACTERS:,} characters or fewer."
        raise CardwatchError(sentence, field="question")


def _with_cardholders(
    uow: UnitOfWork, payments: list[StoredPayment], cards: CardRegister | None
) -> list[StoredPayment]:
    """Return payments with whom the card register names as the holder of their card, if it does."""
    if cards is None:
        return payments
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime([row["date"] for row in payments]),
            "card_token": [
                payment_queries.card_token_of(uow, row["statement_id"], row["row"])
                for row in payments
            ],
            "card_last4": [row["card_last4"] or "" for row in payments],
            "holder_id": [row["holder_id"] or "" for row in payments],
            "cost_centre": [row["cost_centre"] or "" for row in payments],
        }
    )
    holders = match_cards(frame, cards)["holder_id"].tolist()
    return [
        {**row, "holder_id": str(holder)} for row, holder in zip(payments, holders, strict=True)
    ]


def _check_actor(uow: UnitOfWork, payments: Sequence[StoredPayment]) -> None:
    """Refuse payments of the actor's own, and those that they approve.

    Raises:
        NotAllowed: one is such a payment.
    """
    holders = {person_key(row["holder_id"]) for row in payments if row["holder_id"]}
    if hidden_keys(uow) & holders:
        raise NotAllowed(
            "Somebody else has to raise an alert about your payments, or those you approve."
        )


def _alert(lane: str, payments: Sequence[StoredPayment], title: str, question: str) -> Alert:
    """The alert as it is kept."""
    lines = sorted(f"{row['statement_id']}:{row['row']}" for row in payments)
    digest = hashlib.sha256("\n".join([lane, RAISED_BY_HAND, *lines]).encode()).hexdigest()
    reason = Reason(
        RAISED_BY_HAND, title, fact=question, why=WHY, ask=(question,), innocent=(INNOCENT,),
        figures={},
    )  # fmt: skip
    return Alert(
        alert_id=digest[:12],
        rank=0,
        tier=TIER,
        lane=lane,
        kind=BY_HAND_KIND,
        title=title,
        holders=_once(row["holder_id"] for row in payments),
        merchants=_once(canonical_name(row["merchant"]).name for row in payments),
        cost_centres=_once(row["cost_centre"] for row in payments),
        first_on=payments[0]["date"],
        last_on=payments[-1]["date"],
        at_stake_pence=max(sum(row["amount_pence"] for row in payments), 0),
        chance=1.0,
        unusualness=None,
        reasons=(reason,),
        weakened_by=(),
        unusual=(),
        merchant_history="",
        payments=tuple(
            Payment(row["transaction_id"], row["label"], row["row"], row["date"],
                    row["holder_id"], row["merchant"], row["amount_pence"])
            for row in payments
        ),
    )  # fmt: skip


def _once(values: Iterable[str]) -> tuple[str, ...]:
    """Values in their order, each once, without empty ones."""
    return tuple(dict.fromkeys(filter(None, values)))
