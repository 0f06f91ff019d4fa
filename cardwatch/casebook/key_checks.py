"""Which keys of the installation a casebook needs: a fingerprint of each, never a key."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.tables import key_checks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cardwatch.casebook.database import Casebook
    from cardwatch.casebook.unit_of_work import Actor, UnitOfWork

_NOW = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""No moment is kept with a fingerprint."""


def needed_keys(casebook: Casebook) -> dict[str, set[str]]:
    """Return the fingerprints of the keys that a casebook was written with, by file name."""
    fingerprints: dict[str, set[str]] = {}
    for actor in casebook.system_actors():
        for name, needed in _needed(casebook, actor).items():
            fingerprints.setdefault(name, set()).update(needed)
    return fingerprints


def _needed(casebook: Casebook, actor: Actor) -> dict[str, set[str]]:
    """The fingerprints that an organisation's rows need, by file name."""
    with casebook.unaudited(actor, _NOW, reads=True) as uow:
        return _needed_in(uow)


def _needed_in(uow: UnitOfWork) -> dict[str, set[str]]:
    fingerprints: dict[str, set[str]] = {}
    for row in uow.fetch_all(sa.select(key_checks).where(uow.scope(key_checks))):
        fingerprints.setdefault(row["name"], set()).add(row["fingerprint"])
    return fingerprints


def note_keys(casebook: Casebook, fingerprints: Mapping[str, Collection[str]]) -> None:
    """Keep the fingerprints of keys: of a file that none is kept of yet, or that continues one."""
    for actor in casebook.system_actors():
        if _missing(_needed(casebook, actor), fingerprints):
            with casebook.unaudited(actor, _NOW) as uow:
                uow.lock("key-checks")  # of processes that begin together one keeps them
                uow.insert(key_checks, _missing(_needed_in(uow), fingerprints))


def _missing(
    needed: Mapping[str, set[str]], fingerprints: Mapping[str, Collection[str]]
) -> list[dict[str, str]]:
    """The rows of fingerprints that are to be kept and are not."""
    return [
        {"name": name, "fingerprint": fingerprint}
        for name, present in fingerprints.items()
        if name not in needed or needed[name] & set(present)
        for fingerprint in set(present) - needed.get(name, set())
    ]


def forget_keys(casebook: Casebook, fingerprints: Collection[str] | None = None) -> None:
    """Forget the fingerprints of keys that are needed no more; without any, of all that are lost.

    Args:
        casebook: that was written with them.
        fingerprints: of the keys.
    """
    which = sa.true() if fingerprints is None else key_checks.c.fingerprint.in_(fingerprints)
    for actor in casebook.system_actors():
        with casebook.unaudited(actor, _NOW) as uow:
            uow.delete(key_checks, which)
