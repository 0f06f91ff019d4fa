"""Scoring: the same answer twice, whatever the order; plain words on what was and was not done."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from cardwatch.errors import NothingToScore
from cardwatch.policy import load_policy, parse_policy
from cardwatch.reports import as_json
from cardwatch.rules import load_rules
from cardwatch.scoring import ScoringResult, score, train
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.policy import Policy
    from cardwatch.records import Alert, AlertList, Statements

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
EARLY = ("2025-09.csv", "2025-10.csv", "2025-11.csv")


def as_text(lists: dict[str, AlertList], statements: Statements) -> str:
    return as_json(lists, dataclasses.replace(statements, reports=()))


def test_row_order_and_repetition_do_not_change_a_byte_of_the_list(
    sample: Statements, sample_policy: Policy, scored_month: Callable[[str], ScoringResult]
) -> None:
    first = as_text(scored_month("2026-10").lists, sample)
    shuffled = sample.transactions.sample(frac=1, random_state=7)
    again = score(shuffled, sample_policy, asked_files=["2026-10.csv"])
    assert as_text(again.lists, sample) == first


def test_a_month_gives_the_same_facts_when_later_months_are_known(
    sample: Statements, sample_policy: Policy, scored_month: Callable[[str], ScoringResult]
) -> None:
    """A later purchase never changes an earlier alert's facts."""
    alone = scored_month("2026-05").lists["finance"]
    later = score(sample.transactions, sample_policy, asked_files=["2026-05.xlsx"]).lists["finance"]
    facts = {a.alert_id: (a.title, a.payments, a.reasons[0].fact) for a in later.alerts}
    splits = [a for a in alone.alerts if a.reasons[0].rule.startswith("split")]
    assert splits
    for alert in splits:
        assert facts[alert.alert_id] == (alert.title, alert.payments, alert.reasons[0].fact)


def test_what_finance_sees_does_not_depend_on_what_only_psd_may_know(
    sample: Statements, sample_policy: Policy, scored_month: Callable[[str], ScoringResult]
) -> None:
    """Without cost centres and psd rules nothing across holders is found, and finance sees so."""
    finance_rules = [rule for rule in load_rules() if rule.lane == "finance"]
    apart = sample.transactions.assign(cost_centre="")
    for month, file in (("2026-03", "2026-03.xlsx"), ("2026-10", "2026-10.csv")):
        known = apart[apart["file"] <= file]
        without = score(known, sample_policy, asked_files=[file], rules=finance_rules)
        seen, unseen = (r.lists["finance"] for r in (scored_month(month), without))
        assert [dataclasses.replace(a, cost_centres=()) for a in seen.alerts] == [*unseen.alerts]
        assert (seen.notes, seen.expected) == (unseen.notes, unseen.expected)
        assert seen.usual_most == unseen.usual_most
        assert not without.lists["psd"].alerts
        assert scored_month(month).lists["psd"].alerts


QUILLBURN_HOLDERS = ["SV1011", "SV1008", "SV1009", "SV1007", "SV1016"]
"""Three who use a merchant, and two who then split a purchase there."""


def _with_splits(known: pd.DataFrame) -> pd.DataFrame:
    """Return statements with three splits more: two by searches that the sample has nothing for.

    The third is by two holders who have nothing in common but their cost centre.
    """
    names = ("WIDGET STORES", "WIDGET STORES LEEDS", "KERB PRINTERS", "OTHER INK")
    codes = ("5251", "5734", "5111", "5111")
    last = known[known["file"] == "2026-10.csv"]
    added = last.iloc[[20, 20, 50, 50]].assign(
        merchant=names, mcc=codes, amount_pence=[91_000, 92_000, 93_000, 94_000], kind="purchase"
    )
    added = added.assign(transaction_id=names, row=range(90_001, 90_005))
    by_holder = known[known["kind"] == "purchase"].drop_duplicates("holder_id")
    shared = by_holder.set_index("holder_id", drop=False).loc[QUILLBURN_HOLDERS].assign(
        merchant="QUILLBURN", mcc="5251", cost_centre=["CC410", "CC310", "CC320", "CC210", "CC210"],
        date=pd.to_datetime(["2026-09-01"] * 3 + ["2026-10-14"] * 2),
        file=["2026-09.csv"] * 3 + ["2026-10.csv"] * 2,
        amount_pence=[4_100, 4_300, 4_700, 93_000, 88_000],
        transaction_id=[f"QUILLBURN {n}" for n in range(5)], row=range(90_005, 90_010),
    )  # fmt: skip
    parts = [known, added.astype(known.dtypes), shared.astype(known.dtypes)]
    return pd.concat(parts, ignore_index=True)


