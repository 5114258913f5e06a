"""How a question or an answer names the certificate that it is about.

Source: RFC 6960, section 4.1.1.
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from counterfoil.seal.ocsp_reading import RevocationAnswer
from counterfoil.sm2.der import elements, inside
from counterfoil.sm2.signed import spki_of

_NAME_HASHES: Final = (hashes.SHA1, hashes.SHA256)
"""How an answer may name a certificate's issuer. A name only: that the issuer meant
its own certificate, its signature says."""


def question_of(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """Return the question to a responder, in DER.

    The issuer is named by SHA-1, as responders expect.

    Raises:
        ValueError: The issuer's key cannot be found in its certificate.
    """
    name_hash, key_hash = issuer_hashes(issuer, "sha1")
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        name_hash,
        key_hash,
        certificate.serial_number,
        hashes.SHA1(),  # noqa: S303 - a name
    )
    return builder.build().public_bytes(Encoding.DER)


def is_about(
    answer: RevocationAnswer, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    """Tell whether an answer is about that certificate of that issuer."""
    response = answer.unverified
    algorithm = response.hash_algorithm
    if response.serial_number != certificate.serial_number:
        return False
    if not isinstance(algorithm, _NAME_HASHES):
        return False
    try:
        hashed = issuer_hashes(issuer, algorithm.name)
    except ValueError:
        return False
    return hashed == (response.issuer_name_hash, response.issuer_key_hash)


def issuer_hashes(issuer: x509.Certificate, algorithm: str) -> tuple[bytes, bytes]:
    """Return the hashes by which an issuer is named: of its name and of its key.

    Raises:
        ValueError: The certificate has no key of the usual form.
    """
    name = hashlib.new(algorithm, issuer.subject.public_bytes()).digest()
    return name, key_hash(issuer, algorithm)


def key_hash(certificate: x509.Certificate, algorithm: str) -> bytes:
    """Return the hash of a key's bits, without tag, length and unused bits.

    Raises:
        ValueError: The certificate has no key of the usual form.
    """
    _, bits = elements(inside(spki_of(certificate)))
    return hashlib.new(algorithm, bits.content[1:]).digest()
