"""Reads the organisation's registers and matches transactions to them."""

from cardwatch.registers.cards import MESSAGES, read_cards
from cardwatch.registers.matching import cards_in_force, match_cards

__all__ = ["MESSAGES", "cards_in_force", "match_cards", "read_cards"]
