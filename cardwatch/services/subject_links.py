"""Links to the pages of the people, suppliers and units of alerts and payments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, payment_queries, subject_ids
from cardwatch.errors import NotFound
from cardwatch.services.subject_data import PeopleShown
from cardwatch.services.subject_rows import SubjectLink, SubjectLinks
from cardwatch.services.subject_timeline import check_reader
from cardwatch.vocabulary import ASKED_ABOUT, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.casebook import UnitOfWork
    from cardwatch.services.context import ServiceContext

LINKED = (*ASKED_ABOUT, SubjectKind.MERCHANT, SubjectKind.COST_CENTRE)
MOST_LINKS = 20
"""Links of each kind, the first in the order of their names."""


def subject_links(context: ServiceContext, same_as: Iterable[str]) -> SubjectLinks:
    """Return whom and what some alerts or payments are about, by id, each once.

    Args:
        same_as: ids of alerts, or places of payments as `statement:row`.

    Raises:
        NotAllowed: the role is not professional standards'.
        NotFound: there is no such alert or payment that the actor may see.
    """
    event = AuditEvent("consultation", "subjects")
    with context.work(event) as uow:
        check_reader(context)
        names: dict[str, set[str]] = {kind: set() for kind in LINKED}
        for place in same_as:
            for kind, name in _subjects(uow, place):
                names[kind].add(name)
            event.object_id = place
        people = PeopleShown(uow)
        persons = sorted(names[SubjectKind.HOLDER] | names[SubjectKind.APPROVER])
        cardholders = {link.id: link for person in persons if (link := people.link(person))}
        suppliers, units = (
            sorted(names[kind] - {""})[:MOST_LINKS]
            for kind in (SubjectKind.MERCHANT, SubjectKind.COST_CENTRE)
        )
        return SubjectLinks(
            tuple(cardholders.values())[:MOST_LINKS],
            tuple(SubjectLink(subject_ids.supplier_id(uow, name), name) for name in suppliers),
            tuple(SubjectLink(subject_ids.unit_id(uow, code), code) for code in units),
        )


def supplier_ids(context: ServiceContext, names: Iterable[str]) -> dict[str, str]:
    """Return the ids of merchants by their names, for links on pages that show them."""
    with context.snapshot(()) as uow:
        return {name: subject_ids.supplier_id(uow, name) for name in names}


def _subjects(uow: UnitOfWork, place: str) -> list[tuple[str, str]]:
    """Return the kind and name of each subject of an alert or a payment.

    Raises:
        NotFound: there is no such alert or payment.
    """
    if payment := payment_queries.PLACE.fullmatch(place):
        row = payment_queries.get_payment(uow, payment[1], int(payment[2]))
        return [
            (SubjectKind.HOLDER, row["holder_id"] or ""),
            (SubjectKind.MERCHANT, subject_ids.compared_name(row["merchant"])),
            (SubjectKind.COST_CENTRE, row["cost_centre"]),
        ]
    if not payment_queries.is_alert_visible(uow, place):
        raise NotFound(f"There is no alert '{place}'.")
    rows = payment_queries.subjects_of_alert(uow, place, LINKED)
    return [(row["kind"], row["name"]) for row in rows]
