"""A merchant surprises where others use it and neither the holder nor their neighbours do."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cardwatch.features import likelihood

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]
    Numbers = np.ndarray[Any, np.dtype[np.float64]]

GARAGE, OFFICE = ("TYRES DIRECT", "OIL SUPPLY"), ("PAPER MILL", "PRINT WORKS")
CODES = {"TYRES DIRECT": "5532", "OIL SUPPLY": "5172", "PAPER MILL": "5111", "PRINT WORKS": "2741"}


def _two_groups(*last: tuple[str, str, str], coded: bool = True) -> list[tuple[Any, ...]]:
    """Return four months of two groups of holders with their own merchants, then some payments."""
    lines = []
    for month in range(1, 5):
        for who in range(6):
            group, shops = ("garage", GARAGE) if who < 3 else ("office", OFFICE)
            lines += [
                (f"2026-{month:02}-{3 + 4 * i + who:02}", f"{group}{who}", shops[i % 2], 2_000)
                for i in range(5)
                # One holder of each group has never used its second merchant.
                if not (who in {0, 3} and i % 2)
            ]
    lines += [(*payment, 2_000) for payment in last]
    return [(*x, {"mcc": CODES.get(x[2], "") if coded else "", "category": ""}) for x in lines]


def _last(ledger: Ledger, count: int) -> list[float]:
    return likelihood.merchant_surprise(ledger).tolist()[-count:]


def test_another_groups_merchant_surprises_more_than_one_the_holders_neighbours_use(
    make_ledger: MakeLedger,
) -> None:
    day = "2026-05-10"
    lines = _two_groups((day, "office3", "OIL SUPPLY"), (day, "office3", "PRINT WORKS"))
    other_group, neighbours = _last(make_ledger(lines), 2)
    assert other_group > neighbours + 1


def test_a_merchant_the_holder_always_uses_does_not_surprise(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "office3", "PAPER MILL"))
    assert _last(make_ledger(lines), 1) == [0]


def test_once_used_another_groups_merchant_surprises_less_the_next_time(
    make_ledger: MakeLedger,
) -> None:
    days = ("2026-05-10", "2026-05-11")
    first, second = _last(
        make_ledger(_two_groups(*[(d, "office3", "OIL SUPPLY") for d in days])), 2
    )
    assert first > second


def test_a_category_surprises_like_its_merchants_do(make_ledger: MakeLedger) -> None:
    day = "2026-05-10"
    lines = _two_groups((day, "office3", "OIL SUPPLY"), (day, "office3", "PRINT WORKS"))
    other_group, neighbours = likelihood.category_surprise(make_ledger(lines)).tolist()[-2:]
    assert other_group > neighbours + 1


def test_where_no_category_is_known_no_category_surprises(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "office3", "OIL SUPPLY"), coded=False)
    ledger = make_ledger(lines)
    assert (likelihood.category_surprise(ledger) == 0).all()
    assert likelihood.merchant_surprise(ledger)[-1] > 0


def test_a_column_that_nobody_filled_before_says_nothing_the_first_month_it_is_filled(
    make_ledger: MakeLedger,
) -> None:
    lines = _two_groups(coded=False)
    lines.append(("2026-05-10", "office3", "OIL SUPPLY", 2_000, {"mcc": "5172", "category": ""}))
    assert likelihood.category_surprise(make_ledger(lines))[-1] == 0


def test_a_category_in_words_stands_in_where_there_is_no_code(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "office3", "OIL SUPPLY"))
    worded = [(*x[:4], {"mcc": "", "category": f"Kind {x[4]['mcc']}"}) for x in lines]
    by_code = likelihood.category_surprise(make_ledger(lines))
    by_words = likelihood.category_surprise(make_ledger(worded))
    assert by_words[-1] > 0
    assert by_words.tolist() == by_code.tolist()


def test_a_refund_and_the_first_month_have_no_surprise(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "office3", "OIL SUPPLY"))
    lines.append(("2026-05-11", "office4", "OIL SUPPLY", -2_000))
    ledger = make_ledger(lines)
    surprise = likelihood.merchant_surprise(ledger)
    assert surprise[-1] == 0
    assert (surprise[ledger.month == ledger.month[0]] == 0).all()


def test_a_single_holder_without_neighbours_is_scored_all_the_same(make_ledger: MakeLedger) -> None:
    lines = [(f"2026-0{m}-10", "h", name, 100) for m in (1, 2, 3) for name in ("ALPHA", "BRAVO")]
    surprise = likelihood.merchant_surprise(make_ledger([*lines, ("2026-04-01", "h", "NEW", 100)]))
    assert np.isfinite(surprise).all()


def test_a_holder_who_is_new_this_month_is_scored_all_the_same(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "novice", "OIL SUPPLY"))
    assert np.isfinite(likelihood.merchant_surprise(make_ledger(lines))).all()


def test_a_holder_without_history_is_surprised_by_no_merchant_more_than_by_any_other(
    make_ledger: MakeLedger,
) -> None:
    day = "2026-05-10"
    bought = [(day, who, name) for who in ("novice", "office3") for name in (*GARAGE, *OFFICE)]
    surprise = _last(make_ledger(_two_groups(*bought)), len(bought))
    novice, known = surprise[:4], surprise[4:]
    assert max(novice) - min(novice) < 0.01
    assert max(novice) < max(known)


def test_the_more_a_holder_has_paid_elsewhere_the_more_another_groups_merchant_surprises(
    make_ledger: MakeLedger,
) -> None:
    lines = _two_groups()
    for month in range(1, 5):
        lines += [(f"2026-{month:02}-01", "newer", "PAPER MILL", 2_000)] * (month == 4)
        lines += [(f"2026-{month:02}-01", "older", "PAPER MILL", 2_000)] * 5
    last = [("2026-05-10", who, "OIL SUPPLY", 2_000) for who in ("novice", "newer", "older")]
    novice, newer, older = _last(make_ledger([*lines, *last]), 3)
    assert newer < older
    assert novice < older


def _months(count: int) -> list[tuple[Any, ...]]:
    """Return some months of payments by holders of several tastes, with purposes."""
    random = np.random.default_rng(8)
    shops = [f"{name} SHOP" for name in ("ALPHA", "BRAVO", "CHARLIE", "DELTA", "ECHO", "FOXTROT")]
    lines = []
    for month, _ in itertools.product(range(1, count + 1), range(40)):
        who = int(random.integers(8))
        taste = (who % 3 * 2 + int(random.exponential(0.9))) % len(shops)
        more = {"mcc": f"51{taste // 2:02}", "description": ("post", "paper", "tools")[taste % 3]}
        day = f"2026-{month:02}-{int(random.integers(1, 28)):02}"
        lines.append((day, f"h{who}", shops[taste], 2_000, more))
    return lines


SURPRISES = (
    likelihood.merchant_surprise,
    likelihood.category_surprise,
    likelihood.purpose_surprise,
)


def _table(ledger: Ledger) -> Numbers:
    """Return all three surprises, a row a payment, in an order that names and rows do not make."""
    columns = np.stack([surprise(ledger) for surprise in SURPRISES], axis=1)
    return columns[np.argsort(ledger.frame["transaction_id"].to_numpy())]


def _numbered(lines: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Give every payment a reference by which it is found again."""
    return [(*x[:4], {**x[4], "transaction_id": f"{i:06}"}) for i, x in enumerate(lines)]


