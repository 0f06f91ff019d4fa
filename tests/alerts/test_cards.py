"""Alerts about cards that no payment shows: one a matter, the same each month, quiet elsewhere."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from cardwatch.alerts import card_label, holders_label
from cardwatch.policy import parse_policy
from cardwatch.registers import read_cards
from cardwatch.reports import write_alerts
from cardwatch.scoring import score
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.policy import Policy
    from cardwatch.records import Alert, CardRegister, Statements
    from cardwatch.scoring import ScoringResult

    Ask = Callable[..., ScoringResult]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..", "day-first")
PAID = "Date,Holder,Merchant,Amount,Card Number\n"
HELD = "Card,Employee No,Approver No,Single Limit,Monthly Limit,Opened,Closed,Status,From\n"
MONTHS = [f"2026-{month:02}-05,E{n},Shop,40.0{n},\n" for month in range(1, 10) for n in (1, 2, 3)]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Return a function that scores payments of a year with a register, both given as text."""

    def scored(cards: str, payments: str = "", policy: str = "") -> ScoringResult:
        (tmp_path / "s.csv").write_text(PAID + "".join(MONTHS) + payments, encoding="utf-8")
        (tmp_path / "c.csv").write_text(HELD + cards, encoding="utf-8")
        paid = read_statements([tmp_path / "s.csv"], CHOICES).transactions
        figures = parse_policy(policy, "policy.toml")
        return score(paid, figures, cards=read_cards(tmp_path / "c.csv", CHOICES))

    return scored


def of_rule(scoring: ScoringResult, rule: str, lane: str = "finance") -> list[Alert]:
    alerts = scoring.lists[lane].alerts
    return [alert for alert in alerts if rule in {reason.rule for reason in alert.reasons}]


ORDINARY = "1111,E1,A,100,200,,,,\n2222,E2,A,100,200,,,,\n3333,E3,A,100,200,,,,\n"
CASES = {
    "limit-far-above-use": ("1111,E1,A,100,201,,,,\n", "", "E1"),
    "card-unused": ("4444,E4,A,100,200,01/02/2026,,,\n", "", "E4"),
    "many-cards-one-person": ("4444,E1,A,100,100,20/08/2026,,,\n", "", "E1"),
    "approver-span": (
        "".join(f"{n},E{n},B,100,200,20/08/2026,,,\n" for n in range(5000, 5021)),
        "",
        "approver B",
    ),
    "inactive-card-use": (
        "4444,E4,A,100,200,,20/08/2026,,\n",
        "2026-08-26,E4,Shop,40.00,\n2026-09-02,E4,Inn,30.00,\n",
        "E4",
    ),
    "use-before-opening": (
        "4444,E4,A,100,200,20/08/2026,,,\n",
        "2026-08-19,E4,Shop,40.00,\n",
        "E4",
    ),
    "card-not-in-register": ("", "2026-08-19,E4,Shop,40.00,\n2026-08-20,E4,Inn,4.00,\n", "E4"),
    "limit-raised-in-cycle": (
        "4444,E4,A,100,200,,,,\n4444,E4,A,150,200,,,,10/08/2026\n",
        "2026-08-20,E4,Shop,120.00,\n",
        "E4",
    ),
    "over-single-limit": ("4444,E4,A,100,200,,,,\n", "2026-08-20,E4,Shop,120.00,\n", "E4"),
    "over-month-limit": (
        "4444,E4,A,100,100,,,,\n",
        "2026-08-20,E4,Shop,60.00,\n2026-08-25,E4,Inn,41.00,\n",
        "E4",
    ),
}
"""For each rule the rows and payments that make it fire, and whom it asks about."""
QUIET = {
    "limit-far-above-use": ("1111,E1,A,100,200,,,,\n", ""),
    "card-unused": ("4444,E4,A,100,200,10/03/2026,,,\n", ""),
    "many-cards-one-person": ("4444,E1,A,100,200,,20/08/2026,,\n", ""),
    "approver-span": ("".join(f"{n},E{n},B,1,2,20/08/2026,,,\n" for n in range(5000, 5020)), ""),
    "inactive-card-use": ("4444,E4,A,100,200,,20/08/2026,,\n", "2026-08-25,E4,Shop,40.00,\n"),
    "use-before-opening": ("4444,E4,A,100,200,19/08/2026,,,\n", "2026-08-19,E4,Shop,40.00,\n"),
    "card-not-in-register": ("4444,E4,A,100,200,,,,\n", "2026-08-19,E4,Shop,40.00,\n"),
    "limit-raised-in-cycle": (
        "4444,E4,A,100,200,,,,\n4444,E4,A,150,200,,,,10/08/2026\n",
        "2026-08-20,E4,Shop,100.00,\n",
    ),
    "over-single-limit": ("4444,E4,A,120,200,,,,\n", "2026-08-20,E4,Shop,120.00,\n"),
    "over-month-limit": ("4444,E4,A,100,120,,,,\n", "2026-08-20,E4,Shop,120.00,\n"),
}
"""The nearest case of each in which it has nothing to ask."""


