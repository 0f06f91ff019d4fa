"""Cases of professional standards: their state, and everything that was done in them, in order.

A case has a version, which each entry raises; whoever changes or closes one says which they have
seen.
Nobody sees a case with an alert about themselves, or about somebody whose payments they approve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from cardwatch.casebook.case_rows import Case, CaseEntry, ListedCase
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.casebook.people import check_assignee, email_of
from cardwatch.casebook.permissions import may_decide
from cardwatch.casebook.tables import (
    PSD,
    alert_subjects,
    case_alerts,
    case_entries,
    case_subjects,
    cases,
)
from cardwatch.errors import CardwatchError, Changed, Conflict, NotFound, about_field
from cardwatch.vocabulary import CASE_OUTCOMES, PERSON_KINDS, CaseEntryKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.casebook.unit_of_work import UnitOfWork

CASE_STATES = OPEN_CASE, CLOSED_CASE = ("open", "closed")
MAX_TITLE_CHARACTERS = 200
MAX_NOTE_CHARACTERS = 10_000
LEFT_OUT_DIGITS = "0123"
"""A quarter of the numbers of a year is left out, by chance: a number that somebody does not see
says nothing of a case that they may not see."""


@dataclass(frozen=True)
class CaseFilter:
    """Which cases somebody asks for; empty is any.

    Attributes:
        owner: email of who is to see to it.
        text: words of a reference or title.
    """

    state: str = ""
    owner: str = ""
    text: str = ""

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The conditions that a row of cases fulfils."""
        same = ("state", "owner")
        clauses = [cases.c[name] == value for name in same if (value := getattr(self, name))]
        if term := self.text.strip().lower():
            columns = (sa.func.lower(cases.c.reference), sa.func.lower(cases.c.title))
            clauses.append(sa.or_(*(text.contains(term, autoescape=True) for text in columns)))
        return clauses


@dataclass(frozen=True)
class CaseUpdate:
    """A change of a case.

    Attributes:
        reason: why; never empty.
        seen: version of the case that they have seen, if they say.
        title: the new title; none to leave it.
        owner: email of the new owner; empty for nobody; none to leave it.
        outcome: with which it is closed.
    """

    reason: str
    seen: int | None = None
    title: str | None = None
    owner: str | None = None
    outcome: str = ""


