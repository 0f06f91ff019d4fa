"""The cover of an export: purpose, recipient and the records of each alert."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

PURPOSES = {
    "finance-assurance": "Finance assurance (UK GDPR)",
    "misconduct": "Misconduct (UK GDPR)",
    "corruption-crime": "Corruption, a crime (Data Protection Act 2018, Part 3)",
}
"""Why a list is handed over, and which law that comes under."""


@dataclass(frozen=True)
class HandOver:
    """The cover of an export.

    Attributes:
        marking: protective marking.
        made_by, made_at: who hands it over, and when.
        checkpoint: how far the audit chain had come, signed: a line of a file of checkpoints.
        cases: what is kept of each alert of a case: its state, decisions, other payments of its
            days, other alerts of its holder or merchant, and who has seen it.
    """

    marking: str
    organisation: str
    purpose: str
    recipient: str
    made_by: str
    made_at: str
    checkpoint: str
    cases: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def said(self) -> dict[str, str]:
        """The cover's facts, without the cases."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "cases"}
