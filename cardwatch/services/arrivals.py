"""Settings of `cardwatch statements watch`: PGP keys and the SFTP server, from one TOML file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cardwatch.bounded import read_toml
from cardwatch.errors import FileFaulty
from cardwatch.services.sftp import SftpSource
from cardwatch.tabular import PgpKeys, load_keys

SIGNATURE_CHOICES = ("required", "none")
PGP_SETTINGS: dict[str, type] = {"keys": Path, "passphrase_file": Path, "signature": str}
SFTP_SETTINGS: dict[str, type] = {
    setting.name: Path if setting.name.endswith("_file") else
    {"port": int, "every_seconds": float}.get(setting.name, str)
    for setting in fields(SftpSource)
}  # fmt: skip
"""Type of each setting, by name; a path may stand beside the settings' own file."""
SFTP_NEEDED = ("host", "user", "host_key")


@dataclass(frozen=True)
class ArrivalSettings:
    """Where files come from, and with which keys they are decrypted; none where nothing is set."""

    keys: PgpKeys | None = None
    source: SftpSource | None = None


def load_arrivals(path: Path) -> ArrivalSettings:
    """Return the settings in a file, once keys can be opened and secrets are private.

    Raises:
        FileFaulty: it has faults; all are listed.
        CardwatchError: it cannot be used: see `load_keys` and `SftpSource.check`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise FileFaulty(path.name, ["it is not there, or is no UTF-8 text"]) from error
    content = read_toml(text, path.name)
    faults = [f"[{name}] is no section" for name in content if name not in {"pgp", "sftp"}]
    pgp = _section(content, "pgp", PGP_SETTINGS, path.parent, faults)
    sftp = _section(content, "sftp", SFTP_SETTINGS, path.parent, faults)
    if pgp is not None:
        faults += [] if "keys" in pgp else ["pgp.keys is missing"]
        if pgp.get("signature", "required") not in SIGNATURE_CHOICES:
            faults.append(f"pgp.signature is one of {', '.join(SIGNATURE_CHOICES)}")
    if sftp is not None:
        faults += [f"sftp.{name} is missing" for name in SFTP_NEEDED if name not in sftp]
    if faults:
        raise FileFaulty(path.name, faults)
    keys = pgp and load_keys(
        pgp["keys"], pgp.get("passphrase_file"), is_signed=pgp.get("signature") != "none"
    )
    source = None if sftp is None else SftpSource(**sftp)
    if source is not None:
        source.check()
    return ArrivalSettings(keys or None, source)


def _section(
    content: dict[str, Any], name: str, settings: dict[str, type], folder: Path, faults: list[str]
) -> dict[str, Any] | None:
    """Return the settings of a section in their types; none without it; add what is wrong."""
    section = content.get(name)
    if section is None:
        return None
    if not isinstance(section, dict):
        faults.append(f"{name} is a section: [{name}]")
        return None
    values: dict[str, Any] = {}
    for key, value in section.items():
        kind = settings.get(key)
        is_number = kind in {int, float}
        types = {int: (int,), float: (int, float)}.get(kind or str, (str,))
        if kind is None:
            faults.append(f"{name}.{key} is no setting")
        elif not isinstance(value, types) or isinstance(value, bool) or not value:
            faults.append(f"{name}.{key} is {'a number' if is_number else 'a text'}")
        else:
            values[key] = folder / str(value) if kind is Path else kind(value)
    return values
