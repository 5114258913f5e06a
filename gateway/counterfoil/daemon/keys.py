"""The gateway's own keys, from where the configuration says that they are."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from counterfoil.daemon.config import (
    Configuration,
    ConfigurationRefused,
    HeadSection,
    HostedSection,
    PeerSection,
)
from counterfoil.daemon.own_certificates import require_own
from counterfoil.daemon.trust import certificate_chain
from counterfoil.daemon.worker import SealMaterial
from counterfoil.domain.party import Use, origin_of
from counterfoil.domain.registration import PeerConnection
from counterfoil.seal.algorithms import UnfitKey
from counterfoil.seal.certificates import CertificateRefused, load_certificate
from counterfoil.seal.head_keys import (
    head_signers,
    load_log_keys,
    load_sm2_key,
    sm3_head_signers,
)
from counterfoil.seal.key_material import load_key_material
from counterfoil.seal.keys import KeyReference
from counterfoil.seal.secret import KeyRefused, read_secret
from counterfoil.seal.trust import TrustStore
from counterfoil.tlog.ed25519 import Ed25519Signer
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.ml_dsa import MlDsa44Signer
from counterfoil.tlog.note import NoteVerifier
from counterfoil.tlog.sm2 import Sm2Signer
from counterfoil.tlog.sm3 import Sm3Unavailable, require_sm3
from counterfoil.tlog.verifiers import log_verifiers, verifier_of

log = logging.getLogger("counterfoil.daemon")

_FILE: Final = "file:"


LogSigner: TypeAlias = Ed25519Signer | MlDsa44Signer | Sm2Signer
"""A key that signs checkpoints of our log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSigners:
    """What signs our log's checkpoints.

    Attributes:
        log: Those of the log's first tree, of SHA-256.
        sm3: Those of its SM3 tree; None if it has none.
        next: Those that take their place soon and sign beside them until then, so that
            each peer changes over when it likes; None if there are none.
    """

    log: tuple[Ed25519Signer, MlDsa44Signer]
    sm3: tuple[Ed25519Signer, Sm2Signer] | None = None
    next: HeadSigners | None = None

    def of_log(self) -> tuple[LogSigner, ...]:
        """Return all that sign the checkpoints of the first tree."""
        return (*self.log, *(self.next.log if self.next else ()))

    def of_sm3(self) -> tuple[LogSigner, ...]:
        """Return all that sign the checkpoints of the SM3 tree; none without one."""
        later = self.next.sm3 if self.next else None
        return (*(self.sm3 or ()), *(later or ()))


def reference(configuration: Configuration, uri: str, passphrase: str) -> KeyReference:
    """Return where a key is, its paths made absolute."""
    return KeyReference(
        uri=_absolute(configuration, uri),
        passphrase=_absolute(configuration, passphrase),
    )


def _absolute(configuration: Configuration, text: str) -> str:
    if not text.startswith(_FILE):
        return text
    return f"{_FILE}{configuration.path(text.removeprefix(_FILE))}"


def secret_text(configuration: Configuration, where: str) -> str:
    """Return the secret that a reference of the configuration names.

    Raises:
        ConfigurationRefused: It cannot be read.
    """
    try:
        return read_secret(_absolute(configuration, where)).reveal().decode()
    except (KeyRefused, UnicodeDecodeError) as error:
        raise ConfigurationRefused(str(error)) from error


def load_head_signers(configuration: Configuration) -> HeadSigners:
    """Return what signs our log's checkpoints; a descriptor can be read only once.

    Raises:
        ConfigurationRefused: A key cannot be loaded, or SM3 cannot be computed here
            although the log is to have a tree of it; or the next keys do not fit.
    """
    now = _load_signers(configuration, configuration.head, "[head]")
    if configuration.head_next is None:
        return now
    later = _load_signers(configuration, configuration.head_next, "[head_next]")
    if (now.sm3 is None) is not (later.sm3 is None):
        msg = "[head_next]: sm2 stands there exactly if it stands in [head]"
        raise ConfigurationRefused(msg)
    signers = replace(now, next=later)
    keys = [one.key.to_text() for one in (*signers.of_log(), *signers.of_sm3())]
    if len(set(keys)) < len(keys):
        msg = "[head_next]: a key stands in [head] already"
        raise ConfigurationRefused(msg)
    return signers


