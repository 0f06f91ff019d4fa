"""Payments as people look at them: lists by filters, one payment, and every rule applied to it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from cardwatch.alerts import compared, fact
from cardwatch.casebook import PSD, AuditEvent, payment_queries, pseudonyms
from cardwatch.casebook import statements as kept
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.casebook.registers import visible_registers
from cardwatch.casebook.suppressions import day_of
from cardwatch.errors import NotFound
from cardwatch.features import ENTRIES_SHOWN
from cardwatch.line_items import read_line_items
from cardwatch.registers import person_key
from cardwatch.rules import EVIDENCE
from cardwatch.services.entry_masks import masked_item
from cardwatch.services.history_window import HISTORY_WINDOW_DAYS
from cardwatch.services.register_inputs import load_registers, registers_then
from cardwatch.services.scoring_inputs import (
    ScoringInputs,
    active_inputs,
    load_inputs,
    score_window,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.payment_queries import PaymentFilters
    from cardwatch.casebook.rows import Statement, StoredPayment
    from cardwatch.rules import Rule
    from cardwatch.scoring import ScoringResult
    from cardwatch.services.answers import ListedPayment, PaymentDetail, ShownPayment
    from cardwatch.services.context import ServiceContext
    from cardwatch.services.scoring_inputs import LoadedInputs

MAX_EXPORTED = 50_000
"""Payments that one CSV file has at most."""


@dataclass(frozen=True)
class RuleCondition:
    """One condition of a rule, for one payment: what is compared, here and as required."""

    what: str
    here: str
    met_at: str
    met: bool


@dataclass(frozen=True)
class PaymentRule:
    """Result of one rule for one payment.

    Attributes:
        fires: whether all of its conditions are met.
        fact: what it found; empty where it does not fire.
    """

    rule: str
    title: str
    lane: str
    fires: bool
    fact: str
    compared: tuple[RuleCondition, ...]


def list_payments(  # noqa: PLR0913  pages by place and by number
    context: ServiceContext,
    filters: PaymentFilters,
    *,
    after: Sequence[float | str] = (),
    offset: int = 0,
    limit: int,
    is_export: bool = False,
) -> list[ListedPayment]:
    """Return payments that fit, the newest first, cardholders as the actor is shown them.

    Args:
        filters: which of them.
        after: the `place` of the payment after which they begin.
        offset: how many are left out before them.
        limit: the most that are given.
        is_export: whether they leave as a file.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: a filter names an alert or payment that the actor may not see.
        CardwatchError: a day or the place is none.
    """
    for field in ("since", "until"):
        if day := getattr(filters, field):
            day_of(day, field)
    event = AuditEvent("disclosure" if is_export else "consultation", "payments")
    with context.work(event) as uow:
        context.require_alert_access()
        _check_alerts(uow, filters)
        rows = payment_queries.find_payments(uow, filters, after=after, offset=offset, limit=limit)
        event.counts = {"payments": len(rows)} if is_export else {}
        return cast("list[ListedPayment]", _with_holders(uow, rows))


def count_payments(context: ServiceContext, filters: PaymentFilters) -> tuple[int, int]:
    """Return how many payments fit, and their pence together."""
    with context.snapshot() as uow:
        return payment_queries.count_payments(uow, filters)


def get_payment(context: ServiceContext, statement_id: str, row_number: int) -> PaymentDetail:
    """Return one payment with the alerts it is evidence of, as far as the actor may see them.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: there is no such payment that the actor may see.
    """
    event = AuditEvent("consultation", "payment", f"{statement_id}:{row_number}")
    with context.work(event) as uow:
        context.require_alert_access()
        row = payment_queries.get_payment(uow, statement_id, row_number)
        alerts_of_payment = payment_queries.alerts_of_payment(uow, statement_id, row_number)
        shown = _with_holders(uow, [row])[0]
        return cast("PaymentDetail", {**shown, "alerts": alerts_of_payment})


def explain_payment(
    context: ServiceContext, statement_id: str, row_number: int
) -> list[PaymentRule]:
    """Apply every rule of the actor's lanes to one payment, as its statement was scored.

    A statement that was kept as history is scored with the settings that held on its last day.

    Args:
        statement_id: whole id of the payment's statement.
        row_number: the payment's row there.

    Returns:
        The rules that fire, then those that do not, each with its figures; none for a payment of
        the actor's own, or on a card that they approve. Who holds a card is not shown rules that
        may be about others than the payment's cardholder: these may be about them.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: there is no such payment, or what it was scored with is erased.
    """
    event = AuditEvent("consultation", "payment", f"{statement_id}:{row_number}", purpose="rules")
    with context.work(event) as uow:
        context.require_alert_access()
        payment = payment_queries.get_payment(uow, statement_id, row_number)
        statement = kept.get_statement(uow, statement_id)
        settings = _settings(uow, statement)
        hidden = hidden_keys(uow, settings.approvers)
        if person_key(payment["holder_id"] or "") in hidden:
            return []
        table, place = _window(uow, statement, payment)
    scoring = score_window(table, statement["label"], settings, ())
    frame = scoring.scored.ledger.frame
    rows = ((frame["file"] == place[0]) & (frame["row"].astype(int) == place[1])).to_numpy()
    if not rows.any():
        raise NotFound("This payment cannot be compared: its statement is not scored any more.")
    # The card register may say whose card it is that the statement has a number of alone.
    holder = str(frame["holder_id"][rows].iloc[0])
    if person_key(holder) in hidden:
        return []
    lanes = context.actor.lanes
    rules = [
        rule
        for rule in settings.rules
        if rule.lane in lanes
        and rule.subject == "payment"
        and (not context.actor.holder_id or is_about_cardholder_alone(rule))
    ]
    results = (_result(rule, scoring, int(rows.argmax()), settings) for rule in rules)
    return sorted(filter(None, results), key=lambda result: (not result.fires, result.rule))


def is_about_cardholder_alone(rule: Rule) -> bool:
    """Whether nobody but a payment's cardholder can be asked about where a rule fires.

    It looks neither for payments of others nor for entries of registers, which may name others.
    """
    if rule.subject != "payment":
        return False
    by = EVIDENCE[rule.evidence].by
    is_of_one = not by or not {"holder_id", "card_id"}.isdisjoint(by)
    return is_of_one and ENTRIES_SHOWN.keys().isdisjoint(rule.reads)


def _check_alerts(uow: UnitOfWork, filters: PaymentFilters) -> None:
    """Refuse filters that name an alert which the actor may not see.

    Raises:
        NotFound: there is no such alert.
    """
    for same_as in (filters.same_holder_as, filters.same_merchant_as):
        if same_as and ":" not in same_as and not payment_queries.is_alert_visible(uow, same_as):
            raise NotFound(f"There is no alert '{same_as}'.")


def _with_holders(uow: UnitOfWork, rows: Sequence[StoredPayment]) -> list[ShownPayment]:
    """Return payments with `holder` as the actor is shown them, in place of `holder_id`."""
    ids = {row["holder_id"] for row in rows if row["holder_id"]}
    names = pseudonyms.shown_names(uow, ids)
    shown = []
    for row in rows:
        items = read_line_items(row["line_items"])
        if uow.actor.role == PSD:
            items = tuple(map(masked_item, items))
        fields: dict[str, object] = {**row, "line_items": list(items)}
        holder_id = str(fields.pop("holder_id") or "")
        shown.append(cast("ShownPayment", fields | {"holder": names.get(holder_id, holder_id)}))
    return shown


def _settings(uow: UnitOfWork, statement: Statement) -> LoadedInputs:
    """Return what a statement was scored with, or for history what held on its last day."""
    if statement["erased_at"]:
        raise NotFound("The payments of this statement were deleted at the end of their time.")
    if statement["made_with"]:
        loaded = load_inputs(uow, ScoringInputs(**json.loads(statement["made_with"])))
        return replace(loaded, registers=registers_then(uow, statement["statement_id"]))
    loaded = load_inputs(uow, active_inputs(uow, statement["last_on"]))
    return replace(loaded, registers=load_registers(uow, visible_registers(uow)))


def _window(
    uow: UnitOfWork, statement: Statement, payment: StoredPayment
) -> tuple[pd.DataFrame, tuple[str, int]]:
    """Return what a statement is scored with, and the file and row of the payment in it."""
    since = statement["window_from"] or str(
        dt.date.fromisoformat(statement["first_on"]) - dt.timedelta(HISTORY_WINDOW_DAYS)
    )
    table = kept.read_window(uow, statement["seq"], since, statement["last_on"])
    same = table[
        table["statement_id"].eq(payment["statement_id"]) & table["row"].eq(payment["row"])
    ]
    if same.empty:
        raise NotFound("This payment is counted in another statement, which holds it too.")
    return table, (statement["label"], payment["row"])


def _result(
    rule: Rule, scoring: ScoringResult, row: int, loaded_inputs: LoadedInputs
) -> PaymentRule | None:
    """Return what a rule says of a payment; none where a figure it reads is not known."""
    columns = scoring.scored.columns
    if not set(rule.reads) <= set(columns):
        return None
    figures = {name: columns[name][row].item() for name in rule.reads}
    met: dict[str, bool] = {}
    for condition in rule.when:
        holds = bool(condition.holds(figures, loaded_inputs.policy))
        met[condition.feature] = holds and met.get(condition.feature, True)
    figures_compared = compared(rule, figures, loaded_inputs.policy)
    return PaymentRule(
        rule=rule.id,
        title=rule.title,
        lane=rule.lane,
        fires=all(met.values()),
        fact=fact(rule.fact, figures) if all(met.values()) else "",
        compared=tuple(
            RuleCondition(*texts, is_met)
            for texts, is_met in zip(figures_compared, met.values(), strict=True)
        ),
    )
