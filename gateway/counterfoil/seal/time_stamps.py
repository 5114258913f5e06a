"""Time stamps of an authority (RFC 3161): asked for, and judged before they are kept.

An authority states in its own name when it saw a hash. What is made of it is in
`docs/adr/0026`. The format, the signature and the path are checked by `rfc3161-client`,
which is an extra and need not be installed; what it leaves to its caller, here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.seal.certificates import (
    UNREADABLE,
    CertificateRefused,
    load_certificate,
)
from counterfoil.seal.chains import us_of
from counterfoil.seal.revocation import RevocationLists
from counterfoil.seal.timestamp_chain import require_not_revoked, signer_path
from counterfoil.seal.timestamp_reading import (
    SHA256,
    TokenParts,
    in_order,
    read_response,
)
from counterfoil.seal.timestamp_refused import TimeStampFlaw, TimeStampRefused

if TYPE_CHECKING:
    from rfc3161_client import Accuracy, TimeStampResponse

PACKAGE: Final = "rfc3161_client"

_HASHES: Final = {
    SHA256: "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_SECOND_US: Final = 1_000_000
_MILLISECOND_US: Final = 1_000
_CERTIFICATES_MAX: Final = 8
"""Most certificates in an answer that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStampTrust:
    """Whose time stamps count, and which.

    Attributes:
        roots: Trusted roots of time-stamping authorities, at least one.
        authorities: Authorities between them and the signers.
        lists: Their revocation lists in DER; if there are any, they must tell.
        policy: OID of the policy that is demanded; empty for any.
        accuracy_us_max: The greatest stated accuracy, in microseconds.
        clock_us_max: How far the time may be from our clock, besides the accuracy.
    """

    roots: tuple[x509.Certificate, ...] = field(repr=False)
    authorities: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    lists: tuple[bytes, ...] = field(default=(), repr=False)
    policy: str = ""
    accuracy_us_max: int
    clock_us_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStamp:
    """What an authority vouches for, after every check.

    Attributes:
        time_us: When it saw the hash, microseconds since the epoch, UTC.
        accuracy_us: By how much that may be wrong; None if it does not say.
        signer: Whose certificate signed.
    """

    time_us: int
    accuracy_us: int | None
    signer: str


def is_available() -> bool:
    """Tell whether the package that judges time stamps is installed."""
    return find_spec(PACKAGE) is not None


def accept_time_stamp(
    response: bytes, content: bytes, trust: TimeStampTrust, *, nonce: int, at_us: int
) -> TimeStamp:
    """Return what an answer to our question vouches for.

    Args:
        response: The answer in DER, unverified.
        content: What the time was asked for.
        trust: Whose time stamps count.
        nonce: The number in the question.
        at_us: Our clock, microseconds since the epoch.

    Raises:
        TimeStampRefused: Nothing may rest on it.

    Source: RFC 3161, sections 2.2 to 2.4.
    """
    decoded, parts = _read(response)
    info = decoded.tst_info
    if (parts.imprint_algorithm, parts.imprint) != (SHA256, sha256(content).digest()):
        raise TimeStampRefused(TimeStampFlaw.IMPRINT)
    if info.nonce != nonce:
        raise TimeStampRefused(TimeStampFlaw.NONCE)
    policy = info.policy.dotted_string
    if trust.policy and policy != trust.policy:
        raise TimeStampRefused(TimeStampFlaw.POLICY, policy)
    if parts.digest_algorithm not in _HASHES:
        raise TimeStampRefused(TimeStampFlaw.ALGORITHM, parts.digest_algorithm)
    accuracy_us = _accuracy_us(decoded)
    if (accuracy_us or 0) > trust.accuracy_us_max:
        detail = f"{(accuracy_us or 0) / _SECOND_US:g} s"
        raise TimeStampRefused(TimeStampFlaw.ACCURACY, detail)
    signer = _judge_signer(decoded, parts, trust)
    time_us = us_of(parts.time)
    apart_us = abs(time_us - at_us)
    if apart_us > trust.clock_us_max + (accuracy_us or 0):
        detail = f"{apart_us / _SECOND_US:g} s apart"
        raise TimeStampRefused(TimeStampFlaw.CLOCK, detail)
    return TimeStamp(
        time_us=time_us,
        accuracy_us=accuracy_us,
        signer=signer.subject.rfc4514_string(),
    )


