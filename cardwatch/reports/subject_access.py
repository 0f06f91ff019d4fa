"""The subject-access pack of a cardholder: a document, the data, and the payments as a table.

UK GDPR, Art. 15, and Data Protection Act 2018, s. 45, give a person a copy of their data and the
facts about its use. What is about other people is left out: their payments and names, and the
names of who decided, in whose place stands the role.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cardwatch.line_items import line_item_label, read_line_items
from cardwatch.quantities import money, quantity
from cardwatch.reports.as_csv import csv_text, safe_text
from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.formatting import day, days, sentence

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

SUBJECT_ACCESS_FILENAME = "subject access.zip"
REDACTED = "[another person]"
PAYMENT_FIELDS = {
    "date": "Date", "posting_date": "Posted", "merchant": "Merchant", "mcc": "Category code",
    "category": "Category", "amount_pence": "Pence", "currency": "Currency",
    "original_amount": "Amount at merchant", "original_currency": "Currency at merchant",
    "kind": "Kind", "description": "Description", "vat": "VAT",
    "line_items": "Line items", "transaction_id": "Reference",
    "card_last4": "Card ending", "cost_centre": "Cost centre", "unit": "Unit",
    "label": "Source file", "row": "Row",
}  # fmt: skip
"""Columns of a payment that are given, with their headings: not the keyed hash of the card."""
ACTIONS_DONE = {
    "consultation": "looked at alerts about you",
    "alteration": "changed alerts about you",
    "disclosure": "shared alerts about you",
    "combination": "compared alerts about you",
}
LOGIC = (
    (
        "Payments are compared with the limits and lists of the organisation's card policy, and "
        "with earlier payments of the same cardholder, of similar cardholders and of all."
    ),
    (
        "Rules and a statistical model order the payments by how unusual they are. Who somebody "
        "is (age, sex, ethnicity, belief) is not used."
    ),
    (
        "An alert is a question, and no finding. A person reads it, asks where needed, and decides "
        "with a reason. No decision is made by the software alone (UK GDPR, Art. 22A to 22D)."
    ),
)
DATA_RIGHTS = (
    "You can ask for data that is wrong to be corrected.",
    "You can object to the use of your data, and ask for it to be restricted or erased.",
    "You can complain to the organisation: it has to acknowledge a complaint within 30 days.",
    "You can complain to the Information Commissioner, and go to court.",
)
EXEMPTIONS = (
    (
        "The law lets an organisation leave some information out, for example where giving it "
        "would harm the prevention or detection of crime, or would reveal another person."
    ),
    (
        "This paragraph stands in every pack, whether or not anything was left out. We can neither "
        "say that there is more nor that there is not."
    ),
)
"""The same for everybody, so that nothing follows from it."""
SOURCE = (
    (
        "Statements of the card issuer, uploaded by the organisation; the file and row of each "
        "payment are in payments.csv."
    ),
    "The organisation's card register.",
)


def redacted(text: str, names: Collection[str]) -> str:
    """Return a text in which the names of other people are replaced, whatever their case."""
    if not names:
        return text
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    pattern = "|".join(re.escape(name) for name in longest_first)
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", REDACTED, text, flags=re.IGNORECASE)


def subject_access_files(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the data of a pack as files: everything as JSON, and the payments as CSV.

    Args:
        content: as `services.subject_access` gathers it.
    """
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    numbers = {"amount_pence", "row"}
    rows = [
        tuple(
            payment[name] if name in numbers else safe_text(_text(name, payment[name]))
            for name in PAYMENT_FIELDS
        )
        for payment in content["payments"]
    ]
    table = csv_text([tuple(PAYMENT_FIELDS.values()), *rows])
    return {"data.json": text.encode(), "payments.csv": table.encode()}


def _text(name: str, value: object) -> str:
    """Return a field of a payment as text; line items a line each."""
    text = str(value or "")
    if name == "line_items":
        return "\n".join(map(line_item_label, read_line_items(text)))
    return text


