"""Signing what `cryptography` has put together, by a key that it may not know.

It cannot put an SM2 key into a certificate, nor sign with one. So a stand-in takes the
key's place, of the same length, and the stand-in's own key signs; then both are
exchanged and the result is signed again.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha1
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterfoil.sm2.keys import Sm2PrivateKey, Sm2PublicKey
from counterfoil.sm2.signed import sign_again

LibraryKey: TypeAlias = EllipticCurvePublicKey | Ed25519PublicKey
AuthorityKey: TypeAlias = EllipticCurvePrivateKey | Sm2PrivateKey


@cache
def _nobody() -> EllipticCurvePrivateKey:
    """Return the key that stands in; nothing that it signs is ever given away."""
    return generate_private_key(SECP256R1())


def stand_in(public_key: LibraryKey | Sm2PublicKey) -> LibraryKey:
    """Return the key itself, or what stands in its place until it is signed."""
    if isinstance(public_key, Sm2PublicKey):
        return _nobody().public_key()
    return public_key


def key_identifier(public_key: LibraryKey | Sm2PublicKey) -> x509.SubjectKeyIdentifier:
    """Return what names a key in certificates.

    Source: RFC 5280, section 4.2.1.2, method (1).
    """
    if isinstance(public_key, Sm2PublicKey):
        return x509.SubjectKeyIdentifier(sha1(public_key.point).digest())  # noqa: S324 - a name
    return x509.SubjectKeyIdentifier.from_public_key(public_key)


def sign_certificate(
    builder: x509.CertificateBuilder,
    key: AuthorityKey,
    public_key: LibraryKey | Sm2PublicKey,
) -> x509.Certificate:
    """Return what `builder` has put together, signed by an authority's key.

    Args:
        builder: With the stand-in, if the key is of SM2.
        key: Who signs.
        public_key: Whose certificate it is.

    Raises:
        ValueError: A key of SM2 is to be certified by one that is not: no gateway
            takes such a path.
    """
    if not isinstance(key, Sm2PrivateKey):
        certificate = builder.sign(key, SHA256())
        # With an SM2 key in it, it would be the stand-in's that is certified.
        if stand_in(public_key) is not public_key:
            raise ValueError("an SM2 key is certified by an authority of SM2")
        return certificate
    made = builder.sign(_nobody(), SHA256()).public_bytes(Encoding.DER)
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return x509.load_der_x509_certificate(sign_again(made, key, spki))


def sign_crl(
    builder: x509.CertificateRevocationListBuilder, key: AuthorityKey
) -> x509.CertificateRevocationList:
    """Return the revocation list that `builder` has put together, signed."""
    if not isinstance(key, Sm2PrivateKey):
        return builder.sign(key, SHA256())
    made = builder.sign(_nobody(), SHA256()).public_bytes(Encoding.DER)
    return x509.load_der_x509_crl(sign_again(made, key))
