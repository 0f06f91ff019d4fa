"""Runs the evaluation: data sets are built and scored by cardwatch and by baselines."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.alerts import alert_order
from cardwatch.errors import NothingToScore
from cardwatch.evaluation import baselines
from cardwatch.evaluation.dataset import ASKED, HISTORY
from cardwatch.evaluation.inject import InjectionPlan, plant, shift_days
from cardwatch.evaluation.kinds import (
    AS_GIVEN,
    NAMES_ALONE,
    PSD_KINDS,
    KindRow,
    plant_all,
    read_lists,
    rows_of,
    seen_as,
)
from cardwatch.evaluation.measure import Finding, Recall, find_matters_in, recalls
from cardwatch.features import FOREST_FEATURES
from cardwatch.forest import SEED, fit_forest
from cardwatch.policy import Limit
from cardwatch.rarity import BUYING, SURPRISE, UNUSUALNESS
from cardwatch.scoring import ScoringResult, score
from cardwatch.vocabulary import LANES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cardwatch.evaluation.dataset import World
    from cardwatch.forest import Forest
    from cardwatch.policy import Policy
    from cardwatch.rules import Rule

OURS, PSD = "cardwatch", "psd"
BENIGN_PREFIX = "quiet: "
MERCHANTS = ("moved", "scaled", "special", "seldom used")
LOW_LIMIT_PENCE = 250_000
SPLITS_PER_1000 = {"low": 0.5, "high": 0.2}
"""Splits planted of each style in 1,000 payments, at a limit below that sum and above: as many as
in the published measurement that this one is held against (docs/detection.md)."""
FEWEST_SPLITS, OTHERS = 4, 40
NOMINAL = (0.05, 0.01, 0.005, 0.001)
FEWEST_IN_MONTH = 200
STABLE_TOP, OTHER_SEEDS = 200, (SEED + 1, SEED + 2)
EVALUATED_LISTS: tuple[tuple[str, frozenset[str], tuple[str, ...]], ...] = (
    ("split, across holders", frozenset({"split"}), ("psd",)),
    ("split", frozenset({"split"}), ("finance",)),
    ("slow drip", frozenset({"split", "spend"}), ("finance",)),
    ("charged twice, two holders", frozenset({"repeat"}), ("finance", "psd")),
    ("charged twice", frozenset({"repeat"}), ("finance",)),
    ("holder's month", frozenset({"pattern"}), ("finance",)),
)
"""Which list of alerts a style is looked for in: how it begins, the kinds, the lanes."""


@dataclass(frozen=True)
class Row:
    """How well one ranker finds one style: means over all worlds, intervals by holder."""

    limit_pence: int
    style: str
    ranker: str
    planted: int
    precision: float
    base_rate: float
    recalls: tuple[Recall, ...]


@dataclass(frozen=True)
class Quiet:
    """How many patterns that must stay quiet had an alert of their own in tiers A and B."""

    limit_pence: int
    style: str
    planted: int
    alerts: int


@dataclass(frozen=True)
class Month:
    """Share of a month's payments called rarer than each of `NOMINAL`, over that share."""

    month: str
    payments: int
    ratios: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured.

    Attributes:
        facts: payments, holders, period, seeds, limits, and the hashes of what was measured.
        chance: realised over nominal chance rate by month of unchanged payments; the last line,
            `all`, is of all months together.
        volume: alerts on the unchanged payments, by limit.
        stability: share of the top 200 that two seeds of the forest have in common.
        kinds: every kind of misuse in one list, beside the one-line rule of each.
    """

    facts: dict[str, Any]
    rows: tuple[Row, ...]
    quiet: tuple[Quiet, ...]
    chance: tuple[Month, ...]
    volume: tuple[dict[str, float], ...]
    stability: dict[str, float]
    kinds: tuple[KindRow, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The inputs of an evaluation.

    Attributes:
        start: day from which payments are scored; without it the month after the one in which the
            median payment lies.
        limits_pence: limits to break purchases up under, in place of the policy's own.
        seeds: how many worlds of each kind are planted.
        first_seed: the seed of the first of them.
        rules: those that make the lists; the shipped ones if not given.
        lanes: those whose lists are measured, finance's among them; nothing is said of another's.
        views: what of the statements the worlds have in which every kind is planted.
    """

    start: dt.date | None = None
    limits_pence: tuple[int, ...] = ()
    seeds: int = 3
    first_seed: int = 11
    rules: tuple[Rule, ...] | None = None
    lanes: tuple[str, ...] = LANES
    views: tuple[str, ...] = (AS_GIVEN, NAMES_ALONE)

    @property
    def steps(self) -> int:
        """How often the progress of it is told."""
        limits = len(self.limits_pence) or 1
        return limits * ((1 + len(self.views)) * self.seeds + 1) + 2 * self.seeds + 1


