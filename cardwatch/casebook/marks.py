"""Marks: what a row says, sealed with a key that lies outside the database.

Whoever can write in the database and has no key can take rows away, and make none that is done.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def mark_of(seal: MultiFernet, *facts: object) -> str:
    """Return the mark of a row.

    Args:
        seal: of the installation.
        *facts: what the row says, each a JSON value; with them what tells it from any other row.
    """
    return seal.encrypt(_text(facts)).decode()


def is_marked(seal: MultiFernet, mark: str, *facts: object) -> bool:
    """Whether a key of this installation made a mark of a row as it stands; see `mark_of`."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415  the command rarely needs it

    try:
        return hmac.compare_digest(seal.decrypt(mark.encode()), _text(facts))
    except InvalidToken:
        return False


def _text(facts: tuple[object, ...]) -> bytes:
    return json.dumps(facts).encode()
