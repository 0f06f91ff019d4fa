"""Small frames of transactions and their ledgers, made from the few columns a test is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from cardwatch.features import Ledger
from cardwatch.policy import parse_policy
from cardwatch.records import TRANSACTION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    MakeFrame = Callable[..., pd.DataFrame]
    MakeLedger = Callable[..., Ledger]

NAMED = ("date", "holder_id", "merchant", "amount_pence")
LIMIT_100 = '[[single_purchase]]\nfrom = 2000-01-01\npounds = 100\nvat = "included"\n'


def _frame(payments: Sequence[tuple[Any, ...]], **columns: Any) -> pd.DataFrame:
    """Return a transactions frame from (date, holder, merchant, pence, {other columns}) tuples.

    The sign makes a purchase or a refund; `columns` give a whole column at once.
    """
    lines = []
    for position, payment in enumerate(payments):
        line: dict[str, Any] = dict.fromkeys(TRANSACTION_COLUMNS, "")
        line |= {"file": "a.csv", "row": position + 2, "cost_centre": "unit", "currency": "GBP"}
        line |= {"day_doubled": False, "kind": "purchase" if payment[3] >= 0 else "refund"}
        line |= dict(zip(NAMED, payment, strict=False)) | (payment[4] if len(payment) > 4 else {})
        lines.append(line)
    frame = pd.DataFrame(lines, columns=list(TRANSACTION_COLUMNS)).assign(**columns)
    days = pd.to_datetime(frame["date"]).astype("datetime64[s]")
    frame = frame.assign(date=days, posting_date=days)
    return frame.astype({"amount_pence": "int64", "row": "int64", "day_doubled": "bool"})


@pytest.fixture(scope="session")
def make_frame() -> MakeFrame:
    """Return the function that makes a frame of transactions."""
    return _frame


@pytest.fixture(scope="session")
def make_ledger() -> MakeLedger:
    """Return a function that makes a ledger; its policy has a limit of 100 pounds."""

    def make(
        payments: Sequence[tuple[Any, ...]], policy: str = LIMIT_100, **columns: Any
    ) -> Ledger:
        return Ledger(_frame(payments, **columns), parse_policy(policy, "policy.toml"))

    return make
