"""Features of people: leavers, absences, and who approves whom, as the registers then said.

Where no such register is given, they are all 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.features.registered import (
    approval_pairs,
    days_since,
    during_entries,
    has_register,
    hits_of,
    keys_of_payments,
    pairs_by_merchant,
    register_entries,
)
from cardwatch.registers import STATED

if TYPE_CHECKING:
    from cardwatch.features.ledger import Flags, Ledger, Numbers, Whole

DAY_SECONDS, MINUTE_SECONDS = 86_400, 60
RECIPROCAL_DAYS = 90
LONGEST_CHAIN = 12
"""Levels of managers that are followed; no force has more ranks."""


@hits_of("people")
def leaving_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the cardholder's last post, where they had left before the payment."""
    posts = register_entries(ledger, "people")
    posts = posts[posts["person_key"].isin(posts["person_key"][posts["left_day"].notna()])]
    # Who works in a post that has not ended, or began again, has not left.
    last_left = posts["left_day"].fillna(np.inf).groupby(posts["person_key"]).transform("max")
    leavers = posts.assign(last_left=last_left)[(posts["person_key"] != "") & (last_left < np.inf)]
    payments = keys_of_payments(ledger)
    pairs = payments.merge(leavers, left_on="holder_key", right_on="person_key")
    return pairs[pairs["last_left"] < pairs["day"]]


@hits_of("absence")
def absence_hits(ledger: Ledger) -> pd.DataFrame:
    """Return absences of the cardholder that hold the day of the payment."""
    payments = keys_of_payments(ledger)[["row", "holder_key", "day"]]
    return during_entries(payments, "holder_key", "day", register_entries(ledger, "absence"))


@hits_of("absence", "approvals")
def approver_absence_hits(ledger: Ledger) -> pd.DataFrame:
    """Return absences of the approver that hold the day of the approval."""
    approved = approval_rows(ledger)[["row", "approver_id", "approved_day"]]
    absences = register_entries(ledger, "absence")
    return during_entries(approved, "approver_id", "approved_day", absences)


@hits_of("approvals")
def latest_approval_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the latest approval of each payment, which says who approved it."""
    return approval_pairs(ledger).drop_duplicates("row", keep="last")


@hits_of("approvals")
def self_approval_hits(ledger: Ledger) -> pd.DataFrame:
    """Return approvals of payments by the cardholder."""
    approved = approval_rows(ledger)
    return approved[approved["approver_id"] == approved["holder_key"]]


@hits_of("approvals")
def batch_hits(ledger: Ledger) -> pd.DataFrame:
    """Return of each payment the approvals with which most others were approved together."""
    batches = _batches(ledger)
    largest = batches.groupby("row")["together_count"].transform("max")
    return batches[batches["together_count"] == largest]


@hits_of("people")
def leaver_firm_hits(ledger: Ledger) -> pd.DataFrame:
    """Return people who left the unit for this merchant before it was paid by the unit."""
    pairs = pairs_by_merchant(ledger, "people", "unit_key", (STATED,))
    return pairs[pairs["left_day"] < pairs["day"]]


def approval_rows(ledger: Ledger) -> pd.DataFrame:
    """Return each approved purchase: `row`, `holder_key`, `approver_id`, moment and day."""

    def make() -> pd.DataFrame:
        payments = keys_of_payments(ledger)[["row", "holder_key", "day"]]
        joined = payments.merge(approval_pairs(ledger), on="row")
        seconds = joined["approved_at"].to_numpy().astype("datetime64[s]").astype("int64")
        return joined.assign(second=seconds, approved_day=seconds // DAY_SECONDS)

    return ledger.once("approved payments", make)


def days_since_leaving(ledger: Ledger) -> Numbers:
    """Days since the cardholder left; 0 if they had not."""
    return days_since(ledger, leaving_hits(ledger), "left_day")


def is_after_leaving(ledger: Ledger) -> Flags:
    """Whether it was bought later after the cardholder left than a late booking explains."""
    return days_since_leaving(ledger) > ledger.policy.closed_card_days


def absent_count(ledger: Ledger) -> Numbers:
    """Absences or days off shift of the cardholder that include the day of the payment."""
    return absence_hits(ledger).count


def approver_absent_count(ledger: Ledger) -> Numbers:
    """Absences of the approver that include the day on which they approved it."""
    return approver_absence_hits(ledger).count


def leaver_firm_count(ledger: Ledger) -> Numbers:
    """People who had left this unit and are recorded as working for this merchant now."""
    return leaver_firm_hits(ledger).count


def is_junior_approver(ledger: Ledger) -> Flags:
    """Whether the cardholder is the approver's manager, or a manager above that one."""
    junior = np.zeros(len(ledger), dtype=bool)
    if not has_register(ledger, "people"):
        return junior
    posts = _posts(ledger)
    keys = keys_of_payments(ledger)
    keys = keys[(keys["approver_key"] != "") & (keys["approver_key"] != keys["holder_key"])]
    numbers, people = pd.factorize(pd.concat([keys["holder_key"], keys["approver_key"]]).array)
    holder, approver = np.split(numbers, 2)
    holders = pd.Index(people[: holder.max(initial=-1) + 1])  # they are numbered first
    pairs_above = [
        number * len(people) + np.flatnonzero(holders.isin(_ever_above(people[number], posts)))
        for number in np.unique(approver).tolist()
    ]
    may_be = np.isin(approver * len(people) + holder, np.concatenate([[-1], *pairs_above]))
    approved = keys[may_be]
    columns = (approved[name].tolist() for name in ("holder_key", "approver_key", "day"))
    junior[approved["row"].to_numpy()] = [
        holder in _managers(approver, day, posts)
        for holder, approver, day in zip(*columns, strict=True)
    ]
    return junior


