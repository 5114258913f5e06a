"""When the certificates by which a document was sealed could be relied on."""

from __future__ import annotations

from collections.abc import Mapping

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import Malformed
from counterfoil.domain.witnessing import Held
from counterfoil.seal.certificates import CertificateRefused, CertificateRevoked
from counterfoil.seal.ocsp import RevocationAnswers
from counterfoil.seal.spans import span_of
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.verify import SEALS_MAX
from counterfoil.wire.sealed import Opened, open_sealed
from counterfoil.wire.seals import parse_statement


def held(
    sealed: bytes,
    trust: TrustStore,
    bag: Mapping[bytes, bytes],
    answers: RevocationAnswers,
) -> Held | None:
    """Return since when and until when all certificates of a document held.

    Only the statements are read, of which nothing is believed: whether the seals hold
    is judged at the instant that somebody chooses.

    Args:
        sealed: The encoded `Sealed`.
        trust: Judges certificates.
        bag: Certificates that came with it, by digest.
        answers: Responders' answers that came with it.

    Returns:
        None if there is no such instant, or it is no document that enters a log.
    """
    try:
        signers = _signers(sealed)
        spans = [span_of(one, trust, bag=bag, answers=answers) for one in signers]
    except (CertificateRefused, CertificateRevoked, Malformed, ValueError):
        return None
    from_us = max((first for first, _ in spans), default=0)
    until_us = min((last for _, last in spans), default=-1)
    if from_us > until_us:
        return None
    return Held(signers=signers, from_us=from_us, until_us=until_us)


def _signers(sealed: bytes) -> tuple[bytes, ...]:
    """Return the digests of the certificates that seal a document and its enclosures.

    Raises:
        MalformedPayload: It is no document.
        ValueError: A statement cannot be read, or there are more seals than anybody
            checks, or it is a registration.
    """
    opened = open_sealed(sealed)
    if opened.kind is DocumentKind.REGISTRATION:
        msg = "a registration enters no log as a document does"
        raise ValueError(msg)
    # Enclosures stand side by side, never inside each other.
    enclosed = map(open_sealed, opened.enclosures)
    named = [_named(one) for one in (opened, *enclosed)]
    return tuple(dict.fromkeys(digest for digests in named for digest in digests))


def _named(opened: Opened) -> list[bytes]:
    if len(opened.seals) > SEALS_MAX:
        msg = "too many seals"
        raise ValueError(msg)
    return [parse_statement(one.statement).certificate_digest for one in opened.seals]
