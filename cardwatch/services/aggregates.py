"""Makes the shareable aggregate of a quarter from a casebook, from finance's lane alone."""

from __future__ import annotations

from dataclasses import replace
from statistics import median_low
from typing import TYPE_CHECKING

from cardwatch import __version__
from cardwatch.casebook import AuditEvent, people, report_queries
from cardwatch.errors import CardwatchError
from cardwatch.features import purchase_rows
from cardwatch.merchants import category_name
from cardwatch.reports.aggregate import (
    COMMON,
    FEWEST_HOLDERS,
    Aggregate,
    PublishedCell,
    SharePair,
    SpendingCell,
    check_threshold,
    published_cells,
    published_shares,
    rounded_count,
    rounded_pounds,
    sign_aggregate,
)
from cardwatch.reports.benchmark import COMMON_LIMIT_PENCE, NEAR_SHARE, NEXT_SHARE
from cardwatch.reports.governance import LATE_DAYS
from cardwatch.services.common_policy import count_by_common_policy, read_common_inputs
from cardwatch.services.governance_report import read_quarter
from cardwatch.services.packs import read_pack
from cardwatch.services.register_counts import read_register_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.reports.aggregate import CommonPolicy
    from cardwatch.reports.quarter import Quarter
    from cardwatch.services.context import ServiceContext
    from cardwatch.services.register_counts import RegisterCounts

UNKNOWN_CATEGORY = "category not given"


COUNTED_KINDS = {"split": "split_alerts", "repeat": "repeat_alerts", "spend": "cumulative_alerts"}
"""Kinds of alert that are counted by the own policy and by a common one, each with its share."""


def make_aggregate(
    context: ServiceContext,
    quarter: str,
    *,
    threshold: int,
    key: Ed25519PrivateKey,
    pack: bytes = b"",
) -> bytes:
    """Return the signed aggregate of a quarter, as the bytes of its file.

    Args:
        quarter: one that is over, such as `2026-Q3`.
        threshold: the smallest count that it has.
        key: signs it.
        pack: the signed file of the policy pack that forces are compared by; without it the pack
            that the force's own policy was taken from, if there is one.

    Raises:
        NotAllowed: the role sees no alerts.
        CardwatchError: the quarter is not over, no statement covers a day of it, the threshold is
            too low, or the pack cannot be used.
    """
    check_threshold(threshold)
    if pack:
        read_pack(pack)
    with context.work(AuditEvent("disclosure", "aggregate", quarter)):
        context.require_alert_access()
    with context.snapshot() as uow:
        figures = read_quarter(uow, quarter)
        if not figures.is_over:
            raise CardwatchError(f"{quarter} is not over. Choose an earlier one.", field="quarter")
        if figures.uncovered_days == figures.days:
            sentence = f"No statement covers {quarter}. Import those of the quarter first."
            raise CardwatchError(sentence, field="quarter")
        payments = report_queries.read_spending(
            uow, figures.first_on, figures.last_on, ("card_last4", "cost_centre")
        )
        purchases = payments[purchase_rows(payments)]
        registers = read_register_counts(uow, figures, purchases)
        inputs = read_common_inputs(uow, figures.span, pack)
        organisation, made_on = people.organisation_name(uow), uow.today
    base = suppressed_figures(figures, purchases, threshold)
    if inputs:
        policy, by_kind = count_by_common_policy(context, inputs)
        base = with_common_policy(base, policy, by_kind, figures.spending.purchases)
    base = with_registers(base, registers)
    return sign_aggregate(
        replace(base, organisation=organisation, made_on=made_on, cardwatch=__version__), key
    )


def with_common_policy(
    aggregate: Aggregate, policy: CommonPolicy, by_kind: Mapping[str, int], purchases: int
) -> Aggregate:
    """Return an aggregate with the alerts that a common policy raises, suppressed and rounded.

    Args:
        aggregate: without them.
        policy: the pack.
        by_kind: alerts by their kind.
        purchases: of the quarter, exact.
    """
    pairs = {COMMON + name: (by_kind.get(kind, 0), purchases)
             for kind, name in COUNTED_KINDS.items()}  # fmt: skip
    shares = aggregate.shares | published_shares(pairs, aggregate.threshold)
    return replace(aggregate, common_policy=policy, shares=shares)


