"""Receiving: one statement whatever happens, nothing lost, nothing doubled, nothing half."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import EQUAL, NOW, SPLIT, assert_whole, lively_month, month, receive_as_two

from cardwatch import services
from cardwatch.casebook import Casebook
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.statements import parse_profile, read_each

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]


def _labels(at: services.ServiceContext) -> list[str]:
    return [one["label"] for one in services.list_statements(at)]


def _payments(at: services.ServiceContext) -> list[str]:
    """Return the references of every payment in every alert."""
    found = [services.get_alert(at, one["alert_id"]) for one in services.list_alerts(at)]
    return sorted(p.reference for one in found for p in one["raised"].payments)


def test_a_statement_is_kept_with_its_alerts_and_says_the_same_whatever_was_found(
    at: Context, read: Read
) -> None:
    quiet = services.receive(at(), read(*month(9, 27)))
    loud = services.receive(at(), read(*month(10), *SPLIT))
    assert services.list_alerts(at())
    assert {quiet.outcome, loud.outcome} == {"received"}
    counted = "27 of 27", "14 of 14"
    assert [note.replace(counted[0], counted[1]) for note in quiet.notes] == [*loud.notes]
    assert (quiet.transactions, loud.transactions) == (27, 14)


def test_the_same_bytes_under_another_name_are_the_same_statement(at: Context, read: Read) -> None:
    lines = [*month(10), *SPLIT]
    first = services.receive(at(), read(*lines, name="october.csv"))
    again = services.receive(at(), read(*lines, name="copy of october.csv"))
    assert (again.outcome, again.statement_id) == ("held", first.statement_id)
    assert _labels(at()) == ["october.csv"]


REFUNDS = """name = "Bank"
recognise = ["Date", "Employee ID", "Merchant", "Amount", "Reference"]
positive = "refund"
[columns]
date = "Date"
employee_id = "Employee ID"
merchant = "Merchant"
amount = "Amount"
transaction_id = "Reference"
"""
"""Columns by which every payment is a refund, and nothing is asked about any."""


@pytest.fixture
def read_as_refunds(tmp_path: Path, choices: ReadingChoices) -> Read:
    """Read a file that is there by columns that somebody has remembered."""
    profiles = (parse_profile(REFUNDS, "columns"), *choices.profiles)

    def read_file(name: str) -> Any:
        return read_each([tmp_path / name], replace(choices, profiles=profiles))[0]

    return read_file


def test_who_brings_a_file_first_does_not_settle_how_it_is_read(
    at: Context, read: Read, read_as_refunds: Read
) -> None:
    """Before, the true reading was "held", and could not even correct the other."""
    right = read(*month(10), *SPLIT, name="october.csv")
    first = services.receive(at(), read_as_refunds("october.csv"))
    assert services.list_alerts(at()) == []
    told = services.receive(at(person=2), right)
    assert told.outcome == "held"
    assert "upload it as a correction" in told.notes[0]
    corrected = receive_as_two(at, right, corrects=first.statement_id)
    assert corrected.outcome == "received"
    assert services.list_alerts(at())
    assert services.receive(at(), right).notes == ()


def test_a_file_that_is_read_otherwise_corrects_the_statement_of_its_own_bytes_alone(
    at: Context, read: Read, read_as_refunds: Read
) -> None:
    """Before, its payments could take the place of any other statement's, and count twice."""
    other = services.receive(at(), read(*month(9), name="september.csv"))
    first = services.receive(at(), read(*month(10), *SPLIT, name="october.csv"))
    for person in ("", 2):
        told = services.receive(
            at(person=person), read_as_refunds("october.csv"), corrects=other.statement_id
        )
        assert (told.outcome, told.statement_id) == ("held", first.statement_id)
    assert [row["superseded_by"] for row in services.list_statements(at())] == [None, None]


