"""Makes alerts from groups of findings, explains them and ranks them."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.alerts.calibration import weigh_findings
from cardwatch.alerts.card_alerts import card_alerts
from cardwatch.alerts.entries import entries_shown
from cardwatch.alerts.grouping import AlertGroup, Finding, group_findings
from cardwatch.alerts.wording import (
    TIER_OF_LEVEL,
    fact_among_several,
    named_fact,
    one_in,
    prose_day,
    reason_of,
)
from cardwatch.features import FAMILIES, meaning_of, name_of
from cardwatch.features.split import refunded_on, taken_back
from cardwatch.line_items import read_line_items
from cardwatch.quantities import money, quantity
from cardwatch.rarity import UNUSUALNESS
from cardwatch.records import Alert, Payment, Reason
from cardwatch.rules import EVIDENCE, LEVELS, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.features import Ledger
    from cardwatch.forest import Forest
    from cardwatch.records import EntryShown

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

PRINTED = ["transaction_id", "file", "row", "holder_id", "merchant", "merchant_id", "cost_centre",
           "amount_pence"]  # fmt: skip
PAYMENT_IDENTITY = ["transaction_id", "date", "holder_id", "merchant", "amount_pence"]
"""Fields that identify a payment in any file."""
OTHERWISE_READ = ["card_token", "mcc", "category", "cost_centre", "description", "posting_date"]
LEAST_SAVED = 0.1
"""Splits that a feature has to save for it to be named (docs/decisions/0132)."""
TOTALS = "spend"
"""Kind of the rules that add payments up over months."""
COMPARED_KINDS = {"spend", "merchant", "amount", "pattern"}
"""Kinds that are folded into a total of which all their payments are part."""
SPLITS, MOST_OF_TOTAL = "split", 0.5
"""A split with at least this share of the money of a total is asked about with the total."""
WHOLE_MONTH = "holder-month-shift"
FOLDED = {"unusual-merchant", "unusual-payment"}
"""Rules whose alerts are folded into that of the month they lie in."""
MOST_EVIDENCE = 300.0
"""A share any smaller is 0 in a float, which has no logarithm."""
TELLING_SHARE, MOST_COMPARISONS = 0.05, 3
"""A comparison is told if rarer than 1 in 20; the strongest three are."""


@dataclass(frozen=True)
class ScoringContext:
    """Everything alerts are made of, row for row.

    Attributes:
        columns: features and chances by name, and `unusualness` where there is a forest.
        shares: each surprise as a share of reference payments.
        asked: the payments that are being scored; the others are their history.
        reference: the payments they are compared with.
        cards: the open cards of the register with their features, where one was given.
        forest: the forest of payments, where there is one.
    """

    ledger: Ledger
    columns: Mapping[str, np.ndarray[Any, Any]]
    shares: Mapping[str, np.ndarray[Any, Any]]
    asked: Flags
    reference: Flags
    cards: pd.DataFrame | None = None
    forest: Forest | None = None

    @cached_property
    def printed(self) -> dict[str, list[Any]]:
        """The printed columns of each payment, with its day."""
        table = {name: self.ledger.frame[name].tolist() for name in PRINTED}
        days = self.ledger.column("date").astype("datetime64[D]")
        return table | {"date": np.datetime_as_string(days).tolist()}

    @cached_property
    def line_items(self) -> dict[int, str]:
        """The line items of each payment that has any, as they are kept."""
        texts = self.ledger.frame["line_items"]
        rows = np.flatnonzero((texts != "").to_numpy())
        return dict(zip(rows.tolist(), texts.iloc[rows], strict=True))

    @cached_property
    def repeats(self) -> np.ndarray[Any, Any]:
        """Numbers payments that are alike in all that identifies them: 0, 1, 2 ...

        The rest of what was read of them orders them, so that the order of rows does not.
        """
        frame = self.ledger.frame
        alike = np.flatnonzero(frame.duplicated(PAYMENT_IDENTITY, keep=False))
        rows = frame.iloc[alike].reset_index(drop=True).sort_values(OTHERWISE_READ, kind="stable")
        repeats = np.zeros(len(frame), "int64")
        groups = rows.groupby(PAYMENT_IDENTITY, sort=False, dropna=False)
        repeats[alike[rows.index]] = groups.cumcount().to_numpy()
        return repeats

    @cached_property
    def features(self) -> pd.DataFrame:
        """The columns as a frame on the ledger's index."""
        return pd.DataFrame(dict(self.columns), self.ledger.frame.index, copy=False)

    @cached_property
    def compared(self) -> dict[str, np.ndarray[Any, Any]]:
        """The share of every surprise that alerts tell of, by what it says."""
        surprises = [f for name, family in FAMILIES.items() if name != "split" for f in family]
        return {meaning_of(f): self.shares[name_of(f)] for f in surprises}


