"""Replaces the keys of the installation: each step can end at any point, and is taken up again."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, TypedDict

from cryptography.fernet import Fernet

from cardwatch import installation, key_files
from cardwatch.casebook.checkpoints import public_text
from cardwatch.casebook.key_checks import forget_keys
from cardwatch.casebook.unit_of_work import as_text
from cardwatch.errors import CardwatchError
from cardwatch.installation import CARD_KEY, KEYS_NEEDED, SEAL_KEY, SIGNING_KEY, home
from cardwatch.quantities import quantity
from cardwatch.services import rekeying

if TYPE_CHECKING:
    from cardwatch.casebook import Casebook

KEY_FILES = {"card": CARD_KEY, "seal": SEAL_KEY, "signing": SIGNING_KEY}
"""The files of the keys that are replaced by themselves, by name."""
USES = {
    "card": "hashes of card numbers",
    "seal": "seeds of authenticator apps, webhook secrets, uploads that wait",
    "signing": "signatures of checkpoints, packs and aggregates",
    "organisation": "seals of rows, ids and pseudonyms",
}
WAIT = dt.timedelta(minutes=15)
"""For how long an older key of the seal is kept at least: a request under way may use it, and a
sign-in at a provider takes ten minutes at most."""


class KeyRow(TypedDict):
    """A key of the installation, as it is listed.

    Attributes:
        organisation_id: whose it is; empty for keys of the installation.
        made_at: when it was made.
        age_days: whole days since.
        older: how many keys that it has replaced are still kept.
    """

    name: str
    organisation_id: str
    use: str
    made_at: str
    age_days: int
    older: int


def list_keys(casebook: Casebook, now: dt.datetime) -> list[KeyRow]:
    """Return the keys of the installation, without any of them.

    Raises:
        CardwatchError: a file of keys cannot be read.
    """
    rows = []
    for name, file in KEY_FILES.items():
        path = home() / file
        if path.exists():
            older = len(key_files.read_older(path))
            rows.append(_row(name, "", key_files.made_at(path), older, now))
    for organisation in casebook.organisations():
        owner = organisation["organisation_id"]
        made_at = rekeying.secret_replaced_at(casebook, owner) or organisation["made_at"]
        rows.append(_row("organisation", owner, made_at, 0, now))
    return rows


def _row(name: str, owner: str, made_at: str, older: int, now: dt.datetime) -> KeyRow:
    age = now - dt.datetime.fromisoformat(made_at)
    return {"name": name, "organisation_id": owner, "use": USES[name], "made_at": made_at,
            "age_days": max(age.days, 0), "older": older}  # fmt: skip


def rotate(casebook: Casebook, name: str, now: dt.datetime) -> list[str]:
    """Replace one of `KEY_FILES`, and do what `finish` does; return what it says.

    Raises:
        CardwatchError: there is none yet, statements wait to be scored, the key's last replacement
            is not finished, or it cannot be kept.
    """
    path = home() / KEY_FILES[name]
    if not path.exists():
        raise CardwatchError(f"There is no {path.name} to be replaced. It is made at first use.")
    if faults := installation.check_keys(casebook):
        raise CardwatchError(" ".join(faults))
    if name == "seal" and key_files.read_older(path):
        raise CardwatchError(
            "The key was replaced before, and that is not finished. Use 'cardwatch secrets finish'."
        )
    if name == "card":
        rekeying.check_nothing_waits(casebook)
    new, retained = _new_key(name), path.read_bytes()
    if name == "signing":
        retained = public_text(installation.signing_key().public_key()).encode()
    rekeying.record_key_event(casebook, "alteration", name, now)
    key_files.replace_key(path, new, retained, as_text(now))
    return finish(casebook, now)


def _new_key(name: str) -> bytes:
    """A new key, as its file holds it."""
    if name == "card":
        return secrets.token_bytes(32)
    return Fernet.generate_key() if name == "seal" else installation.new_signing_pem()


def finish(casebook: Casebook, now: dt.datetime) -> list[str]:
    """Take up what a replacement has left, and destroy older keys that nothing needs.

    Returns:
        What was done and what is still needed, in sentences.

    Raises:
        CardwatchError: a file of keys cannot be read or written.
    """
    installation.note_keys(casebook)
    sentences = []
    if key_files.read_older(home() / SIGNING_KEY):
        key_files.keep_counts(home() / SIGNING_KEY, rekeying.chain_sizes(casebook))
    if key_files.read_older(home() / SEAL_KEY):
        sentences += _finish_seal(casebook, now)
    if key_files.read_older(home() / CARD_KEY):
        key_files.keep_counts(home() / CARD_KEY, rekeying.card_counts(casebook))
        sentences += _finish_card(casebook, now)
    return sentences


def _finish_seal(casebook: Casebook, now: dt.datetime) -> list[str]:
    """Seal anew what the older keys sealed, and destroy these once they have rested."""
    count, unopened = rekeying.seal_anew(casebook, installation.seal_keys(), now)
    sentences = [f"{quantity(count, 'value')} sealed with the new key."]
    if unopened:
        sentences.append(
            f"{quantity(unopened, 'value')} that no key opens: invite people again, and set the "
            "webhook again."
        )
    older = key_files.read_older(home() / SEAL_KEY)
    until = max(dt.datetime.fromisoformat(key.replaced_at) for key in older) + WAIT
    if now < until:
        sentences.append(
            f"The old key is kept until {until:%H:%M} UTC, for requests under way. Use 'cardwatch "
            "secrets finish' after that."
        )
        return sentences
    _destroy(casebook, "seal", older, now)
    return [*sentences, "The old key is destroyed."]


def _finish_card(casebook: Casebook, now: dt.datetime) -> list[str]:
    """Destroy the older keys under whose hashes no card is known any more."""
    older = key_files.read_older(home() / CARD_KEY)
    needless = [key for key in older if not rekeying.needs_card_key(casebook, key.counts or {})]
    sentences = []
    if needless:
        _destroy(casebook, "card", needless, now)
        sentences.append(f"{quantity(len(needless), 'old card key')} destroyed.")
    if len(needless) < len(older):
        sentences.append(
            "Cards that were known before keep their hashes, so their old key is kept until the "
            "last of those payments is erased."
        )
    return sentences


def _destroy(
    casebook: Casebook,
    name: str,
    keys: list[key_files.OlderKey] | tuple[key_files.OlderKey, ...],
    now: dt.datetime,
) -> None:
    """Destroy older keys of a file: the casebook first forgets that it needs them."""
    path = home() / KEY_FILES[name]
    assert path.name in KEYS_NEEDED
    rekeying.record_key_event(casebook, "erasure", name, now)
    forget_keys(casebook, [installation.fingerprint(path.name, key.content) for key in keys])
    key_files.write_older(path, [key for key in key_files.read_older(path) if key not in keys])
