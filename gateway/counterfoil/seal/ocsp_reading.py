"""Answers of responders as they are read; nobody vouches for them by that.

Source: RFC 6960, section 4.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import ocsp

from counterfoil.seal.certificates import UNREADABLE
from counterfoil.seal.chains import SKEW_US, us_of

ANSWER_BYTES_MAX: Final = 16 * 1024
"""Longest answer that is read; with its responder's certificate one has 2 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationAnswer:
    """An answer as read; only its issuer's key can vouch for it.

    Attributes:
        unverified: The answer, about one certificate.
        this_update_us: Since when it holds.
        next_update_us: When the next one is due.
        revoked_us: Since when the certificate is revoked; None if it is not.
        is_good: Whether it says that it is not; the responder may not know either.
    """

    unverified: ocsp.OCSPResponse
    this_update_us: int
    next_update_us: int
    revoked_us: int | None
    is_good: bool


def load_answer(unverified: bytes) -> RevocationAnswer:
    """Parse an answer in DER; nobody vouches for it by that.

    Raises:
        ValueError: It is too long or not one, is about several certificates, does
            not say when the next is due, or has a critical extension.
    """
    if len(unverified) > ANSWER_BYTES_MAX:
        raise ValueError("the answer is too long")
    try:
        response = ocsp.load_der_ocsp_response(unverified)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise ValueError("the responder does not answer")
        (single,) = response.responses
        # The library reads these when they are asked for.
        extensions = [*response.extensions, *response.single_extensions]
        # Lies outside what it takes for a time, if the year is odd.
        times = (single.this_update_utc, single.next_update_utc)
        revoked = single.revocation_time_utc
        _ = response.responder_name, response.certificates, single.hash_algorithm
        status = single.certificate_status
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise ValueError(f"not an answer to go by: {error}") from error
    if any(extension.critical for extension in extensions):
        raise ValueError("the answer has a critical extension")
    this_update, next_update = times
    if next_update is None:
        raise ValueError("the answer does not say when the next one is due")
    return RevocationAnswer(
        unverified=response,
        this_update_us=us_of(this_update),
        next_update_us=us_of(next_update),
        revoked_us=us_of(revoked) if revoked is not None else None,
        is_good=status is ocsp.OCSPCertStatus.GOOD,
    )


def is_timely(answer: RevocationAnswer, at_us: int) -> bool:
    """Tell whether an answer is current at an instant, give or take SKEW_US.

    Whoever takes a new one asks this with the own clock: it must be neither overdue
    nor of the future.
    """
    return answer.this_update_us - SKEW_US <= at_us <= answer.next_update_us + SKEW_US


def may_replace(new: RevocationAnswer, old: RevocationAnswer) -> bool:
    """Tell whether an answer may take the place of one about the same certificate.

    An older one may not, nor one that takes a revocation back that was for good.
    """
    for_good = old.revoked_us is not None and not is_hold(old)
    if for_good and new.revoked_us is None:
        return False
    return new.this_update_us >= old.this_update_us


def is_hold(answer: RevocationAnswer) -> bool:
    """Tell whether an answer revokes only until further notice."""
    reason = answer.unverified.revocation_reason
    return reason is x509.ReasonFlags.certificate_hold