def rank_alerts(scored: ScoringContext, rules: Sequence[Rule], lane: str) -> list[Alert]:
    """Return the alerts of one lane, ranked, with those beyond cap and budget not shown.

    Lanes are ranked apart, so that nothing of one can be told from the other.

    Args:
        scored: the payments and what is known of them.
        rules: all rules; only those of the lane and not on trial are used.
        lane: finance or psd.
    """
    lane_rules = [rule for rule in rules if rule.lane == lane and rule.status == "stable"]
    # Context and mitigation are no secret: the psd lane reads finance's, never the other way.
    context_rules = [
        r for r in rules if r.role != "raises" and r.status == "stable" and r.lane == "finance"
    ]
    payment_rules = list(
        {r.id: r for r in [*lane_rules, *context_rules] if r.subject == "payment"}.values()
    )
    fires = {rule.id: rule.fires(scored.columns, scored.ledger.policy) for rule in payment_rules}
    raising = [r for r in payment_rules if r.role == "raises"]
    for rule in raising:
        fires[rule.id] = fires[rule.id] & ~taken_back(scored.ledger)
    context = [rule for rule in payment_rules if rule.role != "raises"]
    weighed = weigh_findings(scored, raising, fires, [r for r in context if r.role == "weakens"])
    basis = Basis(scored, context, fires, weighed)
    questions = _alerts(basis, [rule for rule in raising if not rule.is_policy_fact])
    facts = _alerts(basis, [rule for rule in raising if rule.is_policy_fact])
    alerts = questions
    if scored.cards is not None:
        policy, last = scored.ledger.policy, scored.ledger.frame["date"][scored.asked].max()
        alerts += card_alerts(scored.cards, policy, lane_rules, last)
    alerts.sort(key=alert_order)
    alerts = _merge_month_alerts(_alike_joined(alerts))
    return _with_facts(_apply_budget(alerts, scored), sorted(facts, key=alert_order))


@dataclass(frozen=True)
class Basis:
    """The inputs for the alerts of one lane.

    Attributes:
        context: rules that add a reason to alerts or lower them.
        fires: where each rule fires, by its id.
        weighed: the evidence of each raising rule's findings, a row each; see `weigh_findings`.
    """

    scored: ScoringContext
    context: Sequence[Rule]
    fires: Mapping[str, Flags]
    weighed: Mapping[str, np.ndarray[Any, Any]]


def _alerts(basis: Basis, raising: Sequence[Rule]) -> list[Alert]:
    """Return the alerts that some rules raise among the payments scored."""
    scored = basis.scored
    fired = [(rule, np.flatnonzero(basis.fires[rule.id] & scored.asked)) for rule in raising]
    matters = group_findings(scored.ledger, scored.columns, fired)
    leads = [_lead(basis, matter) for matter in matters]
    contributions = _contributions(scored, [lead.row for _, lead in leads])
    return [
        dataclasses.replace(_alert(basis, matter, lead), contributions=raised)
        for matter, lead, raised in zip(matters, leads, contributions, strict=True)
    ]


def _with_facts(questions: list[Alert], facts: list[Alert]) -> list[Alert]:
    """Return the questions with the facts against policy after them, each matter once.

    Facts are complete, and all of them are shown, the rarest first. Where a question is about the
    very payments of a fact the two are one alert, named for the fact: among the questions if it is
    shown there, else among the facts, by the rarer of the two.
    """
    of_facts = {fact.payments: fact for fact in facts}
    remaining, joined = [], {}
    for question in questions:
        fact = of_facts.get(question.payments) if question.payments else None
        if fact is None:
            remaining.append(question)
        else:
            joined[question.payments] = _asked_with(question, fact)
    remaining += [alert for alert in joined.values() if alert.shown]
    remaining.sort(key=lambda alert: alert.rank)
    asked_payments = {alert.payments for alert in joined.values() if alert.shown}
    apart = []
    for fact in facts:
        alert, chance = joined.get(fact.payments, fact), fact.chance
        if fact.payments not in asked_payments:
            chance = min(alert.chance, chance)
            apart.append(dataclasses.replace(alert, chance=chance, shown=True, is_fact=True))
    apart.sort(key=alert_order)
    return [
        dataclasses.replace(a, rank=rank) for rank, a in enumerate([*remaining, *apart], start=1)
    ]