def subject_access_document(content: Mapping[str, Any], *, marking: str) -> Document:
    """Return the document of a pack, in plain words."""
    payments: Sequence[Mapping[str, Any]] = content["payments"]
    facts = (
        ("Controller", content["controller"]),
        ("About", ", ".join(content["names"])),
        ("Date", day(content["made_on"])),
        ("Payments", _span(payments)),
    )
    keeps = content["kept_for_days"]
    sections = (
        Section(
            "What this is",
            text=(
                (
                    "A copy of the data about you in cardwatch, which the organisation uses to "
                    "check payments made with purchasing cards."
                ),
                "payments.csv has every payment; data.json has all of this for a computer.",
            ),
        ),
        Section("Your payments", tables=(_years(payments),)),
        Section("Your cards", tables=(_cards(content["cards"]),)),
        Section(
            "Questions about your payments",
            text=("An alert is a question about payments. It is not a finding against anybody.",),
        ),
        *(_alert(alert) for alert in content["alerts"]),
        Section("Queries to your line manager", tables=(_queries(content["queries"]),)),
        Section("Later alerts that are not asked", tables=(_suppressions(content["not_asked"]),)),
        Section("Who has looked", tables=(_looks(content["looks"]),)),
        Section(
            "Who it was shared with",
            text=("Files that hold or may hold alerts about you.",),
            tables=(_shared(content["shared"]),),
        ),
        Section("Your account here", text=(_account(content["account"]),)),
        Section("Where the data comes from", points=SOURCE),
        Section("How it is used", points=LOGIC),
        Section(
            "How long it is kept",
            points=(
                (
                    f"Payments: {keeps['transactions']:,} days. Alerts: {keeps['alerts']:,} days. "
                    "Longer where a case needs it."
                ),
            ),
        ),
        Section("Your rights", points=DATA_RIGHTS),
        Section("What can be left out", text=EXEMPTIONS),
    )
    return Document("Your data in cardwatch", marking, facts, sections)


def _span(payments: Sequence[Mapping[str, Any]]) -> str:
    """How many payments there are, and of which days."""
    if not payments:
        return "none"
    span = days(payments[0]["date"], payments[-1]["date"])
    return f"{quantity(len(payments), 'payment')}, {span}"


def _years(payments: Sequence[Mapping[str, Any]]) -> Table:
    """Payments by year."""
    sums: dict[str, list[int]] = {}
    for payment in payments:
        sums.setdefault(payment["date"][:4], []).append(payment["amount_pence"])
    rows = tuple((year, f"{len(p):,}", money(sum(p))) for year, p in sums.items())
    return Table("Payments by year", ("Year", "Payments", "Sum"), rows, numeric=(1, 2))


def _cards(cards: Sequence[Mapping[str, Any]]) -> Table:
    """Cards of the person, as the card register says."""
    rows = tuple(
        (
            card["card_last4"],
            card["unit"],
            money(card["single_limit_pence"]) if card["single_limit_pence"] else "",
            card["opened_on"],
            card["closed_on"],
        )
        for card in cards
    )
    headings = ("Ending", "Unit", "Limit for one purchase", "Opened", "Closed")
    return Table("Cards", headings, rows)


def _alert(alert: Mapping[str, Any]) -> Section:
    """One alert: its question, its reasons, and what was decided."""
    others = alert["other_cardholders"]
    about = (f"It is also about {quantity(others, 'other cardholder')}.",) if others else ()
    decisions = tuple(
        (day(decision["on"]), decision["by"], decision["state"], decision["reason"])
        for decision in alert["decisions"]
    )
    payments = tuple(
        (day(payment["date"]), payment["merchant"], money(payment["amount_pence"]))
        for payment in alert["payments"]
    )
    return Section(
        f"Alert {alert['alert_id']}: {alert['title']}",
        level=3,
        facts=(
            ("Raised", day(alert["raised_at"])),
            ("State", sentence(alert["state"])),
            ("Money recovered", money(alert["recovered_pence"])),
        ),
        text=about,
        points=tuple(sentence(text) for text in alert["reasons"]),
        tables=(
            Table("Your payments in it", ("Date", "Merchant", "Amount"), payments, numeric=(2,)),
            Table("Decisions", ("Date", "By", "State", "Reason"), decisions),
        ),
    )


def _queries(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Queries that were sent, with their replies."""
    cells = tuple(
        (
            day(row["sent_on"]),
            ", ".join(row["alerts"]),
            "; ".join(f"{day(reply['on'])}: {reply['text']}" for reply in row["replies"]),
        )
        for row in rows
    )
    return Table("Queries sent by email", ("Sent", "Alerts", "Replies"), cells)


def _suppressions(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Suppressions of alerts about the person."""
    cells = tuple((day(row["made_on"]), day(row["until"]), row["reason"]) for row in rows)
    return Table("Alerts like earlier ones that are closed", ("From", "Until", "Reason"), cells)


def _looks(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Who looked, by day and role."""
    cells = tuple(
        (day(row["on"]), row["role"], ACTIONS_DONE.get(row["action"], row["action"]),
         f"{row['times']:,}")
        for row in rows
    )  # fmt: skip
    return Table("By day and role", ("Date", "Role", "What", "Times"), cells, numeric=(3,))


def _shared(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Files that were shared."""
    cells = tuple((day(row["on"]), row["purpose"], row["recipient"]) for row in rows)
    return Table("Shared", ("Date", "Purpose", "Recipient"), cells)


def _account(account: Mapping[str, Any] | None) -> str:
    """The person's own account."""
    if account is None:
        return "There is none in the records that this pack covers."
    return f"{account['email']}, role {account['role']}, since {day(account['since'])}."
