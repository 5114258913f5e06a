"""Reading certificates, and every way that one cannot be relied on.

CertificateError
├── CertificateRefused    it is not what it must be: form, use, path, time
├── CertificateRevoked    its issuer has withdrawn it
└── RevocationUnknown     nobody can say now whether it was withdrawn

Callers turn these into refusals: a seal's into `SealForged` or
`SealUndetermined`, a connection's into `CallerUnknown` or `CallerRevoked`.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterfoil.domain.party import Identity
from counterfoil.sm2.der import elements, inside
from counterfoil.sm2.keys import Sm2PublicKey
from counterfoil.sm2.libcrypto import Sm2Unavailable
from counterfoil.sm2.signed import has_sm2_key, sm2_key_of

_NO_UNUSED_BITS: Final = b"\0"
"""First byte of a BIT STRING of whole bytes. Source: ITU-T X.690, section 8.6.2."""

CERTIFICATE_BYTES_MAX: Final = 16 * 1024
"""Longest certificate that is read; ordinary ones have one or two thousand bytes."""


UNREADABLE: Final = (
    ValueError,
    TypeError,  # a name that is written as a string of bits
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for what is no certificate, or no list."""


class CertificateError(Exception):
    """Base: a certificate cannot be relied on; messages quote no names."""


class CertificateRefused(CertificateError):
    """It is malformed, for another use, expired, or no path leads to a root."""


class CertificateRevoked(CertificateError):
    """Its issuer had revoked it at the instant that is judged."""


class RevocationUnknown(CertificateError):
    """No revocation list covers the instant that is judged."""


def certificate_digest(certificate: bytes) -> bytes:
    """Return the name under which seals and stores know a certificate in DER."""
    return sha256(certificate).digest()


def certificate_bag(certificates: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return certificates in DER by their digests, as `verify` takes them."""
    return {sha256(certificate).digest(): certificate for certificate in certificates}


def load_certificate(unverified: bytes) -> x509.Certificate:
    """Parse a certificate in DER; nobody vouches for it by that.

    Raises:
        CertificateRefused: It is too long, not a certificate, or not in the one form
            that its signature has in DER.
    """
    if len(unverified) > CERTIFICATE_BYTES_MAX:
        raise CertificateRefused("the certificate is too long")
    try:
        certificate = x509.load_der_x509_certificate(unverified)
        # The library reads these when they are asked for; then nobody expects that
        # they cannot be read.
        _ = certificate.subject, certificate.issuer, certificate.extensions
        _, _, signature = elements(inside(unverified))
    except UNREADABLE as error:
        raise CertificateRefused("not a certificate") from error
    # The library overlooks them, and the same certificate would have several digests.
    if not signature.content.startswith(_NO_UNUSED_BITS):
        raise CertificateRefused("its signature leaves bits unused")
    return certificate


def load_pem_chain(pem: bytes) -> list[bytes]:
    """Return the certificates of a PEM file in DER, in its order.

    Raises:
        CertificateRefused: There is none, or one cannot be read.
    """
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except UNREADABLE as error:
        raise CertificateRefused("not a PEM file of certificates") from error
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]


def public_key_of(
    certificate: x509.Certificate,
) -> CertificatePublicKeyTypes | Sm2PublicKey:
    """Return the key that a certificate is for.

    Raises:
        CertificateRefused: The key is of a kind that nobody here knows, or broken.
    """
    try:
        if has_sm2_key(certificate):
            return sm2_key_of(certificate)
        return certificate.public_key()
    except Sm2Unavailable as error:
        # What this machine lacks, a peer need not know.
        raise CertificateRefused("SM2 is not checked here") from error
    except (UnsupportedAlgorithm, ValueError) as error:
        raise CertificateRefused("the certificate's key is of no known kind") from error


def public_key_bytes(certificate: x509.Certificate) -> bytes:
    """Return the public key as SubjectPublicKeyInfo in DER.

    Raises:
        CertificateRefused: See `public_key_of`.
    """
    return public_key_of(certificate).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


_NAME: Final = "urn:counterfoil:"


def names_in(certificate: x509.Certificate) -> list[str]:
    """Return the names of ours that a certificate bears, well formed or not.

    A certificate with any of these is never given another one by a directory.

    Source: RFC 8141, section 3.1: the first two parts of a URN are the same in
    capitals.
    """
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except x509.ExtensionNotFound:
        return []
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return [uri for uri in uris if uri.strip().lower().startswith(_NAME)]


def stated_identity(certificate: x509.Certificate) -> Identity | None:
    """Return the identity that a certificate states; None if it bears no name of ours.

    Raises:
        CertificateRefused: It bears a name that is no identity, or more than one.
    """
    return identity_of(certificate) if names_in(certificate) else None


def identity_of(certificate: x509.Certificate) -> Identity:
    """Return the identity that a certificate states as its one URI.

    Raises:
        CertificateRefused: It states none, more than one, or one of another form.
    """
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
        (uri,) = names.get_values_for_type(x509.UniformResourceIdentifier)
        return Identity.from_urn(uri)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError) as error:
        raise CertificateRefused("the certificate states no identity") from error