def _asked_with(question: Alert, fact: Alert) -> Alert:
    """Return a fact with the reasons, the evidence and the place of a question about it."""
    return dataclasses.replace(
        _with_reasons(fact, question),
        rank=question.rank,
        chance=question.chance,
        shown=question.shown,
        unusual=question.unusual,
        contributions=question.contributions,
    )


def alert_order(alert: Alert) -> tuple[Any, ...]:
    """Return what alerts are sorted by: questions by evidence, then by money, day and id."""
    return (
        alert.is_fact,
        -alert_strength(alert),
        -alert.at_stake_pence,
        alert.first_on,
        alert.alert_id,
    )


def alert_strength(alert: Alert) -> float:
    """Return the evidence of an alert: -log10 of how often its kind comes as strong."""
    return round(-math.log10(alert.chance), 9)


def _alike_joined(alerts: list[Alert]) -> list[Alert]:
    """Return the alerts with those about the very same payments, or a part of a total, as one.

    A total of a quarter holds that of a month, and what says of its single payments that they are
    new or unlike others, and a split that is most of it; any other split within it is a question of
    its own.
    """
    merged: dict[object, Alert] = {}
    for alert in sorted(alerts, key=lambda a: (a.tier, alert_order(a))):
        same = alert.payments or alert.alert_id
        merged[same] = _with_reasons(merged[same], alert) if same in merged else alert
    totals: dict[object, list[tuple[Payment, ...]]] = {}
    longest = sorted(
        merged, key=lambda key: (merged[key].kind != TOTALS, -len(merged[key].payments))
    )
    for key in longest:
        alert = merged[key]
        total_payments = totals.setdefault((alert.holders, alert.merchants), [])
        whole = next((other for other in total_payments if set(alert.payments) <= set(other)), None)
        if alert.kind == TOTALS and whole is None:
            total_payments.append(alert.payments)
        elif whole is not None and alert.payments and _is_part(alert, merged[whole]):
            merged[whole] = _with_part(merged[whole], merged.pop(key))
    return sorted(merged.values(), key=alert_order)


def _is_part(alert: Alert, whole: Alert) -> bool:
    """Return whether what is asked of some payments of a total is asked by the total as well."""
    if alert.kind == SPLITS:
        return alert.at_stake_pence >= MOST_OF_TOTAL * whole.at_stake_pence
    return alert.kind in COMPARED_KINDS


def _with_part(whole: Alert, part: Alert) -> Alert:
    """Return a total with the reasons of a part of it, named for a split that weighs more."""
    joined = _with_reasons(whole, part)
    if part.kind != SPLITS or (part.tier, alert_order(part)) >= (whole.tier, alert_order(whole)):
        return joined
    return dataclasses.replace(
        joined,
        kind=part.kind,
        title=part.title,
        reasons=_with_reasons(part, whole).reasons,
        weakened_by=part.weakened_by,
        unusual=part.unusual,
    )


def _with_reasons(alert: Alert, other: Alert) -> Alert:
    """Return an alert with the reasons of another that is part of it, and the better evidence."""
    return dataclasses.replace(
        alert,
        tier=min(alert.tier, other.tier),
        chance=min(alert.chance, other.chance),
        reasons=_joined_reasons(alert, other),
        entries=tuple(dict.fromkeys((*alert.entries, *other.entries))),
    )


def _joined_reasons(whole: Alert, part: Alert) -> tuple[Reason, ...]:
    """Return an alert's reasons, and those of a part by other rules.

    Where the part is one payment and the whole has several, they name the payment.
    """
    rule_ids = {reason.rule for reason in whole.reasons}
    more = [reason for reason in part.reasons if reason.rule not in rule_ids]
    if len(part.payments) == 1 < len(whole.payments):
        payment = part.payments[0]
        more = [
            dataclasses.replace(
                r,
                fact=named_fact(r.fact, payment.merchant, payment.date)
                if len(whole.merchants) > 1
                else fact_among_several(r.fact, payment.amount_pence, payment.date),
            )
            for r in more
        ]
    return (*whole.reasons, *more)


