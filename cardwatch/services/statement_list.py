"""Shows the statements that are stored, with their reading reports and what lies beside them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent
from cardwatch.casebook import statements as kept
from cardwatch.casebook.counting import is_counting
from cardwatch.quantities import plural
from cardwatch.services.history_window import LATE_SHARE
from cardwatch.services.scoring_inputs import report_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import Statement
    from cardwatch.services.answers import ImportedStatement, StatementDetail
    from cardwatch.services.context import ServiceContext

GAP_DAYS = 10
"""Days without a payment between two statements after which one is reported missing."""


def list_statements(context: ServiceContext) -> list[ImportedStatement]:
    """Return the statements held, in the order received, with what is known of their reading."""
    with context.work(AuditEvent("consultation", "statements"), ()) as uow:
        statements = kept.list_statements(uow)
    return [_summary(row, statements) for row in statements]


def get_statement(context: ServiceContext, statement_id: str) -> StatementDetail:
    """Return one statement with its reading report: what happened to every row.

    `beside` says in sentences which days before it no statement covers, and what others hold too.

    Raises:
        NotFound: there is no such statement.
    """
    event = AuditEvent("consultation", "statement")
    with context.work(event, ()) as uow:
        row = kept.get_statement(uow, statement_id)
        event.object_id = row["statement_id"]
        statements = kept.list_statements(uow)
        beside = _notes_beside(uow, row, statements)
    return {**_summary(row, statements), "report": report_of(row["report"]), "beside": beside}


def _notes_beside(uow: UnitOfWork, row: Statement, statements: list[Statement]) -> list[str]:
    """Return sentences on how a statement that is kept lies beside the others."""
    start = kept.day_at(uow, row["statement_id"], LATE_SHARE)
    other_statements = [
        statement
        for statement in statements
        if statement["seq"] != row["seq"] and is_counting(statement)
    ]
    labels = {statement["statement_id"]: statement["label"] for statement in other_statements}
    shared = kept.shared_with(uow, row["statement_id"])
    notes = share_notes({labels[name]: count for name, count in shared.items() if name in labels})
    notes += future_notes(row["last_on"], row["received_at"])
    return notes + (gap_notes(start, other_statements) if start else [])


def _summary(row: Statement, statements: list[Statement]) -> ImportedStatement:
    """The result of an import in words for people."""
    later = [
        statement["statement_id"]
        for statement in statements
        if statement["seq"] == row["superseded_seq"]
    ]
    return {
        "statement_id": row["statement_id"],
        "label": row["label"],
        "sha256": row["sha256"],
        "received_at": row["received_at"],
        "received_by": row["received_by"],
        "corrects": row["corrects"],
        "superseded_by": later[0] if later else None,
        "first_on": row["first_on"],
        "last_on": row["last_on"],
        "transactions": row["transactions"],
        "pence": row["pence"],
        "duplicate_count": row["duplicate_count"],
        "is_scored": row["is_scored"],
        "erased_at": row["erased_at"],
        "layout": json.loads(row["report"]).get("layout", ""),
    }


def share_notes(holders: Mapping[str, int]) -> list[str]:
    """Return a sentence on each other statement, by label, that holds so many of a statement's."""
    return [
        f"{shared:,} of its transactions {plural(shared, 'is', 'are')} also in {label}, "
        "and counted once"
        for label, shared in holders.items()
    ]


def future_notes(last_on: str, received_at: str) -> list[str]:
    """Return a sentence where a statement's last payment is after the day it was received."""
    received = dt.date.fromisoformat(received_at[:10])
    if dt.date.fromisoformat(last_on) <= received + dt.timedelta(days=1):
        return []
    return [
        f"its last payment is on {last_on}, after the day it was received: are the dates right?"
    ]


def gap_notes(start: str, statements: list[Statement]) -> list[str]:
    """Return a sentence on the days that no statement covers before one begins."""
    ends = [row["last_on"] for row in statements if row["last_on"] < start]
    if not ends or any(row["first_on"] <= start <= row["last_on"] for row in statements):
        return []
    day = dt.timedelta(days=1)
    last, first = dt.date.fromisoformat(max(ends)), dt.date.fromisoformat(start)
    if first - last <= GAP_DAYS * day:
        return []
    return [f"no statement covers {last + day} to {first - day}: is one missing?"]
