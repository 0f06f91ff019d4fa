"""The report on card spending for a chief finance officer and a commissioner: no person is named.

It gives a force's own evidence on three questions by which HM Inspectorate of Constabulary asked
forces to examine themselves: 4.2, 4.4 and 4.5 (Without fear or favour, 2011, appendix B).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardwatch.alerts import pounds
from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.words import day, days, money, month, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from cardwatch.policy import Policy

SMALL_PENCE = 500_000
"""£5,000: below it forces hardly checked what was bought (Without fear or favour, 2011)."""
STEPS_PENCE = (500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000)
"""Sums a merchant's year is held against, beside the organisation's own."""
UNASKED = ("suppressed", "not-asked")
ANSWERS = ("explained", "policy-breach", "confirmed", "data-error")
UNSEEN = (
    "Cash, invoices, purchase orders and expense claims: only card statements are read.",
    "Whether goods came, and who has them now.",
    "What was bought in one payment, where the statement does not say.",
    "Gifts, other work and interests that nobody has declared.",
    "Agreements between people that leave no trace in the payments.",
)


@dataclass(frozen=True)
class Figures:
    """What the report is made of.

    Attributes:
        first_on, last_on: the days it is about.
        spending: payments of the year up to the last day: date, merchant (one name for each),
            amount_pence, mcc, card_token, holder_id.
        alerts: counts of finance's alerts by kind and state, with pence at stake.
        answer_days: days until each was answered; missing where nobody has.
        open_days: days for which each unanswered one is open.
        second_looks: counts by state of those opened again by chance.
        precision: how often each rule's alerts were upheld: rows of `learning.Precision`.
        policy, policy_sha256: in force on the last day.
        rules: kinds of finance's rules in force, each with how many.
        model: what is known of the model in force.
        cards: counts of the card register in force; nothing where there is none.
        suppressions: how many hold.
        rows_not_read: in the statements of these days.
        uncovered: days of the time that no statement covers.
    """

    first_on: str
    last_on: str
    spending: pd.DataFrame
    alerts: Sequence[Mapping[str, Any]]
    answer_days: Sequence[int]
    open_days: Sequence[int]
    second_looks: Mapping[str, int]
    precision: Sequence[Mapping[str, Any]]
    policy: Policy
    policy_sha256: str
    rules: Mapping[str, int]
    model: str
    cards: Mapping[str, int]
    suppressions: int
    rows_not_read: int
    uncovered: int


def governance_document(
    figures: Figures, *, marking: str, organisation: str, made_on: str
) -> Document:
    """Return the report on a time."""
    facts = (
        ("Organisation", organisation),
        ("Days", days(figures.first_on, figures.last_on)),
        ("Made on", day(made_on)),
        ("For", "Chief finance officer; Police and Crime Commissioner; joint audit committee"),
    )
    sections = (
        Section("In short", points=tuple(_in_short(figures))),
        Section("What was paid by card", tables=(_months(figures),)),
        Section(
            "What small payments come to",
            text=(
                "The year up to the last day, merchant by merchant.",
                f"The last column has those without a payment of {pounds(SMALL_PENCE)} or more.",
            ),
            tables=(_steps(figures),),
        ),
        Section("Questions that were asked", tables=(_kinds(figures),)),
        Section("How long answers took", points=tuple(_times(figures))),
        Section(
            "How often a rule was right",
            text=(
                (
                    "Of the questions that were answered ever since, those found outside policy or "
                    "confirmed. The range is where the true share lies with 95% confidence, and is "
                    "wide while answers are few."
                ),
            ),
            tables=(_precision(figures),),
        ),
        Section("What these controls cannot see", points=(*UNSEEN, *_gaps(figures))),
        *_self_assessment(figures),
    )
    return Document("Card spending and its controls", marking, facts, sections)


def _in_time(figures: Figures) -> pd.DataFrame:
    table = figures.spending
    return table[table["date"] >= figures.first_on]


def _paid(table: pd.DataFrame) -> pd.DataFrame:
    """Return payments without what came back."""
    return table[table["amount_pence"] > 0]


def _in_short(figures: Figures) -> Iterable[str]:
    table = _in_time(figures)
    paid = _paid(table)
    small = paid[paid["amount_pence"] < SMALL_PENCE]
    yield (
        f"{len(paid):,} payments by {table['holder_id'].nunique():,} holders came to "
        f"{pounds(table['amount_pence'].sum())}, refunds taken off."
    )
    if len(paid):
        share = small["amount_pence"].sum() / paid["amount_pence"].sum()
        yield (
            f"{len(small):,} payments were under {pounds(SMALL_PENCE)}: {share:.0%} of what was "
            "spent."
        )
    asked = sum(row["count"] for row in figures.alerts if row["state"] not in UNASKED)
    answered = sum(row["count"] for row in figures.alerts if row["state"] in ANSWERS)
    upheld = sum(row["count"] for row in figures.alerts if row["state"] in ANSWERS[1:3])
    yield (
        f"{asked:,} questions were asked, {answered:,} are answered, and {upheld:,} of those were "
        "outside policy or confirmed."
    )


def _months(figures: Figures) -> Table:
    rows, values = [], []
    table = _in_time(figures)
    for name, part in table.groupby(table["date"].str[:7]):
        paid = _paid(part)
        small = paid[paid["amount_pence"] < SMALL_PENCE]
        values.append(int(part["amount_pence"].sum()))
        rows.append(
            (month(str(name)), f"{len(paid):,}", money(values[-1]), f"{_cards(part):,}",
             f"{part['holder_id'].nunique():,}", f"{len(small):,}",
             money(small["amount_pence"].sum()))
        )  # fmt: skip
    headings = ("Month", "Payments", "Spent", "Cards used", "Holders",
                f"Under {pounds(SMALL_PENCE)}", "Spent under it")  # fmt: skip
    return Table("Payments by month", headings, tuple(rows), numeric=tuple(range(1, 7)),
                 chart=2, values=tuple(values), empty="Nothing was paid.")  # fmt: skip


def _cards(table: pd.DataFrame) -> int:
    """Return how many cards were used, as far as statements name them."""
    return int(table.loc[table["card_token"] != "", "card_token"].nunique())


def _steps(figures: Figures) -> Table:
    """Return how many merchants' years pass each sum, and how many by small payments alone."""
    by = figures.spending.groupby("merchant").agg(
        pence=("amount_pence", "sum"),
        largest=("amount_pence", "max"),
        holders=("holder_id", "nunique"),
    )
    own = {limit.pence for limit in figures.policy.step if limit.stated}
    rows = []
    for step in sorted({*STEPS_PENCE, *own}):
        over = by[by["pence"] >= step]
        small = over[over["largest"] < SMALL_PENCE]
        rows.append(
            (pounds(step) + (" (your step)" if step in own else ""), f"{len(over):,}",
             money(over["pence"].sum()), f"{(over['holders'] > 1).sum():,}", f"{len(small):,}")
        )  # fmt: skip
    headings = ("Paid in the year", "Merchants", "Spent with them", "Used by several holders",
                "By small payments alone")  # fmt: skip
    return Table("Merchants over each sum", headings, tuple(rows), numeric=(1, 2, 3, 4))


