"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint and tlog-cosignature).

A note is text with signature lines. A checkpoint is a note that says how large a log is and what
its root is. A cosignature is the signature of another party, with the time it was made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cardwatch.errors import CardwatchError

SIGNATURE, COSIGNATURE = 1, 4
"""Kinds of signature, by the byte that goes into the key id."""
MOST_SIGNATURES = 100
KEY_NAME = re.compile(r"[^\s+]{1,200}")
CHECKPOINT = re.compile(r"([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n((?:[^\n]+\n)*)")
SIGNATURE_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")
SIGNING_KEY = re.compile(r"PRIVATE\+KEY\+([^\s+]+)\+[0-9a-f]{8}\+(\S+)")
NOT_A_NOTE = "This is not a signed checkpoint."


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name and kind of signature.

    Its text is `name+key id+key`, as other tools print and read it.
    """

    name: str
    public: Ed25519PublicKey
    kind: int = SIGNATURE

    @property
    def key_id(self) -> bytes:
        """The first four bytes of the hash of name, kind and key."""
        content = self.name.encode() + b"\n" + self._encoded
        return hashlib.sha256(content).digest()[:4]

    @property
    def _encoded(self) -> bytes:
        return bytes([self.kind]) + self.public.public_bytes_raw()

    def __str__(self) -> str:
        """The key as text."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._encoded).decode()}"


@dataclass(frozen=True)
class Note:
    """A signed note.

    Attributes:
        text: what is signed, with the newline at its end.
        signatures: the name of each key, with its key id and signature.
    """

    text: str
    signatures: tuple[tuple[str, bytes], ...]

    def __str__(self) -> str:
        """The note as it is written."""
        lines = [
            f"— {name} {base64.b64encode(value).decode()}\n" for name, value in self.signatures
        ]
        return f"{self.text}\n{''.join(lines)}"

    def is_signed_by(self, key: VerifierKey) -> bool:
        """Whether a key signed it: each signature of that name and key id has to be right."""
        signatures = [
            value[4:]
            for name, value in self.signatures
            if name == key.name and value[:4] == key.key_id
        ]
        return bool(signatures) and all(_is_right(self.text, key, value) for value in signatures)


@dataclass(frozen=True)
class Checkpoint:
    """Content of a checkpoint: the log's name, its number of entries, the root of their tree."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Parse the text of a checkpoint.

    Raises:
        CardwatchError: it is not valid.
    """
    match = CHECKPOINT.fullmatch(text)
    if match is None:
        raise CardwatchError(NOT_A_NOTE)
    return Checkpoint(match[1], int(match[2]), base64.b64decode(match[3]))


def parse_note(text: str) -> Note:
    """Parse one signed note.

    Raises:
        CardwatchError: it is not valid.
    """
    body, separator, rest = text.rpartition("\n\n")
    lines = rest.splitlines()
    matches = [SIGNATURE_LINE.fullmatch(line) for line in lines]
    is_whole = separator and rest.endswith("\n") and 0 < len(lines) <= MOST_SIGNATURES
    if not is_whole or any(ord(character) < ord(" ") for character in text.replace("\n", "")):
        raise CardwatchError(NOT_A_NOTE)
    try:
        signatures = tuple(
            (match[1], base64.b64decode(match[2], validate=True)) for match in matches if match
        )
    except binascii.Error as error:
        raise CardwatchError(NOT_A_NOTE) from error
    if len(signatures) < len(lines) or any(len(value) < 5 for _, value in signatures):
        raise CardwatchError(NOT_A_NOTE)
    return Note(body + "\n", signatures)


def parse_notes(text: str) -> list[Note]:
    """Parse notes of checkpoints that follow each other, with a blank line between them.

    Raises:
        CardwatchError: one of them is none.
    """
    blocks = text.rstrip("\n").split("\n\n")
    if len(blocks) % 2:
        raise CardwatchError(NOT_A_NOTE)
    return [
        parse_note(f"{blocks[place]}\n\n{blocks[place + 1]}\n")
        for place in range(0, len(blocks), 2)
    ]


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> Note:
    """Sign a text as a note."""
    key_id = VerifierKey(name, key.public_key()).key_id
    return Note(text, ((name, key_id + key.sign(text.encode())),))


def cosign_note(note: Note, name: str, key: Ed25519PrivateKey, moment: int) -> Note:
    """Add the cosignature of another party to a checkpoint; `moment` is in seconds since 1970."""
    key_id = VerifierKey(name, key.public_key(), COSIGNATURE).key_id
    signature = key.sign(_cosigned(note.text, moment))
    value = key_id + moment.to_bytes(8, "big") + signature
    return Note(note.text, (*note.signatures, (name, value)))


def _cosigned(text: str, moment: int) -> bytes:
    return f"cosignature/v1\ntime {moment}\n{text}".encode()


def _is_right(text: str, key: VerifierKey, value: bytes) -> bool:
    """Whether a signature, after its key id, is that of a key."""
    signed = text.encode()
    if key.kind == COSIGNATURE:
        signed, value = _cosigned(text, int.from_bytes(value[:8], "big")), value[8:]
    try:
        key.public.verify(value, signed)
    except InvalidSignature:
        return False
    return True


def parse_verifier_keys(text: str) -> list[VerifierKey]:
    """Parse public keys, one a line.

    Raises:
        CardwatchError: there is none, or one is no key.
    """
    keys = [_parse_verifier_key(line.strip()) for line in text.splitlines() if line.strip()]
    if not keys:
        raise CardwatchError("The file of public keys is empty.")
    return keys


def _parse_verifier_key(text: str) -> VerifierKey:
    name, _, rest = text.partition("+")
    encoded = _decoded(rest.partition("+")[2])
    if len(encoded) != 33 or encoded[0] not in {SIGNATURE, COSIGNATURE}:
        raise CardwatchError("This is not a public key such as 'name+1a2b3c4d+A...'.")
    key = VerifierKey(name, Ed25519PublicKey.from_public_bytes(encoded[1:]), encoded[0])
    if str(key) != text:
        raise CardwatchError("The public key is damaged: its key id is not that of the key.")
    return key


def new_signing_key(name: str) -> str:
    """Make a private key for cosigning, as text: with its name, as other tools keep it.

    Raises:
        CardwatchError: the name has a space or plus.
    """
    if not KEY_NAME.fullmatch(name):
        raise CardwatchError("Enter a name without spaces and plus, such as audit.example/witness.")
    key = Ed25519PrivateKey.generate()
    key_id = VerifierKey(name, key.public_key()).key_id.hex()
    encoded = base64.b64encode(bytes([SIGNATURE]) + key.private_bytes_raw()).decode()
    return f"PRIVATE+KEY+{name}+{key_id}+{encoded}\n"


def parse_signing_key(text: str) -> tuple[str, Ed25519PrivateKey]:
    """Parse a private key for cosigning; return its name and the key.

    Raises:
        CardwatchError: it is not valid.
    """
    match = SIGNING_KEY.fullmatch(text.strip())
    encoded = _decoded(match[2]) if match else b""
    if match is None or len(encoded) != 33 or encoded[0] != SIGNATURE:
        raise CardwatchError("This is not a private key of 'cardwatch audit witness-key'.")
    return match[1], Ed25519PrivateKey.from_private_bytes(encoded[1:])


def _decoded(text: str) -> bytes:
    """Decode base64; none where it is not valid."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
