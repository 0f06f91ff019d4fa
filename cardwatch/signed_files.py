"""Signs content as a JSON file and verifies it (Ed25519, RFC 8032): aggregates and policy packs."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def sign_content(content: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """Return content as the bytes of its file, with the public key and the signature."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    signed = {**content, "public_key": public}
    signature = base64.b64encode(key.sign(_canonical(signed))).decode()
    text = json.dumps(signed | {"signature": signature}, ensure_ascii=False, indent=1)
    return (text + "\n").encode()


def verify_signature(content: dict[str, Any]) -> None:
    """Take the signature out of a file's content, once it is right.

    Raises:
        InvalidSignature: the content was changed after it was signed.
        ValueError, KeyError, TypeError: there is no key or signature of the right form.
    """
    signature = base64.b64decode(content.pop("signature"), validate=True)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(content["public_key"]))
    key.verify(signature, _canonical(content))


def key_fingerprint(public_key: str) -> str:
    """Return the first 16 digits of the hash of a key, by which people confirm it."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]


def _canonical(content: Mapping[str, Any]) -> bytes:
    """Return what is signed: the content in one form whatever the file's spaces."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
