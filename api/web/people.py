"""Pages of people and API keys: list, add, invite and remove."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import Context, VerifiedContext
from api.web.base import FormFields, confirm, get_or_404, number, redirect, render, shown_again
from cardwatch import services
from cardwatch.casebook import PSD, ROLES
from cardwatch.casebook.api_keys import LONGEST_KEY_DAYS
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.vocabulary import ROLE_TITLES

router = APIRouter()
DOES = {
    "finance": "Uploads statements, asks about alerts and records the answers",
    "auditor": "Reads finance's alerts, the settings and the audit log; decides nothing",
    "psd": "Sees both lists of alerts, one of which nobody else sees",
    "admin": "Manages people, API keys and retention; sees no alerts",
}


def _roles(context: Context) -> list[dict[str, str]]:
    """Return the roles that somebody may give."""
    may = (PSD,) if context.actor.role == PSD else tuple(role for role in ROLES if role != PSD)
    return [{"value": r, "label": ROLE_TITLES[r], "hint": DOES[r]} for r in may]


def _gives(context: Context, role: str) -> None:
    """Refuse who may not give a role, nor take it.

    Raises:
        NotAllowed: they may not.
    """
    if role not in {option["value"] for option in _roles(context)}:
        raise NotAllowed("Your role cannot manage this access.")


@router.get("/people")
def list_people(request: Request, context: Context) -> Response:
    """Show who has access, with the form to add somebody."""
    return render(
        request, "people.html", people=services.list_people(context), roles=_roles(context),
        cardholders=services.list_cardholders(context),
    )  # fmt: skip


@router.post("/people")
@shown_again(list_people)
def add_person(request: Request, context: VerifiedContext, form: FormFields) -> Response:
    """Add a person; their page is where they are invited."""
    if not form.get("name"):
        raise CardwatchError("Enter their name", field="name")
    person = services.add_person(
        context, name=form["name"], email=form.get("email", ""), role=form.get("role", ""),
        holder_id=form.get("holder_id", ""), holds_no_card="holds_no_card" in form,
    )  # fmt: skip
    return redirect(f"/people/{person}", "person-added")


@router.get("/people/directory")
def show_directory(request: Request, context: Context) -> Response:
    """Show the groups and users of the identity provider, and the role that each group gives."""
    groups = services.list_directory_groups(context)
    return render(
        request, "directory.html", groups=groups, users=services.list_directory_users(context),
        roles=[role for role in ROLES if role != PSD],
    )  # fmt: skip


@router.post("/people/directory")
@shown_again(show_directory)
def set_group_role(request: Request, context: VerifiedContext, form: FormFields) -> Response:
    """Let a group of the identity provider give a role, or none."""
    if not form.get("group_id"):
        raise CardwatchError("Choose a group", field="group_id")
    services.set_group_role(context, form["group_id"], form.get("role", ""))
    return redirect("/people/directory", "role-saved")


@router.get("/people/{person_id}")
def show_person(request: Request, context: Context, person_id: str) -> Response:
    """Show one person, with what may be done."""
    return _person_page(request, context, person_id)


def _person_page(request: Request, context: Context, person_id: str, token: str = "") -> Response:
    person = get_or_404(services.list_people(context), "person_id", person_id)
    may = (
        person["role"] in {option["value"] for option in _roles(context)} and not person["ended_at"]
    )
    return render(
        request, "person.html", found=person, may=may, does=DOES, token=token,
        cardholders=services.list_cardholders(context) if may else [],
    )  # fmt: skip


@router.post("/people/{person_id}/cardholder")
@shown_again(show_person)
def set_cardholder(
    request: Request, context: VerifiedContext, person_id: str, form: FormFields
) -> Response:
    """Set who a person is in statements, or that they hold no card."""
    services.set_link(
        context, person_id, holder_id=form.get("holder_id", ""),
        holds_no_card="holds_no_card" in form,
    )  # fmt: skip
    return redirect(f"/people/{person_id}", "cardholder-saved")


@router.post("/people/{person_id}/invitation")
def invite_person(request: Request, context: VerifiedContext, person_id: str) -> Response:
    """Invite a person to take their account, or to set a new password; it is shown this once."""
    return _person_page(request, context, person_id, services.invite(context, person_id))


@router.get("/people/{person_id}/end")
def show_ending_person(request: Request, context: Context, person_id: str) -> Response:
    """Ask whether somebody's access is to end."""
    person = get_or_404(services.list_people(context), "person_id", person_id)
    _gives(context, person["role"])
    return confirm(
        request, f"End {person['name']}'s access?", f"/people/{person_id}",
        "They are signed out at once and cannot sign in again. Keys that they created stop working "
        "too, so create new ones first for systems that need them. What they did stays on record. "
        "You can add them again later.", "End their access",
    )  # fmt: skip


@router.post("/people/{person_id}/end")
def end_person(context: VerifiedContext, person_id: str) -> Response:
    """End a person's access, their sessions and their account, at once."""
    services.end_person(context, person_id)
    return redirect("/people", "access-ended")


@router.get("/keys")
def list_keys(request: Request, context: Context) -> Response:
    """Show the keys of machines, with the form to make one."""
    return _keys_page(request, context)


def _keys_page(request: Request, context: Context, key: str = "") -> Response:
    return render(
        request, "keys.html", keys=services.list_keys(context), roles=_roles(context), key=key,
        longest=LONGEST_KEY_DAYS, today=str(context.now.date()),
    )  # fmt: skip


@router.post("/keys")
@shown_again(list_keys)
def create_key(request: Request, context: VerifiedContext, form: FormFields) -> Response:
    """Create an API key; it is shown only once."""
    if not form.get("name"):
        raise CardwatchError("Enter what the key is for", field="name")
    key = services.create_key(
        context, name=form["name"], role=form.get("role", ""),
        days=number(form.get("days", "90")),
        can_decide="can_decide" in form, scope=form.get("scope", ""),
    )  # fmt: skip
    return _keys_page(request, context, key)


@router.get("/keys/{key_id}/end")
def show_ending_key(request: Request, context: Context, key_id: str) -> Response:
    """Ask whether a key is to end."""
    key_row = get_or_404(services.list_keys(context), "key_id", key_id)
    _gives(context, key_row["role"])
    return confirm(
        request, f"Revoke the key '{key_row['name']}'?", "/keys",
        "Systems that use it lose access at once, and so do keys that were made with it. You "
        "cannot restore a key, but you can create a new one.", "Revoke key",
    )  # fmt: skip


@router.post("/keys/{key_id}/end")
def revoke_key(context: VerifiedContext, key_id: str) -> Response:
    """Revoke a key at once."""
    services.revoke_key(context, key_id)
    return redirect("/keys", "key-revoked")
