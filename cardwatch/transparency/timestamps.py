"""Time-stamps of RFC 3161: a request to be stamped elsewhere, and the check of what came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from cardwatch.errors import CardwatchError

try:
    import rfc3161_client as rfc3161
except ImportError:  # an extra: `_check_installed` says so
    rfc3161 = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import datetime as dt

NOT_INSTALLED = "Time-stamps need rfc3161-client: install cardwatch[timestamps]."


def timestamp_request(content: bytes) -> bytes:
    """Make a request to time-stamp some content: its hash alone leaves the machine.

    Raises:
        CardwatchError: the library is missing.
    """
    _check_installed()
    builder = rfc3161.TimestampRequestBuilder().data(content)
    return builder.hash_algorithm(rfc3161.HashAlgorithm.SHA256).build().as_bytes()


def check_timestamp(content: bytes, response: bytes, certificates: bytes) -> dt.datetime:
    """Check a time-stamp of some content; return the time that it states.

    Args:
        content: what was stamped.
        response: the time-stamping authority's answer.
        certificates: PEM certificates of the authority, up to the root that is trusted.

    Raises:
        CardwatchError: it is not of this content, or not signed by that authority; or the library
            is missing.
    """
    _check_installed()
    try:
        chain = x509.load_pem_x509_certificates(certificates)
        stamp = rfc3161.decode_timestamp_response(response)
        roots = [certificate for certificate in chain if certificate.issuer == certificate.subject]
        others = [certificate for certificate in chain if certificate not in roots]
        rfc3161.VerifierBuilder(roots=roots, intermediates=others).build().verify_message(
            stamp, content
        )
    except (rfc3161.VerificationError, ValueError) as error:
        raise CardwatchError(
            "The time-stamp is not of this checkpoint, or not signed by this authority."
        ) from error
    return stamp.tst_info.gen_time


def _check_installed() -> None:
    """Refuse where the library is missing.

    Raises:
        CardwatchError: it is.
    """
    if rfc3161 is None:
        raise CardwatchError(NOT_INSTALLED)