def _load_signers(
    configuration: Configuration, head: HeadSection, section: str
) -> HeadSigners:
    try:
        keys = load_log_keys(
            reference(configuration, head.ed25519, head.ed25519_passphrase),
            reference(configuration, head.mldsa44, head.mldsa44_passphrase),
        )
        log = head_signers(origin_of(configuration.gateway.party), *keys)
        if not head.sm2:
            return HeadSigners(log=log)
        require_sm3()
        sm2 = load_sm2_key(reference(configuration, head.sm2, head.sm2_passphrase))
    except (KeyRefused, Sm3Unavailable) as error:
        msg = f"{section}: {error}"
        raise ConfigurationRefused(msg) from error
    return HeadSigners(log=log, sm3=sm3_head_signers(log[0], sm2))


def load_head_verifiers(
    peer: PeerSection | PeerConnection,
) -> tuple[NoteVerifier, ...]:
    """Return what verifies a peer's checkpoints, at least one key.

    Raises:
        ConfigurationRefused: There is none, one stands there twice, or a text of
            `heads` is not a verifier key of this peer's log.
    """
    try:
        return log_verifiers(origin_of(peer.party), peer.heads)
    except TlogError as error:
        msg = f"peer {peer.party}: heads: {error}"
        raise ConfigurationRefused(msg) from error


def own_head_verifiers(signers: HeadSigners) -> tuple[NoteVerifier, ...]:
    """Return what verifies our own checkpoints, for the lane to ourselves."""
    return tuple(verifier_of(signer.key) for signer in signers.log)


def load_seals(configuration: Configuration) -> list[SealMaterial]:
    """Return the seals of all parties hosted here, each key checked once.

    A key in a token is opened here and closed again: the workers open it on their own.

    Raises:
        ConfigurationRefused: A key or certificate cannot be used, or they do not
            belong together.
    """
    return [load_seal(configuration, one) for one in seal_sections(configuration)]


def seal_sections(configuration: Configuration) -> tuple[HostedSection, ...]:
    """Return where the seals of all parties hosted here are, our own first."""
    seal = configuration.seal
    own = HostedSection(
        party=configuration.gateway.party,
        certificate=seal.certificate,
        key=seal.key,
        passphrase=seal.passphrase,
    )
    return (own, *configuration.hosted)


def tell_nameless(seals: Iterable[SealMaterial], trust: TrustStore) -> None:
    """Log the seals with which nothing can be sealed until the directory names them."""
    for seal in seals:
        if trust.name_of(seal.certificate) is None:
            log.error(
                "a seal's certificate bears no name, and no directory lists it",
                extra={"party": seal.party},
            )


def load_seal(configuration: Configuration, section: HostedSection) -> SealMaterial:
    """Return one party's seal; see `load_seals`.

    Raises:
        ConfigurationRefused: See `load_seals`.
    """
    chain = certificate_chain(configuration.path(section.certificate))
    try:
        key = load_key_material(
            reference(configuration, section.key, section.passphrase)
        )
        material = SealMaterial(party=section.party, certificate=chain[0], key=key)
        key.check(material.public_key)
        certificate = load_certificate(chain[0])
    except (KeyRefused, UnfitKey, CertificateRefused) as error:
        msg = f"seal of {section.party}: {error}"
        raise ConfigurationRefused(msg) from error
    require_own(
        f"seal of {section.party}",
        certificate,
        party=section.party,
        use=Use.INSTITUTION,
        may_be_nameless=True,
    )
    return material
