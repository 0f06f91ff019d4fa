"""Models of people and keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import Name, RequestModel, Short, Whole
from cardwatch.casebook.people import EMAIL, MAX_EMAIL_CHARACTERS
from cardwatch.vocabulary import Role


class PersonCreate(RequestModel):
    """A person to give access to."""

    name: Name
    email: Annotated[str, StringConstraints(max_length=MAX_EMAIL_CHARACTERS, pattern=EMAIL)]
    role: Role
    holder_id: Short = Field(
        "",
        description="Who they are in statements, as in the active card register if there is one.",
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


class GroupRole(RequestModel):
    """The role that a group gives its members; none if empty."""

    role: Literal["", "finance", "auditor", "admin"]

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "finance"}]})


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
