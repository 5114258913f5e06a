"""The connection to the own gateway: mutual TLS, keepalive, limits."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc
from cryptography.hazmat.primitives import serialization

MESSAGE_BYTES_MAX: Final = 2_097_152
"""Largest message either way; what a gateway reads by default."""
_KEEPALIVE_MS: Final = 20_000
_KEEPALIVE_TIMEOUT_MS: Final = 10_000
_RECONNECT_MS_MIN: Final = 100
_RECONNECT_MS_MAX: Final = 2_000
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def read_passphrase(reference: str, base: Path) -> bytes | None:
    """Return the passphrase that a configuration refers to; None for none.

    Args:
        reference: `file:PATH` (readable by its owner only), `fd:N` (an open file
            descriptor), `credential:NAME` (given by the service manager), or
            `none`.
        base: Folder that a relative path starts from.

    Raises:
        ValueError: The reference is of no known kind, or others may read the file.
    """
    kind, _, place = reference.partition(":")
    match kind:
        case "none":
            return None
        case "file":
            path = base / place
            if path.stat().st_mode & _OTHERS:
                msg = f"others may read the passphrase in {path.name}"
                raise ValueError(msg)
            text = path.read_bytes()
        case "fd":
            with os.fdopen(int(place), "rb") as stream:
                text = stream.read()
        case "credential":
            text = Path(os.environ["CREDENTIALS_DIRECTORY"], place).read_bytes()
        case _:
            msg = f"not a reference to a passphrase: {kind}"
            raise ValueError(msg)
    return text.rstrip(b"\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who calls: a certificate, its key and the authorities that are trusted.

    Attributes:
        certificate: The caller's certificate and its intermediates, PEM.
        key: Its private key, PEM without encryption; in memory only.
        authorities: The roots and intermediates that are trusted, PEM.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    authorities: bytes

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
            ValueError: The key cannot be decrypted.
        """
        private = serialization.load_pem_private_key(key.read_bytes(), passphrase)
        return cls(
            certificate=certificate.read_bytes(),
            key=private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            authorities=authorities.read_bytes(),
        )

    def credentials(self) -> grpc.ChannelCredentials:
        """Return what gRPC needs to prove who we are and to check the gateway.

        The two ends agree on TLS 1.3, as both can; gRPC for Python has no switch
        that would forbid 1.2 to a client, so the gateway decides.
        """
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
        ("grpc.max_receive_message_length", message_bytes_max),
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
