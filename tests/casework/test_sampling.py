"""Samples for a dip test: the same by the same seed, fair, of what the drawer may know alone."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, SPLIT, month

from cardwatch import services
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.errors import CardwatchError
from cardwatch.services import SampleRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

SPAN = {"since": "2026-10-01", "until": "2026-10-31"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Give one database: what is drawn does not hang on which."""
    return f"sqlite:///{tmp_path / 'casebook.db'}"


@pytest.fixture
def statement(at: Context, read: Read) -> str:
    """Give a statement with an alert in either lane, beside payments in none."""
    services.receive(at(), read(*month(9)), is_history=True)
    return services.receive(at(), read(*month(10, count=40), *SPLIT, *EQUAL)).statement_id


def _places(told: dict[str, Any]) -> list[tuple[str, int]]:
    return [(row["statement_id"], row["row"]) for row in told["drawn"]]


def test_what_is_drawn_is_in_no_alert_that_the_drawer_sees(at: Context, statement: str) -> None:
    everything = SampleRequest(count=500, statement_id=statement[:6])
    told = {
        role: services.draw_sample(at(role), everything) for role in ("auditor", "finance", "psd")
    }
    merchants = {role: {row["merchant"] for row in one["drawn"]} for role, one in told.items()}
    assert told["auditor"] == told["finance"]
    assert merchants["auditor"] - merchants["psd"] == {"TRAINING HALL"}
    assert all("NEW FIRM" not in found for found in merchants.values())
    assert told["auditor"]["population"] == 44
    assert told["auditor"]["pence"] == sum(row["amount_pence"] for row in told["auditor"]["drawn"])
    with pytest.raises(CardwatchError):
        services.draw_sample(at("admin"), everything)


@pytest.mark.parametrize("by_money", [False, True])
def test_the_same_seed_draws_the_same_and_another_seed_others(
    at: Context, read: Read, statement: str, *, by_money: bool
) -> None:
    draw = SampleRequest(count=9, seed=7, statement_id=statement, by_money=by_money)
    first = services.draw_sample(at("auditor"), draw)
    assert statement
    assert services.draw_sample(at("auditor", days=9), draw) == first
    other = SampleRequest(count=9, seed=8, statement_id=statement, by_money=by_money)
    assert _places(services.draw_sample(at("auditor"), other)) != _places(first)
    days = [(row["date"], row["row"]) for row in first["drawn"]]
    assert days == sorted(days)
    event = services.audit_events(at("auditor"), lane="finance", last=2, object="sample")[-1]
    assert event["counts"]["population"] == first["population"]
    services.receive(at(), read("2026-10-30,E3,LATE SHOP,4.00,L1"), is_history=True)
    assert services.draw_sample(at("auditor"), draw) == first, "what came since changes nothing"


def test_every_payment_has_its_chance(at: Context, statement: str) -> None:
    drawn: Counter[tuple[str, int]] = Counter()
    for seed in range(80):
        drawn.update(
            _places(services.draw_sample(at(), SampleRequest(count=11, seed=seed, **SPAN)))
        )
    assert statement
    expected = 80 * 11 / 44
    chi = sum((count - expected) ** 2 / expected for count in drawn.values())
    assert len(drawn) == 44
    assert chi < 75, "with 43 degrees of freedom once in 400 times if it is fair"


def test_by_money_a_large_payment_is_drawn_for_sure(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(10), "2026-10-20,E1,SHOP 1,4000.00,B1"), is_history=True)
    for seed in range(5):
        found = services.draw_sample(at(), SampleRequest(count=2, seed=seed, by_money=True, **SPAN))
        assert "B1" in [row["transaction_id"] for row in found["drawn"]]


def test_closed_alerts_are_drawn_and_open_ones_are_not(at: Context, statement: str) -> None:
    draw = SampleRequest(of="closed-alerts", statement_id=statement)
    with pytest.raises(CardwatchError, match="no alerts or payments"):
        services.draw_sample(at("auditor"), draw)
    one = services.list_alerts(at())[0]["alert_id"]
    services.decide(at(), one, DecisionInput("two sites", "explained"))
    theirs = services.list_alerts(at("psd"), services.AlertFilter(lane="psd"))[0]["alert_id"]
    services.decide(at("psd"), theirs, DecisionInput("so", "confirmed"))
    drawn = {
        role: [row["alert_id"] for row in services.draw_sample(at(role), draw)["drawn"]]
        for role in ("auditor", "psd")
    }
    assert drawn == {"auditor": [one], "psd": sorted([one, theirs])}


@pytest.mark.parametrize(
    "draw",
    [
        SampleRequest(of="people", **SPAN),
        SampleRequest(count=0, **SPAN),
        SampleRequest(count=501, **SPAN),
        SampleRequest(seed=-1, **SPAN),
        SampleRequest(seed=10**9, **SPAN),
        SampleRequest(),
        SampleRequest(since="2026-10-01"),
        SampleRequest(since="2026-10-01", until="soon"),
        SampleRequest(of="closed-alerts", by_money=True, **SPAN),
        SampleRequest(statement_id="none"),
        SampleRequest(since="2020-01-01", until="2020-01-02"),
    ],
)
def test_what_cannot_be_drawn_is_refused(at: Context, draw: SampleRequest) -> None:
    with pytest.raises(CardwatchError):
        services.draw_sample(at("auditor"), draw)


def test_how_many_are_needed_is_what_auditors_tables_say() -> None:
    # AICPA, Audit Sampling, table A-1, 5 % risk, no deviation expected: 59 at 5 %, 29 at 10 %.
    assert [services.sample_size(share) for share in (0.05, 0.10, 0.01)] == [59, 29, 299]
    for count in (29, 59, 299):
        assert math.isclose((1 - services.highest_rate(count)) ** count, 0.05)
        assert services.highest_rate(count) < 3 / count
