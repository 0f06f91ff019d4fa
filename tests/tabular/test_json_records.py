"""Records of JSON are read cell by cell as they are written, or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cardwatch.errors import FileRefused
from cardwatch.tabular import LIMITS, Limits, Table, read_tables

if TYPE_CHECKING:
    from pathlib import Path

RECORD = {"date": "2025-10-13", "merchant": "ALPHA", "amount": 10.5}


def outcome(folder: Path, text: str, limits: Limits = LIMITS) -> Table | FileRefused:
    (folder / "a.json").write_text(text, encoding="utf-8")
    (result,) = read_tables([folder / "a.json"], frozenset({"date"}), limits)
    return result


def table_of(folder: Path, content: Any) -> tuple[tuple[str, ...], list[list[str]]]:
    table = outcome(folder, content if isinstance(content, str) else json.dumps(content))
    assert isinstance(table, Table), str(table)
    return table.headings, [list(row.values()) for row in table.cells.to_pylist()]


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
def test_records_one_to_a_line_are_read(tmp_path: Path, end: str) -> None:
    line = json.dumps(RECORD)
    headings, rows = table_of(tmp_path, f"{line}\n{line}{end}")
    assert (headings, len(rows)) == (("date", "merchant", "amount"), 2)


def test_rows_with_the_names_of_their_columns_are_read(tmp_path: Path) -> None:
    content = {"columns": list(RECORD), "rows": [list(RECORD.values())] * 2, "took": 3}
    headings, rows = table_of(tmp_path, content)
    assert headings == ("date", "merchant", "amount")
    assert rows == [["2025-10-13", "ALPHA", "10.5"]] * 2


@pytest.mark.parametrize(
    "content",
    [
        [RECORD],
        {"data": [RECORD]},
        {"meta": {"count": 1, "page": 1, "pages": 1}, "data": {"payments": [RECORD]}, "errors": []},
        {"data": [RECORD], "has_more": False, "next": None, "total": 1, "limit": 50},
        {"data": [RECORD], "total": 1234},
    ],
    ids=["a list", "in an object", "one level down", "the last page", "a total of money"],
)
def test_one_list_of_records_is_read(tmp_path: Path, content: Any) -> None:
    headings, rows = table_of(tmp_path, content)
    assert headings == ("date", "merchant", "amount")
    assert rows == [["2025-10-13", "ALPHA", "10.5"]]


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("10", "10"),
        ("10.0", "10.0"),
        ("-12.30", "-12.3"),
        ("12.340000000000001", "12.34"),
        ("1.083", "1.0830"),
        ("5.5e2", "550.0"),
        ("4929123456789012345", "4929123456789012345"),
        ("true", "true"),
        ("null", ""),
        ('"1,200.00"', "1,200.00"),
        ('["a", "b", 3]', "a, b, 3"),
        ("[]", ""),
    ],
)
def test_a_value_is_read_as_it_is_written(tmp_path: Path, written: str, cell: str) -> None:
    _, rows = table_of(tmp_path, f'[{{"date": "x", "value": {written}}}]')
    assert rows == [["x", cell]]


def test_an_object_in_a_record_becomes_columns(tmp_path: Path) -> None:
    records = [{"id": 1, "merchant": {"name": "A", "mcc": "5411"}}, {"id": 2, "merchant": None}]
    headings, rows = table_of(tmp_path, records)
    assert headings == ("id", "merchant.name", "merchant.mcc")
    assert rows == [["1", "A", "5411"], ["2", "", ""]]


def test_an_object_that_only_holds_the_cells_gives_them_no_name(tmp_path: Path) -> None:
    records = [{"id": "r1", "date": "x", "fields": {"Date": "2025-10-13", "id": "7"}}]
    headings, rows = table_of(tmp_path, {"records": records})
    assert headings == ("id", "date", "Date", "fields.id")
    assert rows == [["r1", "x", "2025-10-13", "7"]]


def test_what_stands_beside_the_records_stands_above_them(tmp_path: Path) -> None:
    table = outcome(tmp_path, json.dumps({"cardholder": "A Roe", "rows": [RECORD], "x": None}))
    assert isinstance(table, Table)
    assert table.parts[0].above == (("cardholder", "A Roe"),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[{"date": "x"}, {"date": ', "damaged"),
        ('[{"date": "x"}] [{"date": "y"}]', "damaged"),
        ('[{"amount": 1, "amount": 2}]', "damaged"),
        ('[{"amount": NaN}]', "damaged"),
        ("[" * 100_000, "damaged"),
        (f'[{{"amount": {"9" * 50_000}}}]', "cell_too_long"),
        ('[{"merchant": "\\ud800"}]', "zero_bytes"),
        ('[{"merchant": "a\\u0000b"}]', "zero_bytes"),
        ('[{"items": [{"amount": 1}], "amount": 1}]', "json"),
        ('[{"a": {"b": {"c": 1}}}]', "json"),
        ('[{"fields": {"amount": 1.5}, "attributes": {"amount": 9.5}}]', "json"),
        ('[{"merchant.name": "A", "merchant": {"name": "B"}}]', "json"),
        ('{"data": [{"date": "x"}], "other": {"payments": {"p1": {"date": "y"}}}}', "json"),
        ('{"data": [{"date": "x"}], "refunds": [{"date": "y"}, null]}', "json"),
        ('[["date", "amount"], ["2025-10-13", 1]]', "json"),
        ('{"date": "x"}\n{"date": "y", ', "damaged"),
        ('{"date": "x"}\nmore', "damaged"),
        ('{"columns": ["date", "amount"], "rows": [["x", 1], ["y"]]}', "json"),
        ('{"columns": ["date", "date"], "rows": [["x", "y"]]}', "json"),
        ("[]", "json"),
        ("{}", "json"),
        ('[{"date": "x"}, "y"]', "json"),
        ('{"a": [{"date": "x"}], "b": [{"date": "y"}]}', "json"),
        ('{"data": [{"date": "x"}], "has_more": true}', "incomplete"),
        ('{"data": [{"date": "x"}], "links": {"next": "https://x.test/2"}}', "incomplete"),
        ('{"data": [{"date": "x"}], "nextPageToken": "abc"}', "incomplete"),
        ('{"data": [{"date": "x"}], "totalCount": 250}', "incomplete"),
        ('{"data": [{"date": "x"}], "page": 1, "total": 250}', "incomplete"),
        ('{"data": [{"date": "x"}], "meta": {"page": 1, "total_pages": 3}}', "incomplete"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused(tmp_path: Path, text: str, code: str) -> None:
    refusal = outcome(tmp_path, text)
    assert isinstance(refusal, FileRefused), "it was read"
    assert refusal.code == code


def test_records_over_the_limits_are_refused(tmp_path: Path) -> None:
    cases = [
        ([RECORD] * 9, Limits(rows=5), "too_long"),
        ([{f"k{i}": "x" for i in range(300)}], LIMITS, "too_wide"),
        ([{f"k{i}": "x"} for i in range(300)], LIMITS, "too_wide"),
        ([{"a": "x" * 2_000}], Limits(cell_characters=1_000), "cell_too_long"),
    ]
    for content, limits, code in cases:
        refusal = outcome(tmp_path, json.dumps(content), limits)
        assert isinstance(refusal, FileRefused)
        assert refusal.code == code