def _kinds(figures: Figures) -> Table:
    """Return alerts by kind and by what became of them."""
    groups = {
        "Open": ("open", "asked"), "Explained": ("explained",),
        "Outside policy": ("policy-breach",), "Confirmed": ("confirmed",),
        "Data error": ("data-error",), "Not asked": UNASKED,
    }  # fmt: skip
    rows = []
    for kind in sorted({row["kind"] for row in figures.alerts}):
        own = [row for row in figures.alerts if row["kind"] == kind]
        counts = [
            sum(r["count"] for r in own if r["state"] in states) for states in groups.values()
        ]
        pence = sum(int(row["pence"]) for row in own)
        rows.append((title(kind), *(f"{count:,}" for count in counts), money(pence)))
    headings = ("What it is about", *groups, "At stake")
    return Table("Questions by kind", headings, tuple(rows), numeric=tuple(range(1, 8)),
                 empty="No question was raised.")  # fmt: skip


def _times(figures: Figures) -> Iterable[str]:
    took = sorted(figures.answer_days)
    if took:
        yield (
            f"Half of {len(took):,} answers took {took[(len(took) - 1) // 2]:,} days or less, nine "
            f"in ten {took[(len(took) * 9 - 1) // 10]:,} days or less."
        )
    else:
        yield "Nothing has been answered yet."
    late = sum(one > 28 for one in figures.open_days)
    yield (
        f"{len(figures.open_days):,} questions are without an answer, {late:,} of them for more "
        "than 28 days."
    )
    looks = figures.second_looks
    again, upheld = sum(looks.values()), sum(looks.get(one, 0) for one in ANSWERS[1:3])
    yield (
        f"{again:,} that were closed without being asked were opened again by chance: {upheld:,} "
        "of them were outside policy or confirmed."
    )


