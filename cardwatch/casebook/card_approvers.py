"""Who approves whose card, as the casebook itself reads it from the card register in force."""

from __future__ import annotations

import io
from collections import defaultdict
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import documents
from cardwatch.errors import Conflict, NotFound
from cardwatch.registers import approvers_by_holder, person_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook.unit_of_work import UnitOfWork

MOST_REGISTERS = 32
DAMAGED = (
    "The card register in use is damaged, so whose cards you approve is not known. Nothing is "
    "shown to you that could be about them until the card register is uploaded again."
)
_read: dict[str, dict[str, frozenset[str]]] = {}
"""By the hash of a card register, what it says."""


def holders_by_approver(uow: UnitOfWork) -> Mapping[str, frozenset[str]]:
    """Return the cardholders whose card each approver approves, by the key of the approver.

    Nobody approves anything without a card register.

    Raises:
        Conflict: what is stored of it is damaged.
    """
    sha256 = documents.active_sha256(uow, "cards", uow.today)
    if not sha256:
        return {}
    if sha256 not in _read:
        try:
            content = documents.read_document(uow, sha256)
        except NotFound:
            raise Conflict(DAMAGED) from None
        if len(_read) >= MOST_REGISTERS:
            _read.clear()
        _read[sha256] = _inverted(content)
    return _read[sha256]


def _inverted(content: bytes) -> dict[str, frozenset[str]]:
    """Return what a card register that is kept says, by approver."""
    table = io.BytesIO(documents.unpack(content)["cards.parquet"])
    cards = pd.read_parquet(table, columns=["holder_id", "approver_id"])
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for holder, approvers in approvers_by_holder(cards).items():
        for approver in approvers:
            holders[person_key(approver)].add(holder)
    return {approver: frozenset(names) for approver, names in holders.items()}
