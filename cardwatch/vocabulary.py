"""Shared vocabulary: kinds and states as enumerations."""

from __future__ import annotations

from enum import StrEnum


class SubjectKind(StrEnum):
    """How a person or merchant belongs to an alert."""

    HOLDER = "holder"
    """A cardholder whose payments or cards it asks about."""
    APPROVER = "approver"
    """An approver it asks about, where it is about what they approve."""
    APPROVER_OF_HOLDER = "approver-of-holder"
    """An approver of one of its cardholders; not asked about, and may not see it."""
    MERCHANT = "merchant"
    """A merchant, by the name under which its spellings are compared."""


UNANSWERED = ("open", "asked")
"""States of an alert that awaits an answer."""
AUTOMATIC = ("suppressed", "not-asked")
"""States of an alert that was closed automatically, without a query."""
UPHELD = ("policy-breach", "confirmed")
"""Answers that uphold an alert."""
ANSWERED = (*UPHELD, "explained")
"""Answers that count for or against a rule; where the data was wrong, it is neither."""
CLOSED_BY_PERSON = (*ANSWERED, "data-error")
"""States in which a person closes an alert."""