def _merge_month_alerts(alerts: list[Alert]) -> list[Alert]:
    """Return the alerts without those whose payments a stranger month of their holder holds.

    A month unlike the holder's others names its payments; each of them is not asked about again for
    being unlike the others too. What it says becomes a reason of the month's alert.
    """
    retained: list[Alert] = []
    months: dict[tuple[tuple[str, ...], str], int] = {}
    for alert in sorted(alerts, key=lambda a: a.reasons[0].rule != WHOLE_MONTH):
        month = (alert.holders, alert.last_on[:7])
        if alert.reasons[0].rule == WHOLE_MONTH:
            months[month] = len(retained)
        elif alert.reasons[0].rule in FOLDED and month in months:
            month_alert = retained[months[month]]
            if set(alert.payments) <= set(month_alert.payments):
                retained[months[month]] = dataclasses.replace(
                    month_alert, reasons=_joined_reasons(month_alert, alert)
                )
                continue
        retained.append(alert)
    return sorted(retained, key=alert_order)


def _apply_budget(alerts: list[Alert], scored: ScoringContext) -> list[Alert]:
    """Number the alerts and mark those beyond the cap for a holder's month and the budget."""
    policy = scored.ledger.policy
    budget = math.ceil(policy.alerts_per_1000 * int(scored.asked.sum()) / 1000)
    budget = max(budget, policy.alerts_at_least)
    month_counts: Counter[tuple[frozenset[str], str]] = Counter()
    shown_count, numbered = 0, []
    for rank, alert in enumerate(alerts, start=1):
        month = (frozenset(alert.holders or alert.approvers), alert.last_on[:7])
        within = shown_count < budget and month_counts[month] < policy.alerts_per_holder_month
        month_counts[month] += 1
        shown_count += within
        numbered.append(dataclasses.replace(alert, rank=rank, shown=within))
    return numbered


def _lead(basis: Basis, matter: AlertGroup) -> tuple[int, Finding]:
    """Return the finding that a matter is named for, of the highest level, and the level.

    Of one level the one with the most payments says most of the matter.

    What says no more than that a payment is unlike others names no matter of which more is known.
    """
    weakening = [rule for rule in basis.context if rule.role == "weakens"]
    # The first of equals leads: by rule and the later row, whatever the order of rows was.
    findings = sorted(matter.deciding, key=lambda f: (f.rule.id, -f.row))
    levels = [_level(f, weakening, basis.fires) for f in findings]
    _, lead = max(
        zip(levels, findings, strict=True),
        key=lambda pair: (
            pair[1].rule.kind != "pattern",
            pair[0],
            max(len(pair[1].evidence), 1),
            *_pressing(basis, pair[1])[:2],
        ),
    )
    return max(levels), lead


def _contributions(scored: ScoringContext, rows: list[int]) -> list[dict[str, float]]:
    """Return for each payment the features that raise the forest's score most, by splits saved."""
    if scored.forest is None or not rows:
        return [{} for _ in rows]
    read = {name: scored.columns[name][rows] for name in scored.forest.features}
    raised = scored.forest.contributions(pd.DataFrame(read))
    contributions = []
    for values in raised.to_numpy():
        first = np.argsort(-values, kind="stable")[:MOST_COMPARISONS]
        raised_by = {raised.columns[index]: round(float(values[index]), 4) for index in first}
        contributions.append(
            {name: value for name, value in raised_by.items() if value >= LEAST_SAVED}
        )
    return contributions


