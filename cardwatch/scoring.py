"""Scores statements against their history, and trains the anomaly model."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch import __version__
from cardwatch.alerts import (
    ScoringContext,
    chance_notes,
    count_notes,
    pounds,
    prose_day,
    rank_alerts,
)
from cardwatch.errors import ModelRefused, NothingToScore
from cardwatch.features import (
    FOREST_FEATURES,
    MONTH_FEATURES,
    FeatureColumns,
    Ledger,
    OpenCards,
    build_card_features,
    build_features,
)
from cardwatch.features.chance_pairs import declared_chances
from cardwatch.features.ledger import take_rows
from cardwatch.forest import Forest, fit_forest
from cardwatch.quantities import plural, quantity
from cardwatch.rarity import (
    MONTH_UNUSUALNESS,
    UNUSUALNESS,
    chances,
    month_chances,
    novelty_chances,
    surprise_shares,
)
from cardwatch.records import AlertList
from cardwatch.registers import cards_in_force, match_cards, register_kind
from cardwatch.rules import Rule, load_rules, rules_sha256
from cardwatch.vocabulary import LANES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from cardwatch.features.ledger import Codes, Columns, Numbers
    from cardwatch.policy import Policy
    from cardwatch.records import CardRegister, Register

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    FitForest = Callable[[Columns, Sequence[str], pd.DataFrame], Forest]

FOREST_HOLDERS, FOREST_PAYMENTS = 50, 4_000
"""Below this an organisation's own forest is worse than none of its own (docs/detection.md)."""
FOREST_MONTHS = 500
"""Holder months needed for the second forest."""
REFERENCE_DAYS = 365
FEWEST_REFERENCE = 500
"""With fewer payments in the last year, all that is known is the reference."""
FEWEST_RUNS = 4
"""A history of fewer runs of as many payments does not tell what 9 of 10 have."""
USUAL_SHARE = 0.9


@dataclass(frozen=True)
class ScoringResult:
    """The result of a scoring: the lists, and the data for further queries."""

    lists: dict[str, AlertList]
    scored: ScoringContext


def score(  # noqa: PLR0913  one for each thing that can be given
    transactions: pd.DataFrame,
    policy: Policy,
    *,
    cards: CardRegister | None = None,
    registers: Sequence[Register] = (),
    asked_files: Sequence[str] = (),
    forest: Forest | None = None,
    rules: Sequence[Rule] | None = None,
    lanes: Sequence[str] = LANES,
    fit: FitForest = fit_forest,
    known_by: str = "",
) -> ScoringResult:
    """Return the ranked alerts of some statements, one list a lane.

    Args:
        transactions: the statements to be scored and their history, see `TRANSACTION_COLUMNS`.
        policy: the organisation's figures.
        cards: the organisation's card register; without it nothing is said of cards.
        registers: the organisation's other registers; rules that need one that is not given are
            not used.
        asked_files: files whose payments are to be asked about; none for all of them.
        forest: a fitted one; without it one is fitted to the history if there is enough.
        rules: the rules to use; the shipped ones if not given.
        lanes: those of which a list is wanted; none looks at another's.
        fit: fits forests; a service keeps those that it fitted, see `FittedForests`.
        known_by: day by which an entry of a register has to be known, for payments of the past;
            without it each has to be known on the day of the payment.

    Raises:
        NothingToScore: no transaction is left to score.
        ModelRefused: the forest given reads other features.
    """
    if transactions.empty:
        raise NothingToScore("There is no transaction to score.")
    by_kind = {register.kind: register for register in registers}
    rules = _usable(load_rules() if rules is None else rules, by_kind)
    ledger = Ledger(
        match_cards(transactions, cards) if cards else transactions,
        policy,
        by_kind,
        known_by=_day_number(known_by),
        asked_files=asked_files,
    )
    scored_rows = ledger.is_asked
    if not scored_rows.any():
        raise NothingToScore("The statements could not be read. Check the files and try again.")
    reference = _reference(ledger, scored_rows)
    features = FeatureColumns(ledger)
    is_own_forest = forest is None and enough_for_forest(ledger, reference)
    if is_own_forest:
        read = {name: features[name][reference] for name in FOREST_FEATURES}
        forest = fit(read, FOREST_FEATURES, ledger.frame[reference])
    if forest is not None and forest.features != FOREST_FEATURES:
        raise ModelRefused(
            "given", "it was trained for another version of cardwatch. Train it again"
        )
    days = ledger.frame["date"][scored_rows]
    open_cards = _open_cards(ledger, cards, days.max()) if cards else None
    unusual = _unusualness(ledger, features, forest, reference, scored_rows, fit)
    features, shares = _weigh(ledger, features | unusual, reference)
    scored = ScoringContext(ledger, features, shares, scored_rows, reference, open_cards, forest)
    made_by = {
        "cardwatch": __version__,
        "policy": policy.sha256,
        "forest": forest.data_sha256 if forest else "none",
        "cards": cards.report.sha256 if cards else "none",
    } | ({"pack": policy.pack_name} if policy.pack else {})
    base_list = AlertList(
        organisation=policy.organisation,
        alerts=(),
        payments_count=int(scored_rows.sum()),
        first_on=str(days.min().date()),
        last_on=str(days.max().date()),
        expected=None,
        usual_most=None,
        notes=(
            *_notes(ledger, scored_rows, reference, forest, own=is_own_forest),
            *_card_notes(ledger, scored_rows),
        ),
        made_by=made_by,
    )
    lists = {lane: _list(scored, rules, lane, reference, base_list) for lane in lanes}
    return ScoringResult(lists, scored)


