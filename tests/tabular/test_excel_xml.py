"""Excel 2003 XML is read as any workbook, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardwatch.errors import FileRefused
from cardwatch.tabular import LIMITS, Limits, Table, read_tables

if TYPE_CHECKING:
    from pathlib import Path

START = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Styles>'
    '<Style ss:ID="eur"><NumberFormat ss:Format="[$EUR] #,##0.00"/></Style>'
    '<Style ss:ID="cr"><NumberFormat ss:Format="0.00&quot; CR&quot;"/></Style></Styles>'
)
KNOWN = frozenset({"date", "holder", "merchant", "amount"})
NEEDED = [frozenset({"date"}), frozenset({"merchant"}), frozenset({"amount"})]


def data(kind: str, text: str, cell: str = "") -> str:
    return f'<Cell {cell}><Data ss:Type="{kind}">{text}</Data></Cell>'


def row(*cells: str, index: int = 0) -> str:
    place = f' ss:Index="{index}"' if index else ""
    return f"<Row{place}>{''.join(cells)}</Row>"


HEAD = row(*(data("String", name) for name in ("Date", "Holder", "Merchant", "Amount")))


def payment(day: int, merchant: str, amount: str) -> str:
    return row(
        data("DateTime", f"2025-10-{day}T00:00:00.000"),
        data("String", "A"),
        data("String", merchant),
        data("Number", amount),
    )


def outcome(
    folder: Path, *sheets: str, limits: Limits = LIMITS, end: str = "</Workbook>"
) -> Table | FileRefused:
    text = "".join(
        f'<Worksheet ss:Name="S{i}"><Table>{sheet}</Table></Worksheet>'
        for i, sheet in enumerate(sheets)
    )
    (folder / "a.xls").write_text(START + text + end, encoding="utf-8")
    (result,) = read_tables([folder / "a.xls"], KNOWN, limits, None, NEEDED)
    return result


def rows_of(folder: Path, *sheets: str) -> list[list[str]]:
    table = outcome(folder, *sheets)
    assert isinstance(table, Table), str(table)
    assert table.is_workbook
    return [list(cells.values()) for cells in table.cells.to_pylist()]


def test_cells_are_read_by_their_value(tmp_path: Path) -> None:
    typed = row(
        data("Number", "45943"),
        data("Number", "1.2340000000000001", 'ss:Index="3"'),
        data("Boolean", "1"),
    )
    rows = rows_of(tmp_path, HEAD + payment(13, "B &amp; Q", "1200.5") + typed)
    assert rows == [["2025-10-13", "A", "B & Q", "1200.5"], ["45943", "", "1.2340", "True"]]


def test_rows_and_cells_that_are_left_out_keep_their_place(tmp_path: Path) -> None:
    late = row(data("String", "x", 'ss:Index="4"'), index=4)
    assert rows_of(tmp_path, HEAD + late) == [["", "", "", ""], ["", "", "", ""], ["", "", "", "x"]]


def test_merged_cells_repeat_a_day_and_no_amount(tmp_path: Path) -> None:
    first = row(
        data("DateTime", "2025-10-13T00:00:00", 'ss:MergeDown="1"'),
        data("String", "A"),
        data("String", "ALPHA"),
        data("Number", "9.5", 'ss:MergeDown="1"'),
    )
    second = row(data("String", "A", 'ss:Index="2"'), data("String", "BETA"))
    total = row(data("String", "Total", 'ss:MergeAcross="2"'), data("Number", "9.5"))
    assert rows_of(tmp_path, HEAD + first + second + total) == [
        ["2025-10-13", "A", "ALPHA", "9.5"],
        ["2025-10-13", "A", "BETA", ""],
        ["Total", "", "", "9.5"],
    ]


def test_sheets_with_the_same_headings_are_one(tmp_path: Path) -> None:
    sheets = [HEAD + payment(13, "ALPHA", "1"), HEAD + payment(14, "BETA", "2")]
    assert len(rows_of(tmp_path, *sheets)) == 2


def test_another_currency_in_a_format_is_named(tmp_path: Path) -> None:
    euros = payment(13, "ALPHA", "5").replace(
        '<Cell ><Data ss:Type="N', '<Cell ss:StyleID="eur"><Data ss:Type="N'
    )
    table = outcome(tmp_path, HEAD + euros + payment(14, "BETA", "6"))
    assert isinstance(table, Table)
    assert any("another currency" in note for note in table.notes)
    alone = outcome(tmp_path, HEAD + euros)
    assert isinstance(alone, FileRefused)
    assert alone.code == "not_in_pounds"


def styled(number_format: str, value: str, column: int = 3) -> str:
    """Return a workbook of one payment, a number of which has a format."""
    style = f'<Style ss:ID="own"><NumberFormat ss:Format="{number_format}"/></Style></Styles>'
    number = data("Number", value, 'ss:StyleID="own"')
    cells = [data("String", text) for text in ("2025-10-13", "A", "ALPHA")]
    cells += [number] if column == 3 else [data("Number", "9.5"), number]
    head = HEAD.replace("</Row>", data("String", "Cost Centre") + "</Row>")
    sheet = f'<Worksheet ss:Name="S"><Table>{head}{row(*cells)}</Table></Worksheet>'
    return START.replace("</Styles>", style) + sheet + "</Workbook>"


@pytest.mark.parametrize(
    ("number_format", "value", "code"),
    [
        ("0\\.00", "123451", "amount_unclear"),
        ("0\\.00", "-123451", "amount_unclear"),
        ("0&quot;k&quot;", "121", "amount_unclear"),
        ("0\\-", "121", "direction_unclear"),
    ],
)
def test_what_a_format_prints_is_heeded_in_columns_of_amounts_alone(
    tmp_path: Path, number_format: str, value: str, code: str
) -> None:
    path = tmp_path / "a.xls"
    path.write_text(styled(number_format, value), encoding="utf-8")
    (refusal,) = read_tables([path], KNOWN, needed=NEEDED)
    assert isinstance(refusal, FileRefused), "it was read"
    assert refusal.code == code
    for other in (number_format, "000-000"):
        path.write_text(styled(other, value, column=4), encoding="utf-8")
        (table,) = read_tables([path], KNOWN, needed=NEEDED)
        assert isinstance(table, Table), str(table)


GOOD = HEAD + payment(13, "ALPHA", "5")
FORMULA = '<Cell ss:Formula="=SUM(1)"/>'


def test_a_sum_without_a_value_is_no_payment(tmp_path: Path) -> None:
    assert len(rows_of(tmp_path, GOOD + row(data("String", "Total"), FORMULA))) == 2


@pytest.mark.parametrize(
    ("sheet", "end", "code"),
    [
        (GOOD, "", "damaged"),
        (GOOD.replace("5</Data>", "5</Data"), "</Workbook>", "damaged"),
        (GOOD + row(*[data("String", "x")] * 3, FORMULA), "</Workbook>", "formulas"),
        (GOOD.replace('<Cell ><Data ss:Type="N', '<Cell ss:StyleID="cr"><Data ss:Type="N'),
         "</Workbook>", "direction_unclear"),
        (HEAD + row(data("String", "x"), index=900_000_000), "</Workbook>", "too_long"),
        (HEAD + row(data("String", "x", 'ss:Index="90000000"')), "</Workbook>", "too_wide"),
        (HEAD + row(data("String", "x", 'ss:MergeAcross="90000000"')), "</Workbook>", "too_wide"),
        ("", "</Workbook>", "empty"),
    ],
    ids=["cut off", "damaged", "formula", "credit by format", "row", "column", "merged", "empty"],
)  # fmt: skip
def test_what_cannot_be_read_for_certain_is_refused(
    tmp_path: Path, sheet: str, end: str, code: str
) -> None:
    refusal = outcome(tmp_path, sheet, end=end)
    assert isinstance(refusal, FileRefused), "it was read"
    assert refusal.code == code


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    text = START.replace("<Workbook", f"{laughs}<Workbook", 1) + "</Workbook>"
    (tmp_path / "a.xls").write_text(text, encoding="utf-8")
    (refusal,) = read_tables([tmp_path / "a.xls"], KNOWN)
    assert isinstance(refusal, FileRefused)
    assert refusal.code == "xml"


@pytest.mark.parametrize("columns", ['<Column ss:Index="5" ss:Hidden="1"/>',
    '<Column ss:Span="2"/><Column/><Column ss:Hidden="1" ss:Span="3"/>'])  # fmt: skip
def test_a_hidden_second_column_of_amounts_is_not_read(tmp_path: Path, columns: str) -> None:
    head = HEAD.replace("</Row>", data("String", "Amount 2") + "</Row>")
    paid = payment(13, "S", "5").replace("</Row>", data("Number", "50") + "</Row>")
    table = outcome(tmp_path, columns + head + paid)
    assert isinstance(table, Table)
    assert [column.to_pylist() for column in table.cells.columns][3:] == [["5"], [""]]
    assert table.notes == ("column 'Amount 2' is hidden in the workbook, and not read",)
