"""The public key that a certificate is applied for (申请): there is none yet."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from counterfoil.seal.certificates import (
    UNREADABLE,
    CertificateRefused,
    load_certificate,
    load_pem_chain,
    public_key_bytes,
)

_REQUESTS: Final = (b"-----BEGIN CERTIFICATE REQUEST-", b"-----BEGIN NEW CERTIFICATE")
_KEY: Final = b"-----BEGIN PUBLIC KEY-"


def public_key_in(pem: bytes) -> bytes:
    """Return the public key of a PEM file, as SubjectPublicKeyInfo in DER.

    Args:
        pem: A certificate, a request for one (PKCS#10), or the public key alone.

    Raises:
        CertificateRefused: It is none of them, or the request is not signed by the key.
    """
    is_request = any(mark in pem for mark in _REQUESTS)
    if not is_request and _KEY not in pem:
        return public_key_bytes(load_certificate(load_pem_chain(pem)[0]))
    try:
        key = _requested(pem) if is_request else load_pem_public_key(pem)
    except UnsupportedAlgorithm as error:
        msg = "the key is of no kind that is read here; name the certificate"
        raise CertificateRefused(msg) from error
    except UNREADABLE as error:
        raise CertificateRefused("not a PEM file of a request or key") from error
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _requested(pem: bytes) -> CertificatePublicKeyTypes:
    """Return the key of a request.

    Raises:
        CertificateRefused: Whoever made it does not have the key.
        ValueError: It cannot be read.
    """
    request = x509.load_pem_x509_csr(pem)
    if not request.is_signature_valid:
        raise CertificateRefused("the request is not signed by its own key")
    return request.public_key()
