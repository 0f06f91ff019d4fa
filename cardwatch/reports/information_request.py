"""Answers to the usual freedom-of-information questions about purchasing cards, as a draft.

Figures are suppressed and rounded as in the shareable aggregate, so that none is about a person.
Whether an exemption applies is for the public body to say; the draft names none as its decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.reports.aggregate import COUNT_STEP, OTHERS, POUNDS_STEP, PublishedCell
from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.formatting import day, days, month

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardwatch.reports.aggregate import Aggregate, SharePair
    from cardwatch.reports.publication import Publication

MOST_MERCHANTS = 20
ANSWERS_MARKING = "Draft. Read every answer before you send it."
TOO_FEW = "There are too few to give a figure without saying something about individual people."
NOT_HELD = (
    "Names of cardholders and card numbers are not in these answers. They are personal data.",
    "What each purchase was for is not recorded. The merchant's category is given in its place.",
    "VAT that could not be recovered is not recorded by card statements.",
    "Purchases by invoice, purchase order, cash or expense claim are not in card statements.",
)


@dataclass(frozen=True)
class RequestFigures:
    """The inputs of the answers.

    Attributes:
        period: such as `2026-Q3` or `2025/26`.
        first_on, last_on: its days.
        spending: its figures without payments that are not published, suppressed and rounded.
        merchants: purchases by merchant, suppressed and rounded; redacted names by their reason.
        publication: the payments that are published one by one.
        threshold_pounds: what these exceed.
    """

    period: str
    first_on: str
    last_on: str
    spending: Aggregate
    merchants: tuple[PublishedCell, ...]
    publication: Publication
    threshold_pounds: int


def answers_document(figures: RequestFigures, *, organisation: str, made_on: str) -> Document:
    """Return the answers, a section a question."""
    spending = figures.spending
    facts = (
        ("Organisation", organisation),
        ("Period", f"{figures.period}, {days(figures.first_on, figures.last_on)}"),
        ("Date", day(made_on)),
        ("Figures", f"Counts to the nearest {COUNT_STEP}, totals to the nearest £{POUNDS_STEP:,}"),
    )
    sections = (
        Section("How many people made purchases by card?", text=(_people(spending),)),
        Section(
            "How much was spent by card?",
            text=tuple(_spent(figures)),
            tables=(_table("Purchases by month", "Month", _months(spending.months)),),
        ),
        Section(
            "What was it spent on?",
            tables=(_table("Purchases by category", "Merchant category", spending.categories),),
        ),
        Section(
            "Which merchants received most?",
            text=("A merchant is named if enough cardholders used it. The others are one row.",),
            tables=(_table("Purchases by merchant", "Merchant", _largest(figures.merchants)),),
        ),
        Section(
            f"Which payments exceeded £{figures.threshold_pounds:,}?",
            text=(
                f"There were {len(figures.publication.rows):,}, refunds included.",
                "The file payments.csv lists each.",
            ),
            tables=(_redactions(figures.publication),),
        ),
        Section("How often did merchants refund?", text=(_refunds(spending),)),
        Section("How are payments checked, and with what result?", text=tuple(_checks(spending))),
        Section("What these records do not say", points=NOT_HELD),
    )
    return Document("Purchasing cards: answers", ANSWERS_MARKING, facts, sections)


def document_text(document: Document) -> str:
    """Return a document as plain text, to be copied into a letter."""
    lines = [document.title, document.marking, ""]
    lines += [f"{name}: {fact}" for name, fact in document.facts]
    for section in document.sections:
        lines += ["", section.title, *section.text, *(f"- {point}" for point in section.points)]
        for table in section.tables:
            rows = [table.headings, *table.rows] if table.rows else [(table.empty,)]
            lines += ["", table.caption, *("\t".join(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _people(spending: Aggregate) -> str:
    """Say how many cardholders there were."""
    if not spending.cardholders:
        return TOO_FEW
    return f"About {spending.cardholders:,} cardholders made at least one purchase."


def _spent(figures: RequestFigures) -> Iterator[str]:
    """Say what was spent, and for how many days no statement is held."""
    spending = figures.spending
    if spending.purchases:
        yield f"About {spending.purchases:,} purchases came to about £{spending.pounds:,}."
    else:
        yield TOO_FEW
    if spending.uncovered_days:
        yield f"No statement is held for {spending.uncovered_days:,} days of the period."


def _months(cells: Sequence[PublishedCell]) -> tuple[PublishedCell, ...]:
    """Return months as people write them."""
    return tuple(
        cell
        if cell.name == OTHERS
        else PublishedCell(month(cell.name), cell.purchases, cell.pounds)
        for cell in cells
    )


def _largest(cells: Sequence[PublishedCell]) -> tuple[PublishedCell, ...]:
    """Return the merchants that received most, and the others as one row."""
    named_cells = sorted(
        (cell for cell in cells if cell.name != OTHERS), key=lambda c: (-c.pounds, c.name)
    )
    rest = [*named_cells[MOST_MERCHANTS:], *(cell for cell in cells if cell.name == OTHERS)]
    if not rest:
        return tuple(named_cells)
    purchases, pounds = sum(c.purchases for c in rest), sum(c.pounds for c in rest)
    return (*named_cells[:MOST_MERCHANTS], PublishedCell(OTHERS, purchases, pounds))


def _table(caption: str, heading: str, cells: Sequence[PublishedCell]) -> Table:
    """Return purchases and money by something."""
    rows = tuple(
        (cell.name[:1].upper() + cell.name[1:], f"{cell.purchases:,}",
         f"£{cell.pounds:,}" if cell.pounds else f"up to £{POUNDS_STEP // 2}")
        for cell in cells
    )  # fmt: skip
    return Table(caption, (heading, "Purchases", "Value"), rows, numeric=(1, 2), empty=TOO_FEW)


def _redactions(publication: Publication) -> Table:
    """Return the redactions of the file by their reason."""
    rows = tuple((reason, f"{count:,}") for reason, count in publication.redacted.items() if count)
    headings = ("Reason", "Merchants' names redacted")
    return Table(
        "Redactions in the file", headings, rows, numeric=(1,), empty="Nothing is redacted."
    )


def _refunds(spending: Aggregate) -> str:
    """Say how many refunds there were."""
    pair = spending.shares.get("refunds")
    return _out_of(pair, "purchases and refunds were refunds") if pair else TOO_FEW


def _checks(spending: Aggregate) -> Iterator[str]:
    """Say how payments are checked, and how many queries were upheld."""
    yield (
        "Payments are compared with the card policy and with earlier spending. Where something is "
        "unusual, the cardholder or line manager is asked. A question is not a finding."
    )
    pair = spending.shares.get("upheld")
    if pair is None:
        yield f"Answers that found a payment outside policy: {TOO_FEW}"
        return
    yield _out_of(pair, "answered questions found a payment outside policy or confirmed a concern")
    if spending.median_answer_days is not None:
        yield f"Half of the answers took {spending.median_answer_days:,} days or less."


def _out_of(pair: SharePair, words: str) -> str:
    """Return a rounded share as a sentence."""
    return f"About {pair.count:,} of {pair.total:,} {words}."
