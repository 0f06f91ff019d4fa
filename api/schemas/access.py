"""Models of accounts and sessions."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from api.schemas.base import RequestModel, Short


class SignIn(RequestModel):
    """Password and code of a person."""

    organisation: Short
    email: Short
    password: Annotated[str, StringConstraints(max_length=128)]
    code: Annotated[str, StringConstraints(max_length=10)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"organisation": "saltmarsh-vale",
                                         "email": "finance@saltmarsh-vale.example",
                                         "password": "four words in no order",
                                         "code": "123456"}]},
    )  # fmt: skip


class Code(RequestModel):
    """A code of the caller's authenticator app."""

    code: Annotated[str, StringConstraints(max_length=10)]

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "123456"}]})


class Token(RequestModel):
    """An invitation."""

    token: Short

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"token": "saltmarsh-vale_x"}]}
    )


class Secret(BaseModel):
    """The secret for an authenticator app, and the same as an address to be shown as a QR code."""

    email: str
    secret: str
    address: str


class AccountActivate(RequestModel):
    """The password somebody chooses, and the first code of their authenticator app."""

    token: Short
    password: Annotated[str, StringConstraints(max_length=1_000)]
    code: Annotated[str, StringConstraints(max_length=10)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"token": "saltmarsh-vale_x",
                                         "password": "four words in no order",
                                         "code": "123456"}]},
    )  # fmt: skip


class PasswordChange(RequestModel):
    """A new password, with the old one and a code."""

    password: Annotated[str, StringConstraints(max_length=128)]
    code: Annotated[str, StringConstraints(max_length=10)]
    new: Annotated[str, StringConstraints(max_length=1_000)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"password": "four words in no order", "code": "123456",
                                         "new": "four other words in no order"}]},
    )  # fmt: skip
