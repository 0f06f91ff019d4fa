"""Models of health and version."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Version(BaseModel):
    """The version of cardwatch."""

    cardwatch: str
    tables: str
    database: Literal["sqlite", "postgresql"]


class Health(BaseModel):
    """Whether the service is alive, or ready."""

    status: Literal["ok", "failed"]
