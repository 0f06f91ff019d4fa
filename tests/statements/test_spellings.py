"""One statement written in many spellings reads back the same, or is refused with the reason."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardwatch.errors import FileRefused
from cardwatch.statements import ReadingChoices, read_each, shipped_profiles
from cardwatch.statements.holder_keys import name_holders
from cardwatch.tabular import ReaderPool

if TYPE_CHECKING:
    from collections.abc import Iterator

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, of no other use")
HOLDERS = ("Roe, Ann", "Poe, Bob", "O'Hara, Zoé", "Marsh, Tim")
MERCHANTS = ("ALPHA STORES", "Béta Ltd", "GAMMA & SONS", "Total Fitness", "Delta, York", "E (UK)")


@dataclass(frozen=True)
class Payment:
    """One payment, before it is written in some spelling."""

    day: dt.date
    holder: str
    merchant: str
    pence: int


Statement = list[Payment]
Sheets = dict[str, list[list[str]]]
SHEETED = ("workbook", "workbook XML")
"""Forms with several sheets, each with its name."""

DAY_STYLES: dict[str, Callable[[dt.date], str]] = {
    "ISO": lambda day: day.isoformat(),
    "day first": lambda day: f"{day:%d/%m/%Y}",
    "short": lambda day: f"{day.day}/{day.month}/{day:%y}",
    "dots": lambda day: f"{day:%d.%m.%Y}",
    "named": lambda day: f"{day:%d-%b-%y}",
    "named first": lambda day: f"{day:%b %d, %Y}",
    "weekday": lambda day: f"{day:%a %d %B %Y}",
    "compact": lambda day: f"{day:%Y%m%d}",
    "compact, day first": lambda day: f"{day:%d%m%Y}",
    "with time": lambda day: f"{day:%d/%m/%Y} 2:05 PM",
    "with zone": lambda day: f"{day.isoformat()}T23:30:00+01:00",
    "American": lambda day: f"{day:%m/%d/%Y}",
    "apostrophe": lambda day: f"'{day:%d/%m/%Y}",
    "formula": lambda day: f'="{day:%d/%m/%Y}"',
}
AMOUNT_STYLES: dict[str, Callable[[int], str]] = {
    "plain": lambda pence: f"{pence / 100:.2f}",
    "grouped": lambda pence: f"{pence / 100:,.2f}",
    "pounds": lambda pence: f"£{pence / 100:,.2f}",
    "words": lambda pence: f"GBP {pence / 100:.2f}",
    "short": lambda pence: f"{pence / 100:.2f}".rstrip("0").rstrip("."),
    "comma": lambda pence: f"{pence / 100:,.2f}".translate(str.maketrans(",.", ".,")),
    "spaces": lambda pence: f"{pence / 100:,.2f} ".replace(",", "\xa0"),
}
Columns = dict[str, Callable[[Payment, str], str]]
"""Heading to what stands under it, given a payment and its amount without sign."""


def minus(payment: Payment, amount: str, *, turned: bool = False) -> str:
    return f"-{amount.strip()}" if (payment.pence < 0) != turned else amount


DIRECTIONS: dict[str, Columns] = {
    "signs": {"Amount": minus},
    "bank signs": {"Amount": lambda p, a: minus(p, a, turned=True)},
    "brackets": {"Amount (GBP)": lambda p, a: f"({a.strip()})" if p.pence < 0 else a},
    "marks": {"Amount": lambda p, a: a.strip() + (" CR" if p.pence < 0 else "")},
    "words": {
        "Transaction Type": lambda p, _: "Refund" if p.pence < 0 else "Purchase",
        "Amount": lambda _, a: a,
    },
    "letters": {
        "Billing Amount": lambda _, a: a,
        "CR/DR": lambda p, _: "CR" if p.pence < 0 else "DR",
    },
    "signed words": {
        "Amount": lambda p, a: minus(p, a, turned=True),
        "Type": lambda p, _: "Return" if p.pence < 0 else "Sale",
    },
    "two columns": {
        "Debit (£)": lambda p, a: a if p.pence >= 0 else "",
        "Credit (£)": lambda p, a: a if p.pence < 0 else "",
    },
    "in and out": {
        "Paid Out": lambda p, a: a if p.pence >= 0 else "",
        "Paid In": lambda p, a: a if p.pence < 0 else "-",
    },
    "foreign beside": {
        "Transaction Amount": lambda p, _: f"{p.pence * 137 / 100:.2f}",
        "Billing Amount": minus,
    },
    "status beside": {"Amount": minus, "Status": lambda *_: "Posted"},
}


@dataclass(frozen=True)
class Spelling:
    """How a statement is written."""

    day: str
    amount: str
    direction: str
    form: str
    separator: str
    encoding: str
    layout: str
    quoted: bool


SPELLINGS = st.builds(
    Spelling,
    day=st.sampled_from(sorted(DAY_STYLES)),
    amount=st.sampled_from(sorted(AMOUNT_STYLES)),
    direction=st.sampled_from(sorted(DIRECTIONS)),
    form=st.sampled_from(["text", "text", "workbook", "page", "workbook XML", "records", "print"]),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "cp850", "mac_roman"]),
    layout=st.sampled_from(
        ["plain", "titles", "totals", "sections", "groups", "months", "a sheet each", "pages"]
    ),
    quoted=st.booleans(),
)
PAYMENTS = st.builds(
    Payment,
    day=st.dates(dt.date(2025, 1, 1), dt.date(2025, 12, 31)),
    holder=st.sampled_from(HOLDERS),
    merchant=st.sampled_from(MERCHANTS),
    pence=st.integers(1, 900_000) | st.integers(-50_000, 900_000),
)
STATEMENTS = st.lists(PAYMENTS, min_size=1, max_size=14)


def table_of(payments: Statement, spelling: Spelling, *, with_holder: bool) -> list[list[str]]:
    """Return headings and rows; the holder stands only at the first of a group where asked."""
    columns: Columns = {"Transaction Date": lambda p, _: DAY_STYLES[spelling.day](p.day)}
    if with_holder:
        columns["Cardholder"] = lambda p, _: p.holder
    columns |= {"Merchant": lambda p, _: p.merchant, **DIRECTIONS[spelling.direction]}
    rows = []
    for payment in payments:
        amount = AMOUNT_STYLES[spelling.amount](abs(payment.pence))
        rows.append([cell(payment, amount) for cell in columns.values()])
    return [list(columns), *rows]


def sheets_of(  # noqa: PLR0911  one layout each
    payments: Statement, spelling: Spelling
) -> dict[str, list[list[str]]]:
    """Return the statement as one sheet or several, by its layout."""
    by_holder = {h: [p for p in payments if p.holder == h] for h in HOLDERS}
    by_holder = {holder: rows for holder, rows in by_holder.items() if rows}
    plain = table_of(payments, spelling, with_holder=True)
    if spelling.layout == "months" and spelling.form in SHEETED:
        months = sorted({p.day.month for p in payments})
        return {
            f"{dt.date(2025, m, 1):%b}": table_of(
                [p for p in payments if p.day.month == m], spelling, with_holder=True
            )
            for m in months
        }
    if spelling.layout == "a sheet each" and spelling.form in SHEETED:
        return {
            f"S{i}": [["Cardholder:", holder], [""], *table_of(rows, spelling, with_holder=False)]
            for i, (holder, rows) in enumerate(by_holder.items())
        }
    if spelling.layout == "sections":
        head = table_of([], spelling, with_holder=False)
        body = [
            row
            for holder, rows in by_holder.items()
            for row in [
                [f"Cardholder: {holder}"],
                *table_of(rows, spelling, with_holder=False)[1:],
            ]
        ]
        return {"S": [*head, *[row + [""] * (len(head[0]) - len(row)) for row in body]]}
    if spelling.layout == "groups":
        rows = [row for group in by_holder.values() for row in group]
        table = table_of(rows, spelling, with_holder=True)
        shown = [""]
        for row in table[1:]:
            name, row[1] = row[1], "" if row[1] == shown[-1] else row[1]
            shown.append(name)
        return {"S": table}
    if spelling.layout == "titles":
        return {"S": [["Card statement"], ["Run: 1 2 2026", "x"], [], *plain]}
    if spelling.layout == "pages":
        return {"S": [*plain[:2], ["Page 1 of 2"], plain[0], *plain[2:], ["Page 2 of 2"]]}
    if spelling.layout == "totals":
        return {"S": [*plain, ["Total", *[""] * (len(plain[0]) - 1)]]}
    return {"S": plain}


def page_of(sheets: Sheets) -> str:
    """Return a web page with a table for each sheet."""

    def row(cells: list[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

    tables = (
        f"<table>{''.join(row(cells, 'td' if i else 'th') for i, cells in enumerate(rows))}</table>"
        for rows in sheets.values()
    )
    return f"<html><body><h1>Cards</h1>{''.join(tables)}</body></html>"


def workbook_xml_of(sheets: Sheets) -> str:
    """Return Excel 2003 XML in which every cell is a text."""
    text = '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
    for name, rows in sheets.items():
        text += f'<Worksheet Name="{name}"><Table>'
        for row in rows:
            cells = (f'<Cell><Data Type="String">{html.escape(cell)}</Data></Cell>' for cell in row)
            text += f"<Row>{''.join(cells)}</Row>"
        text += "</Table></Worksheet>"
    return f"{text}</Workbook>"


def records_of(sheets: Sheets) -> str:
    """Return JSON with a record for each row below the headings."""
    ((*rows,),) = sheets.values()
    start = next(i for i, row in enumerate(rows) if "Merchant" in row)
    filled = [row + [""] * (len(rows[start]) - len(row)) for row in rows[start + 1 :]]
    return json.dumps([dict(zip(rows[start], row, strict=True)) for row in filled])


def print_of(sheets: Sheets) -> str:
    """Return the rows in columns below each other."""
    ((*rows,),) = sheets.values()
    count = max(map(len, rows))
    filled = [row + [""] * (count - len(row)) for row in rows]
    widths = [max(len(row[i]) for row in filled) + 2 for i in range(count)]
    lines = ["".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in filled]
    return "\n".join(lines) + "\n"


OTHER_FORMS: dict[str, Callable[[Sheets], str]] = {
    "page": page_of,
    "workbook XML": workbook_xml_of,
    "records": records_of,
    "print": print_of,
}


def write(payments: Statement, spelling: Spelling, path: Path) -> None:
    """Write a statement in a spelling; characters that an encoding lacks become UTF-8."""
    sheets = sheets_of(payments, spelling)
    if spelling.form == "workbook":
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        book.save(path)
        return
    if spelling.form in OTHER_FORMS:
        path.write_text(OTHER_FORMS[spelling.form](sheets), encoding="utf-8")
        return
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if spelling.quoted else csv.QUOTE_MINIMAL
    for rows in sheets.values():
        csv.writer(out, delimiter=spelling.separator, quoting=quoting).writerows(rows)
    try:
        path.write_bytes(out.getvalue().encode(spelling.encoding))
    except UnicodeEncodeError:
        path.write_bytes(out.getvalue().encode())


def key_of(day: dt.date, holder: str, merchant: str, pence: int) -> tuple[str, str, str, int]:
    last, _, first = holder.partition(", ")
    return str(day), f"{first} {last}".strip().casefold(), " ".join(merchant.split()), pence


def with_few_refunds(payments: Statement) -> Statement:
    """Return a statement in which at most a third of the payments are refunds, as in real ones.

    With more, the same text is an issuer's statement and a bank's, and nothing can tell which.
    """
    kept: Statement = []
    refunds = 0
    for payment in payments:
        refunds += payment.pence < 0
        if payment.pence < 0 and refunds > len(payments) // 3:
            kept.append(replace(payment, pence=-payment.pence))
        else:
            kept.append(payment)
    return kept


def check(payments: Statement, spelling: Spelling, readers: ReaderPool) -> str:
    """Assert that the statement reads back the same, or that what is left out is named."""
    payments = with_few_refunds(payments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statement"
        write(payments, spelling, path)
        (result,) = read_each([path], CHOICES, readers=readers)
    if isinstance(result, FileRefused):
        assert result.what, "a refusal names its reason"
        return result.code
    frame, report = result
    assert report.reconciles
    together, _ = name_holders([frame])
    read = Counter(
        key_of(row.date.date(), row.holder_id, row.merchant, row.amount_pence)
        for row in together.itertuples()
    )
    written = Counter(key_of(p.day, p.holder, p.merchant, p.pence) for p in payments)
    if report.problems:
        assert read <= written, "what is read is right"
        assert len(payments) - read.total() <= len(report.problems), "what is left out is named"
        return "problems"
    assert read == written, report
    return ""


@pytest.fixture(scope="module")
def readers() -> Iterator[ReaderPool]:
    with ReaderPool(2) as running:
        yield running


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(payments=STATEMENTS, spelling=SPELLINGS)
def test_no_spelling_changes_a_statement(
    payments: Statement, spelling: Spelling, readers: ReaderPool
) -> None:
    check(payments, spelling, readers)


@pytest.mark.prove
def test_two_thousand_statements_never_change(readers: ReaderPool) -> None:
    """Read 2,000 statements back, and say how many are refused for which reason."""
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=2000, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(payments=STATEMENTS, spelling=SPELLINGS)
    def every(payments: Statement, spelling: Spelling) -> None:
        outcomes[check(payments, spelling, readers)] += 1

    every()
    print(dict(outcomes))  # noqa: T201  for docs/measurements.md
    assert outcomes[""] > outcomes.total() / 2
