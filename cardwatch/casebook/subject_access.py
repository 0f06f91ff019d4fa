"""Queries for a subject-access pack: what finance's lane and the statements hold about a person.

Nothing here reads professional standards' lane, whoever asks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from cardwatch.casebook.alerts import not_about
from cardwatch.casebook.counting import counting_payments, each_once
from cardwatch.casebook.own_keys import NUMBERS
from cardwatch.casebook.people import list_people
from cardwatch.casebook.rows import Export, Look
from cardwatch.casebook.suppressions import list_suppressions
from cardwatch.casebook.tables import (
    FINANCE,
    HOLDER_KEYS,
    PSD,
    TRANSACTION_TEXTS,
    alert_subjects,
    alerts,
    audit_events,
    exports,
    statements,
    transactions,
)
from cardwatch.errors import CardwatchError
from cardwatch.registers import match_cards, person_key, spellings
from cardwatch.vocabulary import ASKED_ABOUT

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from collections.abc import Set as AbstractSet

    from cardwatch.casebook.alert_rows import Suppression
    from cardwatch.casebook.rows import Person
    from cardwatch.casebook.unit_of_work import Row, UnitOfWork
    from cardwatch.records import CardRegister

NAMED_BY = (*NUMBERS, "key_cardholder")
"""Ways in which a statement names a person; another says a card or account."""


def keys_of_person(uow: UnitOfWork, identifiers: Sequence[str]) -> set[str]:
    """Return the keys by which payments and alerts know a person, from numbers and names of theirs.

    Raises:
        CardwatchError: none is given, or what is given belongs to several people.
    """
    keys = set[str]().union(*map(spellings, identifiers)) - {""}
    if not keys:
        raise CardwatchError("Enter a number or name of the person", field="identifiers")
    numbers: set[str] = set()
    for row in _key_rows(uow):
        values = {person_key(str(row[name])) for name in HOLDER_KEYS if row[name]}
        if values & keys:
            numbers |= {person_key(str(row[name])) for name in NUMBERS if row[name]}
    if len(numbers - keys) > 1 or (numbers & keys and numbers - keys):
        raise CardwatchError(
            "What you entered belongs to several cardholders. Enter the employee number",
            field="identifiers",
        )
    return keys | numbers


def _key_rows(uow: UnitOfWork) -> list[Row]:
    """The different ways in which statements name their cardholders."""
    columns = [transactions.c[name] for name in HOLDER_KEYS]
    return uow.fetch_all(counting_payments(uow, columns).order_by(None).distinct())


def payments_of(
    uow: UnitOfWork, keys: AbstractSet[str], cards: CardRegister | None
) -> pd.DataFrame:
    """The payments of a person that count, each once, by day, with `label` and `row`.

    Whose those are of which a statement names the card alone, the card register says.
    """
    rows = _key_rows(uow)
    printed = {
        str(row[name])
        for row in rows
        for name in HOLDER_KEYS
        if row[name] and person_key(str(row[name])) in keys
    }
    is_own = sa.or_(sa.false(), *(transactions.c[name].in_(printed) for name in HOLDER_KEYS))
    names = ("identity", "row", *TRANSACTION_TEXTS, "amount_pence")
    columns = [*(transactions.c[name] for name in names), statements.c.label]
    table = each_once(uow, counting_payments(uow, columns).where(is_own))
    if cards is not None:
        is_unnamed = sa.and_(*(sa.func.coalesce(transactions.c[n], "") == "" for n in NAMED_BY))
        unnamed = each_once(uow, counting_payments(uow, columns).where(is_unnamed))
        frame = unnamed.assign(date=pd.to_datetime(unnamed["date"]), holder_id="")
        holders = match_cards(frame.fillna(""), cards)["holder_id"].map(person_key)
        table = pd.concat([table, unnamed[holders.isin(keys).to_numpy()]])
        table = table.drop_duplicates("identity")
    table = table.sort_values(["date", "label", "row"], ignore_index=True)
    return table.astype(object).where(table.notna(), None)  # one statement says less than another


def alert_ids_about(uow: UnitOfWork, keys: AbstractSet[str]) -> list[str]:
    """The ids of finance's alerts that ask about a person, the oldest first."""
    subjects = alert_subjects.alias()  # `not_about` looks among the same
    same = (subjects.c.lane == alerts.c.lane) & (subjects.c.alert_id == alerts.c.alert_id)
    question = (
        sa.select(alerts.c.alert_id, alerts.c.last_on)
        .join(subjects, uow.scope(subjects) & same)
        .where(uow.scope(alerts), not_about(uow, alerts), alerts.c.lane == FINANCE)
        .where(subjects.c.kind.in_(ASKED_ABOUT), subjects.c.subject_id.in_(keys))
        .order_by(alerts.c.last_on, alerts.c.alert_id)
        .distinct()
    )
    return [row["alert_id"] for row in uow.fetch_all(question)]


