"""Alerts about chief officers go to the authority that the policy in force names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import authority
from cardwatch.casebook.alerts import get_alert
from cardwatch.errors import CardwatchError
from cardwatch.services.scoring_inputs import active_settings

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.alerts import DecisionInput
    from cardwatch.policy import ChiefOfficers


def chief_officers(uow: UnitOfWork) -> ChiefOfficers:
    """Return whom the policy of today counts as chief officers, and the authority it names."""
    return active_settings(uow).policy.chief_officers


def authorities(uow: UnitOfWork, alert_ids: Collection[str]) -> dict[str, str]:
    """Return the authority to which alerts go, by id; without those that go to none."""
    officers = chief_officers(uow)
    return dict.fromkeys(authority.for_authority(uow, officers, alert_ids), officers.authority)


def check_decision(uow: UnitOfWork, alert_id: str, decision: DecisionInput) -> None:
    """Refuse what only the authority may record on an alert; see `check_authority`.

    Raises:
        NotFound: there is no such alert that the actor may see.
    """
    alert = get_alert(uow, alert_id)
    decides = decision.state not in {"", alert["state"]}
    decides |= decision.snoozed_until not in {None, alert["snoozed_until"]}
    decides |= decision.recovered_pence not in {None, alert["recovered_pence"]}
    check_alerts(
        uow, [alert["alert_id"]], decides=decides,
        given_to=(decision.assigned_to or "", "assigned_to"),
    )  # fmt: skip


def check_alerts(
    uow: UnitOfWork,
    alert_ids: Collection[str],
    *,
    decides: bool = False,
    given_to: tuple[str, str] = ("", ""),
) -> None:
    """Refuse what only the authority may do with some alerts; see `check_authority`."""
    authority.check_authority(
        uow, chief_officers(uow), alert_ids, decides=decides, given_to=given_to
    )


def check_recipient(uow: UnitOfWork, alert_ids: Collection[str], recipient: str) -> None:
    """Refuse an export with an alert about a chief officer that is not addressed to the authority.

    Raises:
        CardwatchError: it is addressed to somebody else.
    """
    names = set(authorities(uow, alert_ids).values())
    if names and recipient.strip() not in names:
        sentence = (
            "This has an alert about a chief officer or their office. "
            f"Address it to {', '.join(names)}, or leave that alert out."
        )
        raise CardwatchError(sentence, field="recipient")
