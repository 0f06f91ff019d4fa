"""The report on equality: rates by group of cardholders, without a person, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.quantities import quantity
from cardwatch.reports.aggregate import FEWEST_HOLDERS, USUAL_THRESHOLD, rounded_count
from cardwatch.reports.disparity import CHANCE_LEVEL, DEALS, FEWEST_EXPECTED
from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.formatting import day, days

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.reports.disparity import GroupRate

UNIT_COLUMN = "Unit"
PLANTED_RATIO = 1.5
"""A bias of this size is what the report has been measured with; see docs/measurements.md."""
RATE_TITLES = {
    "alerts": "Alerts for every 1,000 payments",
    "queries": "Alerts about which somebody was asked",
    "upheld": "Answered alerts that were upheld",
}
RATE_TOTALS = {"alerts": "Payments", "queries": "Alerts", "upheld": "Answered alerts"}
DIFFERENCE_MEANINGS = (
    (
        "A difference beyond chance says that alerts, queries or answers are not spread over "
        "groups as payments are. It does not say why. Groups may have different duties, limits "
        "and suppliers."
    ),
    (
        "It is a reason to look: read a sample of the alerts of the group, compare their rules, "
        "and ask whether the same payment by somebody else would have been queried."
    ),
    (
        "A difference in alerts is a matter for the rules and the figures of the policy. A "
        "difference in queries or in what is upheld is a matter for the people who ask and decide."
    ),
    "A group with more alerts of which fewer are upheld was probably asked without good reason.",
    (
        "No difference beyond chance is no proof that there is none: a small group shows only "
        "large differences. The column 'Noticed from' says how large."
    ),
    "The report says nothing about any one person, and must not be used to decide about one.",
)
METHOD = (
    (
        f"Groups with fewer than {USUAL_THRESHOLD} cardholders, fewer than {USUAL_THRESHOLD} of "
        f"what is counted, fewer than {FEWEST_HOLDERS} people who have any, or most of it by one "
        "person, are not shown. One more group is left out where the rest could be worked out by "
        "subtraction. Counts are rounded to the nearest 5."
    ),
    (
        "A cardholder belongs to one group of a column. An alert about two cardholders counts for "
        "both. Alerts that were closed automatically do not count."
    ),
    (
        "To see what chance alone does, the groups were given to the same cardholders again "
        f"{DEALS:,} times at random, among cardholders with about as many payments. A person's "
        "payments and alerts stay together, so that one person with many makes no difference."
    ),
    (
        "The chance is that of the largest difference among all groups compared, so that looking "
        f"at many groups finds no more by accident. About {CHANCE_LEVEL:.0%} of reports name a "
        "difference where there is none."
    ),
    (
        f"A group is compared if at least {FEWEST_EXPECTED:.0f} of what is counted would be "
        "expected in it. 'Noticed from' is how many times the others' rate its own would have to "
        "be for this report to name it in 19 of 20 years."
    ),
)


@dataclass(frozen=True)
class EqualityFigures:
    """Figures of the report.

    Attributes:
        first_on, last_on: the days compared.
        holders: cardholders with a payment in these days.
        matched: those of them whom the file names; all where the groups are units.
        rates: of all groups that may be shown.
        columns: the columns compared.
        source: the file and its hash, or the statements.
        notes: what a reader has to know of the file.
    """

    first_on: str
    last_on: str
    holders: int
    matched: int
    rates: tuple[GroupRate, ...]
    columns: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = ()


def equality_document(
    figures: EqualityFigures, *, marking: str, organisation: str, made_on: str
) -> Document:
    """Return the report."""
    facts = (
        ("Organisation", organisation),
        ("Payments of", days(figures.first_on, figures.last_on)),
        ("Groups from", figures.source),
        ("Cardholders", _coverage(figures)),
        ("Date", day(made_on)),
    )
    sections = (
        Section("In short", points=tuple(_summary(figures))),
        *(Section(column, tables=tuple(_tables(figures, column))) for column in figures.columns),
        Section("What a difference means, and what it does not", points=DIFFERENCE_MEANINGS),
        Section("How it was worked out", points=(*METHOD, *figures.notes)),
    )
    return Document("Equality monitoring of alerts", marking, facts, sections)


def _coverage(figures: EqualityFigures) -> str:
    """How many cardholders are compared, rounded, so that no two reports differ by one person."""
    holders, matched = rounded_count(figures.holders), rounded_count(figures.matched)
    if figures.matched == figures.holders:
        return f"about {holders:,}"
    return f"about {matched:,} of about {holders:,}; the file does not name the others"


def _summary(figures: EqualityFigures) -> Iterable[str]:
    """The differences beyond chance, and what could not have been noticed."""
    differing = [rate for rate in figures.rates if rate.differs]
    compared = [rate for rate in figures.rates if rate.is_compared]
    for rate in differing:
        yield _difference(rate)
    if not compared:
        yield (
            "There are too few alerts or cardholders to compare groups. This report can neither "
            "show a difference nor rule one out."
        )
        return
    if not differing:
        yield f"No difference beyond chance, among {quantity(len(compared), 'comparison')}."
    weak = [
        rate
        for rate in compared
        if rate.measure == "alerts" and (rate.noticed_ratio or 99) > PLANTED_RATIO
    ]
    for rate in weak:
        yield f"{rate.column}, {rate.group}: too few to rely on. {_power(rate)}"


def _difference(rate: GroupRate) -> str:
    """A difference beyond chance in a sentence or two."""
    name = f"{rate.column}, {rate.group}"
    times = max(1, round(1 / rate.chance))
    comparison = "more than" if rate.rate > rate.others_rate else "fewer than"
    subject = {
        "alerts": f"{comparison} others for the same number of payments",
        "queries": f"somebody was asked about {comparison} others of their alerts",
        "upheld": f"{comparison} others of their answered alerts were upheld",
    }[rate.measure]
    return (
        f"{name}: {subject}, {_rate(rate, rate.rate)} against {_rate(rate, rate.others_rate)}. "
        f"By chance a difference this large comes up in at most 1 of {times:,} such reports."
    )


def _power(rate: GroupRate) -> str:
    """From which difference on a group's rate would be noticed."""
    if rate.noticed_ratio is None:
        return "No higher rate of this group would be noticed reliably."
    return f"Only a rate of {rate.noticed_ratio:.1f} times that of the others would be noticed."