def test_a_second_person_confirms_what_was_read_and_not_the_bytes_alone(
    at: Context, read: Read, read_as_refunds: Read
) -> None:
    """Before, the second of two could take a correction in other columns than the first saw."""
    first = services.receive(at(), read(*month(10), *SPLIT)).statement_id
    less = read(*month(10), *SPLIT[1:], name="less.csv")
    assert services.receive(at(), less, corrects=first).outcome == "second-person"
    evil = services.receive(at(person=2), read_as_refunds("less.csv"), corrects=first)
    assert evil.outcome == "second-person"
    assert services.receive(at(person=2), less, corrects=first).outcome == "received"


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.prove)])
def test_ten_at_once_bring_the_same_file_and_get_the_same_answer(
    at: Context, read: Read, rounds: int
) -> None:
    finance = at()
    for number in range(rounds):
        statement = read(*month(1 + number % 12, reference=f"N{number}"), *SPLIT)
        start = threading.Barrier(10)

        def bring(_: int, statement: Any = statement, start: Any = start) -> services.Receipt:
            start.wait()
            return services.receive(finance, statement)

        with ThreadPoolExecutor(10) as pool:
            receipts = list(pool.map(bring, range(10)))
        assert len({one.statement_id for one in receipts}) == 1
        assert sorted(one.outcome for one in receipts) == ["held"] * 9 + ["received"]
        assert len(services.list_statements(finance)) == number + 1
    assert_whole(finance)


def test_the_same_rows_in_another_file_are_counted_once(at: Context, read: Read) -> None:
    first = services.receive(at(), read(*month(10), *SPLIT))
    again = services.receive(at(), read(*reversed([*month(10), *SPLIT])))
    assert (again.outcome, again.statement_id) == ("rows-held", first.statement_id)
    assert len(_labels(at())) == 1


def test_of_a_file_that_overlaps_only_the_new_rows_count(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(10), SPLIT[0], name="early.csv"))
    later = services.receive(at(), read(*SPLIT, *month(11), name="late.csv"))
    assert (later.outcome, later.duplicate_count) == ("received", 1)
    assert later.holders == {"early.csv": 1}
    assert any("also in early.csv" in note for note in later.notes)
    assert _payments(at()).count("S1") == 1


def test_equal_payments_of_one_statement_are_each_counted(at: Context, read: Read) -> None:
    equal = ["2026-10-11,E1,NEW FIRM,600.00,"] * 2
    services.receive(at(), read(*month(10), *equal))
    found = services.get_alert(at(), services.list_alerts(at())[0]["alert_id"])
    assert len(found["raised"].payments) == 2
    again = services.receive(at(), read(*equal, *month(11)))
    assert again.duplicate_count == 2


def test_two_files_of_one_name_are_told_apart(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(9), name="statement.csv"))
    services.receive(at(), read(*month(10), name="statement.csv"))
    assert _labels(at()) == ["statement.csv", "statement.csv (2)"]


def test_a_late_payment_completes_a_split_that_an_earlier_statement_began(
    at: Context, read: Read
) -> None:
    services.receive(at(), read(*month(10), SPLIT[0]))
    late = services.receive(at(), read(SPLIT[1], *month(11, 25)))
    assert late.late == 1
    assert services.receive(at(), read(*month(12))).late == 0  # all of days of its own
    assert _payments(at()) == ["S1", "S2"]


def test_a_corrected_statement_takes_the_place_of_the_first_and_keeps_its_decisions(
    at: Context, read: Read
) -> None:
    from cardwatch.casebook.alerts import DecisionInput  # noqa: PLC0415  beside its use

    wrong = [*SPLIT, "2026-10-20,E2,OLD FIRM,990.00,T1", "2026-10-20,E2,OLD FIRM,980.00,T2"]
    first = services.receive(at(), read(*month(10), *wrong))
    both = services.list_alerts(at())
    kept = next(one for one in both if one["holders"] == ["E1"])
    gone = next(one for one in both if one["holders"] == ["E2"])
    services.decide(at(), kept["alert_id"], DecisionInput("two orders", "explained"))
    new = read(*month(10), *SPLIT, *wrong[2:3])
    second = receive_as_two(at, new, corrects=first.statement_id)
    again = services.get_alert(at(), kept["alert_id"])
    assert (again["state"], again["source_corrected_by"]) == ("explained", None)
    marked = services.get_alert(at(), gone["alert_id"])
    assert (marked["state"], marked["source_corrected_by"]) == ("open", second.statement_id)
    one, two = services.list_statements(at())
    assert (one["superseded_by"], two["corrects"]) == (second.statement_id, first.statement_id)
    services.receive(at(), read(*month(11)))
    assert [check.fault for check in services.verify(at())] == ["", "", ""]
    with pytest.raises(CardwatchError, match="already been corrected"):
        services.receive(at(), read(*month(10, 5)), corrects=first.statement_id)


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_who_may_bring_no_statement_brings_none(at: Context, read: Read, role: str) -> None:
    with pytest.raises(NotAllowed):
        services.receive(at(role), read(*month(10)))
    with pytest.raises(NotAllowed):
        services.activate_document(at(role), "policy", b"", "2026-01-01")
    with pytest.raises(NotAllowed):
        services.retrain_model(at(role))
    assert _labels(at()) == []


