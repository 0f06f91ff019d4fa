"""Policy packs: the active one and what differs from it, and taking one through a proposal."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cardwatch.casebook import PSD, AuditEvent, documents, jobs, proposals
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import POLICY_PACK, READS
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.policy import parse_policy
from cardwatch.policy_pack import check_pack, compose_policy, open_pack
from cardwatch.services.policy_figures import policy_changes
from cardwatch.services.scoring_inputs import (
    active_inputs,
    load_inputs,
    pack_rules,
    read_content,
    stated_policy,
    unpack_policy,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import Proposal
    from cardwatch.policy import Policy
    from cardwatch.policy_pack import PolicyPack
    from cardwatch.rules import Rule
    from cardwatch.services.answers import ActivePack, PackFacts, PackPreview, RuleChanges
    from cardwatch.services.context import ServiceContext

PACK_FILE = "pack.json"
UNTESTED = "Test the pack on past statements first, and propose it from the result."


def get_pack(context: ServiceContext) -> ActivePack | None:
    """The pack that the active policy was taken from, and what differs from it; none without one.

    Rules are compared as far as the actor's lanes go.
    """
    with context.work(AuditEvent("consultation", "pack"), ()) as uow:
        context.allow(READS, "read settings")
        recipe = active_inputs(uow, uow.today)
        loaded = load_inputs(uow, recipe)
        if not loaded.policy.pack:
            return None
        pack, pack_rule_set = read_pack(pack_content(uow, loaded.policy))
        return {
            "pack": _facts(pack, loaded.policy.pack["sha256"]),
            "is_review_due": pack.review_on <= uow.today,
            "own_figures": policy_changes(_policy_of(pack), loaded.policy),
            "own_rules": _rule_changes(pack_rule_set, loaded.rules, context.actor.rule_lanes),
        }


def preview_pack(context: ServiceContext, content: bytes) -> PackPreview:
    """Changes that a pack would make to the active policy and rules, with the own figures on top.

    Raises:
        NotAllowed: the role reads no settings.
        CardwatchError: it is no pack, was changed after it was signed, or has faults.
    """
    pack, pack_rule_set = read_pack(content)
    with context.work(AuditEvent("consultation", "pack"), ()) as uow:
        context.allow(READS, "read settings")
        policy, _ = pack_documents(uow, content, uow.today)
        before = load_inputs(uow, active_inputs(uow, uow.today))
        active = _pack_behind(uow, before.policy)
        after = unpack_policy(policy)
        return {
            "pack": _facts(pack, after.pack["sha256"]),
            "before_after": policy_changes(unpack_policy(stated_policy(uow, uow.today)), after),
            "own_figures": policy_changes(_policy_of(pack), after),
            "rules": _rule_changes(before.rules, pack_rule_set, context.actor.rule_lanes),
            "notes": _notes(pack, active, uow.today),
        }


def propose_pack(
    context: ServiceContext, job_id: str, *, effective_from: str, reason: str
) -> Proposal:
    """Propose the pack that a back-test of the actor's tested; another person has to approve it.

    Raises:
        NotAllowed: the role changes no rules.
        NotFound: the actor has no such job.
        CardwatchError: it is no back-test of a pack that is done; no reason, no such day.
    """
    day_of(effective_from or str(context.now.date()), "effective_from")
    with context.work(AuditEvent("alteration", "proposal"), (context.actor.chain,)) as uow:
        if context.actor.role != PSD:
            raise NotAllowed("Only professional standards can take a pack: it has their rules.")
        job = jobs.get_job(uow, job_id)
        answer = job["answer"] or {}
        if job["state"] != jobs.DONE or answer.get("kind") != POLICY_PACK:
            raise CardwatchError(UNTESTED, field="job_id")
        content = answer["document"].encode()
        pack_documents(uow, content, uow.today)  # the own figures may have changed since
        day = str(day_of(effective_from)) if effective_from else uow.today
        return proposals.propose(uow, POLICY_PACK, content, effective_from=day, reason=reason)


def activate_pack(uow: UnitOfWork, sha256: str, effective_from: str) -> None:
    """Activate the policy and rules of a pack that was approved, from a day on."""
    policy, rules = pack_documents(uow, documents.read_document(uow, sha256), effective_from)
    recipe = active_inputs(uow, uow.today)
    for kind, content in (("policy", policy), ("rules", rules)):
        if effective_from > uow.today and not documents.active_sha256(uow, kind, uow.today):
            # The first of a kind holds before its day too: until then nothing is to change.
            current = stated_policy(uow, uow.today) or b"\n"
            current = current if kind == "policy" else read_content(uow, recipe, kind)
            documents.activate_document(uow, kind, current, uow.today)
        documents.activate_document(uow, kind, content, effective_from)


def pack_documents(uow: UnitOfWork, content: bytes, day: str) -> tuple[bytes, bytes]:
    """Return the policy and rules that a pack makes with the figures stated on a day on top.

    Raises:
        CardwatchError: it is no pack, was changed after it was signed, or has faults.
    """
    pack, _ = read_pack(content)
    stated = stated_policy(uow, day)
    base = _pack_behind(uow, unpack_policy(stated))
    sha256 = documents.document_sha256(POLICY_PACK, content)
    text = compose_policy(pack, sha256, stated.decode(), base.policy if base else "")
    return text.encode(), pack_rules(pack.rules)


@lru_cache(maxsize=4)
def read_pack(content: bytes) -> tuple[PolicyPack, tuple[Rule, ...]]:
    """Return a pack from its file and its rules, once signature, facts, policy and rules are right.

    Raises:
        CardwatchError: they are not.
    """
    pack = open_pack(PACK_FILE, content)
    return pack, check_pack(pack)


def check_named_pack(uow: UnitOfWork, policy: Policy) -> None:
    """Check that a policy names no pack but one that was approved here.

    Raises:
        CardwatchError: it does.
    """
    if not policy.pack:
        return
    approved = {row["sha256"] for row in documents.list_active(uow) if row["kind"] == POLICY_PACK}
    pack = _pack_behind(uow, policy) if policy.pack["sha256"] in approved else None
    if pack is None or any(getattr(pack, k) != v for k, v in policy.pack.items() if k != "sha256"):
        sentence = "This policy names a pack that was not approved here. Take out [pack]."
        raise CardwatchError(sentence, field="policy")


def _pack_behind(uow: UnitOfWork, policy: Policy) -> PolicyPack | None:
    """Return the pack that a policy names, if it names one.

    Its rules are not parsed: those of an old pack may be of an old version of cardwatch.
    """
    return open_pack(PACK_FILE, pack_content(uow, policy)) if policy.pack else None


def pack_content(uow: UnitOfWork, policy: Policy) -> bytes:
    """Return the signed file of the pack that a policy names."""
    return documents.read_document(uow, policy.pack["sha256"])


def _policy_of(pack: PolicyPack) -> Policy:
    return parse_policy(pack.policy, "policy.toml")


def _facts(pack: PolicyPack, sha256: str) -> PackFacts:
    return {
        "name": pack.name,
        "owner": pack.owner,
        "version": pack.version,
        "published_on": pack.published_on,
        "review_on": pack.review_on,
        "fingerprint": pack.fingerprint,
        "sha256": sha256,
    }


def _rule_changes(
    before: Sequence[Rule], after: Sequence[Rule], lanes: Sequence[str]
) -> RuleChanges:
    """Return the ids of rules of some lanes that are added, removed and changed."""
    old, new = ({rule.id: rule.text for rule in rules if rule.lane in lanes}
                for rules in (before, after))  # fmt: skip
    return {
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "changed": sorted(name for name in old.keys() & new.keys() if old[name] != new[name]),
    }


def _notes(pack: PolicyPack, active: PolicyPack | None, today: str) -> list[str]:
    """Say what to look at before a pack is taken."""
    notes = []
    if pack.review_on <= today:
        notes.append("Its review date has passed. Ask its owner for a newer version.")
    if active is None:
        notes.append("Confirm the key with the owner of the pack before you propose it.")
    elif active.public_key != pack.public_key:
        notes.append(
            "It is signed with another key than the active pack. Confirm the key with its owner."
        )
    if active and pack.published_on < active.published_on:
        notes.append("It is older than the active pack.")
    return notes
