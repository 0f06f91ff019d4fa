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
class ExportCover:
    """The cover of an export.

    Attributes:
        marking: protective marking.
        made_by, made_at: who hands it over, and when.
        checkpoint: how far the audit chain had come, as a signed note; empty where whoever hands
            over holds a card.
        cases: what is kept of each alert of a case: its state, decisions, other payments of its
            days, other alerts of its holder or merchant, and who has seen it.
        is_selection: whether it holds the alerts that fit some filters, in place of a whole list.
    """

    marking: str
    organisation: str
    purpose: str
    recipient: str
    made_by: str
    made_at: str
    checkpoint: str
    cases: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    is_selection: bool = False

    @property
    def said(self) -> dict[str, str]:
        """Its description, without its alerts."""
        apart = {"cases", "is_selection"}
        return {
            attribute.name: getattr(self, attribute.name)
            for attribute in fields(self)
            if attribute.name not in apart
        }

    @property
    def is_part(self) -> bool:
        """Whether it holds some alerts of a list: a case, or those that fit some filters."""
        return bool(self.cases) or self.is_selection
