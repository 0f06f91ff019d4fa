"""The installation: its folder with keys and column profiles, and its casebook's address."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardwatch.errors import CardwatchError, CasebookBusy, NotFound
from cardwatch.key_files import OLDER, read_older

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.casebook import Casebook
    from cardwatch.casebook.checkpoints import InstallationKeys
    from cardwatch.statements import Profile


CARD_KEY, SEAL_KEY, SIGNING_KEY = "card.key", "seal.key", "signing.key"
KEYS_NEEDED = {
    CARD_KEY: "cards lose their past",
    SEAL_KEY: "nobody can sign in with a code, and no webhook is sent",
}
"""Keys that data hangs on, by file, and what is lost without each."""
MARKING = "OFFICIAL - SENSITIVE"
"""Protective marking of pages and of what is handed over, where `CARDWATCH_MARKING` says none."""


def marking() -> str:
    """Return the protective marking of what is handed over: `CARDWATCH_MARKING`, or `MARKING`."""
    return os.environ.get("CARDWATCH_MARKING") or MARKING


def home() -> Path:
    """Return the folder: `CARDWATCH_HOME`, else `.cardwatch` in the user's own."""
    return Path(os.environ.get("CARDWATCH_HOME") or Path.home() / ".cardwatch")


def card_key(casebook: Casebook | None = None, folder: Path | None = None) -> bytes:
    """Return this installation's secret for card numbers, made at first use, for its owner only.

    Args:
        casebook: of this installation, if it is open. A card that it knows by the hash of an older
            secret keeps that hash.
        folder: that the secret is kept in, where it is not `home`; so for each key.

    Raises:
        CardwatchError: it cannot be kept, or what is kept is no key.
    """
    key, *older = card_secrets(folder)
    if not older:
        return key
    from cardwatch.services.rekeying import known_cards
    from cardwatch.statements.cells import CardKey

    opened = casebook or open_casebook()
    try:
        return CardKey(key, reversed(older), known_cards(opened) if opened else ())
    finally:
        if opened and opened is not casebook:
            opened.close()


def card_secrets(folder: Path | None = None) -> list[bytes]:
    """Return the secrets for card numbers, the newest first; see `card_key`.

    Raises:
        CardwatchError: they cannot be kept, or what is kept is no key.
    """
    path = (folder or home()) / CARD_KEY
    key = _kept(path, secrets.token_bytes(32))
    if len(key) < 32:
        raise CardwatchError(
            f"{path} is not a card key. Restore it, or remove it to create a new one."
        )
    return [key, *(older.content for older in reversed(read_older(path)))]


def _kept(path: Path, new: bytes) -> bytes:
    """Return what a file of ours holds; new bytes if it is missing yet, for its owner only.

    Raises:
        CardwatchError: it cannot be kept, or the casebook was written with another.
    """
    try:
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _check_not_needed(path.name)
        if not path.exists():  # made whole under another name, so that nobody sees half of it
            with tempfile.NamedTemporaryFile(dir=home()) as temporary:
                temporary.write(new)
                temporary.flush()
                with suppress(FileExistsError):
                    os.link(temporary.name, path)
        return path.read_bytes()
    except OSError as error:
        why = f"{path.name} cannot be kept in {home()}: {error.strerror}."
        raise CardwatchError(why) from error


def _check_not_needed(name: str) -> None:
    """Refuse to make a key beside a casebook that was written with another one.

    Raises:
        CardwatchError: it was.
    """
    if name not in KEYS_NEEDED:
        return
    casebook = open_casebook()
    if casebook is None:
        return
    faults = check_keys(casebook)
    casebook.close()
    for fault in faults:
        if fault.startswith(name):
            raise CardwatchError(fault)


def fingerprints() -> dict[str, list[str]]:
    """Return a fingerprint of each key that is there and data hangs on, the newest of a file first.

    Raises:
        CardwatchError: older keys cannot be read.
    """
    digests = {}
    for name in KEYS_NEEDED:
        path = home() / name
        if path.exists():
            older = (key.content for key in reversed(read_older(path)))
            digests[name] = [fingerprint(name, key) for key in (path.read_bytes(), *older)]
    return digests


def needed_files() -> list[str]:
    """Return the files of keys, in `home`, that a copy of the casebook has to go with."""
    files = []
    for name, keys in fingerprints().items():
        files += [name, f"{name}{OLDER}"] if len(keys) > 1 else [name]
    return files


def fingerprint(name: str, key: bytes) -> str:
    """Return what tells a key from others of its file, and does not tell the key."""
    return hashlib.sha256(f"cardwatch key\n{name}\n".encode() + key).hexdigest()[:16]


