"""The shareable aggregate: nothing small can be told from it, and no change goes unseen."""

from __future__ import annotations

import dataclasses
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from cardwatch.errors import CardwatchError
from cardwatch.reports.aggregate import (
    AGGREGATE_SCHEMA,
    COUNT_STEP,
    FEWEST_HOLDERS,
    OTHERS,
    POUNDS_STEP,
    Aggregate,
    CommonPolicy,
    PublishedCell,
    SharePair,
    SpendingCell,
    check_threshold,
    published_cells,
    read_aggregate,
    share_pair,
    sign_aggregate,
)
from cardwatch.signed_files import sign_content

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PACK = CommonPolicy("Pack", "Owner", "2027.1", "a" * 64)
MADE = Aggregate(
    organisation="Vale", quarter="2026-Q3", made_on="2026-10-14", cardwatch="1", threshold=10,
    purchases=1_000, pounds=50_000, cardholders=60, uncovered_days=2,
    months=(PublishedCell("2026-07", 1_000, 50_000),), categories=(),
    shares={"alerts": SharePair(20, 1_000), "common_split_alerts": SharePair(10, 1_000)},
    median_answer_days=6, common_policy=PACK, registers={"cards": 60},
)  # fmt: skip
CELL = st.builds(
    SpendingCell,
    name=st.text("abcdef", min_size=1, max_size=6),
    purchases=st.integers(1, 60),
    pence=st.integers(1, 10**7),
    holders=st.integers(1, 12),
    largest_pence=st.just(0),
)


def _cells(drawn: list[SpendingCell]) -> list[SpendingCell]:
    """Return cells that may be: no more holders than purchases, the largest among their money."""
    return [
        dataclasses.replace(
            cell,
            holders=min(cell.holders, cell.purchases),
            largest_pence=cell.pence // min(cell.holders, cell.purchases),
        )
        for cell in drawn
    ]


@given(st.lists(CELL, max_size=12, unique_by=lambda cell: cell.name), st.integers(5, 30))
def test_total_less_cells_is_never_small(drawn: list[SpendingCell], threshold: int) -> None:
    """The attack: whoever has the total takes from it all that is published by name."""
    cells = _cells(drawn)
    published = {cell.name for cell in published_cells(cells, threshold)}
    named = [cell for cell in cells if cell.name in published]
    rest = [cell for cell in cells if cell.name not in published]
    assert all(cell.purchases >= threshold for cell in named)
    assert all(cell.holders >= FEWEST_HOLDERS for cell in named)
    if published and rest:
        assert OTHERS in published
        assert sum(cell.purchases for cell in rest) >= threshold
        assert max(cell.holders for cell in rest) >= FEWEST_HOLDERS


def test_one_small_cell_takes_another_along() -> None:
    cells = [
        SpendingCell("Hotels", 300, 900_00, 40, 90_00),
        SpendingCell("Taxis", 40, 400_00, 20, 40_00),
        SpendingCell("Veterinary", 1, 99_00, 1, 99_00),
    ]
    published = published_cells(cells, 10)
    assert [cell.name for cell in published] == ["Hotels", OTHERS]


def test_a_cell_of_mostly_one_person_is_hidden() -> None:
    cells = [
        SpendingCell("Hotels", 300, 9_000_00, 40, 90_00),
        SpendingCell("Boats", 50, 80_000_00, 12, 79_000_00),
    ]
    assert published_cells(cells, 10) == (), "the rest would be Boats alone"


@given(st.integers(0, 400), st.integers(0, 400), st.integers(5, 30))
def test_a_share_tells_no_small_count(count: int, more: int, threshold: int) -> None:
    pair = share_pair(count, count + more, threshold)
    if min(count, more) < threshold:
        assert pair is None
    else:
        assert pair is not None
        assert (pair.count % COUNT_STEP, pair.total % COUNT_STEP) == (0, 0)


