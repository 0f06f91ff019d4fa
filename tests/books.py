"""What tests of the casebook and the desk share: a moment, and lines of small statements."""

from __future__ import annotations

import datetime as dt

NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
HEADINGS = "Date,Employee ID,Merchant,Amount,Reference"


def month(number: int, count: int = 12, reference: str = "R") -> list[str]:
    """Return an ordinary month of four holders as lines of a statement."""
    return [
        f"2026-{number:02}-{1 + day % 27:02},E{day % 4},SHOP {day % 3},{10 + day}.50,"
        f"{reference}{number}{day}"
        for day in range(count)
    ]


SPLIT = ["2026-10-11,E1,NEW FIRM,900.00,S1", "2026-10-11,E1,NEW FIRM,950.00,S2"]
"""Two payments that pass the assumed limit together."""
