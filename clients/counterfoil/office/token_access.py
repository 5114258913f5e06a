"""Callers whose key is in a token: it signs their handshakes there, and their seals.

A person may seal by another certificate than the connection's, e.g. with SM2; its key
is opened here as well, wherever it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Final

import grpc
from cryptography import x509

from counterfoil.domain.seals import Algorithm
from counterfoil.seal.algorithms import SigningKey, UnfitKey
from counterfoil.seal.certificates import CertificateRefused, public_key_bytes
from counterfoil.seal.key_material import load_key_material
from counterfoil.seal.keys import KeyReference
from counterfoil.seal.secret import KeyRefused

_ECDSA_SECP256R1_SHA256: Final = 3
"""As gRPC numbers it, `PrivateKeySignatureAlgorithm`; it hands over the bare number."""


def open_key(uri: str, passphrase: str, certificate: bytes) -> SigningKey:
    """Return a person's key in a token or file, seen to belong to the certificate.

    Args:
        uri: The key's PKCS#11 URI (RFC 7512), or `file:/path`.
        passphrase: A reference to the PIN or passphrase, such as `file:/path`, or
            `none`.
        certificate: The caller's certificate and its intermediates, PEM.

    Raises:
        ValueError: The key cannot be used; the text says what to do.
    """
    try:
        public_key = public_key_bytes(x509.load_pem_x509_certificate(certificate))
        return load_key_material(KeyReference(uri, passphrase)).opened(public_key)
    except (KeyRefused, UnfitKey, CertificateRefused) as error:
        raise ValueError(str(error)) from None


def token_credentials(
    key: SigningKey, certificate: bytes, authorities: bytes
) -> grpc.ChannelCredentials:
    """Return what gRPC needs to prove who we are by a key that it cannot have.

    Args:
        key: The caller's key.
        certificate: The caller's certificate and its intermediates, PEM.
        authorities: The roots and intermediates that are trusted, PEM.

    Raises:
        ValueError: The key is not on P-256, or this version of gRPC has no such
            function (any more).
    """
    if key.algorithm is not Algorithm.ECDSA_P256_SHA256:
        raise ValueError("a connection with a key in a token needs one on P-256")
    try:
        # Experimental: callers with a key in a file must not fail if it is moved.
        from grpc.experimental import (  # noqa: PLC0415
            ExperimentalApiWarning,
            ssl_channel_credentials_with_custom_signer,
        )
    except ImportError:
        msg = "this version of gRPC has no handshakes by a key in a token; use 1.85"
        raise ValueError(msg) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalApiWarning)
        credentials: grpc.ChannelCredentials = (
            ssl_channel_credentials_with_custom_signer(
                private_key_sign_fn=_signs(key),
                root_certificates=authorities,
                certificate_chain=certificate,
            )
        )
    return credentials


def _signs(key: SigningKey) -> Callable[[bytes, int, object], bytes]:
    """Return what gRPC calls in a handshake; an exception ends the handshake."""

    def sign(message: bytes, algorithm: int, complete: object) -> bytes:
        del complete
        if algorithm != _ECDSA_SECP256R1_SHA256:
            raise ValueError("a handshake asks for another algorithm than the key's")
        return key.sign(message)

    return sign
