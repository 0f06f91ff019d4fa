"""Sign-in at an identity provider: OpenID Connect, code flow with PKCE, state and nonce."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import TYPE_CHECKING, Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from cryptography.fernet import InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from api.settings import is_loopback
from cardwatch import services
from cardwatch.casebook import PSD
from cardwatch.casebook.sessions import VERIFIED_MINUTES, ProviderLogout, ProviderSignIn
from cardwatch.casebook.unit_of_work import as_text
from cardwatch.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.state import Service

FLOW_SECONDS = 600
"""Seconds allowed for signing in at the provider."""
PROVIDER_TIMEOUT_SECONDS = 10
LEEWAY_SECONDS = 30
"""Seconds by which the provider's clock may differ."""
ALGORITHMS = ["RS256", "PS256", "ES256"]
"""Signatures that are taken, whatever the provider says of itself."""
ANYTHING = "any"
"""The setting that leaves the second factor to the provider."""
OIDC_REFUSAL = "Signing in with your organisation's account failed. Try again."
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_REFUSAL = "The logout token is not valid."
NOT_SET = "Signing in with your organisation's account is not set up here."


def authorise_url(
    service: Service, place: str, session: str, *, is_again: bool = False, following: str = "/"
) -> tuple[str, str]:
    """Return the provider's address for one sign-in, and what the browser is to bring back.

    Args:
        service: where somebody signs in.
        place: to which the provider sends them back.
        session: that their browser holds already, if any; it ends when the new one begins.
        is_again: whether the provider has to ask for their factors again.
        following: the page of this service to which they go once they are signed in.

    Raises:
        NotFound: no provider is set.
        NotAllowed: it does not answer.
    """
    flow = {name: secrets.token_urlsafe(48) for name in ("state", "nonce", "verifier")}
    with _client(service, place) as client:
        address, _ = client.create_authorization_url(
            _described(service)["authorization_endpoint"],
            state=flow["state"],
            nonce=flow["nonce"],
            code_verifier=flow["verifier"],
            **({"max_age": "0"} if is_again else {}),
        )
    kept = {"session": session, "again": "yes" if is_again else "", "next": following}
    content = json.dumps(flow | kept)
    return address, service.seal.encrypt(content.encode()).decode()


def page_after(service: Service, flow: str) -> str:
    """Return the page to which somebody goes who has signed in; see `authorise_url`.

    Raises:
        NotAllowed: this browser did not begin it.
    """
    return str(_opened(service, flow)["next"])


def handle_callback(
    service: Service, *, place: str, query: Mapping[str, str], flow: str, browser: str
) -> str:
    """The session of a person who returns from the provider.

    Raises:
        NotFound: no provider is set.
        NotAllowed: this browser did not begin it, the provider did not say who it is, or nobody
            here is known by that account.
    """
    attempt = _opened(service, flow)
    if not secrets.compare_digest(attempt["state"].encode(), query.get("state", "").encode()):
        raise NotAllowed(OIDC_REFUSAL)
    claims = _claims(service, place, query.get("code", ""), attempt)
    verified_at = _verified_at(claims, service.clock())
    provider = ProviderSignIn(verified_at, str(claims.get("sid", "")))
    if attempt.get("again") and not verified_at:
        raise NotAllowed(OIDC_REFUSAL)
    settings = service.settings
    assurances = {str(claims.get("acr", "")), *map(str, claims.get("amr") or ())}

    def is_enough(role: str) -> bool:
        needed = {settings.oidc_acr, settings.oidc_psd_acr if role == PSD else ""}
        return needed - {"", ANYTHING} <= assurances

    return services.sign_in_with_provider(
        service.casebook,
        settings.oidc_organisation,
        identity=f"{claims['iss']} {claims['sub']}",
        email=str(claims.get("email", "")) if claims.get("email_verified") is True else "",
        is_enough=is_enough,
        browser=browser,
        held=attempt["session"],
        now=service.clock(),
        provider=provider,
        seal=service.seal,
    )


