"""Transparency: signed checkpoints of a log that another machine can cosign.

Formats are those of C2SP (signed-note, tlog-checkpoint, tlog-cosignature and tlog-witness), so that
other tools read them. A log is a Merkle tree (RFC 6962), whose proofs show that it only grew.
"""

from cardwatch.transparency.merkle import (
    Frontier,
    is_consistent,
    leaf_hash,
    prove_consistency,
    tree_root,
)
from cardwatch.transparency.notes import (
    COSIGNATURE,
    Checkpoint,
    Note,
    VerifierKey,
    cosign_note,
    new_signing_key,
    parse_checkpoint,
    parse_note,
    parse_notes,
    parse_signing_key,
    parse_verifier_keys,
    sign_note,
)
from cardwatch.transparency.timestamps import check_timestamp, timestamp_request
from cardwatch.transparency.witness import WitnessRequest, cosign_request, parse_request