def _posts(ledger: Ledger) -> dict[str, list[tuple[float, str]]]:
    """Return for each person the days on which their posts began, with the manager in each."""
    entries = register_entries(ledger, "people")[["employee_id", "true_day", "manager_id"]]
    entries = entries.sort_values("true_day", na_position="first")
    posts: dict[str, list[tuple[float, str]]] = {}
    columns = (entries[name] for name in ("employee_id", "true_day", "manager_id"))
    for person, day, manager in zip(*(column.tolist() for column in columns), strict=True):
        posts.setdefault(person, []).append((-np.inf if np.isnan(day) else day, manager))
    return posts


def _ever_above(person: str, posts: dict[str, list[tuple[float, str]]]) -> set[str]:
    """Return everybody who may be above a person on some day; few are, and those are looked at."""
    above: set[str] = set()
    below = {person}
    for _ in range(LONGEST_CHAIN):
        below = {manager for junior in below for _, manager in posts.get(junior, ())} - above
        above |= below
    return above


def _managers(person: str, day: float, posts: dict[str, list[tuple[float, str]]]) -> set[str]:
    """Return everybody above a person on a day, as far as the register says."""
    above: set[str] = set()
    for _ in range(LONGEST_CHAIN):
        managers = [manager for since, manager in posts.get(person, ()) if since <= day]
        person = managers[-1] if managers else ""
        if not person or person in above:
            break
        above.add(person)
    return above


def is_self_approved(ledger: Ledger) -> Flags:
    """Whether the register of approvals names the cardholder as the one who approved it."""
    return self_approval_hits(ledger).count > 0


def reciprocal_count(ledger: Ledger) -> Numbers:
    """Payments of the approver in the 90 days before that this cardholder approved."""
    counts = np.zeros(len(ledger))
    if not has_register(ledger, "approvals"):
        return counts
    keys = keys_of_payments(ledger)
    keys = keys[(keys["approver_key"] != "") & (keys["approver_key"] != keys["holder_key"])]
    if keys.empty:
        return counts
    numbers, people = pd.factorize(pd.concat([keys["holder_key"], keys["approver_key"]]))
    holder, approver = np.split(numbers, 2)
    day = (keys["day"] - keys["day"].min()).to_numpy().astype("int64") + RECIPROCAL_DAYS
    # Counted, not joined: two people may have thousands of payments. A number a pair and day.
    span = day.max() + 1
    approved = np.sort((holder * len(people) + approver) * span + day)
    other_way = (approver * len(people) + holder) * span + day
    until = np.searchsorted(approved, other_way, "right")
    counts[keys["row"].to_numpy()] = until - np.searchsorted(approved, other_way - RECIPROCAL_DAYS)
    return counts


def approved_together_count(ledger: Ledger) -> Numbers:
    """Payments that the same approver approved within one minute, this one among them.

    0 where the register gives only the day of the approval: midnight stands for no time, since
    days alone would make all approvals of a day one batch. Of two approvals of one payment on one
    day the later counts, whatever the order of rows.
    """
    counts = np.zeros(len(ledger))
    if has_register(ledger, "approvals"):
        batches = _batches(ledger)
        np.maximum.at(counts, batches["row"].to_numpy(), batches["together_count"].to_numpy())
    return counts


def _batches(ledger: Ledger) -> pd.DataFrame:
    """Return approvals that have a time of day, each with `together_count`: see above."""

    def make() -> pd.DataFrame:
        approved = approval_rows(ledger).sort_values("second", kind="stable")
        approved = approved.drop_duplicates(["row", "approver_id", "approved_day"], keep="last")
        approved = approved[approved["second"] % DAY_SECONDS != 0]
        together = approved.groupby("approver_id")["second"].transform(
            lambda seconds: _within_a_minute(seconds.to_numpy())
        )
        return approved.assign(together_count=together.astype("int64"))

    return ledger.once("batches of approvals", make)


def _within_a_minute(seconds: Whole) -> Whole:
    """Count for each moment, in order, those in the minute that begins or ends with it."""
    onwards = np.searchsorted(seconds, seconds + MINUTE_SECONDS, "left")
    before = np.searchsorted(seconds, seconds - MINUTE_SECONDS, "right")
    first, last = np.searchsorted(seconds, seconds), np.searchsorted(seconds, seconds, "right")
    return np.maximum(onwards - first, last - before)
