"""Good tables are read whole: cells, headings and row numbers as they stand in the file."""

import csv
import datetime as dt
import io
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardwatch.errors import FileRefused
from cardwatch.statements.cells import TextColumn
from cardwatch.tabular import LIMITS, Table, csv_reader, normalise_heading, read_tables
from cardwatch.tabular.headings import Headings, find_heading_row
from cardwatch.tabular.workbook import cell_text

KNOWN = frozenset({"date", "holder", "merchant", "amount", "transaction amt"})
HEADINGS = ["Date", "Holder", "Merchant", "Amount"]
ROWS = [["2026-01-05", "H1", "A shop", "12.00"], ["2026-01-06", "H2", "Café £", "-3.50"]]


def text_of(rows: list[list[str]], separator: str = ",", line: str = "\n") -> str:
    return line.join(separator.join(row) for row in rows) + line


def read(folder: Path, data: bytes | str, name: str = "statement.csv") -> Table:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    (found,) = read_tables([folder / name], KNOWN)
    assert not isinstance(found, FileRefused), str(found)
    return found


def rows_of(table: Table) -> list[list[str]]:
    columns = [column.to_pylist() for column in table.cells.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PLAIN = [HEADINGS, *ROWS]


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("statement.csv", workbook({"S": [list(row) for row in PLAIN]}), "xlsx"),
        ("statement.xls", text_of(PLAIN).encode(), "csv"),
        ("statement", text_of(PLAIN).encode(), "csv"),
    ],
    ids=["workbook named csv", "text named xls", "text without extension"],
)
def test_a_file_is_recognised_by_its_bytes_and_not_by_its_name(
    tmp_path: Path, name: str, data: bytes, form: str
) -> None:
    table = read(tmp_path, data, name)
    assert table.form == form
    assert table.is_workbook == (form != "csv")
    assert table.headings == tuple(HEADINGS)
    assert rows_of(table) == ROWS
    assert table.file == name


def test_the_sheet_with_the_headings_is_read_and_of_others_only_name_and_size_are_told(
    tmp_path: Path,
) -> None:
    people: list[list[object]] = [["Officer", "Desk"], *([f"Secret{i}", i] for i in range(40))]
    data = workbook({"People": people, "APR": [list(r) for r in PLAIN], "Empty": []})
    table = read(tmp_path, data)
    assert rows_of(table) == ROWS
    assert table.notes == ("sheet 'People' was not read: 41 rows",)
    assert any("'APR'" in decision for decision in table.decisions)
    assert "Secret" not in repr(table)
    assert "Officer" not in repr(table)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_headings_are_found_under_title_lines(tmp_path: Path, form: str) -> None:
    title = [["Purchase cards, January 2026"], [""], ["Published by", "the council"]]
    lines = [*title, *PLAIN]
    data = text_of(lines).encode() if form == "csv" else workbook({"S": [list(r) for r in lines]})
    table = read(tmp_path, data)
    assert table.headings == tuple(HEADINGS)
    assert table.heading_row == 4
    assert table.rows == range(5, 7)
    assert rows_of(table) == ROWS


def test_a_table_without_known_headings_starts_at_its_fullest_row() -> None:
    rows = [["Report", "", ""], ["alpha", "beta", "gamma"], ["1", "2", "3"]]
    assert find_heading_row(rows, Headings(frozenset())) == (1, 0)


def test_pounds_and_accents_survive_every_encoding(tmp_path: Path) -> None:
    text, paths = text_of(PLAIN), []
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"):
        paths.append(tmp_path / encoding)
        paths[-1].write_bytes(text.encode(encoding))
    for table in read_tables(paths, KNOWN):
        assert isinstance(table, Table), str(table)
        assert table.headings == tuple(HEADINGS), table.file
        assert rows_of(table) == ROWS, table.file
        assert f"text encoding {table.file}" in table.decisions
    big_endian = read(tmp_path, b"\xfe\xff" + text.encode("utf-16-be"))
    assert rows_of(big_endian) == ROWS