def with_registers(aggregate: Aggregate, registers: Sequence[RegisterCounts]) -> Aggregate:
    """Return an aggregate with the coverage and quality of registers, suppressed and rounded."""
    threshold = aggregate.threshold
    pairs = {name: pair for register in registers for name, pair in register.shares.items()}
    entries = {
        register.name: rounded_count(register.entries)
        for register in registers
        if register.entries >= threshold
    }
    shares = aggregate.shares | published_shares(pairs, threshold)
    return replace(aggregate, registers=entries, shares=shares)


def suppressed_figures(quarter: Quarter, purchases: pd.DataFrame, threshold: int) -> Aggregate:
    """Return an aggregate's figures, suppressed and rounded."""
    spending = quarter.spending
    is_enough = spending.purchases >= threshold and spending.holders >= FEWEST_HOLDERS
    names = {code: category_name(code) for code in purchases["mcc"].fillna("").unique()}
    categories = purchases["mcc"].fillna("").map(names).replace("", UNKNOWN_CATEGORY)
    months, answer_days = purchases["date"].str[:7], quarter.answer_days
    return Aggregate(
        organisation="",
        quarter=quarter.name,
        made_on="",
        cardwatch="",
        threshold=threshold,
        purchases=rounded_count(spending.purchases) if is_enough else 0,
        pounds=rounded_pounds(spending.purchases_pence) if is_enough else 0,
        cardholders=rounded_count(spending.holders) if is_enough else 0,
        uncovered_days=quarter.uncovered_days,
        months=suppressed_cells(purchases, months, threshold) if is_enough else (),
        categories=suppressed_cells(purchases, categories, threshold) if is_enough else (),
        shares=_shares(quarter, purchases, threshold),
        median_answer_days=median_low(answer_days) if len(answer_days) >= threshold else None,
    )


def suppressed_cells(
    purchases: pd.DataFrame, names: pd.Series[str], threshold: int
) -> tuple[PublishedCell, ...]:
    """Return purchases by a name, as they are shared."""
    grouped = purchases.groupby(names.to_numpy())
    cells = []
    for name, part in grouped:
        by_holder = part.groupby("holder_id")["amount_pence"].sum()
        pence, largest = int(part["amount_pence"].sum()), int(by_holder.max())
        cells.append(SpendingCell(str(name), len(part), pence, len(by_holder), largest))
    return published_cells(cells, threshold)


def _shares(quarter: Quarter, purchases: pd.DataFrame, threshold: int) -> dict[str, SharePair]:
    """Return the shares that forces are compared by, without those that are too small."""
    spending, answers, waiting = quarter.spending, quarter.answers, quarter.awaiting_days
    pence = purchases["amount_pence"]
    near = _between(pence, NEAR_SHARE, 1.0)
    below = _between(pence, NEXT_SHARE, NEAR_SHARE)
    by_kind = {outcome.kind: outcome.count for outcome in quarter.outcomes}
    pairs = {
        "alerts": (sum(by_kind.values()), spending.purchases),
        **{
            name: (by_kind.get(kind, 0), spending.purchases) for kind, name in COUNTED_KINDS.items()
        },
        "upheld": (answers.upheld, answers.answered),
        "late": (sum(days > LATE_DAYS for days in waiting), len(waiting)),
        "refunds": (spending.refunds, spending.purchases + spending.refunds),
        "just_under": (near, near + below),
    }
    shares = published_shares(pairs, threshold)
    for name in _kinds_that_tell(pairs, shares, threshold):
        del shares[name]
    return shares


def _kinds_that_tell(
    pairs: Mapping[str, tuple[int, int]], shares: Mapping[str, SharePair], threshold: int
) -> list[str]:
    """Return kinds to be left out: all alerts less the published kinds would be few."""
    kinds = [name for name in pairs if name.endswith("_alerts") and name in shares]
    kinds.sort(key=lambda name: (pairs[name][0], name))
    left_out = []
    rest = pairs["alerts"][0] - sum(pairs[name][0] for name in kinds)
    while kinds and 0 < rest < threshold:
        smallest = kinds.pop(0)
        rest += pairs[smallest][0]
        left_out.append(smallest)
    return left_out


def _between(pence: pd.Series[int], low: float, high: float) -> int:
    """Return how many purchases lie between two shares of the common limit, the upper left out."""
    within = (pence >= low * COMMON_LIMIT_PENCE) & (pence < high * COMMON_LIMIT_PENCE)
    return int(within.sum())
