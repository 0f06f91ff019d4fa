"""Payments as people look at them: lists by filters, one payment, and every rule applied to it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardwatch.alerts import compared, fact
from cardwatch.alerts.answered import person_key
from cardwatch.casebook import PSD, Event, naming, payment_queries
from cardwatch.casebook import statements as kept
from cardwatch.casebook.suppressions import day_of
from cardwatch.desk.receiving import WINDOW_DAYS
from cardwatch.desk.recipe import Recipe, read_recipe, recipe_of, score_window
from cardwatch.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cardwatch.casebook import Work
    from cardwatch.casebook.payment_queries import PaymentFilters
    from cardwatch.casebook.work import Row
    from cardwatch.desk.desk import Desk
    from cardwatch.desk.recipe import Ingredients
    from cardwatch.rules import Rule
    from cardwatch.scoring import Scoring

MAX_EXPORTED = 50_000
"""Payments that one CSV file has at most."""


@dataclass(frozen=True)
class RuleResult:
    """What one rule says of one payment.

    Attributes:
        fires: whether all of its conditions are met.
        fact: what it found, in a sentence; empty where it does not fire.
        compared: of each condition what was compared, the figure here, and when it is met.
        met: of each condition, whether it is met.
    """

    rule: str
    title: str
    lane: str
    fires: bool
    fact: str
    compared: tuple[tuple[str, str, str], ...]
    met: tuple[bool, ...]


def list_payments(
    desk: Desk,
    filters: PaymentFilters,
    *,
    after: Sequence[float | str] = (),
    limit: int,
    is_export: bool = False,
) -> list[dict[str, Any]]:
    """Return payments that fit, the newest first, cardholders as the actor is shown them.

    Args:
        desk: who asks.
        filters: which of them.
        after: the `place` of the payment after which they begin.
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
    event = Event("disclosure" if is_export else "consultation", "payments")
    with desk.work(event) as work:
        desk.sees_alerts()
        _check_alerts(work, filters)
        rows = payment_queries.find_payments(work, filters, after=after, limit=limit)
        event.counts = {"payments": len(rows)} if is_export else {}
        return _with_holders(work, rows)


def count_payments(desk: Desk, filters: PaymentFilters) -> tuple[int, int]:
    """Return how many payments fit, and their pence together."""
    with desk.casebook.quiet(desk.actor, desk.now, lanes=desk.actor.lanes, reads=True) as work:
        return payment_queries.count_payments(work, filters)


def get_payment(desk: Desk, statement_id: str, row_number: int) -> dict[str, Any]:
    """Return one payment with the alerts it is evidence of, as far as the actor may see them.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: there is no such payment that the actor may see.
    """
    event = Event("consultation", "payment", f"{statement_id}:{row_number}")
    with desk.work(event) as work:
        desk.sees_alerts()
        row = payment_queries.get_payment(work, statement_id, row_number)
        found = payment_queries.alerts_of_payment(work, statement_id, row_number)
        return _with_holders(work, [row])[0] | {"alerts": found}


def explain_payment(desk: Desk, statement_id: str, row_number: int) -> list[RuleResult]:
    """Apply every rule of the actor's lanes to one payment, as its statement was scored.

    A statement that was kept as history is scored with the settings that held on its last day.

    Args:
        desk: who asks.
        statement_id: whole id of the payment's statement.
        row_number: the payment's row there.

    Returns:
        The rules that fire, then those that do not, each with its figures; none for a payment of
        the actor's own, or on a card that they approve.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: there is no such payment, or what it was scored with is erased.
    """
    event = Event("consultation", "payment", f"{statement_id}:{row_number}", purpose="rules")
    with desk.work(event) as work:
        desk.sees_alerts()
        payment = payment_queries.get_payment(work, statement_id, row_number)
        statement = kept.get_statement(work, statement_id)
        used = _settings(work, statement)
        if _is_about_actor(work, payment["holder_id"], used):
            return []
        table, place = _window(work, statement, payment)
    scoring = score_window(table, statement["label"], used, ())
    frame = scoring.scored.ledger.frame
    rows = ((frame["file"] == place[0]) & (frame["row"].astype(int) == place[1])).to_numpy()
    if not rows.any():
        raise NotFound("This payment cannot be compared: its statement is not scored any more.")
    lanes = desk.actor.lanes
    rules = [rule for rule in used.rules if rule.lane in lanes and rule.subject == "payment"]
    results = (_result(rule, scoring, int(rows.argmax()), used) for rule in rules)
    return sorted(filter(None, results), key=lambda one: (not one.fires, one.rule))


def _check_alerts(work: Work, filters: PaymentFilters) -> None:
    """Refuse filters that name an alert which the actor may not see.

    Raises:
        NotFound: there is no such alert.
    """
    for known in (filters.same_holder_as, filters.same_merchant_as):
        if known and ":" not in known and not payment_queries.is_alert_visible(work, known):
            raise NotFound(f"There is no alert '{known}'.")


def _with_holders(work: Work, rows: list[Row]) -> list[Row]:
    """Return payments with `holder` as the actor is shown them; `holder_id` is taken out."""
    ids = {row["holder_id"] for row in rows if row["holder_id"]}
    if work.actor.role == PSD:
        names = {one: naming.masked(work, one) for one in ids}
    else:
        names = naming.holder_names(work, ids)
    for row in rows:
        holder_id = row.pop("holder_id") or ""
        row["holder"] = names.get(holder_id, holder_id)
    return rows


def _settings(work: Work, statement: Row) -> Ingredients:
    """Return what a statement was scored with, or for history what held on its last day."""
    if statement["erased_at"]:
        raise NotFound("The payments of this statement were deleted at the end of their time.")
    if statement["made_with"]:
        return read_recipe(work, Recipe(**json.loads(statement["made_with"])))
    return read_recipe(work, recipe_of(work, statement["last_on"]))


def _is_about_actor(work: Work, holder_id: str, used: Ingredients) -> bool:
    """Whether a payment is the actor's own, or on a card that they approve."""
    if not work.actor.holder_id:
        return False
    people = [holder_id, used.approvers.get(holder_id, "")]
    return person_key(work.actor.holder_id) in map(person_key, filter(None, people))


def _window(work: Work, statement: Row, payment: Row) -> tuple[pd.DataFrame, tuple[str, int]]:
    """Return what a statement is scored with, and the file and row of the payment in it."""
    since = statement["window_from"] or str(
        dt.date.fromisoformat(statement["first_on"]) - dt.timedelta(WINDOW_DAYS)
    )
    table = kept.read_window(work, statement["seq"], since, statement["last_on"])
    same = table[
        table["statement_id"].eq(payment["statement_id"]) & table["row"].eq(payment["row"])
    ]
    if same.empty:
        raise NotFound("This payment is counted in another statement, which holds it too.")
    return table, (statement["label"], payment["row"])


def _result(rule: Rule, scoring: Scoring, row: int, used: Ingredients) -> RuleResult | None:
    """Return what a rule says of a payment; none where a figure it reads is not known."""
    columns = scoring.scored.columns
    if not set(rule.reads) <= set(columns):
        return None
    figures = {name: columns[name][row].item() for name in rule.reads}
    met = tuple(bool(condition.holds(figures, used.policy)) for condition in rule.when)
    return RuleResult(
        rule=rule.id,
        title=rule.title,
        lane=rule.lane,
        fires=all(met),
        fact=fact(rule.fact, figures) if all(met) else "",
        compared=tuple(compared(rule, figures, used.policy)),
        met=met,
    )
