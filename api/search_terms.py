"""Search terms in addresses: encrypted, so that no name stands in an address or a proxy's log."""

from __future__ import annotations

import base64
import binascii
import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.state import Service
    from cardwatch.casebook import Actor

MAX_TERM_CHARACTERS = 100
MAX_TOKEN_CHARACTERS = 1_000
NOT_YOURS = "Search again: only the person who searched can open the link to a search."


def seal_term(service: Service, actor: Actor, term: str) -> str:
    """Return a search term as text for an address, which its owner alone can use.

    The same term gives the same text (AES-SIV, RFC 5297): an address can be kept and compared.

    Raises:
        CardwatchError: the term is too long.
    """
    if len(term) > MAX_TERM_CHARACTERS:
        sentence = f"Search for {MAX_TERM_CHARACTERS} characters or fewer."
        raise CardwatchError(sentence, field="text")
    sealed = _ciphers(service)[0].encrypt(term.encode("utf-8", "replace"), _owner(actor))
    return base64.urlsafe_b64encode(sealed).decode()


def with_term(
    service: Service, actor: Actor, filters: Mapping[str, str], term: str
) -> dict[str, str]:
    """Return the filters of an address with a search term in place of the one before, sealed.

    Raises:
        CardwatchError: the term is too long.
    """
    kept_filters = {name: value for name, value in filters.items() if name != "search"}
    return kept_filters | ({"search": seal_term(service, actor, term)} if term else {})


def read_term(service: Service, actor: Actor, token: str) -> str:
    """Return the search term of an address; empty for no token.

    Raises:
        CardwatchError: it does not belong to this person.
    """
    if not token:
        return ""
    try:
        sealed = base64.b64decode(token[:MAX_TOKEN_CHARACTERS], altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise CardwatchError(NOT_YOURS, field="text") from error
    for cipher in _ciphers(service):
        with suppress(InvalidTag, ValueError):
            return cipher.decrypt(sealed, _owner(actor)).decode()
    raise CardwatchError(NOT_YOURS, field="text")


def _ciphers(service: Service) -> list[AESSIV]:
    """The ciphers of the installation's secrets, the newest first."""
    return [
        AESSIV(hashlib.sha512(b"cardwatch search term 1\n" + secret).digest())
        for secret in service.card_secrets
    ]


def _owner(actor: Actor) -> list[bytes]:
    return [actor.organisation_id.encode(), actor.actor_id.encode()]
