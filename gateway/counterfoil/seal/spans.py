"""Since when and until when a certificate could be relied on, as is known now."""

from __future__ import annotations

from collections.abc import Mapping

from counterfoil.seal.certificates import (
    CertificateRefused,
    CertificateRevoked,
    load_certificate,
)
from counterfoil.seal.chains import us_of
from counterfoil.seal.ocsp import RevocationAnswers
from counterfoil.seal.trust import NO_ANSWERS, TrustStore


def span_of(
    digest: bytes,
    trust: TrustStore,
    *,
    bag: Mapping[bytes, bytes],
    answers: RevocationAnswers = NO_ANSWERS,
) -> tuple[int, int]:
    """Return the first and the last instant at which a certificate could be relied on.

    A revocation ends it, and so does the last list or answer that speaks of it. Of
    authorities that were issued again, one path is looked at.

    Args:
        digest: Which certificate.
        trust: Judges certificates.
        bag: Unverified certificates in DER by digest; it must be among them.
        answers: Responders' unverified answers.

    Raises:
        CertificateRefused: It is not known, or no path ever held.
        CertificateRevoked: It was revoked before it began.
    """
    if digest not in bag:
        raise CertificateRefused("the certificate did not come along")
    certificate = load_certificate(bag[digest])
    last_us = us_of(certificate.not_valid_after_utc)
    try:
        vetted = trust.look_up(digest, at_us=last_us, bag=bag, answers=answers)
    except (CertificateRefused, CertificateRevoked):
        # Its authority ended before, or somebody was revoked.
        first_us = us_of(certificate.not_valid_before_utc)
        vetted = trust.look_up(digest, at_us=first_us, bag=bag, answers=answers)
    return vetted.from_us, vetted.until_us
