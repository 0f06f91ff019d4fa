"""Makes alerts of matters, explains them, and puts them in the order to be asked in."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.alerts.matters import Finding, Matter, find_matters
from cardwatch.alerts.words import fact, one_in, pounds
from cardwatch.chance import UNUSUALNESS
from cardwatch.features import FAMILIES, meaning_of, name_of
from cardwatch.records import Alert, Payment, Reason
from cardwatch.rules import LEVELS, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cardwatch.features import Ledger

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

TIERS = {"high": "A", "medium": "B", "low": "C"}
WEIGHT_OF_MONEY, POUNDS_AT_ONE = 0.5, 250
"""Order within a tier: -log10 chance + 0.5 log10(1 + pounds at stake / 250) (docs/detection.md)."""
TELLING_SHARE, MOST_COMPARISONS = 0.05, 3
"""A comparison is told if rarer than 1 in 20; the strongest three are."""


@dataclass(frozen=True)
class Scored:
    """Everything alerts are made of, row for row.

    Attributes:
        features: features and chance columns, and `unusualness` where there is a forest.
        shares: each surprise as a share of reference payments.
        asked: the payments that are being scored; the others are their history.
    """

    ledger: Ledger
    features: pd.DataFrame
    shares: pd.DataFrame
    asked: Flags


def rank_alerts(scored: Scored, rules: Sequence[Rule], lane: str) -> list[Alert]:
    """Return the alerts of one lane, ranked, with those beyond cap and budget not shown.

    Lanes are ranked apart, so that nothing of one can be told from the other.

    Args:
        scored: the payments and what is known of them.
        rules: all rules; only those of the lane and not on trial are used.
        lane: finance or psd.
    """
    mine = [rule for rule in rules if rule.lane == lane and rule.status == "stable"]
    # Context and mitigation are no secret: the psd lane reads finance's, never the other way.
    others = [
        r for r in rules if r.role != "raises" and r.status == "stable" and r.lane == "finance"
    ]
    used = list({rule.id: rule for rule in [*mine, *others]}.values())
    fires = {rule.id: rule.fires(scored.features, scored.ledger.policy) for rule in used}
    raising = [r for r in mine if r.role == "raises"]
    fired = [(rule, np.flatnonzero(fires[rule.id] & scored.asked)) for rule in raising]
    matters = find_matters(scored.ledger, scored.features, fired)
    context = [rule for rule in used if rule.role != "raises"]
    alerts = [_alert(scored, matter, context, fires, lane) for matter in matters]
    alerts.sort(key=_order)
    return _cut(alerts, scored)


def _order(alert: Alert) -> tuple[Any, ...]:
    """Return what alerts are sorted by: tier, evidence with money, then ties by money, day, id."""
    money = math.log10(1 + alert.at_stake_pence / 100 / POUNDS_AT_ONE)
    strength = -math.log10(alert.chance) + WEIGHT_OF_MONEY * money
    return alert.tier, -round(strength, 9), -alert.at_stake_pence, alert.first_on, alert.alert_id


def _cut(alerts: list[Alert], scored: Scored) -> list[Alert]:
    """Number the alerts and mark those beyond the cap for a holder's month and the budget."""
    policy = scored.ledger.policy
    budget = math.ceil(policy.alerts_per_1000 * int(scored.asked.sum()) / 1000)
    budget = max(budget, policy.alerts_at_least)
    held: Counter[tuple[frozenset[str], str]] = Counter()
    shown, numbered = 0, []
    for rank, alert in enumerate(alerts, start=1):
        holders = frozenset(payment.holder_id for payment in alert.payments)
        month = (holders, alert.last_on[:7])
        within = shown < budget and held[month] < policy.alerts_per_holder_month
        held[month] += 1
        shown += within
        numbered.append(dataclasses.replace(alert, rank=rank, shown=within))
    return numbered


def _alert(
    scored: Scored, matter: Matter, context: Sequence[Rule], fires: dict[str, Flags], lane: str
) -> Alert:
    """Return one matter as an alert."""
    rows, frame = matter.rows, scored.ledger.frame
    weakening = {r.id: r for r in context if r.role == "weakens"}
    strengths = [_level(f, weakening, fires) for f in matter.findings]
    best = max(strengths)
    lead = max(
        zip(strengths, matter.findings, strict=True),
        key=lambda pair: (pair[0], scored.ledger.pence[pair[1].evidence].sum(), pair[1].row),
    )[1]
    chance = _case_chance(scored, matter)
    stake = abs(int(scored.ledger.pence[rows].sum()))
    reasons = _reasons(scored, matter, lead)
    who, where = frame["holder_id"].iloc[rows].unique(), frame["merchant_id"].iloc[rows].unique()
    asked = {f.row for f in matter.findings}
    for rule in context if len(who) == 1 else []:  # context speaks of one holder
        fired = [row for row in asked if rule.role == "adds" and fires[rule.id][row]]
        if fired:
            reasons.append(_reason(scored, rule, max(fired)))
    weak = [r for r in weakening.values() if _weakens(r, lead, fires)]
    units = frame["cost_centre"].iloc[rows].unique()
    days = frame["date"].iloc[rows]
    unusual = scored.features.get(UNUSUALNESS)
    return Alert(
        alert_id=_alert_id(scored, lane, rows),
        rank=0,
        tier=TIERS[LEVELS[best]],
        lane=lane,
        title=lead.rule.title,
        holder_id=who[0] if len(who) == 1 else f"{len(who)} holders",
        merchant=str(frame["merchant"].iat[lead.row])
        if len(where) == 1
        else f"{len(where)} merchants",
        cost_centre=units[0] if len(units) == 1 else f"{len(units)} cost centres",
        first_on=str(days.min().date()),
        last_on=str(days.max().date()),
        at_stake_pence=stake,
        chance=chance,
        unusualness=None if unusual is None else round(float(unusual.iloc[list(asked)].max()), 6),
        reasons=tuple(reasons),
        weakened_by=tuple(_reason(scored, rule, lead.row) for rule in weak),
        unusual=_comparisons(scored, lead.row),
        merchant_history=_history(scored, lead.row, rows) if len(where) == len(who) == 1 else "",
        payments=tuple(_payment(frame, int(row)) for row in rows),
    )


