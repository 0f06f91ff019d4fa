"""Decrypts files that were encrypted with PGP, in a limited process, into memory alone.

The plaintext goes into a file of memory (`memfd_create`), which no disk holds and which ends with
its process. The child that decrypts may use so much memory and time and write so many bytes: a
message that unpacks into more is refused. No key or passphrase is loaded in the parent.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import signal
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardwatch.errors import CardwatchError, FileRefused
from cardwatch.tabular.limited_child import limit_process, start_child
from cardwatch.tabular.limits import LIMITS, MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.tabular.limits import Limits

SUFFIXES = (".pgp", ".gpg")
ARMOR = b"-----BEGIN PGP MESSAGE-----"
MESSAGE_HEAD_BYTES = 100
KEY_BYTES = 10 * MIB
SERVE_DECRYPTION = "from cardwatch.tabular.pgp import serve; serve()"
REASONS = {
    "pgp_key": "it is encrypted for another key than those of this installation. Ask the sender to "
    "use your public key",
    "pgp_signature": "it has no valid signature of a sender whose public key you keep. Ask the "
    "sender whether it comes from them, and for the key it was signed with",
    "pgp_compressed": "it is compressed and signed, so its signature cannot be verified. Ask the "
    "sender to encrypt without compression (GnuPG: --compress-algo none)",
    "too_large": f"it unpacks into more than {LIMITS.archive_bytes // MIB} MiB. Ask the sender for "
    "smaller files",
    "too_costly": "decrypting it takes too much memory or time. Ask the sender for smaller files",
    "pgp_damaged": "it is no whole message of PGP: it is cut off, damaged or was changed. Ask the "
    "sender for it again",
}
"""Why a file is not decrypted, by the code of the refusal."""
FAULTS = (
    ("No key to decrypt message", "pgp_key"),
    ("Signature verification failed", "pgp_signature"),
    ("Unexpected message structure", "pgp_compressed"),
    ("File too large", "too_large"),
)
"""Words of the library by which a failure is recognised; any other is a damaged message."""


FAILURES = (RuntimeError, ValueError, OSError)
"""Errors of the library, which has no kinds of its own."""


@dataclass(frozen=True)
class PgpKeys:
    """Keys that files are decrypted with.

    Attributes:
        secret: files with secret keys of this installation, the newest last.
        senders: files with public keys of whoever may sign; where there are any, a file without a
            valid signature of one of them is refused.
        passphrase_file: a file with the passphrase of the secret keys; none if they have none.
    """

    secret: tuple[Path, ...]
    senders: tuple[Path, ...]
    passphrase_file: Path | None = None


def load_keys(folder: Path, passphrase_file: Path | None, *, is_signed: bool = True) -> PgpKeys:
    """Return the keys in a folder, once every one can be opened.

    Args:
        folder: its files are secret keys of this installation and public keys of senders.
        passphrase_file: see `PgpKeys`.
        is_signed: whether senders sign: the public key of one is needed then.

    Raises:
        CardwatchError: the library is not installed; another user may read a key; there is no
            secret key, or no public one; a key or its passphrase is wrong.
    """
    if importlib.util.find_spec("pysequoia") is None or not hasattr(os, "memfd_create"):
        raise CardwatchError(
            "Files encrypted with PGP are read on Linux, with pip install 'cardwatch[arrivals]'."
        )
    if not folder.is_dir():
        raise CardwatchError(f"There is no folder '{folder.name}' with PGP keys.")
    paths = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    for path in (folder, *paths, *((passphrase_file,) if passphrase_file else ())):
        check_private(path)
    order = {"check": [str(path.absolute()) for path in paths], "passphrase": str(passphrase_file)}
    code, answer = _ask(order | {"limits": asdict(LIMITS)}, None)
    kinds = json.loads(answer) if code == 0 else {}
    faults = [f"'{Path(name).name}' {kind[1:]}" for name, kind in kinds.items() if kind[0] == "!"]
    secret = tuple(path for path in paths if kinds.get(str(path.absolute())) == "secret")
    senders = tuple(path for path in paths if kinds.get(str(path.absolute())) == "public")
    if not secret and not faults:
        faults.append("there is no secret key, exported with 'gpg --export-secret-keys'")
    if is_signed and not senders:
        faults.append('there is no public key of the sender, or set signature = "none"')
    if faults:
        raise CardwatchError(f"The PGP keys in '{folder.name}' are not used: {'; '.join(faults)}.")
    return PgpKeys(secret, senders if is_signed else (), passphrase_file)


def check_private(path: Path) -> None:
    """Refuse a file or folder of secrets that another user of the machine may read or change.

    Raises:
        CardwatchError: others may, it belongs to somebody else, or it is not there.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise CardwatchError(f"'{path.name}' cannot be read ({error.strerror}).") from error
    if facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
        raise CardwatchError(
            f"Others may read '{path.name}'. Let its owner alone read it: chmod go= and chown."
        )


