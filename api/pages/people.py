"""Pages of people and API keys: list, add, invite and remove."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import At
from api.pages.page import Sent, confirm, field_errors, found_by, go, number, render
from cardwatch import desk
from cardwatch.casebook import PSD, ROLES
from cardwatch.casebook.api_keys import LONGEST_KEY_DAYS
from cardwatch.errors import CardwatchError, NotAllowed

router = APIRouter()
DOES = {
    "finance": "Uploads statements, asks about alerts and records the answers",
    "auditor": "Reads finance's alerts, the settings and the audit log; decides nothing",
    "psd": "Professional standards: sees both lists of alerts, one of which nobody else sees",
    "admin": "Manages people, API keys and retention; sees no alerts",
}


def _roles(at: At) -> list[dict[str, str]]:
    """Return the roles that somebody may give."""
    may = (PSD,) if at.actor.role == PSD else tuple(role for role in ROLES if role != PSD)
    return [{"value": r, "label": r.capitalize(), "hint": DOES[r]} for r in may]


def _gives(at: At, role: str) -> None:
    """Refuse who may not give a role, nor take it.

    Raises:
        NotAllowed: they may not.
    """
    if role not in {one["value"] for one in _roles(at)}:
        raise NotAllowed("Your role cannot manage this access.")


@router.get("/people")
def list_people(request: Request, at: At) -> Response:
    """Show who has access, with the form to add somebody."""
    return _people_page(request, at, {}, {})


def _people_page(
    request: Request, at: At, sent: dict[str, str], errors: dict[str, str]
) -> Response:
    people = desk.list_people(at)
    return render(
        request, "people.html", errors=errors, sent=sent,
        people=people, roles=_roles(at), cardholders=desk.list_cardholders(at),
    )  # fmt: skip


@router.post("/people")
def add_person(request: Request, at: At, sent: Sent) -> Response:
    """Add a person; their page is where they are invited."""
    try:
        if not sent.get("name"):
            return _people_page(request, at, sent, {"name": "Enter their name"})
        person = desk.add_person(
            at, name=sent["name"], email=sent.get("email", ""), role=sent.get("role", ""),
            holder_id=sent.get("holder_id", ""), holds_no_card="holds_no_card" in sent,
        )  # fmt: skip
    except CardwatchError as refusal:
        return _people_page(request, at, sent, field_errors(refusal))
    return go(f"/people/{person}")


@router.get("/people/{person_id}")
def show_person(request: Request, at: At, person_id: str) -> Response:
    """Show one person, with what may be done."""
    return _person_page(request, at, person_id)


def _person_page(
    request: Request, at: At, person_id: str, token: str = "", errors: dict[str, str] | None = None
) -> Response:
    found = found_by(desk.list_people(at), "person_id", person_id)
    may = found["role"] in {one["value"] for one in _roles(at)} and not found["ended_at"]
    return render(
        request, "person.html", found=found, may=may, does=DOES, token=token, errors=errors or {},
        cardholders=desk.list_cardholders(at) if may else [],
    )  # fmt: skip


@router.post("/people/{person_id}/cardholder")
def set_cardholder(request: Request, at: At, person_id: str, sent: Sent) -> Response:
    """Set who a person is in statements, or that they hold no card."""
    try:
        desk.set_link(
            at, person_id, holder_id=sent.get("holder_id", ""),
            holds_no_card="holds_no_card" in sent,
        )  # fmt: skip
    except CardwatchError as refusal:
        return _person_page(request, at, person_id, errors=field_errors(refusal))
    return go(f"/people/{person_id}")


@router.post("/people/{person_id}/invitation")
def invite_person(request: Request, at: At, person_id: str) -> Response:
    """Invite a person to take their account, or to set a new password; it is shown this once."""
    return _person_page(request, at, person_id, desk.invite(at, person_id))


@router.get("/people/{person_id}/end")
def show_ending_person(request: Request, at: At, person_id: str) -> Response:
    """Ask whether somebody's access is to end."""
    found = found_by(desk.list_people(at), "person_id", person_id)
    _gives(at, found["role"])
    return confirm(
        request, f"End {found['name']}'s access?", f"/people/{person_id}",
        "They are signed out at once and cannot sign in again. Keys that they created stop working "
        "too, so create new ones first for systems that need them. What they did stays on record. "
        "You can add them again later.", "End their access",
    )  # fmt: skip


@router.post("/people/{person_id}/end")
def end_person(at: At, person_id: str) -> Response:
    """End a person's access, their sessions and their account, at once."""
    desk.end_person(at, person_id)
    return go("/people")


@router.get("/keys")
def list_keys(request: Request, at: At) -> Response:
    """Show the keys of machines, with the form to make one."""
    return _keys_page(request, at, {}, {})


def _keys_page(
    request: Request, at: At, sent: dict[str, str], errors: dict[str, str], key: str = ""
) -> Response:
    keys = desk.list_keys(at)
    return render(
        request, "keys.html", errors=errors, sent=sent,
        keys=keys, roles=_roles(at), key=key, longest=LONGEST_KEY_DAYS, today=str(at.now.date()),
    )  # fmt: skip


@router.post("/keys")
def make_key(request: Request, at: At, sent: Sent) -> Response:
    """Create an API key; it is shown only once."""
    try:
        if not sent.get("name"):
            return _keys_page(request, at, sent, {"name": "Enter what the key is for"})
        key = desk.make_key(
            at, name=sent["name"], role=sent.get("role", ""), days=number(sent.get("days", "90")),
            can_decide="can_decide" in sent,
        )  # fmt: skip
    except CardwatchError as refusal:
        return _keys_page(request, at, sent, field_errors(refusal))
    return _keys_page(request, at, {}, {}, key)


@router.get("/keys/{key_id}/end")
def show_ending_key(request: Request, at: At, key_id: str) -> Response:
    """Ask whether a key is to end."""
    found = found_by(desk.list_keys(at), "key_id", key_id)
    _gives(at, found["role"])
    return confirm(
        request, f"Revoke the key '{found['name']}'?", "/keys",
        "Systems that use it lose access at once, and so do keys that were made with it. You "
        "cannot restore a key, but you can create a new one.", "Revoke key",
    )  # fmt: skip


@router.post("/keys/{key_id}/end")
def end_key(at: At, key_id: str) -> Response:
    """Revoke a key at once."""
    desk.end_key(at, key_id)
    return go("/keys")
