"""A quarter's aggregate from a casebook: its figures, no names, and nothing of psd's lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import lively_month
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from cardwatch import services
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.cli import app
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.reports.aggregate import read_aggregate

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def crowded_month(number: int) -> list[str]:
    """Return a month in which twelve people pay often, and one alone pays a rare merchant."""
    ordinary = [
        f"2026-{number:02}-{1 + n % 27:02},H{n % 12},SHOP {n % 3},{20 + n}.00,C{number}{n}"
        for n in range(60)
    ]
    rare = f"2026-{number:02}-09,H1,RARE CLINIC,431.17,X{number}"
    return [*ordinary, rare, *lively_month(number)]


@pytest.fixture
def quarter(at: Context, read: Read) -> Context:
    """Give a casebook with the three months of a quarter that is over."""
    for number in (7, 8, 9):
        services.receive(at(days=-60), read(*crowded_month(number)))
    return at


def _make(at: Context, role: str = "finance", **given: Any) -> bytes:
    chosen = {"threshold": 10, "key": KEY} | given
    return services.make_aggregate(at(role), "2026-Q3", **chosen)


def test_figures_are_those_of_the_lines(quarter: Context) -> None:
    made = read_aggregate("a.json", _make(quarter))
    pence = [round(float(line.split(",")[3]) * 100) for n in (7, 8, 9) for line in crowded_month(n)]
    assert abs(made.purchases - len(pence)) < 5
    assert abs(made.pounds - sum(pence) / 100) <= 500
    assert [cell.name for cell in made.months] == ["2026-07", "2026-08", "2026-09"]
    assert made.quarter == "2026-Q3"


def test_no_person_or_merchant_is_in_it(quarter: Context) -> None:
    text = _make(quarter).decode().lower()
    for name in ('h1"', 'e1"', "shop", "rare clinic", "431", "new firm", "training"):
        assert name not in text, name


def test_nothing_of_professional_standards_is_in_it(quarter: Context) -> None:
    """A pair of worlds: psd's alerts are confirmed in one and untouched in the other."""
    before = _make(quarter)
    alerts = services.list_alerts(quarter("psd"), lane="psd")
    assert alerts
    for alert in alerts:
        services.decide(quarter("psd"), alert["alert_id"], DecisionInput("seen", "confirmed"))
    assert _make(quarter) == before
    assert _make(quarter, "psd") == before


def test_an_admin_makes_none(quarter: Context) -> None:
    with pytest.raises(NotAllowed):
        _make(quarter, "admin")


def test_a_quarter_that_is_not_over_is_refused(quarter: Context) -> None:
    with pytest.raises(CardwatchError, match="not over"):
        services.make_aggregate(quarter(), "2026-Q4", threshold=10, key=KEY)
    with pytest.raises(CardwatchError, match="5 or more"):
        _make(quarter, threshold=2)


def test_the_command_needs_a_casebook(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDWATCH_HOME", str(tmp_path))
    ran = CliRunner().invoke(app, ["aggregate", "2026-Q3", "--out", str(tmp_path / "a.json")])
    assert isinstance(ran.exception, CardwatchError)
    assert not (tmp_path / "a.json").exists()
