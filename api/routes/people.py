"""Routes of people, API keys and webhooks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.deps import At, Serving
from api.schemas import (
    Added,
    Id,
    Invitation,
    Key,
    NewKey,
    Person,
    ToAdd,
    ToKey,
    ToLink,
    ToWebhook,
    Webhook,
    WebhookSecret,
)
from api.sending import check_address
from cardwatch import desk

router = APIRouter(tags=["people"])


@router.get("/people", response_model=list[Person])
def list_people(at: At) -> list[dict[str, Any]]:
    """List the people who have, or had, access."""
    return desk.list_people(at)


@router.post("/people", response_model=Added, status_code=201)
def add_person(sent: ToAdd, at: At) -> dict[str, str]:
    """Add a person with a role; only professional standards add their own people."""
    return {"person_id": desk.add_person(at, **sent.model_dump())}


@router.delete("/people/{person_id}", status_code=204)
def end_person(person_id: Id, at: At) -> None:
    """End a person's access, their sessions and their account, at once."""
    desk.end_person(at, person_id)


@router.put("/people/{person_id}/cardholder", status_code=204)
def set_cardholder(person_id: Id, sent: ToLink, at: At) -> None:
    """Set who a person is in statements, or that they hold no card."""
    desk.set_link(at, person_id, **sent.model_dump())


@router.post("/people/{person_id}/invitation", response_model=Invitation, status_code=201)
def invite_person(person_id: Id, at: At) -> dict[str, str]:
    """Invite a person to set up an account or a new password; shown only once."""
    return {"token": desk.invite(at, person_id)}


@router.get("/keys", response_model=list[Key])
def list_keys(at: At) -> list[dict[str, Any]]:
    """List API keys without their secrets."""
    return desk.list_keys(at)


@router.post("/keys", response_model=NewKey, status_code=201)
def make_key(sent: ToKey, at: At) -> dict[str, str]:
    """Make a key for a machine; it is shown this once."""
    return {"key": desk.make_key(at, **sent.model_dump())}


@router.delete("/keys/{key_id}", status_code=204)
def end_key(key_id: Id, at: At) -> None:
    """Revoke a key at once."""
    desk.end_key(at, key_id)


@router.get("/webhook", response_model=list[Webhook])
def get_webhook(at: At) -> list[dict[str, Any]]:
    """Show the webhook of the caller's lane, if any."""
    return desk.list_webhooks(at)


@router.put("/webhook", response_model=WebhookSecret)
def set_webhook(sent: ToWebhook, at: At, service: Serving) -> dict[str, str]:
    """Set the webhook of the caller's lane; its secret is shown only once."""
    check_address(service.settings, sent.url)
    return {"secret": desk.set_webhook(at, sent.url, service.seal)}


@router.delete("/webhook", status_code=204)
def end_webhook(at: At) -> None:
    """Remove the webhook of the caller's lane."""
    desk.end_webhook(at)
