"""The independent re-performance of a statement's limits, splits and duplicates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from cardwatch.agreement import RuleAgreement, compare
from cardwatch.casebook import AuditEvent
from cardwatch.casebook import statements as kept
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.features import Ledger
from cardwatch.independent import require_database
from cardwatch.registers import match_cards, person_key
from cardwatch.services.payments import is_about_cardholder_alone
from cardwatch.services.scoring_inputs import ScoringInputs, load_inputs
from cardwatch.statements import name_holders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import numpy as np

    from cardwatch.casebook.rows import Statement
    from cardwatch.services.context import ServiceContext

    Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class IndependentCheck:
    """The result of the independent run for one statement.

    Attributes:
        note: why it could not be run, where that is no fault; empty otherwise.
        rules: the comparison of each rule, and of the windows that its splits are found in.
    """

    statement_id: str
    label: str
    note: str = ""
    rules: tuple[RuleAgreement, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether no firing differs."""
        return all(rule.agrees for rule in self.rules)


class AgreementRow(TypedDict):
    """The comparison of one rule with the independent run.

    Attributes:
        rule: a rule, or `search:` and what its splits are searched by.
        firings: payments at which it fires, before what rests on chance.
        result: `agreed`, `not agreed`, or `not run:` and why.
        rows: rows of the statement that differ, with commas.
    """

    rule: str
    firings: int
    result: str
    rows: str


def verify_all_independently(context: ServiceContext) -> Iterator[IndependentCheck]:
    """Run each scored statement's limits, splits and duplicates again, independently.

    Raises:
        NotAllowed: the role sees no alerts.
        CardwatchError: the independent run is not installed.
    """
    event = AuditEvent("consultation", "statements", purpose="independent verification")
    with context.work(event, ()) as uow:
        names = [row["statement_id"] for row in kept.list_statements(uow) if row["is_scored"]]
    for name in names:
        yield verify_independently(context, name)


def verify_independently(context: ServiceContext, statement_id: str) -> IndependentCheck:
    """Run a statement's limits, splits and duplicates again in SQL, and compare every firing.

    The rules, the policy and the card register are those that it was scored with. Payments of a
    person who asks, and on cards that they approve, are not compared, nor for who holds a card
    rules that may be about others than the cardholder of a payment: firings are counted.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: there is no such statement.
        CardwatchError: the independent run is not installed.
    """
    require_database()
    event = AuditEvent(
        "consultation", "statement", statement_id, purpose="independent verification"
    )
    with context.work(event) as uow:
        context.require_alert_access()
        row = kept.get_statement(uow, statement_id)
        if note := _unready(row):
            return IndependentCheck(statement_id, row["label"], note)
        loaded = load_inputs(uow, ScoringInputs(**json.loads(row["made_with"] or "")))
        table = kept.read_window(uow, row["seq"], str(row["window_from"]), row["last_on"])
        hidden = hidden_keys(uow, loaded.approvers)
    transactions, _ = name_holders(kept.as_read(table))
    if loaded.cards:
        transactions = match_cards(transactions, loaded.cards)
    ledger = Ledger(transactions, loaded.policy)
    own_rows = ledger.frame["file"].eq(row["label"]).to_numpy()
    compared = own_rows & ~_about(hidden, ledger)
    withheld = {
        rule.id
        for rule in loaded.rules
        if context.actor.holder_id and not is_about_cardholder_alone(rule)
    }
    rules = (one for one in compare(ledger, loaded.rules, compared) if one.rule not in withheld)
    return IndependentCheck(statement_id, row["label"], rules=tuple(rules))


def agreement_rows(check: IndependentCheck) -> list[AgreementRow]:
    """Return a row for each rule: agreed, not agreed with the rows that differ, or why not run."""
    if check.note:
        return [AgreementRow(rule="", firings=0, result=f"not run: {check.note}", rows="")]
    rows = []
    for rule in check.rules:
        result = f"not run: {rule.note}" if rule.note else "agreed" if rule.agrees else "not agreed"
        differing = sorted({row for _, row in (*rule.only_by_rules, *rule.only_independent)})
        rows.append(
            AgreementRow(
                rule=rule.rule,
                firings=rule.firings,
                result=result,
                rows=", ".join(map(str, differing)),
            )
        )
    return rows


def _unready(row: Statement) -> str:
    """Why there is nothing to run again; empty if there is."""
    if row["erased_at"]:
        return "its payments were deleted when they expired"
    return "" if row["is_scored"] else "it was not scored"


def _about(keys: frozenset[str], ledger: Ledger) -> Flags:
    """Return which payments are those of a person of some keys."""
    holders = {
        holder for holder in ledger.frame["holder_id"].unique() if person_key(holder) in keys
    }
    return ledger.frame["holder_id"].isin(holders).to_numpy()