def _weakens(rule: Rule, finding: Finding, fires: dict[str, Flags]) -> bool:
    return finding.rule.id in rule.weakens and bool(fires[rule.id][finding.row])


def _level(finding: Finding, weakening: dict[str, Rule], fires: dict[str, Flags]) -> int:
    """Return a finding's level as a number, one lower if a rule weakens it."""
    weak = any(_weakens(rule, finding, fires) for rule in weakening.values())
    return max(LEVELS.index(finding.rule.level) - weak, 0)


def _case_chance(scored: Scored, matter: Matter) -> float:
    """Return the smallest chance of the matter's payments, corrected for how many there are."""
    rows = sorted({finding.row for finding in matter.findings})
    smallest = float(scored.features["payment_chance_share"].iloc[rows].min())
    return float(-np.expm1(len(rows) * np.log1p(-min(smallest, 1 - 1e-12))))


def _reasons(scored: Scored, matter: Matter, lead: Finding) -> list[Reason]:
    """Return one reason a rule, the lead first, then the most pressing; each by its best row."""
    best: dict[str, Finding] = {lead.rule.id: lead}
    for finding in matter.findings:
        other = best.get(finding.rule.id)
        total = scored.ledger.pence[finding.evidence].sum()
        if other is None or (
            other is not lead and total > scored.ledger.pence[other.evidence].sum()
        ):
            best[finding.rule.id] = finding
    rest = [f for f in best.values() if f is not lead]
    rest.sort(key=lambda f: (-LEVELS.index(f.rule.level), f.rule.id))
    return [_reason(scored, finding.rule, finding.row) for finding in (lead, *rest)]


def _reason(scored: Scored, rule: Rule, row: int) -> Reason:
    """Return one rule's finding in words, with the figures it compared."""
    figures = {name: scored.features[name].to_numpy()[row].item() for name in rule.reads}
    figures = {k: float(f"{v:.9g}") if isinstance(v, float) else v for k, v in figures.items()}
    return Reason(
        rule.id, rule.title, fact(rule.fact, figures), rule.why, rule.ask, rule.innocent, figures
    )


def _comparisons(scored: Scored, row: int) -> tuple[str, ...]:
    """Return the strongest surprises of a payment, each as 1 in N of comparable payments."""
    features = [f for name, family in FAMILIES.items() if name != "split" for f in family]
    shares = {meaning_of(f): float(scored.shares[name_of(f)].to_numpy()[row]) for f in features}
    told = sorted((share, text) for text, share in shares.items() if share <= TELLING_SHARE)
    lines = [f"{t.rstrip('.')}: {one_in(s)} payments" for s, t in told[:MOST_COMPARISONS]]
    if told:
        together = float(scored.features["payment_chance_share"].to_numpy()[row])
        lines.append(f"All taken together: {one_in(together)} payments")
    return tuple(lines)


def _history(scored: Scored, row: int, rows: np.ndarray[Any, Any]) -> str:
    """Return what the holder, and others, did with this merchant before the matter."""
    ledger = scored.ledger
    frame, first = ledger.frame, ledger.day[rows].min()
    here = ledger.is_purchase & (ledger.group("merchant_id") == ledger.group("merchant_id")[row])
    here &= ledger.day < first
    mine = here & (ledger.group("holder_id") == ledger.group("holder_id")[row])
    others = frame["holder_id"].to_numpy()[here & ~mine]
    users = len(set(others))
    also = (
        f"{users} other holder{'s' * (users > 1)} used it before." if users else "Nobody else had."
    )
    if not mine.any():
        return f"Before this, no payment by this holder to this merchant. {also}"
    paid = ledger.pence[mine]
    since = frame["date"].to_numpy()[mine].min().astype("datetime64[D]")
    if len(paid) == 1:
        return f"Before this, one payment by this holder here: {pounds(paid[0])} on {since}. {also}"
    return (
        f"Before this, {len(paid)} payments by this holder here since {since}, "
        f"{pounds(paid.sum())} in all, the largest {pounds(paid.max())}. {also}"
    )


def _payment(frame: pd.DataFrame, row: int) -> Payment:
    """Return one transaction as an alert names it: by its reference, file and row."""
    line = frame.iloc[row]
    return Payment(
        reference=str(line["transaction_id"]),
        file=str(line["file"]),
        row=int(line["row"]),
        date=str(line["date"].date()),
        holder_id=str(line["holder_id"]),
        merchant=str(line["merchant"]),
        amount_pence=int(line["amount_pence"]),
    )


def _alert_id(scored: Scored, lane: str, rows: np.ndarray[Any, Any]) -> str:
    """Return an id made of the lane and the payments: their references, else what they are."""
    columns = ["transaction_id", "date", "holder_id", "merchant", "amount_pence"]
    lines = sorted(map(repr, scored.ledger.frame[columns].iloc[rows].itertuples(index=False)))
    return hashlib.sha256("\n".join([lane, *lines]).encode()).hexdigest()[:12]
