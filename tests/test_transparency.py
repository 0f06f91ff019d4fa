"""Signed notes, Merkle trees, a witness and time-stamps, against published examples and attacks."""

from __future__ import annotations

import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cardwatch.errors import CardwatchError
from cardwatch.transparency import (
    COSIGNATURE,
    Checkpoint,
    VerifierKey,
    WitnessRequest,
    check_timestamp,
    cosign_note,
    cosign_request,
    is_consistent,
    leaf_hash,
    new_signing_key,
    parse_checkpoint,
    parse_note,
    parse_notes,
    parse_request,
    parse_signing_key,
    parse_verifier_keys,
    prove_consistency,
    sign_note,
    timestamp_request,
    tree_root,
)

if TYPE_CHECKING:
    from pathlib import Path

LOG = Ed25519PrivateKey.from_private_bytes(bytes([1] * 32))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes([2] * 32))
ORIGIN = "cardwatch/force/finance"
LEAVES = [leaf_hash(str(number).encode()) for number in range(40)]
LOG_KEYS = [VerifierKey(ORIGIN, LOG.public_key())]
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)
NOTE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_the_published_example_of_a_signed_note_is_read_checked_and_written_the_same() -> None:
    # From the tests of golang.org/x/mod/sumdb/note, the format's first home.
    (key,) = parse_verifier_keys(NOTE_KEY)
    note = parse_note(NOTE)
    assert note.is_signed_by(key)
    assert (str(note), str(key)) == (NOTE, NOTE_KEY)
    assert not parse_note(NOTE.replace("answer", "reason")).is_signed_by(key)
    assert not note.is_signed_by(VerifierKey("PeterNeumann", LOG.public_key()))


def test_roots_are_those_of_certificate_transparency() -> None:
    # The eight entries and roots of the tests of github.com/google/certificate-transparency.
    entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
               "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    roots = (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in entries]
    assert tuple(tree_root(leaves[:size]).hex() for size in range(9)) == roots


def test_a_proof_holds_for_every_pair_of_sizes_and_for_no_other_history() -> None:
    chance = random.Random(2)
    for new in range(1, len(LEAVES) + 1):
        for old in range(new + 1):
            proof = prove_consistency(LEAVES[:new], old)
            old_root, new_root = tree_root(LEAVES[:old]), tree_root(LEAVES[:new])
            assert is_consistent(old, old_root, new, new_root, proof)
            if not old:
                continue
            other = list(LEAVES[:new])
            other[chance.randrange(old)] = leaf_hash(b"rewritten")
            forged = prove_consistency(other, old)
            assert not is_consistent(old, old_root, new, tree_root(other), forged)
            assert not is_consistent(old, old_root, new, new_root, [*proof, b"x" * 32])
            if proof:
                assert not is_consistent(old, old_root, new, new_root, proof[:-1])


def _request(size: int, since: int = 0, key: Ed25519PrivateKey = LOG) -> str:
    text = str(Checkpoint(ORIGIN, size, tree_root(LEAVES[:size])))
    proof = tuple(prove_consistency(LEAVES[:size], since))
    return str(WitnessRequest(since, proof, sign_note(text, ORIGIN, key)))


def _cosign(request: str, state: Path) -> str:
    note = cosign_request(
        parse_request(request),
        ("audit.example", WITNESS),
        log_keys=LOG_KEYS,
        state=state,
        moment=99,
    )
    return str(note)


def test_a_cosignature_is_over_the_text_and_its_time(tmp_path: Path) -> None:
    key = VerifierKey("audit.example", WITNESS.public_key(), COSIGNATURE)
    note = parse_note(_cosign(_request(7), tmp_path / "state"))
    assert note.is_signed_by(key)
    assert note.is_signed_by(LOG_KEYS[0])
    name, value = note.signatures[1]
    assert (name, value[4:12], len(value)) == ("audit.example", bytes(7) + b"\x63", 76)
    signed = f"cosignature/v1\ntime 99\n{note.text}".encode()
    WITNESS.public_key().verify(value[12:], signed)
    later = value[:11] + b"\x64" + value[12:]
    assert not parse_note(NOTE).is_signed_by(key)
    assert not type(note)(note.text, ((name, later),)).is_signed_by(key)


