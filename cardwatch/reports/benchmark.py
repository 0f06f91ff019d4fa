"""Compares forces by their aggregates: funnel limits that respect size, tables and sentences.

A share is compared with that of all forces together. The limits around it are quantiles of the
binomial distribution at the force's own size, so that a small force is not an outlier for being
small (Spiegelhalter 2005, "Funnel plots for comparing institutional performance"). Where forces
differ more than chance gives, the limits are widened by that overdispersion (his section 4, with
the largest and smallest tenth winsorised).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardwatch.errors import CardwatchError
from cardwatch.rarity import exact_interval
from cardwatch.reports.aggregate import COMMON, SharePair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.reports.aggregate import Aggregate, CommonPolicy

COMMON_LIMIT_PENCE = 100_000
"""£1,000: the limit that all forces' purchases are compared with, whatever their own is."""
NEAR_SHARE, NEXT_SHARE = 0.95, 0.90
"""Purchases just under the limit lie from 95% of it; those they are compared with from 90%."""
INDICATORS: dict[str, str] = {
    "alerts": "Alerts per purchase",
    "split_alerts": "Split purchase alerts per purchase",
    "common_split_alerts": "Split purchase alerts per purchase, by the common policy",
    "repeat_alerts": "Repeated payment alerts per purchase",
    "common_repeat_alerts": "Repeated payment alerts per purchase, by the common policy",
    "cumulative_alerts": "Cumulative spending alerts per purchase",
    "common_cumulative_alerts": "Cumulative spending alerts per purchase, by the common policy",
    "upheld": "Upheld alerts, of answered alerts",
    "late": "Alerts waiting for more than 28 days, of those without an answer",
    "refunds": "Refunds, of purchases and refunds",
    "just_under": "Purchases from £950 to £999.99, of those from £900 to £999.99",
    "cards_known": "Card register: purchases on a registered card",
    "cards_with_limit": "Card register: open cards with a limit",
    "cards_with_approver": "Card register: open cards with an approver",
    "contracts_complete": "Contracts: complete entries",
    "contracts_late": "Contracts: entries recorded more than 28 days late",
    "companies_complete": "Companies: complete entries",
}
"""Shares that forces are compared by, each with what it is."""
WITHIN = "within limits"
WARNING_Z, ALARM_Z = 1.96, 3.09
"""Normal deviates of the limits: chance puts 5% and 0.2% of forces outside."""
WINSORISED_SHARE = 0.1
FEWEST_FORCES = 3
MOST_PEERS = 5


@dataclass(frozen=True)
class FunnelPoint:
    """One force on a funnel.

    Attributes:
        low, high: its exact 95% interval.
        verdict: where it lies, in words.
        earlier: its count and total in the quarter before, if that is given.
    """

    organisation: str
    count: int
    total: int
    low: float
    high: float
    verdict: str
    earlier: SharePair | None = None

    @property
    def share(self) -> float:
        """The share itself."""
        return self.count / self.total


@dataclass(frozen=True)
class Funnel:
    """One figure of many forces.

    Attributes:
        indicator: a key of `INDICATORS`.
        centre: share of all forces together.
        spread: factor by which chance's own limits are widened, at least 1.
        points: the forces that share it, by their total.
    """

    indicator: str
    centre: float
    spread: float
    points: tuple[FunnelPoint, ...]


def change_interval(now: SharePair, before: SharePair) -> tuple[float, float, float]:
    """Return the difference of two shares, and its 95% interval.

    The interval is that of Newcombe (1998, "Interval estimation for the difference between
    independent proportions", method 10), made of the Wilson intervals of both shares.
    """
    from scipy.stats import binomtest  # noqa: PLC0415  half a second to import, for a rare document

    shares, lows, highs = [], [], []
    for pair in (now, before):
        interval = binomtest(pair.count, pair.total).proportion_ci(0.95, method="wilson")
        shares.append(pair.count / pair.total)
        lows.append(float(interval.low))
        highs.append(float(interval.high))
    change = shares[0] - shares[1]
    below = np.hypot(shares[0] - lows[0], highs[1] - shares[1])
    above = np.hypot(highs[0] - shares[0], shares[1] - lows[1])
    return change, change - float(below), change + float(above)


def funnel_limits(centre: float, total: int, spread: float, deviate: float) -> tuple[float, float]:
    """Return the lowest and highest share within a funnel at a size.

    Args:
        centre: share of all forces together.
        total: size of the force.
        spread: see `Funnel`.
        deviate: normal deviate of the limit.
    """
    from scipy.stats import binom, norm  # noqa: PLC0415  the same

    tail = float(norm.sf(deviate * spread))
    low, high = binom.ppf([tail, 1 - tail], total, centre)
    return float(low) / total, float(high) / total


def make_funnels(aggregates: Sequence[Aggregate]) -> list[Funnel]:
    """Return a funnel for each figure that enough forces share, of the newest quarter.

    Raises:
        CardwatchError: there are too few forces, or a force is there twice for one quarter.
    """
    newest, earlier = by_quarter(aggregates)
    policy = common_policy(aggregates)
    funnels = []
    for indicator in INDICATORS:
        shares, before = (scored_shares(part, indicator, policy) for part in (newest, earlier))
        if len(shares) >= FEWEST_FORCES:
            funnels.append(_funnel(indicator, shares, before))
    return funnels


