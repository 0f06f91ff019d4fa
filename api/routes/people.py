"""Routes of people, API keys and webhooks."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import AppStateDep, Context, VerifiedContext
from api.notifications import check_address
from api.schemas.base import Id
from api.schemas.people import (
    ApiKeyCreate,
    CardholderLink,
    GroupRole,
    Invitation,
    NewKey,
    PersonCreate,
    PersonCreated,
    WebhookSecret,
    WebhookUpdate,
)
from cardwatch import services
from cardwatch.casebook import rows

router = APIRouter(tags=["people"])


@router.get("/people")
def list_people(context: Context) -> list[rows.ListedPerson]:
    """List the people who have, or had, access."""
    return services.list_people(context)


@router.post("/people", response_model=PersonCreated, status_code=201)
def add_person(body: PersonCreate, context: VerifiedContext) -> dict[str, str]:
    """Add a person with a role; only professional standards add their own people."""
    return {"person_id": services.add_person(context, **body.model_dump())}


@router.delete("/people/{person_id}", status_code=204)
def end_person(person_id: Id, context: VerifiedContext) -> None:
    """End a person's access, their sessions and their account, at once."""
    services.end_person(context, person_id)


@router.put("/people/{person_id}/cardholder", status_code=204)
def set_cardholder(person_id: Id, body: CardholderLink, context: VerifiedContext) -> None:
    """Set who a person is in statements, or that they hold no card."""
    services.set_link(context, person_id, **body.model_dump())


@router.post("/people/{person_id}/invitation", response_model=Invitation, status_code=201)
def invite_person(person_id: Id, context: VerifiedContext) -> dict[str, str]:
    """Invite a person to set up an account or a new password; shown only once."""
    return {"token": services.invite(context, person_id)}


@router.get("/keys")
def list_keys(context: Context) -> list[rows.Key]:
    """List API keys without their secrets."""
    return services.list_keys(context)


@router.post("/keys", response_model=NewKey, status_code=201)
def create_key(body: ApiKeyCreate, context: VerifiedContext) -> dict[str, str]:
    """Make a key for a machine; it is shown this once."""
    return {"key": services.create_key(context, **body.model_dump())}


@router.delete("/keys/{key_id}", status_code=204)
def revoke_key(key_id: Id, context: VerifiedContext) -> None:
    """Revoke a key at once."""
    services.revoke_key(context, key_id)


@router.get("/directory/users")
def list_directory_users(context: Context) -> list[rows.DirectoryUser]:
    """List the users that the identity provider keeps here, and what their role waits for."""
    return services.list_directory_users(context)


@router.get("/directory/groups")
def list_directory_groups(context: Context) -> list[rows.DirectoryGroup]:
    """List the groups that the identity provider keeps here, with the role each gives."""
    return services.list_directory_groups(context)


@router.put("/directory/groups/{group_id}/role", status_code=204)
def set_group_role(group_id: Id, body: GroupRole, context: VerifiedContext) -> None:
    """Let a group give its members a role, or none; no group gives that of professional standards.

    It applies at once to everybody in the group.
    """
    services.set_group_role(context, group_id, body.role)


@router.get("/webhook")
def get_webhook(context: Context) -> list[rows.Webhook]:
    """Show the webhook of the caller's lane, if any."""
    return services.list_webhooks(context)


@router.put("/webhook", response_model=WebhookSecret)
def set_webhook(body: WebhookUpdate, context: Context, service: AppStateDep) -> dict[str, str]:
    """Set the webhook of the caller's lane; its secret is shown only once."""
    check_address(service.settings, body.url)
    return {"secret": services.set_webhook(context, body.url, service.seal)}


@router.delete("/webhook", status_code=204)
def end_webhook(context: Context) -> None:
    """Remove the webhook of the caller's lane."""
    services.end_webhook(context)
