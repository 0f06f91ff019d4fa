"""Partitions: what is written is what is read, to the penny and the type; what is not fails."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cardwatch.errors import CardwatchError
from cardwatch.partitions import list_partitions, read_partition, write_partition
from cardwatch.policy import load_policy

if TYPE_CHECKING:
    from pathlib import Path

    from cardwatch.records import CardRegister, Statements


def _rewrite(path: Path, change: dict[str, pa.Array | None]) -> None:
    table = pq.read_table(path)
    for name, values in change.items():
        place = table.column_names.index(name)
        table = table.remove_column(place)
        if values is not None:
            table = table.add_column(place, name, values)
    out = io.BytesIO()
    pq.write_table(table, out)
    path.write_bytes(out.getvalue())


def test_what_is_written_is_read(
    tmp_path: Path, sample: Statements, sample_cards: CardRegister
) -> None:
    policy = "[[single_purchase]]\nfrom = 2020-01-01\npounds = 500\n"
    name = "St. Mary's & Vale/Ü"
    count = write_partition(
        str(tmp_path), name, sample.transactions, policy_text=policy, cards=sample_cards
    )
    assert count == 4, "two years, a policy and the cards"
    (partition,) = list_partitions(str(tmp_path))
    assert partition.organisation == name
    content = read_partition(partition)
    order = ["date", "file", "row"]
    written = sample.transactions.sort_values(order, kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(content.transactions, written)
    assert content.cards is not None
    pd.testing.assert_frame_equal(content.cards.cards, sample_cards.cards, check_dtype=False)
    assert content.policy is not None
    assert content.policy.single_purchase[0].pence == 50_000


def test_an_organisation_may_have_no_policy(tmp_path: Path, sample: Statements) -> None:
    write_partition(str(tmp_path), "Vale", sample.transactions)
    content = read_partition(list_partitions(str(tmp_path))[0])
    assert (content.policy, content.cards) == (None, None)
    assert load_policy() is not None


def test_same_payments_same_bytes(tmp_path: Path, sample: Statements) -> None:
    shuffled = sample.transactions.sample(frac=1, random_state=3)
    for folder, rows in (("a", sample.transactions), ("b", shuffled)):
        write_partition(str(tmp_path / folder), "Vale", rows)
    hashes = [list_partitions(str(tmp_path / folder))[0].files for folder in "ab"]
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount_pence": None}, "has no column amount_pence"),
        ({"amount_pence": "floats"}, "cannot be read as Parquet with the columns"),
        ({"amount_pence": "gaps"}, "has empty values"),
    ],
)
def test_a_faulty_file_is_refused(
    tmp_path: Path, sample: Statements, change: dict[str, str | None], reason: str
) -> None:
    write_partition(str(tmp_path), "Vale", sample.transactions)
    path = tmp_path / "organisation=Vale" / "2026.parquet"
    rows = pq.read_table(path).num_rows
    values = {"floats": pa.array([1.5] * rows), "gaps": pa.array([None] * rows, pa.int64())}
    _rewrite(path, {name: values.get(str(kind)) for name, kind in change.items()})
    with pytest.raises(CardwatchError, match=reason):
        read_partition(list_partitions(str(tmp_path))[0])


def test_no_parquet_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "organisation=Vale"
    folder.mkdir()
    (folder / "2026.parquet").write_bytes(b"not a table")
    with pytest.raises(CardwatchError, match=r"2026\.parquet cannot be read"):
        read_partition(list_partitions(str(tmp_path))[0])


def test_a_change_after_listing_is_refused(tmp_path: Path, sample: Statements) -> None:
    write_partition(str(tmp_path), "Vale", sample.transactions)
    (partition,) = list_partitions(str(tmp_path))
    write_partition(str(tmp_path), "Vale", sample.transactions.head(100))
    with pytest.raises(CardwatchError, match="was changed while it was in use"):
        read_partition(partition)


@pytest.mark.parametrize("root", ["", "gopher://nowhere/x"])
def test_a_folder_without_partitions_is_refused(tmp_path: Path, root: str) -> None:
    with pytest.raises(CardwatchError):
        list_partitions(root or str(tmp_path))


def test_two_folders_of_one_organisation_are_refused(tmp_path: Path) -> None:
    for folder in ("organisation=A B", "organisation=A%20B"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "2026.parquet").write_bytes(b"")
    with pytest.raises(CardwatchError, match="two folders of A B"):
        list_partitions(str(tmp_path))
