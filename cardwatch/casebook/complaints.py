"""Complaints and objections about the use of personal data, with the clock of the law.

A complaint has to be acknowledged within 30 days, counted from the day after it is received, and
answered without undue delay (Data Protection Act 2018, s. 164A, in force since 19 June 2026). An
objection has to be answered within one month (UK GDPR, Art. 12(3) and 21). A last day that is no
working day is not moved on, so the clock is never later than the law.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from cardwatch.casebook.rows import Complaint, StoredComplaint
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import complaints
from cardwatch.errors import CardwatchError, Conflict, NotFound

if TYPE_CHECKING:
    from cardwatch.casebook.unit_of_work import UnitOfWork

COMPLAINT, OBJECTION = COMPLAINT_KINDS = ("complaint", "objection")
ACKNOWLEDGE, ANSWER, CLOSED_STEP = "acknowledge", "answer", "none"
"""The next step of a complaint."""
ACKNOWLEDGE_DAYS = 30
MAX_COMPLAINT_CHARACTERS = 4_000
MAX_PERSON_CHARACTERS = 200


@dataclass(frozen=True)
class NewComplaint:
    """A complaint or objection as it is recorded.

    Attributes:
        kind: complaint or objection.
        person: who complains, and how to answer them; empty where they gave no name.
        subject: what it is about.
        received_on: the day on which it was received.
    """

    kind: str
    person: str
    subject: str
    received_on: str


def add_complaint(uow: UnitOfWork, new: NewComplaint) -> str:
    """Record a complaint; return its id.

    Raises:
        CardwatchError: a field is missing or wrong.
    """
    if new.kind not in COMPLAINT_KINDS:
        raise CardwatchError("Choose whether it is a complaint or an objection", field="kind")
    _check_text(new.subject, "subject", "what it is about")
    if len(new.person) > MAX_PERSON_CHARACTERS:
        raise CardwatchError(f"Enter at most {MAX_PERSON_CHARACTERS} characters.", field="person")
    _check_day(uow, new.received_on, "received_on")
    count = uow.fetch_one(sa.select(sa.func.count().label("count")).where(uow.scope(complaints)))
    number = str(count["count"]) if count else "0"
    complaint_id = uow.keyed("complaint", *map(str, asdict(new).values()), uow.now, number)[:12]
    row = {"complaint_id": complaint_id, "answer": "", "made_by": uow.actor.actor_id}
    uow.insert(complaints, [asdict(new) | row | {"made_at": uow.now}])
    uow.event.object_id = complaint_id
    return complaint_id


def get_complaint(uow: UnitOfWork, complaint_id: str) -> Complaint:
    """Return one complaint.

    Raises:
        NotFound: there is none.
    """
    same = complaints.c.complaint_id == complaint_id
    row = uow.fetch_one(sa.select(complaints).where(uow.scope(complaints), same), StoredComplaint)
    if row is None:
        raise NotFound("There is no such complaint.")
    uow.event.object_id = complaint_id
    return _with_clock(row, uow.today)


def list_complaints(uow: UnitOfWork) -> list[Complaint]:
    """Return the complaints, those that wait first, by the day by which something is due."""
    question = sa.select(complaints).where(uow.scope(complaints))
    order = (complaints.c.received_on, complaints.c.complaint_id)
    rows = uow.fetch_all(question.order_by(*order), StoredComplaint)
    listed = [_with_clock(row, uow.today) for row in rows]
    return sorted(
        listed, key=lambda c: (c["next_step"] == CLOSED_STEP, c["due_on"] or c["received_on"])
    )


def count_overdue(uow: UnitOfWork) -> int:
    """How many complaints wait for a step that the law asked for before today."""
    return sum(row["is_overdue"] for row in list_complaints(uow))


def acknowledge(uow: UnitOfWork, complaint_id: str, day: str) -> None:
    """Record on which day a complaint was acknowledged.

    Raises:
        NotFound: there is none.
        CardwatchError: that is no day, or lies before it was received or after today.
        Conflict: it was acknowledged before.
    """
    row = get_complaint(uow, complaint_id)
    if row["acknowledged_on"]:
        raise Conflict("This was acknowledged before.")
    _check_day(uow, day, "acknowledged_on", row["received_on"])
    _change(uow, complaint_id, {"acknowledged_on": day})


def answer_complaint(uow: UnitOfWork, complaint_id: str, day: str, answer: str) -> None:
    """Record the answer to a complaint; one not acknowledged before is so by its answer.

    Raises:
        NotFound: there is none.
        CardwatchError: no answer; that is no day, or lies before it was received or after today.
        Conflict: it was answered before.
    """
    row = get_complaint(uow, complaint_id)
    if row["answered_on"]:
        raise Conflict("This was answered before.")
    _check_text(answer, "answer", "the answer")
    _check_day(uow, day, "answered_on", row["acknowledged_on"] or row["received_on"])
    values = {"answered_on": day, "answer": answer}
    _change(uow, complaint_id, values | {"acknowledged_on": row["acknowledged_on"] or day})


def _change(uow: UnitOfWork, complaint_id: str, values: dict[str, str]) -> None:
    """Change one complaint."""
    uow.update(complaints, complaints.c.complaint_id == complaint_id, values)


def _with_clock(row: StoredComplaint, today: str) -> Complaint:
    """A complaint with its next step, and the day by which it is due."""
    received = dt.date.fromisoformat(row["received_on"])
    next_step, due_on = ANSWER, None
    if row["answered_on"]:
        next_step = CLOSED_STEP
    elif row["kind"] == OBJECTION:
        due_on = str((pd.Timestamp(received) + pd.DateOffset(months=1)).date())
    elif not row["acknowledged_on"]:
        next_step, due_on = ACKNOWLEDGE, str(received + dt.timedelta(ACKNOWLEDGE_DAYS))
    fields = {name: row[name] for name in StoredComplaint.__annotations__}  # type: ignore[literal-required]
    is_overdue = due_on is not None and due_on < today
    return Complaint(**fields, next_step=next_step, due_on=due_on, is_overdue=is_overdue)  # type: ignore[typeddict-item]


def _check_text(text: str, field: str, name: str) -> None:
    """Refuse a text that is missing or too long.

    Raises:
        CardwatchError: it is.
    """
    if not text.strip():
        raise CardwatchError(f"Enter {name}", field=field)
    if len(text) > MAX_COMPLAINT_CHARACTERS:
        raise CardwatchError(f"Enter at most {MAX_COMPLAINT_CHARACTERS:,} characters.", field=field)


def _check_day(uow: UnitOfWork, day: str, field: str, earliest: str = "2018-05-25") -> None:
    """Refuse a day after today, or before another: without one, before the law was in force.

    Raises:
        CardwatchError: it is, or it is no day.
    """
    if not earliest <= str(day_of(day, field)) <= uow.today:
        first = dt.date.fromisoformat(earliest)
        sentence = f"Enter a date from {first.day} {first:%B %Y} to today."
        raise CardwatchError(sentence, field=field)
