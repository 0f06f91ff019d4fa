"""Files encrypted with PGP: decrypted in memory, signatures required, limits kept."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cardwatch.errors import CardwatchError, FileRefused
from cardwatch.tabular import pgp
from cardwatch.tabular.limits import LIMITS, MIB

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pysequoia = pytest.importorskip("pysequoia")
TEXT = b"Date,Cardholder,Merchant,Amount\n2026-10-01,E1,SHOP,5.00\n" * 50


@pytest.fixture(scope="module")
def people() -> dict[str, pysequoia.Tsk]:
    return {
        name: pysequoia.Tsk.generate(f"{name} <{name}@x.example>")
        for name in ("bank", "force", "other")
    }


@pytest.fixture
def keys(tmp_path: Path, people: dict[str, pysequoia.Tsk]) -> pgp.PgpKeys:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    _write(folder / "force.asc", str(people["force"]))
    _write(folder / "bank.asc", str(people["bank"].extract_certificate()))
    return pgp.load_keys(folder, None)


@pytest.fixture
def message(tmp_path: Path, people: dict[str, pysequoia.Tsk]) -> Callable[..., Path]:
    def message(signer: str = "bank", to: str = "force", text: bytes = TEXT, **how: bool) -> Path:
        signing = people[signer].signer() if signer else None
        to_whom = [people[to].extract_certificate()]
        path = tmp_path / "october.csv"
        path.write_bytes(pysequoia.encrypt(text, to_whom, signing, **how))
        return path

    return message


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def _code(path: Path, keys: pgp.PgpKeys | None, **limits: int) -> str:
    with (
        pytest.raises(FileRefused) as refusal,
        pgp.decrypted(path, keys, replace(LIMITS, **limits)),
    ):
        pass
    return refusal.value.code


@pytest.mark.parametrize("armor", [True, False])
def test_a_signed_message_is_read_and_leaves_no_plaintext(
    message: Callable[..., Path], keys: pgp.PgpKeys, tmp_path: Path, *, armor: bool
) -> None:
    path = message(armor=armor)
    assert pgp.is_encrypted(path)
    with pgp.decrypted(path, keys) as plain:
        assert plain.read_bytes() == TEXT
    assert not plain.exists()
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"SHOP" not in file.read_bytes()


@pytest.mark.parametrize("signer", ["", "other"])
def test_a_message_without_the_banks_signature_is_refused(
    message: Callable[..., Path], keys: pgp.PgpKeys, signer: str
) -> None:
    assert _code(message(signer), keys) == "pgp_signature"


def test_a_sender_who_does_not_sign_has_to_be_stated(
    message: Callable[..., Path], keys: pgp.PgpKeys
) -> None:
    folder = keys.secret[0].parent
    (folder / "bank.asc").unlink()
    with pytest.raises(CardwatchError, match="no public key of the sender"):
        pgp.load_keys(folder, None)
    with pgp.decrypted(message(""), pgp.load_keys(folder, None, is_signed=False)) as plain:
        assert plain.read_bytes() == TEXT


def test_a_message_for_another_key_is_refused_and_an_older_key_still_opens(
    message: Callable[..., Path], keys: pgp.PgpKeys, people: dict[str, pysequoia.Tsk]
) -> None:
    assert _code(message(to="other"), keys) == "pgp_key"
    folder = keys.secret[0].parent
    _write(folder / "zz.asc", str(people["other"]))
    both = pgp.load_keys(folder, None)
    for name in ("force", "other"):
        with pgp.decrypted(message(to=name), both) as plain:
            assert plain.read_bytes() == TEXT


def test_a_message_that_was_cut_or_changed_is_refused(
    message: Callable[..., Path], keys: pgp.PgpKeys
) -> None:
    path = message(armor=False)
    data = path.read_bytes()
    for changed in (data[: len(data) // 2], data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]):
        path.write_bytes(changed)
        assert _code(path, keys) == "pgp_damaged"


def test_a_message_that_unpacks_into_too_much_is_refused(
    message: Callable[..., Path], keys: pgp.PgpKeys
) -> None:
    assert _code(message(text=b"0" * 3 * MIB), keys, archive_bytes=2 * MIB) == "too_large"
    assert _code(message(), keys, text_bytes=10) == "too_large"


def test_without_keys_an_encrypted_file_says_what_to_do(message: Callable[..., Path]) -> None:
    path = message()
    assert _code(path, None) == "pgp_encrypted"


@pytest.mark.parametrize(
    "text", [b"", b"\x84", b"Date,Amount\n", b"\xc1\xc2\xc3 EBCDIC", b"\x85 A", b"\xff\xfeD\x00"]
)
def test_other_files_are_not_taken_for_messages(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(text)
    assert not pgp.is_encrypted(tmp_path / "a.csv")


def test_keys_that_others_may_read_are_refused(keys: pgp.PgpKeys) -> None:
    folder = keys.secret[0].parent
    for path in (folder, keys.secret[0]):
        mode = path.stat().st_mode
        path.chmod(0o740)
        with pytest.raises(CardwatchError, match=f"Others may read '{path.name}'"):
            pgp.load_keys(folder, None)
        path.chmod(mode)
    _write(folder / "note.txt", "no key")
    with pytest.raises(CardwatchError, match=r"'note\.txt' is no PGP key"):
        pgp.load_keys(folder, None)


@pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg: apt-get install gnupg")
def test_keys_and_messages_of_gnupg_are_read_with_a_passphrase(
    tmp_path: Path, keys: pgp.PgpKeys
) -> None:
    home, folder = tmp_path / "gnupg", keys.secret[0].parent
    home.mkdir(mode=0o700)

    def gpg(*words: str) -> bytes:
        base = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--yes",
                "--pinentry-mode", "loopback", "--passphrase", "of the test"]  # fmt: skip
        return subprocess.run([*base, *words], capture_output=True, check=True).stdout

    try:
        gpg("--quick-gen-key", "ours", "rsa2048", "default", "never")
        for usage in ("sign", "encrypt"):
            fingerprint = gpg("--list-keys", "--with-colons", "ours").decode()
            name = next(x for x in fingerprint.splitlines() if x.startswith("fpr")).split(":")[9]
            gpg("--quick-add-key", name, "rsa2048", usage, "never")
        (folder / "force.asc").write_bytes(gpg("--armor", "--export-secret-keys", "ours"))
        (folder / "bank.asc").write_bytes(gpg("--armor", "--export", "ours"))
        (tmp_path / "october.csv").write_bytes(TEXT)
        for name, compression in (("october.csv.gpg", "none"), ("packed.csv.gpg", "zip")):
            gpg("--encrypt", "--sign", "--local-user", "ours", "--recipient", "ours",
                "--trust-model", "always", "--compress-algo", compression,
                "--output", str(tmp_path / name), str(tmp_path / "october.csv"))  # fmt: skip
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)  # noqa: S607
    secret = tmp_path / "passphrase"
    _write(secret, "of the test\n")
    with pgp.decrypted(tmp_path / "october.csv.gpg", pgp.load_keys(folder, secret)) as plain:
        assert plain.read_bytes() == TEXT
    packed = tmp_path / "packed.csv.gpg"
    assert _code(packed, pgp.load_keys(folder, secret)) == "pgp_compressed"
    with pgp.decrypted(packed, pgp.load_keys(folder, secret, is_signed=False)) as plain:
        assert plain.read_bytes() == TEXT
    _write(secret, "another\n")
    with pytest.raises(CardwatchError, match="its passphrase is another"):
        pgp.load_keys(folder, secret)
