"""Whom this gateway believes: read from files, and read again as they change."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.kept_answers import KeptAnswers
from counterfoil.daemon.trust_section import limited_roots
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.refusals import (
    CallerRevoked,
    CallerUnknown,
    SealForged,
    SealUndetermined,
)
from counterfoil.seal.certificates import (
    CertificateRefused,
    CertificateRevoked,
    RevocationUnknown,
    certificate_digest,
    load_pem_chain,
)
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustAnchor, TrustMaterial
from counterfoil.sm2.libcrypto import Sm2Unavailable, libcrypto
from counterfoil.sm2.signed import has_sm2_key

log = logging.getLogger("counterfoil.daemon")

_CALLER_USES = frozenset({Use.GATEWAY, Use.PERSON, Use.SYSTEM})


def read_material(
    configuration: Configuration, answers: tuple[bytes, ...] = ()
) -> TrustMaterial:
    """Read roots, authorities and revocation lists.

    A self-signed certificate of the file is a root, every other one an authority.

    Args:
        configuration: Where the files are.
        answers: What responders answered, in DER.

    Raises:
        ConfigurationRefused: A file is missing or cannot be read.
    """
    pem = read_file(configuration, configuration.trust.authorities)
    try:
        chain = load_pem_chain(pem)
    except CertificateRefused as error:
        msg = f"trust.authorities: {error}"
        raise ConfigurationRefused(msg) from error
    limited = _limited(configuration, chain)
    anchors, authorities = [], []
    for der in chain:
        certificate = x509.load_der_x509_certificate(der)
        _require_usable(certificate)
        if certificate.issuer == certificate.subject:
            anchors.append(TrustAnchor(der, limited.get(der, frozenset())))
        else:
            authorities.append(der)
    if not anchors:
        msg = "trust.authorities: none of the certificates is self-signed"
        raise ConfigurationRefused(msg)
    return TrustMaterial(
        anchors=tuple(anchors),
        authorities=tuple(authorities),
        crls=tuple(
            read_revocation_list(configuration, p)
            for p in configuration.trust.revocation_lists
        ),
        answers=answers,
        soft_us=configuration.trust.soft_us,
    )


def _limited(
    configuration: Configuration, chain: Sequence[bytes]
) -> dict[bytes, frozenset[str]]:
    """Return for whom roots speak that do not speak for everybody.

    Raises:
        ConfigurationRefused: A file cannot be read, or has a certificate that is not
            among the trusted ones: nothing would be limited by it.
    """
    limited: dict[bytes, frozenset[str]] = {}
    for name, parties in limited_roots(configuration.trust):
        try:
            roots = load_pem_chain(read_file(configuration, name))
        except CertificateRefused as error:
            msg = f"trust.speaks_for: {name}: {error}"
            raise ConfigurationRefused(msg) from error
        for der in roots:
            if der not in chain:
                msg = f"trust.speaks_for: {name}: it is not in trust.authorities"
                raise ConfigurationRefused(msg)
            limited[der] = limited.get(der, frozenset()) | parties
    return limited


def _require_usable(certificate: x509.Certificate) -> None:
    """Refuse an authority whose seals this machine could never check.

    Raises:
        ConfigurationRefused: Its key is of SM2, and nothing here can do that.
    """
    try:
        if has_sm2_key(certificate):
            libcrypto()
    except Sm2Unavailable as error:
        msg = f"trust.authorities: {error}"
        raise ConfigurationRefused(msg) from error


def read_file(configuration: Configuration, name: str) -> bytes:
    """Return a file that the configuration names.

    Raises:
        ConfigurationRefused: It cannot be read.
    """
    path = configuration.path(name)
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigurationRefused(msg) from error


def read_revocation_list(configuration: Configuration, name: str) -> bytes:
    """Return a list that the configuration names, in DER.

    Raises:
        ConfigurationRefused: It cannot be read, or is none.
    """
    encoded = read_file(configuration, name)
    try:
        if encoded.startswith(b"-----"):
            return x509.load_pem_x509_crl(encoded).public_bytes(Encoding.DER)
        return x509.load_der_x509_crl(encoded).public_bytes(Encoding.DER)
    except ValueError as error:
        msg = f"{name}: not a revocation list"
        raise ConfigurationRefused(msg) from error


@dataclass(slots=True)
class TrustKeeper:
    """The gateway's own store of trust, renewed as its files change.

    Attributes:
        configuration: Where the files are.
        now_us: Our clock.
        unknown: Called with a caller's certificate (DER) of which nobody can tell now
            whether it is revoked.
        answers: What responders answered.
    """

    configuration: Configuration
    now_us: Callable[[], int]
    unknown: Callable[[bytes], None] = lambda _: None
    material: TrustMaterial = field(init=False)
    store: TrustStore = field(init=False)
    answers: KeptAnswers = field(init=False)
    _told_overdue: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.answers = KeptAnswers(self.configuration.directory / "answers")
        if self.configuration.trust.ocsp:
            self.answers.load()
        self.material = read_material(self.configuration, self.answers.all())
        self.store = TrustStore(self.material)

    def renew(self) -> bool:
        """Read the files again; return whether anything changed.

        Raises:
            ConfigurationRefused: A file cannot be read; what was read stays.
        """
        material = replace(
            read_material(self.configuration, self.answers.all()),
            directory=self.material.directory,
        )
        if material == self.material:
            return False
        self.store = TrustStore(material)
        self.material = material
        self._told_overdue.clear()
        return True

    def relist(self, names: Mapping[bytes, Identity]) -> bool:
        """Go by another directory of persons; return whether anything changed.

        Args:
            names: For whom each certificate is listed, by its SHA-256.
        """
        directory = tuple(names.items())
        if directory == self.material.directory:
            return False
        self.store.relist(names)
        self.material = replace(self.material, directory=directory)
        return True

    def judge_caller(self, certificate: bytes, log_us: int = 0) -> Identity:
        """Return the identity of a caller's certificate that is valid now.

        Args:
            certificate: In DER.
            log_us: When the newest leaf of our log was written. What was revoked by
                then stays revoked, whatever a clock says that was set back.

        Raises:
            CallerUnknown: It is not valid, or not for connections.
            CallerRevoked: It is revoked.
            SealUndetermined: Whether it is revoked cannot be told now.
        """
        now_us = self.now_us()
        try:
            vetted = self.store.vet(certificate, uses=_CALLER_USES, at_us=now_us)
            if log_us > now_us:
                self._require_not_revoked(certificate, log_us)
        except CertificateRevoked as error:
            raise CallerRevoked("the caller's certificate is revoked") from error
        except CertificateRefused as error:
            raise CallerUnknown(
                f"the caller's certificate is refused: {error}"
            ) from error
        except RevocationUnknown as error:
            self.unknown(certificate)
            raise SealUndetermined(str(error)) from error
        if vetted.is_overdue(now_us):
            self._tell_overdue(certificate, vetted.identity)
        return vetted.identity

    def _require_not_revoked(self, certificate: bytes, at_us: int) -> None:
        """Check that nobody says that a certificate was revoked by an instant.

        Raises:
            CertificateRevoked: Somebody does.
        """
        with suppress(CertificateRefused, RevocationUnknown):
            self.store.vet(certificate, uses=_CALLER_USES, at_us=at_us)

    def judge_reviewer(self, certificate: bytes) -> None:
        """Check that a personal seal may still rest on a certificate now.

        Args:
            certificate: In DER; its seals held when the person gave them.

        Raises:
            SealForged: It was revoked or has ended since.
            SealUndetermined: Whether it was revoked cannot be told now.
        """
        digest, now_us = certificate_digest(certificate), self.now_us()
        try:
            vetted = self.store.look_up(digest, at_us=now_us, bag={digest: certificate})
        except CertificateRevoked as error:
            text = "a reviewer's certificate was revoked since the review"
            raise SealForged(text, check="7") from error
        except CertificateRefused as error:
            text = f"a reviewer's certificate does not count any more: {error}"
            raise SealForged(text, check="6") from error
        if vetted.is_undetermined:
            self.unknown(certificate)
            raise SealUndetermined("whether a reviewer was revoked cannot be told now")

    def _tell_overdue(self, certificate: bytes, identity: Identity) -> None:
        """Log a caller that is let in by soft fail, once until something changes."""
        if certificate not in self._told_overdue:
            self._told_overdue.add(certificate)
            log.warning(
                "a caller's revocation is known by what is overdue only (soft fail)",
                extra={"caller": identity.to_urn()},
            )


def certificate_chain(path: Path) -> tuple[bytes, ...]:
    """Return the certificates of a PEM file in DER, ours first.

    Raises:
        ConfigurationRefused: The file cannot be read or holds none.
    """
    try:
        return tuple(load_pem_chain(path.read_bytes()))
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigurationRefused(msg) from error
    except CertificateRefused as error:
        msg = f"{path}: {error}"
        raise ConfigurationRefused(msg) from error


def own_certificates(
    configuration: Configuration, material: TrustMaterial
) -> list[bytes]:
    """Return the certificates that this gateway shows and seals with, in DER.

    The authorities between them and the roots come last.

    Raises:
        ConfigurationRefused: A file cannot be read.
    """
    return [*own_leaves(configuration), *material.authorities]


def own_leaves(configuration: Configuration) -> list[bytes]:
    """Return the same without the authorities.

    Raises:
        ConfigurationRefused: A file cannot be read.
    """
    files = [configuration.tls.certificate, configuration.seal.certificate]
    files += [hosted.certificate for hosted in configuration.hosted]
    return [certificate_chain(configuration.path(name))[0] for name in files]