def end_sessions(service: Service, token: str) -> None:
    """End the sessions that the provider says have ended (OpenID Connect Back-Channel Logout 1.0).

    Args:
        service: where somebody has signed in.
        token: the provider's logout token: of one person, one of their sessions, or both.

    Raises:
        NotFound: no provider is set.
        NotAllowed: the provider does not answer, did not make this token for us just now, or has
            sent it before.
    """
    settings = service.settings
    described = _described(service)
    try:
        read = jwt.decode(token, _keys(described), registry=_registry())
        claims = read.claims
        JWTClaimsRegistry(
            now=int(service.clock().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "value": settings.oidc_client},
            iat={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
            events={"essential": True},
        ).validate(claims)
        is_logout = LOGOUT_EVENT in dict(claims["events"]) and "nonce" not in claims
        expires_at = dt.datetime.fromtimestamp(claims["exp"] + LEEWAY_SECONDS, dt.UTC)
    except (
        httpx2.HTTPError, AuthlibBaseError, JoseError, KeyError, ValueError, TypeError,
        OverflowError, OSError,
    ) as error:  # fmt: skip
        raise NotAllowed(LOGOUT_REFUSAL) from error
    subject, session = (str(claims.get(name) or "") for name in ("sub", "sid"))
    if not is_logout or not (subject or session):
        raise NotAllowed(LOGOUT_REFUSAL)
    services.end_provider_sessions(
        service.casebook,
        settings.oidc_organisation,
        ProviderLogout(
            f"{claims['iss']} {subject}" if subject else "",
            session,
            str(claims["jti"]),
            expires_at,
        ),
        service.clock(),
    )


def _keys(described: Mapping[str, Any]) -> KeySet:
    """The provider's public keys."""
    answer = httpx2.get(described["jwks_uri"], timeout=PROVIDER_TIMEOUT_SECONDS)
    return KeySet.import_key_set(answer.json())


def _registry() -> JWSRegistry:
    return JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


def _verified_at(claims: Mapping[str, Any], now: dt.datetime) -> str:
    """When the person gave their factors at the provider, if that was in the last minutes."""
    seconds = claims.get("auth_time")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return ""
    age = now.timestamp() - seconds
    is_recent = -LEEWAY_SECONDS <= age <= VERIFIED_MINUTES * 60
    return as_text(now - dt.timedelta(seconds=max(age, 0))) if is_recent else ""


def _claims(
    service: Service, place: str, code: str, flow_state: Mapping[str, str]
) -> dict[str, Any]:
    """The provider's verified claims about the person who signed in."""
    described = _described(service)
    try:
        with _client(service, place) as client:
            token = client.fetch_token(
                described["token_endpoint"], code=code, code_verifier=flow_state["verifier"]
            )
        read = jwt.decode(token["id_token"], _keys(described), registry=_registry())
        claims = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "value": service.settings.oidc_issuer},
                "aud": {"essential": True, "value": service.settings.oidc_client},
            },
            {"nonce": flow_state["nonce"], "client_id": service.settings.oidc_client},
        )
        claims.validate(leeway=LEEWAY_SECONDS)
    except (httpx2.HTTPError, AuthlibBaseError, JoseError, KeyError, ValueError) as error:
        raise NotAllowed(OIDC_REFUSAL) from error
    return dict(claims)


def _described(service: Service) -> dict[str, Any]:
    """Return what the provider says of itself.

    Raises:
        NotFound: no provider is set.
        NotAllowed: it does not answer, or is another than the one set.
    """
    issuer = service.settings.oidc_issuer
    if not issuer:
        raise NotFound(NOT_SET)
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    try:
        described: dict[str, Any] = httpx2.get(address, timeout=PROVIDER_TIMEOUT_SECONDS).json()
    except (httpx2.HTTPError, ValueError) as error:
        raise NotAllowed(OIDC_REFUSAL) from error
    places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    safe = all(
        is_loopback(p) or p.startswith("https://") for n in places if (p := described.get(n, ""))
    )
    if described.get("issuer") != issuer or not safe or not all(map(described.get, places)):
        raise NotAllowed(OIDC_REFUSAL)
    return described


def _opened(service: Service, flow: str) -> dict[str, str]:
    """Return what the browser was given when it began."""
    try:
        flow_state: dict[str, str] = json.loads(
            service.seal.decrypt(flow.encode(), ttl=FLOW_SECONDS)
        )
    except (InvalidToken, ValueError) as error:
        raise NotAllowed(OIDC_REFUSAL) from error
    return flow_state


def _client(service: Service, place: str) -> OAuth2Client:
    settings = service.settings
    return OAuth2Client(
        settings.oidc_client,
        settings.oidc_secret,
        scope="openid email",
        redirect_uri=place,
        code_challenge_method="S256",
        timeout=PROVIDER_TIMEOUT_SECONDS,
    )
