"""VAT and line items are kept where a file or feed gives them, bounded, and change no payment."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardwatch.errors import FileRefused
from cardwatch.line_items import (
    MOST_ITEMS,
    line_item_label,
    read_line_items,
    write_line_items,
)
from cardwatch.records import LineItem
from cardwatch.statements import ReadingChoices, read_each, shipped_profiles

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, of no other use")
FEEDS = Path(__file__).parents[1] / "tabular" / "feeds"
PARTS = """Date,Cardholder,Merchant,Transaction Amount,VAT Amount,Split Amount,Details
13/10/2025,Holder A,ALPHA,100.00,10.00,60.00,Toner
13/10/2025,Holder A,ALPHA,100.00,6.67,40.00,Paper
14/10/2025,Holder B,BETA,50.00,,50.00,Chairs
"""
KINDS = """Type,Date,Cardholder,Merchant,Amount,Cost Centre
TRANSACTION,13/10/2025,Holder A,ALPHA,100.00,
SPLIT,13/10/2025,Holder A,ALPHA,60.00,4001
SPLIT,13/10/2025,Holder A,ALPHA,40.00,4002
"""
REFERENCE = """Reference,Date,Cardholder,Merchant,Amount,Details
R1,13/10/2025,Holder A,ALPHA,100.00,Toner
R1,13/10/2025,Holder A,ALPHA,100.00,Paper
R2,14/10/2025,Holder B,BETA,50.00,Chairs
"""
SUMS = """Date,Cardholder,Merchant,Amount,Details,Each item came to
13/10/2025,Holder A,ALPHA,100.00,Toner,60.00
13/10/2025,Holder A,ALPHA,100.00,Paper,40.00
14/10/2025,Holder B,BETA,50.00,Chairs,50.00
"""


def read(text: str | bytes, folder: Path) -> tuple[list[str], list[str], int]:
    path = folder / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (result,) = read_each([path], CHOICES)
    if isinstance(result, FileRefused):
        raise result
    frame, report = result
    return frame["vat"].tolist(), frame["line_items"].tolist(), report.pence


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (PARTS, [("Toner", 6000, 1000), ("Paper", 4000, 667)]),
        (KINDS, [("4001", 6000, None), ("4002", 4000, None)]),
        (REFERENCE, [("Toner", None, None), ("Paper", None, None)]),
        (SUMS, [("Toner", 6000, None), ("Paper", 4000, None)]),
    ],
    ids=["parts", "rows called split", "one reference", "sums of any column"],
)
def test_rows_of_one_payment_are_its_items(
    text: str, items: list[tuple[str, int | None, int | None]], tmp_path: Path
) -> None:
    _, kept, pence = read(text, tmp_path)
    assert read_line_items(kept[0]) == tuple(LineItem(*item) for item in items)
    assert (set(kept[1:]) <= {""}, pence in {10_000, 15_000}) == (True, True)


@pytest.mark.parametrize(
    ("heading", "parts"),
    [("VAT", ["0.83", "0.83", "1.00"]), ("Pieces", ["1", "1", "1"]), ("Paid", ["5.00"] * 3)],
)
def test_two_equal_payments_are_two(heading: str, parts: list[str], tmp_path: Path) -> None:
    rows = [("13/10/2025", "2.00"), ("13/10/2025", "2.00"), ("14/10/2025", "6.00")]
    lines = [f"Date,Cardholder,Merchant,Amount,{heading}"]
    lines += [
        f"{day},A,CAR PARK,{amount},{part}" for (day, amount), part in zip(rows, parts, strict=True)
    ]
    assert read("\n".join(lines) + "\n", tmp_path)[2] == 1000


def test_a_column_of_vat_is_kept_in_pounds(tmp_path: Path) -> None:
    assert read(PARTS, tmp_path)[0] == ["10.00", ""]


def test_a_file_without_items_has_none(tmp_path: Path) -> None:
    vat, items, _ = read("Date,Cardholder,Merchant,Amount\n2025-10-13,A,B,1.00\n", tmp_path)
    assert (vat, items) == ([""], [""])


def test_items_are_bounded_in_number_and_length() -> None:
    kept = read_line_items(write_line_items([LineItem("x" * 999)] * (MOST_ITEMS + 3)))
    assert len(kept) == MOST_ITEMS + 1
    assert max(len(item.description) for item in kept) <= 120
    assert kept[-1].description == "3 further items"


def test_a_card_number_in_an_item_is_cut(tmp_path: Path) -> None:
    _, kept, _ = read(REFERENCE.replace("Toner", "for 4111111111111111"), tmp_path)
    assert "4111111111111111" not in kept[0]


def test_an_item_is_worded_with_what_is_known() -> None:
    assert line_item_label(LineItem("Toner", 24_000, 4_000)) == "Toner, £240.00, VAT £40.00"
    assert line_item_label(LineItem("Toner")) == "Toner"
    assert line_item_label(LineItem("", -150)) == "-£1.50"


def with_vat(form: str) -> bytes:
    """A small feed with VAT of 14.99 in its first payment and 2.50 in its refund."""
    data = (FEEDS / f"small.{form}").read_bytes()
    if form == "cdf.xml":
        for day, pence in ((b"2026-01-30", b"149900"), (b"2026-01-31", b"25000")):
            tax = b'<TotalTaxAmount CurrencyCode="826" CurrencyExponent="4">'
            place = b"<PostingDate>" + day
            data = data.replace(place, tax + pence + b"</TotalTaxAmount>" + place, 1)
        return data
    lines = data.split(b"\n")
    if form == "vcf":
        for number, pence in ((8, b"1499"), (10, b"250")):
            fields = lines[number].split(b"\t")
            fields[20] = pence.rjust(16, b"0")
            lines[number] = b"\t".join(fields)
        return b"\n".join(lines)
    first = {"gl1025": 754, "kr1025": 261}[form] - 1
    payments = [number for number, line in enumerate(lines) if line.startswith(b"1")]
    for number, pence in zip(payments, (b"1499", b"0", b"250"), strict=True):
        line = lines[number].ljust(3000)
        lines[number] = (line[:first] + pence.rjust(15, b"0") + line[first + 15 :]).rstrip()
    return b"\n".join(lines)


@pytest.mark.parametrize("form", ["vcf", "gl1025", "kr1025"])
def test_feeds_give_the_vat_of_each_payment(form: str, tmp_path: Path) -> None:
    assert read(with_vat(form), tmp_path)[0] == ["14.99", "", "-2.50"]


def test_a_cdf_gives_vat_and_line_items(tmp_path: Path) -> None:
    item = (
        b"<LineItemDetailEntity><CorporateCardLineItemDetail_5010><FinancialRecordHeader>"
        b"<SequenceNum>00000009</SequenceNum></FinancialRecordHeader><ItemDescription>Toner"
        b"</ItemDescription></CorporateCardLineItemDetail_5010></LineItemDetailEntity>"
    )
    before, end, after = with_vat("cdf.xml").rpartition(b"</FinancialTransactionEntity>")
    text = before + item + end + after.replace(b"00000009", b"00000010")
    vat, items, _ = read(text, tmp_path)
    assert "14.99" in vat
    assert [read_line_items(kept) for kept in items] == [(), (), (LineItem("Toner"),)]
