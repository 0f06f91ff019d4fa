"""Alerts as JSON: everything that is known of them, in a fixed order, byte for byte the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardwatch.records import AlertList, Statements


def as_json(lists: dict[str, AlertList], statements: Statements) -> str:
    """Return the lists and the reading reports as JSON text."""
    content = {
        "lists": {lane: asdict(made) for lane, made in lists.items()},
        "reading": {
            "files": [
                asdict(report) | {"reconciles": report.reconciles} for report in statements.reports
            ],
            "notes": statements.notes,
        },
    }
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
