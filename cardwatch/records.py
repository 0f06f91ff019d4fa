"""Records shared by packages, and their columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

TRANSACTION_COLUMNS: dict[str, str] = {
    "transaction_id": "the source's own reference; empty where it has none",
    "date": "day of the purchase",
    "posting_date": "day the issuer posted it; missing where the source does not say",
    "holder_id": "who paid, by the best key that every file read has",
    "card_last4": "last four digits of the card",
    "card_token": "keyed hash of the card number, or of its masked form",
    "merchant": "merchant as printed",
    "mcc": "merchant category code, four digits as text",
    "category": "merchant category in words, as printed",
    "cost_centre": "the organisation's own code for cost centre; else its unit",
    "unit": "department, above the cost centre where both are given",
    "amount_pence": "pence billed; a charge is positive, a refund negative",
    "currency": "currency billed",
    "original_amount": "amount at the merchant, as printed",
    "original_currency": "currency at the merchant",
    "kind": "purchase, refund, fee, cash, payment or adjustment",
    "description": "what the source says it was for",
    "vat": "VAT in the amount, in pounds; empty where the source does not say",
    "line_items": "line items as JSON: description, pence, pence of VAT; empty without any",
    "day_doubled": "whether this day looks loaded twice in its file",
    "file": "name of the file it came from",
    "row": "its row in that file, the first line being 1",
}
"""Every column of a transactions frame, in order, with its meaning."""

CARD_COLUMNS: dict[str, str] = {
    "card_id": "stable key of the card: keyed hash of its number, else of number and holder",
    "card_token": "keyed hash of the card number, or of its masked form, as in statements",
    "card_last4": "last four digits of the card",
    "holder_id": "the person: employee number, else name, else account, else the card",
    "key_employee_id": "employee number as keys are compared: small letters, no spaces",
    "key_cardholder": "holder's name as keys are compared",
    "key_account": "name of the card account as keys are compared",
    "unit": "the organisation's unit or cost centre",
    "approver_id": "who approves what the card pays: number, else name; empty where not said",
    "is_own_approver": "whether the approver is the holder, by number or by name",
    "single_limit_pence": "limit for one purchase; 0 where not said",
    "month_limit_pence": "limit for a month; 0 where not said",
    "opened_on": "day the card was opened; missing where not said",
    "closed_on": "last day on which the card could be used; missing where not said",
    "status": "open, closed or lost, where lost is stolen and misused by others too",
    "effective_from": "first day of this row; missing where it has held since ever",
    "file": "name of the file it came from",
    "row": "its row in that file, the first line being 1",
}
"""Every column of a card register, in order; several rows of one card are its history."""

MATCH_COLUMNS: dict[str, str] = {
    "card_id": "key of the card in the register; empty where none fits, or several do",
    "is_card_known": "false only where a register that held on that day does not list the card",
    "card_single_limit_pence": "the card's limit for one purchase on that day; 0 where not said",
    "card_limit_before_pence": "its limit before the present one; 0 where not known",
    "card_limit_since": "day on which the present limit began; missing where not known",
    "cards_month_limit_pence": "limits for a month of the holder's open cards together; 0 unsaid",
    "card_opened_on": "day the card was opened",
    "card_closed_on": "last day on which the card could be used",
    "card_replaced_on": "last day before that on which another card of the holder was lost",
    "card_approver_id": "who approves what the card pays; empty where not said",
}
"""Columns that matching to a register adds to each transaction, besides holder and unit."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the data: the row is kept out and named, never silently dropped."""

    file: str
    row: int
    column: str
    code: str
    message: str


@dataclass(frozen=True)
class Total:
    """A total or subtotal row, with the sum of the rows above it."""

    row: int
    declared_pence: int
    found_pence: int

    @property
    def agrees(self) -> bool:
        """Whether the rows above come to what the row declares."""
        return self.declared_pence == self.found_pence