def looks_at(uow: UnitOfWork, alert_ids: Collection[str]) -> list[Look]:
    """On which days which roles looked at, changed or shared some of finance's alerts."""
    is_alert_event = audit_events.c.body.contains('"object":"alert"')
    question = (
        sa.select(audit_events.c.body)
        .where(uow.scope(audit_events), audit_events.c.lane == FINANCE, is_alert_event)
        .order_by(audit_events.c.seq)
    )
    looks: dict[tuple[str, str, str], Look] = {}
    for row in uow.fetch_all(question):
        body = json.loads(row["body"])
        is_theirs = body["object"] == "alert" and body["id"] in alert_ids
        if is_theirs and body["role"] and body["outcome"] == "done":
            key = (body["at"][:10], body["role"], body["action"])
            look = looks.setdefault(key, Look(on=key[0], role=key[1], action=key[2], times=0))
            look["times"] += 1
    return list(looks.values())


def exports_of(uow: UnitOfWork, statement_ids: Collection[str]) -> list[Export]:
    """Lists and cases of some statements that finance's lane handed over."""
    question = sa.select(exports).where(
        uow.scope(exports), exports.c.lane == FINANCE, exports.c.statement_id.in_(statement_ids)
    )
    return uow.fetch_all(question.order_by(exports.c.made_at, exports.c.disclosure_id), Export)


def suppressions_of(uow: UnitOfWork, keys: AbstractSet[str]) -> list[Suppression]:
    """Finance's suppressions of alerts about a person."""
    return [
        row
        for row in list_suppressions(uow)
        if row["lane"] == FINANCE and keys & {person_key(holder) for holder in row["holders"]}
    ]


def account_of(uow: UnitOfWork, keys: AbstractSet[str]) -> Person | None:
    """The account of a person here, if they have one that others may know of."""
    for person in list_people(uow):
        if person["role"] != PSD and person_key(person["holder_id"]) in keys:
            return person
    return None


def names_to_redact(uow: UnitOfWork, keys: AbstractSet[str]) -> set[str]:
    """Email addresses and full names of other people: of who works here, and of cardholders."""
    others = {
        text
        for person in list_people(uow)
        if person["role"] != PSD and person_key(person["holder_id"]) not in keys
        for text in (person["email"], person["name"])
    }
    cardholders = {
        str(row["key_cardholder"])
        for row in _key_rows(uow)
        if row["key_cardholder"]
        and not keys & {person_key(str(row[name])) for name in HOLDER_KEYS if row[name]}
    }
    return {name for name in others | cardholders if " " in name.strip() or "@" in name}


def holder_names_of(uow: UnitOfWork, keys: AbstractSet[str]) -> list[str]:
    """How statements name a person, in order."""
    return sorted(
        {
            str(row[name])
            for row in _key_rows(uow)
            if keys & {person_key(str(row[key])) for key in HOLDER_KEYS if row[key]}
            for name in NAMED_BY
            if row[name]
        }
    )
