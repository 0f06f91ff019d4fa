"""Baselines: simple rules and detectors to compare with."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.features import FOREST_FEATURES
from cardwatch.features.ledger import DAYS_APART
from cardwatch.forest import fit_forest

if TYPE_CHECKING:
    from cardwatch.alerts import ScoringContext

    Numbers = np.ndarray[Any, np.dtype[np.float64]]
    Items = list[list[int]]

SPLIT_WINDOW_DAYS = 7
ECOD = "ECOD on surprises"


def _parts(scored: ScoringContext) -> pd.DataFrame:
    """Return the purchases asked about that keep to the limit, with holder and merchant as one."""
    frame = scored.ledger.frame
    within_limit = scored.asked & scored.ledger.is_purchase
    within_limit &= (frame["amount_pence"] <= frame["single_purchase_limit_pence"]).to_numpy()
    name = frame["merchant"].str.upper().str.split().str.join(" ")
    pair = pd.factorize(frame["holder_id"] + "\n" + name)[0]
    return frame.assign(pair=pair, day=scored.ledger.day)[within_limit]


def same_day_rule(scored: ScoringContext) -> Items:
    """Return same holder, merchant and day, each within the limit, together over it; by day."""
    parts = _parts(scored)
    groups = parts.groupby(["day", "pair"])
    day_groups = groups.agg(
        total=("amount_pence", "sum"),
        limit=("single_purchase_limit_pence", "max"),
        count=("row", "size"),
        rows=("row", list),
    )
    return list(
        day_groups["rows"][(day_groups["total"] > day_groups["limit"]) & (day_groups["count"] > 1)]
    )


def window_rule(scored: ScoringContext) -> Items:
    """Return the same within seven days, windows that overlap as one, most money first."""
    parts = _parts(scored)
    parts = parts.sort_values(["pair", "day", "row"], ignore_index=True)
    key = (parts["pair"] * DAYS_APART + parts["day"]).to_numpy()
    sums = np.concatenate([[0], np.cumsum(parts["amount_pence"])])
    last = np.searchsorted(key, key + SPLIT_WINDOW_DAYS, "right")
    over = sums[last] - sums[:-1] > parts["single_purchase_limit_pence"]
    cover = np.zeros(len(parts) + 1, dtype="int64")
    starts = np.flatnonzero(over & (last - np.arange(len(parts)) > 1))
    np.add.at(cover, starts, 1)
    np.add.at(cover, last[starts], -1)
    inside = np.cumsum(cover[:-1]) > 0
    case_starts = inside & ~np.concatenate([[False], inside[:-1]])
    case_starts |= inside & (np.diff(parts["pair"], prepend=-1) != 0)
    cases = parts[inside].groupby(np.cumsum(case_starts)[inside])
    case_totals = cases.agg(total=("amount_pence", "sum"), rows=("row", list))
    return list(case_totals.sort_values("total", ascending=False, kind="stable")["rows"])


def by_score(scored: ScoringContext, values: Numbers) -> Items:
    """Return the payments asked about, each alone, highest score first."""
    scored_positions = np.flatnonzero(scored.asked)
    order = scored_positions[np.argsort(-values[scored_positions], kind="stable")]
    return [[row] for row in scored.ledger.frame["row"].to_numpy()[order].tolist()]


def raw_count_forest(scored: ScoringContext, reference: np.ndarray[Any, Any]) -> Numbers:
    """Score payments by a forest on plain counts and totals."""
    ledger = scored.ledger
    count = np.ones(len(ledger))
    spent = ledger.pence
    pair = ("holder_id", "merchant_id")
    table = pd.DataFrame(
        {
            "pence": ledger.pence,
            "holder_count": ledger.total(count, ("holder_id",)),
            "merchant_count": ledger.total(count, ("merchant_id",)),
            "pair_count": ledger.total(count, pair),
            "day_count": ledger.total(count, ("holder_id",), 0),
            "day_pence": ledger.total(spent, ("holder_id",), 0),
            "pair_week_count": ledger.total(count, pair, SPLIT_WINDOW_DAYS),
            "pair_week_pence": ledger.total(spent, pair, SPLIT_WINDOW_DAYS),
            "weekday": ledger.frame["date"].dt.day_of_week,
        }
    )
    columns = list(map(str, table.columns))
    return fit_forest(table[reference], columns, ledger.frame[reference]).unusualness(table)


def has_ecod() -> bool:
    """Return whether PyOD is installed."""
    return find_spec("pyod") is not None


def ecod(scored: ScoringContext, reference: np.ndarray[Any, Any]) -> Numbers | None:
    """Return ECOD's score (Li et al. 2022, by PyOD) of the surprises; none without PyOD."""
    if not has_ecod():
        return None
    from pyod.models import ecod as pyod  # noqa: PLC0415  an extra of the evaluation only

    table = scored.features[list(FOREST_FEATURES)].to_numpy("float64")
    detector = pyod.ECOD()
    detector.fit(table[reference])
    scores = np.zeros(len(table))
    scores[scored.asked] = detector.decision_function(table[scored.asked])
    return scores
