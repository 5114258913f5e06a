"""Who may sign an answer: an issuer, or a responder that it charged with it.

Source: RFC 6960, section 4.2.2.
"""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterfoil.seal.certificates import UNREADABLE, CertificateRefused, public_key_of
from counterfoil.seal.chains import SKEW_US, us_of
from counterfoil.seal.ocsp_names import key_hash
from counterfoil.seal.ocsp_reading import RevocationAnswer
from counterfoil.seal.policies import require_no_ca, require_signature
from counterfoil.seal.revocation import RevocationLists
from counterfoil.sm2.keys import Sm2PublicKey
from counterfoil.sm2.libcrypto import Sm2Unavailable
from counterfoil.sm2.signed import SM2_WITH_SM3, check_signed

DELEGATES_MAX: Final = 4
"""Most certificates in an answer that are looked at."""

_SIGNATURE_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def is_signed_for(
    answer: RevocationAnswer, issuer: x509.Certificate, lists: RevocationLists
) -> bool:
    """Tell whether an issuer, or a responder that it charged with it, signed.

    Source: RFC 6960, section 4.2.2.2.
    """
    if _is_signed_by(answer.unverified, issuer):
        return True
    return any(
        _is_charged(delegate, issuer, answer.this_update_us, lists)
        and _is_signed_by(answer.unverified, delegate)
        for delegate in answer.unverified.certificates[:DELEGATES_MAX]
    )


def _is_charged(
    delegate: x509.Certificate,
    issuer: x509.Certificate,
    at_us: int,
    lists: RevocationLists,
) -> bool:
    """Tell whether an issuer itself charged a responder, for that instant.

    Unless the issuer says that nobody need ask for the responder's own revocation,
    one of its lists must say that it is none.
    """
    try:
        starts_us = us_of(delegate.not_valid_before_utc) - SKEW_US
        ends_us = us_of(delegate.not_valid_after_utc) + SKEW_US
        # Nothing of it can be relied on to be readable, its issuer's name included.
        if delegate.issuer != issuer.subject or not starts_us <= at_us <= ends_us:
            return False
        extensions = delegate.extensions
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.OCSP_SIGNING not in usages:
            return False
        kinds = {type(one.value): one.value for one in extensions}
        constraints = kinds.get(x509.BasicConstraints)
        if isinstance(constraints, x509.BasicConstraints):
            require_no_ca(constraints)
        usage = kinds.get(x509.KeyUsage)
        if isinstance(usage, x509.KeyUsage):
            require_signature(usage)
        _check_issued(delegate, issuer)
    except (
        CertificateRefused,
        InvalidSignature,
        UnsupportedAlgorithm,
        Sm2Unavailable,
        x509.ExtensionNotFound,
        *UNREADABLE,
    ):
        return False
    known = lists.standing(delegate, issuer)
    if known.revoked_us is not None and known.revoked_us <= at_us:
        return False
    return x509.OCSPNoCheck in kinds or known.covered_until_us >= at_us


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """Check that an issuer's key signed a certificate.

    Raises:
        InvalidSignature: It did not.
        ValueError: Its key cannot have.
        CertificateRefused: Its key is of no known kind.
    """
    key = public_key_of(issuer)
    if isinstance(key, Sm2PublicKey):
        check_signed(certificate, key)
    else:
        certificate.verify_directly_issued_by(issuer)


def _is_signed_by(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    """Tell whether it names that signer as its responder, and is signed by it."""
    try:
        named = response.responder_name
        if named is not None and named != signer.subject:
            return False
        # RFC 6960 knows no other hash here.
        if named is None and response.responder_key_hash != key_hash(signer, "sha1"):
            return False
        _check_signature(response, signer)
    except (
        CertificateRefused,
        InvalidSignature,
        UnsupportedAlgorithm,
        Sm2Unavailable,
        *UNREADABLE,
    ):
        return False
    return True


def _check_signature(response: ocsp.OCSPResponse, signer: x509.Certificate) -> None:
    """Check a signature, of SM2 or of what other authorities use.

    Raises:
        InvalidSignature: It does not hold, or is of another algorithm.
    """
    signature, signed = response.signature, response.tbs_response_bytes
    key = public_key_of(signer)
    if isinstance(key, Sm2PublicKey):
        if response.signature_algorithm_oid != SM2_WITH_SM3:
            raise InvalidSignature
        key.verify(signature, signed)
        return
    algorithm = response.signature_hash_algorithm
    if isinstance(key, Ed25519PublicKey) and algorithm is None:
        key.verify(signature, signed)
        return
    if not isinstance(algorithm, _SIGNATURE_HASHES):
        raise InvalidSignature
    if isinstance(key, EllipticCurvePublicKey):
        key.verify(signature, signed, ECDSA(algorithm))
    elif isinstance(key, RSAPublicKey):
        key.verify(signature, signed, PKCS1v15(), algorithm)
    else:
        raise InvalidSignature