def test_correcting_what_is_not_there_is_refused_and_keeps_nothing(at: Context, read: Read) -> None:
    with pytest.raises(NotFound):
        services.receive(at(), read(*month(10)), corrects="beef")
    assert _labels(at()) == []


def test_a_question_that_a_second_correction_raises_again_is_asked_again(
    at: Context, read: Read
) -> None:
    first = services.receive(at(), read(*month(10), *SPLIT))
    old = read(*month(10), SPLIT[0])
    second = receive_as_two(at, old, corrects=first.statement_id)
    marked = [(a["state"], a["source_corrected_by"]) for a in services.list_alerts(at())]
    assert marked == [("open", second.statement_id)]
    services.receive(
        at(), read(*month(10), *SPLIT, "2026-10-28,E3,SHOP 1,9.00,Z1"), corrects=second.statement_id
    )
    again = [(a["state"], a["source_corrected_by"]) for a in services.list_alerts(at())]
    assert again == [("open", None)]


def _alerts(at: services.ServiceContext) -> list[tuple[str, str]]:
    return sorted((one["lane"], one["state"]) for one in services.list_alerts(at))


@pytest.mark.parametrize("change", ["left out", "another cardholder", "another sum"])
def test_one_person_ends_no_alert_by_a_correction(at: Context, read: Read, change: str) -> None:
    whole = [*month(10), *SPLIT, *EQUAL]
    first = services.receive(at(), read(*whole))
    before = _alerts(at("psd"))
    assert {"finance", "psd"} == {lane for lane, _ in before}
    lines = {
        "left out": month(10),
        "another cardholder": [line.replace(",E1,", ",E9,") for line in whole],
        "another sum": [line.replace(",900.00,", ",90.00,") for line in whole],
    }[change]
    attack = read(*lines)
    for _ in range(2):  # the same person is never the second one
        assert (
            services.receive(at(), attack, corrects=first.statement_id).outcome == "second-person"
        )
    assert len(_labels(at())) == 1
    assert _alerts(at("psd")) == before


def test_two_people_correct_and_alerts_stay_for_a_person_to_close(at: Context, read: Read) -> None:
    first = services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    before = _alerts(at("psd"))
    second = receive_as_two(at, read(*month(10)), corrects=first.statement_id)
    assert _alerts(at("psd")) == before
    marks = {one["source_corrected_by"] for one in services.list_alerts(at("psd"))}
    assert marks == {second.statement_id}
    assert all(check.fault == "" for check in services.verify(at("psd")))


def test_a_second_person_of_finance_has_that_role_and_asks_within_days(
    at: Context, read: Read
) -> None:
    """What professional standards ask for first is confirmed by none of finance."""
    first = services.receive(at(), read(*month(10), *SPLIT))
    attack = read(*month(10))
    choices = {"corrects": first.statement_id}
    waiting = [at("psd"), at(), at(person=2, days=8)]
    assert [services.receive(one, attack, **choices).outcome for one in waiting] == [
        "second-person"
    ] * 3
    services.end_person(at("admin"), "finance2@saltmarsh-vale.example")
    assert services.receive(at(person=3, days=9), attack, **choices).outcome == "second-person"
    assert services.receive(at(days=9), attack, **choices).outcome == "received"


