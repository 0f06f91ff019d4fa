"""Small invented worlds for the independent run: payments near limits, refunds, repeats, policies.

Everything is drawn from few values, so that sums land on limits, days on the edges of windows and
charges on earlier charges far more often than they would in a real month. A world is some
cardholders with their own payments and, mostly, their own limits; many lie side by side in one
ledger and share the figures that a policy has once.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random

import pandas as pd

from cardwatch.policy import VAT_WORDS, Limit, Policy, load_policy
from cardwatch.records import TRANSACTION_COLUMNS

MERCHANTS = ("ACORN TOOLS", "ACORN TOOLS LEEDS", "ACORN TOOLS YORK", "BRAMBLE HIRE", "")
CATEGORIES = (("5251", "Hardware"), ("7394", "Hire"), ("", "Hardware"), ("", "HIRE"), ("", ""))
SUMS = (1, 2_500, 16_667, 25_000, 30_000, 33_333, 33_334, 50_000, 50_001, 60_000, 99_999, 100_000,
        100_001, 120_000)  # fmt: skip
PENCE = {
    "single_purchase": (50_000, 83_333, 100_000),
    "holder_month": (150_000, 200_000),
    "step": (60_000, 100_000, 120_000),
}
WINDOWS = ((0, 3, 7), (0, 3, 7), (0,), (7,), (1, 2), (5, 31))
FIRST = dt.date(2025, 1, 28)
LATER = (0, 0, 1, 2, 3, 4, 7, 8, 60, 61)
SINCE = (-400, -400, 0, 1, 5, 20)


def make_worlds(seed: int, count: int) -> tuple[pd.DataFrame, Policy]:
    """Return the payments of some worlds side by side, and their policy."""
    draw = random.Random(seed)
    rows: list[dict[str, object]] = []
    limits: dict[str, list[Limit]] = {kind: [_limit(draw, pence)] for kind, pence in PENCE.items()}
    for number in range(count):
        holders = tuple(f"{number}-{name}" for name in "ABC"[: draw.randint(1, 3)])
        rows += _payments(draw, (*holders, ""))
        for kind, pence in PENCE.items():
            limits[kind] += [_limit(draw, pence, holders) for _ in range(draw.randint(0, 2))]
    for entries in limits.values():
        draw.shuffle(entries)
    policy = dataclasses.replace(
        load_policy(),
        split_windows_days=draw.choice(WINDOWS),
        habit_windows=draw.choice((0, 1, 3)),
        materiality_pounds=draw.choice((0, 25, 25.01, 300)),
        **{kind: tuple(entries) for kind, entries in limits.items()},
    )
    return _framed(rows), policy


def make_bills(before: int) -> tuple[pd.DataFrame, Policy]:
    """Return one bill paid by two cardholders on the day after some other purchases."""
    draw = random.Random(before)
    rows = [
        _payment(draw, "A", 1, [1]) | {"amount_pence": 1 + number, "merchant": ""}
        for number in range(before)
    ]
    bill = {"merchant": "BRAMBLE HIRE", "amount_pence": 43_752, "date": FIRST + dt.timedelta(1)}
    rows += [rows[0] | bill | {"holder_id": holder} for holder in "BC"]
    frame = _framed(rows)
    return frame.assign(kind="purchase", day_doubled=False), load_policy()


def _framed(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return payments as a frame of transactions."""
    frame = pd.DataFrame(rows)
    frame = frame.assign(file="worlds.csv", row=range(2, len(frame) + 2))
    frame["date"] = frame["posting_date"] = pd.to_datetime(frame["date"])
    texts = [name for name in TRANSACTION_COLUMNS if name not in frame]
    return frame.assign(**dict.fromkeys(texts, ""))


def _payments(draw: random.Random, holders: tuple[str, ...]) -> list[dict[str, object]]:
    """Return the payments of one world, with some of them again, or taken back, within days."""
    days, sums = draw.choice((3, 12, 40, 120, 500)), draw.sample(SUMS, draw.randint(1, 5))
    merchants = draw.sample(MERCHANTS, draw.randint(1, len(MERCHANTS)))
    rows = [_payment(draw, draw.choice(holders), days, sums) for _ in range(draw.randint(2, 40))]
    categories = draw.sample(CATEGORIES, draw.randint(1, len(CATEGORIES)))
    for row in rows:
        row["merchant"] = draw.choice(merchants)
        row["mcc"], row["category"] = draw.choice(categories)
    for row in draw.sample(rows, len(rows) // 4):
        again = row | {"date": row["date"] + dt.timedelta(draw.choice(LATER))}
        if draw.random() < 0.6:
            again |= {"kind": "refund", "amount_pence": -abs(row["amount_pence"])}
        elif draw.random() < 0.5:
            again |= {"holder_id": draw.choice(holders)}
        rows.append(again)
    return rows


def _payment(draw: random.Random, holder: str, days: int, sums: list[int]) -> dict[str, object]:
    kind = draw.choices(("purchase", "refund", "fee", "cash"), (16, 2, 1, 1))[0]
    pence = draw.choice(sums) if draw.random() < 0.8 else draw.randint(0, 130_000)
    has_card = draw.random() < 0.05
    return {
        "holder_id": holder,
        "mcc": "",
        "category": "",
        "date": FIRST + dt.timedelta(draw.randrange(days)),
        "kind": kind,
        "amount_pence": -pence if kind == "refund" else pence,
        "day_doubled": draw.random() < 0.03,
        "card_single_limit_pence": draw.choice((50_000, 100_000)) if has_card else 0,
        "cards_month_limit_pence": draw.choice((150_000, 300_000)) if has_card else 0,
    }


def _limit(draw: random.Random, pence: tuple[int, ...], holders: tuple[str, ...] = ()) -> Limit:
    """Return an entry for everybody, or for some cardholders."""
    return Limit(
        since=FIRST + dt.timedelta(draw.choice(SINCE)),
        pence=draw.choice(pence),
        vat=draw.choice(VAT_WORDS),
        holders=tuple(draw.sample(holders, draw.randint(1, len(holders)))) if holders else (),
        stated=draw.random() < 0.8,
    )
