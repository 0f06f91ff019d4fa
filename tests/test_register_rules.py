"""Payments beside registers: every planted truth found, as known on the day, nothing leaks."""

from __future__ import annotations

import csv
import dataclasses
import functools
import json
import re
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pandas as pd
import pytest

from cardwatch.alerts import BY_CHANCE, alert_content
from cardwatch.casebook.alerts import alert_from
from cardwatch.features import ENTRIES_SHOWN, REGISTERS_READ, Ledger
from cardwatch.features.chance_pairs import chance_pairs
from cardwatch.features.contracts import (
    category_contract_count,
    contract_count,
    is_year_without_contract,
)
from cardwatch.features.gifts import GIFT_DAYS
from cardwatch.features.name_matches import name_matches
from cardwatch.features.registered import (
    approvers,
    as_known,
    keys_of_payments,
    pairs_by_merchant,
    register_entries,
)
from cardwatch.features.staff import reciprocal_count
from cardwatch.policy import load_policy
from cardwatch.registers import read_registers, register_kind
from cardwatch.reports import as_json, write_alerts
from cardwatch.rules import load_rules
from cardwatch.scoring import score
from cardwatch.statements import ReadingChoices, name_holders, read_rows, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardwatch.policy import Policy
    from cardwatch.records import Alert, CardRegister, Register, Statements
    from cardwatch.scoring import ScoringResult

    ScoringContext = Callable[..., ScoringResult]

SAMPLE = Path(__file__).parents[1] / "sample_data"
CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
RULES = [rule for rule in load_rules() if rule.registers]
NEWEST, QUIET = "2026-10", "2026-09"


