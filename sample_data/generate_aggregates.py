"""Write the aggregates of twelve invented forces, two of them for two quarters."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cardwatch.reports.aggregate import (
    Aggregate,
    CommonPolicy,
    SpendingCell,
    published_cells,
    published_shares,
    rounded_count,
    rounded_pounds,
    sign_aggregate,
)

if TYPE_CHECKING:
    from pathlib import Path

SEED = 20261129
THRESHOLD = 10
FORCES = {
    "Ashdown": 1_900, "Brackwater": 2_600, "Caldmoor": 3_300, "Dunsea": 4_100, "Eastfen": 5_200,
    "Farholm": 6_800, "Greyvale": 8_400, "Holmshire": 11_000, "Inglemoor": 15_500,
    "Saltmarsh Vale": 1_450, "Kingsmere": 24_000, "Northwick Metropolitan": 96_000,
}  # fmt: skip
"""Invented forces, with purchases in a quarter; the largest has as many as most others together."""
BOTH_QUARTERS = ("Saltmarsh Vale", "Northwick Metropolitan")
RATES = {
    "alerts": 0.021, "split_alerts": 0.006, "repeat_alerts": 0.005, "cumulative_alerts": 0.004,
    "refunds": 0.034,
}  # fmt: skip
POLICY = CommonPolicy(
    "National purchasing-card pack (invented)",
    "National card policy group (invented)",
    "2026.1",
    hashlib.sha256(b"invented pack 2026.1").hexdigest(),
)
NO_PACK = ("Dunsea",)
"""Forces that were not scored by the common policy."""
COMMON_RATES = {
    "common_split_alerts": 0.007, "common_repeat_alerts": 0.005, "common_cumulative_alerts": 0.004,
}  # fmt: skip
"""By the common policy all forces are alike."""
CARD_RATES = {"cards_with_limit": 0.93, "cards_with_approver": 0.88}
CONTRACT_RATES = {"contracts_complete": 0.86, "contracts_late": 0.13}
KNOWN_CARDS, COMPLETE_COMPANIES = 0.985, 0.97
DIFFERENT = {
    ("Kingsmere", "alerts"): 1.5,
    ("Holmshire", "just_under"): 1.3,
    ("Greyvale", "split_alerts"): 0.4,
    ("Inglemoor", "cards_with_approver"): 0.8,
}
"""What is planted: a force and a figure that differ from the others, by that factor."""
CATEGORIES = {
    "Book Stores": 0.07, "Computer Software Stores": 0.11, "Hardware Stores": 0.19,
    "Hotels, Motels, and Resorts": 0.16, "Office Supplies": 0.22, "Taxicabs and Limousines": 0.09,
    "Veterinary Services": 0.004, "Eating Places and Restaurants": 0.156,
}  # fmt: skip


def write_aggregates(folder: Path) -> None:
    """Write one file a force and quarter; the same seed gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, size in FORCES.items():
        for quarter in ("2026-Q2", "2026-Q3"):
            if quarter == "2026-Q3" or name in BOTH_QUARTERS:
                content = _aggregate(name, size, quarter)
                slug = name.lower().replace(" ", "-")
                (folder / f"{slug}-{quarter}.json").write_bytes(content)


def _aggregate(name: str, size: int, quarter: str) -> bytes:
    """Return the aggregate of one invented force's quarter."""
    seed = hashlib.sha256(f"{SEED} {name} {quarter}".encode()).digest()
    rng = np.random.default_rng(np.frombuffer(seed, np.uint32))
    purchases = int(rng.poisson(size))
    holders = max(size // 12, 30)
    pence = int(purchases * rng.normal(7_400, 300))
    first = 4 if quarter == "2026-Q2" else 7
    totals = (purchases, pence, holders)
    months = _cells({f"2026-{first + n:02}": 1 / 3 for n in range(3)}, totals, rng)
    categories = _cells(CATEGORIES, totals, rng)
    shares = _own_shares(name, purchases, rng)
    answered = shares["upheld"][1]
    days = int(rng.integers(4, 15)) if answered >= THRESHOLD else None
    registers = {"cards": holders, "contracts": 40 + size // 20, "companies": 60 + size // 15}
    common = _drawn(name, purchases, COMMON_RATES, rng)
    shares |= {} if name in NO_PACK else common
    shares |= _drawn(name, purchases, {"cards_known": KNOWN_CARDS}, rng)
    shares |= _drawn(name, holders, CARD_RATES, rng)
    shares |= _drawn(name, registers["contracts"], CONTRACT_RATES, rng)
    shares |= _drawn(name, registers["companies"], {"companies_complete": COMPLETE_COMPANIES}, rng)
    made = Aggregate(
        organisation=f"{name} (invented)",
        quarter=quarter,
        made_on="2026-07-14" if quarter == "2026-Q2" else "2026-10-14",
        cardwatch="sample",
        threshold=THRESHOLD,
        purchases=rounded_count(purchases),
        pounds=rounded_pounds(pence),
        cardholders=rounded_count(holders),
        uncovered_days=0,
        months=published_cells(months, THRESHOLD),
        categories=published_cells(categories, THRESHOLD),
        shares=published_shares(shares, THRESHOLD),
        median_answer_days=days,
        common_policy=None if name in NO_PACK else POLICY,
        registers={register: rounded_count(count) for register, count in registers.items()},
    )
    key = hashlib.sha256(f"{SEED} key of {name}".encode()).digest()
    return sign_aggregate(made, Ed25519PrivateKey.from_private_bytes(key))


def _drawn(
    name: str, total: int, rates: dict[str, float], rng: np.random.Generator
) -> dict[str, tuple[int, int]]:
    """Draw counts out of a total, by the rate of each figure and what is planted in a force."""
    return {
        figure: (int(rng.binomial(total, rate * DIFFERENT.get((name, figure), 1.0))), total)
        for figure, rate in rates.items()
    }


def _own_shares(name: str, purchases: int, rng: np.random.Generator) -> dict[str, tuple[int, int]]:
    """Draw the figures by a force's own policy."""
    shares = _drawn(name, purchases, RATES, rng)
    answered = int(shares["alerts"][0] * 0.7)
    waiting = shares["alerts"][0] - answered
    near = int(rng.binomial(purchases, 0.012))
    factor = DIFFERENT.get((name, "just_under"), 1.0)
    shares["upheld"] = (int(rng.binomial(answered, 0.16)), answered)
    shares["late"] = (int(rng.binomial(waiting, 0.35)), waiting)
    shares["just_under"] = (int(rng.binomial(near, min(0.48 * factor, 1.0))), near)
    return shares


def _cells(
    parts: dict[str, float], totals: tuple[int, int, int], rng: np.random.Generator
) -> list[SpendingCell]:
    """Return totals shared out by chance over some names."""
    purchases, pence, holders = totals
    weights = np.array(list(parts.values())) / sum(parts.values())
    counts = rng.multinomial(purchases, weights)
    cells = []
    for name, count in zip(parts, counts.tolist(), strict=True):
        spent = pence * count // purchases
        cells.append(SpendingCell(name, count, spent, min(holders, max(count // 4, 1)), spent // 5))
    return cells
