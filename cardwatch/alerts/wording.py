"""Figures in words: limits, days, shares as "1 in N", and the sentences of an alert."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cardwatch.quantities import money, plural, quantity
from cardwatch.records import Reason
from cardwatch.rules import meanings, placeholders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.policy import Policy
    from cardwatch.records import Alert, AlertCard, EntryShown
    from cardwatch.rules import Rule

RAREST = 1_000_000
DRIFT_TIMES, FEWEST_TO_TELL = 2, 5
"""A list drifts at so many times what is usual, and never on fewer alerts than that."""
TIER_OF_LEVEL = {"high": "A", "medium": "B", "low": "C"}
"""The letter of each level in a list."""
COMPARED = {">=": "{} or more", "<=": "{} or less", ">": "more than {}", "<": "less than {}",
            "==": "{}"}  # fmt: skip
"""The words for each comparison."""
COUNTED_ENDINGS = ("_count", "_days")
"""How the names of features end that count something."""


def pounds(pence: float) -> str:
    """Format a limit or threshold, with pence only where there are any: `£1,000`."""
    return money(pence).removesuffix(".00")


def prose_day(day: str) -> str:
    """Format an ISO day for prose: `7 October 2026`."""
    date = dt.date.fromisoformat(day)
    return f"{date.day} {date:%B %Y}"


def one_in(share: float) -> str:
    """Format a share as `1 in N`, N to two figures; from a third up as `N in 10`."""
    if share >= 1 / 3:
        return f"{share * 10:.0f} in 10"
    if share <= 0:
        return "none"
    number = 1 / share
    if number > RAREST:
        return f"fewer than 1 in {RAREST:,}"
    digits = max(len(str(int(number))) - 2, 0)
    return f"1 in {round(number, -digits):,.0f}"


def figure(name: str, value: float) -> str:
    """Format a feature by the unit in its name: _pence, _span_days, _share or _count."""
    if name.endswith("_pence"):
        return money(value)
    if name.endswith("_span_days"):
        return "on one day" if value == 0 else f"within {value + 1:.0f} days"
    if name.endswith("_share"):
        return one_in(value)
    return f"{value:,.0f}"


@dataclass(frozen=True)
class _Figure:
    """A figure that a template prints alone, or with the words that go with one or with several."""

    text: str
    count: float

    def __format__(self, words: str) -> str:
        """Return the figure; after it the words for one or several, where the template has them."""
        one, _, several = words.partition("|")
        return f"{self.text} {plural(self.count, one, several)}" if words else self.text


def fact(template: str, row: Mapping[str, float]) -> str:
    """A rule's sentence with its figures, as `{n}` or `{n:payment|payments}`."""
    text = template.format_map(
        {n: _Figure(figure(n, row[n]), row[n]) for n in placeholders(template)}
    )
    return text.replace("Only about fewer", "Fewer").replace("about fewer", "fewer")


def alert_content(alert: Alert) -> dict[str, Any]:
    """Return an alert as it is written; line items and what registers add only where they are."""
    content = asdict(alert)
    for payment in content["payments"]:
        if not payment["line_items"]:
            del payment["line_items"]
    for name in ("entries", "later"):
        if not content[name]:
            del content[name]
    return content


def reason_of(rule: Rule, figures: Mapping[str, Any]) -> Reason:
    """The reason that a rule gives: its texts and the figures compared, floats to nine digits."""
    rounded = {k: float(f"{v:.9g}") if isinstance(v, float) else v for k, v in figures.items()}
    sentence = fact(rule.fact, rounded)
    return Reason(rule.id, rule.title, sentence, rule.why, rule.ask, rule.innocent, rounded)


def named_fact(fact: str, merchant: str, day: str) -> str:
    """A fact about one payment with its merchant and ISO day before it, in an alert of several."""
    opening = fact[:1].lower() + fact[1:] if fact[1:2].islower() else fact
    return f"{merchant} on {prose_day(day)}: {opening}"


def fact_among_several(fact: str, amount_pence: int, day: str) -> str:
    """A fact in an alert of several payments: `this payment` as the sum and ISO day that it had."""
    named = f"the payment of {money(amount_pence)} on {prose_day(day)}"
    return re.sub(r"\bthis payment\b(?!')", named, fact)


def holders_label(alert: Alert) -> str:
    """The people of an alert: one cardholder's id, the number of cardholders, or an approver."""
    return people_label(alert.holders, alert.approvers)


def people_label(holders: Sequence[str], approvers: Sequence[str]) -> str:
    """Name one cardholder or approver; give the number of several."""
    if approvers:
        return _label([f"approver {name}" for name in approvers], "approver")
    return _label(holders, "cardholder")


def scope_note(alert: Alert) -> str:
    """What an alert is about in all, if its leading fact tells of a part; empty otherwise.

    The fact of a rule that looks at one payment, or at one cardholder's, tells of those alone.
    """
    payments = quantity(len(alert.payments), "payment")
    people = quantity(len(alert.holders), "cardholder")
    merchants = quantity(len(alert.merchants), "merchant")
    if len(alert.holders) > 1:
        whole, telling = f"by {people}", [people]
    elif len(alert.merchants) > 1:
        whole, telling = f"at {merchants}", [payments, merchants, money(alert.at_stake_pence)]
    else:
        return ""
    fact = alert.reasons[0].fact
    if any(re.search(rf"(?<![\w,.]){re.escape(words)}\b", fact) for words in telling):
        return ""
    return f"In all, this alert is about {payments} {whole}."