def is_encrypted(path: Path) -> bool:
    """Return whether a file is a message of PGP, by its name or its first bytes.

    A binary message begins with the packet of an encrypted session key (RFC 9580, 5.1): its tag,
    one or more octets of length, and version 3 or 6.
    """
    with path.open("rb") as file:
        head = file.read(MESSAGE_HEAD_BYTES)
    length_octets = {0x84: 1, 0x85: 2, 0xC1: 1 if head[1:2] < b"\xc0" else 2}.get(
        head[0] if head else 0, 0
    )
    is_session_key = bool(length_octets) and head[1 + length_octets :][:1] in {b"\x03", b"\x06"}
    return is_session_key or head.lstrip().startswith(ARMOR) or path.name.lower().endswith(SUFFIXES)


@contextmanager
def decrypted(path: Path, keys: PgpKeys | None, limits: Limits = LIMITS) -> Iterator[Path]:
    """Give the plaintext of a file under a name by which processes of this user can read it.

    Args:
        path: the file.
        keys: those to decrypt it with; none if the installation has none.
        limits: what one file may cost.

    Raises:
        FileRefused: it cannot be decrypted, is too large, or has no valid signature.
    """
    if keys is None:
        reason = "it is encrypted with PGP. Set up keys (docs/feeds.md), or decrypt it first"
        raise FileRefused(path.name, "pgp_encrypted", reason)
    if path.stat().st_size > limits.text_bytes:
        reason = f"it is larger than {limits.text_bytes // MIB} MiB. Split it by month"
        raise FileRefused(path.name, "too_large", reason)
    memory = os.memfd_create(f"statement-{secrets.token_hex(8)}")
    try:
        order = {
            "path": str(path.absolute()),
            "secret": [str(name.absolute()) for name in keys.secret],
            "senders": [str(name.absolute()) for name in keys.senders],
            "passphrase": str(keys.passphrase_file),
            "limits": asdict(limits),
        }
        code, answer = _ask(order, memory)
        fault = answer if code == 0 else "too_costly"
        if fault:
            raise FileRefused(path.name, fault, REASONS[fault])
        yield Path(f"/proc/{os.getpid()}/fd/{memory}")
    finally:
        os.close(memory)


def _ask(order: dict[str, Any], memory: int | None) -> tuple[int, str]:
    """Have a child act on an order; return how it ended and what it answered."""
    with start_child(SERVE_DECRYPTION, {}, files=() if memory is None else (memory,)) as process:
        answer, _ = process.communicate(json.dumps(order | {"memory": memory}).encode())
    return process.returncode, answer.decode()


def serve() -> None:
    """Run as the child: put itself under the limits, check keys or decrypt one file, answer."""
    order = json.load(sys.stdin)
    limits = order["limits"]
    signal.alarm(limits["wall_seconds"])
    limit_process(limits["memory_bytes"], limits["cpu_seconds"], limits["archive_bytes"])
    name = order["passphrase"]
    passphrase = None if name == "None" else Path(name).read_text("utf-8").rstrip("\r\n")
    if "check" in order:
        answer = json.dumps({path: _kind_of_key(path, passphrase) for path in order["check"]})
    else:
        answer = _decrypt(order, passphrase)
    sys.stdout.write(answer)


def _kind_of_key(path: str, passphrase: str | None) -> str:
    """Return whether a file is a secret or a public key; after `!`, why it is neither."""
    import pysequoia  # noqa: PLC0415  the child alone loads it

    try:
        if Path(path).stat().st_size > KEY_BYTES:
            return "!is too large for a key"
        certificate = pysequoia.Cert.from_file(path)
    except FAILURES:
        return "!is no PGP key"
    if not certificate.has_secret_keys:
        return "public"
    try:
        pysequoia.Tsk.from_file(path).decryptor(passphrase)
    except FAILURES:
        return "!cannot decrypt: it has no key for that, or its passphrase is another"
    return "secret"


def _decrypt(order: dict[str, Any], passphrase: str | None) -> str:
    """Decrypt a file into memory with the first key that can; return the code of what is wrong."""
    import pysequoia  # noqa: PLC0415  the child alone loads it

    senders = [pysequoia.Cert.from_file(path) for path in order["senders"]]
    store = (lambda _: senders) if senders else None
    output, fault = f"/proc/self/fd/{order['memory']}", "pgp_key"
    for path in reversed(order["secret"]):
        decryptor = pysequoia.Tsk.from_file(path).decryptor(passphrase)
        try:
            pysequoia.decrypt_file(order["path"], output, decryptor, store)
        except FAILURES as error:
            words = str(error)
            fault = next((code for text, code in FAULTS if text in words), "pgp_damaged")
        else:
            return ""
        if fault != "pgp_key":
            break
    return fault
