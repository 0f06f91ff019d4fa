"""Payments: who sees which, by every filter, each once, and with every rule of the reader's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import SPLIT, lively_month, month
from made_alerts import ALONE, BOTH, CARD, LINES, THEIRS, raise_alerts

from cardwatch import services
from cardwatch.casebook import Actor
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.errors import CardwatchError, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]


@pytest.fixture
def kept(at: Context, read: Read) -> str:
    """Give the statement whose payments the made alerts are about."""
    receipt = services.receive(at(), read(*LINES), is_history=True)
    raise_alerts(at(), receipt)
    return receipt.statement_id


def rows_of(at: services.ServiceContext, **filters: Any) -> list[int]:
    found = services.list_payments(at, PaymentFilters(**filters), limit=50)
    assert services.count_payments(at, PaymentFilters(**filters)) == (
        len(found),
        sum(row["amount_pence"] for row in found),
    )
    return [row["row"] for row in found]


@pytest.mark.each_database
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [4, 3, 2]),
        ({"text": "e1"}, [2]),
        ({"text": "Tile"}, [4, 3]),
        ({"text": "b2"}, [3]),
        ({"text": "%"}, []),
        ({"since": "2026-10-06"}, [4, 3]),
        ({"until": "2026-10-06"}, [3, 2]),
        ({"least_pence": 9_000}, [3, 2]),
        ({"most_pence": 9_000}, [4, 3]),
        ({"unit": "none"}, []),
        ({"statement_id": "none"}, []),
        ({"same_holder_as": BOTH}, [3, 2]),
        ({"same_merchant_as": BOTH}, [4, 3, 2]),
        ({"same_merchant_as": ALONE}, [4, 3]),
        ({"same_holder_as": CARD}, []),
        ({"same_merchant_as": CARD}, []),
    ],
)
def test_each_filter(at: Context, kept: str, filters: dict[str, Any], expected: list[int]) -> None:
    del kept
    assert rows_of(at(), **filters) == expected


def test_filters_by_a_payment(at: Context, kept: str) -> None:
    assert rows_of(at(), same_merchant_as=f"{kept}:4") == [4, 3]
    assert rows_of(at(), same_holder_as=f"{kept}:4") == [4]
    with pytest.raises(NotFound):
        rows_of(at(), same_holder_as=f"{kept}:9")


def test_pages_follow_one_another(at: Context, read: Read, kept: str) -> None:
    del kept
    services.receive(at(), read(*month(9), *month(10)), is_history=True)
    everything = services.list_payments(at(), PaymentFilters(), limit=50)
    walked: list[Any] = []
    while page := services.list_payments(
        at(), PaymentFilters(), after=walked[-1]["place"] if walked else (), limit=4
    ):
        walked += page
    assert walked == everything
    assert [row["date"] for row in walked] == sorted((r["date"] for r in walked), reverse=True)
    with pytest.raises(CardwatchError):
        services.list_payments(at(), PaymentFilters(), after=["x"], limit=4)


def test_a_payment_of_two_statements_is_listed_once(at: Context, read: Read) -> None:
    first = services.receive(at(), read(*month(9)), is_history=True)
    second = services.receive(at(), read(*month(9), *SPLIT), is_history=True)
    assert len(rows_of(at())) == 14
    assert len(rows_of(at(), statement_id=second.statement_id)) == 2
    services.receive(at(), read(*month(9)[:5]), corrects=first.statement_id)
    assert len(rows_of(at())) == 14, "what is corrected away stands in the second"


def test_psd_is_shown_pseudonyms(at: Context, kept: str) -> None:
    names = services.names_for_display(at("psd"), {"E1", "E2", "E3"})
    found = services.list_payments(at("psd"), PaymentFilters(), limit=9)
    assert [row["holder"] for row in found] == [names["E3"], names["E2"], names["E1"]]
    rows = {"E3": 4, "E2": 3, "E1": 2}  # a pseudonym's digits may be e1 by chance
    by_chance = [row for holder, row in rows.items() if "e1" in names[holder].lower()]
    assert rows_of(at("psd"), text="E1") == by_chance
    assert rows_of(at("psd"), text=names["E2"]) == [3]
    assert services.get_payment(at("psd"), kept, 2)["holder"] == names["E1"]


def test_nobody_learns_of_alerts_they_may_not_see(at: Context, kept: str) -> None:
    def ids(asks: services.ServiceContext, row: int) -> list[str]:
        return sorted(one["alert_id"] for one in services.get_payment(asks, kept, row)["alerts"])

    assert ids(at(), 2) == [BOTH]
    assert ids(at("psd"), 2) == sorted([BOTH, THEIRS])
    reader = at().actor
    subject = services.ServiceContext(
        at().casebook, Actor(reader.organisation_id, reader.actor_id, "finance", "E2"), at().now
    )
    assert ids(subject, 2) == ids(subject, 3) == []
    for field in ("same_holder_as", "same_merchant_as"):
        for asks, hidden in ((at(), THEIRS), (subject, BOTH)):
            with pytest.raises(NotFound):
                rows_of(asks, **{field: hidden})
    with pytest.raises(NotAllowed):
        services.list_payments(at("admin"), PaymentFilters(), limit=9)
    with pytest.raises(NotAllowed):
        services.get_payment(at("admin"), kept, 2)


def test_another_organisation_has_none_of_it(at: Context, kept: str) -> None:
    other = at(organisation="Another Force")
    assert rows_of(other) == []
    with pytest.raises(NotFound):
        services.get_payment(other, kept, 2)
    with pytest.raises(NotFound):
        services.explain_payment(other, kept, 2)


@pytest.fixture
def scored(at: Context, read: Read) -> str:
    """Give a scored statement with an alert in either lane, after a month of history."""
    services.receive(at(), read(*month(9)), is_history=True)
    return services.receive(at(), read(*lively_month(10))).statement_id


def test_every_rule_of_a_payment_with_its_figures(at: Context, scored: str) -> None:
    alert = services.list_alerts(at(), services.AlertFilter(lane="finance"))[0]
    raised = services.get_alert(at(), alert["alert_id"])["raised"]
    row = raised.payments[-1].row
    results = {one.rule: one for one in services.explain_payment(at(), scored, row)}
    for reason in raised.reasons:
        assert results[reason.rule].fires
        assert results[reason.rule].fact == reason.fact
    quiet = [one for one in results.values() if not one.fires]
    assert len(quiet) > 20
    assert all(
        not all(part.met for part in one.compared) and not one.fact and one.compared
        for one in quiet
    )
    assert [one.fires for one in results.values()] == sorted(
        (one.fires for one in results.values()), reverse=True
    )


def test_finance_is_told_of_its_own_rules_only(at: Context, scored: str) -> None:
    lanes = {role: {one.lane for one in services.explain_payment(at(role), scored, 2)}
             for role in ("finance", "auditor", "psd")}  # fmt: skip
    assert lanes == {"finance": {"finance"}, "auditor": {"finance"}, "psd": {"finance", "psd"}}


def test_no_rule_is_shown_for_the_readers_own_payment(at: Context, scored: str) -> None:
    own = {row["row"] for row in services.list_payments(at(), PaymentFilters(text="E1"), limit=50)
           if row["statement_id"] == scored}  # fmt: skip
    reader = at().actor
    for person, is_shown in (("E1", False), ("e1", False), ("E9", True)):
        actor = Actor(reader.organisation_id, reader.actor_id, "finance", person)
        asks = services.ServiceContext(at().casebook, actor, at().now)
        assert bool(services.explain_payment(asks, scored, min(own))) == is_shown


def test_rules_of_a_colleagues_payment_do_not_tell_of_an_alert_about_the_reader_too(
    at: Context, scored: str
) -> None:
    """Four paid one sum; each of them could ask about the payment of another."""
    subject = at("psd", person="subject", holder_id="E1")
    rule = "equal-amounts-across-holders"
    assert rule in {one["rule"] for one in services.list_alerts(at("psd"))}
    assert rule not in {one["rule"] for one in services.list_alerts(subject)}
    payments = services.list_payments(at(), PaymentFilters(text="training hall"), limit=50)
    (colleagues,) = (row["row"] for row in payments if row["holder"] == "E2")
    told = [
        {one.rule: one.fires for one in services.explain_payment(who, scored, colleagues)}
        for who in (at("psd"), subject)
    ]
    assert told[0][rule]
    assert rule not in told[1]
    assert told[1]["split-same-day"] is False, "rules about one cardholder are shown"


def test_rules_of_a_payment_that_was_kept_as_history(at: Context, scored: str) -> None:
    del scored
    history = services.list_statements(at())[0]["statement_id"]
    assert services.explain_payment(at(), history, 2)
