"""The report on card spending for a chief finance officer and a commissioner: no person is named.

All of its figures are those of one quarter, beside those of the quarter before, but for one table
of twelve months, which says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.alerts import pounds
from cardwatch.quantities import money, quantity
from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.formatting import (
    FEWEST_FOR_PERCENT,
    day,
    days,
    interval,
    month,
    out_of,
    quarter_title,
    title,
)
from cardwatch.reports.quarter import SMALL_PENCE, Answers, Outcomes
from cardwatch.reports.self_assessment import Controls, self_assessment
from cardwatch.rules import rule_title
from cardwatch.vocabulary import KIND_TITLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from cardwatch.reports.quarter import Quarter

STEPS_PENCE = (500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000)
"""Totals that spending with a merchant is compared with, beside the organisation's own."""
LATE_DAYS = 28
UNSEEN = (
    "Spending by cash, invoice, purchase order or expense claim: only card statements are read.",
    "Whether goods were received, and who has them now.",
    "What was bought, where the statement does not say.",
    "Gifts, other work and interests that nobody has declared.",
    "Agreements between people that leave no trace in the payments.",
)
NO_ANSWERS = Answers(answered=0, upheld=0)


@dataclass(frozen=True)
class Figures:
    """The inputs of the report.

    Attributes:
        quarter: the figures of the quarter.
        before: those of the quarter before; nothing where it has no records.
        year: purchases and refunds of twelve months up to the quarter's last day, each with the
            one name of its merchant, amount_pence and holder_id.
        year_first_on: first of these days.
        year_uncovered_days: those of them that no statement covers.
        controls: what was active on the quarter's last day.
    """

    quarter: Quarter
    before: Quarter | None
    year: pd.DataFrame
    year_first_on: str
    year_uncovered_days: int
    controls: Controls


def governance_document(
    figures: Figures, *, marking: str, organisation: str, made_on: str
) -> Document:
    """Return the report on a quarter."""
    quarter = figures.quarter
    facts = (
        ("Organisation", organisation),
        ("Quarter", f"{_label(quarter)}, {days(quarter.first_on, quarter.last_on)}"),
        ("Compared with", _compared_with(figures)),
        ("Date", day(made_on)),
        ("For", "Chief finance officer; Police and Crime Commissioner; joint audit committee"),
    )
    sections = (
        Section("Summary", points=tuple(_summary(quarter)), tables=(_comparison(figures),)),
        Section("Card spending", text=tuple(_others(quarter)), tables=(_months(quarter),)),
        Section(
            "Alerts about this quarter's payments",
            text=(
                f"Alerts whose last payment is in the quarter, as they stood on {day(made_on)}.",
                "An alert asks a question about payments. It is not a finding against anybody.",
            ),
            tables=(_kinds(figures),),
        ),
        Section(
            "Answers recorded in the quarter",
            text=("These include answers about payments of earlier quarters.",),
            points=tuple(_answers(quarter)),
            tables=(_rules(figures),),
        ),
        Section(
            "Total spending with each merchant",
            text=tuple(_year(figures)),
            tables=(_steps(figures),),
        ),
        Section("What this report cannot show", points=(*UNSEEN, *_gaps(figures))),
        *self_assessment(quarter, figures.controls),
    )
    return Document("Quarterly report on card spending", marking, facts, sections)


def _label(quarter: Quarter) -> str:
    """A quarter as a heading names it: `Q4 2026`, and `so far` while it is not over."""
    return quarter_title(quarter.name) + ("" if quarter.is_over else " so far")


def _compared_with(figures: Figures) -> str:
    """Which quarter the figures are compared with, and how far that is fair."""
    if figures.before is None:
        return "Nothing: there are no records of the quarter before"
    number = figures.quarter.name.split("-")[1]
    unequal = f". {number} is not over, so its figures are for fewer days"
    return _label(figures.before) + ("" if figures.quarter.is_over else unequal)


def _summary(quarter: Quarter) -> Iterable[str]:
    """The quarter in three sentences."""
    spending = quarter.spending
    if spending.purchases or spending.refunds:
        yield (
            f"{quantity(spending.holders, 'cardholder')} made "
            f"{quantity(spending.purchases, 'purchase')} for {money(spending.purchases_pence)}. "
            f"After {quantity(spending.refunds, 'refund')} of {money(spending.refunds_pence)}, net "
            f"spending was {money(spending.net_pence)}."
        )
    else:
        yield "No purchase or refund of the quarter is known."
    if spending.purchases:
        share = spending.small_pence / spending.purchases_pence
        yield (
            f"{quantity(spending.small, 'purchase')} of less than {pounds(SMALL_PENCE)} made up "
            f"{share:.0%} of the value of all purchases."
        )
    answers = quarter.answers
    if answers.answered:
        yield (
            f"Share of answered alerts that were upheld: "
            f"{out_of(answers.upheld, answers.answered)}. {_upheld_means(answers)}"
        )
    else:
        yield "No alert was answered in the quarter."


