"""A force's own evidence on the inspectorate's questions, as sections of a report.

HM Inspectorate of Constabulary asked forces to examine themselves (Without fear or favour, 2011,
appendix B). What registers of professional standards answer is in a report of their own.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.alerts import pounds
from cardwatch.quantities import quantity
from cardwatch.registers import field_words
from cardwatch.reports.document import Section
from cardwatch.reports.formatting import day, title
from cardwatch.vocabulary import KIND_TITLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cardwatch.policy import Limit, Policy
    from cardwatch.registers import RegisterQuality
    from cardwatch.reports.quarter import Quarter

LIMIT_TITLES = {
    "single_purchase": "Single purchase", "holder_month": "Cardholder's month",
    "step": "Quotations and tenders",
}  # fmt: skip


@dataclass(frozen=True)
class OpenCards:
    """Counts of the cards open on a day.

    Attributes:
        with_limit: how many have a limit for one purchase or for a month.
        with_approver: for how many the register names an approver.
    """

    count: int
    holders: int
    with_limit: int
    with_approver: int


@dataclass(frozen=True)
class FinanceRegisters:
    """Registers that finance uploads, on the day of the report.

    Attributes:
        figures: about each that was uploaded.
        missing: titles of the others.
        alerts: finance's alerts of the quarter that were raised by rules that read them.
    """

    figures: tuple[RegisterQuality, ...]
    missing: tuple[str, ...]
    alerts: int


@dataclass(frozen=True)
class Controls:
    """The active settings on a day.

    Attributes:
        on: the day.
        policy, policy_sha256: the policy.
        rules: kinds of finance's rules, each with how many.
        model: what is known of the model.
        cards: open cards; nothing where there is no register.
        suppressions: how many of finance's were active.
        registers: what finance's registers hold.
    """

    on: str
    policy: Policy
    policy_sha256: str
    rules: Mapping[str, int]
    model: str
    cards: OpenCards | None
    suppressions: int
    registers: FinanceRegisters

    @property
    def limits(self) -> dict[str, tuple[Limit, ...]]:
        """The entries of each limit that applied on the day."""
        on = dt.date.fromisoformat(self.on)
        return {name: self.policy.entries_in_force(name, on) for name in LIMIT_TITLES}


def self_assessment(quarter: Quarter, controls: Controls) -> Iterable[Section]:
    """Sections with the evidence of a quarter, and of the controls on its last day."""
    yield Section(
        "HMIC self-assessment", begins_page=True,
        text=(
            "The inspectorate asked forces to examine themselves.",
            f"These figures are evidence for the answers, as at {day(controls.on)}.",
        ),
    )  # fmt: skip
    yield Section(
        "4.2 Are levels of authority set, and kept to?",
        level=3,
        points=(
            *_limits(controls),
            _limit_alerts(quarter),
            "This report cannot show whether people were told their limits.",
        ),
    )
    yield Section(
        "4.4 What controls are there over purchasing cards?",
        level=3,
        points=tuple(_card_controls(controls)),
    )
    yield Section(
        "4.5 How would an irregularity be found?",
        level=3,
        points=(
            "Every payment is compared with the rules, and with what is usual here.",
            "Every alert says why it was raised, with its figures, and can be reproduced.",
            "Some of the alerts that are closed automatically are reopened at random.",
            "Every view, decision and export is recorded in an audit log that shows any change.",
            "Professional standards have alerts of their own. They are not in this report.",
        ),
    )
    yield Section(
        "4.6 How are conflicts of interest in procurement managed?",
        level=3,
        points=tuple(_registers(controls.registers)),
    )
    yield Section(
        "3.5, 3.7, 3.8, 5.6, 5.8, 5.11 and 6.8",
        level=3,
        points=(
            (
                "These ask about gifts, second jobs, people at risk and the work of professional "
                "standards. Professional standards answer them in a report of their own. Nothing "
                "of it is in this report."
            ),
        ),
    )


def _limits(controls: Controls) -> Iterable[str]:
    """The limits that the policy states, and those that it does not."""
    limits = controls.limits
    for name, words in LIMIT_TITLES.items():
        for limit in limits[name]:
            if limit.stated:
                holders = f", for {quantity(len(limit.holders), 'cardholder')}"
                yield (
                    f"{words}: {pounds(limit.pence)} from {day(limit.since)}"
                    f"{holders if limit.holders else ''}."
                )
    unstated = [
        words.lower()
        for name, words in LIMIT_TITLES.items()
        if not any(limit.stated for limit in limits[name])
    ]
    if unstated:
        yield f"Not stated in the policy, so a default is used: {', '.join(unstated)}."


def _limit_alerts(quarter: Quarter) -> str:
    """How many alerts of the quarter were about limits."""
    count = sum(outcome.count for outcome in quarter.outcomes if outcome.kind in {"limit", "split"})
    if not count:
        return "No alert in the quarter was about a limit that was exceeded."
    were = "was" if count == 1 else "were"
    return (
        f"{quantity(count, 'alert')} in the quarter {were} about a limit that was exceeded, by one "
        "payment or by several together."
    )


def _registers(registers: FinanceRegisters) -> Iterable[str]:
    """Finance's registers, what they lack, and the alerts that rest on them."""
    for quality in registers.figures:
        gaps = "; ".join(
            f"{count:,} without {field_words(quality.kind, name)}"
            for name, count in quality.gaps.items()
        )
        yield (
            f"{quality.title}: {quality.entries:,} "
            f"{'entry' if quality.entries == 1 else 'entries'}{f' ({gaps})' if gaps else ''}, the "
            f"latest of {day(quality.last_entry_on)}."
            if quality.last_entry_on
            else f"{quality.title}: no entry."
        )
    for title_text in registers.missing:
        yield f"This register has not been uploaded: {title_text}."
    if registers.figures:
        yield (
            f"{quantity(registers.alerts, 'alert')} in the quarter "
            f"{'was' if registers.alerts == 1 else 'were'} raised by rules that read them."
        )
    yield "Interests, gifts and tenders are compared by professional standards."


def _card_controls(controls: Controls) -> Iterable[str]:
    """Cards, blocked categories, rules, model and suppressions."""
    cards = controls.cards
    if cards is None:
        yield "There is no card register, so cards and approvers are not known."
    else:
        yield (
            f"On {day(controls.on)} the register had {quantity(cards.count, 'open card')} of "
            f"{quantity(cards.holders, 'cardholder')}: {cards.with_limit:,} with a limit, and "
            f"{cards.with_approver:,} with an approver."
        )
    blocked = len(controls.policy.blocked_categories)
    yield (
        f"The policy blocks {quantity(blocked, 'merchant category', 'merchant categories')}, or "
        "ranges of categories."
    )
    rules = ", ".join(
        f"{KIND_TITLES.get(kind, title(kind)).lower()} {n:,}" for kind, n in controls.rules.items()
    )
    yield f"Finance's rules by kind: {rules}."
    yield f"Policy {controls.policy_sha256[:12]}; model: {controls.model}."
    active = "suppression was" if controls.suppressions == 1 else "suppressions were"
    yield (
        f"{controls.suppressions:,} {active} active. A suppression closes similar alerts for a "
        "time, with a recorded reason."
    )
    yield "This report cannot show what the bank blocks."