@dataclass(frozen=True)
class Check:
    """One invariant that a reading was checked against, with its outcome in a sentence."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True)
class ReadingReport:
    """The reading report of one file. Counts of rows add up to `rows`.

    Attributes:
        file: name given, without its folders.
        sha256: hash of the file's bytes.
        form: how it was recognised: csv, xls, xlsx or ods.
        layout: name of the column profile that fitted.
        columns: canonical field to the heading it was read from.
        decisions: choices made once for the file, each a sentence.
        notes: what a person should know before relying on the file.
        rows: rows after the headings.
        transactions, blank, headings, ended: rows by what they were.
        elsewhere: rows that an earlier file holds, left out as asked.
        text_lines: rows of text without day and amount: page lines, further lines of a text.
        balances: rows that say what an account stands at or what rows sum to.
        not_booked: payments that are pending, declined, reversed or void.
        further_lines: rows that repeat a payment for another part or item of it.
        cards: rows of a card register.
        totals: total and subtotal rows.
        problems: rows kept out, with the reason.
        pence: sum of the transactions.
        refused: why nothing of the file was read; empty when it was.
        checks: the invariants that the reading was checked against.
    """

    file: str
    sha256: str
    form: str = ""
    layout: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    decisions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rows: int = 0
    transactions: int = 0
    blank: int = 0
    headings: int = 0
    ended: int = 0
    elsewhere: int = 0
    cards: int = 0
    totals: tuple[Total, ...] = ()
    problems: tuple[Problem, ...] = ()
    pence: int = 0
    first_on: str = ""
    last_on: str = ""
    refused: str = ""
    text_lines: int = 0
    balances: int = 0
    not_booked: int = 0
    further_lines: int = 0
    checks: tuple[Check, ...] = ()

    @property
    def reconciles(self) -> bool:
        """Whether every row read is in exactly one place."""
        placed = self.transactions + self.blank + self.headings + self.ended + self.elsewhere
        placed += self.cards + self.text_lines + self.balances + self.not_booked
        placed += self.further_lines
        return self.rows == placed + len(self.totals) + len(self.problems)


@dataclass(frozen=True)
class Statements:
    """Everything read from one or many files.

    Attributes:
        transactions: a frame with `TRANSACTION_COLUMNS`.
        reports: one reading report a file, in the order read, refused files too.
        notes: what concerns several files together: overlaps, repeats, gaps, the holder key.
    """

    transactions: pd.DataFrame
    reports: tuple[ReadingReport, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CardRegister:
    """Which card belongs to which holder, as one file says.

    Attributes:
        cards: a frame with `CARD_COLUMNS`, one row a card and the day from which it holds.
        report: what happened to every row of the file.
    """

    cards: pd.DataFrame
    report: ReadingReport


@dataclass(frozen=True)
class RegisterReport:
    """Report on every row of one file of a register. Counts of rows add up to `rows`.

    Attributes:
        kind: gifts, interests, contracts and so on.
        sha256: hash of the file's bytes.
        columns: field to the heading it was read from.
        dropped: headings of columns that are never taken, each with the reason.
        unused: headings that no field of the register has.
        decisions: choices made once for the file, each a sentence.
        notes: what a person should know before relying on the file.
        rows: rows after the headings.
        entries, nil_returns, blank, headings: rows by what they were.
        problems: rows kept out, with the reason.
    """

    kind: str
    file: str
    sha256: str
    form: str
    columns: dict[str, str]
    dropped: dict[str, str]
    unused: tuple[str, ...]
    decisions: tuple[str, ...]
    notes: tuple[str, ...]
    rows: int
    entries: int
    nil_returns: int
    blank: int
    headings: int
    problems: tuple[Problem, ...]

    @property
    def reconciles(self) -> bool:
        """Whether every row is in exactly one place."""
        placed = self.entries + self.nil_returns + self.blank + self.headings
        return self.rows == placed + len(self.problems)


@dataclass(frozen=True)
class Register:
    """The entries of one register, from one or several files.

    Attributes:
        kind: gifts, interests, contracts and so on.
        entries: a row an entry: its fields, `true_from`, `true_until`, `known_on`, and the file
            and row that it came from.
        reports: one a file.
        nil_units: units that returned "nothing to declare".
    """

    kind: str
    entries: pd.DataFrame
    reports: tuple[RegisterReport, ...]
    nil_units: tuple[str, ...] = ()


@dataclass(frozen=True)
class LineItem:
    """One line item of a payment (level 3).

    Attributes:
        description: what was bought, or which part of the payment it is.
        amount_pence, vat_pence: what it cost and the VAT of it; none where the source says neither.
    """

    description: str
    amount_pence: int | None = None
    vat_pence: int | None = None


@dataclass(frozen=True)
class Payment:
    """One transaction as an alert shows it; line items where its source has them."""

    reference: str
    file: str
    row: int
    date: str
    holder_id: str
    merchant: str
    amount_pence: int
    line_items: tuple[LineItem, ...] = ()


@dataclass(frozen=True)
class AlertCard:
    """One card of the register as an alert shows it."""

    card_id: str
    card_last4: str
    holder_id: str


@dataclass(frozen=True)
class EntryShown:
    """One entry of a register as an alert shows it beside the payments.

    Attributes:
        register: gifts, interests, contracts and so on.
        rule: the rule that rests on it.
        row: its row in the file, the first line being 1.
        true_on: day from which it is true.
        known_on: day from which it is known.
        facts: heading and value of each field that is filled.
        match: how sure it is that the organisation is the merchant: stated, strong or possible;
            empty where no name was matched.
        matched_by: how the name matched, in words, with the words shared and those left over.
        sha256: hash of the bytes of the file that it stands in.
    """

    register: str
    rule: str
    file: str
    row: int
    true_on: str
    known_on: str
    facts: tuple[tuple[str, str], ...]
    match: str = ""
    matched_by: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Reason:
    """Why a payment deserves a question: one rule's finding in a sentence with its figures."""

    rule: str
    title: str
    fact: str
    why: str
    ask: tuple[str, ...]
    innocent: tuple[str, ...]
    figures: dict[str, int | float | str]


