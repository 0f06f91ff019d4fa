"""The installation: its folder with keys and column profiles, and its casebook's address."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.casebook import Casebook
    from cardwatch.statements import Profile


MARKING = "OFFICIAL - SENSITIVE"
"""Protective marking of pages and of what is handed over, where `CARDWATCH_MARKING` says none."""


def home() -> Path:
    """Return the folder: `CARDWATCH_HOME`, else `.cardwatch` in the user's own."""
    return Path(os.environ.get("CARDWATCH_HOME") or Path.home() / ".cardwatch")


def card_key() -> bytes:
    """Return this installation's secret for card numbers, made at first use, for its owner only.

    Raises:
        CardwatchError: it cannot be kept, or what is kept is no key.
    """
    path = home() / "card.key"
    key = _kept(path, secrets.token_bytes(32))
    if len(key) < 32:
        raise CardwatchError(
            f"{path} is not a card key. Restore it, or remove it to create a new one."
        )
    return key


def _kept(path: Path, new: bytes) -> bytes:
    """Return what a file of ours holds; new bytes if it is missing yet, for its owner only.

    Raises:
        CardwatchError: it cannot be kept.
    """
    try:
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():  # made whole under another name, so that nobody sees half of it
            with tempfile.NamedTemporaryFile(dir=home()) as made:
                made.write(new)
                made.flush()
                with suppress(FileExistsError):
                    os.link(made.name, path)
        return path.read_bytes()
    except OSError as error:
        why = f"{path.name} cannot be kept in {home()}: {error.strerror}."
        raise CardwatchError(why) from error


def seal() -> Fernet:
    """Return this installation's seal for what the database must not hold readable.

    Raises:
        CardwatchError: it cannot be kept, or what is kept is no key.
    """
    from cryptography.fernet import Fernet

    path = home() / "seal.key"
    try:
        return Fernet(_kept(path, Fernet.generate_key()))
    except ValueError as error:
        raise CardwatchError(f"{path} is not a key. Restore it.") from error


def open_casebook(*, make: bool = False) -> Casebook | None:
    """Open the casebook of this installation; nothing if there is none yet and none is to be made.

    Raises:
        CardwatchError: it cannot be opened.
    """
    from cardwatch.casebook import Casebook

    default = home() / "casebook.db"
    url = os.environ.get("CARDWATCH_DATABASE") or f"sqlite:///{default}"
    folder = os.environ.get("CARDWATCH_CHECKPOINTS") or home() / "checkpoints"
    if not make and url == f"sqlite:///{default}" and not default.exists():
        return None
    return Casebook(url, checkpoints=Path(folder), make=make)


def signing_key() -> Ed25519PrivateKey:
    """Return this installation's key for checkpoints, made at first use, for its owner only.

    Raises:
        CardwatchError: it cannot be kept, or what is kept is no key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = home() / "signing.key"
    try:
        key = serialization.load_pem_private_key(_kept(path, made), None)
    except ValueError as error:
        raise CardwatchError(f"{path} is not a key. Restore it.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CardwatchError(f"{path} is not a signing key. Restore it.")
    return key


def profiles(given: Path | None = None) -> tuple[Profile, ...]:
    """Return the column profiles to try: the one given, those remembered, those shipped."""
    from cardwatch.statements import load_profile, shipped_profiles

    remembered = sorted((home() / "columns").glob("*.toml"))
    own = [load_profile(path) for path in [*([given] if given else []), *remembered]]
    return (*own, *shipped_profiles())


def remember_profile(path: Path) -> None:
    """Keep a column profile, so that files with the same headings are read without being told."""
    from cardwatch.statements import load_profile

    folder = home() / "columns"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = path.read_bytes()
    headings = sorted(load_profile(path).recognise)
    name = hashlib.sha256("\n".join(headings).encode() or text).hexdigest()[:12]
    (folder / f"{name}.toml").write_bytes(text)