def read_truth() -> list[dict[str, str]]:
    with (SAMPLE / "registers_truth.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def sample_registers() -> list[Register]:
    return read_registers(sorted((SAMPLE / "registers").iterdir()), CHOICES)


@pytest.fixture(scope="session")
def scored(
    sample: Statements,
    sample_policy: Policy,
    sample_cards: CardRegister,
    sample_registers: list[Register],
) -> ScoringContext:
    """Give a month of the sample force with the card register and some other registers."""

    @functools.cache
    def score_month(month: str, kinds: frozenset[str] | None = None) -> ScoringResult:
        file = next(f for f in sample.transactions["file"].unique() if f.startswith(month))
        known = sample.transactions[sample.transactions["file"] <= file]
        given = [r for r in sample_registers if kinds is None or r.kind in kinds]
        return score(known, sample_policy, cards=sample_cards, registers=given, asked_files=[file])

    return score_month


def alerts_of(scoring: ScoringResult) -> list[Alert]:
    return [alert for made in scoring.lists.values() for alert in made.alerts]


def texts(scoring: ScoringResult, lane: str) -> str:
    made = scoring.lists[lane]
    content = [alert_content(alert) for alert in made.alerts]
    return json.dumps([content, dataclasses.asdict(dataclasses.replace(made, alerts=()))])


def test_every_row_of_the_registers_is_accounted_for(sample_registers: list[Register]) -> None:
    for register in sample_registers:
        for report in register.reports:
            assert report.reconciles, report.file
            assert not report.problems, report.file
    absence = next(r for r in sample_registers if r.kind == "absence")
    assert list(absence.reports[0].dropped) == ["Reason"]


def test_every_rule_of_a_register_has_a_planted_truth() -> None:
    assert {truth["rule"] for truth in read_truth()} == {r.id for r in RULES}


@pytest.mark.parametrize("truth", read_truth(), ids=lambda t: t["rule"])
def test_every_planted_truth_is_found_by_its_rule(
    truth: dict[str, str], scored: ScoringContext
) -> None:
    references = set(truth["references"].split())
    answers = [
        alert
        for alert in alerts_of(scored(NEWEST))
        if truth["rule"] in {reason.rule for reason in alert.reasons}
        and truth["holder_id"] in alert.holders
        and references & {p.reference for p in alert.payments}
    ]
    assert len(answers) == 1
    assert answers[0].lane == next(rule.lane for rule in RULES if rule.id == truth["rule"])


def test_the_near_misses_and_the_quiet_month_stay_quiet(scored: ScoringContext) -> None:
    assert alerts_of(scored(QUIET)) == []
    truths = {truth["holder_id"] for truth in read_truth()}
    related = {"relation", "contract"}
    for alert in alerts_of(scored(NEWEST)):
        if alert.kind in related:
            assert set(alert.holders) <= truths, alert.reasons[0].rule


def test_registers_take_no_alert_away(
    scored: ScoringContext, scored_with_cards: Callable[[str], ScoringResult]
) -> None:
    without = {alert.alert_id for alert in alerts_of(scored_with_cards(NEWEST))}
    assert without <= {alert.alert_id for alert in alerts_of(scored(NEWEST))}


def test_without_registers_nothing_is_other_than_before(
    scored: ScoringContext, scored_with_cards: Callable[[str], ScoringResult]
) -> None:
    none = scored(NEWEST, frozenset())
    for lane in ("finance", "psd"):
        assert texts(none, lane) == texts(scored_with_cards(NEWEST), lane)
        assert "entries" not in texts(none, lane)
        assert "registers" not in none.lists[lane].made_by


def test_what_only_psd_may_read_leaves_no_trace_for_finance(
    scored: ScoringContext, sample_registers: list[Register]
) -> None:
    """Two worlds: without, and with, every register of professional standards."""
    mine = frozenset(r.kind for r in sample_registers if register_kind(r.kind).lane == "finance")
    assert texts(scored(NEWEST, mine), "finance") == texts(scored(NEWEST), "finance")
    assert texts(scored(NEWEST, mine), "psd") != texts(scored(NEWEST), "psd")
    for rule in RULES:
        lanes = {register_kind(kind).lane for kind in rule.registers}
        assert rule.lane == "psd" or lanes == {"finance"}, rule.id


def test_an_alert_shows_the_entry_with_both_days_and_how_it_matched(scored: ScoringContext) -> None:
    alert = next(
        alert
        for alert in alerts_of(scored(NEWEST))
        if alert.reasons[0].rule == "gift-accepted-then-paid"
    )
    [entry] = alert.entries
    assert (entry.register, entry.file) == ("gifts", "gifts.csv")
    assert (entry.true_on, entry.known_on) == ("2026-10-21", "2026-10-22")
    assert ("Donor", "Plankwold Timber Merchants Ltd") in entry.facts
    assert entry.match == "stated"
    assert "A person has confirmed that the two are one." in entry.matched_by


def test_what_is_written_carries_the_entries(
    scored: ScoringContext, sample: Statements, tmp_path: Path
) -> None:
    made = {"psd": scored(NEWEST).lists["psd"]}
    kept = json.loads(as_json(made, sample))["lists"]["psd"]["alerts"]
    alert = next(a for a in made["psd"].alerts if a.reasons[0].rule == "gift-accepted-then-paid")
    assert next(a for a in kept if a["alert_id"] == alert.alert_id)["entries"][0]["row"] > 1
    write_alerts(tmp_path / "list.xlsx", made, sample)
    sheet = openpyxl.load_workbook(tmp_path / "list.xlsx")["Evidence"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    entry = next(row for row in rows if row[0] == alert.alert_id and row[2] == "Register entry")
    assert "Donor: Plankwold Timber Merchants Ltd" in entry[4]
    assert "known from 22 October 2026" in entry[4]
    again = alert_from(json.loads(json.dumps(alert_content(alert))))
    assert again == alert


def test_a_possible_match_never_leads(scored: ScoringContext) -> None:
    for alert in alerts_of(scored(NEWEST)):
        leading = alert.reasons[0].rule
        assert leading != "gift-possible-match"
        assert not [e for e in alert.entries if e.rule == leading and e.match == "possible"]


PAID = "2026-10-20"
GIFT = "Employee No,Department,Date of offer,Donor,Accepted or declined,Date recorded\n"


@pytest.fixture
def alerts_for(tmp_path: Path) -> Callable[..., list[Alert]]:
    """Return a function that scores a payment of E1 to OSPREY JOINERY with some registers.

    `others` are the days on which as many others paid it; 120 more people paid elsewhere then.
    """

    def find(
        files: dict[str, str], who: str = "E1", on: str = PAID, others: Sequence[str] = ()
    ) -> list[Alert]:
        payments = [(who, on, "OSPREY JOINERY LTD", "Fleet")]
        payments += [(f"O{n}", day, "OSPREY JOINERY LTD", "Stores") for n, day in enumerate(others)]
        payments += [(f"X{n}", on, f"SHOP {n}", "Stores") for n in range(120 if others else 0)]
        rows = [
            {"date": day, "employee_id": person, "merchant": merchant, "amount": "120.00",
             "cost_centre": unit, "transaction_id": f"T{number}"}
            for number, (person, day, merchant, unit) in enumerate(payments, 1)
        ]  # fmt: skip
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        table, _ = name_holders([read_rows("october", rows, CHOICES)[0]])
        registers = read_registers(sorted(tmp_path.iterdir()), CHOICES)
        return alerts_of(score(table, load_policy(), registers=registers))

    return find


def rules_of(alerts: Sequence[Alert]) -> set[str]:
    return {reason.rule for alert in alerts for reason in alert.reasons if reason.rule in
            {rule.id for rule in RULES}}  # fmt: skip


@pytest.mark.parametrize(
    ("offered", "recorded", "rule"),
    [
        ("12/10/2026", "13/10/2026", "gift-accepted-then-paid"),
        ("20/10/2026", "20/10/2026", "gift-accepted-then-paid"),
        ("12/10/2026", "21/10/2026", "gift-recorded-late"),
        ("21/10/2026", "21/10/2026", ""),
        ("01/04/2026", "02/04/2026", ""),
    ],
)
def test_a_gift_counts_from_the_day_it_was_true_and_known(
    alerts_for: Callable[..., list[Alert]], offered: str, recorded: str, rule: str
) -> None:
    text = GIFT + f"E1,Fleet,{offered},Osprey Joinery,Accepted,{recorded}\n"
    assert rules_of(alerts_for({"gifts.csv": text})) == ({rule} if rule else set())


def test_a_fact_about_one_of_several_payments_names_it(tmp_path: Path) -> None:
    row = {"employee_id": "E1", "merchant": "OSPREY JOINERY LTD", "cost_centre": "Fleet"}
    sums = {"2026-10-20": "610.00", "2026-10-21": "480.00"}
    rows = [
        row | {"date": day, "amount": pounds, "transaction_id": day} for day, pounds in sums.items()
    ]
    gift = tmp_path / "gifts.csv"
    gift.write_text(GIFT + "E1,Fleet,12/10/2026,Osprey Joinery,Accepted,13/10/2026\n", "utf-8")
    table, _ = name_holders([read_rows("october", rows, CHOICES)[0]])
    registers = read_registers([gift], CHOICES)
    (alert,) = [
        found
        for found in alerts_of(score(table, load_policy(), registers=registers))
        if "gift-accepted-then-paid" in rules_of([found])
    ]
    assert len(alert.payments) == 2
    (fact,) = [one.fact for one in alert.reasons if one.rule == "gift-accepted-then-paid"]
    assert "9 days before the payment of £480.00 on 21 October 2026." in fact


def test_a_namesake_of_the_holder_or_of_the_merchant_raises_nothing(
    alerts_for: Callable[..., list[Alert]],
) -> None:
    gift = "Fleet,12/10/2026,{},Accepted,13/10/2026\n"
    text = GIFT + "E2," + gift.format("Osprey Joinery") + "E1," + gift.format("Osprey Golf Club")
    assert rules_of(alerts_for({"gifts.csv": text})) == set()


@pytest.mark.parametrize("donor", ["Osprey Joinery Holdings Ltd", "Osprey Joinery Group"])
def test_a_gift_from_a_firms_group_leads_only_once_the_names_are_confirmed(
    alerts_for: Callable[..., list[Alert]], donor: str
) -> None:
    files = {"gifts.csv": GIFT + f"E1,Fleet,12/10/2026,{donor},Accepted,13/10/2026\n"}
    assert "gift-accepted-then-paid" not in rules_of(alerts_for(files))
    files["matches.csv"] = CONFIRMED.replace("Osprey Joinery,", f"{donor},")
    assert "gift-accepted-then-paid" in rules_of(alerts_for(files))


@pytest.mark.parametrize(
    ("supplier", "known", "is_missing"),
    [
        ("Heron Golf Club", 0, True),
        ("Osprey Joinery Holdings Ltd", 0, False),  # may be the one: that there is none is not said
        ("Osprey Joinery", 1, False),
    ],
)
def test_a_contract_under_a_similar_name_is_not_called_missing(
    tmp_path: Path, supplier: str, known: int, *, is_missing: bool
) -> None:
    row = {"date": PAID, "employee_id": "E1", "merchant": "OSPREY JOINERY LTD", "mcc": "5211",
           "amount": "6000.00", "cost_centre": "Fleet", "transaction_id": "T1"}  # fmt: skip
    headings = "Supplier,Reference,Start date,End date,Merchant category codes,Date recorded"
    contract = f"{supplier},K1,01/01/2026,31/12/2027,5211,02/01/2026"
    (tmp_path / "contracts.csv").write_text(f"{headings}\n{contract}\n", encoding="utf-8")
    table, _ = name_holders([read_rows("october", [row], CHOICES)[0]])
    registers = {r.kind: r for r in read_registers([tmp_path / "contracts.csv"], CHOICES)}
    ledger = Ledger(table, load_policy(), registers)
    assert contract_count(ledger).tolist() == [known]
    assert category_contract_count(ledger).tolist() == [int(is_missing)]
    assert is_year_without_contract(ledger).tolist() == [is_missing]


CONFIRMED = "Name in register,Merchant,Decision,Reason\nOsprey Joinery,OSPREY JOINERY,same,seen\n"


@pytest.mark.parametrize(
    ("others", "leads"),
    [
        (["2026-10-13"], True),  # 2 of 122 people: 1 in 61
        (["2026-10-13"] * 5, False),  # 6 of 126: 1 in 21
        (["2026-10-10"] * 5, True),  # they paid before the gift, and nobody since
        (["2026-10-21"] * 5, True),  # they paid after the payment: it is as it was on its day
    ],
)
def test_a_gift_from_whom_many_buy_leads_only_once_the_names_are_confirmed(
    alerts_for: Callable[..., list[Alert]], others: list[str], *, leads: bool
) -> None:
    files = {"gifts.csv": GIFT + "E1,Fleet,12/10/2026,Osprey Joinery,Accepted,13/10/2026\n"}
    assert ("gift-accepted-then-paid" in rules_of(alerts_for(files, others=others))) is leads
    found = alerts_for(files | {"matches.csv": CONFIRMED}, others=others)
    assert "gift-accepted-then-paid" in rules_of(found)


def test_an_approvers_interest_is_weighed_among_approvers(
    alerts_for: Callable[..., list[Alert]],
) -> None:
    """Three of three approvers have approved payments to the firm, though few cardholders pay."""
    files = {
        "interests.csv": "Staff Number,Business name,Date applied,Decision,Date recorded\n"
        "A1,Osprey Joinery,01/08/2026,Approved,02/08/2026\n",
        "approvals.csv": "Payment reference,Approver No,Approved at\n"
        "T1,A1,21/10/2026 09:00\nT2,A2,21/10/2026 09:00\nT3,A3,21/10/2026 09:00\n",
    }
    others = ["2026-09-01", "2026-09-02"]
    assert "approver-interest" not in rules_of(alerts_for(files, others=others))
    found = alerts_for(files | {"matches.csv": CONFIRMED}, others=others)
    assert "approver-interest" in rules_of(found)


def test_an_alert_says_how_many_others_would_fit_its_entry(
    alerts_for: Callable[..., list[Alert]],
) -> None:
    files = {"gifts.csv": GIFT + "E1,Fleet,12/10/2026,Osprey Joinery,Accepted,13/10/2026\n"}
    [entry] = next(a for a in alerts_for(files, others=["2026-10-13"]) if a.entries).entries
    assert entry.matched_by.endswith("Of 122 people, 2 paid this merchant since.")


def _units_with_gifts(
    recorded: str, nil: str = "", size: int = 8
) -> tuple[str, list[tuple[str, ...]]]:
    """Return a register in which two units of eight record 8 gifts each, and payments of three."""
    lines = [f"{unit}{n},{unit},05/09/2026,Donor {n},Declined,06/09/2026"
             for unit in ("Fleet", "Custody") for n in range(8)]  # fmt: skip
    lines += [f"Stores0,Stores,05/09/2025,Donor,Declined,{recorded}"] if recorded else []
    lines += [f",{unit},,Nil return,," for unit in filter(None, [nil])]
    payments = [
        (f"{unit}{n}", unit, day)
        for day in ("2026-10-19", PAID)
        for unit, count in (("Fleet", 8), ("Custody", 8), ("Stores", size))
        for n in range(count)
    ]
    return GIFT + "\n".join(lines) + "\n", payments


@pytest.mark.parametrize(
    ("recorded", "nil", "size", "count"),
    [
        ("", "", 8, 1),  # once, not for each of sixteen payments
        ("06/09/2025", "", 8, 1),
        ("21/10/2025", "", 8, 0),  # within the year
        ("19/10/2025", "", 8, 1),
        ("", "stores", 8, 0),  # nothing to declare is an answer
        ("", "", 3, 0),  # 16 entries of 16 people: 3 would be expected of 3
    ],
)
def test_a_unit_that_records_nothing_is_asked_about_once_a_year(
    tmp_path: Path, recorded: str, nil: str, size: int, count: int
) -> None:
    text, payments = _units_with_gifts(recorded, nil, size)
    (tmp_path / "gifts.csv").write_text(text, encoding="utf-8")
    rows = [
        {"date": day, "employee_id": who, "merchant": "SHOP", "amount": "12.00",
         "cost_centre": unit}
        for who, unit, day in payments
    ]  # fmt: skip
    table, _ = name_holders([read_rows("october", rows, CHOICES)[0]])
    found = alerts_of(
        score(table, load_policy(), registers=read_registers([tmp_path / "gifts.csv"], CHOICES))
    )
    silent = [alert for alert in found if alert.reasons[0].rule == "register-silent-unit"]
    assert len(silent) == count
    assert all("8 entries would be expected" in alert.reasons[0].fact for alert in silent)


def test_names_for_which_payments_wait_come_first(tmp_path: Path) -> None:
    """Of two names the surer has no payment that waits for it."""
    rows = [("E1", "OSPREY JOINERY")] + [(f"O{n}", "OSPREY JOINERY") for n in range(5)]
    rows += [("E1", "KESTREL PRINTING WORKS")]
    frame = [
        {"date": PAID, "employee_id": who, "merchant": merchant, "amount": "120.00"}
        for who, merchant in rows
    ]
    gifts = GIFT + "E1,Fleet,12/10/2026,Osprey Joinery,Accepted,13/10/2026\n"
    gifts += "E9,Fleet,12/10/2026,Kestrel Printing Works,Accepted,13/10/2026\n"
    (tmp_path / "gifts.csv").write_text(gifts, encoding="utf-8")
    table, _ = name_holders([read_rows("october", frame, CHOICES)[0]])
    registers = read_registers([tmp_path / "gifts.csv"], CHOICES)
    ledger = Ledger(table, load_policy(), {"gifts": registers[0]})
    found = [(match.organisation, match.waiting) for match in name_matches(ledger)]
    assert found == [("Osprey Joinery", 1), ("Kestrel Printing Works", 0)]
    assert [match.waiting for match in name_matches(ledger, frozenset({"e1"}))] == [0, 0]


@pytest.mark.parametrize(
    ("decision", "day", "rule"),
    [
        ("Approved", "01/09/2026", "own-interest"),
        ("Refused", "01/09/2026", "refused-interest"),
        ("withdrawn by applicant", "01/09/2026", "refused-interest"),
        ("Lapsed", "01/09/2026", "refused-interest"),
        ("Refused", "01/11/2026", ""),
    ],
)
def test_interests_of_every_decision(
    alerts_for: Callable[..., list[Alert]], decision: str, day: str, rule: str
) -> None:
    heading = "Staff Number,Business name,Date applied,Decision,Date decided,Date recorded\n"
    row = f"E1,Osprey Joinery Ltd,01/08/2026,{decision},{day},02/08/2026\n"
    found = rules_of(alerts_for({"interests.csv": heading + row}))
    assert found == ({rule} if rule else set())


def test_a_unit_or_organisation_rule_needs_a_confirmed_name(
    alerts_for: Callable[..., list[Alert]],
) -> None:
    tender = "Tender reference,Bidder,Opens,Closes\nT1,Osprey Joinery,01/10/2026,30/11/2026\n"
    assert rules_of(alerts_for({"tenders.csv": tender})) == set()
    match = "Name in register,Merchant,Decision,Reason\nOsprey Joinery,OSPREY JOINERY,same,seen\n"
    found = alerts_for({"tenders.csv": tender, "matches.csv": match})
    assert rules_of(found) == {"bidder-paid-in-tender"}


def test_a_leaver_who_came_back_has_not_left(alerts_for: Callable[..., list[Alert]]) -> None:
    heading = "Employee No,Unit,Date started,Date left\n"
    left = heading + "E1,Fleet,01/01/2020,01/10/2026\n"
    found = alerts_for({"people.csv": left})
    assert rules_of(found) == {"use-after-leaving"}
    back = left + "E1,Fleet,05/10/2026,\n"
    assert rules_of(alerts_for({"people.csv": back})) == set()


def test_absences_hold_their_first_and_last_day(alerts_for: Callable[..., list[Alert]]) -> None:
    heading = "Employee No,From,To\n"
    cases = [("20/10/2026", "20/10/2026", True), ("21/10/2026", "23/10/2026", False)]
    cases.append(("10/10/2026", "19/10/2026", False))
    for first, last, fires in cases:
        found = rules_of(alerts_for({"absence.csv": f"{heading}E1,{first},{last}\n"}))
        assert (found == {"paid-while-absent"}) is fires


def test_the_order_of_a_registers_rows_changes_nothing(
    alerts_for: Callable[..., list[Alert]],
) -> None:
    rows = [f"E1,Fleet,{n:02d}/10/2026,Osprey Joinery,Accepted,{n:02d}/10/2026" for n in (3, 9, 12)]
    forward = alerts_for({"gifts.csv": GIFT + "\n".join(rows) + "\n"})
    backward = alerts_for({"gifts.csv": GIFT + "\n".join(rows[::-1]) + "\n"})

    def plain(alerts: list[Alert]) -> str:
        return re.sub(r"row=\d+|sha256='\w+'", "", repr(alerts))

    assert plain(forward) == plain(backward)


@pytest.fixture(scope="session")
def unreviewed(
    sample: Statements, sample_policy: Policy, sample_registers: list[Register]
) -> Ledger:
    """The sample force's payments beside its registers, before anybody reviewed a name."""
    given = {register.kind: register for register in sample_registers if register.kind != "matches"}
    return Ledger(sample.transactions, sample_policy, given)


def test_chance_pairs_are_few_before_any_review(unreviewed: Ledger) -> None:
    for kind in ("gifts", "interests"):
        found = chance_pairs(unreviewed, kind)
        assert 0 < found.per_hundred <= 0.2
        assert chance_pairs(unreviewed, kind, is_bounded=False).per_hundred > 0.2


def test_chance_pairs_are_the_mean_of_shuffled_people(unreviewed: Ledger) -> None:
    """A thousand shuffles, each counted anew by the register's own pairs of people and payers."""
    found = chance_pairs(unreviewed, "gifts", is_bounded=False)
    pairs = pairs_by_merchant(unreviewed, "gifts")
    lasts = pairs["day"] - pairs["true_day"] <= GIFT_DAYS
    pairs = pairs[as_known(pairs) & lasts & (pairs["person_key"] != "")]
    payers = pairs.groupby(["entry", "person_key"])["holder_key"].agg(set)
    holders = sorted({*keys_of_payments(unreviewed)["holder_key"]})
    people = sorted({person for _, person in payers.index})
    rng, counts = np.random.default_rng(7), []
    for _ in range(1_000):
        cards = dict(zip(people, rng.permutation(holders), strict=False))
        counts.append(sum(cards[person] in paid for (_, person), paid in payers.items()))
    error = np.std(counts) / np.sqrt(len(counts))
    assert abs(np.mean(counts) - found.by_chance) < 4 * error
    tied = sum(person in paid for (_, person), paid in payers.items())
    assert tied == found.pairs > found.by_chance


def test_people_who_are_hidden_leave_no_trace_in_chance_pairs(unreviewed: Ledger) -> None:
    everybody = chance_pairs(unreviewed, "gifts", is_bounded=False)
    named = register_entries(unreviewed, "gifts")["person_key"]
    hidden = frozenset({"sv1039"})
    found = chance_pairs(unreviewed, "gifts", hidden, is_bounded=False)
    assert found.entries == everybody.entries - (named == "sv1039").sum()
    assert found.pairs == everybody.pairs - 1  # the tickets that SV1039 declined


def test_a_list_of_psd_says_how_many_entries_match_by_chance(scored: ScoringContext) -> None:
    lists = scored(NEWEST).lists
    [note] = [note for note in lists["psd"].notes if note.startswith(BY_CHANCE)]
    assert "gifts and hospitality 0.06 (0.35 with confirmed names); business interests" in note
    assert not [note for note in lists["finance"].notes if BY_CHANCE in note]
    without = scored(NEWEST, frozenset({"contracts", "people"})).lists["psd"]
    assert not [note for note in without.notes if BY_CHANCE in note]


def test_features_of_registers_are_named_and_their_entries_too() -> None:
    assert ENTRIES_SHOWN.keys() <= REGISTERS_READ.keys()
    kinds = {kind for kinds in REGISTERS_READ.values() for kind in kinds}
    assert all(register_kind(kind) for kind in kinds)
    assert pd.Series(list(REGISTERS_READ)).is_unique


@pytest.mark.parametrize(
    ("times", "count"),
    [
        (["09:00:00"] * 20, 20),
        (["09:00:50"] * 10 + ["09:01:10"] * 10, 20),  # a minute need not begin on the clock
        (["09:00:00"] * 10 + ["09:01:00"] * 10, 0),
        ([""] * 20, 0),  # a day alone says nothing of how soon one followed the other
    ],
)
def test_a_batch_of_approvals_is_known_by_times_and_not_by_days(
    alerts_for: Callable[..., list[Alert]], times: list[str], count: int
) -> None:
    approvals = "Payment reference,Approver No,Approved at\n" + "".join(
        f"T{number},A1,21/10/2026 {time}\n" for number, time in enumerate(times, 1)
    )
    others = ["2026-10-19"] * 19
    found = alerts_for({"approvals.csv": approvals}, others=others)
    asked = {
        payment.reference
        for alert in found
        if "rushed-approval" in rules_of([alert])
        for payment in alert.payments
    }
    assert len(asked) == count


def test_two_who_approve_each_other_often_are_counted_in_little_memory(tmp_path: Path) -> None:
    """Before, each payment was put beside each of the other's: 20,000 took more than 9 GB."""
    rows = [
        {"date": f"2026-{5 + n % 6:02}-{1 + n % 27:02}", "employee_id": f"E{n % 2}",
         "merchant": "SHOP", "amount": "12.00", "transaction_id": f"T{n}"}
        for n in range(3_000)
    ]  # fmt: skip
    approvals = "Payment reference,Approver No,Approved at\n" + "".join(
        f"T{n},E{1 - n % 2},02/11/2026 09:00\n" for n in range(3_000) if n % 7
    )
    (tmp_path / "approvals.csv").write_text(approvals, encoding="utf-8")
    table, _ = name_holders([read_rows("october", rows, CHOICES)[0]])
    registers = {r.kind: r for r in read_registers([tmp_path / "approvals.csv"], CHOICES)}
    ledger = Ledger(table, load_policy(), registers)
    approvers(ledger)
    tracemalloc.start()
    counts = reciprocal_count(ledger)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
    number = ledger.reference.str[1:].astype(int).to_numpy()
    is_approved, person, day = number % 7 > 0, number % 2, ledger.day
    for row in range(0, len(ledger), 101):
        beside = is_approved & (person != person[row]) & (day <= day[row]) & (day >= day[row] - 90)
        assert counts[row] == (beside.sum() if is_approved[row] else 0)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_day_alone_takes_no_time_from_an_approval_that_is_entered_twice(
    alerts_for: Callable[..., list[Alert]], *, is_first: bool
) -> None:
    timed = [f"T{number},A1,21/10/2026 09:00:00" for number in range(1, 21)]
    bare = [f"T{number},A1,21/10/2026" for number in range(1, 21)]
    lines = [*bare, *timed] if is_first else [*timed, *bare]
    approvals = "\n".join(["Payment reference,Approver No,Approved at", *lines]) + "\n"
    found = alerts_for({"approvals.csv": approvals}, others=["2026-10-19"] * 19)
    assert "rushed-approval" in rules_of(found)