def register_of(rows: str) -> str:
    """Return the ordinary register, its rows of the same card replaced by the case's."""
    cards = {line[:4] for line in rows.splitlines()}
    return "".join(f"{o}\n" for o in ORDINARY.splitlines() if o[:4] not in cards) + rows


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_of_the_register_asks_once_about_the_right_holder(ask: Ask, rule: str) -> None:
    rows, payments, holder = CASES[rule]
    alerts = of_rule(ask(register_of(rows), payments), rule)
    assert [holders_label(alert) for alert in alerts] == [holder]
    assert bool(alerts[0].payments) is bool(payments)
    assert bool(alerts[0].cards) is not bool(payments)


@pytest.mark.parametrize("rule", QUIET)
def test_the_nearest_innocent_case_is_quiet(ask: Ask, rule: str) -> None:
    rows, payments = QUIET[rule]
    assert of_rule(ask(register_of(rows), payments), rule) == []


def test_all_is_quiet_with_an_ordinary_register(ask: Ask) -> None:
    scoring = ask(ORDINARY)
    assert not scoring.lists["finance"].alerts
    assert not scoring.lists["psd"].alerts


def test_who_approves_the_own_card_is_for_professional_standards_only(ask: Ask) -> None:
    scoring, other = ask(register_of("1111,E1,E1,100,200,,,,\n")), ask(ORDINARY)
    (alert,) = of_rule(scoring, "own-approver", "psd")
    assert (alert.tier, alert.holders, alert.payments) == ("B", ("E1",), ())
    assert [card_label(card) for card in alert.cards] == ["card ending 1111, cardholder E1"]
    seen, unseen = scoring.lists["finance"], other.lists["finance"]
    assert (seen.alerts, seen.notes, seen.expected) == (unseen.alerts, unseen.notes, None)


def test_a_lost_card_is_told_beside_another_reason_and_never_alone(ask: Ask) -> None:
    lost = "4444,E1,A,100,200,,20/08/2026,Stolen,\n1111,E1,A,30,200,,,,\n"
    (alert,) = of_rule(ask(register_of(lost)), "reissued-card")
    assert alert.reasons[0].rule == "over-single-limit"
    fine = "4444,E1,A,100,200,,20/08/2026,Stolen,\n1111,E1,A,100,200,,,,\n"
    assert of_rule(ask(register_of(fine)), "reissued-card") == []


def test_the_cards_of_one_matter_are_all_named_and_a_span_is_one_alert(ask: Ask) -> None:
    rows, payments, _ = CASES["approver-span"]
    (alert,) = of_rule(ask(register_of(rows), payments), "approver-span")
    assert len(alert.cards) == 21
    assert alert.reasons[0].fact == "The register names one approver for 21 open cards."
    assert of_rule(ask(register_of(rows), payments, "approver_cards = 21\n"), "approver-span") == []


def test_figures_of_the_policy_are_those_compared(ask: Ask) -> None:
    rows = register_of(CASES["limit-far-above-use"][0])
    assert of_rule(ask(rows, policy="limit_times_use = 5.1\n"), "limit-far-above-use") == []
    late = register_of(QUIET["inactive-card-use"][0]), QUIET["inactive-card-use"][1]
    assert of_rule(ask(*late, "closed_card_days = 4\n"), "inactive-card-use")


