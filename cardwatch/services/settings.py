"""The active settings and proposals: one person proposes, another approves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from cardwatch.casebook import PSD, AuditEvent, documents, proposals
from cardwatch.casebook.people import shares_role
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import DOCUMENT_KINDS, ORDER_KINDS, POLICY_PACK, READS, RECEIVES
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.services.active_documents import newest_forest
from cardwatch.services.alert_order import PROPOSED_ORDERS, packed_order
from cardwatch.services.diffs import changes
from cardwatch.services.packs import activate_pack, check_named_pack, pack_documents
from cardwatch.services.policy_figures import PolicyChange, policy_changes
from cardwatch.services.policy_form import PolicyForm, changed_policy, policy_form_of
from cardwatch.services.scoring_inputs import (
    active_inputs,
    load_inputs,
    pack_cards,
    pack_forest,
    pack_rules,
    read_content,
    read_model,
    shipped_sha256,
    stated_policy,
    unpack_policy,
    unpack_rules,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import ActiveDocument, Proposal
    from cardwatch.records import CardRegister
    from cardwatch.rules import Rule
    from cardwatch.services.answers import (
        FileChange,
        ModelInForce,
        PolicyInForce,
        ProposedChange,
    )
    from cardwatch.services.context import ServiceContext

SHOWN_OF_FOREST = ("features", "rows", "holders", "first_on", "last_on", "data_sha256")


def list_active(context: ServiceContext) -> list[ActiveDocument]:
    """Every activated document, by kind and time.

    Rule sets and the order of their own alerts are told to professional standards alone, who
    change them; what is active of the others' rules is on the page of rules.
    """
    with context.work(AuditEvent("consultation", "settings"), ()) as uow:
        context.allow(READS, "read settings")
        hidden = set() if context.actor.role == PSD else {"rules", ORDER_KINDS[PSD]}
        return [row for row in documents.list_active(uow) if row["kind"] not in hidden]


def get_policy(context: ServiceContext, day: str = "") -> PolicyInForce:
    """The active policy on a day (today by default): its text and every figure."""
    with context.work(AuditEvent("consultation", "policy"), ()) as uow:
        context.allow(READS, "read settings")
        recipe = active_inputs(uow, _day(context, day))
        sha256, content = recipe.policy, read_content(uow, recipe, "policy")
    return {
        "sha256": sha256 or shipped_sha256("policy"),
        "is_shipped": not sha256,
        "text": content.decode(),
        "figures": unpack_policy(content),
    }


def list_rules(context: ServiceContext, day: str = "") -> list[Rule]:
    """The active rules of the actor's lanes on a day (today by default)."""
    with context.work(AuditEvent("consultation", "rules"), ()) as uow:
        context.allow(READS, "read settings")
        rules = load_inputs(uow, active_inputs(uow, _day(context, day))).rules
    return [rule for rule in rules if rule.lane in context.actor.rule_lanes]


def get_model(context: ServiceContext) -> ModelInForce:
    """Facts about the active model: `status` is loaded, none or refused."""
    with context.work(AuditEvent("consultation", "model"), ()) as uow:
        context.allow(READS, "read settings")
        recipe = active_inputs(uow, str(context.now.date()))
        if not recipe.model:
            return {"status": "none", "sha256": ""}
        forest, why = read_model(uow, recipe)
    if why:
        return {"status": "refused", "sha256": recipe.model, "why": why}
    facts = {name: getattr(forest, name) for name in SHOWN_OF_FOREST}
    return cast("ModelInForce", {"status": "loaded", "sha256": recipe.model} | facts)


def get_proposal(context: ServiceContext, proposal_id: str) -> ProposedChange:
    """A proposal with its changes against what is active today; see `services.diffs`.

    Raises:
        NotFound: there is none of that id that the actor may know of.
    """
    event = AuditEvent("consultation", "proposal")
    with context.work(event, (context.actor.chain,)) as uow:
        context.allow(READS, "read settings")
        proposal = proposals.get_proposal(uow, proposal_id)
        event.object_id = proposal_id
        content = documents.read_document(uow, proposal["sha256"])
        changed_files = changes(uow, proposal["kind"], content, str(context.now.date()))
        before_after = []
        if proposal["kind"] in {"policy", POLICY_PACK}:
            policy = content
            if proposal["kind"] == POLICY_PACK:
                policy = pack_documents(uow, content, uow.today)[0]
            before_after = _policy_changes(context, uow, policy)
    return {
        **proposal,
        "changes": changed_files,
        "before_after": before_after,
    }


def preview(context: ServiceContext, kind: str, content: bytes) -> list[FileChange]:
    """Return what a policy or rules would change of what is active today; see `services.diffs`.

    Raises:
        NotAllowed: the role proposes no such document.
        FileFaulty: it has faults; all are listed.
    """
    _packed(context, kind, content)
    with context.work(AuditEvent("consultation", "settings"), ()) as uow:
        _may_propose(context, kind)
        return changes(uow, kind, content, str(context.now.date()))


def preview_policy(context: ServiceContext, content: bytes) -> list[PolicyChange]:
    """Changes that a policy would make to the active one, in words.

    Raises:
        NotAllowed: the role proposes no policy.
        FileFaulty: it has faults; all are listed.
    """
    with context.work(AuditEvent("consultation", "settings"), ()) as uow:
        _may_propose(context, "policy")
        return _policy_changes(context, uow, content)