def _day_number(day: str) -> float:
    """Return a day counted from 1970, before every day where there is none."""
    return float(np.datetime64(day, "D").astype("int64")) if day else -np.inf


def _usable(rules: Sequence[Rule], registers: Mapping[str, Register]) -> list[Rule]:
    """Return the rules whose registers are given."""
    return [rule for rule in rules if rule.registers <= registers.keys()]


def _unusualness(  # noqa: PLR0913, PLR0917  what is read, and what is asked about
    ledger: Ledger,
    features: FeatureColumns,
    forest: Forest | None,
    reference: Flags,
    scored_rows: Flags,
    fit: FitForest,
) -> Columns:
    """Return both forests' scores, as far as there are forests."""
    columns: Columns = {}
    if forest is not None:
        # Of earlier rows, before the reference, no score is read: 0 is no surprise.
        columns[UNUSUALNESS] = _scored_rows(
            forest, features, np.flatnonzero(reference | scored_rows)
        )
    ends = _month_ends(ledger, reference)
    if len(ends) >= FOREST_MONTHS:
        read = {name: features[name] for name in MONTH_FEATURES}
        months = fit(take_rows(read, ends), MONTH_FEATURES, ledger.frame.iloc[ends])
        looked_at = np.union1d(ends, np.flatnonzero(scored_rows))
        columns[MONTH_UNUSUALNESS] = _scored_rows(months, features, looked_at)
    return columns


def _month_ends(ledger: Ledger, reference: Flags) -> Codes:
    """Return the last purchase of each holder's month in the reference."""
    return ledger.last_rows(reference & ledger.is_purchase, ("holder_id", "month"))


def _weigh(
    ledger: Ledger, columns: FeatureColumns, reference: Flags
) -> tuple[FeatureColumns, Columns]:
    """Return the columns with the chances, and each surprise's share."""
    shares = surprise_shares(columns, reference)
    weighed = (
        chances(shares, reference)
        | novelty_chances(columns, reference)
        | month_chances(columns, _month_ends(ledger, reference))
    )
    return columns | weighed, shares


def _scored_rows(forest: Forest, features: FeatureColumns, rows: Codes) -> Numbers:
    """Return how unusual some rows are, 0 for the others."""
    unusualness = np.zeros(len(features[forest.features[0]]))
    read = {name: features[name] for name in forest.features}
    unusualness[rows] = forest.unusualness(take_rows(read, rows))
    return unusualness


def train(
    transactions: pd.DataFrame, policy: Policy, *, cards: CardRegister | None = None
) -> Forest:
    """Return a forest fitted to all of some transactions, matched to a card register if given.

    Raises:
        NothingToScore: there are too few payments or holders for a forest.
    """
    ledger = Ledger(match_cards(transactions, cards) if cards else transactions, policy)
    everything = np.ones(len(ledger), dtype=bool)
    if not enough_for_forest(ledger, everything):
        raise NothingToScore(
            f"The anomaly model needs at least {FOREST_HOLDERS} cardholders and "
            f"{FOREST_PAYMENTS:,} payments; there are {ledger.frame['holder_id'].nunique()} and "
            f"{len(ledger):,}."
        )
    return fit_forest(build_features(ledger), FOREST_FEATURES, ledger.frame)


def enough_for_forest(ledger: Ledger, rows: Flags) -> bool:
    """Return whether some rows are enough to fit an organisation's own forest."""
    holders = ledger.frame["holder_id"].to_numpy()[rows]
    return len(holders) >= FOREST_PAYMENTS and len(set(holders)) >= FOREST_HOLDERS


def _open_cards(ledger: Ledger, register: CardRegister, on: pd.Timestamp) -> pd.DataFrame:
    """Return the cards open on the last day scored, with their features."""
    return build_card_features(OpenCards(cards_in_force(register, on), ledger, on))


def _card_notes(ledger: Ledger, scored_rows: Flags) -> tuple[str, ...]:
    """A note on the payments on cards that are not in the register."""
    unknown = int((~ledger.frame["is_card_known"].to_numpy(bool) & scored_rows).sum())
    if not unknown:
        return ()
    are = plural(unknown, "is on a card", "are on cards")
    return (
        f"{unknown:,} of {quantity(int(scored_rows.sum()), 'payment')} {are} not in the register.",
    )


