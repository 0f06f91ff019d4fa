"""Takes from text what a terminal obeys: text of others is printed, and never followed."""

from __future__ import annotations

import re

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for the end of a line and a tab, and what turns the direction of text."""


def printable(text: str) -> str:
    """Return text with a mark in place of each character that a terminal obeys."""
    return OBEYED.sub("\N{REPLACEMENT CHARACTER}", text)


def printable_json(text: str) -> str:
    """Return JSON that says the same without a character that a terminal obeys."""
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
