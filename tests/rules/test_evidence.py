"""Evidence: an alert names the payments that its rule speaks of, and none of another holder's."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from cardwatch.alerts.grouping import EvidenceFinder
from cardwatch.features import Ledger, build_features
from cardwatch.policy import load_policy
from cardwatch.records import TRANSACTION_COLUMNS
from cardwatch.rules import load_rules

ADJUSTMENT = {"kind": "adjustment"}


def _line(row: int, payment: tuple[Any, ...]) -> dict[str, Any]:
    day, holder, merchant, pence, *more = payment
    line: dict[str, Any] = dict.fromkeys(TRANSACTION_COLUMNS, "")
    line |= {"file": "a.csv", "row": row, "cost_centre": "unit", "day_doubled": False}
    line |= {"date": day, "holder_id": holder, "merchant": merchant, "amount_pence": pence}
    line |= {"kind": "purchase" if pence > 0 else "refund"}
    return line | (more[0] if more else {})


@pytest.mark.parametrize(
    ("kind", "payments", "wanted"),
    [
        (
            "same_bill",
            [
                ("2026-01-01", "h1", "ALPHA", 43_752),  # 61 days
                ("2026-01-02", "h1", "ALPHA", 43_752),
                ("2026-02-02", "h2", "ALPHA", 43_750),
                ("2026-03-03", "h2", "ALPHA", 43_752),
            ],
            [1, 3],
        ),
        (
            "tiny_charge",
            [
                ("2026-03-01", "h1", "TRIAL SHOP", 100),
                ("2026-03-01", "h2", "OTHER TRIAL", 100),
                ("2026-03-02", "h1", "BRAVO", 7_000),
                ("2026-03-03", "h1", "CHARLIE", 43_752),
            ],
            [0, 3],
        ),
        (
            "disputes",
            [
                ("2026-03-01", "h1", "DISPUTE REFUND", -100, ADJUSTMENT),
                ("2026-03-01", "h2", "DISPUTE REFUND", -100, ADJUSTMENT),
                ("2026-03-02", "h1", "ALPHA", 7_000),
                ("2026-03-03", "h1", "DISPUTE REFUND", -200, ADJUSTMENT),
            ],
            [0, 3],
        ),
        (
            "holder_day",
            [
                ("2026-03-01", "h1", "ALPHA", 100),
                ("2026-03-02", "h1", "BRAVO", 100),
                ("2026-03-02", "h2", "BRAVO", 100),
                ("2026-03-02", "h1", "CHARLIE", 100),
            ],
            [1, 3],
        ),
        (
            "holder_merchant_month",
            [
                ("2026-03-01", "h1", "ALPHA", 100),  # 30 days back: day 31
                ("2026-03-02", "h1", "ALPHA", 100),
                ("2026-03-20", "h2", "ALPHA", 100),
                ("2026-03-31", "h1", "ALPHA", 100),
            ],
            [1, 3],
        ),
        (
            "unit_merchant_month",
            [
                ("2026-03-02", "h1", "ALPHA", 100),
                ("2026-03-20", "h2", "ALPHA", 100),
                ("2026-03-20", "h3", "ALPHA", 100, {"cost_centre": "other"}),
                ("2026-03-31", "h1", "ALPHA", 100),
            ],
            [0, 1, 3],
        ),
        (
            "merchant_month",
            [
                ("2026-03-02", "h1", "ALPHA", 100),
                ("2026-03-20", "h2", "ALPHA", 100, {"cost_centre": "other"}),
                ("2026-03-20", "h2", "BRAVO", 100),
                ("2026-03-31", "h1", "ALPHA", 100),
            ],
            [0, 1, 3],
        ),
    ],
)
def test_the_last_payment_stands_with_its_neighbours(
    kind: str, payments: list[tuple[Any, ...]], wanted: list[int]
) -> None:
    lines = [_line(row, payment) for row, payment in enumerate(payments)]
    frame = pd.DataFrame(lines)
    frame["date"] = frame["posting_date"] = pd.to_datetime(frame["date"]).astype("datetime64[s]")
    frame = frame.astype({"day_doubled": "bool"})
    ledger = Ledger(frame, load_policy())
    rule, last = next(one for one in load_rules() if one.evidence == kind), len(frame) - 1
    found = EvidenceFinder(ledger, build_features(ledger)).finding(rule, last)
    assert sorted({*found.evidence.tolist(), last}) == wanted
    assert found.pence == frame["amount_pence"][wanted].sum()