def evaluate(
    transactions: pd.DataFrame,
    policy: Policy,
    plan: Plan,
    progress: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Return what cardwatch and its rivals find of what is planted.

    Args:
        transactions: an organisation's payments, history and all.
        policy: the organisation's figures.
        plan: from when, at which limits, how often.
        progress: told what is being done.

    Raises:
        NothingToScore: there is no history, or nothing after it.
    """
    first = pd.Timestamp(plan.start) if plan.start else _middle(transactions)
    seeds = range(plan.first_seed, plan.first_seed + plan.seeds)
    before = transactions["date"] < first
    if before.sum() < FEWEST_IN_MONTH or (~before).sum() < FEWEST_IN_MONTH:
        raise NothingToScore(
            f"An evaluation needs at least {FEWEST_IN_MONTH} payments before {first.date()} and as "
            f"many from then on; there are {before.sum():,} and {(~before).sum():,}."
        )

    policies = [_with_limit(policy, pence) for pence in plan.limits_pence] or [policy]
    unchanged = _as_world(transactions, first)
    rows, quiet, volume, plain, kinds = [], [], [], [], []
    for number, figures in enumerate(policies):
        pence = figures.single_purchase[0].pence
        findings_by_style: dict[tuple[str, str], list[Finding]] = {}
        for sowing, seed in _worlds(transactions, first, pence, seeds, others=number == 0):
            progress(f"limit of {pence // 100:,} pounds, seed {seed}")
            world = plant(transactions, figures, first, sowing, seed)
            scoring = _score(world.transactions, figures, plan)
            for key, finding in _findings(world, scoring, sowing):
                findings_by_style.setdefault(key, []).append(finding)
            quiet += _quiet(world, scoring, pence)
        rows += [_row(pence, *key, findings) for key, findings in findings_by_style.items()]
        kinds += _kinds((transactions, figures, first), plan, seeds, progress)
        progress(f"limit of {pence // 100:,} pounds, nothing planted")
        plain.append(_score(unchanged, figures, plan))
        shuffled = shift_days(transactions, figures, first, seeds[0]).transactions
        volume.append(_volume(pence, plain[-1], _score(shuffled, figures, plan)))
    finance_list = plain[0].lists["finance"]
    facts = {
        "payments": int((~before).sum()),
        "history": int(before.sum()),
        "holders": int(transactions["holder_id"].nunique()),
        "from": str(first.date()),
        "to": finance_list.last_on,
        "seeds": list(seeds),
        "limits_pence": [figures.single_purchase[0].pence for figures in policies],
        "made_by": finance_list.made_by,
        "left_out": [] if baselines.has_ecod() else [baselines.ECOD],
    }
    progress("other seeds of the forest")
    return Evaluation(
        facts=facts,
        rows=tuple(rows),
        quiet=tuple(_summed(quiet)),
        chance=tuple(_chance(plain[0])),
        volume=tuple(volume),
        stability=_stability(unchanged, policies[0], plan, plain[0]),
        kinds=tuple(kinds),
    )


def score_unchanged(
    transactions: pd.DataFrame, policy: Policy, start: dt.date | None = None
) -> ScoringResult:
    """Return the later half of an organisation's payments scored, with nothing planted.

    Args:
        transactions: its payments, history and all.
        policy: its figures.
        start: day from which payments are scored; see `Plan`.

    Raises:
        NothingToScore: no payment is left to score.
    """
    first = pd.Timestamp(start) if start else _middle(transactions)
    return _score(_as_world(transactions, first), policy, Plan())


def _kinds(
    base: tuple[pd.DataFrame, Policy, pd.Timestamp],
    plan: Plan,
    seeds: Sequence[int],
    progress: Callable[[str], None],
) -> list[KindRow]:
    """Return the table of all kinds at one limit, view by view."""
    transactions, policy, first = base
    pence = policy.single_purchase[0].pence
    left_out = frozenset() if PSD in plan.lanes else PSD_KINDS
    rows = []
    for view in plan.views:
        view_frame = seen_as(transactions, view, first)
        reads = []
        for seed in seeds:
            progress(f"limit of {pence // 100:,} pounds, all kinds, {view}, seed {seed}")
            world = plant_all(view_frame, policy, first, seed)
            reads.append(read_lists(world, _score(world.transactions, policy, plan)))
        rows += rows_of(reads, pence, view, left_out=left_out)
    return rows


def _score(
    transactions: pd.DataFrame, policy: Policy, plan: Plan, forest: Forest | None = None
) -> ScoringResult:
    """Score a world as a plan has it."""
    return score(
        transactions, policy, asked_files=[ASKED], forest=forest, rules=plan.rules, lanes=plan.lanes
    )


def _middle(transactions: pd.DataFrame) -> pd.Timestamp:
    """Return the first day of the month after the one in which the median payment lies."""
    middle = transactions["date"].sort_values(ignore_index=True).iloc[len(transactions) // 2]
    return pd.Timestamp(middle.to_period("M").end_time.date()) + pd.Timedelta(days=1)


def _with_limit(policy: Policy, pence: int) -> Policy:
    return replace(policy, single_purchase=(Limit(dt.date(1970, 1, 1), pence, "included"),))


def _as_world(transactions: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    """Return unchanged payments, those from a day on to be scored."""
    return transactions.assign(
        file=np.where(transactions["date"] >= start, ASKED, HISTORY),
        row=np.arange(len(transactions)),
    )


def _worlds(
    transactions: pd.DataFrame,
    start: pd.Timestamp,
    pence: int,
    seeds: Sequence[int],
    *,
    others: bool,
) -> Iterator[tuple[InjectionPlan, int]]:
    """Return what is to be planted, seed by seed; what no limit decides only once."""
    payments = int((transactions["date"] >= start).sum())
    density = SPLITS_PER_1000["low" if pence < LOW_LIMIT_PENCE else "high"]
    splits = max(round(density * payments / 1000), FEWEST_SPLITS)
    for seed in seeds:
        yield InjectionPlan(splits=splits), seed
        if others:
            yield InjectionPlan(merchants=MERCHANTS[:1], others=OTHERS), seed
            yield InjectionPlan(merchants=MERCHANTS[1:]), seed


def _findings(
    world: World, scoring: ScoringResult, sowing: InjectionPlan
) -> Iterator[tuple[tuple[str, str], Finding]]:
    """Measure the position at which each ranker finds each style of a data set."""
    scored = scoring.scored
    payments = int(scored.asked.sum())
    rules = {
        "same-day rule": baselines.same_day_rule(scored),
        "7-day rule by money": baselines.window_rule(scored),
    }
    detectors: dict[str, list[list[int]]] = {}
    if sowing.merchants and UNUSUALNESS in scored.features:
        raw = baselines.raw_count_forest(scored, scored.reference)
        detectors["forest on raw counts"] = baselines.by_score(scored, raw)
        unusualness = scored.features[UNUSUALNESS].to_numpy()
        detectors["forest on surprises"] = baselines.by_score(scored, unusualness)
        other = baselines.ecod(scored, scored.reference)
        if other is not None:
            detectors[baselines.ECOD] = baselines.by_score(scored, other)
    for style in dict.fromkeys(matter.style for matter in world.matters):
        if style.startswith(BENIGN_PREFIX):
            continue
        if style.startswith("merchant"):
            rankers = {OURS: baselines.by_score(scored, scored.features[BUYING].to_numpy())}
            rankers |= detectors
        elif not set(_looked_in(style)[1]) & scoring.lists.keys():
            continue
        else:
            rankers = {OURS: _alerts(scoring, style)} | rules
        for name, items in rankers.items():
            yield (style, name), find_matters_in(items, world.matters, style, payments)


def _alerts(scoring: ScoringResult, style: str) -> list[list[int]]:
    """Return the alerts of the list a style is looked for in, each as its rows, in order."""
    kinds, lanes = _looked_in(style)
    alert_lists = (scoring.lists[lane] for lane in lanes if lane in scoring.lists)
    alerts = (alert for alert_list in alert_lists for alert in alert_list.alerts)
    chosen = sorted((alert for alert in alerts if alert.kind in kinds), key=alert_order)
    return [[payment.row for payment in alert.payments] for alert in chosen]


def _looked_in(style: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the kinds and lanes of alerts in which a style is looked for."""
    return next(
        (kinds, lanes) for start, kinds, lanes in EVALUATED_LISTS if style.startswith(start)
    )


def _quiet(world: World, scoring: ScoringResult, pence: int) -> list[Quiet]:
    """Return for each pattern that must stay quiet whether an alert rests on it.

    An alert rests on a pattern if at least half of its payments are the pattern's.
    """
    alerts = [
        [payment.row for payment in alert.payments]
        for alert_list in scoring.lists.values()
        for alert in alert_list.alerts
        if alert.tier in "AB"
    ]
    outcomes = []
    for matter in (m for m in world.matters if m.style.startswith(BENIGN_PREFIX)):
        planted_rows = set(matter.rows)
        shared = [(len(planted_rows.intersection(rows)), len(rows)) for rows in alerts]
        rests = any(both >= matter.needed and 2 * both >= size for both, size in shared)
        outcomes.append(Quiet(pence, matter.style.removeprefix(BENIGN_PREFIX), 1, int(rests)))
    return outcomes


def _summed(quiet: Sequence[Quiet]) -> Iterator[Quiet]:
    """Return patterns of one limit and style as one."""
    for key in dict.fromkeys((pattern.limit_pence, pattern.style) for pattern in quiet):
        same = [pattern for pattern in quiet if (pattern.limit_pence, pattern.style) == key]
        yield Quiet(*key, len(same), sum(pattern.alerts for pattern in same))


def _row(pence: int, style: str, ranker: str, findings: Sequence[Finding]) -> Row:
    return Row(
        limit_pence=pence,
        style=style,
        ranker=ranker,
        planted=sum(len(finding.places) for finding in findings),
        precision=float(np.mean([finding.precision for finding in findings])),
        base_rate=float(np.mean([finding.base_rate for finding in findings])),
        recalls=recalls(findings),
    )


def _volume(pence: int, scoring: ScoringResult, control: ScoringResult) -> dict[str, float]:
    """Count the alerts of unchanged payments, and of payments without clusters."""
    finance_list, scored_rows = scoring.lists["finance"], scoring.scored.asked
    frame = scoring.scored.ledger.frame[scored_rows]
    months = len(frame[["holder_id"]].assign(m=frame["date"].dt.to_period("M")).drop_duplicates())
    thousands = int(scored_rows.sum()) / 1000

    def count(scoring: ScoringResult) -> int:
        alerts = scoring.lists["finance"].alerts
        return sum(alert.kind == "split" and alert.tier in "AB" for alert in alerts)

    volume = {
        "limit_pence": pence,
        "found_per_1000": len(finance_list.alerts) / thousands,
        "shown_per_1000": len(finance_list.shown) / thousands,
        "shown_per_holder_month": len(finance_list.shown) / months,
        "tiers_a_b_per_1000": sum(alert.tier in "AB" for alert in finance_list.alerts) / thousands,
        "splits": count(scoring),
        "splits_without_clusters": count(control),
    }
    if PSD in scoring.lists:
        volume["psd_per_1000"] = len(scoring.lists[PSD].alerts) / thousands
    return volume


def _chance(scoring: ScoringResult) -> Iterator[Month]:
    """Return realised over nominal chance rates of the purchases scored, by month."""
    scored = scoring.scored
    rows = scored.asked & scored.ledger.is_purchase
    month = scored.ledger.frame["date"][rows].dt.strftime("%Y-%m").to_numpy()
    share = scored.columns["payment_chance_share"][rows]
    for name in [*np.unique(month), "all"]:
        month_shares = share[(month == name) | (name == "all")]
        if len(month_shares) >= FEWEST_IN_MONTH:
            ratios = {
                f"{level:g}": float((month_shares <= level).mean() / level) for level in NOMINAL
            }
            yield Month(str(name), len(month_shares), ratios)


def _stability(
    transactions: pd.DataFrame, policy: Policy, plan: Plan, scoring: ScoringResult
) -> dict[str, float]:
    """Return the share of the top 200 payments, and alerts, that two seeds have in common."""
    scored = scoring.scored
    if UNUSUALNESS not in scored.features:
        return {}
    reference, frame = scored.reference, scored.ledger.frame
    tops: dict[str, list[set[Any]]] = {"forest alone": [], "payments": [], "alerts": []}
    scorings = [scoring]  # by the forest's own seed
    for seed in OTHER_SEEDS:
        forest = fit_forest(scored.features[reference], FOREST_FEATURES, frame[reference], seed)
        scorings.append(_score(transactions, policy, plan, forest))
    for other in scorings:
        for name, column in (("forest alone", UNUSUALNESS), ("payments", SURPRISE)):
            order = baselines.by_score(other.scored, other.scored.columns[column])
            tops[name].append({row for item in order[:STABLE_TOP] for row in item})
        alerts = other.lists["finance"].alerts[:STABLE_TOP]
        tops["alerts"].append({alert.alert_id for alert in alerts})
    return {
        name: float(np.mean([len(a & b) / max(len(a), 1) for a, b in combinations(sets, 2)]))
        for name, sets in tops.items()
    }