@pytest.mark.each_database
@pytest.mark.parametrize("what", ["correction", "history"])
def test_professional_standards_are_the_second_person_where_finance_is_one(
    at: Context, read: Read, what: str
) -> None:
    received = services.receive(at(), read(*month(10), *SPLIT)).statement_id
    statement, choices = {
        "correction": (read(*month(10)), {"corrects": received}),
        "history": (read(*month(10, 14)), {"is_history": True}),
    }[what]
    assert services.receive(at("psd"), statement, **choices).outcome == "second-person"
    waiting = services.receive(at(), statement, **choices)
    assert waiting.outcome == "second-person"
    assert "of finance, or somebody of professional standards, has to upload" in waiting.notes[0]
    late = services.receive(at("psd", days=8), statement, **choices)
    assert late.outcome == "second-person", "the request has expired"
    assert services.receive(at(days=8), statement, **choices).outcome == "second-person"
    assert services.receive(at("psd", days=9), statement, **choices).outcome == "received"
    assert [one.fault for one in services.verify_audit(at("psd"))] == ["", ""]
    seen = json.dumps(
        [services.list_statements(at()), services.audit_events(at(), lane="finance", last=100)]
    )
    assert at("psd").actor.actor_id not in seen


def test_whoever_brings_the_true_statement_is_told_that_payments_are_stored_as_anothers(
    at: Context, read: Read
) -> None:
    """Somebody gave their payments to a colleague in a statement that came first."""
    false = [line.replace(",E1,", ",E2,") for line in (*month(10), *SPLIT)]
    first = services.receive(at(), read(*false))
    assert not [note for note in first.notes if "another cardholder" in note]
    true = [*month(10), *SPLIT]
    count = sum(",E1," in line for line in true)
    for more in ([], ["2026-10-28,E3,SHOP 1,4.00,N1"]):  # nothing that is new, and something
        told = services.receive(at(person=2), read(*true, *more))
        (note,) = (note for note in told.notes if "another cardholder" in note)
        assert note.startswith(f"{count} of its transactions are in {first.label} with another")
    corrected = services.receive(at(), read(*true, "2026-10-29,E3,SHOP,1.00,N2"),
                                 corrects=first.statement_id)  # fmt: skip
    assert corrected.outcome == "second-person"
    same = services.receive(at(), read(*(line.replace(",E2,", ",e 2,") for line in false)))
    assert not [note for note in same.notes if "another cardholder" in note]


def test_a_correction_that_only_adds_payments_needs_one_person(at: Context, read: Read) -> None:
    first = services.receive(at(), read(*month(10), SPLIT[0]))
    fuller = services.receive(at(), read(*month(10), *SPLIT), corrects=first.statement_id)
    assert fuller.outcome == "received"


@pytest.mark.parametrize("part", ["own rows", "whole month", "whole file"])
def test_history_keeps_no_payment_from_being_asked_about(
    at: Context, read: Read, part: str
) -> None:
    whole = [*month(10), *SPLIT, *EQUAL]
    first = [*SPLIT, *EQUAL] if part == "own rows" else whole
    name = "october.csv" if part == "whole file" else "first.csv"
    if part == "whole month":
        first = list(reversed(whole))
    services.receive(at(), read(*first, name=name), is_history=True)
    true = services.receive(at(), read(*whole, name="october.csv"))
    assert (true.outcome, true.duplicate_count) == ("received", 0)
    assert {lane for lane, _ in _alerts(at("psd"))} == {"finance", "psd"}
    assert services.receive(at(), read(*whole, name="october.csv")).outcome == "held"
    assert all(check.fault == "" for check in services.verify(at("psd")))


def test_history_after_the_first_scored_day_needs_two_people(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(9, 27), name="september.csv"))  # from 2 September on
    assert services.receive(at(), read(*month(8)), is_history=True).outcome == "received"
    day_before, same_day = ("2026-09-01,E1,SHOP 9,5.00,H1", "2026-09-02,E1,SHOP 9,5.00,H2")
    first = str(services.list_statements(at())[0]["first_on"])
    before, same = (
        line.replace(line[:10], str(day))
        for line, day in (
            (day_before, dt.date.fromisoformat(first) - dt.timedelta(1)),
            (same_day, first),
        )
    )
    assert services.receive(at(), read(before), is_history=True).outcome == "received"
    assert receive_as_two(at, read(same), is_history=True).outcome == "received"