@given(st.lists(CELL, min_size=3, max_size=9, unique_by=lambda cell: cell.name), st.data())
def test_two_issues_differ_by_a_step(drawn: list[SpendingCell], data: st.DataObject) -> None:
    """The attack: the difference of two files, the later with one late payment more."""
    cells = _cells(drawn)
    place = data.draw(st.integers(0, len(cells) - 1))
    pence = data.draw(st.integers(1, 500_00))
    later = [*cells]
    changed = dataclasses.replace(
        cells[place], purchases=cells[place].purchases + 1, pence=cells[place].pence + pence
    )
    later[place] = changed
    before, after = (
        {cell.name: cell for cell in published_cells(some, 10)} for some in (cells, later)
    )
    for name in before.keys() & after.keys():
        if before.keys() != after.keys():
            continue
        assert abs(after[name].purchases - before[name].purchases) in {0, COUNT_STEP}
        assert abs(after[name].pounds - before[name].pounds) in {0, POUNDS_STEP}


def test_what_is_signed_is_read() -> None:
    read = read_aggregate("a.json", sign_aggregate(MADE, KEY))
    assert dataclasses.replace(read, public_key="") == MADE
    assert len(read.fingerprint) == 16


def _first_version(**changes: object) -> bytes:
    """Return a file as the version before common policies and registers wrote it, signed."""
    content = dataclasses.asdict(MADE) | {"shares": {"alerts": {"count": 20, "total": 1_000}}}
    for name in ("common_policy", "registers", "public_key"):
        del content[name]
    return sign_content({"schema": AGGREGATE_SCHEMA, "version": 1} | content | changes, KEY)


def test_a_file_of_version_1_is_still_read() -> None:
    read = read_aggregate("old.json", _first_version())
    assert (read.common_policy, read.registers) == (None, {})
    assert read.shares == {"alerts": SharePair(20, 1_000)}


@pytest.mark.parametrize("version", [0, 3, "2", None, [2]])
def test_another_version_is_refused_in_words(version: object) -> None:
    with pytest.raises(CardwatchError, match=r"of another version\. Ask for version 1 or 2"):
        read_aggregate("new.json", _first_version(version=version))


@pytest.mark.parametrize(
    "change",
    [
        {"organisation": "Other"}, {"purchases": 999}, {"version": 1}, {"version": 3},
        {"schema": "x"}, {"registers": {"cards": 50}}, {"common_policy": None},
        {"shares": {}}, {"signature": "AAAA"}, {"public_key": "00" * 32}, {"public_key": "zz"},
        {"months": None},
    ],
)  # fmt: skip
def test_a_changed_file_is_refused(change: dict[str, object]) -> None:
    content = json.loads(sign_aggregate(MADE, KEY)) | change
    with pytest.raises(CardwatchError, match=r"a\.json: "):
        read_aggregate("a.json", json.dumps(content).encode())


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"schema": 1}', b" " * 300_000]
)
def test_what_is_no_aggregate_is_refused(data: bytes) -> None:
    with pytest.raises(CardwatchError, match=r"a\.json: "):
        read_aggregate("a.json", data)


@pytest.mark.parametrize(
    "change",
    [
        {"purchases": -5}, {"purchases": 1.5}, {"purchases": True}, {"organisation": "x" * 999},
        {"shares": {"alerts": SharePair(9, 5)}}, {"uncovered_days": "none"},
        {"quarter": ""}, {"quarter": "Q3 2026"}, {"quarter": "2026-Q5"}, {"quarter": "2026-Q3-"},
        {"made_on": "today"}, {"made_on": "2026-02-30"},
        {"common_policy": None}, {"common_policy": dataclasses.replace(PACK, sha256="zz")},
        {"common_policy": dataclasses.replace(PACK, name="x" * 999)}, {"registers": {"cards": -5}},
    ],
)  # fmt: skip
def test_a_signed_file_with_wrong_values_is_refused(change: dict[str, object]) -> None:
    wrong = sign_aggregate(dataclasses.replace(MADE, **change), KEY)  # type: ignore[arg-type]
    with pytest.raises(CardwatchError, match=r"a\.json: "):
        read_aggregate("a.json", wrong)


def test_a_threshold_below_five_is_refused() -> None:
    check_threshold(5)
    with pytest.raises(CardwatchError, match="5 or more"):
        check_threshold(4)
