"""An organisation of another size: whole cardholders, and copies that make no cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from cardwatch.errors import NothingToScore
from cardwatch.evaluation.sizes import resize

if TYPE_CHECKING:
    from cardwatch.records import Statements


def months_of(frame: pd.DataFrame) -> int:
    return int((frame["date"].max().to_period("M") - frame["date"].min().to_period("M")).n) + 1


@pytest.mark.parametrize("per_month", [100, 350, 1_000])
def test_it_has_so_many_payments_a_month_to_within_one_cardholder(
    sample: Statements, per_month: int
) -> None:
    resized = resize(sample.transactions, per_month, 3)
    most = sample.transactions["holder_id"].value_counts().max()
    assert abs(len(resized) - per_month * months_of(sample.transactions)) <= most
    assert list(resized.columns) == list(sample.transactions.columns)
    assert (resized.dtypes == sample.transactions.dtypes).all()
    assert resized["row"].is_unique


def test_a_smaller_one_keeps_its_cardholders_whole(sample: Statements) -> None:
    resized = resize(sample.transactions, 100, 3)
    original = sample.transactions["holder_id"].value_counts()
    kept = resized["holder_id"].value_counts()
    assert 0 < len(kept) < len(original)
    assert kept.to_dict() == original[kept.index].to_dict()


def test_copies_pay_no_equal_bill_at_a_rare_merchant_and_share_no_card(sample: Statements) -> None:
    resized = resize(sample.transactions, 1_000, 3)
    is_copied = resized["holder_id"].str.contains("~", regex=False)
    assert is_copied.any()
    assert set(resized["date"]) <= set(
        pd.date_range(*sample.transactions["date"].agg(["min", "max"]))
    )
    users = sample.transactions.groupby("merchant")["holder_id"].nunique()
    rare = set(users.index[users <= 8])
    assert not set(resized.loc[is_copied, "merchant"]) & rare
    for name in ("holder_id", "card_token"):
        shared = set(resized.loc[is_copied, name]) & set(resized.loc[~is_copied, name])
        assert shared <= {""}, name


def test_the_same_seed_makes_the_same_and_another_one_another(sample: Statements) -> None:
    first, again, other = (resize(sample.transactions, 1_000, seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_nothing_can_be_made_of_nothing(sample: Statements) -> None:
    with pytest.raises(NothingToScore, match="no payments"):
        resize(sample.transactions.iloc[:0], 500, 3)