def test_one_late_byte_of_another_encoding_decides_for_the_whole_file(tmp_path: Path) -> None:
    clean = text_of([HEADINGS, *[ROWS[0]] * 60_000])
    table = read(tmp_path, clean.encode() + b"2026-01-07,H1,\xa3 shop,1.00\n")
    assert rows_of(table)[-1][2] == "£ shop"
    assert "text encoding cp1252" in table.decisions


def test_every_separator_and_line_end_gives_the_same_cells(tmp_path: Path) -> None:
    paths = []
    for separator, name in csv_reader.SEPARATORS.items():
        for line in ("\n", "\r\n", "\r"):
            paths.append(tmp_path / f"{name}-{line.encode().hex()}.csv")
            paths[-1].write_bytes(text_of(PLAIN, separator, line).encode())
    for table in read_tables(paths, KNOWN):
        assert isinstance(table, Table), str(table)
        assert table.headings == tuple(HEADINGS), table.file
        assert rows_of(table) == ROWS, table.file
        assert table.rows == range(2, 4), table.file


def test_thousands_commas_do_not_hide_the_semicolon(tmp_path: Path) -> None:
    rows = [HEADINGS, *[["05/01/26", "H1", "A, B and C", "1,234.56"]] * 5]
    assert rows_of(read(tmp_path, text_of(rows, ";"))) == rows[1:]


def test_line_breaks_in_quoted_headings_are_kept_and_compared_as_spaces(tmp_path: Path) -> None:
    text = 'Date,Holder,Merchant,"Transaction\nAmt."\n2026-01-05,H1,A shop,12.00\n'
    table = read(tmp_path, text)
    assert table.headings[3] == "Transaction\nAmt."
    assert normalise_heading(table.headings[3]) == "transaction amt"
    assert rows_of(table) == [ROWS[0]]


@pytest.mark.parametrize(
    ("heading", "plain"),
    [
        (" Merchant  Name ", "merchant name"),
        ("MERCHANT_NAME", "merchant name"),
        ("Trx.Currency", "trx currency"),
        ("Amount (£)", "amount £"),
        ("Account #", "account #"),
        ("ＡＭＯＵＮＴ", "amount"),  # noqa: RUF001  full width on purpose
        ("", ""),
    ],
)
def test_headings_are_compared_without_case_spaces_and_punctuation(
    heading: str, plain: str
) -> None:
    assert normalise_heading(heading) == plain


def test_short_rows_are_filled_and_long_rows_lose_nothing(tmp_path: Path) -> None:
    text = "Date,Holder,Merchant,Amount\n2026-01-05,H1\n2026-01-06,H2,B,3.50,extra\n\n"
    table = read(tmp_path, text)
    assert table.headings == (*HEADINGS, "")
    assert rows_of(table) == [
        ["2026-01-05", "H1", "", "", ""],
        ["2026-01-06", "H2", "B", "3.50", "extra"],
        [""] * 5,
    ]


def test_a_row_with_quoted_line_breaks_counts_as_one_row(tmp_path: Path) -> None:
    text = 'Date,Holder,Merchant,Amount\n2026-01-05,H1,"two\nlines",1.00\n2026-01-06,H1,B,2.00\n'
    table = read(tmp_path, text)
    assert list(zip(table.rows, (row[2] for row in rows_of(table)), strict=True)) == [
        (2, "two\nlines"),
        (3, "B"),
    ]


def test_the_last_row_counts_though_no_line_end_follows(tmp_path: Path) -> None:
    assert rows_of(read(tmp_path, text_of(PLAIN).rstrip())) == ROWS