def test_a_witness_keeps_what_it_saw_and_signs_nothing_that_does_not_continue_it(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    for size, since in ((7, 0), (7, 7), (12, 7), (40, 12)):
        assert parse_checkpoint(parse_note(_cosign(_request(size, since), state)).text).size == size
    before = state.read_bytes()
    other = str(Checkpoint(ORIGIN, 40, tree_root([*LEAVES[:39], b"x" * 32])))
    fork = str(WitnessRequest(40, (), sign_note(other, ORIGIN, LOG)))
    unknown = str(Checkpoint("elsewhere", 40, tree_root(LEAVES)))
    stranger = str(WitnessRequest(40, (), sign_note(unknown, "elsewhere", LOG)))
    attacks = (
        (_request(39, 12), "removed"),
        (_request(40), "--since 40"),
        (fork, "rewritten"),
        (_request(40, 40, WITNESS), "not signed by a log"),
        (stranger, "not signed by a log"),
        (_request(40, 40).replace("old 40", "old -1"), "not a request"),
        ("old 40\n" + "AAAA\n" * 64 + "\n" + _request(40, 40), "not a request"),
    )
    for request, refusal in attacks:
        with pytest.raises(CardwatchError, match=refusal):
            _cosign(request, state)
        assert state.read_bytes() == before
    state.write_text("{}x")
    with pytest.raises(CardwatchError, match="Nothing was signed"):  # never taken for a first use
        _cosign(_request(40), state)


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "a\n\nb\n", "a\n\n— name !\n", "a\n\n— name AAAA\n", NOTE[:-1], NOTE + "x\n",
     NOTE.replace("answer", "answ\0er"), "a\n\n" + "— n AAAAAAAA\n" * 101],
)  # fmt: skip
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(CardwatchError, match="not a signed checkpoint"):
        parse_note(text)


def test_notes_that_follow_each_other_are_read_apart() -> None:
    notes = [parse_note(_request(size).partition("\n\n")[2]) for size in (1, 2, 3)]
    assert parse_notes("".join(f"{note}\n" for note in notes)) == notes
    with pytest.raises(CardwatchError, match="not a signed checkpoint"):
        parse_notes(str(notes[0]) + "\nhalf a note\n")
    for text in (NOTE, f"{ORIGIN}\n07\n{'A' * 43}=\n", f"{ORIGIN}\n7\nAAAA\n"):
        with pytest.raises(CardwatchError):
            parse_checkpoint(text)


def test_a_private_key_is_kept_with_its_name_and_damaged_keys_are_refused() -> None:
    name, key = parse_signing_key(new_signing_key("audit.example/w"))
    assert name == "audit.example/w"
    public = VerifierKey(name, key.public_key(), COSIGNATURE)
    assert parse_verifier_keys(f"\n{public}\n{NOTE_KEY}\n")[0] == public
    for text in ("", "name", NOTE_KEY[:-4], NOTE_KEY.replace("c74f", "c74e")):
        with pytest.raises(CardwatchError):
            parse_verifier_keys(text)
    for text in ("", NOTE_KEY, "PRIVATE+KEY+name"):
        with pytest.raises(CardwatchError):
            parse_signing_key(text)
    with pytest.raises(CardwatchError, match="without spaces"):
        new_signing_key("two words")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S607  the words are our own


def _authority(folder: Path) -> bytes:
    """Make a time-stamping authority; return its certificates."""
    (folder / "tsa.cnf").write_text(
        "[tsa]\ndefault_tsa=own\n[own]\nserial=serial\ndefault_policy=1.2.3.4\ndigests=sha256\n"
        "signer_digest=sha256\n[stamps]\nextendedKeyUsage=critical,timeStamping\n"
        "basicConstraints=CA:FALSE\n"
    )
    ca = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=Test root",
          "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
    _openssl(folder, "req", *ca)
    _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test stamps",
             "-keyout", "tsa.key", "-out", "tsa.csr")  # fmt: skip
    _openssl(folder, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days",
             "9", "-extfile", "tsa.cnf", "-extensions", "stamps", "-out", "tsa.pem")  # fmt: skip
    return (folder / "tsa.pem").read_bytes() + (folder / "ca.pem").read_bytes()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_a_time_stamp_holds_for_one_checkpoint_and_one_authority(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    certificates, strangers = (_authority(folder) for folder in folders)
    text = parse_note(_request(7).partition("\n\n")[2]).text.encode()
    (folders[0] / "r.tsq").write_bytes(timestamp_request(text))
    _openssl(folders[0], "ts", "-reply", "-config", "tsa.cnf", "-section", "own", "-queryfile",
             "r.tsq", "-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "r.tsr")  # fmt: skip
    response = (folders[0] / "r.tsr").read_bytes()
    assert check_timestamp(text, response, certificates).tzinfo is not None
    wrong = [(text + b"x", response, certificates), (text, response, strangers),
             (text, b"no stamp", certificates), (text, response, b"no certificate"),
             (text, response[:-20] + bytes(20), certificates)]  # fmt: skip
    for content, answer, chain in wrong:
        with pytest.raises(CardwatchError, match="time-stamp is not"):
            check_timestamp(content, answer, chain)


def test_cosigning_twice_by_two_parties_keeps_both() -> None:
    note = parse_note(_request(7).partition("\n\n")[2])
    twice = cosign_note(cosign_note(note, "a.example", WITNESS, 1), "b.example", LOG, 2)
    again = parse_note(str(twice))
    for name, key in (("a.example", WITNESS), ("b.example", LOG)):
        assert again.is_signed_by(VerifierKey(name, key.public_key(), COSIGNATURE))
