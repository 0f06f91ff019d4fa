"""Tables of web pages are read as a browser shows them, or refused."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
import pytest

from cardwatch.errors import FileRefused
from cardwatch.tabular import Limits, Table, read_tables

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = frozenset({"date", "holder", "merchant", "amount", "cardholder"})
NEEDED = [frozenset({"date"}), frozenset({"merchant"}), frozenset({"amount"})]
HEAD = "<tr><th>Date<th>Holder<th>Merchant<th>Amount</tr>"
ONE = "<tr><td>13/10/2025<td>A<td>ALPHA<td>1.00</tr>"
TWO = "<tr><td>14/10/2025<td>B<td>BETA<td>2.00</tr>"


def outcome(folder: Path, text: str | bytes, limits: Limits | None = None) -> Table | FileRefused:
    path = folder / "a.xls"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    (result,) = read_tables([path], KNOWN, limits or Limits(), None, NEEDED)
    return result


def rows_of(folder: Path, text: str | bytes) -> list[list[str]]:
    table = outcome(folder, text)
    assert isinstance(table, Table), str(table)
    return [list(row.values()) for row in table.cells.to_pylist()]


def code_of(folder: Path, text: str, limits: Limits | None = None) -> str:
    refusal = outcome(folder, text, limits)
    assert isinstance(refusal, FileRefused), "it was read"
    return refusal.code


def cell(folder: Path, markup: str) -> str:
    """Return how a cell is read, beside others."""
    body = f"<table>{HEAD}{ONE}<tr><td>14/10/2025<td>B<td>BETA{markup}</tr></table>"
    return rows_of(folder, body)[1][3]


PREFIXES = {
    "plain": "",
    "Excel's own": (
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><!--[if gte mso 9]><xml>'
        "<x:ExcelWorkbook><table></x:ExcelWorkbook></xml><![endif]--></head><body>"
    ),
    "XHTML": '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><body>',
    "style first": '<style>td { mso-number-format: "\\@" }</style><div>',
    "a style that looks like a table": "<style><table><tr><td>x</style>",
    "a script that writes one": "<script>document.write('<table><tr><td>x</td></tr>')</script>",
}


@pytest.mark.parametrize("name", PREFIXES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_read_whatever_stands_before_it(
    tmp_path: Path, name: str, encoding: str
) -> None:
    body = f"{PREFIXES[name]}<table>{HEAD}{ONE}{TWO.replace('BETA', 'Café')}</table>"
    rows = rows_of(tmp_path, body.encode(encoding))
    assert rows == [["13/10/2025", "A", "ALPHA", "1.00"], ["14/10/2025", "B", "Café", "2.00"]]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<td>&pound;1,234.50</td>", "£1,234.50"),
        ("<td>&#163;2&nbsp;000.00", "£2 000.00"),
        ("<td><b>1</b>,<i>234</i>.00</td>", "1,234.00"),
        ("<td> 3.00\n  GBP </td>", "3.00 GBP"),
        ("<td>3.00<br>GBP</td>", "3.00 GBP"),
        ("<td>234<sup>1</sup></td>", "234 1"),
        ('<td><span style="display: none">000012</span>34.00</td>', "34.00"),
        ("<td><span hidden><span>12</span>9</span>34.00</td>", "34.00"),
        ('<td><span style="display:none">12<td>34.00</td>', ""),
        ("<td><select><option>5.00<option>6.00</select>7.00", "7.00"),
        ("<td>12.00<!-- 13.00 --></td>", "12.00"),
        ("<td>12.00<script>x('13.00')</script></td>", "12.00"),
        ("<td><input type=hidden value=9>12.00", "12.00"),
        ('<td x:num="1234.5">1,235</td>', "1234.5"),
        ('<td sdval="-12.25" sdnum="2057;">(12)</td>', "-12.25"),
        ('<td x:num="oops">1,235</td>', "1,235"),
        ('<td x:num="12.5">€12.50</td>', "€12.50"),
        ('<td x:num="12.5">-12.50</td>', "-12.50"),
    ],
)
def test_a_cell_is_what_the_page_shows(tmp_path: Path, markup: str, text: str) -> None:
    assert cell(tmp_path, markup) == text


def test_a_day_kept_as_a_number_is_read_as_shown(tmp_path: Path) -> None:
    row = ONE.replace("<td>13", '<td x:num="45943">13')
    assert rows_of(tmp_path, f"<table>{HEAD}{row}</table>")[0][0] == "13/10/2025"


def test_a_day_goes_on_over_rows_and_an_amount_does_not(tmp_path: Path) -> None:
    rows = (
        "<tr><td rowspan=3>13/10/2025<td rowspan=2>A<td>ALPHA<td rowspan=2>9.00</tr>"
        "<tr><td>BETA</tr><tr><td>C<td>GAMMA<td>2.00</tr><tr><td colspan=3>Total<td>11.00</tr>"
    )
    assert rows_of(tmp_path, f"<table>{HEAD}{rows}</table>") == [
        ["13/10/2025", "A", "ALPHA", "9.00"],
        ["13/10/2025", "A", "BETA", ""],
        ["13/10/2025", "C", "GAMMA", "2.00"],
        ["Total", "", "", "11.00"],
    ]


@pytest.mark.parametrize(
    "markup",
    [
        '<td style="color: red">2.00',
        "<td><font color=#FF0000>2.00</font>",
        '<td class="num negative">2.00',
        '<td><span style="font-weight:bold;color:#c00000">2.00</span>',
    ],
)
def test_amounts_in_red_are_named(tmp_path: Path, markup: str) -> None:
    table = outcome(tmp_path, f"<table>{HEAD}{ONE}{TWO.replace('<td>2.00', markup)}</table>")
    assert isinstance(table, Table)
    assert any("1 amount is printed in red" in note for note in table.notes)
    every = f"<table>{HEAD}{TWO.replace('<td>2.00', markup) * 2}</table>"
    assert not any("red" in note for note in outcome(tmp_path, every).notes)
    minus = f"<table>{HEAD}{ONE}{TWO.replace('<td>2.00', markup).replace('2.00', '-2.00')}</table>"
    assert not any("red" in note for note in outcome(tmp_path, minus).notes)


@pytest.mark.parametrize("mark", ['style="color:red"', "class=refund"])
def test_a_row_in_red_is_named_and_ends_with_itself(tmp_path: Path, mark: str) -> None:
    red = TWO.replace("<tr>", f"<tr {mark}>")
    nextone = "<td>15/10/2025<td>B<td>BETA<td>3.00<tr>"
    notes = outcome(tmp_path, f"<table>{HEAD}{ONE}{red}{nextone}</table>").notes
    assert any("1 amount is printed in red" in note for note in notes)


def test_headings_over_two_rows_are_not_repeated(tmp_path: Path) -> None:
    head = (
        "<tr><th rowspan=2>Date<th rowspan=2>Holder<th colspan=2>Merchant<th rowspan=2>Amount</tr>"
        "<tr><th>Name<th>Town</tr>"
    )
    row = "<tr><td>13/10/2025<td>A<td>ALPHA<td>YORK<td>1.00</tr>"
    assert rows_of(tmp_path, f"<table>{head}{row}</table>") == [
        ["", "", "Name", "Town", ""],
        ["13/10/2025", "A", "ALPHA", "YORK", "1.00"],
    ]


def test_lines_and_small_tables_before_a_table_are_its_titles(tmp_path: Path) -> None:
    page = (
        f"<p>Report<p>in EUR<table><tr><td>Cardholder:<td>A Roe</tr></table><table>{HEAD}{ONE}{TWO}"
        "</table>"
    )
    table = outcome(tmp_path, page)
    assert isinstance(table, Table)
    assert table.parts[0].above == (("Report",), ("in EUR",), ("Cardholder:", "A Roe"))


@pytest.mark.parametrize("tag", ["caption", "p", "div", "thead"])
def test_a_caption_is_of_its_own_table(tmp_path: Path, tag: str) -> None:
    def section(name: str, row: str) -> str:
        return f"<table><{tag}>Cardholder: {name}</{tag}>{HEAD}{row}</table>"

    table = outcome(tmp_path, section("A", ONE) + section("B", TWO) + "<p>Cardholder: C")
    assert isinstance(table, Table)
    assert [part.above for part in table.parts] == [(("Cardholder: A",),), (("Cardholder: B",),)]


def test_a_table_in_a_page_of_tables_is_read_with_its_own_titles(tmp_path: Path) -> None:
    def section(name: str, row: str) -> str:
        return f"<tr><td>Cardholder: {name}</tr><tr><td><table>{HEAD}{row}</table></tr>"

    page = f"<table>{section('A', ONE)}{section('B', TWO)}</table>"
    table = outcome(tmp_path, page)
    assert isinstance(table, Table)
    assert [part.above for part in table.parts] == [(("Cardholder: A",),), (("Cardholder: B",),)]
    assert table.cells.num_rows == 2


def test_two_tables_with_the_same_headings_are_one(tmp_path: Path) -> None:
    page = f"<table>{HEAD}{ONE}</table><p>Page 2<table>{HEAD}{TWO}</table>"
    assert len(rows_of(tmp_path, page)) == 2


OTHER = "<tr><th>Date<th>Cardholder<th>Merchant<th>Amount</tr>"


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (f"<table>{HEAD}{ONE}{TWO}", "damaged"),
        (f"<table>{HEAD}{ONE}{TWO}</table><table><tr><td", "damaged"),
        (f"<table>{HEAD}{ONE}<script>{TWO}</table>", "damaged"),
        (f"<p><table>{HEAD}{ONE}</table><select>x", "damaged"),
        (f"<table>{HEAD}{ONE.replace('ALPHA', '<table><tr><td>1.00</table>')}</table>", "web_page"),
        (f"<table>{HEAD}{ONE * 5}</table><table>{OTHER}{TWO * 5}</table>", "sheets_differ"),
        (f"<table>{HEAD}{ONE}{TWO}</table><table>{TWO}{ONE}{ONE}</table>", "sheets_differ"),
        ("<html><body><form>User name <input name=u></form></body></html>", "web_page"),
        ("<html><table><tr><td>Please sign in</td></tr></table></html>", "web_page"),
        (f"<table>{HEAD}<tr>{'<td>' * 300}</tr></table>", "too_wide"),
        (f"<table>{HEAD}<tr><td colspan=9000>x</tr></table>", "too_wide"),
        ("<table><tr><td>" * 50_000, "too_wide"),
    ],
    ids=[
        "cut off", "cut in a tag", "script without end", "hidden without end",
        "a table in a payment", "other headings", "goes on without headings", "no table",
        "a notice", "cells", "span", "depth",
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_read_for_certain_is_refused(
    tmp_path: Path, page: str, code: str
) -> None:
    assert code_of(tmp_path, page) == code


def test_a_page_over_the_limits_is_refused(tmp_path: Path) -> None:
    assert code_of(tmp_path, f"<table>{HEAD}{ONE * 9}</table>", Limits(rows=5)) == "too_long"
    long = ONE.replace("ALPHA", "x" * 2_000)
    limits = Limits(cell_characters=1_000)
    assert code_of(tmp_path, f"<table>{HEAD}{long}</table>", limits) == "cell_too_long"


def test_sheets_that_go_on_without_headings_are_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    rows = [["2025-10-13", "A", "ALPHA", 1.5], ["2025-10-14", "B", "BETA", 2.5]] * 3
    for row in (["Date", "Holder", "Merchant", "Amount"], *rows):
        book.active.append(row)
    second = book.create_sheet("Further")
    for row in rows[:2]:
        second.append(row)
    out = io.BytesIO()
    book.save(out)
    (tmp_path / "a.xlsx").write_bytes(out.getvalue())
    (refusal,) = read_tables([tmp_path / "a.xlsx"], KNOWN, needed=NEEDED)
    assert isinstance(refusal, FileRefused)
    assert refusal.code == "sheets_differ"
    assert "without headings" in refusal.what


def test_messages_about_a_web_page_speak_of_tables(tmp_path: Path) -> None:
    rows = "".join(f"<tr><td>{day}/10/2025<td>A<td>S{day}<td>{day}.50" for day in range(13, 25))
    other = rows.replace("/10/", "/11/")
    one = f"<table>{HEAD}{rows}</table>"
    two = "<table><tr><th>Date<th>Cardholder<th>Merchant<th>Amount" + other + "</table>"
    refusal = outcome(tmp_path, f"<html><body>{one}{two}</body></html>")
    assert "tables 1 and 2 both hold payments" in str(refusal)
    read = outcome(tmp_path, f"<html><body>{one}<table>{HEAD}{other}</table></body></html>")
    assert isinstance(read, Table), str(read)
    assert "2 of 2 tables with the same headings: table 1, table 2" in read.decisions
    assert read.place(12) == "table 2, row 2"