def test_blank_rows_keep_their_place_so_that_row_numbers_stay_right(tmp_path: Path) -> None:
    lines = text_of(PLAIN).splitlines()
    table = read(tmp_path, "\n".join([*lines[:2], "", ",,,", *lines[2:]]) + "\n")
    assert table.rows[rows_of(table).index(ROWS[1])] == 5


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (31.680000000000003, "31.68"),
        (0.1 + 0.2, "0.3"),
        (-45.0, "-45"),
        (1200.0, "1200"),
        (0.0, "0"),
        (25.5, "25.5"),
        (1.083, "1.0830"),
        (2.3456, "2.3456"),
        (402999.99, "402999.99"),
        (999_999_999_999_999.0, "999999999999999"),
        (4.111111111111111e15, "4.111111E+15"),
        (1e16, "1.000000E+16"),
        (" as printed ", " as printed "),
        ("0012", "0012"),
        (dt.date(2026, 1, 5), "2026-01-05"),
        (dt.datetime(2026, 1, 5), "2026-01-05"),  # noqa: DTZ001  cells have no zone
        (dt.datetime(2026, 1, 5, 9, 30), "2026-01-05T09:30:00"),  # noqa: DTZ001  the same
    ],
    ids=str,
)
def test_a_workbook_cell_becomes_text_that_reads_back_to_the_same_value(
    cell: float | str | dt.date, text: str
) -> None:
    assert cell_text(cell) == text


def test_a_workbook_gives_dates_and_amounts_as_plain_text(tmp_path: Path) -> None:
    row: list[object] = [dt.date(2026, 1, 5), "H1", "A shop", 1234.5]
    number: list[object] = [dt.date(2026, 1, 6), 4111111111111111, "B shop", None]
    table = read(tmp_path, workbook({"S": [list(HEADINGS), row, number]}))
    assert rows_of(table) == [
        ["2026-01-05", "H1", "A shop", "1234.5"],
        ["2026-01-06", "4.111111E+15", "B shop", ""],
    ]


CELL = st.text(
    st.one_of(st.sampled_from(' "\n\r,;\t|a1£é\u2028\x0b\x1c\x85'), st.characters(codec="utf-8")),
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=70
        )
    ),
    st.sampled_from(list(csv_reader.SEPARATORS)),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_the_quick_reader_gives_the_same_cells_as_the_standard_library(
    rows: list[list[str]], separator: str, line: str, quoting: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=line, quoting=quoting).writerows(rows)
    same_by_both(out.getvalue(), separator)


@settings(max_examples=200, deadline=None)
@given(st.text('ab ",\n\r', min_size=1, max_size=60))
def test_the_quick_reader_agrees_on_text_that_no_writer_would_write(text: str) -> None:
    same_by_both(text, ",")


def same_by_both(text: str, separator: str) -> None:
    """Assert that the quick reader declines a text or agrees with the standard library on it."""
    slow = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    if not slow:
        return
    quick = csv_reader._read_even(text.encode(), separator, slow[: csv_reader.SEARCHED_ROWS], 0)
    if quick is not None:
        assert (
            quick.to_pylist() == csv_reader.columns_of(slow[1:], slow[0], "f", LIMITS).to_pylist()
        )


def test_a_file_of_headings_alone_keeps_a_column_for_each(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("date,merchant,amount\n", encoding="utf-8")
    (table,) = read_tables([path], frozenset({"date", "merchant", "amount"}))
    assert isinstance(table, Table)
    assert table.cells.num_columns == 3
    assert table.cells.num_rows == 0


@pytest.mark.parametrize("distinct", [127, 128, 129, 32_767, 32_768, 32_769])
def test_a_column_of_any_number_of_distinct_values_comes_back_whole(
    tmp_path: Path, distinct: int
) -> None:
    rows = [[str(number), "2026-01-05", "1.00"] for number in (*range(distinct), distinct - 1)]
    table = read(tmp_path, text_of([["reference", "date", "amount"], *rows]))
    assert rows_of(table) == rows
    last = TextColumn.of(table.cells["0"])
    assert last.picked(np.array([distinct - 1, distinct])) == [str(distinct - 1)] * 2
    assert (last.codes + distinct).min() >= distinct  # no code overflows where others are added
