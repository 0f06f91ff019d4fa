"""Models of people and keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import Lane, Name, RequestModel, Role, Short, Whole
from cardwatch.casebook.people import EMAIL, MAX_EMAIL_CHARACTERS


class Person(BaseModel):
    """A person who has, or had, access."""

    person_id: str
    name: str
    email: str
    role: Role
    holder_id: str
    holds_no_card: bool = Field(description="Whether it is stated that they hold no card.")
    made_at: str
    ended_at: str | None
    identity: str | None
    is_like_cardholder: bool = Field(
        description="Whether they are stated to hold no card, and a cardholder is named like them."
    )


class PersonCreate(RequestModel):
    """A person to give access to."""

    name: Name
    email: Annotated[str, StringConstraints(max_length=MAX_EMAIL_CHARACTERS, pattern=EMAIL)]
    role: Role
    holder_id: Short = Field(
        "", description="Who they are in statements: one of the card register, if it is in force."
    )
    holds_no_card: bool = Field(
        False, description="That they hold no card; finance and psd need one or the other."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Finance desk", "email": "desk@force.example",
                                         "role": "finance", "holds_no_card": True}]},
    )  # fmt: skip


class PersonCreated(BaseModel):
    """A person who was added."""

    person_id: str


class Invitation(BaseModel):
    """An invitation to set up an account; shown only once."""

    token: str


class CardholderLink(RequestModel):
    """Who somebody is in statements."""

    holder_id: Short = ""
    holds_no_card: bool = False

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"holder_id": "E1"}]})


class Key(BaseModel):
    """An API key without its secret."""

    key_id: str
    name: str
    role: Role
    can_decide: bool = Field(description="Whether it may record decisions.")
    scope: str = Field(description="What it is for alone; empty where its role says it all.")
    owner: str = Field(description="The person who answers for it, or the key if the installation.")
    used_on: str | None = Field(description="The day of its last use.")
    made_by: str
    made_at: str
    expires_on: str
    ended_at: str | None


class ApiKeyCreate(RequestModel):
    """An API key to create."""

    name: Name
    role: Role
    days: Whole = Field(90, ge=1, le=365)
    can_decide: bool = Field(False, description="Whether it may record decisions.")
    scope: Literal["", "directory"] = Field(
        "", description="`directory` for an identity provider: SCIM alone, with the role admin."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "ledger system", "role": "finance", "days": 90}]},
    )


class NewKey(BaseModel):
    """An API key; shown only once."""

    key: str


class DirectoryUser(BaseModel):
    """A user whom the identity provider keeps here."""

    user_id: str
    user_name: str
    email: str = Field(description="The person they are here; empty if the provider names none.")
    name: str
    employee_number: str
    is_active: bool = Field(description="False once the provider has deactivated them.")
    role: Literal["", "finance", "auditor", "admin"] = Field(
        description="What their groups call for."
    )
    waits_for: Literal["", "an email address", "a cardholder"] = Field(
        description="What the role cannot be given without; empty if nothing is missing."
    )
    made_at: str
    changed_at: str


class DirectoryGroup(BaseModel):
    """A group that the identity provider keeps here."""

    group_id: str
    name: str
    external_id: str
    role: Literal["", "finance", "auditor", "admin"]
    made_at: str
    changed_at: str
    members: list[str] = Field(description="Ids of its users.")


class GroupRole(RequestModel):
    """The role that a group gives its members; none if empty."""

    role: Literal["", "finance", "auditor", "admin"]

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "finance"}]})


class Webhook(BaseModel):
    """The webhook of the caller's lane."""

    lane: Lane
    url: str
    made_by: str
    made_at: str


class WebhookUpdate(RequestModel):
    """A webhook for the caller's lane: an https address on an allowed host."""

    url: Annotated[str, StringConstraints(max_length=500)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://systems.force.example/cardwatch"}]},
    )


class WebhookSecret(BaseModel):
    """The secret that signs notices (Standard Webhooks); shown only once."""

    secret: str