def _alert(basis: Basis, matter: AlertGroup, leading: tuple[int, Finding]) -> Alert:
    """Return one matter as an alert."""
    scored, context, fires = basis.scored, basis.context, basis.fires
    rows, printed = matter.rows.tolist(), scored.printed
    (best, lead), lane = leading, leading[1].rule.lane
    whole = EVIDENCE[lead.rule.evidence].joins == "group"  # one payment's figures say little of it
    weakening = [rule for rule in context if rule.role == "weakens"]
    chance = _case_chance(basis, matter)
    stake = abs(sum(printed["amount_pence"][row] for row in rows))
    reasons = _reasons(basis, matter, lead)
    holders, merchants, cost_centres = (
        tuple(dict.fromkeys(value for row in rows if (value := printed[name][row])))
        for name in ("holder_id", "merchant_id", "cost_centre")
    )
    flagged_rows = {f.row for f in matter.findings}
    for rule in context if len(holders) == 1 else []:  # context speaks of one holder
        fired = [row for row in flagged_rows if rule.role == "adds" and fires[rule.id][row]]
        if fired:
            reasons.append(_reason(scored, rule, max(fired), rows))
    weak = [rule for rule in weakening if _weakens(rule, lead, fires)]
    days = [printed["date"][row] for row in rows]
    one_pair = len(merchants) == len(holders) == 1
    unusual = (
        scored.columns[UNUSUALNESS][list(flagged_rows)] if UNUSUALNESS in scored.columns else None
    )
    return Alert(
        alert_id=_alert_id(scored, lead.rule, rows),
        rank=0,
        tier=TIER_OF_LEVEL[LEVELS[best]],
        lane=lane,
        kind=lead.rule.kind,
        title=lead.rule.title,
        holders=holders,
        merchants=merchants,
        cost_centres=cost_centres,
        first_on=min(days),
        last_on=max(days),
        at_stake_pence=stake,
        chance=chance,
        unusualness=None if unusual is None else round(float(unusual.max()), 6),
        reasons=tuple(reasons),
        weakened_by=tuple(_reason(scored, rule, lead.row, rows) for rule in weak),
        unusual=() if whole else _comparisons(scored, lead.row),
        merchant_history=_past_and_refunds(scored, rows, one_pair=one_pair),
        payments=tuple(_payment(scored, row) for row in rows),
        entries=_entries(basis, matter, reasons),
    )


def _entries(basis: Basis, matter: AlertGroup, reasons: Sequence[Reason]) -> tuple[EntryShown, ...]:
    """Return the entries of registers on which the reasons of a matter rest."""
    rule_ids = {reason.rule for reason in reasons}
    rules = {rule.id: rule for rule in [*(f.rule for f in matter.findings), *basis.context]}
    reason_rules = [rules[name] for name in sorted(rule_ids)]
    rows = sorted({finding.row for finding in matter.findings})
    return entries_shown(basis.scored.ledger, reason_rules, rows, basis.fires)


def _weakens(rule: Rule, finding: Finding, fires: Mapping[str, Flags]) -> bool:
    return finding.rule.id in rule.weakens and bool(fires[rule.id][finding.row])


def _level(finding: Finding, weakening: Sequence[Rule], fires: Mapping[str, Flags]) -> int:
    """Return a finding's level as a number, one lower for each rule that weakens it."""
    weak = sum(_weakens(rule, finding, fires) for rule in weakening)
    return max(LEVELS.index(finding.rule.level) - weak, 0)


def _pressing(basis: Basis, finding: Finding) -> tuple[float, float, int]:
    """Return what findings of one level are compared by: evidence, money, row."""
    evidence = round(float(basis.weighed[finding.rule.id][finding.row]), 9)
    return evidence, finding.pence, finding.row


def _case_chance(basis: Basis, matter: AlertGroup) -> float:
    """The share of past payments with a finding of its kind as strong."""
    evidence = max(float(basis.weighed[f.rule.id][f.row]) for f in matter.deciding)
    return min(10 ** -min(evidence, MOST_EVIDENCE), 1.0)


def _reasons(basis: Basis, matter: AlertGroup, lead: Finding) -> list[Reason]:
    """Return one reason a rule, the lead first, then the most pressing; each by its best row."""
    best: dict[str, Finding] = {lead.rule.id: lead}
    for finding in matter.deciding:
        other = best.get(finding.rule.id)
        if other is None or (
            other is not lead and _pressing(basis, finding) > _pressing(basis, other)
        ):
            best[finding.rule.id] = finding
    rest = [f for f in best.values() if f is not lead]
    rest.sort(key=lambda f: (-LEVELS.index(f.rule.level), f.rule.id))
    rows = matter.rows.tolist()
    return [_reason(basis.scored, finding.rule, finding.row, rows) for finding in (lead, *rest)]