def _policy_changes(context: ServiceContext, uow: UnitOfWork, content: bytes) -> list[PolicyChange]:
    before = unpack_policy(stated_policy(uow, str(context.now.date())))
    return policy_changes(before, unpack_policy(content))


def policy_form(context: ServiceContext) -> PolicyForm:
    """The active policy's form; see `services.policy_form`.

    Raises:
        NotAllowed: the role changes no settings.
    """
    return policy_form_of(_active_policy(context), context.now.date())


def change_policy(context: ServiceContext, form: Mapping[str, str]) -> str:
    """The TOML of the active policy with what its form changes; see `services.policy_form`.

    Raises:
        NotAllowed: the role changes no settings.
        CardwatchError: a field is wrong, or nothing is changed.
    """
    return changed_policy(_active_policy(context), form, context.now.date())


def _active_policy(context: ServiceContext) -> str:
    with context.work(AuditEvent("consultation", "policy"), ()) as uow:
        _may_propose(context, "policy")
        return stated_policy(uow, str(context.now.date())).decode()


def rules_with(context: ServiceContext, files: Mapping[str, str]) -> bytes:
    """The active rules with some files replaced, as a document.

    Raises:
        NotAllowed: the role changes no rules.
    """
    with context.work(AuditEvent("consultation", "rules"), ()) as uow:
        _may_propose(context, "rules")
        recipe = active_inputs(uow, str(context.now.date()))
        current_files = json.loads(read_content(uow, recipe, "rules"))
    return pack_rules(current_files | dict(files))


def propose(
    context: ServiceContext,
    kind: str,
    content: bytes | CardRegister | None,
    *,
    effective_from: str,
    reason: str,
) -> Proposal:
    """Propose a document; somebody else of the same role has to agree before it holds.

    Args:
        context: who proposes.
        kind: policy, rules, cards, model, or one of `alert_order.PROPOSED_ORDERS`.
        content: the document; none for a model, which is fitted to the last thirteen months, and
            for an order, which is made of the answers so far.
        effective_from: day from which it is to hold; today if none is said.
        reason: why.

    Raises:
        NotAllowed: the role proposes no such document: rules are professional standards' own.
        FileFaulty: the document has faults; all are listed.
        CardwatchError: no reason, no such kind, no such day.
    """
    day_of(effective_from or str(context.now.date()), "effective_from")
    kinds = (*DOCUMENT_KINDS, *PROPOSED_ORDERS)
    if kind not in kinds:
        sentence = f"Choose what to propose: {', '.join(kinds)}, not '{kind}'."
        raise CardwatchError(sentence, field="kind")
    packed = b"" if kind in PROPOSED_ORDERS else _packed(context, kind, content)
    lane = context.actor.chain
    with context.work(AuditEvent("alteration", "proposal"), (lane,)) as uow:
        _may_propose(context, kind)
        if kind == "policy":
            check_named_pack(uow, unpack_policy(packed))
        if kind in PROPOSED_ORDERS:
            kind, packed = ORDER_KINDS[lane], packed_order(uow, lane, kind)
            effective_from = ""  # it cannot wait: before the first of a kind, the first holds
        return proposals.propose(
            uow, kind, packed, effective_from=_day(context, effective_from), reason=reason
        )


def decide_proposal(context: ServiceContext, proposal_id: str, *, agrees: bool) -> Proposal:
    """Agree to a proposal or refuse it; see `casebook.proposals.decide_proposal`."""
    with context.work(AuditEvent("alteration", "proposal"), (context.actor.chain,)) as uow:
        context.allow(RECEIVES, "change settings")
        proposal = proposals.decide_proposal(uow, proposal_id, agrees=agrees)
        if agrees and proposal["kind"] == POLICY_PACK:
            activate_pack(uow, proposal["sha256"], proposal["effective_from"])
        return proposal


def has_approver(context: ServiceContext) -> bool:
    """Whether anybody else has the actor's role, and could approve what they propose."""
    with context.snapshot(()) as uow:
        return shares_role(uow)


def list_proposals(context: ServiceContext) -> list[Proposal]:
    """Return the proposals that the actor may know of: psd's are their own."""
    lanes = (context.actor.chain,)
    with context.work(AuditEvent("consultation", "proposals"), lanes) as uow:
        context.allow(READS, "read settings")
        return proposals.list_proposals(uow)


def _may_propose(context: ServiceContext, kind: str) -> None:
    """Refuse who changes no such setting; within a piece of work only."""
    context.allow(RECEIVES, "change settings")
    if kind == "rules" and context.actor.role != PSD:
        raise NotAllowed("Only professional standards can change rules.")


def _packed(context: ServiceContext, kind: str, content: bytes | CardRegister | None) -> bytes:
    """Return a document as it is kept, once it is found to have no fault."""
    if kind == "model":
        return pack_forest(newest_forest(context), str(context.now.date()))
    if kind == "cards":
        assert content is not None
        assert not isinstance(content, bytes)
        return pack_cards(content)
    assert isinstance(content, bytes)
    (unpack_policy if kind == "policy" else unpack_rules)(content)
    return content


def _day(context: ServiceContext, day: str) -> str:
    return str(day_of(day)) if day else str(context.now.date())
