"""Alerts as JSON: everything that is known of them, in a fixed order, byte for byte the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cardwatch.alerts import alert_content

if TYPE_CHECKING:
    from cardwatch.records import AlertList, Statements
    from cardwatch.reports.handover import ExportCover


def as_json(
    lists: dict[str, AlertList], statements: Statements, handed: ExportCover | None = None
) -> str:
    """Return the lists and the reading reports as JSON text, and what is said of a hand-over."""
    content: dict[str, Any] = {
        "lists": lists_content(lists),
        "reading": {
            "files": [
                asdict(report) | {"reconciles": report.reconciles} for report in statements.reports
            ],
            "notes": statements.notes,
        },
    }
    if handed:
        content |= {"handed_over": handed.said, "cases": handed.cases}
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def lists_content(lists: dict[str, AlertList]) -> dict[str, dict[str, Any]]:
    """Return lists of alerts as JSON writes them, by lane."""
    return {
        lane: asdict(alert_list) | {"alerts": [alert_content(alert) for alert in alert_list.alerts]}
        for lane, alert_list in lists.items()
    }