def _upheld_means(answers: Answers) -> str:
    """The share of upheld answers, with its interval."""
    few = "With so few answers the" if answers.answered < FEWEST_FOR_PERCENT else "The"
    return (
        f"Upheld means outside policy, or confirmed. {few} true share may be anywhere from "
        f"{interval(answers.upheld, answers.answered)} (95% confidence)."
    )


def _comparison(figures: Figures) -> Table:
    """The main figures of the quarter, beside the quarter before."""
    quarters = [figures.quarter] + ([figures.before] if figures.before else [])
    columns = [_main_figures(quarter) for quarter in quarters]
    rows = tuple((name, *(column[name] for column in columns)) for name in columns[0])
    headings = ("Figure", *(_label(quarter) for quarter in quarters))
    return Table("Main figures", headings, rows, numeric=tuple(range(1, len(headings))))


def _main_figures(quarter: Quarter) -> dict[str, str]:
    """The figures that two quarters are compared by."""
    spending = quarter.spending
    return {
        "Purchases": f"{spending.purchases:,}",
        "Value of purchases": money(spending.purchases_pence),
        f"Value of purchases under {pounds(SMALL_PENCE)}": money(spending.small_pence),
        "Refunds": money(spending.refunds_pence),
        "Net spending": money(spending.net_pence),
        "Cardholders who made a purchase": f"{spending.holders:,}",
        "Alerts about the quarter's payments": f"{sum(o.count for o in quarter.outcomes):,}",
        "Alerts answered in the quarter": f"{quarter.answers.answered:,}",
        "Share of answered alerts that were upheld": out_of(
            quarter.answers.upheld, quarter.answers.answered
        ),
        "Money recovered": money(quarter.recovered_pence),
        "Alerts of any quarter without an answer at the end": f"{len(quarter.awaiting_days):,}",
        "Days that no statement covers": f"{quarter.uncovered_days:,} of {quarter.days:,}",
    }


def _others(quarter: Quarter) -> Iterable[str]:
    """Entries on the statements other than purchases and refunds, if any."""
    spending = quarter.spending
    yield "Net spending is the value of purchases less refunds."
    if spending.others:
        entries = f"{spending.others:,} other " + ("entry" if spending.others == 1 else "entries")
        yield (
            f"The statements also have {entries} (cash, fees and payments to the account), "
            f"{money(spending.others_pence)} in total. They are neither purchases nor refunds."
        )


def _months(quarter: Quarter) -> Table:
    """Spending month by month."""
    rows = tuple(
        (month(sums.period), f"{sums.purchases:,}", money(sums.purchases_pence), f"{sums.small:,}",
         money(sums.small_pence), money(sums.refunds_pence), money(sums.net_pence),
         f"{sums.holders:,}")
        for sums in quarter.months
    )  # fmt: skip
    small = f"under {pounds(SMALL_PENCE)}"
    headings = ("Month", "Purchases", "Value", f"Purchases {small}", f"Value {small}", "Refunds",
                "Net spending", "Cardholders")  # fmt: skip
    return Table("Spending by month", headings, rows, numeric=tuple(range(1, 8)), chart=6,
                 values=tuple(sums.net_pence for sums in quarter.months),
                 empty="No payments in this quarter.")  # fmt: skip


def _kinds(figures: Figures) -> Table:
    """Alerts about the quarter's payments, by kind and outcome."""
    now = {outcome.kind: outcome for outcome in figures.quarter.outcomes}
    before = (
        {outcome.kind: outcome.count for outcome in figures.before.outcomes}
        if figures.before
        else {}
    )
    rows = []
    for kind in sorted(now.keys() | before.keys()):
        kind_outcomes = now.get(kind, Outcomes(kind))
        counts = [
            kind_outcomes.awaiting,
            kind_outcomes.explained,
            kind_outcomes.upheld,
            kind_outcomes.data_errors,
            kind_outcomes.not_asked,
        ]
        counts += [kind_outcomes.count, *([before.get(kind, 0)] if figures.before else [])]
        rows.append((KIND_TITLES.get(kind, title(kind)), *(f"{count:,}" for count in counts)))
    headings = ["Kind", "Awaiting answer", "Explained", "Upheld", "Data error", "Not asked",
                "All alerts"]  # fmt: skip
    headings += [f"All in {_label(figures.before)}"] if figures.before else []
    return Table("Alerts by kind", tuple(headings), tuple(rows),
                 numeric=tuple(range(1, len(headings))), empty="No alerts.")  # fmt: skip


