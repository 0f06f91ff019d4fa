"""Alerts and decisions: who sees what, what may be said, and that every alert stands somewhere."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, NOW, SPLIT, activate_cards, export_alerts, month

from cardwatch import services
from cardwatch.casebook import PSD, STATES, Actor, AuditEvent
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.report_queries import read_alerts
from cardwatch.errors import CardwatchError, Changed, NotAllowed, NotFound
from cardwatch.vocabulary import AUTOMATIC

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

BY_HAND = [name for name in STATES if name not in AUTOMATIC]


@pytest.fixture
def asked(at: Context, read: Read) -> str:
    """Give the finance alert of a casebook with one of each lane."""
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    return str(services.list_alerts(at(), services.AlertFilter(lane="finance"))[0]["alert_id"])


def _theirs(at: Context) -> str:
    return str(services.list_alerts(at("psd"), services.AlertFilter(lane=PSD))[0]["alert_id"])


def test_a_decision_is_kept_with_who_when_and_why(at: Context, asked: str) -> None:
    mail = "finance@saltmarsh-vale.example"
    services.decide(
        at(), asked, DecisionInput("asked for both orders", "asked", mail, "2026-12-01")
    )
    found = services.decide(at(), asked[:6], DecisionInput("two orders seen", "explained"))
    assert (found["state"], found["version"]) == ("explained", 2)
    assert (found["assigned_to"], found["due_on"]) == (mail, "2026-12-01")
    first, second = found["decisions"]
    assert (first["state"], first["reason"]) == ("asked", "asked for both orders")
    assert second["decided_by"] == "finance@saltmarsh-vale.example"
    assert second["decided_at"] == "2026-11-24T09:30:00Z"
    assert found["raised"].payments


def test_a_note_leaves_the_state_and_an_assignment_can_be_taken_back(
    at: Context, asked: str
) -> None:
    mail = "finance@saltmarsh-vale.example"
    services.decide(at(), asked, DecisionInput("asked", "asked", mail))
    noted = services.decide(at(), asked, DecisionInput("they are on leave"))
    assert (noted["state"], noted["assigned_to"]) == ("asked", mail)
    assert services.decide(at(), asked, DecisionInput("back", assigned_to=""))["assigned_to"] == ""


@pytest.mark.parametrize(
    "said",
    [
        DecisionInput("", "asked"),
        DecisionInput("  ", "asked"),
        DecisionInput("because", "guilty"),
        DecisionInput("because", "suppressed"),
        DecisionInput("because", "not-asked"),
        DecisionInput("because", due_on="tomorrow"),
        DecisionInput("because", due_on="2026-11-23"),
        DecisionInput("because", assigned_to="stranger@force.example"),
        DecisionInput("because", recovered_pence=-1),
        DecisionInput("because", recovered_pence=10**13),
        DecisionInput("bad \udce9 text", "asked"),
    ],
)
def test_what_may_not_be_said_is_refused_and_changes_nothing(
    at: Context, asked: str, said: DecisionInput
) -> None:
    with pytest.raises(CardwatchError):
        services.decide(at(), asked, said)
    assert services.get_alert(at(), asked)["version"] == 0


def test_money_that_came_back_is_kept_until_it_is_put_right(at: Context, asked: str) -> None:
    part = services.decide(at(), asked, DecisionInput("card refund", recovered_pence=12_050))
    assert part["recovered_pence"] == 12_050
    later = services.decide(at(days=40), asked, DecisionInput("seen", "confirmed"))
    assert later["recovered_pence"] == 12_050
    services.decide(at(days=40), asked, DecisionInput("the rest", recovered_pence=30_000))
    services.decide(at(days=41), asked, DecisionInput("a typing error", recovered_pence=25_000))
    with at(days=41).work(AuditEvent("consultation", "report")) as uow:
        (record,) = read_alerts(uow)
    assert record.recovered == (("2026-11-24", 12_050), ("2027-01-03", 17_950),
                                ("2027-01-04", -5_000))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "pence"),
    [("120.5", 12_050), (" £1,204.50 ", 120_450), ("0", 0), ("", 0), (None, None)],
)
def test_money_is_typed_in_pounds(text: str | None, pence: int | None) -> None:
    assert services.pence_recovered(text) == pence


@pytest.mark.parametrize("text", ["-5", "12.345", "ten", "1.2.3", "£", "5 CR"])
def test_what_is_no_money_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(CardwatchError, match="Enter a sum in pounds") as refused:
        services.pence_recovered(text)
    assert refused.value.field == "recovered_pence"


def test_a_day_that_has_passed_since_stands_in_nobodys_way(at: Context, asked: str) -> None:
    left = {"due_on": "2026-11-30", "snoozed_until": "2026-11-29"}
    services.decide(at(), asked, DecisionInput("asked for both orders", "asked", **left))
    later = at(days=30)
    assert (
        services.decide(later, asked, DecisionInput("seen", "explained", **left))["state"]
        == "explained"
    )
    with pytest.raises(CardwatchError):
        services.decide(later, asked, DecisionInput("seen", "explained", due_on="2026-12-01"))


def test_whoever_has_not_seen_the_last_decision_changes_nothing(at: Context, asked: str) -> None:
    services.decide(at(), asked, DecisionInput("first", "asked", seen=0))
    with pytest.raises(Changed):
        services.decide(at(), asked, DecisionInput("second", "explained", seen=0))
    assert services.get_alert(at(), asked)["state"] == "asked"


@pytest.mark.parametrize("role", ["auditor", "psd"])
def test_finances_alerts_are_read_by_others_and_decided_by_finance(
    at: Context, asked: str, role: str
) -> None:
    assert services.get_alert(at(role), asked)["alert_id"] == asked
    with pytest.raises(NotAllowed):
        services.decide(at(role), asked, DecisionInput("because", "explained"))
    with pytest.raises(NotAllowed):
        services.suppress(at(role), asked, until="2026-12-24", reason="because")
    with pytest.raises(NotAllowed):
        services.place_hold(at(role), asked, reason="because")


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_alerts_of_professional_standards_are_not_there_for_others(
    at: Context, asked: str, role: str
) -> None:
    assert asked
    theirs = _theirs(at)
    told = set()
    for name in (theirs, "beef"):
        for act in (
            lambda name=name: services.get_alert(at(role), name),
            lambda name=name: services.decide(at(role), name, DecisionInput("x", "asked")),
            lambda name=name: services.place_hold(at(role), name, reason="x"),
        ):
            with pytest.raises(NotFound) as refusal:
                act()
            told.add(str(refusal.value).replace(name, "?"))
    assert told == {"There is no alert '?'."}
    assert (
        services.decide(at("psd"), theirs, DecisionInput("case opened", "asked"))["state"]
        == "asked"
    )


def test_admin_sees_no_alert_and_no_precision(at: Context, asked: str) -> None:
    for act in (services.list_alerts, services.rule_precision, services.state_counts,
                services.list_suppressions,
                services.list_holds, lambda d: services.get_alert(d, asked)):  # fmt: skip
        with pytest.raises(NotAllowed):
            act(at("admin"))


def test_nobody_sees_an_alert_about_themselves_or_whom_they_approve(
    at: Context, read: Read, tmp_path: Path, choices: Any
) -> None:

    activate_cards(at(), tmp_path, choices, "Employee ID,Approver ID\nE1,E9\nE2,E8\n")
    receipt = services.receive(at(), read(*month(10), *SPLIT))
    named = next(a["alert_id"] for a in services.list_alerts(at()) if a["holders"] == ["E1"])
    services.place_hold(at(), named, reason="so")
    services.suppress(at(), named, until="2027-01-01", reason="so")
    services.decide(at(), named, DecisionInput("two sites", "explained"))
    assert services.rule_precision(at())["finance"]
    for holder in ("e1", "E 9"):
        own = services.ServiceContext(
            at().casebook, Actor(at().actor.organisation_id, "me", "finance", holder), NOW
        )
        assert "E1" not in {name for one in services.list_alerts(own) for name in one["holders"]}
        with pytest.raises(NotFound):
            services.get_alert(own, named)
        everybody = sum(services.state_counts(at()).values())
        assert sum(services.state_counts(own).values()) < everybody
        assert services.list_holds(own) == services.list_suppressions(own) == []
        assert services.rule_precision(own) == {"finance": []}
        again = services.verify_statement(own, receipt.statement_id).alerts
        assert again == len(services.list_alerts(own)) < len(services.list_alerts(at()))
        content, _ = export_alerts(own, receipt.statement_id)
        assert b"NEW FIRM" not in content
        with pytest.raises(NotFound):
            export_alerts(own, alert_ids=(named,))


def test_a_suppression_closes_alerts_like_it_until_its_day_and_no_others(
    at: Context, read: Read, asked: str
) -> None:
    services.suppress(at(), asked, until="2027-01-31", reason="contract 17")
    again = [line.replace("-10-", "-11-").replace(",S", ",T") for line in SPLIT]
    other = [line.replace("E1", "E2").replace(",T", ",U") for line in again]
    services.receive(at(), read(*month(11), *again, *other))
    states = {(*a["holders"], a["is_second_look"]): a["state"] for a in services.list_alerts(at())}
    assert states["E2", 0] == "open"
    # There are fewer than five closed by themselves: each is opened again for a second look.
    assert states["E1", 1] == "open"
    told = services.list_alerts(at())
    seen = next(a for a in told if a["is_second_look"])
    reasons = [d["reason"] for d in services.get_alert(at(), seen["alert_id"])["decisions"]]
    assert reasons[0].startswith("By suppression")
    assert "at random" in reasons[1]
    later = [line.replace("-10-", "-12-").replace(",S", ",V") for line in SPLIT]
    february = at(days=80)
    services.receive(february, read(*month(12), *later))
    newest = [a for a in services.list_alerts(february) if a["first_on"].startswith("2026-12")]
    assert [(a["state"], a["version"]) for a in newest] == [("open", 0)]


def test_an_ended_suppression_closes_nothing(at: Context, read: Read, asked: str) -> None:
    made = services.suppress(at(), asked, until="2027-01-31", reason="contract 17")
    with pytest.raises(NotFound):
        services.end_suppression(at("psd"), made["suppression_id"])
    services.end_suppression(at(), made["suppression_id"])
    again = [line.replace("-10-", "-11-").replace(",S", ",T") for line in SPLIT]
    services.receive(at(), read(*month(11), *again))
    assert all(a["version"] == 0 for a in services.list_alerts(at()))


def _later(number: int, *amounts: str) -> list[str]:
    """Return the split of October as of another month of 2026, of the sums given or the same."""
    return [
        f"2026-{number:02}-11,E1,NEW FIRM,{amount},S{number}{nth}"
        for nth, amount in enumerate(amounts or ("900.00", "950.00"))
    ]


def _many(number: int) -> list[str]:
    """Return alerts that are closed unasked, of which the few to be opened again are drawn too."""
    return [
        f"2026-{number:02}-{3 + n % 20:02},M{n},{chr(65 + n) * 6} HOUSE,{pounds}.00,M{n}{pounds}"
        for n in range(26)
        for pounds in (610, 640)
    ]


def _of_split(at: Context, month_of: str) -> dict[str, Any]:
    found = services.list_alerts(at(), services.AlertFilter(kind="split"))
    return next(
        a
        for a in found
        if a["first_on"].startswith(month_of) and a["holders"] == ["E1"] and not a["is_fact"]
    )


def test_what_was_explained_is_not_asked_again_and_says_so(
    at: Context, read: Read, asked: str
) -> None:
    assert services.inbox_summary(at())["answered_before"] == 0
    services.decide(at(), asked, DecisionInput("two orders seen", "explained"))
    services.receive(at(), read(*month(11), *_later(11), *_many(11)))
    held = _of_split(at, "2026-11")
    assert services.get_alert(at(), held["alert_id"])["decisions"][0]["state"] == "answered-before"
    assert asked in services.get_alert(at(), held["alert_id"])["decisions"][0]["reason"]
    if not held["is_second_look"]:
        assert held["state"] == "answered-before"
        assert services.inbox_summary(at())["answered_before"] == 1
        assert services.state_counts(at())["answered-before"] == 1
    (kept,) = services.list_suppressions(at())
    assert (kept["alert_id"], kept["holders"], kept["reason"]) == (asked, ["E1"], "two orders seen")
    assert kept["most_pence"] == round(185_000 * 1.5)
    assert kept["expires_on"] == "2027-11-24"
    assert services.get_history(at(), asked)["answer"]["suppression_id"] == kept["suppression_id"]


def test_a_larger_one_is_asked_anew_and_an_answer_taken_back_holds_nothing(
    at: Context, read: Read, asked: str
) -> None:
    services.decide(at(), asked, DecisionInput("two orders seen", "explained"))
    services.decide(at(), asked, DecisionInput("a note"))
    services.receive(at(), read(*month(11), *_later(11, "990.00", "970.00", "980.00")))
    assert _of_split(at, "2026-11")["version"] == 0, "never closed"
    services.decide(at(), asked, DecisionInput("it was one order after all", "policy-breach"))
    assert [bool(one["ended_at"]) for one in services.list_suppressions(at())] == [True]
    services.receive(at(), read(*month(12), *_later(12)))
    assert _of_split(at, "2026-12")["version"] == 0


def test_an_answer_ends_as_a_suppression_does_and_with_its_day(
    at: Context, read: Read, asked: str
) -> None:
    services.decide(at(), asked, DecisionInput("two orders seen", "explained"))
    (kept,) = services.list_suppressions(at())
    services.end_suppression(at(), kept["suppression_id"])
    services.receive(at(), read(*month(11), *_later(11)))
    assert _of_split(at, "2026-11")["version"] == 0
    services.decide(at(), asked, DecisionInput("seen again", "explained"))
    late = at(days=366)
    services.receive(late, read(*month(12), *_later(12)))
    assert _of_split(at, "2026-12")["version"] == 0


def test_an_answer_of_one_list_closes_nothing_in_the_other(at: Context, asked: str) -> None:
    theirs = _theirs(at)
    services.decide(at("psd"), theirs, DecisionInput("a training day", "explained"))
    assert services.list_suppressions(at()) == []
    (kept,) = services.list_suppressions(at("psd"))
    assert kept["lane"] == PSD
    assert len(kept["holders"]) == 4
    services.decide(at(), asked, DecisionInput("two orders seen", "explained"))
    assert [one["lane"] for one in services.list_suppressions(at())] == ["finance"]


def test_what_was_ended_can_be_made_again_at_once_and_is_another(at: Context, asked: str) -> None:
    made = []
    for _ in range(3):
        made.append(
            services.suppress(at(), asked, until="2027-01-31", reason="so")["suppression_id"]
        )
        services.end_suppression(at(), made[-1])
        made.append(services.place_hold(at(), asked, reason="so"))
        services.end_hold(at(), made[-1])
    assert len(set(made)) == len(services.list_suppressions(at()) + services.list_holds(at())) == 6


@pytest.mark.parametrize("until", ["2026-11-24", "2020-01-01", "2027-12-01", "soon"])
def test_a_suppression_ends_on_a_later_day_within_a_year(
    at: Context, asked: str, until: str
) -> None:
    with pytest.raises(CardwatchError):
        services.suppress(at(), asked, until=until, reason="because")


def test_answers_order_alerts_once_two_people_say_so(at: Context, read: Read) -> None:
    lines = [
        f"2026-10-{1 + n:02},E{n},{chr(65 + n) * 5} WORKS,{sum_}.00,X{n}{sum_}"
        for n in range(25)
        for sum_ in (900, 950)
    ]
    text = "alerts_at_least = 100\n"
    services.activate_document(at(), "policy", services.pack_policy(text, "p.toml"), "2026-01-01")
    services.receive(at(), read(*month(10), *lines))
    found = [a for a in services.list_alerts(at()) if a["rule"] == "split-usual"]
    found = [alert for alert in found if alert["band"] == "more usual"]
    assert len(found) > 20
    before = found[0]["expected_precision"]
    for number, one in enumerate(found[:20]):
        state = "policy-breach" if number % 2 else "explained"
        services.decide(at(), one["alert_id"], DecisionInput("answered", state))
        told = services.rule_precision(at())["finance"]
        assert told[0].orders == (number == 19)
        if number == 18:
            with pytest.raises(CardwatchError, match="enough answers"):
                services.propose(at(), "order-by-answers", None, effective_from="", reason="so")

    def expected() -> set[float]:
        listed = services.list_alerts(at(), services.AlertFilter(state="open", rule="split-usual"))
        return {one["expected_precision"] for one in listed if one["band"] == "more usual"}

    assert expected() == {before}, "nothing changes by itself"
    proposal = services.propose(at(), "order-by-answers", None, effective_from="", reason="so")
    assert expected() == {before}, "another person has to agree"
    services.decide_proposal(at(person=2), proposal["proposal_id"], agrees=True)
    assert expected() == {0.4}, "11 of 27, to the nearest twentieth"
    (line,) = services.alert_orders(at())["finance"]["in_force"]
    assert (line["rule"], line["rate"]) == ("split-usual", 0.4)
    with pytest.raises(CardwatchError, match="already"):
        services.propose(at(), "order-by-answers", None, effective_from="", reason="so")
    back = services.propose(at(), "order-by-evidence", None, effective_from="", reason="no gain")
    services.decide_proposal(at(person=2), back["proposal_id"], agrees=True)
    assert expected() == {before}
    assert services.rule_precision(at("psd"))["psd"] == []


@pytest.mark.parametrize("seed", range(3))
def test_in_a_random_life_every_alert_stands_in_exactly_one_state(
    at: Context, read: Read, seed: int
) -> None:
    chance = random.Random(seed)
    raised = 0
    for number in range(1, 6):
        extra = [line.replace("2026-10", f"2026-{number:02}").replace(",S", f",S{number}")
                 for line in (*SPLIT, *EQUAL)]  # fmt: skip
        services.receive(at(), read(*month(number), *extra))
        for role, lane in (("finance", "finance"), ("psd", "psd")):
            for one in services.list_alerts(at(role), services.AlertFilter(lane=lane)):
                if chance.random() < 0.5:
                    services.decide(
                        at(role), one["alert_id"], DecisionInput("so", chance.choice(BY_HAND))
                    )
                elif chance.random() < 0.3 and one["holders"][0].startswith("E"):
                    with contextlib.suppress(CardwatchError):  # such a one may hold already
                        services.suppress(
                            at(role), one["alert_id"], until="2027-05-01", reason="so"
                        )
        counts = services.state_counts(at("psd"))
        assert counts.pop("unreconciled") == 0
        assert sum(counts.values()) >= raised
        raised = sum(counts.values())
    assert raised == len(services.list_alerts(at("psd")))


def test_a_sum_that_is_too_large_says_the_largest() -> None:
    """It was answered with how to write a sum, which it was."""
    with pytest.raises(CardwatchError, match=r"Enter at most £10,000,000,000\.00"):
        services.pence_recovered("£99,999,999,999.50")