@dataclass(frozen=True)
class Alert:
    """One question to ask, with all its payments.

    Attributes:
        alert_id: twelve hex digits from its lane, its leading rule and its payments or cards: the
            same question about the same payments has the same id, and no two alerts share one. Of a
            split that is one question with a total, the total's rule is meant.
        kind: what it is about, as its leading rule says: split, limit, spend and so on.
        tier: A against a stated limit or list, B beyond what is usual, C information.
        holders: ids of the cardholders it asks about, in the order of their payments or cards.
        merchants: ids of the merchants, as payments are compared by them, in the same order.
        cost_centres: codes of cost centre, in the same order.
        approvers: ids of the approvers it asks about, where it is about what they approve; an
            alert has holders or approvers.
        chance: what questions are ordered by: how often, in a payment of the past, a finding of
            its kind comes as strong, weighted by its level. Beyond the past it goes on as the tail
            of the past does, for the order alone; sentences never name it.
        at_stake_pence: pence the question is about.
        unusualness: the forest's score of the most unusual payment, 0 to 1; none without a forest.
        contributions: what raised the forest's score of its leading payment: by feature, how many
            splits sooner, on average, the trees single it out.
        merchant_history: the holder's own past with the merchant, in a sentence.
        unusual: the strongest comparisons, each a sentence with "1 in N".
        shown: whether it is within the budget and the cap for its holder.
        is_fact: whether it states a fact against policy (a limit, a list, a closed card) and no
            question of evidence; facts are complete, all shown, and listed after the questions.
        cards: the cards it is about, where it is about cards and no payment.
        entries: the entries of registers that it rests on.
        later: where a register raised it that was received after its statement was scored,
            sentences on when that was, and on entries that became known after its payments.
    """

    alert_id: str
    rank: int
    tier: str
    lane: str
    kind: str
    title: str
    holders: tuple[str, ...]
    merchants: tuple[str, ...]
    cost_centres: tuple[str, ...]
    first_on: str
    last_on: str
    at_stake_pence: int
    chance: float
    unusualness: float | None
    reasons: tuple[Reason, ...]
    weakened_by: tuple[Reason, ...]
    unusual: tuple[str, ...]
    merchant_history: str
    payments: tuple[Payment, ...]
    shown: bool = True
    contributions: dict[str, float] = field(default_factory=dict)
    cards: tuple[AlertCard, ...] = ()
    approvers: tuple[str, ...] = ()
    is_fact: bool = False
    entries: tuple[EntryShown, ...] = ()
    later: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlertList:
    """A ranked list of alerts with everything that made it.

    Attributes:
        organisation: whose policy it was, as the policy names it.
        payments_count: transactions scored.
        expected: how many alerts a month like those before would give; none without history.
        usual_most: 9 of 10 periods before, with as many payments, would give at most so many; none
            where the history is too short to tell.
        notes: what a reader of the list has to know, each a sentence.
        made_by: name and hash of the policy, rule set, model and code that made it.
    """

    organisation: str
    alerts: tuple[Alert, ...]
    payments_count: int
    first_on: str
    last_on: str
    expected: float | None
    usual_most: int | None
    notes: tuple[str, ...]
    made_by: dict[str, str]

    @property
    def shown(self) -> tuple[Alert, ...]:
        """The alerts within the budget."""
        return tuple(alert for alert in self.alerts if alert.shown)


@dataclass(frozen=True)
class StateChange:
    """The day on which an alert came into another state, and whether a person decided it."""

    on: str
    state: str
    by_person: bool


@dataclass(frozen=True)
class AlertRecord:
    """One of finance's alerts, without whom it is about.

    Attributes:
        last_on: day of its last payment.
        raised_on: day on which it was first raised; it was open then.
        state: what it is now.
        is_second_look: whether it was closed automatically and reopened at random.
        changes: of its state, in order.
        recovered: day on which money was recorded as recovered, and how many pence more than
            before; less where a record was put right.
    """

    kind: str
    rule: str
    last_on: str
    raised_on: str
    state: str
    is_second_look: bool
    changes: tuple[StateChange, ...]
    recovered: tuple[tuple[str, int], ...]
