"""Reads the organisation's own registers and says what each transaction finds in them."""

from cardwatch.registers.cards import MESSAGES, read_cards
from cardwatch.registers.matching import cards_in_force, match_cards

__all__ = ["MESSAGES", "cards_in_force", "match_cards", "read_cards"]