def test_the_same_matter_has_the_same_id_next_month_and_its_own_in_each_rule(ask: Ask) -> None:
    rows = register_of("4444,E4,E4,100,200,01/02/2026,,,\n")
    first, later = ask(rows), ask(rows, "2026-10-05,E1,Shop,40.00,\n")
    ids = []
    for rule, lane in (("card-unused", "finance"), ("own-approver", "psd")):
        (one,), (other,) = of_rule(first, rule, lane), of_rule(later, rule, lane)
        assert one.alert_id == other.alert_id
        assert one.last_on < other.last_on
        ids.append(one.alert_id)
    assert len(set(ids)) == 2


def test_cards_of_many_holders_do_not_share_one_holders_cap(ask: Ask) -> None:
    rows = "".join(f"{n},E{n},A,100,200,01/02/2026,,,\n" for n in range(6000, 6006))
    unused = of_rule(ask(register_of(rows)), "card-unused")
    assert len(unused) == 6
    assert all(alert.shown for alert in unused)


def test_cards_stand_after_payments_of_their_tier_and_the_list_says_how_many_they_are(
    scored_with_cards: Callable[[str], ScoringResult],
) -> None:
    made = scored_with_cards("2026-10").lists["finance"]
    for tier in "ABC":
        kinds = [bool(alert.payments) for alert in made.alerts if alert.tier == tier]
        assert kinds == sorted(kinds, reverse=True)
    cards = sum(not alert.payments for alert in made.alerts)
    assert cards == 2
    assert any(note.startswith("2 alerts are about cards") for note in made.notes)


def test_a_list_says_which_register_made_it_and_how_many_payments_it_does_not_know(
    ask: Ask, sample: Statements
) -> None:
    made = ask(ORDINARY, "2026-08-19,E4,Shop,40.00,\n").lists["finance"]
    assert len(made.made_by["cards"]) == 64
    assert "1 of 28 payments is on a card not in the register." in made.notes
    without = score(sample.transactions, parse_policy("", "p.toml")).lists["finance"]
    assert without.made_by["cards"] == "none"
    assert not any("register" in note for note in without.notes)


def test_an_alert_without_payments_is_in_every_form_of_list(
    scored_with_cards: Callable[[str], ScoringResult], sample: Statements, tmp_path: Path
) -> None:
    lists = scored_with_cards("2026-10").lists
    alerts = [alert for made in lists.values() for alert in made.alerts]
    for ending in ("csv", "xlsx", "json"):
        write_alerts(tmp_path / f"x.{ending}", lists, sample)
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["Alert id"] for row in rows} == {alert.alert_id for alert in alerts}
    assert len(rows) == sum(max(len(alert.payments), 1) for alert in alerts)
    (unused,) = [row for row in rows if row["Alert"].startswith("An open card")]
    assert (unused["Cards"], unused["Reference"]) == ("card ending 0061, cardholder SV1061", "")
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    sheets = [sheet for sheet in book if sheet.title.startswith(("Alerts", "Beyond"))]
    assert sum(sheet.max_row - 1 for sheet in sheets) == len(alerts)
    content: dict[str, Any] = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    (own,) = (a["cards"] for a in content["lists"]["psd"]["alerts"] if not a["payments"])
    assert [(card["card_last4"], card["holder_id"]) for card in own] == [("3863", "SV1046")]


def test_row_order_changes_nothing_of_a_list_with_cards(
    sample: Statements,
    sample_policy: Policy,
    sample_cards: CardRegister,
    scored_with_cards: Callable[[str], ScoringResult],
) -> None:
    shuffled = sample.transactions.sample(frac=1, random_state=3)
    again = score(shuffled, sample_policy, cards=sample_cards, asked_files=["2026-10.csv"])
    assert again.lists == scored_with_cards("2026-10").lists


def test_a_reason_about_one_of_several_payments_names_its_merchant_and_day(ask: Ask) -> None:
    """Nobody could tell which of two merchants "this merchant" was."""
    cards, payments, _ = CASES["inactive-card-use"]
    (alert,) = of_rule(ask(register_of(cards), payments), "inactive-card-use")
    assert len(alert.merchants) > 1
    words = ("this merchant", "days after", "this payment", "Nobody in the", "nobody in the")
    about_one = [r.fact for r in alert.reasons if any(word in r.fact for word in words)]
    places = ("Inn on 2 September", "Shop on 26 August")
    assert about_one
    assert all(fact.startswith(places) for fact in about_one)
