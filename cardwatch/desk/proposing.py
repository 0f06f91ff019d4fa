"""The active settings and proposals: one person proposes, another approves."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cardwatch.casebook import FINANCE, PSD, Event, documents, proposals
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import KINDS, RECEIVES
from cardwatch.casebook.work import short_id
from cardwatch.desk.changes import changes
from cardwatch.desk.desk import shown
from cardwatch.desk.receiving import newest_forest
from cardwatch.desk.recipe import (
    pack_cards,
    pack_forest,
    pack_rules,
    read_content,
    read_model,
    read_recipe,
    recipe_of,
    shipped_sha256,
    unpack_policy,
    unpack_rules,
)
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.statements import (
    checked_profile,
    missing_fields,
    parse_profile,
    profile_toml,
    shipped_profiles,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.desk.desk import Desk
    from cardwatch.records import CardRegister
    from cardwatch.rules import Rule
    from cardwatch.statements import Profile

NEEDS = {
    "date": "Choose the column with the date of the purchase",
    "merchant": "Choose the column with the merchant",
    "amount": "Choose the column with the amount, or the one with debits",
    "holder": "Choose the column that names the cardholder: a number, a name or a card",
}
"""Error messages for required fields without a column."""
SHOWN_OF_FOREST = ("features", "rows", "holders", "first_on", "last_on", "data_sha256")


def list_in_force(desk: Desk) -> list[dict[str, Any]]:
    """Every activated document, by kind and time.

    Rule sets are told to professional standards alone, who change them; what is active of the
    others' rules is on the page of rules.
    """
    with desk.work(Event("consultation", "settings"), ()) as work:
        desk.allow((*RECEIVES, "auditor"), "read settings")
        hidden = "" if desk.actor.role == PSD else "rules"
        return [shown(row) for row in documents.list_in_force(work) if row["kind"] != hidden]


def get_policy(desk: Desk, day: str = "") -> dict[str, Any]:
    """The active policy on a day (today by default): its text and every figure."""
    with desk.work(Event("consultation", "policy"), ()) as work:
        desk.allow((*RECEIVES, "auditor"), "read settings")
        recipe = recipe_of(work, _day(desk, day))
        sha256, content = recipe.policy, read_content(work, recipe, "policy")
    figures = asdict(unpack_policy(content))
    return {
        "sha256": sha256 or shipped_sha256("policy"),
        "is_shipped": not sha256,
        "text": content.decode(),
        "figures": figures,
    }


def list_rules(desk: Desk, day: str = "") -> list[Rule]:
    """The active rules of the actor's lanes on a day (today by default)."""
    with desk.work(Event("consultation", "rules"), ()) as work:
        desk.allow((*RECEIVES, "auditor"), "read settings")
        rules = read_recipe(work, recipe_of(work, _day(desk, day))).rules
    lanes = (*desk.actor.lanes, FINANCE)
    return [rule for rule in rules if rule.lane in lanes]


def get_model(desk: Desk) -> dict[str, Any]:
    """Facts about the active model: `status` is loaded, none or refused."""
    with desk.work(Event("consultation", "model"), ()) as work:
        desk.allow((*RECEIVES, "auditor"), "read settings")
        recipe = recipe_of(work, str(desk.now.date()))
        if not recipe.model:
            return {"status": "none", "sha256": ""}
        forest, why = read_model(work, recipe)
    if why:
        return {"status": "refused", "sha256": recipe.model, "why": why}
    told = {name: getattr(forest, name) for name in SHOWN_OF_FOREST}
    return {"status": "loaded", "sha256": recipe.model} | told


def get_proposal(desk: Desk, proposal_id: str) -> dict[str, Any]:
    """A proposal with its changes against what is active today; see `desk.changes`.

    Raises:
        NotFound: there is none of that id that the actor may know of.
    """
    event = Event("consultation", "proposal")
    with desk.work(event, (desk.actor.chain,)) as work:
        desk.allow((*RECEIVES, "auditor"), "read settings")
        found = proposals.get_proposal(work, proposal_id)
        event.object_id = proposal_id
        content = documents.read_document(work, found["sha256"])
        told = changes(work, found["kind"], content, str(desk.now.date()))
    return shown(found) | {"changes": told}


def preview(desk: Desk, kind: str, content: bytes) -> list[dict[str, Any]]:
    """Return what a policy or rules would change of what is active today; see `desk.changes`.

    Raises:
        NotAllowed: the role proposes no such document.
        FileFaulty: it has faults; all are listed.
    """
    _packed(desk, kind, content)
    with desk.work(Event("consultation", "settings"), ()) as work:
        _may_propose(desk, kind)
        return changes(work, kind, content, str(desk.now.date()))


