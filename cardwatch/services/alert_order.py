"""The order of alerts by people's answers: the active one, a proposed one, and its back-test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, alert_order, alert_queries
from cardwatch.casebook.precision import back_test_order, pack_order, upheld_rates
from cardwatch.errors import CardwatchError
from cardwatch.services.answers import AlertOrder, UpheldRate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook import UnitOfWork
    from cardwatch.services.context import ServiceContext
    from cardwatch.vocabulary import Lane

BY_ANSWERS, BY_EVIDENCE = "order-by-answers", "order-by-evidence"
PROPOSED_ORDERS = (BY_ANSWERS, BY_EVIDENCE)
"""Orders that can be proposed: by the answers so far, or by evidence alone."""


def alert_orders(context: ServiceContext) -> dict[Lane, AlertOrder]:
    """Return for each of the actor's lanes the active order, the one to be had, and its test.

    Raises:
        NotAllowed: the role sees no alerts.
    """
    with context.work(AuditEvent("consultation", "precision")) as uow:
        context.require_alert_access()
        return {
            lane: AlertOrder(
                in_force=_listed(alert_order.order_in_force(uow, lane)),
                by_answers=_listed(_rates_by_answers(uow, lane)),
                back_test=back_test_order(alert_order.answered_alerts(uow, lane)),
            )
            for lane in context.actor.lanes
        }


def packed_order(uow: UnitOfWork, lane: str, kind: str) -> bytes:
    """Return an order of a lane as the document that is proposed.

    Raises:
        CardwatchError: too few alerts have been answered, or it is in force already.
    """
    rates = _rates_by_answers(uow, lane) if kind == BY_ANSWERS else {}
    if kind == BY_ANSWERS and not rates:
        sentence = "No rule has enough answers yet to order alerts by. Evidence alone orders them."
        raise CardwatchError(sentence, field="kind")
    if rates == alert_order.order_in_force(uow, lane):
        raise CardwatchError("Alerts are in this order already.", field="kind")
    return pack_order(rates)


def _rates_by_answers(uow: UnitOfWork, lane: str) -> dict[tuple[str, str], float]:
    """Return the rates that the answers so far make, without those about the lane's readers.

    A reader who compared them with the answers that they see could tell of those about themselves.
    """
    return upheld_rates(alert_queries.answers(uow, lane, for_readers=True))


def _listed(rates: Mapping[tuple[str, str], float]) -> list[UpheldRate]:
    """Return rates as rows, by rule and band."""
    return [
        UpheldRate(rule=rule, band=band, rate=rate) for (rule, band), rate in sorted(rates.items())
    ]
