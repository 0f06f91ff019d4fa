"""The context of a service call: casebook, actor and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.casebook import FINANCE, LANES, PSD, Actor, AuditEvent, Casebook
from cardwatch.errors import NotAllowed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from cardwatch.casebook import UnitOfWork


@dataclass(frozen=True)
class ServiceContext:
    """The context of a service call: casebook, actor and time, with a time zone."""

    casebook: Casebook
    actor: Actor
    now: dt.datetime

    @property
    def chains(self) -> tuple[str, ...]:
        """The audit chains that the actor may read."""
        return LANES if self.actor.role == PSD else (FINANCE,)

    def work(
        self, event: AuditEvent, lanes: tuple[str, ...] | None = None
    ) -> AbstractContextManager[UnitOfWork]:
        """Begin a piece of work; see `Casebook.work`."""
        return self.casebook.work(self.actor, event, self.now, lanes=lanes)

    def snapshot(self, lanes: tuple[str, ...] | None = None) -> AbstractContextManager[UnitOfWork]:
        """Read as of one moment, without an event; nobody waits for it.

        For what stands around an answer, and for what takes long, once `work` has said that it is
        done: on SQLite others cannot write while a piece of work goes on.

        Args:
            lanes: the lanes it touches; those that the actor sees if not given.
        """
        lanes = self.actor.lanes if lanes is None else lanes
        return self.casebook.unaudited(self.actor, self.now, lanes=lanes, reads=True)

    def allow(self, roles: Sequence[str], refusal: str) -> None:
        """Refuse an actor whose role is not among those allowed; within a piece of work only.

        Raises:
            NotAllowed: the role is another.
        """
        if self.actor.role not in roles:
            raise NotAllowed(f"Your role cannot {refusal}.")

    def require_alert_access(self) -> None:
        """Refuse an actor who sees no alerts; within a piece of work only.

        Raises:
            NotAllowed: they see none.
        """
        if not self.actor.lanes:
            raise NotAllowed("Your role cannot see alerts.")

    def require_lane(self, lane: str) -> None:
        """Refuse an actor who does not see a lane; within a piece of work only.

        Raises:
            NotAllowed: they do not.
        """
        if lane not in self.actor.lanes:
            raise NotAllowed("Your role cannot see this list.")