def not_about_actor(uow: UnitOfWork, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """The condition that no alert of a case is about the actor, nor about whose card they approve.

    Both whom an alert is about now and whom it was about when it was put into the case count.
    """
    if not uow.actor.holder_id:
        return sa.true()
    keys = hidden_keys(uow)
    copied = sa.exists().where(
        uow.scope(case_subjects),
        case_subjects.c.case_id == table.c.case_id,
        case_subjects.c.kind.in_(PERSON_KINDS),
        case_subjects.c.subject_id.in_(keys),
    )
    current = sa.exists().where(
        uow.scope(case_alerts, alert_subjects),
        case_alerts.c.case_id == table.c.case_id,
        alert_subjects.c.lane == case_alerts.c.alert_lane,
        alert_subjects.c.alert_id == case_alerts.c.alert_id,
        alert_subjects.c.kind.in_(PERSON_KINDS),
        alert_subjects.c.subject_id.in_(keys),
    )
    return ~copied & ~current


def find_cases(
    uow: UnitOfWork,
    case_filter: CaseFilter,
    *,
    after: Sequence[float | str] = (),
    offset: int = 0,
    limit: int | None = None,
) -> list[ListedCase]:
    """Return the cases that fit, the newest first, each with the number of its alerts.

    Args:
        case_filter: which of them.
        after: the `place` of the case after which they begin.
        offset: how many are left out before them.
        limit: the most that are given.

    Raises:
        CardwatchError: the place is none.
    """
    by = (cases.c.made_at, cases.c.case_id)
    count = (
        sa.select(sa.func.count())
        .where(uow.scope(case_alerts), case_alerts.c.case_id == cases.c.case_id)
        .scalar_subquery()
    )
    question = sa.select(cases, count.label("alerts_count")).where(
        uow.scope(cases), not_about_actor(uow, cases), *case_filter.conditions()
    )
    if after:
        if [type(value) for value in after] != [str, str]:
            raise CardwatchError("Invalid cursor. Begin at the first page.", field="cursor")
        place = sa.tuple_(*(sa.literal(value) for value in after))
        question = question.where(sa.tuple_(*by) < place)
    newest = question.order_by(*(part.desc() for part in by))
    rows = uow.fetch_all(newest.offset(offset).limit(limit))
    return [cast("ListedCase", row | {"place": [row["made_at"], row["case_id"]]}) for row in rows]


def count_cases(uow: UnitOfWork, case_filter: CaseFilter) -> int:
    """The number of cases that fit and that the actor may see."""
    fits = (uow.scope(cases), not_about_actor(uow, cases), *case_filter.conditions())
    row = uow.fetch_one(sa.select(sa.func.count().label("cases")).where(*fits))
    assert row is not None
    return int(row["cases"])


def find_case(uow: UnitOfWork, name: str) -> Case:
    """Return a case by its id or reference.

    Raises:
        NotFound: there is none that the actor may see.
    """
    same = (cases.c.case_id == name) | (cases.c.reference == name.upper())
    question = sa.select(cases).where(uow.scope(cases), not_about_actor(uow, cases), same)
    row = uow.fetch_one(question, Case)
    if row is None:
        raise NotFound(f"There is no case '{name}'.")
    return row


def list_entries(uow: UnitOfWork, case_id: str) -> list[CaseEntry]:
    """Return everything that was done in a case, in order."""
    question = sa.select(case_entries).where(
        uow.scope(case_entries), case_entries.c.case_id == case_id
    )
    return uow.fetch_all(question.order_by(case_entries.c.version), CaseEntry)


def open_case(uow: UnitOfWork, *, title: str, reason: str, owner: str = "") -> Case:
    """Open a case; without an owner it is the actor's own.

    Raises:
        NotAllowed: the actor does not decide for professional standards.
        NotFound: nobody of professional standards has that email address.
        CardwatchError: no title or no reason.
    """
    may_decide(uow, PSD, reason)
    _check_title(title)
    own_email = email_of(uow)
    owner = owner or (own_email if "@" in own_email else "")  # a key owns none
    if owner:
        _check_owner(uow, owner)
    uow.lock("cases")
    year = uow.today[:4]
    number = _next_number(uow, year)
    reference = f"C-{year}-{number:04}"
    row: dict[str, object] = {"lane": PSD, "case_id": uow.keyed("case", reference)[:12]}
    row |= {"reference": reference, "number": number, "title": title, "owner": owner}
    row |= {"state": OPEN_CASE, "outcome": "", "version": 0, "closed_by": None, "closed_at": None}
    row |= {"made_by": uow.actor.actor_id, "made_at": uow.now}
    uow.insert(cases, [row])
    case = cast("Case", row)
    uow.event.object_id = case["case_id"]
    add_entry(uow, case, CaseEntryKind.OPENED, reason)
    return case


def _next_number(uow: UnitOfWork, year: str) -> int:
    """The number of the next case of a year; see `LEFT_OUT_DIGITS`."""
    newest = sa.select(sa.func.max(cases.c.number).label("number")).where(
        uow.scope(cases), cases.c.reference.startswith(f"C-{year}-")
    )
    row = uow.fetch_one(newest)
    number = ((row and row["number"]) or 0) + 1
    while uow.keyed("case number", year, str(number))[0] in LEFT_OUT_DIGITS:
        number += 1
    return number


def case_to_change(
    uow: UnitOfWork, name: str, reason: str, *, seen: int | None = None, state: str = OPEN_CASE
) -> Case:
    """Return a case that the actor is about to change; nobody else changes one until it is done.

    Args:
        name: its id or reference.
        reason: why it is changed.
        seen: its version as the actor has seen it, if they say.
        state: in which it has to be.

    Raises:
        NotAllowed: the actor does not decide for professional standards.
        CardwatchError: no reason is given.
        NotFound: there is none that the actor may see.
        Changed: somebody has changed it since.
        Conflict: it is closed, or is to be reopened and is open.
    """
    may_decide(uow, PSD, reason)
    uow.lock("cases")
    case = find_case(uow, name)
    uow.event.object_id = case["case_id"]
    if seen not in {None, case["version"]}:
        raise Changed("Somebody else has changed this case. Read it again before you change it.")
    if case["state"] != state:
        closed = "This case is closed. Reopen it before you add to it or change it."
        raise Conflict(closed if state == OPEN_CASE else "This case is already open.")
    return case


def add_entry(
    uow: UnitOfWork,
    case: Case,
    kind: CaseEntryKind,
    text: str,
    object_id: str = "",
    **changes: str | None,
) -> None:
    """Write down what is done in a case, and change its row.

    Args:
        case: as it was before; not changed.
        kind: what is done.
        text: the reason, or the note.
        object_id: the alert or attachment it is about.
        **changes: columns of the case that change.
    """
    row = {**case, **changes, "version": _entry_count(uow, case["case_id"]) + 1}
    which = cases.c.case_id == case["case_id"]
    names = ("title", "owner", "state", "outcome", "version", "closed_by", "closed_at")
    uow.update(cases, which, {name: row[name] for name in names})
    entry: dict[str, object] = {"lane": PSD, "kind": str(kind), "text": text}
    entry["object_id"] = object_id
    entry |= {name: row[name] for name in ("case_id", "version", "title", "owner", "outcome")}
    entry |= {"made_by": uow.actor.actor_id, "made_at": uow.now}
    uow.insert(case_entries, [entry])


def _entry_count(uow: UnitOfWork, case_id: str) -> int:
    """The number of entries of a case: several may come in one piece of work."""
    columns = case_entries.c
    question = sa.select(sa.func.count().label("entries")).where(
        uow.scope(case_entries), columns.case_id == case_id
    )
    row = uow.fetch_one(question)
    return int(row["entries"]) if row else 0


def change_case(uow: UnitOfWork, name: str, update: CaseUpdate) -> None:
    """Change the title or owner of a case.

    Raises:
        NotAllowed, NotFound, Changed, Conflict: see `case_to_change`.
        CardwatchError: no title or no reason, or nobody of professional standards has that email
            address.
    """
    case = case_to_change(uow, name, update.reason, seen=update.seen)
    title = case["title"] if update.title is None else update.title
    owner = case["owner"] if update.owner is None else update.owner
    _check_title(title)
    if owner and owner != case["owner"]:
        _check_owner(uow, owner)
    add_entry(uow, case, CaseEntryKind.CHANGED, update.reason, title=title, owner=owner)


def add_note(uow: UnitOfWork, name: str, text: str) -> None:
    """Add a note to a case, which is never changed.

    Raises:
        NotAllowed, NotFound, Conflict: see `case_to_change`.
        CardwatchError: it is empty, or too long.
    """
    if not text.strip():
        raise CardwatchError("Enter a note", field="note")
    if len(text) > MAX_NOTE_CHARACTERS:
        sentence = f"Enter a note of {MAX_NOTE_CHARACTERS:,} characters or fewer."
        raise CardwatchError(sentence, field="note")
    add_entry(uow, case_to_change(uow, name, text), CaseEntryKind.NOTE, text)


def close_case(uow: UnitOfWork, name: str, update: CaseUpdate) -> None:
    """Close a case with an outcome.

    Raises:
        NotAllowed, NotFound, Changed, Conflict: see `case_to_change`.
        CardwatchError: no reason, or no such outcome.
    """
    if update.outcome not in CASE_OUTCOMES:
        sentence = f"Choose an outcome: {', '.join(CASE_OUTCOMES)}, not '{update.outcome}'."
        raise CardwatchError(sentence if update.outcome else "Choose an outcome", field="outcome")
    case = case_to_change(uow, name, update.reason, seen=update.seen)
    add_entry(
        uow, case, CaseEntryKind.CLOSED, update.reason, state=CLOSED_CASE, outcome=update.outcome,
        closed_by=uow.actor.actor_id, closed_at=uow.now,
    )  # fmt: skip


def reopen_case(uow: UnitOfWork, name: str, update: CaseUpdate) -> None:
    """Open a closed case again; its outcome stays in its history.

    Raises:
        NotAllowed, NotFound, Changed, Conflict: see `case_to_change`.
        CardwatchError: no reason is given.
    """
    case = case_to_change(uow, name, update.reason, seen=update.seen, state=CLOSED_CASE)
    add_entry(
        uow, case, CaseEntryKind.REOPENED, update.reason, state=OPEN_CASE, outcome="",
        closed_by=None, closed_at=None,
    )  # fmt: skip


def _check_title(title: str) -> None:
    """Refuse a title that is empty, too long, or cannot be saved.

    Raises:
        CardwatchError: it is.
    """
    if not title.strip():
        raise CardwatchError("Enter a title", field="title")
    if len(title) > MAX_TITLE_CHARACTERS or not title.isprintable():
        sentence = f"Enter a title of {MAX_TITLE_CHARACTERS} characters or fewer, in one line."
        raise CardwatchError(sentence, field="title")


def _check_owner(uow: UnitOfWork, owner: str) -> None:
    """Refuse an owner who is not of professional standards.

    Raises:
        NotFound: they are not.
    """
    with about_field("owner"):
        check_assignee(uow, owner, PSD)
