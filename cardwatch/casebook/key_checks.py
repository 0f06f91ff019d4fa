"""Which keys of the installation a casebook needs: a fingerprint of each, never a key."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.tables import key_checks
from cardwatch.casebook.unit_of_work import SYSTEM, Actor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook.database import Casebook

_NOW = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""No moment is kept with a fingerprint."""


def needed_keys(casebook: Casebook) -> dict[str, str]:
    """Return the fingerprints of the keys that a casebook was written with, by file name."""
    fingerprints: dict[str, str] = {}
    for row in casebook.organisations():
        actor = Actor(row["organisation_id"], SYSTEM, "admin")
        with casebook.unaudited(actor, _NOW, reads=True) as uow:
            rows = uow.fetch_all(sa.select(key_checks).where(uow.scope(key_checks)))
        fingerprints |= {key_check["name"]: key_check["fingerprint"] for key_check in rows}
    return fingerprints


def note_keys(casebook: Casebook, fingerprints: Mapping[str, str]) -> None:
    """Keep the fingerprints of keys that a casebook has none of yet."""
    for row in casebook.organisations():
        actor = Actor(row["organisation_id"], SYSTEM, "admin")
        with casebook.unaudited(actor, _NOW, reads=True) as uow:
            known_names = {key_check["name"] for key_check in uow.fetch_all(
                sa.select(key_checks.c.name).where(uow.scope(key_checks)))}  # fmt: skip
        new = [
            {"name": name, "fingerprint": fingerprint}
            for name, fingerprint in fingerprints.items()
            if name not in known_names
        ]
        if new:
            with casebook.unaudited(actor, _NOW) as uow:
                uow.insert(key_checks, new)


def forget_keys(casebook: Casebook) -> None:
    """Forget the fingerprints of the keys that a casebook was written with: they are lost."""
    for row in casebook.organisations():
        actor = Actor(row["organisation_id"], SYSTEM, "admin")
        with casebook.unaudited(actor, _NOW) as uow:
            uow.delete(key_checks, sa.true())
