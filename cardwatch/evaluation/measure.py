"""Recall of ranked lists by length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardwatch.evaluation.dataset import AlertGroup

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

PER_1000 = (0.25, 0.5, 1.0, 5.0, 10.0)
"""Lengths of list, in alerts per 1,000 payments, at which recall is told; 10 are the top 1 %."""
RESAMPLES, BOOTSTRAP_SEED = 1000, 1
CONFIDENCE = (0.025, 0.975)
NOT_FOUND = np.inf


@dataclass(frozen=True)
class Finding:
    """Where a ranked list comes to the planted matters of one style, in one world.

    Attributes:
        places: for each matter how many alerts per 1,000 payments are read until it is found.
        holders: whose each matter is.
        precision: average precision of the list.
        base_rate: share of the list's places that are of the style.
    """

    places: tuple[float, ...]
    holders: tuple[str, ...]
    precision: float
    base_rate: float


def find_matters_in(
    items: Iterable[Sequence[int]], matters: Sequence[AlertGroup], style: str, payments: int
) -> Finding:
    """Return where a ranked list comes to the matters of a style.

    An item that touches planted matters of other styles only is passed over: it is neither found
    nor a false alarm. Every other item counts as one alert, right or wrong, so that what is truly
    amiss among the real payments counts as false, and precision is a lower bound.

    Args:
        items: for each place of the list the rows it is about.
        matters: everything planted.
        style: the one to look for.
        payments: how many were scored.
    """
    owner = {row: number for number, matter in enumerate(matters) for row in matter.rows}
    style_matters = {n for n, matter in enumerate(matters) if matter.style == style and matter.rows}
    read = 0
    read_count_of: dict[int, int] = {}
    precisions = []
    for item in items:
        touched: dict[int, int] = {}
        for row in item:
            if row in owner:
                touched[owner[row]] = touched.get(owner[row], 0) + 1
        if touched and not touched.keys() & style_matters:
            continue
        hits = {
            n for n, rows in touched.items() if n in style_matters and rows >= matters[n].needed
        }
        if hits and hits <= read_count_of.keys():
            continue
        read += 1
        for number in hits - read_count_of.keys():
            read_count_of[number] = read
            precisions.append(len(read_count_of) / read)
    order = sorted(style_matters)
    return Finding(
        places=tuple(read_count_of.get(n, NOT_FOUND) * 1000 / payments for n in order),
        holders=tuple(matters[n].holder_id for n in order),
        precision=sum(precisions) / max(len(style_matters), 1),
        base_rate=len(style_matters) / max(read, 1),
    )


@dataclass(frozen=True)
class Recall:
    """Share of planted matters found within a length of list, with its 95 % interval."""

    per_1000: float
    share: float
    low: float
    high: float


def recalls(findings: Sequence[Finding], lengths: Sequence[float] = PER_1000) -> tuple[Recall, ...]:
    """Return recall at each length of list over several worlds, resampled by holder."""
    places = np.array([place for finding in findings for place in finding.places])
    holders = [holder for finding in findings for holder in finding.holders]
    if not len(places):
        return ()
    names, owner = np.unique(holders, return_inverse=True)
    holder_counts = np.bincount(owner).astype("float64")
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    resamples = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    points = []
    for length in lengths:
        hit = np.bincount(owner, places <= length, len(names))
        shares = (resamples @ hit) / np.maximum(resamples @ holder_counts, 1)
        low, high = np.quantile(shares, CONFIDENCE)
        points.append(Recall(length, float((places <= length).mean()), float(low), float(high)))
    return tuple(points)