def common_policy(aggregates: Sequence[Aggregate]) -> CommonPolicy | None:
    """Return the pack by which most forces were scored in the newest quarter; none without any.

    Figures by the common policy are those of the forces that used it. Of packs that equally many
    used it is the first by its hash.

    Raises:
        CardwatchError: see `make_funnels`.
    """
    newest, _ = by_quarter(aggregates)
    policies = {a.common_policy.sha256: a.common_policy for a in newest if a.common_policy}
    forces = Counter(a.common_policy.sha256 for a in newest if a.common_policy)
    most = min(forces, key=lambda sha256: (-forces[sha256], sha256), default="")
    return policies.get(most)


def scored_shares(
    aggregates: Sequence[Aggregate], indicator: str, policy: CommonPolicy | None
) -> dict[str, SharePair]:
    """Return one figure of the forces that share it; by the common policy of those that used it."""
    return {
        a.organisation: a.shares[indicator]
        for a in aggregates
        if indicator in a.shares and (not indicator.startswith(COMMON) or is_scored_by(a, policy))
    }


def is_scored_by(aggregate: Aggregate, policy: CommonPolicy | None) -> bool:
    """Whether a force's payments were scored by a pack."""
    own = aggregate.common_policy
    return own is not None and policy is not None and own.sha256 == policy.sha256


def nearest_peers(aggregates: Sequence[Aggregate], organisation: str) -> list[str]:
    """Return the forces nearest in size to one, by purchases in the newest quarter.

    Raises:
        CardwatchError: that force is not among them.
    """
    sizes = {a.organisation: a.purchases for a in by_quarter(aggregates)[0]}
    if organisation not in sizes:
        sentence = (
            f"There is no aggregate of {organisation} for the newest quarter. "
            f"Choose one of {', '.join(sorted(sizes))}."
        )
        raise CardwatchError(sentence, field="force")
    own = max(sizes.pop(organisation), 1)
    ratio = {name: abs(np.log(max(size, 1) / own)) for name, size in sizes.items()}
    return sorted(ratio, key=lambda name: (ratio[name], name))[:MOST_PEERS]


def by_quarter(aggregates: Sequence[Aggregate]) -> tuple[list[Aggregate], list[Aggregate]]:
    """Return the aggregates of the newest quarter, and those of the newest before it."""
    by_key = {(a.quarter, a.organisation): a for a in aggregates}
    if len(by_key) < len(aggregates):
        raise CardwatchError("A force is there twice for one quarter. Remove one of its files.")
    quarters = sorted({a.quarter for a in aggregates}, reverse=True)
    chosen = [[a for a in aggregates if a.quarter == quarter] for quarter in quarters[:2]]
    if not chosen or len(chosen[0]) < FEWEST_FORCES:
        raise CardwatchError(f"Choose the aggregates of at least {FEWEST_FORCES} forces.")
    ordered = [sorted(part, key=lambda a: a.organisation) for part in chosen]
    return ordered[0], ordered[1] if len(ordered) > 1 else []


def _funnel(indicator: str, shares: dict[str, SharePair], before: dict[str, SharePair]) -> Funnel:
    """Return the funnel of one figure."""
    counts = np.array([pair.count for pair in shares.values()], float)
    totals = np.array([pair.total for pair in shares.values()], float)
    centre = float(counts.sum() / totals.sum())
    spread = _spread(counts, totals, centre)
    points = [
        FunnelPoint(
            name,
            pair.count,
            pair.total,
            *exact_interval(pair.count, pair.total),
            _verdict(pair, centre, spread),
            before.get(name),
        )
        for name, pair in shares.items()
    ]
    return Funnel(indicator, centre, spread, tuple(sorted(points, key=lambda p: -p.total)))


def _spread(counts: np.ndarray, totals: np.ndarray, centre: float) -> float:
    """Return the square root of the overdispersion, at least 1."""
    if not 0 < centre < 1:
        return 1.0
    deviates = (counts / totals - centre) / np.sqrt(centre * (1 - centre) / totals)
    low, high = np.quantile(deviates, [WINSORISED_SHARE, 1 - WINSORISED_SHARE])
    return float(np.sqrt(max(np.mean(np.clip(deviates, low, high) ** 2), 1.0)))


def _verdict(pair: SharePair, centre: float, spread: float) -> str:
    """Return where a share lies, in words."""
    share = pair.count / pair.total
    side = "higher" if share > centre else "lower"
    for deviate, words in ((ALARM_Z, "outside 99.8% limits"), (WARNING_Z, "outside 95% limits")):
        low, high = funnel_limits(centre, pair.total, spread, deviate)
        if not low <= share <= high:
            return f"{side}, {words}"
    return WITHIN


def change_words(point: FunnelPoint) -> str:
    """Return the change of a force against the quarter before, in percentage points.

    It is called higher or lower only where its 95% interval leaves out that nothing changed.
    """
    if point.earlier is None:
        return ""
    change, low, high = change_interval(SharePair(point.count, point.total), point.earlier)
    words = "within chance" if low <= 0 <= high else "higher" if change > 0 else "lower"
    figures = " to ".join(f"{100 * bound:+.2f}" for bound in (low, high))
    return f"{100 * change:+.2f} points ({figures}): {words}".replace("-", "\u2212")


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal, or with two where it is below 10%."""
    return f"{share:.2%}" if share < 0.09995 else f"{share:.1%}"