def test_what_finance_sees_of_a_holder_does_not_depend_on_who_shares_their_cost_centre(
    sample: Statements, sample_policy: Policy
) -> None:
    """Each holder's cost centres made their own: what one booked stays, what all did is gone.

    That nobody shares one is what finance asks of strangers, so that its rule is left out.
    """
    rules = tuple(rule for rule in load_rules() if rule.id != "split-across-strangers")
    together = _with_splits(sample.transactions)
    named = together["holder_id"] + " " + together["cost_centre"]
    apart = together.assign(cost_centre=named.astype("str"))
    seen, made = (
        score(t, sample_policy, asked_files=["2026-10.csv"], rules=rules) for t in (together, apart)
    )
    for search in ("limit", "alias", "category", "unit"):
        assert (seen.scored.features[f"{search}_split_count"] > 0).any(), search
    alerts = [
        [dataclasses.replace(alert, cost_centres=()) for alert in scoring.lists["finance"].alerts]
        for scoring in (seen, made)
    ]
    assert alerts[0] == alerts[1]
    applied = {reason.rule for alert in alerts[0] for reason in alert.reasons}
    assert {"split-same-day", "split-several-names", "split-across-merchants"} <= applied
    evidence = [
        [alert.chance for alert in scoring.lists["psd"].alerts if alert.kind == "split"]
        for scoring in (seen, made)
    ]
    assert all(evidence)
    assert evidence[0] != evidence[1], "of psd's list it is a reason"


def test_in_the_words_of_an_alert_nobody_is_accused(
    scored_month: Callable[[str], ScoringResult], sample: Statements
) -> None:
    text = as_text(scored_month("2026-10").lists, sample).lower()
    for word in ("fraud", "suspect", "offender", "guilty", "culprit"):
        assert word not in text


def test_a_year_to_date_file_as_history_does_not_double_the_month(
    sample: Statements, tmp_path: Path, sample_policy: Policy
) -> None:
    month = sample.transactions[sample.transactions["file"] == "2026-10.csv"]
    columns = ["date", "holder_id", "merchant", "mcc", "cost_centre"]

    def write(rows: pd.DataFrame, name: str) -> Path:
        rows = rows[columns].assign(amount=rows["amount_pence"] / 100)
        rows.to_csv(tmp_path / name, index=False)
        return tmp_path / name

    asked, year = write(month, "october.csv"), write(sample.transactions, "year.csv")
    read = read_statements([asked], CHOICES, history=[year])
    assert len(read.transactions) == len(sample.transactions)
    assert all(report.reconciles for report in read.reports)
    made = score(read.transactions, sample_policy, asked_files=["october.csv"]).lists["finance"]
    assert made.payments_count == len(month)


def test_little_history_is_said_to_be_too_little_to_call_anything_unusual(
    sample: Statements, sample_policy: Policy
) -> None:
    few = sample.transactions[sample.transactions["file"].isin(EARLY[:2])]
    made = score(few, sample_policy, asked_files=[EARLY[1]]).lists["finance"]
    assert any("no payment is called unusual yet" in note for note in made.notes)


def test_with_too_little_history_rules_alone_are_used_and_that_is_said(
    sample: Statements, sample_policy: Policy
) -> None:
    few = sample.transactions[sample.transactions["file"].isin(EARLY)]
    made = score(few, sample_policy, asked_files=[EARLY[-1]]).lists["finance"]
    assert any(note.startswith("Only rules were used") for note in made.notes)
    assert made.made_by["forest"] == "none"
    assert all(alert.unusualness is None for alert in made.alerts)


def test_without_history_nothing_is_claimed_about_what_to_expect(
    sample: Statements, sample_policy: Policy
) -> None:
    month = sample.transactions[sample.transactions["file"] == "2026-10.csv"]
    made = score(month, sample_policy).lists["finance"]
    assert made.expected is None
    assert made.payments_count == len(month)
    assert any("no earlier statements" in note for note in made.notes)


def test_without_stated_limits_nothing_is_called_over_a_limit(sample: Statements) -> None:
    made = score(sample.transactions, load_policy(), asked_files=["2026-10.csv"]).lists["finance"]
    rules = {reason.rule for alert in made.alerts for reason in alert.reasons}
    assert not rules & {"over-single-limit", "over-month-limit"}
    assert "split-same-day" in rules
    assert any("states no single-purchase limit" in note for note in made.notes)


def test_a_budget_cuts_what_is_shown_and_nothing_is_lost(sample: Statements) -> None:
    tight = parse_policy("alerts_per_1000 = 0.0\nalerts_at_least = 3\n", "tight.toml")
    made = score(sample.transactions, tight, asked_files=["2026-10.csv"]).lists["finance"]
    assert sum(not alert.is_fact for alert in made.shown) == 3
    assert len(made.alerts) > 3
    assert [alert.rank for alert in made.alerts] == list(range(1, len(made.alerts) + 1))
    assert "of which 3 are shown" in made.notes[0]


