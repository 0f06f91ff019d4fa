"""Who may record a decision in a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.errors import CardwatchError, NotAllowed

if TYPE_CHECKING:
    from cardwatch.casebook.unit_of_work import UnitOfWork


def may_decide(uow: UnitOfWork, lane: str, reason: str) -> None:
    """Refuse whoever decides nothing in a lane, and what comes without a reason.

    Finance decides its own queries, professional standards theirs; these may read finance's, and
    leave no mark on them.

    Raises:
        NotAllowed: the role decides nothing there.
        CardwatchError: no reason is given.
    """
    if uow.actor.role != lane:
        raise NotAllowed("Your role cannot decide on this alert.")
    check_records(uow)
    if not reason.strip():
        raise CardwatchError("Enter a reason", field="reason")
    try:
        reason.encode()
    except UnicodeEncodeError as error:
        raise CardwatchError(
            "The reason has a character that cannot be saved.", field="reason"
        ) from error


def check_records(uow: UnitOfWork) -> None:
    """Refuse a key that records no decisions.

    Raises:
        NotAllowed: the actor is such a key.
    """
    if not uow.actor.can_decide:
        raise NotAllowed("This key records no decisions. Sign in, or make a key that may.")