def _tables(figures: EqualityFigures, column: str) -> Iterable[Table]:
    """A table for each measure of a column."""
    for measure, title in RATE_TITLES.items():
        rates = [r for r in figures.rates if r.column == column and r.measure == measure]
        per_holder = measure == "alerts"
        headings = (
            "Group", "Cardholders", RATE_TOTALS[measure], "Rate",
            *(("For every 100 cardholders",) if per_holder else ()),
            "By chance", "Beyond chance", "Noticed from",
        )  # fmt: skip
        yield Table(
            f"{title}, by {column.lower()}",
            headings,
            tuple(_row(rate, per_holder=per_holder) for rate in rates),
            numeric=tuple(range(1, len(headings) - 2)),
            empty=f"{title}: no group is large enough to be shown.",
        )


def _row(rate: GroupRate, *, per_holder: bool) -> tuple[str, ...]:
    """A group as a row of a table."""
    per_hundred = (f"{100 * rate.count / rate.holders:.0f}",) if per_holder else ()
    if rate.low is None or rate.high is None:
        compared = ("", "Too few to compare", "")
    else:
        noticed = f"{rate.noticed_ratio:.1f} times" if rate.noticed_ratio else "not at all"
        words = "no" if not rate.differs else "higher" if rate.rate > rate.others_rate else "lower"
        compared = (f"{_rate(rate, rate.low)} to {_rate(rate, rate.high)}", words, noticed)
    return (
        rate.group,
        f"{rounded_count(rate.holders):,}",
        f"{rounded_count(rate.total):,}",
        _rate(rate, rate.rate),
        *per_hundred,
        *compared,
    )


def _rate(rate: GroupRate, value: float) -> str:
    """A rate as it is shown: for every 1,000 payments, or a percentage."""
    return f"{1_000 * value:.1f}" if rate.measure == "alerts" else f"{value:.0%}"
