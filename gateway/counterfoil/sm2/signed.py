"""Certificates and revocation lists that are signed with SM2.

`cryptography` reads them and knows neither their key nor their signature. What is
missing is here: the key, the check of a signature, and for the development authority
a way to sign what `cryptography` has put together.

Source: RFC 5280, sections 4.1 and 5.1; GM/T 0015, section 5.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.sm2.der import (
    BIT_STRING,
    INTEGER,
    SEQUENCE,
    VERSION,
    Element,
    element,
    elements,
    inside,
)
from counterfoil.sm2.keys import Sm2PrivateKey, Sm2PublicKey, is_sm2_spki

SM2_WITH_SM3: Final = x509.ObjectIdentifier("1.2.156.10197.1.501")
"""How they are signed. Source: GM/T 0006, section 6."""

Signed: TypeAlias = x509.Certificate | x509.CertificateRevocationList

_ALGORITHM: Final = bytes.fromhex("300a06082a811ccf55018375")
_ALGORITHM_WITH_NULL: Final = bytes.fromhex("300c06082a811ccf550183750500")
"""How the authorities in service write it, the national root among them."""

_CERTIFICATE_PARTS: Final = 3
_SPKI_AT: Final = 6
"""Place of the key in a certificate of version 2 or 3: version, number, algorithm,
issuer, validity and subject stand before it."""


def has_sm2_key(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is for an SM2 key."""
    try:
        return is_sm2_spki(spki_of(certificate))
    except ValueError:
        return False


def spki_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate's SubjectPublicKeyInfo, whatever key it is.

    Raises:
        ValueError: The certificate is of version 1.
    """
    parts = elements(inside(certificate.tbs_certificate_bytes))
    if parts[0].tag != VERSION or len(parts) <= _SPKI_AT:
        raise ValueError("a certificate of version 1")
    return parts[_SPKI_AT].encoded


def sm2_key_of(certificate: x509.Certificate) -> Sm2PublicKey:
    """Return the key that a certificate is for.

    Raises:
        ValueError: It is no SM2 key.
        Sm2Unavailable: This machine cannot do SM2.
    """
    return Sm2PublicKey(spki_of(certificate))


def check_signed(signed: Signed, key: Sm2PublicKey) -> None:
    """Check that a key signed a certificate or a revocation list.

    Raises:
        InvalidSignature: It did not, or the signature is of another algorithm.
    """
    statement, algorithm = _parts(signed)
    named_inside = _named_inside(elements(inside(statement)))
    # What is signed must say how, and say the same as what stands beside it.
    if algorithm != named_inside or algorithm not in (_ALGORITHM, _ALGORITHM_WITH_NULL):
        raise InvalidSignature
    key.verify(signed.signature, statement)


def sign_again(made: bytes, key: Sm2PrivateKey, spki: bytes | None = None) -> bytes:
    """Return a certificate or list as it is, but signed with SM2.

    Args:
        made: In DER, signed by a key that nobody will miss.
        key: Who signs it now.
        spki: For a certificate, whose it is now, as SubjectPublicKeyInfo.

    Raises:
        ValueError: It is not in DER.
    """
    statement, old_algorithm, _ = elements(inside(made))
    parts = [
        _ALGORITHM if part.encoded == old_algorithm.encoded else part.encoded
        for part in elements(statement.content)
    ]
    if spki is not None:
        parts[_SPKI_AT] = spki
    signed = element(SEQUENCE, b"".join(parts))
    signature = element(BIT_STRING, b"\0" + key.sign(signed))
    return element(SEQUENCE, signed + _ALGORITHM + signature)


def _parts(signed: Signed) -> tuple[bytes, bytes]:
    """Return what is signed, and the algorithm that stands behind it."""
    parts = elements(inside(signed.public_bytes(Encoding.DER)))
    if len(parts) != _CERTIFICATE_PARTS:
        raise InvalidSignature
    return parts[0].encoded, parts[1].encoded


def _named_inside(parts: list[Element]) -> bytes:
    """Return the algorithm that is named in what is signed.

    A certificate names it behind version and number, a list behind a version, which
    it may lack.
    """
    at = 0
    while at < len(parts) and parts[at].tag in (VERSION, INTEGER):
        at += 1
    return parts[at].encoded if at < len(parts) else b""