def _reason(scored: ScoringContext, rule: Rule, row: int, rows: Sequence[int]) -> Reason:
    """Return one rule's finding in words, with the figures it compared.

    Args:
        scored: the payments.
        rule: that fires for a payment.
        row: the payment.
        rows: of the alert; where they are several, what is true of one names it, and its merchant
            where these are several.
    """
    reason = reason_of(rule, {name: scored.columns[name][row].item() for name in rule.reads})
    by = EVIDENCE[rule.evidence].by
    is_of_all = rule.role == "weakens" or (by and "merchant_id" not in by)
    if len(rows) == 1:
        return reason
    printed = scored.printed
    if is_of_all or len({printed["merchant_id"][r] for r in rows}) == 1:
        fact = fact_among_several(reason.fact, printed["amount_pence"][row], printed["date"][row])
    else:
        fact = named_fact(reason.fact, printed["merchant"][row], printed["date"][row])
    return dataclasses.replace(reason, fact=fact)


def _comparisons(scored: ScoringContext, row: int) -> tuple[str, ...]:
    """Return the strongest surprises of a payment, each as 1 in N of comparable payments."""
    shares = ((float(share[row]), text) for text, share in scored.compared.items())
    strongest = sorted((share, text) for share, text in shares if share <= TELLING_SHARE)
    lines = [f"{t.rstrip('.')}: {one_in(s)} payments" for s, t in strongest[:MOST_COMPARISONS]]
    together = float(scored.columns["payment_chance_share"][row])
    if (
        strongest and together <= strongest[0][0]
    ):  # less rare than one of its parts, it would seem wrong
        lines.append(f"The payment as a whole: {one_in(together)} payments")
    return tuple(lines)


def _history(scored: ScoringContext, rows: list[int]) -> str:
    """The past of this cardholder, and of others, with the merchant, in a sentence."""
    ledger, first = scored.ledger, rows[0]  # rows are in order of day
    here = ledger.window_rows(first, ("merchant_id",))
    here = here[ledger.is_purchase[here] & (ledger.day[here] < ledger.day[first])]
    holder = ledger.group("holder_id")
    holder_rows = here[holder[here] == holder[first]]
    users = len(set(holder[here].tolist()) - {holder[first]})
    other_users = quantity(users, "other cardholder") if users else "nobody else"
    day, paid = prose_day(scored.printed["date"][first]), ledger.pence[holder_rows]
    if not len(holder_rows):
        return (
            f"Before {day} this cardholder had not paid this merchant; {other_users} had."
            if users
            else f"Before {day} nobody had paid this merchant."
        )
    since = prose_day(scored.printed["date"][holder_rows[0]])
    if len(paid) == 1:
        times = f"once: {money(paid[0])} on {since}"
    else:
        times = (
            f"{len(paid):,} times since {since}, {money(paid.sum())} in total, "
            f"the largest {money(paid.max())}"
        )
    return f"Before {day} this cardholder had paid this merchant {times}; {other_users} had."


def _past_and_refunds(scored: ScoringContext, rows: list[int], *, one_pair: bool) -> str:
    """Return the holder's past with the merchant, and how many of the payments were refunded."""
    sentences = [_history(scored, rows)] if one_pair else []
    back = int(np.isfinite(refunded_on(scored.ledger)[rows]).sum())
    if back:
        of_these = f"{back} of these {len(rows)} payments" if len(rows) > 1 else "This payment"
        have = "have" if back > 1 else "has"
        sentences.append(f"{of_these} {have} been refunded in full.")
    return " ".join(sentences)


def _payment(scored: ScoringContext, row: int) -> Payment:
    """Return one transaction as an alert names it: by its reference, file and row."""
    printed = scored.printed
    return Payment(
        reference=printed["transaction_id"][row],
        file=printed["file"][row],
        row=printed["row"][row],
        date=printed["date"][row],
        holder_id=printed["holder_id"][row],
        merchant=printed["merchant"][row],
        amount_pence=printed["amount_pence"][row],
        line_items=read_line_items(scored.line_items.get(row, "")),
    )


def _alert_id(scored: ScoringContext, rule: Rule, rows: list[int]) -> str:
    """An id made of the lane, the leading rule and the payments, wherever these were read from.

    Payments alone are not enough: two rules may ask about the same ones. Nor is what identifies
    a payment: two may be alike in all of it, and then their order counts.
    """
    columns = [scored.printed[name] for name in PAYMENT_IDENTITY]
    lines = sorted(
        repr([*(column[row] for column in columns), int(scored.repeats[row])]) for row in rows
    )
    return hashlib.sha256("\n".join([rule.lane, rule.id, *lines]).encode()).hexdigest()[:12]
