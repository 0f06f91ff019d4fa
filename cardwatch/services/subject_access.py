"""Subject-access packs: what is held about one cardholder, from finance's lane alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch.casebook import AuditEvent, people, retention
from cardwatch.casebook import alerts as kept
from cardwatch.casebook import subject_access as queries
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.casebook.queries import list_queries as queries_sent
from cardwatch.casebook.tables import OVERSEES, STATES
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import NotAllowed, NotFound
from cardwatch.registers import compared, person_key
from cardwatch.reports import PURPOSES, check_drawing, pack_of, pdf_of
from cardwatch.reports.subject_access import (
    PAYMENT_FIELDS,
    redacted,
    subject_access_document,
    subject_access_files,
)
from cardwatch.services.scoring_inputs import active_inputs, load_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.alert_rows import AlertDetail
    from cardwatch.records import CardRegister
    from cardwatch.services.context import ServiceContext

CARD_FIELDS = ("card_last4", "unit", "single_limit_pence", "month_limit_pence", "opened_on",
               "closed_on", "status")  # fmt: skip
PAID_FIELDS = ("date", "merchant", "amount_pence", "reference")
AUTOMATICALLY = "cardwatch, automatically"


def check_oversees(context: ServiceContext) -> None:
    """Refuse a role that does not act for the data protection officer.

    Raises:
        NotAllowed: it does not.
    """
    with context.work(AuditEvent("consultation", "subject access")):
        context.allow(OVERSEES, "answer for data protection")


def make_subject_access_pack(
    context: ServiceContext, identifiers: Sequence[str], *, marking: str, key: Ed25519PrivateKey
) -> bytes:
    """Return what is held about a cardholder as a ZIP file with a signed manifest.

    Args:
        context: who makes it, for the data protection officer.
        identifiers: numbers and names by which statements know the person.
        marking: protective marking.
        key: signs the manifest.

    Raises:
        NotAllowed: the role makes none, or it would be about the actor.
        NotFound: nothing is held about such a person.
        CardwatchError: nothing is given, several people are meant, or no PDF can be drawn.
    """
    check_drawing()
    event = AuditEvent("disclosure", "subject access")
    with context.work(event) as uow:
        context.allow(OVERSEES, "make a subject-access pack")
        keys = queries.keys_of_person(uow, identifiers)
        event.object_id = uow.keyed("subject", *sorted(keys))[:12]
        if hidden_keys(uow) & keys:  # alerts would be left out that the person has a right to
            sentence = "Somebody else has to make the pack about you, or whose card you approve."
            raise NotAllowed(sentence)
        content = _content(uow, keys)
        if not any(content[name] for name in ("payments", "alerts", "cards")):
            raise NotFound("No payment, card or alert names this cardholder.", field="identifiers")
        event.counts = {name: len(content[name]) for name in ("payments", "alerts")}
    document = subject_access_document(content, marking=marking)
    files = {"your data.pdf": pdf_of(document), **subject_access_files(content)}
    return pack_of(files, {"controller": content["controller"], "made_on": content["made_on"]}, key)


def _content(uow: UnitOfWork, keys: set[str]) -> dict[str, Any]:
    """Gather what a pack holds."""
    recipe = replace(active_inputs(uow, uow.today), policy="", model="")
    register = load_inputs(uow, recipe).cards
    payments = queries.payments_of(uow, keys, register)
    details = [kept.get_alert(uow, name) for name in queries.alert_ids_about(uow, keys)]
    managers = {
        text for query in queries_sent(uow) for text in (query["recipient"], query["email"]) if text
    }
    names = queries.names_to_redact(uow, keys) | managers
    account = queries.account_of(uow, keys)
    statement_ids = {detail["statement_id"] for detail in details}
    return {
        "controller": people.organisation_name(uow),
        "made_on": uow.today,
        "names": queries.holder_names_of(uow, keys) or sorted(keys),
        "payments": [
            {name: row[name] for name in PAYMENT_FIELDS} for row in payments.to_dict("records")
        ],
        "cards": _cards(register, keys),
        "alerts": [_alert(detail, keys, names) for detail in details],
        "queries": _queries(uow, details, names | _others(details, keys)),
        "not_asked": [
            {"made_on": row["made_at"][:10], "until": row["expires_on"],
             "reason": redacted(row["reason"], names)}
            for row in queries.suppressions_of(uow, keys)
        ],
        "looks": list(queries.looks_at(uow, {detail["alert_id"] for detail in details})),
        "shared": [
            {"on": row["made_at"][:10], "purpose": PURPOSES.get(row["purpose"], row["purpose"]),
             "recipient": redacted(row["recipient"], names)}
            for row in queries.exports_of(uow, statement_ids)
        ],
        "account": account and {"email": account["email"], "role": account["role"],
                                "since": account["made_at"][:10]},
        "kept_for_days": retention.keeps_days(uow),
    }  # fmt: skip


def _others(details: Sequence[AlertDetail], keys: set[str]) -> set[str]:
    """Other people that alerts of the person are also about, as statements name them."""
    return {
        person
        for detail in details
        for person in (*detail["holders"], *detail["approvers"])
        if person_key(person) not in keys
    }


def _queries(
    uow: UnitOfWork, details: Sequence[AlertDetail], names: set[str]
) -> list[dict[str, Any]]:
    """Queries to line managers about alerts of the person, with their replies; nobody is named."""
    alert_ids = {detail["alert_id"] for detail in details}
    return [
        {
            "sent_on": query["sent_at"][:10],
            "alerts": sorted(alert_ids & set(query["alert_ids"])),
            "replies": [
                {
                    "on": reply["replied_on"],
                    "text": redacted(reply["text"], {*names, *filter(None, [reply["replied_by"]])}),
                }
                for reply in query["replies"]
            ],
        }
        for query in queries_sent(uow)
        if alert_ids & set(query["alert_ids"])
    ]


def _cards(register: CardRegister | None, keys: set[str]) -> list[dict[str, Any]]:
    """The person's cards in the active card register; approvers are other people."""
    if register is None:
        return []
    cards = register.cards
    columns = (compared(cards[name].fillna("")) for name in ("holder_id", "key_employee_id"))
    is_own = pd.concat(list(columns), axis=1).isin(keys).any(axis=1)
    rows = cards.loc[is_own, list(CARD_FIELDS)].astype({"opened_on": "str", "closed_on": "str"})
    return [
        {str(name): "" if pd.isna(value) else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]


def _alert(detail: AlertDetail, keys: set[str], names: set[str]) -> dict[str, Any]:
    """An alert as the person is shown it: their payments alone, nobody else's name."""
    raised = detail["raised"]
    others = [
        person
        for person in (*detail["holders"], *detail["approvers"], *raised.holders)
        if person_key(person) not in keys
    ]
    hidden = {*names, *others}
    texts = [
        *(text for reason in raised.reasons for text in (reason.fact, reason.why)),
        *(reason.fact for reason in raised.weakened_by),
        *raised.unusual,
        *filter(None, [raised.merchant_history]),
    ]
    return {
        "alert_id": detail["alert_id"],
        "raised_at": detail["raised_at"][:10],
        "title": redacted(raised.title, hidden),
        "reasons": [redacted(text, hidden) for text in texts],
        "other_cardholders": len({person_key(other) for other in others}),
        "payments": [
            {name: getattr(paid, name) for name in PAID_FIELDS}
            for paid in raised.payments
            if person_key(paid.holder_id) in keys
        ],
        "state": STATES[detail["state"]],
        "recovered_pence": detail["recovered_pence"],
        "decisions": [
            {
                "on": decision["decided_at"][:10],
                "by": AUTOMATICALLY if decision["decided_by"] == SYSTEM else detail["lane"],
                "state": STATES[decision["state"]],
                "reason": redacted(decision["reason"], hidden),
            }
            for decision in detail["decisions"]
        ],
    }