def _answers(quarter: Quarter) -> Iterable[str]:
    """How long answers took, what is waiting, and what second looks showed."""
    yield _times(quarter.answer_days)
    if quarter.data_errors:
        yield (
            f"{quarter.data_errors:,} of these {'was' if quarter.data_errors == 1 else 'were'} "
            "closed because the data was wrong, and so neither upheld nor explained."
        )
    waiting = quarter.awaiting_days
    late = sum(waited > LATE_DAYS for waited in waiting)
    if waiting:
        yield (
            f"On {day(quarter.last_on)}, {quantity(len(waiting), 'alert')} had no answer, "
            f"{late:,} of them for more than {LATE_DAYS} days."
        )
    else:
        yield f"On {day(quarter.last_on)} no alert was waiting for an answer."
    looks = quarter.second_looks
    if looks.answered:
        yield (
            "Some alerts that are closed automatically are reopened at random, to check that "
            f"nothing is missed. Of those answered in the quarter, "
            f"{out_of(looks.upheld, looks.answered)} {'was' if looks.upheld == 1 else 'were'} "
            "upheld."
        )


def _times(days_taken: tuple[int, ...]) -> str:
    """How long it took a person to close alerts, in order of days."""
    count = len(days_taken)
    if not count:
        return "No alert was closed by a person."
    closed = f"A person closed {quantity(count, 'alert')}"
    if count < FEWEST_FOR_PERCENT:
        shortest, longest = days_taken[0], days_taken[-1]
        span = f"{shortest:,} to " if shortest < longest else ""
        return f"{closed}, {span}{quantity(longest, 'day')} after being raised."
    half, most = days_taken[(count - 1) // 2], days_taken[(count * 9 - 1) // 10]
    return (
        f"{closed}. Half were closed within {quantity(half, 'day')} of being raised, and nine in "
        f"ten within {quantity(most, 'day')}."
    )


def _rules(figures: Figures) -> Table:
    """The share of answers that were upheld, by rule, beside the quarter before."""
    before = figures.before.answers_by_rule if figures.before else {}
    rows = []
    for rule, answers in figures.quarter.answers_by_rule.items():
        earlier = before.get(rule, NO_ANSWERS)
        shares = [
            out_of(answers.upheld, answers.answered),
            interval(answers.upheld, answers.answered),
        ]
        shares += [out_of(earlier.upheld, earlier.answered)] if figures.before else []
        rows.append((rule_title(rule), *shares))
    headings = ["Rule", "Upheld", "95% interval"]
    headings += [f"Upheld, {_label(figures.before)}"] if figures.before else []
    return Table("Share of answered alerts that were upheld", tuple(headings), tuple(rows),
                 numeric=tuple(range(1, len(headings))),
                 empty="No alert was answered in the quarter.")  # fmt: skip


def _year(figures: Figures) -> Iterable[str]:
    """The introduction to the table of twelve months."""
    last_on = figures.quarter.last_on
    yield (
        f"This table is about the twelve months from {days(figures.year_first_on, last_on)}, as "
        "spending with a merchant that needs quotations or a tender builds up over more than one "
        "quarter. It is spending after refunds."
    )
    if figures.year_uncovered_days:
        yield (
            f"No statement covers {quantity(figures.year_uncovered_days, 'day')} of these twelve "
            "months, so totals may be too low."
        )


def _steps(figures: Figures) -> Table:
    """How many merchants' totals reach each threshold, and how many by small purchases alone."""
    by = figures.year.groupby("merchant").agg(
        pence=("amount_pence", "sum"),
        largest=("amount_pence", "max"),
        holders=("holder_id", "nunique"),
    )
    limits = figures.controls.limits["step"]
    stated_pence = {limit.pence for limit in limits if limit.stated}
    rows = []
    for step in sorted({*STEPS_PENCE, *stated_pence}):
        over = by[by["pence"] >= step]
        small = over[over["largest"] < SMALL_PENCE]
        own_words = " (your quotation threshold)" if step in stated_pence else ""
        rows.append(
            (f"{pounds(step)} or more{own_words}", f"{len(over):,}", money(over["pence"].sum()),
             f"{(over['holders'] > 1).sum():,}", f"{len(small):,}")
        )  # fmt: skip
    headings = ("Total with one merchant", "Merchants", "Net spending",
                "Paid by several cardholders",
                f"Only purchases under {pounds(SMALL_PENCE)}")  # fmt: skip
    return Table("Merchants by total in twelve months", headings, tuple(rows),
                 numeric=(1, 2, 3, 4))  # fmt: skip


def _gaps(figures: Figures) -> Iterable[str]:
    """Gaps in this organisation's own data."""
    quarter, spending = figures.quarter, figures.quarter.spending
    total = spending.purchases + spending.refunds + spending.others
    for words, without in quarter.payments_without.items():
        if without:
            have = "has" if without == 1 else "have"
            yield f"{without:,} of {quantity(total, 'payment')} {have} no {words}."
    if quarter.uncovered_days:
        yield f"No statement covers {quantity(quarter.uncovered_days, 'day')} of the quarter."
    if quarter.rows_not_read:
        yield (
            f"{quantity(quarter.rows_not_read, 'row')} could not be read in the statements that "
            "cover the quarter."
        )
    if figures.controls.cards is None:
        yield "There is no card register, so unused cards and approvers are not known."
    yield "Alerts about the person who makes this report are left out of it."