def test_what_holders_are_called_and_how_their_rows_stand_in_a_day_changes_nothing(
    make_ledger: MakeLedger,
) -> None:
    lines = _numbered(_months(5))
    renamed = [(x[0], f"{7 - int(x[1][1:])} holder", *x[2:]) for x in reversed(lines)]
    one, other = _table(make_ledger(lines)), _table(make_ledger(renamed))
    assert (one.max(axis=0) > 0.5).all()
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_holders_payments_and_purposes_of_later_months_change_nothing_before_them(
    make_ledger: MakeLedger,
) -> None:
    lines = _numbered(_months(6))
    joined = [
        (f"2026-07-{day:02}", f"new{day}", "ALPHA SHOP", 2_000, {"description": f"job {day}"})
        for day in range(1, 20)
    ]
    early = [x for x in lines if x[0] < "2026-05"]
    late = [x for x in lines if x[0] >= "2026-05"]
    known, all_told = _table(make_ledger(early)), make_ledger(_numbered([*early, *late, *joined]))
    assert (known.max(axis=0) > 0.5).all()
    np.testing.assert_allclose(_table(all_told)[: len(early)], known, atol=1e-9)


def test_however_many_holders_are_looked_at_at_once_the_surprise_is_the_same(
    make_ledger: MakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = _numbered(_months(5))
    together = _table(make_ledger(lines))
    for at_once in (1, 3):
        monkeypatch.setattr(likelihood, "HOLDERS_AT_ONCE", at_once)
        np.testing.assert_allclose(_table(make_ledger(lines)), together, atol=1e-12)


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_with_more_holders_than_are_compared_another_groups_merchant_still_surprises_more(
    make_ledger: MakeLedger, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(likelihood, "MOST_COMPARED", most)
    day = "2026-05-10"
    lines = _two_groups((day, "office3", "OIL SUPPLY"), (day, "office3", "PRINT WORKS"))
    other_group, neighbours = _last(make_ledger(lines), 2)
    assert other_group > 0
    assert other_group > neighbours or most < 3  # of two, none may be of the holder's group


def _purpose(ledger: Ledger) -> float:
    return float(likelihood.purpose_surprise(ledger)[-1])


def test_a_purpose_booked_by_others_only_surprises_and_free_text_never_does(
    make_ledger: MakeLedger,
) -> None:
    past = [(*x[:4], {"description": "fuel" if x[2] in GARAGE else "print"}) for x in _two_groups()]

    def told(text: dict[str, str]) -> float:
        return _purpose(make_ledger([*past, ("2026-05-10", "office4", "PAPER MILL", 2_000, text)]))

    assert told({"description": "FUEL "}) > told({"description": "print"})
    assert told({"description": "fuel"}) > 1
    assert told({"description": "ink for the printer in room 4"}) == 0
    assert told({"description": ""}) == 0


def test_a_purpose_is_told_from_the_fifth_time_it_was_booked(make_ledger: MakeLedger) -> None:
    def told(times: int) -> float:
        past = [(*x[:4], {"description": "print"}) for x in _two_groups()]
        fuel = {"description": "fuel"}
        past += [
            (f"2026-04-{1 + i:02}", "garage1", "OIL SUPPLY", 2_000, fuel) for i in range(times)
        ]
        return _purpose(make_ledger([*past, ("2026-05-10", "office4", "PAPER MILL", 1, fuel)]))

    assert told(4) == 0
    assert told(5) > 0
