"""Whom to believe: frozen bytes, which can be pickled for each worker process."""

from __future__ import annotations

from dataclasses import dataclass, field

from counterfoil.domain.party import Identity


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """A trusted root, and for whom it may speak.

    Attributes:
        certificate: The root in DER.
        parties: Codes of the parties whose certificates it may issue; empty for
            all. Where each institution has its own authority, this keeps one from
            issuing in another's name.
    """

    certificate: bytes = field(repr=False)
    parties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustMaterial:
    """Everything that a judgement of certificates rests on.

    Attributes:
        anchors: Trusted roots, at least one.
        authorities: Intermediate authorities in DER that paths may use.
        crls: Revocation lists in DER.
        answers: Responders' answers about single certificates in DER.
        soft_us: For how long after it was issued a list or answer that is overdue
            is still gone by; 0 for not at all (hard fail). See `docs/adr/0025`.
        certificates: Signers' certificates in DER that are known beforehand.
        directory: Identities by digest of the certificate, for certificates of
            real authorities that state none; from a directory that the
            institution has sealed.
    """

    anchors: tuple[TrustAnchor, ...]
    authorities: tuple[bytes, ...] = field(default=(), repr=False)
    crls: tuple[bytes, ...] = field(default=(), repr=False)
    answers: tuple[bytes, ...] = field(default=(), repr=False)
    soft_us: int = 0
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    directory: tuple[tuple[bytes, Identity], ...] = field(default=(), repr=False)
