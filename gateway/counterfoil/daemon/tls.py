"""What we show in handshakes and whom we believe there, read again as it changes."""

from __future__ import annotations

from dataclasses import dataclass, field

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.keys import reference
from counterfoil.daemon.own_certificates import require_own
from counterfoil.daemon.trust import read_file
from counterfoil.domain.party import Use
from counterfoil.seal.keys import load_tls_key
from counterfoil.seal.secret import KeyRefused, SecretText


@dataclass(slots=True)
class TlsKeeper:
    """Our certificate and the roots, renewed as their files change.

    The key stays until somebody says that it is another one: its passphrase may have
    come through a descriptor that can be read only once.

    Attributes:
        configuration: Where the files are.
        server: What we show as a server; handshakes use what is newest.
    """

    configuration: Configuration
    server: grpc.ServerCredentials = field(init=False)
    _key: SecretText = field(init=False)
    _read: tuple[bytes, bytes] = field(init=False)
    _shown: grpc.ServerCertificateConfiguration = field(init=False)
    _given: grpc.ServerCertificateConfiguration = field(init=False)

    def __post_init__(self) -> None:
        """Read them for the first time.

        Raises:
            ConfigurationRefused: A file cannot be used.
        """
        self._key = _load_key(self.configuration)
        self._take(_files(self.configuration, self._key))
        self._given = self._shown
        self.server = grpc.dynamic_ssl_server_credentials(
            self._shown,
            self._newest,  # type: ignore[arg-type]  # None: nothing newer
            require_client_authentication=True,
        )

    def renew(self) -> bool:
        """Read the files again; return whether anything changed.

        Raises:
            ConfigurationRefused: A file cannot be used; what was read stays.
        """
        files = _files(self.configuration, self._key)
        if files == self._read:
            return False
        self._take(files)
        return True

    def rekey(self, configuration: Configuration) -> None:
        """Read the key again as well, where `configuration` says that all of them are.

        Raises:
            ConfigurationRefused: One cannot be used; what was read stays.
        """
        key = _load_key(configuration)
        files = _files(configuration, key)
        self.configuration, self._key = configuration, key
        self._take(files)

    def channel(self) -> grpc.ChannelCredentials:
        """Return what we show as a client, as it is now."""
        chain, roots = self._read
        return grpc.ssl_channel_credentials(roots, self._key.reveal(), chain)

    def _take(self, files: tuple[bytes, bytes]) -> None:
        chain, roots = self._read = files
        self._shown = grpc.ssl_server_certificate_configuration(
            [(self._key.reveal(), chain)], root_certificates=roots
        )

    def _newest(self) -> grpc.ServerCertificateConfiguration | None:
        """Return what is newer than gRPC has; called by it before each handshake."""
        newest = self._shown
        if newest is self._given:
            return None
        self._given = newest
        return newest


def _load_key(configuration: Configuration) -> SecretText:
    tls = configuration.tls
    try:
        return load_tls_key(reference(configuration, tls.key, tls.passphrase))
    except KeyRefused as error:
        msg = f"[tls]: {error}"
        raise ConfigurationRefused(msg) from error


def _files(configuration: Configuration, key: SecretText) -> tuple[bytes, bytes]:
    """Return our chain and the roots, checked as far as a handshake needs it."""
    chain = read_file(configuration, configuration.tls.certificate)
    roots = read_file(configuration, configuration.trust.authorities)
    try:
        certificate = x509.load_pem_x509_certificates(chain)[0]
        shown = certificate.public_key()
        x509.load_pem_x509_certificates(roots)
    except ValueError as error:
        msg = "tls.certificate or trust.authorities: not certificates in PEM"
        raise ConfigurationRefused(msg) from error
    except UnsupportedAlgorithm as error:
        # SM2 is for seals: gRPC's TLS has no cipher suites for it.
        msg = "tls.certificate: connections need a key on P-256 or Ed25519"
        raise ConfigurationRefused(msg) from error
    own = load_pem_private_key(key.reveal(), None).public_key()
    if _encoded(shown) != _encoded(own):
        msg = "tls.certificate: it is for another key than the one of tls.key"
        raise ConfigurationRefused(msg)
    party = configuration.gateway.party
    require_own("tls.certificate", certificate, party=party, use=Use.GATEWAY)
    return chain, roots


def _encoded(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
