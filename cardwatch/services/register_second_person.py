"""When a version of a register needs two people: an approval, or a second upload of the same file.

What professional standards bring is approved; what finance brings is uploaded by two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent
from cardwatch.casebook.approvals import require_approval
from cardwatch.casebook.import_requests import REQUEST_DAYS, confirm_import, who_confirms
from cardwatch.casebook.register_content import content_sha256, pack_register
from cardwatch.casebook.shared_names import rows_that_share_names
from cardwatch.quantities import quantity
from cardwatch.services.register_changes import ADDED, CHANGED, LEFT_OUT, Comparison, EntryChange
from cardwatch.vocabulary import ApprovalKind

if TYPE_CHECKING:
    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import ApprovalScope
    from cardwatch.records import Register
    from cardwatch.services.register_changes import FoundChange

MOST_IN_NOTES = 20
"""The most entries that somebody is told when a second person is needed."""
CLOSED_COMPANIES = ("dissolved", "debarred")
"""States of a company that sells nothing any more."""
VERBS = {LEFT_OUT: "leaves out", CHANGED: "changes", ADDED: "adds"}


def check_approved(
    uow: UnitOfWork, register: Register, comparison: Comparison, scope: ApprovalScope
) -> None:
    """Refuse a version of professional standards' that two people bring, until it is approved.

    It leaves out or changes entries that are in use, so that no later alert rests on them; or it
    follows another and adds some that are perhaps not so; or it gives people names of others. The
    people register alone is added to by one person.

    Args:
        register: the version.
        comparison: what it does.
        scope: how it is taken: known from when, whether it replaces others, which it follows.

    Raises:
        SecondPersonNeeded: nobody has approved it.
    """
    is_people = register.kind == "people"
    rows = rows_that_share_names(uow, register.entries) if is_people else []
    is_more = bool(scope["follows"] and comparison.added) and not is_people
    if rows or comparison.left_out or comparison.changed or is_more:
        report, content = register.reports[0], pack_register(register)
        scope |= {"register": register.kind, "file": report.file, "sha256": report.sha256}
        scope |= {"content_sha256": content_sha256(content), "rows": rows}
        require_approval(uow, ApprovalKind.REGISTER, scope, content)


def second_upload_needed(
    uow: UnitOfWork, register: Register, comparison: Comparison, scope: ApprovalScope
) -> tuple[str, ...]:
    """Return why a version of finance's needs two people, and what it does; nothing if it does not.

    A contract that is not so, ends later or was known earlier hides what is paid beside it or after
    it; so does a company that is shown as dissolved no more. Both people upload the same file.

    Args:
        register: the version.
        comparison: what it does.
        scope: as of `check_approved`.
    """
    changes = comparison.all_changes()
    if register.kind == "companies":
        changes = [
            found
            for found in comparison.lost()
            if found.old and found.old["status"] in CLOSED_COMPANIES
        ]
    if not changes:
        return ()
    content = content_sha256(pack_register(register))
    choices = (scope["known_from"], str(scope["replaces"]), scope["follows"])
    if confirm_import(uow, register.kind, content, *choices):
        event = AuditEvent("collection", "register", outcome="confirmed")
        uow.tell(event, {uow.actor.chain} - {uow.chain})
        return ()
    shown = comparison.shown(changes[:MOST_IN_NOTES])
    return (_why(uow, register.reports[0].file, changes), *map(_in_words, shown.changes))


def _why(uow: UnitOfWork, file: str, changes: list[FoundChange]) -> str:
    """Return why a version needs two people, with how many entries it does what to."""
    effects = [found.effect for found in changes]
    parts = [
        f"{verb} {quantity(effects.count(effect), 'entry', 'entries')}"
        for effect, verb in VERBS.items()
        if effect in effects
    ]
    does = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return (
        f"A second person is needed: {file} can hide payments from alerts, as it {does}. "
        f"{who_confirms(uow.actor.role)} has to upload the same file with the same choices within "
        f"{REQUEST_DAYS} days."
    )


def _in_words(change: EntryChange) -> str:
    """Return what a version does with one entry, as a sentence."""
    name = ", ".join(dict.fromkeys(filter(None, (change.name, change.subject))))
    if change.effect != CHANGED:
        return f"{change.effect.replace('-', ' ').capitalize()}: {name}"
    fields = "; ".join(
        f"{field.heading} from '{field.before}' to '{field.after}'" for field in change.fields
    )
    return f"Changed: {name}: {fields}"
