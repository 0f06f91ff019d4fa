"""Line items of a payment (level 3): bounded, kept as JSON text, and worded for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cardwatch.quantities import money, quantity
from cardwatch.records import LineItem

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ITEMS = 50
"""A payment keeps no more line items than this; a further one says how many there were."""
LONGEST_DESCRIPTION = 120


def write_line_items(items: Sequence[LineItem]) -> str:
    """Return line items as they are kept, within the bounds; empty where there are none."""
    listed = [item for item in items if item.description or item.amount_pence is not None]
    if not listed:
        return ""
    bounded = [
        [item.description[:LONGEST_DESCRIPTION], item.amount_pence, item.vat_pence]
        for item in listed[:MOST_ITEMS]
    ]
    if more := len(listed) - MOST_ITEMS:
        bounded += [[f"{quantity(more, 'further item')}", None, None]] if more > 0 else []
    return json.dumps(bounded, ensure_ascii=False, separators=(",", ":"))


def read_line_items(text: str) -> tuple[LineItem, ...]:
    """Return line items from the text that they are kept as."""
    return tuple(LineItem(*fields) for fields in json.loads(text)) if text else ()


def line_item_label(item: LineItem) -> str:
    """Return a line item in words: `Toner, £240.00, VAT £40.00`."""
    amounts = [("", item.amount_pence), ("VAT ", item.vat_pence)]
    parts = [f"{name}{money(pence)}" for name, pence in amounts if pence is not None]
    return ", ".join(filter(None, (item.description, *parts)))