def _precision(figures: Figures) -> Table:
    rows = tuple(
        (title(one["rule"]), one["band"], f"{one['answered']:,}", f"{one['upheld']:,}",
         f"{one['mean']:.0%}", f"{one['low']:.0%} to {one['high']:.0%}")
        for one in figures.precision
    )  # fmt: skip
    headings = ("Rule", "How rare", "Answered", "Upheld", "Share", "Range")
    return Table("Share of questions upheld, by rule", headings, rows, numeric=(2, 3, 4, 5),
                 empty="No rule's questions have been answered yet.")  # fmt: skip


def _gaps(figures: Figures) -> Iterable[str]:
    """Return what is missing in this force's own data."""
    table = _in_time(figures)
    for name, what in (("mcc", "merchant category"), ("card_token", "card number"),
                       ("holder_id", "holder")):  # fmt: skip
        without = int((table[name].fillna("") == "").sum())
        if without:
            yield f"{without:,} of {len(table):,} payments have no {what}."
    if figures.uncovered:
        yield f"{figures.uncovered} days of the time lie in no statement that is held."
    if figures.rows_not_read:
        yield f"{figures.rows_not_read:,} rows of the statements could not be read."
    if not figures.cards:
        yield "No card register is in force: cards never used, and who approves, are not seen."
    yield "Questions about whoever makes this report are left out of it."


def _self_assessment(figures: Figures) -> Iterable[Section]:
    """Return a force's own evidence on three of the inspectorate's questions."""
    policy = figures.policy
    limits = (
        ("One purchase", policy.single_purchase), ("A holder's month", policy.holder_month),
        ("Quotes and tenders", policy.step),
    )  # fmt: skip
    stated = [
        f"{name}: {pounds(one.pence)} from {day(one.since)}"
        + (f", for {len(one.holders)} of the holders" if one.holders else "")
        for name, entries in limits
        for one in entries
        if one.stated
    ]
    unstated = [name.lower() for name, entries in limits if not any(one.stated for one in entries)]
    yield Section(
        "HMIC self-assessment", begins_page=True,
        text=("The inspectorate asked forces to examine themselves. This is evidence for it.",),
    )  # fmt: skip
    yield Section(
        "4.2 Are levels of authority set, and kept to?",
        level=3,
        points=(
            *stated,
            *([f"Not stated in the policy: {', '.join(unstated)}."] if unstated else []),
            _asked_about(
                figures, ("limit", "split"), "limits passed, in one payment or in several"
            ),
            "It cannot say whether people were told their limits.",
        ),
    )
    cards = figures.cards
    rules = ", ".join(f"{count} on {title(kind).lower()}" for kind, count in figures.rules.items())
    yield Section(
        "4.4 What controls are there over purchasing cards?",
        level=3,
        points=(
            (
                f"The register has {cards['open']:,} open cards of {cards['holders']:,} holders; "
                f"{cards['limited']:,} have a limit, {cards['approved']:,} name who approves, and "
                f"{cards['own']:,} are approved by their own holder."
                if cards
                else "No card register is in force here, so cards and approvers are not known."
            ),
            f"{len(policy.blocked_categories)} merchant categories are barred by the policy.",
            f"Rules in force: {rules}.",
            f"Policy {figures.policy_sha256[:12]}; model: {figures.model}.",
            f"{figures.suppressions:,} questions are left unasked for a time, with a reason.",
            "It cannot see what the bank blocks.",
        ),
    )
    yield Section(
        "4.5 How would an irregularity be found?",
        level=3,
        points=(
            "Every payment is held against the rules, and against what is usual here.",
            "Every question says why, with its figures and payments, and can be made again.",
            "Of what was closed without being asked, some is opened again by chance.",
            "Every look, decision and hand-over is in a chain that shows any change.",
            "Matters for professional standards are theirs alone, and are not in this report.",
        ),
    )


def _asked_about(figures: Figures, kinds: tuple[str, ...], what: str) -> str:
    count = sum(row["count"] for row in figures.alerts if row["kind"] in kinds)
    return f"{count:,} questions were about {what}."
