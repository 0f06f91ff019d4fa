"""Calibrates findings: how often one as strong, of its kind, occurred in the past.

Strengths of unlike rules cannot be compared; how seldom they come can. Each finding's strength is
held against those of the findings that the same rules would have made among the reference payments,
first by what orders them, then once more by group of rules: in every group evidence of 3 comes once
in 1,000 payments of an ordinary year. A list ordered by it gives each group the same room at every
length; a level more or less is worth a factor, and so is the money (docs/detection.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cardwatch.rules import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.alerts.ranking import ScoringContext
    from cardwatch.rules import Rule

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Numbers = np.ndarray[Any, np.dtype[np.float64]]
    Rows = np.ndarray[Any, np.dtype[np.int64]]

WEAKENED = 0.5
"""Evidence subtracted for each weakening rule: about a factor of three."""
MONEY = 0.5
"""Evidence added where ten times the money is at stake, beyond what is material."""
SETTLING_DAYS = 180
"""Days at the start of a history that are left out: everything is new then."""
A_LEVEL = 1.5
"""Room in a list that a rule of one level has beside one of the level below (docs/detection.md)."""
FLOOD = 2.0
"""Maximum room of a group of findings, as a multiple of a usual year."""
TAIL, FEWEST_IN_TAIL = 20, 3
"""Number of highest reference values that give the slope of the tail, and the minimum."""
FLATTEST, MOST_EVIDENCE = 0.02, 300.0
"""Least slope, as a share of where the tail begins: equal values of the past give none. And
the most evidence there is, so that the chance it stands for is still a number above 0."""


def rarity(values: Numbers, reference: Numbers, payments: int) -> Numbers:
    """Return -log10 of how many in a payment come as strong in the past, beyond the past as well.

    Above the highest reference values the tail goes on as an exponential one with their mean excess
    for a slope (Pickands 1975): it orders what nothing of the past equals.

    Args:
        values: strengths to weigh.
        reference: strengths of the findings of the past, each once.
        payments: of the past.
    """
    ranked = np.sort(reference)
    above = len(ranked) - np.searchsorted(ranked, values, side="left")
    weighed = -np.log10((above + 1) / (payments + 1))
    top = ranked[-TAIL - 1 :]
    if len(top) <= FEWEST_IN_TAIL:
        highest = top[-1] if len(top) else 0.0
        return weighed + np.maximum(values - highest, 0) * 1e-6  # in order, and no more
    slope = max(float((top[1:] - top[0]).mean()), FLATTEST * abs(float(top[0])), 1e-9)
    beyond = -np.log10(len(top) / (payments + 1)) + (values - top[0]) / slope / np.log(10)
    return np.where(values > top[0], np.clip(beyond, 0, MOST_EVIDENCE), weighed)


def calibrating(scored: ScoringContext) -> Flags:
    """Return the payments of the past by which findings are weighed."""
    ledger, reference = scored.ledger, scored.reference
    first, last = ledger.day.min(), ledger.day[reference].max(initial=0)
    settled = first + min(SETTLING_DAYS, (last - first) / 2)
    later: Flags = reference & (ledger.day >= settled)
    return later if later.any() else reference


def weigh_findings(
    scored: ScoringContext,
    rules: Sequence[Rule],
    fires: Mapping[str, Flags],
    weakening: Sequence[Rule],
) -> dict[str, Numbers]:
    """Return the evidence of each rule's findings, by rule, a row each and 0 where it is silent.

    Args:
        scored: the payments and what is known of them.
        rules: those that raise alerts, of one lane.
        fires: where each rule, of those and of the weakening ones, fires.
        weakening: rules that lower the findings of others.
    """
    past = calibrating(scored)
    weighed: dict[str, Numbers] = {}
    scales: dict[tuple[str, str], list[Rule]] = {}
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        scales.setdefault(_scale(rule), []).append(rule)
        groups.setdefault(rule.group, []).append(rule)
    for scale, alike in scales.items():
        anywhere = np.logical_or.reduce([fires[rule.id] for rule in alike])
        rows = np.flatnonzero(anywhere & (scored.asked | past))
        weighed |= {rule.id: np.zeros(len(past)) for rule in alike}
        if not len(rows):
            continue
        strength = _strength(scored, scale[-1])[rows]
        evidence = rarity(strength, _each_once(scored, rows, strength, past), int(past.sum()))
        for rule in alike:
            weighed[rule.id][rows] = np.where(fires[rule.id][rows], evidence, 0.0)
    for rule in rules:
        for other in weakening:
            if rule.id in other.weakens:
                weighed[rule.id][fires[other.id]] -= WEAKENED
        weighed[rule.id] = np.maximum(weighed[rule.id], 0.0)
        if rule.at_stake and weighed[rule.id].any():
            weighed[rule.id] += np.where(weighed[rule.id] > 0, _money(scored, rule), 0.0)
    for together in groups.values():
        _weigh_group(scored, together, weighed, past)
    return weighed


def _weigh_group(
    scored: ScoringContext, rules: Sequence[Rule], weighed: dict[str, Numbers], past: Flags
) -> None:
    """Hold the evidence of a group's rules against the group's own past, and add their levels."""
    best = np.max([weighed[rule.id] for rule in rules], axis=0)
    rows = np.flatnonzero(best > 0)
    if not len(rows):
        return
    before = _each_once(scored, rows, best[rows], past)
    now = _each_once(scored, rows, best[rows], scored.asked)
    asked = int(scored.asked.sum())
    for rule in rules:
        rows = np.flatnonzero(weighed[rule.id] > 0)
        values = weighed[rule.id][rows]
        evidence = rarity(values, before, int(past.sum()))
        is_beyond = values > before.max(initial=0)
        by_rank = _by_rank(values, now, asked, "left")
        evidence = np.where(is_beyond, np.maximum(evidence, by_rank), evidence)
        most = _by_rank(values, now, asked, "right")
        level = np.log10(A_LEVEL) * (LEVELS.index(rule.level) - 1) + np.log10(rule.room)
        weighed[rule.id][rows] = np.maximum(np.minimum(evidence, most) + level, 0.0)


def _by_rank(
    values: Numbers, now: Numbers, payments: int, side: Literal["left", "right"]
) -> Numbers:
    """Return the evidence that findings have by their place in their group, at `FLOOD` times room.

    Where a group finds far more among the payments scored than in the past, it gets no more, so
    that it starves no other; where a short past has nothing as strong, and so cannot tell how
    seldom that is, it gets no less.

    Args:
        values: strengths of findings.
        now: strengths of those among the payments scored, each once.
        payments: how many are scored.
        side: left to count those as strong with the stronger, right for the stronger alone.
    """
    ranked = np.sort(now)
    places = len(ranked) - np.searchsorted(ranked, values, side=side)
    share = places / (FLOOD * max(payments, 1))
    return np.where(places > 0, -np.log10(np.maximum(share, 1e-300)), np.inf)


def _money(scored: ScoringContext, rule: Rule) -> Numbers:
    """Return the evidence that a rule's findings have for the money at stake in them."""
    pence = np.asarray(scored.columns[rule.at_stake], dtype="float64")
    material = max(scored.ledger.policy.materiality_pence, 1)
    return MONEY * np.log10(np.maximum(pence / material, 1.0))


def _scale(rule: Rule) -> tuple[str, str]:
    """Return what rules have to share for their strengths to be comparable."""
    return rule.group, rule.order


def _strength(scored: ScoringContext, column: str) -> Numbers:
    """Return a column as strengths: a share the higher the smaller it is."""
    values = np.asarray(scored.columns[column], dtype="float64")
    return -np.log10(values) if column.endswith("_share") else values


def _each_once(scored: ScoringContext, rows: Rows, strength: Numbers, past: Flags) -> Numbers:
    """Return the strengths of the past, those of one holder and day that are equal once."""
    in_past = past[rows]
    rows, strength = rows[in_past], strength[in_past]
    keys = np.stack([scored.ledger.group("holder_id")[rows], scored.ledger.day[rows], strength])
    return np.unique(keys, axis=1)[2] if len(rows) else strength
