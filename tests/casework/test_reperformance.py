"""A statement's limits, splits and duplicates found again by the second program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import SPLIT, month

from cardwatch import services
from cardwatch.errors import NotAllowed
from cardwatch.features import split

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]


def _firings(check: services.IndependentCheck) -> dict[str, int]:
    return {rule.rule: rule.firings for rule in check.rules if rule.firings}


def test_a_statement_agrees_rule_by_rule(at: Context, read: Read) -> None:
    receipt = services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(10), *SPLIT))
    (check,) = services.verify_all_independently(at("auditor"))
    assert check.agrees
    assert not check.note
    assert _firings(check) == {"search: limit": 2, "split-same-day": 2, "split-usual": 2}
    history = services.verify_independently(at(), receipt.statement_id)
    assert (history.note, history.rules) == ("it was not scored", ())
    (line,) = services.agreement_rows(history)
    assert line["result"] == "not run: it was not scored"


def test_a_fault_in_the_code_is_named_with_its_rows(
    at: Context, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = services.receive(at(), read(*month(10), *SPLIT))
    monkeypatch.setattr(split, "refunded_on", lambda ledger: ledger.day * 1.0)
    check = services.verify_independently(at(), receipt.statement_id)
    assert not check.agrees
    wrong = {row["rule"]: row["rows"] for row in services.agreement_rows(check)
             if row["result"] == "not agreed"}  # fmt: skip
    assert wrong["split-same-day"] == "14, 15"


def test_a_person_asked_about_is_not_counted(at: Context, read: Read) -> None:
    receipt = services.receive(at(), read(*month(10), *SPLIT))
    own = services.verify_independently(at(person="subject", holder_id="E1"), receipt.statement_id)
    assert own.agrees
    assert _firings(own) == {}
    assert _firings(services.verify_independently(at(), receipt.statement_id))


def test_a_bill_that_a_colleague_paid_too_is_not_counted_for_either(
    at: Context, read: Read
) -> None:
    """The firing at the colleague's payment is about both."""
    bill = [f"2026-10-1{n},E{n},NEW FIRM,437.52,B{n}" for n in (1, 2)]
    services.receive(at(), read(*month(9, 1_000)), is_history=True)
    receipt = services.receive(at(), read(*month(10), *bill))
    subject = at(person="subject", holder_id="E1")
    colleague, own = (
        services.verify_independently(who, receipt.statement_id) for who in (at(), subject)
    )
    assert _firings(colleague)["same-bill-two-holders"]
    assert "same-bill-two-holders" not in {rule.rule for rule in own.rules}
    assert "exact-duplicate" in {rule.rule for rule in own.rules}


def test_who_sees_no_alerts_runs_nothing(at: Context, read: Read) -> None:
    receipt = services.receive(at(), read(*month(10), *SPLIT))
    with pytest.raises(NotAllowed, match="cannot see alerts"):
        services.verify_independently(at("admin"), receipt.statement_id)