def test_who_makes_up_earlier_history_later_needs_a_second_person(at: Context, read: Read) -> None:
    """Splits of last summer, uploaded in winter, would make a habit of those that are to come."""
    services.receive(at(), read(*month(9), name="september.csv"))
    summer = [line.replace("2026-10", "2026-07") for line in SPLIT]
    while_set_up = services.receive(at(days=30), read(*month(8)), is_history=True)
    assert while_set_up.outcome == "received"
    waits = services.receive(at(days=31), read(*summer, name="summer.csv"), is_history=True)
    assert waits.outcome == "second-person"
    second = services.receive(
        at(days=31, person=2), read(*summer, name="summer.csv"), is_history=True
    )
    assert second.outcome == "received"


def _refunds(lines: Sequence[str], day: str = "") -> list[str]:
    """Return a refund of each payment, on its day or another."""
    cells = [line.split(",") for line in lines]
    return [f"{day or one[0]},{one[1]},{one[2]},-{one[3]},F{one[4]}" for one in cells]


@pytest.mark.parametrize("day", ["", "2026-10-12"], ids=["same day", "next day"])
def test_refunds_that_came_before_their_payments_keep_none_from_being_asked_about(
    at: Context, read: Read, day: str
) -> None:
    """Somebody made up refunds of what the month's statement was to bring."""
    services.receive(at(), read(*month(9, 27), name="september.csv"))
    days_apart = [SPLIT[0], SPLIT[1].replace("10-11", "10-12")]
    payments = [*(days_apart if day else SPLIT), *EQUAL]
    made_up = [*month(10, reference="Z"), *_refunds(payments, day)]
    assert services.receive(at(), read(*made_up, name="first.csv")).outcome == "received"
    assert _alerts(at("psd")) == []
    services.receive(at(person=2), read(*month(10), *payments, name="october.csv"))
    assert {lane for lane, _ in _alerts(at("psd"))} == {"finance", "psd"}
    assert all(check.fault == "" for check in services.verify(at("psd")))


def test_a_refund_that_comes_with_its_payment_or_later_takes_it_back(
    at: Context, read: Read
) -> None:
    services.receive(at(), read(*month(9, 27), name="september.csv"))
    services.receive(at(), read(*month(10), *SPLIT, *_refunds(SPLIT), name="october.csv"))
    assert services.list_alerts(at()) == []
    services.receive(at(), read(*month(11), SPLIT[0].replace("10-11", "11-11")))
    later = _refunds([SPLIT[0].replace("10-11", "11-11")])
    second = SPLIT[1].replace("10-11", "11-12")
    services.receive(at(), read(*month(11, reference="T"), *later, second))
    assert services.list_alerts(at()) == []


@pytest.mark.parametrize("is_correction", [False, True])
def test_who_makes_up_payments_of_the_past_needs_a_second_person(
    at: Context, read: Read, *, is_correction: bool
) -> None:
    """They were history to all that came later, as they were scored once."""
    first = services.receive(at(), read(*month(5), name="may.csv"))
    services.receive(at(), read(*month(9), name="september.csv"))
    old = [line.replace("2026-10", "2026-05") for line in SPLIT]
    lines = [*month(5), *old] if is_correction else old
    more = {"corrects": first.statement_id} if is_correction else {}
    waits = services.receive(at(days=31), read(*lines, name="old.csv"), **more)
    assert waits.outcome == "second-person"
    assert services.receive(at(days=31), read(*month(5), name="may.csv")).outcome == "held"
    second = services.receive(at(days=31, person=2), read(*lines, name="old.csv"), **more)
    assert second.outcome == "received"


@pytest.mark.parametrize(("day", "outcome"), [
    ("2026-06-30", "second-person"),
    ("2026-07-01", "received"),  # 92 days before the newest that was scored
    ("2027-02-24", "received"),  # 92 days after today
    ("2027-02-25", "second-person"),
])  # fmt: skip
def test_a_payment_far_from_today_and_from_others_needs_a_second_person(
    at: Context, read: Read, day: str, outcome: str
) -> None:
    """One of 2099 would name the newest statement on every page, and stay for ever."""
    services.receive(at(), read("2026-10-01,E1,SHOP,9.00,A1", name="september.csv"))
    days = 31 if day < "2026-12" else 0  # NOW is 24 November
    assert services.receive(at(days=days), read(f"{day},E1,SHOP,9.00,A2")).outcome == outcome


