"""The context of a service call: casebook, actor and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.casebook import FINANCE, LANES, PSD, Actor, Casebook, Event
from cardwatch.errors import NotAllowed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from cardwatch.casebook import Work
    from cardwatch.casebook.work import Row


@dataclass(frozen=True)
class Desk:
    """The context of a service call: casebook, actor and time, with a time zone."""

    casebook: Casebook
    actor: Actor
    now: dt.datetime

    @property
    def chains(self) -> tuple[str, ...]:
        """The audit chains that the actor may read."""
        return LANES if self.actor.role == PSD else (FINANCE,)

    def work(
        self, event: Event, lanes: tuple[str, ...] | None = None
    ) -> AbstractContextManager[Work]:
        """Begin a piece of work; see `Casebook.work`."""
        return self.casebook.work(self.actor, event, self.now, lanes=lanes)

    def allow(self, roles: Sequence[str], what: str) -> None:
        """Refuse an actor whose role is none of those allowed; within a piece of work only.

        Raises:
            NotAllowed: it is none of them.
        """
        if self.actor.role not in roles:
            raise NotAllowed(f"Your role cannot {what}.")

    def sees_alerts(self) -> None:
        """Refuse an actor who sees no alerts; within a piece of work only.

        Raises:
            NotAllowed: they see none.
        """
        if not self.actor.lanes:
            raise NotAllowed("Your role cannot see alerts.")

    def sees_lane(self, lane: str) -> None:
        """Refuse an actor who does not see a lane; within a piece of work only.

        Raises:
            NotAllowed: they do not.
        """
        if lane not in self.actor.lanes:
            raise NotAllowed("Your role cannot see this list.")


def shown(row: Row) -> Row:
    """Return a row of the casebook without what is the same for all of them."""
    return {name: value for name, value in row.items() if name != "organisation_id"}