def test_no_more_alerts_than_the_cap_are_shown_for_one_holder_and_month(
    sample: Statements,
) -> None:
    capped = parse_policy("alerts_per_holder_month = 1\nunusual_one_in = 50\n", "capped.toml")
    made = score(sample.transactions, capped, asked_files=["2026-10.csv"]).lists["finance"]
    shown = [(alert.holders, alert.last_on[:7]) for alert in made.shown if not alert.is_fact]
    assert len(shown) == len(set(shown))
    assert len(made.alerts) > len(shown)


def test_nothing_to_score_is_said_in_one_sentence(
    sample: Statements, sample_policy: Policy
) -> None:
    with pytest.raises(NothingToScore, match="no transaction to score"):
        score(sample.transactions.iloc[:0], sample_policy)
    with pytest.raises(NothingToScore, match="could not be read"):
        score(sample.transactions, sample_policy, asked_files=["absent.csv"])
    with pytest.raises(NothingToScore, match="at least 50 cardholders"):
        train(sample.transactions.iloc[:100], sample_policy)


def test_a_habit_over_the_limit_is_one_low_alert_and_never_silence(sample: Statements) -> None:
    """With a limit of 100 pounds the weekly suppliers pass it again and again."""
    text = "[[single_purchase]]\nfrom = 2020-01-01\npounds = 100\nvat = 'included'\n"
    policy = parse_policy(text, "low.toml")
    made = score(sample.transactions, policy, asked_files=["2026-10.csv"]).lists["finance"]
    habits = [a for a in made.alerts if a.reasons[0].rule == "split-habit"]
    assert habits
    pairs = [(alert.holders, alert.merchants) for alert in habits]
    assert len(pairs) == len(set(pairs)), "one alert a holder and merchant"
    assert all(alert.tier == "C" for alert in habits)


def _with_payments(table: pd.DataFrame, *payments: tuple[str, int, str, int]) -> pd.DataFrame:
    """Return statements with payments more: day, number of the cardholder, merchant, pence."""
    month = table[(table["file"] == "2026-10.csv") & (table["kind"] == "purchase")]
    of_holders = month.drop_duplicates("holder_id").reset_index(drop=True)
    more = of_holders.loc[[holder for _, holder, _, _ in payments]].reset_index(drop=True)
    more["date"] = more["posting_date"] = pd.to_datetime([day for day, *_ in payments])
    more["merchant"] = [merchant for _, _, merchant, _ in payments]
    more["amount_pence"] = [pence for *_, pence in payments]
    more["row"] = range(90_001, 90_001 + len(more))
    more["transaction_id"] = [f"made-{row}" for row in more["row"]]
    return pd.concat([table, more.astype(table.dtypes)], ignore_index=True)


def _questions(table: pd.DataFrame, policy: Policy, merchant: str) -> list[Alert]:
    made = score(table, policy, asked_files=["2026-10.csv"]).lists["finance"].alerts
    return [alert for alert in made if merchant in alert.merchants and not alert.is_fact]


def test_a_split_that_is_most_of_a_slow_total_is_one_question_with_it(
    sample: Statements, sample_policy: Policy
) -> None:
    days = ("2026-10-05", "2026-10-12", "2026-10-20", "2026-10-20")
    sums = (30_000, 30_000, 70_000, 65_000)
    paid = [(day, 0, "QUILLON WORKS", pence) for day, pence in zip(days, sums, strict=True)]
    (alert,) = _questions(
        _with_payments(sample.transactions, *paid), sample_policy, "QUILLON WORKS"
    )
    rules = [reason.rule for reason in alert.reasons]
    assert rules[0] == "split-same-day"
    assert "slow-total" in rules
    assert len(alert.payments) == 4
    assert alert.at_stake_pence == sum(sums)


def test_a_split_that_is_little_of_a_slow_total_is_a_question_of_its_own(
    sample: Statements, sample_policy: Policy
) -> None:
    early = [(f"2026-10-{day:02}", 0, "QUILLON WORKS", 45_000) for day in (1, 6, 11)]
    split = [("2026-10-28", 0, "QUILLON WORKS", 52_500)] * 2
    table = _with_payments(sample.transactions, *early, *split)
    alerts = _questions(table, sample_policy, "QUILLON WORKS")
    assert {alert.reasons[0].rule for alert in alerts} >= {"slow-total"}
    assert any(len(alert.payments) == 2 for alert in alerts)
