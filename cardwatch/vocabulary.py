"""Shared vocabulary: kinds and states as enumerations."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal


class SubjectKind(StrEnum):
    """How a person or merchant belongs to an alert."""

    HOLDER = "holder"
    """A cardholder whose payments or cards it asks about."""
    APPROVER = "approver"
    """An approver it asks about, where it is about what they approve."""
    APPROVER_OF_HOLDER = "approver-of-holder"
    """An approver of one of its cardholders; not asked about, and may not see it."""
    NAMED_IN_ENTRY = "named-in-entry"
    """Somebody whom an entry of a register names that it rests on; may not see it."""
    MERCHANT = "merchant"
    """A merchant, by the name under which its spellings are compared."""
    COST_CENTRE = "cost-centre"
    """The unit that bears the cost, by its code."""


ASKED_ABOUT = (SubjectKind.HOLDER, SubjectKind.APPROVER)
"""Kinds of the people an alert asks about."""
PERSON_KINDS = (*ASKED_ABOUT, SubjectKind.APPROVER_OF_HOLDER, SubjectKind.NAMED_IN_ENTRY)
"""Kinds of the people who may not see an alert."""


Lane = Literal["finance", "psd"]
LANES: tuple[Lane, ...] = ("finance", "psd")
Role = Literal["finance", "auditor", "psd", "admin"]
GroupRole = Literal["", "finance", "auditor", "admin"]
"""The role that a group of an identity provider gives; none if empty."""
DecidedState = Literal["open", "asked", "explained", "policy-breach", "confirmed", "data-error"]
"""Decisions of a person on an alert."""
State = Literal[DecidedState, "suppressed", "answered-before", "not-asked"]
CaseState = Literal["open", "closed"]
CaseOutcome = Literal[
    "no-further-action", "management-action", "misconduct-proceedings", "criminal-investigation",
    "passed-on",
]  # fmt: skip
ComplaintKind = Literal["complaint", "objection"]
ROLE_TITLES = {
    "finance": "Finance",
    "auditor": "Auditor",
    "psd": "Professional standards",
    "admin": "Administrator",
}
"""Title of each role on pages."""


SECOND_PERSON: Final = "second-person"
"""Outcome of an upload that waits for another person, and of which nothing is kept until then."""
RegisterOutcome = Literal["received", "held", "second-person"]
"""Outcomes of uploading a register: held is the same file again."""
StatementOutcome = Literal["received", "held", "rows-held", "second-person"]
"""Outcomes of uploading a statement: of one that is rows-held another file has the rows."""


class QuotaKind(StrEnum):
    """Kinds of use that are limited for one person in a day, with all their keys."""

    REQUESTS = "requests"
    """In each process."""
    UPLOADS = "uploads"
    UPLOAD_MIB = "upload-mib"
    EXPORTS = "exports"


UNANSWERED = ("open", "asked")
"""States of an alert that awaits an answer."""
AUTOMATIC = ("suppressed", "answered-before", "not-asked")
"""States of an alert that was closed automatically, without a query."""
UPHELD = ("policy-breach", "confirmed")
"""Answers that uphold an alert."""
ANSWERED = (*UPHELD, "explained")
"""Answers that count for or against a rule; where the data was wrong, it is neither."""
CLOSED_BY_PERSON = (*ANSWERED, "data-error")
"""States in which a person closes an alert."""


RAISED_BY_HAND = "raised-by-hand"
"""The rule of an alert that a person raised: no figure about rules counts it."""
BY_HAND_KIND = "by-hand"
KIND_TITLES = {
    "split": "Split purchase", "limit": "Over a limit", "repeat": "Repeated payment",
    "merchant": "Merchant", "amount": "Amount", "spend": "Spending over time", "card": "Card",
    "timing": "Day or time", "pattern": "Unusual pattern", "contract": "Contract or company",
    "relation": "Declared relation", "approval": "Approval", BY_HAND_KIND: "Raised by hand",
}  # fmt: skip
"""Titles of the kinds of rules."""
TIER_TITLES = {"A": "A: against policy", "B": "B: unusual", "C": "C: information"}
"""Titles of the tiers of alerts."""


class CaseEntryKind(StrEnum):
    """Kinds of entries in a case of professional standards."""

    OPENED = "opened"
    CHANGED = "changed"
    """Its title or owner."""
    ALERT_ADDED = "alert-added"
    ALERT_REMOVED = "alert-removed"
    NOTE = "note"
    ATTACHMENT = "attachment"
    ATTACHMENT_REMOVED = "attachment-removed"
    EXPORTED = "exported"
    CLOSED = "closed"
    REOPENED = "reopened"


CASE_OUTCOMES: dict[str, str] = {
    "no-further-action": "No further action",
    "management-action": "Reflective practice or other management action",
    "misconduct-proceedings": "Misconduct proceedings",
    "criminal-investigation": "Criminal investigation",
    "passed-on": "Passed to another body",
}
"""With what a case of professional standards is closed."""


class ApprovalKind(StrEnum):
    """Kinds of actions that need two people."""

    MEMBERSHIP = "membership"
    """Giving somebody the role of professional standards, or ending it."""
    CARDHOLDER = "cardholder"
    """Stating who somebody of professional standards is in statements."""
    NAMES = "names"
    """Seeing by name whom the alerts of a whole case are about."""
    EXPORT = "export"
    """An export of professional standards."""
    RETENTION = "retention"
    """A shorter retention period."""
    ERASURE = "erasure"
    """Deleting expired data by hand."""
    REGISTER = "register"
    """A version of a register that leaves out or changes entries, or makes two people one."""


class ApprovalState(StrEnum):
    """The state of a request for an approval."""

    OPEN = "open"
    AGREED = "agreed"
    REFUSED = "refused"
    USED = "used"
    """The act was done; the approval lets nothing more be done."""
