"""The rows of the pages of a supplier, a cardholder and a unit: timelines, relations, registers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SubjectLink:
    """A supplier, cardholder or unit by id, with the name shown to the reader."""

    id: str
    name: str


@dataclass(frozen=True)
class SubjectLinks:
    """The people, suppliers and units of some alerts or payments, as the reader may see them."""

    cardholders: tuple[SubjectLink, ...]
    suppliers: tuple[SubjectLink, ...]
    units: tuple[SubjectLink, ...]


@dataclass(frozen=True)
class TimelineRow:
    """One thing that happened: a payment, an approval, an alert, or an entry of a register.

    Attributes:
        on: the day; empty where none is stated.
        kind: payment, approval, alert, or a register's kind.
        text: what it is, in words.
        cardholder: whom it is about, if anybody.
        supplier: the merchant, if one is named.
        amount_pence: of a payment, or at stake in an alert.
        state: of an alert: how it was answered.
        decided_on: day of an alert's last decision.
        place: a payment's statement and row, with a colon between them.
        version_id: the register's version that holds an entry.
        source: file and row of an entry, or a payment's reference.
        true_on, until_on, known_on: an entry's days; empty where none is stated.
        match: how sure it is that the entry names the merchant: stated, strong or possible; empty
            where no name was matched.
        matched_by: how the names matched, in words.
    """

    on: str
    kind: str
    text: str
    cardholder: SubjectLink | None = None
    supplier: SubjectLink | None = None
    amount_pence: int | None = None
    state: str = ""
    decided_on: str = ""
    alert_id: str = ""
    place: str = ""
    version_id: str = ""
    source: str = ""
    true_on: str = ""
    until_on: str = ""
    known_on: str = ""
    match: str = ""
    matched_by: str = ""


@dataclass(frozen=True)
class Relation:
    """Link between a cardholder and a supplier or another person, counted.

    Attributes:
        how: paid; approved, where a supplier's payments were; of two people approved-by,
            approver-of, card-approved-by or approves-card-of; or a register's kind.
        count: payments, approvals, cards or entries.
        pence: of payments together; none of anything else.
        match: the surest match of a name: stated, strong or possible; empty where none is needed.
    """

    how: str
    cardholder: SubjectLink | None
    supplier: SubjectLink | None
    count: int
    pence: int | None = None
    first_on: str = ""
    last_on: str = ""
    match: str = ""


@dataclass(frozen=True)
class RegisterRead:
    """How much of a register was compared, and how many of its entries concern the subject.

    Attributes:
        entries: that were read.
        unreadable: rows that could not be read.
        silent_units: units that spend here and have neither an entry nor a nil return.
        matched: entries about the subject; 0 is "nothing declared under a similar name".
    """

    kind: str
    title: str
    entries: int
    unreadable: int
    silent_units: tuple[str, ...]
    matched: int


@dataclass(frozen=True)
class Timeline:
    """One page of a timeline, the newest first.

    Attributes:
        total: rows on all pages.
        page, pages: number of this page, from 1, and of the last.
    """

    rows: tuple[TimelineRow, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class SubjectTotals:
    """Payments that count: how many, their pence together, and how many of the newest were read."""

    payments: int
    pence: int
    payments_read: int
