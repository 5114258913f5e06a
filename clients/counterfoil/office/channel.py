"""The connection to the own gateway: mutual TLS, keepalive, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from counterfoil.office.token_access import open_key, token_credentials
from counterfoil.seal.algorithms import SigningKey
from counterfoil.seal.keys import NO_PASSPHRASE
from counterfoil.seal.secret import KeyRefused, read_secret

MESSAGE_BYTES_MAX: Final = 2_097_152
"""Largest message that is sent; what a gateway reads by default."""
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
"""Largest answer that is taken: some tell more than any request may say."""
_KEEPALIVE_MS: Final = 20_000
_KEEPALIVE_TIMEOUT_MS: Final = 10_000
_RECONNECT_MS_MIN: Final = 100
_RECONNECT_MS_MAX: Final = 2_000


def absolute_reference(reference: str, base: Path) -> str:
    """Return a reference to a secret with its path, if it has one, from `base`."""
    kind, _, place = reference.partition(":")
    return f"file:{(base / place).absolute()}" if kind == "file" else reference


def read_passphrase(reference: str, base: Path) -> bytes | None:
    """Return the passphrase that a configuration refers to; None for none.

    Args:
        reference: `file:PATH` (readable by its owner only), `fd:N` (an open file
            descriptor), `credential:NAME` (given by the service manager), or
            `none`.
        base: Folder that a relative path starts from.

    Raises:
        ValueError: The reference is of no known kind, or what it names is missing,
            empty, or readable by others.
    """
    if reference == NO_PASSPHRASE:
        return None
    try:
        return read_secret(absolute_reference(reference, base)).reveal()
    except KeyRefused as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who calls: a certificate, its key and the authorities that are trusted.

    Attributes:
        certificate: The caller's certificate and its intermediates, PEM.
        key: Its private key, PEM without encryption; in memory only. Empty if the
            key is in a token.
        authorities: The roots and intermediates that are trusted, PEM.
        signer: The key in a token; None if it is in `key`.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    authorities: bytes
    signer: SigningKey | None = None

    @classmethod
    def from_files(
        cls,
        *,
        certificate: Path,
        key: Path,
        authorities: Path,
        passphrase: bytes | None,
    ) -> Access:
        """Read what the files hold.

        Raises:
            OSError: A file cannot be read.
            ValueError: The key cannot be decrypted, or is none for connections.
        """
        try:
            private = serialization.load_pem_private_key(key.read_bytes(), passphrase)
        except UnsupportedAlgorithm as error:
            msg = f"{key}: connections need a key on P-256 or Ed25519"
            raise ValueError(msg) from error
        return cls(
            certificate=certificate.read_bytes(),
            key=private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            authorities=authorities.read_bytes(),
        )

    @classmethod
    def from_token(
        cls, *, certificate: Path, uri: str, authorities: Path, passphrase: str
    ) -> Access:
        """Open a key in a token, whose certificate is in a file.

        The key signs handshakes and seals in the token and never leaves it.

        Args:
            certificate: The caller's certificate and its intermediates.
            uri: The key's PKCS#11 URI (RFC 7512).
            authorities: The trusted roots and intermediates.
            passphrase: A reference to the PIN, such as `file:/path`, or `none`.

        Raises:
            OSError: A file cannot be read.
            ValueError: The key cannot be used; the text says what to do.
        """
        chain = certificate.read_bytes()
        return cls(
            certificate=chain,
            key=b"",
            authorities=authorities.read_bytes(),
            signer=open_key(uri, passphrase, chain),
        )

    def credentials(self) -> grpc.ChannelCredentials:
        """Return what gRPC needs to prove who we are and to check the gateway.

        The two ends agree on TLS 1.3, as both can; gRPC for Python has no switch
        that would forbid 1.2 to a client, so the gateway decides.
        """
        if self.signer is not None:
            return token_credentials(self.signer, self.certificate, self.authorities)
        return grpc.ssl_channel_credentials(
            root_certificates=self.authorities,
            private_key=self.key,
            certificate_chain=self.certificate,
        )


def channel_options(
    message_bytes_max: int = MESSAGE_BYTES_MAX,
) -> Sequence[tuple[str, int]]:
    """Return the options of a channel to a gateway.

    A broken line is noticed within half a minute and tried again at least every
    two seconds, so that nobody waits long for a gateway that is back.
    """
    return (
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MS_MIN),
        ("grpc.min_reconnect_backoff_ms", _RECONNECT_MS_MIN),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS_MAX),
        # What the own gateway answers may have to be larger than any request.
        ("grpc.max_receive_message_length", max(ANSWER_BYTES_MAX, message_bytes_max)),
        ("grpc.max_send_message_length", message_bytes_max),
    )


def connect(
    address: str, access: Access, *, message_bytes_max: int = MESSAGE_BYTES_MAX
) -> grpc.aio.Channel:
    """Open a channel to the gateway at `host:port`; must run in an event loop."""
    return grpc.aio.secure_channel(
        address,
        access.credentials(),
        options=list(channel_options(message_bytes_max)),
    )
