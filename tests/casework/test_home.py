"""Home: months covered and missing, what waits, and what is still to be set up."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import pytest
from books import lively_month, month, second_person
from made_alerts import ALONE, BOTH, LINES, raise_alerts

from cardwatch import services
from cardwatch.casebook import Actor
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]


def test_an_empty_casebook_has_everything_to_set_up(at: Context) -> None:
    home = services.show_home(at())
    assert astuple(home.setup) == (False, False, False, False, 100_000)
    assert (home.last_upload, home.months, home.waiting) == (None, [], (0, 0))


def test_the_checklist_follows_what_is_there(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*lively_month(10)))
    assert astuple(services.show_home(at()).setup) == (False, False, True, True, 100_000)


def test_months_without_a_statement_are_missing(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(7), "2026-08-30,E1,SHOP,5.00,late"), is_history=True)
    services.receive(at(), read(*month(9)), is_history=True)
    months = services.show_home(at()).months
    assert [(one.month, one.payments, one.is_missing) for one in months] == [
        ("2026-11", 0, False), ("2026-10", 0, True), ("2026-09", 12, False),
        ("2026-08", 1, True), ("2026-07", 12, False),
    ]  # fmt: skip
    upload = services.show_home(at()).last_upload
    assert upload is not None
    assert upload["last_on"] >= "2026-09"


def test_counts_are_of_what_the_reader_may_see(at: Context, read: Read) -> None:
    raise_alerts(at(), services.receive(at(), read(*LINES), is_history=True))
    mail = services.email_of(at())
    services.decide(at(), BOTH, DecisionInput("asked", "asked", mail, "2026-11-25"))
    services.decide(at(), ALONE, DecisionInput("asked", due_on="2026-11-24"))
    home = services.show_home(at())
    assert (home.waiting, home.overdue, home.mine) == ((3, 83_416), (0, 0), (1, 82_216))
    assert services.show_home(at(days=1)).overdue == (1, 1_200)
    assert services.show_home(at(days=2)).overdue == (2, 83_416)
    assert home.finance_waiting == (0, 0)
    of_psd = services.show_home(at("psd"))
    assert (of_psd.waiting, of_psd.finance_waiting) == ((1, 73_216), (3, 83_416))
    assert services.show_home(at("psd")).mine == (0, 0)
    reader = at().actor
    subject = Actor(reader.organisation_id, reader.actor_id, "finance", "E2")
    hidden = services.show_home(services.ServiceContext(at().casebook, subject, at(days=9).now))
    assert (hidden.waiting[0], hidden.overdue[0], hidden.mine[0]) == (2, 1, 0)


def test_agreements_are_those_of_others_in_the_same_role(at: Context) -> None:
    content = services.pack_policy("alerts_per_1000 = 4\n", "policy.toml")
    made = services.propose(at(), "policy", content, effective_from="", reason="fewer")
    services.propose(at("psd"), "policy", content, effective_from="", reason="theirs")
    home = services.show_home(at())
    assert home.agreements == []
    assert [one["proposal_id"] for one in home.own_proposals] == [made["proposal_id"]]
    own = at().actor
    second = services.ServiceContext(
        at().casebook, Actor(own.organisation_id, "other", "finance"), at().now
    )
    waits = [one["proposal_id"] for one in services.show_home(second).agreements]
    assert waits == [made["proposal_id"]]
    assert services.show_home(second).own_proposals == []
    assert services.show_home(at("auditor")).agreements == []


def test_who_is_alone_in_their_role_is_known(at: Context) -> None:
    assert not services.show_home(at()).has_approver
    assert not services.has_approver(at())
    second = second_person(at())
    assert services.show_home(at()).has_approver
    assert not services.has_approver(at("auditor"))
    services.end_person(at("admin"), "finance2@approves.example")
    assert not services.has_approver(at())
    assert services.has_approver(second)


def test_admin_has_no_such_page(at: Context) -> None:
    with pytest.raises(NotAllowed):
        services.show_home(at("admin"))
