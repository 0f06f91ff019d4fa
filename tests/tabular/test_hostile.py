"""Hostile and broken files end in a named refusal, and never harm the file read next to them."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import (
    BOMBS,
    GOOD,
    MIB,
    laughing_workbook,
    repacked,
    repeating_ods,
    sheet_xml,
    xlsx,
    zipped,
)

from cardwatch.errors import FileRefused
from cardwatch.tabular import Limits, Table, read_tables

KNOWN = frozenset({"date", "holder", "merchant", "amount"})
SMALL = Limits(memory_bytes=512 * MIB, cpu_seconds=10, wall_seconds=30)


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[Table | FileRefused, Table | FileRefused]]]:
    """Read every bomb, and in the same process after each of them a good file."""
    folder = tmp_path_factory.mktemp("hostile") / "deep" / "inside"
    folder.mkdir(parents=True)
    names = list(BOMBS)
    lanes = os.cpu_count() or 1
    order: list[tuple[str, Path]] = []
    for start in range(0, len(names), lanes):
        group = (names[start : start + lanes] * lanes)[:lanes]  # the last group is filled up
        for kind in ("bomb", "good"):
            for lane, name in enumerate(group):
                path = folder / f"{start}-{lane}-{kind}.xls"
                path.write_bytes(BOMBS[name][1]() if kind == "bomb" else GOOD)
                order.append((name, path))
    began = time.monotonic()
    found = read_tables([path for _, path in order], KNOWN, SMALL)
    assert time.monotonic() - began < 60, "hostile files kept the reader busy"
    result: dict[str, tuple[Table | FileRefused, Table | FileRefused]] = {}
    for start in range(0, len(order), 2 * lanes):
        for lane in range(lanes):
            pair = found[start + lane], found[start + lanes + lane]
            result[order[start + lane][0]] = pair
    yield result
    assert not list(folder.parents[1].glob("*.txt")), "an archive wrote outside its folder"


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_file_is_refused_by_name_and_the_next_file_is_read(
    name: str, outcomes: dict[str, tuple[Table | FileRefused, Table | FileRefused]]
) -> None:
    bomb, good = outcomes[name]
    assert isinstance(good, Table)
    assert good.headings == ("Date", "Holder", "Merchant", "Amount")
    assert good.cells.num_rows == 2
    assert isinstance(bomb, FileRefused), "it was read"
    assert bomb.code in BOMBS[name][0].split(), str(bomb)
    assert str(bomb).startswith(bomb.file)
    assert len(str(bomb)) < 300


def refusal(folder: Path, data: bytes, limits: Limits) -> FileRefused:
    (folder / "a").write_bytes(data)
    (found,) = read_tables([folder / "a"], KNOWN, limits)
    assert isinstance(found, FileRefused), "it was read"
    return found


def test_entities_inside_a_workbook_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "laughs.xlsx").write_bytes(laughing_workbook())
    (found,) = read_tables([tmp_path / "laughs.xlsx"], KNOWN, SMALL)
    if isinstance(found, Table):
        assert sum(map(len, found.headings)) < 1000
    else:
        assert found.code == "damaged"


def test_a_workbook_that_repeats_a_few_rows_and_columns_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.ods").write_bytes(repeating_ods(3, 2))
    (found,) = read_tables([tmp_path / "a.ods"], KNOWN, SMALL)
    assert isinstance(found, Table)
    assert (found.form, found.headings, found.cells.num_rows) == ("ods", ("x", "x"), 2)


@pytest.mark.parametrize("data", [GOOD * 3, xlsx([["Date", "Amount"]] * 9)], ids=["csv", "xlsx"])
def test_a_file_with_too_many_rows_is_refused_and_not_cut(tmp_path: Path, data: bytes) -> None:
    assert refusal(tmp_path, data, Limits(rows=3)).code == "too_long"


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        (GOOD, Limits(text_bytes=len(GOOD) - 1)),
        (xlsx(), Limits(workbook_bytes=1000)),
    ],
    ids=["csv", "xlsx"],
)
def test_a_file_over_the_size_limit_is_refused(tmp_path: Path, data: bytes, limits: Limits) -> None:
    assert refusal(tmp_path, data, limits).code == "too_large"


def test_an_archive_over_the_size_limit_is_refused_before_its_names_are_listed(
    tmp_path: Path,
) -> None:
    data = zipped({"xl/workbook.xml": "x"}, copies=300)
    assert refusal(tmp_path, data, Limits(workbook_bytes=1000)).code == "too_large"


def test_a_workbook_with_a_cell_over_the_limit_is_refused(tmp_path: Path) -> None:
    data = xlsx([["Date", "Merchant"], ["2026-01-05", "x" * 2000]])
    assert refusal(tmp_path, data, Limits(cell_characters=1000)).code == "cell_too_long"


def test_a_file_that_takes_too_long_is_stopped_and_the_next_is_read(tmp_path: Path) -> None:
    slow, good = tmp_path / "slow.xlsx", tmp_path / "good.csv"
    row = "<row><c><v>1</v></c></row>"
    change = {"xl/worksheets/sheet1.xml": sheet_xml(row * 1_500_000)}
    slow.write_bytes(repacked(change))
    good.write_bytes(GOOD)
    lanes = os.cpu_count() or 1
    limits = Limits(archive_ratio=10_000, cpu_seconds=1)
    found = read_tables([slow] * lanes + [good], KNOWN, limits)
    assert isinstance(found[0], FileRefused)
    assert found[0].code == "too_slow"
    assert isinstance(found[-1], Table)


def test_a_missing_file_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_bytes(GOOD)
    missing, good = read_tables([tmp_path / "gone.csv", tmp_path / "good.csv"], KNOWN, SMALL)
    assert isinstance(missing, FileRefused)
    assert missing.code == "unreadable"
    assert "gone.csv" in str(missing)
    assert str(tmp_path) not in str(missing)
    assert isinstance(good, Table)


def test_a_quotation_never_closed_does_not_swallow_rows_in_silence(tmp_path: Path) -> None:
    rows = [f"2026-01-0{day},H1,A shop,{day}.00,for the office" for day in range(1, 8)]
    rows[2] = rows[2].replace("for the", '"for the')
    text = "Date,Holder,Merchant,Amount,Description\n" + "\n".join(rows) + "\n"
    assert refusal(tmp_path, text.encode(), SMALL).code in {"cell_too_long", "quotes"}


def test_no_files_at_all_give_no_tables() -> None:
    assert read_tables([], KNOWN, SMALL) == []