def test_a_few_payments_that_are_posted_late_need_one_person(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(9), name="september.csv"))
    late = "2026-01-05,E1,SHOP,9.00,L1"
    lines = [line for part in range(8) for line in month(10, 13, reference=f"R{part}")]
    assert services.receive(at(days=31), read(*lines, late)).outcome == "received"


def test_an_ordinary_year_needs_no_second_person(at: Context, read: Read) -> None:
    """A year of history, then months as they end; one comes late, one refunds an older purchase."""
    earlier = [line for number in range(1, 7) for line in month(number)]
    receipts = [
        services.receive(at(), read(*month(7), name="july.csv")),
        services.receive(at(days=3), read(*earlier, name="history.csv"), is_history=True),
        services.receive(at(days=31), read(*month(9), name="september.csv")),
        services.receive(at(days=60), read(*month(8), name="august.csv")),
        services.receive(at(days=61), read(*month(10), *_refunds(month(7, 1), "2026-10-20"))),
        services.receive(
            at(days=90), read(*(line for number in (11, 12) for line in month(number)))
        ),
    ]
    assert {receipt.outcome for receipt in receipts} == {"received"}
    assert services.list_alerts(at()) == []


def test_a_corrected_statement_that_comes_back_is_scored_again(at: Context, read: Read) -> None:
    true = read(*month(10), *SPLIT)
    first = services.receive(at(), true)
    receive_as_two(at, read(*month(10)), corrects=first.statement_id)
    again = services.receive(at(), true)
    assert again.outcome == "received"
    assert again.statement_id != first.statement_id
    assert [one["source_corrected_by"] for one in services.list_alerts(at())] == [None]


def test_payments_after_the_day_of_receipt_are_named(at: Context, read: Read) -> None:
    """Days taken for months, or a wrong year, put payments into the future."""
    usual = services.receive(at(), read(*month(10)))
    assert not any("after the day" in note for note in usual.notes)
    later = services.receive(
        at(), read(*(line.replace("2026-10", "2027-01") for line in month(10)), name="later.csv")
    )
    (note,) = (note for note in later.notes if "after the day it was received" in note)
    assert "2027-01-" in note
    assert note in services.get_statement(at(), later.statement_id)["beside"]


def test_days_that_no_statement_covers_are_named(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(7, 27)))
    after = services.receive(at(), read(*month(9, 27)))
    assert "no statement covers 2026-07-28 to 2026-09-01: is one missing?" in after.notes
    between = services.receive(at(), read(*month(8, 27)))
    assert not any("missing" in note for note in between.notes)


def test_the_reading_report_is_kept_with_every_row_that_was_not_read(
    at: Context, read: Read
) -> None:
    receipt = services.receive(at(), read(*month(10), "soon,E1,SHOP,5.00,"))
    found = services.get_statement(at("auditor"), receipt.statement_id[:5])
    assert [(p.row, p.code) for p in found["report"].problems] == [(14, "bad_date")]
    assert found["sha256"] == found["report"].sha256
    with pytest.raises(NotFound):
        services.get_statement(at(), "beef")


def test_a_correction_is_never_kept_unscored(at: Context, read: Read) -> None:
    first = services.receive(at(), read(*month(10), *SPLIT))
    with pytest.raises(CardwatchError, match="is always scored"):
        services.receive(at(), read(*month(10)), corrects=first.statement_id, is_history=True)
    assert len(_labels(at())) == 1


def test_what_was_in_force_on_the_last_day_of_a_statement_scores_it(
    at: Context, read: Read
) -> None:
    limit = '[[single_purchase]]\nfrom = 2020-01-01\npounds = {}\nvat = "included"\n'
    for pounds, since in ((5000, "2026-01-01"), (1000, "2026-10-01")):
        text = limit.format(pounds)
        services.activate_document(at(), "policy", services.pack_policy(text, "p.toml"), since)
    september = [line.replace("2026-10", "2026-09").replace("S", "Q") for line in SPLIT]
    services.receive(at(), read(*month(9), *september))
    assert services.list_alerts(at()) == []
    services.receive(at(), read(*month(10), *SPLIT))
    assert [one["rule"] for one in services.list_alerts(at())] == ["split-same-day"]