def rules_with(desk: Desk, files: Mapping[str, str]) -> bytes:
    """The active rules with some files replaced, as a document.

    Raises:
        NotAllowed: the role changes no rules.
    """
    with desk.work(Event("consultation", "rules"), ()) as work:
        _may_propose(desk, "rules")
        recipe = recipe_of(work, str(desk.now.date()))
        held = json.loads(read_content(work, recipe, "rules"))
    return pack_rules(held | dict(files))


def propose(
    desk: Desk, kind: str, content: bytes | CardRegister | None, *, holds_from: str, reason: str
) -> dict[str, Any]:
    """Propose a document; somebody else of the same role has to agree before it holds.

    Args:
        desk: who proposes.
        kind: policy, rules, cards or model.
        content: the document; none for a model, which is fitted to the last thirteen months.
        holds_from: day from which it is to hold; today if none is said.
        reason: why.

    Raises:
        NotAllowed: the role proposes no such document: rules are professional standards' own.
        FileFaulty: the document has faults; all are listed.
        CardwatchError: no reason, no such kind, no such day.
    """
    day_of(holds_from or str(desk.now.date()), "holds_from")
    if kind not in KINDS:
        sentence = f"Choose what to propose: {', '.join(KINDS)}, not '{kind}'."
        raise CardwatchError(sentence, field="kind")
    packed = _packed(desk, kind, content)
    with desk.work(Event("alteration", "proposal"), (desk.actor.chain,)) as work:
        _may_propose(desk, kind)
        found = proposals.propose(
            work, kind, packed, holds_from=_day(desk, holds_from), reason=reason
        )
        return shown(found)


def decide_proposal(desk: Desk, proposal_id: str, *, agrees: bool) -> dict[str, Any]:
    """Agree to a proposal or refuse it; see `casebook.proposals.decide_proposal`."""
    with desk.work(Event("alteration", "proposal"), (desk.actor.chain,)) as work:
        desk.allow(RECEIVES, "change settings")
        return shown(proposals.decide_proposal(work, proposal_id, agrees=agrees))


def list_proposals(desk: Desk) -> list[dict[str, Any]]:
    """Return the proposals that the actor may know of: psd's are their own."""
    lanes = (desk.actor.chain,)
    with desk.work(Event("consultation", "proposals"), lanes) as work:
        desk.allow((*RECEIVES, "auditor"), "read settings")
        return [shown(row) for row in proposals.list_proposals(work)]


def keep_layout(desk: Desk, text: str) -> None:
    """Remember a column profile for files with its headings, in place of one for the same.

    Raises:
        NotAllowed: the role receives no statements.
        FileFaulty: it has faults; all are listed.
    """
    headings = sorted(parse_profile(text, "columns").recognise)
    with desk.work(Event("alteration", "layout"), ()) as work:
        desk.allow(RECEIVES, "upload statements")
        documents.keep_layout(work, short_id(*headings or [text]), text)


def keep_columns(desk: Desk, *, headings: Sequence[str], chosen: Mapping[str, str]) -> None:
    """Remember which heading holds which field, for files with the same headings.

    Args:
        desk: who has checked the columns.
        headings: all of the file's.
        chosen: the heading of each field; empty where the file has none. Fields that are left out
            are guessed; see `cardwatch.statements.checked_profile`.

    Raises:
        NotAllowed: the role receives no statements.
        CardwatchError: a field that is needed has no heading, or one heading holds two fields.
    """
    used: set[str] = set()
    for field, heading in chosen.items():
        if heading in used:
            raise CardwatchError("This column is already chosen for another field.", field=field)
        used |= {heading} - {""}
    profile = checked_profile(headings, chosen, shipped_profiles())
    missing = missing_fields(profile.map(headings))
    if missing:
        field = {"holder": "employee_id"}.get(missing[0], missing[0])
        raise CardwatchError(NEEDS[missing[0]], field=field)
    keep_layout(desk, profile_toml(profile))


def layouts(desk: Desk) -> list[Profile]:
    """Return the column profiles that the organisation remembers, the newest first."""
    with desk.casebook.quiet(desk.actor, desk.now, reads=True) as work:
        texts = [row["content"] for row in documents.list_layouts(work)]
    return [parse_profile(text, "columns") for text in texts]


def _may_propose(desk: Desk, kind: str) -> None:
    """Refuse who changes no such setting; within a piece of work only."""
    desk.allow(RECEIVES, "change settings")
    if kind == "rules" and desk.actor.role != PSD:
        raise NotAllowed("Only professional standards can change rules.")


def _packed(desk: Desk, kind: str, content: bytes | CardRegister | None) -> bytes:
    """Return a document as it is kept, once it is found to have no fault."""
    if kind == "model":
        return pack_forest(newest_forest(desk), str(desk.now.date()))
    if kind == "cards":
        assert content is not None
        assert not isinstance(content, bytes)
        return pack_cards(content)
    assert isinstance(content, bytes)
    (unpack_policy if kind == "policy" else unpack_rules)(content)
    return content


def _day(desk: Desk, day: str) -> str:
    return str(day_of(day)) if day else str(desk.now.date())
