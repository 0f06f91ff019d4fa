"""Makes an organisation of another size from an organisation's payments.

A smaller one is some of its cardholders, whole. A larger one is all of them and further copies. A
copy is of people who buy the same things elsewhere: it has cardholders, units and rare merchants
of its own, lies some whole weeks apart, and pays other prices. So a copy adds ordinary payments and
makes no splits, duplicates or joint purchases with the cardholders that it was copied from.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cardwatch.errors import NothingToScore

MOST_COMMON_USERS = 8
"""A merchant with more cardholders is a national one, which every copy uses; as few as in
`cardwatch.features.together`, where a merchant is uncommon."""
OTHER_PRICES = (0.9, 1.1)
"""What a copy pays, of the original price; whole pounds stay, as they are agreed and not worked
out."""
OWN_COLUMNS = ("holder_id", "card_token", "unit", "cost_centre", "transaction_id")
SYLLABLES = ("BA", "DE", "FI", "GO", "KU", "LA", "ME", "NI", "PO", "RU", "SA", "TE", "VI", "WO")


def resize(transactions: pd.DataFrame, payments_per_month: int, seed: int) -> pd.DataFrame:
    """Return the payments of an organisation of another size.

    Args:
        transactions: real payments, history and all; see `records.TRANSACTION_COLUMNS`.
        payments_per_month: how many it is to have, on average of the months from the first to the
            last; met to within one cardholder.
        seed: of which cardholders are drawn, and of what their copies pay and when.

    Returns:
        Payments in the same columns, numbered anew.

    Raises:
        NothingToScore: there are no payments to draw from.
    """
    if transactions.empty:
        raise NothingToScore("There are no payments to make an organisation from.")
    dates = transactions["date"]
    months = (dates.max().to_period("M") - dates.min().to_period("M")).n + 1
    copies, rest = divmod(payments_per_month * months, len(transactions))
    rng = np.random.default_rng(seed)
    users = transactions.groupby("merchant")["holder_id"].transform("nunique")
    is_local = users <= MOST_COMMON_USERS
    parts = [_copy(transactions, is_local, number, rng) for number in range(copies)]
    is_drawn = transactions["holder_id"].isin(_drawn(transactions, rest, rng))
    parts.append(_copy(transactions[is_drawn], is_local[is_drawn], copies, rng))
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(row=np.arange(1, len(frame) + 1)).astype(transactions.dtypes.to_dict())


def _drawn(transactions: pd.DataFrame, payments: int, rng: np.random.Generator) -> pd.Index[str]:
    """Return cardholders at random who together have about so many payments."""
    counts = transactions["holder_id"].value_counts().sort_index()
    counts = counts.iloc[rng.permutation(len(counts))]
    before = counts.cumsum() - counts
    return counts.index[before + counts / 2 <= payments]


def _copy(
    transactions: pd.DataFrame, is_local: pd.Series[bool], number: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return a copy of cardholders; the first, number 0, is as they are."""
    if number == 0 or transactions.empty:
        return transactions
    mark = f"~{number}"
    own = {
        name: transactions[name].where(transactions[name] == "", transactions[name] + mark)
        for name in OWN_COLUMNS
    }
    place = "".join(rng.choice(SYLLABLES, 3))
    merchant = transactions["merchant"]
    date = _weeks_apart(transactions["date"], rng)
    return transactions.assign(
        **own,
        merchant=merchant.where(~is_local, place + " " + merchant),
        date=date,
        posting_date=date + (transactions["posting_date"] - transactions["date"]),
        amount_pence=_other_prices(transactions["amount_pence"], rng),
    )


def _weeks_apart(dates: pd.Series[pd.Timestamp], rng: np.random.Generator) -> pd.Series:
    """Return days moved on by whole weeks; what passes the last day goes on from the first."""
    first = dates.min()
    weeks = max(((dates.max() - first).days + 1) // 7, 1)
    moved = (dates - first).dt.days + 7 * int(rng.integers(weeks))
    return first + pd.to_timedelta(moved % (7 * weeks), unit="D")


def _other_prices(pence: pd.Series[int], rng: np.random.Generator) -> pd.Series:
    """Return sums at other prices; a factor for all, so that equal sums stay equal."""
    factor = rng.uniform(*OTHER_PRICES)
    return pence.where(pence % 100 == 0, (pence * factor).round().astype("int64"))
