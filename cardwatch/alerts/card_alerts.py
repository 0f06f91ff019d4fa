"""Makes alerts from findings about the card register, which have no payments."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from cardwatch.alerts.wording import TIER_OF_LEVEL, reason_of
from cardwatch.records import Alert, AlertCard
from cardwatch.rules import CARD_EVIDENCE, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cardwatch.policy import Policy


def card_alerts(
    cards: pd.DataFrame, policy: Policy, rules: Sequence[Rule], on: pd.Timestamp
) -> list[Alert]:
    """Return one alert for each rule and each matter it finds among the open cards.

    Args:
        cards: the open cards with their features, see `build_card_features`.
        policy: the organisation's figures.
        rules: rules of one lane; those about payments are passed over.
        on: the last day scored, on which the register is looked at.
    """
    alerts = []
    for rule in rules:
        if rule.subject != "card":
            continue
        flagged_cards = cards[np.asarray(rule.fires(cards, policy))]
        for key, members in flagged_cards.groupby(CARD_EVIDENCE[rule.evidence], sort=True):
            alerts.append(_alert(rule, str(key), members, str(on.date())))
    return alerts


def _alert(rule: Rule, key: str, members: pd.DataFrame, on: str) -> Alert:
    """Return one matter as an alert; its figures are the same for all of its cards."""
    first = members.iloc[0]
    figures = {name: members[name].to_numpy()[0].item() for name in rule.reads}
    of_approver = rule.evidence == "cards_of_approver"
    return Alert(
        alert_id=hashlib.sha256(f"{rule.lane}\n{rule.id}\n{key}".encode()).hexdigest()[:12],
        rank=0,
        tier=TIER_OF_LEVEL[rule.level],
        lane=rule.lane,
        kind=rule.kind,
        title=rule.title,
        holders=() if of_approver else _distinct(members["holder_id"]),
        merchants=(),
        cost_centres=_distinct(members["unit"]),
        first_on=on,
        last_on=on,
        at_stake_pence=0,
        chance=1.0,
        unusualness=None,
        reasons=(reason_of(rule, figures),),
        weakened_by=(),
        unusual=(),
        merchant_history="",
        payments=(),
        cards=tuple(
            AlertCard(str(card["card_id"]), str(card["card_last4"]), str(card["holder_id"]))
            for _, card in members.iterrows()
        ),
        approvers=(str(first["approver_id"]),) if of_approver else (),
    )


def _distinct(values: pd.Series[str]) -> tuple[str, ...]:
    """The distinct non-empty values, in the order of their first row."""
    return tuple(str(value) for value in values.unique() if value)
