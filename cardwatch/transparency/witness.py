"""A witness: cosigns a log's checkpoints as long as the log only grows (C2SP tlog-witness).

It keeps the size and root of the newest checkpoint that it cosigned of each log, in a file.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.errors import CardwatchError
from cardwatch.transparency.merkle import is_consistent
from cardwatch.transparency.notes import Note, cosign_note, parse_checkpoint, parse_note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.transparency.notes import Checkpoint, VerifierKey

OLD_SIZE = re.compile(r"old (0|[1-9]\d{0,15})")
MOST_HASHES = 63
"""Of one proof, by the specification."""


@dataclass(frozen=True)
class WitnessRequest:
    """A checkpoint to be cosigned, with the proof that it continues an earlier one.

    Attributes:
        old_size: entries of the earlier checkpoint, 0 for none.
        proof: hashes of the proof of consistency.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        """The request as it is sent."""
        lines = [base64.b64encode(node).decode() + "\n" for node in self.proof]
        return f"old {self.old_size}\n{''.join(lines)}\n{self.note}"


def parse_request(text: str) -> WitnessRequest:
    """Parse a request, or a note alone: a request without an earlier checkpoint.

    Raises:
        CardwatchError: it is neither.
    """
    if not text.startswith("old "):
        return WitnessRequest(0, (), parse_note(text))
    head, _, note_text = text.partition("\n\n")
    first, *lines = head.split("\n")
    match = OLD_SIZE.fullmatch(first)
    if match is None or len(lines) > MOST_HASHES:
        raise CardwatchError("This is not a request to cosign a checkpoint.")
    try:
        proof = tuple(base64.b64decode(line, validate=True) for line in lines)
    except ValueError as error:
        raise CardwatchError("The proof in the request is damaged.") from error
    return WitnessRequest(int(match[1]), proof, parse_note(note_text))


def cosign_request(
    request: WitnessRequest,
    signer: tuple[str, Ed25519PrivateKey],
    *,
    log_keys: Sequence[VerifierKey],
    state: Path,
    moment: int,
) -> Note:
    """Cosign a checkpoint that continues the newest one cosigned of its log.

    Args:
        request: the checkpoint with its proof.
        signer: the witness's name and key.
        log_keys: of the logs that the witness knows, each by the name in its checkpoints.
        state: file of what was cosigned last; made where there is none.
        moment: the time, in seconds since 1970.

    Raises:
        CardwatchError: it is not signed by a log that is known, or does not continue what was
            cosigned; nothing is signed and nothing is kept then.
    """
    checkpoint = parse_checkpoint(request.note.text)
    keys = [log_key for log_key in log_keys if log_key.name == checkpoint.origin]
    if not any(request.note.is_signed_by(log_key) for log_key in keys):
        raise CardwatchError("The checkpoint is not signed by a log whose key was given.")
    with _locked_state(state) as newest:
        _check_continues(request, checkpoint, newest.get(checkpoint.origin))
        newest[checkpoint.origin] = checkpoint
    return cosign_note(request.note, *signer, moment)


def _check_continues(
    request: WitnessRequest, checkpoint: Checkpoint, last: Checkpoint | None
) -> None:
    """Refuse a checkpoint that does not continue the newest one cosigned.

    Raises:
        CardwatchError: it does not.
    """
    size, root = (last.size, last.root) if last else (0, b"")
    if checkpoint.size < size:
        raise CardwatchError(
            f"REFUSED: this log had {size} entries and has {checkpoint.size} now. Entries were "
            "removed."
        )
    if request.old_size != size:
        raise CardwatchError(
            f"The newest checkpoint cosigned of this log has {size} entries. Ask for a request "
            f"that starts there: 'cardwatch audit witness-request --since {size}'."
        )
    if not is_consistent(size, root, checkpoint.size, checkpoint.root, request.proof):
        raise CardwatchError(
            "REFUSED: this log does not continue what was cosigned. Its history was rewritten, or "
            "the proof is damaged."
        )


@contextmanager
def _locked_state(path: Path) -> Iterator[dict[str, Checkpoint]]:
    """Read what was cosigned last, and keep what it became, whole, before anything is signed.

    Raises:
        CardwatchError: the file cannot be read or written.
    """
    try:
        with path.with_name(path.name + ".lock").open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            texts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            newest = {origin: parse_checkpoint(text) for origin, text in texts.items()}
            yield newest
            texts = {origin: str(checkpoint) for origin, checkpoint in newest.items()}
            new_path = path.with_name(path.name + ".new")
            with new_path.open("w", encoding="utf-8") as file:
                file.write(json.dumps(texts, indent=2, sort_keys=True) + "\n")
                file.flush()
                os.fsync(file.fileno())
            new_path.replace(path)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CardwatchError(f"{path} cannot be read or written. Nothing was signed.") from error