@pytest.mark.parametrize(
    ("kind", "content", "since"),
    [("policy", b"", "soon"), ("policy", b"", "2026-02-30")],
)
def test_a_day_that_is_none_puts_nothing_in_force(
    at: Context, kind: str, content: bytes, since: str
) -> None:
    with pytest.raises(CardwatchError, match="not a date"):
        services.activate_document(at(), kind, content, since)


# What follows breaks the database under our hands; each end is whole, and the next try succeeds.


def _fail_at(book: Casebook, number: int, error: Exception) -> Callable[[], int]:
    """Let the database fail at its so many-th call; return what says how many there were."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            raise error

    for name in ("before_cursor_execute", "commit"):
        sa.event.listen(book.engine, name, count)
    return lambda: calls


def _broken_receives(
    at: services.ServiceContext,
    statement: Any,
    error: Exception,
    step: int,
) -> int:
    """Receive while every so many-th call fails in turn; return at how many calls that was."""
    url, tried, number = at.casebook.url, 0, 1
    while True:
        book = Casebook(url.render_as_string(hide_password=False))
        calls = _fail_at(book, number, error)
        broken = services.ServiceContext(book, at.actor, at.now)
        try:
            services.receive(broken, statement)
        except (sqlite3.Error, OSError, CardwatchError):
            pass
        finally:
            book.close()
        assert_whole(at)
        if calls() < number:
            return tried
        tried, number = tried + 1, number + step


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (7, sqlite3.OperationalError("disk I/O error")),
        pytest.param(
            1, sqlite3.OperationalError("database or disk is full"), marks=pytest.mark.prove
        ),
        pytest.param(1, OSError(5, "Input/output error"), marks=pytest.mark.prove),
    ],
)
def test_whichever_call_of_the_database_fails_the_end_is_whole(
    at: Context, read: Read, step: int, error: Exception
) -> None:
    finance = at()
    services.receive(finance, read(*month(9)), is_history=True)
    statement = read(*month(10), *SPLIT)
    tried = _broken_receives(finance, statement, error, step)
    assert tried * step > 20
    assert services.receive(finance, statement).outcome == "held"
    assert len(_labels(finance)) == 2


def test_a_disk_that_is_full_keeps_nothing_and_the_next_try_all(
    at: Context, read: Read, request: pytest.FixtureRequest
) -> None:
    if "sqlite" not in request.node.name:
        pytest.skip("the size of a file of SQLite can be held down; that of PostgreSQL cannot")
    finance = at()
    statement = read(*month(10, 25), *SPLIT)
    path = finance.casebook.url.database
    for more in range(0, 12, 3):
        book = Casebook(f"sqlite:///{path}")

        def hold_down(connection: Any, _: object, more: int = more) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + more}")

        sa.event.listen(book.engine, "connect", hold_down)
        try:
            services.receive(services.ServiceContext(book, finance.actor, NOW), statement)
        except CardwatchError as error:
            assert "full" in str(error)
        book.close()
        assert_whole(finance)
    assert services.receive(finance, statement).statement_id
    assert len(_labels(finance)) == 1


def test_a_month_of_daily_statements_is_compared_with_as_the_monthly_one_is(
    at: Context, read: Read
) -> None:
    earlier, later = lively_month(9), lively_month(10)
    by_day = [[line for line in earlier if line[:10] == day] for day in _days(earlier)]
    lists = []
    for owner, statements in (("Monthly", [earlier]), ("Daily", by_day)):
        for lines in statements:
            services.receive(at("psd", owner), read(*lines), is_history=True)
        services.receive(at("psd", owner), read(*later, name="october.csv"))
        psd = at("psd", owner)
        rows = services.list_payments(psd, PaymentFilters(), limit=200)
        alerts = [services.get_alert(psd, row["alert_id"]) for row in services.list_alerts(psd)]
        assert len(rows) == len(earlier) + len(later)
        assert alerts
        text = repr(
            ([(row["date"], row["merchant"], row["amount_pence"]) for row in rows],
             [alert["raised"] for alert in alerts])
        )  # fmt: skip
        for row in services.list_statements(psd):
            text = text.replace(row["statement_id"], "STATEMENT")
        lists.append(text)
    assert len(by_day) > 10
    assert lists[0] == lists[1]


def _days(lines: list[str]) -> list[str]:
    return sorted({line[:10] for line in lines})
