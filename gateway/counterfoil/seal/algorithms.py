"""The closed list of signature algorithms, and keys that fit it exactly.

A key fits one algorithm or none: the curve and the hash are not parameters that a
seal could choose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterfoil.domain.seals import Algorithm
from counterfoil.sm2.keys import Sm2PrivateKey, Sm2PublicKey

SIGNATURE_BYTES_MAX: Final = 72
"""Longest signature of any algorithm: P-256 or SM2 in DER."""

PublicKey: TypeAlias = EllipticCurvePublicKey | Ed25519PublicKey | Sm2PublicKey
PrivateKey: TypeAlias = EllipticCurvePrivateKey | Ed25519PrivateKey | Sm2PrivateKey

SignBytes: TypeAlias = Callable[[bytes], bytes]
"""Signs a message; the private key stays with whoever made the callable."""

CheckSignature: TypeAlias = Callable[[bytes, bytes], None]
"""Takes signature and message; raises `InvalidSignature` of `cryptography`."""

_ECDSA_SHA256: Final = ECDSA(SHA256())


class UnfitKey(ValueError):
    """The key is of no kind that the closed list knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key that fits an algorithm, wherever it is kept.

    Attributes:
        algorithm: What it signs with.
        public_key: The public half, as SubjectPublicKeyInfo in DER.
        sign: Signs a message.
    """

    algorithm: Algorithm
    public_key: bytes
    sign: SignBytes = field(repr=False)


def algorithm_of(public_key: object) -> Algorithm:
    """Return the one algorithm that a public key fits.

    Raises:
        UnfitKey: It fits none: another curve, RSA, or no key for signatures.
    """
    if isinstance(public_key, Ed25519PublicKey):
        return Algorithm.ED25519
    if isinstance(public_key, Sm2PublicKey):
        return Algorithm.SM2_SM3
    if isinstance(public_key, EllipticCurvePublicKey) and isinstance(
        public_key.curve, SECP256R1
    ):
        return Algorithm.ECDSA_P256_SHA256
    raise UnfitKey("the key fits no algorithm of the closed list")


def check_with(public_key: object) -> tuple[Algorithm, CheckSignature]:
    """Return a public key's algorithm and the function that checks its signatures.

    Raises:
        UnfitKey: See `algorithm_of`.
    """
    algorithm = algorithm_of(public_key)
    return algorithm, _CHECKS[algorithm](public_key)


def signing_key(private_key: object) -> SigningKey:
    """Return a key in memory as a `SigningKey`.

    Raises:
        UnfitKey: See `algorithm_of`.
    """
    if not isinstance(private_key, PrivateKey):
        raise UnfitKey("the key fits no algorithm of the closed list")
    public_key = private_key.public_key()
    return SigningKey(
        algorithm=algorithm_of(public_key),
        public_key=public_key.public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        ),
        sign=_sign_with(private_key),
    )


def _sign_with(private_key: PrivateKey) -> SignBytes:
    if isinstance(private_key, Ed25519PrivateKey | Sm2PrivateKey):
        return private_key.sign
    return lambda message: private_key.sign(message, _ECDSA_SHA256)


def _check_p256(public_key: object) -> CheckSignature:
    assert isinstance(public_key, EllipticCurvePublicKey)
    check = public_key.verify
    return lambda signature, message: check(signature, message, _ECDSA_SHA256)


def _check_ed25519(public_key: object) -> CheckSignature:
    assert isinstance(public_key, Ed25519PublicKey)
    return public_key.verify


def _check_sm2(public_key: object) -> CheckSignature:
    assert isinstance(public_key, Sm2PublicKey)
    return public_key.verify


_CHECKS: Final[dict[Algorithm, Callable[[object], CheckSignature]]] = {
    Algorithm.ECDSA_P256_SHA256: _check_p256,
    Algorithm.ED25519: _check_ed25519,
    Algorithm.SM2_SM3: _check_sm2,
}