def _read(response: bytes) -> tuple[TimeStampResponse, TokenParts]:
    """Parse an answer, and see that it gives a time stamp.

    Raises:
        TimeStampRefused: It is no answer, or gives none.
    """
    from rfc3161_client import PKIStatus, decode_timestamp_response  # noqa: PLC0415 -- an extra

    try:
        decoded = decode_timestamp_response(in_order(response))
        status = decoded.status
    except ValueError as error:
        raise TimeStampRefused(TimeStampFlaw.UNREADABLE, str(error)) from error
    if status != PKIStatus.GRANTED:
        raise TimeStampRefused(TimeStampFlaw.NOT_GRANTED, f"status {status}")
    try:
        parts = read_response(response)
        info = decoded.tst_info
        # The library reads these when they are asked for.
        _ = info.nonce, info.policy, info.accuracy, decoded.signed_data.certificates
        if us_of(info.gen_time) // _SECOND_US != us_of(parts.time) // _SECOND_US:
            raise TimeStampRefused(TimeStampFlaw.UNREADABLE, "two times")
    except (ValueError, TypeError, OverflowError) as error:
        raise TimeStampRefused(TimeStampFlaw.UNREADABLE, str(error)) from error
    return decoded, parts


def _accuracy_us(decoded: TimeStampResponse) -> int | None:
    """Return the stated accuracy; None without one."""
    # The library's types do not say that it may be missing.
    accuracy: Accuracy | None = decoded.tst_info.accuracy
    if accuracy is None:
        return None
    return (
        (accuracy.seconds or 0) * _SECOND_US
        + (accuracy.millis or 0) * _MILLISECOND_US
        + (accuracy.micros or 0)
    )


def _judge_signer(
    decoded: TimeStampResponse, parts: TokenParts, trust: TimeStampTrust
) -> x509.Certificate:
    """Return who signed, once signature, path and usage were checked.

    All of it at the time that the answer states; how far that is from now is the
    caller's to check.

    Raises:
        TimeStampRefused: Signature, path, usage or revocation is not as it must be.
    """
    from rfc3161_client import VerificationError, VerifierBuilder  # noqa: PLC0415 -- an extra

    others = _certificates_in(decoded)
    signer = _named_signer(decoded, parts, others)
    between = [*trust.authorities, *(one for one in others if one != signer)]
    path = signer_path(signer, between, trust.roots, parts.time)
    verifier = VerifierBuilder(
        tsa_certificate=signer,
        roots=[path[-1]],
        intermediates=list(path[1:-1]),
    ).build()
    try:
        verifier.verify(decoded, parts.imprint)
    except VerificationError as error:
        raise TimeStampRefused(TimeStampFlaw.SIGNATURE, str(error)) from error
    if trust.lists:
        require_not_revoked(path, RevocationLists(trust.lists), us_of(parts.time))
    return signer


def _certificates_in(decoded: TimeStampResponse) -> list[x509.Certificate]:
    found = []
    for encoded in sorted(decoded.signed_data.certificates)[:_CERTIFICATES_MAX]:
        try:
            found.append(load_certificate(encoded))
        except CertificateRefused:
            # As if it had not come: a path that needs it does not hold.
            continue
    return found


def _named_signer(
    decoded: TimeStampResponse, parts: TokenParts, others: Iterable[x509.Certificate]
) -> x509.Certificate:
    """Return the one certificate that the signature names, by name and by hash.

    Raises:
        TimeStampRefused: There is none, or the hash is missing or of another one.

    Source: RFC 3161, section 2.4.2; RFC 5816, section 2.2.1.
    """
    try:
        (signed,) = decoded.signed_data.signer_infos
        named = signed.issuer, signed.serial_number
    except (KeyError, *UNREADABLE) as error:  # a name of a kind it does not know
        raise TimeStampRefused(TimeStampFlaw.SIGNER) from error
    for certificate in others:
        if (certificate.issuer, certificate.serial_number) != named:
            continue
        if parts.signer_hashes and all(
            _hash_of(certificate, algorithm) == hashed
            for algorithm, hashed in parts.signer_hashes
        ):
            return certificate
    raise TimeStampRefused(TimeStampFlaw.SIGNER)


def _hash_of(certificate: x509.Certificate, algorithm: str) -> bytes:
    """Return a certificate's hash; no bytes for a hash that nobody here knows."""
    encoded = certificate.public_bytes(Encoding.DER)
    if not algorithm:
        return hashlib.sha1(encoded).digest()  # noqa: S324 - a name, RFC 2634
    name = _HASHES.get(algorithm)
    return hashlib.new(name, encoded).digest() if name else b""