def _reference(ledger: Ledger, scored_rows: Flags) -> Flags:
    """Return the payments that the scored ones are compared with.

    The year before the first of them; all history if that is short; themselves if there is none.
    """
    real = ledger.is_purchase | ledger.is_refund
    # Late postings reach far back: the period scored starts where nearly all of it lies.
    start = np.quantile(ledger.day[scored_rows], 0.05)
    history = ~scored_rows & real & (ledger.day < start)
    for candidate in (history & (ledger.day >= start - REFERENCE_DAYS), history):
        if candidate.sum() >= FEWEST_REFERENCE:
            return candidate
    return real if real.any() else np.ones(len(ledger), dtype=bool)


def _notes(
    ledger: Ledger, scored_rows: Flags, reference: Flags, forest: Forest | None, *, own: bool
) -> tuple[str, ...]:
    """Return what a reader of the list has to know about how it was made."""
    count = int(reference.sum())
    if not (reference & scored_rows).any():
        days = ledger.frame["date"][reference]
        compared = (
            f"{quantity(count, 'earlier payment')}, {prose_day(str(days.min().date()))} "
            f"to {prose_day(str(days.max().date()))}"
        )
    elif scored_rows.all():
        compared = "each other, because there are no earlier statements"
    else:
        compared = f"all {count:,} payments, because fewer than {FEWEST_REFERENCE} are earlier"
    notes = [f"Payments are compared with {compared}."]
    if 1 / (count + 1) > ledger.policy.unusual_share:
        notes.append(
            f"With {quantity(count, 'payment')} we cannot tell whether any is as rare as 1 in "
            f"{ledger.policy.unusual_one_in:,}, the share that your policy calls unusual."
        )
    if not ledger.policy.single_purchase[0].stated:
        limit = pounds(ledger.policy.single_purchase[0].pence)
        notes.append(
            f"Your policy states no single-purchase limit. We look for splits at {limit}, with a "
            "lower level, and raise no alert for one payment over it. State your limits in the "
            "policy."
        )
    if forest is None:
        notes.append(
            f"Only rules were used: the anomaly model needs {FOREST_HOLDERS} cardholders and "
            f"{FOREST_PAYMENTS:,} payments."
        )
    elif own:
        notes.append(f"The anomaly model was trained on {forest.rows:,} of these payments.")
    else:
        notes.append(f"The stored anomaly model was trained on {forest.rows:,} payments.")
    return tuple(notes)


def _list(
    scored: ScoringContext, rules: Sequence[Rule], lane: str, reference: Flags, base_list: AlertList
) -> AlertList:
    """Return one lane's list with its statement of what to expect."""
    alerts = tuple(rank_alerts(scored, rules, lane))
    of_cards = sum(not alert.payments for alert in alerts)
    questions = [alert for alert in alerts if not alert.is_fact]
    expected, most = _expected(scored, rules, lane, reference, len(questions) - of_cards)
    first, last = count_notes(alerts, expected, most)
    by_chance = chance_notes(declared_chances(scored.ledger)) if lane != "finance" else ()
    notes = (*first, *base_list.notes, *by_chance, *last)
    # What finance reads names finance's rules: psd's may change without a trace in it.
    read = [rule for rule in rules if lane != "finance" or rule.lane == lane]
    made_by = base_list.made_by | {"rules": rules_sha256(read)}
    registers = scored.ledger.registers.values()
    if lane_registers := [
        register
        for register in registers
        if lane != "finance" or register_kind(register.kind).lane == lane
    ]:
        made_by |= {"registers": registers_sha256(lane_registers)}
    return replace(
        base_list,
        alerts=alerts,
        expected=expected,
        usual_most=most,
        notes=notes,
        made_by=made_by,
    )


def registers_sha256(registers: Sequence[Register]) -> str:
    """Return a hash of the files of some registers, by which a result names them."""
    lines = sorted(
        f"{register.kind} {file.sha256}" for register in registers for file in register.reports
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _expected(
    scored: ScoringContext, rules: Sequence[Rule], lane: str, reference: Flags, alerts: int
) -> tuple[float | None, int | None]:
    """Return how many alerts as many earlier payments would raise: usually, and at most in 9 of 10.

    The second is told by runs of as many payments, a quarter of a run apart, that the same rules
    would have been read on.
    """
    if (reference & scored.asked).any():
        return None, None
    flagged = np.zeros(len(reference), dtype=bool)
    for rule in rules:
        raises = rule.role == "raises" and rule.subject == "payment" and not rule.is_policy_fact
        if rule.lane == lane and raises and rule.status == "stable":
            flagged |= rule.fires(scored.columns, scored.ledger.policy)
    flagged_count = int((flagged & scored.asked).sum())
    alerts_per_flag = (
        alerts / flagged_count if flagged_count else 1.0
    )  # several flagged payments may be one alert
    earlier, payments = flagged[reference], int(scored.asked.sum())  # in order of day
    expected = round(float(earlier.mean()) * payments * alerts_per_flag, 1)
    if len(earlier) < FEWEST_RUNS * payments:
        return expected, None
    sums = np.concatenate([[0], np.cumsum(earlier)])
    starts = np.arange(0, len(earlier) - payments + 1, max(payments // 4, 1))
    counts = (sums[starts + payments] - sums[starts]) * alerts_per_flag
    return expected, math.ceil(np.quantile(counts, USUAL_SHARE, method="higher"))
