"""Invented matters that were missed, or asked about though put right: each as it should come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardwatch.policy import load_policy
from cardwatch.scoring import score
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from cardwatch.records import Alert

CASES = Path(__file__).parent / "cases"
Alerts = dict[str, list["Alert"]]


def _score(case: str) -> Alerts:
    """Return the alerts of one case by lane."""
    choices = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
    statement, history = CASES / f"{case}-statement.csv", CASES / f"{case}-history.csv"
    read = read_statements([statement], choices, history=[history])
    policy = load_policy(CASES / f"{case}-policy.toml")
    lists = score(read.transactions, policy, asked_files=[statement.name]).lists
    return {lane: list(made.alerts) for lane, made in lists.items()}


@pytest.fixture(scope="module")
def across() -> Alerts:
    return _score("across")


@pytest.fixture(scope="module")
def words() -> Alerts:
    return _score("words")


def _of(alerts: list[Alert], merchant: str) -> list[Alert]:
    return [a for a in alerts if any(merchant in name for name in a.merchants)]


def _rules(alert: Alert) -> set[str]:
    return {reason.rule for reason in alert.reasons}


@pytest.mark.parametrize("merchant", ["KESTREL WORKS", "MERLIN WORKS"])
def test_a_split_among_holders_is_one_however_their_unit_is_written(
    across: Alerts, merchant: str
) -> None:
    (alert,) = [a for a in _of(across["psd"], merchant) if "split-across-holders" in _rules(a)]
    assert len(alert.payments) == len(alert.holders) == 2


def test_a_shops_mark_before_the_name_hides_no_split(across: Alerts) -> None:
    (alert,) = _of(across["finance"], "OSPREY JOINERY")
    assert alert.reasons[0].rule == "split-several-names"
    assert len(alert.payments) == 2


def test_four_parts_under_four_names_are_a_split_at_a_lower_level(across: Alerts) -> None:
    (alert,) = _of(across["finance"], "HARRIER")
    assert alert.reasons[0].rule == "split-several-names"
    assert (len(alert.payments), alert.tier) == (4, "B")


@pytest.mark.parametrize("merchant", ["PEREGRINE PUMPS", "BRAVO STATIONERS"])
def test_a_bill_that_two_holders_paid_is_one_pair_on_one_day_too(
    across: Alerts, merchant: str
) -> None:
    (alert,) = _of(across["finance"], merchant)
    assert alert.reasons[0].rule == "same-bill-two-holders"
    assert len(alert.payments) == len(alert.holders) == 2


def test_nine_weekly_payments_are_one_total_with_all_of_them(across: Alerts) -> None:
    (alert,) = _of(across["finance"], "VALEBROOK CONSULTING")
    assert alert.reasons[0].rule == "slow-total"
    assert len(alert.payments) == 9


def test_a_charge_taken_back_on_its_day_is_asked_about_by_nobody(words: Alerts) -> None:
    assert not _of(words["finance"], "NORTON PARK")


def test_hospitality_is_known_by_either_word_of_its_category(words: Alerts) -> None:
    facts = [a for a in words["finance"] if "hospitality-over-cap" in _rules(a)]
    assert {holder for alert in facts for holder in alert.holders} == {"card-0002", "card-0003"}


def test_vouchers_are_known_in_words_run_together(words: Alerts) -> None:
    found = [a for a in words["finance"] if "gift-card" in _rules(a)]
    names = {name for alert in found for name in alert.merchants}
    assert names == {"HIGHSTREETVOUCHERS", "VOUCHER EXPRESS"}