def merchants_label(alert: Alert) -> str:
    """The merchant as last printed, or the number of merchants; empty for an alert about cards."""
    if len(alert.merchants) == 1:
        return alert.payments[-1].merchant
    return _label(alert.merchants, "merchant")


def entry_evidence(entry: EntryShown) -> str:
    """An entry of a register on one line, with the hash of the file that it stands in."""
    file_hash = f" SHA-256 of the file: {entry.sha256}." if entry.sha256 else ""
    return f"{entry_label(entry)}{file_hash}"


def entry_label(entry: EntryShown) -> str:
    """An entry of a register on one line: where it stands, both days, and how its name matched."""
    days = [
        f"{word} {prose_day(day)}"
        for word, day in (("true from", entry.true_on), ("known from", entry.known_on))
        if day
    ]
    match = f" {entry.match.capitalize()} match of names. {entry.matched_by}" if entry.match else ""
    return f"{entry.register} ({entry.file}, row {entry.row}): {', '.join(days)}.{match}"


def cost_centres_label(alert: Alert) -> str:
    """The cost centre, or the number of cost centres."""
    return _label(alert.cost_centres, "cost centre")


def card_label(card: AlertCard) -> str:
    """A card by its last four digits and its cardholder."""
    number = f"card ending {card.card_last4}" if card.card_last4 else "a card"
    return f"{number}, cardholder {card.holder_id}"


def _label(names: Sequence[str], noun: str) -> str:
    if len(names) == 1:
        return names[0]
    return quantity(len(names), noun) if names else ""


def compared(rule: Rule, figures: Mapping[str, Any], policy: Policy) -> list[tuple[str, str, str]]:
    """The conditions of a rule, all of which were met.

    Args:
        rule: the version that raised the alert.
        figures: of the rule's reason.
        policy: the version that was active.

    Returns:
        For each feature compared, in the order of the conditions, its meaning, the figure of this
        alert and the figures required.
    """
    required: dict[str, tuple[str, list[str]]] = {}
    for condition in rule.when:
        than: Any = condition.than
        if isinstance(than, str):
            name = than.removeprefix("policy.")
            than = getattr(policy, name) if name != than else figures.get(than, meanings()[than])
        here = figures.get(condition.feature)
        if condition.feature.startswith("is_"):
            words = "yes" if than else "no"
            actual = "" if here is None else "yes" if here else "no"
        else:
            actual = "" if here is None else figure(condition.feature, here)
            text = than if isinstance(than, str) else figure(condition.feature, than)
            words = COMPARED[condition.comparison].format(text)
            if condition.feature.endswith(COUNTED_ENDINGS):
                words = words.replace("or less", "or fewer").replace("less than", "fewer than")
            if condition.feature.endswith("_chance_share") and condition.comparison == "<=":
                words = f"{text} or rarer"
            elif condition.feature.endswith("_span_days"):
                words = "within one day" if condition.comparison == "==" else "over several days"
        required.setdefault(condition.feature, (actual, []))[1].append(words)
    return [
        (meanings()[feature].removesuffix("."), actual, " and ".join(words))
        for feature, (actual, words) in required.items()
    ]


def expected_words(
    shown_count: int, alert_count: int, expected: float | None, usual_most: int | None = None
) -> str:
    """The sentence above every list: the number of alerts, and of a usual month.

    Args:
        shown_count: alerts within the budget.
        alert_count: all alerts.
        expected: alerts that as many payments of the months before would raise; None without
            history. It describes a usual month and is not a statement about chance.
        usual_most: how many 9 of 10 such months would raise at most; None where that is not known.
    """
    if not alert_count:
        return "These rules and limits raise no alert."
    alerts = quantity(alert_count, "alert")
    if shown_count < alert_count:
        alerts += f", of which {shown_count:,} {plural(shown_count, 'is', 'are')} shown"
    if expected is None:
        ordinary = "Without earlier payments we cannot say how many alerts a usual month has."
    else:
        number = f"about {expected:,.0f}" if expected >= 1 else "fewer than one"
        most = "" if usual_most is None else f", and 9 of 10 months have at most {usual_most:,}"
        ordinary = f"A usual month with as many payments has {number}{most}."
    return f"{alerts}. {ordinary} An alert is a reason to ask, not a finding."


def drift_notes(
    alert_count: int, expected: float | None, usual_most: int | None
) -> tuple[str, ...]:
    """Return a sentence that asks for a review where there are far more or fewer alerts than usual.

    Far more is over `DRIFT_TIMES` times what 9 of 10 months have at most; far fewer is under the
    same share of a usual month that has enough alerts to tell.
    """
    if expected is None or usual_most is None:
        return ()
    if alert_count > DRIFT_TIMES * max(usual_most, FEWEST_TO_TELL):
        how = f"more than {DRIFT_TIMES} times as many alerts as 9 of 10 months before have at most"
    elif expected >= DRIFT_TIMES * FEWEST_TO_TELL and alert_count * DRIFT_TIMES < expected:
        how = f"fewer than 1 in {DRIFT_TIMES} of the alerts that a usual month has"
    else:
        return ()
    sentence = (
        f"This list has {how}. Before you use it, have somebody check whether the statement is "
        "complete, and whether cards, limits or the policy have changed."
    )
    return (sentence,)
