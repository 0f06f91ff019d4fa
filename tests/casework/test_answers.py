"""What the services answer has the fields that its type names, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import lively_month

from cardwatch import services
from cardwatch.casebook import alert_rows, rows
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.services import answers

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]


@pytest.fixture
def answered(at: Context, read: Read) -> dict[str, tuple[type, Any]]:
    """Give answers about a casebook in which something of each kind was done, by their types."""
    for number in (9, 10):
        beside = f"2026-{number:02}-11,E1,SHOP 1,9.00,N{number}"
        services.receive(at(), read(*lively_month(number), beside))
    first, *others = [alert["alert_id"] for alert in services.list_alerts(at())]
    services.decide(at(), first, DecisionInput("so", "asked"))
    services.place_hold(at(), first, reason="case 12")
    suppressible = next(
        one for one in [first, *others] if services.get_history(at(), one)["merchants"]
    )
    services.suppress(at(), suppressible, until="2027-01-31", reason="standing order")
    services.set_webhook(at("admin"), "https://hooks.example/x", _Sealed())
    key = services.create_key(at("admin"), name="feed", role="finance", days=30)
    assert key
    proposal = services.propose(
        at(), "policy", b"near_limit_share = 0.9\n", effective_from="", reason="new limit"
    )
    later = services.propose(
        at(), "policy", b"near_limit_share = 0.8\n", effective_from="", reason="lower limit"
    )
    services.decide_proposal(at(person=2), later["proposal_id"], agrees=True)
    psd_alert = services.list_alerts(at("psd"), services.AlertFilter(lane="psd"))[0]["alert_id"]
    services.reveal_identity(at("psd"), psd_alert, reason="case 13")
    services.get_alert(at("psd"), psd_alert)
    statement = services.list_statements(at())[0]["statement_id"]
    payment = services.list_payments(at(), PaymentFilters(), limit=1)
    row = payment[0]["row"]
    history = services.get_history(at(), first)
    return {
        "people": (rows.ListedPerson, services.list_people(at("admin"))),
        "keys": (rows.Key, services.list_keys(at("admin"))),
        "webhooks": (rows.Webhook, services.list_webhooks(at("admin"))),
        "settings": (rows.ActiveDocument, services.list_active(at("psd"))),
        "proposals": (rows.Proposal, services.list_proposals(at())),
        "proposal": (answers.ProposedChange, services.get_proposal(at(), proposal["proposal_id"])),
        "statements": (answers.ImportedStatement, services.list_statements(at())),
        "statement": (answers.StatementDetail, services.get_statement(at(), statement)),
        "alerts": (alert_rows.ListedAlert, services.list_alerts(at())),
        "alert": (answers.ShownAlert, services.get_alert(at(), first)),
        "related": (alert_rows.RelatedAlert, history["related"]),
        "neighbours": (alert_rows.Neighbour, history["neighbours"]),
        "decisions": (alert_rows.DecisionMade, history["decisions"]),
        "history": (answers.AlertHistory, history),
        "holder year": (alert_rows.HolderYear, history["holder"]),
        "merchant year": (alert_rows.MerchantYear, history["merchant"]),
        "holder sums": (alert_rows.HolderSum, history["merchant"]["holders"]),
        "merchant sums": (alert_rows.MerchantSum, history["holder"]["merchants"]),
        "access": (rows.Access, services.get_history(at("psd"), psd_alert)["seen"]),
        "reveals": (
            alert_rows.Reveal, services.get_history(at("psd"), psd_alert)["identity_reveals"]
        ),
        "suppressions": (alert_rows.Suppression, services.list_suppressions(at())),
        "holds": (alert_rows.Hold, services.list_holds(at())),
        "payments": (answers.ListedPayment, payment),
        "payment": (answers.PaymentDetail, services.get_payment(at(), statement, row)),
        "inbox": (answers.InboxSummary, services.inbox_summary(at())),
        "policy": (answers.PolicyInForce, services.get_policy(at())),
        "health": (answers.CasebookHealth, services.health(at("admin"))),
        "assignees": (rows.Assignee, services.list_assignees(at())),
        "events": (rows.Event, services.audit_events(at(), lane="finance", last=9)),
    }  # fmt: skip


class _Sealed:
    """A key that seals nothing: the secret of a webhook is not looked at here."""

    def encrypt(self, content: bytes) -> bytes:
        return content


def test_answers_have_the_fields_of_their_types(answered: dict[str, tuple[type, Any]]) -> None:
    for name, (kind, answer) in answered.items():
        listed = answer if isinstance(answer, list) else [answer]
        assert listed, name
        required, optional = kind.__required_keys__, kind.__optional_keys__  # type: ignore[attr-defined]
        for row in listed:
            assert required <= row.keys() <= required | optional, name
