"""A card in other hands: disputes the bank has booked, charges that look like a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardwatch.features import dispute

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]

BOOKED = {"kind": "adjustment"}


@pytest.mark.parametrize(
    ("merchant", "kind", "found"),
    [
        ("DISPUTE REFUND", "adjustment", True),
        ("CR IN RESPECT OF DISPUTED", "adjustment", True),
        ("PSD FRAUD TEMP. CREDIT", "adjustment", True),
        ("credit adjustment", "adjustment", False),
        ("DISPUTE RESOLUTION TRAINING", "purchase", False),
        ("Fraud Awareness Courses", "refund", False),
    ],
)
def test_a_dispute_is_what_the_bank_books_under_its_own_words(
    make_ledger: MakeLedger, merchant: str, kind: str, *, found: bool
) -> None:
    ledger = make_ledger([("2026-03-02", "h", merchant, -100, {"kind": kind})])
    assert dispute.is_dispute_booking(ledger).tolist() == [found]


def test_a_holders_disputes_are_counted_thirty_days_back_without_the_day_itself(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-01", "h", "DISPUTE REFUND", -100, BOOKED),
        ("2026-03-01", "h", "ALPHA", 100),
        ("2026-03-31", "h", "ALPHA", 100),
        ("2026-03-31", "other", "ALPHA", 100),
        ("2026-04-01", "h", "ALPHA", 100),
    ]
    assert dispute.dispute_before_count(make_ledger(payments)).tolist() == [0, 0, 1, 0, 0]


def test_a_tiny_charge_at_a_new_merchant_is_counted_for_two_days(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-02", "h", "TRIAL SHOP", 200),
        ("2026-03-02", "h", "BRAVO", 20_000),
        ("2026-03-04", "h", "CHARLIE", 20_000),
        ("2026-03-04", "other", "DELTA", 20_000),
        ("2026-03-05", "h", "ECHO", 20_000),
    ]
    ledger = make_ledger(payments)
    assert dispute.is_tiny_charge(ledger).tolist() == [True, False, False, False, False]
    assert dispute.tiny_charge_count(ledger).tolist() == [0, 1, 1, 0, 0]


def test_a_trial_at_the_same_merchant_is_its_own_affair(make_ledger: MakeLedger) -> None:
    payments = [("2026-03-02", "h", "ALPHA", 100), ("2026-03-03", "h", "ALPHA", 20_000)]
    assert dispute.tiny_charge_count(make_ledger(payments)).tolist() == [0, 0]


def test_a_known_merchant_a_larger_sum_and_a_refund_are_no_trial(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-02-01", "other", "ALPHA", 5_000),
        ("2026-03-02", "h", "ALPHA", 100),
        ("2026-03-02", "h", "BRAVO", 201),
        ("2026-03-02", "h", "CHARLIE", -100),
    ]
    assert not dispute.is_tiny_charge(make_ledger(payments)).any()
