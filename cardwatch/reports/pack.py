"""Evidence packs: an export in one file, with a signed manifest.

The manifest names the hash of each file, who handed it over, to whom and why, and how far the audit
chain had come; it is signed (Ed25519, RFC 8032), so that whoever has the public key finds a change.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature

from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PACK = ".zip"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MAX_PACK_BYTES = 256 * 1024 * 1024
"""The largest pack that is checked, unpacked."""
ZIP_TIMESTAMP = (2000, 1, 1, 0, 0, 0)
"""The time of every file in a pack: the same content gives the same bytes."""


def pack_of(files: Mapping[str, bytes], facts: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """Return some files as a pack.

    Args:
        files: each by its name.
        facts: what the manifest says besides their hashes.
        key: signs the manifest.
    """
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    text = json.dumps({**facts, "files": hashes}, ensure_ascii=False, indent=2, sort_keys=True)
    manifest = (text + "\n").encode()
    signed = {MANIFEST: manifest, SIGNATURE: key.sign(manifest).hex().encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in {**files, **signed}.items():
            pack.writestr(zipfile.ZipInfo(name, ZIP_TIMESTAMP), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def check_pack(path: Path, *keys: Ed25519PublicKey) -> dict[str, Any]:
    """Return the manifest of a pack, once its signature and the hash of every file are right.

    Args:
        path: of the pack.
        *keys: one of them has to have signed it.

    Raises:
        CardwatchError: the file is no pack, or something in it is not as it was signed.
    """
    try:
        with zipfile.ZipFile(path) as pack:
            if sum(member.file_size for member in pack.infolist()) > MAX_PACK_BYTES:
                raise CardwatchError(f"{path.name} is too large for an evidence pack.")
            files = {member.filename: pack.read(member) for member in pack.infolist()}
        manifest = files.pop(MANIFEST)
        _check_signature(bytes.fromhex(files.pop(SIGNATURE).decode()), manifest, keys)
        facts: dict[str, Any] = json.loads(manifest)
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        wrong = sorted(name for name, _ in hashes.items() ^ facts["files"].items())
    except OSError as error:
        raise CardwatchError(f"{path.name} cannot be opened: {error.strerror}.") from error
    except (InvalidSignature, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise CardwatchError(f"{path.name} is not as this installation signed it.") from error
    if wrong:
        raise CardwatchError(f"{path.name}: {wrong[0]} is not as it was signed.")
    return facts


def _check_signature(signature: bytes, manifest: bytes, keys: Sequence[Ed25519PublicKey]) -> None:
    """Refuse a signature that is of none of some keys.

    Raises:
        InvalidSignature: it is of none.
    """
    for key in keys:
        with suppress(InvalidSignature):
            return key.verify(signature, manifest)
    raise InvalidSignature
