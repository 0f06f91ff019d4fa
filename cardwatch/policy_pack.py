"""A policy pack: figures, lists and rules that several forces share, signed by their owner."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature

from cardwatch.errors import CardwatchError, FileFaulty
from cardwatch.policy import (
    LIMIT_KINDS,
    default_policy_text,
    is_pack_text,
    parse_policy,
)
from cardwatch.rules import read_rules
from cardwatch.signed_files import key_fingerprint, sign_content, verify_signature
from cardwatch.toml_text import policy_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.rules import Rule

PACK_SCHEMA, PACK_FORMAT = "cardwatch policy pack", 1
MAX_POLICY_PACK_BYTES = 1024 * 1024
"""Six times the size of all shipped rules."""
MAX_PACK_RULES = 500
OWN_SETTINGS = ("organisation", "pack")
"""Settings of one force that no pack may state."""


@dataclass(frozen=True)
class PolicyPack:
    """A policy and a set of rules that several forces share.

    Attributes:
        owner: the body that answers for it.
        version: of its content, such as `2027.1`.
        published_on, review_on: days; the owner looks at it again by the second.
        policy: the figures and lists as TOML, over the defaults.
        rules: every rule file, by name.
        public_key: of the owner, as hex; it signed the file.
    """

    name: str
    owner: str
    version: str
    published_on: str
    review_on: str
    policy: str
    rules: dict[str, str]
    public_key: str = ""

    @property
    def fingerprint(self) -> str:
        """The beginning of the hash of the owner's key, to be confirmed with the owner."""
        return key_fingerprint(self.public_key)

    @property
    def texts(self) -> dict[str, str]:
        """Every TOML text of the pack, by the name of its file."""
        return {"policy.toml": self.policy} | self.rules


def make_pack(pack: PolicyPack, key: Ed25519PrivateKey) -> bytes:
    """Return a pack as the bytes of its signed file.

    Raises:
        FileFaulty: its policy, rules or facts have faults; all are listed.
        CardwatchError: it is too large.
    """
    check_pack(pack)
    content = {"schema": PACK_SCHEMA, "format": PACK_FORMAT} | asdict(pack)
    content["rules"] = dict(sorted(pack.rules.items()))
    signed = sign_content(content, key)
    if len(signed) > MAX_POLICY_PACK_BYTES:
        raise CardwatchError("The pack is larger than 1 MiB. Leave out rules.")
    return signed


def open_pack(file: str, data: bytes) -> PolicyPack:
    """Return the pack in a file once its signature is right; its TOML is not parsed yet.

    Raises:
        CardwatchError: it is no pack of this format, or was changed after it was signed.
    """
    try:
        if len(data) > MAX_POLICY_PACK_BYTES:
            raise CardwatchError(f"{file}: it is too large for a policy pack.", field="pack")
        content: dict[str, Any] = json.loads(data)
        if content["schema"] != PACK_SCHEMA or content["format"] != PACK_FORMAT:
            reason = "it is of another format. Ask its owner for format 1."
            raise CardwatchError(f"{file}: {reason}", field="pack")
        verify_signature(content)
        return _pack_of(content)
    except InvalidSignature as error:
        reason = "it was changed after it was signed. Ask its owner for it again."
        raise CardwatchError(f"{file}: {reason}", field="pack") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = "it is not a policy pack. Choose a file that 'cardwatch pack make' wrote."
        raise CardwatchError(f"{file}: {reason}", field="pack") from error


def check_pack(pack: PolicyPack) -> tuple[Rule, ...]:
    """Return the rules of a pack, once its facts, policy and rules have no fault.

    Raises:
        FileFaulty: with every fault found.
    """
    faults = [
        f"{name} must be a day such as 2027-04-01"
        for name in ("published_on", "review_on")
        if not _is_day(getattr(pack, name))
    ]
    faults += [
        f"{name} must be 1 to 100 characters with a letter or digit"
        for name in ("name", "owner", "version")
        if not is_pack_text(getattr(pack, name))
    ]
    if not faults and pack.review_on <= pack.published_on:
        faults.append("review_on must be after published_on")
    if not 1 <= len(pack.rules) <= MAX_PACK_RULES:
        faults.append(f"there must be 1 to {MAX_PACK_RULES} rules")
    rules: tuple[Rule, ...] = ()
    try:
        rules = read_rules(pack.rules)
    except FileFaulty as error:
        faults += error.faults
    faults += _policy_faults(pack.policy)
    if faults:
        raise FileFaulty("pack", faults, field="pack")
    return rules


def compose_policy(pack: PolicyPack, sha256: str, stated: str, base: str) -> str:
    """Return the TOML of a pack's policy with an organisation's own figures on top.

    An own figure is a setting that the organisation states and that differs from what it was
    based on. One that only repeats that base follows the new pack: a file that was copied from
    the defaults whole would otherwise leave nothing of a pack.

    Args:
        pack: the pack.
        sha256: hash of its document, by which the policy names it.
        stated: the organisation's policy now, as TOML.
        base: the policy of the pack that it is based on; empty for the defaults.

    Raises:
        FileFaulty: what comes of it has faults.
    """
    own_figures = own_settings(stated, base)
    names = {"name": pack.name, "owner": pack.owner, "version": pack.version, "sha256": sha256}
    text = policy_toml(tomllib.loads(pack.policy) | own_figures | {"pack": names})
    parse_policy(text, "policy.toml")
    return text


def own_settings(stated: str, base: str) -> dict[str, Any]:
    """Return the settings of a policy that differ from its base; see `compose_policy`."""
    basis = tomllib.loads(default_policy_text()) | tomllib.loads(base)
    settings = tomllib.loads(stated)
    return {key: value for key, value in settings.items() if key != "pack" and value != basis[key]}


def _policy_faults(text: str) -> list[str]:
    """Say what is wrong with a pack's policy, and what it states that only one force can."""
    try:
        parse_policy(text, "policy.toml")
    except FileFaulty as error:
        return list(error.faults)
    settings = tomllib.loads(text)
    faults = [f"the policy must not state '{key}'" for key in OWN_SETTINGS if key in settings]
    faults += [
        f"the policy's {key} must be for everybody, without 'holders'"
        for key in LIMIT_KINDS
        if any("holders" in entry for entry in settings.get(key, ()))
    ]
    return faults


def _pack_of(content: Mapping[str, Any]) -> PolicyPack:
    """Return the pack in what a file holds; a value of another kind is a `TypeError`."""
    names = ("name", "owner", "version", "published_on", "review_on", "policy", "public_key")
    texts = {name: content[name] for name in names}
    rules = content["rules"]
    if not all(isinstance(text, str) for text in (*texts.values(), *rules.values())):
        raise TypeError
    return PolicyPack(rules=dict(rules), **texts)


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
