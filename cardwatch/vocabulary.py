"""The words that packages share: kinds and states as enumerations."""

from __future__ import annotations

from enum import StrEnum


class SubjectKind(StrEnum):
    """How a person or merchant belongs to an alert."""

    HOLDER = "holder"
    """A cardholder whose payments or cards it asks about."""
    APPROVER = "approver"
    """An approver it asks about, where it is about what they approve."""
    APPROVER_OF_HOLDER = "approver-of-holder"
    """Who approves what one of its cardholders pays; not asked about, and may not see it."""
    MERCHANT = "merchant"
    """A merchant, by the name under which its spellings are compared."""