def check_keys(casebook: Casebook) -> list[str]:
    """Return what cannot be opened or continued here for want of the right keys, in sentences.

    Raises:
        CardwatchError: older keys cannot be read.
    """
    from cardwatch.casebook.key_checks import needed_keys

    present, faults = fingerprints(), []
    for name, needed in sorted(needed_keys(casebook).items()):
        missing = needed - set(present.get(name, ()))
        if name not in present:
            fault = f"{name} is not in {home()}"
        elif missing == needed:
            fault = f"{name} in {home()} is another key than the casebook was written with"
        elif missing:
            fault = f"{name} or {name}{OLDER} in {home()} lacks a key that the casebook needs"
        else:
            continue
        faults.append(f"{fault}: without it {KEYS_NEEDED[name]}. Restore it from its copy.")
    return faults


def note_keys(casebook: Casebook) -> None:
    """Keep in the casebook which keys it is written with: a fingerprint of each."""
    from cardwatch.casebook import key_checks

    with suppress(CasebookBusy):
        key_checks.note_keys(casebook, fingerprints())


def seal(folder: Path | None = None) -> MultiFernet:
    """Return this installation's seal for what the database must not hold readable.

    Raises:
        CardwatchError: it cannot be kept, or what is kept is no key.
    """
    from cryptography.fernet import MultiFernet

    return MultiFernet(seal_keys(folder))


def seal_keys(folder: Path | None = None) -> list[Fernet]:
    """Return the keys of the seal: the newest, which seals, and older ones, which open.

    Raises:
        CardwatchError: they cannot be kept, or what is kept is no key.
    """
    from cryptography.fernet import Fernet

    path = (folder or home()) / SEAL_KEY
    try:
        newest = _kept(path, Fernet.generate_key())
        older = (key.content for key in reversed(read_older(path)))
        return [Fernet(key) for key in (newest, *older)]
    except ValueError as error:
        raise CardwatchError(f"{path} is not a key. Restore it.") from error


def open_casebook(*, make: bool = False, busy_seconds: float | None = None) -> Casebook | None:
    """Open the casebook of this installation; nothing if there is none yet and none is to be made.

    Args:
        make: whether to make one.
        busy_seconds: see `Casebook`.

    Raises:
        CardwatchError: it cannot be opened.
    """
    default = home() / "casebook.db"
    url = os.environ.get("CARDWATCH_DATABASE") or f"sqlite:///{default}"
    folder = os.environ.get("CARDWATCH_CHECKPOINTS") or home() / "checkpoints"
    if not make and url == f"sqlite:///{default}" and not default.exists():
        return None
    from cardwatch.casebook import Casebook  # where there is none, a first score loads no database

    return Casebook(url, checkpoints=Path(folder), make=make, busy_seconds=busy_seconds)


def signing_key(folder: Path | None = None) -> Ed25519PrivateKey:
    """Return this installation's key for checkpoints, made at first use, for its owner only.

    Raises:
        CardwatchError: it cannot be kept, or what is kept is no key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = (folder or home()) / SIGNING_KEY
    try:
        key = serialization.load_pem_private_key(_kept(path, new_signing_pem()), None)
    except ValueError as error:
        raise CardwatchError(f"{path} is not a key. Restore it.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CardwatchError(f"{path} is not a signing key. Restore it.")
    return key


def new_signing_pem() -> bytes:
    """Return a new key for checkpoints, as it is kept."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def verifying_keys() -> InstallationKeys:
    """Return the public keys of this installation: of the key that signs, and of older ones.

    Raises:
        CardwatchError: they cannot be read.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    from cardwatch.casebook.checkpoints import InstallationKeys, RetiredKey

    retired = []
    for key in read_older(home() / SIGNING_KEY):
        public: Any = load_pem_public_key(key.content)
        retired.append(RetiredKey(public, key.counts))
    return InstallationKeys(signing_key().public_key(), tuple(retired))


def profiles(chosen_path: Path | None = None) -> tuple[Profile, ...]:
    """Return the column profiles to try: the one given, those remembered, those shipped."""
    from cardwatch.statements import load_profile, shipped_profiles

    local_profiles = [load_profile(chosen_path)] if chosen_path else []
    return (*local_profiles, *remembered_profiles().values(), *shipped_profiles())


def remembered_profiles() -> dict[str, Profile]:
    """Return the column profiles that are remembered, by the id under which each can be removed."""
    from cardwatch.statements import load_profile

    return {path.stem: load_profile(path) for path in sorted((home() / "columns").glob("*.toml"))}


def forget_profile(name: str) -> None:
    """Remove a column profile that is remembered.

    Raises:
        NotFound: there is none of that id.
    """
    if name not in remembered_profiles():
        raise NotFound(
            f"There is no column profile '{name}'. 'cardwatch columns --list' lists them."
        )
    (home() / "columns" / f"{name}.toml").unlink()


def remember_profile(path: Path) -> None:
    """Keep a column profile, so that files with the same headings are read without being told."""
    from cardwatch.statements import load_profile

    folder = home() / "columns"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = path.read_bytes()
    headings = sorted(load_profile(path).recognise)
    name = hashlib.sha256("\n".join(headings).encode() or text).hexdigest()[:12]
    (folder / f"{name}.toml").write_bytes(text)
