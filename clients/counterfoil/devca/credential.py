"""A key of a development PKI as files, and its certificate beside it."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from counterfoil.devca.certificates import PrivateKey
from counterfoil.sm2 import loading as sm2_keys

AnyKey: TypeAlias = PrivateKey | MLDSA44PrivateKey
"""Every kind of key that is made here."""

_SECRET_MODE: Final = 0o600
_PASSPHRASE_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Credential:
    """Where a certificate and its key stand.

    Attributes:
        stem: Path of the files without their ending.
    """

    stem: Path

    @property
    def chain_file(self) -> Path:
        """The certificate and then its issuer's, in PEM."""
        return self.stem.with_name(f"{self.stem.name}.pem")

    @property
    def key_file(self) -> Path:
        """The private key, encrypted PKCS#8 in PEM."""
        return self.stem.with_name(f"{self.stem.name}.key")

    @property
    def pass_file(self) -> Path:
        """The passphrase, alone in the file."""
        return self.stem.with_name(f"{self.stem.name}.pass")

    @property
    def public_file(self) -> Path:
        """The public half of a log's key, in PEM."""
        return self.stem.with_name(f"{self.stem.name}.pub.pem")

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate."""
        return x509.load_pem_x509_certificate(self.chain_file.read_bytes())

    def load_key(self) -> AnyKey:
        """Return the private key, decrypted."""
        pem, passphrase = self.key_file.read_bytes(), self.pass_file.read_bytes()
        try:
            key = serialization.load_pem_private_key(pem, passphrase)
        except UnsupportedAlgorithm:
            return sm2_keys.load_pem_private_key(pem, passphrase)
        assert isinstance(key, AnyKey)
        return key


def write_key(
    credential: Credential, key: AnyKey, *, with_public: bool = False
) -> None:
    """Write a key and its passphrase so that only the owner can read them."""
    credential.stem.parent.mkdir(exist_ok=True)
    passphrase = secrets.token_hex(_PASSPHRASE_BYTES).encode()
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    _write_secret(credential.key_file, encrypted)
    _write_secret(credential.pass_file, passphrase)
    if with_public:
        credential.public_file.write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
        )


def _write_secret(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET_MODE)
    with os.fdopen(opened, "wb") as file:
        file.write(content)
